//! An explanation in words: which statement decided, and what the near misses lack.

use bailiwick_policy::{
    ConditionReport, Effect, Layer, Miss, Outcome, PolicyKind, Reason, StatementReport, Verdict,
};

use super::question::Asked;

/// The most statements that are told of one answer.
const MOST: usize = 8;

/// Why the answer is as it is, in one line.
pub(crate) fn reason(asked: &Asked) -> String {
    if asked.answer.kind() == "credentials" {
        return "such credentials cannot be used for this action".into();
    }
    match &asked.explanation.decision.reason {
        Reason::Allowed { by } => match granting(asked, *by) {
            Some((id, report)) => format!("{}, {}", of_kind(asked, *by, id, report), name(report)),
            None => format!("by {by}"),
        },
        Reason::NoPermissionNeeded => "no permission is needed".into(),
        Reason::ExplicitDeny { kind, source, statement } => {
            let found = statements(asked, |layer| layer.kind == *kind)
                .find(|(id, report)| **id == *source.id && report.index == *statement);
            match found {
                Some((id, report)) => {
                    format!("denied by {}, {}", of_kind(asked, *kind, id, report), name(report))
                }
                None => format!("denied by statement {statement} of {}", label(asked, &source.id)),
            }
        }
        Reason::MissingAllow { kind } => match lacking_level(asked, *kind) {
            Some(level) => format!("no {kind} of level {level} allows it (the root is level 0)"),
            None => format!("no {kind} allows it"),
        },
        // IN-6: what is not understood never grants, and may have been meant to deny.
        Reason::EvaluationError { source } => {
            let found = statements(asked, |_| true).find(|(id, report)| {
                **id == *source.id && matches!(report.outcome, Outcome::Unclear { .. })
            });
            let Some((id, report)) = found else {
                let label = label(asked, &source.id);
                return format!("{label} cannot be read, so the request is denied");
            };
            let (place, name) = (place(asked, id, report), name(report));
            format!("denied by {place}, {name}, whose condition cannot be understood")
        }
    }
}

/// What a reader needs to mend a denial: what denies, or what nearly allows, and the keys that
/// have no value. Nothing for an allowed request.
pub(crate) fn details(asked: &Asked) -> Vec<String> {
    let mut lines = Vec::new();
    let explanation = &asked.explanation;
    match &explanation.decision.reason {
        Reason::Allowed { .. } | Reason::NoPermissionNeeded => return lines,
        Reason::ExplicitDeny { .. } | Reason::EvaluationError { .. } => {
            let denying = statements(asked, |_| true).filter(|(_, report)| {
                report.effect == Effect::Deny
                    && matches!(report.outcome, Outcome::Matched { .. } | Outcome::Unclear { .. })
            });
            tell(asked, denying, &mut lines);
        }
        Reason::MissingAllow { kind } => {
            let level = lacking_level(asked, *kind);
            let here =
                |layer: &Layer| layer.kind == *kind && (level.is_none() || layer.level == level);
            // In one account a resource policy can grant as well as an identity policy (EV-4).
            let either = |layer: &Layer| {
                let other = matches!(layer.kind, PolicyKind::Resource | PolicyKind::Trust);
                here(layer) || (*kind == PolicyKind::Identity && other)
            };
            let near = statements(asked, either).filter(|(_, report)| {
                report.effect == Effect::Allow
                    && matches!(
                        report.outcome,
                        Outcome::Missed(
                            Miss::Resource { .. } | Miss::Principal { .. } | Miss::Condition(_)
                        )
                    )
            });
            tell(asked, near, &mut lines);
            if lines.is_empty() {
                let count =
                    statements(asked, here).filter(|(_, r)| r.effect == Effect::Allow).count();
                lines.push(match count {
                    0 => format!("there is no Allow in any {kind} that applies"),
                    1 => format!("the one Allow is not for {}", asked.action),
                    _ => format!("none of {count} Allows is for {}", asked.action),
                });
            }
        }
    }
    if !explanation.missing_keys.is_empty() {
        let keys = explanation.missing_keys.join(", ");
        lines.push(format!("context keys without a value: {keys}"));
    }
    lines
}

