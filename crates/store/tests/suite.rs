//! What every backend of the store does: one suite, run on each.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use bailiwick_store::lease::{self, LeaseError};
use bailiwick_store::{
    Change, Expect, MemoryStore, Outcome, Revision, Store, StoreError, Transaction,
    TransactionError,
};
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use support::{Seeded, contents, open_backend};

macro_rules! suite {
    ($($name:ident,)*) => {
        mod memory {
            $(#[test]
            fn $name() {
                let store: super::Shared = std::sync::Arc::new(super::MemoryStore::new());
                super::$name(&store);
            })*
        }
        mod embedded {
            $(#[test]
            fn $name() {
                let backend = redb::backends::InMemoryBackend::new();
                let store: super::Shared =
                    std::sync::Arc::new(super::open_backend(backend).unwrap());
                super::$name(&store);
            })*
        }
    };
}

suite![
    an_empty_store_has_nothing,
    puts_gets_and_deletes,
    compares_hold_or_conflict,
    a_conflict_writes_nothing,
    ranges_page_in_key_order,
    the_change_log_tells_what_happened,
    compaction_drops_changes_and_keeps_values,
    limits_are_refused,
    completions_come_in_commit_order,
    completions_never_run_inside_submit,
    completions_may_read_and_submit_but_not_wait,
    a_panicking_completion_stops_the_store,
    random_transactions_agree_with_a_map,
    tm_i05_of_32_creators_one_wins,
    tm_i05_counters_lose_no_step,
    leases_have_one_owner_and_growing_epochs,
    tm_j03_a_late_owner_is_fenced_off,
];

type Shared = Arc<dyn Store>;

fn commit(store: &Shared, transaction: Transaction) -> Revision {
    match store.transact(transaction).unwrap() {
        Outcome::Committed(revision) => revision,
        Outcome::Conflict { key } => panic!("conflict at {}", key.escape_ascii()),
    }
}

fn an_empty_store_has_nothing(store: &Shared) {
    assert_eq!(store.revision(), Revision(0));
    assert_eq!(store.get(b"a"), Ok(None));
    assert_eq!(contents(&**store), Ok(vec![]));
    assert_eq!(store.tail(Revision(0), 10), Ok(vec![]));
    assert_eq!(commit(store, Transaction::new()), Revision(0));
    assert_eq!(store.revision(), Revision(0));
}

fn puts_gets_and_deletes(store: &Shared) {
    assert_eq!(commit(store, Transaction::new().put("a", "1").put("b", "2")), Revision(1));
    assert_eq!(commit(store, Transaction::new().put("a", "3")), Revision(2));
    let entry = store.get(b"a").unwrap().unwrap();
    assert_eq!(
        (&entry.key[..], &entry.value[..], entry.revision),
        (&b"a"[..], &b"3"[..], Revision(2))
    );
    assert_eq!(store.get(b"b").unwrap().unwrap().revision, Revision(1));
    assert_eq!(commit(store, Transaction::new().delete("a").delete("absent")), Revision(3));
    assert_eq!(store.get(b"a"), Ok(None));
    assert_eq!(commit(store, Transaction::new().put("empty", "")), Revision(4));
    assert_eq!(store.get(b"empty").unwrap().unwrap().value, b"");
    assert_eq!(store.revision(), Revision(4));
}

fn compares_hold_or_conflict(store: &Shared) {
    commit(store, Transaction::new().put("a", "1"));
    for (expect, key, holds) in [
        (Expect::Absent, "a", false),
        (Expect::Absent, "b", true),
        (Expect::Present, "a", true),
        (Expect::Present, "b", false),
        (Expect::At(Revision(1)), "a", true),
        (Expect::At(Revision(2)), "a", false),
        (Expect::At(Revision(1)), "b", false),
    ] {
        let outcome = store.transact(Transaction::new().compare(key, expect)).unwrap();
        let conflict = Outcome::Conflict { key: key.into() };
        let expected = if holds { Outcome::Committed(Revision(1)) } else { conflict };
        assert_eq!(outcome, expected, "{expect:?} {key}");
    }
    assert_eq!(store.revision(), Revision(1), "only comparing takes no revision");
}

