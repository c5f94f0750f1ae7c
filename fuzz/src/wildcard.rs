//! Wildcards: a pattern and a text, against matchers that are the rules written down.
//!
//! An input is `pattern`, a line break, and `text`. It is asked as a value of StringLike and ArnLike,
//! as Resource and as Action, through documents of one statement. The matchers here know of no
//! trick: they fill the table of what matches how far.

use bailiwick_identifiers::AccountId;
use bailiwick_policy::{
    Applicable, Attached, Context, Decision, Document, DocumentKind, Levels, Policies, PolicyKind,
    Principal, Reason, Request, Source, SourceKind, Verdict, decide,
};
use serde_json::{Value, json};

/// Checks a pattern and a text.
pub fn check(data: &[u8]) {
    let Ok(input) = std::str::from_utf8(data) else { return };
    let Some((pattern, text)) = input.split_once('\n') else { return };
    let plain: Vec<Unit> = pattern.chars().map(Unit::plain).collect();
    conditions(pattern, text, "2008-10-17", &plain);
    resources(pattern, text, "2008-10-17", &plain);
    actions(pattern, text);
    if let Some(units) = escaped(pattern) {
        conditions(pattern, text, "2012-10-17", &units);
        resources(pattern, text, "2012-10-17", &units);
    }
}

/// A part of a pattern that stands for one character or for a run.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Unit {
    Char(char),
    /// A wildcard's letter, escaped (VAR-4).
    Escaped(char),
    /// Any one.
    One,
    /// Any run.
    Run,
    /// Any one but a colon.
    OneInField,
    /// Any run without a colon.
    RunInField,
}

impl Unit {
    fn plain(c: char) -> Self {
        match c {
            '*' => Self::Run,
            '?' => Self::One,
            c => Self::Char(c),
        }
    }

    fn is_wild(self) -> bool {
        !matches!(self, Self::Char(_) | Self::Escaped(_))
    }
}

/// The pattern of the newer version (VAR-4); nothing if it could have other variables.
fn escaped(pattern: &str) -> Option<Vec<Unit>> {
    let mut rest = pattern;
    let mut units = Vec::new();
    while let Some(c) = rest.chars().next() {
        let escape = ["${*}", "${?}", "${$}"].into_iter().find(|found| rest.starts_with(found));
        if let Some(letter) = escape.and_then(|escape| escape.chars().nth(2)) {
            units.push(Unit::Escaped(letter));
            rest = &rest[4..];
        } else if rest.starts_with("${") {
            return None;
        } else {
            units.push(Unit::plain(c));
            rest = &rest[c.len_utf8()..];
        }
    }
    Some(units)
}

/// Whether the whole text matches, by the table of which beginnings do.
fn glob(units: &[Unit], text: &[char]) -> bool {
    let mut reach = vec![false; text.len() + 1];
    reach[0] = true;
    for unit in units {
        let mut next = vec![false; text.len() + 1];
        for at in 0..=text.len() {
            let last = at.checked_sub(1).map(|last| text[last]);
            let stepped = at > 0 && reach[at - 1];
            let ran = reach[at] || (at > 0 && next[at - 1]);
            next[at] = match unit {
                Unit::Char(c) | Unit::Escaped(c) => stepped && last == Some(*c),
                Unit::One => stepped,
                Unit::OneInField => stepped && last != Some(':'),
                Unit::Run => ran,
                Unit::RunInField => reach[at] || (ran && last != Some(':')),
            };
        }
        reach = next;
    }
    reach[text.len()]
}

fn chars(text: &str) -> Vec<char> {
    text.chars().collect()
}

// OP-S3, OP-S4, OP-A2 to OP-A4
fn conditions(pattern: &str, text: &str, version: &str, units: &[Unit]) {
    let context = Context::new().set("x:key", text);
    let holds = |operator: &str| {
        let statement = json!({
            "Effect": "Allow", "Action": "*", "Resource": "*",
            "Condition": {operator: {"x:key": pattern}},
        });
        asked(&statement, version, "a:B", "*", &context).verdict == Verdict::Allow
    };
    let like = glob(units, &chars(text));
    assert_eq!(holds("StringLike"), like, "StringLike {version}");
    assert_eq!(holds("StringNotLike"), !like, "StringNotLike {version}");
    let like = arn_like(pattern, units, text);
    for operator in ["ArnLike", "ArnEquals"] {
        assert_eq!(holds(operator), like, "{operator} {version}");
    }
    assert_eq!(holds("ArnNotLike"), !like, "ArnNotLike {version}");
}

/// Both split at the first five colons, and each field by itself.
fn arn_like(pattern: &str, units: &[Unit], text: &str) -> bool {
    let fields: Vec<&str> = text.splitn(6, ':').collect();
    if fields.len() < 6 || fields[0] != "arn" {
        return false;
    }
    if pattern == "*" {
        return true;
    }
    let patterns: Vec<&[Unit]> = units.splitn(6, |unit| *unit == Unit::Char(':')).collect();
    patterns.len() == 6
        && patterns.iter().zip(fields).all(|(units, field)| glob(units, &chars(field)))
}

