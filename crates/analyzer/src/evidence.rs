//! What an audit is made from: an account with what surrounds it, and what is known beside it.
//!
//! [`read`] takes the files of a folder, as `docs/audit-folder.md` lays them out, and nothing else:
//! bytes in, no I/O. Each part of [`Evidence`] is known or missing, and what is missing says why, so
//! that nobody takes it for fine. A file that cannot be read is a [`Fault`] with its place; its part
//! is missing then, and the other files are read.

mod account;
mod alarms;
mod credentials;
mod data;
mod folder;
mod form;
mod journal;
mod organization;
mod part;
mod policies;
mod regional;
mod resources;
mod services;
mod text;
mod trails;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use bailiwick_identifiers::{AccountId, TagSet};
use bailiwick_model::export::Note;
use jiff::Timestamp;

pub use account::{
    AccessKeyMetadata, AccountPublicAccess, AlternateContacts, AnalyzerTag, OidcProviderDetail,
    OtherCredential, PasswordPolicy, RoleDetail, SamlProviderDetail, ServerCertificate,
    VirtualMfaDevice,
};
pub use alarms::{Alarm, Alarms, MetricFilter, Topic};
pub use credentials::{CredentialReport, CredentialRow, KeyColumns, Stamp};
pub use data::Data;
pub use folder::{File, MAX_BYTES, MAX_FILES, read};
pub use journal::{
    Approved, Change, Directory, Expectation, Expected, Incident, Journal, Prompt, Review, SignIn,
    WithoutDevice,
};
pub use organization::{OrganizationPolicy, OrganizationUnit, Organizations, PolicyKindName};
pub use part::{Missing, Part};
pub use policies::{Held, Holding, Policies, policies};
pub use regional::{Analyzer, IdentityCenter, PermissionSet, Recorder};
pub use resources::{BucketFacts, PublicAccessBlock, Resource, ResourceKind};
pub use services::{AnywhereProfile, Hub, Instance, OpenFinding, RolesAnywhere};
pub use text::Fault;
pub use trails::{EventSelectors, LogGroup, Trail};

use crate::estate::Estate;
use crate::trail::Uses;

/// All that is known of an account.
#[derive(Debug)]
pub struct Evidence {
    /// The account, its place in an organization, and the policies on resources. Empty where
    /// [`Evidence::details`] is missing.
    pub estate: Estate,
    /// Whether the authorization details are known, and what their reader had to say.
    pub details: Part<Details>,
    /// When the folder was gathered, if it says so.
    pub collected: Option<Timestamp>,
    /// The regions in use.
    pub regions: Part<Vec<String>>,
    /// The credential report.
    pub credential_report: Part<CredentialReport>,
    /// The password policy; known to be absent if there is none.
    pub password_policy: Part<Option<PasswordPolicy>>,
    /// The numbers of the account summary.
    pub account_summary: Part<BTreeMap<String, u64>>,
    /// The virtual MFA devices.
    pub virtual_mfa_devices: Part<Vec<VirtualMfaDevice>>,
    /// The serial numbers of the MFA devices of each user, by name.
    pub mfa_devices: Part<BTreeMap<String, Vec<String>>>,
    /// The access keys of users.
    pub access_keys: Part<Vec<AccessKeyMetadata>>,
    /// SSH public keys, service-specific credentials and signing certificates.
    pub other_credentials: Part<Vec<OtherCredential>>,
    /// The server certificates.
    pub server_certificates: Part<Vec<ServerCertificate>>,
    /// The SAML providers.
    pub saml_providers: Part<Vec<SamlProviderDetail>>,
    /// The OIDC providers.
    pub oidc_providers: Part<Vec<OidcProviderDetail>>,
    /// The tags of customer managed policies, by ARN, which authorization details do not tell; those of
    /// a policy that is missing are not known.
    pub policy_tags: BTreeMap<String, TagSet>,
    /// What `list-roles` tells of roles and the authorization details do not, by name.
    pub roles: Part<BTreeMap<String, RoleDetail>>,
    /// The organization as a whole; `None` if the account is known to be in none.
    pub organization: Part<Option<Organizations>>,
    /// The resources that have policies, by ARN.
    pub resources: Part<BTreeMap<String, Resource>>,
    /// The block of public access of the whole account.
    pub account_public_access: Part<Option<AccountPublicAccess>>,
    /// The trails.
    pub trails: Part<Vec<Trail>>,
    /// The log groups with their retention.
    pub log_groups: Part<Vec<LogGroup>>,
    /// Metric filters, alarms and topics.
    pub alarms: Part<Alarms>,
    /// The analyzers of Access Analyzer.
    pub analyzers: Part<Vec<Analyzer>>,
    /// The configuration recorders.
    pub recorders: Part<Vec<Recorder>>,
    /// The alternate contacts.
    pub contacts: Part<AlternateContacts>,
    /// Identity Center; `None` if it is known to be off.
    pub identity_center: Part<Option<IdentityCenter>>,
    /// Last uses of services, by the ARN of the principal: service to the last use, if any.
    pub last_accessed: Part<BTreeMap<String, BTreeMap<String, Option<Timestamp>>>>,
    /// What the events of a trail say together. Files of events are not among those of [`read`].
    pub events: Part<Uses>,
    /// The instances.
    pub instances: Part<Vec<Instance>>,
    /// Roles Anywhere.
    pub roles_anywhere: Part<RolesAnywhere>,
    /// The findings hub and the detectors, by region.
    pub hubs: Part<BTreeMap<String, Hub>>,
    /// The active findings of analyzers.
    pub findings: Part<Vec<OpenFinding>>,
    /// The journal that the operator keeps.
    pub journal: Part<Journal>,
    /// The account as it was when its access was last reviewed; of its surroundings nothing.
    pub reviewed: Part<Estate>,
    /// What could not be read.
    pub faults: Vec<Fault>,
    /// What is passed over or partial, in words.
    pub notes: Vec<String>,
}

