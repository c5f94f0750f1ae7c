//! Texts and values in the language of Terraform.

use std::fmt::Write as _;

use serde_json::Value;

/// A quoted text, with what would be a template taken literally.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' | '%' if chars.peek() == Some(&'{') => {
                out.push(c);
                out.push(c);
            }
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A JSON value as an expression, its lines after the first indented by so many spaces.
pub(super) fn expression(value: &Value, indent: usize) -> String {
    let inner = indent + 2;
    match value {
        Value::String(text) => quoted(text),
        Value::Array(list) if list.is_empty() => "[]".to_owned(),
        Value::Array(list) if list.len() == 1 => {
            format!("[{}]", list.first().map(|one| expression(one, indent)).unwrap_or_default())
        }
        Value::Array(list) => {
            let mut out = "[\n".to_owned();
            for one in list {
                let _ = writeln!(out, "{:inner$}{},", "", expression(one, inner));
            }
            let _ = write!(out, "{:indent$}]", "");
            out
        }
        Value::Object(map) if map.is_empty() => "{}".to_owned(),
        Value::Object(map) => {
            let mut out = "{\n".to_owned();
            for (key, one) in map {
                let plain = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                    && key.starts_with(|c: char| c.is_ascii_alphabetic());
                let key = if plain { key.clone() } else { quoted(key) };
                let _ = writeln!(out, "{:inner$}{key} = {}", "", expression(one, inner));
            }
            let _ = write!(out, "{:indent$}}}", "");
            out
        }
        other => other.to_string(),
    }
}

/// A name for a resource in a configuration, made of a name in AWS.
pub(super) fn label(name: &str) -> String {
    let mut out: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    if !out.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        out.insert(0, '_');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn policy_variables_are_no_templates() {
        let text = quoted("arn:aws:s3:::b/${aws:username}/%{x}/$5/\"q\"\\\n\u{1}");
        assert_eq!(text, r#""arn:aws:s3:::b/$${aws:username}/%%{x}/$5/\"q\"\\\n\u0001""#);
    }

    #[test]
    fn values_are_expressions() {
        let value = json!({"Action": ["a", "b"], "aws:x": {}, "n": 1, "one": ["c"], "yes": true});
        let expected = "{\n    Action = [\n      \"a\",\n      \"b\",\n    ]\n    \"aws:x\" = {}\n    \
                        n = 1\n    one = [\"c\"]\n    yes = true\n  }";
        assert_eq!(expression(&value, 2), expected);
    }

    #[test]
    fn labels_are_names_of_the_language() {
        assert_eq!(label("ci@deploy.x"), "ci_deploy_x");
        assert_eq!(label("1st"), "_1st");
        assert_eq!(label(""), "_");
    }
}
