//! Commands of the AWS CLI as configuration of Terraform's AWS provider.
//!
//! What a command writes whole becomes a resource with an `import` block, so that a plan shows the change
//! of what is there and makes nothing anew. What it changes in part, takes away or leaves open
//! is told in comments, since only the reader's configuration has the rest of it.

use std::fmt::Write as _;

use serde_json::Value;

use super::command::Command;
use super::hcl;
use super::resources::Form::{Gone, Part, Whole};
use super::resources::Told::{
    self, Document, File, Fixed, Flag, List, Member, Number, Switch, Tags,
};
use super::resources::{ROWS, Row};
use crate::shell;

/// Whether a command only looks, or does what is no resource of Terraform's.
pub fn has_no_resource(line: &str) -> bool {
    let Some(command) = Command::parse(line) else { return true };
    let looks = ["list-", "get-", "describe-", "generate-"];
    looks.iter().any(|verb| command.operation.starts_with(verb))
        // The provider keeps the number of versions by itself.
        || command.operation == "delete-policy-version"
}

/// The configuration that says what a command does. A policy that it writes is `document`, or where that
/// is not known, a file of the same name as the command's. None where there is no resource for it.
pub fn terraform(command: &Command, document: Option<&str>) -> Option<String> {
    let call = format!("{} {}", command.service, command.operation);
    let row = ROWS.iter().find(|row| row.call == call)?;
    let keys: Vec<(&str, &str)> = row
        .keys
        .iter()
        .map(|(argument, flag)| Some((*argument, command.value(flag)?)))
        .collect::<Option<_>>()?;
    let sets: Vec<(&str, String)> = row
        .sets
        .iter()
        .filter_map(|(argument, told)| Some((*argument, value(told, command, document)?)))
        .collect();
    let label = keys.iter().map(|(_, value)| hcl::label(last(value))).collect::<Vec<_>>().join("_");
    let label = if label.is_empty() { "this".to_owned() } else { label };
    let address = format!("{}.{label}", row.resource);
    let mut import = row.import.to_owned();
    for (argument, value) in &keys {
        import = import.replace(&format!("{{{argument}}}"), value);
    }
    Some(match row.form {
        Whole => {
            let text = whole(row, &label, &address, &import, &keys, &sets);
            // What is not written yet would keep the rest of a configuration from being read.
            if sets.iter().any(|(_, value)| value.starts_with("file(")) {
                open(&text)
            } else {
                text
            }
        }
        Part => part(row, &keys, &sets),
        Gone => gone(row, &address, &import, &keys),
    })
}

/// A resource, and where there is one already, its import.
fn whole(
    row: &Row,
    label: &str,
    address: &str,
    import: &str,
    keys: &[(&str, &str)],
    sets: &[(&str, String)],
) -> String {
    let mut out = String::new();
    if !import.is_empty() {
        let id = hcl::quoted(import);
        let _ = writeln!(out, "import {{\n  to = {address}\n  id = {id}\n}}\n");
    }
    let mut arguments: Vec<(&str, String)> = Vec::new();
    for (argument, value) in keys {
        if *argument == "arn" {
            // A policy's ARN has its path and name: `arn:aws:iam::ACCOUNT:policy/path/name`.
            let resource = value.splitn(6, ':').nth(5).unwrap_or_default();
            let path = resource.split_once('/').map_or("", |(_, path)| path);
            let (path, name) = path.rsplit_once('/').unwrap_or(("", path));
            arguments.push(("name", hcl::quoted(name)));
            if !path.is_empty() {
                arguments.push(("path", hcl::quoted(&format!("/{path}/"))));
            }
        } else {
            arguments.push((argument, hcl::quoted(value)));
        }
    }
    arguments.extend(sets.iter().map(|(argument, value)| (*argument, value.clone())));
    let width = arguments.iter().map(|(argument, _)| argument.len()).max().unwrap_or(0);
    let _ = writeln!(out, "resource \"{}\" \"{label}\" {{", row.resource);
    for (argument, value) in &arguments {
        let _ = writeln!(out, "  {argument:width$} = {value}");
    }
    if row.resource == "aws_iam_policy" && !import.is_empty() {
        // A changed description would make the policy anew.
        let _ = writeln!(
            out,
            "\n  lifecycle {{\n    ignore_changes = [description, tags, tags_all]\n  }}"
        );
    }
    out.push_str("}\n");
    out
}

