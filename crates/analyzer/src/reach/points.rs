//! Values of a context key that stand for all others: one of each kind that the conditions on the
//! key tell apart.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bailiwick_catalog::{Catalog, KeyType};
use bailiwick_policy::{ConditionView, Context, Operator};

use super::glob::{Glob, cells};

/// Values of a key, and whether each kind of value has one among them.
#[derive(Clone, Debug, Default)]
pub(super) struct Points {
    pub(super) list: Vec<String>,
    pub(super) complete: bool,
}

/// Numbers are compared as parts of this.
const SCALE: i128 = 1_000_000_000;

/// The values of the key of these conditions.
pub(super) fn of_key(
    name: &str,
    views: &[ConditionView<'_>],
    base: &Context,
    sample: &mut dyn FnMut(&str) -> Option<String>,
) -> Points {
    let kind = Catalog::embedded().condition_key(name).map(|key| key.kind);
    let mut out = Points { list: Vec::new(), complete: true };
    if kind == Some(KeyType::Bool) {
        out.list.extend(["true".to_owned(), "false".to_owned()]);
        return out;
    }
    let mut globs = Vec::new();
    let mut other = false;
    for view in views {
        let Some((operator, ..)) = view.operator() else { continue };
        let values = view.values().iter().map(AsRef::as_ref);
        match family(operator) {
            Family::Presence => {}
            Family::Text => {
                if operator == Operator::Bool {
                    out.list.extend(["true".to_owned(), "false".to_owned()]);
                }
                match view.tokens() {
                    Some((tokens, case_counts)) => {
                        for tokens in &tokens {
                            let glob = Glob::new(tokens, !case_counts, base, sample);
                            // A variable without value matches nothing; a whole ARN in a variable
                            // is tried with the value that it has.
                            if glob.is_none() {
                                let shown = view.resolved(base).unwrap_or_default();
                                out.list.extend(shown.into_iter().flatten());
                            }
                            globs.extend(glob);
                        }
                    }
                    None => out.complete = false,
                }
            }
            Family::Number => {
                other = true;
                numbers(values, &mut out);
            }
            Family::Date => {
                other = true;
                dates(values, &mut out);
            }
            Family::Address => {
                other = true;
                addresses(values, &mut out);
            }
        }
    }
    if globs.is_empty() {
        out.list.push("example".to_owned());
    } else {
        // Patterns and ranges on one key: how they cut each other is not followed.
        out.complete &= !other || globs.iter().all(|glob| glob.literal().is_some());
        texts(globs, &mut out);
    }
    out.list.push(String::new());
    let mut seen = std::collections::HashSet::new();
    out.list.retain(|text| seen.insert(text.clone()));
    out
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Family {
    Text,
    Number,
    Date,
    Address,
    Presence,
}

fn family(operator: Operator) -> Family {
    use Operator as O;
    match operator {
        O::NumericEquals
        | O::NumericNotEquals
        | O::NumericLessThan
        | O::NumericLessThanEquals
        | O::NumericGreaterThan
        | O::NumericGreaterThanEquals => Family::Number,
        O::DateEquals
        | O::DateNotEquals
        | O::DateLessThan
        | O::DateLessThanEquals
        | O::DateGreaterThan
        | O::DateGreaterThanEquals => Family::Date,
        O::IpAddress | O::NotIpAddress => Family::Address,
        O::Null => Family::Presence,
        _ => Family::Text,
    }
}

fn texts(mut globs: Vec<Glob>, out: &mut Points) {
    globs.sort();
    globs.dedup();
    let found = cells(&globs, &[Glob::written("*")]);
    out.complete &= found.complete;
    out.list.extend(found.list);
}

fn numbers<'v>(values: impl Iterator<Item = &'v str>, out: &mut Points) {
    let mut found = Vec::new();
    for value in values {
        match scaled(value) {
            Some(number) => found.push(number),
            // What is no number equals none (CO-12); what is out of range is not followed.
            None => {
                out.complete &= !value.bytes().all(|b| b.is_ascii_digit() || b"+-.".contains(&b));
            }
        }
    }
    for number in found {
        out.list.extend([number, number - 1, number + 1].map(unscaled));
    }
}

fn scaled(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || whole.len() > 20 || part.len() > 8 {
        return None;
    }
    let part: i128 = format!("{part:0<9}").parse().ok()?;
    let number = whole.parse::<i128>().ok()? * SCALE + part;
    Some(if negative { -number } else { number })
}

fn unscaled(number: i128) -> String {
    let (whole, part) = (number.abs() / SCALE, number.abs() % SCALE);
    let sign = if number < 0 { "-" } else { "" };
    let part = format!("{part:09}");
    let part = part.trim_end_matches('0');
    if part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
}

fn dates<'v>(values: impl Iterator<Item = &'v str>, out: &mut Points) {
    for value in values {
        match instant(value) {
            Some(at) => {
                out.list.push(value.to_owned());
                let before = at.checked_sub(1);
                let near = [before, at.checked_add(1)].into_iter().flatten();
                let near = near.filter_map(|at| jiff::Timestamp::from_second(at).ok());
                out.list.extend(near.map(|at| at.to_string()));
            }
            None => out.complete = false,
        }
    }
}

