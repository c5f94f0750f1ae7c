//! What the simulator is given: any line.
//!
//! It is read as a case of a batch, and as the input of a simulation over that case: members
//! `simulate.actions`, `.resources`, and `.context`, a list of `{name, type, values}`. There is an
//! answer or an error, never a panic; answers are lines of JSON; and the simulator, which is asked
//! about what the case asks, says what is decided.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use bailiwick_catalog::Catalog;
use bailiwick_policy::simulate::{
    ContextEntry, Simulation, authorization_message, policy_fits, require_action, require_resource,
};
use bailiwick_policy::{Case, CaseError, Documents};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::evaluate::consistent;

static CATALOG: LazyLock<&'static Catalog> = LazyLock::new(Catalog::embedded);

/// Checks a line.
pub fn check(data: &[u8]) {
    let Ok(line) = std::str::from_utf8(data) else { return };
    let simulate = serde_json::from_str::<Value>(line)
        .ok()
        .and_then(|mut line| line.get_mut("simulate").map(Value::take))
        .unwrap_or_default();
    entries(&simulate);
    match Case::parse(line, &mut Documents::with_capacity(1 << 16)) {
        Err(error) => refused(line, &error),
        Ok(case) => {
            answered(&case);
            simulated(&case, &simulate);
        }
    }
}

fn refused(line: &str, error: &CaseError) {
    let written = serde_json::to_string(error);
    let written = written.unwrap_or_else(|error| panic!("{error}"));
    assert!(!written.contains('\n'));
    assert!(member(&written, "error").is_some_and(|error| error.starts_with('"')), "{written}");
    assert!(error.line >= 1 && error.column >= 1, "{error:?}");
    assert!(error.line <= line.split('\n').count(), "{error:?}");
}

/// A member of an object, as its text: ids may be numbers beyond all that programs compute with.
fn member(written: &str, name: &str) -> Option<String> {
    let read: BTreeMap<String, Box<RawValue>> = serde_json::from_str(written).ok()?;
    read.get(name).map(|value| value.get().to_owned())
}

fn answered(case: &Case) {
    let decision = consistent(case);
    let answer = case.decide();
    assert!(case.refusal().is_some() || answer.decision == decision.verdict.as_str());
    let written = serde_json::to_string(&answer);
    let written = written.unwrap_or_else(|error| panic!("{error}"));
    assert!(!written.contains('\n') || answer.id().is_some_and(|id| id.contains('\n')));
    let decided = member(&written, "decision");
    assert_eq!(decided, Some(format!("\"{}\"", answer.decision)), "{written}");
    let explanation = case.explain();
    assert!(!explanation.to_string().is_empty());
    let (applicable, request) = (case.applicable(), case.request());
    let message = authorization_message(&explanation, &applicable, request.context);
    assert_eq!(message.allowed, decision.is_allowed());
    assert!(serde_json::to_string(&message).is_ok());
    assert!(serde_json::to_string(&explanation).is_ok());
    for policy in applicable.policies() {
        let _ = policy_fits(policy.document, request.resource);
    }
}

fn simulated(case: &Case, simulate: &Value) {
    let request = case.request();
    let list = |name: &str, own: &str| {
        let mut list = texts(simulate.get(name));
        list.push(own.to_owned());
        list.truncate(8);
        list
    };
    let (actions, resources) =
        (list("actions", request.action), list("resources", request.resource));
    for action in &actions {
        let _ = require_action(&CATALOG, action);
    }
    for resource in &resources {
        let _ = require_resource(resource);
    }
    for caller in [Some(request.principal), None] {
        let simulation = Simulation {
            catalog: &CATALOG,
            caller,
            policies: case.applicable(),
            in_organization: !case.applicable().scps.is_empty(),
            resource_owner: request.resource_account,
            actions: &actions,
            resources: &resources,
            context: request.context,
        };
        let Ok(results) = simulation.run() else { continue };
        assert_eq!(results.len(), actions.len());
        for result in &results {
            assert!(serde_json::to_string(result).is_ok());
            let worst = result.resource_specific_results.iter().map(|part| {
                assert!(resources.contains(&part.eval_resource_name));
                part.eval_resource_decision
            });
            let rank = |verdict| match verdict {
                bailiwick_policy::Verdict::Allow => 0,
                bailiwick_policy::Verdict::ImplicitDeny => 1,
                bailiwick_policy::Verdict::ExplicitDeny => 2,
            };
            if let Some(worst) = worst.max_by_key(|verdict| rank(*verdict)) {
                assert_eq!(result.eval_decision, worst, "an action is as its worst resource");
            }
        }
    }
}

fn texts(list: Option<&Value>) -> Vec<String> {
    let items = list.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(|item| item.as_str().map(ToOwned::to_owned)).collect()
}

/// Context keys as the simulator takes them: what is taken can be asked.
fn entries(simulate: &Value) {
    let entries = simulate.get("context").and_then(Value::as_array).into_iter().flatten();
    let mut context = bailiwick_policy::Context::new();
    for entry in entries.take(16) {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
        let values = texts(entry.get("values"));
        let count = values.len();
        if let Ok(taken) = ContextEntry::new(text("name"), text("type"), values) {
            taken.put(&mut context);
            assert_eq!(context.values(text("name")).count(), count);
            assert_eq!(context.contains(text("name")), count > 0);
        }
    }
}
