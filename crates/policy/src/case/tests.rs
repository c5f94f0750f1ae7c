use super::*;

const ALLOW: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

fn answer(line: &str) -> String {
    let mut documents = Documents::default();
    match Case::parse(line, &mut documents) {
        Ok(case) => {
            let answer = serde_json::to_string(&case.decide()).unwrap();
            if case.refusal().is_none() {
                assert_eq!(
                    case.explain().decision.verdict.as_str(),
                    case.decide().decision,
                    "{line}"
                );
            }
            answer
        }
        Err(error) => serde_json::to_string(&error).unwrap(),
    }
}

fn ask(principal: &str, rest: &str) -> String {
    answer(&format!(
        r#"{{"id":1,"request":{{"principal":{principal},"action":"s3:GetObject","resource":"arn:aws:s3:::b/k","resourceAccount":"123456789012"}}{rest}}}"#
    ))
}

#[test]
fn answers_are_lines() {
    let user = r#""arn:aws:iam::123456789012:user/alice""#;
    let deny = r#"{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#;
    for (rest, expected) in [
        (
            format!(r#","identityPolicies":[{ALLOW}]"#),
            r#"{"id":1,"decision":"allowed","reasons":[{"kind":"identity"}]}"#,
        ),
        (
            format!(r#","identityPolicies":[{ALLOW}],"scps":[[{ALLOW}],[{ALLOW},{deny}]]"#),
            r#"{"id":1,"decision":"explicitDeny","reasons":[{"kind":"service-control","policy":"scps/1/1","statement":0}]}"#,
        ),
        (
            format!(r#","identityPolicies":[{ALLOW}],"scps":[[]]"#),
            r#"{"id":1,"decision":"implicitDeny","reasons":[{"kind":"service-control"}]}"#,
        ),
        (
            format!(r#","identityPolicies":[{ALLOW}, "{{"],"note":"read on"#) + "\"",
            r#"{"id":1,"decision":"explicitDeny","reasons":[{"kind":"evaluation-error","policy":"identityPolicies/1"}]}"#,
        ),
        (
            format!(
                r#","identityPolicies":[null,{}],"scps":null"#,
                serde_json::to_string(ALLOW).unwrap()
            ),
            r#"{"id":1,"decision":"allowed","reasons":[{"kind":"identity"}]}"#,
        ),
        (
            format!(r#","identityPolicies":[{ALLOW}],"sessionPolicies":[]"#),
            r#"{"id":1,"decision":"allowed","reasons":[{"kind":"identity"}]}"#,
        ),
    ] {
        assert_eq!(ask(user, &rest), expected, "{rest}");
    }
}

// SES-5
#[test]
fn a_federated_user_without_session_policies_is_allowed_nothing() {
    let federated = r#""arn:aws:sts::123456789012:federated-user/bob""#;
    let policies = format!(r#","identityPolicies":[{ALLOW}]"#);
    assert!(ask(federated, &policies).contains(r#""kind":"session""#));
    assert!(ask(federated, &(policies.clone() + r#","sessionPolicies":[]"#)).contains("implicit"));
    let allowed = ask(federated, &format!(r#"{policies},"sessionPolicies":[{ALLOW}]"#));
    assert!(allowed.contains("allowed"), "{allowed}");
}

#[test]
fn what_is_wrong_with_a_line_is_told_with_its_place() {
    for (line, expected) in [
        ("", r#"{"id":null,"error":"line 1, column 1: no JSON: EOF while parsing a value"}"#),
        ("[]", r#"{"id":null,"error":"line 1, column 1: `case` must be an object"}"#),
        (r#"{"id":"x"}"#, r#"{"id":"x","error":"line 1, column 1: `request` is missing"}"#),
        (
            r#"{"id":{},"request":{}}"#,
            r#"{"id":null,"error":"line 1, column 7: `id` must be a string or a number"}"#,
        ),
        (
            r#"{"id":2,"request":{"principal":"alice","action":"a:B"}}"#,
            "`principal` must be the ARN of a root user",
        ),
        (
            r#"{"id":2,"request":{"action":"a:B"}}"#,
            r#"{"id":2,"error":"line 1, column 19: `principal` is missing"}"#,
        ),
        (
            r#"{"id":2,"request":{"principal":null,"action":"a:B","context":{"a:b":1}}}"#,
            "column 69: `context` must be a string or a list of strings",
        ),
        (
            r#"{"id":2,"request":{"principal":null,"action":"a:B","context":{"a:b":"1","A:B":"2"}}}"#,
            "`A:B` stands twice",
        ),
        (
            r#"{"id":2,"request":{"principal":null,"action":"a:B"},"permissionBoundary":{}}"#,
            "unknown field `permissionBoundary`; is `permissionsBoundary` meant?",
        ),
        (
            r#"{"id":2,"request":{"principal":null,"action":"a:B"},"scp":{}}"#,
            "unknown field `scp`; is `scps` meant?",
        ),
        (
            r#"{"id":2,"request":{"principal":null,"action":"a:B"},"scps":[[],null]}"#,
            "`scps` must be a list",
        ),
        (
            r#"{"id":2,"request":{"principal":null,"action":"a:B"},"scps":[],"scps":[[]]}"#,
            "`scps` stands twice",
        ),
        (
            r#"{"id":2,"request":{"principal":null,"action":"a:B"}} {}"#,
            "no JSON: trailing characters",
        ),
    ] {
        let found = answer(line);
        assert!(found.contains(expected), "{line}\n{found}");
        assert!(serde_json::from_str::<serde_json::Value>(&found).is_ok(), "{found}");
    }
}

#[test]
fn callers_are_read_from_arns_and_host_names() {
    let read = |principal: &str, context: &str| {
        let line = format!(
            r#"{{"request":{{"principal":{principal},"action":"a:B","context":{context}}}}}"#
        );
        Case::parse(&line, &mut Documents::default()).map(|case| case.principal)
    };
    for text in [
        "arn:aws:iam::123456789012:group/g",
        "arn:aws:iam::123456789012:user/",
        "arn:aws:iam::123:user/a",
        "arn:aws:sts::123456789012:assumed-role/r",
        "arn:aws:sts::123456789012:assumed-role/r/a/b",
        "arn:nowhere:iam::123456789012:root",
        "arn:aws:s3:::b",
        "*",
        "123456789012",
        "a..com",
        "",
    ] {
        assert!(read(&format!("\"{text}\""), "{}").is_err(), "{text}");
    }
    assert!(matches!(read("null", "{}"), Ok(Principal::Anonymous)));
    let service = read(
        r#""a.amazonaws.com""#,
        r#"{"aws:PrincipalServiceNamesList":["a.amazonaws.com","b"]}"#,
    );
    assert!(matches!(service, Ok(Principal::Service { names }) if names.len() == 2));
    let provider = read(r#""accounts.google.com""#, "{}");
    assert!(matches!(provider, Ok(Principal::Federated { .. })));
    let session = r#""arn:aws:sts::123456789012:assumed-role/Dev/s""#;
    let context = r#"{"aws:userid":"AROAOLDOLDOLDOLDOLDOL:s","aws:PrincipalArn":"arn:aws:iam::123456789012:role/x/y/Dev"}"#;
    match read(session, context) {
        Ok(Principal::Session { role_arn, role_id, .. }) => {
            assert_eq!(&*role_arn, "arn:aws:iam::123456789012:role/x/y/Dev");
            assert_eq!(role_id.as_str(), "AROAOLDOLDOLDOLDOLDOL");
        }
        other => panic!("{other:?}"),
    }
    for told in ["arn:aws:iam::123456789012:role/Other", "arn:aws:iam::210987654321:role/Dev", "x"]
    {
        match read(session, &format!(r#"{{"aws:PrincipalArn":"{told}"}}"#)) {
            Ok(Principal::Session { role_arn, role_id, .. }) => {
                assert_eq!(&*role_arn, "arn:aws:iam::123456789012:role/Dev");
                assert!(role_id.as_str().parse::<bailiwick_identifiers::UniqueId>().is_err());
            }
            other => panic!("{other:?}"),
        }
    }
}

// SES-8, ROOT-7
#[test]
fn refused_credentials_are_told() {
    let root = r#"{"request":{"principal":"arn:aws:iam::123456789012:root","action":"sts:AssumeRole","resource":"arn:aws:iam::123456789012:role/r"},"credentials":"long-term"}"#;
    assert_eq!(answer(root), r#"{"decision":"implicitDeny","reasons":[{"kind":"credentials"}]}"#);
}

#[test]
fn tm_g01_deep_and_long_lines_are_bounded() {
    let deep = "[".repeat(100_000);
    assert!(answer(&deep).contains("must be an object"));
    let closed = format!("{deep}{}", "]".repeat(100_000));
    let line = format!(
        r#"{{"id":1,"request":{{"principal":null,"action":"a:B"}},"identityPolicies":[{closed}],"x":{closed}}}"#
    );
    assert!(answer(&line).contains("evaluation-error"));
    assert!(answer(&" ".repeat(MAX_LEN + 1)).contains("longer than"));
    let keys: Vec<String> = (0..=MAX_KEYS).map(|n| format!(r#""k:{n}":"""#)).collect();
    let line = format!(
        r#"{{"request":{{"principal":null,"action":"a:B","context":{{{}}}}}}}"#,
        keys.join(",")
    );
    assert!(answer(&line).contains("4,096"));
}

#[test]
fn tm_g01_a_broken_line_is_an_error_and_never_a_panic() {
    let line = format!(
        r#"{{"id":"\u00e9","request":{{"principal":"arn:aws:sts::123456789012:assumed-role/R/s","action":"s3:GetObject","resource":"arn:aws:s3:::b/k","context":{{"a:b":["x","\n"]}}}},"identityPolicies":[{ALLOW},"{{}}"],"scps":[[{ALLOW}],[]],"grants":[{{"grantee":"x","operations":["Decrypt"]}}],"entities":{{}},"gateway":true}}"#
    );
    let mut documents = Documents::default();
    assert!(Case::parse(&line, &mut documents).is_ok());
    for (at, _) in line.char_indices().skip(1) {
        assert!(Case::parse(&line[..at], &mut documents).is_err(), "{}", &line[..at]);
        for put in ["", "\"", "{", "]", "\\", "0", "null", "\u{10ffff}"] {
            let mended = format!("{}{put}{}", &line[..at], &line[at + 1..]);
            if let Ok(case) = Case::parse(&mended, &mut documents) {
                let _ = (case.decide(), case.explain());
            }
        }
    }
}

// A limit under another name would be passed over, and limit nothing.
#[test]
fn members_that_name_a_limit_otherwise_are_refused() {
    let user = r#""arn:aws:iam::123456789012:user/alice""#;
    for (name, meant) in [
        ("boundary", "permissionsBoundary"),
        ("permissionBoundary", "permissionsBoundary"),
        ("serviceControlPolicies", "scps"),
        ("scpLevels", "scps"),
        ("resource_control_policies", "rcps"),
        ("sessionPolicyDocuments", "sessionPolicies"),
        ("vpcEndpointPolicy", "endpointPolicies"),
        ("bucketPolicy", "resourcePolicy"),
        ("trustPolicy", "resourcePolicy"),
        ("policies", "identityPolicies"),
    ] {
        let found = ask(user, &format!(r#","identityPolicies":[{ALLOW}],"{name}":[]"#));
        let expected = format!("unknown field `{name}`; is `{meant}` meant?");
        assert!(found.contains(&expected), "{name}: {found}");
    }
    for name in ["expect", "rules", "evidence", "note", "title"] {
        let found = ask(user, &format!(r#","identityPolicies":[{ALLOW}],"{name}":[]"#));
        assert!(found.contains("allowed"), "{name}: {found}");
    }
    let grant = r#","grants":[{"grantee":"a","operations":["Decrypt"],"Operations":["Sign"]}]"#;
    let found = ask(user, grant);
    assert!(found.contains("is `operations` meant?"), "{found}");
}

#[test]
fn tm_g01_long_texts_are_refused() {
    let case = |action: &str, resource: &str, key: &str, value: &str| {
        answer(&format!(
            r#"{{"id":1,"request":{{"principal":null,"action":"{action}","resource":"{resource}","context":{{"{key}":["","{value}"]}}}}}}"#
        ))
    };
    let long = |length: usize| "a".repeat(length);
    let fits = case(&long(8192), &long(8192), "k", &long(65_536));
    assert!(fits.contains("implicitDeny"), "{fits}");
    for (found, field, limit) in [
        (case(&long(8193), "*", "k", "v"), "action", 8192),
        (case("a:B", &long(8193), "k", "v"), "resource", 8192),
        (case("a:B", "*", "k", &long(65_537)), "k", 65_536),
        (case("a:B", "*", &long(65_537), "v"), &long(64), 65_536),
    ] {
        let expected = format!("`{field}` is longer than {limit} bytes");
        assert!(found.contains(&expected), "{field}: {found:.160}");
    }
}
