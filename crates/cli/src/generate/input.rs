//! The events of a principal, and the account beside them.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _, stderr, stdin};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, bail};
use bailiwick_analyzer::evidence::{self, Evidence, File, MAX_BYTES, MAX_FILES};
use bailiwick_analyzer::generate::{Actor, Record, Usage};
use bailiwick_analyzer::trail::{self, Event, Told};
use bailiwick_catalog::Catalog;
use jiff::Timestamp;

use crate::terminal;
use crate::trail::{Gather, scan};

/// The most bytes of standard input.
const MAX_INPUT: u64 = 1 << 30;

/// The instants between which events count.
type Span = (Option<Timestamp>, Option<Timestamp>);

/// What a thread has seen of events of others, and where those of the principal go.
struct Sieve<'s> {
    usage: &'s Mutex<Usage>,
    actor: Actor,
    span: Span,
    others: u64,
    data: BTreeSet<String>,
    reads: bool,
}

impl<'s> Sieve<'s> {
    fn new(usage: &'s Mutex<Usage>, actor: &Actor, span: Span) -> Self {
        let actor = actor.clone();
        Self { usage, actor, span, others: 0, data: BTreeSet::new(), reads: false }
    }

    fn flush(&mut self) {
        let mut usage = self.usage.lock().unwrap_or_else(PoisonError::into_inner);
        usage.pass_many(self.others, &self.data, self.reads);
        self.others = 0;
    }
}

impl Gather for Sieve<'_> {
    fn event(&mut self, event: &Event<'_>) {
        let (from, to) = self.span;
        let at = event.event_time;
        if from.is_some_and(|from| at < from) || to.is_some_and(|to| at > to) || event.is_insight()
        {
            return;
        }
        let who = &event.user_identity;
        let issuer = who.session_context.session_issuer.arn.as_deref();
        if self.actor.is_one_of(who.arn.as_deref().unwrap_or_default(), issuer) {
            let record = Record::from(event);
            self.usage.lock().unwrap_or_else(PoisonError::into_inner).take(&record);
            return;
        }
        self.others += 1;
        self.reads |= event.read_only == Some(true);
        if event.event_category.as_deref() == Some("Data")
            && !self.data.contains(&*event.event_source)
        {
            self.data.insert(event.event_source.to_string());
        }
    }

    fn file(&mut self, _name: &str, _packed: u64, _bytes: u64, _told: &Told) {
        self.flush();
    }
}

/// What a principal did, and how many records or files could not be read, which is told.
///
/// # Errors
/// A path is not there, or there is no event at all.
pub(super) fn usage(paths: &[PathBuf], actor: &Actor, span: Span) -> anyhow::Result<(Usage, u64)> {
    let usage = Mutex::new(Usage::new(actor.clone()));
    let (mut faults, mut problems) = (Vec::new(), 0);
    let (input, files): (Vec<&PathBuf>, Vec<&PathBuf>) =
        paths.iter().partition(|path| path.as_os_str() == "-");
    if !input.is_empty() {
        let mut bytes = Vec::new();
        stdin().lock().take(MAX_INPUT + 1).read_to_end(&mut bytes).context("standard input")?;
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MAX_INPUT {
            bail!("standard input is longer than {MAX_INPUT} bytes");
        }
        let mut sieve = Sieve::new(&usage, actor, span);
        let told =
            trail::read("standard input", &bytes, &mut |event: &Event<'_>| sieve.event(event));
        sieve.flush();
        problems += told.bad + u64::from(told.cut_off);
        faults.extend(told.faults);
    }
    if !files.is_empty() {
        let files: Vec<PathBuf> = files.into_iter().cloned().collect();
        let found = scan(&files, || Sieve::new(&usage, actor, span))?;
        problems += found.problems;
        faults.extend(found.faults);
    }
    for fault in faults.iter().take(20) {
        let _ = writeln!(stderr(), "{}", terminal::text(&fault.to_string()));
    }
    let usage = usage.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok((usage, problems))
}

/// The account from a folder or from files.
///
/// # Errors
/// A path cannot be read, or none of the files tells of an account.
pub(super) fn account(paths: &[PathBuf]) -> anyhow::Result<Evidence> {
    let mut held = Vec::new();
    for path in paths {
        gather(path, &mut held)?;
    }
    let files: Vec<File<'_>> =
        held.iter().map(|(name, path, bytes)| File { name, path, bytes }).collect();
    let found = match evidence::read(&files, Catalog::embedded()) {
        Ok(found) => found,
        Err(faults) => {
            let first = faults.first().map(ToString::to_string).unwrap_or_default();
            bail!("no file tells of an account: {first}");
        }
    };
    if let Some(fault) = found.faults.first() {
        bail!("{fault}");
    }
    if found.details.missing().is_some() {
        bail!("there are no authorization details among the files of --account");
    }
    Ok(found)
}

/// A name, a path in its folder, and bytes.
type Held = (String, String, Vec<u8>);

/// A file, or the files of a folder in the order of their paths. Symbolic links are left out.
fn gather(path: &Path, held: &mut Vec<Held>) -> anyhow::Result<()> {
    let mut waiting = vec![path.to_owned()];
    let mut total = 0_u64;
    while let Some(one) = waiting.pop() {
        let shown = one.display().to_string();
        let about = std::fs::metadata(&one).with_context(|| format!("`{shown}` cannot be read"))?;
        if about.is_dir() {
            let entries =
                std::fs::read_dir(&one).with_context(|| format!("`{shown}` cannot be read"))?;
            let mut list = entries.collect::<Result<Vec<_>, _>>()?;
            list.sort_by_key(|entry| std::cmp::Reverse(entry.file_name()));
            let real =
                |entry: &std::fs::DirEntry| entry.file_type().is_ok_and(|kind| !kind.is_symlink());
            waiting.extend(list.iter().filter(|entry| real(entry)).map(std::fs::DirEntry::path));
            continue;
        }
        total = total.saturating_add(about.len());
        if held.len() >= MAX_FILES || total > u64::try_from(MAX_BYTES).unwrap_or(u64::MAX) {
            bail!("`{}` holds more than an account may have", path.display());
        }
        let bytes = std::fs::read(&one).with_context(|| format!("`{shown}` cannot be read"))?;
        let below = one.strip_prefix(path).unwrap_or(&one);
        let parts: Vec<_> =
            below.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        held.push((shown, parts.join("/"), bytes));
    }
    Ok(())
}
