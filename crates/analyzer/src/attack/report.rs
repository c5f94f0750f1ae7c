//! All attempts: every technique from every principal that could try it.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

use super::catalogue::{How, Technique, techniques};
use super::could::{Could, Set, has_all};
use super::play::Player;
use super::{Attempt, Layer, Options, Verdict};
use crate::escalation::probe::{Probe, Rank};
use crate::escalation::{self, Goal, PathId, escalations};
use crate::estate::Estate;

/// Attempts of one technique that are kept when nobody in particular was asked about.
const MOST_ATTEMPTS: usize = 500;

/// What came of all attempts.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The account's digits.
    pub account: String,
    /// How many users and roles there are.
    pub principals: usize,
    /// From how many it was played.
    pub played_from: usize,
    /// Administrators that were left out, since they need no technique.
    pub administrators: usize,
    /// A line for each technique, in the order of the catalogue.
    pub techniques: Vec<Tally>,
    /// The attempts of those who could try: without those whose policies name none of the actions,
    /// unless they were asked about.
    pub attempts: Vec<Attempt>,
}

/// What came of one technique.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    /// The technique.
    #[serde(flatten)]
    pub technique: Technique,
    /// How many principals reach the end.
    pub reached: usize,
    /// How many reach it under conditions.
    pub conditional: usize,
    /// How many are stopped.
    pub blocked: usize,
    /// By what they are stopped.
    pub blocked_by: BTreeMap<Layer, usize>,
    /// Attempts that are counted and not kept.
    pub left_out: usize,
}

