//! Folders with events, clean and spoiled.

use jiff::{SignedDuration, Timestamp};
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

/// A folder whose events begin and end 95 days apart, with these among them.
fn with(events: &[Json]) -> Folder {
    days(0..=95, events)
}

/// An event of a service on each of these days, counted from 2026-02-25, with others.
fn days(days: impl IntoIterator<Item = i64>, events: &[Json]) -> Folder {
    let service = json!({
        "userIdentity": {"type": "AWSService", "invokedBy": "ec2.amazonaws.com"},
        "sourceIPAddress": "ec2.amazonaws.com", "readOnly": true,
    });
    let daily =
        days.into_iter().map(|day| event(&midnight(day), "sts:AssumeRole", service.clone()));
    let records: Vec<Json> = daily.chain(events.iter().cloned()).collect();
    folder(|f| {
        f.put("events/a.json", &json!({"Records": records}));
    })
}

fn midnight(day: i64) -> String {
    let first: Timestamp = "2026-02-25T00:00:00Z".parse().unwrap();
    (first + SignedDuration::from_hours(24 * day)).to_string()
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
    // Endpoints and their accounts are no programs.
    let endpoints: Vec<Json> = (0..6)
        .map(|at| {
            let through =
                json!({"vpcEndpointId": format!("vpce-{at}"), "vpcEndpointAccountId": ACCOUNT});
            merged(from(at, "192.0.2.1", "aws-cli/2 x"), through)
        })
        .collect();
    let clean = [with(&places(3)), with(&slow), with(&sessions), with(&endpoints)];
    let spoiled = [with(&places(4)), with(&agents)];
    Case::against("USR-06", clean, &spoiled)
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

fn digest(region: &str, hour: u32, files: &[&str]) -> Json {
    let object = format!("AWSLogs/{ACCOUNT}/CloudTrail-Digest/{region}/2026/05/01/d.json.gz");
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
        folder.put(&format!("events/d{hour}.json"), &digest("eu-west-1", *hour, files));
    }
    folder
}

/// Digests of two regions, each until its own hour.
fn regions(one: u32, other: u32) -> Folder {
    let mut folder = digests(&[], &[]);
    for (region, last) in [("eu-west-1", one), ("us-east-1", other)] {
        for hour in 1..=last {
            folder.put(&format!("events/{region}-{hour}.json"), &digest(region, hour, &[]));
        }
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
    // The digest of the last hour may be on its way.
    let clean = [digests(&[1, 2, 4, 5], &["x/a.json"]), hourly(None), regions(5, 5), regions(4, 5)];
    let spoiled = [
        // Of one region the series ends for good.
        regions(3, 6),
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

/// The same refusals in the trails of an account and of an organization.
fn twice(count: u32) -> Folder {
    let each = (0..count).map(|number| {
        let more = json!({"errorCode": "AccessDenied", "eventID": format!("e-{number}")});
        event("2026-05-01T00:00:00Z", "s3:ListBuckets", more)
    });
    let events: Vec<Json> = each.collect();
    with(&[events.clone(), events].concat())
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
    let many: [&dyn Fn(&mut Folder); 2] = [&|f| *f = refused(11), &|f| *f = twice(11)];
    cases.push(Case::new("LOG-14", &refused(10), &many));
    cases.push(Case::new("LOG-14", &twice(10), &many));
    cases.extend(people());
    cases.extend(sets());
    cases
}

// Less than the limit proves nothing unused.
#[test]
fn a_short_window_is_not_assessed() {
    let mut short = days(13..=95, &[used("iam:ListUsers")]);
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

// What lies between the days that the events are of is not known: January and December are no year.
#[test]
fn days_without_anything_prove_nothing() {
    let by = json!({"userIdentity": by_role("app")});
    let late = event("2026-02-26T00:00:00Z", "ec2:RunInstances", by);
    let mut holed = days((0..4).chain(90..=95), &[used("iam:ListUsers"), late]);
    granting(&mut holed, &["iam:ListUsers", "ec2:RunInstances"]);
    for id in ["USE-04", "USE-05"] {
        assert_eq!(holed.outcome(id), Outcome::NotAssessed, "{id}");
        let told = holed.ask(id).unassessed;
        // The role's own event is one of a day between.
        let expected = "84 days have neither events nor a digest; the first is 2026-03-02";
        assert!(told.iter().any(|(_, why)| why.contains(expected)), "{told:?}");
    }
    let mut sets = center(&[], &json!({}));
    sets.files.insert("events/a.json".to_owned(), holed.files["events/a.json"].clone());
    assert_eq!(sets.outcome("IDC-05"), Outcome::NotAssessed);
    // A quiet day has digests.
    for day in 4..90 {
        let mut one = digest("eu-west-1", 0, &[]);
        one["digestEndTime"] = json!(midnight(day).replace("T00", "T01"));
        holed.put(&format!("events/d{day}.json"), &one);
    }
    assert_eq!(holed.outcome("USE-04"), Outcome::Fail);
    assert_eq!(holed.outcome("USE-05"), Outcome::Fail);
}

// On every resource and without conditions the used actions may be more than the role has.
#[test]
fn an_offer_is_no_policy_of_its_own() {
    let found = granted(&[used("iam:ListUsers")], &["iam:ListUsers", "ec2:RunInstances"]);
    let found = found.ask("USE-05").failed;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].fix.diff, None);
    assert!(found[0].fix.commands[0].starts_with("bailiwick generate --principal arn:"));
    assert!(!found[0].why.contains("at hand"), "{}", found[0].why);
}

// Where no event only looks, the trail logs changes alone, and rights to look cannot be seen unused.
#[test]
fn a_trail_of_changes_tells_nothing_of_reads() {
    let rights = ["ec2:RunInstances", "iam:ListUsers"];
    let mut whole = granted(&[used("ec2:RunInstances")], &rights);
    assert_eq!(whole.outcome("USE-04"), Outcome::Fail);
    let changes = whole.files["events/a.json"].replace("\"readOnly\":true", "\"readOnly\":false");
    whole.files.insert("events/a.json".to_owned(), changes);
    for id in ["USE-04", "USE-05"] {
        assert_eq!(whole.outcome(id), Outcome::Pass, "{id}");
        assert!(whole.ask(id).notes[0].contains("changes alone"), "{id}");
    }
    granting(&mut whole, &["ec2:RunInstances", "ec2:StartInstances"]);
    assert_eq!(whole.outcome("USE-04"), Outcome::Fail);
}
