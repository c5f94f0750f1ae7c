//! Opening a file without changing it.
//!
//! The engine writes while it opens: it marks the file as in use, and repairs it after a crash. A file
//! that then turns out to be damaged must stay as it was found (I04), so until the file is proven every
//! write goes to memory. [`Proving::accept`] then plays the writes to the file in their order, with their
//! syncs between them, so that a crash in the middle leaves what a crash during a plain opening leaves.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use redb::StorageBackend;

const BLOCK_LEN: usize = 4096;

/// The most that is held back while a file is proven, in bytes.
const MAX_HELD: u64 = 512 * 1024 * 1024;

/// A storage backend whose writes are held back until it is accepted. Clones share one state.
#[derive(Clone, Debug)]
pub(super) struct Proving(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    inner: Box<dyn StorageBackend>,
    accepted: AtomicBool,
    held: Mutex<Held>,
}

/// What was written so far: as blocks to read from, and as steps to play.
#[derive(Debug, Default)]
struct Held {
    len: Option<u64>,
    blocks: BTreeMap<u64, Box<[u8]>>,
    steps: Vec<Step>,
    bytes: u64,
}

#[derive(Debug)]
enum Step {
    Len(u64),
    Write(u64, Vec<u8>),
    Sync,
}

impl Proving {
    pub(super) fn new(inner: Box<dyn StorageBackend>) -> Self {
        Self(Arc::new(Shared {
            inner,
            accepted: AtomicBool::new(false),
            held: Mutex::new(Held::default()),
        }))
    }

    /// Plays the writes held back, and passes all later ones on. Nobody else may use the backend meanwhile.
    pub(super) fn accept(&self) -> Result<()> {
        let held = std::mem::take(&mut *self.0.held.lock());
        for step in held.steps {
            match step {
                Step::Len(len) => self.0.inner.set_len(len)?,
                Step::Write(offset, data) => self.0.inner.write(offset, &data)?,
                Step::Sync => self.0.inner.sync_data()?,
            }
        }
        self.0.accepted.store(true, Ordering::Release);
        Ok(())
    }

    fn passes(&self) -> bool {
        self.0.accepted.load(Ordering::Acquire)
    }
}

impl Shared {
    fn block(&self, held: &Held, index: u64) -> Result<Box<[u8]>> {
        if let Some(block) = held.blocks.get(&index) {
            return Ok(block.clone());
        }
        let mut block = vec![0; BLOCK_LEN].into_boxed_slice();
        let start = index.saturating_mul(BLOCK_LEN as u64);
        let there = self.inner.len()?.saturating_sub(start).min(BLOCK_LEN as u64);
        if let Some(part) = usize::try_from(there).ok().and_then(|len| block.get_mut(..len))
            && !part.is_empty()
        {
            self.inner.read(start, part)?;
        }
        Ok(block)
    }

    fn len(&self, held: &Held) -> Result<u64> {
        held.len.map_or_else(|| self.inner.len(), Ok)
    }

    fn read(&self, held: &Held, offset: u64, out: &mut [u8]) -> Result<()> {
        let end = offset.checked_add(out.len() as u64);
        if end.is_none_or(|end| self.len(held).is_ok_and(|len| end > len)) {
            return Err(Error::new(ErrorKind::UnexpectedEof, "read beyond the end of the file"));
        }
        let mut position = offset;
        let mut rest = out;
        while !rest.is_empty() {
            let (index, within) = split(position);
            let block = self.block(held, index)?;
            let part = block.get(within..).unwrap_or_default();
            let count = part.len().min(rest.len());
            let (now, later) = rest.split_at_mut(count);
            now.copy_from_slice(part.get(..count).unwrap_or_default());
            rest = later;
            position += count as u64;
        }
        Ok(())
    }

