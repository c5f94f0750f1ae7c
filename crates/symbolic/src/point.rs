//! Representative values of keys that hold numbers, instants or addresses: one for each part into
//! which the ranges of the policies cut the line.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Decimals: each bound, and what lies just beside it. Nothing if one is too long to count with.
pub(crate) fn decimals(texts: &[&str]) -> Option<Vec<String>> {
    let parsed: Vec<(i128, usize)> = texts.iter().filter_map(|text| decimal(text)).collect();
    let digits = parsed.iter().map(|(_, digits)| *digits).max().unwrap_or(0) + 1;
    if digits > 12 || texts.iter().any(|text| text.len() > 20) {
        return None;
    }
    let mut values = BTreeSet::from([0]);
    for (units, held) in parsed {
        let units = units.checked_mul(10_i128.checked_pow(u32::try_from(digits - held).ok()?)?)?;
        let whole = 10_i128.pow(u32::try_from(digits).ok()?);
        // Whole neighbours first make the better examples.
        values.extend([units - whole, units - 1, units, units + 1, units + whole]);
    }
    let mut list: Vec<i128> = values.into_iter().collect();
    let whole = 10_i128.pow(u32::try_from(digits).ok()?);
    list.sort_by_key(|units| (units % whole != 0, *units < 0, *units));
    Some(list.into_iter().map(|units| print(units, digits)).collect())
}

/// The units of the last digit, and how many digits stand behind the point.
fn decimal(text: &str) -> Option<(i128, usize)> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(fraction) {
        return None;
    }
    let units: i128 = format!("{whole}{fraction}").parse().ok()?;
    Some((if text.starts_with('-') { -units } else { units }, fraction.len()))
}

fn print(units: i128, digits: usize) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let padded = format!("{:0>width$}", units.unsigned_abs(), width = digits + 1);
    let (whole, fraction) = padded.split_at(padded.len() - digits);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}")
}

/// Instants in seconds since 1970 and halves between them. Nothing for bounds with fractions of a
/// second, which no policy has.
pub(crate) fn instants(texts: &[&str]) -> Option<Vec<String>> {
    let mut values = BTreeSet::from([1_767_225_600]);
    for text in texts {
        match seconds(text) {
            Seconds::Whole(at) => values.extend([at - 1, at, at + 1]),
            Seconds::None => {}
            Seconds::Fine => return None,
        }
    }
    let mut out: Vec<String> = values.iter().filter_map(|at| civil(*at, "")).collect();
    let halves = values.iter().filter_map(|at| civil(*at, ".5"));
    let halves: Vec<String> = halves.collect();
    if out.len() != values.len() {
        return None;
    }
    out.extend(halves);
    Some(out)
}

enum Seconds {
    Whole(i64),
    /// It is no instant.
    None,
    /// It cannot be told in whole seconds of four-digit years.
    Fine,
}

/// The forms of OP-D2 and OP-D4. What is read here is read again by the engine: a bound that is
/// misread would make an example that it refuses.
fn seconds(text: &str) -> Seconds {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let digits = !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit());
    if digits && (unsigned.len() != text.len() || unsigned.len() >= 5) {
        return match text.parse::<i64>() {
            Ok(at) if (-60_000_000_000..250_000_000_000).contains(&at) => Seconds::Whole(at),
            _ => Seconds::Fine,
        };
    }
    let part = |from: usize, to: usize| text.get(from..to).and_then(|t| t.parse::<i64>().ok());
    let Some(year) = part(0, 4) else { return Seconds::None };
    let month = part(5, 7).unwrap_or(1);
    let day = part(8, 10).unwrap_or(1);
    let mut at = days(year, month, day) * 86_400;
    if let Some(hour) = part(11, 13) {
        at += hour * 3600 + part(14, 16).unwrap_or(0) * 60;
        let mut rest = text.get(16..).unwrap_or_default();
        if rest.starts_with(':') {
            at += part(17, 19).unwrap_or(0);
            rest = text.get(19..).unwrap_or_default();
        }
        if let Some(fraction) = rest.strip_prefix('.') {
            let end = fraction.find(|c: char| !c.is_ascii_digit()).unwrap_or(fraction.len());
            if fraction.get(..end).is_some_and(|digits| digits.bytes().any(|byte| byte != b'0')) {
                return Seconds::Fine;
            }
            rest = fraction.get(end..).unwrap_or_default();
        }
        if let Some(zone) = rest.strip_prefix(['+', '-']) {
            let hours = zone.get(..2).and_then(|t| t.parse::<i64>().ok()).unwrap_or(0);
            let minutes = zone.get(3..5).and_then(|t| t.parse::<i64>().ok()).unwrap_or(0);
            let offset = hours * 3600 + minutes * 60;
            at += if rest.starts_with('-') { offset } else { -offset };
        }
    }
    Seconds::Whole(at)
}

