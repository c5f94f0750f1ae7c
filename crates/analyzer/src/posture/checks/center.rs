//! IDC: Identity Center.

mod people;
mod sets;

use crate::evidence::{Data, IdentityCenter};
use crate::posture::audit::Audit;
use crate::posture::check::{Check, Found, Need, Results};

const NEEDS: &[Need] = &[Need::Of(Data::IdentityCenter)];
const BOTH: &[Need] = &[Need::Of(Data::IdentityCenter), Need::Of(Data::Journal)];

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "IDC-01",
        needs: NEEDS,
        remedy: "assign the permission set to a group, and put the person in it",
        run: by_groups,
    },
    Check {
        id: "IDC-02",
        needs: NEEDS,
        remedy: "replace it in the permission set by a policy of what is needed",
        run: sets::least_privilege,
    },
    Check {
        id: "IDC-03",
        needs: BOTH,
        remedy: "in the settings of Identity Center, ask for MFA at every sign-in, and have a device registered",
        run: people::second_factor,
    },
    Check {
        id: "IDC-06",
        needs: BOTH,
        remedy: "mend the synchronisation, and take the assignments and memberships away",
        run: people::provisioned,
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
    use super::super::fixture::{ACCOUNT, Case, Folder, allow, folder, managed, policy};
    use crate::posture::Outcome;
    use serde_json::{Value as Json, json};

    fn center(kind: &str, duration: &str) -> Folder {
        folder(|f| {
            let instance = json!({"InstanceArn": "arn:aws:sso:::instance/i"});
            f.put("identity-center/instances.json", &json!({"Instances": [instance]}));
            let set = json!({
                "Name": "readers", "PermissionSetArn": "arn:aws:sso:::permissionSet/i/ps",
                "SessionDuration": duration,
            });
            f.put("identity-center/permission-set-1.json", &json!({"PermissionSet": set}));
            let read = policy(json!([allow("s3:GetObject", "arn:aws:s3:::b/*"),]));
            let inline = json!({"InlinePolicy": read.to_string()});
            f.put("identity-center/inline-policy-1.json", &inline);
            let none = json!({"AttachedManagedPolicies": []});
            f.put("identity-center/managed-policies-1.json", &none);
            let none = json!({"CustomerManagedPolicyReferences": []});
            f.put("identity-center/customer-policies-1.json", &none);
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
            Case::new(
                "IDC-02",
                &clean,
                &[
                    &|f| {
                        let all = policy(json!([allow("*", "*")]));
                        let inline = json!({"InlinePolicy": all.to_string()});
                        f.put("identity-center/inline-policy-1.json", &inline);
                    },
                    &|f| {
                        let all = policy(json!([allow("s3:*", "*")]));
                        let inline = json!({"InlinePolicy": all.to_string()});
                        f.put("identity-center/inline-policy-1.json", &inline);
                    },
                    &|f| {
                        let arn = "arn:aws:iam::aws:policy/AdministratorAccess";
                        let list = json!([{"Name": "AdministratorAccess", "Arn": arn}]);
                        let list = json!({"AttachedManagedPolicies": list});
                        f.put("identity-center/managed-policies-1.json", &list);
                    },
                    &|f| {
                        let wide = managed("wide", policy(json!([allow("*", "*")])));
                        f.details(json!([]), json!([]), json!([]), json!([wide]));
                        let list = json!([{"Name": "wide", "Path": "/"}]);
                        let list = json!({"CustomerManagedPolicyReferences": list});
                        f.put("identity-center/customer-policies-1.json", &list);
                    },
                ],
            ),
            Case::new("IDC-04", &clean, &[&|f| *f = center("GROUP", "PT12H")]),
            Case::new(
                "IDC-03",
                &told("GROUP", &signs_in("always-on", "register", "2026-05-20", "carol")),
                &[
                    &|f| f.journal(&signs_in("context-aware", "register", "2026-05-20", "carol")),
                    &|f| f.journal(&signs_in("always-on", "mail", "2026-05-20", "carol")),
                    &|f| f.journal(&signs_in("always-on", "register", "2026-01-20", "carol")),
                    &|f| f.journal(&signs_in("always-on", "register", "2026-06-20", "carol")),
                    &|f| f.journal(&signs_in("always-on", "register", "2026-05-20", " ")),
                ],
            ),
            Case::new(
                "IDC-06",
                &told("GROUP", &directory("2026-05-31T12:00:00Z", &["gone"])),
                &[
                    &|f| f.journal(&directory("2026-05-29T12:00:00Z", &[])),
                    &|f| f.journal(&directory("2026-05-31T12:00:00Z", &["member"])),
                    &|f| *f = told("USER", &directory("2026-05-31T12:00:00Z", &["p"])),
                ],
            ),
        ]
    }

    /// Assignments to the group `p`, of which `member` is one, or to the user `p`; and a journal.
    fn told(kind: &str, journal: &Json) -> Folder {
        let mut folder = center(kind, "PT8H");
        let members = json!([{"GroupId": "p", "MemberId": {"UserId": "member"}}]);
        folder
            .put("identity-center/members-p.json", &json!({"GroupMemberships": members}))
            .put("journal.json", journal);
        folder
    }

    fn signs_in(mfa: &str, without: &str, on: &str, by: &str) -> Json {
        json!({"sign-in": {"mfa": mfa, "without-device": without, "on": on, "by": by}})
    }

    fn directory(synchronised: &str, disabled: &[&str]) -> Json {
        json!({"directory": {"synchronised": synchronised, "disabled": disabled}})
    }

    // What the journal does not say is not known; nor is who is in a group without its members.
    #[test]
    fn what_nobody_says_of_people_is_not_assessed() {
        for id in ["IDC-03", "IDC-06"] {
            assert_eq!(told("GROUP", &json!({})).outcome(id), Outcome::NotAssessed, "{id}");
        }
        let mut folder = told("GROUP", &directory("2026-05-31T12:00:00Z", &["gone"]));
        folder.files.remove("identity-center/members-p.json");
        assert_eq!(folder.outcome("IDC-06"), Outcome::NotAssessed);
        folder.text("identity-center/members-p.json.error", "An error occurred (AccessDenied)");
        assert_eq!(folder.outcome("IDC-06"), Outcome::NotAssessed);
    }

    // What is not told of a permission set is not taken for nothing.
    #[test]
    fn sets_of_which_a_part_is_missing_are_not_assessed() {
        for (file, with) in [
            ("inline-policy-1.json", None),
            ("managed-policies-1.json", None),
            ("customer-policies-1.json", None),
            ("inline-policy-1.json", Some(json!({"InlinePolicy": "{"}))),
            (
                "customer-policies-1.json",
                Some(json!({"CustomerManagedPolicyReferences": [{"Name": "gone", "Path": "/"}]})),
            ),
        ] {
            let mut folder = center("GROUP", "PT8H");
            let path = format!("identity-center/{file}");
            match &with {
                Some(content) => drop(folder.files.insert(path, content.to_string())),
                None => drop(folder.files.remove(&path)),
            }
            assert_eq!(folder.outcome("IDC-02"), Outcome::NotAssessed, "{file} {with:?}");
        }
    }
}
