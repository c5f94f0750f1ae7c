//! Folders with events, clean and spoiled.

use serde_json::{Value as Json, json};

use super::super::fixture::{ACCOUNT, Case, Folder, allow, folder, merged, policy, role};
use crate::posture::Outcome;

fn arn(kind: &str, name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:{kind}/{name}")
}

fn by_user(name: &str) -> Json {
    json!({
        "type": "IAMUser", "arn": arn("user", name), "accountId": ACCOUNT,
        "accessKeyId": "AKIAIOSFODNN7EXAMPLE", "userName": name,
    })
}

fn by_role(name: &str) -> Json {
    json!({
        "type": "AssumedRole", "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/{name}/s"),
        "sessionContext": {"sessionIssuer": {"type": "Role", "arn": arn("role", name)}},
    })
}

/// An event of a user; `more` is laid over it.
fn event(time: &str, action: &str, more: Json) -> Json {
    let (service, name) = action.split_once(':').unwrap();
    let base = json!({
        "eventTime": time, "eventSource": format!("{service}.amazonaws.com"), "eventName": name,
        "awsRegion": "eu-west-1", "sourceIPAddress": "192.0.2.1", "userAgent": "aws-cli/2.1 x",
        "recipientAccountId": ACCOUNT, "userIdentity": by_user("ann"),
    });
    merged(base, more)
}

/// A folder whose events begin and end 95 days apart, with these between.
fn with(events: &[Json]) -> Folder {
    span("2026-02-25T00:00:00Z", events)
}

fn span(first: &str, events: &[Json]) -> Folder {
    folder(|f| {
        let service = json!({
            "userIdentity": {"type": "AWSService", "invokedBy": "ec2.amazonaws.com"},
            "sourceIPAddress": "ec2.amazonaws.com",
        });
        let mut records = vec![event(first, "sts:AssumeRole", service.clone())];
        records.extend_from_slice(events);
        records.push(event("2026-05-31T00:00:00Z", "sts:AssumeRole", service));
        f.put("events/a.json", &json!({"Records": records}));
    })
}

/// With a role `app` that may do these actions.
fn granting(f: &mut Folder, actions: &[&str]) {
    let statements: Vec<Json> = actions.iter().map(|action| allow(action, "*")).collect();
    let own = json!([{"PolicyName": "own", "PolicyDocument": policy(json!(statements))}]);
    let roles = json!([role("app", json!({"RolePolicyList": own}))]);
    f.details(json!([]), json!([]), roles, json!([]));
}

fn used(action: &str) -> Json {
    event("2026-05-01T00:00:00Z", action, json!({"userIdentity": by_role("app")}))
}

fn granted(events: &[Json], actions: &[&str]) -> Folder {
    let mut folder = with(events);
    granting(&mut folder, actions);
    folder
}

fn from(minute: u32, address: &str, agent: &str) -> Json {
    let time = format!("2026-05-01T10:{minute:02}:00Z");
    event(&time, "s3:ListBuckets", json!({"sourceIPAddress": address, "userAgent": agent}))
}

fn shared() -> Vec<Case> {
    let places = |n: u32| -> Vec<Json> {
        (0..n).map(|at| from(at, &format!("192.0.2.{at}"), "aws-cli/2 x")).collect()
    };
    let agents: Vec<Json> = (0..6).map(|at| from(at, "192.0.2.1", &format!("p{at}/1"))).collect();
    let slow: Vec<Json> = (0..6)
        .map(|hour| {
            let time = format!("2026-05-01T{:02}:00:00Z", 2 * hour);
            event(&time, "s3:ListBuckets", json!({"sourceIPAddress": format!("192.0.2.{hour}")}))
        })
        .collect();
    // Sessions of roles may be everywhere.
    let sessions: Vec<Json> = places(6)
        .into_iter()
        .map(|event| merged(event, json!({"userIdentity": by_role("app")})))
        .collect();
    let spoiled = [with(&places(4)), with(&agents)];
    Case::against("USR-06", [with(&places(3)), with(&slow), with(&sessions)], &spoiled)
}

fn foreign() -> Vec<Case> {
    let listed = |event: Json| {
        let mut folder = with(&[event]);
        folder.settings.foreign_networks =
            ["198.51.100.0/24", "vpce-9", "210987654321"].map(str::to_owned).into();
        folder
    };
    let at = |more: Json| listed(event("2026-05-01T00:00:00Z", "s3:ListBuckets", more));
    vec![Case::new(
        "TRU-15",
        &at(json!({"vpcEndpointId": "vpce-1", "vpcEndpointAccountId": ACCOUNT})),
        &[
            &|f| *f = at(json!({"sourceIPAddress": "198.51.100.77"})),
            &|f| *f = at(json!({"vpcEndpointId": "vpce-9"})),
            &|f| *f = at(json!({"vpcEndpointAccountId": "210987654321"})),
        ],
    )]
}

