#![allow(clippy::needless_pass_by_value, reason = "JSON is written in place")]

use serde_json::{Value as Json, json};

use super::super::fixture::{
    ACCOUNT, Case, Folder, allow, attached, aws, folder, group, managed, merged, organization,
    policy, role, user,
};
use crate::posture::Outcome;

const OBJECTS: &str = "arn:aws:s3:::notes/*";

fn narrow() -> Json {
    json!([allow("s3:GetObject", OBJECTS)])
}

fn deny(action: &str) -> Json {
    json!({"Effect": "Deny", "Action": action, "Resource": "*"})
}

fn when(base: Json, condition: Json) -> Json {
    merged(base, json!({"Condition": condition}))
}

fn inline(statements: Json) -> Json {
    json!([{"PolicyName": "own", "PolicyDocument": policy(statements)}])
}

fn boundary(name: &str) -> Json {
    json!({"PermissionsBoundaryType": "Policy",
           "PermissionsBoundaryArn": format!("arn:aws:iam::{ACCOUNT}:policy/{name}")})
}

/// A user of these statements.
fn alice(statements: Json) -> Folder {
    alice_and(statements, json!({}), json!([]))
}

fn alice_and(statements: Json, more: Json, policies: Json) -> Folder {
    folder(|f| {
        let own = json!({"UserPolicyList": inline(statements.clone())});
        let alice = user("alice", merged(own, more.clone()));
        f.details(json!([alice]), json!([]), json!([]), policies.clone());
    })
}

/// The statements reach a user through a group.
fn through_group(statements: Json) -> Folder {
    folder(|f| {
        let crew = group("crew", json!({"GroupPolicyList": inline(statements.clone())}));
        let alice = user("alice", json!({"GroupList": ["crew"]}));
        f.details(json!([alice]), json!([crew]), json!([]), json!([]));
    })
}

/// The statements are held by a boundary.
fn bounded(statements: Json, within: Json) -> Folder {
    let policies = json!([managed("b", policy(within))]);
    alice_and(statements, json!({"PermissionsBoundary": boundary("b")}), policies)
}

/// The statements are held by an SCP.
fn guarded(statements: Json, scp: Json) -> Folder {
    let mut folder = alice(statements);
    let full = policy(json!([allow("*", "*")]));
    let scp = policy(scp);
    organization(&mut folder, &[("p-full", &full, &["r-1", ACCOUNT]), ("p-deny", &scp, &["r-1"])]);
    folder
}

fn case(id: &'static str, clean: Vec<Folder>, spoiled: Vec<Folder>) -> Vec<Case> {
    Case::against(id, clean, &spoiled)
}

/// A right on everything that is held back in every way, or not.
fn of_class(id: &'static str, action: &str, wild: &str) -> Vec<Case> {
    let gives = || json!([allow(action, "*")]);
    let mfa = |effect: &str, operator: &str, value: &str| {
        json!({"Effect": effect, "Action": action, "Resource": "*",
               "Condition": {operator: {"aws:MultiFactorAuthPresent": value}}})
    };
    let tagged =
        when(allow(action, "*"), json!({"StringEquals": {"aws:PrincipalTag/team": "core"}}));
    case(
        id,
        vec![
            alice(narrow()),
            alice(json!([allow(action, "*"), deny(wild)])),
            bounded(gives(), narrow()),
            guarded(gives(), json!([deny(wild)])),
            // Only whoever has the tag.
            alice(json!([tagged])),
            alice(json!([when(
                allow(action, "*"),
                json!({"StringEquals": {"aws:ResourceTag/team": "core"}})
            )])),
        ],
        vec![
            alice(gives()),
            alice(json!([allow(wild, "*")])),
            alice(json!([{"Effect": "Allow", "NotAction": "sqs:*", "Resource": "*"}])),
            through_group(gives()),
            bounded(gives(), json!([allow("*", "*")])),
            guarded(gives(), json!([deny("sqs:*")])),
            alice(json!([mfa("Allow", "Bool", "true")])),
            alice(json!([allow(action, "*"), mfa("Deny", "BoolIfExists", "false")])),
            alice_and(
                json!([tagged]),
                json!({"Tags": [{"Key": "team", "Value": "core"}]}),
                json!([]),
            ),
        ],
    )
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = administrators();
    cases.extend(of_class("EFF-03", "s3:GetObject", "s3:Get*"));
    cases.extend(of_class("EFF-03", "ssm:GetParameter", "SSM:g*"));
    cases.extend(of_class("EFF-04", "s3:PutBucketPolicy", "s3:Put*"));
    cases.extend(of_class("EFF-05", "iam:CreateAccessKey", "iam:Create*"));
    cases.extend(of_class("EFF-06", "ec2:TerminateInstances", "ec2:T*"));
    cases.extend(compute());
    cases.extend(paths());
    cases.extend(duties());
    cases.extend(boundaries());
    cases
}

