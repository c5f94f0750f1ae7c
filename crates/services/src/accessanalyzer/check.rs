//! CheckNoNewAccess, CheckAccessNotGranted and CheckNoPublicAccess.

use bailiwick_analyzer::check::{self as analyzer, CheckFault, Checked, FaultCode};
use bailiwick_wire::Secret;
use bailiwick_wire::generated::accessanalyzer as api;

use super::{ask_at_large, invalid};
use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::fault::Fault;
use crate::operation::{Entry, Operation, entry};

pub(super) const OPERATIONS: &[Entry] = &[
    entry::<CheckAccessNotGranted>(),
    entry::<CheckNoNewAccess>(),
    entry::<CheckNoPublicAccess>(),
];

/// The most bytes of a policy that is compared. AWS's own longest, ReadOnlyAccess, has 150,000 with
/// white space.
const MAX_POLICY: usize = 256 * 1024;

/// The most wildcards that stand inside patterns, over all texts of a call. Each may meet each of the
/// others, and in policies of use most stand at an end; with more, one call would keep a thread for
/// long (threat G06).
const MAX_INNER_WILDCARDS: usize = 4_000;

/// Refuses texts that are too long or too involved to be compared.
fn require_bounded<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<(), Fault> {
    let mut inner = 0_usize;
    for text in texts {
        if text.len() > MAX_POLICY {
            return Err(unprocessable(format!("a policy is longer than {MAX_POLICY} bytes")));
        }
        inner = inner.saturating_add(inner_wildcards(text));
    }
    if inner > MAX_INNER_WILDCARDS {
        return Err(unprocessable(format!(
            "the policies have more than {MAX_INNER_WILDCARDS} wildcards inside patterns"
        )));
    }
    Ok(())
}

fn unprocessable(message: String) -> Fault {
    Fault::new("UnprocessableEntityException", message)
}

/// Wildcards that do not end a JSON string. An escape may stand for one, and counts.
fn inner_wildcards(text: &str) -> usize {
    let bytes = text.as_bytes();
    let pairs = bytes.iter().zip(bytes.iter().skip(1));
    let inner = |(here, next): &(&u8, &u8)| match **here {
        b'*' | b'?' => **next != b'"',
        b'\\' => **next == b'u',
        _ => false,
    };
    pairs.filter(inner).count()
}

/// Does a new policy allow what the existing one does not?
struct CheckNoNewAccess {
    existing: Secret,
    new: Secret,
    kind: analyzer::Kind,
}

impl Operation for CheckNoNewAccess {
    type Api = api::CheckNoNewAccess;

    const HEAVY: bool = true;

    fn parse(request: api::CheckNoNewAccessRequest) -> Result<Self, Fault> {
        Ok(Self {
            existing: request.existing_policy_document,
            new: request.new_policy_document,
            kind: kind(&request.policy_type)?,
        })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![ask_at_large::<Self>(call)])
    }

    fn run(&self, _: &mut Permitted<'_>) -> Result<api::CheckNoNewAccessResponse, Fault> {
        let (existing, new) = (self.existing.expose(), self.new.expose());
        require_bounded([existing, new])?;
        let checked = analyzer::no_new_access(existing, new, self.kind);
        let Told { result, message, reasons } = tell(checked)?;
        Ok(api::CheckNoNewAccessResponse { result, message, reasons })
    }
}

/// Does a policy allow any of these actions on any of these resources?
struct CheckAccessNotGranted {
    policy: Secret,
    access: Vec<analyzer::Access>,
    kind: analyzer::Kind,
}

impl Operation for CheckAccessNotGranted {
    type Api = api::CheckAccessNotGranted;

    const HEAVY: bool = true;

