//! `bailiwick why`: the walk behind a decision, as a tree.

use std::io::{Write as _, stdout};

use anyhow::Context;
use bailiwick_wire::generated::bailiwick as api;
use clap::Args;
use serde_json::{Value as Json, json};

use crate::access::{Access, AccessArgs};
use crate::client::Client;
use crate::{Format, terminal};

/// Flags of `why`.
#[derive(Args, Debug)]
pub struct WhyArgs {
    /// The decision's id, or its request's or event's
    #[arg(value_name = "DECISION-ID")]
    pub decision_id: String,
    /// How to print: a tree, or the explanation and its event as JSON
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
    /// Which server, with which key
    #[command(flatten)]
    pub access: AccessArgs,
}

pub(crate) fn run(args: &WhyArgs) -> anyhow::Result<()> {
    let client = Client::new(Access::find(&args.access, |name| std::env::var(name).ok())?)?;
    let request = api::ExplainDecisionRequest { decision_id: args.decision_id.clone() };
    let found = client.call::<api::ExplainDecision>(request)?;
    let explanation: Json =
        serde_json::from_str(&found.explanation).context("the explanation cannot be read")?;
    let event: Json = serde_json::from_str(&found.event).context("the event cannot be read")?;
    let text = match args.format {
        Format::Json => format!("{:#}\n", json!({"explanation": explanation, "event": event})),
        Format::Table => tree(&explanation, &event),
    };
    let mut out = stdout().lock();
    for line in text.lines() {
        writeln!(out, "{}", terminal::text(line))?;
    }
    out.flush()?;
    Ok(())
}

/// Each decision of the call: what was asked, the answer, and who said what.
fn tree(explanation: &Json, event: &Json) -> String {
    let mut lines = vec![format!(
        "{} at {}: {}",
        word(event, "/eventName"),
        word(event, "/eventTime"),
        event.pointer("/errorCode").and_then(Json::as_str).unwrap_or("done"),
    )];
    let one = std::slice::from_ref(explanation);
    let decisions = explanation.as_array().map_or(one, Vec::as_slice);
    if decisions.is_empty() {
        lines.push("  no decision was reached".into());
    }
    for decision in decisions {
        lines.push(String::new());
        lines.push(format!("{}: {}", verdict(decision), reason(decision)));
        lines.push(format!("  action     {}", word(decision, "/action")));
        lines.push(format!("  resource   {}", word(decision, "/resource")));
        lines.push(format!("  principal  {}", word(decision, "/principal")));
        for layer in list(decision, "/layers") {
            lines.push(format!("  {}: {}", word(layer, "/kind"), words(&word(layer, "/verdict"))));
            for policy in list(layer, "/policies") {
                lines.push(format!("    {}", source(policy.get("source").unwrap_or(&Json::Null))));
                lines.extend(list(policy, "/statements").iter().map(statement));
                if let Some(omitted) = policy.get("omitted").and_then(Json::as_u64) {
                    lines.push(format!(
                        "      and {omitted} more, which speak of other actions or were not needed"
                    ));
                }
            }
        }
        let missing = list(decision, "/missingKeys");
        if !missing.is_empty() {
            let keys: Vec<&str> = missing.iter().filter_map(Json::as_str).collect();
            lines.push(format!("  condition keys without a value: {}", keys.join(", ")));
        }
    }
    lines.join("\n") + "\n"
}

fn verdict(decision: &Json) -> &'static str {
    let found = decision.pointer("/decision/verdict").or_else(|| decision.get("decision"));
    match found.and_then(Json::as_str) {
        Some("allowed") => "ALLOWED",
        Some("explicitDeny") => "DENIED",
        Some("implicitDeny") => "NOT ALLOWED",
        _ => "UNKNOWN",
    }
}

fn reason(decision: &Json) -> String {
    let at = |path: &str| word(decision, path);
    match decision.pointer("/decision/reason/test").and_then(Json::as_str) {
        Some("allowed") => format!("by {} policy", at("/decision/reason/by")),
        Some("no-permission-needed") => "no permission is needed".into(),
        Some("explicit-deny") => format!(
            "statement {} of {}",
            at("/decision/reason/statement"),
            source(decision.pointer("/decision/reason/source").unwrap_or(&Json::Null)),
        ),
        Some("missing-allow") => {
            format!("no {} policy allows it", at("/decision/reason/kind"))
        }
        Some("evaluation-error") => format!(
            "{} cannot be evaluated",
            source(decision.pointer("/decision/reason/source").unwrap_or(&Json::Null)),
        ),
        Some(other) => words(other),
        None => at("/rule"),
    }
}

