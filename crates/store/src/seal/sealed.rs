//! Sealing and opening one value.

use aws_lc_rs::aead::{Aad, Nonce};
use zeroize::Zeroizing;

use super::keyring::Keyring;
use super::purpose::Purpose;

/// The length of a nonce in bytes.
pub const NONCE_LEN: usize = 12;

/// How many bytes longer a sealed value is than its plaintext.
pub const OVERHEAD: usize = HEADER_LEN + NONCE_LEN + TAG_LEN;

/// The longest plaintext in bytes.
pub const MAX_SEALED_PLAINTEXT: usize = 1024 * 1024;

const FORMAT: u8 = 1;
const HEADER_LEN: usize = 5;
const TAG_LEN: usize = 16;

/// The record that a sealed value belongs to (L02). It is authenticated with the value and not stored, so
/// it must be the same, byte for byte, when the value is opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Binding<'a> {
    /// The kind of record, such as `access-key`.
    pub kind: &'a str,
    /// The unique id of the record, such as the access key id.
    pub id: &'a [u8],
    /// The version of the record's form, or a count that grows with each change of the value; with a count
    /// an old value put back does not open.
    pub version: u64,
}

/// Why a value cannot be sealed or opened. It says nothing about the content.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SealError {
    /// The plaintext is longer than [`MAX_SEALED_PLAINTEXT`].
    #[error("a value of {len} bytes is too long to be sealed")]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// The sealed bytes are too short, too long or of an unknown format.
    #[error("the sealed value has no form that is known")]
    Form,
    /// The keyring does not hold the key version that sealed the value.
    #[error("the sealed value needs version {version} of the master key, which was not given")]
    UnknownKey {
        /// The version.
        version: u32,
    },
    /// The value was changed, was sealed for another purpose or record, or under another key.
    #[error("the sealed value does not open")]
    Unauthentic,
    /// The cryptographic library refused to seal.
    #[error("the cryptographic library refused to seal")]
    Refused,
}

impl Keyring {
    /// Seals a value with the newest key of a purpose. `nonce` must be random; a fresh one for each call.
    pub fn seal(
        &self,
        purpose: Purpose,
        binding: &Binding<'_>,
        plaintext: &[u8],
        nonce: [u8; NONCE_LEN],
    ) -> Result<Vec<u8>, SealError> {
        if plaintext.len() > MAX_SEALED_PLAINTEXT {
            return Err(SealError::TooLong { len: plaintext.len() });
        }
        let version = self.newest();
        let key = self.sealing_key(version, purpose).ok_or(SealError::UnknownKey { version })?;
        let header = header(version);
        let mut sealed = Vec::with_capacity(plaintext.len() + OVERHEAD);
        sealed.extend_from_slice(&header);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plaintext);
        let (_, body) = sealed.split_at_mut(HEADER_LEN + NONCE_LEN);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let aad = Aad::from(associated(header, binding));
        let tag =
            key.seal_in_place_separate_tag(nonce, aad, body).map_err(|_| SealError::Refused)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Opens a value that was sealed for the same purpose and binding by any version of the master key.
    pub fn open(
        &self,
        purpose: Purpose,
        binding: &Binding<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        if sealed.len() > MAX_SEALED_PLAINTEXT + OVERHEAD {
            return Err(SealError::Form);
        }
        let version = Self::sealed_version(sealed)?;
        let (_, rest) = sealed.split_at_checked(HEADER_LEN).ok_or(SealError::Form)?;
        let (nonce, body) = rest.split_at_checked(NONCE_LEN).ok_or(SealError::Form)?;
        let key = self.sealing_key(version, purpose).ok_or(SealError::UnknownKey { version })?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Form)?;
        let aad = Aad::from(associated(header(version), binding));
        let mut plaintext = Zeroizing::new(body.to_vec());
        let len = key
            .open_in_place(nonce, aad, &mut plaintext)
            .map_err(|_| SealError::Unauthentic)?
            .len();
        plaintext.truncate(len);
        Ok(plaintext)
    }

    /// The version of the master key that sealed a value: what `rekey` looks for. The value is not opened.
    pub fn sealed_version(sealed: &[u8]) -> Result<u32, SealError> {
        if sealed.len() < OVERHEAD {
            return Err(SealError::Form);
        }
        match sealed.first_chunk::<HEADER_LEN>() {
            Some([FORMAT, a, b, c, d]) => Ok(u32::from_be_bytes([*a, *b, *c, *d])),
            _ => Err(SealError::Form),
        }
    }
}

fn header(version: u32) -> [u8; HEADER_LEN] {
    let [a, b, c, d] = version.to_be_bytes();
    [FORMAT, a, b, c, d]
}

