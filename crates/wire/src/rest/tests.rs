use http::{HeaderMap, Method};
use serde_json::json;

use super::*;
use crate::generated::accessanalyzer::{self as api, SERVICE};
use crate::schema::{
    Constraints, Http, Kind, Member, Operation, Place, Sensitivity, Structure, Type,
};
use crate::shape::{Api, Shape};
use crate::value::Value;

fn parts(method: &str, target: &str) -> http::request::Parts {
    http::Request::builder().method(method).uri(target).body(()).unwrap().into_parts().0
}

fn read<A: Api>(target: &str, body: &str) -> Result<A::Request, String> {
    let value = decode(A::OPERATION, &parts(A::OPERATION.http.method, target), body.as_bytes())
        .map_err(|error| error.message)?;
    A::Request::from_value(value).map_err(|error| error.to_string())
}

#[test]
fn paths_and_methods_name_operations() {
    for (method, path, expected) in [
        ("POST", "/policy/validation", Ok("ValidatePolicy")),
        ("GET", "/policy/validation", Err(Miss::Method)),
        ("PUT", "/policy/generation", Ok("StartPolicyGeneration")),
        ("PUT", "/policy/generation/x", Ok("CancelPolicyGeneration")),
        ("GET", "/analyzer", Ok("ListAnalyzers")),
        ("PUT", "/analyzer", Ok("CreateAnalyzer")),
        ("GET", "/analyzer/a", Ok("GetAnalyzer")),
        ("GET", "/analyzer/a/archive-rule/b", Ok("GetArchiveRule")),
        ("POST", "/analyzer/findings/statistics", Ok("GetFindingsStatistics")),
        ("GET", "/analyzer/a%2Fb", Ok("GetAnalyzer")),
        (
            "GET",
            "/tags/arn%3Aaws%3Aaccess-analyzer%3Aus-east-1%3A1%3Aanalyzer%2Fa",
            Ok("ListTagsForResource"),
        ),
        ("GET", "/tags/arn:aws:access-analyzer:us-east-1:1:analyzer/a", Err(Miss::Path)),
        ("GET", "/analyzer/", Err(Miss::Path)),
        ("GET", "//analyzer", Err(Miss::Path)),
        ("GET", "/analyzer/a/", Err(Miss::Path)),
        ("GET", "/Analyzer/a", Err(Miss::Path)),
        ("GET", "/", Err(Miss::Path)),
        ("GET", "", Err(Miss::Path)),
    ] {
        let method = method.parse::<Method>().unwrap();
        let found = operation(&SERVICE, &method, path).map(|operation| operation.name);
        assert_eq!(found, expected, "{method} {path}");
    }
}

#[test]
fn every_path_leads_to_its_own_operation() {
    for wanted in SERVICE.operations {
        let path = wanted.http.path.replace(['{', '}'], "");
        let method = wanted.http.method.parse::<Method>().unwrap();
        assert_eq!(operation(&SERVICE, &method, &path).unwrap().name, wanted.name);
    }
}

#[test]
fn members_stand_where_the_model_puts_them() {
    let request = read::<api::ValidatePolicy>(
        "/policy/validation?maxResults=7&nextToken=a%2Bb+c",
        r#"{"policyDocument":"{}","policyType":"IDENTITY_POLICY","maxResults":9,"nextToken":"x"}"#,
    );
    let request = request.unwrap();
    assert_eq!((request.max_results, request.next_token.as_deref()), (Some(7), Some("a+b c")));
    assert_eq!(request.policy_document, "{}");
    // What belongs into the query string is not taken from the body.
    let body = r#"{"policyDocument":"{}","policyType":"IDENTITY_POLICY","maxResults":9}"#;
    let request = read::<api::ValidatePolicy>("/policy/validation", body).unwrap();
    assert_eq!(request.max_results, None);
    let request =
        read::<api::UntagResource>("/tags/arn%3Aa%2Fb?tagKeys=a&tagKeys=b%20c", "").unwrap();
    assert_eq!(
        (&*request.resource_arn, request.tag_keys),
        ("arn:a/b", vec!["a".into(), "b c".into()])
    );
}

