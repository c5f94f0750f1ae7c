//! The stored form of an account: one record an entity or edge, each under a key of its own.
//!
//! Keys are paths below `account/<id>/`. Values are JSON objects behind one byte that tells the
//! version of their form; older versions stay readable for ever. Unique names are records too
//! (`name/user/alice`), put only where there is none, so that a name is taken once whichever
//! node takes it.

use std::fmt::Write as _;
use std::sync::Arc;

use bailiwick_identifiers::{AccessKeyId, AccountId, Arn, Folded, PolicyName, UniqueId};
use serde::{Deserialize, Serialize};

use crate::console::{ConsoleSession, PasswordUse};
use crate::credential::{
    CertificateId, ServerCertificate, ServiceCredential, ServiceCredentialUse, SigningCertificate,
    SshPublicKey,
};
use crate::entity::{
    AccessKey, AccountInfo, ActionUse, Attachment, Group, InlinePolicy, InstanceProfile, KeyUse,
    LoginProfile, Membership, Owner, Policy, PolicyVersion, Retry, Role, RoleUse, User,
};
use crate::mfa::MfaDevice;
use crate::provider::{OidcIssuer, OidcProvider, SamlMetadata, SamlProvider};
use crate::report::{AccessReport, CredentialReport};
use crate::settings::{AccountSettings, DeletionTask};

/// The version of the stored form that this program writes.
pub(crate) const FORM: u8 = 1;

/// Any record of an account.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub enum Record {
    /// The account itself.
    Account(Arc<AccountInfo>),
    /// A user.
    User(Arc<User>),
    /// A group.
    Group(Arc<Group>),
    /// A role.
    Role(Arc<Role>),
    /// An instance profile.
    InstanceProfile(Arc<InstanceProfile>),
    /// A customer managed policy.
    Policy(Arc<Policy>),
    /// A version of one.
    PolicyVersion(Arc<PolicyVersion>),
    /// An inline policy.
    InlinePolicy(Arc<InlinePolicy>),
    /// An attachment.
    Attachment(Attachment),
    /// A membership.
    Membership(Membership),
    /// An access key.
    AccessKey(Arc<AccessKey>),
    /// The last use of a key.
    KeyUse(Arc<KeyUse>),
    /// The last use of a role.
    RoleUse(Arc<RoleUse>),
    /// The last time that a user or role asked for an action.
    ActionUse(Arc<ActionUse>),
    /// A password.
    LoginProfile(Arc<LoginProfile>),
    /// The last sign-in with a password.
    PasswordUse(Arc<PasswordUse>),
    /// A session of the console.
    ConsoleSession(Arc<ConsoleSession>),
    /// An SSH public key.
    SshPublicKey(Arc<SshPublicKey>),
    /// A signing certificate.
    SigningCertificate(Arc<SigningCertificate>),
    /// A server certificate.
    ServerCertificate(Arc<ServerCertificate>),
    /// A service-specific credential.
    ServiceCredential(Arc<ServiceCredential>),
    /// The last use of one.
    ServiceCredentialUse(Arc<ServiceCredentialUse>),
    /// A device that shows one-time codes.
    MfaDevice(Arc<MfaDevice>),
    /// An OIDC provider.
    OidcProvider(Arc<OidcProvider>),
    /// A SAML provider.
    SamlProvider(Arc<SamlProvider>),
    /// A part of its metadata.
    SamlMetadata(Arc<SamlMetadata>),
    /// The settings of the account.
    Settings(Arc<AccountSettings>),
    /// A deletion of a service-linked role.
    DeletionTask(Arc<DeletionTask>),
    /// A part of the credential report.
    CredentialReport(Arc<CredentialReport>),
    /// A report of last accesses.
    AccessReport(Arc<AccessReport>),
    /// A remembered answer.
    Retry(Arc<Retry>),
}

