//! Whole signed calls in process, without sockets and disk: what the pipeline itself costs.
//!
//! `cargo bench -p bailiwick-testkit --bench pipeline`
#![allow(clippy::unwrap_used, reason = "a bench may fail loudly")]

use bailiwick_testkit::{Client, World};
use divan::Bencher;
use http::Request;

fn main() {
    divan::main();
}

fn signed(
    client: &Client,
    service: &str,
    name: &str,
    with: &[(&str, &str)],
) -> Request<bytes::Bytes> {
    client.request(service, name, with)
}

#[divan::bench]
fn get_user(bencher: Bencher<'_, '_>) {
    let world = World::new(1);
    let request = signed(&world.admin, "iam", "GetUser", &[]);
    bencher.bench_local(|| world.admin.exchange(request.clone()));
}

#[divan::bench]
fn assume_role(bencher: Bencher<'_, '_>) {
    let world = World::new(1);
    let account = bailiwick_testkit::HOME;
    let arn = world.role(
        "bench",
        &format!("arn:aws:iam::{account}:root"),
        bailiwick_testkit::Rights::None,
    );
    let parameters = [("RoleArn", arn.as_str()), ("RoleSessionName", "bench")];
    let request = signed(&world.admin, "sts", "AssumeRole", &parameters);
    bencher.bench_local(|| world.admin.exchange(request.clone()));
}

#[divan::bench]
fn denied_list_users(bencher: Bencher<'_, '_>) {
    let world = World::new(1);
    let user = world.user("nobody", bailiwick_testkit::Rights::None);
    let request = signed(&user, "iam", "ListUsers", &[]);
    bencher.bench_local(|| user.exchange(request.clone()));
}
