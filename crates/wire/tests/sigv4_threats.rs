//! The threats of group A that lie in the signature's reach, one test or more each.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use bailiwick_wire::sigv4::{
    self, AuthError, Defect, Family, KeyCache, KeyKind, Payload, QueryForm, QueryLifetime, Rules,
    SecretKey, Signer, UriPart, Verified,
};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Request, Uri};
use jiff::{SignedDuration, Timestamp};

const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";
const BODY: &[u8] = b"Action=ListUsers&Version=2010-05-08";
const LONG: &str = "The request signature we calculated does not match the signature you provided. Check your AWS \
                    Secret Access Key and signing method. Consult the service documentation for details.";

fn now() -> Timestamp {
    "2026-01-01T00:05:00Z".parse().unwrap()
}

fn secret() -> SecretKey {
    SecretKey::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY").unwrap()
}

fn rules() -> Rules<'static> {
    Rules::for_service(&["iam", "iam-toolbox"])
}

fn parts(method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
    let mut builder = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(()).unwrap().into_parts().0
}

fn signer(secret: &SecretKey) -> Signer<'_> {
    Signer {
        access_key_id: "AKIAIOSFODNN7EXAMPLE",
        secret,
        session_token: None,
        region: "eu-west-1",
        service: "iam",
        path_form: sigv4::PathForm::Normalized,
    }
}

fn signed(method: &str, uri: &str, headers: &[(&str, &str)], body: &[u8]) -> Parts {
    let mut parts = parts(method, uri, headers);
    parts.headers.entry("host").or_insert(HeaderValue::from_static("iam.amazonaws.com"));
    sigv4::sign(&signer(&secret()), &mut parts, body, now()).unwrap();
    parts
}

fn post() -> Parts {
    signed("POST", "/", &[("content-type", FORM), ("x-amz-target", "Service.ListUsers")], BODY)
}

fn presigned(method: &str, uri: &str, expires: u32) -> Parts {
    let mut parts = parts(method, uri, &[("host", "iam.amazonaws.com")]);
    sigv4::presign(&signer(&secret()), &mut parts, b"", expires, now()).unwrap();
    parts
}

fn check_at(
    parts: &Parts,
    body: &[u8],
    rules: &Rules<'_>,
    now: Timestamp,
) -> Result<Verified, AuthError> {
    let presented = sigv4::parse(parts)?.ok_or(AuthError::MissingAuthenticationToken)?;
    sigv4::verify(&presented, parts, body, &secret(), now, &KeyCache::new(), rules)
}

fn check(parts: &Parts, body: &[u8]) -> Result<Verified, AuthError> {
    check_at(parts, body, &rules(), now())
}

/// Changes one field of the `Authorization` header.
fn edit(parts: &mut Parts, from: &str, to: &str) {
    let value = parts.headers["authorization"].to_str().unwrap().to_owned();
    assert!(value.contains(from), "{from}");
    parts.headers.insert("authorization", value.replacen(from, to, 1).parse().unwrap());
}

fn edit_uri(parts: &mut Parts, from: &str, to: &str) {
    let value = parts.uri.to_string();
    assert!(value.contains(from), "{from} in {value}");
    parts.uri = value.replacen(from, to, 1).parse().unwrap();
}

fn is_incomplete(result: &Result<Verified, AuthError>) -> bool {
    matches!(result, Err(AuthError::IncompleteSignature(_)))
}

#[test]
fn an_honest_request_is_accepted_in_both_forms() {
    let verified = check(&post(), BODY).unwrap();
    assert_eq!(verified.payload(), Payload::Hashed);
    check(&presigned("GET", "/?Action=GetCallerIdentity&Version=2011-06-15", 60), b"").unwrap();
    assert_eq!(
        sigv4::parse(&parts("POST", "/", &[("x-amz-date", "x")])).map(|p| p.is_none()),
        Ok(true)
    );
}

