//! Sets the engine against the reference evaluator, case by case.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use bailiwick_policy::{Case, Decision, Documents, Reason, decide, record};
use bailiwick_reference::evaluate::{evaluate, evaluate_text};
use bailiwick_reference::generate::{Coverage, Profile, generate};
use bailiwick_reference::shrink::shrink;
use serde_json::{Value, json};

#[path = "compiled.rs"]
mod compiled;
use compiled::decide_compiled;

/// How often the shrinker may ask.
const SHRINKING: usize = 20_000;
/// The room for documents that were read before; cases share few.
const CACHE: usize = 1 << 14;

/// What two evaluators say: verdict and kind of the reason, or why there is neither.
type Said = Result<(String, String), String>;

/// What was found in many cases.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// How many cases were decided.
    pub(crate) cases: u64,
    /// How many came to each verdict for each kind of reason.
    pub(crate) answers: BTreeMap<(String, String), u64>,
    /// The cells of the coverage table.
    pub(crate) coverage: Coverage,
}

/// A case on which the evaluators differ, made as small as it goes.
#[derive(Clone, Debug)]
pub(crate) struct Difference {
    /// The case as a vector: what the reference says is expected.
    pub(crate) vector: Value,
    /// What the engine says.
    pub(crate) engine: String,
    /// What the reference says.
    pub(crate) reference: String,
}

/// The cases that are asked about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// The seed of all cases.
    pub(crate) seed: u64,
    /// How many cases, numbered from 0.
    pub(crate) cases: u64,
    /// How many threads decide them.
    pub(crate) threads: u64,
    /// How many different differences are looked for before it ends.
    pub(crate) differences: usize,
}

/// Decides all cases of a plan. The differences are of different kinds each.
pub(crate) fn run(plan: Plan) -> (Tally, Vec<Difference>) {
    let found: Mutex<BTreeMap<(String, String), Difference>> = Mutex::default();
    let enough = AtomicBool::new(false);
    let mut whole = Tally::default();
    std::thread::scope(|scope| {
        let work = |first: u64| {
            let (found, enough) = (&found, &enough);
            move || {
                let mut tally = Tally::default();
                let mut documents = Documents::with_capacity(CACHE);
                let mut number = first;
                while number < plan.cases && !enough.load(Ordering::Relaxed) {
                    if let Some(difference) = one(plan.seed, number, &mut documents, &mut tally)
                        && let Ok(mut found) = found.lock()
                    {
                        let kind = (difference.engine.clone(), difference.reference.clone());
                        found.entry(kind).or_insert(difference);
                        enough.store(found.len() >= plan.differences, Ordering::Relaxed);
                    }
                    number += plan.threads;
                }
                tally
            }
        };
        let threads: Vec<_> = (0..plan.threads).map(|first| scope.spawn(work(first))).collect();
        for tally in threads.into_iter().filter_map(|thread| thread.join().ok()) {
            whole.cases += tally.cases;
            whole.coverage.add(&tally.coverage);
            for (answer, count) in tally.answers {
                *whole.answers.entry(answer).or_default() += count;
            }
        }
    });
    let found = found.into_inner().map(|found| found.into_values().collect()).unwrap_or_default();
    (whole, found)
}

fn one(seed: u64, number: u64, documents: &mut Documents, tally: &mut Tally) -> Option<Difference> {
    let generated = generate(seed, number, Profile::Whole);
    let text = generated.case.to_string();
    // Every sixteenth case is recorded and compiled too, and goes to the reference as text.
    let whole = number.is_multiple_of(16);
    let ours = engine(&text, documents, whole);
    let theirs = if whole { said(evaluate_text(&text)) } else { reference(&generated.case) };
    tally.cases += 1;
    tally.coverage.count(&generated);
    match (&ours, &theirs) {
        (Ok(ours), Ok(theirs)) if ours == theirs => {
            let count = tally.answers.get_mut(ours);
            match count {
                Some(count) => *count += 1,
                None => drop(tally.answers.insert(ours.clone(), 1)),
            }
            None
        }
        _ => Some(smallest(&generated.case, &ours, &theirs)),
    }
}

