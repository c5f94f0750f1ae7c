//! What a check is, and how it answers.

use std::borrow::Cow;
use std::collections::BTreeSet;

use jiff::Timestamp;

use super::audit::Audit;
use super::finding::{Fix, Place};
use crate::evidence::Data;
use crate::shell;

/// A check. Its title, severity and controls stand in the catalogue under its id.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// Its id in the catalogue.
    pub id: &'static str,
    /// What it needs to answer anything at all.
    pub needs: &'static [Need],
    /// What to do about a failure, in general.
    pub remedy: &'static str,
    /// Asks the evidence and tells the results. It is not called while a need is unmet.
    pub run: fn(&Audit<'_>, &mut Results),
}

/// Data that a check needs.
#[derive(Clone, Copy, Debug)]
pub enum Need {
    /// This.
    Of(Data),
    /// At least one of these.
    Any(&'static [Data]),
}

/// Whom or what a result is about: an ARN, or the account as a whole.
pub type Subject<'a> = Cow<'a, str>;

/// A failure as a check tells it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Found {
    /// The ARN of the principal or resource; the account's root stands for the account.
    pub subject: String,
    /// The policy and statement at fault.
    pub place: Option<Place>,
    /// What tells two failures of one subject apart where no place does, such as `key 1`.
    pub detail: Option<String>,
    /// What was found, with its figures.
    pub why: String,
    /// The instant of the evidence, such as a last use.
    pub time: Option<Timestamp>,
    /// What to do.
    pub fix: Fix,
}

/// The results of one check, as it gives them.
#[derive(Clone, Debug, Default)]
pub struct Results {
    /// How many subjects passed.
    pub(super) passed: usize,
    /// How many subjects the check does not apply to.
    pub(super) inapplicable: usize,
    /// The failures.
    pub(super) failed: Vec<Found>,
    /// What could not be assessed, with the reason.
    pub(super) unassessed: BTreeSet<(String, String)>,
    /// Lists that are no failure, but good to know.
    pub(super) notes: Vec<String>,
}

impl Results {
    /// A subject is as it should be.
    pub fn pass(&mut self) {
        self.passed += 1;
    }

    /// A subject is not.
    pub fn fail(&mut self, found: Found) {
        self.failed.push(found);
    }

    /// A subject to which the check does not apply.
    pub fn not_applicable(&mut self) {
        self.inapplicable += 1;
    }

    /// Nothing can be said of a subject, since something is missing.
    pub fn not_assessed(&mut self, subject: &str, missing: impl Into<String>) {
        self.unassessed.insert((subject.to_owned(), missing.into()));
    }

    /// Passes or fails.
    pub fn judge(&mut self, passes: bool, found: impl FnOnce() -> Found) {
        if passes { self.pass() } else { self.fail(found()) }
    }

    /// Something good to know that is no failure.
    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }
}

impl Found {
    /// A failure of a subject.
    pub fn new(subject: impl Into<String>, why: impl Into<String>) -> Self {
        Self { subject: subject.into(), why: why.into(), ..Self::default() }
    }

    /// With the policy and statement at fault.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// With what tells it from another of the same subject.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// With the instant of the evidence.
    #[must_use]
    pub fn when(mut self, time: Option<Timestamp>) -> Self {
        self.time = time;
        self
    }

    /// With a command that mends it. Its words are quoted where a shell would read more into them; one that
    /// may hold spaces has to be quoted already.
    #[must_use]
    pub fn cli(mut self, line: impl AsRef<str>) -> Self {
        self.fix.commands.push(shell::line(line.as_ref()));
        self
    }

    /// With the change of a policy that mends it.
    #[must_use]
    pub fn diff(mut self, diff: impl Into<String>) -> Self {
        self.fix.diff = Some(diff.into());
        self
    }
}
