//! `bailiwick access-matrix`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Write as _, stdout};
use std::path::Path;

use anyhow::{anyhow, bail};
use bailiwick_analyzer::reach::{Cell, Certainty, Extent, Reach};
use clap::Args;
use serde_json::json;

use super::world::{WorldArgs, end, tell, unreadable};
use super::{Rows, csv};
use crate::simulate::fault::{Findings, read};
use crate::terminal;

/// The longest list of resources, in bytes.
const MAX_LIST: u64 = 4 << 20;

/// Flags of `access-matrix`.
#[derive(Args, Debug)]
pub struct MatrixArgs {
    /// Where the account comes from
    #[command(flatten)]
    pub world: WorldArgs,
    /// The resources: ARNs, patterns of ARNs, or files with one a line
    #[arg(long, value_name = "FILE|ARN", num_args = 1.., required_unless_present = "services")]
    pub resources: Vec<String>,
    /// The actions, or patterns of them
    #[arg(long, value_name = "ACTION", num_args = 1.., required_unless_present = "services")]
    pub actions: Vec<String>,
    /// Services in place of resources: which access levels does who have of each?
    #[arg(long, value_name = "SERVICE", num_args = 1.., conflicts_with_all = ["resources", "actions"])]
    pub services: Vec<String>,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Rows,
}

/// Who by what.
pub(crate) fn run(args: &MatrixArgs) -> anyhow::Result<()> {
    let resources = resources(&args.resources)?;
    let (estate, notes) = args.world.read()?;
    let unreadable = unreadable(&estate.account);
    let reach = Reach::new(&estate);
    let cells = if args.services.is_empty() {
        reach.matrix(&args.actions, &resources)
    } else {
        reach.levels(&args.services)
    }
    .map_err(|error| anyhow!(error))?;
    let columns = if args.services.is_empty() { &resources } else { &args.services };
    let mut out = stdout().lock();
    match args.format {
        Rows::Table => {
            tell(&notes);
            for line in table(columns, &cells).lines() {
                writeln!(out, "{}", terminal::text(line))?;
            }
        }
        Rows::Json => {
            let text = format!("{:#}", json!({"cells": cells, "notes": notes}));
            writeln!(out, "{}", terminal::json(&text))?;
        }
        Rows::Csv => {
            tell(&notes);
            let head = ["principal".to_owned()].into_iter().chain(columns.iter().cloned());
            let mut text = csv::row(head);
            for (principal, row) in rows(columns, &cells) {
                text += &csv::row([principal.to_owned()].into_iter().chain(row));
            }
            out.write_all(text.as_bytes())?;
        }
    }
    out.flush()?;
    let done =
        if cells.iter().all(|cell| cell.marks.is_empty()) { Err(Findings.into()) } else { Ok(()) };
    end(unreadable, done)
}

/// The resources, those of files among them.
fn resources(given: &[String]) -> anyhow::Result<Vec<String>> {
    let mut out = Vec::new();
    for entry in given {
        if entry == "*" || entry.starts_with("arn:") {
            out.push(entry.clone());
            continue;
        }
        let text = read(Path::new(entry), MAX_LIST)?;
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if line != "*" && !line.starts_with("arn:") {
                bail!("{entry}:{}:1: `{line}` is no ARN", at + 1);
            }
            out.push(line.to_owned());
        }
    }
    Ok(out)
}

/// The principals with what they can do of each column, in the order of the columns.
fn rows<'c>(columns: &[String], cells: &'c [Cell]) -> Vec<(&'c str, Vec<String>)> {
    let mut order: Vec<&str> = Vec::new();
    let mut found: BTreeMap<(&str, &str), String> = BTreeMap::new();
    for cell in cells {
        if found.insert((&cell.principal, &cell.of), marks(cell)).is_none()
            && cell.of == columns.first().map_or("", String::as_str)
        {
            order.push(&cell.principal);
        }
    }
    order
        .into_iter()
        .map(|principal| {
            let row = columns
                .iter()
                .map(|of| found.get(&(principal, of.as_str())).cloned().unwrap_or_default());
            (principal, row.collect())
        })
        .collect()
}

/// `GetObject ListBucket?`: a question mark where it hangs on the request or on which resource.
fn marks(cell: &Cell) -> String {
    let marks = cell.marks.iter().map(|mark| {
        let name = mark.name.rsplit(':').next().unwrap_or(&mark.name);
        let sure = mark.certainty == Certainty::Always && mark.extent == Extent::All;
        format!("{name}{}", if sure { "" } else { "?" })
    });
    marks.collect::<Vec<_>>().join(" | ")
}

fn table(columns: &[String], cells: &[Cell]) -> String {
    let mut out = String::new();
    for (at, column) in columns.iter().enumerate() {
        let _ = writeln!(out, "[{}] {column}", at + 1);
    }
    out.push('\n');
    let rows = rows(columns, cells);
    let widths: Vec<usize> = (0..columns.len())
        .map(|at| {
            let longest = rows.iter().filter_map(|(_, row)| row.get(at)).map(|c| c.chars().count());
            longest.max().unwrap_or(0).max(3)
        })
        .collect();
    let first = rows.iter().map(|(principal, _)| principal.chars().count()).max().unwrap_or(9);
    let _ = write!(out, "{:<first$}", "principal");
    for (at, width) in widths.iter().enumerate() {
        let _ = write!(out, "  {:<width$}", format!("[{}]", at + 1));
    }
    out.push('\n');
    let mut empty = 0;
    for (principal, row) in &rows {
        if row.iter().all(String::is_empty) {
            empty += 1;
            continue;
        }
        let _ = write!(out, "{principal:<first$}");
        for (cell, width) in row.iter().zip(&widths) {
            let shown = if cell.is_empty() { "-" } else { cell };
            let _ = write!(out, "  {shown:<width$}");
        }
        out.push('\n');
    }
    let _ = writeln!(
        out,
        "\n{empty} more principals can do none of it. `?`: only in some requests, or on some of it."
    );
    out.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}
