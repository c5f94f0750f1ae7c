//! `bailiwick audit FOLDER`: the checks over files.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _, stderr, stdout};
use std::path::{Path, PathBuf};

use anyhow::bail;
use bailiwick_analyzer::evidence::{self, Evidence, File, Part};
use bailiwick_analyzer::posture::{self, Report, Settings};
use bailiwick_catalog::Catalog;
use bailiwick_model::export::{NoteKind, NotePlace};
use serde::Deserialize;

use super::folder::{EVENTS, Loaded, load};
use super::{AuditArgs, AuditFormat, ObjectArgs, html, import, show, write};
use crate::clock;
use crate::simulate::fault::{Fault, Findings, read};
use crate::{terminal, trail};

/// The longest settings file, in bytes.
const MAX_SETTINGS: u64 = 4 << 20;
/// The longest baseline, in bytes.
const MAX_BASELINE: u64 = 1 << 30;
/// So many faults are shown.
const MOST_FAULTS: usize = 20;

pub(super) fn run(args: &AuditArgs) -> anyhow::Result<()> {
    let earlier = args.baseline.as_deref().map(baseline).transpose()?;
    let baseline: Option<BTreeMap<String, String>> = earlier
        .as_ref()
        .map(|earlier| earlier.iter().map(|(id, held)| (id.clone(), held.check.clone())).collect());
    let Examined { evidence, settings, files, refused, partial, report } =
        examine(&args.object, baseline.as_ref())?;
    let mut out = std::io::BufWriter::new(stdout().lock());
    match args.format {
        AuditFormat::Table => show::table(&mut out, &report, &evidence)?,
        AuditFormat::Json => write::json(&mut out, &report, &evidence)?,
        AuditFormat::Csv => write::csv(&mut out, &report)?,
        AuditFormat::Sarif => write::sarif(&mut out, &report, &evidence)?,
        AuditFormat::Ocsf => write::ocsf(&mut out, &report)?,
        AuditFormat::Html => {
            let baseline = earlier.as_ref();
            let around = html::Around { evidence: &evidence, settings: &settings, baseline };
            html::page(&mut out, &report, &around)?;
        }
    }
    out.flush()?;
    drop(out);
    let end = end(&report, &evidence, &files);
    if let Some(refused) = refused {
        bail!("{refused}\nwhat needs the users, roles and policies is not assessed");
    }
    if partial && evidence.faults.is_empty() {
        bail!("some events could not be read: what needs all of them is not assessed");
    }
    end
}

/// An audit before it is printed.
pub(super) struct Examined {
    pub(super) evidence: Evidence,
    pub(super) settings: Settings,
    /// The files, for the lines of faults; none without faults.
    pub(super) files: Vec<Loaded>,
    /// Why a server does not tell who there is; then next to nothing is assessed.
    pub(super) refused: Option<anyhow::Error>,
    /// Whether some events could not be read.
    pub(super) partial: bool,
    pub(super) report: Report,
}

/// Reads what there is, and asks all checks.
///
/// # Errors
/// No file tells of an account, or something that is named cannot be read.
pub(super) fn examine(
    object: &ObjectArgs,
    baseline: Option<&BTreeMap<String, String>>,
) -> anyhow::Result<Examined> {
    let settings = object.settings.as_deref().map_or_else(|| Ok(Settings::default()), settings)?;
    let live = object.server.asked();
    let mut files = if live { object.server.files()? } else { load(&object.paths)? };
    let refused = if live { import::known(&files).err() } else { None };
    let now = object.as_of.unwrap_or_else(clock::now);
    // Work of less than a second says nothing; what is long is told on a terminal alone.
    let long = files.iter().map(|file| file.bytes.len()).sum::<usize>() > 8 << 20;
    let told = long && stderr().is_terminal();
    let say = |text: &str| {
        if told {
            let _ = write!(stderr(), "\r\x1b[K{text}");
        }
    };
    say("reading ...");
    let mut evidence = match parse(&files) {
        Ok(evidence) => evidence,
        Err(faults) => {
            say("");
            tell(&faults, &files);
            bail!("nothing can be audited: no file tells of an account that could be read");
        }
    };
    if evidence.faults.is_empty() {
        // The bytes are for the lines of faults alone.
        files.clear();
    }
    let partial = events(object, &mut evidence)?;
    say("checking ...");
    let report = posture::run(&evidence, &settings, now, baseline);
    say("");
    Ok(Examined { evidence, settings, files, refused, partial, report })
}

/// Where the events are: those that are named, or that the folders hold.
pub(super) fn trails(object: &ObjectArgs) -> Vec<PathBuf> {
    if !object.events.is_empty() {
        return object.events.clone();
    }
    object.paths.iter().map(|path| path.join(EVENTS)).filter(|path| path.is_dir()).collect()
}

