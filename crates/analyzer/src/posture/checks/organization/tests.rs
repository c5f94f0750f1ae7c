//! Fixtures of the organization's checks.

use super::super::fixture::{
    ACCOUNT, Case, Folder, allow, aws, folder, organization, policy, role, user,
};
use serde_json::{Value as Json, json};

const EVERYWHERE: &[&str] = &["r-1", ACCOUNT, "999999999999"];

fn full() -> Json {
    policy(json!([allow("*", "*")]))
}

fn scps(list: &[(&str, Json, &[&str])]) -> Folder {
    folder(|f| {
        let list: Vec<(&str, &Json, &[&str])> =
            list.iter().map(|(id, text, targets)| (*id, text, *targets)).collect();
        organization(f, &list);
    })
}

fn deny(actions: Json) -> Json {
    policy(json!([{
        "Effect": "Deny", "Action": actions, "Resource": "*",
        "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/security"}},
    }]))
}

fn rcp(statement: &Json) -> Folder {
    folder(|f| {
        organization(f, &[("p-full", &full(), EVERYWHERE)]);
        let summary = json!({
            "Id": "p-rcp", "Arn": "arn:aws:organizations::1:policy/p-rcp", "Name": "rcp",
            "Type": "RESOURCE_CONTROL_POLICY",
        });
        let text = policy(json!([statement])).to_string();
        let content = json!({"Policy": {"PolicySummary": summary, "Content": text}});
        f.put("organization/policy/p-rcp.json", &content);
        f.put("organization/targets/p-rcp.json", &json!({"Targets": [{"TargetId": "r-1"}]}));
        let list = json!({"Policies": [summary]});
        f.put("organization/policies/RESOURCE_CONTROL_POLICY.json", &list);
    })
}

fn in_management(users: Json, roles: Json) -> Folder {
    folder(|f| {
        organization(f, &[]);
        let description = json!({"Id": "o-1", "MasterAccountId": ACCOUNT, "FeatureSet": "ALL"});
        f.put("organization/organization.json", &json!({"Organization": description}));
        f.details(users.clone(), json!([]), roles.clone(), json!([]));
    })
}

fn lists(tag_targets: Json) -> Folder {
    folder(|f| {
        organization(f, &[]);
        for (id, kind, targets) in [
            ("p-tag", "TAG_POLICY", tag_targets.clone()),
            ("p-ai", "AISERVICES_OPT_OUT_POLICY", json!([{"TargetId": "r-1"}])),
        ] {
            let summary = json!({"Id": id, "Name": id, "Type": kind});
            let list = json!({"Policies": [summary]});
            f.put(&format!("organization/policies/{kind}.json"), &list);
            f.put(&format!("organization/targets/{id}.json"), &json!({"Targets": targets}));
        }
    })
}

fn contact(name: &str) -> Json {
    json!({"AlternateContact": {"Name": name, "EmailAddress": "a@example.com"}})
}

pub(crate) fn cases() -> Vec<Case> {
    let plain = scps(&[("p-full", full(), EVERYWHERE)]);
    let roots = |feature: &str, kinds: Json| {
        let mut f = plain.clone();
        let description =
            json!({"Id": "o-1", "MasterAccountId": "999999999999", "FeatureSet": feature});
        f.put("organization/organization.json", &json!({"Organization": description}));
        f.put("organization/roots.json", &json!({"Roots": [{"Id": "r-1", "PolicyTypes": kinds}]}));
        f
    };
    let alone = folder(|f| {
        f.text("organization/organization.json.error", "(AWSOrganizationsNotInUseException)");
    });
    let one = json!([{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}]);
    let all = json!([
        "cloudtrail:StopLogging",
        "cloudtrail:DeleteTrail",
        "config:Stop*",
        "config:Delete*",
        "guardduty:*",
        "securityhub:Disable*",
        "organizations:LeaveOrganization",
    ]);
    let most = json!([
        "cloudtrail:DeleteTrail",
        "config:Stop*",
        "config:Delete*",
        "guardduty:*",
        "securityhub:Disable*",
        "organizations:LeaveOrganization",
    ]);
    let guard = |actions: &Json, target: &'static [&'static str]| {
        scps(&[("p-full", full(), EVERYWHERE), ("p-guard", deny(actions.clone()), target)])
    };
    let outside = |key: &str| {
        json!({
            "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*",
            "Condition": {"StringNotEqualsIfExists": {key: "o-1"}},
        })
    };
    let admin = json!({"AttachedManagedPolicies": [aws("AdministratorAccess")]});
    let manager = user("root-admin", admin);
    let mut cases = vec![
        Case::new("ORG-01", &plain, &[&|f| *f = alone.clone()]),
        Case::new(
            "ORG-02",
            &plain,
            &[&|f| *f = roots("CONSOLIDATED_BILLING", json!([])), &|f| {
                *f = roots("ALL", one.clone());
            }],
        ),
        Case::new(
            "ORG-03",
            &guard(&all, &["r-1"]),
            &[&|f| *f = plain.clone(), &|f| *f = guard(&all, &["999999999999"])],
        ),
        Case::new(
            "ORG-04",
            &guard(&all, &["r-1"]),
            &[&|f| *f = guard(&most, &["r-1"]), &|f| *f = plain.clone()],
        ),
        Case::new(
            "ORG-05",
            &rcp(&outside("aws:PrincipalOrgID")),
            &[&|f| *f = rcp(&outside("aws:ResourceOrgID")), &|f| *f = plain.clone()],
        ),
        Case::new(
            "ORG-06",
            &in_management(json!([manager]), json!([])),
            &[
                &|f| *f = in_management(json!([manager, user("worker", json!({}))]), json!([])),
                &|f| *f = in_management(json!([manager]), json!([role("app", json!({}))])),
            ],
        ),
        Case::new("ORG-08", &lists(json!([{"TargetId": "r-1"}])), &[&|f| *f = lists(json!([]))]),
    ];
    let delegates = |list: Json, expected: &[&str]| {
        let mut f = plain.clone();
        let content = json!({"DelegatedAdministrators": list});
        f.put("organization/delegated-administrators.json", &content);
        f.settings.delegated_administrators =
            Some(expected.iter().map(|id| (*id).to_owned()).collect());
        f
    };
    cases.push(Case::new(
        "ORG-07",
        &delegates(json!([{"Id": ACCOUNT}]), &[ACCOUNT]),
        &[&|f| *f = delegates(json!([{"Id": ACCOUNT}]), &[]), &|f| {
            *f = delegates(json!([]), &[ACCOUNT]);
        }],
    ));
    let three = folder(|f| {
        f.put("contacts/SECURITY.json", &contact("s"));
        f.put("contacts/BILLING.json", &contact("b"));
        f.put("contacts/OPERATIONS.json", &contact("o"));
    });
    cases.push(Case::new(
        "ORG-09",
        &three,
        &[
            &|f| {
                f.put("contacts/OPERATIONS.json", &contact("s"));
            },
            &|f| {
                f.files.remove("contacts/BILLING.json");
                f.text("contacts/BILLING.json.error", "(ResourceNotFoundException)");
            },
        ],
    ));
    cases
}

// SCPs of which the list was not given are not taken for none.
#[test]
fn a_list_that_is_not_there_is_no_empty_list() {
    let mut f = scps(&[("p-full", full(), EVERYWHERE)]);
    f.files.remove("organization/policies/SERVICE_CONTROL_POLICY.json");
    assert_eq!(f.outcome("ORG-03"), crate::posture::Outcome::NotAssessed);
    assert!(f.read().estate.organization.is_none());
}
