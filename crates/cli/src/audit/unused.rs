//! What nobody uses, by last use where it is known.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Write as _, stdout};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value as Json, json};

use super::UnusedArgs;
use super::remove::{self, Deed};
use crate::iam::{Iam, instant, tags, text};
use crate::policies::details_of;
use crate::simulate::fault::Findings;
use crate::{Format, clock, terminal};

/// The tag of a role, policy or certificate, and the beginning of those of users.
pub(super) const TAG: &str = "bailiwick:unused";

/// What kind of thing is unused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    Password,
    AccessKey,
    /// A key that was never used, of somebody who signs in with a password (mission row M40).
    ConsoleUserKey,
    Role,
    ServerCertificate,
    SigningCertificate,
    Policy,
    Group,
}

impl Kind {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::AccessKey => "access key",
            Self::ConsoleUserKey => "console user's key",
            Self::Role => "role",
            Self::ServerCertificate => "server certificate",
            Self::SigningCertificate => "signing certificate",
            Self::Policy => "unattached policy",
            Self::Group => "empty group",
        }
    }
}

/// Why something is among what was found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Why {
    /// It is unused.
    Unused,
    /// It is in use, and an earlier run marked it.
    Marked,
}

impl Why {
    const fn of(in_use: bool) -> Self {
        if in_use { Self::Marked } else { Self::Unused }
    }
}

/// Something unused.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Unused {
    pub(super) kind: Kind,
    /// Its name, ARN or id.
    pub(super) name: String,
    /// The user it belongs to.
    pub(super) user: Option<String>,
    pub(super) created: Option<Timestamp>,
    /// Nothing where it was never used, or nobody knows.
    pub(super) last_used: Option<Timestamp>,
    /// Whether uses of it are known at all.
    pub(super) use_known: bool,
    /// Whether it has been unused, or there, for as long as was asked.
    pub(super) old: bool,
    /// Why it is here.
    #[serde(skip)]
    pub(super) why: Why,
    /// Whether it can still be used.
    pub(super) active: bool,
    /// The date at which an earlier run deactivated or marked it.
    pub(super) marked: Option<Timestamp>,
    /// A word on it.
    pub(super) note: Option<String>,
    /// What to do by hand.
    pub(super) command: Option<String>,
    /// What this run did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) done: Option<Deed>,
}

pub(super) fn run(args: &UnusedArgs) -> anyhow::Result<()> {
    let iam = Iam::find(&args.access)?;
    let now = args.as_of.unwrap_or_else(clock::now);
    let mut found = find(&iam, args.older_than.before(now), args.apply)?;
    // What was done is told also when the next step fails.
    let mut ended = Ok(());
    if args.apply {
        for unused in &mut found {
            match remove::apply(&iam, unused, now, args.grace) {
                Ok(done) => unused.done = done,
                Err(error) => {
                    ended = Err(error.context(format!("stopped at {}", line(unused))));
                    break;
                }
            }
        }
    }
    found.retain(|unused| unused.why == Why::Unused || unused.done.is_some());
    let mut out = stdout().lock();
    match args.format {
        Format::Json => {
            let told =
                json!({"asOf": now, "olderThan": args.older_than.to_string(), "unused": found});
            writeln!(out, "{}", terminal::json(&format!("{told:#}")))?;
        }
        Format::Table => {
            for unused in &found {
                writeln!(out, "{}", terminal::text(&line(unused)))?;
            }
        }
    }
    out.flush()?;
    ended?;
    if args.apply || found.is_empty() { Ok(()) } else { Err(Findings.into()) }
}

fn line(unused: &Unused) -> String {
    let name = match &unused.user {
        Some(user) if unused.kind == Kind::Password => user.clone(),
        Some(user) => format!("{} of {user}", unused.name),
        None => unused.name.clone(),
    };
    let day = |at: Timestamp| at.to_string().chars().take(10).collect::<String>();
    let used = match (unused.last_used, unused.use_known) {
        (Some(at), _) => format!("last used {}", day(at)),
        (None, true) => "never used".into(),
        (None, false) => "use not known".into(),
    };
    let mut line = format!("{:<20} {name}, {used}", unused.kind.as_str());
    if let Some(created) = unused.created {
        let _ = write!(line, ", made {}", day(created));
    }
    if !unused.active {
        line.push_str(", inactive");
    }
    for more in [&unused.note, &unused.command].into_iter().flatten() {
        let _ = write!(line, "; {more}");
    }
    if let Some(done) = unused.done {
        let _ = write!(line, ": {}", done.as_str());
    }
    line
}

