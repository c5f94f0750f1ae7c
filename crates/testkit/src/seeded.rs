//! Time and chance as a test wants them.

use std::sync::atomic::{AtomicI64, Ordering};

use bailiwick_services::{Clock, Entropy};
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use crate::Dice;

/// Bytes that look random and depend on a seed alone. Never for anything but tests.
pub struct SeededEntropy(Mutex<Dice>);

impl SeededEntropy {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(Dice::new(seed)))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().fill(bytes);
    }
}

/// A clock that stands still until it is moved.
pub struct SettableClock(AtomicI64);

impl SettableClock {
    /// A clock that shows this instant, to the microsecond.
    pub fn at(instant: Timestamp) -> Self {
        Self(AtomicI64::new(instant.as_microsecond()))
    }

    /// Moves the clock by a span, which may be negative.
    pub fn advance(&self, span: SignedDuration) {
        let moved = i64::try_from(span.as_micros()).expect("a span within the range of instants");
        self.0.fetch_add(moved, Ordering::SeqCst);
    }

    /// Moves the clock to an instant.
    pub fn set(&self, instant: Timestamp) {
        self.0.store(instant.as_microsecond(), Ordering::SeqCst);
    }
}

impl Clock for SettableClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.0.load(Ordering::SeqCst)).expect("an instant in range")
    }
}
