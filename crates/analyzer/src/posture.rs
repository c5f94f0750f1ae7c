//! Posture: checks over the evidence of an account, each with what it needs, finds and advises.
//!
//! [`run`] asks every check of [`CHECKS`] and answers a [`Report`]. A check whose data are missing
//! answers *not assessed*, never *pass*. Titles, severities and controls stand in `catalogue.tsv`,
//! which also holds the checks that are not built; [`NOT_BUILT`] says why for each.
//!
//! Absences: no I/O, no clock: the instant of the audit is a parameter.

mod audit;
mod catalogue;
mod check;
mod checks;
mod facts;
mod finding;
mod report;
mod settings;

pub use audit::Audit;
pub use catalogue::{Row, Severity, catalogue, row};
pub use check::{Check, Found, Need, Results, Subject};
pub use checks::{CHECKS, NOT_BUILT};
pub(crate) use facts::names;
pub use facts::{
    Access, Administrative, Holder, HolderKind, Origin, PolicyUse, excerpt, is_every_resource,
    satisfy, with_mfa,
};
pub use finding::{Finding, FindingId, Fix, Place};
pub use report::{Gap, Outcome, Report, Tally, run};
pub use settings::{Exception, Limits, Settings};
