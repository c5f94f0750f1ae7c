//! Answers as a table with reasons, or as JSON.

use std::io::{self, Write};

use serde_json::{Value as Json, json};

use super::question::{Asked, Setting};
use super::why;
use crate::terminal;

/// A question answered as things are, and as they would be with the drafts.
pub(crate) struct Row {
    pub(crate) now: Asked,
    pub(crate) with_drafts: Option<Asked>,
}

impl Row {
    /// The answer that counts: with the drafts, where there are some.
    pub(crate) fn asked(&self) -> &Asked {
        self.with_drafts.as_ref().unwrap_or(&self.now)
    }
}

/// For people: the caller, a line for each question, and what a denial lacks.
pub(crate) fn table(out: &mut impl Write, setting: &Setting, rows: &[Row]) -> io::Result<()> {
    let principal = setting.principal.as_deref().unwrap_or("anonymous");
    writeln!(out, "principal  {}", terminal::text(principal))?;
    if let Some(row) = rows.first() {
        for (key, values) in row.asked().context.iter() {
            let values = terminal::text(&values.join(", "));
            writeln!(out, "context    {} = {values}", terminal::text(key))?;
        }
    }
    writeln!(out)?;
    let drafts = rows.iter().any(|row| row.with_drafts.is_some());
    let mut lines = vec![if drafts {
        vec!["ACTION".into(), "RESOURCE".into(), "NOW".into(), "WITH DRAFTS".into(), "WHY".into()]
    } else {
        vec!["ACTION".into(), "RESOURCE".into(), "DECISION".into(), "WHY".into()]
    }];
    for row in rows {
        let asked = row.asked();
        let mut cells = vec![asked.action.clone(), asked.resource.clone()];
        cells.push(row.now.answer.decision.to_owned());
        if drafts {
            cells.push(asked.answer.decision.to_owned());
        }
        cells.push(why::reason(asked));
        lines.push(cells);
    }
    columns(out, &lines)?;
    for row in rows {
        let asked = row.asked();
        let details = why::details(asked);
        if !details.is_empty() {
            let (action, resource) = (&asked.action, &asked.resource);
            writeln!(out, "\n{} on {}", terminal::text(action), terminal::text(resource))?;
            for line in details {
                writeln!(out, "  {}", terminal::text(&line))?;
            }
        }
    }
    Ok(())
}

/// Cells in columns as wide as they need; the last one ends its line.
pub(crate) fn columns(out: &mut impl Write, lines: &[Vec<String>]) -> io::Result<()> {
    let count = lines.iter().map(Vec::len).max().unwrap_or_default();
    let lines: Vec<Vec<String>> =
        lines.iter().map(|cells| cells.iter().map(|cell| terminal::text(cell)).collect()).collect();
    let widths: Vec<usize> = (0..count)
        .map(|at| {
            let cells = lines.iter().filter_map(|cells| cells.get(at));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
        })
        .collect();
    for cells in &lines {
        let mut text = String::new();
        for (cell, width) in cells.iter().zip(&widths) {
            text.push_str(cell);
            let blanks = 2 + width.saturating_sub(cell.chars().count());
            text.extend(std::iter::repeat_n(' ', blanks));
        }
        writeln!(out, "{}", text.trim_end())?;
    }
    Ok(())
}

/// For programs.
pub(crate) fn json(setting: &Setting, rows: &[Row], notes: &[String]) -> Json {
    let rows: Vec<Json> = rows
        .iter()
        .map(|row| {
            let mut shown = one(row.asked());
            if row.with_drafts.is_some()
                && let Some(members) = shown.as_object_mut()
            {
                members.insert("before".into(), one(&row.now));
            }
            shown
        })
        .collect();
    json!({"principal": setting.principal, "results": rows, "notes": notes})
}

/// One answer with its explanation; `policies` tells which file a policy of it is.
pub(crate) fn one(asked: &Asked) -> Json {
    let mut policies = serde_json::Map::new();
    for layer in &asked.explanation.layers {
        for policy in &layer.policies {
            if let Some(named) = asked.policy(&policy.source.id) {
                policies.insert(policy.source.id.to_string(), json!(named.label));
            }
        }
    }
    json!({
        "action": asked.action,
        "resource": asked.resource,
        "context": asked.context.to_json(),
        "decision": asked.answer.decision,
        "reasons": asked.answer.reasons,
        "why": why::reason(asked),
        "details": why::details(asked),
        "missingContextKeys": asked.explanation.missing_keys,
        "policies": policies,
        "explanation": asked.explanation,
    })
}
