//! The verbs of a client, which talk to a server over the public API with credentials like any
//! other client, and those of an analyst, which need no server: `simulate` and `test`.
//!
//! Nothing here knows the store, the services or the server: the client verbs know the wire, the
//! analyst's the model and the engine.

mod access;
mod call;
mod client;
mod clock;
mod events;
mod simulate;
mod suite;
mod terminal;
mod why;

use std::io::{ErrorKind, Write as _, stderr};
use std::process::ExitCode;

pub use access::AccessArgs;
pub use call::CallArgs;
use clap::{Subcommand, ValueEnum};
pub use events::EventsArgs;
pub use simulate::SimulateArgs;
pub use suite::TestArgs;
pub use why::WhyArgs;

/// A verb of a client or an analyst.
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
    /// Call an operation, directly or as services call it on your behalf
    #[command(after_help = "\
Examples:
  bailiwick call sts GetCallerIdentity
  bailiwick call iam CreateUser UserName=alice Path=/team/
  bailiwick call --via cloudformation.amazonaws.com iam CreateUser UserName=alice
  bailiwick call --via cloudformation.amazonaws.com --via lambda.amazonaws.com \\
      --source-ip 203.0.113.7 iam ListUsers

With --via the call carries aws:CalledVia and its kin. The session for it is made by the server on
this machine, for whoever may use its data directory (BAILIWICK_DATA_DIR), lives for 15 minutes and is
recorded. Exit code 0: done; 1: refused by the server; 2: bad input.")]
    Call(CallArgs),
    /// Explain a decision: which policies were asked, and what each statement said
    #[command(after_help = "\
Examples:
  bailiwick why d-4f1c0e7a9b3d4c2e8f60718293a4b5c6
  bailiwick why d-4f1c0e7a9b3d4c2e8f60718293a4b5c6 --format json

The id stands in the message of every denial, in `x-bailiwick-decision-id` where it is sent, and in
`bailiwick events`; a request id or an event id does as well.")]
    Why(WhyArgs),
    /// Decide requests on policies in files or in an account export, without a server
    #[command(after_help = "\
Examples:
  bailiwick simulate --policy read.json --principal arn:aws:iam::123456789012:user/alice \\
      --action s3:GetObject s3:PutObject --resource arn:aws:s3:::my-specific-bucket/report.csv
  bailiwick simulate --policy ec2.json --principal arn:aws:iam::123456789012:user/alice \\
      --action ec2:RunInstances --region us-west-2 --context aws:MultiFactorAuthPresent=true
  bailiwick simulate --policy admin.json --scp root=full.json --scp root=guard.json \\
      --scp unit=regions.json --principal arn:aws:sts::123456789012:assumed-role/Dev/eve \\
      --action iam:CreateUser
  bailiwick simulate --account export.json --principal arn:aws:iam::123456789012:user/alice \\
      --action s3:DeleteBucket --attach draft.json --detach AdministratorAccess
  bailiwick simulate --batch cases.jsonl > answers.jsonl

An account export is what `aws iam get-account-authorization-details` prints. Context keys that
follow from the principal and the resource are filled in and shown, except with --batch, where
each case has its whole context. Exit code 0: all is allowed; 1: something is not; 2: bad input.")]
    Simulate(Box<SimulateArgs>),
    /// Run a suite of expectations about policies
    #[command(after_help = TEST_HELP)]
    Test(TestArgs),
    /// Work on policies
    #[command(after_help = "\
Examples:
  bailiwick policy test suite.yaml                     the same as `bailiwick test`")]
    Policy {
        /// What to do
        #[command(subcommand)]
        verb: PolicyCommand,
    },
}

/// A verb on policies.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Run a suite of expectations about policies
    #[command(after_help = TEST_HELP)]
    Test(TestArgs),
}

const TEST_HELP: &str = "\
Examples:
  bailiwick test suite.yaml                            what fails, and why
  bailiwick test suite.yaml --format junit > report.xml
  bailiwick test suites/*.yaml --format sarif > report.sarif

Exit code 0: all is as expected; 1: something is not; 2: a suite cannot be read.";

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
            Self::Call(args) => call::run(&args),
            Self::Why(args) => why::run(&args),
            Self::Simulate(args) => simulate::run(&args),
            Self::Test(args) | Self::Policy { verb: PolicyCommand::Test(args) } => {
                suite::run(&args)
            }
        }
    }
}

/// The exit code of a command: 0 when it was done, 1 when it found what it looks for (a denial, a
/// failed expectation), 2 when it could not be done, with the reason on standard error. A reader of
/// our output that has gone away is no error.
pub fn exit(done: anyhow::Result<()>) -> ExitCode {
    let Err(error) = done else { return ExitCode::SUCCESS };
    let gone = error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == ErrorKind::BrokenPipe);
    if gone {
        return ExitCode::SUCCESS;
    }
    if error.is::<simulate::fault::Findings>() {
        return ExitCode::from(1);
    }
    // Faults in files show the line on lines of their own; other texts have no say over lines.
    let is_fault = error.is::<simulate::fault::Fault>();
    let text = format!("{error:#}");
    let lines: Vec<&str> = if is_fault { text.lines().collect() } else { vec![&text] };
    let shown: Vec<String> = lines.into_iter().map(terminal::text).collect();
    let _ = writeln!(stderr(), "error: {}", shown.join("\n"));
    ExitCode::from(if error.is::<call::Refused>() { 1 } else { 2 })
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
            ("x call --via a.amazonaws.com --via b.amazonaws.com iam GetUser UserName=a", true),
            ("x call --source-ip 10.0.0.1 iam GetUser", false),
            ("x call iam", false),
            ("x why d-1234567", true),
            ("x why", false),
            ("x simulate --batch -", true),
            ("x simulate --batch f --principal p --action s3:X", false),
            ("x simulate --principal p --action s3:X s3:Y --resource r --policy a b", true),
            ("x simulate --principal p", false),
            ("x simulate --principal p --action s3:X --attach f", false),
            ("x simulate --principal p --action s3:X --account e --replace a=f --detach b", true),
            ("x simulate --principal p --action s3:X --account e --policy f", false),
            ("x test s.yaml --format junit", true),
            ("x test", false),
            ("x policy test s.yaml", true),
        ] {
            assert_eq!(Line::try_parse_from(line.split(' ')).is_ok(), fine, "{line}");
        }
    }
}
