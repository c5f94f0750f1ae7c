//! `cargo xtask coverage`: implemented / total operations per service, from the code.

use std::process::Command;

/// Runs the command.
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    let status = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--package", "bailiwick-services", "--example", "coverage", "--"])
        .args(args)
        .status()?;
    anyhow::ensure!(status.success(), "the coverage table could not be printed");
    Ok(())
}
