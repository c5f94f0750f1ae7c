#![allow(clippy::needless_pass_by_value, reason = "JSON is written in place")]

use serde_json::{Value as Json, json};

use super::super::fixture::{
    ACCOUNT, Case, Folder, allow, attached, aws, folder, group, managed, merged, organization,
    policy, role, user,
};
use crate::posture::Outcome;

/// An account with one policy of these statements, attached to a role.
fn holding(statements: Json) -> Folder {
    folder(|f| set(f, statements.clone()))
}

fn set(f: &mut Folder, statements: Json) {
    let holder = role("worker", json!({"AttachedManagedPolicies": [attached("p")]}));
    f.details(json!([]), json!([]), json!([holder]), json!([managed("p", policy(statements))]));
}

/// The same policy embedded in a group.
fn embed(f: &mut Folder, statements: Json) {
    let inline = json!([{"PolicyName": "own", "PolicyDocument": policy(statements)}]);
    let holder = group("crew", json!({"GroupPolicyList": inline}));
    f.details(json!([]), json!([holder]), json!([]), json!([]));
}

fn with(base: Json, more: Json) -> Json {
    merged(base, more)
}

fn deny(action: &str) -> Json {
    json!({"Effect": "Deny", "Action": action, "Resource": "*"})
}

/// A case by the statements of the one policy.
fn by_statements(id: &'static str, clean: &[Json], spoiled: &[Json]) -> Vec<Case> {
    let folders: Vec<Folder> = spoiled.iter().cloned().map(holding).collect();
    Case::against(id, clean.iter().cloned().map(holding), &folders)
}

const OBJECTS: &str = "arn:aws:s3:::notes/*";

fn narrow() -> Json {
    json!([allow("s3:GetObject", OBJECTS)])
}

