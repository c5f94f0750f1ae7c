//! Threats F, K04 and L at sign-in: guessing, telling names apart, going around a step.

use std::collections::BTreeSet;

use bailiwick_testkit::{Browser, HOME, PASSWORD, Page, Rights, World, allow, allow_all};
use parking_lot::Mutex;
use serde_json::json;

use crate::operations::parallel;
use crate::sign_in::{equipped, sign_ins, user};

const NEW: &str = "Another-Horse-8y";
const WRONG: &str = "Wrong-Horse-7x!";

/// What a client sees of an answer, but for the id of the request.
fn seen(page: &Page) -> String {
    let mut headers: Vec<String> = page
        .headers
        .iter()
        .filter(|(name, _)| *name != "x-amzn-requestid")
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    headers.sort();
    format!("{} {headers:?} {}", page.status, page.body)
}

/// F01: text, status, headers and waits are the same whoever is there.
#[test]
fn tm_f01_names_are_not_told_apart() {
    let world = World::new(1900);
    user(&world, "Ann", Rights::None);
    world.user("Keys", Rights::None);
    equipped(&world, "Eve", Rights::None);
    world.account("210987654321");
    let browser = Browser::new(&world.admin);
    let mut seen_by = BTreeSet::new();
    for (account, name) in [
        (HOME, "Ann"),
        (HOME, "Keys"),
        (HOME, "Eve"),
        (HOME, "Nobody"),
        (HOME, ""),
        (HOME, "no such name, nor could be"),
        ("210987654321", "Ann"),
        ("210987654320", "Ann"),
        ("no-such-alias", "Ann"),
        ("", "Ann"),
    ] {
        // Five free guesses, then waits that double.
        let mut story = Vec::new();
        for seconds in [0, 0, 0, 0, 0, 0, 1, 0, 1, 1] {
            world.advance(seconds);
            story.push(seen(&browser.password(account, name, WRONG)));
        }
        seen_by.insert(story);
        world.advance(3600);
    }
    assert_eq!(seen_by.len(), 1, "{seen_by:#?}");
    let story = seen_by.first().unwrap();
    let waits: Vec<bool> = story.iter().map(|line| line.starts_with("429")).collect();
    assert_eq!(waits, [false, false, false, false, false, true, false, true, true, false]);
    // Nor is the right password told apart while it waits.
    for _ in 0..6 {
        browser.password(HOME, "Ann", WRONG);
    }
    let right = seen(&browser.password(HOME, "Ann", PASSWORD));
    assert_eq!(right, seen(&browser.password(HOME, "Ann", WRONG)));
    // The trail does not repeat what was typed for a name.
    let events = sign_ins(&world);
    assert!(!events.iter().any(|event| event.to_string().contains("no such name")));
    let hidden = |event: &&serde_json::Value| {
        event["userIdentity"]["userName"] == "HIDDEN_DUE_TO_SECURITY_REASONS"
    };
    let nobody = events.iter().find(hidden).unwrap();
    assert_eq!(nobody["errorMessage"], "No username found in supplied account");
    assert_eq!(nobody["responseElements"]["ConsoleLogin"], "Failure");
    assert!(nobody["userIdentity"].get("arn").is_none());
}

/// F02: counted before it is looked at, so guesses at one time are no way around the count.
#[test]
fn tm_f02_sign_in_is_guessed_slowly() {
    let world = World::new(1901);
    user(&world, "Ann", Rights::None);
    let pages = Mutex::new(Vec::new());
    parallel(16, |thread| {
        let browser = Browser::new(&world.admin);
        for guess in 0..4 {
            let password = format!("Wrong-Horse-{thread}-{guess}");
            pages.lock().push(browser.password(HOME, "Ann", &password).status);
        }
    });
    let pages = pages.into_inner();
    let count = |status: u16| pages.iter().filter(|found| **found == status).count();
    assert_eq!((count(401), count(429)), (5, 59), "{pages:?}");
    assert_eq!(sign_ins(&world).len(), 64, "an attempt left no event, or two");
}

/// F02: a hundred a day for one user, whoever asks.
#[test]
fn tm_f02_so_many_guesses_a_day() {
    let world = World::new(1902);
    user(&world, "Ann", Rights::None);
    let browser = Browser::new(&world.admin);
    let mut wrong = 0;
    for _ in 0..80 {
        wrong += u32::from(browser.password(HOME, "Ann", WRONG).status == 401);
        world.advance(16 * 60);
    }
    assert_eq!(wrong, 40);
    world.advance(24 * 60 * 60);
    browser.password(HOME, "Ann", PASSWORD).is("signed-in");
}

