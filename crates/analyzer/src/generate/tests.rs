use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const ALICE: &str = "arn:aws:iam::123456789012:user/alice";

fn event(name: &str, params: &Value) -> Value {
    let (service, name) = name.split_once(':').unwrap();
    json!({
        "eventTime": "2026-11-20T10:00:00Z", "eventSource": format!("{service}.amazonaws.com"),
        "eventName": name, "awsRegion": "eu-west-1", "sourceIPAddress": "192.0.2.7",
        "userAgent": "aws-cli", "eventType": "AwsApiCall", "recipientAccountId": "123456789012",
        "userIdentity": {"type": "IAMUser", "arn": ALICE, "principalId": "AIDAEXAMPLE",
                         "accountId": "123456789012"},
        "requestParameters": params,
    })
}

fn with(mut event: Value, more: &Value) -> Value {
    for (key, value) in more.as_object().unwrap() {
        event[key] = value.clone();
    }
    event
}

fn refused(event: Value, message: &str) -> Value {
    with(event, &json!({"errorCode": "AccessDenied", "errorMessage": message}))
}

fn usage_of(principal: &str, events: &[Value]) -> Usage {
    let mut usage = Usage::new(Actor::parse(principal).unwrap());
    for event in events {
        usage.take(&serde_json::from_value(event.clone()).unwrap());
    }
    usage
}

fn made(events: &[Value]) -> (Generated, Usage) {
    generate(usage_of(ALICE, events), None, Options::default())
}

fn statements(generated: &Generated) -> Vec<Value> {
    let policy = serde_json::to_value(generated.policy.as_ref().unwrap()).unwrap();
    policy["Statement"].as_array().unwrap().clone()
}

#[test]
fn each_action_has_the_resources_on_which_it_was_seen() {
    let (generated, _) = made(&[
        event("s3:GetObject", &json!({"bucketName": "notes", "key": "a"})),
        event("s3:HeadObject", &json!({"bucketName": "notes", "key": "a"})),
        event("s3:PutObject", &json!({"bucketName": "notes", "key": "b"})),
        event("dynamodb:GetItem", &json!({"tableName": "t"})),
        event("dynamodb:PutItem", &json!({"tableName": "t"})),
        event("ec2:DescribeInstances", &json!({})),
    ]);
    assert_eq!(
        statements(&generated),
        [
            json!({"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:PutItem"],
                   "Resource": "arn:aws:dynamodb:eu-west-1:123456789012:table/t"}),
            json!({"Effect": "Allow", "Action": "ec2:DescribeInstances", "Resource": "*"}),
            json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::notes/a"}),
            json!({"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::notes/b"}),
        ]
    );
    assert!(generated.is_good());
    assert_eq!((generated.replay.observed, generated.replay.allowed), (6, 6));
    assert_eq!(generated.evidence[2].count, 2);
}

