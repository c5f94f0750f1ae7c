//! Patterns of Resource and NotResource (RES-1 to RES-11).

use super::template::{Pattern, Piece, Variable, tokenize};
use crate::Context;
use crate::view::Token;

/// How short patterns, with fewer than six fields, are read (RES-5): a matter of the policy kind.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Short {
    /// As they stand or completed: identity, session and boundary policies.
    Always,
    /// Only with a wildcard: resource, trust and endpoint policies.
    WithWildcard,
    /// Only if it ends in `*`: service control policies.
    TrailingStar,
    /// Not at all: resource control policies.
    Never,
}

/// One entry of Resource or NotResource.
#[derive(Clone, Debug)]
pub(crate) struct ResourcePattern {
    /// The pattern as it stands.
    pattern: Pattern,
    /// The pattern completed to six fields (RES-5).
    completed: Option<Pattern>,
    /// `false` if the service field has a wildcard, so that the entry counts only where that
    /// grants less (RES-3).
    regular: bool,
    /// `false` if it is neither `*` nor an ARN, or too short for its kind (RES-5, RES-11).
    usable: bool,
}

impl ResourcePattern {
    pub(crate) fn new(text: &str, variables: bool, short: Short) -> Self {
        if text == "*" {
            let pattern = Pattern::from_pieces(vec![Piece::Star]);
            return Self { pattern, completed: None, regular: true, usable: true };
        }
        let mut fields = Fields::default();
        for piece in tokenize(text, variables, true) {
            fields.push(piece);
        }
        fields.end_field(true);
        let has_wildcard = fields.pieces.iter().any(Piece::is_wildcard);
        let is_short = fields.count < 6;
        let usable = text.starts_with("arn:")
            && (!is_short
                || match short {
                    Short::Always => true,
                    Short::WithWildcard => has_wildcard,
                    Short::TrailingStar => matches!(fields.pieces.last(), Some(Piece::Star)),
                    Short::Never => false,
                });
        let completed = (is_short && usable).then(|| {
            let mut pieces = fields.pieces.clone();
            for _ in fields.count..6 {
                pieces.push(Piece::Text(":".into()));
                pieces.push(Piece::Star);
            }
            Pattern::from_pieces(pieces)
        });
        let regular = !fields.wild_service;
        Self { pattern: Pattern::from_pieces(fields.pieces), completed, regular, usable }
    }

    /// Whether it covers the resource. `irregular`: whether an entry with a wildcard in the
    /// service field counts as a glob or as nothing.
    pub(crate) fn matches(&self, resource: &str, context: &Context, irregular: bool) -> bool {
        self.usable
            && (self.regular || irregular)
            && (self.pattern.matches(resource, context)
                || self.completed.as_ref().is_some_and(|p| p.matches(resource, context)))
    }

    /// The keys of the segments that every resource it covers has (see the index of statements).
    ///
    /// A short pattern ends where its completion goes on with a colon, so its segments are also
    /// those of the completed one.
    pub(crate) fn segments(&self) -> Vec<u64> {
        self.pattern.segments()
    }

    /// The patterns of which one must cover the resource, piece by piece; none if it counts as
    /// nothing.
    pub(crate) fn tokens(&self, irregular: bool) -> impl Iterator<Item = Vec<Token>> {
        let counts = self.usable && (self.regular || irregular);
        let both = std::iter::once(&self.pattern).chain(&self.completed);
        both.filter(move |_| counts).map(Pattern::tokens)
    }

    /// The variables in it.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.pattern.variables()
    }

    /// The pattern with its variables resolved, for an explanation.
    pub(crate) fn resolve(&self, context: &Context) -> Option<String> {
        self.pattern.resolve_text(context)
    }
}

/// Reads pieces field by field and gives wildcards the meaning of their field (RES-1).
#[derive(Default)]
struct Fields {
    pieces: Vec<Piece>,
    /// Colons passed, up to five.
    index: usize,
    /// Fields in all, once ended.
    count: usize,
    wild_service: bool,
    /// The last piece is a star whose meaning is open until the next piece.
    open_star: bool,
}

impl Fields {
    fn push(&mut self, piece: Piece) {
        let ends = matches!(&piece, Piece::Text(text) if text.starts_with(':'));
        self.end_field(ends);
        match piece {
            Piece::Text(text) => {
                let colons = text.bytes().filter(|byte| *byte == b':').count();
                self.index = (self.index + colons).min(5);
                self.text(text);
            }
            Piece::Star | Piece::StarField => {
                self.wild_service |= self.index == 2;
                self.open_star = self.index < 5;
                self.pieces.push(Piece::Star);
            }
            Piece::One | Piece::OneField => {
                self.wild_service |= self.index == 2;
                self.pieces.push(if self.index < 5 { Piece::OneField } else { Piece::One });
            }
            Piece::Variable(variable) | Piece::FieldVariable(variable) => match self.index {
                // RES-6: no variables in the first three fields.
                0..=2 => self.text(variable.written.clone()),
                3..=4 => self.pieces.push(Piece::FieldVariable(variable)),
                _ => self.pieces.push(Piece::Variable(variable)),
            },
        }
    }

