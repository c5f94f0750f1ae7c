//! From JSON to a value, along the schema.
//!
//! The parser drives; what it meets goes straight into slots, without a tree between. Every level
//! passes through [`Seed`] or [`Skip`], which count the depth, so input cannot reach the stack's end.

use std::cell::Cell;
use std::collections::{BTreeMap, HashSet};
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use crate::schema::{Constraints, Kind, Member, Place, Sensitivity, Structure, TimeFormat, Type};
use crate::secret::{Secret, SecretBytes};
use crate::time::{from_epoch, parse_iso};
use crate::value::Value;

/// Deepest nesting.
pub const MAX_DEPTH: usize = 64;

/// A body that cannot be read. The text holds nothing of the body.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct JsonError {
    /// The code for the client.
    pub code: &'static str,
    /// The text for the client.
    pub message: String,
}

/// A failure that a service answered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ErrorReply {
    /// The code, without namespace or address.
    pub code: String,
    /// The text; empty when there is none.
    pub message: String,
}

/// Reads a body; an empty one counts as `{}`. The result is always a [`Value::Struct`].
pub fn decode(body: &[u8], structure: &'static Structure) -> Result<Value, JsonError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Struct(vec![None; structure.members.len()]));
    }
    let shape = Type {
        name: structure.name,
        kind: Kind::Structure(structure),
        constraints: Constraints::NONE,
        sensitivity: Sensitivity::Open,
    };
    let complaint = Cell::new(None);
    let mut parser = serde_json::Deserializer::from_slice(body);
    let seed = Seed { shape: &shape, depth: 0, complaint: &complaint };
    let read = seed.deserialize(&mut parser).and_then(|value| parser.end().map(|()| value));
    let fail = |message: String| Err(JsonError { code: "SerializationException", message });
    match (read, complaint.take()) {
        (Ok(Some(value)), _) => Ok(value),
        (_, Some(complaint)) => fail(complaint),
        (Ok(None), None) => fail("the body is null".to_owned()),
        // The parser has a limit of its own, beyond ours.
        (Err(error), None) if error.to_string().contains("recursion limit") => {
            fail(TOO_DEEP.to_owned())
        }
        (Err(_), None) => fail("the body is not well-formed JSON".to_owned()),
    }
}

/// Reads the body of a failure, with the header `x-amzn-errortype` if there is one.
pub fn decode_error(body: &[u8], header: Option<&str>) -> Result<ErrorReply, JsonError> {
    static TEXT: Type = Type {
        name: "text",
        kind: Kind::String(&[]),
        constraints: Constraints::NONE,
        sensitivity: Sensitivity::Open,
    };
    static REPLY: Structure = {
        const fn member(wire: &'static str) -> Member {
            Member { rust: wire, wire, place: Place::Body, required: false, shape: &TEXT }
        }
        const MEMBERS: &[Member] =
            &[member("__type"), member("code"), member("message"), member("Message")];
        Structure { name: "ErrorReply", union: false, members: MEMBERS }
    };
    let value = decode(body, &REPLY)?;
    let text = |at: usize| value.slots().get(at).and_then(Option::as_ref).and_then(Value::text);
    let code = text(0).or(text(1)).or(header).unwrap_or("UnknownError");
    let code = code.rsplit('#').next().unwrap_or(code);
    let code = code.split(':').next().unwrap_or(code);
    let message = text(2).or(text(3)).unwrap_or_default();
    Ok(ErrorReply { code: code.to_owned(), message: message.to_owned() })
}

const TOO_DEEP: &str = "the body is too deep";
const REPEATED: &str = "a key stands more than once";

/// Reads one value of a known type. A failure leaves its text in `complaint`.
#[derive(Clone, Copy)]
struct Seed<'a> {
    shape: &'a Type,
    depth: usize,
    complaint: &'a Cell<Option<String>>,
}

