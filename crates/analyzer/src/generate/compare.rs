//! What is written beside what the principal has.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bailiwick_model::Found;
use bailiwick_policy::{Document, Effect, Outcome, Version};
use bailiwick_symbolic::{Answer, Asker};
use serde::Serialize;

use super::actor::Actor;
use super::policy::Policy;
use super::replay::{Breaks, Holding, breaks};
use super::usage::{Call, Need, Usage};
use crate::estate::{Estate, Subject};
use crate::summary::summary;

/// What the principal has, and what it used of it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// Actions that its policies allow on something, as far as the catalog knows them.
    pub granted: usize,
    /// Those that were used.
    pub used: usize,
    /// Actions of the policy that is written.
    pub written: usize,
    /// Allow statements that none of the observed calls needed: they go away.
    pub unused: Vec<Unused>,
    /// How many Allow statements there are.
    pub statements: usize,
    /// Whether the new policy allows nothing that those of the principal do not; none if that could
    /// not be decided.
    pub within: Option<bool>,
    /// A request that the new policy allows and the old ones do not.
    pub beyond: Option<String>,
    /// Observed calls with the new policy in place of all identity policies, with boundary,
    /// organization and resource policies as they are.
    pub effect: Breaks,
}

/// A statement that nothing needed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Unused {
    /// The policy.
    pub policy: String,
    /// The statement, from 1.
    pub statement: usize,
    /// Its Sid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// Its actions, as written.
    pub actions: Vec<String>,
}

/// The user or role in an estate.
pub fn subject(estate: &Estate, actor: &Actor) -> Option<Subject> {
    let arn = actor.arn.parse().ok()?;
    let account = &estate.account;
    if actor.is_role {
        let role = account.role_with_arn(&arn).or_else(|| account.role_named(actor.name()))?;
        return Some(estate.role(role));
    }
    account.user_with_arn(&arn).map(|user| estate.user(user))
}

/// Compares a policy with what the principal has.
pub(super) fn compare(
    estate: &Estate,
    usage: &Usage,
    policy: &Policy,
    document: Option<&Arc<Document>>,
    needs: &BTreeMap<&Need, &Call>,
) -> Option<Comparison> {
    let held = Holding::held(estate, subject(estate, &usage.actor)?);
    let had = subject(estate, &usage.actor)?.effective;
    let documents: Vec<Document> =
        had.identity.iter().map(|one| for_one(&one.document, usage)).collect();
    let granted = summary(&documents).allow.iter().map(|service| service.actions).sum();
    let used: BTreeSet<&str> = needs.keys().map(|need| need.action.as_str()).collect();
    let written: BTreeSet<&String> =
        policy.statement.iter().flat_map(|statement| &statement.action).collect();
    let (unused, statements) = unused(&held, usage, &had.identity, needs);
    let (within, beyond) = match document {
        Some(document) => within(&documents, document),
        None => (Some(true), None),
    };
    let name = "the generated policy".to_owned();
    let new = document.map(|document| (name, Arc::clone(document)));
    let after = Holding::within(estate, subject(estate, &usage.actor)?, new);
    Some(Comparison {
        granted,
        used: used.len(),
        written: written.len(),
        unused,
        statements,
        within,
        beyond,
        effect: breaks(Some(&held), &after, usage),
    })
}

/// A policy as it is for one user: what would be another user's is not the principal's.
fn for_one(document: &Document, usage: &Usage) -> Document {
    let text = document.source();
    let named = [
        ("${aws:username}", (!usage.actor.is_role).then(|| usage.actor.name().to_owned())),
        ("${aws:PrincipalAccount}", Some(usage.actor.account.to_string())),
    ];
    let mut filled = text.to_owned();
    // In the old version of the language `${` is plain text.
    if document.version() == Version::V2012 {
        for (variable, value) in named {
            if let Some(value) = value {
                filled = filled.replace(variable, &value);
            }
        }
    }
    let own = (filled != text).then(|| Document::parse(&filled, document.kind()).ok()).flatten();
    own.unwrap_or_else(|| document.clone())
}

fn within(held: &[Document], new: &Document) -> (Option<bool>, Option<String>) {
    match Asker::default().implies(held, std::slice::from_ref(new)) {
        Answer::Holds => (Some(true), None),
        Answer::Undecided(_) => (None, None),
        Answer::Fails(witness) => {
            (Some(false), Some(format!("{} on {}", witness.action, witness.resource)))
        }
    }
}

/// The Allow statements that no need hangs on, and how many there are.
fn unused(
    held: &Holding<'_>,
    usage: &Usage,
    identity: &[Found],
    needs: &BTreeMap<&Need, &Call>,
) -> (Vec<Unused>, usize) {
    let mut hit: BTreeSet<(String, usize)> = BTreeSet::new();
    for (need, call) in needs {
        let explanation = held.explained(usage, call, need);
        for policy in explanation.layers.iter().flat_map(|layer| &layer.policies) {
            let matched = policy.statements.iter().filter(|statement| {
                statement.effect == Effect::Allow
                    && matches!(statement.outcome, Outcome::Matched { .. })
            });
            hit.extend(
                matched.map(|statement| (key(&policy.source.id, &policy.source), statement.index)),
            );
        }
    }
    let mut statements = 0;
    let mut found = Vec::new();
    for one in identity {
        for (at, statement) in one.document.statements().iter().enumerate() {
            if statement.effect() != Effect::Allow {
                continue;
            }
            statements += 1;
            if !hit.contains(&(key(&one.source.id, &one.source), at)) {
                found.push(Unused {
                    policy: one.source.id.to_string(),
                    statement: at + 1,
                    sid: statement.sid().map(str::to_owned),
                    actions: statement.actions().map(str::to_owned).collect(),
                });
            }
        }
    }
    (found, statements)
}

/// An inline policy of a group may have the name of one of the user's.
fn key(id: &str, source: &bailiwick_policy::Source) -> String {
    format!("{id} {:?}", source.kind)
}