/// F03: no spelling of name or account has guesses of its own, and a restart gives none.
#[test]
fn tm_f03_other_spellings_and_restarts_have_no_guesses_of_their_own() {
    let world = World::new(1903);
    world.admin.iam("CreateAccountAlias", &[("AccountAlias", "example-corp")]).ok();
    user(&world, "Ann", Rights::None);
    let browser = Browser::new(&world.admin);
    for (account, name) in
        [(HOME, "Ann"), (HOME, "ANN"), ("example-corp", "ann"), (HOME, "aNN"), (HOME, "ann")]
    {
        browser.password(account, name, WRONG).refused(401, "InvalidCredentials");
    }
    for (account, name) in [(HOME, "Ann"), ("example-corp", "ANN"), (HOME, "anN")] {
        browser.password(account, name, PASSWORD).refused(429, "TooManyAttempts");
    }
    // Spaces and look-alikes are other names, which nobody has.
    for name in [" Ann", "Ann ", "\u{ff21}nn", "A\u{200b}nn", "Ann\0"] {
        browser.password(HOME, name, PASSWORD).refused(401, "InvalidCredentials");
    }
    // Nor has another name for the same user, or another process.
    world.admin.iam("UpdateUser", &[("UserName", "Ann"), ("NewUserName", "Anna")]).ok();
    browser.password(HOME, "Anna", PASSWORD).refused(429, "TooManyAttempts");
    let fork = world.fork();
    let again = Browser::new(&fork.admin);
    again.password(HOME, "Anna", PASSWORD).refused(429, "TooManyAttempts");
    fork.advance(1);
    again.password(HOME, "Anna", PASSWORD).is("signed-in");
}

/// F04: who guesses from elsewhere shuts out nobody who was here before, nor keys and sessions.
#[test]
fn tm_f04_strangers_do_not_lock_out() {
    let world = World::new(1904);
    let ann = user(&world, "Ann", Rights::Inline(&allow_all()));
    let home = || Browser::new(&world.admin).at("198.51.100.7");
    let browser = home();
    let session = browser.client(&browser.password(HOME, "Ann", PASSWORD).is("signed-in"));
    let stranger = Browser::new(&world.admin).at("203.0.113.9");
    for _ in 0..200 {
        stranger.password(HOME, "Ann", WRONG);
        world.advance(60);
    }
    stranger.password(HOME, "Ann", PASSWORD).refused(429, "TooManyAttempts");
    home().password(HOME, "Ann", PASSWORD).is("signed-in");
    session.iam("ListUsers", &[]).ok();
    ann.iam("ListUsers", &[]).ok();
    ann.iam("ChangePassword", &[("OldPassword", PASSWORD), ("NewPassword", NEW)]).ok();
    // It is a wait and no lock.
    world.advance(15 * 60);
    stranger.password(HOME, "Ann", NEW).is("signed-in");
    // The known address has guesses of its own, and not without end.
    for _ in 0..5 {
        home().password(HOME, "Ann", WRONG).refused(401, "InvalidCredentials");
    }
    home().password(HOME, "Ann", NEW).refused(429, "TooManyAttempts");
}

/// F05: of many sign-ins with one code at once, one goes through.
#[test]
fn tm_f05_one_code_opens_one_session() {
    let world = World::new(1905);
    let (_, device) = equipped(&world, "Ann", Rights::None);
    let tickets: Vec<String> = (0..8)
        .map(|_| {
            let browser = Browser::new(&world.admin);
            browser.password(HOME, "Ann", PASSWORD).is("factor-required").text("/ticket")
        })
        .collect();
    let code = device.code(&world.admin, 0);
    let opened = Mutex::new(0);
    parallel(8, |thread| {
        let page = Browser::new(&world.admin).code(&tickets[thread], &code);
        *opened.lock() += i32::from(page.status == 200);
    });
    assert_eq!(opened.into_inner(), 1);
    // Nor one ticket two sessions.
    world.advance(60);
    let opened = Mutex::new(0);
    parallel(4, |thread| {
        let ahead = i64::try_from(thread).unwrap() % 3 - 1;
        let page = Browser::new(&world.admin).code(&tickets[7], &device.code(&world.admin, ahead));
        *opened.lock() += i32::from(page.status == 200);
    });
    assert!(opened.into_inner() <= 1);
}

