//! The door through which time comes in.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

/// The system's clock.
#[allow(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// The system's clock, held where it is while the system's goes back (threat I07).
#[derive(Debug, Default)]
pub struct SteadyClock(AtomicI64);

impl SteadyClock {
    /// What the clock shows: never less than before.
    pub fn now(&self) -> Timestamp {
        let real = now();
        let before = self.0.fetch_max(real.as_microsecond(), Ordering::Relaxed);
        if before <= real.as_microsecond() {
            return real;
        }
        Timestamp::from_microsecond(before).unwrap_or(real)
    }
}

/// A clock that runs at the system's pace, set ahead or back by a development server's client.
#[derive(Debug, Default)]
pub struct SettableClock(Mutex<SignedDuration>);

/// A change to a settable clock.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ClockChange {
    /// It shows this instant now, and runs on from there.
    Now(Timestamp),
    /// It jumps by so many seconds, back when negative.
    Advance(i64),
    /// It shows the system's time again.
    Reset,
}

/// The change would take the clock out of the years that timestamps can hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the clock cannot be set so far away")]
pub struct ClockError;

impl SettableClock {
    /// What the clock shows. Beyond the range of timestamps it shows the system's time.
    pub fn now(&self) -> Timestamp {
        let real = now();
        real.checked_add(*self.0.lock()).unwrap_or(real)
    }

    /// Changes the clock and tells what it shows then.
    pub fn set(&self, change: ClockChange) -> Result<Timestamp, ClockError> {
        let real = now();
        let mut offset = self.0.lock();
        let wanted = match change {
            ClockChange::Now(instant) => real.duration_until(instant),
            ClockChange::Advance(seconds) => {
                offset.checked_add(SignedDuration::from_secs(seconds)).ok_or(ClockError)?
            }
            ClockChange::Reset => SignedDuration::ZERO,
        };
        let shown = real.checked_add(wanted).map_err(|_| ClockError)?;
        *offset = wanted;
        Ok(shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tm_i07_the_clock_does_not_go_back() {
        let ahead = now().as_microsecond() + 60_000_000;
        let clock = SteadyClock(AtomicI64::new(ahead));
        assert_eq!(clock.now().as_microsecond(), ahead);
        let clock = SteadyClock::default();
        let before = clock.now();
        assert!(clock.now() >= before && now().duration_since(before).as_secs() < 60);
    }

    #[test]
    fn the_clock_is_set_advanced_and_put_back() {
        let clock = SettableClock::default();
        let year_end: Timestamp = "2024-12-31T23:59:58Z".parse().unwrap();
        assert_eq!(clock.set(ClockChange::Now(year_end)), Ok(year_end));
        assert!(clock.now() >= year_end);
        clock.set(ClockChange::Advance(3600)).unwrap();
        let past = clock.now().duration_since(year_end);
        assert!(past >= SignedDuration::from_hours(1) && past < SignedDuration::from_hours(2));
        assert_eq!(clock.set(ClockChange::Advance(i64::MAX)), Err(ClockError));
        clock.set(ClockChange::Reset).unwrap();
        assert!(now().duration_since(clock.now()).abs() < SignedDuration::from_mins(1));
    }
}
