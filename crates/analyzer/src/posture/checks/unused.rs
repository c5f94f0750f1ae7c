//! USE: access that nobody uses, and how fresh the evidence is.

use jiff::SignedDuration;

use crate::evidence::Data;
use crate::posture::audit::Audit;
use crate::posture::check::{Check, Found, Need, Results};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "USE-01",
        needs: &[Need::Of(Data::AuthorizationDetails)],
        remedy: "forbid the role everything, and delete it once nothing has missed it",
        run: roles,
    },
    Check {
        id: "USE-02",
        needs: &[Need::Of(Data::CredentialReport)],
        remedy: "make the credential inactive, and delete it once nothing has missed it",
        run: credentials,
    },
    Check {
        id: "USE-03",
        needs: &[Need::Of(Data::LastAccessed)],
        remedy: "take the services out of the principal's policies",
        run: services,
    },
    Check {
        id: "USE-06",
        needs: &[Need::Of(Data::CredentialReport)],
        remedy: "gather the report again: AWS makes one every four hours at most",
        run: fresh,
    },
];

/// USE-01: neither used nor made within the limit; AWS keeps uses of 400 days.
fn roles(audit: &Audit<'_>, results: &mut Results) {
    let account = &audit.evidence.estate.account;
    let limit = audit.settings.limits.role_unused;
    for role in account.roles() {
        if crate::estate::is_service_linked(role) {
            results.not_applicable();
            continue;
        }
        let used = account.role_use(&role.id).map(|used| used.at);
        let last = used.unwrap_or(role.created);
        results.judge(!audit.is_older(last, limit), || {
            let days = audit.days_since(last);
            let why = match used {
                Some(_) => format!("the role was last used {days} days ago"),
                None => format!("the role was made {days} days ago, and no use of it is known"),
            };
            Found::new(account.role_arn(role).as_str(), why).when(Some(last)).cli(format!(
                "aws iam get-role --role-name {} --query Role.RoleLastUsed",
                role.name
            ))
        });
    }
    if account.roles().len() == 0 {
        results.pass();
    }
}

/// USE-02: all credentials of a user as one finding.
fn credentials(audit: &Audit<'_>, results: &mut Results) {
    let Some(report) = audit.evidence.credential_report.known() else { return };
    let limit = audit.settings.limits.credential_unused;
    for row in report.users() {
        let mut unused = Vec::new();
        let password = row.password_last_used.at().max(row.password_last_changed.at());
        if row.has_password() && password.is_none_or(|last| audit.is_older(last, limit)) {
            unused.push(("the password".to_owned(), password));
        }
        for (number, key) in row.keys.iter().enumerate().filter(|(_, key)| key.active) {
            let last = key.used.at().max(key.rotated.at());
            if last.is_none_or(|last| audit.is_older(last, limit)) {
                unused.push((format!("key {}", number + 1), last));
            }
        }
        results.judge(unused.is_empty(), || {
            let names: Vec<&str> = unused.iter().map(|(name, _)| name.as_str()).collect();
            let why = format!("nobody has used {} for {limit} days", names.join(" and "));
            let last = unused.iter().filter_map(|(_, last)| *last).max();
            Found::new(row.arn.as_str(), why).when(last)
        });
    }
    if report.users().next().is_none() {
        results.pass();
    }
}

/// USE-03: services that a principal may use and has not used within the limit.
fn services(audit: &Audit<'_>, results: &mut Results) {
    let Some(all) = audit.evidence.last_accessed.known() else { return };
    let limit = audit.settings.limits.role_unused;
    for (arn, services) in all {
        let unused: Vec<&str> = services
            .iter()
            .filter(|(_, last)| last.is_none_or(|last| audit.is_older(last, limit)))
            .map(|(service, _)| service.as_str())
            .collect();
        results.judge(unused.is_empty(), || {
            let mut shown = unused.iter().take(12).copied().collect::<Vec<_>>().join(", ");
            if unused.len() > 12 {
                shown.push_str(" ...");
            }
            let why = format!(
                "{} of {} services were not used for {limit} days: {shown}",
                unused.len(),
                services.len()
            );
            Found::new(arn, why).when(services.values().flatten().max().copied())
        });
    }
}

/// USE-06: when the evidence was gathered, the report was of that day.
fn fresh(audit: &Audit<'_>, results: &mut Results) {
    let Some(report) = audit.evidence.credential_report.known() else { return };
    let Some(made) = report.generated else {
        results.not_assessed(
            &audit.account,
            "when the credential report was made: the CSV does not say",
        );
        return;
    };
    let hours = audit.settings.limits.report_hours;
    let age = audit.now.duration_since(made);
    results.judge(age <= SignedDuration::from_hours(hours), || {
        let why = format!("the credential report is {} hours old", age.as_hours());
        Found::new(&audit.account, why).when(Some(made)).cli("aws iam generate-credential-report")
    });
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::fixture::{ACCOUNT, Case, Folder, folder, report, role};
    use base64::Engine as _;
    use serde_json::{Value as Json, json};

    fn with_role(more: &Json) -> Folder {
        folder(|f| {
            f.details(json!([]), json!([]), json!([role("r", more.clone())]), json!([]));
        })
    }

    fn row(columns: &[(&str, &str)]) -> Folder {
        folder(|f| {
            f.text("credential-report.csv", &report(&[("alice", columns)]));
        })
    }

    fn made(at: &str) -> Folder {
        folder(|f| {
            let content = base64::engine::general_purpose::STANDARD.encode(report(&[]));
            f.put("credential-report.json", &json!({"Content": content, "GeneratedTime": at}));
        })
    }

    fn accessed(last: &Json) -> Folder {
        folder(|f| {
            let arn = format!("arn:aws:iam::{ACCOUNT}:role/r");
            let services = json!([
                {"ServiceNamespace": "s3", "LastAuthenticated": "2026-05-20T00:00:00Z"},
                {"ServiceNamespace": "ec2", "LastAuthenticated": last},
            ]);
            f.put("last-accessed/1.json", &json!({"Arn": arn, "ServicesLastAccessed": services}));
        })
    }

    pub(crate) fn cases() -> Vec<Case> {
        let old = json!({"RoleLastUsed": {"LastUsedDate": "2026-01-01T00:00:00Z", "Region": "x"}});
        let never = json!({"RoleLastUsed": {}});
        let key = |used: &'static str| {
            row(&[
                ("access_key_1_active", "true"),
                ("access_key_1_last_rotated", "2025-01-01T00:00:00+00:00"),
                ("access_key_1_last_used_date", used),
            ])
        };
        let password = [
            ("password_enabled", "true"),
            ("password_last_used", "2026-01-01T00:00:00+00:00"),
            ("password_last_changed", "2025-01-01T00:00:00+00:00"),
        ];
        vec![
            Case::new(
                "USE-01",
                &with_role(&json!({})),
                &[&|f| *f = with_role(&old), &|f| *f = with_role(&never)],
            ),
            Case::new(
                "USE-02",
                &key("2026-05-20T00:00:00+00:00"),
                &[&|f| *f = key("N/A"), &|f| *f = row(&password)],
            ),
            Case::new(
                "USE-03",
                &accessed(&json!("2026-05-20T00:00:00Z")),
                &[&|f| *f = accessed(&json!(null)), &|f| {
                    *f = accessed(&json!("2026-01-01T00:00:00Z"));
                }],
            ),
            Case::new(
                "USE-06",
                &made("2026-05-31T12:00:00Z"),
                &[&|f| *f = made("2026-05-30T12:00:00Z")],
            ),
        ]
    }
}
