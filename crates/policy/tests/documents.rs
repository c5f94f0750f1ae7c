//! Runs the document vectors in `corpus/documents`: what is refused at write, in whose words and
//! where; and what is accepted.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::path::Path;

use bailiwick_policy::{Document, DocumentKind};
use serde_json::Value;

#[test]
fn every_document_is_judged_as_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/documents");
    let mut failures = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for vector in serde_json::from_str::<Vec<Value>>(&text).unwrap() {
            count += 1;
            let id = vector["id"].as_str().unwrap();
            let text = vector["text"].as_str().unwrap();
            let kind = match vector["kind"].as_str().unwrap() {
                "identity" => DocumentKind::Identity,
                "trust" => DocumentKind::Trust,
                "resource" => DocumentKind::Resource,
                "scp" => DocumentKind::ServiceControl,
                "rcp" => DocumentKind::ResourceControl,
                "session" => DocumentKind::Session,
                other => panic!("{other}"),
            };
            let found = Document::parse_strict(text, kind);
            let found = found.map(drop).map_err(|error| (error.aws_message(), error));
            let stored = Document::parse(text, kind).is_ok();
            let expected = vector["message"].as_str();
            let place = vector["at"].as_array().map(|at| (at[0].as_u64(), at[1].as_u64()));
            let fits = match (&found, expected) {
                (Ok(()), None) => stored,
                (Err((message, error)), Some(expected)) => {
                    let at = (Some(error.line.into()), Some(error.column.into()));
                    message == expected && place.is_none_or(|place| place == at)
                }
                _ => false,
            };
            let stored_fits = vector["stored"].as_bool().is_none_or(|expected| expected == stored);
            if !fits || !stored_fits {
                failures.push(format!("{id}: {found:?}, stored {stored}, expected {vector}"));
            }
        }
    }
    assert!(count > 80, "only {count} vectors were found");
    assert!(failures.is_empty(), "{} of {count}:\n{}", failures.len(), failures.join("\n"));
}