fn everything() -> Vec<Json> {
    vec![
        json!([allow("*", "*")]),
        json!([allow("*:*", "*")]),
        json!([{"Effect": "Allow", "NotAction": "s3:CreateBucket", "Resource": "*"}]),
        json!([{"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::vault/*"}]),
        json!([allow("*", "*"), deny("s3:DeleteBucket")]),
        // Limits nobody: the key is absent where there is no MFA.
        json!([with(
            allow("*", "*"),
            json!({"Condition": {
            "BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}})
        )]),
        json!([with(
            allow("*", "*"),
            json!({"Condition": {
            "DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}})
        )]),
        json!([with(
            allow("*", "*"),
            json!({"Condition": {
            "IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}})
        )]),
        json!([with(
            allow("*", "*"),
            json!({"Condition": {
            "StringLike": {"aws:PrincipalArn": "*"}}})
        )]),
    ]
}

fn not_everything() -> Vec<Json> {
    vec![
        narrow(),
        json!([allow("*", "*"), deny("*")]),
        json!([allow("*", "*"), deny("iam:*")]),
        json!([allow("*", "*"), deny("IAM:Put*")]),
        json!([allow("*", "*"), {"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"}]),
        json!([{"Effect": "Allow", "NotAction": ["iam:*", "organizations:*"], "Resource": "*"}]),
        json!([allow("*", "arn:aws:s3:::notes")]),
        json!([with(
            allow("*", "*"),
            json!({"Condition": {
            "Bool": {"aws:MultiFactorAuthPresent": "true"}}})
        )]),
        json!([with(
            allow("*", "*"),
            json!({"Condition": {
            "DateLessThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}})
        )]),
    ]
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = by_statements("POL-01", &not_everything(), &everything());
    cases.extend(administration());
    cases.extend(breadth());
    cases.extend(holdings());
    cases.extend(over_time());
    cases
}

fn administration() -> Vec<Case> {
    let held_by = |holder: &str, name: &str| {
        folder(|f| {
            let holder = role(holder, json!({"AttachedManagedPolicies": [aws(name)]}));
            f.details(json!([]), json!([]), json!([holder]), json!([]));
            f.settings.administrators = vec!["*:role/break-glass*".to_owned()];
        })
    };
    let through_group = |f: &mut Folder| {
        let crew = group("crew", json!({"AttachedManagedPolicies": [aws("AdministratorAccess")]}));
        f.details(json!([]), json!([crew]), json!([]), json!([]));
    };
    let inline_clean = folder(|f| embed(f, narrow()));
    let unattached = |statements: Json| {
        folder(|f| {
            let policies = json!([managed("p", policy(statements.clone()))]);
            f.details(json!([]), json!([]), json!([]), policies);
        })
    };
    vec![
        Case::new(
            "POL-02",
            &held_by("break-glass-1", "AdministratorAccess"),
            &[&|f| *f = held_by("worker", "AdministratorAccess"), &through_group],
        ),
        Case::new(
            "POL-02",
            &held_by("worker", "PowerUserAccess"),
            &[&|f| *f = held_by("worker", "AdministratorAccess")],
        ),
        Case::new(
            "POL-03",
            &inline_clean,
            &[&|f| embed(f, json!([allow("*", "*")])), &|f| {
                embed(f, json!([{"Effect": "Allow", "NotAction": "s3:x", "Resource": "*"}]));
            }],
        ),
        Case::new(
            "POL-04",
            &unattached(narrow()),
            &[&|f| *f = unattached(json!([allow("*", "*")]))],
        ),
    ]
}

fn breadth() -> Vec<Case> {
    let tagged = |base: Json| {
        with(base, json!({"Condition": {"StringEquals": {"aws:ResourceTag/team": "a"}}}))
    };
    let passed_to = |operator: &str, service: &str| {
        let role = allow("iam:PassRole", "*");
        json!([with(role, json!({"Condition": {operator: {"iam:PassedToService": service}}}))])
    };
    let not_action = |actions: Json| {
        json!([{
        "Effect": "Allow", "NotAction": actions, "Resource": "*"}])
    };
    let mut cases = by_statements(
        "POL-05",
        &[
            narrow(),
            json!([allow("s3:*", OBJECTS)]),
            json!([allow("s3:Get*", "*")]),
            json!([allow("s3:*", "*"), deny("s3:Put*")]),
            json!([tagged(allow("ec2:*", "*"))]),
        ],
        &[
            json!([allow("s3:*", "*")]),
            json!([allow("S3:**", "*")]),
            json!([
                allow("s3:*", "arn:aws:s3:::*"),
                allow("sqs:*", "arn:aws:sqs:*:*:*"),
                allow("sns:*", "*")
            ]),
            json!([allow("*", "*")]),
            not_action(json!(["iam:*"])),
            json!([allow("an-unknown-service:*", "*")]),
        ],
    );
    cases.extend(by_statements(
        "POL-08",
        &[
            narrow(),
            json!([allow("kms:Decrypt", "arn:aws:kms:eu-west-1:123456789012:key/1")]),
            json!([allow("kms:*", "*"), deny("kms:Decrypt"), deny("kms:ReEncrypt*")]),
            json!([with(
                allow("kms:Decrypt", "*"),
                json!({"Condition": {
                "StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}})
            )]),
            not_action(json!(["kms:*"])),
        ],
        &[
            json!([allow("kms:Decrypt", "*")]),
            json!([allow("KMS:D*", "arn:aws:kms:*:*:key/*")]),
            json!([allow("kms:ReEncryptFrom", "arn:aws:kms:*:123456789012:*")]),
            not_action(json!(["iam:*"])),
        ],
    ));
    cases.extend(by_statements(
        "POL-09",
        &[
            narrow(),
            json!([allow("cloudtrail:*", "*"), deny("cloudtrail:StopLogging")]),
            json!([allow("cloudtrail:Get*", "*")]),
        ],
        &[
            json!([allow("cloudtrail:*", "*")]),
            json!([allow("CloudTrail:?*", "*")]),
            not_action(json!("s3:*")),
        ],
    ));
    cases.extend(by_statements(
        "POL-10",
        &[narrow(), json!([allow("aws-marketplace:*", "*"), deny("aws-marketplace:Subscribe")])],
        &[json!([allow("aws-marketplace:Sub*", "*")]), json!([allow("aws-marketplace:*", "*")])],
    ));
    cases.extend(by_statements(
        "POL-12",
        &[
            json!([allow("s3:PutObject", OBJECTS), allow("s3:Get*", "*"), allow("s3:List*", "*")]),
            json!([tagged(allow("ec2:TerminateInstances", "*"))]),
            json!([allow("ec2:*", "*"), {"Effect": "Deny", "NotAction": "ec2:Describe*", "Resource": "*"}]),
        ],
        &[
            json!([allow("s3:PutObject", "*")]),
            json!([allow("s3:put*", "arn:aws:s3:::*/*")]),
            json!([allow("ec2:TerminateInstances", "arn:aws:ec2:*:*:instance/*")]),
            json!([allow("ec2:CreateTags", "*")]),
            json!([{"Effect": "Allow", "Action": "s3:DeleteObject",
                    "NotResource": "arn:aws:s3:::vault/*"}]),
        ],
    ));
    cases.extend(by_statements(
        "POL-13",
        &[
            narrow(),
            json!([{"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"}]),
            json!([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*",
                    "Condition": {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}}]),
        ],
        &[
            not_action(json!("iam:*")),
            json!([{"Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:s3:::vault/*"}]),
        ],
    ));
    cases.extend(by_statements(
        "POL-14",
        &[
            narrow(),
            json!([allow("iam:PassRole", "arn:aws:iam::123456789012:role/app-*")]),
            passed_to("StringEquals", "ec2.amazonaws.com"),
            passed_to("StringLike", "lambda.*"),
            json!([allow("iam:*", "*"), deny("iam:Pass*")]),
            not_action(json!("iam:*")),
        ],
        &[
            json!([allow("iam:PassRole", "*")]),
            json!([allow("iam:Pass*", "arn:aws:iam::*:role/*")]),
            json!([allow("IAM:pass?ole", "arn:aws:iam::123456789012:role/*")]),
            passed_to("StringLike", "*"),
            passed_to("StringNotEquals", "ec2.amazonaws.com"),
            not_action(json!("s3:*")),
            json!([allow("i*", "*")]),
            json!([{"Effect": "Allow", "Action": "iam:PassRole",
                    "NotResource": "arn:aws:iam::123456789012:role/admin"}]),
        ],
    ));
    cases.extend(by_statements(
        "POL-15",
        &[
            narrow(),
            json!([allow("sts:AssumeRole", "arn:aws:iam::210987654321:role/audit")]),
            json!([allow("sts:*", "*"), deny("sts:AssumeRole")]),
        ],
        &[json!([allow("sts:AssumeRole", "*")]), json!([allow("sts:Assume*", "arn:aws:iam::*:*")])],
    ));
    cases.extend(by_statements(
        "POL-17",
        &[
            narrow(),
            json!([with(
                allow("s3:PutBucketPolicy", "*"),
                json!({"Condition": {
                "Bool": {"aws:MultiFactorAuthPresent": "true"}}})
            )]),
            json!([with(
                allow("iam:*", "*"),
                json!({"Condition": {
                "IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}})
            )]),
        ],
        &[
            json!([allow("s3:PutBucketPolicy", "*")]),
            json!([with(
                allow("iam:*", "*"),
                json!({"Condition": {
                "IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}})
            )]),
            json!([with(
                allow("iam:*", "*"),
                json!({"Condition": {
                "StringEquals": {"aws:RequestedRegion": "us-east-1"}}})
            )]),
        ],
    ));
    cases
}

fn holdings() -> Vec<Case> {
    let unattached = folder(|f| {
        f.details(json!([]), json!([]), json!([]), json!([managed("p", policy(narrow()))]));
    });
    let bounding = folder(|f| {
        let boundary = json!({"PermissionsBoundaryType": "Policy",
            "PermissionsBoundaryArn": format!("arn:aws:iam::{ACCOUNT}:policy/p")});
        let holder = role("worker", json!({"PermissionsBoundary": boundary}));
        let policies = json!([managed("p", policy(narrow()))]);
        f.details(json!([]), json!([]), json!([holder]), policies);
    });
    let held = |name: &str| {
        folder(|f| {
            let holder = user("alice", json!({"AttachedManagedPolicies": [aws(name)]}));
            f.details(json!([holder]), json!([]), json!([]), json!([]));
            f.settings.blocked_policies = ["IAMFullAccess".to_owned()].into();
        })
    };
    let groups = |count: usize| {
        folder(|f| {
            let names: Vec<String> = (0..count).map(|at| format!("g{at}")).collect();
            let member = user("alice", json!({"GroupList": names}));
            let groups: Vec<Json> = names.iter().map(|name| group(name, json!({}))).collect();
            f.details(json!([member]), json!(groups), json!([]), json!([]));
        })
    };
    let full = json!({"SummaryMap": {"Roles": 950, "RolesQuota": 1000}});
    vec![
        Case::new("POL-06", &holding(narrow()), &[&|f| embed(f, narrow())]),
        Case::new("POL-07", &holding(narrow()), &[&|f| *f = unattached.clone()]),
        Case::new("POL-07", &bounding, &[&|f| *f = unattached.clone()]),
        Case::new("POL-11", &held("ReadOnlyAccess"), &[&|f| *f = held("AWSCloudShellFullAccess")]),
        Case::new(
            "POL-23",
            &groups(8),
            &[&|f| *f = groups(9), &|f| {
                f.put("account-summary.json", &full);
            }],
        ),
        Case::new("POL-25", &held("ReadOnlyAccess"), &[&|f| *f = held("IAMFullAccess")]),
    ]
}

/// An account without resource policies, which is known, and in no organization.
fn alone(mut f: Folder) -> Folder {
    f.put("s3/buckets.json", &json!({"Buckets": []}));
    f.text(
        "organization/organization.json.error",
        "An error occurred (AWSOrganizationsNotInUseException) when calling the \
         DescribeOrganization operation: Your account is not a member of an organization.",
    );
    f
}

fn over_time() -> Vec<Case> {
    let from = |operator: &str, ranges: Json| {
        let condition = json!({"Condition": {operator: {"aws:SourceIp": ranges}}});
        json!([with(allow("s3:GetObject", OBJECTS), condition)])
    };
    let until = |effect: &str, operator: &str, key: &str, value: &str| {
        json!([{"Effect": effect, "Action": "s3:GetObject", "Resource": OBJECTS,
                "Condition": {operator: {key: value}}}])
    };
    let time = "aws:CurrentTime";
    let start = |f: &mut Folder, condition: Json| {
        let run = json!([with(allow("ec2:RunInstances", "*"), condition)]);
        set(f, run);
    };
    let here = json!({"Condition": {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}});
    let versions = |older: Json| {
        folder(|f| {
            let mut both = managed("p", policy(narrow()));
            both["DefaultVersionId"] = json!("v2");
            both["PolicyVersionList"] = json!([
                {"Document": policy(narrow()), "VersionId": "v2", "IsDefaultVersion": true,
                 "CreateDate": "2025-01-01T00:00:00Z"},
                {"Document": policy(older.clone()), "VersionId": "v1", "IsDefaultVersion": false,
                 "CreateDate": "2025-01-01T00:00:00Z"},
            ]);
            let holder = role("worker", json!({"AttachedManagedPolicies": [attached("p")]}));
            f.details(json!([]), json!([]), json!([holder]), json!([both]));
        })
    };
    let mut cases = vec![
        Case::new(
            "POL-16",
            &alone(holding(narrow())),
            &[&|f| set(f, json!([allow("s3:NoSuchAction", "*")])), &|f| {
                set(f, json!([allow("iam:PassRole", "*")]));
            }],
        ),
        Case::new(
            "POL-18",
            &alone(holding(from("IpAddress", json!(["203.0.113.0/24", "10.0.0.0/8"])))),
            &[
                &|f| set(f, from("IpAddress", json!("10.0.0.0/8"))),
                &|f| set(f, from("IpAddressIfExists", json!(["203.0.113.0/24", "::/0"]))),
                &|f| set(f, from("NotIpAddress", json!(["192.168.0.0/16", "fd00::/8"]))),
            ],
        ),
        Case::new(
            "POL-20",
            &alone(folder(|f| start(f, here.clone()))),
            &[&|f| start(f, json!({})), &|f| {
                set(f, json!([allow("*", "*")]));
            }],
        ),
        Case::new(
            "POL-21",
            &versions(json!([allow("s3:GetObject", "arn:aws:s3:::notes/a*")])),
            &[&|f| *f = versions(json!([allow("s3:*", "*")]))],
        ),
    ];
    let region_scp =
        policy(json!([{"Effect": "Deny", "NotAction": ["iam:*", "sts:*"], "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1"]}}}]));
    let full = policy(json!([allow("*", "*")]));
    let within = |scps: &[(&str, &Json, &[&str])]| {
        let mut folder = holding(json!([allow("*", "*")]));
        organization(&mut folder, scps);
        folder
    };
    let guarded =
        within(&[("p-full", &full, &["r-1", ACCOUNT]), ("p-region", &region_scp, &["r-1"])]);
    let open = within(&[("p-full", &full, &["r-1", ACCOUNT])]);
    cases.push(Case::new("POL-20", &guarded, &[&|f| *f = open.clone()]));
    cases.extend(by_statements(
        "POL-19",
        &[
            narrow(),
            until("Allow", "DateLessThan", time, "2026-12-31T00:00:00Z"),
            until("Deny", "DateGreaterThan", time, "2026-12-31T00:00:00Z"),
            until("Deny", "DateLessThan", "aws:TokenIssueTime", "2026-01-01T00:00:00Z"),
        ],
        &[
            until("Allow", "DateLessThan", time, "2026-01-01T00:00:00Z"),
            until("Allow", "DateEquals", "AWS:currenttime", "2026-01-01"),
            until("Allow", "NumericLessThan", "aws:EpochTime", "1700000000"),
            until("Deny", "DateGreaterThan", time, "2026-01-01T00:00:00Z"),
        ],
    ));
    let used = |services: &[&str]| {
        folder(|f| {
            let holder =
                role("worker", json!({"AttachedManagedPolicies": [aws("PowerUserAccess")]}));
            f.details(json!([]), json!([]), json!([holder]), json!([]));
            let list: Vec<Json> = services
                .iter()
                .map(|service| {
                    json!({"ServiceName": service, "ServiceNamespace": service,
                           "LastAuthenticated": "2026-05-20T00:00:00Z",
                           "TotalAuthenticatedEntities": 1})
                })
                .collect();
            f.put(
                "last-accessed/1.json",
                &json!({"Arn": format!("arn:aws:iam::{ACCOUNT}:role/worker"),
                        "JobStatus": "COMPLETED", "ServicesLastAccessed": list}),
            );
        })
    };
    let most = [
        "ec2",
        "sagemaker",
        "s3",
        "rds",
        "glue",
        "iot",
        "quicksight",
        "connect",
        "chime",
        "bedrock",
        "ssm",
        "lambda",
        "backup",
        "redshift",
        "dms",
        "lightsail",
        "cognito-idp",
    ];
    cases.push(Case::new("POL-24", &used(&most), &[&|f| *f = used(&["s3"])]));
    cases
}

// A gap is no pass: the policies on resources belong to the question.
#[test]
fn what_is_not_known_is_told() {
    for id in ["POL-16", "POL-18", "POL-20"] {
        let statements = if id == "POL-20" { json!([allow("*", "*")]) } else { narrow() };
        assert_eq!(holding(statements).outcome(id), Outcome::NotAssessed, "{id}");
    }
    assert_eq!(holding(narrow()).outcome("POL-25"), Outcome::NotApplicable);
}

// A boundary or an SCP that lists what it allows bounds what is left open (POL-13).
#[test]
fn guardrails_bound_what_is_left_open() {
    let open = json!([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]);
    let bounded = |boundary: Json| {
        folder(|f| {
            let by = json!({"PermissionsBoundaryType": "Policy",
                "PermissionsBoundaryArn": format!("arn:aws:iam::{ACCOUNT}:policy/b")});
            let holder = role(
                "worker",
                json!({
                "AttachedManagedPolicies": [attached("p")], "PermissionsBoundary": by}),
            );
            let policies =
                json!([managed("p", policy(open.clone())), managed("b", policy(boundary.clone()))]);
            f.details(json!([]), json!([]), json!([holder]), policies);
        })
    };
    assert_eq!(bounded(narrow()).outcome("POL-13"), Outcome::Pass);
    assert_eq!(bounded(json!([allow("*", "*")])).outcome("POL-13"), Outcome::Fail);
}

// A finding has its place, a diff and a command.
#[test]
fn findings_say_where_and_what_to_do() {
    let folder = holding(json!([allow("s3:GetObject", OBJECTS), allow("iam:PassRole", "*")]));
    let results = folder.ask("POL-14");
    let [found] = results.failed.as_slice() else { panic!("{results:?}") };
    let place = found.place.as_ref().unwrap();
    assert_eq!((place.statement, place.version.as_deref()), (Some(1), Some("v1")));
    assert!(found.fix.diff.as_ref().unwrap().contains("+       \"iam:PassedToService\""));
    assert!(found.fix.commands[0].starts_with("aws iam create-policy-version --policy-arn arn:"));
}

#[test]
fn cases_turn() {
    super::super::fixture::turns(&cases());
}
