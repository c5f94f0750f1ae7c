//! The request context: keys, without regard to case, and their values.
//!
//! All texts lie in one buffer, and a look-up is a run over the hashes of the keys. A request has a
//! dozen keys or two, so this beats a table; the many keys of an odd request cost a step each. A
//! context that is cleared and filled again allocates nothing.

use std::fmt;

use smallvec::SmallVec;

use crate::key::KeyName;
use crate::{ContextKey, Principal, fold, keys};

/// The context keys of one request.
///
/// The host that computes keys uses [`Context::set`] and its kin: they replace what is there.
/// Values from outside the trusted layer go in by [`Context::offer`], which takes no `aws:` key
/// and never replaces one that the host has set (KEY-9, threat C05).
#[derive(Clone, Default)]
pub struct Context {
    buffer: String,
    /// The values of keys that have several, but the first.
    more: Vec<Slice>,
    entries: Vec<Entry>,
    /// The hashes of the entries' keys, in the same order.
    hashes: Vec<u64>,
    /// One bit for each key that is there, by its hash: most keys that are set are new.
    seen: u64,
}

/// A key that only the host may set was offered from outside (KEY-9).
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the context key `{key}` cannot be set by a caller")]
pub struct ContextError {
    /// The key as it was offered.
    pub key: String,
}

/// A text in the buffer. Contexts are far smaller than 4 GiB; what lies beyond is not found.
#[derive(Clone, Copy)]
struct Slice {
    start: u32,
    end: u32,
}

/// A folded key.
#[derive(Clone, Copy)]
enum Folded {
    Known(&'static ContextKey),
    Pushed(Slice),
}

/// The values of one key.
#[derive(Clone, Copy)]
struct Run {
    first: Slice,
    /// Where the others begin among those that keys with several values have.
    more: u32,
    /// How many there are, the first one included.
    count: u32,
}

#[derive(Clone, Copy)]
struct Entry {
    key: Folded,
    values: Run,
    /// One word for all, for entries are written faster whole.
    flags: u32,
}

/// The key was declared multivalued when it was set, or came with two values or more (CO-9).
const IS_MULTIVALUED: u32 = 1;
/// Set by the host, not offered by a caller.
const IS_TRUSTED: u32 = 2;

/// The values of one key.
#[derive(Clone, Copy)]
pub(crate) struct Values<'a> {
    context: &'a Context,
    entry: Entry,
}

/// The context without keys, for patterns that have no variables.
pub(crate) static EMPTY: Context = Context {
    buffer: String::new(),
    more: Vec::new(),
    entries: Vec::new(),
    hashes: Vec::new(),
    seen: 0,
};

impl Context {
    /// An empty context.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty context with room for `keys` keys of usual length.
    pub fn with_capacity(keys: usize) -> Self {
        Self {
            buffer: String::with_capacity(keys * 32),
            more: Vec::new(),
            entries: Vec::with_capacity(keys),
            hashes: Vec::with_capacity(keys),
            seen: 0,
        }
    }

    /// Takes all keys away and keeps the room, for the next request.
    pub fn clear(&mut self) {
        self.buffer.clear();
        self.more.clear();
        self.entries.clear();
        self.hashes.clear();
        self.seen = 0;
    }