#[test]
fn tm_a01_an_uncovered_amz_header_is_refused() {
    for name in
        ["x-amz-target", "x-amz-security-token", "x-amz-date", "x-amz-anything", "x-amz-user-agent"]
    {
        for mut request in [post(), presigned("GET", "/?a=1", 60)] {
            let body = if request.method == "POST" { BODY } else { b"" };
            if request.headers.remove(name).is_some() {
                assert!(check(&request, body).is_err(), "{name} taken away");
            }
            request
                .headers
                .insert(HeaderName::from_static(name), HeaderValue::from_static("forged"));
            let error = check(&request, body).unwrap_err();
            assert!(error.status(Family::Query).is_client_error(), "{name}");
        }
    }
    // The name and the 403 are told, whatever the form.
    for mut request in [post(), presigned("GET", "/?a=1", 60)] {
        let body = if request.method == "POST" { BODY } else { b"" };
        request.headers.insert("x-amz-extra", HeaderValue::from_static("1"));
        let error = check(&request, body).unwrap_err();
        assert_eq!(error.status(Family::Query), 403);
        assert_eq!(
            error.message(),
            "There were headers present in the request which were not signed: x-amz-extra"
        );
    }
}

#[test]
fn tm_a01_the_exempt_header_is_bound_by_its_value() {
    let mut request = post();
    let wrong = "c45e0b4c5ed5c9a0d16ea0d9b1d5cd92c0b8d3a1b0a0d4c4c1c7a5f0d9e4b9aa";
    request.headers.insert("x-amz-content-sha256", HeaderValue::from_static(wrong));
    assert_eq!(check(&request, BODY).unwrap_err(), AuthError::SignatureDoesNotMatch);
    let hash = check(&post(), BODY).unwrap().body_sha256().map(|b| format!("{b:02x}")).concat();
    request.headers.insert("x-amz-content-sha256", hash.parse().unwrap());
    check(&request, BODY).unwrap();
}

#[test]
fn tm_a01_host_and_content_type_are_covered() {
    let mut request = post();
    edit(&mut request, "content-type;host;", "content-type;");
    assert!(
        check(&request, BODY).unwrap_err().message().starts_with("'Host' or ':authority' must be")
    );

    let mut request = parts("POST", "/", &[("host", "h")]);
    sigv4::sign(&signer(&secret()), &mut request, BODY, now()).unwrap();
    check(&request, BODY).unwrap();
    request.headers.insert("content-type", HeaderValue::from_static(FORM));
    assert!(matches!(check(&request, BODY), Err(AuthError::Refused(_))));
    let lenient = Rules { unsigned_content_type: true, ..rules() };
    check_at(&request, BODY, &lenient, now()).unwrap();

    // Without a body it cannot change how one is read.
    let mut request = presigned("GET", "/?a=1", 60);
    request.headers.insert("content-type", HeaderValue::from_static(FORM));
    check(&request, b"").unwrap();
}

