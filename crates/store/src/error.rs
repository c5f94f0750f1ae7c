//! What can go wrong with a store, told so that an operator knows which file and what to do.

use std::io;
use std::path::{Path, PathBuf};

use crate::transaction::{Revision, TransactionError};

/// Why a store refused. Nothing was written unless the error says otherwise.
///
/// The error can be cloned, because one failed commit answers every call that shared it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum StoreError {
    /// The transaction breaks a limit.
    #[error("invalid transaction: {0}")]
    Invalid(#[from] TransactionError),

    /// A write failed earlier, or the store was closed. The store takes no more writes; the process
    /// must be restarted, which opens the last state that is known to be on disk (I03).
    #[error("the store has stopped taking writes: {reason}")]
    Stopped {
        /// What happened.
        reason: String,
    },

    /// The change log no longer holds the changes asked for.
    #[error(
        "changes up to revision {floor} have been dropped from the change log; load a snapshot instead"
    )]
    Compacted {
        /// The newest revision whose change has been dropped. Tailing works from here on.
        floor: Revision,
    },

    /// A completion callback tried to wait for the store, which would wait for ever.
    #[error("a completion callback may not wait for a transaction; submit it instead")]
    WouldDeadlock,

    /// A file is not what was written.
    #[error(
        "`{path}` is damaged: {detail}; nothing was changed, restore the data directory from a backup"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        detail: String,
    },

    /// The data directory was written by a newer version of the program.
    #[error(
        "`{path}` has data format {found}, and this program knows formats up to {known}; start the newer version of the program that wrote it"
    )]
    NewerFormat {
        /// The file that names the format.
        path: PathBuf,
        /// The format it names.
        found: u32,
        /// The newest format known here.
        known: u32,
    },

    /// Another process has the data directory open.
    #[error(
        "`{path}` is in use by another process; stop it first, or choose another data directory"
    )]
    Locked {
        /// The file that is locked.
        path: PathBuf,
    },

    /// A file or directory may be reached by others on the host (L07).
    #[error(
        "`{path}` has mode {mode:04o} and others on this host may reach it; run `chmod {wanted:o} {path}` and start again"
    )]
    Permissions {
        /// The file or directory.
        path: PathBuf,
        /// The permission bits it has.
        mode: u32,
        /// The permission bits it must have.
        wanted: u32,
    },

    /// The master key does not belong to this data directory.
    #[error(
        "`{path}` was written under a master key that was not given; use the `master.key` or the setting it was created with"
    )]
    WrongKey {
        /// The file.
        path: PathBuf,
    },

    /// The operating system refused.
    #[error("`{path}`: {detail}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        detail: String,
    },
}

impl StoreError {
    /// An error of the operating system on `path`.
    pub(crate) fn io(path: &Path, error: &io::Error) -> Self {
        Self::Io { path: path.to_owned(), detail: error.to_string() }
    }

    /// A file with the wrong content.
    pub(crate) fn damaged(path: &Path, detail: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), detail: detail.into() }
    }

    /// A store that has stopped.
    pub(crate) fn stopped(reason: impl Into<String>) -> Self {
        Self::Stopped { reason: reason.into() }
    }
}
