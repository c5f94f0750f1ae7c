//! Custom policy checks: does a new version grant more than the old one, does a policy grant what
//! it must not, does a resource policy let everybody in? In the form of Access Analyzer's
//! CheckNoNewAccess, CheckAccessNotGranted and CheckNoPublicAccess.
//!
//! A check fails with a request as example, which the decision engine confirms. What cannot be
//! decided fails too, without an example and with [`Checked::undecided`]: a check never passes
//! unless it is shown. The policies are judged alone: boundaries, policies of organizations and
//! other policies of the principal are no part of the question, as in AWS's API.
//!
//! The texts of messages and reasons are AWS's (documented in the examples of its SDKs). Texts of
//! undecided checks are ours; AWS knows no such answer.

mod access;
mod difference;
mod fault;
mod parts;
mod public;

use bailiwick_policy::{Document, DocumentKind};
use bailiwick_symbolic::{Answer, Asker, Finding, Reason, Witness};
use serde::Serialize;

pub use access::{Access, access_not_granted};
pub use difference::{Change, Difference, difference};
pub use fault::{CheckFault, FaultCode};
pub use public::{PublicResource, no_public_access};

/// What a check found.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Checked {
    /// Whether the check was shown to pass.
    pub passed: bool,
    /// Whether it could be neither shown nor refuted; then it has not passed.
    pub undecided: bool,
    /// A request for which the check fails. Always there when it was refuted.
    pub witness: Option<Witness>,
    /// The result in a sentence.
    pub message: String,
    /// The statements for which it fails, those of a new policy for new access.
    pub reasons: Vec<ReasonSummary>,
}

/// A statement for which a check fails.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReasonSummary {
    /// What is with it.
    pub description: String,
    /// Its Sid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement_id: Option<String>,
    /// Its place among the statements, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement_index: Option<usize>,
}

/// What the policies of a check belong to.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Kind {
    /// Users, groups and roles.
    Identity,
    /// Resources; trust policies too.
    Resource,
}

impl Kind {
    /// The name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "IDENTITY_POLICY",
            Self::Resource => "RESOURCE_POLICY",
        }
    }

    /// The kind with this name in the API.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Identity, Self::Resource].into_iter().find(|kind| kind.as_str() == text)
    }

    const fn document(self) -> DocumentKind {
        match self {
            Self::Identity => DocumentKind::Identity,
            Self::Resource => DocumentKind::Resource,
        }
    }
}

/// Checks that a new policy allows no request that the existing one does not.
///
/// # Errors
/// One of the texts is no policy.
///
/// ```
/// use bailiwick_analyzer::check::{Kind, no_new_access};
///
/// let policy = |action: &str| {
///     format!(
///         r#"{{"Version": "2012-10-17", "Statement":
///         {{"Effect": "Allow", "Action": "{action}", "Resource": "*"}}}}"#
///     )
/// };
/// let checked = no_new_access(&policy("s3:Get*"), &policy("s3:*"), Kind::Identity)?;
/// assert!(!checked.passed && !checked.undecided);
/// assert!(checked.witness.is_some_and(|request| !request.action.starts_with("s3:Get")));
/// # Ok::<(), bailiwick_analyzer::check::CheckFault>(())
/// ```
pub fn no_new_access(existing: &str, new: &str, kind: Kind) -> Result<Checked, CheckFault> {
    let existing = read(existing, kind.document(), "existingPolicyDocument")?;
    let new = read(new, kind.document(), "newPolicyDocument")?;
    let one = std::slice::from_ref;
    Ok(conclude(
        Asker::default().new_access(one(&existing), one(&new)),
        &new,
        &Words {
            pass: "The modified permissions do not grant new access compared to your existing policy.",
            fail: "The modified permissions grant new access compared to your existing policy.",
            reason: "New access in the statement",
        },
    ))
}

/// The texts of a check.
struct Words {
    pass: &'static str,
    fail: &'static str,
    /// What a reason begins with.
    reason: &'static str,
}

/// Reads a policy of a request; `parameter` is what the API calls it.
fn read(text: &str, kind: DocumentKind, parameter: &'static str) -> Result<Document, CheckFault> {
    Document::parse(text, kind).map_err(|error| CheckFault::Policy { parameter, error })
}

/// The answer from the statements by which the check fails or may fail.
fn conclude(findings: Vec<Finding>, policy: &Document, words: &Words) -> Checked {
    let (mut reasons, mut maybe) = (Vec::new(), Vec::new());
    let (mut witness, mut why) = (None, None);
    for Finding { statement, answer, .. } in findings {
        let sid = policy.statements().get(statement).and_then(|one| one.sid());
        let told = reason(words.reason, statement, sid.map(str::to_owned));
        match answer {
            Answer::Holds => {}
            Answer::Fails(found) => {
                witness.get_or_insert(found);
                reasons.push(told);
            }
            Answer::Undecided(found) => {
                why.get_or_insert(found);
                maybe.push(told);
            }
        }
    }
    let (message, reasons) = match (&witness, why) {
        (Some(_), _) => (words.fail.to_owned(), reasons),
        (None, Some(why)) => (undecided(words.fail, why), maybe),
        (None, None) => (words.pass.to_owned(), reasons),
    };
    let undecided = witness.is_none() && why.is_some();
    Checked { passed: witness.is_none() && !undecided, undecided, witness, message, reasons }
}

fn undecided(fail: &str, why: Reason) -> String {
    let claim = fail.trim_end_matches('.');
    format!(
        "It could not be decided whether this is so, and therefore counts as found: {claim}. ({why})"
    )
}

fn reason(begins: &str, at: usize, sid: Option<String>) -> ReasonSummary {
    let description = match &sid {
        Some(sid) => format!("{begins} with sid: {sid}."),
        None => format!("{begins} with index: {at}."),
    };
    ReasonSummary { description, statement_id: sid, statement_index: Some(at) }
}

#[cfg(test)]
mod tests;
