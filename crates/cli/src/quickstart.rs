//! `bailiwick quickstart`: a beginning that is right, made on a live account and tested in suites.

use std::io::{Write as _, stdout};

use anyhow::bail;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use crate::access::AccessArgs;
use crate::iam::{Iam, Span, Stopped, text};
use crate::policies::decoded;
use crate::{Format, clock, terminal};

/// What developers may do. The suite of the examples tests the same file.
const DEVELOPERS: &str =
    include_str!("../../../examples/suite/policies/quickstart-developers.json");
const DEVELOPERS_NAME: &str = "QuickstartDevelopers";
/// Each group with the policies that it gets: of AWS by ARN, our own by name.
const GROUPS: &[(&str, &[&str])] = &[
    ("admins", &["arn:aws:iam::aws:policy/AdministratorAccess"]),
    ("developers", &[DEVELOPERS_NAME]),
    ("finance", &["arn:aws:iam::aws:policy/job-function/Billing"]),
];

/// A beginning.
#[derive(Debug, Subcommand)]
pub enum QuickstartCommand {
    /// Groups by job: admins, developers, finance
    #[command(after_help = "\
Examples:
  bailiwick quickstart groups --dry-run
  bailiwick quickstart groups

admins get AdministratorAccess, finance gets job-function/Billing, developers get the new policy
QuickstartDevelopers: everything but identity (IAM, Organizations, the account). Groups that are there
already keep what they have and get what they lack. examples/suite/quickstart.yaml tests it.")]
    Groups(GroupsArgs),
    /// A user for a program of somebody else's: one bucket, from one network, no console
    #[command(after_help = "\
Examples:
  bailiwick quickstart third-party --name wordpress --bucket wordpress-media --source-ip 203.0.113.0/24
  bailiwick quickstart third-party --name wordpress --bucket wordpress-media \\
      --source-ip 203.0.113.7/32 --rotate-every 30d --dry-run

The user has the tag `rotate-by` with a date, a policy for the one bucket from the one network over
TLS, and no password. Its key is made last, by what you run then: aws iam create-access-key.
examples/suite/quickstart.yaml tests the policy.")]
    ThirdParty(ThirdPartyArgs),
}

/// Flags of `quickstart groups`.
#[derive(Args, Debug)]
pub struct GroupsArgs {
    /// Say what would be made, and make nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
    /// Which server, with which key
    #[command(flatten)]
    pub access: AccessArgs,
}

/// Flags of `quickstart third-party`.
#[derive(Args, Debug)]
pub struct ThirdPartyArgs {
    /// The user, and the policy `third-party-NAME`
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// The one bucket
    #[arg(long, value_name = "BUCKET", value_parser = bucket)]
    pub bucket: String,
    /// The one network
    #[arg(long, value_name = "CIDR", value_parser = network)]
    pub source_ip: String,
    /// How long a key may live: the tag `rotate-by`
    #[arg(long, value_name = "TIME", default_value = "90d")]
    pub rotate_every: Span,
    /// Say what would be made, and make nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
    /// Which server, with which key
    #[command(flatten)]
    pub access: AccessArgs,
}

pub(crate) fn run(command: &QuickstartCommand) -> anyhow::Result<()> {
    match command {
        QuickstartCommand::Groups(args) => groups(args),
        QuickstartCommand::ThirdParty(args) => third_party(args),
    }
}

