//! Threats K: each call leaves one event, which says what happened and nothing that is secret.

use std::collections::{BTreeMap, BTreeSet};

use bailiwick_catalog::{AccessLevel, Catalog};
use bailiwick_testkit::{
    Client, Credentials, Dice, HOME, PASSWORD, Reply, Rights, World, allow, allow_all, plausible,
    trust,
};
use bailiwick_wire::schema::{Kind, Protocol, Sensitivity};
use bailiwick_wire::{Value, generated};
use serde_json::Value as Json;

use crate::operations::{caller, full_name, implemented, missing, parallel, recorded, succeeding};

/// Ten thousand calls of every kind, from four clients at once: as many events, one to one.
#[test]
fn tm_k01_each_call_leaves_one_event() {
    const CALLS: usize = 10_000;
    let (world, one, _) = World::furnished(500);
    let weak = world.user("Weak", Rights::None);
    let role = world.role("Worker", HOME, Rights::Inline(&allow_all()));
    let session = world.admin.assume(&role, "a-session");
    let root = world.root(HOME);
    let held = world.admin.credentials.clone().unwrap();
    let forged =
        world.admin.with(Some(Credentials { secret: "no such secret at all".into(), ..held }));
    let (written, unwritten) = (implemented(), missing());
    let reading: Vec<_> = written
        .iter()
        .filter(|held| ["Get", "List"].iter().any(|head| held.name.starts_with(head)))
        .collect();
    let before = world.events(HOME).len();
    let ids = parking_lot::Mutex::new(Vec::new());
    parallel(4, |thread| {
        let mut dice = Dice::new(u64::try_from(thread).unwrap());
        for number in 0..CALLS / 4 {
            let name = format!("made-{thread}-{number}");
            let reply = match dice.roll(12) {
                0 => world.admin.iam("CreateUser", &[("UserName", &name)]),
                1 => world.admin.iam("CreateUser", &[("UserName", "Weak")]),
                2 => {
                    let operation = dice.pick(&reading);
                    session.send(operation, &plausible(operation, &one))
                }
                3 => {
                    let operation = dice.pick(&written);
                    weak.send(operation, &plausible(operation, &one))
                }
                4 => world.admin.iam("GetUser", &[("UserName", &name)]),
                5 => world.admin.iam("CreateUser", &[("UserName", "no spaces allowed")]),
                6 => {
                    let operation = dice.pick(&written);
                    let anonymous = world.anonymous();
                    anonymous.send(operation, &plausible(operation, &one))
                }
                7 => forged.iam("ListUsers", &[]),
                8 => {
                    let operation = dice.pick(&unwritten);
                    root.send(operation, &crate::operations::least(operation))
                }
                9 => {
                    let service = &generated::iam::SERVICE;
                    let body = *dice.pick(&[
                        "Action=NoSuchThing&Version=2010-05-08",
                        "",
                        "%zz",
                        "a=1&a=2",
                    ]);
                    world.admin.exchange(world.admin.request_with(
                        service,
                        "",
                        body.as_bytes().to_vec(),
                    ))
                }
                10 => {
                    world.admin.sts("AssumeRole", &[("RoleArn", &role), ("RoleSessionName", &name)])
                }
                _ => session.call("bailiwick", "ListEvents", &[("NextToken", "no token")]),
            };
            assert!(reply.status < 500, "{}", reply.text_body());
            ids.lock().push(reply.request_id());
        }
    });
    let ids = ids.into_inner();
    let events = world.events(HOME);
    let new = &events[before..];
    assert_eq!(new.len(), CALLS);
    let text = |event: &Json, key: &str| event[key].as_str().unwrap().to_owned();
    let recorded: BTreeSet<String> = new.iter().map(|event| text(event, "requestID")).collect();
    assert_eq!(recorded, ids.into_iter().collect::<BTreeSet<String>>());
    assert_eq!(recorded.len(), CALLS);
    let events: BTreeSet<String> = new.iter().map(|event| text(event, "eventID")).collect();
    assert_eq!(events.len(), CALLS);
    // Nothing went to other accounts, and every change is there with its revision, in order.
    assert_eq!(world.node.journal().accounts(), [HOME]);
    let revisions: Vec<u64> =
        world.entries(HOME).iter().filter_map(|line| line["revision"].as_u64()).collect();
    assert!(revisions.is_sorted() && revisions.len() > CALLS / 20, "{}", revisions.len());
}

