//! What is wrong with a case, and where.

use std::fmt;

use serde::ser::{Serialize, SerializeStruct, Serializer};
use serde_json::value::RawValue;

/// A case that cannot be asked. As JSON it is the line that answers it: `{"id", "error"}`.
#[derive(Clone, Debug)]
pub struct CaseError {
    /// The line, from 1; batches have one line a case, so this is 1 there.
    pub line: usize,
    /// The column, from 1, in Unicode scalars.
    pub column: usize,
    /// What is wrong.
    pub problem: CaseProblem,
    id: Option<Box<RawValue>>,
}

/// What is wrong with a case.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CaseProblem {
    /// Longer than 16 MiB.
    #[error("longer than 16,777,216 bytes")]
    TooLong,
    /// Not JSON.
    #[error("no JSON: {0}")]
    Json(String),
    /// A field that must be there is not.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A field of the wrong type or form.
    #[error("`{field}` must be {expected}")]
    Wrong {
        /// The field.
        field: String,
        /// What it must be.
        expected: &'static str,
    },
    /// A field that is unknown but looks like a known one: it would limit nothing.
    #[error("unknown field `{found}`; is `{meant}` meant?")]
    Misspelt {
        /// The name as it stands.
        found: String,
        /// The field that it resembles.
        meant: &'static str,
    },
    /// The same field or context key twice.
    #[error("`{0}` stands twice")]
    Twice(String),
    /// A text of the request is longer than it may be.
    #[error("`{field}` is longer than {limit} bytes")]
    Oversized {
        /// The field or context key.
        field: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// More than 4,096 context keys.
    #[error("more than 4,096 context keys")]
    TooManyKeys,
}

impl CaseProblem {
    /// The problem at this byte of the text.
    pub(super) fn at(self, text: &str, byte: usize) -> CaseError {
        let before = text.get(..byte.min(text.len())).unwrap_or(text);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
        CaseError { line, column, problem: self, id: None }
    }
}

impl CaseError {
    /// The id of the case as it stands in its line, a JSON text, if it could be read.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref().map(RawValue::get)
    }

    pub(super) fn of(self, id: Option<Box<RawValue>>) -> Self {
        Self { id, ..self }
    }
}

impl fmt::Display for CaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.problem)
    }
}

impl std::error::Error for CaseError {}

impl Serialize for CaseError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("CaseError", 2)?;
        match &self.id {
            Some(id) => out.serialize_field("id", id)?,
            None => out.serialize_field("id", &())?,
        }
        out.serialize_field("error", &format_args!("{self}"))?;
        out.end()
    }
}
