//! The journal on disk and in memory, through its public face.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;
use std::{fs, thread};

use bailiwick_store::Revision;
use bailiwick_store::journal::{
    Cursor, Journal, JournalError, Lines, MAX_LINE_LEN, MAX_SEGMENT_SECONDS,
};
use jiff::Timestamp;

const ACCOUNT: &str = "123456789012";

fn texts(lines: Lines) -> Vec<String> {
    lines.map(|line| String::from_utf8(line.unwrap().bytes).unwrap()).collect()
}

/// Runs a test on a journal of each kind.
fn on_both(test: impl Fn(&Journal)) {
    let directory = tempfile::tempdir().unwrap();
    test(&Journal::open(&directory.path().join("events")).unwrap());
    test(&Journal::in_memory(1000));
}

#[test]
fn appends_and_reads_both_ways() {
    on_both(|journal| {
        assert!(texts(journal.forward(ACCOUNT, None).unwrap()).is_empty());
        assert!(texts(journal.backward(ACCOUNT, None).unwrap()).is_empty());
        journal.append(ACCOUNT, b"{\"n\":1}\n").unwrap();
        let second = journal.append(ACCOUNT, b"{\"n\":2}\n{\"n\":3}\n").unwrap();
        journal.append("other", b"{\"n\":9}\n").unwrap();
        journal.sync().unwrap();
        let all = ["{\"n\":1}", "{\"n\":2}", "{\"n\":3}"];
        assert_eq!(texts(journal.forward(ACCOUNT, None).unwrap()), all);
        assert_eq!(texts(journal.forward(ACCOUNT, Some(second)).unwrap()), all[1..]);
        assert_eq!(texts(journal.backward(ACCOUNT, Some(second)).unwrap()), all[..1]);
        let mut newest = journal.backward(ACCOUNT, None).unwrap();
        let last = newest.next().unwrap().unwrap();
        assert_eq!(last.bytes, b"{\"n\":3}");
        // Pages: each begins where the one before ended.
        assert_eq!(texts(journal.backward(ACCOUNT, Some(last.cursor)).unwrap()).len(), 2);
        assert!(texts(journal.forward(ACCOUNT, Some(last.next)).unwrap()).is_empty());
        journal.append(ACCOUNT, b"{\"n\":4}\n").unwrap();
        assert_eq!(texts(journal.forward(ACCOUNT, Some(last.next)).unwrap()), ["{\"n\":4}"]);
        assert_eq!(journal.accounts(), [ACCOUNT, "other"]);
    });
}

#[test]
fn a_reader_sees_the_lines_of_its_start() {
    on_both(|journal| {
        journal.append(ACCOUNT, b"{\"n\":1}\n").unwrap();
        let lines = journal.forward(ACCOUNT, None).unwrap();
        journal.append(ACCOUNT, b"{\"n\":2}\n").unwrap();
        assert_eq!(texts(lines).len(), 1);
    });
}

#[test]
fn what_is_not_lines_is_refused() {
    on_both(|journal| {
        for (account, lines) in [
            ("../etc", &b"{}\n"[..]),
            ("", b"{}\n"),
            (ACCOUNT, b"{}"),
            (ACCOUNT, b"\n"),
            (ACCOUNT, b"a\0b\n"),
        ] {
            assert!(journal.append(account, lines).is_err());
        }
        assert!(journal.forward("../etc", None).is_err());
        assert!(journal.accounts().is_empty());
    });
}

#[test]
fn cursors_that_name_no_line_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let journal = Journal::open(&directory.path().join("events")).unwrap();
    journal.append(ACCOUNT, b"{\"n\":1}\n{\"n\":2}\n").unwrap();
    for offset in [1, 7, 9, 17, u64::MAX] {
        let cursor = Cursor { segment: 1, offset };
        assert_eq!(
            journal.forward(ACCOUNT, Some(cursor)).err(),
            Some(JournalError::Cursor(cursor))
        );
        assert!(journal.backward(ACCOUNT, Some(cursor)).is_err());
    }
    for segment in [0, 2, u64::MAX] {
        let cursor = Cursor { segment, offset: 3 };
        let forward = texts(journal.forward(ACCOUNT, Some(cursor)).unwrap()).len();
        let backward = texts(journal.backward(ACCOUNT, Some(cursor)).unwrap()).len();
        assert_eq!((forward, backward), if segment == 0 { (2, 0) } else { (0, 2) });
    }
}

#[test]
fn the_last_revision_is_found() {
    on_both(|journal| {
        assert_eq!(journal.last_exported_revision(ACCOUNT), Ok(None));
        journal.append(ACCOUNT, b"{\"event\":{}}\n").unwrap();
        assert_eq!(journal.last_exported_revision(ACCOUNT), Ok(None));
        journal.append(ACCOUNT, b"{\"revision\":7,\"event\":{}}\n{\"event\":{}}\n").unwrap();
        assert_eq!(journal.last_exported_revision(ACCOUNT), Ok(Some(Revision(7))));
        journal.append(ACCOUNT, b"{\"event\":{\"revision\":99}}\n").unwrap();
        journal.append(ACCOUNT, b"{\"revision\":12}\n").unwrap();
        assert_eq!(journal.last_exported_revision(ACCOUNT), Ok(Some(Revision(12))));
        assert_eq!(journal.last_exported_revision("other"), Ok(None));
    });
}

