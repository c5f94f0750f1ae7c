//! The journal that the operator keeps: incidents, approved texts, changes and reviews.
//!
//! No call of AWS tells these; `journal.json` in the folder does. Members that are not known are faults,
//! so that a misspelt one is not taken for nothing.

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value as Json;

use super::text::{Fault, Text};

/// The journal. What a list does not hold has not happened.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(
    rename_all = "kebab-case",
    default,
    deny_unknown_fields,
    expecting = "a journal: `incidents`, `approved`, `changes` and `reviews`"
)]
pub struct Journal {
    /// Keys that were, or may have been, in others' hands (KEY-07).
    pub incidents: Vec<Incident>,
    /// Texts of watched policies as they were approved (POL-22).
    pub approved: Vec<Approved>,
    /// Changes of watched policies, with the check that was run before (ANA-06).
    pub changes: Vec<Change>,
    /// Reviews of privileged principals (USE-07).
    pub reviews: Vec<Review>,
}

/// An incident with a key.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Incident {
    /// The ticket.
    pub ticket: String,
    /// The id of the key.
    pub key: String,
    /// When the key was made inactive.
    #[serde(default)]
    pub deactivated: Option<Date>,
    /// When its events were gone through.
    #[serde(default)]
    pub reviewed: Option<Date>,
    /// When it was deleted.
    #[serde(default)]
    pub deleted: Option<Date>,
}

/// An approved text.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Approved {
    /// The ARN of a managed policy.
    pub policy: String,
    /// The document. Order of members and white space do not matter.
    pub document: Json,
}

/// A change of a watched policy.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Change {
    /// The ARN of a managed policy.
    pub policy: String,
    /// The version that it made, such as `v3`.
    pub version: String,
    /// The check that was run, such as `no-new-access`.
    pub check: String,
    /// What it came to: `PASS`, or `FAIL` with whoever took the new access.
    pub result: String,
    /// Who took new access, where the check failed.
    #[serde(default)]
    pub approved_by: Option<String>,
}

/// A review of a principal.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Review {
    /// Its ARN.
    pub principal: String,
    /// The day.
    pub on: Date,
    /// Who signed it.
    pub by: String,
}

pub(super) fn journal(text: &Text<'_>) -> Result<Journal, Fault> {
    text.json()
}
