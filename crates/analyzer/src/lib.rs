//! Findings over policies, accounts and organizations, one file per kind of finding.
//!
//! [`validate`] reads one policy document and says what is wrong with it, in the form of Access
//! Analyzer's ValidatePolicy. A finding has a code, a severity, a place and advice. [`check`] answers
//! its custom policy checks: new access, access that is granted, public access.
//!
//! Of an account, [`evidence`] is what its files tell, [`estate`] whom the engine can be asked about,
//! [`reach`] who can do what, [`escalation`] how somebody becomes administrator, and [`posture`] what
//! the checks of the catalogue say, each finding with its [`remedy`] in every form. [`attack`] plays techniques step by step,
//! [`toxic`] finds duties that one principal must not hold together, and [`blast`] who has more than
//! it uses.
//!
//! Absences: no I/O, no clock, no random numbers, nothing `async`. Input never panics; texts are
//! bounded in length and depth.

pub mod attack;
pub mod blast;
pub mod check;
pub mod checklist;
pub mod escalation;
pub mod estate;
pub mod evidence;
pub mod generate;
pub mod pages;
pub mod posture;
pub mod reach;
pub mod remedy;
mod shell;
pub mod summary;
pub mod toxic;
pub mod trail;
pub mod validate;
