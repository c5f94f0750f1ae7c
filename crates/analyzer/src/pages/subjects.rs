//! A page of a role, a user, a group and a customer managed policy.

use std::fmt::Write as _;
use std::sync::Arc;

use bailiwick_identifiers::{TagSet, UniqueId};
use bailiwick_model::{Effective, Found, Group, Policy, Role, User};
use bailiwick_policy::{Document, SourceKind};

use super::access::{assumers, grants, when};
use super::book::{Book, Entry, short, steps};
use super::markdown::{code, code_cell, text};
use super::purpose::Written;
use crate::estate::is_service_linked;
use crate::evidence::Stamp;

/// The most links in one cell or list.
const MOST: usize = 200;

/// The page of a role.
pub(super) fn role(book: &Book<'_>, role: &Role) -> (Entry, String) {
    let account = &book.evidence.estate.account;
    let arn = account.role_arn(role).to_string();
    let linked = is_service_linked(role);
    let detail = book.evidence.roles.known().and_then(|roles| roles.get(role.name.as_str()));
    let described =
        role.description.as_deref().or_else(|| detail.and_then(|one| one.description.as_deref()));
    let mut written = book.documentation.written(&role.tags, described);
    if written.purpose.is_none() && book.evidence.roles.known().is_none() {
        written.unknown = Some("descriptions are in the list of roles, which was not given");
    }
    let lacks = if linked { Vec::new() } else { book.documentation.lacking(&written) };
    let all = book.assumers.get(&arn).map_or(&[][..], Vec::as_slice);
    let used = account.role_use(&role.id);
    let last = used.map_or_else(
        || "not told".to_owned(),
        |used| format!("{} in {}", Book::day(used.at), text(&used.region)),
    );
    let profiles: Vec<String> = account
        .instance_profiles_of(role.id)
        .map(|profile| code_cell(account.instance_profile_arn(profile).as_str()))
        .collect();

    let mut out = head("Role", role.name.as_str(), &arn);
    purpose(&mut out, &written, &lacks, linked);
    fact(&mut out, "Made", &Book::day(role.created));
    fact(&mut out, "Last used", &last);
    fact(&mut out, "Longest session", &format!("{} s", role.max_session_seconds));
    fact(&mut out, "Instance profiles", &some(&profiles));
    power(&mut out, book, &arn);
    out.push_str("\n## Who can assume it\n\n");
    assumers(&mut out, all, |principal| named(book, principal));
    let effective = Effective::of_role(account, &book.evidence.estate.managed, role.id);
    may(&mut out, book, &effective);
    limits(&mut out, book, &effective, linked);
    assumed(&mut out, book, &arn);
    escalation(&mut out, book, &arn);

    let who = match all {
        [] => "nobody".to_owned(),
        [one] => cell_name(&one.principal),
        [one, rest @ ..] => format!("{} and {} more", cell_name(&one.principal), rest.len()),
    };
    let power = book.power(&arn).to_owned();
    (entry(book, arn, role.name.as_str(), written, lacks, vec![who, last, power]), out)
}

/// The page of a user.
pub(super) fn user(book: &Book<'_>, user: &User) -> (Entry, String) {
    let account = &book.evidence.estate.account;
    let arn = account.user_arn(user).to_string();
    let written = book.documentation.written(&user.tags, None);
    let groups: Vec<String> = account
        .groups_of(user.id)
        .map(|group| book.link(account.group_arn(group).as_str()))
        .collect();

    let mut out = head("User", user.name.as_str(), &arn);
    purpose(&mut out, &written, &[], false);
    fact(&mut out, "Made", &Book::day(user.created));
    let last = credentials(&mut out, book, &arn);
    fact(&mut out, "Groups", &some(&groups));
    power(&mut out, book, &arn);
    out.push('\n');
    let effective = Effective::of_user(account, &book.evidence.estate.managed, user.id);
    may(&mut out, book, &effective);
    limits(&mut out, book, &effective, false);
    assumed(&mut out, book, &arn);
    escalation(&mut out, book, &arn);

    let power = book.power(&arn).to_owned();
    (entry(book, arn, user.name.as_str(), written, Vec::new(), vec![last, power]), out)
}

/// The page of a group.
pub(super) fn group(book: &Book<'_>, group: &Group) -> (Entry, String) {
    let account = &book.evidence.estate.account;
    let arn = account.group_arn(group).to_string();
    let members: Vec<String> = account
        .members_of(group.id)
        .map(|user| book.link(account.user_arn(user).as_str()))
        .collect();

    let mut out = head("Group", group.name.as_str(), &arn);
    fact(&mut out, "Made", &Book::day(group.created));
    fact(&mut out, "Members", &some(&members));
    out.push_str("\n## What its members may do by it\n\n");
    let mut documents: Vec<Arc<Document>> = Vec::new();
    for policy in account.inline_policies(group.id) {
        let _ = writeln!(out, "- inline policy {}", code(policy.name.as_str()));
        documents.extend(policy.document.document().ok().cloned());
    }
    for policy in account.attached(group.id) {
        let _ = writeln!(out, "- {}", book.link(policy.as_str()));
        let managed = &book.evidence.estate.managed;
        documents.extend(bailiwick_model::document(account, managed, policy));
    }
    out.push('\n');
    grants(&mut out, &book.summaries.of(&documents), None);

    let cells = vec![members.len().to_string()];
    (entry(book, arn, group.name.as_str(), Written::default(), Vec::new(), cells), out)
}

