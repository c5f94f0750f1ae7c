//! A node: the accounts that one process serves, and what it needs to serve them.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use bailiwick_analyzer::validate::Validator;
use bailiwick_catalog::Catalog;
use bailiwick_identifiers::{AccessKeyId, AccountId, Partition, UniqueId};
use bailiwick_model::{
    Account, AccountInfo, KeyUse, ManagedPolicies, Record, RecordError, RecordKey, RoleUse,
    ServiceCredentialUse, holds_record, prefix,
};
use bailiwick_store::journal::{Journal, JournalError};
use bailiwick_store::seal::Keyring;
use bailiwick_store::{Entry, Revision, Store, StoreError, Transaction};
use bailiwick_wire::sigv4::KeyCache;
use jiff::tz::TimeZone;
use parking_lot::{Mutex, RwLock};

use crate::blocklist::KnownPasswords;
use crate::guess::Guesses;
use crate::iam::last_accessed;
use crate::kept::{GUESSES, KeptGuesses};
use crate::last_use::Pending;
use crate::mfa::passkeys::Challenges;
use crate::mfa::webauthn::RelyingParty;
use crate::pool::Pool;
use crate::ports::{Clock, Entropy};
use crate::quota::Quotas;
use crate::readers::Readers;
use crate::retry;
use crate::shard::Shard;
use crate::signin::SignIn;

/// What an operator may choose.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The partition of new accounts.
    pub partition: Partition,
    /// The quotas of every account.
    pub quotas: Quotas,
    /// The zone in which `bailiwick:TimeOfDay` is told; UTC unless told.
    pub time_zone: Option<TimeZone>,
    /// The address at which others find the server, without a slash at the end.
    pub public_url: String,
    /// How long a console session lives at the most, in minutes; AWS's twelve hours unless told.
    pub console_session_minutes: Option<u16>,
    /// The domain to which passkeys are bound, and the pages that may ask for them; what the public
    /// address tells unless told.
    pub relying_party: Option<RelyingParty>,
    /// Passwords that are known from breaches.
    pub known_passwords: KnownPasswords,
}

/// What a node is made of.
pub struct Parts {
    /// Where state is durable.
    pub store: Arc<dyn Store>,
    /// Where events are kept.
    pub journal: Arc<Journal>,
    /// The keys that seal.
    pub keyring: Keyring,
    /// The facts about services.
    pub catalog: &'static Catalog,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The settings.
    pub settings: Settings,
}

/// Why a node cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A record cannot be read.
    #[error("{0}; nothing was changed, restore the data directory from a backup")]
    Record(#[from] RecordError),
    /// Records of an account that has none of its own, or keys that are no account's.
    #[error(
        "the store holds `{key}`, which belongs to no account; nothing was changed, restore the data directory from a backup"
    )]
    Orphan {
        /// The key.
        key: String,
    },
    /// The journal of events cannot be used.
    #[error("the event journal cannot be used: {0}")]
    Journal(String),
}

/// The accounts that one process serves.
pub struct Node {
    store: Arc<dyn Store>,
    journal: Arc<Journal>,
    keyring: Keyring,
    managed: ManagedPolicies,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    settings: Settings,
    shards: ArcSwap<BTreeMap<AccountId, Arc<Shard>>>,
    home: RwLock<Option<AccountId>>,
    imported: RwLock<HashMap<AccessKeyId, AccountId>>,
    signing_keys: KeyCache,
    pool: Pool,
    readers: Readers,
    validator: OnceLock<Validator<'static>>,
    passwords: KeptGuesses,
    codes: KeptGuesses,
    sign_in: SignIn,
    passkeys: Challenges,
    relying_party: Option<RelyingParty>,
    /// Guesses at service-specific credentials, apart from those at passwords.
    service_guesses: Guesses,
    /// Keys in the outbox whose events are in the journal, though perhaps not synced.
    exported: Mutex<Vec<Vec<u8>>>,
    /// Durable events that the journal did not take yet, in the order of their revisions.
    waiting: Mutex<HashMap<AccountId, VecDeque<Waiting>>>,
    /// Names unique on the server that a change on its way to the disk has taken.
    reserved: Arc<Mutex<HashSet<String>>>,
}

/// A durable event: its revision, its key in the outbox, its line.
type Waiting = (Revision, Vec<u8>, Vec<u8>);

