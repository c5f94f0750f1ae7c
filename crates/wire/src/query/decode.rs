//! From a form to a value, along the schema.
//!
//! Unknown parameters are ignored, as AWS does; a known one in the wrong form is refused: a scalar
//! with parts below it, a list that is addressed by another word than `member`, an index that is not
//! 1 to [`MAX_INDEX`] in plain digits, a map entry without a key or with a key that stands twice.
//! Indexes need not be contiguous; they order the items.

use std::collections::BTreeMap;

use super::form::{Field, Form};
use super::scalar;
use crate::schema::{Kind, List, Map, Structure, Type};
use crate::value::Value;

/// Greatest index of a list item or map entry.
pub const MAX_INDEX: usize = 10_000;

/// A parameter in the wrong form. The text names the parameter, never its value.
///
/// The code is AWS's; its wording for these cases is not documented and differs by service
/// (unverified).
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct DecodeError {
    /// The code for the client.
    pub code: &'static str,
    /// The text for the client.
    pub message: String,
}

impl DecodeError {
    fn expected(what: &str, at: &str) -> Self {
        let at = at.trim_end_matches('.');
        Self { code: "MalformedInput", message: format!("expected {what} at `{at}`") }
    }
}

/// Takes the members of `structure` out of a form. The result is always a [`Value::Struct`] with one
/// slot for each member; nothing but form is checked (see [`crate::validate`]).
pub fn decode(form: &Form, structure: &Structure) -> Result<Value, DecodeError> {
    let node = Node { form, exact: None, below: form.fields(), at: 0 };
    node.structure(structure)
}

/// A place in the tree that the dots of the keys make: the field that ends here, if any, and the
/// fields that go on. All keys in `below` agree in their first `at` bytes.
#[derive(Clone, Copy)]
struct Node<'a> {
    form: &'a Form,
    exact: Option<Field>,
    below: &'a [Field],
    at: usize,
}

impl<'a> Node<'a> {
    fn tail(&self, field: Field) -> &'a str {
        self.form.key(field).get(self.at..).unwrap_or_default()
    }

    /// The part of the tree under `name`; `None` when no field is there.
    fn step(&self, name: &str) -> Option<Self> {
        let first = self.below.partition_point(|field| self.tail(*field) < name);
        let exact = self.below.get(first).copied().filter(|field| self.tail(*field) == name);
        let with_dot = || name.bytes().chain([b'.']);
        let start = self.below.partition_point(|field| self.tail(*field).bytes().lt(with_dot()));
        let rest = self.below.get(start..).unwrap_or_default();
        let under = |field: &Field| {
            self.tail(*field).strip_prefix(name).is_some_and(|tail| tail.starts_with('.'))
        };
        let below = rest.get(..rest.partition_point(under)).unwrap_or_default();
        (exact.is_some() || !below.is_empty()).then_some(Self {
            form: self.form,
            exact,
            below,
            at: self.at + name.len() + 1,
        })
    }

    /// How the place is spelt, for messages.
    fn path(&self) -> &'a str {
        let field = self.exact.or_else(|| self.below.first().copied());
        let key = field.map_or("", |field| self.form.key(field));
        key.get(..self.at).unwrap_or(key)
    }

    fn value(&self, shape: &Type) -> Result<Value, DecodeError> {
        match shape.kind {
            Kind::List(list) => self.list(list),
            Kind::Map(map) => self.map(map),
            Kind::Structure(structure) => {
                self.no_text("a structure")?;
                self.structure(structure)
            }
            _ => match (self.exact, self.below) {
                (Some(field), []) => scalar::read(self.form.value(field), shape)
                    .map_err(|expected| DecodeError::expected(expected, self.path())),
                _ => Err(DecodeError::expected("a single value", self.path())),
            },
        }
    }

    /// A bare `Tags=` stands for an empty list, map or structure; a text does not.
    fn no_text(&self, what: &str) -> Result<(), DecodeError> {
        match self.exact {
            Some(field) if !self.form.value(field).is_empty() => {
                Err(DecodeError::expected(what, self.path()))
            }
            _ => Ok(()),
        }
    }

    fn structure(&self, structure: &Structure) -> Result<Value, DecodeError> {
        let slot = |member: &crate::schema::Member| {
            let flattened = match member.shape.kind {
                Kind::List(list) => list.flattened && list.item != "member",
                _ => false,
            };
            let name = match member.shape.kind {
                Kind::List(list) if flattened => list.item,
                _ => member.wire,
            };
            self.step(name).map(|node| node.value(member.shape)).transpose()
        };
        let slots: Result<Vec<_>, _> = structure.members.iter().map(slot).collect();
        slots.map(Value::Struct)
    }

    fn list(&self, list: &List) -> Result<Value, DecodeError> {
        self.no_text("a list")?;
        let items =
            if list.flattened { self.indexed(None)? } else { self.indexed(Some(list.item))? };
        let items: Result<Vec<_>, _> = items.iter().map(|item| item.value(list.shape)).collect();
        items.map(Value::List)
    }

    fn map(&self, map: &Map) -> Result<Value, DecodeError> {
        self.no_text("a map")?;
        let entries = self.indexed(if map.flattened { None } else { Some("entry") })?;
        let mut out = BTreeMap::new();
        for entry in entries {
            let key = entry.step(map.key_name).map(|node| node.value(map.key)).transpose()?;
            let value = entry.step(map.value_name).map(|node| node.value(map.value)).transpose()?;
            let (Some(Value::String(key)), Some(value)) = (key, value) else {
                return Err(DecodeError::expected("a key and a value", entry.path()));
            };
            if out.insert(key, value).is_some() {
                return Err(DecodeError::expected("distinct keys", self.path()));
            }
        }
        Ok(Value::Map(out))
    }

    /// The items below, in the order of their indexes.
    fn indexed(&self, word: Option<&str>) -> Result<Vec<Self>, DecodeError> {
        if self.below.is_empty() {
            return Ok(Vec::new());
        }
        let place = match word {
            None => *self,
            Some(word) => match self.step(word) {
                Some(place) if place.exact.is_none() && place.below.len() == self.below.len() => {
                    place
                }
                _ => return Err(DecodeError::expected("list items", self.path())),
            },
        };
        let mut items: Vec<(usize, Self)> = Vec::new();
        let mut rest = place.below;
        while let Some(field) = rest.first() {
            let tail = place.tail(*field);
            let digits = tail.split('.').next().unwrap_or_default();
            let index =
                index(digits).ok_or_else(|| DecodeError::expected("a list index", place.path()))?;
            let same = |field: &Field| place.tail(*field).split('.').next() == Some(digits);
            let (mine, others) = rest.split_at(rest.partition_point(same));
            rest = others;
            let group = Self { below: mine, ..place };
            items.extend(group.step(digits).map(|item| (index, item)));
        }
        items.sort_unstable_by_key(|(index, _)| *index);
        Ok(items.into_iter().map(|(_, item)| item).collect())
    }
}

