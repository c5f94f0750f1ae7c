//! What generated structs promise: [`Shape`] between struct and [`Value`], [`Api`] for an operation.
//!
//! The work is in [`Field`], once for each kind of value; the generated code only names its members.
//! That keeps the build fast: several hundred shapes and no serde derive.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::schema::{Operation, Structure};
use crate::secret::{Secret, SecretBytes};
use crate::value::Value;

/// A generated structure.
pub trait Shape: Sized {
    /// Its description.
    const SCHEMA: &'static Structure;

    /// Takes the members out of `value`. Fails when a required one is missing or a kind differs;
    /// after [`crate::validate::check`] found nothing it does not fail.
    fn from_value(value: Value) -> Result<Self, Unfit>;

    /// The value with one slot for each member, in the order of [`Shape::SCHEMA`].
    fn into_value(self) -> Value;
}

/// An operation as a type: `CreateUser` names its request, its response and its table.
pub trait Api {
    /// What a request holds.
    type Request: Shape;
    /// What a response holds.
    type Response: Shape;
    /// The operation's description.
    const OPERATION: &'static Operation;
}

/// A value does not fit the struct.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unfit {
    /// A required member is absent.
    #[error("`{structure}` lacks `{member}`")]
    Missing {
        /// Model name of the structure.
        structure: &'static str,
        /// Wire name of the member.
        member: &'static str,
    },
    /// The value is of another kind.
    #[error("expected {expected}")]
    Kind {
        /// The kind that was wanted.
        expected: &'static str,
    },
}

/// Stands for the request or response of an operation that has none.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Empty;

static EMPTY: Structure = Structure { name: "Empty", members: &[], union: false };

impl Shape for Empty {
    const SCHEMA: &'static Structure = &EMPTY;

    fn from_value(_: Value) -> Result<Self, Unfit> {
        Ok(Self)
    }

    fn into_value(self) -> Value {
        Value::Struct(Vec::new())
    }
}

/// A type that a member may have.
pub trait Field: Sized {
    /// Out of a value.
    fn from_value(value: Value) -> Result<Self, Unfit>;
    /// Into a value.
    fn into_value(self) -> Value;
}

impl<T: Shape> Field for T {
    fn from_value(value: Value) -> Result<Self, Unfit> {
        <T as Shape>::from_value(value)
    }

    fn into_value(self) -> Value {
        <T as Shape>::into_value(self)
    }
}

macro_rules! field {
    ($type:ty, $variant:ident, $expected:literal) => {
        impl Field for $type {
            fn from_value(value: Value) -> Result<Self, Unfit> {
                match value {
                    Value::$variant(inner) => Ok(inner),
                    _ => Err(Unfit::Kind { expected: $expected }),
                }
            }

            fn into_value(self) -> Value {
                Value::$variant(self)
            }
        }
    };
}

field!(bool, Bool, "a boolean");
field!(i64, Integer, "an integer");
field!(f64, Double, "a number");
field!(String, String, "a string");
field!(Secret, Secret, "a secret string");
field!(Vec<u8>, Blob, "a blob");
field!(SecretBytes, SecretBlob, "a secret blob");
field!(Timestamp, Timestamp, "a timestamp");

impl Field for i32 {
    fn from_value(value: Value) -> Result<Self, Unfit> {
        match value {
            Value::Integer(number) => Self::try_from(number).ok(),
            _ => None,
        }
        .ok_or(Unfit::Kind { expected: "a 32-bit integer" })
    }

    fn into_value(self) -> Value {
        Value::Integer(self.into())
    }
}

/// Marks item types, so that a list of them is not taken for a blob (`Vec<u8>`).
pub trait Item: Field {}
impl<T: Shape> Item for T {}
impl Item for bool {}
impl Item for i32 {}
impl Item for i64 {}
impl Item for f64 {}
impl Item for String {}
impl Item for Secret {}
impl Item for Timestamp {}
impl<T: Item> Item for Vec<T> {}
impl<T: Field> Item for BTreeMap<String, T> {}

impl<T: Item> Field for Vec<T> {
    fn from_value(value: Value) -> Result<Self, Unfit> {
        match value {
            Value::List(items) => items.into_iter().map(T::from_value).collect(),
            _ => Err(Unfit::Kind { expected: "a list" }),
        }
    }

    fn into_value(self) -> Value {
        Value::List(self.into_iter().map(T::into_value).collect())
    }
}

impl<T: Field> Field for BTreeMap<String, T> {
    fn from_value(value: Value) -> Result<Self, Unfit> {
        match value {
            Value::Map(entries) => {
                entries.into_iter().map(|(key, value)| Ok((key, T::from_value(value)?))).collect()
            }
            _ => Err(Unfit::Kind { expected: "a map" }),
        }
    }

    fn into_value(self) -> Value {
        Value::Map(self.into_iter().map(|(key, value)| (key, value.into_value())).collect())
    }
}

/// Reads the slots of a structure one after the other; used by generated code.
#[derive(Debug)]
pub struct Slots {
    structure: &'static Structure,
    rest: std::vec::IntoIter<Option<Value>>,
    at: usize,
}

impl Slots {
    /// Starts at the first member.
    pub fn of(value: Value, structure: &'static Structure) -> Result<Self, Unfit> {
        match value {
            Value::Struct(slots) => Ok(Self { structure, rest: slots.into_iter(), at: 0 }),
            _ => Err(Unfit::Kind { expected: "a structure" }),
        }
    }

    /// The next member, which must be there.
    pub fn required<T: Field>(&mut self) -> Result<T, Unfit> {
        let at = self.at;
        match self.optional()? {
            Some(value) => Ok(value),
            None => Err(Unfit::Missing {
                structure: self.structure.name,
                member: self.structure.members.get(at).map_or("", |member| member.wire),
            }),
        }
    }

    /// The next member, which may be absent.
    pub fn optional<T: Field>(&mut self) -> Result<Option<T>, Unfit> {
        self.at += 1;
        self.rest.next().flatten().map(T::from_value).transpose()
    }
}

/// The slot of a required member.
pub fn put<T: Field>(field: T) -> Option<Value> {
    Some(field.into_value())
}

/// The slot of an optional member.
pub fn put_optional<T: Field>(field: Option<T>) -> Option<Value> {
    field.map(T::into_value)
}
