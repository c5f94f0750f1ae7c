//! Users: who they are, and the operations on them. Keys, passwords, groups and policies of a user
//! have files of their own.

use std::sync::Arc;

use bailiwick_identifiers::{Arn, IdKind, Path, TagSet, UniqueId, UserName};
use bailiwick_model::{Account, Owner, Record, RecordKey, User};
use bailiwick_wire::Empty;
use bailiwick_wire::generated::iam as api;

use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::caller::Identity;
use crate::fault::Fault;
use crate::operation::{Entry, Operation, entry};
use crate::page::{self, Paging};

use super::{boundary, last_accessed, tags};

pub(super) const OPERATIONS: &[Entry] = &[
    entry::<CreateUser>(),
    entry::<GetUser>(),
    entry::<ListUsers>(),
    entry::<UpdateUser>(),
    entry::<DeleteUser>(),
    entry::<TagUser>(),
    entry::<UntagUser>(),
    entry::<ListUserTags>(),
];

/// The stored user of a name, whatever the name's case.
pub(super) fn named(call: &Call<'_>, name: &str) -> Result<Arc<User>, Fault> {
    call.account().user_named(name).cloned().ok_or_else(|| Fault::no_such_user(name))
}

/// An ask about the stored user of a name, or about what the name would be (threat C02).
pub(super) fn ask<O: Operation>(call: &Call<'_>, name: &str) -> Ask {
    match call.account().user_named(name) {
        Some(user) => ask_about::<O>(call, user),
        None => call.ask::<O>(missing(call, name).as_str()),
    }
}

/// An ask about a stored user.
pub(super) fn ask_about<O: Operation>(call: &Call<'_>, user: &User) -> Ask {
    call.ask::<O>(call.account().user_arn(user).as_str()).resource_tags(&user.tags)
}

/// The ARN that a name stands for when no user has it. References may be longer than names that
/// can be created, so it is built from the text.
fn missing(call: &Call<'_>, name: &str) -> Arn {
    Arn::iam(call.partition(), call.account().id(), &format!("user/{name}"))
}

/// Whom an operation is about that need not name a user: without a name it is the caller.
pub(super) enum Subject {
    /// The account's root user.
    Root,
    /// A user that is there.
    User(Arc<User>),
    /// A name that no user has.
    Missing(String),
}

impl Subject {
    /// The subject of a request. The session of a role is no user, so it must name one.
    pub(super) fn of(call: &Call<'_>, name: Option<&str>) -> Result<Self, Fault> {
        if let Some(name) = name {
            let user = call.account().user_named(name);
            return Ok(user
                .map_or_else(|| Self::Missing(name.into()), |user| Self::User(Arc::clone(user))));
        }
        match &call.caller().identity {
            Identity::Root => Ok(Self::Root),
            // As of this state of the account: tags or path may have changed since the caller was
            // authenticated.
            Identity::User(user) => Ok(match call.account().user(&user.id) {
                Some(user) => Self::User(Arc::clone(user)),
                None => Self::Missing(user.name.to_string()),
            }),
            Identity::Role(..) | Identity::Federated(..) => Err(Fault::validation(
                "Must specify userName when calling with non-User credentials",
            )),
        }
    }

    /// An ask about the subject.
    pub(super) fn ask<O: Operation>(&self, call: &Call<'_>) -> Ask {
        match self {
            Self::Root => call.ask::<O>(call.account().root_arn().as_str()),
            Self::User(user) => ask_about::<O>(call, user),
            Self::Missing(name) => call.ask::<O>(missing(call, name).as_str()),
        }
    }

    /// Whose credentials are meant.
    pub(super) fn owner(&self) -> Result<Owner, Fault> {
        match self {
            Self::Root => Ok(Owner::Root),
            Self::User(user) => Ok(Owner::User(user.id)),
            Self::Missing(name) => Err(Fault::no_such_user(name)),
        }
    }

    /// The user, for what root does not have.
    pub(super) fn user(self) -> Result<Arc<User>, Fault> {
        match self {
            Self::User(user) => Ok(user),
            Self::Missing(name) => Err(Fault::no_such_user(&name)),
            Self::Root => Err(Fault::validation(
                "Must specify userName when calling with non-User credentials",
            )),
        }
    }

