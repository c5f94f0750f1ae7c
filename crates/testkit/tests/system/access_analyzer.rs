//! Access Analyzer over REST-JSON: validation of policies and the three checks.

use std::sync::atomic::{AtomicUsize, Ordering};

use bailiwick_testkit::{Client, HOME, Reply, Rights, World, allow, allow_all};
use bailiwick_wire::generated::accessanalyzer as api;
use bailiwick_wire::{Api, Secret};
use bytes::Bytes;
use http::Request;
use serde_json::{Value as Json, json};

use crate::operations::parallel;

fn validate(client: &Client, policy: &str, more: &[(&str, &str)]) -> Reply {
    let mut parameters = vec![("policyDocument", policy), ("policyType", "IDENTITY_POLICY")];
    for (name, text) in more {
        parameters.retain(|(held, _)| held != name);
        parameters.push((name, text));
    }
    client.call("accessanalyzer", "ValidatePolicy", &parameters)
}

fn body(reply: &Reply) -> Json {
    serde_json::from_slice(&reply.body).unwrap()
}

/// A request that is signed and says what it likes.
fn raw(client: &Client, method: &str, target: &str, body: impl Into<Bytes>) -> Reply {
    let request = Request::builder().method(method).uri(target).header("host", "localhost:4680");
    let request = request.body(body.into()).unwrap();
    client.exchange(client.sign("access-analyzer", request))
}

/// Twelve actions, of which none exists.
fn faulty() -> String {
    let actions: Vec<String> = (0..12).map(|at| format!("s3:NoSuchAction{at}")).collect();
    json!({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}],
    })
    .to_string()
}

#[test]
fn findings_have_codes_details_and_places() {
    let world = World::new(1701);
    let policy = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": {\"Effect\": \"Allow\", \
                  \"Action\": \"s3:GetObjekt\", \"Resource\": \"*\"}\n}";
    let found = body(&validate(&world.admin, policy, &[]).ok());
    let findings = found["findings"].as_array().unwrap();
    let finding = findings.iter().find(|one| one["issueCode"] == "INVALID_ACTION").unwrap();
    assert_eq!(finding["findingType"], "ERROR");
    assert!(finding["findingDetails"].as_str().unwrap().contains("s3:GetObjekt"));
    assert!(finding["learnMoreLink"].as_str().unwrap().starts_with("https://"));
    let place = &finding["locations"][0];
    assert_eq!(place["path"], json!([{"value": "Statement"}, {"value": "Action"}]));
    let offset =
        |end: &str| usize::try_from(place["span"][end]["offset"].as_u64().unwrap()).unwrap();
    assert_eq!(policy.get(offset("start")..offset("end")).unwrap(), "\"s3:GetObjekt\"");
    assert_eq!(place["span"]["start"]["line"], 3);
    assert!(
        body(&validate(&world.admin, &allow(&["s3:GetObject"]), &[]).ok())["nextToken"].is_null()
    );
}

