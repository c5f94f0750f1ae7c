//! The client's side of the query protocol: write a request, read an answer.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::scalar;
use crate::schema::{Fault, Kind, Operation, Structure, Type};
use crate::value::Value;
use crate::xml::{self, Node, XmlError};

/// All but the unreserved characters of RFC 3986.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Why an answer could not be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ResponseError {
    /// No XML that we take.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// XML, but not the answer of this operation.
    #[error("the answer has no `{0}` element")]
    Element(String),
    /// An element holds something else than its type says.
    #[error("expected {expected} in `{element}`")]
    Content {
        /// The element's name.
        element: String,
        /// The kind that was wanted.
        expected: &'static str,
    },
}

/// A failure that a service answered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ErrorReply {
    /// The code: `NoSuchEntity`.
    pub code: String,
    /// The text.
    pub message: String,
    /// Whose fault it is.
    pub fault: Fault,
    /// The request's id, when the answer names it.
    pub request_id: Option<String>,
}

/// The form body of a request.
pub fn encode_request(operation: &Operation, value: &Value) -> Vec<u8> {
    let mut form = FormWriter { out: String::new(), key: String::new() };
    form.field("Action", operation.name);
    form.field("Version", operation.service.api_version);
    if let Some(input) = operation.input {
        form.structure(input, value);
    }
    form.out.into_bytes()
}

struct FormWriter {
    out: String,
    key: String,
}

impl FormWriter {
    fn field(&mut self, key: &str, value: &str) {
        if !self.out.is_empty() {
            self.out.push('&');
        }
        self.out.extend(utf8_percent_encode(key, ESCAPED));
        self.out.push('=');
        self.out.extend(utf8_percent_encode(value, ESCAPED));
    }

    /// Runs `write` with `part` added to the key.
    fn under(&mut self, part: &str, write: impl FnOnce(&mut Self)) {
        let length = self.key.len();
        if length > 0 {
            self.key.push('.');
        }
        self.key.push_str(part);
        write(self);
        self.key.truncate(length);
    }

    fn leaf(&mut self, value: &str) {
        let key = std::mem::take(&mut self.key);
        self.field(&key, value);
        self.key = key;
    }

    fn structure(&mut self, structure: &Structure, value: &Value) {
        for (member, slot) in structure.members.iter().zip(value.slots()) {
            let Some(value) = slot else { continue };
            let name = match member.shape.kind {
                Kind::List(list) if list.flattened && list.item != "member" => list.item,
                _ => member.wire,
            };
            self.under(name, |form| form.value(member.shape, value));
        }
    }

    fn value(&mut self, shape: &Type, value: &Value) {
        match (shape.kind, value) {
            (Kind::Structure(inner), Value::Struct(slots)) => {
                if slots.iter().all(Option::is_none) {
                    self.leaf("");
                }
                self.structure(inner, value);
            }
            (Kind::List(_), Value::List(items)) if items.is_empty() => self.leaf(""),
            (Kind::List(list), Value::List(items)) => {
                let write = |form: &mut Self| {
                    for (at, item) in items.iter().enumerate() {
                        form.under(&(at + 1).to_string(), |form| form.value(list.shape, item));
                    }
                };
                if list.flattened { write(self) } else { self.under(list.item, write) }
            }
            (Kind::Map(_), Value::Map(entries)) if entries.is_empty() => self.leaf(""),
            (Kind::Map(map), Value::Map(entries)) => {
                let write = |form: &mut Self| {
                    for (at, (key, value)) in entries.iter().enumerate() {
                        form.under(&(at + 1).to_string(), |form| {
                            form.under(map.key_name, |form| form.leaf(key));
                            form.under(map.value_name, |form| form.value(map.value, value));
                        });
                    }
                };
                if map.flattened { write(self) } else { self.under("entry", write) }
            }
            _ => {
                if let Some(text) = scalar::write(value) {
                    self.leaf(&text);
                }
            }
        }
    }
}

/// Reads the body of a success. Operations without output give an empty structure.
pub fn decode_response(operation: &Operation, body: &[u8]) -> Result<Value, ResponseError> {
    let root = xml::read(body)?;
    let expected = format!("{}Response", operation.name);
    if root.name != expected {
        return Err(ResponseError::Element(expected));
    }
    let Some(output) = operation.output else { return Ok(Value::Struct(Vec::new())) };
    let result = root
        .child(operation.result_wrapper)
        .ok_or_else(|| ResponseError::Element(operation.result_wrapper.to_owned()))?;
    structure(output, result)
}

/// Reads the body of a failure.
pub fn decode_error(body: &[u8]) -> Result<ErrorReply, ResponseError> {
    let root = xml::read(body)?;
    let error = root.child("Error").ok_or_else(|| ResponseError::Element("Error".to_owned()))?;
    let text = |name: &str| error.child_text(name).unwrap_or_default().to_owned();
    Ok(ErrorReply {
        code: text("Code"),
        message: text("Message"),
        fault: if error.child_text("Type") == Some("Receiver") {
            Fault::Receiver
        } else {
            Fault::Sender
        },
        request_id: root.child_text("RequestId").map(ToOwned::to_owned),
    })
}

fn structure(structure: &Structure, node: &Node) -> Result<Value, ResponseError> {
    let slot = |member: &crate::schema::Member| match member.shape.kind {
        Kind::List(list) if list.flattened => {
            let name = if list.item == "member" { member.wire } else { list.item };
            let items: Vec<&Node> =
                node.children.iter().filter(|child| child.name == name).collect();
            if items.is_empty() {
                return Ok(None);
            }
            let items: Result<Vec<_>, _> =
                items.into_iter().map(|item| value(list.shape, item)).collect();
            items.map(|items| Some(Value::List(items)))
        }
        _ => node.child(member.wire).map(|child| value(member.shape, child)).transpose(),
    };
    let slots: Result<Vec<_>, _> = structure.members.iter().map(slot).collect();
    slots.map(Value::Struct)
}

fn value(shape: &Type, node: &Node) -> Result<Value, ResponseError> {
    match shape.kind {
        Kind::Structure(inner) => structure(inner, node),
        Kind::List(list) => {
            let items: Result<Vec<_>, _> = node
                .children
                .iter()
                .filter(|child| child.name == list.item)
                .map(|child| value(list.shape, child))
                .collect();
            items.map(Value::List)
        }
        Kind::Map(map) => {
            let mut out = BTreeMap::new();
            for entry in &node.children {
                let key = entry.child_text(map.key_name).unwrap_or_default().to_owned();
                let held = entry
                    .child(map.value_name)
                    .ok_or_else(|| ResponseError::Element(map.value_name.to_owned()))?;
                out.insert(key, value(map.value, held)?);
            }
            Ok(Value::Map(out))
        }
        _ => scalar::read(&node.text, shape)
            .map_err(|expected| ResponseError::Content { element: node.name.clone(), expected }),
    }
}
