//! Reading and writing the file's small pieces: variable-length integers and texts.
//!
//! The reader never panics and never allocates by a count that the file merely states.

use crate::CatalogError;

/// Reads pieces from the front of a byte slice; `part` names the slice in errors.
#[derive(Clone)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    part: &'static str,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8], part: &'static str) -> Self {
        Self { bytes, part }
    }

    /// Bytes that have not been read yet.
    pub(crate) const fn remaining(&self) -> usize {
        self.bytes.len()
    }

    /// An error at this place.
    pub(crate) const fn error(&self, problem: &'static str) -> CatalogError {
        CatalogError::malformed(self.part, problem)
    }

    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], CatalogError> {
        let (taken, rest) =
            self.bytes.split_at_checked(len).ok_or_else(|| self.error("it ends too early"))?;
        self.bytes = rest;
        Ok(taken)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, CatalogError> {
        let (first, rest) =
            self.bytes.split_first().ok_or_else(|| self.error("it ends too early"))?;
        self.bytes = rest;
        Ok(*first)
    }

    /// An unsigned integer, seven bits a byte, low bits first, at most ten bytes.
    pub(crate) fn varint(&mut self) -> Result<u64, CatalogError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.error("a number is too large"))
    }

    /// A signed integer in zigzag form.
    pub(crate) fn signed(&mut self) -> Result<i64, CatalogError> {
        let raw = self.varint()?;
        let magnitude = (raw >> 1).cast_signed();
        Ok(if raw & 1 == 0 { magnitude } else { !magnitude })
    }

    /// An integer that must fit `u32`.
    pub(crate) fn number(&mut self) -> Result<u32, CatalogError> {
        u32::try_from(self.varint()?).map_err(|_| self.error("a number is too large"))
    }

    /// A length or index; it is bounded only by the address space, so check it before use.
    pub(crate) fn size(&mut self) -> Result<usize, CatalogError> {
        usize::try_from(self.varint()?).map_err(|_| self.error("a number is too large"))
    }

    /// A count of things that each take at least one byte of what remains; so it is safe to reserve for.
    pub(crate) fn count(&mut self) -> Result<usize, CatalogError> {
        let count = self.size()?;
        if count > self.remaining() {
            return Err(self.error("a count is larger than what follows it"));
        }
        Ok(count)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, CatalogError> {
        let len = self.size()?;
        std::str::from_utf8(self.take(len)?).map_err(|_| self.error("a text is not UTF-8"))
    }
}

/// Writes what [`Reader`] reads.
#[derive(Default)]
pub(crate) struct Writer(pub(crate) Vec<u8>);

impl Writer {
    pub(crate) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push((value & 0x7f) as u8);
    }

    pub(crate) fn signed(&mut self, value: i64) {
        self.varint((value << 1 ^ value >> 63).cast_unsigned());
    }

    pub(crate) fn size(&mut self, value: usize) {
        self.varint(value as u64);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.size(text.len());
        self.bytes(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive() {
        for value in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            let mut writer = Writer::default();
            writer.varint(value);
            assert_eq!(Reader::new(&writer.0, "test").varint(), Ok(value));
        }
        for value in [0, 1, -1, 63, -64, 64, i64::MAX, i64::MIN] {
            let mut writer = Writer::default();
            writer.signed(value);
            assert_eq!(Reader::new(&writer.0, "test").signed(), Ok(value));
        }
    }

    #[test]
    fn bad_numbers_and_texts_are_errors() {
        let too_large = [0xff_u8; 11];
        let too_many = [0x05, 1, 2];
        let not_utf8 = [0x02, 0xff, 0xfe];
        assert!(Reader::new(&too_large, "test").varint().is_err());
        assert!(Reader::new(&[0x80], "test").varint().is_err());
        assert!(Reader::new(&too_many, "test").count().is_err());
        assert!(Reader::new(&too_many, "test").text().is_err());
        assert!(Reader::new(&not_utf8, "test").text().is_err());
    }
}
