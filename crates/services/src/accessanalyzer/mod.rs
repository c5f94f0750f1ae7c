//! Access Analyzer: validation of policies and checks of the access that they grant.
//!
//! The answers are those of `bailiwick_analyzer`, which the command line gives offline. They are
//! computed on the threads for long reads, as simulations are, and their work is counted there: a
//! question that would take too much is undecided, and an undecided check fails.

mod check;
mod validate_policy;

use crate::ask::Ask;
use crate::call::Call;
use crate::fault::Fault;
use crate::operation::{Entry, Operation};

/// Every operation, file by file.
pub(crate) const OPERATIONS: &[&[Entry]] = &[check::OPERATIONS, validate_policy::OPERATIONS];

/// An ask of an operation that is about no resource. A denial names all analyzers of the region
/// (*observed* in reports of denials).
fn ask_at_large<O: Operation>(call: &Call<'_>) -> Ask {
    let (partition, account) = (call.partition(), call.account().id());
    let region = &call.origin().region;
    call.ask::<O>("*").reported_as(format!("arn:{partition}:access-analyzer:{region}:{account}:*"))
}

/// `ValidationException`: one field of the request is not as it must be.
fn invalid(field: &str, message: impl Into<String>) -> Fault {
    let message = message.into();
    let fields = serde_json::json!([{ "name": field, "message": message }]);
    Fault::new("ValidationException", message)
        .with("reason", "fieldValidationFailed")
        .with("fieldList", fields)
}
