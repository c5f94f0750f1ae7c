//! Roles over time, and roles that should be there: TRU-09, TRU-11, TRU-12 and TRU-13.

use crate::estate::is_service_linked;
use crate::posture::audit::Audit;
use crate::posture::check::{Found, Results};
use crate::posture::facts::{Administrative, HolderKind};

/// TRU-09.
pub(super) fn sessions(audit: &Audit<'_>, results: &mut Results) {
    let Some(details) = audit.evidence.roles.known() else { return };
    let most = audit.settings.limits.session_seconds;
    let mut any = false;
    let roles = audit.principals().iter().filter(|access| access.holder.kind == HolderKind::Role);
    for access in roles.filter(|access| !access.holder.linked) {
        let holder = &access.holder;
        match &access.administrative {
            Administrative::No => continue,
            Administrative::Unknown(why) => {
                results.not_assessed(&holder.arn, why.clone());
                continue;
            }
            Administrative::When(_) | Administrative::Always => any = true,
        }
        let length = details.get(&holder.name).and_then(|detail| detail.max_session_duration);
        let Some(length) = length else {
            results.not_assessed(&holder.arn, "the longest session of the role");
            continue;
        };
        results.judge(length <= most, || {
            let why = format!(
                "sessions of this privileged role last up to {length} seconds, and {most} are allowed"
            );
            Found::new(&holder.arn, why).cli(format!(
                "aws iam update-role --role-name {} --max-session-duration {most}",
                holder.name
            ))
        });
    }
    if !any {
        results.pass();
    }
}

/// TRU-11: a role that is younger than the limit had no time to lie unused.
pub(super) fn unused(audit: &Audit<'_>, results: &mut Results) {
    let account = &audit.evidence.estate.account;
    let days = audit.settings.limits.role_unused;
    let mut any = false;
    for role in account.roles() {
        if is_service_linked(role) {
            results.not_applicable();
            continue;
        }
        any = true;
        let last = account.role_use(&role.id).map(|last| last.at);
        let since = last.unwrap_or(role.created);
        results.judge(!audit.is_older(since, days), || {
            let why = match last {
                Some(last) => format!("it was last used {} days ago", audit.days_since(last)),
                None => format!(
                    "it was made {} days ago and is not known to have been used",
                    audit.days_since(role.created)
                ),
            };
            Found::new(account.role_arn(role).as_str(), why)
                .when(last)
                .cli(format!("aws iam delete-role --role-name {}", role.name))
        });
    }
    if !any {
        results.pass();
    }
}

/// TRU-12.
pub(super) fn support(audit: &Audit<'_>, results: &mut Results) {
    let kinds = [HolderKind::Role, HolderKind::Group];
    held(audit, results, "AWSSupportAccess", &kinds, "role or group");
}

/// TRU-13.
pub(super) fn audit_role(audit: &Audit<'_>, results: &mut Results) {
    held(audit, results, "SecurityAudit", &[HolderKind::Role], "role");
}

fn held(audit: &Audit<'_>, results: &mut Results, name: &str, kinds: &[HolderKind], what: &str) {
    let account = &audit.evidence.estate.account;
    let arn = format!("arn:{}:iam::aws:policy/{name}", account.partition().as_str());
    let mut policies = audit.policies().iter().filter(|policy| policy.policy == arn);
    let is_held = policies.any(|policy| {
        policy.holders.iter().any(|holder| kinds.contains(&holder.kind) && !holder.linked)
    });
    results.judge(is_held, || {
        Found::new(&audit.account, format!("no {what} holds `{name}`"))
            .cli(format!("aws iam attach-role-policy --role-name ROLE --policy-arn {arn}"))
    });
}