/// Everything that was not used since `limit`, and what carries a mark that it may have lost: of
/// policies only if `marks_too`, for it takes a call for each.
fn find(iam: &Iam, limit: Timestamp, marks_too: bool) -> anyhow::Result<Vec<Unused>> {
    let mut found = Vec::new();
    let details = details_of(iam, &["User", "Role"])?;
    let marks: BTreeMap<&str, &Json> =
        details.of("UserDetailList").iter().map(|user| (text(user, "UserName"), user)).collect();
    for user in iam.list("ListUsers", "Users", &[])? {
        let name = text(&user, "UserName");
        let marks = marks.get(name).copied().unwrap_or(&Json::Null);
        credentials(iam, &user, marks, limit, &mut found)?;
    }
    for role in details.of("RoleDetailList") {
        let name = text(role, "RoleName");
        if text(role, "Path").starts_with("/aws-service-role/") {
            continue;
        }
        let last = role.get("RoleLastUsed").and_then(|last| instant(last, "LastUsedDate"));
        let created = instant(role, "CreateDate");
        let marked = mark(role, TAG);
        let old = is_old(last, created, limit);
        if old || marked.is_some() {
            found.push(Unused {
                marked,
                old,
                why: Why::of(!old),
                active: marked.is_none(),
                ..unused(Kind::Role, name, created, last)
            });
        }
    }
    certificates(iam, limit, &mut found)?;
    for policy in iam.list("ListPolicies", "Policies", &[("Scope", "Local")])? {
        let count = |member: &str| policy.get(member).and_then(Json::as_i64).unwrap_or(0);
        let in_use = count("AttachmentCount") + count("PermissionsBoundaryUsageCount") > 0;
        if in_use && !marks_too {
            continue;
        }
        let arn = text(&policy, "Arn");
        let changed = instant(&policy, "UpdateDate").or_else(|| instant(&policy, "CreateDate"));
        let told = iam.call("ListPolicyTags", &[("PolicyArn", arn)])?;
        let marked = mark(&told, TAG);
        if in_use && marked.is_none() {
            continue;
        }
        found.push(Unused {
            use_known: false,
            old: !in_use && changed.is_some_and(|at| at <= limit),
            why: Why::of(in_use),
            marked,
            ..unused(Kind::Policy, arn, changed, None)
        });
    }
    for group in iam.list("ListGroups", "Groups", &[])? {
        let name = text(&group, "GroupName");
        let members = iam.list("GetGroup", "Users", &[("GroupName", name)])?;
        if members.is_empty() {
            let created = instant(&group, "CreateDate");
            found.push(Unused {
                use_known: false,
                old: created.is_some_and(|at| at <= limit),
                command: Some(format!("aws iam delete-group --group-name {name}")),
                ..unused(Kind::Group, name, created, None)
            });
        }
    }
    Ok(found)
}

