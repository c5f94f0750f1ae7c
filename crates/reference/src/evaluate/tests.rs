//! Tables straight from the rules.

use serde_json::{Value, json};

use super::{evaluate, evaluate_text};

const USER: &str = "arn:aws:iam::111122223333:user/alice";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/Reader/s1";
const FEDERATED: &str = "arn:aws:sts::111122223333:federated-user/bob";
const OBJECT: &str = "arn:aws:s3:::bucket/key";
const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/k";
const ROLE: &str = "arn:aws:iam::111122223333:role/target";

/// What a kind of policy says in a row of a table.
#[derive(Clone, Copy, PartialEq)]
enum Says {
    Absent,
    Nothing,
    Allow,
    Deny,
}

use Says::{Absent, Allow, Deny, Nothing};

const ALL: [Says; 4] = [Absent, Nothing, Allow, Deny];

/// A policy of one kind; `principal` where the kind names principals.
fn policy(says: Says, principal: Option<Value>) -> Value {
    if says == Absent {
        return Value::Null;
    }
    let mut statement = json!({
        "Effect": if says == Deny { "Deny" } else { "Allow" },
        "Action": if says == Nothing { "none:None" } else { "*" },
        "Resource": "*",
    });
    if let (Some(principal), Some(members)) = (principal, statement.as_object_mut()) {
        members.insert("Principal".to_owned(), principal);
    }
    json!({"Version": "2012-10-17", "Statement": statement})
}

fn decided(case: &Value) -> String {
    evaluate(case).map_or_else(|error| error, |o| format!("{} {}", o.decision, o.reason))
}

fn request(principal: &str, action: &str, resource: &str, owner: &str) -> Value {
    json!({"principal": principal, "action": action, "resource": resource,
           "resourceAccount": owner, "context": {}})
}

/// EV-2, EV-4, EV-5, SES-5 and DLG-2 transcribed, against every combination of what the kinds say.
#[test]
fn ev_4_truth_table() {
    let own = "111122223333";
    let callers = [
        (USER, json!({"AWS": USER}), "direct"),
        (USER, json!({"AWS": own}), "account"),
        (SESSION, json!({"AWS": SESSION}), "direct"),
        (SESSION, json!({"AWS": "arn:aws:iam::111122223333:role/Reader"}), "parent"),
        (SESSION, json!("*"), "direct"),
        (FEDERATED, json!({"AWS": FEDERATED}), "direct"),
        (FEDERATED, json!({"AWS": own}), "account"),
    ];
    let targets = [
        ("s3:GetObject", OBJECT, own),
        ("s3:GetObject", OBJECT, "444455556666"),
        ("kms:Decrypt", KEY, own),
    ];
    for (caller, principal, grade) in &callers {
        for (action, resource, owner) in targets {
            for code in 0..4_usize.pow(6) {
                let says = |place: u32| ALL[code / 4_usize.pow(place) % 4];
                let [id, res, bound, sess, scp, end] = [0, 1, 2, 3, 4, 5].map(says);
                let level = |s| if s == Absent { json!([]) } else { json!([[policy(s, None)]]) };
                let list = |s, p| if s == Absent { json!([]) } else { json!([policy(s, p)]) };
                let case = json!({
                    "request": request(caller, action, resource, owner),
                    "identityPolicies": list(id, None),
                    "resourcePolicy": policy(res, Some(principal.clone())),
                    "permissionsBoundary": policy(bound, None),
                    "sessionPolicies": list(sess, None),
                    "scps": level(scp),
                    "endpointPolicies": list(end, Some(json!("*"))),
                });
                let factor = |s| s == Absent || s == Allow;
                let (i, pb) = (id == Allow, factor(bound));
                let sp = if *caller == FEDERATED { sess == Allow } else { factor(sess) };
                let d = res == Allow && *grade == "direct";
                let r = res == Allow && *grade == "parent";
                let a = res == Allow && *grade == "account";
                let inner = if owner != own {
                    i && pb && sp && res == Allow
                } else if action == "kms:Decrypt" {
                    d || (r && pb && sp) || (a && i && pb && sp)
                } else {
                    d || (r && pb && sp) || (i && pb && sp)
                };
                let expected = if [id, res, bound, sess, scp, end].contains(&Deny) {
                    "explicitDeny"
                } else if factor(scp) && factor(end) && inner {
                    "allowed"
                } else {
                    "implicitDeny"
                };
                let found = decided(&case);
                assert!(found.starts_with(expected), "{expected}, not {found}: {case}");
            }
        }
    }
}

/// TR-2, TR-5: a boundary limits even a direct grant of `sts:AssumeRole`, and of nothing else.
#[test]
fn tr_5_boundary_and_trust() {
    for (action, expected) in
        [("sts:AssumeRole", "implicitDeny boundary"), ("sts:TagSession", "allowed trust")]
    {
        let case = json!({
            "request": request(USER, action, ROLE, "111122223333"),
            "resourcePolicy": policy(Allow, Some(json!({"AWS": USER}))),
            "permissionsBoundary": policy(Nothing, None),
        });
        assert_eq!(decided(&case), expected);
    }
}

