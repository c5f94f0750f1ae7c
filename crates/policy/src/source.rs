//! Where a policy comes from, as explanations and denials name it.

use std::sync::Arc;

use serde::Serialize;

/// One policy as it is attached: what it is called and by what way it applies.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Source {
    /// The ARN of a managed policy, or the name of an inline one; for resource policies any text
    /// that tells the reader which.
    pub id: Arc<str>,
    /// How it applies.
    pub kind: SourceKind,
    /// The policy's ARN if it has one, for the text of a denial (SIM-12).
    pub arn: Option<Arc<str>>,
}

/// How a policy applies to a request (IN-2).
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceKind {
    /// Inline policy of the calling user.
    UserInline,
    /// Customer managed policy attached to the calling user.
    UserManaged,
    /// Inline policy of a group of the caller.
    GroupInline {
        /// The group's name.
        group: Arc<str>,
    },
    /// Customer managed policy attached to a group of the caller.
    GroupManaged {
        /// The group's name.
        group: Arc<str>,
    },
    /// Inline policy of the caller's role.
    RoleInline,
    /// Customer managed policy attached to the caller's role.
    RoleManaged,
    /// AWS managed policy attached to the caller, one of its groups, or its role.
    AwsManaged,
    /// The permissions boundary of the calling user or role.
    Boundary,
    /// The policy text passed when the session was made.
    SessionInline,
    /// A managed policy passed when the session was made.
    SessionManaged,
    /// The trust policy of the role to be assumed.
    Trust,
    /// The policy attached to the resource.
    Resource,
    /// A service control policy of the caller's organization.
    Scp,
    /// A resource control policy of the resource owner's organization.
    Rcp,
    /// The policy of the VPC endpoint by which the call came.
    Endpoint,
}

impl Source {
    /// A policy without ARN, such as an inline one.
    pub fn new(id: impl Into<Arc<str>>, kind: SourceKind) -> Self {
        Self { id: id.into(), kind, arn: None }
    }

    /// A policy that is known by its ARN.
    pub fn managed(arn: impl Into<Arc<str>>, kind: SourceKind) -> Self {
        let arn = arn.into();
        Self { id: Arc::clone(&arn), kind, arn: Some(arn) }
    }
}
