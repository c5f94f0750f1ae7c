//! The AWS managed policies and their mutants: always answered, and fast.
//! `BAILIWICK_SYMBOLIC_ALL` asks about all of them instead of some.

#![allow(clippy::unwrap_used, reason = "a test fails where a fixture is wrong")]

use std::time::{Duration, Instant};

use bailiwick_catalog::Catalog;
use bailiwick_policy::{Document, DocumentKind};
use bailiwick_symbolic::{Answer, implies};

fn parse(text: &str) -> Document {
    Document::parse(text, DocumentKind::Identity).unwrap()
}

#[test]
fn managed_policies_are_decided() {
    let step = if std::env::var("BAILIWICK_SYMBOLIC_ALL").is_ok() { 1 } else { 40 };
    let mut times: Vec<(Duration, String)> = Vec::new();
    let (mut holds, mut fails) = (0, 0);
    let mut undecided: Vec<String> = Vec::new();
    let mut ask = |existing: &Document, new: &Document, what: String, expected: Option<bool>| {
        let begun = Instant::now();
        let answer = implies(existing, new);
        times.push((begun.elapsed(), what.clone()));
        match answer {
            Answer::Holds => holds += 1,
            Answer::Fails(_) => fails += 1,
            Answer::Undecided(reason) => undecided.push(format!("{what}: {reason}")),
        }
        assert!(expected != Some(true) || answer.witness().is_none(), "{what}: {answer:?}");
    };
    let catalog = Catalog::embedded();
    for policy in catalog.managed_policies().step_by(step) {
        let current = parse(&policy.default_document());
        let versions: Vec<Document> =
            policy.versions.iter().map(|version| parse(&version.document())).collect();
        for pair in versions.windows(2) {
            ask(&pair[0], &pair[1], format!("{} forwards", policy.name), None);
            ask(&pair[1], &pair[0], format!("{} backwards", policy.name), None);
        }
        // The same policy in other words, and one with a denial more.
        let text = policy.default_document();
        let same = parse(&format!("{text} "));
        ask(&current, &same, format!("{} itself", policy.name), Some(true));
        let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
        if let Some(list) = json["Statement"].as_array_mut() {
            list.reverse();
            list.push(serde_json::json!({
                "Effect": "Deny", "Action": "*", "Resource": "*",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}}
            }));
        }
        let stricter = parse(&json.to_string());
        ask(&current, &stricter, format!("{} stricter", policy.name), Some(true));
    }
    times.sort();
    let at = |share: usize| times[(times.len() - 1) * share / 100].clone();
    println!(
        "{holds} hold, {fails} fail; median {:?}, p99 {:?}, slowest {:?}",
        at(50).0,
        at(99).0,
        times.last()
    );
    assert!(undecided.is_empty(), "{undecided:#?}");
}
