//! `bailiwick generate`: the smallest policy that the observed calls of a principal need; what was
//! refused to it; and what another policy would refuse of what it does.

mod input;
mod show;

use std::io::{Write as _, stdout};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use anyhow::bail;
use bailiwick_analyzer::estate::Estate;
use bailiwick_analyzer::generate::{
    self, Actor, Breaks, Generated, Holding, Options, Usage, breaks,
};
use bailiwick_policy::{Document, DocumentKind};
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::json;

use crate::simulate::fault::Findings;
use crate::simulate::files;
use crate::terminal;

/// How the answer is printed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum GenerateFormat {
    /// For people.
    #[default]
    Text,
    /// All of it, for programs.
    Json,
    /// The policy alone.
    Policy,
}

/// Flags of `generate`.
#[derive(Args, Debug)]
pub struct GenerateArgs {
    /// The user or role, by its ARN; that of a session means its role
    #[arg(long, value_name = "ARN")]
    pub principal: String,
    /// Files or folders of a trail (.json.gz, .json, JSON lines); `-` for standard input
    #[arg(long, value_name = "DIR|FILE|-", num_args = 1.., required = true)]
    pub events: Vec<PathBuf>,
    /// The account: a folder that `bailiwick audit collect` makes, or its authorization details
    #[arg(long, value_name = "FOLDER|FILE", num_args = 1..)]
    pub account: Vec<PathBuf>,
    /// Only calls since then: a day or an instant, UTC
    #[arg(long, value_name = "DATE")]
    pub from: Option<When>,
    /// Only calls until then: a day (to its end) or an instant, UTC
    #[arg(long, value_name = "DATE")]
    pub to: Option<When>,
    /// So many objects of a bucket are listed for an action; of more, their folders are
    #[arg(long, value_name = "N", default_value = "20", value_parser = clap::value_parser!(u16).range(1..))]
    pub max_resources: u16,
    /// Join statements where that allows nothing more
    #[arg(long)]
    pub compact: bool,
    /// Instead, list what was refused, each with the smallest statement that would allow it
    #[arg(long, conflicts_with_all = ["preview", "compact"])]
    pub denied: bool,
    /// Instead, tell which observed calls these policies would refuse in place of those that it has
    #[arg(long, value_name = "POLICY", num_args = 1.., conflicts_with = "compact")]
    pub preview: Vec<PathBuf>,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: GenerateFormat,
}

/// A day or an instant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct When {
    begin: Timestamp,
    end: Timestamp,
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(instant) = text.parse() {
            return Ok(Self { begin: instant, end: instant });
        }
        let wrong =
            || format!("`{text}` is neither a day such as 2026-11-22 nor an RFC 3339 instant");
        let day: Date = text.parse().map_err(|_| wrong())?;
        let begin = |day: Date| {
            let zoned = day.to_zoned(TimeZone::UTC).map_err(|_| wrong())?;
            Ok::<_, String>(zoned.timestamp())
        };
        let next = begin(day.tomorrow().map_err(|_| wrong())?)?;
        let end = next.checked_sub(jiff::Span::new().nanoseconds(1)).map_err(|_| wrong())?;
        Ok(Self { begin: begin(day)?, end })
    }
}

pub(crate) fn run(args: &GenerateArgs) -> anyhow::Result<()> {
    let actor = Actor::parse(&args.principal)?;
    let span = (args.from.map(|when| when.begin), args.to.map(|when| when.end));
    if let (Some(from), Some(to)) = span
        && from > to
    {
        bail!("--from is after --to");
    }
    let account = if args.account.is_empty() { None } else { Some(input::account(&args.account)?) };
    let estate = account.as_ref().map(|evidence| &evidence.estate);
    if let Some(estate) = estate
        && estate.account.id() != actor.account
    {
        bail!("`{}` is not of account {}, which --account shows", actor.arn, estate.account.id());
    }
    let (usage, problems) = input::usage(&args.events, &actor, span)?;
    if usage.own.count == 0 {
        bail!("none of {} events is a call of `{}`", usage.records, usage.actor.arn);
    }
    let done = if args.denied {
        denied(args, usage, estate)
    } else if args.preview.is_empty() {
        policy(args, usage, estate)
    } else {
        preview(args, usage, estate)
    };
    if problems > 0 && !matches!(&done, Err(error) if !error.is::<Findings>()) {
        bail!(
            "{problems} records or files of events could not be read: what they hold is in no figure"
        );
    }
    done
}

