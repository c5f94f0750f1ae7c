//! Threats L: secrets are sealed at rest, shown once, and do not print.

use bailiwick_testkit::{Client, HOME, PASSWORD, Reply, Rights, World, allow_all, plausible};
use bailiwick_wire::generated::{iam, sts};
use serde_json::Value as Json;

use crate::operations::implemented;

/// Whether bytes hold a text, plainly or as base64 would have it at any of its three offsets.
fn holds(bytes: &[u8], text: &str) -> bool {
    let contains = |wanted: &[u8]| {
        !wanted.is_empty() && bytes.windows(wanted.len()).any(|part| part == wanted)
    };
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let numbers: Vec<String> = text.bytes().map(|byte| byte.to_string()).collect();
    contains(text.as_bytes())
        || contains(hex.as_bytes())
        || contains(numbers.join(",").as_bytes())
        || (0..3).any(|offset| contains(base64_inside(text, offset).as_bytes()))
}

/// The base64 digits that depend on the text alone when it starts at this offset modulo three.
fn base64_inside(text: &str, offset: usize) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: Vec<bool> = std::iter::repeat_n(0u8, offset)
        .chain(text.bytes())
        .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1))
        .collect();
    let skip = (offset * 8).div_ceil(6) * 6;
    let digits = bits[skip..].chunks_exact(6).map(|bits| {
        let digit = bits.iter().fold(0usize, |digit, bit| digit << 1 | usize::from(*bit));
        char::from(alphabet[digit])
    });
    digits.collect()
}

#[test]
fn the_search_finds_what_it_should() {
    assert_eq!(base64_inside("Man", 0), "TWFu");
    for bytes in [
        &b"xx secret-canary yy"[..],
        b"eHggc2VjcmV0LWNhbmFyeSB5eQ==",
        b"7365637265742d63616e617279",
    ] {
        assert!(holds(bytes, "secret-canary"), "{}", String::from_utf8_lossy(bytes));
    }
    assert!(!holds(b"nothing here", "secret-canary"));
}

/// Everything in the store, after everything secret has been made.
#[test]
fn tm_l01_the_store_holds_no_secret() {
    let (world, one, _) = World::furnished(600);
    let user = one.name("Spare");
    let plain = world.anonymous().request("iam", "CreateAccessKey", &[("UserName", &user)]);
    let (mut parts, body) = plain.into_parts();
    // A remembered answer holds the secret too.
    parts.headers.insert("amz-sdk-invocation-id", "a-retry-0001".parse().unwrap());
    let request = world.admin.sign("iam", http::Request::from_parts(parts, body));
    let operation = iam::SERVICE.operation("CreateAccessKey");
    let created = world.admin.exchange_for(operation, request).ok();
    let root = world.root(HOME);
    let role = world.role("Worker", HOME, Rights::None);
    let session = world.admin.assume(&role, "a-session");
    world
        .admin
        .iam(
            "UpdateLoginProfile",
            &[("UserName", &one.name("Ann")), ("Password", "Canary-Horse-77!")],
        )
        .ok();
    let held = |client: &Client| client.credentials.clone().unwrap();
    let secrets = [
        ("the administrator's secret", held(&world.admin).secret),
        ("root's secret", held(&root).secret),
        ("a created secret", created.text("AccessKey.SecretAccessKey")),
        ("a session's secret", held(&session).secret),
        ("a session token", held(&session).token.unwrap()),
        ("the console password", world.console_password.clone()),
        ("an old password", PASSWORD.into()),
        ("a new password", "Canary-Horse-77!".into()),
    ];
    world.node.flush();
    let records = world.records();
    assert!(
        records.keys().any(|key| key.windows(7).any(|part| part == b"/retry/")),
        "no answer is remembered"
    );
    for (key, value) in &records {
        for (name, secret) in &secrets {
            let place = String::from_utf8_lossy(key);
            assert!(!holds(key, secret) && !holds(value, secret), "{name} is in {place}");
        }
    }
}

/// A sealed secret that is moved to another key's record does not open there.
#[test]
fn tm_l02_a_swapped_secret_is_no_secret() {
    let world = World::new(601);
    let (one, two) = (world.user("One", Rights::None), world.user("Two", Rights::None));
    let place = |client: &Client| {
        let id = client.key().to_owned();
        let records = world.records_of(HOME);
        let found = records.into_iter().find(|(key, value)| {
            String::from_utf8_lossy(key).contains(&id)
                && String::from_utf8_lossy(value).contains("sealed")
        });
        found.unwrap().0
    };
    let (first, second) = (place(&one), place(&two));
    let swapped = world.fork_edited(|records| {
        let read = |value: &[u8]| serde_json::from_slice::<Json>(&value[1..]).unwrap();
        let (mut left, mut right) = (read(&records[&first]), read(&records[&second]));
        std::mem::swap(sealed(&mut left), sealed(&mut right));
        for (key, value) in [(&first, left), (&second, right)] {
            let form = records[key][0];
            records.insert(key.clone(), [vec![form], value.to_string().into_bytes()].concat());
        }
    });
    for client in [&one, &two] {
        client.sts("GetCallerIdentity", &[]).ok();
        swapped.adopt(client).sts("GetCallerIdentity", &[]).refused("InvalidClientTokenId");
    }
    // With the secret of the other, under the own id, it is no better.
    let mut crossed = swapped.adopt(&one);
    crossed.credentials.as_mut().unwrap().secret = two.credentials.clone().unwrap().secret;
    crossed.sts("GetCallerIdentity", &[]).refused("InvalidClientTokenId");
    // The administrator's own key was left alone.
    swapped.admin.sts("GetCallerIdentity", &[]).ok();
}

