//! Journals in memory, bounded in lines.

use std::collections::{BTreeMap, VecDeque};

use parking_lot::Mutex;

use super::lines::Lines;
use super::{Cursor, Line, line_revision};
use crate::transaction::Revision;

/// Journals that are gone with the process. The offset of a cursor is the number of the line, from 0.
pub(super) struct Memory {
    max_lines: usize,
    accounts: Mutex<BTreeMap<String, Account>>,
}

#[derive(Default)]
struct Account {
    lines: VecDeque<Box<[u8]>>,
    /// The number of the first line that is still there: also how many were dropped.
    first: u64,
    revision: Option<u64>,
}

impl Memory {
    pub(super) fn new(max_lines: usize) -> Self {
        Self { max_lines: max_lines.max(1), accounts: Mutex::default() }
    }

    pub(super) fn append(&self, name: &str, lines: &[u8]) -> Cursor {
        let mut accounts = self.accounts.lock();
        let account = accounts.entry(name.to_owned()).or_default();
        let cursor = cursor(account.first + account.lines.len() as u64);
        let body = lines.strip_suffix(b"\n").unwrap_or(lines);
        for line in body.split(|byte| *byte == b'\n') {
            account.revision = line_revision(line).max(account.revision);
            account.lines.push_back(line.into());
            if account.lines.len() > self.max_lines {
                account.lines.pop_front();
                account.first += 1;
            }
        }
        cursor
    }

    pub(super) fn forward(&self, name: &str, from: Option<Cursor>) -> Lines {
        let from = from.map_or(0, |from| from.offset);
        Lines::kept(self.lines(name, |number| number >= from).collect())
    }

    pub(super) fn backward(&self, name: &str, before: Option<Cursor>) -> Lines {
        let before = before.map_or(u64::MAX, |before| before.offset);
        Lines::kept(self.lines(name, |number| number < before).rev().collect())
    }

    pub(super) fn last_revision(&self, name: &str) -> Option<Revision> {
        self.accounts.lock().get(name)?.revision.map(Revision)
    }

    pub(super) fn accounts(&self) -> Vec<String> {
        self.accounts.lock().keys().cloned().collect()
    }

    pub(super) fn dropped(&self, name: &str) -> u64 {
        self.accounts.lock().get(name).map_or(0, |account| account.first)
    }

    fn lines(
        &self,
        name: &str,
        wanted: impl Fn(u64) -> bool,
    ) -> impl DoubleEndedIterator<Item = Line> {
        let accounts = self.accounts.lock();
        let found: Vec<_> = accounts.get(name).map_or_else(Vec::new, |account| {
            (account.first..)
                .zip(&account.lines)
                .filter(|(number, _)| wanted(*number))
                .map(|(number, bytes)| Line {
                    cursor: cursor(number),
                    next: cursor(number + 1),
                    bytes: bytes.to_vec(),
                })
                .collect()
        });
        found.into_iter()
    }
}

fn cursor(number: u64) -> Cursor {
    Cursor { segment: 1, offset: number }
}
