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
use zeroize::{Zeroize, Zeroizing};

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
    /// A session of GetFederationToken.
    Federated {
        /// The user who asked for it; none for root.
        user: Option<UniqueId>,
        /// The name the caller gave the federated user.
        name: SessionName,
    },
}

/// The way of a call that services make on a caller's behalf: a forward access session (EV-10).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Forward {
    /// The key of the caller's own credentials, from which the first session of the chain was made.
    pub(crate) from: AccessKeyId,
    /// The services in the order in which they were called, as `aws:CalledVia` lists them.
    pub(crate) services: Vec<String>,
    /// The address from which the caller called the first of them, if it was told; kept along the
    /// chain (EV-10).
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

/// What a session that was opened with a password hangs on.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) enum Console {
    /// The console session of this id: its record must be there and good.
    Session(String),
    /// The password of this mark, which must be changed before there is a session. Such claims
    /// never leave the server.
    Changing(String),
}

/// What a session token holds. A member that is not known here could be a limit, so a token with
/// one is not taken.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) forward: Option<Forward>,
    /// The sign-in to the console that made the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) console: Option<Console>,
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

/// The forms of claims. The form is bound into the seal and stands nowhere in the token, so that a
/// server that does not know a form cannot read it as another, and miss what it limits.
const PLAIN: u64 = 1;
/// With [`Claims::forward`].
const FORWARDED: u64 = 2;
/// With [`Claims::console`].
const CONSOLE: u64 = 3;
/// With both.
const FORWARDED_CONSOLE: u64 = 4;

fn binding(key: &AccessKeyId, form: u64) -> Binding<'_> {
    // The kind keeps a token from being used as a page marker or the like (threat B02), the key id
    // from being used with another key (threat A12).
    Binding { kind: "session", id: key.as_str().as_bytes(), version: form }
}

impl Claims {
    /// Whether the caller's requests carry the keys of a session: when it began, and whether with a
    /// second factor.
    pub(crate) fn has_session_keys(&self) -> bool {
        self.forward.as_ref().is_none_or(|forward| forward.of_session)
    }

    fn form(&self) -> u64 {
        match (&self.forward, &self.console) {
            (None, None) => PLAIN,
            (Some(_), None) => FORWARDED,
            (None, Some(_)) => CONSOLE,
            (Some(_), Some(_)) => FORWARDED_CONSOLE,
        }
    }

    /// Seals the claims into a token.
    pub(crate) fn seal(&self, keyring: &Keyring, nonce: [u8; 12]) -> Option<String> {
        let plain = Zeroizing::new(serde_json::to_vec(self).ok()?);
        let binding = binding(&self.key, self.form());
        let sealed = keyring.seal(Purpose::SessionToken, &binding, &plain, nonce).ok();
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
        let open = |form| {
            let plain = keyring.open(Purpose::SessionToken, &binding(key, form), &sealed).ok()?;
            let claims: Self = serde_json::from_slice(&plain).ok()?;
            (claims.key == *key && claims.form() == form).then_some(claims)
        };
        [PLAIN, FORWARDED, CONSOLE, FORWARDED_CONSOLE].into_iter().find_map(open).ok_or(BadToken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(forward: Option<Forward>) -> Claims {
        Claims {
            account: "123456789012".parse().unwrap(),
            subject: Subject::Root,
            key: "ASIAIOSFODNN7EXAMPLE".parse().unwrap(),
            secret: "secret".to_owned(),
            issued: Timestamp::UNIX_EPOCH,
            expires: Timestamp::UNIX_EPOCH,
            mfa: None,
            minted_by: None,
            policy: None,
            policy_arns: Vec::new(),
            tags: Vec::new(),
            transitive: Vec::new(),
            source_identity: None,
            forward,
            console: None,
        }
    }

    /// A token of another form than its claims have, or of one that is not known here, is none: no
    /// server reads a session and misses what limits it.
    #[test]
    fn tm_b02_a_token_is_of_a_known_form_or_none() {
        let keyring = Keyring::from_bytes([7; 32]).unwrap();
        let forward = Forward {
            from: "AKIAIOSFODNN7EXAMPLE".parse().unwrap(),
            services: vec!["cloudformation.amazonaws.com".to_owned()],
            source_ip: None,
            of_session: false,
        };
        let json = |claims: &Claims| serde_json::to_value(claims).unwrap();
        let (plain, forwarded) = (json(&claims(None)), json(&claims(Some(forward))));
        // As servers wrote it before there were forward access sessions: without the member.
        assert!(plain.get("forward").is_none());
        let with = |claims: &serde_json::Value, member: &str, value: serde_json::Value| {
            let mut claims = claims.clone();
            claims[member] = value;
            claims
        };
        let more = with(&plain, "limit", true.into());
        let mut deeper = forwarded.clone();
        deeper["forward"]["limit"] = true.into();
        let other_key = with(&plain, "key", "ASIAI44QH8DHBEXAMPLE".into());
        for (form, claims, taken) in [
            (1, &plain, true),
            (2, &forwarded, true),
            (1, &with(&plain, "forward", serde_json::Value::Null), true),
            (0, &plain, false),
            (2, &plain, false),
            (3, &plain, false),
            (1, &forwarded, false),
            (3, &forwarded, false),
            (1, &more, false),
            (2, &deeper, false),
            (1, &other_key, false),
        ] {
            let key: AccessKeyId = "ASIAIOSFODNN7EXAMPLE".parse().unwrap();
            let text = claims.to_string();
            let binding = binding(&key, form);
            let sealed =
                keyring.seal(Purpose::SessionToken, &binding, text.as_bytes(), [1; 12]).unwrap();
            let found = Claims::open(&keyring, &key, &STANDARD.encode(sealed));
            assert_eq!(found.is_ok(), taken, "form {form}: {text}");
        }
    }
}
