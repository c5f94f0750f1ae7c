//! One decision, by the numbered rules and without any cleverness.
//!
//! The input is a case: `{id, request: {principal, action, resource, resourceAccount, context},
//! identityPolicies, permissionsBoundary, sessionPolicies, resourcePolicy, scps, rcps,
//! endpointPolicies}`, as `corpus/README.md` describes it. Every policy is parsed anew, every list
//! is walked from its start, and every pattern is matched character by character.
//!
//! What it leaves out: explanations beyond the kind of policy that decided.

mod caller;
mod case;
mod condition;
mod decide;
mod document;
mod glob;
mod json;
mod keys;
mod operator;
mod scalar;
mod statement;
#[cfg(test)]
mod tests;

use serde_json::Value;

use self::case::Case;
use self::json::Json;

/// The answer to one case.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Outcome {
    /// `allowed`, `explicitDeny` or `implicitDeny` (EV-1).
    pub decision: &'static str,
    /// The kind of policy that decided: `endpoint`, `resource-control`, `service-control`,
    /// `resource`, `trust`, `identity`, `boundary`, `session`, `no-permission-needed`,
    /// `evaluation-error` or `credentials` (SIM-15).
    pub reason: String,
}

/// The kinds of policy (IN-2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Layer {
    Endpoint,
    Rcp,
    Scp,
    Resource,
    Trust,
    Identity,
    Boundary,
    Session,
}

impl Layer {
    /// PR-15
    fn names_principals(self) -> bool {
        matches!(self, Self::Endpoint | Self::Rcp | Self::Resource | Self::Trust)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Endpoint => "endpoint",
            Self::Rcp => "resource-control",
            Self::Scp => "service-control",
            Self::Resource => "resource",
            Self::Trust => "trust",
            Self::Identity => "identity",
            Self::Boundary => "boundary",
            Self::Session => "session",
        }
    }
}

/// Decides one case that has been parsed already.
///
/// # Errors
/// A text that says what is wrong with the case itself; what is wrong with a policy is an
/// `explicitDeny` instead (IN-6).
pub fn evaluate(case: &Value) -> Result<Outcome, String> {
    Ok(decide::decide(&Case::read(&Json::from(case))?))
}

/// Decides one case from its text, one JSON object. Other than [`evaluate`] this sees duplicate
/// keys (ST-4) and the spelling of numbers (CO-10) in policies that are given as objects.
///
/// # Errors
/// As [`evaluate`], and for text that is no JSON.
pub fn evaluate_text(line: &str) -> Result<Outcome, String> {
    Ok(decide::decide(&Case::read(&json::parse(line)?)?))
}
