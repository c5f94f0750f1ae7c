//! Claims against the engine: random policies from a small grammar, random requests over the same
//! words. The ignored test asks 10^6 of them; `BAILIWICK_SYMBOLIC_SEED` sets where it begins.

#![allow(clippy::unwrap_used, reason = "a test fails where a fixture is wrong")]

mod grammar;

use bailiwick_policy::{DocumentKind, Request, Verdict, consult_alone};
use bailiwick_symbolic::{Answer, disjoint, empty, implies};
use grammar::dice::Dice;
use grammar::{caller, context, parse, statement};

struct Tally {
    holds: usize,
    fails: usize,
    undecided: usize,
    asked: usize,
}

#[test]
fn requests_never_contradict_what_holds() {
    sample(7, 10_000);
}

#[test]
#[ignore = "a million requests"]
fn a_million_requests_never_contradict_what_holds() {
    let seed = std::env::var("BAILIWICK_SYMBOLIC_SEED").ok().and_then(|text| text.parse().ok());
    sample(seed.unwrap_or(1009), 1_000_000);
}

fn sample(seed: u64, wanted: usize) {
    let mut dice = Dice(seed);
    let mut tally = Tally { holds: 0, fails: 0, undecided: 0, asked: 0 };
    let mut slowest = std::time::Duration::ZERO;
    while tally.asked < wanted {
        let of_resource = dice.roll(4) == 0;
        let kind = if of_resource { DocumentKind::Resource } else { DocumentKind::Identity };
        let conditions = dice.roll(4);
        let old = dice.roll(8) == 0;
        let existing: Vec<String> =
            (0..=dice.roll(4)).map(|_| statement(&mut dice, of_resource, conditions)).collect();
        let mut new = existing.clone();
        match dice.roll(4) {
            0 => {
                new = (0..=dice.roll(3))
                    .map(|_| statement(&mut dice, of_resource, conditions))
                    .collect();
            }
            1 => {
                let at = dice.roll(new.len());
                new.remove(at);
            }
            2 => new.push(statement(&mut dice, of_resource, conditions)),
            _ => {
                let at = dice.roll(new.len());
                new[at] = statement(&mut dice, of_resource, conditions);
                new.push(statement(&mut dice, of_resource, conditions));
            }
        }
        let (existing, new) = (parse(&existing, kind, old), parse(&new, kind, old));
        let begun = std::time::Instant::now();
        let answer = implies(&existing, &new);
        slowest = slowest.max(begun.elapsed());
        let apart = disjoint(&existing, &new);
        let none = empty(&new);
        match &answer {
            Answer::Holds => tally.holds += 1,
            Answer::Fails(_) => tally.fails += 1,
            Answer::Undecided(reason) => {
                tally.undecided += 1;
                if std::env::var("BAILIWICK_SYMBOLIC_SHOW").is_ok() {
                    println!("{reason}\n  {}\n  {}", existing.source(), new.source());
                }
            }
        }
        for _ in 0..40 {
            tally.asked += 1;
            let principal = caller(&mut dice, of_resource);
            let context = context(&mut dice, &principal);
            let request = Request {
                principal: &principal,
                action: dice.pick(&[
                    "s3:GetA", "s3:GetB", "s3:PutA", "s3:LetA", "ec2:RunA", "ec2:Stop", "iam:A",
                ]),
                resource: dice.pick(&[
                    "*",
                    "arn:aws:s3:::a",
                    "arn:aws:s3:::a/b",
                    "arn:aws:s3:::a/a",
                    "arn:aws:s3:::a/a/b",
                    "arn:aws:s3:::b",
                    "arn:aws:s3:x:1:b",
                    "arn:aws:s3:::ab",
                    "arn:aws:sqs:x:1:q",
                ]),
                resource_account: None,
                context: &context,
                delegated: false,
            };
            let allows = |document| consult_alone(document, &request) == Verdict::Allow;
            let (held, asked) = (allows(&existing), allows(&new));
            let show = || format!("{}\n{}\n{request:?}", existing.source(), new.source());
            assert!(!(answer.holds() && asked && !held), "no new access, but:\n{}", show());
            assert!(!(apart.holds() && asked && held), "disjoint, but:\n{}", show());
            assert!(!(none.holds() && asked), "empty, but:\n{}", show());
        }
    }
    println!(
        "{} hold, {} fail, {} undecided of {} claims; {} requests; slowest {slowest:?}",
        tally.holds,
        tally.fails,
        tally.undecided,
        tally.holds + tally.fails + tally.undecided,
        tally.asked
    );
    let claims = tally.holds + tally.fails + tally.undecided;
    assert!(tally.undecided * 5 < claims, "{} of {claims} undecided", tally.undecided);
}
