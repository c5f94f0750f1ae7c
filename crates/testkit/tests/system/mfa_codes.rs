//! One-time codes: each is taken once, guesses are few, and sessions tell what was shown.

use std::sync::atomic::{AtomicUsize, Ordering};

use bailiwick_testkit::{Client, Device, HOME, Rights, World, allow, allow_all};
use bailiwick_wire::generated::sts;
use serde_json::json;

use crate::mfa::{INVALID, NOT_OWN, denied, equipped, policy};
use crate::operations::parallel;

/// A device whose clock is wrong is brought back by two codes, and its codes are taken then.
#[test]
fn a_device_that_drifted_is_brought_back() {
    for drift in [-100, -7, 5, 100] {
        let world = World::new(903);
        let (user, device) = equipped(&world, "Bob", Rights::None);
        world.advance(2 * 3600);
        denied(device.session(&user, drift), INVALID);
        let far = device.pair(&world.admin, "ResyncMFADevice", "Bob", [drift * 2, drift * 2 + 1]);
        if drift.abs() > 60 {
            far.refused("InvalidAuthenticationCode");
        }
        let world = World::new(904);
        let (user, device) = equipped(&world, "Bob", Rights::None);
        world.advance(2 * 3600);
        device.pair(&world.admin, "ResyncMFADevice", "Bob", [drift, drift + 1]).ok();
        denied(device.session(&user, drift + 1), INVALID);
        device.session(&user, drift + 2).ok();
        denied(device.session(&user, 0), INVALID);
    }
}

/// F05: the present step, the one before and the one after; each once, and none before a used one.
#[test]
fn tm_f05_each_step_is_taken_once() {
    for (steps, taken) in [
        (&[-2][..], &[false][..]),
        (&[-1], &[true]),
        (&[0], &[true]),
        (&[1], &[true]),
        (&[2], &[false]),
        (&[0, 0], &[true, false]),
        (&[0, -1, 1], &[true, false, true]),
        (&[1, 0, -1], &[true, false, false]),
    ] {
        let world = World::new(905);
        let (user, device) = equipped(&world, "Bob", Rights::None);
        world.advance(300);
        for (step, taken) in steps.iter().zip(taken) {
            let reply = device.session(&user, *step);
            assert_eq!(reply.is_ok(), *taken, "{steps:?}: {step}: {}", reply.message);
            if !taken {
                denied(reply, INVALID);
            }
        }
    }
}

