//! The AWS managed policies and their mutants: always answered, and fast.
//!
//! The test that runs by default asks about some of them. The one that is ignored asks about all,
//! and tells how long the answers took:
//! `cargo test --release -p bailiwick-symbolic --test managed -- --ignored --nocapture`.

#![allow(clippy::unwrap_used, reason = "a test fails where a fixture is wrong")]

mod grammar;

use std::time::{Duration, Instant};

use bailiwick_catalog::Catalog;
use bailiwick_policy::{Document, DocumentKind};
use bailiwick_symbolic::{Answer, implies};
use grammar::dice::Dice;
use grammar::mutants::{CHANGES, mutate};
use serde_json::{Value, json};

fn parse(text: &str) -> Document {
    Document::parse(text, DocumentKind::Identity).unwrap()
}

/// What was answered, and in which time.
#[derive(Default)]
struct Tally {
    times: Vec<(Duration, String)>,
    holds: usize,
    fails: usize,
    undecided: Vec<String>,
}

impl Tally {
    /// Whether `new` allows no more than `existing`, with what must come out if that is known.
    fn ask(&mut self, existing: &Document, new: &Document, what: String, expected: Option<bool>) {
        let begun = Instant::now();
        let answer = implies(existing, new);
        self.times.push((begun.elapsed(), what.clone()));
        match &answer {
            Answer::Holds => self.holds += 1,
            Answer::Fails(_) => self.fails += 1,
            Answer::Undecided(reason) => self.undecided.push(format!("{what}: {reason}")),
        }
        assert!(expected.is_none_or(|holds| answer.holds() == holds), "{what}: {answer:?}");
    }

    fn tell(mut self, what: &str) {
        self.times.sort();
        let at = |share: usize| self.times[(self.times.len() - 1) * share / 1000].0;
        println!(
            "{what}: {} questions, {} hold, {} fail, {} undecided; median {:?}, p90 {:?}, p99 {:?}, \
             p99.9 {:?}, slowest {:?}",
            self.times.len(),
            self.holds,
            self.fails,
            self.undecided.len(),
            at(500),
            at(900),
            at(990),
            at(999),
            &self.times[self.times.len().saturating_sub(8)..],
        );
        assert!(self.undecided.is_empty(), "{:#?}", self.undecided);
    }
}

/// Pairs of versions, and pairs of which the answer is known.
fn versions(step: usize) -> Tally {
    let mut tally = Tally::default();
    for policy in Catalog::embedded().managed_policies().step_by(step) {
        let current = parse(&policy.default_document());
        let versions: Vec<Document> =
            policy.versions.iter().map(|version| parse(&version.document())).collect();
        for pair in versions.windows(2) {
            tally.ask(&pair[0], &pair[1], format!("{} forwards", policy.name), None);
            tally.ask(&pair[1], &pair[0], format!("{} backwards", policy.name), None);
        }
        // The same policy in other words, and one with a denial more.
        let text = policy.default_document();
        let same = parse(&format!("{text} "));
        tally.ask(&current, &same, format!("{} itself", policy.name), Some(true));
        let mut json: Value = serde_json::from_str(&text).unwrap();
        if let Some(list) = json["Statement"].as_array_mut() {
            list.reverse();
            list.push(json!({
                "Effect": "Deny", "Action": "*", "Resource": "*",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}}
            }));
        }
        let stricter = parse(&json.to_string());
        tally.ask(&current, &stricter, format!("{} stricter", policy.name), Some(true));
    }
    tally
}

fn mutants(step: usize) -> Tally {
    let mut dice = Dice(11);
    let mut tally = Tally::default();
    for policy in Catalog::embedded().managed_policies().step_by(step) {
        let text = policy.default_document();
        let (current, json) = (parse(&text), serde_json::from_str::<Value>(&text).unwrap());
        for (number, (change, stricter)) in CHANGES.iter().enumerate() {
            let mut json = json.clone();
            if !mutate(&mut dice, &mut json, number) {
                continue;
            }
            let Ok(mutant) = Document::parse(&json.to_string(), DocumentKind::Identity) else {
                continue;
            };
            let holds = stricter.then_some(true);
            tally.ask(&current, &mutant, format!("{} {change}", policy.name), holds);
            tally.ask(&mutant, &current, format!("{} {change} back", policy.name), None);
        }
    }
    tally
}

#[test]
fn managed_policies_are_decided() {
    versions(40).tell("versions");
    mutants(60).tell("mutants");
}

#[test]
#[ignore = "asks about all managed policies"]
fn all_managed_policies_in_figures() {
    versions(1).tell("versions");
    mutants(1).tell("mutants");
}
