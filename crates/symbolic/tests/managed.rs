//! The AWS managed policies and their mutants: always answered, and fast.
//!
//! The test that runs by default asks about some of them. The one that is ignored asks about all,
//! and tells how long the answers took:
//! `cargo test --release -p bailiwick-symbolic --test managed -- --ignored --nocapture`.

#![allow(clippy::unwrap_used, reason = "a test fails where a fixture is wrong")]

mod dice;

use std::time::{Duration, Instant};

use bailiwick_catalog::Catalog;
use bailiwick_policy::{Document, DocumentKind};
use bailiwick_symbolic::{Answer, implies};
use dice::Dice;
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

/// How a policy is changed; `true` where it can only allow less by that.
const CHANGES: [(&str, bool); 10] = [
    ("wider action", false),
    ("narrower action", true),
    ("wider resource", false),
    ("narrower resource", true),
    ("statement more", false),
    ("statement less", false),
    ("condition more", false),
    ("condition less", false),
    ("action to not action", false),
    ("denial more", true),
];

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

/// Changes one thing; `false` where there is nothing of the kind.
fn mutate(dice: &mut Dice, policy: &mut Value, change: usize) -> bool {
    if policy["Statement"].is_object() {
        policy["Statement"] = json!([policy["Statement"]]);
    }
    let Some(list) = policy["Statement"].as_array_mut().filter(|list| !list.is_empty()) else {
        return false;
    };
    let at = dice.roll(list.len());
    let statement = &mut list[at];
    let allows = statement["Effect"] == "Allow";
    match change {
        0 | 1 | 2 | 3 if !allows => false,
        0 => one_of(dice, statement, "Action", |text| match text.split_once(':') {
            Some((service, name)) if name.len() > 4 => format!("{service}:{}*", &name[..4]),
            _ => "*".to_owned(),
        }),
        1 => one_of(dice, statement, "Action", |text| match text.strip_suffix('*') {
            Some(start) if start.contains(':') => format!("{start}Zone*"),
            _ => text.to_owned(),
        }),
        2 => one_of(dice, statement, "Resource", |text| match text.rsplit_once([':', '/']) {
            Some((start, _)) => format!("{start}:*"),
            None => "*".to_owned(),
        }),
        3 => {
            if statement["Resource"] != "*" {
                return false;
            }
            statement["Resource"] = json!(["arn:aws:s3:::a/*", "arn:aws:ec2:*:*:instance/*"]);
            true
        }
        4 => {
            list.push(json!({"Effect": "Allow", "Resource": "*",
                "Action": ["s3:GetObject", "ec2:Describe*", "iam:PassRole"]}));
            true
        }
        5 => {
            list.remove(at);
            !list.is_empty()
        }
        6 => {
            statement["Condition"]["StringEquals"]["aws:RequestedRegion"] =
                json!(["eu-west-1", "eu-central-1"]);
            true
        }
        7 => statement.as_object_mut().unwrap().remove("Condition").is_some(),
        8 => {
            let Some(actions) = statement.as_object_mut().unwrap().remove("Action") else {
                return false;
            };
            statement["NotAction"] = actions;
            true
        }
        _ => {
            list.push(json!({"Effect": "Deny", "Action": ["*:Delete*", "iam:*"], "Resource": "*",
                "Condition": {"StringNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/admin*"}}}));
            true
        }
    }
}

/// Changes one text of an element.
fn one_of(
    dice: &mut Dice,
    statement: &mut Value,
    element: &str,
    change: impl Fn(&str) -> String,
) -> bool {
    match &mut statement[element] {
        Value::String(text) => *text = change(text),
        Value::Array(list) if !list.is_empty() => {
            let at = dice.roll(list.len());
            let text = list[at].as_str().unwrap();
            list[at] = change(text).into();
        }
        _ => return false,
    }
    true
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
