//! How a step is closed: the statement that allows its first request, without that.

use bailiwick_policy::{
    Document, Effect, Outcome, PolicyKind, Request, Source, SourceKind, explain, is_delegated,
};
use serde::Serialize;
use serde_json::Value;

use super::ability::speaks_of;
use super::change::subject;
use super::judge::{Ask, Judge, put};
use super::report::Step;
use crate::estate::{Estate, Subject};
use crate::shell;

/// A change of one policy that closes a step.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fix {
    /// The policy: a name or an ARN.
    pub policy: String,
    /// What the policy hangs on, or the role whose trust policy it is.
    pub owner: String,
    /// The statement's place in it, from 0.
    pub statement: usize,
    /// The statement as it is.
    pub before: Value,
    /// The statements in its place; none if it goes.
    pub after: Vec<Value>,
    /// The same as a diff, line by line.
    pub diff: String,
    /// A command that writes the changed policy.
    pub command: String,
}

/// The change that closes a step: in its first request that a policy of the account allows.
pub(super) fn fix(estate: &Estate, step: &Step) -> Option<Fix> {
    let subject = subject(estate, &step.at)?;
    let judge = Judge::new(estate, None);
    step.asks.iter().filter(|ask| ask.caller.starts_with("arn:")).find_map(|ask| {
        let (source, document, statement) = allowing(&judge, &subject, ask)?;
        build(estate, &subject, ask, &source, &document, statement)
    })
}

/// The statement that allows a request: of the identity policies, or of the trust policy.
fn allowing(judge: &Judge<'_>, subject: &Subject, ask: &Ask) -> Option<(Source, Document, usize)> {
    if ask.trust.is_some() {
        return None;
    }
    let mut context = judge.caller(subject);
    let keys = ask.context.iter().map(|(key, values)| (key.clone(), values.clone())).collect();
    put(&mut context, &keys);
    let applicable = judge.estate.applicable(subject, &ask.action, &ask.resource);
    let request = Request {
        principal: &subject.principal,
        action: &ask.action,
        resource: &ask.resource,
        resource_account: judge.estate.owner(&ask.resource),
        context: &context,
        delegated: is_delegated(&ask.action, &ask.resource),
    };
    let told = explain(&request, &applicable);
    for kind in [PolicyKind::Identity, PolicyKind::Trust] {
        let documents: Vec<&Document> = match kind {
            PolicyKind::Identity => applicable.identity.iter().map(|p| p.document).collect(),
            _ => applicable.resource.iter().map(|p| p.document).collect(),
        };
        let layers = told.layers.iter().filter(|layer| layer.kind == kind);
        for (report, document) in layers.flat_map(|layer| &layer.policies).zip(documents) {
            let allows = report.statements.iter().find(|statement| {
                statement.effect == Effect::Allow
                    && matches!(statement.outcome, Outcome::Matched { .. })
            });
            if let Some(statement) = allows {
                return Some((report.source.clone(), document.clone(), statement.index));
            }
        }
    }
    None
}

fn build(
    estate: &Estate,
    subject: &Subject,
    ask: &Ask,
    source: &Source,
    document: &Document,
    statement: usize,
) -> Option<Fix> {
    let text = document.source();
    let held = document.statements().get(statement)?;
    let bytes = held.bytes();
    let range = usize::try_from(bytes.start).ok()?..usize::try_from(bytes.end).ok()?;
    let before: Value = serde_json::from_str(text.get(range)?).ok()?;
    let speaks = speaks_of(held, &ask.action.to_ascii_lowercase());
    let mut after = without(&before, &ask.action, speaks);
    let emptied = after.is_empty() && document.statements().len() == 1;
    if emptied && before.get("Principal").is_some() {
        // A role has a trust policy always, and that at least one statement.
        let mut denied = before.clone();
        if let Some(object) = denied.as_object_mut() {
            object.insert("Effect".to_owned(), "Deny".into());
        }
        after.push(denied);
    }
    let mut diff = String::new();
    let mut lines = |sign: char, value: &Value| {
        for line in format!("{value:#}").lines() {
            diff.push(sign);
            diff.push(' ');
            diff.push_str(line);
            diff.push('\n');
        }
    };
    lines('-', &before);
    for value in &after {
        lines('+', value);
    }
    let (owner, command) = command(estate, subject, ask, source, emptied);
    let command = shell::line(&command);
    Some(Fix { policy: source.id.to_string(), owner, statement, before, after, diff, command })
}

