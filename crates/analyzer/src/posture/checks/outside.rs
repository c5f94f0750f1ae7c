//! USR-09, TRU-10, MON-13, USE-08: what beside identities carries their rights: instances, Roles
//! Anywhere, the findings hub and open findings.

use crate::evidence::Data;
use crate::posture::audit::Audit;
use crate::posture::check::{Check, Found, Need, Results};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "USR-09",
        needs: &[Need::Of(Data::Instances)],
        remedy: "give the instance a profile with a role, and delete the keys that lie on it",
        run: instance_profiles,
    },
    Check {
        id: "TRU-10",
        needs: &[Need::Of(Data::RolesAnywhere)],
        remedy: "give the profile a session policy, and switch off what is not used",
        run: anywhere,
    },
    Check {
        id: "USE-08",
        needs: &[Need::Of(Data::Findings)],
        remedy: "mend what the finding tells, or archive it with a rule that says why",
        run: open_findings,
    },
    Check {
        id: "MON-13",
        needs: &[Need::Of(Data::Hubs)],
        remedy: "switch the hub and the detector on in each region in use",
        run: hubs,
    },
];

/// USR-09, as far as profiles go: from which addresses keys are used, only events tell.
fn instance_profiles(audit: &Audit<'_>, results: &mut Results) {
    let instances = audit.evidence.instances.known().map_or(&[][..], Vec::as_slice);
    let account = audit.evidence.account_id();
    let partition = audit.evidence.estate.account.partition().as_str();
    for instance in instances {
        let (id, region) = (&instance.id, &instance.region);
        results.judge(instance.profile, || {
            let arn = format!("arn:{partition}:ec2:{region}:{account}:instance/{id}");
            Found::new(arn, "the instance has no profile, so programs on it need keys of users")
                .cli(format!(
                    "aws ec2 associate-iam-instance-profile --region {region} --instance-id {id} \
                     --iam-instance-profile Name=PROFILE"
                ))
        });
    }
    if instances.is_empty() {
        results.not_applicable();
    }
}

/// TRU-10.
fn anywhere(audit: &Audit<'_>, results: &mut Results) {
    let Some(found) = audit.evidence.roles_anywhere.known() else { return };
    let on = found.profiles.iter().filter(|profile| profile.enabled).count();
    for profile in found.profiles.iter().filter(|profile| profile.enabled) {
        results.judge(profile.restricted, || {
            let why =
                "sessions of the profile have all that its roles have: it has no session policy";
            Found::new(&profile.arn, why)
        });
    }
    for (arn, enabled) in &found.anchors {
        // An anchor that is on lets certificates in for profiles that come later.
        results.judge(!enabled || on > 0, || {
            Found::new(arn, "the trust anchor is on, and no profile is")
        });
    }
    if found.profiles.is_empty() && found.anchors.is_empty() {
        results.not_applicable();
    } else if on == 0 && found.anchors.is_empty() {
        results.pass();
    }
}

/// USE-08.
fn open_findings(audit: &Audit<'_>, results: &mut Results) {
    let findings = audit.evidence.findings.known().map_or(&[][..], Vec::as_slice);
    let most = audit.settings.limits.finding_age;
    for finding in findings {
        let about = if finding.resource.is_empty() { &finding.id } else { &finding.resource };
        let Some(created) = finding.created else {
            results.not_assessed(about, "the day of a finding of the analyzer");
            continue;
        };
        results.judge(!audit.is_older(created, most), || {
            let days = audit.days_since(created);
            let why =
                format!("a finding of the analyzer is active for {days} days, of {most} at most");
            Found::new(about, why).detail(&finding.id).when(Some(created))
        });
    }
    if findings.is_empty() {
        results.pass();
    }
}

