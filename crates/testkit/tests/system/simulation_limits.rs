//! What a simulation may cost, and what it may tell.

use bailiwick_testkit::{Client, HOME, Reply, Rights, World, allow};
use bailiwick_wire::Value;
use serde_json::json;

/// Parameters of a list, numbered as the query protocol has them.
fn list(name: &str, values: impl IntoIterator<Item = String>) -> Vec<(String, String)> {
    let numbered = values.into_iter().enumerate();
    numbered.map(|(place, value)| (format!("{name}.member.{}", place + 1), value)).collect()
}

fn simulate(client: &Client, parameters: &[(String, String)]) -> Reply {
    let parameters: Vec<(&str, &str)> =
        parameters.iter().map(|(key, text)| (&**key, &**text)).collect();
    client.iam("SimulateCustomPolicy", &parameters)
}

/// A key with many values, and a policy that compares each of its own with each of them.
fn involved(values: usize, found: usize) -> Vec<(String, String)> {
    let wanted: Vec<String> = (0..values).map(|place| format!("*{place}x")).collect();
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow", "Action": "s3:*", "Resource": "*",
            "Condition": {"ForAnyValue:StringLike": {"app:key": wanted}},
        },
    });
    let entry = "ContextEntries.member.1";
    [
        list("PolicyInputList", [policy.to_string()]),
        list("ActionNames", ["s3:GetObject".to_owned()]),
        vec![
            (format!("{entry}.ContextKeyName"), "app:key".into()),
            (format!("{entry}.ContextKeyType"), "stringList".into()),
        ],
        list(&format!("{entry}.ContextKeyValues"), (0..found).map(|place| format!("v{place}"))),
    ]
    .concat()
}

/// Threat G06: what would keep a thread for long is refused at once.
#[test]
fn tm_g06_involved_conditions_are_refused() {
    let world = World::new(1601);
    let resources = list("ResourceArns", (0..50).map(|place| format!("arn:aws:s3:::b{place}/k")));
    let hostile = [involved(9_000, 9_000), resources].concat();
    let reply = simulate(&world.admin, &hostile).refused("InvalidInput");
    assert_eq!(reply.status, 400);
    assert!(reply.message.contains("exceeds the limit of"), "{}", reply.message);
    simulate(&world.admin, &involved(200, 200)).ok();
}

/// Threat G06: a result that would fill the memory is refused before it does.
#[test]
fn tm_g06_large_results_are_refused() {
    let world = World::new(1602);
    let statement = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    let statements = vec![statement; 1_000];
    let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    let resources = list("ResourceArns", (0..500).map(|place| format!("arn:aws:s3:::b{place}/k")));
    let actions = list("ActionNames", ["s3:GetObject".to_owned()]);
    let hostile = [list("PolicyInputList", [policy]), actions, resources].concat();
    let reply = simulate(&world.admin, &hostile).refused("InvalidInput");
    assert!(reply.message.contains("bytes"), "{}", reply.message);
}

/// Threat G06: telling whether a policy is one of each resource is work too.
#[test]
fn tm_g06_resource_policies_that_fit_slowly_are_refused() {
    let world = World::new(1603);
    let mut entries: Vec<String> =
        (0..2_000).map(|place| format!("arn:aws:s3:::*a{place}*b")).collect();
    entries.push("arn:aws:s3:::bucket/*".to_owned());
    let user = format!("arn:aws:iam::{HOME}:user/ann");
    let bucket = json!({
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Principal": {"AWS": user}, "Action": "*", "Resource": entries},
    });
    let resources = list(
        "ResourceArns",
        (0..3_000).map(|place| format!("arn:aws:s3:::bucket/of/keys/{place}b")),
    );
    let parameters = [
        list("PolicyInputList", [allow(&["s3:*"])]),
        list("ActionNames", ["s3:GetObject".to_owned()]),
        vec![("ResourcePolicy".into(), bucket.to_string()), ("CallerArn".into(), user)],
        resources,
    ]
    .concat();
    let reply = simulate(&world.admin, &parameters).refused("InvalidInput");
    assert!(reply.message.contains("exceeds the limit of"), "{}", reply.message);
}

/// Large answers come page by page, and nothing is left out.
#[test]
fn large_answers_are_paged() {
    let world = World::new(1604);
    let statement = json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"});
    let statements = vec![statement; 60];
    let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    let asked = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"];
    let fixed = [
        list("PolicyInputList", [policy]),
        list("ActionNames", asked.map(str::to_owned)),
        list("ResourceArns", (0..40).map(|place| format!("arn:aws:s3:::b{place}/k"))),
    ]
    .concat();
    let mut seen = Vec::new();
    let mut marker: Option<String> = None;
    for page in 0.. {
        let more = marker.iter().map(|marker| ("Marker".to_owned(), marker.clone()));
        let parameters: Vec<_> = fixed.iter().cloned().chain(more).collect();
        let reply = simulate(&world.admin, &parameters).ok();
        assert_eq!(reply.len("EvaluationResults"), 1, "page {page}");
        assert_eq!(reply.len("EvaluationResults.0.ResourceSpecificResults"), 40);
        assert_eq!(reply.len("EvaluationResults.0.MatchedStatements"), 60);
        seen.push(reply.text("EvaluationResults.0.EvalActionName"));
        if reply.at("IsTruncated") == Some(&Value::Bool(false)) {
            break;
        }
        marker = Some(reply.text("Marker"));
    }
    assert_eq!(seen, asked);
}

