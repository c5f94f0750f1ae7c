//! `bailiwick policy checks`: what `validate` looks for.

use std::io::{Write as _, stdout};

use bailiwick_analyzer::validate::{FindingType, IssueCode};
use clap::Args;
use serde_json::json;

use crate::{Format, terminal};

/// Flags of `policy checks`.
#[derive(Args, Debug)]
pub struct ChecksArgs {
    /// Only how many there are
    #[arg(long)]
    pub count: bool,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
}

pub(crate) fn run(args: &ChecksArgs) -> anyhow::Result<()> {
    let of = |kind: FindingType| {
        IssueCode::ALL.iter().copied().filter(move |code| code.finding_type() == kind)
    };
    let mut out = stdout().lock();
    match (args.format, args.count) {
        (Format::Table, true) => writeln!(out, "{}", IssueCode::ALL.len())?,
        (Format::Table, false) => {
            for code in FindingType::ALL.into_iter().flat_map(of) {
                let (kind, name) = (code.finding_type().as_str(), code.as_str());
                writeln!(out, "{kind:<16}  {name:<62}  {}", code.meaning())?;
            }
            let counts: Vec<String> = FindingType::ALL
                .into_iter()
                .map(|kind| format!("{} {}", of(kind).count(), kind.as_str()))
                .collect();
            writeln!(out, "{} checks: {}", IssueCode::ALL.len(), counts.join(", "))?;
        }
        (Format::Json, count) => {
            let mut told = json!({"count": IssueCode::ALL.len()});
            if !count && let Some(members) = told.as_object_mut() {
                let list: Vec<_> = FindingType::ALL
                    .into_iter()
                    .flat_map(of)
                    .map(|code| {
                        json!({
                            "issueCode": code.as_str(),
                            "findingType": code.finding_type().as_str(),
                            "title": code.title(),
                            "description": code.meaning(),
                            "learnMoreLink": code.learn_more_link(),
                        })
                    })
                    .collect();
                members.insert("checks".into(), json!(list));
            }
            writeln!(out, "{}", terminal::json(&format!("{told:#}")))?;
        }
    }
    out.flush()?;
    Ok(())
}