fn statement(statement: &Json) -> String {
    let name = match statement.pointer("/sid").and_then(Json::as_str) {
        Some(sid) => format!("{} ({sid})", word(statement, "/index")),
        None => word(statement, "/index"),
    };
    let line = match statement.pointer("/at/line").and_then(Json::as_u64) {
        Some(line) => format!(", line {line}"),
        None => String::new(),
    };
    let outcome = statement.get("outcome").unwrap_or(&Json::Null);
    format!("      statement {name}{line}, {}: {}", word(statement, "/effect"), said(outcome))
}

/// What a statement answered, in words.
fn said(outcome: &Json) -> String {
    let condition = |report: &Json| {
        let found: Vec<String> = list(report, "/found").iter().map(plain).collect();
        let found = if found.is_empty() { "no value".to_owned() } else { found.join(", ") };
        let wanted: Vec<String> = list(report, "/wanted").iter().map(plain).collect();
        format!(
            "{} {} wants {}; the request has {found}",
            word(report, "/operator"),
            word(report, "/key"),
            wanted.join(", ")
        )
    };
    match (word(outcome, "/result").as_str(), outcome.pointer("/element").and_then(Json::as_str)) {
        ("matched", _) => "matches".into(),
        ("missed", Some("condition")) => {
            format!("its condition does not hold: {}", condition(outcome))
        }
        ("missed", Some(element)) => {
            let wanted: Vec<String> = list(outcome, "/wanted").iter().map(plain).collect();
            let not = match outcome.pointer("/negated").and_then(Json::as_bool) {
                Some(true) => "not ",
                _ => "",
            };
            format!("its {element} does not match: {not}{}", wanted.join(", "))
        }
        ("unclear", _) => format!(
            "its condition cannot be understood: {}",
            condition(outcome.get("condition").unwrap_or(&Json::Null))
        ),
        _ => outcome.to_string(),
    }
}

/// Where a policy comes from, whatever shape that has: its texts, in order.
fn source(source: &Json) -> String {
    match source {
        Json::String(text) => text.clone(),
        Json::Object(members) => {
            let parts: Vec<String> = members
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(_, value)| plain(value))
                .collect();
            parts.join(" ")
        }
        _ => "a policy".into(),
    }
}

fn list<'a>(value: &'a Json, path: &str) -> &'a [Json] {
    value.pointer(path).and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

fn word(value: &Json, path: &str) -> String {
    value.pointer(path).map_or_else(|| "-".to_owned(), plain)
}

fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// `implicitDeny` as people read it.
fn words(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            text.push(' ');
        }
        text.push(if c == '-' { ' ' } else { c.to_ascii_lowercase() });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_names_the_statement_and_what_missed() {
        let explanation = json!([{
            "decision": {"verdict": "implicitDeny", "reason": {"test": "missing-allow", "kind": "identity"}},
            "principal": "arn:aws:iam::1:user/a", "action": "iam:CreateUser", "resource": "arn:aws:iam::1:user/b",
            "layers": [{"kind": "identity", "level": null, "verdict": "implicitDeny", "policies": [{
                "source": {"kind": "managed", "arn": "arn:aws:iam::1:policy/p"},
                "statements": [
                    {"index": 0, "sid": "One", "effect": "Allow", "at": {"line": 3, "column": 5},
                     "outcome": {"result": "missed", "element": "action", "wanted": ["iam:Get*"], "negated": false}},
                    {"index": 1, "sid": null, "effect": "Allow", "at": {"line": 9, "column": 5},
                     "outcome": {"result": "missed", "element": "condition", "operator": "Bool",
                                 "key": "aws:SecureTransport", "wanted": ["true"], "found": ["false"]}},
                ],
            }]}],
            "missingKeys": ["aws:PrincipalTag/team"],
        }]);
        let event =
            json!({"eventName": "CreateUser", "eventTime": "T", "errorCode": "AccessDenied"});
        let text = tree(&explanation, &event);
        for part in [
            "CreateUser at T: AccessDenied\n",
            "NOT ALLOWED: no identity policy allows it\n",
            "  identity: implicit deny\n",
            "statement 0 (One), line 3, Allow: its action does not match: iam:Get*\n",
            "Bool aws:SecureTransport wants true; the request has false\n",
            "without a value: aws:PrincipalTag/team\n",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn odd_explanations_are_shown_rather_than_refused() {
        for odd in
            [json!([]), json!({}), json!(null), json!([{"decision": "explicitDeny", "rule": "r"}])]
        {
            assert!(!tree(&odd, &json!({})).is_empty(), "{odd}");
        }
    }
}