#[test]
fn root_1_root_3_and_ses_5() {
    let root = "arn:aws:iam::111122223333:root";
    let case = |resource: &str, action: &str| json!({"request": request(root, action, resource, "111122223333")});
    assert_eq!(decided(&case(OBJECT, "s3:GetObject")), "allowed identity");
    assert_eq!(decided(&case(KEY, "kms:Decrypt")), "implicitDeny resource");
}

/// PR-7, PR-8, PR-11, PR-13, NP-2: one principal element and one caller.
#[test]
fn section_3_principals() {
    let pathed = "arn:aws:iam::111122223333:role/p/Reader";
    let rows = [
        (SESSION, json!({"AWS": pathed}), pathed, "allowed resource"),
        (SESSION, json!({"AWS": pathed}), "", "implicitDeny identity"),
        (SESSION, json!({"AWS": "AROA1"}), "", "allowed resource"),
        (SESSION, json!({"AWS": "AROA2"}), "", "implicitDeny identity"),
        (USER, json!({"AWS": "arn:aws:iam::111122223333:user/*"}), "", "implicitDeny identity"),
        (USER, json!({"AWS": "arn:aws:iam::111122223333:user/Alice"}), "", "implicitDeny identity"),
        ("s3.amazonaws.com", json!({"Service": "s3.amazonaws.com"}), "", "allowed resource"),
        ("s3.amazonaws.com", json!({"AWS": "*"}), "", "implicitDeny resource"),
        ("s3.amazonaws.com", json!("*"), "", "allowed resource"),
        (
            "accounts.google.com",
            json!({"Federated": "accounts.google.com"}),
            "",
            "allowed resource",
        ),
    ];
    for (caller, principal, arn, expected) in rows {
        let mut request = request(caller, "s3:GetObject", OBJECT, "111122223333");
        request["context"] = json!({"aws:userid": "AROA1:s1", "aws:PrincipalArn": arn});
        let case =
            json!({"request": request, "resourcePolicy": policy(Allow, Some(principal.clone()))});
        assert_eq!(decided(&case), expected, "{caller} {principal}");
    }
}

/// Section 11: operator block, context, and whether the condition holds in an Allow.
#[test]
fn section_11_conditions() {
    let rows = [
        (json!({"StringEquals": {"x:k": ["a", "b"]}}), json!("b"), true),
        (json!({"StringEquals": {"X:K": "a"}}), json!("A"), false),
        (json!({"StringNotEquals": {"x:k": ["a", "b"]}}), json!("b"), false),
        (json!({"StringNotEquals": {"x:k": "a"}}), Value::Null, true),
        (json!({"StringEquals": {"x:k": "a"}}), Value::Null, false),
        (json!({"StringEqualsIfExists": {"x:k": "a"}}), Value::Null, true),
        (json!({"StringEqualsIfExists": {"x:k": "a"}}), json!([]), true),
        (json!({"ForAllValues:StringEquals": {"x:k": "a"}}), Value::Null, true),
        (json!({"ForAllValues:StringEquals": {"x:k": "a"}}), json!(""), true),
        (json!({"ForAnyValue:StringNotEquals": {"x:k": "a"}}), Value::Null, false),
        (json!({"ForAnyValue:StringNotEquals": {"x:k": "a"}}), json!(["a", "b"]), true),
        (json!({"ForAllValues:StringNotEquals": {"x:k": "a"}}), json!(["a", "b"]), false),
        (json!({"ForAnyValue:StringEqualsIfExists": {"x:k": "a"}}), Value::Null, true),
        (json!({"StringEquals": {"x:k": "a"}}), json!(["a", "b"]), false),
        (json!({"StringLike": {"x:k": "a*?c"}}), json!("abbc"), true),
        (json!({"StringLike": {"x:k": "a${*}"}}), json!("ab"), false),
        (json!({"StringEquals": {"x:k": "${aws:username}"}}), json!("alice"), true),
        (json!({"StringEquals": {"x:k": "${aws:none, 'd'}"}}), json!("d"), true),
        (json!({"StringNotEquals": {"x:k": "${aws:none}"}}), json!("d"), true),
        (json!({"NumericLessThan": {"x:k": 10}}), json!("9.99"), true),
        (json!({"NumericNotEquals": {"x:k": "1"}}), json!("one"), true),
        (json!({"DateGreaterThan": {"x:k": "2024-01-01"}}), json!("1704067201"), true),
        (json!({"Bool": {"x:k": true}}), json!("TRUE"), true),
        (json!({"Bool": {"x:k": "false"}}), Value::Null, false),
        (json!({"BinaryEquals": {"x:k": "QQ=="}}), json!("QQ=="), true),
        (json!({"IpAddress": {"x:k": "10.0.0.0/8"}}), json!("::ffff:10.1.1.1"), true),
        (json!({"ArnLike": {"x:k": "arn:aws:s3:::b*"}}), json!("arn:aws:s3:::b:c/d"), true),
        (json!({"ArnEquals": {"x:k": "arn:*:s3"}}), json!("arn:aws:s3:::b"), false),
        (json!({"ArnNotLike": {"x:k": "arn:aws:s3:::b"}}), json!("b"), true),
        (json!({"Null": {"x:k": "true"}}), json!([]), true),
        (json!({"Null": {"x:k": "false"}}), json!(""), true),
        (json!({"StringMatches": {"x:k": "a"}}), json!("a"), false),
    ];
    for (condition, value, holds) in rows {
        let mut request = request(USER, "s3:GetObject", OBJECT, "111122223333");
        request["context"] = json!({"aws:username": "alice"});
        if !value.is_null() {
            request["context"]["x:k"] = value.clone();
        }
        let mut allow = policy(Allow, None);
        allow["Statement"]["Condition"] = condition.clone();
        let case = json!({"request": request, "identityPolicies": [allow]});
        let expected = if holds { "allowed identity" } else { "implicitDeny identity" };
        assert_eq!(decided(&case), expected, "{condition} {value}");
    }
}

