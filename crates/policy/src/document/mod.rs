//! Policy documents: the text, byte for byte, and what it says, compiled.
//!
//! [`Document::parse`] reads what is stored and refuses only what has no meaning;
//! [`Document::parse_strict`] also refuses what IAM refuses at write. Bound documents match
//! principals by unique id (PR-12).

mod bind;
mod check;
mod compile;
mod error;
mod grammar;
mod index;
mod position;
mod principal;
mod print;
mod shared_issuer;
mod statement;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, OnceLock};

use bailiwick_identifiers::UniqueId;
use serde::Serialize;

pub use error::{DocumentError, Problem};
pub(crate) use principal::{Entry, PrincipalElement};
pub use principal::{PrincipalText, PrincipalType};
pub use statement::{ConditionText, Effect, Statement};

pub(crate) use index::{Index, Probe, segments};
use position::Places;
pub use position::Position;

/// What a document is for. It decides which elements it has and how short resource patterns are
/// read (RES-5).
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub enum DocumentKind {
    /// Identity policy: of a user, group or role, inline or managed.
    Identity,
    /// Trust policy of a role.
    Trust,
    /// Policy of a resource, or of a VPC endpoint.
    Resource,
    /// Managed policy in its use as permissions boundary.
    Boundary,
    /// Policy passed when a session is made.
    Session,
    /// Service control policy.
    ServiceControl,
    /// Resource control policy.
    ResourceControl,
}

impl DocumentKind {
    /// Whether statements name principals (PR-15).
    pub const fn has_principal(self) -> bool {
        matches!(self, Self::Trust | Self::Resource | Self::ResourceControl)
    }

    /// Whether statements must name resources; in the others a missing one means the resource
    /// itself (RES-9).
    pub const fn needs_resource(self) -> bool {
        !matches!(self, Self::Trust | Self::Resource)
    }
}

/// The version of the policy language (GR-2). An absent Version means the old one.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Version {
    /// `2008-10-17`: no variables (GR-3).
    #[serde(rename = "2008-10-17")]
    V2008,
    /// `2012-10-17`.
    #[serde(rename = "2012-10-17")]
    V2012,
}

/// A compiled policy document. Cheap to clone.
#[derive(Clone)]
pub struct Document {
    inner: Arc<Inner>,
}

struct Inner {
    text: Arc<str>,
    kind: DocumentKind,
    version: Version,
    id: Option<Box<str>>,
    statements: Vec<Statement>,
    index: Option<Index>,
    /// Made when a place is first asked for.
    places: OnceLock<Places>,
}

impl Document {
    /// Reads a stored document for evaluation. Lenient: refuses only what is no policy at all,
    /// such as wrong JSON, unknown elements or both Action and NotAction. What does not follow the
    /// finer rules is kept and grants less.
    ///
    /// # Errors
    /// The first problem with its place. Whoever meets one while deciding must deny (IN-6).
    pub fn parse(text: &str, kind: DocumentKind) -> Result<Self, DocumentError> {
        let raw = grammar::read(text, kind)?;
        check::shape(&raw, text, kind)?;
        Ok(Self::compile(text, kind, &raw))
    }

    /// Reads a document that is to be written, with all that IAM refuses at write, in IAM's order
    /// (GR-7, TR-11, ST, ACT, RES and OP rules). That the named principals exist is for the caller
    /// to check with [`Document::principals`].
    ///
    /// # Errors
    /// The first problem with its place.
    pub fn parse_strict(text: &str, kind: DocumentKind) -> Result<Self, DocumentError> {
        check::characters(text, kind)?;
        let raw = grammar::read(text, kind)?;
        check::write(&raw, text, kind)?;
        Ok(Self::compile(text, kind, &raw))
    }

    /// Checks a stored document as if it were written now: see [`Document::parse_strict`].
    ///
    /// # Errors
    /// The first problem with its place.
    pub fn check(&self) -> Result<(), DocumentError> {
        Self::parse_strict(self.source(), self.kind()).map(drop)
    }

    /// The text, byte for byte as it was given.
    pub fn source(&self) -> &str {
        &self.inner.text
    }

    /// The text, shared.
    pub fn source_arc(&self) -> Arc<str> {
        Arc::clone(&self.inner.text)
    }

    /// What the document is for.
    pub fn kind(&self) -> DocumentKind {
        self.inner.kind
    }

    /// The version of the language; the old one where it is absent.
    pub fn version(&self) -> Version {
        self.inner.version
    }

