//! The embedded store in a directory: modes, locks, formats, keys, and damage of every kind.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use bailiwick_store::journal::Journal;
use bailiwick_store::seal::{Binding, Keyring, Purpose, SealError};
use bailiwick_store::{EmbeddedStore, Entry, Revision, Store, StoreError, Transaction};
use base64::Engine as _;
use redb::{Database, TableDefinition};
use support::{Seeded, contents, keyring, with_options};

/// A data directory that is gone after the test.
struct Directory {
    _parent: tempfile::TempDir,
    path: PathBuf,
}

impl Directory {
    fn new() -> Self {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        Self { _parent: parent, path }
    }

    fn open(&self) -> Result<EmbeddedStore, StoreError> {
        self.open_with(&keyring())
    }

    fn open_with(&self, keyring: &Keyring) -> Result<EmbeddedStore, StoreError> {
        with_options(keyring, |options| EmbeddedStore::open(&self.path, options))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// A store with some records, closed again; and its entries.
    fn filled(records: usize) -> (Self, Vec<Entry>) {
        let directory = Self::new();
        let store = directory.open().unwrap();
        for index in 0..records {
            let policy = format!("{{\"Statement\":\"policy number {index}\"}}").repeat(20);
            store.transact(Transaction::new().put(format!("policy/{index:04}"), policy)).unwrap();
        }
        let entries = contents(&store).unwrap();
        drop(store);
        (directory, entries)
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn names(path: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn what_was_written_is_there_after_a_restart() {
    let (directory, entries) = Directory::filled(20);
    let store = directory.open().unwrap();
    assert_eq!(store.revision(), Revision(20));
    assert_eq!(contents(&store).unwrap(), entries);
    assert_eq!(store.tail(Revision(0), 99).unwrap().len(), 20);
    assert_eq!(store.format().store_id.len(), 32);
    assert_eq!(names(&directory.path), ["FORMAT", "LOCK", "state.head", "state.redb"]);
}

#[test]
fn the_change_log_is_bounded() {
    let directory = Directory::new();
    let bounded = |max_changes| {
        with_options(&keyring(), |mut options| {
            options.max_changes = Some(max_changes);
            EmbeddedStore::open(&directory.path, options)
        })
        .unwrap()
    };
    let store = bounded(10);
    for index in 0..30_u32 {
        store.transact(Transaction::new().put("key", index.to_string())).unwrap();
    }
    assert_eq!(store.tail(Revision(19), 99), Err(StoreError::Compacted { floor: Revision(20) }));
    assert_eq!(store.tail(Revision(20), 99).unwrap().len(), 10);
    drop(store);
    let store = bounded(5);
    for index in 0..5_u32 {
        store.transact(Transaction::new().put("key", index.to_string())).unwrap();
    }
    assert_eq!(store.tail(Revision(30), 99).unwrap().len(), 5, "a lower bound is reached");
}

#[test]
fn tm_l07_files_and_directory_are_private() {
    let (directory, _) = Directory::filled(1);
    assert_eq!(mode(&directory.path), 0o700);
    for name in names(&directory.path) {
        assert_eq!(mode(&directory.file(&name)), 0o600, "{name}");
    }
}

#[test]
fn tm_l07_wide_modes_are_refused_with_the_command_that_helps() {
    let (directory, entries) = Directory::filled(3);
    let files = ["FORMAT", "state.head", "state.redb"].map(|name| (directory.file(name), 0o600));
    for (path, right) in files.into_iter().chain([(directory.path.clone(), 0o700)]) {
        for wide in [right | 0o040, right | 0o004, right | 0o020, right | 0o002] {
            fs::set_permissions(&path, fs::Permissions::from_mode(wide)).unwrap();
            let error = directory.open().unwrap_err();
            assert!(matches!(error, StoreError::Permissions { .. }), "{error}");
            let command = format!("chmod {right:o} {}", path.display());
            assert!(error.to_string().contains(&command), "{error}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(right)).unwrap();
    }
    assert_eq!(contents(&directory.open().unwrap()).unwrap(), entries);
}

#[test]
fn a_second_opening_is_refused() {
    let (directory, _) = Directory::filled(1);
    let first = directory.open().unwrap();
    let error = directory.open().unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }), "{error}");
    assert!(error.to_string().contains("in use by another process"), "{error}");
    drop(first);
    directory.open().unwrap();
}

#[test]
fn another_master_key_is_refused() {
    let (directory, _) = Directory::filled(1);
    for other in [
        Keyring::from_bytes([1; 32]).unwrap(),
        Keyring::parse(&format!(
            "2:{}",
            base64::engine::general_purpose::STANDARD.encode([42; 32])
        ))
        .unwrap(),
    ] {
        let error = directory.open_with(&other).unwrap_err();
        assert!(matches!(error, StoreError::WrongKey { .. }), "{error}");
    }
}

#[test]
fn tm_l06_the_master_key_is_rotated_while_the_store_runs() {
    let (directory, entries) = Directory::filled(3);
    let both = keyring().rotated(&mut |bytes| bytes.fill(9)).unwrap();
    let store = directory.open_with(&both).unwrap();
    let mut seeded = Seeded::new(3);
    store.reseal(&both, &mut |bytes| seeded.fill(bytes)).unwrap();
    store.transact(Transaction::new().put("zz", "after")).unwrap();
    drop(store);
    let newest = both.retired(1).unwrap();
    let store = directory.open_with(&newest).unwrap();
    assert_eq!(contents(&store).unwrap()[..3], entries);
    drop(store);
    assert!(directory.open().is_err(), "the old key alone no longer opens it");
}

#[test]
fn tm_i09_a_newer_format_is_refused() {
    let (directory, entries) = Directory::filled(2);
    let format = directory.file("FORMAT");
    let original = fs::read(&format).unwrap();
    let newer =
        String::from_utf8(original.clone()).unwrap().replace("\"format\":1", "\"format\":7");
    fs::write(&format, &newer).unwrap();
    let error = directory.open().unwrap_err();
    assert!(matches!(error, StoreError::NewerFormat { found: 7, known: 1, .. }), "{error}");
    assert!(error.to_string().contains("FORMAT") && error.to_string().contains("newer version"));

    // Without the file, the state itself says so.
    fs::remove_file(&format).unwrap();
    let database = Database::open(directory.file("state.redb")).unwrap();
    let write = database.begin_write().unwrap();
    let meta: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
    write.open_table(meta).unwrap().insert("format", newer.as_bytes()).unwrap();
    write.commit().unwrap();
    drop(database);
    let error = directory.open().unwrap_err();
    assert!(matches!(error, StoreError::NewerFormat { found: 7, .. }), "{error}");

    let database = Database::open(directory.file("state.redb")).unwrap();
    let write = database.begin_write().unwrap();
    write.open_table(meta).unwrap().insert("format", original.as_slice()).unwrap();
    write.commit().unwrap();
    drop(database);
    assert_eq!(contents(&directory.open().unwrap()).unwrap(), entries);
    assert_eq!(fs::read(&format).unwrap(), original, "the lost file was written anew");
}

#[test]
fn tm_i09_a_first_start_that_was_killed_is_repeated() {
    let directory = Directory::new();
    fs::create_dir(&directory.path).unwrap();
    fs::set_permissions(&directory.path, fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(directory.file("state.redb.new"), b"half of it").unwrap();
    fs::write(directory.file("FORMAT.new"), b"half").unwrap();
    let store = directory.open().unwrap();
    store.transact(Transaction::new().put("a", "1")).unwrap();
    drop(store);
    // Killed between the state and the small files.
    fs::remove_file(directory.file("FORMAT")).unwrap();
    fs::remove_file(directory.file("state.head")).unwrap();
    assert_eq!(directory.open().unwrap().revision(), Revision(1));
}

/// Opens a directory whose files were changed: what is served must be what was written, or nothing; what is
/// refused must stay as it was found. Returns whether it was refused.
fn check_damaged(directory: &Directory, entries: &[Entry], what: &str) -> bool {
    let state = directory.file("state.redb");
    let before = fs::read(&state).ok();
    match directory.open() {
        Ok(store) => {
            assert_eq!(store.revision().0, entries.len() as u64, "{what}: another revision");
            assert!(contents(&store).unwrap() == entries, "{what}: other contents");
            false
        }
        Err(error) => {
            let text = error.to_string();
            assert!(text.contains("data"), "{what}: names the file: {text}");
            assert!(
                ["restore", "remove", "start"].iter().any(|advice| text.contains(advice)),
                "{what}: says what to do: {text}"
            );
            assert!(fs::read(&state).ok() == before, "{what}: the damaged file was changed");
            assert!(!directory.file("state.redb.new").exists(), "{what}");
            true
        }
    }
}

#[test]
fn tm_i04_flipped_bits_are_refused_or_harmless() {
    flip_bits(1, 60);
}

#[test]
#[ignore = "takes minutes"]
fn tm_i04_many_flipped_bits_are_refused_or_harmless() {
    flip_bits(8, 3000);
}

/// After a kill the header decides which of its two halves is opened; a flipped bit there must not silently
/// bring back the state before the last transaction.
#[test]
fn tm_i04_flipped_header_bits_after_a_kill_are_refused_or_harmless() {
    let (running, _) = Directory::filled(8);
    let store = running.open().unwrap();
    store.transact(Transaction::new().put("policy/0008", "the last word")).unwrap();
    let entries = contents(&store).unwrap();
    let killed = Directory::new();
    fs::create_dir(&killed.path).unwrap();
    fs::set_permissions(&killed.path, fs::Permissions::from_mode(0o700)).unwrap();
    for name in names(&running.path) {
        fs::copy(running.file(&name), killed.file(&name)).unwrap();
    }
    drop(store);
    let state = killed.file("state.redb");
    let sound = fs::read(&state).unwrap();
    let mut refused = 0;
    for (at, bit) in (9..10).chain(64..320).flat_map(|at| [0, 1, 2, 3, 7].map(|bit| (at, bit))) {
        if at != 9 && bit != at % 4 {
            continue;
        }
        let mut damaged = sound.clone();
        damaged[at] ^= 1 << bit;
        fs::write(&state, &damaged).unwrap();
        for name in ["FORMAT", "state.head"] {
            fs::copy(running.file(name), killed.file(name)).unwrap();
        }
        refused += u32::from(check_damaged(&killed, &entries, &format!("bit {bit} of {at}")));
    }
    assert!(refused > 50, "only {refused} refused");
}

/// Flips bits of the file's header (`bits` of each byte), of the stored policies, and at random places.
fn flip_bits(bits: usize, random: usize) {
    let (directory, entries) = Directory::filled(30);
    let state = directory.file("state.redb");
    let sound = fs::read(&state).unwrap();
    let mut seeded = Seeded::new(4);
    // The byte that says which half of the header counts is flipped in every bit.
    let mut flips: Vec<(usize, usize)> = (0..8).map(|bit| (9, bit)).collect();
    flips.extend((0..330).flat_map(|at| (0..bits).map(move |bit| (at, (at + bit) % 8))));
    let policies = sound.windows(13).enumerate().filter(|(_, window)| window == b"policy number");
    flips.extend(policies.map(|(at, _)| (at, at % 8)).step_by(100));
    flips.extend((0..random).map(|_| (seeded.below(sound.len()), seeded.below(8))));
    let mut refused = 0;
    for (at, bit) in flips {
        let mut damaged = sound.clone();
        damaged[at] ^= 1 << bit;
        fs::write(&state, &damaged).unwrap();
        refused += u32::from(check_damaged(&directory, &entries, &format!("bit {bit} of {at}")));
    }
    assert!(refused > 100, "only {refused} refused");
    fs::write(&state, &sound).unwrap();
    assert!(!check_damaged(&directory, &entries, "restored"));
}

#[test]
fn tm_i04_short_long_empty_and_foreign_files_are_refused() {
    let (directory, entries) = Directory::filled(30);
    let state = directory.file("state.redb");
    let sound = fs::read(&state).unwrap();
    let len = sound.len();
    for short in [0, 1, 64, 320, 4095, 4096, len / 3, len / 2, len - 4096, len - 1] {
        fs::write(&state, &sound[..short]).unwrap();
        assert!(check_damaged(&directory, &entries, &format!("cut to {short}")));
    }
    fs::write(&state, [&sound[..], &[0; 5000]].concat()).unwrap();
    check_damaged(&directory, &entries, "longer");
    for foreign in [&b"SQLite format 3\0"[..], b"\n", &[0xff; 9000], &[0; 9000]] {
        fs::write(&state, foreign).unwrap();
        assert!(check_damaged(&directory, &entries, "foreign"));
    }
    fs::remove_file(&state).unwrap();
    assert!(check_damaged(&directory, &entries, "missing"));
    assert!(!state.exists(), "no new store in place of a lost one");
    fs::remove_file(directory.file("FORMAT")).unwrap();
    assert!(check_damaged(&directory, &entries, "missing, without FORMAT"));

    // A database of the same engine, but not a store.
    let database = Database::create(&state).unwrap();
    drop(database);
    fs::set_permissions(&state, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(check_damaged(&directory, &entries, "an empty database"));
}

#[test]
fn tm_i04_damaged_small_files_are_refused_or_harmless() {
    let (directory, entries) = Directory::filled(5);
    for name in ["FORMAT", "state.head"] {
        let path = directory.file(name);
        let sound = fs::read(&path).unwrap();
        let mut refused = 0;
        for at in 0..sound.len() {
            let mut damaged = sound.clone();
            damaged[at] ^= 0x10;
            fs::write(&path, &damaged).unwrap();
            refused += usize::from(check_damaged(&directory, &entries, &format!("{name} at {at}")));
        }
        assert!(refused > 20, "{name}: {refused}");
        fs::write(&path, b"").unwrap();
        assert!(check_damaged(&directory, &entries, name));
        fs::write(&path, &sound).unwrap();
    }
    assert!(!check_damaged(&directory, &entries, "restored"));
}

/// What an edit is called, and the records it puts or removes.
type Edit<'a> = (&'a str, Vec<(&'a [u8], Option<&'a [u8]>)>);
type Records = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// An editor who knows the engine, writes valid pages, and does not have the master key.
#[test]
fn tm_i04_records_edited_with_the_engines_own_tools_are_refused() {
    const RECORDS: Records = TableDefinition::new("records");
    let (directory, entries) = Directory::filled(6);
    let state = directory.file("state.redb");
    let sound = fs::read(&state).unwrap();
    let read = |key: &[u8]| {
        use redb::ReadableDatabase;
        let database = Database::open(&state).unwrap();
        let read = database.begin_read().unwrap();
        let table = read.open_table(RECORDS).unwrap();
        table.get(key).unwrap().unwrap().value().to_vec()
    };
    let (first, second) = (read(b"policy/0000"), read(b"policy/0001"));
    let mut altered = first.clone();
    *altered.last_mut().unwrap() ^= 1;
    let edits: [Edit<'_>; 5] = [
        ("altered", vec![(b"policy/0000", Some(&altered))]),
        ("swapped", vec![(b"policy/0000", Some(&second)), (b"policy/0001", Some(&first))]),
        ("removed", vec![(b"policy/0000", None)]),
        ("added", vec![(b"policy/9999", Some(&first))]),
        ("replaced by nothing", vec![(b"policy/0000", Some(b""))]),
    ];
    for (what, edit) in edits {
        fs::write(&state, &sound).unwrap();
        let database = Database::open(&state).unwrap();
        let write = database.begin_write().unwrap();
        {
            let mut table = write.open_table(RECORDS).unwrap();
            for (key, value) in edit {
                match value {
                    Some(value) => drop(table.insert(key, value).unwrap()),
                    None => drop(table.remove(key).unwrap()),
                }
            }
        }
        write.commit().unwrap();
        drop(database);
        assert!(check_damaged(&directory, &entries, what));
    }
}

/// I08: an older copy of the file alone does not silently bring back what was deleted.
#[test]
fn tm_i08_an_older_copy_of_the_state_is_refused() {
    let (directory, _) = Directory::filled(5);
    let state = directory.file("state.redb");
    let older = fs::read(&state).unwrap();
    let store = directory.open().unwrap();
    store.transact(Transaction::new().delete("policy/0001")).unwrap();
    drop(store);
    fs::write(&state, &older).unwrap();
    let error = directory.open().unwrap_err().to_string();
    assert!(error.contains("revision 5") && error.contains("been at 6"), "{error}");
    assert!(error.contains("state.head"), "{error}");
    fs::remove_file(directory.file("state.head")).unwrap();
    assert_eq!(directory.open().unwrap().revision(), Revision(5), "as the message says");
}

/// L01: a stolen directory shows no secret, in any of its usual spellings.
#[test]
fn tm_l01_a_canary_is_in_no_file() {
    let canary = b"canary-secret-7f3a-wJalrXUtnFEMI";
    let directory = Directory::new();
    let keyring = keyring();
    let store = directory.open().unwrap();
    let mut seeded = Seeded::new(5);
    let mut sealed = Vec::new();
    for index in 0..50_u64 {
        let id = format!("AKIA{index:016}");
        let binding = Binding { kind: "access-key", id: id.as_bytes(), version: 1 };
        let mut nonce = [0; 12];
        seeded.fill(&mut nonce);
        sealed = keyring.seal(Purpose::AccessKeySecret, &binding, canary, nonce).unwrap();
        store.transact(Transaction::new().put(id.clone(), sealed.clone())).unwrap();
        let opened = keyring.open(Purpose::AccessKeySecret, &binding, &sealed).unwrap();
        assert_eq!(*opened, canary);
    }
    let journal = Journal::open(&directory.file("events")).unwrap();
    journal.append("123456789012", b"{\"event\":\"CreateAccessKey\"}\n").unwrap();
    journal.sync().unwrap();
    drop(store);
    keyring.save(&directory.file("master.key")).unwrap();

    let base64 = base64::engine::general_purpose::STANDARD.encode(canary);
    let hex = canary.map(|byte| format!("{byte:02x}")).concat();
    let spellings = [canary.to_vec(), base64.into_bytes(), hex.into_bytes()];
    let mut searched = 0;
    let mut folders = vec![directory.path.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let content = fs::read(&path).unwrap();
            for spelling in &spellings {
                let found = content.windows(spelling.len()).any(|window| window == spelling);
                assert!(!found, "{}", path.display());
            }
            searched += 1;
        }
    }
    assert_eq!(searched, 6);
    let state = fs::read(directory.file("state.redb")).unwrap();
    assert!(state.windows(sealed.len()).any(|window| window == sealed), "the search does find");
}

/// L02: a sealed value put into another record of the store does not open there.
#[test]
fn tm_l02_a_sealed_value_in_another_record_does_not_open() {
    let directory = Directory::new();
    let keyring = keyring();
    let store = directory.open().unwrap();
    let binding = |id| Binding { kind: "access-key", id, version: 1 };
    let seal =
        |id, secret| keyring.seal(Purpose::AccessKeySecret, &binding(id), secret, [3; 12]).unwrap();
    store
        .transact(
            Transaction::new()
                .put("AKIA1", seal(b"AKIA1", b"of the administrator"))
                .put("AKIA2", seal(b"AKIA2", b"of somebody")),
        )
        .unwrap();
    let administrator = store.get(b"AKIA1").unwrap().unwrap().value;
    store.transact(Transaction::new().put("AKIA2", administrator)).unwrap();
    let swapped = store.get(b"AKIA2").unwrap().unwrap().value;
    let opened = keyring.open(Purpose::AccessKeySecret, &binding(b"AKIA2"), &swapped);
    assert_eq!(opened.err(), Some(SealError::Unauthentic));
}
