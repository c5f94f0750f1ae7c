//! Instance profiles: the envelope in which a role travels to an instance. A profile holds one role
//! at most.

use std::sync::Arc;

use bailiwick_identifiers::{Arn, IdKind, InstanceProfileName, Path, TagSet, UniqueId};
use bailiwick_model::{InstanceProfile, Record};
use bailiwick_wire::Empty;
use bailiwick_wire::generated::iam as api;

use super::holder::Kind;
use super::{role, tags, user};
use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::fault::Fault;
use crate::operation::{Entry, Operation, entry};
use crate::page::{self, Paging};

pub(super) const OPERATIONS: &[Entry] = &[
    entry::<CreateInstanceProfile>(),
    entry::<GetInstanceProfile>(),
    entry::<ListInstanceProfiles>(),
    entry::<ListInstanceProfilesForRole>(),
    entry::<AddRoleToInstanceProfile>(),
    entry::<RemoveRoleFromInstanceProfile>(),
    entry::<DeleteInstanceProfile>(),
    entry::<TagInstanceProfile>(),
    entry::<UntagInstanceProfile>(),
    entry::<ListInstanceProfileTags>(),
];

/// The stored profile of a name, or `NoSuchEntity` in AWS's words (*observed*).
fn named(call: &Call<'_>, name: &str) -> Result<Arc<InstanceProfile>, Fault> {
    call.account().instance_profile_named(name).cloned().ok_or_else(|| {
        Fault::new("NoSuchEntity", format!("Instance Profile {name} cannot be found."))
    })
}

/// An ask about the stored profile of a name, or about what the name would be (threat C02).
fn ask<O: Operation>(call: &Call<'_>, name: &str) -> Ask {
    let Some(profile) = call.account().instance_profile_named(name) else {
        let missing = format!("instance-profile/{name}");
        return call.ask::<O>(Arn::iam(call.partition(), call.account().id(), &missing).as_str());
    };
    let arn = call.account().instance_profile_arn(profile);
    call.ask::<O>(arn.as_str()).general_resource_tags(&profile.tags)
}

/// A profile as lists show it: without tags. Source: IAM API, ListInstanceProfiles.
pub(super) fn describe_in_list(call: &Call<'_>, profile: &InstanceProfile) -> api::InstanceProfile {
    let held = profile.role.and_then(|id| call.account().role(&id));
    api::InstanceProfile {
        path: profile.path.to_string(),
        instance_profile_name: profile.name.to_string(),
        instance_profile_id: profile.id.to_string(),
        arn: call.account().instance_profile_arn(profile).to_string(),
        create_date: profile.created,
        roles: held.map(|held| role::describe_in_list(call, held)).into_iter().collect(),
        tags: None,
    }
}

/// A profile with its tags, which AWS shows even when there are none (*observed*).
fn describe(call: &Call<'_>, profile: &InstanceProfile) -> api::InstanceProfile {
    let tags = Some(tags::describe(&profile.tags));
    api::InstanceProfile { tags, ..describe_in_list(call, profile) }
}

/// Writes a profile back, if it is another now.
fn replace(call: &mut Permitted<'_>, old: &InstanceProfile, new: InstanceProfile) {
    if *old != new {
        call.update(Record::InstanceProfile(Arc::new(new)));
    }
}

/// Adds an empty profile to the caller's account.
struct CreateInstanceProfile {
    name: InstanceProfileName,
    path: Path,
    tags: TagSet,
}

impl Operation for CreateInstanceProfile {
    type Api = api::CreateInstanceProfile;

    fn parse(request: api::CreateInstanceProfileRequest) -> Result<Self, Fault> {
        Ok(Self {
            name: user::new_name("instanceProfileName", &request.instance_profile_name)?,
            path: request
                .path
                .map_or_else(|| Ok(Path::root()), |path| user::new_path("path", &path))?,
            tags: tags::parse_exact(request.tags)?,
        })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        let account = call.account().id();
        let arn = Arn::instance_profile(call.partition(), account, &self.path, &self.name);
        let ask = call.ask::<Self>(arn.as_str()).request_tags(&self.tags);
        let tagging = (!self.tags.is_empty())
            .then(|| Ask { action: "iam:TagInstanceProfile".into(), ..ask.clone() });
        Ok([ask].into_iter().chain(tagging).collect())
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::CreateInstanceProfileResponse, Fault> {
        if call.account().instance_profile_named(self.name.as_str()).is_some() {
            return Err(Fault::new(
                "EntityAlreadyExists",
                format!("Instance Profile {} already exists.", self.name),
            ));
        }
        let held = call.account().instance_profiles().len();
        call.require_room(held, "InstanceProfilesPerAccount", call.quotas().instance_profiles)?;
        tags::require_room(&self.tags, call, "InstanceProfile")?;
        let profile = Arc::new(InstanceProfile {
            id: call.mint().unique_id(IdKind::InstanceProfile),
            name: self.name.clone(),
            path: self.path.clone(),
            created: call.now(),
            tags: self.tags.clone(),
            role: None,
        });
        call.create(Record::InstanceProfile(Arc::clone(&profile)));
        Ok(api::CreateInstanceProfileResponse { instance_profile: describe(call, &profile) })
    }
}

/// Shows a profile and its role.
struct GetInstanceProfile {
    name: String,
}

impl Operation for GetInstanceProfile {
    type Api = api::GetInstanceProfile;

