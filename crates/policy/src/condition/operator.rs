//! Names of condition operators (section 11 of the rules).

use std::fmt;

/// A condition operator without its set prefix and `IfExists`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[allow(missing_docs, reason = "the names are those of the policy language")]
pub enum Operator {
    StringEquals,
    StringNotEquals,
    StringEqualsIgnoreCase,
    StringNotEqualsIgnoreCase,
    StringLike,
    StringNotLike,
    NumericEquals,
    NumericNotEquals,
    NumericLessThan,
    NumericLessThanEquals,
    NumericGreaterThan,
    NumericGreaterThanEquals,
    DateEquals,
    DateNotEquals,
    DateLessThan,
    DateLessThanEquals,
    DateGreaterThan,
    DateGreaterThanEquals,
    Bool,
    BinaryEquals,
    IpAddress,
    NotIpAddress,
    ArnEquals,
    ArnLike,
    ArnNotEquals,
    ArnNotLike,
    Null,
}

/// The quantifier before an operator (CO-5, CO-6).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SetPrefix {
    /// `ForAllValues:`
    ForAllValues,
    /// `ForAnyValue:`
    ForAnyValue,
}

/// A whole operator as it stands in a policy.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Spelled {
    pub(crate) operator: Operator,
    pub(crate) prefix: Option<SetPrefix>,
    pub(crate) if_exists: bool,
}

impl Operator {
    /// Every operator.
    pub const ALL: [Self; 27] = [
        Self::StringEquals,
        Self::StringNotEquals,
        Self::StringEqualsIgnoreCase,
        Self::StringNotEqualsIgnoreCase,
        Self::StringLike,
        Self::StringNotLike,
        Self::NumericEquals,
        Self::NumericNotEquals,
        Self::NumericLessThan,
        Self::NumericLessThanEquals,
        Self::NumericGreaterThan,
        Self::NumericGreaterThanEquals,
        Self::DateEquals,
        Self::DateNotEquals,
        Self::DateLessThan,
        Self::DateLessThanEquals,
        Self::DateGreaterThan,
        Self::DateGreaterThanEquals,
        Self::Bool,
        Self::BinaryEquals,
        Self::IpAddress,
        Self::NotIpAddress,
        Self::ArnEquals,
        Self::ArnLike,
        Self::ArnNotEquals,
        Self::ArnNotLike,
        Self::Null,
    ];

    /// The name in the policy language.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StringEquals => "StringEquals",
            Self::StringNotEquals => "StringNotEquals",
            Self::StringEqualsIgnoreCase => "StringEqualsIgnoreCase",
            Self::StringNotEqualsIgnoreCase => "StringNotEqualsIgnoreCase",
            Self::StringLike => "StringLike",
            Self::StringNotLike => "StringNotLike",
            Self::NumericEquals => "NumericEquals",
            Self::NumericNotEquals => "NumericNotEquals",
            Self::NumericLessThan => "NumericLessThan",
            Self::NumericLessThanEquals => "NumericLessThanEquals",
            Self::NumericGreaterThan => "NumericGreaterThan",
            Self::NumericGreaterThanEquals => "NumericGreaterThanEquals",
            Self::DateEquals => "DateEquals",
            Self::DateNotEquals => "DateNotEquals",
            Self::DateLessThan => "DateLessThan",
            Self::DateLessThanEquals => "DateLessThanEquals",
            Self::DateGreaterThan => "DateGreaterThan",
            Self::DateGreaterThanEquals => "DateGreaterThanEquals",
            Self::Bool => "Bool",
            Self::BinaryEquals => "BinaryEquals",
            Self::IpAddress => "IpAddress",
            Self::NotIpAddress => "NotIpAddress",
            Self::ArnEquals => "ArnEquals",
            Self::ArnLike => "ArnLike",
            Self::ArnNotEquals => "ArnNotEquals",
            Self::ArnNotLike => "ArnNotLike",
            Self::Null => "Null",
        }
    }

    /// Whether it holds when no listed value matches. There is no negated Bool or Binary.
    pub const fn is_negated(self) -> bool {
        matches!(
            self,
            Self::StringNotEquals
                | Self::StringNotEqualsIgnoreCase
                | Self::StringNotLike
                | Self::NumericNotEquals
                | Self::DateNotEquals
                | Self::NotIpAddress
                | Self::ArnNotEquals
                | Self::ArnNotLike
        )
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Spelled {
    /// Reads an operator without regard to case (ST-6); nothing if it is unknown (OP-X1).
    pub(crate) fn parse(text: &str) -> Option<Self> {
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
        let find = |name: &str| {
            Operator::ALL.into_iter().find(|operator| operator.as_str().eq_ignore_ascii_case(name))
        };
        let (operator, if_exists) = if let Some(operator) = find(rest) {
            (operator, false)
        } else {
            let at = rest.len().checked_sub("IfExists".len())?;
            let (name, suffix) = rest.split_at_checked(at)?;
            (suffix.eq_ignore_ascii_case("IfExists").then(|| find(name))??, true)
        };
        // OP-Z2: Null takes neither.
        if operator == Operator::Null && (if_exists || prefix.is_some()) {
            return None;
        }
        Some(Self { operator, prefix, if_exists })
    }
}

impl fmt::Display for Spelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.prefix {
            Some(SetPrefix::ForAllValues) => f.write_str("ForAllValues:")?,
            Some(SetPrefix::ForAnyValue) => f.write_str("ForAnyValue:")?,
            None => {}
        }
        write!(f, "{}{}", self.operator, if self.if_exists { "IfExists" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_and_print_agree() {
        for operator in Operator::ALL {
            for prefix in [None, Some(SetPrefix::ForAllValues), Some(SetPrefix::ForAnyValue)] {
                for if_exists in [false, true] {
                    let spelled = Spelled { operator, prefix, if_exists };
                    let text = spelled.to_string();
                    let valid = operator != Operator::Null || (prefix.is_none() && !if_exists);
                    assert_eq!(Spelled::parse(&text), valid.then_some(spelled), "{text}");
                    assert_eq!(Spelled::parse(&text.to_lowercase()), valid.then_some(spelled));
                }
            }
        }
        for text in
            ["", "IfExists", "StringMatches", "NotBool", "ForAll:StringLike", "ifexistsBool"]
        {
            assert_eq!(Spelled::parse(text), None, "{text}");
        }
    }
}
