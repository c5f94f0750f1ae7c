//! Whether a request lies in some statements and in none of some others: boxes are cut by one
//! statement after the other until nothing is left, or something is left of which nothing can be
//! cut.

use std::rc::Rc;

use rustc_hash::FxHashSet;

use crate::answer::{Reason, Witness};
use crate::pattern::Relation;
use crate::question::{Clause, Literal, Question, Region};
use crate::text::{PatternList, TextCell};

/// What a search found.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// There is no such request.
    Nothing,
    /// A request that the engine confirms.
    Found(Box<Witness>),
    /// Neither could be shown.
    Unknown(Reason),
}

/// What is left of a clause where its other literals hold.
type Literals<'c> = Vec<&'c Literal>;

fn of_action(literal: &Literal) -> Option<(&PatternList, bool)> {
    if let Literal::Action(list, listed) = literal { Some((list, *listed)) } else { None }
}

fn of_resource(literal: &Literal) -> Option<(&PatternList, bool)> {
    if let Literal::Resource(list, listed) = literal { Some((list, *listed)) } else { None }
}

/// A search, and what tells whether an example is one.
pub(crate) struct Search<'q> {
    pub(crate) question: &'q Question,
    /// Makes a request of a region; an error says why it is no example.
    pub(crate) confirm: &'q dyn Fn(&Region) -> Result<Witness, Reason>,
}

