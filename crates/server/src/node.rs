//! The services opened over this process's store, clock and randomness: in a data directory, or in
//! memory for development.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::bail;
use bailiwick_catalog::Catalog;
use bailiwick_identifiers::{AccessKeyId, AccountId};
use bailiwick_model::{KeyPolicy, Owner};
use bailiwick_services::{Clock, Entropy, KnownPasswords, Node, Parts, operator};
use bailiwick_store::journal::Journal;
use bailiwick_store::seal::Keyring;
use bailiwick_store::{EmbeddedOptions, EmbeddedStore, MemoryStore, Store, Transaction};
use bailiwick_wire::Secret;
use bytes::Bytes;
use http::Request;
use jiff::Timestamp;
use parking_lot::RwLock;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::backend::{Backend, DEV_ACCOUNT, DevKey};
use crate::clock::{self, ClockChange, SettableClock, SteadyClock};
use crate::operator::{AccountSummary, Credentials, ForwardSession, Operator, OperatorError};
use crate::range_file::RangeFile;
use crate::settings::{Home, Settings};
use crate::{DataDir, Dev, Handler, Peer, Reply, facts, random};

const MASTER_KEY: &str = "BAILIWICK_MASTER_KEY";
const MASTER_KEY_FILE: &str = "master.key";
/// Files of the store: where one of them is, a missing master key is a lost one.
const STATE: &[&str] = &["FORMAT", "state.redb"];
/// Events that a development server remembers of each account.
const DEV_EVENTS: usize = 100_000;

/// Opens the state and the services over it, to be found at `url`. A development server keeps all in
/// memory and takes `dev_key` for its administrator.
pub(crate) fn open(
    settings: &Settings,
    url: &str,
    dev_key: Option<&DevKey>,
) -> anyhow::Result<Backend> {
    let services = bailiwick_services::Settings {
        partition: settings.partition,
        quotas: settings.quotas.clone(),
        public_url: url.to_owned(),
        time_zone: Some(settings.time_zone.clone()),
        console_session_minutes: settings.console_session_minutes,
        known_passwords: blocklist(&settings.home),
        relying_party: settings.relying_party.clone(),
    };
    match (&settings.home, dev_key) {
        (Home::Directory(dir), _) => open_directory(dir, settings, services),
        (Home::Memory, Some(key)) => {
            let memory = Arc::new(Memory::start(services, key)?);
            let live = Arc::new(Live { node: RwLock::new(memory.fresh()?), directory: None });
            let dev = Switches { memory, live: Arc::clone(&live) };
            Ok(Backend {
                handler: Arc::clone(&live) as _,
                operator: live,
                dev: Some(Arc::new(dev)),
            })
        }
        (Home::Memory, None) => bail!("state in memory is for development, which has a key"),
    }
}

/// The list of known passwords in the data directory, if there ever is one.
fn blocklist(home: &Home) -> KnownPasswords {
    match home {
        Home::Directory(dir) => KnownPasswords::new(Arc::new(RangeFile::new(dir.blocklist()))),
        Home::Memory => KnownPasswords::default(),
    }
}

fn open_directory(
    dir: &DataDir,
    settings: &Settings,
    services: bailiwick_services::Settings,
) -> anyhow::Result<Backend> {
    let given = std::env::var(MASTER_KEY).ok().map(Zeroizing::new);
    let (keyring, key_file) = master_key(dir, settings.master_key_file.as_deref(), given)?;
    let options = EmbeddedOptions {
        keyring: &keyring,
        now: clock::now(),
        random: &mut random::fill,
        max_changes: None,
    };
    let store = Arc::new(EmbeddedStore::open(dir.path(), options)?);
    let node = Node::open(Parts {
        store: Arc::clone(&store) as Arc<dyn Store>,
        journal: Arc::new(Journal::open(&dir.path().join("journal"))?),
        keyring,
        catalog: facts::in_force(dir)?,
        clock: Arc::new(SteadyClock::default()),
        entropy: Arc::new(System),
        settings: services,
    })?;
    let directory = Some(Directory { store, key_file });
    let live = Arc::new(Live { node: RwLock::new(node), directory });
    Ok(Backend { handler: Arc::clone(&live) as _, operator: live, dev: None })
}

