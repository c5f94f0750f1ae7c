//! Condition operators: do they exist, and is what they say possible.

use std::collections::BTreeMap;

use super::code::IssueCode as Code;
use super::document::Statement;
use super::glob;
use super::operation::Family;
use super::run::Sink;

pub(super) fn check(sink: &mut Sink<'_, '_>, statement: &Statement<'_>) {
    let mut seen: BTreeMap<(usize, String), &str> = BTreeMap::new();
    let mut unknown = None;
    for condition in &statement.conditions {
        let folded = (condition.spelled.at.start, condition.key.text.to_ascii_lowercase());
        if seen.insert(folded, condition.key.text).is_some_and(|key| key != condition.key.text) {
            let details = format!(
                "The condition key `{}` stands twice under one operator, in different case. Keys are read without regard to case.",
                condition.key.text
            );
            sink.report(Code::DuplicateKeysWithDifferentCase, condition.key.at, details);
        }
        let Some(operation) = condition.operation else {
            if unknown != Some(condition.spelled.at) {
                unknown = Some(condition.spelled.at);
                let details =
                    format!("The condition operator `{}` does not exist.", condition.spelled.text);
                sink.report(Code::InvalidConditionOperator, condition.spelled.at, details);
            }
            continue;
        };
        if operation.family() == Family::Null && operation.if_exists {
            let details = "Null already tests whether the key exists. Remove the suffix IfExists.";
            sink.report(Code::NullWithIfExists, condition.spelled.at, details);
        }
        if operation.family() == Family::Null && operation.prefix.is_some() {
            let details = "Null with ForAllValues or ForAnyValue always gives the same result. Remove the qualifier.";
            sink.report(Code::NullWithQualifier, condition.spelled.at, details);
        }
        for value in &condition.values {
            let variable = value.text.contains("${");
            if variable && !matches!(operation.family(), Family::String | Family::Arn) {
                let details = format!(
                    "The operator {} takes no policy variables. Use one of the String or Arn operators.",
                    operation.operator
                );
                sink.report(Code::InvalidVariableForOperator, value.at, details);
            }
            let exact = operation.family() == Family::String && !operation.is_pattern();
            if exact && glob::is_wild(&plain(value.text)) {
                let details = format!(
                    "The value has a wildcard, but {} compares it letter by letter. Use StringLike or StringNotLike.",
                    operation.operator
                );
                sink.report(Code::WildcardWithoutLikeOperator, value.at, details);
            }
        }
    }
}

/// The text without its variables, escapes of wildcards among them.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, variable)) = rest.split_once("${") {
        out.push_str(before);
        rest = variable.split_once('}').map_or("", |(_, after)| after);
    }
    out + rest
}
