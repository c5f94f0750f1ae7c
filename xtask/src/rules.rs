//! `cargo xtask rules`: rules of policy evaluation without a decision vector.
//!
//! The rules stand in `corpus/rules.txt`, one a line: id, status, title. The list of those that no
//! vector in `corpus/decisions` cites must be empty.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

/// Runs the command; `--count` prints the number of vectors for each rule.
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus");
    let text = std::fs::read_to_string(corpus.join("rules.txt"))?;
    let rules: Vec<(&str, &str)> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(' '))
        .collect();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut vectors = 0;
    for entry in std::fs::read_dir(corpus.join("decisions"))? {
        let file: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(entry?.path())?)?;
        vectors += file.len();
        let cited = file.iter().filter_map(|vector| vector.get("rules")?.as_array()).flatten();
        for rule in cited.filter_map(Value::as_str) {
            *counts.entry(rule.to_owned()).or_default() += 1;
        }
    }
    let count = |id: &str| counts.get(id).copied().unwrap_or_default();
    if args.iter().any(|arg| arg == "--count") {
        for (id, rest) in &rules {
            println!("{:>5}  {id:<8} {}", count(id), rest.trim());
        }
    }
    let open: Vec<&(&str, &str)> = rules.iter().filter(|(id, _)| count(id) == 0).collect();
    for (id, rest) in &open {
        println!("{id}: no vector ({})", rest.trim());
    }
    println!("{vectors} vectors, {} rules, {} without a vector", rules.len(), open.len());
    anyhow::ensure!(open.is_empty(), "{} rules have no vector", open.len());
    Ok(())
}