fn groups(args: &GroupsArgs) -> anyhow::Result<()> {
    let mut maker = Maker::new(&args.access, args.dry_run, args.format)?;
    let own = maker.policy(DEVELOPERS_NAME, DEVELOPERS, "Everything but identity")?;
    for (group, policies) in GROUPS {
        if maker.iam.maybe("GetGroup", &[("GroupName", group), ("MaxItems", "1")])?.is_none() {
            maker.make(format!("group {group}"), "CreateGroup", &[("GroupName", group)])?;
        }
        let attached = maker.iam.maybe("ListAttachedGroupPolicies", &[("GroupName", group)])?;
        let attached = attached.unwrap_or_default();
        let attached = attached.get("AttachedPolicies").and_then(Json::as_array);
        let held: Vec<&str> =
            attached.into_iter().flatten().map(|policy| text(policy, "PolicyArn")).collect();
        for policy in *policies {
            let arn =
                if policy.starts_with("arn:") { maker.partitioned(policy) } else { own.clone() };
            if !held.contains(&arn.as_str()) {
                let parameters = [("GroupName", *group), ("PolicyArn", &arn)];
                maker.make(
                    format!("{arn} attached to {group}"),
                    "AttachGroupPolicy",
                    &parameters,
                )?;
            }
        }
    }
    maker.tell(&["members: aws iam add-user-to-group --group-name developers --user-name NAME"])
}

fn third_party(args: &ThirdPartyArgs) -> anyhow::Result<()> {
    let mut maker = Maker::new(&args.access, args.dry_run, args.format)?;
    let own = ("UserName", args.name.as_str());
    if maker.iam.maybe("GetUser", &[own])?.is_some() {
        let text = format!("there is a user {}: nothing was made", args.name);
        return Err(Stopped(text).into());
    }
    let document = format!("{:#}", bucket_policy(&maker.partition, &args.bucket, &args.source_ip));
    let name = format!("third-party-{}", args.name);
    let about = format!("The bucket {} from {}", args.bucket, args.source_ip);
    let arn = maker.policy(&name, &document, &about)?;
    let rotate_by = date(args.rotate_every.after(clock::now()));
    maker.make(
        format!("user {} without a password, to be rotated by {rotate_by}", args.name),
        "CreateUser",
        &[
            own,
            ("Tags.member.1.Key", "rotate-by"),
            ("Tags.member.1.Value", &rotate_by),
            ("Tags.member.2.Key", "kind"),
            ("Tags.member.2.Value", "third-party"),
        ],
    )?;
    maker.make(
        format!("{arn} attached to {}", args.name),
        "AttachUserPolicy",
        &[own, ("PolicyArn", &arn)],
    )?;
    maker.tell(&[
        &format!("its key: aws iam create-access-key --user-name {}", args.name),
        &format!("the next: bailiwick keys rotate --user-name {} --store file:PATH", args.name),
    ])
}

/// What a program of somebody else's may do.
fn bucket_policy(partition: &str, bucket: &str, network: &str) -> Json {
    let condition = json!({
        "Bool": {"aws:SecureTransport": "true"},
        "IpAddress": {"aws:SourceIp": network},
    });
    json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Bucket", "Effect": "Allow",
                "Action": ["s3:GetBucketLocation", "s3:ListBucket"],
                "Resource": format!("arn:{partition}:s3:::{bucket}"), "Condition": condition,
            },
            {
                "Sid": "Objects", "Effect": "Allow",
                "Action": ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
                "Resource": format!("arn:{partition}:s3:::{bucket}/*"), "Condition": condition,
            },
        ],
    })
}

fn date(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}

/// The name of a bucket, and no pattern of several.
fn bucket(text: &str) -> Result<String, String> {
    let fine = (3..=63).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-".contains(&b));
    if fine { Ok(text.to_owned()) } else { Err("not the name of a bucket".into()) }
}

/// A network that is not all of them.
fn network(text: &str) -> Result<String, String> {
    let wrong = || "not a network such as 203.0.113.0/24".to_owned();
    let (address, length) = text.split_once('/').ok_or_else(wrong)?;
    let address: std::net::IpAddr = address.parse().map_err(|_| wrong())?;
    let length: u8 = length.parse().map_err(|_| wrong())?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    if length == 0 {
        return Err("all networks are no limit".into());
    }
    if length > most { Err(wrong()) } else { Ok(text.to_owned()) }
}

