//! The IAM policy language: documents, patterns, conditions, evaluation and explanation.
//!
//! A policy is text; an evaluation is a pure function of policies and one request. This crate
//! parses a text once into a compiled [`Document`], decides one [`Request`] with [`decide`], and
//! tells why with [`explain`]: the same walk with a witness. Rule ids in comments (`EV-4`,
//! `OP-S3`) are those of the project's rules of policy evaluation.
//!
//! Absences: no I/O, no clock, no random numbers, nothing `async`. What cannot be understood
//! never grants (IN-6).

mod condition;
mod context;
mod decision;
mod document;
mod evaluate;
mod explain;
mod fold;
mod json;
mod pattern;
mod principal;
mod request;
mod session_rules;
mod source;

pub use condition::{Operator, SetPrefix};
pub use context::{Context, ContextError};
pub use decision::{Decision, PolicyKind, Reason, Verdict};
pub use document::{
    ConditionText, Document, DocumentError, DocumentKind, Effect, Position, PrincipalText,
    PrincipalType, Problem, Statement, Version,
};
pub use evaluate::{decide, resource_owner};
pub use explain::{
    ConditionReport, Explanation, Layer, Miss, Outcome, PolicyReport, RECORDED_WHOLE,
    StatementReport, explain, record,
};
pub use principal::Principal;
pub use request::{Applicable, Attached, Endpoint, Level, Request};
pub use session_rules::{Credentials, Refusal, refusal};
pub use source::{Source, SourceKind};