#[test]
fn roles_that_calls_pass_come_with_the_service() {
    let role = "arn:aws:iam::123456789012:role/run";
    let (generated, _) = made(&[event(
        "lambda:CreateFunction20150331",
        &json!({"functionName": "f", "role": role}),
    )]);
    let found = statements(&generated);
    let pass = found.iter().find(|one| one["Action"] == "iam:PassRole").unwrap();
    assert_eq!(pass["Resource"], role);
    assert_eq!(
        pass["Condition"],
        json!({"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}})
    );
    assert!(generated.is_good());
}

// A refusal is no need, an error of another kind is one, and a bad signature says nothing.
#[test]
fn refusals_are_left_out_and_other_errors_are_not() {
    let (generated, _) = made(&[
        refused(event("iam:DeleteUser", &json!({"userName": "bob"})), "Access Denied"),
        with(
            event("iam:GetUser", &json!({"userName": "carol"})),
            &json!({"errorCode": "NoSuchEntity"}),
        ),
        with(event("iam:ListUsers", &json!({})), &json!({"errorCode": "SignatureDoesNotMatch"})),
    ]);
    let found = statements(&generated);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["Action"], "iam:GetUser");
    assert_eq!(generated.evidence[0].failed, 1);
    assert_eq!(generated.unauthenticated, 1);
    assert_eq!(generated.denied.len(), 1);
    let statement = generated.denied[0].statement.as_ref().unwrap();
    assert_eq!(
        serde_json::to_value(statement).unwrap(),
        json!({"Effect": "Allow", "Action": "iam:DeleteUser",
               "Resource": "arn:aws:iam::123456789012:user/bob"})
    );
}

#[test]
fn an_explicit_deny_has_no_statement_that_helps() {
    let text = "User: arn:aws:iam::123456789012:user/alice is not authorized to perform: \
                iam:DeleteUser on resource: arn:aws:iam::123456789012:user/bob";
    let call = event("iam:DeleteUser", &json!({"userName": "bob"}));
    let found = made(&[
        refused(call.clone(), &format!("{text} with an explicit deny in a service control policy")),
        refused(
            call,
            &format!("{text} because no identity-based policy allows the iam:DeleteUser action"),
        ),
    ])
    .0
    .denied;
    assert_eq!(found.len(), 2);
    let explicit = found.iter().find(|one| one.because.explicit == Some(true)).unwrap();
    assert!(explicit.statement.is_none() && explicit.advice.contains("no Allow helps"));
    let lacking = found.iter().find(|one| one.because.explicit == Some(false)).unwrap();
    assert!(lacking.statement.is_some());
}

// A folder that stands for many objects must not allow what was refused, and where nothing else is
// possible it is said.
#[test]
fn what_was_refused_is_not_allowed_for_brevity() {
    let mut events: Vec<Value> = (0..30)
        .map(|n| event("s3:GetObject", &json!({"bucketName": "b", "key": format!("x/{n}")})))
        .collect();
    let (short, _) = made(&events);
    assert_eq!(statements(&short)[0]["Resource"], "arn:aws:s3:::b/x/*");
    assert_eq!(short.broader.len(), 1);
    events
        .push(refused(event("s3:GetObject", &json!({"bucketName": "b", "key": "x/secret"})), "no"));
    let (long, _) = made(&events);
    assert_eq!(statements(&long)[0]["Resource"].as_array().unwrap().len(), 30);
    assert!(long.is_good() && long.newly_allowed.is_empty());
    // A refusal names `user/` where the action has no resources: it is the same right.
    let (users, _) = made(&[
        event("iam:ListUsers", &json!({})),
        refused(
            event("iam:ListUsers", &json!({})),
            "User: x is not authorized to perform: iam:ListUsers on resource: \
             arn:aws:iam::123456789012:user/ because no identity-based policy allows it",
        ),
    ]);
    assert!(users.is_good() && users.denied[0].also_allowed);
    // The name of the new network is not known before: it is refused and allowed at once.
    let (both, _) = made(&[
        event("ec2:CreateVpc", &json!({"cidrBlock": "10.0.0.0/16"})),
        refused(
            event("ec2:CreateVpc", &json!({"cidrBlock": "10.0.0.0/8"})),
            "User: x is not authorized to perform: ec2:CreateVpc on resource: \
             arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-1 because no identity-based policy allows it",
        ),
    ]);
    assert_eq!(both.newly_allowed.len(), 1, "{:?}", both.newly_allowed);
    assert!(!both.is_good());
}

#[test]
fn what_needs_no_permission_and_what_is_unknown_is_told_apart() {
    let (generated, _) = made(&[
        event("sts:GetCallerIdentity", &json!(null)),
        event("iam:FlyToTheMoon", &json!(null)),
        with(event("signin:ConsoleLogin", &json!(null)), &json!({"eventType": "AwsConsoleSignIn"})),
    ]);
    assert!(generated.policy.is_none());
    assert_eq!(generated.free.keys().collect::<Vec<_>>(), ["sts:GetCallerIdentity"]);
    assert_eq!(generated.unknown.keys().collect::<Vec<_>>(), ["iam:FlyToTheMoon"]);
    assert_eq!(generated.other.keys().collect::<Vec<_>>(), ["ConsoleLogin"]);
    // What no action of the catalog fits was observed all the same, and is not decided.
    let replay = &generated.replay;
    assert_eq!((replay.observed, replay.allowed, replay.undecided), (2, 1, 1));
    assert!(!generated.is_good());
}

#[test]
fn a_change_is_unclear_for_what_no_action_fits() {
    let (_, usage) = made(&[
        event("iam:ListUsers", &json!({})),
        event("iam:FlyToTheMoon", &json!(null)),
        event("iam:FlyToTheMoon", &json!(null)),
    ]);
    let all = json!({"Version": "2012-10-17", "Statement":
        {"Effect": "Allow", "Action": "*", "Resource": "*"}});
    let found = breaks(None, &holding(&all), &usage);
    assert_eq!((found.observed, found.broken, found.unclear), (3, 0, 2));
    assert_eq!(found.unclear_calls[0].event, "iam:FlyToTheMoon");
    // What was refused was not observed to be let through.
    let (generated, _) = made(&[refused(event("iam:FlyToTheMoon", &json!(null)), "no")]);
    assert_eq!((generated.replay.observed, generated.denied.len()), (0, 1));
    assert!(generated.unknown.is_empty() && generated.denied[0].statement.is_none());
    assert!(found.sentence().starts_with("breaks 0 of 3 observed calls; of 2"));
}

// Whether a call that was throttled would have been allowed nobody asked.
#[test]
fn a_throttled_call_proves_nothing() {
    let create = event("iam:CreateAccessKey", &json!({"userName": "bob"}));
    let mut events = vec![refused(create.clone(), "no"); 10];
    events.push(with(create, &json!({"errorCode": "ThrottlingException"})));
    let (generated, _) = made(&events);
    assert!(generated.policy.is_none(), "{:?}", generated.policy);
    assert_eq!((generated.denied[0].evidence.count, generated.throttled), (10, 1));
    assert_eq!(generated.replay.observed, 0);
}

// Of more resources than are kept the type is written, and never a part of them in silence.
#[test]
fn many_resources_are_one_pattern() {
    let ids: Vec<Value> = (0..300).map(|n| json!({"resourceId": format!("i-{n}")})).collect();
    let tags = event("ec2:CreateTags", &json!({"resourcesSet": {"items": ids}}));
    let (generated, _) = made(&[tags]);
    let pattern = "arn:aws:ec2:eu-west-1:123456789012:instance/*";
    assert_eq!(statements(&generated)[0]["Resource"], pattern);
    assert_eq!(generated.unnamed, [format!("ec2:CreateTags on {pattern}")]);
    // ARNs that the event tells itself.
    let arns: Vec<String> =
        (0..300).map(|n| format!("arn:aws:iam::123456789012:role/r{n}")).collect();
    let resources: Vec<Value> = arns.iter().map(|arn| json!({"ARN": arn})).collect();
    let role = with(event("iam:GetRole", &json!(null)), &json!({"resources": resources}));
    let (generated, _) = made(&[role]);
    assert_eq!(statements(&generated)[0]["Resource"], "arn:aws:iam::123456789012:role/*");
    // More values than are looked at.
    let many: Vec<String> = (0..5_000).map(|n| format!("n{n}")).collect();
    let (generated, _) = made(&[event("iam:GetUser", &json!({"a": many, "userName": "bob"}))]);
    assert!(
        generated.unseen.iter().any(|line| line.contains("too many")),
        "{:?}",
        generated.unseen
    );
}

#[test]
fn the_same_event_of_two_trails_counts_once_and_others_do_not_count() {
    let one = with(event("iam:ListUsers", &json!({})), &json!({"eventID": "1"}));
    let other = with(
        event("iam:ListRoles", &json!({})),
        &json!({"userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::123456789012:user/bob"}}),
    );
    let (generated, _) = made(&[one.clone(), one, other]);
    assert_eq!(generated.replay.observed, 1);
    assert_eq!(generated.events, 2);
    assert_eq!(statements(&generated).len(), 1);
}