    /// Settles the meaning of an open star: one that ends its field may run on over colons.
    fn end_field(&mut self, ends: bool) {
        if self.open_star
            && !ends
            && let Some(star) = self.pieces.last_mut()
        {
            *star = Piece::StarField;
        }
        self.open_star = false;
        self.count = self.index + 1;
    }

    fn text(&mut self, text: Box<str>) {
        if let Some(Piece::Text(last)) = self.pieces.last_mut() {
            *last = format!("{last}{text}").into();
        } else {
            self.pieces.push(Piece::Text(text));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, resource: &str, short: Short, irregular: bool) -> bool {
        let context = Context::new()
            .set("aws:PrincipalAccount", "123456789012")
            .set("aws:username", "al*ce")
            .set("aws:PrincipalTag/colon", "eu:1");
        ResourcePattern::new(pattern, true, short).matches(resource, &context, irregular)
    }

    #[test]
    fn res_rules() {
        let table = "arn:aws:dynamodb:eu-west-1:123456789012:table/prod-1";
        for (rule, pattern, resource, expected) in [
            ("RES-1", "arn:aws:s3:::b/*", "arn:aws:s3:::b/x:y/z", true),
            ("RES-1", "arn:aws:dynamodb:*:table/prod-*", table, true),
            ("RES-1", "arn:aws:dynamodb:*:*:table/*", table, true),
            ("RES-1", "arn:aws:dynamodb:eu-*-1:123456789012:table/*", table, true),
            ("RES-1", "arn:aws:dynamodb:e*1:table/prod-1", table, false),
            ("RES-1", "arn:aws:dynamodb:*1:123456789012:table/*", table, true),
            ("RES-1", "arn:aws:dynamodb:*2:table/prod-1", table, false),
            ("RES-1", "arn:aws:dynamodb:eu?west-1:123456789012:table/*", table, true),
            ("RES-1", "arn:aws:dynamodb?eu-west-1:123456789012:table/*", table, false),
            ("RES-1", "arn:aws:a:b:c:d?e", "arn:aws:a:b:c:d:e", true),
            ("RES-2", "arn:aws:s3:::B", "arn:aws:s3:::b", false),
            ("RES-3", "arn:*:s3:::b", "arn:aws:s3:::b", true),
            ("RES-3", "arn:aws:*:::b", "arn:aws:s3:::b", false),
            ("RES-4", "*", "*", true),
            ("RES-4", "*", "arn:aws:s3:::b", true),
            ("IN-4", "arn:aws:s3:::*", "*", false),
            ("RES-5", "arn:aws:sqs", "arn:aws:sqs:eu-west-1:123456789012:q", true),
            ("RES-5", "arn:aws:sqs:eu-*-1", "arn:aws:sqs:eu-west-1:123456789012:q", true),
            (
                "RES-6",
                "arn:aws:bedrock:*:${aws:PrincipalAccount}:agent/*",
                "arn:aws:bedrock:r:123456789012:agent/a",
                true,
            ),
            ("RES-6", "arn:aws:x:${aws:PrincipalTag/colon}:r", "arn:aws:x:eu:1:r", false),
            ("RES-6", "arn:${aws:PrincipalAccount}:s3:::b", "arn:123456789012:s3:::b", false),
            ("RES-7", "arn:aws:s3:::${aws:none}*", "arn:aws:s3:::x", false),
            ("RES-11", "b/*", "b/x", false),
            ("RES-11", "**", "arn:aws:s3:::b", false),
            ("VAR-8", "arn:aws:s3:::${aws:username}", "arn:aws:s3:::alice", false),
            ("VAR-8", "arn:aws:s3:::${aws:username}", "arn:aws:s3:::al*ce", true),
        ] {
            assert_eq!(
                matches(pattern, resource, Short::Always, false),
                expected,
                "{rule} {pattern}"
            );
        }
        assert!(matches("arn:aws:*:::b", "arn:aws:s3:::b", Short::Always, true), "RES-3");
    }

    #[test]
    fn res_5_short_patterns_by_kind() {
        let queue = "arn:aws:sqs:eu-west-1:123456789012:q";
        for (pattern, expected) in [
            ("arn:aws:sqs", [true, false, false, false]),
            ("arn:aws:sqs:*", [true, true, true, false]),
            ("arn:aws:sqs:eu-*-1", [true, true, false, false]),
        ] {
            let shorts = [Short::Always, Short::WithWildcard, Short::TrailingStar, Short::Never];
            let found = shorts.map(|short| matches(pattern, queue, short, false));
            assert_eq!(found, expected, "{pattern}");
        }
    }
}
