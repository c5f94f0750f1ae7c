//! The small files beside the state: `FORMAT`, which names the data format, `LOCK`, which keeps a second
//! process out, and `state.head`, which remembers how far the state had come.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::records::{RecordKey, Tag};
use crate::error::StoreError;
use crate::permissions;
use crate::transaction::Revision;

/// The data format that this program writes, and the newest that it reads (I09).
pub const DATA_FORMAT: u32 = 1;

/// The longest `FORMAT` file that is read, in bytes.
const MAX_FORMAT_LEN: u64 = 4096;

/// What the `FORMAT` file says. The same stands inside the state, so that a lost file can be written anew and
/// files of two stores cannot be mixed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Format {
    /// The data format.
    pub format: u32,
    /// The random id of the store, as 32 hexadecimal digits.
    pub store_id: String,
    /// When the store was created.
    pub created: Timestamp,
}

/// Only the version, which every later format keeps in the same place.
#[derive(Deserialize)]
struct FormatNumber {
    format: u32,
}

impl Format {
    /// Reads what [`Format::to_text`] wrote. `path` is for messages.
    pub(super) fn parse(path: &Path, text: &[u8]) -> Result<Self, StoreError> {
        let unreadable = |_| StoreError::damaged(path, "it does not name a data format");
        let FormatNumber { format } = serde_json::from_slice(text).map_err(unreadable)?;
        if format > DATA_FORMAT {
            return Err(StoreError::NewerFormat {
                path: path.to_owned(),
                found: format,
                known: DATA_FORMAT,
            });
        }
        if format == 0 {
            return Err(StoreError::damaged(path, "it names data format 0"));
        }
        serde_json::from_slice(text).map_err(unreadable)
    }

    /// The file, or `None` when there is none.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, StoreError> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::io(path, &error)),
        };
        permissions::check_file(path)?;
        let mut text = Vec::new();
        file.take(MAX_FORMAT_LEN)
            .read_to_end(&mut text)
            .map_err(|error| StoreError::io(path, &error))?;
        Self::parse(path, &text).map(Some)
    }

    /// One line of JSON.
    pub(super) fn to_text(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec(self).unwrap_or_default();
        text.push(b'\n');
        text
    }
}

/// Keeps the data directory for this process, until dropped.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    pub(super) fn take(path: &Path) -> Result<Self, StoreError> {
        let file = permissions::private_options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(|error| StoreError::io(path, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path: path.to_owned() }),
            Err(TryLockError::Error(error)) => Err(StoreError::io(path, &error)),
        }
    }
}

/// The largest revision that the state is known to have had.
///
/// It is written after each commit and not synced: after a crash it may lag behind the state, which means
/// nothing, but a state that lags behind it has lost acknowledged transactions, by a damaged file header or
/// by an older file put in its place (I04, I08).
#[derive(Debug)]
pub(super) struct Head {
    path: PathBuf,
    file: Mutex<File>,
}

/// Revision, then tag.
const HEAD_LEN: usize = 24;

impl Head {
    /// Opens the file and checks `revision` against it; makes it when there is none.
    pub(super) fn open(
        path: &Path,
        key: &RecordKey,
        revision: Revision,
        state: &Path,
    ) -> Result<Self, StoreError> {
        let fail = |error| StoreError::io(path, &error);
        let mut options = permissions::private_options();
        options.read(true).write(true);
        match options.open(path) {
            Ok(mut file) => {
                permissions::check_file(path)?;
                let mut found = Vec::new();
                Read::by_ref(&mut file)
                    .take(HEAD_LEN as u64 + 1)
                    .read_to_end(&mut found)
                    .map_err(fail)?;
                let known = decode(&found, key).ok_or_else(|| {
                    StoreError::damaged(
                        path,
                        "it does not name the last revision; if no other file is damaged, remove it",
                    )
                })?;
                if known > revision {
                    return Err(StoreError::damaged(
                        state,
                        format!(
                            "it is at revision {revision} and has been at {known}; to go on without \
                             what came after, remove `{}`",
                            path.display()
                        ),
                    ));
                }
                Ok(Self { path: path.to_owned(), file: Mutex::new(file) })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                permissions::write_private_file(path, &encode(revision, key))?;
                let file = options.open(path).map_err(fail)?;
                Ok(Self { path: path.to_owned(), file: Mutex::new(file) })
            }
            Err(error) => Err(fail(error)),
        }
    }

    /// Remembers a revision that is durable.
    pub(super) fn advance(&self, revision: Revision, key: &RecordKey) -> Result<(), StoreError> {
        let mut file = self.file.lock();
        file.seek(SeekFrom::Start(0))
            .and_then(|_| file.write_all(&encode(revision, key)))
            .map_err(|error| StoreError::io(&self.path, &error))
    }
}

fn encode(revision: Revision, key: &RecordKey) -> Vec<u8> {
    [&revision.0.to_le_bytes()[..], &key.head_tag(revision)].concat()
}

fn decode(found: &[u8], key: &RecordKey) -> Option<Revision> {
    let (revision, tag) = found.split_first_chunk()?;
    let revision = Revision(u64::from_le_bytes(*revision));
    let expected: Tag = key.head_tag(revision);
    (tag == expected).then_some(revision)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tm_i09_formats() {
        let path = Path::new("FORMAT");
        let format = Format {
            format: DATA_FORMAT,
            store_id: "00".repeat(16),
            created: Timestamp::UNIX_EPOCH,
        };
        assert_eq!(Format::parse(path, &format.to_text()), Ok(format));
        let newer = Format::parse(path, br#"{"format":2,"something":"else"}"#);
        assert_eq!(
            newer,
            Err(StoreError::NewerFormat { path: path.to_owned(), found: 2, known: 1 })
        );
        for text in [&b""[..], b"{}", b"\0\0", br#"{"format":0}"#, br#"{"format":-1}"#, b"[1]"] {
            let found = Format::parse(path, text);
            assert!(matches!(found, Err(StoreError::Damaged { .. })), "{found:?}");
        }
    }
}