#[test]
fn tm_a02_two_of_anything_that_matters_are_refused() {
    let query = presigned("GET", "/?a=1", 60).uri.query().unwrap().to_owned();
    for name in [
        "authorization",
        "x-amz-date",
        "x-amz-target",
        "x-amz-security-token",
        "x-amz-content-sha256",
    ] {
        let mut request = post();
        let name = HeaderName::from_static(name);
        let value = request.headers.get(&name).cloned().unwrap_or(HeaderValue::from_static("x"));
        request.headers.insert(name.clone(), value.clone());
        request.headers.append(name.clone(), value);
        assert!(is_incomplete(&check(&request, BODY)), "{name} twice");
    }
    for name in ["host", "content-type"] {
        let mut request = post();
        let value = request.headers[name].clone();
        request.headers.append(HeaderName::from_static(name), value);
        assert!(check(&request, BODY).is_err(), "{name} twice");
    }
    // Header form beside any of the query form's parameters.
    for piece in query.split('&').filter(|piece| piece.starts_with("X-Amz-")) {
        let request = signed("POST", &format!("/?{piece}"), &[], BODY);
        assert!(is_incomplete(&check(&request, BODY)), "{piece}");
    }
    // Query form beside a header of the other form, and each of its own parameters twice.
    for name in ["authorization", "x-amz-date", "x-amz-security-token"] {
        let mut request = presigned("GET", "/?a=1", 60);
        let value = post().headers.get(name).cloned().unwrap_or(HeaderValue::from_static("x"));
        request.headers.insert(HeaderName::from_static(name), value);
        assert!(is_incomplete(&check(&request, b"")), "{name}");
    }
    for piece in query.split('&').filter(|piece| piece.starts_with("X-Amz-")) {
        for again in [piece.to_owned(), piece.replacen("X-Amz", "X%2DAmz", 1), piece.to_lowercase()]
        {
            let mut request = presigned("GET", "/?a=1", 60);
            request.uri = format!("{}&{again}", request.uri).parse().unwrap();
            assert!(is_incomplete(&check(&request, b"")), "{again}");
        }
    }
}

#[test]
fn tm_a02_the_two_date_headers_have_an_order() {
    // `Date` beside `X-Amz-Date` says nothing, for clients add it of themselves.
    let mut request = post();
    request.headers.insert("date", HeaderValue::from_static("Sun, 30 Aug 2015 12:36:00 GMT"));
    check(&request, BODY).unwrap();
    // Alone it is read, and two of them are refused.
    let mut request = post();
    request.headers.remove("x-amz-date");
    edit(&mut request, "host;x-amz-date;", "host;");
    assert!(is_incomplete(&check(&request, BODY)));
    request.headers.insert("date", HeaderValue::from_static("Thu, 01 Jan 2026 00:05:00 GMT"));
    assert_eq!(check(&request, BODY).unwrap_err(), AuthError::SignatureDoesNotMatch);
    request.headers.append("date", HeaderValue::from_static("Thu, 01 Jan 2026 00:05:00 GMT"));
    assert!(is_incomplete(&check(&request, BODY)));
}

#[test]
fn tm_a03_a_good_signature_does_not_save_a_bad_spelling() {
    use Defect::{BadPercent, DotSegment, EmptySegment, NotUtf8, Nul};
    use UriPart::{Path, Query};
    for (target, part, defect) in [
        ("/a//b", Path, EmptySegment),
        ("/a/../b", Path, DotSegment),
        ("/a/%2e%2E/b", Path, DotSegment),
        ("/a/.%2e", Path, DotSegment),
        ("/a%00", Path, Nul),
        ("/a%2", Path, BadPercent),
        ("/%c0%af", Path, NotUtf8),
        ("/?a=%", Query, BadPercent),
        ("/?a=%00", Query, Nul),
        ("/?%ed%a0%80=", Query, NotUtf8),
    ] {
        let request = signed("GET", target, &[], b"");
        assert_eq!(
            check(&request, b"").unwrap_err(),
            AuthError::MalformedUri(part, defect),
            "{target}"
        );
        // And the spelling is no oracle for those without the secret.
        let mut request = request;
        edit(&mut request, "Signature=", "Signature=0");
        assert_eq!(check(&request, b"").unwrap_err(), AuthError::SignatureDoesNotMatch, "{target}");
    }
    for target in
        ["/a%2Fb", "/a+b", "/a;b", "/a/...", "/a/", "/?a=b+c", "/?a;b=1", "/?a=%2F%2f", "/%252e"]
    {
        check(&signed("GET", target, &[], b""), b"").unwrap();
    }
}