    fn write(&self, held: &mut Held, offset: u64, data: &[u8]) -> Result<()> {
        held.bytes = held.bytes.saturating_add(data.len() as u64);
        if held.bytes > MAX_HELD {
            return Err(Error::other("opening the file would change too much of it"));
        }
        let mut position = offset;
        let mut rest = data;
        while !rest.is_empty() {
            let (index, within) = split(position);
            let mut block = self.block(held, index)?;
            let space = block.get_mut(within..).unwrap_or_default();
            let count = space.len().min(rest.len());
            let (now, later) = rest.split_at(count);
            if let Some(space) = space.get_mut(..count) {
                space.copy_from_slice(now);
            }
            held.blocks.insert(index, block);
            rest = later;
            position += count as u64;
        }
        let end = offset.saturating_add(data.len() as u64);
        held.len = Some(self.len(held)?.max(end));
        held.steps.push(Step::Write(offset, data.to_vec()));
        Ok(())
    }

    fn set_len(&self, held: &mut Held, len: u64) -> Result<()> {
        let before = self.len(held)?;
        if len < before {
            // What was cut off reads as zeros when the file grows again, also where the file below still
            // has the old content.
            let (first, within) = split(len);
            let mut block = self.block(held, first)?;
            block.get_mut(within..).unwrap_or_default().fill(0);
            held.blocks.insert(first, block);
            let below = self.inner.len()?;
            for index in first + 1..=below.max(before).div_ceil(BLOCK_LEN as u64) {
                held.blocks.insert(index, vec![0; BLOCK_LEN].into_boxed_slice());
            }
        }
        held.len = Some(len);
        held.steps.push(Step::Len(len));
        Ok(())
    }
}

impl StorageBackend for Proving {
    fn len(&self) -> Result<u64> {
        if self.passes() {
            return self.0.inner.len();
        }
        self.0.len(&self.0.held.lock())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        if self.passes() {
            return self.0.inner.read(offset, out);
        }
        self.0.read(&self.0.held.lock(), offset, out)
    }

    fn set_len(&self, len: u64) -> Result<()> {
        if self.passes() {
            return self.0.inner.set_len(len);
        }
        self.0.set_len(&mut self.0.held.lock(), len)
    }

    fn sync_data(&self) -> Result<()> {
        if self.passes() {
            return self.0.inner.sync_data();
        }
        self.0.held.lock().steps.push(Step::Sync);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<()> {
        if self.passes() {
            return self.0.inner.write(offset, data);
        }
        self.0.write(&mut self.0.held.lock(), offset, data)
    }

    fn close(&self) -> Result<()> {
        self.0.inner.close()
    }
}

fn split(position: u64) -> (u64, usize) {
    let block = BLOCK_LEN as u64;
    (position / block, usize::try_from(position % block).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use redb::backends::InMemoryBackend;

    #[test]
    fn holds_back_until_accepted() {
        let below = InMemoryBackend::new();
        below.set_len(10_000).unwrap();
        below.write(0, &[1; 10_000]).unwrap();
        let proving = Proving::new(Box::new(below));

        proving.write(4_000, &[2; 200]).unwrap();
        proving.sync_data().unwrap();
        proving.set_len(9_000).unwrap();
        proving.set_len(12_000).unwrap();
        let mut read = vec![9; 12_000];
        proving.read(0, &mut read).unwrap();
        let expected = [vec![1; 4_000], vec![2; 200], vec![1; 4_800], vec![0; 3_000]].concat();
        assert!(read == expected);
        assert!(proving.read(11_999, &mut [0; 2]).is_err(), "beyond the end");

        let mut below = vec![9; 10_000];
        proving.0.inner.read(0, &mut below).unwrap();
        assert!(below == [1; 10_000], "nothing was written yet");

        proving.accept().unwrap();
        assert_eq!(proving.len().unwrap(), 12_000);
        let mut read = vec![9; 12_000];
        proving.read(0, &mut read).unwrap();
        assert!(read == expected);
    }
}
