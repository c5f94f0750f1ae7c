//! The evidence that answers are made from, with the faults of its files.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::path::PathBuf;

use anyhow::bail;
use bailiwick_analyzer::evidence::Evidence;

use crate::access::AccessArgs;
use crate::audit::{Loaded, import, load, parse, tell};
use crate::iam::Iam;

/// More bytes than this are told as long work on a terminal.
const LONG: usize = 8 << 20;

/// What is known of an account, and the files that could not be used.
pub(crate) struct World {
    pub(crate) evidence: Evidence,
    /// Files with faults; empty where there are none.
    files: Vec<Loaded>,
    told: bool,
}

impl World {
    /// Reads a folder or files; where none are given, the account on a server.
    ///
    /// # Errors
    /// A path cannot be read, no file tells of an account, or the server does not answer.
    pub(crate) fn find(paths: &[PathBuf], access: &AccessArgs) -> anyhow::Result<Self> {
        if !paths.is_empty() {
            return Self::of(load(paths)?);
        }
        let files = import::gather(Iam::find(access)?)?;
        // Of an account of which nothing may be read nothing is answered.
        import::known(&files)?;
        Self::of(files)
    }

    /// The same of files that are at hand.
    fn of(mut files: Vec<Loaded>) -> anyhow::Result<Self> {
        let long = files.iter().map(|file| file.bytes.len()).sum::<usize>() > LONG;
        let told = long && stderr().is_terminal();
        let parsed = said(told, "reading ...", || parse(&files));
        let evidence = match parsed {
            Ok(evidence) => evidence,
            Err(faults) => {
                tell(&faults, &files);
                bail!("nothing can be answered: no file tells of an account that could be read");
            }
        };
        if evidence.faults.is_empty() {
            files.clear();
        }
        Ok(Self { evidence, files, told })
    }

    /// Does long work, and says on a terminal what it is.
    pub(crate) fn while_it_lasts<T>(&self, text: &str, work: impl FnOnce() -> T) -> T {
        said(self.told, text, work)
    }

    /// Tells the files that could not be used.
    ///
    /// # Errors
    /// There are some.
    pub(crate) fn faults(&self) -> anyhow::Result<()> {
        if self.evidence.faults.is_empty() {
            return Ok(());
        }
        tell(&self.evidence.faults, &self.files);
        bail!("{} files cannot be used: what needs them is not known", self.evidence.faults.len())
    }
}

fn said<T>(told: bool, text: &str, work: impl FnOnce() -> T) -> T {
    if told {
        let _ = write!(stderr(), "\r\x1b[K{text}");
    }
    let done = work();
    if told {
        let _ = write!(stderr(), "\r\x1b[K");
    }
    done
}