/// The key of a record in its account.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RecordKey {
    /// The account itself.
    Account,
    /// A user.
    User(UniqueId),
    /// A group.
    Group(UniqueId),
    /// A role.
    Role(UniqueId),
    /// An instance profile.
    InstanceProfile(UniqueId),
    /// A customer managed policy.
    Policy(UniqueId),
    /// A version of one.
    PolicyVersion(UniqueId, u32),
    /// An inline policy.
    InlinePolicy(UniqueId, PolicyName),
    /// An attachment.
    Attachment(UniqueId, Arn),
    /// A membership, user before group.
    Membership(UniqueId, UniqueId),
    /// An access key.
    AccessKey(AccessKeyId),
    /// The last use of a key.
    KeyUse(AccessKeyId),
    /// The last use of a role.
    RoleUse(UniqueId),
    /// The last time that a user or role asked for an action.
    ActionUse(UniqueId, String),
    /// A password.
    LoginProfile(UniqueId),
    /// The last sign-in with a password.
    PasswordUse(UniqueId),
    /// A session of the console.
    ConsoleSession(String),
    /// An SSH public key.
    SshPublicKey(UniqueId),
    /// A signing certificate.
    SigningCertificate(CertificateId),
    /// A server certificate.
    ServerCertificate(UniqueId),
    /// A service-specific credential.
    ServiceCredential(UniqueId),
    /// The last use of one.
    ServiceCredentialUse(UniqueId),
    /// A device that shows one-time codes, by its folded serial number.
    MfaDevice(Folded),
    /// An OIDC provider.
    OidcProvider(OidcIssuer),
    /// A SAML provider.
    SamlProvider(Folded),
    /// A part of its metadata.
    SamlMetadata(Folded, u32),
    /// The settings of the account.
    Settings,
    /// A deletion of a service-linked role.
    DeletionTask(String),
    /// A part of the credential report.
    CredentialReport(u32),
    /// A report of last accesses.
    AccessReport(String),
    /// A remembered answer.
    Retry(String),
}

/// A stored record that this program cannot read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The value has no version byte.
    #[error("the record at `{key}` is empty")]
    Empty {
        /// Its key.
        key: String,
    },
    /// A newer program wrote it.
    #[error("the record at `{key}` has form {form}, and this program reads forms up to {FORM}")]
    Newer {
        /// Its key.
        key: String,
        /// Its form.
        form: u8,
    },
    /// It is not what its form says.
    #[error("the record at `{key}` cannot be read: {cause}")]
    Damaged {
        /// Its key.
        key: String,
        /// What the reader said.
        cause: serde_json::Error,
    },
}

