//! The secret half of an access key, in a type that does not print and is wiped on drop (R8, L04).

use aws_lc_rs::digest;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// What goes before the secret in the first step of the key derivation.
const PREFIX: &[u8] = b"AWS4";
/// Separates the fingerprint from any other hash of the same secret.
const FINGERPRINT_LABEL: &[u8] = b"bailiwick sigv4 key cache\0";

/// A secret access key, ready for signing.
///
/// It has no way to read the secret back, its `Debug` shows nothing of it, and its memory is cleared when it
/// is dropped. Making one costs one SHA-256; keep it when many requests use the same key.
#[derive(Clone)]
pub struct SecretKey {
    /// `AWS4` and the secret, as the derivation wants it.
    seed: Box<[u8]>,
    /// Tells two secrets of one key id apart in the key cache.
    fingerprint: [u8; 32],
}

/// Why a secret cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SecretKeyError {
    /// An empty secret would let anybody sign (threat A13).
    #[error("the secret access key is empty")]
    Empty,
    /// Longer than [`SecretKey::MAX_LEN`] bytes.
    #[error("the secret access key is longer than {} bytes", SecretKey::MAX_LEN)]
    TooLong,
}

impl SecretKey {
    /// Bytes of the longest secret accepted; AWS's are 40.
    pub const MAX_LEN: usize = 1024;

    /// Takes a copy of `secret`; clearing the original is the caller's duty. Fails when it is empty or longer
    /// than [`Self::MAX_LEN`].
    pub fn new(secret: impl AsRef<[u8]>) -> Result<Self, SecretKeyError> {
        let secret = secret.as_ref();
        if secret.is_empty() {
            return Err(SecretKeyError::Empty);
        }
        if secret.len() > Self::MAX_LEN {
            return Err(SecretKeyError::TooLong);
        }
        let mut hash = digest::Context::new(&digest::SHA256);
        hash.update(FINGERPRINT_LABEL);
        hash.update(secret);
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(hash.finish().as_ref());
        Ok(Self { seed: [PREFIX, secret].concat().into_boxed_slice(), fingerprint })
    }

    pub(super) fn seed(&self) -> &[u8] {
        &self.seed
    }

    pub(super) fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }
}

impl Drop for SecretKey {
    fn drop(&mut self) {
        self.seed.zeroize();
        self.fingerprint.zeroize();
    }
}

impl ZeroizeOnDrop for SecretKey {}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tm_a13_an_empty_secret_is_no_secret() {
        assert_eq!(SecretKey::new("").map(drop), Err(SecretKeyError::Empty));
        assert_eq!(SecretKey::new([b'x'; 1025]).map(drop), Err(SecretKeyError::TooLong));
        assert!(SecretKey::new([b'x'; 1024]).is_ok());
    }

    #[test]
    fn tm_l04_a_secret_does_not_print() {
        let secret = SecretKey::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY").unwrap();
        assert_eq!(format!("{secret:?}"), "SecretKey(..)");
    }

    #[test]
    fn fingerprints_tell_secrets_apart() {
        let [a, b, c] = ["a", "b", "a"].map(|s| SecretKey::new(s).unwrap());
        assert_ne!(a.fingerprint(), b.fingerprint());
        assert_eq!(a.fingerprint(), c.fingerprint());
    }
}
