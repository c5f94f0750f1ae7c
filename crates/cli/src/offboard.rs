//! `bailiwick offboard`: everything with which a user could still act is taken away, and noted so that
//! it can be given back.

mod owned;
mod sessions;

use std::fs;
use std::io::{Write as _, stdout};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::access::AccessArgs;
use crate::iam::{Iam, Stopped, text};
use crate::{Format, clock, terminal};

/// The inline policy that forbids everything.
pub(crate) const DENY: &str = "BailiwickOffboarded";
const DENY_ALL: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Offboarded","Effect":"Deny","Action":"*","Resource":"*"}]}"#;
const TAG: &str = "bailiwick:offboarded";
/// A record is no longer.
const MAX_RECORD: u64 = 16 * 1024 * 1024;

/// Flags of `offboard`.
#[derive(Args, Debug)]
pub struct OffboardArgs {
    /// Who leaves
    #[arg(value_name = "USER")]
    pub user: String,
    /// Write what was changed, and what she owned, to this new file, mode 0600 [default:
    /// offboard-USER-TIME.json]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["undo", "delete"])]
    pub record: Option<PathBuf>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Give back what can be given back, as this record says
    #[arg(long, value_name = "FILE", conflicts_with = "delete")]
    pub undo: Option<PathBuf>,
    /// Delete the user for good; only one who was offboarded before
    #[arg(long)]
    pub delete: bool,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
    /// Which server, with which key
    #[command(flatten)]
    pub access: AccessArgs,
}

/// One thing that was taken away.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
enum Change {
    /// A policy that forbids everything was put on the user.
    DenyAll { policy: String },
    /// An active access key was made inactive.
    AccessKey { id: String },
    /// The password was deleted. It cannot be given back.
    Password,
    /// The user's sessions of a role were revoked.
    RoleSessions { role: String, policy: String },
    /// An MFA device was taken from the user. Its codes are needed to give it back.
    MfaDevice { serial: String },
    /// An active SSH public key was made inactive.
    SshPublicKey { id: String },
    /// An active service-specific credential was made inactive.
    ServiceCredential { id: String, service: String },
    /// An active signing certificate was made inactive.
    SigningCertificate { id: String },
}

/// What `--undo` reads.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Record {
    version: u32,
    user: String,
    arn: String,
    /// The unique id: a user of the same name who came later is another.
    id: String,
    at: Timestamp,
    changes: Vec<Change>,
    owned: Json,
}

pub(crate) fn run(args: &OffboardArgs) -> anyhow::Result<()> {
    let iam = Iam::find(&args.access)?;
    let user = iam.call("GetUser", &[("UserName", &args.user)])?;
    let user = user.get("User").cloned().unwrap_or_default();
    let leaver = Leaver {
        iam,
        name: text(&user, "UserName").to_owned(),
        id: text(&user, "UserId").to_owned(),
        arn: text(&user, "Arn").to_owned(),
    };
    if let Some(path) = &args.undo {
        return leaver.undo(path, args);
    }
    let held = leaver.list("ListAccessKeys", "AccessKeyMetadata")?;
    if held.iter().any(|key| text(key, "AccessKeyId") == leaver.iam.key_id) {
        bail!("this command calls with a key of {}: use another administrator's", leaver.name);
    }
    if args.delete { leaver.delete(args) } else { leaver.offboard(args) }
}

struct Leaver {
    iam: Iam,
    name: String,
    id: String,
    arn: String,
}

impl Leaver {
    fn offboard(&self, args: &OffboardArgs) -> anyhow::Result<()> {
        let now = Timestamp::from_second(clock::now().as_second())?;
        let sessions = sessions::of(self, now)?;
        let changes = self.plan(&sessions)?;
        let record = Record {
            version: 1,
            user: self.name.clone(),
            arn: self.arn.clone(),
            id: self.id.clone(),
            at: now,
            owned: owned::report(&self.iam, &self.name, &self.arn, &self.id)?,
            changes,
        };
        if args.dry_run {
            return tell(args.format, &record, None, true);
        }
        let path = match &args.record {
            Some(path) => path.clone(),
            None => format!("offboard-{}-{}.json", self.name, now.as_second()).into(),
        };
        // Written first: whatever ends this run, the record knows all that it may have changed.
        save(&path, &record)?;
        // One thing that cannot be taken away, such as for want of room for the policy, keeps none
        // of the others.
        let failed: Vec<String> = record
            .changes
            .iter()
            .filter_map(|change| {
                let error = self.apply(change, &sessions, now).err()?;
                Some(format!("could not {}: {error:#}", change.told()))
            })
            .collect();
        if !failed.is_empty() {
            let text = format!(
                "offboarding is not complete, run it again: {} of {} steps are done (record: `{}`)\n  {}",
                record.changes.len().saturating_sub(failed.len()),
                record.changes.len(),
                path.display(),
                failed.join("\n  ")
            );
            return Err(Stopped(text).into());
        }
        self.iam.call(
            "TagUser",
            &[
                ("UserName", &self.name),
                ("Tags.member.1.Key", TAG),
                ("Tags.member.1.Value", &now.to_string()),
            ],
        )?;
        tell(args.format, &record, Some(&path), false)
    }

