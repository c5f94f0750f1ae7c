//! The report: every check asked, findings with their state, and what was not assessed.

use std::collections::{BTreeMap, BTreeSet};

use bailiwick_model::parallel;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::audit::Audit;
use super::catalogue::{Row, Severity, catalogue};
use super::check::{Check, Need, Results};
use super::checks::{CHECKS, NOT_BUILT};
use super::finding::Finding;
use super::settings::{Exception, Settings, fits};
use crate::evidence::{Data, Evidence};

/// All results of an audit.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The account.
    pub account: String,
    /// The instant for which it was made.
    pub as_of: Timestamp,
    /// When the evidence was gathered, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collected: Option<Timestamp>,
    /// The checks, in the order of the catalogue.
    pub checks: Vec<Tally>,
    /// The findings, the worst first.
    pub findings: Vec<Finding>,
    /// Ids of findings of the baseline that are no more, of checks that were assessed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fixed: Vec<String>,
    /// Exceptions that have ended but still fit a finding.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ended_exceptions: Vec<String>,
}

/// What came of one check.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    /// The check.
    #[serde(flatten)]
    pub row: &'static Row,
    /// All in all.
    pub outcome: Outcome,
    /// How many subjects passed.
    pub passed: usize,
    /// How many failures count.
    pub failed: usize,
    /// How many failures are covered by exceptions.
    pub excepted: usize,
    /// How many subjects it does not apply to.
    pub not_applicable: usize,
    /// What could not be assessed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_assessed: Vec<Gap>,
    /// What is good to know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Something that could not be assessed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Gap {
    /// The subject.
    pub subject: String,
    /// What is missing.
    pub missing: String,
}

/// The outcome of a check as a whole. A failure outweighs a gap, and a gap all that passed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Something fails.
    Fail,
    /// Nothing fails, and something could not be assessed.
    NotAssessed,
    /// All is as it should be.
    Pass,
    /// There is nothing to which it applies.
    NotApplicable,
    /// It is not built, so nothing is said.
    NotBuilt,
}

impl Outcome {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::NotAssessed => "not-assessed",
            Self::Pass => "pass",
            Self::NotApplicable => "not-applicable",
            Self::NotBuilt => "not-built",
        }
    }
}

/// Checks that take long, and are begun first.
const LONG: [&str; 4] = ["EFF-02", "EFF-03", "POL-16", "MFA-05"];

/// Asks every check. `baseline` holds the ids of the findings of an earlier run, with the checks
/// they are of.
pub fn run(
    evidence: &Evidence,
    settings: &Settings,
    now: Timestamp,
    baseline: Option<&BTreeMap<String, String>>,
) -> Report {
    let audit = Audit::new(evidence, settings, now);
    let mut report = Report {
        account: evidence.account_id().to_string(),
        as_of: now,
        collected: evidence.collected,
        checks: Vec::new(),
        findings: Vec::new(),
        fixed: Vec::new(),
        ended_exceptions: Vec::new(),
    };
    let mut ended = BTreeSet::new();
    let mut checks: Vec<&Check> = CHECKS.iter().flat_map(|group| group.iter()).collect();
    checks.sort_by_key(|check| LONG.iter().position(|id| *id == check.id).unwrap_or(LONG.len()));
    let results = parallel::few(&checks, |check| ask(check, &audit));
    let mut results: BTreeMap<&str, (&Check, Results)> =
        checks.into_iter().zip(results).map(|(check, found)| (check.id, (check, found))).collect();
    // The gravest first, so that the findings, of which there may be very many, are written once.
    let mut rows: Vec<(usize, &Row)> = catalogue().iter().enumerate().collect();
    rows.sort_by_key(|(_, row)| (std::cmp::Reverse(row.severity), row.id));
    report.findings.reserve_exact(results.values().map(|(_, found)| found.failed.len()).sum());
    let mut tallies = BTreeMap::new();
    for (number, row) in rows {
        let tally = match results.remove(row.id) {
            Some((check, results)) => {
                let begin = report.findings.len();
                let tally = report.add(row, check, results, &audit, baseline, &mut ended);
                if let Some(added) = report.findings.get_mut(begin..) {
                    added.sort_by(|left, right| left.subject.cmp(&right.subject));
                }
                tally
            }
            None => not_built(row),
        };
        tallies.insert(number, tally);
    }
    report.checks = tallies.into_values().collect();
    report.ended_exceptions = ended.into_iter().collect();
    if let Some(baseline) = baseline {
        report.fixed = report.fixed_since(baseline);
    }
    report
}

