//! Quotas: settings whose defaults are AWS's. Source: IAM user guide, reference_iam-quotas.

use serde::Deserialize;

/// The quotas of an account. Checked at write, never in evaluation (GR-6).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Quotas {
    /// Users in an account.
    pub users: u64,
    /// Groups in an account.
    pub groups: u64,
    /// Roles in an account.
    pub roles: u64,
    /// Customer managed policies in an account.
    pub policies: u64,
    /// Instance profiles in an account.
    pub instance_profiles: u64,
    /// Server certificates in an account.
    pub server_certificates: u64,
    /// OIDC providers in an account.
    pub oidc_providers: u64,
    /// SAML providers in an account.
    pub saml_providers: u64,
    /// Audiences of one OIDC provider.
    pub client_ids_per_oidc_provider: u64,
    /// Groups of one user.
    pub groups_per_user: u64,
    /// Access keys of one user, or of root.
    pub access_keys_per_user: u64,
    /// Signing certificates of one user.
    pub signing_certificates_per_user: u64,
    /// SSH public keys of one user.
    pub ssh_public_keys_per_user: u64,
    /// Service-specific credentials of one user for one service.
    pub service_credentials_per_user: u64,
    /// MFA devices of one user, or of root.
    pub mfa_devices_per_user: u64,
    /// Managed policies attached to one user.
    pub attached_per_user: u64,
    /// Managed policies attached to one group.
    pub attached_per_group: u64,
    /// Managed policies attached to one role.
    pub attached_per_role: u64,
    /// Versions of one managed policy.
    pub versions_per_policy: u64,
    /// Versions of all managed policies of an account that are in use.
    pub policy_versions_in_use: u64,
    /// Characters of a managed policy, white space left out.
    pub policy_size: u64,
    /// Characters of all inline policies of a user, white space left out.
    pub user_policy_size: u64,
    /// Characters of all inline policies of a group, white space left out.
    pub group_policy_size: u64,
    /// Characters of all inline policies of a role, white space left out.
    pub role_policy_size: u64,
    /// Characters of a trust policy, white space left out.
    pub trust_policy_size: u64,
    /// Tags on one entity.
    pub tags: u64,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            users: 5000,
            groups: 300,
            roles: 1000,
            policies: 1500,
            instance_profiles: 1000,
            server_certificates: 20,
            oidc_providers: 100,
            saml_providers: 100,
            client_ids_per_oidc_provider: 100,
            groups_per_user: 10,
            access_keys_per_user: 2,
            signing_certificates_per_user: 2,
            ssh_public_keys_per_user: 5,
            service_credentials_per_user: 2,
            mfa_devices_per_user: 8,
            attached_per_user: 10,
            attached_per_group: 10,
            attached_per_role: 10,
            versions_per_policy: 5,
            policy_versions_in_use: 10_000,
            policy_size: 6144,
            user_policy_size: 2048,
            group_policy_size: 5120,
            role_policy_size: 10_240,
            trust_policy_size: 2048,
            tags: 50,
        }
    }
}
