//! What can be left out without changing the policy.

use std::collections::BTreeMap;

use bailiwick_policy::Operator;

use super::code::IssueCode as Code;
use super::document::{Condition, List, Policy, Statement, Text};
use super::glob;
use super::run::Sink;
use super::values::{is_date, is_number};

/// How many statements are compared with each other.
const MAX_STATEMENTS: usize = 200;

pub(super) fn check(sink: &mut Sink<'_, '_>, statement: &Statement<'_>) {
    if let Some(list) = &statement.actions {
        for (item, by) in covered(sink, list, true) {
            let details =
                format!("The action `{}` is covered by `{}`. Remove it.", item.text, by.text);
            sink.report_all(Code::RedundantAction, &[item.at, by.at], details);
        }
    }
    if let Some(list) = &statement.resources {
        for (item, by) in covered(sink, list, false) {
            let details =
                format!("The resource `{}` is covered by `{}`. Remove it.", item.text, by.text);
            sink.report_all(Code::RedundantResource, &[item.at, by.at], details);
        }
    }
    for condition in &statement.conditions {
        bounds(sink, condition);
    }
}

/// The items that another item of the list covers, with that one. Of equal items the first stays.
fn covered<'d>(sink: &Sink<'_, '_>, list: &List<'d>, fold: bool) -> Vec<(Text<'d>, Text<'d>)> {
    let covers = |by: &str, item: &str| glob::covers_within(by, item, fold, |n| sink.spend(n));
    let norm = |text: &str| if fold { text.to_ascii_lowercase() } else { text.to_owned() };
    let mut first: BTreeMap<String, usize> = BTreeMap::new();
    for (at, item) in list.items.iter().enumerate() {
        first.entry(norm(item.text)).or_insert(at);
    }
    let wild: Vec<(usize, Text<'d>)> = list
        .items
        .iter()
        .copied()
        .enumerate()
        .filter(|(_, item)| glob::is_wild(item.text))
        .collect();
    let mut found = Vec::new();
    for (at, item) in list.items.iter().enumerate() {
        let same = first.get(&norm(item.text)).copied().filter(|earlier| *earlier < at);
        let same = same.and_then(|earlier| list.items.get(earlier)).copied();
        let wider = || {
            wild.iter()
                .filter(|(other, _)| *other != at)
                .find(|(other, by)| {
                    covers(by.text, item.text) && (*other < at || !covers(item.text, by.text))
                })
                .map(|(_, by)| *by)
        };
        if let Some(by) = same.or_else(wider) {
            found.push((*item, by));
        }
    }
    found
}

/// Several bounds for one comparison: only the widest counts (CO-1).
fn bounds(sink: &mut Sink<'_, '_>, condition: &Condition<'_>) {
    let Some(operation) = condition.operation else { return };
    let ordered = matches!(
        operation.operator,
        Operator::NumericLessThan
            | Operator::NumericLessThanEquals
            | Operator::NumericGreaterThan
            | Operator::NumericGreaterThanEquals
            | Operator::DateLessThan
            | Operator::DateLessThanEquals
            | Operator::DateGreaterThan
            | Operator::DateGreaterThanEquals
    );
    let read = |text: &str| is_number(text) || is_date(text);
    if ordered && condition.values.len() > 1 && condition.values.iter().all(|v| read(v.text)) {
        let details = format!(
            "Of several values under {} only the widest bound counts. Keep that one.",
            operation.operator
        );
        sink.report(Code::RedundantConditionValueNum, condition.values_at, details);
    }
}

/// Statements that another one covers whole: same effect, principals and conditions, and no wider
/// actions and resources.
pub(super) fn check_statements(sink: &mut Sink<'_, '_>, policy: &Policy<'_>) {
    if policy.statements.len() > MAX_STATEMENTS {
        return;
    }
    let keys: Vec<String> = policy.statements.iter().map(rest).collect();
    for (at, statement) in policy.statements.iter().enumerate() {
        let by = policy.statements.iter().enumerate().find(|(other, wider)| {
            *other != at
                && keys.get(*other) == keys.get(at)
                && wider.effect == statement.effect
                && statement.effect.is_some()
                && contains(sink, wider, statement)
                && (*other < at || !contains(sink, statement, wider))
        });
        if let Some((_, by)) = by {
            let details = "Another statement already has the effect of this one. Remove it.";
            sink.report_all(Code::RedundantStatement, &[statement.at, by.at], details);
        }
    }
}

/// Principals and conditions in one spelling.
fn rest(statement: &Statement<'_>) -> String {
    let mut parts: Vec<String> = statement
        .conditions
        .iter()
        .map(|condition| {
            let mut values: Vec<&str> = condition.values.iter().map(|value| value.text).collect();
            values.sort_unstable();
            format!("{} {} {values:?}", condition.spelled.text, condition.key.text)
        })
        .collect();
    parts.sort_unstable();
    let principals = statement.principals.as_ref().map(|list| {
        let mut names: Vec<(&str, &str)> =
            list.entries.iter().map(|(kind, text)| (*kind, text.text)).collect();
        names.sort_unstable();
        (list.negated, list.everyone, names)
    });
    format!("{principals:?} {parts:?}")
}

fn contains(sink: &Sink<'_, '_>, wider: &Statement<'_>, inner: &Statement<'_>) -> bool {
    let within =
        |wider: Option<&List<'_>>, inner: Option<&List<'_>>, fold: bool| match (wider, inner) {
            (None, None) => true,
            (Some(wider), Some(inner)) if wider.negated == inner.negated => {
                // What is excepted more narrowly covers more.
                let (outer, small) = if inner.negated { (inner, wider) } else { (wider, inner) };
                !small.items.is_empty()
                    && small.items.iter().all(|item| {
                        outer.items.iter().any(|by| {
                            by.text == item.text
                                || glob::covers_within(by.text, item.text, fold, |n| sink.spend(n))
                        })
                    })
            }
            _ => false,
        };
    within(wider.actions.as_ref(), inner.actions.as_ref(), true)
        && within(wider.resources.as_ref(), inner.resources.as_ref(), false)
}
