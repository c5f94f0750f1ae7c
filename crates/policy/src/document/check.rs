//! What is refused: in `shape` what has no meaning, in `write` all that IAM refuses at write, in
//! the order of GR-7.

use std::collections::BTreeSet;

use bailiwick_identifiers::Partition;

use super::grammar::{List, RawDocument, RawPrincipal, RawStatement, Text};
use super::principal::{Entry, PrincipalType};
use super::shared_issuer;
use super::{DocumentError, DocumentKind, Problem};
use crate::condition::{Operator, Spelled, is_writable_date};
use crate::fold;
use crate::json::Span;

type Checked = Result<(), DocumentError>;

/// The actions that a trust policy may name (TR-11), in lower case.
const TRUST_ACTIONS: [&str; 6] = [
    "sts:assumerole",
    "sts:assumerolewithsaml",
    "sts:assumerolewithwebidentity",
    "sts:setcontext",
    "sts:setsourceidentity",
    "sts:tagsession",
];

/// Only the characters of GR-1.
pub(super) fn characters(text: &str, kind: DocumentKind) -> Checked {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{ff}');
    match text.char_indices().find(|(_, c)| !allowed(*c) && *c != '\u{feff}') {
        Some((at, c)) => {
            let byte = u32::try_from(at).unwrap_or(u32::MAX);
            Err(DocumentError::new(text, kind, byte, Problem::Character(c)))
        }
        None => Ok(()),
    }
}

/// What evaluation needs: an effect, exactly one of each pair, principals where they belong.
pub(super) fn shape(raw: &RawDocument, text: &str, kind: DocumentKind) -> Checked {
    let check = Check { text, kind };
    check.version_date(raw)?;
    raw.statements.iter().try_for_each(|statement| {
        check.pairs(statement)?;
        check.principal_place(statement)?;
        check.effect(statement)?;
        let named = statement.principal.as_ref().or(statement.not_principal.as_ref());
        for (_, text) in named.filter(|found| found.bare).iter().flat_map(|found| &found.entries) {
            if text.text != "*" {
                // PR-9: a text says everyone; whom it names stands in an object.
                let element = "Principal".to_owned();
                return check
                    .fail(text.span, Problem::WrongType { element, expected: "an object" });
            }
        }
        if statement.action.is_none() && statement.not_action.is_none() {
            return check.fail(statement.span, Problem::NoActions);
        }
        let unsaid = statement.resource.is_none() && statement.not_resource.is_none();
        if unsaid && kind.needs_resource() {
            return check.fail(statement.span, Problem::NoResources);
        }
        Ok(())
    })
}

/// All write checks.
pub(super) fn write(raw: &RawDocument, text: &str, kind: DocumentKind) -> Checked {
    let check = Check { text, kind };
    let each = |test: &dyn Fn(&RawStatement) -> Checked| raw.statements.iter().try_for_each(test);
    // Syntax.
    check.version_date(raw)?;
    if raw.statements.is_empty() {
        return check.fail(raw.statements_span, Problem::NoStatement);
    }
    each(&|statement| check.pairs(statement))?;
    each(&|statement| check.operators(statement))?;
    each(&|statement| check.principal_place(statement))?;
    // Version.
    check.version(raw)?;
    // Legacy parsing.
    each(&|statement| check.effect(statement))?;
    each(&|statement| check.dates(statement))?;
    each(&|statement| check.arn_shapes(statement))?;
    check.sids(raw)?;
    if kind == DocumentKind::Trust {
        each(&|statement| check.trust(statement))?;
    }
    each(&|statement| check.has_actions(statement))?;
    each(&|statement| check.resources(statement))?;
    each(&|statement| check.actions(statement))?;
    each(&|statement| check.has_resources(statement))?;
    each(&|statement| check.principals(statement))?;
    if kind == DocumentKind::ResourceControl {
        each(&|statement| check.resource_control(statement))?;
    }
    Ok(())
}

struct Check<'a> {
    text: &'a str,
    kind: DocumentKind,
}

