//! Analyzers, configuration recorders and Identity Center.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;

use super::form::{Instant, at};
use super::part::Part;
use super::text::{Fault, Text};

/// An analyzer of Access Analyzer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Analyzer {
    /// Its ARN.
    pub arn: String,
    /// `ACCOUNT`, `ORGANIZATION`, `ACCOUNT_UNUSED_ACCESS` and so on.
    pub kind: String,
    /// Whether it is active.
    pub active: bool,
    /// The region.
    pub region: String,
    /// How many tags it has.
    pub tags: usize,
    /// When it last looked at a resource.
    pub analyzed: Option<Timestamp>,
}

/// A configuration recorder.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Recorder {
    /// Its name.
    pub name: String,
    /// The region.
    pub region: String,
    /// Whether it records now. Nothing: its status is not known.
    pub recording: Option<bool>,
    /// Whether it records all types it can.
    pub all_supported: bool,
    /// Whether it records global types such as IAM's.
    pub global_types: bool,
}

/// Identity Center, as far as it is simple to tell.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct IdentityCenter {
    /// The ARNs of its instances.
    pub instances: Vec<String>,
    /// Its permission sets.
    pub permission_sets: Vec<PermissionSet>,
    /// Assignments to single users, as text.
    pub user_assignments: Vec<String>,
    /// The ids of the users to whom assignments are.
    pub users: BTreeSet<String>,
    /// The ids of the groups to which assignments are.
    pub groups: BTreeSet<String>,
    /// The ids of the members of groups, by the group's; a group that is missing is not known.
    pub members: BTreeMap<String, Vec<String>>,
}

/// A permission set.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PermissionSet {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// The length of its sessions as ISO 8601 says it, such as `PT8H`.
    pub session_duration: Option<String>,
    /// The text of its inline policy; `None`: it has none.
    pub inline: Part<Option<String>>,
    /// The ARNs of its AWS managed policies.
    pub managed: Part<Vec<String>>,
    /// The names of the managed policies of each account that it takes, with their paths.
    pub customer_managed: Part<Vec<String>>,
}

pub(super) fn analyzers(text: &Text<'_>, region: &str) -> Result<Vec<Analyzer>, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Form {
        arn: String,
        #[serde(rename = "type")]
        kind: String,
        status: String,
        #[serde(default)]
        tags: BTreeMap<String, String>,
        #[serde(default)]
        last_resource_analyzed_at: Option<Instant>,
    }
    #[derive(Deserialize)]
    #[serde(expecting = "what `accessanalyzer list-analyzers` prints")]
    struct List {
        analyzers: Vec<Form>,
    }
    let list = text.json::<List>()?.analyzers.into_iter();
    Ok(list
        .map(|form| Analyzer {
            arn: form.arn,
            kind: form.kind,
            active: form.status == "ACTIVE",
            region: region.to_owned(),
            tags: form.tags.len(),
            analyzed: at(form.last_resource_analyzed_at),
        })
        .collect())
}

pub(super) fn recorders(text: &Text<'_>, region: &str) -> Result<Vec<Recorder>, Fault> {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Group {
        all_supported: bool,
        include_global_resource_types: bool,
        resource_types: Vec<String>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Form {
        name: String,
        #[serde(default)]
        recording_group: Group,
    }
    #[derive(Deserialize)]
    #[serde(expecting = "what `configservice describe-configuration-recorders` prints")]
    struct List {
        #[serde(rename = "ConfigurationRecorders")]
        list: Vec<Form>,
    }
    let list = text.json::<List>()?.list.into_iter();
    Ok(list
        .map(|form| Recorder {
            name: form.name,
            region: region.to_owned(),
            recording: None,
            all_supported: form.recording_group.all_supported,
            global_types: form.recording_group.include_global_resource_types
                || form.recording_group.resource_types.iter().any(|kind| kind == "AWS::IAM::User"),
        })
        .collect())
}

/// The names of recorders and whether they record.
pub(super) fn recorder_status(text: &Text<'_>) -> Result<Vec<(String, bool)>, Fault> {
    #[derive(Deserialize)]
    struct Form {
        name: String,
        recording: bool,
    }
    #[derive(Deserialize)]
    #[serde(expecting = "what `configservice describe-configuration-recorder-status` prints")]
    struct List {
        #[serde(rename = "ConfigurationRecordersStatus")]
        list: Vec<Form>,
    }
    let list = text.json::<List>()?.list;
    Ok(list.into_iter().map(|form| (form.name, form.recording)).collect())
}