    /// What there is to take away. First what stops every call at once.
    fn plan(&self, sessions: &[sessions::Revoked]) -> anyhow::Result<Vec<Change>> {
        let mut changes = vec![Change::DenyAll { policy: DENY.into() }];
        let active = |item: &&Json| text(item, "Status") == "Active";
        let id = |item: &Json, member: &str| text(item, member).to_owned();
        let keys = self.list("ListAccessKeys", "AccessKeyMetadata")?;
        changes.extend(
            keys.iter().filter(active).map(|key| Change::AccessKey { id: id(key, "AccessKeyId") }),
        );
        if self.iam.maybe("GetLoginProfile", &[("UserName", &self.name)])?.is_some() {
            changes.push(Change::Password);
        }
        changes.extend(sessions.iter().map(|revoked| Change::RoleSessions {
            role: revoked.role.clone(),
            policy: self.revocation(),
        }));
        let devices = self.list("ListMFADevices", "MFADevices")?;
        changes.extend(
            devices.iter().map(|one| Change::MfaDevice { serial: id(one, "SerialNumber") }),
        );
        let ssh = self.list("ListSSHPublicKeys", "SSHPublicKeys")?;
        changes.extend(
            ssh.iter()
                .filter(active)
                .map(|one| Change::SshPublicKey { id: id(one, "SSHPublicKeyId") }),
        );
        let told = self.iam.call("ListServiceSpecificCredentials", &[("UserName", &self.name)])?;
        let services = told.get("ServiceSpecificCredentials").and_then(Json::as_array);
        changes.extend(services.into_iter().flatten().filter(active).map(|one| {
            Change::ServiceCredential {
                id: id(one, "ServiceSpecificCredentialId"),
                service: id(one, "ServiceName"),
            }
        }));
        let certificates = self.list("ListSigningCertificates", "Certificates")?;
        changes.extend(
            certificates
                .iter()
                .filter(active)
                .map(|one| Change::SigningCertificate { id: id(one, "CertificateId") }),
        );
        Ok(changes)
    }

    fn apply(
        &self,
        change: &Change,
        sessions: &[sessions::Revoked],
        now: Timestamp,
    ) -> anyhow::Result<()> {
        let own = ("UserName", self.name.as_str());
        match change {
            Change::DenyAll { policy } => self.iam.call(
                "PutUserPolicy",
                &[own, ("PolicyName", policy), ("PolicyDocument", DENY_ALL)],
            )?,
            Change::Password => self.iam.call("DeleteLoginProfile", &[own])?,
            Change::RoleSessions { role, policy } => {
                let Some(revoked) = sessions.iter().find(|revoked| revoked.role == *role) else {
                    return Ok(());
                };
                let document = revoked.policy(now);
                let parameters = [
                    ("RoleName", role.as_str()),
                    ("PolicyName", policy),
                    ("PolicyDocument", &document),
                ];
                self.iam.call("PutRolePolicy", &parameters)?
            }
            Change::MfaDevice { serial } => {
                self.iam.call("DeactivateMFADevice", &[own, ("SerialNumber", serial)])?
            }
            _ => self.set_status(change, "Inactive")?,
        };
        Ok(())
    }

    fn set_status(&self, change: &Change, status: &str) -> anyhow::Result<Json> {
        let (operation, member, id) = match change {
            Change::AccessKey { id } => ("UpdateAccessKey", "AccessKeyId", id),
            Change::SshPublicKey { id } => ("UpdateSSHPublicKey", "SSHPublicKeyId", id),
            Change::ServiceCredential { id, .. } => {
                ("UpdateServiceSpecificCredential", "ServiceSpecificCredentialId", id)
            }
            Change::SigningCertificate { id } => ("UpdateSigningCertificate", "CertificateId", id),
            _ => return Ok(Json::Null),
        };
        self.iam.call(operation, &[("UserName", &self.name), (member, id), ("Status", status)])
    }

