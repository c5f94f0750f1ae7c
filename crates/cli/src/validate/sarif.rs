//! Findings as SARIF 2.1.0.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use bailiwick_analyzer::validate::{Finding, FindingType, IssueCode, Location};
use serde_json::{Value as Json, json};

use super::Validated;

/// A log of one run.
pub(super) fn log(all: &[Validated]) -> Json {
    let found: BTreeSet<IssueCode> =
        all.iter().flat_map(|one| &one.findings).map(|finding| finding.issue_code).collect();
    let rules: Vec<Json> = found.iter().map(|code| rule(*code)).collect();
    let index = |code: IssueCode| found.iter().position(|known| *known == code);
    let results: Vec<Json> = all
        .iter()
        .flat_map(|one| {
            one.findings.iter().map(|found| result(&one.input.name, found, index(found.issue_code)))
        })
        .collect();
    json!({
        "version": "2.1.0",
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "runs": [{
            "tool": {"driver": {
                "name": "bailiwick validate",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

pub(crate) fn rule(code: IssueCode) -> Json {
    json!({
        "id": code.as_str(),
        "shortDescription": {"text": code.title()},
        "fullDescription": {"text": code.meaning()},
        "helpUri": code.learn_more_link(),
        "defaultConfiguration": {"level": level(code.finding_type())},
        "properties": {"findingType": code.finding_type().as_str()},
    })
}

pub(crate) fn level(kind: FindingType) -> &'static str {
    match kind {
        FindingType::Error => "error",
        FindingType::SecurityWarning | FindingType::Warning => "warning",
        FindingType::Suggestion => "note",
    }
}

fn result(file: &str, finding: &Finding, index: Option<usize>) -> Json {
    let place = |location: &Location| {
        let (start, end) = (location.span.start, location.span.end);
        json!({"physicalLocation": {
            "artifactLocation": {"uri": uri(file)},
            "region": {
                "startLine": start.line,
                "startColumn": start.column + 1,
                "endLine": end.line,
                "endColumn": end.column + 1,
                "charOffset": start.offset,
                "charLength": end.offset.saturating_sub(start.offset),
            },
        }})
    };
    // Code hosts show the first place of a result only.
    let mut places = finding.locations.iter().map(place);
    let first: Vec<Json> = places.next().into_iter().collect();
    let related: Vec<Json> = places.collect();
    let mut told = json!({
        "ruleId": finding.issue_code.as_str(),
        "level": level(finding.finding_type),
        "message": {"text": finding.finding_details},
        "locations": first,
    });
    if let Some(members) = told.as_object_mut() {
        if let Some(index) = index {
            members.insert("ruleIndex".into(), json!(index));
        }
        if !related.is_empty() {
            members.insert("relatedLocations".into(), json!(related));
        }
    }
    told
}

/// A path as a relative reference: blanks and what is no ASCII escaped.
pub(crate) fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.trim_start_matches("./").bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}
