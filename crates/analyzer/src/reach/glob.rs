//! Texts by the patterns that match them: one text for each way in which some patterns can match
//! and others not.
//!
//! The patterns are run together, as one automaton, over all texts at once. Each set of patterns
//! that some text matches, and no others, is told once, with the shortest such text.

use std::collections::{HashSet, VecDeque};

use bailiwick_policy::{Context, Token};

/// How many states a search may visit.
const MAX_STATES: usize = 20_000;
/// How many letters the patterns of a search may have together.
const MAX_LETTERS: usize = 60_000;

/// A pattern whose variables have their values.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct Glob {
    toks: Vec<Tok>,
    /// Case does not count.
    fold: bool,
}

#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
enum Tok {
    Char(char),
    One,
    OneField,
    Star,
    StarField,
}

/// One text for each way of matching, and whether those are all ways.
#[derive(Clone, Debug, Default)]
pub(super) struct Cells {
    pub(super) list: Vec<String>,
    pub(super) complete: bool,
}

impl Glob {
    /// A pattern as the engine has it; nothing if it matches no text. `sample` gives variables
    /// their values where the context has none that is known.
    pub(super) fn new(
        tokens: &[Token],
        fold: bool,
        context: &Context,
        sample: &mut dyn FnMut(&str) -> Option<String>,
    ) -> Option<Self> {
        let mut toks = Vec::new();
        for token in tokens {
            match token {
                Token::Text(text) => toks.extend(text.chars().map(Tok::Char)),
                Token::One => toks.push(Tok::One),
                Token::OneField => toks.push(Tok::OneField),
                Token::Star => toks.push(Tok::Star),
                Token::StarField => toks.push(Tok::StarField),
                Token::Variable { key, multivalued, default, in_field } => {
                    let held = context.values(key).next().map(str::to_owned);
                    let held = held.or_else(|| sample(key)).filter(|_| !multivalued);
                    let value = held.or_else(|| default.as_deref().map(str::to_owned))?;
                    if *in_field && value.contains(':') {
                        return None;
                    }
                    toks.extend(value.chars().map(Tok::Char));
                }
                Token::Opaque(_) => return None,
            }
        }
        toks.dedup_by(|next, last| *next == Tok::Star && *last == Tok::Star);
        Some(Self { toks, fold })
    }

    /// A pattern that a person writes, with `*` and `?` for anything.
    pub(super) fn written(text: &str) -> Self {
        let tok = |c| match c {
            '*' => Tok::Star,
            '?' => Tok::One,
            c => Tok::Char(c),
        };
        Self { toks: text.chars().map(tok).collect(), fold: false }
    }

    /// The pattern of an ARN: its wildcards stay in their fields, but for the sixth.
    pub(super) fn arn(text: &str) -> Self {
        let mut colons = 0;
        let mut toks = Vec::new();
        for c in text.chars() {
            colons += usize::from(c == ':');
            toks.push(match c {
                '*' if colons < 5 && text != "*" => Tok::StarField,
                '*' => Tok::Star,
                '?' if colons < 5 => Tok::OneField,
                '?' => Tok::One,
                c => Tok::Char(c),
            });
        }
        Self { toks, fold: false }
    }

    /// A text as it stands.
    pub(super) fn literally(text: &str) -> Self {
        Self { toks: text.chars().map(Tok::Char).collect(), fold: false }
    }

    /// The pattern as it is written.
    pub(super) fn text(&self) -> String {
        let tok = |tok: &Tok| match tok {
            Tok::Char(c) => *c,
            Tok::One | Tok::OneField => '?',
            Tok::Star | Tok::StarField => '*',
        };
        self.toks.iter().map(tok).collect()
    }

    /// The same where case does not count.
    pub(super) fn folded(mut self) -> Self {
        self.fold = true;
        self
    }

    /// Whether it matches every text.
    pub(super) fn is_any(&self) -> bool {
        self.toks.as_slice() == [Tok::Star]
    }

    /// The only text it matches.
    pub(super) fn literal(&self) -> Option<String> {
        self.toks.iter().map(|tok| if let Tok::Char(c) = tok { Some(*c) } else { None }).collect()
    }

    /// Whether the whole text matches.
    pub(super) fn matches(&self, text: &str) -> bool {
        let mut state = self.start();
        for c in text.chars() {
            state = self.step(&state, c);
            if state.is_empty() {
                return false;
            }
        }
        self.accepts(&state)
    }

