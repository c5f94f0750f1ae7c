//! Forward access sessions: calls of a service on a caller's behalf are the caller's, with the
//! service named (EV-10), and only the host's operator makes the sessions.

use std::net::IpAddr;

use bailiwick_services::operator::{self, ForwardSession, OperatorError};
use bailiwick_testkit::{Client, Credentials, HOME, Rights, World, allow, allow_all};
use bailiwick_wire::Secret;
use serde_json::{Value as Json, json};

const FORMATION: &str = "cloudformation.amazonaws.com";
const LAMBDA: &str = "lambda.amazonaws.com";

/// Has services call on behalf of a client.
fn try_via(
    world: &World,
    client: &Client,
    services: &[&str],
    address: Option<IpAddr>,
) -> Result<Client, OperatorError> {
    let held = client.credentials.clone().unwrap();
    let token = held.token.map(Secret::from);
    let services: Vec<_> = services.iter().map(ToString::to_string).collect();
    let made = operator::forward_session(
        &world.node,
        &held.access_key_id.parse().unwrap(),
        token.as_ref(),
        &services,
        address,
    )?;
    let ForwardSession { access_key_id, secret_access_key, session_token, .. } = made;
    Ok(client.with(Some(Credentials {
        access_key_id: access_key_id.to_string(),
        secret: secret_access_key.expose().to_owned(),
        token: Some(session_token.expose().to_owned()),
    })))
}

fn via(world: &World, client: &Client, services: &[&str]) -> Client {
    try_via(world, client, services, None).unwrap()
}

/// A policy that allows an action under a condition.
fn allow_if(action: &str, condition: &Json) -> String {
    json!({
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": action, "Resource": "*", "Condition": condition},
    })
    .to_string()
}

fn only_via(service: &str) -> String {
    let condition = json!({"ForAnyValue:StringEquals": {"aws:CalledVia": service}});
    allow_if("iam:CreateUser", &condition)
}

/// EV-10, KEY-5: the row of the mission.
#[test]
fn tm_c05_a_call_passes_through_the_service_alone() {
    let world = World::new(900);
    let builder = world.user("Builder", Rights::Inline(&only_via(FORMATION)));
    let create = |client: &Client, name: &str| client.iam("CreateUser", &[("UserName", name)]);
    create(&builder, "Direct").refused("AccessDenied");
    create(&via(&world, &builder, &[LAMBDA]), "Other").refused("AccessDenied");

    let forwarded = via(&world, &builder, &[FORMATION]);
    let minted = world.last_event();
    assert_eq!(minted["eventName"], "CreateForwardAccessSession");
    assert_eq!(minted["userIdentity"]["type"], "Operator");
    let parameters = &minted["requestParameters"];
    assert_eq!(parameters["accessKeyId"], builder.key());
    assert_eq!(parameters["issuedAccessKeyId"], forwarded.key());
    assert_eq!(parameters["calledVia"], json!([FORMATION]));
    assert_eq!(parameters["expiration"], "2026-11-21T22:15:00Z");
    let secret = forwarded.credentials.clone().unwrap();
    let text = minted.to_string();
    assert!(!text.contains(&secret.secret) && !text.contains(&secret.token.unwrap()));

    let before = world.events(HOME).len();
    create(&forwarded, "Through").ok();
    assert_eq!(world.events(HOME).len(), before + 1);
    let event = world.last_event();
    let identity = &event["userIdentity"];
    assert_eq!(identity["type"], "IAMUser");
    assert_eq!(identity["userName"], "Builder");
    assert_eq!(identity["invokedBy"], FORMATION);
    assert_eq!(identity["accessKeyId"], forwarded.key());
    assert_eq!(event["sourceIPAddress"], FORMATION);
    assert_eq!(event["userAgent"], FORMATION);
    assert_eq!(event["additionalEventData"]["calledVia"], json!([FORMATION]));
    assert_eq!(event["additionalEventData"]["address"], "192.0.2.10");
    assert_eq!(event["additionalEventData"]["forwardedFrom"], builder.key());
    // The caller itself has no such key in its events.
    create(&builder, "Again").refused("AccessDenied");
    let direct = world.last_event();
    assert_eq!(direct["userIdentity"].get("invokedBy"), None);
    assert_eq!(direct["additionalEventData"].get("forwardedFrom"), None);
    // Through a chain that holds the service.
    create(&via(&world, &builder, &[FORMATION, LAMBDA]), "Chained").ok();
    assert_eq!(world.last_event()["userIdentity"]["invokedBy"], LAMBDA);
    // A longer chain leads back to the caller's own key, not to that of the session before.
    let longer = via(&world, &forwarded, &[LAMBDA]);
    let parameters = &world.last_event()["requestParameters"];
    assert_eq!(parameters["accessKeyId"], forwarded.key());
    assert_eq!(parameters["forwardedFrom"], builder.key());
    create(&longer, "Longer").ok();
    assert_eq!(world.last_event()["additionalEventData"]["forwardedFrom"], builder.key());
}

