//! Patterns in conditions that match too much, or everything, or nothing.

use bailiwick_catalog::KeyType;
use bailiwick_policy::{Operator, SetPrefix};

use super::code::IssueCode as Code;
use super::document::{Condition, Effect, Statement, Text};
use super::operation::{Family, Operation};
use super::run::Sink;

/// Keys that hold an id of an account, an organization or the like: a pattern admits strangers.
const SENSITIVE: [&str; 11] = [
    "aws:PrincipalAccount",
    "aws:PrincipalOrgID",
    "aws:ResourceAccount",
    "aws:ResourceOrgID",
    "aws:SourceAccount",
    "aws:SourceOrgID",
    "aws:SourceOwner",
    "aws:VpceAccount",
    "aws:VpceOrgID",
    "kms:CallerAccount",
    "s3:ResourceAccount",
];

/// Keys whose patterns need that many letters before a wildcard.
const BEGUN: [&str; 3] = ["aws:SourceVpc", "aws:SourceVpce", "aws:userid"];
const LETTERS: usize = 6;

/// How many wildcards of one value are judged.
const MAX_SIGNS: usize = 50;

pub(super) fn check(sink: &mut Sink<'_, '_>, statement: &Statement<'_>) {
    for condition in &statement.conditions {
        let Some(operation) = condition.operation else { continue };
        if operation.is_pattern() {
            let everything = condition.values.iter().find(|value| is_all(value.text));
            if let Some(value) = everything {
                constant(sink, condition, operation, *value);
            }
            permissive(sink, statement, condition, operation);
            arns(sink, condition, operation);
        }
    }
}

fn is_all(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte == b'*')
}

/// A test that a single star decides.
fn constant(
    sink: &mut Sink<'_, '_>,
    condition: &Condition<'_>,
    operation: Operation,
    value: Text<'_>,
) {
    let key = condition.key.text;
    if operation.family() != Family::String {
        return;
    }
    let all = operation.prefix == Some(SetPrefix::ForAllValues);
    let any = operation.prefix == Some(SetPrefix::ForAnyValue);
    let (code, details) = match (operation.is_negated(), operation.if_exists || all) {
        (false, true) => (
            Code::RedundantKeyDueToWildcardInCondition,
            format!("The test of `{key}` always matches, for its value is `*`. Remove it."),
        ),
        (false, false) => (
            Code::EquivalentToNullFalse,
            format!(
                "Any value of `{key}` matches. Write a Null test with `false`: the key is present."
            ),
        ),
        (true, false) if any => (
            Code::RedundantStatementDueToWildcardInCondition,
            format!(
                "The test of `{key}` never matches, so the statement does nothing. Remove one of them."
            ),
        ),
        (true, _) => (
            Code::EquivalentToNullTrue,
            format!(
                "No value of `{key}` matches. Write a Null test with `true`: the key is absent."
            ),
        ),
    };
    sink.report(code, value.at, details);
}

/// Wildcards and variables where they let strangers in: in what widens the access.
fn permissive(
    sink: &mut Sink<'_, '_>,
    statement: &Statement<'_>,
    condition: &Condition<'_>,
    operation: Operation,
) {
    let widens = match statement.effect {
        Some(Effect::Allow) => !operation.is_negated(),
        Some(Effect::Deny) => operation.is_negated(),
        None => false,
    };
    if !widens {
        return;
    }
    let sensitive = condition.tests_any(&SENSITIVE);
    let claim = condition.key.text.rsplit_once(':');
    let subject = claim.is_some_and(|(issuer, name)| issuer.contains('.') && name == "sub");
    let begun = condition.tests_any(&BEGUN) || subject;
    let userid = condition.tests("aws:userid");
    if !sensitive && !begun {
        return;
    }
    // A variable alone that holds such an id itself is as good as the id.
    let own = |text: &str| {
        let name = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        name.is_some_and(|name| SENSITIVE.iter().any(|key| key.eq_ignore_ascii_case(name)))
    };
    for value in condition.values.iter().filter(|value| !own(value.text)) {
        for sign in signs(value.text) {
            let code = if sign.variable {
                Code::VariableUsageTooPermissive
            } else {
                Code::WildcardUsageTooPermissive
            };
            let what = if sign.variable { "policy variable" } else { "wildcard" };
            let key = condition.key.text;
            let details = if sensitive {
                format!(
                    "A {what} in the value of `{key}` admits more than you may mean. Write the whole value."
                )
            } else if userid && sign.before_colon {
                format!(
                    "A {what} left of the colon of `{key}` admits any role or user. Write the unique id."
                )
            } else if sign.letters < LETTERS {
                format!("The value of `{key}` needs at least {LETTERS} letters before the {what}.")
            } else {
                continue;
            };
            sink.report_part(code, value.at, sign.part, details);
        }
    }
}

/// A wildcard or variable in a text.
struct Sign {
    variable: bool,
    /// How many letters stand right before it.
    letters: usize,
    before_colon: bool,
    /// Where it is, in characters, and how long.
    part: (usize, usize),
}

fn signs(text: &str) -> Vec<Sign> {
    let mut found = Vec::new();
    let (mut at, mut letters) = (0, 0);
    let mut rest = text;
    let colon = text.rfind(':').unwrap_or(0);
    while let Some(c) = rest.chars().next() {
        let escape = ["${*}", "${?}", "${$}"].iter().find_map(|escape| rest.strip_prefix(escape));
        if let Some(after) = escape {
            (at, letters, rest) = (at + 4, letters + 1, after);
            continue;
        }
        let variable = rest.starts_with("${");
        let end = if variable { rest.find('}') } else { None };
        let length = end.map_or(1, |end| rest.get(..=end).unwrap_or_default().chars().count());
        let next = rest.char_indices().nth(length).map_or(rest.len(), |(byte, _)| byte);
        rest = rest.get(next..).unwrap_or_default();
        if variable && length > 1 || c == '*' || c == '?' {
            // Wildcards in a row are one.
            let before_colon = text.len() - rest.len() <= colon;
            let part = (at, length);
            if letters > 0 || found.is_empty() {
                found.push(Sign { variable, letters, before_colon, part });
            }
            letters = 0;
            if found.len() == MAX_SIGNS {
                break;
            }
        } else {
            letters += 1;
        }
        at += length;
    }
    found
}

/// Text operators on ARNs: a star crosses the colons (OP-A2 against OP-S3).
fn arns(sink: &mut Sink<'_, '_>, condition: &Condition<'_>, operation: Operation) {
    let like = matches!(operation.operator, Operator::StringLike | Operator::StringNotLike);
    let known = sink.facts().catalog.condition_key(condition.key.text);
    let wild = condition.values.iter().any(|value| super::glob::is_wild(value.text));
    if like && wild && known.is_some_and(|key| key.kind == KeyType::Arn) {
        let better = if operation.is_negated() { "ArnNotLike" } else { "ArnLike" };
        let details = format!(
            "`{}` holds an ARN, and under {} a star in it crosses the ARN's colons. Use {better}.",
            condition.key.text, operation.operator
        );
        sink.report(Code::StringLikeOperatorWithArnConditionKeys, condition.spelled.at, details);
    }
}
