//! Threats C: nothing is done that was not allowed.

use bailiwick_testkit::{
    Client, Dice, Furniture, HOME, Rights, World, allow, allow_on, deny, plausible, trust,
};
use bailiwick_wire::schema::Operation;
use serde_json::json;

use crate::operations::{
    FREE, allow_all_but, allow_asks, asks, caller, denial, full_name, implemented, is_answered,
};

const NEIGHBOUR: &str = "210987654321";

/// The operations that the matrix covers: those that can be refused at all.
fn guarded() -> Vec<&'static Operation> {
    let mut written = implemented();
    written.retain(|operation| !FREE.contains(&&*full_name(operation)));
    written
}

/// A call that must be denied and leave no trace but its event.
#[track_caller]
fn denied(
    world: &World,
    client: &Client,
    operation: &'static Operation,
    set: &Furniture,
    case: &str,
) -> String {
    let (revision, events) = (world.revision(), world.events(HOME).len());
    let reply = client.send(operation, &plausible(operation, set));
    let name = full_name(operation);
    let found = (reply.status, &*reply.code);
    assert_eq!(found, denial(operation), "{name}, {case}: {}", reply.message);
    assert_eq!(world.revision(), revision, "{name}, {case}: something was written");
    assert_eq!(world.events(HOME).len(), events + 1, "{name}, {case}: events");
    reply.message
}

#[test]
fn tm_c01_no_permission_is_denied() {
    let (world, one, _) = World::furnished(100);
    let nobody = world.user("Nobody", Rights::None);
    for operation in guarded() {
        let message = denied(&world, &nobody, operation, &one, "no permission");
        assert!(
            message.contains("is not authorized to perform: ") && message.contains("because no "),
            "{message}",
        );
    }
}

/// Each action that an operation asks counts: all others together do not help.
#[test]
fn tm_c01_sibling_actions_alone_are_denied() {
    let (world, one, _) = World::furnished(101);
    let sibling = world.user("Sibling", Rights::None);
    for operation in guarded() {
        for (action, _) in asks(&world, operation, &one).asks {
            world.put_user_policy("Sibling", &allow_all_but(&action));
            let message = denied(&world, &sibling, operation, &one, &format!("all but {action}"));
            assert!(message.contains(&action), "{message}");
        }
    }
}

#[test]
fn tm_c01_an_explicit_deny_is_denied() {
    let (world, one, _) = World::furnished(102);
    let denied_one = world.user("Denied", Rights::None);
    for operation in guarded() {
        for (action, _) in asks(&world, operation, &one).asks {
            world.put_user_policy("Denied", &deny(&[&action]));
            let message = denied(&world, &denied_one, operation, &one, "explicit deny");
            assert!(message.contains("explicit deny"), "{message}");
        }
    }
}

/// What is asked is enough: exactly these actions on exactly these resources.
#[test]
fn tm_c01_exactly_what_is_asked_is_allowed() {
    let (world, one, _) = World::furnished(103);
    for operation in implemented() {
        let needed = asks(&world, operation, &one).asks;
        let fork = world.fork();
        let client = caller(&fork, operation, "Caller", Rights::Inline(&allow_asks(&needed)));
        let reply = client.send(operation, &plausible(operation, &one));
        assert!(
            is_answered(operation, &reply),
            "{}: {}: {}",
            full_name(operation),
            reply.code,
            reply.message
        );
    }
}

/// The administrator of another account neither changes nor learns anything.
#[test]
fn tm_c01_another_account_is_out_of_reach() {
    let (world, one, _) = World::furnished(104);
    let neighbour = world.account(NEIGHBOUR);
    let root = world.root(NEIGHBOUR);
    let before = world.records_of(HOME);
    let ids = ids(&before);
    assert!(ids.len() > 15, "{ids:?}");
    for operation in implemented() {
        for client in [&neighbour, &root] {
            let reply = client.send(operation, &plausible(operation, &one));
            let name = full_name(operation);
            assert_ne!(reply.status, 500, "{name}");
            assert_eq!(world.records_of(HOME), before, "{name} changed another account");
            if reply.is_ok() {
                let body = reply.text_body();
                let leaked: Vec<_> = ids.iter().filter(|id| body.contains(*id)).collect();
                assert!(leaked.is_empty(), "{name} shows {leaked:?}");
            }
        }
    }
}

/// The unique ids in records.
fn ids(
    records: &std::collections::BTreeMap<Vec<u8>, Vec<u8>>,
) -> std::collections::BTreeSet<String> {
    let mut found = std::collections::BTreeSet::new();
    for bytes in records.iter().flat_map(|(key, value)| [key, value]) {
        let text = String::from_utf8_lossy(bytes).into_owned();
        for word in text.split(|letter: char| !letter.is_ascii_alphanumeric()) {
            let is_id =
                ["AIDA", "AROA", "AGPA", "AIPA", "ANPA"].iter().any(|head| word.starts_with(head));
            if is_id && word.len() == 21 {
                found.insert(word.to_owned());
            }
        }
    }
    found
}

