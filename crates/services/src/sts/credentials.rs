//! Issuing temporary credentials.

use bailiwick_identifiers::{AccessKeyId, AccessKeyKind, AccountId};
use bailiwick_wire::generated::sts as api;
use jiff::{SignedDuration, Timestamp};

use crate::call::Permitted;
use crate::fault::Fault;
use crate::session::{Claims, MAX_ISSUED, Subject};

/// What is decided of a session before it is issued.
pub(super) struct Grant {
    /// The account in which it acts.
    pub(super) account: AccountId,
    /// Who it acts as.
    pub(super) subject: Subject,
    /// How long it lives, in seconds.
    pub(super) seconds: i32,
}

/// A new session: credentials for the client, and claims for [`issue`] to seal.
pub(super) fn claims(call: &mut Permitted<'_>, grant: Grant) -> Result<Claims, Fault> {
    let issued = Timestamp::from_second(call.now().as_second()).map_err(|_| Fault::internal())?;
    let life = SignedDuration::from_secs(grant.seconds.into());
    let expires = issued.checked_add(life).map_err(|_| Fault::internal())?;
    let key: AccessKeyId = call.mint().access_key_id(AccessKeyKind::Temporary, grant.account);
    Ok(Claims {
        account: grant.account,
        subject: grant.subject,
        key,
        secret: call.mint().secret(),
        issued,
        expires,
        mfa: None,
        minted_by: None,
        policy: None,
        policy_arns: Vec::new(),
        tags: Vec::new(),
        transitive: Vec::new(),
        source_identity: None,
        forward: None,
        console: None,
    })
}

/// Seals the claims. The only place where the secret of a session leaves the server.
pub(super) fn issue(call: &Permitted<'_>, claims: &Claims) -> Result<api::Credentials, Fault> {
    let mut nonce = [0; 12];
    call.entropy().fill(&mut nonce);
    let token = claims.seal(call.keyring(), nonce).ok_or_else(Fault::internal)?;
    if token.len() > MAX_ISSUED {
        // AWS's words (*documented*, as those for policies).
        let percent = share(token.len(), MAX_ISSUED);
        let text = format!("Packed size of session tags consumes {percent}% of allotted space.");
        return Err(Fault::new("PackedPolicyTooLarge", text));
    }
    Ok(api::Credentials {
        access_key_id: claims.key.to_string(),
        secret_access_key: claims.secret.as_str().into(),
        session_token: token.into(),
        expiration: claims.expires,
    })
}

/// The share of a room that something takes, in percent: more than 100 where it does not fit.
pub(super) const fn share(size: usize, room: usize) -> usize {
    (size * 100).div_ceil(room)
}