/// KEY-5, KEY-11: each key of a forwarded call, and of a direct one.
#[test]
fn tm_c05_the_keys_of_a_forwarded_call() {
    let world = World::new(901);
    let caller = world.user("Caller", Rights::None);
    let chain = via(&world, &caller, &[FORMATION, LAMBDA]);
    let longer = via(&world, &via(&world, &caller, &[FORMATION]), &[LAMBDA]);
    let told: IpAddr = "203.0.113.7".parse().unwrap();
    let addressed = try_via(&world, &caller, &[FORMATION, LAMBDA], Some(told)).unwrap();
    let is = |key: &str, value: &str| json!({"StringEquals": {key: value}});
    let absent = |key: &str| json!({"Null": {key: "true"}});
    let both = json!({"ForAllValues:StringEquals": {"aws:CalledVia": [FORMATION, LAMBDA]}});
    for (condition, forwarded, direct) in [
        (is("aws:CalledViaFirst", FORMATION), true, false),
        (is("aws:CalledViaLast", LAMBDA), true, false),
        (is("aws:CalledViaFirst", LAMBDA), false, false),
        (json!({"Bool": {"aws:ViaAWSService": "true"}}), true, false),
        (json!({"Bool": {"aws:ViaAWSService": "false"}}), false, true),
        (json!({"Bool": {"aws:PrincipalIsAWSService": "false"}}), true, true),
        (json!({"ForAnyValue:StringEquals": {"aws:CalledVia": LAMBDA}}), true, false),
        (both, true, true),
        (absent("aws:CalledVia"), false, true),
        // The caller has a long-term key: its forwarded calls have no keys of a session.
        (absent("aws:TokenIssueTime"), true, true),
        (absent("aws:MultiFactorAuthPresent"), true, true),
        (is("aws:username", "Caller"), true, true),
        (is("aws:UserAgent", LAMBDA), true, false),
        (json!({"IpAddress": {"aws:SourceIp": "192.0.2.10"}}), true, true),
    ] {
        world.put_user_policy("Caller", &allow_if("iam:ListUsers", &condition));
        for (client, expected) in [(&chain, forwarded), (&longer, forwarded), (&caller, direct)] {
            let reply = client.iam("ListUsers", &[]);
            assert_eq!(reply.is_ok(), expected, "{condition}: {}", reply.message);
        }
    }
    // EV-10: the address of the caller's own call, where it was told, along the whole chain.
    let condition = json!({"IpAddress": {"aws:SourceIp": "203.0.113.7"}});
    world.put_user_policy("Caller", &allow_if("iam:ListUsers", &condition));
    addressed.iam("ListUsers", &[]).ok();
    via(&world, &addressed, &["athena.amazonaws.com"]).iam("ListUsers", &[]).ok();
    chain.iam("ListUsers", &[]).refused("AccessDenied");
    // Whoever lengthens the chain tells no other address, and may tell it when nobody did.
    let further = |client: &Client, address: IpAddr| {
        try_via(&world, client, &["athena.amazonaws.com"], Some(address))
    };
    let before = world.revision();
    let error = further(&addressed, "203.0.113.8".parse().unwrap()).map(drop).unwrap_err();
    assert!(matches!(error, OperatorError::OtherAddress(first) if first == told), "{error}");
    assert_eq!(world.revision(), before);
    for chain in [&addressed, &chain] {
        let longer = further(chain, told).unwrap();
        longer.iam("ListUsers", &[]).ok();
        via(&world, &longer, &[LAMBDA]).iam("ListUsers", &[]).ok();
    }
}

