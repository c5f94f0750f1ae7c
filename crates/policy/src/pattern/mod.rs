//! Patterns: what a policy's texts match.
//!
//! A text is cut once into pieces (literal text, wildcards, variables); matching resolves the
//! variables of the request context and compares. Text that comes from a variable is literal
//! (VAR-8, threat C08).

mod action;
mod arn;
mod glob;
mod resource;
mod template;

pub(crate) use action::ActionPattern;
pub(crate) use arn::ArnPattern;
pub(crate) use resource::{ResourcePattern, Short};
pub(crate) use template::{Pattern, Template};
