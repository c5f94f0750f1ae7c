//! Constraints of the models, checked all together, with AWS's texts (api-surface 5).
//!
//! Texts are word for word AWS's, for tools match on them. iam leaves the offending value out and
//! prints no list of enum values (*observed*); sts prints both (*observed*). A sensitive value is
//! printed by neither. Which of several violations AWS names first is not documented; per member the
//! order is pattern, then length (*observed* in sts), and members come in the model's order.
//!
//! `Deviation:` at most [`MAX_VIOLATIONS`] are reported, and a printed value is cut after
//! [`MAX_SHOWN`] characters, so that a request cannot ask for an answer of megabytes.

use std::fmt::Write as _;

use crate::schema::{
    Constraints, Kind, Operation, Pattern, Protocol, Sensitivity, Service, Structure, Type,
};
use crate::value::Value;

/// Most violations that one check reports.
pub const MAX_VIOLATIONS: usize = 100;

/// Most characters of a value in a message.
pub const MAX_SHOWN: usize = 2_048;

/// Most characters of a map's key in a path.
const MAX_KEY_SHOWN: usize = 128;

/// A constraint that a value does not satisfy.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    /// Where: `tags.1.member.value`.
    pub path: String,
    /// What was there.
    pub value: Shown,
    /// What it should have been.
    pub rule: Rule,
}

/// A value as a message may show it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Shown {
    /// Nothing was there.
    Null,
    /// A value that may be printed.
    Text(String),
    /// A sensitive value.
    Hidden,
}

/// The constraints there are. Bounds are inclusive.
#[derive(Clone, Debug, PartialEq)]
pub enum Rule {
    /// A required member is absent.
    NotNull,
    /// Characters, bytes or items.
    MaxLength(i64),
    /// Characters, bytes or items.
    MinLength(i64),
    /// Of a number.
    MaxValue(i64),
    /// Of a number.
    MinValue(i64),
    /// The model's pattern.
    Pattern(&'static str),
    /// One of these words.
    Enum(&'static [&'static str]),
    /// Something about the items of a list of scalars.
    Items(Vec<Rule>),
    /// Something about the keys of a map.
    MapKeys(Vec<Rule>),
    /// Something about the values of a map.
    MapValues(Vec<Rule>),
    /// A union without exactly one member set. AWS's wording is not known.
    OneMember,
}

/// Every violation of a request's constraints; empty when it is valid.
pub fn check(operation: &Operation, value: &Value) -> Vec<Violation> {
    operation.input.map_or_else(Vec::new, |input| check_structure(input, value))
}

/// Every violation of one structure's constraints.
pub fn check_structure(structure: &'static Structure, value: &Value) -> Vec<Violation> {
    let mut checker = Checker { path: String::new(), found: Vec::new() };
    checker.structure(structure, value);
    checker.found
}

/// The code to send with [`message`].
pub fn code(service: &Service) -> &'static str {
    match service.protocol {
        Protocol::Query => "ValidationError",
        Protocol::Json10 | Protocol::Json11 | Protocol::RestJson => "ValidationException",
    }
}

/// The text for the client; empty when there is no violation. The code to send with it is [`code`].
pub fn message(service: &Service, violations: &[Violation]) -> String {
    let bare = service.name == "iam";
    let mut out = match violations.len() {
        0 => return String::new(),
        1 => "1 validation error detected: ".to_owned(),
        count => format!("{count} validation errors detected: "),
    };
    for (at, violation) in violations.iter().enumerate() {
        if at > 0 {
            out.push_str("; ");
        }
        out.push_str("Value ");
        match &violation.value {
            Shown::Text(text) if !bare => {
                let _ = write!(out, "'{text}' ");
            }
            Shown::Null if !bare => out.push_str("null "),
            _ => {}
        }
        let _ = write!(out, "at '{}' failed to satisfy constraint: ", violation.path);
        write_rule(&mut out, &violation.rule, bare);
    }
    out
}

/// What one violation is, without its place and value.
pub fn rule_text(service: &Service, violation: &Violation) -> String {
    let mut out = String::new();
    write_rule(&mut out, &violation.rule, service.name == "iam");
    out
}

