//! ANA-05, ORG-10: what the settings expect: who reaches a critical resource, and how units are named.

use crate::evidence::Data;
use crate::posture::audit::Audit;
use crate::posture::check::{Check, Found, Need, Results};
use crate::posture::settings::fits;
use crate::reach::{Kind, Question, Reach};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "ANA-05",
        needs: &[Need::Of(Data::AuthorizationDetails)],
        remedy: "take the access away, or name the principal among the expected of the settings",
        run: critical,
    },
    Check {
        id: "ORG-10",
        needs: &[Need::Of(Data::Organization)],
        remedy: "name the unit after its environment and sensitivity, as `units` of the settings tell",
        run: units,
    },
];

/// ANA-05: nobody beside the expected reaches a critical resource, whatever the conditions.
fn critical(audit: &Audit<'_>, results: &mut Results) {
    let critical = &audit.settings.critical;
    if critical.is_empty() {
        results.not_applicable();
        return;
    }
    let reach = Reach::new(&audit.evidence.estate);
    // Without policies of resources it is not known whom a resource lets in by itself.
    if let Some(missing) = audit.evidence.missing(Data::ResourcePolicies) {
        for one in critical {
            results.not_assessed(&one.resource, format!("resource policies: {missing}"));
        }
    }
    for one in critical {
        let mut found = 0;
        for action in &one.actions {
            let question = match Question::new(action, &one.resource) {
                Ok(question) => question,
                Err(error) => {
                    results.not_assessed(&one.resource, format!("`{action}`: {error}"));
                    continue;
                }
            };
            for who in reach.who_can(&question) {
                // The root user of the account may do all: that is ROOT's.
                let known = one.expected.iter().any(|pattern| fits(pattern, &who.principal));
                if known || who.kind == Kind::Root {
                    continue;
                }
                found += 1;
                let why = format!("it can do {action} on {}, and is not expected to", one.resource);
                results.fail(
                    Found::new(&who.principal, why).detail(format!("{action} {}", one.resource)),
                );
            }
        }
        if found == 0 {
            results.pass();
        }
    }
}

/// ORG-10.
fn units(audit: &Audit<'_>, results: &mut Results) {
    let Some(Some(organization)) = audit.evidence.organization.known() else {
        results.not_applicable();
        return;
    };
    let patterns = &audit.settings.units;
    let units = organization.units.values().filter(|unit| unit.id.starts_with("ou-"));
    let mut any = false;
    for unit in units {
        any = true;
        if patterns.is_empty() {
            results
                .not_assessed(&unit.id, "the names that units may have (`units` of the settings)");
            continue;
        }
        results.judge(patterns.iter().any(|pattern| fits(pattern, &unit.name)), || {
            Found::new(
                &unit.id,
                format!("the unit `{}` has none of the names of the model", unit.name),
            )
        });
    }
    if !any {
        results.judge(patterns.is_empty() || organization.units.is_empty(), || {
            Found::new(&audit.account, "the organization has no units, and the model has")
        });
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::fixture::{Case, Folder, allow, folder, organization, policy, user};
    use crate::posture::Outcome;
    use crate::posture::settings::Critical;
    use serde_json::json;

    fn reached(by: &str) -> Folder {
        let mut made = folder(|f| {
            let inline = json!([{
                "PolicyName": "p", "PolicyDocument": policy(json!([allow("s3:Get*", "arn:aws:s3:::pay/*")])),
            }]);
            let users =
                json!([user(by, json!({"UserPolicyList": inline})), user("idle", json!({}))]);
            f.details(users, json!([]), json!([]), json!([]));
            f.put("s3/buckets.json", &json!({"Buckets": []}));
        });
        made.settings.critical = vec![Critical {
            resource: "arn:aws:s3:::pay/x".into(),
            actions: vec!["s3:GetObject".into()],
            expected: vec!["*:user/clerk".into()],
        }];
        made
    }

    fn unit(name: &str) -> Folder {
        let mut made = folder(|f| {
            organization(f, &[]);
            let unit = json!({"Id": "ou-1", "Name": name});
            f.put("organization/units/r-1.json", &json!({"OrganizationalUnits": [unit]}));
        });
        made.settings.units = vec!["prod-*".into(), "test-*".into()];
        made
    }

    pub(crate) fn cases() -> Vec<Case> {
        vec![
            Case::new(
                "ANA-05",
                &reached("clerk"),
                &[&|f| *f = reached("mallory"), &|f| f.settings.critical[0].expected.clear()],
            ),
            Case::new("ORG-10", &unit("prod-high"), &[&|f| *f = unit("misc")]),
        ]
    }

    #[test]
    fn without_resource_policies_nobody_is_cleared() {
        let mut folder = reached("clerk");
        folder.files.remove("s3/buckets.json");
        assert_eq!(folder.outcome("ANA-05"), Outcome::NotAssessed);
        let mut folder = unit("prod-high");
        folder.settings.units.clear();
        assert_eq!(folder.outcome("ORG-10"), Outcome::NotAssessed);
    }
}
