//! What a decision costs, request building included, and that it allocates nothing: W1 (literal
//! buckets) and W2 (globs and variables) over so many policies, hit and miss; explaining; parsing.

use std::hint::black_box;

use bailiwick_identifiers::{AccountId, IdKind, UniqueId};
use bailiwick_policy::{
    Context, ContextKey, Decision, Document, DocumentKind, Engine, Principal, Request, keys,
};

#[global_allocator]
static ALLOCATOR: divan::AllocProfiler = divan::AllocProfiler::system();

const DEPARTMENT: &ContextKey = &ContextKey::new("aws:principaltag/dept");
const SIZES: [usize; 5] = [1, 10, 100, 1_000, 10_000];

fn main() {
    divan::main();
}

/// Policies that allow and deny, policy by policy, as the workloads have them.
fn engine(policies: usize, statement: impl Fn(usize) -> String) -> Engine {
    let texts = (0..policies)
        .map(|at| format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statement(at)));
    let documents = texts.map(|text| match Document::parse(&text, DocumentKind::Identity) {
        Ok(document) => document,
        // A bench that measures a refused policy measures nothing.
        Err(_) => std::process::exit(1),
    });
    documents
        .fold(Engine::builder(), |builder, document| builder.identity("bench", document))
        .build()
}

fn w1(policies: usize) -> Engine {
    engine(policies, |at| {
        let allow = format!(
            r#"{{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::bucket-{at}/*","Condition":{{"StringEquals":{{"aws:PrincipalOrgID":"o-exampleorgid"}},"IpAddress":{{"aws:SourceIp":"10.0.0.0/8"}}}}}}"#
        );
        if at % 10 != 9 {
            return allow;
        }
        let deny = format!(
            r#"{{"Effect":"Deny","Action":["s3:DeleteObject","s3:DeleteBucket"],"Resource":"arn:aws:s3:::bucket-{at}/*","Condition":{{"Bool":{{"aws:MultiFactorAuthPresent":"false"}}}}}}"#
        );
        allow + "," + &deny
    })
}

fn w2(policies: usize) -> Engine {
    engine(policies, |at| {
        let allow = format!(
            r#"{{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::*/team-{at}/${{aws:username}}/*","Condition":{{"StringLike":{{"aws:PrincipalTag/dept":["eng-*","ops-*"]}}}}}}"#
        );
        if at % 10 != 9 {
            return allow;
        }
        let deny = format!(
            r#"{{"Effect":"Deny","NotAction":["s3:Get*","s3:List*","s3:PutObject"],"Resource":"arn:aws:s3:::*/team-{at}/*"}}"#
        );
        allow + "," + &deny
    })
}

fn alice() -> Principal {
    let account = AccountId::from_random(7);
    Principal::User {
        arn: format!("arn:aws:iam::{account}:user/alice").into(),
        id: UniqueId::from_random(IdKind::User, [7; 11]),
        account,
        name: "alice".into(),
    }
}

/// Twelve keys.
fn fill(context: &mut Context, principal: &Principal) {
    context.clear();
    context.put_principal(principal);
    context.put(keys::PRINCIPAL_ORG_ID, "o-exampleorgid");
    context.put(DEPARTMENT, "eng-platform");
    context.put(keys::SOURCE_IP, "10.1.2.3");
    context.put(keys::SECURE_TRANSPORT, "true");
    context.put(keys::CURRENT_TIME, "2026-11-22T01:00:00Z");
    context.put(keys::REQUESTED_REGION, "us-east-1");
}

fn ask(engine: &Engine, principal: &Principal, context: &mut Context, resource: &str) -> Decision {
    fill(context, principal);
    engine.decide(&Request {
        principal,
        action: black_box("s3:GetObject"),
        resource: black_box(resource),
        resource_account: principal.account(),
        context,
        delegated: false,
    })
}

fn run(bencher: divan::Bencher<'_, '_>, engine: &Engine, resource: &str, allowed: bool) {
    let (principal, mut context) = (alice(), Context::with_capacity(16));
    let answer = ask(engine, &principal, &mut context, resource);
    if answer.is_allowed() != allowed {
        std::process::exit(2);
    }
    bencher.bench_local(|| ask(engine, &principal, &mut context, resource));
}

#[divan::bench(args = SIZES, sample_count = 200, sample_size = 200)]
fn w1_hit(bencher: divan::Bencher<'_, '_>, policies: usize) {
    let resource = format!("arn:aws:s3:::bucket-{}/reports/2026/q3.csv", policies / 2);
    run(bencher, &w1(policies), &resource, true);
}

#[divan::bench(args = SIZES, sample_count = 200, sample_size = 200)]
fn w1_miss(bencher: divan::Bencher<'_, '_>, policies: usize) {
    run(bencher, &w1(policies), "arn:aws:s3:::other/reports/2026/q3.csv", false);
}

#[divan::bench(args = SIZES, sample_count = 200, sample_size = 200)]
fn w2_hit(bencher: divan::Bencher<'_, '_>, policies: usize) {
    let resource = format!("arn:aws:s3:::data/team-{}/alice/q3.csv", policies / 2);
    run(bencher, &w2(policies), &resource, true);
}

#[divan::bench(args = SIZES, sample_count = 200, sample_size = 200)]
fn w2_miss(bencher: divan::Bencher<'_, '_>, policies: usize) {
    run(bencher, &w2(policies), "arn:aws:s3:::data/other/alice/q3.csv", false);
}

#[divan::bench(sample_count = 200, sample_size = 200)]
fn context_alone(bencher: divan::Bencher<'_, '_>) {
    let (principal, mut context) = (alice(), Context::with_capacity(16));
    bencher.bench_local(|| fill(black_box(&mut context), &principal));
}

#[divan::bench]
fn w2_explained(bencher: divan::Bencher<'_, '_>) {
    let (engine, principal, mut context) = (w2(1_000), alice(), Context::new());
    fill(&mut context, &principal);
    let request = Request {
        principal: &principal,
        action: "s3:GetObject",
        resource: "arn:aws:s3:::data/team-500/alice/q3.csv",
        resource_account: None,
        context: &context,
        delegated: false,
    };
    bencher.bench_local(|| engine.explain(black_box(&request)));
}

#[divan::bench]
fn compile_w1(bencher: divan::Bencher<'_, '_>) {
    bencher.bench_local(|| w1(black_box(1_000)));
}
