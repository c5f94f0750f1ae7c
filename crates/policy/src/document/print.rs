//! Documents as text again: what a document says, in one spelling.
//!
//! The text that was stored is [`Document::source`]; this is the meaning, printed. Reading it gives
//! an equal document: the same statements in the same order, with the same words.

use std::fmt::{self, Write};

use super::principal::PrincipalElement;
use super::{Document, Effect, Statement, Version};
use crate::PrincipalType;

impl fmt::Display for Document {
    /// Compact JSON. An absent Version is printed as the old one that it means (GR-2), and lists of
    /// one as scalars (ST-3).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = match self.version() {
            Version::V2008 => "2008-10-17",
            Version::V2012 => "2012-10-17",
        };
        write!(f, "{{\"Version\":\"{version}\"")?;
        if let Some(id) = self.id() {
            write!(f, ",\"Id\":{}", Text(id))?;
        }
        f.write_str(",\"Statement\":[")?;
        for (at, found) in self.statements().iter().enumerate() {
            f.write_str(if at > 0 { "," } else { "" })?;
            statement(f, found)?;
        }
        f.write_str("]}")
    }
}

fn statement(f: &mut fmt::Formatter<'_>, statement: &Statement) -> fmt::Result {
    f.write_char('{')?;
    if let Some(sid) = &statement.sid {
        write!(f, "\"Sid\":{},", Text(sid))?;
    }
    let effect = match statement.effect() {
        Effect::Allow => "Allow",
        Effect::Deny => "Deny",
    };
    write!(f, "\"Effect\":\"{effect}\"")?;
    if let Some(element) = &statement.principal {
        principal(f, element)?;
    }
    let name = if statement.is_not_action() { "NotAction" } else { "Action" };
    write!(f, ",\"{name}\":{}", Texts(&statement.actions.texts))?;
    if let Some(element) = &statement.resources {
        let name = if element.negated { "NotResource" } else { "Resource" };
        write!(f, ",\"{name}\":{}", Texts(&element.texts))?;
    }
    if !statement.conditions.is_empty() {
        f.write_str(",\"Condition\":{")?;
        let mut open: Option<&str> = None;
        for (_, held) in &statement.conditions {
            match open {
                Some(operator) if *operator == *held.operator => f.write_char(',')?,
                Some(_) => write!(f, "}},{}:{{", Text(&held.operator))?,
                None => write!(f, "{}:{{", Text(&held.operator))?,
            }
            open = Some(&held.operator);
            write!(f, "{}:{}", Text(&held.key), Texts(&held.values))?;
        }
        f.write_str("}}")?;
    }
    f.write_char('}')
}

fn principal(f: &mut fmt::Formatter<'_>, element: &PrincipalElement) -> fmt::Result {
    let name = if element.negated { "NotPrincipal" } else { "Principal" };
    write!(f, ",\"{name}\":")?;
    if let [entry] = element.entries.as_slice()
        && entry.kind == PrincipalType::Bare
    {
        return write!(f, "{}", Text(&entry.text));
    }
    let kinds = [
        (PrincipalType::Aws, "AWS"),
        (PrincipalType::Service, "Service"),
        (PrincipalType::Federated, "Federated"),
        (PrincipalType::CanonicalUser, "CanonicalUser"),
    ];
    f.write_char('{')?;
    let mut separator = "";
    for (kind, name) in kinds {
        let entries = element.entries.iter().filter(|entry| entry.kind == kind);
        let texts: Vec<Box<str>> = entries.map(|entry| entry.text.clone()).collect();
        if !texts.is_empty() {
            write!(f, "{separator}\"{name}\":{}", Texts(&texts))?;
            separator = ",";
        }
    }
    f.write_char('}')
}

/// A JSON string.
struct Text<'a>(&'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                c if c < ' ' => write!(f, "\\u{:04x}", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

/// A list of JSON strings, or the one in it.
struct Texts<'a>(&'a [Box<str>]);

impl fmt::Display for Texts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = self.0 {
            return write!(f, "{}", Text(only));
        }
        f.write_char('[')?;
        for (at, text) in self.0.iter().enumerate() {
            write!(f, "{}{}", if at > 0 { "," } else { "" }, Text(text))?;
        }
        f.write_char(']')
    }
}
