//! Access keys in a text: ids by their form, secrets by what stands near.

use serde::Serialize;

/// An id is so long, in AWS and here.
const ID_LEN: usize = 20;
const SECRET_LEN: usize = 40;
/// A secret stands within so many lines of its id.
const NEAR: usize = 2;
/// A line longer than that is no line of code; its secrets are told by a name before them alone.
const LONG_LINE: usize = 4096;
/// How much of a secret is shown.
const SHOWN: usize = 4;

/// What was found.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    /// `AKIA...`.
    LongTerm,
    /// `ASIA...`.
    Temporary,
    /// A secret access key.
    Secret,
}

impl Kind {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::LongTerm => "access key id",
            Self::Temporary => "temporary access key id",
            Self::Secret => "secret access key",
        }
    }

    pub(super) const fn rule(self) -> &'static str {
        match self {
            Self::LongTerm => "access-key-id",
            Self::Temporary => "temporary-access-key-id",
            Self::Secret => "secret-access-key",
        }
    }
}

/// A key in a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Hit {
    /// From 1.
    pub(super) line: usize,
    /// In characters, from 1.
    pub(super) column: usize,
    pub(super) kind: Kind,
    /// The id, or a secret's first characters.
    pub(super) shown: String,
}

/// The keys in a text, in its order.
pub(super) fn keys(text: &str) -> Vec<Hit> {
    let lines: Vec<&str> = text.lines().collect();
    let ids: Vec<Vec<(usize, Kind)>> = lines.iter().map(|line| ids(line)).collect();
    let mut found = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let column = |byte: usize| line.get(..byte).map_or(0, |head| head.chars().count()) + 1;
        let here = ids.get(number).into_iter().flatten();
        let mut hits: Vec<(usize, Hit)> = here
            .map(|(at, kind)| {
                let shown = line.get(*at..at + ID_LEN).unwrap_or_default().to_owned();
                (*at, Hit { line: number + 1, column: column(*at), kind: *kind, shown })
            })
            .collect();
        let window = ids.iter().take(number + NEAR + 1).skip(number.saturating_sub(NEAR));
        let near = line.len() <= LONG_LINE && window.flatten().next().is_some();
        for at in secrets(line) {
            let before = line.get(..at).unwrap_or_default();
            if near || is_named(before) {
                let head = line.get(at..at + SHOWN).unwrap_or_default();
                let shown = format!("{head}{}", "*".repeat(SECRET_LEN - SHOWN));
                hits.push((
                    at,
                    Hit { line: number + 1, column: column(at), kind: Kind::Secret, shown },
                ));
            }
        }
        hits.sort_by_key(|(at, _)| *at);
        found.extend(hits.into_iter().map(|(_, hit)| hit));
    }
    found
}

/// Runs of characters of a kind, each with its place, no matter what is on both sides.
fn runs(line: &str, of: impl Fn(u8) -> bool) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let bytes = line.as_bytes();
        while bytes.get(at).is_some_and(|byte| !of(*byte)) {
            at += 1;
        }
        let from = at;
        while bytes.get(at).is_some_and(|byte| of(*byte)) {
            at += 1;
        }
        (at > from).then(|| (from, line.get(from..at).unwrap_or_default()))
    })
}

/// `AKIA` or `ASIA` and sixteen capitals or digits, which are no part of a longer word.
fn ids(line: &str) -> Vec<(usize, Kind)> {
    runs(line, |byte| byte.is_ascii_alphanumeric())
        .filter(|(_, run)| {
            run.len() == ID_LEN && run.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        })
        .filter_map(|(at, run)| match run.get(..4) {
            Some("AKIA") => Some((at, Kind::LongTerm)),
            Some("ASIA") => Some((at, Kind::Temporary)),
            _ => None,
        })
        .collect()
}

/// Forty characters of base64 that look random: neither a hash in hexadecimal digits nor a path.
fn secrets(line: &str) -> Vec<usize> {
    runs(line, |byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte))
        .filter(|(at, run)| {
            let next = line.as_bytes().get(at + run.len());
            run.len() == SECRET_LEN && next != Some(&b'=') && is_random(run)
        })
        .map(|(at, _)| at)
        .collect()
}

fn is_random(run: &str) -> bool {
    let count = |of: fn(&u8) -> bool| run.bytes().filter(of).count();
    let hexadecimal = run.bytes().all(|byte| byte.is_ascii_hexdigit());
    // Forty random characters miss one of these with a chance of one in thousands.
    let mixed = count(u8::is_ascii_uppercase) >= 2
        && count(u8::is_ascii_lowercase) >= 2
        && count(u8::is_ascii_digit) >= 1;
    let mut seen: Vec<u8> = run.bytes().collect();
    seen.sort_unstable();
    seen.dedup();
    let path = run.matches('/').count() > 5;
    mixed && !hexadecimal && !path && seen.len() >= 16
}

/// Whether what stands before says that a secret follows.
fn is_named(before: &str) -> bool {
    let from = before.char_indices().rev().nth(63).map_or(0, |(at, _)| at);
    let head = before.get(from..).unwrap_or_default().to_ascii_lowercase();
    ["secret", "aws_key", "awskey", "secret_key"].iter().any(|name| head.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "AKIAQWERTYUIOPASDFGH";
    const SECRET: &str = "aB3dE/fGhI+jKlMnOpQrStUvWxYz0123456789Ab";

    #[test]
    fn ids_are_found_by_their_form() {
        for (text, expected) in [
            (format!("id = {ID}"), Some((1, 6, Kind::LongTerm))),
            (format!("\n  é\"{}\"", ID.replace("AKIA", "ASIA")), Some((2, 5, Kind::Temporary))),
            (format!("x{ID}"), None),
            (format!("{ID}X"), None),
            (ID.to_lowercase(), None),
            ("AKIA".into(), None),
            (ID.replace("AKIA", "AIDA"), None),
        ] {
            let found: Vec<_> =
                keys(&text).into_iter().map(|hit| (hit.line, hit.column, hit.kind)).collect();
            assert_eq!(found, Vec::from_iter(expected), "{text}");
        }
    }

    #[test]
    fn secrets_are_found_by_what_is_near_and_never_shown() {
        assert_eq!(SECRET.len(), SECRET_LEN);
        let hash = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
        for (text, expected) in [
            (format!("aws_secret_access_key = {SECRET}"), 1),
            (format!("SecretKey: \"{SECRET}\""), 1),
            (format!("{ID}\n\n{SECRET}"), 1),
            (format!("{ID}\n\n\n{SECRET}"), 0),
            (format!("data: {SECRET}"), 0),
            (format!("secret {hash}"), 0),
            (format!("secret {SECRET}A"), 0),
            (format!("secret {SECRET}="), 0),
            ("secret aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaA1".into(), 0),
        ] {
            let found = keys(&text);
            let secrets = found.iter().filter(|hit| hit.kind == Kind::Secret);
            assert_eq!(secrets.clone().count(), expected, "{text}");
            for hit in secrets {
                assert_eq!(hit.shown, format!("aB3d{}", "*".repeat(36)));
            }
        }
    }
}
