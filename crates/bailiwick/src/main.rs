//! The one binary: hands `serve` and the operator's verbs to the server, the rest to the client.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A call makes some two hundred small allocations, on whatever thread has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// AWS Identity and Access Management that anyone can run
#[derive(Parser)]
#[command(name = "bailiwick", version, arg_required_else_help = true)]
struct Line {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
#[allow(clippy::large_enum_variant, reason = "there is one value of it in a process")]
enum Verb {
    #[command(flatten)]
    Server(bailiwick_server::Command),
    #[command(flatten)]
    Client(bailiwick_cli::Command),
}

fn main() -> ExitCode {
    let done = match Line::parse().verb {
        Verb::Server(command) => command.run(),
        Verb::Client(command) => command.run(),
    };
    bailiwick_cli::exit(done)
}
