//! Effective access: who can do what on what, under which conditions, and by which statements.
//!
//! Answers are about all requests at once. A principal that is said to have access has a request
//! which the decision engine allows; one that is not named has none, in whatever context. Where
//! neither could be shown the answer says that it is undecided, never that there is no access.
//!
//! # What an answer rests on
//! - A role is taken for a session of it without session policies and without session tags.
//! - Keys that follow from the caller (its ARN, name, account, tags) and `aws:ResourceAccount` are
//!   resolved; all others may have any value, and vary by themselves.
//! - Of a caller from outside, its own account is taken to allow what the resource policy does.
//! - Endpoint policies, grants of KMS keys and federated users are left out.
//!
//! Absences: no I/O, no clock, no random numbers.

mod answer;
mod assume;
mod can;
mod chain;
mod glob;
mod judge;
mod matrix;
mod outside;
mod points;
mod question;
mod solve;
mod who;

pub use answer::{Access, Certainty, Extent, Place, Requirement, Unless, Way, Witness};
pub use assume::Assumer;
pub use can::{Grants, Permission, Scope};
pub use chain::{Chain, Hop};
pub use matrix::{Cell, Mark};
pub use question::{Question, QuestionError};
pub use who::{Kind, Reach, Who};