#[test]
fn tm_a03_spellings_are_not_interchangeable() {
    for (signed_as, sent_as) in [
        ("/a%2Fb", "/a/b"),
        ("/a%2Fb", "/a%2fb"),
        ("/a%20b", "/a+b"),
        ("/ab", "/%61b"),
        ("/a/b", "/a/b/"),
        ("/a;b", "/a%3Bb"),
        ("/a/b", "/a/./b"),
        ("/?a=1&b=2", "/?a=1%26b=2"),
        ("/?a=1;b=2", "/?a=1&b=2"),
        ("/?a=%2B", "/?a=+"),
    ] {
        let mut request = signed("GET", signed_as, &[], b"");
        request.uri = sent_as.parse().unwrap();
        assert!(check(&request, b"").is_err(), "{signed_as} sent as {sent_as}");
    }
}

#[test]
fn tm_a04_the_received_body_is_the_signed_body() {
    for at in 0..BODY.len() {
        for bit in 0..8 {
            let mut body = BODY.to_vec();
            body[at] ^= 1 << bit;
            assert_eq!(check(&post(), &body).unwrap_err(), AuthError::SignatureDoesNotMatch);
        }
    }
    assert!(check(&post(), b"").is_err());
    assert!(check(&post(), &[BODY, b"&"].concat()).is_err());
}

#[test]
fn tm_a04_tm_a05_markers_need_the_rules_and_a_good_signature() {
    for (marker, payload) in [
        ("UNSIGNED-PAYLOAD", Some(Payload::Unsigned)),
        ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", Some(Payload::Streaming)),
        ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", Some(Payload::Streaming)),
        ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", Some(Payload::Streaming)),
        ("unsigned-payload", None),
        ("UNSIGNED-PAYLOAD-TRAILER", None),
        ("", None),
        ("E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855", None),
    ] {
        let header = signed("PUT", "/", &[("x-amz-content-sha256", marker)], b"");
        let mut query = parts("PUT", "/", &[("host", "h"), ("x-amz-content-sha256", marker)]);
        sigv4::presign(&signer(&secret()), &mut query, b"", 60, now()).unwrap();
        let open = Rules {
            unsigned_payload: true,
            streaming_payload: true,
            query_form: QueryForm::AnyMethod,
            ..rules()
        };
        for mut request in [header, query] {
            assert!(check(&request, b"").is_err(), "{marker}");
            let result =
                check_at(&request, b"", &open, now()).ok().map(|verified| verified.payload());
            assert_eq!(result, payload, "{marker}");
            request.method = http::Method::POST;
            let result = check_at(&request, b"", &open, now());
            assert_eq!(result.unwrap_err(), AuthError::SignatureDoesNotMatch, "{marker}");
        }
    }
}

#[test]
fn tm_a06_the_window_is_five_minutes_either_way() {
    let request = post();
    for (offset, good) in [
        (-301, false),
        (-300, true),
        (-299, true),
        (0, true),
        (299, true),
        (300, true),
        (301, false),
    ] {
        let result = check_at(&request, BODY, &rules(), now() + SignedDuration::from_secs(offset));
        assert_eq!(result.is_ok(), good, "{offset}");
    }
    let late =
        check_at(&request, BODY, &rules(), now() + SignedDuration::from_secs(301)).unwrap_err();
    assert_eq!(
        late.message(),
        "Signature expired: 20260101T000500Z is now earlier than 20260101T000501Z (20260101T001001Z - 5 min.)"
    );
    let early =
        check_at(&request, BODY, &rules(), now() - SignedDuration::from_secs(301)).unwrap_err();
    assert_eq!(
        early.message(),
        "Signature not yet current: 20260101T000500Z is still later than 20260101T000459Z (20251231T235959Z + 5 min.)"
    );
    assert_eq!(
        (late.code(Family::Query), late.status(Family::Query).as_u16()),
        ("SignatureDoesNotMatch", 403)
    );
    let objects = Rules { window: 900, ..rules() };
    check_at(&request, BODY, &objects, now() + SignedDuration::from_secs(900)).unwrap();
    assert!(check_at(&request, BODY, &objects, now() + SignedDuration::from_secs(901)).is_err());
}

