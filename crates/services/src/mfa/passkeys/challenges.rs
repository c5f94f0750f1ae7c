//! Challenges of registrations: each is answered once, within five minutes, and for whom it was.
//!
//! A challenge is what the server wants to know again, sealed: whose device it is for, its name, and
//! when it ends. So nothing is kept for those that are never answered, and none is lost when the
//! server starts again. Only the answered ones are remembered, until they would end anyway.

use std::collections::HashMap;

use bailiwick_identifiers::AccountId;
use bailiwick_model::Owner;
use bailiwick_store::seal::{Binding, Keyring, Purpose};
use jiff::Timestamp;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::LIFE;
use crate::ports::Mint;

/// The most that are remembered as answered. Beyond, registrations wait.
const ANSWERED: usize = 65_536;
/// The longest challenge that is opened.
const MAX_SEALED: usize = 1024;

const BINDING: Binding<'static> = Binding { kind: "passkey-challenge", id: b"", version: 1 };

/// What a challenge is for.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Challenge {
    /// The account.
    pub(super) account: AccountId,
    /// Whose device is registered.
    pub(super) owner: Owner,
    /// The name that the device is to have.
    pub(super) device: String,
    /// When it ends.
    pub(super) ends: Timestamp,
    /// Random, so that no two are alike.
    id: String,
}

impl Challenge {
    pub(super) fn new(
        mint: &mut Mint,
        account: AccountId,
        owner: Owner,
        device: String,
        now: Timestamp,
    ) -> Self {
        let ends = now.checked_add(LIFE).unwrap_or(Timestamp::MAX);
        Self { account, owner, device, ends, id: mint.uuid() }
    }

    /// The bytes that the device signs.
    pub(super) fn seal(&self, keyring: &Keyring, mint: &mut Mint) -> Option<Vec<u8>> {
        let plain = serde_json::to_vec(self).ok()?;
        keyring.seal(Purpose::PasskeyChallenge, &BINDING, &plain, mint.bytes()).ok()
    }

    /// What bytes stand for that this server sealed.
    pub(super) fn open(keyring: &Keyring, sealed: &[u8]) -> Option<Self> {
        if sealed.len() > MAX_SEALED {
            return None;
        }
        let plain = keyring.open(Purpose::PasskeyChallenge, &BINDING, sealed).ok()?;
        serde_json::from_slice(&plain).ok()
    }
}

/// The challenges that were answered, with the call that did.
#[derive(Default)]
pub(crate) struct Challenges {
    answered: Mutex<HashMap<String, (Timestamp, String)>>,
}

impl Challenges {
    /// Whether a call is the one that answers a challenge, for this owner and in time. A call that
    /// runs again after a conflict is the same call.
    pub(super) fn take(
        &self,
        challenge: &Challenge,
        (account, owner): (AccountId, Owner),
        call: &str,
        now: Timestamp,
    ) -> bool {
        let fits = challenge.account == account && challenge.owner == owner;
        if !fits || now >= challenge.ends {
            return false;
        }
        let mut answered = self.answered.lock();
        if let Some((_, by)) = answered.get(&challenge.id) {
            return by == call;
        }
        if answered.len() >= ANSWERED {
            answered.retain(|_, (ends, _)| now < *ends);
        }
        let room = answered.len() < ANSWERED;
        if room {
            answered.insert(challenge.id.clone(), (challenge.ends, call.to_owned()));
        }
        room
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::Entropy;
    use jiff::SignedDuration;

    struct Same;

    impl Entropy for Same {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH.checked_add(SignedDuration::from_secs(seconds)).unwrap()
    }

    /// F07: once, for five minutes, for one owner.
    #[test]
    fn tm_f07_a_challenge_is_answered_once_in_time_by_whom_it_was_for() {
        let (home, other): (AccountId, AccountId) =
            ("111122223333".parse().unwrap(), "444455556666".parse().unwrap());
        let alice = Owner::User("AIDAQQQQQQQQQQQQQQQQQ".parse().unwrap());
        let mut mint = Mint::new(&Same);
        let made = Challenge::new(&mut mint, home, alice, "key".into(), at(0));
        let held = Challenges::default();
        let take = |whose, call, now| held.take(&made, whose, call, at(now));
        assert!(!take((other, alice), "a", 1));
        assert!(!take((home, Owner::Root), "a", 1));
        assert!(!take((home, alice), "a", 300));
        assert!(take((home, alice), "a", 299));
        // The same call once more, and another.
        assert!(take((home, alice), "a", 299));
        assert!(!take((home, alice), "b", 299));
        let second = Challenge::new(&mut mint, home, alice, "key".into(), at(0));
        assert!(held.take(&second, (home, alice), "b", at(1)));
    }

    #[test]
    fn tm_f07_only_what_was_sealed_here_is_a_challenge() {
        let keyring = Keyring::from_bytes([1; 32]).unwrap();
        let mut mint = Mint::new(&Same);
        let home: AccountId = "111122223333".parse().unwrap();
        let name = "n".repeat(64);
        let made = Challenge::new(&mut mint, home, Owner::Root, name, at(0));
        let sealed = made.seal(&keyring, &mut mint).unwrap();
        assert!((16..MAX_SEALED).contains(&sealed.len()), "{}", sealed.len());
        assert_eq!(Challenge::open(&keyring, &sealed), Some(made));
        for place in 0..sealed.len() {
            let mut other = sealed.clone();
            other[place] ^= 1;
            assert_eq!(Challenge::open(&keyring, &other), None, "{place}");
        }
        for other in [&[][..], &[0; 32], &[0; 2000]] {
            assert_eq!(Challenge::open(&keyring, other), None);
        }
        assert_eq!(Challenge::open(&Keyring::from_bytes([2; 32]).unwrap(), &sealed), None);
    }

    #[test]
    fn tm_g06_the_answered_are_forgotten_when_they_end() {
        let home: AccountId = "111122223333".parse().unwrap();
        let mut mint = Mint::new(&Same);
        let held = Challenges::default();
        let mut answer = |now: i64| {
            let made = Challenge::new(&mut mint, home, Owner::Root, "key".into(), at(now));
            held.take(&made, (home, Owner::Root), "call", at(now))
        };
        for number in 0..=ANSWERED {
            assert_eq!(answer(0), number < ANSWERED);
        }
        assert!(answer(300));
        assert_eq!(held.answered.lock().len(), 1);
    }
}
