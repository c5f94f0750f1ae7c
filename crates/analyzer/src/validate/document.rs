//! From JSON to the elements of a policy. What does not have the grammar's form is reported and left
//! out, so that the other checks see well-formed elements only.

use super::code::IssueCode as Code;
use super::json::{Bytes, Member, Node, Value};
use super::operation::Operation;
use super::run::{Kind, Sink};

/// A text of the policy with its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text<'d> {
    pub(super) text: &'d str,
    pub(super) at: Bytes,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Effect {
    Allow,
    Deny,
}

/// Actions or resources.
#[derive(Debug)]
pub(super) struct List<'d> {
    /// Whether it is the element that begins with `Not`.
    pub(super) negated: bool,
    pub(super) items: Vec<Text<'d>>,
    pub(super) at: Bytes,
}

#[derive(Debug)]
pub(super) struct Principals<'d> {
    pub(super) negated: bool,
    /// The place of the element's name.
    pub(super) name: Bytes,
    pub(super) at: Bytes,
    /// A bare star.
    pub(super) everyone: bool,
    /// An object without members.
    pub(super) empty: bool,
    /// The type and each value.
    pub(super) entries: Vec<(&'d str, Text<'d>)>,
}

/// One key under one operator.
#[derive(Debug)]
pub(super) struct Condition<'d> {
    /// The operator as written, with the place of its name.
    pub(super) spelled: Text<'d>,
    /// What the operator means, if it is one.
    pub(super) operation: Option<Operation>,
    /// The key, with the place of its name.
    pub(super) key: Text<'d>,
    pub(super) values: Vec<Text<'d>>,
    pub(super) values_at: Bytes,
}

impl Condition<'_> {
    /// Whether it tests the key of this name.
    pub(super) fn tests(&self, key: &str) -> bool {
        self.key.text.eq_ignore_ascii_case(key)
    }

    /// Whether it tests one of these keys.
    pub(super) fn tests_any(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.tests(key))
    }
}

#[derive(Debug, Default)]
pub(super) struct Statement<'d> {
    pub(super) at: Bytes,
    pub(super) sid: Option<Text<'d>>,
    pub(super) effect: Option<Effect>,
    pub(super) effect_at: Bytes,
    pub(super) actions: Option<List<'d>>,
    pub(super) resources: Option<List<'d>>,
    pub(super) principals: Option<Principals<'d>>,
    pub(super) conditions: Vec<Condition<'d>>,
}

impl<'d> Statement<'d> {
    /// The values of Action; none for NotAction.
    pub(super) fn actions(&self) -> impl Iterator<Item = Text<'d>> {
        positive(self.actions.as_ref())
    }

    /// The principals of this type, NotPrincipal left out.
    pub(super) fn principals_of(&self, kind: &str) -> impl Iterator<Item = Text<'d>> {
        let entries = self.principals.iter().filter(|list| !list.negated);
        let entries = entries.flat_map(|list| list.entries.iter().copied());
        entries.filter(move |(found, _)| *found == kind).map(|(_, text)| text)
    }

    /// Whether a condition tests one of these keys.
    pub(super) fn tests_any(&self, keys: &[&str]) -> bool {
        self.conditions.iter().any(|condition| condition.tests_any(keys))
    }
}

fn positive<'d>(list: Option<&List<'d>>) -> impl Iterator<Item = Text<'d>> {
    list.into_iter().filter(|list| !list.negated).flat_map(|list| list.items.iter().copied())
}

#[derive(Debug, Default)]
pub(super) struct Policy<'d> {
    /// Whether Version turns variables on (VAR-1).
    pub(super) variables: bool,
    pub(super) statements: Vec<Statement<'d>>,
}

/// Reads a document and reports what has not the form of the grammar.
pub(super) fn read<'d>(sink: &mut Sink<'_, '_>, root: &'d Node) -> Policy<'d> {
    let mut policy = Policy::default();
    let Value::Object(members) = &root.value else {
        mismatch(sink, root, "object");
        return policy;
    };
    let (mut version, mut statement) = (false, false);
    for Member { key, name, node } in members {
        match key.as_str() {
            "Version" => {
                version = true;
                policy.variables = read_version(sink, node);
            }
            "Id" => drop(string(sink, node)),
            "Statement" => {
                statement = true;
                read_statements(sink, node, &mut policy);
            }
            _ => unknown(sink, key, *name),
        }
    }
    if !version {
        sink.report(
            Code::MissingVersion,
            root.bytes,
            "Add the element Version with the value `2012-10-17`, so that all features of the \
             policy language can be used.",
        );
    }
    if !statement {
        missing_statement(sink, root);
    }
    policy
}

