//! Results of suites: for people, for programs, for build servers and for code scanning.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde_json::{Value as Json, json};

use super::checks::Check;
use super::{Expectation, Outcome, Run, Test};
use crate::terminal;

/// The most failures of one test that are told in the table.
const MOST: usize = 20;

/// A line for each test, failures with reasons, and the sum.
pub(super) fn table(out: &mut impl Write, runs: &[Run]) -> io::Result<()> {
    for run in runs {
        writeln!(out, "{}", terminal::text(&run.suite.name))?;
        for (test, outcomes) in run.tests() {
            let failed: Vec<_> = failures(test, outcomes).collect();
            let sign = if failed.is_empty() { "ok    " } else { "FAILED" };
            let name = terminal::text(&test.name);
            let count = outcomes.len();
            let of = if failed.is_empty() {
                format!("({count})")
            } else {
                format!("({} of {count})", failed.len())
            };
            writeln!(out, "  {sign}  {name} {of}")?;
            for (expectation, outcome) in failed.iter().take(MOST) {
                let place = format!("{}:{}", run.suite.file, test.at.0);
                writeln!(out, "          {}", terminal::text(&expectation.title()))?;
                let (wanted, got) = (test.wanted(), outcome.decision);
                let place = terminal::text(&place);
                writeln!(out, "            {place}: expected {wanted}, got {got}")?;
                for line in &outcome.why {
                    writeln!(out, "            {}", terminal::text(line))?;
                }
            }
            if failed.len() > MOST {
                writeln!(out, "          and {} more", failed.len() - MOST)?;
            }
        }
        for check in &run.suite.checks {
            let sign = if check.met() { "ok    " } else { "FAILED" };
            writeln!(out, "  {sign}  {} ({})", terminal::text(&check.name), check.verb)?;
            if check.met() {
                continue;
            }
            writeln!(out, "          {}", terminal::text(&check.title))?;
            let place = terminal::text(&format!("{}:{}", run.suite.file, check.at.0));
            let (wanted, got) = (check.wanted(), check.got());
            writeln!(out, "            {place}: expected {wanted}, got {got}")?;
            for line in &check.why {
                writeln!(out, "            {}", terminal::text(line))?;
            }
        }
    }
    let (count, failed) = sums(runs);
    match failed {
        0 => writeln!(out, "{count} expectations: all as expected"),
        _ => writeln!(out, "{count} expectations: {} as expected, {failed} not", count - failed),
    }
}

/// Every expectation with its answer.
pub(super) fn json(runs: &[Run]) -> Json {
    let suites: Vec<Json> = runs
        .iter()
        .map(|run| {
            let tests: Vec<Json> = run
                .tests()
                .map(|(test, outcomes)| {
                    let results: Vec<Json> = test
                        .expectations
                        .iter()
                        .zip(outcomes)
                        .map(|(one, outcome)| result(one, outcome))
                        .collect();
                    json!({
                        "name": test.name,
                        "line": test.at.0,
                        "expect": test.expect.word(),
                        "reason": test.reason,
                        "results": results,
                    })
                })
                .collect();
            let checks: Vec<Json> = run.suite.checks.iter().map(check).collect();
            json!({
                "file": run.suite.file, "name": run.suite.name, "tests": tests, "checks": checks,
            })
        })
        .collect();
    let (count, failed) = sums(runs);
    json!({"suites": suites, "expectations": count, "failures": failed})
}

fn check(check: &Check) -> Json {
    json!({
        "name": check.name,
        "line": check.at.0,
        "check": check.verb.as_str(),
        "about": check.title,
        "expect": check.wanted(),
        "result": check.got(),
        "passed": check.met(),
        "witness": check.checked.witness,
        "reasons": check.checked.reasons,
        "why": check.why,
    })
}

fn result(one: &Expectation, outcome: &Outcome) -> Json {
    json!({
        "principal": one.principal,
        "action": one.action,
        "resource": one.resource,
        "context": one.variant,
        "decision": outcome.decision,
        "kind": outcome.kind,
        "passed": outcome.passed,
        "why": outcome.why,
    })
}

