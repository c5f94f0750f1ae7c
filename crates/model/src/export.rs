//! An account as `aws iam get-account-authorization-details` shows it, read into an [`Account`] and
//! written from one.
//!
//! The JSON is that of the command line (policy documents as objects) or of the API (documents as
//! URL-encoded strings); an export may be one object, several pages as several files, an array of
//! pages, or pages one after another. The text is handed in: nothing here opens a file.
//!
//! The reader promises that nothing is dropped in silence. What is no export, or contradicts
//! itself, is an [`ExportError`] with file, line and column. What is missing or cannot be read is
//! a [`Note`], and applies as unreadable, so that it denies and never grants (IN-6): a policy
//! that is not there, a group that is not there, a document of another language. What it has no
//! place for, such as a member that it does not know, is a [`Note`] too: of what a misspelt limit
//! forbids, nothing is known.
//!
//! An export does not hold passwords, access keys, descriptions and longest sessions of roles,
//! tags of policies and of instance profiles: these stay empty, at their default, or unknown.

mod build;
mod details;
mod entities;
mod form;
mod members;
mod place;
mod policies;
mod texts;

use bailiwick_catalog::Catalog;

pub use details::details;

use crate::account::Account;
use crate::managed::ManagedPolicies;
use crate::parallel;
use place::{Place, Text};

/// The most bytes that all files of an export may have together.
pub const MAX_BYTES: usize = 512 * 1024 * 1024;
/// How deep objects and lists may lie in each other.
pub const MAX_DEPTH: usize = 64;

/// One file of an export.
#[derive(Clone, Copy, Debug)]
pub struct ExportFile<'a> {
    /// The name that errors and notes show.
    pub name: &'a str,
    /// What it holds: JSON in UTF-8.
    pub bytes: &'a [u8],
}

/// What an export holds.
#[derive(Debug)]
pub struct Imported {
    /// The account.
    pub account: Account,
    /// The AWS managed policies: the export's where it shows them, the catalog's otherwise.
    pub managed: ManagedPolicies,
    /// What is missing, unreadable or not as AWS writes it, in the order in which it was found.
    pub notes: Vec<Note>,
}

/// Something that a reader of the result should know.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Note {
    /// Of what sort it is.
    pub kind: NoteKind,
    /// Where it stands; none for what is missing.
    pub place: Option<NotePlace>,
    /// The ARN or name of what it is about.
    pub about: String,
    /// What was found, and what follows from it.
    pub text: String,
}

/// A place in a file of an export.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NotePlace {
    /// The file's name.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in Unicode scalars.
    pub column: usize,
}

/// The sorts of notes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NoteKind {
    /// A policy document that cannot be read. Whoever it applies to is denied everything (IN-6).
    Unreadable,
    /// A policy, policy version or group that something names and no page holds. Whoever it applies
    /// to is denied everything (IN-6). Or a user or role that a trust policy names: the policy lets
    /// nobody in by that name.
    Missing,
    /// A unique id of another form than AWS's, or none: one was derived from the ARN.
    Derived,
    /// An entity that stands twice with the same content: it counts once.
    Repeated,
    /// AWS managed policies that the pages do not show: the catalog's are used.
    Catalog,
    /// The pages end before the export does.
    CutOff,
    /// What is passed over: a member that is not known here, the former of two tags of one key, the
    /// region of a use that has no date, an instance profile without the role in whose list it is.
    PassedOver,
}

/// Why a text is no export.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{file}:{line}:{column}: {problem}")]
pub struct ExportError {
    /// The file's name.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in Unicode scalars.
    pub column: usize,
    /// What is wrong.
    pub problem: ExportProblem,
}

/// What may be wrong with an export.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ExportProblem {
    /// The files are larger than [`MAX_BYTES`].
    #[error("an export has at most {MAX_BYTES} bytes")]
    TooLarge,
    /// A byte that is not UTF-8.
    #[error("the text is not UTF-8")]
    NotUtf8,
    /// Objects and lists lie deeper than [`MAX_DEPTH`].
    #[error("objects and lists lie deeper than {MAX_DEPTH}")]
    TooDeep,
    /// No JSON, a member of another type, or a value that its type does not take.
    #[error("{0}")]
    Json(String),
    /// A JSON object that has none of an export's lists.
    #[error(
        "this is no account export: there is no `UserDetailList`, `GroupDetailList`, \
         `RoleDetailList` or `Policies`"
    )]
    NotAnExport,
    /// There is no user, group, role or customer managed policy, so no account either.
    #[error("the export holds no entity, and so does not tell its account")]
    Empty,
    /// An entity of another account or partition than the first.
    #[error("`{arn}` is not of account {account}, as the entities before it are")]
    OtherAccount {
        /// The entity's ARN.
        arn: String,
        /// The account, as an ARN of its root.
        account: String,
    },
    /// An ARN that does not follow from kind, path and name.
    #[error("the ARN is `{found}`, and path and name make it `{expected}`")]
    WrongArn {
        /// As it stands there.
        found: String,
        /// As it follows.
        expected: String,
    },
    /// Two entities of one name, or one id, that differ.
    #[error("`{0}` stands twice, and differs")]
    Conflict(String),
    /// The id of a policy version that has not the form `v1`, or contradictory defaults.
    #[error("{0}")]
    Version(String),
}

/// Reads an export: all files of one account, in the order of its pages.
///
/// # Errors
/// The first thing by which the files are no export of one account, with its place. Of what can be
/// read around, [`Imported::notes`] tells.
pub fn read(files: &[ExportFile<'_>], catalog: &'static Catalog) -> Result<Imported, ExportError> {
    let texts = place::texts(files)?;
    let wholes: Vec<&str> = texts.iter().map(|text| text.whole).collect();
    let walk = || {
        let mut members = members::Found::default();
        for (file, text) in wholes.into_iter().enumerate() {
            members::find(text, file, &mut members);
        }
        members
    };
    let (members, pages) = parallel::both(walk, || form::pages(&texts));
    build::account(&texts, pages?, &members, catalog)
}

impl ExportError {
    fn at(text: &Text<'_>, offset: usize, problem: ExportProblem) -> Self {
        let Place { line, column } = text.place(offset);
        Self { file: text.name.to_owned(), line, column, problem }
    }
}