/// Holds a name that is unique on the server until the change that takes it has ended.
pub(crate) struct Reservation {
    path: String,
    reserved: Arc<Mutex<HashSet<String>>>,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.reserved.lock().remove(&self.path);
    }
}

/// The prefix of the index of keys whose id does not carry their account.
pub(crate) const KEY_INDEX: &str = "index/access-key/";
/// The prefix of account aliases, which are unique on the server.
pub(crate) const ALIASES: &str = "alias/";
/// The prefix of events that are durable but perhaps not in the journal yet.
pub(crate) const OUTBOX: &str = "outbox/";
/// The key that names the account made at the first start, to which calls without a known account
/// are recorded.
pub(crate) const HOME: &str = "home";

const BATCH: usize = 10_000;
/// Records of one transaction of a flush.
const CHUNK: usize = 4000;

impl Node {
    /// Loads every account from the store, and finishes what a crash left undone.
    pub fn open(parts: Parts) -> Result<Arc<Self>, OpenError> {
        let told = parts.settings.relying_party.clone();
        let relying_party = told.or_else(|| RelyingParty::of_url(&parts.settings.public_url));
        let node = Self {
            store: parts.store,
            journal: parts.journal,
            keyring: parts.keyring,
            managed: ManagedPolicies::new(parts.catalog),
            clock: parts.clock,
            entropy: parts.entropy,
            settings: parts.settings,
            shards: ArcSwap::default(),
            home: RwLock::default(),
            imported: RwLock::default(),
            signing_keys: KeyCache::new(),
            pool: Pool::new(),
            readers: Readers::new(),
            validator: OnceLock::new(),
            passwords: KeptGuesses::new("password"),
            codes: KeptGuesses::new("code"),
            sign_in: SignIn::default(),
            passkeys: Challenges::default(),
            relying_party,
            service_guesses: Guesses::default(),
            exported: Mutex::default(),
            waiting: Mutex::default(),
            reserved: Arc::default(),
        };
        node.load_accounts()?;
        node.load_indexes()?;
        node.export_outbox()?;
        Ok(Arc::new(node))
    }

    fn load_accounts(&self) -> Result<(), OpenError> {
        let revision = self.store.revision();
        let mut accounts: BTreeMap<AccountId, Account> = BTreeMap::new();
        let mut waiting: Vec<(AccountId, Record)> = Vec::new();
        self.each(b"account/", |key, value| {
            if !holds_record(key) {
                return Ok(());
            }
            let id = key.split('/').nth(1).and_then(|id| id.parse::<AccountId>().ok());
            let id = id.ok_or_else(|| OpenError::Orphan { key: key.to_owned() })?;
            let record = Record::decode(key, value)?;
            match (accounts.get_mut(&id), record) {
                (Some(account), record) => account.put(record),
                (None, Record::Account(info)) => {
                    accounts.insert(id, Account::new(AccountInfo::clone(&info)));
                }
                // `access-key` sorts before `account`.
                (None, record) => waiting.push((id, record)),
            }
            Ok(())
        })?;
        for (id, record) in waiting {
            match accounts.get_mut(&id) {
                Some(account) => account.put(record),
                None => return Err(OpenError::Orphan { key: record.key().path(id) }),
            }
        }
        let shards = accounts
            .into_iter()
            .map(|(id, account)| (id, Arc::new(Shard::new(account, revision))))
            .collect();
        self.shards.store(Arc::new(shards));
        Ok(())
    }

    fn load_indexes(&self) -> Result<(), OpenError> {
        let home = self.store.get(HOME.as_bytes())?;
        *self.home.write() = home.and_then(|entry| text(&entry.value).parse().ok());
        let mut imported = HashMap::new();
        self.each(KEY_INDEX.as_bytes(), |key, value| {
            let id = key.strip_prefix(KEY_INDEX).and_then(|id| id.parse().ok());
            if let (Some(id), Ok(account)) = (id, text(value).parse()) {
                imported.insert(id, account);
            }
            Ok(())
        })?;
        *self.imported.write() = imported;
        self.each(GUESSES.as_bytes(), |key, value| {
            self.passwords.load(key, value);
            self.codes.load(key, value);
            Ok(())
        })
    }

