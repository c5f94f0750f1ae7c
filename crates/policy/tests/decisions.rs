//! Runs the decision vectors in `corpus/decisions`: policies, request, verdict and reason. The
//! form is documented in `corpus/README.md`.
//!
//! Every vector is decided, also with its policies compiled, explained and recorded, and all must
//! agree; each rule of
//! `corpus/rules.txt` must have one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use bailiwick_catalog::Catalog;
use bailiwick_policy::simulate::{Simulation, policy_fits, require_action};
use bailiwick_policy::{
    Applicable, Attached, Case, Decision, Document, DocumentKind, Documents, Explanation,
    RECORDED_WHOLE, Request, Source, SourceKind, decide, is_delegated, record,
};
use serde_json::{Value, json};

#[path = "../examples/differential/compiled.rs"]
mod compiled;
use compiled::decide_compiled;

#[test]
fn every_vector_is_decided_as_expected() {
    let mut failures = Vec::new();
    let mut ids = BTreeMap::new();
    let mut documents = Documents::default();
    let mut count = 0;
    for (file, line, vector) in vectors() {
        count += 1;
        let id = vector["id"].as_str().expect("a vector has an id").to_owned();
        assert!(ids.insert(id.clone(), file.clone()).is_none(), "two vectors named {id}");
        assert!(vector["rules"].as_array().is_some_and(|r| !r.is_empty()), "{id}: no rules");
        assert!(vector["evidence"].is_string(), "{id}: no evidence");
        if let Err(failure) = run(&line, &vector, &mut documents) {
            failures.push(format!("{file}: {id}: {failure}"));
        }
    }
    assert!(count > 1400, "only {count} vectors were found");
    assert!(failures.is_empty(), "{} of {count}:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn every_rule_has_a_vector() {
    let text = std::fs::read_to_string(corpus().join("rules.txt")).unwrap();
    let rules: BTreeSet<&str> = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| line.split_whitespace().next().unwrap())
        .collect();
    assert!(rules.len() > 200, "only {} rules", rules.len());
    let mut open = rules.clone();
    for (_, _, vector) in vectors() {
        for rule in vector["rules"].as_array().unwrap() {
            let rule = rule.as_str().unwrap();
            let threat = rule.len() == 3; // Threats have one letter and two digits.
            assert!(threat || rules.contains(rule), "{}: no rule {rule}", vector["id"]);
            open.remove(rule);
        }
    }
    assert!(open.is_empty(), "without a vector: {open:?}");
}

fn corpus() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus")
}

/// All vectors with their file and line: one vector stands on each line.
fn vectors() -> Vec<(String, String, Value)> {
    let mut vectors = Vec::new();
    for entry in std::fs::read_dir(corpus().join("decisions")).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let all: Vec<Value> = serde_json::from_str(&text).expect(&file);
        let lines = text.lines().filter(|line| line.starts_with('{'));
        let lines: Vec<&str> = lines.map(|line| line.trim_end_matches(',')).collect();
        assert_eq!(lines.len(), all.len(), "{file}: one vector a line");
        let lines = lines.into_iter().zip(all);
        vectors.extend(lines.map(|(line, value)| (file.clone(), line.to_owned(), value)));
    }
    vectors
}

fn run(line: &str, vector: &Value, documents: &mut Documents) -> Result<(), String> {
    let expected = &vector["expect"];
    let case = match Case::parse(line, documents) {
        Ok(case) => case,
        Err(error) => return same("error", &json!(error.to_string()), &expected["error"]),
    };
    let answer = serde_json::to_value(case.decide()).unwrap();
    let explanation = case.explain();
    same("id", &answer["id"], &vector["id"])?;
    let reason = &answer["reasons"][0];
    let agree = same("decision", &answer["decision"], &expected["decision"])
        .and_then(|()| same("reason", &reason["kind"], &expected["reason"]));
    agree.map_err(|failure| format!("{failure}\n{explanation}"))?;
    for place in ["policy", "statement"] {
        if !expected[place].is_null() {
            same(place, &reason[place], &expected[place])?;
        }
    }
    let value = Case::from_value(vector, documents).map_err(|error| error.to_string())?;
    same("decision from a value", &json!(value.decide()), &answer)?;

    let (request, applicable) = (case.request(), case.applicable());
    let decision = decide(&request, &applicable);
    if explanation.decision != decision {
        return Err(format!("explained otherwise: {decision:?}\n{explanation}"));
    }
    if record(&request, &applicable).decision != decision {
        return Err(format!("recorded otherwise than {decision:?}"));
    }
    let compiled = decide_compiled(&request, &applicable);
    if compiled != decision {
        return Err(format!("compiled: {compiled:?}, listed: {decision:?}"));
    }
    padded(&request, &applicable, &decision)?;
    explained(&explanation, expected)?;
    same_in_simulator(&case, &answer)?;
    simulated(&case, vector)?;
    written(vector, &expected["write"])
}