#[test]
fn paths_that_other_events_tell_are_used() {
    let created = with(
        event("iam:CreateRole", &json!({"roleName": "ci", "path": "/team/"})),
        &json!({"responseElements": {"role": {"arn": "arn:aws:iam::123456789012:role/team/ci"}}}),
    );
    let (generated, _) = made(&[event("iam:GetRole", &json!({"roleName": "ci"})), created]);
    let found = statements(&generated);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["Resource"], "arn:aws:iam::123456789012:role/team/ci");
}

fn key(name: &str) -> String {
    format!("arn:aws:kms:eu-west-1:123456789012:key/{name}")
}

fn by_action(events: &[Value]) -> Vec<(Value, Value)> {
    let (generated, _) = made(events);
    assert!(generated.is_good() && generated.broader.is_empty(), "{:?}", generated.broader);
    let found = statements(&generated).into_iter();
    found.map(|one| (one["Action"].clone(), one["Resource"].clone())).collect()
}

// An action of a call is allowed on what it was about, and not on what another of its actions was.
#[test]
fn actions_of_one_call_keep_to_their_resources() {
    let table = |name: &str| format!("arn:aws:dynamodb:eu-west-1:123456789012:table/{name}");
    let items =
        json!({"transactItems": [{"put": {"tableName": "a"}}, {"delete": {"tableName": "b"}}]});
    let transact = event("dynamodb:TransactWriteItems", &items);
    let told = json!({"resources": [{"ARN": table("a")}, {"ARN": table("b")}]});
    for call in [transact.clone(), with(transact, &told)] {
        assert_eq!(
            by_action(&[call]),
            [
                (json!("dynamodb:DeleteItem"), json!(table("b"))),
                (json!("dynamodb:PutItem"), json!(table("a"))),
            ]
        );
    }
    let expected = [
        (json!("kms:ReEncryptFrom"), json!(key("1"))),
        (json!("kms:ReEncryptTo"), json!(key("2"))),
    ];
    let told = json!({"resources": [{"ARN": key("2")}, {"ARN": key("1")}]});
    for keys in [
        json!({"sourceKeyId": key("1"), "destinationKeyId": key("2")}),
        json!({"sourceKeyId": "alias/x", "destinationKeyId": "2"}),
        json!({"destinationKeyId": key("2")}),
    ] {
        assert_eq!(by_action(&[with(event("kms:ReEncrypt", &keys), &told)]), expected, "{keys}");
    }
    // Where the event does not tell, each is allowed on all, and that is said.
    let aliases = json!({"sourceKeyId": "alias/x", "destinationKeyId": "alias/y"});
    let (generated, _) = made(&[with(event("kms:ReEncrypt", &aliases), &told)]);
    assert_eq!(statements(&generated)[0]["Resource"].as_array().unwrap().len(), 2);
    assert!(generated.broader[0].starts_with("kms:ReEncrypt: "), "{:?}", generated.broader);
}

