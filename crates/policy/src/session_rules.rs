//! What kinds of credentials may not call at all, whatever the policies say (SES-8, ROOT-7).
//!
//! The host asks this before it decides. It is no part of the decision, so that simulations of
//! policies do not meet it.

use crate::Principal;

/// How the caller's credentials were made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Credentials {
    /// An access key or a console password of a user or root.
    LongTerm,
    /// AssumeRole and its kin.
    Role,
    /// GetFederationToken; `console`: used through the console.
    FederationToken {
        /// Whether the call comes from a console session, which may call IAM.
        console: bool,
    },
    /// GetSessionToken; `mfa`: made with a second factor.
    SessionToken {
        /// Whether a second factor was used.
        mfa: bool,
    },
}

/// Why the service refuses a call before any policy is asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// Root credentials cannot assume roles (ROOT-7).
    #[error("Roles may not be assumed by root accounts.")]
    RootAssumesRole,
    /// These credentials cannot call this action (SES-8).
    #[error("these temporary credentials cannot be used for this action")]
    Credentials,
}

/// Whether the service refuses this action to such credentials.
pub fn refusal(credentials: Credentials, principal: &Principal, action: &str) -> Option<Refusal> {
    let folded = action.to_ascii_lowercase();
    // Of no service: nothing that could be called.
    let (service, name) = folded.split_once(':')?;
    if matches!(principal, Principal::Root { .. }) && service == "sts" && name == "assumerole" {
        return Some(Refusal::RootAssumesRole);
    }
    let refused = match (credentials, service) {
        (Credentials::FederationToken { console }, "iam") => !console,
        (Credentials::FederationToken { .. }, "sts") => name != "getcalleridentity",
        (Credentials::SessionToken { mfa }, "iam") => !mfa,
        (Credentials::SessionToken { .. }, "sts") => {
            !["assumerole", "getcalleridentity"].contains(&name)
        }
        (Credentials::Role, "sts") => ["getfederationtoken", "getsessiontoken"].contains(&name),
        _ => false,
    };
    refused.then_some(Refusal::Credentials)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ses_8_and_root_7() {
        use Credentials as C;
        let account = "123456789012".parse().unwrap();
        let root = Principal::Root { partition: bailiwick_identifiers::Partition::Aws, account };
        let other = Principal::Anonymous;
        for (credentials, action, expected) in [
            (C::FederationToken { console: false }, "iam:ListUsers", true),
            (C::FederationToken { console: true }, "IAM:ListUsers", false),
            (C::FederationToken { console: true }, "sts:AssumeRole", true),
            (C::FederationToken { console: false }, "sts:GetCallerIdentity", false),
            (C::FederationToken { console: false }, "s3:GetObject", false),
            (C::SessionToken { mfa: false }, "iam:ListUsers", true),
            (C::SessionToken { mfa: true }, "iam:ListUsers", false),
            (C::SessionToken { mfa: true }, "sts:GetFederationToken", true),
            (C::SessionToken { mfa: false }, "sts:AssumeRole", false),
            (C::Role, "sts:GetSessionToken", true),
            (C::Role, "sts:GetFederationToken", true),
            (C::Role, "sts:AssumeRole", false),
            (C::LongTerm, "sts:GetSessionToken", false),
        ] {
            assert_eq!(refusal(credentials, &other, action).is_some(), expected, "{action}");
        }
        assert_eq!(refusal(C::LongTerm, &root, "sts:AssumeRole"), Some(Refusal::RootAssumesRole));
        assert_eq!(refusal(C::LongTerm, &root, "iam:CreateUser"), None);
    }
}
