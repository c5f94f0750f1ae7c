//! The versions of managed policies. A version never changes; which one is in force does.

use std::sync::Arc;

use bailiwick_identifiers::Arn;
use bailiwick_model::{Policy, PolicyVersion, Record, RecordKey};
use bailiwick_wire::Empty;
use bailiwick_wire::generated::iam as api;

use super::documents::{self, IdentityDraft};
use super::managed::{self, Managed, version_id, version_number};
use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::fault::Fault;
use crate::operation::{Entry, Operation, entry};
use crate::page::{self, Paging};

pub(super) const OPERATIONS: &[Entry] = &[
    entry::<CreatePolicyVersion>(),
    entry::<GetPolicyVersion>(),
    entry::<ListPolicyVersions>(),
    entry::<SetDefaultPolicyVersion>(),
    entry::<DeletePolicyVersion>(),
];

/// A version as lists show it: without its document.
fn describe_briefly(policy: &Policy, version: &PolicyVersion) -> api::PolicyVersion {
    api::PolicyVersion {
        document: None,
        version_id: Some(version_id(version.number)),
        is_default_version: Some(version.number == policy.default_version),
        create_date: Some(version.created),
    }
}

/// A version with its document.
pub(super) fn describe(policy: &Policy, version: &PolicyVersion) -> api::PolicyVersion {
    let document = Some(documents::encode(version.document.source()));
    api::PolicyVersion { document, ..describe_briefly(policy, version) }
}

/// AWS's words (*observed*).
fn not_found(arn: &Arn, id: &str) -> Fault {
    let text = format!("Policy {arn} version {id} does not exist or is not attachable.");
    Fault::new("NoSuchEntity", text)
}

/// The version of this id of a customer policy.
fn named(
    call: &Call<'_>,
    policy: &Policy,
    arn: &Arn,
    id: &str,
) -> Result<Arc<PolicyVersion>, Fault> {
    version_number(id)
        .and_then(|number| call.account().version(policy.id, number))
        .cloned()
        .ok_or_else(|| not_found(arn, id))
}

/// Adds a version to a policy, and perhaps puts it in force.
struct CreatePolicyVersion {
    arn: Arn,
    document: IdentityDraft,
    set_as_default: bool,
}

impl Operation for CreatePolicyVersion {
    type Api = api::CreatePolicyVersion;

