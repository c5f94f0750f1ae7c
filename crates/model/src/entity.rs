//! The entities of an account as plain data, each the content of one stored record.
//!
//! What hangs on an entity (memberships, attachments, inline policies, keys) is a record of its
//! own, so that no record grows with its neighbours.

use std::fmt;
use std::sync::Arc;

use bailiwick_identifiers::{
    AccessKeyId, AccountAlias, AccountId, Arn, GroupName, InstanceProfileName, Partition, Path,
    PolicyName, RoleName, TagSet, UniqueId, UserName,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::text::{IdentityText, TrustText};

/// What an account is, apart from what it holds.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AccountInfo {
    /// The twelve digits.
    pub id: AccountId,
    /// A name for people; not unique.
    pub name: Option<String>,
    /// The partition that its ARNs show.
    pub partition: Partition,
    /// When it was made.
    pub created: Timestamp,
    /// The sign-in alias, unique on the server.
    #[serde(default)]
    pub alias: Option<AccountAlias>,
}

/// An IAM user.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct User {
    /// `AIDA...`.
    pub id: UniqueId,
    /// Unique in the account without regard to case.
    pub name: UserName,
    /// The path, which stands in the ARN.
    pub path: Path,
    /// When it was made.
    pub created: Timestamp,
    /// Its tags, `aws:PrincipalTag/...` in its requests.
    #[serde(default)]
    pub tags: TagSet,
    /// The managed policy that bounds it (PB-1).
    #[serde(default)]
    pub boundary: Option<Arn>,
}

/// A group of users. Never a principal (IN-5).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Group {
    /// `AGPA...`.
    pub id: UniqueId,
    /// Unique in the account without regard to case.
    pub name: GroupName,
    /// The path, which stands in the ARN.
    pub path: Path,
    /// When it was made.
    pub created: Timestamp,
}

/// A role.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Role {
    /// `AROA...`.
    pub id: UniqueId,
    /// Unique in the account without regard to case.
    pub name: RoleName,
    /// The path, which stands in the ARN of the role but not of its sessions (PR-11).
    pub path: Path,
    /// When it was made.
    pub created: Timestamp,
    /// Free text of at most 1,000 characters.
    #[serde(default)]
    pub description: Option<String>,
    /// The longest session in seconds, 3,600 to 43,200.
    pub max_session_seconds: u32,
    /// Who may assume it.
    pub trust: TrustText,
    /// Its tags.
    #[serde(default)]
    pub tags: TagSet,
    /// The managed policy that bounds it (PB-1).
    #[serde(default)]
    pub boundary: Option<Arn>,
}

/// An instance profile: the envelope in which a role travels to an instance.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct InstanceProfile {
    /// `AIPA...`.
    pub id: UniqueId,
    /// Unique in the account without regard to case.
    pub name: InstanceProfileName,
    /// The path, which stands in the ARN.
    pub path: Path,
    /// When it was made.
    pub created: Timestamp,
    /// Its tags.
    #[serde(default)]
    pub tags: TagSet,
    /// The one role it may hold.
    #[serde(default)]
    pub role: Option<UniqueId>,
}

/// A customer managed policy; its documents are [`PolicyVersion`]s.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Policy {
    /// `ANPA...`.
    pub id: UniqueId,
    /// Unique in the account without regard to case.
    pub name: PolicyName,
    /// The path, which stands in the ARN.
    pub path: Path,
    /// Free text of at most 1,000 characters.
    #[serde(default)]
    pub description: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// When a version was last made.
    pub updated: Timestamp,
    /// The version in force.
    pub default_version: u32,
    /// The number of the newest version ever made; numbers are not used again.
    pub newest_version: u32,
    /// Its tags.
    #[serde(default)]
    pub tags: TagSet,
}

/// One version of a customer managed policy. It never changes.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PolicyVersion {
    /// The policy's id.
    pub policy: UniqueId,
    /// `v1` is 1.
    pub number: u32,
    /// When it was made.
    pub created: Timestamp,
    /// The document as it was written.
    pub document: IdentityText,
}

/// A policy embedded in a user, group or role.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct InlinePolicy {
    /// The user, group or role.
    pub owner: UniqueId,
    /// Unique in its owner, and sensitive to case as in AWS.
    pub name: PolicyName,
    /// The document as it was written.
    pub document: IdentityText,
}

