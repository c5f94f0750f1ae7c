//! The first two steps: a password, and a second factor.

use std::sync::Arc;

use bailiwick_identifiers::AccountAlias;
use bailiwick_model::{Account, LoginProfile, User};
use serde_json::json;

use super::Visit;
use super::answer::Answer;
use super::factor;
use super::guesses::{asker, counted, counted_nobody};
use super::http::{FactorStep, PasswordStep};
use super::open::{self, Opening};
use super::record::{FAILED, NOBODY, SignInEvent, Who};
use super::ticket::{Proved, Stage, Ticket};
use crate::fault::Fault;
use crate::guess::DAILY;
use crate::iam::password;
use crate::kept::Written;
use crate::mfa::{self, passkeys};
use crate::node::{ALIASES, Node};
use crate::shard::Shard;

/// Looks at a password. Whoever the name belongs to, if anybody, costs the same.
pub(super) fn password(visit: Visit, given: &PasswordStep) {
    let node = Arc::clone(&visit.node);
    let shard = shard_of(&node, &given.account);
    let account = shard.as_ref().map(|shard| shard.account());
    let user = account.as_ref().and_then(|account| account.user_named(&given.user_name).cloned());
    let profile = account
        .as_ref()
        .zip(user.as_ref())
        .and_then(|(account, user)| account.login_profile(&user.id).cloned());
    let failed = |visit: Visit, answer: Answer| {
        let event = login_failed(&visit, account.as_deref(), user.as_deref(), None);
        let recorded = visit.record(account.as_ref().map(|account| account.id()), &event);
        visit.answer(if recorded { answer } else { Answer::fault(&Fault::unavailable()) });
    };

    let address = visit.origin.peer.address;
    let counted = match (&account, &user) {
        (Some(account), Some(user)) => {
            counted(account.id(), user.id, asker(account, &user.id, address))
        }
        _ => counted_nobody(&given.account, &given.user_name),
    };
    let begun = node.sign_in().addresses.begin(address, visit.now());
    let begun = begun.and_then(|()| {
        node.passwords().begin(node.store(), &counted.who, counted.daily, visit.now())
    });
    if let Err(fault) = begun.and_then(Written::wait) {
        return failed(visit, refusal(&fault));
    }
    let nobody = password::nobody();
    let hash = profile.as_ref().map_or(nobody, |profile| profile.hash.as_str());
    let right = password::verify(&given.password, hash);
    let found = (shard.clone(), account.clone(), user.clone(), profile);
    let (true, (Some(shard), Some(account), Some(user), Some(profile))) = (right, found) else {
        return failed(visit, Answer::wrong());
    };
    node.passwords().right(node.store(), &counted.who);
    node.sign_in().addresses.right(address);
    if is_locked(&account, &profile, &visit) {
        return locked(visit, &account, &user);
    }
    let rehashed = match password::rehash(&given.password, &profile.hash) {
        Ok(rehashed) => rehashed,
        Err(fault) => return failed(visit, Answer::fault(&fault)),
    };
    let proved = Proved { user, mark: profile.mark().to_owned() };
    if open::has_factor(&account, &proved) {
        return ask_for_factor(visit, &shard, &account, &proved, rehashed);
    }
    open::finish(visit, &shard, &Opening { rehashed, ..Opening::of(proved) });
}

/// The account of an id or alias.
fn shard_of(node: &Node, account: &str) -> Option<Arc<Shard>> {
    if let Ok(id) = account.parse() {
        return node.shard(id);
    }
    let alias: AccountAlias = account.parse().ok()?;
    let entry = node.store().get(format!("{ALIASES}{}", alias.as_str()).as_bytes()).ok()??;
    let id = std::str::from_utf8(&entry.value).ok()?.parse().ok()?;
    node.shard(id)
}

fn refusal(fault: &Fault) -> Answer {
    if fault.code() == "Throttling" { Answer::wait() } else { Answer::fault(fault) }
}

/// ConsoleLogin that failed.
fn login_failed<'a>(
    visit: &Visit,
    account: Option<&'a Account>,
    user: Option<&'a User>,
    factor: Option<&str>,
) -> SignInEvent<'a> {
    let (who, error) = match (account, user) {
        (Some(account), Some(user)) => (Who::User(account, user), FAILED),
        (account, _) => (Who::Nobody(account.map(Account::id)), NOBODY),
    };
    let additional = visit.login_data(factor);
    SignInEvent { name: "ConsoleLogin", who, error: Some(error), additional }
}

