//! An audit as one HTML file: the whole report as columns of numbers into a pool of texts.
//!
//! Where an account is so large that the page would pass [`MOST_BYTES`], findings of the same check
//! past a number of them keep their place in the table and lose their details; the page says so.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use bailiwick_analyzer::evidence::Evidence;
use bailiwick_analyzer::posture::{
    CHECKS, Exception, Finding, Need, Outcome, Report, Row, Settings, Severity, Tally,
};
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Value as Json, json};

use super::posture::Earlier;
use crate::report::{Look, MOST_BYTES, Page, Pool};

const LOOK: Look = Look {
    title: "Audit of an AWS account",
    scripts: &[
        include_str!("../report/detail.js"),
        include_str!("../report/compliance.js"),
        include_str!("../report/audit.js"),
    ],
};

/// The groups of the catalogue, by the letters before the number of a check.
const SECTIONS: &[(&str, &str)] = &[
    ("ROOT", "Root user"),
    ("USR", "Users"),
    ("MFA", "Multi-factor sign-in"),
    ("PWD", "Passwords"),
    ("KEY", "Access keys"),
    ("POL", "Policies"),
    ("EFF", "Effective access"),
    ("TRU", "Roles and trust"),
    ("USE", "Unused access"),
    ("ANA", "Outside access and analyzers"),
    ("LOG", "Logging"),
    ("MON", "Monitoring"),
    ("ORG", "Organization"),
    ("IDC", "Identity Center"),
];

/// Subjects of one check whose gap is told each.
const GAPS: usize = 500;
/// Notes that are told.
const NOTES: usize = 200;
/// Findings of one check with all their details, tried in this order.
const DETAILS: [usize; 5] = [usize::MAX, 2_000, 500, 100, 0];

/// What a page tells beside the report.
pub(super) struct Around<'a> {
    pub(super) evidence: &'a Evidence,
    pub(super) settings: &'a Settings,
    pub(super) baseline: Option<&'a BTreeMap<String, Earlier>>,
}

/// Writes the page.
pub(super) fn page(out: &mut impl Write, report: &Report, around: &Around<'_>) -> io::Result<()> {
    let mut page = Page::new(&LOOK, &data(report, around, usize::MAX))?;
    for details in DETAILS.into_iter().skip(1) {
        if page.len() <= MOST_BYTES {
            break;
        }
        page = Page::new(&LOOK, &data(report, around, details))?;
    }
    page.write(out)
}

fn data(report: &Report, around: &Around<'_>, details: usize) -> Json {
    let Around { evidence, settings, baseline } = around;
    let mut pool = Pool::new();
    let findings = columns(report, &mut pool, details);
    let checks: Vec<Json> = report.checks.iter().map(|tally| check(tally, &mut pool)).collect();
    let reader = evidence.details.known().map_or(&[][..], |details| &details.notes);
    let account = &evidence.estate.account;
    let fixed: Vec<Json> = report
        .fixed
        .iter()
        .map(|id| {
            let held = baseline.and_then(|baseline| baseline.get(id));
            json!([id, held.map(|held| &held.check), held.map(|held| &held.subject)])
        })
        .collect();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "account": report.account,
        "asOf": report.as_of,
        "collected": report.collected,
        "users": account.users().len(),
        "roles": account.roles().len(),
        "sections": SECTIONS,
        "checks": checks,
        "findings": findings,
        "details": (details < usize::MAX).then_some(details),
        "evidence": read(evidence),
        "faults": evidence.faults.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "notes": evidence.notes.iter().take(NOTES).collect::<Vec<_>>(),
        "moreNotes": evidence.notes.len().saturating_sub(NOTES),
        "readerNotes": reader.iter().take(NOTES)
            .map(|note| format!("{}: {}", note.about, note.text)).collect::<Vec<_>>(),
        "moreReaderNotes": reader.len().saturating_sub(NOTES),
        "exceptions": settings.exceptions.iter()
            .map(|exception| excepting(exception, report)).collect::<Vec<_>>(),
        "ended": report.ended_exceptions,
        "baseline": baseline.is_some(),
        "fixed": fixed,
        "texts": pool,
    })
}

/// What was read, and what is missing with its reason: every kind of data that a check needs.
fn read(evidence: &Evidence) -> Vec<Json> {
    let mut all: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for check in CHECKS.iter().flat_map(|group| group.iter()) {
        for need in check.needs {
            let list = match need {
                Need::Of(data) => std::slice::from_ref(data),
                Need::Any(list) => list,
            };
            for data in list {
                all.entry(*data).or_default().push(check.id);
            }
        }
    }
    let each = all.into_iter().map(|(data, checks)| {
        let missing = evidence.missing(data).map(ToString::to_string);
        json!({"name": data.name(), "missing": missing, "checks": checks})
    });
    each.collect()
}

