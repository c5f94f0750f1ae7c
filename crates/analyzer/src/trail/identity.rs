//! Who made a call: `userIdentity` of a record.

use std::borrow::Cow;

use serde::Deserialize;

use super::lazy::{flag, optional, or_default, text};

/// `userIdentity` of a record. Source: CloudTrail user guide, userIdentity element.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity<'a> {
    /// `Root`, `IAMUser`, `AssumedRole`, `FederatedUser`, `AWSService`, `AWSAccount` ...; empty if absent.
    #[serde(rename = "type", borrow, default, deserialize_with = "text")]
    pub kind: Cow<'a, str>,
    /// The unique id, with the session's name after a colon.
    #[serde(borrow, default, deserialize_with = "optional")]
    pub principal_id: Option<Cow<'a, str>>,
    /// The ARN of the user, session or root.
    #[serde(borrow, default, deserialize_with = "optional")]
    pub arn: Option<Cow<'a, str>>,
    /// The account of the caller.
    #[serde(borrow, default, deserialize_with = "optional")]
    pub account_id: Option<Cow<'a, str>>,
    /// The name of the user.
    #[serde(borrow, default, deserialize_with = "optional")]
    pub user_name: Option<Cow<'a, str>>,
    /// The key that signed, if one did.
    #[serde(borrow, default, deserialize_with = "optional")]
    pub access_key_id: Option<Cow<'a, str>>,
    /// The session, if temporary credentials were used.
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub session_context: SessionContext<'a>,
    /// The service that called for the principal.
    #[serde(borrow, default, deserialize_with = "optional")]
    pub invoked_by: Option<Cow<'a, str>>,
    /// The provider of a federated identity.
    #[serde(borrow, default, deserialize_with = "optional")]
    pub identity_provider: Option<Cow<'a, str>>,
}

/// `sessionContext` of a `userIdentity`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionContext<'a> {
    /// Who issued the session: the role, or the user of a federation token.
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub session_issuer: SessionIssuer<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    attributes: Attributes<'a>,
    /// `sourceIdentity` of the session.
    #[serde(borrow, default, deserialize_with = "optional")]
    pub source_identity: Option<Cow<'a, str>>,
}

/// `sessionIssuer` of a session.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionIssuer<'a> {
    /// `Role`, `IAMUser` or `Root`; empty if absent.
    #[serde(rename = "type", borrow, default, deserialize_with = "text")]
    pub kind: Cow<'a, str>,
    /// Its ARN.
    #[serde(borrow, default, deserialize_with = "optional")]
    pub arn: Option<Cow<'a, str>>,
    /// Its account.
    #[serde(borrow, default, deserialize_with = "optional")]
    pub account_id: Option<Cow<'a, str>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attributes<'a> {
    #[serde(default, deserialize_with = "flag")]
    mfa_authenticated: Option<bool>,
    #[serde(borrow, default, deserialize_with = "optional")]
    creation_date: Option<Cow<'a, str>>,
}