#[test]
fn tm_a06_the_scope_date_is_the_request_date() {
    let mut request = post();
    edit(&mut request, "/20260101/", "/20251231/");
    assert_eq!(
        check(&request, BODY).unwrap_err().message(),
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
         '20251231' != '20260101', from '20260101T000500Z'."
    );
    for date in ["", "2026-01-01T00:05:00Z", "20260101", "20260101T000500", "99999999T999999Z", "x"]
    {
        let mut request = post();
        request.headers.insert("x-amz-date", date.parse().unwrap());
        assert!(is_incomplete(&check(&request, BODY)), "{date:?}");
    }
}

#[test]
fn tm_a07_presigned_lifetimes() {
    let request = presigned("GET", "/?Action=GetCallerIdentity", 60);
    for (offset, good) in
        [(-301, false), (-300, true), (0, true), (60, true), (61, false), (300, false)]
    {
        let result = check_at(&request, b"", &rules(), now() + SignedDuration::from_secs(offset));
        assert_eq!(result.is_ok(), good, "{offset}");
    }
    let week = presigned("GET", "/?a=1", 604_800);
    check_at(&week, b"", &rules(), now() + SignedDuration::from_secs(604_800)).unwrap();
    assert!(check_at(&week, b"", &rules(), now() + SignedDuration::from_secs(604_801)).is_err());
    for value in [
        "0",
        "-1",
        "604801",
        "4294967296",
        "99999999999999999999",
        "",
        "1e3",
        "+5",
        "60.0",
        "%2060",
    ] {
        let mut request = request.clone();
        edit_uri(&mut request, "X-Amz-Expires=60", &format!("X-Amz-Expires={value}"));
        assert!(is_incomplete(&check(&request, b"")), "{value:?}");
    }
    let mut absent = request.clone();
    edit_uri(&mut absent, "&X-Amz-Expires=60", "");
    assert_eq!(
        check(&absent, b"").unwrap_err().message(),
        "AWS query-string parameters must include 'X-Amz-Expires'. Re-examine the query-string parameters."
    );
    // As sts has it: fifteen minutes, whatever the request says.
    let fixed = Rules { query_lifetime: QueryLifetime::Fixed(900), ..rules() };
    for (request, offset, good) in
        [(&request, 900, true), (&request, 901, false), (&week, 900, true), (&week, 901, false)]
    {
        let result = check_at(request, b"", &fixed, now() + SignedDuration::from_secs(offset));
        assert_eq!(result.is_ok(), good, "{offset}");
    }
}

#[test]
fn tm_a07_presigned_methods_and_hosts() {
    let post = presigned("POST", "/?Action=CreateUser", 60);
    assert!(matches!(check(&post, b""), Err(AuthError::Refused(_))));
    check_at(&post, b"", &Rules { query_form: QueryForm::AnyMethod, ..rules() }, now()).unwrap();
    let get = presigned("GET", "/?Action=GetCallerIdentity", 60);
    let none = Rules { query_form: QueryForm::Refused, ..rules() };
    assert!(matches!(check_at(&get, b"", &none, now()), Err(AuthError::Refused(_))));
    let mut other = get.clone();
    other.headers.insert("host", HeaderValue::from_static("evil.example"));
    assert_eq!(check(&other, b"").unwrap_err(), AuthError::SignatureDoesNotMatch);
    let mut other = get.clone();
    other.method = http::Method::HEAD;
    assert!(check(&other, b"").is_err());
    let mut other = get;
    edit_uri(&mut other, "Action=GetCallerIdentity", "Action=CreateUser");
    assert_eq!(check(&other, b"").unwrap_err().message(), LONG);
}

