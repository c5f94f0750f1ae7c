//! Reports that are made at one time and read later.

use bailiwick_identifiers::{Arn, UniqueId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One part of the account's credential report, which may be larger than a record. All parts are
/// written together.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct CredentialReport {
    /// The place of the part, from 0.
    pub part: u32,
    /// When the report was made.
    pub made: Timestamp,
    /// The text.
    pub text: String,
}

impl CredentialReport {
    /// The most bytes of a part.
    const MOST: usize = 32 * 1024;

    /// A report in parts, at least one.
    pub fn split(made: Timestamp, report: &str) -> Vec<Self> {
        let mut parts = Vec::new();
        let mut rest = report;
        loop {
            let (text, tail) = rest.split_at(rest.floor_char_boundary(Self::MOST));
            let part = u32::try_from(parts.len()).unwrap_or(u32::MAX);
            parts.push(Self { part, made, text: text.to_owned() });
            rest = tail;
            if rest.is_empty() {
                return parts;
            }
        }
    }
}

/// A report of last accesses that was asked for. What it says is not kept here, but in parts beside
/// the account: there may be thousands, and each is read a few times at most.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AccessReport {
    /// A UUID, which is no secret: who may read the report is looked up.
    pub id: String,
    /// The user, group, role or managed policy that it is about.
    pub subject: Arn,
    /// The user or role that asked for it; none for root.
    pub creator: Option<UniqueId>,
    /// Whether it tells of actions, not of services alone.
    pub by_action: bool,
    /// When it was asked for.
    pub created: Timestamp,
    /// How it ended; none while it waits to be made.
    #[serde(default)]
    pub end: Option<AccessReportEnd>,
}

/// How the making of a report ended.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AccessReportEnd {
    /// When.
    pub at: Timestamp,
    /// What went wrong; then there are no parts.
    #[serde(default)]
    pub failure: Option<AccessReportFailure>,
    /// How many parts it has.
    pub parts: u32,
    /// How many bytes they are together.
    pub bytes: u64,
}

/// Why a report could not be made.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AccessReportFailure {
    /// A code, such as `NoSuchEntity`.
    pub code: String,
    /// What happened, for the one who asked.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_in_parts() {
        for length in [0, 1, CredentialReport::MOST, 3 * CredentialReport::MOST + 7] {
            let report: String = "aé".chars().cycle().take(length).collect();
            let parts = CredentialReport::split(Timestamp::UNIX_EPOCH, &report);
            assert!(parts.iter().all(|part| part.text.len() <= CredentialReport::MOST));
            assert!(parts.iter().map(|part| part.part).eq(0..u32::try_from(parts.len()).unwrap()));
            assert_eq!(parts.into_iter().map(|part| part.text).collect::<String>(), report);
        }
    }
}
