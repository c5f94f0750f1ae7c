//! Patterns over texts, each once, and how two of them stand to each other.
//!
//! A variable is a symbol of its own: it is matched by itself and by wildcards that take anything.
//! That proves containment for every value the variable may have, and never more.

use bailiwick_policy::Token;
use rustc_hash::FxHashMap;

use crate::places::{Places, cases};

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
#[allow(clippy::struct_excessive_bools, reason = "independent facts about one pattern")]
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
    /// It has but letters, whose case counts, `*` and `?`.
    simple: bool,
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
    /// Variables of which the value is known, or that there is none.
    pub(crate) known: FxHashMap<Box<str>, Option<Box<str>>>,
    /// Whether the caller has no tags but those that are known.
    pub(crate) closed_tags: bool,
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

    /// Whether the value of a variable is known, or that there is none.
    fn knows(&self, key: &str) -> bool {
        self.known.contains_key(key) || self.closed_tags && key.starts_with("aws:principaltag/")
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
                Token::Variable { key, default, in_field, .. } if self.knows(key) => {
                    let value = self.known.get(key).cloned().flatten();
                    // VAR-3
                    let value = value.or_else(|| default.clone())?;
                    if *in_field && value.contains(':') {
                        return None;
                    }
                    toks.extend(value.chars().map(Tok::Char));
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
            simple: !fold
                && toks.iter().all(|tok| matches!(tok, Tok::Char(_) | Tok::One | Tok::Star)),
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
    /// Whether the texts that match are the same whatever the values of variables.
    pub(crate) fn is_definite(&self) -> bool {
        !self.has_variables && !self.opaque
    }

    /// Whether it matches a text. A variable matches nothing, or, for an upper bound, anything.
    pub(crate) fn matches(&self, text: &str, upper: bool) -> bool {
        if let Some(literal) = &self.literal {
            return **literal == *text;
        }
        if self.opaque {
            return upper;
        }
        if self.simple {
            return glob(&self.toks, text);
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

/// Matches letters, `*` and `?`: after a mismatch the last `*` takes one letter more.
fn glob(toks: &[Tok], text: &str) -> bool {
    let (mut toks, mut rest) = (toks, text.chars());
    let mut back: Option<(&[Tok], std::str::Chars<'_>)> = None;
    loop {
        let here = rest.clone();
        match (toks.split_first(), rest.next()) {
            (Some((Tok::Star, after)), _) => {
                if after.is_empty() {
                    return true;
                }
                back = Some((after, here.clone()));
                (toks, rest) = (after, here);
            }
            (None, None) => return true,
            (Some((Tok::Char(wanted), after)), Some(c)) if *wanted == c => toks = after,
            (Some((Tok::One, after)), Some(_)) => toks = after,
            (_, None) => return false,
            (_, Some(_)) => {
                let Some((after, from)) = &mut back else { return false };
                if from.next().is_none() {
                    return false;
                }
                (toks, rest) = (after, from.clone());
            }
        }
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

/// Counts that come from documents, whose size is limited.
pub(crate) fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
