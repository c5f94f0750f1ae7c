//! Ours: one engine a principal; the context is filled anew for each decision, in the room that the
//! last one left.

use std::hint::black_box;

use anyhow::Context as _;
use bailiwick_identifiers::{AccountId, UniqueId};
use bailiwick_policy::{
    Context, Document, DocumentKind, KeyName, Principal, Request, Source, SourceKind, keys,
};

use super::{Engine, Loaded};
use crate::measure::thread_time;
use crate::workload::{ACCOUNT, Call, KEYS, Shape, Verdict, attachments, documents, user};

/// The keys of a call, in its order: those that a host knows when it is built, and a tag's.
const NAMES: [KeyName<'static>; KEYS.len()] = [
    KeyName::Known(keys::PRINCIPAL_ARN),
    KeyName::Known(keys::PRINCIPAL_ACCOUNT),
    KeyName::Known(keys::PRINCIPAL_TYPE),
    KeyName::Known(keys::USER_ID),
    KeyName::Known(keys::USERNAME),
    KeyName::Known(keys::PRINCIPAL_ORG_ID),
    KeyName::Text("aws:PrincipalTag/dept"),
    KeyName::Known(keys::SOURCE_IP),
    KeyName::Known(keys::SECURE_TRANSPORT),
    KeyName::Known(keys::MFA_PRESENT),
    KeyName::Known(keys::CURRENT_TIME),
    KeyName::Known(keys::REQUESTED_REGION),
];

#[derive(Default)]
pub struct Bailiwick {
    /// The caller as authentication finds it, and the engine with its policies.
    held: Vec<(Principal, bailiwick_policy::Engine)>,
    context: Context,
}

impl Engine for Bailiwick {
    fn name(&self) -> &'static str {
        "bailiwick"
    }

    fn load(&mut self, shape: &Shape) -> anyhow::Result<Loaded> {
        let mut policies = Vec::new();
        for (place, text) in documents(shape).iter().enumerate() {
            let document = Document::parse(text, DocumentKind::Identity)?;
            policies
                .push((Source::new(format!("policy-{place}"), SourceKind::UserInline), document));
        }
        let account: AccountId = ACCOUNT.parse()?;
        let id: UniqueId = "AIDAQRSTUVWXYZ2345677".parse()?;
        self.held.clear();
        for (place, list) in attachments(shape).iter().enumerate() {
            let name = user(place);
            let principal = Principal::User {
                arn: format!("arn:aws:iam::{ACCOUNT}:user/{name}").into(),
                id,
                account,
                name: name.into(),
            };
            let mut engine = bailiwick_policy::Engine::builder();
            for (source, document) in list.iter().filter_map(|at| policies.get(*at)) {
                engine = engine.identity_from(source.clone(), document.clone());
            }
            self.held.push((principal, engine.build()));
        }
        Ok(Loaded::Ready)
    }

    fn decide(&mut self, call: &Call) -> anyhow::Result<Verdict> {
        let (principal, engine) = self.held.get(call.principal).context("no such principal")?;
        fill(&mut self.context, call);
        let decision = engine.decide(&Request {
            principal,
            action: &call.action,
            resource: &call.resource,
            resource_account: principal.account(),
            context: &self.context,
            delegated: call.delegated,
        });
        Ok(match decision.verdict {
            bailiwick_policy::Verdict::Allow => Verdict::Allowed,
            bailiwick_policy::Verdict::ExplicitDeny => Verdict::ExplicitDeny,
            bailiwick_policy::Verdict::ImplicitDeny => Verdict::ImplicitDeny,
        })
    }
}

fn fill(context: &mut Context, call: &Call) {
    context.clear();
    for (key, value) in NAMES.into_iter().zip(&call.values) {
        context.put(key, value);
    }
}

/// What filling the context takes of a decision: the least of some rounds, in nanoseconds.
pub fn context_alone(call: &Call) -> f64 {
    const TIMES: u32 = 10_000;
    let mut context = Context::new();
    let rounds = (0..15).map(|_| {
        let began = thread_time();
        for _ in 0..TIMES {
            fill(&mut context, black_box(call));
            black_box(&context);
        }
        thread_time().saturating_sub(began).as_secs_f64() * 1e9 / f64::from(TIMES)
    });
    rounds.fold(f64::INFINITY, f64::min)
}
