//! ROOT: the root user.

use bailiwick_policy::{Applicable, Context, PolicyKind, Principal, Reason, Request, decide};

use crate::evidence::{CredentialRow, Data};
use crate::posture::audit::Audit;
use crate::posture::check::{Check, Found, Need, Results};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "ROOT-01",
        needs: &[Need::Any(&[Data::CredentialReport, Data::AccountSummary])],
        remedy: "sign in as root, delete the access keys, and use a role for what they did",
        run: no_access_key,
    },
    Check {
        id: "ROOT-02",
        needs: &[Need::Any(&[Data::CredentialReport, Data::AccountSummary])],
        remedy: "sign in as root and register a passkey or a security key",
        run: mfa,
    },
    Check {
        id: "ROOT-03",
        needs: &[
            Need::Of(Data::VirtualMfaDevices),
            Need::Any(&[Data::CredentialReport, Data::AccountSummary]),
        ],
        remedy: "sign in as root, register a passkey or a security key, and take the virtual device \
                 away",
        run: hardware_mfa,
    },
    Check {
        id: "ROOT-04",
        needs: &[Need::Of(Data::CredentialReport)],
        remedy: "find out what root was used for, and make a role for it",
        run: unused,
    },
    Check {
        id: "ROOT-05",
        needs: &[Need::Of(Data::Organization)],
        remedy: "switch central root access on in the management account",
        run: central_root,
    },
    Check {
        id: "ROOT-06",
        needs: &[Need::Any(&[Data::CredentialReport, Data::AccountSummary])],
        remedy: "sign in as root and delete the signing certificates",
        run: no_certificates,
    },
    Check {
        id: "ROOT-08",
        needs: &[Need::Of(Data::Organization)],
        remedy: "attach an SCP to the root of the organization that denies everything where \
                 aws:PrincipalArn is arn:aws:iam::*:root",
        run: guardrail,
    },
];

fn root<'a>(audit: &Audit<'a>) -> Option<&'a CredentialRow> {
    audit.evidence.credential_report.known().and_then(|report| report.root())
}

fn number(audit: &Audit<'_>, name: &str) -> Option<u64> {
    audit.evidence.account_summary.known().and_then(|map| map.get(name)).copied()
}

/// Two sources of one fact: either that tells of it is enough.
fn either(report: Option<bool>, summary: Option<bool>) -> Option<bool> {
    match (report, summary) {
        (None, None) => None,
        (report, summary) => Some(report == Some(true) || summary == Some(true)),
    }
}

/// Whether root has anything to sign in or call with; nothing where it cannot be told.
fn has_credentials(audit: &Audit<'_>) -> Option<bool> {
    let password = either(
        root(audit).and_then(|row| row.password_enabled),
        number(audit, "AccountPasswordPresent").map(|number| number > 0),
    );
    Some(has_key(audit)? || password?)
}

fn has_key(audit: &Audit<'_>) -> Option<bool> {
    let report = root(audit).map(|row| row.keys.iter().any(|key| key.active));
    either(report, number(audit, "AccountAccessKeysPresent").map(|number| number > 0))
}

fn has_mfa(audit: &Audit<'_>) -> Option<bool> {
    let summary = number(audit, "AccountMFAEnabled").map(|number| number > 0);
    root(audit).map(|row| row.mfa_active).or(summary)
}

/// ROOT-01: the report's two columns, or the summary's number.
fn no_access_key(audit: &Audit<'_>, results: &mut Results) {
    let Some(has) = has_key(audit) else {
        results.not_assessed(&audit.account, "neither source tells of root's keys");
        return;
    };
    results.judge(!has, || {
        Found::new(&audit.account, "the root user has an access key")
            .when(root(audit).and_then(|row| row.keys.iter().find_map(|key| key.used.at())))
    });
}

/// ROOT-02: a root user without any credential needs no MFA.
fn mfa(audit: &Audit<'_>, results: &mut Results) {
    let Some(mfa) = has_mfa(audit) else {
        results.not_assessed(&audit.account, "neither source tells of root's MFA");
        return;
    };
    results.judge(mfa || has_credentials(audit) == Some(false), || {
        Found::new(&audit.account, "the root user has no MFA device")
    });
}

/// ROOT-03: no device at all is no hardware device either.
fn hardware_mfa(audit: &Audit<'_>, results: &mut Results) {
    let devices = audit.evidence.virtual_mfa_devices.known().map_or(&[][..], Vec::as_slice);
    let own = devices.iter().find(|device| device.owner.as_deref() == Some(&*audit.account));
    if let Some(device) = own {
        let why = format!("the root user has the virtual device {}", device.serial);
        results.fail(Found::new(&audit.account, why));
        return;
    }
    match has_mfa(audit) {
        None => results.not_assessed(&audit.account, "neither source tells of root's MFA"),
        Some(mfa) => results.judge(mfa || has_credentials(audit) == Some(false), || {
            Found::new(&audit.account, "the root user has no MFA device at all")
        }),
    }
}

