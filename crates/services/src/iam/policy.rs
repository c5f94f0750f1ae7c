//! Managed policies. Their versions and attachments have files of their own.

use std::collections::BTreeSet;
use std::sync::Arc;

use bailiwick_identifiers::{Arn, IdKind, Path, PolicyName, TagSet, UniqueId};
use bailiwick_model::{Account, Policy, PolicyVersion, Record, RecordKey};
use bailiwick_wire::Empty;
use bailiwick_wire::generated::iam as api;

use super::documents::IdentityDraft;
use super::managed::{self, Managed, Uses};
use super::{tags, user};
use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::fault::Fault;
use crate::operation::{Entry, Operation, entry};
use crate::page::{self, Paging};

pub(super) const OPERATIONS: &[Entry] = &[
    entry::<CreatePolicy>(),
    entry::<GetPolicy>(),
    entry::<ListPolicies>(),
    entry::<DeletePolicy>(),
    entry::<ListEntitiesForPolicy>(),
    entry::<TagPolicy>(),
    entry::<UntagPolicy>(),
    entry::<ListPolicyTags>(),
];

/// Adds a managed policy to the caller's account.
struct CreatePolicy {
    name: PolicyName,
    path: Path,
    document: IdentityDraft,
    description: Option<String>,
    tags: TagSet,
}

impl Operation for CreatePolicy {
    type Api = api::CreatePolicy;

    fn parse(request: api::CreatePolicyRequest) -> Result<Self, Fault> {
        Ok(Self {
            name: user::new_name("policyName", &request.policy_name)?,
            path: request
                .path
                .map_or_else(|| Ok(Path::root()), |path| user::new_path("path", &path))?,
            document: IdentityDraft::new(&request.policy_document),
            description: request.description,
            tags: tags::parse_exact(request.tags)?,
        })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        let arn = Arn::policy(call.partition(), call.account().id(), &self.path, &self.name);
        let ask = call.ask::<Self>(arn.as_str()).request_tags(&self.tags);
        let tagging =
            (!self.tags.is_empty()).then(|| Ask { action: "iam:TagPolicy".into(), ..ask.clone() });
        Ok([ask].into_iter().chain(tagging).collect())
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::CreatePolicyResponse, Fault> {
        if call.account().policy_named(self.name.as_str()).is_some() {
            // AWS's words (*observed*).
            return Err(Fault::new(
                "EntityAlreadyExists",
                format!(
                    "A policy called {} already exists. Duplicate names are not allowed.",
                    self.name
                ),
            ));
        }
        call.require_room(
            call.account().policies().len(),
            "PoliciesPerAccount",
            call.quotas().policies,
        )?;
        tags::require_room(&self.tags, call, "Policy")?;
        let document = self.document.managed_text(call)?;
        let policy = Arc::new(Policy {
            id: call.mint().unique_id(IdKind::Policy),
            name: self.name.clone(),
            path: self.path.clone(),
            description: self.description.clone(),
            created: call.now(),
            updated: call.now(),
            default_version: 1,
            newest_version: 1,
            tags: self.tags.clone(),
        });
        let version = PolicyVersion { policy: policy.id, number: 1, created: call.now(), document };
        call.create(Record::Policy(Arc::clone(&policy)));
        call.create(Record::PolicyVersion(Arc::new(version)));
        // The description comes with GetPolicy alone. Source: IAM API, the Policy type.
        let described = Managed::Customer(Arc::clone(&policy)).describe_briefly(call.account());
        let tags = tags::describe_any(&policy.tags);
        Ok(api::CreatePolicyResponse { policy: Some(api::Policy { tags, ..described }) })
    }
}

/// Shows a managed policy.
struct GetPolicy {
    arn: Arn,
}

impl Operation for GetPolicy {
    type Api = api::GetPolicy;

