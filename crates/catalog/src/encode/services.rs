//! The sections of services and of condition keys: what `ServiceTable` and `KeyTable` read.

use std::collections::BTreeMap;

use super::{ActionFacts, EncodeError, ServiceFacts};
use crate::bytes::Writer;
use crate::condition_key::ConditionKey;

pub(super) fn write(services: &[ServiceFacts]) -> Result<Vec<u8>, EncodeError> {
    let lists = Lists::of(services);
    let mut out = Writer::default();
    lists.write(&mut out);
    let bodies =
        services.iter().map(|service| body(service, &lists)).collect::<Result<Vec<_>, _>>()?;
    out.size(services.len());
    for (service, body) in services.iter().zip(&bodies) {
        out.text(&service.prefix);
        out.text(&service.name);
        out.byte(service.resource_control_policies.into());
        out.size(body.len());
    }
    for body in &bodies {
        out.bytes(body);
    }
    Ok(out.0)
}

pub(super) fn write_keys(keys: &[ConditionKey]) -> Vec<u8> {
    let mut out = Writer::default();
    out.size(keys.len());
    for key in keys {
        out.text(&key.name);
        out.byte(key.type_code());
    }
    out.0
}

fn body(service: &ServiceFacts, lists: &Lists<'_>) -> Result<Vec<u8>, EncodeError> {
    let mut out = Writer::default();
    out.size(lists.place(&service.condition_keys));
    out.size(service.resource_types.len());
    for kind in &service.resource_types {
        out.text(&kind.name);
        out.text(&kind.arn_pattern);
        out.size(lists.place(&kind.condition_keys));
    }
    out.size(service.actions.len());
    for action in &service.actions {
        write_action(&mut out, service, action, lists)?;
    }
    Ok(out.0)
}

fn write_action(
    out: &mut Writer,
    service: &ServiceFacts,
    action: &ActionFacts,
    lists: &Lists<'_>,
) -> Result<(), EncodeError> {
    out.text(&action.name);
    out.byte(action.levels.bits());
    out.size(lists.place(&action.condition_keys));
    out.size(lists.place(&action.dependent_actions));
    out.size(action.resources.len());
    for resource in &action.resources {
        let place = service
            .resource_types
            .iter()
            .position(|kind| kind.name.eq_ignore_ascii_case(&resource.name));
        let place = place.ok_or_else(|| EncodeError::ResourceType {
            action: format!("{}:{}", service.prefix, action.name),
            resource: resource.name.clone(),
        })?;
        out.size(place << 1 | usize::from(resource.required));
        out.size(lists.place(&resource.condition_keys));
        out.size(lists.place(&resource.dependent_actions));
    }
    Ok(())
}

/// Every list of names once, and every name in them once.
struct Lists<'a> {
    names: BTreeMap<&'a str, usize>,
    lists: BTreeMap<&'a [String], usize>,
}

impl<'a> Lists<'a> {
    fn of(services: &'a [ServiceFacts]) -> Self {
        let mut all: Vec<&'a [String]> = vec![&[]];
        for service in services {
            all.push(&service.condition_keys);
            all.extend(service.resource_types.iter().map(|kind| &*kind.condition_keys));
            for action in &service.actions {
                all.extend([&*action.condition_keys, &*action.dependent_actions]);
                for resource in &action.resources {
                    all.extend([&*resource.condition_keys, &*resource.dependent_actions]);
                }
            }
        }
        let mut names: BTreeMap<&str, usize> =
            all.iter().flat_map(|list| list.iter()).map(|name| (&**name, 0)).collect();
        names.values_mut().enumerate().for_each(|(at, place)| *place = at);
        // In the order of first use, so that neighbours in a service have places that are near each other.
        let mut lists = BTreeMap::new();
        for list in all {
            let next = lists.len();
            lists.entry(list).or_insert(next);
        }
        Self { names, lists }
    }

    fn place(&self, list: &[String]) -> usize {
        self.lists.get(list).copied().unwrap_or_default()
    }

    fn write(&self, out: &mut Writer) {
        out.size(self.names.len());
        self.names.keys().for_each(|name| out.text(name));
        let mut ordered: Vec<(&usize, &&[String])> =
            self.lists.iter().map(|(list, at)| (at, list)).collect();
        ordered.sort_by_key(|(at, _)| **at);
        out.size(ordered.len());
        for (_, list) in ordered {
            out.size(list.len());
            list.iter()
                .for_each(|name| out.size(self.names.get(&**name).copied().unwrap_or_default()));
        }
    }
}
