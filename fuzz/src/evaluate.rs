//! Decisions: the engine against the reference evaluator, verdict and reason.
//!
//! - Both give one answer to every case that both take. What they refuse of the line itself is not
//!   compared.
//! - The engine explains and records what it decides, and compiled sets of policies decide as the
//!   same policies in a list do.

use std::sync::LazyLock;

use bailiwick_policy::{
    Applicable, Case, Decision, Document, DocumentKind, Documents, Levels, Policies, PolicySet,
    decide, explain, record,
};
use bailiwick_reference::evaluate::evaluate_text;
use serde_json::json;

use crate::recipe;

/// Checks a case, or the recipe of one (see [`recipe::case`]).
pub fn check(data: &[u8]) {
    let Some(text) = recipe::case(data) else { return };
    let mut documents = Documents::with_capacity(1 << 16);
    let Ok(case) = Case::parse(&text, &mut documents) else { return };
    let decision = consistent(&case);
    assert_eq!(compiled(&case), decision, "a compiled set decides otherwise\n{text}");
    if let Some((engine, reference)) = answers(&text) {
        assert_eq!(engine, reference, "engine and reference differ\n{text}");
    }
}

/// Verdict and kind of the reason.
pub type Said = (String, String);

/// What the engine and the reference say; nothing if one of them takes no such line.
#[must_use]
pub fn answers(text: &str) -> Option<(Said, Said)> {
    let case = Case::parse(text, &mut Documents::with_capacity(1 << 16)).ok()?;
    let (answer, outcome) = (case.decide(), evaluate_text(text).ok()?);
    let engine = (answer.decision.to_owned(), answer.kind().to_owned());
    Some((engine, (outcome.decision.to_owned(), outcome.reason)))
}

/// What is decided, if the explanation and the record say so too.
#[must_use]
pub fn consistent(case: &Case) -> Decision {
    let (request, applicable) = (case.request(), case.applicable());
    let decision = decide(&request, &applicable);
    assert_eq!(explain(&request, &applicable).decision, decision, "explained otherwise");
    assert_eq!(record(&request, &applicable).decision, decision, "recorded otherwise");
    decision
}

/// Statements of which none ever matches, as many as it takes for a set to be indexed.
static FILLER: LazyLock<[Document; 2]> = LazyLock::new(|| {
    [DocumentKind::Identity, DocumentKind::ServiceControl].map(|kind| {
        let statements: Vec<_> = (0..8)
            .map(|number| {
                json!({
                    "Effect": "Allow", "Action": format!("zz-filler:{number}"),
                    "Resource": format!("arn:aws:zz-filler:::{number}"),
                    "Condition": {"Null": {"aws:userid": ["neither"]}},
                })
            })
            .collect();
        match Document::parse(&json!({"Statement": statements}).to_string(), kind) {
            Ok(document) => document,
            Err(error) => panic!("{error:?}"),
        }
    })
});

/// What compiled sets of the same policies decide, each long enough to be indexed.
fn compiled(case: &Case) -> Decision {
    let listed = case.applicable();
    let set = |policies: &Policies<'_>| {
        let own = policies.iter().map(|held| (held.source.clone(), held.document.clone()));
        let held: Vec<_> = own.collect();
        let filler = held.first().and_then(|(source, document)| {
            let fits = |filler: &&Document| filler.kind() == document.kind();
            FILLER.iter().find(fits).map(|filler| (source.clone(), filler.clone()))
        });
        PolicySet::new(held.into_iter().chain(filler))
    };
    let levels = |levels: &Levels<'_>| -> Vec<PolicySet> {
        match levels {
            Levels::Listed(list) => list.iter().map(set).collect(),
            Levels::Compiled(sets) => sets.to_vec(),
        }
    };
    let (identity, session) = (set(&listed.identity), listed.session.as_ref().map(set));
    let (scps, rcps) = (levels(&listed.scps), levels(&listed.rcps));
    let applicable = case.applicable();
    let compiled = Applicable {
        identity: Policies::Compiled(&identity),
        boundary: applicable.boundary,
        session: session.as_ref().map(Policies::Compiled),
        resource: applicable.resource,
        grants: applicable.grants,
        scps: Levels::Compiled(&scps),
        rcps: Levels::Compiled(&rcps),
        endpoints: applicable.endpoints,
        unreadable: applicable.unreadable,
    };
    decide(&case.request(), &compiled)
}
