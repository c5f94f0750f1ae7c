//! Crashes, power losses and failing disks, on a recorded trace of what the embedded store does to its file.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::sync::mpsc;

use bailiwick_store::{EmbeddedStore, Entry, Outcome, Revision, Store, StoreError, Transaction};
use support::{Disk, Seeded, Step, apply, contents, open_backend};

/// The state after each revision.
type History = Vec<Vec<Entry>>;

/// A run of a store: every step of its disk, and how far the steps had come when each transaction was
/// acknowledged.
struct Run {
    steps: Vec<Step>,
    created: usize,
    acknowledged: Vec<(usize, Revision)>,
    history: History,
}

fn transaction(seeded: &mut Seeded) -> Transaction {
    let mut transaction = Transaction::new().put("last", seeded.next().to_string());
    for _ in 0..seeded.below(4) {
        let mut value = vec![0; seeded.below(3000)];
        seeded.fill(&mut value);
        let key = format!("user/{:03}", seeded.below(60));
        if transaction.puts.iter().all(|(other, _)| other != key.as_bytes()) {
            transaction = transaction.put(key, value);
        }
    }
    let key = format!("user/{:03}", seeded.below(60));
    if transaction.puts.iter().all(|(other, _)| other != key.as_bytes()) {
        transaction = transaction.delete(key);
    }
    transaction
}

fn record(seed: u64, transactions: usize) -> Run {
    let disk = Disk::default();
    let store = open_backend(disk.clone()).unwrap();
    let created = disk.step_count();
    let mut seeded = Seeded::new(seed);
    let mut history = vec![contents(&store).unwrap()];
    let (sender, receiver) = mpsc::channel();
    for index in 0..transactions {
        let (disk, sender) = (disk.clone(), sender.clone());
        let done = Box::new(move |result: Result<Outcome, StoreError>| {
            let Ok(Outcome::Committed(revision)) = result else { panic!("{result:?}") };
            sender.send((disk.step_count(), revision)).unwrap();
        });
        store.submit(transaction(&mut seeded), done);
        if index % 5 == 4 {
            store.compact(Revision(history.len() as u64 / 2)).unwrap();
        }
        // Compaction waits for what is before it; in between, transactions share commits.
        while index % 3 == 0 && store.revision() < Revision(index as u64 + 1) {
            std::thread::yield_now();
        }
    }
    drop(store);
    drop(sender);
    // The states, from the same transactions one at a time.
    let model = open_backend(Disk::default()).unwrap();
    let mut seeded = Seeded::new(seed);
    for _ in 0..transactions {
        model.transact(transaction(&mut seeded)).unwrap();
        history.push(contents(&model).unwrap());
    }
    Run { steps: disk.steps(), created, acknowledged: receiver.iter().collect(), history }
}

fn check(run: &Run, cut: usize, image: Vec<u8>, what: &str) {
    let acknowledged =
        run.acknowledged.iter().filter(|(step, _)| *step <= cut).map(|(_, revision)| *revision);
    let least = acknowledged.max().unwrap_or_default();
    let disk = Disk::holding(image);
    let store = open_backend(disk).unwrap_or_else(|error| panic!("{what} at {cut}: {error}"));
    let revision = store.revision();
    assert!(revision >= least, "{what} at {cut}: {revision} is before the acknowledged {least}");
    let found = contents(&store).unwrap();
    let expected = usize::try_from(revision.0).ok().and_then(|index| run.history.get(index));
    assert!(Some(&found) == expected, "{what} at {cut}: the state is not that of {revision}");
    assert!(store.transact(Transaction::new().put("next", "1")).is_ok());
}

#[test]
fn tm_i02_a_kill_at_every_step_opens_consistently() {
    let run = record(1, 40);
    let mut image = Vec::new();
    for (index, step) in run.steps.iter().enumerate() {
        apply(&mut image, step);
        if index + 1 >= run.created {
            check(&run, index + 1, image.clone(), "kill");
        }
    }
}

/// Of what was not synced, any part may be there: whole writes, sectors of writes, in any order.
#[test]
fn tm_i02_a_power_loss_at_any_step_opens_consistently() {
    power_losses(4, 250);
}

#[test]
#[ignore = "takes half a minute"]
fn tm_i02_ten_thousand_power_losses_open_consistently() {
    power_losses(20, 500);
}

