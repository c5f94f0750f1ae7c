//! Every operation that is written, by service and name.

use std::collections::HashMap;
use std::sync::LazyLock;

use bailiwick_wire::schema;

use crate::operation::Entry;
use crate::{accessanalyzer, iam, own, sts};

static TABLE: LazyLock<HashMap<(&'static str, &'static str), &'static Entry>> =
    LazyLock::new(|| {
        let files = iam::OPERATIONS
            .iter()
            .chain(sts::OPERATIONS)
            .chain(accessanalyzer::OPERATIONS)
            .chain(own::OPERATIONS);
        let entries = files.flat_map(|file| file.iter());
        entries.map(|entry| ((entry.schema.service.name, entry.schema.name), entry)).collect()
    });

/// The entry of an operation, if it is written.
pub(crate) fn entry(operation: &schema::Operation) -> Option<&'static Entry> {
    TABLE.get(&(operation.service.name, operation.name)).copied()
}

/// The names of the operations of a service that are written, sorted.
pub fn implemented(service: &str) -> Vec<&'static str> {
    let entries = TABLE.keys().filter(|(held, _)| *held == service);
    let mut names: Vec<_> = entries.map(|(_, name)| *name).collect();
    names.sort_unstable();
    names
}
