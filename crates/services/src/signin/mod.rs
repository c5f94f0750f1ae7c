//! Sign-in with a password, for the console: account, user name and password, then a second factor
//! if the user has one, then another password if the present one must be changed, then a session.
//!
//! One way in, as for signed calls: decode, check who it is, count, run, record, answer. There is
//! one state machine whatever the route: a ticket that this server sealed says how far a sign-in
//! came (threat F06). An answer does not tell whether a name exists (threat F01): the same text,
//! status, headers and work, and the same waits.
//!
//! Root has no password on this server, so it signs in nowhere.

mod answer;
mod attempt;
mod factor;
mod guesses;
mod http;
mod open;
mod password_change;
mod record;
mod session;
mod ticket;

use std::collections::HashMap;
use std::sync::Arc;

use ::http::request::Parts;
use bytes::Bytes;
use jiff::Timestamp;
use parking_lot::Mutex;

use crate::node::Node;
use crate::origin::{Origin, Peer};
use crate::pipeline::Reply;
use answer::Answer;
use guesses::Addresses;
pub(crate) use guesses::{Asker, counted};
use http::Step;

/// What the paths of sign-in begin with.
const PREFIX: &str = "/signin/";

/// What sign-in keeps in memory.
#[derive(Default)]
pub(crate) struct SignIn {
    /// Wrong guesses by address, whomever they were about.
    addresses: Addresses,
    /// Tickets that led to a session, with their ends: none leads to a second.
    spent: Mutex<HashMap<String, Timestamp>>,
}

/// Whether a path is one of sign-in's.
pub(crate) fn is_path(path: &str) -> bool {
    path.starts_with(PREFIX)
}

/// Begins a step of a sign-in. `reply` is called once, on this thread or on another.
pub(crate) fn begin(node: &Arc<Node>, parts: &Parts, body: &Bytes, peer: Peer, reply: Reply) {
    let mut origin = Origin::new(parts, peer, node.clock().now(), node.entropy());
    node.settings().partition.global_region().clone_into(&mut origin.region);
    let secure = peer.secure;
    let (step, cookie, site) = match http::read(node, parts, body, secure) {
        Ok(read) => read,
        Err(answer) => return reply(answer.into_response(&origin, secure)),
    };
    let visit = Visit { node: Arc::clone(node), origin, site, reply };
    // The closure owns the visit, and a full queue gives it back only by dropping it.
    let slot = Arc::new(Mutex::new(Some((visit, step, cookie))));
    let held = Arc::clone(&slot);
    let work = move || {
        let taken = held.lock().take();
        if let Some((visit, step, cookie)) = taken {
            visit.take(step, cookie.as_deref());
        }
    };
    if node.pool().run(work).is_err()
        && let Some((visit, ..)) = slot.lock().take()
    {
        visit.answer(Answer::busy());
    }
}

/// One step of a sign-in on its way.
struct Visit {
    node: Arc<Node>,
    origin: Origin,
    /// The address of the server as the browser has it, for the trail.
    site: String,
    reply: Reply,
}

impl Visit {
    fn take(self, step: Step, cookie: Option<&str>) {
        match step {
            Step::Password(given) => attempt::password(self, &given),
            Step::Factor(given) => attempt::factor(self, &given),
            Step::NewPassword(given) => password_change::begin(self, given),
            Step::Session => session::renew(self, cookie),
            Step::SignOut => session::sign_out(self, cookie),
        }
    }

    fn now(&self) -> Timestamp {
        self.origin.now
    }

    fn answer(self, answer: Answer) {
        (self.reply)(answer.into_response(&self.origin, self.origin.peer.secure));
    }
}
