//! Accounts and their entities as plain data, loaded from a store or read from an export.
//!
//! `model` does no I/O, reads no clock and is not `async`. It decides nothing about access: it
//! only says which policies apply to a principal.

mod account;
mod arns;
mod console;
mod credential;
mod effective;
mod entity;
pub mod export;
mod managed;
mod mfa;
pub mod parallel;
mod provider;
mod record;
mod report;
mod settings;
mod text;

pub use account::Account;
pub use console::{ConsoleSession, KnownAddress, PasswordUse, ShownFactor};
pub use credential::{
    CertificateId, CertificateIdError, ServerCertificate, ServiceCredential, ServiceCredentialUse,
    SigningCertificate, SshPublicKey,
};
pub use effective::{Effective, Found, document};
pub use entity::{
    AccessKey, AccountInfo, ActionUse, Attachment, Group, InlinePolicy, InstanceProfile, KeyStatus,
    KeyUse, LoginProfile, Membership, Owner, Policy, PolicyVersion, Retry, Role, RoleUse, User,
};
pub use managed::ManagedPolicies;
pub use mfa::{MfaAssignment, MfaCounter, MfaDevice, MfaHash, MfaKind, SecurityKey};
pub use provider::{
    AssertionEncryption, OidcIssuer, OidcIssuerError, OidcProvider, SamlKey, SamlMetadata,
    SamlProvider,
};
pub use record::{Record, RecordError, RecordKey, UniqueName, holds_record, prefix};
pub use report::{AccessReport, AccessReportEnd, AccessReportFailure, CredentialReport};
pub use settings::{
    AccountSettings, DeletionTask, KeyPolicy, OutboundFederation, PasswordPolicy, TokenAlgorithm,
    TokenKey, TokenVersion,
};
pub use text::{Binding, IdentityText, TrustText};
