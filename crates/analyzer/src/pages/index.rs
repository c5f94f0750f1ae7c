//! The index, and a list of each kind.

use std::fmt::Write as _;

use super::book::{Book, Entry, Lacking, Page};
use super::markdown::{code, link, text};

/// The columns of each list after name, purpose and owner.
fn columns(kind: &str) -> &'static [&'static str] {
    match kind {
        "roles" => &["Assumed by", "Last used", "Administrator"],
        "users" => &["Last used", "Administrator"],
        "groups" => &["Members"],
        _ => &["Used by", "Boundary of"],
    }
}

pub(super) fn pages(
    book: &Book<'_>,
    lists: &[(&'static str, Vec<Entry>); 4],
    lacking: &[Lacking],
) -> Vec<Page> {
    let mut out = vec![Page { path: "README.md".to_owned(), text: top(book, lists, lacking) }];
    for (kind, list) in lists {
        out.push(Page { path: format!("{kind}.md"), text: table(kind, list) });
    }
    out
}

fn top(book: &Book<'_>, lists: &[(&'static str, Vec<Entry>); 4], lacking: &[Lacking]) -> String {
    let account = &book.evidence.estate.account;
    let mut out = format!("# Account {}\n\n", account.id());
    let _ = write!(out, "As of {}", book.now);
    if let Some(collected) = book.evidence.collected {
        let _ = write!(out, ", from files of {collected}");
    }
    out.push_str(".\n\n");
    for (kind, list) in lists {
        let _ = writeln!(out, "- [{} {kind}]({kind}.md)", list.len());
    }
    let certain = book.escalations.values().filter(|finding| finding.certain).count();
    let maybe = book.escalations.len() - certain;
    let _ = writeln!(
        out,
        "\n{} administrators; {certain} others become one, and {maybe} may.",
        book.administrators.len()
    );
    let lists_policies = lists.iter().any(|(kind, list)| *kind == "policies" && !list.is_empty());
    let missing: Vec<String> = [
        ("list of roles, which has descriptions", book.evidence.roles.known().is_none()),
        ("tags of policies", lists_policies && book.evidence.policy_tags.is_empty()),
        ("credential report", book.evidence.credential_report.known().is_none()),
        ("organization", book.evidence.estate.organization.is_none()),
    ]
    .into_iter()
    .filter(|(_, missing)| *missing)
    .map(|(what, _)| what.to_owned())
    .collect();
    if !missing.is_empty() {
        let _ = writeln!(out, "\nNot known: {}.", missing.join("; "));
    }
    out.push_str("\n## Too little is written about\n\n");
    let entries = lists.iter().flat_map(|(_, list)| list);
    let unknown = entries.filter(|entry| book.documentation.is_untold(&entry.written)).count();
    if unknown > 0 {
        let _ = writeln!(out, "Of {unknown} roles and policies it is not known what is written.\n");
    } else if lacking.is_empty() {
        out.push_str("Nothing: every role and policy says what has to be said.\n");
    }
    for one in lacking {
        let words: Vec<&str> = one.lacks.iter().map(|aspect| aspect.as_str()).collect();
        let shown = super::book::short(&one.subject);
        let _ = writeln!(out, "- [{}]({}): {}", code(shown), one.page, words.join(", "));
    }
    out
}

fn table(kind: &str, list: &[Entry]) -> String {
    let title = match kind {
        "roles" => "Roles",
        "users" => "Users",
        "groups" => "Groups",
        _ => "Policies",
    };
    let mut out = format!("# {title}\n\n[Account](README.md)\n\n");
    if list.is_empty() {
        out.push_str("There are none.\n");
        return out;
    }
    let written = kind != "groups";
    let mut head = vec!["Name"];
    if written {
        head.extend(["Purpose", "Owner"]);
    }
    head.extend(columns(kind));
    let _ = writeln!(out, "| {} |", head.join(" | "));
    let _ = writeln!(out, "|{}", "---|".repeat(head.len()));
    for entry in list {
        let mut cells = vec![link(&entry.name, &entry.path)];
        if written {
            let said = |said: &Option<String>| said.as_deref().map(text).unwrap_or_default();
            let lacks = entry.lacks.contains(&super::purpose::Aspect::Purpose);
            let purpose =
                if lacks { "**missing**".to_owned() } else { said(&entry.written.purpose) };
            cells.extend([purpose, said(&entry.written.owner)]);
        }
        cells.extend(entry.cells.iter().cloned());
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    out
}
