//! Reading the lines of an account, forward and backward, over the segments as they stood at the start.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Take};
use std::path::PathBuf;

use super::segment::SegmentInfo;
use super::{Cursor, JournalError, Line, MAX_LINE_LEN};
use crate::error::StoreError;

/// How much is read at a time when reading backward, in bytes.
const CHUNK_LEN: u64 = 64 * 1024;

/// Lines, in the direction that was asked for. After an error there are no more.
pub struct Lines(Direction);

enum Direction {
    Forward(Forward),
    Backward(Backward),
    Kept(VecDeque<Line>),
}

impl Lines {
    /// Lines that are already in memory.
    pub(super) fn kept(lines: VecDeque<Line>) -> Self {
        Self(Direction::Kept(lines))
    }

    /// Lines from a cursor on.
    pub(super) fn forward(
        segments: Vec<SegmentInfo>,
        from: Option<Cursor>,
    ) -> Result<Self, JournalError> {
        let mut segments: VecDeque<_> = segments.into();
        let mut offset = 0;
        if let Some(from) = from {
            segments.retain(|segment| segment.sequence >= from.segment);
            if let Some(first) = segments.front().filter(|first| first.sequence == from.segment) {
                check_start(first, from)?;
                offset = from.offset;
            }
        }
        Ok(Self(Direction::Forward(Forward { segments, offset, reader: None })))
    }

    /// Lines before a cursor.
    pub(super) fn backward(
        mut segments: Vec<SegmentInfo>,
        before: Option<Cursor>,
    ) -> Result<Self, JournalError> {
        if let Some(before) = before {
            segments.retain(|segment| segment.sequence <= before.segment);
            if let Some(last) = segments.last_mut().filter(|last| last.sequence == before.segment) {
                check_start(last, before)?;
                last.len = before.offset;
            }
        }
        Ok(Self(Direction::Backward(Backward { segments, window: None })))
    }
}

impl Iterator for Lines {
    type Item = Result<Line, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = match &mut self.0 {
            Direction::Forward(forward) => forward.step(),
            Direction::Backward(backward) => backward.step(),
            Direction::Kept(lines) => Ok(lines.pop_front()),
        };
        if line.is_err() {
            self.0 = Direction::Kept(VecDeque::new());
        }
        line.transpose()
    }
}

/// A cursor must stand at the start of a line, or at the end of the segment.
fn check_start(segment: &SegmentInfo, cursor: Cursor) -> Result<(), JournalError> {
    if cursor.offset == 0 {
        return Ok(());
    }
    if cursor.offset > segment.len {
        return Err(JournalError::Cursor(cursor));
    }
    let mut before = [0];
    let mut file = open(segment)?;
    file.seek(SeekFrom::Start(cursor.offset - 1))
        .and_then(|_| file.read_exact(&mut before))
        .map_err(|error| StoreError::io(&segment.path, &error))?;
    if before == *b"\n" { Ok(()) } else { Err(JournalError::Cursor(cursor)) }
}

fn open(segment: &SegmentInfo) -> Result<File, JournalError> {
    File::open(&segment.path).map_err(|error| StoreError::io(&segment.path, &error).into())
}

/// Cursors of a line that starts at `offset` and ends, with its line feed, before `end`.
fn line(sequence: u64, offset: u64, end: u64, bytes: Vec<u8>) -> Line {
    Line {
        cursor: Cursor { segment: sequence, offset },
        next: Cursor { segment: sequence, offset: end },
        bytes,
    }
}

struct Forward {
    segments: VecDeque<SegmentInfo>,
    offset: u64,
    reader: Option<BufReader<Take<File>>>,
}

impl Forward {
    fn step(&mut self) -> Result<Option<Line>, JournalError> {
        while let Some(segment) = self.segments.front() {
            if self.offset >= segment.len {
                self.segments.pop_front();
                self.offset = 0;
                self.reader = None;
                continue;
            }
            let fail = |error| StoreError::io(&segment.path, &error);
            let reader = match &mut self.reader {
                Some(reader) => reader,
                none => {
                    let mut file = open(segment)?;
                    file.seek(SeekFrom::Start(self.offset)).map_err(fail)?;
                    none.insert(BufReader::new(file.take(segment.len - self.offset)))
                }
            };
            let mut bytes = Vec::new();
            let most = MAX_LINE_LEN as u64 + 1;
            reader.by_ref().take(most).read_until(b'\n', &mut bytes).map_err(fail)?;
            let damaged =
                || JournalError::Damaged { path: segment.path.clone(), offset: self.offset };
            if bytes.pop() != Some(b'\n') {
                return Err(damaged());
            }
            let end = self.offset + bytes.len() as u64 + 1;
            let line = line(segment.sequence, self.offset, end, bytes);
            self.offset = end;
            return Ok(Some(line));
        }
        Ok(None)
    }
}

struct Backward {
    segments: Vec<SegmentInfo>,
    window: Option<Window>,
}

/// The bytes of a segment from `start` on, of which the lines have not been given yet.
struct Window {
    file: File,
    path: PathBuf,
    sequence: u64,
    start: u64,
    bytes: Vec<u8>,
}

impl Backward {
    fn step(&mut self) -> Result<Option<Line>, JournalError> {
        loop {
            let Some(window) = &mut self.window else {
                let Some(segment) = self.segments.pop() else { return Ok(None) };
                self.window = Some(Window {
                    file: open(&segment)?,
                    path: segment.path,
                    sequence: segment.sequence,
                    start: segment.len,
                    bytes: Vec::new(),
                });
                continue;
            };
            if let Some(line) = window.last_line()? {
                return Ok(Some(line));
            }
            if window.start == 0 {
                self.window = None;
            } else {
                window.grow()?;
            }
        }
    }
}

impl Window {
    /// Takes the last line, when the window holds its start.
    fn last_line(&mut self) -> Result<Option<Line>, JournalError> {
        let Some((last, rest)) = self.bytes.split_last() else { return Ok(None) };
        if *last != b'\n' || rest.len() > MAX_LINE_LEN + usize::try_from(CHUNK_LEN).unwrap_or(0) {
            return Err(self.damaged());
        }
        let first = match rest.iter().rposition(|byte| *byte == b'\n') {
            Some(feed) => feed + 1,
            None if self.start == 0 => 0,
            None => return Ok(None),
        };
        let end = self.start + self.bytes.len() as u64;
        let mut bytes = self.bytes.split_off(first);
        bytes.pop();
        Ok(Some(line(self.sequence, self.start + first as u64, end, bytes)))
    }

    /// Reads one more chunk before what is there.
    fn grow(&mut self) -> Result<(), JournalError> {
        let count = self.start.min(CHUNK_LEN);
        let start = self.start - count;
        let mut bytes = Vec::with_capacity(self.bytes.len() + usize::try_from(count).unwrap_or(0));
        self.file
            .seek(SeekFrom::Start(start))
            .and_then(|_| (&self.file).take(count).read_to_end(&mut bytes))
            .map_err(|error| StoreError::io(&self.path, &error))?;
        if bytes.len() as u64 != count {
            return Err(self.damaged());
        }
        bytes.append(&mut self.bytes);
        self.bytes = bytes;
        self.start = start;
        Ok(())
    }

    fn damaged(&self) -> JournalError {
        JournalError::Damaged { path: self.path.clone(), offset: self.start }
    }
}
