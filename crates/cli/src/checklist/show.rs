//! Answers as a table, as Markdown and as comma-separated values.

use std::collections::BTreeMap;
use std::io::{self, Write};

use bailiwick_analyzer::checklist::{Item, Standing, Verdict};
use bailiwick_analyzer::pages::markdown;
use bailiwick_analyzer::posture::{Outcome, Report};

use crate::reach::csv::row;
use crate::terminal;

/// The standings with the letters of a table, in the order in which people want them.
const STANDINGS: [Standing; 5] = [
    Standing::Fail,
    Standing::Pass,
    Standing::NotAssessed,
    Standing::Manual,
    Standing::NotApplicable,
];

/// How many have each standing; `rate` is how many of those assessed pass.
pub(super) fn counted(
    counts: &BTreeMap<&'static str, usize>,
    rate: Option<(usize, usize)>,
) -> String {
    let mut parts: Vec<String> = STANDINGS
        .iter()
        .filter_map(|standing| {
            let count = counts.get(standing.as_str())?;
            Some(format!("{count} {}", standing.as_str()))
        })
        .collect();
    if let Some((passed, assessed)) = rate {
        parts.push(match percent(passed, assessed) {
            Some(percent) => format!("{percent} % of the {assessed} assessed pass"),
            None => "none could be assessed".to_owned(),
        });
    }
    parts.join(", ")
}

fn percent(passed: usize, of: usize) -> Option<usize> {
    (passed * 100).checked_div(of)
}

/// One list or standard.
pub(super) fn section(
    out: &mut impl Write,
    as_markdown: bool,
    head: &str,
    report: &Report,
    counts: &str,
    items: &[Item],
) -> io::Result<()> {
    if as_markdown {
        page(out, head, report, counts, items)
    } else {
        table(out, head, report, counts, items)
    }
}

fn table(
    out: &mut impl Write,
    head: &str,
    report: &Report,
    counts: &str,
    items: &[Item],
) -> io::Result<()> {
    writeln!(out, "{}", terminal::text(head))?;
    writeln!(out, "Account {} as of {}: {counts}\n", report.account, report.as_of)?;
    for (item, depth) in flat(items) {
        let verdict = &item.verdict;
        let indent = "  ".repeat(depth);
        let word = verdict.standing.as_str();
        let title = terminal::text(&item.title);
        writeln!(out, "{indent}{word:<15}{:<9} {title}", item.id)?;
        for line in evidence(verdict) {
            writeln!(out, "{indent}                 {}", terminal::text(&line))?;
        }
    }
    writeln!(out)
}

fn page(
    out: &mut impl Write,
    head: &str,
    report: &Report,
    counts: &str,
    items: &[Item],
) -> io::Result<()> {
    writeln!(out, "# {}\n", markdown::text(head))?;
    writeln!(out, "Account {} as of {}: {counts}.\n", report.account, report.as_of)?;
    for (item, _) in flat(items) {
        let mark = if item.verdict.standing == Standing::Pass { 'x' } else { ' ' };
        let word = item.verdict.standing.as_str();
        writeln!(out, "- [{mark}] **{}** {} — {word}", item.id, markdown::text(&item.title))?;
        for line in evidence(&item.verdict) {
            writeln!(out, "  - {}", markdown::text(&line))?;
        }
    }
    writeln!(out)
}

fn flat(items: &[Item]) -> impl Iterator<Item = (&Item, usize)> {
    items
        .iter()
        .flat_map(|item| [(item, 0)].into_iter().chain(item.parts.iter().map(|part| (part, 1))))
}

