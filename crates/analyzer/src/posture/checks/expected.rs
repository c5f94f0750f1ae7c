//! ANA-05, ORG-10, EFF-12: what is expected: who reaches a critical resource, how units are named, and
//! what is decided.

use crate::evidence::{Data, Expectation, Expected};
use crate::posture::audit::Audit;
use crate::posture::check::{Check, Found, Need, Results};
use crate::posture::settings::fits;
use crate::reach::{Kind, Question, Reach};
use bailiwick_policy::{Context, Reason};

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
    Check {
        id: "EFF-12",
        needs: &[Need::Of(Data::Journal), Need::Of(Data::AuthorizationDetails)],
        remedy: "undo what changed the decision, or change the expectation in the journal",
        run: decisions,
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

/// EFF-12: each saved decision is what it was.
fn decisions(audit: &Audit<'_>, results: &mut Results) {
    let Some(journal) = audit.evidence.journal.known() else { return };
    for one in &journal.expectations {
        decision(audit, one, results);
    }
    if journal.expectations.is_empty() {
        results.not_applicable();
    }
}

fn decision(audit: &Audit<'_>, one: &Expectation, results: &mut Results) {
    let Expectation { principal, action, resource, .. } = one;
    let asked = format!("{action} on {resource}");
    let estate = &audit.evidence.estate;
    let Some(subject) = estate.subject(principal) else {
        let why = format!("{asked} is expected of it, and it is not there");
        results.fail(Found::new(principal, why).detail(asked));
        return;
    };
    if let Some(source) = &subject.effective.unreadable {
        results.not_assessed(principal, format!("`{}`, which cannot be read", source.id));
        return;
    }
    let mut context = Context::new();
    for (key, values) in &one.context {
        context.put_list(key.as_str(), values.iter().map(String::as_str));
    }
    // The principal's own keys are its own, whatever the journal says.
    for (key, values) in subject.context().iter() {
        context.put_list(key, values);
    }
    let decision = estate.decide(&subject, action, resource, &context);
    let stays = decision.is_allowed() == (one.expect == Expected::Allow);
    // Whom a resource lets in by itself is not known without its policy; what is denied outright is.
    if let Some(missing) = audit.evidence.missing(Data::ResourcePolicies)
        && stays
        && matches!(decision.reason, Reason::MissingAllow { .. })
    {
        results.not_assessed(principal, format!("{asked}: resource policies: {missing}"));
        return;
    }
    results.judge(stays, || {
        let (told, was) = match one.expect {
            Expected::Allow => ("denied", "allowed"),
            Expected::Deny => ("allowed", "denied"),
        };
        let given: Vec<String> = one
            .context
            .iter()
            .map(|(key, values)| format!("{key} = {}", values.join(", ")))
            .collect();
        let given =
            if given.is_empty() { String::new() } else { format!(" with {}", given.join(" and ")) };
        Found::new(principal, format!("{asked}{given} is {told}, and was {was}"))
            .detail(format!("{asked}{given}"))
    });
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
            Case::new(
                "EFF-12",
                &expecting("s3:GetObject", "allow", "192.0.2.7"),
                &[
                    &|f| *f = expecting("s3:GetObject", "deny", "192.0.2.7"),
                    &|f| *f = expecting("s3:GetObject", "allow", "198.51.100.7"),
                    &|f| *f = expecting("s3:PutObject", "allow", "192.0.2.7"),
                    // Nobody of that name is there any more.
                    &|f| {
                        let others = json!([user("other", json!({}))]);
                        f.details(others, json!([]), json!([]), json!([]));
                    },
                ],
            ),
            Case::new(
                "EFF-12",
                &expecting("s3:GetObject", "deny", "198.51.100.7"),
                &[&|f| *f = expecting("s3:GetObject", "deny", "192.0.2.7")],
            ),
        ]
    }

    /// A clerk who may read from one network, and what is expected of that.
    fn expecting(action: &str, expect: &str, from: &str) -> Folder {
        let mut reads = allow("s3:GetObject", "arn:aws:s3:::pay/*");
        reads["Condition"] = json!({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}});
        let inline = json!([{"PolicyName": "p", "PolicyDocument": policy(json!([reads]))}]);
        let clerk = user("clerk", json!({"UserPolicyList": inline}));
        let principal = clerk["Arn"].clone();
        folder(|f| {
            f.details(json!([clerk]), json!([]), json!([]), json!([]));
            f.put("s3/buckets.json", &json!({"Buckets": []}));
            f.put(
                "journal.json",
                &json!({"expectations": [{
                    "principal": principal, "action": action, "resource": "arn:aws:s3:::pay/x",
                    "context": {"aws:SourceIp": [from]}, "expect": expect,
                }]}),
            );
        })
    }

    // A bucket may let in whom no policy of its own does.
    #[test]
    fn without_resource_policies_no_denial_is_sure() {
        let mut folder = expecting("s3:PutObject", "deny", "192.0.2.7");
        assert_eq!(folder.outcome("EFF-12"), Outcome::Pass);
        folder.files.remove("s3/buckets.json");
        assert_eq!(folder.outcome("EFF-12"), Outcome::NotAssessed);
        let mut folder = expecting("s3:GetObject", "allow", "192.0.2.7");
        folder.files.remove("s3/buckets.json");
        assert_eq!(folder.outcome("EFF-12"), Outcome::Pass);
        folder.put("journal.json", &json!({}));
        assert_eq!(folder.outcome("EFF-12"), Outcome::NotApplicable);
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
