//! Threats A, through the whole pipeline. The signature alone is tested where it is made.

use bailiwick_testkit::{Client, Credentials, HOME, Reply, Rights, World, allow_all, plausible};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};

use crate::operations::{all, full_name, parallel};

/// A call of each protocol that would change something, or at least succeed.
fn recorded(client: &Client) -> Vec<Request<Bytes>> {
    vec![
        client.request("iam", "CreateUser", &[("UserName", "Recorded")]),
        client.request("sts", "GetCallerIdentity", &[]),
        client.request("bailiwick", "ListEvents", &[]),
    ]
}

/// Sends what must not be taken: refused, recorded once, nothing changed.
#[track_caller]
fn refused(world: &World, request: Request<Bytes>, what: &str) -> Reply {
    let (revision, events) = (world.revision(), world.events(HOME).len());
    let reply = world.admin.exchange(request);
    assert!((400..500).contains(&reply.status), "{what}: {} {}", reply.status, reply.text_body());
    assert_eq!(world.revision(), revision, "{what}");
    assert_eq!(world.events(HOME).len(), events + 1, "{what}");
    reply
}

fn edited(
    request: &Request<Bytes>,
    edit: impl FnOnce(&mut http::request::Parts),
) -> Request<Bytes> {
    let (mut parts, body) = request.clone().into_parts();
    edit(&mut parts);
    Request::from_parts(parts, body)
}

#[test]
fn tm_a01_unsigned_headers_change_nothing() {
    let world = World::new(400);
    let role = world.role("Worker", HOME, Rights::Inline(&allow_all()));
    let session = world.admin.assume(&role, "a-session");
    for client in [&world.admin, &session] {
        for request in recorded(client) {
            for name in [
                "x-amz-target",
                "x-amz-security-token",
                "x-amz-date",
                "x-amz-user-agent",
                "x-amz-anything",
                "x-amz-content-sha256-extra",
                "x-amz-access-key",
                "x-amz-source-identity",
                "X-AMZ-Role",
            ] {
                for value in ["Bailiwick_20261101.ExplainDecision", "x", ""] {
                    let name = HeaderName::try_from(name).unwrap();
                    let added = edited(&request, |parts| {
                        parts.headers.append(name.clone(), HeaderValue::from_str(value).unwrap());
                    });
                    refused(&world, added, &format!("{name}: {value:?} added"));
                }
            }
            let held: Vec<HeaderName> = request.headers().keys().cloned().collect();
            for name in held.iter().filter(|name| name.as_str().starts_with("x-amz-")) {
                let changed = edited(&request, |parts| {
                    let old = parts.headers.get(name).unwrap().to_str().unwrap().to_owned();
                    let new = format!("{}x", &old[..old.len() - 1]);
                    parts.headers.insert(name.clone(), new.parse().unwrap());
                });
                refused(&world, changed, &format!("{name} changed"));
                let removed = edited(&request, |parts| drop(parts.headers.remove(name)));
                refused(&world, removed, &format!("{name} removed"));
            }
        }
    }
}

#[test]
fn tm_a02_one_source_of_credentials() {
    let world = World::new(401);
    for request in recorded(&world.admin) {
        for name in ["authorization", "x-amz-date", "host"] {
            let name = HeaderName::try_from(name).unwrap();
            let twice = edited(&request, |parts| {
                let value = parts.headers.get(&name).unwrap().clone();
                parts.headers.append(name.clone(), value);
            });
            refused(&world, twice, &format!("{name} twice"));
        }
        let both = edited(&request, |parts| {
            parts.uri = "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00".parse().unwrap();
        });
        refused(&world, both, "header and query");
    }
}

#[test]
fn tm_a04_another_body_is_refused() {
    let world = World::new(402);
    for request in recorded(&world.admin) {
        let (parts, body) = request.into_parts();
        let (revision, events) = (world.revision(), world.events(HOME).len());
        for at in 0..body.len() {
            for bit in 0..8 {
                let mut changed = body.to_vec();
                changed[at] ^= 1 << bit;
                let request = Request::from_parts(parts.clone(), Bytes::from(changed));
                let reply = world.admin.exchange(request);
                assert!((400..500).contains(&reply.status), "byte {at}: {}", reply.text_body());
            }
        }
        assert_eq!(world.revision(), revision);
        assert_eq!(world.events(HOME).len(), events + body.len() * 8);
        for marker in [
            "UNSIGNED-PAYLOAD",
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
            "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD",
        ] {
            let mut parts = parts.clone();
            parts.headers.insert("x-amz-content-sha256", marker.parse().unwrap());
            let service =
                if parts.headers.contains_key("x-amz-target") { "bailiwick" } else { "iam" };
            let request = Request::from_parts(parts, body.clone());
            refused(&world, world.admin.sign(service, request), marker);
        }
    }
}

