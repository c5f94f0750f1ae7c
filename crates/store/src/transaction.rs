//! What a caller asks of a store and what it gets back: revisions, compares, writes, entries, changes.
//!
//! Everything is bytes. The limits keep one call from filling memory or the change log (G07, G09); a
//! larger document is cut into chunks by the room that owns its meaning.

use std::collections::HashSet;
use std::fmt;

/// The longest key, in bytes.
pub const MAX_KEY_LEN: usize = 1024;

/// The longest value, in bytes.
pub const MAX_VALUE_LEN: usize = 1024 * 1024;

/// The largest number of compares, puts and deletes together in one transaction.
pub const MAX_TRANSACTION_KEYS: usize = 16_384;

/// The largest sum of key and value bytes in one transaction.
pub const MAX_TRANSACTION_BYTES: usize = 16 * 1024 * 1024;

/// The count of transactions that a store has committed. 0 is the empty store; each committed
/// transaction that writes gets the next number, without gaps.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Revision(pub u64);

impl Revision {
    /// The revision of the transaction after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a compare demands of a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Expect {
    /// The key holds no value.
    Absent,
    /// The key holds some value.
    Present,
    /// The key holds the value that this revision put there.
    At(Revision),
}

impl Expect {
    /// Whether a key last written at `found` (`None`: it holds nothing) meets the demand.
    pub fn holds(self, found: Option<Revision>) -> bool {
        match self {
            Self::Absent => found.is_none(),
            Self::Present => found.is_some(),
            Self::At(revision) => found == Some(revision),
        }
    }
}

/// Compares and writes that happen together or not at all.
///
/// All compares look at the state before the transaction. A transaction without puts and deletes
/// only compares: it takes no revision and leaves no change.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Transaction {
    /// Keys with what is demanded of each; the first that does not hold is named in the conflict.
    pub compares: Vec<(Vec<u8>, Expect)>,
    /// Keys with their new values.
    pub puts: Vec<(Vec<u8>, Vec<u8>)>,
    /// Keys to remove; removing an absent key does nothing.
    pub deletes: Vec<Vec<u8>>,
}

impl Transaction {
    /// A transaction that demands and writes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a compare.
    #[must_use]
    pub fn compare(mut self, key: impl Into<Vec<u8>>, expect: Expect) -> Self {
        self.compares.push((key.into(), expect));
        self
    }

    /// Adds a put.
    #[must_use]
    pub fn put(mut self, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        self.puts.push((key.into(), value.into()));
        self
    }

    /// Adds a delete.
    #[must_use]
    pub fn delete(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.deletes.push(key.into());
        self
    }

    /// Adds a put that needs the key to hold nothing: of several at once, one wins (I05).
    #[must_use]
    pub fn create(self, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        let key = key.into();
        self.compare(key.clone(), Expect::Absent).put(key, value)
    }

    /// Whether the transaction writes anything.
    pub fn writes(&self) -> bool {
        !self.puts.is_empty() || !self.deletes.is_empty()
    }

    /// The sum of the bytes of all keys and values.
    pub fn byte_len(&self) -> usize {
        let compares = self.compares.iter().map(|(key, _)| key.len());
        let puts = self.puts.iter().map(|(key, value)| key.len().saturating_add(value.len()));
        let deletes = self.deletes.iter().map(Vec::len);
        compares.chain(puts).chain(deletes).fold(0, usize::saturating_add)
    }

    /// Checks the limits, and that no key is written twice.
    pub fn check(&self) -> Result<(), TransactionError> {
        let count = self.compares.len() + self.puts.len() + self.deletes.len();
        if count > MAX_TRANSACTION_KEYS {
            return Err(TransactionError::TooManyKeys { count });
        }
        let bytes = self.byte_len();
        if bytes > MAX_TRANSACTION_BYTES {
            return Err(TransactionError::TooLarge { bytes });
        }
        let compared = self.compares.iter().map(|(key, _)| key);
        let written = || self.puts.iter().map(|(key, _)| key).chain(&self.deletes);
        for key in compared.chain(written()) {
            match key.len() {
                0 => return Err(TransactionError::EmptyKey),
                1..=MAX_KEY_LEN => {}
                len => return Err(TransactionError::KeyTooLong { len }),
            }
        }
        if let Some(len) =
            self.puts.iter().map(|(_, value)| value.len()).find(|len| *len > MAX_VALUE_LEN)
        {
            return Err(TransactionError::ValueTooLong { len });
        }
        let mut seen = HashSet::with_capacity(self.puts.len() + self.deletes.len());
        match written().find(|key| !seen.insert(key.as_slice())) {
            Some(_) => Err(TransactionError::KeyWrittenTwice),
            None => Ok(()),
        }
    }
}

