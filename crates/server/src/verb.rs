//! The operator's verbs as data, and what each does.

use std::net::IpAddr;

use bailiwick_identifiers::{AccessKeyId, AccountId};
use bailiwick_services::operator::Token;
use bailiwick_wire::Secret;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::blocklist;
use crate::data_dir::DataDir;
use crate::facts;
use crate::key_policy::KeyLimits;
use crate::operator::{Credentials, Operator, OperatorError};

/// One wish of the operator, as it travels over the control socket.
///
/// `Debug` shows no secret. The secret of an imported key is in the serialized form, which goes
/// to a socket in a directory that only its owner may enter.
#[derive(Debug, Deserialize, Serialize)]
#[serde(
    tag = "verb",
    rename_all = "kebab-case",
    rename_all_fields = "snake_case",
    deny_unknown_fields
)]
pub enum Verb {
    /// Make an account.
    AccountCreate {
        /// Its number; random without.
        id: Option<AccountId>,
        /// A name for the list.
        name: Option<String>,
    },
    /// List the accounts.
    AccountList,
    /// Make a key of an account's root.
    RootCreateKey {
        /// Which account; may be left out when there is one.
        account: Option<AccountId>,
    },
    /// Delete the keys of an account's root.
    RootDeleteKey {
        /// Which account; may be left out when there is one.
        account: Option<AccountId>,
    },
    /// Give a user a key made elsewhere.
    KeyImport {
        /// Which account; may be left out when there is one.
        account: Option<AccountId>,
        /// Whose key.
        user_name: String,
        /// The key's id.
        access_key_id: AccessKeyId,
        /// Its secret.
        #[serde(with = "plain")]
        secret: Secret,
    },
    /// Add hardware tokens as MFA devices.
    MfaImport {
        /// Which account; may be left out when there is one.
        account: Option<AccountId>,
        /// The tokens with their seeds.
        tokens: Vec<Token>,
    },
    /// Make an MFA device nobody's.
    MfaDeactivate {
        /// Which account; may be left out when there is one.
        account: Option<AccountId>,
        /// Its serial number.
        serial_number: String,
    },
    /// Make a session in which services call on a caller's behalf. A running server only.
    ForwardSession {
        /// The caller's key.
        access_key_id: AccessKeyId,
        /// The token of a temporary key.
        #[serde(default, with = "plain_or_none")]
        session_token: Option<Secret>,
        /// The services, in the order in which they are called.
        services: Vec<String>,
        /// The address of the caller's own call.
        #[serde(default)]
        source_ip: Option<IpAddr>,
    },
    /// Limit the age of access keys.
    KeyPolicySet {
        /// Which account; may be left out when there is one.
        account: Option<AccountId>,
        /// The limits.
        limits: KeyLimits,
    },
    /// Show the limit and the keys that end next.
    KeyPolicyShow {
        /// Which account; may be left out when there is one.
        account: Option<AccountId>,
    },
    /// Set no limit to the age of access keys.
    KeyPolicyClear {
        /// Which account; may be left out when there is one.
        account: Option<AccountId>,
    },
    /// Load example data.
    FixtureLoad {
        /// Which account; may be left out when there is one.
        account: Option<AccountId>,
        /// Which data: `F0`, `F1` or `F2`.
        name: String,
    },
    /// Put a list of known passwords, made in the data directory, into use.
    BlocklistPut {
        /// Its name there.
        file: String,
    },
    /// What the list in use is.
    BlocklistShow,
    /// Take it away.
    BlocklistRemove,
    /// Put facts about AWS, made in the data directory, into force.
    CatalogPut {
        /// Their name there.
        file: String,
    },
    /// What the facts in force are.
    CatalogShow,
    /// Make a new master key. A running server refuses: it holds the old one.
    Rekey,
}

/// What is said with each new root key.
const ROOT_WARNING: &str = "no policy limits the root user; use this key for what nothing \
                            else can do, and delete it then with `bailiwick root delete-key`";