/// A role of another account: one event for the caller's account and one for the owner's, which
/// share an id; a refused attempt is the caller's own affair.
#[test]
fn tm_k01_a_call_across_accounts_is_in_both_trails() {
    let world = World::new(501);
    let neighbour = world.account("210987654321");
    let open = world.role("Open", "210987654321", Rights::None);
    let closed = world.role("Closed", HOME, Rights::None);
    let count = || (world.events(HOME).len(), world.events("210987654321").len());
    let (home, theirs) = count();
    let assume =
        |role: &str| neighbour.sts("AssumeRole", &[("RoleArn", role), ("RoleSessionName", "n1")]);
    assume(&open).ok();
    assert_eq!(count(), (home + 1, theirs + 1));
    let (ours, their) = (world.last_event(), world.events("210987654321").pop().unwrap());
    assert_eq!(ours["sharedEventID"], their["sharedEventID"]);
    assert!(ours["sharedEventID"].is_string());
    assert_ne!(ours["eventID"], their["eventID"]);
    assert_eq!(ours["recipientAccountId"], HOME);
    assert_eq!(their["recipientAccountId"], "210987654321");
    assume(&closed).refused("AccessDenied");
    assert_eq!(count(), (home + 1, theirs + 2));
}

/// A call whose parameters or decision are too long for the trail is in the trail all the same.
#[test]
fn tm_k01_no_call_is_too_long_for_an_event() {
    let world = World::new(508);
    let service = &generated::iam::SERVICE;
    let before = world.events(HOME).len();
    let filler = "%01".repeat(300_000);
    for (count, body) in [
        format!("Action=ListUsers&Version=2010-05-08&Marker={filler}"),
        format!("Action=CreateUser&Version=2010-05-08&UserName={filler}"),
        format!("Action=TagUser&Version=2010-05-08&UserName=admin&Tags.member.1.Key={filler}"),
        format!("Action={filler}&Version=2010-05-08"),
    ]
    .into_iter()
    .enumerate()
    {
        let reply = world.admin.exchange(world.admin.request_with(service, "", body));
        assert!((400..500).contains(&reply.status), "{}", reply.text_body());
        assert_eq!(world.events(HOME).len(), before + count + 1);
        assert_eq!(world.last_event()["requestID"], reply.request_id());
    }
    // A caller with as much policy as there may be.
    let caller = world.user("Policied", Rights::None);
    let statements: Vec<Json> = (0..90)
        .map(|at| serde_json::json!({"Effect": "Allow", "Action": format!("s3:A{at}"), "Resource": "*"}))
        .collect();
    let document =
        serde_json::json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    for group in 0..10 {
        let group = format!("group-{group}");
        world.admin.iam("CreateGroup", &[("GroupName", &group)]).ok();
        for policy in 0..10 {
            let name = format!("{group}-{policy}");
            let create = [("PolicyName", &*name), ("PolicyDocument", &*document)];
            let arn = world.admin.iam("CreatePolicy", &create).ok().text("Policy.Arn");
            world
                .admin
                .iam("AttachGroupPolicy", &[("GroupName", &group), ("PolicyArn", &arn)])
                .ok();
        }
        world.admin.iam("AddUserToGroup", &[("GroupName", &group), ("UserName", "Policied")]).ok();
    }
    let reply = caller.iam("ListUsers", &[]).refused("AccessDenied");
    assert_eq!(world.last_event()["requestID"], reply.request_id());
    world.put_user_policy("Policied", &allow(&["iam:*"]));
    let reply = caller.iam("CreateUser", &[("UserName", "New")]).ok();
    assert_eq!(world.last_event()["requestID"], reply.request_id());
    // And a node opens on what was stored.
    world.fork().admin.iam("GetUser", &[("UserName", "New")]).ok();
}

