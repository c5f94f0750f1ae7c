//! The world itself: it can be repeated.

use bailiwick_testkit::{HOME, Rights, World, allow_all};

/// Replies and journal of a scenario that meets most of the pipeline.
fn scenario(seed: u64) -> Vec<Vec<u8>> {
    let (world, one, _) = World::furnished(seed);
    let ann = world.user("Bob", Rights::Inline(&allow_all()));
    let mut bytes: Vec<Vec<u8>> = Vec::new();
    let mut note = |reply: bailiwick_testkit::Reply| {
        bytes.push(format!("{:?}", reply.headers).into_bytes());
        bytes.push(reply.body.to_vec());
    };
    note(ann.iam("ListUsers", &[("MaxItems", "2")]));
    note(ann.iam("GetUser", &[("UserName", "nobody")]));
    note(ann.sts("AssumeRole", &[("RoleArn", &one.arn("role", "Worker")), ("RoleSessionName", "one")]));
    note(ann.iam("CreateAccessKey", &[]));
    note(ann.anonymous().iam("ListUsers", &[]));
    world.advance(10);
    note(ann.call("bailiwick", "ListEvents", &[]));
    bytes.extend(world.lines(HOME));
    bytes
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let (one, two, other) = (scenario(5), scenario(5), scenario(6));
    assert_eq!(one.len(), two.len());
    for (at, (left, right)) in one.iter().zip(&two).enumerate() {
        assert_eq!(left, right, "{at}: {}", String::from_utf8_lossy(left));
    }
    assert_ne!(one, other);
}

/// A fork has the state and the credentials of its origin, and goes its own way.
#[test]
fn a_fork_is_a_world_of_its_own() {
    let world = World::new(7);
    let bob = world.user("Bob", Rights::None);
    let fork = world.fork();
    assert_eq!(fork.adopt(&bob).arn(), bob.arn());
    fork.admin.iam("CreateGroup", &[("GroupName", "Ours")]).ok();
    world.admin.iam("GetGroup", &[("GroupName", "Ours")]).refused("NoSuchEntity");
    // The events of the changes came over with the outbox.
    assert!(fork.events(HOME).iter().any(|event| event["eventName"] == "CreateUser"));
}
