//! `bailiwick policy summary`: what a policy, or a principal of an export, is granted of each service.

use std::fmt::Write as _;
use std::io::{Write as _, stdout};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bailiwick_analyzer::summary::{ServiceSummary, Summary, summary};
use bailiwick_catalog::Catalog;
use bailiwick_policy::{Document, DocumentKind};
use clap::Args;

use crate::check::File;
use crate::simulate::account::World;
use crate::simulate::fault::Fault;
use crate::{Format, terminal};

/// Flags of `policy summary`.
#[derive(Args, Debug)]
pub struct SummaryArgs {
    /// A policy file, the ARN or name of an AWS managed policy, or with --account the ARN of a user or
    /// role; `-` for standard input
    #[arg(value_name = "POLICY")]
    pub policy: String,
    /// The account export in which the principal is found (its pages in order)
    #[arg(long, value_name = "EXPORT", num_args = 1..)]
    pub account: Vec<PathBuf>,
    /// The file holds a policy of a resource
    #[arg(long, conflicts_with = "account")]
    pub resource_policy: bool,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
}

pub(crate) fn run(args: &SummaryArgs) -> anyhow::Result<()> {
    let found = summary(&documents(args)?);
    let mut out = stdout().lock();
    match args.format {
        Format::Json => {
            writeln!(out, "{}", terminal::json(&serde_json::to_string_pretty(&found)?))?;
        }
        Format::Table => out.write_all(table(&found).as_bytes())?,
    }
    out.flush()?;
    Ok(())
}

fn documents(args: &SummaryArgs) -> anyhow::Result<Vec<Document>> {
    let identity = DocumentKind::Identity;
    if !args.account.is_empty() {
        let world = Arc::new(World::read(&args.account)?);
        let setting = world.caller(&args.policy)?;
        return setting
            .policies
            .identity
            .iter()
            .map(|named| {
                let read = Document::parse(&named.text, identity);
                read.map_err(|error| {
                    let at = (error.line, error.column);
                    Fault::new(&named.label, &named.text, at, error.problem.to_string()).into()
                })
            })
            .collect();
    }
    let path = Path::new(&args.policy);
    let managed = Catalog::embedded().managed_policy(&args.policy);
    if let Some(managed) = managed.filter(|_| !path.exists()) {
        return Ok(vec![Document::parse(&managed.default_document(), identity)?]);
    }
    if args.policy.starts_with("arn:") && !path.exists() {
        anyhow::bail!(
            "`{}` is no AWS managed policy; give --account EXPORT for a user or role",
            args.policy
        );
    }
    let file = File::read(path)?;
    let kind = if args.resource_policy { DocumentKind::Resource } else { identity };
    let document = Document::parse(&file.text, kind).map_err(|error| {
        let at = (error.line, error.column);
        Fault::new(&file.name, &file.text, at, error.problem.to_string())
    })?;
    Ok(vec![document])
}

fn table(found: &Summary) -> String {
    let mut out = String::new();
    for (title, rows) in [("Deny", &found.deny), ("Allow", &found.allow)] {
        if rows.is_empty() {
            continue;
        }
        let _ = writeln!(out, "{title}: {} of {} services", rows.len(), found.services);
        let head = ["SERVICE", "ACCESS LEVEL", "RESOURCE", "REQUEST CONDITION"].map(str::to_owned);
        let lines: Vec<[String; 4]> = std::iter::once(head).chain(rows.iter().map(line)).collect();
        let widths: Vec<usize> = (0..3)
            .map(|at| {
                let cells = lines.iter().filter_map(|line| line.get(at));
                cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
            })
            .collect();
        for line in &lines {
            let mut text = String::from(" ");
            for (at, cell) in line.iter().enumerate() {
                let width = widths.get(at).copied().unwrap_or(0);
                let _ = write!(text, " {cell:<width$} ");
            }
            out.push_str(text.trim_end());
            out.push('\n');
        }
    }
    if found.allow.is_empty() {
        out.push_str("Nothing is allowed.\n");
    }
    if !found.unknown.is_empty() {
        let _ = writeln!(out, "Not known: {}", terminal::text(&found.unknown.join(", ")));
    }
    out
}

fn line(row: &ServiceSummary) -> [String; 4] {
    let levels = if row.full_access {
        "Full access".to_owned()
    } else {
        let part = |word: &str, levels: &[&str]| {
            (!levels.is_empty()).then(|| format!("{word}: {}", levels.join(", ")))
        };
        let parts = [part("Full", &row.full), part("Limited", &row.limited)];
        parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
    };
    let text = |text: &str| terminal::text(text);
    [format!("{} ({})", row.name, row.service), levels, text(&row.resource), text(&row.condition)]
}
