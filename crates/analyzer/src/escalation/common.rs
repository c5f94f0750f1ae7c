//! A text that fits several patterns of resources at once.
//!
//! To ask the engine about something that may be made, its name has to be chosen so that what
//! allows it covers it. The search is breadth first over the places at which the patterns may
//! stand, so the text found is the shortest. What is found is only a proposal: the engine decides.

use std::collections::{HashMap, VecDeque};

/// States after which a search ends without an answer.
const MOST_STATES: usize = 4_000;
/// Patterns longer than this are left alone.
const LONGEST: usize = 600;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Token {
    Text(char),
    One,
    /// A run without colon.
    Field,
    Run,
}

/// The shortest text that fits all patterns, with `filler` where any letter does.
pub(super) fn fitting(patterns: &[&str], filler: char) -> Option<String> {
    if patterns.iter().any(|pattern| pattern.len() > LONGEST) {
        return None;
    }
    let compiled: Vec<Vec<Token>> = patterns.iter().map(|text| tokens(text)).collect();
    let start: Vec<Vec<u16>> = compiled.iter().map(|pattern| closed(pattern, vec![0])).collect();
    let mut seen: HashMap<Vec<Vec<u16>>, (usize, char)> = HashMap::new();
    let mut states = vec![(start.clone(), usize::MAX, filler)];
    seen.insert(start, (usize::MAX, filler));
    let mut waiting = VecDeque::from([0usize]);
    while let Some(at) = waiting.pop_front() {
        let (state, _, _) = states.get(at)?.clone();
        let done = state.iter().zip(&compiled).all(|(places, pattern)| {
            places.last().is_some_and(|last| usize::from(*last) == pattern.len())
        });
        if done {
            return Some(text(&states, at));
        }
        for letter in letters(&state, &compiled, filler) {
            let next: Vec<Vec<u16>> = state
                .iter()
                .zip(&compiled)
                .map(|(places, pattern)| step(pattern, places, letter))
                .collect();
            if next.iter().any(Vec::is_empty) || seen.contains_key(&next) {
                continue;
            }
            if states.len() >= MOST_STATES {
                return None;
            }
            seen.insert(next.clone(), (at, letter));
            waiting.push_back(states.len());
            states.push((next, at, letter));
        }
    }
    None
}

/// A state of the search: the places in each pattern, where it came from, and by which letter.
type State = (Vec<Vec<u16>>, usize, char);

fn text(states: &[State], mut at: usize) -> String {
    let mut letters = Vec::new();
    while let Some((_, from, letter)) = states.get(at)
        && *from != usize::MAX
    {
        letters.push(*letter);
        at = *from;
    }
    letters.iter().rev().collect()
}

/// A star before the sixth field keeps to its field, unless the pattern ends with it.
fn tokens(text: &str) -> Vec<Token> {
    let mut colons = 0;
    let mut rest = text.chars().peekable();
    let mut tokens = Vec::new();
    while let Some(letter) = rest.next() {
        tokens.push(match letter {
            '*' if colons < 5 && rest.peek().is_some() => Token::Field,
            '*' => Token::Run,
            '?' => Token::One,
            other => {
                colons += usize::from(other == ':');
                Token::Text(other)
            }
        });
    }
    tokens
}

/// The places with those that a run lets be reached without a letter, sorted.
fn closed(pattern: &[Token], mut places: Vec<u16>) -> Vec<u16> {
    let mut at = 0;
    while let Some(place) = places.get(at).copied() {
        if matches!(pattern.get(usize::from(place)), Some(Token::Field | Token::Run)) {
            places.push(place + 1);
        }
        at += 1;
    }
    places.sort_unstable();
    places.dedup();
    places
}

fn step(pattern: &[Token], places: &[u16], letter: char) -> Vec<u16> {
    let mut next = Vec::new();
    for place in places {
        match pattern.get(usize::from(*place)) {
            Some(Token::Text(text)) if *text == letter => next.push(place + 1),
            Some(Token::One) if letter != ':' => next.push(place + 1),
            Some(Token::Field) if letter != ':' => next.push(*place),
            Some(Token::Run) => next.push(*place),
            _ => {}
        }
    }
    closed(pattern, next)
}

/// The letters that could follow: those which a pattern names, and one for all others.
fn letters(state: &[Vec<u16>], compiled: &[Vec<Token>], filler: char) -> Vec<char> {
    let mut letters = vec![filler];
    for (places, pattern) in state.iter().zip(compiled) {
        for place in places {
            if let Some(Token::Text(letter)) = pattern.get(usize::from(*place)) {
                letters.push(*letter);
            }
        }
    }
    letters.sort_unstable();
    letters.dedup();
    letters
}

/// Whether a pattern of `*` and `?` covers a text, whole; both as they are, without variables.
pub(super) fn covers(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(letter) if *letter == b'?' || Some(letter) == text.get(t) => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((back, taken)) = star else { return false };
                p = back + 1;
                t = taken + 1;
                star = Some((back, taken + 1));
            }
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|letter| *letter == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_all_patterns() {
        for (patterns, expected) in [
            (
                vec!["arn:aws:lambda:us-east-1:1:function:?*", "*"],
                Some("arn:aws:lambda:us-east-1:1:function:x"),
            ),
            (
                vec!["arn:aws:l:r:1:f:?*", "arn:aws:l:*:*:f:app-*", "arn:aws:l:*:*:f:*-fn"],
                Some("arn:aws:l:r:1:f:app-fn"),
            ),
            (vec!["arn:aws:l:r:1:f:?*", "arn:aws:l:r:2:f:*"], None),
            (vec!["arn:aws:l:r:1:f:?*", "arn:aws:l:*"], Some("arn:aws:l:r:1:f:x")),
            (vec!["a?c", "*bc"], Some("abc")),
        ] {
            assert_eq!(fitting(&patterns, 'x').as_deref(), expected, "{patterns:?}");
        }
    }

    #[test]
    fn patterns_cover_texts() {
        for (pattern, text, expected) in [
            ("iam:*", "iam:passrole", true),
            ("iam:pass?ole", "iam:passrole", true),
            ("iam:*role", "iam:passrole", true),
            ("*", "", true),
            ("a*b*c", "aXbYbc", true),
            ("a*b*c", "aXbYb", false),
            ("", "a", false),
        ] {
            assert_eq!(covers(pattern, text), expected, "{pattern} {text}");
        }
    }
}