/// The associated data; each part with its length, so that no two bindings give the same bytes.
fn associated(header: [u8; HEADER_LEN], binding: &Binding<'_>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_LEN + 24 + binding.kind.len() + binding.id.len());
    bytes.extend_from_slice(&header);
    for part in [binding.kind.as_bytes(), binding.id] {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes.extend_from_slice(&binding.version.to_be_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Binding<'_> = Binding { kind: "access-key", id: b"AKIAEXAMPLE", version: 1 };

    fn keyring() -> Keyring {
        Keyring::from_bytes([7; 32]).unwrap()
    }

    fn sealed() -> Vec<u8> {
        keyring().seal(Purpose::AccessKeySecret, &KEY, b"secret", [9; 12]).unwrap()
    }

    #[test]
    fn seals_and_opens() {
        for plaintext in [&b""[..], b"x", &[0; 5000]] {
            let sealed = keyring().seal(Purpose::MfaSeed, &KEY, plaintext, [1; 12]).unwrap();
            assert_eq!(sealed.len(), plaintext.len() + OVERHEAD);
            assert_eq!(*keyring().open(Purpose::MfaSeed, &KEY, &sealed).unwrap(), plaintext);
        }
    }

    #[test]
    fn tm_l02_a_value_opens_only_in_its_own_record() {
        let other = |kind, id, version| Binding { kind, id, version };
        for binding in [
            other("access-key", b"AKIAOTHER".as_slice(), 1),
            other("signing-key", KEY.id, 1),
            other(KEY.kind, KEY.id, 2),
            // The same bytes, parted elsewhere.
            other("access-keyA", b"KIAEXAMPLE", 1),
        ] {
            let opened = keyring().open(Purpose::AccessKeySecret, &binding, &sealed());
            assert_eq!(opened.err(), Some(SealError::Unauthentic), "{binding:?}");
        }
    }

    #[test]
    fn tm_l06_a_value_opens_only_for_its_own_purpose() {
        for purpose in Purpose::ALL {
            let opened = keyring().open(*purpose, &KEY, &sealed());
            assert_eq!(opened.is_ok(), *purpose == Purpose::AccessKeySecret, "{purpose}");
        }
    }

    #[test]
    fn tm_l06_rotation_keeps_old_values_readable() {
        let old = keyring();
        let new = old.rotated(&mut |bytes| bytes.fill(8)).unwrap();
        let before = sealed();
        let after = new.seal(Purpose::AccessKeySecret, &KEY, b"secret", [9; 12]).unwrap();
        assert_eq!(Keyring::sealed_version(&before), Ok(1));
        assert_eq!(Keyring::sealed_version(&after), Ok(2));
        assert_eq!(*new.open(Purpose::AccessKeySecret, &KEY, &before).unwrap(), b"secret");
        assert_eq!(*new.open(Purpose::AccessKeySecret, &KEY, &after).unwrap(), b"secret");
        assert_eq!(
            old.open(Purpose::AccessKeySecret, &KEY, &after).err(),
            Some(SealError::UnknownKey { version: 2 }),
        );
        let retired = new.retired(1).unwrap();
        assert_eq!(
            retired.open(Purpose::AccessKeySecret, &KEY, &before).err(),
            Some(SealError::UnknownKey { version: 1 }),
        );
    }

    /// B01, I04: no changed byte passes, in the header, the nonce, the text or the tag.
    #[test]
    fn tm_l02_every_flipped_bit_is_refused() {
        let sealed = sealed();
        for bit in 0..sealed.len() * 8 {
            let mut flipped = sealed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(keyring().open(Purpose::AccessKeySecret, &KEY, &flipped).is_err(), "bit {bit}");
        }
        for len in 0..sealed.len() {
            assert!(keyring().open(Purpose::AccessKeySecret, &KEY, &sealed[..len]).is_err());
        }
    }

    /// A repeated nonce must not reveal the difference of two plaintexts, as a stream cipher would.
    #[test]
    fn tm_l03_a_repeated_nonce_does_not_reveal_plaintext() {
        let seal = |text: &[u8]| keyring().seal(Purpose::MfaSeed, &KEY, text, [0; 12]).unwrap();
        let (one, two) = (seal(b"aaaaaaaaaaaaaaaa"), seal(b"aaaaaaaaaaaaaaab"));
        let body = HEADER_LEN + NONCE_LEN..HEADER_LEN + NONCE_LEN + 16;
        let same = one[body.clone()].iter().zip(&two[body]).filter(|(a, b)| a == b).count();
        assert!(same < 6, "{same} of 16 bytes are equal");
    }

    #[test]
    fn tm_l03_nonces_come_from_the_caller_and_differ() {
        let seal = |nonce| keyring().seal(Purpose::MfaSeed, &KEY, b"secret", nonce).unwrap();
        assert_eq!(seal([1; 12])[HEADER_LEN..HEADER_LEN + NONCE_LEN], [1; 12]);
        assert_ne!(seal([1; 12]), seal([2; 12]));
    }

    #[test]
    fn limits() {
        let long = vec![0; MAX_SEALED_PLAINTEXT + 1];
        assert_eq!(
            keyring().seal(Purpose::MfaSeed, &KEY, &long, [0; 12]),
            Err(SealError::TooLong { len: long.len() }),
        );
        let long = vec![1; MAX_SEALED_PLAINTEXT + OVERHEAD + 1];
        assert_eq!(keyring().open(Purpose::MfaSeed, &KEY, &long).err(), Some(SealError::Form));
    }
}
