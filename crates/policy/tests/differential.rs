//! The engine and the reference evaluator decide random cases alike, verdict and reason.
//!
//! 100,000 in an optimised build, fewer in a plain one. More of them: `cargo xtask differential
//! --cases N --seed S`, of which `cargo xtask test` runs 100,000.

#![allow(clippy::panic, reason = "a test may fail loudly")]

#[path = "../examples/differential/compare.rs"]
mod compare;

use compare::{Plan, run};

/// How many cases. Plain builds are some eight times slower.
const CASES: u64 = if cfg!(debug_assertions) { 20_000 } else { 100_000 };

#[test]
fn in_1_engine_and_reference_agree() {
    let (tally, differences) =
        run(Plan { seed: 20_261_122, cases: CASES, threads: 2, differences: 3 });
    for difference in &differences {
        let compare::Difference { vector, engine, reference } = difference;
        println!("engine: {engine}\nreference: {reference}\n{vector}\n");
    }
    assert!(differences.is_empty(), "{} kinds of difference", differences.len());
    assert_eq!(tally.cases, CASES);
    let share = tally.share_allowed();
    assert!((20.0..=80.0).contains(&share), "{share} % are allowed");
    assert_eq!(tally.coverage.missing(), Vec::<String>::new(), "cells that never came");
    for reason in [
        "endpoint",
        "resource-control",
        "service-control",
        "resource",
        "trust",
        "identity",
        "boundary",
        "session",
        "evaluation-error",
    ] {
        let denied = tally
            .answers
            .keys()
            .any(|(decision, kind)| decision == "explicitDeny" && kind == reason);
        assert!(denied, "nothing is denied by {reason}");
    }
    for reason in [
        "endpoint",
        "service-control",
        "resource",
        "trust",
        "identity",
        "boundary",
        "session",
        "credentials",
    ] {
        let missing = tally
            .answers
            .keys()
            .any(|(decision, kind)| decision == "implicitDeny" && kind == reason);
        assert!(missing, "nothing is denied for want of {reason}");
    }
}
