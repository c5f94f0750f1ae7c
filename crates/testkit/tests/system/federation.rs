//! GetFederationToken: a session that has at most what its maker has, and what its own session
//! policies allow of that.

use bailiwick_testkit::{Client, HOME, Reply, Rights, World, allow, allow_all, deny};
use serde_json::{Value as Json, json};

use crate::sessions::identify;

fn federate(client: &Client, parameters: &[(&str, &str)]) -> Reply {
    let all: Vec<_> = [("Name", "Fred")].iter().chain(parameters).copied().collect();
    client.sts("GetFederationToken", &all)
}

/// A session with an inline session policy.
fn session(client: &Client, policy: &str) -> Client {
    client.as_issued(&federate(client, &[("Policy", policy)]).ok())
}

/// An operation of this server that a federated user may be allowed.
fn events(client: &Client) -> Reply {
    client.call("bailiwick", "ListEvents", &[])
}

const LIST: &[&str] = &["bailiwick:ListEvents"];

#[test]
fn a_federated_user_is_told_as_such() {
    let world = World::new(1300);
    let bob = world.user("Bob", Rights::Inline(&allow_all()));
    let reply = federate(&bob, &[("Policy", &allow(LIST)), ("DurationSeconds", "900")]).ok();
    let arn = format!("arn:aws:sts::{HOME}:federated-user/Fred");
    assert_eq!(reply.text("FederatedUser.Arn"), arn);
    assert_eq!(reply.text("FederatedUser.FederatedUserId"), format!("{HOME}:Fred"));
    assert!(reply.at("PackedPolicySize").is_some());
    let issued = world.last_event();
    assert_eq!(issued["eventName"], "GetFederationToken");
    assert_eq!(issued["responseElements"]["federatedUser"]["arn"], arn);
    assert!(!issued.to_string().contains(&reply.text("Credentials.SecretAccessKey")));
    let fred = bob.as_issued(&reply);
    let who = identify(&fred).ok();
    assert_eq!(who.text("Arn"), arn);
    assert_eq!(who.text("UserId"), format!("{HOME}:Fred"));
    let user = world.admin.iam("GetUser", &[("UserName", "Bob")]).ok();
    let event: Json = world
        .events(HOME)
        .into_iter()
        .rev()
        .find(|event| event["eventName"] == "GetCallerIdentity")
        .unwrap();
    let identity = &event["userIdentity"];
    assert_eq!(identity["type"], "FederatedUser");
    assert_eq!(identity["principalId"], format!("{HOME}:Fred"));
    assert_eq!(identity["arn"], arn);
    assert_eq!(identity["accessKeyId"], fred.key());
    assert_eq!(identity["userName"], Json::Null);
    let maker = json!({
        "type": "IAMUser", "principalId": user.text("User.UserId"),
        "arn": format!("arn:aws:iam::{HOME}:user/Bob"), "accountId": HOME, "userName": "Bob",
    });
    assert_eq!(identity["sessionContext"]["sessionIssuer"], maker);
    assert_eq!(identity["sessionContext"]["attributes"]["mfaAuthenticated"], "false");
    // The session lives as long as was asked.
    world.advance(899);
    identify(&fred).ok();
    world.advance(1);
    identify(&fred).refused("ExpiredToken");
}

