//! `cargo xtask fuzz`: the fuzz targets, one after the other.
//!
//! They live in `fuzz/`, a workspace of its own, and need `cargo-fuzz`. They begin with the vectors
//! of `corpus/` and the kept inputs of `corpus/fuzz/`; see `docs/fuzzing.md`.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};

/// The targets, and how long an input may be, in bytes.
const TARGETS: [(&str, usize); 5] = [
    ("policy_json", 4096),
    ("evaluate", 4096),
    ("wildcard", 512),
    ("arn", 512),
    ("simulator", 4096),
];

const USAGE: &str = "usage: cargo xtask fuzz [--seconds N] [TARGET]...";

/// Runs the command.
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    let mut seconds = 60_u32;
    let mut wanted: Vec<&str> = Vec::new();
    let mut rest = args.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--seconds" => {
                let value = rest.next().with_context(|| format!("a number is missing\n{USAGE}"))?;
                seconds = value.parse().with_context(|| format!("`{value}` is no number"))?;
            }
            name if TARGETS.iter().any(|(target, _)| *target == name) => wanted.push(name),
            other => bail!("unknown argument `{other}`\n{USAGE}"),
        }
    }
    let folder = Path::new("fuzz");
    anyhow::ensure!(folder.is_dir(), "run this in the repository's root");
    cargo(folder, &["run", "--quiet", "--example", "seeds"])?;
    for (target, length) in TARGETS {
        if !wanted.is_empty() && !wanted.contains(&target) {
            continue;
        }
        let (time, length) = (format!("-max_total_time={seconds}"), format!("-max_len={length}"));
        let (own, kept) = (format!("corpus/{target}"), format!("../corpus/fuzz/{target}"));
        // No sanitizer: the crates forbid unsafe code, and the stable toolchain has none.
        let options = [
            "fuzz",
            "run",
            "-s",
            "none",
            target,
            &own,
            &kept,
            "--",
            &time,
            &length,
            "-rss_limit_mb=1024",
            "-timeout=10",
            "-dict=policy.dict",
        ];
        cargo(folder, &options).with_context(|| format!("a finding of `{target}`"))?;
    }
    Ok(())
}

fn cargo(folder: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    let status = Command::new(env!("CARGO")).args(arguments).current_dir(folder).status()?;
    anyhow::ensure!(status.success(), "`cargo {}` failed", arguments.join(" "));
    Ok(())
}
