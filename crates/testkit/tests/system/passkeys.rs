//! Passkeys and security keys: how they become devices, and how they are shown at a sign-in.

use bailiwick_services::operator;
use bailiwick_testkit::{
    Authenticator, Browser, Client, HOME, Page, Rights, World, allow, allow_all,
};
use serde_json::{Value as Json, json};

use crate::mfa::{NOT_OWN, denied, equipped, policy};
use crate::sign_in;

/// What a browser is to do for a user's new key.
#[track_caller]
fn begin(client: &Client, user: &str) -> Json {
    let asked = [("UserName", user), ("MFADeviceName", "blue-key")];
    let reply = client.call("bailiwick", "BeginPasskeyRegistration", &asked).ok();
    serde_json::from_str(&reply.text("CreationOptions")).unwrap()
}

fn finish(client: &Client, user: &str, answer: &Json) -> bailiwick_testkit::Reply {
    let given = [("UserName", user), ("Credential", &*answer.to_string())];
    client.call("bailiwick", "FinishPasskeyRegistration", &given)
}

/// A key that is a user's, and its serial number.
#[track_caller]
pub(crate) fn registered(client: &Client, user: &str, number: u8) -> (Authenticator, String) {
    let mut key = Authenticator::new(number);
    let answer = key.create(&begin(client, user));
    let serial = finish(client, user, &answer).ok().text("SerialNumber");
    (key, serial)
}

#[test]
fn a_key_from_birth_to_death() {
    let world = World::new(1950);
    let admin = &world.admin;
    world.user("Bob", Rights::None);
    let options = begin(admin, "bob");
    assert_eq!(options["rp"]["id"], "localhost");
    assert_eq!(options["user"]["displayName"], "Bob");
    assert_eq!(options["attestation"], "none");
    assert_eq!(options["timeout"], 300_000);
    let numbers: Vec<_> = (options["pubKeyCredParams"].as_array().unwrap().iter())
        .map(|held| held["alg"].as_i64().unwrap())
        .collect();
    assert_eq!(numbers, [-7, -8, -35, -36, -257, -53]);
    assert_eq!(options["excludeCredentials"], json!([]));
    let mut key = Authenticator::new(1);
    let answer = key.create(&options);
    let made = finish(admin, "Bob", &answer).ok();
    let serial = made.text("SerialNumber");
    assert_eq!(made.text("UserName"), "Bob");
    let id = serial.strip_prefix(&format!("arn:aws:iam::{HOME}:u2f/user/Bob/blue-key-")).unwrap();
    assert!(id.len() == 26 && id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()));
    let event = world.last_event();
    assert_eq!(event["eventName"], "EnableMFADevice");
    assert_eq!(event["eventSource"], "iam.amazonaws.com");
    assert_eq!(event["requestParameters"]["userName"], "Bob");
    assert_eq!(event["responseElements"]["serialNumber"], *serial);
    assert!(!event.to_string().contains(answer["id"].as_str().unwrap()), "{event}");

    // It is a device like others, except that it shows no codes.
    let of_bob = [("UserName", "Bob"), ("SerialNumber", &*serial)];
    for world in [&world, &world.fork()] {
        let admin = world.adopt(admin);
        let listed = admin.iam("ListMFADevices", &of_bob[..1]).ok();
        assert_eq!(listed.text("MFADevices.0.SerialNumber"), serial);
        assert_eq!(listed.text("MFADevices.0.UserName"), "Bob");
        let shown = admin.iam("GetMFADevice", &of_bob).ok();
        assert_eq!(shown.text("UserName"), "Bob");
        assert!(shown.at("Certifications").is_none());
        let summary = admin.iam("GetAccountSummary", &[]).ok().text_body();
        for name in ["MFADevices", "MFADevicesInUse"] {
            assert!(summary.contains(&format!("<key>{name}</key><value>1</value>")), "{summary}");
        }
    }
    assert_eq!(admin.iam("ListVirtualMFADevices", &[]).ok().len("VirtualMFADevices"), 0);
    let tag = [of_bob[1], ("Tags.member.1.Key", "a"), ("Tags.member.1.Value", "b")];
    admin.iam("TagMFADevice", &tag).refused("NoSuchEntity");
    admin.iam("DeleteVirtualMFADevice", &of_bob[1..]).refused("NoSuchEntity");
    let codes = [("AuthenticationCode1", "123456"), ("AuthenticationCode2", "654321")];
    let with_codes = [&of_bob[..], &codes].concat();
    admin.iam("EnableMFADevice", &with_codes).refused("EntityAlreadyExists");
    admin.iam("ResyncMFADevice", &with_codes).refused("InvalidAuthenticationCode");
    let bob = world.user("Bobby", Rights::Inline(&allow_all()));
    let session = [("SerialNumber", &*serial), ("TokenCode", "123456")];
    denied(bob.sts("GetSessionToken", &session), NOT_OWN);
    let hanging = admin.iam("DeleteUser", &of_bob[..1]).refused("DeleteConflict");
    assert!(hanging.message.contains("must delete"), "{}", hanging.message);

    admin.iam("DeactivateMFADevice", &of_bob).ok();
    admin.iam("DeactivateMFADevice", &of_bob).refused("NoSuchEntity");
    admin.iam("GetMFADevice", &of_bob).refused("NoSuchEntity");
    let left = world.records().into_keys();
    let left = left.filter(|key| String::from_utf8_lossy(key).contains("/mfa-device/"));
    assert_eq!(left.count(), 0);
    // The same key may be registered again, and is another device then.
    let (_, again) = registered(admin, "Bob", 1);
    assert_ne!(again, serial);
    let excluded = begin(admin, "Bob")["excludeCredentials"][0]["id"].clone();
    assert_eq!(excluded, answer["id"]);
}