fn power_losses(runs: u64, points: usize) {
    for seed in 2..2 + runs {
        let run = record(seed, 40);
        let mut seeded = Seeded::new(seed);
        for _ in 0..points {
            let cut = run.created + seeded.below(run.steps.len() - run.created + 1);
            let synced = run.steps[..cut]
                .iter()
                .rposition(|step| matches!(step, Step::Sync))
                .map_or(0, |index| index + 1);
            let mut image = Vec::new();
            run.steps[..synced].iter().for_each(|step| apply(&mut image, step));
            lose(&mut image, &run.steps[synced..cut], &mut seeded);
            check(&run, cut, image, "power loss");
        }
    }
}

/// A second crash, while the store opens after a first one.
#[test]
fn tm_i02_a_crash_while_opening_after_a_crash_opens_consistently() {
    let run = record(9, 30);
    let mut seeded = Seeded::new(9);
    for _ in 0..60 {
        let cut = run.created + seeded.below(run.steps.len() - run.created + 1);
        let mut image = Vec::new();
        run.steps[..cut].iter().for_each(|step| apply(&mut image, step));
        let disk = Disk::holding(image.clone());
        drop(open_backend(disk.clone()).unwrap());
        let steps = disk.steps();
        for _ in 0..6 {
            let again = seeded.below(steps.len() + 1);
            let synced = steps[..again]
                .iter()
                .rposition(|step| matches!(step, Step::Sync))
                .map_or(0, |index| index + 1);
            let mut image = image.clone();
            steps[..synced].iter().for_each(|step| apply(&mut image, step));
            lose(&mut image, &steps[synced..again], &mut seeded);
            check(&run, cut, image, "second crash");
        }
    }
}

/// Applies a random part of the steps.
fn lose(image: &mut Vec<u8>, steps: &[Step], seeded: &mut Seeded) {
    for step in steps {
        match (step, seeded.below(4)) {
            (_, 0) => {}
            (Step::Write(offset, data), 1) => {
                for (index, sector) in data.chunks(512).enumerate() {
                    if seeded.below(2) == 0 {
                        let offset = offset + (index * 512) as u64;
                        apply(image, &Step::Write(offset, sector.into()));
                    }
                }
            }
            _ => apply(image, step),
        }
    }
}

#[test]
fn tm_i03_a_failed_write_or_sync_stops_the_store_and_acknowledges_nothing() {
    // How many steps the transactions below take when nothing fails.
    let undisturbed = fail_at(0, true).unwrap();
    assert!(undisturbed > 20, "{undisturbed}");
    for lasting in [true, false] {
        for step in 1..=undisturbed {
            fail_at(step, lasting);
        }
    }
}

/// Runs transactions on a disk that fails at a step; gives the count of steps when none failed.
fn fail_at(step: usize, lasting: bool) -> Option<usize> {
    let disk = Disk::default();
    let store: EmbeddedStore = open_backend(disk.clone()).unwrap();
    let before = disk.step_count();
    disk.fail(step, lasting);
    let mut acknowledged = 0;
    let mut failed = false;
    for index in 1..=6_u64 {
        let value = vec![u8::try_from(index).unwrap(); 5000];
        match store.transact(Transaction::new().put(format!("k{index}"), value)) {
            Ok(Outcome::Committed(revision)) => {
                assert!(!failed, "step {step}: acknowledged after a failure");
                assert_eq!(revision, Revision(index));
                acknowledged = index;
            }
            Ok(conflict) => panic!("{conflict:?}"),
            Err(StoreError::Stopped { reason }) => {
                assert!(!reason.is_empty());
                assert!(store.stopped().is_some());
                failed = true;
            }
            Err(other) => panic!("step {step}: {other}"),
        }
    }
    assert_eq!(failed, store.stopped().is_some());
    let count = disk.step_count() - before;
    let image = disk.image();
    disk.fail(0, false);
    drop(store);
    // After a restart, on what reached the disk by then, the acknowledged transactions are there.
    for image in [image, disk.image()] {
        let store = open_backend(Disk::holding(image)).unwrap();
        assert!(store.revision().0 >= acknowledged, "step {step}");
        for index in 1..=acknowledged {
            assert!(store.get(format!("k{index}").as_bytes()).unwrap().is_some(), "step {step}");
        }
    }
    (!failed).then_some(count)
}