/// The master keys, and the file they are in: from the environment, or from the file, which is
/// made at the first start and only then.
fn master_key(
    dir: &DataDir,
    file: Option<&Path>,
    given: Option<Zeroizing<String>>,
) -> anyhow::Result<(Keyring, Option<PathBuf>)> {
    if let Some(text) = given {
        if file.is_some() {
            bail!("set `{MASTER_KEY}` or `--master-key-file`, not both");
        }
        return Ok((Keyring::parse(&text)?, None));
    }
    let path = file.map_or_else(|| dir.path().join(MASTER_KEY_FILE), Path::to_owned);
    let has_state = STATE.iter().any(|name| dir.path().join(name).exists());
    if has_state && !path.exists() {
        bail!(
            "`{}` is missing, and `{}` has data sealed under it: put the key back; without it the \
             secrets are lost",
            path.display(),
            dir.path().display()
        );
    }
    Ok((Keyring::load_or_create(&path, &mut random::fill)?, Some(path)))
}

/// The node in service. A development server exchanges it at a reset.
struct Live {
    node: RwLock<Arc<Node>>,
    directory: Option<Directory>,
}

struct Directory {
    store: Arc<EmbeddedStore>,
    key_file: Option<PathBuf>,
}

impl Live {
    fn node(&self) -> Arc<Node> {
        Arc::clone(&self.node.read())
    }
}

impl Handler for Live {
    fn begin(&self, request: Request<Bytes>, peer: Peer, reply: Reply) {
        bailiwick_services::begin(&self.node(), request, peer, reply);
    }

    fn published(&self, path: &str) -> Option<Bytes> {
        bailiwick_services::published(&self.node(), path).map(Bytes::from)
    }

    fn ready(&self) -> bool {
        let stopped = self.directory.as_ref().is_some_and(|dir| dir.store.stopped().is_some());
        !stopped && self.node().is_healthy()
    }
}

impl From<operator::OperatorError> for OperatorError {
    fn from(error: operator::OperatorError) -> Self {
        Self(error.to_string())
    }
}

impl From<operator::Credentials> for Credentials {
    fn from(made: operator::Credentials) -> Self {
        Self {
            account: made.account,
            user: made.user.to_string(),
            access_key_id: made.access_key_id,
            secret_access_key: made.secret_access_key,
            console_password: Some(made.console_password),
        }
    }
}

impl Operator for Live {
    fn first_start(
        &self,
        account: Option<AccountId>,
    ) -> Result<Option<Credentials>, OperatorError> {
        let node = self.node();
        if !node.accounts().is_empty() {
            return Ok(None);
        }
        Ok(Some(operator::first_start(&node, account, None)?.into()))
    }

    fn create_account(
        &self,
        id: Option<AccountId>,
        name: Option<String>,
    ) -> Result<Credentials, OperatorError> {
        Ok(operator::create_account(&self.node(), id, name)?.into())
    }

    fn accounts(&self) -> Result<Vec<AccountSummary>, OperatorError> {
        let node = self.node();
        let root_key = |id| {
            node.account(id).is_some_and(|account| account.keys_of(Owner::Root).next().is_some())
        };
        let summary = |found: operator::AccountSummary| AccountSummary {
            account: found.id,
            root_key: root_key(found.id),
            name: found.name,
            users: found.users,
            roles: found.roles,
        };
        Ok(operator::accounts(&node).into_iter().map(summary).collect())
    }

    fn import_key(
        &self,
        account: AccountId,
        user_name: &str,
        access_key_id: AccessKeyId,
        secret: Secret,
    ) -> Result<(), OperatorError> {
        let node = self.node();
        Ok(operator::import_key(&node, account, user_name, &access_key_id, &secret)?)
    }

    fn import_mfa_tokens(
        &self,
        account: AccountId,
        tokens: &[operator::Token],
    ) -> Result<(usize, usize), OperatorError> {
        Ok(operator::import_mfa_tokens(&self.node(), account, tokens)?)
    }

    fn deactivate_mfa_device(
        &self,
        account: AccountId,
        serial: &str,
    ) -> Result<String, OperatorError> {
        Ok(operator::deactivate_mfa_device(&self.node(), account, serial)?)
    }

    fn create_root_key(&self, account: AccountId) -> Result<Credentials, OperatorError> {
        let (access_key_id, secret_access_key) = operator::create_root_key(&self.node(), account)?;
        let user = "root".to_owned();
        Ok(Credentials { account, user, access_key_id, secret_access_key, console_password: None })
    }

