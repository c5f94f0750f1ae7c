//! Condition keys that the statement's actions or services never send.

use std::collections::BTreeSet;

use bailiwick_catalog::{Service, global_condition_keys};

use super::code::IssueCode as Code;
use super::document::{Condition, Effect, Statement, Text};
use super::facts::Facts;
use super::glob;
use super::operation::Family;
use super::run::{Kind, Sink};

/// How many services a finding names.
const NAMED: usize = 10;

/// Keys that the caller can set at will.
const UNTRUSTWORTHY: [&str; 2] = ["aws:Referer", "aws:UserAgent"];

/// Keys that only some services send.
const ENDPOINT_KEYS: [&str; 3] = ["aws:VpceAccount", "aws:VpceOrgID", "aws:VpceOrgPaths"];

/// The prefixes of the services that send them, as documented in 2026, sorted.
const ENDPOINT_SERVICES: [&str; 33] = [
    "application-autoscaling",
    "apprunner",
    "athena",
    "autoscaling-plans",
    "backup",
    "cloudhsm",
    "comprehendmedical",
    "discovery",
    "dms",
    "ebs",
    "firehose",
    "geo",
    "healthlake",
    "iotfleetwise",
    "iotwireless",
    "kms",
    "lambda",
    "omics",
    "payment-cryptography",
    "polly",
    "private-networks",
    "rbin",
    "rekognition",
    "s3",
    "scheduler",
    "servicediscovery",
    "storagegateway",
    "sts",
    "textract",
    "transcribe",
    "transfer",
    "translate",
    "workmail",
];

/// Keys that only a further action sets: key, action.
const SET_BY: [(&str, &str); 4] = [
    ("sts:SourceIdentity", "sts:SetSourceIdentity"),
    ("sts:TransitiveTagKeys", "sts:TagSession"),
    ("sts:RequestContext", "sts:SetContext"),
    ("sts:RequestContextProviders", "sts:SetContext"),
];

pub(super) fn check(sink: &mut Sink<'_, '_>, statement: &Statement<'_>) {
    let actions = statement.actions.as_ref().map_or(0, |list| list.items.len());
    let mut tagged = BTreeSet::new();
    for condition in &statement.conditions {
        if condition.tests_any(&UNTRUSTWORTHY) {
            let details = format!(
                "A caller can set `{}` at will, so it protects nothing. Use another key.",
                condition.key.text
            );
            sink.report(Code::UntrustworthyConditionKey, condition.key.at, details);
        }
        let partners = ["aws:SourceVpc", "aws:SourceVpce", "aws:SourceVpcArn"];
        if condition.tests("aws:VpcSourceIp") && !statement.tests_any(&partners) {
            let details = "Private addresses repeat from VPC to VPC. Test aws:SourceVpc or aws:SourceVpce beside aws:VpcSourceIp.";
            sink.report(Code::MissingPairedConditionKeys, condition.key.at, details);
        }
        irrelevant(sink, condition);
        // A pair of an action and a condition takes a look at the keys that the action sends.
        if sink.spend(actions.saturating_mul(100)) {
            setting(sink, statement, condition);
            unsent(sink, statement, condition);
            endpoint(sink, statement, condition);
            tags(sink, statement, condition, &mut tagged);
        }
    }
}

/// Keys on the resource, in the policy of that very resource.
fn irrelevant(sink: &mut Sink<'_, '_>, condition: &Condition<'_>) {
    let own =
        ["s3:ResourceAccount", "aws:ResourceAccount", "aws:ResourceOrgID", "aws:ResourceOrgPaths"];
    if sink.kind() == Kind::Resource && sink.resource_type().is_some() && condition.tests_any(&own)
    {
        let details = format!(
            "`{}` has always the same value in the policy of the resource itself. Remove it.",
            condition.key.text
        );
        sink.report(Code::IrrelevantConditionKeyInPolicy, condition.key.at, details);
    }
}

/// Keys that a further action sets, which the statement leaves out.
fn setting(sink: &mut Sink<'_, '_>, statement: &Statement<'_>, condition: &Condition<'_>) {
    if statement.effect != Some(Effect::Allow) || !is_demanding(condition) {
        return;
    }
    let key = condition.key.text;
    let tag =
        key.to_ascii_lowercase().starts_with("aws:requesttag/") || condition.tests("aws:TagKeys");
    let listed = SET_BY.iter().find(|(name, _)| condition.tests(name)).map(|(_, action)| *action);
    let tagging = (sink.kind() == Kind::Trust && tag).then_some("sts:TagSession");
    let Some(needed) = listed.or(tagging) else { return };
    let assumes = statement.actions().any(|action| {
        let lower = action.text.to_ascii_lowercase();
        lower.starts_with("sts:assumerole") && !glob::is_wild(&lower)
    });
    let has = statement.actions().any(|action| glob::matches(action.text, needed));
    if assumes && !has {
        let details = format!(
            "The condition key `{key}` is set by {needed} only. Add that action to the statement."
        );
        sink.report(Code::MissingActionForConditionKey, condition.key.at, details);
    }
}

/// Whether the test fails when the key is absent.
fn is_demanding(condition: &Condition<'_>) -> bool {
    condition.operation.is_some_and(|operation| {
        !operation.if_exists
            && !operation.is_negated()
            && operation.prefix != Some(bailiwick_policy::SetPrefix::ForAllValues)
            && (operation.family() != Family::Null
                || condition.values.iter().any(|value| value.text.eq_ignore_ascii_case("false")))
    })
}