/// What came with the authorization details.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Details {
    /// What their reader had to say.
    pub notes: Vec<Note>,
    /// Whether the pages end before the export does: entities beyond are not known.
    pub cut_off: bool,
}

impl Evidence {
    /// Nothing but an account: every part is missing.
    pub fn new(estate: Estate) -> Self {
        Self {
            estate,
            details: Part::default(),
            collected: None,
            regions: Part::default(),
            credential_report: Part::default(),
            password_policy: Part::default(),
            account_summary: Part::default(),
            virtual_mfa_devices: Part::default(),
            mfa_devices: Part::default(),
            access_keys: Part::default(),
            other_credentials: Part::default(),
            server_certificates: Part::default(),
            saml_providers: Part::default(),
            oidc_providers: Part::default(),
            policy_tags: BTreeMap::new(),
            roles: Part::default(),
            organization: Part::default(),
            resources: Part::default(),
            account_public_access: Part::default(),
            trails: Part::default(),
            log_groups: Part::default(),
            alarms: Part::default(),
            analyzers: Part::default(),
            recorders: Part::default(),
            contacts: Part::default(),
            identity_center: Part::default(),
            last_accessed: Part::default(),
            events: Part::default(),
            instances: Part::default(),
            roles_anywhere: Part::default(),
            hubs: Part::default(),
            findings: Part::default(),
            journal: Part::default(),
            reviewed: Part::default(),
            faults: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The account.
    pub fn account_id(&self) -> AccountId {
        self.estate.account.id()
    }

    /// The ARN of the account's root, which stands for the account as a whole.
    pub fn root_arn(&self) -> String {
        let account = &self.estate.account;
        format!("arn:{}:iam::{}:root", account.partition().as_str(), account.id())
    }

    /// Why a kind of data is missing; nothing if it is known.
    pub fn missing(&self, data: Data) -> Option<&Missing> {
        match data {
            Data::AuthorizationDetails => self.details.missing(),
            Data::CredentialReport => self.credential_report.missing(),
            Data::PasswordPolicy => self.password_policy.missing(),
            Data::AccountSummary => self.account_summary.missing(),
            Data::VirtualMfaDevices => self.virtual_mfa_devices.missing(),
            Data::MfaDevices => self.mfa_devices.missing(),
            Data::AccessKeys => self.access_keys.missing(),
            Data::OtherCredentials => self.other_credentials.missing(),
            Data::ServerCertificates => self.server_certificates.missing(),
            Data::SamlProviders => self.saml_providers.missing(),
            Data::OidcProviders => self.oidc_providers.missing(),
            Data::Roles => self.roles.missing(),
            Data::Organization => self.organization.missing(),
            Data::ResourcePolicies => self.resources.missing(),
            Data::AccountPublicAccess => self.account_public_access.missing(),
            Data::Trails => self.trails.missing(),
            Data::LogGroups => self.log_groups.missing(),
            Data::Alarms => self.alarms.missing(),
            Data::Analyzers => self.analyzers.missing(),
            Data::Recorders => self.recorders.missing(),
            Data::Contacts => self.contacts.missing(),
            Data::IdentityCenter => self.identity_center.missing(),
            Data::LastAccessed => self.last_accessed.missing(),
            Data::Regions => self.regions.missing(),
            Data::Events => self.events.missing(),
            Data::Instances => self.instances.missing(),
            Data::RolesAnywhere => self.roles_anywhere.missing(),
            Data::Hubs => self.hubs.missing(),
            Data::Findings => self.findings.missing(),
            Data::Journal => self.journal.missing(),
            Data::Reviewed => self.reviewed.missing(),
        }
    }
}
