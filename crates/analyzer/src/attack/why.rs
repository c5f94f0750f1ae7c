//! An explanation of the engine in the words of an attempt: by which statements a request is allowed, or
//! what stops it.

use bailiwick_policy::{
    Effect, Explanation, Layer as Asked, Miss, Outcome, PolicyKind, Reason, StatementReport,
    Verdict,
};

use super::{Blocker, Layer, Said};

/// The statements that allow a request, one for each layer that was asked.
pub(crate) fn allowing(why: &Explanation) -> Vec<Said> {
    let mut found = Vec::new();
    for layer in &why.layers {
        let statement = each(layer).find(|(_, statement)| {
            statement.effect == Effect::Allow
                && matches!(statement.outcome, Outcome::Matched { .. })
        });
        found.extend(statement.map(|(policy, statement)| said(layer, policy, statement)));
    }
    found
}

/// What stops a request; nothing if it is allowed.
pub(super) fn blocker(why: &Explanation) -> Option<Blocker> {
    match &why.decision.reason {
        Reason::Allowed { .. } | Reason::NoPermissionNeeded => None,
        Reason::ExplicitDeny { kind, source, statement } => {
            let layer = why.layers.iter().filter(|layer| layer.kind == *kind);
            let found = layer
                .flat_map(|layer| each(layer).map(move |(policy, held)| (layer, policy, held)))
                .find(|(_, policy, held)| {
                    **policy == *source.id
                        && held.index == *statement
                        && held.effect == Effect::Deny
                });
            let by = match kind {
                PolicyKind::Identity | PolicyKind::Session | PolicyKind::Endpoint => {
                    Layer::ExplicitDeny
                }
                kind => layer_of(*kind),
            };
            Some(Blocker {
                by,
                why: format!("statement {statement} of the {} `{}` denies it", kind, source.id),
                statement: Some(found.map_or_else(
                    || Said {
                        kind: kind.name(),
                        level: None,
                        policy: source.id.to_string(),
                        statement: *statement,
                        sid: None,
                    },
                    |(layer, policy, held)| said(layer, policy, held),
                )),
            })
        }
        Reason::EvaluationError { source } => Some(Blocker {
            by: Layer::Unreadable,
            statement: None,
            why: format!("the policy `{}` cannot be read, and denies", source.id),
        }),
        Reason::MissingAllow { kind } => Some(missing(why, *kind)),
    }
}

const fn layer_of(kind: PolicyKind) -> Layer {
    match kind {
        PolicyKind::Identity | PolicyKind::Session => Layer::NoGrant,
        PolicyKind::Boundary => Layer::Boundary,
        PolicyKind::ServiceControl => Layer::Scp,
        PolicyKind::ResourceControl => Layer::Rcp,
        PolicyKind::Trust => Layer::TrustPolicy,
        PolicyKind::Resource | PolicyKind::Endpoint => Layer::ResourcePolicy,
    }
}

/// A layer that allows nothing: its nearest statement, and what of that does not fit.
fn missing(why: &Explanation, kind: PolicyKind) -> Blocker {
    let refusing =
        why.layers.iter().filter(|layer| layer.kind == kind && layer.verdict != Verdict::Allow);
    let mut nearest: Option<(u8, &Asked, &str, &StatementReport)> = None;
    let mut policies = Vec::new();
    for layer in refusing {
        policies.extend(layer.policies.iter().map(|policy| policy.source.id.to_string()));
        for (policy, held) in each(layer).filter(|(_, held)| held.effect == Effect::Allow) {
            let near = match &held.outcome {
                Outcome::Missed(Miss::Condition(_)) => 3,
                Outcome::Missed(Miss::Resource { .. } | Miss::Principal { .. }) => 2,
                _ => 0,
            };
            if near > 0 && nearest.is_none_or(|(held, ..)| near > held) {
                nearest = Some((near, layer, policy, held));
            }
        }
    }
    let by = layer_of(kind);
    let Some((near, layer, policy, held)) = nearest else {
        let of = match kind {
            PolicyKind::Boundary | PolicyKind::ServiceControl | PolicyKind::ResourceControl => {
                format!("the {kind} {} does not allow {}", list(&policies), why.action)
            }
            PolicyKind::Trust => format!("the {kind} does not let the caller in"),
            _ => format!("no {kind} allows {}", why.action),
        };
        return Blocker { by, statement: None, why: of };
    };
    let by = if near == 3 && by == Layer::NoGrant { Layer::Condition } else { by };
    let told = match &held.outcome {
        Outcome::Missed(Miss::Condition(condition)) => {
            let found = match &condition.found {
                Some(values) => format!("is {}", values.join(", ")),
                None => "is absent".to_owned(),
            };
            format!(
                "its condition {} {} {} does not hold: the key {found}",
                condition.key,
                condition.operator,
                condition.wanted.join(" | ")
            )
        }
        Outcome::Missed(Miss::Resource { wanted, negated, .. }) => {
            let but = if *negated { "all but " } else { "" };
            format!("it speaks of {but}{}", list(wanted))
        }
        Outcome::Missed(Miss::Principal { wanted, .. }) => {
            format!("it lets in {}", list(wanted))
        }
        _ => "it does not match".to_owned(),
    };
    let why = format!("statement {} of the {kind} `{policy}` is the nearest; {told}", held.index);
    Blocker { by, statement: Some(said(layer, policy, held)), why }
}

fn list(texts: &[String]) -> String {
    let mut shown: Vec<String> = texts.iter().take(3).map(|text| format!("`{text}`")).collect();
    if texts.len() > 3 {
        shown.push(format!("{} more", texts.len() - 3));
    }
    shown.join(", ")
}

fn each(layer: &Asked) -> impl Iterator<Item = (&str, &StatementReport)> {
    layer
        .policies
        .iter()
        .flat_map(|policy| policy.statements.iter().map(move |held| (&*policy.source.id, held)))
}

fn said(layer: &Asked, policy: &str, statement: &StatementReport) -> Said {
    Said {
        kind: layer.kind.name(),
        level: layer.level,
        policy: policy.to_owned(),
        statement: statement.index,
        sid: statement.sid.clone(),
    }
}
