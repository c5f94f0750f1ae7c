//! Reports are made in the background, a few at a time, on the threads for long reads. A report that
//! waits is a record of its account, so that a restart loses none. Old ones are taken away.

use std::sync::Arc;

use bailiwick_identifiers::AccountId;
use bailiwick_model::{
    AccessReport, AccessReportEnd, AccessReportFailure, Account, Record, RecordKey,
};
use bailiwick_store::{Outcome, Transaction};
use jiff::{SignedDuration, Timestamp};

use super::report::{Ground, Report, Subject};
use crate::node::Node;
use crate::shard::Shard;

/// How long a report is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How many reports of an account are kept, and how many bytes of them; the oldest go first.
const MOST: usize = 10_000;
const MOST_BYTES: u64 = 256 * 1024 * 1024;
/// How many reports of an account may wait.
pub(super) const MOST_WAITING: usize = 1_000;

/// Reports that are made in one go, before others have a turn.
const BATCH: usize = 16;
/// Reports that are taken away in one go.
const DROPPED: usize = 1_000;

/// The store's key of a part.
fn part_key(account: AccountId, id: &str, part: u32) -> String {
    format!("access-report/{account}/{id}/{part:010}")
}

/// Whether a report may still be read.
pub(super) fn is_kept(report: &AccessReport, now: Timestamp) -> bool {
    now.duration_since(report.created) <= KEPT
}

/// What a report says; none when it has just been taken away.
pub(super) fn load(
    node: &Node,
    account: AccountId,
    id: &str,
    end: &AccessReportEnd,
) -> Option<Report> {
    let part = |part| {
        let entry = node.store().get(part_key(account, id, part).as_bytes());
        entry.ok().flatten().map(|entry| entry.value)
    };
    Report::read((0..end.parts).map(part).collect::<Option<Vec<_>>>()?)
}

/// Begins to make the reports that wait, and to take away those that are too old, where nobody is
/// at it.
pub(crate) fn begin(node: &Arc<Node>, shard: &Arc<Shard>) {
    if let Some(turn) = Turn::of(node, shard) {
        // Refused when too many reads wait; then it begins another time. Dropping the turn ends it.
        let _ = node.readers().run(shard.id(), move || turn.work());
    }
}

/// As [`begin`], but on this thread.
pub(crate) fn work(node: &Arc<Node>, shard: &Arc<Shard>) {
    if let Some(turn) = Turn::of(node, shard) {
        turn.work();
    }
}

/// The reports of an account that are not made yet.
pub(super) fn waiting(account: &Account) -> impl Iterator<Item = &Arc<AccessReport>> {
    account.access_reports().filter(|report| report.end.is_none())
}

/// The reports that are to be taken away, the oldest first.
fn too_old(account: &Account, now: Timestamp) -> Vec<Arc<AccessReport>> {
    let bytes = |report: &AccessReport| report.end.as_ref().map_or(0, |end| end.bytes);
    let mut held: Vec<_> = account.access_reports().collect();
    let mut left: u64 = held.iter().map(|report| bytes(report)).sum();
    if held.len() <= MOST && left <= MOST_BYTES && held.iter().all(|held| is_kept(held, now)) {
        return Vec::new();
    }
    held.sort_by(|one, other| (one.created, &one.id).cmp(&(other.created, &other.id)));
    let mut count = held.len();
    let mut gone = Vec::new();
    for report in held {
        if count <= MOST && left <= MOST_BYTES && is_kept(report, now) {
            break;
        }
        count -= 1;
        left = left.saturating_sub(bytes(report));
        gone.push(Arc::clone(report));
    }
    gone
}

/// The right to make the reports of an account.
struct Turn {
    node: Arc<Node>,
    shard: Arc<Shard>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.shard.end_reports();
    }
}

impl Turn {
    /// The right, if there is something to do and nobody is at it.
    fn of(node: &Arc<Node>, shard: &Arc<Shard>) -> Option<Self> {
        let account = shard.account();
        let now = node.clock().now();
        let idle = account.access_reports().len() == 0
            || (waiting(&account).next().is_none() && too_old(&account, now).is_empty());
        if idle || !shard.begin_reports() {
            return None;
        }
        Some(Self { node: Arc::clone(node), shard: Arc::clone(shard) })
    }