    fn parse(request: api::GetPolicyRequest) -> Result<Self, Fault> {
        Ok(Self { arn: managed::parse_policy_arn(&request.policy_arn)? })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![managed::ask::<Self>(call, &self.arn)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::GetPolicyResponse, Fault> {
        let policy = managed::require(call, &self.arn)?;
        Ok(api::GetPolicyResponse { policy: Some(policy.describe(call.account())) })
    }
}

/// In which way a policy is used.
#[derive(Clone, Copy)]
enum Usage {
    /// Attached to a user, group or role.
    Permissions,
    /// Bounding a user or role.
    Boundary,
}

impl Usage {
    /// Reads the filter of a request; validation has checked that it is one of the two.
    fn parse(filter: Option<&str>) -> Option<Self> {
        filter.map(|filter| match filter {
            "PermissionsBoundary" => Self::Boundary,
            _ => Self::Permissions,
        })
    }

    fn as_str(filter: Option<Self>) -> &'static str {
        match filter {
            None => "",
            Some(Self::Permissions) => "PermissionsPolicy",
            Some(Self::Boundary) => "PermissionsBoundary",
        }
    }
}

/// Lists the managed policies of the account and of AWS.
struct ListPolicies {
    scope: Option<String>,
    only_attached: bool,
    path_prefix: Option<String>,
    usage: Option<Usage>,
    marker: Option<String>,
    max_items: Option<i32>,
}

impl ListPolicies {
    fn all(&self, call: &Call<'_>) -> Vec<Managed> {
        let scope = self.scope.as_deref().unwrap_or("All");
        let customer = call.account().policies().cloned().map(Managed::Customer);
        let aws = call.catalog().managed_policies().map(Managed::Aws);
        let customer = customer.filter(|_| scope != "AWS");
        let aws = aws.filter(|_| scope != "Local");
        customer.chain(aws).filter(|policy| self.wants(call, policy)).collect()
    }

    fn wants(&self, call: &Call<'_>, policy: &Managed) -> bool {
        let prefix = self.path_prefix.as_deref().unwrap_or("/");
        if !policy.path().starts_with(prefix) {
            return false;
        }
        // Policies that AWS has retired stay visible where they are still in use.
        let retired = matches!(policy, Managed::Aws(policy) if !policy.attachable);
        if !self.only_attached && self.usage.is_none() && !retired {
            return true;
        }
        let Some(arn) = policy.arn(call.account()) else { return false };
        let uses = Uses::of(call.account(), &arn);
        match self.usage {
            Some(Usage::Boundary) => uses.bounding > 0,
            Some(Usage::Permissions) => uses.attached > 0,
            None if self.only_attached => uses.attached > 0,
            None => uses.any(),
        }
    }
}

/// A key that sorts customer policies before AWS's, each by name, as `all` gives them.
fn key(policy: &Managed) -> String {
    match policy {
        Managed::Customer(policy) => format!("0/{}", policy.name.folded().as_str()),
        Managed::Aws(policy) => format!("1/{}", policy.name),
    }
}

impl Operation for ListPolicies {
    type Api = api::ListPolicies;

    fn parse(request: api::ListPoliciesRequest) -> Result<Self, Fault> {
        Ok(Self {
            scope: request.scope,
            only_attached: request.only_attached.unwrap_or(false),
            path_prefix: request.path_prefix,
            usage: Usage::parse(request.policy_usage_filter.as_deref()),
            marker: request.marker,
            max_items: request.max_items,
        })
    }

    /// Matched against `*`, and reported with a path (IN-8).
    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![call.ask::<Self>("*").reported_as("policy path /")])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::ListPoliciesResponse, Fault> {
        let attached = if self.only_attached { "attached" } else { "" };
        let filters = [
            self.scope.as_deref().unwrap_or("All"),
            attached,
            self.path_prefix.as_deref().unwrap_or("/"),
            Usage::as_str(self.usage),
        ];
        let paging = Paging { marker: self.marker.as_deref(), max_items: self.max_items };
        let page = page::cut(call, paging, &filters, self.all(call).into_iter(), key)?;
        let account = call.account();
        Ok(api::ListPoliciesResponse {
            policies: Some(
                page.items.iter().map(|policy| policy.describe_briefly(account)).collect(),
            ),
            is_truncated: Some(page.marker.is_some()),
            marker: page.marker,
        })
    }
}

/// Takes a policy away, with its last version, once it is used nowhere.
struct DeletePolicy {
    arn: Arn,
}

impl Operation for DeletePolicy {
    type Api = api::DeletePolicy;

