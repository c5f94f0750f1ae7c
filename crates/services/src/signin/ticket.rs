//! How far a sign-in came: sealed by this server, held by the client, good for minutes.

use bailiwick_identifiers::{AccountId, UniqueId};
use bailiwick_model::{Account, ConsoleSession, Owner, ShownFactor, User};
use bailiwick_store::seal::{Binding, Keyring, Purpose};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

use super::Visit;
use crate::node::Node;
use crate::ports::{Mint, hex};

/// How long a step may take.
const LIFE: SignedDuration = SignedDuration::from_mins(5);
/// The longest sealed text that is opened.
const MAX_SEALED: usize = 4096;
/// The most tickets that are remembered as spent.
const SPENT: usize = 65_536;

/// What the password has proved, and what is still to be shown.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ticket {
    /// Random: a ticket leads to one session.
    pub(super) id: String,
    /// The account.
    pub(super) account: AccountId,
    /// The user whose password was right.
    pub(super) user: UniqueId,
    /// The mark of that password: with another password the ticket is none.
    pub(super) mark: String,
    /// When it ends.
    pub(super) expires: Timestamp,
    /// What comes next.
    pub(super) stage: Stage,
}

/// What comes next.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub(super) enum Stage {
    /// A second factor is to be shown. A security key signs this challenge of 32 bytes.
    Factor {
        /// In base64url.
        challenge: String,
    },
    /// Another password is to be set; the factor, if there is one, was shown.
    NewPassword {
        /// The factor that was shown.
        factor: Option<ShownFactor>,
    },
}

impl Ticket {
    /// A new ticket.
    pub(super) fn new(visit: &Visit, account: AccountId, who: &Proved, stage: Stage) -> Self {
        let mut mint = Mint::new(visit.node.entropy());
        Self {
            id: hex(&mint.bytes::<16>()),
            account,
            user: who.user.id,
            mark: who.mark.clone(),
            expires: visit.now().checked_add(LIFE).unwrap_or(Timestamp::MAX),
            stage,
        }
    }

    /// A stage that asks for a factor.
    pub(super) fn challenge(node: &Node) -> Stage {
        let bytes = Mint::new(node.entropy()).bytes::<32>();
        Stage::Factor { challenge: URL_SAFE_NO_PAD.encode(bytes) }
    }

    /// The text for the client.
    pub(super) fn seal(&self, node: &Node) -> Option<String> {
        seal(node, TICKET, self)
    }

    /// What a client's text stands for, if it is still good.
    pub(super) fn open(node: &Node, text: &str, now: Timestamp) -> Option<Self> {
        let ticket: Self = open(node.keyring(), TICKET, text)?;
        let spent = node.sign_in().spent.lock().contains_key(&ticket.id);
        (now < ticket.expires && !spent).then_some(ticket)
    }

    /// Marks the ticket as used; false when it was.
    pub(super) fn spend(&self, node: &Node, now: Timestamp) -> bool {
        let mut spent = node.sign_in().spent.lock();
        if spent.len() >= SPENT {
            spent.retain(|_, ends| now < *ends);
        }
        spent.len() < SPENT && spent.insert(self.id.clone(), self.expires).is_none()
    }

    /// The user of the ticket in a state of its account, if the password is still the same.
    pub(super) fn holder(&self, account: &Account) -> Option<Proved> {
        let user = account.user(&self.user)?;
        let profile = account.login_profile(&self.user)?;
        let proved = Proved { user: Arc::clone(user), mark: profile.mark().to_owned() };
        (proved.mark == self.mark).then_some(proved)
    }
}

/// A user whose password was right.
#[derive(Clone)]
pub(super) struct Proved {
    /// The user.
    pub(super) user: Arc<User>,
    /// The mark of the password.
    pub(super) mark: String,
}

impl Proved {
    /// Whose devices count.
    pub(super) fn owner(&self) -> Owner {
        Owner::User(self.user.id)
    }
}

/// What a cookie holds.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SessionCookie {
    account: AccountId,
    id: String,
}

impl SessionCookie {
    /// The cookie of a session.
    pub(super) fn seal(
        node: &Node,
        account: AccountId,
        session: &ConsoleSession,
    ) -> Option<String> {
        seal(node, COOKIE, &Self { account, id: session.id.clone() })
    }

    /// The session behind a cookie, if it is good, and the newest durable state of its account.
    pub(super) fn open(
        node: &Node,
        text: &str,
        now: Timestamp,
    ) -> Option<(Arc<Account>, Arc<ConsoleSession>)> {
        let Self { account, id } = open(node.keyring(), COOKIE, text)?;
        let account = node.account(account)?;
        let session = account.console_session(&id).cloned()?;
        (now < session.expires && session.is_good(&account)).then_some((account, session))
    }
}

/// How sealed texts are bound: one kind is not taken for another (threat L02).
const TICKET: Binding<'static> = Binding { kind: "sign-in-ticket", id: b"", version: 1 };
const COOKIE: Binding<'static> = Binding { kind: "console-cookie", id: b"", version: 1 };

fn seal(node: &Node, binding: Binding<'_>, value: &impl Serialize) -> Option<String> {
    let plain = serde_json::to_vec(value).ok()?;
    let nonce = Mint::new(node.entropy()).bytes();
    let sealed = node.keyring().seal(Purpose::ConsoleSession, &binding, &plain, nonce).ok()?;
    Some(URL_SAFE_NO_PAD.encode(sealed))
}

fn open<T: DeserializeOwned>(keyring: &Keyring, binding: Binding<'_>, text: &str) -> Option<T> {
    if text.len() > MAX_SEALED {
        return None;
    }
    let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
    let plain = keyring.open(Purpose::ConsoleSession, &binding, &sealed).ok()?;
    serde_json::from_slice(&plain).ok()
}
