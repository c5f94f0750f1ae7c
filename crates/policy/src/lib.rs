//! The IAM policy language: documents, patterns, conditions, evaluation and explanation.
//!
//! A policy is text; an evaluation is a pure function of policies and one request. This crate
//! parses a text once into a compiled [`Document`], decides one [`Request`] with [`decide`], and
//! tells why with [`explain`]: the same walk with a witness. Rule ids in comments (`EV-4`,
//! `OP-S3`) are those of the project's rules of policy evaluation.
//!
//! Absences: no I/O, no clock, no random numbers, nothing `async`. What cannot be understood
//! never grants (IN-6).

mod case;
mod condition;
mod context;
mod decision;
mod document;
mod engine;
mod evaluate;
mod explain;
mod fold;
mod grant;
mod json;
mod key;
mod pattern;
mod principal;
mod request;
mod session_rules;
mod set;
pub mod simulate;
mod source;
mod view;

pub use case::{Answer, Case, CaseError, CaseProblem, Documents, ReasonLine};
pub use condition::{Operator, SetPrefix};
pub use context::{Context, ContextError};
pub use decision::{Decision, PolicyKind, Reason, Verdict};
pub use document::{
    ConditionText, Document, DocumentError, DocumentKind, Effect, Position, PrincipalText,
    PrincipalType, Problem, Statement, Version,
};
pub use engine::{Engine, EngineBuilder};
pub use evaluate::{Grade, consult_alone, decide, resource_owner};
pub use explain::{
    ConditionReport, Explanation, Layer, Miss, Outcome, PolicyReport, RECORDED_WHOLE,
    StatementReport, explain, record,
};
pub use grant::Grant;
pub use key::{ContextKey, KeyName, keys};
pub use principal::Principal;
pub use request::{Applicable, Attached, Endpoint, Levels, Policies, Request, is_delegated};
pub use session_rules::{Credentials, Refusal, refusal};
pub use set::PolicySet;
pub use source::{Source, SourceKind};
pub use view::{ConditionView, Token};
