//! Patterns over texts, each once, and how two of them stand to each other.
//!
//! A variable is a symbol of its own: it is matched by itself and by wildcards that take anything.
//! That proves containment for every value the variable may have, and never more.

use bailiwick_policy::Token;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// A pattern's place in [`Patterns`].
pub(crate) type Id = u32;

/// A token of a pattern, one letter each.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Tok {
    Char(char),
    One,
    OneField,
    Star,
    StarField,
    /// A variable by its number, and whether its value may hold no colon.
    Var(u32, bool),
    /// Nothing is known: as a demand it lets all pass, as an exception nothing.
    Opaque(u32),
}

/// A letter of the texts that are searched.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Letter {
    Char(char),
    /// The value of a variable; `fold`: in whatever case.
    Symbol {
        number: u32,
        field: bool,
        fold: bool,
    },
}

#[derive(Debug, Default)]
pub(crate) struct Pattern {
    pub(crate) toks: Vec<Tok>,
    /// Case does not count.
    pub(crate) fold: bool,
    /// The only text that matches.
    pub(crate) literal: Option<Box<str>>,
    /// What every match begins with; empty where case does not count.
    pub(crate) prefix: Box<str>,
    suffix: Vec<char>,
    pub(crate) has_variables: bool,
    pub(crate) opaque: bool,
}

/// A context key in `${...}` with what stands for it when it is absent.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Symbol {
    pub(crate) key: Box<str>,
    pub(crate) default: Option<Box<str>>,
}

/// Every pattern of a question.
#[derive(Debug, Default)]
pub(crate) struct Patterns {
    list: Vec<Pattern>,
    ids: FxHashMap<(Vec<Tok>, bool), Id>,
    pub(crate) symbols: Vec<Symbol>,
    opaque: Vec<Box<str>>,
    /// What an id of another question would mean: no text.
    nothing: Pattern,
}

/// How the texts of one pattern stand to those of another.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Relation {
    Contained,
    Disjoint,
    Overlap,
}

impl Relation {
    /// To the intersection of two sets.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Disjoint, _) | (_, Self::Disjoint) => Self::Disjoint,
            (Self::Contained, Self::Contained) => Self::Contained,
            _ => Self::Overlap,
        }
    }
}

impl Patterns {
    pub(crate) fn get(&self, id: Id) -> &Pattern {
        self.list.get(id as usize).unwrap_or(&self.nothing)
    }

    /// Enters a pattern; nothing if it can match nothing at all.
    pub(crate) fn add(&mut self, tokens: &[Token], fold: bool) -> Option<Id> {
        let mut toks = Vec::new();
        for token in tokens {
            match token {
                Token::Text(text) => toks.extend(text.chars().map(Tok::Char)),
                Token::One => toks.push(Tok::One),
                Token::OneField => toks.push(Tok::OneField),
                Token::Star => toks.push(Tok::Star),
                Token::StarField => toks.push(Tok::StarField),
                Token::Opaque(text) => {
                    let at = self.opaque.iter().position(|held| held == text);
                    let at = at.unwrap_or_else(|| {
                        self.opaque.push(text.clone());
                        self.opaque.len() - 1
                    });
                    toks.push(Tok::Opaque(number(at)));
                }
                // VAR-6
                Token::Variable { multivalued: true, default: None, .. } => return None,
                Token::Variable { multivalued: true, default: Some(text), in_field, .. } => {
                    if *in_field && text.contains(':') {
                        return None;
                    }
                    toks.extend(text.chars().map(Tok::Char));
                }
                Token::Variable { key, default, in_field, .. } => {
                    let symbol = Symbol { key: key.clone(), default: default.clone() };
                    let at = self.symbols.iter().position(|held| *held == symbol);
                    let at = at.unwrap_or_else(|| {
                        self.symbols.push(symbol);
                        self.symbols.len() - 1
                    });
                    toks.push(Tok::Var(number(at), *in_field));
                }
            }
        }
        toks.dedup_by(|next, last| *next == Tok::Star && *last == Tok::Star);
        Some(self.intern(toks, fold))
    }

    /// Enters a text that matches itself alone.
    pub(crate) fn literal(&mut self, text: &str) -> Id {
        self.intern(text.chars().map(Tok::Char).collect(), false)
    }

