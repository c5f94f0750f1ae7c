//! A few threads for work too heavy for a request thread: password hashes. Its queue is bounded,
//! so that many sign-ins at once cost time and not memory (threat F08).

use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

type Job = Box<dyn FnOnce() + Send>;

/// The pool.
pub(crate) struct Pool {
    jobs: SyncSender<Job>,
}

/// The queue is full.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Busy;

const THREADS: usize = 2;
const QUEUE: usize = 256;

impl Pool {
    pub(crate) fn new() -> Self {
        let (jobs, queue) = sync_channel::<Job>(QUEUE);
        let queue = Arc::new(Mutex::new(queue));
        for number in 0..THREADS {
            let queue = Arc::clone(&queue);
            let work = move || {
                loop {
                    let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    match job {
                        Ok(job) => {
                            // A job that panics must not take the thread with it (threat G10).
                            let job = std::panic::AssertUnwindSafe(job);
                            if std::panic::catch_unwind(job).is_err() {
                                tracing::error!("a job of the hashing pool panicked");
                            }
                        }
                        Err(_) => return,
                    }
                }
            };
            let name = format!("hash-{number}");
            if let Err(error) = std::thread::Builder::new().name(name).spawn(work) {
                tracing::error!(%error, "a thread of the hashing pool could not be started");
            }
        }
        Self { jobs }
    }

    /// Queues a job, or refuses it at once when too many wait.
    pub(crate) fn run(&self, job: impl FnOnce() + Send + 'static) -> Result<(), Busy> {
        self.jobs.try_send(Box::new(job)).map_err(|error| match error {
            TrySendError::Full(_) | TrySendError::Disconnected(_) => Busy,
        })
    }
}