    fn parse(request: api::CreatePolicyVersionRequest) -> Result<Self, Fault> {
        Ok(Self {
            arn: managed::parse_policy_arn(&request.policy_arn)?,
            document: IdentityDraft::new(&request.policy_document),
            set_as_default: request.set_as_default.unwrap_or(false),
        })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![managed::ask::<Self>(call, &self.arn)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::CreatePolicyVersionResponse, Fault> {
        let policy = managed::require_customer(call, &self.arn)?;
        let document = self.document.managed_text(call)?;
        let limit = call.quotas().versions_per_policy;
        let held = call.account().versions(policy.id).count();
        if u64::try_from(held).is_ok_and(|held| held >= limit) {
            // AWS's words (*observed*).
            return Err(Fault::new(
                "LimitExceeded",
                format!(
                    "A managed policy can have up to {limit} versions. Before you create a new version, \
                     you must delete an existing version."
                ),
            ));
        }
        // Numbers are not used again, even after their version is gone.
        let number = policy.newest_version.checked_add(1).ok_or_else(Fault::internal)?;
        let policy = Policy {
            newest_version: number,
            default_version: if self.set_as_default { number } else { policy.default_version },
            updated: call.now(),
            ..Policy::clone(&policy)
        };
        let version =
            Arc::new(PolicyVersion { policy: policy.id, number, created: call.now(), document });
        let described = describe_briefly(&policy, &version);
        call.create(Record::PolicyVersion(version));
        call.update(Record::Policy(Arc::new(policy)));
        Ok(api::CreatePolicyVersionResponse { policy_version: Some(described) })
    }
}

/// Shows a version and its document.
struct GetPolicyVersion {
    arn: Arn,
    version: String,
}

impl Operation for GetPolicyVersion {
    type Api = api::GetPolicyVersion;

    fn parse(request: api::GetPolicyVersionRequest) -> Result<Self, Fault> {
        Ok(Self {
            arn: managed::parse_policy_arn(&request.policy_arn)?,
            version: request.version_id,
        })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![managed::ask::<Self>(call, &self.arn)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::GetPolicyVersionResponse, Fault> {
        let described = match managed::require(call, &self.arn)? {
            Managed::Customer(policy) => {
                describe(&policy, &*named(call, &policy, &self.arn, &self.version)?)
            }
            Managed::Aws(policy) => {
                let version = policy
                    .version(&self.version)
                    .ok_or_else(|| not_found(&self.arn, &self.version))?;
                api::PolicyVersion {
                    document: Some(documents::encode(&version.document())),
                    version_id: Some(version.id.to_string()),
                    is_default_version: Some(version.id == policy.default_version),
                    create_date: Some(version.created),
                }
            }
        };
        Ok(api::GetPolicyVersionResponse { policy_version: Some(described) })
    }
}

/// Lists the versions of a policy, newest first.
struct ListPolicyVersions {
    arn: Arn,
    marker: Option<String>,
    max_items: Option<i32>,
}

/// A key that sorts versions newest first.
fn key(number: u32) -> String {
    format!("{:010}", u32::MAX - number)
}

impl ListPolicyVersions {
    fn versions(&self, call: &Call<'_>) -> Result<Vec<(String, api::PolicyVersion)>, Fault> {
        let mut versions: Vec<_> = match managed::require(call, &self.arn)? {
            Managed::Customer(policy) => call
                .account()
                .versions(policy.id)
                .map(|version| (key(version.number), describe_briefly(&policy, version)))
                .collect(),
            Managed::Aws(policy) => policy
                .versions
                .iter()
                .map(|version| {
                    let described = api::PolicyVersion {
                        document: None,
                        version_id: Some(version.id.to_string()),
                        is_default_version: Some(version.id == policy.default_version),
                        create_date: Some(version.created),
                    };
                    (key(version_number(&version.id).unwrap_or_default()), described)
                })
                .collect(),
        };
        versions.sort_by(|(one, _), (two, _)| one.cmp(two));
        Ok(versions)
    }
}

impl Operation for ListPolicyVersions {
    type Api = api::ListPolicyVersions;

    fn parse(request: api::ListPolicyVersionsRequest) -> Result<Self, Fault> {
        let api::ListPolicyVersionsRequest { policy_arn, marker, max_items } = request;
        Ok(Self { arn: managed::parse_policy_arn(&policy_arn)?, marker, max_items })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![managed::ask::<Self>(call, &self.arn)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::ListPolicyVersionsResponse, Fault> {
        let versions = self.versions(call)?.into_iter();
        let paging = Paging { marker: self.marker.as_deref(), max_items: self.max_items };
        let page = page::cut(call, paging, &[self.arn.as_str()], versions, |(key, _)| key.clone())?;
        Ok(api::ListPolicyVersionsResponse {
            versions: Some(page.items.into_iter().map(|(_, version)| version).collect()),
            is_truncated: Some(page.marker.is_some()),
            marker: page.marker,
        })
    }
}

/// Puts a version of a policy in force.
struct SetDefaultPolicyVersion {
    arn: Arn,
    version: String,
}

impl Operation for SetDefaultPolicyVersion {
    type Api = api::SetDefaultPolicyVersion;

    fn parse(request: api::SetDefaultPolicyVersionRequest) -> Result<Self, Fault> {
        Ok(Self {
            arn: managed::parse_policy_arn(&request.policy_arn)?,
            version: request.version_id,
        })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![managed::ask::<Self>(call, &self.arn)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let policy = managed::require_customer(call, &self.arn)?;
        let version = named(call, &policy, &self.arn, &self.version)?;
        if policy.default_version != version.number {
            // The date of the policy's update stays: it tells when its newest version was made.
            // Source: IAM API, the Policy type.
            let changed = Policy { default_version: version.number, ..Policy::clone(&policy) };
            call.update(Record::Policy(Arc::new(changed)));
        }
        Ok(Empty)
    }
}

/// Takes a version away that is not in force.
struct DeletePolicyVersion {
    arn: Arn,
    version: String,
}

impl Operation for DeletePolicyVersion {
    type Api = api::DeletePolicyVersion;

    fn parse(request: api::DeletePolicyVersionRequest) -> Result<Self, Fault> {
        Ok(Self {
            arn: managed::parse_policy_arn(&request.policy_arn)?,
            version: request.version_id,
        })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![managed::ask::<Self>(call, &self.arn)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let policy = managed::require_customer(call, &self.arn)?;
        let version = named(call, &policy, &self.arn, &self.version)?;
        if policy.default_version == version.number {
            // AWS's words (*observed*).
            return Err(Fault::new(
                "DeleteConflict",
                "Cannot delete the default version of a policy.",
            ));
        }
        call.remove(&RecordKey::PolicyVersion(policy.id, version.number));
        Ok(Empty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_versions_come_first() {
        let mut keys = [1, 2, 10, 100, 4_000_000_000].map(key);
        keys.reverse();
        assert!(keys.is_sorted());
    }
}
