//! The texts of policy documents: newest versions whole, older ones as differences from a newer one.
//!
//! Texts lie in blocks, each a section of the file, inflated when first touched and then kept. They are stored
//! without the blanks that begin their lines, which follow from the brackets. A document is put together on
//! demand and not kept, so that asking for every version does not fill the memory.

use std::sync::{Arc, OnceLock};

use crate::bytes::Reader;
use crate::container::Container;
use crate::error::CatalogError;

/// Length limit of one document, in bytes. The longest that AWS publishes has some 250 KB.
const MAX_DOCUMENT: usize = 1 << 20;
/// How deep brackets may nest in a document.
const MAX_LEVEL: usize = 32;
/// How many differences may lie between a document and a whole text.
pub(crate) const MAX_CHAIN: usize = 64;

/// Where the text of one policy version lies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// The block, counted from the first.
    pub(crate) block: usize,
    /// The first byte in the block.
    pub(crate) start: usize,
    /// The length in bytes.
    pub(crate) len: usize,
    /// The document that this one differs from, always earlier in the table; none for a whole text.
    pub(crate) base: Option<usize>,
}

/// All document texts of a file.
#[derive(Debug)]
pub(crate) struct Documents {
    container: Arc<Container>,
    first_section: usize,
    blocks: Vec<OnceLock<Option<Box<str>>>>,
    places: Vec<Place>,
}

impl Documents {
    pub(crate) fn new(container: Arc<Container>, first_section: usize, places: Vec<Place>) -> Self {
        let count = container.sections().saturating_sub(first_section);
        let blocks = std::iter::repeat_with(OnceLock::new).take(count).collect();
        Self { container, first_section, blocks, places }
    }

    /// The text of document `at`.
    pub(crate) fn text(&self, at: usize) -> Result<String, CatalogError> {
        let mut place = self.place(at)?;
        let mut differences = Vec::new();
        let mut at = at;
        while let Some(base) = place.base {
            if base >= at || differences.len() == MAX_CHAIN {
                return Err(error("a difference has no base"));
            }
            differences.push(self.stored(place)?);
            (at, place) = (base, self.place(base)?);
        }
        let mut lines: Vec<&str> = self.stored(place)?.split('\n').collect();
        for difference in differences.into_iter().rev() {
            lines = apply(&lines, difference)?;
        }
        indent(lines)
    }

    /// Reads every document, as a check.
    pub(crate) fn verify(&self) -> Result<(), CatalogError> {
        (0..self.places.len()).try_for_each(|at| self.text(at).map(drop))
    }

    fn place(&self, at: usize) -> Result<Place, CatalogError> {
        self.places.get(at).copied().ok_or(error("a document is not there"))
    }

    fn stored(&self, place: Place) -> Result<&str, CatalogError> {
        let block = self.blocks.get(place.block).ok_or(error("a block is not there"))?;
        let block = block.get_or_init(|| {
            let bytes = self.container.inflate(self.first_section + place.block).ok()?;
            String::from_utf8(bytes).ok().map(String::into_boxed_str)
        });
        let text = block.as_deref().ok_or(error("a block cannot be inflated"))?;
        text.get(place.start..place.start.saturating_add(place.len))
            .ok_or(error("a document ends too early"))
    }
}

/// Joins lines, putting four blanks before each for every bracket that is open there. A line holds no line
/// feed inside a text, so its first and last characters tell what it closes and opens.
pub(crate) fn indent<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<String, CatalogError> {
    let mut out = String::new();
    let mut level = 0_usize;
    for line in lines {
        level -= usize::from(line.starts_with(['}', ']']) && level > 0);
        if level > MAX_LEVEL || out.len() > MAX_DOCUMENT {
            return Err(error("a document is too long or too deep"));
        }
        if !out.is_empty() {
            out.push('\n');
        }
        out.extend(std::iter::repeat_n("    ", level));
        out.push_str(line);
        level += usize::from(line.ends_with(['{', '[']));
    }
    Ok(out)
}

/// Applies a difference to the lines of its base. A difference is a row of steps, each of them: how far to
/// move in the base, how many lines to copy from there, and a text of new lines to put after them (each line
/// ends in a line feed).
fn apply<'a>(base: &[&'a str], difference: &'a str) -> Result<Vec<&'a str>, CatalogError> {
    let mut reader = Reader::new(difference.as_bytes(), "documents");
    let mut lines = Vec::with_capacity(base.len());
    let (mut at, mut len) = (0_usize, 0_usize);
    while reader.remaining() > 0 {
        let step = isize::try_from(ascii_signed(&mut reader)?)
            .map_err(|_| error("a step is too large"))?;
        at = at.checked_add_signed(step).ok_or(error("a step leaves the document"))?;
        let copied = usize::try_from(ascii_number(&mut reader)?)
            .map_err(|_| error("a step is too large"))?;
        let end = at.checked_add(copied).ok_or(error("a step leaves the document"))?;
        let copy = base.get(at..end).ok_or(error("a step leaves the document"))?;
        at = end;
        let inserted = usize::try_from(ascii_number(&mut reader)?)
            .map_err(|_| error("a step is too large"))?;
        let inserted = std::str::from_utf8(reader.take(inserted)?)
            .map_err(|_| error("a text is not UTF-8"))?;
        let new = inserted.split_terminator('\n');
        len += copy.iter().copied().chain(new.clone()).map(|line| line.len() + 1).sum::<usize>();
        if len > MAX_DOCUMENT {
            return Err(error("a document is too long"));
        }
        lines.extend_from_slice(copy);
        lines.extend(new);
    }
    Ok(lines)
}

/// A number in six-bit digits, low digits first, as characters that keep a block valid UTF-8.
fn ascii_number(reader: &mut Reader<'_>) -> Result<u64, CatalogError> {
    let mut value = 0_u64;
    for shift in (0..36).step_by(6) {
        let byte = reader.byte()?;
        value |= u64::from(byte & 0x3f) << shift;
        if byte & 0x40 == 0 {
            return Ok(value);
        }
    }
    Err(error("a number is too large"))
}

fn ascii_signed(reader: &mut Reader<'_>) -> Result<i64, CatalogError> {
    let raw = ascii_number(reader)?;
    let magnitude = (raw >> 1).cast_signed();
    Ok(if raw & 1 == 0 { magnitude } else { !magnitude })
}

const fn error(problem: &'static str) -> CatalogError {
    CatalogError::malformed("documents", problem)
}
