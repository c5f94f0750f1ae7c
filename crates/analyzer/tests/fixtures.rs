//! Every code with a policy that has the fault and one that has not (`fixtures/validate.jsonl`, one
//! object a line: code, policy type, resource type, bad text, good text).
#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeSet;

use bailiwick_analyzer::validate::{
    Finding, FindingType, IssueCode, PolicyType, ResourceType, UNDECIDED, validate,
};
use serde_json::Value;

struct Fixture {
    code: String,
    policy_type: PolicyType,
    resource_type: Option<ResourceType>,
    bad: String,
    good: String,
}

fn fixtures() -> Vec<Fixture> {
    let lines = include_str!("fixtures/validate.jsonl").lines();
    lines
        .map(|line| {
            let value: Value = serde_json::from_str(line).unwrap();
            let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
            Fixture {
                code: text("code"),
                policy_type: PolicyType::parse(&text("type")).unwrap(),
                resource_type: ResourceType::parse(&text("resource")),
                bad: text("bad"),
                good: text("good"),
            }
        })
        .collect()
}

fn codes(findings: &[Finding]) -> Vec<&'static str> {
    findings.iter().map(|finding| finding.issue_code.as_str()).collect()
}

#[test]
fn each_fault_is_found_and_only_there() {
    let mut wrong = Vec::new();
    for fixture in fixtures() {
        let bad = validate(&fixture.bad, fixture.policy_type, fixture.resource_type);
        let good = validate(&fixture.good, fixture.policy_type, fixture.resource_type);
        if !codes(&bad).contains(&fixture.code.as_str()) {
            wrong.push(format!("{} is not found, but {:?}", fixture.code, codes(&bad)));
        }
        if codes(&good).contains(&fixture.code.as_str()) {
            wrong.push(format!("{} is found in {}", fixture.code, fixture.good));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_code_has_fixtures_or_a_reason() {
    let with: BTreeSet<String> = fixtures().into_iter().map(|fixture| fixture.code).collect();
    for code in IssueCode::ALL {
        let undecided = UNDECIDED.iter().any(|(found, reason)| found == code && !reason.is_empty());
        assert_ne!(with.contains(code.as_str()), undecided, "{code}");
    }
    assert_eq!(IssueCode::ALL.len(), 153);
    let known: BTreeSet<&str> = IssueCode::ALL.iter().map(|code| code.as_str()).collect();
    assert!(with.iter().all(|code| known.contains(code.as_str())));
}

/// The good texts are good.
#[test]
fn good_texts_have_no_other_error() {
    let mut wrong = Vec::new();
    for fixture in fixtures() {
        let good = validate(&fixture.good, fixture.policy_type, fixture.resource_type);
        for finding in good {
            if finding.finding_type == FindingType::Error {
                wrong.push(format!(
                    "{}: {} {}",
                    fixture.code, finding.issue_code, finding.finding_details
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