pub(super) fn instances(text: &Text<'_>) -> Result<Vec<String>, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Instance {
        instance_arn: String,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", expecting = "what `sso-admin list-instances` prints")]
    struct Form {
        instances: Vec<Instance>,
    }
    Ok(text.json::<Form>()?.instances.into_iter().map(|instance| instance.instance_arn).collect())
}

/// Adds a permission set's name and session to what is known of it.
pub(super) fn permission_set(text: &Text<'_>, known: &mut PermissionSet) -> Result<(), Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Set {
        name: String,
        permission_set_arn: String,
        #[serde(default)]
        session_duration: Option<String>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", expecting = "what `describe-permission-set` prints")]
    struct Form {
        permission_set: Set,
    }
    let set = text.json::<Form>()?.permission_set;
    (known.arn, known.name) = (set.permission_set_arn, set.name);
    known.session_duration = set.session_duration;
    Ok(())
}

/// The inline policy of a permission set; an empty text stands for none.
pub(super) fn inline_policy(text: &Text<'_>) -> Result<Option<String>, Fault> {
    #[derive(Deserialize)]
    #[serde(
        rename_all = "PascalCase",
        expecting = "what `get-inline-policy-for-permission-set` prints"
    )]
    struct Form {
        #[serde(default)]
        inline_policy: String,
    }
    Ok(Some(text.json::<Form>()?.inline_policy).filter(|policy| !policy.is_empty()))
}

/// The ARNs of a permission set's AWS managed policies.
pub(super) fn managed_policies(text: &Text<'_>) -> Result<Vec<String>, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Policy {
        arn: String,
    }
    #[derive(Deserialize)]
    #[serde(
        rename_all = "PascalCase",
        expecting = "what `list-managed-policies-in-permission-set` prints"
    )]
    struct Form {
        attached_managed_policies: Vec<Policy>,
    }
    let list = text.json::<Form>()?.attached_managed_policies;
    Ok(list.into_iter().map(|policy| policy.arn).collect())
}

/// The names, with their paths, of the policies that a permission set takes from each account.
pub(super) fn customer_policies(text: &Text<'_>) -> Result<Vec<String>, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Policy {
        name: String,
        #[serde(default)]
        path: Option<String>,
    }
    #[derive(Deserialize)]
    #[serde(
        rename_all = "PascalCase",
        expecting = "what `list-customer-managed-policy-references-in-permission-set` prints"
    )]
    struct Form {
        customer_managed_policy_references: Vec<Policy>,
    }
    let list = text.json::<Form>()?.customer_managed_policy_references.into_iter();
    Ok(list
        .map(|policy| format!("{}{}", policy.path.as_deref().unwrap_or("/"), policy.name))
        .collect())
}

/// Adds assignments to what is known of Identity Center.
pub(super) fn assignments(text: &Text<'_>, center: &mut IdentityCenter) -> Result<(), Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Assignment {
        account_id: String,
        permission_set_arn: String,
        principal_type: String,
        principal_id: String,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", expecting = "what `list-account-assignments` prints")]
    struct Form {
        account_assignments: Vec<Assignment>,
    }
    for found in text.json::<Form>()?.account_assignments {
        let Assignment { account_id, permission_set_arn, principal_type, principal_id } = found;
        if principal_type == "USER" {
            let told = format!("{permission_set_arn} in {account_id} to user {principal_id}");
            center.user_assignments.push(told);
            center.users.insert(principal_id);
        } else {
            center.groups.insert(principal_id);
        }
    }
    Ok(())
}

/// The ids of the members of a group.
pub(super) fn members(text: &Text<'_>) -> Result<Vec<String>, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Member {
        user_id: String,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Membership {
        member_id: Member,
    }
    #[derive(Deserialize)]
    #[serde(
        rename_all = "PascalCase",
        expecting = "what `identitystore list-group-memberships` prints"
    )]
    struct Form {
        group_memberships: Vec<Membership>,
    }
    let list = text.json::<Form>()?.group_memberships;
    Ok(list.into_iter().map(|one| one.member_id.user_id).collect())
}
