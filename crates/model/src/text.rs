//! Policy texts: the bytes as they were written, beside the document parsed from them.

use std::fmt;
use std::sync::Arc;

use bailiwick_identifiers::{Arn, UniqueId};
use bailiwick_policy::{Document, DocumentError, DocumentKind};
use serde::{Deserialize, Serialize};

/// The text of an identity policy. Stored texts that no longer parse are kept, and grant nothing
/// (IN-6): see [`IdentityText::document`].
#[derive(Clone, Deserialize, Serialize)]
#[serde(from = "String", into = "String")]
pub struct IdentityText {
    source: Arc<str>,
    document: Result<Arc<Document>, DocumentError>,
}

impl IdentityText {
    /// The text of a document that was checked for writing.
    pub fn of(document: Document) -> Self {
        Self { source: document.source().into(), document: Ok(Arc::new(document)) }
    }

    /// The text, byte for byte as it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The parsed document, or why there is none.
    pub fn document(&self) -> Result<&Arc<Document>, &DocumentError> {
        self.document.as_ref()
    }
}

impl From<String> for IdentityText {
    fn from(text: String) -> Self {
        let document = Document::parse(&text, DocumentKind::Identity).map(Arc::new);
        Self { source: text.into(), document }
    }
}

impl From<IdentityText> for String {
    fn from(text: IdentityText) -> Self {
        text.source.as_ref().into()
    }
}

impl PartialEq for IdentityText {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for IdentityText {}

impl fmt::Debug for IdentityText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.source, f)
    }
}

/// A principal of a trust policy and the entity that it named when the policy was written (PR-12).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Binding {
    /// The ARN in the text.
    pub arn: Arn,
    /// The user or role it named.
    pub id: UniqueId,
}

/// The trust policy of a role. Its principals are bound to the entities they named at write, so
/// that a new entity of an old name gets nothing (threat C11).
#[derive(Clone, Deserialize, Serialize)]
#[serde(from = "StoredTrust", into = "StoredTrust")]
pub struct TrustText {
    source: Arc<str>,
    bindings: Vec<Binding>,
    document: Result<Arc<Document>, DocumentError>,
}

#[derive(Deserialize, Serialize)]
struct StoredTrust {
    source: String,
    bindings: Vec<Binding>,
}

impl TrustText {
    /// The text of a document that was checked for writing, with what its principals name.
    pub fn of(document: &Document, bindings: Vec<Binding>) -> Self {
        let bound = bind(document, &bindings);
        Self { source: document.source().into(), bindings, document: Ok(Arc::new(bound)) }
    }

    /// The text of an export. Principals of other accounts (`foreign`) are ARNs of entities that
    /// lived when the export was made, but whose ids it does not tell: a text with such principals
    /// matches by ARN, which in one state of all accounts means the same.
    pub(crate) fn exported(
        source: &str,
        document: Result<Document, DocumentError>,
        bindings: Vec<Binding>,
        foreign: bool,
    ) -> Self {
        let document = document
            .map(|document| Arc::new(if foreign { document } else { bind(&document, &bindings) }));
        Self { source: source.into(), bindings, document }
    }

    /// The text, byte for byte as it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What its principals named when it was written.
    pub fn bindings(&self) -> &[Binding] {
        &self.bindings
    }

    /// The parsed document with bound principals, or why there is none.
    pub fn document(&self) -> Result<&Arc<Document>, &DocumentError> {
        self.document.as_ref()
    }

    /// The text as AWS shows it: principals whose entity is gone appear as their unique ids, all
    /// else byte for byte as it was written (condition values are not converted). `current` tells
    /// the ARN of an entity that lives.
    pub fn shown(&self, current: impl Fn(&UniqueId) -> Option<Arn>) -> String {
        let mut text = String::from(self.source.as_ref());
        let Ok(document) = &self.document else { return text };
        let mut places: Vec<_> = document.principals().collect();
        // From the end, so that earlier places stay where they are.
        places.sort_by_key(|place| std::cmp::Reverse((place.position.line, place.position.column)));
        for place in places {
            let bound = self.bindings.iter().find(|binding| binding.arn.as_str() == place.text);
            let Some(binding) = bound else { continue };
            let shown = current(&binding.id)
                .map_or_else(|| binding.id.as_str().to_owned(), |arn| arn.as_str().to_owned());
            if shown == binding.arn.as_str() {
                continue;
            }
            let written = format!("\"{}\"", binding.arn);
            let at = offset(&text, place.position.line, place.position.column);
            if text.get(at..).is_some_and(|rest| rest.starts_with(&written)) {
                text.replace_range(at..at + written.len(), &format!("\"{shown}\""));
            }
        }
        text
    }
}

/// The byte at which a line and column stand, both from 1, columns in Unicode scalars.
fn offset(text: &str, line: u32, column: u32) -> usize {
    let lines = text.split_inclusive('\n').take(line.saturating_sub(1) as usize);
    let start: usize = lines.map(str::len).sum();
    let rest = text.get(start..).unwrap_or_default();
    let within = rest.char_indices().nth(column.saturating_sub(1) as usize);
    start + within.map_or(rest.len(), |(at, _)| at)
}

fn bind(document: &Document, bindings: &[Binding]) -> Document {
    document.bind(&|arn: &str| {
        bindings.iter().find(|binding| binding.arn.as_str() == arn).map(|binding| binding.id)
    })
}

impl From<StoredTrust> for TrustText {
    fn from(stored: StoredTrust) -> Self {
        let document = Document::parse(&stored.source, DocumentKind::Trust)
            .map(|document| Arc::new(bind(&document, &stored.bindings)));
        Self { source: stored.source.into(), bindings: stored.bindings, document }
    }
}

impl From<TrustText> for StoredTrust {
    fn from(text: TrustText) -> Self {
        Self { source: text.source.as_ref().into(), bindings: text.bindings }
    }
}

impl PartialEq for TrustText {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source && self.bindings == other.bindings
    }
}

impl Eq for TrustText {}

impl fmt::Debug for TrustText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.source, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PR-12: a principal whose entity is gone is shown as its id; the same text as a condition
    /// value stays.
    #[test]
    fn shows_ids_of_the_deleted_in_principals_alone() {
        let arn = "arn:aws:iam::123456789012:user/bob";
        let text = format!(
            "{{\"Version\":\"2012-10-17\",\n \"Statement\":[{{\"Effect\":\"Allow\",\"Principal\":{{\"AWS\":[\"{arn}\"]}},\n  \"Action\":\"sts:AssumeRole\",\"Condition\":{{\"StringEquals\":{{\"aws:PrincipalArn\":\"{arn}\"}}}}}}]}}"
        );
        let document = Document::parse(&text, DocumentKind::Trust).unwrap();
        let id: UniqueId = "AIDAQQQQQQQQQQQQQQQQQ".parse().unwrap();
        let trust = TrustText::of(&document, vec![Binding { arn: arn.parse().unwrap(), id }]);
        assert_eq!(trust.shown(|_| Some(arn.parse().unwrap())), text);
        let gone = text.replacen(arn, id.as_str(), 1);
        assert_eq!(trust.shown(|_| None), gone);
        assert_ne!(gone, text);
    }

    #[test]
    fn keeps_the_bytes_of_texts_it_cannot_read() {
        let text = IdentityText::from("{ not json".to_owned());
        assert!(text.document().is_err());
        assert_eq!(text.source(), "{ not json");
    }
}