/// Does what `verb` says. Secrets that come into being go into the data directory's credentials
/// file; the answer tells where, and never holds one, save those of a forward access session, which
/// live for minutes and go to the one command that asked for them.
pub fn execute(
    verb: &Verb,
    operator: &dyn Operator,
    data_dir: &DataDir,
) -> Result<Value, OperatorError> {
    match verb {
        Verb::AccountCreate { id, name } => {
            let made = operator.create_account(*id, name.clone())?;
            let profile = made.account.to_string();
            keep(&made, &profile, data_dir)
        }
        Verb::AccountList => Ok(json!({"accounts": operator.accounts()?})),
        Verb::RootCreateKey { account } => {
            let account = settle(*account, operator)?;
            let made = operator.create_root_key(account)?;
            let mut told = keep(&made, &format!("root-{account}"), data_dir)?;
            if let Some(fields) = told.as_object_mut() {
                fields.insert("warning".into(), ROOT_WARNING.into());
            }
            Ok(told)
        }
        Verb::RootDeleteKey { account } => {
            let account = settle(*account, operator)?;
            let deleted = operator.delete_root_keys(account)?;
            data_dir
                .forget(&format!("root-{account}"))
                .map_err(|error| OperatorError(format!("{error:#}")))?;
            Ok(json!({"account": account, "deleted_access_key_ids": deleted}))
        }
        Verb::KeyImport { account, user_name, access_key_id, secret } => {
            let account = settle(*account, operator)?;
            operator.import_key(account, user_name, access_key_id.clone(), secret.clone())?;
            Ok(json!({
                "account": account, "user_name": user_name, "access_key_id": access_key_id,
            }))
        }
        Verb::MfaImport { account, tokens } => {
            let account = settle(*account, operator)?;
            let (added, there) = operator.import_mfa_tokens(account, tokens)?;
            Ok(json!({"account": account, "added": added, "already_there": there}))
        }
        Verb::MfaDeactivate { account, serial_number } => {
            let account = settle(*account, operator)?;
            let user = operator.deactivate_mfa_device(account, serial_number)?;
            Ok(json!({"account": account, "user": user, "serial_number": serial_number}))
        }
        Verb::ForwardSession { access_key_id, session_token, services, source_ip } => {
            let token = session_token.as_ref();
            let made = operator.forward_session(access_key_id, token, services, *source_ip)?;
            Ok(json!({
                "access_key_id": made.access_key_id,
                "secret_access_key": made.secret_access_key.expose(),
                "session_token": made.session_token.expose(),
                "expiration": made.expiration,
            }))
        }
        Verb::KeyPolicySet { account, limits } => {
            let account = settle(*account, operator)?;
            operator.set_key_policy(account, Some(limits.clone().into()))?;
            Ok(json!({"account": account, "key_policy": "set"}))
        }
        Verb::KeyPolicyShow { account } => {
            let account = settle(*account, operator)?;
            match operator.key_policy(account)? {
                Value::Null => Ok(json!({"account": account, "key_policy": "none"})),
                told => Ok(told),
            }
        }
        Verb::KeyPolicyClear { account } => {
            let account = settle(*account, operator)?;
            operator.set_key_policy(account, None)?;
            Ok(json!({"account": account, "key_policy": "none"}))
        }
        Verb::FixtureLoad { account, name } => {
            match operator.load_fixture(settle(*account, operator)?, name)? {
                Some(made) => keep(&made, name, data_dir),
                None => Ok(json!({"fixture": name, "made": "nothing"})),
            }
        }
        Verb::BlocklistPut { file } => told(blocklist::put(data_dir, file, |told| {
            Ok(operator.note("LoadPasswordBlocklist", told)?)
        })),
        Verb::BlocklistShow => told(blocklist::show(data_dir)),
        Verb::BlocklistRemove => told(blocklist::remove(data_dir, |told| {
            Ok(operator.note("RemovePasswordBlocklist", told)?)
        })),
        Verb::CatalogPut { file } => told(facts::put(data_dir, file, operator)),
        Verb::CatalogShow => told(facts::show(data_dir)),
        Verb::Rekey => Ok(json!({"master_key_version": operator.rekey()?})),
    }
}

fn told(done: anyhow::Result<Value>) -> Result<Value, OperatorError> {
    done.map_err(|error| OperatorError(format!("{error:#}")))
}

/// Writes credentials to the file and tells about them.
pub(crate) fn keep(
    made: &Credentials,
    profile: &str,
    data_dir: &DataDir,
) -> Result<Value, OperatorError> {
    data_dir.remember(profile, made).map_err(|error| {
        OperatorError(format!(
            "the key {} of account {} was made, but its secret could not be kept: {error:#}; \
             delete the key and make another",
            made.access_key_id, made.account
        ))
    })?;
    Ok(json!({
        "account": made.account,
        "user": made.user,
        "access_key_id": made.access_key_id,
        "profile": profile,
        "credentials_file": data_dir.credentials().display().to_string(),
    }))
}

/// The account meant: the named one, or the only one.
fn settle(account: Option<AccountId>, operator: &dyn Operator) -> Result<AccountId, OperatorError> {
    if let Some(account) = account {
        return Ok(account);
    }
    match operator.accounts()?.as_slice() {
        [only] => Ok(only.account),
        [] => Err(OperatorError("there is no account yet: run `bailiwick init`".into())),
        _ => Err(OperatorError("there are several accounts: say which with `--account`".into())),
    }
}

mod plain_or_none {
    use bailiwick_wire::Secret;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[allow(clippy::ref_option, reason = "the form that serde asks for")]
    pub(super) fn serialize<S: Serializer>(
        secret: &Option<Secret>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        secret.as_ref().map(Secret::expose).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Secret>, D::Error> {
        Ok(Option::<String>::deserialize(from)?.map(Secret::new))
    }
}

mod plain {
    use bailiwick_wire::Secret;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(secret: &Secret, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(secret.expose())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
        String::deserialize(from).map(Secret::new)
    }
}
