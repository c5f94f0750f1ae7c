//! `bailiwick audit`: posture from files, and, on a live account through its API, what nobody uses
//! and keys that many use.

mod checks;
mod collect;
mod fix;
mod folder;
pub(crate) mod given;
mod html;
pub(crate) mod import;
mod overprivileged;
mod posture;
mod remove;
mod shared;
mod show;
mod toxic;
mod unused;
mod validate;
mod write;

pub use fix::{FixArgs, FixFormat};
pub use overprivileged::OverprivilegedArgs;
pub(crate) use toxic::run_check;
pub use toxic::{CheckToxicArgs, RuleArgs, ToxicArgs};

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use jiff::Timestamp;

use crate::Format;
use crate::access::AccessArgs;
use crate::iam::Span;
use crate::trail::EventsArgs;

pub(crate) use folder::{Loaded, load};
use import::ServerArgs;
pub(crate) use posture::{parse, settings, tell};
use validate::ValidateAllArgs;

/// What to audit, or a verb.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
pub struct AuditArgs {
    /// A verb in place of files
    #[command(subcommand)]
    pub verb: Option<AuditCommand>,
    /// What to look at
    #[command(flatten)]
    pub object: ObjectArgs,
    /// An earlier report (`--format json`): say what is new and what is fixed
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: AuditFormat,
}

/// What an audit looks at, and by what it judges.
#[derive(Args, Debug)]
pub struct ObjectArgs {
    /// A folder as the collecting script makes it, or files: authorization details (pages in their
    /// order), a credential report and so on
    #[arg(
        value_name = "FOLDER|FILE",
        required_unless_present = "server",
        conflicts_with = "server"
    )]
    pub paths: Vec<PathBuf>,
    /// The events of a trail: a folder of its files [default: FOLDER/events]
    #[arg(long, value_name = "FOLDER|FILE")]
    pub events: Vec<PathBuf>,
    /// Limits, lists and exceptions, in TOML
    #[arg(long, value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// Judge as of this instant, in RFC 3339 [default: now]
    #[arg(long, value_name = "INSTANT")]
    pub as_of: Option<Timestamp>,
    /// A live account in place of files
    #[command(flatten)]
    pub server: ServerArgs,
}

/// How an audit is printed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum AuditFormat {
    /// A summary for people.
    #[default]
    Table,
    /// The whole report, which can be a baseline.
    Json,
    /// A line for each finding.
    Csv,
    /// For code hosts: SARIF 2.1.0.
    Sarif,
    /// Compliance findings of the Open Cybersecurity Schema Framework 1.3, one JSON object a line.
    Ocsf,
    /// One page for a browser, which asks for nothing outside itself.
    Html,
}

/// Flags of `audit collect`.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("what").required(true).multiple(false).args(["script", "policy", "run"]))]
pub struct CollectArgs {
    /// Print a shell script of read-only AWS CLI calls that makes the folder
    #[arg(long)]
    pub script: bool,
    /// Print the least policy with which the script can do its work
    #[arg(long)]
    pub policy: bool,
    /// Ask a server of this program, and write what it answers into a new folder
    #[arg(long, value_name = "FOLDER")]
    pub run: Option<PathBuf>,
    /// Which server, with which key
    #[command(flatten)]
    pub access: AccessArgs,
}

/// Flags of `audit checks`.
#[derive(Args, Debug)]
pub struct ChecksArgs {
    /// Print how many there are
    #[arg(long)]
    pub count: bool,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
}

/// A verb that looks for what should not be there.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// The checks of an audit, with the controls that they serve
    #[command(after_help = "\
Examples:
  bailiwick audit checks
  bailiwick audit checks --count
  bailiwick audit checks --format json")]
    Checks(ChecksArgs),
    /// How to gather the files of an audit
    #[command(after_help = "\
Examples:
  bailiwick audit collect --script > collect.sh
  sh collect.sh audit                                  with the credentials of the AWS CLI
  bailiwick audit collect --policy > collect-policy.json
  bailiwick audit collect --run audit                  a server of this program, without the AWS CLI

