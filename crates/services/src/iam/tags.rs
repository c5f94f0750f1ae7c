//! Tags of every kind of entity: between the wire's form and the model's, with AWS's refusals.
//!
//! Keys of users and roles that differ only in case are one key, those of all other resources are
//! two: the functions `exact`. Source: IAM user guide, `id_tags`, case sensitivity.

use bailiwick_identifiers::{Tag, TagError, TagSet};
use bailiwick_wire::generated::iam as api;

use crate::call::Call;
use crate::fault::Fault;
use crate::page::{self, Page, Paging};

/// The tags of a request about a user or role; none when the request names none.
///
/// Two keys that differ at most in case are `InvalidInput` in AWS's words (*observed*); so is a key
/// that only AWS may set, in our words.
pub(super) fn parse(tags: impl Into<Option<Vec<api::Tag>>>) -> Result<TagSet, Fault> {
    TagSet::new(texts(tags.into())?).map_err(|error| refusal(&error))
}

/// The tags of a request about another resource: keys may differ in case alone.
pub(super) fn parse_exact(tags: impl Into<Option<Vec<api::Tag>>>) -> Result<TagSet, Fault> {
    TagSet::exact(texts(tags.into())?).map_err(|error| refusal(&error))
}

fn texts(tags: Option<Vec<api::Tag>>) -> Result<Vec<Tag>, Fault> {
    tags.unwrap_or_default().iter().map(tag).collect()
}

fn tag(tag: &api::Tag) -> Result<Tag, Fault> {
    let key = tag.key.parse().map_err(|error| refusal(&error))?;
    let value = tag.value.parse().map_err(|error| refusal(&error))?;
    Ok(Tag { key, value })
}

fn refusal(error: &TagError) -> Fault {
    match error {
        TagError::Duplicate(_) => Fault::invalid_input(
            "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
        ),
        TagError::Reserved => Fault::invalid_input(
            "The specified tag keys are invalid. Tag keys that begin with aws: are reserved.",
        ),
        TagError::KeyLength | TagError::ValueLength | TagError::Forbidden(_) => {
            Fault::validation(format!("The specified value for tags is invalid: {error}"))
        }
    }
}

/// Tags as the API shows them, in order of their keys.
pub(super) fn describe(tags: &TagSet) -> Vec<api::Tag> {
    tags.iter().map(describe_one).collect()
}

/// Tags of an entity as its description shows them: absent when there are none.
pub(super) fn describe_any(tags: &TagSet) -> Option<Vec<api::Tag>> {
    (!tags.is_empty()).then(|| describe(tags))
}

fn describe_one(tag: &Tag) -> api::Tag {
    api::Tag { key: tag.key.to_string(), value: tag.value.to_string() }
}

/// Checks the number of tags against the quota, whether they are new on an entity or the whole set
/// after a change. `kind` is the entity's in the quota's name, such as `User`.
pub(super) fn require_room(tags: &TagSet, call: &Call<'_>, kind: &str) -> Result<(), Fault> {
    let limit = call.quotas().tags;
    if u64::try_from(tags.len()).is_ok_and(|held| held <= limit) {
        Ok(())
    } else {
        Err(Fault::limit(&format!("TagsPer{kind}"), limit))
    }
}

/// The tags held with the new ones added or put in their place; a key is the same whatever its
/// case (KEY-10).
pub(super) fn merged(
    held: &TagSet,
    new: &TagSet,
    call: &Call<'_>,
    kind: &str,
) -> Result<TagSet, Fault> {
    let mut tags = held.clone();
    for tag in new {
        tags.put(tag.clone());
    }
    require_room(&tags, call, kind)?;
    Ok(tags)
}

/// The tags held by a resource that is no user and no role, with the new ones added or put in
/// their place.
pub(super) fn merged_exact(
    held: &TagSet,
    new: &TagSet,
    call: &Call<'_>,
    kind: &str,
) -> Result<TagSet, Fault> {
    let mut tags = held.clone();
    for tag in new {
        tags.put_exact(tag.clone());
    }
    require_room(&tags, call, kind)?;
    Ok(tags)
}

/// The tags held without those of the keys, which must have their case.
pub(super) fn without_exact(held: &TagSet, keys: &[String]) -> TagSet {
    let mut tags = held.clone();
    for key in keys {
        tags.remove_exact(key);
    }
    tags
}

/// The tags held without those of the keys; keys that are not there do not matter, as in AWS.
pub(super) fn without(held: &TagSet, keys: &[String]) -> TagSet {
    let mut tags = held.clone();
    for key in keys {
        tags.remove(key);
    }
    tags
}

/// One page of an entity's tags. `entity` binds the marker to it.
pub(super) fn page(
    call: &Call<'_>,
    paging: Paging<'_>,
    entity: &str,
    tags: &TagSet,
) -> Result<Page<api::Tag>, Fault> {
    let page = page::cut(call, paging, &[entity], tags.iter(), |tag| {
        let (folded, key) = tag.key.place();
        // No tag has a NUL, so pages go in the order of the set.
        format!("{folded}\0{key}")
    })?;
    Ok(Page { items: page.items.into_iter().map(describe_one).collect(), marker: page.marker })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(key: &str, value: &str) -> api::Tag {
        api::Tag { key: key.into(), value: value.into() }
    }

    #[test]
    fn tags_parse_and_print_alike() {
        let tags = vec![tag("a", ""), tag("Team", "red")];
        let parsed = parse(tags.clone()).unwrap();
        assert_eq!(describe(&parsed), tags);
        assert_eq!(parse(None).unwrap(), TagSet::default());
        assert_eq!(describe_any(&TagSet::default()), None);
    }

    #[test]
    fn refusals_as_aws_words_them() {
        for (tags, code, text) in [
            (
                vec![tag("Team", "a"), tag("team", "b")],
                "InvalidInput",
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
            ),
            (
                vec![tag("AWS:x", "a")],
                "InvalidInput",
                "The specified tag keys are invalid. Tag keys that begin with aws: are reserved.",
            ),
            (
                vec![tag("a", "*")],
                "ValidationError",
                "The specified value for tags is invalid: `*` is not allowed in a tag",
            ),
        ] {
            let fault = parse(tags).unwrap_err();
            assert_eq!((fault.code(), fault.message()), (code, text));
        }
    }

    /// Of all but users and roles, keys that differ in case are two.
    #[test]
    fn exact_keys() {
        let held = parse_exact(vec![tag("Team", "a"), tag("team", "b")]).unwrap();
        let left = without_exact(&held, &["TEAM".into(), "Team".into()]);
        assert_eq!(describe(&left), [tag("team", "b")]);
        let fault = parse_exact(vec![tag("a", ""), tag("a", "b")]).unwrap_err();
        assert_eq!(fault.code(), "InvalidInput");
    }

    /// KEY-10: untagging finds a key whatever its case.
    #[test]
    fn untagging_ignores_case() {
        let held = parse(vec![tag("Team", "a"), tag("b", "c")]).unwrap();
        let left = without(&held, &["TEAM".into(), "none".into()]);
        assert_eq!(describe(&left), [tag("b", "c")]);
    }
}