/// Plays techniques on a copy of the account. Nothing changes.
///
/// Whoever is administrator is played only if asked about by ARN. Of who is one under conditions all
/// attempts count, and those that work without any are kept. An ARN that is none of the account's
/// principals gives no attempt.
pub fn run(estate: &Estate, options: &Options) -> Report {
    let chosen: Vec<Technique> = techniques()
        .into_iter()
        .filter(|technique| {
            options.techniques.is_empty()
                || options.techniques.iter().any(|id| id.eq_ignore_ascii_case(&technique.id))
        })
        .collect();
    let mut probe = Probe::new(estate, options.now);
    let mut could = Could::new(
        techniques().iter().flat_map(|technique| &technique.actions).map(ToString::to_string),
    );
    let needs: Vec<Vec<(&'static str, Set)>> = chosen
        .iter()
        .map(|technique| technique.actions.iter().map(|a| (*a, could.set(a))).collect())
        .collect();
    let named = named(estate);
    let found = ways(estate, options, &chosen);
    let mut tallies: Vec<Tally> = chosen.iter().cloned().map(Tally::new).collect();
    let mut attempts = Vec::new();
    let mut administrators = 0;
    let asked = !options.from.is_empty();
    let places: Vec<usize> = if asked {
        options.from.iter().filter_map(|arn| probe.find(arn)).collect()
    } else {
        (0..probe.len()).filter(|at| !probe.is_linked(*at)).collect()
    };
    let mut played_from = 0;
    for at in places {
        if !asked && probe.rank(at) == Rank::Administrator {
            administrators += 1;
            continue;
        }
        played_from += 1;
        let unsure = !asked && matches!(probe.rank(at), Rank::Conditional(_));
        let arn = probe.arn(at).to_owned();
        let held = probe.subject(at).map(|subject| could.of(&subject.effective.identity));
        let held = held.unwrap_or_else(|| could.none());
        let trusted = !probe.trusting(at).is_empty();
        let direct = named.contains(arn.as_str()) || named.contains("*");
        for ((technique, needs), tally) in chosen.iter().zip(&needs).zip(&mut tallies) {
            let way = match technique.how {
                How::Path(row) => found.get(&(arn.as_str(), row.id)),
                How::Way(_) => None,
            };
            let lacks: Vec<&'static str> = needs
                .iter()
                .filter(|(action, set)| {
                    !(has_all(&held, set) || trusted && *action == "sts:AssumeRole")
                })
                .map(|(action, _)| *action)
                .collect();
            let open = direct && matches!(technique.how, How::Way(_));
            if way.is_none() && !asked && !lacks.is_empty() && !open {
                tally.count(Verdict::Blocked, Some(Layer::NoGrant));
                continue;
            }
            let mut player = Player { probe: &mut probe, at };
            let replayed = way.and_then(|way| player.replay(way));
            let course = replayed
                .filter(super::play::Course::goes_on)
                .unwrap_or_else(|| player.play(technique, &lacks));
            let attempt = course.attempt(&technique.id, &arn);
            let by = attempt.blocked.as_ref().map(|blocked| blocked.by);
            tally.count(attempt.verdict, by);
            // Of one the conditions of its own rights would be told again and again.
            if unsure && attempt.verdict != Verdict::Reached {
                tally.left_out += 1;
                continue;
            }
            let trivial = !asked && !lacks.is_empty() && attempt.verdict == Verdict::Blocked;
            if trivial {
                continue;
            }
            if !asked && tally.kept() > MOST_ATTEMPTS {
                tally.left_out += 1;
            } else {
                attempts.push(attempt);
            }
        }
    }
    attempts.sort_by(|a, b| {
        (&a.technique, a.verdict, &a.principal).cmp(&(&b.technique, b.verdict, &b.principal))
    });
    Report {
        account: estate.account.id().to_string(),
        principals: probe.len(),
        played_from,
        administrators,
        techniques: tallies,
        attempts,
    }
}

/// The best way of each path of escalation, by principal.
struct Found {
    report: escalation::Report,
    at: HashMap<(String, PathId), (usize, usize)>,
}

impl Found {
    fn get(&self, (arn, path): &(&str, PathId)) -> Option<&escalation::Way> {
        let (finding, way) = self.at.get(&((*arn).to_owned(), *path))?;
        self.report.findings.get(*finding)?.ways.get(*way)
    }
}

fn ways(estate: &Estate, options: &Options, chosen: &[Technique]) -> Found {
    let paths = chosen.iter().any(|technique| matches!(technique.how, How::Path(_)));
    let from = match options.from.as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    };
    let report = if paths {
        let options = escalation::Options { from, to: Goal::Administrator, now: options.now };
        escalations(estate, &options)
    } else {
        escalation::Report {
            account: String::new(),
            principals: 0,
            administrators: Vec::new(),
            findings: Vec::new(),
            edges: Vec::new(),
            cuts: Vec::new(),
            movements: Vec::new(),
            cut_short: false,
        }
    };
    let mut at: HashMap<(String, PathId), (usize, usize)> = HashMap::new();
    // A way of this row alone tells more than one that begins with two.
    for alone in [true, false] {
        for (finding, held) in report.findings.iter().enumerate() {
            for (number, way) in held.ways.iter().enumerate() {
                for path in way.paths.iter().filter(|_| (way.paths.len() == 1) == alone) {
                    at.entry((held.principal.clone(), *path)).or_insert((finding, number));
                }
            }
        }
    }
    Found { report, at }
}

/// Whom policies on resources name.
fn named(estate: &Estate) -> HashSet<String> {
    let all = estate.resource_policies.iter().flatten();
    let all = all.filter_map(|(_, policy)| policy.policy.as_ref().ok());
    let named = all.flat_map(|found| found.document.principals());
    named.map(|principal| principal.text.to_owned()).collect()
}

impl Tally {
    fn new(technique: Technique) -> Self {
        Self {
            technique,
            reached: 0,
            conditional: 0,
            blocked: 0,
            blocked_by: BTreeMap::new(),
            left_out: 0,
        }
    }

    fn kept(&self) -> usize {
        let others = self.blocked_by.get(&Layer::NoGrant).copied().unwrap_or_default();
        (self.reached + self.conditional + self.blocked).saturating_sub(others + self.left_out)
    }

    fn count(&mut self, verdict: Verdict, by: Option<Layer>) {
        match verdict {
            Verdict::Reached => self.reached += 1,
            Verdict::Conditional => self.conditional += 1,
            Verdict::Blocked => self.blocked += 1,
        }
        if let Some(by) = by {
            *self.blocked_by.entry(by).or_default() += 1;
        }
    }
}