    /// The name under which lists show the subject; root has none.
    pub(super) fn name(&self) -> Option<String> {
        match self {
            Self::Root => None,
            Self::User(user) => Some(user.name.to_string()),
            Self::Missing(name) => Some(name.clone()),
        }
    }
}

/// A name for something new. Validation has checked length and characters as the model states
/// them; what the model lets through and the type does not is refused in the older form.
pub(super) fn new_name<T: std::str::FromStr>(member: &str, text: &str) -> Result<T, Fault> {
    text.parse().map_err(|_| {
        Fault::validation(format!(
            "The specified value for {member} is invalid. It must contain only alphanumeric \
             characters and/or the following: +=,.@_-"
        ))
    })
}

/// A path for something new or changed, in the same way.
pub(super) fn new_path(member: &str, text: &str) -> Result<Path, Fault> {
    text.parse().map_err(|_| {
        Fault::validation(format!(
            "The specified value for {member} is invalid. It must begin and end with / and contain \
             only alphanumeric characters and/or / characters."
        ))
    })
}

/// The resource of a list call: the path listed, below the kind of entity (IN-8).
pub(super) fn listed(call: &Call<'_>, kind: &str, path_prefix: Option<&str>) -> String {
    let prefix = path_prefix.unwrap_or_default();
    let prefix = prefix.strip_prefix('/').unwrap_or(prefix);
    Arn::iam(call.partition(), call.account().id(), &format!("{kind}/{prefix}")).as_str().into()
}

/// A user with all that AWS shows of a single one.
pub(super) fn describe(account: &Account, user: &User) -> api::User {
    api::User {
        permissions_boundary: user.boundary.as_ref().map(boundary::describe),
        tags: tags::describe_any(&user.tags),
        ..describe_in_list(account, user)
    }
}

/// A user as lists show it: without tags and boundary. Source: IAM API, ListUsers.
pub(super) fn describe_in_list(account: &Account, user: &User) -> api::User {
    api::User {
        path: user.path.to_string(),
        user_name: user.name.to_string(),
        user_id: user.id.to_string(),
        arn: account.user_arn(user).to_string(),
        create_date: user.created,
        password_last_used: account.password_use(&user.id).map(|last| last.at),
        permissions_boundary: None,
        tags: None,
    }
}

/// Root as GetUser shows it.
pub(super) fn describe_root(account: &Account) -> api::User {
    let name = account.info().alias.as_ref().map_or("root", |alias| alias.as_str());
    api::User {
        path: "/".into(),
        user_name: name.into(),
        user_id: account.id().to_string(),
        arn: account.root_arn().to_string(),
        create_date: account.info().created,
        password_last_used: None,
        permissions_boundary: None,
        tags: None,
    }
}

/// Adds a user to the caller's account.
struct CreateUser {
    name: UserName,
    path: Path,
    boundary: Option<Arn>,
    tags: TagSet,
}

impl Operation for CreateUser {
    type Api = api::CreateUser;

    fn parse(request: api::CreateUserRequest) -> Result<Self, Fault> {
        Ok(Self {
            name: new_name("userName", &request.user_name)?,
            path: request.path.map_or_else(|| Ok(Path::root()), |path| new_path("path", &path))?,
            boundary: boundary::parse_optional(request.permissions_boundary.as_deref())?,
            tags: tags::parse(request.tags)?,
        })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        let arn = Arn::user(call.partition(), call.account().id(), &self.path, &self.name);
        let ask = call
            .ask::<Self>(arn.as_str())
            .request_tags(&self.tags)
            .boundary(self.boundary.as_ref());
        let tagging =
            (!self.tags.is_empty()).then(|| Ask { action: "iam:TagUser".into(), ..ask.clone() });
        Ok([ask].into_iter().chain(tagging).collect())
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::CreateUserResponse, Fault> {
        if call.account().user_named(self.name.as_str()).is_some() {
            return Err(Fault::exists("User", self.name.as_str()));
        }
        call.require_room(call.account().users().len(), "UsersPerAccount", call.quotas().users)?;
        tags::require_room(&self.tags, call, "User")?;
        boundary::require_optional(call, self.boundary.as_ref())?;
        let user = Arc::new(User {
            id: call.mint().unique_id(IdKind::User),
            name: self.name.clone(),
            path: self.path.clone(),
            created: call.now(),
            tags: self.tags.clone(),
            boundary: self.boundary.clone(),
        });
        call.create(Record::User(Arc::clone(&user)));
        Ok(api::CreateUserResponse { user: Some(describe(call.account(), &user)) })
    }
}

/// Shows a user, or the caller.
struct GetUser {
    name: Option<String>,
}

impl Operation for GetUser {
    type Api = api::GetUser;

