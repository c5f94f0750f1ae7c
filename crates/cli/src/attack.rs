//! `bailiwick attack`: techniques played step by step, on files or on a throw-away account.

mod lab;
mod live;
mod show;

use std::io::{Write as _, stdout};
use std::path::PathBuf;

use anyhow::bail;
use bailiwick_analyzer::attack::{Options, run as play, techniques};
use bailiwick_identifiers::AccountId;
use clap::{Args, Subcommand};
use jiff::Timestamp;

use crate::access::{Access, AccessArgs};
use crate::audit::given;
use crate::simulate::fault::Findings;
use crate::{Format, clock, terminal};

/// A verb on attacks.
#[derive(Debug, Subcommand)]
pub enum AttackCommand {
    /// Play techniques from principals of an account, and say how far each gets
    #[command(after_help = "\
Examples:
  bailiwick attack run --all audit/
  bailiwick attack run --all details.json --from arn:aws:iam::123456789012:user/ci
  bailiwick attack run --technique ESC-049 --technique EVA-001 audit/ --format json
  bailiwick attack run --all --live --endpoint http://127.0.0.1:4680 \\
      --throw-away-account 123456789012

Nothing is changed: each step is a request that the decision engine decides, and what a step would
change is laid over a copy. `reached`: every step works as things are; `conditional`: under
conditions that are told; `blocked`: by which policy. Administrators are played only by --from.

--live makes users, groups, roles and policies named bailiwick-attack-..., plays the techniques that
are calls of IAM and STS alone with an attacker's own key, and takes all of it away again. It does so
only where --throw-away-account is the account of the key. Exit code 0: nothing is reached; 1:
something is, if only under conditions; 2: bad input, or a technique could not be played to its end.")]
    Run(Box<AttackRunArgs>),
    /// The techniques
    #[command(after_help = "\
Examples:
  bailiwick attack list
  bailiwick attack list --count
  bailiwick attack list --service ec2 --format json")]
    List(AttackListArgs),
}

/// Flags of `attack run`.
#[derive(Args, Debug)]
pub struct AttackRunArgs {
    /// A folder as for `bailiwick audit`, or files: authorization details (pages in their order)
    #[arg(value_name = "FOLDER|FILE", required_unless_present = "live", conflicts_with = "live")]
    pub paths: Vec<PathBuf>,
    /// Play all techniques
    #[arg(long, required_unless_present = "technique", conflicts_with = "technique")]
    pub all: bool,
    /// Play this technique, such as ESC-049 (repeat)
    #[arg(long, value_name = "ID")]
    pub technique: Vec<String>,
    /// From this user or role (repeat) [default: everyone but administrators]
    #[arg(long, value_name = "ARN", conflicts_with = "live")]
    pub from: Vec<String>,
    /// Play with signed calls, by attackers that are made for it and taken away again
    #[arg(long, requires = "throw_away_account")]
    pub live: bool,
    /// The account that --live may do this in: it must be that of the key
    #[arg(long, value_name = "ID", requires = "live")]
    pub throw_away_account: Option<AccountId>,
    /// A permissions boundary for every attacker of --live, to see whether it holds
    #[arg(long, value_name = "ARN", requires = "live")]
    pub boundary: Option<String>,
    /// The server's address for --live, before all else
    #[arg(long, value_name = "URL", requires = "live", conflicts_with = "endpoint_url")]
    pub endpoint: Option<String>,
    /// Which server, with which key
    #[command(flatten)]
    pub access: AccessArgs,
    /// Play as of this instant, in RFC 3339 [default: now]
    #[arg(long, value_name = "INSTANT", conflicts_with = "live")]
    pub as_of: Option<Timestamp>,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
}

/// Flags of `attack list`.
#[derive(Args, Debug)]
pub struct AttackListArgs {
    /// Print how many there are
    #[arg(long)]
    pub count: bool,
    /// Only those that go through this service, by the prefix of its actions
    #[arg(long, value_name = "PREFIX")]
    pub service: Option<String>,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
}

pub(crate) fn run(command: &AttackCommand) -> anyhow::Result<()> {
    match command {
        AttackCommand::Run(args) => match &args.throw_away_account {
            Some(account) if args.live => on_server(args, *account),
            _ => on_files(args),
        },
        AttackCommand::List(args) => list(args),
    }
}

fn on_server(args: &AttackRunArgs, account: AccountId) -> anyhow::Result<()> {
    known(&args.technique)?;
    let mut found = args.access.clone();
    if args.endpoint.is_some() {
        found.endpoint_url.clone_from(&args.endpoint);
    }
    let access = Access::find(&found, |name| std::env::var(name).ok())?;
    let boundary = args.boundary.as_deref();
    live::run(&access, &account.to_string(), boundary, &args.technique, args.format)
}

fn on_files(args: &AttackRunArgs) -> anyhow::Result<()> {
    known(&args.technique)?;
    let evidence = given::evidence(&args.paths)?;
    let account = &evidence.estate.account;
    for from in &args.from {
        let found = from.parse().ok().is_some_and(|arn| {
            account.user_with_arn(&arn).is_some() || account.role_with_arn(&arn).is_some()
        });
        if !found {
            bail!("the account has no user or role `{from}`");
        }
    }
    let options = Options {
        from: args.from.clone(),
        techniques: args.technique.clone(),
        now: Some(args.as_of.unwrap_or_else(clock::now)),
    };
    let report = play(&evidence.estate, &options);
    let mut out = std::io::BufWriter::new(stdout().lock());
    match args.format {
        Format::Table => show::report(&mut out, &report, !args.from.is_empty())?,
        Format::Json => {
            writeln!(out, "{}", terminal::json(&serde_json::to_string_pretty(&report)?))?;
        }
    }
    out.flush()?;
    drop(out);
    given::whole(&evidence)?;
    let reached = report.techniques.iter().any(|tally| tally.reached + tally.conditional > 0);
    if reached { Err(Findings.into()) } else { Ok(()) }
}

fn known(ids: &[String]) -> anyhow::Result<()> {
    let all = techniques();
    for id in ids {
        if !all.iter().any(|technique| technique.id.eq_ignore_ascii_case(id)) {
            bail!("there is no technique `{id}`: `bailiwick attack list` has them");
        }
    }
    Ok(())
}

fn list(args: &AttackListArgs) -> anyhow::Result<()> {
    let mut all = techniques();
    if let Some(service) = &args.service {
        all.retain(|technique| technique.services.iter().any(|held| held == service));
    }
    let mut out = stdout().lock();
    if args.count {
        writeln!(out, "{}", all.len())?;
        return Ok(());
    }
    match args.format {
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&all)?)?,
        Format::Table => {
            for technique in &all {
                writeln!(
                    out,
                    "{}  {:<11}  {}: {}",
                    technique.id,
                    technique.tactic.name(),
                    technique.title,
                    technique.actions.join(" + ")
                )?;
            }
        }
    }
    Ok(())
}
