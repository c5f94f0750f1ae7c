//! The request context: keys, without regard to case, and their values.
//!
//! All texts lie in one buffer and the entries are sorted by a hash of the folded key, so that
//! building one costs two or three allocations and a look-up a short binary search.

use std::fmt::{self, Write as _};

use smallvec::SmallVec;

use crate::{Principal, fold};

/// The context keys of one request.
///
/// The host that computes keys uses [`Context::set`] and its kin: they replace what is there.
/// Values from outside the trusted layer go in by [`Context::offer`], which takes no `aws:` key
/// and never replaces one that the host has set (KEY-9, threat C05).
#[derive(Clone, Default)]
pub struct Context {
    buffer: String,
    values: Vec<Slice>,
    /// Sorted by hash.
    entries: Vec<Entry>,
}

/// A key that only the host may set was offered from outside (KEY-9).
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the context key `{key}` cannot be set by a caller")]
pub struct ContextError {
    /// The key as it was offered.
    pub key: String,
}

/// The multivalued global keys (KEY-1 to KEY-5) and those of IAM and STS, folded. Other keys are
/// declared by [`Context::set_multivalued`], or told by their count (CO-9).
const MULTIVALUED: [&str; 12] = [
    "aws:calledvia",
    "aws:principalorgpaths",
    "aws:principalservicenameslist",
    "aws:resourceorgpaths",
    "aws:sourceorgpaths",
    "aws:tagkeys",
    "aws:vpceorgpaths",
    "cognito-identity.amazonaws.com:amr",
    "saml:edupersonaffiliation",
    "saml:edupersonorgdn",
    "sts:requestcontextproviders",
    "sts:transitivetagkeys",
];

/// A text in the buffer. Contexts are far smaller than 4 GiB; what lies beyond is not found.
#[derive(Clone, Copy)]
struct Slice {
    start: u32,
    end: u32,
}

#[derive(Clone, Copy)]
struct Entry {
    hash: u64,
    /// The folded key.
    key: Slice,
    first_value: u32,
    count: u32,
    multivalued: bool,
    /// Set by the host, not offered by a caller.
    trusted: bool,
}

/// The values of one key.
#[derive(Clone, Copy)]
pub(crate) struct Values<'a> {
    context: &'a Context,
    entry: Entry,
}

/// The context without keys, for patterns that have no variables.
pub(crate) static EMPTY: Context =
    Context { buffer: String::new(), values: Vec::new(), entries: Vec::new() };

impl Context {
    /// An empty context.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty context with room for `keys` keys of usual length.
    pub fn with_capacity(keys: usize) -> Self {
        Self {
            buffer: String::with_capacity(keys * 48),
            values: Vec::with_capacity(keys + 4),
            entries: Vec::with_capacity(keys),
        }
    }

    /// With this key set to one value.
    #[must_use]
    pub fn set(mut self, key: &str, value: &str) -> Self {
        self.put(key, value);
        self
    }

