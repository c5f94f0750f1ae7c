//! An audit for people: what is worst, what to do first, and what was not looked at.

use std::collections::BTreeMap;
use std::io::{self, Write};

use bailiwick_analyzer::evidence::Evidence;
use bailiwick_analyzer::posture::{Finding, Outcome, Report, Severity, Tally};

use crate::terminal;

/// So many fixes are shown.
const FIXES: usize = 10;
/// So many subjects of one check are named.
const SUBJECTS: usize = 3;
/// The widest line of running text.
const WIDTH: usize = 100;

pub(super) fn table(out: &mut impl Write, report: &Report, evidence: &Evidence) -> io::Result<()> {
    head(out, report)?;
    worst(out, report)?;
    fixes(out, report)?;
    gaps(out, report)?;
    for (title, list) in
        [("Exceptions that have ended", &report.ended_exceptions), ("Notes", &evidence.notes)]
    {
        if !list.is_empty() {
            writeln!(out, "\n{title}")?;
            for text in list.iter().take(20) {
                writeln!(out, "  {}", terminal::text(text))?;
            }
        }
    }
    let notes = evidence.details.known().map_or(&[][..], |details| &details.notes);
    if !notes.is_empty() {
        writeln!(out, "\nAuthorization details: {} notes of the reader", notes.len())?;
        for note in notes.iter().take(5) {
            writeln!(out, "  {}", terminal::text(&format!("{}: {}", note.about, note.text)))?;
        }
    }
    Ok(())
}

fn head(out: &mut impl Write, report: &Report) -> io::Result<()> {
    write!(out, "Account {} as of {}", report.account, report.as_of)?;
    if let Some(collected) = report.collected {
        write!(out, ", gathered {collected}")?;
    }
    writeln!(out)?;
    let count = |outcome| report.checks.iter().filter(|tally| tally.outcome == outcome).count();
    writeln!(
        out,
        "{} checks: {} fail, {} pass, {} not assessed, {} not applicable, {} not built",
        report.checks.len(),
        count(Outcome::Fail),
        count(Outcome::Pass),
        count(Outcome::NotAssessed),
        count(Outcome::NotApplicable),
        count(Outcome::NotBuilt),
    )?;
    let severities =
        [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Info];
    let counts: Vec<String> = severities
        .into_iter()
        .map(|severity| (severity, report.count(severity)))
        .filter(|(_, count)| *count > 0)
        .map(|(severity, count)| format!("{count} {}", severity.as_str()))
        .collect();
    let excepted = report.findings.len() - report.counted().count();
    let shown = if counts.is_empty() { "none".to_owned() } else { counts.join(", ") };
    write!(out, "Findings: {shown}")?;
    if excepted > 0 {
        write!(out, "; {excepted} covered by exceptions")?;
    }
    writeln!(out)?;
    if report.findings.iter().any(|finding| finding.is_new.is_some()) || !report.fixed.is_empty() {
        let new = report.counted().filter(|finding| finding.is_new == Some(true)).count();
        writeln!(out, "Since the baseline: {new} new, {} fixed", report.fixed.len())?;
    }
    Ok(())
}

fn failed(report: &Report) -> Vec<&Tally> {
    let mut list: Vec<&Tally> =
        report.checks.iter().filter(|tally| tally.outcome == Outcome::Fail).collect();
    list.sort_by_key(|tally| (std::cmp::Reverse(tally.row.severity), tally.row.id));
    list
}

fn worst(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let list = failed(report);
    if list.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nFailed checks, the worst first")?;
    for tally in list {
        let (row, failed) = (tally.row, tally.failed);
        writeln!(
            out,
            "  {:<8} {:<8} {:>6}  {}",
            row.severity.as_str(),
            row.id,
            failed,
            terminal::text(row.title)
        )?;
    }
    Ok(())
}

/// What to do first: the worst checks, with an example and the command for it.
fn fixes(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let list = failed(report);
    if list.is_empty() {
        return Ok(());
    }
    let mut by_check: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in report.counted() {
        by_check.entry(finding.check).or_default().push(finding);
    }
    writeln!(out, "\nWhat to do first")?;
    for (number, tally) in list.iter().take(FIXES).enumerate() {
        let Some(findings) = by_check.get(tally.row.id) else { continue };
        let Some(first) = findings.first() else { continue };
        let title = format!("{}. {} {}", number + 1, tally.row.id, tally.row.title);
        writeln!(out, "\n  {}", terminal::text(&title))?;
        for finding in findings.iter().take(SUBJECTS) {
            let new = if finding.is_new == Some(true) { " (new)" } else { "" };
            let line = format!("{}{new}: {}", finding.subject, finding.why);
            writeln!(out, "     {}", terminal::text(&line))?;
        }
        if findings.len() > SUBJECTS {
            writeln!(out, "     and {} more", findings.len() - SUBJECTS)?;
        }
        if let Some(place) = &first.place
            && !place.text.is_empty()
        {
            let at = place.statement.map(|number| format!(" statement {number}"));
            let version = place.version.as_deref().unwrap_or_default();
            let line = format!("{} {version}{}", place.policy, at.unwrap_or_default());
            writeln!(out, "     in {}", terminal::text(&line))?;
            let text: String = place.text.chars().take(WIDTH).collect();
            writeln!(out, "        {}", terminal::text(&text))?;
        }
        writeln!(out, "     fix: {}", terminal::text(&first.fix.text))?;
        for command in first.fix.commands.iter().take(2) {
            writeln!(out, "     $ {}", terminal::text(command))?;
        }
        if let Some(diff) = &first.fix.diff {
            for line in diff.lines().take(12) {
                writeln!(out, "       {}", terminal::text(line))?;
            }
        }
    }
    Ok(())
}

/// What was not assessed, by what is missing.
fn gaps(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let mut missing: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut partly: Vec<String> = Vec::new();
    let mut unbuilt: Vec<&str> = Vec::new();
    for tally in &report.checks {
        if tally.outcome == Outcome::NotBuilt {
            unbuilt.push(tally.row.id);
            continue;
        }
        let ran = tally.passed + tally.failed + tally.excepted > 0;
        if ran && !tally.not_assessed.is_empty() {
            let first = tally.not_assessed.first().map_or("", |gap| &gap.missing);
            partly.push(format!(
                "{}: {} subjects, such as for want of: {first}",
                tally.row.id,
                tally.not_assessed.len()
            ));
            continue;
        }
        for gap in &tally.not_assessed {
            let list = missing.entry(&gap.missing).or_default();
            if list.last() != Some(&tally.row.id) {
                list.push(tally.row.id);
            }
        }
    }
    if !missing.is_empty() {
        writeln!(out, "\nNot assessed, since it is missing")?;
    }
    for (what, checks) in missing {
        writeln!(out, "  {}", terminal::text(what))?;
        wrapped(out, &checks)?;
    }
    if !partly.is_empty() {
        writeln!(out, "\nAssessed in part")?;
        for line in partly {
            writeln!(out, "  {}", terminal::text(&line))?;
        }
    }
    if !unbuilt.is_empty() {
        writeln!(out, "\nNot built: see `bailiwick audit checks`")?;
        wrapped(out, &unbuilt)?;
    }
    Ok(())
}

fn wrapped(out: &mut impl Write, words: &[&str]) -> io::Result<()> {
    let mut line = String::new();
    for word in words {
        if line.len() + word.len() > WIDTH - 10 {
            writeln!(out, "     {line}")?;
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    writeln!(out, "     {line}")
}
