//! How often a password or a one-time code may be guessed.
//!
//! A guess is counted before it is looked at, so that many at once are no way around the count, and
//! refused before anything is hashed (threats F02, F08). This table is in memory; [`crate::kept`]
//! makes the counts of passwords and one-time codes durable.

use std::collections::HashMap;
use std::hash::Hash;

use bailiwick_identifiers::UniqueId;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::fault::Fault;

/// Wrong guesses in a row that cost nothing.
const FREE: u32 = 5;
/// The wait after the first wrong guess that is not free, in seconds. It doubles from there.
const FIRST_WAIT: i64 = 1;
/// The longest wait, in seconds.
const LONGEST_WAIT: i64 = 15 * 60;
/// Wrong guesses in a day.
pub(crate) const DAILY: u32 = 100;
/// The day, and the time after which a guess is forgotten.
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// The most users that are kept.
const USERS: usize = 16_384;

/// The wrong guesses of one user.
#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wrong {
    /// Those since the last right one.
    in_a_row: u32,
    /// When the newest was made.
    last: Timestamp,
    /// Those of the day that began at `day`.
    today: u32,
    day: Timestamp,
}

impl Wrong {
    const fn none(now: Timestamp) -> Self {
        Self { in_a_row: 0, last: now, today: 0, day: now }
    }

    pub(crate) fn is_forgotten(&self, now: Timestamp) -> bool {
        now.duration_since(self.last) >= DAY
    }

    /// How long after the newest the next guess may come.
    fn wait(&self) -> SignedDuration {
        let Some(doublings) = self.in_a_row.checked_sub(FREE) else {
            return SignedDuration::ZERO;
        };
        // Ten doublings are past the longest wait.
        let wait = FIRST_WAIT.checked_shl(doublings.min(16)).unwrap_or(LONGEST_WAIT);
        SignedDuration::from_secs(wait.min(LONGEST_WAIT))
    }

    /// Counts one more guess, if one may be made now and fewer than `daily` were made today.
    fn count(&mut self, now: Timestamp, daily: u32) -> Result<(), Fault> {
        if now.duration_since(self.day) >= DAY {
            (self.day, self.today) = (now, 0);
        }
        let waits = self.in_a_row >= FREE && now.duration_since(self.last) < self.wait();
        if waits || self.today >= daily {
            return Err(Fault::common("Throttling", 400, "Rate exceeded"));
        }
        self.in_a_row = self.in_a_row.saturating_add(1);
        self.today = self.today.saturating_add(1);
        self.last = now;
        Ok(())
    }
}

/// The wrong guesses of all users, by their unique ids or by other keys.
pub(crate) struct Guesses<K = UniqueId> {
    users: Mutex<HashMap<K, Wrong>>,
    most: usize,
}

impl<K> Default for Guesses<K> {
    fn default() -> Self {
        Self { users: Mutex::default(), most: USERS }
    }
}

impl<K: Clone + Eq + Hash> Guesses<K> {
    /// Counts a guess as wrong, before it is looked at; [`Guesses::right`] takes the count back.
    ///
    /// # Errors
    ///
    /// `Throttling`: five in a row were wrong and the wait since the last is not over (1 second,
    /// doubling up to 15 minutes), or 100 were wrong within a day.
    pub(crate) fn begin(&self, user: K, now: Timestamp) -> Result<(), Fault> {
        self.count(user, DAILY, now).1.map(drop)
    }

    /// The same with another number for a day: the users that lost their place in the table, and the
    /// count as it is now.
    pub(crate) fn count(
        &self,
        user: K,
        daily: u32,
        now: Timestamp,
    ) -> (Vec<K>, Result<Wrong, Fault>) {
        let mut users = self.users.lock();
        let mut gone = Vec::new();
        if !users.contains_key(&user) && users.len() >= self.most {
            users.retain(|user, wrong| {
                let stays = !wrong.is_forgotten(now);
                gone.extend((!stays).then(|| user.clone()));
                stays
            });
            if users.len() >= self.most {
                // Who guessed least goes first: nobody gets rid of a count by making others guess.
                let least = users.iter().min_by_key(|(_, wrong)| (wrong.today, wrong.last));
                let least = least.map(|(user, _)| user.clone());
                gone.extend(least.filter(|user| users.remove(user).is_some()));
            }
        }
        let wrong = users.entry(user).or_insert_with(|| Wrong::none(now));
        if wrong.is_forgotten(now) {
            *wrong = Wrong::none(now);
        }
        let counted = wrong.count(now, daily).map(|()| *wrong);
        (gone, counted)
    }

    /// Puts a count back that was kept.
    pub(crate) fn restore(&self, user: K, wrong: Wrong) {
        let mut users = self.users.lock();
        if users.len() < self.most {
            users.insert(user, wrong);
        }
    }

