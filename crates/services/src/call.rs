//! One call: what an operation may read, and, once permitted, change.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

use bailiwick_catalog::Catalog;
use bailiwick_identifiers::{AccountId, Partition};
use bailiwick_model::{Account, Record, RecordKey};
use bailiwick_store::seal::Keyring;
use bailiwick_store::{Expect, Transaction};
use bailiwick_wire::{Api, schema};
use jiff::Timestamp;

use crate::ask::Ask;
use crate::caller::Caller;
use crate::fault::Fault;
use crate::node::{Node, Reservation};
use crate::operation::Operation;
use crate::origin::Origin;
use crate::ports::{Entropy, Mint};
use crate::quota::Quotas;

/// A call in progress, on one state of its account.
pub(crate) struct Call<'n> {
    node: &'n Node,
    origin: &'n Origin,
    schema: &'static schema::Operation,
    caller: Caller,
    account: Arc<Account>,
    seen: RefCell<Vec<Arc<Account>>>,
}

impl<'n> Call<'n> {
    pub(crate) fn new(
        node: &'n Node,
        origin: &'n Origin,
        schema: &'static schema::Operation,
        caller: Caller,
        account: Arc<Account>,
    ) -> Self {
        Self { node, origin, schema, caller, account, seen: RefCell::default() }
    }

    /// The caller's account, as of this call.
    pub(crate) fn account(&self) -> &Account {
        &self.account
    }

    /// The same, to be kept.
    pub(crate) fn account_shared(&self) -> Arc<Account> {
        Arc::clone(&self.account)
    }

    /// The newest durable state of another account of the server, for the one operation that crosses.
    /// One call sees one state of it.
    pub(crate) fn foreign(&self, id: AccountId) -> Option<Arc<Account>> {
        let mut seen = self.seen.borrow_mut();
        if let Some(account) = seen.iter().find(|account| account.id() == id) {
            return Some(Arc::clone(account));
        }
        let account = self.node.account(id)?;
        seen.push(Arc::clone(&account));
        Some(account)
    }

    /// Who calls.
    pub(crate) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Where the call came from.
    pub(crate) fn origin(&self) -> &Origin {
        self.origin
    }

    /// The instant of the call.
    pub(crate) fn now(&self) -> Timestamp {
        self.origin.now
    }

    /// The name of the operation.
    pub(crate) fn operation(&self) -> &'static str {
        self.schema.name
    }

    /// The facts about services.
    pub(crate) fn catalog(&self) -> &'static Catalog {
        self.node.catalog()
    }

    /// The node, for its journal and settings.
    pub(crate) fn node(&self) -> &'n Node {
        self.node
    }

    /// The keys that seal.
    pub(crate) fn keyring(&self) -> &'n Keyring {
        self.node.keyring()
    }

    /// Randomness that need not be the same when the transaction runs again.
    pub(crate) fn entropy(&self) -> &'n dyn Entropy {
        self.node.entropy()
    }

    /// The quotas in force.
    pub(crate) fn quotas(&self) -> &'n Quotas {
        &self.node.settings().quotas
    }

    /// The partition of the account's ARNs.
    pub(crate) fn partition(&self) -> Partition {
        self.account.partition()
    }

    /// An ask for the action of an operation on a resource of the caller's account.
    pub(crate) fn ask<O: Operation>(&self, resource: impl Into<String>) -> Ask {
        let operation = <O::Api as Api>::OPERATION;
        let action = format!("{}:{}", operation.service.signing_name, operation.name);
        Ask::new(action, resource, self.account.id())
    }
}

/// A call after every ask was allowed: the only thing that can write. What it writes shows at once
/// in [`Call::account`], and becomes durable with the call's event or not at all.
pub(crate) struct Permitted<'n> {
    call: Call<'n>,
    mint: Mint,
    writes: BTreeMap<String, Option<Vec<u8>>>,
    expects: BTreeMap<String, Expect>,
    reservations: Vec<Reservation>,
}

impl<'n> Deref for Permitted<'n> {
    type Target = Call<'n>;

