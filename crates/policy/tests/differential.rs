//! The engine and the reference evaluator decide 100,000 random cases alike, verdict and reason.
//!
//! More of them: `cargo xtask differential --cases N --seed S`.

#![allow(clippy::panic, reason = "a test may fail loudly")]

#[path = "../examples/differential/compare.rs"]
mod compare;

use compare::{Plan, run};

#[test]
fn in_1_engine_and_reference_agree() {
    let (tally, differences) =
        run(Plan { seed: 20_261_122, cases: 100_000, threads: 2, differences: 3 });
    for difference in &differences {
        let compare::Difference { vector, engine, reference } = difference;
        println!("engine: {engine}\nreference: {reference}\n{vector}\n");
    }
    assert!(differences.is_empty(), "{} kinds of difference", differences.len());
    assert_eq!(tally.cases, 100_000);
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
