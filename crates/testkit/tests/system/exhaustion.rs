//! Threats G: hostile sizes, shapes and numbers.

use bailiwick_wire::schema::{Kind, Operation, Sensitivity, Structure, Type};
use bailiwick_wire::{Secret, SecretBytes, Value};

/// The least request that validation accepts: required members alone.
pub fn least(operation: &Operation) -> Value {
    operation.input.map_or(Value::Struct(Vec::new()), least_structure)
}

fn least_structure(structure: &Structure) -> Value {
    let members = structure.members.iter();
    Value::Struct(members.map(|held| held.required.then(|| least_value(held.shape))).collect())
}

fn least_value(shape: &Type) -> Value {
    let secret = shape.sensitivity == Sensitivity::Secret;
    let length = usize::try_from(shape.constraints.min.unwrap_or(1).max(1)).unwrap();
    match shape.kind {
        Kind::Boolean => Value::Bool(true),
        Kind::Integer | Kind::Long => Value::Integer(shape.constraints.min.unwrap_or(1)),
        Kind::Double => Value::Double(1.0),
        Kind::String(words) => {
            let text = words.first().map_or_else(|| fitting(shape, length), |word| (*word).into());
            if secret { Value::Secret(Secret::from(text)) } else { Value::String(text) }
        }
        Kind::Blob if secret => Value::SecretBlob(SecretBytes::from(vec![b'a'; length])),
        Kind::Blob => Value::Blob(vec![b'a'; length]),
        Kind::Timestamp => Value::Timestamp(jiff::Timestamp::UNIX_EPOCH),
        Kind::List(list) => Value::List(vec![least_value(list.shape); length]),
        Kind::Map(_) => Value::Map(std::collections::BTreeMap::new()),
        Kind::Structure(inner) => least_structure(inner),
    }
}

/// A text of a length that its pattern takes.
fn fitting(shape: &Type, length: usize) -> String {
    let candidates =
        ["a", "1", "A", "/", "arn:aws:iam::123456789012:user/", "o-a1a1a1a1a1/r-a1a1", "v1"];
    for candidate in candidates {
        let text: String = candidate.chars().chain("a1".repeat(length).chars()).collect();
        for end in [length, candidate.len(), length + 1, length + 2] {
            let text: String = text.chars().take(end.max(1)).collect();
            let long = text.chars().count() >= length;
            if long && shape.constraints.pattern.is_none_or(|pattern| pattern.matches(&text)) {
                return text;
            }
        }
        let text = candidate.repeat(length);
        if shape.constraints.pattern.is_none_or(|pattern| pattern.matches(&text)) {
            return text;
        }
    }
    panic!("no text for `{}`: {:?}", shape.name, shape.constraints)
}
