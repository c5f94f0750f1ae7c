//! What checks look at: the evidence, the settings, the instant, and what several checks share.

use jiff::{SignedDuration, Timestamp};

use super::settings::Settings;
use crate::evidence::Evidence;

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
}

impl<'a> Audit<'a> {
    /// An audit.
    pub fn new(evidence: &'a Evidence, settings: &'a Settings, now: Timestamp) -> Self {
        Self { evidence, settings, now, account: evidence.root_arn() }
    }

    /// How many whole days ago it was; nought for what is to come.
    pub fn days_since(&self, then: Timestamp) -> i64 {
        (self.now.duration_since(then).as_hours() / 24).max(0)
    }

    /// Whether it was longer ago than so many days.
    pub fn is_older(&self, then: Timestamp, days: i64) -> bool {
        self.now.duration_since(then) > SignedDuration::from_hours(24 * days)
    }
}
