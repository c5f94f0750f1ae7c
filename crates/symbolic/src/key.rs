//! One context key over all requests: absent, with one value, or with several.

use std::rc::Rc;

use crate::automaton::{Found, Word};
use crate::bits::Bits;
use crate::pattern::{Id, Letter};
use crate::text::{PatternList, Space, TextCell, Texts};

/// A set of single values.
#[derive(Clone, Debug)]
pub(crate) enum Values {
    Texts(Texts),
    /// Of the key's representative values.
    Points(Bits),
}

/// What a condition's list covers, negation aside.
#[derive(Clone, Debug)]
pub(crate) enum Covered {
    Texts(Rc<PatternList>),
    Points(Bits),
}

/// What the key may be in a request.
#[derive(Clone, Debug)]
pub(crate) struct KeySet {
    pub(crate) absent: bool,
    pub(crate) single: Option<Values>,
    pub(crate) multi: Option<Multi>,
}

/// Lists of values: each value is one of `each`, and each of `some` has one among them.
#[derive(Clone, Debug)]
pub(crate) struct Multi {
    pub(crate) each: Values,
    pub(crate) some: Vec<Values>,
}

/// What is fixed about a key before any statement is looked at.
#[derive(Clone, Debug)]
pub(crate) struct KeyInfo {
    /// Folded.
    pub(crate) name: Box<str>,
    /// Its representative values, if it is not a set of texts.
    pub(crate) points: Option<Vec<String>>,
    /// The pattern of the empty text.
    pub(crate) nothing: Id,
}

/// How a condition quantifies over the values.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Over {
    /// The one value; of several, all, where the statement denies by a negated operator, else
    /// none (CO-9).
    Plain,
    All,
    Any,
}

/// One condition.
#[derive(Clone, Debug)]
pub(crate) struct Test {
    pub(crate) key: usize,
    /// Whether it holds for an absent key.
    pub(crate) absent: bool,
    /// Whether it holds for every present key, where only presence counts.
    pub(crate) present: Option<bool>,
    pub(crate) over: Over,
    pub(crate) negated: bool,
    /// The statement denies.
    pub(crate) deny: bool,
    pub(crate) covered: Covered,
}

impl Test {
    /// The part of `set` for which the test holds, or for which it does not.
    pub(crate) fn apply(&self, set: &KeySet, info: &KeyInfo, truth: bool, space: &Space) -> KeySet {
        let absent = set.absent && self.absent == truth;
        if let Some(present) = self.present {
            let keep = present == truth;
            return KeySet {
                absent,
                single: set.single.clone().filter(|_| keep),
                multi: set.multi.clone().filter(|_| keep),
            };
        }
        let part = |values: &Values, truth: bool| {
            self.part(values, info, truth, self.over == Over::All, space)
        };
        let single = set.single.as_ref().map(|values| part(values, truth));
        let single = single.filter(|values| !values.is_empty(space));
        let multi = set.multi.as_ref().and_then(|multi| {
            let universal = match self.over {
                Over::Plain if !(self.deny && self.negated) => {
                    return (!truth).then(|| multi.clone());
                }
                Over::Plain | Over::All => truth,
                Over::Any => !truth,
            };
            let mut out = multi.clone();
            if universal {
                out.each = part(&multi.each, truth);
                out.some = out.some.iter().map(|values| part(values, truth)).collect();
            } else {
                out.some.push(part(&multi.each, truth));
            }
            (!out.is_empty(space)).then_some(out)
        });
        KeySet { absent, single, multi }
    }

    /// The values that satisfy the operator, or that do not. `blank`: the empty text always does
    /// (CO-5).
    fn part(
        &self,
        values: &Values,
        info: &KeyInfo,
        truth: bool,
        blank: bool,
        space: &Space,
    ) -> Values {
        let inside = truth != self.negated;
        match (values, &self.covered) {
            (Values::Texts(texts), Covered::Texts(list)) => {
                let mut out = space.restrict(texts, list, inside);
                if blank {
                    let empty = PatternList::new(vec![info.nothing], &space.patterns);
                    if truth {
                        out.extend(space.restrict(texts, &empty, true));
                    } else {
                        out = space.restrict(&out, &empty, false);
                    }
                }
                Values::Texts(out)
            }
            (Values::Points(points), Covered::Points(covered)) => {
                let mut out = if inside { points.and(covered) } else { points.without(covered) };
                let empty = info.points.iter().flatten().position(String::is_empty);
                if blank && let Some(at) = empty {
                    if truth && points.has(at) {
                        out.set(at);
                    } else if !truth {
                        out.unset(at);
                    }
                }
                Values::Points(out)
            }
            // A key is made of texts or of points for all conditions of a question.
            _ => values.clone(),
        }
    }
}

impl KeySet {
    pub(crate) fn is_empty(&self) -> bool {
        !self.absent && self.single.is_none() && self.multi.is_none()
    }
}

impl Values {
    pub(crate) fn is_empty(&self, space: &Space) -> bool {
        match self {
            Self::Texts(texts) => space.is_empty(texts),
            Self::Points(points) => points.is_empty(),
        }
    }

    /// A value, with symbols in it; nothing where none was found.
    pub(crate) fn example(&self, info: &KeyInfo, space: &Space) -> Option<Word> {
        match self {
            Self::Texts(texts) => texts.iter().find_map(|cell| example_of(cell, space)),
            Self::Points(points) => {
                let point = info.points.as_ref()?.get(points.first()?)?;
                Some(point.chars().map(Letter::Char).collect())
            }
        }
    }
}

pub(crate) fn example_of(cell: &TextCell, space: &Space) -> Option<Word> {
    match space.find(cell) {
        Found::Text(word) => Some(word),
        Found::Nothing | Found::Unknown => None,
    }
}

impl Multi {
    pub(crate) fn is_empty(&self, space: &Space) -> bool {
        self.each.is_empty(space) || self.some.iter().any(|values| values.is_empty(space))
    }
}
