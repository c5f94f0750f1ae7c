//! Journals on disk: appending, syncing, and ending segments.
//!
//! Each account has one writer behind its own lock; accounts do not wait for each other. At most
//! [`MAX_OPEN`] files are open; the one that was not used lately is closed first.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use jiff::Timestamp;
use parking_lot::Mutex;

use super::lines::Lines;
use super::segment::{self, SegmentInfo};
use super::{
    Cursor, JournalError, MAX_SEGMENT_SECONDS, check_account, largest_revision, line_revision,
};
use crate::error::StoreError;
use crate::permissions;
use crate::transaction::Revision;

/// The most segment files that are open at a time.
const MAX_OPEN: usize = 64;

/// The journals below one directory.
pub(super) struct Files {
    directory: PathBuf,
    max_segment_len: u64,
    accounts: Mutex<BTreeMap<String, Arc<Account>>>,
    /// Accounts with an open file, by age.
    open: Mutex<VecDeque<Arc<Account>>>,
    /// Accounts with lines that are not on disk.
    dirty: Mutex<Vec<Arc<Account>>>,
    /// Held by a sync, for whoever asks for one meanwhile to wait.
    syncing: Mutex<()>,
    stopped: Mutex<Option<String>>,
    torn: AtomicU64,
}

struct Account {
    directory: PathBuf,
    /// Used since the last look for a file to close.
    used: AtomicBool,
    writer: Mutex<Writer>,
}

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are facts that do not exclude each other")]
struct Writer {
    /// Whether the directory was read and the last segment repaired.
    loaded: bool,
    /// The segments before the last: number and length. Shared with readers, so that an append
    /// waits for none of them.
    before: Arc<Vec<(u64, u64)>>,
    /// The number of the segment that gets the next line; 0 when there is none yet.
    sequence: u64,
    /// Its length.
    len: u64,
    /// Whether it was ended, so that the next line goes into a new one.
    ended: bool,
    /// Its file, unless closed.
    file: Option<File>,
    /// Whether it holds lines that are not on disk.
    dirty: bool,
    /// When it was first seen by the check for old segments.
    since: Option<Timestamp>,
    /// The largest revision of the account's lines, as far as it is known.
    revision: Option<u64>,
    /// Whether all lines have been looked at for it.
    revision_known: bool,
}

impl Files {
    pub(super) fn open(directory: &Path, max_segment_len: u64) -> Result<Self, JournalError> {
        permissions::private_directory(directory)?;
        let fail = |error| StoreError::io(directory, &error);
        let mut accounts = BTreeMap::new();
        for entry in fs::read_dir(directory).map_err(fail)? {
            let name = entry.map_err(fail)?.file_name();
            if let Some(name) = name.to_str().filter(|name| check_account(name).is_ok()) {
                accounts.insert(name.to_owned(), Account::new(directory, name));
            }
        }
        Ok(Self {
            directory: directory.to_owned(),
            max_segment_len,
            accounts: Mutex::new(accounts),
            open: Mutex::default(),
            dirty: Mutex::default(),
            syncing: Mutex::default(),
            stopped: Mutex::default(),
            torn: AtomicU64::new(0),
        })
    }

    pub(super) fn append(&self, name: &str, lines: &[u8]) -> Result<Cursor, JournalError> {
        self.check_running()?;
        let account = self.account(name);
        account.used.store(true, Ordering::Relaxed);
        let mut writer = account.writer.lock();
        self.load(&account, &mut writer)?;
        if writer.len > 0 && writer.len.saturating_add(lines.len() as u64) > self.max_segment_len {
            self.end(&account, &mut writer)?;
        }
        let opened = writer.file.is_none();
        self.ready(&account, &mut writer)?;
        let cursor = Cursor { segment: writer.sequence, offset: writer.len };
        let written = writer.write(lines);
        if written.is_ok() {
            writer.len = writer.len.saturating_add(lines.len() as u64);
            writer.revision = largest_revision(lines).max(writer.revision);
            if !writer.dirty {
                writer.dirty = true;
                self.dirty.lock().push(Arc::clone(&account));
            }
        }
        drop(writer);
        if opened {
            self.close_others(&account);
        }
        match written {
            Ok(()) => Ok(cursor),
            Err(Unwritten::Undone(error)) => {
                Err(StoreError::io(&segment::path(&account.directory, cursor.segment), &error)
                    .into())
            }
            Err(Unwritten::Partly(error)) => Err(self.stop(&format!("a line was cut: {error}"))),
        }
    }