/// The evidence, a line each: checks, examples, what to do first, what is missing, who said what.
fn evidence(verdict: &Verdict) -> Vec<String> {
    let mut out = Vec::new();
    let of = |outcome| -> Vec<String> {
        let some = verdict.checks.iter().filter(|asked| asked.outcome == outcome);
        some.map(|asked| {
            let failed =
                if asked.failed > 0 { format!(" ({})", asked.failed) } else { String::new() };
            let excepted = if asked.excepted > 0 {
                format!(" ({} excepted)", asked.excepted)
            } else {
                String::new()
            };
            format!("{}{failed}{excepted}", asked.id)
        })
        .collect()
    };
    let parts: Vec<String> = [
        ("fail", Outcome::Fail),
        ("pass", Outcome::Pass),
        ("not assessed", Outcome::NotAssessed),
        ("not built", Outcome::NotBuilt),
        ("not applicable", Outcome::NotApplicable),
    ]
    .into_iter()
    .filter_map(|(word, outcome)| {
        let list = of(outcome);
        (!list.is_empty()).then(|| format!("{word}: {}", list.join(" ")))
    })
    .collect();
    if !parts.is_empty() {
        out.push(parts.join("; "));
    }
    for example in &verdict.examples {
        out.push(format!("{}: {}: {}", example.check, example.subject, example.why));
    }
    let shown = verdict.examples.len();
    if verdict.findings > shown && shown > 0 {
        out.push(format!("and {} more", verdict.findings - shown));
    }
    if let Some(first) = &verdict.first {
        out.push(format!("first ({}): {}", first.check, first.text));
        out.extend(first.commands.iter().take(1).map(|line| format!("$ {line}")));
    }
    if matches!(verdict.standing, Standing::NotAssessed | Standing::Manual) {
        out.extend(verdict.missing.iter().map(|text| format!("missing: {text}")));
    }
    if let Some(by_hand) = &verdict.by_hand {
        match &by_hand.mark {
            Some(mark) => {
                let until = mark.until.0;
                let state = if by_hand.ended {
                    format!("ended on {until}, so it counts no more")
                } else {
                    format!("until {until}")
                };
                out.push(format!("by hand: {} says so, {state}: {}", mark.by, mark.evidence));
            }
            None => out.extend(by_hand.reason.map(|reason| format!("by hand: {reason}"))),
        }
    }
    out
}

/// The first row of comma-separated values.
pub(super) fn csv_head(out: &mut impl Write, of: &str, id: &str) -> io::Result<()> {
    let names = [
        of,
        id,
        "title",
        "standing",
        "checks_passed",
        "checks_assessed",
        "checks",
        "findings",
        "examples",
        "first",
        "commands",
        "missing",
        "by_hand",
        "evidence",
        "by",
        "until",
    ];
    out.write_all(row(names).as_bytes())
}

/// A row for each item.
pub(super) fn csv(out: &mut impl Write, of: &str, items: &[Item]) -> io::Result<()> {
    for (item, _) in flat(items) {
        let verdict = &item.verdict;
        let (passed, assessed) = verdict.rate();
        let checks: Vec<String> = verdict
            .checks
            .iter()
            .map(|asked| format!("{} {}", asked.id, asked.outcome.as_str()))
            .collect();
        let examples: Vec<String> = verdict
            .examples
            .iter()
            .map(|one| format!("{}: {}: {}", one.check, one.subject, one.why))
            .collect();
        let first = verdict.first.as_ref();
        let by_hand = verdict.by_hand.as_ref();
        let mark = by_hand.and_then(|by_hand| by_hand.mark.as_ref());
        let cells = [
            of.to_owned(),
            item.id.to_owned(),
            item.title.clone(),
            verdict.standing.as_str().to_owned(),
            passed.to_string(),
            assessed.to_string(),
            checks.join("; "),
            verdict.findings.to_string(),
            examples.join("\n"),
            first.map(|first| first.text.clone()).unwrap_or_default(),
            first.map(|first| first.commands.join("\n")).unwrap_or_default(),
            verdict.missing.join("\n"),
            by_hand.and_then(|by_hand| by_hand.reason).unwrap_or_default().to_owned(),
            mark.map(|mark| mark.evidence.clone()).unwrap_or_default(),
            mark.map(|mark| mark.by.clone()).unwrap_or_default(),
            mark.map(|mark| mark.until.0.to_string()).unwrap_or_default(),
        ];
        out.write_all(row(cells).as_bytes())?;
    }
    Ok(())
}
