//! Texts with variables and wildcards.

use smallvec::SmallVec;

use super::glob::{self, Tok};
use crate::context::Values;
use crate::document::segments;
use crate::key::is_declared_multivalued;
use crate::view::Token;
use crate::{Context, fold};

/// A context key in `${...}` (VAR-1).
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    /// The key as written.
    pub(crate) name: Box<str>,
    folded: Box<str>,
    hash: u64,
    /// AWS declares the key multivalued, so that it has no value as a variable (VAR-6).
    multivalued: bool,
    default: Option<Box<str>>,
    /// The whole text, `${` and `}` included.
    pub(crate) written: Box<str>,
}

/// A piece of a text.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    Text(Box<str>),
    One,
    OneField,
    Star,
    StarField,
    Variable(Box<Variable>),
    /// A variable in a field that may hold no colon (RES-6).
    FieldVariable(Box<Variable>),
}

impl Piece {
    /// Whether it is a wildcard, in the field it stands in or anywhere.
    pub(crate) const fn is_wildcard(&self) -> bool {
        match self {
            Self::One | Self::OneField | Self::Star | Self::StarField => true,
            Self::Text(_) | Self::Variable(_) | Self::FieldVariable(_) => false,
        }
    }
}

/// Resolved tokens of a pattern.
pub(crate) type Tokens<'a> = SmallVec<[Tok<'a>; 12]>;

/// A text with variables but without wildcards.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    pattern: Pattern,
}

/// A text with wildcards, and variables.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    shape: Shape,
}

#[derive(Clone, Debug)]
enum Shape {
    /// Matches everything.
    Any,
    Exact(Box<str>),
    /// Text, then anything.
    Prefix(Box<str>),
    Pieces(Box<Pieces>),
}

#[derive(Clone, Debug)]
struct Pieces {
    pieces: Box<[Piece]>,
    /// The place of the longest text after the first piece: every match contains it.
    key: Option<usize>,
}

impl Variable {
    /// The value: that of the single-valued key, or the default (VAR-3, VAR-6).
    pub(crate) fn value<'a>(&'a self, context: &'a Context) -> Option<&'a str> {
        let values = context.lookup(self.hash, &self.folded).filter(|_| !self.multivalued);
        let found = values.and_then(Values::single);
        found.or(self.default.as_deref())
    }

    fn new(name: &str, default: Option<&str>, written: &str) -> Self {
        let folded = fold::folded(name);
        Self {
            name: name.into(),
            hash: fold::hash(&folded),
            multivalued: is_declared_multivalued(&folded),
            folded: folded.into(),
            default: default.map(Into::into),
            written: written.into(),
        }
    }
}

impl Template {
    /// `variables`: whether `${...}` has meaning (VAR-1).
    pub(crate) fn new(text: &str, variables: bool) -> Self {
        Self { pattern: Pattern::from_pieces(tokenize(text, variables, false)) }
    }

    /// Whether the text, with its variables resolved, is exactly `value`.
    pub(crate) fn equals(&self, value: &str, context: &Context) -> bool {
        self.pattern.matches(value, context)
    }

    /// Whether the text is `value` without regard to case.
    pub(crate) fn equals_ignoring_case(&self, value: &str, context: &Context) -> bool {
        let pieces = match &self.pattern.shape {
            Shape::Exact(text) => return fold::equal(text, value),
            Shape::Pieces(list) => &list.pieces,
            Shape::Any | Shape::Prefix(_) => return false,
        };
        let Some(tokens) = resolve(pieces, context) else { return false };
        let texts = tokens.iter().map(|tok| if let Tok::Text(text) = tok { *text } else { "" });
        let scalars = texts.flat_map(str::chars).map(fold::fold_char);
        scalars.eq(value.chars().map(fold::fold_char))
    }

    /// The text with its variables resolved; nothing if one has no value.
    pub(crate) fn resolve(&self, context: &Context) -> Option<String> {
        self.pattern.resolve_text(context)
    }

