//! `bailiwick audit events`: what the events of a trail say together.

#![allow(clippy::similar_names, reason = "uses, and what was used, are the words of the field")]

use std::collections::BTreeMap;
use std::io::{BufWriter, Write, stdout};
use std::path::PathBuf;

use anyhow::bail;
use bailiwick_analyzer::trail::{Action, Used, Uses};
use clap::Args;
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use crate::reach::{Rows, csv};
use crate::terminal;

/// Flags of `audit events`.
#[derive(Args, Debug)]
pub struct EventsArgs {
    /// Folders and files of a trail: `.json.gz`, `.json`, one event a line
    #[arg(value_name = "FOLDER|FILE", required = true)]
    pub paths: Vec<PathBuf>,
    /// Only principals whose name holds this text
    #[arg(long, value_name = "TEXT")]
    pub principal: Option<String>,
    /// Calls that were refused in place of those that were not
    #[arg(long, conflicts_with = "keys")]
    pub denied: bool,
    /// Long-term access keys in place of principals
    #[arg(long)]
    pub keys: bool,
    /// Each action on a line of its own in place of services
    #[arg(long)]
    pub actions: bool,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Rows,
}

pub(crate) fn run(args: &EventsArgs) -> anyhow::Result<()> {
    let (uses, scan) = super::uses(&args.paths)?;
    let mut used = match (args.denied, args.keys) {
        (true, _) => uses.denied(),
        (_, true) => uses.keys(),
        _ => uses.used(),
    };
    if let Some(text) = &args.principal {
        used.retain(|used| used.principal.contains(text.as_str()));
    }
    let mut out = BufWriter::new(stdout().lock());
    match args.format {
        Rows::Json => json(&mut out, &uses, &used)?,
        Rows::Csv => rows(&mut out, &used, args.actions, true)?,
        Rows::Table => rows(&mut out, &used, args.actions, false)?,
    }
    out.flush()?;
    drop(out);
    scan.tell(&uses);
    if scan.problems > 0 {
        bail!("some events could not be read: what is printed lacks them");
    }
    Ok(())
}

/// A line of the table.
struct Row {
    principal: String,
    what: String,
    actions: usize,
    count: u64,
    first: Timestamp,
    last: Timestamp,
    regions: String,
}

fn rows(out: &mut impl Write, used: &[Used<'_>], each: bool, comma: bool) -> anyhow::Result<()> {
    let mut groups: BTreeMap<(&str, String), Vec<&Used<'_>>> = BTreeMap::new();
    for one in used {
        let what = if each { named(one.action) } else { one.action.service.to_string() };
        groups.entry((one.principal, what)).or_default().push(one);
    }
    let rows = groups.into_iter().map(|((principal, what), uses)| {
        let mut regions: Vec<&str> = uses.iter().flat_map(|one| one.regions.clone()).collect();
        regions.sort_unstable();
        regions.dedup();
        Row {
            principal: principal.to_owned(),
            what,
            actions: uses.len(),
            count: uses.iter().map(|one| one.count).sum(),
            first: uses.iter().map(|one| one.first).min().unwrap_or_default(),
            last: uses.iter().map(|one| one.last).max().unwrap_or_default(),
            regions: regions.join(" "),
        }
    });
    let rows: Vec<Row> = rows.collect();
    let head = ["PRINCIPAL", if each { "ACTION" } else { "SERVICE" }, "ACTIONS", "COUNT", "LAST"];
    if comma {
        let head = head.iter().copied().chain(["FIRST", "REGIONS"]);
        write!(out, "{}", csv::row(head.map(str::to_ascii_lowercase)))?;
        for row in &rows {
            let [actions, count] = [row.actions as u64, row.count].map(|number| number.to_string());
            let times = [row.last, row.first].map(|time| time.to_string());
            let fields = [&row.principal, &row.what, &actions, &count, &times[0], &times[1]];
            write!(out, "{}", csv::row(fields.into_iter().chain([&row.regions])))?;
        }
        return Ok(());
    }
    let cells: Vec<[String; 5]> = rows
        .iter()
        .map(|row| {
            [
                terminal::text(&row.principal),
                terminal::text(&row.what),
                row.actions.to_string(),
                super::thousands(row.count),
                row.last.to_string(),
            ]
        })
        .collect();
    let mut widths = head.map(str::len);
    for row in &cells {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let [principal, what, actions, count, _] = widths;
    let mut line = |row: [&str; 5]| {
        let [who, of, kinds, calls, last] = row;
        writeln!(out, "{who:<principal$}  {of:<what$}  {kinds:>actions$}  {calls:>count$}  {last}")
    };
    line(head)?;
    for row in &cells {
        line(row.each_ref().map(String::as_str))?;
    }
    Ok(())
}

fn named(action: &Action) -> String {
    format!("{}:{}", action.service, action.name)
}

fn json(out: &mut impl Write, uses: &Uses, used: &[Used<'_>]) -> anyhow::Result<()> {
    let totals = uses.totals();
    let used: Vec<Json> = used
        .iter()
        .map(|one| {
            json!({
                "principal": one.principal, "service": one.action.service,
                "action": one.action.name, "known": one.action.known, "count": one.count,
                "first": one.first, "last": one.last, "regions": one.regions,
            })
        })
        .collect();
    let logins: Vec<Json> = uses
        .logins()
        .iter()
        .map(|(who, logins)| {
            json!({
                "principal": who, "withMfa": logins.with_mfa, "withoutMfa": logins.without_mfa,
                "failed": logins.failed, "last": logins.last,
            })
        })
        .collect();
    let assumed: Vec<Json> = uses
        .assumed()
        .iter()
        .map(|one| {
            json!({
                "role": one.role, "by": one.by, "fromOutside": one.from_outside,
                "count": one.count, "last": one.last,
            })
        })
        .collect();
    let accounts: BTreeMap<&str, Json> = uses
        .accounts()
        .into_iter()
        .filter_map(|account| {
            let covered = uses.covered(account)?;
            let told = json!({
                "first": covered.first, "last": covered.last, "events": covered.events,
            });
            Some((account, told))
        })
        .collect();
    let all = json!({
        "accounts": accounts,
        "read": {
            "files": totals.files, "packed": totals.packed, "bytes": totals.bytes,
            "events": totals.events, "insights": totals.insights, "digests": totals.digests,
            "bad": totals.bad, "broken": totals.broken, "beyond": totals.beyond,
        },
        "used": used, "logins": logins, "assumed": assumed,
    });
    writeln!(out, "{}", terminal::json(&format!("{all:#}")))?;
    Ok(())
}
