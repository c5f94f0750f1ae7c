//! Calls of several actions on several resources: which action was about which.

use serde_json::{Value, json};

use super::names::Meant;
use super::params::{Params, plain};
use super::record::{Record, RecordResource};

/// A call as one of its actions was concerned. Nothing where it is concerned with the whole call, or where
/// the event does not tell.
pub(super) fn part(record: &Record, meant: &Meant<'_>) -> Option<Record> {
    match (meant.service.prefix(), &*meant.action.name) {
        ("kms", "ReEncryptFrom") => keys(record, "/sourceKeyId", "/destinationKeyId"),
        ("kms", "ReEncryptTo") => keys(record, "/destinationKeyId", "/sourceKeyId"),
        ("dynamodb", name) if record.event_name.starts_with("Transact") => {
            items(record, &plain(name.trim_end_matches("Item")))
        }
        _ => None,
    }
}

/// The items of a transaction that are of a kind, with their tables.
fn items(record: &Record, kind: &str) -> Option<Record> {
    let all = record.request_parameters.pointer("/transactItems")?.as_array()?;
    let fields = all.iter().filter_map(Value::as_object).flatten();
    let own = fields.filter(|(name, _)| plain(name) == kind).map(|(_, item)| item.clone());
    let own = Value::Array(own.collect());
    let params = Params::of(&own);
    let tables = params.named("tablename");
    if tables.is_empty() {
        return None;
    }
    let resources = record.resources.iter().filter(|resource| {
        let name = resource.arn.split_once(":table/").map_or("", |(_, name)| name);
        let name = name.split('/').next().unwrap_or_default();
        tables.iter().any(|table| *table == name || *table == resource.arn)
    });
    let resources = resources.cloned().collect();
    Some(reduced(record, own, resources))
}

/// One of the two keys of a call, by its own parameter, or as that which the other is not.
fn keys(record: &Record, own: &str, other: &str) -> Option<Record> {
    let told: Vec<&RecordResource> =
        record.resources.iter().filter(|resource| resource.arn.contains(":key/")).collect();
    let named = |pointer: &str| {
        let name = record.request_parameters.pointer(pointer)?.as_str()?;
        let name = name.rsplit_once(":key/").map_or(name, |(_, name)| name);
        (!name.is_empty() && !name.contains("alias/")).then_some(name)
    };
    let is = |resource: &RecordResource, name: &str| {
        resource.arn.rsplit_once(":key/").is_some_and(|(_, own)| own == name)
    };
    let key = match (named(own), named(other), told.as_slice()) {
        (Some(name), ..) => told.iter().copied().find(|one| is(one, name)),
        (None, _, [one]) => Some(*one),
        (None, Some(name), [one, two]) if is(one, name) => Some(*two),
        (None, Some(name), [one, two]) if is(two, name) => Some(*one),
        _ => return None,
    };
    let value = match key {
        Some(key) => json!(key.arn),
        None => record.request_parameters.pointer(own)?.clone(),
    };
    Some(reduced(record, json!({"keyId": value}), key.cloned().into_iter().collect()))
}

fn reduced(record: &Record, params: Value, resources: Vec<RecordResource>) -> Record {
    let mut own = record.clone();
    own.request_parameters = params;
    own.resources = resources;
    own
}
