//! The JSON of an export, as it is written: pages, and the details of entities.
//!
//! Members that say nothing about authorization are passed over, and those that are not known are
//! found by another walk (`members`). Lists that are not there are empty: so AWS writes them.

use std::borrow::Cow;

use bailiwick_identifiers::{
    Arn, GroupName, InstanceProfileName, Path, PolicyName, RoleName, TagKey, TagValue, UserName,
};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::place::Text;
use super::{ExportError, ExportProblem};
use crate::parallel;

/// A page. The entities stay as they stand in the text, so that each keeps its place.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a page of an export")]
pub(super) struct Page<'a> {
    #[serde(borrow, default, deserialize_with = "entities")]
    user_detail_list: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default, deserialize_with = "entities")]
    group_detail_list: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default, deserialize_with = "entities")]
    role_detail_list: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default, deserialize_with = "entities")]
    policies: Option<Vec<&'a RawValue>>,
    #[serde(default)]
    is_truncated: Option<bool>,
    #[serde(default)]
    next_token: Option<IgnoredAny>,
}

/// An entity with its text.
pub(super) struct Item<'a, T> {
    /// The number of the file.
    pub(super) file: usize,
    /// As it stands there.
    pub(super) raw: &'a str,
    /// What it says.
    pub(super) detail: T,
}

/// All pages together.
#[derive(Default)]
pub(super) struct Pages<'a> {
    pub(super) users: Vec<Item<'a, UserDetail<'a>>>,
    pub(super) groups: Vec<Item<'a, GroupDetail<'a>>>,
    pub(super) roles: Vec<Item<'a, RoleDetail<'a>>>,
    pub(super) policies: Vec<Item<'a, PolicyDetail<'a>>>,
    /// Whether every page says that another one follows.
    pub(super) cut_off: bool,
}

/// Reads the pages of all files.
pub(super) fn pages<'a>(texts: &[Text<'a>]) -> Result<Pages<'a>, ExportError> {
    let mut all = Pages { cut_off: true, ..Pages::default() };
    for (file, text) in texts.iter().enumerate() {
        let mut values =
            serde_json::Deserializer::from_str(text.whole).into_iter::<OneOrMore<'_>>();
        let mut found = false;
        loop {
            let start = values.byte_offset();
            let pages = match values.next() {
                None => break,
                Some(Ok(OneOrMore(pages))) => pages,
                Some(Err(error)) => return Err(text.json_error(text.whole, &error)),
            };
            found = true;
            for page in pages {
                page.add_to(&mut all, file, text, start)?;
            }
        }
        if !found {
            return Err(ExportError::at(text, 0, ExportProblem::NotAnExport));
        }
    }
    Ok(all)
}

impl<'a> Page<'a> {
    fn add_to(
        self,
        all: &mut Pages<'a>,
        file: usize,
        text: &Text<'a>,
        start: usize,
    ) -> Result<(), ExportError> {
        let Self { user_detail_list, group_detail_list, role_detail_list, policies, .. } = self;
        if user_detail_list.is_none()
            && group_detail_list.is_none()
            && role_detail_list.is_none()
            && policies.is_none()
        {
            return Err(ExportError::at(text, start, ExportProblem::NotAnExport));
        }
        all.cut_off &= self.is_truncated == Some(true) || self.next_token.is_some();
        items(&mut all.users, file, text, user_detail_list)?;
        items(&mut all.groups, file, text, group_detail_list)?;
        items(&mut all.roles, file, text, role_detail_list)?;
        items(&mut all.policies, file, text, policies)
    }
}

fn items<'a, T: Deserialize<'a> + Send>(
    all: &mut Vec<Item<'a, T>>,
    file: usize,
    text: &Text<'a>,
    list: Option<Vec<&'a RawValue>>,
) -> Result<(), ExportError> {
    let list = list.unwrap_or_default();
    let details = parallel::each(&list, |raw| serde_json::from_str(raw.get()));
    for (raw, detail) in list.into_iter().zip(details) {
        let raw = raw.get();
        let detail = detail.map_err(|error| text.json_error(raw, &error))?;
        all.push(Item { file, raw, detail });
    }
    Ok(())
}

/// The most entities of one list: a hundred times what AWS lets an account have. A file of millions of
/// empty lists is refused before they fill the memory.
const MAX_ENTITIES: usize = 1_000_000;

