//! Threats F: passwords are not to be guessed.

use bailiwick_testkit::{Client, HOME, PASSWORD, Reply, Rights, World, allow_all};
use parking_lot::Mutex;

use crate::operations::parallel;

const NEW: &str = "Another-Horse-8y";

/// A user with a console password.
fn user(world: &World, name: &str) -> Client {
    let client = world.user(name, Rights::Inline(&allow_all()));
    world.admin.iam("CreateLoginProfile", &[("UserName", name), ("Password", PASSWORD)]).ok();
    client
}

fn change(client: &Client, old: &str, new: &str) -> Reply {
    client.iam("ChangePassword", &[("OldPassword", old), ("NewPassword", new)])
}

#[test]
fn tm_f02_passwords_are_guessed_slowly() {
    let world = World::new(500);
    let (ann, bob) = (user(&world, "Ann"), user(&world, "Bob"));
    let before = world.events(HOME).len();
    let codes = Mutex::new(Vec::new());
    parallel(16, |thread| {
        for guess in 0..4 {
            let reply = change(&ann, &format!("Wrong-Horse-{thread}-{guess}"), NEW);
            codes.lock().push((reply.status, reply.code));
        }
    });
    let codes = codes.into_inner();
    let count = |status: u16, code: &str| {
        codes.iter().filter(|found| (found.0, &*found.1) == (status, code)).count()
    };
    assert_eq!((count(403, "AccessDenied"), count(400, "Throttling")), (5, 59), "{codes:?}");
    assert_eq!(world.events(HOME).len(), before + 64);
    // The right one is not told apart while it waits, and the wait doubles.
    change(&ann, PASSWORD, NEW).refused("Throttling");
    world.advance(1);
    change(&ann, "Wrong-Horse-6", NEW).refused("AccessDenied");
    world.advance(1);
    change(&ann, PASSWORD, NEW).refused("Throttling");
    // Another user does not wait.
    change(&bob, PASSWORD, NEW).ok();
    world.advance(1);
    change(&ann, PASSWORD, NEW).ok();
    // Who knew the password begins anew.
    for _ in 0..5 {
        change(&ann, PASSWORD, NEW).refused("AccessDenied");
    }
    change(&ann, NEW, PASSWORD).refused("Throttling");
}

/// However slowly: so many a day, and the next day they go on.
#[test]
fn tm_f02_a_hundred_guesses_a_day() {
    let world = World::new(501);
    let ann = user(&world, "Ann");
    let mut wrong = 0;
    for _ in 0..200 {
        let reply = change(&ann, "Wrong-Horse-1", NEW);
        assert!(matches!(&*reply.code, "AccessDenied" | "Throttling"), "{}", reply.code);
        wrong += u32::from(reply.code == "AccessDenied");
        world.advance(7 * 60);
    }
    // Forty with credentials of the user; sign-in has the other sixty.
    assert_eq!(wrong, 40);
    world.advance(24 * 60 * 60);
    change(&ann, PASSWORD, NEW).ok();
}

/// What is wrong with the new password is told after what is wrong with the rest, hashed or not.
#[test]
fn tm_f08_a_bad_new_password_is_told_of_in_its_turn() {
    let world = World::new(502);
    let ann = user(&world, "Ann");
    let login = |user: &str| {
        world.admin.iam("CreateLoginProfile", &[("UserName", user), ("Password", "short")])
    };
    login("Nobody").refused("NoSuchEntity");
    login("Ann").refused("EntityAlreadyExists");
    world.admin.iam("CreateUser", &[("UserName", "Cid")]).ok();
    login("Cid").refused("PasswordPolicyViolation");
    let update = |user: &str| {
        world.admin.iam("UpdateLoginProfile", &[("UserName", user), ("Password", "short")])
    };
    update("Cid").refused("NoSuchEntity");
    update("Ann").refused("PasswordPolicyViolation");
    change(&ann, "Wrong-Horse-1", "short").refused("AccessDenied");
    change(&ann, PASSWORD, "short").refused("PasswordPolicyViolation");
    change(&ann, PASSWORD, NEW).ok();
}
