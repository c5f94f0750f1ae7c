//! A small account: some of what is planted, with all that it needs to be what it is.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{ACCOUNT, Planted, arn};

impl Planted {
    /// Keeps planted principals in the order of a draw while at most so many remain.
    pub(super) fn keep_some(&mut self, principals: usize) {
        let bonds = self.bonds();
        let mut left: Vec<String> = self.truth.keys().cloned().collect();
        // The one administrator whom rights on everything lead to.
        let mut kept = closure(&bonds, &arn("user/administrator"));
        while !left.is_empty() {
            let number = self.roll(left.len());
            let drawn = closure(&bonds, &left.swap_remove(number));
            let together: BTreeSet<String> = kept.union(&drawn).cloned().collect();
            let people = together.iter().filter(|who| is_principal(who)).count();
            if people <= principals {
                kept = together;
            }
        }
        for list in [&mut self.users, &mut self.roles, &mut self.groups, &mut self.policies] {
            list.retain(|held| kept.contains(held["Arn"].as_str().unwrap()));
        }
        self.truth.retain(|who, _| kept.contains(who));
    }

    /// Who needs whom: those whom its texts name, its groups, and the roles that trust it.
    fn bonds(&self) -> BTreeMap<String, BTreeSet<String>> {
        let lists = [&self.users, &self.roles, &self.groups, &self.policies];
        let entities: Vec<&Value> = lists.into_iter().flatten().collect();
        let arns: Vec<&str> = entities.iter().filter_map(|held| held["Arn"].as_str()).collect();
        let mut bonds: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for held in entities {
            let me = held["Arn"].as_str().unwrap();
            let mut texts = Vec::new();
            strings(held, &mut texts);
            let groups = held["GroupList"].as_array().into_iter().flatten();
            let groups: Vec<String> = groups
                .filter_map(|group| Some(arn(&format!("group/{}", group.as_str()?))))
                .collect();
            texts.extend(groups.iter().map(String::as_str));
            let named = arns.iter().filter(|name| texts.iter().any(|text| names_it(text, name)));
            bonds.entry(me.to_owned()).or_default().extend(named.map(|&name| name.to_owned()));
            // What stands in a service already names nobody: its role is known by its number.
            if let Some(number) = me.strip_prefix(&arn("user/esc-")) {
                let role = arn(&format!("role/service-{number}"));
                bonds
                    .entry(me.to_owned())
                    .or_default()
                    .extend(arns.contains(&&*role).then_some(role));
            }
            let mut trusted = Vec::new();
            strings(&held["AssumeRolePolicyDocument"], &mut trusted);
            for name in arns.iter().filter(|name| trusted.contains(*name)) {
                bonds.entry((*name).to_owned()).or_default().insert(me.to_owned());
            }
        }
        bonds
    }
}

fn closure(bonds: &BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<String> {
    let (mut reached, mut open) = (BTreeSet::new(), vec![from.to_owned()]);
    while let Some(next) = open.pop() {
        open.extend(bonds.get(&next).into_iter().flatten().cloned());
        if !reached.insert(next) {
            open.retain(|name| !reached.contains(name));
        }
    }
    reached
}

fn is_principal(name: &str) -> bool {
    name.contains(":user/") || name.contains(":role/")
}

/// Whether a text is the ARN, or a pattern whose beginning says more than the kind of entity.
fn names_it(text: &str, name: &str) -> bool {
    let Some((before, _)) = text.split_once('*') else { return text == name };
    let told = before.strip_prefix(&format!("arn:aws:iam::{ACCOUNT}:"));
    let tells = told.and_then(|rest| rest.split_once('/')).is_some_and(|(_, rest)| rest.len() > 1);
    tells && name.starts_with(before)
}

fn strings<'a>(value: &'a Value, into: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => into.push(text),
        Value::Array(list) => list.iter().for_each(|held| strings(held, into)),
        Value::Object(members) => members.values().for_each(|held| strings(held, into)),
        _ => {}
    }
}
