//! Attachments of managed policies to users, groups and roles: one mechanism for the three.

use std::marker::PhantomData;

use bailiwick_identifiers::Arn;
use bailiwick_model::{Attachment, Record, RecordKey};
use bailiwick_wire::generated::iam as api;
use bailiwick_wire::{Api, Empty, Shape};

use super::holder::{Holder, Kind};
use super::managed;
use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::fault::Fault;
use crate::operation::{Entry, Operation, entry};
use crate::page::{self, Paging};

pub(super) const OPERATIONS: &[Entry] = &[
    entry::<Attach<api::AttachUserPolicy>>(),
    entry::<Attach<api::AttachGroupPolicy>>(),
    entry::<Attach<api::AttachRolePolicy>>(),
    entry::<Detach<api::DetachUserPolicy>>(),
    entry::<Detach<api::DetachGroupPolicy>>(),
    entry::<Detach<api::DetachRolePolicy>>(),
    entry::<ListAttached<api::ListAttachedUserPolicies>>(),
    entry::<ListAttached<api::ListAttachedGroupPolicies>>(),
    entry::<ListAttached<api::ListAttachedRolePolicies>>(),
];

/// The policies attached to a holder, by keys that sort them by name. Names are unique among
/// customer policies, and among AWS's.
pub(super) fn attached(call: &Call<'_>, holder: &Holder) -> Vec<(String, Arn)> {
    let mut attached: Vec<_> =
        call.account().attached(holder.id).map(|arn| (key(arn), arn.clone())).collect();
    attached.sort();
    attached
}

fn key(arn: &Arn) -> String {
    let (name, folded) = (name(arn), name(arn).to_ascii_lowercase());
    if arn.account() == "aws" { format!("{folded}/1/{name}") } else { format!("{folded}/0") }
}

fn name(arn: &Arn) -> &str {
    arn.resource().rsplit('/').next().unwrap_or_default()
}

/// The path in a policy's ARN, with both slashes.
fn path(arn: &Arn) -> &str {
    let resource = arn.resource().strip_prefix("policy").unwrap_or_default();
    resource.rfind('/').and_then(|end| resource.get(..=end)).unwrap_or_default()
}

/// An attached policy as the API shows it.
pub(super) fn describe(arn: &Arn) -> api::AttachedPolicy {
    api::AttachedPolicy {
        policy_name: Some(name(arn).to_owned()),
        policy_arn: Some(arn.to_string()),
    }
}

/// What a request to attach or detach holds: the name of the holder and the policy's ARN.
trait Pair: Shape {
    const KIND: Kind;
    fn split(self) -> (String, String);
}

impl Pair for api::AttachUserPolicyRequest {
    const KIND: Kind = Kind::User;

    fn split(self) -> (String, String) {
        (self.user_name, self.policy_arn)
    }
}

impl Pair for api::AttachGroupPolicyRequest {
    const KIND: Kind = Kind::Group;

    fn split(self) -> (String, String) {
        (self.group_name, self.policy_arn)
    }
}

impl Pair for api::AttachRolePolicyRequest {
    const KIND: Kind = Kind::Role;

    fn split(self) -> (String, String) {
        (self.role_name, self.policy_arn)
    }
}

impl Pair for api::DetachUserPolicyRequest {
    const KIND: Kind = Kind::User;

    fn split(self) -> (String, String) {
        (self.user_name, self.policy_arn)
    }
}

impl Pair for api::DetachGroupPolicyRequest {
    const KIND: Kind = Kind::Group;

    fn split(self) -> (String, String) {
        (self.group_name, self.policy_arn)
    }
}

impl Pair for api::DetachRolePolicyRequest {
    const KIND: Kind = Kind::Role;

    fn split(self) -> (String, String) {
        (self.role_name, self.policy_arn)
    }
}

/// Attaches a managed policy. Attaching it again does nothing.
struct Attach<A> {
    holder: String,
    policy: Arn,
    api: PhantomData<fn() -> A>,
}

impl<A> Operation for Attach<A>
where
    A: Api<Request: Pair, Response = Empty> + 'static,
{
    type Api = A;

    fn parse(request: A::Request) -> Result<Self, Fault> {
        let (holder, policy) = request.split();
        Ok(Self { holder, policy: managed::parse_policy_arn(&policy)?, api: PhantomData })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        let ask = A::Request::KIND.ask_bounded::<Self>(call, &self.holder);
        Ok(vec![ask.with("iam:PolicyARN", self.policy.as_str())])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let kind = A::Request::KIND;
        let holder = kind.modifiable(call.account(), &self.holder)?;
        managed::require_attachable(call, &self.policy, kind.quota_word())?;
        if call.account().is_attached(holder.id, &self.policy) {
            return Ok(Empty);
        }
        let limit = match kind {
            Kind::User => call.quotas().attached_per_user,
            Kind::Group => call.quotas().attached_per_group,
            Kind::Role => call.quotas().attached_per_role,
        };
        let held = call.account().attached(holder.id).count();
        call.require_room(held, &format!("PoliciesPer{}", kind.quota_word()), limit)?;
        call.create(Record::Attachment(Attachment {
            owner: holder.id,
            policy: self.policy.clone(),
        }));
        Ok(Empty)
    }
}