The script only reads. What it may not read it writes down as such, and the audit says so.")]
    Collect(CollectArgs),
    /// What the events of a trail say: who used what, how often, and when last
    #[command(after_help = "\
Examples:
  bailiwick audit events trail/
  bailiwick audit events trail/ --actions --principal role/deploy
  bailiwick audit events trail/ --denied --format csv > denied.csv

The folder may be a copy of a trail's bucket, of any depth; digests and insights are counted and passed
over. Names of events are told as the actions of policies. Exit code 2: some events could not be read.")]
    Events(EventsArgs),
    /// How findings are mended: as a change of the policy, as commands, for Terraform, and what that would
    /// break
    #[command(after_help = "\
Examples:
  bailiwick audit fix audit/ --check EFF-02
  bailiwick audit fix audit/ --finding 3f0c5d8a91b2e4f6a7c8d9e0 --events trail/
  bailiwick audit fix audit/ --principal arn:aws:iam::123456789012:role/ci --format json
  bailiwick audit fix audit/ --check POL-01 --format terraform > fixes.tf

With events, the observed calls of everybody whose permissions a fix touches are replayed under the
changed policies: `breaks 0 of 1,204 observed calls`. Exit code 0: there is nothing to mend; 1: there
is; 2: bad input.")]
    Fix(FixArgs),
    /// Who has more than it uses, and what that could do
    #[command(after_help = "\
Examples:
  bailiwick audit overprivileged audit/
  bailiwick audit overprivileged audit/ --top 10
  bailiwick audit overprivileged audit/ --format json

Granted counts actions within boundary and SCPs; used is the folder's last-accessed data (a question
mark where there are none). The radius is 0 to 100: 100 for who is administrator or becomes it. Exit
code 0: nobody is known to have more than it uses; 1: somebody has, or gets to administrator; 2: bad input.")]
    Overprivileged(OverprivilegedArgs),
    /// Who holds duties that are to be held apart, as some role if not by itself
    #[command(after_help = "\
Examples:
  bailiwick audit toxic audit/
  bailiwick audit toxic details.json --rules duties.yaml
  bailiwick audit toxic audit/ --rules duties.yaml --built-in --format json

A rule is {id, one: {name, actions}, other: {name, actions}, reason}. What counts is what the engine
allows, with groups, boundaries, SCPs and the roles that can be assumed. Administrators hold all and
are no findings. Exit code 0: no pair is held together; 1: some are; 2: bad input.")]
    Toxic(ToxicArgs),
    /// What is wrong with every policy of whole accounts
    #[command(after_help = "\
Examples:
  bailiwick audit validate --all                       a live account, with your own key
  bailiwick audit validate --all audit/                a folder that the script has made
  bailiwick audit validate --all one/ two/ --format json > policies.json
  bailiwick audit validate --all details.json --format sarif --fail-on error

Managed policies (the version in force), inline ones, trust policies, boundaries, resource policies,
SCPs, RCPs and permission sets, each as ValidatePolicy takes its type. Exit code 0: nothing grave; 1: an
error or a security warning (--fail-on sets from where on); 2: something could not be validated, which
does not keep the rest from it.")]
    Validate(ValidateAllArgs),
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

pub(crate) fn run(args: &AuditArgs) -> anyhow::Result<()> {
    let Some(command) = &args.verb else { return posture::run(args) };
    match command {
        AuditCommand::Checks(args) => checks::run(args),
        AuditCommand::Collect(args) => collect::run(args),
        AuditCommand::Events(args) => crate::trail::run(args),
        AuditCommand::Fix(args) => fix::run(args),
        AuditCommand::Overprivileged(args) => overprivileged::run(args),
        AuditCommand::Toxic(args) => toxic::run(args),
        AuditCommand::Validate(args) => validate::run(args),
        AuditCommand::Unused(args) => unused::run(args),
        AuditCommand::SharedKeys(args) => shared::run(args),
    }
}
