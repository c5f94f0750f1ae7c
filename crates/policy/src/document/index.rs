//! Which statements could match, found without asking each.
//!
//! Policies are long lists of statements about named actions on named resources. Statements are
//! filed under the hash of their literal action and, where it is literal too, their resource. The
//! others are kept aside and all looked at. What is found is then checked in full, so the hash need
//! not be secret, and a collision costs one check.

use super::statement::Statement;
use crate::fold;

/// Below this many statements each is asked.
const WORTHWHILE: usize = 8;
/// A statement with more pairs of literal action and resource than this is not filed.
const MOST_PAIRS: usize = 64;

#[derive(Debug)]
pub(super) struct Index {
    /// Hash and statement, sorted.
    filed: Vec<(u64, u32)>,
    /// Statements that any action may match, with what their resources all begin with.
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
                Some(keys) => index.filed.extend(keys.into_iter().map(|key| (key, at))),
                None => index.aside.push(at),
            }
        }
        index.filed.sort_unstable();
        index.filed.dedup();
        Some(index)
    }

    /// The places of the statements that could match, each once or more.
    pub(super) fn find(&self, action: &str, resource: &str) -> impl Iterator<Item = usize> {
        let action = fold::hash(action);
        let both = self.at(pair(action, fold::hash(resource)));
        let action_only = self.at(pair(action, 0));
        let found = both.iter().chain(action_only).map(|(_, at)| *at);
        found.chain(self.aside.iter().copied()).map(|at| at as usize)
    }

    fn at(&self, key: u64) -> &[(u64, u32)] {
        let from = self.filed.partition_point(|(filed, _)| *filed < key);
        let rest = self.filed.get(from..).unwrap_or_default();
        let count = rest.iter().take_while(|(filed, _)| *filed == key).count();
        rest.get(..count).unwrap_or_default()
    }
}

/// The keys under which a statement is filed; nothing if some action pattern is not literal.
fn keys(statement: &Statement) -> Option<Vec<u64>> {
    if statement.actions.negated {
        return None;
    }
    let actions: Option<Vec<u64>> =
        statement.actions.entries.iter().map(|p| p.exact().map(fold::hash)).collect();
    let actions = actions?;
    let resources: Option<Vec<u64>> = match &statement.resources {
        Some(element) if !element.negated => {
            element.entries.iter().map(|p| p.exact().map(fold::hash)).collect()
        }
        _ => None,
    };
    let resources = resources.unwrap_or_else(|| vec![0]);
    if actions.len() * resources.len() > MOST_PAIRS {
        return None;
    }
    Some(actions.iter().flat_map(|a| resources.iter().map(|r| pair(*a, *r))).collect())
}

fn pair(action: u64, resource: u64) -> u64 {
    action.rotate_left(23) ^ resource
}
