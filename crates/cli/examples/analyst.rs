//! x
use clap::Parser;
use std::process::ExitCode;
#[derive(Parser)]
struct Line {
    #[command(subcommand)]
    verb: bailiwick_cli::Command,
}
fn main() -> ExitCode {
    bailiwick_cli::exit(Line::parse().verb.run())
}
