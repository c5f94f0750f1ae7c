//! Wildcard matching in linear time.
//!
//! The leftmost match of each part between stars is the right one, so a simple search, which
//! allocates nothing, answers at once for all that people write. It counts its steps; where they
//! are used up, a simulation of all states at once takes over, sixty-four states a word: no
//! pattern makes it backtrack (threat C16). The worst cost is that of text by pattern over sixty-four,
//! in memory of some bytes a letter of the pattern.

/// One token of a resolved pattern.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Tok<'a> {
    /// Literal text.
    Text(&'a str),
    /// Any one Unicode scalar (OP-S4).
    One,
    /// Any one scalar but a colon (RES-1).
    OneField,
    /// Any run.
    Star,
    /// Any run without a colon (RES-1).
    StarField,
}

/// How many steps the simple search may take before all states are simulated.
const FUEL: usize = 8192;

/// Whether the whole text matches.
pub(crate) fn matches(tokens: &[Tok<'_>], text: &str) -> bool {
    let mut search = Search { fuel: FUEL };
    search.whole(tokens, text).unwrap_or_else(|Exhausted| simulate(tokens, text))
}

/// The simple search took too long.
struct Exhausted;

type Found<T> = Result<T, Exhausted>;

/// A search that takes the leftmost match of each part between stars. It allocates nothing, and
/// gives up when its steps are used up.
struct Search {
    fuel: usize,
}

impl Search {
    fn whole(&mut self, tokens: &[Tok<'_>], text: &str) -> Found<bool> {
        let Some(first) = tokens.iter().position(|tok| *tok == Tok::Star) else {
            return self.anchored(tokens, text);
        };
        let last = tokens.iter().rposition(|tok| *tok == Tok::Star).unwrap_or(first);
        let (head, middle, tail) = (
            tokens.get(..first).unwrap_or_default(),
            tokens.get(first..last).unwrap_or_default(),
            tokens.get(last + 1..).unwrap_or_default(),
        );
        let Some(rest) = self.begins(head, text)? else { return Ok(false) };
        let Some(mut rest) = self.ends(tail, rest)? else { return Ok(false) };
        for part in middle.split(|tok| *tok == Tok::Star).filter(|part| !part.is_empty()) {
            let found = if let [Tok::Text(needle)] = part {
                self.burn(rest.len())?;
                after(needle, rest)
            } else {
                self.leftmost(part, rest)?
            };
            let Some(after) = found else { return Ok(false) };
            rest = after;
        }
        Ok(true)
    }

    /// A pattern without a star that crosses colons: both its ends are those of the text.
    fn anchored(&mut self, tokens: &[Tok<'_>], text: &str) -> Found<bool> {
        let Some(last) = tokens.iter().rposition(|tok| *tok == Tok::StarField) else {
            return Ok(strip_all(tokens, text) == Some(""));
        };
        let (front, back) = (tokens.get(..last), tokens.get(last + 1..));
        let Some(rest) = self.begins(front.unwrap_or_default(), text)? else { return Ok(false) };
        let gap = strip_back_all(back.unwrap_or_default(), rest);
        Ok(gap.is_some_and(|gap| !gap.contains(':')))
    }

    /// What follows the shortest match of a part at the beginning of the text. Between stars that
    /// stop at colons the leftmost match is the right one too: a chunk has its first colon, if it
    /// has one, where the text has its next.
    fn begins<'t>(&mut self, part: &[Tok<'_>], text: &'t str) -> Found<Option<&'t str>> {
        let mut chunks = part.split(|tok| *tok == Tok::StarField);
        let first = chunks.next().unwrap_or_default();
        let Some(mut rest) = strip_all(first, text) else { return Ok(None) };
        for chunk in chunks {
            if may_take_colon(chunk.iter()) {
                return Err(Exhausted);
            }
            let mut places = starts(rest);
            rest = loop {
                self.burn(1 + chunk.len())?;
                let Some(from) = places.next() else { return Ok(None) };
                if let Some(end) = strip_all(chunk, from) {
                    break end;
                }
                if from.starts_with(':') {
                    return Ok(None);
                }
            };
        }
        Ok(Some(rest))
    }

    /// What precedes the shortest match of a part at the end of the text.
    fn ends<'t>(&mut self, part: &[Tok<'_>], text: &'t str) -> Found<Option<&'t str>> {
        let mut chunks = part.rsplit(|tok| *tok == Tok::StarField);
        let last = chunks.next().unwrap_or_default();
        let Some(mut rest) = strip_back_all(last, text) else { return Ok(None) };
        for chunk in chunks {
            if may_take_colon(chunk.iter().rev()) {
                return Err(Exhausted);
            }
            let mut until = rest;
            rest = loop {
                self.burn(1 + chunk.len())?;
                if let Some(begin) = strip_back_all(chunk, until) {
                    break begin;
                }
                let mut scalars = until.chars();
                if matches!(scalars.next_back(), None | Some(':')) {
                    return Ok(None);
                }
                until = scalars.as_str();
            };
        }
        Ok(Some(rest))
    }

    /// What follows the leftmost match of a part anywhere in the text.
    fn leftmost<'t>(&mut self, part: &[Tok<'_>], text: &'t str) -> Found<Option<&'t str>> {
        if let Some((Tok::Text(first), _)) = part.split_first() {
            let mut rest = text;
            loop {
                self.burn(rest.len())?;
                let Some(following) = after(first, rest) else { return Ok(None) };
                let at = rest.len() - following.len() - first.len();
                let here = rest.get(at..).unwrap_or_default();
                if let Some(end) = self.begins(part, here)? {
                    return Ok(Some(end));
                }
                let mut scalars = here.chars();
                scalars.next();
                rest = scalars.as_str();
            }
        }
        for from in starts(text) {
            self.burn(1 + part.len())?;
            if let Some(end) = self.begins(part, from)? {
                return Ok(Some(end));
            }
        }
        Ok(None)
    }

    fn burn(&mut self, steps: usize) -> Found<()> {
        self.fuel = self.fuel.checked_sub(steps).ok_or(Exhausted)?;
        Ok(())
    }
}

