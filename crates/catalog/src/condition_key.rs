//! Condition keys: their names, which may hold variables, and the types of their values.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::CatalogError;
use crate::bytes::Reader;
use crate::folded::FoldedIndex;
use crate::global_keys::global_condition_keys;

/// The type of one value of a condition key. It says which family of operators suits the key.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum KeyType {
    /// Any text.
    String,
    /// An ARN.
    Arn,
    /// `true` or `false`.
    Bool,
    /// An integer or decimal number.
    Numeric,
    /// An instant. `aws:EpochTime` is a date that suits the numeric operators too (rule OP-D3).
    Date,
    /// An IPv4 or IPv6 address.
    IpAddress,
    /// Bytes in base64.
    Binary,
}

impl KeyType {
    const ALL: [Self; 7] = [
        Self::String,
        Self::Arn,
        Self::Bool,
        Self::Numeric,
        Self::Date,
        Self::IpAddress,
        Self::Binary,
    ];

    /// The type's name as the service authorization reference writes it, such as `ARN` or `IPAddress`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::String => "String",
            Self::Arn => "ARN",
            Self::Bool => "Bool",
            Self::Numeric => "Numeric",
            Self::Date => "Date",
            Self::IpAddress => "IPAddress",
            Self::Binary => "Binary",
        }
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no type of condition key values.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{0}` is not a type of condition key values")]
pub struct UnknownKeyType(pub String);

/// Reads [`KeyType::name`] without regard to case. `ArrayOf…` is not part of it: see [`ConditionKey::multivalued`].
impl FromStr for KeyType {
    type Err = UnknownKeyType;

    fn from_str(text: &str) -> Result<Self, UnknownKeyType> {
        let named = |kind: &Self| kind.name().eq_ignore_ascii_case(text);
        Self::ALL.into_iter().find(named).ok_or_else(|| UnknownKeyType(text.to_owned()))
    }
}

/// A condition key that AWS documents.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConditionKey {
    /// The key's name as documented, such as `aws:SourceIp`. It may hold variables: `aws:RequestTag/${TagKey}`,
    /// `s3:ExistingObjectTag/<key>`, or a bare `/` at the end, each for one character or more.
    pub name: Box<str>,
    /// The type of each value.
    pub kind: KeyType,
    /// Whether a request carries a list of values, so that a policy needs a set operator (rules CO-9, KEY-8).
    pub multivalued: bool,
}

impl ConditionKey {
    /// Whether the name holds a variable, so that it stands for many keys.
    pub fn is_template(&self) -> bool {
        Template::parse(&self.name).is_some()
    }

    /// Whether the key is one of AWS's global keys, whose names begin with `aws:`. Only the host of the
    /// engine computes these; callers never supply them (rule KEY-9).
    pub fn is_global(&self) -> bool {
        self.name.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:"))
    }

    pub(crate) fn type_code(&self) -> u8 {
        self.kind as u8 | if self.multivalued { 0x80 } else { 0 }
    }

    fn from_type_code(name: &str, code: u8) -> Option<Self> {
        let kind = KeyType::ALL.into_iter().find(|kind| *kind as u8 == code & 0x7f)?;
        Some(Self { name: name.into(), kind, multivalued: code & 0x80 != 0 })
    }
}

/// All known condition keys, ours and the file's, found by a key as a policy or request writes it.
#[derive(Debug, Default)]
pub(crate) struct KeyTable {
    keys: Vec<ConditionKey>,
    index: FoldedIndex,
    /// Templates by the first word of their names, so that few are tried.
    words: Vec<(Box<str>, Templates)>,
    word_index: FoldedIndex,
}

/// Templates and the places of their keys, the most specific (longest literal text) first.
type Templates = Vec<(Template, usize)>;

impl KeyTable {
    /// Reads the file's keys and puts our global keys before them; where both name a key, ours stands.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, CatalogError> {
        let mut reader = Reader::new(bytes, "condition keys");
        let mut keys: Vec<ConditionKey> = global_condition_keys().collect();
        let ours = FoldedIndex::new(keys.iter().map(|key| &*key.name));
        let ours_len = keys.len();
        for _ in 0..reader.count()? {
            let name = reader.text()?;
            let code = reader.byte()?;
            let key = ConditionKey::from_type_code(name, code)
                .ok_or_else(|| reader.error("a type is unknown"))?;
            let known =
                keys.get(..ours_len).and_then(|table| ours.find(name, table, |key| &key.name));
            if known.is_none() {
                keys.push(key);
            }
        }
        Ok(Self::new(keys))
    }

    pub(crate) fn new(mut keys: Vec<ConditionKey>) -> Self {
        keys.sort_by_cached_key(|key| key.name.to_ascii_lowercase());
        let index = FoldedIndex::new(keys.iter().map(|key| &*key.name));
        let mut by_word: BTreeMap<String, Templates> = BTreeMap::new();
        for (at, key) in keys.iter().enumerate() {
            if let Some(template) = Template::parse(&key.name) {
                let word = first_word(&key.name).to_ascii_lowercase();
                by_word.entry(word).or_default().push((template, at));
            }
        }
        for templates in by_word.values_mut() {
            // Some tables list one key as `ResourceTag/` and as `ResourceTag/${TagKey}`: the latter speaks.
            templates.sort_by_key(|(template, at)| {
                let vague = keys.get(*at).is_none_or(|key| !key.name.contains("${"));
                (Reverse(template.literal_len()), vague, *at)
            });
        }
        let words: Vec<(Box<str>, Templates)> =
            by_word.into_iter().map(|(word, templates)| (word.into(), templates)).collect();
        let word_index = FoldedIndex::new(words.iter().map(|(word, _)| &**word));
        Self { keys, index, words, word_index }
    }

    pub(crate) fn find(&self, name: &str) -> Option<&ConditionKey> {
        self.index.find(name, &self.keys, |key| &key.name).or_else(|| {
            let (_, templates) =
                self.word_index.find(first_word(name), &self.words, |(word, _)| word)?;
            let (_, at) = templates.iter().find(|(template, _)| template.matches(name))?;
            self.keys.get(*at)
        })
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, ConditionKey> {
        self.keys.iter()
    }
}

/// A key name with variables: literal texts with a variable between each two of them. A variable stands for
/// one character or more of any kind.
#[derive(Debug)]
struct Template {
    first: Box<str>,
    rest: Vec<Box<str>>,
}

impl Template {
    /// The template that `name` is, or nothing when it has no variable.
    fn parse(name: &str) -> Option<Self> {
        if let Some(first) = name.strip_suffix("/tag-key").or(name.strip_suffix('/')) {
            return Some(Self { first: format!("{first}/").into(), rest: vec!["".into()] });
        }
        let mut literals: Vec<Box<str>> = Vec::new();
        let mut tail = name;
        while let Some((at, open, close)) = next_variable(tail) {
            let (literal, variable) = tail.split_at_checked(at)?;
            let end = variable.get(open.len()..)?.find(close)? + open.len() + close.len_utf8();
            literals.push(literal.into());
            tail = variable.get(end..)?;
        }
        literals.push(tail.into());
        let mut literals = literals.into_iter();
        let first = literals.next()?;
        let rest: Vec<Box<str>> = literals.collect();
        (!rest.is_empty()).then_some(Self { first, rest })
    }

    fn literal_len(&self) -> usize {
        self.first.len() + self.rest.iter().map(|literal| literal.len()).sum::<usize>()
    }

    fn matches(&self, name: &str) -> bool {
        let Some(mut tail) = strip_folded_prefix(name.as_bytes(), self.first.as_bytes()) else {
            return false;
        };
        let Some((last, middle)) = self.rest.split_last() else { return tail.is_empty() };
        for literal in middle {
            // The leftmost place leaves the most for what follows, so it is enough to try that one.
            let found = (1..=tail.len()).find_map(|at| {
                strip_folded_prefix(tail.get(at..).unwrap_or_default(), literal.as_bytes())
            });
            let Some(rest) = found else { return false };
            tail = rest;
        }
        let variable = tail.len().saturating_sub(last.len());
        variable > 0
            && tail.get(variable..).is_some_and(|end| end.eq_ignore_ascii_case(last.as_bytes()))
    }
}

/// The text before the first mark. No template has a variable in it, so a template and the keys that it stands
/// for have the same first word.
fn first_word(name: &str) -> &str {
    name.split(['.', ':', '/', '-']).next().unwrap_or_default()
}

/// The first variable of `text`: where it opens, what opens it, and what closes it.
fn next_variable(text: &str) -> Option<(usize, &'static str, char)> {
    let dollar = text.find("${").map(|at| (at, "${", '}'));
    let angle = text.find('<').map(|at| (at, "<", '>'));
    dollar.into_iter().chain(angle).min_by_key(|(at, _, _)| *at)
}

fn strip_folded_prefix<'a>(text: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let (head, tail) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> KeyTable {
        let key = |name: &str, kind| ConditionKey { name: name.into(), kind, multivalued: false };
        KeyTable::new(vec![
            key("ec2:ResourceTag/${TagKey}", KeyType::String),
            key("s3:RequestObjectTag/<key>", KeyType::String),
            key("glacier:ResourceTag/", KeyType::String),
            key("codebuild:sources/${id}.auth.type", KeyType::String),
            key("events:Metadata/${k}", KeyType::String),
            key("events:Metadata/${k}/Matcher", KeyType::Bool),
            key("kms:EncryptionContext:${k}", KeyType::String),
            key("two/${a}-${b}:x", KeyType::String),
            key("ec2:Add/group", KeyType::String),
        ])
    }

    /// Rule CO-2: names of keys, the suffix included, are compared without regard to case.
    #[test]
    fn variables_stand_for_one_character_or_more() {
        for (name, expected) in [
            ("EC2:resourcetag/Team", Some("ec2:ResourceTag/${TagKey}")),
            ("ec2:ResourceTag/${TagKey}", Some("ec2:ResourceTag/${TagKey}")),
            ("ec2:ResourceTag/a/b:c", Some("ec2:ResourceTag/${TagKey}")),
            ("ec2:ResourceTag/", None),
            ("ec2:ResourceTag", None),
            ("s3:requestobjecttag/x", Some("s3:RequestObjectTag/<key>")),
            ("glacier:ResourceTag/x", Some("glacier:ResourceTag/")),
            ("codebuild:sources/one.AUTH.type", Some("codebuild:sources/${id}.auth.type")),
            ("codebuild:sources/.auth.type", None),
            ("codebuild:sources/one.auth", None),
            ("events:Metadata/x", Some("events:Metadata/${k}")),
            ("events:Metadata/x/matcher", Some("events:Metadata/${k}/Matcher")),
            ("kms:encryptioncontext:AppName", Some("kms:EncryptionContext:${k}")),
            ("two/1-2:x", Some("two/${a}-${b}:x")),
            ("two/1-:x", None),
            ("two/-2:x", None),
            ("ec2:add/GROUP", Some("ec2:Add/group")),
            ("ec2:Add/group/x", None),
            ("ec2:ResourceTag/é", Some("ec2:ResourceTag/${TagKey}")),
            ("", None),
        ] {
            assert_eq!(table().find(name).map(|key| &*key.name), expected, "{name:?}");
        }
    }

    #[test]
    fn type_codes_survive() {
        for kind in KeyType::ALL {
            for multivalued in [false, true] {
                let key = ConditionKey { name: "a:b".into(), kind, multivalued };
                assert_eq!(ConditionKey::from_type_code("a:b", key.type_code()), Some(key));
            }
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        assert_eq!(ConditionKey::from_type_code("a:b", 0x7f), None);
    }
}