    /// Gives back what can be given back. The policy that forbids everything goes last.
    fn undo(&self, path: &Path, args: &OffboardArgs) -> anyhow::Result<()> {
        let read = crate::simulate::fault::read(path, MAX_RECORD)?;
        let record: Record = serde_json::from_str(&read).with_context(|| {
            format!("`{}` is no record of `bailiwick offboard`", path.display())
        })?;
        if record.version != 1 {
            bail!("`{}` is a record of a newer version", path.display());
        }
        if record.id != self.id {
            bail!(
                "`{}` is about {} ({}), not about {}",
                path.display(),
                record.user,
                record.id,
                self.id
            );
        }
        let mut lines = Vec::new();
        for change in record.changes.iter().rev() {
            let line = match change {
                Change::Password => format!(
                    "the password is gone: aws iam create-login-profile --user-name {} \
                     --password ... --password-reset-required",
                    self.name
                ),
                Change::MfaDevice { serial } => format!(
                    "the MFA device {serial} needs two of its codes: aws iam enable-mfa-device \
                     --user-name {} --serial-number {serial} ...",
                    self.name
                ),
                _ => format!("given back: {}", change.thing()),
            };
            if !args.dry_run {
                let own = ("UserName", self.name.as_str());
                match change {
                    Change::DenyAll { policy } => {
                        self.iam.maybe("DeleteUserPolicy", &[own, ("PolicyName", policy)])?;
                    }
                    Change::RoleSessions { role, policy } => {
                        let named = [("RoleName", role.as_str()), ("PolicyName", policy)];
                        self.iam.maybe("DeleteRolePolicy", &named)?;
                    }
                    Change::Password | Change::MfaDevice { .. } => {}
                    _ => {
                        // What was deleted since cannot come back; the rest still can.
                        self.set_status(change, "Active").or_else(|error| {
                            if crate::iam::is_code(&error, "NoSuchEntity") {
                                Ok(Json::Null)
                            } else {
                                Err(error)
                            }
                        })?;
                    }
                }
            }
            lines.push(line);
        }
        if !args.dry_run {
            self.iam.call("UntagUser", &[("UserName", &self.name), ("TagKeys.member.1", TAG)])?;
        }
        let mut out = stdout().lock();
        match args.format {
            Format::Table => {
                for line in &lines {
                    writeln!(out, "{}", terminal::text(line))?;
                }
            }
            Format::Json => {
                let told = json!({"user": self.name, "undone": lines, "dryRun": args.dry_run});
                writeln!(out, "{}", terminal::json(&format!("{told:#}")))?;
            }
        }
        Ok(out.flush()?)
    }

    /// Deletes the user and all that hangs on her.
    fn delete(&self, args: &OffboardArgs) -> anyhow::Result<()> {
        let own = ("UserName", self.name.as_str());
        if self.iam.maybe("GetUserPolicy", &[own, ("PolicyName", DENY)])?.is_none() {
            let text =
                format!("{0} is not offboarded: run `bailiwick offboard {0}` first", self.name);
            return Err(Stopped(text).into());
        }
        let mut done = Vec::new();
        for (list, items, member, parameter, operation) in PARTS {
            let found = if *list == "ListServiceSpecificCredentials" {
                let mut told = self.iam.call(list, &[own])?;
                match told.get_mut(items).map(Json::take) {
                    Some(Json::Array(found)) => found,
                    _ => Vec::new(),
                }
            } else {
                self.list(list, items)?
            };
            // The policy that forbids everything stays until the user goes.
            let id = |item: &Json| item.as_str().unwrap_or_else(|| text(item, member)).to_owned();
            let mut ids: Vec<String> = found.iter().map(id).collect();
            ids.sort_by_key(|id| id == DENY);
            for id in ids {
                done.push(format!("{operation} {id}"));
                if !args.dry_run {
                    self.iam.call(operation, &[own, (parameter, &id)])?;
                }
            }
        }
        done.push(format!("DeleteUser {}", self.name));
        if !args.dry_run {
            self.iam.maybe("DeleteLoginProfile", &[own])?;
            self.iam.call("DeleteUser", &[own])?;
        }
        let mut out = stdout().lock();
        match args.format {
            Format::Table => {
                for line in &done {
                    let word = if args.dry_run { "would do: " } else { "" };
                    writeln!(out, "{word}{}", terminal::text(line))?;
                }
            }
            Format::Json => {
                let told = json!({"user": self.name, "deleted": done, "dryRun": args.dry_run});
                writeln!(out, "{}", terminal::json(&format!("{told:#}")))?;
            }
        }
        Ok(out.flush()?)
    }

