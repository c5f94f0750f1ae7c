//! Who is it? From a key id and a signature to a caller.
//!
//! An unknown key costs no more than a look-up in memory. What may have changed since the
//! credentials were issued (the key's status, the user or role behind them) is looked up in the
//! state on which the call runs, so that a change acts on the very next request (threats A11, B07).

use std::sync::Arc;

use bailiwick_identifiers::{AccessKeyId, AccountId};
use bailiwick_model::{Account, KeyStatus, Owner};
use bailiwick_store::seal::{Binding, Keyring, Purpose};
use bailiwick_wire::sigv4::{
    self, AuthError, KeyKind, Presented, QueryForm, QueryLifetime, Rules, SecretKey,
};
use http::request::Parts;
use jiff::Timestamp;

use crate::caller::{Caller, Identity};
use crate::last_use::{Action, Signed};
use crate::node::Node;
use crate::session::{Claims, Console, Subject};
use crate::shard::Shard;

/// Credentials whose signature was good.
pub(crate) struct Authentic {
    /// The account in which they act.
    pub(crate) shard: Arc<Shard>,
    key: AccessKeyId,
    claims: Option<Arc<Claims>>,
}

/// The signing names under which this server answers.
const SIGNING_NAMES: &[&str] = &["iam", "sts", "access-analyzer", "bailiwick"];

/// The account to which a presented key id belongs, for the record of a call that fails.
pub(crate) fn account_of(node: &Node, presented: &Presented) -> Option<AccountId> {
    let key: AccessKeyId = presented.access_key_id().parse().ok()?;
    let shard = node.shard_of_key(&key)?;
    // A session's key is in no list; a long-term one must be, or the id was made up.
    let known = presented
        .session_token()
        .is_some_and(|token| Claims::open(node.keyring(), &key, token).is_ok())
        || shard.account().access_key(&key).is_some();
    known.then(|| shard.id())
}

/// Checks the signature of a request against its credentials. `signing_now` is the time by which
/// signatures are judged, `now` that by which sessions end.
pub(crate) fn authenticate(
    node: &Node,
    presented: &Presented,
    parts: &Parts,
    body: &[u8],
    now: Timestamp,
    signing_now: Timestamp,
) -> Result<Authentic, AuthError> {
    let key: AccessKeyId =
        presented.access_key_id().parse().map_err(|_| AuthError::InvalidClientTokenId)?;
    let (authentic, secret) = match presented.session_token() {
        Some(token) => temporary(node, key, token)?,
        None => long_term(node, key)?,
    };
    let kind = if authentic.claims.is_some() { KeyKind::Temporary } else { KeyKind::LongLived };
    presented.check_token(kind)?;
    let mut rules = Rules::for_service(SIGNING_NAMES);
    if presented.scope().service() == "sts" {
        rules.query_form = QueryForm::AnyMethod;
        rules.query_lifetime = QueryLifetime::Fixed(900);
    }
    sigv4::verify(presented, parts, body, &secret, signing_now, node.signing_keys(), &rules)?;
    if let Some(claims) = &authentic.claims
        && now >= claims.expires
    {
        return Err(AuthError::ExpiredToken);
    }
    Ok(authentic)
}

fn long_term(node: &Node, key: AccessKeyId) -> Result<(Authentic, SecretKey), AuthError> {
    let shard = node.shard_of_key(&key).ok_or(AuthError::InvalidClientTokenId)?;
    let account = shard.account();
    let record = account.access_key(&key).ok_or(AuthError::InvalidClientTokenId)?;
    let secret = open_secret(node.keyring(), &key, &record.sealed_secret)
        .ok_or(AuthError::InvalidClientTokenId)?;
    Ok((Authentic { shard, key, claims: None }, secret))
}

fn temporary(
    node: &Node,
    key: AccessKeyId,
    token: &str,
) -> Result<(Authentic, SecretKey), AuthError> {
    let claims =
        Claims::open(node.keyring(), &key, token).map_err(|_| AuthError::InvalidClientTokenId)?;
    let shard = node.shard(claims.account).ok_or(AuthError::InvalidClientTokenId)?;
    let secret = SecretKey::new(&claims.secret).map_err(|_| AuthError::InvalidClientTokenId)?;
    Ok((Authentic { shard, key, claims: Some(Arc::new(claims)) }, secret))
}