    fn parse(request: api::GetUserRequest) -> Result<Self, Fault> {
        Ok(Self { name: request.user_name })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![Subject::of(call, self.name.as_deref())?.ask::<Self>(call)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::GetUserResponse, Fault> {
        let user = match Subject::of(call, self.name.as_deref())? {
            Subject::Root => describe_root(call.account()),
            subject => describe(call.account(), &*subject.user()?),
        };
        Ok(api::GetUserResponse { user })
    }
}

/// Lists the users below a path.
struct ListUsers {
    path_prefix: Option<String>,
    marker: Option<String>,
    max_items: Option<i32>,
}

impl Operation for ListUsers {
    type Api = api::ListUsers;

    fn parse(request: api::ListUsersRequest) -> Result<Self, Fault> {
        let api::ListUsersRequest { path_prefix, marker, max_items } = request;
        Ok(Self { path_prefix, marker, max_items })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![call.ask::<Self>(listed(call, "user", self.path_prefix.as_deref()))])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::ListUsersResponse, Fault> {
        let prefix = self.path_prefix.as_deref().unwrap_or("/");
        let users = call.account().users().filter(|user| user.path.as_str().starts_with(prefix));
        let paging = Paging { marker: self.marker.as_deref(), max_items: self.max_items };
        let page =
            page::cut(call, paging, &[prefix], users, |user| user.name.folded().as_str().into())?;
        Ok(api::ListUsersResponse {
            users: page.items.iter().map(|user| describe_in_list(call.account(), user)).collect(),
            is_truncated: Some(page.marker.is_some()),
            marker: page.marker,
        })
    }
}

/// Gives a user another name or path. Its id stays, and with it all that hangs on it.
struct UpdateUser {
    name: String,
    new_name: Option<UserName>,
    new_path: Option<Path>,
}

impl UpdateUser {
    fn changed(&self, user: &User) -> User {
        User {
            name: self.new_name.clone().unwrap_or_else(|| user.name.clone()),
            path: self.new_path.clone().unwrap_or_else(|| user.path.clone()),
            ..user.clone()
        }
    }
}

impl Operation for UpdateUser {
    type Api = api::UpdateUser;

    fn parse(request: api::UpdateUserRequest) -> Result<Self, Fault> {
        let name = request.new_user_name.map(|name| new_name("newUserName", &name));
        let path = request.new_path.map(|path| new_path("newPath", &path));
        Ok(Self {
            name: request.user_name,
            new_name: name.transpose()?,
            new_path: path.transpose()?,
        })
    }

    /// The caller needs permission on the old and on the new ARN. Source: IAM user guide, renaming
    /// an IAM user.
    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        let mut asks = vec![ask::<Self>(call, &self.name)];
        if let Some(user) = call.account().user_named(&self.name) {
            let changed = self.changed(user);
            if changed != **user {
                asks.push(ask_about::<Self>(call, &changed));
            }
        }
        Ok(asks)
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let user = named(call, &self.name)?;
        let changed = self.changed(&user);
        let taken = call.account().user_named(changed.name.as_str());
        if taken.is_some_and(|taken| taken.id != user.id) {
            return Err(Fault::exists("User", changed.name.as_str()));
        }
        if changed != *user {
            call.rename(&Record::User(user), Record::User(Arc::new(changed)));
        }
        Ok(Empty)
    }
}

/// Takes a user away, once nothing hangs on it any more.
struct DeleteUser {
    name: String,
}

impl Operation for DeleteUser {
    type Api = api::DeleteUser;

