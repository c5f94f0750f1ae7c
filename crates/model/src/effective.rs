//! Which policies apply to a principal: written once, for live decisions, simulation and analysis.

use std::sync::Arc;

use bailiwick_identifiers::{Arn, UniqueId};
use bailiwick_policy::{Applicable, Attached, Document, Source, SourceKind};

use crate::account::Account;
use crate::managed::ManagedPolicies;
use crate::text::IdentityText;

/// A policy with the place it comes from.
#[derive(Clone, Debug)]
pub struct Found {
    /// Where it comes from.
    pub source: Source,
    /// What it says.
    pub document: Arc<Document>,
}

impl Found {
    /// As the engine takes it.
    pub fn attached(&self) -> Attached<'_> {
        Attached { source: &self.source, document: &self.document }
    }
}

/// The policies that apply to a principal, found in one state of its account. The other kinds
/// (resource, organization, endpoint) depend on the request and are added by its host.
#[derive(Clone, Debug, Default)]
pub struct Effective {
    /// Its own policies, those of its groups, or of its role.
    pub identity: Vec<Found>,
    /// Its permissions boundary.
    pub boundary: Option<Found>,
    /// Its session policies; none for credentials without.
    pub session: Option<Vec<Found>>,
    /// A policy that applies but cannot be read, so that everything is denied (IN-6).
    pub unreadable: Option<Source>,
}

/// How a managed policy hangs on its owner.
enum Hanging<'a> {
    User,
    Group(&'a Arc<str>),
    Role,
}

impl Effective {
    /// The policies of a user, with those of its groups.
    pub fn of_user(account: &Account, managed: &ManagedPolicies, user: UniqueId) -> Self {
        let mut found = Self::default();
        found.owned_by(account, managed, user, &Hanging::User);
        for group in account.groups_of(user) {
            let name: Arc<str> = group.name.as_str().into();
            found.owned_by(account, managed, group.id, &Hanging::Group(&name));
        }
        let boundary = account.user(&user).and_then(|user| user.boundary.as_ref());
        found.bound_by(account, managed, boundary);
        found
    }

    /// The policies of a role.
    pub fn of_role(account: &Account, managed: &ManagedPolicies, role: UniqueId) -> Self {
        let mut found = Self::default();
        found.owned_by(account, managed, role, &Hanging::Role);
        let boundary = account.role(&role).and_then(|role| role.boundary.as_ref());
        found.bound_by(account, managed, boundary);
        found
    }

    /// Adds session policies (SES-1): an inline text and managed policies, a union. A session
    /// without either is not limited (SES-5).
    pub fn limit_session(
        &mut self,
        account: &Account,
        managed: &ManagedPolicies,
        inline: Option<&IdentityText>,
        arns: &[Arn],
    ) {
        if inline.is_none() && arns.is_empty() {
            return;
        }
        let mut session = Vec::new();
        if let Some(text) = inline {
            let source = Source::new("session policy", SourceKind::SessionInline);
            self.add(&mut session, source, text.document().ok().cloned());
        }
        for arn in arns {
            let source = Source::managed(arn.as_str(), SourceKind::SessionManaged);
            self.add(&mut session, source, document(account, managed, arn));
        }
        self.session = Some(session);
    }

    /// As the engine takes them.
    pub fn applicable(&self) -> Applicable<'_> {
        Applicable {
            identity: self.identity.iter().map(Found::attached).collect(),
            boundary: self.boundary.as_ref().map(Found::attached),
            session: self.session.as_ref().map(|all| all.iter().map(Found::attached).collect()),
            unreadable: self.unreadable.as_ref(),
            ..Applicable::default()
        }
    }

    fn owned_by(
        &mut self,
        account: &Account,
        managed: &ManagedPolicies,
        owner: UniqueId,
        hanging: &Hanging<'_>,
    ) {
        let mut found = Vec::new();
        for policy in account.inline_policies(owner) {
            let kind = match hanging {
                Hanging::User => SourceKind::UserInline,
                Hanging::Group(group) => SourceKind::GroupInline { group: Arc::clone(group) },
                Hanging::Role => SourceKind::RoleInline,
            };
            let document = policy.document.document().ok().cloned();
            self.add(&mut found, Source::new(policy.name.as_str(), kind), document);
        }
        for arn in account.attached(owner) {
            let kind = match hanging {
                _ if arn.account() == "aws" => SourceKind::AwsManaged,
                Hanging::User => SourceKind::UserManaged,
                Hanging::Group(group) => SourceKind::GroupManaged { group: Arc::clone(group) },
                Hanging::Role => SourceKind::RoleManaged,
            };
            let document = document(account, managed, arn);
            self.add(&mut found, Source::managed(arn.as_str(), kind), document);
        }
        self.identity.append(&mut found);
    }

    fn bound_by(&mut self, account: &Account, managed: &ManagedPolicies, boundary: Option<&Arn>) {
        if let Some(arn) = boundary {
            let source = Source::managed(arn.as_str(), SourceKind::Boundary);
            let mut found = Vec::new();
            self.add(&mut found, source, document(account, managed, arn));
            self.boundary = found.pop();
        }
    }

    fn add(&mut self, found: &mut Vec<Found>, source: Source, document: Option<Arc<Document>>) {
        match document {
            Some(document) => found.push(Found { source, document }),
            None => self.unreadable = Some(source),
        }
    }
}

/// The document in force of a managed policy: the customer's own, or AWS's.
pub fn document(account: &Account, managed: &ManagedPolicies, arn: &Arn) -> Option<Arc<Document>> {
    if arn.partition() != account.partition().as_str() {
        return None;
    }
    if arn.account() == "aws" {
        return managed.document(arn);
    }
    let policy = account.policy_with_arn(arn)?;
    let version = account.version(policy.id, policy.default_version)?;
    version.document.document().ok().cloned()
}
