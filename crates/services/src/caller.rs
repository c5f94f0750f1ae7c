//! Who makes a call.

use std::sync::Arc;

use bailiwick_identifiers::{AccessKeyId, AccountId, Arn, SessionName, UniqueId};
use bailiwick_model::{Account, Role, User};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::{Value as Json, json};

use crate::session::{Claims, Forward};

/// The entity behind a caller.
#[derive(Clone, Debug)]
pub(crate) enum Identity {
    /// The account's root user.
    Root,
    /// A user, with a key of its own or a session from GetSessionToken (SES-10).
    User(Arc<User>),
    /// A session of a role.
    Role(Arc<Role>, SessionName),
    /// A session of GetFederationToken: the user who asked for it, none for root, and its name.
    Federated(Option<Arc<User>>, SessionName),
}

/// An authenticated caller, as of one state of its account.
#[derive(Clone)]
pub(crate) struct Caller {
    /// The account it lives in.
    pub(crate) account: AccountId,
    /// The entity.
    pub(crate) identity: Identity,
    /// The key that signed.
    pub(crate) key: AccessKeyId,
    /// What its session token holds, for temporary credentials.
    pub(crate) claims: Option<Arc<Claims>>,
    arn: Arn,
}

impl Caller {
    /// The caller behind a key. `account` must be the account that holds the identity.
    pub(crate) fn new(
        account: &Account,
        identity: Identity,
        key: AccessKeyId,
        claims: Option<Arc<Claims>>,
    ) -> Self {
        let arn = match &identity {
            Identity::Root => account.root_arn(),
            Identity::User(user) => account.user_arn(user),
            Identity::Role(role, session) => {
                Arn::assumed_role(account.partition(), account.id(), &role.name, session)
            }
            Identity::Federated(_, name) => {
                Arn::federated_user(account.partition(), account.id(), name)
            }
        };
        Self { account: account.id(), identity, key, claims, arn }
    }

    /// The ARN as GetCallerIdentity shows it.
    pub(crate) fn arn(&self) -> &Arn {
        &self.arn
    }

    /// The services that call on the caller's behalf, in a forward access session.
    pub(crate) fn forward(&self) -> Option<&Forward> {
        self.claims.as_ref().and_then(|claims| claims.forward.as_ref())
    }

    /// The user or role whose last uses its calls are; none for root. A federated user acts with
    /// the policies of the user who made its session.
    pub(crate) fn tracked(&self) -> Option<UniqueId> {
        match &self.identity {
            Identity::User(user) | Identity::Federated(Some(user), _) => Some(user.id),
            Identity::Role(role, _) => Some(role.id),
            Identity::Root | Identity::Federated(None, _) => None,
        }
    }

    /// `aws:userid`, which GetCallerIdentity shows as UserId.
    pub(crate) fn user_id(&self) -> String {
        match &self.identity {
            Identity::Root => self.account.to_string(),
            Identity::User(user) => user.id.to_string(),
            Identity::Role(role, session) => format!("{}:{session}", role.id),
            Identity::Federated(_, name) => format!("{}:{name}", self.account),
        }
    }

    /// `userIdentity` of a CloudTrail record. Source: CloudTrail user guide, userIdentity element.
    pub(crate) fn user_identity<'a>(&'a self, account: &'a Account) -> UserIdentity<'a> {
        UserIdentity { caller: self, account }
    }
}

/// A caller as its events show it.
pub(crate) struct UserIdentity<'a> {
    caller: &'a Caller,
    account: &'a Account,
}

impl Serialize for UserIdentity<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let caller = self.caller;
        let mut identity = serializer.serialize_map(None)?;
        let kind = match &caller.identity {
            Identity::Root => "Root",
            Identity::User(_) => "IAMUser",
            Identity::Role(..) => "AssumedRole",
            Identity::Federated(..) => "FederatedUser",
        };
        identity.serialize_entry("type", kind)?;
        identity.serialize_entry("principalId", &caller.user_id())?;
        identity.serialize_entry("arn", caller.arn.as_str())?;
        identity.serialize_entry("accountId", &caller.account)?;
        identity.serialize_entry("accessKeyId", caller.key.as_str())?;
        if let Identity::User(user) = &caller.identity {
            identity.serialize_entry("userName", user.name.as_str())?;
        }
        if let Some(claims) = &caller.claims {
            identity.serialize_entry("sessionContext", &self.session_context(claims))?;
        }
        if let Some(forward) = caller.forward() {
            identity.serialize_entry("invokedBy", forward.last())?;
        }
        identity.end()
    }
}

impl UserIdentity<'_> {
    fn session_context(&self, claims: &Claims) -> Json {
        let mut context = json!({
            "attributes": {
                "creationDate": bailiwick_wire::time::write_iso(claims.issued),
                "mfaAuthenticated": if claims.mfa.is_some() { "true" } else { "false" },
            },
        });
        if let Some(fields) = context.as_object_mut() {
            if let Some(issuer) = self.session_issuer() {
                fields.insert("sessionIssuer".into(), issuer);
            }
            if let Some(identity) = &claims.source_identity {
                fields.insert("sourceIdentity".into(), identity.as_str().into());
            }
        }
        context
    }

    /// Who made the session, where that is not the caller itself.
    fn session_issuer(&self) -> Option<Json> {
        let account = self.caller.account.to_string();
        match &self.caller.identity {
            Identity::Root | Identity::User(_) => None,
            Identity::Role(role, _) => Some(json!({
                "type": "Role",
                "principalId": role.id.as_str(),
                "arn": self.account.role_arn(role).as_str(),
                "accountId": account,
                "userName": role.name.as_str(),
            })),
            Identity::Federated(Some(user), _) => Some(json!({
                "type": "IAMUser",
                "principalId": user.id.as_str(),
                "arn": self.account.user_arn(user).as_str(),
                "accountId": account,
                "userName": user.name.as_str(),
            })),
            Identity::Federated(None, _) => Some(json!({
                "type": "Root",
                "principalId": account,
                "arn": self.account.root_arn().as_str(),
                "accountId": account,
            })),
        }
    }
}
