//! Names that stand for many: each is kept once and known by its number.

use std::collections::HashMap;
use std::sync::Arc;

/// A list of distinct names. Numbers depend on the order in which names come; nothing that is told does.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    numbers: HashMap<Arc<str>, u32>,
    names: Vec<Arc<str>>,
}

impl Names {
    /// The number of a name, which is added if it is new.
    pub(super) fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        let name: Arc<str> = name.into();
        self.names.push(Arc::clone(&name));
        self.numbers.insert(name, number);
        number
    }

    /// The number of a name, if it is known.
    pub(super) fn find(&self, name: &str) -> Option<u32> {
        self.numbers.get(name).copied()
    }

    /// The name of a number.
    pub(super) fn name(&self, number: u32) -> &str {
        self.names.get(number as usize).map_or("", |name| name)
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// The numbers here of another list's names, by their numbers there.
    pub(super) fn take(&mut self, other: &Self) -> Vec<u32> {
        other.names.iter().map(|name| self.number(name)).collect()
    }
}

/// The number here of a number there.
pub(super) fn moved(numbers: &[u32], number: u32) -> u32 {
    numbers.get(number as usize).copied().unwrap_or(u32::MAX)
}
