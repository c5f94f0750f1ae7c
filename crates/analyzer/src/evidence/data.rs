//! The kinds of data that checks need.

/// A kind of data.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Data {
    /// `iam get-account-authorization-details`.
    AuthorizationDetails,
    /// `iam get-credential-report`.
    CredentialReport,
    /// `iam get-account-password-policy`.
    PasswordPolicy,
    /// `iam get-account-summary`.
    AccountSummary,
    /// `iam list-virtual-mfa-devices`.
    VirtualMfaDevices,
    /// `iam list-mfa-devices` of each user.
    MfaDevices,
    /// `iam list-access-keys` of each user.
    AccessKeys,
    /// SSH public keys, service-specific credentials and signing certificates of each user.
    OtherCredentials,
    /// `iam list-server-certificates`.
    ServerCertificates,
    /// `iam list-saml-providers`.
    SamlProviders,
    /// `iam list-open-id-connect-providers`.
    OidcProviders,
    /// `iam list-roles`: descriptions and longest sessions.
    Roles,
    /// `organizations describe-organization` and its kin.
    Organization,
    /// The policies on resources.
    ResourcePolicies,
    /// `s3control get-public-access-block` of the account.
    AccountPublicAccess,
    /// `cloudtrail describe-trails`, status and selectors.
    Trails,
    /// `logs describe-log-groups`.
    LogGroups,
    /// Metric filters, alarms and topics.
    Alarms,
    /// `accessanalyzer list-analyzers`.
    Analyzers,
    /// `configservice describe-configuration-recorders` and their status.
    Recorders,
    /// `account get-alternate-contact`.
    Contacts,
    /// Identity Center: instances, permission sets and assignments.
    IdentityCenter,
    /// `iam get-service-last-accessed-details`.
    LastAccessed,
    /// `ec2 describe-regions`.
    Regions,
    /// The events of a trail.
    Events,
    /// A journal of reviews, changes and incidents.
    Journal,
    /// The authorization details of the last review.
    Reviewed,
    /// Profiles and trust anchors of Roles Anywhere.
    RolesAnywhere,
    /// Instances with their profiles.
    Instances,
    /// The findings hub and the detectors.
    Hubs,
    /// The active findings of analyzers.
    Findings,
}

impl Data {
    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AuthorizationDetails => "account authorization details",
            Self::CredentialReport => "credential report",
            Self::PasswordPolicy => "password policy",
            Self::AccountSummary => "account summary",
            Self::VirtualMfaDevices => "virtual MFA devices",
            Self::MfaDevices => "MFA devices of users",
            Self::AccessKeys => "access keys of users",
            Self::OtherCredentials => "SSH keys, service-specific credentials and certificates",
            Self::ServerCertificates => "server certificates",
            Self::SamlProviders => "SAML providers",
            Self::OidcProviders => "OIDC providers",
            Self::Roles => "list of roles",
            Self::Organization => "organization",
            Self::ResourcePolicies => "resource policies",
            Self::AccountPublicAccess => "public-access block of the account",
            Self::Trails => "trails",
            Self::LogGroups => "log groups",
            Self::Alarms => "metric filters, alarms and topics",
            Self::Analyzers => "analyzers",
            Self::Recorders => "configuration recorders",
            Self::Contacts => "alternate contacts",
            Self::IdentityCenter => "Identity Center",
            Self::LastAccessed => "last-accessed data",
            Self::Regions => "list of regions",
            Self::Events => "trail events",
            Self::Journal => "journal of reviews, changes and incidents",
            Self::Reviewed => "authorization details of the last review",
            Self::RolesAnywhere => "Roles Anywhere profiles and anchors",
            Self::Instances => "instances with their profiles",
            Self::Hubs => "findings hub and detectors",
            Self::Findings => "active findings of analyzers",
        }
    }

    /// The file of the folder that holds it; empty for what no file holds yet.
    pub const fn file(self) -> &'static str {
        match self {
            Self::AuthorizationDetails => "authorization-details.json",
            Self::CredentialReport => "credential-report.json",
            Self::PasswordPolicy => "password-policy.json",
            Self::AccountSummary => "account-summary.json",
            Self::VirtualMfaDevices => "virtual-mfa-devices.json",
            Self::MfaDevices => "mfa-devices/NAME.json",
            Self::AccessKeys => "access-keys/NAME.json",
            Self::OtherCredentials => "ssh-public-keys/NAME.json",
            Self::ServerCertificates => "server-certificates.json",
            Self::SamlProviders => "saml-providers.json",
            Self::OidcProviders => "oidc-providers.json",
            Self::Roles => "roles.json",
            Self::Organization => "organization/organization.json",
            Self::ResourcePolicies => "s3/buckets.json",
            Self::AccountPublicAccess => "s3/account-public-access-block.json",
            Self::Trails => "regions/REGION/trails.json",
            Self::LogGroups => "regions/REGION/log-groups.json",
            Self::Alarms => "regions/REGION/metric-filters.json",
            Self::Analyzers => "regions/REGION/analyzers.json",
            Self::Recorders => "regions/REGION/recorders.json",
            Self::Contacts => "contacts/SECURITY.json",
            Self::IdentityCenter => "identity-center/instances.json",
            Self::LastAccessed => "last-accessed/N.json",
            Self::Regions => "regions.json",
            Self::Events => "events/",
            Self::Journal => "journal.json",
            Self::Reviewed => "reviewed/authorization-details.json",
            Self::RolesAnywhere => "regions/REGION/anywhere-profiles.json",
            Self::Instances => "regions/REGION/instances.json",
            Self::Hubs => "regions/REGION/security-hub.json",
            Self::Findings => "regions/REGION/findings/N.json",
        }
    }
}
