//! From an HTTP message to a value, along the schema.

use std::borrow::Cow;

use http::HeaderMap;
use http::request::Parts;

use super::route::label;
use crate::json::{self, JsonError};
use crate::query::scalar;
use crate::schema::{Kind, Member, Operation, Place, Sensitivity, Structure};
use crate::secret::{Secret, SecretBytes};
use crate::sigv4::{Pair, path_segments, query_pairs};
use crate::value::Value;

/// Reads a request to `operation`. The result is always a [`Value::Struct`].
pub fn decode(operation: &Operation, parts: &Parts, body: &[u8]) -> Result<Value, JsonError> {
    let Some(input) = operation.input else { return Ok(Value::Struct(Vec::new())) };
    let mut slots = slots(input, body)?;
    let segments = path_segments(parts.uri.path())
        .map_err(|defect| fail(format!("the path cannot be read: {defect}")))?;
    let pairs = query_pairs(parts.uri.query().unwrap_or_default())
        .map_err(|defect| fail(format!("the query string cannot be read: {defect}")))?;
    for (slot, member) in slots.iter_mut().zip(input.members) {
        let read = match member.place {
            Place::Body | Place::Payload | Place::Status => continue,
            Place::Label => match labelled(operation.http.path, &segments, member.wire) {
                Some(text) => Some(one(member, text)?),
                None => None,
            },
            Place::Query => queried(member, &pairs)?,
            Place::Header => headed(member, &parts.headers)?,
        };
        *slot = read;
    }
    Ok(Value::Struct(slots))
}

/// Reads the answer to `operation`, when it is a success.
pub fn decode_response(
    operation: &Operation,
    status: u16,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Value, JsonError> {
    let Some(output) = operation.output else { return Ok(Value::Struct(Vec::new())) };
    let mut slots = slots(output, body)?;
    for (slot, member) in slots.iter_mut().zip(output.members) {
        match member.place {
            Place::Header => *slot = headed(member, headers)?,
            Place::Status => *slot = Some(Value::Integer(status.into())),
            _ => {}
        }
    }
    Ok(Value::Struct(slots))
}

/// What the body holds: the payload member, or the members of an object.
fn slots(structure: &'static Structure, body: &[u8]) -> Result<Vec<Option<Value>>, JsonError> {
    let mut members = structure.members.iter().enumerate();
    let payload = members.find(|(_, member)| member.place == Place::Payload);
    let mut slots = vec![None; structure.members.len()];
    if let Some((at, member)) = payload {
        if let Some(slot) = slots.get_mut(at).filter(|_| !body.is_empty()) {
            *slot = Some(whole(member, body)?);
        }
        return Ok(slots);
    }
    // Clients may send anything along with a GET; nobody reads it.
    if !structure.members.iter().any(|member| member.place == Place::Body) {
        return Ok(slots);
    }
    match json::decode(body, structure)? {
        Value::Struct(slots) => Ok(slots),
        _ => Err(fail("the body is no object".to_owned())),
    }
}

/// The member that is the whole body.
fn whole(member: &Member, body: &[u8]) -> Result<Value, JsonError> {
    let secret = member.shape.sensitivity == Sensitivity::Secret;
    match member.shape.kind {
        Kind::Structure(inner) => json::decode(body, inner),
        Kind::Blob if secret => Ok(Value::SecretBlob(SecretBytes::new(body.to_vec()))),
        Kind::Blob => Ok(Value::Blob(body.to_vec())),
        _ => {
            let text =
                std::str::from_utf8(body).map_err(|_| fail("the body is not UTF-8".to_owned()))?;
            Ok(if secret {
                Value::Secret(Secret::new(text))
            } else {
                Value::String(text.to_owned())
            })
        }
    }
}

fn labelled<'s>(template: &str, segments: &'s [Cow<'_, str>], name: &str) -> Option<&'s str> {
    let at = template.split('/').skip(1).position(|segment| label(segment) == Some(name))?;
    segments.get(at).map(AsRef::as_ref)
}

fn queried(member: &Member, pairs: &[Pair<'_>]) -> Result<Option<Value>, JsonError> {
    let mut values = pairs.iter().filter(|(name, _)| name == member.wire).map(|(_, value)| value);
    if let Kind::List(list) = member.shape.kind {
        let items: Vec<Value> = values
            .map(|text| scalar::read(text, list.shape).map_err(|wanted| wrong(member, wanted)))
            .collect::<Result<_, _>>()?;
        return Ok((!items.is_empty()).then_some(Value::List(items)));
    }
    match (values.next(), values.next()) {
        (Some(text), None) => one(member, text).map(Some),
        (None, _) => Ok(None),
        (Some(_), Some(_)) => {
            Err(fail(format!("the parameter `{}` is given more than once", member.wire)))
        }
    }
}

fn headed(member: &Member, headers: &HeaderMap) -> Result<Option<Value>, JsonError> {
    let mut values = headers.get_all(member.wire).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => {
            let text = value.to_str().map_err(|_| wrong(member, "a text"))?;
            one(member, text).map(Some)
        }
        (None, _) => Ok(None),
        (Some(_), Some(_)) => {
            Err(fail(format!("the header `{}` is given more than once", member.wire)))
        }
    }
}

fn one(member: &Member, text: &str) -> Result<Value, JsonError> {
    scalar::read(text, member.shape).map_err(|wanted| wrong(member, wanted))
}

/// The text holds no value, which may be a secret.
fn wrong(member: &Member, wanted: &str) -> JsonError {
    fail(format!("`{}` is not {wanted}", member.wire))
}

fn fail(message: String) -> JsonError {
    JsonError { code: "SerializationException", message }
}
