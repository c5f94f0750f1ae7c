//! The store in one file, `state.redb`, for one process.
//!
//! Promises: an acknowledged transaction is on disk (group commit, one sync for many); a crash at any
//! moment opens at a transaction's end; a file that is damaged, edited, of a newer format, in use, or
//! readable by others is refused with a message that says what to do, and stays as it was found.
//!
//! Beside the state stand `FORMAT`, `LOCK` and `state.head`: see `format.rs`.

mod committer;
mod format;
mod open;
mod proving;
mod records;

use std::fmt;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::thread::{self, JoinHandle, ThreadId};

use parking_lot::Mutex;
use redb::{Database, ReadTransaction, ReadableDatabase, TableDefinition};

use self::committer::{Job, Work};
use self::format::{Head, Lock};
use self::records::RecordKey;
use crate::contract::{Done, Store};
use crate::error::StoreError;
use crate::queue::Queue;
use crate::seal::Keyring;
use crate::transaction::{Change, Entry, Outcome, Revision, Transaction};

pub use self::format::{DATA_FORMAT, Format};
pub use self::open::EmbeddedOptions;
pub(crate) use self::open::STATE_FILE;

const RECORDS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("records");
const CHANGES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("changes");
const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");

/// The rows of the table `meta`.
mod meta {
    pub(super) const FORMAT: &str = "format";
    pub(super) const RECORD_KEY: &str = "record-key";
    pub(super) const STATE: &str = "state";
}

/// How many transactions may wait for the disk before their callers do.
const QUEUE_LEN: usize = 4096;

/// A store in a data directory. Dropping it writes what has been submitted and closes the file.
pub struct EmbeddedStore {
    shared: Arc<Shared>,
    format: Format,
    thread: Option<JoinHandle<()>>,
}

/// Figures since the store was opened.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct StoreFigures {
    /// Commits of the engine, each with its syncs.
    pub commits: u64,
    /// Transactions that were committed by them.
    pub transactions: u64,
    /// Transactions that ended in a conflict.
    pub conflicts: u64,
    /// Transactions that wait at this moment.
    pub waiting: u64,
}

/// What the thread that writes and those that read have in common.
struct Shared {
    // Fields are dropped in this order: the file is closed before the directory is free.
    database: Database,
    head: Option<Head>,
    _lock: Option<Lock>,
    path: PathBuf,
    key: RecordKey,
    max_changes: u64,
    queue: Queue<Job>,
    committer: OnceLock<ThreadId>,
    published: AtomicU64,
    counters: Counters,
    stopped: Mutex<Option<String>>,
}

#[derive(Default)]
struct Counters {
    commits: AtomicU64,
    transactions: AtomicU64,
    conflicts: AtomicU64,
}

impl EmbeddedStore {
    /// The data format, store id and creation time.
    pub fn format(&self) -> &Format {
        &self.format
    }

    /// Figures for metrics.
    pub fn figures(&self) -> StoreFigures {
        let counters = &self.shared.counters;
        StoreFigures {
            commits: counters.commits.load(Ordering::Relaxed),
            transactions: counters.transactions.load(Ordering::Relaxed),
            conflicts: counters.conflicts.load(Ordering::Relaxed),
            waiting: self.shared.queue.len() as u64,
        }
    }

    /// Why the store takes no more writes, or `None` while it does.
    pub fn stopped(&self) -> Option<String> {
        self.shared.stopped.lock().clone()
    }

    /// Seals the key of this store's records under the newest master key, so that older ones can be
    /// retired (L06). `random` fills a buffer from the system's generator.
    pub fn reseal(
        &self,
        keyring: &Keyring,
        random: &mut dyn FnMut(&mut [u8]),
    ) -> Result<(), StoreError> {
        let sealed = self.resealed(keyring, random)?;
        self.wait_for(Work::Reseal(sealed)).map(drop)
    }

    fn enqueue(&self, work: Work, done: Done) {
        let job = Job { work, done };
        if let Err(job) = self.shared.queue.push(job, self.on_committer()) {
            (job.done)(Err(StoreError::stopped("the store was closed")));
        }
    }

    fn wait_for(&self, work: Work) -> Result<Outcome, StoreError> {
        if self.on_committer() {
            return Err(StoreError::WouldDeadlock);
        }
        let (sender, receiver) = mpsc::sync_channel(1);
        self.enqueue(
            work,
            Box::new(move |result| {
                let _ = sender.send(result);
            }),
        );
        receiver.recv().unwrap_or_else(|_| Err(StoreError::stopped("the store was closed")))
    }
}

impl Store for EmbeddedStore {
    fn submit(&self, transaction: Transaction, done: Done) {
        self.enqueue(Work::Transaction(transaction), done);
    }

    fn on_committer(&self) -> bool {
        self.shared.committer.get() == Some(&thread::current().id())
    }

