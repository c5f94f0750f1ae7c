//! The answers: every practice of a list, every control of a standard.

use std::collections::BTreeMap;

use serde::Serialize;

use super::list::{List, Practice};
use super::mark::{Mark, MarkError, Marks};
use super::standard::Standard;
use super::verdict::{Standing, Tallies, Verdict};
use crate::posture::Report;

/// Answers from one report, with what people have said.
#[derive(Debug)]
pub struct Answers<'a> {
    tallies: Tallies<'a>,
    marks: BTreeMap<String, &'a Mark>,
}

/// A practice or control with its answer.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// Its id.
    pub id: &'static str,
    /// What holds when it is followed, or what it asks for.
    pub title: String,
    /// The answer. Of a practice with parts: what they come to.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// What it is made of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Item>,
}

/// The answers to a list.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListAnswer {
    /// The list's id.
    pub list: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// How many practices have each standing.
    pub counts: BTreeMap<&'static str, usize>,
    /// The practices.
    pub practices: Vec<Item>,
}

/// The answers to a standard.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StandardAnswer {
    /// The standard's id.
    pub standard: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// How many controls have each standing.
    pub counts: BTreeMap<&'static str, usize>,
    /// How many controls pass.
    pub passed: usize,
    /// How many pass or fail: those of which nothing is known are no part of the rate.
    pub assessed: usize,
    /// The controls.
    pub controls: Vec<Item>,
}

impl<'a> Answers<'a> {
    /// Makes answers of a report.
    ///
    /// # Errors
    /// A mark cannot be used: see [`Marks::by_subject`].
    pub fn new(report: &'a Report, marks: &'a Marks) -> Result<Self, MarkError> {
        Ok(Self { tallies: Tallies::of(report), marks: marks.by_subject()? })
    }

    /// The answers to a list.
    pub fn list(&self, list: &'static List) -> ListAnswer {
        let practices: Vec<Item> =
            list.practices.iter().map(|practice| self.practice(practice)).collect();
        ListAnswer { list: list.id, title: list.title, counts: counts(&practices), practices }
    }

    fn practice(&self, practice: &Practice) -> Item {
        let parts: Vec<Item> = practice.parts.iter().map(|part| self.practice(part)).collect();
        let mark = self.marks.get(practice.id).copied();
        let mut verdict = self.tallies.verdict(&practice.checks, practice.by_hand, mark);
        if !parts.is_empty() {
            verdict.standing = Standing::together(parts.iter().map(|part| part.verdict.standing));
            verdict.findings = parts.iter().map(|part| part.verdict.findings).sum();
        }
        Item { id: practice.id, title: practice.title.to_owned(), verdict, parts }
    }

    /// The answers to a standard.
    pub fn standard(&self, standard: Standard) -> StandardAnswer {
        let controls: Vec<Item> = standard
            .controls()
            .into_iter()
            .map(|control| {
                let mark = self.marks.get(&standard.subject(control.id)).copied();
                let verdict = self.tallies.verdict(&control.checks, control.by_hand, mark);
                Item { id: control.id, title: control.title, verdict, parts: Vec::new() }
            })
            .collect();
        let is = |standing| controls.iter().filter(|one| one.verdict.standing == standing).count();
        let passed = is(Standing::Pass);
        StandardAnswer {
            standard: standard.id(),
            title: standard.title(),
            counts: counts(&controls),
            passed,
            assessed: passed + is(Standing::Fail),
            controls,
        }
    }
}

