//! `bailiwick audit checks`: the catalogue.

use std::io::{Write as _, stdout};

use bailiwick_analyzer::posture::{CHECKS, NOT_BUILT, catalogue};
use serde_json::json;

use super::ChecksArgs;
use crate::Format;
use crate::terminal;

pub(super) fn run(args: &ChecksArgs) -> anyhow::Result<()> {
    let reason = |id: &str| NOT_BUILT.iter().find(|(known, _)| *known == id).map(|(_, why)| *why);
    let built = CHECKS.iter().map(|group| group.len()).sum::<usize>();
    let mut out = std::io::BufWriter::new(stdout().lock());
    match args.format {
        Format::Table if args.count => {
            writeln!(out, "{} checks, {built} of them built", catalogue().len())?;
        }
        Format::Json if args.count => {
            writeln!(out, "{}", json!({"checks": catalogue().len(), "built": built}))?;
        }
        Format::Table => {
            for row in catalogue() {
                let title = terminal::text(row.title);
                writeln!(out, "{:<8} {:<8} {title}", row.id, row.severity.as_str())?;
                if let Some(why) = reason(row.id) {
                    writeln!(out, "         not built: {why}")?;
                }
                for (name, list) in [
                    ("CIS", &row.cis),
                    ("NIST 800-53", &row.nist),
                    ("PCI DSS", &row.pci),
                    ("HIPAA", &row.hipaa),
                    ("AWS", &row.controls),
                ] {
                    if !list.is_empty() {
                        writeln!(out, "         {name}: {}", list.join(", "))?;
                    }
                }
            }
            writeln!(out, "\n{} checks, {built} of them built", catalogue().len())?;
        }
        Format::Json => {
            let list: Vec<_> = catalogue()
                .iter()
                .map(|row| json!({"check": row, "built": reason(row.id).is_none(), "why": reason(row.id)}))
                .collect();
            writeln!(out, "{}", terminal::json(&format!("{:#}", json!(list))))?;
        }
    }
    out.flush()?;
    Ok(())
}
