//! Principals: their form, and services that are admitted without a word on whose behalf.

use bailiwick_identifiers::Partition;

use super::code::IssueCode as Code;
use super::document::{Effect, Principals, Statement, Text};
use super::glob;
use super::operation::Family;
use super::run::{Kind, Sink};
use super::values::is_service_principal;

/// Keys that say on whose behalf a service calls.
const SOURCE_KEYS: [&str; 4] =
    ["aws:SourceAccount", "aws:SourceArn", "aws:SourceOrgID", "aws:SourceOrgPaths"];

/// Keys of principals that have an account; a service that calls for itself sends none (KEY-1).
const PRINCIPAL_KEYS: [&str; 7] = [
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:PrincipalType",
    "aws:userid",
    "aws:username",
];

/// Services that run in the account itself, on a resource that names the role: their sessions cannot
/// be asked for by a stranger, and they send no source keys when they assume a role.
const OWN_RUNTIMES: [&str; 9] = [
    "ec2.amazonaws.com",
    "ecs-tasks.amazonaws.com",
    "ecs.amazonaws.com",
    "eks.amazonaws.com",
    "eks-fargate-pods.amazonaws.com",
    "lambda.amazonaws.com",
    "pods.eks.amazonaws.com",
    "rolesanywhere.amazonaws.com",
    "ssm.amazonaws.com",
];

pub(super) fn check(sink: &mut Sink<'_, '_>, statement: &Statement<'_>) {
    let Some(list) = &statement.principals else { return };
    match sink.kind() {
        Kind::Identity => {
            let details = "An identity policy names no principal. Remove the element.";
            return sink.report(Code::UnsupportedPrincipal, list.name, details);
        }
        Kind::ServiceControl => {
            let details = "A service control policy names no principal. Remove the element.";
            return sink.report(Code::ScpSyntaxErrorPrincipal, list.name, details);
        }
        Kind::ResourceControl => return,
        Kind::Resource | Kind::Trust => {}
    }
    if list.negated && statement.effect == Some(Effect::Allow) && sink.kind() == Kind::Resource {
        let details = "Allow with NotPrincipal admits everyone else, anonymous callers too. Name the principals with Principal.";
        sink.report(Code::AllowWithNotPrincipal, list.name, details);
    }
    for (kind, entry) in &list.entries {
        match *kind {
            "AWS" => identity(sink, *entry),
            "Service" if !is_service_principal(entry.text) && entry.text != "*" => {
                let details = format!(
                    "The service principal `{}` has not the form of one, such as `ec2.amazonaws.com`.",
                    entry.text
                );
                sink.report(Code::InvalidServicePrincipalFormat, entry.at, details);
            }
            "Federated" if sink.kind() == Kind::Resource => {
                let details = "Only the trust policy of a role names federated principals.";
                sink.report(Code::FederatedPrincipalNotSupported, entry.at, details);
            }
            _ => {}
        }
    }
    if statement.effect == Some(Effect::Allow) && !list.negated {
        services(sink, statement, list);
    }
}

/// An account, user, role or session.
fn identity(sink: &mut Sink<'_, '_>, entry: Text<'_>) {
    let (text, at) = (entry.text, entry.at);
    let digits = |text: &str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    if text == "*" || digits(text) || text.contains("${") {
        return;
    }
    if glob::is_wild(text) {
        let details = "A principal may be `*`, but no pattern. Name it whole, or test aws:PrincipalArn in Condition.";
        return sink.report(Code::UnsupportedWildcardInPrincipal, at, details);
    }
    let id = |prefix: &str| {
        text.starts_with(prefix)
            && text.len() >= 16
            && text.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    if id("AROA") {
        let details =
            format!("`{text}` is the unique id of a role, so the role was deleted. Use an ARN.");
        return sink.report(Code::InvalidRoleReference, at, details);
    }
    if id("AIDA") {
        let details =
            format!("`{text}` is the unique id of a user, so the user was deleted. Use an ARN.");
        return sink.report(Code::InvalidUserReference, at, details);
    }
    let fields: Vec<&str> = text.splitn(6, ':').collect();
    match fields.as_slice() {
        ["arn", partition, _, _, account, _] => {
            if partition.parse::<Partition>().is_err() {
                let details = format!("The partition `{partition}` does not exist.");
                sink.report(Code::InvalidPartition, at, details);
            }
            if !digits(account) && !text.contains(":cloudfront:") && !account.is_empty() {
                let details =
                    format!("The account `{account}` of the principal is no id of twelve digits.");
                sink.report(Code::InvalidArnAccount, at, details);
            }
        }
        ["arn", ..] => {
            let details =
                format!("The ARN of the principal has {} fields, and needs six.", fields.len());
            sink.report(Code::MissingArnField, at, details);
        }
        _ => {
            let details = format!("The principal `{text}` is no ARN, no account id and not `*`.");
            sink.report(Code::InvalidArnPrefix, at, details);
        }
    }
}

/// The confused deputy: a service acts for whoever asks it to.
fn services(sink: &mut Sink<'_, '_>, statement: &Statement<'_>, list: &Principals<'_>) {
    let trust = sink.kind() == Kind::Trust;
    let others = list.everyone || list.entries.iter().any(|(kind, _)| *kind != "Service");
    let mut named: Vec<Text<'_>> = statement.principals_of("Service").collect();
    if !others && !named.is_empty() {
        for condition in &statement.conditions {
            let positive = condition.operation.is_some_and(|operation| {
                !operation.is_negated()
                    && !operation.if_exists
                    && operation.family() != Family::Null
            });
            let tag = condition.key.text.to_ascii_lowercase().starts_with("aws:principaltag/");
            if positive && (tag || condition.tests_any(&PRINCIPAL_KEYS)) {
                let details = format!(
                    "The service principal never sends the condition key `{}`, so the statement grants nothing. Use a source key such as aws:SourceOrgID.",
                    condition.key.text
                );
                sink.report(
                    Code::UnsupportedConditionKeyForServicePrincipal,
                    condition.key.at,
                    details,
                );
            }
        }
    }
    named.retain(|service| !(trust && OWN_RUNTIMES.contains(&service.text)));
    if named.is_empty() || statement.tests_any(&SOURCE_KEYS) {
        return;
    }
    let at: Vec<_> = named.iter().map(|service| service.at).collect();
    if statement.conditions.is_empty() {
        let details = "The service acts for anyone who asks it to. Limit it with aws:SourceArn, aws:SourceAccount, aws:SourceOrgID or aws:SourceOrgPaths.";
        sink.report_all(Code::RestrictAccessToServicePrincipal, &at, details);
    } else {
        let details = "The condition on the service principal does not say on whose behalf it calls. aws:SourceArn, aws:SourceAccount, aws:SourceOrgID or aws:SourceOrgPaths are recommended.";
        sink.report_all(Code::RecommendedConditionKeyForServicePrincipal, &at, details);
    }
}
