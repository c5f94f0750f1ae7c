//! Threads for reads that take long: simulations, and searches of the trail. They are apart from the
//! threads that hash passwords, and accounts take turns, so that one account's reads keep neither a
//! sign-in nor another account waiting (threats F08, G06).

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bailiwick_identifiers::AccountId;
use parking_lot::{Condvar, Mutex};

use crate::pool::Busy;

type Job = Box<dyn FnOnce() + Send>;

const THREADS: usize = 2;
/// Reads of one account that run at one time: one thread is always left to the others.
const RUNNING: usize = THREADS - 1;
/// Reads of one account that wait.
const WAITING: usize = 16;
/// Reads of all accounts that wait.
const QUEUE: usize = 128;

/// The threads, and who waits for them.
pub(crate) struct Readers {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    accounts: BTreeMap<AccountId, Lane>,
    /// The accounts with reads that wait, each once, the next one first.
    turns: VecDeque<AccountId>,
    waiting: usize,
    closed: bool,
}

/// The reads of one account.
#[derive(Default)]
struct Lane {
    jobs: VecDeque<Job>,
    running: usize,
}

impl Readers {
    pub(crate) fn new() -> Self {
        let shared = Arc::new(Shared::default());
        for number in 0..THREADS {
            let shared = Arc::clone(&shared);
            let name = format!("read-{number}");
            let work = move || shared.work();
            if let Err(error) = std::thread::Builder::new().name(name).spawn(work) {
                tracing::error!(%error, "a thread for long reads could not be started");
            }
        }
        Self { shared }
    }

    /// Queues a read of an account, or refuses it at once when too many wait.
    pub(crate) fn run(
        &self,
        account: AccountId,
        job: impl FnOnce() + Send + 'static,
    ) -> Result<(), Busy> {
        self.shared.state.lock().put(account, Box::new(job))?;
        self.shared.changed.notify_one();
        Ok(())
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.shared.state.lock().closed = true;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn work(&self) {
        let mut state = self.state.lock();
        while !state.closed {
            let Some((account, job)) = state.take() else {
                self.changed.wait(&mut state);
                continue;
            };
            drop(state);
            // A job that panics must not take the thread with it (threat G10).
            let job = std::panic::AssertUnwindSafe(job);
            if std::panic::catch_unwind(job).is_err() {
                tracing::error!("a long read panicked");
            }
            state = self.state.lock();
            state.end(account);
            self.changed.notify_one();
        }
    }
}

impl State {
    fn put(&mut self, account: AccountId, job: Job) -> Result<(), Busy> {
        let held = self.accounts.get(&account).map_or(0, |lane| lane.jobs.len());
        if self.waiting >= QUEUE || held >= WAITING {
            return Err(Busy);
        }
        self.accounts.entry(account).or_default().jobs.push_back(job);
        self.waiting += 1;
        if held == 0 {
            self.turns.push_back(account);
        }
        Ok(())
    }

    /// The next read, of the first account in turn that may run one more.
    fn take(&mut self) -> Option<(AccountId, Job)> {
        let free = |account: &AccountId| {
            self.accounts.get(account).is_some_and(|lane| lane.running < RUNNING)
        };
        let place = self.turns.iter().position(free)?;
        let account = self.turns.remove(place)?;
        let lane = self.accounts.get_mut(&account)?;
        let job = lane.jobs.pop_front()?;
        lane.running += 1;
        self.waiting -= 1;
        if !lane.jobs.is_empty() {
            self.turns.push_back(account);
        }
        Some((account, job))
    }

    fn end(&mut self, account: AccountId) {
        let Some(lane) = self.accounts.get_mut(&account) else { return };
        lane.running = lane.running.saturating_sub(1);
        if lane.running == 0 && lane.jobs.is_empty() {
            self.accounts.remove(&account);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::*;

    fn account(last: char) -> AccountId {
        format!("11112222333{last}").parse().unwrap()
    }

    #[test]
    fn tm_g06_an_account_has_its_share() {
        let readers = Readers::new();
        let (open, gate) = channel::<()>();
        let (begun, first) = channel();
        readers
            .run(account('1'), move || {
                begun.send(()).unwrap();
                let _ = gate.recv();
            })
            .unwrap();
        first.recv().unwrap();
        let (done, ends) = channel();
        for _ in 0..WAITING {
            let done = done.clone();
            readers.run(account('1'), move || done.send('1').unwrap()).unwrap();
        }
        assert!(readers.run(account('1'), || {}).is_err(), "its queue is full");
        // Another account is served though the first one has begun and waits.
        let other = done.clone();
        readers.run(account('2'), move || other.send('2').unwrap()).unwrap();
        assert_eq!(ends.recv_timeout(Duration::from_secs(20)), Ok('2'));
        assert!(ends.try_recv().is_err(), "one read of an account runs at a time");
        open.send(()).unwrap();
        for _ in 0..WAITING {
            assert_eq!(ends.recv_timeout(Duration::from_secs(20)), Ok('1'));
        }
    }

    #[test]
    fn accounts_take_turns() {
        let mut state = State::default();
        for name in ['1', '1', '1', '2'] {
            state.put(account(name), Box::new(|| {})).unwrap();
        }
        let mut order = Vec::new();
        while let Some((next, _)) = state.take() {
            state.end(next);
            order.push(next);
        }
        assert_eq!(order, ['1', '2', '1', '1'].map(account));
        assert!(state.accounts.is_empty() && state.turns.is_empty() && state.waiting == 0);
    }

    #[test]
    fn tm_g10_a_read_that_panics_leaves_its_thread() {
        let readers = Readers::new();
        for _ in 0..2 * THREADS {
            readers.run(account('1'), || panic!("on purpose")).unwrap();
        }
        let (done, ends) = channel();
        readers.run(account('1'), move || done.send(()).unwrap()).unwrap();
        assert_eq!(ends.recv_timeout(Duration::from_secs(20)), Ok(()));
    }
}
