//! Lines and columns.

use serde::Serialize;

/// A place in a document's text: line and column from 1, columns in Unicode scalars (SIM-5).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Position {
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in Unicode scalars.
    pub column: u32,
}

/// How many bytes lie between two marks.
const STRIDE: usize = 512;

/// What it takes to find places in a text without reading all of it each time.
#[derive(Debug)]
pub(super) struct Places {
    /// Where each line begins, in bytes.
    lines: Vec<usize>,
    /// How many scalars begin before each multiple of the stride.
    marks: Vec<usize>,
}

impl Places {
    pub(super) fn of(text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect();
        let mut before = 0;
        let marks = text.as_bytes().chunks(STRIDE).map(|chunk| {
            let mark = before;
            before += scalars(chunk);
            mark
        });
        Self { marks: marks.collect(), lines }
    }

    /// The place of a byte, or the end of the text.
    pub(super) fn find(&self, text: &str, byte: u32) -> Position {
        let byte = (byte as usize).min(text.len());
        let line = self.lines.partition_point(|start| *start <= byte).max(1);
        let start = self.lines.get(line - 1).copied().unwrap_or_default();
        let column = self.before(text, byte).saturating_sub(self.before(text, start)) + 1;
        let number = |count| u32::try_from(count).unwrap_or(u32::MAX);
        Position { line: number(line), column: number(column) }
    }

    /// How many scalars begin before a byte.
    fn before(&self, text: &str, byte: usize) -> usize {
        let mark = byte / STRIDE;
        let from = mark * STRIDE;
        match self.marks.get(mark) {
            Some(marked) => marked + text.as_bytes().get(from..byte).map_or(0, scalars),
            None => self.marks.last().copied().unwrap_or_default() + last_chunk(text),
        }
    }
}

/// The line and column of a byte of a text.
pub(super) fn place(text: &str, byte: u32) -> Position {
    Places::of(text).find(text, byte)
}

fn last_chunk(text: &str) -> usize {
    text.as_bytes().chunks(STRIDE).last().map_or(0, scalars)
}

/// How many scalars begin in these bytes.
fn scalars(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_scalars() {
        assert_eq!(place("\u{e9}{\nab", 2), Position { line: 1, column: 2 });
        assert_eq!(place("\u{e9}{\nab", 5), Position { line: 2, column: 2 });
        assert_eq!(place("", 9), Position { line: 1, column: 1 });
        for length in [511, 512, 513, 1024, 5000] {
            let text = "\u{e9}".repeat(length);
            for at in [0, 1, length / 2, length] {
                let column = u32::try_from(at + 1).unwrap();
                let byte = u32::try_from(at * 2).unwrap();
                assert_eq!(place(&text, byte), Position { line: 1, column });
            }
        }
    }
}
