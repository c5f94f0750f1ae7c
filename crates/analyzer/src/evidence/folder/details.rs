//! Authorization details: those of today, and those of the last review.

use bailiwick_catalog::Catalog;
use bailiwick_model::export::{self, ExportFile, Note, NoteKind};
use bailiwick_model::{Account, ManagedPolicies};

use super::super::Evidence;
use super::super::part::{Missing, Part};
use super::super::text::{Fault, REST, Text, fault};
use super::File;
use crate::estate::Estate;

/// An account as authorization details tell it.
pub(super) struct Read {
    pub(super) account: Account,
    pub(super) managed: ManagedPolicies,
    pub(super) notes: Vec<Note>,
    /// Whether the pages end before the export does.
    pub(super) cut_off: bool,
}

/// Reads the pages of one export. What is wrong goes to the faults; pages of which none is the last
/// are a fault, and are used all the same.
pub(super) fn read(
    files: &[&File<'_>],
    catalog: &'static Catalog,
    faults: &mut Vec<Fault>,
) -> Result<Read, Missing> {
    // The reader of exports knows no other encoding, and names none.
    let wrong = files.iter().filter_map(|file| Text::new(file.name, file.bytes).err());
    let wrong: Vec<Fault> = wrong.collect();
    if let Some(first) = wrong.first() {
        let missing = Missing::Unreadable(first.file.clone());
        faults.extend(wrong);
        return Err(missing);
    }
    let pages: Vec<ExportFile<'_>> =
        files.iter().map(|file| ExportFile { name: file.name, bytes: file.bytes }).collect();
    match export::read(&pages, catalog) {
        Ok(found) => {
            let cut_off = found.notes.iter().any(|note| note.kind == NoteKind::CutOff);
            if cut_off && let Some(file) = files.last() {
                let problem = "every page says that another one follows, and none is there";
                let rest = "what the pages hold is used, and of other entities nothing is said";
                let mut cut = fault(file.name, "", 0, problem);
                rest.clone_into(&mut cut.rest);
                faults.push(cut);
            }
            let (account, managed, notes) = (found.account, found.managed, found.notes);
            Ok(Read { account, managed, notes, cut_off })
        }
        Err(error) => {
            let missing = Missing::Unreadable(error.file.clone());
            faults.push(Fault {
                file: error.file,
                line: error.line,
                column: error.column,
                problem: error.problem.to_string(),
                rest: REST.to_owned(),
            });
            Err(missing)
        }
    }
}

/// Whether a path is one of the details of the last review.
pub(super) fn is_reviewed(path: &str) -> bool {
    let name = path.strip_prefix("reviewed/authorization-details");
    name.and_then(|rest| rest.strip_suffix(".json")).is_some_and(|number| !number.contains('/'))
}

/// The account as it was at the last review. A part of it would make the rest look new: it has to
/// be whole, and of the same account.
pub(super) fn reviewed(
    files: &[&File<'_>],
    catalog: &'static Catalog,
    found: &Evidence,
    faults: &mut Vec<Fault>,
) -> Part<Estate> {
    let Some(first) = files.first() else { return Part::default() };
    let unusable = || Part::Missing(Missing::Unreadable(first.name.to_owned()));
    let read = match read(files, catalog, faults) {
        Ok(read) if read.cut_off => return unusable(),
        Ok(read) => read,
        Err(missing) => return Part::Missing(missing),
    };
    let (told, id) = (read.account.id(), found.account_id());
    if told != id {
        let problem = format!("this is of account {told}, and of account {id} was expected");
        faults.push(fault(first.name, "", 0, &problem));
        return unusable();
    }
    Part::Known(Estate::new(read.account, read.managed))
}