/// Who made a call, without the session.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Caller<'a> {
    /// The root of an account, by the ARN that ends in `:root`.
    Root(Cow<'a, str>),
    /// A user, by its ARN. Session tokens of a user are that user, and its federated users where the
    /// record tells whose they are.
    User(Cow<'a, str>),
    /// A role, by its ARN, with the path where the record tells it.
    Role(Cow<'a, str>),
    /// A service of AWS on its own account, by its host name.
    Service(Cow<'a, str>),
    /// Somebody of another account, by the account's id: its owner does not say more.
    Account(Cow<'a, str>),
    /// A federated identity before it has a role, by its provider.
    Federated(Cow<'a, str>),
    /// Nobody that can be told: anonymous, or a signature that was not good.
    Unknown,
}

impl Identity<'_> {
    /// Whether the session was made with MFA; nothing if there is no session or it does not tell.
    pub fn mfa_authenticated(&self) -> Option<bool> {
        self.session_context.attributes.mfa_authenticated
    }

    /// When the session was made, as written.
    pub fn session_created(&self) -> Option<&str> {
        self.session_context.attributes.creation_date.as_deref()
    }

    /// Who made the call, without the session: a session is its role, a session of root is root.
    pub fn caller(&self) -> Caller<'_> {
        let arn = self.arn.as_deref();
        let issuer = &self.session_context.session_issuer;
        match &*self.kind {
            "Root" => Caller::Root(self.root()),
            "AWSService" => self.invoked_by.as_deref().map_or(Caller::Unknown, service),
            "AWSAccount" => match (arn, self.account_id.as_deref()) {
                // The record of a role's owner has no more than the account.
                (Some(arn), _) if arn.contains(':') => by_arn(arn),
                (_, Some(account)) => Caller::Account(account.into()),
                _ => Caller::Unknown,
            },
            "SAMLUser" | "WebIdentityUser" => self
                .identity_provider
                .as_deref()
                .map_or(Caller::Unknown, |provider| Caller::Federated(provider.into())),
            _ => {
                if let Some(issuer_arn) = issuer.arn.as_deref() {
                    return match &*issuer.kind {
                        "Root" => Caller::Root(issuer_arn.into()),
                        "IAMUser" => Caller::User(issuer_arn.into()),
                        _ => by_arn(issuer_arn),
                    };
                }
                match (arn, self.invoked_by.as_deref()) {
                    (Some(arn), _) => by_arn(arn),
                    (None, Some(host)) => service(host),
                    (None, None) => Caller::Unknown,
                }
            }
        }
    }

    fn root(&self) -> Cow<'_, str> {
        match (self.arn.as_deref(), self.account_id.as_deref()) {
            (Some(arn), _) if arn.ends_with(":root") => arn.into(),
            (Some(arn), account) => {
                let mut fields = arn.split(':');
                let partition = fields.nth(1).unwrap_or("aws");
                let own = fields.nth(2).filter(|own| !own.is_empty());
                let account = own.or(account).unwrap_or_default();
                format!("arn:{partition}:iam::{account}:root").into()
            }
            (None, account) => format!("arn:aws:iam::{}:root", account.unwrap_or_default()).into(),
        }
    }
}

impl<'a> Caller<'a> {
    /// The text that names it: an ARN, a host name, an account id or a provider.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Root(name)
            | Self::User(name)
            | Self::Role(name)
            | Self::Service(name)
            | Self::Account(name)
            | Self::Federated(name) => Some(name),
            Self::Unknown => None,
        }
    }

    /// The same, taken apart.
    pub fn into_name(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Root(name)
            | Self::User(name)
            | Self::Role(name)
            | Self::Service(name)
            | Self::Account(name)
            | Self::Federated(name) => Some(name),
            Self::Unknown => None,
        }
    }
}

fn service(host: &str) -> Caller<'_> {
    if host.contains('.') { Caller::Service(host.into()) } else { Caller::Unknown }
}

