//! Amazon Resource Names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{
    AccountId, GroupName, InstanceProfileName, Partition, Path, PolicyName, RoleName,
    ServerCertificateName, SessionName, UserName,
};

/// An ARN: six fields between colons, the sixth of which keeps further colons (RES-1).
///
/// `arn:partition:service:region:account:resource`. Comparison is exact and case-sensitive.
#[derive(Clone, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Arn(Box<str>);

/// Why a text is not an ARN.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ArnError {
    /// It does not begin with `arn:`.
    #[error("an ARN begins with `arn:`")]
    Scheme,
    /// It has fewer than six fields.
    #[error("an ARN has six fields between colons")]
    Fields,
    /// The partition, service or resource is empty.
    #[error("partition, service and resource of an ARN may not be empty")]
    EmptyField,
    /// More than 2048 bytes, or a control character.
    #[error("an ARN has at most 2048 bytes and no control characters")]
    Malformed,
}

impl Arn {
    /// The longest ARN that IAM takes, in bytes.
    pub const MAX_LEN: usize = 2048;

    /// The ARN of a global resource, whose parts stand one after the other.
    fn global(partition: Partition, service: &str, account: AccountId, parts: &[&str]) -> Self {
        let len: usize = parts.iter().map(|part| part.len()).sum();
        let mut text = String::with_capacity(40 + len);
        for part in ["arn:", partition.as_str(), ":", service, "::"] {
            text.push_str(part);
        }
        text.push_str(&account.to_string());
        text.push(':');
        for part in parts {
            text.push_str(part);
        }
        Self(text.into())
    }

    /// The root user of an account, which also stands for the account itself.
    pub fn root(partition: Partition, account: AccountId) -> Self {
        Self::global(partition, "iam", account, &["root"])
    }

    /// A user.
    pub fn user(partition: Partition, account: AccountId, path: &Path, name: &UserName) -> Self {
        Self::global(partition, "iam", account, &["user", path.as_str(), name.as_str()])
    }

    /// A group.
    pub fn group(partition: Partition, account: AccountId, path: &Path, name: &GroupName) -> Self {
        Self::global(partition, "iam", account, &["group", path.as_str(), name.as_str()])
    }

    /// A role.
    pub fn role(partition: Partition, account: AccountId, path: &Path, name: &RoleName) -> Self {
        Self::global(partition, "iam", account, &["role", path.as_str(), name.as_str()])
    }

    /// A customer managed policy.
    pub fn policy(
        partition: Partition,
        account: AccountId,
        path: &Path,
        name: &PolicyName,
    ) -> Self {
        Self::global(partition, "iam", account, &["policy", path.as_str(), name.as_str()])
    }

    /// An instance profile.
    pub fn instance_profile(
        partition: Partition,
        account: AccountId,
        path: &Path,
        name: &InstanceProfileName,
    ) -> Self {
        Self::global(partition, "iam", account, &["instance-profile", path.as_str(), name.as_str()])
    }

    /// A server certificate.
    pub fn server_certificate(
        partition: Partition,
        account: AccountId,
        path: &Path,
        name: &ServerCertificateName,
    ) -> Self {
        let resource = ["server-certificate", path.as_str(), name.as_str()];
        Self::global(partition, "iam", account, &resource)
    }

    /// A session of a role. It carries no path (PR-11).
    pub fn assumed_role(
        partition: Partition,
        account: AccountId,
        role: &RoleName,
        session: &SessionName,
    ) -> Self {
        Self::global(
            partition,
            "sts",
            account,
            &["assumed-role/", role.as_str(), "/", session.as_str()],
        )
    }

    /// A session of GetFederationToken.
    pub fn federated_user(partition: Partition, account: AccountId, name: &SessionName) -> Self {
        Self::global(partition, "sts", account, &["federated-user/", name.as_str()])
    }

    /// An IAM resource of any kind, `resource` being everything after the account.
    pub fn iam(partition: Partition, account: AccountId, resource: &str) -> Self {
        Self::global(partition, "iam", account, &[resource])
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn field(&self, index: usize) -> &str {
        self.0.splitn(6, ':').nth(index).unwrap_or_default()
    }

    /// The partition, such as `aws`.
    pub fn partition(&self) -> &str {
        self.field(1)
    }

    /// The service, such as `iam`.
    pub fn service(&self) -> &str {
        self.field(2)
    }

    /// The region; empty for global services.
    pub fn region(&self) -> &str {
        self.field(3)
    }

    /// The account field as written: twelve digits, `aws` for AWS managed policies, or empty.
    pub fn account(&self) -> &str {
        self.field(4)
    }

    /// The account, when the field is one.
    pub fn account_id(&self) -> Option<AccountId> {
        self.account().parse().ok()
    }

    /// Everything after the account.
    pub fn resource(&self) -> &str {
        self.field(5)
    }
}

impl FromStr for Arn {
    type Err = ArnError;

    fn from_str(text: &str) -> Result<Self, ArnError> {
        if !text.starts_with("arn:") {
            return Err(ArnError::Scheme);
        }
        if text.len() > Self::MAX_LEN || text.chars().any(char::is_control) {
            return Err(ArnError::Malformed);
        }
        let mut fields = text.splitn(6, ':').skip(1);
        let (partition, service) = (fields.next(), fields.next());
        let resource = fields.nth(2).ok_or(ArnError::Fields)?;
        if [partition, service, Some(resource)].contains(&Some("")) {
            return Err(ArnError::EmptyField);
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Arn {
    type Error = ArnError;

    fn try_from(text: String) -> Result<Self, ArnError> {
        text.parse()
    }
}

impl From<Arn> for String {
    fn from(arn: Arn) -> Self {
        arn.0.into()
    }
}

impl AsRef<str> for Arn {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_at_the_first_five_colons() {
        let arn: Arn = "arn:aws:logs:eu-west-1:123456789012:log-group:a:b".parse().unwrap();
        assert_eq!(arn.partition(), "aws");
        assert_eq!(arn.service(), "logs");
        assert_eq!(arn.region(), "eu-west-1");
        assert_eq!(arn.account_id().unwrap().to_string(), "123456789012");
        assert_eq!(arn.resource(), "log-group:a:b");
    }

    #[test]
    fn refuses_what_is_no_arn() {
        for (text, expected) in [
            ("", ArnError::Scheme),
            ("ARN:aws:iam::1:user/a", ArnError::Scheme),
            ("arn:aws:iam::123456789012", ArnError::Fields),
            ("arn::iam::123456789012:user/a", ArnError::EmptyField),
            ("arn:aws:iam::123456789012:", ArnError::EmptyField),
            ("arn:aws:iam::123456789012:user/a\n", ArnError::Malformed),
        ] {
            assert_eq!(text.parse::<Arn>(), Err(expected), "{text:?}");
        }
    }

    #[test]
    fn builds_the_arns_of_entities() {
        let account: AccountId = "123456789012".parse().unwrap();
        let path: Path = "/team/".parse().unwrap();
        let user = Arn::user(Partition::Aws, account, &path, &"alice".parse().unwrap());
        assert_eq!(user.as_str(), "arn:aws:iam::123456789012:user/team/alice");
        let session = Arn::assumed_role(
            Partition::AwsCn,
            account,
            &"Audit".parse().unwrap(),
            &"s-1".parse().unwrap(),
        );
        assert_eq!(session.as_str(), "arn:aws-cn:sts::123456789012:assumed-role/Audit/s-1");
        assert_eq!(user.as_str().parse(), Ok(user));
    }
}
