//! Policy documents: any text, read as each kind.
//!
//! - Nothing panics, and what is read is JSON to another reader too.
//! - What may be written can be read when it is stored.
//! - What was read prints as a text that says the same, and prints alike again.
//! - Places lie in the text: of errors, statements and principals.

use bailiwick_policy::{Document, DocumentError, DocumentKind, Effect, PrincipalType, Version};
use serde::de::{Deserialize, IgnoredAny};

const KINDS: [DocumentKind; 7] = [
    DocumentKind::Identity,
    DocumentKind::Trust,
    DocumentKind::Resource,
    DocumentKind::Boundary,
    DocumentKind::Session,
    DocumentKind::ServiceControl,
    DocumentKind::ResourceControl,
];

/// Checks a text.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = Document::size_without_white_space(text);
    let mut is_json = None;
    for kind in KINDS {
        let strict = Document::parse_strict(text, kind);
        if let Err(error) = &strict {
            error_lies_in(text, error);
        }
        match Document::parse(text, kind) {
            Err(error) => {
                error_lies_in(text, &error);
                assert!(strict.is_err(), "{kind:?}: may be written, but not read: {error:?}");
            }
            Ok(document) => {
                let is_json = *is_json.get_or_insert_with(|| json(text));
                assert!(is_json, "{kind:?}: read, but is no JSON");
                assert_eq!(document.source(), text);
                assert_eq!(document.check().is_ok(), strict.is_ok(), "{kind:?}");
                places(&document);
                printed(&document, strict.is_ok());
            }
        }
    }
}

fn json(text: &str) -> bool {
    let mut reader = serde_json::Deserializer::from_str(text);
    // `IgnoredAny` looks at no number's size, which is none of the reader's business.
    let value: Result<IgnoredAny, _> = IgnoredAny::deserialize(&mut reader);
    value.and_then(|_| reader.end()).is_ok()
}

fn error_lies_in(text: &str, error: &DocumentError) {
    lies_in(text, error.line, error.column);
    assert!(!error.to_string().is_empty());
    assert!(!error.aws_message().is_empty());
}

/// Line and column, both from 1, are those of a scalar or of the end of a line.
fn lies_in(text: &str, line: u32, column: u32) {
    assert!(line >= 1 && column >= 1, "{line}:{column}");
    let found = text.split('\n').nth(line as usize - 1);
    let length = found.map(|found| found.chars().count());
    assert!(length.is_some_and(|length| column as usize <= length + 1), "{line}:{column} {text:?}");
}

fn places(document: &Document) {
    let text = document.source();
    let mut last = 0;
    for statement in document.statements() {
        let (bytes, reported) = (statement.bytes(), statement.reported_bytes());
        let part = text.get(bytes.start as usize..bytes.end as usize);
        assert!(
            part.is_some_and(|part| part.starts_with('{') && part.ends_with('}')),
            "{bytes:?} of {text:?}"
        );
        assert!(last <= bytes.start && reported.start <= bytes.end && reported.end == bytes.end);
        assert!(text.is_char_boundary(reported.start as usize));
        last = bytes.end;
        for byte in [bytes.start, bytes.end] {
            let place = document.position(byte);
            lies_in(text, place.line, place.column);
        }
    }
    for principal in document.principals() {
        lies_in(text, principal.position.line, principal.position.column);
    }
}

fn printed(document: &Document, strict: bool) {
    let kind = document.kind();
    let text = document.to_string();
    let again = Document::parse(&text, kind);
    let again = again.unwrap_or_else(|error| panic!("{kind:?}: {error:?} in {text}"));
    assert_eq!(said(document), said(&again), "{kind:?}: {text}");
    assert_eq!(again.to_string(), text, "{kind:?}");
    if strict {
        let written = Document::parse_strict(&text, kind);
        assert!(written.is_ok(), "{kind:?}: {written:?} in {text}");
    }
}

/// What a statement says.
#[derive(Debug, PartialEq)]
struct Said<'a> {
    sid: Option<&'a str>,
    effect: Effect,
    negated: [bool; 4],
    actions: Vec<&'a str>,
    resources: Vec<&'a str>,
    conditions: Vec<String>,
}

type Whole<'a> =
    (Version, Option<&'a str>, Vec<Said<'a>>, Vec<(&'static str, &'a str)>, Vec<&'a str>);

fn said(document: &Document) -> Whole<'_> {
    let statements = document.statements().iter().map(|statement| Said {
        sid: statement.sid(),
        effect: statement.effect(),
        negated: [
            statement.is_not_action(),
            statement.is_not_resource(),
            statement.has_resources(),
            statement.is_not_principal(),
        ],
        actions: statement.actions().collect(),
        resources: statement.resources().collect(),
        conditions: statement
            .conditions()
            .map(|held| format!("{} {} {:?}", held.operator, held.key, held.values))
            .collect(),
    });
    // Printing puts principals in the order of their types.
    let mut principals: Vec<_> =
        document.principals().map(|entry| (word(entry.kind), entry.text)).collect();
    principals.sort_unstable();
    (document.version(), document.id(), statements.collect(), principals, document.uses_keys())
}

const fn word(kind: PrincipalType) -> &'static str {
    match kind {
        PrincipalType::Bare => "",
        PrincipalType::Aws => "AWS",
        PrincipalType::Service => "Service",
        PrincipalType::Federated => "Federated",
        PrincipalType::CanonicalUser => "CanonicalUser",
    }
}