    /// The variables in it.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.pattern.variables()
    }

    /// The text piece by piece.
    pub(crate) fn tokens(&self) -> Vec<Token> {
        self.pattern.tokens()
    }
}

impl Token {
    fn of(piece: &Piece) -> Self {
        let variable = |variable: &Variable, in_field| Self::Variable {
            key: variable.folded.clone(),
            multivalued: variable.multivalued,
            default: variable.default.clone(),
            in_field,
        };
        match piece {
            Piece::Text(text) => Self::Text(text.clone()),
            Piece::One => Self::One,
            Piece::OneField => Self::OneField,
            Piece::Star => Self::Star,
            Piece::StarField => Self::StarField,
            Piece::Variable(found) => variable(found, false),
            Piece::FieldVariable(found) => variable(found, true),
        }
    }
}

impl Pattern {
    /// A pattern in which `*` and `?` cover anything.
    pub(crate) fn new(text: &str, variables: bool) -> Self {
        Self::from_pieces(tokenize(text, variables, true))
    }

    pub(crate) fn from_pieces(pieces: Vec<Piece>) -> Self {
        let shape = match pieces.as_slice() {
            [] => Shape::Exact("".into()),
            [Piece::Star] => Shape::Any,
            [Piece::Text(text)] => Shape::Exact(text.clone()),
            [Piece::Text(text), Piece::Star] => Shape::Prefix(text.clone()),
            _ => Shape::Pieces(Box::new(Pieces::new(pieces.into()))),
        };
        Self { shape }
    }

    /// Whether the whole value matches. A variable without value makes it match nothing (VAR-7,
    /// RES-7).
    pub(crate) fn matches(&self, value: &str, context: &Context) -> bool {
        match &self.shape {
            Shape::Any => true,
            Shape::Exact(text) => &**text == value,
            Shape::Prefix(text) => value.starts_with(&**text),
            Shape::Pieces(list) => {
                list.could_match(value)
                    && resolve(&list.pieces, context)
                        .is_some_and(|tokens| glob::matches(&tokens, value))
            }
        }
    }

    /// The pattern piece by piece, as outsiders reason about it.
    pub(crate) fn tokens(&self) -> Vec<Token> {
        match &self.shape {
            Shape::Any => vec![Token::Star],
            Shape::Exact(text) => vec![Token::Text(text.clone())],
            Shape::Prefix(text) => vec![Token::Text(text.clone()), Token::Star],
            Shape::Pieces(list) => list.pieces.iter().map(Token::of).collect(),
        }
    }

    /// The text that every match must equal, if the pattern has no wildcard and no variable.
    pub(crate) fn exact(&self) -> Option<&str> {
        if let Shape::Exact(text) = &self.shape { Some(text) } else { None }
    }

    /// The text that every match begins with.
    pub(crate) fn prefix(&self) -> &str {
        match &self.shape {
            Shape::Any => "",
            Shape::Exact(text) | Shape::Prefix(text) => text,
            Shape::Pieces(list) => match list.pieces.first() {
                Some(Piece::Text(text)) => text,
                _ => "",
            },
        }
    }

    /// The keys of its text segments: runs of text between two of `:` and `/`, or an end.
    pub(crate) fn segments(&self) -> Vec<u64> {
        match &self.shape {
            Shape::Any => Vec::new(),
            Shape::Exact(text) => segments(text).collect(),
            Shape::Prefix(text) => segments(closed(text, false, true)).collect(),
            Shape::Pieces(list) => {
                let end = list.pieces.len().saturating_sub(1);
                let whole = list.pieces.iter().enumerate().filter_map(|(at, piece)| match piece {
                    Piece::Text(text) => Some(closed(text, at > 0, at < end)),
                    _ => None,
                });
                whole.flat_map(segments).collect()
            }
        }
    }

