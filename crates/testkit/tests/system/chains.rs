//! Threats B05, B06 and B08: roles that assume roles, and roles that serve others.

use bailiwick_testkit::{Client, HOME, Rights, World, allow_all, trust};
use serde_json::json;

use crate::sessions::{identify, with_session};

#[test]
fn tm_b05_a_chain_is_limited_to_an_hour() {
    let world = World::new(308);
    let all = allow_all();
    let arns: Vec<String> = ["One", "Two", "Three"]
        .iter()
        .map(|name| world.role(name, HOME, Rights::Inline(&all)))
        .collect();
    for name in ["One", "Two", "Three"] {
        let update = [("RoleName", name), ("MaxSessionDuration", "43200")];
        world.admin.iam("UpdateRole", &update).ok();
    }
    let long = |client: &Client, arn: &str, seconds: &str| {
        let parameters =
            [("RoleArn", arn), ("RoleSessionName", "link"), ("DurationSeconds", seconds)];
        client.sts("AssumeRole", &parameters)
    };
    let first = world.admin.as_issued(&long(&world.admin, &arns[0], "43200").ok());
    long(&first, &arns[1], "3601").refused("ValidationError");
    let reply = long(&first, &arns[1], "3600").ok();
    let second = world.admin.as_issued(&reply);
    long(&second, &arns[2], "3601").refused("ValidationError");
    let third = world.admin.as_issued(&long(&second, &arns[2], "3600").ok());
    identify(&third).ok();
    world.advance(3600);
    identify(&third).refused("ExpiredToken");
    identify(&first).ok();
}

/// Transitive tags go along the chain and cannot be overridden; others end with their session.
#[test]
fn tm_b05_transitive_tags_hold_along_a_chain() {
    let world = World::new(309);
    let all = allow_all();
    let arns: Vec<String> = ["One", "Two", "Three"]
        .iter()
        .map(|name| world.role(name, HOME, Rights::Inline(&all)))
        .collect();
    let guarded = json!({
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:*", "Resource": "*"},
            {"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*",
             "Condition": {"StringEquals": {"aws:PrincipalTag/team": "blue"}}},
            {"Effect": "Allow", "Action": "iam:ListRoles", "Resource": "*",
             "Condition": {"StringEquals": {"aws:PrincipalTag/stage": "test"}}},
        ],
    });
    let put = [
        ("RoleName", "Three"),
        ("PolicyName", "rights"),
        ("PolicyDocument", &*guarded.to_string()),
    ];
    world.admin.iam("PutRolePolicy", &put).ok();
    let first = world.admin.assume_with(&[
        ("RoleArn", &arns[0]),
        ("RoleSessionName", "first"),
        ("Tags.member.1.Key", "team"),
        ("Tags.member.1.Value", "blue"),
        ("Tags.member.2.Key", "stage"),
        ("Tags.member.2.Value", "test"),
        ("TransitiveTagKeys.member.1", "team"),
        ("TransitiveTagKeys.member.2", "TEAM"),
    ]);
    let told = &world.last_event()["requestParameters"]["transitiveTagKeys"];
    assert_eq!(told, &serde_json::json!(["team", "TEAM"]), "the trail has what was asked");
    for key in ["team", "TEAM", "Team"] {
        let reply = first.sts(
            "AssumeRole",
            &[
                ("RoleArn", &arns[1]),
                ("RoleSessionName", "other"),
                ("Tags.member.1.Key", key),
                ("Tags.member.1.Value", "red"),
            ],
        );
        assert_eq!(reply.status, 400, "{key}: {}", reply.message);
    }
    let second = first.assume(&arns[1], "second");
    let third = second.assume(&arns[2], "third");
    third.iam("ListUsers", &[]).ok();
    third.iam("ListRoles", &[]).refused("AccessDenied");
    let reply = second.sts(
        "AssumeRole",
        &[
            ("RoleArn", &arns[2]),
            ("RoleSessionName", "other"),
            ("Tags.member.1.Key", "team"),
            ("Tags.member.1.Value", "red"),
        ],
    );
    assert_eq!(reply.status, 400, "{}", reply.message);
    // Without a chain the tag is not there.
    world.admin.assume(&arns[2], "direct").iam("ListUsers", &[]).refused("AccessDenied");
    // A key cannot be transitive that is not a tag of the request.
    let reply = world.admin.sts(
        "AssumeRole",
        &[
            ("RoleArn", &arns[0]),
            ("RoleSessionName", "odd"),
            ("TransitiveTagKeys.member.1", "team"),
        ],
    );
    assert_eq!(reply.status, 400, "{}", reply.message);
}

