//! A statement's diff put to its policy.

use bailiwick_policy::{Document, DocumentKind};
use serde_json::Value;

/// A policy as text, and of which kind it is.
pub(super) struct Target {
    pub(super) text: String,
    pub(super) kind: DocumentKind,
}

/// The policy after the change. None where the diff is not of one whole statement of it, or no
/// statement would be left, or the change leaves a value open.
pub(super) fn apply(target: &Target, diff: &str) -> Option<String> {
    let document = Document::parse(&target.text, target.kind).ok()?;
    let [before] = side(diff, '-')?.try_into().ok()?;
    let after = side(diff, '+')?;
    let (known, mut told) = (before.to_string(), Vec::new());
    for value in &after {
        texts(value, &mut told);
    }
    // Words in place of a value, such as "the actions that are needed": only the owner knows it.
    if told.iter().any(|text| text.contains(' ') && !known.contains(text)) {
        return None;
    }
    let text = document.source();
    let statement = document.statements().iter().find_map(|statement| {
        let bytes = statement.bytes();
        let range = usize::try_from(bytes.start).ok()?..usize::try_from(bytes.end).ok()?;
        let held: Value = serde_json::from_str(text.get(range.clone())?).ok()?;
        (held == before).then_some(range)
    })?;
    let (head, tail) = (text.get(..statement.start)?, text.get(statement.end..)?);
    let indent = head.len() - head.rfind('\n').map_or(head.len(), |at| at + 1);
    let listed = head.trim_end().ends_with(['[', ',']);
    let mut written: Vec<String> = Vec::new();
    for value in &after {
        let lines = serde_json::to_string_pretty(value).ok()?;
        written.push(lines.replace('\n', &format!("\n{:indent$}", "")));
    }
    let joined = written.join(&format!(",\n{:indent$}", ""));
    let changed = match (listed, after.len()) {
        (_, 0) if document.statements().len() < 2 => return None,
        (true, 0) => match tail.trim_start().strip_prefix(',') {
            Some(rest) => format!("{head}{}", rest.trim_start()),
            None => format!("{}{tail}", head.trim_end().strip_suffix(',')?),
        },
        (true, _) | (false, 1) => format!("{head}{joined}{tail}"),
        (false, _) => format!("{head}[{joined}]{tail}"),
    };
    Document::parse(&changed, target.kind).ok()?;
    Some(changed)
}

/// All texts of a value.
fn texts<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(list) => list.iter().for_each(|one| texts(one, found)),
        Value::Object(map) => map.values().for_each(|one| texts(one, found)),
        _ => {}
    }
}

/// The objects of one side of a diff: what has its sign or none. None if they are not whole.
fn side(diff: &str, sign: char) -> Option<Vec<Value>> {
    let mut text = String::new();
    for line in diff.lines() {
        if let Some(line) = line.strip_prefix([sign, ' ']) {
            text.push_str(line);
            text.push('\n');
        }
    }
    let values: Vec<Value> =
        serde_json::Deserializer::from_str(&text).into_iter().collect::<Result<_, _>>().ok()?;
    values.iter().all(Value::is_object).then_some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#;

    fn changed(statements: &str, diff: &str) -> Option<Value> {
        let text = format!(r#"{{"Version": "2012-10-17", "Statement": {statements}}}"#);
        let text = apply(&Target { text, kind: DocumentKind::Identity }, diff)?;
        let value: Value = serde_json::from_str(&text).unwrap();
        Some(value["Statement"].clone())
    }

    #[test]
    fn a_diff_of_a_statement_changes_its_policy() {
        let other = r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}"#;
        let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let edit = "  {\n-   \"Action\": \"*\",\n+   \"Action\": \"iam:Get*\",\n    \"Effect\": \"Allow\",\n    \
                    \"Resource\": \"*\"\n  }";
        let edited = value(r#"{"Effect": "Allow", "Action": "iam:Get*", "Resource": "*"}"#);
        let gone = format!("- {ONE}");
        let beside = format!("- {ONE}\n+ {ONE}\n+ {other}");
        assert_eq!(changed(ONE, edit), Some(edited.clone()));
        let both = format!("[{other}, {ONE}]");
        assert_eq!(changed(&both, edit), Some(Value::Array(vec![value(other), edited])));
        assert_eq!(changed(&both, &gone), Some(Value::Array(vec![value(other)])));
        let turned = format!("[\n  {ONE},\n  {other}\n]");
        assert_eq!(changed(&turned, &gone), Some(Value::Array(vec![value(other)])));
        assert_eq!(changed(ONE, &beside), Some(Value::Array(vec![value(ONE), value(other)])));
    }

    #[test]
    fn what_does_not_fit_changes_nothing() {
        // The last statement; another statement; a part of one; one that is cut; a wrong result.
        for diff in [
            &format!("- {ONE}"),
            r#"- {"Effect": "Deny", "Action": "*", "Resource": "*"}"#,
            r#"+ "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}"#,
            "  {\n-   \"Action\": \"*\",\n  ...",
            &format!("- {ONE}\n+ {{\"Effect\": \"Maybe\"}}"),
        ] {
            assert_eq!(changed(ONE, diff), None, "{diff}");
        }
    }
}