    fn parse(request: api::DeletePolicyRequest) -> Result<Self, Fault> {
        Ok(Self { arn: managed::parse_policy_arn(&request.policy_arn)? })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![managed::ask::<Self>(call, &self.arn)])
    }

    /// Refuses in AWS's words (*observed*).
    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let policy = managed::require_customer(call, &self.arn)?;
        if Uses::of(call.account(), &self.arn).any() {
            return Err(Fault::new(
                "DeleteConflict",
                "Cannot delete a policy attached to entities.",
            ));
        }
        let versions: Vec<u32> =
            call.account().versions(policy.id).map(|version| version.number).collect();
        if versions.len() > 1 {
            return Err(Fault::new(
                "DeleteConflict",
                "This policy has more than one version. Before you delete a policy, you must delete the \
                 policy's versions. The default version is deleted with the policy.",
            ));
        }
        for number in versions {
            call.remove(&RecordKey::PolicyVersion(policy.id, number));
        }
        call.delete(&Record::Policy(policy));
        Ok(Empty)
    }
}

/// Lists the users, groups and roles that a policy is attached to or bounds.
struct ListEntitiesForPolicy {
    arn: Arn,
    entities: Option<String>,
    path_prefix: Option<String>,
    usage: Option<Usage>,
    marker: Option<String>,
    max_items: Option<i32>,
}

/// An entity that uses a policy.
enum Entity {
    Group(api::PolicyGroup),
    User(api::PolicyUser),
    Role(api::PolicyRole),
}

impl ListEntitiesForPolicy {
    /// The entities by keys that sort groups first, then users and roles, each by name.
    fn entities(&self, account: &Account) -> Vec<(String, Entity)> {
        let wants = |usage: Usage| match self.usage {
            None => true,
            Some(wanted) => matches!(
                (wanted, usage),
                (Usage::Permissions, Usage::Permissions) | (Usage::Boundary, Usage::Boundary)
            ),
        };
        let attached = account.attached_to(&self.arn).filter(|_| wants(Usage::Permissions));
        let bounded = account.bounded_by(&self.arn).filter(|_| wants(Usage::Boundary));
        let ids: BTreeSet<UniqueId> = attached.chain(bounded).collect();
        let mut entities: Vec<_> = ids.iter().filter_map(|id| self.entity(account, id)).collect();
        entities.sort_by(|(one, _), (two, _)| one.cmp(two));
        entities
    }

    fn entity(&self, account: &Account, id: &UniqueId) -> Option<(String, Entity)> {
        let wants = |kind: &str, path: &Path| {
            self.entities.as_deref().is_none_or(|wanted| wanted == kind)
                && path.as_str().starts_with(self.path_prefix.as_deref().unwrap_or("/"))
        };
        if let Some(group) = account.group(id) {
            let described = api::PolicyGroup {
                group_name: Some(group.name.to_string()),
                group_id: Some(group.id.to_string()),
            };
            let key = format!("0/{}", group.name.folded().as_str());
            return wants("Group", &group.path).then_some((key, Entity::Group(described)));
        }
        if let Some(user) = account.user(id) {
            let described = api::PolicyUser {
                user_name: Some(user.name.to_string()),
                user_id: Some(user.id.to_string()),
            };
            let key = format!("1/{}", user.name.folded().as_str());
            return wants("User", &user.path).then_some((key, Entity::User(described)));
        }
        let role = account.role(id)?;
        let described = api::PolicyRole {
            role_name: Some(role.name.to_string()),
            role_id: Some(role.id.to_string()),
        };
        let key = format!("2/{}", role.name.folded().as_str());
        wants("Role", &role.path).then_some((key, Entity::Role(described)))
    }
}

impl Operation for ListEntitiesForPolicy {
    type Api = api::ListEntitiesForPolicy;

