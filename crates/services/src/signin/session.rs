//! What goes on with a session: credentials for it, and its end.

use std::sync::Arc;

use bailiwick_identifiers::{AccessKeyKind, AccountAlias};
use bailiwick_model::{Account, ConsoleSession, Owner, Record, User};
use bailiwick_wire::time;
use serde_json::{Value as Json, json};

use super::Visit;
use super::answer::{Answer, Cookie};
use super::open::{self, commit};
use super::record::{SignInEvent, Who};
use super::ticket::{Proved, SessionCookie};
use crate::call::Permitted;
use crate::fault::Fault;
use crate::ports::Mint;
use crate::session::{Claims, Console, Subject};

/// A session as its browser may see it, with credentials that end when it does.
pub(super) fn describe(
    visit: &Visit,
    account: &Account,
    session: &ConsoleSession,
) -> Result<Json, Answer> {
    let user = user_of(account, session).ok_or_else(Answer::no_session)?;
    let mut mint = Mint::new(visit.node.entropy());
    let claims = Claims {
        account: account.id(),
        subject: Subject::User(user.id),
        key: mint.access_key_id(AccessKeyKind::Temporary, account.id()),
        secret: mint.secret(),
        // However often credentials are given out, they are as old as the session.
        issued: session.begun,
        expires: session.expires,
        mfa: session.factor.as_ref().map(|factor| factor.at),
        minted_by: None,
        policy: None,
        policy_arns: Vec::new(),
        tags: Vec::new(),
        transitive: Vec::new(),
        source_identity: None,
        forward: None,
        console: Some(Console::Session(session.id.clone())),
    };
    let token = claims.seal(visit.node.keyring(), mint.bytes());
    let token = token.ok_or_else(|| Answer::fault(&Fault::internal()))?;
    Ok(json!({
        "status": "signed-in",
        "account": account.id().to_string(),
        "accountAlias": account.info().alias.as_ref().map(AccountAlias::as_str),
        "userName": user.name.as_str(),
        "arn": account.user_arn(user).as_str(),
        "multiFactor": session.factor.is_some(),
        "expiration": time::write_iso(session.expires),
        "credentials": {
            "accessKeyId": claims.key.as_str(),
            "secretAccessKey": claims.secret,
            "sessionToken": token,
        },
    }))
}

fn user_of<'a>(account: &'a Account, session: &ConsoleSession) -> Option<&'a Arc<User>> {
    match session.owner {
        Owner::User(id) => account.user(&id),
        Owner::Root => None,
    }
}

/// Credentials of a session were given out.
pub(super) fn token_event<'a>(account: &'a Account, user: &'a User) -> SignInEvent<'a> {
    SignInEvent {
        name: "GetSigninToken",
        who: Who::User(account, user),
        error: None,
        additional: json!({}),
    }
}

/// Gives out credentials for the session of a cookie.
pub(super) fn renew(visit: Visit, cookie: Option<&str>) {
    let held = cookie.and_then(|text| SessionCookie::open(&visit.node, text, visit.now()));
    let Some((account, session)) = held else { return visit.answer(Answer::no_session()) };
    let Some(user) = user_of(&account, &session) else {
        return visit.answer(Answer::no_session());
    };
    let answer = match describe(&visit, &account, &session) {
        Ok(opened) => Answer::done(opened),
        Err(answer) => answer,
    };
    let recorded = visit.record(Some(account.id()), &token_event(&account, user));
    visit.answer(if recorded { answer } else { Answer::fault(&Fault::unavailable()) });
}

/// Ends the session of a cookie, and with it all credentials that it gave out. Who is not signed in
/// is signed out.
pub(super) fn sign_out(visit: Visit, cookie: Option<&str>) {
    let done = Answer::done(json!({"status": "signed-out"})).with_cookie(Cookie::Clear);
    let opened = cookie.and_then(|text| SessionCookie::open(&visit.node, text, visit.now()));
    let Some((account, session)) = opened else { return visit.answer(done) };
    let shard = visit.node.shard(account.id());
    let user = user_of(&account, &session).cloned();
    let (Some(shard), Some(user)) = (shard, user) else { return visit.answer(done) };
    let head = shard.head();
    if shard.is_stopped() {
        drop(head);
        return visit.answer(Answer::fault(&Fault::unavailable()));
    }
    let account = Arc::clone(&head.account);
    let proved = Proved { user, mark: session.mark.clone() };
    let finished = open::call(&visit, &account, &proved).map(|call| {
        let mut permitted = Permitted::new(call, Mint::new(visit.node.entropy()));
        permitted.remove(&Record::ConsoleSession(Arc::clone(&session)).key());
        permitted.finish()
    });
    let Ok(finished) = finished else {
        // The user went meanwhile, and its sessions with it.
        drop(head);
        return visit.answer(done);
    };
    let event = SignInEvent {
        name: "Logout",
        who: Who::User(&account, &proved.user),
        error: None,
        additional: json!({}),
    };
    let line = visit.line(account.id(), &event);
    commit(visit, &shard, head, finished, line, done);
}
