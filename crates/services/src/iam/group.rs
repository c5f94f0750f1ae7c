//! Groups of users, and who is in them. Policies of a group have files of their own.

use std::sync::Arc;

use bailiwick_identifiers::{Arn, GroupName, IdKind, Path};
use bailiwick_model::{Account, Group, Membership, Record, RecordKey, User};
use bailiwick_wire::Empty;
use bailiwick_wire::generated::iam as api;

use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::fault::Fault;
use crate::operation::{Entry, Operation, entry};
use crate::page::{self, Paging};

use super::user;

pub(super) const OPERATIONS: &[Entry] = &[
    entry::<CreateGroup>(),
    entry::<GetGroup>(),
    entry::<ListGroups>(),
    entry::<ListGroupsForUser>(),
    entry::<UpdateGroup>(),
    entry::<DeleteGroup>(),
    entry::<AddUserToGroup>(),
    entry::<RemoveUserFromGroup>(),
];

/// The stored group of a name, whatever the name's case.
pub(super) fn named(call: &Call<'_>, name: &str) -> Result<Arc<Group>, Fault> {
    call.account().group_named(name).cloned().ok_or_else(|| Fault::no_such("group", name))
}

/// An ask about the stored group of a name, or about what the name would be (threat C02).
pub(super) fn ask<O: Operation>(call: &Call<'_>, name: &str) -> Ask {
    let account = call.account();
    let arn = match account.group_named(name) {
        Some(group) => account.group_arn(group),
        None => Arn::iam(call.partition(), account.id(), &format!("group/{name}")),
    };
    call.ask::<O>(arn.as_str())
}

/// A group as the API shows it.
pub(super) fn describe(account: &Account, group: &Group) -> api::Group {
    api::Group {
        path: group.path.to_string(),
        group_name: group.name.to_string(),
        group_id: group.id.to_string(),
        arn: account.group_arn(group).to_string(),
        create_date: group.created,
    }
}

/// The groups of a user, by name.
fn groups_of(account: &Account, user: &User) -> Vec<Arc<Group>> {
    let mut groups: Vec<Arc<Group>> = account.groups_of(user.id).cloned().collect();
    groups.sort_by_cached_key(|group| group.name.folded());
    groups
}

/// The users of a group, by name.
fn members_of(account: &Account, group: &Group) -> Vec<Arc<User>> {
    let mut users: Vec<Arc<User>> = account.members_of(group.id).cloned().collect();
    users.sort_by_cached_key(|user| user.name.folded());
    users
}

/// Adds a group to the caller's account.
struct CreateGroup {
    name: GroupName,
    path: Path,
}

impl Operation for CreateGroup {
    type Api = api::CreateGroup;

    fn parse(request: api::CreateGroupRequest) -> Result<Self, Fault> {
        let path = request.path.map(|path| user::new_path("path", &path)).transpose()?;
        Ok(Self {
            name: user::new_name("groupName", &request.group_name)?,
            path: path.unwrap_or_else(Path::root),
        })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        let arn = Arn::group(call.partition(), call.account().id(), &self.path, &self.name);
        Ok(vec![call.ask::<Self>(arn.as_str())])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::CreateGroupResponse, Fault> {
        if call.account().group_named(self.name.as_str()).is_some() {
            return Err(Fault::exists("Group", self.name.as_str()));
        }
        call.require_room(call.account().groups().len(), "GroupsPerAccount", call.quotas().groups)?;
        let group = Arc::new(Group {
            id: call.mint().unique_id(IdKind::Group),
            name: self.name.clone(),
            path: self.path.clone(),
            created: call.now(),
        });
        call.create(Record::Group(Arc::clone(&group)));
        Ok(api::CreateGroupResponse { group: describe(call.account(), &group) })
    }
}

/// Shows a group and, page by page, its users.
struct GetGroup {
    name: String,
    marker: Option<String>,
    max_items: Option<i32>,
}

impl Operation for GetGroup {
    type Api = api::GetGroup;

