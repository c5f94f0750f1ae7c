//! From written elements to patterns, conditions and principals.

use super::grammar::{List, RawCondition, RawDocument, RawPrincipal, RawStatement};
use super::principal::{Entry, PrincipalElement, PrincipalEntry, PrincipalType};
use super::statement::{ConditionText, Effect, Element, Statement};
use super::{DocumentKind, Version};
use crate::condition::Condition;
use crate::pattern::{ActionPattern, ResourcePattern, Short};

/// The version; an absent or unknown one is the old one, which has fewer meanings (GR-2).
pub(super) fn version(raw: &RawDocument) -> Version {
    match &raw.version {
        Some(version) if version.text == "2012-10-17" => Version::V2012,
        _ => Version::V2008,
    }
}

pub(super) fn statements(
    raw: &RawDocument,
    kind: DocumentKind,
    version: Version,
) -> Vec<Statement> {
    raw.statements.iter().map(|raw| statement(raw, kind, version)).collect()
}

fn statement(raw: &RawStatement, kind: DocumentKind, version: Version) -> Statement {
    let variables = version == Version::V2012;
    let deny = raw.effect.as_ref().is_some_and(|effect| effect.text == "Deny");
    let short = match kind {
        DocumentKind::Identity | DocumentKind::Session | DocumentKind::Boundary => Short::Always,
        DocumentKind::Trust | DocumentKind::Resource => Short::WithWildcard,
        DocumentKind::ServiceControl => Short::TrailingStar,
        DocumentKind::ResourceControl => Short::Never,
    };
    let resource = |text: &str| ResourcePattern::new(text, variables, short);
    let resources = either(raw.resource.as_ref(), raw.not_resource.as_ref(), resource);
    let actions = either(raw.action.as_ref(), raw.not_action.as_ref(), ActionPattern::new);
    let principal = match (&raw.principal, &raw.not_principal) {
        (Some(raw), _) => Some(principal(raw, false)),
        (None, Some(raw)) => Some(principal(raw, true)),
        (None, None) => None,
    };
    Statement {
        sid: raw.sid.as_ref().map(|sid| sid.text.as_str().into()),
        effect: if deny { Effect::Deny } else { Effect::Allow },
        actions: actions.unwrap_or(Element {
            negated: false,
            entries: Vec::new(),
            texts: Vec::new(),
            span: raw.span,
        }),
        resources,
        principal,
        conditions: raw.conditions.iter().map(|raw| condition(raw, variables)).collect(),
        span: raw.span,
        reported: raw.reported,
    }
}

fn either<P>(
    plain: Option<&List>,
    negated: Option<&List>,
    parse: impl Fn(&str) -> P,
) -> Option<Element<P>> {
    let list = plain.or(negated)?;
    Some(Element {
        negated: plain.is_none(),
        entries: list.items.iter().map(|item| parse(&item.text)).collect(),
        texts: list.items.iter().map(|item| item.text.as_str().into()).collect(),
        span: list.span,
    })
}

fn principal(raw: &RawPrincipal, negated: bool) -> PrincipalElement {
    let entries = raw.entries.iter().map(|(kind, text)| {
        let kind = PrincipalType::of(kind);
        PrincipalEntry {
            kind,
            entry: Entry::new(kind, &text.text),
            text: text.text.as_str().into(),
            span: text.span,
        }
    });
    PrincipalElement { negated, entries: entries.collect(), span: raw.span }
}

fn condition(raw: &RawCondition, variables: bool) -> (Condition, ConditionText) {
    let values: Vec<&str> = raw.values.items.iter().map(|item| item.text.as_str()).collect();
    let condition = Condition::new(&raw.operator.text, &raw.key.text, &values, variables);
    let text = ConditionText {
        operator: raw.operator.text.as_str().into(),
        key: raw.key.text.as_str().into(),
        values: values.into_iter().map(Into::into).collect(),
        span: raw.key.span,
    };
    (condition, text)
}