fn unused() -> Vec<Case> {
    let both = ["iam:ListUsers", "ec2:RunInstances"];
    let uses = [used("iam:ListUsers"), used("ec2:RunInstances")];
    let late =
        event("2026-02-26T00:00:00Z", "ec2:RunInstances", json!({"userIdentity": by_role("app")}));
    let denied =
        merged(used("ec2:RunInstances"), json!({"errorCode": "Client.UnauthorizedOperation"}));
    let clean = [
        granted(&uses, &both),
        // What no event can show is not called unused.
        granted(&uses, &["iam:ListUsers", "ec2:RunInstances", "s3:GetObject", "iam:PassRole"]),
    ];
    let spoiled = [
        granted(&uses, &["iam:ListUsers", "ec2:*"]),
        granted(&[used("iam:ListUsers")], &both),
        granted(&[used("iam:ListUsers"), late], &both),
        granted(&[used("iam:ListUsers"), denied], &both),
    ];
    let mut cases = Case::against("USE-04", clean.clone(), &spoiled);
    cases.extend(Case::against("USE-05", clean, &spoiled));
    cases
}

fn digest(hour: u32, files: &[&str]) -> Json {
    let object = format!("AWSLogs/{ACCOUNT}/CloudTrail-Digest/eu-west-1/2026/05/01/d.json.gz");
    let listed: Vec<Json> = files.iter().map(|file| json!({"s3Object": file})).collect();
    json!({
        "awsAccountId": ACCOUNT, "digestStartTime": format!("2026-05-01T{hour:02}:00:00Z"),
        "digestEndTime": format!("2026-05-01T{:02}:00:00Z", hour + 1), "digestS3Object": object,
        "logFiles": listed,
    })
}

fn digests(hours: &[u32], files: &[&str]) -> Folder {
    let mut folder = Folder::new();
    let at = event("2026-05-01T03:10:00Z", "s3:ListBuckets", json!({}));
    folder.put("events/a.json", &json!({"Records": [at]}));
    for hour in hours {
        folder.put(&format!("events/d{hour}.json"), &digest(*hour, files));
    }
    folder
}

fn hourly(lacking: Option<u32>) -> Folder {
    let mut folder = Folder::new();
    let events: Vec<Json> = (0..48)
        .filter(|hour| Some(*hour) != lacking)
        .map(|hour| {
            let time = format!("2026-05-{:02}T{:02}:10:00Z", 1 + hour / 24, hour % 24);
            event(&time, "s3:ListBuckets", json!({}))
        })
        .collect();
    folder.put("events/a.json", &json!({"Records": events}));
    folder
}

fn series() -> Vec<Case> {
    // The hour of 3 has events and no digest: there is no gap.
    let clean = [digests(&[1, 2, 4, 5], &["x/a.json"]), hourly(None)];
    let spoiled = [
        digests(&[1, 2, 5], &["x/a.json"]),
        digests(&[1, 2, 4, 5], &["x/gone.json"]),
        hourly(Some(20)),
    ];
    Case::against("LOG-12", clean, &spoiled)
}

fn refused(count: u32) -> Folder {
    let one = event("2026-05-01T00:00:00Z", "s3:ListBuckets", json!({"errorCode": "AccessDenied"}));
    with(&vec![one; count as usize])
}

fn tried(actions: &[&str], day: u32) -> Vec<Json> {
    let each = actions.iter().zip(0_u32..).map(|(action, number)| {
        let time = format!("2026-05-{:02}T10:00:00Z", 1 + number * day);
        event(&time, &format!("iam:{action}"), json!({}))
    });
    each.collect()
}