#[test]
fn tm_a06_dates_at_the_edges() {
    let world = World::new(403);
    for (seconds, good) in [(-301, false), (-300, true), (0, true), (300, true), (301, false)] {
        let request = world.admin.request("sts", "GetCallerIdentity", &[]);
        world.advance(-seconds);
        assert_eq!(world.admin.exchange(request).status == 200, good, "{seconds}");
        world.advance(seconds);
    }
}

#[test]
fn tm_a08_a_scope_names_its_service() {
    let world = World::new(404);
    let plain = world.anonymous().request("iam", "ListUsers", &[]);
    for (service, good) in
        [("iam", true), ("sts", false), ("s3", false), ("bailiwick", false), ("IAM", false)]
    {
        let reply = world.admin.exchange(world.admin.sign(service, plain.clone()));
        assert_eq!(reply.status == 200, good, "{service}: {}", reply.message);
    }
}

/// Recorded calls, sent again within the window: no second entity, no second effect.
#[test]
fn tm_a09_a_replay_makes_nothing_twice() {
    let (world, one, _) = World::furnished(405);
    let (user, group) = (one.name("Spare"), one.name("Crew"));
    let mut calls: Vec<Request<Bytes>> = Vec::new();
    for number in 0..100 {
        let name = format!("replayed-{number}");
        let document = bailiwick_testkit::allow(&["s3:GetObject"]);
        let trust = bailiwick_testkit::trust(HOME);
        let admin = &world.admin;
        calls.extend([
            admin.request("iam", "CreateUser", &[("UserName", &name)]),
            admin.request("iam", "CreateGroup", &[("GroupName", &name)]),
            admin.request(
                "iam",
                "CreateRole",
                &[("RoleName", &name), ("AssumeRolePolicyDocument", &trust)],
            ),
            admin.request(
                "iam",
                "CreatePolicy",
                &[("PolicyName", &name), ("PolicyDocument", &document)],
            ),
            admin.request("iam", "CreateInstanceProfile", &[("InstanceProfileName", &name)]),
            admin.request(
                "iam",
                "TagUser",
                &[("UserName", &user), ("Tags.member.1.Key", "n"), ("Tags.member.1.Value", &name)],
            ),
            admin.request("iam", "AddUserToGroup", &[("GroupName", &group), ("UserName", &name)]),
            admin.request(
                "iam",
                "AttachUserPolicy",
                &[("UserName", &name), ("PolicyArn", &one.arn("policy", "Loose"))],
            ),
            admin.request(
                "iam",
                "PutUserPolicy",
                &[("UserName", &name), ("PolicyName", "p"), ("PolicyDocument", &document)],
            ),
            admin.request(
                "iam",
                "RemoveUserFromGroup",
                &[("GroupName", &group), ("UserName", &name)],
            ),
        ]);
    }
    assert_eq!(calls.len(), 1000);
    for call in &calls {
        assert_eq!(world.admin.exchange(call.clone()).status, 200);
    }
    let counts = || {
        let users = world.admin.iam("GetAccountSummary", &[]).ok().value().cloned();
        (users, without_outbox(&world))
    };
    let before = counts();
    // The membership calls come in pairs that undo each other, and the tag is the last one's again.
    for call in &calls {
        let reply = world.admin.exchange(call.clone());
        assert!(matches!(reply.status, 200 | 409), "{}", reply.message);
    }
    assert_eq!(counts().0, before.0);
    let (now, then) = (counts().1, before.1);
    assert_eq!(now.keys().collect::<Vec<_>>(), then.keys().collect::<Vec<_>>());
    // A call with an invocation id is answered again without being done again.
    let plain = world.anonymous().request("iam", "CreateAccessKey", &[("UserName", &user)]);
    let first_time = edited(&plain, |parts| {
        parts.headers.insert(
            "amz-sdk-invocation-id",
            "b1c2d3e4-0000-4000-8000-000000000001".parse().unwrap(),
        );
    });
    let named = world.admin.sign("iam", first_time);
    let (first, second) = (world.admin.exchange(named.clone()), world.admin.exchange(named));
    assert_eq!((first.status, second.status), (200, 200));
    assert_eq!(first.body, second.body);
    let keys = world.admin.iam("ListAccessKeys", &[("UserName", &user)]).ok();
    assert_eq!(keys.len("AccessKeyMetadata"), 1);
}

