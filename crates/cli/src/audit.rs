//! `bailiwick audit`: what nobody uses, and keys that many use, on a live account through its API.

mod remove;
mod shared;
mod unused;

use clap::{Args, Subcommand};
use jiff::Timestamp;

use crate::Format;
use crate::access::AccessArgs;
use crate::iam::Span;

/// A verb that looks for what should not be there.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Credentials, roles, policies and groups that nobody uses
    #[command(after_help = "\
Examples:
  bailiwick audit unused --older-than 90d
  bailiwick audit unused --older-than 90d --format json > unused.json
  bailiwick audit unused --older-than 90d --apply --grace 30d      now and every week

What counts is the last use; the day it was made counts only for what was never used. --apply first
makes keys inactive and forbids roles everything, marks both and passwords, expired server
certificates and unattached policies with a tag `bailiwick:unused...` of the date, and on a run that
is --grace later deletes what still is unused. Groups and signing certificates have no tags and are
only told. Exit code 0: nothing is unused, or --apply has done what was due; 1: something is unused;
2: it could not be found out.")]
    Unused(UnusedArgs),
    /// Keys that seem to be used by several programs or people
    #[command(after_help = "\
Examples:
  bailiwick audit shared-keys --since 7d
  bailiwick audit shared-keys --since 1d --window 1h --networks 3

A key is told when the trail has it in one --window from --networks networks (/24, /48), or with
--agents programs, or in --regions regions. Exit code 0: there is none; 1: there are some.")]
    SharedKeys(SharedKeysArgs),
}

/// Flags of `audit unused`.
#[derive(Args, Debug)]
pub struct UnusedArgs {
    /// Unused for so long
    #[arg(long, value_name = "TIME", default_value = "90d")]
    pub older_than: Span,
    /// Deactivate what is unused, and delete what was deactivated --grace ago
    #[arg(long)]
    pub apply: bool,
    /// How long what is deactivated stays before it is deleted
    #[arg(long, value_name = "TIME", default_value = "30d")]
    pub grace: Span,
    /// Judge as of this instant, in RFC 3339 [default: now]
    #[arg(long, value_name = "INSTANT")]
    pub as_of: Option<Timestamp>,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
    /// Which server, with which key
    #[command(flatten)]
    pub access: AccessArgs,
}

/// Flags of `audit shared-keys`.
#[derive(Args, Debug)]
pub struct SharedKeysArgs {
    /// Look at the events of so long
    #[arg(long, value_name = "TIME", default_value = "7d")]
    pub since: Span,
    /// At once means within so long
    #[arg(long, value_name = "TIME", default_value = "10m")]
    pub window: Span,
    /// So many networks are too many
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(2..))]
    pub networks: u32,
    /// So many programs are too many
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(2..))]
    pub agents: u32,
    /// So many regions are too many
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(2..))]
    pub regions: u32,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
    /// Which server, with which key
    #[command(flatten)]
    pub access: AccessArgs,
}

pub(crate) fn run(command: &AuditCommand) -> anyhow::Result<()> {
    match command {
        AuditCommand::Unused(args) => unused::run(args),
        AuditCommand::SharedKeys(args) => shared::run(args),
    }
}