    fn parse(request: api::GetGroupRequest) -> Result<Self, Fault> {
        let api::GetGroupRequest { group_name, marker, max_items } = request;
        Ok(Self { name: group_name, marker, max_items })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![ask::<Self>(call, &self.name)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::GetGroupResponse, Fault> {
        let group = named(call, &self.name)?;
        let users = members_of(call.account(), &group);
        let paging = Paging { marker: self.marker.as_deref(), max_items: self.max_items };
        let page = page::cut(call, paging, &[group.id.as_str()], users.iter(), |user| {
            user.name.folded().as_str().into()
        })?;
        let users = page.items.into_iter();
        Ok(api::GetGroupResponse {
            group: describe(call.account(), &group),
            users: users.map(|user| user::describe_in_list(call.account(), user)).collect(),
            is_truncated: Some(page.marker.is_some()),
            marker: page.marker,
        })
    }
}

/// Lists the groups below a path.
struct ListGroups {
    path_prefix: Option<String>,
    marker: Option<String>,
    max_items: Option<i32>,
}

impl Operation for ListGroups {
    type Api = api::ListGroups;

    fn parse(request: api::ListGroupsRequest) -> Result<Self, Fault> {
        let api::ListGroupsRequest { path_prefix, marker, max_items } = request;
        Ok(Self { path_prefix, marker, max_items })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![call.ask::<Self>(user::listed(call, "group", self.path_prefix.as_deref()))])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::ListGroupsResponse, Fault> {
        let prefix = self.path_prefix.as_deref().unwrap_or("/");
        let groups =
            call.account().groups().filter(|group| group.path.as_str().starts_with(prefix));
        let paging = Paging { marker: self.marker.as_deref(), max_items: self.max_items };
        let page = page::cut(call, paging, &[prefix], groups, |group| {
            group.name.folded().as_str().into()
        })?;
        Ok(api::ListGroupsResponse {
            groups: page.items.iter().map(|group| describe(call.account(), group)).collect(),
            is_truncated: Some(page.marker.is_some()),
            marker: page.marker,
        })
    }
}

/// Lists the groups of a user.
struct ListGroupsForUser {
    user: String,
    marker: Option<String>,
    max_items: Option<i32>,
}

impl Operation for ListGroupsForUser {
    type Api = api::ListGroupsForUser;

    fn parse(request: api::ListGroupsForUserRequest) -> Result<Self, Fault> {
        let api::ListGroupsForUserRequest { user_name, marker, max_items } = request;
        Ok(Self { user: user_name, marker, max_items })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![user::ask::<Self>(call, &self.user)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::ListGroupsForUserResponse, Fault> {
        let user = user::named(call, &self.user)?;
        let groups = groups_of(call.account(), &user);
        let paging = Paging { marker: self.marker.as_deref(), max_items: self.max_items };
        let page = page::cut(call, paging, &[user.id.as_str()], groups.iter(), |group| {
            group.name.folded().as_str().into()
        })?;
        let groups = page.items.into_iter();
        Ok(api::ListGroupsForUserResponse {
            groups: groups.map(|group| describe(call.account(), group)).collect(),
            is_truncated: Some(page.marker.is_some()),
            marker: page.marker,
        })
    }
}

/// Gives a group another name or path. Its id stays, and with it all that hangs on it.
struct UpdateGroup {
    name: String,
    new_name: Option<GroupName>,
    new_path: Option<Path>,
}

impl UpdateGroup {
    fn changed(&self, group: &Group) -> Group {
        Group {
            name: self.new_name.clone().unwrap_or_else(|| group.name.clone()),
            path: self.new_path.clone().unwrap_or_else(|| group.path.clone()),
            ..group.clone()
        }
    }
}

impl Operation for UpdateGroup {
    type Api = api::UpdateGroup;

    fn parse(request: api::UpdateGroupRequest) -> Result<Self, Fault> {
        let name = request.new_group_name.map(|name| user::new_name("newGroupName", &name));
        let path = request.new_path.map(|path| user::new_path("newPath", &path));
        Ok(Self {
            name: request.group_name,
            new_name: name.transpose()?,
            new_path: path.transpose()?,
        })
    }

    /// The caller needs permission on the old and on the new ARN. Source: IAM user guide, renaming
    /// a group.
    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        let mut asks = vec![ask::<Self>(call, &self.name)];
        if let Some(group) = call.account().group_named(&self.name) {
            let changed = self.changed(group);
            if changed != **group {
                asks.push(call.ask::<Self>(call.account().group_arn(&changed).as_str()));
            }
        }
        Ok(asks)
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let group = named(call, &self.name)?;
        let changed = self.changed(&group);
        let taken = call.account().group_named(changed.name.as_str());
        if taken.is_some_and(|taken| taken.id != group.id) {
            return Err(Fault::exists("Group", changed.name.as_str()));
        }
        if changed != *group {
            call.rename(&Record::Group(group), Record::Group(Arc::new(changed)));
        }
        Ok(Empty)
    }
}

/// Takes a group away, once it has neither users nor policies.
struct DeleteGroup {
    name: String,
}

impl Operation for DeleteGroup {
    type Api = api::DeleteGroup;

    fn parse(request: api::DeleteGroupRequest) -> Result<Self, Fault> {
        Ok(Self { name: request.group_name })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![ask::<Self>(call, &self.name)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let group = named(call, &self.name)?;
        if let Some(what) = hanging(call.account(), &group) {
            return Err(Fault::delete_conflict(what));
        }
        call.delete(&Record::Group(group));
        Ok(Empty)
    }
}

/// What must be done before a group may be deleted, in AWS's words (*observed*).
fn hanging(account: &Account, group: &Group) -> Option<&'static str> {
    if account.attached(group.id).next().is_some() {
        Some("detach all policies")
    } else if account.inline_policies(group.id).next().is_some() {
        Some("delete policies")
    } else if account.members_of(group.id).next().is_some() {
        Some("remove users from group")
    } else {
        None
    }
}

/// Puts a user into a group. A user that is in it already stays there (*observed*).
struct AddUserToGroup {
    group: String,
    user: String,
}

impl Operation for AddUserToGroup {
    type Api = api::AddUserToGroup;

    fn parse(request: api::AddUserToGroupRequest) -> Result<Self, Fault> {
        Ok(Self { group: request.group_name, user: request.user_name })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![ask::<Self>(call, &self.group)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let group = named(call, &self.group)?;
        let user = user::named(call, &self.user)?;
        if !call.account().is_member(user.id, group.id) {
            let held = call.account().groups_of(user.id).count();
            call.require_room(held, "GroupsPerUser", call.quotas().groups_per_user)?;
            call.create(Record::Membership(Membership { user: user.id, group: group.id }));
        }
        Ok(Empty)
    }
}

/// Takes a user out of a group. For a user that is not in it nothing happens (*observed*).
struct RemoveUserFromGroup {
    group: String,
    user: String,
}

impl Operation for RemoveUserFromGroup {
    type Api = api::RemoveUserFromGroup;

    fn parse(request: api::RemoveUserFromGroupRequest) -> Result<Self, Fault> {
        Ok(Self { group: request.group_name, user: request.user_name })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![ask::<Self>(call, &self.group)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let group = named(call, &self.group)?;
        let user = user::named(call, &self.user)?;
        if call.account().is_member(user.id, group.id) {
            call.remove(&RecordKey::Membership(user.id, group.id));
        }
        Ok(Empty)
    }
}
