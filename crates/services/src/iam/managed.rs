//! Managed policies by ARN, whoever manages them: customer policies of the account, and AWS's own
//! from the catalog, which belong to every account (IN-9) and which no account can change.

use std::str::FromStr as _;

use std::sync::Arc;

use bailiwick_catalog::ManagedPolicy;
use bailiwick_identifiers::Arn;
use bailiwick_model::{Account, Policy};
use bailiwick_wire::generated::iam as api;

use super::tags;
use crate::ask::Ask;
use crate::call::Call;
use crate::fault::Fault;
use crate::operation::Operation;

/// A managed policy.
#[derive(Clone)]
pub(super) enum Managed {
    /// The account's own.
    Customer(Arc<Policy>),
    /// AWS's.
    Aws(&'static ManagedPolicy),
}

/// Reads an ARN. AWS's words, both spaces included (*observed*).
pub(super) fn parse_arn(text: &str) -> Result<Arn, Fault> {
    Arn::from_str(text).map_err(|_| Fault::validation("Invalid ARN:  Could not be parsed!"))
}

/// Reads the ARN of a policy that an operation is about. AWS has refused what names another kind of
/// resource, another service or a region since 2024, in these words (*observed*).
pub(super) fn parse_policy_arn(text: &str) -> Result<Arn, Fault> {
    let arn = parse_arn(text)?;
    let is_policy =
        arn.service() == "iam" && arn.region().is_empty() && arn.resource().starts_with("policy/");
    if is_policy { Ok(arn) } else { Err(Fault::invalid_input(format!("ARN {arn} is not valid."))) }
}

/// The policy of this ARN, if there is one in the account's partition.
pub(super) fn find(call: &Call<'_>, arn: &Arn) -> Option<Managed> {
    let customer = call.account().policy_with_arn(arn).cloned().map(Managed::Customer);
    customer.or_else(|| aws(call, arn).map(Managed::Aws))
}

fn aws(call: &Call<'_>, arn: &Arn) -> Option<&'static ManagedPolicy> {
    if arn.partition() != call.partition().as_str() || !is_aws(arn) {
        return None;
    }
    call.catalog().managed_policy(arn.as_str())
}

/// Whether the ARN is one of AWS's own policies.
fn is_aws(arn: &Arn) -> bool {
    arn.service() == "iam" && arn.account() == "aws" && arn.region().is_empty()
}

/// The policy of this ARN, or `NoSuchEntity`.
pub(super) fn require(call: &Call<'_>, arn: &Arn) -> Result<Managed, Fault> {
    find(call, arn).ok_or_else(|| not_found(arn))
}

/// AWS's words (*observed*).
pub(super) fn not_found(arn: &Arn) -> Fault {
    Fault::new("NoSuchEntity", format!("Policy {arn} was not found."))
}

/// The customer policy of this ARN, to be changed. AWS's own are refused whatever the caller's
/// policies say (IN-9).
pub(super) fn require_customer(call: &Call<'_>, arn: &Arn) -> Result<Arc<Policy>, Fault> {
    if is_aws(arn) {
        // AWS's answer here is a plain denial, without a reason.
        return Err(Fault::access_denied(format!(
            "User: {} is not authorized to perform: iam:{} on resource: policy {arn}",
            call.caller().arn(),
            call.operation(),
        )));
    }
    call.account().policy_with_arn(arn).cloned().ok_or_else(|| not_found(arn))
}

/// The policy of this ARN, to be attached to a user, group or role of the account, `kind` being
/// its word with a capital.
pub(super) fn require_attachable(call: &Call<'_>, arn: &Arn, kind: &str) -> Result<Managed, Fault> {
    let unknown = || {
        // AWS's words (*observed*).
        Fault::new("NoSuchEntity", format!("Policy {arn} does not exist or is not attachable."))
    };
    let policy = find(call, arn).ok_or_else(unknown)?;
    match &policy {
        Managed::Aws(policy) if policy.is_for_service_linked_roles() => Err(Fault::new(
            "PolicyNotAttachable",
            format!("Cannot attach a Service Role Policy to a Customer {kind}."),
        )),
        Managed::Aws(policy) if !policy.attachable => Err(unknown()),
        _ => Ok(policy),
    }
}

/// An ask on the policy of this ARN. A policy of another account is that account's (IN-7); AWS's
/// count as the caller's (IN-9).
pub(super) fn ask<O: Operation>(call: &Call<'_>, arn: &Arn) -> Ask {
    // A denial calls a policy so (*observed*).
    let mut ask = call.ask::<O>(arn.as_str()).reported_as(format!("policy {arn}"));
    if let Some(owner) = arn.account_id() {
        ask.owner = owner;
    }
    match call.account().policy_with_arn(arn) {
        Some(policy) => ask.general_resource_tags(&policy.tags),
        None => ask,
    }
}

/// How many users, groups and roles have the policy attached, and how many users and roles it
/// bounds.
#[derive(Clone, Copy)]
pub(super) struct Uses {
    pub(super) attached: i32,
    pub(super) bounding: i32,
}

impl Uses {
    pub(super) fn of(account: &Account, arn: &Arn) -> Self {
        let number = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
        Self {
            attached: number(account.attached_to(arn).count()),
            bounding: number(account.bounded_by(arn).count()),
        }
    }

    /// Whether the policy does anything in the account.
    pub(super) fn any(self) -> bool {
        self.attached > 0 || self.bounding > 0
    }
}

impl Managed {
    /// The policy's ARN.
    pub(super) fn arn(&self, account: &Account) -> Option<Arn> {
        match self {
            Self::Customer(policy) => Some(account.policy_arn(policy)),
            Self::Aws(policy) => policy.arn_in(account.partition().as_str()).parse().ok(),
        }
    }

    /// The path.
    pub(super) fn path(&self) -> &str {
        match self {
            Self::Customer(policy) => policy.path.as_str(),
            Self::Aws(policy) => &policy.path,
        }
    }

    /// As list operations show it: without description and tags. Source: IAM API, ListPolicies.
    pub(super) fn describe_briefly(&self, account: &Account) -> api::Policy {
        let arn = self.arn(account);
        let uses = arn.as_ref().map(|arn| Uses::of(account, arn));
        let common = api::Policy {
            arn: arn.map(|arn| arn.to_string()),
            path: Some(self.path().to_owned()),
            attachment_count: uses.map(|uses| uses.attached),
            permissions_boundary_usage_count: uses.map(|uses| uses.bounding),
            ..api::Policy::default()
        };
        match self {
            Self::Customer(policy) => api::Policy {
                policy_name: Some(policy.name.to_string()),
                policy_id: Some(policy.id.to_string()),
                default_version_id: Some(version_id(policy.default_version)),
                is_attachable: Some(true),
                create_date: Some(policy.created),
                update_date: Some(policy.updated),
                ..common
            },
            Self::Aws(policy) => api::Policy {
                policy_name: Some(policy.name.to_string()),
                policy_id: Some(policy.id.to_string()),
                default_version_id: Some(policy.default_version.to_string()),
                is_attachable: Some(policy.attachable),
                create_date: Some(policy.created),
                update_date: Some(policy.updated),
                ..common
            },
        }
    }

    /// As GetPolicy shows it. Deviation: AWS managed policies have no description, for the catalog
    /// holds no prose.
    pub(super) fn describe(&self, account: &Account) -> api::Policy {
        let brief = self.describe_briefly(account);
        match self {
            Self::Customer(policy) => api::Policy {
                description: policy.description.clone(),
                tags: Some(tags::describe(&policy.tags)),
                ..brief
            },
            Self::Aws(_) => api::Policy { tags: Some(Vec::new()), ..brief },
        }
    }
}

/// The id of a version: `v1` for 1.
pub(super) fn version_id(number: u32) -> String {
    format!("v{number}")
}

/// The number in the id of a version, if it has the plain form.
pub(super) fn version_number(id: &str) -> Option<u32> {
    let digits = id.strip_prefix('v')?;
    if digits.starts_with('0') || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_ids() {
        for (id, expected) in [
            ("v1", Some(1)),
            ("v12", Some(12)),
            ("v0", None),
            ("v01", None),
            ("v+1", None),
            ("v", None),
            ("1", None),
            ("v1.2", None),
            ("v99999999999", None),
        ] {
            assert_eq!(version_number(id), expected, "{id}");
        }
        assert_eq!(version_id(3), "v3");
    }
}