    /// The pattern of a text that was entered before.
    pub(crate) fn find_literal(&self, text: &str) -> Option<Id> {
        self.ids.get(&(text.chars().map(Tok::Char).collect(), false)).copied()
    }

    /// A pattern without variables that was entered before.
    pub(crate) fn find(&self, tokens: &[Token]) -> Option<Id> {
        let mut toks = Vec::new();
        for token in tokens {
            match token {
                Token::Text(text) => toks.extend(text.chars().map(Tok::Char)),
                Token::One => toks.push(Tok::One),
                Token::OneField => toks.push(Tok::OneField),
                Token::Star => toks.push(Tok::Star),
                Token::StarField => toks.push(Tok::StarField),
                Token::Variable { .. } | Token::Opaque(_) => return None,
            }
        }
        self.ids.get(&(toks, false)).copied()
    }

    fn intern(&mut self, toks: Vec<Tok>, fold: bool) -> Id {
        let has_letters = |tok: &Tok| matches!(tok, Tok::Char(c) if cases(*c).len() > 1);
        let fold = fold && toks.iter().any(|tok| has_letters(tok) || matches!(tok, Tok::Var(..)));
        if let Some(id) = self.ids.get(&(toks.clone(), fold)) {
            return *id;
        }
        let id = number(self.list.len());
        let letter = |tok: &Tok| if let Tok::Char(c) = tok { Some(*c) } else { None };
        let prefix: String = toks.iter().map_while(letter).filter(|_| !fold).collect();
        let suffix: Vec<char> = toks.iter().rev().map_while(letter).filter(|_| !fold).collect();
        let plain = !fold && toks.iter().all(|tok| matches!(tok, Tok::Char(_)));
        self.list.push(Pattern {
            literal: plain.then(|| prefix.clone().into()),
            prefix: prefix.into(),
            suffix,
            fold,
            has_variables: toks.iter().any(|tok| matches!(tok, Tok::Var(..))),
            opaque: toks.iter().any(|tok| matches!(tok, Tok::Opaque(_))),
            toks: toks.clone(),
        });
        self.ids.insert((toks, fold), id);
        id
    }

    /// How the two stand to each other where that is seen without a search.
    pub(crate) fn quick(&self, left: Id, right: Id) -> Option<Relation> {
        if left == right {
            return Some(Relation::Contained);
        }
        let (p, q) = (self.get(left), self.get(right));
        if q.toks.as_slice() == [Tok::Star] {
            return Some(Relation::Contained);
        }
        if p.opaque || q.opaque {
            return Some(Relation::Overlap);
        }
        if let Some(text) = &p.literal {
            if let Some(other) = &q.literal {
                let same = text == other;
                return Some(if same { Relation::Contained } else { Relation::Disjoint });
            }
            return Some(if q.matches(text, false) {
                Relation::Contained
            } else if q.has_variables && q.matches(text, true) {
                Relation::Overlap
            } else {
                Relation::Disjoint
            });
        }
        if !p.fold && !q.fold {
            if !q.prefix.starts_with(&*p.prefix) && !p.prefix.starts_with(&*q.prefix) {
                return Some(Relation::Disjoint);
            }
            if p.suffix.iter().zip(&q.suffix).any(|(left, right)| left != right) {
                return Some(Relation::Disjoint);
            }
        }
        if contains(q, p) {
            return Some(Relation::Contained);
        }
        if let Some(text) = &q.literal
            && !p.has_variables
        {
            // More than one text matches `p`.
            let meets = p.matches(text, false);
            return Some(if meets { Relation::Overlap } else { Relation::Disjoint });
        }
        None
    }
}

impl Pattern {
    /// Whether it matches a text. A variable matches nothing, or, for an upper bound, anything.
    pub(crate) fn matches(&self, text: &str, upper: bool) -> bool {
        if let Some(literal) = &self.literal {
            return **literal == *text;
        }
        if self.opaque {
            return upper;
        }
        let mut places = Places::start(self, upper);
        for c in text.chars() {
            places = places.step(self, Letter::Char(c), upper);
            if places.is_empty() {
                return false;
            }
        }
        places.has(self.toks.len())
    }
}

