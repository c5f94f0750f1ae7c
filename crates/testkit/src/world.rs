//! A node in memory, and what a test may see of it from behind.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use bailiwick_catalog::Catalog;
use bailiwick_services::{Node, Parts, Peer, Quotas, RelyingParty, Settings, operator};
use bailiwick_store::journal::Journal;
use bailiwick_store::seal::Keyring;
use bailiwick_store::{MemoryStore, Store, Transaction};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;

use crate::client::{Client, Credentials};
use crate::furniture::{Furniture, trust};
use crate::seeded::{SeededEntropy, SettableClock};

/// The account that a world begins with.
pub const HOME: &str = "123456789012";

/// Where the pages are that may ask browsers for passkeys.
pub const PAGE: &str = "https://localhost:4680";

/// When every world begins, in seconds: 2026-11-21T22:00:00Z.
const BEGINNING: i64 = 1_795_298_400;

/// Lines of an account that the journal keeps: more than any test makes.
const LINES: usize = 1_000_000;

/// What the policies of a new user or role allow.
#[derive(Clone, Copy, Debug)]
pub enum Rights<'a> {
    /// It has no policy.
    None,
    /// One inline policy.
    Inline(&'a str),
}

/// A node with its store, journal and clock, and the administrator of its first account.
pub struct World {
    /// The node.
    pub node: Arc<Node>,
    /// The clock of node and clients.
    pub clock: Arc<SettableClock>,
    /// The administrator of [`HOME`].
    pub admin: Client,
    /// The administrator's first console password.
    pub console_password: String,
    master: [u8; 32],
    seed: u64,
    quotas: Quotas,
}

impl World {
    /// A world with AWS's quotas.
    pub fn new(seed: u64) -> Self {
        Self::with_quotas(seed, Quotas::default())
    }

    /// A world with quotas of its own.
    pub fn with_quotas(seed: u64, quotas: Quotas) -> Self {
        Self::build(seed, [7; 32], quotas)
    }

    /// A world that seals with another master key.
    pub fn with_master(seed: u64, master: [u8; 32]) -> Self {
        Self::build(seed, master, Quotas::default())
    }

    fn build(seed: u64, master: [u8; 32], quotas: Quotas) -> Self {
        let beginning = Timestamp::from_second(BEGINNING).expect("an instant");
        let clock = Arc::new(SettableClock::at(beginning));
        let store = Arc::new(MemoryStore::new());
        let node = open(store, &clock, seed, master, quotas.clone());
        let home = HOME.parse().expect("an account id");
        let made = operator::first_start(&node, Some(home), None).expect("a first start");
        let admin = client(&node, &clock, &made);
        let console_password = made.console_password.expose().to_owned();
        Self { node, clock, admin, console_password, master, seed, quotas }
    }

    /// A world whose first account holds two sets of everything, an alias, a password policy and a
    /// credential report.
    pub fn furnished(seed: u64) -> (Self, Furniture, Furniture) {
        let world = Self::new(seed);
        let one = Furniture::set(&world, "One");
        let two = Furniture::set(&world, "Two");
        world.admin.iam("CreateAccountAlias", &[("AccountAlias", "home-alias")]).ok();
        let policy = [("MinimumPasswordLength", "8")];
        world.admin.iam("UpdateAccountPasswordPolicy", &policy).ok();
        world.admin.iam("GenerateCredentialReport", &[]).ok();
        (world, one, two)
    }

    /// The same state on another node, as after a restart: what one does the other does not see.
    /// Events that the outbox holds are in its journal, and nothing else is.
    #[must_use]
    pub fn fork(&self) -> Self {
        self.fork_edited(|_| {})
    }

    /// As [`World::fork`], after somebody has been at the store.
    #[must_use]
    pub fn fork_edited(&self, edit: impl FnOnce(&mut BTreeMap<Vec<u8>, Vec<u8>>)) -> Self {
        let mut records = self.records();
        edit(&mut records);
        let mut transaction = Transaction::new();
        for (key, value) in records {
            transaction = transaction.put(key, value);
        }
        let store = Arc::new(MemoryStore::new());
        store.transact(transaction).expect("a copy of the state");
        let now = self.admin.clock.as_ref();
        let clock = Arc::new(SettableClock::at(bailiwick_services::Clock::now(now)));
        // Another stream, or the copy would mint what its origin has minted.
        let seed = self.seed.wrapping_add(0x5eed);
        let node = open(store, &clock, seed, self.master, self.quotas.clone());
        let admin =
            Client { node: Arc::clone(&node), clock: Arc::clone(&clock), ..self.admin.clone() };
        Self {
            node,
            clock,
            admin,
            console_password: self.console_password.clone(),
            master: self.master,
            seed,
            quotas: self.quotas.clone(),
        }
    }

    /// A client of this world with the credentials of another's.
    #[must_use]
    pub fn adopt(&self, client: &Client) -> Client {
        self.admin.with(client.credentials.clone())
    }

    /// A caller without credentials.
    pub fn anonymous(&self) -> Client {
        self.admin.anonymous()
    }

    /// Makes another account, and is its administrator.
    pub fn account(&self, id: &str) -> Client {
        let id = id.parse().expect("an account id");
        let made = operator::create_account(&self.node, Some(id), None).expect("a new account");
        client(&self.node, &self.clock, &made)
    }

