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

/// What the owner of a role wrote into its trust policy is not for outsiders, by no walk through it.
#[test]
fn tm_c17_a_foreign_trust_policy_does_not_show_in_the_walk() {
    let world = World::new(4);
    let other = world.account("210987654321");
    let secret = "333333333333";
    let parameters = [
        ("RoleName", "Vault"),
        ("AssumeRolePolicyDocument", &trust(&format!("arn:aws:iam::{secret}:root"))),
    ];
    other.iam("CreateRole", &parameters).ok();
    let denied = |role: &str| {
        let arn = format!("arn:aws:iam::210987654321:role/{role}");
        let reply = world.admin.sts("AssumeRole", &[("RoleArn", &arn), ("RoleSessionName", "try")]);
        assert_eq!((reply.status, reply.code.as_str()), (403, "AccessDenied"));
        let text = reply.message.replace(role, "ROLE");
        text.split(" (decision ").next().unwrap().to_owned()
    };
    // The answer does not tell either whether there is such a role.
    assert_eq!(denied("Vault"), denied("Absent"));
    let lines = world.lines(HOME).concat();
    assert!(!holds(&lines, secret.as_bytes()), "the trail shows a foreign trust policy");
}
