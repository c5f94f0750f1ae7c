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

/// The most bytes of a policy that is compared. No policy of AWS is half as long; what is longer would
/// keep a thread for long (threat G06).
const MAX_POLICY: usize = 64 * 1024;

/// The text of a policy, unless it is too long to be worked on.
fn policy<'p>(parameter: &str, text: &'p Secret) -> Result<&'p str, Fault> {
    let text = text.expose();
    if text.len() <= MAX_POLICY {
        return Ok(text);
    }
    Err(Fault::new(
        "UnprocessableEntityException",
        format!("the policy in `{parameter}` is longer than {MAX_POLICY} bytes"),
    ))
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
        let existing = policy("existingPolicyDocument", &self.existing)?;
        let new = policy("newPolicyDocument", &self.new)?;
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
        let checked = analyzer::access_not_granted(
            policy("policyDocument", &self.policy)?,
            &self.access,
            self.kind,
        );
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
        let checked =
            analyzer::no_public_access(policy("policyDocument", &self.policy)?, self.resource);
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
