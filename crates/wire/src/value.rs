//! A value on its way between bytes and a generated struct. Codecs produce and consume these; the
//! schema says what to expect.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::secret::{Secret, SecretBytes};

/// A decoded value. Absence is `None` in the slot of the enclosing structure.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A boolean.
    Bool(bool),
    /// An integer or long; the decoder has checked its range.
    Integer(i64),
    /// A float or double.
    Double(f64),
    /// A text.
    String(String),
    /// A text of a sensitive type.
    Secret(Secret),
    /// Bytes.
    Blob(Vec<u8>),
    /// Bytes of a sensitive type.
    SecretBlob(SecretBytes),
    /// An instant.
    Timestamp(Timestamp),
    /// A list.
    List(Vec<Value>),
    /// A map.
    Map(BTreeMap<String, Value>),
    /// A structure: one slot for each member, in the schema's order.
    Struct(Vec<Option<Value>>),
}

impl Value {
    /// The text of a string, secret or not.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            Self::Secret(secret) => Some(secret.expose()),
            _ => None,
        }
    }

    /// The bytes of a blob, secret or not.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Blob(bytes) => Some(bytes),
            Self::SecretBlob(secret) => Some(secret.expose()),
            _ => None,
        }
    }

    /// The slots of a structure.
    pub fn slots(&self) -> &[Option<Value>] {
        match self {
            Self::Struct(slots) => slots,
            _ => &[],
        }
    }
}
