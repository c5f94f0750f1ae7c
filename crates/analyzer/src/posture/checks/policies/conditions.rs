//! Conditions that do not do what they seem to: POL-18 and POL-19.

use std::net::IpAddr;

use bailiwick_policy::{ConditionText, Effect, Statement};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::table::Table;
use super::texts::{Text, of_account, of_resources};
use crate::posture::audit::Audit;
use crate::posture::check::Results;

/// POL-18.
pub(super) fn addresses(audit: &Audit<'_>, results: &mut Results) {
    let mut texts = of_account(audit, results);
    texts.extend(of_resources(audit, results));
    judge(&texts, results, |text, results| {
        let mut clean = true;
        for (number, statement) in text.statements() {
            for condition in statement.conditions() {
                let Some(why) = without_effect(condition) else { continue };
                clean = false;
                let named = |map: &mut Map<String, Value>| {
                    let conditions = map.get_mut("Condition");
                    let keys = conditions.and_then(|all| all.get_mut(&*condition.operator));
                    if let Some(value) = keys.and_then(|keys| keys.get_mut(&*condition.key)) {
                        *value = json!(["the ranges of your networks as the internet sees them"]);
                    }
                };
                results.fail(text.found(number, why, named));
            }
        }
        clean
    });
}

fn judge(
    texts: &[Text<'_>],
    results: &mut Results,
    is_clean: impl Fn(&Text<'_>, &mut Results) -> bool,
) {
    for text in texts {
        if is_clean(text, results) {
            results.pass();
        }
    }
    if texts.is_empty() {
        results.pass();
    }
}

/// Why a condition on the address of a request has no effect.
fn without_effect(condition: &ConditionText) -> Option<String> {
    let operator = condition.operator.to_ascii_lowercase();
    if !condition.key.eq_ignore_ascii_case("aws:SourceIp") || !operator.contains("ipaddress") {
        return None;
    }
    let ranges: Option<Vec<Range>> = condition.values.iter().map(|one| Range::parse(one)).collect();
    let ranges = ranges?;
    let shown = condition.values.join(", ");
    if covers_all(&ranges) {
        return Some(format!("aws:SourceIp is compared with {shown}: every address there is"));
    }
    let private = !ranges.is_empty() && ranges.iter().all(Range::is_private);
    private.then(|| {
        format!(
            "aws:SourceIp is compared with {shown} alone: requests arrive with public addresses, and \
             those from within a VPC have aws:VpcSourceIp"
        )
    })
}

/// A range of addresses of one family.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Range {
    short: bool,
    first: u128,
    last: u128,
}

/// Ranges that are not of the internet.
const PRIVATE: [&str; 8] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "fc00::/7",
    "fe80::/10",
];

impl Range {
    fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u32>().ok()?)),
            None => (text, None),
        };
        let (short, value, width) = match address.trim().parse::<IpAddr>().ok()? {
            IpAddr::V4(short) => (true, u128::from(u32::from(short)), 32),
            IpAddr::V6(long) => (false, u128::from(long), 128),
        };
        let free = width - bits.unwrap_or(width).min(width);
        let mask = if free == 128 { u128::MAX } else { (1 << free) - 1 };
        Some(Self { short, first: value & !mask, last: value | mask })
    }

    fn is_private(&self) -> bool {
        PRIVATE.iter().filter_map(|text| Self::parse(text)).any(|range| {
            range.short == self.short && range.first <= self.first && self.last <= range.last
        })
    }
}

/// Whether the ranges make up a whole family of addresses.
fn covers_all(ranges: &[Range]) -> bool {
    [true, false].into_iter().any(|short| {
        let mut of_family: Vec<&Range> =
            ranges.iter().filter(|range| range.short == short).collect();
        of_family.sort_unstable();
        let end = if short { u128::from(u32::MAX) } else { u128::MAX };
        let mut next = Some(0);
        for range in of_family {
            if next.is_some_and(|next| range.first <= next && range.last >= next) {
                next = range.last.checked_add(1).filter(|next| *next <= end);
                if next.is_none() {
                    return true;
                }
            }
        }
        false
    })
}

/// POL-19.
pub(super) fn ended(audit: &Audit<'_>, results: &mut Results) {
    let texts = of_account(audit, results);
    let table = &audit.reach().table;
    judge(&texts, results, |text, results| {
        let mut clean = true;
        for (number, statement) in text.statements() {
            let Some((condition, why)) = by_date(audit, table, statement) else { continue };
            clean = false;
            let shown = format!("{} {}", condition.operator, condition.values.join(", "));
            results.fail(text.found(number, format!("{why}: {shown}"), Map::clear));
        }
        clean
    });
}

/// A condition on the time by which an Allow has ended or a Deny has begun.
fn by_date<'s>(
    audit: &Audit<'_>,
    table: &Table,
    statement: &'s Statement,
) -> Option<(&'s ConditionText, &'static str)> {
    let is_time = |condition: &&ConditionText| {
        let key = condition.key.to_ascii_lowercase();
        matches!(&*key, "aws:currenttime" | "aws:epochtime")
    };
    let mut timed = statement.conditions().filter(is_time).peekable();
    match statement.effect() {
        Effect::Allow => timed
            .find(|condition| is_over(audit, table, condition))
            .map(|condition| (condition, "the grant has ended, and its statement is still there")),
        Effect::Deny => {
            let first = *timed.peek()?;
            let holds = |condition: &ConditionText| {
                table.holds_plainly(&condition.operator, &condition.key, &condition.values)
            };
            // A Deny that is over, or one that only waits, does nothing now.
            timed.all(holds).then_some((first, "the Deny by date is in force"))
        }
    }
}

/// Whether a condition on the time can never hold again.
fn is_over(audit: &Audit<'_>, table: &Table, condition: &ConditionText) -> bool {
    let operator = condition.operator.to_ascii_lowercase();
    if table.holds_plainly(&condition.operator, &condition.key, &condition.values) {
        return false;
    }
    if operator.contains("lessthan") {
        return true;
    }
    let is_past = |value: &str| {
        let instant = value.parse::<jiff::Timestamp>().ok();
        let day = || value.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok();
        let seconds = || jiff::Timestamp::from_second(value.parse().ok()?).ok();
        let at = instant.or_else(|| day().map(|zoned| zoned.timestamp())).or_else(seconds);
        at.is_some_and(|at| at < audit.now)
    };
    let equals = operator.contains("dateequals") || operator.contains("numericequals");
    equals && condition.values.iter().all(|value| is_past(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let all = |texts: &[&str]| -> Vec<Range> {
            texts.iter().map(|text| Range::parse(text).unwrap()).collect()
        };
        for (texts, expected) in [
            (&["0.0.0.0/0"][..], true),
            (&["0.0.0.0/1", "128.0.0.0/1"], true),
            (&["128.0.0.0/1", "0.0.0.0/2", "64.0.0.0/2"], true),
            (&["::/0", "10.0.0.0/8"], true),
            (&["0.0.0.0/1"], false),
            (&["203.0.113.0/24"], false),
        ] {
            assert_eq!(covers_all(&all(texts)), expected, "{texts:?}");
        }
        assert!(Range::parse("10.1.2.3").unwrap().is_private());
        assert!(!Range::parse("8.0.0.0/6").unwrap().is_private());
    }
}