/// The places of a pattern that a text so far may have led to.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Places(SmallVec<[u64; 2]>);

impl Places {
    fn none(pattern: &Pattern) -> Self {
        Self(SmallVec::from_elem(0, pattern.toks.len() / 64 + 1))
    }

    pub(crate) fn start(pattern: &Pattern, upper: bool) -> Self {
        let mut out = Self::none(pattern);
        out.add(pattern, 0, upper);
        out.settle(pattern);
        out
    }

    pub(crate) fn has(&self, place: usize) -> bool {
        self.0.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// The furthest place.
    pub(crate) fn furthest(&self) -> usize {
        let found = self.0.iter().enumerate().rev().find(|(_, word)| **word != 0);
        found.map_or(0, |(at, word)| at * 64 + 63 - word.leading_zeros() as usize)
    }

    fn set(&mut self, place: usize) {
        if let Some(word) = self.0.get_mut(place / 64) {
            *word |= 1 << (place % 64);
        }
    }

    /// Adds a place and those behind the runs that begin there.
    fn add(&mut self, pattern: &Pattern, mut place: usize, upper: bool) {
        loop {
            if self.has(place) {
                return;
            }
            self.set(place);
            match pattern.toks.get(place) {
                Some(Tok::Star | Tok::StarField) => place += 1,
                Some(Tok::Var(..)) if upper => place += 1,
                _ => return,
            }
        }
    }

    /// What stands before the last `*` that was reached leads nowhere else: it is forgotten, so
    /// that few sets are distinct.
    fn settle(&mut self, pattern: &Pattern) {
        let star =
            |place: &usize| self.has(*place) && matches!(pattern.toks.get(*place), Some(Tok::Star));
        if let Some(last) = (0..=self.furthest()).rev().find(star) {
            for (at, word) in self.0.iter_mut().enumerate() {
                if at < last / 64 {
                    *word = 0;
                } else if at == last / 64 {
                    *word &= u64::MAX << (last % 64);
                }
            }
        }
    }

    /// The places after one more letter. `upper`: variables match anything, and a symbol stands
    /// for any text.
    pub(crate) fn step(&self, pattern: &Pattern, letter: Letter, upper: bool) -> Self {
        let mut out = Self::none(pattern);
        for (at, word) in self.0.iter().enumerate() {
            let mut word = *word;
            while word != 0 {
                let place = at * 64 + word.trailing_zeros() as usize;
                word &= word - 1;
                let symbol = matches!(letter, Letter::Symbol { .. });
                if upper && symbol {
                    for later in place..=pattern.toks.len() {
                        out.set(later);
                    }
                    out.settle(pattern);
                    return out;
                }
                let Some(tok) = pattern.toks.get(place) else { continue };
                match (tok, letter) {
                    (Tok::Char(wanted), Letter::Char(c))
                        if *wanted == c || pattern.fold && same_letter(*wanted, c) =>
                    {
                        out.add(pattern, place + 1, upper);
                    }
                    (Tok::One, Letter::Char(_)) => out.add(pattern, place + 1, upper),
                    (Tok::OneField, Letter::Char(c)) if c != ':' => {
                        out.add(pattern, place + 1, upper);
                    }
                    (Tok::Star, _) => out.add(pattern, place, upper),
                    (Tok::StarField, Letter::Char(c)) if c != ':' => {
                        out.add(pattern, place, upper);
                    }
                    (Tok::StarField, Letter::Symbol { field: true, .. }) => {
                        out.add(pattern, place, upper);
                    }
                    (Tok::Var(..), Letter::Char(_)) if upper => {
                        out.add(pattern, place, upper);
                    }
                    (Tok::Var(wanted, in_field), Letter::Symbol { number, field, fold })
                        if *wanted == number && (field || !in_field) && (pattern.fold || !fold) =>
                    {
                        out.add(pattern, place + 1, upper);
                    }
                    _ => {}
                }
            }
        }
        out.settle(pattern);
        out
    }

    /// The letters that may lead elsewhere than a letter does that stands in no pattern, as bits;
    /// those beyond the width always may.
    pub(crate) fn telling(&self, pattern: &Pattern, letters: &[Letter]) -> u128 {
        let mut chars: SmallVec<[char; 8]> = SmallVec::new();
        let mut fields = false;
        for (at, word) in self.0.iter().enumerate() {
            let mut word = *word;
            while word != 0 {
                let place = at * 64 + word.trailing_zeros() as usize;
                word &= word - 1;
                match pattern.toks.get(place) {
                    Some(Tok::Char(c)) => chars.push(*c),
                    Some(Tok::OneField | Tok::StarField) => fields = true,
                    _ => {}
                }
            }
        }
        let tells = |letter: &Letter| match letter {
            Letter::Symbol { .. } => true,
            Letter::Char(':') if fields => true,
            Letter::Char(c) => {
                chars.iter().any(|wanted| wanted == c || pattern.fold && same_letter(*wanted, *c))
            }
        };
        let bits = letters.iter().take(128).enumerate().filter(|(_, letter)| tells(letter));
        bits.fold(0, |all, (number, _)| all | 1 << number)
    }

    /// Whether every text from here on matches.
    pub(crate) fn is_all(&self, pattern: &Pattern) -> bool {
        let end = pattern.toks.len();
        self.has(end)
            && end > 0
            && matches!(pattern.toks.get(end - 1), Some(Tok::Star))
            && self.has(end - 1)
    }
}

/// Whether every text of `inner` is seen to match `outer`, token by token. `false` says nothing.
fn contains(outer: &Pattern, inner: &Pattern) -> bool {
    let mut places = Places::start(outer, false);
    for tok in &inner.toks {
        let next = match tok {
            Tok::Char(c) if inner.fold && cases(*c).len() > 1 => {
                let each =
                    cases(*c).into_iter().map(|c| places.step(outer, Letter::Char(c), false));
                let each: Vec<Places> = each.collect();
                // All cases must go the same way.
                match each.split_first() {
                    Some((first, rest)) if rest.iter().all(|other| other == first) => first.clone(),
                    _ => return false,
                }
            }
            Tok::Char(c) => places.step(outer, Letter::Char(*c), false),
            Tok::Var(number, field) => {
                let letter = Letter::Symbol { number: *number, field: *field, fold: inner.fold };
                places.step(outer, letter, false)
            }
            wild => {
                let takes = |held: &Tok| {
                    matches!(
                        (wild, held),
                        (_, Tok::Star)
                            | (Tok::One, Tok::One)
                            | (Tok::OneField, Tok::One | Tok::OneField | Tok::StarField)
                            | (Tok::StarField, Tok::StarField)
                    )
                };
                let mut out = Places::none(outer);
                for (place, held) in outer.toks.iter().enumerate() {
                    if places.has(place) && takes(held) {
                        let stays = matches!(held, Tok::Star | Tok::StarField);
                        out.add(outer, if stays { place } else { place + 1 }, false);
                    }
                }
                out.settle(outer);
                out
            }
        };
        if next.is_empty() {
            return false;
        }
        places = next;
    }
    places.has(outer.toks.len())
}

/// The letters that a letter is where case does not count.
pub(crate) fn cases(c: char) -> SmallVec<[char; 3]> {
    let mut out = SmallVec::new();
    out.push(c);
    if c.is_ascii() {
        let lower = c.to_ascii_lowercase();
        for other in [lower, c.to_ascii_uppercase()] {
            if other != c {
                out.push(other);
            }
        }
        // The two letters outside of ASCII that fold into it.
        match lower {
            'k' => out.push('\u{212a}'),
            's' => out.push('\u{17f}'),
            _ => {}
        }
        return out;
    }
    let simple = |mut scalars: std::vec::IntoIter<char>| match (scalars.next(), scalars.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    };
    let upper = simple(c.to_uppercase().collect::<Vec<_>>().into_iter());
    let lower = simple(c.to_lowercase().collect::<Vec<_>>().into_iter());
    for other in [upper, lower].into_iter().flatten() {
        if !out.contains(&other) {
            out.push(other);
        }
    }
    out
}

fn same_letter(left: char, right: char) -> bool {
    cases(left).contains(&right) || cases(right).contains(&left)
}

/// Counts that come from documents, whose size is limited.
pub(crate) fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