/// MON-13.
fn hubs(audit: &Audit<'_>, results: &mut Results) {
    let Some(hubs) = audit.evidence.hubs.known() else { return };
    for (region, hub) in hubs {
        for (what, on) in [("findings hub", hub.hub), ("detector", hub.detector)] {
            match on {
                Some(on) => results.judge(on, || {
                    let why = format!("the {what} is not on in {region}");
                    Found::new(&audit.account, why).detail(format!("{what} {region}"))
                }),
                None => results.not_assessed(&audit.account, format!("{what} in {region}")),
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::fixture::{Case, Folder, folder};
    use crate::posture::Outcome;
    use serde_json::json;

    const REGION: &str = "regions/eu-west-1";

    fn instance(profile: bool, state: &str) -> Folder {
        folder(|f| {
            let mut one = json!({"InstanceId": "i-1", "State": {"Name": state}});
            if profile {
                one["IamInstanceProfile"] =
                    json!({"Arn": "arn:aws:iam::123456789012:instance-profile/p"});
            }
            let list = json!({"Reservations": [{"Instances": [one]}]});
            f.put(&format!("{REGION}/instances.json"), &list);
        })
    }

    fn anywhere(profiles: &serde_json::Value, anchor: bool) -> Folder {
        folder(|f| {
            f.put(&format!("{REGION}/anywhere-profiles.json"), &json!({"profiles": profiles}));
            let arn = "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/a";
            let anchors = json!({"trustAnchors": [{"trustAnchorArn": arn, "enabled": anchor}]});
            f.put(&format!("{REGION}/anywhere-anchors.json"), &anchors);
        })
    }

    fn hub(on: bool, detectors: &[(&str, &str)]) -> Folder {
        folder(|f| {
            if on {
                let text =
                    json!({"HubArn": "arn:aws:securityhub:eu-west-1:123456789012:hub/default"});
                f.put(&format!("{REGION}/security-hub.json"), &text);
            } else {
                let text = "An error occurred (InvalidAccessException): Account is not subscribed";
                f.text(&format!("{REGION}/security-hub.json.error"), text);
            }
            let ids: Vec<&str> = detectors.iter().map(|(id, _)| *id).collect();
            f.put(&format!("{REGION}/detectors.json"), &json!({"DetectorIds": ids}));
            for (id, status) in detectors {
                f.put(&format!("{REGION}/detectors/{id}.json"), &json!({"Status": status}));
            }
        })
    }

    fn finding(created: &str, status: &str) -> Folder {
        folder(|f| {
            let one = json!({
                "id": "f", "resource": "arn:aws:s3:::b", "status": status, "createdAt": created,
            });
            f.put(&format!("{REGION}/findings/1.json"), &json!({"findings": [one]}));
        })
    }

    pub(crate) fn cases() -> Vec<Case> {
        let profile = |restricted: bool, enabled: bool| {
            let policy = if restricted { "{}" } else { "" };
            let arn = "arn:aws:rolesanywhere:eu-west-1:123456789012:profile/p";
            json!([{"profileArn": arn, "enabled": enabled, "sessionPolicy": policy}])
        };
        vec![
            Case::new(
                "USR-09",
                &instance(true, "running"),
                &[&|f| *f = instance(false, "running"), &|f| *f = instance(false, "stopped")],
            ),
            Case::new(
                "TRU-10",
                &anywhere(&profile(true, true), true),
                &[
                    &|f| *f = anywhere(&profile(false, true), true),
                    &|f| *f = anywhere(&profile(true, false), true),
                    &|f| *f = anywhere(&json!([]), true),
                ],
            ),
            Case::new(
                "USE-08",
                &finding("2026-05-20T00:00:00Z", "ACTIVE"),
                &[&|f| *f = finding("2026-04-20T00:00:00Z", "ACTIVE")],
            ),
            Case::new(
                "USE-08",
                &finding("2026-04-20T00:00:00Z", "ARCHIVED"),
                &[&|f| *f = finding("2026-04-20T00:00:00Z", "ACTIVE")],
            ),
            Case::new(
                "MON-13",
                &hub(true, &[("d", "DISABLED"), ("e", "ENABLED")]),
                &[
                    &|f| *f = hub(false, &[("e", "ENABLED")]),
                    &|f| *f = hub(true, &[("d", "DISABLED")]),
                    &|f| *f = hub(true, &[]),
                ],
            ),
        ]
    }

    #[test]
    fn half_told_is_not_assessed() {
        let mut half = hub(true, &[("d", "ENABLED")]);
        half.files.remove("regions/eu-west-1/detectors/d.json");
        assert_eq!(half.outcome("MON-13"), Outcome::NotAssessed);
        assert_eq!(instance(false, "terminated").outcome("USR-09"), Outcome::NotApplicable);
    }
}
