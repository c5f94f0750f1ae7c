//! Counts of wrong guesses that outlive the process.
//!
//! A count is written in a transaction of its own and before the guess is looked at: nothing that
//! happens to the call afterwards takes it back but the right password or code (threats F02, F03).

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};

use bailiwick_store::{Store, Transaction};
use jiff::Timestamp;
use parking_lot::Mutex;

use crate::fault::Fault;
use crate::guess::{Guesses, Wrong};

/// The prefix of counts in the store.
pub(crate) const GUESSES: &str = "guess/";

/// Records that one transaction drops.
const CHUNK: usize = 4000;

/// The wrong guesses of one kind, by whom they count for.
pub(crate) struct KeptGuesses {
    kind: &'static str,
    table: Guesses<String>,
    /// Held from the count to its submission, so that the store sees counts in their order.
    order: Mutex<()>,
}

/// A count on its way to the disk.
pub(crate) struct Written(Receiver<bool>);

impl Written {
    /// Waits until the count is durable. Not for a thread that serves connections.
    ///
    /// # Errors
    ///
    /// The store takes no more writes.
    pub(crate) fn wait(self) -> Result<(), Fault> {
        if self.0.recv().unwrap_or(false) { Ok(()) } else { Err(Fault::unavailable()) }
    }
}

impl KeptGuesses {
    /// No guesses yet; `kind` is part of the keys in the store.
    pub(crate) fn new(kind: &'static str) -> Self {
        Self { kind, table: Guesses::default(), order: Mutex::default() }
    }

    /// Puts a record of the store back into the table, if it is of this kind.
    pub(crate) fn load(&self, key: &str, value: &[u8]) {
        let key = key.strip_prefix(GUESSES).and_then(|key| key.strip_prefix(self.kind));
        let Some(who) = key.and_then(|key| key.strip_prefix('/')) else { return };
        match serde_json::from_slice::<Wrong>(value) {
            Ok(wrong) => self.table.restore(who.to_owned(), wrong),
            Err(error) => tracing::error!(%error, "a count of guesses cannot be read"),
        }
    }

    fn key(&self, who: &str) -> String {
        format!("{GUESSES}{}/{who}", self.kind)
    }

    /// Counts a guess as wrong, before it is looked at; [`KeptGuesses::right`] takes the count back.
    ///
    /// # Errors
    ///
    /// `Throttling`: five in a row were wrong and the wait since the last is not over (1 second,
    /// doubling up to 15 minutes), or `daily` were wrong within a day.
    pub(crate) fn begin(
        &self,
        store: &Arc<dyn Store>,
        who: &str,
        daily: u32,
        now: Timestamp,
    ) -> Result<Written, Fault> {
        let (sender, receiver) = sync_channel(1);
        let in_order = self.order.lock();
        let (gone, counted) = self.table.count(who.to_owned(), daily, now);
        for chunk in gone.chunks(CHUNK) {
            let drop_them =
                chunk.iter().fold(Transaction::new(), |all, who| all.delete(self.key(who)));
            store.submit(drop_them, Box::new(|_| {}));
        }
        let value = serde_json::to_vec(&counted?).map_err(|_| Fault::internal())?;
        let transaction = Transaction::new().put(self.key(who), value);
        store.submit(
            transaction,
            Box::new(move |result| {
                // Whoever does not wait has gone on.
                let _ = sender.send(result.is_ok());
            }),
        );
        drop(in_order);
        Ok(Written(receiver))
    }

    /// Ends the row of who knew the password or code; the wrong guesses of the day stay.
    pub(crate) fn right(&self, store: &Arc<dyn Store>, who: &str) {
        let in_order = self.order.lock();
        let left = self.table.passed(&who.to_owned());
        let left = left.and_then(|wrong| serde_json::to_vec(&wrong).ok());
        let transaction = match left {
            Some(value) => Transaction::new().put(self.key(who), value),
            None => Transaction::new().delete(self.key(who)),
        };
        store.submit(transaction, Box::new(|_| {}));
        drop(in_order);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guess::DAILY;
    use bailiwick_store::MemoryStore;

    /// F02, F03: what was counted is there after a restart, and a right guess ends the row there too.
    #[test]
    fn tm_f03_counts_outlive_the_process() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let again = || {
            let kept = KeptGuesses::new("password");
            for entry in store.range(GUESSES.as_bytes(), None, 100).unwrap() {
                kept.load(std::str::from_utf8(&entry.key).unwrap(), &entry.value);
            }
            kept
        };
        for _ in 0..5 {
            again().begin(&store, "1/alice", DAILY, now).unwrap().wait().unwrap();
        }
        assert!(again().begin(&store, "1/alice", DAILY, now).is_err());
        again().begin(&store, "1/bob", DAILY, now).unwrap().wait().unwrap();
        again().right(&store, "1/alice");
        again().begin(&store, "1/alice", 5, now).unwrap().wait().unwrap();
        // Four of the five, and this one: the day is full, also after a restart.
        assert!(again().begin(&store, "1/alice", 5, now).is_err());
        // Of another kind.
        let other = KeptGuesses::new("code");
        for entry in store.range(GUESSES.as_bytes(), None, 100).unwrap() {
            other.load(std::str::from_utf8(&entry.key).unwrap(), &entry.value);
        }
        assert!(other.begin(&store, "1/bob", 1, now).is_ok());
    }

    #[test]
    fn tm_f02_a_daily_number_of_its_own() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let kept = KeptGuesses::new("password");
        let at = |hours: i64| Timestamp::from_second(1_800_000_000 + hours * 3600).unwrap();
        for hour in 0..7 {
            assert!(kept.begin(&store, "a", 7, at(hour)).is_ok());
        }
        assert!(kept.begin(&store, "a", 7, at(8)).is_err());
        assert!(kept.begin(&store, "a", 7, at(24)).is_ok());
    }
}
