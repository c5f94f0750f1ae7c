//! Findings: failures with an id that stays, and what to do about them.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use serde::Serialize;

use super::catalogue::{Row, Severity};
use super::check::Found;

/// The id of a finding: a hash of check, subject and place, the same in every run.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct FindingId([u8; 12]);

/// The policy and the statement that a finding is about.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// The ARN of a managed policy, or the name of an inline one.
    pub policy: String,
    /// The version of a customer managed policy, such as `v3`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The statement, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<usize>,
    /// The Sid of the statement. With one, the id of the finding does not depend on the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// The statement as it is written, cut where it is long.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub text: String,
}

/// What to do about a finding.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Fix {
    /// In words.
    pub text: String,
    /// Command lines of the AWS CLI.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<String>,
    /// The change of the policy, as a diff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
}

/// A failure.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Its id.
    pub id: FindingId,
    /// The id of its check.
    pub check: &'static str,
    /// The title of its check.
    pub title: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// The ARN of the principal or resource.
    pub subject: String,
    /// The policy and statement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// Why it is one.
    pub why: String,
    /// The instant of the evidence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
    /// What to do.
    pub fix: Fix,
    /// Whether the baseline lacks it. Nothing without a baseline.
    #[serde(rename = "new", skip_serializing_if = "Option::is_none")]
    pub is_new: Option<bool>,
    /// The reason of the exception that covers it; then it does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excepted: Option<String>,
}

impl FindingId {
    /// The id of a failure of a check.
    pub fn of(check: &str, found: &Found) -> Self {
        let place = found.place.as_ref();
        let statement = place.and_then(|place| {
            place.sid.clone().or_else(|| place.statement.map(|number| number.to_string()))
        });
        let parts = [
            check,
            &found.subject,
            place.map_or("", |place| &place.policy),
            statement.as_deref().unwrap_or_default(),
            found.detail.as_deref().unwrap_or_default(),
        ];
        // Lengths before the parts, so that no two lists of parts are one text.
        let parts = parts.map(|part| format!("{}:{part}", part.len()));
        let text = parts.concat();
        let hash = digest(&SHA256, text.as_bytes());
        let mut id = [0; 12];
        for (byte, hashed) in id.iter_mut().zip(hash.as_ref()) {
            *byte = *hashed;
        }
        Self(id)
    }
}

impl Finding {
    pub(super) fn of(row: &'static Row, remedy: &str, found: Found) -> Self {
        let id = FindingId::of(row.id, &found);
        let mut fix = found.fix;
        if fix.text.is_empty() {
            remedy.clone_into(&mut fix.text);
        }
        Self {
            id,
            check: row.id,
            title: row.title,
            severity: row.severity,
            subject: found.subject,
            place: found.place,
            why: found.why,
            time: found.time,
            fix,
            is_new: None,
            excepted: None,
        }
    }
}

impl fmt::Display for FindingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for FindingId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