/// The session of a role keeps what limits it, and its keys.
#[test]
fn tm_b04_a_forwarded_session_is_limited_as_its_caller() {
    let world = World::new(902);
    let role = world.role("Worker", HOME, Rights::Inline(&allow_all()));
    let session = world.admin.assume_with(&[
        ("RoleArn", &role),
        ("RoleSessionName", "limited"),
        ("Policy", &allow(&["iam:ListUsers", "iam:ListRoles"])),
        ("Tags.member.1.Key", "team"),
        ("Tags.member.1.Value", "red"),
        ("SourceIdentity", "alice"),
    ]);
    let forwarded = via(&world, &session, &[FORMATION]);
    assert_eq!(forwarded.arn(), session.arn());
    forwarded.iam("ListUsers", &[]).ok();
    let event = world.last_event();
    assert_eq!(event["userIdentity"]["type"], "AssumedRole");
    assert_eq!(event["userIdentity"]["sessionContext"]["sourceIdentity"], "alice");
    assert_eq!(event["userIdentity"]["invokedBy"], FORMATION);
    forwarded.iam("ListGroups", &[]).refused("AccessDenied");
    for condition in [
        json!({"StringEquals": {"aws:PrincipalTag/team": "red", "aws:SourceIdentity": "alice"}}),
        json!({"DateEquals": {"aws:TokenIssueTime": "2026-11-21T22:00:00Z"}}),
        json!({"Bool": {"aws:MultiFactorAuthPresent": "false"}}),
    ] {
        let policy = allow_if("iam:ListRoles", &condition);
        let parameters =
            [("RoleName", "Worker"), ("PolicyName", "rights"), ("PolicyDocument", &*policy)];
        world.admin.iam("PutRolePolicy", &parameters).ok();
        world.advance(1);
        forwarded.iam("ListRoles", &[]).ok();
        session.iam("ListRoles", &[]).ok();
    }
}

/// Minutes do not become hours, and what a service may do is not more than its caller may.
#[test]
fn tm_b04_no_longer_session_comes_of_a_forwarded_one() {
    let world = World::new(903);
    let caller = world.user("Caller", Rights::Inline(&allow_all()));
    let forwarded = via(&world, &caller, &[FORMATION]);
    forwarded.iam("ListUsers", &[]).ok();
    forwarded.sts("GetSessionToken", &[]).refused("AccessDenied");
    caller.sts("GetSessionToken", &[]).ok();
    // SES-8: the session of a user without a second factor calls no IAM, forwarded or not.
    let session = caller.sts("GetSessionToken", &[]).ok();
    let session = caller.as_issued(&session);
    session.iam("ListUsers", &[]).refused("InvalidClientTokenId");
    let forwarded = via(&world, &session, &[FORMATION]);
    forwarded.iam("ListUsers", &[]).refused("InvalidClientTokenId");
    forwarded.sts("GetCallerIdentity", &[]).ok();
    // ROOT-7
    let root = via(&world, &world.root(HOME), &[FORMATION]);
    root.iam("ListUsers", &[]).ok();
    let role = world.role("Worker", HOME, Rights::None);
    let parameters = [("RoleArn", &*role), ("RoleSessionName", "job")];
    root.sts("AssumeRole", &parameters).refused("AccessDenied");
}

/// Nor a session without the services' mark, of whatever length, whoever forwards and allows it.
#[test]
fn tm_b04_no_other_session_comes_of_a_forwarded_one() {
    let world = World::new(908);
    let role = world.role("Worker", HOME, Rights::Inline(&allow_all()));
    let caller = world.user("Caller", Rights::Inline(&allow_all()));
    let session = caller.assume(&role, "first");
    let short = [("RoleArn", &*role), ("RoleSessionName", "job"), ("DurationSeconds", "900")];
    let absent = role.replace("Worker", "Absent");
    for client in [&caller, &session, &world.admin] {
        let forwarded = via(&world, client, &[FORMATION]);
        let longer = via(&world, &forwarded, &[LAMBDA]);
        for forwarded in [&forwarded, &longer] {
            for parameters in [&short[..], &short[..2], &[("RoleArn", &absent), short[1]]] {
                let reply = forwarded.sts("AssumeRole", parameters);
                let told =
                    "Cannot call AssumeRole with the credentials of a forward access session";
                let found = (reply.status, reply.code.as_str(), reply.message.as_str());
                assert_eq!(found, (403, "AccessDenied", told));
                assert!(world.last_event()["userIdentity"]["invokedBy"].is_string());
            }
            forwarded.sts("GetSessionToken", &[]).refused("AccessDenied");
            forwarded.sts("GetCallerIdentity", &[]).ok();
        }
        client.sts("AssumeRole", &short).ok();
    }
}