    /// With this key set to one value.
    #[must_use]
    pub fn set<'k>(mut self, key: impl Into<KeyName<'k>>, value: &str) -> Self {
        self.put(key, value);
        self
    }

    /// With this key set to a list of values. An empty list is an absent key (CO-3).
    #[must_use]
    pub fn set_list<'k, 'v>(
        mut self,
        key: impl Into<KeyName<'k>>,
        values: impl IntoIterator<Item = &'v str>,
    ) -> Self {
        self.put_list(key, values);
        self
    }

    /// With this key set to a list of values and declared multivalued, however many they are
    /// (KEY-8).
    #[must_use]
    pub fn set_multivalued<'k, 'v>(
        mut self,
        key: impl Into<KeyName<'k>>,
        values: impl IntoIterator<Item = &'v str>,
    ) -> Self {
        self.put_multivalued(key, values);
        self
    }

    /// Sets this key to one value.
    #[inline]
    pub fn put<'k>(&mut self, key: impl Into<KeyName<'k>>, value: &str) {
        let named = self.push_key(key.into());
        let start = self.here();
        self.buffer.push_str(value);
        self.file_one(named, start);
    }

    /// Sets this key to one value made of several texts, one after the other.
    fn put_parts<'k>(&mut self, key: impl Into<KeyName<'k>>, parts: &[&str]) {
        let named = self.push_key(key.into());
        let start = self.here();
        for part in parts {
            self.buffer.push_str(part);
        }
        self.file_one(named, start);
    }

    /// Enters a key whose only value was pushed from `start` on.
    #[inline]
    fn file_one(&mut self, named: Named, start: u32) {
        let values = Run { first: Slice { start, end: self.here() }, more: 0, count: 1 };
        self.file(named, values, IS_TRUSTED);
    }

    /// Sets this key to a list of values.
    pub fn put_list<'k, 'v>(
        &mut self,
        key: impl Into<KeyName<'k>>,
        values: impl IntoIterator<Item = &'v str>,
    ) {
        self.insert(key.into(), values, IS_TRUSTED);
    }

    /// Sets this key to a list of values and declares it multivalued.
    pub fn put_multivalued<'k, 'v>(
        &mut self,
        key: impl Into<KeyName<'k>>,
        values: impl IntoIterator<Item = &'v str>,
    ) {
        self.insert(key.into(), values, IS_TRUSTED | IS_MULTIVALUED);
    }

    /// Takes values that come from outside the trusted layer. Answers whether they were taken: a
    /// key that the host has set stays as it is.
    ///
    /// # Errors
    /// The key begins with `aws:`, in any case: only the host computes global keys (KEY-9).
    pub fn offer<'v>(
        &mut self,
        key: &str,
        values: impl IntoIterator<Item = &'v str>,
    ) -> Result<bool, ContextError> {
        // Keys are found folded, so the prefix is looked for in the folded key.
        let folded = fold::folded(key);
        if folded.starts_with("aws:") {
            return Err(ContextError { key: key.to_owned() });
        }
        let held = self.find_folded(&folded).is_some_and(|entry| entry.flags & IS_TRUSTED > 0);
        if !held {
            self.insert(KeyName::Text(key), values, 0);
        }
        Ok(!held)
    }

    /// Takes a key away.
    pub fn remove(&mut self, key: &str) {
        let folded = fold::folded(key);
        if let Some(at) = self.place(fold::hash(&folded), &folded) {
            self.entries.swap_remove(at);
            self.hashes.swap_remove(at);
        }
    }

    /// The values of a key, whatever its case; nothing if it is absent.
    pub fn values(&self, key: &str) -> impl Iterator<Item = &str> {
        let entry = self.find_folded(&fold::folded(key));
        entry.into_iter().flat_map(|entry| Values { context: self, entry }.iter())
    }

    /// Whether the key is there with at least one value.
    pub fn contains(&self, key: &str) -> bool {
        self.values(key).next().is_some()
    }

    /// The keys, folded, with their values, in no order that means anything.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Vec<&str>)> {
        self.entries.iter().map(|entry| {
            let values = Values { context: self, entry: *entry }.iter().collect();
            (self.key_text(entry.key), values)
        })
    }

    /// Sets the keys that follow from the caller alone: `aws:PrincipalArn`,
    /// `aws:PrincipalAccount`, `aws:PrincipalType`, `aws:userid`, `aws:username`,
    /// `aws:PrincipalIsAWSService` and the service names (section 12 of the rules).
    pub fn put_principal(&mut self, principal: &Principal) {
        let mut digits = [0; 12];
        let account = principal.account().map(|account| account.digits(&mut digits));
        if let Some(account) = account {
            self.put(keys::PRINCIPAL_ACCOUNT, account);
        }
        let account = account.unwrap_or_default();
        let service = matches!(principal, Principal::Service { .. });
        let service = if service { "true" } else { "false" };
        self.put(keys::PRINCIPAL_IS_AWS_SERVICE, service);
        match principal {
            Principal::Root { partition, .. } => {
                let arn = ["arn:", partition.as_str(), ":iam::", account, ":root"];
                self.put_parts(keys::PRINCIPAL_ARN, &arn);
                self.put(keys::PRINCIPAL_TYPE, "Account");
                self.put(keys::USER_ID, account);
            }
            Principal::User { arn, id, name, .. } => {
                self.put(keys::PRINCIPAL_ARN, arn);
                self.put(keys::PRINCIPAL_TYPE, "User");
                self.put(keys::USER_ID, id.as_str());
                self.put(keys::USERNAME, name);
            }
            Principal::Session { role_arn, role_id, session_name, .. } => {
                self.put(keys::PRINCIPAL_ARN, role_arn);
                self.put(keys::PRINCIPAL_TYPE, "AssumedRole");
                self.put_parts(keys::USER_ID, &[role_id.as_str(), ":", session_name]);
            }
            Principal::FederatedUser { arn, name, .. } => {
                self.put(keys::PRINCIPAL_ARN, arn);
                self.put(keys::PRINCIPAL_TYPE, "FederatedUser");
                self.put_parts(keys::USER_ID, &[account, ":", name]);
            }
            Principal::Role { arn, id, .. } => {
                self.put(keys::PRINCIPAL_ARN, arn);
                self.put(keys::PRINCIPAL_TYPE, "AssumedRole");
                self.put(keys::USER_ID, id.as_str());
            }
            Principal::Service { names } => {
                if let Some(name) = names.first() {
                    self.put(keys::PRINCIPAL_SERVICE_NAME, name);
                }
                let names = names.iter().map(AsRef::as_ref);
                self.put_list(keys::PRINCIPAL_SERVICE_NAMES_LIST, names);
            }
            Principal::Anonymous => {
                self.put(keys::PRINCIPAL_TYPE, "Anonymous");
                self.put(keys::USER_ID, "anonymous");
            }
            Principal::Federated { .. } => {}
        }
    }

    /// The values of a folded key with its hash, if it has any.
    pub(crate) fn lookup(&self, hash: u64, folded: &str) -> Option<Values<'_>> {
        let entry = *self.entries.get(self.place(hash, folded)?)?;
        (entry.values.count > 0).then_some(Values { context: self, entry })
    }

    fn find_folded(&self, folded: &str) -> Option<Entry> {
        self.lookup(fold::hash(folded), folded).map(|values| values.entry)
    }

    /// Where a key stands among the entries.
    fn place(&self, hash: u64, folded: &str) -> Option<usize> {
        if self.seen & bit(hash) == 0 {
            return None;
        }
        let same = self.hashes.iter().enumerate().filter(|(_, held)| **held == hash);
        let mut places = same.map(|(at, _)| at);
        places.find(|at| self.entries.get(*at).is_some_and(|e| self.key_text(e.key) == folded))
    }

    fn key_text(&self, key: Folded) -> &str {
        match key {
            Folded::Known(key) => key.folded,
            Folded::Pushed(slice) => text(&self.buffer, slice),
        }
    }

    fn insert<'v>(
        &mut self,
        key: KeyName<'_>,
        values: impl IntoIterator<Item = &'v str>,
        flags: u32,
    ) {
        let key = self.push_key(key);
        let more = u32::try_from(self.more.len()).unwrap_or(u32::MAX);
        let mut run = Run { first: Slice { start: 0, end: 0 }, more, count: 0 };
        for value in values {
            let start = self.here();
            self.buffer.push_str(value);
            let slice = Slice { start, end: self.here() };
            if run.count == 0 {
                run.first = slice;
            } else {
                self.more.push(slice);
            }
            run.count += 1;
        }
        self.file(key, run, if run.count > 1 { flags | IS_MULTIVALUED } else { flags });
    }

    #[inline]
    fn here(&self) -> u32 {
        u32::try_from(self.buffer.len()).unwrap_or(u32::MAX)
    }

    #[inline]
    fn push_key(&mut self, key: KeyName<'_>) -> Named {
        match key {
            KeyName::Known(key) => {
                let flags = if key.multivalued { IS_MULTIVALUED } else { 0 };
                Named { key: Folded::Known(key), hash: key.hash, flags }
            }
            KeyName::Text(key) => self.push_text(key),
        }
    }

    fn push_text(&mut self, key: &str) -> Named {
        let start = self.here();
        fold::push_folded(&mut self.buffer, key);
        let slice = Slice { start, end: self.here() };
        let hash = fold::hash(text(&self.buffer, slice));
        Named { key: Folded::Pushed(slice), hash, flags: 0 }
    }

    /// Enters a key with its values.
    #[inline]
    fn file(&mut self, named: Named, values: Run, flags: u32) {
        let entry = Entry { key: named.key, values, flags: flags | named.flags };
        if self.seen & bit(named.hash) == 0 {
            self.seen |= bit(named.hash);
            self.hashes.push(named.hash);
            self.entries.push(entry);
        } else {
            self.replace(named.hash, entry);
        }
    }

    /// Enters a key that may be there already.
    fn replace(&mut self, hash: u64, entry: Entry) {
        let place = self.place(hash, self.key_text(entry.key));
        if let Some(slot) = place.and_then(|at| self.entries.get_mut(at)) {
            *slot = entry;
        } else {
            self.hashes.push(hash);
            self.entries.push(entry);
        }
    }
}