/// Detaches a managed policy.
struct Detach<A> {
    holder: String,
    policy: Arn,
    api: PhantomData<fn() -> A>,
}

impl<A> Operation for Detach<A>
where
    A: Api<Request: Pair, Response = Empty> + 'static,
{
    type Api = A;

    fn parse(request: A::Request) -> Result<Self, Fault> {
        let (holder, policy) = request.split();
        Ok(Self { holder, policy: managed::parse_policy_arn(&policy)?, api: PhantomData })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        let ask = A::Request::KIND.ask_bounded::<Self>(call, &self.holder);
        Ok(vec![ask.with("iam:PolicyARN", self.policy.as_str())])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let holder = A::Request::KIND.modifiable(call.account(), &self.holder)?;
        if !call.account().is_attached(holder.id, &self.policy) {
            return Err(managed::not_found(&self.policy));
        }
        call.remove(&RecordKey::Attachment(holder.id, self.policy.clone()));
        Ok(Empty)
    }
}

/// What a request to list attached policies holds.
struct Listing {
    holder: String,
    path_prefix: Option<String>,
    marker: Option<String>,
    max_items: Option<i32>,
}

trait ListRequest: Shape {
    const KIND: Kind;
    fn listing(self) -> Listing;
}

impl ListRequest for api::ListAttachedUserPoliciesRequest {
    const KIND: Kind = Kind::User;

    fn listing(self) -> Listing {
        let Self { user_name: holder, path_prefix, marker, max_items } = self;
        Listing { holder, path_prefix, marker, max_items }
    }
}

impl ListRequest for api::ListAttachedGroupPoliciesRequest {
    const KIND: Kind = Kind::Group;

    fn listing(self) -> Listing {
        let Self { group_name: holder, path_prefix, marker, max_items } = self;
        Listing { holder, path_prefix, marker, max_items }
    }
}

impl ListRequest for api::ListAttachedRolePoliciesRequest {
    const KIND: Kind = Kind::Role;

    fn listing(self) -> Listing {
        let Self { role_name: holder, path_prefix, marker, max_items } = self;
        Listing { holder, path_prefix, marker, max_items }
    }
}

trait ListResponse: Shape {
    fn of(policies: Vec<api::AttachedPolicy>, marker: Option<String>) -> Self;
}

impl ListResponse for api::ListAttachedUserPoliciesResponse {
    fn of(policies: Vec<api::AttachedPolicy>, marker: Option<String>) -> Self {
        Self { attached_policies: Some(policies), is_truncated: Some(marker.is_some()), marker }
    }
}

impl ListResponse for api::ListAttachedGroupPoliciesResponse {
    fn of(policies: Vec<api::AttachedPolicy>, marker: Option<String>) -> Self {
        Self { attached_policies: Some(policies), is_truncated: Some(marker.is_some()), marker }
    }
}

impl ListResponse for api::ListAttachedRolePoliciesResponse {
    fn of(policies: Vec<api::AttachedPolicy>, marker: Option<String>) -> Self {
        Self { attached_policies: Some(policies), is_truncated: Some(marker.is_some()), marker }
    }
}

/// Lists the managed policies attached to a user, group or role.
struct ListAttached<A> {
    listing: Listing,
    api: PhantomData<fn() -> A>,
}

impl<A> Operation for ListAttached<A>
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
        let Listing { holder, path_prefix, marker, max_items } = &self.listing;
        let holder = A::Request::KIND.require(call.account(), holder)?;
        let prefix = path_prefix.as_deref().unwrap_or("/");
        let attached = attached(call, &holder).into_iter();
        let attached = attached.filter(|(_, arn)| path(arn).starts_with(prefix));
        let paging = Paging { marker: marker.as_deref(), max_items: *max_items };
        let filters = [holder.id.as_str(), prefix];
        let page = page::cut(call, paging, &filters, attached, |(key, _)| key.clone())?;
        let policies = page.items.iter().map(|(_, arn)| describe(arn)).collect();
        Ok(A::Response::of(policies, page.marker))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_of_policies_in_parts() {
        for (text, of_path, of_name) in [
            ("arn:aws:iam::123456789012:policy/p", "/", "p"),
            ("arn:aws:iam::123456789012:policy/a/b/p", "/a/b/", "p"),
            ("arn:aws:iam::aws:policy/job-function/Billing", "/job-function/", "Billing"),
        ] {
            let arn: Arn = text.parse().unwrap();
            assert_eq!((path(&arn), name(&arn)), (of_path, of_name), "{text}");
        }
    }

    #[test]
    fn keys_differ_by_who_manages_the_policy() {
        let own: Arn = "arn:aws:iam::123456789012:policy/ReadOnlyAccess".parse().unwrap();
        let aws: Arn = "arn:aws:iam::aws:policy/ReadOnlyAccess".parse().unwrap();
        assert!(key(&own) < key(&aws));
    }
}
