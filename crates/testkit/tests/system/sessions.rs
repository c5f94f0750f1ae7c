//! Threats B: a session is what was issued, for as long as it was issued, and never more.

use bailiwick_testkit::{
    Client, Credentials, HOME, Reply, Rights, World, allow, allow_all, plausible, trust,
};
use bailiwick_wire::generated::sts as api;
use serde_json::json;

use crate::operations::{FREE, denial, full_name, implemented, parallel};

/// A world with a role of every right, and a session of it.
pub(crate) fn with_session(seed: u64) -> (World, String, Client) {
    let world = World::new(seed);
    let role = world.role("Worker", HOME, Rights::Inline(&allow_all()));
    let session = world.admin.assume(&role, "a-session");
    (world, role, session)
}

fn with_token(client: &Client, token: &str) -> Client {
    let held = client.credentials.clone().unwrap();
    client.with(Some(Credentials { token: Some(token.to_owned()), ..held }))
}

fn token(client: &Client) -> String {
    client.credentials.as_ref().unwrap().token.clone().unwrap()
}

pub(crate) fn identify(client: &Client) -> Reply {
    client.sts("GetCallerIdentity", &[])
}

#[test]
fn tm_b01_no_edited_token_is_accepted() {
    let (world, _, session) = with_session(300);
    identify(&session).ok();
    let token = token(&session);
    let before = world.revision();
    let refused = |edited: &str| {
        let reply = identify(&with_token(&session, edited));
        assert_eq!(reply.status, 403, "{edited}");
        assert_eq!(reply.code, "InvalidClientTokenId", "{edited}");
    };
    for (at, letter) in token.char_indices() {
        for bit in [1u8, 2, 4, 8, 16] {
            let other = char::from(u8::try_from(letter).unwrap() ^ bit);
            if !other.is_ascii_graphic() {
                continue;
            }
            let mut edited = token.clone();
            edited.replace_range(at..=at, &other.to_string());
            refused(&edited);
        }
    }
    for cut in 1..token.len() {
        refused(&token[..cut]);
    }
    for edited in [
        format!("{token}A"),
        format!("{token}="),
        format!("{token}{token}"),
        format!("A{token}"),
        token.to_lowercase(),
        token.replace('=', ""),
        "AAAA".into(),
        "x".repeat(70_000),
    ] {
        if edited != token {
            refused(&edited);
        }
    }
    assert_eq!(world.revision(), before);
}

/// Nothing of a token can be read, so that no secret can be worked out of it.
#[test]
fn tm_b01_a_token_shows_nothing() {
    let (_, _, session) = with_session(301);
    let held = session.credentials.clone().unwrap();
    let sealed = decode(&token(&session));
    for text in [&*held.secret, &*held.access_key_id, "Worker", "a-session", HOME] {
        let found = sealed.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(!found, "{text} is in the token");
    }
}

fn decode(text: &str) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.bytes().filter_map(|byte| alphabet.iter().position(|held| *held == byte));
    let bits: Vec<bool> =
        digits.flat_map(|digit| (0..6).rev().map(move |bit| digit >> bit & 1 == 1)).collect();
    let byte = |bits: &[bool]| bits.iter().fold(0u8, |byte, bit| byte << 1 | u8::from(*bit));
    bits.chunks_exact(8).map(byte).collect()
}

/// Another node's master key seals tokens that are nothing here, though all else is the same.
#[test]
fn tm_b01_a_token_of_another_node_is_refused() {
    let (here, role, session) = with_session(302);
    let there = World::with_master(302, [9; 32]);
    let same = there.role("Worker", HOME, Rights::Inline(&allow_all()));
    assert_eq!(role, same);
    let foreign = there.admin.assume(&role, "a-session");
    identify(&foreign).ok();
    identify(&here.adopt(&foreign)).refused("InvalidClientTokenId");
    identify(&there.adopt(&session)).refused("InvalidClientTokenId");
    // The same master key and state: the session goes on after a restart.
    identify(&here.fork().adopt(&session)).ok();
}