/// The page of a customer managed policy.
pub(super) fn policy(book: &Book<'_>, policy: &Policy) -> (Entry, String) {
    let account = &book.evidence.estate.account;
    let name = account.policy_arn(policy);
    let arn = name.to_string();
    let tags = book.evidence.policy_tags.get(&arn);
    let none = TagSet::default();
    let tags_of = tags.unwrap_or(&none);
    let mut written = book.documentation.written(tags_of, policy.description.as_deref());
    if tags.is_none() {
        written.untagged = true;
        written.unknown = Some("the tags of the policy were not given");
    }
    let lacks = book.documentation.lacking(&written);
    let holder = |id: UniqueId| {
        let user = account.user(&id).map(|one| account.user_arn(one));
        let role = || account.role(&id).map(|one| account.role_arn(one));
        let group = || account.group(&id).map(|one| account.group_arn(one));
        user.or_else(role).or_else(group).map(|arn| book.link(arn.as_str()))
    };
    let attached: Vec<String> = account.attached_to(&name).filter_map(holder).collect();
    let bounds: Vec<String> = account.bounded_by(&name).filter_map(holder).collect();

    let mut out = head("Policy", policy.name.as_str(), &arn);
    purpose(&mut out, &written, &lacks, false);
    fact(&mut out, "Made", &Book::day(policy.created));
    fact(&mut out, "Changed", &Book::day(policy.updated));
    fact(&mut out, "Version", &format!("v{}", policy.default_version));
    fact(&mut out, "Used by", &some(&attached));
    fact(&mut out, "Boundary of", &some(&bounds));
    out.push_str("\n## What it grants\n\n");
    let version = account.version(policy.id, policy.default_version);
    match version.and_then(|version| version.document.document().ok().cloned()) {
        Some(document) => grants(&mut out, &book.summaries.of(&[document]), None),
        None => out.push_str("It cannot be read, so whoever has it is denied everything.\n\n"),
    }
    let cells = vec![attached.len().to_string(), bounds.len().to_string()];
    (entry(book, arn, policy.name.as_str(), written, lacks, cells), out)
}

fn entry(
    book: &Book<'_>,
    arn: String,
    name: &str,
    written: Written,
    lacks: Vec<super::purpose::Aspect>,
    cells: Vec<String>,
) -> Entry {
    let path = book.path(&arn);
    Entry { arn, path, name: name.to_owned(), written, lacks, cells }
}

fn head(kind: &str, name: &str, arn: &str) -> String {
    let mut out = format!("# {kind} {}\n\n| | |\n|---|---|\n", code(name));
    fact(&mut out, "ARN", &code_cell(arn));
    out
}

fn fact(out: &mut String, name: &str, value: &str) {
    let _ = writeln!(out, "| {name} | {value} |");
}

