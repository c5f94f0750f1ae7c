//! `bailiwick escalate`: who of an account export becomes administrator, step by step.

mod html;
mod show;
mod svg;

use std::io::{Write as _, stderr, stdout};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{anyhow, bail};
use bailiwick_analyzer::escalation::{Goal, Options, Report, escalations};
use bailiwick_analyzer::estate::{Estate, Organization};
use bailiwick_identifiers::Arn;
use bailiwick_model::Found;
use bailiwick_policy::{Document, DocumentKind, Effect, Source, SourceKind};
use clap::{Args, ValueEnum};

use crate::audit::import::ServerArgs;
use crate::reach::{end, unreadable};
use crate::simulate::fault::Findings;
use crate::{clock, simulate, terminal};

/// How findings are printed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum EscalateFormat {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
    /// For Graphviz.
    Dot,
    /// A picture: the graph in columns, from left to right towards the goal.
    Svg,
    /// One page for a browser, with the graph and a table, which asks for nothing outside itself.
    Html,
}

/// Flags of `escalate`.
#[derive(Args, Debug)]
pub struct EscalateArgs {
    /// An account export: one file, or its pages in order
    #[arg(value_name = "EXPORT", required_unless_present = "server", conflicts_with = "server")]
    pub export: Vec<PathBuf>,
    /// Only from this user or role
    #[arg(long, value_name = "ARN")]
    pub from: Option<String>,
    /// To whom: `admin`, or the ARN of a user or role
    #[arg(long, value_name = "admin|ARN", default_value = "admin")]
    pub to: String,
    /// Service control policies, root first, each a level; several of one level as LEVEL=FILE
    #[arg(long, value_name = "[LEVEL=]FILE", num_args = 1..)]
    pub scp: Vec<String>,
    /// Resource control policies, in the same way
    #[arg(long, value_name = "[LEVEL=]FILE", num_args = 1..)]
    pub rcp: Vec<String>,
    /// The organization's id, `o-...`
    #[arg(long, value_name = "ID")]
    pub organization: Option<String>,
    /// The account is the organization's management account, which SCPs and RCPs do not bind
    #[arg(long)]
    pub management_account: bool,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: EscalateFormat,
    /// A live account in place of an export
    #[command(flatten)]
    pub server: ServerArgs,
}

pub(crate) fn run(args: &EscalateArgs) -> anyhow::Result<()> {
    let world = args.server.world(&args.export)?;
    for note in &world.notes {
        let _ = writeln!(stderr(), "note: {}", terminal::text(note));
    }
    let (account, managed, _) = world.into_parts();
    let known = |text: &str| -> anyhow::Result<()> {
        let arn: Arn = text.parse().map_err(|_| anyhow!("`{text}` is not an ARN"))?;
        if account.user_with_arn(&arn).is_none() && account.role_with_arn(&arn).is_none() {
            bail!("the export has no user or role `{text}`");
        }
        Ok(())
    };
    if let Some(from) = &args.from {
        known(from)?;
    }
    let to = if args.to == "admin" {
        Goal::Administrator
    } else {
        known(&args.to)?;
        Goal::Principal(args.to.clone())
    };
    let unreadable = unreadable(&account);
    let mut estate = Estate::new(account, managed);
    estate.organization = organization(args)?;
    let options = Options { from: args.from.clone(), to, now: Some(clock::now()) };
    let report = escalations(&estate, &options);
    print(args, &report)?;
    let done = if report.findings.is_empty() { Ok(()) } else { Err(Findings.into()) };
    end(unreadable, done)
}

fn print(args: &EscalateArgs, report: &Report) -> anyhow::Result<()> {
    let mut out = std::io::BufWriter::new(stdout().lock());
    match args.format {
        EscalateFormat::Table => show::table(&mut out, report)?,
        EscalateFormat::Json => {
            let text = serde_json::to_string_pretty(report)?;
            writeln!(out, "{}", terminal::json(&text))?;
        }
        EscalateFormat::Dot => show::dot(&mut out, report)?,
        EscalateFormat::Svg => svg::picture(&mut out, report)?,
        EscalateFormat::Html => html::page(&mut out, report, &args.to)?,
    }
    out.flush()?;
    Ok(())
}

/// The organization's policies; nothing where none are given.
fn organization(args: &EscalateArgs) -> anyhow::Result<Option<Organization>> {
    if args.scp.is_empty()
        && args.rcp.is_empty()
        && args.organization.is_none()
        && !args.management_account
    {
        return Ok(None);
    }
    let read = |entries: &[String], kind, source: &SourceKind| -> anyhow::Result<Vec<Vec<Found>>> {
        let mut levels = Vec::new();
        for level in simulate::levels(entries, kind)? {
            let mut policies = Vec::new();
            for named in level {
                let document = Document::parse(&named.text, kind)
                    .map_err(|error| anyhow!("{}: {error}", named.label))?;
                let source = Source::new(Arc::clone(&named.label), source.clone());
                policies.push(Found { source, document: Arc::new(document) });
            }
            levels.push(policies);
        }
        Ok(levels)
    };
    let scps = read(&args.scp, DocumentKind::ServiceControl, &SourceKind::Scp)?;
    for level in &scps {
        let mut statements = level.iter().flat_map(|found| found.document.statements());
        if !statements.any(|statement| statement.effect() == Effect::Allow) {
            let name = level.first().map(|found| found.source.id.to_string()).unwrap_or_default();
            let _ = writeln!(
                stderr(),
                "note: the SCPs of the level of {} allow nothing, so nothing is allowed below it; \
                 AWS attaches FullAWSAccess to every level",
                terminal::text(&name)
            );
        }
    }
    Ok(Some(Organization {
        id: args.organization.clone(),
        management: args.management_account,
        scps,
        rcps: read(&args.rcp, DocumentKind::ResourceControl, &SourceKind::Rcp)?,
        ..Organization::default()
    }))
}
