//! Tags.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a text is no tag, or a list no tag set.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TagError {
    /// A key of no characters, or more than 128.
    #[error("a tag key has 1 to 128 characters")]
    KeyLength,
    /// A value of more than 256 characters.
    #[error("a tag value has at most 256 characters")]
    ValueLength,
    /// A character outside letters, blanks, digits and `_.:/=+-@`.
    #[error("`{0}` is not allowed in a tag")]
    Forbidden(char),
    /// Two keys that are the same, or differ only in case where that does not count.
    #[error("the tag key `{0}` occurs twice")]
    Duplicate(String),
    /// A key that begins with `aws:`, which only AWS may use.
    #[error("tag keys that begin with `aws:` are reserved")]
    Reserved,
}

fn check(text: &str) -> Result<(), TagError> {
    // The model's pattern is `[\p{L}\p{Z}\p{N}_.:/=+\-@]+`.
    let fits = |c: char| {
        c.is_alphanumeric() || (c.is_whitespace() && !c.is_control()) || "_.:/=+-@".contains(c)
    };
    text.chars().find(|c| !fits(*c)).map_or(Ok(()), |c| Err(TagError::Forbidden(c)))
}

macro_rules! tag_text {
    ($(#[$doc:meta])* $name:ident, $range:expr, $error:expr) => {
        $(#[$doc])*
        #[derive(Clone, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = TagError;

            fn from_str(text: &str) -> Result<Self, TagError> {
                if !$range.contains(&text.chars().count()) {
                    return Err($error);
                }
                check(text).map(|()| Self(text.into()))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = TagError;

            fn try_from(text: String) -> Result<Self, TagError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0.into()
            }
        }
    };
}

tag_text!(
    /// The key of a tag: 1 to 128 characters, unique in its set.
    TagKey, (1..=128), TagError::KeyLength
);
tag_text!(
    /// The value of a tag: up to 256 characters, possibly none.
    TagValue, (0..=256), TagError::ValueLength
);

impl TagKey {
    /// The key without its case: tag keys of users and roles are unique without regard to case
    /// (KEY-10).
    pub fn folded(&self) -> String {
        self.0.to_lowercase()
    }

    /// Where the key stands in a set: after those before it without regard to case, and among
    /// those that differ only in case by its letters.
    pub fn place(&self) -> (String, &str) {
        (self.folded(), &self.0)
    }

    /// Whether only AWS may set the key.
    pub fn is_reserved(&self) -> bool {
        self.0.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("aws:"))
    }
}

/// A key and its value.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Tag {
    /// The key.
    pub key: TagKey,
    /// The value.
    pub value: TagValue,
}

/// Tags with distinct keys, sorted by folded key, then by key.
///
/// Keys of users, roles and sessions that differ only in case are the same ([`TagSet::new`],
/// [`TagSet::put`], [`TagSet::remove`]); those of IAM's other resources are two
/// ([`TagSet::exact`], [`TagSet::put_exact`], [`TagSet::remove_exact`]). Source: IAM user guide,
/// `id_tags`, case sensitivity.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct TagSet(Vec<Tag>);

impl TagSet {
    /// A set of these tags; two keys that differ at most in case are an error, and so is a
    /// reserved key.
    pub fn new(tags: impl IntoIterator<Item = Tag>) -> Result<Self, TagError> {
        let mut set = Self::default();
        for tag in tags {
            if tag.key.is_reserved() {
                return Err(TagError::Reserved);
            }
            if set.value(tag.key.as_str()).is_some() {
                return Err(TagError::Duplicate(tag.key.as_str().into()));
            }
            set.put(tag);
        }
        Ok(set)
    }

    /// A set of these tags, whose keys may differ in case alone; the same key twice is an error,
    /// and so is a reserved key.
    pub fn exact(tags: impl IntoIterator<Item = Tag>) -> Result<Self, TagError> {
        let mut set = Self::default();
        for tag in tags {
            if tag.key.is_reserved() {
                return Err(TagError::Reserved);
            }
            if set.0.iter().any(|held| held.key == tag.key) {
                return Err(TagError::Duplicate(tag.key.as_str().into()));
            }
            set.put_exact(tag);
        }
        Ok(set)
    }