fn same(what: &str, found: &Value, expected: &Value) -> Result<(), String> {
    if found == expected {
        Ok(())
    } else {
        Err(format!("{what}: found {found}, expected {expected}"))
    }
}

/// What a vector expects of the explanation, as far as it says.
fn explained(explanation: &Explanation, expected: &Value) -> Result<(), String> {
    let reports = || {
        let policies = explanation.layers.iter().flat_map(|layer| &layer.policies);
        policies.flat_map(|policy| policy.statements.iter().map(move |s| (&policy.source, s)))
    };
    if !expected["matched"].is_null() {
        let matched = explanation.matched().map(|(source, statement)| {
            json!({
                "policy": source.id, "statement": statement.index,
                "start": statement.start, "end": statement.end,
            })
        });
        same("matched", &matched.collect(), &expected["matched"])?;
    }
    if !expected["missingKeys"].is_null() {
        same("missing keys", &json!(explanation.missing_keys), &expected["missingKeys"])?;
    }
    if !expected["message"].is_null() {
        let message = explanation.decision.denial_message(
            &explanation.principal,
            &explanation.action,
            &explanation.resource,
            !explanation.cross_account,
        );
        same("message", &json!(message), &expected["message"])?;
    }
    if !expected["layers"].is_null() {
        let layers = explanation.layers.iter().map(|layer| {
            let kind = json!(layer.kind).as_str().unwrap().to_owned();
            let name = layer.level.map_or(kind.clone(), |level| format!("{kind}/{level}"));
            (name, json!(layer.verdict))
        });
        same("layers", &Value::Object(layers.collect()), &expected["layers"])?;
    }
    for wanted in expected["statements"].as_array().into_iter().flatten() {
        let found = reports().find(|(source, statement)| {
            wanted["policy"] == *source.id && wanted["statement"] == statement.index
        });
        let (_, report) = found.ok_or_else(|| format!("no report of {wanted}"))?;
        let outcome = json!(report.outcome);
        for (name, value) in wanted["outcome"].as_object().unwrap() {
            same(name, &outcome[name], value)?;
        }
    }
    Ok(())
}

/// The simulator decides as the engine does. It has no words for credentials, takes no second
/// owner of a resource, and asks the caller's side alone of a delegated resource without policy.
fn same_in_simulator(case: &Case, answer: &Value) -> Result<(), String> {
    let (request, policies) = (case.request(), case.applicable());
    let named = request.resource.split(':').nth(4).is_some_and(|account| !account.is_empty());
    let beyond = case.refusal().is_some()
        || (named && request.resource_account.is_some())
        || request.delegated != is_delegated(request.action, request.resource)
        || (request.delegated && policies.resource.is_none());
    if beyond {
        return Ok(());
    }
    let simulation = Simulation {
        catalog: Catalog::embedded(),
        caller: Some(request.principal),
        policies,
        in_organization: false,
        resource_owner: request.resource_account,
        actions: &[],
        resources: &[request.resource.to_owned()],
        context: request.context,
    };
    match simulation.evaluate(request.action) {
        Ok(result) => same("simulated", &json!(result.eval_decision), &answer["decision"]),
        Err(_) => same("simulated", &json!("evaluation-error"), &answer["reasons"][0]["kind"]),
    }
}

