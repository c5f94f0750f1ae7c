//! Resources of needs, as ARNs: whole ones, and patterns where an event does not tell a name.

use std::fmt::Write as _;

use bailiwick_identifiers::AccountId;
use serde::Serialize;

/// A resource as a call asked for it.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// The ARN, or `*`. What the event does not tell stands as `*`.
    pub arn: String,
    /// As a policy writes it: signs of the ARN that a policy would take for wildcards are escaped.
    pub pattern: String,
    /// Whether the event does not tell a part of it.
    pub partial: bool,
    /// The owner, where the ARN does not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<AccountId>,
}

impl Target {
    /// Where an action names no resource (IN-4).
    pub(super) fn all() -> Self {
        Self { arn: "*".to_owned(), pattern: "*".to_owned(), partial: false, owner: None }
    }

    /// A whole ARN.
    pub(super) fn exact(arn: &str) -> Self {
        let pattern = escaped(arn);
        Self { arn: arn.to_owned(), pattern, partial: false, owner: None }
    }
}

/// A text as a policy matches it and nothing else: `*`, `?` and `$` are wildcards or begin a
/// variable (section 6 of the rules).
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '*' | '?' | '$' => {
                let _ = write!(out, "${{{c}}}");
            }
            c => out.push(c),
        }
    }
    out
}

/// Whether a pattern of a policy matches a text. Escapes stand for their sign.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    #[derive(Clone, Copy, PartialEq)]
    enum Sign {
        Many,
        One,
        Just(char),
    }
    let mut signs = Vec::with_capacity(pattern.len());
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        let mut ahead = rest.clone();
        let escape = (c == '$' && ahead.next() == Some('{')).then(|| (ahead.next(), ahead.next()));
        signs.push(match (c, escape) {
            (_, Some((Some(sign), Some('}')))) => {
                rest = ahead;
                Sign::Just(sign)
            }
            ('*', _) => Sign::Many,
            ('?', _) => Sign::One,
            (c, _) => Sign::Just(c),
        });
    }
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t, mut back) = (0, 0, None);
    while let Some(c) = text.get(t) {
        match signs.get(p) {
            Some(Sign::Many) => {
                p += 1;
                back = Some((p, t));
            }
            Some(Sign::One) => (p, t) = (p + 1, t + 1),
            Some(Sign::Just(sign)) if sign == c => (p, t) = (p + 1, t + 1),
            _ => {
                let Some((star, from)) = back else { return false };
                back = Some((star, from + 1));
                (p, t) = (star, from + 1);
            }
        }
    }
    signs.get(p..).unwrap_or_default().iter().all(|sign| *sign == Sign::Many)
}

/// A part of the pattern of a resource type.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Piece<'p> {
    Text(&'p str),
    Variable(&'p str),
}

/// The parts of a pattern such as `arn:${Partition}:s3:::${BucketName}`.
pub(super) fn pieces(pattern: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once("${") {
        if !before.is_empty() {
            found.push(Piece::Text(before));
        }
        let Some((name, after)) = after.split_once('}') else { break };
        found.push(Piece::Variable(name));
        rest = after;
    }
    if !rest.is_empty() {
        found.push(Piece::Text(rest));
    }
    found
}

/// Variables whose values have slashes or colons of their own.
const LONG: [&str; 18] = [
    "Alias",
    "CertificateNameWithPath",
    "GroupNameWithPath",
    "InstanceProfileNameWithPath",
    "LogGroupName",
    "LogStreamName",
    "MfaTokenIdWithPath",
    "ObjectName",
    "OidcProviderName",
    "ParameterName",
    "ParameterNameWithoutLeadingSlash",
    "PolicyNameWithPath",
    "RepositoryName",
    "ResourcePath",
    "RoleNameWithPath",
    "SecretId",
    "StreamName",
    "UserNameWithPath",
];

/// Whether an ARN is of the type that a pattern describes.
pub(super) fn fits(pattern: &str, arn: &str) -> bool {
    let pieces = pieces(pattern);
    let mut rest = arn;
    let mut at = 0;
    while let Some(piece) = pieces.get(at) {
        at += 1;
        match piece {
            Piece::Text(text) => match rest.strip_prefix(text) {
                Some(after) => rest = after,
                // The sources write `*` for names that they do not call.
                None if text.ends_with('*') => {
                    return rest.starts_with(text.trim_end_matches('*'));
                }
                None => return false,
            },
            Piece::Variable(name) => {
                let length = match pieces.get(at) {
                    Some(Piece::Text(text)) => match rest.find(text.trim_end_matches('*')) {
                        Some(length) => length,
                        None => return false,
                    },
                    Some(Piece::Variable(_)) => return false,
                    None => rest.len(),
                };
                let (value, after) = rest.split_at(length);
                let place = matches!(*name, "Region" | "Account");
                let short = !LONG.contains(name) && value.contains(['/', ':']);
                if short || (value.is_empty() && !place) {
                    return false;
                }
                rest = after;
            }
        }
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_fit_their_type_alone() {
        let (bucket, object) = (
            "arn:${Partition}:s3:::${BucketName}",
            "arn:${Partition}:s3:::${BucketName}/${ObjectName}",
        );
        for (pattern, arn, expected) in [
            (bucket, "arn:aws:s3:::notes", true),
            (bucket, "arn:aws:s3:::notes/a", false),
            (object, "arn:aws:s3:::notes/a/b", true),
            (object, "arn:aws:s3:::notes", false),
            (object, "arn:aws:s3:::notes/", false),
            (
                "arn:${Partition}:iam::${Account}:user/${UserNameWithPath}",
                "arn:aws:iam::1:user/a/b",
                true,
            ),
            (
                "arn:${Partition}:iam::${Account}:user/${UserNameWithPath}",
                "arn:aws:iam::1:role/a",
                false,
            ),
            (
                "arn:${Partition}:sns:${Region}:${Account}:${TopicName}",
                "arn:aws:sns:eu-west-1:1:news",
                true,
            ),
            (
                "arn:${Partition}:sns:${Region}:${Account}:${TopicName}",
                "arn:aws:sns:eu-west-1:1:news:sub",
                false,
            ),
            (
                "arn:${Partition}:dms:${Region}:${Account}:task:*",
                "arn:aws:dms:eu-west-1:1:task:x",
                true,
            ),
        ] {
            assert_eq!(fits(pattern, arn), expected, "{pattern} {arn}");
        }
    }

    #[test]
    fn patterns_match_with_their_escapes() {
        for (pattern, text, expected) in [
            ("a*", "abc", true),
            ("a${*}", "a*", true),
            ("a${*}", "abc", false),
            ("x/${?}/*", "x/?/y", true),
            ("x-??????", "x-AbCdEf", true),
            ("x-??????", "x-AbCd", false),
            ("A", "a", false),
            ("*b*d", "abcd", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn wildcards_of_names_are_escaped() {
        assert_eq!(Target::exact("arn:aws:s3:::b/a*?$x").pattern, "arn:aws:s3:::b/a${*}${?}${$}x");
    }
}