    fn parse(request: api::CheckAccessNotGrantedRequest) -> Result<Self, Fault> {
        let access = |access: api::Access| analyzer::Access {
            actions: access.actions.unwrap_or_default(),
            resources: access.resources.unwrap_or_default(),
        };
        Ok(Self {
            policy: request.policy_document,
            access: request.access.into_iter().map(access).collect(),
            kind: kind(&request.policy_type)?,
        })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![ask_at_large::<Self>(call)])
    }

    fn run(&self, _: &mut Permitted<'_>) -> Result<api::CheckAccessNotGrantedResponse, Fault> {
        let policy = self.policy.expose();
        let access = self.access.iter().flat_map(|one| one.actions.iter().chain(&one.resources));
        require_bounded(access.map(String::as_str).chain([policy]))?;
        let checked = analyzer::access_not_granted(policy, &self.access, self.kind);
        let Told { result, message, reasons } = tell(checked)?;
        Ok(api::CheckAccessNotGrantedResponse { result, message, reasons })
    }
}

/// Does a resource policy let everybody in?
struct CheckNoPublicAccess {
    policy: Secret,
    resource: analyzer::PublicResource,
}

impl Operation for CheckNoPublicAccess {
    type Api = api::CheckNoPublicAccess;

    const HEAVY: bool = true;

    fn parse(request: api::CheckNoPublicAccessRequest) -> Result<Self, Fault> {
        let resource = analyzer::PublicResource::parse(&request.resource_type)
            .ok_or_else(|| invalid("resourceType", "The type of the resource is not known."))?;
        Ok(Self { policy: request.policy_document, resource })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![ask_at_large::<Self>(call)])
    }

    fn run(&self, _: &mut Permitted<'_>) -> Result<api::CheckNoPublicAccessResponse, Fault> {
        require_bounded([self.policy.expose()])?;
        let checked = analyzer::no_public_access(self.policy.expose(), self.resource);
        let Told { result, message, reasons } = tell(checked)?;
        Ok(api::CheckNoPublicAccessResponse { result, message, reasons })
    }
}

fn kind(name: &str) -> Result<analyzer::Kind, Fault> {
    analyzer::Kind::parse(name)
        .ok_or_else(|| invalid("policyType", "The type of the policy is not known."))
}

/// What all three answers hold.
struct Told {
    result: Option<String>,
    message: Option<String>,
    reasons: Option<Vec<api::ReasonSummary>>,
}

/// A result as the API tells it. What is undecided has not passed.
fn tell(checked: Result<Checked, CheckFault>) -> Result<Told, Fault> {
    let checked = checked.map_err(|fault| refused(&fault))?;
    let reasons = checked.reasons.into_iter().map(|reason| api::ReasonSummary {
        description: Some(reason.description),
        statement_index: reason.statement_index.and_then(|place| i32::try_from(place).ok()),
        statement_id: reason.statement_id,
    });
    Ok(Told {
        result: Some(if checked.passed { "PASS" } else { "FAIL" }.to_owned()),
        message: Some(checked.message),
        reasons: Some(reasons.collect()),
    })
}

fn refused(fault: &CheckFault) -> Fault {
    let text = fault.to_string();
    match fault.code() {
        FaultCode::Validation => {
            Fault::new("ValidationException", text).with("reason", "fieldValidationFailed")
        }
        FaultCode::InvalidParameter => Fault::new("InvalidParameterException", text),
        FaultCode::UnprocessableEntity => Fault::new("UnprocessableEntityException", text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tm_g06_wildcards_inside_patterns_are_counted() {
        for (text, expected) in [
            ("", 0),
            (r#"{"Action": ["s3:Get*", "*"], "Resource": "*"}"#, 0),
            (r#"{"Resource": "arn:aws:s3:::*/*"}"#, 1),
            (r#"{"Resource": "arn:*:s3:::a?b*c*"}"#, 3),
            (r#"{"Resource": "a\u002ab"}"#, 1),
        ] {
            assert_eq!(inner_wildcards(text), expected, "{text}");
        }
        let many = r#""a*b","#.repeat(MAX_INNER_WILDCARDS);
        assert!(require_bounded([&*many]).is_ok());
        assert!(require_bounded([&*many, "a*b"]).is_err());
        assert!(require_bounded([&*"a".repeat(MAX_POLICY + 1)]).is_err());
    }
}