/// What the simulator answers to the same policies, as far as the vector says.
fn simulated(case: &Case, vector: &Value) -> Result<(), String> {
    let (asked, expected) = (&vector["simulate"], &vector["expect"]);
    if asked.is_null() {
        return Ok(());
    }
    let texts = |value: &Value| -> Vec<String> {
        let list = value.as_array().into_iter().flatten();
        list.map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let (actions, resources) = (texts(&asked["actions"]), texts(&asked["resources"]));
    let request = case.request();
    let simulation = Simulation {
        catalog: Catalog::embedded(),
        caller: Some(request.principal),
        policies: case.applicable(),
        in_organization: asked["inOrganization"] == true,
        resource_owner: asked["resourceOwner"].as_str().map(|owner| owner.parse().unwrap()),
        actions: &actions,
        resources: &resources,
        context: request.context,
    };
    let results = simulation.run().map_err(|error| error.to_string())?;
    contains("results", &json!(results), &expected["results"])?;
    for action in texts(&asked["refusedActions"]) {
        if require_action(Catalog::embedded(), &action).is_ok() {
            return Err(format!("{action} can be simulated"));
        }
    }
    for (resource, expected) in asked["fits"].as_object().into_iter().flatten() {
        let policy = case.applicable().resource.expect("a resource policy");
        same(resource, &json!(policy_fits(policy.document, resource)), expected)?;
    }
    Ok(())
}

/// Whether all that is expected is there; members that are not named may be anything, and null
/// stands for an absent one.
fn contains(at: &str, found: &Value, expected: &Value) -> Result<(), String> {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) if !expected.is_empty() => {
            expected.iter().try_for_each(|(name, expected)| {
                contains(&format!("{at}.{name}"), found.get(name).unwrap_or(&Value::Null), expected)
            })
        }
        (Value::Array(found), Value::Array(expected)) if found.len() == expected.len() => {
            let pairs = found.iter().zip(expected).enumerate();
            let mut tests = pairs.map(|(n, (f, e))| contains(&format!("{at}/{n}"), f, e));
            tests.find(Result::is_err).unwrap_or(Ok(()))
        }
        _ => same(at, found, expected),
    }
}

/// Whether the policies would be taken at write, and what is said where not.
fn written(vector: &Value, expected: &Value) -> Result<(), String> {
    for (place, expected) in expected.as_object().into_iter().flatten() {
        let policy = vector.pointer(&format!("/{place}")).expect("a policy at that place");
        let text = policy.as_str().map_or_else(|| policy.to_string(), ToOwned::to_owned);
        let action = vector["request"]["action"].as_str().unwrap_or_default();
        let kind = match place.split('/').next().unwrap() {
            "identityPolicies" => DocumentKind::Identity,
            "permissionsBoundary" => DocumentKind::Boundary,
            "sessionPolicies" => DocumentKind::Session,
            "scps" => DocumentKind::ServiceControl,
            "rcps" => DocumentKind::ResourceControl,
            "resourcePolicy" if action.starts_with("sts:AssumeRole") => DocumentKind::Trust,
            _ => DocumentKind::Resource,
        };
        let found = Document::parse_strict(&text, kind).err().map(|error| error.aws_message());
        // `true`: refused, in words that are not known.
        if *expected != json!(true) || found.is_none() {
            same(&format!("write {place}"), &json!(found), expected)?;
        }
    }
    Ok(())
}

/// A large policy that speaks of an action nobody asks for.
static PADDING: LazyLock<(Source, Document)> = LazyLock::new(|| {
    let statement = r#"{"Effect":"Allow","Action":"padding:Nothing","Resource":"*"}"#;
    let statements = vec![statement; RECORDED_WHOLE + 1].join(",");
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    let document = Document::parse(&text, DocumentKind::Identity).unwrap();
    (Source::new("padding", SourceKind::UserInline), document)
});

/// The same decision beside that policy: recorded without its statements, with the same verdict
/// and reason.
fn padded(
    asked: &Request<'_>,
    applicable: &Applicable<'_>,
    decision: &Decision,
) -> Result<(), String> {
    let (source, document) = &*PADDING;
    let mut padded = applicable.clone();
    padded.identity.push(Attached { source, document });
    let recorded = record(asked, &padded);
    if recorded.decision != *decision {
        return Err(format!("recorded otherwise than {decision:?} beside other statements"));
    }
    let policies = recorded.layers.iter().flat_map(|layer| &layer.policies);
    let mut padding = policies.filter(|policy| &*policy.source.id == "padding");
    match padding.find(|policy| !policy.statements.is_empty() || policy.omitted == 0) {
        Some(policy) => Err(format!("recorded {} needless statements", policy.statements.len())),
        None => Ok(()),
    }
}
