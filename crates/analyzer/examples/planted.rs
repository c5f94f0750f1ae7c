//! Writes a planted account, or measures the search for escalations in one.
//!
//! `cargo run --release --example planted -- SEED PRINCIPALS [DIRECTORY]`: with a directory, the
//! export, the SCPs and the truth go there.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "an example"
)]

#[path = "../tests/planted/mod.rs"]
mod planted;

use std::sync::Arc;
use std::time::Instant;

use bailiwick_analyzer::escalation::{Options, escalations};
use bailiwick_analyzer::estate::{Estate, Organization};
use bailiwick_catalog::Catalog;
use bailiwick_model::Found;
use bailiwick_model::export::{ExportFile, read};
use bailiwick_policy::{Document, DocumentKind, Source, SourceKind};

fn main() {
    let mut args = std::env::args().skip(1);
    let seed = args.next().and_then(|text| text.parse().ok()).unwrap_or(1);
    let principals = args.next().and_then(|text| text.parse().ok()).unwrap_or(1_000);
    let world = planted::Planted::new(seed, principals);
    let text = serde_json::to_string_pretty(&world.export()).unwrap();
    if let Some(folder) = args.next() {
        std::fs::write(format!("{folder}/export.json"), &text).unwrap();
        let truth = serde_json::to_string_pretty(&world.truth()).unwrap();
        std::fs::write(format!("{folder}/truth.json"), truth).unwrap();
        for (level, texts) in world.scps.iter().enumerate() {
            for (at, text) in texts.iter().enumerate() {
                std::fs::write(format!("{folder}/scp-{level}-{at}.json"), text).unwrap();
            }
        }
        return;
    }
    let scps = world.scps.clone();
    drop(world);
    println!("{:.1} MB", text.len() as f64 / 1e6);
    let start = Instant::now();
    let found = read(&[ExportFile { name: "export", bytes: text.as_bytes() }], Catalog::embedded())
        .unwrap();
    println!("read      {:?}", start.elapsed());
    let mut estate = Estate::new(found.account, found.managed);
    let scp = |text: &String| Found {
        source: Source::new("scp", SourceKind::Scp),
        document: Arc::new(Document::parse(text, DocumentKind::ServiceControl).unwrap()),
    };
    let scps = scps.iter().map(|level| level.iter().map(scp).collect()).collect();
    estate.organization = Some(Organization { scps, ..Organization::default() });
    let start = Instant::now();
    let report = escalations(&estate, &Options::default());
    println!("escalate  {:?}", start.elapsed());
    println!("{} principals, {:?}", report.principals, report.counts());
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    for line in status.lines().filter(|line| line.starts_with("VmHWM")) {
        println!("{line}");
    }
}
