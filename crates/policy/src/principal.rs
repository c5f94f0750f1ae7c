//! Who calls.

use std::sync::Arc;

use bailiwick_identifiers::{AccountId, IdKind, Partition, UniqueId};
use serde::Serialize;

/// The caller of a request, as authentication found it.
///
/// A user's temporary credentials (`GetSessionToken`) are the user itself (SES-10). Groups are
/// never principals (IN-5).
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Principal {
    /// The root user of an account.
    Root {
        /// The partition in which the account lives.
        partition: Partition,
        /// The account.
        account: AccountId,
    },
    /// An IAM user.
    User {
        /// The user's ARN, path included.
        arn: Arc<str>,
        /// The user's unique id, `AIDA...`.
        id: UniqueId,
        /// The user's account.
        account: AccountId,
        /// The user's friendly name.
        name: Arc<str>,
    },
    /// A session of a role.
    Session {
        /// The role's ARN, path included.
        role_arn: Arc<str>,
        /// The role's unique id, `AROA...`.
        role_id: UniqueId,
        /// The role's friendly name.
        role_name: Arc<str>,
        /// The name given to the session.
        session_name: Arc<str>,
        /// The role's account.
        account: AccountId,
        /// The session's ARN, which carries no path (PR-11).
        session_arn: Arc<str>,
    },
    /// A session made by `GetFederationToken`.
    FederatedUser {
        /// The ARN of the session, `arn:P:sts::A:federated-user/NAME`.
        arn: Arc<str>,
        /// The name given to the session.
        name: Arc<str>,
        /// The account.
        account: AccountId,
        /// The ARN of the user, or of the root, who made it.
        user_arn: Arc<str>,
        /// The unique id of the user who made it; none for the root.
        user_id: Option<UniqueId>,
    },
    /// A role itself, as simulation names one (PR-5).
    Role {
        /// The role's ARN, path included.
        arn: Arc<str>,
        /// The role's unique id.
        id: UniqueId,
        /// The role's account.
        account: AccountId,
        /// The role's friendly name.
        name: Arc<str>,
    },
    /// An AWS service calling for itself, under one or several names (PR-16).
    Service {
        /// Its names, such as `ec2.amazonaws.com`; the first is the chief one.
        names: Arc<[Arc<str>]>,
    },
    /// The identity provider of an unsigned federation call (TR-6).
    Federated {
        /// The ARN of the provider, or the host name of a built-in one.
        provider: Arc<str>,
    },
    /// Nobody: an unsigned call.
    Anonymous,
}

impl Principal {
    /// The caller that an ARN names: root, user, role, session of a role, federated user, or the
    /// provider of a federation call. Nothing if it names none.
    ///
    /// What an ARN does not say is not known: unique ids, the path of a session's role, and the
    /// user who made a federated session.
    pub fn from_arn(text: &str) -> Option<Self> {
        let mut fields = text.strip_prefix("arn:")?.splitn(5, ':');
        let (partition, service, region) = (fields.next()?, fields.next()?, fields.next()?);
        let (account, resource) = (fields.next()?.parse::<AccountId>().ok()?, fields.next()?);
        if partition.is_empty() || !region.is_empty() {
            return None;
        }
        if service == "iam" && resource == "root" {
            return Some(Self::Root { partition: partition.parse().ok()?, account });
        }
        let (kind, rest) = resource.split_once('/')?;
        let name = rest.rsplit('/').next().filter(|name| !name.is_empty())?;
        let id = UniqueId::unknown;
        Some(match (service, kind) {
            ("iam", "user") => {
                Self::User { arn: text.into(), id: id(IdKind::User), account, name: name.into() }
            }
            ("iam", "role") => {
                Self::Role { arn: text.into(), id: id(IdKind::Role), account, name: name.into() }
            }
            ("sts", "assumed-role") => {
                let (role, session) = rest.split_once('/')?;
                if role.is_empty() || session.contains('/') {
                    return None;
                }
                Self::Session {
                    role_arn: format!("arn:{partition}:iam::{account}:role/{role}").into(),
                    role_id: id(IdKind::Role),
                    role_name: role.into(),
                    session_name: session.into(),
                    account,
                    session_arn: text.into(),
                }
            }
            ("sts", "federated-user") => Self::FederatedUser {
                arn: text.into(),
                name: rest.into(),
                account,
                user_arn: "".into(),
                user_id: None,
            },
            ("iam", "saml-provider" | "oidc-provider") => Self::Federated { provider: text.into() },
            _ => return None,
        })
    }

    /// The account of the caller; services, providers and anonymous callers have none (IN-7).
    pub fn account(&self) -> Option<AccountId> {
        match self {
            Self::Root { account, .. }
            | Self::User { account, .. }
            | Self::Session { account, .. }
            | Self::FederatedUser { account, .. }
            | Self::Role { account, .. } => Some(*account),
            Self::Service { .. } | Self::Federated { .. } | Self::Anonymous => None,
        }
    }

    /// Whether identity policies, boundary, session policies and SCPs play a part: callers with an
    /// account (EV-8, EV-9, TR-6).
    pub fn has_identity(&self) -> bool {
        self.account().is_some()
    }

    /// The partition of the caller's ARN.
    pub(crate) fn partition(&self) -> Option<&str> {
        match self {
            Self::Root { partition, .. } => Some(partition.as_str()),
            Self::User { arn, .. } | Self::FederatedUser { arn, .. } | Self::Role { arn, .. } => {
                arn.split(':').nth(1)
            }
            Self::Session { session_arn, .. } => session_arn.split(':').nth(1),
            Self::Service { .. } | Self::Federated { .. } | Self::Anonymous => None,
        }
    }

    /// The caller as text: its ARN, or its name where it has none. The session's ARN for sessions,
    /// as denials print it (SIM-12).
    pub fn describe(&self) -> String {
        match self {
            Self::Root { partition, account } => format!("arn:{partition}:iam::{account}:root"),
            Self::User { arn, .. } | Self::FederatedUser { arn, .. } | Self::Role { arn, .. } => {
                arn.to_string()
            }
            Self::Session { session_arn, .. } => session_arn.to_string(),
            Self::Service { names } => {
                names.first().map_or_else(|| "service".to_owned(), ToString::to_string)
            }
            Self::Federated { provider } => provider.to_string(),
            Self::Anonymous => "anonymous".to_owned(),
        }
    }
}