/// A resource that waits for a file, as comments.
fn open(text: &str) -> String {
    let lines = text.lines().map(|line| format!("#   {line}").trim_end().to_owned() + "\n");
    format!("# When the file is written:\n{}", lines.collect::<Vec<_>>().concat())
}

/// Arguments of a resource whose other arguments are not known here.
fn part(row: &Row, keys: &[(&str, &str)], sets: &[(&str, String)]) -> String {
    let mut out = format!("# In resource \"{}\"", row.resource);
    if !keys.is_empty() {
        let _ = write!(out, " with {}", which(keys));
    }
    out.push_str(":\n");
    let width = sets.iter().map(|(argument, _)| argument.len()).max().unwrap_or(0);
    for (argument, value) in sets {
        for line in format!("{argument:width$} = {value}").lines() {
            let _ = writeln!(out, "#   {line}");
        }
    }
    out
}

fn gone(row: &Row, address: &str, import: &str, keys: &[(&str, &str)]) -> String {
    format!(
        "# Take out resource \"{}\" with {}. If Terraform does not manage it yet, first:\n\
         #   terraform import {address} {}\n",
        row.resource,
        which(keys),
        shell::quoted(import)
    )
}

fn which(keys: &[(&str, &str)]) -> String {
    let all = keys.iter().map(|(argument, value)| format!("{argument} = {}", hcl::quoted(value)));
    all.collect::<Vec<_>>().join(", ")
}

/// The value of an argument as an expression. None where the command does not tell it.
fn value(told: &Told, command: &Command, document: Option<&str>) -> Option<String> {
    Some(match told {
        Flag(flag) => hcl::quoted(command.value(flag)?),
        Number(flag) => command.value(flag)?.parse::<u64>().ok()?.to_string(),
        List(flag) => {
            let all: Vec<String> =
                command.values(flag)?.iter().map(|one| hcl::quoted(one)).collect();
            format!("[{}]", all.join(", "))
        }
        Tags(flag) => {
            let pairs = command.values(flag)?.iter().map(|pair| {
                let (key, value) = match pair.split_once(",Value=") {
                    Some((key, value)) => (key.strip_prefix("Key=")?, value),
                    None => pair.split_once('=')?,
                };
                Some((key.to_owned(), Value::from(value)))
            });
            let map = pairs.collect::<Option<serde_json::Map<_, _>>>()?;
            hcl::expression(&Value::Object(map), 2)
        }
        Member(flag, name) => {
            let value = command.value(flag)?.split(',').find_map(|member| {
                member.split_once('=').filter(|(held, _)| held == name).map(|(_, value)| value)
            })?;
            if matches!(value, "true" | "false") { value.to_owned() } else { hcl::quoted(value) }
        }
        Document => {
            let known = document.and_then(|text| serde_json::from_str::<Value>(text).ok());
            if let Some(policy) = known {
                format!("jsonencode({})", hcl::expression(&policy, 2))
            } else {
                let file = command.value("policy-document")?.strip_prefix("file://")?;
                format!("file({})", hcl::quoted(file))
            }
        }
        File(name) => format!("file({})", hcl::quoted(name)),
        Switch(yes, no) => {
            if command.has(yes) {
                "true".to_owned()
            } else if !no.is_empty() && command.has(no) {
                "false".to_owned()
            } else {
                return None;
            }
        }
        Fixed(text) => (*text).to_owned(),
    })
}

/// The last part of an ARN, or the whole of a name.
fn last(value: &str) -> &str {
    if value.starts_with("arn:") { value.rsplit([':', '/']).next().unwrap_or(value) } else { value }
}
