//! An account on this server: its newest state, and the newest durable one.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use bailiwick_identifiers::{AccessKeyId, AccountId, UniqueId};
use bailiwick_model::{Account, KeyUse, RoleUse, ServiceCredentialUse};
use bailiwick_store::Revision;
use jiff::Timestamp;
use parking_lot::{Mutex, MutexGuard};

/// The state on which the next change is built. Its changes may still be on their way to the disk.
pub(crate) struct Head {
    /// The newest state.
    pub(crate) account: Arc<Account>,
    /// Remembered answers in the order in which they may be forgotten.
    pub(crate) retries: VecDeque<(Timestamp, String)>,
}

struct Published {
    revision: Revision,
    account: Arc<Account>,
}

/// The shard of one account. Changes are made one after another under [`Shard::head`], and many of
/// them share one write to the disk; readers see a state only when it is durable.
pub(crate) struct Shard {
    id: AccountId,
    head: Mutex<Head>,
    published: ArcSwap<Published>,
    uses: Mutex<Uses>,
    stopped: AtomicBool,
}

/// The last uses since the last flush.
#[derive(Default)]
struct Uses {
    keys: HashMap<AccessKeyId, KeyUse>,
    roles: HashMap<UniqueId, RoleUse>,
    services: HashMap<UniqueId, ServiceCredentialUse>,
}

impl Shard {
    /// A shard of an account as the store has it.
    pub(crate) fn new(account: Account, revision: Revision) -> Self {
        let mut retries: Vec<_> =
            account.retries().map(|retry| (retry.expires, retry.key.clone())).collect();
        retries.sort();
        let account = Arc::new(account);
        let published = Published { revision, account: Arc::clone(&account) };
        let id = account.id();
        Self {
            id,
            head: Mutex::new(Head { account, retries: retries.into() }),
            published: ArcSwap::from_pointee(published),
            uses: Mutex::default(),
            stopped: AtomicBool::new(false),
        }
    }

    /// The account's id.
    pub(crate) fn id(&self) -> AccountId {
        self.id
    }

    /// The newest durable state.
    pub(crate) fn account(&self) -> Arc<Account> {
        Arc::clone(&self.published.load().account)
    }

    /// The newest state, for one writer at a time.
    pub(crate) fn head(&self) -> MutexGuard<'_, Head> {
        self.head.lock()
    }

    /// Refuses every further change until the process starts again: the newest state is not the
    /// store's.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
    }

    /// Whether changes are refused.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Makes a durable state visible, unless a newer one already is: states build on each other, so
    /// the newer holds the older.
    pub(crate) fn publish(&self, account: Arc<Account>, revision: Revision) {
        let next = Arc::new(Published { revision, account });
        self.published.rcu(|held| {
            if held.revision < next.revision { Arc::clone(&next) } else { Arc::clone(held) }
        });
    }

    /// Notes that a key was used. In memory only: see [`Shard::take_uses`].
    pub(crate) fn used_key(&self, last: KeyUse) {
        self.uses.lock().keys.insert(last.key.clone(), last);
    }

    /// Notes that a session of a role was used.
    pub(crate) fn used_role(&self, last: RoleUse) {
        self.uses.lock().roles.insert(last.role, last);
    }

    /// The last use of a key that is not in the account's records yet.
    pub(crate) fn recent_key_use(&self, key: &AccessKeyId) -> Option<KeyUse> {
        self.uses.lock().keys.get(key).cloned()
    }

    /// The last use of a role that is not in the account's records yet.
    pub(crate) fn recent_role_use(&self, role: &UniqueId) -> Option<RoleUse> {
        self.uses.lock().roles.get(role).cloned()
    }

    /// Notes that a service-specific credential was used.
    pub(crate) fn used_service_credential(&self, last: ServiceCredentialUse) {
        self.uses.lock().services.insert(last.credential, last);
    }

    /// The last use of a service-specific credential that is not in the account's records yet.
    pub(crate) fn recent_service_credential_use(
        &self,
        id: &UniqueId,
    ) -> Option<ServiceCredentialUse> {
        self.uses.lock().services.get(id).cloned()
    }

    /// Takes the noted uses of keys and roles, to be made durable.
    pub(crate) fn take_uses(&self) -> (Vec<KeyUse>, Vec<RoleUse>) {
        let mut uses = self.uses.lock();
        let (keys, roles) = (std::mem::take(&mut uses.keys), std::mem::take(&mut uses.roles));
        (keys.into_values().collect(), roles.into_values().collect())
    }

    /// Takes the noted uses of service-specific credentials, to be made durable.
    pub(crate) fn take_service_credential_uses(&self) -> Vec<ServiceCredentialUse> {
        std::mem::take(&mut self.uses.lock().services).into_values().collect()
    }
}
