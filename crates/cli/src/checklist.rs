//! `bailiwick checklist` and `bailiwick compliance`: best-practice lists and standards, answered from
//! the checks of an audit and from what people have said.

mod show;
mod world;

use std::io::{Write, stdout};
use std::path::{Path, PathBuf};

use bailiwick_analyzer::checklist::{Answers, ListAnswer, Marks, Standard, Standing, list, lists};
use bailiwick_analyzer::posture::{self, Report, Settings};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use serde_json::json;

use crate::access::AccessArgs;
use crate::audit;
use crate::simulate::fault::{Fault, Findings, read};
use crate::{clock, terminal};

pub(crate) use world::World;

/// The longest file of marks, in bytes.
const MAX_MARKS: u64 = 4 << 20;

/// How answers are printed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum Table {
    /// For people.
    #[default]
    Table,
    /// For a page, an issue or a mail.
    Markdown,
    /// For spreadsheets.
    Csv,
    /// For programs.
    Json,
}

/// What both verbs read.
#[derive(Args, Debug)]
pub struct SourceArgs {
    /// Limits, lists and exceptions of the audit, in TOML
    #[arg(long, value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// What people say by hand, in TOML
    #[arg(long, value_name = "FILE")]
    pub manual: Option<PathBuf>,
    /// Judge as of this instant, in RFC 3339 [default: now]
    #[arg(long, value_name = "INSTANT")]
    pub as_of: Option<Timestamp>,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Table,
    /// Which server, with which key, where no folder is given
    #[command(flatten)]
    pub access: AccessArgs,
}

/// Flags of `checklist`.
#[derive(Args, Debug)]
pub struct ChecklistArgs {
    /// A folder as `bailiwick audit collect` makes it, or files; none: the account on a server
    #[arg(value_name = "FOLDER|FILE")]
    pub paths: Vec<PathBuf>,
    /// One list alone: 000 of Logicata, 001 of FixMyCloud, 002 of AWS, 003 of Picus, 004 in 11 points
    #[arg(long, value_name = "LIST", value_parser = ["000", "001", "002", "003", "004"])]
    pub seed: Option<String>,
    /// What to read, and how to print
    #[command(flatten)]
    pub source: SourceArgs,
}

/// Flags of `compliance`.
#[derive(Args, Debug)]
pub struct ComplianceArgs {
    /// A folder as `bailiwick audit collect` makes it, or files; none: the account on a server
    #[arg(value_name = "FOLDER|FILE")]
    pub paths: Vec<PathBuf>,
    /// The standard
    #[arg(long, value_name = "STANDARD", value_parser = standard())]
    pub standard: Standard,
    /// What to read, and how to print
    #[command(flatten)]
    pub source: SourceArgs,
}

/// A standard by its id.
fn standard() -> impl TypedValueParser<Value = Standard> {
    let unknown = || std::io::Error::other("there is no such standard");
    PossibleValuesParser::new(Standard::ALL.map(Standard::id))
        .try_map(move |id| Standard::parse(&id).ok_or_else(unknown))
}

pub(crate) fn run(args: &ChecklistArgs) -> anyhow::Result<()> {
    let (world, report, marks) = asked(&args.paths, &args.source)?;
    let answers = answers(&report, &marks, &args.source)?;
    let chosen = match &args.seed {
        Some(id) => list(id).into_iter().collect::<Vec<_>>(),
        None => lists().iter().collect(),
    };
    let all: Vec<ListAnswer> = chosen.into_iter().map(|list| answers.list(list)).collect();
    let mut out = std::io::BufWriter::new(stdout().lock());
    match args.source.format {
        Table::Json => {
            let value = json!({"account": report.account, "asOf": report.as_of, "lists": all});
            writeln!(out, "{}", terminal::json(&format!("{value:#}")))?;
        }
        Table::Csv => show::csv_head(&mut out, "list", "practice").and_then(|()| {
            all.iter().try_for_each(|one| show::csv(&mut out, one.list, &one.practices))
        })?,
        Table::Table | Table::Markdown => {
            let markdown = args.source.format == Table::Markdown;
            for one in &all {
                let head = format!("{} {}", one.list, one.title);
                show::section(
                    &mut out,
                    markdown,
                    &head,
                    &report,
                    &show::counted(&one.counts, None),
                    &one.practices,
                )?;
            }
        }
    }
    out.flush()?;
    drop(out);
    let failed = all.iter().flat_map(|one| &one.practices);
    let failed = failed.filter(|item| item.verdict.standing == Standing::Fail).count();
    end(&world, failed)
}

pub(crate) fn compliance(args: &ComplianceArgs) -> anyhow::Result<()> {
    let (world, report, marks) = asked(&args.paths, &args.source)?;
    let answer = answers(&report, &marks, &args.source)?.standard(args.standard);
    let mut out = std::io::BufWriter::new(stdout().lock());
    match args.source.format {
        Table::Json => {
            let mut value = serde_json::to_value(&answer)?;
            if let Some(object) = value.as_object_mut() {
                object.insert("account".to_owned(), json!(report.account));
                object.insert("asOf".to_owned(), json!(report.as_of));
            }
            writeln!(out, "{}", terminal::json(&format!("{value:#}")))?;
        }
        Table::Csv => {
            show::csv_head(&mut out, "standard", "control")?;
            show::csv(&mut out, answer.standard, &answer.controls)?;
        }
        Table::Table | Table::Markdown => {
            let markdown = args.source.format == Table::Markdown;
            let counted = show::counted(&answer.counts, Some((answer.passed, answer.assessed)));
            show::section(&mut out, markdown, answer.title, &report, &counted, &answer.controls)?;
        }
    }
    out.flush()?;
    drop(out);
    let failed = answer.controls.iter();
    end(&world, failed.filter(|item| item.verdict.standing == Standing::Fail).count())
}

/// The report of the checks, and the marks. Marks are read first: a fault in them costs no audit.
fn asked(paths: &[PathBuf], args: &SourceArgs) -> anyhow::Result<(World, Report, Marks)> {
    let settings =
        args.settings.as_deref().map_or_else(|| Ok(Settings::default()), audit::settings)?;
    let marks = args.manual.as_deref().map_or_else(|| Ok(Marks::default()), marks)?;
    let world = World::find(paths, &args.access)?;
    let now = args.as_of.unwrap_or_else(clock::now);
    let report = world
        .while_it_lasts("checking ...", || posture::run(&world.evidence, &settings, now, None));
    Ok((world, report, marks))
}

fn answers<'a>(
    report: &'a Report,
    marks: &'a Marks,
    args: &SourceArgs,
) -> anyhow::Result<Answers<'a>> {
    let file = args.manual.as_deref().unwrap_or(Path::new("")).display();
    Answers::new(report, marks).map_err(|error| anyhow::anyhow!("{file}: {error}"))
}

fn marks(path: &Path) -> anyhow::Result<Marks> {
    let text = read(path, MAX_MARKS)?;
    let marks: Marks = toml::from_str(&text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let before = text.get(..text.floor_char_boundary(at)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let place = (number(line), number(column));
        Fault::new(&path.display().to_string(), &text, place, error.message())
    })?;
    marks.by_subject().map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))?;
    Ok(marks)
}

/// The exit code's meaning: a file that cannot be used outweighs what fails.
fn end(world: &World, failed: usize) -> anyhow::Result<()> {
    world.faults()?;
    if failed > 0 { Err(Findings.into()) } else { Ok(()) }
}
