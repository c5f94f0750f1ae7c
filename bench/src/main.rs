//! The engine beside its peers, all in one process run: `cargo xtask bench engine`.
//!
//! Every engine first answers the questions; only right answers are timed. Rounds of all engines
//! take turns, so that a machine whose speed drifts treats all alike. The figures are written as
//! JSON, and the tables and the plot of `docs/` are made from that JSON.

mod allocations;
mod engines;
mod globs;
mod measure;
mod mix;
mod plot;
mod report;
mod run;
mod workload;

use std::path::PathBuf;

use anyhow::Context as _;

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

const USAGE: &str =
    "usage: bailiwick-bench [--folder DIR] [--json FILE] [--docs DIR] [--from FILE] [--quick]

  --folder DIR  where iam-simulate.mjs lies (default: .)
  --json FILE   write all figures there
  --docs DIR    renew the engine's section of DIR/performance.md and DIR/engine.svg
  --from FILE   measure nothing, take the figures from an earlier --json FILE
  --quick       fewer rounds, and at most 1,000 policies";

struct Options {
    folder: PathBuf,
    json: Option<PathBuf>,
    docs: Option<PathBuf>,
    from: Option<PathBuf>,
    quick: bool,
}

fn options() -> anyhow::Result<Option<Options>> {
    let mut options =
        Options { folder: PathBuf::from("."), json: None, docs: None, from: None, quick: false };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut path = || {
            arguments.next().map(PathBuf::from).with_context(|| format!("`{argument}` of what?"))
        };
        match argument.as_str() {
            "--folder" => options.folder = path()?,
            "--json" => options.json = Some(path()?),
            "--docs" => options.docs = Some(path()?),
            "--from" => options.from = Some(path()?),
            "--quick" => options.quick = true,
            "--help" | "-h" => return Ok(None),
            other => anyhow::bail!("unknown argument `{other}`\n\n{USAGE}"),
        }
    }
    Ok(Some(options))
}

fn main() -> anyhow::Result<()> {
    let Some(options) = options()? else {
        println!("{USAGE}");
        return Ok(());
    };
    let figures = match &options.from {
        Some(file) => serde_json::from_str(&std::fs::read_to_string(file)?)?,
        None => run::everything(&options.folder, options.quick)?,
    };
    println!("{}", report::tables(&figures));
    if let Some(file) = &options.json {
        let text = serde_json::to_string_pretty(&figures)?;
        std::fs::write(file, text + "\n").with_context(|| file.display().to_string())?;
    }
    if let Some(folder) = &options.docs {
        report::write(folder, &figures)?;
        std::fs::write(folder.join("engine.svg"), plot::curves(&figures))?;
    }
    Ok(())
}
