//! Prints implemented / total operations per service, and what is left out with the reason.
#![allow(clippy::print_stdout, reason = "a command-line tool")]

use bailiwick_wire::generated::SERVICES;

/// What is left out, which a test of the testkit compares with the code.
const LEFT_OUT: &str = include_str!("../../../corpus/unimplemented.txt");

fn main() {
    for service in SERVICES {
        let written = bailiwick_services::implemented(service.name);
        println!("{}: {} / {}", service.name, written.len(), service.operations.len());
        let own = format!("{}:", service.name);
        for line in LEFT_OUT.lines().filter(|line| line.starts_with(&own)) {
            println!("  {line}");
        }
    }
}