// KMS keys and roles must let the account in by their own policy, which they did.
#[test]
fn resources_with_policies_of_their_own_are_taken_to_let_the_account_in() {
    let (generated, _) = made(&[
        event("sts:AssumeRole", &json!({"roleArn": "arn:aws:iam::999999999999:role/x"})),
        with(
            event("kms:Decrypt", &json!({})),
            &json!({"resources": [{"ARN": "arn:aws:kms:eu-west-1:123456789012:key/k"}]}),
        ),
    ]);
    assert!(generated.is_good(), "{:?}", generated.replay);
    assert_eq!(generated.replay.by_resource_policy, 2);
}

fn holding(text: &Value) -> Holding<'static> {
    let document = Document::parse(&text.to_string(), DocumentKind::Identity).unwrap();
    Holding::alone([("new".to_owned(), Arc::new(document))])
}

#[test]
fn a_change_breaks_what_it_refuses() {
    let (_, usage) = made(&[
        event("iam:ListUsers", &json!({})),
        event("iam:ListUsers", &json!({})),
        event("s3:GetObject", &json!({"bucketName": "b", "key": "k"})),
    ]);
    let policy = |action: &str, condition: Value| {
        json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "iam:*", "Resource": "*"},
            {"Effect": "Allow", "Action": action, "Resource": "*", "Condition": condition},
        ]})
    };
    let all = breaks(None, &holding(&policy("s3:*", json!({}))), &usage);
    assert_eq!(all.sentence(), "breaks 0 of 3 observed calls");
    let some = breaks(None, &holding(&policy("s3:PutObject", json!({}))), &usage);
    assert_eq!((some.broken, some.unclear), (1, 0));
    assert_eq!(some.calls[0].event, "s3:GetObject");
    // The address is in the event, the tag of the caller is not.
    let here = json!({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}});
    assert_eq!(breaks(None, &holding(&policy("s3:*", here)), &usage).broken, 0);
    let there = json!({"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}});
    assert_eq!(breaks(None, &holding(&policy("s3:*", there)), &usage).broken, 1);
    let tagged = json!({"StringEquals": {"aws:PrincipalTag/team": "a"}});
    let unclear = breaks(None, &holding(&policy("s3:*", tagged)), &usage);
    assert_eq!((unclear.broken, unclear.unclear), (0, 1));
}

/// Calls of many services with names from a small choice, so that some are alike.
fn calls() -> impl Strategy<Value = Vec<Value>> {
    let name = prop_oneof!["[a-c]", "[a-c]/[a-c]", "[a-b]\\*", "\\$\\{aws:username\\}"];
    let one = (0..16_usize, name, 0..3_usize).prop_map(|(kind, name, number)| {
        let plain = format!("n{number}");
        let role = format!("arn:aws:iam::123456789012:role/{plain}");
        match kind {
            0 => event("s3:GetObject", &json!({"bucketName": plain, "key": name})),
            1 => event("s3:PutObject", &json!({"bucketName": plain, "key": name})),
            2 => event("s3:ListObjectsV2", &json!({"bucketName": plain})),
            3 => event(
                "s3:CopyObject",
                &json!({"bucketName": plain, "key": name, "x-amz-copy-source": "n0/a"}),
            ),
            4 => event("iam:GetUser", &json!({"userName": plain})),
            5 => event("iam:ListUsers", &json!({})),
            6 => event(
                "lambda:CreateFunction20150331",
                &json!({"functionName": plain, "role": role}),
            ),
            7 => event("ec2:RunInstances", &json!({"subnetId": plain, "imageId": "ami-1"})),
            8 => event("ec2:DescribeInstances", &json!({})),
            9 => event("sts:AssumeRole", &json!({"roleArn": role})),
            10 => event("sts:GetCallerIdentity", &json!(null)),
            11 => event("ssm:GetParameter", &json!({"name": format!("/{name}")})),
            12 => event("logs:FilterLogEvents", &json!({"logGroupName": format!("/{name}")})),
            13 => event("secretsmanager:GetSecretValue", &json!({"secretId": plain})),
            14 => event("kms:Decrypt", &json!({"keyId": format!("alias/{plain}")})),
            _ => event("dynamodb:Query", &json!({"tableName": plain})),
        }
    });
    prop::collection::vec(one, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_observed_call_is_allowed_and_every_statement_is_needed(
        events in calls(), max_resources in 1..6_usize, compact in any::<bool>(),
    ) {
        let options = Options { max_resources, compact };
        let (generated, usage) = generate(usage_of(ALICE, &events), None, options);
        prop_assert!(generated.is_good(), "{:?} {:?}", generated.replay, generated.policy);
        let Some(policy) = &generated.policy else { return Ok(()) };
        prop_assert!(generated.evidence.iter().all(|evidence| evidence.count > 0));
        let text = policy.text();
        prop_assert!(Document::parse_strict(&text, DocumentKind::Identity).is_ok(), "{text}");
        for at in 0..policy.statement.len() {
            let mut less = policy.clone();
            less.statement.remove(at);
            let document = Document::parse(&less.text(), DocumentKind::Identity).ok();
            let document = document.filter(|_| !less.statement.is_empty()).map(Arc::new);
            let under = Holding::alone(document.map(|document| ("less".to_owned(), document)));
            let broken = replay::replay(&usage, &under);
            prop_assert!(broken.allowed < broken.observed, "statement {at} of {text}");
        }
    }

    #[test]
    fn tm_no_text_of_an_event_panics(text in ".{0,40}", code in ".{0,40}") {
        let events = [
            with(event("s3:CopyObject", &json!({"bucketName": text, "key": text, "x-amz-copy-source": text})),
                 &json!({"errorMessage": format!("not authorized to perform: {text} on resource: {text}"),
                         "errorCode": code})),
            with(event("iam:CreateUser", &json!({"userName": text, "path": text})), &json!({"awsRegion": text})),
        ];
        let (generated, _) = made(&events);
        prop_assert_eq!(generated.replay.observed, generated.replay.allowed);
    }
}
