//! Roles: who may assume them, and the operations on them. Policies, boundaries and instance
//! profiles of a role have files of their own.

use std::sync::Arc;

use bailiwick_identifiers::{Arn, IdKind, Path, RoleName, TagSet};
use bailiwick_model::{Account, Record, RecordKey, Role};
use bailiwick_wire::Empty;
use bailiwick_wire::generated::iam as api;

use super::documents::{self, TrustDraft};
use super::holder::Kind;
use super::{boundary, last_accessed, tags, user};
use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::fault::Fault;
use crate::operation::{Entry, Operation, entry};
use crate::page::{self, Paging};

pub(super) const OPERATIONS: &[Entry] = &[
    entry::<CreateRole>(),
    entry::<GetRole>(),
    entry::<ListRoles>(),
    entry::<UpdateRole>(),
    entry::<UpdateRoleDescription>(),
    entry::<UpdateAssumeRolePolicy>(),
    entry::<DeleteRole>(),
    entry::<TagRole>(),
    entry::<UntagRole>(),
    entry::<ListRoleTags>(),
];

/// The longest session of a role that says nothing else, in seconds. Source: IAM API, CreateRole.
pub(super) const DEFAULT_SESSION: u32 = 3600;

/// Paths that mark roles as AWS's own. Nobody else may make such a role, for tools exempt them, nor
/// change one.
const RESERVED_PATHS: &[&str] = &["/aws-service-role/", "/aws-reserved/"];

/// Refuses to change a role that belongs to AWS. AWS's words (*observed*).
pub(super) fn require_modifiable(path: &str, name: &str) -> Result<(), Fault> {
    if RESERVED_PATHS.iter().any(|reserved| path.starts_with(reserved)) {
        return Err(Fault::new(
            "UnmodifiableEntity",
            format!(
                "Cannot perform the operation on the protected role '{name}' - this role is only \
                 modifiable by AWS"
            ),
        ));
    }
    Ok(())
}

/// The stored role of a name, if the account itself may change it.
pub(super) fn modifiable(call: &Call<'_>, name: &str) -> Result<Arc<Role>, Fault> {
    let role = named(call, name)?;
    require_modifiable(role.path.as_str(), role.name.as_str())?;
    Ok(role)
}

/// The stored role of a name, whatever the name's case.
pub(super) fn named(call: &Call<'_>, name: &str) -> Result<Arc<Role>, Fault> {
    call.account().role_named(name).cloned().ok_or_else(|| Fault::no_such("role", name))
}

/// A role with all that lists show: no tags, boundary and last use. Source: IAM API, ListRoles.
pub(super) fn describe_in_list(call: &Call<'_>, role: &Role) -> api::Role {
    api::Role {
        path: role.path.to_string(),
        role_name: role.name.to_string(),
        role_id: role.id.to_string(),
        arn: call.account().role_arn(role).to_string(),
        create_date: role.created,
        assume_role_policy_document: Some(documents::trust_shown(call, role)),
        description: role.description.clone(),
        max_session_duration: i32::try_from(role.max_session_seconds).ok(),
        ..api::Role::default()
    }
}

/// A role with its tags and its boundary.
pub(super) fn describe(call: &Call<'_>, role: &Role) -> api::Role {
    api::Role {
        permissions_boundary: role.boundary.as_ref().map(boundary::describe),
        tags: tags::describe_any(&role.tags),
        ..describe_in_list(call, role)
    }
}

/// When and where a role was last used; empty before its first use, and when that is longer ago than
/// uses are tracked.
pub(super) fn describe_last_use(call: &Call<'_>, role: &Role) -> api::RoleLastUsed {
    let last = call.node().last_role_use(call.account(), &role.id);
    match last.filter(|last| last_accessed::is_tracked(last.at, call.now())) {
        Some(last) => {
            api::RoleLastUsed { last_used_date: Some(last.at), region: Some(last.region) }
        }
        None => api::RoleLastUsed::default(),
    }
}

/// Adds a role to the caller's account.
struct CreateRole {
    name: RoleName,
    path: Path,
    trust: TrustDraft,
    description: Option<String>,
    max_session_seconds: u32,
    boundary: Option<Arn>,
    tags: TagSet,
}

impl Operation for CreateRole {
    type Api = api::CreateRole;