/// Who an ARN stands for: a session's ARN for its role (without path, which it does not have).
fn by_arn(arn: &str) -> Caller<'_> {
    let mut fields = arn.splitn(6, ':');
    let (partition, account) = (fields.nth(1), fields.nth(2));
    let (Some(partition), Some(account), Some(resource)) = (partition, account, fields.next())
    else {
        return Caller::Unknown;
    };
    let (kind, rest) = resource.split_once('/').unwrap_or((resource, ""));
    match kind {
        "root" | "assumed-root" => {
            if kind == "root" {
                return Caller::Root(arn.into());
            }
            Caller::Root(format!("arn:{partition}:iam::{account}:root").into())
        }
        "user" => Caller::User(arn.into()),
        "role" => Caller::Role(arn.into()),
        "assumed-role" => {
            let role = rest.split('/').next().unwrap_or_default();
            Caller::Role(format!("arn:{partition}:iam::{account}:role/{role}").into())
        }
        // Without the issuer of a federated user nobody is told: whoever asked for it chose its name.
        _ => Caller::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(identity: &str) -> Caller<'static> {
        let identity: Identity<'_> = serde_json::from_str(identity).unwrap();
        let own = |name: Cow<'_, str>| Cow::Owned(name.into_owned());
        match identity.caller() {
            Caller::Root(name) => Caller::Root(own(name)),
            Caller::User(name) => Caller::User(own(name)),
            Caller::Role(name) => Caller::Role(own(name)),
            Caller::Service(name) => Caller::Service(own(name)),
            Caller::Account(name) => Caller::Account(own(name)),
            Caller::Federated(name) => Caller::Federated(own(name)),
            Caller::Unknown => Caller::Unknown,
        }
    }

    #[test]
    fn callers() {
        let role = "arn:aws:iam::123456789012:role/app/deploy";
        for (identity, expected) in [
            (
                r#"{"type":"Root","arn":"arn:aws:iam::123456789012:root","accountId":"123456789012"}"#,
                Caller::Root("arn:aws:iam::123456789012:root".into()),
            ),
            (
                r#"{"type":"Root","accountId":"123456789012"}"#,
                Caller::Root("arn:aws:iam::123456789012:root".into()),
            ),
            (
                r#"{"type":"Root","arn":"arn:aws-cn:sts::123456789012:assumed-root/x"}"#,
                Caller::Root("arn:aws-cn:iam::123456789012:root".into()),
            ),
            (
                r#"{"type":"IAMUser","arn":"arn:aws:iam::123456789012:user/a/ann","userName":"ann"}"#,
                Caller::User("arn:aws:iam::123456789012:user/a/ann".into()),
            ),
            (
                r#"{"type":"AssumedRole","arn":"arn:aws:sts::123456789012:assumed-role/deploy/ci",
                 "sessionContext":{"sessionIssuer":{"type":"Role",
                 "arn":"arn:aws:iam::123456789012:role/app/deploy"}}}"#,
                Caller::Role(role.into()),
            ),
            (
                r#"{"type":"AssumedRole","arn":"arn:aws:sts::123456789012:assumed-role/deploy/ci",
                 "sessionContext":null}"#,
                Caller::Role("arn:aws:iam::123456789012:role/deploy".into()),
            ),
            (
                r#"{"type":"FederatedUser","arn":"arn:aws:sts::123456789012:federated-user/bob",
                 "sessionContext":{"sessionIssuer":{"type":"IAMUser",
                 "arn":"arn:aws:iam::123456789012:user/ann"}}}"#,
                Caller::User("arn:aws:iam::123456789012:user/ann".into()),
            ),
            (
                r#"{"type":"FederatedUser","arn":"arn:aws:sts::123456789012:federated-user/bob",
                 "sessionContext":{"sessionIssuer":{"type":"Root",
                 "arn":"arn:aws:iam::123456789012:root"}}}"#,
                Caller::Root("arn:aws:iam::123456789012:root".into()),
            ),
            // Whoever called GetFederationToken chose the name: it is no user of that name.
            (
                r#"{"type":"FederatedUser","arn":"arn:aws:sts::123456789012:federated-user/bob"}"#,
                Caller::Unknown,
            ),
            (
                r#"{"type":"AWSService","invokedBy":"ec2.amazonaws.com"}"#,
                Caller::Service("ec2.amazonaws.com".into()),
            ),
            (r#"{"invokedBy":"ec2.amazonaws.com"}"#, Caller::Service("ec2.amazonaws.com".into())),
            (
                r#"{"type":"AWSAccount","principalId":"AIDAX","accountId":"210987654321"}"#,
                Caller::Account("210987654321".into()),
            ),
            (
                r#"{"type":"WebIdentityUser","userName":"x","identityProvider":"accounts.google.com"}"#,
                Caller::Federated("accounts.google.com".into()),
            ),
            (r#"{"type":"AWSService","invokedBy":"AWS Internal"}"#, Caller::Unknown),
            (r#"{"type":"Unknown","principalId":"","accountId":""}"#, Caller::Unknown),
            (r#"{"type":"IAMUser","arn":"nonsense"}"#, Caller::Unknown),
            ("{}", Caller::Unknown),
        ] {
            assert_eq!(named(identity), expected, "{identity}");
        }
    }

    #[test]
    fn mfa_is_a_word_or_a_flag() {
        for (value, expected) in [
            ("\"true\"", Some(true)),
            ("\"false\"", Some(false)),
            ("true", Some(true)),
            ("null", None),
        ] {
            let text =
                format!(r#"{{"sessionContext":{{"attributes":{{"mfaAuthenticated":{value}}}}}}}"#);
            let identity: Identity<'_> = serde_json::from_str(&text).unwrap();
            assert_eq!(identity.mfa_authenticated(), expected, "{value}");
        }
    }
}
