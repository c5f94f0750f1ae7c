//! The end of a sign-in: the session, the use of the password and of the device, and the event, in
//! one transaction.

use std::sync::Arc;

use bailiwick_identifiers::AccessKeyKind;
use bailiwick_model::{
    Account, ConsoleSession, LoginProfile, PasswordUse, Record, RecordKey, ShownFactor,
};
use bailiwick_store::{Outcome as Stored, Transaction};
use bailiwick_wire::Api as _;
use bailiwick_wire::generated::sts as api;
use jiff::{SignedDuration, Timestamp};
use parking_lot::MutexGuard;
use serde_json::json;

use super::Visit;
use super::answer::{Answer, Cookie};
use super::factor::{self, Factor, Passed};
use super::record::{FAILED, SignInEvent, Who};
use super::session;
use super::ticket::{Proved, SessionCookie, Stage, Ticket};
use crate::call::{Call, Permitted};
use crate::caller::{Caller, Identity};
use crate::fault::Fault;
use crate::node::{OUTBOX, Reservation};
use crate::ports::{Mint, hex};
use crate::shard::{Head, Shard};

/// How long a session lives unless the operator says otherwise, in minutes: twelve hours, as on AWS.
const SESSION_MINUTES: u16 = 720;

/// What a sign-in has come to.
pub(super) struct Opening<'a> {
    /// The user whose password was right.
    pub(super) proved: Proved,
    /// The factor with its challenge and ticket, which is looked at again on the newest state: it
    /// may have been used meanwhile (threat F05).
    pub(super) shown: Option<(&'a Factor, &'a str, &'a Ticket)>,
    /// The hash of the same password under the parameters of today.
    pub(super) rehashed: Option<String>,
    /// How far it is.
    pub(super) way: Way,
}

/// What a sign-in has behind it.
pub(super) enum Way {
    /// It ends here, unless the password must be changed first.
    SignIn,
    /// The password was changed, after this factor was shown. The sign-in is in the trail already.
    Changed(Option<ShownFactor>),
}

impl Opening<'_> {
    /// A sign-in with a password alone.
    pub(super) fn of(proved: Proved) -> Self {
        Self { proved, shown: None, rehashed: None, way: Way::SignIn }
    }
}

/// A call of the user who signs in, on one state of its account. Signing in is asking for a session
/// of oneself, and needs no permission (EV-11).
pub(super) fn call<'n>(
    visit: &'n Visit,
    account: &Arc<Account>,
    proved: &Proved,
) -> Result<Call<'n>, Fault> {
    let key = Mint::new(visit.node.entropy()).access_key_id(AccessKeyKind::Temporary, account.id());
    let user = account.user(&proved.user.id).cloned().ok_or_else(Fault::internal)?;
    let caller = Caller::new(account, Identity::User(user), key, None);
    let schema = api::GetSessionToken::OPERATION;
    Ok(Call::new(&visit.node, &visit.origin, schema, caller, Arc::clone(account)))
}

/// Ends a sign-in.
pub(super) fn finish(visit: Visit, shard: &Arc<Shard>, opening: &Opening<'_>) {
    let head = shard.head();
    if shard.is_stopped() {
        drop(head);
        return visit.answer(Answer::fault(&Fault::unavailable()));
    }
    let account = Arc::clone(&head.account);
    let made = open(&visit, &account, opening);
    match made {
        Ok(Opened { answer, line, permitted }) => {
            let finished = permitted.finish();
            commit(visit, shard, head, finished, line, answer);
        }
        Err(answer) => {
            drop(head);
            let factor = opening.shown.map(|_| "");
            let event = SignInEvent {
                name: "ConsoleLogin",
                who: Who::User(&account, &opening.proved.user),
                error: Some(FAILED),
                additional: visit.login_data(factor),
            };
            let recorded = visit.record(Some(account.id()), &event);
            visit.answer(if recorded { answer } else { Answer::fault(&Fault::unavailable()) });
        }
    }
}

/// What is to become durable, and the answer then.
struct Opened<'n> {
    answer: Answer,
    line: Vec<u8>,
    permitted: Permitted<'n>,
}

