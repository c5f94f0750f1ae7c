//! Values read from text: decimals, instants, addresses, bytes and truth.

use std::cmp::Ordering;
use std::net::IpAddr;

/// OP-N2: an exact decimal as its digits.
pub(super) struct Decimal {
    negative: bool,
    whole: String,
    fraction: String,
}

impl Decimal {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = match digits.split_once('.') {
            Some((whole, fraction)) => (whole, fraction),
            None => (digits, "0"),
        };
        if !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let whole = whole.trim_start_matches('0').to_owned();
        let fraction = fraction.trim_end_matches('0').to_owned();
        // Minus nought is nought.
        let negative = negative && !(whole.is_empty() && fraction.is_empty());
        Some(Self { negative, whole, fraction })
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let size = |left: &Self, right: &Self| {
            (left.whole.len(), &left.whole, &left.fraction).cmp(&(
                right.whole.len(),
                &right.whole,
                &right.fraction,
            ))
        };
        match (self.negative, other.negative) {
            (false, false) => size(self, other),
            (true, true) => size(other, self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit())
}

/// OP-B2
pub(super) fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// OP-D2, OP-D4: nanoseconds from 1970 on.
pub(super) fn instant(text: &str) -> Option<i128> {
    const SECOND: i128 = 1_000_000_000;
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if all_digits(unsigned) && (unsigned != text || unsigned.len() != 4) {
        // A sign or five digits and more: epoch seconds.
        let fits =
            (unsigned != text || unsigned.len() > 4) && unsigned.trim_start_matches('0').len() < 28;
        return text.parse::<i128>().ok().filter(|_| fits).map(|seconds| seconds * SECOND);
    }
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let parts: Vec<&str> = date.split('-').collect();
    let (year, month, day) = match parts.as_slice() {
        [year] => (*year, "01", "01"),
        [year, month] => (*year, *month, "01"),
        [year, month, day] => (*year, *month, *day),
        _ => return None,
    };
    let midnight = days(number(year, 4)?, number(month, 2)?, number(day, 2)?)? * 86_400 * SECOND;
    let Some(time) = time else {
        return Some(midnight);
    };
    if parts.len() != 3 {
        return None;
    }
    // The zone: `Z`, an offset, or none for UTC (OP-D4).
    let (clock, offset) = if let Some(clock) = time.strip_suffix('Z') {
        (clock, 0)
    } else if let Some(at) = time.find(['+', '-']) {
        let (clock, zone) = time.split_at(at);
        let sign = if zone.starts_with('-') { -1 } else { 1 };
        let (hours, minutes) = zone.get(1..)?.split_once(':')?;
        let (hours, minutes) = (number(hours, 2)?, number(minutes, 2)?);
        if hours > 23 || minutes > 59 {
            return None;
        }
        (clock, sign * (hours * 60 + minutes))
    } else {
        (time, 0)
    };
    let parts: Vec<&str> = clock.split(':').collect();
    let (hour, minute, second) = match parts.as_slice() {
        [hour, minute] => (*hour, *minute, "00"),
        [hour, minute, second] => (*hour, *minute, *second),
        _ => return None,
    };
    let (second, fraction) = match second.split_once('.') {
        Some((second, fraction)) if all_digits(fraction) => {
            // Kept to the nanosecond.
            let nanoseconds: String = fraction.chars().chain("000000000".chars()).take(9).collect();
            (second, number(&nanoseconds, 9)?)
        }
        Some(_) => return None,
        None => (second, 0),
    };
    let (hour, minute, second) = (number(hour, 2)?, number(minute, 2)?, number(second, 2)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = (hour * 60 + minute - offset) * 60 + second;
    Some(midnight + seconds * SECOND + fraction)
}

/// A number of exactly so many digits.
fn number(text: &str, width: usize) -> Option<i128> {
    if text.len() == width && all_digits(text) { text.parse().ok() } else { None }
}

/// Days from 1970-01-01 to a date that exists.
fn days(year: i128, month: i128, day: i128) -> Option<i128> {
    let leap = |year: i128| (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let length = |month: i128| match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap(year) => 29,
        2 => 28,
        _ => 31,
    };
    if !(1..=12).contains(&month) || !(1..=length(month)).contains(&day) {
        return None;
    }
    let year_length = |year: i128| if leap(year) { 366 } else { 365 };
    let years: i128 = if year >= 1970 {
        (1970..year).map(year_length).sum()
    } else {
        -(year..1970).map(year_length).sum::<i128>()
    };
    Some(years + (1..month).map(length).sum::<i128>() + day - 1)
}

/// Addresses in one block.
pub(super) struct Network {
    first: IpAddr,
    prefix: u32,
}

/// OP-I3: an address; IPv4 written as IPv6 is IPv4.
pub(super) fn address(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// OP-I2: a block, or a bare address as a block of one.
pub(super) fn network(text: &str) -> Option<Network> {
    let Some((base, prefix)) = text.split_once('/') else {
        return address(text).map(|first| Network { first, prefix: width(first) });
    };
    let first: IpAddr = base.parse().ok()?;
    let padded = prefix.len() > 1 && prefix.starts_with('0');
    let prefix: u32 = prefix.parse().ok().filter(|_| all_digits(prefix))?;
    if prefix > width(first) || padded {
        return None;
    }
    let canonical = first.to_canonical();
    if canonical == first {
        return Some(Network { first, prefix });
    }
    // A block wider than the mapped addresses stays IPv6.
    Some(match prefix.checked_sub(96) {
        Some(prefix) => Network { first: canonical, prefix },
        None => Network { first, prefix },
    })
}

impl Network {
    /// OP-I3: families never match each other. OP-I2: host bits are masked off.
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        self.first.is_ipv4() == address.is_ipv4() && {
            let shift = width(address) - self.prefix;
            bits(self.first).checked_shr(shift) == bits(address).checked_shr(shift)
        }
    }
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(four) => u128::from(u32::from(four)),
        IpAddr::V6(six) => u128::from(six),
    }
}

/// Bytes of base64 text of the standard alphabet, with its padding.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.strip_suffix("==").or_else(|| text.strip_suffix('=')).unwrap_or(text);
    if !text.len().is_multiple_of(4) || digits.len() % 4 == 1 {
        return None;
    }
    let mut bits: Vec<bool> = Vec::new();
    for c in digits.chars() {
        let value = ALPHABET.find(c)?;
        bits.extend((0..6).rev().map(|bit| value >> bit & 1 == 1));
    }
    let byte = |bits: &[bool]| bits.iter().fold(0_u8, |byte, bit| byte << 1 | u8::from(*bit));
    let chunks = bits.chunks_exact(8);
    // Bits left over are nought.
    if chunks.remainder().contains(&true) {
        return None;
    }
    Some(chunks.map(byte).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn op_n2_decimals_compare_exactly() {
        for (left, right, expected) in [
            ("0.1", "0.10", Ordering::Equal),
            ("10", "10.0", Ordering::Equal),
            ("-0", "+0.0", Ordering::Equal),
            ("-2", "-1", Ordering::Less),
            ("9", "10", Ordering::Less),
            ("0.3", "0.29999999999999999999", Ordering::Greater),
            ("9007199254740993", "9007199254740992", Ordering::Greater),
            ("-1", "1", Ordering::Less),
        ] {
            let order = Decimal::parse(left).zip(Decimal::parse(right)).map(|(l, r)| l.compare(&r));
            assert_eq!(order, Some(expected), "{left} {right}");
        }
        for bad in ["", "1.", ".5", "1e3", " 1", "1 ", "--1", "0x1", "1.2.3"] {
            assert!(Decimal::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn op_d2_instants_share_one_time_line() {
        for (text, seconds) in [
            ("1970", 0),
            ("1970-02", 31 * 86_400),
            ("1969-12-31T23:59:59Z", -1),
            ("2000-03-01", 951_868_800),
            ("2024-01-01T01:00+01:00", 1_704_067_200),
            ("2024-01-01T00:00:00", 1_704_067_200),
            ("1704067200", 1_704_067_200),
            ("+1970", 1970),
            ("-1", -1),
            ("01970", 1970),
        ] {
            assert_eq!(instant(text), Some(seconds * 1_000_000_000), "{text}");
        }
        assert_eq!(instant("1970-01-01T00:00:00.1234567899Z"), Some(123_456_789));
        for bad in [
            "",
            "197",
            "2023-02-29",
            "2024-1-1",
            "2024-01-01t00:00Z",
            "2024-01-01T24:00Z",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00Z",
            "2024-01T00:00Z",
            "1.5",
            "2024-01-01T00:00+1",
        ] {
            assert_eq!(instant(bad), None, "{bad}");
        }
    }

    #[test]
    fn op_i2_and_op_i3_blocks() {
        for (block, sent, inside) in [
            ("10.0.0.0/8", "10.1.2.3", true),
            ("10.9.9.9/8", "10.1.2.3", true),
            ("10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1", "10.0.0.2", false),
            ("0.0.0.0/0", "::1", false),
            ("0.0.0.0/0", "::ffff:1.2.3.4", true),
            ("::ffff:10.0.0.0/104", "10.2.3.4", true),
            ("2001:db8::/32", "2001:DB8:0:0:0:0:0:1", true),
            ("::/0", "2001:db8::1", true),
            ("::/0", "1.2.3.4", false),
        ] {
            let hit = network(block).zip(address(sent)).map(|(n, a)| n.contains(a));
            assert_eq!(hit, Some(inside), "{block} {sent}");
        }
        for bad in
            ["10.0.0.0/33", "10.0.0/8", "10.0.0.0/+8", "10.0.0.0/08", "10.0.0.0/", "::/129", "x"]
        {
            assert!(network(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn op_y1_bytes() {
        assert_eq!(base64("QmFpbA=="), Some(b"Bail".to_vec()));
        assert_eq!(base64(""), Some(Vec::new()));
        for bad in ["QmFpbA", "QmFpbB==", "Q===", "Qm F", "QmFpbA==="] {
            assert_eq!(base64(bad), None, "{bad}");
        }
    }
}
