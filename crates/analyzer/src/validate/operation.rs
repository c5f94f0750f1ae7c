//! Condition operators with their set qualifier and `IfExists`, also in combinations that the engine
//! refuses.

use bailiwick_policy::{Operator, SetPrefix};

/// The kind of values that an operator compares.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Family {
    String,
    Numeric,
    Date,
    Bool,
    Binary,
    Ip,
    Arn,
    Null,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Operation {
    pub(super) operator: Operator,
    pub(super) prefix: Option<SetPrefix>,
    pub(super) if_exists: bool,
}

impl Operation {
    /// Reads an operator without regard to case; nothing if it is unknown (OP-X1).
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (prefix, rest) = match text.split_once(':') {
            None => (None, text),
            Some((head, rest)) if head.eq_ignore_ascii_case("ForAllValues") => {
                (Some(SetPrefix::ForAllValues), rest)
            }
            Some((head, rest)) if head.eq_ignore_ascii_case("ForAnyValue") => {
                (Some(SetPrefix::ForAnyValue), rest)
            }
            Some(_) => return None,
        };
        if let Some(operator) = find(rest) {
            return Some(Self { operator, prefix, if_exists: false });
        }
        let (name, suffix) = rest.split_at_checked(rest.len().checked_sub("IfExists".len())?)?;
        let operator = suffix.eq_ignore_ascii_case("IfExists").then(|| find(name))??;
        Some(Self { operator, prefix, if_exists: true })
    }

    pub(super) fn family(self) -> Family {
        let name = self.operator.as_str();
        match name {
            "Null" => Family::Null,
            "Bool" => Family::Bool,
            "BinaryEquals" => Family::Binary,
            "IpAddress" | "NotIpAddress" => Family::Ip,
            _ if name.starts_with("String") => Family::String,
            _ if name.starts_with("Numeric") => Family::Numeric,
            _ if name.starts_with("Date") => Family::Date,
            _ => Family::Arn,
        }
    }

    /// Whether `*` and `?` in its values are wildcards.
    pub(super) fn is_pattern(self) -> bool {
        self.family() == Family::Arn
            || matches!(self.operator, Operator::StringLike | Operator::StringNotLike)
    }

    pub(super) fn is_negated(self) -> bool {
        self.operator.is_negated()
    }
}

fn find(name: &str) -> Option<Operator> {
    Operator::ALL.into_iter().find(|operator| operator.as_str().eq_ignore_ascii_case(name))
}