    fn delete_root_keys(&self, account: AccountId) -> Result<Vec<AccessKeyId>, OperatorError> {
        let node = self.node();
        let found = node.account(account);
        let found = found.ok_or(operator::OperatorError::NoAccount(account))?;
        let keys: Vec<AccessKeyId> = found.keys_of(Owner::Root).map(|key| key.id.clone()).collect();
        for key in &keys {
            operator::delete_root_key(&node, account, key)?;
        }
        Ok(keys)
    }

    fn forward_session(
        &self,
        access_key_id: &AccessKeyId,
        session_token: Option<&Secret>,
        services: &[String],
        source_ip: Option<IpAddr>,
    ) -> Result<ForwardSession, OperatorError> {
        let node = self.node();
        let made =
            operator::forward_session(&node, access_key_id, session_token, services, source_ip)?;
        Ok(ForwardSession {
            access_key_id: made.access_key_id,
            secret_access_key: made.secret_access_key,
            session_token: made.session_token,
            expiration: made.expiration,
        })
    }

    fn set_key_policy(
        &self,
        account: AccountId,
        policy: Option<KeyPolicy>,
    ) -> Result<(), OperatorError> {
        Ok(operator::set_key_policy(&self.node(), account, policy)?)
    }

    fn key_policy(&self, account: AccountId) -> Result<Value, OperatorError> {
        Ok(operator::key_policy(&self.node(), account)?)
    }

    fn load_fixture(
        &self,
        account: AccountId,
        name: &str,
    ) -> Result<Option<Credentials>, OperatorError> {
        let made = operator::fixture(&self.node(), account, name)?;
        Ok(made.map(|(user, access_key_id, secret_access_key)| Credentials {
            account,
            user: user.to_owned(),
            access_key_id,
            secret_access_key,
            console_password: None,
        }))
    }

    fn note(&self, name: &str, parameters: &Value) -> Result<(), OperatorError> {
        Ok(operator::note(&self.node(), name, parameters)?)
    }

    fn replace_catalog(&self, catalog: &'static Catalog) {
        self.node().replace_catalog(catalog);
    }

    fn rekey(&self) -> Result<u32, OperatorError> {
        let refused = |reason: &dyn std::fmt::Display| OperatorError(reason.to_string());
        let Some(directory) = &self.directory else {
            return Err(refused(&"state in memory has no key file"));
        };
        let Some(path) = &directory.key_file else {
            return Err(refused(&format!(
                "the key comes from `{MASTER_KEY}`: add the new one there"
            )));
        };
        let mut random = random::fill;
        let keyring = Keyring::load(path).map_err(|error| refused(&error))?;
        let rotated = keyring.rotated(&mut random).map_err(|error| refused(&error))?;
        // The file first: it opens both what is sealed now and what will be.
        rotated.save(path).map_err(|error| refused(&error))?;
        directory.store.reseal(&rotated, &mut random).map_err(|error| refused(&error))?;
        Ok(rotated.newest())
    }

    fn tick(&self) {
        let node = self.node();
        operator::enforce_key_policies(&node);
        node.flush();
        node.begin_reports();
        if let Err(error) = node.journal().roll_due(node.clock().now()) {
            tracing::error!(%error, "segments of the event journal cannot be ended");
        }
    }

    fn sync(&self) {
        let node = self.node();
        node.flush_all();
        // Commits are made in order: when this one is through, all before it are.
        if let Err(error) = node.store().transact(Transaction::new()) {
            tracing::error!(%error, "the last writes may not be durable");
        }
    }
}

/// What every node of a development server shares.
struct Memory {
    clock: Arc<SettableClock>,
    settings: bailiwick_services::Settings,
    account: AccountId,
    access_key_id: AccessKeyId,
    secret: Secret,
}

impl Memory {
    fn start(settings: bailiwick_services::Settings, key: &DevKey) -> anyhow::Result<Self> {
        Ok(Self {
            clock: Arc::default(),
            settings,
            account: DEV_ACCOUNT.parse()?,
            access_key_id: key.access_key_id.clone(),
            secret: key.secret.clone(),
        })
    }

