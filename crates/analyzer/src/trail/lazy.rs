//! Texts and parts of a record that are borrowed, and parts that are read only when asked for.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// A part of a record that is read when it is asked for.
///
/// An event has many, and few are looked at. `null` is as absent, as CloudTrail means it.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Lazy<'a>(#[serde(borrow)] Option<&'a RawValue>);

impl<'a> Lazy<'a> {
    /// A part that is there.
    pub const fn new(part: &'a RawValue) -> Self {
        Self(Some(part))
    }

    /// Its JSON text, if it is there.
    pub fn text(&self) -> Option<&'a str> {
        self.0.map(RawValue::get)
    }

    /// Whether it is there.
    pub const fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// Its value. Nothing if it is absent or lies deeper than 128 levels.
    pub fn value(&self) -> Option<Value> {
        self.read()
    }

    /// Its value as a type. Nothing if it is absent, too deep or of another form.
    pub fn read<T: Deserialize<'a>>(&self) -> Option<T> {
        serde_json::from_str(self.text()?).ok()
    }
}

/// A text, borrowed where it has no escapes.
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrow;
        impl<'de> Visitor<'de> for Borrow {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Borrow)
    }
}

/// A text that may be absent or `null`.
pub(super) fn optional<'de: 'a, 'a, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Cow<'a, str>>, D::Error> {
    Ok(Option::<Text<'a>>::deserialize(deserializer)?.map(|text| text.0))
}

/// A text that is empty where it is absent or `null`.
pub(super) fn text<'de: 'a, 'a, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Cow<'a, str>, D::Error> {
    Ok(optional(deserializer)?.unwrap_or_default())
}

/// An instant in RFC 3339.
pub(super) fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = Text::deserialize(deserializer)?.0;
    text.parse().map_err(|_| D::Error::custom(format!("`{text}` is no instant in RFC 3339")))
}

/// Yes or no, as a Boolean or as the word: CloudTrail writes both.
pub(super) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "true or false")]
    enum Either<'a> {
        Flag(bool),
        #[serde(borrow)]
        Word(Text<'a>),
    }
    Ok(match Option::deserialize(deserializer)? {
        None => None,
        Some(Either::Flag(flag)) => Some(flag),
        Some(Either::Word(Text(word))) => Some(word.eq_ignore_ascii_case("true")),
    })
}

/// A default where a part is `null`.
pub(super) fn or_default<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Deserialize<'de> + Default,
    D: Deserializer<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
