//! Reports that are made at one time and read later.

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