fn missing_statement(sink: &mut Sink<'_, '_>, node: &Node) {
    sink.report(Code::MissingStatement, node.bytes, "Add the element Statement to the policy.");
}

fn read_version(sink: &mut Sink<'_, '_>, node: &Node) -> bool {
    let Some(Text { text, at }) = string(sink, node) else { return false };
    if !["2012-10-17", "2008-10-17"].contains(&text) {
        sink.report(
            Code::InvalidVersion,
            at,
            format!("The version `{text}` does not exist. Use `2012-10-17`."),
        );
    }
    text == "2012-10-17"
}

fn read_statements<'d>(sink: &mut Sink<'_, '_>, node: &'d Node, policy: &mut Policy<'d>) {
    match &node.value {
        Value::Array(items) if items.is_empty() => missing_statement(sink, node),
        Value::Array(items) => {
            for item in items {
                policy.statements.extend(read_statement(sink, item));
            }
        }
        Value::Object(_) => policy.statements.extend(read_statement(sink, node)),
        _ => mismatch(sink, node, "object or array of objects"),
    }
}

fn read_statement<'d>(sink: &mut Sink<'_, '_>, node: &'d Node) -> Option<Statement<'d>> {
    let Value::Object(members) = &node.value else {
        mismatch(sink, node, "object");
        return None;
    };
    let mut statement = Statement { at: node.bytes, ..Statement::default() };
    let mut effect = false;
    for Member { key, name, node } in members {
        match key.as_str() {
            "Sid" => statement.sid = string(sink, node),
            "Effect" => {
                effect = true;
                statement.effect_at = node.bytes;
                statement.effect = read_effect(sink, node);
            }
            "Action" | "NotAction" => {
                let list = strings(sink, node, key.starts_with("Not"));
                exclusive(sink, statement.actions.is_some(), *name, "Action");
                statement.actions = statement.actions.or(list);
            }
            "Resource" | "NotResource" => {
                let list = strings(sink, node, key.starts_with("Not"));
                exclusive(sink, statement.resources.is_some(), *name, "Resource");
                statement.resources = statement.resources.or(list);
            }
            "Principal" | "NotPrincipal" => {
                let list = read_principals(sink, node, *name, key.starts_with("Not"));
                exclusive(sink, statement.principals.is_some(), *name, "Principal");
                statement.principals = statement.principals.or(list);
            }
            "Condition" => read_conditions(sink, node, &mut statement.conditions),
            _ => unknown(sink, key, *name),
        }
    }
    let has = |names: [&str; 2]| members.iter().any(|member| names.contains(&member.key.as_str()));
    if !effect {
        let advice = "Add the element Effect with the value `Allow` or `Deny`.";
        sink.report(Code::MissingEffect, node.bytes, advice);
    }
    if !has(["Action", "NotAction"]) {
        let advice = "Add the element Action or NotAction to the statement.";
        sink.report(Code::MissingAction, node.bytes, advice);
    }
    if sink.kind() != Kind::Trust && !has(["Resource", "NotResource"]) {
        let advice = "Add the element Resource or NotResource to the statement.";
        sink.report(Code::MissingResource, node.bytes, advice);
    }
    if matches!(sink.kind(), Kind::Resource | Kind::Trust) && !has(["Principal", "NotPrincipal"]) {
        let advice = "Add the element Principal to the statement.";
        sink.report(Code::MissingPrincipal, node.bytes, advice);
    }
    if sink.kind() == Kind::ResourceControl && !has(["Principal", "NotPrincipal"]) {
        let advice = "A statement of a resource control policy needs the principal `*`.";
        sink.report(Code::RcpSyntaxErrorPrincipal, node.bytes, advice);
    }
    Some(statement)
}

fn exclusive(sink: &mut Sink<'_, '_>, second: bool, name: Bytes, element: &str) {
    if second {
        sink.report(
            Code::UnsupportedElementCombination,
            name,
            format!("{element} and Not{element} exclude each other in one statement. Remove one."),
        );
    }
}

fn read_effect(sink: &mut Sink<'_, '_>, node: &Node) -> Option<Effect> {
    let Text { text, at } = string(sink, node)?;
    match text {
        "Allow" => Some(Effect::Allow),
        "Deny" => Some(Effect::Deny),
        _ => {
            let details = format!("The effect `{text}` does not exist. Use `Allow` or `Deny`.");
            sink.report(Code::InvalidEffect, at, details);
            None
        }
    }
}

