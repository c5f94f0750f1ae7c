//! Policy variables: `${key}` and `${key, 'default'}` (rules VAR-1 to VAR-10).

use super::code::IssueCode as Code;
use super::document::{Policy, Statement, Text};
use super::run::Sink;

pub(super) fn check(sink: &mut Sink<'_, '_>, policy: &Policy<'_>, statement: &Statement<'_>) {
    let resources = statement.resources.iter().flat_map(|list| &list.items);
    let values = statement.conditions.iter().flat_map(|condition| &condition.values);
    for text in resources.chain(values).filter(|text| text.text.contains("${")) {
        if !policy.variables {
            let details = "Policy variables need the Version `2012-10-17`; with an older one they are plain text.";
            sink.report(Code::VariableUnsupportedInVersion, text.at, details);
        }
        form(sink, *text);
    }
    let actions = statement.actions.iter().flat_map(|list| &list.items);
    let principals = statement.principals.iter().flat_map(|list| &list.entries);
    let keys = statement.conditions.iter().map(|condition| condition.key);
    let elsewhere = actions.copied().chain(principals.map(|(_, text)| *text)).chain(keys);
    for text in elsewhere.chain(statement.sid).filter(|text| text.text.contains("${")) {
        let details =
            "Policy variables work only in Resource, NotResource and the values of Condition.";
        sink.report(Code::VariableUnsupportedInElement, text.at, details);
    }
}

/// What is wrong with the form of each variable in a text.
fn form(sink: &mut Sink<'_, '_>, text: Text<'_>) {
    let mut rest = text.text;
    let mut before = 0;
    while let Some((skipped, variable)) = rest.split_once("${") {
        before += skipped.chars().count() + 2;
        let Some((inner, after)) = variable.split_once('}') else {
            let part = (before - 2, variable.chars().count() + 2);
            let details = "The policy variable has no closing brace. Add `}` after its name.";
            return sink.report_part(Code::MissingBraceInVariable, text.at, part, details);
        };
        let length = inner.chars().count();
        inside(sink, text, inner, (before - 2, length + 3));
        before += length + 1;
        rest = after;
    }
}

fn inside(sink: &mut Sink<'_, '_>, text: Text<'_>, inner: &str, part: (usize, usize)) {
    let (name, default) = match inner.split_once(',') {
        Some((name, default)) => (name, Some(default.trim())),
        None => (inner, None),
    };
    if name.trim().is_empty() {
        let details = "The policy variable is empty. Write the name of a condition key in it.";
        return sink.report_part(Code::EmptyVariable, text.at, part, details);
    }
    if name.contains(char::is_whitespace) {
        let details = "The name of the policy variable has a space. Remove it.";
        sink.report_part(Code::UnsupportedSpaceInVariable, text.at, part, details);
    }
    let quoted = |text: &str| text.len() >= 2 && text.starts_with('\'') && text.ends_with('\'');
    if default.is_some_and(|default| !quoted(default)) {
        let details = "The default value of the policy variable stands between single quotes. Add the missing one.";
        sink.report_part(Code::MissingQuoteInVariable, text.at, part, details);
    }
}