/// F07: what a registration must be.
#[test]
fn tm_f07_a_registration_answers_what_was_asked() {
    let world = World::new(1951);
    let admin = &world.admin;
    world.user("Bob", Rights::None);
    world.user("Eve", Rights::None);
    let wrong = |change: &dyn Fn(&mut Authenticator), text: &str| {
        let mut key = Authenticator::new(1);
        change(&mut key);
        let answer = key.create(&begin(admin, "Bob"));
        let refused = finish(admin, "Bob", &answer).refused("PasskeyNotValid");
        assert_eq!((refused.status, refused.message.contains(text)), (400, true), "{text}");
        // The challenge is used up, whatever was wrong.
        let mut right = Authenticator::new(1);
        let mut options = begin(admin, "Bob");
        let used = answer["response"]["clientDataJSON"].as_str().unwrap();
        options["challenge"] = json!(challenge(used));
        finish(admin, "Bob", &right.create(&options)).refused("PasskeyNotValid");
    };
    wrong(&|key| key.origin = "https://localhost.evil.example".into(), "origin");
    wrong(&|key| key.origin = "http://localhost:4680".into(), "origin");
    wrong(&|key| key.relying_party = Some("evil.example".into()), "relying party");
    wrong(&|key| key.flags = 0x04, "touched");
    wrong(&|key| key.flags = 0x11, "flags");

    let mut key = Authenticator::new(1);
    let options = begin(admin, "Bob");
    let answer = key.create(&options);
    // Another user's, another account's, another server's, too late.
    finish(admin, "Eve", &answer).refused("PasskeyNotValid");
    let neighbour = world.account("210987654321");
    finish(&neighbour, "admin", &answer).refused("PasskeyNotValid");
    let other = World::with_master(1951, [9; 32]);
    finish(&other.admin, "admin", &answer).refused("PasskeyNotValid");
    finish(admin, "admin", &answer).refused("PasskeyNotValid");
    for (place, value) in [
        ("/type", json!("password")),
        ("/rawId", json!("AAAA")),
        ("/id", json!("AAAA")),
        ("/response/attestationObject", json!("oA")),
        ("/response/clientDataJSON", json!("e30")),
        ("/response", json!(null)),
    ] {
        let mut broken = answer.clone();
        *broken.pointer_mut(place).unwrap() = value;
        finish(admin, "Bob", &broken).refused("PasskeyNotValid");
    }
    let garbage = ["{}".to_owned(), "x".to_owned(), "[".repeat(60_000)];
    for text in garbage {
        let given = [("UserName", "Bob"), ("Credential", &*text)];
        admin.call("bailiwick", "FinishPasskeyRegistration", &given).refused("PasskeyNotValid");
    }
    let options = begin(admin, "Bob");
    let answer = key.create(&options);
    world.advance(299);
    let late = begin(admin, "Bob");
    let first = finish(&world.fork().adopt(admin), "Bob", &answer).ok();
    assert!(first.text("SerialNumber").contains("/Bob/"));
    world.advance(1);
    finish(admin, "Bob", &answer).refused("PasskeyNotValid");
    let answer = key.create(&late);
    finish(admin, "Bob", &answer).ok();
    // Once; and a key that is somebody's is nobody else's.
    finish(admin, "Bob", &answer).refused("PasskeyNotValid");
    let answer = key.create(&begin(admin, "Eve"));
    finish(admin, "Eve", &answer).refused("EntityAlreadyExists");
    finish(admin, "ghost", &answer).refused("NoSuchEntity");
}