/// F06: every route, whatever the state, asks for the factor of who has one.
#[test]
fn tm_f06_no_route_goes_around_the_second_factor() {
    let world = World::new(1906);
    world.admin.iam("CreateAccountAlias", &[("AccountAlias", "example-corp")]).ok();
    let (_, device) = equipped(&world, "Ann", Rights::Inline(&allow_all()));
    let browser = Browser::new(&world.admin);
    for (account, name) in [(HOME, "Ann"), ("example-corp", "ANN")] {
        let page = browser.password(account, name, PASSWORD).is("factor-required");
        assert!(page.body.get("credentials").is_none() && browser.cookie().is_none());
        let ticket = page.text("/ticket");
        // A ticket of one stage is none of another, nor a cookie, nor a session token.
        browser.new_password(&ticket, PASSWORD, NEW).refused(401, "StaleSignIn");
        browser.set_cookie(Some(ticket.clone()));
        browser.session().refused(401, "NoSession");
        browser.code(&format!("{ticket}A"), "123456").refused(401, "StaleSignIn");
    }
    // A ticket ends in minutes, with the password, and with the user's other devices.
    let ticket = || browser.password(HOME, "Ann", PASSWORD).is("factor-required").text("/ticket");
    let old = ticket();
    world.advance(5 * 60);
    browser.code(&old, &device.code(&world.admin, 0)).refused(401, "StaleSignIn");
    let before = ticket();
    let set = [("UserName", "Ann"), ("Password", PASSWORD), ("PasswordResetRequired", "true")];
    world.admin.iam("UpdateLoginProfile", &set).ok();
    browser.code(&before, &device.code(&world.admin, 0)).refused(401, "StaleSignIn");
    // A forced change comes after the factor, and its session has it.
    let ticket = ticket();
    let page = browser.code(&ticket, &device.code(&world.admin, 0));
    let ticket = page.is("password-change-required").text("/ticket");
    browser.code(&ticket, &device.code(&world.admin, 1)).refused(401, "StaleSignIn");
    let page = browser.new_password(&ticket, PASSWORD, NEW).is("signed-in");
    assert_eq!(page.body["multiFactor"], true);
    // A device enabled between the steps counts.
    user(&world, "Bob", Rights::None);
    let set = [("UserName", "Bob"), ("PasswordResetRequired", "true")];
    world.admin.iam("UpdateLoginProfile", &set).ok();
    world.admin.iam("UpdateAccountPasswordPolicy", &[("AllowUsersToChangePassword", "true")]).ok();
    let other = Browser::new(&world.admin);
    let page = other.password(HOME, "Bob", PASSWORD).is("password-change-required");
    let late = bailiwick_testkit::Device::new(&world.admin, "/", "bobs");
    late.enable(&world.admin, "Bob");
    other.new_password(&page.text("/ticket"), PASSWORD, NEW).refused(401, "StaleSignIn");
    other.password(HOME, "Bob", PASSWORD).is("factor-required");
    // A session without a factor enables no second device for who has one.
    let spare = bailiwick_testkit::Device::new(&world.admin, "/", "spare");
    let free = user_session(&world, "Cid");
    let first = bailiwick_testkit::Device::new(&world.admin, "/", "first");
    first.enable(&free, "Cid");
    spare.enable_with(&free, "Cid", [-1, 0]).refused("AccessDenied");
    let parameters = [("UserName", "Cid"), ("SerialNumber", &*first.serial)];
    free.iam("DeactivateMFADevice", &parameters).refused("AccessDenied");
}

fn user_session(world: &World, name: &str) -> bailiwick_testkit::Client {
    user(world, name, Rights::Inline(&allow_all()));
    let browser = Browser::new(&world.admin);
    browser.client(&browser.password(HOME, name, PASSWORD).is("signed-in"))
}

