//! The members that objects of an export have. One that is not known here may be a limit under a
//! wrong name, such as `PermissionBoundary`, so none is passed over in silence.
//!
//! This is a walk of its own over a text that was read already: it never fails, and finds at most
//! [`MAX_KINDS`] kinds of unknown members.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The most kinds of unknown members that are told apart.
pub(super) const MAX_KINDS: usize = 100;

/// A member that is not known in its kind of object.
#[derive(Debug)]
pub(super) struct Unknown<'a> {
    /// The kind of object, in words with an article.
    pub(super) of: &'static str,
    /// The member's name.
    pub(super) name: Cow<'a, str>,
    /// The ARN of the first entity that has it.
    pub(super) arn: Option<String>,
    /// In how many places it stands.
    pub(super) times: usize,
}

/// What was found in all files.
#[derive(Debug, Default)]
pub(super) struct Found<'a> {
    /// The kinds of members with the number of the file of the first, in the order of the text.
    pub(super) unknown: Vec<(usize, Unknown<'a>)>,
    /// Whether there are more than [`MAX_KINDS`] kinds.
    pub(super) more: bool,
}

/// Finds the unknown members of all pages of a file.
pub(super) fn find<'a>(text: &'a str, file: usize, found: &mut Found<'a>) {
    let mut values = serde_json::Deserializer::from_str(text);
    while values.end().is_err() {
        let walk = Walk { shape: &PAGE, file, found: &mut *found };
        if walk.deserialize(&mut values).is_err() {
            return;
        }
    }
}

