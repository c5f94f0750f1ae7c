//! Grants that reach further than they seem to.

use super::code::IssueCode as Code;
use super::document::{Effect, Statement, Text};
use super::glob;
use super::run::{Kind, Sink};

/// How a statement's actions reach one action.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Reach {
    Named,
    Pattern,
    Excluded,
}

/// The codes of one risky action, by how action and resource are written.
struct Codes {
    named: [Code; 2],
    pattern: [Code; 2],
    excluded: [Code; 2],
}

const PASS_ROLE: Codes = Codes {
    named: [Code::PassRoleWithStarInResource, Code::PassRoleWithNotResource],
    pattern: [
        Code::PassRoleWithStarInActionAndResource,
        Code::PassRoleWithStarInActionAndNotResource,
    ],
    excluded: [
        Code::PassRoleWithStarInResourceAndNotAction,
        Code::PassRoleWithNotActionAndNotResource,
    ],
};

const CREATE_SLR: Codes = Codes {
    named: [Code::CreateSlrWithStarInResource, Code::CreateSlrWithNotResource],
    pattern: [
        Code::CreateSlrWithStarInActionAndResource,
        Code::CreateSlrWithStarInActionAndNotResource,
    ],
    excluded: [
        Code::CreateSlrWithStarInResourceAndNotAction,
        Code::CreateSlrWithNotActionAndNotResource,
    ],
};

pub(super) fn check(sink: &mut Sink<'_, '_>, statement: &Statement<'_>) {
    if sink.kind() == Kind::Identity && statement.effect == Some(Effect::Allow) {
        if !statement.tests_any(&["iam:PassedToService"]) {
            let service_role = |text: &str| {
                text.contains(":role/aws-service-role/") || text.contains(":role/service-role/")
            };
            risk(sink, statement, "iam:PassRole", &PASS_ROLE, &service_role);
        }
        if !statement.tests_any(&["iam:AWSServiceName"]) {
            let own = |text: &str| {
                let path = text.split_once(":role/aws-service-role/").map(|(_, rest)| rest);
                path.is_some_and(|path| !path.is_empty() && !path.starts_with(['*', '?']))
            };
            risk(sink, statement, "iam:CreateServiceLinkedRole", &CREATE_SLR, &own);
        }
        attributes(sink, statement);
    }
    if matches!(sink.kind(), Kind::Identity | Kind::Resource) {
        prefixes(sink, statement);
    }
}

fn reach<'d>(statement: &Statement<'d>, action: &str) -> Option<(Reach, Text<'d>)> {
    let list = statement.actions.as_ref()?;
    let hit = |item: &&Text<'_>| item.text == "*:*" || glob::matches(item.text, action);
    if list.negated {
        let first = *list.items.first()?;
        return list.items.iter().find(hit).is_none().then_some((Reach::Excluded, first));
    }
    let hits: Vec<Text<'d>> = list.items.iter().filter(hit).copied().collect();
    let named = hits.iter().find(|item| !glob::is_wild(item.text)).copied();
    named.map(|item| (Reach::Named, item)).or(hits.first().map(|item| (Reach::Pattern, *item)))
}

/// An action on all roles.
fn risk(
    sink: &mut Sink<'_, '_>,
    statement: &Statement<'_>,
    action: &str,
    codes: &Codes,
    tolerated: &dyn Fn(&str) -> bool,
) {
    let Some((reach, found)) = reach(statement, action) else { return };
    let Some(list) = &statement.resources else { return };
    let [star, not_resource] = match reach {
        Reach::Named => codes.named,
        Reach::Pattern => codes.pattern,
        Reach::Excluded => codes.excluded,
    };
    if list.negated {
        let roles = "arn:*:iam::*:role/*";
        let covers =
            |item: &Text<'_>| glob::covers_within(item.text, roles, false, |n| sink.spend(n));
        let all_roles = list.items.iter().any(covers);
        if !all_roles {
            let details = format!(
                "With NotResource the statement allows {action} on roles that you may not mean. List the roles with Resource."
            );
            sink.report_all(not_resource, &[found.at, list.at], details);
        }
        return;
    }
    let wide = |item: &&Text<'_>| {
        sink.spend(item.text.len().saturating_mul(20))
            && is_wide(item.text)
            && !tolerated(item.text)
    };
    let wide: Vec<Text<'_>> = list.items.iter().filter(wide).copied().collect();
    for item in wide {
        let details = format!(
            "The wildcard in the resource allows {action} on many roles. Name the roles, or limit the service in Condition."
        );
        sink.report_all(star, &[found.at, item.at], details);
    }
}

/// Whether a pattern reaches roles without naming one: a star for the name, or before it.
fn is_wide(text: &str) -> bool {
    if text == "*" {
        return true;
    }
    let open = glob::open_variables(text);
    if !glob::overlap(&open, "arn:*:iam::*:role/*", false) {
        return false;
    }
    match open.split_once(":role/") {
        Some((_, name)) => name.starts_with(['*', '?']) || name.is_empty(),
        None => true,
    }
}

/// Attributes are only kept back if a call must say which it selects.
fn attributes(sink: &mut Sink<'_, '_>, statement: &Statement<'_>) {
    let Some(condition) =
        statement.conditions.iter().find(|condition| condition.tests("dynamodb:Attributes"))
    else {
        return;
    };
    let pinned = statement.conditions.iter().any(|condition| {
        condition.tests("dynamodb:Select")
            && condition.operation.is_some_and(|o| !o.is_negated())
            && !condition.values.is_empty()
            && condition.values.iter().all(|v| ["SPECIFIC_ATTRIBUTES", "COUNT"].contains(&v.text))
    });
    let reads =
        ["dynamodb:Query", "dynamodb:Scan"].iter().any(|action| reach(statement, action).is_some());
    if !pinned && reads {
        let details = "Without dynamodb:Select pinned to SPECIFIC_ATTRIBUTES a call that selects all attributes gets them all. Add that condition.";
        sink.report(Code::DynamodbAttributesWithoutSelect, condition.key.at, details);
    }
}

/// A list call with a shorter prefix sees what lies below.
fn prefixes(sink: &mut Sink<'_, '_>, statement: &Statement<'_>) {
    for condition in statement.conditions.iter().filter(|found| found.tests("s3:prefix")) {
        let Some(operation) = condition.operation else { continue };
        let text = operation.family() == super::operation::Family::String;
        let negative = match statement.effect {
            Some(Effect::Deny) => !operation.is_negated(),
            Some(Effect::Allow) => operation.is_negated(),
            None => false,
        };
        if text && negative {
            let details = "A call with a shorter prefix passes this test and still lists what lies below. Allow the prefixes that are meant instead.";
            sink.report(Code::S3PrefixInNegativeContext, condition.key.at, details);
        }
    }
}
