//! Every vector of `corpus/decisions/` against the reference evaluator.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fs;
use std::path::Path;

use bailiwick_reference::evaluate::{Outcome, evaluate, evaluate_text};
use serde_json::Value;

#[test]
fn the_vectors_hold() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/decisions");
    let mut count = 0;
    let mut failures = Vec::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        // One vector stands on each line.
        for line in text.lines().map(|line| line.trim_end_matches(',')) {
            let Ok(vector @ Value::Object(_)) = serde_json::from_str(line) else {
                continue;
            };
            if !vector["simulate"].is_null() {
                continue; // Those speak of the simulator's answers.
            }
            count += 1;
            for found in [evaluate_text(line), evaluate(&vector)] {
                if !expected(&vector["expect"], &found) {
                    failures.push(format!("{}: {found:?}, not {}", vector["id"], vector["expect"]));
                    break;
                }
            }
        }
    }
    assert!(count > 1400, "only {count} vectors in {}", folder.display());
    assert!(failures.is_empty(), "{} of {count} fail:\n{}", failures.len(), failures.join("\n"));
}

/// What is wrong with a case may be said in other words, but must be said.
fn expected(expect: &Value, found: &Result<Outcome, String>) -> bool {
    match found {
        Ok(outcome) => {
            expect["decision"] == outcome.decision && expect["reason"] == outcome.reason.as_str()
        }
        Err(_) => expect["error"].is_string(),
    }
}
