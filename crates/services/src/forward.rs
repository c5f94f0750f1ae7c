//! Forward access sessions: what a service such as CloudFormation makes of the credentials of its
//! caller, to call others on the caller's behalf (EV-10).
//!
//! On AWS a service mints one when it has received a signed request of its caller. Here the operator
//! of the host does, to try what a policy says to such calls; nobody can over the network. No request
//! of the caller is asked for as proof: who may enter the data directory can make keys of every
//! account's root as well, so a proof would keep nobody out. The trail tells instead: the making of
//! the session stands in it as the operator's, and each call names the services and the key from
//! which the session was made.
//!
//! A session is the caller and nothing more: its policies, tags, second factor and end, with the
//! services' names besides. And it is less: no other credentials come of it.

use std::net::IpAddr;
use std::sync::Arc;

use bailiwick_identifiers::{AccessKeyId, AccessKeyKind};
use bailiwick_store::Transaction;
use bailiwick_wire::{Secret, time};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::authenticate::identity;
use crate::caller::{Caller, Identity};
use crate::iam::trust;
use crate::node::Node;
use crate::operator::{OperatorError, commit, event};
use crate::ports::Mint;
use crate::session::{Claims, Forward, MAX_ISSUED, Subject};

/// How long a forward access session lives, unless the caller's own ends before.
const LIFE: SignedDuration = SignedDuration::from_mins(15);
/// The most services in a chain.
const MAX_SERVICES: usize = 10;

/// Credentials with which services call on a caller's behalf.
#[derive(Clone, Debug)]
pub struct ForwardSession {
    /// The access key.
    pub access_key_id: AccessKeyId,
    /// The secret of the key.
    pub secret_access_key: Secret,
    /// The token that goes with them.
    pub session_token: Secret,
    /// When they end.
    pub expiration: Timestamp,
}

/// Issues a session in which `services`, in the order in which they are called, call on behalf of
/// the caller whose access key is `key`. A temporary key needs its `token`; that of another forward
/// access session lengthens its chain. `source_ip` is the address from which the caller called the
/// first service, and stays that along the chain (EV-10); while it is not told, it is the address of
/// each call.
///
/// The session is recorded in the trail of the caller's account, as `CreateForwardAccessSession`.
///
/// # Errors
/// The key may not be used, a name is no service principal, the chain is too long or began at another
/// address, or the store refuses the record.
pub fn forward_session(
    node: &Arc<Node>,
    key: &AccessKeyId,
    token: Option<&Secret>,
    services: &[String],
    source_ip: Option<IpAddr>,
) -> Result<ForwardSession, OperatorError> {
    if let Some(other) = services.iter().find(|service| !trust::is_service(service)) {
        return Err(OperatorError::NoService(other.chars().take(256).collect()));
    }
    let unusable = || OperatorError::NoUsableKey(key.clone());
    let held = match token {
        Some(token) => {
            let open = Claims::open(node.keyring(), key, token.expose());
            Some(open.map_err(|_| unusable())?)
        }
        None => None,
    };
    let shard = match &held {
        Some(claims) => node.shard(claims.account),
        None => node.shard_of_key(key),
    };
    let account = shard.ok_or_else(unusable)?.account();
    let identity = identity(&account, key, held.as_ref()).ok_or_else(unusable)?;
    let caller = Caller::new(&account, identity.clone(), key.clone(), None);
    let now = node.clock().now();
    if held.as_ref().is_some_and(|claims| now >= claims.expires) {
        return Err(OperatorError::Ended(key.clone()));
    }
    let mut mint = Mint::new(node.entropy());
    let id = mint.access_key_id(AccessKeyKind::Temporary, account.id());
    let mut claims = forwarded(held, key, &identity, account.id(), now)?;
    claims.key = id;
    claims.secret = mint.secret();
    let forward = claims.forward.get_or_insert_with(|| Forward {
        from: key.clone(),
        services: Vec::new(),
        source_ip,
        of_session: token.is_some(),
    });
    forward.services.extend_from_slice(services);
    if services.is_empty() || forward.services.len() > MAX_SERVICES {
        return Err(OperatorError::Services(MAX_SERVICES));
    }
    match (forward.source_ip, source_ip) {
        (Some(first), Some(other)) if first != other => {
            return Err(OperatorError::OtherAddress(first));
        }
        (first, told) => forward.source_ip = first.or(told),
    }
    let (chain, from) = (forward.services.clone(), forward.from.clone());
    let source_ip = forward.source_ip;
    let sealed = claims.seal(node.keyring(), mint.bytes());
    let token = sealed.filter(|token| token.len() <= MAX_ISSUED);
    let token = token.ok_or(OperatorError::Internal("the session holds too much to be sealed"))?;
    let parameters = json!({
        "accessKeyId": key.as_str(),
        "forwardedFrom": from.as_str(),
        "arn": caller.arn().as_str(),
        "calledVia": chain,
        "sourceIPAddress": source_ip,
        "issuedAccessKeyId": claims.key.as_str(),
        "expiration": time::write_iso(claims.expires),
    });
    let event = event(node, &mut mint, account.id(), "CreateForwardAccessSession", &parameters);
    commit(node, account.id(), Transaction::new(), &event)?;
    Ok(ForwardSession {
        access_key_id: claims.key.clone(),
        secret_access_key: Secret::new(claims.secret.as_str()),
        session_token: Secret::new(token),
        expiration: claims.expires,
    })
}

/// The claims of the caller's own session, or those that a long-term key would have, to end soon.
fn forwarded(
    held: Option<Claims>,
    key: &AccessKeyId,
    identity: &Identity,
    account: bailiwick_identifiers::AccountId,
    now: Timestamp,
) -> Result<Claims, OperatorError> {
    let begin = Timestamp::from_second(now.as_second());
    let end = begin.and_then(|begin| Ok((begin, begin.checked_add(LIFE)?)));
    let (begin, end) = end.map_err(|_| OperatorError::Internal("the clock is out of range"))?;
    if let Some(mut claims) = held {
        claims.expires = claims.expires.min(end);
        return Ok(claims);
    }
    let subject = match identity {
        Identity::Root => Subject::Root,
        Identity::User(user) => Subject::User(user.id),
        Identity::Role(..) | Identity::Federated(..) => {
            return Err(OperatorError::Internal("a session has a long-term key"));
        }
    };
    Ok(Claims {
        account,
        subject,
        key: key.clone(),
        secret: String::new(),
        issued: begin,
        expires: end,
        mfa: None,
        // It ends with the key.
        minted_by: Some(key.clone()),
        policy: None,
        policy_arns: Vec::new(),
        tags: Vec::new(),
        transitive: Vec::new(),
        source_identity: None,
        forward: None,
        console: None,
    })
}
