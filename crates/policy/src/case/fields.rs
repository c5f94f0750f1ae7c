//! JSON with places, read no deeper than is asked for.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;
use smallvec::SmallVec;

use super::{CaseError, CaseProblem};

/// A JSON value of a line, not yet read.
#[derive(Clone, Copy)]
pub(super) struct Json<'a> {
    line: &'a str,
    /// The value's own text, a part of the line.
    text: &'a str,
    /// The field or list in which it stands.
    field: &'a str,
}

/// The members of an object by name.
pub(super) struct Fields<'a> {
    whole: Json<'a>,
    known: &'static [&'static str],
    members: Members<'a>,
}

/// The members of an object in the order of the text.
pub(super) type Members<'a> = Vec<(Cow<'a, str>, Json<'a>)>;

/// One text or several.
pub(super) enum Texts<'a> {
    One(Cow<'a, str>),
    List(SmallVec<[Cow<'a, str>; 4]>),
}

impl<'a> Json<'a> {
    /// The members of the object that is the whole line.
    pub(super) fn whole(line: &'a str) -> Result<(Self, Members<'a>), CaseError> {
        let whole = Self { line, text: line.trim_ascii(), field: "case" };
        let read: Result<RawObject<'a>, serde_json::Error> = serde_json::from_str(line);
        let object = read.map_err(|error| match error.classify() {
            Category::Data => whole.wrong("an object"),
            _ => CaseProblem::Json(plain(&error)).at(line, byte(line, &error)),
        })?;
        Ok((whole, whole.all(object)))
    }

    /// The text as it stands in the line.
    pub(super) fn raw(&self) -> &'a str {
        self.text
    }

    pub(super) fn is_null(&self) -> bool {
        self.text == "null"
    }

    /// The same value under another name, for messages.
    pub(super) fn named(self, field: &'a str) -> Self {
        Self { field, ..self }
    }

    /// What is wrong at this value.
    pub(super) fn problem(&self, problem: CaseProblem) -> CaseError {
        // Where the value begins in the line: both are parts of one text.
        let byte = (self.text.as_ptr() as usize).saturating_sub(self.line.as_ptr() as usize);
        problem.at(self.line, byte)
    }

    /// The value is not what it must be.
    pub(super) fn wrong(&self, expected: &'static str) -> CaseError {
        self.problem(CaseProblem::Wrong { field: self.field.to_owned(), expected })
    }

    fn read<T: Deserialize<'a>>(&self, expected: &'static str) -> Result<T, CaseError> {
        serde_json::from_str(self.text).map_err(|_| self.wrong(expected))
    }

    /// A string.
    pub(super) fn text(&self) -> Result<Cow<'a, str>, CaseError> {
        self.read::<Text<'a>>("a string").map(|text| text.0)
    }

    /// A string that is not empty.
    pub(super) fn non_empty(&self, expected: &'static str) -> Result<Cow<'a, str>, CaseError> {
        let text = self.read::<Text<'a>>(expected)?.0;
        if text.is_empty() { Err(self.wrong(expected)) } else { Ok(text) }
    }

    /// A string that is not empty and has so many bytes at most.
    pub(super) fn limited(
        &self,
        expected: &'static str,
        limit: usize,
    ) -> Result<Cow<'a, str>, CaseError> {
        let text = self.non_empty(expected)?;
        if text.len() > limit { Err(self.oversized(self.field, limit)) } else { Ok(text) }
    }

    /// A text that is too long.
    pub(super) fn oversized(&self, field: &str, limit: usize) -> CaseError {
        self.problem(CaseProblem::Oversized { field: field.to_owned(), limit })
    }

    /// A string of some grammar.
    pub(super) fn parsed<T: FromStr>(&self, expected: &'static str) -> Result<T, CaseError> {
        self.read::<Text<'a>>(expected)?.0.parse().map_err(|_| self.wrong(expected))
    }

    pub(super) fn truth(&self) -> Result<bool, CaseError> {
        self.read("true or false")
    }

    /// A single value, as it stands.
    pub(super) fn scalar(&self) -> Result<Box<RawValue>, CaseError> {
        if self.text.starts_with(['{', '[']) {
            return Err(self.wrong("a string or a number"));
        }
        self.read("a string or a number")
    }

    /// A string or a list of strings.
    pub(super) fn texts(&self) -> Result<Texts<'a>, CaseError> {
        if self.text.starts_with('[') {
            let list: TextList<'a> = self.read("a string or a list of strings")?;
            return Ok(Texts::List(list.0));
        }
        self.read::<Text<'a>>("a string or a list of strings").map(|text| Texts::One(text.0))
    }

    /// The elements of a list.
    pub(super) fn elements(&self) -> Result<Vec<Self>, CaseError> {
        let list: RawList<'a> = self.read("a list")?;
        let line = self.line;
        Ok(list.0.into_iter().map(|raw| Self { line, text: raw.get(), ..*self }).collect())
    }

    /// The members of an object. A name may stand once only.
    pub(super) fn members(&self) -> Result<Members<'a>, CaseError> {
        self.read("an object").map(|object| self.all(object))
    }

    fn all(&self, object: RawObject<'a>) -> Members<'a> {
        let (line, field) = (self.line, self.field);
        let member = |(name, raw): (Cow<'a, str>, &'a RawValue)| {
            (name, Self { line, text: raw.get(), field })
        };
        object.0.into_iter().map(member).collect()
    }
}

impl<'a> Fields<'a> {
    /// Reads an object with these fields.
    pub(super) fn read(whole: Json<'a>, known: &'static [&'static str]) -> Result<Self, CaseError> {
        Ok(Self { whole, known, members: whole.members()? })
    }

    /// Reads the object that is the whole line.
    pub(super) fn of_line(
        line: &'a str,
        known: &'static [&'static str],
    ) -> Result<Self, CaseError> {
        let (whole, members) = Json::whole(line)?;
        Ok(Self { whole, known, members })
    }