/// RES-1 to RES-11: pattern, resource, and whether they match in an identity Allow.
#[test]
fn section_10_resources() {
    for (pattern, resource, hit) in [
        ("*", "*", true),
        ("arn:*", "*", false),
        ("arn:aws:s3:::bucket/*", OBJECT, true),
        ("arn:aws:s3:::bucket/k?y", OBJECT, true),
        ("arn:aws:s3:::Bucket/*", OBJECT, false),
        ("arn:aws:dynamodb:*:table/t", "arn:aws:dynamodb:us-east-1:111122223333:table/t", true),
        ("arn:aws:dynamodb:u*1:table/t", "arn:aws:dynamodb:us-east-1:111122223333:table/t", false),
        ("arn:aws:sqs", "arn:aws:sqs:us-east-1:111122223333:q", true),
        ("arn:aws:s*:::bucket/key", OBJECT, false),
        ("arn:*:s3:::bucket/key", OBJECT, true),
        ("bucket/*", OBJECT, false),
        (
            "arn:aws:sqs:us-east-1:${aws:PrincipalAccount}:q",
            "arn:aws:sqs:us-east-1:111122223333:q",
            true,
        ),
        ("arn:aws:sqs:us-east-1:${aws:none}:q", "arn:aws:sqs:us-east-1:111122223333:q", false),
        ("arn:aws:s3:::bucket/${x:star}", OBJECT, false),
    ] {
        let mut request = request(USER, "s3:GetObject", resource, "111122223333");
        request["context"] = json!({"aws:PrincipalAccount": "111122223333", "x:star": "*"});
        let mut allow = policy(Allow, None);
        allow["Statement"]["Resource"] = json!(pattern);
        let case = json!({"request": request, "identityPolicies": [allow]});
        let expected = if hit { "allowed identity" } else { "implicitDeny identity" };
        assert_eq!(decided(&case), expected, "{pattern} {resource}");
    }
}

/// IN-6, ST-2, ST-4, ST-6, OP-X1: what cannot be read denies.
#[test]
fn in_6_unreadable_policies_deny() {
    for text in [
        "",
        "{}",
        r#"{"Statement":[1]}"#,
        r#"{"Statement":{"Effect":"allow","Action":"*","Resource":"*"}}"#,
        r#"{"Statement":{"Effect":"Allow","Action":"*","Action":"*","Resource":"*"}}"#,
        r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Extra":1}}"#,
        r#"{"Statement":{"Effect":"Allow","Action":"*"}}"#,
        r#"{"Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Odd":{"a":"b"}}}}"#,
        r#"{"Version":"2020-01-01","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#,
    ] {
        let case = json!({
            "request": request(USER, "s3:GetObject", OBJECT, "111122223333"),
            "identityPolicies": [policy(Allow, None), text],
        });
        assert_eq!(decided(&case), "explicitDeny evaluation-error", "{text}");
    }
}

#[test]
fn tm_a01_a_line_that_is_no_case_is_an_error() {
    for line in [
        "",
        "[]",
        "{}",
        r#"{"request":{"action":"s3:GetObject"}}"#,
        r#"{"request":{"principal":"someone","action":"s3:GetObject"}}"#,
        r#"{"request":{"principal":null,"action":"s3:GetObject","context":{"a":1}}}"#,
    ] {
        assert!(evaluate_text(line).is_err(), "{line}");
    }
    let line = r#"{"request":{"principal":null,"action":"s3:GetObject"}}"#;
    assert!(evaluate_text(line).is_ok_and(|o| o.decision == "implicitDeny"));
}
