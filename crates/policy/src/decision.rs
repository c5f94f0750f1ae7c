//! The answer to a request, and the words in which a denial is told.

use std::fmt;

use serde::Serialize;

use crate::Source;

/// The result of a layer or of a whole decision (EV-1), in order of precedence.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// Nothing allows it.
    ImplicitDeny,
    /// Allowed.
    #[serde(rename = "allowed")]
    Allow,
    /// A Deny statement matches, or something could not be evaluated.
    ExplicitDeny,
}

impl Verdict {
    /// The word that the simulator uses (SIM-1).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ImplicitDeny => "implicitDeny",
            Self::Allow => "allowed",
            Self::ExplicitDeny => "explicitDeny",
        }
    }
}

/// The kinds of policy as denials name them (SIM-12), in the order in which they are asked
/// (SIM-15).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyKind {
    /// VPC endpoint policy.
    Endpoint,
    /// Resource control policy.
    ResourceControl,
    /// Service control policy.
    ServiceControl,
    /// Policy of a resource.
    Resource,
    /// Trust policy of a role.
    Trust,
    /// Identity policy.
    Identity,
    /// Permissions boundary.
    Boundary,
    /// Session policy.
    Session,
}

impl PolicyKind {
    /// The kind in AWS's words, such as `identity-based policy`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Endpoint => "VPC endpoint policy",
            Self::ResourceControl => "resource control policy",
            Self::ServiceControl => "service control policy",
            Self::Resource => "resource-based policy",
            Self::Trust => "role trust policy",
            Self::Identity => "identity-based policy",
            Self::Boundary => "permissions boundary",
            Self::Session => "session policy",
        }
    }

    const fn article(self) -> &'static str {
        match self {
            Self::Trust => "the",
            Self::Identity => "an",
            _ => "a",
        }
    }
}

impl fmt::Display for PolicyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which test ended a decision (EV-3, SIM-15).
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "test")]
pub enum Reason {
    /// Every test passed.
    Allowed {
        /// The kind of policy that carries the grant: identity, resource or trust.
        by: PolicyKind,
    },
    /// No permission is needed for this action, and none can be taken away (EV-11).
    NoPermissionNeeded,
    /// A Deny statement matches.
    ExplicitDeny {
        /// The kind of the policy that denies.
        kind: PolicyKind,
        /// The policy that denies.
        source: Source,
        /// The statement's place in the policy, from 0.
        statement: usize,
    },
    /// No statement of this kind allows it.
    MissingAllow {
        /// The first kind that fails.
        kind: PolicyKind,
    },
    /// A policy cannot be read, or a Deny has a condition that cannot be understood (IN-6, OP-X1).
    EvaluationError {
        /// The policy in question.
        source: Source,
    },
}

/// The answer to a request.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Decision {
    /// What was decided.
    pub verdict: Verdict,
    /// The test that ended it.
    pub reason: Reason,
}

impl Decision {
    /// Whether the request may go on.
    pub fn is_allowed(&self) -> bool {
        self.verdict == Verdict::Allow
    }

    /// The source of the policy that denies, if one does.
    pub fn source(&self) -> Option<&Source> {
        match &self.reason {
            Reason::ExplicitDeny { source, .. } | Reason::EvaluationError { source } => {
                Some(source)
            }
            _ => None,
        }
    }

    /// The text of a denial in AWS's words (SIM-12).
    ///
    /// `principal_arn` is the session's ARN for sessions. An empty `resource` leaves that part out.
    /// The reason and the ARN of the denying policy are told only to callers of the resource's own
    /// account (`same_account`).
    pub fn denial_message(
        &self,
        principal_arn: &str,
        action: &str,
        resource: &str,
        same_account: bool,
    ) -> String {
        let mut text = format!("User: {principal_arn} is not authorized to perform: {action}");
        let s3 = action.get(..3).is_some_and(|head| head.eq_ignore_ascii_case("s3:"));
        if !resource.is_empty() {
            let quote = if s3 { "\"" } else { "" };
            text.extend([" on resource: ", quote, resource, quote]);
        }
        if !same_account {
            return text;
        }
        match &self.reason {
            Reason::ExplicitDeny { kind, source, .. } => {
                text.extend([" with an explicit deny in ", kind.article(), " ", kind.name()]);
                if let Some(arn) = &source.arn {
                    text.extend([": ", arn]);
                }
            }
            Reason::MissingAllow { kind } => {
                text.extend([" because no ", kind.name(), " allows the ", action, " action"]);
            }
            Reason::Allowed { .. }
            | Reason::NoPermissionNeeded
            | Reason::EvaluationError { .. } => {}
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SourceKind;

    fn explicit(kind: PolicyKind, source: Source) -> Decision {
        Decision {
            verdict: Verdict::ExplicitDeny,
            reason: Reason::ExplicitDeny { kind, source, statement: 0 },
        }
    }

    // SIM-12: the wording of denials.
    #[test]
    fn sim_12_denials_use_the_documented_words() {
        let user = "arn:aws:iam::123456789012:user/JohnDoe";
        let missing = |kind| Decision {
            verdict: Verdict::ImplicitDeny,
            reason: Reason::MissingAllow { kind },
        };
        for (kind, expected) in [
            (PolicyKind::Identity, "identity-based policy"),
            (PolicyKind::Boundary, "permissions boundary"),
            (PolicyKind::Session, "session policy"),
            (PolicyKind::ServiceControl, "service control policy"),
            (PolicyKind::Endpoint, "VPC endpoint policy"),
            (PolicyKind::Resource, "resource-based policy"),
            (PolicyKind::Trust, "role trust policy"),
        ] {
            assert_eq!(
                missing(kind).denial_message(user, "codecommit:ListDeployments", "*", true),
                format!(
                    "User: {user} is not authorized to perform: codecommit:ListDeployments on \
                     resource: * because no {expected} allows the codecommit:ListDeployments action"
                )
            );
        }
        let arn = "arn:aws:iam::123456789012:policy/HRPolicy";
        let managed = explicit(PolicyKind::Identity, Source::managed(arn, SourceKind::UserManaged));
        let inline = explicit(PolicyKind::Trust, Source::new("trust", SourceKind::Trust));
        assert_eq!(
            managed.denial_message(user, "s3:GetObject", "arn:aws:s3:::b/k", true),
            format!(
                "User: {user} is not authorized to perform: s3:GetObject on resource: \
                 \"arn:aws:s3:::b/k\" with an explicit deny in an identity-based policy: {arn}"
            )
        );
        assert_eq!(
            inline.denial_message(user, "sts:AssumeRole", "arn:aws:iam::1:role/r", true),
            format!(
                "User: {user} is not authorized to perform: sts:AssumeRole on resource: \
                 arn:aws:iam::1:role/r with an explicit deny in the role trust policy"
            )
        );
        assert_eq!(
            managed.denial_message(user, "ec2:RunInstances", "", false),
            format!("User: {user} is not authorized to perform: ec2:RunInstances")
        );
    }
}
