//! Conditions: one operator, one key, a list of values (CO-1 to CO-13).
//!
//! Values are parsed when the policy is: ranges, instants and decoded bytes are compared, not
//! texts. What does not parse never equals anything (CO-12).

mod base64;
mod cidr;
mod date;
mod decimal;
mod operator;

use std::cmp::Ordering;

pub(crate) use self::date::is_writable as is_writable_date;
use cidr::Cidr;
use date::Instant;
use decimal::Decimal;
pub(crate) use operator::Spelled;
pub use operator::{Operator, SetPrefix};

use crate::context::Values;
use crate::document::Effect;
use crate::key::is_declared_multivalued;
use crate::pattern::{ArnPattern, Pattern, Template};
use crate::view::Token;
use crate::{Context, fold};

/// A condition key of a policy, ready to be looked up.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    hash: u64,
    folded: Box<str>,
    /// AWS declares it multivalued.
    multivalued: bool,
}

/// One operator applied to one key.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    key: Key,
    /// Nothing: the operator is unknown (OP-X1).
    operator: Option<Spelled>,
    test: Test,
}

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Holds {
    Yes,
    No,
    /// The operator is unknown (OP-X1).
    Unknown,
}

/// The values of a condition, parsed as its operator has them.
#[derive(Clone, Debug)]
enum Test {
    Equals(Vec<Template>),
    EqualsIgnoreCase(Vec<Template>),
    Like(Vec<Pattern>),
    Numeric(Comparison, Vec<Option<Box<str>>>),
    Date(Comparison, Vec<Option<Instant>>),
    Bool(Vec<Template>),
    /// Canonical texts, equal where their bytes are.
    Binary(Vec<Option<Box<str>>>),
    Ip(Vec<Option<Cidr>>),
    Arn(Vec<ArnPattern>),
    /// Whether the key shall be absent.
    Null(Vec<Option<bool>>),
    Unknown,
}

#[derive(Clone, Copy, Debug)]
enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// Whether a request value that stands so to the policy value fits.
    fn fits(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

impl Key {
    fn new(name: &str) -> Self {
        let folded = fold::folded(name);
        let multivalued = is_declared_multivalued(&folded);
        Self { hash: fold::hash(&folded), folded: folded.into(), multivalued }
    }

    fn find<'a>(&self, context: &'a Context) -> Option<Values<'a>> {
        context.lookup(self.hash, &self.folded)
    }
}

impl Condition {
    /// `variables`: whether `${...}` has meaning in this document (VAR-1).
    pub(crate) fn new(operator: &str, key: &str, values: &[&str], variables: bool) -> Self {
        let operator = Spelled::parse(operator);
        let test = operator
            .map_or(Test::Unknown, |spelled| Test::new(spelled.operator, values, variables));
        Self { key: Key::new(key), operator, test }
    }

    /// Whether the condition holds. The effect of its statement matters for a multivalued key
    /// under an operator without set prefix (CO-9).
    pub(crate) fn holds(&self, context: &Context, effect: Effect) -> Holds {
        let Some(spelled) = self.operator else { return Holds::Unknown };
        if self.evaluate(spelled, self.key.find(context), context, effect) {
            Holds::Yes
        } else {
            Holds::No
        }
    }

    /// Whether its operator is unknown (OP-X1).
    pub(crate) fn is_unknown(&self) -> bool {
        self.operator.is_none()
    }

    /// Its operator, if it is known.
    pub(crate) fn spelled(&self) -> Option<Spelled> {
        self.operator
    }

    /// The folded key, and whether AWS declares it multivalued.
    pub(crate) fn key(&self) -> (&str, bool) {
        (&self.key.folded, self.key.multivalued)
    }

    /// Whether the value fits at least one listed value, negation aside.
    pub(crate) fn covers(&self, value: &str, context: &Context) -> bool {
        self.test.any(value, context)
    }

