//! `bailiwick policy convert-inline`: an inline policy of a user becomes a managed one, and the same
//! is decided before and after.

use std::io::{Write as _, stdout};

use anyhow::{Context, bail};
use clap::Args;
use serde_json::{Value as Json, json};

use super::sample;
use crate::access::AccessArgs;
use crate::iam::{Iam, Stopped, tags, text};
use crate::policies::decoded;
use crate::{Format, terminal};

/// The tag of a managed policy that was made here.
const TAG: &str = "bailiwick:converted-from";

/// Flags of `policy convert-inline`.
#[derive(Args, Debug)]
pub struct ConvertInlineArgs {
    /// Whose inline policy
    #[arg(long, value_name = "NAME")]
    pub user_name: String,
    /// Which one
    #[arg(long, value_name = "NAME")]
    pub policy_name: String,
    /// What the managed policy is called [default: as the inline one]
    #[arg(long, value_name = "NAME")]
    pub managed_name: Option<String>,
    /// Back again: put the inline policy on the user and take the managed one away
    #[arg(long)]
    pub undo: bool,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
    /// Which server, with which key
    #[command(flatten)]
    pub access: AccessArgs,
}

pub(crate) fn run(args: &ConvertInlineArgs) -> anyhow::Result<()> {
    let iam = Iam::find(&args.access)?;
    let user = iam.call("GetUser", &[("UserName", &args.user_name)])?;
    let arn = text(user.get("User").unwrap_or(&Json::Null), "Arn").to_owned();
    let before = sample::setting(&iam, &arn)?;
    let questions = sample::questions(&before);
    let before = sample::decide(&before, &questions)?;
    let mut steps = Vec::new();
    if args.undo {
        back(&iam, args, &arn, &mut steps)?;
    } else {
        there(&iam, args, &arn, &mut steps)?;
    }
    let mut told = json!({
        "user": args.user_name, "steps": steps, "dryRun": args.dry_run,
        "requests": before.len(), "allowed": before.allowed(),
    });
    if !args.dry_run {
        let after = sample::decide(&sample::setting(&iam, &arn)?, &questions)?;
        let differences = before.differences(&after);
        if let Some(first) = differences.first() {
            let text = format!(
                "{} of {} sampled requests are decided in another way, such as {first}: look at the \
                 policies of {}",
                differences.len(),
                before.len(),
                args.user_name
            );
            return Err(Stopped(text).into());
        }
        if let Some(fields) = told.as_object_mut() {
            fields.insert("sameDecisions".into(), true.into());
        }
    }
    let mut out = stdout().lock();
    match args.format {
        Format::Json => writeln!(out, "{}", terminal::json(&format!("{told:#}")))?,
        Format::Table => {
            let word = if args.dry_run { "would " } else { "" };
            for step in &steps {
                writeln!(out, "{word}{}", terminal::text(step))?;
            }
            if !args.dry_run {
                writeln!(
                    out,
                    "the same decisions before and after: {} requests, {} of them allowed",
                    before.len(),
                    before.allowed()
                )?;
            }
        }
    }
    Ok(out.flush()?)
}

/// The managed policy of the name that is meant, in the account of the user.
fn managed_arn(args: &ConvertInlineArgs, user: &str) -> anyhow::Result<String> {
    let name = args.managed_name.as_ref().unwrap_or(&args.policy_name);
    let (head, _) = user.split_once(":user/").context("the user has no ARN")?;
    Ok(format!("{head}:policy/{name}"))
}

