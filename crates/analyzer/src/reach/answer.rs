//! What is answered.

use std::collections::BTreeMap;
use std::fmt;

use bailiwick_policy::{PolicyKind, SourceKind};
use serde::Serialize;

/// Whether access hangs on the request.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// Every request is allowed, whatever its context.
    Always,
    /// Some requests are allowed; others may not be.
    OnlyIf,
    /// Neither access nor its absence could be shown. Whoever must be safe takes it for access.
    Undecided,
}

/// Of how much of the resources that were asked for an answer holds.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Extent {
    /// Of every one.
    All,
    /// Of some.
    Some,
}

/// An answer about one principal and one action.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Access {
    /// The action.
    pub action: String,
    /// Whether it hangs on the request.
    pub certainty: Certainty,
    /// Of how much of the resource it holds.
    pub extent: Extent,
    /// The ways by which it is allowed, simplest first; the first few only.
    pub ways: Vec<Way>,
    /// What denies it in some requests, in every way.
    pub unless: Vec<Unless>,
    /// A request that the decision engine allows. Nothing if undecided.
    pub witness: Option<Witness>,
}

/// One way by which a request is allowed: each of these statements is needed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Way {
    /// The statements. Empty: the root user, or an action that needs no permission.
    pub by: Vec<Place>,
    /// What the request must be like.
    pub when: Vec<Requirement>,
}

/// A statement that denies when all of this is so.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Unless {
    /// The statement.
    pub by: Place,
    /// What the request is like then.
    pub when: Vec<Requirement>,
}

/// A statement of a policy.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Place {
    /// The kind of the policy.
    pub kind: PolicyKind,
    /// The level of the organization, from 0 at its root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<usize>,
    /// The ARN of a managed policy, the name of an inline one, or a text that tells which.
    pub policy: String,
    /// The group through which it applies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The statement's place in the policy, from 0.
    pub statement: usize,
    /// The statement's Sid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
}

/// A condition on the request, with the caller's variables resolved.
#[derive(Clone, Debug, Eq, Hash, PartialEq, Serialize)]
pub struct Requirement {
    /// The operator as it is written.
    pub operator: String,
    /// The context key.
    pub key: String,
    /// The values.
    pub values: Vec<String>,
}

/// A request.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Witness {
    /// The caller.
    pub principal: String,
    /// The action.
    pub action: String,
    /// The resource.
    pub resource: String,
    /// The keys of its context, those that follow from the caller left out.
    pub context: BTreeMap<String, Vec<String>>,
}

impl Place {
    pub(super) fn new(
        kind: PolicyKind,
        level: Option<usize>,
        policy: &bailiwick_policy::Attached<'_>,
        statement: usize,
    ) -> Self {
        let group = match &policy.source.kind {
            SourceKind::GroupInline { group } | SourceKind::GroupManaged { group } => {
                Some(group.to_string())
            }
            _ => None,
        };
        let found = policy.document.statements().get(statement);
        Self {
            kind,
            level,
            policy: policy.source.id.to_string(),
            group,
            statement,
            sid: found.and_then(|found| found.sid()).map(str::to_owned),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.kind {
            PolicyKind::Identity => "policy",
            PolicyKind::Boundary => "boundary",
            PolicyKind::ServiceControl => "SCP",
            PolicyKind::ResourceControl => "RCP",
            PolicyKind::Resource => "resource policy",
            PolicyKind::Trust => "trust policy",
            PolicyKind::Session => "session policy",
            PolicyKind::Endpoint => "endpoint policy",
        };
        f.write_str(name)?;
        let policy = self.policy.rsplit(":policy/").next().unwrap_or(&self.policy);
        match self.kind {
            PolicyKind::Trust => {}
            _ => write!(f, " {policy}")?,
        }
        if let Some(level) = self.level {
            write!(f, " (level {})", level + 1)?;
        }
        if let Some(group) = &self.group {
            write!(f, " of group {group}")?;
        }
        match &self.sid {
            Some(sid) => write!(f, ", statement {sid}"),
            None => write!(f, ", statement {}", self.statement + 1),
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.key, self.operator, self.values.join(" or "))
    }
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} calls {} on {}", self.principal, self.action, self.resource)?;
        for (at, (key, values)) in self.context.iter().enumerate() {
            let joint = if at == 0 { " with" } else { "," };
            write!(f, "{joint} {key} = {}", values.join(" | "))?;
        }
        Ok(())
    }
}