/// Why a transaction was refused before it was tried.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TransactionError {
    /// A key has no bytes.
    #[error("a key is empty")]
    EmptyKey,
    /// A key is longer than [`MAX_KEY_LEN`].
    #[error("a key of {len} bytes is longer than {MAX_KEY_LEN}")]
    KeyTooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// A value is longer than [`MAX_VALUE_LEN`].
    #[error("a value of {len} bytes is longer than {MAX_VALUE_LEN}")]
    ValueTooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// There are more compares, puts and deletes than [`MAX_TRANSACTION_KEYS`].
    #[error("a transaction of {count} keys has more than {MAX_TRANSACTION_KEYS}")]
    TooManyKeys {
        /// How many there are.
        count: usize,
    },
    /// Keys and values together are larger than [`MAX_TRANSACTION_BYTES`].
    #[error("a transaction of {bytes} bytes is larger than {MAX_TRANSACTION_BYTES}")]
    TooLarge {
        /// Their sum in bytes.
        bytes: usize,
    },
    /// A key is put twice, deleted twice, or put and deleted.
    #[error("a transaction writes one key twice")]
    KeyWrittenTwice,
}

/// How a transaction ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// It is durable. A transaction that wrote nothing carries the revision it was compared at.
    Committed(Revision),
    /// A compare did not hold; nothing was written.
    Conflict {
        /// The key of the first compare that did not hold.
        key: Vec<u8>,
    },
}

/// A key with its value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: Vec<u8>,
    /// The value.
    pub value: Vec<u8>,
    /// The transaction that put this value; what [`Expect::At`] compares with.
    pub revision: Revision,
}

/// What one committed transaction wrote.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Change {
    /// The revision the transaction got.
    pub revision: Revision,
    /// Its puts, in the transaction's order.
    pub puts: Vec<(Vec<u8>, Vec<u8>)>,
    /// Its deletes, in the transaction's order.
    pub deletes: Vec<Vec<u8>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expectations() {
        let one = Revision(1);
        for (expect, found, holds) in [
            (Expect::Absent, None, true),
            (Expect::Absent, Some(one), false),
            (Expect::Present, None, false),
            (Expect::Present, Some(one), true),
            (Expect::At(one), Some(one), true),
            (Expect::At(one), Some(Revision(2)), false),
            (Expect::At(one), None, false),
        ] {
            assert_eq!(expect.holds(found), holds, "{expect:?} {found:?}");
        }
    }

    #[test]
    fn limits() {
        let long = vec![b'k'; MAX_KEY_LEN + 1];
        let big = vec![0; MAX_VALUE_LEN + 1];
        for (transaction, expected) in [
            (Transaction::new(), Ok(())),
            (Transaction::new().put("a", "1").delete("b"), Ok(())),
            (Transaction::new().create("a", "1"), Ok(())),
            (Transaction::new().put("", "1"), Err(TransactionError::EmptyKey)),
            (
                Transaction::new().compare(long.clone(), Expect::Absent),
                Err(TransactionError::KeyTooLong { len: long.len() }),
            ),
            (
                Transaction::new().put("a", big.clone()),
                Err(TransactionError::ValueTooLong { len: big.len() }),
            ),
            (Transaction::new().put("a", "1").delete("a"), Err(TransactionError::KeyWrittenTwice)),
            (
                Transaction {
                    deletes: vec![vec![1]; MAX_TRANSACTION_KEYS + 1],
                    ..Default::default()
                },
                Err(TransactionError::TooManyKeys { count: MAX_TRANSACTION_KEYS + 1 }),
            ),
        ] {
            assert_eq!(transaction.check(), expected);
        }
    }
}