/// SES-5, SES-6: what both its maker and its session policies allow, and without any nothing.
#[test]
fn tm_b04_a_federated_user_has_what_both_allow() {
    let world = World::new(1301);
    let bob = world.user("Bob", Rights::Inline(&allow(&["sts:*", "bailiwick:ListEvents"])));
    let plain = bob.as_issued(&federate(&bob, &[]).ok());
    identify(&plain).ok();
    events(&plain).refused("AccessDeniedException");
    events(&session(&bob, &allow(LIST))).ok();
    events(&session(&bob, &allow_all())).ok();
    events(&session(&bob, &deny(LIST))).refused("AccessDeniedException");
    events(&session(&bob, &allow(&["iam:*"]))).refused("AccessDeniedException");
    let managed = |arn: &str| federate(&bob, &[("PolicyArns.member.1.arn", arn)]);
    let all = "arn:aws:iam::aws:policy/AdministratorAccess";
    events(&bob.as_issued(&managed(all).ok())).ok();
    let reply = managed("arn:aws:iam::aws:policy/NoSuchThing").refused("MalformedPolicyDocument");
    assert_eq!(reply.status, 400);
    // What its maker loses it loses.
    let held = session(&bob, &allow_all());
    world.put_user_policy("Bob", &allow(&["sts:*"]));
    events(&held).refused("AccessDeniedException");
    // Nor does a boundary of its maker stand open to it.
    world.put_user_policy("Bob", &allow_all());
    events(&held).ok();
    let bound = allow(&["sts:*"]);
    let policy = [("PolicyName", "Bound"), ("PolicyDocument", &*bound)];
    let bound = world.admin.iam("CreatePolicy", &policy).ok().text("Policy.Arn");
    let put = [("UserName", "Bob"), ("PermissionsBoundary", &*bound)];
    world.admin.iam("PutUserPermissionsBoundary", &put).ok();
    events(&held).refused("AccessDeniedException");
    // Root may do everything, and its sessions what their policies say, for an hour.
    let root = world.root(HOME);
    let reply = federate(&root, &[("Policy", &allow(LIST)), ("DurationSeconds", "129600")]).ok();
    let hour = bailiwick_services::Clock::now(&*world.clock) + jiff::SignedDuration::from_hours(1);
    assert!(reply.instant("Credentials.Expiration") <= hour);
    events(&root.as_issued(&reply)).ok();
    let event = world.last_event();
    let issuer = &event["userIdentity"]["sessionContext"]["sessionIssuer"];
    assert_eq!((&issuer["type"], &issuer["principalId"]), (&json!("Root"), &json!(HOME)));
    events(&root.as_issued(&federate(&root, &[]).ok())).refused("AccessDeniedException");
    events(&session(&root, &allow(&["iam:*"]))).refused("AccessDeniedException");
}

/// SES-8: who may not ask for one, and what one may not call.
#[test]
fn tm_b04_a_federated_user_issues_nothing() {
    let world = World::new(1302);
    let bob = world.user("Bob", Rights::Inline(&allow_all()));
    let fred = session(&bob, &allow_all());
    for (operation, parameters) in [
        ("GetFederationToken", vec![("Name", "Next")]),
        ("GetSessionToken", vec![]),
        (
            "AssumeRole",
            vec![("RoleArn", "arn:aws:iam::123456789012:role/Any"), ("RoleSessionName", "any")],
        ),
        ("GetAccessKeyInfo", vec![("AccessKeyId", fred.key())]),
    ] {
        let reply = fred.sts(operation, &parameters).refused("AccessDenied");
        assert_eq!(reply.status, 403, "{operation}");
    }
    fred.iam("ListUsers", &[]).refused("InvalidClientTokenId");
    fred.iam("CreateUser", &[("UserName", "Nope")]).refused("InvalidClientTokenId");
    let role = world.role("Worker", HOME, Rights::Inline(&allow_all()));
    federate(&world.admin.assume(&role, "a-session"), &[]).refused("AccessDenied");
    let token = bob.as_issued(&bob.sts("GetSessionToken", &[]).ok());
    federate(&token, &[]).refused("AccessDenied");
    federate(&world.user("Eve", Rights::None), &[]).refused("AccessDenied");
    // The name can be limited, and tags need a permission of their own (SES-9).
    let only = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow",
        "Action": "sts:GetFederationToken",
        "Resource": format!("arn:aws:sts::{HOME}:federated-user/Fred")}});
    let ann = world.user("Ann", Rights::Inline(&only.to_string()));
    federate(&ann, &[]).ok();
    ann.sts("GetFederationToken", &[("Name", "Other")]).refused("AccessDenied");
    let tags = [("Tags.member.1.Key", "stage"), ("Tags.member.1.Value", "test")];
    let reply = federate(&ann, &tags).refused("AccessDenied");
    assert!(reply.message.contains("sts:TagSession"), "{}", reply.message);
}