/// The challenge in client data.
fn challenge(client_data: &str) -> String {
    use base64::Engine as _;
    let data = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(client_data).unwrap();
    let data: Json = serde_json::from_slice(&data).unwrap();
    data["challenge"].as_str().unwrap().to_owned()
}

/// F05, F07: of any number of answers to one challenge one is taken.
#[test]
fn tm_f07_a_challenge_is_answered_once_in_parallel() {
    let world = World::new(1952);
    world.user("Bob", Rights::None);
    let options = begin(&world.admin, "Bob");
    let answers: Vec<_> =
        (1..=32).map(|number| Authenticator::new(number).create(&options)).collect();
    let done = std::sync::atomic::AtomicU32::new(0);
    std::thread::scope(|scope| {
        let (world, done) = (&world, &done);
        for part in answers.chunks(8) {
            scope.spawn(move || {
                for answer in part {
                    let taken = finish(&world.admin, "Bob", answer).is_ok();
                    done.fetch_add(u32::from(taken), std::sync::atomic::Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(done.into_inner(), 1);
}

/// F06: who has a device needs it for a further one, and there is room for eight.
#[test]
fn tm_f06_a_stolen_key_registers_nothing() {
    let world = World::new(1953);
    let (bob, phone) = equipped(&world, "Bob", Rights::Inline(&allow_all()));
    for (operation, given) in [
        ("BeginPasskeyRegistration", ("MFADeviceName", "key")),
        ("FinishPasskeyRegistration", ("Credential", "{}")),
    ] {
        let refused = bob.call("bailiwick", operation, &[given]).refused("AccessDeniedException");
        let text = "perform: iam:EnableMFADevice on its own MFA devices without MFA";
        assert!(refused.message.ends_with(text), "{}", refused.message);
    }
    let shown = phone.session(&bob, 1).ok();
    let session = bob.as_issued(&shown);
    let mut serials = vec![registered(&session, "Bob", 1).1];
    serials.extend((2..8).map(|number| registered(&world.admin, "Bob", number).1));
    let asked = [("UserName", "Bob"), ("MFADeviceName", "key")];
    let full = world.admin.call("bailiwick", "BeginPasskeyRegistration", &asked);
    let full = full.refused("LimitExceeded");
    assert_eq!(full.message, "Cannot exceed quota for MFADevicesPerUser: 8");
    let devices = world.admin.iam("ListMFADevices", &asked[..1]).ok();
    assert_eq!(devices.len("MFADevices"), 8);
    // With a session of its own, a user takes its key away; without, it does not.
    let own = [("SerialNumber", &*serials[0])];
    bob.iam("DeactivateMFADevice", &own).refused("AccessDenied");
    session.iam("DeactivateMFADevice", &own).ok();
}

/// IAM's own action and its condition key decide.
#[test]
fn a_registration_asks_to_enable_a_device() {
    let world = World::new(1954);
    let bob = world.user("Bob", Rights::None);
    world.user("Eve", Rights::None);
    let asked = |user: &str| {
        let parameters = [("UserName", user), ("MFADeviceName", "key")];
        bob.call("bailiwick", "BeginPasskeyRegistration", &parameters)
    };
    asked("Bob").refused("AccessDeniedException");
    let own = format!("arn:aws:iam::{HOME}:user/${{aws:username}}");
    let may = |condition: &Json| {
        let mut statement =
            json!({"Effect": "Allow", "Action": "iam:EnableMFADevice", "Resource": own});
        statement["Condition"] = condition.clone();
        policy(&json!([statement]))
    };
    world.put_user_policy("Bob", &may(&json!({})));
    assert!(asked("Bob").is_ok());
    asked("Eve").refused("AccessDeniedException");
    let asks = || world.last_asks();
    asked("Bob").ok();
    let user = format!("arn:aws:iam::{HOME}:user/Bob");
    assert_eq!(asks(), [("iam:EnableMFADevice".to_owned(), user)]);
    let state = |state: &str| json!({"StringEquals": {"iam:RegisterSecurityKey": state}});
    world.put_user_policy("Bob", &may(&state("Create")));
    let answer = Authenticator::new(1).create(&begin(&bob, "Bob"));
    finish(&bob, "Bob", &answer).refused("AccessDeniedException");
    world.put_user_policy("Bob", &may(&state("Activate")));
    asked("Bob").refused("AccessDeniedException");
    // Nothing is known of how a device was certified.
    let certified = json!({"StringEquals": {"iam:FIDO-certification": "L1"}});
    world.put_user_policy("Bob", &may(&certified));
    finish(&bob, "Bob", &answer).refused("AccessDeniedException");
    world.put_user_policy("Bob", &may(&state("Activate")));
    finish(&bob, "Bob", &answer).ok();
    // Without a name it is the caller's; the session of a role has to give one.
    let role = world.role("Worker", HOME, Rights::Inline(&allow(&["iam:*"])));
    let session = world.admin.assume(&role, "a-session");
    let nobody = session.call("bailiwick", "BeginPasskeyRegistration", &[("MFADeviceName", "k")]);
    nobody.refused("ValidationError");
}

/// A user with a password, a key, and how far it gets with them.
fn user_with_key(world: &World, name: &str, number: u8) -> (Authenticator, String) {
    sign_in::user(world, name, Rights::Inline(&allow_all()));
    registered(&world.admin, name, number)
}

#[track_caller]
fn asked(browser: &Browser, name: &str) -> (String, Json) {
    let page = browser.password(HOME, name, bailiwick_testkit::PASSWORD).is("factor-required");
    (page.text("/ticket"), page.body["passkey"].clone())
}

fn shown(browser: &Browser, ticket: &str, answer: &Json) -> Page {
    browser.step("factor", &json!({"ticket": ticket, "passkey": answer}))
}

#[test]
fn a_key_opens_a_session_with_mfa() {
    let world = World::new(1955);
    let (mut key, serial) = user_with_key(&world, "Ann", 1);
    let browser = Browser::new(&world.admin);
    let (ticket, options) = asked(&browser, "Ann");
    assert_eq!(options["rpId"], "localhost");
    assert_eq!(options["allowCredentials"].as_array().unwrap().len(), 1);
    assert_eq!(options["allowCredentials"][0]["transports"], json!(["usb"]));
    let page = shown(&browser, &ticket, &key.get(&options)).is("signed-in");
    assert_eq!(page.body["multiFactor"], true);
    let session = browser.client(&page);
    session.iam("ListUsers", &[]).ok();
    let context = &world.last_event()["userIdentity"]["sessionContext"]["attributes"];
    assert_eq!(context["mfaAuthenticated"], "true");
    let events = sign_in::sign_ins(&world);
    assert_eq!(events[0]["additionalEventData"]["MfaType"], "U2F MFA");
    assert_eq!(events[1]["additionalEventData"]["MFAIdentifier"], serial);
    assert_eq!(events[1]["additionalEventData"]["MFAUsed"], "Yes");
    // In such a session the user may change its devices (F06).
    let (_, second) = registered(&session, "Ann", 2);
    let (ticket, options) = asked(&browser, "Ann");
    assert_eq!(options["allowCredentials"].as_array().unwrap().len(), 2);
    session.iam("DeactivateMFADevice", &[("SerialNumber", &second)]).ok();
    // The key that was taken away opens nothing.
    let mut gone = Authenticator::new(2);
    shown(&browser, &ticket, &gone.get(&options)).refused(401, "InvalidFactor");
    shown(&browser, &ticket, &key.get(&options)).is("signed-in");
    // Who has no key is not asked for one.
    sign_in::equipped(&world, "Bob", Rights::None);
    assert_eq!(asked(&browser, "Bob").1, Json::Null);
}

/// F07: what an assertion must be.
#[test]
fn tm_f07_an_assertion_answers_what_was_asked() {
    let world = World::new(1956);
    let (key, _) = user_with_key(&world, "Ann", 1);
    let (mut other, _) = user_with_key(&world, "Bob", 2);
    let browser = Browser::new(&world.admin);
    let refuse = |answer: &dyn Fn(&Json) -> Json| {
        world.advance(1000);
        let (ticket, options) = asked(&browser, "Ann");
        shown(&browser, &ticket, &answer(&options)).refused(401, "InvalidFactor");
    };
    let changed = |options: &Json, change: &dyn Fn(&mut Authenticator)| {
        let mut key = key.clone();
        change(&mut key);
        key.get(options)
    };
    refuse(&|options| changed(options, &|key| key.origin = "https://evil.example".into()));
    refuse(&|options| changed(options, &|key| key.relying_party = Some("evil.example".into())));
    refuse(&|options| changed(options, &|key| key.flags = 0x04));
    refuse(&|options| changed(options, &|key| key.flags = 0x0d));
    refuse(&|options| changed(options, &|key| key.user_handle = Some("AAAA".into())));
    refuse(&|options| changed(options, &|key| key.count = 0));
    refuse(&|options| {
        let mut other = options.clone();
        other["challenge"] = json!("AAAA");
        changed(&other, &|_| ())
    });
    // Another user's key, its key under this one's name, and its signature.
    refuse(&|options| other.clone().get(options));
    refuse(&|options| {
        let mut answer = other.clone().get(options);
        let id = changed(options, &|_| ())["id"].clone();
        (answer["id"], answer["rawId"]) = (id.clone(), id);
        answer["response"]["userHandle"] = json!(key.user_handle);
        answer
    });
    for member in ["clientDataJSON", "authenticatorData", "signature"] {
        refuse(&|options| {
            let mut answer = changed(options, &|_| ());
            answer["response"][member] = other.clone().get(options)["response"][member].clone();
            answer["response"][member] =
                json!(format!("AAAA{}", answer["response"][member].as_str().unwrap()));
            answer
        });
    }
    // Right, and then once more: the ticket is used up, and the count has grown.
    world.advance(1000);
    let mut key = key;
    let (ticket, options) = asked(&browser, "Ann");
    let answer = key.get(&options);
    shown(&browser, &ticket, &answer).is("signed-in");
    shown(&browser, &ticket, &answer).refused(401, "StaleSignIn");
    let (ticket, options) = asked(&browser, "Ann");
    shown(&browser, &ticket, &answer).refused(401, "InvalidFactor");
    // A copy that did not see the last signature, after a start of the server too.
    let mut copy = key.clone();
    copy.count -= 1;
    shown(&browser, &ticket, &copy.get(&options)).refused(401, "InvalidFactor");
    let fork = world.fork();
    let browser = Browser::new(&fork.adopt(&world.admin));
    let mut copy = key.clone();
    copy.count -= 1;
    let (ticket, options) = asked(&browser, "Ann");
    shown(&browser, &ticket, &copy.get(&options)).refused(401, "InvalidFactor");
    shown(&browser, &ticket, &key.get(&options)).is("signed-in");
    // Another user's ticket.
    let (ticket, _) = asked(&browser, "Bob");
    let (_, options) = asked(&browser, "Ann");
    shown(&browser, &ticket, &key.get(&options)).refused(401, "InvalidFactor");
    let (ticket, options) = asked(&browser, "Bob");
    shown(&browser, &ticket, &other.get(&options)).is("signed-in");
}

/// M65 with a key: the policy that asks for a second factor.
#[test]
fn m65_a_policy_sees_the_key() {
    let world = World::new(1957);
    let guarded = policy(&json!([
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "iam:CreateGroup", "Resource": "*",
            "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}},
    ]));
    let ann = sign_in::user(&world, "Ann", Rights::Inline(&guarded));
    let (mut key, _) = registered(&world.admin, "Ann", 1);
    ann.iam("CreateGroup", &[("GroupName", "a")]).refused("AccessDenied");
    let browser = Browser::new(&world.admin);
    let (ticket, options) = asked(&browser, "Ann");
    let page = shown(&browser, &ticket, &key.get(&options)).is("signed-in");
    browser.client(&page).iam("CreateGroup", &[("GroupName", "a")]).ok();
}

/// Root's keys, an extension as its other devices are; and the way back for who lost one.
#[test]
fn root_and_the_operator() {
    let world = World::new(1958);
    let root = world.root(HOME);
    let (_, serial) = registered(&root, "root", 1);
    assert!(serial.starts_with(&format!("arn:aws:iam::{HOME}:u2f/root/blue-key-")), "{serial}");
    let summary = world.admin.iam("GetAccountSummary", &[]).ok().text_body();
    assert!(summary.contains("<key>AccountMFAEnabled</key><value>1</value>"), "{summary}");
    let asked = [("MFADeviceName", "second")];
    root.call("bailiwick", "BeginPasskeyRegistration", &asked).refused("AccessDeniedException");
    let home = HOME.parse().unwrap();
    assert_eq!(operator::deactivate_mfa_device(&world.node, home, &serial).unwrap(), "root");
    assert!(operator::deactivate_mfa_device(&world.node, home, &serial).is_err());
    for world in [&world, &world.fork()] {
        let listed = world.adopt(&root).iam("ListMFADevices", &[]).ok();
        assert_eq!(listed.len("MFADevices"), 0);
    }
    registered(&root, "root", 1);
}
