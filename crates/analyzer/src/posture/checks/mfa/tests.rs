//! Fixtures of the MFA checks.

use super::super::fixture::{
    ACCOUNT, Case, Folder, allow, aws, folder, managed, policy, report, role, user,
};
use serde_json::{Value as Json, json};

type Columns<'a> = &'a [(&'a str, &'a str)];

fn rows(columns: Columns<'_>) -> Folder {
    folder(|f| {
        f.text("credential-report.csv", &report(&[("alice", columns)]));
    })
}

fn with_statements(statements: &Json) -> Folder {
    folder(|f| {
        let list = json!([{"PolicyName": "own", "PolicyDocument": policy(statements.clone())}]);
        let users = json!([user("alice", json!({"UserPolicyList": list}))]);
        f.details(users, json!([]), json!([]), json!([]));
    })
}

/// A user with all of IAM, with MFA or without, and a device or none.
fn admin(mfa: &str, device: bool) -> Folder {
    let mut f = with_statements(&json!([allow("iam:*", "*")]));
    f.text("credential-report.csv", &report(&[("alice", &[("mfa_active", mfa)])]));
    let serial = format!("arn:aws:iam::{ACCOUNT}:mfa/alice");
    let owner = json!({"Arn": format!("arn:aws:iam::{ACCOUNT}:user/alice")});
    let list = if device { json!([{"SerialNumber": serial, "User": owner}]) } else { json!([]) };
    f.put("virtual-mfa-devices.json", &json!({"VirtualMFADevices": list}));
    f
}

fn trusting(statement: &Json) -> Folder {
    folder(|f| {
        let more = json!({
            "AttachedManagedPolicies": [aws("AdministratorAccess")],
            "AssumeRolePolicyDocument": policy(json!([statement])),
        });
        f.details(json!([]), json!([]), json!([role("r", more)]), json!([]));
    })
}

pub(crate) fn cases() -> Vec<Case> {
    let signs_in = |mfa: &str| rows(&[("password_enabled", "true"), ("mfa_active", mfa)]);
    let mut cases = vec![
        Case::new("MFA-01", &signs_in("true"), &[&|f| *f = signs_in("false")]),
        Case::new(
            "MFA-02",
            &rows(&[("mfa_active", "true")]),
            &[&|f| *f = rows(&[("mfa_active", "false")])],
        ),
        Case::new("MFA-03", &admin("true", false), &[&|f| *f = admin("false", false)]),
        Case::new(
            "MFA-04",
            &admin("true", false),
            &[&|f| *f = admin("true", true), &|f| *f = admin("false", false)],
        ),
    ];
    let guard = |operator: &str, except: &[&str]| {
        json!({
            "Effect": "Deny", "NotAction": except, "Resource": "*",
            "Condition": {operator: {"aws:MultiFactorAuthPresent": "false"}},
        })
    };
    let guarded = |operator: &str, except: &[&str]| {
        with_statements(&json!([
            allow("s3:*", "*"),
            allow("iam:ListMFADevices", "*"),
            guard(operator, except)
        ]))
    };
    let enrol = ["iam:ListMFADevices", "iam:EnableMFADevice"];
    cases.push(Case::new(
        "MFA-05",
        &guarded("BoolIfExists", &enrol),
        &[
            &|f| *f = guarded("Bool", &enrol),
            &|f| *f = guarded("BoolIfExists", &["iam:ListMFADevices", "s3:GetObject"]),
            &|f| *f = with_statements(&json!([allow("s3:GetObject", "arn:aws:s3:::b/*")])),
        ],
    ));
    let trust = |condition: Json| {
        trusting(&json!({
            "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")},
            "Action": "sts:AssumeRole", "Condition": condition,
        }))
    };
    cases.push(Case::new(
        "MFA-06",
        &trust(json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}})),
        &[
            &|f| *f = trust(json!({})),
            &|f| *f = trust(json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}})),
            &|f| *f = trust(json!({"StringEquals": {"sts:ExternalId": "x"}})),
        ],
    ));
    let allows = |operator: &str| {
        json!({
            "Effect": "Allow", "Action": "s3:*", "Resource": "*",
            "Condition": {operator: {"aws:MultiFactorAuthPresent": "true"}},
        })
    };
    let in_policy = |statement: Json| {
        folder(|f| {
            let document = policy(json!([statement.clone()]));
            f.details(json!([]), json!([]), json!([]), json!([managed("p", document)]));
        })
    };
    cases.push(Case::new(
        "MFA-07",
        &in_policy(allows("Bool")),
        &[&|f| *f = in_policy(allows("BoolIfExists")), &|f| {
            *f = in_policy(guard("Bool", &["iam:ListMFADevices"]));
        }],
    ));
    cases
}

// M66: what counts is what a principal may do. A policy by another name counts, and one of
// AWS's that a boundary takes away does not.
#[test]
fn m66_administrators_are_known_by_what_they_may_do() {
    let bounded = |boundary: bool| {
        let mut f = folder(|f| {
            let arn = format!("arn:aws:iam::{ACCOUNT}:policy/readers");
            let mut more = json!({"AttachedManagedPolicies": [aws("AdministratorAccess")]});
            if boundary {
                more["PermissionsBoundary"] = json!({
                    "PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn,
                });
            }
            let readers = managed("readers", policy(json!([allow("s3:Get*", "*")])));
            f.details(json!([user("alice", more)]), json!([]), json!([]), json!([readers]));
        });
        f.text("credential-report.csv", &report(&[("alice", &[])]));
        f
    };
    assert_eq!(bounded(false).outcome("MFA-03"), crate::posture::Outcome::Fail);
    assert_eq!(bounded(true).outcome("MFA-03"), crate::posture::Outcome::Pass);
}
