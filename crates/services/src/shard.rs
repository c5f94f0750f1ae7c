//! An account on this server: its newest state, and the newest durable one.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use bailiwick_identifiers::AccountId;
use bailiwick_model::Account;
use bailiwick_store::Revision;
use jiff::Timestamp;
use parking_lot::{Mutex, MutexGuard};

use crate::last_use::LastUses;

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
    uses: LastUses,
    reporting: AtomicBool,
    stopped: AtomicBool,
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
            uses: LastUses::default(),
            reporting: AtomicBool::new(false),
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

    /// The last uses that are not durable yet.
    pub(crate) fn uses(&self) -> &LastUses {
        &self.uses
    }

    /// Begins to make reports; false when somebody is at it.
    pub(crate) fn begin_reports(&self) -> bool {
        !self.reporting.swap(true, Ordering::AcqRel)
    }

    /// Ends it.
    pub(crate) fn end_reports(&self) {
        self.reporting.store(false, Ordering::Release);
    }
}
