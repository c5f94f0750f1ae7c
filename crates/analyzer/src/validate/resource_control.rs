//! Resource control policies (rules RCP-1 to RCP-6).

use super::code::IssueCode as Code;
use super::document::{Condition, Effect, Statement};
use super::operation::{Family, Operation};
use super::run::Sink;

/// Keys of principals: services that call for themselves send none.
const PRINCIPAL_KEYS: [&str; 4] =
    ["aws:PrincipalAccount", "aws:PrincipalArn", "aws:PrincipalOrgID", "aws:PrincipalOrgPaths"];

/// Keys that only services send.
const SOURCE_KEYS: [&str; 4] =
    ["aws:SourceAccount", "aws:SourceArn", "aws:SourceOrgID", "aws:SourceOrgPaths"];

pub(super) fn check(sink: &mut Sink<'_, '_>, statement: &Statement<'_>) {
    if let Some(list) = &statement.principals
        && (list.negated || !list.everyone)
    {
        let details = "The principal of a resource control policy is `*`. Tell principals apart in Condition.";
        sink.report(Code::RcpSyntaxErrorPrincipal, list.at, details);
    }
    if let Some(list) = statement.actions.as_ref().filter(|list| list.negated) {
        let details = "A resource control policy has no NotAction. Name the actions with Action.";
        sink.report(Code::RcpSyntaxErrorNotaction, list.at, details);
    }
    if statement.effect == Some(Effect::Allow) {
        let details = "A resource control policy of yours only denies; what is allowed stands in the built-in one. Use the effect `Deny`.";
        sink.report(Code::RcpSyntaxErrorAllow, statement.effect_at, details);
    }
    for action in statement.actions() {
        let prefix = action.text.split_once(':').map(|(prefix, _)| prefix);
        let Some(service) = prefix.and_then(|prefix| sink.facts().service(prefix)) else {
            continue;
        };
        if !service.supports_resource_control_policies() {
            let details = format!(
                "Resource control policies do not apply to the service `{}`.",
                service.prefix()
            );
            sink.report(Code::RcpSyntaxErrorAction, action.at, details);
        }
    }
    if statement.effect == Some(Effect::Deny) {
        guards(sink, statement);
    }
}

/// RCP-5: a Deny on principals must spare services, a Deny on sources must mean services only.
fn guards(sink: &mut Sink<'_, '_>, statement: &Statement<'_>) {
    let service = |wanted: &str| {
        statement.conditions.iter().any(|condition| {
            condition.tests("aws:PrincipalIsAWSService")
                && condition.operation.is_some_and(|o| o.family() == Family::Bool)
                && condition.values.iter().any(|value| value.text.eq_ignore_ascii_case(wanted))
        })
    };
    let negated =
        |condition: &Condition<'_>| condition.operation.is_some_and(Operation::is_negated);
    let guarded = statement.conditions.iter().any(|condition| {
        condition.tests_any(&["aws:SourceAccount", "aws:SourceArn"])
            && condition.operation.is_some_and(|o| o.family() == Family::Null)
    });
    let (spares, means) = (service("false"), service("true"));
    for condition in statement.conditions.iter().filter(|condition| negated(condition)) {
        let key = condition.key.text;
        if condition.tests_any(&PRINCIPAL_KEYS) && !spares {
            let details = format!(
                "Services send no `{key}`, so the statement denies their calls too. Add BoolIfExists with aws:PrincipalIsAWSService `false`."
            );
            sink.report(Code::RcpMissingRelatedPrincipalConditionKey, condition.key.at, details);
        }
        if condition.tests_any(&SOURCE_KEYS) {
            if !means {
                let details = format!(
                    "Only services send `{key}`, so the statement denies all others. Add BoolIfExists with aws:PrincipalIsAWSService `true`."
                );
                sink.report(
                    Code::RcpMissingRelatedServicePrincipalConditionKey,
                    condition.key.at,
                    details,
                );
            }
            if !guarded {
                let details = format!(
                    "Not every service sends `{key}`. Add a Null test with `false` on aws:SourceAccount or aws:SourceArn."
                );
                sink.report(
                    Code::RcpMissingServiceConditionKeyNullCheck,
                    condition.key.at,
                    details,
                );
            }
        }
    }
}
