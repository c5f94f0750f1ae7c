//! Entries of Principal and NotPrincipal (PR-1 to PR-16).

use bailiwick_identifiers::{AccountId, UniqueId};
use serde::Serialize;

use crate::json::Span;
use crate::pattern::Pattern;

/// The type under which a principal stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub enum PrincipalType {
    /// The bare text: `"Principal": "*"`.
    Bare,
    /// `AWS`: accounts, users, roles, sessions.
    Aws,
    /// `Service`.
    Service,
    /// `Federated`: SAML and OIDC providers.
    Federated,
    /// `CanonicalUser`, which only S3 knows.
    CanonicalUser,
}

/// An entry of Principal or NotPrincipal as it is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PrincipalText<'a> {
    /// Its type.
    pub kind: PrincipalType,
    /// The entry.
    pub text: &'a str,
    /// Its place.
    pub position: super::Position,
}

/// Principal or NotPrincipal, compiled.
#[derive(Clone, Debug)]
pub(crate) struct PrincipalElement {
    pub(crate) negated: bool,
    pub(crate) entries: Vec<PrincipalEntry>,
    pub(crate) span: Span,
}

/// One entry, as written and compiled.
#[derive(Clone, Debug)]
pub(crate) struct PrincipalEntry {
    pub(crate) kind: PrincipalType,
    pub(crate) text: Box<str>,
    pub(crate) entry: Entry,
    pub(crate) span: Span,
}

/// Whom an entry means.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    /// `*`, in either spelling (PR-8).
    Everyone { bare: bool },
    /// An account, by id (no partition) or by root ARN.
    Account { partition: Option<Box<str>>, id: AccountId },
    /// The ARN of a user.
    User(Box<str>),
    /// The ARN of a role.
    Role(Box<str>),
    /// The ARN of a session of a role, and the role's ARN without path.
    Session { arn: Box<str>, role_arn: Box<str> },
    /// The ARN of a federated user.
    FederatedUser(Box<str>),
    /// A user or role by unique id (PR-12, PR-13).
    Id(UniqueId),
    /// A session by the id of its role and its own name (PR-12).
    BoundSession { role: UniqueId, session: Box<str> },
    /// The name of a service.
    Service(Box<str>),
    /// A SAML or OIDC provider.
    Federated(Box<str>),
    /// A partial wildcard under AWS, any under Service or Federated: invalid, but stored (PR-7).
    Wild {
        /// The type under which it stands.
        kind: PrincipalType,
        pattern: Box<Pattern>,
    },
    /// Whom we cannot mean: deleted entities, canonical users, texts that are no principals.
    Nobody,
}

impl PartialEq for Entry {
    /// Equal in what binding decides.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Id(left), Self::Id(right)) => left == right,
            (
                Self::BoundSession { role, session },
                Self::BoundSession { role: other_role, session: other_session },
            ) => role == other_role && session == other_session,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

impl PrincipalType {
    pub(crate) fn of(text: &str) -> Self {
        match text {
            "AWS" => Self::Aws,
            "Service" => Self::Service,
            "Federated" => Self::Federated,
            "CanonicalUser" => Self::CanonicalUser,
            _ => Self::Bare,
        }
    }
}

impl Entry {
    pub(crate) fn new(kind: PrincipalType, text: &str) -> Self {
        match kind {
            PrincipalType::Bare if text == "*" => Self::Everyone { bare: true },
            PrincipalType::Aws if text == "*" => Self::Everyone { bare: false },
            PrincipalType::Service | PrincipalType::Federated if text.contains(['*', '?']) => {
                Self::wild(kind, text)
            }
            PrincipalType::Service => Self::Service(text.into()),
            PrincipalType::Federated => Self::Federated(text.into()),
            PrincipalType::Aws | PrincipalType::Bare => Self::aws(text),
            PrincipalType::CanonicalUser => Self::Nobody,
        }
    }

    fn wild(kind: PrincipalType, text: &str) -> Self {
        Self::Wild { kind, pattern: Box::new(Pattern::new(text, false)) }
    }

    fn aws(text: &str) -> Self {
        if let Ok(id) = text.parse() {
            return Self::Account { partition: None, id };
        }
        if let Ok(id) = text.parse() {
            return Self::Id(id);
        }
        if text.contains(['*', '?']) {
            return Self::wild(PrincipalType::Aws, text);
        }
        let fields: Vec<&str> = text.splitn(6, ':').collect();
        let [arn, partition, service, region, account, resource] = fields.as_slice() else {
            return Self::Nobody;
        };
        let Ok(id) = account.parse() else { return Self::Nobody };
        if *arn != "arn" || !region.is_empty() {
            return Self::Nobody;
        }
        match (*service, resource.split_once('/')) {
            ("iam", None) if *resource == "root" => {
                Self::Account { partition: Some((*partition).into()), id }
            }
            ("iam", Some(("user", name))) if !name.is_empty() => Self::User(text.into()),
            ("iam", Some(("role", name))) if !name.is_empty() => Self::Role(text.into()),
            ("sts", Some(("federated-user", name))) if !name.is_empty() => {
                Self::FederatedUser(text.into())
            }
            ("sts", Some(("assumed-role", rest))) => match rest.split_once('/') {
                Some((role, session)) if !role.is_empty() && !session.is_empty() => Self::Session {
                    arn: text.into(),
                    role_arn: format!("arn:{partition}:iam::{account}:role/{role}").into(),
                },
                _ => Self::Nobody,
            },
            _ => Self::Nobody,
        }
    }
}