    fn parse(request: api::ListEntitiesForPolicyRequest) -> Result<Self, Fault> {
        Ok(Self {
            arn: managed::parse_policy_arn(&request.policy_arn)?,
            entities: request.entity_filter,
            path_prefix: request.path_prefix,
            usage: Usage::parse(request.policy_usage_filter.as_deref()),
            marker: request.marker,
            max_items: request.max_items,
        })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![managed::ask::<Self>(call, &self.arn)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::ListEntitiesForPolicyResponse, Fault> {
        managed::require(call, &self.arn)?;
        let filters = [
            self.arn.as_str(),
            self.entities.as_deref().unwrap_or_default(),
            self.path_prefix.as_deref().unwrap_or("/"),
            Usage::as_str(self.usage),
        ];
        let paging = Paging { marker: self.marker.as_deref(), max_items: self.max_items };
        let entities = self.entities(call.account()).into_iter();
        let page = page::cut(call, paging, &filters, entities, |(key, _)| key.clone())?;
        let (mut groups, mut users, mut roles) = (Vec::new(), Vec::new(), Vec::new());
        for (_, entity) in page.items {
            match entity {
                Entity::Group(group) => groups.push(group),
                Entity::User(user) => users.push(user),
                Entity::Role(role) => roles.push(role),
            }
        }
        Ok(api::ListEntitiesForPolicyResponse {
            policy_groups: Some(groups),
            policy_users: Some(users),
            policy_roles: Some(roles),
            is_truncated: Some(page.marker.is_some()),
            marker: page.marker,
        })
    }
}

/// Adds tags to a policy, or changes their values.
struct TagPolicy {
    arn: Arn,
    tags: TagSet,
}

impl Operation for TagPolicy {
    type Api = api::TagPolicy;

    fn parse(request: api::TagPolicyRequest) -> Result<Self, Fault> {
        Ok(Self {
            arn: managed::parse_policy_arn(&request.policy_arn)?,
            tags: tags::parse_exact(request.tags)?,
        })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![managed::ask::<Self>(call, &self.arn).request_tags(&self.tags)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let policy = managed::require_customer(call, &self.arn)?;
        let tags = tags::merged_exact(&policy.tags, &self.tags, call, "Policy")?;
        retag(call, &policy, tags);
        Ok(Empty)
    }
}

/// Takes tags off a policy.
struct UntagPolicy {
    arn: Arn,
    keys: Vec<String>,
}

impl Operation for UntagPolicy {
    type Api = api::UntagPolicy;

    fn parse(request: api::UntagPolicyRequest) -> Result<Self, Fault> {
        Ok(Self { arn: managed::parse_policy_arn(&request.policy_arn)?, keys: request.tag_keys })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![managed::ask::<Self>(call, &self.arn).tag_keys(&self.keys)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let policy = managed::require_customer(call, &self.arn)?;
        let tags = tags::without_exact(&policy.tags, &self.keys);
        retag(call, &policy, tags);
        Ok(Empty)
    }
}

fn retag(call: &mut Permitted<'_>, policy: &Policy, tags: TagSet) {
    if tags != policy.tags {
        call.update(Record::Policy(Arc::new(Policy { tags, ..policy.clone() })));
    }
}

/// Lists the tags of a policy.
struct ListPolicyTags {
    arn: Arn,
    marker: Option<String>,
    max_items: Option<i32>,
}

impl Operation for ListPolicyTags {
    type Api = api::ListPolicyTags;

    fn parse(request: api::ListPolicyTagsRequest) -> Result<Self, Fault> {
        let api::ListPolicyTagsRequest { policy_arn, marker, max_items } = request;
        Ok(Self { arn: managed::parse_policy_arn(&policy_arn)?, marker, max_items })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![managed::ask::<Self>(call, &self.arn)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::ListPolicyTagsResponse, Fault> {
        let held = match managed::require(call, &self.arn)? {
            Managed::Customer(policy) => policy.tags.clone(),
            Managed::Aws(_) => TagSet::default(),
        };
        let paging = Paging { marker: self.marker.as_deref(), max_items: self.max_items };
        let page = tags::page(call, paging, self.arn.as_str(), &held)?;
        Ok(api::ListPolicyTagsResponse {
            tags: page.items,
            is_truncated: Some(page.marker.is_some()),
            marker: page.marker,
        })
    }
}
