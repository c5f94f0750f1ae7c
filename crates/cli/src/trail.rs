//! The files of trails: folders walked, files unpacked, events handed on, by two threads.
//!
//! A folder may have any shape: the one that CloudTrail makes in a bucket (`AWSLogs/ACCOUNT/CloudTrail/REGION/
//! YYYY/MM/DD/*.json.gz`), or another. The result does not depend on the order of the files. What cannot be
//! read is told and counted; a file that unpacks to more than [`MAX_UNPACKED`] is not used.

mod show;

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Read as _, Write as _, stderr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use bailiwick_analyzer::evidence::Fault;
pub(crate) use bailiwick_analyzer::generate::grouped as thousands;
use bailiwick_analyzer::trail::{self, Event, Told, Uses};
use bailiwick_catalog::Catalog;
use flate2::read::MultiGzDecoder;

use crate::terminal;

pub(crate) use show::EventsArgs;
pub(crate) use show::run;

/// The most bytes of one file, unpacked. CloudTrail's own files have some megabytes.
pub(crate) const MAX_UNPACKED: u64 = if cfg!(test) { 4 << 20 } else { 256 << 20 };
/// The most files.
const MAX_FILES: usize = 5_000_000;
/// So many threads read.
const THREADS: usize = 2;
/// So many faults are kept with their text.
const MAX_FAULTS: usize = 100;

/// What gathers events. Each thread has one; the caller puts them together.
pub(crate) trait Gather: Send {
    /// Takes an event.
    fn event(&mut self, event: &Event<'_>);
    /// Takes a file that has been read: its name, and its lengths packed and unpacked.
    fn file(&mut self, name: &str, packed: u64, bytes: u64, told: &Told);
}

impl Gather for Uses {
    fn event(&mut self, event: &Event<'_>) {
        self.add(event, Catalog::embedded());
    }

    fn file(&mut self, name: &str, packed: u64, bytes: u64, told: &Told) {
        Self::file(self, name, packed, bytes, told);
    }
}

/// What a scan gave.
pub(crate) struct Scan<G> {
    /// What each thread gathered.
    pub(crate) gathered: Vec<G>,
    /// What could not be read, by file and place; the first hundred.
    pub(crate) faults: Vec<Fault>,
    /// How many faults there are in all: of files, and of records.
    pub(crate) problems: u64,
    /// Files that are none of a trail, by their names, and were passed over.
    pub(crate) others: usize,
    /// How long it took.
    pub(crate) took: Duration,
}

/// Reads the events of folders and files.
///
/// # Errors
/// A path is not there, a folder cannot be listed, or there is no file of a trail.
pub(crate) fn scan<G: Gather>(
    paths: &[PathBuf],
    make: impl Fn() -> G + Sync,
) -> anyhow::Result<Scan<G>> {
    let start = Instant::now();
    let (files, others) = list(paths)?;
    if files.is_empty() {
        bail!("there is no file of events: none ends in `.json.gz`, `.json`, `.jsonl` or `.gz`");
    }
    let next = AtomicUsize::new(0);
    let shared = Mutex::new((Vec::new(), 0_u64));
    let work = || {
        let mut gathered = make();
        let (mut packed, mut bytes) = (Vec::new(), Vec::new());
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some((path, name)) = files.get(number) else { return gathered };
            progress(number, files.len());
            let told = one(path, name, &mut packed, &mut bytes, &mut gathered);
            let problems = told.bad + u64::from(told.cut_off);
            gathered.file(name, packed.len() as u64, bytes.len() as u64, &told);
            if problems > 0 {
                let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
                shared.1 += problems;
                shared.0.extend(told.faults);
                // A few more than are kept, so that the first by name are among them.
                if shared.0.len() > 64 * MAX_FAULTS {
                    keep(&mut shared.0);
                }
            }
        }
    };
    let threads = THREADS.min(files.len());
    let gathered = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let ended = running.into_iter().map(std::thread::ScopedJoinHandle::join);
        ended.collect::<Result<Vec<_>, _>>()
    });
    let Ok(gathered) = gathered else { bail!("a thread that read the events ended") };
    progress(files.len(), files.len());
    let (mut faults, problems) = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
    keep(&mut faults);
    Ok(Scan { gathered, faults, problems, others, took: start.elapsed() })
}

/// Reads the uses of folders and files.
///
/// # Errors
/// As [`scan`].
pub(crate) fn uses(paths: &[PathBuf]) -> anyhow::Result<(Uses, Scan<()>)> {
    let start = Instant::now();
    let Scan { gathered, faults, problems, others, .. } = scan(paths, Uses::default)?;
    let mut parts = gathered.into_iter();
    let mut all = parts.next().unwrap_or_default();
    for part in parts {
        all.merge(part);
    }
    let took = start.elapsed();
    Ok((all, Scan { gathered: Vec::new(), faults, problems, others, took }))
}

