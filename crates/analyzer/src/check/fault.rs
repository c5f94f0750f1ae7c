//! Why a check cannot be made.

use bailiwick_policy::{DocumentError, Problem};

use super::Kind;

/// What is wrong with a request for a check.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CheckFault {
    /// A policy cannot be read.
    #[error("the policy in `{parameter}` cannot be read: line {}, column {}: {}", error.line, error.column, error.problem)]
    Policy {
        /// The API's name of the parameter.
        parameter: &'static str,
        /// The first thing that is wrong with it, and where.
        error: DocumentError,
    },
    /// More entries than the API takes.
    #[error("`{parameter}` has {found} entries; at most {most} are allowed")]
    TooMany {
        /// The API's name of the parameter.
        parameter: &'static str,
        /// How many it has.
        found: usize,
        /// How many it may have.
        most: usize,
    },
    /// A resource that is longer than the API takes.
    #[error("a resource of {found} characters; at most {most} are allowed")]
    TooLong {
        /// How many it has.
        found: usize,
        /// How many it may have.
        most: usize,
    },
    /// Neither actions nor resources.
    #[error("`access` has neither actions nor resources")]
    NoAccess,
    /// An entry of the access that no policy could have.
    #[error("`{value}` in `{parameter}` is not valid: {problem}")]
    Entry {
        /// The API's name of the parameter.
        parameter: &'static str,
        /// The entry.
        value: String,
        /// What is wrong with it.
        problem: &'static str,
    },
}

/// The exceptions of the API.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FaultCode {
    /// `ValidationException`, status 400: a constraint of the request's model is not kept.
    Validation,
    /// `InvalidParameterException`, status 400: a parameter says nothing that can be used.
    InvalidParameter,
    /// `UnprocessableEntityException`, status 422: it is understood and cannot be worked on.
    UnprocessableEntity,
}

impl CheckFault {
    /// Which exception of the API it is.
    pub fn code(&self) -> FaultCode {
        match self {
            Self::TooMany { .. } | Self::TooLong { .. } => FaultCode::Validation,
            Self::Policy { error, .. }
                if matches!(error.problem, Problem::TooLong | Problem::TooDeep) =>
            {
                FaultCode::UnprocessableEntity
            }
            Self::Policy { .. } | Self::NoAccess | Self::Entry { .. } => {
                FaultCode::InvalidParameter
            }
        }
    }
}

impl Kind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Identity, Self::Resource];
}
