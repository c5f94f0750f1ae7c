//! `bailiwick audit toxic` and `bailiwick check toxic`: duties that one principal must not hold
//! together.

use std::io::{Write as _, stdout};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{anyhow, bail};
use bailiwick_analyzer::estate::Estate;
use bailiwick_analyzer::toxic::{Held, Report, Rule, attached, built_in, check, pairs};
use bailiwick_identifiers::Arn;
use bailiwick_model::{Found, document};
use bailiwick_policy::{Document, DocumentKind, Source, SourceKind};
use clap::Args;
use jiff::Timestamp;
use serde::Deserialize;

use super::given;
use crate::simulate::fault::{Fault, Findings, read};
use crate::suite::yaml;
use crate::{Format, clock, terminal};

/// The longest file of rules, in bytes.
const MAX_RULES: u64 = 4 << 20;
/// The longest policy, in bytes.
const MAX_POLICY: u64 = 1 << 20;

/// Flags of `audit toxic`.
#[derive(Args, Debug)]
pub struct ToxicArgs {
    /// A folder as for `bailiwick audit`, or files: authorization details (pages in their order)
    #[arg(value_name = "FOLDER|FILE", required = true)]
    pub paths: Vec<PathBuf>,
    /// Which duties to hold apart
    #[command(flatten)]
    pub rules: RuleArgs,
}

/// Flags of `check toxic`.
#[derive(Args, Debug)]
pub struct CheckToxicArgs {
    /// A folder as for `bailiwick audit`, or files: authorization details (pages in their order)
    #[arg(value_name = "FOLDER|FILE", required = true)]
    pub paths: Vec<PathBuf>,
    /// The policy that is to be attached: a file, or the ARN of a managed policy (repeat)
    #[arg(long, value_name = "POLICY", required = true)]
    pub attach: Vec<String>,
    /// To this user, group or role
    #[arg(long, value_name = "ARN")]
    pub to: String,
    /// Which duties to hold apart
    #[command(flatten)]
    pub rules: RuleArgs,
}

/// The rules, and how to tell.
#[derive(Args, Debug)]
pub struct RuleArgs {
    /// Rules in YAML or JSON, in place of the built-in ones
    #[arg(long, value_name = "FILE")]
    pub rules: Option<PathBuf>,
    /// The built-in rules beside those of --rules
    #[arg(long, requires = "rules")]
    pub built_in: bool,
    /// Judge as of this instant, in RFC 3339 [default: now]
    #[arg(long, value_name = "INSTANT")]
    pub as_of: Option<Timestamp>,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
}

pub(super) fn run(args: &ToxicArgs) -> anyhow::Result<()> {
    let rules = rules(&args.rules)?;
    let evidence = given::evidence(&args.paths)?;
    let report = pairs(&evidence.estate, &rules, Some(now(&args.rules)));
    print(&report, args.rules.format, None)?;
    given::whole(&evidence)?;
    if report.pairs.is_empty() { Ok(()) } else { Err(Findings.into()) }
}

pub(crate) fn run_check(args: &CheckToxicArgs) -> anyhow::Result<()> {
    let rules = rules(&args.rules)?;
    let evidence = given::evidence(&args.paths)?;
    let policies = args.attach.iter().map(|entry| policy(&evidence.estate, entry));
    let policies = policies.collect::<anyhow::Result<Vec<Found>>>()?;
    let now = Some(now(&args.rules));
    let Some(report) = attached(&evidence.estate, &rules, &args.to, &policies, now) else {
        bail!("the account has no user, group or role `{}`", args.to);
    };
    print(&report, args.rules.format, Some(args))?;
    given::whole(&evidence)?;
    if report.pairs.is_empty() { Ok(()) } else { Err(Findings.into()) }
}

fn now(args: &RuleArgs) -> Timestamp {
    args.as_of.unwrap_or_else(clock::now)
}

/// A policy from a file, or one that the account knows.
fn policy(estate: &Estate, entry: &str) -> anyhow::Result<Found> {
    if entry.starts_with("arn:") {
        let arn: Arn = entry.parse().map_err(|_| anyhow!("`{entry}` is not an ARN"))?;
        let found = document(&estate.account, &estate.managed, &arn);
        let found = found.ok_or_else(|| anyhow!("no policy `{entry}` is known"))?;
        return Ok(Found {
            source: Source::managed(entry, SourceKind::UserManaged),
            document: found,
        });
    }
    let text = read(Path::new(entry), MAX_POLICY)?;
    let document = Document::parse(&text, DocumentKind::Identity)
        .map_err(|error| anyhow!("{entry}: {error}"))?;
    Ok(Found { source: Source::new(entry, SourceKind::UserInline), document: Arc::new(document) })
}

/// The rules of a file: a list, or an object with the list under `rules`.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a list of rules, or an object with `rules`")]
enum File {
    List(Vec<Rule>),
    Object { rules: Vec<Rule> },
}

fn rules(args: &RuleArgs) -> anyhow::Result<Vec<Rule>> {
    let Some(path) = &args.rules else { return Ok(built_in()) };
    let name = path.display().to_string();
    let text = read(path, MAX_RULES)?;
    // JSON is YAML too, and its places are the same.
    let json = yaml::parse(&name, &text)?.to_json();
    let file: File =
        serde_json::from_str(&json).map_err(|error| Fault::json(&name, &text, &error))?;
    let (File::List(mut rules) | File::Object { mut rules }) = file;
    if args.built_in {
        rules.extend(built_in());
    }
    check(&rules).map_err(|error| anyhow!("{name}: {error}"))?;
    Ok(rules)
}

fn print(report: &Report, format: Format, tried: Option<&CheckToxicArgs>) -> anyhow::Result<()> {
    let mut out = std::io::BufWriter::new(stdout().lock());
    if format == Format::Json {
        writeln!(out, "{}", terminal::json(&serde_json::to_string_pretty(report)?))?;
        out.flush()?;
        return Ok(());
    }
    match tried {
        None => writeln!(
            out,
            "account {}: {} rules over {} users and roles; {} pairs are held together, and {} \
             administrators hold all",
            report.account,
            report.rules.len(),
            report.principals,
            report.pairs.len(),
            report.administrators.len(),
        )?,
        Some(args) => writeln!(
            out,
            "{} on {}: {} pairs that are not held together now",
            terminal::text(&args.attach.join(" and ")),
            terminal::text(&args.to),
            report.pairs.len(),
        )?,
    }
    for pair in &report.pairs {
        writeln!(
            out,
            "\n{}  {}\n  {} and {}: {}",
            terminal::text(&pair.rule),
            terminal::text(&pair.principal),
            terminal::text(&pair.one.duty),
            terminal::text(&pair.other.duty),
            terminal::text(&pair.reason)
        )?;
        for held in [&pair.one, &pair.other] {
            writeln!(out, "    {}", terminal::text(&told(held)))?;
        }
    }
    out.flush()?;
    Ok(())
}

fn told(held: &Held) -> String {
    let mut text = format!("{} on {}", held.action, held.resource);
    if !held.by.is_empty() {
        text.extend([", by ", &held.by.join(", ")]);
    }
    if !held.through.is_empty() {
        text.extend([", as ", &held.through.join(", then ")]);
    }
    if !held.on.is_empty() {
        let on: Vec<String> = held.on.iter().map(ToString::to_string).collect();
        text.extend([", if ", &on.join(" and ")]);
    }
    text
}
