//! Custom policy checks on policies that AWS writes itself.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::time::{Duration, Instant};

use bailiwick_analyzer::check::{Kind, PublicResource, no_new_access, no_public_access};
use bailiwick_catalog::Catalog;

/// How many pairs are asked; more with `BAILIWICK_PAIRS`.
const PAIRS: usize = 300;

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

/// Versions of one policy, and policies with each other: all are decided, and each failure has an
/// example and a statement.
#[test]
fn managed_policies_are_decided() {
    let pairs = std::env::var("BAILIWICK_PAIRS").ok().and_then(|text| text.parse().ok());
    let policies: Vec<_> = Catalog::embedded().managed_policies().collect();
    let mut dice = Dice(7);
    let mut times: Vec<(Duration, String)> = Vec::new();
    let (mut passed, mut undecided) = (0, Vec::new());
    for number in 0..pairs.unwrap_or(PAIRS) {
        let one = policies[dice.below(policies.len())];
        let other = if number % 2 == 0 { one } else { policies[dice.below(policies.len())] };
        let version = |dice: &mut Dice, of: &bailiwick_catalog::ManagedPolicy| {
            of.versions[dice.below(of.versions.len())].document()
        };
        let (existing, new) = (version(&mut dice, one), version(&mut dice, other));
        let ask = || {
            let begun = Instant::now();
            let checked = no_new_access(&existing, &new, Kind::Identity).unwrap();
            (begun.elapsed(), checked)
        };
        let (mut took, checked) = ask();
        // Other work of the machine does not count.
        for _ in 0..4 {
            if took > Duration::from_millis(4) {
                took = took.min(ask().0);
            }
        }
        times.push((took, format!("{} {}", one.name, other.name)));
        passed += usize::from(checked.passed);
        if checked.undecided {
            undecided.push(format!("{} {}: {}", one.name, other.name, checked.message));
        }
        assert_eq!(checked.passed, checked.reasons.is_empty(), "{} {}", one.name, other.name);
        assert_eq!(checked.witness.is_some(), !checked.passed && !checked.undecided);
    }
    times.sort();
    let at = |part: usize| &times[times.len() * part / 1000];
    println!(
        "{} pairs, {passed} pass: median {:?}, p99 {:?}, longest {:?}",
        times.len(),
        at(500).0,
        at(990),
        times.last()
    );
    assert!(undecided.is_empty(), "{undecided:?}");
}

/// No policy, however odd, makes a check pass by being unreadable.
#[test]
fn tm_g01_what_is_no_policy_is_refused() {
    let deep = "[".repeat(100_000);
    let long = "x".repeat(2 << 20);
    let good = r#"{"Version": "2012-10-17", "Statement":
        {"Effect": "Deny", "Action": "*", "Resource": "*"}}"#;
    assert!(no_new_access(good, good, Kind::Identity).unwrap().passed);
    for text in ["", "null", "{}", "[]", "{\"Statement\": 1}", &deep, &long, "\u{0}"] {
        assert!(no_new_access(good, text, Kind::Identity).is_err(), "{:?}", text.get(..20));
        assert!(no_new_access(text, good, Kind::Identity).is_err(), "{:?}", text.get(..20));
        for kind in PublicResource::all() {
            assert!(no_public_access(text, kind).is_err(), "{:?}", text.get(..20));
        }
    }
}
