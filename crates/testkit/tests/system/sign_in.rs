//! Sign-in with a password: what it takes, what it opens, and when that ends.

use bailiwick_testkit::{Browser, Client, Device, HOME, PASSWORD, Rights, World, allow, allow_all};
use serde_json::json;

use crate::mfa::policy;

const NEW: &str = "Another-Horse-8y";

/// A user with a console password.
pub(crate) fn user(world: &World, name: &str, rights: Rights<'_>) -> Client {
    let client = world.user(name, rights);
    world.admin.iam("CreateLoginProfile", &[("UserName", name), ("Password", PASSWORD)]).ok();
    client
}

/// The same with a device.
pub(crate) fn equipped(world: &World, name: &str, rights: Rights<'_>) -> (Client, Device) {
    let client = user(world, name, rights);
    let device = Device::new(&world.admin, "/", &format!("{name}-phone"));
    device.enable(&world.admin, name);
    world.advance(300);
    (client, device)
}

/// The events of sign-in, by name.
pub(crate) fn sign_ins(world: &World) -> Vec<serde_json::Value> {
    let mut events = world.events(HOME);
    events.retain(|event| event["eventSource"] == "signin.amazonaws.com");
    events
}

#[test]
fn a_password_opens_a_session_of_the_user() {
    let world = World::new(1800);
    world.admin.iam("CreateAccountAlias", &[("AccountAlias", "example-corp")]).ok();
    user(&world, "Ann", Rights::Inline(&allow(&["iam:ListUsers", "sts:*"])));
    let ann = world.admin.iam("GetUser", &[("UserName", "Ann")]).ok();
    assert!(ann.at("User.PasswordLastUsed").is_none());
    for account in [HOME, "example-corp"] {
        for name in ["Ann", "aNN"] {
            let browser = Browser::new(&world.admin);
            let page = browser.password(account, name, PASSWORD).is("signed-in");
            assert_eq!(page.text("/userName"), "Ann");
            assert_eq!(page.text("/arn"), format!("arn:aws:iam::{HOME}:user/Ann"));
            assert_eq!(page.body["multiFactor"], false);
            let cookie = page.headers["set-cookie"].to_str().unwrap();
            for part in
                ["__Host-", "; HttpOnly", "; Secure", "; SameSite=Strict", "; Max-Age=43200;"]
            {
                assert!(cookie.contains(part), "{cookie}");
            }
            assert_eq!(page.headers["cache-control"], "no-store");
            let session = browser.client(&page);
            assert!(session.key().starts_with("ASIA"));
            session.iam("ListUsers", &[]).ok();
            session.iam("ListRoles", &[]).refused("AccessDenied");
            assert_eq!(session.arn(), format!("arn:aws:iam::{HOME}:user/Ann"));
            // As other temporary credentials, it issues no sessions of its own user.
            session.sts("GetSessionToken", &[]).refused("AccessDenied");
        }
    }
    let event = world.last_event();
    assert_eq!(event["sessionCredentialFromConsole"], "true");
    assert_eq!(event["userIdentity"]["sessionContext"]["attributes"]["mfaAuthenticated"], "false");
    let used = world.admin.iam("GetUser", &[("UserName", "Ann")]).ok();
    let now = bailiwick_services::Clock::now(&*world.clock);
    assert_eq!(used.instant("User.PasswordLastUsed"), now);
    let listed = world.admin.iam("ListUsers", &[]).ok();
    assert_eq!(listed.instant("Users.1.PasswordLastUsed"), now);
    let events = sign_ins(&world);
    assert_eq!(events.len(), 4);
    let event = &events[0];
    for (pointer, value) in [
        ("/eventName", json!("ConsoleLogin")),
        ("/eventType", json!("AwsConsoleSignIn")),
        ("/userIdentity/type", json!("IAMUser")),
        ("/userIdentity/userName", json!("Ann")),
        ("/userIdentity/arn", json!(format!("arn:aws:iam::{HOME}:user/Ann"))),
        ("/requestParameters", json!(null)),
        ("/responseElements", json!({"ConsoleLogin": "Success"})),
        ("/additionalEventData/MFAUsed", json!("No")),
        ("/additionalEventData/MobileVersion", json!("No")),
        ("/additionalEventData/LoginTo", json!("https://localhost:4680/console")),
        ("/recipientAccountId", json!(HOME)),
        ("/awsRegion", json!("us-east-1")),
    ] {
        assert_eq!(event.pointer(pointer), Some(&value), "{pointer}");
    }
    assert!(event.get("errorMessage").is_none());
}