impl Record {
    /// The key under which the record is stored.
    pub fn key(&self) -> RecordKey {
        match self {
            Self::Account(_) => RecordKey::Account,
            Self::User(user) => RecordKey::User(user.id),
            Self::Group(group) => RecordKey::Group(group.id),
            Self::Role(role) => RecordKey::Role(role.id),
            Self::InstanceProfile(profile) => RecordKey::InstanceProfile(profile.id),
            Self::Policy(policy) => RecordKey::Policy(policy.id),
            Self::PolicyVersion(version) => {
                RecordKey::PolicyVersion(version.policy, version.number)
            }
            Self::InlinePolicy(policy) => {
                RecordKey::InlinePolicy(policy.owner, policy.name.clone())
            }
            Self::Attachment(edge) => RecordKey::Attachment(edge.owner, edge.policy.clone()),
            Self::Membership(edge) => RecordKey::Membership(edge.user, edge.group),
            Self::AccessKey(key) => RecordKey::AccessKey(key.id.clone()),
            Self::KeyUse(last) => RecordKey::KeyUse(last.key.clone()),
            Self::RoleUse(last) => RecordKey::RoleUse(last.role),
            Self::ActionUse(last) => RecordKey::ActionUse(last.principal, last.action.clone()),
            Self::LoginProfile(profile) => RecordKey::LoginProfile(profile.user),
            Self::PasswordUse(last) => RecordKey::PasswordUse(last.user),
            Self::ConsoleSession(held) => RecordKey::ConsoleSession(held.id.clone()),
            Self::SshPublicKey(key) => RecordKey::SshPublicKey(key.id),
            Self::SigningCertificate(held) => RecordKey::SigningCertificate(held.id.clone()),
            Self::ServerCertificate(held) => RecordKey::ServerCertificate(held.id),
            Self::ServiceCredential(held) => RecordKey::ServiceCredential(held.id),
            Self::ServiceCredentialUse(last) => RecordKey::ServiceCredentialUse(last.credential),
            Self::MfaDevice(device) => RecordKey::MfaDevice(device.folded()),
            Self::OidcProvider(held) => RecordKey::OidcProvider(held.issuer.clone()),
            Self::SamlProvider(held) => RecordKey::SamlProvider(held.name.folded()),
            Self::SamlMetadata(held) => RecordKey::SamlMetadata(held.provider.clone(), held.part),
            Self::Settings(_) => RecordKey::Settings,
            Self::DeletionTask(task) => RecordKey::DeletionTask(task.id.clone()),
            Self::CredentialReport(held) => RecordKey::CredentialReport(held.part),
            Self::AccessReport(held) => RecordKey::AccessReport(held.id.clone()),
            Self::Retry(retry) => RecordKey::Retry(retry.key.clone()),
        }
    }

    /// The name that the record takes for itself, if it is of a kind with unique names.
    pub fn unique_name(&self) -> Option<UniqueName> {
        let (table, folded) = match self {
            Self::User(user) => ("user", user.name.folded()),
            Self::Group(group) => ("group", group.name.folded()),
            Self::Role(role) => ("role", role.name.folded()),
            Self::InstanceProfile(profile) => ("instance-profile", profile.name.folded()),
            Self::Policy(policy) => ("policy", policy.name.folded()),
            Self::ServerCertificate(held) => ("server-certificate", held.name.folded()),
            _ => return None,
        };
        Some(UniqueName { table, folded })
    }

    /// The stored form.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![FORM];
        // Records are maps with text keys and plain values: writing them to memory cannot fail.
        if serde_json::to_writer(&mut bytes, self).is_err() {
            bytes.truncate(1);
        }
        bytes
    }

    /// Reads a stored form; `key` is named in errors.
    pub fn decode(key: &str, bytes: &[u8]) -> Result<Self, RecordError> {
        match bytes.split_first() {
            None => Err(RecordError::Empty { key: key.into() }),
            Some((&FORM, json)) => serde_json::from_slice(json)
                .map_err(|cause| RecordError::Damaged { key: key.into(), cause }),
            Some((&form, _)) => Err(RecordError::Newer { key: key.into(), form }),
        }
    }
}

/// A name that may be taken once in an account.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UniqueName {
    table: &'static str,
    folded: Folded,
}

impl UniqueName {
    /// The key of the name's own record.
    pub fn path(&self, account: AccountId) -> String {
        format!("{}name/{}/{}", prefix(account), self.table, self.folded.as_str())
    }
}

/// The prefix of everything stored for an account.
pub fn prefix(account: AccountId) -> String {
    format!("account/{account}/")
}

/// Whether a key holds a record, and not the name of one.
pub fn holds_record(path: &str) -> bool {
    path.splitn(3, '/').nth(2).is_some_and(|rest| !rest.starts_with("name/"))
}

