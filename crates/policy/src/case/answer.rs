//! The answer to a case, as one line of JSON.

use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::{Decision, PolicyKind, Reason, Source, Verdict};

/// What is decided, and why: `{"id", "decision", "reasons"}`.
#[derive(Clone, Debug, Serialize)]
pub struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Box<RawValue>>,
    /// `allowed`, `explicitDeny` or `implicitDeny` (SIM-1).
    pub decision: &'static str,
    /// The reason that ended the decision (SIM-15); one.
    pub reasons: Vec<ReasonLine>,
}

/// One reason of an answer.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct ReasonLine {
    /// The kind of policy that carries the grant, lacks an Allow or denies, or one of
    /// `no-permission-needed`, `evaluation-error` and `credentials`.
    pub kind: &'static str,
    /// The policy that denies, by its place in the case, such as `scps/1/0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<Arc<str>>,
    /// The statement that denies, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<usize>,
}

impl Answer {
    pub(super) fn new(id: Option<Box<RawValue>>, decision: &Decision) -> Self {
        let plain = |kind| ReasonLine { kind, policy: None, statement: None };
        let of = |kind, source: &Source, statement| ReasonLine {
            kind,
            policy: Some(Arc::clone(&source.id)),
            statement,
        };
        let reason = match &decision.reason {
            Reason::Allowed { by: kind } | Reason::MissingAllow { kind } => plain(word(*kind)),
            Reason::ExplicitDeny { kind, source, statement } => {
                of(word(*kind), source, Some(*statement))
            }
            Reason::NoPermissionNeeded => plain("no-permission-needed"),
            Reason::EvaluationError { source } => of("evaluation-error", source, None),
        };
        Self { id, decision: decision.verdict.as_str(), reasons: vec![reason] }
    }

    /// The service takes no such call with such credentials (SES-8, ROOT-7).
    pub(super) fn refused(id: Option<Box<RawValue>>) -> Self {
        let reason = ReasonLine { kind: "credentials", policy: None, statement: None };
        Self { id, decision: Verdict::ImplicitDeny.as_str(), reasons: vec![reason] }
    }

    /// The id as it stands in the line, a JSON text.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref().map(RawValue::get)
    }

    /// The kind of the reason.
    pub fn kind(&self) -> &'static str {
        self.reasons.first().map_or("", |reason| reason.kind)
    }
}

/// The kind of policy in one word, as it is serialised elsewhere.
const fn word(kind: PolicyKind) -> &'static str {
    match kind {
        PolicyKind::Endpoint => "endpoint",
        PolicyKind::ResourceControl => "resource-control",
        PolicyKind::ServiceControl => "service-control",
        PolicyKind::Resource => "resource",
        PolicyKind::Trust => "trust",
        PolicyKind::Identity => "identity",
        PolicyKind::Boundary => "boundary",
        PolicyKind::Session => "session",
    }
}
