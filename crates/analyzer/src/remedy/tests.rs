use serde_json::{Value, json};

use super::*;
use crate::evidence::{self, Evidence, File};
use crate::generate::{Actor, settled};
use crate::posture::{FindingId, Found, Severity};

const ARN: &str = "arn:aws:iam::123456789012";

fn policy(statements: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn allow(action: &str) -> Value {
    json!({"Effect": "Allow", "Action": action, "Resource": "*"})
}

fn inline(name: &str, statements: &Value) -> Value {
    json!([{"PolicyName": name, "PolicyDocument": policy(statements)}])
}

/// Ann by the group `staff`, bob by a policy of the account's that hangs on the role `ci` too.
fn account() -> Evidence {
    let work = format!("{ARN}:policy/team/work");
    let attached = json!([{"PolicyName": "work", "PolicyArn": work}]);
    let user = |name: &str, groups: Value, attached: &Value| {
        json!({"Path": "/", "UserName": name, "UserId": format!("AIDA{:A<17}", name.to_uppercase()),
               "Arn": format!("{ARN}:user/{name}"), "CreateDate": "2025-01-01T00:00:00Z",
               "GroupList": groups, "AttachedManagedPolicies": attached})
    };
    let details = json!({
        "UserDetailList": [user("ann", json!(["staff"]), &json!([])), user("bob", json!([]), &attached)],
        "GroupDetailList": [{
            "Path": "/", "GroupName": "staff", "GroupId": "AGPAAAAAAAAAAAAAAAAAA",
            "Arn": format!("{ARN}:group/staff"), "CreateDate": "2025-01-01T00:00:00Z",
            "GroupPolicyList": inline("all", &json!([allow("*")])), "AttachedManagedPolicies": [],
        }],
        "RoleDetailList": [{
            "Path": "/", "RoleName": "ci", "RoleId": "AROAAAAAAAAAAAAAAAAAA",
            "Arn": format!("{ARN}:role/ci"), "CreateDate": "2025-01-01T00:00:00Z",
            "AssumeRolePolicyDocument": policy(&json!([{
                "Effect": "Allow", "Principal": {"AWS": format!("{ARN}:root")}, "Action": "sts:AssumeRole",
            }])),
            "AttachedManagedPolicies": attached, "RolePolicyList": [],
        }],
        "Policies": [{
            "PolicyName": "work", "PolicyId": "ANPAAAAAAAAAAAAAAAAAA", "Arn": work, "Path": "/team/",
            "DefaultVersionId": "v1", "AttachmentCount": 2, "IsAttachable": true,
            "CreateDate": "2025-01-01T00:00:00Z", "UpdateDate": "2025-01-01T00:00:00Z",
            "PolicyVersionList": [{
                "VersionId": "v1", "IsDefaultVersion": true, "CreateDate": "2025-01-01T00:00:00Z",
                "Document": policy(&json!([allow("iam:*"), allow("s3:*")])),
            }],
        }],
    });
    let bytes = details.to_string();
    let file =
        File { name: "details.json", path: "authorization-details.json", bytes: bytes.as_bytes() };
    let found = evidence::read(&[file], bailiwick_catalog::Catalog::embedded()).unwrap();
    assert!(found.faults.is_empty() && found.details.known().is_some(), "{:?}", found.faults);
    found
}

/// Calls of `iam` operations by a user or role.
fn seen(estate: &Estate, principal: &str, calls: &[&str]) -> Usage {
    let mut usage = Usage::new(Actor::parse(principal).unwrap());
    for (number, name) in calls.iter().enumerate() {
        let event = json!({
            "eventID": format!("{number}"), "eventTime": "2026-11-20T10:00:00Z",
            "eventSource": "iam.amazonaws.com", "eventName": name, "awsRegion": "us-east-1",
            "eventType": "AwsApiCall", "recipientAccountId": "123456789012", "requestParameters": {},
            "userIdentity": {"type": "IAMUser", "arn": principal, "accountId": "123456789012"},
        });
        usage.take(&serde_json::from_value(event).unwrap());
    }
    assert_eq!(usage.own.count, calls.len() as u64);
    settled(usage, Some(estate))
}

fn finding(commands: &[&str], diff: Option<String>) -> Finding {
    let commands = commands.iter().map(|&line| line.to_owned()).collect();
    Finding {
        id: FindingId::of("POL-01", &Found::new(ARN, "why")),
        check: "POL-01",
        title: "a title",
        severity: Severity::Critical,
        subject: ARN.to_owned(),
        place: None,
        why: "why".to_owned(),
        time: None,
        fix: Fix { text: "in words".to_owned(), commands, diff },
        is_new: None,
        excepted: None,
    }
}

fn lines(sign: char, value: &Value) -> String {
    let all: Vec<String> =
        format!("{value:#}").lines().map(|line| format!("{sign} {line}\n")).collect();
    all.concat()
}

#[test]
fn all_forms_come_from_command_and_diff() {
    let evidence = account();
    let estate = &evidence.estate;
    let arn = format!("{ARN}:policy/team/work");
    let line = format!(
        "aws iam create-policy-version --policy-arn {arn} --set-as-default --policy-document \
         file://policy.json"
    );
    let diff = lines('-', &allow("iam:*")) + &lines('+', &allow("iam:List*"));
    let mut remedy = Remedy::of(estate, &finding(&[&line], Some(diff)));
    let document: Value = serde_json::from_str(remedy.document.as_ref().unwrap()).unwrap();
    assert_eq!(document["Statement"], json!([allow("iam:List*"), allow("s3:*")]));
    let [terraform] = remedy.terraform.as_slice() else { panic!("{:?}", remedy.terraform) };
    assert!(terraform.starts_with(&format!(
        "import {{\n  to = aws_iam_policy.work\n  id = \"{arn}\"\n}}\n\nresource \"aws_iam_policy\" \"work\" {{\n  \
         name   = \"work\"\n  path   = \"/team/\"\n  policy = jsonencode({{\n"
    )), "{terraform}");
    assert!(terraform.contains("        Action = \"iam:List*\"\n"), "{terraform}");
    // Bob has it, and the role: of the role nothing was seen.
    let (bob, ci) = (format!("{ARN}:user/bob"), format!("{ARN}:role/ci"));
    let mut touched = remedy.touches(estate);
    touched.sort();
    assert_eq!(touched, [ci.clone(), bob.clone()]);
    let usage = seen(estate, &bob, &["ListUsers", "ListUsers", "CreateUser"]);
    remedy.measure(estate, |arn| (arn == bob).then_some(&usage));
    let effect = remedy.effect.unwrap();
    assert_eq!(effect.sentence, "breaks 1 of 3 observed calls");
    assert_eq!(effect.principals.len(), 2);
    assert_eq!(effect.breaks.calls[0].event, "iam:CreateUser");
}

#[test]
fn what_is_taken_away_is_measured_through_groups() {
    let evidence = account();
    let estate = &evidence.estate;
    let ann = format!("{ARN}:user/ann");
    let line = "aws iam delete-group-policy --group-name staff --policy-name all";
    let mut remedy = Remedy::of(estate, &finding(&[line], None));
    assert_eq!(remedy.document, None);
    assert_eq!(
        remedy.terraform,
        [
            "# Take out resource \"aws_iam_group_policy\" with group = \"staff\", name = \"all\". If Terraform \
          does not manage it yet, first:\n#   terraform import aws_iam_group_policy.staff_all staff:all\n"
        ]
    );
    let usage = seen(estate, &ann, &["ListUsers", "GetUser"]);
    remedy.measure(estate, |arn| (arn == ann).then_some(&usage));
    assert_eq!(remedy.effect.unwrap().sentence, "breaks 2 of 2 observed calls");
    // Detached from the one, the other has it still.
    let arn = format!("{ARN}:policy/team/work");
    let line = format!("aws iam detach-role-policy --role-name ci --policy-arn {arn}");
    let remedy = Remedy::of(estate, &finding(&[&line], None));
    assert_eq!(remedy.touches(estate), [format!("{ARN}:role/ci")]);
}

#[test]
fn what_is_not_known_is_not_measured() {
    let evidence = account();
    let estate = &evidence.estate;
    let put = "aws iam put-group-policy --group-name staff --policy-name all --policy-document file://policy.json";
    for (line, diff) in [
        // Which actions are needed only its owner knows.
        (put, Some(lines('-', &allow("*")) + &lines('+', &allow("the actions that are needed")))),
        (put, None),
        (
            "aws iam detach-user-policy --user-name nobody --policy-arn arn:aws:iam::aws:policy/X",
            None,
        ),
        ("aws iam generate-credential-report", None),
        ("bailiwick escalate EXPORT", None),
    ] {
        let mut remedy = Remedy::of(estate, &finding(&[line], diff));
        assert_eq!(remedy.document, None, "{line}");
        remedy.measure(estate, |_| None);
        assert!(remedy.effect.is_none(), "{line}");
        assert!(remedy.touches(estate).is_empty(), "{line}");
    }
    // A file stands for the policy then.
    let remedy = Remedy::of(estate, &finding(&[put], None));
    assert!(remedy.terraform[0].lines().all(|line| line.starts_with('#')));
    assert!(
        remedy.terraform[0].contains("policy = file(\"policy.json\")"),
        "{:?}",
        remedy.terraform
    );
    // An open list of resources is no policy either.
    let mut open = allow("*");
    open["Resource"] = json!(["ARNs of the resources that are needed"]);
    let diff = lines('-', &allow("*")) + &lines('+', &open);
    assert_eq!(Remedy::of(estate, &finding(&[put], Some(diff))).document, None);
}