fn policy(args: &GenerateArgs, usage: Usage, estate: Option<&Estate>) -> anyhow::Result<()> {
    let options = Options { max_resources: args.max_resources.into(), compact: args.compact };
    let (generated, _) = generate::generate(usage, estate, options);
    let text = match args.format {
        GenerateFormat::Json => serde_json::to_string_pretty(&generated)?,
        GenerateFormat::Policy => match &generated.policy {
            Some(policy) => policy.text(),
            None => bail!("{}", show::no_policy(&generated)),
        },
        GenerateFormat::Text => show::policy(&generated, estate.is_some()),
    };
    print(args.format, &text)?;
    end(generated.is_good())
}

fn denied(args: &GenerateArgs, usage: Usage, estate: Option<&Estate>) -> anyhow::Result<()> {
    let (generated, _): (Generated, Usage) = generate::generate(usage, estate, Options::default());
    let found = generated.denied;
    let text = match args.format {
        GenerateFormat::Text => show::denied(&generated.principal, &found),
        GenerateFormat::Policy => bail!("--format policy goes with the policy of what was allowed"),
        GenerateFormat::Json => serde_json::to_string_pretty(
            &json!({"principal": generated.principal, "denied": found}),
        )?,
    };
    print(args.format, &text)?;
    end(found.is_empty())
}

fn preview(args: &GenerateArgs, usage: Usage, estate: Option<&Estate>) -> anyhow::Result<()> {
    let mut documents = Vec::new();
    for path in &args.preview {
        let named = files::policy(path, DocumentKind::Identity)?;
        let document = Document::parse(&named.text, DocumentKind::Identity)?;
        documents.push((named.label.to_string(), Arc::new(document)));
    }
    let usage = generate::settled(usage, estate);
    let found: Breaks = match estate {
        None => breaks(None, &Holding::alone(documents), &usage),
        Some(estate) => {
            let subject = || {
                generate::subject(estate, &usage.actor).ok_or_else(|| {
                    anyhow::anyhow!("the account has no user or role `{}`", usage.actor.arn)
                })
            };
            let before = Holding::held(estate, subject()?);
            breaks(Some(&before), &Holding::within(estate, subject()?, documents), &usage)
        }
    };
    let text = match args.format {
        GenerateFormat::Text => show::breaks(&found),
        GenerateFormat::Policy => bail!("--format policy goes with the policy that is written"),
        GenerateFormat::Json => {
            let mut value = serde_json::to_value(&found)?;
            value["sentence"] = json!(found.sentence());
            serde_json::to_string_pretty(&value)?
        }
    };
    print(args.format, &text)?;
    end(found.broken == 0)
}

fn print(format: GenerateFormat, text: &str) -> anyhow::Result<()> {
    let mut out = stdout().lock();
    match format {
        GenerateFormat::Text => {
            for line in text.lines() {
                writeln!(out, "{}", terminal::text(line))?;
            }
        }
        _ => writeln!(out, "{}", terminal::json(text))?,
    }
    Ok(out.flush()?)
}

fn end(good: bool) -> anyhow::Result<()> {
    if good { Ok(()) } else { Err(Findings.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_reach_to_their_end() {
        let day: When = "2026-11-22".parse().unwrap();
        assert_eq!(day.begin.to_string(), "2026-11-22T00:00:00Z");
        assert_eq!(day.end.to_string(), "2026-11-22T23:59:59.999999999Z");
        let instant: When = "2026-11-22T10:00:00Z".parse().unwrap();
        assert_eq!(instant.begin, instant.end);
        assert!("soon".parse::<When>().is_err());
        assert!("9999-12-31".parse::<When>().is_err());
    }
}
