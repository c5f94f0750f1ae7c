//! Operators under every modifier (threat C06). The whole table stands in `corpus/decisions`.

use super::*;

/// Rules CO-3 to CO-9, written down: whether a condition on values of which some equal the listed
/// one holds.
fn expected(
    negated: bool,
    prefix: Option<SetPrefix>,
    if_exists: bool,
    values: &[&str],
    equal: &str,
    effect: Effect,
) -> bool {
    if values.is_empty() {
        return if_exists || prefix.map_or(negated, |prefix| prefix == SetPrefix::ForAllValues);
    }
    let satisfied: Vec<bool> = values.iter().map(|value| (*value == equal) ^ negated).collect();
    match prefix {
        Some(SetPrefix::ForAllValues) => {
            values.iter().zip(&satisfied).all(|(value, satisfied)| value.is_empty() || *satisfied)
        }
        Some(SetPrefix::ForAnyValue) => satisfied.contains(&true),
        None if values.len() == 1 => satisfied == [true],
        None => effect == Effect::Deny && negated && !satisfied.contains(&false),
    }
}

#[test]
fn tm_c06_absent_empty_and_many_under_every_modifier() {
    let listed = "a";
    let mut count = 0;
    for operator in ["StringEquals", "StringNotEquals", "StringLike", "StringNotLike"] {
        let negated = operator.contains("Not");
        for prefix in [None, Some(SetPrefix::ForAllValues), Some(SetPrefix::ForAnyValue)] {
            for if_exists in [false, true] {
                for effect in [Effect::Allow, Effect::Deny] {
                    for values in [
                        &[][..],
                        &["a"],
                        &["b"],
                        &[""],
                        &["a", "b"],
                        &["b", "c"],
                        &["", "a"],
                        &["", "b"],
                        &["a", "a", "a"],
                    ] {
                        let operator = Operator::ALL
                            .into_iter()
                            .find(|known| known.as_str() == operator)
                            .unwrap();
                        let name = Spelled { operator, prefix, if_exists }.to_string();
                        let condition = Condition::new(&name, "k:k", &[listed], true);
                        let context = Context::new().set_list("K:k", values.iter().copied());
                        let found = condition.holds(&context, effect) == Holds::Yes;
                        let wanted = expected(negated, prefix, if_exists, values, listed, effect);
                        assert_eq!(found, wanted, "{name} {values:?} {effect:?}");
                        count += 1;
                    }
                }
            }
        }
    }
    assert_eq!(count, 4 * 3 * 2 * 2 * 9);
}

#[test]
fn op_x1_unknown_operators_are_told_apart() {
    for name in ["StringMatches", "NullIfExists", "ForAnyValue:Null", "NotBool", ""] {
        let condition = Condition::new(name, "k:k", &["x"], true);
        assert_eq!(condition.holds(&Context::new(), Effect::Deny), Holds::Unknown, "{name}");
    }
}

// threat C08: what a caller puts into a tag stays text, in every operator that has variables.
#[test]
fn tm_c08_values_of_variables_are_literal() {
    let hostile = ["*", "?", "${aws:username}", "${*}", "a*", "arn:aws:s3:::*"];
    for value in hostile {
        let context = Context::new()
            .set("aws:PrincipalTag/t", value)
            .set("aws:username", "alice")
            .set("k:arn", "arn:aws:s3:::bucket")
            .set("k:k", "alice");
        for operator in ["StringEquals", "StringLike", "StringEqualsIgnoreCase", "Bool"] {
            let condition = Condition::new(operator, "k:k", &["${aws:PrincipalTag/t}"], true);
            assert_eq!(condition.holds(&context, Effect::Allow), Holds::No, "{operator} {value}");
        }
        for pattern in ["${aws:PrincipalTag/t}", "arn:aws:s3:::${aws:PrincipalTag/t}"] {
            let condition = Condition::new("ArnLike", "k:arn", &[pattern], true);
            assert_eq!(condition.holds(&context, Effect::Allow), Holds::No, "{pattern} {value}");
        }
    }
}
