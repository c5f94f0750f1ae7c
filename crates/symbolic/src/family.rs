//! Which operators compare in one way, and so which shape the values of a key have.

use bailiwick_catalog::KeyType;
use bailiwick_policy::Operator;

/// Operators that compare in one way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Family {
    Text,
    Numeric,
    Date,
    Ip,
}

impl Family {
    /// Nothing for Null, which compares nothing.
    pub(crate) fn of(operator: Operator) -> Option<Self> {
        use Operator as O;
        Some(match operator {
            O::Null => return None,
            O::NumericEquals
            | O::NumericNotEquals
            | O::NumericLessThan
            | O::NumericLessThanEquals
            | O::NumericGreaterThan
            | O::NumericGreaterThanEquals => Self::Numeric,
            O::DateEquals
            | O::DateNotEquals
            | O::DateLessThan
            | O::DateLessThanEquals
            | O::DateGreaterThan
            | O::DateGreaterThanEquals => Self::Date,
            O::IpAddress | O::NotIpAddress => Self::Ip,
            _ => Self::Text,
        })
    }

    pub(crate) fn is_text(self) -> bool {
        self == Self::Text
    }

    /// Whether every value of a key of this type can be compared so.
    pub(crate) fn suits(self, kind: KeyType) -> bool {
        matches!(
            (self, kind),
            (Self::Numeric, KeyType::Numeric)
                | (Self::Date, KeyType::Date)
                | (Self::Ip, KeyType::IpAddress)
        )
    }
}

pub(crate) fn is_arn(operator: Operator) -> bool {
    matches!(
        operator,
        Operator::ArnEquals | Operator::ArnLike | Operator::ArnNotEquals | Operator::ArnNotLike
    )
}
