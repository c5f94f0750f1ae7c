//! `simulate --batch`: a case on each line in, its answer on a line out.
//!
//! Memory is bounded: one line of at most 16 MiB and the documents met before, of a bounded size
//! together. Answers are written before we wait for input, so that whoever sits at the other end
//! of a pipe has each answer when it has sent its line. A line that cannot be read is answered with
//! what is wrong, and the next one is read.

use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use anyhow::Context as _;
use bailiwick_policy::{Case, Documents};
use serde::Serialize;

/// How much is read at once, in bytes.
const CHUNK: usize = 256 << 10;
/// The longest line, in bytes.
const MAX_LINE: usize = 16 << 20;

/// Answers the cases of a file, or of standard input for `-`.
///
/// # Errors
/// The file cannot be read, or nobody takes the answers.
pub(crate) fn run(path: &Path) -> anyhow::Result<()> {
    let out = io::stdout().lock();
    if path == Path::new("-") {
        return answer(io::stdin().lock(), "standard input", out);
    }
    let name = format!("`{}`", path.display());
    let file = std::fs::File::open(path).with_context(|| format!("{name} cannot be opened"))?;
    answer(file, &name, out)
}

/// Answers every line of `input`, which is called `name`.
fn answer(mut input: impl Read, name: &str, out: impl Write) -> anyhow::Result<()> {
    const WRITING: &str = "the answers cannot be written";
    let mut out = BufWriter::with_capacity(CHUNK, out);
    let mut documents = Documents::default();
    let mut lines = Lines { buffer: Vec::with_capacity(CHUNK), start: 0, scanned: 0, long: false };
    loop {
        while let Some(line) = lines.next() {
            reply(&mut out, &line, &mut documents).context(WRITING)?;
        }
        // Nothing is held back while we wait.
        out.flush().context(WRITING)?;
        if !lines.fill(&mut input).with_context(|| format!("{name} cannot be read"))? {
            break;
        }
    }
    if let Some(line) = lines.last() {
        reply(&mut out, &line, &mut documents).context(WRITING)?;
    }
    out.flush().context(WRITING)
}

/// A line of the input.
enum Line<'a> {
    Whole(&'a [u8]),
    /// Longer than [`MAX_LINE`]; its text is gone.
    TooLong,
}

/// The answer to a line that is no case, or not one that can be asked.
#[derive(Serialize)]
struct Refused<'a> {
    id: Option<()>,
    error: &'a str,
}

fn reply(out: &mut impl Write, line: &Line<'_>, documents: &mut Documents) -> io::Result<()> {
    let refused = |error| Refused { id: None, error };
    let text = match line {
        Line::TooLong => return write(out, &refused("a line has at most 16,777,216 bytes")),
        Line::Whole(bytes) => std::str::from_utf8(bytes),
    };
    let Ok(text) = text else { return write(out, &refused("the line is not UTF-8")) };
    if text.trim().is_empty() {
        return Ok(());
    }
    match Case::parse(text, documents) {
        Ok(case) => write(out, &case.decide()),
        Err(error) => write(out, &error),
    }
}

fn write(out: &mut impl Write, answer: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, answer)?;
    out.write_all(b"\n")
}

/// The lines of what has been read so far.
struct Lines {
    buffer: Vec<u8>,
    /// Where the next line begins.
    start: usize,
    /// Up to where there is no end of a line.
    scanned: usize,
    /// Whether we are in a line that was too long, of which nothing is kept.
    long: bool,
}