impl Seed<'_> {
    fn complain<E: serde::de::Error>(&self, text: impl Into<String>) -> E {
        self.complaint.set(Some(text.into()));
        E::custom("")
    }

    /// AWS's text for a scalar of the wrong kind.
    fn mismatch<E: serde::de::Error>(&self, found: &str) -> E {
        let wanted = match self.shape.kind {
            Kind::Boolean => "a Boolean",
            Kind::Integer => "an Integer",
            Kind::Long => "a Long",
            Kind::Double => "a Double",
            Kind::String(_) => "a String",
            Kind::Blob => "a Blob",
            Kind::Timestamp(_) => "a Timestamp",
            Kind::List(_) => "a List",
            Kind::Map(_) => "a Map",
            Kind::Structure(_) => "a Structure",
        };
        self.complain(format!("{found} can not be converted to {wanted}"))
    }

    fn inner<'s>(&'s self, shape: &'s Type) -> Seed<'s> {
        Seed { shape, depth: self.depth + 1, complaint: self.complaint }
    }

    fn number<E: serde::de::Error>(&self, number: i64) -> Result<Option<Value>, E> {
        match self.shape.kind {
            Kind::Integer if i32::try_from(number).is_ok() => Ok(Value::Integer(number)),
            Kind::Long => Ok(Value::Integer(number)),
            #[allow(clippy::cast_precision_loss, reason = "a double is what the model asks for")]
            Kind::Double => Ok(Value::Double(number as f64)),
            #[allow(
                clippy::cast_precision_loss,
                reason = "instants beyond 2^53 seconds are refused"
            )]
            Kind::Timestamp(TimeFormat::Epoch) => from_epoch(number as f64)
                .map(Value::Timestamp)
                .ok_or_else(|| self.mismatch("NUMBER_VALUE")),
            _ => Err(self.mismatch("NUMBER_VALUE")),
        }
        .map(Some)
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Option<Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Value>, D::Error> {
        if self.depth > MAX_DEPTH {
            return Err(self.complain(TOO_DEEP));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Option<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shape.name)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Option<Value>, E> {
        Ok(None)
    }

    fn visit_bool<E: serde::de::Error>(self, flag: bool) -> Result<Option<Value>, E> {
        match self.shape.kind {
            Kind::Boolean => Ok(Some(Value::Bool(flag))),
            _ => Err(self.mismatch(if flag { "TRUE_VALUE" } else { "FALSE_VALUE" })),
        }
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Option<Value>, E> {
        self.number(number)
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Option<Value>, E> {
        match i64::try_from(number) {
            Ok(number) => self.number(number),
            Err(_) => Err(self.mismatch("NUMBER_VALUE")),
        }
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Option<Value>, E> {
        match self.shape.kind {
            Kind::Double => Ok(Some(Value::Double(number))),
            Kind::Timestamp(TimeFormat::Epoch) => match from_epoch(number) {
                Some(instant) => Ok(Some(Value::Timestamp(instant))),
                None => Err(self.mismatch("DECIMAL_VALUE")),
            },
            _ => Err(self.mismatch("DECIMAL_VALUE")),
        }
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Option<Value>, E> {
        let secret = self.shape.sensitivity == Sensitivity::Secret;
        Ok(Some(match self.shape.kind {
            Kind::String(_) if secret => Value::Secret(Secret::new(text)),
            Kind::String(_) => Value::String(text.to_owned()),
            Kind::Blob => {
                let bytes = STANDARD.decode(text).map_err(|_| self.mismatch("STRING_VALUE"))?;
                if secret { Value::SecretBlob(SecretBytes::new(bytes)) } else { Value::Blob(bytes) }
            }
            Kind::Timestamp(TimeFormat::Iso8601) => {
                Value::Timestamp(parse_iso(text).ok_or_else(|| self.mismatch("STRING_VALUE"))?)
            }
            _ => return Err(self.mismatch("STRING_VALUE")),
        }))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Option<Value>, A::Error> {
        let Kind::List(list) = self.shape.kind else {
            return Err(self.complain("Start of list found where not expected"));
        };
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element_seed(self.inner(list.shape))? {
            items.push(item.ok_or_else(|| self.complain("a list holds null"))?);
        }
        Ok(Some(Value::List(items)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<Value>, A::Error> {
        match self.shape.kind {
            Kind::Structure(structure) => {
                let mut slots = vec![None; structure.members.len()];
                let mut seen = HashSet::new();
                while let Some(key) = map.next_key::<String>()? {
                    let in_body = |(_, member): &(_, &Member)| member.place == Place::Body;
                    let member = structure.member(&key).filter(in_body);
                    if !seen.insert(key) {
                        return Err(self.complain(REPEATED));
                    }
                    match member {
                        Some((at, member)) => {
                            let value = map.next_value_seed(self.inner(member.shape))?;
                            if let Some(slot) = slots.get_mut(at) {
                                *slot = value;
                            }
                        }
                        None => map.next_value_seed(Skip {
                            depth: self.depth + 1,
                            complaint: self.complaint,
                        })?,
                    }
                }
                Ok(Some(Value::Struct(slots)))
            }
            Kind::Map(inner) => {
                let mut entries = BTreeMap::new();
                while let Some(key) = map.next_key::<String>()? {
                    let value = map.next_value_seed(self.inner(inner.value))?;
                    let value = value.ok_or_else(|| self.complain("a map holds null"))?;
                    if entries.insert(key, value).is_some() {
                        return Err(self.complain(REPEATED));
                    }
                }
                Ok(Some(Value::Map(entries)))
            }
            _ => Err(self.complain("Start of structure or map found where not expected")),
        }
    }
}

/// Reads past a value that no member wants; even there depth and keys are checked.
#[derive(Clone, Copy)]
struct Skip<'a> {
    depth: usize,
    complaint: &'a Cell<Option<String>>,
}

impl Skip<'_> {
    fn inner(self) -> Self {
        Self { depth: self.depth + 1, ..self }
    }
}

impl<'de> DeserializeSeed<'de> for Skip<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.depth > MAX_DEPTH {
            self.complaint.set(Some(TOO_DEEP.to_owned()));
            return Err(D::Error::custom(""));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Skip<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        while sequence.next_element_seed(self.inner())?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if !seen.insert(key) {
                self.complaint.set(Some(REPEATED.to_owned()));
                return Err(A::Error::custom(""));
            }
            map.next_value_seed(self.inner())?;
        }
        Ok(())
    }
}
