//! Steps as they are taken: chosen among what could be acted on, asked, and laid over the copy.

use std::collections::BTreeSet;

use super::why::{allowing, blocker};
use super::{Attempt, Blocker, Layer, Played, Verdict};
use crate::escalation::probe::{Answer, Probe, Rank, Written, matches};
use crate::escalation::{Change, Dependence, Way};

/// Known resources that are looked at for one step.
const MOST_KNOWN: usize = 25;

/// What makes a name the better one: steps allowed, steps that no lack of a grant stops, few
/// conditions.
type Worth = (usize, usize, std::cmp::Reverse<usize>);

/// Context keys with their values.
pub(super) type Keys = Vec<(String, Vec<String>)>;

/// A way under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Course {
    pub(super) steps: Vec<Played>,
    pub(super) on: BTreeSet<Dependence>,
    pub(super) blocked: Option<Blocker>,
    pub(super) gains: String,
}

impl Course {
    /// Whether the last step was allowed.
    pub(super) fn goes_on(&self) -> bool {
        self.blocked.is_none()
    }

    /// A step that was asked.
    pub(super) fn take(&mut self, answer: Answer, then: Option<String>) {
        let Answer { ask, on, why } = answer;
        let blocked = if on.is_some() { None } else { blocker(&why) };
        let by = if on.is_some() { allowing(&why) } else { Vec::new() };
        self.on.extend(on.iter().flatten().cloned());
        self.blocked.clone_from(&blocked);
        self.steps.push(Played {
            ask,
            decision: why.decision.verdict.as_str(),
            by,
            on: on.unwrap_or_default(),
            blocked,
            then,
        });
    }

    /// Nothing is there to act on.
    pub(super) fn nothing(why: impl Into<String>) -> Self {
        let blocked = Blocker { by: Layer::NothingThere, statement: None, why: why.into() };
        Self { blocked: Some(blocked), ..Self::default() }
    }

    /// Which of two is worth more to tell: the one that gets further, then the one with fewer
    /// conditions.
    pub(super) fn better(self, other: Self) -> Self {
        let worth = |course: &Self| {
            let stopped = course.blocked.as_ref().map(|blocked| blocked.by);
            (
                stopped.is_none(),
                course.steps.len(),
                stopped.is_none_or(|by| by != Layer::NoGrant),
                std::cmp::Reverse(course.on.len()),
            )
        };
        if worth(&other) > worth(&self) { other } else { self }
    }

    pub(super) fn is_best(&self) -> bool {
        self.goes_on() && self.on.is_empty()
    }

    pub(super) fn attempt(self, technique: &str, principal: &str) -> Attempt {
        let verdict = match (&self.blocked, self.on.is_empty()) {
            (Some(_), _) => Verdict::Blocked,
            (None, true) => Verdict::Reached,
            (None, false) => Verdict::Conditional,
        };
        let on = if verdict == Verdict::Blocked { BTreeSet::new() } else { self.on };
        Attempt {
            technique: technique.to_owned(),
            principal: principal.to_owned(),
            verdict,
            on,
            blocked: self.blocked,
            gains: self.gains,
            steps: self.steps,
        }
    }
}

/// Who plays.
pub(super) struct Player<'p, 'e> {
    pub(super) probe: &'p mut Probe<'e>,
    pub(super) at: usize,
}

impl Player<'_, '_> {
    pub(super) fn me(&self) -> String {
        self.probe.arn(self.at).to_owned()
    }

    /// A step on one thing.
    pub(super) fn step(
        &self,
        course: &mut Course,
        (action, resource): (&str, &str),
        keys: &Keys,
        written: &Written<'_>,
        then: Option<String>,
    ) {
        if !course.goes_on() {
            return;
        }
        // What an earlier step needed of the request holds on.
        if let Some(answer) = self.probe.ask(self.at, (action, resource), keys, written) {
            course.take(answer, then);
        }
    }

