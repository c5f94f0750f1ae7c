//! Inline policies of users, groups and roles: one mechanism for the three.

use std::marker::PhantomData;
use std::sync::Arc;

use bailiwick_identifiers::{PolicyName, UniqueId};
use bailiwick_model::{InlinePolicy, Record, RecordKey};
use bailiwick_wire::generated::iam as api;
use bailiwick_wire::{Api, Empty, Shape};

use super::documents::{self, IdentityDraft};
use super::holder::{Holder, Kind};
use super::user;
use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::fault::Fault;
use crate::operation::{Entry, Operation, entry};
use crate::page::{self, Paging};

pub(super) const OPERATIONS: &[Entry] = &[
    entry::<Put<api::PutUserPolicy>>(),
    entry::<Put<api::PutGroupPolicy>>(),
    entry::<Put<api::PutRolePolicy>>(),
    entry::<Get<api::GetUserPolicy>>(),
    entry::<Get<api::GetGroupPolicy>>(),
    entry::<Get<api::GetRolePolicy>>(),
    entry::<List<api::ListUserPolicies>>(),
    entry::<List<api::ListGroupPolicies>>(),
    entry::<List<api::ListRolePolicies>>(),
    entry::<Delete<api::DeleteUserPolicy>>(),
    entry::<Delete<api::DeleteGroupPolicy>>(),
    entry::<Delete<api::DeleteRolePolicy>>(),
];

/// The inline policies of a user, group or role with their documents, as
/// GetAccountAuthorizationDetails shows them.
pub(super) fn describe_all(call: &Call<'_>, owner: UniqueId) -> Vec<api::PolicyDetail> {
    let described = call.account().inline_policies(owner).map(|policy| api::PolicyDetail {
        policy_name: Some(policy.name.to_string()),
        policy_document: Some(documents::encode(policy.document.source())),
    });
    described.collect()
}

/// The inline policy of this name, or `NoSuchEntity` in AWS's words (*observed*).
fn named(call: &Call<'_>, holder: &Holder, name: &str) -> Result<Arc<InlinePolicy>, Fault> {
    let parsed = name.parse::<PolicyName>().ok();
    let found = parsed.and_then(|name| call.account().inline_policy(holder.id, &name).cloned());
    found.ok_or_else(|| Fault::no_such(&format!("{} policy", holder.kind.word()), name))
}

/// What a request to put a policy holds: the name of the holder, the policy's name and its text.
trait PutRequest: Shape {
    const KIND: Kind;
    fn split(self) -> (String, String, String);
}

impl PutRequest for api::PutUserPolicyRequest {
    const KIND: Kind = Kind::User;

    fn split(self) -> (String, String, String) {
        (self.user_name, self.policy_name, self.policy_document)
    }
}

impl PutRequest for api::PutGroupPolicyRequest {
    const KIND: Kind = Kind::Group;

    fn split(self) -> (String, String, String) {
        (self.group_name, self.policy_name, self.policy_document)
    }
}

impl PutRequest for api::PutRolePolicyRequest {
    const KIND: Kind = Kind::Role;

    fn split(self) -> (String, String, String) {
        (self.role_name, self.policy_name, self.policy_document)
    }
}

/// Adds an inline policy, or puts it in the place of the one of its name.
struct Put<A> {
    holder: String,
    name: PolicyName,
    document: IdentityDraft,
    api: PhantomData<fn() -> A>,
}