/// Nothing that a caller sends becomes a context key that the server derives.
#[test]
fn tm_c05_callers_do_not_set_context_keys() {
    let world = World::new(105);
    let planner = world.user("Planner", Rights::None);
    let keys = [
        ("aws:SourceIp", "198.51.100.7"),
        ("aws:username", "admin"),
        ("aws:userid", "planted"),
        ("aws:PrincipalTag/team", "red"),
        ("aws:PrincipalArn", "arn:aws:iam::123456789012:user/admin"),
        ("aws:PrincipalAccount", "210987654321"),
        ("aws:PrincipalType", "Account"),
        ("aws:PrincipalOrgID", "o-planted1234"),
        ("aws:MultiFactorAuthPresent", "true"),
        ("aws:MultiFactorAuthAge", "1"),
        ("aws:TokenIssueTime", "2030-01-01T00:00:00Z"),
        ("aws:CurrentTime", "2030-01-01T00:00:00Z"),
        ("aws:SecureTransport", "false"),
        ("aws:SourceVpc", "vpc-planted"),
        ("aws:SourceVpce", "vpce-planted"),
        ("aws:VpcSourceIp", "198.51.100.7"),
        ("aws:ViaAWSService", "true"),
        ("aws:CalledVia", "planted"),
        ("aws:SourceIdentity", "planted"),
        ("aws:SourceAccount", "210987654321"),
        ("aws:SourceArn", "planted"),
        ("aws:RequestedRegion", "eu-planted-1"),
        ("aws:ResourceAccount", "210987654321"),
        ("aws:ResourceTag/team", "red"),
        ("iam:ResourceTag/team", "red"),
        ("aws:RequestTag/team", "red"),
        ("aws:TagKeys", "team"),
        ("iam:PolicyARN", "planted"),
        ("iam:PermissionsBoundary", "planted"),
        ("iam:PassedToService", "planted"),
        ("sts:ExternalId", "planted"),
        ("sts:RoleSessionName", "planted"),
        ("ec2:SourceInstanceARN", "planted"),
    ];
    for (key, value) in keys {
        let policy = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*",
                "Condition": {"StringEquals": {key: value}},
            }],
        });
        world.put_user_policy("Planner", &policy.to_string());
        let (_, bare) = key.split_once(':').unwrap();
        let header = bare.replace('/', "-");
        for (headers, parameters) in [
            (vec![], vec![(key, value)]),
            (vec![], vec![(bare, value)]),
            (vec![format!("aws-{header}"), format!("x-aws-{header}"), header.clone()], vec![]),
            (vec![format!("x-amz-{header}"), format!("x-amzn-{header}")], vec![]),
            (
                vec![
                    "x-forwarded-for".into(),
                    "forwarded".into(),
                    "x-real-ip".into(),
                    "client-ip".into(),
                ],
                vec![],
            ),
            (vec!["user-agent".into(), "x-amz-security-token-extra".into()], vec![]),
        ] {
            let plain = planner.anonymous().request("iam", "ListUsers", &parameters);
            let (mut parts, body) = plain.into_parts();
            for name in headers {
                parts
                    .headers
                    .insert(http::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
            }
            let request = planner.sign("iam", http::Request::from_parts(parts, body));
            let reply = planner.exchange(request);
            assert_eq!(reply.code, "AccessDenied", "{key}: {}", reply.message);
        }
    }
}

/// What a caller may say of itself is what it is: tags of a request are `aws:RequestTag` only.
#[test]
fn tm_c05_reserved_tag_keys_are_refused() {
    let world = World::new(106);
    for key in ["aws:username", "AWS:PrincipalTag/team", "aws:RequestTag/team"] {
        let parameters =
            [("UserName", "Tagged"), ("Tags.member.1.Key", key), ("Tags.member.1.Value", "x")];
        let reply = world.admin.iam("CreateUser", &parameters);
        assert_eq!(reply.status, 400, "{key}: {}", reply.message);
    }
}

#[test]
fn tm_c07_names_that_fold_alike_exist_once() {
    let world = World::new(107);
    let document = allow(&["s3:GetObject"]);
    let trust = trust(HOME);
    for (operation, member, more) in [
        ("CreateUser", "UserName", None),
        ("CreateGroup", "GroupName", None),
        ("CreateRole", "RoleName", Some(("AssumeRolePolicyDocument", &*trust))),
        ("CreateInstanceProfile", "InstanceProfileName", None),
        ("CreatePolicy", "PolicyName", Some(("PolicyDocument", &*document))),
    ] {
        let create = |name: &str| {
            let parameters: Vec<_> = [(member, name)].into_iter().chain(more).collect();
            world.admin.iam(operation, &parameters)
        };
        create("MiXed-Name").ok();
        for again in ["MiXed-Name", "mixed-name", "MIXED-NAME", "mIxED-nAME"] {
            create(again).refused("EntityAlreadyExists");
        }
        // Look-alikes, other forms of the same letter, folds that leave ASCII, and what is invisible.
        for odd in [
            "M\u{456}Xed-Name",
            "MiXed\u{2010}Name",
            "MiXed-Name\u{200b}",
            "\u{212a}elvin",
            "\u{17f}ession",
            "e\u{301}",
            "\u{e9}",
            "na\u{131}ve",
            "a b",
            "a\tb",
            "a\0b",
            "a/b",
            "a\u{202e}b",
        ] {
            let reply = create(odd);
            assert_eq!(
                (reply.status, &*reply.code),
                (400, "ValidationError"),
                "{operation} {odd:?}"
            );
        }
    }
}