fn administrators() -> Vec<Case> {
    let all = || json!([allow("*", "*")]);
    let mut known = alice(all());
    known.settings.administrators = vec!["*:user/alice".to_owned()];
    let mut many = known.clone();
    many.settings.limits.administrators = 0;
    case(
        "EFF-01",
        vec![
            alice(narrow()),
            known,
            bounded(all(), narrow()),
            guarded(all(), json!([deny("iam:*")])),
            alice(json!([allow("*", "*"), deny("iam:*")])),
            // Only whoever has the tag, and whoever has this name.
            alice(json!([when(
                allow("*", "*"),
                json!({"StringEquals": {"aws:PrincipalTag/team": "core"}})
            )])),
            alice(json!([when(allow("*", "*"), json!({"StringEquals": {"aws:username": "bob"}}))])),
        ],
        vec![
            alice(all()),
            alice(json!([allow("i*:*", "*"), allow("iam:*", "*")])),
            through_group(all()),
            bounded(all(), all()),
            alice(json!([when(
                allow("*", "*"),
                json!({"StringEquals": {"aws:username": "alice"}})
            )])),
            alice_and(
                narrow(),
                json!({"AttachedManagedPolicies": [aws("AdministratorAccess")]}),
                json!([]),
            ),
            many,
        ],
    )
}

fn compute() -> Vec<Case> {
    let worker = |statements: Json, more: Json| {
        folder(|f| {
            let own = json!({"RolePolicyList": inline(statements.clone())});
            let worker = role("worker", merged(own, more.clone()));
            let policies = json!([managed("b", policy(narrow()))]);
            f.details(json!([]), json!([]), json!([worker]), policies);
        })
    };
    let people = json!({"AssumeRolePolicyDocument": policy(json!([{"Effect": "Allow",
        "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")}, "Action": "sts:AssumeRole"}]))});
    let reads = || json!([allow("s3:GetObject", "*")]);
    case(
        "EFF-07",
        vec![
            worker(narrow(), json!({})),
            worker(reads(), people),
            worker(reads(), json!({"PermissionsBoundary": boundary("b")})),
        ],
        vec![worker(reads(), json!({})), worker(json!([allow("*", "*")]), json!({}))],
    )
}

/// A user and a role that is an administrator, with a trust policy.
fn beside_a_chief(statements: Json, trusted: Json) -> Folder {
    beside_chiefs(1, statements, trusted)
}

fn beside_chiefs(count: usize, statements: Json, trusted: Json) -> Folder {
    folder(|f| {
        let alice = user("alice", json!({"UserPolicyList": inline(statements.clone())}));
        let trust = policy(json!([{"Effect": "Allow", "Principal": trusted,
                                   "Action": "sts:AssumeRole"}]));
        let chief = |at: usize| {
            let name = if at == 0 { "chief".to_owned() } else { format!("chief{at}") };
            role(
                &name,
                json!({"AssumeRolePolicyDocument": trust,
                "AttachedManagedPolicies": [aws("AdministratorAccess")]}),
            )
        };
        let chiefs: Vec<Json> = (0..count).map(chief).collect();
        f.details(json!([alice]), json!([]), json!(chiefs), json!([]));
    })
}

