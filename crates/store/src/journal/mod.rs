//! The journal: the events of each account in the order in which they happened, one line of JSON each.
//!
//! On disk an account's events stand in segments, `DIR/<account>/<sequence>.jsonl`, which are only ever
//! appended to. One append is one write, so that a line is there as a whole or not at all when the
//! process is killed; a power loss may cost what was appended since the last [`Journal::sync`], at most
//! about a second with the [`Syncer`] running. A line torn by a power loss is cut off and kept aside.
//!
//! The journal does not look into lines, with one exception: a line that starts with `{"revision":N` is the
//! event of the store's transaction N, and [`Journal::last_exported_revision`] finds the newest of them.
//! What the digests over segments are, and where segments go, is the business of the rooms above.

mod files;
mod lines;
mod memory;
mod segment;
mod syncer;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::error::StoreError;
use crate::transaction::Revision;

pub use self::lines::Lines;
pub use self::segment::SegmentInfo;
pub use self::syncer::Syncer;

/// The longest line, without its line feed, in bytes.
pub const MAX_LINE_LEN: usize = 1024 * 1024;

/// The most bytes in one append.
pub const MAX_APPEND_LEN: usize = 4 * 1024 * 1024;

/// The length at which a segment ends, in bytes.
pub const MAX_SEGMENT_LEN: u64 = 64 * 1024 * 1024;

/// How long a segment stays open, in seconds, counted from the first [`Journal::roll_due`] that sees it.
pub const MAX_SEGMENT_SECONDS: i64 = 300;

/// How many lines of an account a journal in memory keeps unless told otherwise.
pub const DEFAULT_MEMORY_LINES: usize = 100_000;

/// The journals of all accounts of a server.
pub struct Journal(Kind);

enum Kind {
    Files(files::Files),
    Memory(memory::Memory),
}

/// The place of a line. Cursors of one account are ordered as its lines are; the numbers mean nothing else
/// to a caller.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Cursor {
    /// The sequence number of the segment, from 1.
    pub segment: u64,
    /// The offset of the line's first byte.
    pub offset: u64,
}

/// A line that was read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Line {
    /// Where it starts. Reading backward from here gives the lines before it.
    pub cursor: Cursor,
    /// Where the line after it starts. Reading forward from here goes on.
    pub next: Cursor,
    /// The line, without its line feed.
    pub bytes: Vec<u8>,
}

