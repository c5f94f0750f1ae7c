//! What a step changes in the policies of a principal, and the principal as it stands after.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use bailiwick_identifiers::Arn;
use bailiwick_model::{Account, Effective, Found, Group, document};
use bailiwick_policy::{Document, DocumentKind, Principal, Source, SourceKind};
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
        /// The version, from 1; 0 for one of the actor's own making, which allows everything.
        number: u32,
    },
    /// Its permissions boundary is gone, or allows everything.
    Unbound,
    /// Something else that held it back no longer does.
    Lifted {
        /// What.
        limit: Limit,
    },
}

/// What holds a principal back beside a boundary, and can be taken away or changed.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Limit {
    /// A policy that denies is gone.
    Policy {
        /// Its name, or its ARN.
        policy: String,
        /// The name of the group that had it, where it was a group's.
        #[serde(skip_serializing_if = "Option::is_none")]
        group: Option<String>,
    },
    /// It has left a group whose policies deny.
    Group {
        /// The group's name.
        group: String,
    },
    /// Another boundary is in place of the one that it had.
    Boundary {
        /// The policy's ARN.
        policy: String,
    },
    /// A tag of it has another value, or is gone.
    Tag {
        /// The tag's key.
        key: String,
        /// The value; none: it is gone.
        value: Option<String>,
    },
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Policy { policy, .. } => write!(f, "without {policy}"),
            Self::Group { group } => write!(f, "out of group {group}"),
            Self::Boundary { policy } => write!(f, "with {policy} as boundary"),
            Self::Tag { key, value: Some(value) } => write!(f, "with tag {key} = {value}"),
            Self::Tag { key, value: None } => write!(f, "without tag {key}"),
        }
    }
}

impl Change {
    /// Whether it takes a limit away, as against giving something.
    pub(super) fn lifts(&self) -> bool {
        matches!(self, Self::Unbound | Self::Lifted { .. })
    }
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
                Change::Version { policy, number: 0 } => {
                    write!(f, " with a version of its own of {policy}")?;
                }
                Change::Version { policy, number } => write!(f, " with v{number} of {policy}")?,
                Change::Unbound => f.write_str(" without boundary")?,
                Change::Lifted { limit } => write!(f, " {limit}")?,
            }
        }
        Ok(())
    }
}

/// What allows everything.
pub(super) static EVERYTHING: LazyLock<Option<Arc<Document>>> = LazyLock::new(|| {
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
                if *number == 0 {
                    return EVERYTHING.clone();
                }
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
        Change::Lifted { limit } => lift(estate, &mut subject, limit),
    }
    subject
}

fn lift(estate: &Estate, subject: &mut Subject, limit: &Limit) {
    let effective = &mut subject.effective;
    match limit {
        Limit::Policy { policy, group } => effective.identity.retain(|found| {
            *found.source.id != **policy || group_of(&found.source.kind) != group.as_deref()
        }),
        Limit::Group { group } => {
            effective.identity.retain(|found| group_of(&found.source.kind) != Some(group));
        }
        Limit::Boundary { policy } => {
            if let Some(found) = boundary(estate, policy) {
                effective.boundary = Some(found);
            }
        }
        Limit::Tag { key, value } => subject.retag(key, value.as_deref()),
    }
}

/// A managed policy as a boundary.
pub(super) fn boundary(estate: &Estate, policy: &str) -> Option<Found> {
    let arn = policy.parse::<Arn>().ok()?;
    let document = document(&estate.account, &estate.managed, &arn)?;
    Some(Found { source: Source::managed(policy, SourceKind::Boundary), document })
}

/// The name of the group that a policy comes by.
fn group_of(kind: &SourceKind) -> Option<&str> {
    match kind {
        SourceKind::GroupInline { group } | SourceKind::GroupManaged { group } => Some(group),
        _ => None,
    }
}

/// The group by which each identity policy comes; none for what hangs on the principal itself.
pub(super) fn groups_by(account: &Account, subject: &Subject) -> Vec<Option<Arc<str>>> {
    let user = match &subject.principal {
        Principal::User { id, .. } => Some(*id),
        _ => None,
    };
    let mut copies: HashMap<&str, usize> = HashMap::new();
    let mut all = Vec::new();
    for found in &subject.effective.identity {
        let policy = &*found.source.id;
        let group = match &found.source.kind {
            SourceKind::GroupInline { group } | SourceKind::GroupManaged { group } => {
                Some(Arc::clone(group))
            }
            // The source of AWS's policies does not say: each owner has given one, the user first.
            SourceKind::AwsManaged => user.and_then(|user| {
                let has = |owner| account.attached(owner).any(|held| held.as_str() == policy);
                let before = copies.entry(policy).or_default();
                let place = before.checked_sub(usize::from(has(user)));
                *before += 1;
                let mut groups = account.groups_of(user).filter(|group| has(group.id));
                groups.nth(place?).map(|group| group.name.as_str().into())
            }),
            _ => None,
        };
        all.push(group);
    }
    all
}

/// Says of AWS's policies too by which group they come, so that a change takes no other owner's.
fn name_groups(account: &Account, subject: &mut Subject) {
    let groups = groups_by(account, subject);
    for (found, group) in subject.effective.identity.iter_mut().zip(groups) {
        if let (SourceKind::AwsManaged, Some(group)) = (&found.source.kind, group) {
            found.source.kind = SourceKind::GroupManaged { group };
        }
    }
}

/// Adds the policies of a group. One that cannot be read denies everything (IN-6).
fn join(estate: &Estate, effective: &mut Effective, group: &Group) {
    for (source, document) in policies_of(estate, group) {
        match document {
            Some(document) => effective.identity.push(Found { source, document }),
            None => effective.unreadable = Some(source),
        }
    }
}

/// The policies of a group, inline ones first.
pub(super) fn policies_of(estate: &Estate, group: &Group) -> Vec<(Source, Option<Arc<Document>>)> {
    let account = &estate.account;
    let name: Arc<str> = group.name.as_str().into();
    let inline = account.inline_policies(group.id).map(|policy| {
        let kind = SourceKind::GroupInline { group: Arc::clone(&name) };
        let source = Source::new(policy.name.as_str(), kind);
        (source, policy.document.document().ok().cloned())
    });
    let attached = account.attached(group.id).map(|arn| {
        let kind = SourceKind::GroupManaged { group: Arc::clone(&name) };
        let source = Source::managed(arn.as_str(), kind);
        (source, document(account, &estate.managed, arn))
    });
    inline.chain(attached).collect()
}

/// The principal of a standpoint, if the estate has it.
pub(super) fn subject(estate: &Estate, at: &Standpoint) -> Option<Subject> {
    let mut subject = estate.subject(&at.principal)?;
    if !at.changes.is_empty() {
        name_groups(&estate.account, &mut subject);
    }
    Some(at.changes.iter().fold(subject, |subject, change| apply(estate, subject, change)))
}
