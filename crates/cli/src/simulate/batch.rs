//! `simulate --batch`: a case on each line in, its answer on a line out.
//!
//! Memory is bounded: one line of at most 16 MiB and the documents met before, of a bounded size
//! together. Answers are written before we wait for input, so that whoever sits at the other end
//! of a pipe has each answer when it has sent its line. A line that cannot be read is answered with
//! what is wrong, and the next one is read.
//!
//! Lines that came together are shared out among threads. Each keeps the documents that it met, and
//! a case does not depend on those before it, so that the answers are the same with any number.

use std::io::{self, Read, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, Scope};

use anyhow::{Context as _, anyhow};
use bailiwick_policy::{Case, Documents};
use serde::Serialize;

/// How much is read at once, in bytes.
const CHUNK: usize = 256 << 10;
/// The most threads: beyond, reading and writing is what takes the time.
const MAX_THREADS: usize = 8;
/// What the documents of all threads may hold together, in bytes.
const DOCUMENTS: usize = 2 * Documents::DEFAULT_BYTES;
/// Less than this is answered at once rather than shared out, in bytes.
const SHARED: usize = 32 << 10;
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
fn answer(input: impl Read, name: &str, out: impl Write) -> anyhow::Result<()> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
    answer_with(threads, input, name, out)
}

fn answer_with(
    threads: usize,
    mut input: impl Read,
    name: &str,
    mut out: impl Write,
) -> anyhow::Result<()> {
    thread::scope(|scope| {
        let room = DOCUMENTS / threads.max(2);
        let others = (1..threads).map(|_| Helper::start(scope, room)).collect();
        let mut crew = Crew { own: Documents::with_capacity(room), others, text: Vec::new() };
        let mut lines = Lines::new();
        loop {
            let more = lines.fill(&mut input).with_context(|| format!("{name} cannot be read"))?;
            let mut ready = lines.whole();
            if !more {
                ready.extend(lines.last());
            }
            // Nothing is held back while we wait.
            if !ready.is_empty() {
                crew.answer(lines.take(), &ready, &mut out)?;
            }
            if !more {
                return Ok(());
            }
        }
    })
}

/// A line of the input.
#[derive(Clone)]
pub(crate) enum Line {
    /// Where it stands in the buffer.
    Whole(Range<usize>),
    /// Longer than [`MAX_LINE`]; its text is gone.
    TooLong,
}

/// Lines for one thread, and the buffer in which they stand.
struct Share {
    buffer: Arc<Vec<u8>>,
    lines: Vec<Line>,
}

/// Those who answer: this thread and others.
struct Crew {
    own: Documents,
    others: Vec<Helper>,
    /// Answers of this thread that are being written.
    text: Vec<u8>,
}

impl Crew {
    /// Answers lines in their order.
    fn answer(
        &mut self,
        buffer: Vec<u8>,
        lines: &[Line],
        out: &mut impl Write,
    ) -> anyhow::Result<()> {
        const WRITING: &str = "the answers cannot be written";
        let stopped = || anyhow!("a thread has stopped");
        let threads = if buffer.len() < SHARED { 1 } else { self.others.len() + 1 };
        let buffer = Arc::new(buffer);
        let mut shares = lines.chunks(lines.len().div_ceil(threads).max(1));
        let own = shares.next().unwrap_or_default();
        let mut busy = Vec::new();
        for (helper, share) in self.others.iter().zip(shares) {
            let share = Share { buffer: Arc::clone(&buffer), lines: share.to_vec() };
            helper.shares.send(share).map_err(|_| stopped())?;
            busy.push(helper);
        }
        self.text.clear();
        reply_all(&mut self.text, &buffer, own, &mut self.own).context(WRITING)?;
        out.write_all(&self.text).context(WRITING)?;
        for helper in busy {
            let text = helper.answers.recv().map_err(|_| stopped())?;
            out.write_all(&text).context(WRITING)?;
        }
        out.flush().context(WRITING)
    }
}

/// Another thread that answers. It ends with the channel of its shares.
struct Helper {
    shares: SyncSender<Share>,
    answers: Receiver<Vec<u8>>,
}

impl Helper {
    fn start<'scope>(scope: &'scope Scope<'scope, '_>, room: usize) -> Self {
        let (shares, given) = sync_channel::<Share>(1);
        let (done, answers) = sync_channel(1);
        scope.spawn(move || {
            let mut documents = Documents::with_capacity(room);
            for share in given {
                let mut text = Vec::new();
                // Writing to memory cannot fail.
                let _ = reply_all(&mut text, &share.buffer, &share.lines, &mut documents);
                if done.send(text).is_err() {
                    return;
                }
            }
        });
        Self { shares, answers }
    }
}

