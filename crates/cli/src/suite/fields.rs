//! Reading mappings, lists and texts of a suite, with faults that show their place.

use std::collections::BTreeSet;

use super::yaml::{At, Key, Node, Value};
use crate::simulate::fault::Fault;
use crate::simulate::nearest::advice;

/// A file that is read, for the places of its faults.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) file: &'a str,
    pub(super) text: &'a str,
}

/// The members of a mapping.
pub(super) struct Fields<'n> {
    /// Where it begins.
    pub(super) at: At,
    members: Vec<(&'n Key, &'n Node)>,
}

impl<'n> Fields<'n> {
    /// The value of a field; nothing where it is absent or empty.
    pub(super) fn get(&self, name: &str) -> Option<&'n Node> {
        let found = self.members.iter().find(|(key, _)| key.name == name)?;
        Some(found.1).filter(|node| !matches!(node.value, Value::Null))
    }
}

/// The items of a list, or the one value that stands for a list of it.
pub(super) fn one_or_several(node: &Node) -> Vec<&Node> {
    match &node.value {
        Value::List(items) => items.iter().map(|item| &**item).collect(),
        _ => vec![node],
    }
}

impl Source<'_> {
    /// A fault at a place of the suite.
    pub(super) fn fault(&self, at: At, message: &str) -> Fault {
        Fault::new(self.file, self.text, at, message)
    }

    /// A mapping whose names are all known.
    pub(super) fn fields<'n>(
        &self,
        node: &'n Node,
        what: &str,
        known: &[&'static str],
    ) -> Result<Fields<'n>, Fault> {
        let members = self.mapping(node, what)?;
        for (key, _) in &members {
            if !known.contains(&key.name.as_str()) {
                let fault = self.fault(key.at, &format!("{what} has no field `{}`", key.name));
                let hint = advice(&key.name, known.iter().copied())
                    .unwrap_or_else(|| format!("its fields are {}", known.join(", ")));
                return Err(fault.advise(Some(hint)));
            }
        }
        Ok(Fields { at: node.at, members })
    }

    /// A mapping in which no name stands twice.
    pub(super) fn mapping<'n>(
        &self,
        node: &'n Node,
        what: &str,
    ) -> Result<Vec<(&'n Key, &'n Node)>, Fault> {
        let Value::Map(members) = &node.value else {
            let text = format!("{what} must be a mapping, not {}", node.value.kind());
            return Err(self.fault(node.at, &text));
        };
        let mut seen = BTreeSet::new();
        for (key, _) in members {
            if !seen.insert(key.name.as_str()) {
                return Err(self.fault(key.at, &format!("`{}` stands twice", key.name)));
            }
        }
        Ok(members.iter().map(|(key, node)| (key, &**node)).collect())
    }

    /// The items of a list.
    pub(super) fn items<'n>(&self, node: &'n Node, what: &str) -> Result<Vec<&'n Node>, Fault> {
        match &node.value {
            Value::List(items) => Ok(items.iter().map(|item| &**item).collect()),
            other => {
                Err(self.fault(node.at, &format!("{what} must be a list, not {}", other.kind())))
            }
        }
    }

    /// A scalar.
    pub(super) fn text<'n>(&self, node: &'n Node, what: &str) -> Result<&'n str, Fault> {
        match &node.value {
            Value::Text { text, .. } => Ok(text),
            other => {
                Err(self.fault(node.at, &format!("{what} must be a text, not {}", other.kind())))
            }
        }
    }
}
