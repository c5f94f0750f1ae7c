//! Values of context keys with which a condition may come to hold, or to hold no longer.

use std::collections::BTreeMap;

use bailiwick_catalog::Catalog;
use bailiwick_policy::{ConditionView, Context, Operator, Statement};
use jiff::{Timestamp, ToSpan as _};

/// Values of one key that are tried.
const MOST_VALUES: usize = 10;

/// Keys in lower case with the lists of values to try, the empty list standing for an absent key.
pub(super) fn candidates(
    statements: &[&Statement],
    context: &Context,
    now: Option<Timestamp>,
) -> BTreeMap<String, Vec<Vec<String>>> {
    let mut found: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
    for statement in statements {
        for condition in statement.condition_views() {
            let (key, _) = condition.key();
            let values = found.entry(key.to_owned()).or_default();
            // It is always some time.
            let present = context.contains(key) && !PRESENT.contains(&key);
            for value in of(condition, context, now) {
                let value = vec![value];
                if !values.contains(&value) && values.len() < MOST_VALUES {
                    values.push(value);
                }
            }
            if present && !values.contains(&Vec::new()) {
                values.push(Vec::new());
            }
        }
    }
    found
}

/// The keys of the present instant.
const PRESENT: [&str; 2] = ["aws:currenttime", "aws:epochtime"];

/// Values that fit a condition, and one that does not.
fn of(condition: ConditionView<'_>, context: &Context, now: Option<Timestamp>) -> Vec<String> {
    use Operator as O;
    let Some((operator, _, _)) = condition.operator() else { return Vec::new() };
    let mut found = Vec::new();
    let (key, _) = condition.key();
    if PRESENT.contains(&key) {
        if is_date(operator) || is_number(operator) {
            for value in condition.values() {
                let instants = instants(&resolved(value, context), now);
                // In seconds, which both kinds of operators read.
                let seconds = key == "aws:epochtime";
                found.extend(instants.iter().map(|instant| {
                    if seconds { instant.as_second().to_string() } else { written(*instant) }
                }));
            }
        }
        return found;
    }
    for value in condition.values() {
        let value = resolved(value, context);
        match operator {
            O::StringLike
            | O::StringNotLike
            | O::ArnLike
            | O::ArnNotLike
            | O::ArnEquals
            | O::ArnNotEquals => found.push(concrete(&value)),
            O::IpAddress | O::NotIpAddress => {
                found.push(value.split('/').next().unwrap_or_default().to_owned());
            }
            O::NumericLessThan
            | O::NumericLessThanEquals
            | O::NumericGreaterThan
            | O::NumericGreaterThanEquals => {
                let number = value.parse::<i64>().unwrap_or(0);
                let beside = match operator {
                    O::NumericLessThan => number.saturating_sub(1),
                    O::NumericGreaterThan => number.saturating_add(1),
                    _ => number,
                };
                found.push(beside.to_string());
            }
            O::DateLessThan
            | O::DateLessThanEquals
            | O::DateGreaterThan
            | O::DateGreaterThanEquals
            | O::DateEquals
            | O::DateNotEquals => {
                found.extend(instants(&value, now).into_iter().map(written));
            }
            O::Null => found.push("x".to_owned()),
            O::Bool => found.extend([value, "true".to_owned(), "false".to_owned()]),
            _ => found.push(value),
        }
    }
    match operator {
        O::IpAddress | O::NotIpAddress => found.push("203.0.113.7".to_owned()),
        O::NumericEquals | O::NumericNotEquals => found.push("-1".to_owned()),
        O::Bool | O::Null => {}
        operator if is_date(operator) => {}
        _ => found.push("other".to_owned()),
    }
    found
}

const fn is_date(operator: Operator) -> bool {
    matches!(
        operator,
        Operator::DateEquals
            | Operator::DateNotEquals
            | Operator::DateLessThan
            | Operator::DateLessThanEquals
            | Operator::DateGreaterThan
            | Operator::DateGreaterThanEquals
    )
}

const fn is_number(operator: Operator) -> bool {
    matches!(
        operator,
        Operator::NumericEquals
            | Operator::NumericNotEquals
            | Operator::NumericLessThan
            | Operator::NumericLessThanEquals
            | Operator::NumericGreaterThan
            | Operator::NumericGreaterThanEquals
    )
}

/// Years after which what begins is taken for what never does.
const FARTHEST: i64 = 10;

