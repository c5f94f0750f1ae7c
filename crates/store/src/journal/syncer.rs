//! The thread that bounds what a power loss can cost.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::{Journal, JournalError};

/// A thread that syncs a journal at every interval. Dropping it ends the thread after one last sync.
///
/// A sync that fails stops the journal, which the next append reports.
pub struct Syncer {
    stop: Arc<(Mutex<bool>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl Syncer {
    pub(super) fn spawn(journal: Arc<Journal>, interval: Duration) -> Result<Self, JournalError> {
        let stop = Arc::new((Mutex::new(false), Condvar::new()));
        let own = Arc::clone(&stop);
        let thread = thread::Builder::new()
            .name("journal-syncer".to_owned())
            .spawn(move || run(&journal, interval, &own))
            .map_err(|error| JournalError::Stopped {
                reason: format!("no thread to sync: {error}"),
            })?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        *self.stop.0.lock() = true;
        self.stop.1.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(journal: &Journal, interval: Duration, stop: &(Mutex<bool>, Condvar)) {
    let mut stopped = stop.0.lock();
    while !*stopped {
        stop.1.wait_for(&mut stopped, interval);
        // The journal remembers a failure and refuses from then on.
        let _ = journal.sync();
    }
}