/// How the secret of an access key is bound to its record (threat L02).
pub(crate) fn secret_binding(key: &AccessKeyId) -> Binding<'_> {
    Binding { kind: "access-key", id: key.as_str().as_bytes(), version: 1 }
}

fn open_secret(keyring: &Keyring, key: &AccessKeyId, sealed: &[u8]) -> Option<SecretKey> {
    let plain = keyring.open(Purpose::AccessKeySecret, &secret_binding(key), sealed);
    match plain {
        Ok(plain) => SecretKey::new(plain.as_slice()).ok(),
        Err(error) => {
            tracing::error!(%key, %error, "the secret of an access key does not open");
            None
        }
    }
}

impl Authentic {
    /// A session that this server vouches for: the user signed in a moment ago.
    pub(crate) fn of_session(shard: Arc<Shard>, key: AccessKeyId, claims: Claims) -> Self {
        Self { shard, key, claims: Some(Arc::new(claims)) }
    }

    /// The caller as of one state of its account; refused when that state no longer knows the
    /// credentials.
    pub(crate) fn caller(&self, account: &Account) -> Result<Caller, AuthError> {
        let identity = identity(account, &self.key, self.claims.as_deref());
        let identity = identity.ok_or(AuthError::InvalidClientTokenId)?;
        Ok(Caller::new(account, identity, self.key.clone(), self.claims.clone()))
    }

    /// Notes the use of the credentials and who asks for what, in memory. An attempt counts,
    /// whatever becomes of it. Source: IAM API, GenerateServiceLastAccessedDetails.
    pub(crate) fn note_use(&self, caller: &Caller, at: Timestamp, region: &str, action: Action) {
        let role = match self.claims.as_deref().map(|claims| &claims.subject) {
            Some(Subject::Role { role, .. }) => Some(*role),
            _ => None,
        };
        self.shard.uses().note(&Signed {
            key: self.claims.is_none().then_some(&self.key),
            role,
            principal: caller.tracked(),
            action,
            at,
            region,
        });
    }
}

/// The entity behind a key, with what its token holds if it is temporary; none where one state of
/// the account no longer knows them.
pub(crate) fn identity(
    account: &Account,
    key: &AccessKeyId,
    claims: Option<&Claims>,
) -> Option<Identity> {
    match claims {
        Some(claims) => subject(account, claims),
        None => account
            .access_key(key)
            .filter(|key| key.status == KeyStatus::Active)
            .and_then(|key| owner(account, key.owner)),
    }
}

fn owner(account: &Account, owner: Owner) -> Option<Identity> {
    match owner {
        Owner::Root => Some(Identity::Root),
        Owner::User(id) => account.user(&id).cloned().map(Identity::User),
    }
}

fn subject(account: &Account, claims: &Claims) -> Option<Identity> {
    // A session of a user ends with the key that asked for it. Deviation: on AWS it goes on.
    if let Some(key) = &claims.minted_by
        && account.access_key(key).is_none_or(|key| key.status != KeyStatus::Active)
    {
        return None;
    }
    match &claims.console {
        Some(Console::Session(id)) if !account.console_session(id)?.is_good(account) => {
            return None;
        }
        Some(Console::Changing(mark)) => {
            let Subject::User(id) = &claims.subject else { return None };
            account.login_profile(id).filter(|held| held.mark() == mark)?;
        }
        Some(Console::Session(_)) | None => {}
    }
    match &claims.subject {
        Subject::Root => Some(Identity::Root),
        Subject::User(id) => account.user(id).cloned().map(Identity::User),
        Subject::Role { role, session } => {
            let role = account.role(role).cloned()?;
            Some(Identity::Role(role, session.clone()))
        }
        Subject::Federated { user: None, name } => Some(Identity::Federated(None, name.clone())),
        Subject::Federated { user: Some(id), name } => {
            let user = account.user(id).cloned()?;
            Some(Identity::Federated(Some(user), name.clone()))
        }
    }
}