/// A thousand actions and ten policies of the size of managed ones pass, in pages.
#[test]
fn ordinary_simulations_pass() {
    let world = World::new(1605);
    let statements = |policy: usize| {
        let one = |place: usize| {
            json!({
                "Effect": "Allow",
                "Action": ["s3:Get*", "ec2:Describe*", format!("iam:Get{place}*"), "sqs:*"],
                "Resource": format!("arn:aws:s3:::bucket{policy}-{place}/*"),
                "Condition": {"StringEquals": {"aws:username": ["a", "b", "c"]}},
            })
        };
        (0..30).map(one).collect::<Vec<_>>()
    };
    let policies = (0..10).map(|policy| {
        json!({"Version": "2012-10-17", "Statement": statements(policy)}).to_string()
    });
    let actions = ["s3:GetObject", "ec2:DescribeInstances", "sqs:SendMessage", "iam:GetUser"];
    let actions = actions.iter().cycle().take(1_000).map(|action| (*action).to_owned());
    let parameters = [
        list("PolicyInputList", policies),
        list("ActionNames", actions),
        vec![("MaxItems".into(), "1000".into())],
        list("ResourceArns", ["arn:aws:s3:::bucket1-1/key".to_owned()]),
    ]
    .concat();
    let reply = simulate(&world.admin, &parameters).ok();
    assert!(reply.len("EvaluationResults") >= 100);
}

/// Threat G06: one account's simulations wait in a queue of their own, which ends.
#[test]
fn tm_g06_an_account_simulates_so_much_at_one_time() {
    let world = World::new(1606);
    let parameters = involved(600, 600);
    let replies: Vec<Reply> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..48).map(|_| scope.spawn(|| simulate(&world.admin, &parameters))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let throttled = replies.iter().filter(|reply| reply.code == "Throttling").count();
    assert!(throttled > 0, "all were queued");
    for reply in replies {
        let fine = reply.is_ok() || (reply.status, &*reply.code) == (400, "Throttling");
        assert!(fine, "{} {}", reply.status, reply.code);
    }
    simulate(&world.admin, &involved(2, 2)).ok();
}

/// Who may simulate one entity's policies learns nothing of another by naming it as the caller.
#[test]
fn tm_k02_a_named_caller_is_its_arn_alone() {
    let (world, one, _) = World::furnished(1607);
    let (ann, nobody) = (one.arn("user", "Ann"), format!("arn:aws:iam::{HOME}:user/team/nobody"));
    let tagged = json!({
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*",
            "Condition": {
                "StringEquals": {"aws:PrincipalTag/team": "blue"},
                "StringLike": {"aws:userid": "AIDA*"},
            },
        },
    })
    .to_string();
    let limited = json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow", "Resource": "*",
                "Action": ["iam:SimulateCustomPolicy", "iam:SimulatePrincipalPolicy"],
            },
            {"Effect": "Deny", "Action": "iam:Get*", "Resource": "*"},
        ],
    });
    let curious = world.user("Curious", Rights::Inline(&limited.to_string()));
    let source = format!("arn:aws:iam::{HOME}:user/Curious");
    let told = |operation: &str, caller: Option<&str>, source: Option<&str>| {
        let mut parameters =
            vec![("PolicyInputList.member.1", &*tagged), ("ActionNames.member.1", "s3:GetObject")];
        parameters.extend(caller.map(|caller| ("CallerArn", caller)));
        parameters.extend(source.map(|source| ("PolicySourceArn", source)));
        let reply = curious.iam(operation, &parameters).ok();
        let missing = "EvaluationResults.0.MissingContextValues";
        let missing = (0..reply.len(missing)).map(|at| reply.text(&format!("{missing}.{at}")));
        (reply.text("EvaluationResults.0.EvalDecision"), missing.collect::<Vec<_>>())
    };
    let unknown = (
        "implicitDeny".to_owned(),
        vec!["aws:PrincipalTag/team".to_owned(), "aws:userid".to_owned()],
    );
    for caller in [&ann, &nobody] {
        assert_eq!(told("SimulateCustomPolicy", Some(caller), None), unknown, "{caller}");
        let found = told("SimulatePrincipalPolicy", Some(caller), Some(&source));
        assert_eq!(found, unknown, "{caller}");
    }
    // The entity whose policies are simulated is known, named as the caller or not.
    for caller in [None, Some(&*ann)] {
        let boundary = allow(&["s3:*"]);
        let parameters = [
            ("PolicySourceArn", &*ann),
            ("PolicyInputList.member.1", &*tagged),
            ("PermissionsBoundaryPolicyInputList.member.1", &*boundary),
            ("ActionNames.member.1", "s3:GetObject"),
            ("CallerArn", caller.unwrap_or(&ann)),
        ];
        let count = if caller.is_some() { 5 } else { 4 };
        let reply = world.admin.iam("SimulatePrincipalPolicy", &parameters[..count]).ok();
        assert_eq!(reply.text("EvaluationResults.0.EvalDecision"), "allowed");
    }
}

/// What a policy of the old version cannot say is the input's fault, not the server's.
#[test]
fn in_6_policies_that_cannot_be_evaluated_are_refused() {
    let world = World::new(1608);
    let odd = json!({
        "Version": "2008-10-17",
        "Statement": {
            "Effect": "Deny", "Action": "*", "Resource": "*",
            "Condition": {"StringAlike": {"a:b": "c"}},
        },
    })
    .to_string();
    let parameters =
        [("PolicyInputList.member.1", &*odd), ("ActionNames.member.1", "s3:GetObject")];
    let reply = world.admin.iam("SimulateCustomPolicy", &parameters);
    assert_eq!(reply.status, 400, "{} {}", reply.code, reply.message);
    assert!(reply.message.contains("PolicyInputList.1"), "{}", reply.message);
}
