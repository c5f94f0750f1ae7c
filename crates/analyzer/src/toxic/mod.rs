//! Separation of duties: pairs of rights that no one principal should hold together.
//!
//! A [`Rule`] names two duties, each by actions of which any one will do. A principal holds a duty
//! if the engine allows it one of the actions on something, with groups, boundary, SCPs and RCPs
//! counted; it holds those of every role that it becomes, by chains of roles too. Names decide nothing.
//!
//! Administrators hold every pair: they are listed and are no findings. Conditions on which a duty
//! depends, such as MFA, are told; a duty under conditions is held.

pub(crate) mod held;
mod rules;

use std::collections::{BTreeSet, HashMap};

use bailiwick_model::Found;
use jiff::Timestamp;
use serde::Serialize;

pub use rules::{Duty, Rule, RuleError, built_in, check};

use crate::escalation::Dependence;
use crate::escalation::probe::{Probe, Rank};
use crate::estate::Estate;
use held::{Duties, Hold, Holdings, enters};

/// A chain of roles is not followed beyond so many.
const MOST_HOPS: usize = 200;

/// A duty that a principal holds, by itself or as a role.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Held {
    /// The duty, in words.
    pub duty: String,
    /// An action of it that is allowed.
    pub action: String,
    /// On what.
    pub resource: String,
    /// The policies that allow it.
    pub by: Vec<String>,
    /// The roles that are assumed for it, in turn; none: it is the principal's own.
    pub through: Vec<String>,
    /// On what it depends, the roles included.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub on: BTreeSet<Dependence>,
}

/// A principal that holds both duties of a rule.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pair {
    /// The rule.
    pub rule: String,
    /// The ARN of the user or role.
    pub principal: String,
    /// The one duty.
    pub one: Held,
    /// The other.
    pub other: Held,
    /// What could be done with both.
    pub reason: String,
}

/// All pairs of an account.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The account's digits.
    pub account: String,
    /// How many users and roles there are.
    pub principals: usize,
    /// The rules.
    pub rules: Vec<Rule>,
    /// Who holds all of it and is no finding.
    pub administrators: Vec<String>,
    /// The pairs, by principal and rule.
    pub pairs: Vec<Pair>,
}

/// Finds who holds both duties of a rule.
pub fn pairs(estate: &Estate, rules: &[Rule], now: Option<Timestamp>) -> Report {
    let probe = Probe::new(estate, now);
    let pairs = all(&probe, rules, &BTreeSet::new());
    report(estate, &probe, rules, pairs)
}

/// Finds the pairs that a policy would make if it were attached to a user, group or role.
///
/// Of a group every member has it. Nothing if the estate has not such an entity.
pub fn attached(
    estate: &Estate,
    rules: &[Rule],
    to: &str,
    policies: &[Found],
    now: Option<Timestamp>,
) -> Option<Report> {
    let mut probe = Probe::new(estate, now);
    let holders: Vec<usize> = if let Some(at) = probe.find(to) {
        vec![at]
    } else {
        estate.account.group_with_arn(&to.parse().ok()?)?;
        (0..probe.len()).filter(|at| probe.groups_of(*at).iter().any(|arn| arn == to)).collect()
    };
    let before = all(&probe, rules, &BTreeSet::new());
    for at in &holders {
        for policy in policies {
            probe.give(*at, policy.clone());
        }
    }
    // Whom the policy makes administrator is told: it is not by nature one.
    let mut after = all(&probe, rules, &holders.iter().copied().collect());
    after.retain(|pair| {
        !before.iter().any(|held| held.rule == pair.rule && held.principal == pair.principal)
    });
    Some(report(estate, &probe, rules, after))
}

fn report(estate: &Estate, probe: &Probe<'_>, rules: &[Rule], pairs: Vec<Pair>) -> Report {
    let administrators = (0..probe.len())
        .filter(|at| probe.rank(*at) == Rank::Administrator && !probe.is_linked(*at))
        .map(|at| probe.arn(at).to_owned())
        .collect();
    Report {
        account: estate.account.id().to_string(),
        principals: probe.len(),
        rules: rules.to_vec(),
        administrators,
        pairs,
    }
}

/// What a role gives, and how it is come by.
struct Hop {
    role: usize,
    before: Option<usize>,
    on: BTreeSet<Dependence>,
}