// RES-1 to RES-5, RES-11
fn resources(pattern: &str, text: &str, version: &str, units: &[Unit]) {
    if text.is_empty() {
        return; // A request has a resource.
    }
    let context = Context::new();
    let statement = |effect: &str| json!({"Effect": effect, "Action": "*", "Resource": pattern});
    let glob = resource(pattern, units, text, &|_| true);
    let denied = asked(&statement("Deny"), version, "a:B", text, &context);
    assert_eq!(denied.verdict == Verdict::ExplicitDeny, glob, "Resource, Deny, {version}");
    let regular = pattern == "*"
        || !units.splitn(4, |unit| *unit == Unit::Char(':')).nth(2).is_some_and(wild);
    let allowed = asked(&statement("Allow"), version, "a:B", text, &context);
    // Where the resource is another account's, the caller's side has its say and does not suffice.
    let granted = allowed.is_allowed()
        || allowed.reason == Reason::MissingAllow { kind: PolicyKind::Resource };
    assert_eq!(granted, glob && regular, "Resource, Allow, {version}");
    let by_scp = scp(&statement("Deny"), version, text, &context);
    // RES-5: short patterns of SCPs end in a wildcard.
    let expected = resource(pattern, units, text, &|units| units.last() == Some(&Unit::Run));
    assert_eq!(by_scp.verdict == Verdict::ExplicitDeny, expected, "Resource, SCP, {version}");
}

fn wild(units: &[Unit]) -> bool {
    units.iter().any(|unit| unit.is_wild())
}

/// `short`: whether a pattern of fewer than six fields counts.
fn resource(pattern: &str, units: &[Unit], text: &str, short: &dyn Fn(&[Unit]) -> bool) -> bool {
    if pattern == "*" {
        return true;
    }
    if !pattern.starts_with("arn:") {
        return false;
    }
    let text = chars(text);
    let count = units.splitn(6, |unit| *unit == Unit::Char(':')).count();
    if count == 6 {
        return glob(&in_fields(units), &text);
    }
    if !short(units) {
        return false;
    }
    let mut completed = units.to_vec();
    for _ in count..6 {
        completed.extend([Unit::Char(':'), Unit::Run]);
    }
    glob(&in_fields(units), &text) || glob(&in_fields(&completed), &text)
}

/// Wildcards of the first five fields stop at colons, but for a star that ends its field.
fn in_fields(units: &[Unit]) -> Vec<Unit> {
    let mut colons = 0;
    let mut out = Vec::with_capacity(units.len());
    for (at, unit) in units.iter().enumerate() {
        colons += usize::from(*unit == Unit::Char(':'));
        let ends = matches!(units.get(at + 1), None | Some(Unit::Char(':')));
        out.push(match unit {
            Unit::Run if colons < 5 && !ends => Unit::RunInField,
            Unit::One if colons < 5 => Unit::OneInField,
            unit => *unit,
        });
    }
    out
}

// ACT-1 to ACT-3
fn actions(pattern: &str, text: &str) {
    if text.is_empty() {
        return;
    }
    let lower = |text: &str| chars(&text.to_ascii_lowercase());
    let units: Vec<Unit> = pattern.to_ascii_lowercase().chars().map(Unit::plain).collect();
    // ACT-3: `*:*` is `*`.
    let matches = pattern == "*:*" || glob(&units, &lower(text));
    // An action without a prefix is none.
    let prefix = pattern.split_once(':').map(|(prefix, _)| prefix);
    let regular = pattern == "*"
        || pattern == "*:*"
        || prefix.is_some_and(|prefix| !prefix.is_empty() && !prefix.contains(['*', '?']));
    let context = Context::new();
    for (effect, verdict, expected) in
        [("Deny", Verdict::ExplicitDeny, matches), ("Allow", Verdict::Allow, matches && regular)]
    {
        let statement = json!({"Effect": effect, "Action": pattern, "Resource": "*"});
        let found = asked(&statement, "2012-10-17", text, "*", &context);
        // EV-11
        if found.reason != Reason::NoPermissionNeeded {
            assert_eq!(found.verdict == verdict, expected, "Action, {effect}");
        }
    }
}

fn document(statement: &Value, version: &str, kind: DocumentKind) -> Document {
    let text = json!({"Version": version, "Statement": statement}).to_string();
    match Document::parse(&text, kind) {
        Ok(document) => document,
        Err(error) => panic!("{error:?} in {text}"),
    }
}

fn account() -> Option<AccountId> {
    "123456789012".parse().ok()
}

fn decided(
    action: &str,
    resource: &str,
    context: &Context,
    applicable: &Applicable<'_>,
) -> Decision {
    let Some(principal) = Principal::from_arn("arn:aws:iam::123456789012:user/alice") else {
        panic!("a user has an ARN");
    };
    let request = Request {
        principal: &principal,
        action,
        resource,
        resource_account: account(),
        context,
        delegated: false,
    };
    decide(&request, applicable)
}

fn asked(
    statement: &Value,
    version: &str,
    action: &str,
    resource: &str,
    context: &Context,
) -> Decision {
    let document = document(statement, version, DocumentKind::Identity);
    let source = Source::new("p", SourceKind::UserInline);
    let applicable = Applicable::identity([Attached { source: &source, document: &document }]);
    decided(action, resource, context, &applicable)
}

fn scp(statement: &Value, version: &str, resource: &str, context: &Context) -> Decision {
    let document = document(statement, version, DocumentKind::ServiceControl);
    let source = Source::new("p", SourceKind::Scp);
    let mut scps = Levels::default();
    scps.push(Policies::from_iter([Attached { source: &source, document: &document }]));
    decided("a:B", resource, context, &Applicable { scps, ..Applicable::default() })
}