    fn deref(&self) -> &Call<'n> {
        &self.call
    }
}

impl<'n> Permitted<'n> {
    pub(crate) fn new(call: Call<'n>, mint: Mint) -> Self {
        Self {
            call,
            mint,
            writes: BTreeMap::new(),
            expects: BTreeMap::new(),
            reservations: Vec::new(),
        }
    }

    /// Where new ids and secrets come from.
    pub(crate) fn mint(&mut self) -> &mut Mint {
        &mut self.mint
    }

    /// Adds an entity. The store refuses it if its name or key was taken meanwhile.
    pub(crate) fn create(&mut self, record: Record) {
        let account = self.call.account.id();
        if let Some(name) = record.unique_name() {
            let path = name.path(account);
            self.expects.entry(path.clone()).or_insert(Expect::Absent);
            self.writes.insert(path, Some(Vec::new()));
        }
        self.expects.entry(record.key().path(account)).or_insert(Expect::Absent);
        self.update(record);
    }

    /// Adds or replaces a record whose name does not change.
    pub(crate) fn update(&mut self, record: Record) {
        let path = record.key().path(self.call.account.id());
        self.writes.insert(path, Some(record.encode()));
        Arc::make_mut(&mut self.call.account).put(record);
    }

    /// Replaces an entity by one with the same id and another name.
    pub(crate) fn rename(&mut self, old: &Record, new: Record) {
        let account = self.call.account.id();
        if let (Some(from), Some(to)) = (old.unique_name(), new.unique_name())
            && from != to
        {
            self.expects.entry(to.path(account)).or_insert(Expect::Absent);
            self.writes.insert(from.path(account), None);
            self.writes.insert(to.path(account), Some(Vec::new()));
        }
        self.update(new);
    }

    /// Takes an entity and its name away.
    pub(crate) fn delete(&mut self, record: &Record) {
        let account = self.call.account.id();
        if let Some(name) = record.unique_name() {
            self.writes.insert(name.path(account), None);
        }
        self.remove(&record.key());
    }

    /// Takes a record without a name away.
    pub(crate) fn remove(&mut self, key: &RecordKey) {
        self.writes.insert(key.path(self.call.account.id()), None);
        Arc::make_mut(&mut self.call.account).remove(key);
    }

    /// Takes a name that is unique on the whole server, such as an account alias; false when another
    /// account has it, or is about to.
    pub(crate) fn claim(&mut self, path: String) -> bool {
        let Some(reservation) = self.call.node.reserve(&path) else { return false };
        if self.call.node.is_taken(&path) {
            return false;
        }
        self.reservations.push(reservation);
        self.expects.entry(path.clone()).or_insert(Expect::Absent);
        self.writes.insert(path, Some(self.call.account.id().to_string().into_bytes()));
        true
    }

    /// Gives such a name back.
    pub(crate) fn release(&mut self, path: String) {
        self.writes.insert(path, None);
    }

    /// Refuses when `held` things already fill a quota.
    #[allow(clippy::unused_self, reason = "room is asked for where things are made")]
    pub(crate) fn require_room(&self, held: usize, quota: &str, limit: u64) -> Result<(), Fault> {
        if u64::try_from(held).is_ok_and(|held| held < limit) {
            Ok(())
        } else {
            Err(Fault::limit(quota, limit))
        }
    }

    /// Whether anything was written.
    pub(crate) fn has_written(&self) -> bool {
        !self.writes.is_empty()
    }

    /// The state after the call, the transaction that makes it durable, and the names to be held
    /// until it is.
    pub(crate) fn finish(self) -> (Arc<Account>, Transaction, Vec<Reservation>) {
        let mut transaction = Transaction::new();
        for (path, expect) in self.expects {
            transaction = transaction.compare(path, expect);
        }
        for (path, value) in self.writes {
            transaction = match value {
                Some(value) => transaction.put(path, value),
                None => transaction.delete(path),
            };
        }
        (self.call.account, transaction, self.reservations)
    }
}
