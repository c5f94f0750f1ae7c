//! Actions: do they exist, and may they stand in this kind of policy.

use std::fmt::Write;

use super::ResourceType;
use super::attested;
use super::code::IssueCode as Code;
use super::document::{Statement, Text};
use super::facts::{Facts, listed};
use super::glob;
use super::run::{Kind, Sink};

/// The actions that a trust policy may name (TR-11), in lower case.
const TRUST_ACTIONS: [&str; 6] = [
    "sts:assumerole",
    "sts:assumerolewithsaml",
    "sts:assumerolewithwebidentity",
    "sts:setcontext",
    "sts:setsourceidentity",
    "sts:tagsession",
];

pub(super) fn check(sink: &mut Sink<'_, '_>, statement: &Statement<'_>) {
    let Some(list) = &statement.actions else { return };
    for action in &list.items {
        if action.text == "*" || action.text == "*:*" || action.text.contains("${") {
            continue;
        }
        if sink.kind() == Kind::ServiceControl {
            service_control(sink, *action);
        }
        if exists(sink, *action) {
            resource_policy(sink, *action);
        }
    }
}

fn service_control(sink: &mut Sink<'_, '_>, action: Text<'_>) {
    let inner = action.text.get(..action.text.len().saturating_sub(1)).unwrap_or_default();
    if glob::is_wild(inner) {
        let details = format!(
            "The action `{}` has a wildcard before its end. In a service control policy a wildcard \
             stands alone or at the end.",
            action.text
        );
        sink.report(Code::ScpSyntaxErrorActionWildcard, action.at, details);
    }
}

/// Whether the action or pattern names something; if not, that is reported.
fn exists(sink: &mut Sink<'_, '_>, action: Text<'_>) -> bool {
    let facts = sink.facts();
    let Some((prefix, name)) = action.text.split_once(':') else {
        let details = format!(
            "The action `{}` has no service prefix. Write it as `service:Action`.",
            action.text
        );
        sink.report(Code::InvalidAction, action.at, details);
        return false;
    };
    if !facts.knows_service(prefix) {
        let mut details = format!("The service `{prefix}` of the action does not exist.");
        let near = if sink.hints() { near_service(sink, prefix) } else { None };
        if let Some(near) = near {
            let _ = write!(details, " Did you mean `{near}`?");
        }
        let length = prefix.chars().count();
        sink.report_part(Code::InvalidServiceInAction, action.at, (0, length), details);
        return false;
    }
    // Of a service that only AWS's own policies name no action is known.
    let Some(service) = facts.service(prefix) else { return true };
    let wild = glob::is_wild(name);
    // An action's name is short, so that a match takes some tens of steps.
    if wild && !sink.spend(service.actions().len().saturating_mul(40)) {
        return true;
    }
    if facts.actions_of(action.text).next().is_some() {
        return true;
    }
    let matched = |known: &&str| glob::matches(action.text, known);
    if listed(attested::ACTIONS, action.text) || wild && attested::ACTIONS.iter().any(matched) {
        return true;
    }
    let mut details = if glob::is_wild(name) {
        format!("The pattern `{}` matches no action of its service.", action.text)
    } else {
        format!("The action `{}` does not exist.", action.text)
    };
    let near = if sink.hints() { near_action(sink, prefix, name) } else { None };
    if let Some(near) = near {
        let _ = write!(details, " Did you mean `{prefix}:{near}`?");
    }
    sink.report(Code::InvalidAction, action.at, details);
    false
}

fn near_service<'c>(sink: &Sink<'_, 'c>, prefix: &str) -> Option<&'c str> {
    let facts = sink.facts();
    let near = facts.catalog.services().filter_map(|service| {
        glob::distance(prefix, service.prefix(), 3).map(|far| (far, service.prefix()))
    });
    near.min().map(|(_, name)| name)
}

fn near_action<'c>(sink: &Sink<'_, 'c>, prefix: &str, name: &str) -> Option<&'c str> {
    let service = sink.facts().service(prefix)?;
    let near = service
        .actions()
        .filter_map(|action| glob::distance(name, &action.name, 4).map(|far| (far, &*action.name)));
    near.min().map(|(_, name)| name)
}

/// What the policies of some resource types take.
fn resource_policy(sink: &mut Sink<'_, '_>, action: Text<'_>) {
    if !matches!(sink.kind(), Kind::Resource | Kind::Trust) {
        return;
    }
    let Some(kind) = sink.resource_type() else { return };
    if !sink.spend(if glob::is_wild(action.text) { 20_000 } else { 200 }) {
        return;
    }
    let lower = action.text.to_ascii_lowercase();
    let (prefix, _) = lower.split_once(':').unwrap_or_default();
    let fits = match kind {
        ResourceType::AssumeRolePolicyDocument => {
            prefix == "sts" && (glob::is_wild(&lower) || TRUST_ACTIONS.contains(&lower.as_str()))
        }
        ResourceType::Bucket => {
            prefix == "s3" && on_resource(sink.facts(), action.text, &["bucket", "object"])
        }
        ResourceType::AccessPoint | ResourceType::MultiRegionAccessPoint => prefix == "s3",
        ResourceType::ObjectLambdaAccessPoint => prefix == "s3-object-lambda",
        ResourceType::Table => {
            let kinds = ["table", "index", "stream", "table/index", "table/stream"];
            prefix == "dynamodb" && on_resource(sink.facts(), action.text, &kinds)
        }
    };
    if !fits {
        let details = format!(
            "The action `{}` cannot be used in the policy of a resource of the type {}.",
            action.text,
            kind.as_str()
        );
        sink.report(Code::UnsupportedActionInPolicy, action.at, details);
    }
}

/// Whether a named action works on one of these resource types.
fn on_resource(facts: &Facts<'_>, action: &str, kinds: &[&str]) -> bool {
    facts
        .actions_of(action)
        .any(|action| kinds.iter().any(|kind| action.resource_type(kind).is_some()))
}
