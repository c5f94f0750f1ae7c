//! Findings over policies, accounts and organizations, one file per kind of finding.
//!
//! [`validate`] reads one policy document and says what is wrong with it, in the form of Access
//! Analyzer's ValidatePolicy. A finding has a code, a severity, a place and advice. [`check`] answers
//! its custom policy checks: new access, access that is granted, public access.
//!
//! Absences: no I/O, no clock, no random numbers, nothing `async`. Input never panics; texts are
//! bounded in length and depth.

pub mod check;
pub mod escalation;
pub mod estate;
pub mod summary;
pub mod reach;
pub mod evidence;
pub mod posture;
pub mod validate;
