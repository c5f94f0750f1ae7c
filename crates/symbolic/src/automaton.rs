//! Whether a text matches all of some patterns and none of some others: a search in the product
//! of their automata, made while it goes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::budget::Budget;
use crate::pattern::{Id, Letter, Pattern, Patterns, Places, Tok, cases};

/// A text with symbols in it.
pub(crate) type Word = Vec<Letter>;

/// What a search found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Found {
    /// There is no such text.
    Nothing,
    /// There is one.
    Text(Word),
    /// The budget was used up first.
    Unknown,
}

/// The automaton of one pattern, determinized as far as it was asked for.
struct Machine<'p> {
    pattern: &'p Pattern,
    upper: bool,
    letters: &'p [Letter],
    states: Vec<Places>,
    numbers: FxHashMap<Places, u32>,
    next: Vec<u32>,
    /// For each state the letters that may lead elsewhere than any other letter does.
    telling: Vec<u128>,
}

const OPEN: u32 = u32::MAX;

impl<'p> Machine<'p> {
    fn new(pattern: &'p Pattern, upper: bool, letters: &'p [Letter]) -> Self {
        let mut machine = Self {
            pattern,
            upper,
            letters,
            states: Vec::new(),
            numbers: FxHashMap::default(),
            next: Vec::new(),
            telling: Vec::new(),
        };
        machine.number(Places::start(pattern, upper));
        machine
    }

    fn number(&mut self, places: Places) -> u32 {
        if let Some(known) = self.numbers.get(&places) {
            return *known;
        }
        let new = crate::pattern::number(self.states.len());
        self.telling.push(places.telling(self.pattern, self.letters));
        self.states.push(places.clone());
        self.numbers.insert(places, new);
        self.next.resize(self.states.len() * self.letters.len(), OPEN);
        new
    }

    fn step(&mut self, state: u32, at: usize, letter: Letter) -> u32 {
        let slot = state as usize * self.letters.len() + at;
        let known = self.next.get(slot).copied().unwrap_or(OPEN);
        if known != OPEN {
            return known;
        }
        let Some(places) = self.states.get(state as usize) else { return state };
        let next = places.step(self.pattern, letter, self.upper);
        let next = self.number(next);
        if let Some(slot) = self.next.get_mut(slot) {
            *slot = next;
        }
        next
    }

    fn places(&self, state: u32) -> Option<&Places> {
        self.states.get(state as usize)
    }

    fn accepts(&self, state: u32) -> bool {
        self.places(state).is_some_and(|places| places.has(self.pattern.toks.len()))
    }

    fn is_dead(&self, state: u32) -> bool {
        self.places(state).is_none_or(Places::is_empty)
    }

    fn is_all(&self, state: u32) -> bool {
        self.places(state).is_some_and(|places| places.is_all(self.pattern))
    }

    /// How many tokens are left at least.
    fn left(&self, state: u32) -> usize {
        let furthest = self.places(state).map_or(0, Places::furthest);
        self.pattern.toks.len().saturating_sub(furthest)
    }
}

/// A text that matches every pattern of `wanted` and none of `unwanted`.
///
/// With variables the answer `Nothing` holds for all their values; a text found may turn out to be
/// none when they get values.
pub(crate) fn search(
    patterns: &Patterns,
    wanted: &[Id],
    unwanted: &[Id],
    budget: &Budget,
) -> Found {
    let mut list: Vec<&Pattern> =
        wanted.iter().map(|id| patterns.get(*id)).filter(|pattern| !pattern.opaque).collect();
    // The one whose variables are letters; in all others they are anything.
    list.sort_by_key(|pattern| Reverse(pattern.has_variables));
    let count = list.len();
    list.extend(unwanted.iter().map(|id| patterns.get(*id)).filter(|pattern| !pattern.opaque));
    let letters = letters_of(&list, count);
    let symbols = letters.iter().any(|letter| matches!(letter, Letter::Symbol { .. }));
    let mut machines: Vec<Machine<'_>> = Vec::with_capacity(list.len());
    for (at, pattern) in list.iter().enumerate() {
        let upper = at > 0 && at < count && (symbols || pattern.has_variables);
        machines.push(Machine::new(pattern, upper, &letters));
    }
    explore(&mut machines, count, &letters, budget)
}