fn paths() -> Vec<Case> {
    let arn = |what: &str| format!("arn:aws:iam::{ACCOUNT}:{what}");
    let gives = |on: &str| json!([allow("iam:PutUserPolicy", &arn(on))]);
    let passes = || {
        json!([
            allow("iam:PassRole", &arn("role/chief")),
            allow("lambda:CreateFunction", "*"),
            allow("lambda:InvokeFunction", "*")
        ])
    };
    let service = || json!({"Service": "lambda.amazonaws.com"});
    let account = || json!({"AWS": arn("root")});
    let assumes = || json!([allow("sts:AssumeRole", &arn("role/chief"))]);
    let when_mfa = || {
        json!([when(
            allow("iam:PutUserPolicy", "*"),
            json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}})
        )])
    };
    let mut cases = case(
        "EFF-02",
        vec![
            alice(narrow()),
            alice(gives("user/bob")),
            // EFF-01 tells of these.
            alice(json!([allow("*", "*")])),
            alice(json!([allow("iam:*", "*")])),
            bounded(gives("user/alice"), narrow()),
            guarded(gives("user/alice"), json!([deny("iam:Put*")])),
            beside_a_chief(assumes(), service()),
            beside_a_chief(narrow(), account()),
            beside_a_chief(passes(), account()),
        ],
        vec![
            alice(gives("user/alice")),
            alice(when_mfa()),
            through_group(gives("user/${aws:username}")),
            beside_a_chief(assumes(), account()),
            beside_a_chief(narrow(), json!({"AWS": arn("user/alice")})),
            beside_a_chief(passes(), service()),
        ],
    );
    let few = |mut folder: Folder| {
        folder.settings.limits.movement = 0;
        folder
    };
    cases.extend(case(
        "EFF-08",
        vec![
            few(alice(narrow())),
            few(beside_a_chief(assumes(), service())),
            few(alice(json!([allow("*", "*")]))),
            // One other is not too many.
            beside_a_chief(assumes(), account()),
        ],
        vec![
            few(beside_a_chief(assumes(), account())),
            few(beside_a_chief(passes(), service())),
            // More than the limit as it is by default, in whichever way.
            beside_chiefs(12, assumes_any(), account()),
            beside_chiefs(12, narrow(), json!({"AWS": arn("user/alice")})),
            beside_chiefs(12, passes_any(), service()),
            beside_chiefs(12, rewrites_any(), service()),
        ],
    ));
    cases
}

// Those who are too many to be counted are never few enough.
#[test]
fn what_is_not_counted_does_not_pass() {
    for (chiefs, limit, outcome) in [
        (10, 10, Outcome::Pass),
        (12, 10, Outcome::Fail),
        (60, 10, Outcome::Fail),
        (25, 28, Outcome::Pass),
        (60, 100, Outcome::NotAssessed),
    ] {
        let account = json!({"AWS": format!("arn:aws:iam::{ACCOUNT}:root")});
        let mut folder = beside_chiefs(chiefs, assumes_any(), account);
        folder.settings.limits.movement = limit;
        assert_eq!(folder.outcome("EFF-08"), outcome, "{chiefs} {limit}");
    }
}

fn assumes_any() -> Json {
    json!([allow("sts:AssumeRole", "*")])
}

fn passes_any() -> Json {
    json!([
        allow("iam:PassRole", "*"),
        allow("lambda:CreateFunction", "*"),
        allow("lambda:InvokeFunction", "*")
    ])
}

fn rewrites_any() -> Json {
    json!([allow("iam:UpdateAssumeRolePolicy", "*")])
}

// A finding tells the steps, the statement that allows the first one, and how to close it; its id
// hangs on the principal alone.
#[test]
fn a_path_is_told_with_its_steps_and_its_end() {
    let mine = format!("arn:aws:iam::{ACCOUNT}:user/alice");
    let folder = alice(json!([allow("iam:PutUserPolicy", &mine)]));
    let results = folder.ask("EFF-02");
    let [found] = results.failed.as_slice() else { panic!("{results:?}") };
    assert_eq!(found.subject, mine);
    for part in ["ESC-010", "iam:PutUserPolicy on", "own of user alice, statement 1"] {
        assert!(found.why.contains(part), "{part}: {}", found.why);
    }
    assert!(found.fix.diff.as_ref().is_some_and(|diff| diff.contains("- ")), "{:?}", found.fix);
    let deletes = |line: &String| line.starts_with("aws iam delete-user-policy");
    assert!(found.fix.commands.iter().any(deletes), "{:?}", found.fix.commands);
    assert_eq!((&found.place, &found.detail), (&None, &None));
    let other = alice(json!([allow("s3:*", "*"), allow("iam:AttachUserPolicy", &mine)]));
    let results = other.ask("EFF-02");
    let [again] = results.failed.as_slice() else { panic!("{results:?}") };
    let id = |found| crate::posture::FindingId::of("EFF-02", found);
    assert_eq!(id(found), id(again));
    assert_ne!(found.why, again.why);
}