    /// Brings durable events into the journal that a crash kept out of it.
    fn export_outbox(&self) -> Result<(), OpenError> {
        let mut pending: BTreeMap<(AccountId, Revision), Vec<Entry>> = BTreeMap::new();
        let mut after: Option<Vec<u8>> = None;
        loop {
            let page = self.store.range(OUTBOX.as_bytes(), after.as_deref(), BATCH)?;
            let Some(last) = page.last() else { break };
            after = Some(last.key.clone());
            for entry in page {
                let key = text(&entry.key);
                let account = key.split('/').nth(1).and_then(|id| id.parse().ok());
                let account = account.ok_or(OpenError::Orphan { key })?;
                pending.entry((account, entry.revision)).or_default().push(entry);
            }
        }
        let mut exported: HashMap<AccountId, Revision> = HashMap::new();
        for ((account, revision), lines) in pending {
            let newest = if let Some(newest) = exported.get(&account) {
                *newest
            } else {
                let newest = self
                    .journal
                    .last_exported_revision(&account.to_string())
                    .map_err(|error| OpenError::Journal(error.to_string()))?
                    .unwrap_or_default();
                exported.insert(account, newest);
                newest
            };
            for Entry { key, value: line, .. } in lines {
                if revision > newest {
                    self.append(account, revision, key, &line)
                        .map_err(|error| OpenError::Journal(error.to_string()))?;
                } else {
                    self.exported.lock().push(key);
                }
            }
        }
        Ok(())
    }

    /// Appends a durable event to the journal; its copy in the outbox goes with the next flush. An
    /// event that cannot be appended waits, and every later one of its account behind it: the newest
    /// revision in the journal tells at the next start that all before it are there.
    pub(crate) fn export(
        &self,
        account: AccountId,
        revision: Revision,
        key: Vec<u8>,
        line: Vec<u8>,
    ) {
        let mut waiting = self.waiting.lock();
        let queue = waiting.entry(account).or_default();
        queue.push_back((revision, key, line));
        while let Some((revision, key, line)) = queue.front() {
            if let Err(error) = self.append(account, *revision, key.clone(), line) {
                tracing::error!(%error, "an event waits for the journal");
                return;
            }
            queue.pop_front();
        }
        waiting.remove(&account);
    }

    /// Tries again to append what waits.
    fn export_waiting(&self) {
        let mut waiting = self.waiting.lock();
        waiting.retain(|account, queue| {
            while let Some((revision, key, line)) = queue.front() {
                if self.append(*account, *revision, key.clone(), line).is_err() {
                    return true;
                }
                queue.pop_front();
            }
            false
        });
    }

    fn append(
        &self,
        account: AccountId,
        revision: Revision,
        key: Vec<u8>,
        line: &[u8],
    ) -> Result<(), JournalError> {
        let mut marked = format!("{{\"revision\":{revision},").into_bytes();
        marked.extend_from_slice(line.strip_prefix(b"{").unwrap_or(line));
        self.journal.append(&account.to_string(), &marked).map(drop)?;
        self.exported.lock().push(key);
        Ok(())
    }

    fn each(
        &self,
        prefix: &[u8],
        mut visit: impl FnMut(&str, &[u8]) -> Result<(), OpenError>,
    ) -> Result<(), OpenError> {
        let mut after: Option<Vec<u8>> = None;
        loop {
            let page = self.store.range(prefix, after.as_deref(), BATCH)?;
            for entry in &page {
                visit(&text(&entry.key), &entry.value)?;
            }
            match page.last() {
                Some(last) => after = Some(last.key.clone()),
                None => return Ok(()),
            }
        }
    }

    /// Makes last uses durable and tidies up. The process calls it every second.
    pub fn flush(&self) {
        self.flush_uses(false);
    }

    /// Begins to make the reports that wait, in the background. The process calls it every second.
    pub fn begin_reports(self: &Arc<Self>) {
        for shard in self.shards.load().values().filter(|shard| !shard.is_stopped()) {
            last_accessed::making::begin(self, shard);
        }
    }

    /// Makes the reports that wait, a few of each account, and waits for that. For tests and tools.
    pub fn make_reports(self: &Arc<Self>) {
        for shard in self.shards.load().values().filter(|shard| !shard.is_stopped()) {
            last_accessed::making::work(self, shard);
        }
    }

    /// Makes all last uses durable, those too that would be written later. The process calls it
    /// before it ends.
    pub fn flush_all(&self) {
        self.flush_uses(true);
    }

