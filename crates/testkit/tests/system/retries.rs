//! Answers remembered for retries, and what crosses from one account to another.

use bailiwick_testkit::{Client, HOME, Reply, Rights, World, allow_on, trust};

/// Sends a call under an invocation id, as the SDKs do: the header is not signed.
fn invoke(client: &Client, id: &str, name: &str, parameters: &[(&str, &str)]) -> Reply {
    let mut request = client.request("iam", name, parameters);
    request.headers_mut().insert("amz-sdk-invocation-id", id.parse().unwrap());
    client.exchange(request)
}

/// An answer too long to be kept is not remembered, and nothing stops.
#[test]
fn tm_g07_a_long_answer_does_not_stop_the_account() {
    let world = World::new(1);
    let policy = trust(&format!("arn:aws:iam::{HOME}:root"));
    let long = format!("{policy}{}", " ".repeat(120_000));
    let parameters = [("RoleName", "long"), ("AssumeRolePolicyDocument", long.as_str())];
    assert_eq!(invoke(&world.admin, "i-1", "CreateRole", &parameters).status, 200);
    // Not remembered: a retry meets the name.
    assert_eq!(invoke(&world.admin, "i-1", "CreateRole", &parameters).code, "EntityAlreadyExists");
    world.admin.iam("CreateUser", &[("UserName", "after")]).ok();
}

/// More answers than one transaction may drop grow too old together: the account goes on.
#[test]
fn tm_g07_many_old_answers_do_not_stop_the_account() {
    let world = World::new(2);
    for number in 0..16_500 {
        let id = format!("i-{number}");
        let parameters =
            [("UserName", "admin"), ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", &id)];
        assert_eq!(invoke(&world.admin, &id, "TagUser", &parameters).status, 200);
    }
    world.advance(601);
    world.admin.iam("CreateUser", &[("UserName", "after")]).ok();
    for _ in 0..10 {
        world.node.flush();
    }
    world.admin.iam("CreateUser", &[("UserName", "later")]).ok();
    let held = world.records().keys().filter(|key| holds(key, b"/retry/")).count();
    assert!(held < 10, "{held} answers are still there");
}

fn holds(text: &[u8], wanted: &[u8]) -> bool {
    text.windows(wanted.len()).any(|window| window == wanted)
}

/// A retry is allowed by what the first call asked about, also when that is gone by its own doing.
#[test]
fn a_deletion_by_path_can_be_retried() {
    let world = World::new(3);
    let on = format!("arn:aws:iam::{HOME}:user/team/*");
    let policy = allow_on(&["iam:DeleteUser"], &[on.as_str()]);
    let delegate = world.user("delegate", Rights::Inline(&policy));
    world.admin.iam("CreateUser", &[("UserName", "bob"), ("Path", "/team/")]).ok();
    let parameters = [("UserName", "bob")];
    assert_eq!(invoke(&delegate, "i-1", "DeleteUser", &parameters).status, 200);
    assert_eq!(invoke(&delegate, "i-1", "DeleteUser", &parameters).status, 200);
    // Another invocation is another call, about a user that is not there.
    assert_eq!(invoke(&delegate, "i-2", "DeleteUser", &parameters).code, "AccessDenied");
}

/// An answer that is remembered belongs to the call it answers: neither another account nor
/// another principal gets it, under the same invocation id, operation and parameters.
#[test]
fn tm_c17_a_remembered_answer_is_shown_to_its_caller_alone() {
    let world = World::new(5);
    let other = world.account("210987654321");
    let peer = world.user("peer", Rights::Inline(&allow_on(&["iam:CreateUser"], &["*"])));
    let create = |client: &Client| invoke(client, "i-1", "CreateUser", &[("UserName", "bob")]);
    let first = create(&world.admin);
    assert_eq!(first.status, 200);
    let id_of = |reply: &Reply| {
        let body = reply.text_body();
        let (_, rest) = body.split_once("<UserId>").expect("a user");
        rest.split_once('<').unwrap().0.to_owned()
    };
    let id = id_of(&first);
    // It is remembered: the same call again is answered again.
    assert_eq!(id_of(&create(&world.admin)), id);
    let theirs = create(&other);
    assert_eq!(theirs.status, 200);
    assert_ne!(id_of(&theirs), id);
    assert!(!theirs.text_body().contains(HOME), "{}", theirs.text_body());
    let again = create(&peer);
    assert_eq!((again.status, again.code.as_str()), (409, "EntityAlreadyExists"));
    assert!(!again.text_body().contains(&id), "{}", again.text_body());
    assert_eq!(create(&world.anonymous()).code, "MissingAuthenticationToken");
}

/// What the owner of a role wrote into its trust policy is not for outsiders, by no walk through it.
#[test]
fn tm_c17_a_foreign_trust_policy_does_not_show_in_the_walk() {
    const OWNER: &str = "210987654321";
    let world = World::new(4);
    let owner = world.account(OWNER);
    let secret = "333333333333";
    let parameters = [
        ("RoleName", "Vault"),
        ("AssumeRolePolicyDocument", &trust(&format!("arn:aws:iam::{secret}:root"))),
    ];
    owner.iam("CreateRole", &parameters).ok();
    let denied = |client: &Client, role: &str| {
        let arn = format!("arn:aws:iam::{OWNER}:role/{role}");
        let reply = client.sts("AssumeRole", &[("RoleArn", &arn), ("RoleSessionName", "try")]);
        assert_eq!((reply.status, reply.code.as_str()), (403, "AccessDenied"));
        assert!(reply.message.contains(&arn), "{}", reply.message);
        let id = reply.decision_id().expect("a decision");
        let walk = client.call("bailiwick", "ExplainDecision", &[("DecisionId", &id)]).ok();
        let told = reply.message.replace(role, "ROLE");
        (told.split(" (decision ").next().unwrap().to_owned(), walk.text_body())
    };
    let ((vault, seen), (absent, _)) =
        (denied(&world.admin, "Vault"), denied(&world.admin, "Absent"));
    // The answer does not tell either whether there is such a role.
    assert_eq!(vault, absent);
    // There is a walk, and the owner's shows what it passes.
    let (_, own) = denied(&owner, "Vault");
    for walk in [&seen, &own] {
        assert!(walk.contains("role/Vault") && walk.contains("trust"), "{walk}");
    }
    assert!(own.contains(secret), "{own}");
    assert!(!seen.contains(secret), "{seen}");
    let walked = |account: &str| world.lines(account).into_iter().filter(|it| holds(it, b"Vault"));
    assert_eq!(walked(HOME).count(), 1);
    assert!(!holds(&world.lines(HOME).concat(), secret.as_bytes()), "the trail shows it");
    assert!(walked(OWNER).any(|line| holds(&line, secret.as_bytes())));
}
