//! Making, checking and opening the state.

use std::fs::{self, File};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};
use std::thread;

use jiff::Timestamp;
use parking_lot::Mutex;
use redb::backends::FileBackend;
use redb::{Database, ReadableDatabase, ReadableTable, StorageBackend};
use zeroize::Zeroizing;

use super::format::{DATA_FORMAT, Format, Head, Lock};
use super::proving::Proving;
use super::records::{RecordKey, State};
use super::{
    CHANGES, Counters, EmbeddedStore, META, QUEUE_LEN, RECORDS, Shared, committer, failure, meta,
};
use crate::error::StoreError;
use crate::permissions;
use crate::queue::Queue;
use crate::seal::{Binding, Keyring, NONCE_LEN, Purpose};

/// The file that holds the state.
pub(crate) const STATE_FILE: &str = "state.redb";
const HEAD_FILE: &str = "state.head";
const FORMAT_FILE: &str = "FORMAT";
const LOCK_FILE: &str = "LOCK";

/// How many changes the log keeps unless told otherwise.
const DEFAULT_CHANGES: u64 = 200_000;

/// How much of the file is kept in memory, in bytes. Decisions do not read the store.
const CACHE_LEN: usize = 64 * 1024 * 1024;

const RECORD_KEY_LEN: usize = 32;

/// What opening a store needs from outside.
pub struct EmbeddedOptions<'a> {
    /// The master keys. The key of the records is sealed under them.
    pub keyring: &'a Keyring,
    /// The present instant, which becomes the creation time of a new store.
    pub now: Timestamp,
    /// Fills a buffer from the system's random generator.
    pub random: &'a mut dyn FnMut(&mut [u8]),
    /// How many changes the log keeps at most; older ones are dropped as new ones come. `None` for 200,000.
    pub max_changes: Option<u64>,
}

impl EmbeddedStore {
    /// Opens the store in a data directory, or makes one in an empty or absent directory.
    ///
    /// Everything is checked before anything is written: modes (L07), format (I09), another process, and
    /// every record (I04). That takes about as long as reading the file once.
    pub fn open(directory: &Path, mut options: EmbeddedOptions<'_>) -> Result<Self, StoreError> {
        permissions::private_directory(directory)?;
        let lock = Lock::take(&directory.join(LOCK_FILE))?;
        let format_path = directory.join(FORMAT_FILE);
        let written = Format::read(&format_path)?;
        let path = directory.join(STATE_FILE);
        match fs::symlink_metadata(&path) {
            Ok(_) => permissions::check_file(&path)?,
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(StoreError::io(&path, &error));
            }
            Err(_) if written.is_some() || directory.join(HEAD_FILE).exists() => {
                return Err(StoreError::damaged(&path, "it is missing, and has been there"));
            }
            Err(_) => make(&path, &mut options)?,
        }
        let backend = open_file(&path)?;
        let (opened, format) = prove(Box::new(backend), &path, &mut options)?;
        if written.as_ref().is_some_and(|written| written.store_id != format.store_id) {
            return Err(StoreError::damaged(&format_path, "it belongs to another store"));
        }
        let revision = opened.state.revision;
        let head = Head::open(&directory.join(HEAD_FILE), &opened.key, revision, &path)?;
        if written.is_none() {
            permissions::write_private_file(&format_path, &format.to_text())?;
        }
        opened.start(path, format, Some(head), Some(lock), options.max_changes)
    }

    /// Opens the store on a storage backend of the engine, which is a new store when it has no bytes. There
    /// is no directory, so no modes, lock or head are checked: for fault tests and tools.
    pub fn with_backend(
        backend: impl StorageBackend,
        mut options: EmbeddedOptions<'_>,
    ) -> Result<Self, StoreError> {
        let path = PathBuf::from(STATE_FILE);
        if backend.len().map_err(|error| StoreError::io(&path, &error))? == 0 {
            let (opened, format) = create(Box::new(backend), &path, &mut options)?;
            return opened.start(path, format, None, None, options.max_changes);
        }
        let (opened, format) = prove(Box::new(backend), &path, &mut options)?;
        opened.start(path, format, None, None, options.max_changes)
    }

    /// The record key, sealed anew.
    pub(super) fn resealed(
        &self,
        keyring: &Keyring,
        random: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Vec<u8>, StoreError> {
        let path = &self.shared.path;
        let sealed = self.shared.reading(|read| {
            let meta = read.open_table(META).map_err(|error| failure(path, error.into()))?;
            let row = meta.get(meta::RECORD_KEY).map_err(|error| failure(path, error.into()))?;
            Ok(row.map(|row| row.value().to_vec()))
        })?;
        let sealed = sealed.ok_or_else(|| StoreError::damaged(path, "it has no record key"))?;
        let plain = unseal(path, keyring, &self.format, &sealed)?;
        seal(path, keyring, &self.format, &plain, random)
    }
}

