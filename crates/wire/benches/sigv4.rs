//! What a signature costs: reading it, checking it with and without a kept signing key, making it.
#![allow(clippy::unwrap_used, missing_docs, reason = "bench code")]

use bailiwick_wire::sigv4::{self, KeyCache, PathForm, Rules, SecretKey, Signer};
use divan::Bencher;
use http::Request;
use http::request::Parts;
use jiff::Timestamp;

const BODY: &[u8] = b"Action=GetUser&Version=2010-05-08&UserName=somebody.with.a.name";

fn main() {
    divan::main();
}

fn now() -> Timestamp {
    "2026-06-15T12:00:00Z".parse().unwrap()
}

fn secret() -> SecretKey {
    SecretKey::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY").unwrap()
}

fn signer(secret: &SecretKey) -> Signer<'_> {
    Signer {
        access_key_id: "AKIAIOSFODNN7EXAMPLE",
        secret,
        session_token: None,
        region: "eu-west-1",
        service: "iam",
        path_form: PathForm::Normalized,
    }
}

/// As an SDK sends it.
fn request() -> Parts {
    let mut parts = Request::builder()
        .method("POST")
        .uri("/")
        .header("host", "127.0.0.1:4680")
        .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
        .header("user-agent", "Boto3/1.43.11 md/Botocore#1.43.11 ua/2.1 os/linux lang/python#3.11")
        .header("amz-sdk-invocation-id", "6f1c2f6e-0d3c-4f0e-9a53-5d8a7d3e3a11")
        .header("amz-sdk-request", "attempt=1")
        .header("content-length", "63")
        .header("accept-encoding", "identity")
        .body(())
        .unwrap()
        .into_parts()
        .0;
    sigv4::sign(&signer(&secret()), &mut parts, BODY, now()).unwrap();
    parts
}

fn verify_with(bencher: Bencher<'_, '_>, parts: &Parts, body: &[u8], keep: bool) {
    let (secret, cache, rules) = (secret(), KeyCache::new(), Rules::for_service(&["iam"]));
    bencher.bench(|| {
        if !keep {
            cache.clear();
        }
        let presented = sigv4::parse(parts).unwrap().unwrap();
        sigv4::verify(&presented, parts, body, &secret, now(), &cache, &rules).unwrap()
    });
}

#[divan::bench]
fn parse(bencher: Bencher<'_, '_>) {
    let parts = request();
    bencher.bench(|| sigv4::parse(&parts).unwrap());
}

#[divan::bench]
fn parse_and_verify(bencher: Bencher<'_, '_>) {
    verify_with(bencher, &request(), BODY, true);
}

#[divan::bench]
fn parse_and_verify_first_of_the_day(bencher: Bencher<'_, '_>) {
    verify_with(bencher, &request(), BODY, false);
}

#[divan::bench]
fn parse_and_verify_presigned(bencher: Bencher<'_, '_>) {
    let mut parts = Request::builder()
        .uri("/?Action=GetCallerIdentity&Version=2011-06-15")
        .header("host", "127.0.0.1:4680")
        .body(())
        .unwrap()
        .into_parts()
        .0;
    sigv4::presign(&signer(&secret()), &mut parts, b"", 60, now()).unwrap();
    verify_with(bencher, &parts, b"", true);
}

#[divan::bench]
fn sign(bencher: Bencher<'_, '_>) {
    let (parts, secret) = (request(), secret());
    bencher
        .with_inputs(|| parts.clone())
        .bench_values(|mut parts| sigv4::sign(&signer(&secret), &mut parts, BODY, now()).unwrap());
}