/// F08: a hash that was made with less is made anew when its password is known, and sessions go on.
#[test]
fn tm_f08_a_weaker_hash_is_replaced_at_sign_in() {
    let world = World::new(1908);
    user(&world, "Ann", Rights::None);
    let (_, device) = equipped(&world, "Eve", Rights::None);
    // Argon2id with 8 MiB and one pass, of the furnished password and sixteen bytes of seven.
    let weak = "$argon2id$v=19$m=8192,t=1,p=1$BwcHBwcHBwcHBwcHBwcHBw$WEAK";
    let hash = |world: &World, name: &str| {
        let id = world.admin.iam("GetUser", &[("UserName", name)]).ok().text("User.UserId");
        let records = world.records_of(HOME);
        let place = format!("account/{HOME}/login-profile/{id}");
        let text = String::from_utf8_lossy(&records[place.as_bytes()]).into_owned();
        let start = text.find("$argon2id").unwrap();
        text[start..].split('"').next().unwrap().to_owned()
    };
    let tag = bailiwick_testkit::weak_hash(PASSWORD);
    assert!(tag.starts_with(weak.rsplit_once('$').unwrap().0), "{tag}");
    let fork = world.fork_edited(|records| {
        for (key, value) in records.iter_mut() {
            if String::from_utf8_lossy(key).contains("/login-profile/") {
                let text = String::from_utf8(value.clone()).unwrap();
                let Some(start) = text.find("$argon2id") else { continue };
                let end = start + text[start..].find('"').unwrap();
                *value = format!("{}{tag}{}", &text[..start], &text[end..]).into_bytes();
            }
        }
    });
    let browser = Browser::new(&fork.admin);
    browser.password(HOME, "Ann", WRONG).refused(401, "InvalidCredentials");
    assert_eq!(hash(&fork, "Ann"), tag);
    browser.password(HOME, "Ann", PASSWORD).is("signed-in");
    let ticket = browser.password(HOME, "Eve", PASSWORD).is("factor-required").text("/ticket");
    for name in ["Ann", "Eve"] {
        assert!(hash(&fork, name).starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{name}");
    }
    browser.code(&ticket, &device.code(&fork.admin, 0)).is("signed-in");
    browser.password(HOME, "Ann", PASSWORD).is("signed-in");
}

/// F08: a hundred sign-ins at once are answered, each by its own right.
#[test]
fn tm_f08_a_hundred_sign_ins_at_once() {
    let world = World::new(1909);
    user(&world, "Ann", Rights::None);
    let known = Browser::new(&world.admin);
    known.password(HOME, "Ann", PASSWORD).is("signed-in");
    let done = Mutex::new(0);
    parallel(100, |thread| {
        let page = Browser::new(&world.admin).password(HOME, &format!("user-{thread}"), WRONG);
        page.refused(401, "InvalidCredentials");
        *done.lock() += 1;
    });
    assert_eq!(done.into_inner(), 100);
}

/// F09: what is hashed is the whole password, and what is longer or odd is only wrong.
#[test]
fn tm_f09_odd_passwords_at_sign_in() {
    let world = World::new(1910);
    world.user("Ann", Rights::None);
    let longest = format!("Aa1!\u{e9}{}", "x".repeat(123));
    world.admin.iam("CreateLoginProfile", &[("UserName", "Ann"), ("Password", &longest)]).ok();
    let browser = Browser::new(&world.admin);
    let cut: String = longest.chars().take(127).collect();
    for password in [
        cut,
        format!("{longest}x"),
        longest.replace('\u{e9}', "e\u{301}"),
        format!("{longest}\0"),
        String::new(),
    ] {
        browser.password(HOME, "Ann", &password).refused(401, "InvalidCredentials");
        world.advance(1);
    }
    browser.password(HOME, "Ann", &"x".repeat(15_000)).refused(401, "InvalidCredentials");
    world.advance(60);
    browser.password(HOME, "Ann", &longest).is("signed-in");
}

/// F10: the first password opens nothing before it is changed, and nobody else has one.
#[test]
fn tm_f10_the_first_password_must_be_changed() {
    let world = World::new(1911);
    let browser = Browser::new(&world.admin);
    for (name, password) in [("admin", "admin"), ("admin", ""), ("root", ""), ("", "")] {
        browser.password(HOME, name, password).refused(401, "InvalidCredentials");
    }
    let page = browser.password(HOME, "admin", &world.console_password);
    let ticket = page.is("password-change-required").text("/ticket");
    browser.session().refused(401, "NoSession");
    let page = browser.new_password(&ticket, &world.console_password, NEW).is("signed-in");
    browser.client(&page).iam("ListUsers", &[]).ok();
    browser.password(HOME, "admin", &world.console_password).refused(401, "InvalidCredentials");
}

/// F11: a reset has the same limits, is used once, and ends what was open.
#[test]
fn tm_f11_a_reset_is_counted_single_and_ends_sessions() {
    let world = World::new(1912);
    user(&world, "Ann", Rights::Inline(&allow(&["iam:ChangePassword", "iam:ListUsers"])));
    let earlier = Browser::new(&world.admin);
    let session = earlier.client(&earlier.password(HOME, "Ann", PASSWORD).is("signed-in"));
    let reset = [("UserName", "Ann"), ("PasswordResetRequired", "true")];
    world.admin.iam("UpdateLoginProfile", &reset).ok();
    session.iam("ListUsers", &[]).ok();
    let browser = Browser::new(&world.admin);
    let ticket =
        browser.password(HOME, "Ann", PASSWORD).is("password-change-required").text("/ticket");
    for _ in 0..5 {
        browser.new_password(&ticket, WRONG, NEW).refused(401, "InvalidCredentials");
    }
    browser.new_password(&ticket, PASSWORD, NEW).refused(429, "TooManyAttempts");
    world.advance(1);
    // The same one again is no change: whoever set it knows it.
    browser.new_password(&ticket, PASSWORD, PASSWORD).refused(400, "PasswordPolicyViolation");
    browser.new_password(&ticket, PASSWORD, NEW).is("signed-in");
    session.iam("ListUsers", &[]).refused("InvalidClientTokenId");
    earlier.session().refused(401, "NoSession");
    browser.new_password(&ticket, NEW, PASSWORD).refused(401, "StaleSignIn");
    // Of several at once, one is taken.
    world.admin.iam("UpdateLoginProfile", &reset).ok();
    let page = browser.password(HOME, "Ann", NEW).is("password-change-required");
    let ticket = page.text("/ticket");
    let opened = Mutex::new(0);
    parallel(4, |thread| {
        let password = format!("Parallel-Horse-{thread}");
        let page = Browser::new(&world.admin).new_password(&ticket, NEW, &password);
        *opened.lock() += i32::from(page.status == 200);
    });
    assert_eq!(opened.into_inner(), 1);
}

/// K04, L01: nothing that a sign-in was given or gives out is in the trail, the store or an answer
/// that should not hold it.
#[test]
fn tm_k04_a_sign_in_leaves_no_secret() {
    let world = World::new(1913);
    let (_, device) = equipped(&world, "Ann", Rights::Inline(&allow_all()));
    user(&world, "Bob", Rights::Inline(&allow_all()));
    let reset = [("UserName", "Bob"), ("PasswordResetRequired", "true")];
    world.admin.iam("UpdateLoginProfile", &reset).ok();
    let (ann, bob) = (Browser::new(&world.admin), Browser::new(&world.admin));
    let canary = "Canary-Horse-5w!";
    let mut secrets = vec![PASSWORD.to_owned(), NEW.into(), canary.into(), device.seed.clone()];
    ann.password(HOME, "Ann", canary);
    ann.password(HOME, canary, canary);
    ann.password(canary, "Ann", canary);
    let ticket = ann.password(HOME, "Ann", PASSWORD).is("factor-required").text("/ticket");
    ann.code(&ticket, canary);
    let code = device.code(&world.admin, 0);
    let page = ann.code(&ticket, &code).is("signed-in");
    let later = ann.session().is("signed-in");
    let first = bob.password(HOME, "Bob", PASSWORD).is("password-change-required").text("/ticket");
    bob.new_password(&first, canary, canary);
    let changed = bob.new_password(&first, PASSWORD, NEW).is("signed-in");
    for page in [&page, &later, &changed] {
        for name in ["secretAccessKey", "sessionToken"] {
            secrets.push(page.text(&format!("/credentials/{name}")));
        }
    }
    secrets.extend([ticket, first, ann.cookie().unwrap(), bob.cookie().unwrap()]);
    let session = ann.client(&later);
    session.iam("ListUsers", &[]).ok();
    ann.sign_out().is("signed-out");
    assert_ne!(page.text("/credentials/accessKeyId"), later.text("/credentials/accessKeyId"));
    let mut texts: Vec<String> = Vec::new();
    for line in world.lines(HOME) {
        texts.push(String::from_utf8(line).unwrap());
    }
    for (key, value) in world.records() {
        texts.push(String::from_utf8_lossy(&[key, value].concat()).into_owned());
    }
    for text in &texts {
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "{secret} is in {text}");
        }
    }
    for line in world.lines(HOME) {
        let line = String::from_utf8(line).unwrap();
        assert!(!line.contains(&format!("\"{code}\"")), "the code is in {line}");
        assert!(!line.contains("$argon2"), "{line}");
    }
    assert!(!json!(page.body).to_string().contains("ticket"));
}
