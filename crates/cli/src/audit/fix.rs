//! `bailiwick audit fix`: findings with what mends them, in every form, and what that would break.

use std::collections::{BTreeSet, HashMap};
use std::io::{self, Write, stdout};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::bail;
use bailiwick_analyzer::estate::Estate;
use bailiwick_analyzer::generate::{self, Actor, Record, Usage};
use bailiwick_analyzer::posture::Finding;
use bailiwick_analyzer::remedy::Remedy;
use bailiwick_analyzer::trail::{Caller, Event, Told};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::ObjectArgs;
use super::posture::{Examined, examine, tell, trails};
use crate::simulate::fault::Findings;
use crate::terminal;
use crate::trail::{Gather, scan};

/// So many findings are printed for people.
const MOST_SHOWN: usize = 20;
/// So many lines of a diff or a configuration are printed for people.
const MOST_LINES: usize = 40;

/// How fixes are printed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum FixFormat {
    /// For people.
    #[default]
    Table,
    /// All of it, for programs.
    Json,
    /// Configuration for Terraform's AWS provider.
    Terraform,
    /// The command lines of the AWS CLI.
    Commands,
}

/// Flags of `audit fix`.
#[derive(Args, Debug)]
pub struct FixArgs {
    /// What to look at
    #[command(flatten)]
    pub object: ObjectArgs,
    /// Only these findings, by their ids
    #[arg(long, value_name = "ID")]
    pub finding: Vec<String>,
    /// Only those of these checks
    #[arg(long, value_name = "CHECK")]
    pub check: Vec<String>,
    /// Only those about these users, roles or resources
    #[arg(long, value_name = "ARN")]
    pub principal: Vec<String>,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: FixFormat,
}

pub(super) fn run(args: &FixArgs) -> anyhow::Result<()> {
    let Examined { evidence, files, refused, report, .. } = examine(&args.object, None)?;
    if let Some(refused) = refused {
        return Err(refused);
    }
    tell(&evidence.faults, &files);
    let all: Vec<&Finding> = report.counted().collect();
    for id in &args.finding {
        if !all.iter().any(|finding| finding.id.to_string() == *id) {
            bail!("there is no finding `{id}`: `bailiwick audit ... --format json` has their ids");
        }
    }
    for check in &args.check {
        if !report.checks.iter().any(|tally| tally.row.id.eq_ignore_ascii_case(check)) {
            bail!("there is no check `{check}`: see `bailiwick audit checks`");
        }
    }
    let asked = |finding: &Finding| {
        let of = |list: &[String], value: &str| {
            list.is_empty() || list.iter().any(|one| one.eq_ignore_ascii_case(value))
        };
        of(&args.finding, &finding.id.to_string())
            && of(&args.check, finding.check)
            && (args.principal.is_empty() || args.principal.contains(&finding.subject))
    };
    let mut chosen: Vec<&Finding> = all.into_iter().filter(|finding| asked(finding)).collect();
    chosen.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.check));
    let count = chosen.len();
    if args.format == FixFormat::Table {
        chosen.truncate(MOST_SHOWN);
    }
    let estate = &evidence.estate;
    let mut fixes: Vec<(&Finding, Remedy)> =
        chosen.into_iter().map(|finding| (finding, Remedy::of(estate, finding))).collect();
    let paths = trails(&args.object);
    let problems = if paths.is_empty() { 0 } else { measure(&paths, estate, &mut fixes)? };
    let mut out = io::BufWriter::new(stdout().lock());
    match args.format {
        FixFormat::Table => {
            for (finding, remedy) in &fixes {
                show(&mut out, finding, remedy, !paths.is_empty())?;
            }
            if count > fixes.len() {
                writeln!(
                    out,
                    "\nand {} more: choose with --finding, --check or --principal",
                    count - fixes.len()
                )?;
            }
        }
        FixFormat::Json => {
            let all: Vec<Value> = fixes
                .iter()
                .map(|(finding, remedy)| {
                    let mut value = json!(finding);
                    value["fix"] = json!(remedy);
                    value
                })
                .collect();
            writeln!(
                out,
                "{}",
                terminal::json(&serde_json::to_string_pretty(&json!({"fixes": all}))?)
            )?;
        }
        FixFormat::Terraform => configuration(&mut out, &fixes)?,
        FixFormat::Commands => {
            for (finding, remedy) in &fixes {
                writeln!(out, "# {}", terminal::text(&heading(finding)))?;
                for line in &remedy.commands {
                    writeln!(out, "{}", terminal::text(line))?;
                }
            }
        }
    }
    out.flush()?;
    drop(out);
    if !evidence.faults.is_empty() {
        bail!("{} files cannot be used: what needs them is not assessed", evidence.faults.len());
    }
    if problems > 0 {
        bail!(
            "{problems} records or files of events could not be read: what they hold is in no figure"
        );
    }
    if count > 0 { Err(Findings.into()) } else { Ok(()) }
}

fn heading(finding: &Finding) -> String {
    let Finding { check, title, subject, id, .. } = finding;
    format!("{check} {title}: {subject} ({id})")
}

