//! What checks look at: the evidence, the settings, the instant, and what several checks share.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::checks::{Held, Reach};
use super::facts::{self, Access, PolicyUse};
use super::settings::Settings;
use crate::escalation::{self, Options, Search};
use crate::evidence::{CredentialRow, Evidence};

/// One audit. What several checks need is worked out once and kept here.
#[derive(Debug)]
pub struct Audit<'a> {
    /// What is known.
    pub evidence: &'a Evidence,
    /// What was told.
    pub settings: &'a Settings,
    /// The instant for which it is made.
    pub now: Timestamp,
    /// The account as a whole, as a subject.
    pub account: String,
    policies: OnceLock<Vec<PolicyUse>>,
    principals: OnceLock<Vec<Access>>,
    rows: OnceLock<HashMap<&'a str, &'a CredentialRow>>,
    reach: OnceLock<Reach>,
    held: OnceLock<Held>,
    /// The search that has told who is an administrator, for the one that goes on with it.
    search: Mutex<Option<Search<'a>>>,
    escalations: OnceLock<escalation::Report>,
}

impl<'a> Audit<'a> {
    /// An audit.
    pub fn new(evidence: &'a Evidence, settings: &'a Settings, now: Timestamp) -> Self {
        Self {
            evidence,
            settings,
            now,
            account: evidence.root_arn(),
            policies: OnceLock::new(),
            principals: OnceLock::new(),
            rows: OnceLock::new(),
            reach: OnceLock::new(),
            held: OnceLock::new(),
            search: Mutex::new(None),
            escalations: OnceLock::new(),
        }
    }

    /// Every identity policy of the account, once, with its holders.
    pub fn policies(&self) -> &[PolicyUse] {
        self.policies.get_or_init(|| facts::policies(self))
    }

    /// Every user and role, with what it may do.
    pub fn principals(&self) -> &[Access] {
        self.principals.get_or_init(|| {
            let search = Search::new(&self.evidence.estate, Some(self.now));
            let principals = facts::principals(&search);
            *self.search.lock().unwrap_or_else(PoisonError::into_inner) = Some(search);
            principals
        })
    }

    /// The ways by which principals become administrators.
    pub fn escalations(&self) -> &escalation::Report {
        self.escalations.get_or_init(|| {
            self.principals();
            let held = self.search.lock().unwrap_or_else(PoisonError::into_inner).take();
            let search = held.unwrap_or_else(|| Search::new(&self.evidence.estate, Some(self.now)));
            search.report(&Options { now: Some(self.now), ..Options::default() })
        })
    }

    /// What each principal has on everything.
    pub(super) fn held(&self) -> &Held {
        self.held.get_or_init(|| Held::new(self))
    }

    /// What every policy gives on everything.
    pub(super) fn reach(&self) -> &Reach {
        self.reach.get_or_init(|| Reach::new(self))
    }

    /// The row of the credential report about a user, by its ARN.
    pub fn credentials(&self, arn: &str) -> Option<&'a CredentialRow> {
        let rows = self.rows.get_or_init(|| {
            let report = self.evidence.credential_report.known();
            let rows = report.into_iter().flat_map(|report| report.rows.iter());
            rows.map(|row| (row.arn.as_str(), row)).collect()
        });
        rows.get(arn).copied()
    }

    /// How many whole days ago it was; nought for what is to come.
    pub fn days_since(&self, then: Timestamp) -> i64 {
        (self.now.duration_since(then).as_hours() / 24).max(0)
    }

    /// How many days ago a day was; nothing if it is to come.
    pub fn age_of(&self, day: jiff::civil::Date) -> Option<i64> {
        let today = self.now.to_zoned(jiff::tz::TimeZone::UTC).date();
        let days = i64::from(day.until(today).ok()?.get_days());
        (days >= 0).then_some(days)
    }

    /// Whether it was longer ago than so many days.
    pub fn is_older(&self, then: Timestamp, days: i64) -> bool {
        self.now.duration_since(then) > SignedDuration::from_hours(24 * days)
    }
}
