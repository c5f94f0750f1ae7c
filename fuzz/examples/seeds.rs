//! Writes what fuzzing begins with, taken from the vectors of `corpus/`: `seeds [FOLDER]`.
//!
//! One folder a target, one file an input, named by its number.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// Longer inputs slow the fuzzer down more than they tell it.
const LONGEST: usize = 4096;

type Seeds = BTreeMap<&'static str, BTreeSet<Vec<u8>>>;

fn main() -> std::io::Result<()> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = std::env::args().nth(1).map_or_else(|| here.join("corpus"), PathBuf::from);
    let corpus = here.join("../corpus");
    let mut seeds = Seeds::new();
    for vector in vectors(&corpus.join("documents"))? {
        add(&mut seeds, "policy_json", vector["text"].as_str().unwrap_or_default().as_bytes());
    }
    for mut vector in vectors(&corpus.join("decisions"))? {
        patterns(&mut seeds, &vector);
        policies(&mut seeds, &vector);
        let simulate = vector["simulate"].take();
        if let Value::Object(fields) = &mut vector {
            fields
                .retain(|name, _| !["expect", "rules", "evidence", "simulate"].contains(&&**name));
        }
        add(&mut seeds, "evaluate", vector.to_string().as_bytes());
        let mut context = Vec::new();
        if let Value::Object(keys) = &vector["request"]["context"] {
            for (name, values) in keys {
                let values = texts(values);
                let kind = if values.len() == 1 { "string" } else { "stringList" };
                context.push(json!({"name": name, "type": kind, "values": values}));
            }
        }
        vector["simulate"] = json!({
            "actions": simulate["actions"], "resources": simulate["resources"],
            "context": context,
        });
        add(&mut seeds, "simulator", vector.to_string().as_bytes());
    }
    for number in 0..64u8 {
        let recipe: Vec<u8> = (0..64).map(|at: u8| at.wrapping_mul(37) ^ number).collect();
        add(&mut seeds, "evaluate", &recipe[..8 + usize::from(number % 56)]);
    }
    for text in ["AKIAIOSFODNN7EXAMPLE", "AIDACKCEVSQ6C2EXAMPLE", "/a/b/", "aws-us-gov", "x@y.z"] {
        add(&mut seeds, "arn", text.as_bytes());
    }
    for (target, inputs) in seeds {
        let folder = folder.join(target);
        std::fs::create_dir_all(&folder)?;
        for (number, input) in inputs.iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{number:04}")), input)?;
        }
    }
    Ok(())
}

fn vectors(folder: &Path) -> std::io::Result<Vec<Value>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == "json") {
            let text = std::fs::read_to_string(path)?;
            all.extend(serde_json::from_str::<Vec<Value>>(&text)?);
        }
    }
    Ok(all)
}

fn add(seeds: &mut Seeds, target: &'static str, input: &[u8]) {
    if input.len() <= LONGEST {
        seeds.entry(target).or_default().insert(input.to_vec());
    }
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

/// The policies of a case as texts, and who is named in them.
fn policies(seeds: &mut Seeds, value: &Value) {
    match value {
        Value::Object(fields) if fields.contains_key("Statement") => {
            add(seeds, "policy_json", value.to_string().as_bytes());
        }
        Value::Object(fields) => fields.values().for_each(|inner| policies(seeds, inner)),
        Value::Array(items) => items.iter().for_each(|inner| policies(seeds, inner)),
        Value::String(text) if text.contains("Statement") => {
            add(seeds, "policy_json", text.as_bytes());
        }
        _ => {}
    }
}

/// Patterns of the policies beside what the request has for them.
fn patterns(seeds: &mut Seeds, vector: &Value) {
    let request = &vector["request"];
    let mut context = BTreeMap::new();
    if let Value::Object(keys) = &request["context"] {
        for (name, values) in keys {
            context.insert(name.to_ascii_lowercase(), texts(values));
        }
    }
    let mut queue = vec![vector];
    while let Some(value) = queue.pop() {
        match value {
            Value::Array(items) => queue.extend(items),
            Value::Object(fields) => {
                for (name, value) in fields {
                    let lower = name.to_ascii_lowercase();
                    let (target, with) = match name.as_str() {
                        "Action" | "NotAction" => ("wildcard", texts(&request["action"])),
                        "Resource" | "NotResource" => ("wildcard", texts(&request["resource"])),
                        "AWS" | "Service" | "Federated" => ("arn", texts(&request["principal"])),
                        _ => {
                            let Some(values) = context.get(&lower) else {
                                queue.push(value);
                                continue;
                            };
                            ("wildcard", values.clone())
                        }
                    };
                    for pattern in texts(value) {
                        for text in &with {
                            let input = if target == "arn" {
                                format!("{text}\n{pattern}")
                            } else {
                                format!("{pattern}\n{text}")
                            };
                            add(seeds, target, input.as_bytes());
                        }
                    }
                }
            }
            _ => {}
        }
    }
    for text in texts(&request["principal"]).iter().chain(&texts(&request["resource"])) {
        add(seeds, "arn", text.as_bytes());
    }
}
