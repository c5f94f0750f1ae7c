//! `bailiwick validate`: what is wrong with policies in files, as Access Analyzer's ValidatePolicy
//! says it, without a server.
//!
//! Every file is read, whatever is wrong with the others. One that cannot be read as JSON makes exit
//! code 2, after all findings are told.

pub(crate) mod codes;
mod excerpt;
pub(crate) mod input;
mod managed;
pub(crate) mod sarif;

use std::io::{IsTerminal as _, Write, stdout};
use std::path::PathBuf;
use std::str::FromStr;

use bailiwick_analyzer::validate::{
    Finding, FindingType, IssueCode, PolicyType, ResourceType, examine,
};
use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::json;

use crate::simulate::fault::Findings;
use crate::terminal;
use input::Input;

/// How findings are printed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum ReportFormat {
    /// For people: the lines of the file with the places marked.
    #[default]
    Table,
    /// For programs: the findings as the API has them, with the file.
    Json,
    /// For code hosts: SARIF 2.1.0.
    Sarif,
}

/// What kind of policies the files hold.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum PolicyTypeArg {
    /// Of a user, group or role; a boundary or session policy too.
    #[default]
    #[value(alias = "IDENTITY_POLICY")]
    Identity,
    /// Of a resource.
    #[value(alias = "RESOURCE_POLICY")]
    Resource,
    /// Trust policy of a role.
    #[value(alias = "AWS::IAM::AssumeRolePolicyDocument")]
    Trust,
    /// Service control policy.
    #[value(alias = "SERVICE_CONTROL_POLICY", alias = "scp")]
    ServiceControl,
    /// Resource control policy.
    #[value(alias = "RESOURCE_CONTROL_POLICY", alias = "rcp")]
    ResourceControl,
}

/// From which kind of finding on the exit code is 1.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum FailOn {
    /// Errors only.
    Error,
    /// Errors and security warnings.
    SecurityWarning,
    /// Errors and all warnings.
    #[default]
    Warning,
    /// Everything.
    Suggestion,
}

/// A resource type's name in the API.
#[derive(Clone, Copy, Debug)]
pub struct ResourceTypeArg(ResourceType);

impl FromStr for ResourceTypeArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        ResourceType::parse(text).map(Self).ok_or_else(|| {
            let known: Vec<&str> = ResourceType::ALL.iter().map(|kind| kind.as_str()).collect();
            format!("one of {}; leave it out for other types", known.join(", "))
        })
    }
}

/// Flags of `validate`.
#[derive(Args, Debug)]
pub struct ValidateArgs {
    /// Policies; folders stand for the `.json` files in them, `-` for standard input
    #[arg(value_name = "FILE", required_unless_present = "all_managed")]
    pub files: Vec<PathBuf>,
    /// What kind of policies they are
    #[arg(long, value_name = "TYPE", default_value = "identity", ignore_case = true)]
    pub policy_type: PolicyTypeArg,
    /// What a resource policy belongs to, such as AWS::S3::Bucket: switches further checks on
    #[arg(long, value_name = "TYPE")]
    pub resource_type: Option<ResourceTypeArg>,
    /// Validate the AWS managed policies that this program knows
    #[arg(long, conflicts_with_all = ["files", "policy_type", "resource_type"])]
    pub all_managed: bool,
    /// Which findings make exit code 1
    #[arg(long, value_name = "KIND", default_value = "warning")]
    pub fail_on: FailOn,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: ReportFormat,
}

/// A text with what is wrong with it.
struct Validated {
    input: Input,
    findings: Vec<Finding>,
}

/// A finding of the API with its file.
#[derive(Serialize)]
struct InFile<'a> {
    file: &'a str,
    #[serde(flatten)]
    finding: &'a Finding,
}

impl FailOn {
    pub(crate) fn counts(self, kind: FindingType) -> bool {
        kind <= match self {
            Self::Error => FindingType::Error,
            Self::SecurityWarning => FindingType::SecurityWarning,
            Self::Warning => FindingType::Warning,
            Self::Suggestion => FindingType::Suggestion,
        }
    }
}

impl ValidateArgs {
    fn types(&self) -> anyhow::Result<(PolicyType, Option<ResourceType>)> {
        let resource_type = self.resource_type.map(|found| found.0);
        let policy_type = match self.policy_type {
            PolicyTypeArg::Identity => PolicyType::Identity,
            PolicyTypeArg::Resource => PolicyType::Resource,
            PolicyTypeArg::Trust => {
                let trust = ResourceType::AssumeRolePolicyDocument;
                if resource_type.is_some_and(|found| found != trust) {
                    anyhow::bail!("a trust policy belongs to a role, not to another resource");
                }
                return Ok((PolicyType::Resource, Some(trust)));
            }
            PolicyTypeArg::ServiceControl => PolicyType::ServiceControl,
            PolicyTypeArg::ResourceControl => PolicyType::ResourceControl,
        };
        if resource_type.is_some() && policy_type != PolicyType::Resource {
            anyhow::bail!("--resource-type goes with --policy-type resource");
        }
        Ok((policy_type, resource_type))
    }
}

pub(crate) fn run(args: &ValidateArgs) -> anyhow::Result<()> {
    if args.all_managed {
        return managed::run(args);
    }
    let (policy_type, resource_type) = args.types()?;
    let (inputs, mut unreadable) = input::all(&args.files)?;
    let mut partly = Vec::new();
    let validated: Vec<Validated> = inputs
        .into_iter()
        .map(|input| {
            let found = examine(&input.text, policy_type, resource_type);
            if !found.whole {
                let name = &input.name;
                partly.push(format!("{name}: more to check than fits; some checks were left out"));
            }
            Validated { input, findings: found.findings }
        })
        .collect();
    unreadable.extend(partly);
    let mut out = stdout().lock();
    print(&mut out, args, &validated, unreadable.len())?;
    out.flush()?;
    unreadable.extend(validated.iter().filter_map(no_json));
    if !unreadable.is_empty() {
        return Err(input::Unreadable(unreadable).into());
    }
    let mut all = validated.iter().flat_map(|one| &one.findings);
    if all.any(|finding| args.fail_on.counts(finding.finding_type)) {
        return Err(Findings.into());
    }
    Ok(())
}

/// What is said of a text that is no JSON.
fn no_json(one: &Validated) -> Option<String> {
    let broken = |finding: &&Finding| finding.issue_code == IssueCode::JsonSyntaxError;
    let place = one.findings.iter().find(broken)?.locations.first()?.span.start;
    let (name, line, column) = (&one.input.name, place.line, place.column + 1);
    Some(format!("{name}:{line}:{column}: this is not JSON, so it was not checked as a policy"))
}

fn print(
    out: &mut impl Write,
    args: &ValidateArgs,
    all: &[Validated],
    unreadable: usize,
) -> std::io::Result<()> {
    match args.format {
        ReportFormat::Table => {
            let colour = stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            excerpt::print(out, all, unreadable, colour)
        }
        ReportFormat::Json => {
            let findings: Vec<InFile<'_>> = all
                .iter()
                .flat_map(|one| {
                    let file = &one.input.name;
                    one.findings.iter().map(move |finding| InFile { file, finding })
                })
                .collect();
            let files: Vec<&str> = all.iter().map(|one| one.input.name.as_str()).collect();
            let told = json!({"files": files, "findings": findings});
            writeln!(out, "{}", terminal::json(&format!("{told:#}")))
        }
        ReportFormat::Sarif => {
            writeln!(out, "{}", terminal::json(&format!("{:#}", sarif::log(all))))
        }
    }
}
