//! What changed between two versions of a policy, by example and statement.

use bailiwick_policy::{Context, Document, Effect, Principal, Request, Verdict, consult_alone};
use bailiwick_symbolic::{Asker, Reason, Witness};
use serde::Serialize;

use super::parts::Parts;
use super::{CheckFault, Kind, read};

/// What a new version of a policy allows and the old one did not, and the other way.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// Requests that only the new version allows: of each way in which it allows more, one.
    pub gained: Vec<Change>,
    /// Requests that only the old version allows.
    pub lost: Vec<Change>,
    /// What could not be decided. Where there is something, the lists may lack something.
    pub undecided: Vec<Reason>,
}

/// A request that one version allows and the other does not.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// The request.
    pub witness: Witness,
    /// The first statement that allows it, in the version that does; nothing where it cannot be told.
    pub allowed_by: Option<usize>,
    /// The first statement that denies it, in the version that refuses it; nothing where that version
    /// only does not allow it.
    pub denied_by: Option<usize>,
}

/// Compares two versions of a policy.
///
/// # Errors
/// One of the texts is no policy.
pub fn difference(old: &str, new: &str, kind: Kind) -> Result<Difference, CheckFault> {
    let old = read(old, kind.document(), "existingPolicyDocument")?;
    let new = read(new, kind.document(), "newPolicyDocument")?;
    let found = Asker::default().diff(std::slice::from_ref(&old), std::slice::from_ref(&new));
    let place = |allowing: &Document, refusing: &Document, list: Vec<Witness>| {
        let mut changes: Vec<Change> = list
            .into_iter()
            .map(|witness| Change {
                allowed_by: first(allowing, &witness, Effect::Allow),
                denied_by: first(refusing, &witness, Effect::Deny),
                witness,
            })
            .collect();
        changes.sort_by_key(|change| {
            (change.allowed_by.is_none(), change.allowed_by, change.denied_by)
        });
        // Several ways through one statement that are refused by one are one.
        changes.dedup_by(|one, other| {
            one.allowed_by.is_some()
                && (one.allowed_by, one.denied_by) == (other.allowed_by, other.denied_by)
        });
        changes
    };
    Ok(Difference {
        gained: place(&new, &old, found.gained),
        lost: place(&old, &new, found.lost),
        undecided: found.undecided,
    })
}

/// The first statement with this effect that means the request.
fn first(document: &Document, witness: &Witness, effect: Effect) -> Option<usize> {
    let principal = principal(&witness.principal)?;
    let mut context = Context::new();
    context.put_principal(&principal);
    for (key, values) in &witness.context {
        context.put_list(key.as_str(), values.iter().map(String::as_str));
    }
    let request = Request {
        principal: &principal,
        action: &witness.action,
        resource: &witness.resource,
        resource_account: None,
        context: &context,
        delegated: false,
    };
    let wanted = match effect {
        Effect::Allow => Verdict::Allow,
        Effect::Deny => Verdict::ExplicitDeny,
    };
    let parts = Parts::of(document);
    let statements = document.statements().iter().enumerate();
    let mut same = statements.filter(|(_, statement)| statement.effect() == effect);
    same.find_map(|(at, _)| {
        let alone = parts.with(|place, _| place == at, &[])?;
        (consult_alone(&alone, &request) == wanted).then_some(at)
    })
}

/// The caller of an example.
fn principal(text: &str) -> Option<Principal> {
    if text == "anonymous" {
        return Some(Principal::Anonymous);
    }
    Principal::from_arn(text).or_else(|| {
        Some(if text.ends_with(".amazonaws.com") || text.ends_with(".amazonaws.com.cn") {
            Principal::Service { names: [text.into()].into() }
        } else {
            Principal::Federated { provider: text.into() }
        })
    })
}