/// The results of one check: nothing but gaps while a need is unmet.
pub(super) fn ask(check: &Check, audit: &Audit<'_>) -> Results {
    let mut results = Results::default();
    let evidence = audit.evidence;
    let lacks =
        |data: &Data| evidence.missing(*data).map(|missing| format!("{}: {missing}", data.name()));
    for need in check.needs {
        let missing = match need {
            Need::Of(data) => lacks(data),
            Need::Any(list) => {
                let all: Option<Vec<String>> = list.iter().map(lacks).collect();
                all.map(|texts| texts.join("; and "))
            }
        };
        if let Some(missing) = missing {
            results.not_assessed(&audit.account, missing);
        }
    }
    if results.unassessed.is_empty() {
        (check.run)(audit, &mut results);
        let details = evidence.details.known().is_some_and(|details| details.cut_off);
        let uses_details =
            check.needs.iter().any(|need| matches!(need, Need::Of(Data::AuthorizationDetails)));
        if details && uses_details {
            let missing = "the pages of the authorization details end before the export does";
            results.not_assessed(&audit.account, missing);
        }
    }
    results
}

fn not_built(row: &'static Row) -> Tally {
    let why =
        NOT_BUILT.iter().find(|(id, _)| *id == row.id).map_or("it is not built", |(_, why)| why);
    let gap = Gap { subject: String::new(), missing: why.to_owned() };
    Tally {
        row,
        outcome: Outcome::NotBuilt,
        passed: 0,
        failed: 0,
        excepted: 0,
        not_applicable: 0,
        not_assessed: vec![gap],
        notes: Vec::new(),
    }
}

impl Report {
    fn add(
        &mut self,
        row: &'static Row,
        check: &Check,
        results: Results,
        audit: &Audit<'_>,
        baseline: Option<&BTreeMap<String, String>>,
        ended: &mut BTreeSet<String>,
    ) -> Tally {
        let today = audit.now.to_zoned(TimeZone::UTC).date();
        let (mut failed, mut excepted) = (0, 0);
        for found in results.failed {
            let mut finding = Finding::of(row, check.remedy, found);
            finding.is_new = baseline.map(|held| !held.contains_key(&finding.id.to_string()));
            for exception in &audit.settings.exceptions {
                if !covers(exception, &finding) {
                    continue;
                }
                let until = exception.until.0;
                if today <= until {
                    finding.excepted = Some(format!("{} (until {until})", exception.reason));
                } else {
                    ended
                        .insert(format!("{} {}: ended on {until}", finding.check, finding.subject));
                }
            }
            if finding.excepted.is_some() {
                excepted += 1;
            } else {
                failed += 1;
            }
            self.findings.push(finding);
        }
        let outcome = if failed > 0 {
            Outcome::Fail
        } else if !results.unassessed.is_empty() {
            Outcome::NotAssessed
        } else if results.passed + excepted > 0 {
            Outcome::Pass
        } else {
            Outcome::NotApplicable
        };
        let gaps = results.unassessed.into_iter();
        Tally {
            row,
            outcome,
            passed: results.passed,
            failed,
            excepted,
            not_applicable: results.inapplicable,
            not_assessed: gaps.map(|(subject, missing)| Gap { subject, missing }).collect(),
            notes: results.notes,
        }
    }

    /// The findings that count: not covered by an exception.
    pub fn counted(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.excepted.is_none())
    }

    /// How many findings of a severity count.
    pub fn count(&self, severity: Severity) -> usize {
        self.counted().filter(|finding| finding.severity == severity).count()
    }

    /// Findings of the baseline that are no more; of a check with gaps nothing is said.
    fn fixed_since(&self, baseline: &BTreeMap<String, String>) -> Vec<String> {
        let now: BTreeSet<String> =
            self.findings.iter().map(|finding| finding.id.to_string()).collect();
        let assessed = |check: &String| {
            let tally = self.checks.iter().find(|tally| tally.row.id == check);
            tally.is_some_and(|tally| tally.not_assessed.is_empty())
        };
        let gone = baseline.iter().filter(|(id, check)| !now.contains(*id) && assessed(check));
        gone.map(|(id, _)| id.clone()).collect()
    }
}

fn covers(exception: &Exception, finding: &Finding) -> bool {
    let Exception { check, subject, finding: id, .. } = exception;
    if check.is_none() && id.is_none() {
        return false;
    }
    check.as_ref().is_none_or(|check| check == finding.check)
        && subject.as_ref().is_none_or(|pattern| fits(pattern, &finding.subject))
        && id.as_ref().is_none_or(|id| *id == finding.id.to_string())
}
