//! What is unused goes in two steps: deactivated and marked with the date, and after a grace deleted.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value as Json;

use super::unused::{Kind, TAG, Unused, Why};
use crate::iam::{Iam, Span, text};

/// The inline policy that forbids an unused role everything.
const DENY: &str = "BailiwickUnused";
const DENY_ALL: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Unused","Effect":"Deny","Action":"*","Resource":"*"}]}"#;

/// What was done.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Deed {
    /// Made inactive, and marked.
    Deactivated,
    /// Marked: there is no inactive state of it.
    Marked,
    /// Deleted.
    Deleted,
    /// Left: the grace is not over.
    Waiting,
    /// Somebody made it active again or used it: the mark is taken away.
    Released,
}

impl Deed {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Deactivated => "deactivated",
            Self::Marked => "marked",
            Self::Deleted => "deleted",
            Self::Waiting => "waiting for the end of the grace",
            Self::Released => "active again, mark taken away",
        }
    }
}

/// Takes the next step with something unused, or with what an earlier run marked and somebody used
/// meanwhile; nothing where there is none.
pub(super) fn apply(
    iam: &Iam,
    unused: &Unused,
    now: Timestamp,
    grace: Span,
) -> anyhow::Result<Option<Deed>> {
    let takes = matches!(
        unused.kind,
        Kind::Password | Kind::AccessKey | Kind::Role | Kind::Policy | Kind::ServerCertificate
    );
    if !takes {
        return Ok(None);
    }
    let Some(marked) = unused.marked else {
        // The key of this run stays: without it the run would end half done.
        if !unused.old || (unused.kind == Kind::AccessKey && unused.name == iam.key_id) {
            return Ok(None);
        }
        set_mark(iam, unused, now)?;
        let deactivates = match unused.kind {
            Kind::AccessKey if unused.active => {
                set_status(iam, unused, "Inactive")?;
                true
            }
            Kind::Role => {
                let parameters = [
                    ("RoleName", unused.name.as_str()),
                    ("PolicyName", DENY),
                    ("PolicyDocument", DENY_ALL),
                ];
                iam.call("PutRolePolicy", &parameters)?;
                true
            }
            _ => false,
        };
        return Ok(Some(if deactivates { Deed::Deactivated } else { Deed::Marked }));
    };
    if is_back(iam, unused, marked)? {
        take_mark(iam, unused)?;
        return Ok(Some(Deed::Released));
    }
    if !unused.old {
        return Ok(None);
    }
    if grace.after(marked) > now {
        return Ok(Some(Deed::Waiting));
    }
    delete(iam, unused)?;
    Ok(Some(Deed::Deleted))
}

/// Whether something that was marked was used, made anew, changed, attached or made active since.
fn is_back(iam: &Iam, unused: &Unused, marked: Timestamp) -> anyhow::Result<bool> {
    let since = |at: Option<Timestamp>| at.is_some_and(|at| at > marked);
    Ok(since(unused.last_used)
        || since(unused.created)
        || match unused.kind {
            Kind::AccessKey => unused.active,
            Kind::Policy => unused.why == Why::Marked,
            // Who took the policy away that forbids it everything wants it back.
            Kind::Role => {
                let parameters = [("RoleName", unused.name.as_str()), ("PolicyName", DENY)];
                iam.maybe("GetRolePolicy", &parameters)?.is_none()
            }
            _ => false,
        })
}

/// Operation, parameter that names the thing, and the thing, for its tags.
fn tagging(unused: &Unused) -> (&'static str, &'static str, &str) {
    match (unused.kind, &unused.user) {
        (Kind::Role, _) => ("Role", "RoleName", &unused.name),
        (Kind::Policy, _) => ("Policy", "PolicyArn", &unused.name),
        (Kind::ServerCertificate, _) => {
            ("ServerCertificate", "ServerCertificateName", &unused.name)
        }
        (_, user) => ("User", "UserName", user.as_deref().unwrap_or_default()),
    }
}