/// Whole seconds since 1970.
fn instant(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        if digits.len() == 4 && digits.len() == text.len() {
            return instant(&format!("{text}-01-01"));
        }
        return text.parse().ok();
    }
    if text.contains('.') {
        return None;
    }
    if text.len() == 7 {
        return instant(&format!("{text}-01"));
    }
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Some(at.as_second());
    }
    let civil = text.parse::<jiff::civil::DateTime>().ok()?;
    Some(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second())
}

/// The ends of each range and what lies beyond them: where the line is cut, these are the parts.
fn addresses<'v>(values: impl Iterator<Item = &'v str>, out: &mut Points) {
    for value in values {
        let (address, bits) = value.split_once('/').unwrap_or((value, ""));
        let Ok(address) = address.parse::<IpAddr>() else { continue };
        match address {
            IpAddr::V4(address) => {
                let bits = bits.parse::<u32>().unwrap_or(32).min(32);
                let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
                let first = u32::from(address) & mask;
                let last = first | !mask;
                for at in [first, last, first.wrapping_sub(1), last.wrapping_add(1)] {
                    out.list.push(Ipv4Addr::from(at).to_string());
                }
            }
            IpAddr::V6(address) => {
                let bits = bits.parse::<u32>().unwrap_or(128).min(128);
                let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
                let first = u128::from(address) & mask;
                let last = first | !mask;
                for at in [first, last, first.wrapping_sub(1), last.wrapping_add(1)] {
                    out.list.push(Ipv6Addr::from(at).to_string());
                }
            }
        }
    }
    out.list.extend(["198.51.100.1".to_owned(), "2001:db8::1".to_owned()]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_dates_have_neighbours() {
        for (text, expected) in
            [("5", "5.000000001"), ("-1", "-0.999999999"), ("0.5", "0.500000001")]
        {
            assert_eq!(scaled(text).map(|n| unscaled(n + 1)).as_deref(), Some(expected));
        }
        assert_eq!(scaled("x"), None);
        for (text, expected) in [
            ("1970-01-01", Some(0)),
            ("1970", Some(0)),
            ("1970-01", Some(0)),
            ("1970-01-01T00:00:10Z", Some(10)),
            ("1970-01-01T01:00+01:00", Some(0)),
            ("86400", Some(86400)),
            ("soon", None),
        ] {
            assert_eq!(instant(text), expected, "{text}");
        }
    }

    #[test]
    fn ranges_have_their_ends() {
        let mut out = Points::default();
        addresses(["203.0.113.7/24"].into_iter(), &mut out);
        for text in ["203.0.113.0", "203.0.113.255", "203.0.112.255", "203.0.114.0"] {
            assert!(out.list.iter().any(|found| found == text), "{text}");
        }
    }
}
