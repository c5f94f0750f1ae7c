//! Instants as the protocols write them.
//!
//! Reading is strict: one form, ASCII digits only, checked field by field (threat G08). AWS's query
//! services write whole seconds; JSON ones write epoch seconds; CloudTrail has a form of its own.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Reads `2026-11-21T22:00:00Z`, with an optional fraction of up to nine digits and an offset
/// `Z` or `+hh:mm`. `None` for all else.
pub fn parse_iso(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| -> Option<i16> {
        let digits = bytes.get(from..to)?;
        digits.iter().try_fold(0_i16, |sum, byte| {
            let digit = byte.is_ascii_digit().then(|| i16::from(byte - b'0'))?;
            sum.checked_mul(10)?.checked_add(digit)
        })
    };
    let small =
        |from: usize, to: usize| number(from, to).and_then(|number| i8::try_from(number).ok());
    let mark = |at: usize, expected: u8| (bytes.get(at) == Some(&expected)).then_some(());
    mark(4, b'-')?;
    mark(7, b'-')?;
    mark(10, b'T')?;
    mark(13, b':')?;
    mark(16, b':')?;
    let (fraction, offset) = fraction(bytes.get(19..)?)?;
    let date = Date::new(number(0, 4)?, small(5, 7)?, small(8, 10)?).ok()?;
    let (hour, minute, second) = (small(11, 13)?, small(14, 16)?, small(17, 19)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let instant = date.at(hour, minute, second, fraction).to_zoned(TimeZone::UTC).ok()?.timestamp();
    instant.checked_sub(SignedDuration::from_mins(offset)).ok()
}

/// Reads `.5Z`: nanoseconds, and minutes east of UTC.
fn fraction(rest: &[u8]) -> Option<(i32, i64)> {
    let (nanoseconds, zone) = match rest.split_first()? {
        (b'.', rest) => {
            let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if !(1..=9).contains(&count) {
                return None;
            }
            let (digits, zone) = rest.split_at_checked(count)?;
            let number = digits.iter().fold(0_i32, |sum, digit| sum * 10 + i32::from(digit - b'0'));
            (number * 10_i32.pow(u32::try_from(9 - count).ok()?), zone)
        }
        _ => (0, rest),
    };
    let minutes = match zone {
        b"Z" => 0,
        [sign @ (b'+' | b'-'), a, b, b':', c, d]
            if [a, b, c, d].iter().all(|byte| byte.is_ascii_digit()) =>
        {
            let digit = |byte: &u8| i64::from(byte - b'0');
            let (hours, minutes) = (digit(a) * 10 + digit(b), digit(c) * 10 + digit(d));
            if hours > 23 || minutes > 59 {
                return None;
            }
            let total = hours * 60 + minutes;
            if *sign == b'-' { -total } else { total }
        }
        _ => return None,
    };
    Some((nanoseconds, minutes))
}

/// Writes whole seconds: `2026-11-21T22:00:00Z`. A fraction is dropped.
pub fn write_iso(instant: Timestamp) -> String {
    // Every call prints a few instants, so this one form is written by hand.
    let at = jiff::tz::Offset::UTC.to_datetime(instant);
    let Ok(year @ 0..=9999) = u32::try_from(at.year()) else {
        return instant.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    };
    let mut text = String::with_capacity(20);
    let mut put = |number: u32, digits: u32, end: char| {
        for place in (0..digits).rev() {
            text.push(char::from_digit(number / 10_u32.pow(place) % 10, 10).unwrap_or('0'));
        }
        text.push(end);
    };
    let small = |number: i8| u32::from(number.unsigned_abs());
    put(year, 4, '-');
    put(small(at.month()), 2, '-');
    put(small(at.day()), 2, 'T');
    put(small(at.hour()), 2, ':');
    put(small(at.minute()), 2, ':');
    put(small(at.second()), 2, 'Z');
    text
}

/// Writes as CloudTrail does inside request and response elements: `Nov 21, 2026 10:00:00 PM`.
pub fn write_cloudtrail(instant: Timestamp) -> String {
    instant.strftime("%b %-d, %Y %-I:%M:%S %p").to_string()
}

/// Reads epoch seconds. Fractions are kept to the millisecond, as the JSON protocols promise.
/// `None` when it is no number or outside the years jiff can hold.
pub fn from_epoch(seconds: f64) -> Option<Timestamp> {
    // 253402207200 s is the end of the year 9999: far inside the exact range of both types.
    if !seconds.is_finite() || seconds.abs() > 253_402_207_200.0 {
        return None;
    }
    #[allow(clippy::cast_possible_truncation, reason = "the range was checked above")]
    let milliseconds = (seconds * 1000.0).round() as i64;
    Timestamp::from_millisecond(milliseconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_as_strftime_does() {
        for second in [0, -1, 1_700_000_000, 4_102_444_799, 951_782_400, -62_167_219_200] {
            let instant = Timestamp::from_second(second).unwrap();
            let expected = instant.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            assert_eq!(write_iso(instant), expected);
        }
    }

    #[test]
    fn tm_g08_iso_reading_is_strict() {
        for (text, expected) in [
            ("2026-11-21T22:00:00Z", Some("2026-11-21T22:00:00Z")),
            ("2026-11-21T22:00:00.999Z", Some("2026-11-21T22:00:00Z")),
            ("2026-11-21T22:00:00+02:00", Some("2026-11-21T20:00:00Z")),
            ("2026-11-21T22:00:00-00:30", Some("2026-11-21T22:30:00Z")),
            ("2024-02-29T00:00:00Z", Some("2024-02-29T00:00:00Z")),
            ("2026-02-29T00:00:00Z", None),
            ("2026-11-21t22:00:00Z", None),
            ("2026-11-21T22:00:00", None),
            ("2026-11-21T24:00:00Z", None),
            ("2026-11-21T22:00:60Z", None),
            ("2026-11-21T22:00:00.Z", None),
            ("2026-11-21T22:00:00.0000000001Z", None),
            ("2026-11-21T22:00:00Z[UTC]", None),
            ("+02026-11-21T22:00:00Z", None),
            ("2026-11-21", None),
            ("", None),
            ("２026-11-21T22:00:00Z", None),
        ] {
            assert_eq!(parse_iso(text).map(write_iso).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn cloudtrail_and_epoch() {
        let instant = parse_iso("2026-11-01T22:05:00Z").unwrap();
        assert_eq!(write_cloudtrail(instant), "Nov 1, 2026 10:05:00 PM");
        assert_eq!(from_epoch(1_793_570_700.5).unwrap().as_millisecond(), 1_793_570_700_500);
        assert_eq!(from_epoch(f64::NAN), None);
        assert_eq!(from_epoch(1e300), None);
    }
}