/// A database that has passed every check.
struct Opened {
    database: Database,
    key: RecordKey,
    state: State,
    proving: Proving,
}

impl Opened {
    /// Lets the writes of the opening through, and starts the thread that writes.
    fn start(
        self,
        path: PathBuf,
        format: Format,
        head: Option<Head>,
        lock: Option<Lock>,
        max_changes: Option<u64>,
    ) -> Result<EmbeddedStore, StoreError> {
        let Self { database, key, state, proving } = self;
        proving.accept().map_err(|error| StoreError::io(&path, &error))?;
        let shared = Arc::new(Shared {
            database,
            head,
            _lock: lock,
            path,
            key,
            max_changes: max_changes.unwrap_or(DEFAULT_CHANGES),
            queue: Queue::new(QUEUE_LEN),
            committer: OnceLock::new(),
            published: AtomicU64::new(state.revision.0),
            counters: Counters::default(),
            stopped: Mutex::new(None),
        });
        let own = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("store-committer".to_owned())
            .spawn(move || committer::run(&own, state))
            .map_err(|error| StoreError::io(&shared.path, &error))?;
        Ok(EmbeddedStore { shared, format, thread: Some(thread) })
    }
}

/// Makes a new state in one step: whole in another file first, then renamed.
fn make(path: &Path, options: &mut EmbeddedOptions<'_>) -> Result<(), StoreError> {
    let beside = path.with_extension("redb.new");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(StoreError::io(&beside, &error));
        }
        // Left by a first start that did not finish: nothing in it was ever acknowledged.
        _ => {}
    }
    let file = permissions::private_options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&beside)
        .map_err(|error| StoreError::io(&beside, &error))?;
    let synced = file.try_clone().map_err(|error| StoreError::io(&beside, &error))?;
    let backend = FileBackend::new(file).map_err(|error| failure(&beside, error.into()))?;
    let (opened, _) = create(Box::new(backend), &beside, options)?;
    opened.proving.accept().map_err(|error| StoreError::io(&beside, &error))?;
    opened.database.close().map_err(|error| failure(&beside, error.into()))?;
    synced.sync_all().map_err(|error| StoreError::io(&beside, &error))?;
    fs::rename(&beside, path).map_err(|error| StoreError::io(path, &error))?;
    permissions::sync_parent(path)
}

fn open_file(path: &Path) -> Result<FileBackend, StoreError> {
    let file = File::options()
        .read(true)
        .write(true)
        .open(path)
        .map_err(|error| StoreError::io(path, &error))?;
    let len = file.metadata().map_err(|error| StoreError::io(path, &error))?.len();
    // The engine would make a new database in an empty file, and all accounts would be gone.
    if len == 0 {
        return Err(StoreError::damaged(path, "it is empty"));
    }
    FileBackend::new(file).map_err(|error| failure(path, error.into()))
}

/// Makes a database on an empty backend.
fn create(
    backend: Box<dyn StorageBackend>,
    path: &Path,
    options: &mut EmbeddedOptions<'_>,
) -> Result<(Opened, Format), StoreError> {
    let mut id = [0; 16];
    (options.random)(&mut id);
    let mut plain = Zeroizing::new([0; RECORD_KEY_LEN]);
    (options.random)(plain.as_mut_slice());
    let format = Format {
        format: DATA_FORMAT,
        store_id: format!("{:032x}", u128::from_be_bytes(id)),
        created: options.now,
    };
    let sealed = seal(path, options.keyring, &format, plain.as_slice(), options.random)?;
    let key = RecordKey::new(plain.as_slice());
    let state = State::default();
    let proving = Proving::new(backend);
    let fill = || -> Result<Database, redb::Error> {
        let database = builder().create_with_backend(proving.clone())?;
        let mut write = database.begin_write()?;
        write.set_two_phase_commit(true);
        write.open_table(RECORDS)?;
        write.open_table(CHANGES)?;
        let mut meta = write.open_table(META)?;
        meta.insert(meta::FORMAT, format.to_text().as_slice())?;
        meta.insert(meta::RECORD_KEY, sealed.as_slice())?;
        meta.insert(meta::STATE, key.encode_state(state).as_slice())?;
        drop(meta);
        write.commit()?;
        Ok(database)
    };
    let database = fill().map_err(|error| failure(path, error))?;
    Ok((Opened { database, key, state, proving }, format))
}

