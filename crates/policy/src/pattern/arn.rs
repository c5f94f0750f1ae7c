//! Patterns of the Arn condition operators: field by field (OP-A2 to OP-A4).

use super::glob::{self, Tok};
use super::template::{Pattern, Piece, Tokens, Variable, resolve, text_of, tokenize, variables};
use crate::Context;
use crate::view::Token;

/// A lone `*` matches any well-formed ARN: observed, but not verified.
const LONE_STAR_IS_ANY_ARN: bool = true;

/// One value of ArnEquals, ArnLike and their negations.
#[derive(Clone, Debug)]
pub(crate) enum ArnPattern {
    /// A lone `*`.
    Any,
    /// The text itself has five colons, so it is split before variables are resolved, and text
    /// from a variable cannot move a field's border.
    Fields(Box<[Pattern; 6]>),
    /// A variable may bring whole fields, as in `${aws:SourceArn}`.
    Whole(Box<[Piece]>),
    /// No ARN: matches nothing (OP-A4).
    Never,
}

impl ArnPattern {
    pub(crate) fn new(text: &str, with_variables: bool) -> Self {
        if LONE_STAR_IS_ANY_ARN && text == "*" {
            return Self::Any;
        }
        let pieces = tokenize(text, with_variables, true);
        if let Some(fields) = split_pieces(&pieces) {
            return Self::Fields(Box::new(fields));
        }
        if variables(&pieces).next().is_some() { Self::Whole(pieces.into()) } else { Self::Never }
    }

    pub(crate) fn matches(&self, value: &str, context: &Context) -> bool {
        let Some(fields) = split_arn(value) else { return false };
        match self {
            Self::Any => true,
            Self::Never => false,
            Self::Fields(patterns) => {
                patterns.iter().zip(fields).all(|(pattern, field)| pattern.matches(field, context))
            }
            Self::Whole(pieces) => resolve(pieces, context)
                .and_then(|tokens| split_tokens(&tokens))
                .is_some_and(|patterns| {
                    patterns.iter().zip(fields).all(|(tokens, field)| glob::matches(tokens, field))
                }),
        }
    }

    /// The pattern with its variables resolved, for an explanation.
    pub(crate) fn resolve(&self, context: &Context) -> Option<String> {
        match self {
            Self::Any => Some("*".to_owned()),
            Self::Never => None,
            Self::Fields(fields) => {
                let texts: Option<Vec<String>> =
                    fields.iter().map(|field| field.resolve_text(context)).collect();
                texts.map(|texts| texts.join(":"))
            }
            Self::Whole(pieces) => resolve(pieces, context).map(|tokens| text_of(&tokens)),
        }
    }

    /// The pattern piece by piece, fields parted by colons; nothing if it matches nothing.
    pub(crate) fn tokens(&self) -> Option<Vec<Token>> {
        let inside = |token| match token {
            Token::Star => Token::StarField,
            Token::One => Token::OneField,
            token => token,
        };
        let mut out = Vec::new();
        match self {
            Self::Never => return None,
            // Fields are no fields before the variable has its value.
            Self::Whole(pieces) => out.push(Token::Opaque(format!("{pieces:?}").into())),
            Self::Any => {
                out.push(Token::Text("arn:".into()));
                for _ in 1..5 {
                    out.extend([Token::StarField, Token::Text(":".into())]);
                }
                out.push(Token::Star);
            }
            Self::Fields(fields) => {
                for (at, field) in fields.iter().enumerate() {
                    if at > 0 {
                        out.push(Token::Text(":".into()));
                    }
                    let tokens = field.tokens().into_iter();
                    out.extend(tokens.map(|t| if at < 5 { inside(t) } else { t }));
                }
            }
        }
        Some(out)
    }

    /// The variables in it.
    pub(crate) fn variables(&self) -> Vec<&Variable> {
        match self {
            Self::Any | Self::Never => Vec::new(),
            Self::Fields(fields) => fields.iter().flat_map(Pattern::variables).collect(),
            Self::Whole(pieces) => variables(pieces).collect(),
        }
    }
}