    /// Ends the row of a user who knew the password or code. The wrong ones of the day stay, or who
    /// guesses between the sign-ins of its victim would have no end (threat F02). Returns the count,
    /// if there is still one.
    pub(crate) fn passed(&self, user: &K) -> Option<Wrong> {
        let mut users = self.users.lock();
        let wrong = users.get_mut(user)?;
        wrong.in_a_row = 0;
        // The right one was counted before it was looked at.
        wrong.today = wrong.today.saturating_sub(1);
        if wrong.today == 0 {
            users.remove(user);
            return None;
        }
        Some(*wrong)
    }

    /// Forgets the guesses of a user who knew a secret that nobody finds by guessing.
    #[allow(clippy::needless_pass_by_value, reason = "most keys are ids, which are copied")]
    pub(crate) fn right(&self, user: K) {
        self.users.lock().remove(&user);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(number: u32) -> UniqueId {
        format!("AIDA{:0>17}", number + 2_222_222)
            .replace(['0', '1', '8', '9'], "A")
            .parse()
            .unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    #[track_caller]
    fn refused(result: Result<(), Fault>) {
        let fault = result.unwrap_err();
        assert_eq!((fault.code(), fault.status()), ("Throttling", Some(400)));
    }

    #[test]
    fn tm_f02_five_are_free_and_the_wait_doubles() {
        let guesses = Guesses::default();
        for _ in 0..5 {
            guesses.begin(user(1), at(0)).unwrap();
        }
        let mut now = 0;
        for wait in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900] {
            refused(guesses.begin(user(1), at(now)));
            refused(guesses.begin(user(1), at(now + wait - 1)));
            // A refusal does not make the wait longer.
            now += wait;
            guesses.begin(user(1), at(now)).unwrap();
        }
        // Others are not held up.
        guesses.begin(user(2), at(now)).unwrap();
    }

    #[test]
    fn tm_f02_a_right_guess_clears() {
        let guesses = Guesses::default();
        for _ in 0..3 {
            for _ in 0..5 {
                guesses.begin(user(1), at(0)).unwrap();
            }
            refused(guesses.begin(user(1), at(0)));
            guesses.right(user(1));
        }
        assert!(guesses.users.lock().is_empty());
    }

    #[test]
    fn tm_f02_a_right_guess_ends_the_row_and_not_the_day() {
        let guesses = Guesses::default();
        let mut made = 0;
        // Four wrong ones, then the user itself: again and again within one day.
        for round in 0..40 {
            let now = at(round * 60);
            made += (0..4).filter(|_| guesses.begin(user(1), now).is_ok()).count();
            if guesses.begin(user(1), now).is_ok() {
                guesses.passed(&user(1));
            }
        }
        assert_eq!(made, 100);
        guesses.begin(user(1), at(24 * 60 * 60)).unwrap();
        assert!(guesses.passed(&user(1)).is_none());
        assert!(guesses.users.lock().is_empty());
        // Right ones alone leave nothing, however many.
        for second in 0..200 {
            guesses.begin(user(2), at(second)).unwrap();
            assert!(guesses.passed(&user(2)).is_none());
        }
    }

    #[test]
    fn tm_f02_a_hundred_a_day() {
        let guesses = Guesses::default();
        let (mut made, mut second) = (0, 0);
        while second < 24 * 60 * 60 {
            made += u32::from(guesses.begin(user(1), at(second)).is_ok());
            second += 1;
        }
        assert!((90..=100).contains(&made), "{made}");
        // However the waits fall, the hundred and first is refused, and the next day is another.
        let mut wrong = Wrong { today: 99, ..Wrong::none(at(0)) };
        wrong.count(at(1), DAILY).unwrap();
        refused(wrong.count(at(60 * 60), DAILY));
        wrong.count(at(24 * 60 * 60), DAILY).unwrap();
    }

    #[test]
    fn tm_f02_guesses_at_once_are_counted_before_they_are_looked_at() {
        let guesses = Guesses::default();
        let passed = std::sync::atomic::AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    for _ in 0..4 {
                        let allowed = guesses.begin(user(1), at(0)).is_ok();
                        passed.fetch_add(u32::from(allowed), std::sync::atomic::Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(passed.into_inner(), 5);
    }

    #[test]
    fn a_clock_that_goes_back_lets_nobody_in() {
        let guesses = Guesses::default();
        for _ in 0..5 {
            guesses.begin(user(1), at(100)).unwrap();
        }
        refused(guesses.begin(user(1), at(0)));
        refused(guesses.begin(user(1), Timestamp::MIN));
        guesses.begin(user(1), Timestamp::MAX).unwrap();
    }

    #[test]
    fn tm_f02_the_table_is_bounded_and_keeps_who_guessed_most() {
        let guesses = Guesses { users: Mutex::default(), most: 4 };
        for _ in 0..5 {
            guesses.begin(user(1), at(0)).unwrap();
        }
        for number in 2..20 {
            guesses.begin(user(number), at(0)).unwrap();
            assert!(guesses.users.lock().len() <= 4);
        }
        refused(guesses.begin(user(1), at(0)));
        // What is a day old goes first.
        guesses.begin(user(20), at(24 * 60 * 60)).unwrap();
        assert_eq!(guesses.users.lock().len(), 1);
    }
}