/// Why the journal refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum JournalError {
    /// A write could not be undone or a sync failed. Nothing more is appended by this process (I03).
    #[error("the journal has stopped: {reason}")]
    Stopped {
        /// What happened.
        reason: String,
    },
    /// An account name is not 1 to 64 letters, digits, `-` and `_`, so that it is no safe directory name.
    #[error("an account of the journal needs a name of 1 to 64 letters, digits, `-` and `_`")]
    Account,
    /// The bytes to append are not whole lines within the limits.
    #[error("the lines to append are not well formed: {0}")]
    Lines(&'static str),
    /// A cursor does not name the start of a line.
    #[error("the cursor `{0}` does not name a line of this journal")]
    Cursor(Cursor),
    /// A segment holds something that was not appended.
    #[error("`{path}` is damaged at offset {offset}")]
    Damaged {
        /// The segment.
        path: PathBuf,
        /// Where in it.
        offset: u64,
    },
    /// A file or directory cannot be used.
    #[error(transparent)]
    File(#[from] StoreError),
}

impl Journal {
    /// Opens the journals below a directory, which is made private when it does not exist, and is refused
    /// when others may enter it (L07).
    pub fn open(directory: &Path) -> Result<Self, JournalError> {
        files::Files::open(directory, MAX_SEGMENT_LEN).map(|files| Self(Kind::Files(files)))
    }

    /// A journal that keeps nothing on disk and at most `max_lines` lines of each account. Older lines are
    /// dropped and counted: see [`Journal::dropped`].
    pub fn in_memory(max_lines: usize) -> Self {
        Self(Kind::Memory(memory::Memory::new(max_lines)))
    }

    /// Appends one or more whole lines, each ended by a line feed, and returns where the first begins. They
    /// are in the system's hands when this returns, and on disk after the next [`Journal::sync`].
    ///
    /// On an error nothing was appended.
    pub fn append(&self, account: &str, lines: &[u8]) -> Result<Cursor, JournalError> {
        check_account(account)?;
        check_lines(lines)?;
        match &self.0 {
            Kind::Files(files) => files.append(account, lines),
            Kind::Memory(memory) => Ok(memory.append(account, lines)),
        }
    }

    /// Makes everything appended so far durable.
    pub fn sync(&self) -> Result<(), JournalError> {
        match &self.0 {
            Kind::Files(files) => files.sync(),
            Kind::Memory(_) => Ok(()),
        }
    }

    /// Ends the segments that have been open for five minutes, so that an idle account's events move on as
    /// well; called every few seconds. Returns what was ended.
    pub fn roll_due(&self, now: Timestamp) -> Result<Vec<(String, u64)>, JournalError> {
        match &self.0 {
            Kind::Files(files) => files.roll_due(now),
            Kind::Memory(_) => Ok(Vec::new()),
        }
    }

    /// The lines of an account from a cursor on (`None`: from its first line), oldest first, up to the last
    /// that was there when this was called.
    pub fn forward(&self, account: &str, from: Option<Cursor>) -> Result<Lines, JournalError> {
        check_account(account)?;
        match &self.0 {
            Kind::Files(files) => Lines::forward(files.segments(account)?, from),
            Kind::Memory(memory) => Ok(memory.forward(account, from)),
        }
    }

    /// The lines of an account that stand before a cursor (`None`: all that are there when this is called),
    /// newest first.
    pub fn backward(&self, account: &str, before: Option<Cursor>) -> Result<Lines, JournalError> {
        check_account(account)?;
        match &self.0 {
            Kind::Files(files) => Lines::backward(files.segments(account)?, before),
            Kind::Memory(memory) => Ok(memory.backward(account, before)),
        }
    }

    /// The largest N of the lines that start with `{"revision":N`, or `None` when there is none. Of the
    /// segments, the newest one that has such a line is looked at.
    pub fn last_exported_revision(&self, account: &str) -> Result<Option<Revision>, JournalError> {
        check_account(account)?;
        match &self.0 {
            Kind::Files(files) => files.last_revision(account),
            Kind::Memory(memory) => Ok(memory.last_revision(account)),
        }
    }

    /// The accounts that have a journal, in order.
    pub fn accounts(&self) -> Vec<String> {
        match &self.0 {
            Kind::Files(files) => files.accounts(),
            Kind::Memory(memory) => memory.accounts(),
        }
    }

    /// The segments of an account, oldest first. A journal in memory has none.
    pub fn segments(&self, account: &str) -> Result<Vec<SegmentInfo>, JournalError> {
        check_account(account)?;
        match &self.0 {
            Kind::Files(files) => files.segments(account),
            Kind::Memory(_) => Ok(Vec::new()),
        }
    }

    /// How many lines of an account a journal in memory has dropped.
    pub fn dropped(&self, account: &str) -> u64 {
        match &self.0 {
            Kind::Files(_) => 0,
            Kind::Memory(memory) => memory.dropped(account),
        }
    }

    /// How many torn ends of segments were cut off and kept aside as `.torn` since the journal was opened. An
    /// account's segments are looked at when it is first used.
    pub fn torn(&self) -> u64 {
        match &self.0 {
            Kind::Files(files) => files.torn(),
            Kind::Memory(_) => 0,
        }
    }

    /// Why nothing more is appended, or `None` while all is well.
    pub fn stopped(&self) -> Option<String> {
        match &self.0 {
            Kind::Files(files) => files.stopped(),
            Kind::Memory(_) => None,
        }
    }

    /// Starts a thread that syncs at every interval, and once more when the [`Syncer`] is dropped.
    pub fn spawn_syncer(self: &Arc<Self>, interval: Duration) -> Result<Syncer, JournalError> {
        Syncer::spawn(Arc::clone(self), interval)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.segment, self.offset)
    }
}