/// Whether the password has expired under a policy that lets nobody but an administrator set
/// another. Source: IAM API, UpdateAccountPasswordPolicy, HardExpiry.
fn is_locked(account: &Account, profile: &LoginProfile, visit: &Visit) -> bool {
    let policy = account.settings().password_policy.as_ref();
    policy.is_some_and(|policy| policy.hard_expiry == Some(true))
        && profile.is_expired(policy, visit.now())
}

fn locked(visit: Visit, account: &Account, user: &User) {
    let event = SignInEvent {
        name: "ConsoleLogin",
        who: Who::User(account, user),
        error: Some("Password expired"),
        additional: visit.login_data(None),
    };
    let recorded = visit.record(Some(account.id()), &event);
    let text = "Your password has expired. Please contact your administrator.";
    let answer = Answer::error(403, "PasswordExpired", text);
    visit.answer(if recorded { answer } else { Answer::fault(&Fault::unavailable()) });
}

/// The password was right, and is not enough.
fn ask_for_factor(
    visit: Visit,
    shard: &Arc<Shard>,
    account: &Account,
    proved: &Proved,
    rehashed: Option<String>,
) {
    let stage = Ticket::challenge(&visit.node);
    let Stage::Factor { challenge } = &stage else { return visit.answer(Answer::busy()) };
    let devices: Vec<_> = account.mfa_devices_of(proved.owner()).cloned().collect();
    let choices = factor::choices(&devices);
    let kind = devices.first().map_or("Virtual MFA", |device| factor::kind(device));
    let ticket = Ticket::new(&visit, account.id(), proved, stage.clone());
    let Some(ticket) = ticket.seal(&visit.node) else { return visit.answer(Answer::busy()) };
    let answer = Answer::done(json!({
        "status": "factor-required",
        "ticket": ticket,
        "factors": choices,
        // What the page hands to `navigator.credentials.get`; null without a key.
        "passkey": passkeys::assertion_options(&visit.node, account, proved.owner(), challenge),
    }));
    let event = SignInEvent {
        name: "CheckMfa",
        who: Who::User(account, &proved.user),
        error: None,
        additional: json!({"MfaType": kind}),
    };
    if let Some(hash) = rehashed {
        let line = visit.line(account.id(), &event);
        return open::keep_hash(visit, shard, proved, hash, line, answer);
    }
    let recorded = visit.record(Some(account.id()), &event);
    visit.answer(if recorded { answer } else { Answer::fault(&Fault::unavailable()) });
}

/// Looks at a second factor.
pub(super) fn factor(visit: Visit, given: &FactorStep) {
    let node = Arc::clone(&visit.node);
    let Some(ticket) = Ticket::open(&node, &given.ticket, visit.now()) else {
        return visit.answer(Answer::stale());
    };
    let Stage::Factor { challenge } = &ticket.stage else { return visit.answer(Answer::stale()) };
    let Some(shard) = node.shard(ticket.account) else { return visit.answer(Answer::stale()) };
    let account = shard.account();
    let Some(proved) = ticket.holder(&account) else { return visit.answer(Answer::stale()) };
    let failed = |visit: Visit, answer: Answer| {
        let event = login_failed(&visit, Some(&account), Some(&proved.user), Some(""));
        let recorded = visit.record(Some(account.id()), &event);
        visit.answer(if recorded { answer } else { Answer::fault(&Fault::unavailable()) });
    };
    let who = mfa::counted_for(account.id(), proved.owner());
    let begun = node.codes().begin(node.store(), &who, DAILY, visit.now());
    if let Err(fault) = begun.and_then(Written::wait) {
        return failed(visit, refusal(&fault));
    }
    let checked = open::call(&visit, &account, &proved)
        .and_then(|call| factor::check(&call, proved.owner(), &given.factor, challenge));
    match checked {
        Ok(Some(_)) => {}
        Ok(None) => return failed(visit, Answer::wrong_factor()),
        Err(fault) => return failed(visit, Answer::fault(&fault)),
    }
    node.codes().right(node.store(), &who);
    let shown = Some((&given.factor, challenge.as_str(), &ticket));
    open::finish(visit, &shard, &Opening { shown, ..Opening::of(proved) });
}