/// Days since 1970-01-01.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// An instant as text; nothing outside of the years that four digits can tell.
fn civil(at: i64, fraction: &str) -> Option<String> {
    let (day, second) = (at.div_euclid(86_400) + 719_468, at.rem_euclid(86_400));
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    (0..10_000).contains(&year).then(|| {
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
    })
}

/// Addresses: the first of each range, and the one after its last.
pub(crate) fn addresses(texts: &[&str]) -> Vec<String> {
    let mut four: BTreeSet<u32> = BTreeSet::from([0]);
    let mut six: BTreeSet<u128> = BTreeSet::from([0]);
    // Addresses that read well, for examples.
    four.insert(u32::from(Ipv4Addr::new(203, 0, 113, 10)));
    // The addresses that IPv4 has in IPv6 are IPv4 (OP-I3).
    six.extend([0xffff_0000_0000, 0x1_0000_0000_0000]);
    for text in texts {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, bits.parse::<u32>().ok()),
            None => (*text, Some(128)),
        };
        let (Ok(address), Some(bits)) = (address.parse::<IpAddr>(), bits) else { continue };
        let bits = if text.contains('/') || address.is_ipv6() { bits } else { 32 };
        let (address, bits) = match address {
            IpAddr::V6(long) if bits >= 96 => match long.to_ipv4_mapped() {
                Some(short) => (IpAddr::V4(short), bits - 96),
                None => (address, bits),
            },
            _ => (address, bits),
        };
        match address {
            IpAddr::V4(address) if bits <= 32 => {
                let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
                let first = u32::from(address) & mask;
                four.insert(first);
                four.extend((first | !mask).checked_add(1));
            }
            IpAddr::V6(address) if bits <= 128 => {
                let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
                let first = u128::from(address) & mask;
                six.insert(first);
                six.extend((first | !mask).checked_add(1));
            }
            _ => {}
        }
    }
    let four = four.into_iter().rev().map(|bits| Ipv4Addr::from(bits).to_string());
    let six = six.into_iter().map(Ipv6Addr::from);
    let six = six.filter(|address| address.to_ipv4_mapped().is_none());
    let six: Vec<String> = six.map(|address| address.to_string()).collect();
    four.chain(six).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn op_n2_decimals_have_neighbours() {
        let found = decimals(&["5", "10.25", "x"]).unwrap();
        for wanted in ["5", "4", "6", "5.001", "4.999", "10.25", "10.249", "10.251", "0"] {
            assert!(found.iter().any(|text| text == wanted), "{wanted} in {found:?}");
        }
        assert!(decimals(&["1".repeat(40).as_str()]).is_none());
    }

    #[test]
    fn op_d2_instants_have_neighbours() {
        let found = instants(&["2020-02-29T23:59:59+01:00", "x"]).unwrap();
        for wanted in ["2020-02-29T22:59:59Z", "2020-02-29T22:59:58Z", "2020-02-29T22:59:59.5Z"] {
            assert!(found.iter().any(|text| text == wanted), "{wanted} in {found:?}");
        }
        assert!(instants(&["2020-01-01T00:00:00.25Z"]).is_none());
        assert_eq!(civil(days(2024, 2, 29) * 86_400, "").unwrap(), "2024-02-29T00:00:00Z");
    }

    #[test]
    fn op_i_addresses_have_neighbours() {
        let found = addresses(&["10.0.0.0/8", "2001:db8::/32", "192.0.2.1"]);
        for wanted in ["10.0.0.0", "11.0.0.0", "192.0.2.1", "192.0.2.2", "2001:db8::", "0.0.0.0"] {
            assert!(found.iter().any(|text| text == wanted), "{wanted} in {found:?}");
        }
    }
}
