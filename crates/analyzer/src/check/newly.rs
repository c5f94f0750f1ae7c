//! The statements of a new policy that allow what the existing one does not.
//!
//! Whether there are any takes a millisecond for most pairs; an example of each of a hundred takes a
//! hundred. So the answer comes first, and then statements are looked at until some are found.

use bailiwick_policy::{Document, Effect};
use bailiwick_symbolic::{Answer, Asker, Finding, Limits};

use super::difference::first;
use super::parts::Parts;

/// How many statements are told, but for the rest of those that were looked at together.
const ENOUGH: usize = 10;
/// How many statements are looked at together.
const TOGETHER: usize = 5;
/// What a look may cost: the answer is known by then.
const LOOK: Limits = Limits { states: 60_000, boxes: 6_000 };

/// Findings if the new policy allows more, or if that is undecided; else none.
pub(super) fn allowing(existing: &Document, new: &Document) -> Vec<Finding> {
    let (held, asked) = (std::slice::from_ref(existing), std::slice::from_ref(new));
    let statements = new.statements().iter().enumerate();
    let allows: Vec<usize> = statements
        .filter(|(_, statement)| statement.effect() == Effect::Allow)
        .map(|(at, _)| at)
        .collect();
    if allows.len() <= TOGETHER {
        return Asker::default().new_access(held, asked);
    }
    let answer = Asker::default().implies(held, asked);
    let mut found = match &answer {
        Answer::Holds => return Vec::new(),
        Answer::Undecided(_) => Asker::new(LOOK).new_access(held, asked),
        Answer::Fails(_) => failing(held, new, &allows),
    };
    // A look that costs little may see nothing.
    if found.is_empty() {
        let by = answer.witness().and_then(|witness| first(new, witness, Effect::Allow));
        let statement = by.or(allows.first().copied()).unwrap_or_default();
        found.push(Finding { document: 0, statement, answer });
    }
    found
}

fn failing(held: &[Document], new: &Document, allows: &[usize]) -> Vec<Finding> {
    let mut found = Vec::new();
    for some in allows.chunks(TOGETHER) {
        let keep = |at: usize, effect: Effect| effect == Effect::Deny || some.contains(&at);
        let Some(part) = Parts::of(new).with(keep, &[]) else { continue };
        let statements = new.statements().iter().enumerate();
        let kept: Vec<usize> = statements
            .filter(|(at, statement)| keep(*at, statement.effect()))
            .map(|(at, _)| at)
            .collect();
        let seen = Asker::new(LOOK).new_access(held, std::slice::from_ref(&part));
        let fails = seen.into_iter().filter(|one| matches!(one.answer, Answer::Fails(_)));
        // Back to the places in the whole policy.
        found.extend(
            fails.filter_map(|one| Some(Finding { statement: *kept.get(one.statement)?, ..one })),
        );
        if found.len() >= ENOUGH {
            break;
        }
    }
    found
}
