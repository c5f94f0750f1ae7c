//! Signing keys: their derivation, and a bounded cache of derived ones.
//!
//! A derived key is good for one secret, day, region and service, and costs four HMACs. The cache is a fixed
//! table of [`KeyCache::CAPACITY`] places; a full set of places overwrites its oldest, so no caller can make it
//! grow. Only keys that have verified a signature are kept: a stranger who knows a key id, which is no secret,
//! cannot push out the keys of others by naming many regions. Places are found with a randomly keyed hash
//! (threat G03), and an entry counts only when the whole scope and the secret's fingerprint are equal.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use aws_lc_rs::hmac;
use parking_lot::RwLock;
use zeroize::Zeroize;

use super::credential::Credential;
use super::secret::SecretKey;

const SHARDS: usize = 64;
const SETS: usize = 16;
const WAYS: usize = 4;

/// A derived key. It neither prints nor leaves this module tree; the library clears it on drop.
pub(super) struct SigningKey(hmac::Key);

impl SigningKey {
    /// HMAC over HMAC over HMAC over HMAC: day, region, service, terminator.
    pub(super) fn derive(secret: &SecretKey, scope: &Credential) -> Self {
        let mut key = hmac::Key::new(hmac::HMAC_SHA256, secret.seed());
        for part in [scope.date(), scope.region(), scope.service(), Credential::TERMINATOR] {
            let mut step = sign(&key, part.as_bytes());
            key = hmac::Key::new(hmac::HMAC_SHA256, &step);
            step.zeroize();
        }
        Self(key)
    }

    /// The signature of a string to sign.
    pub(super) fn sign(&self, text: &[u8]) -> [u8; 32] {
        sign(&self.0, text)
    }
}

fn sign(key: &hmac::Key, text: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(hmac::sign(key, text).as_ref());
    out
}

/// Derived signing keys of recent callers, shared by all threads.
pub struct KeyCache {
    shards: Box<[RwLock<Shard>]>,
    hasher: RandomState,
    /// The latest day seen, as a number `YYYYMMDD`.
    newest: AtomicU32,
}

struct Shard {
    sets: Box<[Set]>,
}

#[derive(Default)]
struct Set {
    ways: [Option<Entry>; WAYS],
    /// The place to overwrite next.
    next: u8,
}

struct Entry {
    scope: Credential,
    fingerprint: [u8; 32],
    day: u32,
    key: Arc<SigningKey>,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.fingerprint.zeroize();
    }
}

impl Default for KeyCache {
    fn default() -> Self {
        Self::new()
    }
}

impl KeyCache {
    /// The number of derived keys that are kept at most.
    pub const CAPACITY: usize = SHARDS * SETS * WAYS;

    /// An empty cache.
    pub fn new() -> Self {
        let shard = || {
            let sets = std::iter::repeat_with(Set::default).take(SETS).collect();
            RwLock::new(Shard { sets })
        };
        Self {
            shards: std::iter::repeat_with(shard).take(SHARDS).collect(),
            hasher: RandomState::new(),
            newest: AtomicU32::new(0),
        }
    }

    /// The number of keys held now, at most [`Self::CAPACITY`].
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.read().entries().count()).sum()
    }

    /// Whether no key is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets every key.
    pub fn clear(&self) {
        for shard in &self.shards {
            shard.write().retain(|_| false);
        }
    }

    pub(super) fn get(&self, scope: &Credential, secret: &SecretKey) -> Option<Arc<SigningKey>> {
        let (shard, set) = self.place(scope, secret);
        let shard = self.shards.get(shard)?.read();
        let entry =
            shard.sets.get(set)?.ways.iter().flatten().find(|entry| entry.is(scope, secret))?;
        Some(Arc::clone(&entry.key))
    }

    /// Keeps a key that has verified a signature. When its day is a new one, keys of earlier days go.
    pub(super) fn put(&self, scope: &Credential, secret: &SecretKey, key: Arc<SigningKey>) {
        let day = scope.date().parse().unwrap_or(0);
        if self.newest.fetch_max(day, Ordering::Relaxed) < day {
            for shard in &self.shards {
                shard.write().retain(|entry| entry.day >= day);
            }
        }
        let (shard, set) = self.place(scope, secret);
        let Some(mut shard) = self.shards.get(shard).map(RwLock::write) else { return };
        let Some(set) = shard.sets.get_mut(set) else { return };
        if set.ways.iter().flatten().any(|entry| entry.is(scope, secret)) {
            return;
        }
        let at = usize::from(set.next) % WAYS;
        set.next = set.next.wrapping_add(1);
        if let Some(way) = set.ways.get_mut(at) {
            *way =
                Some(Entry { scope: scope.clone(), fingerprint: *secret.fingerprint(), day, key });
        }
    }

    fn place(&self, scope: &Credential, secret: &SecretKey) -> (usize, usize) {
        let hash = self.hasher.hash_one((scope.as_str(), secret.fingerprint()));
        let low = usize::try_from(hash & 0xffff).unwrap_or(0);
        (low % SHARDS, low / SHARDS % SETS)
    }
}

impl std::fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyCache").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl Shard {
    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.sets.iter().flat_map(|set| set.ways.iter().flatten())
    }

    fn retain(&mut self, keep: impl Fn(&Entry) -> bool) {
        for way in self.sets.iter_mut().flat_map(|set| &mut set.ways) {
            if way.as_ref().is_some_and(|entry| !keep(entry)) {
                *way = None;
            }
        }
    }
}

impl Entry {
    fn is(&self, scope: &Credential, secret: &SecretKey) -> bool {
        self.scope == *scope && self.fingerprint == *secret.fingerprint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(key_id: &str, day: &str) -> Credential {
        Credential::new(key_id, day, "us-east-1", "iam").unwrap()
    }

    fn fill(cache: &KeyCache, key_id: &str, day: &str, secret: &SecretKey) {
        let scope = scope(key_id, day);
        cache.put(&scope, secret, Arc::new(SigningKey::derive(secret, &scope)));
    }

    #[test]
    fn a_key_is_found_under_its_whole_scope_and_secret_only() {
        let cache = KeyCache::new();
        let [secret, other] = ["one", "two"].map(|s| SecretKey::new(s).unwrap());
        fill(&cache, "AKID", "20260101", &secret);
        assert!(cache.get(&scope("AKID", "20260101"), &secret).is_some());
        assert!(cache.get(&scope("AKID", "20260101"), &other).is_none());
        assert!(cache.get(&scope("AKIE", "20260101"), &secret).is_none());
        assert!(cache.get(&scope("AKID", "20260102"), &secret).is_none());
        fill(&cache, "AKID", "20260101", &secret);
        assert_eq!(cache.len(), 1);
        cache.clear();
        assert!(cache.is_empty());
    }

    #[test]
    fn tm_g07_the_cache_is_bounded_and_forgets_old_days() {
        let cache = KeyCache::new();
        let secret = SecretKey::new("secret").unwrap();
        for n in 0..2 * KeyCache::CAPACITY {
            fill(&cache, &format!("AKID{n}"), "20260101", &secret);
        }
        assert!(cache.len() <= KeyCache::CAPACITY);
        assert!(cache.len() > KeyCache::CAPACITY / 2);
        fill(&cache, "AKID", "20260102", &secret);
        assert_eq!(cache.len(), 1);
    }
}
