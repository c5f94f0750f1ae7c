//! Reading and changing cases.

use serde_json::{Map, Value, json};

pub(crate) fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case["request"][field].as_str().unwrap_or_default()
}

/// The case with a field set.
pub(crate) fn with(case: &Value, field: &str, value: Value) -> Option<Value> {
    let mut case = case.clone();
    case.as_object_mut()?.insert(field.to_owned(), value);
    Some(case)
}

pub(crate) fn everything() -> Value {
    json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})
}

pub(crate) fn has(case: &Value, field: &str) -> bool {
    !case[field].is_null()
}

pub(crate) fn each_number(value: &mut Value, change: &mut impl FnMut(i64) -> Option<String>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| each_number(item, change)),
        Value::Number(number) => {
            if let Some(text) = number.as_i64().and_then(change) {
                *value = Value::from(text);
            }
        }
        _ => {}
    }
}

/// The case with the values of every condition changed.
pub(crate) fn each_condition(case: &Value, mut change: impl FnMut(&str, &mut Value)) -> Value {
    each_statement(case, |statement| {
        let Some(Value::Object(operators)) = statement.get_mut("Condition") else { return };
        for (operator, keys) in operators {
            if let Value::Object(keys) = keys {
                keys.values_mut().for_each(|values| change(operator, values));
            }
        }
    })
}

pub(crate) fn rewrite(value: &mut Value, change: &mut impl FnMut(&str) -> Option<String>) {
    match value {
        Value::String(text) => {
            if let Some(other) = change(text) {
                *text = other;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rewrite(item, change)),
        Value::Object(fields) => fields.values_mut().for_each(|field| rewrite(field, change)),
        _ => {}
    }
}

/// A value or list of values as a list.
pub(crate) fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items.iter().collect(),
        value => vec![value],
    }
}

pub(crate) fn statements(policy: &Value) -> impl Iterator<Item = &Value> {
    list(&policy["Statement"]).into_iter()
}

/// The case with every statement of every policy changed.
pub(crate) fn each_statement(
    case: &Value,
    mut change: impl FnMut(&mut Map<String, Value>),
) -> Value {
    let mut case = case.clone();
    if let Value::Object(fields) = &mut case {
        for (name, field) in fields {
            if name != "request" {
                below(field, &mut change);
            }
        }
    }
    case
}

pub(crate) fn below(value: &mut Value, change: &mut impl FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| below(item, change)),
        Value::Object(fields) if fields.contains_key("Effect") => change(fields),
        Value::Object(fields) => {
            if let Some(statements) = fields.get_mut("Statement") {
                below(statements, change);
            }
        }
        _ => {}
    }
}