/// A sealed value of one kind is nothing where another kind is wanted.
#[test]
fn tm_b02_a_token_is_of_one_kind() {
    let (world, _, session) = with_session(303);
    world.user("Bob", Rights::None);
    let marker = world.admin.iam("ListUsers", &[("MaxItems", "1")]).ok().text("Marker");
    let next = world.admin.call("bailiwick", "ListEvents", &[]);
    assert!(next.is_ok());
    let events = world.admin.clone();
    let request = events.request_with(
        &bailiwick_wire::generated::bailiwick::SERVICE,
        "ListEvents",
        br#"{"MaxResults":1}"#.to_vec(),
    );
    let operation = bailiwick_wire::generated::bailiwick::SERVICE.operation("ListEvents");
    let next = events.exchange_for(operation, request).ok().text("NextToken");
    let session_token = token(&session);
    // As a session token.
    for other in [&marker, &next] {
        identify(&with_token(&session, other)).refused("InvalidClientTokenId");
        identify(&with_token(&world.admin, other)).refused("InvalidClientTokenId");
    }
    // As a page marker.
    for other in [&next, &session_token] {
        let reply = world.admin.iam("ListUsers", &[("Marker", other)]);
        assert_eq!((reply.status, &*reply.code), (400, "ValidationError"), "{}", reply.message);
    }
    // As a place in the trail.
    for other in [&marker, &session_token] {
        let reply = world.admin.call("bailiwick", "ListEvents", &[("NextToken", other)]);
        assert_eq!(reply.status, 400, "{}", reply.message);
    }
    // With the key of another session.
    let other = world.admin.assume(&world.role("Other", HOME, Rights::None), "other");
    identify(&with_token(&session, &token(&other))).refused("InvalidClientTokenId");
}

#[test]
fn tm_b03_a_session_ends_at_its_second() {
    let (world, role, _) = with_session(304);
    for seconds in [900, 3600] {
        let text = seconds.to_string();
        let parameters =
            [("RoleArn", &*role), ("RoleSessionName", "edge"), ("DurationSeconds", &*text)];
        let reply = world.admin.sts("AssumeRole", &parameters).ok();
        let session = world.admin.as_issued(&reply);
        identify(&session).ok();
        world.advance(seconds - 1);
        identify(&session).ok();
        world.advance(1);
        identify(&session).refused("ExpiredToken");
        assert_eq!(
            reply.instant("Credentials.Expiration"),
            bailiwick_services::Clock::now(&*world.clock)
        );
        world.advance(seconds);
        identify(&session).refused("ExpiredToken");
    }
    let token = world.admin.sts("GetSessionToken", &[("DurationSeconds", "900")]).ok();
    let session = world.admin.as_issued(&token);
    world.advance(899);
    identify(&session).ok();
    world.advance(1);
    identify(&session).refused("ExpiredToken");
}

/// No session without an end, and none beyond the limits of its role and its kind.
#[test]
fn tm_b03_a_session_cannot_be_made_longer() {
    let (world, role, session) = with_session(305);
    let assume = |client: &Client, seconds: &str| {
        let parameters =
            [("RoleArn", &*role), ("RoleSessionName", "long"), ("DurationSeconds", seconds)];
        client.sts("AssumeRole", &parameters)
    };
    for (seconds, good) in [
        ("0", false),
        ("-1", false),
        ("899", false),
        ("900", true),
        ("3600", true),
        ("3601", false),
        ("43200", false),
        ("43201", false),
        ("2147483648", false),
        ("99999999999999999999", false),
    ] {
        let reply = assume(&world.admin, seconds);
        assert_eq!(reply.is_ok(), good, "{seconds}: {}", reply.message);
        assert!(reply.is_ok() || reply.status == 400, "{seconds}");
    }
    let update = [("RoleName", "Worker"), ("MaxSessionDuration", "43200")];
    world.admin.iam("UpdateRole", &update).ok();
    assume(&world.admin, "43200").ok();
    assume(&session, "3601").refused("ValidationError");
    // Root's own sessions end after an hour whatever is asked.
    let root = world.root(HOME);
    let reply = root.sts("GetSessionToken", &[("DurationSeconds", "129600")]).ok();
    let end = reply.instant("Credentials.Expiration");
    let hour = bailiwick_services::Clock::now(&*world.clock) + jiff::SignedDuration::from_hours(1);
    assert!(end <= hour, "{end}");
}