/// The password, keys and signing certificates of a user.
fn credentials(
    iam: &Iam,
    user: &Json,
    marks: &Json,
    limit: Timestamp,
    found: &mut Vec<Unused>,
) -> anyhow::Result<()> {
    let name = text(user, "UserName");
    let own = [("UserName", name)];
    let signed_in = instant(user, "PasswordLastUsed");
    if let Some(told) = iam.maybe("GetLoginProfile", &own)? {
        let created = told.get("LoginProfile").and_then(|profile| instant(profile, "CreateDate"));
        let old = is_old(signed_in, created, limit);
        let marked = mark(marks, &format!("{TAG}/password"));
        if old || marked.is_some() {
            found.push(Unused {
                user: Some(name.to_owned()),
                old,
                why: Why::of(!old),
                marked,
                ..unused(Kind::Password, name, created, signed_in)
            });
        }
    }
    for key in iam.list("ListAccessKeys", "AccessKeyMetadata", &own)? {
        let id = text(&key, "AccessKeyId");
        let created = instant(&key, "CreateDate");
        let last = iam.key_use(id)?.map(|last| last.at);
        let active = text(&key, "Status") == "Active";
        let console = active && last.is_none() && signed_in.is_some();
        let old = is_old(last, created, limit);
        let marked = mark(marks, &format!("{TAG}/{id}"));
        if old || marked.is_some() {
            found.push(Unused {
                user: Some(name.to_owned()),
                active,
                old,
                why: Why::of(!old),
                marked,
                ..unused(Kind::AccessKey, id, created, last)
            });
        } else if console {
            found.push(Unused {
                user: Some(name.to_owned()),
                old: false,
                note: Some(format!("{name} signs in with a password and never used it")),
                command: Some(format!(
                    "aws iam update-access-key --user-name {name} --access-key-id {id} --status \
                     Inactive"
                )),
                ..unused(Kind::ConsoleUserKey, id, created, None)
            });
        }
    }
    for certificate in iam.list("ListSigningCertificates", "Certificates", &own)? {
        let (id, created) =
            (text(&certificate, "CertificateId"), instant(&certificate, "UploadDate"));
        if text(&certificate, "Status") == "Active" && created.is_some_and(|at| at <= limit) {
            found.push(Unused {
                user: Some(name.to_owned()),
                use_known: false,
                command: Some(format!(
                    "aws iam update-signing-certificate --user-name {name} --certificate-id {id} \
                     --status Inactive"
                )),
                ..unused(Kind::SigningCertificate, id, created, None)
            });
        }
    }
    Ok(())
}

/// Server certificates that have expired, or are old: nothing tells who uses them.
fn certificates(iam: &Iam, limit: Timestamp, found: &mut Vec<Unused>) -> anyhow::Result<()> {
    let list = iam.list("ListServerCertificates", "ServerCertificateMetadataList", &[])?;
    for certificate in list {
        let name = text(&certificate, "ServerCertificateName");
        let created = instant(&certificate, "UploadDate");
        let ends = instant(&certificate, "Expiration");
        let expired = ends.is_some_and(|at| at <= limit);
        if !expired && created.is_none_or(|at| at > limit) {
            continue;
        }
        let told = iam.call("ListServerCertificateTags", &[("ServerCertificateName", name)])?;
        let word = if expired { "expired" } else { "expires" };
        found.push(Unused {
            use_known: false,
            // While it is good somebody may serve it: only an expired one goes.
            old: expired,
            marked: mark(&told, TAG),
            note: ends.map(|at| format!("{word} {at}")),
            ..unused(Kind::ServerCertificate, name, created, None)
        });
    }
    Ok(())
}

fn unused(
    kind: Kind,
    name: &str,
    created: Option<Timestamp>,
    last_used: Option<Timestamp>,
) -> Unused {
    Unused {
        kind,
        name: name.to_owned(),
        user: None,
        created,
        last_used,
        use_known: true,
        old: true,
        why: Why::Unused,
        active: true,
        marked: None,
        note: None,
        command: None,
        done: None,
    }
}

/// Whether something was last used before the limit; if never, whether it was made before.
fn is_old(last: Option<Timestamp>, created: Option<Timestamp>, limit: Timestamp) -> bool {
    // A use of what was there before, such as an older password, is none of this.
    let last = last.filter(|last| created.is_none_or(|created| *last >= created));
    last.or(created).is_some_and(|at| at <= limit)
}

/// The date in a tag.
fn mark(tagged: &Json, key: &str) -> Option<Timestamp> {
    tags(tagged).into_iter().find(|(name, _)| *name == key)?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_use_counts_and_the_making_only_without_one() {
        let at = |day: i64| Timestamp::from_second(day * 86_400).unwrap();
        for (last, created, expected) in [
            (None, Some(1), true),
            (None, Some(11), false),
            (Some(9), Some(1), true),
            (Some(11), Some(1), false),
            // A use before it was made is a use of the one before.
            (Some(5), Some(11), false),
            (None, None, false),
        ] {
            let found = is_old(last.map(at), created.map(at), at(10));
            assert_eq!(found, expected, "{last:?} {created:?}");
        }
        let tagged = json!({"Tags": [{"Key": TAG, "Value": "2026-01-01T00:00:00Z"}]});
        assert_eq!(mark(&tagged, TAG), "2026-01-01T00:00:00Z".parse().ok());
        assert_eq!(mark(&json!({}), TAG), None);
    }
}