    /// The listed values as patterns, where they are compared as texts, and whether case counts.
    pub(crate) fn tokens(&self) -> Option<(Vec<Vec<Token>>, bool)> {
        let templates = |list: &[Template]| list.iter().map(Template::tokens).collect();
        Some(match &self.test {
            Test::Equals(list) => (templates(list), true),
            Test::EqualsIgnoreCase(list) => (templates(list), false),
            Test::Bool(list) => (
                list.iter()
                    .map(Template::tokens)
                    // OP-B2; a variable may bring anything, and only a truth value can fit.
                    .filter(|tokens| match tokens.as_slice() {
                        [Token::Text(text)] => parse_bool(text).is_some(),
                        _ => true,
                    })
                    .map(|tokens| match tokens.as_slice() {
                        [Token::Text(_)] => tokens,
                        _ => vec![Token::Opaque(format!("{tokens:?}").into())],
                    })
                    .collect(),
                false,
            ),
            Test::Like(list) => (list.iter().map(Pattern::tokens).collect(), true),
            Test::Binary(list) => {
                (list.iter().flatten().map(|text| vec![Token::Text(text.clone())]).collect(), true)
            }
            Test::Arn(list) => (list.iter().filter_map(ArnPattern::tokens).collect(), true),
            Test::Numeric(..) | Test::Date(..) | Test::Ip(_) | Test::Null(_) | Test::Unknown => {
                return None;
            }
        })
    }

    /// The values of the key in this request, for an explanation.
    pub(crate) fn found<'a>(&self, context: &'a Context) -> Option<Vec<&'a str>> {
        self.key.find(context).map(|values| values.to_vec().into_vec())
    }

    /// The values of the condition with their variables resolved; nothing for one that cannot be.
    pub(crate) fn resolved(&self, context: &Context) -> Option<Vec<Option<String>>> {
        Some(match &self.test {
            Test::Equals(values) | Test::EqualsIgnoreCase(values) | Test::Bool(values) => {
                values.iter().map(|value| value.resolve(context)).collect()
            }
            Test::Like(values) => values.iter().map(|v| v.resolve_text(context)).collect(),
            Test::Arn(values) => values.iter().map(|value| value.resolve(context)).collect(),
            _ => return None,
        })
    }

    /// The keys used as variables in the values.
    pub(crate) fn variables(&self) -> Vec<&str> {
        match &self.test {
            Test::Equals(values) | Test::EqualsIgnoreCase(values) | Test::Bool(values) => {
                values.iter().flat_map(Template::variables).map(|v| &*v.name).collect()
            }
            Test::Like(values) => {
                values.iter().flat_map(Pattern::variables).map(|v| &*v.name).collect()
            }
            Test::Arn(values) => {
                values.iter().flat_map(ArnPattern::variables).map(|v| &*v.name).collect()
            }
            _ => Vec::new(),
        }
    }

    fn evaluate(
        &self,
        spelled: Spelled,
        values: Option<Values<'_>>,
        context: &Context,
        effect: Effect,
    ) -> bool {
        if let Test::Null(wanted) = &self.test {
            return wanted.contains(&Some(values.is_none())); // OP-Z2
        }
        let negated = spelled.operator.is_negated();
        let Some(values) = values else {
            // CO-3, CO-4
            return spelled.if_exists
                || match spelled.prefix {
                    Some(SetPrefix::ForAllValues) => true,
                    Some(SetPrefix::ForAnyValue) => false,
                    None => negated,
                };
        };
        // CO-7: the negation stands inside the quantifier.
        let fits = |value: &str| self.test.any(value, context) != negated;
        match spelled.prefix {
            // CO-5: empty strings resolve to nothing.
            Some(SetPrefix::ForAllValues) => {
                values.iter().filter(|value| !value.is_empty()).all(fits)
            }
            Some(SetPrefix::ForAnyValue) => values.iter().any(fits),
            // CO-9: such a key needs a set operator; what is unclear must not undo a Deny.
            None if self.key.multivalued || values.is_multivalued() => {
                effect == Effect::Deny && negated && values.iter().all(fits)
            }
            None => values.iter().all(fits),
        }
    }
}

