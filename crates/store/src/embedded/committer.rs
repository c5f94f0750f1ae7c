//! The one thread that writes, and group commit.
//!
//! It takes all that has gathered in the queue, applies each transaction in order inside one transaction of
//! the engine, commits once, and then answers in order. A conflict writes nothing and leaves its neighbours
//! alone. The first failure of the engine stops the store for good (I03): what a disk does after a failed
//! sync cannot be known, so nothing more is written and nothing more is acknowledged.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;

use redb::{Durability, ReadableTable, Table, WriteTransaction};

use super::records::{RecordKey, State, Tag};
use super::{CHANGES, META, RECORDS, Shared, meta};
use crate::contract::Done;
use crate::error::StoreError;
use crate::transaction::{Outcome, Revision, Transaction};

/// The most jobs in one commit.
const MAX_BATCH: usize = 512;

/// The most bytes of transactions in one commit, unless a single one is larger.
const MAX_BATCH_BYTES: usize = 8 * 1024 * 1024;

/// How many of the oldest changes a transaction drops when there are too many: more than one, so that the
/// log shrinks when the bound is lowered.
const DROPS_A_TRANSACTION: usize = 2;

/// Work for the thread.
pub(super) struct Job {
    pub(super) work: Work,
    pub(super) done: Done,
}

/// What there is to do.
pub(super) enum Work {
    /// Compare and write.
    Transaction(Transaction),
    /// Drop changes up to a revision.
    Compact(Revision),
    /// Replace the sealed record key.
    Reseal(Vec<u8>),
}

impl Work {
    fn byte_len(&self) -> usize {
        match self {
            Self::Transaction(transaction) => transaction.byte_len(),
            Self::Compact(_) | Self::Reseal(_) => 0,
        }
    }
}

/// Runs until the queue is closed and empty.
pub(super) fn run(shared: &Arc<Shared>, mut state: State) {
    let _ = shared.committer.set(thread::current().id());
    let mut stopped: Option<String> = None;
    while let Some(mut jobs) = shared.queue.take(MAX_BATCH) {
        while !jobs.is_empty() {
            let (work, dones) = next_batch(&mut jobs);
            let results = match &stopped {
                Some(reason) => Err(StoreError::stopped(reason)),
                None => commit(shared, &mut state, &work),
            };
            if let (Err(error), None) = (&results, &stopped) {
                let reason = error.to_string();
                shared.stop(&reason);
                stopped = Some(reason);
            }
            if answer(dones, results, stopped.as_deref()) {
                let reason = "a completion callback panicked".to_owned();
                shared.stop(&reason);
                stopped.get_or_insert(reason);
            }
        }
    }
}

/// As many jobs as one commit takes.
fn next_batch(jobs: &mut VecDeque<Job>) -> (Vec<Work>, Vec<Done>) {
    let mut bytes = 0_usize;
    let mut work = Vec::new();
    let mut dones = Vec::new();
    while let Some(job) = jobs.pop_front() {
        bytes = bytes.saturating_add(job.work.byte_len());
        work.push(job.work);
        dones.push(job.done);
        if bytes >= MAX_BATCH_BYTES {
            break;
        }
    }
    (work, dones)
}

type Results = Vec<Result<Outcome, StoreError>>;

/// Answers each job; true when a callback panicked, whose owner may now lag behind the store.
fn answer(dones: Vec<Done>, results: Result<Results, StoreError>, stopped: Option<&str>) -> bool {
    let reason = stopped.unwrap_or("it gave no answer");
    let mut results = results.unwrap_or_default().into_iter();
    let mut panicked = false;
    for done in dones {
        let result = results.next().unwrap_or_else(|| Err(StoreError::stopped(reason)));
        panicked |= catch_unwind(AssertUnwindSafe(|| done(result))).is_err();
    }
    panicked
}

/// Applies and commits a batch. An error means that nothing may be acknowledged any more.
fn commit(shared: &Shared, state: &mut State, work: &[Work]) -> Result<Results, StoreError> {
    let attempt = || {
        let write = shared.begin_write()?;
        let mut next = *state;
        let (results, writes) = apply(shared, &write, &mut next, work)?;
        if !writes {
            write.abort().map_err(|error| shared.failure(error))?;
            return Ok(results);
        }
        write.commit().map_err(|error| shared.failure(error))?;
        shared.published.store(next.revision.0, Ordering::Release);
        shared.counters.commits.fetch_add(1, Ordering::Relaxed);
        if let Some(head) = &shared.head {
            // A head that lags finds less; it never finds wrongly. That is no reason to stop.
            let _ = head.advance(next.revision, &shared.key);
        }
        *state = next;
        Ok(results)
    };
    catch_unwind(AssertUnwindSafe(attempt))
        .unwrap_or_else(|_| Err(shared.damaged("the engine found it inconsistent")))
}

