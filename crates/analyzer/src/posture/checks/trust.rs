//! TRU: roles and whom they trust. Whether somebody gets in is decided by the engine, with the whole
//! trust policy, its denies included.

mod federated;
mod outside;
mod services;
mod standing;
mod statement;

use crate::evidence::Data;
use crate::posture::audit::Audit;
use crate::posture::check::{Check, Need, Results};

const DETAILS: &[Need] = &[Need::Of(Data::AuthorizationDetails)];

const fn check(id: &'static str, remedy: &'static str, run: fn(&Audit<'_>, &mut Results)) -> Check {
    Check { id, needs: DETAILS, remedy, run }
}

pub(super) const CHECKS: &[Check] = &[
    check("TRU-01", "name who may assume the role", outside::public),
    check(
        "TRU-02",
        "agree on an external id, or name the account among `own-accounts` of the settings",
        outside::external_id,
    ),
    check(
        "TRU-03",
        "name the account among `vendor-accounts` of the settings, or take it out",
        outside::known_accounts,
    ),
    check(
        "TRU-04",
        "pin aws:SourceAccount, and aws:SourceArn where one resource uses the role",
        services::confused_deputy,
    ),
    check("TRU-05", "pin the subject and the audience of the token", federated::pinned),
    check("TRU-06", "test SAML:aud", federated::saml_audience),
    check("TRU-07", "name who may assume the role", outside::whole_account),
    check("TRU-08", "take the id out", outside::deleted),
    Check {
        id: "TRU-09",
        needs: &[Need::Of(Data::AuthorizationDetails), Need::Of(Data::Roles)],
        remedy: "shorten the longest session",
        run: standing::sessions,
    },
    check("TRU-11", "delete the role, after a time without its policies", standing::unused),
    check("TRU-12", "give a role AWSSupportAccess", standing::support),
    check("TRU-13", "give a role SecurityAudit", standing::audit_role),
    Check {
        id: "TRU-14",
        needs: &[Need::Of(Data::SamlProviders)],
        remedy: "get new metadata from the provider",
        run: federated::providers,
    },
];

#[cfg(test)]
pub(super) mod tests;
