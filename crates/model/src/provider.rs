//! Identity providers whose users may assume roles: records of OIDC and SAML providers.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use bailiwick_identifiers::{Folded, SamlProviderName, TagSet};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::entity::sealed;

/// Where an OIDC provider stands: its URL without `https://`, which is also its name in ARNs. Case
/// and a slash at the end count. Source: IAM API, CreateOpenIDConnectProvider.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct OidcIssuer(Box<str>);

/// Why a text is not where an OIDC provider stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum OidcIssuerError {
    /// There is no host name of letters, digits, hyphens and dots.
    #[error("there is no host name")]
    Host,
    /// The host is followed by a port. Source: IAM user guide, id_roles_providers_create_oidc.
    #[error("the URL has a port")]
    Port,
    /// A query or a fragment follows.
    #[error("the URL has a query or a fragment")]
    Query,
    /// A character that no URL or no ARN can have.
    #[error("`{0}` is not allowed in the URL")]
    Forbidden(char),
    /// More than [`OidcIssuer::MAX_LEN`] characters.
    #[error("the URL is too long")]
    TooLong,
}

impl OidcIssuer {
    /// The longest, in characters.
    pub const MAX_LEN: usize = 255;

    /// The text, without a scheme.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The URL with its scheme.
    pub fn url(&self) -> String {
        format!("https://{self}")
    }
}

impl FromStr for OidcIssuer {
    type Err = OidcIssuerError;

    fn from_str(text: &str) -> Result<Self, OidcIssuerError> {
        if text.len() > Self::MAX_LEN {
            return Err(OidcIssuerError::TooLong);
        }
        if text.contains(['?', '#']) {
            return Err(OidcIssuerError::Query);
        }
        let (host, path) = text.split_once('/').unwrap_or((text, ""));
        if host.split_once(':').is_some_and(|(host, _)| is_host(host)) {
            return Err(OidcIssuerError::Port);
        }
        if !is_host(host) {
            return Err(OidcIssuerError::Host);
        }
        match path.chars().find(|letter| !is_path_letter(*letter)) {
            Some(letter) => Err(OidcIssuerError::Forbidden(letter)),
            None => Ok(Self(text.into())),
        }
    }
}

fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    text.split('.').all(is_label)
}

/// What a path may hold. A star, a question mark or a dollar would be a pattern in policies.
fn is_path_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "/-._~%!&'()+,;=:@".contains(letter)
}

impl fmt::Display for OidcIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for OidcIssuer {
    type Error = OidcIssuerError;

    fn try_from(text: String) -> Result<Self, OidcIssuerError> {
        text.parse()
    }
}

impl From<OidcIssuer> for String {
    fn from(issuer: OidcIssuer) -> Self {
        issuer.0.into()
    }
}

/// An OpenID Connect provider that roles may trust.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct OidcProvider {
    /// Where it stands; unique in the account.
    pub issuer: OidcIssuer,
    /// When its record was made.
    pub created: Timestamp,
    /// The audiences that its tokens may have, in the order in which they were added.
    #[serde(default)]
    pub client_ids: Vec<String>,
    /// SHA-1 digests of certificates in the chain of its server, 40 hexadecimal digits each.
    #[serde(default)]
    pub thumbprints: Vec<String>,
    /// Its tags.
    #[serde(default)]
    pub tags: TagSet,
}

/// Whether assertions of a SAML provider must be encrypted.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum AssertionEncryption {
    /// Only encrypted assertions are taken.
    Required,
    /// Both are.
    #[default]
    Allowed,
}

impl AssertionEncryption {
    /// As the API writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Required => "Required",
            Self::Allowed => "Allowed",
        }
    }
}

/// A private key with which encrypted assertions are opened.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SamlKey {
    /// Its id: 22 to 64 capital letters and digits.
    pub id: String,
    /// When it was added.
    pub added: Timestamp,
    /// The PEM text, sealed under the master key with the key's id as associated data.
    #[serde(with = "sealed")]
    pub sealed: Arc<[u8]>,
}

