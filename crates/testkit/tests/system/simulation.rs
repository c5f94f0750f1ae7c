//! What the simulator answers, by the operations of IAM (section 13 of the rules), and the decoded
//! messages of denials.

use std::collections::BTreeMap;

use bailiwick_testkit::{Client, HOME, Reply, Rights, World, allow, allow_on, trust};
use bailiwick_wire::Value;
use serde_json::{Value as Json, json};

const SECRET: &str = "arn:aws:s3:::confidential-bucket/secret.txt";

/// What a simulation answered for one action.
#[derive(Debug, PartialEq)]
struct Answer {
    decision: String,
    statements: Vec<String>,
}

/// Simulates the policies of an entity, and answers action by action.
#[track_caller]
fn simulate(client: &Client, parameters: &[(&str, &str)]) -> Reply {
    client.iam("SimulatePrincipalPolicy", parameters).ok()
}

fn answer(reply: &Reply, place: usize) -> Answer {
    let path = format!("EvaluationResults.{place}");
    let count = reply.len(&format!("{path}.MatchedStatements"));
    let statements = (0..count).map(|statement| {
        reply.text(&format!("{path}.MatchedStatements.{statement}.SourcePolicyId"))
    });
    Answer {
        decision: reply.text(&format!("{path}.EvalDecision")),
        statements: statements.collect(),
    }
}

/// Mission row M8: no policy, an attached one, a Deny beside it, and a boundary.
#[test]
fn m8_a_user_in_all_its_cases() {
    let world = World::new(1300);
    world.admin.iam("CreateUser", &[("UserName", "testuser")]).ok();
    let user = format!("arn:aws:iam::{HOME}:user/testuser");
    let ask = || {
        let parameters = [
            ("PolicySourceArn", &*user),
            ("ActionNames.member.1", "s3:GetObject"),
            ("ResourceArns.member.1", SECRET),
        ];
        simulate(&world.admin, &parameters)
    };
    let reply = ask();
    assert_eq!(answer(&reply, 0), Answer { decision: "implicitDeny".into(), statements: vec![] });
    assert_eq!(reply.at("EvaluationResults.0.PermissionsBoundaryDecisionDetail"), None);
    assert_eq!(reply.at("EvaluationResults.0.OrganizationsDecisionDetail"), None);
    assert_eq!(reply.at("IsTruncated"), Some(&Value::Bool(false)));

    let policy = allow_on(&["s3:GetObject"], &["arn:aws:s3:::confidential-bucket/*"]);
    let created = [("PolicyName", "Reader"), ("PolicyDocument", &*policy)];
    let arn = world.admin.iam("CreatePolicy", &created).ok().text("Policy.Arn");
    world.admin.iam("AttachUserPolicy", &[("UserName", "testuser"), ("PolicyArn", &arn)]).ok();
    let reply = ask();
    let allowed = Answer { decision: "allowed".into(), statements: vec!["Reader".into()] };
    assert_eq!(answer(&reply, 0), allowed);
    let statement = "EvaluationResults.0.MatchedStatements.0";
    assert_eq!(reply.text(&format!("{statement}.SourcePolicyType")), "IAM Policy");
    let number = |path: &str| match reply.at(&format!("{statement}.{path}")) {
        Some(Value::Integer(number)) => *number,
        other => panic!("{path}: {other:?}"),
    };
    assert_eq!(number("StartPosition.Line"), 1);
    // `json!` sorts the members: the statement list comes first.
    let start = i64::try_from(policy.find('[').unwrap()).unwrap() + 2;
    assert_eq!(number("StartPosition.Column"), start);
    assert!(number("EndPosition.Column") > start);

    let deny = json!({
        "Version": "2012-10-17",
        "Statement": {"Effect": "Deny", "Action": "s3:*", "Resource": SECRET},
    });
    world.put_user_policy("testuser", &deny.to_string());
    let denied =
        Answer { decision: "explicitDeny".into(), statements: vec!["user_testuser_rights".into()] };
    assert_eq!(answer(&ask(), 0), denied);

    world.put_user_policy("testuser", &allow(&["s3:*"]));
    let bound = [("UserName", "testuser"), ("PermissionsBoundary", &*arn)];
    world.admin.iam("PutUserPermissionsBoundary", &bound).ok();
    let parameters = [
        ("PolicySourceArn", &*user),
        ("ActionNames.member.1", "s3:GetObject"),
        ("ActionNames.member.2", "s3:PutObject"),
        ("ResourceArns.member.1", SECRET),
    ];
    let reply = simulate(&world.admin, &parameters);
    for (place, decision, within) in [(0, "allowed", true), (1, "implicitDeny", false)] {
        assert_eq!(answer(&reply, place).decision, decision);
        let detail = format!(
            "EvaluationResults.{place}.PermissionsBoundaryDecisionDetail.\
             AllowedByPermissionsBoundary"
        );
        assert_eq!(reply.at(&detail), Some(&Value::Bool(within)));
    }
    // A boundary that is passed replaces the attached one.
    let other = allow(&["s3:PutObject"]);
    let replaced = [&parameters[..], &[("PermissionsBoundaryPolicyInputList.member.1", &*other)]];
    let reply = simulate(&world.admin, &replaced.concat());
    assert_eq!(answer(&reply, 0).decision, "implicitDeny");
    assert_eq!(answer(&reply, 1).decision, "allowed");
}