    fn parse(request: api::DeleteUserRequest) -> Result<Self, Fault> {
        Ok(Self { name: request.user_name })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![ask::<Self>(call, &self.name)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let user = named(call, &self.name)?;
        if let Some(what) = hanging(call.account(), &user) {
            return Err(Fault::delete_conflict(what));
        }
        last_accessed::forget(call, user.id);
        forget_sign_ins(call, user.id);
        call.delete(&Record::User(user));
        Ok(Empty)
    }
}

/// Takes away what is known of a user's sign-ins, its sessions among them.
fn forget_sign_ins(call: &mut Permitted<'_>, user: UniqueId) {
    let sessions = call.account().console_sessions_of(Owner::User(user));
    let sessions: Vec<_> = sessions.map(|held| held.id.clone()).collect();
    for id in sessions {
        call.remove(&RecordKey::ConsoleSession(id));
    }
    if call.account().password_use(&user).is_some() {
        call.remove(&RecordKey::PasswordUse(user));
    }
}

/// What must be done before a user may be deleted, in AWS's words (*observed*).
fn hanging(account: &Account, user: &User) -> Option<&'static str> {
    if account.attached(user.id).next().is_some() {
        Some("detach all policies")
    } else if account.inline_policies(user.id).next().is_some() {
        Some("delete policies")
    } else if account.keys_of(Owner::User(user.id)).next().is_some() {
        Some("delete access keys")
    } else if account.groups_of(user.id).next().is_some() {
        Some("remove users from group")
    } else if account.login_profile(&user.id).is_some() {
        Some("delete login profile")
    } else if account.signing_certificates_of(Owner::User(user.id)).next().is_some() {
        Some("delete signing certificates")
    } else if account.ssh_public_keys_of(user.id).next().is_some() {
        Some("delete SSH public keys")
    } else if account.service_credentials_of(user.id).next().is_some() {
        Some("delete service specific credentials")
    } else if account.mfa_devices_of(Owner::User(user.id)).next().is_some() {
        Some("delete MFA device")
    } else {
        None
    }
}

/// Adds tags to a user, or changes their values.
struct TagUser {
    name: String,
    tags: TagSet,
}

impl Operation for TagUser {
    type Api = api::TagUser;

    fn parse(request: api::TagUserRequest) -> Result<Self, Fault> {
        Ok(Self { name: request.user_name, tags: tags::parse(request.tags)? })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![ask::<Self>(call, &self.name).request_tags(&self.tags)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let user = named(call, &self.name)?;
        let tags = tags::merged(&user.tags, &self.tags, call, "User")?;
        retag(call, &user, tags);
        Ok(Empty)
    }
}

/// Takes tags off a user.
struct UntagUser {
    name: String,
    keys: Vec<String>,
}

impl Operation for UntagUser {
    type Api = api::UntagUser;

    fn parse(request: api::UntagUserRequest) -> Result<Self, Fault> {
        Ok(Self { name: request.user_name, keys: request.tag_keys })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![ask::<Self>(call, &self.name).tag_keys(&self.keys)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let user = named(call, &self.name)?;
        let tags = tags::without(&user.tags, &self.keys);
        retag(call, &user, tags);
        Ok(Empty)
    }
}

fn retag(call: &mut Permitted<'_>, user: &User, tags: TagSet) {
    if tags != user.tags {
        call.update(Record::User(Arc::new(User { tags, ..user.clone() })));
    }
}

/// Lists the tags of a user.
struct ListUserTags {
    name: String,
    marker: Option<String>,
    max_items: Option<i32>,
}

impl Operation for ListUserTags {
    type Api = api::ListUserTags;

    fn parse(request: api::ListUserTagsRequest) -> Result<Self, Fault> {
        let api::ListUserTagsRequest { user_name, marker, max_items } = request;
        Ok(Self { name: user_name, marker, max_items })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![ask::<Self>(call, &self.name)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::ListUserTagsResponse, Fault> {
        let user = named(call, &self.name)?;
        let paging = Paging { marker: self.marker.as_deref(), max_items: self.max_items };
        let page = tags::page(call, paging, user.id.as_str(), &user.tags)?;
        Ok(api::ListUserTagsResponse {
            tags: page.items,
            is_truncated: Some(page.marker.is_some()),
            marker: page.marker,
        })
    }
}
