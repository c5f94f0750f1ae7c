//! How long the query protocol takes: a CreateUser request in, a GetUser answer out.
#![allow(missing_docs, clippy::expect_used, reason = "a bench")]
use bailiwick_wire::generated::iam as api;
use bailiwick_wire::{Api as _, Shape as _, query, validate};

fn main() {
    divan::main();
}

const BODY: &[u8] = b"Action=CreateUser&Version=2010-05-08&UserName=svc%2Bci%40example.com&Path=%2Fteam%2F\
    &Tags.member.1.Key=cost-centre&Tags.member.1.Value=42&Tags.member.2.Key=owner&Tags.member.2.Value=Zo%C3%AB";

#[divan::bench]
fn decode_create_user(bencher: divan::Bencher<'_, '_>) {
    bencher.bench(|| {
        let form = query::Form::parse(divan::black_box(BODY)).ok()?;
        let value = query::decode(&form, api::CreateUserRequest::SCHEMA).ok()?;
        api::CreateUserRequest::from_value(value).ok()
    });
}

#[divan::bench]
fn validate_create_user(bencher: divan::Bencher<'_, '_>) {
    let form = query::Form::parse(BODY).expect("a good form");
    let value = query::decode(&form, api::CreateUserRequest::SCHEMA).expect("a good request");
    bencher.bench(|| validate::check(api::CreateUser::OPERATION, divan::black_box(&value)));
}

#[divan::bench]
fn encode_get_user(bencher: divan::Bencher<'_, '_>) {
    let user = api::User {
        path: "/team/".into(),
        user_name: "svc+ci@example.com".into(),
        user_id: "AIDAQWERTYUIOPASDFGHJ".into(),
        arn: "arn:aws:iam::123456789012:user/team/svc+ci@example.com".into(),
        ..api::User::default()
    };
    let response = api::GetUserResponse { user };
    bencher.bench(|| {
        let value = divan::black_box(&response).clone().into_value();
        query::encode_response(
            api::GetUser::OPERATION,
            &value,
            "2c2ff4a1-93c9-4dd1-9d4c-6c3a3d5a1a11",
        )
    });
}