impl Search<'_> {
    /// A request in all of `inside` and none of `outside`.
    pub(crate) fn solve(&self, inside: &[&Clause], outside: &[&Clause]) -> Outcome {
        if !self.question.asks_of_caller() {
            return self.solve_in(self.question.all.clone(), inside, outside);
        }
        let mut unknown = None;
        for at in 0..self.question.callers.len() {
            if !self.question.all.callers.has(at) {
                continue;
            }
            let Some(region) = self.question.of_caller(at) else { continue };
            match self.solve_in(region, inside, outside) {
                Outcome::Nothing => {}
                Outcome::Unknown(reason) => unknown = unknown.or(Some(reason)),
                found @ Outcome::Found(_) => return found,
            }
        }
        unknown.map_or(Outcome::Nothing, Outcome::Unknown)
    }

    fn solve_in(&self, mut region: Region, inside: &[&Clause], outside: &[&Clause]) -> Outcome {
        if region.keys.iter().any(|set| set.is_empty()) {
            return Outcome::Nothing;
        }
        for literal in inside.iter().flat_map(|clause| &clause.literals) {
            match self.apply(&region, literal, true) {
                Some(narrower) => region = narrower,
                None => return Outcome::Nothing,
            }
        }
        let outside: Vec<Literals<'_>> =
            outside.iter().map(|clause| clause.literals.iter().collect()).collect();
        let mut unknown = None;
        for (action, outside) in self.kinds(&region.action, &outside, of_action) {
            for (resource, outside) in self.kinds(&region.resource, &outside, of_resource) {
                let part = Region {
                    action: Rc::new(vec![action.clone()]),
                    resource: Rc::new(vec![resource]),
                    ..region.clone()
                };
                match self.cut(part, outside) {
                    Outcome::Nothing => {}
                    Outcome::Unknown(reason) => unknown = unknown.or(Some(reason)),
                    found @ Outcome::Found(_) => return found,
                }
            }
        }
        unknown.map_or(Outcome::Nothing, Outcome::Unknown)
    }

    /// Cells of which each stands for all that the clauses do not tell apart, with what is left of
    /// the clauses there. Those that fewer clauses meet come first.
    fn kinds<'c>(
        &self,
        cells: &[TextCell],
        outside: &[Literals<'c>],
        list_of: fn(&Literal) -> Option<(&PatternList, bool)>,
    ) -> Vec<(TextCell, Vec<Literals<'c>>)> {
        let mut seen: FxHashSet<Vec<Relation>> = FxHashSet::default();
        let mut out = Vec::new();
        for cell in cells {
            let standings: Vec<Relation> = outside
                .iter()
                .map(|literals| {
                    let lists = literals.iter().filter_map(|literal| list_of(literal));
                    let all = lists.map(|(list, listed)| {
                        match (self.question.space.standing(cell, list), listed) {
                            (Relation::Contained, false) => Relation::Disjoint,
                            (Relation::Disjoint, false) => Relation::Contained,
                            (standing, _) => standing,
                        }
                    });
                    all.fold(Relation::Contained, Relation::and)
                })
                .collect();
            let told = standings.contains(&Relation::Overlap) || seen.insert(standings.clone());
            if !told {
                continue;
            }
            let mut left = Vec::new();
            for (literals, standing) in outside.iter().zip(&standings) {
                match standing {
                    Relation::Disjoint => {}
                    Relation::Overlap => left.push(literals.clone()),
                    Relation::Contained => {
                        let others = literals.iter().filter(|literal| list_of(literal).is_none());
                        left.push(others.copied().collect());
                    }
                }
            }
            out.push((cell.clone(), left));
        }
        out.sort_by_key(|(_, left)| left.len());
        out
    }

    /// Takes the clauses out of the region.
    fn cut(&self, mut region: Region, mut outside: Vec<Literals<'_>>) -> Outcome {
        if !self.question.space.budget.one_box() {
            return Outcome::Unknown(Reason::Budget);
        }
        loop {
            let mut open: Vec<Literals<'_>> = Vec::new();
            let mut changed = false;
            for clause in outside {
                let Some(literals) = self.open_literals(&region, &clause) else { continue };
                match literals.as_slice() {
                    [] => return Outcome::Nothing,
                    [only] => {
                        let Some(narrower) = self.apply(&region, only, false) else {
                            return Outcome::Nothing;
                        };
                        region = narrower;
                        changed = true;
                    }
                    _ => open.push(literals),
                }
            }
            if open.is_empty() {
                return match (self.confirm)(&region) {
                    Ok(witness) => Outcome::Found(Box::new(witness)),
                    Err(reason) => Outcome::Unknown(reason),
                };
            }
            if !changed {
                return self.branch(&region, &open);
            }
            outside = open;
        }
    }

    /// The literals of a clause that hold in part of the region only; nothing if the clause does
    /// not meet the region.
    fn open_literals<'c>(&self, region: &Region, clause: &[&'c Literal]) -> Option<Literals<'c>> {
        let mut open = Vec::new();
        for literal in clause {
            self.apply(region, literal, true)?;
            if self.apply(region, literal, false).is_some() {
                open.push(*literal);
            }
        }
        Some(open)
    }

    /// Parts the region by the clause with the fewest open literals: outside of the first, or
    /// inside of it and outside of the second, and so on.
    fn branch(&self, region: &Region, open: &[Literals<'_>]) -> Outcome {
        let Some((at, literals)) = open.iter().enumerate().min_by_key(|(_, one)| one.len()) else {
            return Outcome::Nothing;
        };
        let others = open.iter().enumerate().filter(|(place, _)| *place != at);
        let others: Vec<Literals<'_>> = others.map(|(_, literals)| literals.clone()).collect();
        let mut inside = region.clone();
        let mut unknown = None;
        for literal in literals {
            if let Some(part) = self.apply(&inside, literal, false) {
                match self.cut(part, others.clone()) {
                    Outcome::Nothing => {}
                    Outcome::Unknown(reason) => unknown = unknown.or(Some(reason)),
                    found @ Outcome::Found(_) => return found,
                }
            }
            match self.apply(&inside, literal, true) {
                Some(narrower) => inside = narrower,
                None => break,
            }
        }
        unknown.map_or(Outcome::Nothing, Outcome::Unknown)
    }

    /// The part of the region where the literal holds, or where it does not; nothing if empty.
    fn apply(&self, region: &Region, literal: &Literal, truth: bool) -> Option<Region> {
        let space = &self.question.space;
        let mut out = region.clone();
        match literal {
            Literal::Callers(meant) => {
                out.callers =
                    if truth { region.callers.and(meant) } else { region.callers.without(meant) };
                (!out.callers.is_empty()).then_some(out)
            }
            Literal::Action(list, listed) => {
                let texts = space.restrict(&region.action, list, *listed == truth);
                out.action = Rc::new(texts);
                (!out.action.is_empty()).then_some(out)
            }
            Literal::Resource(list, listed) => {
                let texts = space.restrict(&region.resource, list, *listed == truth);
                out.resource = Rc::new(texts);
                (!out.resource.is_empty()).then_some(out)
            }
            Literal::Test(test) => {
                let set = region.keys.get(test.key)?;
                let info = self.question.keys.get(test.key)?;
                let set = test.apply(set, info, truth, space);
                if set.is_empty() {
                    return None;
                }
                *out.keys.get_mut(test.key)? = Rc::new(set);
                Some(out)
            }
        }
    }
}