    /// The Id element.
    pub fn id(&self) -> Option<&str> {
        self.inner.id.as_deref()
    }

    /// The statements, in the order of the text.
    pub fn statements(&self) -> &[Statement] {
        &self.inner.statements
    }

    /// The context keys that the document uses, in conditions and as variables, as written, each
    /// once without regard to case.
    pub fn uses_keys(&self) -> Vec<&str> {
        let mut seen = BTreeSet::new();
        let keys = self.statements().iter().flat_map(Statement::keys);
        keys.filter(|key| seen.insert(crate::fold::folded(key))).collect()
    }

    /// The entries of Principal and NotPrincipal with their types and places, for binding at
    /// write: whoever writes checks that the entities exist (PR-12).
    pub fn principals(&self) -> impl Iterator<Item = PrincipalText<'_>> {
        let elements =
            self.statements().iter().filter_map(|statement| statement.principal.as_ref());
        elements.flat_map(|element| element.entries.iter()).map(|entry| PrincipalText {
            kind: entry.kind,
            text: &entry.text,
            position: self.position(entry.span.start),
        })
    }

    /// The document with its AWS principals bound: user and role ARNs that `resolve` knows match
    /// by unique id only from then on, session ARNs through their role's ARN; those that it does
    /// not know match nothing (PR-12). Raw unique ids match by themselves (PR-13), and
    /// federated-user ARNs stay text.
    ///
    /// A session ARN has no path, so `resolve` is asked for `arn:P:iam::A:role/NAME` and must
    /// find the role of that name, whatever its path (PR-11).
    #[must_use]
    pub fn bind(&self, resolve: &dyn Fn(&str) -> Option<UniqueId>) -> Self {
        let statements =
            self.statements().iter().map(|statement| bind::statement(statement, resolve)).collect();
        Self::assemble(
            self.source_arc(),
            self.kind(),
            self.version(),
            self.inner.id.clone(),
            statements,
        )
    }

    /// The length that counts against IAM's quotas: characters without white space outside of
    /// strings (section 14).
    pub fn size_without_white_space(text: &str) -> usize {
        let mut in_string = false;
        let mut escaped = false;
        text.chars()
            .filter(|c| {
                let blank = !in_string && matches!(c, ' ' | '\t' | '\n' | '\r');
                if in_string {
                    in_string = escaped || *c != '"';
                    escaped = !escaped && *c == '\\';
                } else {
                    in_string = *c == '"';
                }
                !blank
            })
            .count()
    }

    /// The place of a byte of the text.
    pub fn position(&self, byte: u32) -> Position {
        self.inner.places.get_or_init(|| Places::of(self.source())).find(self.source(), byte)
    }

    /// The places of the statements that could match, in no order; nothing if there are too few
    /// to choose among.
    pub(crate) fn candidates<'p>(
        &self,
        probe: impl FnOnce() -> &'p Probe,
    ) -> Option<impl Iterator<Item = usize>> {
        self.inner.index.as_ref().map(|index| index.find(probe()))
    }

    fn compile(text: &str, kind: DocumentKind, raw: &grammar::RawDocument) -> Self {
        let version = compile::version(raw);
        let statements = compile::statements(raw, kind, version);
        let id = raw.id.as_deref().map(Into::into);
        Self::assemble(text.into(), kind, version, id, statements)
    }

    fn assemble(
        text: Arc<str>,
        kind: DocumentKind,
        version: Version,
        id: Option<Box<str>>,
        statements: Vec<Statement>,
    ) -> Self {
        let index = Index::of(statements.iter());
        Self {
            inner: Arc::new(Inner {
                text,
                kind,
                version,
                id,
                statements,
                index,
                places: OnceLock::new(),
            }),
        }
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("kind", &self.inner.kind)
            .field("source", &self.inner.text)
            .finish_non_exhaustive()
    }
}

/// Two documents are equal if their text, their use and the binding of their principals are.
impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        let bound = |document: &Self| {
            let elements = document.statements().iter().filter_map(|s| s.principal.as_ref());
            elements.flat_map(|e| e.entries.iter().map(|e| e.entry.clone())).collect::<Vec<_>>()
        };
        Arc::ptr_eq(&self.inner, &other.inner)
            || (self.kind() == other.kind()
                && self.source() == other.source()
                && bound(self) == bound(other))
    }
}

impl Eq for Document {}

#[cfg(test)]
mod tests;