fn a_conflict_writes_nothing(store: &Shared) {
    commit(store, Transaction::new().put("a", "1"));
    let (sender, receiver) = mpsc::channel();
    // Many at once, so that some share a commit with the conflicts between them.
    for index in 0..200_u32 {
        let transaction = if index % 2 == 0 {
            Transaction::new().create(format!("good/{index}"), "x")
        } else {
            Transaction::new().create("a", "2").put(format!("bad/{index}"), "x").delete("good/0")
        };
        let sender = sender.clone();
        store.submit(transaction, Box::new(move |result| sender.send((index, result)).unwrap()));
    }
    for expected in 0..200 {
        let (index, result) = receiver.recv().unwrap();
        assert_eq!(index, expected);
        match result.unwrap() {
            Outcome::Committed(revision) => assert_eq!(revision.0, u64::from(index / 2 + 2)),
            Outcome::Conflict { key } => assert_eq!((index % 2, key), (1, b"a".to_vec())),
        }
    }
    assert_eq!(store.range(b"bad/", None, 10), Ok(vec![]));
    assert_eq!(store.range(b"good/", None, 1000).unwrap().len(), 100);
    assert_eq!(store.get(b"a").unwrap().unwrap().value, b"1");
}

fn ranges_page_in_key_order(store: &Shared) {
    let mut transaction = Transaction::new().put("v", "").put("w0", "").put("\u{7f}", "");
    for index in 0..25 {
        transaction = transaction.put(format!("user/{index:02}"), index.to_string());
    }
    commit(store, transaction);
    let mut after: Option<Vec<u8>> = None;
    let mut seen = Vec::new();
    loop {
        let page = store.range(b"user/", after.as_deref(), 10).unwrap();
        assert!(page.len() <= 10);
        let Some(last) = page.last() else { break };
        after = Some(last.key.clone());
        seen.extend(page.into_iter().map(|entry| String::from_utf8(entry.value).unwrap()));
    }
    assert_eq!(seen, (0..25).map(|index| index.to_string()).collect::<Vec<_>>());
    assert_eq!(store.range(b"user/", Some(b"a"), 100).unwrap().len(), 25, "before the prefix");
    assert_eq!(store.range(b"user/", Some(b"v"), 100), Ok(vec![]), "after the prefix");
    assert_eq!(store.range(b"user/", None, 0), Ok(vec![]));
    assert_eq!(store.range(b"none", None, 5), Ok(vec![]));
}

fn the_change_log_tells_what_happened(store: &Shared) {
    commit(store, Transaction::new().put("b", "2").put("a", "1"));
    store.transact(Transaction::new().create("a", "9")).unwrap();
    commit(store, Transaction::new().put("c", "3").delete("a"));
    let first = Change {
        revision: Revision(1),
        puts: vec![(b"b".to_vec(), b"2".to_vec()), (b"a".to_vec(), b"1".to_vec())],
        deletes: vec![],
    };
    let second = Change {
        revision: Revision(2),
        puts: vec![(b"c".to_vec(), b"3".to_vec())],
        deletes: vec![b"a".to_vec()],
    };
    assert_eq!(store.tail(Revision(0), 9), Ok(vec![first.clone(), second.clone()]));
    assert_eq!(store.tail(Revision(0), 1), Ok(vec![first]));
    assert_eq!(store.tail(Revision(1), 9), Ok(vec![second]));
    assert_eq!(store.tail(Revision(2), 9), Ok(vec![]));
    assert_eq!(store.tail(Revision(7), 9), Ok(vec![]));
    assert_eq!(store.tail(Revision(u64::MAX), 9), Ok(vec![]));
}