fn write_rule(out: &mut String, rule: &Rule, bare: bool) {
    let _ = match rule {
        Rule::NotNull => write!(out, "Member must not be null"),
        Rule::MaxLength(bound) => {
            write!(out, "Member must have length less than or equal to {bound}")
        }
        Rule::MinLength(bound) => {
            write!(out, "Member must have length greater than or equal to {bound}")
        }
        Rule::MaxValue(bound) => {
            write!(out, "Member must have value less than or equal to {bound}")
        }
        Rule::MinValue(bound) => {
            write!(out, "Member must have value greater than or equal to {bound}")
        }
        Rule::Pattern(pattern) => {
            write!(out, "Member must satisfy regular expression pattern: {pattern}")
        }
        Rule::Enum(_) if bare => write!(out, "Member must satisfy enum value set"),
        Rule::Enum(words) => {
            write!(out, "Member must satisfy enum value set: [{}]", words.join(", "))
        }
        Rule::OneMember => write!(out, "Member must have exactly one member set"),
        Rule::Items(rules) => {
            return write_rules(out, "Member must satisfy constraint: [", rules, bare);
        }
        Rule::MapKeys(rules) => {
            return write_rules(out, "Map keys must satisfy constraint: [", rules, bare);
        }
        Rule::MapValues(rules) => {
            return write_rules(out, "Map value must satisfy constraint: [", rules, bare);
        }
    };
}

fn write_rules(out: &mut String, open: &str, rules: &[Rule], bare: bool) {
    out.push_str(open);
    for (at, rule) in rules.iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        write_rule(out, rule, bare);
    }
    out.push(']');
}

struct Checker {
    path: String,
    found: Vec<Violation>,
}

impl Checker {
    fn report(&mut self, value: Shown, rule: Rule) {
        if self.found.len() < MAX_VIOLATIONS {
            self.found.push(Violation { path: self.path.clone(), value, rule });
        }
    }

    /// Runs `check` with a name added to the path.
    fn under(&mut self, name: &str, check: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        if length > 0 {
            self.path.push('.');
        }
        push_lower_first(&mut self.path, name);
        check(self);
        self.path.truncate(length);
    }

    /// The depth is that of the value, which its decoder has bounded.
    fn structure(&mut self, structure: &'static Structure, value: &Value) {
        let slots = value.slots();
        for (at, member) in structure.members.iter().enumerate() {
            match slots.get(at).and_then(Option::as_ref) {
                Some(value) => {
                    self.under(member.wire, |checker| checker.value(member.shape, value));
                }
                None if member.required => {
                    self.under(member.wire, |checker| checker.report(Shown::Null, Rule::NotNull));
                }
                None => {}
            }
        }
        if structure.union && slots.iter().flatten().count() != 1 {
            self.report(Shown::Hidden, Rule::OneMember);
        }
    }

    fn value(&mut self, shape: &'static Type, value: &Value) {
        let broken = broken(shape, value);
        if !broken.is_empty() {
            let shown = shown(shape, value);
            for rule in broken {
                self.report(shown.clone(), rule);
            }
        }
        match (shape.kind, value) {
            (Kind::Structure(inner), Value::Struct(_)) => self.structure(inner, value),
            (Kind::List(list), Value::List(items)) => {
                if !is_scalar(list.shape) {
                    for (at, item) in items.iter().enumerate() {
                        let place = format!("{}.{}", at + 1, list.item);
                        self.under(&place, |checker| checker.value(list.shape, item));
                    }
                } else if items.iter().any(|item| !is_fine(list.shape, item)) {
                    self.report(shown(shape, value), Rule::Items(rules(list.shape)));
                }
            }
            (Kind::Map(map), Value::Map(entries)) => {
                if entries.keys().any(|key| !is_text_fine(map.key, key)) {
                    self.report(shown(shape, value), Rule::MapKeys(rules(map.key)));
                }
                if is_scalar(map.value) {
                    if entries.values().any(|held| !is_fine(map.value, held)) {
                        self.report(shown(shape, value), Rule::MapValues(rules(map.value)));
                    }
                } else {
                    for (key, held) in entries {
                        let key: String = key.chars().take(MAX_KEY_SHOWN).collect();
                        let place = format!("{key}.member");
                        self.under(&place, |checker| checker.value(map.value, held));
                    }
                }
            }
            _ => {}
        }
    }
}

fn is_scalar(shape: &Type) -> bool {
    !matches!(shape.kind, Kind::List(_) | Kind::Map(_) | Kind::Structure(_))
}

