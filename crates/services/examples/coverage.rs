//! Prints implemented / total operations per service; with `--missing`, the missing ones by name.
#![allow(clippy::print_stdout, reason = "a command-line tool")]

use bailiwick_wire::generated::SERVICES;

fn main() {
    let missing = std::env::args().any(|argument| argument == "--missing");
    for service in SERVICES {
        let written = bailiwick_services::implemented(service.name);
        println!("{}: {} / {}", service.name, written.len(), service.operations.len());
        if missing {
            for operation in service.operations {
                if !written.contains(&operation.name) {
                    println!("  {}:{}", service.name, operation.name);
                }
            }
        }
    }
}
