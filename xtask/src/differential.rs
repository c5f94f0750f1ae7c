//! `cargo xtask differential`: random cases decided by the engine and by another evaluator.
//!
//! The other is the reference evaluator, or with `--against iam-simulate` the npm package of that
//! name. The package is installed into `target/foreign` and runs as a process of its own; nothing
//! of it is linked or read. It is asked only what it says it supports, and the differences that
//! are known, with the rule that settles each, stand in `docs/divergences.md`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

/// The npm package, in the version whose differences are known.
const PACKAGE: &str = "@cloud-copilot/iam-simulate";
const VERSION: &str = "0.1.173";
const ADAPTOR: &str = "iam-simulate.mjs";

const USAGE: &str = "usage: cargo xtask differential [--cases N] [--seed S] [--threads T] \
                     [--differences K] [--against iam-simulate]";

/// Runs the command.
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    let mut passed: Vec<String> = Vec::new();
    let mut rest = args.iter();
    while let Some(name) = rest.next() {
        let value = rest.next().with_context(|| format!("`{name}` needs a value\n{USAGE}"))?;
        match name.as_str() {
            "--cases" | "--seed" | "--threads" | "--differences" => {
                passed.extend([name.clone(), value.clone()]);
            }
            "--against" if value == "iam-simulate" => {
                let adaptor = install()?;
                let script = adaptor.to_string_lossy().into_owned();
                passed.extend(["--foreign", "node", "--script"].map(ToOwned::to_owned));
                passed.push(script);
            }
            _ => bail!("unknown argument `{name} {value}`\n{USAGE}"),
        }
    }
    let status = Command::new(env!("CARGO"))
        .args(["run", "--release", "--quiet", "--package", "bailiwick-policy"])
        .args(["--example", "differential", "--"])
        .args(&passed)
        .status()?;
    anyhow::ensure!(status.success(), "the evaluators differ, or could not be compared");
    Ok(())
}

/// Puts package and adaptor into `target/foreign`.
fn install() -> anyhow::Result<PathBuf> {
    let folder = std::env::current_dir()?.join("target/foreign");
    std::fs::create_dir_all(&folder)?;
    let adaptor = folder.join(ADAPTOR);
    std::fs::copy(Path::new("xtask/foreign").join(ADAPTOR), &adaptor)
        .context("run this in the repository's root")?;
    let manifest = folder.join("node_modules").join(PACKAGE).join("package.json");
    let wanted = format!("\"version\": \"{VERSION}\"");
    let there = std::fs::read_to_string(&manifest).is_ok_and(|text| text.contains(&wanted));
    if !there {
        std::fs::write(folder.join("package.json"), "{\"private\": true}\n")?;
        let status = Command::new("npm")
            .args(["install", "--silent", "--no-audit", "--no-fund"])
            .arg(format!("{PACKAGE}@{VERSION}"))
            .current_dir(&folder)
            .status()
            .context("npm could not be started")?;
        anyhow::ensure!(status.success(), "npm could not install {PACKAGE}@{VERSION}");
    }
    Ok(adaptor)
}