impl Test {
    fn new(operator: Operator, values: &[&str], variables: bool) -> Self {
        use Operator as O;
        let templates = || values.iter().map(|value| Template::new(value, variables)).collect();
        let numbers = |comparison| {
            let parse = |value: &&str| Decimal::parse(value).map(|_| (*value).into());
            Self::Numeric(comparison, values.iter().map(parse).collect())
        };
        let dates = |comparison| {
            Self::Date(comparison, values.iter().map(|value| Instant::parse(value)).collect())
        };
        match operator {
            O::StringEquals | O::StringNotEquals => Self::Equals(templates()),
            O::StringEqualsIgnoreCase | O::StringNotEqualsIgnoreCase => {
                Self::EqualsIgnoreCase(templates())
            }
            O::StringLike | O::StringNotLike => {
                Self::Like(values.iter().map(|value| Pattern::new(value, variables)).collect())
            }
            O::NumericEquals | O::NumericNotEquals => numbers(Comparison::Equal),
            O::NumericLessThan => numbers(Comparison::Less),
            O::NumericLessThanEquals => numbers(Comparison::LessOrEqual),
            O::NumericGreaterThan => numbers(Comparison::Greater),
            O::NumericGreaterThanEquals => numbers(Comparison::GreaterOrEqual),
            O::DateEquals | O::DateNotEquals => dates(Comparison::Equal),
            O::DateLessThan => dates(Comparison::Less),
            O::DateLessThanEquals => dates(Comparison::LessOrEqual),
            O::DateGreaterThan => dates(Comparison::Greater),
            O::DateGreaterThanEquals => dates(Comparison::GreaterOrEqual),
            O::Bool => Self::Bool(templates()),
            O::BinaryEquals => {
                let canonical = |value: &&str| base64::is_canonical(value).then(|| (*value).into());
                Self::Binary(values.iter().map(canonical).collect())
            }
            O::IpAddress | O::NotIpAddress => {
                Self::Ip(values.iter().map(|value| Cidr::parse(value)).collect())
            }
            O::ArnEquals | O::ArnLike | O::ArnNotEquals | O::ArnNotLike => {
                Self::Arn(values.iter().map(|value| ArnPattern::new(value, variables)).collect())
            }
            O::Null => Self::Null(values.iter().map(|value| parse_bool(value)).collect()),
        }
    }

    /// Whether the request value fits at least one listed value; negation is the caller's.
    fn any(&self, value: &str, context: &Context) -> bool {
        match self {
            Self::Equals(list) => list.iter().any(|wanted| wanted.equals(value, context)),
            Self::EqualsIgnoreCase(list) => {
                list.iter().any(|wanted| wanted.equals_ignoring_case(value, context))
            }
            Self::Like(list) => list.iter().any(|pattern| pattern.matches(value, context)),
            Self::Numeric(comparison, list) => Decimal::parse(value).is_some_and(|number| {
                let wanted = list.iter().flatten().filter_map(|text| Decimal::parse(text));
                wanted.into_iter().any(|wanted| comparison.fits(number.compare(&wanted)))
            }),
            Self::Date(comparison, list) => Instant::parse(value).is_some_and(|instant| {
                list.iter().flatten().any(|wanted| comparison.fits(instant.cmp(wanted)))
            }),
            Self::Bool(list) => parse_bool(value).is_some_and(|_| {
                list.iter().any(|wanted| wanted.equals_ignoring_case(value, context))
            }),
            Self::Binary(list) => list.iter().flatten().any(|wanted| **wanted == *value),
            Self::Ip(list) => cidr::parse_address(value)
                .is_some_and(|address| list.iter().flatten().any(|range| range.contains(address))),
            Self::Arn(list) => list.iter().any(|pattern| pattern.matches(value, context)),
            Self::Null(_) | Self::Unknown => false,
        }
    }
}

/// `true` or `false` without regard to case (OP-B2).
fn parse_bool(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