/// Reads the events; answers whether some could not be read.
fn events(object: &ObjectArgs, evidence: &mut Evidence) -> anyhow::Result<bool> {
    let paths = trails(object);
    if paths.is_empty() {
        return Ok(false);
    }
    let (uses, scan) = trail::uses(&paths)?;
    scan.tell(&uses);
    evidence.events = Part::Known(uses);
    Ok(scan.problems > 0)
}

/// The exit code's meaning: a file that cannot be used outweighs findings.
fn end(report: &Report, evidence: &Evidence, files: &[Loaded]) -> anyhow::Result<()> {
    if !evidence.faults.is_empty() {
        tell(&evidence.faults, files);
        bail!("{} files cannot be used: what needs them is not assessed", evidence.faults.len());
    }
    let unreadable = unreadable(evidence);
    if unreadable > 0 {
        bail!(
            "{unreadable} policies cannot be read: whoever they apply to is not assessed where it \
             matters, the rest is as told"
        );
    }
    if report.counted().next().is_some() {
        return Err(Findings.into());
    }
    Ok(())
}

/// Tells the policies whose text cannot be read, and how many there are.
fn unreadable(evidence: &Evidence) -> usize {
    let notes = evidence.details.known().map_or(&[][..], |details| &details.notes);
    let notes = notes.iter().filter(|note| note.kind == NoteKind::Unreadable);
    let mut lines: Vec<String> = notes
        .map(|note| match &note.place {
            Some(NotePlace { file, line, column }) => {
                format!("{file}:{line}:{column}: {}: {}", note.about, note.text)
            }
            None => format!("{}: {}", note.about, note.text),
        })
        .collect();
    for (arn, resource) in evidence.resources.known().into_iter().flatten() {
        if let Some(Some(Err(problem))) = resource.policy.known() {
            lines.push(format!("{arn}: {problem}"));
        }
    }
    for line in lines.iter().take(MOST_FAULTS) {
        let _ = writeln!(stderr(), "{}", terminal::text(line));
    }
    if lines.len() > MOST_FAULTS {
        let _ = writeln!(stderr(), "and {} more", lines.len() - MOST_FAULTS);
    }
    lines.len()
}

pub(crate) fn parse(files: &[Loaded]) -> Result<Evidence, Vec<evidence::Fault>> {
    let files: Vec<File<'_>> = files
        .iter()
        .map(|file| File { name: &file.name, path: &file.path, bytes: &file.bytes })
        .collect();
    evidence::read(&files, Catalog::embedded())
}

/// Faults with the lines they stand in.
pub(crate) fn tell(faults: &[evidence::Fault], files: &[Loaded]) {
    let mut out = stderr().lock();
    for fault in faults.iter().take(MOST_FAULTS) {
        let held = files.iter().find(|file| file.name == fault.file);
        let text = held.map(|file| String::from_utf8_lossy(&file.bytes)).unwrap_or_default();
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let place = (number(fault.line), number(fault.column));
        let shown = Fault::new(&fault.file, &text, place, &fault.problem).to_string();
        for line in shown.lines() {
            let _ = writeln!(out, "{}", terminal::text(line));
        }
        let _ = writeln!(out, "  {}", fault.rest);
    }
    if faults.len() > MOST_FAULTS {
        let _ = writeln!(out, "and {} more", faults.len() - MOST_FAULTS);
    }
}

pub(crate) fn settings(path: &Path) -> anyhow::Result<Settings> {
    let text = read(path, MAX_SETTINGS)?;
    toml::from_str(&text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let before = text.get(..text.floor_char_boundary(at)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let place = (number(line), number(column));
        Fault::new(&path.display().to_string(), &text, place, error.message()).into()
    })
}

/// What an earlier report says of a finding.
#[derive(Deserialize)]
pub(super) struct Earlier {
    id: String,
    pub(super) check: String,
    #[serde(default)]
    pub(super) subject: String,
}

/// The findings of an earlier report, by id.
fn baseline(path: &Path) -> anyhow::Result<BTreeMap<String, Earlier>> {
    #[derive(Deserialize)]
    #[serde(expecting = "a report of `bailiwick audit --format json`")]
    struct Whole {
        findings: Vec<Earlier>,
    }
    let text = read(path, MAX_BASELINE)?;
    let whole: Whole = serde_json::from_str(&text)
        .map_err(|error| Fault::json(&path.display().to_string(), &text, &error))?;
    Ok(whole.findings.into_iter().map(|held| (held.id.clone(), held)).collect())
}