/// Every operation is recorded as it was sent, by whom, and how it ended.
#[test]
fn tm_k02_events_say_what_was_asked() {
    let (world, one, _) = World::furnished(502);
    for operation in succeeding() {
        let fork = world.fork();
        let client = caller(&fork, operation, "Caller", Rights::Inline(&allow_all()));
        let request = plausible(operation, &one);
        let reply = client.send(operation, &request).ok();
        let (event, name) = (fork.last_event(), full_name(operation));
        let (source, recorded) = recorded(operation);
        check_common(&event, &client, &reply, recorded);
        assert_eq!(event["eventSource"], format!("{source}.amazonaws.com"), "{name}");
        assert_eq!(
            event["additionalEventData"]["decisionId"],
            reply.decision_id().unwrap(),
            "{name}"
        );
        assert!(event.get("errorCode").is_none() && event.get("errorMessage").is_none(), "{name}");
        assert_eq!(event["userIdentity"]["type"], "IAMUser", "{name}");
        assert_eq!(event["userIdentity"]["userName"], "Caller", "{name}");
        let input = operation.input.map_or(&[][..], |input| input.members);
        for (member, slot) in input.iter().zip(request.slots()) {
            let mut key = member.wire.to_owned();
            key[..1].make_ascii_lowercase();
            let recorded = &event["requestParameters"][&key];
            match (slot, member.shape.sensitivity) {
                (Some(Value::String(text)), Sensitivity::Open) => {
                    assert_eq!(recorded, text, "{name} {key}");
                }
                (Some(Value::List(items)), Sensitivity::Open) => {
                    assert_eq!(
                        recorded.as_array().map(Vec::len),
                        Some(items.len()),
                        "{name} {key}"
                    );
                }
                (None, _) | (_, Sensitivity::Secret | Sensitivity::Unlogged) => {
                    assert!(recorded.is_null(), "{name} {key}: {recorded}");
                }
                _ => {}
            }
        }
        // What a change made is named, as the client was told.
        if let Some(arn) = made(&reply) {
            let elements = event["responseElements"].to_string();
            assert!(elements.contains(&arn), "{name}: {arn} is not in {elements}");
        }
    }
}

/// The ARN of what an answer says was made.
fn made(reply: &Reply) -> Option<String> {
    let kinds = ["User", "Group", "Role", "Policy", "InstanceProfile"];
    let name = reply.text_body();
    let created = name.trim_start().starts_with("<Create");
    let find =
        |kind: &&str| reply.at(&format!("{kind}.Arn")).and_then(Value::text).map(str::to_owned);
    kinds.iter().find_map(find).filter(|_| created)
}

fn check_common(event: &Json, client: &Client, reply: &Reply, name: &str) {
    assert_eq!(event["eventName"], name);
    assert_eq!(event["requestID"], reply.request_id(), "{name}");
    assert_eq!(event["eventTime"], "2026-11-21T22:00:00Z", "{name}");
    assert_eq!(event["awsRegion"], "us-east-1", "{name}");
    assert_eq!(event["sourceIPAddress"], "192.0.2.10", "{name}");
    assert_eq!(event["userAgent"], "testkit", "{name}");
    assert_eq!(event["recipientAccountId"], HOME, "{name}");
    assert_eq!(event["userIdentity"]["accessKeyId"], client.key(), "{name}");
    assert_eq!(event["userIdentity"]["accountId"], HOME, "{name}");
}

/// Operations of which CloudTrail says another thing than their access level does.
const READ_ONLY_ALL_THE_SAME: &[&str] = &[
    "sts:AssumeRole",
    "sts:DecodeAuthorizationMessage",
    "sts:GetFederationToken",
    "sts:GetSessionToken",
    "sts:GetWebIdentityToken",
];

/// Operations of access level Read that write down what they made.
const KEEPS_WHAT_IT_READ: &[&str] =
    &["iam:GenerateCredentialReport", "iam:GenerateServiceLastAccessedDetails"];

#[test]
fn tm_k02_read_only_is_what_reads() {
    let (world, one, _) = World::furnished(503);
    for operation in succeeding() {
        let name = full_name(operation);
        let (prefix, action) = (operation.service.signing_name, operation.name);
        if prefix == "bailiwick" {
            continue;
        }
        let fork = world.fork();
        let client = caller(&fork, operation, "Caller", Rights::Inline(&allow_all()));
        let before = fork.revision();
        client.send(operation, &plausible(operation, &one)).ok();
        let read_only = fork.last_event()["readOnly"].as_bool().unwrap();
        if !KEEPS_WHAT_IT_READ.contains(&&*name) {
            assert_eq!(read_only, fork.revision() == before, "{name}");
        }
        let levels = Catalog::embedded().action(prefix, action).unwrap().levels;
        let reads =
            levels.iter().all(|level| matches!(level, AccessLevel::Read | AccessLevel::List));
        if !READ_ONLY_ALL_THE_SAME.contains(&&*name) {
            assert_eq!(read_only, reads, "{name}");
        }
    }
}