/// ROOT-04: by the last uses of password and keys.
fn unused(audit: &Audit<'_>, results: &mut Results) {
    let Some(row) = root(audit) else {
        results.not_assessed(&audit.account, "root's row in the credential report");
        return;
    };
    let limit = audit.settings.limits.root_unused;
    let uses = [
        ("password", row.password_last_used.at()),
        ("first key", row.keys.first().and_then(|key| key.used.at())),
        ("second key", row.keys.get(1).and_then(|key| key.used.at())),
    ];
    let last = uses.iter().filter_map(|(what, at)| Some((*at.as_ref()?, *what))).max();
    let recent = last.filter(|(at, _)| !audit.is_older(*at, limit));
    match recent {
        None => results.pass(),
        Some((at, what)) => {
            let days = audit.days_since(at);
            let why =
                format!("root's {what} was used {days} days ago, and {limit} days are asked for");
            results.fail(Found::new(&audit.account, why).when(Some(at)));
        }
    }
}

/// ROOT-05.
fn central_root(audit: &Audit<'_>, results: &mut Results) {
    let Some(organization) = audit.evidence.organization.known() else { return };
    let Some(organization) = organization else {
        results.not_applicable();
        return;
    };
    let Some(features) = organization.root_features.known() else {
        results.not_assessed(&audit.account, "the features of central root access");
        return;
    };
    for feature in ["RootCredentialsManagement", "RootSessions"] {
        results.judge(features.contains(feature), || {
            let verb = if feature == "RootSessions" {
                "enable-organizations-root-sessions"
            } else {
                "enable-organizations-root-credentials-management"
            };
            Found::new(&audit.account, format!("{feature} is off in the organization"))
                .detail(feature)
                .cli(format!("aws iam {verb}"))
        });
    }
}

/// ROOT-06.
fn no_certificates(audit: &Audit<'_>, results: &mut Results) {
    let report = root(audit).map(|row| row.certificates.contains(&true));
    let summary = number(audit, "AccountSigningCertificatesPresent").map(|number| number > 0);
    let Some(has) = either(report, summary) else {
        results.not_assessed(&audit.account, "neither source tells of root's certificates");
        return;
    };
    results.judge(!has, || Found::new(&audit.account, "the root user has a signing certificate"));
}

/// What root must not be able to do, of several kinds.
const PROBES: [(&str, &str); 6] = [
    ("iam:CreateUser", "arn:PARTITION:iam::ACCOUNT:user/any"),
    ("s3:GetObject", "arn:PARTITION:s3:::any/any"),
    ("ec2:RunInstances", "arn:PARTITION:ec2:eu-west-1:ACCOUNT:instance/any"),
    ("kms:ScheduleKeyDeletion", "arn:PARTITION:kms:eu-west-1:ACCOUNT:key/any"),
    ("cloudtrail:StopLogging", "arn:PARTITION:cloudtrail:eu-west-1:ACCOUNT:trail/any"),
    ("organizations:LeaveOrganization", "*"),
];

