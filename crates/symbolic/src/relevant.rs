//! Which statements can have to do with some actions at all, seen from the letters before their
//! first wildcard.

use bailiwick_policy::{Statement, Token};

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

    /// All actions.
    pub(crate) fn all() -> Self {
        Self { starts: None }
    }

    /// These actions, if they are few enough to be compared one by one.
    pub(crate) fn few(actions: &[&'a str]) -> Self {
        let few = actions.len() <= 64;
        Self { starts: few.then(|| actions.iter().map(|action| start(action)).collect()) }
    }

    /// Whether a pattern of actions may have to do with one of them.
    pub(crate) fn to_pattern(&self, tokens: &[Token]) -> bool {
        match (tokens, &self.starts) {
            (_, None) => true,
            ([Token::Text(text)], _) => self.meets(text, true),
            ([Token::Text(text), ..], _) => self.meets(text, false),
            _ => true,
        }
    }

    fn meets(&self, own: &str, own_whole: bool) -> bool {
        let Some(starts) = &self.starts else { return true };
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
    }

    /// Whether the statement may have to do with one of them.
    pub(crate) fn to(&self, statement: &Statement) -> bool {
        self.starts.is_none()
            || statement.is_not_action()
            || statement.actions().any(|action| {
                let (own, whole) = start(action);
                self.meets(own, whole)
            })
    }
}

/// What an action begins with, and whether that is all of it.
fn start(action: &str) -> (&str, bool) {
    match action.bytes().position(|byte| matches!(byte, b'*' | b'?')) {
        Some(at) => (action.get(..at).unwrap_or_default(), false),
        None => (action, true),
    }
}
