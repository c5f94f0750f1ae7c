//! IDC-02: permission sets, asked what policies of roles are asked.
//!
//! A permission set makes a role in each account. That role is made here, alone with its policies, and
//! the checks on policies answer for it, so that nothing is judged in two ways.

use bailiwick_catalog::Catalog;
use serde_json::{Value as Json, json};

use super::super::policies;
use crate::evidence::{self, Data, Evidence, File, Part, PermissionSet};
use crate::posture::audit::Audit;
use crate::posture::check::{Found, Results};
use crate::posture::report::ask;

/// The checks on what a policy gives. Whether it is inline, attached or named well is not asked of a set.
const ASKED: [&str; 11] = [
    "POL-01", "POL-02", "POL-03", "POL-05", "POL-08", "POL-09", "POL-10", "POL-12", "POL-13",
    "POL-14", "POL-15",
];

/// IDC-02.
pub(super) fn least_privilege(audit: &Audit<'_>, results: &mut Results) {
    let Some(center) = super::center(audit, results) else { return };
    for (number, set) in center.permission_sets.iter().enumerate() {
        let role = match role(audit, set, number) {
            Ok(role) => role,
            Err(missing) => {
                results.not_assessed(&set.arn, missing);
                continue;
            }
        };
        judge(audit, set, &role, results);
    }
    if center.permission_sets.is_empty() {
        results.pass();
    }
}

/// The account with the one role, as an export shows it.
fn role(audit: &Audit<'_>, set: &PermissionSet, number: usize) -> Result<Evidence, String> {
    fn known<'p, T>(part: &'p Part<T>, what: &str) -> Result<&'p T, String> {
        match part {
            Part::Known(value) => Ok(value),
            Part::Missing(missing) => Err(format!("{what} of the permission set: {missing}")),
        }
    }
    let inline = known(&set.inline, "the inline policy")?;
    let managed = known(&set.managed, "the AWS managed policies")?;
    let customer = known(&set.customer_managed, "the policies of each account")?;
    let account = &audit.evidence.estate.account;
    let (id, partition) = (account.id(), account.partition());
    let inline: Vec<Json> = inline
        .iter()
        .map(|text| {
            let document: Json = serde_json::from_str(text)
                .map_err(|error| format!("the inline policy, which cannot be read: {error}"))?;
            Ok(json!({"PolicyName": "inline", "PolicyDocument": document}))
        })
        .collect::<Result<_, String>>()?;
    let mut attached: Vec<Json> = managed
        .iter()
        .map(|arn| {
            let name = arn.rsplit('/').next().unwrap_or_default();
            json!({"PolicyName": name, "PolicyArn": arn})
        })
        .collect();
    let mut policies = Vec::new();
    for path in customer {
        let arn = format!("arn:{}:iam::{id}:policy{path}", partition.as_str());
        let found = account.policies().find(|policy| account.policy_arn(policy).to_string() == arn);
        let text = found.and_then(|policy| account.version(policy.id, policy.default_version));
        let Some(text) = text.map(|version| version.document.source()) else {
            return Err(format!("`{arn}`, which the permission set takes and is not there"));
        };
        let document: Json = serde_json::from_str(text)
            .map_err(|error| format!("`{arn}`, which cannot be read: {error}"))?;
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        attached.push(json!({"PolicyName": name, "PolicyArn": arn}));
        policies.push(json!({
            "PolicyName": name, "Arn": arn, "Path": format!("{folder}/"), "DefaultVersionId": "v1",
            "AttachmentCount": 1, "IsAttachable": true,
            "PolicyVersionList": [{"Document": document, "VersionId": "v1", "IsDefaultVersion": true}],
        }));
    }
    let name = format!("AWSReservedSSO_{}_{number:016x}", set.name);
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRoleWithSAML",
        "Principal": {"Federated": format!("arn:{}:iam::{id}:saml-provider/sso", partition.as_str())},
    }]});
    let made = json!({
        "UserDetailList": [], "GroupDetailList": [], "Policies": policies,
        "RoleDetailList": [{
            "Path": "/", "RoleName": name, "Arn": format!("arn:{}:iam::{id}:role/{name}", partition.as_str()),
            "AssumeRolePolicyDocument": trust, "InstanceProfileList": [],
            "RolePolicyList": inline, "AttachedManagedPolicies": attached,
        }],
    });
    let text = made.to_string();
    let path = "authorization-details.json";
    let files = [File { name: path, path, bytes: text.as_bytes() }];
    evidence::read(&files, Catalog::embedded()).map_err(|faults| {
        let first = faults.first().map(ToString::to_string);
        format!("the permission set as a role: {}", first.unwrap_or_default())
    })
}

fn judge(audit: &Audit<'_>, set: &PermissionSet, role: &Evidence, results: &mut Results) {
    if let Some(missing) = role.missing(Data::AuthorizationDetails) {
        results.not_assessed(&set.arn, format!("the permission set as a role: {missing}"));
        return;
    }
    let inner = Audit::new(role, audit.settings, audit.now);
    let mut fine = true;
    for check in policies::CHECKS.iter().filter(|check| ASKED.contains(&check.id)) {
        let found = ask(check, &inner);
        for (_, missing) in &found.unassessed {
            fine = false;
            results.not_assessed(&set.arn, format!("{}: {missing}", check.id));
        }
        for (number, one) in found.failed.into_iter().enumerate() {
            fine = false;
            let why = format!("{}, as {} tells: {}", set.name, check.id, one.why);
            let detail = format!("{} {number}", check.id);
            results.fail(Found { subject: set.arn.clone(), why, detail: Some(detail), ..one });
        }
    }
    if fine {
        results.pass();
    }
}
