//! Which duties a principal holds, by the engine, and which roles it becomes.
//!
//! Answers are kept by set of policies: principals with the same policies and the same boundary are
//! asked about once, unless a policy of theirs speaks of who the caller is.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use bailiwick_catalog::Catalog;
use bailiwick_model::Found;

use super::rules::Rule;
use crate::attack::Could;
use crate::attack::sets::{Set, join, meets};
use crate::escalation::Dependence;
use crate::escalation::probe::{Probe, Written, matches};

/// Roles that are asked about for one principal.
const MOST_ROLES: usize = 2_000;

/// The actions of the catalogue that an entry means, with prefix.
pub(crate) fn meant(entry: &str) -> Vec<String> {
    let catalog = Catalog::embedded();
    let Some((prefix, name)) = entry.split_once(':') else { return Vec::new() };
    if name.is_empty() || prefix.is_empty() {
        return Vec::new();
    }
    let (prefix, name) = (prefix.to_ascii_lowercase(), name.to_ascii_lowercase());
    let services = catalog.services().filter(|service| matches(&prefix, service.prefix()));
    let found = services.flat_map(|service| {
        let actions =
            service.actions().map(|action| format!("{}:{}", service.prefix(), action.name));
        actions.filter(|action| {
            action
                .split_once(':')
                .is_some_and(|(_, held)| matches(&name, &held.to_ascii_lowercase()))
        })
    });
    found.collect()
}

/// A duty that a principal holds by itself.
#[derive(Clone, Debug)]
pub(super) struct Hold {
    /// An action of the duty that it may call.
    pub(super) action: String,
    /// On what.
    pub(super) resource: String,
    /// Under which conditions.
    pub(super) on: BTreeSet<Dependence>,
    /// The policies that allow it.
    pub(super) by: Vec<String>,
}

/// The duties of all rules by number, with their actions.
pub(super) struct Duties {
    /// The actions of each.
    lists: Vec<Vec<String>>,
    /// The two of each rule.
    pub(super) pairs: Vec<(usize, usize)>,
}

impl Duties {
    pub(super) fn of(rules: &[Rule]) -> Self {
        let mut lists: Vec<Vec<String>> = Vec::new();
        let mut number = |actions: &[String]| {
            let mut list: Vec<String> = actions.iter().flat_map(|entry| meant(entry)).collect();
            list.dedup();
            lists.iter().position(|held| *held == list).unwrap_or_else(|| {
                lists.push(list);
                lists.len() - 1
            })
        };
        let pairs =
            rules.iter().map(|rule| (number(&rule.one.actions), number(&rule.other.actions)));
        let pairs = pairs.collect();
        Self { lists, pairs }
    }

    pub(super) fn len(&self) -> usize {
        self.lists.len()
    }
}

/// What is known of principals so far.
pub(crate) struct Holdings<'d> {
    duties: &'d Duties,
    could: Could,
    sets: Vec<Set>,
    assume: Set,
    by_policies: HashMap<Vec<usize>, Rc<Vec<Option<Hold>>>>,
    speaks: HashMap<usize, bool>,
    /// Whether policies that all have in common speak of who calls.
    common_speaks: bool,
    /// Whom policies on resources name.
    named: HashSet<String>,
}

impl<'d> Holdings<'d> {
    pub(super) fn new(probe: &Probe<'_>, duties: &'d Duties) -> Self {
        let actions = duties.lists.iter().flatten().cloned();
        let could = Could::new(actions.chain(["sts:AssumeRole".to_owned()]));
        let sets = duties
            .lists
            .iter()
            .map(|list| {
                let mut set = could.none();
                for action in list {
                    join(&mut set, &could.set(action));
                }
                set
            })
            .collect();
        let assume = could.set("sts:AssumeRole");
        let estate = probe.estate();
        let levels = estate.organization.iter();
        let levels = levels.flat_map(|all| all.scps.iter().chain(&all.rcps).flatten());
        let on_resources = estate.resource_policies.iter().flat_map(BTreeMap::values);
        let on_resources = on_resources.filter_map(|held| held.policy.as_ref().ok());
        let common_speaks = levels.chain(on_resources.clone()).any(speaks_of_callers);
        let named = on_resources.flat_map(|found| found.document.principals());
        let named = named.map(|principal| principal.text.to_owned()).collect();
        Self {
            duties,
            could,
            sets,
            assume,
            by_policies: HashMap::new(),
            speaks: HashMap::new(),
            common_speaks,
            named,
        }
    }