/// Refusals say who was refused what, and why, in the words that the client was told.
#[test]
fn tm_k02_refusals_say_why() {
    let world = World::new(504);
    let weak = world.user("Weak", Rights::None);
    let role = world.role("Worker", HOME, Rights::None);
    let session = world.admin.assume(&role, "a-session");
    for client in [&weak, &session] {
        let reply = client.iam("DeleteUser", &[("UserName", "admin")]).refused("AccessDenied");
        let event = world.last_event();
        check_common(&event, client, &reply, "DeleteUser");
        assert_eq!(event["errorCode"], "AccessDenied");
        assert_eq!(event["errorMessage"], reply.message);
        assert_eq!(event["requestParameters"]["userName"], "admin");
        assert!(event["responseElements"].is_null());
        assert_eq!(event["readOnly"], false);
    }
    let event = world.last_event();
    assert_eq!(event["userIdentity"]["type"], "AssumedRole");
    assert_eq!(event["userIdentity"]["arn"], session.arn());
    // One who is not known is not believed.
    let reply = world.anonymous().iam("DeleteUser", &[("UserName", "admin")]);
    let event = world.last_event();
    assert_eq!(event["userIdentity"], serde_json::json!({"type": "Unknown"}));
    assert_eq!(event["requestID"], reply.request_id());
    assert!(event["requestParameters"].is_null());
    let mut forged = world.admin.clone();
    forged.credentials.as_mut().unwrap().secret.push('x');
    forged.iam("DeleteUser", &[("UserName", "admin")]).refused("SignatureDoesNotMatch");
    let identity = world.last_event()["userIdentity"].clone();
    assert_eq!(identity, serde_json::json!({"type": "Unknown", "accessKeyId": forged.key()}));
}

/// Hostile text stays inside its value: one line a call, no control characters, readable JSON.
#[test]
fn tm_k03_a_line_holds_one_event() {
    let world = World::new(505);
    let texts = [
        "a\nb",
        "a\r\nb",
        "\0",
        "\u{1b}[31mred",
        "\u{7f}",
        "\u{85}",
        "\u{2028}",
        "\"},{\"x\":\"",
        "\\",
        "\\u0000",
        "{\"event\":{}}\n",
        "\u{202e}",
        "\u{feff}",
        "</event>",
        "${jndi:x}",
        "%0a",
        "😀",
        "\t",
        "\n{\"event\":{\"eventName\":\"Forged\"}}\n",
    ];
    let mut calls = 0;
    let before = world.lines(HOME).len();
    for text in texts {
        for (operation, member) in [
            ("GetUser", "UserName"),
            ("CreateUser", "Path"),
            ("GetRole", "RoleName"),
            ("GetPolicy", "PolicyArn"),
            ("CreateAccountAlias", "AccountAlias"),
            ("ListUsers", "Marker"),
        ] {
            let reply = world.admin.iam(operation, &[(member, text)]);
            assert!(reply.status < 500, "{operation} {text:?}");
            calls += 1;
        }
        let document = trust(HOME);
        let create =
            [("RoleName", "Odd"), ("AssumeRolePolicyDocument", &*document), ("Description", text)];
        if world.admin.iam("CreateRole", &create).is_ok() {
            world.admin.iam("DeleteRole", &[("RoleName", "Odd")]).ok();
            calls += 1;
        }
        let tag = [
            ("UserName", "admin"),
            ("Tags.member.1.Key", "odd"),
            ("Tags.member.1.Value", text),
            ("Tags.member.2.Key", text),
            ("Tags.member.2.Value", "x"),
        ];
        world.admin.iam("TagUser", &tag);
        let policy = [("UserName", "admin"), ("PolicyName", "odd"), ("PolicyDocument", text)];
        world.admin.iam("PutUserPolicy", &policy);
        world.admin.call("bailiwick", "ListEvents", &[("UserName", text), ("EventName", text)]);
        // Action and headers, as far as HTTP lets them through.
        let service = &generated::iam::SERVICE;
        let body = format!("Action={}&Version=2010-05-08", text.escape_unicode());
        world.admin.exchange(world.admin.request_with(service, "", body));
        let mut request = world.anonymous().request("iam", "ListUsers", &[]);
        for name in ["user-agent", "referer"] {
            if let Ok(value) = http::HeaderValue::from_bytes(text.as_bytes()) {
                request.headers_mut().insert(name, value);
            }
        }
        world.admin.exchange(world.admin.sign("iam", request));
        calls += 6;
    }
    let lines = world.lines(HOME);
    assert_eq!(lines.len() - before, calls);
    for line in &lines {
        assert!(line.iter().all(|byte| *byte >= 0x20), "{}", String::from_utf8_lossy(line));
        let read: Json = serde_json::from_slice(line).unwrap();
        assert_ne!(read["event"]["eventName"], "Forged");
    }
}