/// JUnit's XML, in the form that build servers agree on.
pub(super) fn junit(out: &mut impl Write, runs: &[Run]) -> io::Result<()> {
    let (count, failed) = sums(runs);
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        out,
        "<testsuites name=\"bailiwick\" tests=\"{count}\" failures=\"{failed}\" errors=\"0\">"
    )?;
    for run in runs {
        let (file, name) = (xml(&run.suite.file), xml(&run.suite.name));
        let (count, failed) = (run.count(), run.failures());
        writeln!(
            out,
            "  <testsuite name=\"{name}\" tests=\"{count}\" failures=\"{failed}\" errors=\"0\" skipped=\"0\">"
        )?;
        for (test, outcomes) in run.tests() {
            for (one, outcome) in test.expectations.iter().zip(outcomes) {
                write!(
                    out,
                    "    <testcase classname=\"{}\" name=\"{}\" file=\"{file}\" line=\"{}\"",
                    xml(&test.name),
                    xml(&one.title()),
                    test.at.0
                )?;
                if outcome.passed {
                    writeln!(out, "/>")?;
                    continue;
                }
                let message = format!("expected {}, got {}", test.wanted(), outcome.decision);
                writeln!(out, ">")?;
                write!(out, "      <failure message=\"{}\" type=\"decision\">", xml(&message))?;
                let lines: Vec<String> = outcome.why.iter().map(|line| xml(line)).collect();
                writeln!(out, "{}</failure>", lines.join("\n"))?;
                writeln!(out, "    </testcase>")?;
            }
        }
        for check in &run.suite.checks {
            junit_check(out, check, &file)?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

fn junit_check(out: &mut impl Write, check: &Check, file: &str) -> io::Result<()> {
    let (name, title, line) = (xml(&check.name), xml(&check.title), check.at.0);
    write!(
        out,
        "    <testcase classname=\"{name}\" name=\"{}: {title}\" file=\"{file}\" line=\"{line}\"",
        check.verb
    )?;
    if check.met() {
        return writeln!(out, "/>");
    }
    let message = format!("expected {}, got {}", check.wanted(), check.got());
    writeln!(out, ">")?;
    write!(out, "      <failure message=\"{}\" type=\"check\">", xml(&message))?;
    let lines: Vec<String> = check.why.iter().map(|line| xml(line)).collect();
    writeln!(out, "{}</failure>", lines.join("\n"))?;
    writeln!(out, "    </testcase>")
}

/// SARIF 2.1.0: one result for each failed expectation, at its place in the suite.
pub(super) fn sarif(runs: &[Run]) -> Json {
    let mut results = Vec::new();
    for run in runs {
        for (test, outcomes) in run.tests() {
            for (one, outcome) in failures(test, outcomes) {
                let (wanted, got) = (test.wanted(), outcome.decision);
                let text = format!(
                    "{}: {}: expected {wanted}, got {got}: {}",
                    test.name,
                    one.title(),
                    outcome.why.join("; ")
                );
                results.push(json!({
                    "ruleId": "expectation",
                    "level": "error",
                    "message": {"text": text},
                    "locations": [{"physicalLocation": {
                        "artifactLocation": {"uri": uri(&run.suite.file)},
                        "region": {"startLine": test.at.0, "startColumn": test.at.1},
                    }}],
                }));
            }
        }
    }
    for run in runs {
        for check in run.suite.checks.iter().filter(|check| !check.met()) {
            let (wanted, got) = (check.wanted(), check.got());
            let text = format!(
                "{}: {}: expected {wanted}, got {got}: {}",
                check.name,
                check.title,
                check.why.join("; ")
            );
            results.push(json!({
                "ruleId": check.verb.as_str(),
                "level": "error",
                "message": {"text": text},
                "locations": [{"physicalLocation": {
                    "artifactLocation": {"uri": uri(&run.suite.file)},
                    "region": {"startLine": check.at.0, "startColumn": check.at.1},
                }}],
            }));
        }
    }
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "bailiwick test",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": [
                    rule("expectation", "A policy decides otherwise than a suite expects"),
                    rule("no-new-access", "New access, otherwise than a suite expects"),
                    rule("access-not-granted", "Access granted, otherwise than a suite expects"),
                    rule("no-public-access", "Public access, otherwise than a suite expects"),
                ],
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn rule(id: &str, text: &str) -> Json {
    json!({"id": id, "shortDescription": {"text": text}})
}

fn failures<'r>(
    test: &'r Test,
    outcomes: &'r [Outcome],
) -> impl Iterator<Item = (&'r Expectation, &'r Outcome)> {
    test.expectations.iter().zip(outcomes).filter(|(_, outcome)| !outcome.passed)
}

fn sums(runs: &[Run]) -> (usize, usize) {
    (runs.iter().map(Run::count).sum(), runs.iter().map(Run::failures).sum())
}

/// Text for XML. Characters that XML does not have, and those that a terminal obeys, are shown.
fn xml(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            '\n' => shown.push_str("&#10;"),
            '\u{fffe}' | '\u{ffff}' => shown.push('\u{fffd}'),
            c => shown.push_str(&terminal::text(c.encode_utf8(&mut [0; 4]))),
        }
    }
    shown
}

/// A file name as a relative reference (RFC 3986).
fn uri(file: &str) -> String {
    let mut shown = String::new();
    for byte in file.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' | b'~' => {
                shown.push(char::from(byte));
            }
            byte => {
                // Writing to a string cannot fail.
                let _ = write!(shown, "%{byte:02X}");
            }
        }
    }
    shown
}