    pub(super) fn sync(&self) -> Result<(), JournalError> {
        // What a sync under way has taken is not durable before it ends.
        let _syncing = self.syncing.lock();
        self.check_running()?;
        let dirty = std::mem::take(&mut *self.dirty.lock());
        for account in dirty {
            // The sync runs on a handle of its own, so that the account can be appended to meanwhile.
            let mut writer = account.writer.lock();
            let file = writer.file.as_ref().filter(|_| writer.dirty).map(File::try_clone);
            writer.dirty = false;
            drop(writer);
            let synced =
                file.transpose().and_then(|file| file.map_or(Ok(()), |file| file.sync_data()));
            synced.map_err(|error| self.stop(&format!("a sync failed: {error}")))?;
        }
        // A file closed meanwhile was synced there, or was not.
        self.check_running()
    }

    pub(super) fn roll_due(&self, now: Timestamp) -> Result<Vec<(String, u64)>, JournalError> {
        self.check_running()?;
        let accounts: Vec<_> = self
            .accounts
            .lock()
            .iter()
            .map(|(name, account)| (name.clone(), Arc::clone(account)))
            .collect();
        let mut ended = Vec::new();
        for (name, account) in accounts {
            let mut writer = account.writer.lock();
            self.load(&account, &mut writer)?;
            if writer.len == 0 || writer.ended {
                continue;
            }
            // A clock that was set back starts the count anew.
            match writer.since.map(|since| now.duration_since(since).as_secs()) {
                Some(seconds) if seconds >= MAX_SEGMENT_SECONDS => {
                    self.end(&account, &mut writer)?;
                    ended.push((name, writer.sequence));
                }
                Some(seconds) if seconds >= 0 => {}
                _ => writer.since = Some(now),
            }
        }
        Ok(ended)
    }

    pub(super) fn segments(&self, name: &str) -> Result<Vec<SegmentInfo>, JournalError> {
        let Some(account) = self.accounts.lock().get(name).cloned() else { return Ok(Vec::new()) };
        let mut writer = account.writer.lock();
        self.load(&account, &mut writer)?;
        let before = Arc::clone(&writer.before);
        let last = (writer.sequence > 0).then_some((writer.sequence, writer.len, writer.ended));
        drop(writer);
        let before = before.iter().map(|(sequence, len)| (*sequence, *len, true));
        let info = |(sequence, len, ended)| {
            let path = segment::path(&account.directory, sequence);
            SegmentInfo { sequence, len, ended, path }
        };
        Ok(before.chain(last).map(info).collect())
    }

    pub(super) fn last_revision(&self, name: &str) -> Result<Option<Revision>, JournalError> {
        let Some(account) = self.accounts.lock().get(name).cloned() else { return Ok(None) };
        let writer = account.writer.lock();
        if writer.revision_known {
            return Ok(writer.revision.map(Revision));
        }
        drop(writer);
        let segments = self.segments(name)?;
        let mut found = None;
        for segment in segments.iter().rev() {
            for line in Lines::forward(vec![segment.clone()], None)? {
                found = line_revision(&line?.bytes).max(found);
            }
            if found.is_some() {
                break;
            }
        }
        // What was appended meanwhile was looked at by the append.
        let mut writer = account.writer.lock();
        writer.revision = found.max(writer.revision);
        writer.revision_known = true;
        Ok(writer.revision.map(Revision))
    }

    pub(super) fn accounts(&self) -> Vec<String> {
        self.accounts.lock().keys().cloned().collect()
    }

    pub(super) fn torn(&self) -> u64 {
        self.torn.load(Ordering::Relaxed)
    }