    fn parse(request: api::CreateRoleRequest) -> Result<Self, Fault> {
        let path =
            request.path.map_or_else(|| Ok(Path::root()), |path| user::new_path("path", &path))?;
        if RESERVED_PATHS.iter().any(|reserved| path.as_str().starts_with(reserved)) {
            return Err(Fault::invalid_input(format!(
                "The path {path} is reserved for roles that AWS makes."
            )));
        }
        Ok(Self {
            name: user::new_name("roleName", &request.role_name)?,
            path,
            trust: TrustDraft::new(&request.assume_role_policy_document),
            description: request.description,
            max_session_seconds: session_seconds(request.max_session_duration)?
                .unwrap_or(DEFAULT_SESSION),
            boundary: boundary::parse_optional(request.permissions_boundary.as_deref())?,
            tags: tags::parse(request.tags)?,
        })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        let arn = Arn::role(call.partition(), call.account().id(), &self.path, &self.name);
        let ask = call
            .ask::<Self>(arn.as_str())
            .request_tags(&self.tags)
            .boundary(self.boundary.as_ref());
        let tagging =
            (!self.tags.is_empty()).then(|| Ask { action: "iam:TagRole".into(), ..ask.clone() });
        Ok([ask].into_iter().chain(tagging).collect())
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::CreateRoleResponse, Fault> {
        if call.account().role_named(self.name.as_str()).is_some() {
            return Err(Fault::exists("Role", self.name.as_str()));
        }
        call.require_room(call.account().roles().len(), "RolesPerAccount", call.quotas().roles)?;
        tags::require_room(&self.tags, call, "Role")?;
        boundary::require_optional(call, self.boundary.as_ref())?;
        let trust = self.trust.text(call)?;
        let role = Arc::new(Role {
            id: call.mint().unique_id(IdKind::Role),
            name: self.name.clone(),
            path: self.path.clone(),
            created: call.now(),
            description: self.description.clone(),
            max_session_seconds: self.max_session_seconds,
            trust,
            tags: self.tags.clone(),
            boundary: self.boundary.clone(),
        });
        call.create(Record::Role(Arc::clone(&role)));
        Ok(api::CreateRoleResponse { role: describe(call, &role) })
    }
}

/// The longest session that a request sets. Validation has bounded it.
fn session_seconds(requested: Option<i32>) -> Result<Option<u32>, Fault> {
    let seconds = requested.map(u32::try_from).transpose();
    seconds.map_err(|_| Fault::validation("The specified value for maxSessionDuration is invalid."))
}

/// Shows a role.
struct GetRole {
    name: String,
}

impl Operation for GetRole {
    type Api = api::GetRole;