/// SES-9: session tags stand over those of the user.
#[test]
fn session_tags_override_those_of_the_user() {
    let world = World::new(1303);
    let bob = world.user("Bob", Rights::Inline(&allow_all()));
    let tag =
        [("UserName", "Bob"), ("Tags.member.1.Key", "stage"), ("Tags.member.1.Value", "live")];
    world.admin.iam("TagUser", &tag).ok();
    let policy = |stage: &str| {
        json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*",
            "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalTag/stage": stage}}}})
        .to_string()
    };
    events(&session(&bob, &policy("live"))).ok();
    let tagged = |policy: &str| {
        let given =
            [("Policy", policy), ("Tags.member.1.Key", "stage"), ("Tags.member.1.Value", "test")];
        bob.as_issued(&federate(&bob, &given).ok())
    };
    events(&tagged(&policy("test"))).ok();
    events(&tagged(&policy("live"))).refused("AccessDeniedException");
    let kind = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*",
        "Resource": "*", "Condition": {
            "StringEquals": {"aws:PrincipalType": "FederatedUser", "aws:userid": format!("{HOME}:Fred")},
            "Null": {"aws:username": "true", "aws:TokenIssueTime": "false"},
            "Bool": {"aws:MultiFactorAuthPresent": "false"}}}});
    events(&session(&bob, &kind.to_string())).ok();
}

#[test]
fn bad_requests_are_refused() {
    let world = World::new(1304);
    let bob = &world.admin;
    for parameters in [
        vec![("Name", "F")],
        vec![("Name", "a b")],
        vec![("Name", &*"x".repeat(33))],
        vec![("Name", "Fred"), ("DurationSeconds", "899")],
        vec![("Name", "Fred"), ("DurationSeconds", "129601")],
        vec![],
    ] {
        let reply = bob.sts("GetFederationToken", &parameters).refused("ValidationError");
        assert_eq!(reply.status, 400, "{parameters:?}");
    }
    federate(bob, &[("Policy", "{}")]).refused("MalformedPolicyDocument");
    let long = format!("{}{}", allow(LIST), " ".repeat(2040 - allow(LIST).len()));
    let arn = "arn:aws:iam::aws:policy/AdministratorAccess";
    let both = [("Policy", &*long), ("PolicyArns.member.1.arn", arn)];
    federate(bob, &both).refused("PackedPolicyTooLarge");
    federate(bob, &[("Policy", &long)]).ok();
    let twice = [
        ("Tags.member.1.Key", "a"),
        ("Tags.member.1.Value", "1"),
        ("Tags.member.2.Key", "A"),
        ("Tags.member.2.Value", "2"),
    ];
    federate(bob, &twice).refused("InvalidParameterValue");
}

/// A federated session ends with the key that asked for it, and with the user.
#[test]
fn tm_b07_a_federated_session_ends_with_its_key_and_user() {
    let world = World::new(1305);
    let bob = world.user("Bob", Rights::Inline(&allow_all()));
    let second = world.admin.iam("CreateAccessKey", &[("UserName", "Bob")]).ok();
    let second = world.admin.as_created(&second);
    let (one, two) = (session(&bob, &allow_all()), session(&second, &allow_all()));
    let status = |status: &str| {
        let set = [("UserName", "Bob"), ("AccessKeyId", bob.key()), ("Status", status)];
        world.admin.iam("UpdateAccessKey", &set).ok();
    };
    status("Inactive");
    identify(&one).refused("InvalidClientTokenId");
    events(&two).ok();
    status("Active");
    events(&one).ok();
    // And goes on after a restart.
    events(&world.fork().adopt(&one)).ok();
    for key in [bob.key(), second.key()] {
        world.admin.iam("DeleteAccessKey", &[("UserName", "Bob"), ("AccessKeyId", key)]).ok();
    }
    identify(&one).refused("InvalidClientTokenId");
    world.admin.iam("DeleteUserPolicy", &[("UserName", "Bob"), ("PolicyName", "rights")]).ok();
    world.admin.iam("DeleteUser", &[("UserName", "Bob")]).ok();
    identify(&two).refused("InvalidClientTokenId");
}
