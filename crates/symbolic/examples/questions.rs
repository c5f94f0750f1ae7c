//! Writes questions with their answers, one JSON object a line, for whoever answers them too:
//! `questions random SEED COUNT` or `questions managed SEED COUNT`, the latter of the AWS managed
//! policies: versions and mutants.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a tool of the tests")]

#[path = "../tests/grammar/mod.rs"]
mod grammar;

use std::collections::{BTreeMap, BTreeSet};

use bailiwick_catalog::Catalog;
use bailiwick_policy::{Document, DocumentKind};
use bailiwick_symbolic::{Answer, implies};
use grammar::dice::Dice;
use grammar::mutants::{CHANGES, mutate};
use grammar::{parse, statement};
use serde_json::{Value, json};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [what, seed, count] = arguments.as_slice() else {
        println!("questions random|managed SEED COUNT");
        return;
    };
    let mut dice = Dice(seed.parse().unwrap());
    let count: usize = count.parse().unwrap();
    for id in 0..count {
        let (existing, new) =
            if what == "managed" { managed(&mut dice) } else { random(&mut dice) };
        write(id, &existing, &new);
    }
}

/// Two policies of the small grammar that have much in common.
fn random(dice: &mut Dice) -> (Document, Document) {
    let conditions = dice.roll(4);
    let old = dice.roll(8) == 0;
    let existing: Vec<String> =
        (0..=dice.roll(3)).map(|_| statement(dice, false, conditions)).collect();
    let mut new = existing.clone();
    let at = dice.roll(new.len());
    match dice.roll(4) {
        0 => new = (0..=dice.roll(2)).map(|_| statement(dice, false, conditions)).collect(),
        1 if new.len() > 1 => drop(new.remove(at)),
        2 => new.push(statement(dice, false, conditions)),
        _ => new[at] = statement(dice, false, conditions),
    }
    let kind = DocumentKind::Identity;
    (parse(&existing, kind, old), parse(&new, kind, old))
}

/// Two versions of a managed policy, or one and a mutant of it, either way round.
fn managed(dice: &mut Dice) -> (Document, Document) {
    let all: Vec<_> = Catalog::embedded().managed_policies().collect();
    let parse = |text: &str| Document::parse(text, DocumentKind::Identity).unwrap();
    loop {
        let policy = &all[dice.roll(all.len())];
        let text = policy.default_document();
        // Z3 takes minutes for the longest.
        if text.len() > 4000 {
            continue;
        }
        let (mut one, mut other) = if policy.versions.len() > 1 && dice.roll(2) == 0 {
            let at = dice.roll(policy.versions.len() - 1);
            (parse(&policy.versions[at].document()), parse(&policy.versions[at + 1].document()))
        } else {
            let mut json: Value = serde_json::from_str(&text).unwrap();
            let change = dice.roll(CHANGES.len());
            if !mutate(dice, &mut json, change) {
                continue;
            }
            let Ok(mutant) = Document::parse(&json.to_string(), DocumentKind::Identity) else {
                continue;
            };
            (parse(&text), mutant)
        };
        if dice.roll(2) == 0 {
            std::mem::swap(&mut one, &mut other);
        }
        return (one, other);
    }
}

fn write(id: usize, existing: &Document, new: &Document) {
    let answer = implies(existing, new);
    let (word, witness) = match &answer {
        Answer::Holds => ("holds", None),
        Answer::Fails(witness) => ("fails", Some(witness)),
        Answer::Undecided(_) => ("undecided", None),
    };
    let mut kinds: BTreeMap<String, String> = BTreeMap::new();
    let mut multivalued: BTreeSet<String> = BTreeSet::new();
    for statement in existing.statements().iter().chain(new.statements()) {
        for view in statement.condition_views() {
            let (key, several) = view.key();
            if several {
                multivalued.insert(key.to_owned());
            }
            if let Some(known) = Catalog::embedded().condition_key(key) {
                kinds.insert(key.to_owned(), format!("{:?}", known.kind));
            }
        }
    }
    let json = |document: &Document| serde_json::from_str::<Value>(document.source()).unwrap();
    println!(
        "{}",
        json!({"id": id, "existing": json(existing), "new": json(new), "answer": word,
            "witness": witness, "kinds": kinds, "multivalued": multivalued})
    );
}