/// Attach first, delete then: there is no moment without the policy.
fn there(
    iam: &Iam,
    args: &ConvertInlineArgs,
    user: &str,
    steps: &mut Vec<String>,
) -> anyhow::Result<()> {
    let own = ("UserName", args.user_name.as_str());
    let inline = ("PolicyName", args.policy_name.as_str());
    let told = iam.call("GetUserPolicy", &[own, inline])?;
    let document = decoded(text(&told, "PolicyDocument"));
    let arn = managed_arn(args, user)?;
    let name = args.managed_name.as_ref().unwrap_or(&args.policy_name);
    let origin = format!("user/{}/{}", args.user_name, args.policy_name);
    steps.push(format!("create the managed policy {arn}"));
    steps.push(format!("attach it to {}", args.user_name));
    steps.push(format!("delete the inline policy {}", args.policy_name));
    if args.dry_run {
        return Ok(());
    }
    // A run that ended in the middle left a policy with our tag: it is taken if it is the same.
    match iam.maybe("GetPolicy", &[("PolicyArn", &arn)])? {
        None => {
            let description = format!("Converted from the inline policy {origin}");
            let parameters = [
                ("PolicyName", name.as_str()),
                ("PolicyDocument", &document),
                ("Description", &description),
                ("Tags.member.1.Key", TAG),
                ("Tags.member.1.Value", &origin),
            ];
            iam.call("CreatePolicy", &parameters)?;
        }
        Some(held) if ours(&held, &origin) && newest(iam, &held)? == document => {}
        Some(_) => bail!("there is a policy {arn}: choose another name with --managed-name"),
    }
    iam.call("AttachUserPolicy", &[own, ("PolicyArn", &arn)])?;
    iam.call("DeleteUserPolicy", &[own, inline]).map(drop)
}

fn back(
    iam: &Iam,
    args: &ConvertInlineArgs,
    user: &str,
    steps: &mut Vec<String>,
) -> anyhow::Result<()> {
    let own = ("UserName", args.user_name.as_str());
    let arn = managed_arn(args, user)?;
    let origin = format!("user/{}/{}", args.user_name, args.policy_name);
    let held = iam.maybe("GetPolicy", &[("PolicyArn", &arn)])?;
    let held = held
        .filter(|held| ours(held, &origin))
        .with_context(|| format!("there is no policy {arn} that was converted from {origin}"))?;
    let document = newest(iam, &held)?;
    steps.push(format!("put the inline policy {} on {}", args.policy_name, args.user_name));
    steps.push(format!("detach {arn} from {}", args.user_name));
    let policy = held.get("Policy").unwrap_or(&Json::Null);
    let alone = policy.get("AttachmentCount").and_then(Json::as_i64) == Some(1)
        && policy.get("PermissionsBoundaryUsageCount").and_then(Json::as_i64).unwrap_or(0) == 0;
    if alone {
        steps.push(format!("delete {arn}, which nobody else has"));
    }
    if args.dry_run {
        return Ok(());
    }
    let parameters =
        [own, ("PolicyName", args.policy_name.as_str()), ("PolicyDocument", &document)];
    iam.call("PutUserPolicy", &parameters)?;
    iam.call("DetachUserPolicy", &[own, ("PolicyArn", &arn)])?;
    if alone {
        for version in iam.list("ListPolicyVersions", "Versions", &[("PolicyArn", &arn)])? {
            if version.get("IsDefaultVersion").and_then(Json::as_bool) != Some(true) {
                let id = ("VersionId", text(&version, "VersionId"));
                iam.call("DeletePolicyVersion", &[("PolicyArn", &arn), id])?;
            }
        }
        iam.call("DeletePolicy", &[("PolicyArn", &arn)])?;
    }
    Ok(())
}

/// Whether a policy was converted from this inline one.
fn ours(held: &Json, origin: &str) -> bool {
    let policy = held.get("Policy").unwrap_or(&Json::Null);
    tags(policy).contains(&(TAG, origin))
}

/// The text of a policy's default version.
fn newest(iam: &Iam, held: &Json) -> anyhow::Result<String> {
    let policy = held.get("Policy").unwrap_or(&Json::Null);
    let parameters =
        [("PolicyArn", text(policy, "Arn")), ("VersionId", text(policy, "DefaultVersionId"))];
    let told = iam.call("GetPolicyVersion", &parameters)?;
    Ok(decoded(text(told.get("PolicyVersion").unwrap_or(&Json::Null), "Document")))
}