    fn parse(request: api::GetRoleRequest) -> Result<Self, Fault> {
        Ok(Self { name: request.role_name })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![Kind::Role.ask_bounded::<Self>(call, &self.name)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::GetRoleResponse, Fault> {
        let role = named(call, &self.name)?;
        let role_last_used = Some(describe_last_use(call, &role));
        Ok(api::GetRoleResponse { role: api::Role { role_last_used, ..describe(call, &role) } })
    }
}

/// Lists the roles below a path.
struct ListRoles {
    path_prefix: Option<String>,
    marker: Option<String>,
    max_items: Option<i32>,
}

impl Operation for ListRoles {
    type Api = api::ListRoles;

    fn parse(request: api::ListRolesRequest) -> Result<Self, Fault> {
        let api::ListRolesRequest { path_prefix, marker, max_items } = request;
        Ok(Self { path_prefix, marker, max_items })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![call.ask::<Self>(user::listed(call, "role", self.path_prefix.as_deref()))])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::ListRolesResponse, Fault> {
        let prefix = self.path_prefix.as_deref().unwrap_or("/");
        let roles = call.account().roles().filter(|role| role.path.as_str().starts_with(prefix));
        let paging = Paging { marker: self.marker.as_deref(), max_items: self.max_items };
        let key = |role: &&Arc<Role>| role.name.folded().as_str().to_owned();
        let cost = |role: &&Arc<Role>| page::document_cost(role.trust.source());
        let page = page::cut_weighed(call, paging, &[prefix], roles, key, cost)?;
        Ok(api::ListRolesResponse {
            roles: page.items.iter().map(|role| describe_in_list(call, role)).collect(),
            is_truncated: Some(page.marker.is_some()),
            marker: page.marker,
        })
    }
}

/// Sets a role's description and longest session. What the request leaves out stays as it is
/// (*observed*; the API's text on the default of one hour is CreateRole's).
struct UpdateRole {
    name: String,
    description: Option<String>,
    max_session_seconds: Option<u32>,
}

impl Operation for UpdateRole {
    type Api = api::UpdateRole;

    fn parse(request: api::UpdateRoleRequest) -> Result<Self, Fault> {
        Ok(Self {
            name: request.role_name,
            description: request.description,
            max_session_seconds: session_seconds(request.max_session_duration)?,
        })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![Kind::Role.ask_bounded::<Self>(call, &self.name)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::UpdateRoleResponse, Fault> {
        let role = named(call, &self.name)?;
        // The description of a service-linked role is the account's own. Source: IAM user guide,
        // id_roles_update-service-linked-role.
        if self.max_session_seconds.is_some() {
            require_modifiable(role.path.as_str(), role.name.as_str())?;
        }
        let max_session_seconds = self.max_session_seconds.unwrap_or(role.max_session_seconds);
        let description = self.description.clone().or_else(|| role.description.clone());
        replace(call, &role, Role { description, max_session_seconds, ..Role::clone(&role) });
        Ok(api::UpdateRoleResponse::default())
    }
}

/// Writes a role back, if it is another now.
fn replace(call: &mut Permitted<'_>, old: &Role, new: Role) {
    if *old != new {
        call.update(Record::Role(Arc::new(new)));
    }
}

/// Sets a role's description.
struct UpdateRoleDescription {
    name: String,
    description: String,
}

impl Operation for UpdateRoleDescription {
    type Api = api::UpdateRoleDescription;

    fn parse(request: api::UpdateRoleDescriptionRequest) -> Result<Self, Fault> {
        Ok(Self { name: request.role_name, description: request.description })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![Kind::Role.ask_bounded::<Self>(call, &self.name)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::UpdateRoleDescriptionResponse, Fault> {
        let role = named(call, &self.name)?;
        let changed = Role { description: Some(self.description.clone()), ..Role::clone(&role) };
        replace(call, &role, changed.clone());
        Ok(api::UpdateRoleDescriptionResponse { role: Some(describe(call, &changed)) })
    }
}

/// Gives a role another trust policy.
struct UpdateAssumeRolePolicy {
    name: String,
    trust: TrustDraft,
}

impl Operation for UpdateAssumeRolePolicy {
    type Api = api::UpdateAssumeRolePolicy;

    fn parse(request: api::UpdateAssumeRolePolicyRequest) -> Result<Self, Fault> {
        Ok(Self { name: request.role_name, trust: TrustDraft::new(&request.policy_document) })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![Kind::Role.ask_bounded::<Self>(call, &self.name)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let role = modifiable(call, &self.name)?;
        // Principals are bound anew even when the text stays: they may be other entities by now.
        let trust = self.trust.text(call)?;
        replace(call, &role, Role { trust, ..Role::clone(&role) });
        Ok(Empty)
    }
}

/// Takes a role away, once nothing hangs on it any more.
struct DeleteRole {
    name: String,
}

impl Operation for DeleteRole {
    type Api = api::DeleteRole;

    fn parse(request: api::DeleteRoleRequest) -> Result<Self, Fault> {
        Ok(Self { name: request.role_name })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![Kind::Role.ask_bounded::<Self>(call, &self.name)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let role = modifiable(call, &self.name)?;
        if let Some(what) = hanging(call.account(), &role) {
            return Err(Fault::delete_conflict(what));
        }
        if call.account().role_use(&role.id).is_some() {
            call.remove(&RecordKey::RoleUse(role.id));
        }
        last_accessed::forget(call, role.id);
        call.delete(&Record::Role(role));
        Ok(Empty)
    }
}

/// What must be done before a role may be deleted, in AWS's words (*observed*).
fn hanging(account: &Account, role: &Role) -> Option<&'static str> {
    if account.attached(role.id).next().is_some() {
        Some("detach all policies")
    } else if account.inline_policies(role.id).next().is_some() {
        Some("delete policies")
    } else if account.instance_profiles_of(role.id).next().is_some() {
        Some("remove roles from instance profile")
    } else {
        None
    }
}

/// Adds tags to a role, or changes their values.
struct TagRole {
    name: String,
    tags: TagSet,
}

impl Operation for TagRole {
    type Api = api::TagRole;

    fn parse(request: api::TagRoleRequest) -> Result<Self, Fault> {
        Ok(Self { name: request.role_name, tags: tags::parse(request.tags)? })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![Kind::Role.ask::<Self>(call, &self.name).request_tags(&self.tags)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let role = named(call, &self.name)?;
        let tags = tags::merged(&role.tags, &self.tags, call, "Role")?;
        replace(call, &role, Role { tags, ..Role::clone(&role) });
        Ok(Empty)
    }
}

/// Takes tags off a role.
struct UntagRole {
    name: String,
    keys: Vec<String>,
}

impl Operation for UntagRole {
    type Api = api::UntagRole;

    fn parse(request: api::UntagRoleRequest) -> Result<Self, Fault> {
        Ok(Self { name: request.role_name, keys: request.tag_keys })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![Kind::Role.ask::<Self>(call, &self.name).tag_keys(&self.keys)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let role = named(call, &self.name)?;
        let tags = tags::without(&role.tags, &self.keys);
        replace(call, &role, Role { tags, ..Role::clone(&role) });
        Ok(Empty)
    }
}

/// Lists the tags of a role.
struct ListRoleTags {
    name: String,
    marker: Option<String>,
    max_items: Option<i32>,
}

impl Operation for ListRoleTags {
    type Api = api::ListRoleTags;

    fn parse(request: api::ListRoleTagsRequest) -> Result<Self, Fault> {
        let api::ListRoleTagsRequest { role_name, marker, max_items } = request;
        Ok(Self { name: role_name, marker, max_items })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![Kind::Role.ask::<Self>(call, &self.name)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::ListRoleTagsResponse, Fault> {
        let role = named(call, &self.name)?;
        let paging = Paging { marker: self.marker.as_deref(), max_items: self.max_items };
        let page = tags::page(call, paging, role.id.as_str(), &role.tags)?;
        Ok(api::ListRoleTagsResponse {
            tags: page.items,
            is_truncated: Some(page.marker.is_some()),
            marker: page.marker,
        })
    }
}
