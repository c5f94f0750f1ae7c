//! The evidence of a folder or of files, for verbs that ask about the account itself.

use std::io::{Write as _, stderr};
use std::path::PathBuf;

use anyhow::bail;
use bailiwick_analyzer::evidence::Evidence;

use super::folder::load;
use super::posture::{parse, tell};
use crate::terminal;

/// What the files tell. Faults are told on standard error.
///
/// # Errors
/// A path cannot be read, or no file tells of an account.
pub(crate) fn evidence(paths: &[PathBuf]) -> anyhow::Result<Evidence> {
    let files = load(paths)?;
    let evidence = match parse(&files) {
        Ok(evidence) => evidence,
        Err(faults) => {
            tell(&faults, &files);
            bail!("nothing can be asked: no file tells of an account that could be read");
        }
    };
    tell(&evidence.faults, &files);
    if let Some(missing) = evidence.details.missing() {
        bail!("the users, roles and policies are not known: {missing}");
    }
    let note = |text: &str| {
        let _ = writeln!(stderr(), "note: {}", terminal::text(text));
    };
    if evidence.estate.organization.is_none() {
        note("no organization is known: SCPs and RCPs are not counted");
    }
    if evidence.estate.resource_policies.is_none() {
        note("no policies of resources are known, trust policies aside");
    }
    Ok(evidence)
}

/// What a verb ends with when its files have faults: they outweigh what was found.
///
/// # Errors
/// Some file could not be used.
pub(crate) fn whole(evidence: &Evidence) -> anyhow::Result<()> {
    if !evidence.faults.is_empty() {
        bail!("{} files cannot be used: what they hold is not counted", evidence.faults.len());
    }
    Ok(())
}
