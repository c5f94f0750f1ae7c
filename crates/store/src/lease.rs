//! Leases: a name that one owner holds until an instant, with an epoch that fences off older owners.
//!
//! A lease is a plain record, so that every backend has leases as soon as it has transactions. The epoch
//! grows each time the lease changes hands and never falls, also not after a release: whoever acts under
//! a lease writes its epoch beside its work, and a late owner is recognised by a smaller one. The instant
//! `now` is the caller's; two nodes with clocks far apart may both think that they hold a lease, and the
//! epoch, not the clock, decides whose write counts.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::contract::Store;
use crate::error::StoreError;
use crate::transaction::{Expect, Outcome, Transaction};

/// The longest name of a lease or an owner, in bytes.
pub const MAX_NAME_LEN: usize = 128;

/// Leases live under this prefix; no other record may.
pub const KEY_PREFIX: &[u8] = b"lease/";

/// How often a grant is tried again when another caller was faster.
const ATTEMPTS: usize = 8;

/// A lease as it stands in the store.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Lease {
    /// What is leased, such as `trail-export`.
    pub name: String,
    /// Who holds it.
    pub owner: String,
    /// Grows each time the lease changes hands; the first owner has 1.
    pub epoch: u64,
    /// The instant from which others may take it.
    pub expires: Timestamp,
}

/// Why a lease was not given.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LeaseError {
    /// Somebody else holds it.
    #[error("the lease `{}` is held by `{}` until {}", .0.name, .0.owner, .0.expires)]
    Held(Box<Lease>),
    /// The lease has run out, was released or has gone to another owner.
    #[error("the lease `{name}` of epoch {epoch} is no longer held")]
    Lost {
        /// The name of the lease.
        name: String,
        /// The epoch that the caller had.
        epoch: u64,
    },
    /// The name of the lease or of its owner is empty or too long.
    #[error("a lease and its owner need names of 1 to {MAX_NAME_LEN} bytes")]
    Name,
    /// The duration is not positive, or ends beyond the calendar.
    #[error("a lease needs a duration above zero that ends within the calendar")]
    Duration,
    /// The record in the store is not a lease.
    #[error("the record of the lease `{name}` cannot be read")]
    Unreadable {
        /// The name of the lease.
        name: String,
    },
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Takes the lease `name` for `owner` until `now + duration`. An owner that already holds it keeps its
/// epoch; a free, released or run-out lease changes hands with the next epoch.
pub fn grant(
    store: &dyn Store,
    name: &str,
    owner: &str,
    now: Timestamp,
    duration: SignedDuration,
) -> Result<Lease, LeaseError> {
    let key = key(name)?;
    if owner.is_empty() || owner.len() > MAX_NAME_LEN {
        return Err(LeaseError::Name);
    }
    let expires = end(now, duration)?;
    for _ in 0..ATTEMPTS {
        let found = read(store, name, &key)?;
        let (epoch, expect) = match &found {
            None => (1, Expect::Absent),
            Some((held, at)) if held.expires > now && held.owner == owner => {
                (held.epoch, Expect::At(*at))
            }
            Some((held, _)) if held.expires > now => {
                return Err(LeaseError::Held(Box::new(held.clone())));
            }
            Some((held, at)) => (held.epoch.saturating_add(1), Expect::At(*at)),
        };
        let lease = Lease { name: name.to_owned(), owner: owner.to_owned(), epoch, expires };
        if write(store, &key, &lease, expect)? {
            return Ok(lease);
        }
    }
    // Others were faster each time, so one of them holds it.
    match read(store, name, &key)? {
        Some((held, _)) => Err(LeaseError::Held(Box::new(held))),
        None => Err(LeaseError::Lost { name: name.to_owned(), epoch: 0 }),
    }
}

/// Extends a lease that is still held to `now + duration`. A lease that has run out is lost, also when
/// nobody has taken it since: work done in between may have been done under no lease.
pub fn renew(
    store: &dyn Store,
    lease: &Lease,
    now: Timestamp,
    duration: SignedDuration,
) -> Result<Lease, LeaseError> {
    let expires = end(now, duration)?;
    replace(store, lease, now, expires)
}

/// Gives a held lease back, so that others need not wait for its end. The record stays, for its epoch.
pub fn release(store: &dyn Store, lease: &Lease, now: Timestamp) -> Result<(), LeaseError> {
    replace(store, lease, now, now).map(drop)
}

/// The lease as it stands, also when it has run out.
pub fn current(store: &dyn Store, name: &str) -> Result<Option<Lease>, LeaseError> {
    let key = key(name)?;
    Ok(read(store, name, &key)?.map(|(lease, _)| lease))
}

fn replace(
    store: &dyn Store,
    lease: &Lease,
    now: Timestamp,
    expires: Timestamp,
) -> Result<Lease, LeaseError> {
    let lost = || LeaseError::Lost { name: lease.name.clone(), epoch: lease.epoch };
    let key = key(&lease.name)?;
    let Some((held, at)) = read(store, &lease.name, &key)? else { return Err(lost()) };
    if held.owner != lease.owner || held.epoch != lease.epoch || held.expires <= now {
        return Err(lost());
    }
    let renewed = Lease { expires, ..held };
    if write(store, &key, &renewed, Expect::At(at))? { Ok(renewed) } else { Err(lost()) }
}

fn key(name: &str) -> Result<Vec<u8>, LeaseError> {
    if name.is_empty() || name.len() > MAX_NAME_LEN {
        return Err(LeaseError::Name);
    }
    Ok([KEY_PREFIX, name.as_bytes()].concat())
}

fn end(now: Timestamp, duration: SignedDuration) -> Result<Timestamp, LeaseError> {
    if !duration.is_positive() {
        return Err(LeaseError::Duration);
    }
    now.checked_add(duration).map_err(|_| LeaseError::Duration)
}

fn read(
    store: &dyn Store,
    name: &str,
    key: &[u8],
) -> Result<Option<(Lease, crate::Revision)>, LeaseError> {
    let Some(entry) = store.get(key)? else { return Ok(None) };
    serde_json::from_slice(&entry.value)
        .map(|lease| Some((lease, entry.revision)))
        .map_err(|_| LeaseError::Unreadable { name: name.to_owned() })
}

fn write(store: &dyn Store, key: &[u8], lease: &Lease, expect: Expect) -> Result<bool, LeaseError> {
    let value = serde_json::to_vec(lease)
        .map_err(|_| LeaseError::Unreadable { name: lease.name.clone() })?;
    let transaction = Transaction::new().compare(key, expect).put(key, value);
    Ok(matches!(store.transact(transaction)?, Outcome::Committed(_)))
}