    /// Steps of actions on whatever the catalogue says, those on the same kind of thing under one name.
    pub(super) fn anywhere(&self, actions: &[&'static str]) -> Vec<(&'static str, Answer)> {
        let mut slots: Vec<(Vec<String>, Vec<&'static str>)> = Vec::new();
        for action in actions {
            for either in self.probe.targets(action) {
                match slots.iter_mut().find(|(held, _)| *held == either) {
                    Some((_, held)) => held.push(action),
                    None => slots.push((either, vec![action])),
                }
            }
        }
        let mut found: Vec<(&'static str, Answer)> = Vec::new();
        for (either, actions) in &slots {
            found.extend(self.slot(either, actions));
        }
        let order = |action: &str| actions.iter().position(|held| *held == action);
        found.sort_by_key(|(action, _)| order(action));
        found
    }

    fn slot(&self, either: &[String], actions: &[&'static str]) -> Vec<(&'static str, Answer)> {
        let mut best: Option<(Worth, Vec<Answer>)> = None;
        let mut names: Vec<String> = Vec::new();
        for pattern in either {
            for name in self.known(pattern) {
                add(&mut names, name);
            }
            for action in actions {
                for name in self.probe.names(self.at, action, pattern) {
                    add(&mut names, name);
                }
            }
        }
        for name in names {
            let asked = |action: &&str| {
                self.probe.ask(self.at, (action, &name), &Keys::new(), &Written::Nothing)
            };
            let answers: Vec<Answer> = actions.iter().filter_map(asked).collect();
            let allowed = answers.iter().filter(|answer| answer.on.is_some()).count();
            let granted = answers.iter().filter(|answer| {
                blocker(&answer.why).is_none_or(|blocker| blocker.by != Layer::NoGrant)
            });
            let granted = granted.count();
            let on: BTreeSet<&Dependence> =
                answers.iter().flat_map(|answer| answer.on.iter().flatten()).collect();
            let on = on.len();
            let worth = (allowed, granted, std::cmp::Reverse(on));
            if best.as_ref().is_none_or(|(held, _)| worth > *held) {
                best = Some((worth, answers));
            }
            if allowed == actions.len() && on == 0 {
                break;
            }
        }
        let answers = best.map(|(_, answers)| answers).unwrap_or_default();
        actions.iter().copied().zip(answers).collect()
    }

    /// Resources of a kind that the data show.
    fn known(&self, pattern: &str) -> Vec<String> {
        let Some(all) = &self.probe.estate().resource_policies else { return Vec::new() };
        let open = pattern.replace("${Region}", "?*");
        let service = pattern.split(':').nth(2).unwrap_or_default();
        let of_it = |arn: &&String| arn.split(':').nth(2) == Some(service);
        let whole = all.keys().filter(of_it).filter(|arn| matches(&open, arn));
        let mut found: Vec<String> = whole.take(MOST_KNOWN).cloned().collect();
        if pattern.contains(":s3:") && pattern.contains('/') {
            // What is in a bucket has the bucket's policy.
            let inside = all.keys().filter(of_it).map(|arn| format!("{arn}/any"));
            found = inside.take(MOST_KNOWN).collect();
        }
        found
    }

    /// Whether somebody is administrator, shown by a request of it.
    pub(super) fn prove(&self, course: &mut Course, at: usize) {
        if !course.goes_on() {
            return;
        }
        let prefix = format!("arn:{}:iam::{}:", self.probe.partition(), self.probe.account());
        let rank = self.probe.rank(at);
        let mut last = None;
        for (action, kind) in [
            ("iam:AttachUserPolicy", "user"),
            ("iam:PutRolePolicy", "role"),
            ("iam:CreatePolicyVersion", "policy"),
            ("iam:CreateAccessKey", "user"),
        ] {
            let resource = format!("{prefix}{kind}/any-of-them");
            let question = (action, resource.as_str());
            let Some(answer) = self.probe.ask(at, question, &Keys::new(), &Written::Nothing) else {
                continue;
            };
            let fits = answer.on.is_some() != (rank == Rank::None);
            if fits {
                last = Some(answer);
                break;
            }
            last = last.or(Some(answer));
        }
        let who = self.probe.standpoint(at).map(|at| at.to_string()).unwrap_or_default();
        let Some(answer) = last else { return };
        course.take(answer, None);
        match rank {
            Rank::Administrator => course.gains = format!("administrator, as {who}"),
            Rank::Conditional(on) => {
                course.on.extend(on);
                course.gains = format!("administrator under conditions, as {who}");
            }
            Rank::None if course.goes_on() => {
                let why = format!("{who} is no administrator");
                let blocked = Blocker { by: Layer::NoGain, statement: None, why };
                course.blocked = Some(blocked);
            }
            Rank::None => course.gains = format!("to act as {who}, who is no administrator"),
        }
    }

    /// A way that the search has found, request by request.
    pub(super) fn replay(&mut self, way: &Way) -> Option<Course> {
        let mut course = Course::default();
        let mut end = None;
        for step in &way.steps {
            let at = self.probe.at(&step.at)?;
            let last = step.asks.len().saturating_sub(1);
            for (number, ask) in step.asks.iter().enumerate() {
                let why = if ask.caller.starts_with("arn:") {
                    self.probe.explain(at, ask, None)?
                } else {
                    self.probe.explain_service(ask)?
                };
                let allowed = why.decision.is_allowed();
                let on = allowed.then(BTreeSet::new);
                let then = (number == last).then(|| match &step.to {
                    Some(to) => format!("acts as {to}"),
                    None => "has what the directory gives in this account".to_owned(),
                });
                course.take(Answer { ask: ask.clone(), on, why }, then);
                if !course.goes_on() {
                    return Some(course);
                }
            }
            if let Some(played) = course.steps.last_mut() {
                played.on.clone_from(&step.on);
            }
            end = match &step.to {
                Some(to) => self.probe.at(to),
                None => None,
            };
        }
        match end {
            Some(end) => self.prove(&mut course, end),
            None => "administrator, by the directory".clone_into(&mut course.gains),
        }
        course.on.clone_from(&way.on);
        Some(course)
    }

    /// A change laid over somebody.
    pub(super) fn changed(&mut self, at: usize, change: &Change) -> Option<usize> {
        self.probe.changed(at, change)
    }
}

fn add(names: &mut Vec<String>, name: String) {
    if !names.contains(&name) {
        names.push(name);
    }
}
