//! Condition keys: do they exist, and does the operator suit their type.

use bailiwick_catalog::{ConditionKey, KeyType};
use bailiwick_policy::SetPrefix;

use super::attested;
use super::code::IssueCode as Code;
use super::document::{Condition, Statement};
use super::facts::listed;
use super::operation::Family;
use super::run::{Kind, Sink};

/// Keys whose last part names a tag.
const TAG_KEYS: [&str; 3] = ["requesttag", "resourcetag", "principaltag"];

/// Claims of identity providers that name the audience: always one value.
const AUDIENCES: [&str; 7] = [
    "accounts.google.com:aud",
    "cognito-identity.amazonaws.com:aud",
    "graph.facebook.com:app_id",
    "saml:aud",
    "token.actions.githubusercontent.com:aud",
    "www.amazon.com:app_id",
    "accounts.google.com:oaud",
];

pub(super) fn check(sink: &mut Sink<'_, '_>, statement: &Statement<'_>) {
    for condition in &statement.conditions {
        if condition.key.text.contains("${") {
            continue;
        }
        audience(sink, condition);
        if let Some(known) = name(sink, condition) {
            kind(sink, condition, known);
            qualifier(sink, condition, known);
        }
    }
}

/// The key that a condition tests; what is wrong with its name is reported.
fn name<'a>(sink: &mut Sink<'_, 'a>, condition: &Condition<'_>) -> Option<&'a ConditionKey> {
    let (text, at) = (condition.key.text, condition.key.at);
    // The claims of a provider at an address with a path: `oidc.eks.eu-west-1.amazonaws.com/id/X:sub`.
    let split = text.rsplit_once(':').filter(|(prefix, _)| prefix.contains('.'));
    let Some((prefix, name)) = split.or_else(|| text.split_once(':')) else {
        return format_error(sink, condition);
    };
    if prefix.is_empty() || name.is_empty() {
        return format_error(sink, condition);
    }
    if prefix.contains('.') {
        return None;
    }
    let base = name.split('/').next().unwrap_or_default().to_ascii_lowercase();
    let tag = name.split_once('/').map(|(_, tag)| tag);
    if TAG_KEYS.contains(&base.as_str()) && tag.is_none_or(str::is_empty) {
        let details =
            format!("Add the tag's name to the condition key: `{prefix}:{base}/tag-key`.");
        sink.report(Code::MissingTagKeyInCondition, at, details);
        return None;
    }
    let global = prefix.eq_ignore_ascii_case("aws");
    if global && name.eq_ignore_ascii_case("arn") {
        let details =
            "The condition key aws:ARN is not supported. Use aws:PrincipalArn or aws:SourceArn.";
        sink.report(Code::UnsupportedGlobalConditionKey, at, details);
        let details = "The condition key aws:ARN is deprecated. Use the newer aws:PrincipalArn.";
        sink.report(Code::DeprecatedGlobalConditionKey, at, details);
        return None;
    }
    if condition.tests("aws:PrincipalOrgMasterAccountId") {
        let details = "The condition key is deprecated. Use aws:PrincipalOrgID.";
        sink.report(Code::DeprecatedGlobalConditionKey, at, details);
    }
    let facts = sink.facts();
    if let Some(known) = facts.catalog.condition_key(text) {
        return Some(known);
    }
    if listed(attested::KEYS, text) {
        return None;
    }
    if global {
        let details = format!("The global condition key `{text}` does not exist.");
        sink.report(Code::InvalidGlobalConditionKey, at, details);
    } else if facts.knows_service(prefix) || ["saml", "sts"].contains(&prefix) {
        let details = format!("The service `{prefix}` has no condition key `{text}`.");
        sink.report(Code::InvalidServiceConditionKey, at, details);
    } else {
        let details = format!("The service `{prefix}` of the condition key does not exist.");
        sink.report(Code::InvalidService, at, details);
    }
    None
}

fn format_error<'a>(
    sink: &mut Sink<'_, '_>,
    condition: &Condition<'_>,
) -> Option<&'a ConditionKey> {
    let details =
        format!("The condition key `{}` has not the form `prefix:name`.", condition.key.text);
    sink.report(Code::InvalidConditionKeyFormat, condition.key.at, details);
    None
}

/// Whether the operator's family suits the type of the key.
fn kind(sink: &mut Sink<'_, '_>, condition: &Condition<'_>, known: &ConditionKey) {
    let Some(operation) = condition.operation else { return };
    let fits = match operation.family() {
        Family::Null => true,
        // Text operators compare ARNs too.
        Family::String => matches!(known.kind, KeyType::String | KeyType::Arn),
        Family::Numeric => known.kind == KeyType::Numeric || condition.tests("aws:EpochTime"),
        Family::Date => known.kind == KeyType::Date,
        Family::Bool => known.kind == KeyType::Bool,
        Family::Binary => known.kind == KeyType::Binary,
        Family::Ip => known.kind == KeyType::IpAddress,
        Family::Arn => known.kind == KeyType::Arn,
    };
    if !fits {
        let details = format!(
            "The operator {} does not suit the condition key `{}`, which has values of the type {}.",
            operation.operator, condition.key.text, known.kind
        );
        sink.report(Code::TypeMismatch, condition.spelled.at, details);
    }
}

/// Rules CO-9 and KEY-8: lists need a set operator, single values none.
fn qualifier(sink: &mut Sink<'_, '_>, condition: &Condition<'_>, known: &ConditionKey) {
    let Some(operation) = condition.operation.filter(|o| o.family() != Family::Null) else {
        return;
    };
    let key = condition.key.text;
    match operation.prefix {
        None if known.multivalued && !listed(attested::UNQUALIFIED, key) => {
            let details = format!(
                "The condition key `{key}` has several values in a request. Put ForAllValues or ForAnyValue before the operator."
            );
            sink.report(Code::MissingQualifier, condition.spelled.at, details);
        }
        Some(SetPrefix::ForAllValues) if !known.multivalued && !is_audience(condition) => {
            let details = format!(
                "ForAllValues with the single-valued condition key `{key}` also matches when the key is absent. Remove the qualifier."
            );
            sink.report(Code::ForallvaluesWithSingleValuedKey, condition.spelled.at, details);
        }
        _ => {}
    }
}

fn is_audience(condition: &Condition<'_>) -> bool {
    condition.tests_any(&AUDIENCES)
}

/// Set operators on the audience claim of a trust policy.
fn audience(sink: &mut Sink<'_, '_>, condition: &Condition<'_>) {
    let Some(prefix) = condition.operation.and_then(|operation| operation.prefix) else { return };
    let claim = condition.key.text.rsplit(':').next().unwrap_or_default();
    if sink.kind() != Kind::Trust || !["aud", "oaud", "app_id"].contains(&claim) {
        return;
    }
    let key = condition.key.text;
    match prefix {
        SetPrefix::ForAllValues if is_audience(condition) => {
            let details = format!(
                "ForAllValues with the single-valued claim `{key}` also matches when the claim is absent. Remove the qualifier."
            );
            sink.report(Code::ForallvaluesWithSingleValuedKey, condition.spelled.at, details);
        }
        SetPrefix::ForAnyValue if is_audience(condition) => {
            let details = format!(
                "The audience claim `{key}` has one value. Remove the qualifier ForAnyValue."
            );
            sink.report(Code::ForanyvalueWithAudienceClaimType, condition.spelled.at, details);
        }
        _ => {
            let details = format!(
                "Confirm that the audience claim `{key}` of your provider has several values; if it has one, remove the qualifier."
            );
            sink.report(Code::ConfirmAudienceClaimType, condition.spelled.at, details);
        }
    }
}