/// ROOT-08: an SCP denies root of each member account, decided by the engine.
fn guardrail(audit: &Audit<'_>, results: &mut Results) {
    let Some(organization) = audit.evidence.organization.known() else { return };
    let Some(organization) = organization else {
        results.not_applicable();
        return;
    };
    let Some(accounts) = organization.accounts.known() else {
        results.not_assessed(&audit.account, "the accounts of the organization");
        return;
    };
    let partition = audit.evidence.estate.account.partition();
    for id in accounts.keys().filter(|id| **id != organization.management_account) {
        let subject = format!("arn:{}:iam::{id}:root", partition.as_str());
        let (Ok(account), Some(scps)) =
            (id.parse(), organization.levels(id, "SERVICE_CONTROL_POLICY"))
        else {
            results.not_assessed(&subject, "the SCPs of the account: tree or texts are not whole");
            continue;
        };
        let principal = Principal::Root { partition, account };
        let mut context = Context::new();
        context.put_principal(&principal);
        let denied = |(action, resource): &(&str, &str)| {
            let resource = resource.replace("PARTITION", partition.as_str()).replace("ACCOUNT", id);
            let levels = scps.iter().map(|level| level.iter().map(|scp| scp.attached()).collect());
            let applicable = Applicable { scps: levels.collect(), ..Applicable::default() };
            let request = Request {
                principal: &principal,
                action,
                resource: &resource,
                resource_account: Some(account),
                context: &context,
                delegated: false,
            };
            let reason = decide(&request, &applicable).reason;
            matches!(reason, Reason::ExplicitDeny { kind: PolicyKind::ServiceControl, .. })
        };
        let open = PROBES.iter().find(|probe| !denied(probe));
        results.judge(open.is_none(), || {
            let action = open.map_or("", |(action, _)| action);
            Found::new(&subject, format!("no SCP denies the account's root, for example {action}"))
        });
    }
    if accounts.len() < 2 {
        results.not_applicable();
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::fixture::{ACCOUNT, Case, Folder, folder, organization, policy, report};
    use serde_json::json;

    fn root(columns: &[(&str, &str)]) -> String {
        report(&[("<root_account>", columns)])
    }

    fn csv(f: &mut Folder, columns: &[(&str, &str)]) {
        f.text("credential-report.csv", &root(columns));
    }

    fn summary(f: &mut Folder, name: &str, number: u64) {
        f.put("account-summary.json", &json!({"SummaryMap": {name: number}}));
    }

    fn guarded(condition: &str) -> Folder {
        let deny = policy(json!([{
            "Effect": "Deny", "Action": "*", "Resource": "*",
            "Condition": {"StringLike": {"aws:PrincipalArn": condition}},
        }]));
        let full = policy(json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}]));
        folder(|f| organization(f, &[("p-full", &full, &["r-1"]), ("p-root", &deny, &["r-1"])]))
    }

    pub(crate) fn cases() -> Vec<Case> {
        let clean = folder(|f| {
            csv(f, &[]);
            f.put("account-summary.json", &json!({"SummaryMap": {}}));
            f.put("virtual-mfa-devices.json", &json!({"VirtualMFADevices": []}));
        });
        let mut cases = vec![
            Case::new(
                "ROOT-01",
                &clean,
                &[&|f| csv(f, &[("access_key_2_active", "true")]), &|f| {
                    summary(f, "AccountAccessKeysPresent", 1);
                }],
            ),
            Case::new("ROOT-02", &clean, &[&|f| csv(f, &[("mfa_active", "false")])]),
            Case::new(
                "ROOT-03",
                &clean,
                &[&|f| csv(f, &[("mfa_active", "false")]), &|f| {
                    let user = json!({"Arn": format!("arn:aws:iam::{ACCOUNT}:root")});
                    let serial = format!("arn:aws:iam::{ACCOUNT}:mfa/root-account-mfa-device");
                    let devices = json!([{"SerialNumber": serial, "User": user}]);
                    f.put("virtual-mfa-devices.json", &json!({"VirtualMFADevices": devices}));
                }],
            ),
            Case::new(
                "ROOT-04",
                &clean,
                &[&|f| csv(f, &[("password_last_used", "2026-05-01T00:00:00+00:00")]), &|f| {
                    csv(f, &[("access_key_1_last_used_date", "2026-05-01T00:00:00+00:00")]);
                }],
            ),
            Case::new(
                "ROOT-06",
                &clean,
                &[&|f| csv(f, &[("cert_1_active", "true")]), &|f| {
                    summary(f, "AccountSigningCertificatesPresent", 1);
                }],
            ),
        ];
        let features = |list: &[&str]| {
            folder(|f| {
                organization(f, &[]);
                let content = json!({"OrganizationId": "o-1", "EnabledFeatures": list});
                f.put("organization/root-features.json", &content);
            })
        };
        cases.push(Case::new(
            "ROOT-05",
            &features(&["RootCredentialsManagement", "RootSessions"]),
            &[&|f| *f = features(&["RootSessions"]), &|f| *f = features(&[])],
        ));
        cases.push(Case::new(
            "ROOT-08",
            &guarded("arn:aws:iam::*:root"),
            &[&|f| *f = guarded("arn:aws:iam::*:user/*"), &|f| {
                // Attached below the member account: to the management account.
                let target = json!({"Targets": [{"TargetId": "999999999999"}]});
                f.put("organization/targets/p-root.json", &target);
            }],
        ));
        cases
    }

    // A root user without credentials needs no MFA device.
    #[test]
    fn root_without_credentials() {
        let mut f = folder(|f| csv(f, &[("mfa_active", "false")]));
        summary(&mut f, "AccountPasswordPresent", 0);
        assert_eq!(f.outcome("ROOT-02"), crate::posture::Outcome::Pass);
        summary(&mut f, "AccountPasswordPresent", 1);
        assert_eq!(f.outcome("ROOT-02"), crate::posture::Outcome::Fail);
    }
}