    fn list(&self, operation: &str, member: &str) -> anyhow::Result<Vec<Json>> {
        self.iam.list(operation, member, &[("UserName", &self.name)])
    }

    /// The name of the policy that revokes the user's sessions of a role.
    fn revocation(&self) -> String {
        let name: String = self.name.chars().take(90).collect();
        format!("BailiwickRevokedSessions-{name}")
    }
}

/// What hangs on a user: how it is listed, what tells one from the other, and how it goes away.
const PARTS: &[(&str, &str, &str, &str, &str)] = &[
    ("ListAccessKeys", "AccessKeyMetadata", "AccessKeyId", "AccessKeyId", "DeleteAccessKey"),
    ("ListMFADevices", "MFADevices", "SerialNumber", "SerialNumber", "DeactivateMFADevice"),
    (
        "ListSSHPublicKeys",
        "SSHPublicKeys",
        "SSHPublicKeyId",
        "SSHPublicKeyId",
        "DeleteSSHPublicKey",
    ),
    (
        "ListServiceSpecificCredentials",
        "ServiceSpecificCredentials",
        "ServiceSpecificCredentialId",
        "ServiceSpecificCredentialId",
        "DeleteServiceSpecificCredential",
    ),
    (
        "ListSigningCertificates",
        "Certificates",
        "CertificateId",
        "CertificateId",
        "DeleteSigningCertificate",
    ),
    ("ListGroupsForUser", "Groups", "GroupName", "GroupName", "RemoveUserFromGroup"),
    ("ListAttachedUserPolicies", "AttachedPolicies", "PolicyArn", "PolicyArn", "DetachUserPolicy"),
    ("ListUserPolicies", "PolicyNames", "", "PolicyName", "DeleteUserPolicy"),
];

impl Change {
    /// The thing in words.
    fn thing(&self) -> String {
        match self {
            Self::DenyAll { policy } => format!("inline policy {policy}, which denies everything"),
            Self::AccessKey { id } => format!("access key {id}"),
            Self::Password => "password".into(),
            Self::RoleSessions { role, .. } => format!("sessions of the role {role}"),
            Self::MfaDevice { serial } => format!("MFA device {serial}"),
            Self::SshPublicKey { id } => format!("SSH public key {id}"),
            Self::ServiceCredential { id, service } => format!("credential {id} for {service}"),
            Self::SigningCertificate { id } => format!("signing certificate {id}"),
        }
    }

    /// What is done to it, in words.
    fn told(&self) -> String {
        let verb = match self {
            Self::DenyAll { .. } => "put",
            Self::Password => "delete",
            Self::RoleSessions { .. } => "revoke",
            Self::MfaDevice { .. } => "take away",
            _ => "make inactive",
        };
        format!("{verb} {}", self.thing())
    }
}

fn tell(format: Format, record: &Record, path: Option<&Path>, dry: bool) -> anyhow::Result<()> {
    let mut out = stdout().lock();
    match format {
        Format::Json => {
            let mut told = serde_json::to_value(record)?;
            if let Some(fields) = told.as_object_mut() {
                fields.insert("dryRun".into(), dry.into());
                fields.insert("record".into(), path.map(|path| path.display().to_string()).into());
            }
            writeln!(out, "{}", terminal::json(&format!("{told:#}")))?;
        }
        Format::Table => {
            let word = if dry { "would " } else { "" };
            for change in &record.changes {
                writeln!(out, "{word}{}", terminal::text(&change.told()))?;
            }
            for line in owned::lines(&record.owned) {
                writeln!(out, "{}", terminal::text(&line))?;
            }
            if let Some(path) = path {
                writeln!(
                    out,
                    "to go back: bailiwick offboard {0} --undo {1}\nin the end: bailiwick offboard \
                     {0} --delete",
                    terminal::text(&record.user),
                    terminal::text(&path.display().to_string())
                )?;
            }
        }
    }
    Ok(out.flush()?)
}

fn save(path: &Path, record: &Record) -> anyhow::Result<()> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot make the record `{}`", path.display()))?;
    file.write_all(format!("{:#}\n", serde_json::to_value(record)?).as_bytes())?;
    file.sync_all().with_context(|| format!("cannot write `{}`", path.display()))
}
