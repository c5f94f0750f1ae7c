//! Exact decimals (OP-N2).

use std::cmp::Ordering;

/// A decimal number as its significant digits: never a binary float, and of any length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decimal<'a> {
    negative: bool,
    /// Without leading zeros.
    whole: &'a str,
    /// Without trailing zeros.
    fraction: &'a str,
}

impl<'a> Decimal<'a> {
    /// Reads `[+-]?digits[.digits]`: no exponent, no blanks, nothing after.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let negative = text.starts_with('-');
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let (whole, fraction) = match unsigned.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (unsigned, ""),
        };
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) {
            return None;
        }
        let whole = whole.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');
        let zero = whole.is_empty() && fraction.is_empty();
        Some(Self { negative: negative && !zero, whole, fraction })
    }

    pub(crate) fn compare(&self, other: &Decimal<'_>) -> Ordering {
        let magnitude = self
            .whole
            .len()
            .cmp(&other.whole.len())
            .then_with(|| self.whole.cmp(other.whole))
            .then_with(|| self.fraction.cmp(other.fraction));
        match (self.negative, other.negative) {
            (false, false) => magnitude,
            (true, true) => magnitude.reverse(),
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(left: &str, right: &str) -> Option<Ordering> {
        Some(Decimal::parse(left)?.compare(&Decimal::parse(right)?))
    }

    // OP-N2, threat G09
    #[test]
    fn tm_g09_decimals_are_exact() {
        for (left, right, expected) in [
            ("0.1", "0.10", Ordering::Equal),
            ("10", "10.0", Ordering::Equal),
            ("-0", "+0.0", Ordering::Equal),
            ("007", "7", Ordering::Equal),
            ("9007199254740993", "9007199254740992", Ordering::Greater),
            ("0.30000000000000004", "0.3", Ordering::Greater),
            ("99999999999999999999999999", "100000000000000000000000000", Ordering::Less),
            ("-2", "-1", Ordering::Less),
            ("-1", "1", Ordering::Less),
            ("1.5", "1.45", Ordering::Greater),
            ("0.05", "0.5", Ordering::Less),
        ] {
            assert_eq!(compare(left, right), Some(expected), "{left} {right}");
            assert_eq!(compare(right, left), Some(expected.reverse()), "{right} {left}");
        }
        for text in ["", "+", "1e9", "1.", ".5", " 1", "1 ", "0x1", "1.2.3", "--1", "١", "1,5"] {
            assert!(Decimal::parse(text).is_none(), "{text:?}");
        }
    }
}
