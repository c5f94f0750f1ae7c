//! Every policy text of an account and its organization, with what it belongs to.

use std::fmt;
use std::sync::Arc;

use bailiwick_identifiers::{Arn, UniqueId};
use bailiwick_model::export::NoteKind;

use super::organization::{RCP, SCP};
use super::{Evidence, Part, ResourceKind};
use crate::validate::{PolicyType, ResourceType};

/// What a policy is in its account.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Holding {
    /// A managed policy of the customer.
    Managed,
    /// The same, which bounds a user or role.
    Boundary,
    /// Embedded in a user.
    UserInline,
    /// Embedded in a group.
    GroupInline,
    /// Embedded in a role.
    RoleInline,
    /// The trust policy of a role.
    Trust,
    /// Of a bucket, key, queue, topic, secret, function or repository.
    Resource,
    /// A service control policy.
    ServiceControl,
    /// A resource control policy.
    ResourceControl,
    /// Embedded in a permission set of Identity Center.
    PermissionSet,
}

impl Holding {
    /// All, in the order of reports.
    pub const ALL: [Self; 10] = [
        Self::Managed,
        Self::Boundary,
        Self::UserInline,
        Self::GroupInline,
        Self::RoleInline,
        Self::Trust,
        Self::Resource,
        Self::ServiceControl,
        Self::ResourceControl,
        Self::PermissionSet,
    ];

    /// In words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Managed => "managed policy",
            Self::Boundary => "permissions boundary",
            Self::UserInline => "inline policy of a user",
            Self::GroupInline => "inline policy of a group",
            Self::RoleInline => "inline policy of a role",
            Self::Trust => "trust policy",
            Self::Resource => "resource policy",
            Self::ServiceControl => "service control policy",
            Self::ResourceControl => "resource control policy",
            Self::PermissionSet => "permission set",
        }
    }

    /// The type that ValidatePolicy takes.
    pub const fn policy_type(self) -> PolicyType {
        match self {
            Self::Trust | Self::Resource => PolicyType::Resource,
            Self::ServiceControl => PolicyType::ServiceControl,
            Self::ResourceControl => PolicyType::ResourceControl,
            _ => PolicyType::Identity,
        }
    }
}

impl fmt::Display for Holding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A policy text and whose it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Held {
    /// What it is.
    pub holding: Holding,
    /// The ARN of the policy, or of whoever holds it.
    pub owner: String,
    /// The name of an inline policy; empty for all others.
    pub name: String,
    /// The version of a managed policy.
    pub version: Option<u32>,
    /// What a resource policy belongs to, where ValidatePolicy knows the type.
    pub resource_type: Option<ResourceType>,
    /// The text.
    pub text: Arc<str>,
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.owner)?;
        if !self.name.is_empty() {
            write!(f, " {}", self.name)?;
        }
        self.version.map_or(Ok(()), |version| write!(f, " v{version}"))
    }
}

/// The policies of an account.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Policies {
    /// Those with a text, by what they are.
    pub held: Vec<Held>,
    /// Those without, each with the reason.
    pub unread: Vec<String>,
    /// Non-default versions that were left out.
    pub left_out: usize,
}

/// Every policy that the evidence knows: of managed ones the version in force, or all of them.
/// Policies of AWS's own are AWS's to keep right, and are not among them.
pub fn policies(evidence: &Evidence, all_versions: bool) -> Policies {
    let mut found = Policies::default();
    identities(evidence, all_versions, &mut found);
    resources(evidence, &mut found);
    organization(evidence, &mut found);
    found.held.sort_by(|one, other| {
        (one.holding, &one.owner, &one.name, one.version).cmp(&(
            other.holding,
            &other.owner,
            &other.name,
            other.version,
        ))
    });
    found
}

