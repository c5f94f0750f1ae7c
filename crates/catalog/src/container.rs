//! The data file's outer form: a head that can be checked at once, then sections that are inflated on demand.
//!
//! ```text
//! mark     8 bytes   BWCATLOG
//! format   2 bytes   little endian, as all that follows
//! length   8 bytes   of the whole file
//! checksum 4 bytes   CRC-32 of all that follows
//! head               date, sources, counts, table of sections: see docs/catalog.md
//! sections           zlib streams, one after another
//! ```

use std::sync::Arc;

use flate2::{Crc, Decompress, FlushDecompress, Status};
use jiff::civil::Date;

use crate::bytes::Reader;
use crate::error::CatalogError;

/// The one data file format that this version reads and writes.
pub const FORMAT_VERSION: u16 = 1;

pub(crate) const MARK: &[u8; 8] = b"BWCATLOG";
/// Bytes before those that the checksum covers.
pub(crate) const PREFIX_LEN: usize = 22;
const MAX_FILE: usize = 16 << 20;
const MAX_SECTION: usize = 16 << 20;
const MAX_INFLATED: usize = 128 << 20;
const MAX_SECTIONS: usize = 4096;

/// A place that facts come from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Source {
    /// The package's name.
    pub name: Box<str>,
    /// The package's version.
    pub version: Box<str>,
}

/// How many things a data file holds. Global condition keys are not counted: they are not in the file.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Services.
    pub services: u32,
    /// Actions of all services.
    pub actions: u32,
    /// Resource types of all services.
    pub resource_types: u32,
    /// Condition keys.
    pub condition_keys: u32,
    /// AWS managed policies.
    pub managed_policies: u32,
    /// Versions of all AWS managed policies.
    pub policy_versions: u32,
}

/// A file whose mark, format, length, checksum and head have been checked.
#[derive(Debug)]
pub(crate) struct Container {
    pub(crate) date: Date,
    pub(crate) sources: Vec<Source>,
    pub(crate) counts: Counts,
    bytes: FileBytes,
    sections: Vec<Section>,
}

/// The file's bytes: part of the program, or read at run time.
#[derive(Clone, Debug)]
pub(crate) enum FileBytes {
    Embedded(&'static [u8]),
    Owned(Arc<[u8]>),
}

#[derive(Clone, Copy, Debug)]
struct Section {
    start: usize,
    stored: usize,
    inflated: usize,
}

impl Container {
    pub(crate) fn open(bytes: FileBytes) -> Result<Self, CatalogError> {
        let whole = bytes.as_slice();
        let mut reader = Reader::new(whole, "head");
        if reader.take(MARK.len()).ok() != Some(MARK) {
            return Err(CatalogError::NotACatalog);
        }
        let found = u16::from_le_bytes(array(&mut reader)?);
        if found != FORMAT_VERSION {
            return Err(CatalogError::Format { found, supported: FORMAT_VERSION });
        }
        let stated = u64::from_le_bytes(array(&mut reader)?);
        if stated != whole.len() as u64 {
            return Err(CatalogError::Length { stated, found: whole.len() as u64 });
        }
        if whole.len() > MAX_FILE {
            return Err(reader.error("the file is larger than 16 MiB"));
        }
        let stated = u32::from_le_bytes(array(&mut reader)?);
        let found = checksum(whole.get(PREFIX_LEN..).unwrap_or_default());
        if stated != found {
            return Err(CatalogError::Checksum { stated, found });
        }
        let date = reader.text()?.parse().map_err(|_| reader.error("the date is not one"))?;
        let sources = read_sources(&mut reader)?;
        let counts = read_counts(&mut reader)?;
        let sections = read_sections(&mut reader, whole.len())?;
        Ok(Self { date, sources, counts, bytes, sections })
    }

    /// How many sections the file has.
    pub(crate) fn sections(&self) -> usize {
        self.sections.len()
    }

    /// The content of section `at`.
    pub(crate) fn inflate(&self, at: usize) -> Result<Vec<u8>, CatalogError> {
        let error = |problem| CatalogError::malformed("sections", problem);
        let section = self.sections.get(at).ok_or_else(|| error("a section is missing"))?;
        let stored =
            self.bytes.as_slice().get(section.start..section.start.saturating_add(section.stored));
        let stored = stored.ok_or_else(|| error("a section ends too early"))?;
        let mut content = Vec::with_capacity(section.inflated);
        let status = Decompress::new(true)
            .decompress_vec(stored, &mut content, FlushDecompress::Finish)
            .map_err(|_| error("a section cannot be inflated"))?;
        if status != Status::StreamEnd || content.len() != section.inflated {
            return Err(error("a section has not the length that it states"));
        }
        Ok(content)
    }
}

impl FileBytes {
    fn as_slice(&self) -> &[u8] {
        match self {
            Self::Embedded(bytes) => bytes,
            Self::Owned(bytes) => bytes,
        }
    }
}

/// The CRC-32 of `bytes`. It finds damage; it is no proof of origin.
pub(crate) fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

fn array<const N: usize>(reader: &mut Reader<'_>) -> Result<[u8; N], CatalogError> {
    let bytes = reader.take(N)?;
    bytes.try_into().map_err(|_| reader.error("it ends too early"))
}

fn read_sources(reader: &mut Reader<'_>) -> Result<Vec<Source>, CatalogError> {
    let mut sources = Vec::new();
    for _ in 0..reader.count()? {
        sources.push(Source { name: reader.text()?.into(), version: reader.text()?.into() });
    }
    Ok(sources)
}

fn read_counts(reader: &mut Reader<'_>) -> Result<Counts, CatalogError> {
    Ok(Counts {
        services: reader.number()?,
        actions: reader.number()?,
        resource_types: reader.number()?,
        condition_keys: reader.number()?,
        managed_policies: reader.number()?,
        policy_versions: reader.number()?,
    })
}

fn read_sections(reader: &mut Reader<'_>, file_len: usize) -> Result<Vec<Section>, CatalogError> {
    let count = reader.count()?;
    if count > MAX_SECTIONS {
        return Err(reader.error("there are too many sections"));
    }
    let mut sections = Vec::with_capacity(count);
    let (mut start, mut total) = (0_usize, 0_usize);
    for _ in 0..count {
        let (stored, inflated) = (reader.size()?, reader.size()?);
        total = total.saturating_add(inflated);
        if inflated > MAX_SECTION || total > MAX_INFLATED {
            return Err(reader.error("a section is too large"));
        }
        sections.push(Section { start, stored, inflated });
        start = start.checked_add(stored).ok_or_else(|| reader.error("a section is too large"))?;
    }
    if start != reader.remaining() {
        return Err(reader.error("the sections do not fill the file"));
    }
    let base = file_len - start;
    for section in &mut sections {
        section.start += base;
    }
    Ok(sections)
}
