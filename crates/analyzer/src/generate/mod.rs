//! The smallest policy that the observed calls of a principal need.
//!
//! [`Usage`] gathers what a user or role did from the events of a trail. [`generate`] writes the
//! policy: each action on each resource in it has an event that shows it. Every observed call is
//! then put to the decision engine under that policy, and what was refused must not have become
//! allowed. [`refusals`] are the calls that were refused, each with the smallest statement that
//! would allow it; [`breaks`] tells what a change of policies does to the observed calls.
//!
//! Left out: conditions, `iam:PassedToService` aside; and what no event shows, which is said.

mod actor;
mod compact;
mod compare;
mod keys;
mod names;
mod params;
mod parts;
mod pass;
mod policy;
mod record;
mod refused;
mod replay;
mod resource_names;
mod resources;
mod target;
mod unseen;
mod usage;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bailiwick_policy::{Document, DocumentKind, Verdict};
use serde::Serialize;

pub use actor::{Actor, ActorError};
pub use compare::{Comparison, Unused, subject};
pub use policy::{Options, Policy, Statement};
pub use record::{Identity, Record, RecordResource};
pub use refused::{Because, Refusal, refusals};
pub use replay::{Breaks, Holding, Lost, Replay, breaks, grouped};
pub use target::Target;
pub use usage::{Call, Evidence, MOST_CALLS, Need, Usage};

use crate::estate::Estate;

/// The longest managed policy, in characters without white space. Documented: IAM quotas.
const MANAGED: usize = 6_144;
/// The longest inline policies of a user and of a role, all together.
const INLINE: (usize, usize) = (2_048, 10_240);

/// A policy with all that is to be said about it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Generated {
    /// For whom.
    pub principal: String,
    /// The policy; none if nothing needed a permission.
    pub policy: Option<Policy>,
    /// What shows each statement, in their order.
    pub evidence: Vec<Evidence>,
    /// Its size as IAM counts it.
    pub size: usize,
    /// Observed calls under the policy.
    pub replay: Replay,
    /// What was made broader than the events.
    pub broader: Vec<String>,
    /// Resources that the events do not tell by name: `*` stands in the policy.
    pub unnamed: Vec<String>,
    /// Calls that were refused and are left out.
    pub denied: Vec<Refusal>,
    /// Refused calls that the policy allows, and why that is.
    pub newly_allowed: Vec<String>,
    /// Operations that no known action fits.
    pub unknown: BTreeMap<String, Evidence>,
    /// Operations that need no permission.
    pub free: BTreeMap<String, Evidence>,
    /// Events that are no calls of operations.
    pub other: BTreeMap<String, Evidence>,
    /// Calls whose credentials were no good.
    pub unauthenticated: u64,
    /// Calls that were too many: whether they were permitted is not known.
    pub throttled: u64,
    /// What the events cannot show.
    pub unseen: Vec<String>,
    /// What is worth knowing about the policy.
    pub notes: Vec<String>,
    /// The policy beside what the principal has.
    pub account: Option<Comparison>,
    /// How many events were looked at, and how many are of the principal.
    pub events: u64,
    /// Those of the principal.
    pub own: Evidence,
}

impl Generated {
    /// Whether every observed call is known and allowed by the policy, and no refused one that was never
    /// let through.
    pub fn is_good(&self) -> bool {
        self.replay.allowed == self.replay.observed && self.newly_allowed.is_empty()
    }
}

