//! `bailiwick check`: custom policy checks without a server, in the form of Access Analyzer's
//! CheckNoNewAccess, CheckAccessNotGranted and CheckNoPublicAccess.

mod batch;

use std::io::{Write as _, stdout};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use bailiwick_analyzer::check::{
    self, Access, CheckFault, Checked, Kind, PublicResource, ReasonSummary,
};
use bailiwick_policy::{Document, DocumentKind};
use bailiwick_symbolic::Witness;
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use crate::audit::CheckToxicArgs;
use crate::simulate::fault::{Fault, Findings};
use crate::validate::input::text;
use crate::{Format, terminal};

/// A check.
#[derive(Debug, Subcommand)]
pub enum CheckCommand {
    /// Does a new version of a policy allow more than the old one?
    #[command(after_help = "\
Examples:
  bailiwick check no-new-access --existing main.json --new branch.json
  bailiwick check no-new-access --existing allowed.json --new bucket.json --policy-type resource
  bailiwick check no-new-access --batch pairs.jsonl > answers.jsonl

A line of --batch is {\"id\": 1, \"existing\": {...}, \"new\": {...}, \"type\": \"IDENTITY_POLICY\"}, where
policies are objects or strings with the text; its answer is {\"id\": 1, \"result\": \"PASS\" or \"FAIL\",
\"undecided\": false, \"witness\": {\"principal\", \"action\", \"resource\", \"context\"}, \"reasons\": [...]}, or
{\"id\": 1, \"error\": \"...\"} for a line that cannot be used. Exit code 0: no new access; 1: new access, or
undecided; 2: bad input (with --batch: at least one line; the others are answered).")]
    NoNewAccess(NoNewAccessArgs),
    /// Does a policy grant actions or resources that it must not?
    #[command(after_help = "\
Examples:
  bailiwick check access-not-granted --policy ci.json --action iam:PassRole 'iam:Create*'
  bailiwick check access-not-granted --policy ci.json --resource 'arn:aws:s3:::payroll/*'
  bailiwick check access-not-granted --policy b.json --policy-type resource \\
      --action s3:DeleteObject --resource 'arn:aws:s3:::logs/*'

Without --resource any resource counts, without --action any action. Exit code 0: none is granted; 1: one
is, or it is undecided; 2: bad input.")]
    AccessNotGranted(AccessNotGrantedArgs),
    /// Does a resource policy let everybody in?
    #[command(after_help = "\
Examples:
  bailiwick check no-public-access --policy bucket.json --resource-type AWS::S3::Bucket
  bailiwick check no-public-access --policy trust.json \\
      --resource-type AWS::IAM::AssumeRolePolicyDocument

A statement for everybody is not public if fixed values of a key such as aws:PrincipalOrgID,
aws:SourceVpce or aws:SourceIp (up to /8) keep strangers out. Exit code 0: it is not public; 1: it is, or
it is undecided; 2: bad input.")]
    NoPublicAccess(NoPublicAccessArgs),
    /// Would an attachment give somebody duties that are to be held apart?
    #[command(after_help = "\
Examples:
  bailiwick check toxic --attach policy.json --to arn:aws:iam::123456789012:role/ci audit/
  bailiwick check toxic --attach arn:aws:iam::aws:policy/IAMFullAccess \\
      --to arn:aws:iam::123456789012:group/operators details.json --rules duties.yaml

Told are the pairs that would be new, also of those who can assume the role. Exit code 0: none; 1: some;
2: bad input.")]
    Toxic(CheckToxicArgs),
}

/// What the policies of a check belong to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum KindArg {
    /// Users, groups and roles.
    #[default]
    #[value(alias = "IDENTITY_POLICY")]
    Identity,
    /// Resources; trust policies too.
    #[value(alias = "RESOURCE_POLICY")]
    Resource,
}

impl From<KindArg> for Kind {
    fn from(kind: KindArg) -> Self {
        match kind {
            KindArg::Identity => Self::Identity,
            KindArg::Resource => Self::Resource,
        }
    }
}

/// Flags of `check no-new-access`.
#[derive(Args, Debug)]
pub struct NoNewAccessArgs {
    /// The policy that may not be exceeded; `-` for standard input
    #[arg(long, value_name = "FILE", required_unless_present = "batch", requires = "new")]
    pub existing: Option<PathBuf>,
    /// The policy that is checked; `-` for standard input
    #[arg(long, value_name = "FILE", required_unless_present = "batch", requires = "existing")]
    pub new: Option<PathBuf>,
    /// What the policies belong to
    #[arg(long, value_name = "TYPE", default_value = "identity", ignore_case = true)]
    pub policy_type: KindArg,
    /// Answer many: a JSON object on each line of a file, or of standard input for `-`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["existing", "new", "policy_type", "format"])]
    pub batch: Option<PathBuf>,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
}

/// Flags of `check access-not-granted`.
#[derive(Args, Debug)]
pub struct AccessNotGrantedArgs {
    /// The policy; `-` for standard input
    #[arg(long, value_name = "FILE")]
    pub policy: PathBuf,
    /// What the policy belongs to
    #[arg(long, value_name = "TYPE", default_value = "identity", ignore_case = true)]
    pub policy_type: KindArg,
    /// Actions as in a policy, such as s3:Get*; at most 100
    #[arg(long, value_name = "ACTION", num_args = 1.., required_unless_present = "resource")]
    pub action: Vec<String>,
    /// ARNs as in a policy; at most 100
    #[arg(long, value_name = "ARN", num_args = 1..)]
    pub resource: Vec<String>,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
}

/// Flags of `check no-public-access`.
#[derive(Args, Debug)]
pub struct NoPublicAccessArgs {
    /// The policy; `-` for standard input
    #[arg(long, value_name = "FILE")]
    pub policy: PathBuf,
    /// What it belongs to, such as AWS::S3::Bucket
    #[arg(long, value_name = "TYPE")]
    pub resource_type: PublicResourceArg,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
}

/// A resource type's name in the API.
#[derive(Clone, Copy, Debug)]
pub struct PublicResourceArg(PublicResource);

impl FromStr for PublicResourceArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        PublicResource::parse(text).map(Self).ok_or_else(|| {
            let known: Vec<&str> = PublicResource::all().map(PublicResource::as_str).collect();
            format!("one of {}", known.join(", "))
        })
    }
}

