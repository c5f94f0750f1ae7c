//! `cargo xtask tidy`: the arrows between the rooms, licences, generated files, file sizes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use serde_json::Value as Json;

/// What each room may use directly, and so whatever lies beyond it. Nothing points back.
const ARROWS: &[(&str, &[&str])] = &[
    ("bailiwick", &["server", "cli"]),
    ("server", &["services"]),
    ("services", &["store", "wire", "analyzer"]),
    ("store", &["model"]),
    ("analyzer", &["symbolic", "model"]),
    ("symbolic", &["policy"]),
    ("model", &["policy"]),
    ("policy", &["catalog"]),
    ("catalog", &["identifiers"]),
    ("identifiers", &[]),
    ("wire", &[]),
    ("cli", &["analyzer", "wire"]),
    ("testkit", &["services"]),
    // The second opinion on the engine: it shares nothing with the first.
    ("reference", &[]),
];

/// Licences under which a dependency may come.
const LICENCES: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "0BSD",
    "Unicode-3.0",
    "MPL-2.0",
    "MPL-2.0+",
    "Unlicense",
    "CC0-1.0",
    "BSL-1.0",
    "OpenSSL",
    "MIT-0",
    "CDLA-Permissive-2.0",
];

/// A source file longer than this usually holds two ideas.
const LONG: usize = 600;

/// Runs the command.
pub(crate) fn run(_args: &[String]) -> anyhow::Result<()> {
    let mut faults = arrows()?;
    faults.extend(licences()?);
    report_sizes()?;
    crate::codegen::run(&["--check".to_owned()])?;
    if faults.is_empty() {
        println!("tidy: arrows, licences and generated files are in order");
        Ok(())
    } else {
        bail!("{}", faults.join("\n"))
    }
}

fn beyond(room: &str) -> BTreeSet<&'static str> {
    let direct = ARROWS.iter().find(|(name, _)| *name == room).map_or(&[][..], |(_, to)| *to);
    let mut reached: BTreeSet<&'static str> = BTreeSet::new();
    for next in direct {
        reached.insert(next);
        reached.extend(beyond(next));
    }
    reached
}

fn arrows() -> anyhow::Result<Vec<String>> {
    let mut faults = Vec::new();
    for entry in std::fs::read_dir("crates")? {
        let folder = entry?.path();
        let room = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml"))?;
        let manifest: toml::Table = manifest.parse()?;
        if !ARROWS.iter().any(|(name, _)| *name == room) {
            faults.push(format!("the room `{room}` is not in the table of arrows"));
        }
        let allowed = beyond(&room);
        for section in ["dependencies", "build-dependencies", "dev-dependencies"] {
            let Some(dependencies) = manifest.get(section).and_then(toml::Value::as_table) else {
                continue;
            };
            for name in dependencies.keys() {
                let Some(used) = name.strip_prefix("bailiwick-") else { continue };
                // Tests may use the testkit and the reference evaluator wherever they stand.
                let testing =
                    section == "dev-dependencies" && ["testkit", "reference"].contains(&used);
                if !allowed.contains(used) && !testing {
                    faults.push(format!("`{room}` may not use `{used}` ({section})"));
                }
            }
        }
    }
    Ok(faults)
}

fn licences() -> anyhow::Result<Vec<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .output()
        .context("cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    let metadata: Json = serde_json::from_slice(&output.stdout)?;
    let mut faults = Vec::new();
    let mut used: BTreeMap<String, usize> = BTreeMap::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let licence = package["license"].as_str().unwrap_or_default().replace('/', " OR ");
        if !permitted(&licence) {
            faults.push(format!("`{name}` comes under `{licence}`, which is not in the list"));
        }
        *used.entry(licence).or_default() += 1;
    }
    println!(
        "tidy: {} packages under {} licence expressions",
        used.values().sum::<usize>(),
        used.len()
    );
    Ok(faults)
}

/// Whether one of the alternatives of an SPDX expression is made of permitted licences only.
fn permitted(expression: &str) -> bool {
    let flat = expression.replace(['(', ')'], "");
    flat.split(" AND ").all(|part| part.split(" OR ").any(|one| LICENCES.contains(&one.trim())))
        || flat
            .split(" OR ")
            .any(|one| one.split(" AND ").all(|part| LICENCES.contains(&part.trim())))
}

fn report_sizes() -> anyhow::Result<()> {
    let mut sizes: Vec<(usize, PathBuf)> = Vec::new();
    collect(Path::new("crates"), &mut sizes)?;
    collect(Path::new("xtask"), &mut sizes)?;
    sizes.sort();
    let median = sizes.get(sizes.len() / 2).map_or(0, |(lines, _)| *lines);
    println!("tidy: {} source files, median {median} lines", sizes.len());
    for (lines, path) in sizes.iter().rev().take_while(|(lines, _)| *lines > LONG) {
        println!("tidy: {} has {lines} lines: look for the second idea", path.display());
    }
    Ok(())
}

fn collect(folder: &Path, sizes: &mut Vec<(usize, PathBuf)>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "generated" && name != "target") {
                collect(&path, sizes)?;
            }
        } else if path.extension().is_some_and(|end| end == "rs") {
            sizes.push((std::fs::read_to_string(&path)?.lines().count(), path));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_never_point_back() {
        assert!(beyond("server").contains("identifiers"));
        assert!(!beyond("cli").contains("store"));
        assert!(!beyond("cli").contains("services"));
        assert!(beyond("wire").is_empty());
        for (room, _) in ARROWS {
            assert!(!beyond(room).contains(room), "{room} reaches itself");
        }
    }

    #[test]
    fn licences_are_read_as_expressions() {
        for (expression, expected) in [
            ("MIT OR Apache-2.0", true),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
            ("GPL-3.0 OR MIT", true),
            ("GPL-3.0", false),
            ("MIT AND AGPL-3.0", false),
            ("ISC AND (Apache-2.0 OR ISC)", true),
            ("", false),
        ] {
            assert_eq!(permitted(expression), expected, "{expression}");
        }
    }
}
