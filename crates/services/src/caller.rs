//! Who makes a call.

use std::sync::Arc;

use bailiwick_identifiers::{AccessKeyId, AccountId, Arn, SessionName};
use bailiwick_model::{Account, Role, User};
use serde_json::{Value as Json, json};

use crate::session::Claims;

/// The entity behind a caller.
#[derive(Clone, Debug)]
pub(crate) enum Identity {
    /// The account's root user.
    Root,
    /// A user, with a key of its own or a session from GetSessionToken (SES-10).
    User(Arc<User>),
    /// A session of a role.
    Role(Arc<Role>, SessionName),
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
        };
        Self { account: account.id(), identity, key, claims, arn }
    }

    /// The ARN as GetCallerIdentity shows it.
    pub(crate) fn arn(&self) -> &Arn {
        &self.arn
    }

    /// `aws:userid`, which GetCallerIdentity shows as UserId.
    pub(crate) fn user_id(&self) -> String {
        match &self.identity {
            Identity::Root => self.account.to_string(),
            Identity::User(user) => user.id.to_string(),
            Identity::Role(role, session) => format!("{}:{session}", role.id),
        }
    }

    /// `userIdentity` of a CloudTrail record. Source: CloudTrail user guide, userIdentity element.
    pub(crate) fn user_identity(&self, account: &Account) -> Json {
        let mut identity = json!({
            "principalId": self.user_id(),
            "arn": self.arn.as_str(),
            "accountId": self.account.to_string(),
            "accessKeyId": self.key.as_str(),
        });
        let kind = match &self.identity {
            Identity::Root => "Root",
            Identity::User(_) => "IAMUser",
            Identity::Role(..) => "AssumedRole",
        };
        if let Some(fields) = identity.as_object_mut() {
            fields.insert("type".into(), kind.into());
            if let Identity::User(user) = &self.identity {
                fields.insert("userName".into(), user.name.as_str().into());
            }
            if let Some(claims) = &self.claims {
                fields.insert("sessionContext".into(), self.session_context(account, claims));
            }
        }
        identity
    }

    fn session_context(&self, account: &Account, claims: &Claims) -> Json {
        let mut context = json!({
            "attributes": {
                "creationDate": bailiwick_wire::time::write_iso(claims.issued),
                "mfaAuthenticated": if claims.mfa.is_some() { "true" } else { "false" },
            },
        });
        if let Some(fields) = context.as_object_mut() {
            if let Identity::Role(role, _) = &self.identity {
                let issuer = json!({
                    "type": "Role",
                    "principalId": role.id.as_str(),
                    "arn": account.role_arn(role).as_str(),
                    "accountId": self.account.to_string(),
                    "userName": role.name.as_str(),
                });
                fields.insert("sessionIssuer".into(), issuer);
            }
            if let Some(identity) = &claims.source_identity {
                fields.insert("sourceIdentity".into(), identity.as_str().into());
            }
        }
        context
    }
}
