//! The contract that every backend keeps.

use std::sync::mpsc;

use crate::error::StoreError;
use crate::transaction::{Change, Entry, Outcome, Revision, Transaction};

/// What a store calls when a transaction has ended.
pub type Done = Box<dyn FnOnce(Result<Outcome, StoreError>) + Send>;

/// A transactional map from byte keys to byte values, with a log of what each transaction changed.
///
/// - Transactions are applied one after another, in the order in which [`Store::submit`] took them.
///   Each that writes gets the next [`Revision`].
/// - A transaction is answered after it is durable; before that, no reader sees it.
/// - After a failed write every later transaction is answered with [`StoreError::Stopped`] (I03).
pub trait Store: Send + Sync {
    /// Queues a transaction. Waits while the queue is full.
    ///
    /// `done` runs once, on the store's own thread, after the transaction is durable or refused; the
    /// calls come in commit order, and never from inside `submit`. It may read and submit, but must
    /// not block: all writers wait for it.
    fn submit(&self, transaction: Transaction, done: Done);

    /// Runs a transaction and waits for its end. From inside a completion callback it is refused with
    /// [`StoreError::WouldDeadlock`].
    fn transact(&self, transaction: Transaction) -> Result<Outcome, StoreError> {
        if self.on_committer() {
            return Err(StoreError::WouldDeadlock);
        }
        let (sender, receiver) = mpsc::sync_channel(1);
        self.submit(
            transaction,
            Box::new(move |result| {
                // A caller that has gone needs no answer.
                let _ = sender.send(result);
            }),
        );
        receiver.recv().unwrap_or_else(|_| Err(StoreError::stopped("the store was closed")))
    }

    /// Whether this thread is the one that runs completion callbacks.
    fn on_committer(&self) -> bool;

    /// The newest value of a key, or `None` when it holds nothing.
    fn get(&self, key: &[u8]) -> Result<Option<Entry>, StoreError>;

    /// The entries whose keys start with `prefix`, in key order, at most `limit`. With `after`, only
    /// those with a greater key: to page, hand in the last key of the page before.
    ///
    /// One call sees one state; a later page may see a newer one.
    fn range(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError>;

    /// The revision of the newest durable transaction.
    fn revision(&self) -> Revision;

    /// The changes after `from`, oldest first, at most `limit`; none when `from` is the newest.
    ///
    /// [`StoreError::Compacted`] when a change after `from` has been dropped.
    fn tail(&self, from: Revision, limit: usize) -> Result<Vec<Change>, StoreError>;

    /// Drops the changes up to and including `through` from the change log; values stay. Backends also
    /// drop the oldest by themselves above a bound of their own.
    fn compact(&self, through: Revision) -> Result<(), StoreError>;
}