    /// The variables in it.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &Variable> {
        let pieces: &[Piece] =
            if let Shape::Pieces(list) = &self.shape { &list.pieces } else { Default::default() };
        variables(pieces)
    }

    /// The pattern as text with its variables resolved, for an explanation.
    pub(crate) fn resolve_text(&self, context: &Context) -> Option<String> {
        match &self.shape {
            Shape::Any => Some("*".to_owned()),
            Shape::Exact(text) => Some(text.to_string()),
            Shape::Prefix(text) => Some(format!("{text}*")),
            Shape::Pieces(list) => resolve(&list.pieces, context).map(|tokens| text_of(&tokens)),
        }
    }
}

impl Pieces {
    fn new(pieces: Box<[Piece]>) -> Self {
        let length = |at: usize| match pieces.get(at) {
            Some(Piece::Text(text)) => text.len(),
            _ => 0,
        };
        let key = (1..pieces.len()).max_by_key(|at| length(*at)).filter(|at| length(*at) > 1);
        Self { pieces, key }
    }

    /// A cheap look before variables are resolved: the text at the beginning, and the longest one
    /// after it.
    fn could_match(&self, value: &str) -> bool {
        if let Some(Piece::Text(text)) = self.pieces.first()
            && !value.starts_with(&**text)
        {
            return false;
        }
        match self.key.and_then(|at| self.pieces.get(at)) {
            Some(Piece::Text(text)) => glob::contains(value, text),
            _ => true,
        }
    }
}

/// A text without the segments at its ends that go on in what stands before or behind it.
fn closed(text: &str, open_before: bool, open_behind: bool) -> &str {
    let border = [':', '/'];
    let text = if open_before {
        text.find(border).and_then(|at| text.get(at..)).unwrap_or_default()
    } else {
        text
    };
    if open_behind {
        text.rfind(border).and_then(|at| text.get(..at)).unwrap_or_default()
    } else {
        text
    }
}

/// The variables among pieces.
pub(crate) fn variables(pieces: &[Piece]) -> impl Iterator<Item = &Variable> {
    pieces.iter().filter_map(|piece| match piece {
        Piece::Variable(variable) | Piece::FieldVariable(variable) => Some(&**variable),
        _ => None,
    })
}

/// The pieces with their variables resolved; nothing if one has no value, or a value with a colon
/// where none may be.
pub(crate) fn resolve<'a>(pieces: &'a [Piece], context: &'a Context) -> Option<Tokens<'a>> {
    pieces
        .iter()
        .map(|piece| {
            Some(match piece {
                Piece::Text(text) => Tok::Text(text),
                Piece::One => Tok::One,
                Piece::OneField => Tok::OneField,
                Piece::Star => Tok::Star,
                Piece::StarField => Tok::StarField,
                Piece::Variable(variable) => Tok::Text(variable.value(context)?),
                Piece::FieldVariable(variable) => {
                    Tok::Text(variable.value(context).filter(|value| !value.contains(':'))?)
                }
            })
        })
        .collect()
}

/// Resolved tokens as text.
pub(crate) fn text_of(tokens: &[Tok<'_>]) -> String {
    tokens
        .iter()
        .map(|tok| match tok {
            Tok::Text(text) => *text,
            Tok::One | Tok::OneField => "?",
            Tok::Star | Tok::StarField => "*",
        })
        .collect()
}

/// Cuts a text into pieces. Without `variables`, `${...}` is literal (GR-3); without `wildcards`,
/// `*` and `?` are.
pub(crate) fn tokenize(text: &str, variables: bool, wildcards: bool) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if variables && let Some((what, after)) = dollar(rest) {
            match what {
                Dollar::Literal(c) => literal.push(c),
                Dollar::Variable(variable) => {
                    flush(&mut pieces, &mut literal);
                    pieces.push(Piece::Variable(Box::new(variable)));
                }
            }
            rest = after;
            continue;
        }
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        match c {
            '*' if wildcards => {
                flush(&mut pieces, &mut literal);
                if !matches!(pieces.last(), Some(Piece::Star)) {
                    pieces.push(Piece::Star);
                }
            }
            '?' if wildcards => {
                flush(&mut pieces, &mut literal);
                pieces.push(Piece::One);
            }
            _ => literal.push(c),
        }
    }
    flush(&mut pieces, &mut literal);
    pieces
}

