//! Lists without a value.

use bailiwick_policy::SetPrefix;

use super::code::IssueCode as Code;
use super::document::Statement;
use super::run::Sink;

pub(super) fn check(sink: &mut Sink<'_, '_>, statement: &Statement<'_>) {
    if let Some(list) = statement.actions.as_ref().filter(|list| list.items.is_empty()) {
        let advice = "The list of actions is empty, so the statement does nothing. Name an action.";
        sink.report(Code::EmptyArrayAction, list.at, advice);
    }
    if let Some(list) = statement.resources.as_ref().filter(|list| list.items.is_empty()) {
        let advice =
            "The list of resources is empty, so the statement does nothing. Name a resource.";
        sink.report(Code::EmptyArrayResource, list.at, advice);
    }
    if let Some(list) = statement.principals.as_ref().filter(|list| list.empty) {
        let advice = "The principal is empty, so the statement applies to nobody. Name one.";
        sink.report(Code::EmptyObjectPrincipal, list.at, advice);
    }
    for condition in statement.conditions.iter().filter(|found| found.values.is_empty()) {
        let key = condition.key.text;
        let prefix = condition.operation.and_then(|operation| operation.prefix);
        let if_exists = condition.operation.is_some_and(|operation| operation.if_exists);
        let (code, details) = match prefix {
            Some(SetPrefix::ForAllValues) => (
                Code::EmptyArrayConditionForallvalues,
                format!(
                    "`{key}` under ForAllValues has no value: only an absent key matches. Write a Null test with `true`."
                ),
            ),
            Some(SetPrefix::ForAnyValue) => (
                Code::EmptyArrayConditionForanyvalue,
                format!("`{key}` under ForAnyValue has no value: the condition never matches."),
            ),
            None if if_exists => (
                Code::EmptyArrayConditionIfexists,
                format!(
                    "`{key}` under IfExists has no value: only an absent key matches. Write a Null test with `true`."
                ),
            ),
            None => (
                Code::EmptyArrayCondition,
                format!("The condition key `{key}` has no value. Add one or remove the key."),
            ),
        };
        sink.report(code, condition.values_at, details);
    }
}
