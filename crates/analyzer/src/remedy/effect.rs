//! Commands carried out on the model of the account, and the observed calls under what comes of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick_identifiers::{Arn, UniqueId};
use bailiwick_model::{
    Account, Effective, IdentityText, InlinePolicy, Policy, PolicyVersion, Record, RecordKey,
};
use bailiwick_policy::{Document, DocumentKind};

use super::command::Command;
use super::patch::Target;
use crate::estate::Estate;
use crate::generate::{Breaks, Holding, Usage, breaks};

/// The policy that a command writes, as it is now.
pub(super) fn text(account: &Account, command: &Command) -> Option<Target> {
    if command.service != "iam" {
        return None;
    }
    let (text, kind) = match command.operation.as_str() {
        "put-user-policy" | "put-group-policy" | "put-role-policy" => {
            let held = inline(account, command)?;
            (held.document.source(), DocumentKind::Identity)
        }
        "create-policy-version" => {
            let (_, version) = in_force(account, command)?;
            (version.document.source(), DocumentKind::Identity)
        }
        "update-assume-role-policy" => {
            let role = account.role_named(command.value("role-name")?)?;
            (role.trust.source(), DocumentKind::Trust)
        }
        _ => return None,
    };
    Some(Target { text: text.to_owned(), kind })
}

/// Carries a command out. `touched` gets the users and roles whose identity policies change. None where it
/// writes or attaches a policy whose text is not known.
pub(super) fn apply(
    account: &mut Account,
    command: &Command,
    document: Option<&str>,
    touched: &mut BTreeMap<UniqueId, String>,
) -> Option<()> {
    if command.service != "iam" {
        return Some(());
    }
    let new = || Document::parse(document?, DocumentKind::Identity).ok().map(IdentityText::of);
    match command.operation.as_str() {
        "put-user-policy" | "put-group-policy" | "put-role-policy" => {
            let held = InlinePolicy { document: new()?, ..inline(account, command)?.clone() };
            touch(account, held.owner, touched);
            account.put(Record::InlinePolicy(Arc::new(held)));
        }
        "create-policy-version" => {
            let (policy, version) = in_force(account, command)?;
            let arn = account.policy_arn(policy);
            let version = PolicyVersion { document: new()?, ..PolicyVersion::clone(version) };
            for owner in account.attached_to(&arn).collect::<Vec<_>>() {
                touch(account, owner, touched);
            }
            account.put(Record::PolicyVersion(Arc::new(version)));
        }
        "delete-user-policy" | "delete-group-policy" | "delete-role-policy" => {
            let held = inline(account, command)?.clone();
            touch(account, held.owner, touched);
            account.remove(&RecordKey::InlinePolicy(held.owner, held.name));
        }
        "detach-user-policy" | "detach-group-policy" | "detach-role-policy" => {
            let owner = owner(account, command)?;
            let arn: Arn = command.value("policy-arn")?.parse().ok()?;
            touch(account, owner, touched);
            account.remove(&RecordKey::Attachment(owner, arn));
        }
        "delete-role" => {
            let owner = owner(account, command)?;
            touch(account, owner, touched);
            for arn in account.attached(owner).cloned().collect::<Vec<_>>() {
                account.remove(&RecordKey::Attachment(owner, arn));
            }
            let names: Vec<_> =
                account.inline_policies(owner).map(|one| one.name.clone()).collect();
            for name in names {
                account.remove(&RecordKey::InlinePolicy(owner, name));
            }
        }
        "create-policy" | "attach-user-policy" | "attach-group-policy" | "attach-role-policy" => {
            return None;
        }
        _ => {}
    }
    Some(())
}

/// The observed calls of a user or role, with its policies as they are and as the changed account has
/// them. None where some policy cannot be read.
pub(super) fn breaks_of(
    estate: &Estate,
    changed: &Account,
    id: UniqueId,
    usage: &Usage,
) -> Option<Breaks> {
    let is_user = estate.account.user(&id).is_some();
    let subject = || match estate.account.user(&id) {
        Some(user) => Some(estate.user(user)),
        None => Some(estate.role(estate.account.role(&id)?)),
    };
    let after = if is_user {
        Effective::of_user(changed, &estate.managed, id)
    } else {
        Effective::of_role(changed, &estate.managed, id)
    };
    let before = subject()?;
    if before.effective.unreadable.is_some() || after.unreadable.is_some() {
        return None;
    }
    let documents =
        after.identity.into_iter().map(|found| (found.source.id.to_string(), found.document));
    let after = Holding::within(estate, subject()?, documents);
    Some(breaks(Some(&Holding::held(estate, before)), &after, usage))
}

fn owner(account: &Account, command: &Command) -> Option<UniqueId> {
    let (kind, name) = command.holder()?;
    match kind {
        "user" => account.user_named(name).map(|user| user.id),
        "group" => account.group_named(name).map(|group| group.id),
        _ => account.role_named(name).map(|role| role.id),
    }
}

fn inline<'a>(account: &'a Account, command: &Command) -> Option<&'a InlinePolicy> {
    let name = command.value("policy-name")?.parse().ok()?;
    account.inline_policy(owner(account, command)?, &name).map(AsRef::as_ref)
}

fn in_force<'a>(
    account: &'a Account,
    command: &Command,
) -> Option<(&'a Policy, &'a PolicyVersion)> {
    let arn: Arn = command.value("policy-arn")?.parse().ok()?;
    let policy = account.policy_with_arn(&arn)?;
    let version = account.version(policy.id, policy.default_version)?;
    Some((policy, version))
}

/// The users and roles that have the policies of an owner: itself, or a group's members.
fn touch(account: &Account, owner: UniqueId, touched: &mut BTreeMap<UniqueId, String>) {
    let mut user = |user: &bailiwick_model::User| {
        touched.insert(user.id, account.user_arn(user).to_string());
    };
    if let Some(one) = account.user(&owner) {
        user(one);
    }
    account.members_of(owner).for_each(|member| user(member));
    if let Some(role) = account.role(&owner) {
        touched.insert(role.id, account.role_arn(role).to_string());
    }
}