/// Configuration of all fixes. A resource is there once: another change of the same is told in comments.
fn configuration(out: &mut impl Write, fixes: &[(&Finding, Remedy)]) -> io::Result<()> {
    let mut written = BTreeSet::new();
    for (finding, remedy) in fixes {
        writeln!(out, "# {}", terminal::text(&heading(finding)))?;
        if remedy.terraform.is_empty() {
            writeln!(out, "# {}", terminal::text(&remedy.text))?;
        }
        for text in &remedy.terraform {
            let resource = text.lines().find(|line| line.starts_with("resource "));
            if resource.is_none_or(|line| written.insert(line)) {
                lines(out, text, "", usize::MAX)?;
            } else {
                writeln!(
                    out,
                    "# The same resource is changed above: apply that and audit again, or join them."
                )?;
                lines(out, text, "# ", usize::MAX)?;
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

fn show(out: &mut impl Write, finding: &Finding, remedy: &Remedy, events: bool) -> io::Result<()> {
    writeln!(out, "\n{} {}", finding.severity.as_str(), terminal::text(&heading(finding)))?;
    writeln!(out, "  why: {}", terminal::text(&finding.why))?;
    writeln!(out, "  fix: {}", terminal::text(&remedy.text))?;
    if let Some(diff) = &remedy.diff {
        writeln!(out, "  policy")?;
        lines(out, diff, "    ", MOST_LINES)?;
    }
    if !remedy.commands.is_empty() {
        writeln!(out, "  commands")?;
        for line in &remedy.commands {
            writeln!(out, "    $ {}", terminal::text(line))?;
        }
    }
    for text in &remedy.terraform {
        writeln!(out, "  terraform")?;
        lines(out, text, "    ", MOST_LINES)?;
    }
    match &remedy.effect {
        Some(effect) => {
            let who = match effect.principals.as_slice() {
                [one] => one.clone(),
                many => format!("{} users and roles", many.len()),
            };
            writeln!(out, "  effect: {} of {}", effect.sentence, terminal::text(&who))?;
            for lost in effect.breaks.calls.iter().take(5) {
                let line = format!(
                    "{} x {} on {}: {}",
                    lost.evidence.count, lost.action, lost.resource, lost.why
                );
                writeln!(out, "    {}", terminal::text(&line))?;
            }
        }
        None if !events => writeln!(out, "  effect: not known without events (--events)")?,
        None => writeln!(out, "  effect: not known, or no permission changes")?,
    }
    Ok(())
}

fn lines(out: &mut impl Write, text: &str, indent: &str, most: usize) -> io::Result<()> {
    for line in text.lines().take(most) {
        writeln!(out, "{indent}{}", terminal::text(line))?;
    }
    if text.lines().count() > most {
        writeln!(out, "{indent}...")?;
    }
    Ok(())
}

/// What users and roles did, each under its account, kind and name, which no other has.
struct Sieve<'s> {
    usages: &'s HashMap<String, Mutex<Usage>>,
}

impl Gather for Sieve<'_> {
    fn event(&mut self, event: &Event<'_>) {
        if event.is_insight() {
            return;
        }
        let caller = event.caller();
        let (Caller::User(arn) | Caller::Role(arn)) = &caller else { return };
        let Some(usage) = key(arn).and_then(|key| self.usages.get(&key)) else { return };
        let mut usage = usage.lock().unwrap_or_else(PoisonError::into_inner);
        if usage.actor.is(&caller) {
            usage.take(&Record::from(event));
        }
    }

    fn file(&mut self, _name: &str, _packed: u64, _bytes: u64, _told: &Told) {}
}

/// An ARN without its path: events call roles by name alone.
fn key(arn: &str) -> Option<String> {
    let mut fields = arn.splitn(6, ':').skip(4);
    let (account, resource) = (fields.next()?, fields.next()?);
    let (kind, path) = resource.split_once('/')?;
    let name = path.rsplit('/').next()?;
    Some(format!("{account}:{kind}/{name}"))
}

/// Replays the observed calls of whom the fixes touch. Answers how much of the events could not be read.
fn measure(
    paths: &[PathBuf],
    estate: &Estate,
    fixes: &mut [(&Finding, Remedy)],
) -> anyhow::Result<u64> {
    let mut usages = HashMap::new();
    for arn in fixes.iter().flat_map(|(_, remedy)| remedy.touches(estate)) {
        if let (Some(key), Ok(actor)) = (key(&arn), Actor::parse(&arn)) {
            usages.entry(key).or_insert_with(|| Mutex::new(Usage::new(actor)));
        }
    }
    // What cannot be read was told when the checks read it.
    let problems = scan(paths, || Sieve { usages: &usages })?.problems;
    let usages: HashMap<String, Usage> = usages
        .into_iter()
        .map(|(key, usage)| {
            let usage = usage.into_inner().unwrap_or_else(PoisonError::into_inner);
            (key, generate::settled(usage, Some(estate)))
        })
        .collect();
    for (_, remedy) in fixes {
        remedy.measure(estate, |arn| usages.get(&key(arn)?));
    }
    Ok(problems)
}