/// The six fields of a well-formed ARN; the last keeps further colons.
pub(crate) fn split_arn(text: &str) -> Option<[&str; 6]> {
    let mut fields = text.splitn(6, ':');
    let arn = [
        fields.next()?,
        fields.next()?,
        fields.next()?,
        fields.next()?,
        fields.next()?,
        fields.next()?,
    ];
    (arn.first() == Some(&"arn")).then_some(arn)
}

fn split_pieces(pieces: &[Piece]) -> Option<[Pattern; 6]> {
    let mut fields: Vec<Vec<Piece>> = vec![Vec::new()];
    for piece in pieces {
        let last = fields.len() >= 6;
        let Some(field) = fields.last_mut() else { break };
        match piece {
            Piece::Text(text) if !last => {
                let mut parts = text.splitn(6 - (fields.len() - 1), ':');
                if let (Some(part), Some(field)) = (parts.next(), fields.last_mut()) {
                    push_text(field, part);
                }
                for part in parts {
                    let mut field = Vec::new();
                    push_text(&mut field, part);
                    fields.push(field);
                }
            }
            Piece::Variable(variable) if !last => {
                field.push(Piece::FieldVariable(variable.clone()));
            }
            _ => field.push(piece.clone()),
        }
    }
    let patterns: Vec<Pattern> = fields.into_iter().map(Pattern::from_pieces).collect();
    patterns.try_into().ok()
}

fn push_text(field: &mut Vec<Piece>, text: &str) {
    if !text.is_empty() {
        field.push(Piece::Text(text.into()));
    }
}

fn split_tokens<'a>(tokens: &Tokens<'a>) -> Option<[Tokens<'a>; 6]> {
    let mut fields: [Tokens<'a>; 6] = Default::default();
    let mut at = 0;
    for tok in tokens {
        match tok {
            Tok::Text(text) => {
                let mut parts = text.splitn(6 - at, ':');
                if let Some(part) = parts.next() {
                    fields.get_mut(at)?.push(Tok::Text(part));
                }
                for part in parts {
                    at += 1;
                    fields.get_mut(at)?.push(Tok::Text(part));
                }
            }
            tok => fields.get_mut(at)?.push(*tok),
        }
    }
    (at == 5).then_some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn op_a2_fields_are_matched_one_by_one() {
        let context = Context::new()
            .set("aws:PrincipalAccount", "123456789012")
            .set("aws:SourceArn", "arn:aws:s3:::b:c")
            .set("aws:PrincipalTag/t", "1:user/x");
        for (pattern, value, expected) in [
            ("arn:aws:s3:::b", "arn:aws:s3:::b", true),
            ("arn:aws:s3:::B", "arn:aws:s3:::b", false),
            ("arn:aws:sns:*:123456789012:*", "arn:aws:sns:eu-west-1:123456789012:a:b", true),
            ("arn:aws:sns:*:t", "arn:aws:sns:eu-west-1:123456789012:t", false), // OP-A4
            ("arn:aws:*", "arn:aws:sns:eu-west-1:123456789012:t", false),
            ("arn:*:*:*:*:*", "arn:aws:sns:eu-west-1:123456789012:t", true),
            ("arn:aws:iam::12*:role/a?", "arn:aws:iam::123456789012:role/ab", true),
            ("arn:aws:iam::12*:role/a?", "arn:aws:iam::12345:9012:role/ab", false),
            ("arn:aws:logs:r:1:log-group:*:x", "arn:aws:logs:r:1:log-group:a:b:x", true),
            ("*", "arn:aws:s3:::b", true),
            ("*", "b", false),
            ("arn:aws:s3:::b", "x", false),
            ("arn:aws:iam::${aws:PrincipalAccount}:root", "arn:aws:iam::123456789012:root", true),
            ("arn:aws:iam::${aws:none}:root", "arn:aws:iam::123456789012:root", false),
            ("arn:aws:iam::${aws:PrincipalTag/t}:y", "arn:aws:iam::1:user/x:y", false),
            ("${aws:SourceArn}", "arn:aws:s3:::b:c", true),
            ("${aws:SourceArn}*", "arn:aws:s3:::b:cd", true),
        ] {
            let pattern_ = ArnPattern::new(pattern, true);
            assert_eq!(pattern_.matches(value, &context), expected, "{pattern} {value}");
        }
    }
}
