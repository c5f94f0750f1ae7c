//! Checks of a suite: claims about all requests, beside expectations about single ones.
//!
//! A check that is undecided meets no expectation: neither that it passes nor that it fails was shown.

use std::fmt;

use bailiwick_analyzer::check::{self, Access, CheckFault, Checked, Kind, PublicResource};
use bailiwick_policy::{Document, DocumentKind};

use super::fields::{Fields, one_or_several};
use super::read::{Policy, Reader};
use super::yaml::{At, Node, Value};
use crate::simulate::fault::Fault;
use crate::simulate::nearest::advice;

/// The fields of an entry that is a check.
const ENTRY: &[&str] =
    &["name", "expect", "no-new-access", "access-not-granted", "no-public-access"];

/// What is checked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Verb {
    NoNewAccess,
    AccessNotGranted,
    NoPublicAccess,
}

impl Verb {
    const ALL: [Self; 3] = [Self::NoNewAccess, Self::AccessNotGranted, Self::NoPublicAccess];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::NoNewAccess => "no-new-access",
            Self::AccessNotGranted => "access-not-granted",
            Self::NoPublicAccess => "no-public-access",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A check and its answer.
pub(super) struct Check {
    pub(super) name: String,
    pub(super) at: At,
    pub(super) verb: Verb,
    /// What it is about, in one line.
    pub(super) title: String,
    /// Whether it is expected to pass.
    pub(super) expect: bool,
    pub(super) checked: Checked,
    /// Message, statements with their places, and the example.
    pub(super) why: Vec<String>,
}

impl Check {
    /// Whether the answer is the expected one.
    pub(super) fn met(&self) -> bool {
        !self.checked.undecided && self.checked.passed == self.expect
    }

    pub(super) fn wanted(&self) -> &'static str {
        if self.expect { "pass" } else { "fail" }
    }

    pub(super) fn got(&self) -> &'static str {
        match &self.checked {
            Checked { undecided: true, .. } => "undecided",
            Checked { passed: true, .. } => "pass",
            Checked { .. } => "fail",
        }
    }
}

/// Whether an entry of a list is a check rather than an expectation.
pub(super) fn is_check(node: &Node) -> bool {
    let Value::Map(members) = &node.value else { return false };
    members.iter().any(|(key, _)| Verb::ALL.iter().any(|verb| verb.as_str() == key.name))
}

