//! Who and what is exempt from which policies: AWS's exceptions, each by its rule.

use super::Ask;
use crate::{Principal, resource_owner};

/// The services whose resources RCPs govern, by the prefix of the action, sorted. Source:
/// Organizations user guide, orgs_manage_policies_rcps, as of 2026 (RCP-4).
const RCP_SERVICES: [&str; 62] = [
    "aoss",
    "appconfig",
    "appstream",
    "autoscaling",
    "autoscaling-plans",
    "budgets",
    "clouddirectory",
    "cloudfront",
    "cloudsearch",
    "cloudtrail-data",
    "codeartifact",
    "codebuild",
    "codecommit",
    "codepipeline",
    "cognito-identity",
    "cognito-idp",
    "comprehend",
    "comprehendmedical",
    "compute-optimizer",
    "cost-optimization-hub",
    "dax",
    "dsql",
    "dynamodb",
    "ecr",
    "ecr-public",
    "events",
    "firehose",
    "fis",
    "fms",
    "gamelift",
    "health",
    "inspector-scan",
    "kendra",
    "kinesisvideo",
    "kms",
    "logs",
    "memorydb",
    "networkmonitor",
    "notifications",
    "opensearch",
    "pca-connector-ad",
    "personalize",
    "polly",
    "pricing",
    "resource-groups",
    "rolesanywhere",
    "s3",
    "secretsmanager",
    "servicediscovery",
    "signin",
    "sqs",
    "sts",
    "support",
    "swf",
    "textract",
    "timestream-influxdb",
    "transcribe",
    "transfer",
    "translate",
    "wafv2",
    "workspaces",
    "xray",
];

/// What a bucket's or queue's owner may always do as root, to undo a policy that locks it out.
const OWNERS: [&str; 5] = [
    "s3:deletebucketpolicy",
    "s3:getbucketpolicy",
    "s3:putbucketpolicy",
    "sqs:getqueueattributes",
    "sqs:setqueueattributes",
];

/// Whether the caller is a service-linked role, which neither SCPs nor RCPs limit (SCP-3, TR-9).
pub(super) fn is_service_linked(principal: &Principal) -> bool {
    match principal {
        Principal::Session { role_arn: arn, .. } | Principal::Role { arn, .. } => {
            is_service_linked_role(arn)
        }
        _ => false,
    }
}

/// Whether an ARN is that of a role under the path that nobody can give to a role of their own. The
/// path is looked for where it begins, for within a path or a name colons are letters.
fn is_service_linked_role(arn: &str) -> bool {
    let mut fields = arn.splitn(6, ':').skip(2);
    fields.next() == Some("iam")
        && fields.nth(2).is_some_and(|resource| resource.starts_with("role/aws-service-role/"))
}

/// Whether RCPs bear on the request: a governed service, a resource, and no service-linked role on
/// either side (RCP-4, RCP-6, RCP-7).
pub(super) fn meets_rcps(ask: &Ask<'_>) -> bool {
    let (service, _) = ask.action.split_once(':').unwrap_or_default();
    let resource = ask.request.resource;
    let assumed_by_service = matches!(ask.request.principal, Principal::Service { .. })
        && ask.action.starts_with("sts:assumerole")
        && is_service_linked_role(resource);
    RCP_SERVICES.binary_search(&service).is_ok()
        && ask.action != "kms:retiregrant"
        && resource != "*"
        && !assumed_by_service
        && !is_service_linked(ask.request.principal)
}

/// Whether the caller is the root of the account that owns the bucket or queue and asks for its
/// policy, which that policy cannot refuse (ROOT-6).
pub(super) fn is_bucket_owner(ask: &Ask<'_>) -> bool {
    matches!(ask.request.principal, Principal::Root { .. })
        && OWNERS.contains(&ask.action)
        && resource_owner(ask.request) == ask.request.principal.account()
}

#[cfg(test)]
mod tests {
    use super::RCP_SERVICES;

    #[test]
    fn rcp_4_services_are_sorted() {
        assert!(RCP_SERVICES.is_sorted());
    }
}