    /// The duties that a principal holds by itself, by number.
    pub(super) fn own(&mut self, probe: &Probe<'_>, at: usize) -> Rc<Vec<Option<Hold>>> {
        let Some(subject) = probe.subject(at) else { return Rc::default() };
        let effective = &subject.effective;
        let held = self.could.of(&effective.identity);
        if !self.sets.iter().any(|set| meets(set, &held)) {
            return Rc::new(vec![None; self.duties.len()]);
        }
        let mut key = Vec::new();
        let mut shared =
            !self.common_speaks && effective.unreadable.is_none() && !self.is_named(probe.arn(at));
        for found in effective.identity.iter().chain(&effective.boundary) {
            let place = std::sync::Arc::as_ptr(&found.document) as usize;
            key.push(place);
            let speaks = *self.speaks.entry(place).or_insert_with(|| speaks_of_callers(found));
            shared &= !speaks;
        }
        if effective.boundary.is_none() {
            key.push(0);
        }
        key.push(usize::from(subject.linked));
        key.push(usize::from(probe.is_user(at)));
        if let Some(known) = self.by_policies.get(&key).filter(|_| shared) {
            return Rc::clone(known);
        }
        let mut all = Vec::new();
        for (list, set) in self.duties.lists.iter().zip(&self.sets) {
            let found = if meets(set, &held) { self.hold(probe, at, list, &held) } else { None };
            all.push(found);
        }
        let all = Rc::new(all);
        if shared {
            self.by_policies.insert(key, Rc::clone(&all));
        }
        all
    }

    /// Whether a policy on a resource names a principal, or a session of it.
    fn is_named(&self, arn: &str) -> bool {
        let name = arn.rsplit('/').next().unwrap_or_default();
        let session = format!(":assumed-role/{name}/");
        self.named.iter().any(|text| text == arn || text.contains(&session))
    }

    fn hold(&self, probe: &Probe<'_>, at: usize, list: &[String], held: &Set) -> Option<Hold> {
        let mut best: Option<Hold> = None;
        for action in list.iter().filter(|action| meets(&self.could.set(action), held)) {
            let Some(found) = call(probe, at, action) else { continue };
            let certain = found.on.is_empty();
            if best.as_ref().is_none_or(|best| found.on.len() < best.on.len()) {
                best = Some(found);
            }
            if certain {
                break;
            }
        }
        best
    }

    /// Whether a principal's own policies speak of assuming roles.
    pub(crate) fn assumes(&mut self, probe: &Probe<'_>, at: usize) -> bool {
        let Some(subject) = probe.subject(at) else { return false };
        meets(&self.could.of(&subject.effective.identity), &self.assume)
    }

    /// The roles that a principal may come to assume, before the engine is asked, in the order of a
    /// rank.
    pub(crate) fn candidates(
        &mut self,
        probe: &Probe<'_>,
        at: usize,
        rank: impl Fn(usize) -> usize,
    ) -> Vec<usize> {
        let mut near: BTreeSet<usize> = probe.trusting(at).into_iter().collect();
        if self.assumes(probe, at) {
            let groups = probe.patterns(at, "sts:AssumeRole");
            let mut open: BTreeSet<usize> = probe.open().iter().copied().collect();
            for group in groups {
                let mut covered = BTreeSet::new();
                for pattern in &group {
                    covered.extend(probe.covered(pattern));
                }
                open = open.intersection(&covered).copied().collect();
            }
            near.extend(open);
        }
        near.remove(&at);
        let mut near: Vec<usize> =
            near.into_iter().filter(|role| !probe.is_linked(*role)).collect();
        near.sort_by_key(|role| rank(*role));
        near.truncate(MOST_ROLES);
        near
    }
}

/// Whether a principal becomes a role, and under which conditions.
pub(crate) fn enters(probe: &Probe<'_>, at: usize, role: usize) -> Option<BTreeSet<Dependence>> {
    let arn = probe.arn(role).to_owned();
    probe.ask(at, ("sts:AssumeRole", &arn), &probe.keys(role), &Written::Nothing)?.on
}

fn call(probe: &Probe<'_>, at: usize, action: &str) -> Option<Hold> {
    let mut hold = Hold {
        action: action.to_owned(),
        resource: String::new(),
        on: BTreeSet::new(),
        by: Vec::new(),
    };
    for either in probe.kinds(action) {
        let names = either.iter().flat_map(|pattern| probe.names(at, action, pattern));
        let mut best: Option<crate::escalation::probe::Answer> = None;
        for name in names {
            let Some(answer) = probe.ask(at, (action, &name), &Vec::new(), &Written::Nothing)
            else {
                continue;
            };
            let Some(on) = &answer.on else { continue };
            let certain = on.is_empty();
            let fewer = |held: &crate::escalation::probe::Answer| {
                held.on.as_ref().is_none_or(|held| on.len() < held.len())
            };
            if best.as_ref().is_none_or(fewer) {
                best = Some(answer);
            }
            if certain {
                break;
            }
        }
        let answer = best?;
        if hold.resource.is_empty() {
            hold.resource.clone_from(&answer.ask.resource);
            let allowing = crate::attack::sets::allowing(&answer.why);
            let identity = allowing.into_iter().filter(|said| said.kind.starts_with("identity"));
            hold.by = identity.map(|said| said.policy).collect();
        }
        hold.on.extend(answer.on.into_iter().flatten());
    }
    Some(hold)
}

/// Whether a policy's answer may differ between principals that have it.
fn speaks_of_callers(found: &Found) -> bool {
    found.document.statements().iter().any(|statement| {
        statement.resources().any(|resource| resource.contains("${"))
            || statement.conditions().any(|condition| {
                let key = condition.key.to_ascii_lowercase();
                key.starts_with("aws:principal")
                    || key.starts_with("aws:user")
                    || condition.values.iter().any(|value| value.contains("${"))
            })
    })
}
