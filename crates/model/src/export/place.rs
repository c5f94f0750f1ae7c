//! Places in the files of an export, and what holds for every text before it is read.

use std::sync::OnceLock;

use super::{ExportError, ExportFile, ExportProblem, MAX_BYTES, MAX_DEPTH};

/// A line and a column, both from 1, columns in Unicode scalars.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// The text of a file.
pub(super) struct Text<'a> {
    pub(super) name: &'a str,
    pub(super) whole: &'a str,
    /// Where the lines begin; made when the first place is asked for.
    lines: OnceLock<Vec<usize>>,
}

impl<'a> Text<'a> {
    pub(super) fn new(name: &'a str, text: &'a str) -> Self {
        Self { name, whole: text, lines: OnceLock::new() }
    }

    /// The place of a byte.
    pub(super) fn place(&self, offset: usize) -> Place {
        let lines = self.lines();
        let line = lines.partition_point(|start| *start <= offset).max(1);
        let start = lines.get(line - 1).copied().unwrap_or_default();
        let before = self.whole.as_bytes().get(start..offset.max(start)).unwrap_or_default();
        // Bytes that continue a scalar do not count.
        let column = 1 + before.iter().filter(|byte| **byte & 0xC0 != 0x80).count();
        Place { line, column }
    }

    /// Where a part of the text begins in it; nought for what is no part.
    pub(super) fn offset_of(&self, part: &str) -> usize {
        let offset = part.as_ptr().addr().checked_sub(self.whole.as_ptr().addr());
        offset.filter(|offset| *offset <= self.whole.len()).unwrap_or_default()
    }

    /// What a reader of `part` complained of, with its place in the whole.
    pub(super) fn json_error(&self, part: &str, error: &serde_json::Error) -> ExportError {
        let (line, column) = (error.line(), error.column());
        let message = error.to_string();
        let suffix = format!(" at line {line} column {column}");
        let message = message.strip_suffix(&suffix).unwrap_or(&message);
        // Lines and columns of the reader count bytes from 1.
        let start: usize =
            part.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
        let offset = self.offset_of(part) + start + column.saturating_sub(1);
        ExportError::at(self, offset, ExportProblem::Json(message.to_owned()))
    }

    fn lines(&self) -> &[usize] {
        self.lines.get_or_init(|| {
            let ends = self.whole.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
            std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect()
        })
    }
}

/// The files as texts: within the limits of size and depth, and UTF-8. A byte order mark goes.
pub(super) fn texts<'a>(files: &[ExportFile<'a>]) -> Result<Vec<Text<'a>>, ExportError> {
    let mut total = 0_usize;
    files
        .iter()
        .map(|file| {
            total = total.saturating_add(file.bytes.len());
            if total > MAX_BYTES {
                return Err(ExportError::at(&Text::new(file.name, ""), 0, ExportProblem::TooLarge));
            }
            let bytes = file.bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(file.bytes);
            let text = match std::str::from_utf8(bytes) {
                Ok(text) => Text::new(file.name, text),
                Err(error) => {
                    let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
                    let good = std::str::from_utf8(good).unwrap_or_default();
                    let text = Text::new(file.name, good);
                    return Err(ExportError::at(&text, good.len(), ExportProblem::NotUtf8));
                }
            };
            match too_deep(text.whole) {
                Some(offset) => Err(ExportError::at(&text, offset, ExportProblem::TooDeep)),
                None => Ok(text),
            }
        })
        .collect()
}

/// The first bracket that opens deeper than [`MAX_DEPTH`].
fn too_deep(text: &str) -> Option<usize> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Some(at);
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_scalars() {
        let text = Text::new("f", "ab\nüc\n\nd");
        for (offset, line, column) in [
            (0, 1, 1),
            (1, 1, 2),
            (2, 1, 3),
            (3, 2, 1),
            (5, 2, 2),
            (6, 2, 3),
            (7, 3, 1),
            (8, 4, 1),
            (99, 4, 1),
        ] {
            assert_eq!(text.place(offset), Place { line, column }, "{offset}");
        }
        assert_eq!(text.offset_of(&text.whole[5..6]), 5);
    }

    #[test]
    fn depth_is_counted_outside_of_strings() {
        let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert_eq!(too_deep(&deep(MAX_DEPTH)), None);
        assert_eq!(too_deep(&deep(MAX_DEPTH + 1)), Some(MAX_DEPTH));
        assert_eq!(too_deep(&format!("\"\\\"{}\"", deep(MAX_DEPTH + 1))), None);
    }
}
