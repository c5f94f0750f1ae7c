//! What durability costs: one commit alone, 32 writers that share commits, memory, and sealing.
//!
//! The embedded store runs in a directory of its own below the system's temporary directory; where that is
//! not a disk, the figures are not those of a disk.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use bailiwick_store::journal::Journal;
use bailiwick_store::seal::{Binding, Keyring, Purpose};
use bailiwick_store::{EmbeddedOptions, EmbeddedStore, MemoryStore, Store, Transaction};
use divan::Bencher;
use divan::counter::ItemsCount;
use jiff::Timestamp;

fn main() {
    divan::main();
}

const WRITERS: u64 = 32;
const BINDING: Binding<'_> = Binding { kind: "access-key", id: b"AKIAEXAMPLE", version: 1 };

static NUMBER: AtomicU64 = AtomicU64::new(0);

fn keyring() -> Keyring {
    Keyring::from_bytes([7; 32]).ok().unwrap_or_else(|| std::process::abort())
}

fn options<'a>(keyring: &'a Keyring, random: &'a mut dyn FnMut(&mut [u8])) -> EmbeddedOptions<'a> {
    EmbeddedOptions { keyring, now: Timestamp::UNIX_EPOCH, random, max_changes: None }
}

fn embedded() -> (tempfile::TempDir, EmbeddedStore) {
    let directory = tempfile::tempdir().unwrap_or_else(|_| std::process::abort());
    let mut next = 0_u8;
    let random = &mut |bytes: &mut [u8]| {
        next = next.wrapping_add(1);
        bytes.fill(next);
    };
    let store = EmbeddedStore::open(&directory.path().join("data"), options(&keyring(), random));
    (directory, store.unwrap_or_else(|_| std::process::abort()))
}

/// About what creating a user writes: the user, its folded name, and an event.
fn transaction() -> Transaction {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    Transaction::new()
        .create(format!("account/123456789012/user/AIDA{number:016}"), vec![1; 300])
        .create(format!("account/123456789012/user-name/user-{number}"), vec![2; 20])
        .put(format!("account/123456789012/event/{number:020}"), vec![3; 900])
}

#[divan::bench]
fn durable_transaction_alone(bencher: Bencher<'_, '_>) {
    let (_directory, store) = embedded();
    bencher.bench(|| store.transact(transaction()));
}

#[divan::bench(sample_count = 20)]
fn durable_transactions_of_32_writers(bencher: Bencher<'_, '_>) {
    let (_directory, store) = embedded();
    bencher.counter(ItemsCount::new(WRITERS * 20)).bench(|| {
        thread::scope(|scope| {
            for _ in 0..WRITERS {
                scope.spawn(|| {
                    for _ in 0..20 {
                        drop(store.transact(transaction()));
                    }
                });
            }
        });
    });
}

#[divan::bench]
fn memory_transaction(bencher: Bencher<'_, '_>) {
    let store = MemoryStore::new();
    bencher.bench(|| store.transact(transaction()));
}

#[divan::bench]
fn embedded_get(bencher: Bencher<'_, '_>) {
    let (_directory, store) = embedded();
    drop(store.transact(Transaction::new().put("key", vec![1; 300])));
    bencher.bench(|| store.get(b"key"));
}

#[divan::bench]
fn journal_append(bencher: Bencher<'_, '_>) {
    let directory = tempfile::tempdir().unwrap_or_else(|_| std::process::abort());
    let journal = Journal::open(&directory.path().join("events"));
    let journal = journal.unwrap_or_else(|_| std::process::abort());
    let line = [vec![b'x'; 900], vec![b'\n']].concat();
    bencher.bench(|| journal.append("123456789012", &line));
}

#[divan::bench(args = [40, 1000])]
fn seal(bencher: Bencher<'_, '_>, len: usize) {
    let (keyring, plaintext) = (keyring(), vec![1; len]);
    bencher.bench(|| keyring.seal(Purpose::SessionToken, &BINDING, &plaintext, [5; 12]));
}

#[divan::bench(args = [40, 1000])]
fn open(bencher: Bencher<'_, '_>, len: usize) {
    let keyring = keyring();
    let sealed = keyring.seal(Purpose::SessionToken, &BINDING, &vec![1; len], [5; 12]);
    let sealed = sealed.unwrap_or_default();
    bencher.bench(|| keyring.open(Purpose::SessionToken, &BINDING, &sealed));
}

/// Opening checks every record: the time grows with their number.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn reopen_with_100_000_records(bencher: Bencher<'_, '_>) {
    let (directory, store) = embedded();
    for round in 0..100 {
        let mut filling = Transaction::new();
        for number in 0..1000 {
            filling = filling.put(format!("user/{round:03}/{number:04}"), vec![1; 400]);
        }
        drop(store.transact(filling));
    }
    drop(store);
    let path = directory.path().join("data");
    bencher.bench_local(|| {
        EmbeddedStore::open(&path, options(&keyring(), &mut |bytes| bytes.fill(1)))
            .unwrap_or_else(|_| std::process::abort())
            .revision()
    });
}