impl Reader<'_> {
    /// Reads a check and makes it.
    ///
    /// # Errors
    /// The first fault, with its place in the suite or in the file of a policy.
    pub(super) fn check(&self, node: &Node) -> anyhow::Result<Check> {
        let fields = self.source.fields(node, "a check", ENTRY)?;
        let mut verbs =
            Verb::ALL.into_iter().filter_map(|verb| Some((verb, fields.get(verb.as_str())?)));
        let Some((verb, body)) = verbs.next() else {
            let text = "a check is one of `no-new-access`, `access-not-granted` and \
                        `no-public-access`";
            return Err(self.source.fault(fields.at, text).into());
        };
        if let Some((other, node)) = verbs.next() {
            let text = format!("an entry is one check: `{verb}` or `{other}`");
            return Err(self.source.fault(node.at, &text).into());
        }
        let expect = match fields.get("expect") {
            Some(node) => self.pass_or_fail(node)?,
            None => true,
        };
        let (policy, title, checked) = match verb {
            Verb::NoNewAccess => self.no_new_access(body)?,
            Verb::AccessNotGranted => self.access_not_granted(body)?,
            Verb::NoPublicAccess => self.no_public_access(body)?,
        };
        let name = match fields.get("name") {
            Some(node) => self.source.text(node, "`name`")?.to_owned(),
            None => format!("line {}", fields.at.0),
        };
        let why = why(&checked, &policy);
        Ok(Check { name, at: fields.at, verb, title, expect, checked, why })
    }

    fn pass_or_fail(&self, node: &Node) -> Result<bool, Fault> {
        match self.source.text(node, "`expect`")? {
            "pass" => Ok(true),
            "fail" => Ok(false),
            word => {
                let text = format!("`{word}` is neither `pass` nor `fail`");
                Err(self.source.fault(node.at, &text).advise(advice(word, ["pass", "fail"])))
            }
        }
    }

    fn no_new_access(&self, node: &Node) -> anyhow::Result<(Policy, String, Checked)> {
        let known = ["existing", "new", "type"];
        let fields = self.source.fields(node, "`no-new-access`", &known)?;
        let kind = self.kind(&fields)?;
        let existing = self.policy(self.needed(&fields, "existing")?, false)?;
        let new = self.policy(self.needed(&fields, "new")?, false)?;
        let checked = check::no_new_access(&existing.named.text, &new.named.text, kind);
        let checked = checked.map_err(|fault| {
            let of_new = matches!(fault, CheckFault::Policy { parameter: "newPolicyDocument", .. });
            self.wrong(&fault, fields.at, if of_new { &new } else { &existing })
        })?;
        let title = format!("{} against {}", new.shown(), existing.shown());
        Ok((new, title, checked))
    }

    fn access_not_granted(&self, node: &Node) -> anyhow::Result<(Policy, String, Checked)> {
        let known = ["policy", "type", "actions", "resources"];
        let fields = self.source.fields(node, "`access-not-granted`", &known)?;
        let kind = self.kind(&fields)?;
        let policy = self.policy(self.needed(&fields, "policy")?, false)?;
        let list = |name: &str| -> Result<Vec<String>, Fault> {
            let nodes = fields.get(name).map(one_or_several).unwrap_or_default();
            let what = format!("an entry of `{name}`");
            nodes.into_iter().map(|node| Ok(self.source.text(node, &what)?.to_owned())).collect()
        };
        let access = Access { actions: list("actions")?, resources: list("resources")? };
        let title = format!(
            "{} must not grant {} on {}",
            policy.shown(),
            any(&access.actions),
            any(&access.resources)
        );
        let checked = check::access_not_granted(&policy.named.text, &[access], kind);
        let checked = checked.map_err(|fault| self.wrong(&fault, fields.at, &policy))?;
        Ok((policy, title, checked))
    }

    fn no_public_access(&self, node: &Node) -> anyhow::Result<(Policy, String, Checked)> {
        let known = ["policy", "resource-type"];
        let fields = self.source.fields(node, "`no-public-access`", &known)?;
        let policy = self.policy(self.needed(&fields, "policy")?, false)?;
        let node = self.needed(&fields, "resource-type")?;
        let word = self.source.text(node, "`resource-type`")?;
        let resource = PublicResource::parse(word).ok_or_else(|| {
            let known = PublicResource::all().map(PublicResource::as_str);
            let text = format!("`{word}` is no resource type of this check");
            self.source.fault(node.at, &text).advise(advice(word, known))
        })?;
        let checked = check::no_public_access(&policy.named.text, resource);
        let checked = checked.map_err(|fault| self.wrong(&fault, fields.at, &policy))?;
        let title = format!("{} of {word}", policy.shown());
        Ok((policy, title, checked))
    }

    fn needed<'n>(&self, fields: &Fields<'n>, name: &str) -> Result<&'n Node, Fault> {
        let fault = || self.source.fault(fields.at, &format!("this check needs `{name}`"));
        fields.get(name).ok_or_else(fault)
    }

    fn kind(&self, fields: &Fields<'_>) -> Result<Kind, Fault> {
        let Some(node) = fields.get("type") else { return Ok(Kind::Identity) };
        match self.source.text(node, "`type`")? {
            "identity" | "IDENTITY_POLICY" => Ok(Kind::Identity),
            "resource" | "RESOURCE_POLICY" => Ok(Kind::Resource),
            word => {
                let text = format!("`{word}` is neither `identity` nor `resource`");
                let near = advice(word, ["identity", "resource"]);
                Err(self.source.fault(node.at, &text).advise(near))
            }
        }
    }

    /// What is wrong with a check: at its place in a policy, or at the check.
    fn wrong(&self, fault: &CheckFault, at: At, policy: &Policy) -> Fault {
        match fault {
            CheckFault::Policy { error, .. } => {
                policy.fault((error.line, error.column), &error.problem.to_string())
            }
            other => self.source.fault(at, &other.to_string()),
        }
    }
}

fn any(list: &[String]) -> String {
    if list.is_empty() { "anything".to_owned() } else { list.join(", ") }
}

/// Why a check answers as it does, in lines.
fn why(checked: &Checked, policy: &Policy) -> Vec<String> {
    let mut lines = vec![checked.message.clone()];
    let text = &policy.named.text;
    let kinds = [DocumentKind::Identity, DocumentKind::Resource, DocumentKind::Trust];
    let document = kinds.into_iter().find_map(|kind| Document::parse(text, kind).ok());
    for reason in &checked.reasons {
        let place = document.as_ref().and_then(|document| {
            let statement = document.statements().get(reason.statement_index?)?;
            let at = document.position(statement.bytes().start);
            let (line, column) = policy.place((at.line, at.column));
            Some(format!("{}:{line}:{column}: ", policy.named.label))
        });
        lines.push(format!("{}{}", place.unwrap_or_default(), reason.description));
    }
    lines.extend(checked.witness.as_ref().map(|witness| format!("for example: {witness}")));
    lines
}
