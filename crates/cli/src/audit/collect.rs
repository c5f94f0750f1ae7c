//! `bailiwick audit collect`: the script that makes a folder, and the policy that it needs.

use std::io::{Write as _, stderr, stdout};

use serde_json::json;

use super::{CollectArgs, import};
use crate::iam::Iam;
use crate::terminal;

/// The script. It is text for a shell and is never run from here.
const SCRIPT: &str = include_str!("collect.sh");

/// The actions behind the script's calls.
const ACTIONS: [&str; 72] = [
    "access-analyzer:ListAnalyzers",
    "access-analyzer:ListFindings",
    "account:GetAlternateContact",
    "cloudtrail:DescribeTrails",
    "cloudtrail:GetEventSelectors",
    "cloudtrail:GetTrailStatus",
    "cloudwatch:DescribeAlarms",
    "config:DescribeConfigurationRecorderStatus",
    "config:DescribeConfigurationRecorders",
    "ec2:DescribeInstances",
    "ec2:DescribeRegions",
    "ecr:DescribeRepositories",
    "ecr:GetRepositoryPolicy",
    "guardduty:GetDetector",
    "guardduty:ListDetectors",
    "iam:GenerateCredentialReport",
    "iam:GenerateServiceLastAccessedDetails",
    "iam:GetAccountAuthorizationDetails",
    "iam:GetAccountPasswordPolicy",
    "iam:GetAccountSummary",
    "iam:GetCredentialReport",
    "iam:GetOpenIDConnectProvider",
    "iam:GetServiceLastAccessedDetails",
    "iam:ListAccessKeys",
    "iam:ListMFADevices",
    "iam:ListOpenIDConnectProviders",
    "iam:ListOrganizationsFeatures",
    "iam:ListPolicies",
    "iam:ListPolicyTags",
    "iam:ListRoles",
    "iam:ListSAMLProviders",
    "iam:ListSSHPublicKeys",
    "iam:ListServerCertificates",
    "iam:ListServiceSpecificCredentials",
    "iam:ListSigningCertificates",
    "iam:ListUsers",
    "iam:ListVirtualMFADevices",
    "identitystore:ListGroupMemberships",
    "kms:GetKeyPolicy",
    "kms:ListKeys",
    "lambda:GetPolicy",
    "lambda:ListFunctions",
    "logs:DescribeLogGroups",
    "logs:DescribeMetricFilters",
    "organizations:DescribeOrganization",
    "organizations:DescribePolicy",
    "organizations:ListAccounts",
    "organizations:ListAccountsForParent",
    "organizations:ListDelegatedAdministrators",
    "organizations:ListOrganizationalUnitsForParent",
    "organizations:ListPolicies",
    "organizations:ListRoots",
    "organizations:ListTargetsForPolicy",
    "rolesanywhere:ListProfiles",
    "rolesanywhere:ListTrustAnchors",
    "s3:GetAccountPublicAccessBlock",
    "s3:GetBucketLogging",
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketPolicy",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketVersioning",
    "s3:ListAllMyBuckets",
    "secretsmanager:GetResourcePolicy",
    "secretsmanager:ListSecrets",
    "securityhub:DescribeHub",
    "sns:GetTopicAttributes",
    "sns:ListSubscriptions",
    "sns:ListTopics",
    "sqs:GetQueueAttributes",
    "sqs:ListQueues",
    "sso:DescribePermissionSet",
    "sso:ListInstances",
];

/// The rest of Identity Center's, which belong together with the last of the list above.
const MORE: [&str; 6] = [
    "sso:GetInlinePolicyForPermissionSet",
    "sso:ListAccountAssignments",
    "sso:ListAccountsForProvisionedPermissionSet",
    "sso:ListCustomerManagedPolicyReferencesInPermissionSet",
    "sso:ListManagedPoliciesInPermissionSet",
    "sso:ListPermissionSets",
];

pub(super) fn run(args: &CollectArgs) -> anyhow::Result<()> {
    if let Some(folder) = &args.run {
        let files = import::gather(Iam::find(&args.access)?)?;
        import::write(folder, &files)?;
        let refused = files.iter().filter(|file| file.is_refusal()).count();
        let text = format!(
            "{} files in {}; {refused} calls were refused",
            files.len() - refused,
            folder.display()
        );
        writeln!(stderr(), "{}", terminal::text(&text))?;
        return Ok(());
    }
    let mut out = stdout().lock();
    if args.script {
        out.write_all(SCRIPT.as_bytes())?;
    } else {
        writeln!(out, "{:#}", policy())?;
    }
    out.flush()?;
    Ok(())
}

