//! Access-key ids, which carry the number of their account.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{AccountId, base32};

/// How long the credentials behind a key id live.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum AccessKeyKind {
    /// `AKIA`: a key of a user or of the account root, good until it is deleted.
    LongTerm,
    /// `ASIA`: a key of a session, good only with its session token.
    Temporary,
}

impl AccessKeyKind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::LongTerm => "AKIA",
            Self::Temporary => "ASIA",
        }
    }
}

/// The id of an access key: 16 to 128 word characters.
///
/// Ids issued here have 20: a prefix, then sixteen base32 letters whose first 48 bits hold the
/// account number above their lowest seven bits, as AWS's do (*observed*). So GetAccessKeyInfo
/// needs no index for them; imported ids may hold anything and do.
#[derive(Clone, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccessKeyId(Box<str>);

/// The text is no access-key id.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("an access key id is 16 to 128 letters, digits and underscores")]
pub struct AccessKeyIdError;

const ACCOUNT_SHIFT: u32 = 7;
const ACCOUNT_MASK: u64 = 0x7fff_ffff_ff80;

impl AccessKeyId {
    /// A new id for a key of `account`; 40 of the 80 bits come from `random`.
    pub fn issue(kind: AccessKeyKind, account: AccountId, random: [u8; 5]) -> Self {
        let [flags, low @ ..] = random;
        let flags = u64::from(flags);
        let head = (flags >> 7 << 47) | (account.number() << ACCOUNT_SHIFT) | (flags & 0x7f);
        let mut bytes = [0u8; 10];
        let head = head.to_be_bytes();
        for (slot, byte) in bytes.iter_mut().zip(head.iter().skip(2).chain(low.iter())) {
            *slot = *byte;
        }
        Self(format!("{}{}", kind.prefix(), base32::encode(&bytes, 16)).into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the prefix says of the key, or nothing for other prefixes.
    pub fn kind(&self) -> Option<AccessKeyKind> {
        [AccessKeyKind::LongTerm, AccessKeyKind::Temporary]
            .into_iter()
            .find(|kind| self.0.starts_with(kind.prefix()))
    }

    /// The account encoded in the id, when its letters are base32 and hold a possible number.
    /// An answer is a hint: anybody may write such an id.
    pub fn account(&self) -> Option<AccountId> {
        let body = self.0.as_bytes().get(4..20)?;
        let mut head = 0u64;
        for letter in body.iter().take(10) {
            head = (head << 5) | u64::from(base32::bits(*letter)?);
        }
        // Ten letters hold fifty bits; the lowest two belong to the random tail.
        AccountId::from_number(((head >> 2) & ACCOUNT_MASK) >> ACCOUNT_SHIFT)
    }
}

impl FromStr for AccessKeyId {
    type Err = AccessKeyIdError;

    fn from_str(text: &str) -> Result<Self, AccessKeyIdError> {
        let word = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if (16..=128).contains(&text.len()) && word {
            Ok(Self(text.into()))
        } else {
            Err(AccessKeyIdError)
        }
    }
}

impl fmt::Display for AccessKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AccessKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for AccessKeyId {
    type Error = AccessKeyIdError;

    fn try_from(text: String) -> Result<Self, AccessKeyIdError> {
        text.parse()
    }
}

impl From<AccessKeyId> for String {
    fn from(id: AccessKeyId) -> Self {
        id.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issued_ids_carry_their_account() {
        for number in [0, 1, 123_456_789_012, 999_999_999_999] {
            let account = AccountId::from_number(number).unwrap();
            for random in [[0; 5], [0xff; 5], [0x80, 1, 2, 3, 4]] {
                let id = AccessKeyId::issue(AccessKeyKind::LongTerm, account, random);
                assert_eq!(id.as_str().len(), 20);
                assert_eq!(id.account(), Some(account), "{id}");
                assert_eq!(id.kind(), Some(AccessKeyKind::LongTerm));
            }
        }
    }

    /// Published examples of the decoding: security research pages on key ids.
    #[test]
    fn decodes_ids_as_aws_issues_them() {
        for (id, account) in [
            ("ASIAQNZGKIQY56JQ7WML", Some("029608264753")),
            ("ASIAY34FZKBOKMUTVV7A", Some("609629065308")),
            ("AKIAI44QH8DHBEXAMPLE", None),
        ] {
            let decoded = id.parse::<AccessKeyId>().unwrap().account();
            assert_eq!(decoded.map(|a| a.to_string()).as_deref(), account, "{id}");
        }
    }

    #[test]
    fn refuses_what_is_no_id() {
        for text in ["", "AKIA", "AKIA-4QH8DHBEXAMPLE", "AKIAI44QH8DHBEX\n", "AKIAI44QH8DHBEXÄ"] {
            assert_eq!(text.parse::<AccessKeyId>(), Err(AccessKeyIdError), "{text}");
        }
    }
}