fn without_outbox(world: &World) -> std::collections::BTreeMap<Vec<u8>, Vec<u8>> {
    let mut records = world.records_of(HOME);
    records.retain(|key, _| !key.windows(7).any(|part| part == b"/retry/"));
    records
}

/// A remembered answer is for the caller that got it, while it may still make the call.
#[test]
fn tm_a09_a_remembered_answer_needs_the_right_still() {
    let world = World::new(412);
    let (bob, eve) = (
        world.user("Bob", Rights::Inline(&allow_all())),
        world.user("Eve", Rights::Inline(&allow_all())),
    );
    let request = |client: &Client, user: &str| {
        let plain = client.anonymous().request("iam", "CreateAccessKey", &[("UserName", user)]);
        let named = edited(&plain, |parts| {
            parts.headers.insert("amz-sdk-invocation-id", "the-same-invocation".parse().unwrap());
        });
        client.sign("iam", named)
    };
    world.admin.iam("CreateUser", &[("UserName", "Target")]).ok();
    let first = world.admin.exchange(request(&bob, "Target"));
    assert_eq!(first.status, 200);
    let events = world.events(HOME).len();
    assert_eq!(world.admin.exchange(request(&bob, "Target")).body, first.body);
    let replay = world.last_event();
    assert_eq!(world.events(HOME).len(), events + 1);
    assert!(replay["additionalEventData"]["replayOf"].is_string(), "{replay}");
    // Another caller, and another body, are other calls.
    let other = world.admin.exchange(request(&eve, "Target"));
    assert_eq!(other.status, 200);
    assert_ne!(other.body, first.body);
    assert_ne!(world.admin.exchange(request(&bob, "Bob")).body, first.body);
    world.put_user_policy("Bob", &bailiwick_testkit::allow(&["iam:ListUsers"]));
    let denied = world.admin.exchange(request(&bob, "Target"));
    assert_eq!((denied.status, &*denied.code), (403, "AccessDenied"));
    let key = [("UserName", "Eve"), ("AccessKeyId", eve.key()), ("Status", "Inactive")];
    world.admin.iam("UpdateAccessKey", &key).ok();
    let ended = world.admin.exchange(request(&eve, "Target"));
    assert_eq!((ended.status, &*ended.code), (403, "InvalidClientTokenId"));
}

/// An inactive or deleted key is refused on the next call, and so is the key of a deleted user.
#[test]
fn tm_a11_an_ended_key_is_refused_at_once() {
    let world = World::new(406);
    let bob = world.user("Bob", Rights::None);
    let identify = || bob.sts("GetCallerIdentity", &[]);
    let key = [("UserName", "Bob"), ("AccessKeyId", bob.key())];
    identify().ok();
    let set = |status| [key[0], key[1], ("Status", status)];
    world.admin.iam("UpdateAccessKey", &set("Inactive")).ok();
    identify().refused("InvalidClientTokenId");
    world.admin.iam("UpdateAccessKey", &set("Active")).ok();
    identify().ok();
    world.admin.iam("DeleteAccessKey", &key).ok();
    identify().refused("InvalidClientTokenId");
    world.admin.iam("DeleteUser", &[("UserName", "Bob")]).ok();
    world.user("Bob", Rights::None);
    identify().refused("InvalidClientTokenId");
}