    pub(super) fn stopped(&self) -> Option<String> {
        self.stopped.lock().clone()
    }

    fn account(&self, name: &str) -> Arc<Account> {
        let mut accounts = self.accounts.lock();
        if let Some(account) = accounts.get(name) {
            return Arc::clone(account);
        }
        let account = Account::new(&self.directory, name);
        accounts.insert(name.to_owned(), Arc::clone(&account));
        account
    }

    /// Reads what is there, once.
    fn load(&self, account: &Account, writer: &mut Writer) -> Result<(), JournalError> {
        if writer.loaded {
            return Ok(());
        }
        if let Some((last, before)) = segment::list(&account.directory)?.split_last() {
            let (len, torn) = segment::repair(&last.path)?;
            self.torn.fetch_add(u64::from(torn), Ordering::Relaxed);
            writer.sequence = last.sequence;
            writer.len = len;
            writer.before =
                Arc::new(before.iter().map(|segment| (segment.sequence, segment.len)).collect());
        }
        writer.loaded = true;
        Ok(())
    }

    /// Opens the file that the next line goes to.
    fn ready(&self, account: &Arc<Account>, writer: &mut Writer) -> Result<(), JournalError> {
        if writer.file.is_some() {
            return Ok(());
        }
        let begins = writer.sequence == 0 || writer.ended;
        let sequence = if begins { writer.sequence.saturating_add(1) } else { writer.sequence };
        let path = segment::path(&account.directory, sequence);
        let mut options = permissions::private_options();
        options.append(true);
        if begins {
            if !account.directory.exists() {
                permissions::private_directory(&account.directory)?;
                permissions::sync_directory(&self.directory)?;
            }
            options.create_new(true);
        }
        let file = options.open(&path).map_err(|error| StoreError::io(&path, &error))?;
        if begins {
            permissions::sync_directory(&account.directory)?;
            if writer.sequence > 0 {
                let ended = (writer.sequence, writer.len);
                Arc::make_mut(&mut writer.before).push(ended);
            }
            writer.sequence = sequence;
            writer.len = 0;
            writer.ended = false;
            writer.since = None;
        }
        writer.file = Some(file);
        self.open.lock().push_back(Arc::clone(account));
        Ok(())
    }

    /// Ends the segment: it is synced and gets no more lines.
    fn end(&self, account: &Account, writer: &mut Writer) -> Result<(), JournalError> {
        self.close(account, writer)?;
        writer.ended = true;
        Ok(())
    }

    /// Syncs and closes the file.
    fn close(&self, account: &Account, writer: &mut Writer) -> Result<(), JournalError> {
        let synced = match writer.file.take() {
            Some(file) if writer.dirty => file.sync_data(),
            _ => Ok(()),
        };
        writer.dirty = false;
        synced.map_err(|error| {
            self.stop(&format!("a sync below `{}` failed: {error}", account.directory.display()))
        })
    }

    /// Closes files until no more than the bound are open, sparing `kept`. A failure is not the
    /// append's, whose line is written: it stops the journal, as the next sync reports.
    fn close_others(&self, kept: &Arc<Account>) {
        let mut rounds = 0;
        loop {
            let mut open = self.open.lock();
            // Twice round: the first may find that all were used lately.
            if open.len() <= MAX_OPEN || rounds > 2 * MAX_OPEN {
                return;
            }
            rounds += 1;
            let Some(oldest) = open.pop_front() else { return };
            let spared = Arc::ptr_eq(&oldest, kept) || oldest.used.swap(false, Ordering::Relaxed);
            let writer = if spared { None } else { oldest.writer.try_lock() };
            if let Some(mut writer) = writer {
                drop(open);
                if self.close(&oldest, &mut writer).is_err() {
                    return;
                }
            } else {
                open.push_back(Arc::clone(&oldest));
            }
        }
    }

    fn check_running(&self) -> Result<(), JournalError> {
        match &*self.stopped.lock() {
            Some(reason) => Err(JournalError::Stopped { reason: reason.clone() }),
            None => Ok(()),
        }
    }