/// Instants about a date, none before now: what has ended does not come back, and what begins in the
/// next century is meant never to.
fn instants(value: &str, now: Option<Timestamp>) -> Vec<Timestamp> {
    let instant = match value.parse::<i64>() {
        Ok(seconds) => Timestamp::from_second(seconds).ok(),
        Err(_) if value.len() == 10 => format!("{value}T00:00:00Z").parse().ok(),
        Err(_) => value.parse().ok(),
    };
    let mut found: Vec<Timestamp> = now.into_iter().collect();
    if let Some(instant) = instant {
        let day = 24.hours();
        found.extend(
            [instant.checked_sub(day).ok(), Some(instant), instant.checked_add(day).ok()]
                .into_iter()
                .flatten(),
        );
    }
    let span = (FARTHEST * 365 * 24).hours();
    let farthest = now.and_then(|now| now.checked_add(span).ok());
    found.retain(|instant| {
        now.is_none_or(|now| *instant >= now) && farthest.is_none_or(|end| *instant <= end)
    });
    found
}

fn written(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A text that a pattern covers.
pub(super) fn concrete(pattern: &str) -> String {
    pattern.chars().map(|letter| if matches!(letter, '*' | '?') { 'x' } else { letter }).collect()
}

/// The value with its variables as the request has them; unresolved ones stay as they are.
pub(super) fn resolved(text: &str, context: &Context) -> String {
    let mut found = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        found.push_str(before);
        let Some((name, behind)) = after.split_once('}') else {
            found.push_str("${");
            rest = after;
            continue;
        };
        let (key, default) = match name.split_once(',') {
            Some((key, default)) => (key.trim(), Some(default.trim().trim_matches('\''))),
            None => (name, None),
        };
        match (key, context.values(key).next(), default) {
            ("*" | "?" | "$", _, _) => found.push_str(key),
            (_, Some(value), _) => found.push_str(value),
            (_, None, Some(default)) => found.push_str(default),
            (_, None, None) => {
                found.push_str("${");
                found.push_str(name);
                found.push('}');
            }
        }
        rest = behind;
    }
    found.push_str(rest);
    found
}

/// Whether a key in lower case holds several values (KEY-8).
pub(super) fn is_list(key: &str) -> bool {
    key == "sts:transitivetagkeys"
        || key.ends_with(":amr")
        || Catalog::embedded().condition_key(key).is_some_and(|key| key.multivalued)
}

/// Whether the caller sets the key by what it asks for: parameters of the call, the region, and headers
/// that anybody can write.
/// What it must know or have (an external id, tags, an address) is not chosen.
pub(super) fn chosen_by_caller(key: &str) -> bool {
    if let Some(rest) = key.strip_prefix("aws:") {
        return matches!(rest, "requestedregion" | "useragent" | "referer");
    }
    let tag = key.contains(":resourcetag/") || key.contains(":requesttag/");
    let identity =
        key.split(':').next().is_some_and(|head| head.contains('.')) || key.starts_with("saml:");
    !tag && !identity && key != "sts:externalid" && key != "sts:sourceidentity"
}

/// Whether the data say what the key is, so that no other value can be tried.
pub(super) fn is_fixed(key: &str, resource: &str, context: &Context, session_tags: bool) -> bool {
    let in_account = resource.split(':').nth(2) == Some("iam");
    match key {
        "aws:principalarn"
        | "aws:principalaccount"
        | "aws:principaltype"
        | "aws:username"
        | "aws:principalisawsservice"
        | "aws:principalservicename"
        | "aws:resourceaccount"
        | "aws:securetransport"
        | "aws:assumedroot"
        | "iam:passedtoservice"
        | "iam:policyarn"
        | "iam:permissionsboundary"
        | "iam:awsservicename"
        | "aws:sourceaccount"
        | "aws:sourceorgid" => true,
        "aws:principalorgid" | "aws:resourceorgid" | "aws:tokenissuetime" => context.contains(key),
        // Of what names no region the call has the region of its service.
        "aws:requestedregion" => {
            in_account || resource.split(':').nth(3).is_some_and(|region| !region.is_empty())
        }
        _ if key.starts_with("aws:principaltag/") => !session_tags || context.contains(key),
        _ if key.starts_with("aws:resourcetag/") || key.starts_with("iam:resourcetag/") => {
            in_account
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_resolved_where_they_can_be() {
        let context = Context::new().set("aws:username", "ann");
        for (text, expected) in [
            ("user/${aws:username}", "user/ann"),
            ("${AWS:UserName}-${aws:none, 'x'}", "ann-x"),
            ("${aws:none}", "${aws:none}"),
            ("a${b", "a${b"),
        ] {
            assert_eq!(resolved(text, &context), expected, "{text}");
        }
    }

    #[test]
    fn dates_before_now_are_not_tried() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let dates = |value| instants(value, Some(now));
        assert_eq!(dates("2020-01-01T00:00:00Z"), [now]);
        assert_eq!(dates("2030-01-01").len(), 4);
        assert_eq!(dates("1830297600").len(), 4);
        assert_eq!(dates("2099-01-01"), [now]);
    }
}
