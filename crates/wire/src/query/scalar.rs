//! Scalars as text: the one place where the query protocol reads and writes numbers, flags, blobs
//! and instants. No error text holds the value, which may be a secret.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::schema::{Kind, Sensitivity, Type};
use crate::secret::{Secret, SecretBytes};
use crate::time::{parse_iso, write_iso};
use crate::value::Value;

/// Reads a scalar. The error names the kind that was wanted.
pub(crate) fn read(text: &str, shape: &Type) -> Result<Value, &'static str> {
    let secret = shape.sensitivity == Sensitivity::Secret;
    match shape.kind {
        Kind::Boolean => match text {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err("a boolean"),
        },
        Kind::Integer => integer(text)
            .filter(|number| i32::try_from(*number).is_ok())
            .map(Value::Integer)
            .ok_or("an integer"),
        Kind::Long => integer(text).map(Value::Integer).ok_or("a long"),
        Kind::Double => double(text).map(Value::Double).ok_or("a number"),
        Kind::String(_) if secret => Ok(Value::Secret(Secret::new(text))),
        Kind::String(_) => Ok(Value::String(text.to_owned())),
        Kind::Blob => {
            let bytes = STANDARD.decode(text).map_err(|_| "a base64 text")?;
            Ok(if secret { Value::SecretBlob(SecretBytes::new(bytes)) } else { Value::Blob(bytes) })
        }
        Kind::Timestamp(_) => parse_iso(text).map(Value::Timestamp).ok_or("an ISO 8601 timestamp"),
        Kind::List(_) | Kind::Map(_) | Kind::Structure(_) => Err("a single value"),
    }
}

/// Writes a scalar; `None` for lists, maps and structures.
pub(crate) fn write(value: &Value) -> Option<Cow<'_, str>> {
    Some(match value {
        Value::Bool(true) => Cow::Borrowed("true"),
        Value::Bool(false) => Cow::Borrowed("false"),
        Value::Integer(number) => Cow::Owned(number.to_string()),
        Value::Double(number) => Cow::Owned(number.to_string()),
        Value::String(text) => Cow::Borrowed(text),
        Value::Secret(secret) => Cow::Borrowed(secret.expose()),
        Value::Blob(bytes) => Cow::Owned(STANDARD.encode(bytes)),
        Value::SecretBlob(secret) => Cow::Owned(STANDARD.encode(secret.expose())),
        Value::Timestamp(instant) => Cow::Owned(write_iso(*instant)),
        Value::List(_) | Value::Map(_) | Value::Struct(_) => return None,
    })
}

/// Decimal digits with an optional minus: no plus, no leading zeros, no exponent, no overflow.
fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let canonical = match digits.as_bytes() {
        [b'0'] => text.len() == 1,
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if canonical { text.parse().ok() } else { None }
}

fn double(text: &str) -> Option<f64> {
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E'));
    if plain { text.parse().ok().filter(|number: &f64| number.is_finite()) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Constraints;

    #[test]
    fn tm_g09_integers_at_the_edges() {
        for (text, expected) in [
            ("0", Some(0)),
            ("-1", Some(-1)),
            ("2147483647", Some(2_147_483_647)),
            ("-2147483648", Some(-2_147_483_648)),
            ("2147483648", None),
            ("9223372036854775808", None),
            ("99999999999999999999999", None),
            ("-0", None),
            ("+1", None),
            ("007", None),
            ("1e9", None),
            ("0x10", None),
            ("1.0", None),
            (" 1", None),
            ("１", None),
            ("-", None),
            ("", None),
        ] {
            let shape = Type {
                name: "integer",
                kind: Kind::Integer,
                constraints: Constraints::NONE,
                sensitivity: Sensitivity::Open,
            };
            assert_eq!(read(text, &shape).ok(), expected.map(Value::Integer), "{text:?}");
        }
    }

    #[test]
    fn booleans_are_two_words() {
        let shape = Type {
            name: "boolean",
            kind: Kind::Boolean,
            constraints: Constraints::NONE,
            sensitivity: Sensitivity::Open,
        };
        for (text, expected) in [
            ("true", Some(true)),
            ("false", Some(false)),
            ("maybe", None),
            ("TRUE", None),
            ("1", None),
            ("", None),
        ] {
            assert_eq!(read(text, &shape).ok(), expected.map(Value::Bool), "{text:?}");
        }
    }
}