fn is_fine(shape: &'static Type, value: &Value) -> bool {
    broken(shape, value).is_empty()
}

fn is_text_fine(shape: &'static Type, text: &str) -> bool {
    broken_text(shape, text).is_empty()
}

/// The rules that this value itself breaks, not those inside it.
fn broken(shape: &'static Type, value: &Value) -> Vec<Rule> {
    match value {
        Value::String(text) => broken_text(shape, text),
        Value::Secret(secret) => broken_text(shape, secret.expose()),
        Value::Blob(bytes) => broken_length(&shape.constraints, bytes.len()),
        Value::SecretBlob(bytes) => broken_length(&shape.constraints, bytes.expose().len()),
        Value::List(items) => broken_length(&shape.constraints, items.len()),
        Value::Map(entries) => broken_length(&shape.constraints, entries.len()),
        Value::Integer(number) => {
            let Constraints { min, max, .. } = shape.constraints;
            let above = max.filter(|max| number > max).map(Rule::MaxValue);
            let below = min.filter(|min| number < min).map(Rule::MinValue);
            above.into_iter().chain(below).collect()
        }
        Value::Bool(_) | Value::Double(_) | Value::Timestamp(_) | Value::Struct(_) => Vec::new(),
    }
}

/// Lengths count characters (code points).
fn broken_text(shape: &'static Type, text: &str) -> Vec<Rule> {
    let mut out = Vec::new();
    if let Some(Pattern { text: pattern, .. }) =
        shape.constraints.pattern.filter(|pattern| !pattern.matches(text))
    {
        out.push(Rule::Pattern(pattern));
    }
    out.extend(broken_length(&shape.constraints, text.chars().count()));
    if let Kind::String(words) = shape.kind
        && !words.is_empty()
        && !words.contains(&text)
    {
        out.push(Rule::Enum(words));
    }
    out
}

fn broken_length(constraints: &Constraints, length: usize) -> Vec<Rule> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let above = constraints.max.filter(|max| length > *max).map(Rule::MaxLength);
    let below = constraints.min.filter(|min| length < *min).map(Rule::MinLength);
    above.into_iter().chain(below).collect()
}

/// Every rule that a scalar type has, in the order in which AWS lists them.
fn rules(shape: &'static Type) -> Vec<Rule> {
    let Constraints { min, max, pattern } = shape.constraints;
    let number = matches!(shape.kind, Kind::Integer | Kind::Long | Kind::Double);
    let mut out = Vec::new();
    out.extend(max.map(if number { Rule::MaxValue } else { Rule::MaxLength }));
    out.extend(min.map(if number { Rule::MinValue } else { Rule::MinLength }));
    out.extend(pattern.map(|pattern| Rule::Pattern(pattern.text)));
    if let Kind::String(words) = shape.kind
        && !words.is_empty()
    {
        out.push(Rule::Enum(words));
    }
    out
}

fn shown(shape: &Type, value: &Value) -> Shown {
    let mut text = String::new();
    if !show(&mut text, shape, value) {
        return Shown::Hidden;
    }
    if let Some((cut, _)) = text.char_indices().nth(MAX_SHOWN) {
        text.truncate(cut);
        text.push_str("...");
    }
    Shown::Text(text)
}

/// Prints a value as AWS does; false when any part of it is secret or has no printed form.
fn show(out: &mut String, shape: &Type, value: &Value) -> bool {
    if shape.sensitivity == Sensitivity::Secret {
        return false;
    }
    if out.len() > 4 * MAX_SHOWN {
        return true;
    }
    match (shape.kind, value) {
        (_, Value::String(text)) => out.push_str(text),
        (_, Value::Bool(flag)) => out.push_str(if *flag { "true" } else { "false" }),
        (_, Value::Integer(number)) => {
            let _ = write!(out, "{number}");
        }
        (_, Value::Double(number)) => {
            let _ = write!(out, "{number}");
        }
        (_, Value::Timestamp(instant)) => out.push_str(&crate::time::write_iso(*instant)),
        (Kind::List(list), Value::List(items)) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                if !show(out, list.shape, item) {
                    return false;
                }
            }
            out.push(']');
        }
        (Kind::Map(map), Value::Map(entries)) => {
            out.push('{');
            for (at, (key, held)) in entries.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                out.push_str(key);
                out.push('=');
                if map.key.sensitivity == Sensitivity::Secret || !show(out, map.value, held) {
                    return false;
                }
            }
            out.push('}');
        }
        // A list of structures: AWS prints a Java object. Not worth copying.
        _ => return false,
    }
    true
}