#[test]
fn tm_c17_findings_are_paged_and_tokens_are_bound() {
    let world = World::new(1702);
    let policy = faulty();
    let whole = body(&validate(&world.admin, &policy, &[]).ok());
    let whole = whole["findings"].as_array().unwrap();
    assert!(whole.len() >= 12, "{}", whole.len());
    let (mut paged, mut token) = (Vec::new(), None::<String>);
    loop {
        let mut more = vec![("maxResults", "5")];
        if let Some(token) = &token {
            more.push(("nextToken", token));
        }
        let page = body(&validate(&world.admin, &policy, &more).ok());
        let items = page["findings"].as_array().unwrap().clone();
        assert!((1..=5).contains(&items.len()));
        paged.extend(items);
        match page["nextToken"].as_str() {
            Some(next) => token = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!(&paged, whole);
    let token = token.unwrap();
    let bob = world.user("Bob", Rights::Inline(&allow_all()));
    for reply in [
        validate(&world.admin, &policy, &[("nextToken", "nonsense")]),
        validate(&world.admin, &allow(&["s3:GetObject"]), &[("nextToken", &token)]),
        validate(
            &world.admin,
            &policy,
            &[("nextToken", &token), ("policyType", "SERVICE_CONTROL_POLICY")],
        ),
        validate(&bob, &policy, &[("nextToken", &token)]),
    ] {
        let reply = reply.refused("ValidationException");
        let told = body(&reply);
        assert_eq!(
            (&told["reason"], &told["fieldList"][0]["name"]),
            (&json!("fieldValidationFailed"), &json!("nextToken"))
        );
    }
}

#[test]
fn a_call_leaves_its_request_in_its_event() {
    let world = World::new(1703);
    let policy = allow(&["s3:GetObject"]);
    let reply = validate(&world.admin, &policy, &[("maxResults", "7")]).ok();
    let event = world.last_event();
    assert_eq!(event["eventSource"], "access-analyzer.amazonaws.com");
    assert_eq!((&event["eventName"], &event["readOnly"]), (&json!("ValidatePolicy"), &json!(true)));
    assert_eq!(event["requestID"], reply.request_id());
    assert_eq!(
        event["requestParameters"],
        json!({"maxResults": 7, "policyDocument": policy, "policyType": "IDENTITY_POLICY"})
    );
    // The model has these policies as sensitive.
    let check = [
        ("existingPolicyDocument", &*policy),
        ("newPolicyDocument", &*policy),
        ("policyType", "IDENTITY_POLICY"),
    ];
    world.admin.call("accessanalyzer", "CheckNoNewAccess", &check).ok();
    let event = world.last_event();
    assert_eq!(event["requestParameters"], json!({"policyType": "IDENTITY_POLICY"}));
}

#[test]
fn tm_c01_each_is_refused_without_permission_and_allowed_with_its_own() {
    let world = World::new(1704);
    let nobody = world.user("Nobody", Rights::None);
    let policy = allow(&["s3:GetObject"]);
    let calls: [(&str, Vec<(&str, &str)>); 3] = [
        ("ValidatePolicy", vec![("policyDocument", &policy), ("policyType", "IDENTITY_POLICY")]),
        (
            "CheckNoNewAccess",
            vec![
                ("existingPolicyDocument", &policy),
                ("newPolicyDocument", &policy),
                ("policyType", "IDENTITY_POLICY"),
            ],
        ),
        (
            "CheckNoPublicAccess",
            vec![("policyDocument", &policy), ("resourceType", "AWS::S3::Bucket")],
        ),
    ];
    for (name, parameters) in &calls {
        let before = world.events(HOME).len();
        let reply =
            nobody.call("accessanalyzer", name, parameters).refused("AccessDeniedException");
        assert_eq!(reply.status, 403);
        assert_eq!(world.events(HOME).len(), before + 1);
        let expected = format!(
            "User: arn:aws:iam::{HOME}:user/Nobody is not authorized to perform: access-analyzer:{name} \
             on resource: arn:aws:access-analyzer:us-east-1:{HOME}:*"
        );
        assert!(reply.message.starts_with(&expected), "{}", reply.message);
        assert_eq!(reply.headers["x-amzn-errortype"], "AccessDeniedException");
        assert!(body(&reply).get("__type").is_none());
    }
    let own = world.user("Own", Rights::Inline(&allow(&["access-analyzer:ValidatePolicy"])));
    own.call("accessanalyzer", calls[0].0, &calls[0].1).ok();
    own.call("accessanalyzer", calls[1].0, &calls[1].1).refused("AccessDeniedException");
}

#[test]
fn checks_answer_with_reasons() {
    let world = World::new(1705);
    let check = |existing: &[&str], new: &[&str]| {
        let request = api::CheckNoNewAccessRequest {
            existing_policy_document: Secret::new(allow(existing)),
            new_policy_document: Secret::new(allow(new)),
            policy_type: "IDENTITY_POLICY".into(),
        };
        world.admin.ask::<api::CheckNoNewAccess>(request).map_err(|reply| reply.message).unwrap()
    };
    let passed = check(&["s3:Get*"], &["s3:GetObject"]);
    assert_eq!(passed.result.as_deref(), Some("PASS"));
    assert_eq!(passed.reasons.map(|reasons| reasons.len()), Some(0));
    let failed = check(&["s3:GetObject"], &["s3:Get*"]);
    assert_eq!(failed.result.as_deref(), Some("FAIL"));
    assert_eq!(failed.reasons.unwrap()[0].statement_index, Some(0));

    let granted = |actions: &[&str], resources: Option<&[&str]>| {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let request = api::CheckAccessNotGrantedRequest {
            policy_document: Secret::new(allow(&["s3:Get*"])),
            access: vec![api::Access {
                actions: Some(texts(actions)),
                resources: resources.map(texts),
            }],
            policy_type: "IDENTITY_POLICY".into(),
        };
        world
            .admin
            .ask::<api::CheckAccessNotGranted>(request)
            .map_err(|reply| (reply.status, reply.code))
    };
    assert_eq!(granted(&["s3:PutObject"], None).unwrap().result.as_deref(), Some("PASS"));
    assert_eq!(granted(&["s3:GetObject"], None).unwrap().result.as_deref(), Some("FAIL"));
    assert_eq!(granted(&["GetObject"], None), Err((400, "InvalidParameterException".into())));
    let many = vec!["s3:GetObject"; 101];
    assert_eq!(granted(&many, None), Err((400, "ValidationException".into())));

    let public = |principal: &str| {
        let policy = json!({
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow", "Principal": {"AWS": principal}, "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::b/*",
            },
        });
        let request = api::CheckNoPublicAccessRequest {
            policy_document: Secret::new(policy.to_string()),
            resource_type: "AWS::S3::Bucket".into(),
        };
        let told = world.admin.ask::<api::CheckNoPublicAccess>(request);
        told.map_err(|reply| reply.message).unwrap().result.unwrap()
    };
    assert_eq!((&*public("*"), &*public(HOME)), ("FAIL", "PASS"));
}

#[test]
fn policies_that_cannot_be_worked_on_are_told_apart() {
    let world = World::new(1706);
    let check = |policy: &str| {
        let parameters = [("policyDocument", policy), ("resourceType", "AWS::S3::Bucket")];
        world.admin.call("accessanalyzer", "CheckNoPublicAccess", &parameters)
    };
    assert_eq!(check("{").refused("InvalidParameterException").status, 400);
    assert_eq!(check("").refused("InvalidParameterException").status, 400);
    let deep = "[".repeat(10_000);
    assert_eq!(check(&deep).refused("UnprocessableEntityException").status, 422);
}

/// Threat G02: a request can be read in one way or is refused, in the words of the protocol.
#[test]
fn tm_g02_requests_that_are_wrong_are_refused_in_the_protocol() {
    let world = World::new(1707);
    let fine = json!({"policyDocument": "{}", "policyType": "IDENTITY_POLICY"}).to_string();
    let unknown = json!({"policyDocument": "{}", "policyType": "BOGUS"}).to_string();
    for (method, target, sent, status, code, reason) in [
        ("POST", "/policy/validation", "{", 400, "ValidationException", "cannotParse"),
        ("POST", "/policy/validation", "[]", 400, "ValidationException", "cannotParse"),
        ("POST", "/policy/validation", "", 400, "ValidationException", "fieldValidationFailed"),
        (
            "POST",
            "/policy/validation",
            &*unknown,
            400,
            "ValidationException",
            "fieldValidationFailed",
        ),
        (
            "POST",
            "/policy/validation?maxResults=x",
            &*fine,
            400,
            "ValidationException",
            "cannotParse",
        ),
        (
            "POST",
            "/policy/validation?maxResults=0",
            &*fine,
            400,
            "ValidationException",
            "fieldValidationFailed",
        ),
        (
            "POST",
            "/policy/validation?maxResults=1&maxResults=2",
            &*fine,
            400,
            "ValidationException",
            "cannotParse",
        ),
        ("POST", "/policy/validation/", &*fine, 404, "UnknownOperationException", ""),
        ("POST", "/nothing", &*fine, 404, "UnknownOperationException", ""),
        ("PATCH", "/policy/validation", &*fine, 405, "UnknownOperationException", ""),
    ] {
        let before = world.events(HOME).len();
        let reply = raw(&world.admin, method, target, sent.to_owned());
        let what = format!("{method} {target} {sent}: {}", reply.text_body());
        assert_eq!((reply.status, &*reply.code), (status, code), "{what}");
        assert_eq!(body(&reply)["reason"].as_str().unwrap_or_default(), reason, "{what}");
        assert_eq!(reply.headers["content-type"], "application/json", "{what}");
        assert_eq!(world.events(HOME).len(), before + 1, "{what}");
    }
    for path in ["/policy/../policy/validation", "//policy/validation", "/policy/%2e/validation"] {
        let reply = raw(&world.admin, "POST", path, fine.clone());
        assert!((400..500).contains(&reply.status), "{path}: {}", reply.text_body());
    }
    let reply = raw(&world.admin, "POST", "/policy/validation", unknown);
    let told = body(&reply);
    assert_eq!(told["fieldList"][0]["name"], "policyType");
    assert!(
        told["message"].as_str().unwrap().starts_with("1 validation error detected: "),
        "{told}"
    );
}

/// Threat A14: bad signatures are told in the protocol, with its status.
#[test]
fn tm_a14_signatures_are_checked_first() {
    let world = World::new(1708);
    let operation = api::ValidatePolicy::OPERATION;
    let request = |client: &Client| client.request_with(operation.service, operation.name, "{");
    let reply = world.anonymous().exchange(request(&world.anonymous()));
    assert_eq!((reply.status, &*reply.code), (403, "MissingAuthenticationTokenException"));
    let mut changed = request(&world.admin);
    *changed.body_mut() = Bytes::from_static(b"{}");
    let reply = world.admin.exchange(changed);
    assert_eq!((reply.status, &*reply.code), (403, "InvalidSignatureException"));
    let event = world.last_event();
    assert_eq!(
        (&event["eventName"], &event["errorCode"]),
        (&json!("ValidatePolicy"), &json!("InvalidSignatureException"))
    );
    let mut moved = request(&world.admin);
    *moved.uri_mut() = "/policy/check-no-new-access".parse().unwrap();
    assert_eq!(world.admin.exchange(moved).code, "InvalidSignatureException");
    let mut unknown = world.admin.clone();
    let mut credentials = unknown.credentials.clone().unwrap();
    credentials.access_key_id = "AKIAIOSFODNN7EXAMPLE".into();
    unknown.credentials = Some(credentials);
    let reply = unknown.exchange(request(&unknown));
    assert_eq!((reply.status, &*reply.code), (403, "UnrecognizedClientException"));
    // A signature for IAM does not open the analyzer's paths, nor the other way round.
    let foreign = Request::post("/policy/validation").header("host", "localhost:4680");
    let foreign = world.admin.sign("iam", foreign.body(Bytes::from_static(b"{}")).unwrap());
    assert!((400..500).contains(&world.admin.exchange(foreign).status));
    let foreign = Request::post("/").header("host", "localhost:4680");
    let form = Bytes::from_static(b"Action=ListUsers&Version=2010-05-08");
    let foreign = world.admin.sign("access-analyzer", foreign.body(form).unwrap());
    assert!((400..500).contains(&world.admin.exchange(foreign).status));
}

/// Threat G06: what takes long takes a bounded time, and keeps nobody else waiting.
#[test]
fn tm_g06_large_policies_hold_up_nobody() {
    let world = World::new(1709);
    let words: Vec<String> = (0..14).map(|at| format!("arn:aws:s3:::*w{at}*x{at}*")).collect();
    let statement = |at: usize| {
        json!({
            "Sid": format!("S{at}"), "Effect": if at.is_multiple_of(3) { "Deny" } else { "Allow" },
            "Action": [format!("s3:*{at}*"), "s3:Get*", format!("iam:*a{at}*")], "Resource": words,
            "Condition": {"StringLike": {"aws:PrincipalArn": [format!("*a{at}*b*"), "*c*d*"]}},
        })
    };
    let policy = |count: usize, shift: usize| {
        let statements: Vec<Json> = (0..count).map(|at| statement(at + shift)).collect();
        json!({"Version": "2012-10-17", "Statement": statements}).to_string()
    };
    let (old, new) = (policy(12, 0), policy(12, 7));
    let check = [
        ("existingPolicyDocument", &*old),
        ("newPolicyDocument", &*new),
        ("policyType", "IDENTITY_POLICY"),
    ];
    let reply = world.admin.call("accessanalyzer", "CheckNoNewAccess", &check);
    assert!(reply.status < 500 && body(&reply)["result"] != "PASS", "{}", reply.text_body());
    validate(&world.admin, &policy(1_500, 0), &[]);

    // Three checks, which are made one after the other, and calls that do not wait for them.
    let (checked, called_before) = (AtomicUsize::new(0), AtomicUsize::new(0));
    parallel(6, |number| {
        if number < 3 {
            world.admin.call("accessanalyzer", "CheckNoNewAccess", &check);
            checked.fetch_add(1, Ordering::SeqCst);
            return;
        }
        for _ in 0..20 {
            world.admin.iam("GetUser", &[("UserName", "admin")]).ok();
            if checked.load(Ordering::SeqCst) < 3 {
                called_before.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    assert!(called_before.into_inner() > 0, "all calls waited for the checks");
}