impl Lines {
    /// The next line that has an end.
    fn next(&mut self) -> Option<Line<'_>> {
        let rest = self.buffer.get(self.scanned..)?;
        let Some(end) = memchr::memchr(b'\n', rest).map(|at| self.scanned + at) else {
            self.scanned = self.buffer.len();
            if self.long || self.scanned - self.start > MAX_LINE {
                self.long = true;
                self.buffer.clear();
                (self.start, self.scanned) = (0, 0);
            }
            return None;
        };
        let start = std::mem::replace(&mut self.start, end + 1);
        self.scanned = end + 1;
        if std::mem::take(&mut self.long) || end - start > MAX_LINE {
            return Some(Line::TooLong);
        }
        self.buffer.get(start..end).map(Line::Whole)
    }

    /// What follows the last end of a line.
    fn last(&mut self) -> Option<Line<'_>> {
        if self.long {
            return Some(Line::TooLong);
        }
        let rest = self.buffer.get(self.start..).filter(|rest| !rest.is_empty())?;
        Some(Line::Whole(rest))
    }

    /// Reads on; whether there was more.
    fn fill(&mut self, input: &mut impl Read) -> io::Result<bool> {
        self.buffer.drain(..self.start);
        self.scanned -= self.start;
        self.start = 0;
        let held = self.buffer.len();
        self.buffer.resize(held + CHUNK, 0);
        let read = loop {
            match input.read(self.buffer.get_mut(held..).unwrap_or_default()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer.truncate(held + *read.as_ref().unwrap_or(&0));
        // A line of many megabytes was an exception: the memory goes back.
        if self.buffer.capacity() > 4 * CHUNK && self.buffer.len() <= CHUNK {
            self.buffer.shrink_to(CHUNK);
        }
        read.map(|read| read > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value as Json;

    const CASE: &str = r#"{"id": 7, "request": {"principal": "arn:aws:iam::123456789012:user/a", "action": "s3:GetObject"}, "identityPolicies": [{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}]}"#;

    fn answers(input: impl Read) -> Vec<Json> {
        let mut out = Vec::new();
        answer(input, "the test", &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn every_line_is_answered_in_order_and_bad_ones_do_not_stop() {
        let input = format!("{CASE}\n\n  \r\nnonsense\n{{\"id\": \"x\"}}\n\u{fe}\n{CASE}");
        let mut bytes = input.into_bytes();
        // One byte that is not UTF-8.
        let at = bytes.iter().position(|byte| *byte == 0xc3).unwrap();
        bytes[at] = 0xff;
        let found = answers(&*bytes);
        assert_eq!(found.len(), 5);
        assert_eq!(
            found[0],
            serde_json::json!({"id": 7, "decision": "allowed", "reasons": [{"kind": "identity"}]})
        );
        assert!(found[1]["id"].is_null() && found[1]["error"].is_string());
        assert_eq!(found[2]["id"], "x");
        assert!(found[2]["error"].as_str().unwrap().contains("request"));
        assert!(found[3]["error"].as_str().unwrap().contains("UTF-8"));
        assert_eq!(found[4]["decision"], "allowed");
    }

    /// Gives its parts one by one and checks that what came before has been answered.
    struct Talker<'a> {
        parts: Vec<&'a [u8]>,
        answered: std::rc::Rc<std::cell::Cell<usize>>,
        expected: Vec<usize>,
    }

    impl Read for Talker<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            assert_eq!(self.answered.get(), self.expected.remove(0));
            if self.parts.is_empty() {
                return Ok(0);
            }
            let part = self.parts.remove(0);
            buffer[..part.len()].copy_from_slice(part);
            Ok(part.len())
        }
    }

    struct Counter(std::rc::Rc<std::cell::Cell<usize>>);

    impl Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let lines = memchr::memchr_iter(b'\n', bytes).count();
            self.0.set(self.0.get() + lines);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn no_answer_is_held_while_input_is_awaited() {
        let line = format!("{CASE}\n");
        let (head, tail) = line.as_bytes().split_at(30);
        let mut first_and_a_half = line.clone().into_bytes();
        first_and_a_half.extend(head);
        let answered = std::rc::Rc::default();
        let talker = Talker {
            parts: vec![line.as_bytes(), &first_and_a_half, tail],
            answered: std::rc::Rc::clone(&answered),
            expected: vec![0, 1, 2, 3],
        };
        answer(talker, "the test", Counter(std::rc::Rc::clone(&answered))).unwrap();
        assert_eq!(answered.get(), 3);
    }

    #[test]
    fn tm_g01_a_line_without_end_takes_no_memory() {
        let long = io::repeat(b'x').take(40 << 20);
        let found =
            answers(long.chain(&b"\nnonsense\n"[..]).chain(io::repeat(b' ').take(20 << 20)));
        assert_eq!(found.len(), 3);
        for at in [0, 2] {
            assert!(found[at]["error"].as_str().unwrap().contains("at most"), "{at}");
        }
        let mut lines = Lines { buffer: Vec::new(), start: 0, scanned: 0, long: false };
        let mut input = io::repeat(b'x').take(200 << 20);
        let mut most = 0;
        while lines.fill(&mut input).unwrap() {
            assert!(lines.next().is_none());
            most = most.max(lines.buffer.len());
        }
        assert!(most <= MAX_LINE + 2 * CHUNK, "{most}");
    }
}