fn counts(items: &[Item]) -> BTreeMap<&'static str, usize> {
    let mut out = BTreeMap::new();
    for item in items {
        *out.entry(item.verdict.standing.as_str()).or_default() += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::list::lists;
    use super::super::mark::{Day, MarkedAs};
    use super::*;
    use crate::posture::{Finding, FindingId, Found, Gap, Outcome, Tally, catalogue};

    fn report(outcome: impl Fn(&str) -> Outcome) -> Report {
        let mut report = Report {
            account: "123456789012".to_owned(),
            as_of: "2026-06-01T00:00:00Z".parse().unwrap(),
            collected: None,
            checks: Vec::new(),
            findings: Vec::new(),
            fixed: Vec::new(),
            ended_exceptions: Vec::new(),
        };
        for row in catalogue() {
            let outcome = outcome(row.id);
            let gap = matches!(outcome, Outcome::NotAssessed | Outcome::NotBuilt);
            let gap = gap.then(|| Gap { subject: "x".to_owned(), missing: "files".to_owned() });
            if outcome == Outcome::Fail {
                let found = Found::new("arn:aws:iam::123456789012:user/x", "it is so");
                report.findings.push(Finding {
                    id: FindingId::of(row.id, &found),
                    check: row.id,
                    title: row.title,
                    severity: row.severity,
                    subject: found.subject,
                    place: None,
                    why: found.why,
                    time: None,
                    fix: crate::posture::Fix {
                        text: format!("mend {}", row.id),
                        ..Default::default()
                    },
                    is_new: None,
                    excepted: None,
                });
            }
            report.checks.push(Tally {
                row,
                outcome,
                passed: usize::from(outcome == Outcome::Pass),
                failed: usize::from(outcome == Outcome::Fail),
                excepted: 0,
                not_applicable: 0,
                not_assessed: gap.into_iter().collect(),
                notes: Vec::new(),
            });
        }
        report
    }

    fn standing(report: &Report, marks: &Marks, id: &str) -> Standing {
        let answers = Answers::new(report, marks).unwrap();
        let items = lists().iter().flat_map(|list| answers.list(list).practices);
        let mut items = items.flat_map(|mut item| {
            let parts = std::mem::take(&mut item.parts);
            [item].into_iter().chain(parts)
        });
        items.find(|item| item.id == id).unwrap().verdict.standing
    }

    fn mark(id: &str, state: MarkedAs, until: &str) -> Marks {
        let mark = Mark {
            practice: Some(id.to_owned()),
            control: None,
            state,
            evidence: "T-1".to_owned(),
            by: "ann".to_owned(),
            until: Day(until.parse().unwrap()),
        };
        Marks { mark: vec![mark] }
    }

    // Mission row M123: no tick is static. Each check of each practice turns it, and a gap in any
    // keeps it from passing.
    #[test]
    fn m123_each_check_turns_its_practices() {
        let none = Marks::default();
        let good = report(|_| Outcome::Pass);
        let practices: Vec<&Practice> = lists().iter().flat_map(List::answered).collect();
        for practice in &practices {
            let expected =
                if practice.by_hand.is_some() { Standing::Manual } else { Standing::Pass };
            assert_eq!(standing(&good, &none, practice.id), expected, "{}", practice.id);
        }
        for row in catalogue() {
            let bad = report(|id| if id == row.id { Outcome::Fail } else { Outcome::Pass });
            let gap = report(|id| if id == row.id { Outcome::NotAssessed } else { Outcome::Pass });
            let serves = practices.iter().filter(|practice| practice.checks.contains(&row.id));
            for practice in serves {
                let id = practice.id;
                assert_eq!(standing(&bad, &none, id), Standing::Fail, "{id} {}", row.id);
                let unsure = standing(&gap, &none, id);
                assert!(
                    matches!(unsure, Standing::NotAssessed | Standing::Manual),
                    "{id} {}: {unsure:?}",
                    row.id
                );
            }
        }
        let unbuilt = report(|_| Outcome::NotBuilt);
        let nothing = report(|_| Outcome::NotApplicable);
        for practice in practices.iter().filter(|practice| practice.by_hand.is_none()) {
            assert_eq!(standing(&unbuilt, &none, practice.id), Standing::NotAssessed);
            assert_eq!(standing(&nothing, &none, practice.id), Standing::NotApplicable);
        }
    }

    #[test]
    fn m123_marks_answer_what_checks_cannot_and_cover_no_failure() {
        let good = report(|_| Outcome::Pass);
        let bad = report(|_| Outcome::Fail);
        let gaps = report(|_| Outcome::NotAssessed);
        let some = report(|id| if id == "POL-12" { Outcome::Pass } else { Outcome::NotAssessed });
        let id = "000-07";
        for (report, state, until, expected) in [
            (&good, MarkedAs::Pass, "2026-06-01", Standing::Pass),
            (&good, MarkedAs::Pass, "2026-05-31", Standing::Manual),
            (&good, MarkedAs::Fail, "2026-12-31", Standing::Fail),
            (&gaps, MarkedAs::Pass, "2026-12-31", Standing::Pass),
            (&gaps, MarkedAs::NotApplicable, "2026-12-31", Standing::NotApplicable),
            (&gaps, MarkedAs::Pass, "2026-05-31", Standing::Manual),
            (&some, MarkedAs::NotApplicable, "2026-12-31", Standing::NotApplicable),
            (&bad, MarkedAs::Pass, "2026-12-31", Standing::Fail),
            (&bad, MarkedAs::NotApplicable, "2026-12-31", Standing::Fail),
        ] {
            let found = standing(report, &mark(id, state, until), id);
            assert_eq!(found, expected, "{state:?} until {until}");
        }
        let held = mark(id, MarkedAs::Pass, "2026-05-31");
        let answers = Answers::new(&good, &held).unwrap();
        let list = answers.list(&lists()[0]);
        let by_hand = list.practices[6].verdict.by_hand.clone().unwrap();
        assert!(by_hand.ended && by_hand.mark.is_some() && by_hand.reason.is_some());
    }

    #[test]
    fn m123_a_practice_of_parts_is_as_good_as_its_worst() {
        let none = Marks::default();
        let bad = report(|id| if id == "POL-19" { Outcome::Fail } else { Outcome::Pass });
        assert_eq!(standing(&bad, &none, "001-12"), Standing::Fail);
        assert_eq!(standing(&bad, &none, "001-12a"), Standing::Pass);
        let good = report(|_| Outcome::Pass);
        assert_eq!(standing(&good, &none, "001-12"), Standing::Pass);
        assert_eq!(standing(&good, &none, "001-15"), Standing::Manual);
    }

    #[test]
    fn m123_evidence_names_checks_findings_and_what_to_do() {
        let bad = report(|id| match id {
            "ROOT-01" | "ROOT-03" => Outcome::Fail,
            "ROOT-06" => Outcome::NotAssessed,
            _ => Outcome::Pass,
        });
        let none = Marks::default();
        let answers = Answers::new(&bad, &none).unwrap();
        let list = answers.list(&lists()[0]);
        let root = &list.practices[0].verdict;
        assert_eq!((root.standing, root.findings), (Standing::Fail, 2));
        // ROOT-01 is critical, ROOT-03 high.
        assert_eq!(root.first.as_ref().unwrap().text, "mend ROOT-01");
        assert_eq!(root.severity(), Some(crate::posture::Severity::Critical));
        assert_eq!(root.examples.len(), 2);
        assert_eq!(root.missing, ["ROOT-06: files"]);
        assert_eq!(root.rate(), (1, 3));
        assert_eq!(list.counts["fail"], 1);
    }

    // Mission row M110.
    #[test]
    fn m110_each_control_follows_its_checks() {
        let none = Marks::default();
        let good = report(|_| Outcome::Pass);
        for standard in Standard::ALL {
            let answers = Answers::new(&good, &none).unwrap();
            let all = answers.standard(standard);
            assert_eq!(all.passed, all.assessed);
            let by_hand = standard.controls().iter().filter(|one| one.by_hand.is_some()).count();
            assert_eq!(all.counts.get("manual").copied().unwrap_or_default(), by_hand);
            for control in standard.controls() {
                let Some(check) = control.checks.first() else { continue };
                let bad = report(|id| if id == *check { Outcome::Fail } else { Outcome::Pass });
                let answers = Answers::new(&bad, &none).unwrap();
                let held = answers.standard(standard);
                let found = held.controls.iter().find(|one| one.id == control.id).unwrap();
                assert_eq!(
                    found.verdict.standing,
                    Standing::Fail,
                    "{} {}",
                    standard.id(),
                    control.id
                );
                assert!(held.passed < held.assessed);
            }
        }
        let mut marks = mark("x", MarkedAs::Pass, "2026-12-31");
        marks.mark[0].practice = None;
        marks.mark[0].control = Some("cis-3.0 1.3".to_owned());
        let answers = Answers::new(&good, &marks).unwrap();
        let control = |standard: Standard| {
            let all = answers.standard(standard).controls;
            all.into_iter().find(|one| one.id == "1.3").unwrap().verdict.standing
        };
        assert_eq!(control(Standard::Cis30), Standing::Pass);
        // A mark is about the control of one standard.
        assert_eq!(control(Standard::Cis14), Standing::Manual);
    }
}
