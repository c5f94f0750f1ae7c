//! Attempts for people.

use std::collections::BTreeSet;
use std::io::{self, Write};

use bailiwick_analyzer::attack::{Attempt, Played, Report, Said, Verdict};

use crate::terminal;

pub(super) fn report(out: &mut impl Write, report: &Report, asked: bool) -> io::Result<()> {
    let left_out = match report.administrators {
        0 => String::new(),
        count => format!(" ({count} administrators need none)"),
    };
    writeln!(
        out,
        "account {}: {} techniques played from {} of {} users and roles{left_out}",
        report.account,
        report.techniques.len(),
        report.played_from,
        report.principals,
    )?;
    let count = |of: fn(&bailiwick_analyzer::attack::Tally) -> usize| {
        report.techniques.iter().filter(|tally| of(tally) > 0).count()
    };
    writeln!(
        out,
        "{} techniques are reached by somebody, {} under conditions\n",
        count(|tally| tally.reached),
        count(|tally| tally.conditional),
    )?;
    writeln!(out, "technique  tactic       reached  if  blocked  by")?;
    for tally in &report.techniques {
        let by: Vec<String> =
            tally.blocked_by.iter().map(|(by, count)| format!("{} {count}", by.name())).collect();
        writeln!(
            out,
            "{:<9}  {:<11}  {:>7}  {:>2}  {:>7}  {}",
            tally.technique.id,
            tally.technique.tactic.name(),
            tally.reached,
            tally.conditional,
            tally.blocked,
            by.join(", ")
        )?;
    }
    let mut told: BTreeSet<(&str, Verdict)> = BTreeSet::new();
    for verdict in [Verdict::Reached, Verdict::Conditional, Verdict::Blocked] {
        for attempt in report.attempts.iter().filter(|attempt| attempt.verdict == verdict) {
            // One of each kind is enough where nobody in particular was asked about.
            if !asked && !told.insert((&attempt.technique, verdict)) {
                continue;
            }
            one(out, report, attempt)?;
        }
    }
    Ok(())
}

fn one(out: &mut impl Write, report: &Report, attempt: &Attempt) -> io::Result<()> {
    let title = report.techniques.iter().find(|tally| tally.technique.id == attempt.technique);
    let title = title.map_or("", |tally| tally.technique.title.as_str());
    let verdict = match attempt.verdict {
        Verdict::Reached => "reached",
        Verdict::Conditional => "conditional",
        Verdict::Blocked => "blocked",
    };
    writeln!(
        out,
        "\n{verdict}  {}  {title}\n  from {}",
        attempt.technique,
        terminal::text(&attempt.principal)
    )?;
    for (at, step) in attempt.steps.iter().enumerate() {
        played(out, at + 1, step)?;
    }
    if let Some(blocked) = &attempt.blocked {
        let why = terminal::text(&blocked.why);
        writeln!(out, "  blocked by {}: {why}", blocked.by.name())?;
    } else {
        writeln!(out, "  gains {}", terminal::text(&attempt.gains))?;
    }
    for on in &attempt.on {
        writeln!(out, "  if {}", terminal::text(&on.to_string()))?;
    }
    Ok(())
}

fn played(out: &mut impl Write, number: usize, step: &Played) -> io::Result<()> {
    let caller = if step.ask.caller.starts_with("arn:") {
        String::new()
    } else {
        format!("{} ", step.ask.caller)
    };
    writeln!(
        out,
        "  {number:>2}. {}{} on {}: {}",
        terminal::text(&caller),
        step.ask.action,
        terminal::text(&step.ask.resource),
        step.decision
    )?;
    if !step.by.is_empty() {
        let by: Vec<String> = step.by.iter().map(said).collect();
        writeln!(out, "        by {}", terminal::text(&by.join("; ")))?;
    }
    if let Some(then) = &step.then
        && step.blocked.is_none()
    {
        writeln!(out, "        then {}", terminal::text(then))?;
    }
    Ok(())
}

fn said(said: &Said) -> String {
    let level = said.level.map_or(String::new(), |level| format!(" of level {}", level + 1));
    let policy = said.policy.rsplit(":policy/").next().unwrap_or(&said.policy);
    format!("{}{level} {policy}, statement {}", said.kind, said.statement)
}