fn compaction_drops_changes_and_keeps_values(store: &Shared) {
    for index in 1..=10_u64 {
        commit(store, Transaction::new().put(format!("k{index}"), "v"));
    }
    store.compact(Revision(4)).unwrap();
    assert_eq!(store.tail(Revision(3), 9), Err(StoreError::Compacted { floor: Revision(4) }));
    let tail = store.tail(Revision(4), 99).unwrap();
    assert_eq!(
        tail.iter().map(|change| change.revision.0).collect::<Vec<_>>(),
        [5, 6, 7, 8, 9, 10]
    );
    store.compact(Revision(2)).unwrap();
    assert_eq!(store.tail(Revision(4), 99).unwrap().len(), 6, "compacting backwards does nothing");
    store.compact(Revision(99)).unwrap();
    assert_eq!(store.tail(Revision(10), 9), Ok(vec![]));
    assert_eq!(store.tail(Revision(9), 9), Err(StoreError::Compacted { floor: Revision(10) }));
    assert_eq!(contents(&**store).unwrap().len(), 10);
    assert_eq!(commit(store, Transaction::new().put("next", "v")), Revision(11));
    assert_eq!(store.tail(Revision(10), 9).unwrap().len(), 1);
}

fn limits_are_refused(store: &Shared) {
    let refused = store.transact(Transaction::new().put("", "1"));
    assert_eq!(refused, Err(StoreError::Invalid(TransactionError::EmptyKey)));
    let refused = store.transact(Transaction::new().put("a", "1").delete("a"));
    assert_eq!(refused, Err(StoreError::Invalid(TransactionError::KeyWrittenTwice)));
    assert_eq!(store.revision(), Revision(0));
    let largest = vec![7; bailiwick_store::MAX_VALUE_LEN];
    let longest = vec![b'k'; bailiwick_store::MAX_KEY_LEN];
    commit(store, Transaction::new().put(longest.clone(), largest.clone()));
    assert!(store.get(&longest).unwrap().unwrap().value == largest);
}

fn completions_come_in_commit_order(store: &Shared) {
    let order = Arc::new(Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for writer in 0..8 {
            let order = &order;
            scope.spawn(move || {
                for index in 0..50 {
                    let order = Arc::clone(order);
                    let transaction = Transaction::new().put(format!("{writer}/{index}"), "x");
                    let done = Box::new(move |result: Result<Outcome, _>| {
                        order.lock().push(result.unwrap());
                    });
                    store.submit(transaction, done);
                }
            });
        }
    });
    // Waits for the queue to empty: what is submitted last ends last.
    let (sender, receiver) = mpsc::channel();
    store.submit(Transaction::new(), Box::new(move |result| sender.send(result).unwrap()));
    receiver.recv().unwrap().unwrap();
    let expected: Vec<_> = (1..=400).map(|n| Outcome::Committed(Revision(n))).collect();
    assert!(*order.lock() == expected);
}

fn completions_never_run_inside_submit(store: &Shared) {
    // A caller holds the lock of its account while it submits, and its completion takes the same lock.
    let account = Arc::new(Mutex::new(()));
    let (sender, receiver) = mpsc::channel();
    let held = account.lock();
    for transaction in [Transaction::new().put("a", "1"), Transaction::new().put("", "1")] {
        let (account, sender) = (Arc::clone(&account), sender.clone());
        store.submit(
            transaction,
            Box::new(move |result| {
                let _held = account.lock();
                sender.send(result).unwrap();
            }),
        );
    }
    drop(held);
    assert_eq!(receiver.recv().unwrap(), Ok(Outcome::Committed(Revision(1))));
    assert!(receiver.recv().unwrap().is_err());
}

