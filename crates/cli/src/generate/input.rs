//! The events of a principal, and the account beside them.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _, stderr, stdin};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, bail};
use bailiwick_analyzer::evidence::{self, Evidence, File};
use bailiwick_analyzer::generate::{Actor, Record, Usage};
use bailiwick_analyzer::trail::{self, Event, Told};
use bailiwick_catalog::Catalog;
use jiff::Timestamp;

use crate::audit::load;
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
        if self.actor.is(&event.caller()) {
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
    let files = load(paths)?;
    let files: Vec<File<'_>> = files
        .iter()
        .map(|file| File { name: &file.name, path: &file.path, bytes: &file.bytes })
        .collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    const DETAILS: &str = r#"{"UserDetailList": [{"Path": "/", "UserName": "ann",
        "UserId": "AIDAAAAAAAAAAAAAAAAAA", "Arn": "arn:aws:iam::123456789012:user/ann",
        "CreateDate": "2025-01-01T00:00:00Z"}],
        "GroupDetailList": [], "RoleDetailList": [], "Policies": []}"#;

    // The folder that an audit takes has the events beside the account.
    #[test]
    fn the_events_of_a_folder_are_none_of_its_account() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("authorization-details.json"), DETAILS).unwrap();
        std::fs::create_dir(folder.path().join("events")).unwrap();
        std::fs::write(folder.path().join("events/a.json.gz"), b"\x1f\x8b\xff").unwrap();
        let found = account(&[folder.path().to_owned()]).unwrap();
        assert_eq!(found.estate.account.users().count(), 1);
        let alone = folder.path().join("authorization-details.json");
        assert!(account(&[alone]).is_ok());
    }

    // A pipe may never end.
    #[cfg(unix)]
    #[test]
    fn what_is_no_regular_file_is_refused() {
        let error = account(&[PathBuf::from("/dev/null")]).unwrap_err();
        assert!(error.to_string().contains("no regular file"), "{error}");
    }
}
