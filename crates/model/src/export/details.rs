//! An account as an export shows it.

use bailiwick_identifiers::{Arn, TagSet, UniqueId};
use serde_json::{Map, Value, json};

use super::entities::is_missing;
use crate::account::Account;
use crate::entity::{Group, InstanceProfile, Policy, Role, User};
use crate::text::TrustText;

/// What GetAccountAuthorizationDetails tells of an account, in one page of the command line's
/// form. Documents stand in it as the API sends them, URL-encoded, so that no byte is lost. AWS
/// managed policies are left to the reader's catalog. What an export did not hold when the account
/// was read from it, a group or a version in force, is not in it either, and is missing again.
pub fn details(account: &Account) -> Value {
    json!({
        "UserDetailList": account.users().map(|it| user(account, it)).collect::<Vec<_>>(),
        "GroupDetailList": account
            .groups()
            .filter(|it| !is_missing(account, it))
            .map(|it| group(account, it))
            .collect::<Vec<_>>(),
        "RoleDetailList": account.roles().map(|it| role(account, it)).collect::<Vec<_>>(),
        "Policies": account.policies().map(|it| policy(account, it)).collect::<Vec<_>>(),
    })
}

fn user(account: &Account, user: &User) -> Value {
    let groups: Vec<_> = account.groups_of(user.id).map(|group| group.name.as_str()).collect();
    let mut detail = json!({
        "Path": user.path,
        "UserName": user.name,
        "UserId": user.id,
        "Arn": account.user_arn(user),
        "CreateDate": user.created,
        "UserPolicyList": inline(account, user.id),
        "GroupList": groups,
        "AttachedManagedPolicies": attached(account, user.id),
        "Tags": tags(&user.tags),
    });
    put(&mut detail, "PermissionsBoundary", user.boundary.as_ref().map(boundary));
    detail
}

fn group(account: &Account, group: &Group) -> Value {
    json!({
        "Path": group.path,
        "GroupName": group.name,
        "GroupId": group.id,
        "Arn": account.group_arn(group),
        "CreateDate": group.created,
        "GroupPolicyList": inline(account, group.id),
        "AttachedManagedPolicies": attached(account, group.id),
    })
}

fn role(account: &Account, role: &Role) -> Value {
    let profiles: Vec<_> =
        account.instance_profiles_of(role.id).map(|it| profile(account, it)).collect();
    let last = account.role_use(&role.id);
    let mut detail = json!({
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.id,
        "Arn": account.role_arn(role),
        "CreateDate": role.created,
        "AssumeRolePolicyDocument": encode(&shown(account, &role.trust)),
        "InstanceProfileList": profiles,
        "RolePolicyList": inline(account, role.id),
        "AttachedManagedPolicies": attached(account, role.id),
        "Tags": tags(&role.tags),
        "RoleLastUsed": last.map_or_else(
            || json!({}),
            |last| json!({ "LastUsedDate": last.at, "Region": last.region }),
        ),
    });
    put(&mut detail, "PermissionsBoundary", role.boundary.as_ref().map(boundary));
    detail
}

fn profile(account: &Account, profile: &InstanceProfile) -> Value {
    json!({
        "Path": profile.path,
        "InstanceProfileName": profile.name,
        "InstanceProfileId": profile.id,
        "Arn": account.instance_profile_arn(profile),
        "CreateDate": profile.created,
        "Tags": tags(&profile.tags),
    })
}

fn policy(account: &Account, policy: &Policy) -> Value {
    let arn = account.policy_arn(policy);
    let mut versions: Vec<_> = account
        .versions(policy.id)
        .map(|version| {
            json!({
                "Document": encode(version.document.source()),
                "VersionId": format!("v{}", version.number),
                "IsDefaultVersion": version.number == policy.default_version,
                "CreateDate": version.created,
            })
        })
        .collect();
    versions.reverse(); // newest first
    let mut detail = json!({
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": arn,
        "Path": policy.path,
        "AttachmentCount": account.attached_to(&arn).count(),
        "PermissionsBoundaryUsageCount": account.bounded_by(&arn).count(),
        "IsAttachable": true,
        "CreateDate": policy.created,
        "UpdateDate": policy.updated,
        "PolicyVersionList": versions,
    });
    let in_force = (policy.default_version > 0).then(|| format!("v{}", policy.default_version));
    put(&mut detail, "DefaultVersionId", in_force.map(Value::from));
    put(&mut detail, "Description", policy.description.as_deref().map(Value::from));
    detail
}

fn put(detail: &mut Value, member: &str, value: Option<Value>) {
    if let (Some(members), Some(value)) = (detail.as_object_mut(), value) {
        members.insert(member.to_owned(), value);
    }
}

fn inline(account: &Account, owner: UniqueId) -> Vec<Value> {
    let policies = account.inline_policies(owner);
    policies
        .map(|policy| {
            json!({
                "PolicyName": policy.name,
                "PolicyDocument": encode(policy.document.source()),
            })
        })
        .collect()
}

fn attached(account: &Account, owner: UniqueId) -> Vec<Value> {
    let name = |arn: &Arn| arn.resource().rsplit('/').next().unwrap_or_default().to_owned();
    let policies = account.attached(owner);
    policies.map(|arn| json!({ "PolicyName": name(arn), "PolicyArn": arn })).collect()
}

fn boundary(arn: &Arn) -> Value {
    json!({ "PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn })
}

fn tags(tags: &TagSet) -> Vec<Map<String, Value>> {
    let member = |name: &str, text: &str| (name.to_owned(), Value::from(text));
    tags.iter()
        .map(|tag| {
            Map::from_iter([member("Key", tag.key.as_str()), member("Value", tag.value.as_str())])
        })
        .collect()
}

/// A trust policy as AWS shows it: the ids of those that are gone, the ARNs of the others.
/// Principals of other accounts stay as they were written, for nothing is known of them here.
fn shown(account: &Account, trust: &TrustText) -> String {
    trust.shown(|id| {
        let user = account.user(id).map(|user| account.user_arn(user));
        let own = user.or_else(|| account.role(id).map(|role| account.role_arn(role)));
        let written = || trust.bindings().iter().find(|binding| binding.id == *id);
        own.or_else(|| {
            let binding = written()?;
            let is_foreign = binding.arn.account_id() != Some(account.id());
            is_foreign.then(|| binding.arn.clone())
        })
    })
}

/// Percent-encodes all but RFC 3986's unreserved characters.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
            encoded.push('%');
            encoded.push(digit(byte >> 4).to_ascii_uppercase());
            encoded.push(digit(byte & 0x0f).to_ascii_uppercase());
        }
    }
    encoded
}