struct Step {
    state: Box<[u32]>,
    from: usize,
    letter: usize,
    depth: usize,
}

fn explore(
    machines: &mut [Machine<'_>],
    count: usize,
    letters: &[Letter],
    budget: &Budget,
) -> Found {
    let start: Box<[u32]> = vec![0; machines.len()].into();
    let mut seen: FxHashSet<Box<[u32]>> = FxHashSet::default();
    seen.insert(start.clone());
    let mut steps = vec![Step { state: start, from: usize::MAX, letter: 0, depth: 0 }];
    let mut queue = BinaryHeap::from([Reverse((0_usize, 0_usize))]);
    let mut scratch: Vec<u32> = Vec::with_capacity(machines.len());
    while let Some(Reverse((_, at))) = queue.pop() {
        if !budget.state() {
            return Found::Unknown;
        }
        let Some(step) = steps.get(at) else { continue };
        let (state, depth) = (step.state.clone(), step.depth);
        let accepted = machines
            .iter()
            .zip(state.iter())
            .enumerate()
            .all(|(place, (m, state))| m.accepts(*state) == (place < count));
        if accepted {
            return Found::Text(spell(&steps, at, letters));
        }
        // The first letter stands in no pattern.
        let tell = |(machine, state): (&Machine<'_>, &u32)| {
            machine.telling.get(*state as usize).copied().unwrap_or(u128::MAX)
        };
        let telling = machines.iter().zip(state.iter()).map(tell).fold(1, |all, one| all | one);
        for (number, letter) in letters.iter().enumerate() {
            if number < 127 && telling >> number & 1 == 0 {
                continue;
            }
            scratch.clear();
            let mut left = 0;
            let mut alive = true;
            for (place, (machine, state)) in machines.iter_mut().zip(state.iter()).enumerate() {
                let next = machine.step(*state, number, *letter);
                alive = if place < count { !machine.is_dead(next) } else { !machine.is_all(next) };
                if !alive {
                    break;
                }
                if place < count {
                    left += machine.left(next);
                }
                scratch.push(next);
            }
            if !alive || seen.contains(scratch.as_slice()) {
                continue;
            }
            let next: Box<[u32]> = scratch.as_slice().into();
            seen.insert(next.clone());
            steps.push(Step { state: next, from: at, letter: number, depth: depth + 1 });
            queue.push(Reverse((left * 4 + depth, steps.len() - 1)));
        }
    }
    Found::Nothing
}

fn spell(steps: &[Step], mut at: usize, letters: &[Letter]) -> Word {
    let mut word = Vec::new();
    while let Some(step) = steps.get(at).filter(|step| step.from != usize::MAX) {
        word.extend(letters.get(step.letter));
        at = step.from;
    }
    word.reverse();
    word
}

/// The letters that make a difference: those of the patterns, their variables, and one more.
fn letters_of(list: &[&Pattern], count: usize) -> Vec<Letter> {
    let mut chars: Vec<char> = Vec::new();
    let mut fields = false;
    for pattern in list {
        for tok in &pattern.toks {
            match tok {
                Tok::Char(c) if pattern.fold => {
                    for c in cases(*c) {
                        chars.extend(cases(c));
                    }
                }
                Tok::Char(c) => chars.push(*c),
                Tok::OneField | Tok::StarField => fields = true,
                _ => {}
            }
        }
    }
    if fields {
        chars.push(':');
    }
    chars.sort_unstable();
    chars.dedup();
    let other = "x0ab1zq-_=~BZQA"
        .chars()
        .chain('\u{e0}'..='\u{ff}')
        .chain('\u{4e00}'..='\u{9fff}')
        .find(|c| chars.binary_search(c).is_err());
    let mut out: Vec<Letter> = other.into_iter().chain(chars).map(Letter::Char).collect();
    if count > 0
        && let Some(chief) = list.first().filter(|pattern| pattern.has_variables)
    {
        for tok in &chief.toks {
            if let Tok::Var(number, field) = tok {
                let symbol = Letter::Symbol { number: *number, field: *field, fold: chief.fold };
                if !out.contains(&symbol) {
                    out.push(symbol);
                }
            }
        }
    }
    out
}
