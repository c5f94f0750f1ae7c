//! An audit for programs: JSON, CSV, SARIF and OCSF.

use std::io::{self, Write};

use bailiwick_analyzer::evidence::Evidence;
use bailiwick_analyzer::posture::{Finding, Outcome, Report, Row, Severity};
use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::terminal;

/// The whole report.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Whole<'a> {
    #[serde(flatten)]
    report: &'a Report,
    faults: Vec<Json>,
    notes: &'a [String],
    reader_notes: Vec<String>,
}

pub(super) fn json(out: &mut impl Write, report: &Report, evidence: &Evidence) -> io::Result<()> {
    let notes = evidence.details.known().map_or(&[][..], |details| &details.notes);
    let whole = Whole {
        report,
        faults: evidence.faults.iter().map(fault).collect(),
        notes: &evidence.notes,
        reader_notes: notes.iter().map(|note| format!("{}: {}", note.about, note.text)).collect(),
    };
    let mut shown = Shown { out, rest: Vec::new() };
    serde_json::to_writer_pretty(&mut shown, &whole).map_err(io::Error::other)?;
    shown.flush()?;
    writeln!(out)
}

/// Writes JSON as a terminal may see it, without holding it whole.
struct Shown<'a, W: Write> {
    out: &'a mut W,
    /// What is held back until it is whole scalars.
    rest: Vec<u8>,
}

/// So many bytes are written at once.
const CHUNK: usize = 64 * 1024;

impl<W: Write> Shown<'_, W> {
    fn pass(&mut self, all: bool) -> io::Result<()> {
        let upto = match std::str::from_utf8(&self.rest) {
            Ok(text) => text.len(),
            Err(error) if all => error.valid_up_to().max(self.rest.len()),
            Err(error) => error.valid_up_to(),
        };
        let ready: Vec<u8> = self.rest.drain(..upto).collect();
        self.out.write_all(terminal::json(&String::from_utf8_lossy(&ready)).as_bytes())
    }
}

impl<W: Write> Write for Shown<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.rest.extend_from_slice(bytes);
        if self.rest.len() >= CHUNK {
            self.pass(false)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pass(true)
    }
}

fn fault(fault: &bailiwick_analyzer::evidence::Fault) -> Json {
    json!({
        "file": fault.file, "line": fault.line, "column": fault.column, "problem": fault.problem,
        "rest": fault.rest,
    })
}

const COLUMNS: [&str; 18] = [
    "id",
    "check",
    "title",
    "severity",
    "subject",
    "policy",
    "version",
    "statement",
    "sid",
    "why",
    "evidence_time",
    "fix",
    "commands",
    "diff",
    "new",
    "exception",
    "cis",
    "nist_800_53",
];

/// A line for each finding, as RFC 4180 has it.
pub(super) fn csv(out: &mut impl Write, report: &Report) -> io::Result<()> {
    writeln!(out, "{}", COLUMNS.join(","))?;
    for finding in &report.findings {
        let place = finding.place.clone().unwrap_or_default();
        let row = row_of(report, finding);
        let list = |list: fn(&Row) -> &Vec<&'static str>| {
            row.map(|row| list(row).join("; ")).unwrap_or_default()
        };
        let cells = [
            finding.id.to_string(),
            finding.check.to_owned(),
            finding.title.to_owned(),
            finding.severity.as_str().to_owned(),
            finding.subject.clone(),
            place.policy,
            place.version.unwrap_or_default(),
            place.statement.map(|number| number.to_string()).unwrap_or_default(),
            place.sid.unwrap_or_default(),
            finding.why.clone(),
            finding.time.map(|time| time.to_string()).unwrap_or_default(),
            finding.fix.text.clone(),
            finding.fix.commands.join("\n"),
            finding.fix.diff.clone().unwrap_or_default(),
            finding.is_new.map(|new| new.to_string()).unwrap_or_default(),
            finding.excepted.clone().unwrap_or_default(),
            list(|row| &row.cis),
            list(|row| &row.nist),
        ];
        let line: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
        writeln!(out, "{}", line.join(","))?;
    }
    Ok(())
}