    fn flush_uses(&self, all: bool) {
        self.export_waiting();
        let exported = std::mem::take(&mut *self.exported.lock());
        match self.journal.sync() {
            Ok(()) => exported.chunks(BATCH).for_each(|keys| self.trim_outbox(keys.to_vec())),
            Err(error) => {
                tracing::error!(%error, "the event journal could not be synced");
                self.exported.lock().extend(exported);
            }
        }
        for shard in self.shards.load().values().filter(|shard| !shard.is_stopped()) {
            self.flush_shard(shard, all);
        }
    }

    /// Makes the last uses of a shard durable, and forgets answers that are too old.
    fn flush_shard(&self, shard: &Arc<Shard>, all: bool) {
        let mut head = shard.head();
        let now = self.clock.now();
        let old = retry::forget(&mut head, now, CHUNK);
        for chunk in old.chunks(CHUNK) {
            let mut transaction = Transaction::new();
            for key in chunk {
                let key = RecordKey::Retry(key.clone());
                transaction = transaction.delete(key.path(shard.id()));
                Arc::make_mut(&mut head.account).remove(&key);
            }
            self.publish_later(shard, Arc::clone(&head.account), transaction, Vec::new());
        }
        let mut uses = shard.uses().to_write(&head.account, now, all);
        while !uses.is_empty() {
            let chunk: Vec<Pending> = uses.drain(..uses.len().min(CHUNK)).collect();
            let mut transaction = Transaction::new();
            for Pending { record, .. } in &chunk {
                transaction = transaction.put(record.key().path(shard.id()), record.encode());
                Arc::make_mut(&mut head.account).put(record.clone());
            }
            self.publish_later(shard, Arc::clone(&head.account), transaction, chunk);
        }
    }

    fn publish_later(
        &self,
        shard: &Arc<Shard>,
        account: Arc<Account>,
        transaction: Transaction,
        uses: Vec<Pending>,
    ) {
        let shard = Arc::clone(shard);
        self.store.submit(
            transaction,
            Box::new(move |result| {
                let durable = matches!(result, Ok(bailiwick_store::Outcome::Committed(_)));
                match result {
                    Ok(bailiwick_store::Outcome::Committed(revision)) => {
                        if !shard.is_stopped() {
                            shard.publish(account, revision);
                        }
                    }
                    Ok(bailiwick_store::Outcome::Conflict { .. }) => {}
                    Err(error) => tracing::error!(%error, "last uses could not be stored"),
                }
                shard.uses().written(&uses, durable);
            }),
        );
    }

    /// Drops durable events that are safe in the journal.
    fn trim_outbox(&self, exported: Vec<Vec<u8>>) {
        if exported.is_empty() {
            return;
        }
        let transaction = Transaction { deletes: exported, ..Transaction::new() };
        self.store.submit(
            transaction,
            Box::new(|result| {
                if let Err(error) = result {
                    tracing::error!(%error, "the outbox could not be trimmed");
                }
            }),
        );
    }
}

/// What the rest of the crate looks up.
impl Node {
    /// The newest durable state of an account.
    pub fn account(&self, id: AccountId) -> Option<Arc<Account>> {
        self.shards.load().get(&id).map(|shard| shard.account())
    }

    /// Every account, in order of its id.
    pub fn accounts(&self) -> Vec<Arc<Account>> {
        self.shards.load().values().map(|shard| shard.account()).collect()
    }

    /// The account made at the first start.
    pub fn home(&self) -> Option<AccountId> {
        *self.home.read()
    }

    pub(crate) fn set_home(&self, account: AccountId) {
        *self.home.write() = Some(account);
    }

    pub(crate) fn shard(&self, id: AccountId) -> Option<Arc<Shard>> {
        self.shards.load().get(&id).cloned()
    }

    /// Adds the shard of a new account.
    pub(crate) fn add_shard(&self, shard: Shard) {
        let shard = Arc::new(shard);
        self.shards.rcu(|shards| {
            let mut shards = BTreeMap::clone(shards);
            shards.insert(shard.id(), Arc::clone(&shard));
            shards
        });
    }

    /// The account that holds a key: told by the key's id, or by the index of imported keys.
    pub(crate) fn shard_of_key(&self, key: &AccessKeyId) -> Option<Arc<Shard>> {
        if let Some(account) = self.imported.read().get(key) {
            return self.shard(*account);
        }
        key.account().and_then(|account| self.shard(account))
    }

