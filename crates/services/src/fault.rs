//! What a client may see of a failure.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value as Json;

/// A refusal or failure as the client sees it: a code that the operation's model lists, or one of
/// the codes common to all operations, and a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    code: Cow<'static, str>,
    status: Option<u16>,
    message: String,
    members: Vec<(&'static str, Json)>,
}

impl Fault {
    /// A fault whose status is the modelled one.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code: code.into(), status: None, message: message.into(), members: Vec::new() }
    }

    /// A fault that no operation models, with its status.
    pub fn common(code: &'static str, status: u16, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            status: Some(status),
            message: message.into(),
            members: Vec::new(),
        }
    }

    /// Sets a member that the modelled error has besides its text. Only REST-JSON answers carry it.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Json>) -> Self {
        self.members.push((name, value.into()));
        self
    }

    /// What was set with [`Fault::with`].
    pub fn members(&self) -> &[(&'static str, Json)] {
        &self.members
    }

    /// The code on the wire, such as `NoSuchEntity`.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The status, where it is not left to the model.
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// The text.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// `AccessDenied`, by a policy or by a rule of the service.
    pub fn access_denied(message: impl Into<String>) -> Self {
        Self::common("AccessDenied", 403, message)
    }

    /// `ValidationError`: the request breaks a constraint.
    pub fn validation(message: impl Into<String>) -> Self {
        Self::common("ValidationError", 400, message)
    }

    /// Our own failure. The cause belongs into the log, never here.
    pub fn internal() -> Self {
        Self::common(
            "InternalFailure",
            500,
            "The request processing has failed because of an unknown error, exception or failure.",
        )
    }

    /// The store takes no more writes.
    pub fn unavailable() -> Self {
        Self::common(
            "ServiceUnavailable",
            503,
            "The request has failed due to a temporary failure of the server.",
        )
    }

    /// `NoSuchEntity` for a user, in AWS's words (*observed*).
    pub fn no_such_user(name: &str) -> Self {
        Self::no_such("user", name)
    }

    /// `NoSuchEntity` for an entity of a kind, in AWS's words (*observed*).
    pub fn no_such(kind: &str, name: &str) -> Self {
        Self::new("NoSuchEntity", format!("The {kind} with name {name} cannot be found."))
    }

    /// `EntityAlreadyExists` for a named entity of a kind, such as `User`.
    pub fn exists(kind: &str, name: &str) -> Self {
        Self::new("EntityAlreadyExists", format!("{kind} with name {name} already exists."))
    }

    /// `DeleteConflict`: something still hangs on the entity.
    pub fn delete_conflict(what: &str) -> Self {
        Self::new("DeleteConflict", format!("Cannot delete entity, must {what} first."))
    }

    /// `LimitExceeded`: a quota is used up.
    pub fn limit(quota: &str, limit: u64) -> Self {
        Self::new("LimitExceeded", format!("Cannot exceed quota for {quota}: {limit}"))
    }

    /// `InvalidInput`.
    pub fn invalid_input(message: impl Into<String>) -> Self {
        Self::new("InvalidInput", message)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Fault {}
