//! The one door through which time and randomness come in, so that any run can be replayed.

use aws_lc_rs::digest::{SHA256, digest};
use bailiwick_identifiers::{AccessKeyId, AccessKeyKind, AccountId, IdKind, UniqueId};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

/// What time it is.
pub trait Clock: Send + Sync {
    /// The present instant. It never goes back within a process (threat I07).
    fn now(&self) -> Timestamp;

    /// The instant by which clients sign. It differs only where a development server has been told
    /// another time: its clients have not.
    fn wall(&self) -> Timestamp {
        self.now()
    }
}

/// Where randomness comes from.
pub trait Entropy: Send + Sync {
    /// Fills the bytes from a cryptographic source.
    fn fill(&self, bytes: &mut [u8]);
}

/// Makes the ids and secrets of one call. The seed belongs to the call, not to the attempt: a
/// transaction that runs again after a conflict mints the same.
#[derive(Clone)]
pub(crate) struct Mint {
    seed: [u8; 32],
    minted: u64,
}

impl Mint {
    /// A mint with a fresh seed.
    pub(crate) fn new(entropy: &dyn Entropy) -> Self {
        let mut seed = [0; 32];
        entropy.fill(&mut seed);
        Self { seed, minted: 0 }
    }

    /// The next bytes, at most 32 of them.
    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        const { assert!(N <= 32) };
        self.minted += 1;
        let mut input = [0u8; 40];
        for (slot, byte) in input.iter_mut().zip(self.seed.iter().chain(&self.minted.to_be_bytes()))
        {
            *slot = *byte;
        }
        let mut bytes = [0; N];
        for (slot, byte) in bytes.iter_mut().zip(digest(&SHA256, &input).as_ref()) {
            *slot = *byte;
        }
        bytes
    }

    /// A new unique id.
    pub(crate) fn unique_id(&mut self, kind: IdKind) -> UniqueId {
        UniqueId::from_random(kind, self.bytes())
    }

    /// A new access-key id.
    pub(crate) fn access_key_id(&mut self, kind: AccessKeyKind, account: AccountId) -> AccessKeyId {
        AccessKeyId::issue(kind, account, self.bytes())
    }

    /// A new secret: forty characters, 240 random bits, as AWS's.
    pub(crate) fn secret(&mut self) -> String {
        STANDARD.encode(self.bytes::<30>())
    }

    /// A new random UUID.
    pub(crate) fn uuid(&mut self) -> String {
        uuid(self.bytes())
    }
}

/// A random UUID (version 4) of these bits.
pub(crate) fn uuid(mut bytes: [u8; 16]) -> String {
    let [_, _, _, _, _, _, version, _, variant, ..] = &mut bytes;
    *version = *version & 0x0f | 0x40;
    *variant = *variant & 0x3f | 0x80;
    let mut uuid = String::with_capacity(36);
    for (place, byte) in bytes.into_iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            uuid.push('-');
        }
        push_hex(&mut uuid, byte);
    }
    uuid
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        push_hex(&mut text, *byte);
    }
    text
}

fn push_hex(text: &mut String, byte: u8) {
    for nibble in [byte >> 4, byte & 15] {
        text.push(char::from_digit(nibble.into(), 16).unwrap_or('0'));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);

    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn the_same_seed_mints_the_same() {
        let (mut one, mut two) = (Mint::new(&Fixed(1)), Mint::new(&Fixed(1)));
        assert_eq!(one.uuid(), two.uuid());
        assert_eq!(one.secret(), two.secret());
        assert_ne!(one.secret(), one.secret());
        assert_ne!(Mint::new(&Fixed(2)).uuid(), Mint::new(&Fixed(1)).uuid());
    }

    #[test]
    fn uuids_have_their_form() {
        let uuid = Mint::new(&Fixed(7)).uuid();
        let parts: Vec<usize> = uuid.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert_eq!(uuid.as_bytes()[14], b'4');
        assert!(matches!(uuid.as_bytes()[19], b'8' | b'9' | b'a' | b'b'));
    }
}
