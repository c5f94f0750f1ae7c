//! `cargo xtask bench engine`: the decision engine beside its peers, in one process run.
//!
//! The peers live in `bench/`, a workspace of its own with its own lock file, so that no build of
//! the product compiles them. This command builds it, fetches the one peer that is an npm package
//! where node is there, and renews the engine's section of `docs/performance.md` and the plot.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context as _;

const USAGE: &str = "usage: cargo xtask bench engine [--json FILE] [--no-docs] [--quick]

  --json FILE  write all figures there (default: bench/target/engine.json)
  --no-docs    leave docs/performance.md and docs/engine.svg as they are
  --quick      fewer rounds and at most 1,000 policies; leaves docs as they are";

/// Runs the command.
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    let (mut json, mut docs, mut quick) = ("bench/target/engine.json".to_owned(), true, false);
    let mut arguments = args.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--json" => json.clone_from(arguments.next().context("`--json` of which file?")?),
            "--no-docs" => docs = false,
            "--quick" => (quick, docs) = (true, false),
            "--help" | "-h" => {
                println!("{USAGE}");
                return Ok(());
            }
            other => anyhow::bail!("unknown argument `{other}`\n\n{USAGE}"),
        }
    }
    fetch_package();
    let mut command = Command::new(env!("CARGO"));
    command
        .args(["run", "--release", "--quiet", "--locked", "--manifest-path", "bench/Cargo.toml"])
        .args(["--", "--folder", "bench", "--json", &json]);
    if docs {
        command.args(["--docs", "docs"]);
    }
    if quick {
        command.arg("--quick");
    }
    let status = command.status()?;
    anyhow::ensure!(status.success(), "the bench failed");
    println!("all figures are in {json}");
    Ok(())
}

/// Fetches iam-simulate with the versions of the lock file. Without it the bench says so and goes
/// on with the others.
fn fetch_package() {
    if Path::new("bench/node_modules/@cloud-copilot/iam-simulate").exists() {
        return;
    }
    let fetched = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"])
        .current_dir("bench")
        .stdout(Stdio::null())
        .status();
    if !fetched.is_ok_and(|status| status.success()) {
        eprintln!("iam-simulate could not be fetched by npm; it will be left out");
    }
}
