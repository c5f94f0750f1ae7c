//! The account's own password policy: what it says is what passwords must be like.

use bailiwick_testkit::{Client, HOME, PASSWORD, Reply, Rights, World, allow, allow_all, deny};

const STRICT: &[(&str, &str)] = &[
    ("MinimumPasswordLength", "14"),
    ("RequireSymbols", "true"),
    ("RequireNumbers", "true"),
    ("RequireUppercaseCharacters", "true"),
    ("RequireLowercaseCharacters", "true"),
    ("AllowUsersToChangePassword", "true"),
    ("MaxPasswordAge", "90"),
    ("PasswordReusePrevention", "2"),
    ("HardExpiry", "false"),
];

fn set(world: &World, policy: &[(&str, &str)]) {
    world.admin.iam("UpdateAccountPasswordPolicy", policy).ok();
}

fn login(world: &World, user: &str, password: &str) -> Reply {
    world.admin.iam("CreateLoginProfile", &[("UserName", user), ("Password", password)])
}

fn change(client: &Client, old: &str, new: &str) -> Reply {
    client.iam("ChangePassword", &[("OldPassword", old), ("NewPassword", new)])
}

fn field(reply: &Reply, name: &str) -> Option<String> {
    let path = format!("PasswordPolicy.{name}");
    reply.at(&path).map(|value| format!("{value:?}"))
}

#[test]
fn a_policy_is_set_whole_shown_and_deleted() {
    let world = World::new(1400);
    let none = format!("The Password Policy with domain name {HOME} cannot be found.");
    let absent = |world: &World| {
        let reply = world.admin.iam("GetAccountPasswordPolicy", &[]).refused("NoSuchEntity");
        assert_eq!((reply.status, &*reply.message), (404, &*none));
        let reply = world.admin.iam("DeleteAccountPasswordPolicy", &[]).refused("NoSuchEntity");
        assert_eq!(reply.message, "The account policy with name PasswordPolicy cannot be found.");
    };
    absent(&world);
    set(&world, STRICT);
    let event = world.last_event();
    assert_eq!(event["eventName"], "UpdateAccountPasswordPolicy");
    assert_eq!(event["requestParameters"]["minimumPasswordLength"], 14);
    // It stands after a restart.
    let there = world.fork();
    let shown = there.adopt(&world.admin).iam("GetAccountPasswordPolicy", &[]).ok();
    for (name, value) in [
        ("MinimumPasswordLength", "Integer(14)"),
        ("RequireSymbols", "Bool(true)"),
        ("AllowUsersToChangePassword", "Bool(true)"),
        ("ExpirePasswords", "Bool(true)"),
        ("MaxPasswordAge", "Integer(90)"),
        ("PasswordReusePrevention", "Integer(2)"),
        ("HardExpiry", "Bool(false)"),
    ] {
        assert_eq!(field(&shown, name).as_deref(), Some(value), "{name}");
    }
    // What is left out falls back to its default.
    set(&world, &[("RequireNumbers", "true")]);
    let shown = world.admin.iam("GetAccountPasswordPolicy", &[]).ok();
    for (name, value) in [
        ("MinimumPasswordLength", Some("Integer(6)")),
        ("RequireSymbols", Some("Bool(false)")),
        ("RequireNumbers", Some("Bool(true)")),
        ("AllowUsersToChangePassword", Some("Bool(false)")),
        ("ExpirePasswords", Some("Bool(false)")),
        ("MaxPasswordAge", None),
        ("PasswordReusePrevention", None),
    ] {
        assert_eq!(field(&shown, name).as_deref(), value, "{name}");
    }
    world.admin.iam("DeleteAccountPasswordPolicy", &[]).ok();
    absent(&world);
    for (name, value) in [
        ("MinimumPasswordLength", "5"),
        ("MinimumPasswordLength", "129"),
        ("MaxPasswordAge", "0"),
        ("MaxPasswordAge", "1096"),
        ("PasswordReusePrevention", "25"),
    ] {
        let reply = world.admin.iam("UpdateAccountPasswordPolicy", &[(name, value)]);
        assert_eq!((reply.status, &*reply.code), (400, "ValidationError"), "{name} {value}");
    }
    let eve = world.user("Eve", Rights::None);
    eve.iam("UpdateAccountPasswordPolicy", STRICT).refused("AccessDenied");
    eve.iam("DeleteAccountPasswordPolicy", &[]).refused("AccessDenied");
    eve.iam("GetAccountPasswordPolicy", &[]).refused("AccessDenied");
}