/// The same with sixteen clients calling: none of the calls begun after the acknowledgement passes.
#[test]
fn tm_a11_a_key_ends_under_load() {
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    for (seed, operation) in [(407, "UpdateAccessKey"), (408, "DeleteAccessKey")] {
        let world = World::new(seed);
        let bob = world.user("Bob", Rights::Inline(&allow_all()));
        let ended = AtomicBool::new(false);
        let (before, after, late) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        parallel(17, |number| {
            if number == 0 {
                while before.load(Ordering::SeqCst) < 200 {
                    std::thread::yield_now();
                }
                let mut parameters = vec![("UserName", "Bob"), ("AccessKeyId", bob.key())];
                parameters
                    .extend((operation == "UpdateAccessKey").then_some(("Status", "Inactive")));
                world.admin.iam(operation, &parameters).ok();
                ended.store(true, Ordering::SeqCst);
                return;
            }
            let group = format!("group-{number}");
            let mut turn = 0;
            while after.load(Ordering::SeqCst) < 200 {
                turn += 1;
                let begun_after = ended.load(Ordering::SeqCst);
                let reply = match turn % 3 {
                    0 => bob.iam("CreateGroup", &[("GroupName", &group)]),
                    1 => bob.iam("DeleteGroup", &[("GroupName", &group)]),
                    _ => bob.sts("GetCallerIdentity", &[]),
                };
                let refused = reply.code == "InvalidClientTokenId";
                let counter = if begun_after { &after } else { &before };
                counter.fetch_add(1, Ordering::SeqCst);
                late.fetch_add(u64::from(begun_after && !refused), Ordering::SeqCst);
            }
        });
        assert_eq!(late.load(Ordering::SeqCst), 0, "{operation}");
    }
}

#[test]
fn tm_a12_keys_and_tokens_go_together() {
    let world = World::new(409);
    let role = world.role("Worker", HOME, Rights::None);
    let session = world.admin.assume(&role, "one");
    let other = world.admin.assume(&role, "two");
    let held = session.credentials.clone().unwrap();
    let token = other.credentials.clone().unwrap().token;
    let admin = world.admin.credentials.clone().unwrap();
    for (what, credentials) in [
        ("a temporary key without its token", Credentials { token: None, ..held.clone() }),
        ("a token of another key", Credentials { token: token.clone(), ..held.clone() }),
        ("a long-term key with a token", Credentials { token, ..admin.clone() }),
        (
            "a long-term key with an empty token",
            Credentials { token: Some(String::new()), ..admin.clone() },
        ),
        ("another secret", Credentials { secret: admin.secret, ..held }),
    ] {
        let client = world.admin.with(Some(credentials));
        let reply = client.sts("GetCallerIdentity", &[]);
        let expected =
            if what == "another secret" { "SignatureDoesNotMatch" } else { "InvalidClientTokenId" };
        assert_eq!((reply.status, &*reply.code), (403, expected), "{what}: {}", reply.message);
    }
}

#[test]
fn tm_a13_unknown_keys_are_refused() {
    let world = World::new(410);
    let real = world.admin.credentials.clone().unwrap();
    for id in [
        "AKIAAAAAAAAAAAAAAAAA",
        "ASIAAAAAAAAAAAAAAAAA",
        "AKIAIOSFODNN7EXAMPLE",
        "admin",
        "root",
        "test",
        "AKIA0000000000000000",
        "123456789012",
        &real.access_key_id.to_lowercase(),
        &"A".repeat(128),
    ] {
        let client =
            world.admin.with(Some(Credentials { access_key_id: id.into(), ..real.clone() }));
        let reply = client.sts("GetCallerIdentity", &[]);
        assert_eq!((reply.status, &*reply.code), (403, "InvalidClientTokenId"), "{id}");
    }
    let plain = world.admin.request("sts", "GetCallerIdentity", &[]);
    for value in ["", "AWS4-HMAC-SHA256", "Bearer x", "Basic YTpi", "AWS a:b", &"A".repeat(100_000)]
    {
        let request = edited(&plain, |parts| {
            parts.headers.insert("authorization", value.parse().unwrap());
        });
        refused(&world, request, &value.chars().take(20).collect::<String>());
    }
}

/// No operation at all answers a caller without credentials.
#[test]
fn tm_a14_every_operation_wants_credentials() {
    let (world, one, _) = World::furnished(411);
    let anonymous = world.anonymous();
    let written = crate::operations::implemented();
    for operation in all() {
        let is_written = written.iter().any(|held| std::ptr::eq(*held, operation));
        let value = if is_written {
            plausible(operation, &one)
        } else {
            crate::operations::least(operation)
        };
        let request = anonymous.request_of(operation, &value);
        let reply = refused(&world, request, &full_name(operation));
        let code = reply.code.trim_end_matches("Exception");
        // What clients send unsigned, and is not written, says so; it is refused all the same.
        let expected = if operation.unsigned && !is_written {
            (400, "NotImplemented")
        } else {
            (403, "MissingAuthenticationToken")
        };
        assert_eq!((reply.status, code), expected, "{}", full_name(operation));
        assert_eq!(world.last_event()["eventName"], crate::operations::recorded(operation).1);
    }
}