fn completions_may_read_and_submit_but_not_wait(store: &Shared) {
    let (sender, receiver) = mpsc::channel();
    let inner = Arc::clone(store);
    store.submit(
        Transaction::new().put("a", "1"),
        Box::new(move |_| {
            let seen = inner.get(b"a").unwrap().unwrap().value;
            let waited = inner.transact(Transaction::new().put("b", "1"));
            let done = Box::new(move |result| sender.send((seen, waited, result)).unwrap());
            inner.submit(Transaction::new().put("c", "1"), done);
        }),
    );
    let (seen, waited, result) = receiver.recv().unwrap();
    assert_eq!(seen, b"1");
    assert_eq!(waited, Err(StoreError::WouldDeadlock));
    assert_eq!(result, Ok(Outcome::Committed(Revision(2))));
}

fn a_panicking_completion_stops_the_store(store: &Shared) {
    store.submit(Transaction::new().put("a", "1"), Box::new(|_| panic!("a completion panics")));
    let (sender, receiver) = mpsc::channel();
    store.submit(Transaction::new(), Box::new(move |_| sender.send(()).unwrap()));
    receiver.recv().unwrap();
    let refused = store.transact(Transaction::new().put("b", "1"));
    assert!(matches!(refused, Err(StoreError::Stopped { .. })), "{refused:?}");
    assert_eq!(store.get(b"b"), Ok(None));
}

fn random_transactions_agree_with_a_map(store: &Shared) {
    let mut seeded = Seeded::new(7);
    let mut map: BTreeMap<Vec<u8>, (Vec<u8>, Revision)> = BTreeMap::new();
    let mut revision = Revision(0);
    for _ in 0..400 {
        let mut keys: Vec<Vec<u8>> = (0..20_u8).map(|n| vec![b'k', n]).collect();
        let mut transaction = Transaction::new();
        for _ in 0..seeded.below(3) {
            let key = keys[seeded.below(keys.len())].clone();
            let expect = match (seeded.below(4), map.get(&key)) {
                (0, _) => Expect::Absent,
                (1, _) => Expect::Present,
                (_, Some((_, at))) => Expect::At(*at),
                (_, None) => Expect::Absent,
            };
            transaction = transaction.compare(key, expect);
        }
        for _ in 0..seeded.below(4) {
            let key = keys.swap_remove(seeded.below(keys.len()));
            transaction = match seeded.below(3) {
                0 => transaction.delete(key),
                _ => transaction.put(key, vec![0; seeded.below(300)]),
            };
        }
        let at = |key: &Vec<u8>| map.get(key).map(|(_, at)| *at);
        let broken = transaction.compares.iter().find(|(key, expect)| !expect.holds(at(key)));
        let expected = if let Some((key, _)) = broken {
            Outcome::Conflict { key: key.clone() }
        } else {
            if transaction.writes() {
                revision = revision.next();
            }
            for key in &transaction.deletes {
                map.remove(key);
            }
            for (key, value) in &transaction.puts {
                map.insert(key.clone(), (value.clone(), revision));
            }
            Outcome::Committed(revision)
        };
        assert_eq!(store.transact(transaction), Ok(expected));
    }
    let found: BTreeMap<_, _> = contents(&**store)
        .unwrap()
        .into_iter()
        .map(|entry| (entry.key, (entry.value, entry.revision)))
        .collect();
    assert!(found == map);
    // The change log, replayed, gives the same state.
    let mut replayed = BTreeMap::new();
    for change in store.tail(Revision(0), usize::MAX).unwrap() {
        for key in change.deletes {
            replayed.remove(&key);
        }
        for (key, value) in change.puts {
            replayed.insert(key, (value, change.revision));
        }
    }
    assert!(replayed == map);
}

