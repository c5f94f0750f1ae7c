//! Prints generated cases, one a line: `cases SEED FROM COUNT [foreign]`.
#![allow(clippy::print_stdout, reason = "a command-line tool")]

use bailiwick_reference::generate::{Profile, generate};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| arguments.get(at).and_then(|text| text.parse().ok()).unwrap_or(1);
    let foreign = arguments.iter().any(|argument| argument == "foreign");
    let profile = if foreign { Profile::Foreign } else { Profile::Whole };
    let (seed, from, count): (u64, u64, u64) = (number(0), number(1), number(2));
    for at in from..from.saturating_add(count) {
        println!("{}", generate(seed, at, profile).case);
    }
}
