//! What a list of checks comes to, with what a person has said.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::mark::{Mark, MarkedAs};
use crate::posture::{Finding, Outcome, Report, Severity, Tally};

/// So many examples are kept.
const EXAMPLES: usize = 3;
/// So many reasons for gaps are kept.
const GAPS: usize = 5;

/// Whether something is as it should be.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// A check fails, or a person says so.
    Fail,
    /// A person has to answer, and none has, or what they said has ended.
    Manual,
    /// Nothing fails, and something could not be assessed.
    NotAssessed,
    /// All that was asked is as it should be.
    Pass,
    /// There is nothing to which it applies.
    NotApplicable,
}

/// The answer to a practice or a control, with its evidence.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// All in all.
    pub standing: Standing,
    /// The checks that were asked.
    pub checks: Vec<Asked>,
    /// How many findings count against it.
    pub findings: usize,
    /// Some of them, the gravest first.
    pub examples: Vec<Example>,
    /// What to do first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<First>,
    /// What is missing, by check.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// What a person has to say, and has said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_hand: Option<ByHand>,
}

/// A check, and what came of it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    /// Its id.
    pub id: &'static str,
    /// What holds when it passes.
    pub title: &'static str,
    /// What came of it.
    pub outcome: Outcome,
    /// How many subjects passed.
    pub passed: usize,
    /// How many findings count.
    pub failed: usize,
    /// How many findings are covered by exceptions.
    pub excepted: usize,
}

/// A finding.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Example {
    /// Its id.
    pub finding: String,
    /// Its check.
    pub check: &'static str,
    /// Whom or what it is about.
    pub subject: String,
    /// Why it is one.
    pub why: String,
}

/// What to do first: the fix of the gravest finding.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct First {
    /// Its check.
    pub check: &'static str,
    /// In words.
    pub text: String,
    /// Command lines of the AWS CLI.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<String>,
}

/// What a person has to say, and has said.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct ByHand {
    /// Why a person has to answer; nothing where the checks would do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// What a person has said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark: Option<Mark>,
    /// Whether that has ended, and counts no more.
    pub ended: bool,
}

/// The results of an audit, by check.
#[derive(Debug)]
pub struct Tallies<'r> {
    today: Date,
    by_check: BTreeMap<&'static str, (&'r Tally, Vec<&'r Finding>)>,
}

impl<'r> Tallies<'r> {
    /// The results of a report.
    pub fn of(report: &'r Report) -> Self {
        let mut by_check: BTreeMap<_, _> =
            report.checks.iter().map(|tally| (tally.row.id, (tally, Vec::new()))).collect();
        for finding in report.counted() {
            if let Some((_, list)) = by_check.get_mut(finding.check)
                && list.len() < EXAMPLES
            {
                list.push(finding);
            }
        }
        Self { today: report.as_of.to_zoned(TimeZone::UTC).date(), by_check }
    }

    /// What some checks come to. `by_hand` says why a person has to answer (the rest of) it.
    ///
    /// A failing check fails it whatever a person says. A mark answers what no check could assess.
    pub fn verdict(
        &self,
        checks: &[&'static str],
        by_hand: Option<&'static str>,
        mark: Option<&Mark>,
    ) -> Verdict {
        let found: Vec<_> = checks.iter().filter_map(|id| self.by_check.get(id)).collect();
        let is = |outcome: Outcome| found.iter().any(|(tally, _)| tally.outcome == outcome);
        // A check of which the report has nothing is no pass.
        let unasked = checks.iter().filter(|id| !self.by_check.contains_key(**id));
        let gap = is(Outcome::NotAssessed) || is(Outcome::NotBuilt) || unasked.count() > 0;
        let good = mark.filter(|mark| self.today <= mark.until.0);
        let said = good.map(|mark| mark.state);
        let standing = if is(Outcome::Fail) || said == Some(MarkedAs::Fail) {
            Standing::Fail
        } else {
            match said {
                Some(MarkedAs::NotApplicable) => Standing::NotApplicable,
                Some(_) => Standing::Pass,
                None if by_hand.is_some() => Standing::Manual,
                None if gap => Standing::NotAssessed,
                None if is(Outcome::Pass) => Standing::Pass,
                None => Standing::NotApplicable,
            }
        };
        let mut failing: Vec<&Finding> =
            found.iter().flat_map(|(_, findings)| findings.iter().copied()).collect();
        failing.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        // One of each check before a second of any.
        let mut examples: Vec<&Finding> = Vec::new();
        for finding in &failing {
            if !examples.iter().any(|held| held.check == finding.check) {
                examples.push(finding);
            }
        }
        let more = failing.iter().filter(|found| !examples.iter().any(|held| held.id == found.id));
        let more: Vec<&Finding> = more.copied().collect();
        examples.extend(more);
        examples.truncate(EXAMPLES);
        let first = failing.first().map(|finding| First {
            check: finding.check,
            text: finding.fix.text.clone(),
            commands: finding.fix.commands.clone(),
        });
        let asks = by_hand.is_some() || mark.is_some();
        Verdict {
            standing,
            checks: found.iter().map(|(tally, _)| asked(tally)).collect(),
            findings: found.iter().map(|(tally, _)| tally.failed).sum(),
            examples: examples.into_iter().map(example).collect(),
            first,
            missing: missing(&found),
            by_hand: asks.then(|| ByHand {
                reason: by_hand,
                mark: mark.cloned(),
                ended: mark.is_some() && good.is_none(),
            }),
        }
    }
}

fn asked(tally: &Tally) -> Asked {
    Asked {
        id: tally.row.id,
        title: tally.row.title,
        outcome: tally.outcome,
        passed: tally.passed,
        failed: tally.failed,
        excepted: tally.excepted,
    }
}

fn example(finding: &Finding) -> Example {
    Example {
        finding: finding.id.to_string(),
        check: finding.check,
        subject: finding.subject.clone(),
        why: finding.why.clone(),
    }
}

fn missing(found: &[&(&Tally, Vec<&Finding>)]) -> Vec<String> {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (tally, _) in found {
        for gap in tally.not_assessed.iter().take(1) {
            reasons.entry(&gap.missing).or_default().push(tally.row.id);
        }
    }
    let more = reasons.len().saturating_sub(GAPS);
    let mut out: Vec<String> = reasons
        .into_iter()
        .take(GAPS)
        .map(|(reason, checks)| format!("{}: {reason}", checks.join(", ")))
        .collect();
    if more > 0 {
        out.push(format!("and {more} more"));
    }
    out
}

impl Standing {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Manual => "manual",
            Self::NotAssessed => "not-assessed",
            Self::Pass => "pass",
            Self::NotApplicable => "not-applicable",
        }
    }

    /// What several come to: the worst, and *not applicable* only if all are.
    pub fn together(all: impl IntoIterator<Item = Self>) -> Self {
        all.into_iter().min().unwrap_or(Self::NotApplicable)
    }
}

impl Verdict {
    /// How grave the worst failing check is.
    pub fn severity(&self) -> Option<Severity> {
        let failing = self.checks.iter().filter(|asked| asked.outcome == Outcome::Fail);
        failing.filter_map(|asked| Some(crate::posture::row(asked.id)?.severity)).max()
    }

    /// How many checks pass, and how many were assessed: those that pass or fail.
    pub fn rate(&self) -> (usize, usize) {
        let count = |outcome| self.checks.iter().filter(|asked| asked.outcome == outcome).count();
        let passed = count(Outcome::Pass);
        (passed, passed + count(Outcome::Fail))
    }
}
