//! The list of known passwords as a file: sorted, dated, and searched where it lies.
//!
//! The file holds the first ten bytes of each SHA-1, in order: behind a head of 32 bytes and an index
//! of 65,537 places by the first two bytes come the other eight. 10^8 hashes take 800 MB, a look-up
//! reads two places and some 12 KB, and of 10^15 other passwords one is taken for a listed one. It is
//! opened anew for each look-up, so another file acts at once.

use std::fs::File;
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use bailiwick_services::Blocklist;
use jiff::Timestamp;

/// What a file begins with.
const MAGIC: &[u8; 8] = b"BWPWLST1";
/// The length of the head: the mark, the date in seconds, the count, eight bytes to spare.
const HEAD: usize = 32;
/// Values of the first two bytes.
const RANGES: usize = 65_536;
/// The length of head and index.
const ENTRIES: u64 = HEAD as u64 + (RANGES as u64 + 1) * 8;
/// The length of an entry: what is left of ten bytes when the first two tell the place.
const ENTRY: usize = 8;
/// The longest range that is read, in bytes: 170 times that of 10^8 hashes.
const MAX_RANGE: u64 = 2 << 20;

/// The bytes of a hash that are kept.
pub(crate) type Prefix = [u8; 2 + ENTRY];

/// What a file says of itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct About {
    /// When it was made.
    pub(crate) made: Timestamp,
    /// How many hashes it holds.
    pub(crate) hashes: u64,
}

/// A file at a path, there or not.
pub(crate) struct RangeFile(PathBuf);

impl RangeFile {
    /// The file at a path.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// What the file says of itself; none when there is no file.
    pub(crate) fn about(&self) -> io::Result<Option<About>> {
        match File::open(&self.0) {
            Ok(file) => about(&file).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Blocklist for RangeFile {
    fn holds(&self, sha1: [u8; 20]) -> io::Result<bool> {
        let file = match File::open(&self.0) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        let about = about(&file)?;
        let [one, two, rest @ ..] = sha1;
        let wanted: &[u8; ENTRY] = rest.first_chunk().ok_or_else(damaged)?;
        let mut places = [0; 16];
        let range = u64::from(u16::from_be_bytes([one, two]));
        file.read_exact_at(&mut places, HEAD as u64 + range * 8)?;
        let (places, _) = places.as_chunks::<8>();
        let [from, to] = places else { return Err(damaged()) };
        let (from, to) = (u64::from_be_bytes(*from), u64::from_be_bytes(*to));
        let length = to.checked_sub(from).map(|count| count.saturating_mul(ENTRY as u64));
        let length = length.filter(|length| to <= about.hashes && *length <= MAX_RANGE);
        let length = length.and_then(|length| usize::try_from(length).ok()).ok_or_else(damaged)?;
        let mut entries = vec![0; length];
        file.read_exact_at(&mut entries, ENTRIES + from * ENTRY as u64)?;
        let (entries, _) = entries.as_chunks::<ENTRY>();
        if !entries.is_sorted() {
            return Err(damaged());
        }
        Ok(entries.binary_search(wanted).is_ok())
    }
}

fn about(file: &File) -> io::Result<About> {
    let mut head = [0; HEAD];
    file.read_exact_at(&mut head, 0).map_err(|_| damaged())?;
    let (words, _) = head.as_chunks::<8>();
    let [magic, made, hashes, _] = words else { return Err(damaged()) };
    let hashes = u64::from_be_bytes(*hashes);
    let length = hashes.checked_mul(ENTRY as u64).and_then(|length| length.checked_add(ENTRIES));
    if magic != MAGIC || length != Some(file.metadata()?.len()) {
        return Err(damaged());
    }
    let made = Timestamp::from_second(i64::from_be_bytes(*made)).map_err(|_| damaged())?;
    Ok(About { made, hashes })
}

fn damaged() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "the list of known passwords is damaged: load it again")
}

/// Writes a file from hashes in order.
pub(crate) struct Writer<W> {
    out: W,
    /// How many hashes there are in each range.
    counts: Vec<u64>,
    last: Option<Prefix>,
}

impl<W: Write + Seek> Writer<W> {
    /// Begins with the entries; head and index come last.
    pub(crate) fn new(mut out: W) -> io::Result<Self> {
        out.seek(SeekFrom::Start(ENTRIES))?;
        Ok(Self { out, counts: vec![0; RANGES], last: None })
    }

    /// Adds a hash, which must not be before the one added last. One that is there is left out.
    pub(crate) fn add(&mut self, hash: Prefix) -> io::Result<()> {
        if self.last == Some(hash) {
            return Ok(());
        }
        self.last = Some(hash);
        let [one, two, rest @ ..] = hash;
        let range = usize::from(u16::from_be_bytes([one, two]));
        if let Some(count) = self.counts.get_mut(range) {
            *count += 1;
        }
        self.out.write_all(&rest)
    }