fn people() -> Vec<Case> {
    let strong =
        ["CreateUser", "CreateAccessKey", "AttachUserPolicy", "PutUserPolicy", "CreateRole"];
    let curious = [
        "ListUsers",
        "ListRoles",
        "ListGroups",
        "ListPolicies",
        "GetAccountSummary",
        "GetUser",
        "GetRole",
        "GetGroup",
        "GetPolicy",
        "ListAccessKeys",
        "ListMFADevices",
        "ListAccountAliases",
        "ListInstanceProfiles",
        "ListUserPolicies",
        "ListRolePolicies",
    ];
    let mut cases = Case::against(
        "MON-12",
        [
            with(&tried(&strong[..4], 0)),
            with(&tried(&strong, 2)),
            with(&tried(&curious[..14], 0)),
            {
                let mut listed = with(&tried(&strong, 0));
                listed.settings.administrators.push("arn:aws:iam::*:user/ann".to_owned());
                listed
            },
        ],
        &[with(&tried(&strong, 0)), with(&tried(&curious, 0))],
    );
    let change = |more: Json| with(&[event("2026-05-01T00:00:00Z", "iam:PutUserPolicy", more)]);
    let console = json!({"sessionCredentialFromConsole": "true"});
    let root = json!({"type": "Root", "arn": format!("arn:aws:iam::{ACCOUNT}:root")});
    let center = by_role("AWSReservedSSO_admins_0123456789abcdef");
    let mfa = merged(
        by_user("ann"),
        json!({"sessionContext": {"attributes": {"mfaAuthenticated": "true"}}}),
    );
    cases.extend(Case::against(
        "MON-14",
        [
            change(json!({})),
            change(json!({"userIdentity": by_role("deploy")})),
            change(merged(console.clone(), json!({"errorCode": "AccessDenied"}))),
            with(&[event("2026-05-01T00:00:00Z", "iam:ListUsers", console.clone())]),
            {
                let mut listed = change(console.clone());
                listed.settings.administrators.push("*:user/ann".to_owned());
                listed
            },
        ],
        &[
            change(console),
            change(json!({"userIdentity": root})),
            change(json!({"userIdentity": mfa})),
            change(json!({"userIdentity": center})),
        ],
    ));
    cases
}

fn center(events: &[Json], used: &Json) -> Folder {
    let mut folder = with(events);
    let instance = json!({"InstanceArn": "arn:aws:sso:::instance/i"});
    folder.put("identity-center/instances.json", &json!({"Instances": [instance]}));
    let set = json!({"Name": "readers", "PermissionSetArn": "arn:aws:sso:::permissionSet/i/ps"});
    folder.put("identity-center/permission-set-1.json", &json!({"PermissionSet": set}));
    let name = "AWSReservedSSO_readers_0123456789abcdef";
    let roles = json!([role(name, json!({"RoleLastUsed": used}))]);
    folder.details(json!([]), json!([]), roles, json!([]));
    folder
}

fn sets() -> Vec<Case> {
    let name = "AWSReservedSSO_readers_0123456789abcdef";
    let by = |time: &str, name: &str| {
        event(time, "s3:ListBuckets", json!({"userIdentity": by_role(name)}))
    };
    let recent = json!({"LastUsedDate": "2026-05-20T00:00:00Z", "Region": "eu-west-1"});
    Case::against(
        "IDC-05",
        [center(&[by("2026-05-01T00:00:00Z", name)], &json!({})), center(&[], &recent)],
        &[
            center(&[], &json!({})),
            center(&[by("2026-02-27T00:00:00Z", name)], &json!({})),
            center(
                &[by("2026-05-01T00:00:00Z", "AWSReservedSSO_readers_all_0123456789abcdef")],
                &json!({}),
            ),
        ],
    )
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = shared();
    cases.extend(foreign());
    cases.extend(unused());
    cases.extend(series());
    cases.push(Case::new("LOG-14", &refused(10), &[&|f| *f = refused(11)]));
    cases.extend(people());
    cases.extend(sets());
    cases
}

// Less than the limit proves nothing unused.
#[test]
fn a_short_window_is_not_assessed() {
    let mut short = span("2026-03-10T00:00:00Z", &[used("iam:ListUsers")]);
    granting(&mut short, &["iam:*"]);
    for id in ["USE-04", "USE-05"] {
        assert_eq!(short.outcome(id), Outcome::NotAssessed, "{id}");
        let told = short.ask(id).unassessed;
        assert!(told.iter().any(|(_, why)| why.contains("82 days")), "{told:?}");
    }
    short.settings.limits.unused_actions = 60;
    assert_eq!(short.outcome("USE-04"), Outcome::Fail);
}

// Nothing passes where an event could not be read, or where the events are another account's.
#[test]
fn what_is_not_read_does_not_pass() {
    for id in ["USR-06", "LOG-14", "MON-12", "MON-14"] {
        let mut folder = with(&[]);
        assert_eq!(folder.outcome(id), Outcome::Pass, "{id}");
        folder.put("events/b.json", &json!({"Records": [{"eventTime": "never"}]}));
        assert_eq!(folder.outcome(id), Outcome::NotAssessed, "{id}");
        let mut folder = Folder::new();
        let other = event(
            "2026-05-01T00:00:00Z",
            "s3:ListBuckets",
            json!({"recipientAccountId": "210987654321"}),
        );
        folder.put("events/a.json", &json!({"Records": [other]}));
        assert_eq!(folder.outcome(id), Outcome::NotAssessed, "{id}");
    }
}

// Without digests a quiet account is not said to have gaps.
#[test]
fn quiet_hours_are_no_gaps() {
    assert_eq!(with(&[]).outcome("LOG-12"), Outcome::NotAssessed);
}