/// A key on its way in.
#[derive(Clone, Copy)]
struct Named {
    key: Folded,
    hash: u64,
    flags: u32,
}

const fn bit(hash: u64) -> u64 {
    1 << (hash >> 58)
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<'a> Values<'a> {
    pub(crate) fn iter(self) -> impl Iterator<Item = &'a str> + Clone {
        let Run { first, more, count } = self.entry.values;
        let more = more as usize;
        let range = more..more + count.saturating_sub(1) as usize;
        let others = self.context.more.get(range).unwrap_or_default();
        let slices = (count > 0).then_some(first).into_iter().chain(others.iter().copied());
        slices.map(move |slice| text(&self.context.buffer, slice))
    }

    /// Whether the key was set as multivalued or came with two values or more (CO-9).
    pub(crate) fn is_multivalued(self) -> bool {
        self.entry.flags & IS_MULTIVALUED > 0
    }

    /// The value for a variable: the only one of a single-valued key (VAR-6).
    pub(crate) fn single(self) -> Option<&'a str> {
        if self.is_multivalued() { None } else { self.iter().next() }
    }

    /// All values, for an explanation.
    pub(crate) fn to_vec(self) -> SmallVec<[&'a str; 4]> {
        self.iter().collect()
    }
}

fn text(buffer: &str, slice: Slice) -> &str {
    buffer.get(slice.start as usize..slice.end as usize).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn co_2_keys_are_found_without_regard_to_case() {
        let context = Context::new().set("AWS:sourceIP", "1.2.3.4").set("aws:RequestTag/Ä", "x");
        assert_eq!(context.values("aws:SourceIp").collect::<Vec<_>>(), ["1.2.3.4"]);
        assert_eq!(context.values("AWS:REQUESTTAG/ä").collect::<Vec<_>>(), ["x"]);
        assert!(!context.contains("aws:SourceVpc"));
    }

    #[test]
    fn setting_again_replaces_and_an_empty_list_is_absent() {
        let context = Context::new().set("a:b", "1").set("A:B", "2").set_list("c:d", []);
        assert_eq!(context.values("a:b").collect::<Vec<_>>(), ["2"]);
        assert!(!context.contains("c:d"));
    }

    // KEY-9
    #[test]
    fn tm_c05_offered_keys_never_replace_the_hosts() {
        let mut context = Context::new().set("sts:ExternalId", "host").set("aws:SourceIp", "::1");
        assert!(context.offer("AWS:SourceIp", ["9.9.9.9"]).is_err());
        assert!(context.offer("Aws:NewKey", ["x"]).is_err());
        assert!(context.offer("aw\u{17f}:PrincipalOrgID", ["x"]).is_err(), "a long s folds to s");
        assert_eq!(context.offer("STS:externalid", ["evil"]), Ok(false));
        assert_eq!(context.offer("s3:prefix", ["p"]), Ok(true));
        assert_eq!(context.values("sts:ExternalId").collect::<Vec<_>>(), ["host"]);
        context.put("s3:prefix", "host");
        assert_eq!(context.values("s3:prefix").collect::<Vec<_>>(), ["host"]);
    }
}
