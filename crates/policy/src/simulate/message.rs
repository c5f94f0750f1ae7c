//! What became of a request, as `DecodeAuthorizationMessage` shows it. Source: the AWS CLI's example
//! of `sts decode-authorization-message`.

use serde::Serialize;

use crate::{
    Applicable, Attached, Context, Effect, Explanation, Outcome, Source, Statement, Verdict,
};

/// A list, as the message has lists.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Items<T> {
    /// Its items.
    pub items: Vec<T>,
}

/// A value in a list.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Item {
    /// The value.
    pub value: String,
}

/// A decided request: the answer, the statements that made it, and what was asked.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizationMessage {
    /// Whether it was allowed.
    pub allowed: bool,
    /// Whether a Deny statement refused it.
    pub explicit_deny: bool,
    /// The statements that made the decision (SIM-4).
    pub matched_statements: Items<MessageStatement>,
    /// Policies that could not be evaluated (IN-6).
    pub failures: Items<Item>,
    /// What was asked.
    pub context: MessageContext,
}

/// A statement that made a decision.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageStatement {
    /// Its Sid, or nothing.
    pub statement_id: String,
    /// `ALLOW` or `DENY`.
    pub effect: &'static str,
    /// Whom it is about: its principals, or the caller where it names none.
    pub principals: Items<Item>,
    /// Always empty: no group is ever a principal (IN-5).
    pub principal_groups: Items<Item>,
    /// Its actions.
    pub actions: Items<Item>,
    /// Its resources.
    pub resources: Items<Item>,
    /// Its conditions.
    pub conditions: Items<MessageCondition>,
}

/// A condition key with its values.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct MessageCondition {
    /// The key.
    pub key: String,
    /// The values.
    pub values: Items<Item>,
}

/// The request that was decided.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct MessageContext {
    /// Who called.
    pub principal: MessagePrincipal,
    /// The action.
    pub action: String,
    /// The resource.
    pub resource: String,
    /// The request context, sorted by key.
    pub conditions: Items<MessageCondition>,
}

/// The caller of a request.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct MessagePrincipal {
    /// Its `aws:userid`.
    pub id: String,
    /// Its ARN.
    pub arn: String,
}

/// Tells what became of a request. Statements are those that `explanation` still shows, so that what
/// was taken out of it stays out of the message.
pub fn authorization_message(
    explanation: &Explanation,
    applicable: &Applicable<'_>,
    context: &Context,
) -> AuthorizationMessage {
    let id = context.values("aws:userid").next().unwrap_or_default();
    let statements = explanation.matched().filter_map(|(source, report)| {
        let matched = matches!(report.outcome, Outcome::Matched { .. });
        let statement = find(applicable, source)?.document.statements().get(report.index)?;
        matched.then(|| describe(statement, id))
    });
    let failures = match &explanation.decision.reason {
        crate::Reason::EvaluationError { source } => values([source.id.as_ref()]),
        _ => values([]),
    };
    let mut conditions: Vec<MessageCondition> =
        context.iter().map(|(key, found)| condition(key, found)).collect();
    conditions.sort_unstable_by(|one, other| one.key.cmp(&other.key));
    AuthorizationMessage {
        allowed: explanation.decision.is_allowed(),
        explicit_deny: explanation.decision.verdict == Verdict::ExplicitDeny,
        matched_statements: Items { items: statements.collect() },
        failures,
        context: MessageContext {
            principal: MessagePrincipal { id: id.to_owned(), arn: explanation.principal.clone() },
            action: explanation.action.clone(),
            resource: explanation.resource.clone(),
            conditions: Items { items: conditions },
        },
    }
}

fn find<'a>(applicable: &Applicable<'a>, source: &Source) -> Option<Attached<'a>> {
    applicable.policies().find(|policy| policy.source == source)
}

fn describe(statement: &Statement, caller: &str) -> MessageStatement {
    let conditions = statement
        .conditions()
        .map(|held| condition(&held.key, held.values.iter().map(AsRef::as_ref)));
    let principals = statement.principal.as_ref();
    let principals = principals.map_or_else(
        || values([caller]),
        |element| values(element.entries.iter().map(|entry| entry.text.as_ref())),
    );
    MessageStatement {
        statement_id: statement.sid().unwrap_or_default().to_owned(),
        effect: if statement.effect() == Effect::Allow { "ALLOW" } else { "DENY" },
        principals,
        principal_groups: values([]),
        actions: values(statement.actions()),
        resources: values(statement.resources()),
        conditions: Items { items: conditions.collect() },
    }
}

fn condition<'v>(key: &str, found: impl IntoIterator<Item = &'v str>) -> MessageCondition {
    MessageCondition { key: key.to_owned(), values: values(found) }
}

fn values<'v>(found: impl IntoIterator<Item = &'v str>) -> Items<Item> {
    let items = found.into_iter().map(|value| Item { value: value.to_owned() });
    Items { items: items.collect() }
}