/// Whether a chunk, read from the side of a star that stops at colons, has a token that may or may
/// not take one before it names one: then no match of it is the right one for sure. Patterns of
/// resources have none.
fn may_take_colon<'t>(mut chunk: impl Iterator<Item = &'t Tok<'t>>) -> bool {
    let first = chunk.find(|tok| match tok {
        Tok::Text(text) => text.contains(':'),
        tok => **tok == Tok::One,
    });
    first == Some(&Tok::One)
}

/// Up to this product of lengths a plain search is the faster one.
const SHORT: usize = 4096;

/// What follows the first occurrence of `needle`. Short texts are searched without the set-up of
/// the library's search, which is linear but dear.
fn after<'t>(needle: &str, text: &'t str) -> Option<&'t str> {
    if needle.len().saturating_mul(text.len()) > SHORT {
        return text.split_once(needle).map(|(_, rest)| rest);
    }
    let Some(first) = needle.bytes().next() else { return Some(text) };
    let mut from = 0;
    loop {
        let rest = text.as_bytes().get(from..)?;
        let at = from + rest.iter().position(|byte| *byte == first)?;
        // A needle begins with the first byte of a scalar, so this is a border.
        if let Some(rest) = text.get(at..).and_then(|rest| rest.strip_prefix(needle)) {
            return Some(rest);
        }
        from = at + 1;
    }
}

/// Whether a text stands in another.
pub(super) fn contains(text: &str, needle: &str) -> bool {
    after(needle, text).is_some()
}

/// The text from each of its scalars on, and the empty rest.
fn starts(text: &str) -> impl Iterator<Item = &str> {
    let inner = text.char_indices().filter_map(move |(at, _)| text.get(at..));
    inner.chain(std::iter::once(""))
}

/// What is left of `text` after these tokens, none of them a star, at its beginning.
fn strip_all<'t>(tokens: &[Tok<'_>], text: &'t str) -> Option<&'t str> {
    tokens.iter().try_fold(text, |rest, tok| match tok {
        Tok::Text(literal) => rest.strip_prefix(literal),
        Tok::One | Tok::OneField => {
            let mut scalars = rest.chars();
            let c = scalars.next()?;
            (*tok == Tok::One || c != ':').then_some(scalars.as_str())
        }
        Tok::Star | Tok::StarField => None,
    })
}

/// What is left of `text` before these tokens, none of them a star, at its end.
fn strip_back_all<'t>(tokens: &[Tok<'_>], text: &'t str) -> Option<&'t str> {
    tokens.iter().rev().try_fold(text, |rest, tok| strip_back(*tok, rest))
}