#[test]
fn tm_g02_ambiguous_requests_are_refused() {
    for (target, expected) in [
        (
            "/analyzer/a?clientToken=1&clientToken=2",
            "the parameter `clientToken` is given more than once",
        ),
        ("/analyzer/%2e%2e", "the path cannot be read: it holds a dot segment"),
        ("/analyzer/%ff", "the path cannot be read: it is not UTF-8"),
        ("/analyzer/a%00", "the path cannot be read: it holds a NUL"),
        (
            "/analyzer/a?clientToken=%zz",
            "the query string cannot be read: illegal or incomplete escape % sequence",
        ),
    ] {
        assert_eq!(read::<api::DeleteAnalyzer>(target, "").unwrap_err(), expected, "{target}");
    }
    for (target, expected) in [
        ("/analyzer?maxResults=", "`maxResults` is not an integer"),
        ("/analyzer?maxResults=1e3", "`maxResults` is not an integer"),
        ("/analyzer?maxResults=2147483648", "`maxResults` is not an integer"),
        (
            "/analyzer?maxResults=1&maxResults=1",
            "the parameter `maxResults` is given more than once",
        ),
    ] {
        assert_eq!(read::<api::ListAnalyzers>(target, "").unwrap_err(), expected, "{target}");
    }
    for (body, expected) in [
        ("[]", "Start of list found where not expected"),
        ("{", "the body is not well-formed JSON"),
        ("null", "the body is null"),
        (r#"{"policyDocument":{}}"#, "Start of structure or map found where not expected"),
        (r#"{"policyDocument":"a","policyDocument":"b"}"#, "a key stands more than once"),
    ] {
        assert_eq!(read::<api::ValidatePolicy>("/policy/validation", body).unwrap_err(), expected);
    }
    let many: String = (0..5_000).map(|_| "tagKeys=a&").collect();
    assert_eq!(
        read::<api::UntagResource>(&format!("/tags/a?{many}"), "").unwrap_err(),
        "the query string cannot be read: it holds too many parameters"
    );
}

#[test]
fn instants_are_written_as_the_model_says() {
    let now = crate::time::parse_iso("2026-11-21T22:00:00Z").unwrap();
    let response = api::GetAnalyzerResponse {
        analyzer: api::AnalyzerSummary { created_at: now, ..Default::default() },
    };
    let message = encode_response(api::GetAnalyzer::OPERATION, &response.into_value());
    let body: serde_json::Value = serde_json::from_slice(&message.body).unwrap();
    assert_eq!(body["analyzer"]["createdAt"], "2026-11-21T22:00:00Z");
    assert_eq!(message.status, 200);
    let back = decode_response(api::GetAnalyzer::OPERATION, 200, &HeaderMap::new(), &message.body)
        .unwrap();
    assert_eq!(api::GetAnalyzerResponse::from_value(back).unwrap().analyzer.created_at, now);
}

#[test]
fn errors_have_the_members_of_their_model() {
    let validate = api::ValidatePolicy::OPERATION;
    let members = [
        ("reason", json!("other")),
        ("fieldList", json!([{"name": "a", "message": "b"}])),
        ("Retry-After", json!(3)),
    ];
    let (headers, body) = encode_error(validate.error("ValidationException"), "m", &members);
    assert!(headers.is_empty());
    assert_eq!(
        serde_json::from_slice::<serde_json::Value>(&body).unwrap(),
        json!({"message": "m", "reason": "other", "fieldList": [{"name": "a", "message": "b"}]})
    );
    let (headers, body) = encode_error(validate.error("ThrottlingException"), "m", &members);
    assert_eq!(headers, [("Retry-After", "3".to_owned())]);
    assert_eq!(body, br#"{"message":"m"}"#);
    let (headers, body) = encode_error(None, "m", &members);
    assert_eq!((headers.len(), &*body), (0, &br#"{"message":"m"}"#[..]));
}

const fn text(kind: Kind) -> Type {
    Type { name: "t", kind, constraints: Constraints::NONE, sensitivity: Sensitivity::Open }
}

static TEXT: Type = text(Kind::String(&[]));
static NUMBER: Type = text(Kind::Integer);
static BYTES: Type = text(Kind::Blob);

const fn member(wire: &'static str, place: Place, shape: &'static Type) -> Member {
    Member { rust: wire, wire, place, required: false, shape }
}

static MESSAGE: Structure = Structure {
    name: "Message",
    union: false,
    members: &[
        member("bytes", Place::Payload, &BYTES),
        member("x-mark", Place::Header, &TEXT),
        member("code", Place::Status, &NUMBER),
    ],
};

static MADE: Operation = Operation {
    name: "Made",
    service: &SERVICE,
    input: Some(&MESSAGE),
    output: Some(&MESSAGE),
    result_wrapper: "",
    errors: &[],
    pagination: None,
    unsigned: false,
    http: Http { method: "PUT", path: "/made", status: 201 },
};

#[test]
fn payloads_headers_and_statuses() {
    let value = |code| {
        let status = Some(Value::Integer(code));
        Value::Struct(vec![
            Some(Value::Blob(b"\0raw\xff".to_vec())),
            Some(Value::String("m".into())),
            status,
        ])
    };
    let message = encode_response(&MADE, &value(202));
    assert_eq!((message.status, &*message.body), (202, &b"\0raw\xff"[..]));
    let headers: HeaderMap = message
        .headers
        .iter()
        .map(|(name, text)| (name.parse().unwrap(), text.parse().unwrap()))
        .collect();
    assert_eq!(decode_response(&MADE, 202, &headers, &message.body).unwrap(), value(202));
    assert_eq!(encode_response(&MADE, &Value::Struct(vec![None, None, None])).status, 201);

    let sent = encode_request(&MADE, &value(1));
    let mut request = http::Request::builder().method(sent.method).uri(&sent.target);
    for (name, text) in &sent.headers {
        request = request.header(*name, text);
    }
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    let back = decode(&MADE, &parts, &sent.body).unwrap();
    let expected =
        [Some(Value::Blob(b"\0raw\xff".to_vec())), Some(Value::String("m".into())), None];
    assert_eq!(back.slots(), expected);
    parts.headers.append("x-mark", "n".parse().unwrap());
    assert_eq!(
        decode(&MADE, &parts, b"").unwrap_err().message,
        "the header `x-mark` is given more than once"
    );
}
