//! The patterns of the models, compiled once when first asked.
//!
//! A model's pattern is a Java expression that must match the whole value. Java's `\w`, `\d` and
//! `\s` are ASCII, while those of the `regex` crate are not: they are spelt out before compiling, or
//! a name in Cyrillic would pass as `\w`. What the crate cannot compile (look-around) has a predicate
//! here. The engine is linear in the length of the text (threat G08).

use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};

use crate::generated::PATTERNS;
use crate::schema::Pattern;

/// The greatest memory one compiled pattern may take, bytes.
const SIZE_LIMIT: usize = 4 << 20;

/// A compiled pattern.
#[derive(Debug)]
pub struct Matcher(Inner);

#[derive(Debug)]
enum Inner {
    Regex(Regex),
    Predicate(Predicate),
    /// Neither compiles nor has a predicate: nothing matches. A test proves that no pattern ends here.
    Never,
}

impl Matcher {
    /// Compiles a pattern of a model.
    pub fn new(pattern: &str) -> Self {
        if let Some((_, predicate)) = PREDICATES.iter().find(|(text, _)| *text == pattern) {
            return Self(Inner::Predicate(*predicate));
        }
        let whole = format!(r"\A(?:{})\z", ascii_classes(pattern));
        match RegexBuilder::new(&whole).size_limit(SIZE_LIMIT).build() {
            Ok(regex) => Self(Inner::Regex(regex)),
            Err(_) => Self(Inner::Never),
        }
    }

    /// Whether the whole text matches.
    pub fn matches(&self, text: &str) -> bool {
        match &self.0 {
            Inner::Regex(regex) => regex.is_match(text),
            Inner::Predicate(predicate) => predicate(text),
            Inner::Never => false,
        }
    }

    /// False when the pattern could not be compiled.
    pub fn is_usable(&self) -> bool {
        !matches!(self.0, Inner::Never)
    }
}

impl Pattern {
    /// Whether the whole text matches.
    pub fn matches(&self, text: &str) -> bool {
        match PATTERNS.get(self.slot) {
            Some(slot) => slot.get_or_init(|| Matcher::new(self.text)).matches(text),
            None => Matcher::new(self.text).matches(text),
        }
    }
}

/// A place for one compiled pattern.
pub type Slot = OnceLock<Matcher>;

type Predicate = fn(&str) -> bool;

/// Patterns that the engine cannot compile, word for word as the model has them.
const PREDICATES: &[(&str, Predicate)] =
    &[("^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$", is_account_alias)];

/// 3 to 63 lower-case letters, digits and single inner hyphens (iam accountAliasType).
fn is_account_alias(text: &str) -> bool {
    (3..=63).contains(&text.len())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        && !text.starts_with('-')
        && !text.ends_with('-')
        && !text.contains("--")
}

/// Spells `\w`, `\d`, `\s` out in ASCII, inside and outside a character class, and escapes what
/// would open a nested class.
fn ascii_classes(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut in_class = false;
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let Some(next) = chars.next() else {
                    out.push('\\');
                    break;
                };
                let set = match next {
                    'w' => "0-9A-Za-z_",
                    'd' => "0-9",
                    's' => r" \t\n\x0B\x0C\r",
                    other => {
                        out.push('\\');
                        out.push(other);
                        continue;
                    }
                };
                if in_class {
                    out.push_str(set);
                    // `[\w-/]`: after a class a hyphen cannot start a range, so it is itself.
                    if chars.peek() == Some(&'-') {
                        chars.next();
                        out.push_str(r"\-");
                    }
                } else {
                    out.push('[');
                    out.push_str(set);
                    out.push(']');
                }
            }
            '[' if in_class => out.push_str(r"\["),
            '&' | '~' if in_class => {
                out.push('\\');
                out.push(c);
            }
            '[' => {
                in_class = true;
                out.push('[');
                for mark in ['^', ']'] {
                    if chars.peek() == Some(&mark) {
                        chars.next();
                        out.push_str(if mark == ']' { r"\]" } else { "^" });
                    }
                }
            }
            ']' => {
                in_class = false;
                out.push(']');
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generated::SERVICES;
    use crate::schema::{Kind, Structure, Type};

    fn patterns_of(
        structure: &'static Structure,
        seen: &mut Vec<&'static str>,
        out: &mut Vec<Pattern>,
    ) {
        if seen.contains(&structure.name) {
            return;
        }
        seen.push(structure.name);
        for member in structure.members {
            patterns_of_type(member.shape, seen, out);
        }
    }

    fn patterns_of_type(
        shape: &'static Type,
        seen: &mut Vec<&'static str>,
        out: &mut Vec<Pattern>,
    ) {
        out.extend(shape.constraints.pattern);
        match shape.kind {
            Kind::List(list) => patterns_of_type(list.shape, seen, out),
            Kind::Map(map) => {
                patterns_of_type(map.key, seen, out);
                patterns_of_type(map.value, seen, out);
            }
            Kind::Structure(inner) => patterns_of(inner, seen, out),
            _ => {}
        }
    }

    #[test]
    fn every_pattern_of_every_model_is_usable() {
        let mut found = Vec::new();
        for service in SERVICES {
            let mut seen = Vec::new();
            for operation in service.operations {
                for structure in [operation.input, operation.output].into_iter().flatten() {
                    patterns_of(structure, &mut seen, &mut found);
                }
            }
        }
        assert!(found.len() > 60, "{}", found.len());
        for pattern in found {
            assert!(Matcher::new(pattern.text).is_usable(), "{}", pattern.text);
            assert!(pattern.slot < PATTERNS.len());
        }
    }

    #[test]
    fn patterns_match_whole_values_in_ascii() {
        for (pattern, text, expected) in [
            (r"[\w+=,.@-]+", "svc+ci@example.com", true),
            (r"[\w+=,.@-]+", "Аdmin", false), // a Cyrillic capital A
            (r"[\w+=,.@-]+", "admin\n", false),
            (r"[\w+=,.@-]+", "a b", false),
            (r"[\w+=,.@-]+", "", false),
            (r"[\w-]+", "a-b", true),
            (r"\d{12}", "123456789012", true),
            (r"\d{12}", "１２３４５６７８９０１２", false),
            (r"^o-[a-z0-9]{10,32}$", "o-abcdefghij", true),
            (r"^o-[a-z0-9]{10,32}$", "o-abcdefghij\n", false),
            (r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)", "/", true),
            (r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)", "/a/b/", true),
            (r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)", "/a", false),
            (r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+", "Größe 1", true),
            (r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+", "a*", false),
            ("^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$", "my-alias", true),
            ("^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$", "my--alias", false),
            ("^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$", "ab", false),
            ("^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$", "ab-", false),
        ] {
            assert_eq!(Matcher::new(pattern).matches(text), expected, "{pattern} {text:?}");
        }
    }
}