    /// With this key set to a list of values. An empty list is an absent key (CO-3).
    #[must_use]
    pub fn set_list<'v>(mut self, key: &str, values: impl IntoIterator<Item = &'v str>) -> Self {
        self.put_list(key, values);
        self
    }

    /// With this key set to a list of values and declared multivalued, however many they are
    /// (KEY-8).
    #[must_use]
    pub fn set_multivalued<'v>(
        mut self,
        key: &str,
        values: impl IntoIterator<Item = &'v str>,
    ) -> Self {
        self.insert(key, values, true, true);
        self
    }

    /// Sets this key to one value.
    pub fn put(&mut self, key: &str, value: &str) {
        self.insert(key, [value], false, true);
    }

    /// Sets this key to a list of values.
    pub fn put_list<'v>(&mut self, key: &str, values: impl IntoIterator<Item = &'v str>) {
        self.insert(key, values, false, true);
    }

    /// Sets this key to a list of values and declares it multivalued.
    pub fn put_multivalued<'v>(&mut self, key: &str, values: impl IntoIterator<Item = &'v str>) {
        self.insert(key, values, true, true);
    }

    /// Sets this key to one value, printed in place.
    fn put_display(&mut self, key: &str, value: impl fmt::Display) {
        let slice = self.push_key(key);
        let start = self.here();
        // Writing to a string cannot fail.
        let _ = write!(self.buffer, "{value}");
        let value = Slice { start, end: self.here() };
        self.values.push(value);
        self.file(slice, 1, false, true);
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
        if key.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("aws:")) {
            return Err(ContextError { key: key.to_owned() });
        }
        let held = self.find_folded(&fold::folded(key)).is_some_and(|entry| entry.trusted);
        if !held {
            self.insert(key, values, false, false);
        }
        Ok(!held)
    }

    /// Takes a key away.
    pub fn remove(&mut self, key: &str) {
        let folded = fold::folded(key);
        let hash = fold::hash(&folded);
        let buffer = &self.buffer;
        self.entries.retain(|entry| entry.hash != hash || text(buffer, entry.key) != folded);
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
            (text(&self.buffer, entry.key), values)
        })
    }

    /// Sets the keys that follow from the caller alone: `aws:PrincipalArn`,
    /// `aws:PrincipalAccount`, `aws:PrincipalType`, `aws:userid`, `aws:username`,
    /// `aws:PrincipalIsAWSService` and the service names (section 12 of the rules).
    pub fn put_principal(&mut self, principal: &Principal) {
        if let Some(account) = principal.account() {
            self.put_display("aws:PrincipalAccount", account);
        }
        let service = matches!(principal, Principal::Service { .. });
        self.put("aws:PrincipalIsAWSService", if service { "true" } else { "false" });
        match principal {
            Principal::Root { account, .. } => {
                self.put("aws:PrincipalArn", &principal.describe());
                self.put("aws:PrincipalType", "Account");
                self.put_display("aws:userid", account);
            }
            Principal::User { arn, id, name, .. } => {
                self.put("aws:PrincipalArn", arn);
                self.put("aws:PrincipalType", "User");
                self.put("aws:userid", id.as_str());
                self.put("aws:username", name);
            }
            Principal::Session { role_arn, role_id, session_name, .. } => {
                self.put("aws:PrincipalArn", role_arn);
                self.put("aws:PrincipalType", "AssumedRole");
                self.put_display("aws:userid", format_args!("{role_id}:{session_name}"));
            }
            Principal::FederatedUser { arn, name, account, .. } => {
                self.put("aws:PrincipalArn", arn);
                self.put("aws:PrincipalType", "FederatedUser");
                self.put_display("aws:userid", format_args!("{account}:{name}"));
            }
            Principal::Role { arn, id, .. } => {
                self.put("aws:PrincipalArn", arn);
                self.put("aws:PrincipalType", "AssumedRole");
                self.put("aws:userid", id.as_str());
            }
            Principal::Service { names } => {
                if let Some(name) = names.first() {
                    self.put("aws:PrincipalServiceName", name);
                }
                self.put_list("aws:PrincipalServiceNamesList", names.iter().map(AsRef::as_ref));
            }
            Principal::Anonymous => {
                self.put("aws:PrincipalType", "Anonymous");
                self.put("aws:userid", "anonymous");
            }
            Principal::Federated { .. } => {}
        }
    }

    /// The values of a folded key with its hash, if it has any.
    pub(crate) fn lookup(&self, hash: u64, folded: &str) -> Option<Values<'_>> {
        let from = self.entries.partition_point(|entry| entry.hash < hash);
        let same = self.entries.get(from..)?.iter().take_while(|entry| entry.hash == hash);
        let mut found = same.filter(|entry| text(&self.buffer, entry.key) == folded);
        let entry = *found.next()?;
        (entry.count > 0).then_some(Values { context: self, entry })
    }

    fn find_folded(&self, folded: &str) -> Option<Entry> {
        self.lookup(fold::hash(folded), folded).map(|values| values.entry)
    }

    fn insert<'v>(
        &mut self,
        key: &str,
        values: impl IntoIterator<Item = &'v str>,
        multivalued: bool,
        trusted: bool,
    ) {
        let key = self.push_key(key);
        let mut count = 0;
        for value in values {
            let start = self.here();
            self.buffer.push_str(value);
            let end = self.here();
            self.values.push(Slice { start, end });
            count += 1;
        }
        self.file(key, count, multivalued, trusted);
    }

    fn here(&self) -> u32 {
        u32::try_from(self.buffer.len()).unwrap_or(u32::MAX)
    }

    fn push_key(&mut self, key: &str) -> Slice {
        let start = self.here();
        fold::push_folded(&mut self.buffer, key);
        Slice { start, end: self.here() }
    }

    /// Enters a key whose values, so many, were pushed last.
    fn file(&mut self, key: Slice, count: u32, multivalued: bool, trusted: bool) {
        let first_value = u32::try_from(self.values.len()).unwrap_or(u32::MAX) - count;
        let folded = text(&self.buffer, key);
        let hash = fold::hash(folded);
        let multivalued =
            multivalued || count > 1 || (MULTIVALUED.contains(&folded) || is_amr(folded));
        let entry = Entry { hash, key, first_value, count, multivalued, trusted };
        let from = self.entries.partition_point(|held| held.hash < hash);
        let mut at = from;
        while let Some(held) = self.entries.get(at).filter(|held| held.hash == hash) {
            if text(&self.buffer, held.key) == folded {
                if let Some(slot) = self.entries.get_mut(at) {
                    *slot = entry;
                }
                return;
            }
            at += 1;
        }
        self.entries.insert(at, entry);
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<'a> Values<'a> {
    pub(crate) fn iter(self) -> impl Iterator<Item = &'a str> + Clone {
        let first = self.entry.first_value as usize;
        let range = first..first + self.entry.count as usize;
        let slices = self.context.values.get(range).unwrap_or_default();
        slices.iter().map(move |slice| text(&self.context.buffer, *slice))
    }

    /// Whether the key is declared multivalued or came with two values or more (CO-9).
    pub(crate) fn is_multivalued(self) -> bool {
        self.entry.multivalued
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

/// The `amr` claim of any OIDC issuer is a list.
fn is_amr(folded: &str) -> bool {
    folded.ends_with(":amr")
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
        assert_eq!(context.offer("STS:externalid", ["evil"]), Ok(false));
        assert_eq!(context.offer("s3:prefix", ["p"]), Ok(true));
        assert_eq!(context.values("sts:ExternalId").collect::<Vec<_>>(), ["host"]);
        context.put("s3:prefix", "host");
        assert_eq!(context.values("s3:prefix").collect::<Vec<_>>(), ["host"]);
    }
}