/// The levels of an organization, as texts: an Allow must stand at each.
#[test]
fn m8_ordered_organization_policies() {
    let world = World::new(1301);
    let (wide, narrow) = (allow(&["*"]), allow(&["ec2:*"]));
    let level = "OrderedOrganizationPolicyInputList.member";
    for (levels, decision, within) in
        [(vec![&wide, &wide], "allowed", true), (vec![&wide, &narrow], "implicitDeny", false)]
    {
        let names: Vec<String> = (1..=levels.len())
            .map(|place| format!("{level}.{place}.ServiceControlPolicyInputList.member.1"))
            .collect();
        let identity = allow(&["s3:*"]);
        let mut parameters = vec![
            ("PolicyInputList.member.1", &*identity),
            ("ActionNames.member.1", "s3:GetObject"),
            ("ResourceArns.member.1", SECRET),
        ];
        parameters.extend(names.iter().zip(&levels).map(|(name, text)| (&**name, &***text)));
        let reply = world.admin.iam("SimulateCustomPolicy", &parameters).ok();
        assert_eq!(answer(&reply, 0).decision, decision);
        let detail = "EvaluationResults.0.OrganizationsDecisionDetail.AllowedByOrganizations";
        assert_eq!(reply.at(detail), Some(&Value::Bool(within)));
        let details = reply.at("EvaluationResults.0.EvalDecisionDetails");
        assert_eq!(details.is_some(), within, "an SCP ended the evaluation");
    }
}

/// SIM-14: what is left out; SIM-10: a group's policies, and further ones.
#[test]
fn sim_14_policies_can_be_left_out() {
    let (world, one, _) = World::furnished(1302);
    let user = one.arn("user", "Ann");
    let ask = |more: &[(&str, &str)]| {
        let fixed = [("PolicySourceArn", &*user), ("ActionNames.member.1", "s3:ListBucket")];
        answer(&simulate(&world.admin, &[&fixed, more].concat()), 0)
    };
    let loose = one.arn("policy", "Loose");
    let widened = [("UserName", &*one.name("Ann")), ("PermissionsBoundary", &*loose)];
    world.admin.iam("PutUserPermissionsBoundary", &widened).ok();
    let unbound = ("PolicyExclusionList.member.1.PolicyType", "permission-boundary");
    let (own, group) =
        (format!("user_{}_Inline", one.name("Ann")), format!("group_{}_Inline", one.name("Crew")));
    assert_eq!(ask(&[]).decision, "implicitDeny", "the boundary allows s3:GetObject alone");
    assert_eq!(ask(&[unbound]).statements, [&*own, &*group]);
    let second = "PolicyExclusionList.member.2";
    let inline = format!("{second}.InlinePolicyIdentifier");
    let named = [
        (format!("{inline}.PolicyName"), "Inline".to_owned()),
        (format!("{inline}.AttachmentType"), "user".to_owned()),
        (format!("{inline}.AttachmentName"), one.name("Ann")),
    ];
    let named: Vec<(&str, &str)> = named.iter().map(|(key, text)| (&**key, &**text)).collect();
    assert_eq!(ask(&[&[unbound][..], &named].concat()).statements, [&*group]);
    let kind = format!("{second}.PolicyType");
    assert_eq!(ask(&[unbound, (&kind, "inline")]).decision, "implicitDeny");
    for ignored in ["aws-managed", "user-managed", "scp", "rcp"] {
        assert_eq!(ask(&[unbound, (&kind, ignored)]).statements.len(), 2, "{ignored}");
    }
    let arn = "PolicyExclusionList.member.1.PolicyArn";
    assert_eq!(ask(&[(arn, &loose)]).decision, "allowed", "the boundary is named by its ARN");

    let group_arn = one.arn("group", "Crew");
    let parameters = [("PolicySourceArn", &*group_arn), ("ActionNames.member.1", "s3:ListBucket")];
    assert_eq!(answer(&simulate(&world.admin, &parameters), 0).statements, [group]);
    let further = allow(&["s3:DeleteObject"]);
    let parameters = [
        ("PolicySourceArn", &*group_arn),
        ("PolicyInputList.member.1", &*further),
        ("ActionNames.member.1", "s3:DeleteObject"),
    ];
    let reply = simulate(&world.admin, &parameters);
    assert_eq!(answer(&reply, 0).statements, ["PolicyInputList.1"]);
}

