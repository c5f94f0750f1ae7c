//! `bailiwick keys`: rotation of access keys, without a moment in which no key works.

mod keep;
mod rotate;

use clap::{Args, Subcommand};

use crate::Format;
use crate::access::AccessArgs;
use crate::iam::Span;
use keep::Place;

/// A verb on access keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Give a user a new access key and take the old one away when nothing uses it any more
    #[command(after_help = "\
Examples:
  bailiwick keys rotate --user-name service-account --test 'aws sts get-caller-identity' \\
      --store file:/home/app/.aws/credentials#default
  bailiwick keys rotate --user-name ci --test ./smoke-test.sh --store exec:./put-secret.sh \\
      --quiet-for 4h --grace 7d
  bailiwick keys rotate --user-name ci --store file:ci.credentials --dry-run

Steps: create a key; run the test with it in its environment; write it to the store; wait until the
old key is not used for --quiet-for; make the old key inactive; after --grace, delete it. The steps
done are noted in the user's tag `bailiwick:key-rotation`: run the same command again and it goes on
from there. A test that fails takes the new key away, and the old one is as it was.

--store file:PATH#PROFILE writes an AWS credentials file (PROFILE is `default` where it is not
said); exec:CMD gets {\"Version\": 1, \"AccessKeyId\": ..., \"SecretAccessKey\": ..., \"UserName\": ...}
on standard input. Exit code 0: done, or inactive until the grace is over; 1: stopped, the text says
why; 2: could not be done.")]
    Rotate(RotateArgs),
}

/// Flags of `keys rotate`.
#[derive(Args, Debug)]
pub struct RotateArgs {
    /// Whose key [default: the user's who calls]
    #[arg(long, value_name = "NAME")]
    pub user_name: Option<String>,
    /// Run this command with the new key before anything is switched; it must end with code 0
    #[arg(long, value_name = "CMD")]
    pub test: Option<String>,
    /// Where the new key goes: file:PATH#PROFILE or exec:CMD
    #[arg(long, value_name = "PLACE")]
    pub store: Place,
    /// How long the old key must be unused before it is made inactive
    #[arg(long, value_name = "TIME", default_value = "15m")]
    pub quiet_for: Span,
    /// How long this run waits for that at most [default: three times --quiet-for]
    #[arg(long, value_name = "TIME")]
    pub wait: Option<Span>,
    /// How long the old key stays inactive before it is deleted
    #[arg(long, value_name = "TIME", default_value = "7d")]
    pub grace: Span,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How to print: a line for each step, or one JSON object in the end
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
    /// Which server, with which key
    #[command(flatten)]
    pub access: AccessArgs,
}

pub(crate) fn run(command: &KeysCommand) -> anyhow::Result<()> {
    match command {
        KeysCommand::Rotate(args) => rotate::run(args),
    }
}
