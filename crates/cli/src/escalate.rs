//! `bailiwick escalate`: who of an account export becomes administrator, step by step.

mod html;
mod show;

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

use crate::simulate::account::World;
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
    /// A page of its own, with the graph and a table.
    Html,
}

/// Flags of `escalate`.
#[derive(Args, Debug)]
pub struct EscalateArgs {
    /// An account export: one file, or its pages in order
    #[arg(value_name = "EXPORT", required = true)]
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
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: EscalateFormat,
}

pub(crate) fn run(args: &EscalateArgs) -> anyhow::Result<()> {
    let world = World::read(&args.export)?;
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
    let mut estate = Estate::new(account, managed);
    estate.organization = organization(args)?;
    let options = Options { from: args.from.clone(), to, now: Some(clock::now()) };
    let report = escalations(&estate, &options);
    print(args.format, &report)?;
    if report.findings.is_empty() { Ok(()) } else { Err(Findings.into()) }
}

fn print(format: EscalateFormat, report: &Report) -> anyhow::Result<()> {
    let mut out = std::io::BufWriter::new(stdout().lock());
    match format {
        EscalateFormat::Table => show::table(&mut out, report)?,
        EscalateFormat::Json => {
            let text = serde_json::to_string_pretty(report)?;
            writeln!(out, "{}", terminal::json(&text))?;
        }
        EscalateFormat::Dot => show::dot(&mut out, report)?,
        EscalateFormat::Html => html::page(&mut out, report)?,
    }
    out.flush()?;
    Ok(())
}

/// The organization's policies; nothing where none are given.
fn organization(args: &EscalateArgs) -> anyhow::Result<Option<Organization>> {
    if args.scp.is_empty() && args.rcp.is_empty() && args.organization.is_none() {
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
        scps,
        rcps: read(&args.rcp, DocumentKind::ResourceControl, &SourceKind::Rcp)?,
        ..Organization::default()
    }))
}
