//! The two spellings of an instant that signed requests use, and nothing more:
//! ISO 8601 basic (`20150830T123600Z`) and the HTTP date (`Sun, 30 Aug 2015 12:36:00 GMT`).
//!
//! Parsing is strict: fixed width, digits where digits belong, real calendar days, no leap second.
//! A date that is read two ways by two parties is a forged date (threat A06).

use jiff::Timestamp;

const MONTHS: [&[u8]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];
const DAYS: [&[u8]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];
const SECONDS_PER_DAY: i64 = 86_400;

/// An instant to the second in ISO 8601 basic form, as the string to sign has it.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) struct Stamp {
    text: [u8; 16],
    second: i64,
}

impl Stamp {
    /// Reads `YYYYMMDDTHHMMSSZ`.
    pub(super) fn parse_basic(text: &[u8]) -> Option<Self> {
        let [y1, y2, y3, y4, m1, m2, d1, d2, b'T', h1, h2, n1, n2, s1, s2, b'Z'] = *text else {
            return None;
        };
        Self::from_parts(
            number(&[y1, y2, y3, y4])?,
            number(&[m1, m2])?,
            number(&[d1, d2])?,
            number(&[h1, h2])?,
            number(&[n1, n2])?,
            number(&[s1, s2])?,
        )
    }

    /// Reads an HTTP date. The zone may be `GMT`, or `UTC`, `+0000` or `-0000` as mail libraries write it.
    pub(super) fn parse_http(text: &[u8]) -> Option<Self> {
        let (day_name, rest) = text.split_first_chunk::<3>()?;
        let rest = rest.strip_prefix(b", ")?;
        if !DAYS.contains(&day_name.as_slice()) {
            return None;
        }
        let ([d1, d2, b' ', m1, m2, m3, b' ', y1, y2, y3, y4, b' ', clock @ ..], zone) =
            rest.split_first_chunk::<20>()?
        else {
            return None;
        };
        let [h1, h2, b':', n1, n2, b':', s1, s2] = clock else {
            return None;
        };
        if !matches!(zone, b" GMT" | b" UTC" | b" +0000" | b" -0000") {
            return None;
        }
        let month = MONTHS.iter().position(|name| *name == [*m1, *m2, *m3])?;
        Self::from_parts(
            number(&[*y1, *y2, *y3, *y4])?,
            i64::try_from(month).ok()? + 1,
            number(&[*d1, *d2])?,
            number(&[*h1, *h2])?,
            number(&[*n1, *n2])?,
            number(&[*s1, *s2])?,
        )
    }

    /// The second that holds `instant`; `None` outside the years 0000 to 9999.
    pub(super) fn from_timestamp(instant: Timestamp) -> Option<Self> {
        Self::from_second(instant.as_second())
    }

    /// The instant, to the second.
    pub(super) fn timestamp(&self) -> Option<Timestamp> {
        Timestamp::from_second(self.second).ok()
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub(super) fn second(&self) -> i64 {
        self.second
    }

    /// `YYYYMMDDTHHMMSSZ`.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.text
    }

    /// `YYYYMMDDTHHMMSSZ`.
    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text).unwrap_or_default()
    }

    /// `YYYYMMDD`.
    pub(super) fn day(&self) -> &str {
        self.as_str().get(..8).unwrap_or_default()
    }

    fn from_parts(y: i64, m: i64, d: i64, hour: i64, minute: i64, second: i64) -> Option<Self> {
        if !(1..=12).contains(&m) || d < 1 || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let days = days_from_civil(y, m, d);
        // A day that does not exist (31 April, 29 February) comes back as another one.
        if civil_from_days(days) != (y, m, d) {
            return None;
        }
        Self::from_second(days * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second)
    }

    fn from_second(second: i64) -> Option<Self> {
        let (y, m, d) = civil_from_days(second.div_euclid(SECONDS_PER_DAY));
        let clock = second.rem_euclid(SECONDS_PER_DAY);
        if !(0..=9999).contains(&y) {
            return None;
        }
        let (hour, minute, rest) = (clock / 3600, clock / 60 % 60, clock % 60);
        let [y1, y2] = two(y / 100);
        let [y3, y4] = two(y % 100);
        let ([m1, m2], [d1, d2], [h1, h2]) = (two(m), two(d), two(hour));
        let ([n1, n2], [s1, s2]) = (two(minute), two(rest));
        let text = [y1, y2, y3, y4, m1, m2, d1, d2, b'T', h1, h2, n1, n2, s1, s2, b'Z'];
        Some(Self { text, second })
    }
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0_i64, |value, byte| {
        byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0'))
    })
}