#[test]
fn a_restart_goes_on_where_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let events = directory.path().join("events");
    for round in 0..3_u64 {
        let journal = Journal::open(&events).unwrap();
        let expected = round.checked_sub(1).map(Revision);
        assert_eq!(journal.last_exported_revision(ACCOUNT), Ok(expected));
        journal.append(ACCOUNT, format!("{{\"revision\":{round}}}\n").as_bytes()).unwrap();
        journal.append(ACCOUNT, b"{\"read\":true}\n").unwrap();
        assert_eq!(journal.last_exported_revision(ACCOUNT), Ok(Some(Revision(round))));
        assert_eq!(journal.torn(), 0);
    }
    let journal = Journal::open(&events).unwrap();
    assert_eq!(journal.segments(ACCOUNT).unwrap().len(), 1);
    assert_eq!(texts(journal.forward(ACCOUNT, None).unwrap()).len(), 6);
}

#[test]
fn old_segments_end() {
    let directory = tempfile::tempdir().unwrap();
    let journal = Journal::open(&directory.path().join("events")).unwrap();
    let at = |seconds| Timestamp::from_second(seconds).unwrap();
    journal.append(ACCOUNT, b"{\"revision\":1}\n").unwrap();
    assert_eq!(journal.roll_due(at(1000)), Ok(vec![]), "the count begins");
    assert_eq!(journal.roll_due(at(1000 + MAX_SEGMENT_SECONDS - 1)), Ok(vec![]));
    assert_eq!(journal.roll_due(at(500)), Ok(vec![]), "I07: a clock set back starts it anew");
    assert_eq!(journal.roll_due(at(500 + MAX_SEGMENT_SECONDS - 1)), Ok(vec![]));
    let ended = vec![(ACCOUNT.to_owned(), 1)];
    assert_eq!(journal.roll_due(at(500 + MAX_SEGMENT_SECONDS)), Ok(ended));
    assert_eq!(journal.roll_due(at(9000)), Ok(vec![]), "nothing to end");
    assert!(journal.segments(ACCOUNT).unwrap()[0].ended);
    let cursor = journal.append(ACCOUNT, b"{\"n\":2}\n").unwrap();
    assert_eq!(cursor, Cursor { segment: 2, offset: 0 });
    assert_eq!(texts(journal.forward(ACCOUNT, None).unwrap()).len(), 2);
    assert_eq!(texts(journal.backward(ACCOUNT, Some(cursor)).unwrap()).len(), 1);
    assert_eq!(journal.last_exported_revision(ACCOUNT), Ok(Some(Revision(1))));
}

#[test]
fn many_writers_and_the_syncer_lose_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let journal = Arc::new(Journal::open(&directory.path().join("events")).unwrap());
    let syncer = journal.spawn_syncer(Duration::from_millis(1)).unwrap();
    thread::scope(|scope| {
        for writer in 0..8 {
            let journal = &journal;
            scope.spawn(move || {
                for index in 0..200 {
                    let line = format!("{{\"writer\":{writer},\"index\":{index}}}\n");
                    let account = format!("{:012}", index % 3);
                    let cursor = journal.append(&account, line.as_bytes()).unwrap();
                    let mut from = journal.forward(&account, Some(cursor)).unwrap();
                    assert_eq!(from.next().unwrap().unwrap().bytes, line.trim_end().as_bytes());
                }
            });
        }
    });
    drop(syncer);
    let count = |account: &String| journal.forward(account, None).unwrap().count();
    assert_eq!(journal.accounts().iter().map(count).sum::<usize>(), 1600);
    assert_eq!(journal.stopped(), None);
}

#[test]
fn long_lines_are_read_both_ways() {
    let directory = tempfile::tempdir().unwrap();
    let journal = Journal::open(&directory.path().join("events")).unwrap();
    let lens = [1, 70_000, 3, MAX_LINE_LEN, 65_535, 65_536, 2];
    for len in lens {
        journal.append(ACCOUNT, &[vec![b'x'; len], vec![b'\n']].concat()).unwrap();
    }
    let forward = texts(journal.forward(ACCOUNT, None).unwrap());
    assert_eq!(forward.iter().map(String::len).collect::<Vec<_>>(), lens);
    let mut backward = texts(journal.backward(ACCOUNT, None).unwrap());
    backward.reverse();
    assert!(backward == forward);
}

#[test]
fn memory_is_bounded_and_counts_what_it_dropped() {
    let journal = Journal::in_memory(10);
    let mut first = None;
    for index in 0..25 {
        let cursor = journal.append(ACCOUNT, format!("{{\"n\":{index}}}\n").as_bytes()).unwrap();
        first.get_or_insert(cursor);
    }
    assert_eq!(journal.dropped(ACCOUNT), 15);
    assert_eq!(texts(journal.forward(ACCOUNT, first).unwrap()).len(), 10);
    assert_eq!(texts(journal.backward(ACCOUNT, None).unwrap())[0], "{\"n\":24}");
}

#[cfg(unix)]
#[test]
fn tm_l07_the_journal_is_private_or_refused() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let events = directory.path().join("events");
    let journal = Journal::open(&events).unwrap();
    journal.append(ACCOUNT, b"{}\n").unwrap();
    let segment = journal.segments(ACCOUNT).unwrap().remove(0).path;
    for (path, mode) in [(&events, 0o700), (&events.join(ACCOUNT), 0o700), (&segment, 0o600)] {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o7777, mode);
    }
    drop(journal);
    fs::set_permissions(&segment, fs::Permissions::from_mode(0o644)).unwrap();
    let error = Journal::open(&events).unwrap().append(ACCOUNT, b"{}\n").unwrap_err();
    assert!(error.to_string().contains("chmod 600"), "{error}");
    fs::set_permissions(&events, fs::Permissions::from_mode(0o750)).unwrap();
    let error = Journal::open(&events).err().unwrap();
    assert!(error.to_string().contains("chmod 700"), "{error}");
}
