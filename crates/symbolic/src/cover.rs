//! What one statement covers of another, as far as their patterns tell one by one: most of two
//! versions of a policy is the same, and needs no search.

use std::rc::Rc;

use crate::key::{Covered, Test};
use crate::pattern::{Id, Patterns, Relation};
use crate::question::{Clause, Literal};
use crate::text::PatternList;

/// The part of a clause that is not seen to lie in one of some others; nothing if all of it is.
/// Actions, and then resources, are left out one by one.
pub(crate) fn uncovered(clause: &Clause, others: &[Clause], patterns: &Patterns) -> Option<Clause> {
    let mut rest = clause.clone();
    for is_split in [is_action, is_resource] {
        let place = rest.literals.iter().position(is_split);
        let Some(Literal::Action(list, true) | Literal::Resource(list, true)) =
            place.and_then(|place| rest.literals.get(place))
        else {
            continue;
        };
        let covering: Vec<&Literal> = others
            .iter()
            .filter(|other| {
                let mut others = other.literals.iter().filter(|literal| !is_split(literal));
                others.all(|literal| implied(literal, &rest, patterns))
            })
            .filter_map(|other| other.literals.iter().find(|literal| is_split(literal)))
            .collect();
        // A statement without the element covers all of it.
        let whole = others.iter().any(|other| {
            !other.literals.iter().any(is_split)
                && other.literals.iter().all(|literal| implied(literal, &rest, patterns))
        });
        if whole {
            return None;
        }
        if covering.is_empty() {
            continue;
        }
        let mut ids = list.ids.clone();
        ids.retain(|id| !covering.iter().any(|literal| takes(literal, *id, patterns)));
        if ids.is_empty() {
            return None;
        }
        if ids.len() < list.ids.len() {
            let list = Rc::new(PatternList::new(ids, patterns));
            let literal = place.and_then(|place| rest.literals.get_mut(place));
            if let Some(Literal::Action(held, _) | Literal::Resource(held, _)) = literal {
                *held = list;
            }
        }
    }
    let mut others = others.iter();
    let covered = others.any(|other| other.literals.iter().all(|l| implied(l, &rest, patterns)));
    (!covered).then_some(rest)
}

fn is_action(literal: &Literal) -> bool {
    matches!(literal, Literal::Action(..))
}

fn is_resource(literal: &Literal) -> bool {
    matches!(literal, Literal::Resource(..))
}

/// Whether the literal is seen to hold wherever the clause does.
fn implied(literal: &Literal, clause: &Clause, patterns: &Patterns) -> bool {
    clause.literals.iter().any(|held| match (held, literal) {
        (Literal::Callers(inner), Literal::Callers(outer)) => inner.without(outer).is_empty(),
        (Literal::Action(inner, listed), Literal::Action(outer, asked))
        | (Literal::Resource(inner, listed), Literal::Resource(outer, asked)) => {
            match (listed, asked) {
                (true, true) => within(inner, outer, patterns),
                (false, false) => within(outer, inner, patterns),
                (true, false) => inner.ids.iter().all(|id| takes(literal, *id, patterns)),
                (false, true) => false,
            }
        }
        (Literal::Test(inner), Literal::Test(outer)) => test_within(inner, outer, patterns),
        _ => false,
    })
}

/// Whether all texts of a pattern are seen to satisfy the literal.
fn takes(literal: &Literal, id: Id, patterns: &Patterns) -> bool {
    let (Literal::Action(list, listed) | Literal::Resource(list, listed)) = literal else {
        return false;
    };
    if *listed {
        return in_list(id, list, patterns);
    }
    let near = list.near(&patterns.get(id).prefix);
    near.into_iter().all(|other| patterns.quick(id, other) == Some(Relation::Disjoint))
}

fn in_list(id: Id, list: &PatternList, patterns: &Patterns) -> bool {
    let contained = |other| patterns.quick(id, other) == Some(Relation::Contained);
    list.ids.binary_search(&id).is_ok() || list.near(&patterns.get(id).prefix).any(contained)
}

fn within(inner: &PatternList, outer: &PatternList, patterns: &Patterns) -> bool {
    inner.ids == outer.ids || inner.ids.iter().all(|id| in_list(*id, outer, patterns))
}

fn test_within(inner: &Test, outer: &Test, patterns: &Patterns) -> bool {
    let alike = inner.key == outer.key
        && inner.present == outer.present
        && inner.over == outer.over
        && inner.negated == outer.negated
        && inner.deny == outer.deny
        && (outer.absent || !inner.absent);
    let (less, more) = if inner.negated { (outer, inner) } else { (inner, outer) };
    alike
        && match (&less.covered, &more.covered) {
            (Covered::Texts(less), Covered::Texts(more)) => within(less, more, patterns),
            (Covered::Points(less), Covered::Points(more)) => less.without(more).is_empty(),
            _ => false,
        }
}