fn open<'n>(
    visit: &'n Visit,
    account: &Arc<Account>,
    opening: &Opening<'_>,
) -> Result<Opened<'n>, Answer> {
    let fault = |fault: Fault| Answer::fault(&fault);
    let proved = &opening.proved;
    let profile = account.login_profile(&proved.user.id);
    let profile = profile.filter(|held| held.mark() == proved.mark).cloned();
    let Some((profile, user)) = profile.zip(account.user(&proved.user.id).cloned()) else {
        return Err(Answer::stale());
    };
    let call = call(visit, account, proved).map_err(fault)?;
    let passed = match opening.shown {
        Some((shown, challenge, ticket)) => {
            let passed = factor::check(&call, proved.owner(), shown, challenge).map_err(fault)?;
            let passed = passed.ok_or_else(Answer::wrong_factor)?;
            if !ticket.spend(&visit.node, visit.now()) {
                return Err(Answer::stale());
            }
            Some(passed)
        }
        // A device that was enabled a moment ago counts.
        None if !matches!(opening.way, Way::Changed(Some(_))) && has_factor(account, proved) => {
            return Err(Answer::stale());
        }
        None => None,
    };
    let mut permitted = Permitted::new(call, Mint::new(visit.node.entropy()));
    let (factor, serial) = match (passed, &opening.way) {
        (Some(Passed { device, serial, record }), _) => {
            permitted.update(record);
            (Some(ShownFactor { device, at: seconds(visit.now()) }), Some(serial))
        }
        (None, Way::Changed(factor)) => (factor.clone(), None),
        (None, Way::SignIn) => (None, None),
    };
    let signs_in = matches!(opening.way, Way::SignIn);
    if signs_in {
        let held = account.password_use(&user.id).map(|held| &**held);
        let last = PasswordUse::after(held, user.id, visit.origin.peer.address, visit.now());
        permitted.update(Record::PasswordUse(Arc::new(last)));
    }
    if let Some(hash) = &opening.rehashed {
        permitted.update(rehashed(&profile, hash.clone()));
    }
    let answer = match must_change(account, &profile, visit.now()) {
        Some(reason) if signs_in => {
            let stage = Stage::NewPassword { factor };
            let ticket = Ticket::new(visit, account.id(), proved, stage).seal(&visit.node);
            Answer::done(json!({
                "status": "password-change-required",
                "reason": reason,
                "ticket": ticket.ok_or_else(Answer::busy)?,
            }))
        }
        _ => {
            let session = new_session(visit, &mut permitted, proved, factor);
            let opened = session::describe(visit, permitted.account(), &session)?;
            let cookie = SessionCookie::seal(&visit.node, account.id(), &session);
            let cookie = Cookie::Set(cookie.ok_or_else(Answer::busy)?, session.expires);
            Answer::done(opened).with_cookie(cookie)
        }
    };
    let event = if signs_in {
        SignInEvent {
            name: "ConsoleLogin",
            who: Who::User(account, &user),
            error: None,
            additional: visit.login_data(serial.as_deref()),
        }
    } else {
        session::token_event(account, &user)
    };
    Ok(Opened { answer, line: visit.line(account.id(), &event), permitted })
}

/// Whether a second factor is to be shown.
pub(super) fn has_factor(account: &Account, proved: &Proved) -> bool {
    account.mfa_devices_of(proved.owner()).next().is_some()
}

/// Why a password must be changed before there is a session.
fn must_change(account: &Account, profile: &LoginProfile, now: Timestamp) -> Option<&'static str> {
    let policy = account.settings().password_policy.as_ref();
    if profile.reset_required {
        Some("reset")
    } else if profile.is_expired(policy, now) {
        Some("expired")
    } else {
        None
    }
}

fn rehashed(profile: &LoginProfile, hash: String) -> Record {
    Record::LoginProfile(Arc::new(LoginProfile { hash, ..profile.clone() }))
}