/// Applies each job in order. Also tells whether anything has to be committed.
fn apply(
    shared: &Shared,
    write: &WriteTransaction,
    state: &mut State,
    work: &[Work],
) -> Result<(Results, bool), StoreError> {
    let records = write.open_table(RECORDS).map_err(|error| shared.failure(error))?;
    let changes = write.open_table(CHANGES).map_err(|error| shared.failure(error))?;
    let mut meta = write.open_table(META).map_err(|error| shared.failure(error))?;
    let mut tables = Tables { shared, key: &shared.key, records, changes };
    let mut results = Vec::with_capacity(work.len());
    let before = *state;
    let mut resealed = false;
    for job in work {
        let result = match job {
            Work::Transaction(transaction) => match transaction.check() {
                Ok(()) => Ok(tables.transact(state, transaction)?),
                Err(error) => Err(error.into()),
            },
            Work::Compact(through) => {
                tables.compact(state, *through)?;
                Ok(Outcome::Committed(state.revision))
            }
            Work::Reseal(sealed) => {
                resealed = true;
                meta.insert(meta::RECORD_KEY, sealed.as_slice())
                    .map_err(|error| shared.failure(error))?;
                Ok(Outcome::Committed(state.revision))
            }
        };
        results.push(result);
    }
    let writes = resealed || *state != before;
    if writes {
        meta.insert(meta::STATE, shared.key.encode_state(*state).as_slice())
            .map_err(|error| shared.failure(error))?;
    }
    Ok((results, writes))
}

/// The tables of one write transaction of the engine.
struct Tables<'s, 't> {
    shared: &'s Shared,
    key: &'s RecordKey,
    records: Table<'t, &'static [u8], &'static [u8]>,
    changes: Table<'t, u64, &'static [u8]>,
}

impl Tables<'_, '_> {
    fn transact(
        &mut self,
        state: &mut State,
        transaction: &Transaction,
    ) -> Result<Outcome, StoreError> {
        for (key, expect) in &transaction.compares {
            if !expect.holds(self.revision_of(key)?) {
                self.shared.counters.conflicts.fetch_add(1, Ordering::Relaxed);
                return Ok(Outcome::Conflict { key: key.clone() });
            }
        }
        if !transaction.writes() {
            return Ok(Outcome::Committed(state.revision));
        }
        state.revision = state.revision.next();
        for key in &transaction.deletes {
            if let Some(tag) = self.remove(key)? {
                state.subtract(tag);
            }
        }
        for (key, value) in &transaction.puts {
            let (stored, tag) = self.key.encode_record(key, state.revision, value);
            if let Some(tag) = self.insert(key, &stored)? {
                state.subtract(tag);
            }
            state.add(tag);
        }
        self.log(state, transaction)?;
        self.shared.counters.transactions.fetch_add(1, Ordering::Relaxed);
        Ok(Outcome::Committed(state.revision))
    }

    fn compact(&mut self, state: &mut State, through: Revision) -> Result<(), StoreError> {
        let through = through.min(state.revision);
        while state.floor < through && self.drop_oldest(state)? {}
        Ok(())
    }

    fn log(&mut self, state: &mut State, transaction: &Transaction) -> Result<(), StoreError> {
        let change =
            self.key.encode_change(state.revision, &transaction.puts, &transaction.deletes);
        self.changes
            .insert(state.revision.0, change.as_slice())
            .map_err(|error| self.shared.failure(error))?;
        for _ in 0..DROPS_A_TRANSACTION {
            let kept = state.revision.0.saturating_sub(state.floor.0);
            if kept <= self.shared.max_changes || !self.drop_oldest(state)? {
                break;
            }
        }
        Ok(())
    }

    fn drop_oldest(&mut self, state: &mut State) -> Result<bool, StoreError> {
        let oldest = self.changes.pop_first().map_err(|error| self.shared.failure(error))?;
        if let Some((revision, _)) = &oldest {
            state.floor = Revision(revision.value());
        }
        Ok(oldest.is_some())
    }

    fn revision_of(&self, key: &[u8]) -> Result<Option<Revision>, StoreError> {
        let stored = self.records.get(key).map_err(|error| self.shared.failure(error))?;
        let Some(stored) = stored else { return Ok(None) };
        let record =
            self.key.decode_record(key, stored.value()).map_err(|_| self.shared.edited(key))?;
        Ok(Some(record.revision))
    }

    /// Inserts, and gives the tag of the record that was replaced.
    fn insert(&mut self, key: &[u8], stored: &[u8]) -> Result<Option<Tag>, StoreError> {
        let old = self.records.insert(key, stored).map_err(|error| self.shared.failure(error))?;
        old.map(|old| checked_tag(self.shared, self.key, key, old.value())).transpose()
    }

    /// Removes, and gives the tag of the record that was removed.
    fn remove(&mut self, key: &[u8]) -> Result<Option<Tag>, StoreError> {
        let old = self.records.remove(key).map_err(|error| self.shared.failure(error))?;
        old.map(|old| checked_tag(self.shared, self.key, key, old.value())).transpose()
    }
}

fn checked_tag(
    shared: &Shared,
    record_key: &RecordKey,
    key: &[u8],
    stored: &[u8],
) -> Result<Tag, StoreError> {
    let record = record_key.decode_record(key, stored).map_err(|_| shared.edited(key))?;
    Ok(record.tag)
}

impl Shared {
    /// A write transaction that is on disk when it is committed.
    fn begin_write(&self) -> Result<WriteTransaction, StoreError> {
        let mut write = self.database.begin_write().map_err(|error| self.failure(error))?;
        write
            .set_durability(Durability::Immediate)
            .map_err(|error| self.damaged(&error.to_string()))?;
        // What is stored comes from strangers, who must not be able to choose bytes that pass for a
        // finished commit after a crash: the second phase does not rest on a checksum.
        write.set_two_phase_commit(true);
        Ok(write)
    }
}