/// Writes the policy for what a principal did.
pub fn generate(usage: Usage, estate: Option<&Estate>, options: Options) -> (Generated, Usage) {
    let usage = settled(usage, estate);
    let mut free: BTreeMap<String, Evidence> = BTreeMap::new();
    let mut needs: BTreeMap<&Need, Evidence> = BTreeMap::new();
    let mut of: BTreeMap<&Need, &Call> = BTreeMap::new();
    for (call, evidence) in &usage.calls {
        let asked: Vec<&Need> =
            call.needs.iter().filter(|need| !replay::is_free(&usage, call, need)).collect();
        if asked.is_empty() {
            free.entry(call.event.clone()).or_default().merge(evidence);
        }
        for need in asked {
            needs.entry(need).or_default().merge(evidence);
            of.entry(need).or_insert(call);
        }
    }
    let wanted: BTreeSet<&Need> = needs.keys().copied().collect();
    let refused: BTreeSet<&Need> =
        usage.refused.keys().flat_map(|refused| &refused.call.needs).collect();
    let written = policy::write(&wanted, &refused, options);
    let text = written.policy.text();
    let document = Document::parse(&text, DocumentKind::Identity).ok().map(Arc::new);
    let document = document.filter(|_| !written.policy.statement.is_empty());
    let alone = |document: &Option<Arc<Document>>| {
        let named = document.clone().map(|document| ("the generated policy".to_owned(), document));
        Holding::alone(named)
    };
    let under = alone(&document);
    let evidence = policy::evidence(&written.policy, &needs);
    let replay = replay::replay(&usage, &under);
    let denied = refusals(&usage);
    let newly_allowed = newly_allowed(&usage, &under, &wanted);
    let unnamed = unnamed(&wanted);
    let services: Vec<&str> =
        wanted.iter().filter_map(|need| need.action.split(':').next()).collect();
    let size = written.policy.size();
    let mut broader = written.broader;
    broader.extend(usage.crossed.iter().map(|event| {
        format!(
            "{event}: which of its actions was on which of its resources the event does not tell, and \
             each is allowed on all"
        )
    }));
    let generated = Generated {
        principal: usage.actor.arn.clone(),
        evidence,
        size,
        replay,
        broader,
        unnamed,
        denied,
        newly_allowed,
        unknown: usage.unknown.clone(),
        free,
        other: usage.other.clone(),
        unauthenticated: usage.unauthenticated,
        throttled: usage.throttled,
        unseen: unseen::unseen(&usage, &services),
        notes: notes(&usage, size, &wanted),
        account: estate.and_then(|estate| {
            compare::compare(estate, &usage, &written.policy, document.as_ref(), &of)
        }),
        events: usage.records,
        own: usage.own.clone(),
        policy: document.is_some().then_some(written.policy),
    };
    (generated, usage)
}

/// What a principal did, after its last event: with the paths of what events call by name alone.
pub fn settled(mut usage: Usage, estate: Option<&Estate>) -> Usage {
    if let Some(estate) = estate {
        learn(estate, &mut usage);
    }
    usage.settle();
    usage
}

/// What an account tells beside its policies: paths, and roles of instance profiles.
fn learn(estate: &Estate, usage: &mut Usage) {
    let account = &estate.account;
    for user in account.users() {
        usage.know(account.user_arn(user).as_str());
    }
    for group in account.groups() {
        usage.know(account.group_arn(group).as_str());
    }
    for role in account.roles() {
        usage.know(account.role_arn(role).as_str());
    }
    for profile in account.instance_profiles() {
        usage.know(account.instance_profile_arn(profile).as_str());
    }
    let passed: Vec<(String, String)> = usage
        .profiles
        .keys()
        .filter_map(|name| {
            let profile = account.instance_profile_named(name)?;
            let role = account.role(&profile.role?)?;
            Some((name.clone(), account.role_arn(role).to_string()))
        })
        .collect();
    for (profile, role) in passed {
        usage.pass_by_profile(&profile, &role);
    }
}

/// Refused calls that a policy allows although the same was never let through.
fn newly_allowed(usage: &Usage, under: &Holding<'_>, wanted: &BTreeSet<&Need>) -> Vec<String> {
    let mut found = BTreeSet::new();
    for refused in usage.refused.keys() {
        let needs = &refused.call.needs;
        if needs.is_empty() || needs.iter().all(|need| refused::was_allowed(wanted, need)) {
            continue;
        }
        let allowed =
            |need: &Need| under.decide(usage, &refused.call, need).verdict == Verdict::Allow;
        if let Some(need) = needs.first().filter(|_| needs.iter().all(allowed)) {
            found.insert(format!("{} on {}", need.action, need.target.arn));
        }
    }
    found.into_iter().collect()
}

fn unnamed(wanted: &BTreeSet<&Need>) -> Vec<String> {
    let mut found = BTreeSet::new();
    for need in wanted.iter().filter(|need| need.target.partial) {
        found.insert(format!("{} on {}", need.action, need.target.pattern));
    }
    found.into_iter().collect()
}

fn notes(usage: &Usage, size: usize, wanted: &BTreeSet<&Need>) -> Vec<String> {
    let mut out = Vec::new();
    let inline = if usage.actor.is_role { INLINE.1 } else { INLINE.0 };
    if size > MANAGED {
        out.push(format!(
            "The policy has {size} characters, and a managed policy takes {MANAGED}: split it, or use \
             --compact or a smaller --max-resources."
        ));
    } else if size > inline {
        out.push(format!(
            "The policy has {size} characters: as an inline policy it is too long ({inline}), as a \
             managed one it fits ({MANAGED})."
        ));
    }
    let open: BTreeSet<&str> = wanted
        .iter()
        .filter(|need| need.action == "iam:PassRole" && need.passed_to.is_none())
        .map(|need| need.target.arn.as_str())
        .collect();
    for role in open {
        out.push(format!(
            "`iam:PassRole` on {role} has no `iam:PassedToService`: the service that gets it is not known."
        ));
    }
    out
}
