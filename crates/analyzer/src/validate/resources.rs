//! Resources: ARNs of a form that some resource type has.

use bailiwick_identifiers::Partition;

use super::ResourceType;
use super::code::IssueCode as Code;
use super::document::{Statement, Text};
use super::facts::{ArnForm, Field, is_region};
use super::glob;
use super::run::{Kind, Sink};

pub(super) fn check(sink: &mut Sink<'_, '_>, statement: &Statement<'_>) {
    let Some(list) = &statement.resources else { return };
    for resource in &list.items {
        if sink.full() {
            return;
        }
        if resource.text != "*" {
            arn(sink, *resource);
        }
    }
}

fn arn(sink: &mut Sink<'_, '_>, resource: Text<'_>) {
    let at = resource.at;
    // What a variable stands for is not known; it may be anything.
    let open = glob::open_variables(resource.text);
    let fields: Vec<&str> = open.splitn(6, ':').collect();
    if !matches!(fields.as_slice(), ["arn", _, ..]) {
        let details = format!(
            "The resource `{}` is no ARN. Begin it with `arn:`, or write `*` for all resources.",
            resource.text
        );
        return sink.report(Code::InvalidArnPrefix, at, details);
    }
    let [_, partition, service, region, account, name] = fields.as_slice() else {
        // RES-5: a star at the end stands for the fields that are not written.
        if !open.ends_with('*') {
            let details = format!(
                "The resource ARN has {} fields, and needs six: `arn:partition:service:region:account:resource`.",
                fields.len()
            );
            sink.report(Code::MissingArnField, at, details);
        }
        return;
    };
    if !glob::is_wild(partition) && partition.parse::<Partition>().is_err() {
        let details = format!(
            "The partition `{partition}` does not exist. Use one such as `aws`, `aws-cn` or `aws-us-gov`."
        );
        sink.report(Code::InvalidPartition, at, details);
    }
    if glob::is_wild(service) {
        let details =
            "A wildcard in the service of an ARN matches nothing of use. Name the service.";
        return sink.report(Code::WildcardInServiceName, at, details);
    }
    if service.bytes().any(|byte| byte.is_ascii_uppercase()) {
        let lower = service.to_ascii_lowercase();
        let details = format!("Write the service `{service}` of the ARN in lower case: `{lower}`.");
        return sink.report(Code::InvalidArnServiceCase, at, details);
    }
    if !sink.facts().knows_arn_service(service) {
        let details = format!("The service `{service}` of the ARN does not exist.");
        return sink.report(Code::InvalidService, at, details);
    }
    of_policy(sink, service, at);
    account_form(sink, account, at);
    if !region.is_empty() && !glob::is_wild(region) && !is_region(region) {
        let details = format!("The Region `{region}` of the ARN does not exist.");
        sink.report(Code::InvalidArnRegion, at, details);
    }
    if let Some(forms) = sink.facts().forms(service) {
        fits(sink, service, [region, account, name], forms, at);
    }
}

/// Twelve digits, or a pattern that some account could match, or AWS itself.
fn account_form(sink: &mut Sink<'_, '_>, account: &str, at: super::json::Bytes) {
    let digits = |c: char| c.is_ascii_digit() || c == '*' || c == '?';
    let long = account.len() == 12 || account.contains('*') && account.len() <= 13;
    let own = account == "aws" || account == "cloudfront" || account == "aws-managed";
    let fits = account.is_empty() || own || long && account.chars().all(digits);
    if !fits {
        let details =
            format!("The account `{account}` of the ARN is not an account id of twelve digits.");
        sink.report(Code::InvalidArnAccount, at, details);
    }
}

/// Compares an ARN with the forms of its service.
fn fits(
    sink: &mut Sink<'_, '_>,
    service: &str,
    [region, account, name]: [&str; 3],
    forms: &[ArnForm],
    at: super::json::Bytes,
) {
    let signs: usize = forms.iter().map(|form| form.resource.len()).sum();
    if !sink.spend(signs.saturating_mul(name.len())) {
        return;
    }
    let named: Vec<&ArnForm> =
        forms.iter().filter(|form| glob::overlap(name, &form.resource, false)).collect();
    if named.is_empty() {
        if !super::attested::has_resource(service, name) {
            let details = format!(
                "The resource part `{name}` fits none of the resource types of the service `{service}`."
            );
            sink.report(Code::InvalidArnResource, at, details);
        }
        return;
    }
    // A pattern for all resources meets types of every form, so that only one that all share counts.
    let all = |test: &dyn Fn(&ArnForm) -> bool| named.iter().all(|form| test(form));
    if region.is_empty() {
        if all(&|form| form.region == Field::Any) {
            let details =
                format!("The ARN of a resource of the service `{service}` needs a Region.");
            sink.report(Code::MissingArnRegion, at, details);
        }
    } else if region != "*" && all(&|form| form.region == Field::Empty) {
        let details = format!("The ARN of a resource of the service `{service}` has no Region.");
        sink.report(Code::ArnRegionNotAllowed, at, details);
    }
    if account.is_empty() {
        let own = super::attested::has_no_account(service, name);
        if !own && all(&|form| form.account != Field::Empty) {
            let details =
                format!("The ARN of a resource of the service `{service}` needs an account id.");
            sink.report(Code::MissingArnAccount, at, details);
        }
    } else if account != "*" && all(&|form| form.account == Field::Empty) {
        let details =
            format!("The ARN of a resource of the service `{service}` has no account id.");
        sink.report(Code::ArnAccountNotAllowed, at, details);
    }
}

/// The resource of a resource policy is of the type that the policy belongs to.
fn of_policy(sink: &mut Sink<'_, '_>, service: &str, at: super::json::Bytes) {
    if sink.kind() != Kind::Resource {
        return;
    }
    let Some(kind) = sink.resource_type() else { return };
    let own = match kind {
        ResourceType::Bucket | ResourceType::AccessPoint | ResourceType::MultiRegionAccessPoint => {
            "s3"
        }
        ResourceType::ObjectLambdaAccessPoint => "s3-object-lambda",
        ResourceType::Table => "dynamodb",
        ResourceType::AssumeRolePolicyDocument => return,
    };
    if service != own {
        let details = format!(
            "An ARN of the service `{service}` cannot stand in the policy of a resource of the type {}.",
            kind.as_str()
        );
        sink.report(Code::UnsupportedResourceArnInPolicy, at, details);
    }
}