    fn parse(request: api::GetInstanceProfileRequest) -> Result<Self, Fault> {
        Ok(Self { name: request.instance_profile_name })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![ask::<Self>(call, &self.name)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::GetInstanceProfileResponse, Fault> {
        let profile = named(call, &self.name)?;
        Ok(api::GetInstanceProfileResponse { instance_profile: describe(call, &profile) })
    }
}

/// Lists the profiles below a path.
struct ListInstanceProfiles {
    path_prefix: Option<String>,
    marker: Option<String>,
    max_items: Option<i32>,
}

impl Operation for ListInstanceProfiles {
    type Api = api::ListInstanceProfiles;

    fn parse(request: api::ListInstanceProfilesRequest) -> Result<Self, Fault> {
        let api::ListInstanceProfilesRequest { path_prefix, marker, max_items } = request;
        Ok(Self { path_prefix, marker, max_items })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        let listed = user::listed(call, "instance-profile", self.path_prefix.as_deref());
        Ok(vec![call.ask::<Self>(listed)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::ListInstanceProfilesResponse, Fault> {
        let prefix = self.path_prefix.as_deref().unwrap_or("/");
        let all = call.account().instance_profiles();
        let profiles = all.filter(|profile| profile.path.as_str().starts_with(prefix));
        let paging = Paging { marker: self.marker.as_deref(), max_items: self.max_items };
        let page = page::cut(call, paging, &[prefix], profiles, |profile| key(profile))?;
        Ok(api::ListInstanceProfilesResponse {
            instance_profiles: page
                .items
                .iter()
                .map(|profile| describe_in_list(call, profile))
                .collect(),
            is_truncated: Some(page.marker.is_some()),
            marker: page.marker,
        })
    }
}

fn key(profile: &InstanceProfile) -> String {
    profile.name.folded().as_str().to_owned()
}

/// Lists the profiles that hold a role.
struct ListInstanceProfilesForRole {
    role: String,
    marker: Option<String>,
    max_items: Option<i32>,
}

impl Operation for ListInstanceProfilesForRole {
    type Api = api::ListInstanceProfilesForRole;

    fn parse(request: api::ListInstanceProfilesForRoleRequest) -> Result<Self, Fault> {
        let api::ListInstanceProfilesForRoleRequest { role_name, marker, max_items } = request;
        Ok(Self { role: role_name, marker, max_items })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![Kind::Role.ask::<Self>(call, &self.role)])
    }

    fn run(
        &self,
        call: &mut Permitted<'_>,
    ) -> Result<api::ListInstanceProfilesForRoleResponse, Fault> {
        let role = role::named(call, &self.role)?;
        let mut profiles: Vec<_> = call.account().instance_profiles_of(role.id).collect();
        profiles.sort_by_key(|profile| key(profile));
        let paging = Paging { marker: self.marker.as_deref(), max_items: self.max_items };
        let profiles = profiles.into_iter();
        let page = page::cut(call, paging, &[role.id.as_str()], profiles, |profile| key(profile))?;
        Ok(api::ListInstanceProfilesForRoleResponse {
            instance_profiles: page
                .items
                .iter()
                .map(|profile| describe_in_list(call, profile))
                .collect(),
            is_truncated: Some(page.marker.is_some()),
            marker: page.marker,
        })
    }
}

/// Puts a role into a profile, which also passes the role (TR-8).
struct AddRoleToInstanceProfile {
    name: String,
    role: String,
}

impl Operation for AddRoleToInstanceProfile {
    type Api = api::AddRoleToInstanceProfile;

    fn parse(request: api::AddRoleToInstanceProfileRequest) -> Result<Self, Fault> {
        Ok(Self { name: request.instance_profile_name, role: request.role_name })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        // The profile hands the role to instances (TR-8).
        let passing = Kind::Role.ask::<Self>(call, &self.role);
        let passing = passing.with("iam:PassedToService", "ec2.amazonaws.com");
        Ok(vec![ask::<Self>(call, &self.name), Ask { action: "iam:PassRole".into(), ..passing }])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let profile = named(call, &self.name)?;
        let role = role::modifiable(call, &self.role)?;
        if profile.role.is_some() {
            // AWS's words (*observed*); the quota cannot be raised.
            return Err(Fault::limit("InstanceSessionsPerInstanceProfile", 1));
        }
        put_role(call, &profile, Some(role.id));
        Ok(Empty)
    }
}

fn put_role(call: &mut Permitted<'_>, profile: &InstanceProfile, role: Option<UniqueId>) {
    replace(call, profile, InstanceProfile { role, ..profile.clone() });
}

/// Takes a role out of a profile.
struct RemoveRoleFromInstanceProfile {
    name: String,
    role: String,
}

impl Operation for RemoveRoleFromInstanceProfile {
    type Api = api::RemoveRoleFromInstanceProfile;

    fn parse(request: api::RemoveRoleFromInstanceProfileRequest) -> Result<Self, Fault> {
        Ok(Self { name: request.instance_profile_name, role: request.role_name })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![ask::<Self>(call, &self.name)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let profile = named(call, &self.name)?;
        let role = role::modifiable(call, &self.role)?;
        if profile.role != Some(role.id) {
            return Err(Fault::no_such("role", &self.role));
        }
        put_role(call, &profile, None);
        Ok(Empty)
    }
}

/// Takes an empty profile away.
struct DeleteInstanceProfile {
    name: String,
}

impl Operation for DeleteInstanceProfile {
    type Api = api::DeleteInstanceProfile;

    fn parse(request: api::DeleteInstanceProfileRequest) -> Result<Self, Fault> {
        Ok(Self { name: request.instance_profile_name })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![ask::<Self>(call, &self.name)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let profile = named(call, &self.name)?;
        if profile.role.is_some() {
            return Err(Fault::delete_conflict("remove roles from instance profile"));
        }
        call.delete(&Record::InstanceProfile(profile));
        Ok(Empty)
    }
}

/// Adds tags to a profile, or changes their values.
struct TagInstanceProfile {
    name: String,
    tags: TagSet,
}

impl Operation for TagInstanceProfile {
    type Api = api::TagInstanceProfile;

    fn parse(request: api::TagInstanceProfileRequest) -> Result<Self, Fault> {
        Ok(Self { name: request.instance_profile_name, tags: tags::parse_exact(request.tags)? })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![ask::<Self>(call, &self.name).request_tags(&self.tags)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let profile = named(call, &self.name)?;
        let tags = tags::merged_exact(&profile.tags, &self.tags, call, "InstanceProfile")?;
        replace(call, &profile, InstanceProfile { tags, ..InstanceProfile::clone(&profile) });
        Ok(Empty)
    }
}

/// Takes tags off a profile.
struct UntagInstanceProfile {
    name: String,
    keys: Vec<String>,
}

impl Operation for UntagInstanceProfile {
    type Api = api::UntagInstanceProfile;

    fn parse(request: api::UntagInstanceProfileRequest) -> Result<Self, Fault> {
        Ok(Self { name: request.instance_profile_name, keys: request.tag_keys })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![ask::<Self>(call, &self.name).tag_keys(&self.keys)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let profile = named(call, &self.name)?;
        let tags = tags::without_exact(&profile.tags, &self.keys);
        replace(call, &profile, InstanceProfile { tags, ..InstanceProfile::clone(&profile) });
        Ok(Empty)
    }
}

/// Lists the tags of a profile.
struct ListInstanceProfileTags {
    name: String,
    marker: Option<String>,
    max_items: Option<i32>,
}

impl Operation for ListInstanceProfileTags {
    type Api = api::ListInstanceProfileTags;

    fn parse(request: api::ListInstanceProfileTagsRequest) -> Result<Self, Fault> {
        let api::ListInstanceProfileTagsRequest { instance_profile_name, marker, max_items } =
            request;
        Ok(Self { name: instance_profile_name, marker, max_items })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![ask::<Self>(call, &self.name)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::ListInstanceProfileTagsResponse, Fault> {
        let profile = named(call, &self.name)?;
        let paging = Paging { marker: self.marker.as_deref(), max_items: self.max_items };
        let page = tags::page(call, paging, profile.id.as_str(), &profile.tags)?;
        Ok(api::ListInstanceProfileTagsResponse {
            tags: page.items,
            is_truncated: Some(page.marker.is_some()),
            marker: page.marker,
        })
    }
}
