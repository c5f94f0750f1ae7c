//! What a key is for. One key, one purpose (L06).

use std::fmt;

macro_rules! purposes {
    ($($(#[$doc:meta])* $name:ident = $label:literal,)*) => {
        /// What a sealed value is for; each purpose has a key of its own.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Purpose {
            $($(#[$doc])* $name,)*
        }

        impl Purpose {
            /// Every purpose, in a fixed order.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The label from which the key is derived. It never changes: sealed values depend on it.
            pub const fn label(self) -> &'static str {
                match self {
                    $(Self::$name => $label,)*
                }
            }
        }
    };
}

purposes! {
    /// Secrets of long-term access keys.
    AccessKeySecret = "access-key-secret",
    /// Session tokens of temporary credentials.
    SessionToken = "session-token",
    /// Markers with which a client asks for the next page.
    PageMarker = "page-marker",
    /// Responses kept so that a retry gets the same answer.
    RetryResponse = "retry-response",
    /// Seeds of one-time password devices.
    MfaSeed = "mfa-seed",
    /// Encoded authorization messages, which only `sts:DecodeAuthorizationMessage` opens.
    EncodedMessage = "encoded-message",
    /// Private keys that sign tokens or digests.
    SigningKey = "signing-key",
    /// Secrets that an identity provider shares with this server.
    ClientSecret = "client-secret",
    /// Sign-in sessions of the console.
    ConsoleSession = "console-session",
    /// The key that authenticates the records of the embedded store.
    RecordKey = "record-key",
    /// Private keys of server certificates.
    ServerCertificateKey = "server-certificate-key",
    /// Private keys with which encrypted SAML assertions are opened.
    SamlDecryptionKey = "saml-decryption-key",
    /// Challenges of registrations of passkeys.
    PasskeyChallenge = "passkey-challenge",
}

impl Purpose {
    /// The place of this purpose in [`Purpose::ALL`].
    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn tm_l06_every_purpose_has_a_label_of_its_own() {
        let labels: BTreeSet<_> = Purpose::ALL.iter().map(|purpose| purpose.label()).collect();
        assert_eq!(labels.len(), Purpose::ALL.len());
        for (index, purpose) in Purpose::ALL.iter().enumerate() {
            assert_eq!(purpose.index(), index);
        }
    }
}