fn excepting(exception: &Exception, report: &Report) -> Json {
    let Exception { check, subject, finding, reason, until } = exception;
    let until = until.0;
    let told = format!("{reason} (until {until})");
    let covers =
        report.findings.iter().filter(|found| found.excepted.as_ref() == Some(&told)).count();
    json!({
        "check": check, "subject": subject, "finding": finding, "reason": reason,
        "until": until.to_string(), "covers": covers,
        "over": report.as_of.to_zoned(TimeZone::UTC).date() > until,
    })
}

fn check(tally: &Tally, pool: &mut Pool) -> Json {
    let row: &Row = tally.row;
    let gaps: Vec<[usize; 2]> = tally
        .not_assessed
        .iter()
        .take(GAPS)
        .map(|gap| [pool.of(&gap.subject), pool.of(&gap.missing)])
        .collect();
    json!({
        "id": row.id, "title": row.title, "severity": level(row.severity),
        "cis": row.cis, "nist": row.nist, "pci": row.pci, "hipaa": row.hipaa,
        "controls": row.controls, "practices": row.practices,
        "outcome": tally.outcome, "passed": tally.passed, "failed": tally.failed,
        "excepted": tally.excepted, "notApplicable": tally.not_applicable,
        "gapCount": if tally.outcome == Outcome::NotBuilt { 0 } else { tally.not_assessed.len() },
        "gaps": gaps, "notes": tally.notes,
    })
}

const fn level(severity: Severity) -> u8 {
    match severity {
        Severity::Critical => 0,
        Severity::High => 1,
        Severity::Medium => 2,
        Severity::Low => 3,
        Severity::Info => 4,
    }
}

/// The findings by column; texts are numbers of the pool, and 0 is none.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Columns {
    id: Vec<String>,
    check: Vec<usize>,
    subject: Vec<usize>,
    why: Vec<usize>,
    policy: Vec<usize>,
    version: Vec<usize>,
    /// From 1; 0 is none.
    statement: Vec<usize>,
    sid: Vec<usize>,
    text: Vec<usize>,
    time: Vec<usize>,
    fix: Vec<usize>,
    /// Texts with line ends between the commands.
    commands: Vec<usize>,
    diff: Vec<usize>,
    /// 0 unknown, 1 new, 2 held before.
    new: Vec<u8>,
    excepted: Vec<usize>,
}

fn columns(report: &Report, pool: &mut Pool, details: usize) -> Columns {
    let places: HashMap<&str, usize> =
        report.checks.iter().enumerate().map(|(at, tally)| (tally.row.id, at)).collect();
    let mut told: HashMap<&str, usize> = HashMap::new();
    let mut all = Columns::default();
    for finding in &report.findings {
        let Some(check) = places.get(finding.check) else { continue };
        let told = told.entry(finding.check).or_default();
        *told += 1;
        all.push(finding, *check, pool, *told <= details);
    }
    all
}

impl Columns {
    fn push(&mut self, finding: &Finding, check: usize, pool: &mut Pool, whole: bool) {
        let place = finding.place.as_ref();
        self.id.push(finding.id.to_string());
        self.check.push(check);
        self.subject.push(pool.of(&finding.subject));
        self.why.push(pool.of(&finding.why));
        self.policy.push(pool.maybe(place.map(|place| place.policy.as_str())));
        self.version.push(pool.maybe(place.and_then(|place| place.version.as_deref())));
        self.statement.push(place.and_then(|place| place.statement).map_or(0, |number| number + 1));
        self.sid.push(pool.maybe(place.and_then(|place| place.sid.as_deref())));
        self.time.push(pool.maybe(finding.time.map(|time| time.to_string()).as_deref()));
        self.fix.push(pool.of(&finding.fix.text));
        let text = place.map(|place| place.text.as_str()).filter(|_| whole);
        self.text.push(pool.maybe(text));
        let commands = if whole { finding.fix.commands.join("\n") } else { String::new() };
        self.commands.push(pool.of(&commands));
        self.diff.push(pool.maybe(finding.fix.diff.as_deref().filter(|_| whole)));
        self.new.push(match finding.is_new {
            None => 0,
            Some(true) => 1,
            Some(false) => 2,
        });
        self.excepted.push(pool.maybe(finding.excepted.as_deref()));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use bailiwick_analyzer::posture::catalogue;

    use super::*;

    #[test]
    fn every_check_has_a_section() {
        let known: BTreeSet<&str> = SECTIONS.iter().map(|(letters, _)| *letters).collect();
        for row in catalogue() {
            let letters = row.id.split('-').next().unwrap_or_default();
            assert!(known.contains(letters), "{}", row.id);
        }
    }
}
