//! From a value to JSON, along the schema.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{Serialize, SerializeMap as _, SerializeSeq as _, Serializer};

use crate::schema::{Kind, Place, Protocol, Structure, TimeFormat, Type};
use crate::time::write_iso;
use crate::value::Value;

/// The content type of requests and answers.
pub fn content_type(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Json10 => "application/x-amz-json-1.0",
        Protocol::Json11 | Protocol::Query => "application/x-amz-json-1.1",
        Protocol::RestJson => "application/json",
    }
}

/// The body of a request or of a success.
pub fn encode(structure: &Structure, value: &Value) -> Vec<u8> {
    // Writing to memory fails only for keys that are not text, and all of ours are.
    serde_json::to_vec(&Members(structure, value)).unwrap_or_else(|_| b"{}".to_vec())
}

/// The body of a failure. Also send `code` in the header `x-amzn-errortype`.
pub fn encode_error(code: &str, message: &str) -> Vec<u8> {
    serde_json::json!({ "__type": code, "message": message }).to_string().into_bytes()
}

struct Members<'a>(&'a Structure, &'a Value);

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (member, slot) in self.0.members.iter().zip(self.1.slots()) {
            if let Some(value) = slot
                && member.place == Place::Body
            {
                map.serialize_entry(member.wire, &Item(member.shape, value))?;
            }
        }
        map.end()
    }
}

struct Item<'a>(&'a Type, &'a Value);

impl Serialize for Item<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.0.kind, self.1) {
            (_, Value::Bool(flag)) => serializer.serialize_bool(*flag),
            (_, Value::Integer(number)) => serializer.serialize_i64(*number),
            (_, Value::Double(number)) => serializer.serialize_f64(*number),
            (_, Value::String(text)) => serializer.serialize_str(text),
            (_, Value::Secret(secret)) => serializer.serialize_str(secret.expose()),
            (_, Value::Blob(bytes)) => serializer.serialize_str(&STANDARD.encode(bytes)),
            (_, Value::SecretBlob(bytes)) => {
                serializer.serialize_str(&STANDARD.encode(bytes.expose()))
            }
            (Kind::Timestamp(TimeFormat::Iso8601), Value::Timestamp(instant)) => {
                serializer.serialize_str(&write_iso(*instant))
            }
            (_, Value::Timestamp(instant)) => {
                let milliseconds = instant.as_millisecond();
                if milliseconds % 1000 == 0 {
                    return serializer.serialize_i64(milliseconds / 1000);
                }
                // Milliseconds of the years 0 to 9999 are far below 2^53.
                #[allow(clippy::cast_precision_loss, reason = "see above")]
                serializer.serialize_f64(milliseconds as f64 / 1000.0)
            }
            (Kind::List(list), Value::List(items)) => {
                let mut sequence = serializer.serialize_seq(Some(items.len()))?;
                items
                    .iter()
                    .try_for_each(|item| sequence.serialize_element(&Item(list.shape, item)))?;
                sequence.end()
            }
            (Kind::Map(map), Value::Map(entries)) => serializer
                .collect_map(entries.iter().map(|(key, held)| (key, Item(map.value, held)))),
            (Kind::Structure(inner), Value::Struct(_)) => {
                Members(inner, self.1).serialize(serializer)
            }
            _ => serializer.serialize_none(),
        }
    }
}
