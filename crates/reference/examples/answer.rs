//! Answers cases, one a line, with the reference evaluator.
#![allow(clippy::print_stdout, reason = "a command-line tool")]

fn main() {
    for line in std::io::stdin().lines().map_while(Result::ok) {
        println!("{:?}", bailiwick_reference::evaluate::evaluate_text(&line));
    }
}
