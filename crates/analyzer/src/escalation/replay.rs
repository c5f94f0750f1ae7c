//! A way decided once more, request by request, from nothing but the estate and the report.

use bailiwick_identifiers::Arn;
use bailiwick_policy::{Context, Decision, Principal, Request, decide, is_delegated};

use super::change::subject;
use super::judge::{Ask, Judge, as_service, put, to_service, written};
use super::report::{Step, Way};
use crate::estate::Estate;

/// A request of a way and what the engine decides on it.
#[derive(Clone, Debug)]
pub struct Replayed<'w> {
    /// The step, from 0.
    pub step: usize,
    /// The request.
    pub ask: &'w Ask,
    /// The decision; nothing if the estate has not who asks, or what is asked about.
    pub decision: Option<Decision>,
}

/// Decides every request of a way. All of a true finding are allowed.
pub fn replay<'w>(estate: &Estate, way: &'w Way) -> Vec<Replayed<'w>> {
    let judge = Judge::new(estate, None);
    let mut all = Vec::new();
    for (step, found) in way.steps.iter().enumerate() {
        for ask in &found.asks {
            let decision = if ask.caller.starts_with("arn:") {
                by_principal(&judge, found, ask)
            } else {
                by_service(estate, ask)
            };
            all.push(Replayed { step, ask, decision });
        }
    }
    all
}

fn by_principal(judge: &Judge<'_>, step: &Step, ask: &Ask) -> Option<Decision> {
    let estate = judge.estate;
    let subject = subject(estate, &step.at)?;
    let mut context = judge.caller(&subject);
    let keys = ask.context.iter().map(|(key, values)| (key.clone(), values.clone())).collect();
    put(&mut context, &keys);
    let written = ask.trust.as_deref().map(written).transpose().ok()?;
    let mut applicable = estate.applicable(&subject, &ask.action, &ask.resource);
    if let Some(written) = &written {
        applicable.resource = Some(written.attached());
    }
    Some(decide(&request(&subject.principal, ask, &context, estate), &applicable))
}

fn by_service(estate: &Estate, ask: &Ask) -> Option<Decision> {
    let arn: Arn = ask.resource.parse().ok()?;
    let role = estate.account.role_with_arn(&arn)?;
    let document = role.trust.document().ok()?;
    let applicable = to_service(estate, document);
    let principal = as_service(ask);
    let mut context = Context::new();
    let keys = ask.context.iter().map(|(key, values)| (key.clone(), values.clone())).collect();
    put(&mut context, &keys);
    Some(decide(&request(&principal, ask, &context, estate), &applicable))
}

fn request<'r>(
    principal: &'r Principal,
    ask: &'r Ask,
    context: &'r Context,
    estate: &Estate,
) -> Request<'r> {
    Request {
        principal,
        action: &ask.action,
        resource: &ask.resource,
        resource_account: estate.owner(&ask.resource),
        context,
        delegated: is_delegated(&ask.action, &ask.resource),
    }
}
