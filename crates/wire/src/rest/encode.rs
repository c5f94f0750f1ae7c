//! From a value to an HTTP message, along the schema.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::route::label;
use crate::json;
use crate::query::scalar;
use crate::schema::{ErrorShape, Member, Operation, Place, Structure};
use crate::value::Value;

/// All but the unreserved characters of RFC 3986.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A request before it is signed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request {
    /// The method.
    pub method: &'static str,
    /// Path and query string.
    pub target: String,
    /// Headers that carry members.
    pub headers: Vec<(&'static str, String)>,
    /// The body; empty when no member stands there.
    pub body: Vec<u8>,
}

/// An answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    /// The HTTP status.
    pub status: u16,
    /// Headers that carry members.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Writes a request. A label without a value is left empty, and will find no operation.
pub fn encode_request(operation: &Operation, value: &Value) -> Request {
    let http = operation.http;
    let mut request = Request {
        method: http.method,
        target: String::new(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    let Some(input) = operation.input else {
        http.path.clone_into(&mut request.target);
        return request;
    };
    for segment in http.path.split('/').skip(1) {
        request.target.push('/');
        match label(segment) {
            Some(name) => escape(&mut request.target, &labelled(input, value, name)),
            None => request.target.push_str(segment),
        }
    }
    let mut first = true;
    for (member, held) in set(input, value) {
        match (member.place, held) {
            (Place::Query, Value::List(items)) => {
                for text in items.iter().filter_map(scalar::write) {
                    pair(&mut request.target, &mut first, member.wire, &text);
                }
            }
            (Place::Query, held) => {
                let text = scalar::write(held).unwrap_or_default();
                pair(&mut request.target, &mut first, member.wire, &text);
            }
            (Place::Header, held) => {
                let text = scalar::write(held).unwrap_or_default().into_owned();
                request.headers.push((member.wire, text));
            }
            _ => {}
        }
    }
    request.body = body(input, value);
    request
}

/// Writes the answer to a call that was carried out.
pub fn encode_response(operation: &Operation, value: &Value) -> Message {
    let mut message =
        Message { status: operation.http.status, headers: Vec::new(), body: b"{}".to_vec() };
    let Some(output) = operation.output else { return message };
    for (member, held) in set(output, value) {
        match (member.place, held) {
            (Place::Header, held) => {
                let text = scalar::write(held).unwrap_or_default().into_owned();
                message.headers.push((member.wire, text));
            }
            (Place::Status, Value::Integer(number)) => {
                message.status = u16::try_from(*number).unwrap_or(message.status);
            }
            _ => {}
        }
    }
    message.body = body(output, value);
    message
}

/// Writes headers and body of a failure; the code belongs into the header `x-amzn-ErrorType`, and the
/// status is the caller's matter. `members` are what the modelled error has besides its text; those
/// that it does not have are left out.
pub fn encode_error(
    error: Option<&ErrorShape>,
    message: &str,
    members: &[(&str, serde_json::Value)],
) -> (Vec<(&'static str, String)>, Vec<u8>) {
    let mut headers = Vec::new();
    let mut body = serde_json::Map::new();
    let known = error.map_or(&[][..], |error| error.structure.members);
    let text =
        known.iter().map(|member| member.wire).find(|wire| wire.eq_ignore_ascii_case("message"));
    body.insert(text.unwrap_or("message").to_owned(), message.into());
    for (name, held) in members {
        let Some(member) = known.iter().find(|member| member.wire == *name) else { continue };
        match member.place {
            Place::Header => {
                let text = held.as_str().map_or_else(|| held.to_string(), str::to_owned);
                headers.push((member.wire, text));
            }
            _ => drop(body.insert(member.wire.to_owned(), held.clone())),
        }
    }
    (headers, serde_json::Value::Object(body).to_string().into_bytes())
}

/// The members that are set.
fn set<'a>(
    structure: &'a Structure,
    value: &'a Value,
) -> impl Iterator<Item = (&'a Member, &'a Value)> {
    let slots = value.slots().iter();
    structure.members.iter().zip(slots).filter_map(|(member, slot)| Some((member, slot.as_ref()?)))
}

fn body(structure: &Structure, value: &Value) -> Vec<u8> {
    if let Some((member, held)) =
        set(structure, value).find(|(member, _)| member.place == Place::Payload)
    {
        return match (member.shape.kind, held) {
            (crate::schema::Kind::Structure(inner), held) => json::encode(inner, held),
            (_, Value::Blob(bytes)) => bytes.clone(),
            (_, Value::SecretBlob(bytes)) => bytes.expose().to_vec(),
            (_, held) => scalar::write(held).unwrap_or_default().into_owned().into_bytes(),
        };
    }
    if structure.members.iter().any(|member| member.place == Place::Body) {
        json::encode(structure, value)
    } else {
        Vec::new()
    }
}

fn labelled(structure: &Structure, value: &Value, name: &str) -> String {
    let held = set(structure, value)
        .find(|(member, _)| member.place == Place::Label && member.wire == name);
    held.and_then(|(_, held)| scalar::write(held)).unwrap_or_default().into_owned()
}

fn pair(target: &mut String, first: &mut bool, name: &str, value: &str) {
    target.push(if std::mem::take(first) { '?' } else { '&' });
    escape(target, name);
    target.push('=');
    escape(target, value);
}

fn escape(target: &mut String, text: &str) {
    target.extend(utf8_percent_encode(text, ESCAPED));
}