    fn get(&self, key: &[u8]) -> Result<Option<Entry>, StoreError> {
        let shared = &self.shared;
        shared.reading(|read| {
            let records = read.open_table(RECORDS).map_err(|error| shared.failure(error))?;
            let stored = records.get(key).map_err(|error| shared.failure(error))?;
            stored.map(|stored| shared.entry(key, stored.value())).transpose()
        })
    }

    fn range(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        use std::ops::Bound;
        let shared = &self.shared;
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        shared.reading(|read| {
            let records = read.open_table(RECORDS).map_err(|error| shared.failure(error))?;
            let mut entries = Vec::new();
            let found = records
                .range::<&[u8]>((start, Bound::Unbounded))
                .map_err(|error| shared.failure(error))?;
            for row in found.take(limit) {
                let (key, stored) = row.map_err(|error| shared.failure(error))?;
                if !key.value().starts_with(prefix) {
                    break;
                }
                entries.push(shared.entry(key.value(), stored.value())?);
            }
            Ok(entries)
        })
    }

    fn revision(&self) -> Revision {
        Revision(self.shared.published.load(Ordering::Acquire))
    }

    fn tail(&self, from: Revision, limit: usize) -> Result<Vec<Change>, StoreError> {
        let shared = &self.shared;
        shared.reading(|read| {
            let state = shared.read_state(read)?;
            if from < state.floor {
                return Err(StoreError::Compacted { floor: state.floor });
            }
            let changes = read.open_table(CHANGES).map_err(|error| shared.failure(error))?;
            let found = changes.range(from.next().0..).map_err(|error| shared.failure(error))?;
            let mut tail = Vec::new();
            for row in found.take(limit) {
                let (revision, stored) = row.map_err(|error| shared.failure(error))?;
                let revision = Revision(revision.value());
                let change = shared.key.decode_change(revision, stored.value()).map_err(|_| {
                    shared.damaged(&format!("the change of revision {revision} was altered"))
                })?;
                tail.push(change);
            }
            Ok(tail)
        })
    }

    fn compact(&self, through: Revision) -> Result<(), StoreError> {
        self.wait_for(Work::Compact(through)).map(drop)
    }
}

impl Drop for EmbeddedStore {
    fn drop(&mut self) {
        self.shared.queue.close();
        // The last handle may be dropped by a completion: a thread cannot wait for itself.
        if !self.on_committer()
            && let Some(thread) = self.thread.take()
        {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for EmbeddedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedStore").field("path", &self.shared.path).finish_non_exhaustive()
    }
}

impl Shared {
    /// Reads one state. The engine's panics over a damaged file become errors.
    fn reading<T>(
        &self,
        look: impl FnOnce(&ReadTransaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let guarded = || {
            let read = self.database.begin_read().map_err(|error| self.failure(error))?;
            look(&read)
        };
        catch_unwind(AssertUnwindSafe(guarded))
            .unwrap_or_else(|_| Err(self.damaged("the engine found it inconsistent")))
    }

    fn read_state(&self, read: &ReadTransaction) -> Result<records::State, StoreError> {
        let meta = read.open_table(META).map_err(|error| self.failure(error))?;
        let stored = meta.get(meta::STATE).map_err(|error| self.failure(error))?;
        stored
            .and_then(|stored| self.key.decode_state(stored.value()).ok())
            .ok_or_else(|| self.damaged("the record of its state was altered"))
    }

    fn entry(&self, key: &[u8], stored: &[u8]) -> Result<Entry, StoreError> {
        let record = self.key.decode_record(key, stored).map_err(|_| self.edited(key))?;
        Ok(Entry { key: key.to_vec(), value: record.value.to_vec(), revision: record.revision })
    }

    fn stop(&self, reason: &str) {
        self.stopped.lock().get_or_insert_with(|| reason.to_owned());
    }

    fn failure(&self, error: impl Into<redb::Error>) -> StoreError {
        failure(&self.path, error.into())
    }

    fn damaged(&self, detail: &str) -> StoreError {
        StoreError::damaged(&self.path, detail)
    }

    fn edited(&self, key: &[u8]) -> StoreError {
        self.damaged(&format!("the record `{}` was altered", key.escape_ascii()))
    }
}

/// What the engine said, as our error.
fn failure(path: &Path, error: redb::Error) -> StoreError {
    match error {
        redb::Error::Io(error) if error.kind() == ErrorKind::UnexpectedEof => {
            StoreError::damaged(path, "it is shorter than it says")
        }
        // The engine's own word for a file that is not one of its own.
        redb::Error::Io(error) if error.kind() == ErrorKind::InvalidData => {
            StoreError::damaged(path, error.to_string())
        }
        redb::Error::Io(error) => StoreError::io(path, &error),
        redb::Error::DatabaseAlreadyOpen => StoreError::Locked { path: path.to_owned() },
        redb::Error::PreviousIo => {
            StoreError::stopped("an earlier write or sync failed; restart to go on")
        }
        redb::Error::UpgradeRequired(found) => StoreError::damaged(
            path,
            format!("its engine format {found} was never written by this program"),
        ),
        other => StoreError::damaged(path, other.to_string()),
    }
}