impl<G> Scan<G> {
    /// Says on standard error what was read and how fast, and what could not be.
    pub(crate) fn tell(&self, uses: &Uses) {
        let mut out = stderr().lock();
        for fault in self.faults.iter().take(20) {
            let _ = writeln!(out, "{}", terminal::text(&fault.to_string()));
        }
        if self.problems > 0 {
            let totals = uses.totals();
            let _ = writeln!(
                out,
                "{} records and {} files could not be read, or not to their end",
                totals.bad, totals.broken
            );
        }
        let _ = writeln!(out, "{}", rate(uses, self.took));
        if self.others > 0 {
            let _ = writeln!(out, "{} files are not of a trail and were passed over", self.others);
        }
        let beyond = uses.totals().beyond;
        if beyond > 0 {
            let _ = writeln!(out, "{beyond} events are not told apart: there are too many kinds");
        }
    }
}

fn rate(uses: &Uses, took: Duration) -> String {
    let totals = uses.totals();
    let seconds = took.as_secs_f64().max(0.001);
    #[allow(clippy::cast_precision_loss, reason = "figures for people")]
    let (packed, bytes, events) =
        (totals.packed as f64 / 1e6, totals.bytes as f64 / 1e6, totals.events as f64);
    let mut text = format!(
        "{} events, {} files, {packed:.1} MB ({bytes:.1} MB unpacked) in {seconds:.2} s: {:.0} MB/s \
         ({:.0} MB/s unpacked), {} events/s",
        thousands(totals.events),
        thousands(totals.files),
        packed / seconds,
        bytes / seconds,
        thousands(rounded(events / seconds)),
    );
    if totals.digests + totals.insights > 0 {
        let _ = write!(
            text,
            "; {} digests and {} insights are no events",
            thousands(totals.digests),
            thousands(totals.insights)
        );
    }
    text
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate, for people")]
fn rounded(number: f64) -> u64 {
    number.max(0.0) as u64
}

fn keep(faults: &mut Vec<Fault>) {
    faults.sort_by(|one, two| {
        (&one.file, one.line, one.column).cmp(&(&two.file, two.line, two.column))
    });
    faults.truncate(MAX_FAULTS);
}

fn progress(done: usize, all: usize) {
    if (done.is_multiple_of(256) || done == all) && all > 256 && stderr().is_terminal() {
        let text =
            if done == all { "\r\x1b[K".to_owned() } else { format!("\r{done} of {all} files") };
        let _ = write!(stderr(), "{text}");
    }
}

/// Reads one file into the buffers, and hands on its events.
fn one<G: Gather>(
    path: &Path,
    name: &str,
    packed: &mut Vec<u8>,
    bytes: &mut Vec<u8>,
    gathered: &mut G,
) -> Told {
    packed.clear();
    bytes.clear();
    let broken = |problem: &str| Told {
        cut_off: true,
        faults: vec![Fault {
            file: name.to_owned(),
            line: 1,
            column: 1,
            problem: problem.to_owned(),
            rest: "nothing of this file is used, and the others are read".to_owned(),
        }],
        ..Told::default()
    };
    let file = std::fs::File::open(path);
    let got = file.and_then(|file| file.take(MAX_UNPACKED + 1).read_to_end(packed));
    if let Err(error) = got {
        return broken(&format!("the file cannot be read: {error}"));
    }
    let too_long = format!("the file has more than {MAX_UNPACKED} bytes unpacked");
    if packed.starts_with(&[0x1f, 0x8b]) {
        let mut unpacked = MultiGzDecoder::new(packed.as_slice()).take(MAX_UNPACKED + 1);
        if let Err(error) = unpacked.read_to_end(bytes) {
            // What was unpacked before is read, so that the place of the fault is told.
            let told = trail::read(name, bytes, &mut |event| gathered.event(event));
            let mut all = broken(&format!("the file cannot be unpacked to its end: {error}"));
            if told.events > 0
                && let Some(fault) = all.faults.first_mut()
            {
                "the records before it are used, and nothing after it".clone_into(&mut fault.rest);
            }
            return Told { cut_off: true, faults: all.faults, ..told };
        }
    } else {
        std::mem::swap(packed, bytes);
        packed.clear();
    }
    if bytes.len() as u64 > MAX_UNPACKED {
        bytes.clear();
        return broken(&too_long);
    }
    let told = trail::read(name, bytes, &mut |event| gathered.event(event));
    if packed.is_empty() {
        // The lengths of a file that is not packed are the same.
        packed.resize(bytes.len(), 0);
    }
    told
}

/// Every file of a trail below the paths, sorted, and how many others there are. Symbolic links are
/// left out; a file that is named itself is read whatever its name.
fn list(paths: &[PathBuf]) -> anyhow::Result<(Vec<(PathBuf, String)>, usize)> {
    let (mut files, mut others) = (Vec::new(), 0);
    let mut waiting = Vec::new();
    for path in paths {
        let shown = path.display();
        let about = std::fs::metadata(path).with_context(|| format!("`{shown}` cannot be read"))?;
        if about.is_dir() {
            waiting.push(path.clone());
        } else {
            files.push((path.clone(), shown.to_string()));
        }
    }
    while let Some(folder) = waiting.pop() {
        let shown = folder.display();
        let entries =
            std::fs::read_dir(&folder).with_context(|| format!("`{shown}` cannot be read"))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("`{shown}` cannot be read"))?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if kind.is_dir() {
                waiting.push(path);
            } else if kind.is_file() && [".gz", ".json", ".jsonl"].iter().any(|e| name.ends_with(e))
            {
                let shown = path.display().to_string();
                files.push((path, shown));
            } else {
                others += 1;
            }
            if files.len() > MAX_FILES {
                bail!("there are more than {MAX_FILES} files");
            }
        }
    }
    files.sort();
    files.dedup();
    Ok((files, others))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    const EVENT: &str = r#"{"userIdentity":{"type":"Root","arn":"arn:aws:iam::123456789012:root"},"eventTime":"2026-07-01T10:00:00Z","eventSource":"iam.amazonaws.com","eventName":"ListUsers","awsRegion":"us-east-1","recipientAccountId":"123456789012"}"#;

    fn packed(text: &str) -> Vec<u8> {
        let mut out = GzEncoder::new(Vec::new(), Compression::fast());
        out.write_all(text.as_bytes()).unwrap();
        out.finish().unwrap()
    }

    #[test]
    fn folders_are_walked_and_unpacked() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("AWSLogs/123456789012/CloudTrail/us-east-1/2026/07/01");
        std::fs::create_dir_all(&deep).unwrap();
        let text = format!("{{\"Records\":[{EVENT},{EVENT}]}}");
        std::fs::write(deep.join("a.json.gz"), packed(&text)).unwrap();
        std::fs::write(folder.path().join("b.json"), &text).unwrap();
        // Members of gzip one after another are one text.
        let two = [packed(EVENT), packed(&format!("\n{EVENT}"))].concat();
        std::fs::write(folder.path().join("c.json.gz"), two).unwrap();
        std::fs::write(folder.path().join("notes.txt"), "x").unwrap();
        let (all, scan) = uses(&[folder.path().to_owned()]).unwrap();
        assert_eq!((all.totals().events, all.totals().files), (6, 3));
        assert_eq!((scan.others, scan.problems), (1, 0));
        assert!(all.totals().packed < all.totals().bytes);
        assert_eq!(all.root()[0].count, 6);
    }

    #[test]
    fn what_is_broken_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let text = format!("{{\"Records\":[{EVENT},5]}}");
        std::fs::write(folder.path().join("a.json"), &text).unwrap();
        let whole = packed(&format!("{{\"Records\":[{EVENT}]}}"));
        std::fs::write(folder.path().join("b.json.gz"), &whole[..whole.len() - 12]).unwrap();
        std::fs::write(folder.path().join("c.json.gz"), b"\x1f\x8bnonsense").unwrap();
        let (all, scan) = uses(&[folder.path().to_owned()]).unwrap();
        assert_eq!(all.totals().bad, 1);
        assert_eq!(all.totals().broken, 2);
        assert_eq!((scan.problems, scan.faults.len()), (3, 3));
        assert!(scan.faults[1].problem.contains("unpacked to its end"));
        assert!(uses(&[folder.path().join("none")]).is_err());
    }

    // A small file that unpacks to very much is told, and its bytes are not held.
    #[test]
    fn tm_d02_a_bomb_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let mut out = GzEncoder::new(Vec::new(), Compression::fast());
        let zeros = vec![b' '; 1 << 20];
        for _ in 0..=(MAX_UNPACKED >> 20) {
            out.write_all(&zeros).unwrap();
        }
        std::fs::write(folder.path().join("a.json.gz"), out.finish().unwrap()).unwrap();
        let (all, scan) = uses(&[folder.path().to_owned()]).unwrap();
        assert_eq!((all.totals().broken, all.totals().events), (1, 0));
        assert!(scan.faults[0].problem.contains("more than"), "{:?}", scan.faults);
    }

    #[test]
    fn numbers_for_people() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(thousands(number), text);
        }
    }
}