    /// A node at its first start.
    fn fresh(&self) -> anyhow::Result<Arc<Node>> {
        let mut master = Zeroizing::new([0u8; 32]);
        random::fill(&mut *master);
        let node = Node::open(Parts {
            store: Arc::new(MemoryStore::new()),
            journal: Arc::new(Journal::in_memory(DEV_EVENTS)),
            keyring: Keyring::from_bytes(*master)?,
            catalog: Catalog::embedded(),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            entropy: Arc::new(System),
            settings: self.settings.clone(),
        })?;
        let key = (self.access_key_id.clone(), self.secret.clone());
        operator::first_start(&node, Some(self.account), Some(key))?;
        Ok(node)
    }
}

struct Switches {
    memory: Arc<Memory>,
    live: Arc<Live>,
}

impl Dev for Switches {
    fn reset(&self) -> anyhow::Result<()> {
        self.memory.clock.set(ClockChange::Reset)?;
        let fresh = self.memory.fresh()?;
        // Calls on their way end on the node they began on.
        *self.live.node.write() = fresh;
        Ok(())
    }

    fn set_clock(&self, change: ClockChange) -> anyhow::Result<Timestamp> {
        let now = self.memory.clock.set(change)?;
        // What fell due by it is done when the caller has the answer.
        operator::enforce_key_policies(&self.live.node());
        Ok(now)
    }

    fn set_key_policy(&self, policy: Option<KeyPolicy>) -> anyhow::Result<()> {
        let node = self.live.node();
        operator::set_key_policy(&node, self.memory.account, policy)?;
        operator::enforce_key_policies(&node);
        Ok(())
    }
}

/// The system's generator, as the services ask for it.
struct System;

impl Entropy for System {
    fn fill(&self, bytes: &mut [u8]) {
        random::fill(bytes);
    }
}

impl Clock for SteadyClock {
    fn now(&self) -> Timestamp {
        Self::now(self)
    }
}

impl Clock for SettableClock {
    fn now(&self) -> Timestamp {
        Self::now(self)
    }

    fn wall(&self) -> Timestamp {
        clock::now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::ServeArgs;

    const URL: &str = "http://localhost:4680";

    fn settings(dir: &Path) -> Settings {
        let args = ServeArgs { data_dir: Some(dir.to_owned()), ..ServeArgs::default() };
        Settings::resolve(args).unwrap()
    }

    #[test]
    fn a_directory_is_made_opened_again_and_rekeyed() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("data");
        let settings = settings(&path);
        let dir = DataDir::new(&path);
        dir.prepare().unwrap();
        let backend = open(&settings, URL, None).unwrap();
        let made = backend.operator.first_start(None).unwrap().unwrap();
        assert!(backend.operator.first_start(None).unwrap().is_none());
        let root = backend.operator.create_root_key(made.account).unwrap();
        let deleted = backend.operator.delete_root_keys(made.account).unwrap();
        assert_eq!(deleted, [root.access_key_id]);
        // Another process, as it were, is refused while this one holds the directory.
        assert!(open(&settings, URL, None).is_err());
        assert_eq!(backend.operator.rekey().unwrap(), 2);
        backend.operator.tick();
        backend.operator.sync();
        drop(backend);
        let again = open(&settings, URL, None).unwrap();
        assert_eq!(again.operator.accounts().unwrap()[0].account, made.account);
        drop(again);
        std::fs::rename(path.join("master.key"), base.path().join("elsewhere")).unwrap();
        let refused = open(&settings, URL, None).err().unwrap().to_string();
        assert!(refused.contains("put the key back"), "{refused}");
        assert!(!path.join("master.key").exists());
    }

    #[test]
    fn a_reset_brings_first_start_back_quickly() {
        let settings = Settings::resolve(ServeArgs { dev: true, ..ServeArgs::default() }).unwrap();
        let key = DevKey::choose(|_| None).unwrap();
        let backend = open(&settings, URL, Some(&key)).unwrap();
        let accounts = |backend: &Backend| backend.operator.accounts().unwrap();
        assert_eq!(accounts(&backend)[0].account.to_string(), DEV_ACCOUNT);
        backend.operator.create_account(None, None).unwrap();
        assert_eq!(accounts(&backend).len(), 2);
        let dev = backend.dev.clone().unwrap();
        dev.set_clock(ClockChange::Advance(3600)).unwrap();
        dev.reset().unwrap();
        assert_eq!(accounts(&backend).len(), 1);
    }
}