#[test]
fn tm_b06_a_source_identity_is_kept_along_a_chain() {
    let world = World::new(310);
    let all = allow_all();
    let one = world.role("One", HOME, Rights::Inline(&all));
    let two = world.role("Two", HOME, Rights::Inline(&all));
    let first = world.admin.assume_with(&[
        ("RoleArn", &one),
        ("RoleSessionName", "admin"),
        ("SourceIdentity", "ann"),
    ]);
    let reply = first.sts(
        "AssumeRole",
        &[("RoleArn", &two), ("RoleSessionName", "admin"), ("SourceIdentity", "bob")],
    );
    assert_eq!(reply.code, "AccessDenied", "{}", reply.message);
    let second = first.assume(&two, "root");
    second.iam("ListUsers", &[]).ok();
    let event = world.last_event();
    let identity = &event["userIdentity"];
    assert_eq!(identity["sessionContext"]["sourceIdentity"], "ann");
    assert_eq!(identity["sessionContext"]["sessionIssuer"]["arn"], two);
    assert_eq!(identity["type"], "AssumedRole");
    assert_eq!(identity["arn"], format!("arn:aws:sts::{HOME}:assumed-role/Two/root"));
    // A trust policy that does not speak of it does not let it be set.
    let plain = trust(HOME).replace(",\"sts:SetSourceIdentity\"", "");
    assert!(!plain.contains("SetSourceIdentity"), "{plain}");
    let three = world.role_trusting("Three", &plain, Rights::None);
    let parameters = [("RoleArn", &*three), ("RoleSessionName", "x1")];
    world.admin.sts("AssumeRole", &parameters).ok();
    first.sts("AssumeRole", &parameters).refused("AccessDenied");
}

/// A session's name is a name, and gives nothing of what it resembles.
#[test]
fn tm_b06_hostile_session_names() {
    let (world, role, _) = with_session(311);
    let long = "n".repeat(65);
    for name in [
        "",
        "a",
        "a b",
        "a/b",
        "a:b",
        "a\nb",
        "a\0b",
        "a\"b",
        "<b>",
        "a&b",
        "a%b",
        "a*",
        "a?",
        "${x}",
        "\u{430}dmin",
        "admi\u{301}n",
        "a\u{202e}b",
        &long,
        "../x",
        "a\\b",
        "a;b",
        "a#b",
    ] {
        let reply = world.admin.sts("AssumeRole", &[("RoleArn", &role), ("RoleSessionName", name)]);
        assert_eq!((reply.status, &*reply.code), (400, "ValidationError"), "{name:?}");
        for member in ["SourceIdentity", "ExternalId"] {
            let parameters = [("RoleArn", &*role), ("RoleSessionName", "good"), (member, name)];
            if member == "ExternalId" && (matches!(name, "a/b" | "a:b" | "../x") || name == long) {
                continue;
            }
            let reply = world.admin.sts("AssumeRole", &parameters);
            assert_eq!(reply.status, 400, "{member} {name:?}: {}", reply.message);
        }
    }
    for name in ["root", "admin", "arn=aws=iam", "user@example.com", "123456789012", "a.b-c_d,e+f="]
    {
        let session = world.admin.assume(&role, name);
        assert_eq!(session.arn(), format!("arn:aws:sts::{HOME}:assumed-role/Worker/{name}"));
        // It is no user and not root: what they do for themselves it cannot.
        assert!(!session.iam("GetUser", &[]).is_ok(), "{name}");
        assert!(!session.iam("CreateAccessKey", &[]).is_ok(), "{name}");
    }
}

/// The external id: with it, without, empty, with a wildcard, of another customer.
#[test]
fn tm_b08_an_external_id_must_be_the_one() {
    let world = World::new(316);
    let third = world.account("210987654321");
    let document = |test: serde_json::Value| {
        json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow", "Principal": {"AWS": "210987654321"}, "Action": "sts:AssumeRole",
                "Condition": test,
            }],
        })
        .to_string()
    };
    let equals = document(json!({"StringEquals": {"sts:ExternalId": "customer-1"}}));
    let like = document(json!({"StringLike": {"sts:ExternalId": "customer-*"}}));
    let lax = document(json!({"StringEqualsIfExists": {"sts:ExternalId": "customer-1"}}));
    for (document, cases) in [
        (
            &equals,
            vec![
                (Some("customer-1"), true),
                (None, false),
                (Some("customer-2"), false),
                (Some("CUSTOMER-1"), false),
                (Some("customer-1,customer-2"), false),
                (Some("customer-11"), false),
            ],
        ),
        (
            &like,
            vec![
                (Some("customer-1"), true),
                (None, false),
                (Some("customer-"), true),
                (Some("other"), false),
            ],
        ),
        (&lax, vec![(Some("customer-1"), true), (None, true), (Some("customer-2"), false)]),
    ] {
        world.role_trusting("Served", document, Rights::None);
        let arn = format!("arn:aws:iam::{HOME}:role/Served");
        let assume = |external: Option<&str>| {
            let mut parameters = vec![("RoleArn", &*arn), ("RoleSessionName", "third")];
            parameters.extend(external.map(|external| ("ExternalId", external)));
            third.sts("AssumeRole", &parameters)
        };
        for (external, allowed) in cases {
            let reply = assume(external);
            assert_eq!(reply.is_ok(), allowed, "{document} {external:?}: {}", reply.message);
            assert!(reply.is_ok() || reply.code == "AccessDenied", "{external:?}: {}", reply.code);
        }
        for bad in ["", "*", "customer-?", "c"] {
            let reply = assume(Some(bad));
            assert!(!reply.is_ok(), "{bad:?}");
        }
        world.admin.iam("DeleteRole", &[("RoleName", "Served")]).ok();
    }
}
