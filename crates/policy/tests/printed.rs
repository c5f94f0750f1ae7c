//! Parse and print agree: for every AWS managed policy of the catalog, and for every policy in the
//! decision vectors, whatever it is for.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::path::Path;

use bailiwick_catalog::Catalog;
use bailiwick_policy::{Document, DocumentKind, Statement};
use serde_json::Value;

/// Reads a text, keeps its bytes, prints it, and reads the print to an equal document.
fn agrees(text: &str, kind: DocumentKind) -> bool {
    let Ok(document) = Document::parse(text, kind) else { return false };
    assert_eq!(document.source(), text, "the stored bytes are kept");
    let printed = document.to_string();
    let again = Document::parse(&printed, kind).unwrap_or_else(|e| panic!("{e}: {printed}"));
    assert_eq!(document.version(), again.version(), "{text}");
    assert_eq!(document.id(), again.id(), "{text}");
    assert_eq!(document.statements().len(), again.statements().len(), "{text}");
    for (one, other) in document.statements().iter().zip(again.statements()) {
        assert_eq!(words(one), words(other), "{text}\n{printed}");
    }
    let principals = |document: &Document| {
        let mut all: Vec<_> =
            document.principals().map(|p| (format!("{:?}", p.kind), p.text.to_owned())).collect();
        all.sort();
        all
    };
    assert_eq!(principals(&document), principals(&again), "{text}");
    assert_eq!(printed, again.to_string(), "a print is its own print");
    true
}

/// All that a statement says, but its principals.
fn words(statement: &Statement) -> Vec<String> {
    let mut words = vec![
        format!("{:?} {:?}", statement.sid(), statement.effect()),
        format!("{} {}", statement.is_not_action(), statement.is_not_resource()),
        format!("{} {}", statement.has_resources(), statement.is_not_principal()),
    ];
    words.extend(statement.actions().map(ToOwned::to_owned));
    words.extend(statement.resources().map(ToOwned::to_owned));
    words
        .extend(statement.conditions().map(|c| format!("{} {} {:?}", c.operator, c.key, c.values)));
    words
}

#[test]
fn every_managed_policy_parses_prints_and_parses_again() {
    let mut count = 0;
    for policy in Catalog::embedded().managed_policies() {
        let text = policy.default_document();
        assert!(agrees(&text, DocumentKind::Identity), "{}", policy.name);
        count += 1;
    }
    assert!(count > 1_000, "only {count} managed policies were found");
}

#[test]
fn every_policy_of_the_vectors_prints_as_it_reads() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/decisions");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for vector in serde_json::from_str::<Vec<Value>>(&text).unwrap() {
            let mut policies = Vec::new();
            collect(&vector, &mut policies);
            for policy in policies {
                let kinds = [
                    DocumentKind::Identity,
                    DocumentKind::Resource,
                    DocumentKind::Trust,
                    DocumentKind::ResourceControl,
                ];
                count += usize::from(kinds.into_iter().any(|kind| agrees(&policy, kind)));
            }
        }
    }
    assert!(count > 1_500, "only {count} policies were found");
}

/// The policies anywhere in a vector: objects with a Statement, and texts of such.
fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) if members.contains_key("Statement") => {
            found.push(value.to_string());
        }
        Value::Object(members) => members.values().for_each(|value| collect(value, found)),
        Value::Array(values) => values.iter().for_each(|value| collect(value, found)),
        Value::String(text) if text.contains("\"Statement\"") => found.push(text.clone()),
        _ => {}
    }
}
