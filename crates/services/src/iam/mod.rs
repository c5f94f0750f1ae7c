//! AWS Identity and Access Management: one file a kind of resource.

mod access_key;
mod account_settings;
mod alias;
mod attachment;
mod authorization_details;
mod boundary;
mod credential_report;
mod documents;
mod group;
mod holder;
mod inline_policy;
mod instance_profile;
pub(crate) mod last_accessed;
mod linked_services;
mod login_profile;
mod managed;
pub(crate) mod mfa_device;
mod oidc_provider;
pub(crate) mod password;
mod password_policy;
mod policy;
mod policy_version;
mod role;
mod saml_metadata;
mod saml_provider;
mod server_certificate;
mod service_access;
pub(crate) mod service_credential;
mod service_linked_role;
mod signing_certificate;
mod simulate;
mod simulate_caller;
mod simulate_keys;
mod simulate_policies;
mod simulate_results;
mod ssh_public_key;
mod summary;
mod tags;
pub(crate) mod trust;
mod user;
mod virtual_mfa;

use crate::operation::Entry;

/// Every operation that is written, file by file.
pub(crate) const OPERATIONS: &[&[Entry]] = &[
    access_key::OPERATIONS,
    account_settings::OPERATIONS,
    password_policy::OPERATIONS,
    credential_report::OPERATIONS,
    alias::OPERATIONS,
    attachment::OPERATIONS,
    authorization_details::OPERATIONS,
    boundary::OPERATIONS,
    group::OPERATIONS,
    inline_policy::OPERATIONS,
    instance_profile::OPERATIONS,
    last_accessed::OPERATIONS,
    login_profile::OPERATIONS,
    mfa_device::OPERATIONS,
    oidc_provider::OPERATIONS,
    policy::OPERATIONS,
    policy_version::OPERATIONS,
    role::OPERATIONS,
    saml_provider::OPERATIONS,
    server_certificate::OPERATIONS,
    service_access::OPERATIONS,
    service_credential::OPERATIONS,
    service_linked_role::OPERATIONS,
    signing_certificate::OPERATIONS,
    simulate::OPERATIONS,
    simulate_keys::OPERATIONS,
    ssh_public_key::OPERATIONS,
    summary::OPERATIONS,
    user::OPERATIONS,
    virtual_mfa::OPERATIONS,
];