/// What a call may not ask gets AWS's code, and nothing is simulated.
#[test]
fn bad_simulations_are_refused() {
    let (world, one, _) = World::furnished(1303);
    let policy = allow(&["s3:*"]);
    let user = one.arn("user", "Ann");
    let role = one.arn("role", "Worker");
    let bucket = json!({
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow", "Principal": {"AWS": user}, "Action": "s3:*",
            "Resource": "arn:aws:s3:::confidential-bucket/*",
        },
    })
    .to_string();
    let custom: [(&str, &str); 2] =
        [("PolicyInputList.member.1", &policy), ("ActionNames.member.1", "s3:GetObject")];
    let typed = |kind: &'static str, value: &'static str| {
        vec![
            ("ContextEntries.member.1.ContextKeyName", "aws:SomeKey"),
            ("ContextEntries.member.1.ContextKeyType", kind),
            ("ContextEntries.member.1.ContextKeyValues.member.1", value),
        ]
    };
    let cases: Vec<(Vec<(&str, &str)>, &str)> = vec![
        (vec![("ActionNames.member.1", "s3:*")], "Wildcards are not supported"),
        (vec![("ActionNames.member.1", "GetObject")], "Invalid Action Name: GetObject"),
        (vec![("ActionNames.member.2", "s3:NoSuchAction")], "The action is not known"),
        (vec![("ResourceArns.member.1", "bucket")], "Invalid Resource Arn: bucket"),
        (vec![("ResourceOwner", "123456789012")], "is not a valid as a Resource Owner."),
        (
            vec![("CallerArn", "arn:aws:sts::123456789012:assumed-role/r/s")],
            "does not clearly define entity type and name.",
        ),
        (vec![("ResourcePolicy", &bucket)], "CallerArn is required"),
        (vec![("ResourcePolicy", &bucket), ("CallerArn", &role)], "Caller must be an IAM user"),
        (
            vec![
                ("ResourcePolicy", &bucket),
                ("CallerArn", &user),
                ("ResourceArns.member.1", "arn:aws:s3:::other/k"),
            ],
            "Invalid Resource Policy",
        ),
        (vec![("PolicyInputList.member.2", "{\"Version\":")], "PolicyInputList.2: "),
        (
            vec![("ResourcePolicy", "{\n\"Version\":"), ("CallerArn", &user)],
            "ResourcePolicy: Syntax errors in policy. (line 2, column 11: ",
        ),
        (
            vec![
                ("ResourcePolicy", "{\n\"Statement\": {\"Effect\": \"Maybe\"}}"),
                ("CallerArn", &user),
            ],
            "(line 2, ",
        ),
        (
            vec![("PermissionsBoundaryPolicyInputList.member.1", "{}")],
            "PermissionsBoundaryPolicyInputList.1: ",
        ),
        (
            vec![
                ("PermissionsBoundaryPolicyInputList.member.1", &policy),
                ("PermissionsBoundaryPolicyInputList.member.2", &policy),
            ],
            "Only one permissions boundary",
        ),
        (vec![("ResourceHandlingOption", "EC2-VPC")], "Invalid Resource Handling Option"),
        (vec![("ResourceHandlingOption", "EC2-VPC-EBS")], "needs a resource of type instance"),
        (typed("numeric", "many"), "many is not a valid numeric for aws:SomeKey"),
        (typed("ipList", "10.0.0"), "is not a valid ipList"),
        (typed("date", "soon"), "is not a valid date"),
        (typed("boolean", "maybe"), "is not a valid boolean"),
        (typed("binary", "%"), "is not a valid binary"),
        (
            [
                typed("string", "a"),
                vec![("ContextEntries.member.1.ContextKeyValues.member.2", "b")],
            ]
            .concat(),
            "must have exactly one value",
        ),
    ];
    for (more, words) in cases {
        let mut parameters: BTreeMap<&str, &str> = custom.into_iter().collect();
        parameters.extend(more);
        let parameters: Vec<(&str, &str)> = parameters.into_iter().collect();
        let reply = world.admin.iam("SimulateCustomPolicy", &parameters);
        assert_eq!(
            (reply.status, &*reply.code),
            (400, "InvalidInput"),
            "{words}: {}",
            reply.message
        );
        assert!(reply.message.contains(words), "{words}: {}", reply.message);
    }
    // Validation by the model comes first.
    for (member, text) in [
        ("ContextEntries.member.1.ContextKeyType", "text"),
        ("MaxItems", "0"),
        ("PolicyInputList.member.2", ""),
        ("ResourceArns.member.1", ""),
    ] {
        let reply =
            world.admin.iam("SimulateCustomPolicy", &[&custom[..], &[(member, text)]].concat());
        assert_eq!((reply.status, &*reply.code), (400, "ValidationError"), "{member}");
    }
    let long = format!("{}{}", policy, " ".repeat(131_072));
    let parameters =
        [("PolicyInputList.member.1", &*long), ("ActionNames.member.1", "s3:GetObject")];
    world.admin.iam("SimulateCustomPolicy", &parameters).refused("ValidationError");

    let gone = format!("arn:aws:iam::{HOME}:user/nobody");
    let moved = one.arn("user", "Ann").replace("/team/", "/");
    let other = "arn:aws:iam::210987654321:user/nobody";
    for (source, code, words) in [
        (&*gone, "NoSuchEntity", "The user with name nobody cannot be found."),
        (&*moved, "NoSuchEntity", "cannot be found."),
        (other, "InvalidInput", "does not have access to policies in account 210987654321"),
        ("arn:aws:iam::123456789012:policy/p", "InvalidInput", "does not clearly define"),
        ("arn:aws:iam::123456789012:root", "InvalidInput", "does not clearly define"),
    ] {
        for operation in ["SimulatePrincipalPolicy", "GetContextKeysForPrincipalPolicy"] {
            let mut parameters = vec![("PolicySourceArn", source)];
            if operation.starts_with("Simulate") {
                parameters.push(("ActionNames.member.1", "s3:GetObject"));
            }
            let reply = world.admin.iam(operation, &parameters).refused(code);
            assert!(reply.message.contains(words), "{words}: {}", reply.message);
        }
    }
}

