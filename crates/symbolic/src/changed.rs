//! Which actions a new policy may allow that the existing one does not, seen from the texts: most
//! statements of two versions are the same, but for some actions.

use bailiwick_policy::{Document, Effect, Statement};
use rustc_hash::FxHashSet;

/// The actions of Allow statements that no statement of `existing` allows under the same resources
/// and conditions, as they are written. Nothing where the texts do not tell.
pub(crate) fn actions<'d>(existing: &[Document], new: &'d [Document]) -> Option<Vec<&'d str>> {
    let all = || existing.iter().chain(new);
    let version = all().next()?.version();
    if all().any(|one| one.kind().has_principal() || one.version() != version) {
        return None;
    }
    let (old_denies, new_denies) = (of(existing, Effect::Deny), of(new, Effect::Deny));
    let kept = |deny: &str| new_denies.iter().any(|(text, _)| *text == deny);
    if !old_denies.iter().all(|(text, _)| kept(text)) {
        return None;
    }
    let held: Vec<(&str, &Statement, FxHashSet<&str>)> = of(existing, Effect::Allow)
        .into_iter()
        .map(|(text, one)| (text, one, one.actions().collect()))
        .collect();
    let mut out = Vec::new();
    for document in new {
        for one in document.statements().iter().filter(|one| one.effect() == Effect::Allow) {
            let own = text(document, one);
            if held.iter().any(|(text, ..)| *text == own) {
                continue;
            }
            if one.is_not_action() {
                return None;
            }
            let alike: Vec<&FxHashSet<&str>> = held
                .iter()
                .filter(|(_, other, _)| !other.is_not_action() && is_alike(one, other))
                .map(|(.., actions)| actions)
                .collect();
            out.extend(
                one.actions()
                    .filter(|action| !alike.iter().any(|actions| actions.contains(*action))),
            );
        }
    }
    Some(out)
}

/// The statements of one effect, with their texts.
fn of(list: &[Document], effect: Effect) -> Vec<(&str, &Statement)> {
    let each = list.iter().flat_map(|document| {
        let all = document.statements().iter().filter(move |one| one.effect() == effect);
        all.map(|one| (text(document, one), one))
    });
    each.collect()
}

fn text<'d>(document: &'d Document, statement: &Statement) -> &'d str {
    let bytes = statement.bytes();
    document.source().get(bytes.start as usize..bytes.end as usize).unwrap_or_default()
}

/// Whether two statements differ in their actions alone.
fn is_alike(one: &Statement, other: &Statement) -> bool {
    let conditions = || one.conditions().zip(other.conditions());
    one.is_not_resource() == other.is_not_resource()
        && one.has_resources() == other.has_resources()
        && one.resources().eq(other.resources())
        && one.conditions().count() == other.conditions().count()
        && conditions().all(|(left, right)| {
            left.operator == right.operator && left.key == right.key && left.values == right.values
        })
}
