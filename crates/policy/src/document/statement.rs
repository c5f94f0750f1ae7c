//! Statements, compiled.

use serde::Serialize;

use super::PrincipalElement;
use crate::condition::Condition;
use crate::json::Span;
use crate::pattern::{ActionPattern, ResourcePattern};

/// Whether a statement allows or denies.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub enum Effect {
    /// Grants.
    Allow,
    /// Refuses, whatever else grants (EV-2).
    Deny,
}

/// One statement of a document.
#[derive(Clone, Debug)]
pub struct Statement {
    pub(crate) sid: Option<Box<str>>,
    pub(crate) effect: Effect,
    /// Action or NotAction.
    pub(crate) actions: Element<ActionPattern>,
    /// Resource or NotResource; nothing means the resource itself (RES-9).
    pub(crate) resources: Option<Element<ResourcePattern>>,
    /// Principal or NotPrincipal; nothing in policies that belong to their principal (PR-15).
    pub(crate) principal: Option<PrincipalElement>,
    pub(crate) conditions: Vec<(Condition, ConditionText)>,
    pub(crate) span: Span,
    pub(crate) reported: Span,
}

/// A list of patterns with the texts that they came from.
#[derive(Clone, Debug)]
pub(crate) struct Element<P> {
    /// Whether it is NotAction or NotResource.
    pub(crate) negated: bool,
    pub(crate) entries: Vec<P>,
    pub(crate) texts: Vec<Box<str>>,
    pub(crate) span: Span,
}

/// A condition as it is written: one operator and one key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConditionText {
    /// The operator, with set prefix and `IfExists`.
    pub operator: Box<str>,
    /// The context key.
    pub key: Box<str>,
    /// The values as texts.
    pub values: Vec<Box<str>>,
    pub(crate) span: Span,
}

impl Statement {
    /// The Sid, if it has one that is not empty.
    pub fn sid(&self) -> Option<&str> {
        self.sid.as_deref().filter(|sid| !sid.is_empty())
    }

    /// Whether it allows or denies.
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// The entries of Action or NotAction.
    pub fn actions(&self) -> impl Iterator<Item = &str> {
        self.actions.texts.iter().map(AsRef::as_ref)
    }

    /// Whether the actions stand in NotAction.
    pub fn is_not_action(&self) -> bool {
        self.actions.negated
    }

    /// The entries of Resource or NotResource; none where the element is absent.
    pub fn resources(&self) -> impl Iterator<Item = &str> {
        self.resources.iter().flat_map(|element| element.texts.iter()).map(AsRef::as_ref)
    }

    /// Whether the resources stand in NotResource.
    pub fn is_not_resource(&self) -> bool {
        self.resources.as_ref().is_some_and(|element| element.negated)
    }

    /// Whether there is a Resource or NotResource.
    pub fn has_resources(&self) -> bool {
        self.resources.is_some()
    }

    /// Whether the principals stand in NotPrincipal.
    pub fn is_not_principal(&self) -> bool {
        self.principal.as_ref().is_some_and(|element| element.negated)
    }

    /// The conditions as they are written.
    pub fn conditions(&self) -> impl Iterator<Item = &ConditionText> {
        self.conditions.iter().map(|(_, text)| text)
    }

    /// The bytes of the text that the statement covers, braces included.
    pub fn bytes(&self) -> std::ops::Range<u32> {
        self.span.start..self.span.end
    }

    /// The bytes after which the simulator says that the statement starts and ends (SIM-5): give
    /// them to [`super::Document::position`].
    pub fn reported_bytes(&self) -> std::ops::Range<u32> {
        self.reported.start..self.reported.end
    }

    /// The context keys that it uses, as written.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        let resources = self.resources.iter().flat_map(|element| element.entries.iter());
        let in_resources = resources.flat_map(ResourcePattern::variables).map(|v| &*v.name);
        let in_conditions = self
            .conditions
            .iter()
            .flat_map(|(condition, text)| std::iter::once(&*text.key).chain(condition.variables()));
        in_resources.chain(in_conditions)
    }
}