/// Reading calls take no narrower resource for the most part, and what is to be found is not known
/// before.
fn policy() -> serde_json::Value {
    let actions: Vec<&str> = ACTIONS.into_iter().chain(MORE).collect();
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "CollectForAudit", "Effect": "Allow", "Action": actions, "Resource": "*",
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bailiwick_catalog::Catalog;

    /// Calls whose action has another name, or another service.
    const OTHER_NAMES: [(&str, &str); 10] = [
        ("accessanalyzer list-findings-v2", "access-analyzer:ListFindings"),
        ("sts get-caller-identity", ""),
        ("s3api list-buckets", "s3:ListAllMyBuckets"),
        ("s3api get-public-access-block", "s3:GetBucketPublicAccessBlock"),
        ("s3api get-object-lock-configuration", "s3:GetBucketObjectLockConfiguration"),
        ("s3control get-public-access-block", "s3:GetAccountPublicAccessBlock"),
        ("lambda list-functions", "lambda:ListFunctions"),
        ("accessanalyzer list-analyzers", "access-analyzer:ListAnalyzers"),
        ("configservice describe-configuration-recorders", "config:DescribeConfigurationRecorders"),
        (
            "configservice describe-configuration-recorder-status",
            "config:DescribeConfigurationRecorderStatus",
        ),
    ];

    /// The service and the verb of each call in the script.
    fn calls() -> Vec<(String, String)> {
        let services = [
            "iam",
            "sts",
            "account",
            "organizations",
            "s3control",
            "s3api",
            "ec2",
            "accessanalyzer",
            "configservice",
            "cloudtrail",
            "logs",
            "cloudwatch",
            "sns",
            "kms",
            "lambda",
            "sqs",
            "secretsmanager",
            "ecr",
            "sso-admin",
            "identitystore",
            "rolesanywhere",
            "securityhub",
            "guardduty",
        ];
        let joined = SCRIPT.replace("\\\n", " ");
        let code = joined.lines().filter(|line| !line.trim_start().starts_with('#'));
        let words: Vec<String> = code
            .flat_map(str::split_whitespace)
            .map(|word| word.trim_matches(['$', '(', ')', '}', '"', ';']).to_owned())
            .collect();
        let verb = |word: &str| {
            ["get-", "list-", "describe-", "generate-"].iter().any(|head| word.starts_with(head))
        };
        let pairs = words.windows(2).filter_map(|pair| match pair {
            [service, call] if services.contains(&service.as_str()) && verb(call) => {
                Some((service.clone(), call.clone()))
            }
            _ => None,
        });
        pairs.collect()
    }

    // The policy grants what the script calls, no more and no less, and only reading.
    #[test]
    fn the_policy_is_the_script_s() {
        let mut needed: Vec<String> = calls()
            .into_iter()
            .filter_map(|(service, call)| {
                let line = format!("{service} {call}");
                if let Some((_, action)) = OTHER_NAMES.iter().find(|(known, _)| *known == line) {
                    return (!action.is_empty()).then(|| (*action).to_owned());
                }
                let prefix = match service.as_str() {
                    "s3api" => "s3",
                    "sso-admin" => "sso",
                    other => other,
                };
                let folded = call.replace('-', "");
                let service = Catalog::embedded().service(prefix).unwrap();
                let action = service.action(&folded).unwrap_or_else(|| panic!("{prefix}:{call}"));
                Some(format!("{prefix}:{}", action.name))
            })
            .collect();
        needed.sort();
        needed.dedup();
        let mut granted: Vec<String> =
            ACTIONS.into_iter().chain(MORE).map(ToOwned::to_owned).collect();
        granted.sort();
        assert_eq!(granted, needed);
        for action in granted {
            let (prefix, name) = action.split_once(':').unwrap();
            let known = Catalog::embedded().action(prefix, name);
            let levels = known.unwrap_or_else(|| panic!("{action}")).levels;
            let reads =
                levels.iter().all(|level| matches!(level.to_string().as_str(), "Read" | "List"));
            assert!(reads || action.starts_with("iam:Generate"), "{action}");
        }
    }
}
