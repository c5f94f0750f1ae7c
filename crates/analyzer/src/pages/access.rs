//! What may be done, and by whom: tables of services and lists of those who can assume a role.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::rc::Rc;
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use bailiwick_policy::Document;

use super::markdown::{code_cell, text};
use crate::reach::{Access, Assumer, Certainty, Kind};
use crate::summary::{ServiceSummary, Summary, summary};

/// The most principals that are named in one list.
const MOST: usize = 200;

/// Summaries, each made once: many users and roles have policies of the same text.
#[derive(Debug, Default)]
pub(super) struct Summaries(RefCell<HashMap<[u8; 32], Rc<Summary>>>);

impl Summaries {
    /// What some documents grant together.
    pub(super) fn of(&self, documents: &[Arc<Document>]) -> Rc<Summary> {
        let mut sources: Vec<&str> = documents.iter().map(|document| document.source()).collect();
        sources.sort_unstable();
        sources.dedup();
        let mut hash = Context::new(&SHA256);
        for source in sources {
            // Lengths before the texts, so that no two lists of texts are one.
            hash.update(&source.len().to_le_bytes());
            hash.update(source.as_bytes());
        }
        let mut key = [0; 32];
        for (byte, hashed) in key.iter_mut().zip(hash.finish().as_ref()) {
            *byte = *hashed;
        }
        if let Some(known) = self.0.borrow().get(&key) {
            return Rc::clone(known);
        }
        let made = Rc::new(summary(documents.iter().map(AsRef::as_ref)));
        self.0.borrow_mut().insert(key, Rc::clone(&made));
        made
    }
}

/// What is granted, a row for each service. `boundary`: what the boundary leaves of it.
pub(super) fn grants(out: &mut String, granted: &Summary, boundary: Option<&Summary>) {
    if granted.allow.is_empty() {
        out.push_str("Nothing is granted.\n\n");
    } else if granted.allow.len() == granted.services && all(&granted.allow) {
        out.push_str("Every action of every service.\n\n");
        if let Some(boundary) = boundary {
            let _ = writeln!(
                out,
                "The boundary leaves actions of {} services of it.\n",
                boundary.allow.len()
            );
        }
    } else {
        let last = if boundary.is_some() { " Within the boundary |" } else { "" };
        let rule = if boundary.is_some() { "---|" } else { "" };
        let _ =
            writeln!(out, "| Service | Full | Limited | Actions | Resources | Conditions |{last}");
        let _ = writeln!(out, "|---|---|---|---|---|---|{rule}");
        for row in &granted.allow {
            service(out, row);
            if let Some(boundary) = boundary {
                let left = boundary.allow.iter().find(|left| left.service == row.service);
                out.push_str(match left {
                    None => " nothing |",
                    Some(left) if whole(left) && !denies(boundary, &left.service) => " all |",
                    Some(_) => " in part |",
                });
            }
            out.push('\n');
        }
        out.push('\n');
    }
    if !granted.deny.is_empty() {
        if granted.deny.len() == granted.services && all(&granted.deny) {
            out.push_str("Denied: actions of every service, as far as the conditions say.\n\n");
        } else {
            out.push_str("Denied, whatever is granted:\n\n");
            out.push_str("| Service | Full | Limited | Actions | Resources | Conditions |\n");
            out.push_str("|---|---|---|---|---|---|\n");
            for row in &granted.deny {
                service(out, row);
                out.push('\n');
            }
            out.push('\n');
        }
    }
    if !granted.unknown.is_empty() {
        let shown: Vec<String> =
            granted.unknown.iter().take(20).map(|one| code_cell(one)).collect();
        let _ = writeln!(out, "Actions that no service has: {}.\n", shown.join(", "));
    }
}

/// Whether each row is all of its service, on everything and without conditions.
fn all(rows: &[ServiceSummary]) -> bool {
    rows.iter().all(whole)
}

fn whole(row: &ServiceSummary) -> bool {
    row.full_access && row.resource == "All resources" && row.condition == "None"
}

fn denies(boundary: &Summary, service: &str) -> bool {
    boundary.deny.iter().any(|row| row.service == service)
}

fn service(out: &mut String, row: &ServiceSummary) {
    let list = |levels: &[&str]| levels.join(", ");
    let (full, limited) = if row.full_access {
        ("all".to_owned(), String::new())
    } else {
        (list(&row.full), list(&row.limited))
    };
    let _ = write!(
        out,
        "| {} ({}) | {full} | {limited} | {} of {} | {} | {} |",
        text(&row.name),
        code_cell(&row.service),
        row.actions,
        row.of,
        value(&row.resource),
        value(&row.condition),
    );
}

/// A resource or condition of a summary: its own words, or what a policy says.
fn value(cell: &str) -> String {
    match cell {
        "All resources"
        | "Multiple"
        | "None"
        | "All but multiple"
        | "The resource of the policy" => cell.to_owned(),
        _ => code_cell(cell),
    }
}

/// Those who can assume a role, by what they are. `shown` makes a name of a principal.
pub(super) fn assumers(out: &mut String, all: &[Assumer], shown: impl Fn(&str) -> String) {
    if all.is_empty() {
        out.push_str("Nobody: no request to assume it is allowed.\n\n");
        return;
    }
    let mut kind = None;
    let mut named = 0;
    for one in all {
        if kind != Some(one.kind) {
            if kind.is_some() {
                left_out(out, all, kind, named);
                out.push('\n');
            }
            kind = Some(one.kind);
            named = 0;
            let _ = writeln!(out, "{}:\n", heading(one.kind));
        }
        named += 1;
        if named > MOST {
            continue;
        }
        let _ = write!(out, "- {}", shown(&one.principal));
        let _ = writeln!(
            out,
            "{}{}",
            when(&one.access),
            if one.if_its_account_allows {
                ", as far as its own account allows it too"
            } else {
                ""
            }
        );
    }
    left_out(out, all, kind, named);
    out.push('\n');
}

fn left_out(out: &mut String, all: &[Assumer], kind: Option<Kind>, named: usize) {
    if named > MOST {
        let total = all.iter().filter(|one| Some(one.kind) == kind).count();
        let _ = writeln!(out, "- and {} more", total - MOST);
    }
}

/// Under which conditions.
pub(super) fn when(access: &Access) -> String {
    match access.certainty {
        Certainty::Always => String::new(),
        Certainty::Undecided => ": it could not be decided".to_owned(),
        Certainty::OnlyIf => {
            let mut parts = Vec::new();
            for way in access.ways.iter().filter(|way| !way.when.is_empty()) {
                let all: Vec<String> = way.when.iter().map(ToString::to_string).collect();
                parts.push(all.join(", and "));
            }
            let mut out = ": only".to_owned();
            if !parts.is_empty() {
                let _ = write!(out, " if {}", text(&parts.join("; or ")));
            }
            for deny in &access.unless {
                let all: Vec<String> = deny.when.iter().map(ToString::to_string).collect();
                let _ = write!(out, " unless {}", text(&all.join(", and ")));
            }
            out
        }
    }
}

fn heading(kind: Kind) -> &'static str {
    match kind {
        Kind::Root => "The root user",
        Kind::User => "Users",
        Kind::Role => "Roles",
        Kind::LinkedRole => "Service-linked roles",
        Kind::Session => "Sessions",
        Kind::Foreign => "Principals of other accounts",
        Kind::Account => "Other accounts",
        Kind::Service => "Services",
        Kind::Provider => "Identity providers",
        Kind::Everybody | Kind::Anonymous => "Everybody",
    }
}
