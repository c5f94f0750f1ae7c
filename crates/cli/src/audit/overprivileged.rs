//! `bailiwick audit overprivileged`: what is granted beside what is used, and the blast radius.

use std::io::{Write as _, stdout};
use std::path::PathBuf;

use bailiwick_analyzer::blast::{MOST_ROLES, Reach, Report, Row, Uses, overprivileged};
use clap::Args;
use jiff::Timestamp;

use super::given;
use crate::simulate::fault::Findings;
use crate::{Format, clock, terminal};

/// Flags of `audit overprivileged`.
#[derive(Args, Debug)]
pub struct OverprivilegedArgs {
    /// A folder as for `bailiwick audit`, or files: authorization details (pages in their order)
    #[arg(value_name = "FOLDER|FILE", required = true)]
    pub paths: Vec<PathBuf>,
    /// Print so many principals, the widest blast radius first; all with --format json
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub top: usize,
    /// Judge as of this instant, in RFC 3339 [default: now]
    #[arg(long, value_name = "INSTANT")]
    pub as_of: Option<Timestamp>,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
}

pub(super) fn run(args: &OverprivilegedArgs) -> anyhow::Result<()> {
    let evidence = given::evidence(&args.paths)?;
    let now = args.as_of.unwrap_or_else(clock::now);
    let uses = Uses::of_evidence(&evidence);
    let report = overprivileged(&evidence.estate, &uses, Some(now));
    let mut out = std::io::BufWriter::new(stdout().lock());
    match args.format {
        Format::Json => {
            writeln!(out, "{}", terminal::json(&serde_json::to_string_pretty(&report)?))?;
        }
        Format::Table => table(&mut out, &report, args.top)?,
    }
    out.flush()?;
    drop(out);
    given::whole(&evidence)?;
    if report.rows.iter().any(is_over) { Err(Findings.into()) } else { Ok(()) }
}

/// Whether somebody has more than it uses: granted services that it has never used, or a way to
/// administrator.
fn is_over(row: &Row) -> bool {
    let unused = row.used.as_ref().is_some_and(|used| used.len() < row.services.len());
    unused || row.radius.reach != Reach::Nothing
}

/// A count of roles, of which no more are counted than some.
fn roles(count: usize) -> String {
    if count < MOST_ROLES { count.to_string() } else { format!("{count}+") }
}

fn table(out: &mut impl std::io::Write, report: &Report, top: usize) -> std::io::Result<()> {
    writeln!(
        out,
        "account {}: {} users and roles, the uses of {} known",
        report.account, report.principals, report.uses_known
    )?;
    if let (Some(looked), Some(known)) = (report.resources, report.resources_known)
        && looked < known
    {
        writeln!(out, "of {known} known resources {looked} were looked at")?;
    }
    let told = report.rows.len() - report.uses_known;
    if told > 0 {
        writeln!(out, "of {told} it is not known what they use: nothing is said of that")?;
    }
    writeln!(
        out,
        "\nradius  reach      actions  services   used  ratio  changes: services  principals  resources  \
         roles  principal"
    )?;
    for row in report.rows.iter().take(top) {
        let used = row.used.as_ref().map_or("?".to_owned(), |used| used.len().to_string());
        let ratio = row.ratio.map_or("?".to_owned(), |ratio| format!("{:.0}%", 100.0 * ratio));
        let resources = row.radius.resources.map_or("?".to_owned(), |count| count.to_string());
        writeln!(
            out,
            "{:>6}  {:<9}  {:>7}  {:>8}  {used:>5}  {ratio:>5}  {:>17}  {:>10}  {resources:>9}  {:>5}  {}",
            row.radius.score,
            row.radius.reach.name(),
            row.actions,
            row.services.len(),
            row.radius.services,
            row.radius.principals,
            roles(row.radius.roles),
            terminal::text(&row.principal)
        )?;
    }
    if report.rows.len() > top {
        writeln!(out, "and {} more", report.rows.len() - top)?;
    }
    Ok(())
}