    /// Adds a tag, or replaces the one whose key is the same without regard to case.
    pub fn put(&mut self, tag: Tag) {
        let folded = tag.key.folded();
        match self.0.binary_search_by(|held| held.key.folded().cmp(&folded)) {
            Ok(at) => {
                if let Some(slot) = self.0.get_mut(at) {
                    *slot = tag;
                }
            }
            Err(at) => self.0.insert(at, tag),
        }
    }

    /// Adds a tag, or replaces the one that has this very key.
    pub fn put_exact(&mut self, tag: Tag) {
        let place = tag.key.place();
        match self.0.binary_search_by(|held| held.key.place().cmp(&place)) {
            Ok(at) => {
                if let Some(slot) = self.0.get_mut(at) {
                    *slot = tag;
                }
            }
            Err(at) => self.0.insert(at, tag),
        }
    }

    /// Takes the tag of this very key away.
    pub fn remove_exact(&mut self, key: &str) {
        self.0.retain(|tag| tag.key.as_str() != key);
    }

    /// Takes the tag of this key away, whatever the key's case.
    pub fn remove(&mut self, key: &str) {
        let folded = key.to_lowercase();
        self.0.retain(|tag| tag.key.folded() != folded);
    }

    /// The value under a key, whatever the key's case.
    pub fn value(&self, key: &str) -> Option<&TagValue> {
        let folded = key.to_lowercase();
        self.0.iter().find(|tag| tag.key.folded() == folded).map(|tag| &tag.value)
    }

    /// The tags in order of their folded keys.
    pub fn iter(&self) -> std::slice::Iter<'_, Tag> {
        self.0.iter()
    }

    /// How many tags there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> IntoIterator for &'a TagSet {
    type Item = &'a Tag;
    type IntoIter = std::slice::Iter<'a, Tag>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(key: &str, value: &str) -> Tag {
        Tag { key: key.parse().unwrap(), value: value.parse().unwrap() }
    }

    #[test]
    fn keys_are_unique_without_regard_to_case() {
        let twice = TagSet::new([tag("Team", "a"), tag("team", "b")]);
        assert_eq!(twice, Err(TagError::Duplicate("team".into())));
        let mut set = TagSet::new([tag("Team", "a"), tag("b", "")]).unwrap();
        set.put(tag("TEAM", "c"));
        assert_eq!(set.len(), 2);
        assert_eq!(set.value("team").unwrap().as_str(), "c");
        set.remove("tEaM");
        assert!(set.value("Team").is_none());
        assert_eq!(TagSet::new([tag("aws:x", "")]), Err(TagError::Reserved));
    }

    #[test]
    fn exact_keys_may_differ_in_case_alone() {
        let mut set = TagSet::exact([tag("team", "b"), tag("x", ""), tag("Team", "a")]).unwrap();
        let keys = |set: &TagSet| set.iter().map(|tag| tag.key.to_string()).collect::<Vec<_>>();
        assert_eq!(keys(&set), ["Team", "team", "x"]);
        set.put_exact(tag("team", "c"));
        set.put_exact(tag("TEAM", ""));
        set.remove_exact("Team");
        set.remove_exact("X");
        assert_eq!(keys(&set), ["TEAM", "team", "x"]);
        let twice = TagSet::exact([tag("a", ""), tag("A", ""), tag("a", "b")]);
        assert_eq!(twice, Err(TagError::Duplicate("a".into())));
        assert_eq!(TagSet::exact([tag("AWS:x", "")]), Err(TagError::Reserved));
    }

    #[test]
    fn characters_and_lengths() {
        assert!("a".repeat(128).parse::<TagKey>().is_ok());
        assert_eq!("a".repeat(129).parse::<TagKey>(), Err(TagError::KeyLength));
        assert_eq!("".parse::<TagKey>(), Err(TagError::KeyLength));
        assert!("".parse::<TagValue>().is_ok());
        assert_eq!("a*".parse::<TagKey>(), Err(TagError::Forbidden('*')));
        assert!("Größe 1_.:/=+-@".parse::<TagValue>().is_ok());
        assert_eq!("a\nb".parse::<TagValue>(), Err(TagError::Forbidden('\n')));
    }
}