impl Policies {
    fn add(&mut self, holding: Holding, owner: &str, name: &str, text: &str) {
        let (owner, name) = (owner.to_owned(), name.to_owned());
        if text.is_empty() {
            let name = if name.is_empty() { name } else { format!(" {name}") };
            self.unread.push(format!("{owner}{name}: its document is not there"));
            return;
        }
        let resource_type =
            (holding == Holding::Trust).then_some(ResourceType::AssumeRolePolicyDocument);
        let (version, text) = (None, text.into());
        self.held.push(Held { holding, owner, name, version, resource_type, text });
    }
}

fn identities(evidence: &Evidence, all_versions: bool, found: &mut Policies) {
    let account = &evidence.estate.account;
    for policy in account.policies() {
        let arn = account.policy_arn(policy);
        let bounds = account.bounded_by(&arn).next().is_some();
        let holding = if bounds { Holding::Boundary } else { Holding::Managed };
        let mut in_force = false;
        for version in account.versions(policy.id) {
            let default = version.number == policy.default_version;
            in_force |= default;
            if !default && !all_versions {
                found.left_out += 1;
                continue;
            }
            let before = found.held.len();
            found.add(holding, arn.as_str(), "", version.document.source());
            if let Some(held) = found.held.get_mut(before) {
                held.version = Some(version.number);
            }
        }
        if !in_force {
            found.unread.push(format!("{arn}: the version in force is not there"));
        }
    }
    let inline = |holding, id: UniqueId, arn: Arn, found: &mut Policies| {
        for policy in account.inline_policies(id) {
            let (arn, text) = (arn.to_string(), policy.document.source());
            found.add(holding, &arn, policy.name.as_str(), text);
        }
    };
    for user in account.users() {
        inline(Holding::UserInline, user.id, account.user_arn(user), found);
    }
    for group in account.groups() {
        inline(Holding::GroupInline, group.id, account.group_arn(group), found);
    }
    for role in account.roles() {
        let arn = account.role_arn(role);
        found.add(Holding::Trust, arn.as_str(), "", role.trust.source());
        inline(Holding::RoleInline, role.id, arn, found);
    }
    let notes = evidence.details.known().map_or(&[][..], |details| &details.notes);
    let gone = notes.iter().filter(|note| note.kind == NoteKind::Missing);
    for note in gone.filter(|note| note.about.contains(":policy/")) {
        found.unread.push(format!("{}: {}", note.about, note.text));
    }
}

fn resources(evidence: &Evidence, found: &mut Policies) {
    let Part::Known(resources) = &evidence.resources else { return };
    for (arn, resource) in resources {
        match &resource.policy {
            Part::Known(None) => {}
            Part::Known(Some(_)) => {
                let before = found.held.len();
                let text = resource.text.as_deref().unwrap_or_default();
                found.add(Holding::Resource, arn, "", text);
                if let Some(held) = found.held.get_mut(before) {
                    held.resource_type =
                        (resource.kind == ResourceKind::Bucket).then_some(ResourceType::Bucket);
                }
            }
            Part::Missing(missing) => found.unread.push(format!("{arn}: its policy is {missing}")),
        }
    }
}

