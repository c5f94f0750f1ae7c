//! Another password at sign-in, when the present one must be changed.
//!
//! It is the operation ChangePassword, put through the pipeline for the user who signs in: decided by
//! its policies, checked, recorded. Who has no permission for it is locked out, as on AWS.

use std::sync::Arc;

use bailiwick_identifiers::AccessKeyKind;
use bailiwick_model::ShownFactor;
use bailiwick_wire::generated::iam as api;
use bailiwick_wire::{Api as _, Shape as _, json};
use bytes::Bytes;
use http::Response;
use jiff::SignedDuration;

use super::Visit;
use super::answer::Answer;
use super::http::NewPasswordStep;
use super::open::{self, Opening, Way};
use super::ticket::{Proved, Stage, Ticket};
use crate::authenticate::Authentic;
use crate::pipeline;
use crate::ports::Mint;
use crate::session::{Claims, Console, Subject};

/// How long the change may take.
const LIFE: SignedDuration = SignedDuration::from_mins(5);

/// Changes the password, and opens a session then.
pub(super) fn begin(visit: Visit, given: NewPasswordStep) {
    let node = Arc::clone(&visit.node);
    let ticket = Ticket::open(&node, &given.ticket, visit.now());
    let shard = ticket.as_ref().and_then(|ticket| node.shard(ticket.account));
    let (Some(ticket), Some(shard)) = (ticket, shard) else {
        return visit.answer(Answer::stale());
    };
    let Stage::NewPassword { factor } = ticket.stage.clone() else {
        return visit.answer(Answer::stale());
    };
    let account = shard.account();
    let holder = ticket.holder(&account);
    // A device that was enabled meanwhile is to be shown first.
    if holder.is_none_or(|holder| factor.is_none() && open::has_factor(&account, &holder)) {
        return visit.answer(Answer::stale());
    }
    let mut mint = Mint::new(node.entropy());
    let key = mint.access_key_id(AccessKeyKind::Temporary, ticket.account);
    let claims = Claims {
        account: ticket.account,
        subject: Subject::User(ticket.user),
        key: key.clone(),
        secret: String::new(),
        issued: visit.now(),
        expires: visit.now().checked_add(LIFE).unwrap_or(visit.now()),
        mfa: factor.as_ref().map(|factor| factor.at),
        minted_by: None,
        policy: None,
        policy_arns: Vec::new(),
        tags: Vec::new(),
        transitive: Vec::new(),
        source_identity: None,
        forward: None,
        console: Some(Console::Changing(ticket.mark.clone())),
    };
    let request = api::ChangePasswordRequest { old_password: given.old, new_password: given.new };
    let authentic = Authentic::of_session(Arc::clone(&shard), key, claims);
    let origin = visit.origin.clone();
    let reply = Box::new(move |response: Response<Bytes>| {
        if response.status().is_success() {
            // On the store's own thread: the rest is for another.
            opened(visit, &ticket, factor);
        } else {
            visit.answer(refused(&response));
        }
    });
    let operation = api::ChangePassword::OPERATION;
    pipeline::run_for(&node, origin, authentic, operation, request.into_value(), reply);
}

/// Opens the session of who has just changed the password.
fn opened(mut visit: Visit, ticket: &Ticket, factor: Option<ShownFactor>) {
    let node = Arc::clone(&visit.node);
    let (account_id, user_id) = (ticket.account, ticket.user);
    // The change has the event of this id.
    visit.origin.event_id = Mint::new(node.entropy()).uuid();
    let slot = Arc::new(parking_lot::Mutex::new(Some(visit)));
    let held = Arc::clone(&slot);
    let work = move || {
        let Some(visit) = held.lock().take() else { return };
        let shard = visit.node.shard(account_id);
        let account = shard.as_ref().map(|shard| shard.account());
        let user = account.as_ref().and_then(|account| account.user(&user_id).cloned());
        let profile = account.as_ref().and_then(|account| account.login_profile(&user_id));
        match (shard, user, profile) {
            (Some(shard), Some(user), Some(profile)) => {
                let proved = Proved { user, mark: profile.mark().to_owned() };
                let opening = Opening { way: Way::Changed(factor), ..Opening::of(proved) };
                open::finish(visit, &shard, &opening);
            }
            _ => visit.answer(Answer::stale()),
        }
    };
    if node.pool().run(work).is_err()
        && let Some(visit) = slot.lock().take()
    {
        visit.answer(Answer::busy());
    }
}

/// What the operation said, in the form of sign-in.
fn refused(response: &Response<Bytes>) -> Answer {
    let header = response.headers().get("x-amzn-errortype");
    let header = header.and_then(|value| value.to_str().ok());
    match json::decode_error(response.body(), header) {
        Ok(error) => match error.code.as_str() {
            "Throttling" => Answer::wait(),
            "AccessDeniedException" if error.message == OLD_WRONG => Answer::wrong(),
            "AccessDeniedException" => Answer::error(403, "AccessDenied", &error.message),
            code => Answer::error(response.status().as_u16(), code, &error.message),
        },
        Err(_) => Answer::busy(),
    }
}

/// What ChangePassword says of a wrong old password.
const OLD_WRONG: &str = "The old password was incorrect.";
