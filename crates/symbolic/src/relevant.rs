//! Which statements can have to do with some actions at all, seen from the letters before their
//! first wildcard.

use bailiwick_policy::Statement;

use crate::access::Access;

/// What the actions that are asked for begin with.
#[derive(Debug)]
pub(crate) struct Relevant<'a> {
    /// Each with the length up to its first wildcard; nothing where all actions are asked for.
    starts: Option<Vec<(&'a str, bool)>>,
}

impl<'a> Relevant<'a> {
    pub(crate) fn new(access: &[Access<'a>]) -> Self {
        if access.iter().any(|one| one.actions.is_empty()) {
            return Self { starts: None };
        }
        let actions = access.iter().flat_map(|one| one.actions.iter());
        Self { starts: Some(actions.map(|action| start(action)).collect()) }
    }

    /// Whether the statement may have to do with one of them.
    pub(crate) fn to(&self, statement: &Statement) -> bool {
        let Some(starts) = self.starts.as_ref().filter(|_| !statement.is_not_action()) else {
            return true;
        };
        statement.actions().any(|action| {
            let (own, own_whole) = start(action);
            starts.iter().any(|(asked, asked_whole)| {
                let common = own.len().min(asked.len());
                let (Some(left), Some(right)) =
                    (own.as_bytes().get(..common), asked.as_bytes().get(..common))
                else {
                    return true;
                };
                left.eq_ignore_ascii_case(right)
                    && !(own_whole && own.len() < asked.len())
                    && !(*asked_whole && asked.len() < own.len())
            })
        })
    }
}

/// What an action begins with, and whether that is all of it.
fn start(action: &str) -> (&str, bool) {
    match action.find(['*', '?']) {
        Some(at) => (action.get(..at).unwrap_or_default(), false),
        None => (action, true),
    }
}
