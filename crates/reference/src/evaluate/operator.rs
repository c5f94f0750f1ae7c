//! What each operator compares (section 11, "Operators").

use std::cmp::Ordering;

use super::case::Context;
use super::glob::{Token, matches, pieces, resolve};
use super::scalar::{Decimal, address, base64, boolean, instant, network};

/// An operator without set prefix, suffix and negation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Operator {
    Text,
    Folded,
    Like,
    Numeric(Order),
    Date(Order),
    Bool,
    Binary,
    Address,
    Arn,
}

/// The orders that satisfy a comparison.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    fn named(name: &str) -> Option<(Self, bool)> {
        Some(match name {
            "equals" => (Self::Equal, false),
            "notequals" => (Self::Equal, true),
            "lessthan" => (Self::Less, false),
            "lessthanequals" => (Self::LessOrEqual, false),
            "greaterthan" => (Self::Greater, false),
            "greaterthanequals" => (Self::GreaterOrEqual, false),
            _ => return None,
        })
    }

    fn admits(self, found: Ordering) -> bool {
        match self {
            Self::Equal => found.is_eq(),
            Self::Less => found.is_lt(),
            Self::LessOrEqual => found.is_le(),
            Self::Greater => found.is_gt(),
            Self::GreaterOrEqual => found.is_ge(),
        }
    }
}

impl Operator {
    /// The operator of a lower-case name, and whether it is negated.
    pub(super) fn named(name: &str) -> Option<(Self, bool)> {
        if let Some(order) = name.strip_prefix("numeric") {
            return Order::named(order).map(|(order, negated)| (Self::Numeric(order), negated));
        }
        if let Some(order) = name.strip_prefix("date") {
            return Order::named(order).map(|(order, negated)| (Self::Date(order), negated));
        }
        Some(match name {
            "stringequals" => (Self::Text, false),
            "stringnotequals" => (Self::Text, true),
            "stringequalsignorecase" => (Self::Folded, false),
            "stringnotequalsignorecase" => (Self::Folded, true),
            "stringlike" => (Self::Like, false),
            "stringnotlike" => (Self::Like, true),
            "bool" => (Self::Bool, false),
            "binaryequals" => (Self::Binary, false),
            "ipaddress" => (Self::Address, false),
            "notipaddress" => (Self::Address, true),
            "arnequals" | "arnlike" => (Self::Arn, false), // OP-A3
            "arnnotequals" | "arnnotlike" => (Self::Arn, true),
            _ => return None,
        })
    }
}

/// Whether the value of the request equals (or is less than ...) the value in the policy.
pub(super) fn equals(
    operator: Operator,
    sent: &str,
    written: &str,
    variables: bool,
    context: &Context,
) -> bool {
    // VAR-5: variables in String, Arn and Bool values only; VAR-7: without value, no match.
    let pieces = pieces(written, variables);
    let text = || resolve(&pieces, context).map(|tokens| literal(&tokens));
    match operator {
        Operator::Text => text().is_some_and(|text| text == sent), // OP-S1
        // OP-S2
        Operator::Folded => text().is_some_and(|text| fold(&text) == fold(sent)),
        // OP-S3, OP-S4
        Operator::Like => resolve(&pieces, context).is_some_and(|tokens| matches(&tokens, sent)),
        // OP-B2
        Operator::Bool => {
            let wanted = text().and_then(|text| boolean(&text));
            wanted.is_some() && wanted == boolean(sent)
        }
        // OP-N2
        Operator::Numeric(order) => match (Decimal::parse(sent), Decimal::parse(written)) {
            (Some(sent), Some(written)) => order.admits(sent.compare(&written)),
            _ => false,
        },
        // OP-D3: both forms on one time line.
        Operator::Date(order) => match (instant(sent), instant(written)) {
            (Some(sent), Some(written)) => order.admits(sent.cmp(&written)),
            _ => false,
        },
        // OP-Y1
        Operator::Binary => {
            let wanted = base64(written);
            wanted.is_some() && wanted == base64(sent)
        }
        // OP-I2, OP-I3
        Operator::Address => match (address(sent), network(written)) {
            (Some(sent), Some(network)) => network.contains(sent),
            _ => false,
        },
        Operator::Arn => arn(sent, written, variables, context),
    }
}

/// The text of tokens where wildcards mean nothing.
fn literal(tokens: &[Token]) -> String {
    tokens
        .iter()
        .map(|token| match token {
            Token::Char(c) => *c,
            Token::Run | Token::RunInField => '*',
            Token::One | Token::OneInField => '?',
        })
        .collect()
}

/// OP-S2: simple case folding, one scalar to one scalar. The dotless i folds to itself.
fn fold(text: &str) -> String {
    fn only(mut chars: impl Iterator<Item = char>) -> Option<char> {
        chars.next().filter(|_| chars.next().is_none())
    }
    text.chars()
        .map(|c| {
            if c == 'ı' {
                return c;
            }
            let upper = only(c.to_uppercase()).unwrap_or(c);
            only(upper.to_lowercase()).unwrap_or(upper)
        })
        .collect()
}

/// OP-A2: field by field; the sixth holds everything left.
fn arn(sent: &str, written: &str, variables: bool, context: &Context) -> bool {
    let sent: Vec<&str> = sent.splitn(6, ':').collect();
    // OP-A4: both sides are ARNs; a bare star matches any.
    if sent.len() != 6 || sent.first() != Some(&"arn") {
        return false;
    }
    if written == "*" {
        return true;
    }
    // VAR-7: one variable without value, and the whole pattern is without.
    let Some(tokens) = resolve(&pieces(written, variables), context) else {
        return false;
    };
    let fields: Vec<&[Token]> = tokens.splitn(6, |t| *t == Token::Char(':')).collect();
    fields.len() == 6
        && fields.first() == Some(&['a', 'r', 'n'].map(Token::Char).as_slice())
        && fields.iter().zip(sent).all(|(field, sent)| matches(field, sent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn op_s2_folds_by_scalar() {
        for (left, right, same) in [
            ("Alice", "aLICE", true),
            ("\u{3a3}", "\u{3c2}", true),
            ("\u{212a}", "k", true),
            ("stra\u{df}e", "STRASSE", false),
            ("\u{1e9e}", "\u{df}", true),
            ("\u{131}", "i", false),
            ("\u{130}", "i", false),
        ] {
            assert_eq!(fold(left) == fold(right), same, "{left} {right}");
        }
    }
}