// Posture and escalation have one notion: whoever is administrator of the account in the search is
// one in the checks.
#[test]
fn administrators_are_those_of_the_search() {
    let almost = json!([allow("*", "*"), deny("iam:Put*"), deny("iam:UpdateAssumeRolePolicy")]);
    for (folder, whole, counts) in [
        (alice(json!([allow("*", "*")])), true, true),
        (alice(almost), true, true),
        (alice(json!([allow("iam:*", "*")])), false, true),
        (alice(json!([allow("iam:CreateAccessKey", "*")])), false, false),
        (bounded(json!([allow("*", "*")]), narrow()), false, false),
        (guarded(json!([allow("*", "*")]), json!([deny("iam:*")])), false, false),
    ] {
        let evidence = folder.read();
        let now = super::super::fixture::now();
        let audit = crate::posture::Audit::new(&evidence, &folder.settings, now);
        assert_eq!(!audit.escalations().administrators.is_empty(), whole);
        assert_eq!(audit.principals().iter().any(|one| one.administrative.is()), counts);
    }
}

fn duties() -> Vec<Case> {
    let pair = |mut f: Folder| {
        let pair = ("iam:CreateUser".to_owned(), "cloudtrail:StopLogging".to_owned());
        f.settings.conflicting = vec![pair];
        f
    };
    let both = || json!([allow("iam:CreateUser", "*"), allow("cloudtrail:StopLogging", "*")]);
    // One half of one's own, the other by a role, or by a role of a role.
    let by_role = |assumes: &str, trusted: &str, deep: bool| {
        let trust = |principal: &str| {
            let principal = format!("arn:aws:iam::{ACCOUNT}:{principal}");
            policy(json!([{"Effect": "Allow", "Principal": {"AWS": principal},
                           "Action": "sts:AssumeRole"}]))
        };
        let stops = json!([allow("cloudtrail:StopLogging", "*")]);
        let on = json!([allow("sts:AssumeRole", "arn:aws:iam::123456789012:role/second")]);
        pair(folder(|f| {
            let own = json!([allow("iam:CreateUser", "*"), allow("sts:AssumeRole", assumes)]);
            let alice = user("alice", json!({"UserPolicyList": inline(own)}));
            let first = role(
                "first",
                json!({"AssumeRolePolicyDocument": trust(trusted),
                "RolePolicyList": inline(if deep { on.clone() } else { stops.clone() })}),
            );
            let second = role(
                "second",
                json!({"AssumeRolePolicyDocument": trust("root"),
                "RolePolicyList": inline(if deep { stops.clone() } else { narrow() })}),
            );
            f.details(json!([alice]), json!([]), json!([first, second]), json!([]));
        }))
    };
    let first = "arn:aws:iam::123456789012:role/first";
    case(
        "EFF-09",
        vec![
            pair(alice(narrow())),
            pair(alice(json!([allow("iam:CreateUser", "*")]))),
            pair(alice(json!([
                allow("iam:*", "*"),
                allow("cloudtrail:*", "*"),
                deny("cloudtrail:Stop*")
            ]))),
            pair(guarded(both(), json!([deny("cloudtrail:StopLogging")]))),
            by_role(first, "user/bob", false),
            by_role("arn:aws:iam::123456789012:role/other-*", "root", false),
        ],
        vec![
            pair(alice(both())),
            pair(through_group(json!([allow("iam:C*", "*"), allow("CloudTrail:*", "*")]))),
            by_role(first, "root", false),
            by_role("arn:aws:iam::*:role/f*", "root", false),
            by_role("arn:aws:iam::123456789012:role/none", "user/alice", false),
            by_role(first, "root", true),
        ],
    )
}

