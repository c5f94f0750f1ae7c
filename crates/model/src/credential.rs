//! Credentials other than passwords and access keys, each the content of one stored record.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use bailiwick_identifiers::{Path, ServerCertificateName, TagSet, UniqueId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::entity::{KeyStatus, Owner, sealed};

/// An SSH public key of a user, for CodeCommit.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SshPublicKey {
    /// `APKA...`.
    pub id: UniqueId,
    /// Whose it is.
    pub user: UniqueId,
    /// Whether it may be used.
    pub status: KeyStatus,
    /// When it was uploaded.
    pub uploaded: Timestamp,
    /// The line of the key as `authorized_keys` has it: `ssh-rsa`, base64, perhaps a comment.
    pub line: String,
    /// The MD5 of the key as SSH writes it, in hexadecimal pairs between colons.
    pub fingerprint: String,
}

/// The id of a signing certificate: 24 to 128 letters and digits. Source: IAM API,
/// certificateIdType.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct CertificateId(Box<str>);

/// The text is no id of a signing certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("an id of a certificate is 24 to 128 capital letters and digits")]
pub struct CertificateIdError;

impl CertificateId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CertificateId {
    type Err = CertificateIdError;

    fn from_str(text: &str) -> Result<Self, CertificateIdError> {
        let letters = text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        if (24..=128).contains(&text.len()) && letters {
            Ok(Self(text.into()))
        } else {
            Err(CertificateIdError)
        }
    }
}

impl fmt::Display for CertificateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for CertificateId {
    type Error = CertificateIdError;

    fn try_from(text: String) -> Result<Self, CertificateIdError> {
        text.parse()
    }
}

impl From<CertificateId> for String {
    fn from(id: CertificateId) -> Self {
        id.0.into()
    }
}

/// An X.509 certificate with which a user or root signs old SOAP requests.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SigningCertificate {
    /// Its id.
    pub id: CertificateId,
    /// Whose it is.
    pub owner: Owner,
    /// Whether it may be used.
    pub status: KeyStatus,
    /// When it was uploaded.
    pub uploaded: Timestamp,
    /// The PEM text as it was uploaded.
    pub body: String,
    /// The SHA-256 of the certificate, in hexadecimal digits: one certificate is held once.
    pub digest: String,
}

/// A certificate that servers of the account show to their clients, with its private key.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ServerCertificate {
    /// `ASCA...`.
    pub id: UniqueId,
    /// Unique in the account without regard to case.
    pub name: ServerCertificateName,
    /// The path, which stands in the ARN.
    pub path: Path,
    /// When it was uploaded.
    pub uploaded: Timestamp,
    /// When it ends, as the certificate says.
    pub expires: Timestamp,
    /// The PEM text as it was uploaded.
    pub body: String,
    /// The certificates between it and a root, as they were uploaded.
    #[serde(default)]
    pub chain: Option<String>,
    /// The private key, sealed under the master key with the certificate's id as associated data.
    #[serde(with = "sealed")]
    pub sealed_key: Arc<[u8]>,
    /// Its tags.
    #[serde(default)]
    pub tags: TagSet,
}

/// A user name and password for one service that knows no signatures.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct ServiceCredential {
    /// `ACCA...`.
    pub id: UniqueId,
    /// Whose it is.
    pub user: UniqueId,
    /// The service, such as `codecommit.amazonaws.com`.
    pub service: String,
    /// The name to sign in with, unique among the account's credentials for the service. It stays
    /// when the user is renamed.
    pub name: String,
    /// Whether it may be used.
    pub status: KeyStatus,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends, for services whose credentials do.
    #[serde(default)]
    pub expires: Option<Timestamp>,
    /// The SHA-256 of the password, in hexadecimal digits. It is 256 random bits: a slow hash
    /// would make it no harder to guess.
    pub digest: String,
}

impl fmt::Debug for ServiceCredential {
    /// Without the digest (threat L04).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceCredential")
            .field("id", &self.id)
            .field("user", &self.user)
            .field("service", &self.service)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// The last use of a service-specific credential.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ServiceCredentialUse {
    /// The credential.
    pub credential: UniqueId,
    /// When.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_certificates() {
        for (text, good) in [
            ("TA7SMP42TDN5Z26OBPJE7EXAMPLE", true),
            ("TA7SMP42TDN5Z26OBPJE7EX", false),
            ("TA7SMP42TDN5Z26OBPJE7E/AMPLE", false),
            ("", false),
        ] {
            assert_eq!(text.parse::<CertificateId>().is_ok(), good, "{text:?}");
        }
    }
}
