//! What a user owned: for whoever takes over, and for what still names her.

use serde_json::{Value as Json, json};

use crate::iam::{Iam, instant, text};
use crate::policies::{decoded, details};

/// Keys, groups, policies, and the roles and policies of the account whose texts name the user by
/// ARN or unique id.
pub(super) fn report(iam: &Iam, name: &str, arn: &str, id: &str) -> anyhow::Result<Json> {
    let own = [("UserName", name)];
    let mut keys = Vec::new();
    for key in iam.list("ListAccessKeys", "AccessKeyMetadata", &own)? {
        let key_id = text(&key, "AccessKeyId").to_owned();
        let last = iam.key_use(&key_id)?;
        keys.push(json!({
            "id": key_id, "status": text(&key, "Status"),
            "created": instant(&key, "CreateDate").map(|at| at.to_string()),
            "lastUsed": last.as_ref().map(|last| last.at.to_string()),
            "lastService": last.map(|last| last.service),
        }));
    }
    let members = |list: Vec<Json>, member: &str| -> Vec<String> {
        list.iter()
            .map(|one| one.as_str().unwrap_or_else(|| text(one, member)).to_owned())
            .collect()
    };
    let groups = members(iam.list("ListGroupsForUser", "Groups", &own)?, "GroupName");
    let attached = iam.list("ListAttachedUserPolicies", "AttachedPolicies", &own)?;
    let inline = members(iam.list("ListUserPolicies", "PolicyNames", &own)?, "");
    let account = details(iam)?;
    let names_her = |document: &str| {
        let document = decoded(document);
        names_user(&document, arn) || document.contains(id)
    };
    let mut roles = Vec::new();
    let mut policies = Vec::new();
    for role in account.of("RoleDetailList") {
        if names_her(text(role, "AssumeRolePolicyDocument")) {
            roles.push(text(role, "RoleName").to_owned());
        }
    }
    let holders = [
        ("RoleDetailList", "RolePolicyList"),
        ("UserDetailList", "UserPolicyList"),
        ("GroupDetailList", "GroupPolicyList"),
    ];
    for (list, member) in holders {
        for holder in account.of(list) {
            for policy in holder.get(member).and_then(Json::as_array).into_iter().flatten() {
                if names_her(text(policy, "PolicyDocument")) && text(holder, "Arn") != arn {
                    policies.push(format!(
                        "{} {}",
                        text(holder, "Arn"),
                        text(policy, "PolicyName")
                    ));
                }
            }
        }
    }
    for policy in account.of("Policies") {
        let versions = policy.get("PolicyVersionList").and_then(Json::as_array);
        let speaks = versions
            .into_iter()
            .flatten()
            .filter(|version| version.get("IsDefaultVersion").and_then(Json::as_bool) == Some(true))
            .any(|version| names_her(text(version, "Document")));
        if speaks {
            policies.push(text(policy, "Arn").to_owned());
        }
    }
    Ok(json!({
        "accessKeys": keys, "groups": groups, "inlinePolicies": inline,
        "attachedPolicies": members(attached, "PolicyArn"),
        "rolesThatTrustHer": roles, "policiesThatNameHer": policies,
    }))
}

/// Whether a text has the ARN, and not the beginning of a longer one.
fn names_user(document: &str, arn: &str) -> bool {
    document.match_indices(arn).any(|(at, _)| {
        let next = document.get(at + arn.len()..).and_then(|rest| rest.chars().next());
        next.is_none_or(|c| !(c.is_ascii_alphanumeric() || "+=,.@_/-".contains(c)))
    })
}

/// The report for people.
pub(super) fn lines(owned: &Json) -> Vec<String> {
    let mut lines = vec!["she had:".to_owned()];
    for key in owned.get("accessKeys").and_then(Json::as_array).into_iter().flatten() {
        let last = key.get("lastUsed").and_then(Json::as_str).unwrap_or("never");
        lines.push(format!(
            "  access key {} ({}), last used {last}",
            text(key, "id"),
            text(key, "status")
        ));
    }
    for (member, what) in [
        ("groups", "membership of the group"),
        ("attachedPolicies", "attached policy"),
        ("inlinePolicies", "inline policy"),
        ("rolesThatTrustHer", "trust of the role"),
        ("policiesThatNameHer", "her name in"),
    ] {
        for one in owned.get(member).and_then(Json::as_array).into_iter().flatten() {
            lines.push(format!("  {what} {}", one.as_str().unwrap_or_default()));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_not_the_beginning_of_another() {
        let arn = "arn:aws:iam::123456789012:user/al";
        for (text, expected) in [
            (r#"{"AWS":"arn:aws:iam::123456789012:user/al"}"#, true),
            (r#"{"AWS":"arn:aws:iam::123456789012:user/alice"}"#, false),
            (
                r#"{"AWS":["arn:aws:iam::123456789012:user/alice","arn:aws:iam::123456789012:user/al"]}"#,
                true,
            ),
            ("", false),
        ] {
            assert_eq!(names_user(text, arn), expected, "{text}");
        }
    }
}
