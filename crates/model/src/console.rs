//! Sign-ins with a password: the sessions that they open, and the last of them.

use std::net::IpAddr;

use bailiwick_identifiers::UniqueId;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::entity::{LoginProfile, Owner};
use crate::settings::PasswordPolicy;

/// A session of the console. It is good as long as its record is there and the password and the
/// device with which it was opened are.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ConsoleSession {
    /// Random, and no secret: cookies and session tokens that name it are sealed.
    pub id: String,
    /// Whose it is.
    pub owner: Owner,
    /// When it was opened.
    pub begun: Timestamp,
    /// When it ends at the latest.
    pub expires: Timestamp,
    /// The [`LoginProfile::mark`] of the password that opened it.
    pub mark: String,
    /// The second factor that was shown.
    #[serde(default)]
    pub factor: Option<ShownFactor>,
}

/// A second factor that was checked at a sign-in.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ShownFactor {
    /// The random id of the device, which a later device of the same serial number does not have.
    pub device: String,
    /// When it was checked.
    pub at: Timestamp,
}

impl ConsoleSession {
    /// The most sessions of one user; the oldest ends when another is opened.
    pub const MOST: usize = 20;

    /// Whether it is good in this state of its account, as long as it has not expired.
    pub fn is_good(&self, account: &Account) -> bool {
        let Owner::User(user) = self.owner else { return false };
        let password = account.login_profile(&user).is_some_and(|held| held.mark() == self.mark);
        let factor = self.factor.as_ref().is_none_or(|shown| {
            account.mfa_devices_of(self.owner).any(|device| device.id == shown.device)
        });
        account.user(&user).is_some() && password && factor
    }
}

/// The last sign-in of a user with its password, and where it signed in from.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PasswordUse {
    /// The user.
    pub user: UniqueId,
    /// When.
    pub at: Timestamp,
    /// Addresses from which it signed in, the latest first.
    #[serde(default)]
    pub addresses: Vec<KnownAddress>,
}

/// An address from which a user signed in.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct KnownAddress {
    /// The address.
    pub address: IpAddr,
    /// The last sign-in from there.
    pub at: Timestamp,
}

impl PasswordUse {
    /// The most addresses that are remembered.
    const MOST: usize = 8;

    /// The record after a further sign-in.
    #[must_use]
    pub fn after(held: Option<&Self>, user: UniqueId, address: IpAddr, at: Timestamp) -> Self {
        let mut addresses = vec![KnownAddress { address, at }];
        let others = held.into_iter().flat_map(|held| &held.addresses);
        addresses.extend(others.filter(|known| known.address != address).cloned());
        addresses.truncate(Self::MOST);
        Self { user, at, addresses }
    }

    /// Whether the user signed in from an address.
    pub fn knows(&self, address: IpAddr) -> bool {
        self.addresses.iter().any(|known| known.address == address)
    }
}

impl LoginProfile {
    /// What tells one password that was set from every other: the salt of its hash. A hash with
    /// other parameters keeps it. Empty for a hash that has none.
    pub fn mark(&self) -> &str {
        self.hash.split('$').nth(4).unwrap_or_default()
    }

    /// When the password expires under a policy; never under AWS's default.
    pub fn expires(&self, policy: Option<&PasswordPolicy>) -> Option<Timestamp> {
        let days = policy.and_then(|policy| policy.max_age)?;
        self.changed.checked_add(SignedDuration::from_hours(24 * i64::from(days))).ok()
    }

    /// Whether it has expired.
    pub fn is_expired(&self, policy: Option<&PasswordPolicy>, now: Timestamp) -> bool {
        self.expires(policy).is_some_and(|ends| ends <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_addresses_are_remembered_once_each() {
        let user = "AIDAQQQQQQQQQQQQQQQQQ".parse().unwrap();
        let address = |number: u8| IpAddr::from([192, 0, 2, number]);
        let mut held: Option<PasswordUse> = None;
        for number in (0..20).chain([19, 18, 19]) {
            let now = Timestamp::from_second(number.into()).unwrap();
            held = Some(PasswordUse::after(held.as_ref(), user, address(number), now));
        }
        let held = held.unwrap();
        let numbers: Vec<_> = held.addresses.iter().map(|known| known.address).collect();
        assert_eq!(numbers, [19, 18, 17, 16, 15, 14, 13, 12].map(address));
        assert!(held.knows(address(12)) && !held.knows(address(11)));
    }

    #[test]
    fn the_mark_is_the_salt() {
        let profile = |hash: &str| LoginProfile {
            user: "AIDAQQQQQQQQQQQQQQQQQ".parse().unwrap(),
            created: Timestamp::UNIX_EPOCH,
            changed: Timestamp::UNIX_EPOCH,
            hash: hash.into(),
            reset_required: false,
            previous: Vec::new(),
        };
        assert_eq!(profile("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA").mark(), "c2FsdA");
        assert_eq!(profile("nothing").mark(), "");
    }
}
