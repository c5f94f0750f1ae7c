//! Every request in `corpus/wire/sigv4/` verifies as its vector says, and no longer once a bit of it changes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::str::FromStr;

use bailiwick_wire::sigv4::{
    self, AuthError, Form, KeyCache, PathForm, Rules, SecretKey, Signer, Verified,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

struct Vector {
    name: String,
    parts: Parts,
    body: Vec<u8>,
    key_id: String,
    secret: SecretKey,
    token: Option<String>,
    region: String,
    service: String,
    at: Timestamp,
    expires: Option<u32>,
    s3: bool,
    malformed: bool,
}

impl Vector {
    fn load() -> Vec<Self> {
        Self::read(include_str!("../../../corpus/wire/sigv4/botocore.json"))
    }

    fn read(text: &str) -> Vec<Self> {
        let file: Value = serde_json::from_str(text).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let read = |v: &Value| {
            let key = &file["keys"][v["key"].as_str().unwrap()];
            let (mut parts, ()) = Request::new(()).into_parts();
            parts.method = Method::from_str(v["method"].as_str().unwrap()).unwrap();
            parts.uri = v["target"].as_str().unwrap().parse().unwrap();
            for pair in v["headers"].as_array().unwrap() {
                let name = HeaderName::from_str(pair[0].as_str().unwrap()).unwrap();
                let value = HeaderValue::from_bytes(pair[1].as_str().unwrap().as_bytes()).unwrap();
                parts.headers.append(name, value);
            }
            let time = v["time"].as_str().unwrap();
            let [date, clock] = [&time[..8], &time[9..15]];
            let iso = format!(
                "{}-{}-{}T{}:{}:{}Z",
                &date[..4],
                &date[4..6],
                &date[6..],
                &clock[..2],
                &clock[2..4],
                &clock[4..]
            );
            Self {
                name: text(&v["name"]),
                parts,
                body: STANDARD.decode(v["body"].as_str().unwrap()).unwrap(),
                key_id: text(&key["id"]),
                secret: SecretKey::new(key["secret"].as_str().unwrap()).unwrap(),
                token: key["token"].as_str().map(str::to_owned),
                region: text(&v["region"]),
                service: text(&v["service"]),
                at: iso.parse().unwrap(),
                expires: v["expires"].as_u64().map(|n| u32::try_from(n).unwrap()),
                s3: v["s3"].as_bool().unwrap(),
                malformed: v["expect"] == "malformed",
            }
        };
        file["vectors"].as_array().unwrap().iter().map(read).collect()
    }

    fn verify(&self, parts: &Parts, body: &[u8], cache: &KeyCache) -> Result<Verified, AuthError> {
        let presented = sigv4::parse(parts)?.ok_or(AuthError::MissingAuthenticationToken)?;
        let names = [self.service.as_str()];
        let mut rules = Rules::for_service(&names);
        if self.s3 {
            rules.path_form = PathForm::Literal;
            rules.unsigned_payload = true;
        }
        sigv4::verify(&presented, parts, body, &self.secret, self.at, cache, &rules)
    }
}

#[test]
fn tm_a03_requests_of_an_independent_signer_verify() {
    let vectors = Vector::load();
    assert!(vectors.len() >= 190);
    run(&vectors);
}

#[test]
#[ignore = "needs a file made by corpus/wire/sigv4/make.py --random 100000 FILE"]
fn tm_a03_random_requests_of_an_independent_signer() {
    let path = std::env::var_os("BAILIWICK_SIGV4_VECTORS").unwrap();
    let vectors = Vector::read(&std::fs::read_to_string(path).unwrap());
    assert!(!vectors.is_empty());
    run(&vectors);
}

fn run(vectors: &[Vector]) {
    let cache = KeyCache::new();
    for vector in vectors {
        let presented = sigv4::parse(&vector.parts).unwrap().unwrap();
        assert_eq!(presented.access_key_id(), vector.key_id, "{}", vector.name);
        assert_eq!(presented.scope().region(), vector.region, "{}", vector.name);
        assert_eq!(presented.session_token(), vector.token.as_deref(), "{}", vector.name);
        assert_eq!(presented.signed_at(), vector.at, "{}", vector.name);
        assert_eq!(presented.expires(), vector.expires, "{}", vector.name);
        assert_eq!(presented.form() == Form::Query, vector.expires.is_some(), "{}", vector.name);
        let result = vector.verify(&vector.parts, &vector.body, &cache);
        let good = if vector.malformed {
            matches!(result, Err(AuthError::MalformedUri(..)))
        } else {
            result.is_ok()
        };
        assert!(good, "{}: {result:?}", vector.name);
    }
}

/// Turns one bit of every octet of the target, of every covered header and of the body.
#[test]
fn tm_a01_tm_a04_no_changed_octet_is_accepted() {
    let cache = KeyCache::new();
    for vector in Vector::load() {
        let presented = sigv4::parse(&vector.parts).unwrap().unwrap();
        let refused = |parts: &Parts, body: &[u8], what: &str| {
            // The key id is no part of what is signed: it says whose secret to check with, and another one
            // brings another secret.
            let another = sigv4::parse(parts).is_ok_and(|found| {
                found.is_some_and(|found| found.access_key_id() != vector.key_id)
            });
            let result = vector.verify(parts, body, &cache);
            assert!(another || result.is_err(), "{} {what}", vector.name);
        };
        let target = vector.parts.uri.to_string();
        for at in 0..target.len() {
            let mut changed = target.clone().into_bytes();
            changed[at] ^= 1;
            let Ok(uri) = http::Uri::try_from(changed.as_slice()) else { continue };
            if uri == vector.parts.uri
                || uri.authority().is_some()
                || same_meaning(&uri, &vector.parts.uri)
            {
                continue;
            }
            let mut parts = vector.parts.clone();
            parts.uri = uri;
            refused(&parts, &vector.body, &format!("target octet {at}"));
        }
        for name in presented.signed_headers().chain(["authorization"]) {
            let Some(value) = vector.parts.headers.get(name) else { continue };
            let value = value.as_bytes().to_vec();
            for at in 0..value.len() {
                let mut changed = value.clone();
                changed[at] ^= 1;
                let Ok(changed) = HeaderValue::from_bytes(&changed) else { continue };
                let mut parts = vector.parts.clone();
                parts.headers.insert(HeaderName::from_str(name).unwrap(), changed);
                refused(&parts, &vector.body, &format!("{name} octet {at}"));
            }
        }
        if !(vector.s3 && presented.form() == Form::Query) {
            for at in 0..vector.body.len().min(64) {
                let mut body = vector.body.clone();
                body[at] ^= 1;
                refused(&vector.parts, &body, &format!("body octet {at}"));
            }
        }
    }
}

/// Hex digits of an escape in the query string may change case (`%2F`, `%2f`): a bit turned there is another
/// spelling of one text, which router and verifier both read alike. The path has no such freedom.
fn same_meaning(a: &http::Uri, b: &http::Uri) -> bool {
    let pairs = |uri: &http::Uri| {
        sigv4::query_pairs(uri.query().unwrap_or_default()).ok().map(|pairs| {
            pairs
                .into_iter()
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect::<Vec<_>>()
        })
    };
    a.path() == b.path() && pairs(a).is_some() && pairs(a) == pairs(b)
}

/// What our own signer makes of the same requests, verifies too, and is the very signature where both cover
/// the same headers.
#[test]
fn our_signer_and_the_independent_one_agree() {
    let cache = KeyCache::new();
    let mut equal = 0;
    for vector in Vector::load().into_iter().filter(|v| v.expires.is_none()) {
        let mut parts = vector.parts.clone();
        let signer = Signer {
            access_key_id: &vector.key_id,
            secret: &vector.secret,
            session_token: vector.token.as_deref(),
            region: &vector.region,
            service: &vector.service,
            path_form: if vector.s3 { PathForm::Literal } else { PathForm::Normalized },
        };
        sigv4::sign(&signer, &mut parts, &vector.body, vector.at).unwrap();
        equal +=
            usize::from(parts.headers["authorization"] == vector.parts.headers["authorization"]);
        let late = vector.at + SignedDuration::from_secs(300);
        let presented = sigv4::parse(&parts).unwrap().unwrap();
        let names = [vector.service.as_str()];
        let mut rules = Rules::for_service(&names);
        rules.path_form = signer.path_form;
        let result =
            sigv4::verify(&presented, &parts, &vector.body, &vector.secret, late, &cache, &rules);
        assert_eq!(result.is_ok(), !vector.malformed, "{}: {result:?}", vector.name);
    }
    assert!(equal > 100, "{equal}");
}
