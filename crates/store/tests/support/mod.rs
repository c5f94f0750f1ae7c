//! What the tests of the store share: seeded randomness, options, and storage backends that record or fail.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::io::{Error, ErrorKind, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bailiwick_store::seal::Keyring;
use bailiwick_store::{EmbeddedOptions, EmbeddedStore, Entry, Store, StoreError};
use jiff::Timestamp;
use parking_lot::Mutex;
use redb::StorageBackend;

/// A small generator with a seed, so that every run is the same.
pub(crate) struct Seeded(u64);

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    pub(crate) fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let word = self.next().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    }
}

pub(crate) fn keyring() -> Keyring {
    Keyring::from_bytes([42; 32]).unwrap()
}

/// Calls `open` with options for a test.
pub(crate) fn with_options<T>(
    keyring: &Keyring,
    open: impl FnOnce(EmbeddedOptions<'_>) -> std::result::Result<T, StoreError>,
) -> std::result::Result<T, StoreError> {
    let mut seeded = Seeded::new(1);
    let now = Timestamp::UNIX_EPOCH;
    let random = &mut |bytes: &mut [u8]| seeded.fill(bytes);
    open(EmbeddedOptions { keyring, now, random, max_changes: None })
}

pub(crate) fn open_backend(
    backend: impl StorageBackend,
) -> std::result::Result<EmbeddedStore, StoreError> {
    with_options(&keyring(), |options| EmbeddedStore::with_backend(backend, options))
}

/// All entries of a store.
pub(crate) fn contents(store: &dyn Store) -> std::result::Result<Vec<Entry>, StoreError> {
    store.range(b"", None, usize::MAX)
}

/// One step that reached the disk.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Len(u64),
    Write(u64, Arc<[u8]>),
    Sync,
}

/// Applies a step to the image of a file.
pub(crate) fn apply(image: &mut Vec<u8>, step: &Step) {
    match step {
        Step::Len(len) => image.resize(usize::try_from(*len).unwrap(), 0),
        Step::Write(offset, data) => {
            let offset = usize::try_from(*offset).unwrap();
            if image.len() < offset + data.len() {
                image.resize(offset + data.len(), 0);
            }
            image[offset..offset + data.len()].copy_from_slice(data);
        }
        Step::Sync => {}
    }
}

/// A file in memory that records what is done to it, and can be told to fail.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk(Arc<DiskState>);

#[derive(Debug, Default)]
struct DiskState {
    image: Mutex<Vec<u8>>,
    steps: Mutex<Vec<Step>>,
    /// Steps until one fails; 0 when none shall.
    fuse: AtomicUsize,
    /// Whether the failure lasts.
    lasting: AtomicBool,
}

impl Disk {
    pub(crate) fn holding(image: Vec<u8>) -> Self {
        let disk = Self::default();
        *disk.0.image.lock() = image;
        disk
    }

    pub(crate) fn image(&self) -> Vec<u8> {
        self.0.image.lock().clone()
    }

    pub(crate) fn steps(&self) -> Vec<Step> {
        self.0.steps.lock().clone()
    }

    pub(crate) fn step_count(&self) -> usize {
        self.0.steps.lock().len()
    }

    /// Lets the step number `after`, counted from 1, fail; and all later ones when it lasts.
    pub(crate) fn fail(&self, after: usize, lasting: bool) {
        self.0.lasting.store(lasting, Ordering::SeqCst);
        self.0.fuse.store(after, Ordering::SeqCst);
    }

    fn take(&self, step: Step) -> Result<()> {
        match self.0.fuse.load(Ordering::SeqCst) {
            0 => {}
            1 => {
                if !self.0.lasting.load(Ordering::SeqCst) {
                    self.0.fuse.store(0, Ordering::SeqCst);
                }
                return Err(Error::from(ErrorKind::StorageFull));
            }
            more => self.0.fuse.store(more - 1, Ordering::SeqCst),
        }
        apply(&mut self.0.image.lock(), &step);
        self.0.steps.lock().push(step);
        Ok(())
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64> {
        Ok(self.0.image.lock().len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        let image = self.0.image.lock();
        let offset = usize::try_from(offset).unwrap();
        let part = image.get(offset..offset + out.len());
        out.copy_from_slice(part.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<()> {
        self.take(Step::Len(len))
    }

    fn sync_data(&self) -> Result<()> {
        self.take(Step::Sync)
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<()> {
        self.take(Step::Write(offset, data.into()))
    }
}