/// Collects what clients were shown that nobody else may see, and what they sent.
#[derive(Default)]
struct Canaries(BTreeMap<&'static str, String>);

impl Canaries {
    fn found_in(&self, text: &str) -> Vec<&'static str> {
        let held = self.0.iter().filter(|(_, secret)| text.contains(secret.as_str()));
        held.map(|(name, _)| *name).collect()
    }
}

/// No secret is in the trail, in an answer but the one that made it, or in what prints.
#[test]
fn tm_k04_no_secret_is_recorded_or_repeated() {
    let (world, one, _) = World::furnished(506);
    let mut canaries = Canaries::default();
    let mut note = |name, secret: String| {
        assert!(secret.len() > 6, "{name}");
        canaries.0.insert(name, secret);
    };
    note("the administrator's secret", world.admin.credentials.clone().unwrap().secret);
    note("the administrator's password", world.console_password.clone());
    note("a furnished password", PASSWORD.into());
    let user = one.name("Spare");
    let created = world.admin.iam("CreateAccessKey", &[("UserName", &user)]).ok();
    let key = created.text("AccessKey.SecretAccessKey");
    let key_client = world.admin.as_created(&created);
    assert!(!format!("{:?}", created.value()).contains(&key), "a secret prints");
    note("a created secret", key);
    let role = world.role("Worker", HOME, Rights::Inline(&allow_all()));
    let issued =
        world.admin.sts("AssumeRole", &[("RoleArn", &role), ("RoleSessionName", "s1")]).ok();
    let printed = format!("{:?}", issued.value());
    for (name, path) in
        [("a session's secret", "SecretAccessKey"), ("a session token", "SessionToken")]
    {
        let secret = issued.text(&format!("Credentials.{path}"));
        assert!(!printed.contains(&secret), "{name} prints");
        note(name, secret);
    }
    let session = world.admin.as_issued(&issued);
    let issued = key_client.sts("GetSessionToken", &[]).ok();
    note("a user's session token", issued.text("Credentials.SessionToken"));
    note("a user's session secret", issued.text("Credentials.SecretAccessKey"));
    // Passwords: accepted, refused by policy, by length, by permission, for nobody, in odd places.
    let weak = world.user("Weak", Rights::None);
    let secret = |name: &str| format!("Canary-{name}-9x!");
    note("the hash of a password", "$argon2".into());
    let long = format!("{}{}", secret("long"), "x".repeat(200));
    for (name, password) in [
        ("accepted", secret("accepted")),
        ("too plain", "canarycanarycanary".into()),
        ("too long", long.clone()),
        ("no such user", secret("missing")),
        ("denied", secret("denied")),
        ("changed", secret("changed")),
        ("wrong old", secret("wrong")),
        ("in the wrong place", secret("place")),
        ("unimplemented", secret("unwritten")),
    ] {
        note(name, password.clone());
        let login = |client: &Client, user: &str| {
            client.iam("CreateLoginProfile", &[("UserName", user), ("Password", &password)])
        };
        match name {
            "accepted" | "too plain" | "too long" => drop(login(&world.admin, &user)),
            "no such user" => drop(login(&world.admin, "nobody")),
            "denied" => drop(login(&weak, &user)),
            "changed" => {
                let parameters =
                    [("OldPassword", &*world.console_password), ("NewPassword", &password)];
                drop(world.admin.iam("ChangePassword", &parameters));
            }
            "wrong old" => {
                let parameters = [("OldPassword", &*password), ("NewPassword", &password)];
                drop(world.admin.iam("ChangePassword", &parameters));
            }
            "in the wrong place" => {
                drop(world.admin.iam("GetUser", &[("Password", &password), ("UserName", &user)]));
                drop(world.admin.iam("CreateLoginProfile", &[("Password.member.1", &password)]));
            }
            _ => {
                let parameters = [("UserName", &*user), ("ServicePassword", &password)];
                drop(world.admin.iam("CreateServiceSpecificCredential", &parameters));
            }
        }
    }
    // Every reading operation, by those who may do everything, and some calls that fail.
    let mut replies = Vec::new();
    world.admin.iam("EnableOutboundWebIdentityFederation", &[]).ok();
    for operation in succeeding() {
        let name = operation.name;
        if name.starts_with("Get") && !name.ends_with("Token") || name.starts_with("List") {
            replies.push(world.admin.send(operation, &plausible(operation, &one)).ok());
            replies.push(session.send(operation, &plausible(operation, &one)));
        }
    }
    replies.push(world.admin.iam("CreateAccessKey", &[("UserName", "nobody")]));
    assert!(replies.len() > 70, "{}", replies.len());
    for reply in &replies {
        let found = canaries.found_in(&reply.text_body());
        assert!(found.is_empty(), "{found:?} in {}", reply.text_body());
        assert_eq!(canaries.found_in(&format!("{:?}", reply.headers)), [""; 0]);
    }
    for line in world.lines(HOME) {
        let line = String::from_utf8(line).unwrap();
        assert_eq!(canaries.found_in(&line), [""; 0], "{line}");
    }
    let request = world.admin.request("iam", "ListUsers", &[]);
    let printed = format!("{:?}", session.sign("iam", request));
    assert_eq!(canaries.found_in(&printed), [""; 0], "{printed}");
}