/// Makes things and tells them.
struct Maker {
    iam: Iam,
    account: String,
    partition: String,
    dry_run: bool,
    format: Format,
    made: Vec<String>,
}

impl Maker {
    fn new(access: &AccessArgs, dry_run: bool, format: Format) -> anyhow::Result<Self> {
        let iam = Iam::find(access)?;
        let caller = iam.call_service("sts", "GetCallerIdentity", &[])?;
        let partition = text(&caller, "Arn").split(':').nth(1).unwrap_or("aws").to_owned();
        let account = text(&caller, "Account").to_owned();
        Ok(Self { iam, account, partition, dry_run, format, made: Vec::new() })
    }

    /// An ARN of AWS's in the partition of the account.
    fn partitioned(&self, arn: &str) -> String {
        arn.replacen("arn:aws:", &format!("arn:{}:", self.partition), 1)
    }

    /// A customer managed policy of this text; one that is there must have it.
    fn policy(&mut self, name: &str, document: &str, about: &str) -> anyhow::Result<String> {
        let arn = format!("arn:{}:iam::{}:policy/{name}", self.partition, self.account);
        match self.iam.maybe("GetPolicy", &[("PolicyArn", &arn)])? {
            None => {
                let parameters =
                    [("PolicyName", name), ("PolicyDocument", document), ("Description", about)];
                self.make(format!("policy {arn}"), "CreatePolicy", &parameters)?;
            }
            Some(held) => {
                let policy = held.get("Policy").unwrap_or(&Json::Null);
                let version = text(policy, "DefaultVersionId");
                let told = self
                    .iam
                    .call("GetPolicyVersion", &[("PolicyArn", &arn), ("VersionId", version)])?;
                let version = told.get("PolicyVersion").unwrap_or(&Json::Null);
                if decoded(text(version, "Document")) != document {
                    bail!("there is a policy {arn} with another text");
                }
            }
        }
        Ok(arn)
    }

    fn make(
        &mut self,
        what: String,
        operation: &str,
        parameters: &[(&str, &str)],
    ) -> anyhow::Result<()> {
        if !self.dry_run {
            self.iam.call(operation, parameters)?;
        }
        self.made.push(what);
        Ok(())
    }

    fn tell(&self, next: &[&str]) -> anyhow::Result<()> {
        let mut out = stdout().lock();
        match self.format {
            Format::Json => {
                let told = json!({"made": self.made, "dryRun": self.dry_run});
                writeln!(out, "{}", terminal::json(&format!("{told:#}")))?;
            }
            Format::Table => {
                let word = if self.dry_run { "would make" } else { "made" };
                for what in &self.made {
                    writeln!(out, "{word} {}", terminal::text(what))?;
                }
                if self.made.is_empty() {
                    writeln!(out, "all is there already")?;
                }
                for line in next {
                    writeln!(out, "{}", terminal::text(line))?;
                }
            }
        }
        Ok(out.flush()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the suite tests is what is made (mission row M43).
    #[test]
    fn the_template_is_the_one_that_the_suite_tests() {
        let file = include_str!("../../../examples/suite/policies/third-party.json");
        let tested: Json = serde_json::from_str(file).unwrap();
        assert_eq!(bucket_policy("aws", "wordpress-media", "203.0.113.0/24"), tested);
    }

    #[test]
    fn a_limit_is_a_limit() {
        for (text, fine) in [
            ("203.0.113.0/24", true),
            ("203.0.113.7/32", true),
            ("2001:db8::/32", true),
            ("0.0.0.0/0", false),
            ("::/0", false),
            ("203.0.113.0", false),
            ("203.0.113.0/33", false),
            ("x/1", false),
        ] {
            assert_eq!(network(text).is_ok(), fine, "{text}");
        }
        for (text, fine) in
            [("wordpress-media", true), ("*", false), ("a/b", false), ("Aaa", false)]
        {
            assert_eq!(bucket(text).is_ok(), fine, "{text}");
        }
    }
}