#[test]
fn a_code_is_asked_for_and_the_session_shows_it() {
    let world = World::new(1801);
    let (_, device) = equipped(&world, "Ann", Rights::Inline(&allow_all()));
    let browser = Browser::new(&world.admin);
    let page = browser.password(HOME, "Ann", PASSWORD).is("factor-required");
    assert!(browser.cookie().is_none());
    assert_eq!(page.body["factors"][0]["serialNumber"], device.serial);
    assert!(page.body.get("credentials").is_none());
    let ticket = page.text("/ticket");
    browser.code(&ticket, "000000").refused(401, "InvalidFactor");
    let code = device.code(&world.admin, 0);
    let page = browser.code(&ticket, &code).is("signed-in");
    assert_eq!(page.body["multiFactor"], true);
    let session = browser.client(&page);
    session.iam("ListUsers", &[]).ok();
    let context = &world.last_event()["userIdentity"]["sessionContext"]["attributes"];
    assert_eq!(context["mfaAuthenticated"], "true");
    // Ticket and code are used up.
    browser.code(&ticket, &device.code(&world.admin, 1)).refused(401, "StaleSignIn");
    let ticket = browser.password(HOME, "Ann", PASSWORD).is("factor-required").text("/ticket");
    browser.code(&ticket, &code).refused(401, "InvalidFactor");
    let named = |serial: &str, ahead: i64| {
        let code = device.code(&world.admin, ahead);
        browser.step("factor", &json!({"ticket": ticket, "code": code, "serialNumber": serial}))
    };
    named("arn:aws:iam::123456789012:mfa/other", 1).refused(401, "InvalidFactor");
    named(&device.serial, 1).is("signed-in");
    let told: Vec<_> = sign_ins(&world)
        .iter()
        .map(|event| {
            let name = event["eventName"].as_str().unwrap();
            format!(
                "{name} {} {}",
                event["responseElements"][name], event["additionalEventData"]["MFAUsed"]
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            r#"CheckMfa "Success" null"#,
            r#"ConsoleLogin "Failure" "Yes""#,
            r#"ConsoleLogin "Success" "Yes""#,
            r#"CheckMfa "Success" null"#,
            r#"ConsoleLogin "Failure" "Yes""#,
            r#"ConsoleLogin "Failure" "Yes""#,
            r#"ConsoleLogin "Success" "Yes""#,
        ]
    );
    let events = sign_ins(&world);
    assert_eq!(events[0]["additionalEventData"]["MfaType"], "Virtual MFA");
    assert_eq!(events[1]["errorMessage"], "Failed authentication");
    assert_eq!(events[2]["additionalEventData"]["MFAIdentifier"], device.serial);
}

/// M65: the policy that asks for a second factor holds for sessions without one, and the API says so.
#[test]
fn the_age_and_presence_of_a_factor_reach_the_policy() {
    let world = World::new(1802);
    for operator in ["Bool", "BoolIfExists"] {
        let without = policy(&json!([
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "NotAction": ["iam:CreateVirtualMFADevice", "iam:TagMFADevice", "iam:EnableMFADevice",
                "iam:ListMFADevices", "iam:GetUser"], "Resource": "*",
             "Condition": {operator: {"aws:MultiFactorAuthPresent": "false"}}},
        ]));
        let name = format!("Ann-{operator}");
        user(&world, &name, Rights::Inline(&without));
        let browser = Browser::new(&world.admin);
        let session = browser.client(&browser.password(HOME, &name, PASSWORD).is("signed-in"));
        session.iam("ListUsers", &[]).refused("AccessDenied");
        session.iam("ListMFADevices", &[]).ok();
        // It sets up its device, and signs in again.
        let device = Device::new(&session, "/", &name);
        device.enable(&session, &name);
        world.advance(60);
        session.iam("ListUsers", &[]).refused("AccessDenied");
        let ticket = browser.password(HOME, &name, PASSWORD).is("factor-required").text("/ticket");
        let page = browser.code(&ticket, &device.code(&world.admin, 0)).is("signed-in");
        browser.client(&page).iam("ListUsers", &[]).ok();
    }
    let fresh = policy(&json!([{"Effect": "Allow", "Action": "*", "Resource": "*",
        "Condition": {"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}}}]));
    let (_, device) = equipped(&world, "Bob", Rights::Inline(&fresh));
    let browser = Browser::new(&world.admin);
    let ticket = browser.password(HOME, "Bob", PASSWORD).is("factor-required").text("/ticket");
    let page = browser.code(&ticket, &device.code(&world.admin, 0)).is("signed-in");
    browser.client(&page).iam("ListUsers", &[]).ok();
    world.advance(3600);
    // Credentials that are given out later are as old as the session (F06).
    let later = browser.client(&browser.session().is("signed-in"));
    later.iam("ListUsers", &[]).refused("AccessDenied");
}

#[test]
fn a_session_ends() {
    type End = fn(&World, &Client, &Device);
    let ends: [(&str, End); 8] = [
        ("by its time", |world, _, _| world.advance(12 * 60 * 60)),
        ("with another password", |world, _, _| {
            let parameters = [("UserName", "Ann"), ("Password", NEW)];
            world.admin.iam("UpdateLoginProfile", &parameters).ok();
        }),
        ("with the same password set again", |world, _, _| {
            let parameters = [("UserName", "Ann"), ("Password", PASSWORD)];
            world.admin.iam("UpdateLoginProfile", &parameters).ok();
        }),
        ("with a password of its own choice", |_, ann, _| {
            ann.iam("ChangePassword", &[("OldPassword", PASSWORD), ("NewPassword", NEW)]).ok();
        }),
        ("without a password", |world, _, _| {
            world.admin.iam("DeleteLoginProfile", &[("UserName", "Ann")]).ok();
        }),
        ("without its device", |world, _, device| {
            let parameters = [("UserName", "Ann"), ("SerialNumber", &*device.serial)];
            world.admin.iam("DeactivateMFADevice", &parameters).ok();
        }),
        ("with its device freed on the host", |world, _, device| {
            let home = HOME.parse().unwrap();
            bailiwick_services::operator::deactivate_mfa_device(&world.node, home, &device.serial)
                .unwrap();
        }),
        ("with the user", |world, ann, device| {
            let name = ("UserName", "Ann");
            let serial = ("SerialNumber", &*device.serial);
            world.admin.iam("DeactivateMFADevice", &[name, serial]).ok();
            world.admin.iam("DeleteLoginProfile", &[name]).ok();
            world.admin.iam("DeleteUserPolicy", &[name, ("PolicyName", "rights")]).ok();
            world.admin.iam("DeleteAccessKey", &[name, ("AccessKeyId", ann.key())]).ok();
            world.admin.iam("DeleteUser", &[name]).ok();
        }),
    ];
    for (how, end) in ends {
        let world = World::new(1803);
        let (ann, device) = equipped(&world, "Ann", Rights::Inline(&allow_all()));
        let browser = Browser::new(&world.admin);
        let ticket = browser.password(HOME, "Ann", PASSWORD).is("factor-required").text("/ticket");
        let page = browser.code(&ticket, &device.code(&world.admin, 0)).is("signed-in");
        let session = browser.client(&page);
        session.iam("ListUsers", &[]).ok();
        let renewed = browser.client(&browser.session().is("signed-in"));
        renewed.iam("ListUsers", &[]).ok();
        // It outlives the process.
        let fork = world.fork();
        fork.adopt(&session).iam("ListUsers", &[]).ok();
        end(&world, &ann, &device);
        for client in [&session, &renewed] {
            let reply = client.iam("ListUsers", &[]);
            assert!(
                matches!(&*reply.code, "InvalidClientTokenId" | "ExpiredToken"),
                "{how}: {}",
                reply.code
            );
        }
        let page = browser.session().refused(401, "NoSession");
        assert!(page.headers["set-cookie"].to_str().unwrap().contains("Max-Age=0"), "{how}");
    }
}

#[test]
fn signing_out_ends_the_session_on_the_server() {
    let world = World::new(1804);
    user(&world, "Ann", Rights::Inline(&allow_all()));
    let (one, two) = (Browser::new(&world.admin), Browser::new(&world.admin));
    let first = one.client(&one.password(HOME, "Ann", PASSWORD).is("signed-in"));
    let second = two.client(&two.password(HOME, "Ann", PASSWORD).is("signed-in"));
    let cookie = one.cookie();
    assert_ne!(cookie, two.cookie());
    one.sign_out().is("signed-out");
    assert!(one.cookie().is_none());
    first.iam("ListUsers", &[]).refused("InvalidClientTokenId");
    one.set_cookie(cookie);
    one.session().refused(401, "NoSession");
    one.sign_out().is("signed-out");
    second.iam("ListUsers", &[]).ok();
    assert_eq!(sign_ins(&world).iter().filter(|event| event["eventName"] == "Logout").count(), 1);
    // A cookie that was not made here is none.
    two.set_cookie(Some("abc".into()));
    two.session().refused(401, "NoSession");
}

#[test]
fn a_user_has_so_many_sessions_at_the_most() {
    let world = World::new(1805);
    user(&world, "Ann", Rights::Inline(&allow_all()));
    let mut sessions = Vec::new();
    for _ in 0..22 {
        let browser = Browser::new(&world.admin);
        sessions.push(browser.client(&browser.password(HOME, "Ann", PASSWORD).is("signed-in")));
        world.advance(1);
    }
    let alive = |client: &Client| client.iam("ListUsers", &[]).is_ok();
    assert_eq!(
        sessions.iter().map(alive).collect::<Vec<_>>(),
        [[false; 2].as_slice(), &[true; 20]].concat()
    );
    // Those that are over are not kept.
    world.advance(12 * 60 * 60);
    Browser::new(&world.admin).password(HOME, "Ann", PASSWORD).is("signed-in");
    let records = world.records();
    let kept = |key: &&Vec<u8>| String::from_utf8_lossy(key).contains("/console-session/");
    assert_eq!(records.keys().filter(kept).count(), 1);
}

#[test]
fn a_password_that_must_be_changed_is() {
    let world = World::new(1806);
    let may = allow(&["iam:ChangePassword", "iam:ListUsers"]);
    user(&world, "Ann", Rights::Inline(&may));
    let reset = [("UserName", "Ann"), ("PasswordResetRequired", "true")];
    world.admin.iam("UpdateLoginProfile", &reset).ok();
    let browser = Browser::new(&world.admin);
    let page = browser.password(HOME, "Ann", PASSWORD).is("password-change-required");
    assert_eq!(page.text("/reason"), "reset");
    assert!(browser.cookie().is_none() && page.body.get("credentials").is_none());
    let ticket = page.text("/ticket");
    browser.new_password(&ticket, PASSWORD, "short").refused(400, "PasswordPolicyViolation");
    browser.new_password(&ticket, "Wrong-Horse-7", NEW).refused(401, "InvalidCredentials");
    let page = browser.new_password(&ticket, PASSWORD, NEW).is("signed-in");
    browser.client(&page).iam("ListUsers", &[]).ok();
    browser.new_password(&ticket, NEW, PASSWORD).refused(401, "StaleSignIn");
    browser.password(HOME, "Ann", NEW).is("signed-in");
    browser.password(HOME, "Ann", PASSWORD).refused(401, "InvalidCredentials");
    let names: Vec<_> = world.events(HOME).iter().map(|event| event["eventName"].clone()).collect();
    assert_eq!(
        names[names.len() - 8..],
        [
            "ConsoleLogin",
            "ChangePassword",
            "ChangePassword",
            "ChangePassword",
            "GetSigninToken",
            "ListUsers",
            "ConsoleLogin",
            "ConsoleLogin"
        ]
    );
    let change =
        world.events(HOME).into_iter().rfind(|event| event["eventName"] == "ChangePassword");
    let change = change.unwrap();
    assert_eq!(change["userIdentity"]["userName"], "Ann");
    assert!(change.get("errorCode").is_none(), "{change}");
}

/// M13: who must change the password and has no permission to is locked out, as on AWS.
#[test]
fn who_may_not_change_the_password_is_locked_out() {
    let world = World::new(1807);
    let (_, device) = equipped(&world, "Ann", Rights::None);
    let reset = [("UserName", "Ann"), ("PasswordResetRequired", "true")];
    world.admin.iam("UpdateLoginProfile", &reset).ok();
    let browser = Browser::new(&world.admin);
    let ticket = |ahead: i64| {
        let ticket = browser.password(HOME, "Ann", PASSWORD).is("factor-required").text("/ticket");
        let code = device.code(&world.admin, ahead);
        browser.code(&ticket, &code).is("password-change-required").text("/ticket")
    };
    let first = ticket(0);
    browser.new_password(&first, PASSWORD, NEW).refused(403, "AccessDenied");
    browser.session().refused(401, "NoSession");
    // The account's policy may allow it, or a policy that asks for the factor that was shown.
    world.put_user_policy(
        "Ann",
        &policy(&json!([{"Effect": "Allow", "Action": "iam:ChangePassword",
        "Resource": "*", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}])),
    );
    let page = browser.new_password(&first, PASSWORD, NEW).is("signed-in");
    assert_eq!(page.body["multiFactor"], true);
    world.put_user_policy("Ann", &allow(&["iam:ListUsers"]));
    world.admin.iam("UpdateAccountPasswordPolicy", &[("AllowUsersToChangePassword", "true")]).ok();
    world.admin.iam("UpdateLoginProfile", &[reset[0], reset[1], ("Password", PASSWORD)]).ok();
    let second = ticket(1);
    browser.new_password(&second, PASSWORD, NEW).is("signed-in");
}

/// M32: soft expiry asks for another password, hard expiry for an administrator.
#[test]
fn passwords_expire() {
    let world = World::new(1808);
    let set = |hard: &str| {
        let policy = [
            ("MaxPasswordAge", "90"),
            ("HardExpiry", hard),
            ("PasswordReusePrevention", "2"),
            ("MinimumPasswordLength", "8"),
            ("AllowUsersToChangePassword", "true"),
        ];
        world.admin.iam("UpdateAccountPasswordPolicy", &policy).ok();
    };
    set("false");
    user(&world, "Ann", Rights::None);
    let browser = Browser::new(&world.admin);
    world.advance(90 * 86_400 - 1);
    browser.password(HOME, "Ann", PASSWORD).is("signed-in");
    world.advance(1);
    let page = browser.password(HOME, "Ann", PASSWORD).is("password-change-required");
    assert_eq!(page.text("/reason"), "expired");
    let ticket = page.text("/ticket");
    browser.new_password(&ticket, PASSWORD, PASSWORD).refused(400, "PasswordPolicyViolation");
    browser.new_password(&ticket, PASSWORD, NEW).is("signed-in");
    set("true");
    world.advance(91 * 86_400);
    browser.password(HOME, "Ann", NEW).refused(403, "PasswordExpired");
    assert_eq!(sign_ins(&world).last().unwrap()["errorMessage"], "Password expired");
    browser.password(HOME, "Ann", PASSWORD).refused(401, "InvalidCredentials");
    // An administrator sets another one, and it must be changed or not.
    let parameters = [("UserName", "Ann"), ("Password", "Third-Horse-9z")];
    world.admin.iam("UpdateLoginProfile", &parameters).ok();
    browser.password(HOME, "Ann", "Third-Horse-9z").is("signed-in");
}

#[test]
fn only_json_of_the_same_site_is_taken() {
    let world = World::new(1809);
    user(&world, "Ann", Rights::None);
    let before = world.events(HOME).len();
    let browser = Browser::new(&world.admin);
    let good = json!({"account": HOME, "userName": "Ann", "password": PASSWORD}).to_string();
    for (headers, status) in [
        (&[("origin", "https://evil.example")][..], 403),
        (&[("origin", "null")], 403),
        (&[("origin", "http://localhost:4680")], 403),
        (&[("sec-fetch-site", "cross-site")], 403),
        (&[("content-type", "text/plain")], 415),
        (&[("content-type", "application/x-www-form-urlencoded")], 415),
        (&[("content-encoding", "gzip")], 415),
    ] {
        let page = browser.step_with("password", &good, headers);
        assert_eq!(page.status, status, "{headers:?}");
        assert!(page.headers.get("access-control-allow-origin").is_none());
    }
    for body in [
        "",
        "{}",
        "[]",
        "null",
        "{\"account\":1}",
        &good.replace("password", "pass"),
        &good.replace('}', ",\"more\":1}"),
        &good.replace('}', ",\"account\":\"x\"}"),
        &format!("{good}{good}"),
        &"[".repeat(5000),
        &good.replace(PASSWORD, "\\ud800"),
    ] {
        browser.step_with("password", body, &[]).refused(400, "MalformedRequest");
    }
    let long = good.replace(PASSWORD, &"x".repeat(20_000));
    browser.step_with("password", &long, &[]).refused(413, "RequestEntityTooLarge");
    browser.step("elsewhere", &json!({})).refused(404, "NotFound");
    for body in [json!({"ticket": "x"}), json!({"ticket": "x", "code": "1", "passkey": {}})] {
        browser.step("factor", &body).refused(400, "MalformedRequest");
    }
    for ticket in ["", "x", "AAAA", &"A".repeat(10_000)] {
        browser.code(ticket, "123456").refused(401, "StaleSignIn");
        browser.new_password(ticket, PASSWORD, NEW).refused(401, "StaleSignIn");
    }
    assert_eq!(world.events(HOME).len(), before, "nobody tried to sign in");
    browser.step_with("password", &good, &[]).is("signed-in");
}
