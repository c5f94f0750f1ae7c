//! Changes of policies as diffs, and commands.

use bailiwick_policy::{Document, Statement};
use serde_json::{Map, Value, json};

use crate::posture::facts::{Holder, HolderKind, Origin, PolicyUse};

/// How long a statement may be that is shown as a diff, in lines.
const MOST_LINES: usize = 60;

/// How long a statement may be that is shown as a diff, in bytes.
const MOST_BYTES: usize = 8_192;

/// The change of a statement as a diff: nothing where it is taken out as a whole.
pub(in crate::posture::checks) fn change(
    document: &Document,
    statement: &Statement,
    edit: impl FnOnce(&mut Map<String, Value>),
) -> Option<String> {
    let bytes = statement.bytes();
    let text = document.source().get(bytes.start as usize..bytes.end as usize)?;
    if text.len() > MOST_BYTES {
        return None;
    }
    let old: Value = serde_json::from_str(text).ok()?;
    let mut new = old.clone();
    edit(new.as_object_mut()?);
    diff(&old, &new)
}

/// A statement taken out.
pub(in crate::posture::checks) fn removal(
    document: &Document,
    statement: &Statement,
) -> Option<String> {
    change(document, statement, Map::clear)
}

fn diff(old: &Value, new: &Value) -> Option<String> {
    let lines = |value: &Value| -> Option<Vec<String>> {
        if value.as_object().is_some_and(Map::is_empty) {
            return Some(Vec::new());
        }
        let text = serde_json::to_string_pretty(value).ok()?;
        Some(text.lines().map(ToOwned::to_owned).collect())
    };
    let (old, new) = (lines(old)?, lines(new)?);
    let head = old.iter().zip(&new).take_while(|(left, right)| left == right).count();
    let (old_rest, new_rest) = (old.get(head..)?, new.get(head..)?);
    let ends = old_rest.iter().rev().zip(new_rest.iter().rev());
    let tail = ends.take_while(|(left, right)| left == right).count();
    let mut out = Vec::new();
    let mut push = |sign: char, lines: &[String]| {
        out.extend(lines.iter().map(|line| format!("{sign} {line}")));
    };
    push(' ', old.get(..head)?);
    push('-', old_rest.get(..old_rest.len() - tail)?);
    push('+', new_rest.get(..new_rest.len() - tail)?);
    push(' ', old_rest.get(old_rest.len() - tail..)?);
    if out.len() > MOST_LINES {
        out.truncate(MOST_LINES);
        out.push("  ...".to_owned());
    }
    Some(out.join("\n"))
}

/// Adds a condition to a statement.
pub(in crate::posture::checks) fn add_condition(
    statement: &mut Map<String, Value>,
    operator: &str,
    key: &str,
    value: &Value,
) {
    let conditions = statement.entry("Condition").or_insert_with(|| json!({}));
    let Some(conditions) = conditions.as_object_mut() else { return };
    let tests = conditions.entry(operator).or_insert_with(|| json!({}));
    if let Some(tests) = tests.as_object_mut() {
        tests.insert(key.to_owned(), value.clone());
    }
}

/// The command that puts a changed document in place.
pub(in crate::posture::checks) fn put(policy: &PolicyUse) -> String {
    match (policy.origin, policy.holders.first()) {
        (Origin::Inline, Some(holder)) => {
            let word = word(holder);
            format!(
                "aws iam put-{word}-policy --{word}-name {} --policy-name {} \
                 --policy-document file://policy.json",
                holder.name, policy.policy
            )
        }
        _ => format!(
            "aws iam create-policy-version --policy-arn {} --set-as-default \
             --policy-document file://policy.json",
            policy.policy
        ),
    }
}

/// The command that attaches a managed policy.
pub(in crate::posture::checks) fn attach(holder: &Holder, arn: &str) -> String {
    let word = word(holder);
    format!("aws iam attach-{word}-policy --{word}-name {} --policy-arn {arn}", holder.name)
}

/// The command that takes a policy from its holder.
pub(in crate::posture::checks) fn detach(policy: &PolicyUse, holder: &Holder) -> String {
    let word = word(holder);
    let (name, policy_name) = (&holder.name, &policy.policy);
    match policy.origin {
        Origin::Inline => {
            format!("aws iam delete-{word}-policy --{word}-name {name} --policy-name {policy_name}")
        }
        Origin::Customer | Origin::Aws => {
            format!("aws iam detach-{word}-policy --{word}-name {name} --policy-arn {policy_name}")
        }
    }
}

fn word(holder: &Holder) -> &'static str {
    match holder.kind {
        HolderKind::User => "user",
        HolderKind::Group => "group",
        HolderKind::Role => "role",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bailiwick_policy::DocumentKind;

    #[test]
    fn a_change_is_shown() {
        let text = r#"{"Version": "2012-10-17", "Statement":
            {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}"#;
        let document = Document::parse(text, DocumentKind::Identity).unwrap();
        let statement = &document.statements()[0];
        let edit = |map: &mut Map<String, Value>| {
            map.insert("Resource".to_owned(), json!("arn:aws:s3:::notes/*"));
        };
        let shown = change(&document, statement, edit).unwrap();
        assert!(shown.contains("-   \"Resource\": \"*\""), "{shown}");
        assert!(shown.contains("+   \"Resource\": \"arn:aws:s3:::notes/*\""), "{shown}");
        let gone = removal(&document, statement).unwrap();
        assert!(gone.lines().all(|line| line.starts_with('-')), "{gone}");
    }
}