fn tm_i05_of_32_creators_one_wins(store: &Shared) {
    let winners = AtomicUsize::new(0);
    for round in 0..5 {
        thread::scope(|scope| {
            for creator in 0..32 {
                let winners = &winners;
                scope.spawn(move || {
                    let create = Transaction::new()
                        .create(format!("user/{round}"), creator.to_string())
                        .put(format!("owned/{round}/{creator}"), "x");
                    if matches!(store.transact(create), Ok(Outcome::Committed(_))) {
                        winners.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
    }
    assert_eq!(winners.into_inner(), 5);
    let owned = store.range(b"owned/", None, 99).unwrap();
    assert_eq!(owned.len(), 5, "a loser left nothing behind");
    for entry in owned {
        let text = String::from_utf8(entry.key).unwrap();
        let mut parts = text.split('/').skip(1);
        let (round, creator) = (parts.next().unwrap(), parts.next().unwrap());
        let user = store.get(format!("user/{round}").as_bytes()).unwrap().unwrap();
        assert_eq!(user.value, creator.as_bytes());
    }
}

/// I05: a quota counter that many raise by compare-and-set counts each once.
fn tm_i05_counters_lose_no_step(store: &Shared) {
    commit(store, Transaction::new().put("count", "0"));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut steps = 0;
                while steps < 20 {
                    let entry = store.get(b"count").unwrap().unwrap();
                    let count: u32 = std::str::from_utf8(&entry.value).unwrap().parse().unwrap();
                    let raise = Transaction::new()
                        .compare("count", Expect::At(entry.revision))
                        .put("count", (count + 1).to_string());
                    steps += u32::from(matches!(store.transact(raise), Ok(Outcome::Committed(_))));
                }
            });
        }
    });
    assert_eq!(store.get(b"count").unwrap().unwrap().value, b"160");
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn leases_have_one_owner_and_growing_epochs(store: &Shared) {
    let store = &**store;
    let ten = SignedDuration::from_secs(10);
    assert_eq!(lease::current(store, "export"), Ok(None));
    let first = lease::grant(store, "export", "node-a", at(0), ten).unwrap();
    assert_eq!((first.epoch, first.expires), (1, at(10)));
    let again = lease::grant(store, "export", "node-a", at(2), ten).unwrap();
    assert_eq!((again.epoch, again.expires), (1, at(12)));
    let held = lease::grant(store, "export", "node-b", at(11), ten);
    assert_eq!(held, Err(LeaseError::Held(Box::new(again.clone()))));
    let renewed = lease::renew(store, &again, at(11), ten).unwrap();
    assert_eq!((renewed.epoch, renewed.expires), (1, at(21)));
    lease::release(store, &renewed, at(12)).unwrap();
    let second = lease::grant(store, "export", "node-b", at(12), ten).unwrap();
    assert_eq!(second.epoch, 2);
    assert_eq!(lease::current(store, "export"), Ok(Some(second)));
    for (name, owner, duration, error) in [
        ("", "a", ten, LeaseError::Name),
        ("a", "", ten, LeaseError::Name),
        (&"x".repeat(129), "a", ten, LeaseError::Name),
        ("a", "a", SignedDuration::ZERO, LeaseError::Duration),
        ("a", "a", SignedDuration::MAX, LeaseError::Duration),
    ] {
        assert_eq!(lease::grant(store, name, owner, at(0), duration), Err(error));
    }
}

fn tm_j03_a_late_owner_is_fenced_off(store: &Shared) {
    let store = &**store;
    let ten = SignedDuration::from_secs(10);
    let late = lease::grant(store, "export", "node-a", at(0), ten).unwrap();
    let lost = LeaseError::Lost { name: "export".to_owned(), epoch: 1 };
    assert_eq!(lease::renew(store, &late, at(10), ten), Err(lost.clone()), "it has run out");
    let newer = lease::grant(store, "export", "node-b", at(10), ten).unwrap();
    assert!(newer.epoch > late.epoch);
    // Its clock is behind: by its own time the lease still holds.
    assert_eq!(lease::renew(store, &late, at(5), ten), Err(lost.clone()));
    assert_eq!(lease::release(store, &late, at(5)), Err(lost));
    assert_eq!(lease::current(store, "export"), Ok(Some(newer)));
}