impl FromStr for Cursor {
    type Err = JournalError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unreadable = JournalError::Cursor(Self { segment: 0, offset: 0 });
        let parsed = text
            .split_once('.')
            .and_then(|(segment, offset)| Some((segment.parse().ok()?, offset.parse().ok()?)));
        parsed.map(|(segment, offset)| Self { segment, offset }).ok_or(unreadable)
    }
}

/// Account names become directory names (M04).
fn check_account(account: &str) -> Result<(), JournalError> {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if (1..=64).contains(&account.len()) && account.bytes().all(safe) {
        Ok(())
    } else {
        Err(JournalError::Account)
    }
}

fn check_lines(lines: &[u8]) -> Result<(), JournalError> {
    let Some(body) = lines.strip_suffix(b"\n") else {
        return Err(JournalError::Lines("the last line has no line feed"));
    };
    if lines.len() > MAX_APPEND_LEN {
        return Err(JournalError::Lines("they are too many bytes for one append"));
    }
    for line in body.split(|byte| *byte == b'\n') {
        match line.len() {
            0 => return Err(JournalError::Lines("a line is empty")),
            1..=MAX_LINE_LEN => {}
            _ => return Err(JournalError::Lines("a line is too long")),
        }
        // JSON has none; zeros are what a power loss leaves.
        if line.contains(&0) {
            return Err(JournalError::Lines("a line holds a zero byte"));
        }
    }
    Ok(())
}

/// The revision that a line carries at its start.
fn line_revision(line: &[u8]) -> Option<u64> {
    let rest = line.strip_prefix(b"{\"revision\":")?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(rest.get(..digits)?).ok()?.parse().ok()
}

/// The largest revision that lines carry.
fn largest_revision(lines: &[u8]) -> Option<u64> {
    lines.split(|byte| *byte == b'\n').filter_map(line_revision).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_safe_names() {
        for (account, ok) in [
            ("123456789012", true),
            ("o-abc_1", true),
            ("", false),
            (".", false),
            ("..", false),
            ("a/b", false),
            ("a\0", false),
            (&"1".repeat(65), false),
        ] {
            assert_eq!(check_account(account).is_ok(), ok, "{account:?}");
        }
    }

    #[test]
    fn lines_are_whole() {
        let long = [vec![b'x'; MAX_LINE_LEN + 1], vec![b'\n']].concat();
        for (lines, ok) in [
            (&b"{}\n"[..], true),
            (b"{}\n{}\n", true),
            (b"", false),
            (b"\n", false),
            (b"{}", false),
            (b"{}\n\n", false),
            (b"{\0}\n", false),
            (&long, false),
        ] {
            assert_eq!(check_lines(lines).is_ok(), ok);
        }
    }

    #[test]
    fn revisions_of_lines() {
        for (line, revision) in [
            (&br#"{"revision":12,"event":{}}"#[..], Some(12)),
            (br#"{"revision":12}"#, Some(12)),
            (br#"{"event":{},"revision":12}"#, None),
            (br#"{"revision":"12"}"#, None),
            (br#"{"revision":99999999999999999999}"#, None),
            (b"", None),
        ] {
            assert_eq!(line_revision(line), revision);
        }
    }

    #[test]
    fn cursors_and_text() {
        let cursor = Cursor { segment: 3, offset: 17 };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for text in ["", "3", "3.", ".1", "-1.2", "1.2.3"] {
            assert!(text.parse::<Cursor>().is_err(), "{text}");
        }
    }
}