    fn work(self) {
        let (node, shard) = (&self.node, &self.shard);
        let account = shard.account();
        let mut reports: Vec<_> = waiting(&account).cloned().collect();
        reports.sort_by(|one, other| (one.created, &one.id).cmp(&(other.created, &other.id)));
        reports.truncate(BATCH);
        // Noted before the account was read or after: a use is in one of them, or in both.
        let recent = shard.uses().actions();
        let account = shard.account();
        for report in reports {
            let ground = Ground {
                account: &account,
                managed: node.managed(),
                catalog: node.catalog(),
                recent: &recent,
                now: node.clock().now(),
            };
            let made = make(&ground, &report);
            self.keep(&report, made);
        }
        self.drop_old();
    }

    /// Writes a report with its end, unless it was taken away meanwhile.
    fn keep(&self, report: &AccessReport, (end, parts): (AccessReportEnd, Vec<Vec<u8>>)) {
        let id = self.shard.id();
        let record = AccessReport { end: Some(end), ..report.clone() };
        let record = Record::AccessReport(Arc::new(record));
        let mut head = self.shard.head();
        let stored = head.account.access_report(&report.id);
        if self.shard.is_stopped() || stored.is_none_or(|stored| stored.end.is_some()) {
            return;
        }
        let mut transaction = Transaction::new().put(record.key().path(id), record.encode());
        for (part, bytes) in (0..).zip(parts) {
            transaction = transaction.put(part_key(id, &report.id, part), bytes);
        }
        Arc::make_mut(&mut head.account).put(record);
        self.submit(Arc::clone(&head.account), transaction);
    }

    fn drop_old(&self) {
        let id = self.shard.id();
        let mut head = self.shard.head();
        let mut gone = too_old(&head.account, self.node.clock().now());
        gone.truncate(DROPPED);
        if gone.is_empty() || self.shard.is_stopped() {
            return;
        }
        let mut transaction = Transaction::new();
        for report in gone {
            let key = RecordKey::AccessReport(report.id.clone());
            transaction = transaction.delete(key.path(id));
            for part in 0..report.end.as_ref().map_or(0, |end| end.parts) {
                transaction = transaction.delete(part_key(id, &report.id, part));
            }
            Arc::make_mut(&mut head.account).remove(&key);
            // Another flush goes on: one transaction takes only so many keys.
            if transaction.deletes.len() > 8 * DROPPED {
                break;
            }
        }
        self.submit(Arc::clone(&head.account), transaction);
    }

    /// Submits a change of the newest state, whose lock the caller holds.
    fn submit(&self, account: Arc<Account>, transaction: Transaction) {
        let shard = Arc::clone(&self.shard);
        self.node.store().submit(
            transaction,
            Box::new(move |result| match result {
                Ok(Outcome::Committed(revision)) => {
                    if !shard.is_stopped() {
                        shard.publish(account, revision);
                    }
                }
                result => {
                    tracing::error!(?result, "a report of last accesses was not stored");
                    shard.stop();
                }
            }),
        );
    }
}

fn make(ground: &Ground<'_>, report: &AccessReport) -> (AccessReportEnd, Vec<Vec<u8>>) {
    let end = |failure, parts: &[Vec<u8>]| AccessReportEnd {
        at: ground.now,
        failure,
        parts: u32::try_from(parts.len()).unwrap_or(u32::MAX),
        bytes: parts.iter().map(|part| part.len() as u64).sum(),
    };
    let failed = |code: &str, message: String| {
        (end(Some(AccessReportFailure { code: code.to_owned(), message }), &[]), Vec::new())
    };
    let Some(subject) = Subject::find(ground.account, ground.managed, &report.subject) else {
        return failed("NoSuchEntity", format!("{} cannot be found.", report.subject));
    };
    match Report::make(ground, &subject, report.by_action).parts() {
        Some(parts) => (end(None, &parts), parts),
        None => failed("LimitExceeded", "The report is too large.".to_owned()),
    }
}
