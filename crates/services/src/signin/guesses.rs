//! For whom a wrong password counts, and how many there may be.

use std::collections::HashMap;
use std::net::IpAddr;

use aws_lc_rs::digest::{SHA256, digest};
use bailiwick_identifiers::{AccountId, Folded, UniqueId};
use bailiwick_model::Account;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use crate::fault::Fault;
use crate::ports::hex;

/// Who guesses at a user's password. Each kind has guesses of its own, so that strangers shut out
/// nobody who was here before (threat F04); together they are a hundred a day (threat F02).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Asker {
    /// Somebody at an address from which the user did not sign in lately.
    Stranger,
    /// Somebody at an address from which it did.
    Known,
    /// Somebody with credentials of the user, by ChangePassword.
    Own,
}

/// Where a guess counts.
pub(crate) struct Counted {
    /// The key of the count: account and unique id, so that no spelling of a name has guesses of
    /// its own (threat F03).
    pub(crate) who: String,
    /// Wrong guesses in a day.
    pub(crate) daily: u32,
}

/// Where a guess at the password of a user counts.
pub(crate) fn counted(account: AccountId, user: UniqueId, asker: Asker) -> Counted {
    let (asker, daily) = match asker {
        Asker::Stranger => ("stranger", 40),
        Asker::Known => ("known", 20),
        Asker::Own => ("own", 40),
    };
    Counted { who: format!("{account}/{user}/{asker}"), daily }
}

/// The same for a name that nobody has, in an account that may not be there either: it waits as a
/// name does that somebody has (threat F01).
pub(super) fn counted_nobody(account: &str, name: &str) -> Counted {
    let text = format!("{}\0{}", Folded::of(account).as_str(), Folded::of(name).as_str());
    let short = hex(digest(&SHA256, text.as_bytes()).as_ref().get(..16).unwrap_or_default());
    Counted { who: format!("nobody/{short}"), daily: 40 }
}

/// From where somebody asks.
pub(super) fn asker(account: &Account, user: &UniqueId, address: IpAddr) -> Asker {
    match account.password_use(user) {
        Some(held) if held.knows(address) => Asker::Known,
        _ => Asker::Stranger,
    }
}

/// Wrong guesses that may come from one address in an hour, whomever they are about.
const HOURLY: u32 = 200;
/// The most addresses that are kept.
const ADDRESSES: usize = 16_384;

/// Wrong guesses by address, in memory: a restart forgets them, and those by user stay.
#[derive(Default)]
pub(super) struct Addresses(Mutex<HashMap<IpAddr, (Timestamp, u32)>>);

impl Addresses {
    /// Counts a guess from an address before it is looked at.
    ///
    /// # Errors
    ///
    /// `Throttling`: 200 within an hour were wrong.
    pub(super) fn begin(&self, address: IpAddr, now: Timestamp) -> Result<(), Fault> {
        let hour = SignedDuration::from_hours(1);
        let mut held = self.0.lock();
        let address = network(address);
        if !held.contains_key(&address) && held.len() >= ADDRESSES {
            held.retain(|_, (since, _)| now.duration_since(*since) < hour);
            if held.len() >= ADDRESSES {
                let least = held.iter().min_by_key(|(_, (since, count))| (*count, *since));
                let least = least.map(|(address, _)| *address);
                least.and_then(|address| held.remove(&address));
            }
        }
        let (since, count) = held.entry(address).or_insert((now, 0));
        if now.duration_since(*since) >= hour {
            (*since, *count) = (now, 0);
        }
        if *count >= HOURLY {
            return Err(Fault::common("Throttling", 400, "Rate exceeded"));
        }
        *count += 1;
        Ok(())
    }

    /// Takes one count back: the guess was right. The others stay, or who has one password could
    /// guess at the others for ever.
    pub(super) fn right(&self, address: IpAddr) {
        if let Some((_, count)) = self.0.lock().get_mut(&network(address)) {
            *count = count.saturating_sub(1);
        }
    }
}

/// What one subscriber may have: an address, or the 64 bits of a network of IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let bits = u128::from(address) & !u128::from(u64::MAX);
            IpAddr::V6(bits.into())
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tm_f02_an_address_has_so_many_guesses_an_hour() {
        let addresses = Addresses::default();
        let at = |seconds: i64| Timestamp::from_second(1_800_000_000 + seconds).unwrap();
        let one: IpAddr = "2001:db8::1".parse().unwrap();
        for number in 0..HOURLY {
            // Right ones do not count, and do not clear.
            addresses.begin(one, at(0)).unwrap();
            addresses.right(one);
            let other = format!("2001:db8::{number:x}").parse().unwrap();
            addresses.begin(other, at(0)).unwrap();
        }
        assert!(addresses.begin(one, at(3599)).is_err());
        addresses.begin("2001:db8:0:1::1".parse().unwrap(), at(0)).unwrap();
        addresses.begin(one, at(3600)).unwrap();
    }

    #[test]
    fn tm_f02_a_hundred_for_one_user_whoever_asks() {
        let (account, user) =
            ("123456789012".parse().unwrap(), "AIDAQQQQQQQQQQQQQQQQQ".parse().unwrap());
        let all = [Asker::Stranger, Asker::Known, Asker::Own];
        let sum: u32 = all.iter().map(|asker| counted(account, user, *asker).daily).sum();
        assert_eq!(sum, 100);
        let same =
            counted_nobody("example", "Nobody").who == counted_nobody("EXAMPLE", "noBODY").who;
        assert!(same);
    }
}
