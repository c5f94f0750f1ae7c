//! GetAccountAuthorizationDetails: everything that bears on authorization in the account, as one
//! list of users, groups, roles and policies.

use std::sync::Arc;

use bailiwick_catalog::ManagedPolicy;
use bailiwick_identifiers::UniqueId;
use bailiwick_model::{Account, Group, Policy, Role, User};
use bailiwick_wire::generated::iam as api;

use super::holder::{Holder, Kind};
use super::managed::{Managed, Uses};
use super::{
    attachment, boundary, documents, inline_policy, instance_profile, policy_version, role, tags,
};
use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::fault::Fault;
use crate::operation::{Entry, Operation, entry};
use crate::page::{self, Paging};

pub(super) const OPERATIONS: &[Entry] = &[entry::<GetAccountAuthorizationDetails>()];

/// About what the document of an AWS managed policy takes in the answer, in bytes.
const AWS_DOCUMENT: usize = 8 * 1024;
/// About what an item takes besides its documents, in bytes.
const BESIDES: usize = 1024;

/// One thing in the list.
enum Item<'a> {
    User(&'a Arc<User>),
    Group(&'a Arc<Group>),
    Role(&'a Arc<Role>),
    Customer(&'a Arc<Policy>),
    Aws(&'static ManagedPolicy),
}

impl Item<'_> {
    /// A key that sorts as [`GetAccountAuthorizationDetails::items`] lists.
    fn key(&self) -> String {
        match self {
            Self::User(user) => format!("0/{}", user.name.folded().as_str()),
            Self::Group(group) => format!("1/{}", group.name.folded().as_str()),
            Self::Role(role) => format!("2/{}", role.name.folded().as_str()),
            Self::Customer(policy) => format!("3/{}", policy.name.folded().as_str()),
            Self::Aws(policy) => format!("4/{}", policy.name),
        }
    }

    /// About how many bytes it takes in the answer.
    fn cost(&self, account: &Account) -> usize {
        let inline = |owner: UniqueId| -> usize {
            let policies = account.inline_policies(owner);
            policies.map(|policy| page::document_cost(policy.document.source())).sum()
        };
        let documents = match self {
            Self::User(user) => inline(user.id),
            Self::Group(group) => inline(group.id),
            Self::Role(role) => {
                // A role is shown again in each of its instance profiles.
                let shown = account.instance_profiles_of(role.id).count().saturating_add(1);
                let trust = page::document_cost(role.trust.source());
                inline(role.id).saturating_add(trust.saturating_mul(shown))
            }
            Self::Customer(policy) => {
                let versions = account.versions(policy.id);
                versions.map(|version| page::document_cost(version.document.source())).sum()
            }
            // Its text would have to be unpacked to be weighed.
            Self::Aws(_) => AWS_DOCUMENT,
        };
        documents.saturating_add(BESIDES)
    }
}

/// Shows the entities and policies of the account, page by page.
struct GetAccountAuthorizationDetails {
    filter: Vec<String>,
    marker: Option<String>,
    max_items: Option<i32>,
}

impl GetAccountAuthorizationDetails {
    fn wants(&self, kind: &str) -> bool {
        self.filter.is_empty() || self.filter.iter().any(|wanted| wanted == kind)
    }

    /// What the filter lets through. Of AWS's policies it lists those in use (*observed*).
    fn items<'a>(&self, call: &'a Call<'_>) -> impl Iterator<Item = Item<'a>> {
        let account = call.account();
        let [users, groups, roles, customer, aws] =
            ["User", "Group", "Role", "LocalManagedPolicy", "AWSManagedPolicy"]
                .map(|kind| self.wants(kind));
        let used = move |policy: &&'static ManagedPolicy| {
            let arn = policy.arn_in(account.partition().as_str()).parse();
            aws && arn.is_ok_and(|arn| Uses::of(account, &arn).any())
        };
        let users = account.users().filter(move |_| users).map(Item::User);
        let groups = account.groups().filter(move |_| groups).map(Item::Group);
        let roles = account.roles().filter(move |_| roles).map(Item::Role);
        let customer = account.policies().filter(move |_| customer).map(Item::Customer);
        let aws = call.catalog().managed_policies().filter(used).map(Item::Aws);
        users.chain(groups).chain(roles).chain(customer).chain(aws)
    }
}

impl Operation for GetAccountAuthorizationDetails {
    type Api = api::GetAccountAuthorizationDetails;

    fn parse(request: api::GetAccountAuthorizationDetailsRequest) -> Result<Self, Fault> {
        let mut filter = request.filter.unwrap_or_default();
        filter.sort();
        filter.dedup();
        Ok(Self { filter, marker: request.marker, max_items: request.max_items })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![call.ask::<Self>("*")])
    }

    fn run(
        &self,
        call: &mut Permitted<'_>,
    ) -> Result<api::GetAccountAuthorizationDetailsResponse, Fault> {
        let call: &Call<'_> = call;
        let filters: Vec<&str> = self.filter.iter().map(String::as_str).collect();
        let paging = Paging { marker: self.marker.as_deref(), max_items: self.max_items };
        let cost = |item: &Item<'_>| item.cost(call.account());
        let page = page::cut_weighed(call, paging, &filters, self.items(call), Item::key, cost)?;
        let mut details = Details::default();
        for item in page.items {
            details.add(call, &item);
        }
        Ok(api::GetAccountAuthorizationDetailsResponse {
            user_detail_list: Some(details.users),
            group_detail_list: Some(details.groups),
            role_detail_list: Some(details.roles),
            policies: Some(details.policies),
            is_truncated: Some(page.marker.is_some()),
            marker: page.marker,
        })
    }
}

/// The four lists of a page.
#[derive(Default)]
struct Details {
    users: Vec<api::UserDetail>,
    groups: Vec<api::GroupDetail>,
    roles: Vec<api::RoleDetail>,
    policies: Vec<api::ManagedPolicyDetail>,
}

impl Details {
    fn add(&mut self, call: &Call<'_>, item: &Item<'_>) {
        match item {
            Item::User(user) => self.users.push(user_detail(call, user)),
            Item::Group(group) => self.groups.push(group_detail(call, group)),
            Item::Role(role) => self.roles.push(role_detail(call, role)),
            Item::Customer(policy) => {
                let all = call.account().versions(policy.id).collect::<Vec<_>>();
                let newest_first = all.iter().rev();
                let versions =
                    newest_first.map(|version| policy_version::describe(policy, version));
                let managed = Managed::Customer(Arc::clone(policy));
                self.policies.push(policy_detail(call, &managed, versions.collect()));
            }
            // Deviation: of an AWS managed policy only the version in force is shown.
            Item::Aws(policy) => {
                let version =
                    policy.version(&policy.default_version).map(|version| api::PolicyVersion {
                        document: Some(documents::encode(&version.document())),
                        version_id: Some(version.id.to_string()),
                        is_default_version: Some(true),
                        create_date: Some(version.created),
                    });
                let versions = version.into_iter().collect();
                self.policies.push(policy_detail(call, &Managed::Aws(policy), versions));
            }
        }
    }
}

fn attached(call: &Call<'_>, holder: Option<Holder>) -> Vec<api::AttachedPolicy> {
    let attached = holder.map(|holder| attachment::attached(call, &holder)).unwrap_or_default();
    attached.iter().map(|(_, arn)| attachment::describe(arn)).collect()
}

fn user_detail(call: &Call<'_>, user: &User) -> api::UserDetail {
    let account = call.account();
    let holder = Kind::User.named(account, user.name.as_str());
    api::UserDetail {
        path: Some(user.path.to_string()),
        user_name: Some(user.name.to_string()),
        user_id: Some(user.id.to_string()),
        arn: Some(account.user_arn(user).to_string()),
        create_date: Some(user.created),
        user_policy_list: Some(inline_policy::describe_all(call, user.id)),
        group_list: Some(account.groups_of(user.id).map(|group| group.name.to_string()).collect()),
        attached_managed_policies: Some(attached(call, holder)),
        permissions_boundary: user.boundary.as_ref().map(boundary::describe),
        tags: Some(tags::describe(&user.tags)),
    }
}

fn group_detail(call: &Call<'_>, group: &Group) -> api::GroupDetail {
    let account = call.account();
    let holder = Kind::Group.named(account, group.name.as_str());
    api::GroupDetail {
        path: Some(group.path.to_string()),
        group_name: Some(group.name.to_string()),
        group_id: Some(group.id.to_string()),
        arn: Some(account.group_arn(group).to_string()),
        create_date: Some(group.created),
        group_policy_list: Some(inline_policy::describe_all(call, group.id)),
        attached_managed_policies: Some(attached(call, holder)),
    }
}

fn role_detail(call: &Call<'_>, role: &Role) -> api::RoleDetail {
    let account = call.account();
    let holder = Kind::Role.named(account, role.name.as_str());
    let profiles = account.instance_profiles_of(role.id);
    api::RoleDetail {
        path: Some(role.path.to_string()),
        role_name: Some(role.name.to_string()),
        role_id: Some(role.id.to_string()),
        arn: Some(account.role_arn(role).to_string()),
        create_date: Some(role.created),
        assume_role_policy_document: Some(documents::trust_shown(call, role)),
        instance_profile_list: Some(
            profiles.map(|profile| instance_profile::describe_in_list(call, profile)).collect(),
        ),
        role_policy_list: Some(inline_policy::describe_all(call, role.id)),
        attached_managed_policies: Some(attached(call, holder)),
        permissions_boundary: role.boundary.as_ref().map(boundary::describe),
        tags: Some(tags::describe(&role.tags)),
        role_last_used: Some(role::describe_last_use(call, role)),
    }
}

fn policy_detail(
    call: &Call<'_>,
    policy: &Managed,
    versions: Vec<api::PolicyVersion>,
) -> api::ManagedPolicyDetail {
    let described = policy.describe(call.account());
    api::ManagedPolicyDetail {
        policy_name: described.policy_name,
        policy_id: described.policy_id,
        arn: described.arn,
        path: described.path,
        default_version_id: described.default_version_id,
        attachment_count: described.attachment_count,
        permissions_boundary_usage_count: described.permissions_boundary_usage_count,
        is_attachable: described.is_attachable,
        description: described.description,
        create_date: described.create_date,
        update_date: described.update_date,
        policy_version_list: Some(versions),
    }
}
