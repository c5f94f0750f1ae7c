//! Passwords that nobody may set, for they are known from breaches of other services.

use std::fmt;
use std::io;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use bailiwick_wire::Secret;

use crate::fault::Fault;

/// A list of passwords, which are told by the SHA-1 of their UTF-8 bytes: that is how lists of
/// breached passwords are published.
pub trait Blocklist: Send + Sync {
    /// Whether the list holds a password. An empty or missing list holds none.
    ///
    /// # Errors
    ///
    /// The list is there and cannot be read.
    fn holds(&self, sha1: [u8; 20]) -> io::Result<bool>;
}

/// The list of a server, or none.
#[derive(Clone, Default)]
pub struct KnownPasswords(Option<Arc<dyn Blocklist>>);

impl KnownPasswords {
    /// A list.
    pub fn new(list: Arc<dyn Blocklist>) -> Self {
        Self(Some(list))
    }

    /// Refuses a password that is on the list. Reads a file: not for a thread that serves.
    ///
    /// # Errors
    ///
    /// `PasswordPolicyViolation`; or, as a list that cannot be read allows nothing,
    /// `ServiceUnavailable`.
    pub(crate) fn check(&self, password: &Secret) -> Result<(), Fault> {
        let Some(list) = &self.0 else { return Ok(()) };
        let mut sha1 = [0; 20];
        let hashed = digest(&SHA1_FOR_LEGACY_USE_ONLY, password.expose().as_bytes());
        for (slot, byte) in sha1.iter_mut().zip(hashed.as_ref()) {
            *slot = *byte;
        }
        match list.holds(sha1) {
            Ok(false) => Ok(()),
            Ok(true) => Err(Fault::new(
                "PasswordPolicyViolation",
                "The password is on the list of passwords known from breaches. Choose another one.",
            )),
            Err(error) => {
                tracing::error!(%error, "the list of known passwords cannot be read");
                Err(Fault::unavailable())
            }
        }
    }
}

impl fmt::Debug for KnownPasswords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "a list" } else { "none" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(io::Result<&'static str>);

    impl Blocklist for Fixed {
        fn holds(&self, sha1: [u8; 20]) -> io::Result<bool> {
            match &self.0 {
                Ok(hex) => Ok(crate::ports::hex(&sha1) == *hex),
                Err(error) => Err(error.kind().into()),
            }
        }
    }

    #[test]
    fn a_listed_password_is_refused_and_a_broken_list_refuses_all() {
        // SHA-1 of `abc`, FIPS 180.
        let list = Fixed(Ok("a9993e364706816aba3e25717850c26c9cd0d89d"));
        let known = KnownPasswords::new(Arc::new(list));
        let code = |known: &KnownPasswords, text: &str| {
            known.check(&text.into()).err().map(|fault| fault.code().to_owned())
        };
        assert_eq!(code(&known, "abc").as_deref(), Some("PasswordPolicyViolation"));
        assert_eq!(code(&known, "abd"), None);
        assert_eq!(code(&KnownPasswords::default(), "abc"), None);
        let broken = KnownPasswords::new(Arc::new(Fixed(Err(io::ErrorKind::InvalidData.into()))));
        assert_eq!(code(&broken, "abd").as_deref(), Some("ServiceUnavailable"));
    }
}
