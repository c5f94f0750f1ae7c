//! Which statements could match, found without asking each.
//!
//! Policies are long lists of statements about named actions on named resources. Statements are
//! filed under the hash of their literal action and, where it is literal too, their resource; those
//! with wildcards in the action under the hash of its service. The others are kept aside and all
//! looked at. What is found is then checked in full, so the hash need not be secret, and a
//! collision costs one check.

use super::statement::Statement;
use crate::fold;

/// Below this many statements each is asked.
const WORTHWHILE: usize = 8;
/// A statement with more pairs of literal action and resource than this is not filed.
const MOST_PAIRS: usize = 64;

/// Marks keys of whole services.
const SERVICE: u64 = 0x5e41;

#[derive(Debug)]
pub(super) struct Index {
    /// Hash and statement, sorted.
    filed: Vec<(u64, u32)>,
    /// Statements that actions of any service may match.
    aside: Vec<u32>,
}

impl Index {
    /// The index of a document, if it has enough statements to be worth one.
    pub(super) fn of(statements: &[Statement]) -> Option<Self> {
        if statements.len() < WORTHWHILE {
            return None;
        }
        let mut index = Self { filed: Vec::new(), aside: Vec::new() };
        for (at, statement) in statements.iter().enumerate() {
            let at = u32::try_from(at).ok()?;
            match keys(statement) {
                Some(keys) => index.filed.extend(keys.map(|key| (key, at))),
                None => index.aside.push(at),
            }
        }
        index.filed.sort_unstable();
        index.filed.dedup();
        Some(index)
    }

    /// The places of the statements that could match, each once or more.
    pub(super) fn find(&self, action: &str, resource: &str) -> impl Iterator<Item = usize> {
        let service = service_of(action).map_or(0, |service| pair(fold::hash(service), SERVICE));
        let action = fold::hash(action);
        let of_service = self.at(service);
        let both = self.at(pair(action, fold::hash(resource)));
        let action_only = self.at(pair(action, 0));
        let found = both.iter().chain(action_only).chain(of_service).map(|(_, at)| *at);
        found.chain(self.aside.iter().copied()).map(|at| at as usize)
    }

    fn at(&self, key: u64) -> &[(u64, u32)] {
        let from = self.filed.partition_point(|(filed, _)| *filed < key);
        let rest = self.filed.get(from..).unwrap_or_default();
        let count = rest.iter().take_while(|(filed, _)| *filed == key).count();
        rest.get(..count).unwrap_or_default()
    }
}

/// The keys under which a statement is filed; nothing if an action of any service may match.
fn keys(statement: &Statement) -> Option<impl Iterator<Item = u64>> {
    if statement.actions.negated {
        return None;
    }
    let actions: Option<Vec<u64>> =
        statement.actions.entries.iter().map(|p| p.exact().map(fold::hash)).collect();
    let resources: Option<Vec<u64>> = match &statement.resources {
        Some(element) if !element.negated => {
            element.entries.iter().map(|p| p.exact().map(fold::hash)).collect()
        }
        _ => None,
    };
    let resources = resources.unwrap_or_else(|| vec![0]);
    let mut keys: Vec<u64> = match actions {
        Some(actions) if actions.len() * resources.len() <= MOST_PAIRS => {
            actions.iter().flat_map(|a| resources.iter().map(|r| pair(*a, *r))).collect()
        }
        _ => {
            let services: Option<Vec<u64>> = statement
                .actions
                .entries
                .iter()
                .map(|p| p.service().map(|service| pair(fold::hash(service), SERVICE)))
                .collect();
            services?
        }
    };
    keys.sort_unstable();
    keys.dedup();
    Some(keys.into_iter())
}

/// The service of an action, colon included.
fn service_of(action: &str) -> Option<&str> {
    action.get(..=action.find(':')?)
}

fn pair(action: u64, resource: u64) -> u64 {
    action.rotate_left(23) ^ resource
}
