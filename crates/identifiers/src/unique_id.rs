//! Unique ids: what an entity is, whatever it is called.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::base32;

/// What a unique id names, told by its prefix. Source: IAM user guide, reference_identifiers.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum IdKind {
    /// `AIDA`: a user.
    User,
    /// `AGPA`: a group.
    Group,
    /// `AROA`: a role.
    Role,
    /// `AIPA`: an instance profile.
    InstanceProfile,
    /// `ANPA`: a managed policy.
    Policy,
    /// `ASCA`: a server certificate.
    ServerCertificate,
    /// `APKA`: an SSH public key.
    PublicKey,
    /// `ACCA`: a service-specific credential.
    ServiceCredential,
}

impl IdKind {
    const ALL: [Self; 8] = [
        Self::User,
        Self::Group,
        Self::Role,
        Self::InstanceProfile,
        Self::Policy,
        Self::ServerCertificate,
        Self::PublicKey,
        Self::ServiceCredential,
    ];

    /// The four letters that begin an id of this kind.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::User => "AIDA",
            Self::Group => "AGPA",
            Self::Role => "AROA",
            Self::InstanceProfile => "AIPA",
            Self::Policy => "ANPA",
            Self::ServerCertificate => "ASCA",
            Self::PublicKey => "APKA",
            Self::ServiceCredential => "ACCA",
        }
    }
}

/// The unique id of an entity: a prefix of four letters and seventeen base32 letters, 85 random
/// bits (threat L03). Never reused, so a grant by id dies with its entity (rule R4 of the threat
/// model).
#[derive(Clone, Copy, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct UniqueId([u8; UniqueId::LEN]);

/// The text is no unique id of an entity.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a unique id is a known prefix of four letters and seventeen base32 letters")]
pub struct UniqueIdError;

impl UniqueId {
    /// The length of every unique id, in characters.
    pub const LEN: usize = 21;

    /// An id of this kind from eleven random bytes, of which 85 bits are used.
    pub fn from_random(kind: IdKind, random: [u8; 11]) -> Self {
        let mut bytes = [b'A'; Self::LEN];
        let body = base32::encode(&random, Self::LEN - 4);
        for (slot, byte) in bytes.iter_mut().zip(kind.prefix().bytes().chain(body.bytes())) {
            *slot = byte;
        }
        Self(bytes)
    }

    /// An id of this kind that no entity has and no text parses to: for a caller whose id is not
    /// known, so that no entry that names an id means it (PR-13). Two of them are equal to each
    /// other only.
    pub fn unknown(kind: IdKind) -> Self {
        let mut bytes = [b'-'; Self::LEN];
        for (slot, byte) in bytes.iter_mut().zip(kind.prefix().bytes()) {
            *slot = byte;
        }
        Self(bytes)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// What the id names.
    pub fn kind(&self) -> IdKind {
        let kind =
            IdKind::ALL.into_iter().find(|kind| self.0.starts_with(kind.prefix().as_bytes()));
        kind.unwrap_or(IdKind::User)
    }
}

impl FromStr for UniqueId {
    type Err = UniqueIdError;

    fn from_str(text: &str) -> Result<Self, UniqueIdError> {
        let bytes: [u8; Self::LEN] = text.as_bytes().try_into().map_err(|_| UniqueIdError)?;
        let known = IdKind::ALL.iter().any(|kind| text.starts_with(kind.prefix()));
        let body = bytes.iter().skip(4).all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        if known && body { Ok(Self(bytes)) } else { Err(UniqueIdError) }
    }
}

impl fmt::Display for UniqueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for UniqueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<String> for UniqueId {
    type Error = UniqueIdError;

    fn try_from(text: String) -> Result<Self, UniqueIdError> {
        text.parse()
    }
}

impl From<UniqueId> for String {
    fn from(id: UniqueId) -> Self {
        id.as_str().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_ids_parse() {
        for kind in IdKind::ALL {
            for random in [[0; 11], [0xff; 11], [0x5a; 11]] {
                let id = UniqueId::from_random(kind, random);
                assert_eq!(id.as_str().parse(), Ok(id));
                assert_eq!(id.kind(), kind);
                assert_eq!(id.as_str().len(), 21);
            }
        }
    }

    #[test]
    fn refuses_what_is_no_id() {
        for text in
            ["", "AIDA", "XXXXQQQQQQQQQQQQQQQQQ", "AIDAqqqqqqqqqqqqqqqqq", "AIDAQQQQQQQQQQQQQQQQQQ"]
        {
            assert_eq!(text.parse::<UniqueId>(), Err(UniqueIdError), "{text}");
        }
    }

    #[test]
    fn an_unknown_id_is_of_its_kind_and_parses_from_no_text() {
        for kind in IdKind::ALL {
            let unknown = UniqueId::unknown(kind);
            assert_eq!(unknown.kind(), kind);
            assert_eq!(unknown.as_str().parse::<UniqueId>(), Err(UniqueIdError));
        }
    }

    #[test]
    fn tm_l03_every_random_bit_counts() {
        let base = UniqueId::from_random(IdKind::User, [0; 11]);
        for bit in 0..85 {
            let mut random = [0u8; 11];
            random[bit / 8] = 0x80 >> (bit % 8);
            assert_ne!(UniqueId::from_random(IdKind::User, random), base, "bit {bit}");
        }
    }
}
