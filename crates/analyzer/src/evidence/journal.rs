//! The journal that the operator keeps: incidents, approved texts, changes, reviews, expectations, and
//! what no call tells of Identity Center.
//!
//! No call of AWS tells these; `journal.json` in the folder does. Members that are not known are faults,
//! so that a misspelt one is not taken for nothing.

use std::collections::BTreeMap;

use jiff::Timestamp;
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
    expecting = "a journal: `incidents`, `approved`, `changes`, `reviews`, `expectations`, \
                 `new-access`, `sign-in` and `directory`"
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
    /// Decisions that are to stay as they are (EFF-12).
    pub expectations: Vec<Expectation>,
    /// Principals whose new access since the last review was accepted (EFF-13).
    pub new_access: Vec<Review>,
    /// How people sign in to Identity Center (IDC-03).
    pub sign_in: Option<SignIn>,
    /// Where Identity Center has its people from (IDC-06).
    pub directory: Option<Directory>,
}

/// A decision that is to stay as it is.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Expectation {
    /// The ARN of a user or role.
    pub principal: String,
    /// The action.
    pub action: String,
    /// The ARN of the resource, or `*`.
    pub resource: String,
    /// Context keys beside those of the principal, with their values.
    #[serde(default)]
    pub context: BTreeMap<String, Vec<String>>,
    /// What is expected.
    pub expect: Expected,
}

/// An expected decision.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Expected {
    /// The request is allowed.
    Allow,
    /// It is denied, by whatever policy or by none.
    Deny,
}

/// The settings of sign-in, as the console of Identity Center shows them.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SignIn {
    /// When people are asked for a second factor.
    pub mfa: Prompt,
    /// What becomes of people who have no second factor.
    pub without_device: WithoutDevice,
    /// The day on which somebody looked.
    pub on: Date,
    /// Who did.
    pub by: String,
}

/// When people are asked for a second factor.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Prompt {
    /// Every time that they sign in.
    AlwaysOn,
    /// Only when something about the sign-in is new.
    ContextAware,
    /// Never.
    Disabled,
}

/// What becomes of people who have no second factor.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum WithoutDevice {
    /// They have to register one.
    Register,
    /// They get a code by mail.
    Mail,
    /// They do not get in.
    Block,
    /// They get in.
    Allow,
}

/// The directory from which people and groups are provisioned.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Directory {
    /// When it was last synchronised.
    pub synchronised: Timestamp,
    /// The ids, in the identity store, of people who are disabled in the directory.
    #[serde(default)]
    pub disabled: Vec<String>,
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

/// Somebody's word on a principal: a review, or that its new access is accepted.
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
