//! A policy document read strictly: what does not have the shape of section 10 is unreadable.

use super::Layer;
use super::json::{Json, parse};

/// One policy as it applies to a request.
pub(super) struct Policy {
    /// VAR-1: only the newer version knows variables.
    pub(super) variables: bool,
    pub(super) statements: Vec<Statement>,
}

pub(super) struct Statement {
    pub(super) allows: bool,
    pub(super) principal: Who,
    pub(super) action: Items,
    pub(super) resource: Items,
    pub(super) conditions: Vec<Condition>,
}

/// `Principal`, `NotPrincipal` or neither (PR-15).
pub(super) enum Who {
    Unsaid,
    Only(Vec<Entry>),
    AllBut(Vec<Entry>),
}

/// One principal: its type (`AWS`, `Service` ..., or `*` for the bare star) and its text.
pub(super) struct Entry {
    pub(super) kind: String,
    pub(super) text: String,
}

/// A list of patterns, or the same with `Not` before it.
pub(super) enum Items {
    Missing,
    Only(Vec<String>),
    AllBut(Vec<String>),
}

/// One key under one operator.
pub(super) struct Condition {
    pub(super) operator: String,
    pub(super) key: String,
    pub(super) values: Vec<String>,
}

/// Reads a policy given as an object or as its text. An error makes the policy unreadable (IN-6).
pub(super) fn read(policy: &Json, layer: Layer) -> Result<Policy, String> {
    let parsed;
    let document = match policy {
        Json::Text(text) => {
            parsed = parse(text)?;
            &parsed
        }
        other => other,
    };
    let mut variables = false;
    let mut statements = None;
    for (name, value) in document.members()? {
        match (name.as_str(), value) {
            // GR-2: no version means the older one.
            ("Version", Json::Text(version)) => match version.as_str() {
                "2012-10-17" => variables = true,
                "2008-10-17" => {}
                _ => return Err(format!("unknown version `{version}`")),
            },
            ("Id", Json::Text(_)) => {}
            ("Statement", value) => {
                // ST-3: one object or a list of them; an empty one is refused when written.
                let list = value.as_list().into_iter();
                let read: Result<_, _> = list.map(|s| statement(s, layer)).collect();
                statements = Some(read?);
            }
            // ST-6
            _ => return Err(format!("unknown element `{name}`")),
        }
    }
    let statements = statements.ok_or("no statement")?;
    Ok(Policy { variables, statements })
}

fn statement(source: &Json, layer: Layer) -> Result<Statement, String> {
    let mut allows = None;
    let mut principal = Who::Unsaid;
    let mut action = Items::Missing;
    let mut resource = Items::Missing;
    let mut conditions = Vec::new();
    for (name, value) in source.members()? {
        match name.as_str() {
            "Sid" if matches!(value, Json::Text(_)) => {}
            // ST-2: exact case.
            "Effect" => {
                allows = match value {
                    Json::Text(effect) if effect == "Allow" => Some(true),
                    Json::Text(effect) if effect == "Deny" => Some(false),
                    _ => return Err("the effect is neither `Allow` nor `Deny`".to_owned()),
                }
            }
            "Principal" | "NotPrincipal" => {
                // PR-15, and ST-2: one of the two.
                if !layer.names_principals() || !matches!(principal, Who::Unsaid) {
                    return Err(format!("`{name}` has no place here"));
                }
                let entries = entries(value)?;
                principal =
                    if name == "Principal" { Who::Only(entries) } else { Who::AllBut(entries) };
            }
            "Action" => set(&mut action, Items::Only(strings(value)?))?,
            "NotAction" => set(&mut action, Items::AllBut(strings(value)?))?,
            "Resource" => set(&mut resource, Items::Only(strings(value)?))?,
            "NotResource" => set(&mut resource, Items::AllBut(strings(value)?))?,
            "Condition" => conditions = block(value)?,
            _ => return Err(format!("unknown element `{name}`")),
        }
    }
    // ST-2; RES-9: only policies attached to a resource may leave the resource out.
    if matches!(action, Items::Missing) {
        return Err("no action".to_owned());
    }
    if matches!(resource, Items::Missing) && !matches!(layer, Layer::Resource | Layer::Trust) {
        return Err("no resource".to_owned());
    }
    if layer.names_principals() && matches!(principal, Who::Unsaid) {
        return Err("no principal".to_owned());
    }
    let allows = allows.ok_or("no effect")?;
    Ok(Statement { allows, principal, action, resource, conditions })
}

fn set(place: &mut Items, found: Items) -> Result<(), String> {
    if !matches!(place, Items::Missing) {
        return Err("an element beside its negation".to_owned());
    }
    *place = found;
    Ok(())
}

fn strings(value: &Json) -> Result<Vec<String>, String> {
    let mut strings = Vec::new();
    for item in entries_of(value) {
        match item {
            Json::Text(text) => strings.push(text.clone()),
            _ => return Err("expected a string".to_owned()),
        }
    }
    Ok(strings)
}

/// ST-3, RES-11: the entries of a list without `null`, or the one that stands alone.
fn entries_of(value: &Json) -> Vec<&Json> {
    match value {
        Json::List(items) => items.iter().filter(|item| **item != Json::Null).collect(),
        alone => vec![alone],
    }
}

fn entries(value: &Json) -> Result<Vec<Entry>, String> {
    if *value == Json::Text("*".to_owned()) {
        return Ok(vec![Entry { kind: "*".to_owned(), text: "*".to_owned() }]);
    }
    let mut entries = Vec::new();
    for (kind, names) in value.members()? {
        // PR-9
        if !["AWS", "Service", "Federated", "CanonicalUser"].contains(&kind.as_str()) {
            return Err(format!("unknown kind of principal `{kind}`"));
        }
        for text in strings(names)? {
            entries.push(Entry { kind: kind.clone(), text });
        }
    }
    Ok(entries)
}

fn block(value: &Json) -> Result<Vec<Condition>, String> {
    let mut conditions = Vec::new();
    for (operator, keys) in value.members()? {
        for (key, listed) in keys.members()? {
            let mut values = Vec::new();
            for item in entries_of(listed) {
                // CO-10: compared by their text forms.
                values.push(match item {
                    Json::Text(text) | Json::Number(text) => text.clone(),
                    Json::Bool(flag) => flag.to_string(),
                    _ => return Err(format!("`{key}` has a value that is no scalar")),
                });
            }
            conditions.push(Condition { operator: operator.clone(), key: key.clone(), values });
        }
    }
    Ok(conditions)
}