/// The actions come page by page, and a page of one simulation does not fit another.
#[test]
fn simulations_are_paged() {
    let world = World::new(1304);
    let policy = allow(&["s3:*"]);
    let actions =
        ["s3:GetObject", "iam:GetUser", "s3:PutObject", "ec2:RunInstances", "s3:GetObject"];
    let names: Vec<String> =
        (1..=actions.len()).map(|place| format!("ActionNames.member.{place}")).collect();
    let mut fixed = vec![("PolicyInputList.member.1", &*policy), ("MaxItems", "2")];
    fixed.extend(names.iter().map(|name| &**name).zip(actions));
    let mut seen = Vec::new();
    let mut marker: Option<String> = None;
    loop {
        let page = marker.as_deref().map(|marker| ("Marker", marker));
        let parameters: Vec<_> = fixed.iter().copied().chain(page).collect();
        let reply = world.admin.iam("SimulateCustomPolicy", &parameters).ok();
        for place in 0..reply.len("EvaluationResults") {
            seen.push(reply.text(&format!("EvaluationResults.{place}.EvalActionName")));
        }
        if reply.at("IsTruncated") == Some(&Value::Bool(false)) {
            break;
        }
        assert_eq!(reply.len("EvaluationResults"), 2);
        marker = Some(reply.text("Marker"));
    }
    assert_eq!(seen, actions);
    let marker = marker.unwrap();
    let other = allow(&["ec2:*"]);
    let changed: Vec<_> = fixed
        .iter()
        .map(|(key, text)| (*key, if key.starts_with("Policy") { &*other } else { text }))
        .chain([("Marker", &*marker)])
        .collect();
    world.admin.iam("SimulateCustomPolicy", &changed).refused("ValidationError");
}

