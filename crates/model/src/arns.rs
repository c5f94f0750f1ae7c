//! The ARNs of what an account holds, and the way back from an ARN.

use std::sync::Arc;

use bailiwick_identifiers::{Arn, SamlProviderName};

use crate::account::Account;
use crate::credential::ServerCertificate;
use crate::entity::{Group, InstanceProfile, Policy, Role, User};
use crate::provider::OidcIssuer;

/// ARNs of what the account holds.
impl Account {
    /// The account's root.
    pub fn root_arn(&self) -> Arn {
        Arn::root(self.partition(), self.id())
    }

    /// A user's ARN.
    pub fn user_arn(&self, user: &User) -> Arn {
        Arn::user(self.partition(), self.id(), &user.path, &user.name)
    }

    /// A group's ARN.
    pub fn group_arn(&self, group: &Group) -> Arn {
        Arn::group(self.partition(), self.id(), &group.path, &group.name)
    }

    /// A role's ARN.
    pub fn role_arn(&self, role: &Role) -> Arn {
        Arn::role(self.partition(), self.id(), &role.path, &role.name)
    }

    /// An instance profile's ARN.
    pub fn instance_profile_arn(&self, profile: &InstanceProfile) -> Arn {
        Arn::instance_profile(self.partition(), self.id(), &profile.path, &profile.name)
    }

    /// A server certificate's ARN.
    pub fn server_certificate_arn(&self, certificate: &ServerCertificate) -> Arn {
        let (path, name) = (&certificate.path, &certificate.name);
        Arn::server_certificate(self.partition(), self.id(), path, name)
    }

    /// An OIDC provider's ARN.
    pub fn oidc_provider_arn(&self, issuer: &OidcIssuer) -> Arn {
        Arn::iam(self.partition(), self.id(), &format!("oidc-provider/{issuer}"))
    }

    /// A SAML provider's ARN.
    pub fn saml_provider_arn(&self, name: &SamlProviderName) -> Arn {
        Arn::iam(self.partition(), self.id(), &format!("saml-provider/{name}"))
    }

    /// A customer managed policy's ARN.
    pub fn policy_arn(&self, policy: &Policy) -> Arn {
        Arn::policy(self.partition(), self.id(), &policy.path, &policy.name)
    }
}

/// Look-ups by ARN.
impl Account {
    /// The user of this ARN: same account, partition and path, and the name in the very case
    /// (PR-10).
    pub fn user_with_arn(&self, arn: &Arn) -> Option<&Arc<User>> {
        let name = arn.resource().strip_prefix("user/")?;
        let name = name.rsplit('/').next()?;
        self.user_named(name).filter(|user| self.user_arn(user) == *arn)
    }

    /// The group of this ARN, in the same way.
    pub fn group_with_arn(&self, arn: &Arn) -> Option<&Arc<Group>> {
        let name = arn.resource().strip_prefix("group/")?;
        let name = name.rsplit('/').next()?;
        self.group_named(name).filter(|group| self.group_arn(group) == *arn)
    }

    /// The role of this ARN, in the same way. The ARN of a session is not its role's (PR-11).
    pub fn role_with_arn(&self, arn: &Arn) -> Option<&Arc<Role>> {
        let name = arn.resource().strip_prefix("role/")?;
        let name = name.rsplit('/').next()?;
        self.role_named(name).filter(|role| self.role_arn(role) == *arn)
    }

    /// The customer managed policy of this ARN: same account, partition, path and name, and the
    /// name in the very case (RES-2).
    pub fn policy_with_arn(&self, arn: &Arn) -> Option<&Arc<Policy>> {
        let name = arn.resource().strip_prefix("policy/")?;
        let name = name.rsplit('/').next()?;
        self.policy_named(name).filter(|policy| self.policy_arn(policy) == *arn)
    }
}