/// The two decimal digits of a number from 0 to 99.
fn two(value: i64) -> [u8; 2] {
    let digit = |n: i64| b'0' + u8::try_from(n.rem_euclid(10)).unwrap_or(0);
    [digit(value / 10), digit(value)]
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar, by eras of 400 years that start in March.
fn days_from_civil(y: i64, m: i64, d: i64) -> i64 {
    let y = if m <= 2 { y - 1 } else { y };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let day_of_year = (153 * ((m + 9) % 12) + 2) / 5 + d - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The inverse of [`days_from_civil`]: year, month, day.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let d = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let m = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let y = year_of_era + era * 400 + i64::from(m <= 2);
    (y, m, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tm_a06_basic_dates_are_strict() {
        for (text, second) in [
            ("20150830T123600Z", Some(1_440_938_160)),
            ("19700101T000000Z", Some(0)),
            ("20240229T235959Z", Some(1_709_251_199)),
            ("20230229T000000Z", None),
            ("20230431T000000Z", None),
            ("20231301T000000Z", None),
            ("20230001T000000Z", None),
            ("20230100T000000Z", None),
            ("20230101T240000Z", None),
            ("20230101T006000Z", None),
            ("20230101T000060Z", None),
            ("20230101t000000z", None),
            ("20230101T000000", None),
            ("20230101T000000+", None),
            ("2023-01-01T00:00:00Z", None),
            ("+0230101T000000Z", None),
            ("", None),
        ] {
            let stamp = Stamp::parse_basic(text.as_bytes());
            assert_eq!(stamp.map(|s| s.second), second, "{text:?}");
            if let Some(stamp) = stamp {
                assert_eq!(stamp.as_str(), text);
            }
        }
    }

    #[test]
    fn tm_a06_http_dates_are_strict() {
        for (text, basic) in [
            ("Sun, 30 Aug 2015 12:36:00 GMT", Some("20150830T123600Z")),
            ("Sun, 30 Aug 2015 12:36:00 -0000", Some("20150830T123600Z")),
            ("Sun, 30 Aug 2015 12:36:00 +0100", None),
            ("Sun, 30 Aug 2015 12:36:00", None),
            ("Sun, 31 Apr 2015 12:36:00 GMT", None),
            ("Sun 30 Aug 2015 12:36:00 GMT", None),
            ("Xun, 30 Aug 2015 12:36:00 GMT", None),
            ("Sun, 30 AUG 2015 12:36:00 GMT", None),
            ("Sunday, 30-Aug-15 12:36:00 GMT", None),
        ] {
            let stamp = Stamp::parse_http(text.as_bytes());
            assert_eq!(stamp.as_ref().map(Stamp::as_str), basic, "{text:?}");
        }
    }

    #[test]
    fn every_day_of_ten_millennia_comes_back() {
        let (first, last) = (days_from_civil(0, 1, 1), days_from_civil(9999, 12, 31));
        for days in first..=last {
            let (y, m, d) = civil_from_days(days);
            assert_eq!(days_from_civil(y, m, d), days);
        }
        assert!(Stamp::from_second((last + 1) * SECONDS_PER_DAY).is_none());
        assert!(Stamp::from_second(first * SECONDS_PER_DAY - 1).is_none());
    }
}