/// The entities of a list, as they stand in the text.
fn entities<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<&'de RawValue>>, D::Error> {
    struct Read;

    impl<'de> Visitor<'de> for Read {
        type Value = Option<Vec<&'de RawValue>>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a list of entities")
        }

        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut found = Vec::new();
            while let Some(raw) = seq.next_element()? {
                if found.len() >= MAX_ENTITIES {
                    let problem = format!("a list has more than {MAX_ENTITIES} entities");
                    return Err(A::Error::custom(problem));
                }
                found.push(raw);
            }
            Ok(Some(found))
        }
    }

    deserializer.deserialize_any(Read)
}

/// A page, or a list of pages.
struct OneOrMore<'a>(Vec<Page<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for OneOrMore<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Vec<Page<'de>>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an account export: an object, or a list of them")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                Page::deserialize(MapAccessDeserializer::new(map)).map(|page| vec![page])
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut pages = Vec::new();
                while let Some(page) = list.next_element()? {
                    pages.push(page);
                }
                Ok(pages)
            }
        }

        deserializer.deserialize_any(Either).map(OneOrMore)
    }
}

/// A user.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "the details of a user")]
pub(super) struct UserDetail<'a> {
    #[serde(default)]
    pub(super) path: Option<Path>,
    pub(super) user_name: UserName,
    #[serde(default)]
    pub(super) user_id: Option<String>,
    pub(super) arn: Arn,
    #[serde(default)]
    pub(super) create_date: Option<Instant>,
    #[serde(borrow, default)]
    pub(super) user_policy_list: Option<Vec<PolicyForm<'a>>>,
    #[serde(default)]
    pub(super) group_list: Option<Vec<GroupName>>,
    #[serde(default)]
    pub(super) attached_managed_policies: Option<Vec<AttachedForm>>,
    #[serde(default)]
    pub(super) permissions_boundary: Option<BoundaryForm>,
    #[serde(default)]
    pub(super) tags: Option<Vec<TagForm>>,
}

/// A group.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "the details of a group")]
pub(super) struct GroupDetail<'a> {
    #[serde(default)]
    pub(super) path: Option<Path>,
    pub(super) group_name: GroupName,
    #[serde(default)]
    pub(super) group_id: Option<String>,
    pub(super) arn: Arn,
    #[serde(default)]
    pub(super) create_date: Option<Instant>,
    #[serde(borrow, default)]
    pub(super) group_policy_list: Option<Vec<PolicyForm<'a>>>,
    #[serde(default)]
    pub(super) attached_managed_policies: Option<Vec<AttachedForm>>,
}

/// A role.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "the details of a role")]
pub(super) struct RoleDetail<'a> {
    #[serde(default)]
    pub(super) path: Option<Path>,
    pub(super) role_name: RoleName,
    #[serde(default)]
    pub(super) role_id: Option<String>,
    pub(super) arn: Arn,
    #[serde(default)]
    pub(super) create_date: Option<Instant>,
    #[serde(borrow, default)]
    pub(super) assume_role_policy_document: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) instance_profile_list: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default)]
    pub(super) role_policy_list: Option<Vec<PolicyForm<'a>>>,
    #[serde(default)]
    pub(super) attached_managed_policies: Option<Vec<AttachedForm>>,
    #[serde(default)]
    pub(super) permissions_boundary: Option<BoundaryForm>,
    #[serde(default)]
    pub(super) tags: Option<Vec<TagForm>>,
    #[serde(default)]
    pub(super) role_last_used: Option<LastUsedForm>,
}

/// A managed policy: the customer's, or one of AWS's.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "the details of a managed policy")]
pub(super) struct PolicyDetail<'a> {
    #[serde(default)]
    pub(super) path: Option<Path>,
    pub(super) policy_name: PolicyName,
    #[serde(default)]
    pub(super) policy_id: Option<String>,
    pub(super) arn: Arn,
    #[serde(default)]
    pub(super) default_version_id: Option<String>,
    #[serde(default)]
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) create_date: Option<Instant>,
    #[serde(default)]
    pub(super) update_date: Option<Instant>,
    #[serde(borrow, default)]
    pub(super) policy_version_list: Option<Vec<VersionForm<'a>>>,
}

/// A version of a managed policy.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a version of a policy")]
pub(super) struct VersionForm<'a> {
    #[serde(borrow, default)]
    pub(super) document: Option<&'a RawValue>,
    pub(super) version_id: String,
    #[serde(default)]
    pub(super) is_default_version: Option<bool>,
    #[serde(default)]
    pub(super) create_date: Option<Instant>,
}

/// An inline policy.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an inline policy")]
pub(super) struct PolicyForm<'a> {
    pub(super) policy_name: PolicyName,
    #[serde(borrow, default)]
    pub(super) policy_document: Option<&'a RawValue>,
}

/// A managed policy that is attached.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an attached policy")]
pub(super) struct AttachedForm {
    pub(super) policy_arn: Arn,
}

