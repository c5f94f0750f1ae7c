//! The world itself: it can be repeated.

use bailiwick_testkit::{HOME, Rights, World, allow_all, plausible};

use crate::operations::implemented;

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
    note(
        ann.sts(
            "AssumeRole",
            &[("RoleArn", &one.arn("role", "Worker")), ("RoleSessionName", "one")],
        ),
    );
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

/// What a node reads from the store is what the node that wrote it has in memory.
#[test]
fn a_restart_changes_nothing() {
    let (world, one, two) = World::furnished(8);
    let state =
        |world: &World| format!("{:#?}", world.node.account(HOME.parse().unwrap()).unwrap());
    let mut done = 0;
    // What was deleted is missing for the operations after it, in either order.
    let mut operations = implemented();
    for set in [&one, &two] {
        for operation in &operations {
            done += usize::from(world.admin.send(operation, &plausible(operation, set)).is_ok());
        }
        world.node.flush();
        // Changes are published in order: when this one is answered, what was flushed is seen.
        world.admin.iam("CreateGroup", &[("GroupName", &set.name("Last"))]).ok();
        let (here, there) = (state(&world), state(&world.fork()));
        for (left, right) in here.lines().zip(there.lines()) {
            assert_eq!(left, right);
        }
        assert_eq!(here.len(), there.len());
        operations.reverse();
    }
    assert!(done > 100, "{done}");
}

/// What is taken away leaves nothing behind that names it.
#[test]
fn a_deletion_leaves_no_trace() {
    let (world, one, _) = World::furnished(9);
    let admin = &world.admin;
    let (user, group, role, profile) =
        (one.name("Ann"), one.name("Crew"), one.name("Worker"), one.name("Full"));
    let (held, loose) = (one.arn("policy", "Held"), one.arn("policy", "Loose"));
    let phone = one.arn("mfa", "Phone");
    let user_id = admin.iam("GetUser", &[("UserName", &user)]).ok().text("User.UserId");
    let group_id = admin.iam("GetGroup", &[("GroupName", &group)]).ok().text("Group.GroupId");
    let role_id = admin.iam("GetRole", &[("RoleName", &role)]).ok().text("Role.RoleId");
    let policy_id = admin.iam("GetPolicy", &[("PolicyArn", &loose)]).ok().text("Policy.PolicyId");
    let shown = admin.iam("GetInstanceProfile", &[("InstanceProfileName", &profile)]).ok();
    let profile_id = shown.text("InstanceProfile.InstanceProfileId");
    admin.assume(&one.arn("role", "Worker"), "used");
    let (name, password) = &one.service_sign_in;
    let asked = [
        ("ServiceName", "codecommit.amazonaws.com"),
        ("ServiceUserName", name),
        ("ServicePassword", password),
    ];
    admin.call("bailiwick", "VerifyServiceSpecificCredential", &asked).ok();
    world.node.flush();
    let (by_user, by_group, by_role) =
        (("UserName", &*user), ("GroupName", &*group), ("RoleName", &*role));
    let by_profile = ("InstanceProfileName", &*profile);
    for (operation, parameters) in [
        ("RemoveUserFromGroup", vec![by_group, by_user]),
        ("RemoveRoleFromInstanceProfile", vec![by_profile, by_role]),
        ("DeleteLoginProfile", vec![by_user]),
        ("DeactivateMFADevice", vec![by_user, ("SerialNumber", &phone)]),
        ("DeleteAccessKey", vec![by_user, ("AccessKeyId", &one.key)]),
        ("DeleteSigningCertificate", vec![by_user, ("CertificateId", &one.signing_certificate)]),
        ("DeleteSSHPublicKey", vec![by_user, ("SSHPublicKeyId", &one.ssh_key)]),
        (
            "DeleteServiceSpecificCredential",
            vec![by_user, ("ServiceSpecificCredentialId", &one.service_credential)],
        ),
        ("DetachUserPolicy", vec![by_user, ("PolicyArn", &held)]),
        ("DetachGroupPolicy", vec![by_group, ("PolicyArn", &held)]),
        ("DetachRolePolicy", vec![by_role, ("PolicyArn", &held)]),
        ("DeleteUserPolicy", vec![by_user, ("PolicyName", "Inline")]),
        ("DeleteGroupPolicy", vec![by_group, ("PolicyName", "Inline")]),
        ("DeleteRolePolicy", vec![by_role, ("PolicyName", "Inline")]),
    ] {
        // Each of these stands in the way of the deletion of what it hangs on.
        let parent = match parameters[0].0 {
            "UserName" => "DeleteUser",
            "RoleName" => "DeleteRole",
            "InstanceProfileName" => "DeleteInstanceProfile",
            _ => "DeleteGroup",
        };
        admin.iam(parent, &parameters[..1]).refused("DeleteConflict");
        admin.iam(operation, &parameters).ok();
    }
    admin.iam("DeleteUser", &[by_user]).ok();
    admin.iam("DeleteGroup", &[by_group]).ok();
    admin.iam("DeleteRole", &[by_role]).ok();
    admin.iam("DeleteInstanceProfile", &[by_profile]).ok();
    admin.iam("DeletePolicy", &[("PolicyArn", &loose)]).ok();
    let certificate = one.name("Cert");
    admin.iam("DeleteServerCertificate", &[("ServerCertificateName", &certificate)]).ok();
    world.node.flush();
    for (key, value) in world.records_of(HOME) {
        let text = format!("{} {}", String::from_utf8_lossy(&key), String::from_utf8_lossy(&value));
        if text.contains("/credential-report/") || text.contains("/access-report/") {
            // They stay what they were when they were made.
            continue;
        }
        let credentials = [&one.key, &one.ssh_key, &one.service_credential];
        let credentials = credentials.into_iter().chain([&one.signing_certificate]);
        let entities = [&user_id, &group_id, &role_id, &policy_id, &profile_id];
        for id in entities.into_iter().chain(credentials) {
            assert!(!text.contains(&**id), "{id} is still in {text}");
        }
        let folded = text.to_lowercase();
        for name in [&user, &group, &profile, &certificate] {
            assert!(!folded.contains(&name.to_lowercase()), "{name} is still in {text}");
        }
    }
}
