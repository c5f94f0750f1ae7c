//! `bailiwick diff`: what a new version of a policy allows and refuses that the old one did not, in
//! words and examples.

use std::fmt::Write as _;
use std::io::{Write as _, stdout};
use std::path::PathBuf;

use bailiwick_analyzer::check::{Change, CheckFault, Difference, Kind, difference};
use bailiwick_policy::{Document, DocumentKind};
use bailiwick_symbolic::Witness;
use clap::Args;

use crate::check::{File, KindArg};
use crate::simulate::fault::Findings;
use crate::{Format, terminal};

/// Flags of `diff`.
#[derive(Args, Debug)]
pub struct DiffArgs {
    /// The old policy; `-` for standard input
    #[arg(value_name = "OLD")]
    pub old: PathBuf,
    /// The new policy; `-` for standard input
    #[arg(value_name = "NEW")]
    pub new: PathBuf,
    /// What the policies belong to
    #[arg(long, value_name = "TYPE", default_value = "identity", ignore_case = true)]
    pub policy_type: KindArg,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
}

/// A version of the policy, and how its statements are called.
struct Version {
    name: String,
    document: Option<Document>,
}

pub(crate) fn run(args: &DiffArgs) -> anyhow::Result<()> {
    if args.old.as_os_str() == "-" && args.new.as_os_str() == "-" {
        anyhow::bail!("standard input can be read once only");
    }
    let (old, new) = (File::read(&args.old)?, File::read(&args.new)?);
    let kind = Kind::from(args.policy_type);
    let found = difference(&old.text, &new.text, kind).map_err(|fault| {
        let of_new = matches!(fault, CheckFault::Policy { parameter: "newPolicyDocument", .. });
        if of_new { new.fault(&fault) } else { old.fault(&fault) }
    })?;
    let mut out = stdout().lock();
    match args.format {
        Format::Json => {
            writeln!(out, "{}", terminal::json(&serde_json::to_string_pretty(&found)?))?;
        }
        Format::Table => {
            let (old, new) = (Version::of(&old, kind), Version::of(&new, kind));
            out.write_all(told(&found, &old, &new, kind).as_bytes())?;
        }
    }
    out.flush()?;
    if found == Difference::default() { Ok(()) } else { Err(Findings.into()) }
}

impl Version {
    fn of(file: &File, kind: Kind) -> Self {
        let kind = match kind {
            Kind::Identity => DocumentKind::Identity,
            Kind::Resource => DocumentKind::Resource,
        };
        Self { name: file.name.clone(), document: Document::parse(&file.text, kind).ok() }
    }

    /// `statement 2 (Sid "Write", new.json:9:5)`, statements counted from 1.
    fn statement(&self, at: usize) -> String {
        let mut text = format!("statement {}", at + 1);
        let found = self.document.as_ref().and_then(|document| {
            let statement = document.statements().get(at)?;
            Some((document.position(statement.bytes().start), statement.sid()))
        });
        if let Some((place, sid)) = found {
            let sid = sid.map(|sid| format!("Sid \"{sid}\", ")).unwrap_or_default();
            let _ = write!(text, " ({sid}{}:{}:{})", self.name, place.line, place.column);
        }
        text
    }
}

fn told(found: &Difference, old: &Version, new: &Version, kind: Kind) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(&terminal::text(&text));
        out.push('\n');
    };
    for (list, allowing, refusing, title, may) in [
        (&found.gained, new, old, "Allowed now, and not before:", "may now"),
        (&found.lost, old, new, "Allowed before, and no longer:", "may no longer"),
    ] {
        if list.is_empty() {
            continue;
        }
        line(title.to_owned());
        let mut last = None;
        for change in list {
            if last != Some(change.allowed_by) {
                last = Some(change.allowed_by);
                let by = change.allowed_by.map(|at| allowing.statement(at));
                line(format!(
                    "  by {}",
                    by.unwrap_or_else(|| format!("{} as a whole", allowing.name))
                ));
            }
            line(format!("    {}", sentence(&change.witness, may, kind)));
            line(format!("      {}", why(change, refusing)));
        }
    }
    for reason in &found.undecided {
        line(format!("Undecided: {reason}; there may be more that differs."));
    }
    if *found == Difference::default() {
        line(format!("{} and {} allow the same requests.", old.name, new.name));
    }
    out
}

/// An example as a sentence.
fn sentence(witness: &Witness, may: &str, kind: Kind) -> String {
    let who = match kind {
        Kind::Identity => "whoever has the policy",
        Kind::Resource => witness.principal.as_str(),
    };
    let on = if witness.resource == "*" { "any resource" } else { witness.resource.as_str() };
    let mut text = format!("{who} {may} call {} on {on}", witness.action);
    for (at, (key, values)) in witness.context.iter().enumerate() {
        let joint = if at == 0 { ", for example with" } else { " and" };
        let _ = write!(text, "{joint} {key} = {}", values.join(" | "));
    }
    text
}

fn why(change: &Change, refusing: &Version) -> String {
    match change.denied_by {
        Some(at) => format!("{} denies it: {}", refusing.name, refusing.statement(at)),
        None => format!("nothing in {} allows it", refusing.name),
    }
}
