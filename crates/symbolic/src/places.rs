//! How far a text has come in a pattern, and which letters make a difference there.

use smallvec::SmallVec;

use crate::pattern::{Letter, Pattern, Tok};

/// The places of a pattern that a text so far may have led to.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Places(SmallVec<[u64; 2]>);

impl Places {
    pub(crate) fn none(pattern: &Pattern) -> Self {
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
    pub(crate) fn add(&mut self, pattern: &Pattern, mut place: usize, upper: bool) {
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
    pub(crate) fn settle(&mut self, pattern: &Pattern) {
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

pub(crate) fn same_letter(left: char, right: char) -> bool {
    cases(left).contains(&right) || cases(right).contains(&left)
}
