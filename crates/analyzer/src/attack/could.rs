//! Which of some actions documents could allow at all: a quick filter before the engine is asked.
//!
//! Never too small. Each document is looked at once, each entry of Action too.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use bailiwick_model::Found;
use bailiwick_policy::{Document, Effect, Statement};

use crate::escalation::probe::matches;

/// A set of actions by their numbers.
pub(crate) type Set = Vec<u64>;

/// Some actions, and what documents could allow of them.
pub(crate) struct Could {
    /// In lower case, sorted, each once. May hold `*`.
    actions: Vec<String>,
    entries: HashMap<String, Rc<Set>>,
    documents: HashMap<usize, Rc<Set>>,
}

impl Could {
    pub(crate) fn new(actions: impl Iterator<Item = String>) -> Self {
        let mut actions: Vec<String> = actions.map(|action| action.to_ascii_lowercase()).collect();
        actions.sort_unstable();
        actions.dedup();
        Self { actions, entries: HashMap::new(), documents: HashMap::new() }
    }

    pub(crate) fn none(&self) -> Set {
        vec![0; self.actions.len().div_ceil(64)]
    }

    /// The set of an action's number; all that a pattern covers. Nothing for what is not among them.
    pub(crate) fn set(&self, pattern: &str) -> Set {
        let folded = pattern.to_ascii_lowercase();
        let mut set = self.none();
        if !folded.contains(['*', '?']) {
            if let Ok(at) = self.actions.binary_search(&folded) {
                put(&mut set, at);
            }
            return set;
        }
        // Most patterns begin with a service's name.
        let literal = folded.find(['*', '?']).unwrap_or(0);
        let head = folded.get(..literal).unwrap_or_default();
        let start = self.actions.partition_point(|action| action.as_str() < head);
        for (at, action) in self.actions.iter().enumerate().skip(start) {
            if !action.starts_with(head) {
                break;
            }
            if matches(&folded, action) {
                put(&mut set, at);
            }
        }
        set
    }

    fn entry(&mut self, entry: &str) -> Rc<Set> {
        if let Some(known) = self.entries.get(entry) {
            return Rc::clone(known);
        }
        let found = Rc::new(self.set(entry));
        self.entries.insert(entry.to_owned(), Rc::clone(&found));
        found
    }

    /// What a statement speaks of, whatever its effect.
    pub(crate) fn of_statement(&mut self, statement: &Statement) -> Set {
        let mut set = self.none();
        for entry in statement.actions() {
            join(&mut set, &self.entry(entry));
        }
        if statement.is_not_action() {
            for word in &mut set {
                *word = !*word;
            }
            trim(&mut set, self.actions.len());
        }
        set
    }

    /// What the Allow statements of a document speak of.
    pub(crate) fn of_document(&mut self, document: &Arc<Document>) -> Rc<Set> {
        let place = Arc::as_ptr(document) as usize;
        if let Some(known) = self.documents.get(&place) {
            return Rc::clone(known);
        }
        let mut set = self.none();
        for statement in document.statements().iter().filter(|s| s.effect() == Effect::Allow) {
            join(&mut set, &self.of_statement(statement));
        }
        let set = Rc::new(set);
        self.documents.insert(place, Rc::clone(&set));
        set
    }

    /// What some policies together could allow.
    pub(crate) fn of(&mut self, policies: &[Found]) -> Set {
        let mut set = self.none();
        for found in policies {
            join(&mut set, &self.of_document(&found.document));
        }
        set
    }
}

fn put(set: &mut Set, at: usize) {
    if let Some(word) = set.get_mut(at / 64) {
        *word |= 1 << (at % 64);
    }
}

fn trim(set: &mut Set, len: usize) {
    if !len.is_multiple_of(64)
        && let Some(last) = set.last_mut()
    {
        *last &= (1 << (len % 64)) - 1;
    }
}

/// Adds a set to another.
pub(crate) fn join(set: &mut Set, other: &Set) {
    set.iter_mut().zip(other).for_each(|(word, with)| *word |= with);
}

/// Whether all of a set are in another.
pub(crate) fn has_all(set: &Set, wanted: &Set) -> bool {
    set.iter().zip(wanted).all(|(held, wanted)| held & wanted == *wanted)
}

/// Whether two sets meet.
pub(crate) fn meets(set: &Set, other: &Set) -> bool {
    set.iter().zip(other).any(|(held, other)| held & other != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bailiwick_policy::DocumentKind;

    fn count(set: &Set) -> u32 {
        set.iter().map(|word| word.count_ones()).sum()
    }

    #[test]
    fn documents_could_allow_what_they_name() {
        let all = ["iam:PassRole", "s3:GetObject", "s3:GetBucketPolicy", "ec2:RunInstances"];
        let mut could = Could::new(all.iter().map(ToString::to_string));
        for (element, expected) in [
            (r#""Action": "S3:Get*""#, 2),
            (r#""Action": "*""#, 4),
            (r#""NotAction": "s3:*""#, 2),
            (r#""Action": ["iam:passrole", "x:Y"]"#, 1),
        ] {
            let text = format!(
                r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", {element}, "Resource": "*"}}}}"#
            );
            let document = Arc::new(Document::parse(&text, DocumentKind::Identity).unwrap());
            could.documents.clear();
            assert_eq!(count(&could.of_document(&document)), expected, "{element}");
        }
        assert!(has_all(&could.set("*"), &could.set("iam:PassRole")));
        assert!(!meets(&could.set("s3:*"), &could.set("ec2:*")));
    }
}