#[test]
fn tm_a08_every_field_of_the_scope_is_checked() {
    let credential = "AKIAIOSFODNN7EXAMPLE/20260101/eu-west-1/iam/aws4_request";
    for (to, text) in [
        (
            "AKIAIOSFODNN7EXAMPLE/20260101/eu-west-1/iam/aws4",
            "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws4'. ",
        ),
        (
            "AKIAIOSFODNN7EXAMPLE/20260101/eu-west-1/iam/AWS4_REQUEST",
            "Credential should be scoped with a valid terminator: 'aws4_request', not 'AWS4_REQUEST'. ",
        ),
        (
            "AKIAIOSFODNN7EXAMPLE/20260101/eu-west-1/sts/aws4_request",
            "Credential should be scoped to correct service: 'iam'. ",
        ),
        (
            "AKIAIOSFODNN7EXAMPLE/20260101/eu-west-1/IAM/aws4_request",
            "Credential should be scoped to correct service: 'iam'. ",
        ),
        (
            "AKIAIOSFODNN7EXAMPLE/20260101//iam/aws4_request",
            "Credential should be scoped to a valid region, not ''. ",
        ),
        (
            "AKIAIOSFODNN7EXAMPLE/2026010/eu-west-1/iam/aws4_request",
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '2026010' != \
             '20260101', from '20260101T000500Z'.",
        ),
        (
            "AKIAIOSFODNN7EXAMPLE/b/eu-west-1/sts/e",
            "Credential should be scoped to correct service: 'iam'. Credential should be scoped with a valid \
             terminator: 'aws4_request', not 'e'. Date in Credential scope does not match YYYYMMDD from ISO-8601 \
             version of date from HTTP: 'b' != '20260101', from '20260101T000500Z'.",
        ),
        (
            "AKIAIOSFODNN7EXAMPLE/20260101/eu-west-1/iam",
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got \
             'AKIAIOSFODNN7EXAMPLE/20260101/eu-west-1/iam'",
        ),
        // A scope that is allowed, but not the one that was signed.
        ("AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/iam/aws4_request", LONG),
        ("AKIAIOSFODNN7EXAMPLE/20260101/eu-west-1/iam-toolbox/aws4_request", LONG),
    ] {
        let mut request = post();
        edit(&mut request, credential, to);
        assert_eq!(check(&request, BODY).unwrap_err().message(), text, "{to}");
    }
}

#[test]
fn tm_a08_only_one_algorithm() {
    for scheme in
        ["aws4-hmac-sha256", "AWS4-HMAC-SHA1", "AWS4-ECDSA-P256-SHA256", "AWS4-X509-RSA-SHA256"]
    {
        let mut request = post();
        edit(&mut request, "AWS4-HMAC-SHA256", scheme);
        let error = check(&request, BODY).unwrap_err();
        assert_eq!(error.message(), format!("Unsupported AWS 'algorithm': '{scheme}'. "));
        let mut request = presigned("GET", "/?a=1", 60);
        edit_uri(&mut request, "AWS4-HMAC-SHA256", scheme);
        assert_eq!(check(&request, b"").unwrap_err(), error);
    }
    for value in [
        "AWS AKID:c2ln",
        "Basic dTpw",
        "Bearer eyJ",
        "AWS3-HTTPS AWSAccessKeyId=A",
        "AWS4-HMAC-SHA256",
        "",
    ] {
        let mut request = post();
        request.headers.insert("authorization", value.parse().unwrap());
        let result = check(&request, BODY);
        assert!(is_incomplete(&result), "{value:?} {result:?}");
        // What was sent is not sent back.
        assert!(!result.unwrap_err().message().contains("dTpw"));
    }
}

