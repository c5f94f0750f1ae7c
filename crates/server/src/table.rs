//! Answers for people: what has rows becomes columns, the rest `name: value` lines. Control
//! characters are shown, not sent to the terminal (K03).

use std::fmt::Write as _;

use serde_json::Value;

/// The text of an answer.
pub(crate) fn text(answer: &Value) -> String {
    let mut text = String::new();
    let Some(members) = answer.as_object() else { return format!("{}\n", cell(answer)) };
    for (name, value) in members {
        match value.as_array() {
            Some(rows) if rows.iter().all(Value::is_object) => columns(rows, &mut text),
            _ => {
                let _ = writeln!(text, "{}: {}", name.replace('_', " "), cell(value));
            }
        }
    }
    text
}

fn columns(rows: &[Value], text: &mut String) {
    let Some(first) = rows.first().and_then(Value::as_object) else {
        text.push_str("none\n");
        return;
    };
    let names: Vec<&String> = first.keys().collect();
    let mut lines = vec![names.iter().map(|name| name.replace('_', " ")).collect::<Vec<_>>()];
    for row in rows {
        lines
            .push(names.iter().map(|name| row.get(*name).map_or_else(String::new, cell)).collect());
    }
    let width = |at: usize| {
        lines
            .iter()
            .filter_map(|line| line.get(at))
            .map(|word| word.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..names.len()).map(width).collect();
    for line in &lines {
        let mut out = String::new();
        for (word, width) in line.iter().zip(&widths) {
            let _ = write!(out, "{word:<width$}  ");
        }
        let _ = writeln!(text, "{}", out.trim_end());
    }
}

fn cell(value: &Value) -> String {
    let plain = match value {
        Value::Null => "-".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    };
    plain
        .chars()
        .flat_map(|c| {
            let escaped = if c.is_control() { c.escape_default().collect() } else { vec![c] };
            escaped.into_iter()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tm_k03_rows_become_columns_without_control_characters() {
        let answer = json!({"accounts": [
            {"account": "111122223333", "name": "a\u{1b}[31m\nb"},
            {"account": "444455556666", "name": null},
        ]});
        let expected = "account       name\n111122223333  a\\u{1b}[31m\\nb\n444455556666  -\n";
        assert_eq!(text(&answer), expected);
        assert_eq!(text(&json!({"sealed_anew": 7})), "sealed anew: 7\n");
    }
}