/// A SAML 2.0 provider that roles may trust. Its metadata document stands in [`SamlMetadata`]
/// records.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SamlProvider {
    /// Unique in the account without regard to case.
    pub name: SamlProviderName,
    /// The id that AWS calls its UUID: `SAMLSP` and capital letters and digits, 22 to 64 in all.
    pub uuid: String,
    /// When its record was made.
    pub created: Timestamp,
    /// When its metadata end.
    pub valid_until: Timestamp,
    /// The entity id in its metadata.
    pub entity_id: String,
    /// How many parts its metadata document has.
    pub parts: u32,
    /// Whether assertions must be encrypted.
    #[serde(default)]
    pub encryption: AssertionEncryption,
    /// At most two keys.
    #[serde(default)]
    pub keys: Vec<SamlKey>,
    /// Its tags.
    #[serde(default)]
    pub tags: TagSet,
}

/// One part of a SAML metadata document, which may be larger than a record.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SamlMetadata {
    /// The provider's name.
    pub provider: Folded,
    /// The place of the part, from 0.
    pub part: u32,
    /// The text.
    pub text: String,
}

impl SamlMetadata {
    /// The most bytes of a part: with its quotes escaped it is still no large record.
    const MOST: usize = 32 * 1024;

    /// A document in parts.
    pub fn split(provider: &Folded, document: &str) -> Vec<Self> {
        let mut parts = Vec::new();
        let mut rest = document;
        while !rest.is_empty() {
            let (text, tail) = rest.split_at(rest.floor_char_boundary(Self::MOST));
            let part = u32::try_from(parts.len()).unwrap_or(u32::MAX);
            parts.push(Self { provider: provider.clone(), part, text: text.to_owned() });
            rest = tail;
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuers() {
        for (text, expected) in [
            ("server.example.com", Ok(())),
            ("localhost", Ok(())),
            ("server.example.com/", Ok(())),
            ("oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE", Ok(())),
            ("login.example.com/a/v2.0~b%20", Ok(())),
            ("", Err(OidcIssuerError::Host)),
            ("/path", Err(OidcIssuerError::Host)),
            ("a..b", Err(OidcIssuerError::Host)),
            ("user@host", Err(OidcIssuerError::Host)),
            ("a b", Err(OidcIssuerError::Host)),
            ("*", Err(OidcIssuerError::Host)),
            ("host:8443", Err(OidcIssuerError::Port)),
            ("host:8443/path", Err(OidcIssuerError::Port)),
            ("host?x=1", Err(OidcIssuerError::Query)),
            ("host/path?x=1", Err(OidcIssuerError::Query)),
            ("host/path#x", Err(OidcIssuerError::Query)),
            ("host/*", Err(OidcIssuerError::Forbidden('*'))),
            ("host/${a}", Err(OidcIssuerError::Forbidden('$'))),
            ("host/é", Err(OidcIssuerError::Forbidden('é'))),
            (&"a".repeat(256), Err(OidcIssuerError::TooLong)),
        ] {
            assert_eq!(text.parse::<OidcIssuer>().map(drop), expected, "{text:?}");
        }
        assert_eq!("a.b/c".parse::<OidcIssuer>().unwrap().url(), "https://a.b/c");
    }

    #[test]
    fn documents_in_parts() {
        let name = Folded::of("Corp");
        for length in [1, SamlMetadata::MOST, SamlMetadata::MOST + 1, 3 * SamlMetadata::MOST + 7] {
            let document: String = "aé".chars().cycle().take(length).collect();
            let parts = SamlMetadata::split(&name, &document);
            assert!(parts.iter().all(|part| part.text.len() <= SamlMetadata::MOST));
            assert!(parts.iter().zip(0..).all(|(part, place)| part.part == place));
            let whole: String = parts.into_iter().map(|part| part.text).collect();
            assert_eq!(whole, document);
        }
    }
}