fn some(list: &[String]) -> String {
    if list.is_empty() {
        return "none".to_owned();
    }
    let shown: Vec<&str> = list.iter().take(MOST).map(String::as_str).collect();
    let more = list.len().saturating_sub(MOST);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

fn purpose(out: &mut String, written: &Written, lacks: &[super::purpose::Aspect], linked: bool) {
    use super::purpose::Aspect;

    let cell = |said: &Option<String>, aspect: Aspect| match said {
        Some(said) => text(said),
        None if lacks.contains(&aspect) => "**missing**".to_owned(),
        None if written.untagged => "not known: the tags of the policy were not given".to_owned(),
        None => "not written".to_owned(),
    };
    let what = match (&written.purpose, written.unknown) {
        (None, _) if linked => "service-linked: AWS made it for its service".to_owned(),
        (None, Some(why)) => format!("not known: {why}"),
        (said, _) => cell(said, Aspect::Purpose),
    };
    fact(out, "Purpose", &what);
    fact(out, "Owner", &cell(&written.owner, Aspect::Owner));
    fact(out, "Ticket", &cell(&written.ticket, Aspect::Ticket));
}

fn power(out: &mut String, book: &Book<'_>, arn: &str) {
    let said = match book.escalations.get(arn) {
        _ if book.administrators.contains(arn) => "is one".to_owned(),
        Some(finding) if finding.certain => "becomes one: see below".to_owned(),
        Some(_) => "may become one: see below".to_owned(),
        None if book.cut_short => "no way was found, and not all were looked at".to_owned(),
        None => "no way leads there".to_owned(),
    };
    fact(out, "Administrator", &said);
}

/// Last uses of a user's credentials, if a report tells; the latest day.
fn credentials(out: &mut String, book: &Book<'_>, arn: &str) -> String {
    let Some(report) = book.evidence.credential_report.known() else {
        fact(out, "Credentials", "not known: the credential report was not given");
        return "not known".to_owned();
    };
    let Some(row) = report.rows.iter().find(|row| row.arn.as_str() == arn) else {
        fact(out, "Credentials", "not known: the credential report has no such row");
        return "not known".to_owned();
    };
    let used = |stamp: Stamp| {
        stamp
            .at()
            .map_or_else(|| "never used".to_owned(), |at| format!("last used {}", Book::day(at)))
    };
    let mut parts = Vec::new();
    if row.has_password() {
        let mfa = if row.mfa_active { "with MFA" } else { "without MFA" };
        parts.push(format!("password {mfa}, {}", used(row.password_last_used)));
    }
    for (number, key) in row.keys.iter().enumerate().filter(|(_, key)| key.active) {
        parts.push(format!("access key {}, {}", number + 1, used(key.used)));
    }
    fact(out, "Credentials", &some(&parts));
    let all = row.keys.iter().map(|key| key.used).chain([row.password_last_used]);
    all.filter_map(Stamp::at).max().map_or_else(|| "never".to_owned(), Book::day)
}

/// The policies of a user or role, and what they grant together.
fn may(out: &mut String, book: &Book<'_>, effective: &Effective) {
    out.push_str("## What it may do\n\n");
    if let Some(source) = &effective.unreadable {
        let _ = writeln!(out, "Nothing: the policy {} cannot be read.\n", code(&source.id));
        return;
    }
    for found in &effective.identity {
        let _ = writeln!(out, "- {}", policy_line(book, found));
    }
    if !effective.identity.is_empty() {
        out.push('\n');
    }
    let documents: Vec<_> =
        effective.identity.iter().map(|found| Arc::clone(&found.document)).collect();
    let granted = book.summaries.of(&documents);
    let boundary = effective.boundary.as_ref();
    let boundary = boundary.map(|found| book.summaries.of(&[Arc::clone(&found.document)]));
    grants(out, &granted, boundary.as_deref());
}

fn policy_line(book: &Book<'_>, found: &Found) -> String {
    let id = &*found.source.id;
    match &found.source.kind {
        SourceKind::UserInline | SourceKind::RoleInline => format!("inline policy {}", code(id)),
        SourceKind::GroupInline { group } => {
            format!("inline policy {} of group {}", code(id), code(group))
        }
        SourceKind::GroupManaged { group } => format!("{} by group {}", book.link(id), code(group)),
        _ => book.link(id),
    }
}

/// What limits a user or role beside its own policies.
fn limits(out: &mut String, book: &Book<'_>, effective: &Effective, linked: bool) {
    out.push_str("## What limits it\n\n");
    match &effective.boundary {
        Some(found) => {
            let _ = writeln!(out, "- boundary: {}", book.link(&found.source.id));
        }
        None => out.push_str("- boundary: none\n"),
    }
    let none = |what: &str| format!("- {what}: none\n");
    match &book.evidence.estate.organization {
        None => out.push_str("- policies of the organization: not known\n"),
        Some(_) if linked => out.push_str("- no SCP and no RCP limits a service-linked role\n"),
        Some(found) if found.management => {
            out.push_str("- no SCP and no RCP limits the management account\n");
        }
        Some(found) => {
            for (what, levels) in [("SCPs", &found.scps), ("RCPs", &found.rcps)] {
                if levels.iter().all(Vec::is_empty) {
                    out.push_str(&none(what));
                    continue;
                }
                let level = |level: &Vec<Found>| {
                    let names: Vec<String> = level.iter().map(|one| code(&one.source.id)).collect();
                    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
                };
                let all: Vec<String> = levels.iter().map(level).collect();
                let _ = writeln!(out, "- {what}, from the root down: {}", all.join("; then "));
            }
        }
    }
    out.push('\n');
}

/// The roles that a principal can assume.
fn assumed(out: &mut String, book: &Book<'_>, arn: &str) {
    let Some(list) = book.assumes.get(arn) else { return };
    out.push_str("## Roles that it can assume\n\n");
    for (role, access) in list.iter().take(MOST) {
        let _ = writeln!(out, "- {}{}", book.link(role), when(access));
    }
    if list.len() > MOST {
        let _ = writeln!(out, "- and {} more", list.len() - MOST);
    }
    out.push('\n');
}

fn escalation(out: &mut String, book: &Book<'_>, arn: &str) {
    let Some(finding) = book.escalations.get(arn) else { return };
    let Some(way) = finding.ways.first() else { return };
    out.push_str("## How it becomes administrator\n\n");
    for (number, line) in steps(way).into_iter().enumerate() {
        let _ = writeln!(out, "{}. {line}", number + 1);
    }
    if finding.ways.len() > 1 {
        let _ = writeln!(out, "\n{} more ways begin otherwise.", finding.ways.len() - 1);
    }
    out.push('\n');
}

fn named(book: &Book<'_>, principal: &str) -> String {
    match principal {
        "everybody with an AWS account" | "everybody, unsigned" => principal.to_owned(),
        _ => book.link(principal),
    }
}

fn cell_name(principal: &str) -> String {
    let name = if principal.starts_with("arn:") { short(principal) } else { principal };
    code_cell(name)
}