fn read_principals<'d>(
    sink: &mut Sink<'_, '_>,
    node: &'d Node,
    name: Bytes,
    negated: bool,
) -> Option<Principals<'d>> {
    let mut found = Principals {
        negated,
        name,
        at: node.bytes,
        everyone: false,
        empty: false,
        entries: Vec::new(),
    };
    match &node.value {
        Value::String(text) if text == "*" => found.everyone = true,
        Value::Object(members) => {
            found.empty = members.is_empty();
            for member in members {
                let known = ["AWS", "Service", "Federated", "CanonicalUser"];
                if !known.contains(&member.key.as_str()) {
                    let details = format!(
                        "The principal type `{}` does not exist. Use AWS, Service, Federated or CanonicalUser.",
                        member.key
                    );
                    sink.report(Code::InvalidPrincipalKey, member.name, details);
                    continue;
                }
                if let Some(list) = strings(sink, &member.node, negated) {
                    if list.items.is_empty() {
                        let advice = "The list of principals is empty, so the statement applies to nobody. Name one.";
                        sink.report(Code::EmptyArrayPrincipal, list.at, advice);
                    }
                    let key = member.key.as_str();
                    found.entries.extend(list.items.into_iter().map(|text| (key, text)));
                }
            }
        }
        _ => {
            let details =
                "A principal is `*` or an object that maps a principal type to its values.";
            sink.report(Code::InvalidPrincipalFormat, node.bytes, details);
            return None;
        }
    }
    Some(found)
}

fn read_conditions<'d>(sink: &mut Sink<'_, '_>, node: &'d Node, found: &mut Vec<Condition<'d>>) {
    let Value::Object(operators) = &node.value else { return mismatch(sink, node, "object") };
    if operators.is_empty() {
        let advice = "The condition is empty and tests nothing. Remove it or add a test.";
        sink.report(Code::EmptyObjectCondition, node.bytes, advice);
    }
    for Member { key: operator, name, node } in operators {
        let Value::Object(keys) = &node.value else {
            mismatch(sink, node, "object");
            continue;
        };
        if keys.is_empty() {
            let advice = "The operator has no condition key and tests nothing. Remove it.";
            sink.report(Code::EmptyObjectCondition, node.bytes, advice);
        }
        for member in keys {
            let Some(values) = scalars(sink, &member.node) else { continue };
            found.push(Condition {
                spelled: Text { text: operator, at: *name },
                operation: Operation::parse(operator),
                key: Text { text: &member.key, at: member.name },
                values,
                values_at: member.node.bytes,
            });
        }
    }
}

/// The values of a condition key: strings, numbers or Booleans.
fn scalars<'d>(sink: &mut Sink<'_, '_>, node: &'d Node) -> Option<Vec<Text<'d>>> {
    let Value::Array(items) = &node.value else {
        let text = node.scalar();
        if text.is_none() {
            mismatch(sink, node, "string, number or Boolean");
        }
        return text.map(|text| vec![Text { text, at: node.bytes }]);
    };
    let mut kinds = items.iter().map(|item| std::mem::discriminant(&item.value));
    let first = kinds.next();
    if kinds.any(|kind| Some(kind) != first) {
        let advice =
            "The values of one condition key have several JSON types. Write them all as strings.";
        sink.report(Code::InvalidConditionDataType, node.bytes, advice);
    }
    let mut values = Vec::with_capacity(items.len());
    for item in items {
        match item.scalar() {
            Some(text) => values.push(Text { text, at: item.bytes }),
            None => mismatch(sink, item, "string, number or Boolean"),
        }
    }
    Some(values)
}

fn string<'d>(sink: &mut Sink<'_, '_>, node: &'d Node) -> Option<Text<'d>> {
    let text = node.text();
    if text.is_none() {
        mismatch(sink, node, "string");
    }
    text.map(|text| Text { text, at: node.bytes })
}

fn strings<'d>(sink: &mut Sink<'_, '_>, node: &'d Node, negated: bool) -> Option<List<'d>> {
    let items = match &node.value {
        Value::Array(items) => items.iter().filter_map(|item| string(sink, item)).collect(),
        Value::String(text) => vec![Text { text, at: node.bytes }],
        _ => {
            mismatch(sink, node, "string or array of strings");
            return None;
        }
    };
    Some(List { negated, items, at: node.bytes })
}

fn mismatch(sink: &mut Sink<'_, '_>, node: &Node, expected: &str) {
    let details = format!("The JSON type here is not the expected one: {expected}.");
    sink.report(Code::DataTypeMismatch, node.bytes, details);
}

fn unknown(sink: &mut Sink<'_, '_>, name: &str, at: Bytes) {
    let details = format!("The policy element `{name}` does not exist here. Remove it.");
    sink.report(Code::InvalidPolicyElement, at, details);
}