/// A cell. What a spreadsheet would take for a formula is led by an apostrophe.
fn quoted(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let lead = if formula { "'" } else { "" };
    if formula || cell.contains([',', '"', '\n', '\r']) {
        format!("\"{lead}{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

fn row_of(report: &Report, finding: &Finding) -> Option<&'static Row> {
    report.checks.iter().find(|tally| tally.row.id == finding.check).map(|tally| tally.row)
}

/// SARIF 2.1.0. A finding is about a principal or resource, so its location is a logical one.
pub(super) fn sarif(out: &mut impl Write, report: &Report, evidence: &Evidence) -> io::Result<()> {
    let rules: Vec<Json> = report
        .checks
        .iter()
        .map(|tally| {
            let row = tally.row;
            json!({
                "id": row.id,
                "shortDescription": {"text": row.title},
                "properties": {
                    "security-severity": score(row.severity), "tags": tags(row),
                    "outcome": tally.outcome,
                },
            })
        })
        .collect();
    let results: Vec<Json> = report.findings.iter().map(sarif_result).collect();
    let faults: Vec<Json> = evidence
        .faults
        .iter()
        .map(|fault| {
            json!({
                "level": "error",
                "message": {"text": format!("{fault}")},
            })
        })
        .collect();
    let gaps = report.checks.iter().filter(|tally| tally.outcome == Outcome::NotAssessed);
    let gaps = gaps.map(|tally| {
        let missing = tally.not_assessed.first().map_or("", |gap| &gap.missing);
        json!({
            "level": "warning",
            "message": {"text": format!("{} is not assessed: {missing}", tally.row.id)},
        })
    });
    let notifications: Vec<Json> = faults.into_iter().chain(gaps).collect();
    let whole = json!({
        "version": "2.1.0",
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "runs": [{
            "tool": {"driver": {
                "name": "bailiwick audit", "version": env!("CARGO_PKG_VERSION"), "rules": rules,
            }},
            "invocations": [{
                "executionSuccessful": evidence.faults.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    writeln!(out, "{}", terminal::json(&format!("{whole:#}")))
}

fn sarif_result(finding: &Finding) -> Json {
    let level = match finding.severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    };
    let mut text = format!("{}: {}", finding.subject, finding.why);
    if !finding.fix.text.is_empty() {
        text.push_str("\nFix: ");
        text.push_str(&finding.fix.text);
    }
    let mut result = json!({
        "ruleId": finding.check,
        "level": level,
        "message": {"text": text},
        "partialFingerprints": {"findingId/v1": finding.id},
        "locations": [{"logicalLocations": [{
            "fullyQualifiedName": finding.subject, "kind": "resource",
        }]}],
        "properties": {"place": finding.place, "commands": finding.fix.commands, "diff": finding.fix.diff},
    });
    if let Some(new) = finding.is_new {
        result["baselineState"] = json!(if new { "new" } else { "unchanged" });
    }
    if let Some(reason) = &finding.excepted {
        result["suppressions"] = json!([{"kind": "external", "justification": reason}]);
    }
    result
}

/// The controls as tags.
fn tags(row: &Row) -> Vec<String> {
    let each = |prefix: &'static str, list: &[&'static str]| {
        list.iter().map(move |control| format!("{prefix} {control}")).collect::<Vec<_>>()
    };
    [
        each("CIS", &row.cis),
        each("NIST-800-53-r5", &row.nist),
        each("PCI-DSS-4.0", &row.pci),
        each("HIPAA", &row.hipaa),
        each("AWS", &row.controls),
    ]
    .concat()
}

const fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "3.0",
        Severity::Info => "0.0",
    }
}

/// Compliance findings of OCSF 1.3: one for each finding, and one for each check that passes or was
/// not assessed.
pub(super) fn ocsf(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let time = report.as_of.as_millisecond();
    let common = |row: &Row, status: (&str, u8), severity: u8, message: String| {
        json!({
            "class_uid": 2003, "class_name": "Compliance Finding", "category_uid": 2,
            "category_name": "Findings", "activity_id": 1, "activity_name": "Create",
            "type_uid": 200_301, "time": time, "severity_id": severity, "message": message,
            "metadata": {
                "version": "1.3.0",
                "product": {
                    "name": "bailiwick audit", "vendor_name": "Bailiwick",
                    "version": env!("CARGO_PKG_VERSION"),
                },
            },
            "cloud": {"provider": "AWS", "account": {"uid": report.account, "type_id": 10}},
            "compliance": {
                "control": row.id, "standards": standards(row), "requirements": tags(row),
                "status": status.0, "status_id": status.1,
            },
        })
    };
    for finding in &report.findings {
        let Some(row) = row_of(report, finding) else { continue };
        let mut event = common(row, ("Fail", 3), level(row.severity), finding.why.clone());
        event["finding_info"] = json!({
            "uid": finding.id, "title": finding.title, "desc": finding.why,
            "analytic": {"type_id": 1, "uid": finding.check, "name": finding.title},
        });
        event["resources"] =
            json!([{"uid": finding.subject, "cloud_partition": partition(&finding.subject)}]);
        event["remediation"] =
            json!({"desc": finding.fix.text, "references": finding.fix.commands});
        event["status"] = json!(if finding.excepted.is_some() { "Suppressed" } else { "New" });
        event["status_id"] = json!(if finding.excepted.is_some() { 3 } else { 1 });
        event["unmapped"] = json!({"place": finding.place, "diff": finding.fix.diff});
        writeln!(out, "{}", terminal::json(&event.to_string()))?;
    }
    for tally in &report.checks {
        let row = tally.row;
        let (status, message) = match tally.outcome {
            Outcome::Pass => (("Pass", 1), row.title.to_owned()),
            Outcome::NotAssessed | Outcome::NotBuilt => {
                let missing = tally.not_assessed.first().map_or("", |gap| &gap.missing);
                (("Unknown", 0), format!("not assessed: {missing}"))
            }
            Outcome::Fail | Outcome::NotApplicable => continue,
        };
        let mut event = common(row, status, 1, message);
        event["finding_info"] = json!({
            "uid": format!("{}:{}", report.account, row.id), "title": row.title,
            "analytic": {"type_id": 1, "uid": row.id, "name": row.title},
        });
        writeln!(out, "{}", terminal::json(&event.to_string()))?;
    }
    Ok(())
}

fn standards(row: &Row) -> Vec<&'static str> {
    let all = [
        (&row.cis, "CIS AWS Foundations Benchmark"),
        (&row.nist, "NIST 800-53 r5"),
        (&row.pci, "PCI DSS 4.0"),
        (&row.hipaa, "HIPAA"),
    ];
    all.into_iter().filter(|(list, _)| !list.is_empty()).map(|(_, name)| name).collect()
}

const fn level(severity: Severity) -> u8 {
    match severity {
        Severity::Info => 1,
        Severity::Low => 2,
        Severity::Medium => 3,
        Severity::High => 4,
        Severity::Critical => 5,
    }
}

fn partition(arn: &str) -> &str {
    arn.split(':').nth(1).unwrap_or("aws")
}

#[cfg(test)]
mod tests {
    use super::*;

    // Names come from the account: a spreadsheet must not run them.
    #[test]
    fn cells_are_no_formulas() {
        for (cell, expected) in [
            ("a", "a"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("=1+1", "\"'=1+1\""),
            ("@x", "\"'@x\""),
        ] {
            assert_eq!(quoted(cell), expected);
        }
    }
}