/// A literal action whose service knows the key, but which never sends it.
fn unsent(sink: &mut Sink<'_, '_>, statement: &Statement<'_>, condition: &Condition<'_>) {
    let Some((prefix, name)) = condition.key.text.split_once(':') else { return };
    // Tags have checks of their own; keys of the session come with every call.
    let session = || global_condition_keys().any(|key| condition.tests(&key.name));
    if name.contains('/') || prefix.eq_ignore_ascii_case("aws") || session() {
        return;
    }
    let facts = sink.facts();
    let demanding = is_demanding(condition) && statement.effect == Some(Effect::Allow);
    let own = facts.service(prefix).filter(|service| service.prefix() != "sts");
    let (true, Some(service), Some(known)) = (demanding, own, facts.key_name(condition.key.text))
    else {
        return;
    };
    if !service.condition_keys().any(|name| name.eq_ignore_ascii_case(known)) {
        return;
    }
    for action in statement.actions().filter(|action| !glob::is_wild(action.text)) {
        let of_service =
            action.text.split_once(':').is_some_and(|(p, _)| p.eq_ignore_ascii_case(prefix));
        let found = facts.actions_of(action.text).next().filter(|_| of_service);
        if found.is_some_and(|found| !facts.sends(service, found, known))
            && !super::attested::has_pair(action.text, known)
        {
            let details = format!(
                "The action `{}` never sends the condition key `{}`, so the statement does not allow it.",
                action.text, condition.key.text
            );
            sink.report(Code::UnsupportedActionForConditionKey, action.at, details);
        }
    }
}

fn endpoint(sink: &mut Sink<'_, '_>, statement: &Statement<'_>, condition: &Condition<'_>) {
    if !condition.tests_any(&ENDPOINT_KEYS) {
        return;
    }
    let supported = |text: &str| {
        let prefix = text.split_once(':').map_or("", |(prefix, _)| prefix).to_ascii_lowercase();
        ENDPOINT_SERVICES.binary_search(&prefix.as_str()).is_ok()
    };
    let negated = statement.actions.as_ref().filter(|list| list.negated).map(|list| list.at);
    let others = statement.actions().find(|action| !supported(action.text)).map(|action| action.at);
    if negated.or(others).is_some() {
        let details = format!(
            "Only some services send `{}`. Use it with the actions of those.",
            condition.key.text
        );
        sink.report(Code::UseConditionKeyOnlyWithSupportedServices, condition.key.at, details);
    }
}

/// Tag keys that some of the statement's services never send.
fn tags<'a>(
    sink: &mut Sink<'_, 'a>,
    statement: &Statement<'_>,
    condition: &Condition<'_>,
    seen: &mut BTreeSet<&'a str>,
) {
    let lower = condition.key.text.to_ascii_lowercase();
    let tag = ["aws:resourcetag/", "aws:requesttag/"].iter().any(|key| lower.starts_with(key));
    let documented = sink.facts().key_name(condition.key.text);
    let (true, Some(documented)) = (tag, documented) else { return };
    if !is_demanding(condition) || sink.kind() == Kind::Trust {
        return;
    }
    // The answer is the same for each tag of a statement: once is enough.
    let Some(list) = statement.actions.as_ref().filter(|_| seen.insert(documented)) else { return };
    let services = if list.negated { sink.facts().catalog.services().count() } else { 10 };
    if !sink.spend(services.saturating_mul(list.items.len())) {
        return;
    }
    let lacking = lacking(sink.facts(), &list.items, list.negated, documented);
    if lacking.is_empty() {
        return;
    }
    let code = match (statement.effect, list.negated) {
        (Some(Effect::Allow), false) => Code::AllowWithUnsupportedTagConditionKeyForService,
        (Some(Effect::Allow), true) => Code::AllowNotactionWithUnsupportedTagConditionKeyForService,
        (Some(Effect::Deny), false) => Code::DenyWithUnsupportedTagConditionKeyForService,
        (Some(Effect::Deny), true) => Code::DenyNotactionWithUnsupportedTagConditionKeyForService,
        (None, _) => return,
    };
    let effect = if statement.effect == Some(Effect::Allow) { "allowed" } else { "denied" };
    let names: Vec<&str> = lacking.iter().take(NAMED).copied().collect();
    let more = lacking.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let details = format!(
        "The condition key `{}` is not sent by the services {}{more}, so their actions are not {effect}.",
        condition.key.text,
        names.join(", ")
    );
    sink.report(code, condition.key.at, details);
}

/// The prefixes of the services that the list reaches and that never send the key.
fn lacking<'c>(
    facts: &Facts<'c>,
    items: &[Text<'_>],
    negated: bool,
    documented: &str,
) -> Vec<&'c str> {
    let all = items.iter().any(|item| item.text == "*" || item.text == "*:*");
    let sends = |service: &Service| {
        service.condition_keys().any(|name| {
            name.eq_ignore_ascii_case(documented)
                || facts.key_name(name).is_some_and(|known| known.eq_ignore_ascii_case(documented))
        })
    };
    let reached: Vec<&'c Service> = if negated || all {
        let excluded = |service: &&Service| {
            let whole = format!("{}:*", service.prefix());
            items.iter().any(|item| item.text == whole || item.text == "*")
        };
        facts.catalog.services().filter(|service| !negated || !excluded(service)).collect()
    } else {
        let mut named: Vec<&'c Service> = items
            .iter()
            .filter_map(|item| item.text.split_once(':'))
            .filter_map(|(prefix, _)| facts.service(prefix))
            .collect();
        named.sort_by_key(|service| service.prefix());
        named.dedup_by_key(|service| service.prefix());
        named
    };
    reached.into_iter().filter(|service| !sends(service)).map(Service::prefix).collect()
}
