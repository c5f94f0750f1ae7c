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

use crate::entity::{
    AccessKey, AccountInfo, Attachment, Group, InlinePolicy, InstanceProfile, KeyUse, LoginProfile,
    Membership, Owner, Policy, PolicyVersion, Retry, Role, RoleUse, User,
};

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
    /// A password.
    LoginProfile(Arc<LoginProfile>),
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
    /// A password.
    LoginProfile(UniqueId),
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
            Self::LoginProfile(profile) => RecordKey::LoginProfile(profile.user),
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
            Self::LoginProfile(id) => write!(path, "login-profile/{id}"),
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