enum Dollar {
    Literal(char),
    Variable(Variable),
}

/// What stands at the beginning of `text`, if it is a variable or an escape (VAR-3, VAR-4). An
/// unclosed or unknown form is none and stays literal (VAR-9).
fn dollar(text: &str) -> Option<(Dollar, &str)> {
    let inner = text.strip_prefix("${")?;
    for literal in ['*', '?', '$'] {
        if let Some(after) = inner.strip_prefix(literal).and_then(|rest| rest.strip_prefix('}')) {
            return Some((Dollar::Literal(literal), after));
        }
    }
    let end = inner.find([',', '}', '{', '\'', '$', '*', '?'])?;
    let (name, rest) = inner.split_at_checked(end)?;
    let name = name.trim_matches(' ');
    if name.is_empty() {
        return None;
    }
    let (default, after) = if let Some(after) = rest.strip_prefix('}') {
        (None, after)
    } else {
        let quoted = rest.strip_prefix(',')?.trim_start_matches(' ').strip_prefix('\'')?;
        let (default, rest) = quoted.split_once('\'')?;
        (Some(default), rest.trim_start_matches(' ').strip_prefix('}')?)
    };
    let written = text.get(..text.len() - after.len())?;
    Some((Dollar::Variable(Variable::new(name, default, written)), after))
}

fn flush(pieces: &mut Vec<Piece>, literal: &mut String) {
    if !literal.is_empty() {
        pieces.push(Piece::Text(std::mem::take(literal).into()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> Context {
        Context::new()
            .set("aws:username", "alice")
            .set("aws:PrincipalTag/Team", "*")
            .set("aws:PrincipalTag/evil", "${aws:username}")
            .set("aws:PrincipalTag/none", "")
            .set_list("aws:TagKeys", ["one"])
    }

    // VAR-1 to VAR-9
    #[test]
    fn variables_by_rule() {
        for (rule, pattern, value, expected) in [
            ("VAR-1", "home/${aws:username}", "home/alice", true),
            ("VAR-1", "home/${aws:username}/*", "home/alice/x", true),
            ("VAR-1", "home/${aws:username}/*", "home/bob/x", false),
            ("VAR-2", "${AWS:UserName}", "alice", true),
            ("VAR-2", "${aws:principaltag/TEAM}", "*", true),
            ("VAR-3", "${aws:absent, 'def'}", "def", true),
            ("VAR-3", "${aws:absent,'d*'}", "d*", true),
            ("VAR-3", "${aws:absent,'d*'}", "dx", false),
            ("VAR-3", "${aws:username, 'def'}", "alice", true),
            ("VAR-3", "${aws:PrincipalTag/none, 'def'}", "", true),
            ("VAR-4", "${*}${?}${$}", "*?$", true),
            ("VAR-4", "${*}", "x", false),
            ("VAR-6", "${aws:TagKeys}", "one", false),
            ("VAR-7", "x${aws:absent}", "x", false),
            ("VAR-8", "${aws:PrincipalTag/Team}", "anything", false),
            ("VAR-8", "${aws:PrincipalTag/evil}", "alice", false),
            ("VAR-8", "${aws:PrincipalTag/evil}", "${aws:username}", true),
            ("VAR-9", "${aws:username", "${aws:username", true),
            ("VAR-9", "${}", "${}", true),
            ("VAR-9", "$x", "$x", true),
            ("VAR-9", "${a:b, def}", "${a:b, def}", true),
        ] {
            let pattern_ = Pattern::new(pattern, true);
            assert_eq!(pattern_.matches(value, &context()), expected, "{rule} {pattern} {value}");
        }
        assert!(Pattern::new("${aws:username}", false).matches("${aws:username}", &context()));
        assert!(Pattern::new("${*}", false).matches("${xyz}", &context()), "GR-3");
    }
}
