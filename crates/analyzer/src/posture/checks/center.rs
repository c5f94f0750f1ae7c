//! IDC: Identity Center.

use crate::evidence::{Data, IdentityCenter};
use crate::posture::audit::Audit;
use crate::posture::check::{Check, Found, Need, Results};

const NEEDS: &[Need] = &[Need::Of(Data::IdentityCenter)];

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "IDC-01",
        needs: NEEDS,
        remedy: "assign the permission set to a group, and put the person in it",
        run: by_groups,
    },
    Check {
        id: "IDC-04",
        needs: NEEDS,
        remedy: "shorten the sessions of the permission set",
        run: session_length,
    },
];

fn center<'a>(audit: &Audit<'a>, results: &mut Results) -> Option<&'a IdentityCenter> {
    let found = audit.evidence.identity_center.known()?.as_ref();
    if found.is_none() {
        results.not_applicable();
    }
    found
}

/// IDC-01.
fn by_groups(audit: &Audit<'_>, results: &mut Results) {
    let Some(center) = center(audit, results) else { return };
    for assignment in &center.user_assignments {
        let set = assignment.split(' ').next().unwrap_or_default();
        let why = format!("an assignment is to a single user: {assignment}");
        results.fail(Found::new(set, why).detail(assignment));
    }
    if center.user_assignments.is_empty() {
        results.pass();
    }
}

/// IDC-04.
fn session_length(audit: &Audit<'_>, results: &mut Results) {
    let Some(center) = center(audit, results) else { return };
    let most = i64::from(audit.settings.limits.permission_set_hours) * 3600;
    for set in &center.permission_sets {
        // AWS's default is one hour.
        let told = set.session_duration.as_deref().unwrap_or("PT1H");
        let Ok(length) = told.parse::<jiff::SignedDuration>() else {
            results.not_assessed(&set.arn, format!("the length of sessions: `{told}`"));
            continue;
        };
        results.judge(length.as_secs() <= most, || {
            let why = format!("sessions of {} last {told}", set.name);
            Found::new(&set.arn, why).cli(format!(
                "aws sso-admin update-permission-set --instance-arn INSTANCE \
                 --permission-set-arn {} --session-duration PT{}H",
                set.arn, audit.settings.limits.permission_set_hours
            ))
        });
    }
    if center.permission_sets.is_empty() {
        results.pass();
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::fixture::{ACCOUNT, Case, Folder, folder};
    use serde_json::json;

    fn center(kind: &str, duration: &str) -> Folder {
        folder(|f| {
            let instance = json!({"InstanceArn": "arn:aws:sso:::instance/i"});
            f.put("identity-center/instances.json", &json!({"Instances": [instance]}));
            let set = json!({
                "Name": "readers", "PermissionSetArn": "arn:aws:sso:::permissionSet/i/ps",
                "SessionDuration": duration,
            });
            f.put("identity-center/permission-set-1.json", &json!({"PermissionSet": set}));
            let assignment = json!({
                "AccountId": ACCOUNT, "PermissionSetArn": "arn:aws:sso:::permissionSet/i/ps",
                "PrincipalType": kind, "PrincipalId": "p",
            });
            let list = json!({"AccountAssignments": [assignment]});
            f.put("identity-center/assignments-1-1.json", &list);
        })
    }

    pub(crate) fn cases() -> Vec<Case> {
        let clean = center("GROUP", "PT8H");
        vec![
            Case::new("IDC-01", &clean, &[&|f| *f = center("USER", "PT8H")]),
            Case::new("IDC-04", &clean, &[&|f| *f = center("GROUP", "PT12H")]),
        ]
    }
}