/// The tag that marks it: those of users name the credential.
fn key(unused: &Unused) -> String {
    match unused.kind {
        Kind::Password => format!("{TAG}/password"),
        Kind::AccessKey => format!("{TAG}/{}", unused.name),
        _ => TAG.to_owned(),
    }
}

fn set_mark(iam: &Iam, unused: &Unused, now: Timestamp) -> anyhow::Result<()> {
    let (kind, parameter, name) = tagging(unused);
    let (tag, date) = (key(unused), Timestamp::from_second(now.as_second())?.to_string());
    let parameters =
        [(parameter, name), ("Tags.member.1.Key", &tag), ("Tags.member.1.Value", &date)];
    iam.call(&format!("Tag{kind}"), &parameters).map(drop)
}

fn take_mark(iam: &Iam, unused: &Unused) -> anyhow::Result<()> {
    let (kind, parameter, name) = tagging(unused);
    if unused.kind == Kind::Role {
        iam.maybe("DeleteRolePolicy", &[("RoleName", name), ("PolicyName", DENY)])?;
    }
    iam.call(&format!("Untag{kind}"), &[(parameter, name), ("TagKeys.member.1", &key(unused))])
        .map(drop)
}

fn set_status(iam: &Iam, unused: &Unused, status: &str) -> anyhow::Result<()> {
    let user = unused.user.as_deref().unwrap_or_default();
    let parameters = [("UserName", user), ("AccessKeyId", &unused.name), ("Status", status)];
    iam.call("UpdateAccessKey", &parameters).map(drop)
}

fn delete(iam: &Iam, unused: &Unused) -> anyhow::Result<()> {
    let name = unused.name.as_str();
    let user = ("UserName", unused.user.as_deref().unwrap_or_default());
    match unused.kind {
        Kind::Password => {
            iam.maybe("DeleteLoginProfile", &[user])?;
            take_mark(iam, unused)?;
        }
        Kind::AccessKey => {
            iam.maybe("DeleteAccessKey", &[user, ("AccessKeyId", name)])?;
            take_mark(iam, unused)?;
        }
        Kind::ServerCertificate => {
            iam.call("DeleteServerCertificate", &[("ServerCertificateName", name)])?;
        }
        Kind::Policy => {
            let own = ("PolicyArn", name);
            for version in iam.list("ListPolicyVersions", "Versions", &[own])? {
                if version.get("IsDefaultVersion").and_then(Json::as_bool) != Some(true) {
                    let id = text(&version, "VersionId");
                    iam.call("DeletePolicyVersion", &[own, ("VersionId", id)])?;
                }
            }
            iam.call("DeletePolicy", &[own])?;
        }
        Kind::Role => delete_role(iam, name)?,
        Kind::ConsoleUserKey | Kind::SigningCertificate | Kind::Group => {}
    }
    Ok(())
}

/// A role with all that hangs on it. What forbids it everything goes last but for itself.
fn delete_role(iam: &Iam, name: &str) -> anyhow::Result<()> {
    let own = ("RoleName", name);
    for profile in iam.list("ListInstanceProfilesForRole", "InstanceProfiles", &[own])? {
        let profile = ("InstanceProfileName", text(&profile, "InstanceProfileName"));
        iam.call("RemoveRoleFromInstanceProfile", &[profile, own])?;
    }
    for policy in iam.list("ListAttachedRolePolicies", "AttachedPolicies", &[own])? {
        iam.call("DetachRolePolicy", &[own, ("PolicyArn", text(&policy, "PolicyArn"))])?;
    }
    let mut inline: Vec<Json> = iam.list("ListRolePolicies", "PolicyNames", &[own])?;
    inline.sort_by_key(|policy| policy.as_str() == Some(DENY));
    for policy in inline {
        let policy = policy.as_str().unwrap_or_default();
        iam.call("DeleteRolePolicy", &[own, ("PolicyName", policy)])?;
    }
    iam.call("DeleteRole", &[own]).map(drop)
}
