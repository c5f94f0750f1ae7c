//! `bailiwick docs export`: an account written down, a page for each user, group, role and policy.

mod folder;

use std::io::{Write as _, stdout};
use std::path::PathBuf;

use anyhow::bail;
use bailiwick_analyzer::pages::{Export, export};
use bailiwick_analyzer::posture::Settings;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::json;

use crate::access::AccessArgs;
use crate::checklist::World;
use crate::simulate::fault::Findings;
use crate::{Format, audit, clock, terminal};

/// So many that lack something are shown.
const MOST: usize = 20;

/// What to write down.
#[derive(Debug, Subcommand)]
pub enum DocsCommand {
    /// Write a page for each user, group, role and customer managed policy
    #[command(after_help = "\
Examples:
  bailiwick docs export audit/ --out docs/iam
  bailiwick docs export export.json --out docs/iam --require-purpose
  bailiwick docs export --out docs/iam                 of the account on a server
  bailiwick docs export audit/ --out docs/iam --settings audit.toml --format json

The pages say what each is for (description and tags), who can assume it, what it may do, what limits
it, what uses it, and whether it becomes administrator. Which tags count, and what every role and policy
must have, is set in --settings:
  [documentation]
  purpose-tags = [\"purpose\"]
  owner-tags = [\"owner\", \"team\"]
  ticket-tags = [\"ticket\"]
  required = [\"purpose\", \"owner\"]
DIR is made, or holds an earlier export, of which pages that are no more are taken away. Exit code 0:
done; 1: done, and with --require-purpose something required is missing; 2: it could not be done.")]
    Export(DocsExportArgs),
}

/// Flags of `docs export`.
#[derive(Args, Debug)]
pub struct DocsExportArgs {
    /// A folder as `bailiwick audit collect` makes it, or files; none: the account on a server
    #[arg(value_name = "FOLDER|FILE")]
    pub paths: Vec<PathBuf>,
    /// Where the pages go
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Settings of the audit, in TOML: the part `[documentation]`
    #[arg(long, value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// Exit code 1 where a role or policy does not say what is required
    #[arg(long)]
    pub require_purpose: bool,
    /// Judge as of this instant, in RFC 3339 [default: now]
    #[arg(long, value_name = "INSTANT")]
    pub as_of: Option<Timestamp>,
    /// How to print what was done
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
    /// Which server, with which key, where no folder is given
    #[command(flatten)]
    pub access: AccessArgs,
}

pub(crate) fn run(command: &DocsCommand) -> anyhow::Result<()> {
    let DocsCommand::Export(args) = command;
    let settings =
        args.settings.as_deref().map_or_else(|| Ok(Settings::default()), audit::settings)?;
    let target = folder::Target::open(&args.out)?;
    let world = World::find(&args.paths, &args.access)?;
    if let Some(missing) = world.evidence.details.missing() {
        // An earlier export is not replaced by an empty one.
        world.faults()?;
        bail!("nothing is written: account authorization details: {missing}");
    }
    let now = args.as_of.unwrap_or_else(clock::now);
    let made = world
        .while_it_lasts("writing ...", || export(&world.evidence, &settings.documentation, now));
    let gone = target.write(&made.pages)?;
    tell(args, &made, gone)?;
    world.faults()?;
    if args.require_purpose && !made.lacking.is_empty() { Err(Findings.into()) } else { Ok(()) }
}

fn tell(args: &DocsExportArgs, made: &Export, gone: usize) -> anyhow::Result<()> {
    let mut out = stdout().lock();
    if args.format == Format::Json {
        let counts: serde_json::Map<_, _> =
            made.counts.iter().map(|(kind, count)| ((*kind).to_owned(), json!(count))).collect();
        let value = json!({
            "out": args.out.display().to_string(),
            "pages": made.pages.len(),
            "counts": counts,
            "removed": gone,
            "lacking": made.lacking,
        });
        writeln!(out, "{}", terminal::json(&format!("{value:#}")))?;
        out.flush()?;
        return Ok(());
    }
    let counts: Vec<String> =
        made.counts.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let path = args.out.display().to_string();
    write!(out, "{} pages in {}: {}", made.pages.len(), terminal::text(&path), counts.join(", "))?;
    if gone > 0 {
        write!(out, "; {gone} of before taken away")?;
    }
    writeln!(out)?;
    if !made.lacking.is_empty() {
        writeln!(out, "\nToo little is written about {} roles and policies:", made.lacking.len())?;
    }
    for one in made.lacking.iter().take(MOST) {
        let words: Vec<&str> = one.lacks.iter().map(|aspect| aspect.as_str()).collect();
        writeln!(out, "  {}: {}", terminal::text(&one.subject), words.join(", "))?;
    }
    if made.lacking.len() > MOST {
        writeln!(out, "  and {} more: see README.md", made.lacking.len() - MOST)?;
    }
    out.flush()?;
    Ok(())
}