#[test]
fn tm_c07_actions_and_keys_fold_and_arns_do_not() {
    let world = World::new(108);
    let caller = world.user("Folder", Rights::None);
    world.admin.iam("CreateUser", &[("UserName", "Target")]).ok();
    let get = || caller.iam("GetUser", &[("UserName", "TARGET")]);
    let target = format!("arn:aws:iam::{HOME}:user/Target");
    for (action, resource, allowed) in [
        ("iam:GetUser", &*target, true),
        ("IAM:getUSER", &*target, true),
        ("iam:GETU*", &*target, true),
        ("iam:GetUser", &target.replace("Target", "TARGET"), false),
        ("iam:GetUser", &target.replace("user", "User"), false),
        ("iam:GetUser", &target.replace("aws", "AWS"), false),
        ("iam:GetUs\u{435}r", &*target, false),
    ] {
        let policy = allow_on(&[action], &[resource]);
        let put = [("UserName", "Folder"), ("PolicyName", "rights"), ("PolicyDocument", &*policy)];
        let put = world.admin.iam("PutUserPolicy", &put);
        if put.is_ok() {
            assert_eq!(get().is_ok(), allowed, "{action} {resource}");
        } else {
            assert!(!allowed, "{action} {resource}: {}", put.message);
        }
    }
    for key in ["aws:username", "AWS:UserName", "aWs:uSERNAME"] {
        let policy = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow", "Action": "iam:GetUser", "Resource": "*",
                "Condition": {"StringEquals": {key: "Folder"}},
            }],
        });
        world.put_user_policy("Folder", &policy.to_string());
        get().ok();
        world.put_user_policy("Folder", &policy.to_string().replace("\"Folder\"", "\"folder\""));
        get().refused("AccessDenied");
    }
}

/// Adding a Deny never grants, and an unrelated Deny changes nothing.
#[test]
fn adding_a_deny_never_grants() {
    let world = World::new(116);
    let caller = world.user("Caller", Rights::None);
    let actions =
        ["iam:ListUsers", "iam:List*", "iam:GetUser", "*", "iam:*Role*", "s3:*", "iam:GetRole"];
    let resources = [
        "*",
        "arn:aws:iam::123456789012:user/*",
        "arn:aws:iam::*:user/Caller",
        "arn:aws:iam::123456789012:role/*",
    ];
    let conditions = [
        json!({}),
        json!({"StringEquals": {"aws:username": "Caller"}}),
        json!({"StringNotEquals": {"aws:username": "Caller"}}),
        json!({"Bool": {"aws:SecureTransport": "false"}}),
        json!({"Null": {"aws:TokenIssueTime": "true"}}),
        json!({"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}}),
        json!({"DateLessThanIfExists": {"aws:TokenIssueTime": "2030-01-01T00:00:00Z"}}),
    ];
    let mut dice = Dice::new(116);
    let mut statement = |effect: &str| {
        let (action, resource) = (*dice.pick(&actions), *dice.pick(&resources));
        let negate = dice.roll(4);
        json!({
            "Effect": effect,
            (if negate == 0 { "NotAction" } else { "Action" }): action,
            (if negate == 1 { "NotResource" } else { "Resource" }): resource,
            "Condition": dice.pick(&conditions),
        })
    };
    let outcomes = || {
        [
            caller.iam("ListUsers", &[]).is_ok(),
            caller.iam("GetUser", &[]).is_ok(),
            caller.iam("ListRoles", &[("PathPrefix", "/a/")]).is_ok(),
        ]
    };
    let put = |statements: &[serde_json::Value]| {
        let policy = json!({"Version": "2012-10-17", "Statement": statements});
        world.put_user_policy("Caller", &policy.to_string());
        outcomes()
    };
    let (mut allowed, mut taken) = (0, 0);
    for _ in 0..250 {
        let granted = vec![statement("Allow"), statement("Allow")];
        let before = put(&granted);
        let unrelated = json!({"Effect": "Deny", "Action": "s3:DeleteBucket", "Resource": "*"});
        assert_eq!(put(&[granted.clone(), vec![unrelated]].concat()), before);
        let denied = statement("Deny");
        let after = put(&[granted.clone(), vec![denied.clone()]].concat());
        for (was, is) in before.into_iter().zip(after) {
            assert!(was || !is, "{denied} grants beside {granted:?}");
            allowed += usize::from(was);
            taken += usize::from(was && !is);
        }
    }
    assert!(allowed > 50 && taken > 10, "the cases are too dull: {allowed}, {taken}");
}
