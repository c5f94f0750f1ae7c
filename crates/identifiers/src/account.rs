//! Account ids.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The id of an AWS account: twelve decimal digits, leading zeros included.
#[derive(Clone, Copy, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountId(u64);

/// The text is not twelve digits.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("an account id is exactly twelve digits")]
pub struct AccountIdError;

impl AccountId {
    /// One more than the largest account number.
    pub const LIMIT: u64 = 1_000_000_000_000;

    /// The account with this number, if it fits twelve digits.
    pub const fn from_number(number: u64) -> Option<Self> {
        if number < Self::LIMIT { Some(Self(number)) } else { None }
    }

    /// The account id as a number.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The twelve digits as text, in room that the caller lends: no allocation.
    pub fn digits(self, room: &mut [u8; 12]) -> &str {
        // Two halves, for the divisions of one do not wait for those of the other.
        let (mut high, mut low) = (self.0 / 1_000_000, self.0 % 1_000_000);
        let (left, right) = room.split_at_mut(6);
        for (left, right) in left.iter_mut().rev().zip(right.iter_mut().rev()) {
            *left = digit(high % 10);
            *right = digit(low % 10);
            high /= 10;
            low /= 10;
        }
        std::str::from_utf8(room).unwrap_or_default()
    }

    /// An account id from random bits, never with a leading zero so that it survives tools that
    /// take it for a number.
    pub const fn from_random(random: u64) -> Self {
        Self(Self::LIMIT / 10 + random % (Self::LIMIT / 10 * 9))
    }
}

/// The digit of a number below ten.
fn digit(number: u64) -> u8 {
    u8::try_from(number).map_or(b'0', |number| b'0' + number)
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012}", self.0)
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for AccountId {
    type Err = AccountIdError;

    fn from_str(text: &str) -> Result<Self, AccountIdError> {
        if text.len() != 12 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(AccountIdError);
        }
        text.parse().map(Self).map_err(|_| AccountIdError)
    }
}

impl TryFrom<String> for AccountId {
    type Error = AccountIdError;

    fn try_from(text: String) -> Result<Self, AccountIdError> {
        text.parse()
    }
}

impl From<AccountId> for String {
    fn from(id: AccountId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_exactly_twelve_digits() {
        for (text, expected) in [
            ("123456789012", Ok(AccountId(123_456_789_012))),
            ("000000000001", Ok(AccountId(1))),
            ("12345678901", Err(AccountIdError)),
            ("1234567890123", Err(AccountIdError)),
            ("+12345678901", Err(AccountIdError)),
            ("12345678901a", Err(AccountIdError)),
            ("", Err(AccountIdError)),
        ] {
            assert_eq!(text.parse(), expected, "{text:?}");
        }
        assert_eq!(AccountId(1).to_string(), "000000000001");
    }

    #[test]
    fn random_ids_have_twelve_digits() {
        for random in [0, 1, u64::MAX, 899_999_999_999, 900_000_000_000] {
            let id = AccountId::from_random(random);
            assert_eq!(id.number().to_string().len(), 12);
        }
    }
}
