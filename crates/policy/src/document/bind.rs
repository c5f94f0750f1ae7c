//! Binding of principals to unique ids (PR-12).

use bailiwick_identifiers::UniqueId;

use super::Statement;
use super::principal::Entry;

/// The statement with the entities of its principals bound.
pub(super) fn statement(
    statement: &Statement,
    resolve: &dyn Fn(&str) -> Option<UniqueId>,
) -> Statement {
    let mut bound = statement.clone();
    let entries = bound.principal.iter_mut().flat_map(|element| element.entries.iter_mut());
    for entry in entries {
        // From the text, so that binding again replaces an earlier binding.
        let found = match Entry::new(entry.kind, &entry.text) {
            Entry::User(arn) | Entry::Role(arn) => resolve(&arn).map(Entry::Id),
            Entry::Session { arn, role_arn } => resolve(&role_arn).map(|role| {
                let session = arn.rsplit('/').next().unwrap_or_default().into();
                Entry::BoundSession { role, session }
            }),
            other => Some(other),
        };
        entry.entry = found.unwrap_or(Entry::Nobody);
    }
    bound
}