/// F05: of a thousand calls with one code at once, one goes through, whatever they ask for.
#[test]
fn tm_f05_of_a_thousand_parallel_uses_one_succeeds() {
    let world = World::new(906);
    let role = world.role("Worker", HOME, Rights::None);
    let may = allow(&["sts:AssumeRole"]);
    let (user, device) = equipped(&world, "Bob", Rights::Inline(&may));
    world.advance(300);
    let code = device.code(&user, 0);
    let (done, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    parallel(20, |number| {
        for _ in 0..50 {
            let factor = [("SerialNumber", &*device.serial), ("TokenCode", &*code)];
            let reply = if number % 2 == 0 {
                user.sts("GetSessionToken", &factor)
            } else {
                let role = [("RoleArn", &*role), ("RoleSessionName", "one")];
                user.sts("AssumeRole", &[&role[..], &factor].concat())
            };
            if reply.is_ok() {
                done.fetch_add(1, Ordering::SeqCst);
            } else {
                assert!(matches!(&*reply.code, "AccessDenied" | "Throttling"), "{}", reply.code);
                refused.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    assert_eq!((done.into_inner(), refused.into_inner()), (1, 999));
    // Nor by a server that was started again.
    world.advance(60);
    let fork = world.fork();
    let again = fork.adopt(&user);
    let spent = [("SerialNumber", &*device.serial), ("TokenCode", &*code)];
    denied(again.sts("GetSessionToken", &spent), INVALID);
    // The counts of the wrong ones are there, too.
    device.session(&again, 0).refused("Throttling");
    fork.advance(3);
    device.session(&again, 0).ok();
}

/// Two codes that enable a device are taken once, too.
#[test]
fn tm_f05_two_codes_enable_one_device_once() {
    let world = World::new(907);
    let device = Device::new(&world.admin, "/", "phone");
    for name in ["Ann", "Bob"] {
        world.user(name, Rights::None);
    }
    let done = AtomicUsize::new(0);
    parallel(16, |number| {
        let user = if number % 2 == 0 { "Ann" } else { "Bob" };
        if device.enable_with(&world.admin, user, [-1, 0]).is_ok() {
            done.fetch_add(1, Ordering::SeqCst);
        }
    });
    assert_eq!(done.into_inner(), 1);
}

/// F02: five wrong codes are free, then even the right one waits; neither a spelling of the serial
/// number nor another device nor another operation has guesses of its own.
#[test]
fn tm_f02_wrong_codes_are_slowed_down() {
    let world = World::new(908);
    let role = world.role("Worker", HOME, Rights::None);
    let (user, device) = equipped(&world, "Bob", Rights::Inline(&allow_all()));
    let second = Device::new(&world.admin, "/", "second");
    second.enable(&world.admin, "Bob");
    world.advance(300);
    let guess = |serial: &str| {
        user.sts("GetSessionToken", &[("SerialNumber", serial), ("TokenCode", "000000")])
    };
    let shouted = device.serial.replace("Bob-phone", "BOB-PHONE");
    for serial in [&device.serial, &shouted, &second.serial, &device.serial, &device.serial] {
        denied(guess(serial), INVALID);
    }
    guess(&device.serial).refused("Throttling");
    guess(&second.serial).refused("Throttling");
    device.session(&user, 0).refused("Throttling");
    device.pair(&world.admin, "ResyncMFADevice", "Bob", [0, 1]).refused("Throttling");
    let code = device.code(&user, 0);
    let parameters = [
        ("RoleArn", &*role),
        ("RoleSessionName", "one"),
        ("SerialNumber", &device.serial),
        ("TokenCode", &code),
    ];
    user.sts("AssumeRole", &parameters).refused("Throttling");
    // What needs no code is not held up (threat F04).
    user.iam("ListUsers", &[]).ok();
    user.sts("GetSessionToken", &[]).ok();
    world.advance(1);
    device.session(&user, 0).ok();
    for _ in 0..5 {
        denied(guess(&device.serial), INVALID);
    }
}

/// KEY-12: long-term keys have no MFA keys; sessions have, true exactly when they were made with a
/// code, and the age grows. A chain does not hand the factor on.
#[test]
fn key_12_sessions_tell_whether_a_code_was_shown() {
    let world = World::new(909);
    let when = |action: &str, operator: &str, key: &str, value: &str| {
        json!({"Effect": "Allow", "Action": action, "Resource": "*",
               "Condition": {operator: {format!("aws:MultiFactorAuth{key}"): value}}})
    };
    let rights = policy(&json!([
        {"Effect": "Allow", "Action": "sts:*", "Resource": "*"},
        when("iam:ListUsers", "Bool", "Present", "true"),
        when("iam:ListGroups", "Bool", "Present", "false"),
        when("iam:ListRoles", "Null", "Present", "true"),
        when("iam:ListPolicies", "NumericLessThan", "Age", "100"),
        when("iam:ListInstanceProfiles", "Null", "Age", "false"),
    ]));
    let (bob, device) = equipped(&world, "Bob", Rights::Inline(&rights));
    let seen = |client: &Client| {
        ["ListUsers", "ListGroups", "ListRoles", "ListPolicies", "ListInstanceProfiles"]
            .map(|name| u8::from(client.iam(name, &[]).is_ok()))
    };
    world.advance(300);
    assert_eq!(seen(&bob), [0, 0, 1, 0, 0], "a long-term key");
    let shown = bob.as_issued(&device.session(&bob, 0).ok());
    assert_eq!(seen(&shown), [1, 0, 0, 1, 1], "a session with MFA");
    world.advance(100);
    assert_eq!(seen(&shown), [1, 0, 0, 0, 1], "after a hundred seconds");
    // SES-8: without MFA, IAM does not take the session at all.
    let plain = bob.as_issued(&bob.sts("GetSessionToken", &[]).ok());
    plain.iam("ListGroups", &[]).refused("InvalidClientTokenId");

    let role = world.role("Worker", HOME, Rights::Inline(&rights));
    let code = device.code(&bob, 0);
    let with_code = [
        ("RoleArn", &*role),
        ("RoleSessionName", "one"),
        ("SerialNumber", &device.serial),
        ("TokenCode", &code),
    ];
    assert_eq!(seen(&bob.assume(&role, "one")), [0, 1, 0, 0, 0], "a role's session");
    let made = bob.assume_with(&with_code);
    assert_eq!(seen(&made), [0, 1, 0, 0, 0], "a role's session made with a code");
    assert_eq!(seen(&shown.assume(&role, "two")), [0, 1, 0, 0, 0], "not handed on");
    assert_eq!(seen(&made.assume(&role, "two")), [0, 1, 0, 0, 0], "not along a chain");
    // What a role's session shows is nobody's second factor.
    let code = device.code(&bob, 1);
    let mut with_code = with_code;
    with_code[3] = ("TokenCode", &code);
    denied(made.sts("AssumeRole", &with_code), NOT_OWN);
    // The trail tells of the code all the same.
    let mut told = Vec::new();
    for event in world.events(HOME) {
        let caller = &event["userIdentity"];
        let of_one = caller["arn"].as_str().is_some_and(|arn| arn.ends_with("/Worker/one"));
        if of_one && event["eventName"] == "ListGroups" && event.get("errorCode").is_none() {
            let attributes = &caller["sessionContext"]["attributes"];
            told.push(attributes["mfaAuthenticated"].as_str().unwrap_or_default().to_owned());
        }
    }
    assert_eq!(told, ["false", "true"]);
}

/// A trust policy sees what is shown in the call itself, and what the caller's session has.
#[test]
fn a_trust_policy_can_ask_for_a_code() {
    let world = World::new(910);
    let (bob, device) = equipped(&world, "Bob", Rights::Inline(&allow(&["sts:AssumeRole"])));
    let trust = |condition: serde_json::Value| {
        policy(&json!([{"Effect": "Allow", "Principal": {"AWS": HOME}, "Action": "sts:AssumeRole",
                        "Condition": condition}]))
    };
    let guarded = trust(json!({
        "Bool": {"aws:MultiFactorAuthPresent": "true"},
        "NumericLessThan": {"aws:MultiFactorAuthAge": "60"},
    }));
    let guarded = world.role_trusting("Guarded", &guarded, Rights::None);
    let without = trust(json!({"Bool": {"aws:MultiFactorAuthPresent": "false"}}));
    let without = world.role_trusting("Without", &without, Rights::None);
    let call = |client: &Client, role: &str, more: &[(&str, &str)]| {
        let role = [("RoleArn", role), ("RoleSessionName", "one")];
        client.sts("AssumeRole", &[&role[..], more].concat())
    };
    world.advance(300);
    call(&bob, &guarded, &[]).refused("AccessDenied");
    call(&bob, &without, &[]).refused("AccessDenied");
    let plain = bob.as_issued(&bob.sts("GetSessionToken", &[]).ok());
    call(&plain, &guarded, &[]).refused("AccessDenied");
    call(&plain, &without, &[]).ok();
    let serial = ("SerialNumber", &*device.serial);
    denied(call(&bob, &guarded, &[serial, ("TokenCode", "000000")]), INVALID);
    for half in [serial, ("TokenCode", "123456")] {
        denied(
            call(&bob, &guarded, &[half]),
            "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.",
        );
    }
    let ghost = ("SerialNumber", "arn:aws:iam::123456789012:mfa/ghost");
    denied(call(&bob, &guarded, &[ghost, ("TokenCode", "123456")]), NOT_OWN);
    // Another user's device and true code, with and without being told of.
    let (_, other) = equipped(&world, "Ann", Rights::None);
    world.advance(300);
    let code = other.code(&bob, 0);
    let foreign = [("SerialNumber", &*other.serial), ("TokenCode", &*code)];
    denied(call(&bob, &guarded, &foreign), NOT_OWN);
    denied(bob.sts("GetSessionToken", &foreign), NOT_OWN);
    // A call that is refused by policy does not use the code up.
    let code = device.code(&bob, 0);
    let own = [serial, ("TokenCode", &*code)];
    call(&bob, &without, &own).refused("AccessDenied");
    call(&bob, &guarded, &own).ok();
    denied(call(&bob, &guarded, &own), INVALID);
    // The caller's session with MFA counts in the trust policy for as long as it says.
    let shown = bob.as_issued(&device.session(&bob, 1).ok());
    call(&shown, &guarded, &[]).ok();
    world.advance(60);
    call(&shown, &guarded, &[]).refused("AccessDenied");
}

/// Mission row M12: the policy that forces MFA, from the first device to the last call.
#[test]
fn m12_the_policy_that_forces_mfa() {
    let world = World::new(911);
    let free = [
        "iam:CreateVirtualMFADevice",
        "iam:EnableMFADevice",
        "iam:GetUser",
        "iam:ListMFADevices",
        "iam:ListVirtualMFADevices",
        "iam:ResyncMFADevice",
        "sts:GetSessionToken",
    ];
    let forced = |operator: &str| {
        policy(&json!([
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "NotAction": free, "Resource": "*",
             "Condition": {operator: {"aws:MultiFactorAuthPresent": "false"}}},
        ]))
    };
    let bob = world.user("Bob", Rights::Inline(&forced("BoolIfExists")));
    let refused = bob.iam("ListUsers", &[]).refused("AccessDenied");
    let words = "with an explicit deny in an identity-based policy";
    assert!(refused.message.contains(words), "{}", refused.message);
    let device =
        Device::shown(&bob.iam("CreateVirtualMFADevice", &[("VirtualMFADeviceName", "Bob")]).ok());
    device.enable(&bob, "Bob");
    bob.iam("GetUser", &[]).ok();
    bob.iam("ListMFADevices", &[]).ok();
    bob.iam("ListVirtualMFADevices", &[]).ok();
    bob.iam("ListUsers", &[]).refused("AccessDenied");
    world.advance(60);
    device.pair(&bob, "ResyncMFADevice", "Bob", [-1, 0]).ok();
    bob.iam("DeactivateMFADevice", &[("SerialNumber", &device.serial)]).refused("AccessDenied");
    let shown = bob.as_issued(&device.session(&bob, 1).ok());
    shown.iam("ListUsers", &[]).ok();
    shown.iam("CreateGroup", &[("GroupName", "made-with-mfa")]).ok();
    // With plain `Bool`, the absent key of a long-term key is not false.
    world.user("Carl", Rights::Inline(&forced("Bool"))).iam("ListUsers", &[]).ok();
}

/// A role of another account can ask for the code of the caller's device, which is used up there.
#[test]
fn a_role_of_another_account_can_ask_for_a_code() {
    let world = World::new(921);
    let other = world.account("210987654321");
    let trust = policy(&json!([{
        "Effect": "Allow", "Principal": {"AWS": HOME}, "Action": "sts:AssumeRole",
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    }]));
    let made = [("RoleName", "Guarded"), ("AssumeRolePolicyDocument", &*trust)];
    let role = other.iam("CreateRole", &made).ok().text("Role.Arn");
    let (bob, device) = equipped(&world, "Bob", Rights::Inline(&allow(&["sts:AssumeRole"])));
    world.advance(300);
    let code = device.code(&bob, 0);
    let named = [("RoleArn", &*role), ("RoleSessionName", "one")];
    let factor = [("SerialNumber", &*device.serial), ("TokenCode", &*code)];
    bob.sts("AssumeRole", &named).refused("AccessDenied");
    let session = bob.as_issued(&bob.sts("AssumeRole", &[named, factor].concat()).ok());
    assert!(session.arn().starts_with("arn:aws:sts::210987654321:assumed-role/Guarded/"));
    denied(bob.sts("AssumeRole", &[named, factor].concat()), INVALID);
    denied(bob.sts("GetSessionToken", &factor), INVALID);
    // A device of the role's account is not the caller's.
    let theirs = Device::new(&other, "/", "phone");
    theirs.enable(&other, "admin");
    let code = theirs.code(&other, 1);
    let factor = [("SerialNumber", &*theirs.serial), ("TokenCode", &*code)];
    denied(bob.sts("AssumeRole", &[named, factor].concat()), NOT_OWN);
}

/// A client that lost the answer asks again under the same invocation, and gets the same session;
/// under another one, the code is used up.
#[test]
fn a_lost_answer_is_given_again() {
    let world = World::new(922);
    let (bob, device) = equipped(&world, "Bob", Rights::None);
    world.advance(300);
    let code = device.code(&bob, 0);
    let factor = [("SerialNumber", &*device.serial), ("TokenCode", &*code)];
    let call = |invocation: &str| {
        let plain = bob.anonymous().request("sts", "GetSessionToken", &factor);
        let (mut parts, body) = plain.into_parts();
        parts.headers.insert("amz-sdk-invocation-id", invocation.parse().unwrap());
        let request = bob.sign("sts", http::Request::from_parts(parts, body));
        bob.exchange_for(sts::SERVICE.operation("GetSessionToken"), request)
    };
    let (first, second) = (call("one").ok(), call("one").ok());
    let key = "Credentials.SessionToken";
    assert_eq!(first.text(key), second.text(key));
    denied(call("two"), INVALID);
}