    /// A text that it matches, with something for each wildcard.
    pub(super) fn filled(&self, filling: &str) -> String {
        let mut out = String::new();
        for tok in &self.toks {
            match tok {
                Tok::Char(c) => out.push(*c),
                Tok::One | Tok::OneField => out.push('x'),
                Tok::Star | Tok::StarField => out.push_str(filling),
            }
        }
        out
    }

    fn start(&self) -> Vec<u16> {
        let mut out = Vec::new();
        self.add(&mut out, 0);
        out
    }

    /// Adds a place, and those behind the runs that begin there.
    fn add(&self, state: &mut Vec<u16>, mut place: usize) {
        loop {
            let Ok(short) = u16::try_from(place) else { return };
            if let Err(at) = state.binary_search(&short) {
                state.insert(at, short);
            }
            match self.toks.get(place) {
                Some(Tok::Star | Tok::StarField) => place += 1,
                _ => return,
            }
        }
    }

    fn step(&self, state: &[u16], c: char) -> Vec<u16> {
        let mut out = Vec::with_capacity(state.len());
        for place in state.iter().map(|place| usize::from(*place)) {
            match self.toks.get(place) {
                Some(Tok::Char(wanted)) if self.same(*wanted, c) => self.add(&mut out, place + 1),
                Some(Tok::One) => self.add(&mut out, place + 1),
                Some(Tok::OneField) if c != ':' => self.add(&mut out, place + 1),
                Some(Tok::Star) => self.add(&mut out, place),
                Some(Tok::StarField) if c != ':' => self.add(&mut out, place),
                _ => {}
            }
        }
        // What stands before the last `*` leads nowhere that it does not lead.
        let star = |place: &u16| matches!(self.toks.get(usize::from(*place)), Some(Tok::Star));
        if let Some(last) = out.iter().rposition(star) {
            out.drain(..last);
        }
        out
    }

    fn same(&self, wanted: char, c: char) -> bool {
        wanted == c || (self.fold && wanted.to_lowercase().eq(c.to_lowercase()))
    }

    fn accepts(&self, state: &[u16]) -> bool {
        state.iter().any(|place| usize::from(*place) == self.toks.len())
    }
}

/// One text for each set of `patterns` that a text matching all of `within` can match alone.
pub(super) fn cells(patterns: &[Glob], within: &[Glob]) -> Cells {
    let mut out = Cells { list: Vec::new(), complete: true };
    let mut seen: HashSet<Vec<bool>> = HashSet::new();
    let mut tell = |text: &str, list: &mut Vec<String>| {
        if !within.iter().all(|glob| glob.matches(text)) {
            return;
        }
        let matched: Vec<bool> = patterns.iter().map(|glob| glob.matches(text)).collect();
        if seen.insert(matched) {
            list.push(text.to_owned());
        }
    };
    // Texts that read well come first.
    for filling in ["example", "x", ""] {
        for glob in within.iter().chain(patterns) {
            tell(&glob.filled(filling), &mut out.list);
        }
    }
    if let [only] = within
        && only.literal().is_some()
    {
        return out;
    }
    if patterns.iter().all(Glob::is_any) && !out.list.is_empty() {
        return out;
    }
    out.complete = explore(patterns, within, &mut |text| tell(text, &mut out.list));
    out
}

/// Whether some text matches both.
pub(super) fn meet(left: &Glob, right: &Glob) -> bool {
    for (one, other) in [(left, right), (right, left)] {
        if ["", "x"].iter().any(|filling| other.matches(&one.filled(filling))) {
            return true;
        }
        if one.literal().is_some() {
            return false;
        }
    }
    let mut found = false;
    let complete = explore(&[], &[left.clone(), right.clone()], &mut |_| found = true);
    found || !complete
}

