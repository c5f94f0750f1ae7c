//! POL: what policies give, by meaning and not by text, and what they hang on.
//!
//! A statement gives an action *on everything* if its resources take a resource of each type that
//! the action needs, in the account at hand, whose name nobody guesses. Denies of the same document
//! that have no condition take back. A condition that holds for a request of no special
//! circumstances limits nothing.

mod breadth;
mod conditions;
pub(super) mod fix;
mod holding;
pub(super) mod reach;
pub(super) mod set;
mod standing;
pub(super) mod table;
mod texts;

pub(in crate::posture) use reach::Reach;

use crate::evidence::Data;
use crate::posture::audit::Audit;
use crate::posture::check::{Check, Need, Results};

const DETAILS: &[Need] = &[Need::Of(Data::AuthorizationDetails)];

const fn check(id: &'static str, remedy: &'static str, run: fn(&Audit<'_>, &mut Results)) -> Check {
    Check { id, needs: DETAILS, remedy, run }
}

pub(super) const CHECKS: &[Check] = &[
    check(
        "POL-01",
        "replace it by policies of what is needed; who must have all belongs in a named role",
        breadth::attached_administration,
    ),
    check(
        "POL-02",
        "detach it, or name the holder among `administrators` of the settings",
        breadth::aws_administrator,
    ),
    check(
        "POL-03",
        "replace it by managed policies of what is needed",
        breadth::inline_administration,
    ),
    check("POL-04", "delete it: one call attaches it", breadth::unattached_administration),
    check("POL-05", "list the actions that are needed", breadth::service_wildcard),
    check("POL-06", "make it a managed policy, attach that, delete this", holding::inline),
    check("POL-07", "delete the policy, or attach it", holding::unattached),
    check("POL-08", "name the keys, or ask for kms:ViaService", breadth::all_decryption),
    check("POL-09", "allow reading the trail only", breadth::trail_control),
    check("POL-10", "leave subscriptions to a role of procurement", breadth::marketplace),
    check(
        "POL-11",
        "detach it; a customer policy can deny cloudshell:GetFileDownloadUrls and \
         cloudshell:GetFileUploadUrls",
        holding::cloud_shell,
    ),
    check("POL-12", "name the resources, or ask for a tag of them", breadth::writes_on_all),
    check("POL-13", "list what is allowed, or bound it by a condition", breadth::inverted),
    check("POL-14", "name the roles, and the service by iam:PassedToService", breadth::pass_role),
    check("POL-15", "name the roles", breadth::assume_on_all),
    check("POL-16", "mend what the validation tells", standing::validation),
    check(
        "POL-17",
        "ask for MFA, a source address, an endpoint or a tag",
        breadth::unguarded_permissions,
    ),
    check(
        "POL-18",
        "name the ranges with which your networks reach AWS; for endpoints use aws:VpcSourceIp",
        conditions::addresses,
    ),
    check("POL-19", "take the statement out", conditions::ended),
    check(
        "POL-20",
        "attach an SCP that denies regional services outside the Regions in use",
        standing::regions,
    ),
    check("POL-21", "delete versions that are not needed", standing::versions),
    check("POL-23", "merge policies, or ask for a greater quota", holding::quotas),
    Check {
        id: "POL-24",
        needs: &[Need::Of(Data::AuthorizationDetails), Need::Of(Data::LastAccessed)],
        remedy: "write a customer policy of what was used, and attach that instead",
        run: standing::oversized,
    },
    check("POL-25", "detach it", holding::blocked),
];

#[cfg(test)]
pub(super) mod tests;
