//! The realistic mix: AWS managed policies over some principals, and actions of the catalog.
//!
//! Everything is drawn from one seed, so that two runs ask the same. What is right is told by the
//! reference evaluator, which shares no code with any engine here.

use bailiwick_catalog::{Action, Catalog, Service};
use serde_json::{Value as Json, json};

use crate::workload::{ACCOUNT, Call, Expected, Shape, Verdict, attachments, documents};

const POLICIES: usize = 100;
const PRINCIPALS: usize = 50;
/// Attached to each principal: AWS's quota for a user.
const ATTACHED: usize = 10;
const CALLS: usize = 1_000;

/// Draws numbers from a seed (splitmix64).
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let place = (mixed ^ (mixed >> 31)) % u64::try_from(limit.max(1)).unwrap_or(1);
        usize::try_from(place).unwrap_or(0)
    }

    fn pick<'a, T>(&mut self, list: &'a [T]) -> anyhow::Result<&'a T> {
        list.get(self.below(list.len())).ok_or_else(|| anyhow::anyhow!("nothing to draw from"))
    }
}

/// The policies, who has them, and the questions with their answers.
pub fn draw(seed: u64) -> anyhow::Result<(Shape, Vec<Expected>)> {
    let catalog = Catalog::embedded();
    let mut draw = Draw(seed);
    let mut managed: Vec<_> = catalog.managed_policies().collect();
    let mut texts = Vec::new();
    while texts.len() < POLICIES {
        let place = draw.below(managed.len());
        texts.push(managed.swap_remove(place).default_document());
    }
    let attached = (0..PRINCIPALS)
        .map(|place| {
            let mut list: Vec<usize> = vec![place * 2, place * 2 + 1];
            while list.len() < ATTACHED {
                let next = draw.below(POLICIES);
                if !list.contains(&next) {
                    list.push(next);
                }
            }
            list
        })
        .collect();
    let shape = Shape::Managed { texts, attached };
    let calls = calls(catalog, &shape, &mut draw)?;
    let expected = answers(&shape, &calls)?;
    Ok((shape, calls.into_iter().zip(expected).collect()))
}

/// Half of the actions come from the whole catalog, half from services that the caller's policies
/// name, so that enough is allowed.
fn calls(catalog: &Catalog, shape: &Shape, draw: &mut Draw) -> anyhow::Result<Vec<Call>> {
    let texts = documents(shape);
    let services: Vec<&Service> = catalog.services().filter(|s| s.actions().len() > 0).collect();
    let named: Vec<Vec<&Service>> = attachments(shape)
        .iter()
        .map(|list| {
            let held = |service: &&&Service| {
                let prefix = format!("\"{}:", service.prefix());
                list.iter().filter_map(|at| texts.get(*at)).any(|text| text.contains(&prefix))
            };
            services.iter().filter(held).copied().collect()
        })
        .collect();
    let mut calls = Vec::new();
    for turn in 0..CALLS {
        let principal = draw.below(PRINCIPALS);
        let own = named.get(principal).filter(|own| turn % 2 == 0 && !own.is_empty());
        let service = *draw.pick(own.unwrap_or(&services))?;
        let actions: Vec<&Action> = service.actions().collect();
        let action = *draw.pick(&actions)?;
        let name = format!("{}:{}", service.prefix(), action.name);
        calls.push(Call::new(principal, &name, &resource(service, action)));
    }
    Ok(calls)
}

/// A resource of the action's first type, or `*`.
fn resource(service: &Service, action: &Action) -> String {
    let pattern = action.resource_types.first().and_then(|kind| service.resource_type(&kind.name));
    let Some(pattern) = pattern else { return "*".to_owned() };
    let mut text = String::new();
    let mut rest = &*pattern.arn_pattern;
    while let Some((before, after)) = rest.split_once("${") {
        let (variable, after) = after.split_once('}').unwrap_or((after, ""));
        text.push_str(before);
        text.push_str(match variable {
            "Partition" => "aws",
            "Region" => "eu-west-1",
            "Account" => ACCOUNT,
            _ => "sample",
        });
        rest = after;
    }
    text.push_str(rest);
    // Some patterns leave wildcards in; a request names one thing.
    text.replace('*', "sample")
}

/// What the reference evaluator says.
fn answers(shape: &Shape, calls: &[Call]) -> anyhow::Result<Vec<Verdict>> {
    let texts = documents(shape);
    let attached = attachments(shape);
    calls.iter().map(|call| answer(call, &texts, &attached)).collect()
}

/// What the reference evaluator says to one call.
pub fn answer(call: &Call, texts: &[String], attached: &[Vec<usize>]) -> anyhow::Result<Verdict> {
    let list = attached.get(call.principal).map(Vec::as_slice).unwrap_or_default();
    let policies: Vec<&String> = list.iter().filter_map(|at| texts.get(*at)).collect();
    let context: serde_json::Map<String, Json> =
        call.context().map(|(key, value)| (key.to_owned(), json!(value))).collect();
    let case = json!({
        "id": "bench",
        "request": {
            "principal": call.arn,
            "action": call.action,
            "resource": call.resource,
            "resourceAccount": ACCOUNT,
            "context": context,
        },
        "identityPolicies": policies,
    });
    let outcome = bailiwick_reference::evaluate::evaluate(&case);
    let outcome = outcome.map_err(|error| anyhow::anyhow!("{error}"))?;
    match outcome.decision {
        "allowed" => Ok(Verdict::Allowed),
        "explicitDeny" => Ok(Verdict::ExplicitDeny),
        "implicitDeny" => Ok(Verdict::ImplicitDeny),
        other => anyhow::bail!("the reference answers `{other}`"),
    }
}