/// What a value may hold.
enum Shape {
    /// Whatever there is: it is read elsewhere, or says nothing.
    Any,
    List(&'static Shape),
    Object(&'static str, &'static [(&'static str, Shape)]),
}

use Shape::{Any, List, Object};

const PAGE: Shape = Object(
    "a page",
    &[
        ("UserDetailList", List(&USER)),
        ("GroupDetailList", List(&GROUP)),
        ("RoleDetailList", List(&ROLE)),
        ("Policies", List(&POLICY)),
        ("IsTruncated", Any),
        ("Marker", Any),
        ("NextToken", Any),
        // Added by clients that print whole answers.
        ("ResponseMetadata", Any),
        ("$metadata", Any),
    ],
);
const USER: Shape = Object(
    "a user",
    &[
        ("Path", Any),
        ("UserName", Any),
        ("UserId", Any),
        ("Arn", Any),
        ("CreateDate", Any),
        ("UserPolicyList", List(&INLINE)),
        ("GroupList", Any),
        ("AttachedManagedPolicies", List(&ATTACHED)),
        ("PermissionsBoundary", BOUNDARY),
        ("Tags", List(&TAG)),
    ],
);
const GROUP: Shape = Object(
    "a group",
    &[
        ("Path", Any),
        ("GroupName", Any),
        ("GroupId", Any),
        ("Arn", Any),
        ("CreateDate", Any),
        ("GroupPolicyList", List(&INLINE)),
        ("AttachedManagedPolicies", List(&ATTACHED)),
    ],
);
const ROLE: Shape = Object(
    "a role",
    &[
        ("Path", Any),
        ("RoleName", Any),
        ("RoleId", Any),
        ("Arn", Any),
        ("CreateDate", Any),
        ("AssumeRolePolicyDocument", Any),
        ("InstanceProfileList", List(&PROFILE)),
        ("RolePolicyList", List(&INLINE)),
        ("AttachedManagedPolicies", List(&ATTACHED)),
        ("PermissionsBoundary", BOUNDARY),
        ("Tags", List(&TAG)),
        ("RoleLastUsed", Object("a last use", &[("LastUsedDate", Any), ("Region", Any)])),
    ],
);
const POLICY: Shape = Object(
    "a managed policy",
    &[
        ("PolicyName", Any),
        ("PolicyId", Any),
        ("Arn", Any),
        ("Path", Any),
        ("DefaultVersionId", Any),
        ("AttachmentCount", Any),
        ("PermissionsBoundaryUsageCount", Any),
        ("IsAttachable", Any),
        ("Description", Any),
        ("CreateDate", Any),
        ("UpdateDate", Any),
        ("PolicyVersionList", List(&VERSION)),
    ],
);
const VERSION: Shape = Object(
    "a policy version",
    &[("Document", Any), ("VersionId", Any), ("IsDefaultVersion", Any), ("CreateDate", Any)],
);
const INLINE: Shape = Object("an inline policy", &[("PolicyName", Any), ("PolicyDocument", Any)]);
const ATTACHED: Shape = Object("an attached policy", &[("PolicyName", Any), ("PolicyArn", Any)]);
const BOUNDARY: Shape = Object(
    "a permissions boundary",
    &[("PermissionsBoundaryType", Any), ("PermissionsBoundaryArn", Any)],
);
const TAG: Shape = Object("a tag", &[("Key", Any), ("Value", Any)]);
const PROFILE: Shape = Object(
    "an instance profile",
    &[
        ("Path", Any),
        ("InstanceProfileName", Any),
        ("InstanceProfileId", Any),
        ("Arn", Any),
        ("CreateDate", Any),
        // The role in whose list it stands, once more.
        ("Roles", Any),
        ("Tags", List(&TAG)),
    ],
);

struct Walk<'f, 'a> {
    shape: &'static Shape,
    file: usize,
    found: &'f mut Found<'a>,
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> DeserializeSeed<'a> for Walk<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.shape {
            Any => IgnoredAny::deserialize(deserializer).map(drop),
            List(_) | Object(..) => deserializer.deserialize_any(self),
        }
    }
}

impl<'a> Visitor<'a> for Walk<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { shape, file, found } = self;
        let (of, members): (_, &[_]) = match shape {
            Object(of, members) => (*of, *members),
            Any | List(_) => ("", &[]),
        };
        let start = found.unknown.len();
        let mut arn = None;
        while let Some(Text(name)) = map.next_key()? {
            match members.iter().find(|(known, _)| *known == name) {
                Some(("Arn", _)) => arn = map.next_value::<Option<Text<'a>>>()?,
                Some((_, shape)) => {
                    map.next_value_seed(Walk { shape, file, found: &mut *found })?;
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                    found.add(file, of, name);
                }
            }
        }
        if let Some(Text(arn)) = arn {
            for (_, unknown) in found.unknown.iter_mut().skip(start) {
                unknown.arn.get_or_insert_with(|| arn.clone().into_owned());
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut list: A) -> Result<(), A::Error> {
        let Self { shape, file, found } = self;
        // A list of pages is as good as one.
        let shape = if let List(item) = shape { item } else { shape };
        while list.next_element_seed(Walk { shape, file, found: &mut *found })?.is_some() {}
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

impl<'a> Found<'a> {
    fn add(&mut self, file: usize, of: &'static str, name: Cow<'a, str>) {
        let held = self.unknown.iter_mut().find(|(_, held)| held.of == of && held.name == name);
        if let Some((_, held)) = held {
            held.times += 1;
        } else if self.unknown.len() < MAX_KINDS {
            self.unknown.push((file, Unknown { of, name, arn: None, times: 1 }));
        } else {
            self.more = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(&'static str, String, Option<String>, usize)> {
        let mut found = Found::default();
        find(text, 0, &mut found);
        assert!(!found.more);
        let unknown = found.unknown.into_iter().map(|(_, unknown)| unknown);
        unknown.map(|it| (it.of, it.name.into_owned(), it.arn, it.times)).collect()
    }

    #[test]
    fn unknown_members_are_found_at_each_depth() {
        let arn = || Some("a".to_owned());
        for (text, expected) in [
            (r#"{"UserDetailList": [], "Marker": {"x": 1}}"#, vec![]),
            (r#"{"RoleDetails": []}"#, vec![("a page", "RoleDetails", None, 1)]),
            (
                r#"[{"UserDetailList": [{"PermissionBoundary": {"Arn": "b"}, "Arn": "a"}]}]"#,
                vec![("a user", "PermissionBoundary", arn(), 1)],
            ),
            (
                r#"{"RoleDetailList": [{"Arn": "a", "Tags": [{"key": 1}], "\u0041rns": [1, null, true, 1.5, -1]}]}
                   {"RoleDetailList": [{"Arn": "b", "Tags": [{"key": 1}, {"key": 2}]}]}"#,
                vec![("a tag", "key", arn(), 3), ("a role", "Arns", arn(), 1)],
            ),
            (
                r#"{"Policies": [{"Arn": "a", "PolicyVersionList": [{"Document": {"Extra": 1}, "Extra": 1}]}]}"#,
                vec![("a policy version", "Extra", arn(), 1)],
            ),
            (
                r#"{"GroupDetailList": [{"GroupPolicyList": [{"PolicyDocumnt": {}}], "Tags": []}]}"#,
                vec![("an inline policy", "PolicyDocumnt", None, 1), ("a group", "Tags", None, 1)],
            ),
        ] {
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(of, name, arn, times)| (of, name.to_owned(), arn, times))
                .collect();
            assert_eq!(found(text), expected, "{text}");
        }
    }

    #[test]
    fn kinds_of_members_are_counted() {
        let members: Vec<_> = (0..=MAX_KINDS).map(|number| format!("\"m{number}\":1")).collect();
        let text = format!("{{{}}}", members.join(","));
        let mut all = Found::default();
        find(&text, 0, &mut all);
        assert_eq!((all.unknown.len(), all.more), (MAX_KINDS, true));
        // Whatever the text is, the walk ends.
        for end in 0..text.len() {
            find(&text[..end], 0, &mut Found::default());
        }
    }
}