#[test]
fn tm_a08_texts_of_an_incomplete_header() {
    for (value, text) in [
        (
            "AWS4-HMAC-SHA256 Credential=a/b/c/d/e",
            "Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' \
             parameter. Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. \
             (Hashed with SHA-256 and encoded with Base64) Authorization=",
        ),
        (
            "Bearer x",
            "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' \
             parameter. Authorization header requires 'SignedHeaders' parameter. Authorization header requires \
             existence of either a 'X-Amz-Date' or a 'Date' header. (Hashed",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=a/b, nonsense",
            "Invalid key=value pair (missing equal-sign) in Authorization",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=a, Credential=b",
            "Authorization header has 'Credential' twice.",
        ),
    ] {
        let request = parts("POST", "/", &[("authorization", value)]);
        let error = sigv4::parse(&request).unwrap_err();
        assert!(error.message().starts_with(text), "{}", error.message());
        assert_eq!(error.code(Family::Query), "IncompleteSignature");
    }
    for names in ["", "host;", ";host", "Host", "host;host", "x-amz-date;host", "host x", "h\u{e9}"]
    {
        let mut request = post();
        let value = request.headers["authorization"].to_str().unwrap().to_owned();
        let (before, rest) = value.split_once("SignedHeaders=").unwrap();
        let (_, after) = rest.split_once(',').unwrap();
        let value = format!("{before}SignedHeaders={names},{after}");
        request.headers.insert("authorization", HeaderValue::from_bytes(value.as_bytes()).unwrap());
        assert!(is_incomplete(&check(&request, BODY)), "{names:?}");
    }
}

/// A10 by structure: the one place that compares digests of the signature does so with `subtle`, and the
/// module compares no digest with `==`.
#[test]
fn tm_a10_digests_are_compared_in_constant_time() {
    let source = include_str!("../src/sigv4/verify.rs");
    assert_eq!(source.matches(".ct_eq(").count(), 2);
    for forbidden in
        ["expected ==", "== expected", "given ==", "hash ==", "== hash", "signature() =="]
    {
        assert!(!source.contains(forbidden), "{forbidden}");
    }
    let mut request = post();
    for (from, to) in [("Signature=", "Signature=00"), ("Signature=", "Signature=zz")] {
        edit(&mut request, from, to);
        assert_eq!(check(&request, BODY).unwrap_err(), AuthError::SignatureDoesNotMatch);
    }
    let mut request = post();
    let value = request.headers["authorization"].to_str().unwrap().to_owned();
    let (before, signature) = value.split_once("Signature=").unwrap();
    for forged in
        [String::new(), signature.to_uppercase(), signature[..63].to_owned(), "0".repeat(64)]
    {
        let value = format!("{before}Signature={forged}");
        request.headers.insert("authorization", value.parse().unwrap());
        assert_eq!(
            check(&request, BODY).unwrap_err(),
            AuthError::SignatureDoesNotMatch,
            "{forged}"
        );
    }
}

#[test]
fn tm_a12_tokens_and_kinds_of_key() {
    let mut with_token = parts("GET", "/", &[("host", "h")]);
    let secret = secret();
    let temporary = Signer { session_token: Some("token+/="), ..signer(&secret) };
    sigv4::sign(&temporary, &mut with_token, b"", now()).unwrap();
    let mut presigned_with_token = parts("GET", "/", &[("host", "h")]);
    sigv4::presign(&temporary, &mut presigned_with_token, b"", 60, now()).unwrap();
    for request in [&with_token, &presigned_with_token] {
        check(request, b"").unwrap();
        let presented = sigv4::parse(request).unwrap().unwrap();
        assert_eq!(presented.session_token(), Some("token+/="));
        assert!(!format!("{presented:?}").contains("token+/="));
        presented.check_token(KeyKind::Temporary).unwrap();
        assert_eq!(presented.check_token(KeyKind::LongLived), Err(AuthError::InvalidClientTokenId));
    }
    let presented = sigv4::parse(&post()).unwrap().unwrap();
    presented.check_token(KeyKind::LongLived).unwrap();
    let error = presented.check_token(KeyKind::Temporary).unwrap_err();
    assert_eq!(error.message(), "The security token included in the request is invalid.");
    // The token is part of what is signed: another one, or none, does not verify.
    for token in [None, Some("other")] {
        let mut request = with_token.clone();
        request.headers.remove("x-amz-security-token");
        if let Some(token) = token {
            request.headers.insert("x-amz-security-token", HeaderValue::from_static(token));
        }
        assert_eq!(check(&request, b"").unwrap_err(), AuthError::SignatureDoesNotMatch);
    }
    assert_eq!(
        AuthError::ExpiredToken.message(),
        "The security token included in the request is expired"
    );
}