fn tell<'a>(
    asked: &Asked,
    told: impl Iterator<Item = (&'a str, &'a StatementReport)>,
    lines: &mut Vec<String>,
) {
    let told: Vec<_> = told.collect();
    for (id, report) in told.iter().take(MOST) {
        let place = place(asked, id, report);
        lines.push(format!("{place}: {}, {}: {}", name(report), effect(report), said(report)));
    }
    if told.len() > MOST {
        lines.push(format!("and {} more statements", told.len() - MOST));
    }
}

/// The statements of the layers that are meant, with the name of their policy in the case.
fn statements<'a>(
    asked: &'a Asked,
    meant: impl Fn(&Layer) -> bool + 'a,
) -> impl Iterator<Item = (&'a str, &'a StatementReport)> {
    let layers = asked.explanation.layers.iter().filter(move |layer| meant(layer));
    let policies = layers.flat_map(|layer| &layer.policies);
    policies.flat_map(|policy| policy.statements.iter().map(|report| (&*policy.source.id, report)))
}

/// The first statement that grants, and its policy.
fn granting(asked: &Asked, by: PolicyKind) -> Option<(&str, &StatementReport)> {
    statements(asked, move |layer| layer.kind == by).find(|(_, report)| {
        report.effect == Effect::Allow && matches!(report.outcome, Outcome::Matched { .. })
    })
}

/// The place of a statement, with the kind of its policy where a file name does not tell it.
fn of_kind(asked: &Asked, kind: PolicyKind, id: &str, report: &StatementReport) -> String {
    let place = place(asked, id, report);
    let is_file = asked.policy(id).is_none_or(|policy| policy.first_line.is_some());
    if is_file { format!("{kind} {place}") } else { place }
}

/// The first level of an organization at which nothing allows, the root being 0. A level without
/// policies has no layer in the explanation (SCP-2).
fn lacking_level(asked: &Asked, kind: PolicyKind) -> Option<usize> {
    let levels = match kind {
        PolicyKind::ServiceControl => asked.policies.scps.len(),
        PolicyKind::ResourceControl => asked.policies.rcps.len(),
        _ => 0,
    };
    let allows = |level: usize| {
        asked.explanation.layers.iter().any(|layer| {
            layer.kind == kind && layer.level == Some(level) && layer.verdict == Verdict::Allow
        })
    };
    (0..levels).find(|level| !allows(*level))
}

fn place(asked: &Asked, id: &str, report: &StatementReport) -> String {
    match asked.policy(id) {
        Some(policy) => policy.place(report.at),
        None => format!("{id}, line {}", report.at.line),
    }
}

fn label(asked: &Asked, id: &str) -> String {
    asked.policy(id).map_or_else(|| id.to_owned(), |policy| policy.label.to_string())
}

/// `statement 2 (ReadOnly)`
fn name(report: &StatementReport) -> String {
    match &report.sid {
        Some(sid) => format!("statement {} ({sid})", report.index),
        None => format!("statement {}", report.index),
    }
}

const fn effect(report: &StatementReport) -> &'static str {
    match report.effect {
        Effect::Allow => "Allow",
        Effect::Deny => "Deny",
    }
}

/// What a statement answered.
fn said(report: &StatementReport) -> String {
    match &report.outcome {
        Outcome::Matched { .. } => "it matches".into(),
        Outcome::Missed(Miss::Action { wanted, negated, .. }) => {
            element("Action", *negated, wanted)
        }
        Outcome::Missed(Miss::Resource { wanted, negated, .. }) => {
            element("Resource", *negated, wanted)
        }
        Outcome::Missed(Miss::Principal { wanted, negated, .. }) => {
            element("Principal", *negated, wanted)
        }
        // OP-X1
        Outcome::Missed(Miss::Condition(found)) if found.unknown_operator => {
            format!("the operator `{}` is not known, so this Allow grants nothing", found.operator)
        }
        Outcome::Missed(Miss::Condition(found)) => condition(found),
        Outcome::Unclear { condition: found } => {
            format!("the operator `{}` is not known, so this Deny holds", found.operator)
        }
    }
}