/// The statement without an action: off its list where it stands there, refused beside it where a
/// pattern or an exclusion covers it.
fn without(statement: &Value, action: &str, speaks: bool) -> Vec<Value> {
    let listed: Vec<String> = match statement.get("Action") {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(list)) => {
            list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    };
    let left: Vec<&String> = listed.iter().filter(|a| !a.eq_ignore_ascii_case(action)).collect();
    if left.len() < listed.len() && !left.iter().any(|entry| entry.contains(['*', '?'])) {
        if left.is_empty() {
            return Vec::new();
        }
        let mut changed = statement.clone();
        if let Some(object) = changed.as_object_mut() {
            object.insert("Action".to_owned(), serde_json::json!(left));
        }
        return vec![changed];
    }
    if !speaks || statement.get("Principal").is_some() {
        return Vec::new();
    }
    let deny = serde_json::json!({"Effect": "Deny", "Action": action, "Resource": "*"});
    vec![statement.clone(), deny]
}

/// What the policy hangs on, and the command that writes it; or that takes it away, if no statement
/// is left in it.
fn command(
    estate: &Estate,
    subject: &Subject,
    ask: &Ask,
    source: &Source,
    emptied: bool,
) -> (String, String) {
    let arn = subject.arn();
    let name = arn.rsplit('/').next().unwrap_or_default();
    let kind = if arn.contains(":user/") { "user" } else { "role" };
    let id = &source.id;
    let file = "--policy-document file://policy.json";
    let version =
        format!("aws iam create-policy-version --policy-arn {id} {file} --set-as-default");
    let inline = |kind: &str, name: &str| {
        if emptied {
            format!("aws iam delete-{kind}-policy --{kind}-name {name} --policy-name {id}")
        } else {
            format!("aws iam put-{kind}-policy --{kind}-name {name} --policy-name {id} {file}")
        }
    };
    let detached = |kind: &str, name: &str| {
        format!("aws iam detach-{kind}-policy --{kind}-name {name} --policy-arn {id}")
    };
    match &source.kind {
        SourceKind::GroupInline { group } => (format!("group {group}"), inline("group", group)),
        SourceKind::GroupManaged { group } if emptied => {
            (format!("group {group}"), detached("group", group))
        }
        SourceKind::GroupManaged { group } => (format!("group {group}"), version),
        SourceKind::UserManaged | SourceKind::RoleManaged if emptied => {
            (format!("{kind} {name}"), detached(kind, name))
        }
        SourceKind::UserManaged | SourceKind::RoleManaged => (format!("{kind} {name}"), version),
        SourceKind::AwsManaged => {
            let group = by_group(estate, arn, id);
            let (kind, name) = match &group {
                Some(group) => ("group", group.as_str()),
                None => (kind, name),
            };
            (format!("{kind} {name}"), detached(kind, name))
        }
        SourceKind::Trust => {
            let role = ask.resource.rsplit('/').next().unwrap_or_default();
            (
                format!("role {role}"),
                format!("aws iam update-assume-role-policy --role-name {role} {file}"),
            )
        }
        _ => (format!("{kind} {name}"), inline(kind, name)),
    }
}

/// The group by which a user has an AWS managed policy that is not attached to itself.
fn by_group(estate: &Estate, user: &str, policy: &str) -> Option<String> {
    let account = &estate.account;
    let user = account.user_with_arn(&user.parse().ok()?)?;
    let has = |owner| account.attached(owner).any(|arn| arn.as_str() == policy);
    if has(user.id) {
        return None;
    }
    let group = account.groups_of(user.id).find(|group| has(group.id))?;
    Some(group.name.to_string())
}
