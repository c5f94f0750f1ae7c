//! The summary of an account: what it holds, and its quotas.

use std::collections::BTreeMap;

use bailiwick_model::{Account, Owner, TokenVersion};
use bailiwick_wire::Empty;
use bailiwick_wire::generated::iam as api;

use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::fault::Fault;
use crate::operation::{Entry, Operation, entry};
use crate::quota::Quotas;

pub(super) const OPERATIONS: &[Entry] = &[entry::<GetAccountSummary>()];

/// Counts what the account holds.
struct GetAccountSummary;

impl Operation for GetAccountSummary {
    type Api = api::GetAccountSummary;

    fn parse(_: Empty) -> Result<Self, Fault> {
        Ok(Self)
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![call.ask::<Self>("*")])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::GetAccountSummaryResponse, Fault> {
        let map = summarize(call.account(), call.quotas());
        Ok(api::GetAccountSummaryResponse { summary_map: Some(map) })
    }
}

fn summarize(account: &Account, quotas: &Quotas) -> BTreeMap<String, i32> {
    let counts = counts(account).into_iter().map(|(key, held)| (key, number(held)));
    let limits = limits(quotas).into_iter().map(|(key, limit)| (key, number(limit)));
    counts.chain(limits).map(|(key, value)| (key.to_owned(), value)).collect()
}

/// A count in the wire's type. Quotas are settings, and a larger one shows as the largest number.
fn number(count: impl TryInto<i32>) -> i32 {
    count.try_into().unwrap_or(i32::MAX)
}

fn counts(account: &Account) -> [(&'static str, usize); 15] {
    let versions = account.policies().map(|policy| account.versions(policy.id).count()).sum();
    let root_signs = account.signing_certificates_of(Owner::Root).next().is_some();
    let root_has_device = account.mfa_devices_of(Owner::Root).next().is_some();
    let root_has_keys = account.keys_of(Owner::Root).next().is_some();
    let token_version = match account.settings().token_version {
        TokenVersion::V1 => 1,
        TokenVersion::V2 => 2,
    };
    [
        ("Users", account.users().len()),
        ("Groups", account.groups().len()),
        ("Roles", account.roles().len()),
        ("Policies", account.policies().len()),
        ("InstanceProfiles", account.instance_profiles().len()),
        ("PolicyVersionsInUse", versions),
        ("AccountAccessKeysPresent", usize::from(root_has_keys)),
        // Root has no password here.
        ("AccountPasswordPresent", 0),
        ("AccountMFAEnabled", usize::from(root_has_device)),
        ("AccountSigningCertificatesPresent", usize::from(root_signs)),
        ("ServerCertificates", account.server_certificates().len()),
        ("Providers", account.oidc_providers().len() + account.saml_providers().len()),
        ("MFADevices", account.mfa_devices().len()),
        ("MFADevicesInUse", account.mfa_devices_in_use()),
        ("GlobalEndpointTokenVersion", token_version),
    ]
}

fn limits(quotas: &Quotas) -> [(&'static str, u64); 19] {
    [
        ("UsersQuota", quotas.users),
        ("GroupsQuota", quotas.groups),
        ("RolesQuota", quotas.roles),
        ("PoliciesQuota", quotas.policies),
        ("InstanceProfilesQuota", quotas.instance_profiles),
        ("ServerCertificatesQuota", quotas.server_certificates),
        ("UserPolicySizeQuota", quotas.user_policy_size),
        ("GroupPolicySizeQuota", quotas.group_policy_size),
        ("RolePolicySizeQuota", quotas.role_policy_size),
        ("PolicySizeQuota", quotas.policy_size),
        ("AssumeRolePolicySizeQuota", quotas.trust_policy_size),
        ("GroupsPerUserQuota", quotas.groups_per_user),
        ("AccessKeysPerUserQuota", quotas.access_keys_per_user),
        ("SigningCertificatesPerUserQuota", quotas.signing_certificates_per_user),
        ("AttachedPoliciesPerUserQuota", quotas.attached_per_user),
        ("AttachedPoliciesPerGroupQuota", quotas.attached_per_group),
        ("AttachedPoliciesPerRoleQuota", quotas.attached_per_role),
        ("VersionsPerPolicyQuota", quotas.versions_per_policy),
        ("PolicyVersionsInUseQuota", quotas.policy_versions_in_use),
    ]
}

#[cfg(test)]
mod tests {
    use bailiwick_model::AccountInfo;

    use super::*;

    #[test]
    fn every_key_of_aws_stands_in_the_summary() {
        let account = Account::new(AccountInfo {
            id: "123456789012".parse().unwrap(),
            name: None,
            partition: bailiwick_identifiers::Partition::Aws,
            created: jiff::Timestamp::UNIX_EPOCH,
            alias: None,
        });
        let summary = summarize(&account, &Quotas::default());
        assert_eq!(summary.len(), 34);
        for (key, value) in [
            ("Users", 0),
            ("AccountAccessKeysPresent", 0),
            ("GlobalEndpointTokenVersion", 1),
            ("UsersQuota", 5000),
            ("AttachedPoliciesPerGroupQuota", 10),
            ("AssumeRolePolicySizeQuota", 2048),
            ("PolicyVersionsInUseQuota", 10_000),
        ] {
            assert_eq!(summary.get(key), Some(&value), "{key}");
        }
        let boundless = Quotas { users: u64::MAX, ..Quotas::default() };
        assert_eq!(summarize(&account, &boundless)["UsersQuota"], i32::MAX);
    }
}