#[test]
fn tm_a13_hostile_headers_end_before_any_look_up() {
    for value in [
        format!(
            "AWS4-HMAC-SHA256 Credential={}, SignedHeaders=host, Signature=0",
            "A".repeat(100_000)
        ),
        "A".repeat(100_000),
        format!("AWS4-HMAC-SHA256 {}", "a=b,".repeat(25_000)),
        format!(
            "AWS4-HMAC-SHA256 Credential=A/20260101/r/iam/aws4_request, SignedHeaders={}, Signature=0",
            ";".repeat(5000)
        ),
    ] {
        let mut request = post();
        request.headers.insert("authorization", value.parse().unwrap());
        let result = check(&request, BODY);
        assert!(is_incomplete(&result));
        assert!(result.unwrap_err().message().len() < 1000);
    }
    for (value, expected) in [
        ("%0AAKID/20260101/r/iam/aws4_request", AuthError::InvalidClientTokenId),
        ("/20260101/r/iam/aws4_request", AuthError::InvalidClientTokenId),
    ] {
        let mut request = presigned("GET", "/?a=1", 60);
        let credential = "AKIAIOSFODNN7EXAMPLE%2F20260101%2Feu-west-1%2Fiam%2Faws4_request";
        edit_uri(&mut request, credential, value);
        assert_eq!(sigv4::parse(&request).unwrap_err(), expected);
    }
    let mut request = post();
    request.headers.insert("x-amz-security-token", "t".repeat(20_000).parse().unwrap());
    assert_eq!(check(&request, BODY).unwrap_err(), AuthError::InvalidClientTokenId);
}

/// A14 is the caller's: here, an unsigned request is told apart from a badly signed one, and only by the
/// absence of every part of a signature.
#[test]
fn tm_a14_unsigned_means_no_part_of_a_signature() {
    for target in ["/", "/?Action=AssumeRoleWithWebIdentity", "/?X-Amz-Date=20260101T000000Z"] {
        assert!(sigv4::parse(&parts("POST", target, &[])).unwrap().is_none(), "{target}");
    }
    for name in ["Algorithm", "Credential", "Signature", "SignedHeaders"] {
        assert!(sigv4::parse(&parts("GET", &format!("/?X-Amz-{name}="), &[])).is_err(), "{name}");
    }
}

#[test]
fn tm_h02_an_absolute_target_names_the_signed_host() {
    let mut request = post();
    request.uri = Uri::from_static("https://iam.amazonaws.com/");
    check(&request, BODY).unwrap();
    request.uri = Uri::from_static("https://evil.example/");
    assert!(matches!(check(&request, BODY), Err(AuthError::Refused(_))));
    // Over HTTP/2 the authority stands in for the header.
    request.uri = Uri::from_static("https://iam.amazonaws.com/");
    request.headers.remove("host");
    check(&request, BODY).unwrap();
}

#[test]
fn the_cache_changes_no_answer() {
    let cache = KeyCache::new();
    let request = post();
    let presented = sigv4::parse(&request).unwrap().unwrap();
    let other = SecretKey::new("another").unwrap();
    let verify = |secret: &SecretKey| {
        sigv4::verify(&presented, &request, BODY, secret, now(), &cache, &rules()).map(drop)
    };
    assert_eq!(verify(&other), Err(AuthError::SignatureDoesNotMatch));
    assert!(cache.is_empty(), "a bad signature leaves nothing behind");
    for _ in 0..3 {
        assert_eq!(verify(&secret()), Ok(()));
        assert_eq!(verify(&other), Err(AuthError::SignatureDoesNotMatch));
        assert_eq!(cache.len(), 1);
    }
}