/// Visits every state of the patterns together; tells a text of each that `within` accepts.
/// Whether it came to the end.
fn explore(patterns: &[Glob], within: &[Glob], tell: &mut dyn FnMut(&str)) -> bool {
    let all: Vec<&Glob> = within.iter().chain(patterns).collect();
    if all.iter().map(|glob| glob.toks.len()).sum::<usize>() > MAX_LETTERS {
        return false;
    }
    let start: Vec<Vec<u16>> = all.iter().map(|glob| glob.start()).collect();
    let mut visited: HashSet<Vec<Vec<u16>>> = HashSet::from([start.clone()]);
    let mut accepted: HashSet<Vec<bool>> = HashSet::new();
    let mut queue: VecDeque<(Vec<Vec<u16>>, String)> = VecDeque::from([(start, String::new())]);
    while let Some((state, text)) = queue.pop_front() {
        let accepts: Vec<bool> =
            all.iter().zip(&state).map(|(glob, state)| glob.accepts(state)).collect();
        if accepts.iter().take(within.len()).all(|accepts| *accepts) && accepted.insert(accepts) {
            tell(&text);
        }
        for c in letters(&all, &state) {
            let next: Vec<Vec<u16>> =
                all.iter().zip(&state).map(|(glob, state)| glob.step(state, c)).collect();
            let dead = next.iter().take(within.len()).any(Vec::is_empty);
            if dead || visited.contains(&next) {
                continue;
            }
            if visited.len() >= MAX_STATES {
                return false;
            }
            visited.insert(next.clone());
            let mut text = text.clone();
            text.push(c);
            queue.push_back((next, text));
        }
    }
    true
}

/// The letters that lead on from a state, and one that stands for all others.
fn letters(all: &[&Glob], state: &[Vec<u16>]) -> Vec<char> {
    let mut out = Vec::new();
    for (glob, places) in all.iter().zip(state) {
        for place in places {
            match glob.toks.get(usize::from(*place)) {
                Some(Tok::Char(c)) if glob.fold => {
                    out.extend(c.to_lowercase().chain(c.to_uppercase()));
                    out.push(*c);
                }
                Some(Tok::Char(c)) => out.push(*c),
                Some(Tok::StarField | Tok::OneField) => out.push(':'),
                _ => {}
            }
        }
    }
    let usual = "xyzwvutsrqponmlkjihgfedcba0123456789".chars();
    let mut others = usual.chain('\u{e0}'..'\u{ff}').filter(|c| !out.contains(c));
    let other = others.next();
    out.extend(other);
    out.sort_unstable();
    out.dedup();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ways(patterns: &[&str], within: &str) -> Vec<Vec<bool>> {
        let patterns: Vec<Glob> = patterns.iter().map(|text| Glob::arn(text)).collect();
        let found = cells(&patterns, &[Glob::arn(within)]);
        assert!(found.complete);
        let matched = |text: &String| patterns.iter().map(|glob| glob.matches(text)).collect();
        let mut all: Vec<Vec<bool>> = found.list.iter().map(matched).collect();
        all.sort();
        all
    }

    #[test]
    fn each_way_of_matching_is_told_once() {
        let (yes, no) = (true, false);
        let all = "arn:aws:s3:::b*";
        for (patterns, within, expected) in [
            (vec!["arn:aws:s3:::b"], "arn:aws:s3:::b", vec![vec![yes]]),
            (vec!["arn:aws:s3:::b"], all, vec![vec![no], vec![yes]]),
            (vec!["arn:aws:s3:::*"], all, vec![vec![yes]]),
            (vec!["arn:aws:s3:::c*"], all, vec![vec![no]]),
            (vec!["*"], all, vec![vec![yes]]),
            (
                vec!["arn:aws:s3:::b*a", "arn:aws:s3:::ba*"],
                all,
                vec![vec![no, no], vec![no, yes], vec![yes, no], vec![yes, yes]],
            ),
            (
                vec!["arn:aws:s3:::b??", "arn:aws:s3:::b?"],
                all,
                vec![vec![no, no], vec![no, yes], vec![yes, no]],
            ),
            (vec!["arn:aws:sqs:*:1:q"], "arn:aws:sqs:*:*:q", vec![vec![no], vec![yes]]),
        ] {
            assert_eq!(ways(&patterns, within), expected, "{patterns:?} in {within}");
        }
    }

    #[test]
    fn two_meet_or_not() {
        for (left, right, expected) in [
            ("arn:aws:s3:::a*b", "arn:aws:s3:::*c", false),
            ("arn:aws:s3:::a*c", "arn:aws:s3:::*c", true),
            ("arn:aws:s3:::*a", "arn:aws:s3:::a*", true),
            ("arn:aws:iam::*:role/*", "arn:aws:iam::1:user/*", false),
        ] {
            assert_eq!(meet(&Glob::arn(left), &Glob::arn(right)), expected, "{left} {right}");
        }
        assert!(meet(&Glob::written("A*").folded(), &Glob::written("*a")));
    }
}