/// The engine's answer, if it explains as it decides. `whole`: and records and compiles so too.
fn engine(text: &str, documents: &mut Documents, whole: bool) -> Said {
    let case = Case::parse(text, documents).map_err(|error| format!("no answer: {error}"))?;
    let answer = case.decide();
    if case.refusal().is_none() {
        let explained = case.explain().decision;
        let said = (explained.verdict.as_str(), place(&explained));
        let reason = answer.reasons.first();
        let decided = reason.map(|reason| (reason.policy.as_deref(), reason.statement));
        if said != (answer.decision, decided.unwrap_or_default()) {
            return Err(format!("explained as {explained:?}, decided as {answer:?}"));
        }
        if whole {
            let (request, applicable) = (case.request(), case.applicable());
            let recorded = record(&request, &applicable).decision;
            if recorded != explained || recorded != decide(&request, &applicable) {
                return Err(format!("recorded as {recorded:?}, explained as {explained:?}"));
            }
            let compiled = decide_compiled(&request, &applicable);
            if compiled != explained {
                return Err(format!("compiled as {compiled:?}, explained as {explained:?}"));
            }
        }
    }
    Ok((answer.decision.to_owned(), answer.kind().to_owned()))
}

/// The policy and the statement that deny.
fn place(decision: &Decision) -> (Option<&str>, Option<usize>) {
    match &decision.reason {
        Reason::ExplicitDeny { source, statement, .. } => (Some(&source.id), Some(*statement)),
        Reason::EvaluationError { source } => (Some(&source.id), None),
        _ => (None, None),
    }
}

fn reference(case: &Value) -> Said {
    said(evaluate(case))
}

fn said(outcome: Result<bailiwick_reference::evaluate::Outcome, String>) -> Said {
    match outcome {
        Ok(outcome) => Ok((outcome.decision.to_owned(), outcome.reason)),
        Err(error) => Err(format!("no answer: {error}")),
    }
}

fn smallest(case: &Value, ours: &Said, theirs: &Said) -> Difference {
    let mut documents = Documents::with_capacity(CACHE);
    let small = shrink(case, SHRINKING, |case| {
        alike(&engine(&case.to_string(), &mut documents, true), ours)
            && alike(&reference(case), theirs)
    });
    let mut vector = small;
    if let Value::Object(fields) = &mut vector {
        if let Some(id) = case.get("id") {
            fields.insert("id".to_owned(), json!(format!("found/{}", id.as_str().unwrap_or("?"))));
        }
        if let Ok((decision, reason)) = theirs {
            let expect = json!({"decision": decision, "reason": reason});
            fields.insert("expect".to_owned(), expect);
        }
        fields.insert("rules".to_owned(), json!([]));
        fields.insert("evidence".to_owned(), json!(""));
    }
    Difference { vector, engine: described(ours), reference: described(theirs) }
}

/// The same answer; errors are alike whatever they say.
fn alike(one: &Said, other: &Said) -> bool {
    match (one, other) {
        (Ok(one), Ok(other)) => one == other,
        (Err(one), Err(other)) => one.get(..9) == other.get(..9),
        _ => false,
    }
}

fn described(said: &Said) -> String {
    match said {
        Ok((decision, reason)) => format!("{decision}, {reason}"),
        Err(error) => error.clone(),
    }
}

impl Tally {
    /// How many of a hundred cases are allowed.
    #[allow(clippy::cast_precision_loss, reason = "a share, for people")]
    pub(crate) fn share_allowed(&self) -> f64 {
        let allowed = self.answers.iter().filter(|((decision, _), _)| decision == "allowed");
        100.0 * allowed.map(|(_, count)| *count as f64).sum::<f64>() / self.cases.max(1) as f64
    }
}
