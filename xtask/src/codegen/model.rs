//! Reading a trimmed model: short names for what its JSON holds.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use serde_json::Value;

pub(super) fn kind(shape: &Value) -> &str {
    shape.get("type").and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn flag(shape: &Value, key: &str) -> bool {
    shape.get(key).and_then(Value::as_bool).unwrap_or_default()
}

pub(super) fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value.get(key).and_then(Value::as_str).with_context(|| format!("no `{key}`"))
}

pub(super) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub(super) fn shape_name(reference: &Value) -> Option<&str> {
    reference.get("shape").and_then(Value::as_str)
}

pub(super) fn inner<'a>(shape: &'a Value, end: &str) -> Result<&'a str> {
    shape.get(end).and_then(shape_name).with_context(|| format!("no `{end}`"))
}

pub(super) fn members(shape: &Value) -> Vec<(&str, &Value)> {
    let object = shape.get("members").and_then(Value::as_object);
    object.into_iter().flatten().map(|(name, member)| (name.as_str(), member)).collect()
}

pub(super) fn required(shape: &Value) -> BTreeSet<&str> {
    list(shape, "required").iter().filter_map(Value::as_str).collect()
}