/// Opens a database and checks all of it, with nothing written to the backend.
fn prove(
    backend: Box<dyn StorageBackend>,
    path: &Path,
    options: &mut EmbeddedOptions<'_>,
) -> Result<(Opened, Format), StoreError> {
    let proving = Proving::new(backend);
    let attempt = || {
        let database = builder()
            .create_with_backend(proving.clone())
            .map_err(|error| failure(path, error.into()))?;
        let (format, sealed, stored) = read_meta(path, &database)?;
        let format = Format::parse(path, &format)?;
        let key = RecordKey::new(&unseal(path, options.keyring, &format, &sealed)?);
        let state = key
            .decode_state(&stored)
            .map_err(|_| StoreError::damaged(path, "the record of its state was altered"))?;
        check_records(path, &database, &key, state)?;
        Ok((Opened { database, key, state, proving: proving.clone() }, format))
    };
    // The engine panics over some kinds of damage.
    catch_unwind(AssertUnwindSafe(attempt))
        .unwrap_or_else(|_| Err(StoreError::damaged(path, "the engine found it inconsistent")))
}

fn builder() -> redb::Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_LEN).set_check_integrity_on_open(true);
    builder
}

type MetaRows = (Vec<u8>, Vec<u8>, Vec<u8>);

fn read_meta(path: &Path, database: &Database) -> Result<MetaRows, StoreError> {
    let rows = || -> Result<Option<MetaRows>, redb::Error> {
        let read = database.begin_read()?;
        let meta = read.open_table(META)?;
        let row = |name| Ok::<_, redb::Error>(meta.get(name)?.map(|row| row.value().to_vec()));
        let rows = (row(meta::FORMAT)?, row(meta::RECORD_KEY)?, row(meta::STATE)?);
        Ok(match rows {
            (Some(format), Some(key), Some(state)) => Some((format, key, state)),
            _ => None,
        })
    };
    rows()
        .map_err(|error| failure(path, error))?
        .ok_or_else(|| StoreError::damaged(path, "it was not written by this program"))
}

/// Checks each record, their count and their sum.
fn check_records(
    path: &Path,
    database: &Database,
    key: &RecordKey,
    state: State,
) -> Result<(), StoreError> {
    let fail = |error: redb::Error| failure(path, error);
    let read = database.begin_read().map_err(|error| fail(error.into()))?;
    let records = read.open_table(RECORDS).map_err(|error| fail(error.into()))?;
    let mut found = State { count: 0, sum: 0, ..state };
    for row in records.iter().map_err(|error| fail(error.into()))? {
        let (name, stored) = row.map_err(|error| fail(error.into()))?;
        let record = key.decode_record(name.value(), stored.value()).map_err(|_| {
            let name = name.value().escape_ascii();
            StoreError::damaged(path, format!("the record `{name}` was altered"))
        })?;
        if record.revision > state.revision {
            return Err(StoreError::damaged(path, "a record is newer than its state"));
        }
        found.add(record.tag);
    }
    if found == state {
        return Ok(());
    }
    let (found, count) = (found.count, state.count);
    Err(StoreError::damaged(
        path,
        format!("it holds {found} records that are not the {count} written"),
    ))
}

fn binding(format: &Format) -> Binding<'_> {
    Binding { kind: "store", id: format.store_id.as_bytes(), version: u64::from(DATA_FORMAT) }
}

fn seal(
    path: &Path,
    keyring: &Keyring,
    format: &Format,
    plain: &[u8],
    random: &mut dyn FnMut(&mut [u8]),
) -> Result<Vec<u8>, StoreError> {
    let mut nonce = [0; NONCE_LEN];
    random(&mut nonce);
    keyring
        .seal(Purpose::RecordKey, &binding(format), plain, nonce)
        .map_err(|error| StoreError::Io { path: path.to_owned(), detail: error.to_string() })
}

fn unseal(
    path: &Path,
    keyring: &Keyring,
    format: &Format,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    keyring
        .open(Purpose::RecordKey, &binding(format), sealed)
        .map_err(|_| StoreError::WrongKey { path: path.to_owned() })
}
