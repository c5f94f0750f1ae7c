//! Patterns and variables: text with `*`, `?` and `${key}` against text.

use super::case::Context;
use super::keys::is_multivalued;

/// A part of a pattern as it is written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    Plain(char),
    /// VAR-4: `${*}`, `${?}`, `${$}`.
    Escaped(char),
    /// VAR-1, VAR-3, with the whole text for where it stays literal.
    Variable {
        key: String,
        default: Option<String>,
        raw: String,
    },
}

/// A part of a pattern to be matched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Token {
    Char(char),
    One,
    Run,
    /// RES-1: these two stop at a colon.
    OneInField,
    RunInField,
}

/// Splits a text into characters and variables; without variables, characters alone (VAR-1).
pub(super) fn pieces(text: &str, variables: bool) -> Vec<Piece> {
    let chars: Vec<char> = text.chars().collect();
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(c) = chars.get(at) {
        let rest = chars.get(at..).unwrap_or_default();
        if let Some((piece, length)) = variable(rest).filter(|_| variables) {
            pieces.push(piece);
            at += length;
        } else {
            // VAR-9: what is no variable is text.
            pieces.push(Piece::Plain(*c));
            at += 1;
        }
    }
    pieces
}

/// A variable at the very start, and its length.
fn variable(chars: &[char]) -> Option<(Piece, usize)> {
    let ['$', '{', inner @ ..] = chars else {
        return None;
    };
    if let [escaped @ ('*' | '?' | '$'), '}', ..] = inner {
        return Some((Piece::Escaped(*escaped), 4));
    }
    let blanks = |from: usize| {
        let rest = inner.get(from..).unwrap_or_default();
        from + rest.iter().take_while(|c| **c == ' ').count()
    };
    let end = inner.iter().position(|c| matches!(c, ',' | '}'))?;
    let key: String = inner.get(..end)?.iter().collect();
    let key = key.trim_matches(' ').to_owned();
    let mut at = end;
    let mut default = None;
    if inner.get(at) == Some(&',') {
        at = blanks(at + 1);
        let quoted = inner.get(at..)?.strip_prefix(&['\''])?;
        let length = quoted.iter().position(|c| *c == '\'')?;
        default = Some(quoted.get(..length)?.iter().collect());
        at = blanks(at + length + 2);
    }
    if key.is_empty() || key.contains(['*', '?', '$', '{', '\'']) || inner.get(at) != Some(&'}') {
        return None;
    }
    let length = at + 3;
    let raw = chars.get(..length)?.iter().collect();
    Some((Piece::Variable { key, default, raw }, length))
}

/// Replaces variables by values; nothing where one has neither value nor default (RES-7, VAR-7).
pub(super) fn resolve(pieces: &[Piece], context: &Context) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Plain('*') => tokens.push(Token::Run),
            Piece::Plain('?') => tokens.push(Token::One),
            Piece::Plain(c) | Piece::Escaped(c) => tokens.push(Token::Char(*c)),
            Piece::Variable { key, default, .. } => {
                // VAR-6: a multivalued key has no value here. VAR-8: the value is literal.
                let value = context.single(key).filter(|_| !is_multivalued(key, 1));
                let value = value.or(default.as_deref())?;
                tokens.extend(value.chars().map(Token::Char));
            }
        }
    }
    Some(tokens)
}

/// The pieces between the first five colons outside variables (RES-1, RES-6, OP-A2).
pub(super) fn fields(pieces: &[Piece]) -> Vec<&[Piece]> {
    pieces.splitn(6, |piece| *piece == Piece::Plain(':')).collect()
}

/// Whether tokens match the whole text, by the set of places reached so far.
pub(super) fn matches(tokens: &[Token], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let mut reached = vec![false; text.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    let mut next = Vec::with_capacity(reached.len());
    for token in tokens {
        // Whether the place before is reached after this token.
        let mut here = false;
        for (at, reached_before) in reached.iter().enumerate() {
            let came = at.checked_sub(1);
            let c = came.and_then(|i| text.get(i)).copied();
            let step = came.and_then(|i| reached.get(i)).copied().unwrap_or(false);
            here = match token {
                Token::Char(wanted) => step && c == Some(*wanted),
                Token::One => step,
                Token::OneInField => step && c != Some(':'),
                Token::Run => *reached_before || here,
                Token::RunInField => *reached_before || (here && c != Some(':')),
            };
            next.push(here);
        }
        if !next.contains(&true) {
            return false;
        }
        std::mem::swap(&mut reached, &mut next);
        next.clear();
    }
    reached.last() == Some(&true)
}

/// Plain wildcards without variables.
pub(super) fn plain(pattern: &str, text: &str) -> bool {
    let tokens: Vec<Token> = pattern
        .chars()
        .map(|c| match c {
            '*' => Token::Run,
            '?' => Token::One,
            other => Token::Char(other),
        })
        .collect();
    matches(&tokens, text)
}