/// A permissions boundary.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a permissions boundary")]
pub(super) struct BoundaryForm {
    pub(super) permissions_boundary_arn: Arn,
}

/// A tag.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a tag")]
pub(super) struct TagForm {
    pub(super) key: TagKey,
    pub(super) value: TagValue,
}

/// An instance profile, in the list of its role.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an instance profile")]
pub(super) struct ProfileForm {
    #[serde(default)]
    pub(super) path: Option<Path>,
    pub(super) instance_profile_name: InstanceProfileName,
    #[serde(default)]
    pub(super) instance_profile_id: Option<String>,
    pub(super) arn: Arn,
    #[serde(default)]
    pub(super) create_date: Option<Instant>,
    #[serde(default)]
    pub(super) tags: Option<Vec<TagForm>>,
    #[serde(default)]
    pub(super) roles: Option<Vec<ProfileRole>>,
}

/// A role, in the list of its instance profile: all of it stands in the role's own details.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a role of an instance profile")]
pub(super) struct ProfileRole {
    #[serde(default)]
    pub(super) arn: Option<String>,
}

/// When and where a role was last used; empty before its first use.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "the last use of a role")]
pub(super) struct LastUsedForm {
    #[serde(default)]
    pub(super) last_used_date: Option<Instant>,
    #[serde(default)]
    pub(super) region: Option<String>,
}

/// An instant, as ISO 8601 or in seconds since the epoch: clients print either.
#[derive(Clone, Copy)]
pub(super) struct Instant(pub(super) Timestamp);

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl Visitor<'_> for Either {
            type Value = Timestamp;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an instant, as `2026-01-02T03:04:05Z` or in seconds since the epoch")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Timestamp, E> {
                text.parse().map_err(|_| E::custom(format!("`{text}` is no instant")))
            }

            fn visit_i64<E: Error>(self, seconds: i64) -> Result<Timestamp, E> {
                Timestamp::from_second(seconds).map_err(E::custom)
            }

            fn visit_u64<E: Error>(self, seconds: u64) -> Result<Timestamp, E> {
                self.visit_i64(i64::try_from(seconds).map_err(E::custom)?)
            }

            fn visit_f64<E: Error>(self, seconds: f64) -> Result<Timestamp, E> {
                let span = SignedDuration::try_from_secs_f64(seconds).map_err(E::custom)?;
                Timestamp::from_duration(span).map_err(E::custom)
            }
        }

        deserializer.deserialize_any(Either).map(Instant)
    }
}

/// The text of a document: an object as it stands, a string as it is written or URL-encoded. What
/// is neither stays as it stands, to be found unreadable.
pub(super) fn document_text(raw: &str) -> Cow<'_, str> {
    if !raw.starts_with('"') {
        return Cow::Borrowed(raw);
    }
    let Ok(text) = serde_json::from_str::<String>(raw) else { return Cow::Borrowed(raw) };
    // An encoded text has no brace.
    if text.trim_start().starts_with('{') {
        return Cow::Owned(text);
    }
    Cow::Owned(decode(&text).unwrap_or(text))
}

/// Undoes the encoding of RFC 3986; none when the result is no text.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
        let byte = if byte == b'%' { u8::try_from(digit()? * 16 + digit()?).ok()? } else { byte };
        bytes.push(byte);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_in_each_spelling() {
        let expected: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        for (json, fits) in [
            ("\"2026-01-02T03:04:05Z\"", true),
            ("\"2026-01-02T04:04:05+01:00\"", true),
            ("\"2026-01-02 03:04:05+00:00\"", true),
            ("1767323045", true),
            ("1767323045.0", true),
            ("\"tomorrow\"", false),
            ("1e300", false),
            ("-99999999999999", false),
            ("18446744073709551615", false),
            ("true", false),
        ] {
            let found = serde_json::from_str::<Instant>(json).map(|instant| instant.0);
            assert_eq!(found.ok(), fits.then_some(expected), "{json}");
        }
    }

    #[test]
    fn documents_in_each_spelling() {
        for (raw, expected) in [
            (r#"{"a": 1}"#, r#"{"a": 1}"#),
            (r#""{\"a\": \"%41\"}""#, r#"{"a": "%41"}"#),
            (r#""%7B%22a%22%3A%22%C3%BC+%2B%22%7D""#, r#"{"a":"ü++"}"#),
            (r#""%7B%zz""#, "%7B%zz"),
            (r#""%7B%FF""#, "%7B%FF"),
            ("17", "17"),
        ] {
            assert_eq!(document_text(raw), expected, "{raw}");
        }
    }
}