impl<A> Operation for Put<A>
where
    A: Api<Request: PutRequest, Response = Empty> + 'static,
{
    type Api = A;

    fn parse(request: A::Request) -> Result<Self, Fault> {
        let (holder, name, document) = request.split();
        Ok(Self {
            holder,
            name: user::new_name("policyName", &name)?,
            document: IdentityDraft::new(&document),
            api: PhantomData,
        })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![A::Request::KIND.ask_bounded::<Self>(call, &self.holder)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let holder = A::Request::KIND.modifiable(call.account(), &self.holder)?;
        let document = self.document.text()?;
        require_room(call, &holder, &self.name, self.document.size())?;
        let policy = InlinePolicy { owner: holder.id, name: self.name.clone(), document };
        call.update(Record::InlinePolicy(Arc::new(policy)));
        Ok(Empty)
    }
}

/// Refuses a policy with which all inline policies of the holder together were too long, in AWS's
/// words (*observed*). What it replaces does not count.
fn require_room(
    call: &Call<'_>,
    holder: &Holder,
    name: &PolicyName,
    size: usize,
) -> Result<(), Fault> {
    let limit = match holder.kind {
        Kind::User => call.quotas().user_policy_size,
        Kind::Group => call.quotas().group_policy_size,
        Kind::Role => call.quotas().role_policy_size,
    };
    let others = call.account().inline_policies(holder.id).filter(|policy| policy.name != *name);
    let held: usize = others.map(|policy| documents::size(policy.document.source())).sum();
    if documents::fits(held + size, limit) {
        return Ok(());
    }
    let text = format!(
        "Maximum policy size of {limit} bytes exceeded for {} {}",
        holder.kind.word(),
        holder.name
    );
    Err(Fault::new("LimitExceeded", text))
}

/// What a request about one policy holds: the name of the holder and the policy's name.
trait NameRequest: Shape {
    const KIND: Kind;
    fn split(self) -> (String, String);
}

impl NameRequest for api::GetUserPolicyRequest {
    const KIND: Kind = Kind::User;

    fn split(self) -> (String, String) {
        (self.user_name, self.policy_name)
    }
}

impl NameRequest for api::GetGroupPolicyRequest {
    const KIND: Kind = Kind::Group;

    fn split(self) -> (String, String) {
        (self.group_name, self.policy_name)
    }
}

impl NameRequest for api::GetRolePolicyRequest {
    const KIND: Kind = Kind::Role;

    fn split(self) -> (String, String) {
        (self.role_name, self.policy_name)
    }
}

impl NameRequest for api::DeleteUserPolicyRequest {
    const KIND: Kind = Kind::User;

    fn split(self) -> (String, String) {
        (self.user_name, self.policy_name)
    }
}

impl NameRequest for api::DeleteGroupPolicyRequest {
    const KIND: Kind = Kind::Group;

    fn split(self) -> (String, String) {
        (self.group_name, self.policy_name)
    }
}

impl NameRequest for api::DeleteRolePolicyRequest {
    const KIND: Kind = Kind::Role;

    fn split(self) -> (String, String) {
        (self.role_name, self.policy_name)
    }
}

trait GetResponse: Shape {
    fn of(holder: String, policy_name: String, policy_document: String) -> Self;
}

impl GetResponse for api::GetUserPolicyResponse {
    fn of(user_name: String, policy_name: String, policy_document: String) -> Self {
        Self { user_name, policy_name, policy_document }
    }
}

impl GetResponse for api::GetGroupPolicyResponse {
    fn of(group_name: String, policy_name: String, policy_document: String) -> Self {
        Self { group_name, policy_name, policy_document }
    }
}

impl GetResponse for api::GetRolePolicyResponse {
    fn of(role_name: String, policy_name: String, policy_document: String) -> Self {
        Self { role_name, policy_name, policy_document }
    }
}

/// Shows an inline policy.
struct Get<A> {
    holder: String,
    name: String,
    api: PhantomData<fn() -> A>,
}

impl<A> Operation for Get<A>
where
    A: Api<Request: NameRequest, Response: GetResponse> + 'static,
{
    type Api = A;

    fn parse(request: A::Request) -> Result<Self, Fault> {
        let (holder, name) = request.split();
        Ok(Self { holder, name, api: PhantomData })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![A::Request::KIND.ask::<Self>(call, &self.holder)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<A::Response, Fault> {
        let holder = A::Request::KIND.require(call.account(), &self.holder)?;
        let policy = named(call, &holder, &self.name)?;
        let document = documents::encode(policy.document.source());
        Ok(A::Response::of(holder.name, policy.name.to_string(), document))
    }
}

/// Takes an inline policy away.
struct Delete<A> {
    holder: String,
    name: String,
    api: PhantomData<fn() -> A>,
}

impl<A> Operation for Delete<A>
where
    A: Api<Request: NameRequest, Response = Empty> + 'static,
{
    type Api = A;

    fn parse(request: A::Request) -> Result<Self, Fault> {
        let (holder, name) = request.split();
        Ok(Self { holder, name, api: PhantomData })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![A::Request::KIND.ask_bounded::<Self>(call, &self.holder)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let holder = A::Request::KIND.modifiable(call.account(), &self.holder)?;
        let policy = named(call, &holder, &self.name)?;
        call.remove(&RecordKey::InlinePolicy(holder.id, policy.name.clone()));
        Ok(Empty)
    }
}

/// What a request to list inline policies holds.
struct Listing {
    holder: String,
    marker: Option<String>,
    max_items: Option<i32>,
}

trait ListRequest: Shape {
    const KIND: Kind;
    fn listing(self) -> Listing;
}

impl ListRequest for api::ListUserPoliciesRequest {
    const KIND: Kind = Kind::User;

    fn listing(self) -> Listing {
        let Self { user_name: holder, marker, max_items } = self;
        Listing { holder, marker, max_items }
    }
}

impl ListRequest for api::ListGroupPoliciesRequest {
    const KIND: Kind = Kind::Group;

    fn listing(self) -> Listing {
        let Self { group_name: holder, marker, max_items } = self;
        Listing { holder, marker, max_items }
    }
}

impl ListRequest for api::ListRolePoliciesRequest {
    const KIND: Kind = Kind::Role;

    fn listing(self) -> Listing {
        let Self { role_name: holder, marker, max_items } = self;
        Listing { holder, marker, max_items }
    }
}

trait ListResponse: Shape {
    fn of(policy_names: Vec<String>, marker: Option<String>) -> Self;
}

impl ListResponse for api::ListUserPoliciesResponse {
    fn of(policy_names: Vec<String>, marker: Option<String>) -> Self {
        Self { policy_names, is_truncated: Some(marker.is_some()), marker }
    }
}

impl ListResponse for api::ListGroupPoliciesResponse {
    fn of(policy_names: Vec<String>, marker: Option<String>) -> Self {
        Self { policy_names, is_truncated: Some(marker.is_some()), marker }
    }
}

impl ListResponse for api::ListRolePoliciesResponse {
    fn of(policy_names: Vec<String>, marker: Option<String>) -> Self {
        Self { policy_names, is_truncated: Some(marker.is_some()), marker }
    }
}

/// Lists the names of the inline policies of a user, group or role.
struct List<A> {
    listing: Listing,
    api: PhantomData<fn() -> A>,
}

impl<A> Operation for List<A>
where
    A: Api<Request: ListRequest, Response: ListResponse> + 'static,
{
    type Api = A;

    fn parse(request: A::Request) -> Result<Self, Fault> {
        Ok(Self { listing: request.listing(), api: PhantomData })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![A::Request::KIND.ask::<Self>(call, &self.listing.holder)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<A::Response, Fault> {
        let Listing { holder, marker, max_items } = &self.listing;
        let holder = A::Request::KIND.require(call.account(), holder)?;
        let names = call.account().inline_policies(holder.id).map(|policy| policy.name.to_string());
        let paging = Paging { marker: marker.as_deref(), max_items: *max_items };
        let page = page::cut(call, paging, &[holder.id.as_str()], names, String::clone)?;
        Ok(A::Response::of(page.items, page.marker))
    }
}