    /// Writes head and index.
    pub(crate) fn finish(mut self, made: Timestamp) -> io::Result<(W, About)> {
        let mut place = 0u64;
        let mut index = Vec::with_capacity((RANGES + 1) * 8);
        index.extend_from_slice(&place.to_be_bytes());
        for count in &self.counts {
            place += count;
            index.extend_from_slice(&place.to_be_bytes());
        }
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(MAGIC)?;
        self.out.write_all(&made.as_second().to_be_bytes())?;
        self.out.write_all(&place.to_be_bytes())?;
        self.out.write_all(&[0; 8])?;
        self.out.write_all(&index)?;
        self.out.flush()?;
        let made = Timestamp::from_second(made.as_second()).unwrap_or(made);
        Ok((self.out, About { made, hashes: place }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(number: u32) -> [u8; 20] {
        let mut hash = [0; 20];
        hash[..4].copy_from_slice(&number.wrapping_mul(0x9e37_79b1).to_be_bytes());
        hash[4..8].copy_from_slice(&number.to_be_bytes());
        hash
    }

    fn prefix(hash: [u8; 20]) -> Prefix {
        *hash.first_chunk().unwrap()
    }

    #[test]
    fn every_listed_hash_is_found_and_no_other() {
        let base = tempfile::tempdir().unwrap();
        let list = RangeFile::new(base.path().join("list"));
        assert!(!list.holds(hash(1)).unwrap() && list.about().unwrap().is_none());
        let mut hashes: Vec<_> = (0..5000).map(|number| hash(number * 2)).collect();
        hashes.push([0; 20]);
        hashes.push([0xff; 20]);
        hashes.sort_unstable();
        let mut writer = Writer::new(File::create(&list.0).unwrap()).unwrap();
        for hash in hashes.iter().flat_map(|hash| [hash, hash]) {
            writer.add(prefix(*hash)).unwrap();
        }
        let made = Timestamp::from_second(1_800_000_000).unwrap();
        let (_, told) = writer.finish(made).unwrap();
        // Number 0 is the hash of zeros, too.
        assert_eq!(told, About { made, hashes: 5001 });
        assert_eq!(list.about().unwrap(), Some(told));
        for number in 0..10_000 {
            assert_eq!(list.holds(hash(number)).unwrap(), number % 2 == 0, "{number}");
        }
        assert!(list.holds([0xff; 20]).unwrap());
    }

    /// M149: a list of full size. Prints how long look-ups took.
    #[test]
    #[ignore = "writes 800 MB, and measures"]
    fn look_ups_in_a_list_of_full_size() {
        let base = tempfile::tempdir().unwrap();
        let list = RangeFile::new(base.path().join("list"));
        let out = std::io::BufWriter::new(File::create(&list.0).unwrap());
        let mut writer = Writer::new(out).unwrap();
        let (count, step) = (100_000_000u128, (1u128 << 80) / 100_000_000);
        let entry = |number: u128| *(number * step).to_be_bytes().last_chunk::<10>().unwrap();
        for number in 0..count {
            writer.add(entry(number)).unwrap();
        }
        let (_, told) = writer.finish(Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(u128::from(told.hashes), count);
        let mut took: Vec<_> = (0..10_000u128)
            .map(|number| {
                let mut hash = [0; 20];
                hash[..10].copy_from_slice(&entry(number * 9_999));
                hash[9] ^= u8::try_from(number % 2).unwrap();
                let began = std::time::Instant::now();
                assert_eq!(list.holds(hash).unwrap(), number % 2 == 0);
                began.elapsed()
            })
            .collect();
        took.sort_unstable();
        let told = format!("median {:?}, longest {:?}\n", took[5_000], took[9_999]);
        std::io::stderr().write_all(told.as_bytes()).unwrap();
    }

    #[test]
    fn a_damaged_file_is_refused() {
        let base = tempfile::tempdir().unwrap();
        let list = RangeFile::new(base.path().join("list"));
        let mut writer = Writer::new(File::create(&list.0).unwrap()).unwrap();
        for number in 0u8..100 {
            writer.add([0, 0, 0, 0, 0, 0, 0, 0, 0, number]).unwrap();
        }
        writer.finish(Timestamp::UNIX_EPOCH).unwrap();
        let fine = std::fs::read(&list.0).unwrap();
        assert!(!list.holds([7; 20]).unwrap());
        let zero = [0; 20];
        let swapped = {
            let mut bytes = fine.clone();
            let place = usize::try_from(ENTRIES).unwrap();
            bytes[place + 7] = 200;
            bytes
        };
        let far = {
            let mut bytes = fine.clone();
            bytes[40..48].copy_from_slice(&u64::MAX.to_be_bytes());
            bytes
        };
        for bytes in [&fine[..fine.len() - 1], b"", b"BWPWLST1", &swapped, &far] {
            std::fs::write(&list.0, bytes).unwrap();
            assert!(list.holds(zero).is_err(), "{} bytes", bytes.len());
        }
    }
}
