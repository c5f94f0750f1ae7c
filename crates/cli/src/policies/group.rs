//! `bailiwick policy to-group`: the policies of a user move to a group of the user's, and the same is
//! decided before and after. Without a user it lists those who have policies of their own.

use std::io::{Write as _, stdout};

use clap::Args;
use serde_json::{Value as Json, json};

use super::sample;
use crate::access::AccessArgs;
use crate::iam::{Iam, Stopped, text};
use crate::policies::{decoded, details_of};
use crate::simulate::fault::Findings;
use crate::{Format, terminal};

/// The check that is told.
const CHECK: &str = "iam-user-no-policies";

/// Flags of `policy to-group`.
#[derive(Args, Debug)]
pub struct ToGroupArgs {
    /// Whose policies to move [default: list the users that have any]
    #[arg(long, value_name = "NAME")]
    pub user_name: Option<String>,
    /// The new group [default: the user's name and `-policies`]
    #[arg(long, value_name = "NAME", requires = "user_name")]
    pub group_name: Option<String>,
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

pub(crate) fn run(args: &ToGroupArgs) -> anyhow::Result<()> {
    let iam = Iam::find(&args.access)?;
    match &args.user_name {
        Some(user) => move_to_group(&iam, user, args),
        None => list(&iam, args),
    }
}

fn list(iam: &Iam, args: &ToGroupArgs) -> anyhow::Result<()> {
    let details = details_of(iam, &["User"])?;
    let names = |user: &Json, list: &str, member: &str| -> Vec<String> {
        let found = user.get(list).and_then(Json::as_array);
        found.into_iter().flatten().map(|policy| text(policy, member).to_owned()).collect()
    };
    let mut found = Vec::new();
    for user in details.of("UserDetailList") {
        let inline = names(user, "UserPolicyList", "PolicyName");
        let attached = names(user, "AttachedManagedPolicies", "PolicyArn");
        if !(inline.is_empty() && attached.is_empty()) {
            found.push((text(user, "UserName").to_owned(), inline, attached));
        }
    }
    let mut out = stdout().lock();
    match args.format {
        Format::Json => {
            let users: Vec<Json> = found
                .iter()
                .map(|(user, inline, attached)| {
                    json!({"user": user, "inline": inline, "attached": attached})
                })
                .collect();
            let told = json!({"check": CHECK, "users": users});
            writeln!(out, "{}", terminal::json(&format!("{told:#}")))?;
        }
        Format::Table => {
            for (user, inline, attached) in &found {
                let line = format!(
                    "{CHECK}: {user}: inline {}, attached {}; bailiwick policy to-group --user-name \
                     {user}",
                    if inline.is_empty() { "none".into() } else { inline.join(", ") },
                    if attached.is_empty() { "none".into() } else { attached.join(", ") }
                );
                writeln!(out, "{}", terminal::text(&line))?;
            }
        }
    }
    out.flush()?;
    if found.is_empty() { Ok(()) } else { Err(Findings.into()) }
}

fn move_to_group(iam: &Iam, user: &str, args: &ToGroupArgs) -> anyhow::Result<()> {
    let own = ("UserName", user);
    let told = iam.call("GetUser", &[own])?;
    let arn = text(told.get("User").unwrap_or(&Json::Null), "Arn").to_owned();
    let group = args.group_name.clone().unwrap_or_else(|| format!("{user}-policies"));
    let inline = iam.list("ListUserPolicies", "PolicyNames", &[own])?;
    let inline: Vec<&str> = inline.iter().filter_map(Json::as_str).collect();
    let attached = iam.list("ListAttachedUserPolicies", "AttachedPolicies", &[own])?;
    let attached: Vec<&str> = attached.iter().map(|policy| text(policy, "PolicyArn")).collect();
    let before = sample::setting(iam, &arn)?;
    let questions = sample::questions(&before);
    let before = sample::decide(&before, &questions)?;
    let mut steps = Vec::new();
    if !(inline.is_empty() && attached.is_empty()) {
        steps.push(format!("create the group {group}"));
        let both = inline.iter().chain(&attached);
        steps.extend(both.clone().map(|policy| format!("give it {policy}")));
        steps.push(format!("add {user} to it"));
        steps.extend(both.map(|policy| format!("take {policy} from {user}")));
        if !args.dry_run {
            carry_out(iam, user, &group, &inline, &attached)?;
            let after = sample::decide(&sample::setting(iam, &arn)?, &questions)?;
            if let Some(first) = before.differences(&after).first() {
                let text =
                    format!("not all is decided as before, such as {first}: look at {group}");
                return Err(Stopped(text).into());
            }
        }
    }
    let mut out = stdout().lock();
    match args.format {
        Format::Json => {
            let told = json!({
                "user": user, "group": group, "steps": steps, "dryRun": args.dry_run,
                "requests": before.len(), "allowed": before.allowed(), "sameDecisions": !args.dry_run,
            });
            writeln!(out, "{}", terminal::json(&format!("{told:#}")))?;
        }
        Format::Table => {
            let word = if args.dry_run { "would " } else { "" };
            for step in &steps {
                writeln!(out, "{word}{}", terminal::text(step))?;
            }
            if steps.is_empty() {
                writeln!(out, "{} has no policies of their own", terminal::text(user))?;
            } else if !args.dry_run {
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

/// The group has all before the user loses any. It must be new: an older one may have members who
/// would gain rights, and policies that the user would gain.
fn carry_out(
    iam: &Iam,
    user: &str,
    group: &str,
    inline: &[&str],
    attached: &[&str],
) -> anyhow::Result<()> {
    let (own, its) = (("UserName", user), ("GroupName", group));
    iam.call("CreateGroup", &[its])?;
    for name in inline {
        let told = iam.call("GetUserPolicy", &[own, ("PolicyName", name)])?;
        let document = decoded(text(&told, "PolicyDocument"));
        iam.call("PutGroupPolicy", &[its, ("PolicyName", name), ("PolicyDocument", &document)])?;
    }
    for arn in attached {
        iam.call("AttachGroupPolicy", &[its, ("PolicyArn", arn)])?;
    }
    iam.call("AddUserToGroup", &[its, own])?;
    for name in inline {
        iam.call("DeleteUserPolicy", &[own, ("PolicyName", name)])?;
    }
    for arn in attached {
        iam.call("DetachUserPolicy", &[own, ("PolicyArn", arn)])?;
    }
    Ok(())
}