#[test]
fn every_new_password_meets_it() {
    let world = World::new(1401);
    let ann = world.user("Ann", Rights::Inline(&allow_all()));
    login(&world, "Ann", PASSWORD).ok();
    world.admin.iam("CreateUser", &[("UserName", "Bob")]).ok();
    set(&world, STRICT);
    let words = "Password should have at least one symbol";
    let weak = "aA1xxxxxxxxxxx";
    let update = |password: &str| {
        world.admin.iam("UpdateLoginProfile", &[("UserName", "Ann"), ("Password", password)])
    };
    for reply in [login(&world, "Bob", weak), update(weak), change(&ann, PASSWORD, weak)] {
        let reply = reply.refused("PasswordPolicyViolation");
        assert_eq!((reply.status, &*reply.message), (400, words));
    }
    let reply = login(&world, "Bob", "short").refused("PasswordPolicyViolation");
    assert_eq!(reply.message, "Password should have a minimum length of 14");
    login(&world, "Bob", "aA1!xxxxxxxxxx").ok();
    change(&ann, PASSWORD, "aA1!xxxxxxxxxx").ok();
    // A lax one takes what the default would not.
    set(&world, &[]);
    update("xxxxxx").ok();
    world.admin.iam("DeleteAccountPasswordPolicy", &[]).ok();
    update("xxxxxxx").refused("PasswordPolicyViolation");
}

/// Threat F: the last passwords do not come back, though they were set before there was a policy.
#[test]
fn tm_f02_the_last_passwords_are_not_set_again() {
    let world = World::new(1402);
    let ann = world.user("Ann", Rights::Inline(&allow_all()));
    let horse = |number: u8| format!("Some-Horse-{number}x");
    let next = |old: u8, new: u8| change(&ann, &horse(old), &horse(new));
    login(&world, "Ann", &horse(1)).ok();
    next(1, 2).ok();
    next(2, 3).ok();
    next(3, 4).ok();
    set(&world, &[("PasswordReusePrevention", "3")]);
    let words =
        "Policy constraint violation with password reuse prevention during password change.";
    let before = world.records_of(HOME);
    for held in [2, 3, 4] {
        let reply = next(4, held).refused("PasswordPolicyViolation");
        assert_eq!(reply.message, words);
        let update = [("UserName", "Ann"), ("Password", &*horse(held))];
        let reply = world.admin.iam("UpdateLoginProfile", &update);
        assert_eq!(reply.refused("PasswordPolicyViolation").message, words);
    }
    assert_eq!(world.records_of(HOME), before);
    next(4, 1).ok();
    next(1, 3).refused("PasswordPolicyViolation");
    next(1, 2).ok();
    // No hash is told, neither in answers nor in the trail.
    for line in world.lines(HOME) {
        assert!(!String::from_utf8(line).unwrap().contains("argon2"));
    }
}

/// Users change their own passwords by the policy alone, unless something denies it.
#[test]
fn users_may_change_their_own_passwords_if_it_says_so() {
    let world = World::new(1403);
    let ann = world.user("Ann", Rights::None);
    login(&world, "Ann", PASSWORD).ok();
    let (two, three) = ("Second-Horse-7x", "Third-Horse-7x");
    set(&world, &[]);
    change(&ann, PASSWORD, two).refused("AccessDenied");
    set(&world, &[("AllowUsersToChangePassword", "true")]);
    change(&ann, PASSWORD, two).ok();
    ann.iam("GetAccountPasswordPolicy", &[]).ok();
    // Nothing else, and not that of another.
    let update = [("UserName", "Ann"), ("Password", three)];
    ann.iam("UpdateLoginProfile", &update).refused("AccessDenied");
    ann.iam("UpdateAccountPasswordPolicy", &[]).refused("AccessDenied");
    ann.iam("GetUser", &[]).refused("AccessDenied");
    let role = world.role("Worker", HOME, Rights::None);
    let worker = world.admin.assume(&role, "a-session");
    worker.iam("GetAccountPasswordPolicy", &[]).refused("AccessDenied");
    world.put_user_policy("Ann", &deny(&["iam:ChangePassword"]));
    change(&ann, two, three).refused("AccessDenied");
    world.put_user_policy("Ann", &allow(&["iam:GetUser"]));
    change(&ann, two, three).ok();
    world.admin.iam("DeleteAccountPasswordPolicy", &[]).ok();
    change(&ann, three, two).refused("AccessDenied");
}
