//! One condition: absent keys, sets, negation and lists (section 11, "Combining").

use super::case::Context;
use super::document::Condition;
use super::keys::is_multivalued;
use super::operator::{Operator, equals};

/// OP-X1: the operator has no meaning.
pub(super) struct UnknownOperator;

#[derive(Clone, Copy, PartialEq)]
enum Quantifier {
    None,
    Any,
    All,
}

/// Whether the condition holds. `variables` as in the policy's version.
pub(super) fn holds(
    condition: &Condition,
    context: &Context,
    allows: bool,
    variables: bool,
) -> Result<bool, UnknownOperator> {
    let name = condition.operator.to_ascii_lowercase(); // ST-6
    let (quantifier, name) = if let Some(rest) = name.strip_prefix("foranyvalue:") {
        (Quantifier::Any, rest)
    } else if let Some(rest) = name.strip_prefix("forallvalues:") {
        (Quantifier::All, rest)
    } else {
        (Quantifier::None, name.as_str())
    };
    let sent = context.values(&condition.key);
    if name == "null" && quantifier == Quantifier::None {
        // OP-Z2, OP-Z3: an empty list is absent, an empty string is not.
        let null = sent.is_empty();
        return Ok(condition.values.iter().any(|v| v.eq_ignore_ascii_case(&null.to_string())));
    }
    let (name, if_exists) = match name.strip_suffix("ifexists") {
        Some(rest) => (rest, true),
        None => (name, false),
    };
    let (operator, negated) = Operator::named(name).ok_or(UnknownOperator)?;

    // CO-3, CO-4
    if sent.is_empty() {
        return Ok(if_exists
            || match quantifier {
                Quantifier::All => true,
                Quantifier::Any => false,
                Quantifier::None => negated,
            });
    }
    // CO-1, CO-7: equal to one of the listed values, or with a negated operator to none. CO-12,
    // VAR-7, CO-13: what does not parse, has no value or is not listed equals nothing.
    let satisfies = |value: &String| {
        let listed =
            condition.values.iter().any(|v| equals(operator, value, v, variables, context));
        listed != negated
    };
    Ok(match quantifier {
        // CO-5: empty strings are dropped first.
        Quantifier::All => sent.iter().filter(|value| !value.is_empty()).all(satisfies),
        // CO-9
        Quantifier::None if is_multivalued(&condition.key, sent.len()) => {
            negated && !allows && sent.iter().all(satisfies)
        }
        Quantifier::None if negated => sent.iter().all(satisfies),
        // CO-6, CO-1
        Quantifier::Any | Quantifier::None => sent.iter().any(satisfies),
    })
}
