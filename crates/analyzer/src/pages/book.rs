//! The whole: what is worked out once for all pages, and the pages.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bailiwick_identifiers::Arn;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::access::Summaries;
use super::file::file_names;
use super::index;
use super::markdown::{code_cell, link};
use super::purpose::{Aspect, Documentation, Written};
use super::subjects;
use crate::escalation::{self, Finding, Options, escalations};
use crate::evidence::Evidence;
use crate::reach::{Assumer, Reach};

/// A page.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Page {
    /// Where it stands below the folder, with `/`: safe on every system.
    pub path: String,
    /// What it says.
    pub text: String,
}

/// Something of which too little is written.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Lacking {
    /// The ARN of the role or policy.
    pub subject: String,
    /// Its page.
    pub page: String,
    /// What is lacking.
    pub lacks: Vec<Aspect>,
}

/// An account written down.
#[derive(Clone, Debug)]
pub struct Export {
    /// The pages, the index first.
    pub pages: Vec<Page>,
    /// Roles and customer managed policies of which too little is written, by ARN.
    pub lacking: Vec<Lacking>,
    /// How many pages there are of users, groups, roles and policies.
    pub counts: [(&'static str, usize); 4],
}

/// What all pages share.
pub(super) struct Book<'e> {
    pub(super) evidence: &'e Evidence,
    pub(super) documentation: &'e Documentation,
    pub(super) now: Timestamp,
    pub(super) summaries: Summaries,
    /// The page of each ARN.
    pub(super) paths: BTreeMap<String, String>,
    /// Who can assume each role.
    pub(super) assumers: BTreeMap<String, Vec<Assumer>>,
    /// The roles that each principal can assume, with how.
    pub(super) assumes: HashMap<String, Vec<(String, crate::reach::Access)>>,
    pub(super) administrators: BTreeSet<String>,
    pub(super) escalations: HashMap<String, Finding>,
    /// Whether the search for ways ended before all was looked at.
    pub(super) cut_short: bool,
}

/// A subject as an index lists it.
pub(super) struct Entry {
    pub(super) arn: String,
    pub(super) path: String,
    pub(super) name: String,
    pub(super) written: Written,
    pub(super) lacks: Vec<Aspect>,
    /// Further cells of the index, as Markdown.
    pub(super) cells: Vec<String>,
}

/// Writes down an account.
pub fn export(evidence: &Evidence, documentation: &Documentation, now: Timestamp) -> Export {
    let book = Book::new(evidence, documentation, now);
    let account = &evidence.estate.account;
    let mut pages = Vec::new();
    let mut lists: [(&'static str, Vec<Entry>); 4] =
        ["roles", "users", "groups", "policies"].map(|kind| (kind, Vec::new()));
    for (kind, list) in &mut lists {
        let made: Vec<(Entry, String)> = match *kind {
            "roles" => account.roles().map(|role| subjects::role(&book, role)).collect(),
            "users" => account.users().map(|user| subjects::user(&book, user)).collect(),
            "groups" => account.groups().map(|group| subjects::group(&book, group)).collect(),
            _ => account.policies().map(|policy| subjects::policy(&book, policy)).collect(),
        };
        for (entry, text) in made {
            pages.push(Page { path: entry.path.clone(), text });
            list.push(entry);
        }
        list.sort_by(|left, right| left.arn.cmp(&right.arn));
    }
    pages.sort_by(|left, right| left.path.cmp(&right.path));
    let mut lacking: Vec<Lacking> = lists
        .iter()
        .flat_map(|(_, list)| list)
        .filter(|entry| !entry.lacks.is_empty())
        .map(|entry| Lacking {
            subject: entry.arn.clone(),
            page: entry.path.clone(),
            lacks: entry.lacks.clone(),
        })
        .collect();
    lacking.sort_by(|left, right| left.subject.cmp(&right.subject));
    let mut all = index::pages(&book, &lists, &lacking);
    all.extend(pages);
    let counts = lists.map(|(kind, list)| (kind, list.len()));
    Export { pages: all, lacking, counts }
}

impl<'e> Book<'e> {
    fn new(evidence: &'e Evidence, documentation: &'e Documentation, now: Timestamp) -> Self {
        let estate = &evidence.estate;
        let report = escalations(estate, &Options { now: Some(now), ..Options::default() });
        let by_role = Reach::new(estate).assumers_of_roles();
        let mut assumes: HashMap<String, Vec<_>> = HashMap::new();
        for (role, list) in &by_role {
            for one in list {
                let held = assumes.entry(one.principal.clone()).or_default();
                held.push((role.clone(), one.access.clone()));
            }
        }
        Self {
            evidence,
            documentation,
            now,
            summaries: Summaries::default(),
            paths: paths(evidence),
            assumers: by_role,
            assumes,
            administrators: report.administrators.into_iter().collect(),
            cut_short: report.cut_short,
            escalations: report
                .findings
                .into_iter()
                .map(|finding| (finding.principal.clone(), finding))
                .collect(),
        }
    }

    /// The page of something, from the top of the folder.
    pub(super) fn path(&self, arn: &str) -> String {
        self.paths.get(arn).cloned().unwrap_or_default()
    }

    /// A link to the page of an ARN from a page of a subject, or the ARN alone.
    pub(super) fn link(&self, arn: &str) -> String {
        match self.paths.get(arn) {
            Some(path) => link(short(arn), &format!("../{path}")),
            None => code_cell(arn),
        }
    }

    /// A day.
    pub(super) fn day(at: Timestamp) -> String {
        at.to_zoned(TimeZone::UTC).date().to_string()
    }

    /// Whether it is an administrator or becomes one, in a word for an index.
    pub(super) fn power(&self, arn: &str) -> &'static str {
        match self.escalations.get(arn) {
            _ if self.administrators.contains(arn) => "administrator",
            Some(finding) if finding.certain => "becomes administrator",
            Some(_) => "may become administrator",
            None => "",
        }
    }
}

/// The kind and name at the end of an ARN.
pub(super) fn short(arn: &str) -> &str {
    arn.splitn(6, ':').nth(5).unwrap_or(arn)
}

/// The page of each entity.
fn paths(evidence: &Evidence) -> BTreeMap<String, String> {
    let account = &evidence.estate.account;
    let mut lists: [(&str, Vec<(String, String)>); 4] =
        ["roles", "users", "groups", "policies"].map(|kind| (kind, Vec::new()));
    let [(_, roles), (_, users), (_, groups), (_, policies)] = &mut lists;
    let entry = |arn: Arn, name: &str| (arn.to_string(), name.to_owned());
    roles.extend(account.roles().map(|one| entry(account.role_arn(one), one.name.as_str())));
    users.extend(account.users().map(|one| entry(account.user_arn(one), one.name.as_str())));
    groups.extend(account.groups().map(|one| entry(account.group_arn(one), one.name.as_str())));
    policies
        .extend(account.policies().map(|one| entry(account.policy_arn(one), one.name.as_str())));
    let mut out = BTreeMap::new();
    for (kind, list) in &lists {
        let names = file_names(list.iter().map(|(arn, name)| (arn.as_str(), name.as_str())));
        for (arn, name) in names {
            out.insert(arn.to_owned(), format!("{kind}/{name}.md"));
        }
    }
    out
}

/// The steps of a way to administrator, as lines of a list.
pub(super) fn steps(way: &escalation::Way) -> Vec<String> {
    use super::markdown::{code, text};

    let mut out = Vec::new();
    for step in &way.steps {
        let ids: Vec<String> = step.paths.iter().map(ToString::to_string).collect();
        let asks: Vec<String> = step
            .asks
            .iter()
            .map(|ask| format!("{} on {}", code(&ask.action), code(&ask.resource)))
            .collect();
        let mut line =
            format!("{}: {}", ids.first().map_or("", String::as_str), asks.join(", then "));
        if let Some(to) = &step.to {
            line.push_str(", and is ");
            line.push_str(&text(&to.to_string()));
        }
        if !step.on.is_empty() {
            let on: Vec<String> = step.on.iter().map(ToString::to_string).collect();
            line.push_str(" (if ");
            line.push_str(&text(&on.join("; ")));
            line.push(')');
        }
        out.push(line);
    }
    out
}
