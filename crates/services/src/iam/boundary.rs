//! Permissions boundaries of users and roles: the managed policy that bounds what they may do.
//!
//! A boundary is set with the entity or put later; here is what both share, and the operations that
//! put and delete one.

use std::sync::Arc;

use bailiwick_identifiers::Arn;
use bailiwick_model::{Record, Role, User};
use bailiwick_wire::Empty;
use bailiwick_wire::generated::iam as api;

use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::fault::Fault;
use crate::operation::{Entry, Operation, entry};

use super::holder::Kind;
use super::managed::{self, Managed};
use super::{role, user};

pub(super) const OPERATIONS: &[Entry] = &[
    entry::<PutUserPermissionsBoundary>(),
    entry::<DeleteUserPermissionsBoundary>(),
    entry::<PutRolePermissionsBoundary>(),
    entry::<DeleteRolePermissionsBoundary>(),
];

/// The ARN of a boundary in a request, where it need not name one.
pub(super) fn parse_optional(arn: Option<&str>) -> Result<Option<Arn>, Fault> {
    arn.map(managed::parse_arn).transpose()
}

/// Refuses a boundary that is no managed policy of the account or of AWS, and one that is made for
/// service-linked roles.
fn require(call: &Call<'_>, arn: &Arn) -> Result<(), Fault> {
    match managed::find(call, arn) {
        Some(Managed::Aws(policy)) if policy.is_for_service_linked_roles() => Err(Fault::new(
            "PolicyNotAttachable",
            "Cannot attach a Service Role Policy to a Customer Role.",
        )),
        Some(Managed::Aws(policy)) if policy.attachable => Ok(()),
        Some(Managed::Customer(_)) => Ok(()),
        // AWS calls the boundary a scope here (*observed*).
        Some(Managed::Aws(_)) | None => Err(Fault::new(
            "NoSuchEntity",
            format!("Scope ARN: {arn} does not exist or is not attachable."),
        )),
    }
}

/// As above, where a request need not name a boundary.
pub(super) fn require_optional(call: &Call<'_>, arn: Option<&Arn>) -> Result<(), Fault> {
    arn.map_or(Ok(()), |arn| require(call, arn))
}

/// A boundary as the description of its entity shows it.
pub(super) fn describe(arn: &Arn) -> api::AttachedPermissionsBoundary {
    api::AttachedPermissionsBoundary {
        // The API model has `PermissionsBoundaryPolicy`, AWS answers `Policy` (*observed*).
        permissions_boundary_type: Some("Policy".into()),
        permissions_boundary_arn: Some(arn.to_string()),
    }
}

/// Bounds a user by a managed policy.
struct PutUserPermissionsBoundary {
    user: String,
    boundary: Arn,
}

impl Operation for PutUserPermissionsBoundary {
    type Api = api::PutUserPermissionsBoundary;

    fn parse(request: api::PutUserPermissionsBoundaryRequest) -> Result<Self, Fault> {
        Ok(Self {
            user: request.user_name,
            boundary: managed::parse_arn(&request.permissions_boundary)?,
        })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![Kind::User.ask::<Self>(call, &self.user).boundary(Some(&self.boundary))])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let user = user::named(call, &self.user)?;
        require(call, &self.boundary)?;
        bound_user(call, &user, Some(self.boundary.clone()));
        Ok(Empty)
    }
}

/// Takes a user's boundary away. Without one it does nothing.
struct DeleteUserPermissionsBoundary {
    user: String,
}

impl Operation for DeleteUserPermissionsBoundary {
    type Api = api::DeleteUserPermissionsBoundary;

    fn parse(request: api::DeleteUserPermissionsBoundaryRequest) -> Result<Self, Fault> {
        Ok(Self { user: request.user_name })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![Kind::User.ask_bounded::<Self>(call, &self.user)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let user = user::named(call, &self.user)?;
        if user.boundary.is_some() {
            bound_user(call, &user, None);
        }
        Ok(Empty)
    }
}

fn bound_user(call: &mut Permitted<'_>, user: &User, boundary: Option<Arn>) {
    call.update(Record::User(Arc::new(User { boundary, ..user.clone() })));
}

/// Bounds a role by a managed policy.
struct PutRolePermissionsBoundary {
    role: String,
    boundary: Arn,
}

impl Operation for PutRolePermissionsBoundary {
    type Api = api::PutRolePermissionsBoundary;

    fn parse(request: api::PutRolePermissionsBoundaryRequest) -> Result<Self, Fault> {
        Ok(Self {
            role: request.role_name,
            boundary: managed::parse_arn(&request.permissions_boundary)?,
        })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![Kind::Role.ask::<Self>(call, &self.role).boundary(Some(&self.boundary))])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let role = role::modifiable(call, &self.role)?;
        require(call, &self.boundary)?;
        bound_role(call, &role, Some(self.boundary.clone()));
        Ok(Empty)
    }
}

/// Takes a role's boundary away. Without one it does nothing.
struct DeleteRolePermissionsBoundary {
    role: String,
}

impl Operation for DeleteRolePermissionsBoundary {
    type Api = api::DeleteRolePermissionsBoundary;

    fn parse(request: api::DeleteRolePermissionsBoundaryRequest) -> Result<Self, Fault> {
        Ok(Self { role: request.role_name })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![Kind::Role.ask_bounded::<Self>(call, &self.role)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let role = role::modifiable(call, &self.role)?;
        if role.boundary.is_some() {
            bound_role(call, &role, None);
        }
        Ok(Empty)
    }
}

fn bound_role(call: &mut Permitted<'_>, role: &Role, boundary: Option<Arn>) {
    call.update(Record::Role(Arc::new(Role { boundary, ..role.clone() })));
}