fn push_lower_first(out: &mut String, name: &str) {
    let mut chars = name.chars();
    if let Some(first) = chars.next() {
        out.push(first.to_ascii_lowercase());
        out.push_str(chars.as_str());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generated::{iam, sts};
    use crate::query::{Form, decode};
    use crate::shape::Api;

    fn text<T: Api>(body: &str) -> String {
        let form = Form::parse(body.as_bytes()).unwrap();
        let value = decode(&form, T::OPERATION.input.unwrap()).unwrap();
        message(T::OPERATION.service, &check(T::OPERATION, &value))
    }

    #[test]
    fn iam_leaves_values_and_lists_out() {
        for (body, expected) in [
            ("UserName=a&Path=%2Fx%2F", ""),
            (
                "",
                "1 validation error detected: Value at 'userName' failed to satisfy constraint: Member must not be null",
            ),
            (
                "UserName=a+b",
                "1 validation error detected: Value at 'userName' failed to satisfy constraint: \
                 Member must satisfy regular expression pattern: [\\w+=,.@-]+",
            ),
            (
                "UserName=&Tags.member.1.Key=k",
                "3 validation errors detected: Value at 'userName' failed to satisfy constraint: \
                 Member must satisfy regular expression pattern: [\\w+=,.@-]+; \
                 Value at 'userName' failed to satisfy constraint: Member must have length greater than or equal to 1; \
                 Value at 'tags.1.member.value' failed to satisfy constraint: Member must not be null",
            ),
        ] {
            assert_eq!(text::<iam::CreateUser>(body), expected, "{body}");
        }
        let long = format!("UserName={}", "a".repeat(65));
        assert!(
            text::<iam::CreateUser>(&long)
                .ends_with("Member must have length less than or equal to 64")
        );
        assert_eq!(
            text::<iam::UpdateAccessKey>("AccessKeyId=AKIAAAAAAAAAAAAAAAAA&Status=On"),
            "1 validation error detected: Value at 'status' failed to satisfy constraint: Member must satisfy enum value set"
        );
        assert_eq!(
            text::<iam::ListUsers>("MaxItems=1001"),
            "1 validation error detected: Value at 'maxItems' failed to satisfy constraint: \
             Member must have value less than or equal to 1000"
        );
    }

    #[test]
    fn sts_prints_values() {
        assert_eq!(
            text::<sts::AssumeRole>(
                "RoleArn=arn%3Aaws%3Aiam%3A%3A123456&RoleSessionName=Session1%3A2&DurationSeconds=43201"
            ),
            "3 validation errors detected: \
             Value 'arn:aws:iam::123456' at 'roleArn' failed to satisfy constraint: Member must have length greater than or equal to 20; \
             Value 'Session1:2' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*; \
             Value '43201' at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 43200"
        );
        assert_eq!(
            text::<sts::AssumeRole>("RoleSessionName=ab"),
            "1 validation error detected: Value null at 'roleArn' failed to satisfy constraint: Member must not be null"
        );
        let body = "RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fx&RoleSessionName=ab&TransitiveTagKeys.member.1=a&TransitiveTagKeys.member.2=*";
        assert_eq!(
            text::<sts::AssumeRole>(body),
            "1 validation error detected: Value '[a, *]' at 'transitiveTagKeys' failed to satisfy constraint: \
             Member must satisfy constraint: [Member must have length less than or equal to 128, \
             Member must have length greater than or equal to 1, \
             Member must satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+]"
        );
    }

    #[test]
    fn sensitive_values_never_print() {
        let body = "RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fx&RoleSessionName=ab&WebIdentityToken=abc";
        let text = text::<sts::AssumeRoleWithWebIdentity>(body);
        assert!(text.contains("Value at 'webIdentityToken'"), "{text}");
        assert!(!text.contains("abc"), "{text}");
    }

    #[test]
    fn tm_g01_messages_are_bounded() {
        let tags: Vec<String> = (1..=1_000).map(|at| format!("Tags.member.{at}.Key=*")).collect();
        let text = text::<iam::CreateUser>(&format!("UserName=a&{}", tags.join("&")));
        assert!(text.starts_with("100 validation errors detected: "));
    }
}