/// The sealed secret inside a record, wherever it stands.
fn sealed(record: &mut Json) -> &mut Json {
    match record {
        Json::Object(fields) => {
            let key = if fields.contains_key("sealed_secret") {
                Some("sealed_secret".to_owned())
            } else {
                fields.keys().next().cloned()
            };
            let inner = fields.get_mut(&key.unwrap()).unwrap();
            if inner.is_object() { sealed(inner) } else { inner }
        }
        other => other,
    }
}

/// Ids and secrets that are minted never repeat, and every letter of them varies.
#[test]
fn tm_l03_ids_and_secrets_differ() {
    let world = World::new(602);
    let mut ids = std::collections::BTreeSet::new();
    let mut letters = vec![std::collections::BTreeSet::new(); 21];
    for number in 0..400 {
        let name = format!("user-{number}");
        let id = world.admin.iam("CreateUser", &[("UserName", &name)]).ok().text("User.UserId");
        let key = world.admin.iam("CreateAccessKey", &[("UserName", &name)]).ok();
        for (at, letter) in id.chars().enumerate() {
            letters[at].insert(letter);
        }
        for text in [id, key.text("AccessKey.AccessKeyId"), key.text("AccessKey.SecretAccessKey")] {
            assert!(ids.insert(text));
        }
    }
    for (at, seen) in letters.iter().enumerate().skip(4) {
        assert!(seen.len() > 16, "letter {at} is one of {seen:?}");
    }
}

/// What holds a secret does not print it.
#[test]
fn tm_l04_what_holds_a_secret_does_not_print_it() {
    let secret = "canary-secret-text";
    let key = iam::AccessKey {
        user_name: "u".into(),
        access_key_id: "AKIA".into(),
        status: "Active".into(),
        secret_access_key: secret.into(),
        create_date: None,
    };
    let credentials = sts::Credentials {
        access_key_id: "ASIA".into(),
        secret_access_key: secret.into(),
        session_token: secret.into(),
        expiration: jiff::Timestamp::UNIX_EPOCH,
    };
    let login =
        iam::CreateLoginProfileRequest { password: Some(secret.into()), ..Default::default() };
    let change =
        iam::ChangePasswordRequest { old_password: secret.into(), new_password: secret.into() };
    for printed in [
        format!("{key:?}"),
        format!("{credentials:?}"),
        format!("{login:?}"),
        format!("{change:?}"),
        format!("{:?}", bailiwick_wire::Shape::into_value(key.clone())),
        format!("{:?}", bailiwick_wire::Shape::into_value(credentials.clone())),
    ] {
        assert!(!printed.contains(secret), "{printed}");
    }
    let world = World::new(603);
    let id = HOME.parse().unwrap();
    let account = format!("{:?}", world.node.account(id).unwrap());
    let held = world.admin.credentials.clone().unwrap().secret;
    assert!(
        !holds(account.as_bytes(), &held) && !holds(account.as_bytes(), &world.console_password)
    );
}

/// A password's hash is not a password, but it is what a guesser works on.
#[test]
fn tm_l04_a_hash_does_not_print() {
    let world = World::new(604);
    let account = format!("{:?}", world.node.account(HOME.parse().unwrap()).unwrap());
    assert!(!account.contains("$argon2"), "the hash of a password prints");
}

/// A secret is in the answer that made it, and in no other answer of any operation.
#[test]
fn tm_l05_a_secret_is_shown_once() {
    let (world, one, _) = World::furnished(605);
    let user = one.name("Spare");
    let created = world.admin.iam("CreateAccessKey", &[("UserName", &user)]).ok();
    let root = world.root(HOME);
    let role = world.role("Mighty", HOME, Rights::Inline(&allow_all()));
    let session = world.admin.assume(&role, "a-session");
    let bob = world.admin.as_created(&created);
    let own = bob.as_issued(&bob.sts("GetSessionToken", &[]).ok());
    let held = |client: &Client| client.credentials.clone().unwrap();
    let mut secrets = vec![PASSWORD.to_owned(), world.console_password.clone(), "$argon2".into()];
    for client in [&world.admin, &root, &session, &bob, &own] {
        secrets.push(held(client).secret);
        secrets.extend(held(client).token);
    }
    let check = |reply: &Reply, what: &str| {
        let found = secrets.iter().any(|secret| holds(&reply.body, secret));
        assert!(!found, "{what} shows a secret: {}", reply.text_body());
    };
    for operation in implemented() {
        let request = plausible(operation, &one);
        let fork = world.fork();
        for client in [&world.admin, &root, &session] {
            let reply = fork.adopt(client).send(operation, &request);
            check(&reply, operation.name);
        }
    }
    // The same key again is another secret, and a key that was named is not shown.
    let again = world.admin.iam("CreateAccessKey", &[("UserName", &user)]).ok();
    check(&again, "another key");
    let keys = world.admin.iam("ListAccessKeys", &[("UserName", &user)]).ok();
    assert_eq!(keys.len("AccessKeyMetadata"), 2);
    assert!(!keys.text_body().contains("Secret"), "{}", keys.text_body());
}