#[test]
fn tm_b03_forwarded_sessions_end() {
    let world = World::new(904);
    let caller = world.user("Caller", Rights::Inline(&allow_all()));
    let identify = |client: &Client| client.sts("GetCallerIdentity", &[]);
    let forwarded = via(&world, &caller, &[FORMATION]);
    world.advance(899);
    identify(&forwarded).ok();
    let again = via(&world, &forwarded, &[LAMBDA]);
    world.advance(1);
    identify(&forwarded).refused("ExpiredToken");
    // A longer chain is no longer life.
    identify(&again).refused("ExpiredToken");
    let error = try_via(&world, &forwarded, &[LAMBDA], None).map(drop).unwrap_err();
    assert!(matches!(error, OperatorError::Ended(_)), "{error}");
    // The session of a role ends in 1,000 s or less, forwarded or not.
    let role = world.role("Worker", HOME, Rights::None);
    let parameters = [("RoleArn", &*role), ("RoleSessionName", "job"), ("DurationSeconds", "900")];
    let session = world.admin.assume_with(&parameters);
    world.advance(600);
    let forwarded = via(&world, &session, &[FORMATION]);
    world.advance(299);
    identify(&forwarded).ok();
    world.advance(1);
    identify(&forwarded).refused("ExpiredToken");
}

#[test]
fn tm_b07_forwarded_sessions_end_with_their_caller() {
    let world = World::new(905);
    let caller = world.user("Caller", Rights::Inline(&allow_all()));
    let forwarded = via(&world, &caller, &[FORMATION]);
    forwarded.sts("GetCallerIdentity", &[]).ok();
    let status = |status: &str| {
        let parameters =
            [("UserName", "Caller"), ("AccessKeyId", caller.key()), ("Status", status)];
        world.admin.iam("UpdateAccessKey", &parameters).ok();
    };
    status("Inactive");
    forwarded.sts("GetCallerIdentity", &[]).refused("InvalidClientTokenId");
    assert!(try_via(&world, &caller, &[FORMATION], None).is_err());
    assert!(try_via(&world, &forwarded, &[FORMATION], None).is_err());
    status("Active");
    forwarded.sts("GetCallerIdentity", &[]).ok();
    // And with the role.
    let role = world.role("Worker", HOME, Rights::None);
    let session = via(&world, &world.admin.assume(&role, "job"), &[FORMATION]);
    session.sts("GetCallerIdentity", &[]).ok();
    world.admin.iam("DeleteRole", &[("RoleName", "Worker")]).ok();
    session.sts("GetCallerIdentity", &[]).refused("InvalidClientTokenId");
}

/// Nothing is kept of a session: another process with the master key takes it.
#[test]
fn a_forwarded_session_outlives_a_restart() {
    let world = World::new(906);
    let caller = world.user("Caller", Rights::Inline(&only_via(FORMATION)));
    let forwarded = via(&world, &caller, &[FORMATION]);
    let other = world.fork();
    other.adopt(&forwarded).iam("CreateUser", &[("UserName", "Later")]).ok();
}

/// What the operator's wish may not be; nothing is issued or recorded then.
#[test]
fn tm_b01_only_good_keys_and_names_are_forwarded() {
    let world = World::new(907);
    let caller = world.user("Caller", Rights::None);
    let before = world.revision();
    for services in [
        &[][..],
        &["cloudformation"],
        &["CloudFormation.amazonaws.com"],
        &[FORMATION, ""],
        &["*.amazonaws.com"],
        &["example.org"],
        &[FORMATION; 11],
    ] {
        assert!(try_via(&world, &caller, services, None).is_err(), "{services:?}");
    }
    let forwarded = via(&world, &caller, &[FORMATION; 6]);
    assert!(try_via(&world, &forwarded, &[FORMATION; 5], None).is_err());
    let held = forwarded.credentials.clone().unwrap();
    let own = caller.credentials.clone().unwrap();
    for (key, token) in [
        ("AKIAIOSFODNN7EXAMPLE", None),
        // A temporary key without its token, a token of another key, and one that is none.
        (&*held.access_key_id, None),
        (&*own.access_key_id, held.token.as_deref()),
        (&*held.access_key_id, Some("AAAA")),
    ] {
        let credentials = Credentials {
            access_key_id: key.to_owned(),
            secret: String::new(),
            token: token.map(ToOwned::to_owned),
        };
        let client = caller.with(Some(credentials));
        let error = try_via(&world, &client, &[FORMATION], None).map(drop).unwrap_err();
        assert!(matches!(error, OperatorError::NoUsableKey(_)), "{key}: {error}");
    }
    assert_eq!(world.revision(), before + 1);
    // The token of a forwarded session goes with no other key.
    let mixed = Credentials { token: held.token, ..own };
    caller.with(Some(mixed)).sts("GetCallerIdentity", &[]).refused("InvalidClientTokenId");
}