/// Members that the model marks as secret exist, and every one is left out of every event.
#[test]
fn tm_k04_secret_members_are_known() {
    let mut secret = Vec::new();
    for operation in crate::operations::all() {
        for structure in [operation.input, operation.output].into_iter().flatten() {
            for member in structure.members.iter().filter(|member| member.sensitive()) {
                assert!(
                    matches!(member.shape.kind, Kind::String(_) | Kind::Blob | Kind::List(_)),
                    "{}",
                    member.wire
                );
                secret.push(format!("{}.{}", operation.name, member.wire));
            }
        }
        assert!(matches!(
            operation.service.protocol,
            Protocol::Query | Protocol::Json11 | Protocol::RestJson
        ));
    }
    for wanted in [
        "CreateLoginProfile.Password",
        "UpdateLoginProfile.Password",
        "ChangePassword.OldPassword",
        "ChangePassword.NewPassword",
        "AssumeRoleWithWebIdentity.WebIdentityToken",
        "AssumeRoleWithSAML.SAMLAssertion",
        "UploadServerCertificate.PrivateKey",
    ] {
        assert!(secret.iter().any(|held| held == wanted), "{wanted} is not secret: {secret:?}");
    }
}

/// The decision that an answer names can be explained, and is the one in the trail.
#[test]
fn tm_k02_decisions_are_explained_from_the_event() {
    let world = World::new(507);
    let bob = world.user("Bob", Rights::Inline(&allow(&["iam:GetUser"])));
    let reply = bob.iam("ListRoles", &[]).refused("AccessDenied");
    let id = reply.decision_id().unwrap();
    let answer = world.admin.call("bailiwick", "ExplainDecision", &[("DecisionId", &id)]).ok();
    let event: Json = serde_json::from_str(&answer.text("Event")).unwrap();
    assert_eq!(event["requestID"], reply.request_id());
    let walk: Json = serde_json::from_str(&answer.text("Explanation")).unwrap();
    assert_eq!(walk[0]["action"], "iam:ListRoles");
    assert_eq!(walk[0]["principal"], format!("arn:aws:iam::{HOME}:user/Bob"));
}
