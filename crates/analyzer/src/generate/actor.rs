//! The user or role whose calls are looked at.

use bailiwick_identifiers::AccountId;
use bailiwick_policy::Principal;

use super::record::Record;
use crate::trail::Caller;

/// A user or role.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Actor {
    /// Its ARN; the path of a role that was given by a session is added when an event tells it.
    pub arn: String,
    /// Its account.
    pub account: AccountId,
    /// Whether it is a role.
    pub is_role: bool,
    name: String,
    path_known: bool,
}

/// Why an ARN is nobody for whom a policy could be written.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ActorError {
    /// The root user.
    #[error(
        "`{0}` is the root user: no identity policy grants it anything or limits it, so there is \
         none to write; give the ARN of a user or role"
    )]
    Root(String),
    /// A session made by GetFederationToken.
    #[error("`{0}` is a federated session: its rights are those of the user who made it")]
    Federated(String),
    /// Something else.
    #[error("`{0}` is no ARN of a user, a role or a session of a role")]
    Other(String),
}

impl Actor {
    /// The user or role that an ARN means; that of a session means its role.
    ///
    /// # Errors
    /// It is the root user, or no user or role.
    pub fn parse(arn: &str) -> Result<Self, ActorError> {
        let text = || arn.to_owned();
        let (arn, account, is_role, name, path_known) = match Principal::from_arn(arn) {
            Some(Principal::User { account, name, .. }) => (text(), account, false, name, true),
            Some(Principal::Role { account, name, .. }) => (text(), account, true, name, true),
            Some(Principal::Session { role_arn, account, role_name, .. }) => {
                (role_arn.to_string(), account, true, role_name, false)
            }
            Some(Principal::Root { .. }) => return Err(ActorError::Root(text())),
            Some(Principal::FederatedUser { .. }) => return Err(ActorError::Federated(text())),
            _ => return Err(ActorError::Other(text())),
        };
        Ok(Self { arn, account, is_role, name: name.to_string(), path_known })
    }

    /// Its friendly name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The partition of its ARN.
    pub fn partition(&self) -> &str {
        self.arn.split(':').nth(1).unwrap_or("aws")
    }

    /// Whether it made the call, by itself, by a session, or by a service that called for it.
    pub fn made(&self, record: &Record) -> bool {
        self.is(&record.user_identity.trail().caller())
    }

    /// Whether a caller, which stands for its sessions, is it.
    pub fn is(&self, caller: &Caller<'_>) -> bool {
        match caller {
            Caller::User(arn) => *arn == self.arn,
            Caller::Role(arn) if *arn == self.arn => true,
            Caller::Role(arn) => {
                // A session tells no path where its issuer is not told.
                let pathless = arn.split('/').count() == 2;
                (pathless || !self.path_known) && self.is_same(arn)
            }
            _ => false,
        }
    }

    /// Takes over the path that a record tells.
    pub(super) fn learn(&mut self, record: &Record) {
        if let Some(issuer) = record.user_identity.issuer().filter(|_| !self.path_known)
            && self.is_same(issuer)
        {
            issuer.clone_into(&mut self.arn);
            self.path_known = true;
        }
    }

    fn is_same(&self, arn: &str) -> bool {
        Self::parse(arn).is_ok_and(|other| {
            (other.account, other.is_role) == (self.account, self.is_role)
                && other.name == self.name
        })
    }

    /// As the engine takes it. A role stands for a session of it.
    pub(super) fn principal(&self) -> Principal {
        Principal::from_arn(&self.arn).unwrap_or(Principal::Anonymous)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: &str = "arn:aws:iam::123456789012:role/team/ci";
    const SESSION: &str = "arn:aws:sts::123456789012:assumed-role/ci/run-1";

    fn session(issuer: Option<&str>) -> Record {
        let mut record = Record::default();
        record.user_identity.arn = SESSION.to_owned();
        if let Some(issuer) = issuer {
            record.user_identity.session_context =
                serde_json::json!({"sessionIssuer": {"arn": issuer}});
        }
        record
    }

    #[test]
    fn sessions_mean_their_role() {
        let role = Actor::parse(ROLE).unwrap();
        assert!(role.made(&session(Some(ROLE))));
        assert!(role.made(&session(None)));
        assert!(!role.made(&session(Some("arn:aws:iam::123456789012:role/other/ci"))));
        let mut by_session = Actor::parse(SESSION).unwrap();
        assert_eq!(by_session.arn, "arn:aws:iam::123456789012:role/ci");
        assert!(by_session.made(&session(Some(ROLE))));
        by_session.learn(&session(Some(ROLE)));
        assert_eq!(by_session.arn, ROLE);
    }

    #[test]
    fn others_are_refused_with_a_reason() {
        for (arn, expected) in [
            ("arn:aws:iam::123456789012:root", "root user"),
            ("arn:aws:sts::123456789012:federated-user/x", "federated"),
            ("arn:aws:s3:::bucket", "no ARN of a user"),
            ("alice", "no ARN of a user"),
        ] {
            let error = Actor::parse(arn).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_user_is_one_user() {
        let alice = Actor::parse("arn:aws:iam::123456789012:user/alice").unwrap();
        let mut record = Record::default();
        record.user_identity.arn = "arn:aws:iam::123456789012:user/alice".to_owned();
        assert!(alice.made(&record));
        record.user_identity.arn = "arn:aws:iam::123456789012:user/alice2".to_owned();
        assert!(!alice.made(&record));
        record.user_identity.arn = "arn:aws:iam::999999999999:user/alice".to_owned();
        assert!(!alice.made(&record));
    }
}