/// A session with a session policy tries everything: it may do what both allow, and no more.
#[test]
fn tm_b04_a_restricted_session_stays_restricted() {
    let (world, one, _) = World::furnished(306);
    let role = world.role("Mighty", HOME, Rights::Inline(&allow_all()));
    let document = allow(&["iam:ListUsers"]);
    let parameters = [("RoleArn", &*role), ("RoleSessionName", "narrow"), ("Policy", &*document)];
    let narrow = world.admin.assume_with(&parameters);
    narrow.iam("ListUsers", &[]).ok();
    let before = world.records_of(HOME);
    for operation in implemented() {
        let name = full_name(operation);
        if name == "iam:ListUsers" || name == "sts:GetCallerIdentity" {
            continue;
        }
        let reply = narrow.send(operation, &plausible(operation, &one));
        assert!(!reply.is_ok(), "{name} is open to a restricted session");
        // ChangePassword is for users, and says so before it asks.
        let (_, denied) = denial(operation);
        let expected = if operation.name == "ChangePassword" { "InvalidUserType" } else { denied };
        assert_eq!(reply.code, expected, "{name}: {}", reply.message);
    }
    assert_eq!(world.records_of(HOME), before);
    // A managed session policy limits in the same way.
    let arn = "arn:aws:iam::aws:policy/IAMReadOnlyAccess";
    let parameters =
        [("RoleArn", &*role), ("RoleSessionName", "reader"), ("PolicyArns.member.1.arn", arn)];
    let reader = world.admin.assume_with(&parameters);
    reader.iam("ListUsers", &[]).ok();
    reader.iam("CreateUser", &[("UserName", "Nope")]).refused("AccessDenied");
}

/// A session of a user is the user, within its boundary, and may not make credentials last.
#[test]
fn tm_b04_a_session_of_a_user_inherits_its_limits() {
    let world = World::new(307);
    let bob = world.user("Bob", Rights::Inline(&allow_all()));
    let document = allow(&["iam:GetUser", "iam:CreateAccessKey", "sts:*"]);
    let policy = [("PolicyName", "Bound"), ("PolicyDocument", &*document)];
    let bound = world.admin.iam("CreatePolicy", &policy).ok().text("Policy.Arn");
    let put = [("UserName", "Bob"), ("PermissionsBoundary", &*bound)];
    world.admin.iam("PutUserPermissionsBoundary", &put).ok();
    bob.iam("GetUser", &[]).ok();
    bob.iam("ListUsers", &[]).refused("AccessDenied");
    let session = bob.as_issued(&bob.sts("GetSessionToken", &[]).ok());
    identify(&session).ok();
    // SES-8: without a second factor such a token does not reach IAM, nor STS beyond AssumeRole.
    for operation in ["GetUser", "CreateAccessKey", "ListUsers"] {
        assert!(!session.iam(operation, &[]).is_ok(), "{operation}");
    }
    assert!(!session.sts("GetSessionToken", &[]).is_ok());
    // A new key has the rights of its user.
    let key = bob.as_created(&bob.iam("CreateAccessKey", &[]).ok());
    key.iam("ListUsers", &[]).refused("AccessDenied");
    // And a role session cannot turn itself into a user's session.
    let role = world.role("Worker", HOME, Rights::Inline(&allow_all()));
    assert!(!world.admin.assume(&role, "role").sts("GetSessionToken", &[]).is_ok());
}

#[test]
fn tm_b07_a_deleted_role_ends_its_sessions() {
    let (world, _, session) = with_session(312);
    identify(&session).ok();
    let parameters = [("RoleName", "Worker"), ("PolicyName", "rights")];
    world.admin.iam("DeleteRolePolicy", &parameters).ok();
    world.admin.iam("DeleteRole", &[("RoleName", "Worker")]).ok();
    identify(&session).refused("InvalidClientTokenId");
    world.role("Worker", HOME, Rights::Inline(&allow_all()));
    identify(&session).refused("InvalidClientTokenId");
}

/// The policy that the console writes to revoke sessions: older ones end, newer ones begin.
#[test]
fn tm_b07_older_sessions_are_revoked() {
    let (world, role, old) = with_session(313);
    world.advance(60);
    old.iam("ListUsers", &[]).ok();
    let document = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Deny", "Action": ["*"], "Resource": ["*"],
            "Condition": {"DateLessThan": {"aws:TokenIssueTime": "2026-11-21T22:00:30Z"}},
        }],
    });
    let put = [
        ("RoleName", "Worker"),
        ("PolicyName", "AWSRevokeOlderSessions"),
        ("PolicyDocument", &*document.to_string()),
    ];
    world.admin.iam("PutRolePolicy", &put).ok();
    old.iam("ListUsers", &[]).refused("AccessDenied");
    world.admin.assume(&role, "new").iam("ListUsers", &[]).ok();
}

