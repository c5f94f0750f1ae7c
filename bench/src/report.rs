//! The figures as tables, and the section of the documents that holds them.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;
use serde_json::Value as Json;

const BEGIN: &str = "<!-- engine: begin (written by `cargo xtask bench engine`) -->";
const END: &str = "<!-- engine: end -->";

/// All tables in Markdown.
pub fn tables(figures: &Json) -> String {
    let names = names(figures);
    let mut text = String::new();
    for workload in ["W1", "W2"] {
        let _ = writeln!(text, "Time for one decision, {workload}:\n");
        heading(&mut text, &["policies", "asked"], &names);
        for cell in cells(figures, workload) {
            let _ = write!(text, "| {} | {} |", thousands(&cell["policies"]), word(&cell["case"]));
            for name in &names {
                let _ = write!(text, " {} |", timed(engine(cell, name)));
            }
            text.push('\n');
        }
        text.push('\n');
    }
    text.push_str("Allocations for one decision, hit:\n\n");
    heading(&mut text, &["workload", "policies"], &in_process(&names));
    for workload in ["W1", "W2"] {
        for cell in cells(figures, workload).filter(|cell| cell["case"] == "hit") {
            let _ = write!(text, "| {workload} | {} |", thousands(&cell["policies"]));
            for name in in_process(&names) {
                let _ = write!(text, " {} |", allocations(engine(cell, name)));
            }
            text.push('\n');
        }
    }
    if let Some(context) = figures["context_ns"].as_f64() {
        let _ = writeln!(
            text,
            "\nOf each of our figures, {} go into filling the twelve context keys.",
            duration(context)
        );
    }
    mix(&mut text, figures, &names);
    globs(&mut text, figures, &names);
    if let Some(absent) = figures["absent"].as_str() {
        let _ = writeln!(text, "\n{absent}.");
    }
    text
}

/// Renews the section of `performance.md` between its two marks.
pub fn write(folder: &Path, figures: &Json) -> anyhow::Result<()> {
    let file = folder.join("performance.md");
    let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let (before, rest) = text.split_once(BEGIN).context("performance.md has no engine section")?;
    let (_, after) = rest.split_once(END).context("the engine section has no end")?;
    let tables = tables(figures);
    std::fs::write(
        &file,
        format!("{before}{BEGIN}\n\n{}\n{END}{after}", tables.trim_end().to_owned() + "\n"),
    )?;
    Ok(())
}

fn mix(text: &mut String, figures: &Json, names: &[&str]) {
    let mix = &figures["mix"];
    let _ = writeln!(
        text,
        "\nThe realistic mix, {} decisions of which {} are allowed:\n",
        mix["calls"], mix["allowed"]
    );
    text.push_str(
        "| engine | one decision | allocations | answers as expected |\n|---|---|---|---|\n",
    );
    for name in names {
        let found = engine(mix, name);
        if let Some(why) = found["missing"].as_str() {
            let _ = writeln!(text, "| {name} | — | — | {} |", short(why));
            continue;
        }
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} of {} |",
            timed(found),
            allocations(found),
            found["right"],
            found["asked"]
        );
    }
}

fn globs(text: &mut String, figures: &Json, names: &[&str]) {
    let rows = figures["globs"].as_array().map(Vec::as_slice).unwrap_or_default();
    text.push_str("\nAdversarial globs, pattern and text of 2,048 characters each:\n\n");
    heading(text, &["pattern"], names);
    let mut attacks: Vec<&str> = rows.iter().filter_map(|row| row["attack"].as_str()).collect();
    attacks.dedup();
    for attack in attacks {
        let _ = write!(text, "| {attack} |");
        for name in names {
            let row = rows.iter().find(|row| row["attack"] == attack && row["engine"] == *name);
            let _ = write!(text, " {} |", row.map_or("—".to_owned(), fared));
        }
        text.push('\n');
    }
}

fn fared(row: &Json) -> String {
    let time = row["median_ns"].as_f64().map(duration).unwrap_or_default();
    match (row["stopped"].as_str(), row["characters"].as_u64()) {
        (None, _) => time,
        (Some(why), None | Some(0)) => short(why),
        (Some("too long"), Some(at)) => format!("{time} at {at} characters already"),
        (Some(why), Some(at)) => format!("{time} at {at} characters, then: {}", short(why)),
    }
}

/// The beginning of a reason, fit for a cell of a table.
fn short(why: &str) -> String {
    let line =
        why.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().replace('|', "/");
    line.chars().take(90).collect()
}

fn heading(text: &mut String, first: &[&str], names: &[&str]) {
    let all: Vec<&str> = first.iter().chain(names).copied().collect();
    let _ = writeln!(text, "| {} |", all.join(" | "));
    let _ = writeln!(text, "|{}", "---|".repeat(all.len()));
}

fn timed(found: &Json) -> String {
    if let Some(why) = found["missing"].as_str() {
        return short(why);
    }
    let Some(median) = found["median_ns"].as_f64() else { return "—".to_owned() };
    if let Some(ratio) = found["ratio"].as_f64().filter(|_| found["engine"] != "bailiwick") {
        return format!("{}, {} x", duration(median), figure(ratio));
    }
    // Ours, with the least of all rounds: what is left when the machine is quiet.
    let least = found["min_ns"].as_f64().map(duration).unwrap_or_default();
    format!("{} (least {least})", duration(median))
}

fn allocations(found: &Json) -> String {
    found["allocations"].as_f64().map_or("—".to_owned(), |count| grouped(&format!("{count:.0}")))
}

/// Nanoseconds in a unit that reads well.
pub fn duration(nanoseconds: f64) -> String {
    match nanoseconds {
        n if n < 1e3 => format!("{n:.0} ns"),
        n if n < 1e6 => format!("{} us", figure(n / 1e3)),
        n if n < 1e9 => format!("{} ms", figure(n / 1e6)),
        n => format!("{} s", figure(n / 1e9)),
    }
}

/// Two or three digits that mean something.
fn figure(value: f64) -> String {
    match value {
        v if v < 9.95 => format!("{v:.1}"),
        v if v < 999.5 => format!("{v:.0}"),
        v => {
            let unit = 10_f64.powf(v.log10().floor() - 1.0);
            grouped(&format!("{:.0}", (v / unit).round() * unit))
        }
    }
}

pub fn names(figures: &Json) -> Vec<&str> {
    figures["engines"].as_array().into_iter().flatten().filter_map(Json::as_str).collect()
}

fn in_process<'a>(names: &[&'a str]) -> Vec<&'a str> {
    names.iter().copied().filter(|name| *name != "iam-simulate").collect()
}

pub fn cells<'a>(figures: &'a Json, workload: &'a str) -> impl Iterator<Item = &'a Json> {
    let all = figures["cells"].as_array().into_iter().flatten();
    all.filter(move |cell| cell["workload"] == workload)
}

pub fn engine<'a>(cell: &'a Json, name: &str) -> &'a Json {
    let all = cell["engines"].as_array().into_iter().flatten();
    all.into_iter().find(|found| found["engine"] == name).unwrap_or(&Json::Null)
}

fn word(value: &Json) -> &str {
    value.as_str().unwrap_or_default()
}

fn thousands(value: &Json) -> String {
    grouped(&value.to_string())
}

/// Digits in groups of three.
fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