impl Check<'_> {
    fn fail(&self, span: Span, problem: Problem) -> Checked {
        Err(DocumentError::new(self.text, self.kind, span.start, problem))
    }

    fn version_date(&self, raw: &RawDocument) -> Checked {
        match &raw.version {
            Some(version) if !["2008-10-17", "2012-10-17"].contains(&version.text.as_str()) => {
                self.fail(version.span, Problem::Version(version.text.clone()))
            }
            _ => Ok(()),
        }
    }

    /// GR-2: trust policies and other resource policies may be old.
    fn version(&self, raw: &RawDocument) -> Checked {
        let old_allowed = matches!(self.kind, DocumentKind::Trust | DocumentKind::Resource);
        let version = raw.version.as_ref();
        if old_allowed || version.is_some_and(|version| version.text == "2012-10-17") {
            return Ok(());
        }
        let start = Span::default();
        self.fail(version.map_or(start, |version| version.span), Problem::OldVersion)
    }

    /// ST-2
    fn pairs(&self, raw: &RawStatement) -> Checked {
        if let (Some(_), Some(second)) = (&raw.action, &raw.not_action) {
            return self.fail(second.span, Problem::Both("Action"));
        }
        if let (Some(_), Some(second)) = (&raw.resource, &raw.not_resource) {
            return self.fail(second.span, Problem::Both("Resource"));
        }
        if let (Some(_), Some(second)) = (&raw.principal, &raw.not_principal) {
            return self.fail(second.span, Problem::Both("Principal"));
        }
        // CO-2 with ST-4: one key, twice in different case under one operator.
        let mut seen = BTreeSet::new();
        for condition in &raw.conditions {
            let name = (condition.operator.span.start, fold::folded(&condition.key.text));
            if !seen.insert(name) {
                let key = condition.key.text.clone();
                return self.fail(condition.key.span, Problem::DuplicateKey(key));
            }
        }
        match &raw.effect {
            None => self.fail(raw.span, Problem::Missing("Effect")),
            Some(_) => Ok(()),
        }
    }

    fn effect(&self, raw: &RawStatement) -> Checked {
        match &raw.effect {
            Some(effect) if effect.text != "Allow" && effect.text != "Deny" => {
                self.fail(effect.span, Problem::Effect(effect.text.clone()))
            }
            _ => Ok(()),
        }
    }

    /// PR-15 and ST-2: a principal exactly where the kind has one.
    fn principal_place(&self, raw: &RawStatement) -> Checked {
        let present = raw.principal.as_ref().or(raw.not_principal.as_ref());
        match present {
            Some(principal) if !self.kind.has_principal() => {
                self.fail(principal.span, Problem::PrincipalPresent)
            }
            None if self.kind.has_principal() => self.fail(raw.span, Problem::Missing("Principal")),
            _ => Ok(()),
        }
    }

    /// OP-X1, ST-6 (exact spelling at write).
    fn operators(&self, raw: &RawStatement) -> Checked {
        for condition in &raw.conditions {
            let name = &condition.operator;
            let spelled = Spelled::parse(&name.text);
            if spelled.is_none_or(|spelled| spelled.to_string() != name.text) {
                return self.fail(name.span, Problem::Operator(name.text.clone()));
            }
        }
        Ok(())
    }

    /// OP-D5
    fn dates(&self, raw: &RawStatement) -> Checked {
        for condition in &raw.conditions {
            let operator = Spelled::parse(&condition.operator.text).map(|s| s.operator);
            let dated = operator.is_some_and(|operator| operator.as_str().starts_with("Date"));
            let bad = condition.values.items.iter().find(|value| !is_writable_date(&value.text));
            if let (true, Some(value)) = (dated, bad) {
                return self.fail(value.span, Problem::Date(value.text.clone()));
            }
            // OP-Z2: the values of Null are literal and have two forms.
            if operator == Some(Operator::Null) {
                let literal =
                    |text: &str| ["true", "false"].iter().any(|t| text.eq_ignore_ascii_case(t));
                let bad = condition.values.items.iter().find(|value| !literal(&value.text));
                if let Some(value) = bad {
                    let operator = condition.operator.text.clone();
                    let problem = Problem::Value { operator, value: value.text.clone() };
                    return self.fail(value.span, problem);
                }
            }
        }
        Ok(())
    }

    /// An ARN names at least partition and service, unless a wildcard stands for the rest.
    fn arn_shapes(&self, raw: &RawStatement) -> Checked {
        for item in items(raw.resource.as_ref().or(raw.not_resource.as_ref())) {
            let fields: Vec<&str> = fields_of(&item.text);
            let whole = match fields.as_slice() {
                ["arn", _, service, ..] => !service.is_empty(),
                ["arn", rest] => rest.ends_with('*'),
                _ => true,
            };
            if !whole {
                return self.fail(item.span, Problem::ArnShape(item.text.clone()));
            }
        }
        Ok(())
    }

    /// ST-5: unique, but for the empty one. Their letters matter in identity policies.
    fn sids(&self, raw: &RawDocument) -> Checked {
        let plain = !matches!(self.kind, DocumentKind::Resource | DocumentKind::Trust);
        let sids: Vec<&Text> = raw.statements.iter().filter_map(|s| s.sid.as_ref()).collect();
        let mut seen = BTreeSet::new();
        for sid in sids.iter().filter(|sid| !sid.text.is_empty()) {
            if plain && !sid.text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                return self.fail(sid.span, Problem::Sid(sid.text.clone()));
            }
            if !seen.insert(sid.text.as_str()) {
                return self.fail(sid.span, Problem::DuplicateSid(sid.text.clone()));
            }
        }
        Ok(())
    }

    fn has_actions(&self, raw: &RawStatement) -> Checked {
        let list = raw.action.as_ref().or(raw.not_action.as_ref());
        if items(list).next().is_some() {
            return Ok(());
        }
        self.fail(list.map_or(raw.span, |list| list.span), Problem::NoActions)
    }

    fn has_resources(&self, raw: &RawStatement) -> Checked {
        let list = raw.resource.as_ref().or(raw.not_resource.as_ref());
        let absent_is_fine = list.is_none() && !self.kind.needs_resource();
        if absent_is_fine || items(list).next().is_some() {
            return Ok(());
        }
        self.fail(list.map_or(raw.span, |list| list.span), Problem::NoResources)
    }

    /// RES-3, RES-11, GR-7
    fn resources(&self, raw: &RawStatement) -> Checked {
        for item in items(raw.resource.as_ref().or(raw.not_resource.as_ref())) {
            let text = item.text.clone();
            if text == "*" {
                continue;
            }
            let fields = fields_of(&item.text);
            let ["arn", partition, rest @ ..] = fields.as_slice() else {
                return self.fail(item.span, Problem::Resource(text));
            };
            if !partition.contains(['*', '?']) && partition.parse::<Partition>().is_err() {
                let partition = (*partition).to_owned();
                return self.fail(item.span, Problem::Partition { partition, resource: text });
            }
            if rest.first().is_some_and(|service| service.contains(['*', '?'])) {
                return self.fail(item.span, Problem::ServiceWildcard(text));
            }
            // Global services and buckets have no region; a short pattern may mean anything.
            if let [service, region, _, _] = rest
                && ["iam", "s3"].contains(service)
                && !region.is_empty()
                && !region.contains('*')
            {
                return self.fail(item.span, Problem::Region(text));
            }
        }
        Ok(())
    }

    /// ACT-3, ACT-7
    fn actions(&self, raw: &RawStatement) -> Checked {
        for item in items(raw.action.as_ref().or(raw.not_action.as_ref())) {
            if item.text == "*" || item.text == "*:*" {
                continue;
            }
            let Some((vendor, name)) = item.text.split_once(':') else {
                return self.fail(item.span, Problem::NoVendor(item.text.clone()));
            };
            if name.contains(':') {
                return self.fail(item.span, Problem::Colons(item.text.clone()));
            }
            let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'-';
            if vendor.is_empty() || !vendor.bytes().all(plain) {
                return self.fail(item.span, Problem::Vendor(vendor.to_owned()));
            }
        }
        Ok(())
    }

    /// TR-11
    fn trust(&self, raw: &RawStatement) -> Checked {
        if let Some(resource) = &raw.resource {
            return self.fail(resource.span, Problem::Prohibited("Resource"));
        }
        if let Some(resource) = &raw.not_resource {
            return self.fail(resource.span, Problem::Prohibited("NotResource"));
        }
        if let Some(principal) = &raw.not_principal {
            return self.fail(principal.span, Problem::Prohibited("NotPrincipal"));
        }
        if let Some(principal) = raw.principal.as_ref().filter(|principal| principal.bare) {
            let element = "Principal".to_owned();
            let problem = Problem::WrongType { element, expected: "an object" };
            return self.fail(principal.span, problem);
        }
        for item in items(raw.action.as_ref().or(raw.not_action.as_ref())) {
            let folded = item.text.to_ascii_lowercase();
            let wild = folded.contains(['*', '?']);
            if !(folded.starts_with("sts:") && (wild || TRUST_ACTIONS.contains(&folded.as_str()))) {
                return self.fail(item.span, Problem::TrustAction(item.text.clone()));
            }
        }
        match shared_issuer::open_issuer(raw) {
            Some((issuer, claim)) => {
                self.fail(raw.span, Problem::SharedIssuer { issuer, claim }) // TR-12
            }
            None => Ok(()),
        }
    }

    /// PR-7, PR-9, NP-1. That entities exist is the caller's to check.
    fn principals(&self, raw: &RawStatement) -> Checked {
        if !self.kind.has_principal() {
            return Ok(());
        }
        if let Some(principal) = &raw.not_principal
            && raw.effect.as_ref().is_some_and(|effect| effect.text == "Allow")
        {
            return self.fail(principal.span, Problem::NotPrincipalAllows);
        }
        let principal = raw.principal.as_ref().or(raw.not_principal.as_ref());
        principal.map_or(Ok(()), |principal| self.entries(principal))
    }

    fn entries(&self, raw: &RawPrincipal) -> Checked {
        if raw.entries.is_empty() {
            return self.fail(raw.span, Problem::Missing("Principal"));
        }
        for (written, text) in &raw.entries {
            let kind = PrincipalType::of(written);
            let entry = Entry::new(kind, &text.text);
            let bad = match kind {
                PrincipalType::CanonicalUser => self.kind == DocumentKind::Trust,
                PrincipalType::Bare => !matches!(entry, Entry::Everyone { .. }),
                PrincipalType::Service => !is_host(&text.text),
                PrincipalType::Federated => !is_provider(&text.text),
                PrincipalType::Aws => matches!(entry, Entry::Nobody | Entry::Wild { .. }),
            };
            if bad {
                let problem = Problem::Principal { kind: written.clone(), text: text.text.clone() };
                return self.fail(text.span, problem);
            }
        }
        Ok(())
    }

    /// RCP-3
    fn resource_control(&self, raw: &RawStatement) -> Checked {
        if let Some(effect) = raw.effect.as_ref().filter(|effect| effect.text != "Deny") {
            return self.fail(effect.span, Problem::ResourceControlAllows);
        }
        if let Some(principal) = &raw.not_principal {
            return self.fail(principal.span, Problem::Prohibited("NotPrincipal"));
        }
        if let Some(list) = &raw.not_action {
            return self.fail(list.span, Problem::Prohibited("NotAction"));
        }
        match raw.principal.as_ref().filter(|principal| !principal.bare) {
            Some(principal) => self.fail(principal.span, Problem::ResourceControlPrincipal),
            None => Ok(()),
        }
    }
}

fn items(list: Option<&List>) -> impl Iterator<Item = &Text> {
    list.into_iter().flat_map(|list| list.items.iter())
}

/// The fields of a resource pattern; colons inside `${...}` do not part them.
fn fields_of(text: &str) -> Vec<&str> {
    let mut fields = Vec::new();
    let (mut start, mut in_variable) = (0, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => in_variable = text.get(..at).is_some_and(|before| before.ends_with('$')),
            b'}' => in_variable = false,
            b':' if !in_variable && fields.len() < 5 => {
                fields.push(text.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    fields.push(text.get(start..).unwrap_or_default());
    fields
}

/// A service name is a host name.
fn is_host(text: &str) -> bool {
    text.contains('.')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-')
}

/// A provider is its ARN or the host name of a built-in one.
fn is_provider(text: &str) -> bool {
    let fields: Vec<&str> = text.splitn(6, ':').collect();
    match fields.as_slice() {
        ["arn", _, "iam", "", account, resource] => {
            account.len() == 12
                && account.bytes().all(|byte| byte.is_ascii_digit())
                && ["saml-provider/", "oidc-provider/"].iter().any(|p| resource.starts_with(p))
                && !resource.contains(['*', '?'])
        }
        _ => is_host(text),
    }
}