fn all(probe: &Probe<'_>, rules: &[Rule], always: &BTreeSet<usize>) -> Vec<Pair> {
    let duties = Duties::of(rules);
    let mut holdings = Holdings::new(probe, &duties);
    let own: Vec<_> = (0..probe.len()).map(|at| holdings.own(probe, at)).collect();
    let many =
        |at: usize| own.get(at).map_or(0, |held| held.iter().filter(|hold| hold.is_some()).count());
    // What all roles together could give: more is not looked for.
    let mut most: BTreeSet<usize> = BTreeSet::new();
    for at in (0..probe.len()).filter(|at| !probe.is_user(*at)) {
        most.extend(numbers(own.get(at).map(|held| held.as_slice()).unwrap_or_default()));
    }
    let mut near: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut found = Vec::new();
    for at in 0..probe.len() {
        if probe.is_linked(at) || (probe.rank(at) == Rank::Administrator && !always.contains(&at)) {
            continue;
        }
        let mine = own.get(at).map(|held| held.as_slice()).unwrap_or_default();
        let mut held: BTreeSet<usize> = numbers(mine).collect();
        let mut hops: Vec<Hop> = Vec::new();
        let mut seen = BTreeSet::from([at]);
        let mut next = 0;
        let mut from = Some((at, None));
        while let Some((place, before)) = from {
            if most.is_subset(&held) || hops.len() >= MOST_HOPS {
                break;
            }
            let rank = |role: usize| usize::MAX - many(role);
            let next_roles = near
                .entry(place)
                .or_insert_with(|| holdings.candidates(probe, place, rank))
                .clone();
            for role in next_roles {
                if seen.contains(&role) {
                    continue;
                }
                let gives = own.get(role).map(|held| held.as_slice()).unwrap_or_default();
                let more = numbers(gives).any(|duty| !held.contains(&duty));
                let leads = || !probe.trusting(role).is_empty();
                if !more && !leads() && !holdings.assumes(probe, role) {
                    continue;
                }
                let Some(on) = enters(probe, place, role) else { continue };
                seen.insert(role);
                held.extend(numbers(gives));
                hops.push(Hop { role, before, on });
                if most.is_subset(&held) || hops.len() >= MOST_HOPS {
                    break;
                }
            }
            from = hops.get(next).map(|hop| (hop.role, Some(next)));
            next += 1;
        }
        for (rule, (one, other)) in rules.iter().zip(&duties.pairs) {
            let side = |number: usize, duty: &Duty| {
                holding(probe, (at, mine), &hops, &own, number).map(|(hold, through, on)| Held {
                    duty: duty.name.clone(),
                    action: hold.action.clone(),
                    resource: hold.resource.clone(),
                    by: hold.by.clone(),
                    through,
                    on,
                })
            };
            let (Some(one), Some(other)) = (side(*one, &rule.one), side(*other, &rule.other))
            else {
                continue;
            };
            let (rule, reason) = (rule.id.clone(), rule.reason.clone());
            found.push(Pair { rule, principal: probe.arn(at).to_owned(), one, other, reason });
        }
    }
    found.sort_by(|a, b| (&a.principal, &a.rule).cmp(&(&b.principal, &b.rule)));
    found
}

fn numbers(held: &[Option<Hold>]) -> impl Iterator<Item = usize> {
    held.iter().enumerate().filter(|(_, hold)| hold.is_some()).map(|(number, _)| number)
}

type Holding<'h> = (&'h Hold, Vec<String>, BTreeSet<Dependence>);

/// How a duty is held: by oneself, or else by the first role that gives it.
fn holding<'h>(
    probe: &Probe<'_>,
    (_, mine): (usize, &'h [Option<Hold>]),
    hops: &[Hop],
    own: &'h [std::rc::Rc<Vec<Option<Hold>>>],
    number: usize,
) -> Option<Holding<'h>> {
    let direct = mine.get(number).and_then(Option::as_ref);
    if let Some(hold) = direct.filter(|hold| hold.on.is_empty()) {
        return Some((hold, Vec::new(), BTreeSet::new()));
    }
    let mut best: Option<Holding<'h>> = direct.map(|hold| (hold, Vec::new(), hold.on.clone()));
    for (place, hop) in hops.iter().enumerate() {
        let Some(Some(hold)) = own.get(hop.role).and_then(|held| held.get(number)) else {
            continue;
        };
        let mut on = hold.on.clone();
        let mut through = Vec::new();
        let mut at = Some(place);
        while let Some(hop) = at.and_then(|at| hops.get(at)) {
            through.push(probe.arn(hop.role).to_owned());
            on.extend(hop.on.iter().cloned());
            at = hop.before;
        }
        through.reverse();
        let better = best.as_ref().is_none_or(|(_, _, held)| on.len() < held.len());
        if better {
            best = Some((hold, through, on));
        }
    }
    best
}
