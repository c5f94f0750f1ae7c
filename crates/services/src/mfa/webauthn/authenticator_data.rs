//! What the device says and signs. Source: 6.1 and 6.5.1.

use super::{Asked, Refusal, item, sha256};

/// The longest name of a key. Source: 4, credential ID.
const MAX_CREDENTIAL_ID: usize = 1023;

/// Bits that tell what the device did.
#[derive(Clone, Copy)]
pub(super) struct Flags(u8);

impl Flags {
    const fn has(self, bit: u8) -> bool {
        self.0 & bit != 0
    }

    pub(super) const fn user_present(self) -> bool {
        self.has(0x01)
    }

    pub(super) const fn user_verified(self) -> bool {
        self.has(0x04)
    }

    pub(super) const fn backup_eligible(self) -> bool {
        self.has(0x08)
    }

    pub(super) const fn backed_up(self) -> bool {
        self.has(0x10)
    }

    const fn has_key(self) -> bool {
        self.has(0x40)
    }

    const fn has_extensions(self) -> bool {
        self.has(0x80)
    }
}

pub(super) struct AuthenticatorData<'a> {
    pub(super) rp_id_hash: [u8; 32],
    pub(super) flags: Flags,
    pub(super) sign_count: u32,
    pub(super) attested: Option<Attested<'a>>,
}

/// The key that a registration brings.
pub(super) struct Attested<'a> {
    pub(super) aaguid: [u8; 16],
    pub(super) credential_id: &'a [u8],
    /// In COSE, as the device wrote it.
    pub(super) public_key: &'a [u8],
}

impl<'a> AuthenticatorData<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Refusal> {
        Self::parse(bytes).ok_or(Refusal::Unreadable("the authenticator data"))
    }

    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (rp_id_hash, rest) = bytes.split_first_chunk()?;
        let (flags, rest) = rest.split_first()?;
        let (sign_count, mut rest) = rest.split_first_chunk()?;
        let flags = Flags(*flags);
        let attested = if flags.has_key() { Some(Attested::take(&mut rest)?) } else { None };
        if flags.has_extensions() {
            let (extensions, after) = item(rest)?;
            extensions.as_map()?;
            rest = after;
        }
        let sign_count = u32::from_be_bytes(*sign_count);
        rest.is_empty().then_some(Self { rp_id_hash: *rp_id_hash, flags, sign_count, attested })
    }

    /// What registrations and assertions have in common. Source: 7.1, steps 14 to 18; 7.2, steps 15
    /// to 19.
    pub(super) fn check(&self, asked: &Asked<'_>) -> Result<(), Refusal> {
        if self.rp_id_hash != sha256(asked.party.id.as_bytes()) {
            return Err(Refusal::RelyingParty);
        }
        if !self.flags.user_present() {
            return Err(Refusal::Presence);
        }
        if asked.verified && !self.flags.user_verified() {
            return Err(Refusal::Verification);
        }
        if self.flags.backed_up() && !self.flags.backup_eligible() {
            return Err(Refusal::Flags);
        }
        Ok(())
    }
}

impl<'a> Attested<'a> {
    fn take(rest: &mut &'a [u8]) -> Option<Self> {
        let (aaguid, after) = rest.split_first_chunk()?;
        let (length, after) = after.split_first_chunk()?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (credential_id, key) = after.split_at_checked(length)?;
        let (_, after) = item(key)?;
        let public_key = key.get(..key.len().checked_sub(after.len())?)?;
        *rest = after;
        (1..=MAX_CREDENTIAL_ID).contains(&length).then_some(Self {
            aaguid: *aaguid,
            credential_id,
            public_key,
        })
    }
}
