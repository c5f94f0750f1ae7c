//! A store that lives in memory: for tests, and for servers that keep nothing.
//!
//! It keeps the whole contract except durability. Completions run on a thread of its own, so that code
//! which works here works on the embedded store.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle, ThreadId};

use parking_lot::{Mutex, RwLock};

use crate::contract::{Done, Store};
use crate::error::StoreError;
use crate::queue::Queue;
use crate::transaction::{Change, Entry, Outcome, Revision, Transaction};

/// How many changes are kept unless told otherwise.
const DEFAULT_CHANGES: usize = 10_000;

/// How many completions may wait before producers do.
const QUEUE_LEN: usize = 4096;

/// A store without a file. It never stops unless a completion callback panics.
pub struct MemoryStore {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    state: RwLock<State>,
    /// Held from applying a transaction to queueing its completion: the two orders are one.
    order: Mutex<()>,
    queue: Queue<(Done, Result<Outcome, StoreError>)>,
    committer: OnceLock<ThreadId>,
    stopped: AtomicBool,
}

struct State {
    entries: BTreeMap<Vec<u8>, (Vec<u8>, Revision)>,
    changes: VecDeque<Change>,
    max_changes: usize,
    revision: Revision,
    floor: Revision,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStore {
    /// An empty store that keeps the last 10,000 changes.
    pub fn new() -> Self {
        Self::with_max_changes(DEFAULT_CHANGES)
    }

    /// An empty store that keeps at most `max_changes` changes.
    pub fn with_max_changes(max_changes: usize) -> Self {
        let shared = Arc::new(Shared {
            state: RwLock::new(State {
                entries: BTreeMap::new(),
                changes: VecDeque::new(),
                max_changes,
                revision: Revision(0),
                floor: Revision(0),
            }),
            order: Mutex::new(()),
            queue: Queue::new(QUEUE_LEN),
            committer: OnceLock::new(),
            stopped: AtomicBool::new(false),
        });
        Self { shared, thread: Mutex::new(None) }
    }

    /// Starts the thread that runs completions, if it does not run yet.
    fn start(&self) -> Result<(), StoreError> {
        let mut thread = self.thread.lock();
        if thread.is_some() {
            return Ok(());
        }
        let shared = Arc::clone(&self.shared);
        let handle = thread::Builder::new()
            .name("store-completions".to_owned())
            .spawn(move || shared.run_completions())
            .map_err(|error| StoreError::stopped(format!("no thread for completions: {error}")))?;
        *thread = Some(handle);
        Ok(())
    }
}

impl Store for MemoryStore {
    fn submit(&self, transaction: Transaction, done: Done) {
        if let Err(error) = self.start() {
            done(Err(error));
            return;
        }
        // Waits before taking the order, which a completion that submits needs as well. The queue may
        // then grow past its bound by as many items as there are callers.
        if !self.on_committer() {
            self.shared.queue.wait_for_room();
        }
        let order = self.shared.order.lock();
        let result = self.shared.apply(transaction);
        // The queue closes only when the store is dropped, which nobody can do while calling it.
        let _ = self.shared.queue.push((done, result), true);
        drop(order);
    }

    fn transact(&self, transaction: Transaction) -> Result<Outcome, StoreError> {
        // Nothing to wait for: the state is durable as soon as it is applied.
        if self.on_committer() {
            return Err(StoreError::WouldDeadlock);
        }
        let _order = self.shared.order.lock();
        self.shared.apply(transaction)
    }

    fn on_committer(&self) -> bool {
        self.shared.committer.get() == Some(&thread::current().id())
    }

    fn get(&self, key: &[u8]) -> Result<Option<Entry>, StoreError> {
        let state = self.shared.state.read();
        Ok(state.entries.get(key).map(|(value, revision)| Entry {
            key: key.to_vec(),
            value: value.clone(),
            revision: *revision,
        }))
    }

    fn range(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let state = self.shared.state.read();
        Ok(state
            .entries
            .range::<[u8], _>((start, Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix))
            .take(limit)
            .map(|(key, (value, revision))| Entry {
                key: key.clone(),
                value: value.clone(),
                revision: *revision,
            })
            .collect())
    }

    fn revision(&self) -> Revision {
        self.shared.state.read().revision
    }

    fn tail(&self, from: Revision, limit: usize) -> Result<Vec<Change>, StoreError> {
        let state = self.shared.state.read();
        if from < state.floor {
            return Err(StoreError::Compacted { floor: state.floor });
        }
        let skip = usize::try_from(from.0 - state.floor.0).unwrap_or(usize::MAX);
        Ok(state.changes.iter().skip(skip).take(limit).cloned().collect())
    }

    fn compact(&self, through: Revision) -> Result<(), StoreError> {
        let mut state = self.shared.state.write();
        while state.changes.front().is_some_and(|change| change.revision <= through) {
            state.drop_oldest_change();
        }
        Ok(())
    }
}

impl Drop for MemoryStore {
    fn drop(&mut self) {
        self.shared.queue.close();
        // The last handle may be dropped by a completion: a thread cannot wait for itself.
        if !self.on_committer()
            && let Some(thread) = self.thread.get_mut().take()
        {
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// Checks and applies one transaction. The caller holds `order`.
    fn apply(&self, transaction: Transaction) -> Result<Outcome, StoreError> {
        if self.stopped.load(Ordering::Acquire) {
            return Err(StoreError::stopped("a completion callback panicked"));
        }
        transaction.check()?;
        Ok(self.state.write().apply(transaction))
    }

    fn run_completions(&self) {
        let _ = self.committer.set(thread::current().id());
        while let Some(batch) = self.queue.take(QUEUE_LEN) {
            for (done, result) in batch {
                // A callback that failed may have left its owner behind the store: stop, as after a
                // failed write, rather than serve two truths.
                if catch_unwind(AssertUnwindSafe(|| done(result))).is_err() {
                    self.stopped.store(true, Ordering::Release);
                }
            }
        }
    }
}

impl State {
    fn apply(&mut self, transaction: Transaction) -> Outcome {
        let found = |key: &Vec<u8>| self.entries.get(key).map(|(_, revision)| *revision);
        let broken = transaction.compares.iter().find(|(key, expect)| !expect.holds(found(key)));
        if let Some((key, _)) = broken {
            return Outcome::Conflict { key: key.clone() };
        }
        if !transaction.writes() {
            return Outcome::Committed(self.revision);
        }
        self.revision = self.revision.next();
        for key in &transaction.deletes {
            self.entries.remove(key);
        }
        for (key, value) in &transaction.puts {
            self.entries.insert(key.clone(), (value.clone(), self.revision));
        }
        self.changes.push_back(Change {
            revision: self.revision,
            puts: transaction.puts,
            deletes: transaction.deletes,
        });
        while self.changes.len() > self.max_changes {
            self.drop_oldest_change();
        }
        Outcome::Committed(self.revision)
    }

    fn drop_oldest_change(&mut self) {
        if let Some(change) = self.changes.pop_front() {
            self.floor = change.revision;
        }
    }
}
