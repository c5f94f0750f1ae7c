//! Instants in condition values (OP-D2 to OP-D5).

/// An instant on one time line: seconds since 1970 and nanoseconds.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Instant {
    seconds: i64,
    nanoseconds: u32,
}

impl Instant {
    /// Reads the W3C profile of ISO 8601, or epoch seconds.
    ///
    /// Digits only: exactly four are a year, five or more or a sign are epoch seconds (OP-D4).
    /// Missing parts are the earliest instant; a date-time without zone is UTC.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let number = !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit());
        if number && (unsigned.len() != text.len() || unsigned.len() >= 5) {
            return Some(Self { seconds: text.parse().ok()?, nanoseconds: 0 });
        }
        let mut scan = Scan(text.as_bytes());
        let year = scan.number(4)?;
        if scan.0.is_empty() {
            return Self::at(year, 1, 1, 0);
        }
        let month = scan.byte(b'-')?.number(2)?;
        if scan.0.is_empty() {
            return Self::at(year, month, 1, 0);
        }
        let day = scan.byte(b'-')?.number(2)?;
        if scan.0.is_empty() {
            return Self::at(year, month, day, 0);
        }
        let hour = scan.byte(b'T')?.number(2).filter(|hour| *hour < 24)?;
        let minute = scan.byte(b':')?.number(2).filter(|minute| *minute < 60)?;
        let mut second = 0;
        let mut nanoseconds = 0;
        if scan.next_is(b':') {
            second = scan.number(2).filter(|second| *second < 60)?;
            if scan.next_is(b'.') {
                nanoseconds = scan.fraction()?;
            }
        }
        let offset = scan.zone()?;
        let of_day = hour * 3600 + minute * 60 + second - offset;
        Some(Self { nanoseconds, ..Self::at(year, month, day, of_day)? })
    }

    /// The instant `of_day` seconds after the beginning of a day.
    fn at(year: i64, month: i64, day: i64, of_day: i64) -> Option<Self> {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => return None,
        };
        if !(1..=days).contains(&day) {
            return None;
        }
        // Days since 1970-01-01, counting years from March so that the leap day is the last.
        let year = if month <= 2 { year - 1 } else { year };
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let days = era * 146_097 + day_of_era - 719_468;
        Some(Self { seconds: days * 86_400 + of_day, nanoseconds: 0 })
    }
}

/// Whether IAM takes this value of a Date operator at write: it is looser than evaluation
/// (OP-D5).
pub(crate) fn is_writable(text: &str) -> bool {
    if Instant::parse(text).is_some() {
        return true;
    }
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits(text) {
        return text.parse::<i64>().is_ok();
    }
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (date, time) = match unsigned.split_once(['T', 't']) {
        Some((date, time)) => (date, Some(time)),
        None => (unsigned, None),
    };
    let mut parts = date.split('-');
    let year = parts.next().is_some_and(|year| year.len() >= 4 && digits(year));
    let rest: Vec<&str> = parts.collect();
    let small = |text: &str, most: u32| {
        text.len() <= 2 && digits(text) && text.parse().is_ok_and(|number: u32| number <= most)
    };
    let date_ok = year
        && rest.len() <= 2
        && rest.iter().zip([12, 31]).all(|(part, most)| small(part, most) && *part != "0");
    let time_ok = time.is_none_or(|time| {
        let zone_at = time.find(['Z', 'z', '+', '-']).unwrap_or(time.len());
        let (clock, zone) = time.split_at_checked(zone_at).unwrap_or((time, ""));
        let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
        let clock_ok = clock.split(':').count() <= 3
            && clock.split(':').zip([24, 59, 60]).all(|(part, most)| small(part, most));
        let zone = zone.trim_start_matches(['Z', 'z', '+', '-']);
        let zone_ok = zone.is_empty() || zone.split(':').all(|part| small(part, 59));
        clock_ok && digits(fraction) && zone_ok
    });
    date_ok && time_ok
}

struct Scan<'a>(&'a [u8]);