fn reply_all(
    out: &mut impl Write,
    buffer: &[u8],
    lines: &[Line],
    documents: &mut Documents,
) -> io::Result<()> {
    lines.iter().try_for_each(|line| {
        let text = match line {
            Line::Whole(range) => buffer.get(range.clone()),
            Line::TooLong => None,
        };
        reply(out, text, documents)
    })
}

/// The answer to a line that is no case, or not one that can be asked.
#[derive(Serialize)]
struct Refused<'a> {
    id: Option<()>,
    error: &'a str,
}

/// Answers a line, which has no text if it is too long.
fn reply(out: &mut impl Write, line: Option<&[u8]>, documents: &mut Documents) -> io::Result<()> {
    let refused = |error| Refused { id: None, error };
    let Some(bytes) = line else {
        return write(out, &refused("a line has at most 16,777,216 bytes"));
    };
    let text = std::str::from_utf8(bytes);
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
pub(crate) struct Lines {
    buffer: Vec<u8>,
    /// Where the next line begins.
    start: usize,
    /// Up to where there is no end of a line.
    scanned: usize,
    /// Whether we are in a line that was too long, of which nothing is kept.
    long: bool,
}

impl Lines {
    /// Before anything is read.
    pub(crate) fn new() -> Self {
        Self { buffer: Vec::with_capacity(CHUNK), start: 0, scanned: 0, long: false }
    }

    /// All lines that have an end.
    pub(crate) fn whole(&mut self) -> Vec<Line> {
        let mut lines = Vec::new();
        loop {
            let rest = self.buffer.get(self.scanned..).unwrap_or_default();
            let Some(end) = memchr::memchr(b'\n', rest).map(|at| self.scanned + at) else { break };
            let start = std::mem::replace(&mut self.start, end + 1);
            self.scanned = end + 1;
            let long = std::mem::take(&mut self.long) || end - start > MAX_LINE;
            lines.push(if long { Line::TooLong } else { Line::Whole(start..end) });
        }
        self.scanned = self.buffer.len();
        if self.long || self.scanned - self.start > MAX_LINE {
            self.long = true;
            self.buffer.truncate(self.start);
            self.scanned = self.start;
        }
        lines
    }

    /// What follows the last end of a line.
    pub(crate) fn last(&mut self) -> Option<Line> {
        if std::mem::take(&mut self.long) {
            return Some(Line::TooLong);
        }
        let rest = std::mem::replace(&mut self.start, self.buffer.len())..self.buffer.len();
        (!rest.is_empty()).then_some(Line::Whole(rest))
    }

    /// The buffer, in which the lines so far stand; what follows them goes into a new one.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        let rest = self.buffer.get(self.start..).unwrap_or_default();
        let mut fresh = Vec::with_capacity(CHUNK.max(2 * rest.len()));
        fresh.extend_from_slice(rest);
        self.scanned -= self.start;
        self.start = 0;
        std::mem::replace(&mut self.buffer, fresh)
    }

    /// Reads on; whether there was more.
    pub(crate) fn fill(&mut self, input: &mut impl Read) -> io::Result<bool> {
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

    // Whatever the number of threads, and wherever the input is cut.
    #[test]
    fn threads_do_not_show_in_the_answers() {
        let mut input = Vec::new();
        for number in 0..2000 {
            let line = CASE.replace("\"id\": 7", &format!("\"id\": {number}"));
            let action = if number % 3 == 0 { "sqs:X" } else { "*" };
            let line = line.replace("\"Action\": \"*\"", &format!("\"Action\": \"{action}\""));
            input.extend(if number % 7 == 0 { b"nonsense".to_vec() } else { line.into_bytes() });
            input.push(b'\n');
        }
        input.pop();
        let with = |threads: usize| {
            let mut out = Vec::new();
            answer_with(threads, &*input, "the test", &mut out).unwrap();
            out
        };
        let expected = with(1);
        let lines: Vec<&str> = std::str::from_utf8(&expected).unwrap().lines().collect();
        assert_eq!(lines.len(), 2000);
        assert!(lines[1].starts_with("{\"id\":1,\"decision\":\"allowed\""), "{}", lines[1]);
        assert!(lines[3].starts_with("{\"id\":3,\"decision\":\"implicitDeny\""), "{}", lines[3]);
        for threads in [2, 3, 8] {
            assert!(with(threads) == expected, "{threads}");
        }
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
            assert!(lines.whole().is_empty());
            most = most.max(lines.buffer.len());
        }
        assert!(most <= MAX_LINE + 2 * CHUNK, "{most}");
    }
}
