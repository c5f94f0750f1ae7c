//! What is switched on or off for a whole account, and tasks that outlive their call.

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick_identifiers::RoleName;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Settings of an account that operations change one by one.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct AccountSettings {
    /// The version of session tokens that the global STS endpoint issues.
    #[serde(default)]
    pub token_version: TokenVersion,
    /// Tokens for services outside: none before the first time that they are switched on.
    #[serde(default)]
    pub outbound: Option<OutboundFederation>,
    /// Account properties by `Namespace/PropertyName`.
    #[serde(default)]
    pub properties: BTreeMap<String, String>,
    /// What console passwords must be like; none while AWS's default policy holds.
    #[serde(default)]
    pub password_policy: Option<PasswordPolicy>,
    /// What becomes of access keys that grow old; none while nothing does, as on AWS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_policy: Option<KeyPolicy>,
}

/// A limit to the age of users' access keys, set by the operator of the host: an extension.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct KeyPolicy {
    /// The age at which a key becomes inactive, in seconds.
    pub max_age: u64,
    /// How long before that it is announced, in seconds.
    pub warn: u64,
    /// Users below these paths are exempt.
    pub exempt_paths: Vec<String>,
    /// Users with these tags are exempt: `key`, or `key=value`.
    pub exempt_tags: Vec<String>,
    /// When the limits were set. A key that was old then has the time of `warn` from then.
    pub since: Timestamp,
}

/// A password policy of the account's own.
#[allow(clippy::struct_excessive_bools, reason = "the fields of the API")]
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PasswordPolicy {
    /// The shortest password, 6 to 128 characters.
    pub minimum_length: u8,
    /// Whether it needs a symbol.
    pub symbols: bool,
    /// Whether it needs a digit.
    pub numbers: bool,
    /// Whether it needs an upper case letter.
    pub uppercase: bool,
    /// Whether it needs a lower case letter.
    pub lowercase: bool,
    /// Whether users may change their own passwords without a policy that allows it.
    pub allow_change: bool,
    /// The days after which a password is to be changed, 1 to 1095; none for never.
    pub max_age: Option<u16>,
    /// How many of the last passwords may not be set again, 1 to 24, the present one among them.
    pub reuse_prevention: Option<u8>,
    /// Whether who let the password expire can no longer change it.
    pub hard_expiry: Option<bool>,
}

impl PasswordPolicy {
    /// The most passwords that are remembered.
    pub const MAX_REUSE: usize = 24;
}

/// The version of the global endpoint's session tokens.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum TokenVersion {
    /// Good in regions that are on by default.
    #[default]
    V1,
    /// Good in all regions.
    V2,
}

/// Outbound web identity federation.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct OutboundFederation {
    /// Whether tokens are issued.
    pub enabled: bool,
    /// The id in the account's issuer URL; it stays when the switch is turned.
    pub id: String,
    /// The keys that sign tokens, one of each algorithm.
    pub keys: Vec<TokenKey>,
}

/// A key that signs tokens for services outside.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct TokenKey {
    /// Its `kid`, by which services find it among the published ones.
    pub id: String,
    /// What it signs with.
    pub algorithm: TokenAlgorithm,
    /// The private key in PKCS #8, sealed under the master key with the id as associated data.
    #[serde(with = "crate::entity::sealed")]
    pub sealed: Arc<[u8]>,
    /// The public key: of RSA the two numbers in DER (RFC 8017, A.1.1), of the curve the point.
    #[serde(with = "crate::entity::sealed")]
    pub public: Arc<[u8]>,
}

/// How tokens for services outside are signed. Source: STS API, GetWebIdentityToken.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum TokenAlgorithm {
    /// RSA of 2,048 bits with SHA-256.
    Rs256,
    /// ECDSA on the curve P-384 with SHA-384.
    Es384,
}

/// A request to delete a service-linked role. The deletion is done when the task is written.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct DeletionTask {
    /// `task/aws-service-role/SERVICE/ROLE/UUID`.
    pub id: String,
    /// The role that was deleted.
    pub role: RoleName,
    /// When.
    pub ended: Timestamp,
}
