//! What the host's operator may ask of the services, beyond what any API caller may.

use std::net::IpAddr;

use bailiwick_catalog::Catalog;
use bailiwick_identifiers::{AccessKeyId, AccountId};
use bailiwick_model::KeyPolicy;
use bailiwick_services::operator::Token;
use bailiwick_wire::Secret;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Credentials that were just made. They are shown nowhere again.
#[derive(Debug)]
pub struct Credentials {
    /// The account they belong to.
    pub account: AccountId,
    /// The user's name, or `root`.
    pub user: String,
    /// The access key's id.
    pub access_key_id: AccessKeyId,
    /// The access key's secret.
    pub secret_access_key: Secret,
    /// A password for one console sign-in.
    pub console_password: Option<Secret>,
}

/// Credentials with which services call on a caller's behalf. They live for minutes.
#[derive(Debug)]
pub struct ForwardSession {
    /// The access key's id.
    pub access_key_id: AccessKeyId,
    /// The access key's secret.
    pub secret_access_key: Secret,
    /// The token that goes with them.
    pub session_token: Secret,
    /// When they end.
    pub expiration: Timestamp,
}

/// One account, as the operator sees it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AccountSummary {
    /// Its number.
    pub account: AccountId,
    /// The name given when it was made.
    pub name: Option<String>,
    /// How many users it has.
    pub users: usize,
    /// How many roles it has.
    pub roles: usize,
    /// Whether a root key exists.
    pub root_key: bool,
}

/// An operator's wish that cannot be met; the text says why, in words for the operator.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct OperatorError(pub String);

/// The operator's side of the services. Calls may block: never make one on a thread that serves
/// connections.
pub trait Operator: Send + Sync {
    /// Makes the first account, when there is none: with this number or a random one, and a user
    /// `admin` who may do everything. Nothing when accounts exist.
    fn first_start(&self, account: Option<AccountId>)
    -> Result<Option<Credentials>, OperatorError>;

    /// Makes another account with its `admin`.
    fn create_account(
        &self,
        id: Option<AccountId>,
        name: Option<String>,
    ) -> Result<Credentials, OperatorError>;

    /// All accounts, by number.
    fn accounts(&self) -> Result<Vec<AccountSummary>, OperatorError>;

    /// Gives a user a key made elsewhere.
    fn import_key(
        &self,
        account: AccountId,
        user_name: &str,
        access_key_id: AccessKeyId,
        secret: Secret,
    ) -> Result<(), OperatorError>;

    /// Adds hardware tokens to an account: how many were added, and how many were there.
    fn import_mfa_tokens(
        &self,
        account: AccountId,
        tokens: &[Token],
    ) -> Result<(usize, usize), OperatorError>;

    /// Makes an MFA device nobody's; whose it was.
    fn deactivate_mfa_device(
        &self,
        account: AccountId,
        serial: &str,
    ) -> Result<String, OperatorError>;

    /// Makes a key of an account's root.
    fn create_root_key(&self, account: AccountId) -> Result<Credentials, OperatorError>;

    /// Deletes the keys of an account's root and tells which they were.
    fn delete_root_keys(&self, account: AccountId) -> Result<Vec<AccessKeyId>, OperatorError>;

    /// Makes a session in which services call on behalf of the caller with this key, and token if
    /// it has one. `source_ip` is the address of the caller's own call, if that is told.
    fn forward_session(
        &self,
        access_key_id: &AccessKeyId,
        session_token: Option<&Secret>,
        services: &[String],
        source_ip: Option<IpAddr>,
    ) -> Result<ForwardSession, OperatorError>;

    /// Limits the age of an account's access keys, or no longer.
    fn set_key_policy(
        &self,
        account: AccountId,
        policy: Option<KeyPolicy>,
    ) -> Result<(), OperatorError>;

    /// The limit to the age of an account's access keys and those that end next; null without one.
    fn key_policy(&self, account: AccountId) -> Result<Value, OperatorError>;

    /// Loads a named set of example data; the key that was made with it, if one was.
    fn load_fixture(
        &self,
        account: AccountId,
        name: &str,
    ) -> Result<Option<Credentials>, OperatorError>;

    /// Records what was done on the host, in the trail of the account made first.
    fn note(&self, name: &str, parameters: &Value) -> Result<(), OperatorError>;

    /// Goes by the facts of another catalog from now on.
    fn replace_catalog(&self, catalog: &'static Catalog);

    /// Makes a new master key, which seals from then on; its version. Only while nothing serves.
    fn rekey(&self) -> Result<u32, OperatorError>;

    /// What is due every second: events and last uses made durable, old segments ended.
    fn tick(&self);

    /// Makes everything durable, once more before the process ends.
    fn sync(&self);
}
