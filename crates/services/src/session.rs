//! Temporary credentials: sealed tokens that carry all there is to know of a session.
//!
//! The server writes nothing when it issues one, and needs nothing but its master key to take it
//! back. What may end a session early (its role or user is gone, the key that minted it is no
//! longer active) is looked up with each request.

use std::net::IpAddr;

use bailiwick_identifiers::{AccessKeyId, AccountId, Arn, SessionName, UniqueId};
use bailiwick_store::seal::{Binding, Keyring, Purpose};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// Who a session acts as.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) enum Subject {
    /// The account's root user (GetSessionToken by root).
    Root,
    /// A user itself (GetSessionToken, SES-10).
    User(UniqueId),
    /// A session of a role.
    Role {
        /// The role.
        role: UniqueId,
        /// The name the caller gave the session.
        session: SessionName,
    },
}

/// The way of a call that services make on a caller's behalf: a forward access session (EV-10).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Forward {
    /// The services in the order in which they were called, as `aws:CalledVia` lists them.
    pub(crate) services: Vec<String>,
    /// The address from which the caller called the first of them, if it was told.
    pub(crate) source_ip: Option<IpAddr>,
    /// Whether the caller has a session of its own. A long-term key has no session keys, and its
    /// forwarded calls have none either.
    pub(crate) of_session: bool,
}

impl Forward {
    /// The service that makes the call.
    pub(crate) fn last(&self) -> &str {
        self.services.last().map(String::as_str).unwrap_or_default()
    }
}

/// What a session token holds.
#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct Claims {
    /// The account in which the session acts.
    pub(crate) account: AccountId,
    /// Who it acts as.
    pub(crate) subject: Subject,
    /// The access key that goes with the token.
    pub(crate) key: AccessKeyId,
    /// The secret of that key.
    pub(crate) secret: String,
    /// When the session began, `aws:TokenIssueTime`.
    pub(crate) issued: Timestamp,
    /// When it ends.
    pub(crate) expires: Timestamp,
    /// When a second factor was checked for it.
    pub(crate) mfa: Option<Timestamp>,
    /// The long-term key that asked for a session of its own user or root: the session ends with it.
    pub(crate) minted_by: Option<AccessKeyId>,
    /// The inline session policy.
    pub(crate) policy: Option<String>,
    /// The managed session policies.
    pub(crate) policy_arns: Vec<Arn>,
    /// Session tags, which override those of the role (SES-9).
    pub(crate) tags: Vec<(String, String)>,
    /// The keys of the tags that go on to the next role.
    pub(crate) transitive: Vec<String>,
    /// The identity set by the first caller of a chain, immutable along it (threat B06).
    pub(crate) source_identity: Option<String>,
    /// The services that call on the subject's behalf.
    #[serde(default)]
    pub(crate) forward: Option<Forward>,
}

impl Drop for Claims {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

/// The token does not open with this key id.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct BadToken;

/// The longest token taken, in characters; real ones are far shorter.
const MAX_TOKEN: usize = 16_384;

/// The longest token issued, in characters: what a header takes, with room to spare.
pub(crate) const MAX_ISSUED: usize = 12_288;

fn binding(key: &AccessKeyId) -> Binding<'_> {
    // The kind keeps a token from being used as a page marker or the like (threat B02), the key id
    // from being used with another key (threat A12).
    Binding { kind: "session", id: key.as_str().as_bytes(), version: 1 }
}

impl Claims {
    /// Whether the caller's requests carry the keys of a session: when it began, and whether with a
    /// second factor.
    pub(crate) fn has_session_keys(&self) -> bool {
        self.forward.as_ref().is_none_or(|forward| forward.of_session)
    }

    /// Seals the claims into a token.
    pub(crate) fn seal(&self, keyring: &Keyring, nonce: [u8; 12]) -> Option<String> {
        let mut plain = serde_json::to_vec(self).ok()?;
        let sealed = keyring.seal(Purpose::SessionToken, &binding(&self.key), &plain, nonce).ok();
        plain.zeroize();
        sealed.map(|sealed| STANDARD.encode(sealed))
    }

    /// Opens the token that was sent with a key id.
    pub(crate) fn open(
        keyring: &Keyring,
        key: &AccessKeyId,
        token: &str,
    ) -> Result<Self, BadToken> {
        if token.len() > MAX_TOKEN {
            return Err(BadToken);
        }
        let sealed = STANDARD.decode(token).map_err(|_| BadToken)?;
        let plain =
            keyring.open(Purpose::SessionToken, &binding(key), &sealed).map_err(|_| BadToken)?;
        let claims: Self = serde_json::from_slice(&plain).map_err(|_| BadToken)?;
        if claims.key == *key { Ok(claims) } else { Err(BadToken) }
    }
}
