//! `bailiwick validate --all-managed`: the AWS managed policies that the program knows.

use std::collections::BTreeMap;
use std::io::{Write as _, stdout};
use std::time::{Duration, Instant};

use bailiwick_analyzer::validate::{FindingType, PolicyType, Validator};
use bailiwick_catalog::Catalog;
use serde_json::json;

use super::{Input, ReportFormat, ValidateArgs, Validated, sarif};
use crate::simulate::fault::Findings;
use crate::terminal;

pub(super) fn run(args: &ValidateArgs) -> anyhow::Result<()> {
    let catalog = Catalog::embedded();
    let validator = Validator::new(catalog);
    let texts: Vec<Input> = catalog
        .managed_policies()
        .map(|policy| Input { name: policy.arn.to_string(), text: policy.default_document() })
        .collect();
    let start = Instant::now();
    let mut longest = (Duration::ZERO, String::new());
    let mut all = Vec::new();
    for input in texts {
        let began = Instant::now();
        let findings = validator.validate(&input.text, PolicyType::Identity, None);
        let took = began.elapsed();
        if took > longest.0 {
            longest = (took, input.name.clone());
        }
        all.push(Validated { input, findings });
    }
    let took = start.elapsed();
    let mut counts: BTreeMap<FindingType, usize> =
        FindingType::ALL.iter().map(|kind| (*kind, 0)).collect();
    for finding in all.iter().flat_map(|one| &one.findings) {
        *counts.entry(finding.finding_type).or_default() += 1;
    }
    let milliseconds = |took: Duration| took.as_secs_f64() * 1000.0;
    let mut out = stdout().lock();
    match args.format {
        ReportFormat::Table => {
            for one in &all {
                for found in one.findings.iter().filter(|f| f.finding_type == FindingType::Error) {
                    let line = format!(
                        "{}: error[{}]: {}",
                        one.input.name, found.issue_code, found.finding_details
                    );
                    writeln!(out, "{}", terminal::text(&line))?;
                }
            }
            let count = |kind| counts.get(&kind).copied().unwrap_or(0);
            writeln!(
                out,
                "{} AWS managed policies in {:.0} ms (the longest, {}: {:.1} ms): {} errors, {} \
                 security warnings, {} warnings, {} suggestions",
                all.len(),
                milliseconds(took),
                longest.1,
                milliseconds(longest.0),
                count(FindingType::Error),
                count(FindingType::SecurityWarning),
                count(FindingType::Warning),
                count(FindingType::Suggestion),
            )?;
        }
        ReportFormat::Json => {
            let findings: Vec<_> = all
                .iter()
                .flat_map(|one| {
                    let file = &one.input.name;
                    one.findings.iter().map(move |finding| super::InFile { file, finding })
                })
                .collect();
            let told = json!({
                "policies": all.len(),
                "milliseconds": milliseconds(took),
                "counts": counts.iter().map(|(kind, n)| (kind.as_str(), n)).collect::<BTreeMap<_, _>>(),
                "findings": findings,
            });
            writeln!(out, "{}", terminal::json(&format!("{told:#}")))?;
        }
        ReportFormat::Sarif => {
            writeln!(out, "{}", terminal::json(&format!("{:#}", sarif::log(&all))))?;
        }
    }
    out.flush()?;
    // AWS's own warnings are no findings of the user: errors alone would be ours.
    if counts.get(&FindingType::Error).is_some_and(|count| *count > 0) {
        return Err(Findings.into());
    }
    Ok(())
}
