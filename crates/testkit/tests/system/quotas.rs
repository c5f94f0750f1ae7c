//! Threat G07: nothing grows without end.

use bailiwick_services::Quotas;
use bailiwick_testkit::{HOME, World, allow, trust};

use crate::operations::parallel;

/// Every quota fills, and then refuses, without a trace of what was refused.
#[test]
fn tm_g07_quotas_fill_and_refuse() {
    let quotas = Quotas {
        users: 4,
        groups: 3,
        roles: 3,
        policies: 4,
        instance_profiles: 3,
        groups_per_user: 2,
        access_keys_per_user: 2,
        attached_per_user: 2,
        attached_per_group: 2,
        attached_per_role: 2,
        versions_per_policy: 3,
        policy_size: 300,
        user_policy_size: 300,
        group_policy_size: 300,
        role_policy_size: 300,
        trust_policy_size: 300,
        tags: 3,
        ..Quotas::default()
    };
    let world = World::with_quotas(706, quotas);
    let (document, trusted) = (allow(&["s3:GetObject"]), trust(HOME));
    let fill = |operation: &str,
                limit: usize,
                parameters: &dyn Fn(usize) -> Vec<(&'static str, String)>| {
        let call = |number: usize| {
            let held = parameters(number);
            let borrowed: Vec<(&str, &str)> =
                held.iter().map(|(key, text)| (*key, &**text)).collect();
            world.admin.iam(operation, &borrowed)
        };
        for number in 0..limit {
            call(number).ok();
        }
        let before = world.revision();
        for number in limit..limit + 3 {
            let reply = call(number).refused("LimitExceeded");
            let words = match operation {
                "CreatePolicyVersion" => "can have up to ",
                "PutUserPolicy" | "PutGroupPolicy" | "PutRolePolicy" => "Maximum policy size of ",
                _ => "Cannot exceed quota for ",
            };
            assert!(reply.message.contains(words), "{operation}: {}", reply.message);
            assert_eq!(reply.status, 409, "{operation}");
        }
        assert_eq!(world.revision(), before, "{operation}");
    };
    let name = |number: usize| format!("n{number}");
    // The administrator is one of the users.
    fill("CreateUser", 3, &|at| vec![("UserName", name(at))]);
    fill("CreateGroup", 3, &|at| vec![("GroupName", name(at))]);
    fill("CreateRole", 3, &|at| {
        vec![("RoleName", name(at)), ("AssumeRolePolicyDocument", trusted.clone())]
    });
    // Only service-linked roles go beyond the quota of roles.
    let linked = [("AWSServiceName", "ecs.amazonaws.com")];
    world.admin.iam("CreateServiceLinkedRole", &linked).ok();
    fill("CreatePolicy", 4, &|at| {
        vec![("PolicyName", name(at)), ("PolicyDocument", document.clone())]
    });
    fill("CreateInstanceProfile", 3, &|at| vec![("InstanceProfileName", name(at))]);
    fill("CreateAccessKey", 2, &|_| vec![("UserName", name(0))]);
    fill("AddUserToGroup", 2, &|at| vec![("UserName", name(0)), ("GroupName", name(at.min(2)))]);
    let arn = |at: usize| format!("arn:aws:iam::{HOME}:policy/n{}", at.min(3));
    let aws = [
        "ReadOnlyAccess",
        "IAMReadOnlyAccess",
        "AmazonS3FullAccess",
        "AmazonEC2FullAccess",
        "PowerUserAccess",
    ];
    let managed =
        |at: usize| if at < 2 { arn(at) } else { format!("arn:aws:iam::aws:policy/{}", aws[at]) };
    fill("AttachUserPolicy", 2, &|at| vec![("UserName", name(0)), ("PolicyArn", managed(at))]);
    fill("AttachGroupPolicy", 2, &|at| vec![("GroupName", name(0)), ("PolicyArn", managed(at))]);
    fill("AttachRolePolicy", 2, &|at| vec![("RoleName", name(0)), ("PolicyArn", managed(at))]);
    fill("CreatePolicyVersion", 2, &|_| {
        vec![("PolicyArn", arn(0)), ("PolicyDocument", document.clone())]
    });
    // A document of a hundred-odd characters fits twice.
    for (operation, member) in [
        ("PutUserPolicy", "UserName"),
        ("PutGroupPolicy", "GroupName"),
        ("PutRolePolicy", "RoleName"),
    ] {
        fill(operation, 300 / document.len(), &|at| {
            vec![(member, name(0)), ("PolicyName", name(at)), ("PolicyDocument", document.clone())]
        });
    }
    let long = allow(&["s3:GetObject"; 40]);
    world
        .admin
        .iam("CreatePolicyVersion", &[("PolicyArn", &arn(1)), ("PolicyDocument", &long)])
        .refused("LimitExceeded");
    let tag = |keys: &[&str]| {
        let members: Vec<String> =
            (1..=keys.len()).map(|at| format!("Tags.member.{at}.Key")).collect();
        let values: Vec<String> =
            (1..=keys.len()).map(|at| format!("Tags.member.{at}.Value")).collect();
        let mut parameters = vec![("UserName", "n0")];
        parameters.extend(members.iter().map(|member| &**member).zip(keys.iter().copied()));
        parameters.extend(values.iter().map(|member| (&**member, "v")));
        world.admin.iam("TagUser", &parameters)
    };
    tag(&["a", "b", "c"]).ok();
    tag(&["a"]).ok();
    tag(&["d"]).refused("LimitExceeded");
    tag(&["a", "b", "c", "d"]).refused("LimitExceeded");
}

/// Quotas hold when many reach for the last place at once.
#[test]
fn tm_g07_a_quota_is_not_raced_past() {
    let world = World::new(707);
    world.admin.iam("CreateUser", &[("UserName", "Keys")]).ok();
    parallel(8, |_| drop(world.admin.iam("CreateAccessKey", &[("UserName", "Keys")])));
    let keys = world.admin.iam("ListAccessKeys", &[("UserName", "Keys")]).ok();
    assert_eq!(keys.len("AccessKeyMetadata"), 2);
    parallel(8, |_| drop(world.admin.iam("CreateUser", &[("UserName", "One")])));
    let named = |event: &&serde_json::Value| {
        event["eventName"] == "CreateUser"
            && event["requestParameters"]["userName"] == "One"
            && event.get("errorCode").is_none()
    };
    assert_eq!(world.events(HOME).iter().filter(named).count(), 1);
}

/// What is remembered for retries is forgotten when its time is over.
#[test]
fn tm_g07_remembered_answers_expire() {
    let world = World::new(708);
    let count = || {
        world.records().keys().filter(|key| key.windows(7).any(|part| part == b"/retry/")).count()
    };
    let call = |number: usize| {
        let plain = world.anonymous().request(
            "iam",
            "CreateGroup",
            &[("GroupName", &format!("g{number}"))],
        );
        let (mut parts, body) = plain.into_parts();
        parts.headers.insert("amz-sdk-invocation-id", format!("call-{number:08}").parse().unwrap());
        let request = world.admin.sign("iam", http::Request::from_parts(parts, body));
        assert_eq!(world.admin.exchange(request).status, 200);
    };
    (0..50).for_each(call);
    assert_eq!(count(), 50);
    world.advance(601);
    // A change drops a few of those that are too old, and the flush the rest.
    call(50);
    assert!(count() < 50, "{}", count());
    world.node.flush();
    assert_eq!(count(), 1);
}