#[test]
fn context_keys_of_policies() {
    let (world, one, _) = World::furnished(1306);
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b/${aws:username}/*",
                "Condition": {"StringLike": {"aws:PrincipalTag/team": "${s3:prefix}", "AWS:UserName": "a"}},
            },
        ],
    })
    .to_string();
    let keys = |reply: &Reply| match reply.at("ContextKeyNames") {
        Some(Value::List(names)) => {
            names.iter().filter_map(|name| name.text().map(str::to_owned)).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    let parameters = [("PolicyInputList.member.1", &*policy)];
    let reply = world.admin.iam("GetContextKeysForCustomPolicy", &parameters).ok();
    let expected = ["aws:username", "aws:PrincipalTag/team", "s3:prefix"];
    let mut found = keys(&reply);
    found.sort();
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(expected.iter().all(|key| found.iter().any(|held| held.eq_ignore_ascii_case(key))));

    let group =
        [("GroupName", &*one.name("Crew")), ("PolicyName", "Keyed"), ("PolicyDocument", &*policy)];
    world.admin.iam("PutGroupPolicy", &group).ok();
    let user = one.arn("user", "Ann");
    let reply =
        world.admin.iam("GetContextKeysForPrincipalPolicy", &[("PolicySourceArn", &*user)]).ok();
    assert_eq!(keys(&reply).len(), 3, "those of the groups too");
    let bad = [("PolicyInputList.member.1", "{}")];
    world.admin.iam("GetContextKeysForCustomPolicy", &bad).refused("InvalidInput");
}

/// The denial of a call is told to who may know, in the account where it happened.
#[test]
fn denials_are_decoded() {
    let (world, one, _) = World::furnished(1307);
    let denied = world.user(
        "Denied",
        Rights::Inline(
            &json!({
                "Version": "2012-10-17",
                "Statement": {
                    "Sid": "NoReading", "Effect": "Deny", "Action": "iam:Get*", "Resource": "*",
                    "Condition": {"StringEquals": {"aws:username": "Denied"}},
                },
            })
            .to_string(),
        ),
    );
    let reply = denied.iam("GetUser", &[("UserName", &one.name("Ann"))]);
    let id = reply.decision_id().unwrap();
    assert!(reply.message.ends_with(&format!("(decision {id})")), "{}", reply.message);
    let decode = |client: &Client, text: &str| {
        client.sts("DecodeAuthorizationMessage", &[("EncodedMessage", text)])
    };
    let decoded: Json =
        serde_json::from_str(&decode(&world.admin, &id).ok().text("DecodedMessage")).unwrap();
    assert_eq!(decoded["allowed"], false);
    assert_eq!(decoded["explicitDeny"], true);
    let [statement] = &decoded["matchedStatements"]["items"].as_array().unwrap()[..] else {
        panic!("{decoded}")
    };
    assert_eq!(statement["statementId"], "NoReading");
    assert_eq!(statement["effect"], "DENY");
    assert_eq!(statement["actions"], json!({"items": [{"value": "iam:Get*"}]}));
    assert_eq!(statement["resources"], json!({"items": [{"value": "*"}]}));
    assert_eq!(statement["conditions"]["items"][0]["key"], "aws:username");
    assert_eq!(decoded["failures"], json!({"items": []}));
    let context = &decoded["context"];
    assert_eq!(context["action"], "iam:GetUser");
    assert_eq!(context["resource"], one.arn("user", "Ann"));
    assert_eq!(context["principal"]["arn"], format!("arn:aws:iam::{HOME}:user/Denied"));
    assert!(context["principal"]["id"].as_str().unwrap().starts_with("AIDA"));
    let conditions = context["conditions"]["items"].as_array().unwrap();
    assert!(conditions.iter().any(|held| held["key"] == "aws:sourceip"));

    // One who may not know, another account, and what is no message.
    decode(&denied, &id).refused("AccessDenied");
    let neighbour = world.account("210987654321");
    for (client, text) in [
        (&neighbour, &*id),
        (&world.admin, "d-00000000000000000000000000000000"),
        (&world.admin, "EXAMPLEWodyRNrtlQARDip"),
        (&world.admin, "\""),
    ] {
        let reply = decode(client, text);
        let found = (reply.status, &*reply.code);
        assert_eq!(found, (400, "InvalidAuthorizationMessageException"), "{text}");
    }

    // What another account's role trusts and is tagged with stays there.
    let role = [("RoleArn", &*one.arn("role", "Worker")), ("RoleSessionName", "a-session")];
    let reply = neighbour.sts("AssumeRole", &role).refused("AccessDenied");
    let text = decode(&neighbour, &reply.decision_id().unwrap()).ok().text("DecodedMessage");
    assert!(text.contains("sts:rolesessionname") && !text.contains("blue"), "{text}");
    assert!(text.contains(r#""matchedStatements":{"items":[]}"#), "{text}");

    let implicit = world.user("Nobody", Rights::None).iam("ListUsers", &[]);
    let id = implicit.decision_id().unwrap();
    let decoded: Json =
        serde_json::from_str(&decode(&world.admin, &id).ok().text("DecodedMessage")).unwrap();
    assert_eq!(decoded["explicitDeny"], false);
    assert_eq!(decoded["matchedStatements"], json!({"items": []}));
}

/// Each operation leaves one event, whatever comes of it.
#[test]
fn simulations_leave_one_event() {
    let (world, one, _) = World::furnished(1308);
    let nobody = world.user("Nobody", Rights::None);
    let user = one.arn("user", "Ann");
    for (client, name, action, code) in [
        (&world.admin, "admin", "s3:GetObject", None),
        (&world.admin, "admin", "s3:NoSuch", Some("InvalidInput")),
        (&nobody, "Nobody", "s3:GetObject", Some("AccessDenied")),
        (&nobody, "Nobody", "s3:NoSuch", Some("AccessDenied")),
    ] {
        let before = world.events(HOME).len();
        let ask = [("PolicySourceArn", &*user), ("ActionNames.member.1", action)];
        let reply = client.iam("SimulatePrincipalPolicy", &ask);
        assert_eq!(reply.is_ok(), code.is_none(), "{name} {action}: {}", reply.code);
        assert_eq!(reply.code, code.unwrap_or_default(), "{name} {action}");
        assert_eq!(world.events(HOME).len(), before + 1);
        let event = world.last_event();
        assert_eq!(event["eventName"], "SimulatePrincipalPolicy");
        assert_eq!(event["readOnly"], true);
        assert_eq!(event["userIdentity"]["userName"], name);
        assert_eq!(event["requestParameters"]["actionNames"], json!([action]));
        assert_eq!(event.get("errorCode").and_then(Json::as_str), code, "{name} {action}");
    }
}

/// Resource policies: a caller named in it needs no policy of its own, and across accounts both sides
/// count (EV-4, EV-5).
#[test]
fn sim_9_resource_policies_and_owners() {
    let world = World::new(1309);
    world.admin.iam("CreateUser", &[("UserName", "ann")]).ok();
    let user = format!("arn:aws:iam::{HOME}:user/ann");
    let bucket = json!({
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow", "Principal": {"AWS": user}, "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::confidential-bucket/*",
        },
    })
    .to_string();
    let ask = |more: &[(&str, &str)]| {
        let fixed = [
            ("PolicySourceArn", &*user),
            ("ActionNames.member.1", "s3:GetObject"),
            ("ResourceArns.member.1", SECRET),
            ("ResourcePolicy", &*bucket),
        ];
        simulate(&world.admin, &[&fixed, more].concat())
    };
    let reply = ask(&[]);
    assert_eq!(answer(&reply, 0).decision, "allowed");
    assert_eq!(answer(&reply, 0).statements, ["ResourcePolicy"]);
    let kind = reply.text("EvaluationResults.0.MatchedStatements.0.SourcePolicyType");
    assert_eq!(kind, "Resource Policy");
    let foreign = ("ResourceOwner", "arn:aws:iam::210987654321:root");
    let reply = ask(&[foreign]);
    assert_eq!(answer(&reply, 0).decision, "implicitDeny");
    let said = |reply: &Reply| match reply.at("EvaluationResults.0.EvalDecisionDetails") {
        Some(Value::Map(said)) => said.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(said(&reply)["IAM Policy"].text(), Some("implicitDeny"));
    assert_eq!(said(&reply)["Resource Policy"].text(), Some("allowed"));
    let identity = allow(&["s3:GetObject"]);
    let reply = ask(&[foreign, ("PolicyInputList.member.1", &identity)]);
    assert_eq!(answer(&reply, 0).decision, "allowed");
    assert_eq!(said(&reply)["IAM Policy"].text(), Some("allowed"));
    // As Bob, with the policies of Ann: the policy of the bucket does not know Bob.
    let bob = format!("arn:aws:iam::{HOME}:user/bob");
    assert_eq!(answer(&ask(&[("CallerArn", &bob)]), 0).decision, "implicitDeny");
    // Trust policies are not simulated (SIM-11).
    let role = format!("arn:aws:iam::{HOME}:role/r");
    let parameters = [
        ("PolicySourceArn", &*user),
        ("ActionNames.member.1", "sts:AssumeRole"),
        ("ResourceArns.member.1", &*role),
        ("ResourcePolicy", &*trust(HOME)),
    ];
    world.admin.iam("SimulatePrincipalPolicy", &parameters).refused("InvalidInput");
}

/// What is missing is told, what follows from the caller is filled in, and what is supplied counts
/// (SIM-6).
#[test]
fn sim_6_context_of_a_simulation() {
    let world = World::new(1310);
    world.admin.iam("CreateUser", &[("UserName", "ann")]).ok();
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow", "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::confidential-bucket/${aws:username}/*",
            "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
        },
    })
    .to_string();
    world.put_user_policy("ann", &policy);
    let user = format!("arn:aws:iam::{HOME}:user/ann");
    let fixed = [
        ("ActionNames.member.1", "s3:GetObject"),
        ("ResourceArns.member.1", "arn:aws:s3:::confidential-bucket/ann/k"),
    ];
    let missing = |reply: &Reply| {
        let names = "EvaluationResults.0.ResourceSpecificResults.0.MissingContextValues";
        (0..reply.len(names)).map(|at| reply.text(&format!("{names}.{at}"))).collect::<Vec<_>>()
    };
    let principal = [&[("PolicySourceArn", &*user)][..], &fixed].concat();
    let reply = simulate(&world.admin, &principal);
    assert_eq!(answer(&reply, 0).decision, "implicitDeny");
    assert_eq!(missing(&reply), ["aws:SourceIp"], "the name follows from the user");
    let address = [
        ("ContextEntries.member.1.ContextKeyName", "aws:SourceIp"),
        ("ContextEntries.member.1.ContextKeyType", "ip"),
        ("ContextEntries.member.1.ContextKeyValues.member.1", "203.0.113.9"),
    ];
    let reply = simulate(&world.admin, &[&principal, &address[..]].concat());
    assert_eq!(answer(&reply, 0).decision, "allowed");
    assert!(missing(&reply).is_empty());
    let custom = [&[("PolicyInputList.member.1", &*policy)][..], &fixed, &address].concat();
    let reply = world.admin.iam("SimulateCustomPolicy", &custom).ok();
    assert_eq!(answer(&reply, 0).decision, "implicitDeny");
    assert_eq!(missing(&reply), ["aws:username"], "nobody was named");
    let reply =
        world.admin.iam("SimulateCustomPolicy", &[&custom, &[("CallerArn", &*user)][..]].concat());
    assert_eq!(answer(&reply.ok(), 0).decision, "allowed");
}
