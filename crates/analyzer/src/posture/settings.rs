//! What an audit can be told: limits, lists of what is known and allowed, exceptions.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::Deserialize;

/// The settings of an audit. Every list is empty and every limit AWS's or the benchmarks' usual one
/// where nothing else is said.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Settings {
    /// Limits.
    pub limits: Limits,
    /// ARNs, with `*`, of principals that may be administrators (POL-02, EFF-01).
    pub administrators: Vec<String>,
    /// ARNs, with `*`, of users that may have a console password (USR-04).
    pub console_users: Vec<String>,
    /// Accounts of one's own beside those of the organization (TRU-02, TRU-03).
    pub own_accounts: BTreeSet<String>,
    /// Accounts of known vendors (TRU-03).
    pub vendor_accounts: BTreeSet<String>,
    /// Names or ARNs of policies that nobody may have (POL-25).
    pub blocked_policies: BTreeSet<String>,
    /// Tags that users and roles must have (USR-08).
    pub required_tags: BTreeSet<String>,
    /// Pairs of actions that nobody may have both of (EFF-09).
    pub conflicting: Vec<(String, String)>,
    /// The accounts that may be delegated administrators (ORG-07).
    pub delegated_administrators: Option<BTreeSet<String>>,
    /// Regions in which keys are expected to be used (KEY-09).
    pub regions: Option<BTreeSet<String>>,
    /// Services for which keys are expected to be used (KEY-09).
    pub services: Option<BTreeSet<String>>,
    /// Ids of access keys that have leaked (KEY-06).
    pub leaked_keys: BTreeSet<String>,
    /// Address ranges, VPC endpoints and accounts from which no key may be used (TRU-15).
    pub foreign_networks: BTreeSet<String>,
    /// Where it is written what something is for, and what has to be (`docs export`).
    pub documentation: crate::pages::Documentation,
    /// Names, with `*`, that units of the organization may have (ORG-10).
    pub units: Vec<String>,
    /// Resources whose users are known (ANA-05).
    pub critical: Vec<Critical>,
    /// Findings that are accepted for a time.
    pub exceptions: Vec<Exception>,
}

/// A critical resource, and who is expected to reach it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Critical {
    /// Its ARN, as in a policy.
    pub resource: String,
    /// Actions, as in a policy.
    pub actions: Vec<String>,
    /// ARNs, with `*`, of those who may.
    pub expected: Vec<String>,
}

/// Limits, in days where nothing else is said.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Limits {
    /// Root is used no more often than this (ROOT-04).
    pub root_unused: i64,
    /// The shortest password (PWD-01).
    pub password_length: u32,
    /// How many former passwords are barred (PWD-06).
    pub password_reuse: u32,
    /// The greatest age of a password (PWD-07, PWD-10).
    pub password_age: u32,
    /// The greatest age of a key (KEY-01).
    pub key_age: i64,
    /// How long a key or a password may lie unused (KEY-03, KEY-04).
    pub credential_unused: i64,
    /// How long a new key may wait for its first use (KEY-05).
    pub key_first_use: i64,
    /// How long a role may lie unused (TRU-11).
    pub role_unused: i64,
    /// How many administrators there may be (EFF-01).
    pub administrators: usize,
    /// As how many others a principal may come to act (EFF-08).
    pub movement: usize,
    /// The longest session of a privileged role, in seconds (TRU-09).
    pub session_seconds: u32,
    /// The longest session of a permission set, in hours (IDC-04).
    pub permission_set_hours: u32,
    /// How long events are kept (LOG-11).
    pub retention: u32,
    /// The greatest age of the credential report, in hours (USE-06).
    pub report_hours: i64,
    /// How long before its end a certificate is told (TRU-14).
    pub certificate_days: i64,
    /// The greatest age of an SSH key or service-specific credential (USR-10).
    pub other_credential_age: i64,
    /// How long a granted action may lie unused (USE-04, USE-05).
    pub unused_actions: i64,
    /// How long a permission set may lie unused (IDC-05).
    pub permission_set_unused: i64,
    /// At so many client addresses a user or key may be seen within an hour (USR-06).
    pub client_addresses: usize,
    /// With so many client programs (USR-06).
    pub client_agents: usize,
    /// So many calls of a principal may be refused before it is told (LOG-14).
    pub denied_calls: u64,
    /// So many distinct actions of escalation are a pattern (MON-12).
    pub escalation_actions: usize,
    /// So many distinct actions of enumeration are (MON-12).
    pub enumeration_actions: usize,
    /// The hours within which they are (MON-12).
    pub pattern_hours: i64,
    /// How long a finding of an analyzer may stay active (USE-08).
    pub finding_age: i64,
    /// How long a review holds (USE-07, EFF-13, IDC-03).
    pub review_age: i64,
    /// How long ago a directory may have been synchronised, in hours (IDC-06).
    pub synchronised_hours: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            root_unused: 90,
            password_length: 14,
            password_reuse: 24,
            password_age: 90,
            key_age: 90,
            credential_unused: 45,
            key_first_use: 7,
            role_unused: 90,
            administrators: 3,
            movement: 10,
            session_seconds: 14_400,
            permission_set_hours: 8,
            retention: 365,
            report_hours: 24,
            certificate_days: 30,
            other_credential_age: 90,
            unused_actions: 90,
            permission_set_unused: 90,
            client_addresses: 3,
            client_agents: 5,
            denied_calls: 10,
            escalation_actions: 5,
            enumeration_actions: 15,
            pattern_hours: 24,
            finding_age: 30,
            review_age: 92,
            synchronised_hours: 24,
        }
    }
}

/// An exception: a finding that is accepted until a day, for a reason.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Exception {
    /// The id of the check; none means that [`Exception::finding`] says which finding.
    #[serde(default)]
    pub check: Option<String>,
    /// The ARN of the subject, with `*`; none means every subject.
    #[serde(default)]
    pub subject: Option<String>,
    /// The id of one finding.
    #[serde(default)]
    pub finding: Option<String>,
    /// Why it is accepted.
    pub reason: String,
    /// The last day on which it is.
    pub until: ExceptionEnd,
}

/// The last day of an exception.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ExceptionEnd(pub Date);

impl<'de> Deserialize<'de> for ExceptionEnd {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(|_| {
            serde::de::Error::custom(format!("`{text}` is no day, as \"2026-12-31\" is one"))
        })
    }
}

/// Whether a text fits a pattern in which `*` stands for any run.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(rest) = parts.next().and_then(|head| text.strip_prefix(head)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((tail, middle)) = parts.split_last() else { return rest.is_empty() };
    let mut rest = rest;
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    rest.len() >= tail.len() && rest.ends_with(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("a", "a", true),
            ("a", "ab", false),
            ("a*c", "abc", true),
            ("a*c", "ac", true),
            ("a*bc", "abc", true),
            ("ab*bc", "abc", false),
            ("*:role/*-admin", "arn:aws:iam::1:role/x-admin", true),
            ("*:role/*-admin", "arn:aws:iam::1:role/x-admins", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }
}
