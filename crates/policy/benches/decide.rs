//! What a decision costs: one statement, a thousand literal ones (W1), and a thousand with globs
//! and variables (W2). Request building, context included, is part of each.

use std::hint::black_box;

use bailiwick_policy::{
    Applicable, Attached, Context, Decision, Document, DocumentKind, Principal, Request, Source,
    SourceKind, decide, explain,
};

fn main() {
    divan::main();
}

struct World {
    source: Source,
    document: Document,
    principal: Principal,
}

impl World {
    fn new(statements: usize, statement: impl Fn(usize) -> String) -> Self {
        let list: Vec<String> = (0..statements).map(statement).collect();
        let text = format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{}]}}", list.join(","));
        let document = match Document::parse(&text, DocumentKind::Identity) {
            Ok(document) => document,
            Err(error) => {
                // A bench that measures a refused policy measures nothing.
                std::process::exit(i32::try_from(error.line).unwrap_or(1));
            }
        };
        let account = bailiwick_identifiers::AccountId::from_random(7);
        Self {
            source: Source::new("bench", SourceKind::UserInline),
            document,
            principal: Principal::User {
                arn: format!("arn:aws:iam::{account}:user/alice").into(),
                id: bailiwick_identifiers::UniqueId::from_random(
                    bailiwick_identifiers::IdKind::User,
                    [7; 11],
                ),
                account,
                name: "alice".into(),
            },
        }
    }

    fn context(&self) -> Context {
        let mut context = Context::with_capacity(12);
        context.put_principal(&self.principal);
        context.put("aws:SourceIp", "203.0.113.9");
        context.put("aws:SecureTransport", "true");
        context.put("aws:CurrentTime", "2026-11-22T01:00:00Z");
        context.put("aws:EpochTime", "1795309200");
        context.put("aws:RequestedRegion", "us-east-1");
        context
    }

    fn decide(&self, action: &str, resource: &str, context: &Context) -> Decision {
        let request = Request {
            principal: &self.principal,
            action,
            resource,
            resource_account: None,
            context,
            delegated: false,
        };
        let attached = Attached { source: &self.source, document: &self.document };
        decide(&request, &Applicable::identity([attached]))
    }
}

fn one() -> World {
    World::new(1, |_| {
        r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}"#.to_owned()
    })
}

fn w1() -> World {
    World::new(1_000, |n| {
        format!(
            r#"{{"Effect":"Allow","Action":"svc{}:Action{n}","Resource":"arn:aws:svc:::thing/{n}"}}"#,
            n % 20
        )
    })
}

fn w2() -> World {
    World::new(1_000, |n| {
        format!(
            r#"{{"Effect":"Allow","Action":"svc{}:Get*","Resource":"arn:aws:svc{}:*:*:home{n}/${{aws:username}}/*"}}"#,
            n % 20,
            n % 20
        )
    })
}

#[divan::bench(sample_count = 200, sample_size = 100)]
fn one_statement_with_context(bencher: divan::Bencher<'_, '_>) {
    let world = one();
    bencher.bench_local(|| {
        let context = world.context();
        world.decide(black_box("s3:GetObject"), black_box("arn:aws:s3:::bucket/key"), &context)
    });
}

#[divan::bench(sample_count = 200, sample_size = 100)]
fn one_statement(bencher: divan::Bencher<'_, '_>) {
    let world = one();
    let context = world.context();
    bencher.bench_local(|| {
        world.decide(black_box("s3:GetObject"), black_box("arn:aws:s3:::bucket/key"), &context)
    });
}

#[divan::bench(sample_count = 200, sample_size = 100)]
fn context_alone(bencher: divan::Bencher<'_, '_>) {
    let world = one();
    bencher.bench_local(|| world.context());
}

#[divan::bench(sample_count = 200, sample_size = 100)]
fn w1_literal_with_context(bencher: divan::Bencher<'_, '_>) {
    let world = w1();
    bencher.bench_local(|| {
        let context = world.context();
        world.decide(black_box("svc19:Action999"), black_box("arn:aws:svc:::thing/999"), &context)
    });
}

#[divan::bench(sample_count = 200, sample_size = 100)]
fn w2_globs_and_variables_with_context(bencher: divan::Bencher<'_, '_>) {
    let world = w2();
    bencher.bench_local(|| {
        let context = world.context();
        world.decide(
            black_box("svc19:GetThing"),
            black_box("arn:aws:svc19:eu-west-1:123456789012:home999/alice/x"),
            &context,
        )
    });
}

#[divan::bench]
fn w2_explained(bencher: divan::Bencher<'_, '_>) {
    let world = w2();
    let context = world.context();
    let request = Request {
        principal: &world.principal,
        action: "svc19:GetThing",
        resource: "arn:aws:svc19:eu-west-1:123456789012:home999/alice/x",
        resource_account: None,
        context: &context,
        delegated: false,
    };
    let attached = Attached { source: &world.source, document: &world.document };
    let applicable = Applicable::identity([attached]);
    bencher.bench_local(|| explain(black_box(&request), &applicable));
}

#[divan::bench]
fn parse_w1(bencher: divan::Bencher<'_, '_>) {
    let text = w1().document.source().to_owned();
    bencher.bench_local(|| Document::parse(black_box(&text), DocumentKind::Identity));
}