fn element(name: &str, negated: bool, wanted: &[String]) -> String {
    let not = if negated { "Not" } else { "" };
    format!("its {not}{name} {} does not match", list(wanted))
}

fn condition(report: &ConditionReport) -> String {
    let found = match &report.found {
        Some(values) => list(values),
        None => "no value".into(),
    };
    let resolved: Option<Vec<String>> = report.resolved.as_ref().map(|values| {
        let resolved = values.iter().zip(&report.wanted);
        resolved.map(|(value, text)| value.clone().unwrap_or_else(|| text.clone())).collect()
    });
    let wanted = list(resolved.as_ref().unwrap_or(&report.wanted));
    format!("{} {} wants {wanted}, the request has {found}", report.operator, report.key)
}

/// The first few values.
fn list(values: &[String]) -> String {
    const SHOWN: usize = 4;
    let mut text = values.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(" or ");
    if values.len() > SHOWN {
        text.extend([" or ", &(values.len() - SHOWN).to_string(), " more"]);
    }
    if values.is_empty() {
        text.push_str("nothing");
    }
    text
}

#[cfg(test)]
mod tests {
    use bailiwick_policy::Documents;

    use super::*;
    use crate::simulate::question::{Named, Policies, Setting};

    fn allow(action: &str) -> Named {
        let text = format!(
            r#"{{"Version": "2012-10-17", "Statement":
               {{"Effect": "Allow", "Action": "{action}", "Resource": "*"}}}}"#
        );
        Named::file(&format!("{action}.json"), &text)
    }

    fn asked(policies: Policies) -> Asked {
        let principal = Some("arn:aws:iam::123456789012:user/alice".to_owned());
        let setting = Setting { principal, policies, ..Setting::default() };
        setting.ask("s3:GetObject", "*", &mut Documents::default()).unwrap()
    }

    fn told(policies: Policies) -> String {
        let asked = asked(policies);
        let mut lines = vec![reason(&asked)];
        lines.extend(details(&asked));
        lines.join("\n")
    }

    #[test]
    fn levels_are_told_from_the_root() {
        let identity = vec![allow("*")];
        for (scps, expected) in [
            (
                vec![vec![allow("*")], vec![allow("ec2:*")]],
                "of level 1 allows it (the root is level 0)\nthe one Allow is not",
            ),
            (
                vec![vec![], vec![allow("*")]],
                "of level 0 allows it (the root is level 0)\nthere is no Allow",
            ),
            (
                vec![vec![allow("*")], vec![]],
                "of level 1 allows it (the root is level 0)\nthere is no Allow",
            ),
        ] {
            let found = told(Policies { identity: identity.clone(), scps, ..Policies::default() });
            assert!(found.contains(expected), "{found}");
        }
    }

    #[test]
    fn grants_denials_and_what_cannot_be_read_have_places() {
        let deny = r#"{"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Sid": "Never", "Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}"#;
        let identity = |policy: Named| Policies { identity: vec![policy], ..Policies::default() };
        for (policies, expected) in [
            (identity(allow("s3:*")), "identity-based policy s3:*.json:2, statement 0"),
            (
                identity(Named::file("deny.json", deny)),
                "denied by identity-based policy deny.json:3, statement 1 (Never)\ndeny.json:3: \
                 statement 1 (Never), Deny: it matches",
            ),
            (
                identity(Named::file("bad.json", "{")),
                "bad.json cannot be read, so the request is denied",
            ),
            (Policies::default(), "no identity-based policy allows it\nthere is no Allow"),
        ] {
            let found = told(policies);
            assert!(found.contains(expected), "{found}");
        }
    }

    // In one account the near miss may be in the policy of the resource.
    #[test]
    fn near_misses_of_resource_policies_are_told() {
        let bucket = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal":
            {"AWS": "arn:aws:iam::123456789012:user/bob"}, "Action": "s3:*", "Resource": "*"}}"#;
        let resource = Some(Named::file("bucket.json", bucket));
        let found = told(Policies { resource, ..Policies::default() });
        assert!(found.contains("bucket.json:1: statement 0, Allow: its Principal arn:aws:iam::123456789012:user/bob does not match"), "{found}");
    }
}
