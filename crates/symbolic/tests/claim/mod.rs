//! Policies of a statement or two, and what is claimed of them.

#![allow(dead_code, reason = "each test takes what it needs")]

use bailiwick_policy::{Document, DocumentKind};
use bailiwick_symbolic::{Answer, implies};

pub(crate) fn identity(statements: &str) -> Document {
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
    Document::parse(&text, DocumentKind::Identity).unwrap()
}

pub(crate) fn resource(statements: &str) -> Document {
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
    Document::parse(&text, DocumentKind::Resource).unwrap()
}

/// `holds`, `fails` or `undecided`.
pub(crate) fn word(answer: &Answer) -> &'static str {
    match answer {
        Answer::Holds => "holds",
        Answer::Fails(_) => "fails",
        Answer::Undecided(_) => "undecided",
    }
}

pub(crate) fn check(existing: &Document, new: &Document, expected: &str, what: &str) {
    let answer = implies(existing, new);
    assert_eq!(word(&answer), expected, "{what}: {answer:?}");
}

pub(crate) fn when(effect: &str, condition: &str) -> String {
    format!(
        r#"{{"Effect": "{effect}", "Action": "s3:*", "Resource": "*", "Condition": {{{condition}}}}}"#
    )
}