/// A managed policy attached to a user, group or role.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Attachment {
    /// The user, group or role.
    pub owner: UniqueId,
    /// The ARN of a customer or AWS managed policy.
    pub policy: Arn,
}

/// A user's membership in a group.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Membership {
    /// The user.
    pub user: UniqueId,
    /// The group.
    pub group: UniqueId,
}

/// Who owns a long-term credential.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Owner {
    /// The account's root user.
    Root,
    /// An IAM user.
    User(UniqueId),
}

/// Whether a credential may be used.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum KeyStatus {
    /// It may.
    Active,
    /// It may not, until it is made active again.
    Inactive,
}

impl KeyStatus {
    /// As the API writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Inactive => "Inactive",
        }
    }
}

/// A long-term access key.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AccessKey {
    /// `AKIA...`.
    pub id: AccessKeyId,
    /// Whose it is.
    pub owner: Owner,
    /// Whether it may be used.
    pub status: KeyStatus,
    /// When it was made.
    pub created: Timestamp,
    /// When it was announced that the account's key policy will end it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warned: Option<Timestamp>,
    /// The secret, sealed under the master key with the key id as associated data.
    #[serde(with = "sealed")]
    pub sealed_secret: Arc<[u8]>,
}

/// The last use of an access key.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct KeyUse {
    /// The key.
    pub key: AccessKeyId,
    /// When.
    pub at: Timestamp,
    /// In which region, as signed.
    pub region: String,
    /// For which service, such as `iam`.
    pub service: String,
}

/// The last use of a role by one of its sessions.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RoleUse {
    /// The role.
    pub role: UniqueId,
    /// When.
    pub at: Timestamp,
    /// In which region, as signed.
    pub region: String,
}

/// The last time that a user or a role asked for an action, whether it was allowed or not.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ActionUse {
    /// The user or role.
    pub principal: UniqueId,
    /// The action, such as `iam:CreateUser`.
    pub action: String,
    /// When.
    pub at: Timestamp,
    /// In which region, as signed.
    pub region: String,
}

/// A user's console password.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct LoginProfile {
    /// Whose.
    pub user: UniqueId,
    /// When the profile was made.
    pub created: Timestamp,
    /// When the password was last set.
    pub changed: Timestamp,
    /// An Argon2id hash in PHC form.
    pub hash: String,
    /// Whether the user must choose another at the next sign-in.
    pub reset_required: bool,
    /// The hashes of earlier passwords, the latest first, as many as a policy can forbid.
    #[serde(default)]
    pub previous: Vec<String>,
}

impl LoginProfile {
    /// Sets another password and remembers the old one.
    pub fn set(&mut self, hash: String, now: Timestamp) {
        self.previous.insert(0, std::mem::replace(&mut self.hash, hash));
        self.previous.truncate(crate::settings::PasswordPolicy::MAX_REUSE - 1);
        self.changed = now;
    }

    /// The hashes of the last passwords, the present one first.
    pub fn last(&self, count: usize) -> impl Iterator<Item = &String> {
        std::iter::once(&self.hash).chain(&self.previous).take(count)
    }
}

impl fmt::Debug for LoginProfile {
    /// Without the hash (threat L04).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginProfile")
            .field("user", &self.user)
            .field("changed", &self.changed)
            .field("reset_required", &self.reset_required)
            .finish_non_exhaustive()
    }
}

/// The answer to a change that a client may ask for again after losing it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Retry {
    /// A digest of access key, invocation id, action and body.
    pub key: String,
    /// When it may be forgotten.
    pub expires: Timestamp,
    /// The event of the first call.
    pub event_id: String,
    /// The sealed response.
    #[serde(with = "sealed")]
    pub sealed: Arc<[u8]>,
    /// What the call asked of the policies, as its service wrote it down: a retry must be allowed
    /// the same.
    pub asks: String,
}

/// Sealed bytes as base64: as a list of numbers they would take four times their length.
pub(crate) mod sealed {
    use std::sync::Arc;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Arc<[u8]>, D::Error> {
        let text = String::deserialize(input)?;
        STANDARD.decode(text).map(Into::into).map_err(D::Error::custom)
    }
}
