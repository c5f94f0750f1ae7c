//! What a step changes in the policies of a principal, and the principal as it stands after.

use std::sync::{Arc, LazyLock};

use bailiwick_identifiers::{Arn, UniqueId};
use bailiwick_model::{Effective, Found, Group, document};
use bailiwick_policy::{Document, DocumentKind, Source, SourceKind};
use serde::Serialize;

use crate::estate::{Estate, Subject};

/// A change in what applies to a principal.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase", tag = "change")]
pub enum Change {
    /// It has a policy of the actor's own making, which allows everything.
    Everything,
    /// A managed policy is attached to it.
    Attached {
        /// The policy's ARN.
        policy: String,
    },
    /// It is a member of a group.
    Member {
        /// The group's ARN.
        group: String,
    },
    /// Another version of a policy that it has is in force.
    Version {
        /// The policy's ARN.
        policy: String,
        /// The version, from 1.
        number: u32,
    },
    /// Its permissions boundary is gone, or allows everything.
    Unbound,
}

/// A principal with what earlier steps have changed.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Standpoint {
    /// The ARN of the user or role.
    pub principal: String,
    /// The changes, in no order that means anything.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
}

impl std::fmt::Display for Standpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.principal)?;
        for change in &self.changes {
            match change {
                Change::Everything => f.write_str(" with a policy of its own making")?,
                Change::Attached { policy } => write!(f, " with {policy}")?,
                Change::Member { group } => write!(f, " in {group}")?,
                Change::Version { policy, number } => write!(f, " with v{number} of {policy}")?,
                Change::Unbound => f.write_str(" without boundary")?,
            }
        }
        Ok(())
    }
}

/// What allows everything.
static EVERYTHING: LazyLock<Option<Arc<Document>>> = LazyLock::new(|| {
    let text =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    Document::parse(text, DocumentKind::Identity).ok().map(Arc::new)
});

/// The principal with a change; unchanged if what it names is not there.
pub(super) fn apply(estate: &Estate, mut subject: Subject, change: &Change) -> Subject {
    let effective = &mut subject.effective;
    match change {
        Change::Everything => {
            if let Some(document) = EVERYTHING.clone() {
                let source = Source::new("policy of its own making", SourceKind::UserInline);
                effective.identity.push(Found { source, document });
            }
        }
        Change::Attached { policy } => {
            let found = policy.parse::<Arn>().ok();
            let found = found.and_then(|arn| document(&estate.account, &estate.managed, &arn));
            if let Some(document) = found {
                let source = Source::managed(policy.as_str(), SourceKind::UserManaged);
                effective.identity.push(Found { source, document });
            }
        }
        Change::Member { group } => {
            let arn = group.parse::<Arn>().ok();
            if let Some(group) = arn.and_then(|arn| estate.account.group_with_arn(&arn)) {
                join(estate, effective, group);
            }
        }
        Change::Version { policy, number } => {
            let found = policy.parse::<Arn>().ok();
            let found = found.and_then(|arn| {
                let held = estate.account.policy_with_arn(&arn)?;
                let version = estate.account.version(held.id, *number)?;
                version.document.document().ok().cloned()
            });
            if let Some(document) = found {
                let named = |found: &&mut Found| found.source.arn.as_deref() == Some(policy);
                for found in effective.identity.iter_mut().filter(named) {
                    found.document = Arc::clone(&document);
                }
            }
        }
        Change::Unbound => effective.boundary = None,
    }
    subject
}

/// Adds the policies of a group. One that cannot be read denies everything (IN-6).
fn join(estate: &Estate, effective: &mut Effective, group: &Group) {
    for (source, document) in policies_of(estate, group.id) {
        match document {
            Some(document) => effective.identity.push(Found { source, document }),
            None => effective.unreadable = Some(source),
        }
    }
}

/// The policies of a group, inline ones first.
pub(super) fn policies_of(
    estate: &Estate,
    owner: UniqueId,
) -> Vec<(Source, Option<Arc<Document>>)> {
    let account = &estate.account;
    let inline = account.inline_policies(owner).map(|policy| {
        let source = Source::new(policy.name.as_str(), SourceKind::UserInline);
        (source, policy.document.document().ok().cloned())
    });
    let attached = account.attached(owner).map(|arn| {
        let source = Source::managed(arn.as_str(), SourceKind::UserManaged);
        (source, document(account, &estate.managed, arn))
    });
    inline.chain(attached).collect()
}

/// The principal of a standpoint, if the estate has it.
pub(super) fn subject(estate: &Estate, at: &Standpoint) -> Option<Subject> {
    let arn: Arn = at.principal.parse().ok()?;
    let subject = match estate.account.user_with_arn(&arn) {
        Some(user) => estate.user(user),
        None => estate.role(estate.account.role_with_arn(&arn)?),
    };
    Some(at.changes.iter().fold(subject, |subject, change| apply(estate, subject, change)))
}