/// An answer as it is written.
#[derive(Serialize)]
struct Told<'a> {
    result: &'static str,
    undecided: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    witness: Option<&'a Witness>,
    reasons: &'a [ReasonSummary],
}

impl<'a> Told<'a> {
    fn of(checked: &'a Checked) -> Self {
        Self {
            result: if checked.passed { "PASS" } else { "FAIL" },
            undecided: checked.undecided,
            message: Some(&checked.message),
            witness: checked.witness.as_ref(),
            reasons: &checked.reasons,
        }
    }
}

/// A policy file of a check.
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) text: String,
}

impl File {
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let name = if path.as_os_str() == "-" {
            "standard input".to_owned()
        } else {
            path.display().to_string()
        };
        Ok(Self { name, text: text(path)? })
    }

    /// What is wrong with the policy, at its place.
    pub(crate) fn fault(&self, fault: &CheckFault) -> anyhow::Error {
        match fault {
            CheckFault::Policy { error, .. } => {
                let at = (error.line, error.column);
                Fault::new(&self.name, &self.text, at, error.problem.to_string()).into()
            }
            other => anyhow::anyhow!("{other}"),
        }
    }
}

pub(crate) fn run(command: &CheckCommand) -> anyhow::Result<()> {
    match command {
        CheckCommand::Toxic(args) => crate::audit::run_check(args),
        CheckCommand::NoNewAccess(args) => no_new_access(args),
        CheckCommand::AccessNotGranted(args) => {
            let policy = File::read(&args.policy)?;
            let access = Access { actions: args.action.clone(), resources: args.resource.clone() };
            let kind = Kind::from(args.policy_type);
            let checked = check::access_not_granted(&policy.text, &[access], kind);
            tell(&checked.map_err(|fault| policy.fault(&fault))?, &policy, kind, args.format)
        }
        CheckCommand::NoPublicAccess(args) => {
            let policy = File::read(&args.policy)?;
            let checked = check::no_public_access(&policy.text, args.resource_type.0);
            let checked = checked.map_err(|fault| policy.fault(&fault))?;
            tell(&checked, &policy, Kind::Resource, args.format)
        }
    }
}

fn no_new_access(args: &NoNewAccessArgs) -> anyhow::Result<()> {
    if let Some(path) = &args.batch {
        return batch::run(path);
    }
    let (Some(existing), Some(new)) = (&args.existing, &args.new) else {
        anyhow::bail!("give --existing and --new, or --batch");
    };
    if existing.as_os_str() == "-" && new.as_os_str() == "-" {
        anyhow::bail!("standard input can be read once only");
    }
    let (existing, new) = (File::read(existing)?, File::read(new)?);
    let kind = Kind::from(args.policy_type);
    let checked = check::no_new_access(&existing.text, &new.text, kind).map_err(|fault| {
        let of_new = matches!(fault, CheckFault::Policy { parameter: "newPolicyDocument", .. });
        if of_new { new.fault(&fault) } else { existing.fault(&fault) }
    })?;
    tell(&checked, &new, kind, args.format)
}

/// Prints an answer; `policy` is the one whose statements the reasons name.
fn tell(checked: &Checked, policy: &File, kind: Kind, format: Format) -> anyhow::Result<()> {
    let mut out = stdout().lock();
    match format {
        Format::Json => {
            let told = serde_json::to_string_pretty(&Told::of(checked))?;
            writeln!(out, "{}", terminal::json(&told))?;
        }
        Format::Table => {
            let told = Told::of(checked);
            let open = if checked.undecided { " (undecided)" } else { "" };
            writeln!(out, "{}{open}: {}", told.result, terminal::text(&checked.message))?;
            let kind = match kind {
                Kind::Identity => DocumentKind::Identity,
                Kind::Resource => DocumentKind::Resource,
            };
            let document = Document::parse(&policy.text, kind).ok();
            for reason in &checked.reasons {
                let place = document.as_ref().and_then(|document| {
                    let statement = document.statements().get(reason.statement_index?)?;
                    let at = document.position(statement.bytes().start);
                    Some(format!("{}:{}:{}: ", policy.name, at.line, at.column))
                });
                let line = format!("{}{}", place.unwrap_or_default(), reason.description);
                writeln!(out, "  {}", terminal::text(&line))?;
            }
            if let Some(witness) = &checked.witness {
                writeln!(out, "  for example: {}", terminal::text(&witness.to_string()))?;
            }
        }
    }
    out.flush()?;
    if checked.passed { Ok(()) } else { Err(Findings.into()) }
}