    fn stop(&self, reason: &str) -> JournalError {
        let reason = self.stopped.lock().get_or_insert_with(|| reason.to_owned()).clone();
        JournalError::Stopped { reason }
    }
}

impl Account {
    fn new(directory: &Path, name: &str) -> Arc<Self> {
        Arc::new(Self {
            directory: directory.join(name),
            used: AtomicBool::new(false),
            writer: Mutex::default(),
        })
    }
}

/// Why lines were not appended.
enum Unwritten {
    /// The file is as it was.
    Undone(io::Error),
    /// The file holds a part of them.
    Partly(io::Error),
}

impl Writer {
    /// One write; what was written of it is taken back when it does not take all.
    fn write(&mut self, lines: &[u8]) -> Result<(), Unwritten> {
        let Some(file) = &mut self.file else {
            return Err(Unwritten::Undone(io::ErrorKind::NotFound.into()));
        };
        let written = loop {
            match file.write(lines) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        let error = match written {
            Ok(count) if count == lines.len() => return Ok(()),
            Ok(_) => io::Error::from(io::ErrorKind::StorageFull),
            Err(error) => error,
        };
        match file.set_len(self.len) {
            Ok(()) => Err(Unwritten::Undone(error)),
            Err(_) => Err(Unwritten::Partly(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: &str = "123456789012";

    fn texts(lines: Lines) -> Vec<String> {
        lines.map(|line| String::from_utf8(line.unwrap().bytes).unwrap()).collect()
    }

    fn all(files: &Files, account: &str) -> Vec<String> {
        texts(Lines::forward(files.segments(account).unwrap(), None).unwrap())
    }

    #[test]
    fn rolls_at_the_length_and_reads_across_segments() {
        let directory = tempfile::tempdir().unwrap();
        let files = Files::open(&directory.path().join("events"), 40).unwrap();
        let expected: Vec<_> = (0..10).map(|n| format!("{{\"n\":{n:05}}}")).collect();
        let cursors: Vec<_> = expected
            .iter()
            .map(|line| files.append(ACCOUNT, format!("{line}\n").as_bytes()).unwrap())
            .collect();
        let segments = files.segments(ACCOUNT).unwrap();
        assert_eq!(segments.len(), 4);
        assert!(segments.iter().rev().skip(1).all(|segment| segment.ended));
        assert_eq!(all(&files, ACCOUNT), expected);
        let mut reversed = texts(Lines::backward(segments.clone(), None).unwrap());
        reversed.reverse();
        assert_eq!(reversed, expected);
        for (index, cursor) in cursors.iter().enumerate() {
            let from = texts(Lines::forward(segments.clone(), Some(*cursor)).unwrap());
            assert_eq!(from, expected[index..]);
            let before = texts(Lines::backward(segments.clone(), Some(*cursor)).unwrap());
            assert_eq!(before.len(), index);
            assert_eq!(before.first(), index.checked_sub(1).map(|last| &expected[last]));
        }
    }

    #[test]
    fn many_accounts_share_a_bounded_number_of_files() {
        let directory = tempfile::tempdir().unwrap();
        let files = Files::open(&directory.path().join("events"), 1 << 20).unwrap();
        for round in 0..3 {
            for account in 0..150 {
                let line = format!("{{\"round\":{round}}}\n");
                files.append(&format!("{account:012}"), line.as_bytes()).unwrap();
                assert!(files.open.lock().len() <= MAX_OPEN);
            }
            files.sync().unwrap();
        }
        for account in files.accounts() {
            assert_eq!(all(&files, &account).len(), 3);
        }
    }

    #[test]
    fn readers_of_the_list_hold_up_no_append() {
        let directory = tempfile::tempdir().unwrap();
        let events = directory.path().join("events");
        let files = Files::open(&events, 20).unwrap();
        for n in 0..9 {
            files.append(ACCOUNT, format!("{{\"n\":{n:05}}}\n").as_bytes()).unwrap();
        }
        let listed = segment::list(&events.join(ACCOUNT)).unwrap();
        let mut known = files.segments(ACCOUNT).unwrap();
        assert!(!known.last().unwrap().ended);
        known.last_mut().unwrap().ended = true;
        assert_eq!((known.len(), &known), (9, &listed));
        drop(files);
        let files = Files::open(&events, 20).unwrap();
        known.last_mut().unwrap().ended = false;
        assert_eq!(files.segments(ACCOUNT).unwrap(), known);
        // From then on the directory is not read.
        let elsewhere = directory.path().join("elsewhere");
        fs::rename(events.join(ACCOUNT), &elsewhere).unwrap();
        assert_eq!(files.segments(ACCOUNT).unwrap(), known);
        fs::rename(&elsewhere, events.join(ACCOUNT)).unwrap();
        files.append(ACCOUNT, b"{\"n\":00009}\n").unwrap();
        assert_eq!(all(&files, ACCOUNT).len(), 10);
    }

    #[test]
    fn tm_i03_another_files_failed_close_is_reported_by_the_sync() {
        let directory = tempfile::tempdir().unwrap();
        let files = Files::open(&directory.path().join("events"), 1 << 20).unwrap();
        for account in 0..MAX_OPEN {
            files.append(&format!("{account:012}"), b"{}\n").unwrap();
        }
        for account in files.accounts.lock().values() {
            account.used.store(false, Ordering::Relaxed);
            // A device that cannot be synced.
            account.writer.lock().file = Some(File::open("/dev/null").unwrap());
        }
        files.append("last", b"{}\n").unwrap();
        assert_eq!(all(&files, "last"), ["{}"]);
        assert!(files.stopped().unwrap().contains("a sync below"));
        assert!(matches!(files.sync(), Err(JournalError::Stopped { .. })));
        assert!(matches!(files.append("last", b"{}\n"), Err(JournalError::Stopped { .. })));
    }

    #[test]
    fn tm_i03_a_sync_waits_for_the_one_under_way() {
        let directory = tempfile::tempdir().unwrap();
        let files = Files::open(&directory.path().join("events"), 1 << 20).unwrap();
        files.append(ACCOUNT, b"{}\n").unwrap();
        let account = files.account(ACCOUNT);
        std::thread::scope(|scope| {
            let writer = account.writer.lock();
            let first = scope.spawn(|| files.sync());
            // It has taken the account, and waits here.
            while !files.dirty.lock().is_empty() {
                std::thread::yield_now();
            }
            let second = scope.spawn(|| files.sync());
            std::thread::sleep(std::time::Duration::from_millis(100));
            assert!(!second.is_finished());
            drop(writer);
            first.join().unwrap().unwrap();
            second.join().unwrap().unwrap();
        });
    }

    #[test]
    fn tm_i02_a_torn_end_is_cut_off_and_kept_aside() {
        for (torn, whole) in [
            (&b"{\"a\":1}\n{\"b\":2}\n{\"c"[..], 16),
            (b"{\"a\":1}\n{\"b\":2}\n\0\0\0\0", 16),
            (b"{\"a\":1}\n{\"b\":\0\0\0\n", 8),
            (b"\0\0\0\0", 0),
            (b"{\"a\":1", 0),
        ] {
            let directory = tempfile::tempdir().unwrap();
            let events = directory.path().join("events");
            let files = Files::open(&events, 1 << 20).unwrap();
            files.append(ACCOUNT, b"x\n").unwrap();
            drop(files);
            let path = segment::path(&events.join(ACCOUNT), 1);
            fs::write(&path, torn).unwrap();

            let files = Files::open(&events, 1 << 20).unwrap();
            files.append(ACCOUNT, b"{\"next\":1}\n").unwrap();
            assert_eq!(files.torn(), 1);
            let expected = [&torn[..whole], b"{\"next\":1}\n"].concat();
            assert_eq!(fs::read(&path).unwrap(), expected);
            assert_eq!(fs::read(path.with_extension("jsonl.torn")).unwrap(), &torn[whole..]);
        }
    }
}