fn boundaries() -> Vec<Case> {
    let own = format!("arn:aws:iam::{ACCOUNT}:policy/b");
    let makes = |operator: &str, value: &str| {
        json!([when(
            allow("iam:CreateRole", "*"),
            json!({operator: {"iam:PermissionsBoundary": value}})
        )])
    };
    let mut cases = case(
        "EFF-10",
        vec![
            alice(narrow()),
            alice(makes("StringEquals", &own)),
            alice(
                json!([allow("iam:CreateRole", "*"), {"Effect": "Deny", "Action": "iam:CreateRole",
                "Resource": "*",
                "Condition": {"StringNotEquals": {"iam:PermissionsBoundary": own}}}]),
            ),
        ],
        vec![
            alice(json!([allow("iam:CreateRole", "*")])),
            alice(json!([allow("iam:Create*", "arn:aws:iam::*:user/app/*")])),
            alice(makes("StringLike", "*")),
            alice(makes("StringEqualsIfExists", &own)),
        ],
    );
    let held = |within: Json, statements: Json| bounded(statements, within);
    let iam = || json!([allow("iam:*", "*")]);
    cases.extend(case(
        "EFF-11",
        vec![
            held(narrow(), iam()),
            held(iam(), narrow()),
            held(
                json!([allow("iam:*", "*"), deny("iam:*PermissionsBoundary"),
                       {"Effect": "Deny", "Action": "iam:*Policy*", "Resource": own}]),
                iam(),
            ),
        ],
        vec![
            held(iam(), iam()),
            held(iam(), json!([allow("iam:DeleteUserPermissionsBoundary", "*")])),
            held(iam(), json!([allow("iam:CreatePolicyVersion", &own)])),
        ],
    ));
    cases
}

#[test]
fn cases_turn() {
    super::super::fixture::turns(&cases());
}

// Pairs that nobody told are not looked for, which is no pass.
#[test]
fn pairs_are_configured() {
    assert_eq!(alice(narrow()).outcome("EFF-09"), Outcome::NotAssessed);
}

// A finding names the statement of the policy at fault, through whatever it came.
#[test]
fn the_statement_at_fault_is_named() {
    let folder = folder(|f| {
        let crew = group("crew", json!({"AttachedManagedPolicies": [attached("p")]}));
        let alice = user("alice", json!({"GroupList": ["crew"]}));
        let statements = json!([allow("s3:ListBucket", "*"), allow("s3:GetObject", "*")]);
        let policies = json!([managed("p", policy(statements))]);
        f.details(json!([alice]), json!([crew]), json!([]), policies);
    });
    let results = folder.ask("EFF-03");
    let [found] = results.failed.as_slice() else { panic!("{results:?}") };
    let place = found.place.as_ref().unwrap();
    assert_eq!(place.policy, format!("arn:aws:iam::{ACCOUNT}:policy/p"));
    assert_eq!((place.statement, place.version.as_deref()), (Some(1), Some("v1")));
    assert!(found.fix.diff.is_some());
}

// Run by hand: how long each check takes on many principals.
#[test]
#[ignore = "a measurement"]
fn speed() {
    let count = 500;
    let folder =
        folder(|f| {
            let users: Vec<Json> = (0..count)
            .map(|at| {
                let statements = json!([
                    allow("s3:Get*", &format!("arn:aws:s3:::team-{at}/*")),
                    allow("ec2:*", "*"),
                    {"Effect": "Allow", "Action": ["dynamodb:PutItem", "sqs:*"], "Resource": "*",
                     "Condition": {"StringEquals": {"aws:RequestedRegion": format!("eu-{at}")}}},
                ]);
                let managed = json!([attached("p"), aws("ReadOnlyAccess")]);
                user(&format!("u{at}"), json!({"UserPolicyList": inline(statements),
                    "AttachedManagedPolicies": managed}))
            })
            .collect();
            let roles: Vec<Json> = (0..count)
                .map(|at| {
                    role(
                        &format!("r{at}"),
                        json!({
                            "AttachedManagedPolicies": [aws("PowerUserAccess")],
                            "RolePolicyList": inline(json!([allow("sts:AssumeRole",
                                &format!("arn:aws:iam::{ACCOUNT}:role/r1{at}*"))])),
                        }),
                    )
                })
                .collect();
            let policies = json!([managed("p", policy(narrow()))]);
            f.details(json!(users), json!([]), json!(roles), policies);
            f.settings.conflicting = vec![("iam:CreateUser".to_owned(), "s3:PutObject".to_owned())];
        });
    let evidence = folder.read();
    let now = super::super::fixture::now();
    let audit = crate::posture::Audit::new(&evidence, &folder.settings, now);
    let start = std::time::Instant::now();
    audit.principals();
    eprintln!("principals {:?}", start.elapsed());
    let start = std::time::Instant::now();
    audit.reach();
    eprintln!("reach {:?}", start.elapsed());
    let groups = [super::CHECKS, super::super::policies::CHECKS, super::super::trust::CHECKS];
    for check in groups.into_iter().flatten() {
        let start = std::time::Instant::now();
        let results = crate::posture::report::ask(check, &audit);
        eprintln!("{} {:?} {}", check.id, start.elapsed(), results.failed.len());
    }
}