    /// The root user of an account, with a new key.
    pub fn root(&self, account: &str) -> Client {
        let id = account.parse().expect("an account id");
        let (key, secret) = operator::create_root_key(&self.node, id).expect("a root key");
        self.admin.with(Some(Credentials {
            access_key_id: key.to_string(),
            secret: secret.expose().to_owned(),
            token: None,
        }))
    }

    /// Makes a user with a key, and is that user.
    pub fn user(&self, name: &str, rights: Rights<'_>) -> Client {
        self.admin.iam("CreateUser", &[("UserName", name)]).ok();
        if let Rights::Inline(policy) = rights {
            self.put_user_policy(name, policy);
        }
        let key = self.admin.iam("CreateAccessKey", &[("UserName", name)]).ok();
        self.admin.as_created(&key)
    }

    /// Sets the one inline policy of a user.
    pub fn put_user_policy(&self, name: &str, policy: &str) {
        let parameters = [("UserName", name), ("PolicyName", "rights"), ("PolicyDocument", policy)];
        self.admin.iam("PutUserPolicy", &parameters).ok();
    }

    /// Makes a role that this principal may assume, and returns the role's ARN.
    pub fn role(&self, name: &str, principal: &str, rights: Rights<'_>) -> String {
        self.role_trusting(name, &trust(principal), rights)
    }

    /// Makes a role with this trust policy, and returns the role's ARN.
    pub fn role_trusting(&self, name: &str, trust: &str, rights: Rights<'_>) -> String {
        let parameters = [("RoleName", name), ("AssumeRolePolicyDocument", trust)];
        let arn = self.admin.iam("CreateRole", &parameters).ok().text("Role.Arn");
        if let Rights::Inline(policy) = rights {
            let parameters =
                [("RoleName", name), ("PolicyName", "rights"), ("PolicyDocument", policy)];
            self.admin.iam("PutRolePolicy", &parameters).ok();
        }
        arn
    }

    /// Moves the clock on.
    pub fn advance(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// Every key and value in the store, the outbox included.
    pub fn records(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let entries = self.node.store().range(b"", None, usize::MAX).expect("the store");
        entries.into_iter().map(|entry| (entry.key, entry.value)).collect()
    }

    /// Every key and value of one account.
    pub fn records_of(&self, account: &str) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let prefix = format!("account/{account}/").into_bytes();
        let mut records = self.records();
        records.retain(|key, _| key.starts_with(&prefix));
        records
    }

    /// How many transactions the store has taken.
    pub fn revision(&self) -> u64 {
        self.node.store().revision().0
    }

    /// The lines of an account's journal, oldest first.
    pub fn lines(&self, account: &str) -> Vec<Vec<u8>> {
        let lines = self.node.journal().forward(account, None).expect("the journal");
        lines.map(|line| line.expect("a line").bytes).collect()
    }

    /// The lines of an account's journal, read.
    pub fn entries(&self, account: &str) -> Vec<Json> {
        let read = |line: Vec<u8>| serde_json::from_slice(&line).expect("a line of JSON");
        self.lines(account).into_iter().map(read).collect()
    }

    /// The events of an account, oldest first.
    pub fn events(&self, account: &str) -> Vec<Json> {
        let event = |mut line: Json| line.get_mut("event").expect("an event").take();
        self.entries(account).into_iter().map(event).collect()
    }

    /// The newest event of [`HOME`].
    pub fn last_event(&self) -> Json {
        self.events(HOME).pop().expect("an event")
    }

    /// What the newest call of [`HOME`] asked: pairs of action and resource.
    pub fn last_asks(&self) -> Vec<(String, String)> {
        let line = self.entries(HOME).pop().expect("a line");
        let asks = line.get("decision").and_then(Json::as_array).cloned().unwrap_or_default();
        let text = |ask: &Json, key: &str| {
            ask.get(key).and_then(Json::as_str).expect("an action and a resource").to_owned()
        };
        asks.iter().map(|ask| (text(ask, "action"), text(ask, "resource"))).collect()
    }
}

fn open(
    store: Arc<MemoryStore>,
    clock: &Arc<SettableClock>,
    seed: u64,
    master: [u8; 32],
    quotas: Quotas,
) -> Arc<Node> {
    let opened = Node::open(Parts {
        store,
        journal: Arc::new(Journal::in_memory(LINES)),
        keyring: Keyring::from_bytes(master).expect("a master key"),
        catalog: Catalog::embedded(),
        clock: Arc::clone(clock) as Arc<_>,
        entropy: Arc::new(SeededEntropy::new(seed)),
        settings: Settings {
            quotas,
            relying_party: RelyingParty::new("localhost", vec![PAGE.into()]).ok(),
            public_url: "http://localhost".into(),
            ..Settings::default()
        },
    });
    opened.expect("a node")
}

fn client(node: &Arc<Node>, clock: &Arc<SettableClock>, made: &operator::Credentials) -> Client {
    Client {
        node: Arc::clone(node),
        clock: Arc::clone(clock),
        credentials: Some(Credentials {
            access_key_id: made.access_key_id.to_string(),
            secret: made.secret_access_key.expose().to_owned(),
            token: None,
        }),
        peer: Peer { address: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 10)), secure: true },
    }
}
