//! Context keys as callers of the simulator give them: a name, a type and values (SIM-10).

use std::str::FromStr;

use crate::condition::{Condition, Holds};
use crate::document::Effect;
use crate::{Context, fold};

/// The type of the values of a context key, as the simulator names it. Each has a list form too.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ContextType {
    /// Any text.
    String,
    /// An integer or decimal number (OP-N2).
    Numeric,
    /// `true` or `false` (OP-B2).
    Boolean,
    /// An IPv4 or IPv6 address (OP-I3).
    Ip,
    /// Bytes in base64 (OP-Y1).
    Binary,
    /// A date, or seconds since 1970 (OP-D2).
    Date,
}

/// A context key with its values.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ContextEntry {
    name: String,
    multivalued: bool,
    values: Vec<String>,
}

/// Why a context key cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ContextEntryError {
    /// The type is none that the simulator has.
    #[error("Invalid context key type: {0}")]
    Type(String),
    /// A type of one value, and another number of values.
    #[error("Invalid context key: {name} of type {kind} must have exactly one value")]
    Count {
        /// The key.
        name: String,
        /// The type.
        kind: String,
    },
    /// A value that is not of the type.
    #[error("Invalid context key value: {value} is not a valid {kind} for {name}")]
    Value {
        /// The key.
        name: String,
        /// The type.
        kind: String,
        /// The value.
        value: String,
    },
}

impl ContextEntry {
    /// A context key. `kind` is a type such as `numeric`, or its list form, `numericList`: then the
    /// key is multivalued, however many values it has (KEY-8). A list without values is an absent
    /// key (CO-3).
    ///
    /// # Errors
    /// The type is unknown, has not one value, or has a value that is not of the type.
    pub fn new(name: &str, kind: &str, values: Vec<String>) -> Result<Self, ContextEntryError> {
        let (single, multivalued) = match kind.strip_suffix("List") {
            Some(single) => (single, true),
            None => (kind, false),
        };
        let parsed: ContextType =
            single.parse().map_err(|()| ContextEntryError::Type(kind.to_owned()))?;
        let (name, kind) = (name.to_owned(), kind.to_owned());
        if !multivalued && values.len() != 1 {
            return Err(ContextEntryError::Count { name, kind });
        }
        if let Some(value) = values.iter().find(|value| !parsed.takes(value)) {
            return Err(ContextEntryError::Value { name, kind, value: value.clone() });
        }
        Ok(Self { name, multivalued, values })
    }

    /// The name of the key, as given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key without regard to case: two entries of one key are a mistake.
    pub fn folded(&self) -> String {
        fold::folded(&self.name)
    }

    /// Sets the key, in place of what was there.
    pub fn put(&self, context: &mut Context) {
        let values = self.values.iter().map(String::as_str);
        if self.multivalued {
            context.put_multivalued(&self.name, values);
        } else {
            context.put_list(&self.name, values);
        }
    }
}

impl ContextType {
    /// Whether a text is a value of this type: what an operator of the type can compare.
    pub fn takes(self, value: &str) -> bool {
        let operator = match self {
            Self::String => return true,
            Self::Numeric => "NumericEquals",
            Self::Boolean => "Bool",
            Self::Ip => "IpAddress",
            Self::Binary => "BinaryEquals",
            Self::Date => "DateEquals",
        };
        // What parses equals itself, and only that does (CO-12).
        let context = Context::new().set("value", value);
        let words = [value, "true", "false"];
        let policy = if self == Self::Boolean { &words[1..] } else { &words[..1] };
        Condition::new(operator, "value", policy, false).holds(&context, Effect::Allow)
            == Holds::Yes
    }
}

impl FromStr for ContextType {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(match text {
            "string" => Self::String,
            "numeric" => Self::Numeric,
            "boolean" => Self::Boolean,
            "ip" => Self::Ip,
            "binary" => Self::Binary,
            "date" => Self::Date,
            _ => return Err(()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // SIM-10
    #[test]
    fn sim_10_values_fit_their_types() {
        for (kind, value, fits) in [
            ("string", "", true),
            ("string", "anything *", true),
            ("numeric", "1", true),
            ("numeric", "-0.10", true),
            ("numeric", "1e3", false),
            ("numeric", "one", false),
            ("numeric", "", false),
            ("boolean", "true", true),
            ("boolean", "FALSE", true),
            ("boolean", "yes", false),
            ("boolean", "", false),
            ("ip", "192.0.2.1", true),
            ("ip", "2001:db8::1", true),
            ("ip", "192.0.2", false),
            ("binary", "QmluYXJ5", true),
            ("binary", "!", false),
            ("date", "2026-11-22T10:00:00Z", true),
            ("date", "1795298400", true),
            ("date", "yesterday", false),
        ] {
            let one = ContextEntry::new("a:key", kind, vec![value.into()]);
            assert_eq!(one.is_ok(), fits, "{kind} {value:?}");
            let list = ContextEntry::new("a:key", &format!("{kind}List"), vec![value.into()]);
            assert_eq!(list.is_ok(), fits, "{kind}List {value:?}");
        }
    }

    #[test]
    fn sim_10_single_types_have_one_value_and_lists_are_declared() {
        let two = vec!["a".to_owned(), "b".to_owned()];
        assert!(ContextEntry::new("a:key", "string", two.clone()).is_err());
        assert!(ContextEntry::new("a:key", "string", Vec::new()).is_err());
        assert!(ContextEntry::new("a:key", "strings", vec!["a".into()]).is_err());
        let mut context = Context::new();
        ContextEntry::new("a:key", "stringList", two).unwrap().put(&mut context);
        assert_eq!(context.values("A:Key").collect::<Vec<_>>(), ["a", "b"]);
        ContextEntry::new("a:none", "stringList", Vec::new()).unwrap().put(&mut context);
        assert!(!context.contains("a:none"));
    }
}