impl Scan<'_> {
    fn byte(&mut self, byte: u8) -> Option<&mut Self> {
        self.next_is(byte).then_some(self)
    }

    fn next_is(&mut self, byte: u8) -> bool {
        let rest = self.0.strip_prefix(&[byte]);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    /// Exactly so many digits.
    fn number(&mut self, digits: usize) -> Option<i64> {
        let (head, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        head.iter().try_fold(0, |number, byte| {
            byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0'))
        })
    }

    /// One digit or more; what lies beyond the nanosecond is cut.
    fn fraction(&mut self) -> Option<u32> {
        let count = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        let padded = digits.iter().chain(std::iter::repeat(&b'0')).take(9);
        let number = padded.fold(0, |number, byte| number * 10 + u32::from(byte - b'0'));
        (count > 0).then_some(number)
    }

    /// `Z`, an offset in seconds, or nothing for UTC; and then the end.
    fn zone(&mut self) -> Option<i64> {
        let sign = match self.0.first() {
            None => return Some(0),
            Some(b'Z') => return (self.0.len() == 1).then_some(0),
            Some(b'+') => 1,
            Some(b'-') => -1,
            Some(_) => return None,
        };
        self.0 = self.0.get(1..)?;
        let hours = self.number(2).filter(|hours| *hours < 24)?;
        let minutes = self.byte(b':')?.number(2).filter(|minutes| *minutes < 60)?;
        self.0.is_empty().then_some(sign * (hours * 3600 + minutes * 60))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn op_d2_to_d4_forms_of_one_instant() {
        for (text, seconds, nanoseconds) in [
            ("1970", 0, 0),
            ("2026", 1_767_225_600, 0),
            ("2026-01", 1_767_225_600, 0),
            ("2026-01-01", 1_767_225_600, 0),
            ("2026-01-01T00:00Z", 1_767_225_600, 0),
            ("2026-01-01T00:00:00", 1_767_225_600, 0),
            ("2026-01-01T01:30:00+01:30", 1_767_225_600, 0),
            ("2025-12-31T19:00:00-05:00", 1_767_225_600, 0),
            ("2026-01-01T00:00:00.5Z", 1_767_225_600, 500_000_000),
            ("2026-01-01T00:00:00.1234567899Z", 1_767_225_600, 123_456_789),
            ("1767225600", 1_767_225_600, 0),
            ("+5", 5, 0),
            ("-5", -5, 0),
            ("00005", 5, 0),
            ("2024-02-29", 1_709_164_800, 0),
            ("0000-03-01", -62_162_035_200, 0),
            ("9999-12-31T23:59:59Z", 253_402_300_799, 0),
            ("9223372036854775807", i64::MAX, 0),
        ] {
            assert_eq!(Instant::parse(text), Some(Instant { seconds, nanoseconds }), "{text}");
            assert!(is_writable(text), "{text}");
        }
    }

    // threat G08: strict, and linear in the input
    #[test]
    fn tm_g08_refuses_all_other_forms() {
        for text in [
            "",
            "-",
            "+",
            "1",
            "12",
            "123",
            "2026-1-1",
            "2026-13",
            "2026-00",
            "2026-02-30",
            "2025-02-29",
            "2026-01-01t00:00Z",
            "2026-01-01T00:00z",
            "2026-01-01T24:00Z",
            "2026-01-01T00:60Z",
            "2026-01-01T00:00:60Z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00+1:00",
            "2026-01-01T00:00+24:00",
            "2026-01-01T00:00+0100",
            "2026-01-01 00:00Z",
            "2026-01-01T00:00Zx",
            "2026-01-01T",
            "2026-01-01T0:00Z",
            "-2026-01-01",
            " 2026",
            "2026-*",
            "9223372036854775808",
            "1e9",
            "２０２６",
        ] {
            assert!(Instant::parse(text).is_none(), "{text:?}");
        }
        for text in ["1".repeat(1 << 20), "2026-01-01T00:00:00.".to_owned() + &"1".repeat(1 << 20)]
        {
            let _ = Instant::parse(&text);
        }
    }

    #[test]
    fn op_d5_write_is_looser() {
        for (text, expected) in [
            ("0", true),
            ("2026-01-01t0:00:00Z", true),
            ("2026-01-01T00:00:00+23", true),
            ("-2026-01-01", true),
            ("tomorrow", false),
            ("2026-13-01", false),
            ("9223372036854775808", false),
            ("", false),
        ] {
            assert_eq!(is_writable(text), expected, "{text}");
        }
    }
}