impl RecordKey {
    /// The key in the store. Parts that may hold a slash come last.
    pub fn path(&self, account: AccountId) -> String {
        let mut path = prefix(account);
        // Writing to a string cannot fail.
        let _ = match self {
            Self::Account => write!(path, "account"),
            Self::User(id) => write!(path, "user/{id}"),
            Self::Group(id) => write!(path, "group/{id}"),
            Self::Role(id) => write!(path, "role/{id}"),
            Self::InstanceProfile(id) => write!(path, "instance-profile/{id}"),
            Self::Policy(id) => write!(path, "policy/{id}"),
            Self::PolicyVersion(id, number) => write!(path, "policy-version/{id}/{number:010}"),
            Self::InlinePolicy(owner, name) => write!(path, "inline/{owner}/{name}"),
            Self::Attachment(owner, policy) => write!(path, "attachment/{owner}/{policy}"),
            Self::Membership(user, group) => write!(path, "membership/{user}/{group}"),
            Self::AccessKey(id) => write!(path, "access-key/{id}"),
            Self::KeyUse(id) => write!(path, "key-use/{id}"),
            Self::RoleUse(id) => write!(path, "role-use/{id}"),
            Self::ActionUse(id, action) => write!(path, "action-use/{id}/{action}"),
            Self::LoginProfile(id) => write!(path, "login-profile/{id}"),
            Self::PasswordUse(id) => write!(path, "password-use/{id}"),
            Self::ConsoleSession(id) => write!(path, "console-session/{id}"),
            Self::SshPublicKey(id) => write!(path, "ssh-public-key/{id}"),
            Self::SigningCertificate(id) => write!(path, "signing-certificate/{id}"),
            Self::ServerCertificate(id) => write!(path, "server-certificate/{id}"),
            Self::ServiceCredential(id) => write!(path, "service-credential/{id}"),
            Self::ServiceCredentialUse(id) => write!(path, "service-credential-use/{id}"),
            Self::MfaDevice(serial) => write!(path, "mfa-device/{}", serial.as_str()),
            Self::OidcProvider(issuer) => write!(path, "oidc-provider/{issuer}"),
            Self::SamlProvider(name) => write!(path, "saml-provider/{}", name.as_str()),
            Self::SamlMetadata(name, part) => {
                write!(path, "saml-metadata/{}/{part:010}", name.as_str())
            }
            Self::Settings => write!(path, "settings"),
            Self::DeletionTask(id) => write!(path, "deletion/{id}"),
            Self::CredentialReport(part) => write!(path, "credential-report/{part:010}"),
            Self::AccessReport(id) => write!(path, "access-report/{id}"),
            Self::Retry(key) => write!(path, "retry/{key}"),
        };
        path
    }
}

impl Owner {
    /// The unique id of the owning user, if it is one.
    pub fn user(&self) -> Option<UniqueId> {
        match self {
            Self::Root => None,
            Self::User(id) => Some(*id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let policy = "arn:aws:iam::aws:policy/ReadOnlyAccess".parse().unwrap();
        let owner = "AIDAQQQQQQQQQQQQQQQQQ".parse().unwrap();
        Record::Attachment(Attachment { owner, policy })
    }

    #[test]
    fn reads_what_it_writes() {
        let bytes = record().encode();
        assert_eq!(Record::decode("k", &bytes).unwrap(), record());
        let account = "123456789012".parse().unwrap();
        assert_eq!(
            record().key().path(account),
            "account/123456789012/attachment/AIDAQQQQQQQQQQQQQQQQQ/arn:aws:iam::aws:policy/ReadOnlyAccess"
        );
    }

    /// I09: a newer or damaged record is refused, and the text names its key.
    #[test]
    fn tm_i09_refuses_records_it_cannot_read() {
        let mut newer = record().encode();
        newer[0] = FORM + 1;
        for (bytes, expected) in [
            (Vec::new(), "the record at `k` is empty"),
            (newer, "the record at `k` has form 2, and this program reads forms up to 1"),
            (vec![FORM, b'{'], "the record at `k` cannot be read"),
        ] {
            let error = Record::decode("k", &bytes).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn names_are_no_records() {
        assert!(holds_record("account/123456789012/user/AIDAQQQQQQQQQQQQQQQQQ"));
        assert!(!holds_record("account/123456789012/name/user/alice"));
    }
}
