//! EFF: what users and roles may do when all layers are counted: boundary, denies, SCP and RCP. The
//! decision engine has the last word in each finding.

mod boundaries;
mod classes;
mod duties;
mod paths;
mod rights;

pub(in crate::posture) use rights::Held;

use crate::evidence::Data;
use crate::posture::audit::Audit;
use crate::posture::check::{Check, Need, Results};

const fn check(id: &'static str, remedy: &'static str, run: fn(&Audit<'_>, &mut Results)) -> Check {
    Check { id, needs: &[Need::Of(Data::AuthorizationDetails)], remedy, run }
}

pub(super) const CHECKS: &[Check] = &[
    check(
        "EFF-01",
        "take the rights away, or name the principal among `administrators` of the settings",
        classes::administrators,
    ),
    check("EFF-02", "take one step of the path away", paths::to_administration),
    check("EFF-03", "name the buckets, parameters and secrets", classes::data),
    check("EFF-04", "name the resources, or bound the principal", classes::exposure),
    check("EFF-05", "name the resources, or bound the principal", classes::credentials),
    check("EFF-06", "name the resources", classes::modification),
    check("EFF-07", "give the role what its code needs, by resource", classes::compute),
    check(
        "EFF-08",
        "take away the right to act as others, or limit it to those that are needed",
        paths::movement,
    ),
    check("EFF-09", "give one of the two to somebody else", duties::separated),
    check(
        "EFF-10",
        "allow making users and roles only with a condition on iam:PermissionsBoundary",
        boundaries::delegated,
    ),
    check(
        "EFF-11",
        "deny the holder the actions on its own boundary and on the policy of it",
        boundaries::fastened,
    ),
];

#[cfg(test)]
pub(super) mod tests;