/// 1 to [`MAX_INDEX`], without leading zeros.
fn index(digits: &str) -> Option<usize> {
    let plain = digits.len() <= 5
        && !digits.starts_with('0')
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    let index = if plain { digits.parse().ok()? } else { return None };
    (1..=MAX_INDEX).contains(&index).then_some(index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generated::iam::{
        CreateUserRequest, PutAccountPropertiesRequest, SimulateCustomPolicyRequest,
    };
    use crate::generated::sts::AssumeRoleRequest;
    use crate::shape::{Shape, Unfit};

    fn read<T: Shape>(body: &str) -> Result<T, String> {
        let form = Form::parse(body.as_bytes()).map_err(|error| error.to_string())?;
        let value = decode(&form, T::SCHEMA).map_err(|error| error.message)?;
        T::from_value(value).map_err(|error| error.to_string())
    }

    #[test]
    fn members_lists_and_nesting() {
        let request: CreateUserRequest = read(
            "Action=CreateUser&Version=2010-05-08&UserName=svc%2Bci&Tags.member.2.Key=b&Tags.member.2.Value=\
             &Tags.member.10.Value=z&Tags.member.10.Key=c&Tags.member.1.Key=a&Tags.member.1.Value=x+y",
        )
        .unwrap();
        assert_eq!(request.user_name, "svc+ci");
        assert_eq!(request.path, None);
        let tags: Vec<_> =
            request.tags.unwrap().into_iter().map(|tag| (tag.key, tag.value)).collect();
        let expected = [("a", "x y"), ("b", ""), ("c", "z")];
        assert_eq!(tags, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
        let request: AssumeRoleRequest =
            read("RoleArn=a&RoleSessionName=b&PolicyArns.member.1.arn=x&DurationSeconds=900")
                .unwrap();
        assert_eq!(request.policy_arns.unwrap()[0].arn.as_deref(), Some("x"));
        assert_eq!(request.duration_seconds, Some(900));
        let request: SimulateCustomPolicyRequest = read(
            "PolicyInputList.member.1=p&ActionNames.member.1=a&ContextEntries.member.1.ContextKeyValues.member.1=v",
        )
        .unwrap();
        assert_eq!(
            request.context_entries.unwrap()[0].context_key_values.as_deref(),
            Some(&["v".to_owned()][..])
        );
    }

    #[test]
    fn empty_lists_and_maps() {
        assert_eq!(read::<CreateUserRequest>("UserName=a&Tags=").unwrap().tags, Some(vec![]));
        assert_eq!(read::<CreateUserRequest>("UserName=a").unwrap().tags, None);
        let request: PutAccountPropertiesRequest =
            read("Properties.entry.1.key=A&Properties.entry.1.value=1&Properties.entry.2.value=2&Properties.entry.2.key=B")
                .unwrap();
        assert_eq!(request.properties.len(), 2);
    }

    #[test]
    fn tm_g02_wrong_forms_are_refused() {
        for (body, expected) in [
            ("UserName.x=a", "expected a single value at `UserName`"),
            ("UserName=a&UserName.member.1=b", "expected a single value at `UserName`"),
            ("UserName=a&Tags=x", "expected a list at `Tags`"),
            ("UserName=a&Tags.1.Key=x", "expected list items at `Tags`"),
            ("UserName=a&Tags.member=x", "expected list items at `Tags`"),
            ("UserName=a&Tags.member.1.Key=x&Tags.entry.1.Key=x", "expected list items at `Tags`"),
            ("UserName=a&Tags.member.0.Key=x", "expected a list index at `Tags.member`"),
            ("UserName=a&Tags.member.01.Key=x", "expected a list index at `Tags.member`"),
            ("UserName=a&Tags.member.-1.Key=x", "expected a list index at `Tags.member`"),
            ("UserName=a&Tags.member.10001.Key=x", "expected a list index at `Tags.member`"),
            (
                "UserName=a&Tags.member.99999999999999999999.Key=x",
                "expected a list index at `Tags.member`",
            ),
            ("UserName=a&Tags.member.x.Key=x", "expected a list index at `Tags.member`"),
            ("UserName=a&Tags.member.1=x", "expected a structure at `Tags.member.1`"),
            (
                "UserName=a&Tags.member.1.Key.member.1=x",
                "expected a single value at `Tags.member.1.Key`",
            ),
            ("UserName=a&UserName=b", "the parameter `UserName` is given more than once"),
        ] {
            assert_eq!(read::<CreateUserRequest>(body).unwrap_err(), expected, "{body}");
        }
        for (body, expected) in [
            ("Properties.entry.1.key=A", "expected a key and a value at `Properties.entry.1`"),
            ("Properties.entry.1.value=A", "expected a key and a value at `Properties.entry.1`"),
            (
                "Properties.entry.1.key=A&Properties.entry.1.value=1&Properties.entry.2.key=A&Properties.entry.2.value=2",
                "expected distinct keys at `Properties`",
            ),
        ] {
            assert_eq!(read::<PutAccountPropertiesRequest>(body).unwrap_err(), expected, "{body}");
        }
    }

    #[test]
    fn tm_g02_the_largest_list_is_read_in_order() {
        let fields: Vec<String> = (1..=MAX_INDEX)
            .rev()
            .flat_map(|at| ["Key", "Value"].map(|part| format!("Tags.member.{at}.{part}={at}")))
            .collect();
        let form = Form::parse(fields.join("&").as_bytes()).unwrap();
        let value = decode(&form, CreateUserRequest::SCHEMA).unwrap();
        let tags = CreateUserRequest::SCHEMA.member("Tags").unwrap().0;
        let Some(Value::List(items)) = &value.slots()[tags] else { panic!("no list") };
        assert_eq!(items.len(), MAX_INDEX);
        for (at, item) in items.iter().enumerate() {
            assert_eq!(
                item.slots()[0].as_ref().and_then(Value::text),
                Some((at + 1).to_string().as_str())
            );
        }
    }

    #[test]
    fn unknown_parameters_are_ignored_and_absence_is_seen() {
        assert!(
            read::<CreateUserRequest>("UserName=a&Colour=red&Colour.member.1=x&username=b").is_ok()
        );
        let missing = Unfit::Missing { structure: "CreateUserRequest", member: "UserName" };
        assert_eq!(read::<CreateUserRequest>("").unwrap_err(), missing.to_string());
    }
}
