//! Decisions on what another account owns, as the caller's account may see them.
//!
//! The owner of the caller's account reads its explanations and decoded messages. They tell its own
//! policies; of the other account they tell one verdict, which the answer to the call tells as well.

use bailiwick_policy::simulate::AuthorizationMessage;
use bailiwick_policy::{
    Applicable, ConditionReport, Decision, Effect, Explanation, Layer, Miss, Outcome, PolicyKind,
    Reason, Source, SourceKind, Statement, StatementReport, Verdict,
};

/// Folded beginnings of the context keys whose values are the other account's.
const KEYS: [&str; 2] = ["aws:resourcetag/", "iam:resourcetag/"];

/// Takes out what is the other account's: its policies, which of them refused and how, its tags.
///
/// Where the other account refuses, own statements about its tags are left out too: whether they match
/// would tell the tags to whoever writes such statements. Where it allows, the answer tells as much.
pub(crate) fn hide(explanation: &mut Explanation, applicable: &Applicable<'_>) {
    let granted = grants(explanation);
    let kind = match explanation.layers.iter().find(|layer| is_foreign(layer.kind)) {
        Some(layer) if layer.kind != PolicyKind::ResourceControl => layer.kind,
        _ => PolicyKind::Trust,
    };
    let refused_by_other = refused_by_other(&explanation.decision);
    explanation.missing_keys.clear();
    explanation.layers.retain(|layer| !is_foreign(layer.kind));
    let mut hidden = false;
    for layer in &mut explanation.layers {
        if !granted {
            hidden |= leave_out(layer, applicable);
        }
        blank(layer, applicable);
    }
    if !granted && !explanation.decision.is_allowed() && (hidden || refused_by_other) {
        explanation.decision = own_decision(&explanation.layers, kind, hidden);
    }
    let verdict = if granted { Verdict::Allow } else { Verdict::ImplicitDeny };
    explanation.layers.insert(0, Layer { kind, level: None, verdict, policies: Vec::new() });
}

/// Takes the other account's tags out of a message, so that it does not tell either whether there is
/// such a resource.
pub(crate) fn hide_tags(message: &mut AuthorizationMessage) {
    message.context.conditions.items.retain(|condition| !is_foreign_key(&condition.key));
}

const fn is_foreign(kind: PolicyKind) -> bool {
    matches!(kind, PolicyKind::Trust | PolicyKind::Resource | PolicyKind::ResourceControl)
}

fn is_foreign_key(key: &str) -> bool {
    let head = |head: &&str| key.get(..head.len()).is_some_and(|k| k.eq_ignore_ascii_case(head));
    KEYS.iter().any(head)
}

/// Whether a text speaks of such a key, as a variable.
fn names_foreign_key(text: &str) -> bool {
    let text = text.to_lowercase();
    KEYS.iter().any(|known| text.contains(known))
}

/// Whether the other account allows.
fn grants(explanation: &Explanation) -> bool {
    let said = |kind| explanation.verdict_of(kind);
    let policy = said(PolicyKind::Trust).or(said(PolicyKind::Resource));
    policy == Some(Verdict::Allow)
        && said(PolicyKind::ResourceControl) != Some(Verdict::ExplicitDeny)
}

fn refused_by_other(decision: &Decision) -> bool {
    match &decision.reason {
        Reason::ExplicitDeny { kind, .. } => is_foreign(*kind),
        Reason::EvaluationError { source } => {
            matches!(source.kind, SourceKind::Trust | SourceKind::Resource | SourceKind::Rcp)
        }
        _ => false,
    }
}

/// What is decided by what is left: a Deny of the own account, or that one side does not allow.
fn own_decision(layers: &[Layer], other: PolicyKind, hidden: bool) -> Decision {
    for layer in layers {
        for policy in &layer.policies {
            if let Some(statement) = policy.statements.iter().find(|statement| denies(statement)) {
                let reason = match &statement.outcome {
                    Outcome::Unclear { .. } => {
                        Reason::EvaluationError { source: policy.source.clone() }
                    }
                    _ => Reason::ExplicitDeny {
                        kind: layer.kind,
                        source: policy.source.clone(),
                        statement: statement.index,
                    },
                };
                return Decision { verdict: Verdict::ExplicitDeny, reason };
            }
        }
    }
    let identity = layers.iter().find(|layer| layer.kind == PolicyKind::Identity);
    let lacks = identity.is_some_and(|layer| layer.verdict != Verdict::Allow);
    let kind = if lacks && !hidden { PolicyKind::Identity } else { other };
    Decision { verdict: Verdict::ImplicitDeny, reason: Reason::MissingAllow { kind } }
}

fn denies(statement: &StatementReport) -> bool {
    let counts = matches!(statement.outcome, Outcome::Matched { .. } | Outcome::Unclear { .. });
    statement.effect == Effect::Deny && counts
}

/// Leaves out the statements about keys of the other account, and answers whether there were any.
fn leave_out(layer: &mut Layer, applicable: &Applicable<'_>) -> bool {
    let mut hidden = false;
    let mut verdict = Verdict::ImplicitDeny;
    for policy in &mut layer.policies {
        let before = policy.statements.len();
        let source = &policy.source;
        policy.statements.retain(|report| {
            let other_action = matches!(report.outcome, Outcome::Missed(Miss::Action { .. }));
            other_action
                || find(applicable, source, report.index)
                    .is_some_and(|found| !speaks_of_other(found))
        });
        let gone = before - policy.statements.len();
        policy.omitted += gone;
        hidden |= gone > 0;
        for statement in &policy.statements {
            let allows = statement.effect == Effect::Allow
                && matches!(statement.outcome, Outcome::Matched { .. });
            if denies(statement) {
                verdict = Verdict::ExplicitDeny;
            } else if allows {
                verdict = verdict.max(Verdict::Allow);
            }
        }
    }
    if hidden {
        layer.verdict = verdict;
    }
    hidden
}

fn find<'a>(applicable: &Applicable<'a>, source: &Source, place: usize) -> Option<&'a Statement> {
    let policy = applicable.policies().find(|policy| policy.source == source)?;
    policy.document.statements().get(place)
}

fn speaks_of_other(statement: &Statement) -> bool {
    let conditioned = statement.conditions().any(|condition| {
        is_foreign_key(&condition.key) || condition.values.iter().any(|v| names_foreign_key(v))
    });
    conditioned || statement.resources().any(names_foreign_key)
}

/// Blanks the values of the other account in what stays.
fn blank(layer: &mut Layer, applicable: &Applicable<'_>) {
    for policy in &mut layer.policies {
        for report in &mut policy.statements {
            match &mut report.outcome {
                Outcome::Missed(Miss::Condition(condition)) | Outcome::Unclear { condition } => {
                    blank_condition(condition);
                }
                Outcome::Missed(Miss::Resource { wanted, .. }) => {
                    let statement = find(applicable, &policy.source, report.index);
                    let written = statement.into_iter().flat_map(Statement::resources);
                    for (shown, written) in wanted.iter_mut().zip(written) {
                        if names_foreign_key(written) {
                            written.clone_into(shown);
                        }
                    }
                }
                _ => {}
            }
        }
    }
}

fn blank_condition(condition: &mut ConditionReport) {
    if is_foreign_key(&condition.key) {
        condition.found = None;
    }
    if condition.wanted.iter().any(|value| names_foreign_key(value)) {
        condition.resolved = None;
    }
}
