//! The verbs of a client: what the command line does over the public API, with credentials like
//! any other client.
//!
//! Nothing here knows the store, the services or the server: only the wire.

mod access;
mod client;
mod clock;
mod events;
mod terminal;
mod why;

use std::io::{ErrorKind, Write as _, stderr};
use std::process::ExitCode;

pub use access::AccessArgs;
use clap::{Subcommand, ValueEnum};
pub use events::EventsArgs;
pub use why::WhyArgs;

/// A verb of a client.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List or follow the account's audit events
    #[command(after_help = "\
Examples:
  bailiwick events                                     the newest 50
  bailiwick events --follow                            new ones as they come
  bailiwick events --since 10m --error-code AccessDenied
  bailiwick events --user alice --event-name CreateUser --limit 500 --format json

The server and the key are those of AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and
AWS_SECRET_ACCESS_KEY, or else those in the data directory of a server on this machine.")]
    Events(EventsArgs),
    /// Explain a decision: which policies were asked, and what each statement said
    #[command(after_help = "\
Examples:
  bailiwick why d-4f1c0e7a9b3d4c2e8f60718293a4b5c6
  bailiwick why d-4f1c0e7a9b3d4c2e8f60718293a4b5c6 --format json

The id stands in the message of every denial, in `x-bailiwick-decision-id` where it is sent, and in
`bailiwick events`; a request id or an event id does as well.")]
    Why(WhyArgs),
}

/// How answers are printed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
}

impl Command {
    /// Does what the verb says.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Events(args) => events::run(&args),
            Self::Why(args) => why::run(&args),
        }
    }
}

/// The exit code of a command: 0 when it was done, 2 when it could not be, with the reason on
/// standard error. A reader of our output that has gone away is no error.
pub fn exit(done: anyhow::Result<()>) -> ExitCode {
    let Err(error) = done else { return ExitCode::SUCCESS };
    let gone = error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == ErrorKind::BrokenPipe);
    if gone {
        return ExitCode::SUCCESS;
    }
    let _ = writeln!(stderr(), "error: {}", terminal::text(&format!("{error:#}")));
    ExitCode::from(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory as _, Parser};

    #[derive(Parser)]
    struct Line {
        #[command(subcommand)]
        command: Command,
    }

    #[test]
    fn every_verb_has_help_with_an_example() {
        Line::command().debug_assert();
        for command in Line::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Examples:\n  bailiwick "), "{}", command.get_name());
        }
    }

    #[test]
    fn lines_parse() {
        for (line, fine) in [
            ("x events --follow --user a --event-name B --error-code C --access-key-id D", true),
            ("x events --since 10m --limit 5 --format json", true),
            ("x events --since soon", false),
            ("x events --limit 0", false),
            ("x why d-1234567", true),
            ("x why", false),
        ] {
            assert_eq!(Line::try_parse_from(line.split(' ')).is_ok(), fine, "{line}");
        }
    }
}