/// Sessions begin at a full second, as their tokens tell it.
fn seconds(now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

/// Adds a session, in place of those that are over and, if there are too many, of the oldest.
fn new_session(
    visit: &Visit,
    permitted: &mut Permitted<'_>,
    proved: &Proved,
    factor: Option<ShownFactor>,
) -> ConsoleSession {
    let owner = proved.owner();
    let now = visit.now();
    let held: Vec<_> = permitted.account().console_sessions_of(owner).cloned().collect();
    let (mut good, over): (Vec<_>, Vec<_>) =
        held.into_iter().partition(|held| now < held.expires && held.is_good(permitted.account()));
    good.sort_by_key(|held| held.begun);
    let many = (good.len() + 1).saturating_sub(ConsoleSession::MOST);
    for gone in over.iter().chain(good.iter().take(many)) {
        permitted.remove(&RecordKey::ConsoleSession(gone.id.clone()));
    }
    let minutes = visit.node.settings().console_session_minutes.unwrap_or(SESSION_MINUTES);
    let life = SignedDuration::from_mins(minutes.into());
    let session = ConsoleSession {
        id: hex(&permitted.mint().bytes::<16>()),
        owner,
        begun: seconds(now),
        expires: seconds(now).checked_add(life).unwrap_or(now),
        mark: proved.mark.clone(),
        factor,
    };
    permitted.create(Record::ConsoleSession(Arc::new(session.clone())));
    session
}

/// Keeps the hash of the same password under the parameters of today, with an event.
pub(super) fn keep_hash(
    visit: Visit,
    shard: &Arc<Shard>,
    proved: &Proved,
    hash: String,
    line: Vec<u8>,
    answer: Answer,
) {
    let head = shard.head();
    let account = Arc::clone(&head.account);
    let profile = account.login_profile(&proved.user.id);
    let profile = profile.filter(|held| held.mark() == proved.mark).cloned();
    let finished = profile.ok_or_else(Fault::internal).and_then(|profile| {
        let mut permitted =
            Permitted::new(call(&visit, &account, proved)?, Mint::new(visit.node.entropy()));
        permitted.update(rehashed(&profile, hash));
        Ok(permitted.finish())
    });
    match finished {
        Ok(finished) if !shard.is_stopped() => commit(visit, shard, head, finished, line, answer),
        Ok(_) => {
            drop(head);
            visit.answer(Answer::fault(&Fault::unavailable()));
        }
        Err(_) => {
            drop(head);
            visit.answer(Answer::stale());
        }
    }
}

/// A change as [`Permitted::finish`] gives it out.
type Finished = (Arc<Account>, Transaction, Vec<Reservation>);

/// Makes a change durable with its event, and answers then. As the pipeline does it: submitted under
/// the lock, so that the store sees changes in the order of their states.
pub(super) fn commit(
    visit: Visit,
    shard: &Arc<Shard>,
    mut head: MutexGuard<'_, Head>,
    (account, transaction, reservations): Finished,
    line: Vec<u8>,
    answer: Answer,
) {
    let key = format!("{OUTBOX}{}/{}", shard.id(), visit.origin.event_id).into_bytes();
    let transaction = transaction.put(key.clone(), line.clone());
    if let Err(error) = transaction.check() {
        tracing::error!(%error, "a sign-in breaks a limit of the store");
        drop(head);
        return visit.answer(Answer::fault(&Fault::internal()));
    }
    head.account = Arc::clone(&account);
    let shard = Arc::clone(shard);
    let store = Arc::clone(visit.node.store());
    store.submit(
        transaction,
        Box::new(move |result| {
            drop(reservations);
            match result {
                Ok(Stored::Committed(revision)) => {
                    if !shard.is_stopped() {
                        shard.publish(account, revision);
                    }
                    visit.node.export(shard.id(), revision, key, line);
                    visit.answer(answer);
                }
                Ok(Stored::Conflict { .. }) | Err(_) => {
                    tracing::error!("a sign-in was not stored");
                    shard.stop();
                    visit.answer(Answer::fault(&Fault::unavailable()));
                }
            }
        }),
    );
    drop(head);
}