/// The same while the session is in use: nothing begun after the acknowledgement succeeds.
#[test]
fn tm_b07_revocation_under_load() {
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    let (world, _, session) = with_session(314);
    let revoked = AtomicBool::new(false);
    let (before, after, late) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    parallel(9, |number| {
        if number == 0 {
            while before.load(Ordering::SeqCst) < 100 {
                std::thread::yield_now();
            }
            let parameters = [("RoleName", "Worker"), ("PolicyName", "rights")];
            world.admin.iam("DeleteRolePolicy", &parameters).ok();
            world.admin.iam("DeleteRole", &[("RoleName", "Worker")]).ok();
            revoked.store(true, Ordering::SeqCst);
            return;
        }
        while after.load(Ordering::SeqCst) < 100 {
            let begun_after = revoked.load(Ordering::SeqCst);
            let good = identify(&session).is_ok();
            let counter = if begun_after { &after } else { &before };
            counter.fetch_add(1, Ordering::SeqCst);
            late.fetch_add(u64::from(begun_after && good), Ordering::SeqCst);
        }
    });
    assert_eq!(late.load(Ordering::SeqCst), 0);
}

/// A user's session ends with the key that asked for it, and with the user.
#[test]
fn tm_b07_a_session_ends_with_its_key() {
    let world = World::new(315);
    let bob = world.user("Bob", Rights::None);
    let second = world.admin.iam("CreateAccessKey", &[("UserName", "Bob")]).ok();
    let second = world.admin.as_created(&second);
    let session = bob.as_issued(&bob.sts("GetSessionToken", &[]).ok());
    let other = second.as_issued(&second.sts("GetSessionToken", &[]).ok());
    identify(&session).ok();
    let set = |status: &str| {
        let parameters = [("UserName", "Bob"), ("AccessKeyId", bob.key()), ("Status", status)];
        world.admin.iam("UpdateAccessKey", &parameters).ok();
    };
    set("Inactive");
    identify(&session).refused("InvalidClientTokenId");
    identify(&other).ok();
    set("Active");
    identify(&session).ok();
    for key in [bob.key(), second.key()] {
        world.admin.iam("DeleteAccessKey", &[("UserName", "Bob"), ("AccessKeyId", key)]).ok();
    }
    identify(&session).refused("InvalidClientTokenId");
    world.admin.iam("DeleteUser", &[("UserName", "Bob")]).ok();
    identify(&other).refused("InvalidClientTokenId");
}

/// Text of a caller's choice in an answer is text, whatever it is made of.
#[test]
fn tm_b09_chosen_text_stays_text() {
    let world = World::new(317);
    let hostile = [
        "</Description></Role><Role><Arn>x</Arn>",
        "]]>",
        "<!--",
        "&lt;&amp;",
        "\"'`",
        "a\tb",
        "<?xml?>",
        "%3Cb%3E",
        "{\"a\":1}",
        "\\u003c",
        "é€",
    ];
    for (at, text) in hostile.iter().enumerate() {
        let name = format!("Role{at}");
        let document = trust(HOME);
        let create =
            [("RoleName", &*name), ("AssumeRolePolicyDocument", &document), ("Description", text)];
        let reply = world.admin.iam("CreateRole", &create);
        if !reply.is_ok() {
            // What the model's pattern does not take is refused, not cleaned.
            assert_eq!(reply.code, "ValidationError", "{text:?}: {}", reply.message);
            continue;
        }
        let role = world.admin.iam("GetRole", &[("RoleName", &name)]).ok();
        assert_eq!(role.text("Role.Description"), *text);
        assert_eq!(role.text("Role.RoleName"), name);
        assert_eq!(role.text("Role.Arn"), format!("arn:aws:iam::{HOME}:role/{name}"));
        // In the trail, which is JSON inside JSON.
        let event =
            world.events(HOME).into_iter().rev().find(|event| event["eventName"] == "CreateRole");
        assert_eq!(event.unwrap()["requestParameters"]["description"], *text);
        let listed =
            world.admin.call("bailiwick", "ListEvents", &[("EventName", "CreateRole")]).ok();
        let first: serde_json::Value = serde_json::from_str(&listed.text("Events.0")).unwrap();
        assert_eq!(first["requestParameters"]["description"], *text);
    }
}

/// The typed client reads what the untyped one does, and free operations stay free (EV-11).
#[test]
fn identity_needs_no_permission() {
    let world = World::new(318);
    let denied = json!({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}],
    });
    let bob = world.user("Bob", Rights::Inline(&denied.to_string()));
    let answer = bob.ask::<api::GetCallerIdentity>(api::GetCallerIdentityRequest::default());
    assert_eq!(answer.unwrap().arn, Some(format!("arn:aws:iam::{HOME}:user/Bob")));
    assert_eq!(FREE.len(), 2);
    bob.sts("GetSessionToken", &[]).ok();
}