fn organization(evidence: &Evidence, found: &mut Policies) {
    if let Part::Known(Some(organization)) = &evidence.organization
        && let Some(policies) = organization.policies.known()
    {
        for policy in policies.values() {
            let holding = match policy.kind.as_str() {
                SCP => Holding::ServiceControl,
                RCP => Holding::ResourceControl,
                _ => continue,
            };
            match &policy.document {
                Part::Known(document) => found.add(holding, &policy.arn, "", document.source()),
                // A text that cannot be read is a fault of its file, and counted there.
                Part::Missing(missing) => {
                    found.unread.push(format!("{}: its text is {missing}", policy.arn));
                }
            }
        }
    }
    if let Part::Known(Some(center)) = &evidence.identity_center {
        for set in &center.permission_sets {
            match &set.inline {
                Part::Known(Some(text)) => found.add(Holding::PermissionSet, &set.arn, "", text),
                Part::Known(None) => {}
                Part::Missing(missing) => {
                    found.unread.push(format!("{}: its inline policy is {missing}", set.arn));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{File, read};
    use bailiwick_catalog::Catalog;

    const DETAILS: &str = r#"{
        "UserDetailList": [{"Path": "/", "UserName": "a", "UserId": "AIDAAAAAAAAAAAAAAAAAA",
            "Arn": "arn:aws:iam::123456789012:user/a", "CreateDate": "2025-01-01T00:00:00Z",
            "GroupList": [], "AttachedManagedPolicies": [
                {"PolicyName": "gone", "PolicyArn": "arn:aws:iam::123456789012:policy/gone"}],
            "PermissionsBoundary": {"PermissionsBoundaryType": "Policy",
                "PermissionsBoundaryArn": "arn:aws:iam::123456789012:policy/edge"},
            "UserPolicyList": [{"PolicyName": "own", "PolicyDocument": {"Version": "2012-10-17",
                "Statement": []}}]}],
        "GroupDetailList": [], "RoleDetailList": [{"Path": "/", "RoleName": "r",
            "RoleId": "AROAAAAAAAAAAAAAAAAAA", "Arn": "arn:aws:iam::123456789012:role/r",
            "CreateDate": "2025-01-01T00:00:00Z", "AssumeRolePolicyDocument": "{",
            "InstanceProfileList": [], "RolePolicyList": [], "AttachedManagedPolicies": []}],
        "Policies": [{"PolicyName": "edge", "PolicyId": "ANPAAAAAAAAAAAAAAAAAA",
            "Arn": "arn:aws:iam::123456789012:policy/edge", "Path": "/", "DefaultVersionId": "v2",
            "AttachmentCount": 0, "PermissionsBoundaryUsageCount": 1, "IsAttachable": true,
            "CreateDate": "2025-01-01T00:00:00Z", "UpdateDate": "2025-01-01T00:00:00Z",
            "PolicyVersionList": [
                {"VersionId": "v2", "IsDefaultVersion": true, "CreateDate": "2025-01-01T00:00:00Z",
                 "Document": {"Version": "2012-10-17", "Statement": []}},
                {"VersionId": "v1", "IsDefaultVersion": false, "CreateDate": "2025-01-01T00:00:00Z",
                 "Document": {"Version": "2012-10-17", "Statement": []}}]}]}"#;

    fn of(files: &[(&str, &str)], all_versions: bool) -> Policies {
        let files: Vec<File<'_>> = files
            .iter()
            .map(|(path, text)| File { name: path, path, bytes: text.as_bytes() })
            .collect();
        policies(&read(&files, Catalog::embedded()).unwrap(), all_versions)
    }

    #[test]
    fn nothing_is_left_out_in_silence() {
        let bucket = ("s3/b/policy.json", r#"{"Policy": "{\"Statement\": 7}"}"#);
        let denied = ("s3/c/policy.json.error", "AccessDenied");
        let details = ("authorization-details.json", DETAILS);
        let found = of(&[details, bucket, denied], false);
        let told: Vec<String> =
            found.held.iter().map(|held| format!("{}: {held}", held.holding)).collect();
        assert_eq!(
            told,
            [
                "permissions boundary: arn:aws:iam::123456789012:policy/edge v2",
                "inline policy of a user: arn:aws:iam::123456789012:user/a own",
                "trust policy: arn:aws:iam::123456789012:role/r",
                "resource policy: arn:aws:s3:::b",
            ]
        );
        assert_eq!(found.held[2].text.as_ref(), "{");
        assert_eq!(found.held[3].resource_type, Some(ResourceType::Bucket));
        assert_eq!(found.left_out, 1);
        assert_eq!(found.unread.len(), 2, "{:?}", found.unread);
        assert_eq!(of(&[details], true).held.len(), 4);
    }
}