fn strip_back<'t>(tok: Tok<'_>, text: &'t str) -> Option<&'t str> {
    match tok {
        Tok::Text(literal) => text.strip_suffix(literal),
        Tok::One | Tok::OneField => {
            let mut scalars = text.chars();
            let c = scalars.next_back()?;
            (tok == Tok::One || c != ':').then_some(scalars.as_str())
        }
        Tok::Star | Tok::StarField => None,
    }
}

/// Runs all states of the pattern over the text at once. State `i` has matched the first `i`
/// single tokens; a star is a loop on the state it stands at.
fn simulate(tokens: &[Tok<'_>], text: &str) -> bool {
    let machine = Machine::new(tokens);
    let words = machine.words;
    let mut state = vec![0u64; words];
    let mut scratch = vec![0u64; words];
    if let Some(word) = state.first_mut() {
        *word = 1;
    }
    for c in text.chars() {
        let steps = machine.steps(c, &mut scratch);
        let colon = c == ':';
        let mut carry = 0;
        let mut live = 0;
        for (at, word) in state.iter_mut().enumerate() {
            let get = |masks: &[u64]| masks.get(at).copied().unwrap_or_default();
            let mut step = get(&machine.one) | get(steps);
            let mut stay = get(&machine.loops);
            if !colon {
                step |= get(&machine.one_field);
                stay |= get(&machine.field_loops);
            }
            let moved = *word & step;
            *word = (moved << 1) | carry | (*word & stay);
            carry = moved >> 63;
            live |= *word;
        }
        if live == 0 {
            return false;
        }
    }
    let (word, bit) = (machine.length / 64, machine.length % 64);
    state.get(word).is_some_and(|word| word >> bit & 1 == 1)
}

struct Machine {
    /// The count of single tokens; the state of that number accepts.
    length: usize,
    words: usize,
    one: Vec<u64>,
    one_field: Vec<u64>,
    loops: Vec<u64>,
    field_loops: Vec<u64>,
    /// Where each letter stands, sorted by letter.
    places: Vec<(char, usize)>,
    /// The masks of letters at more places than a mask has words, sorted: at most 64, so that no
    /// alphabet makes the machine larger than some bytes a token.
    masks: Vec<(char, Vec<u64>)>,
}

impl Machine {
    fn new(tokens: &[Tok<'_>]) -> Self {
        let single = |tok: &Tok<'_>| match tok {
            Tok::Text(text) => text.chars().count(),
            Tok::One | Tok::OneField => 1,
            Tok::Star | Tok::StarField => 0,
        };
        let length = tokens.iter().map(single).sum::<usize>();
        let words = length / 64 + 1;
        let mut machine = Self {
            length,
            words,
            one: vec![0; words],
            one_field: vec![0; words],
            loops: vec![0; words],
            field_loops: vec![0; words],
            places: Vec::new(),
            masks: Vec::new(),
        };
        let mut at = 0;
        for tok in tokens {
            match tok {
                Tok::Text(text) => {
                    machine.places.extend(text.chars().zip(at..));
                }
                Tok::One => set(&mut machine.one, at),
                Tok::OneField => set(&mut machine.one_field, at),
                Tok::Star => set(&mut machine.loops, at),
                Tok::StarField => set(&mut machine.field_loops, at),
            }
            at += single(tok);
        }
        machine.places.sort_unstable();
        for run in machine.places.chunk_by(|(one, _), (other, _)| one == other) {
            if let Some((letter, _)) = run.first().filter(|_| run.len() > words) {
                let mut mask = vec![0; words];
                for (_, at) in run {
                    set(&mut mask, *at);
                }
                machine.masks.push((*letter, mask));
            }
        }
        machine
    }

    /// The states that this letter moves on.
    fn steps<'m>(&'m self, c: char, scratch: &'m mut [u64]) -> &'m [u64] {
        let common = self.masks.binary_search_by_key(&c, |(letter, _)| *letter).ok();
        if let Some((_, mask)) = common.and_then(|at| self.masks.get(at)) {
            return mask;
        }
        scratch.fill(0);
        let first = self.places.partition_point(|(letter, _)| *letter < c);
        let rest = self.places.get(first..).unwrap_or_default();
        for (_, at) in rest.iter().take_while(|(letter, _)| *letter == c) {
            set(scratch, *at);
        }
        scratch
    }
}

fn set(masks: &mut [u64], bit: usize) {
    if let Some(word) = masks.get_mut(bit / 64) {
        *word |= 1 << (bit % 64);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tokens(pattern: &str) -> Vec<Tok<'_>> {
        let mut out = Vec::new();
        for (at, c) in pattern.char_indices() {
            out.push(match c {
                '*' => Tok::Star,
                '?' => Tok::One,
                '#' => Tok::StarField,
                '!' => Tok::OneField,
                _ => Tok::Text(&pattern[at..at + c.len_utf8()]),
            });
        }
        out
    }

    /// The definition, written down.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        let mut reach = vec![false; text.len() + 1];
        reach[0] = true;
        for p in pattern {
            let mut next = vec![false; text.len() + 1];
            for at in 0..=text.len() {
                match p {
                    '*' | '#' => {
                        let open = |c: char| *p == '*' || c != ':';
                        next[at] = reach[at] || (at > 0 && next[at - 1] && open(text[at - 1]));
                    }
                    '?' | '!' => {
                        next[at] = at > 0 && reach[at - 1] && (*p == '?' || text[at - 1] != ':');
                    }
                    c => next[at] = at > 0 && reach[at - 1] && text[at - 1] == *c,
                }
            }
            reach = next;
        }
        reach[text.len()]
    }

    proptest! {
        #[test]
        fn glob_agrees_with_the_definition(p in "[ab:é*?#!]{0,12}", t in "[ab:é]{0,14}") {
            let expected = naive(&p.chars().collect::<Vec<_>>(), &t.chars().collect::<Vec<_>>());
            let tokens = tokens(&p);
            prop_assert_eq!(matches(&tokens, &t), expected);
            prop_assert_eq!(simulate(&tokens, &t), expected);
        }

        #[test]
        fn long_globs_agree(p in "[ab*?]{80,160}", t in "[ab]{100,300}") {
            let expected = naive(&p.chars().collect::<Vec<_>>(), &t.chars().collect::<Vec<_>>());
            prop_assert_eq!(matches(&tokens(&p), &t), expected);
        }
    }

    // RES-1: where a `?` that takes colons meets a star that does not.
    #[test]
    fn a_part_may_take_the_colon_that_a_star_may_not() {
        for (pattern, text) in [("#?#", "a:"), ("#?:", "a::"), ("*#?#", "a:"), (":?#a*", "::a")] {
            assert!(matches(&tokens(pattern), text), "{pattern} {text}");
        }
        assert!(!matches(&tokens("#?#"), "::"));
    }

    // threat C16: 2,048 by 2,048; quadratic backtracking would not end.
    #[test]
    fn tm_c16_worst_cases_end() {
        let text = "a".repeat(2048);
        for (pattern, gives_up) in [
            ("*a".repeat(1023) + "*b*", true),
            ("*".to_owned() + &"a?".repeat(1022) + "b*", true),
            ("*a?".repeat(680) + "*?b*", true),
            ("#a".repeat(1023) + "b*", false),
            ("*".to_owned() + &"#a?".repeat(680) + "#b*", true),
            ("?*a".repeat(680) + "b?*", true),
        ] {
            let tokens = tokens(&pattern);
            let searched = Search { fuel: FUEL }.whole(&tokens, &text);
            let shown = pattern.get(..8);
            assert_eq!(searched.is_err(), gives_up, "{shown:?}");
            for _ in 0..20 {
                assert!(!std::hint::black_box(matches(&tokens, &text)), "{shown:?}");
            }
            assert!(matches(&tokens, &(text.clone() + "aba")), "{shown:?}");
        }
    }

    // threat C16: neither does an alphabet as large as the pattern.
    #[test]
    fn tm_c16_a_large_alphabet_takes_little_room() {
        let pattern: String = ('\u{4e00}'..).take(20_000).collect();
        let whole = "*".to_owned() + &"?".repeat(200) + &pattern + "*";
        let tokens = tokens(&whole);
        let machine = Machine::new(&tokens);
        let words = machine.places.len() * 2 + machine.masks.len() * machine.words;
        assert!(words <= 4 * machine.length, "{words} words for {} tokens", machine.length);
        let text = "x".repeat(300) + &pattern;
        assert!(simulate(&tokens, &text));
        assert!(!simulate(&tokens, text.trim_end_matches(|_| true)));
        assert!(!simulate(&tokens, &text.replace('\u{4e09}', "x")));
    }
}