    /// Reserves a name that is unique on the server, unless somebody is taking it.
    pub(crate) fn reserve(&self, path: &str) -> Option<Reservation> {
        let fresh = self.reserved.lock().insert(path.to_owned());
        fresh.then(|| Reservation { path: path.to_owned(), reserved: Arc::clone(&self.reserved) })
    }

    /// Whether the store holds a key; so it is said when the store cannot tell.
    pub(crate) fn is_taken(&self, path: &str) -> bool {
        self.store.get(path.as_bytes()).map_or(true, |entry| entry.is_some())
    }

    /// Notes the account of a key whose id does not tell it.
    pub(crate) fn index_key(&self, key: AccessKeyId, account: AccountId) {
        self.imported.write().insert(key, account);
    }

    /// The last use of an access key of an account.
    pub(crate) fn last_key_use(&self, account: &Account, key: &AccessKeyId) -> Option<KeyUse> {
        let recent = self.shard(account.id()).and_then(|shard| shard.uses().key(key));
        recent.or_else(|| account.key_use(key).map(|last| KeyUse::clone(last)))
    }

    /// The last use of a role of an account.
    pub(crate) fn last_role_use(&self, account: &Account, role: &UniqueId) -> Option<RoleUse> {
        let recent = self.shard(account.id()).and_then(|shard| shard.uses().role(role));
        recent.or_else(|| account.role_use(role).map(|last| RoleUse::clone(last)))
    }

    /// The last use of a service-specific credential of an account.
    pub(crate) fn last_service_credential_use(
        &self,
        account: &Account,
        id: &UniqueId,
    ) -> Option<ServiceCredentialUse> {
        let recent = self.shard(account.id()).and_then(|shard| shard.uses().service_credential(id));
        let stored = || account.service_credential_use(id).map(|last| (**last).clone());
        recent.or_else(stored)
    }

    /// Notes, in memory, that a service-specific credential was used.
    pub(crate) fn used_service_credential(&self, account: AccountId, last: &ServiceCredentialUse) {
        if let Some(shard) = self.shard(account) {
            shard.uses().note_service_credential(last);
        }
    }

    /// Whether every account takes changes.
    pub fn is_healthy(&self) -> bool {
        !self.shards.load().values().any(|shard| shard.is_stopped())
    }

    /// Where state is durable.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Where events are kept.
    pub fn journal(&self) -> &Arc<Journal> {
        &self.journal
    }

    /// The clock.
    pub fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    pub(crate) fn managed(&self) -> &ManagedPolicies {
        &self.managed
    }

    /// Takes the facts of another catalog from now on.
    pub fn replace_catalog(&self, catalog: &'static Catalog) {
        self.managed.replace(catalog);
    }

    /// The facts about services.
    pub fn catalog(&self) -> &'static Catalog {
        self.managed.catalog()
    }

    /// The validator of policies by these facts; made at its first use.
    pub(crate) fn validator(&self) -> &Validator<'static> {
        self.validator.get_or_init(|| Validator::new(self.catalog()))
    }

    pub(crate) fn entropy(&self) -> &dyn Entropy {
        self.entropy.as_ref()
    }

    pub(crate) fn signing_keys(&self) -> &KeyCache {
        &self.signing_keys
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    pub(crate) fn readers(&self) -> &Readers {
        &self.readers
    }

    /// The wrong passwords, by whom they were counted for.
    pub(crate) fn passwords(&self) -> &KeptGuesses {
        &self.passwords
    }

    /// The wrong one-time codes, by whom they were counted for.
    pub(crate) fn codes(&self) -> &KeptGuesses {
        &self.codes
    }

    /// What sign-in keeps in memory.
    pub(crate) fn sign_in(&self) -> &SignIn {
        &self.sign_in
    }

    /// The challenges of registrations of passkeys.
    pub(crate) fn passkeys(&self) -> &Challenges {
        &self.passkeys
    }

    /// The server as browsers see it; none when it has no host name.
    pub(crate) fn relying_party(&self) -> Option<&RelyingParty> {
        self.relying_party.as_ref()
    }

    pub(crate) fn service_guesses(&self) -> &Guesses {
        &self.service_guesses
    }
}

/// The prefix of an account's records, for those who look into the store itself.
pub fn account_prefix(id: AccountId) -> String {
    prefix(id)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