    /// The value of a field; nothing where it is absent or null.
    pub(super) fn take(&mut self, name: &'static str) -> Option<Json<'a>> {
        self.take_with_null(name).filter(|json| !json.is_null())
    }

    /// The value of a field; nothing where it is absent.
    pub(super) fn take_with_null(&mut self, name: &'static str) -> Option<Json<'a>> {
        let (_, json) = self.members.iter().find(|(found, _)| found == name)?;
        Some(json.named(name))
    }

    /// This field must be there.
    pub(super) fn lacks(&self, name: &'static str) -> CaseError {
        self.whole.problem(CaseProblem::Missing(name))
    }

    /// The known field that an unknown one resembles, or whose kind of policy it names.
    fn meant(&self, name: &str) -> Option<&'static str> {
        let near = self.known.iter().find(|known| resembles(known, name)).copied();
        let name = letters(name);
        let says = |(word, meant): &(&str, &'static str)| {
            (name.contains(word) && self.known.contains(meant)).then_some(*meant)
        };
        near.or_else(|| LIMITS.iter().find_map(says))
    }

    /// Refuses a field that stands twice, and an unknown one that seems to mean a known one: a
    /// policy that is passed over would limit nothing.
    pub(super) fn check_names(&self) -> Result<(), CaseError> {
        for (place, (name, json)) in self.members.iter().enumerate() {
            let before = self.members.iter().take(place);
            if self.known.contains(&&**name) {
                if before.into_iter().any(|(other, _)| other == name) {
                    return Err(json.problem(CaseProblem::Twice(name.to_string())));
                }
            } else if let Some(meant) = self.meant(name) {
                let found = name.to_string();
                return Err(json.problem(CaseProblem::Misspelt { found, meant }));
            }
        }
        Ok(())
    }
}

/// Words that names of limits have, and the fields that are meant.
const LIMITS: [(&str, &str); 11] = [
    ("boundary", "permissionsBoundary"),
    ("servicecontrol", "scps"),
    ("scp", "scps"),
    ("resourcecontrol", "rcps"),
    ("rcp", "rcps"),
    ("sessionpolic", "sessionPolicies"),
    ("endpointpolic", "endpointPolicies"),
    ("resourcepolic", "resourcePolicy"),
    ("bucketpolic", "resourcePolicy"),
    ("trustpolic", "resourcePolicy"),
    ("polic", "identityPolicies"),
];

/// Whether a name differs from a known one by case, by separators, by a plural or by one letter.
fn resembles(known: &str, name: &str) -> bool {
    if known.len() < 3 || name.len() > known.len() + 4 {
        return false;
    }
    let fold = |text: &str| -> Vec<u8> {
        let letters = text.bytes().filter(u8::is_ascii_alphanumeric);
        letters.map(|byte| byte.to_ascii_lowercase()).collect()
    };
    let (known, name) = (fold(known), fold(name));
    let stem = |text: &[u8]| {
        let text = text.strip_suffix(b"s").unwrap_or(text);
        let text = text.strip_suffix(b"ie").or(text.strip_suffix(b"y")).unwrap_or(text);
        text.to_vec()
    };
    stem(&known) == stem(&name) || (known.len() > 4 && one_edit(&known, &name))
}

/// The letters and digits of a name, without case.
fn letters(name: &str) -> String {
    let kept = name.chars().filter(char::is_ascii_alphanumeric);
    kept.map(|c| c.to_ascii_lowercase()).collect()
}

/// Whether one insertion, removal or replacement leads from one text to the other.
fn one_edit(left: &[u8], right: &[u8]) -> bool {
    let same = left.iter().zip(right).take_while(|(a, b)| a == b).count();
    let rest = |text: &[u8], skip: usize| text.get(same + skip..).map(<[u8]>::to_vec);
    let tails = [(1, 1), (1, 0), (0, 1)];
    tails.into_iter().any(|(l, r)| {
        let (left, right) = (rest(left, l), rest(right, r));
        left.is_some() && left == right
    })
}

/// The byte at which serde_json stopped.
fn byte(text: &str, error: &serde_json::Error) -> usize {
    let lines = text.split_inclusive('\n').take(error.line().saturating_sub(1));
    lines.map(str::len).sum::<usize>() + error.column().saturating_sub(1)
}

/// The message without its place, which is told apart.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text.get(..end).unwrap_or_default().to_owned(),
        None => text,
    }
}

/// A string, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

struct TextList<'a>(SmallVec<[Cow<'a, str>; 4]>);
struct RawList<'a>(Vec<&'a RawValue>);
struct RawObject<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for TextList<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = TextList<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of strings")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut out = SmallVec::new();
                while let Some(Text(text)) = seq.next_element()? {
                    out.push(text);
                }
                Ok(TextList(out))
            }
        }
        deserializer.deserialize_seq(Read)
    }
}

impl<'de> Deserialize<'de> for RawList<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = RawList<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut out = Vec::new();
                while let Some(raw) = seq.next_element()? {
                    out.push(raw);
                }
                Ok(RawList(out))
            }
        }
        deserializer.deserialize_seq(Read)
    }
}

impl<'de> Deserialize<'de> for RawObject<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = RawObject<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut out = Vec::with_capacity(8);
                while let Some(Text(name)) = map.next_key()? {
                    out.push((name, map.next_value()?));
                }
                Ok(RawObject(out))
            }
        }
        deserializer.deserialize_map(Read)
    }
}
