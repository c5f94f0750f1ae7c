//! The policies of a case.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use bailiwick_identifiers::UniqueId;

use super::caller::same_role;
use super::fields::{Fields, Json};
use super::{CaseError, CaseProblem, Documents};
use crate::{
    Applicable, Attached, Document, DocumentKind, Endpoint, Grant, Principal, Source, SourceKind,
    Statement, is_delegated,
};

/// The policies that apply to one case, each with its place there as its name.
#[derive(Clone, Debug, Default)]
pub(super) struct Policies {
    identity: List,
    boundary: Option<Held>,
    session: Option<List>,
    resource: Option<Held>,
    scps: Vec<List>,
    rcps: Vec<List>,
    endpoints: List,
    gateway: bool,
    grants: Vec<Grant>,
    /// The first policy that could not be read (IN-6).
    unreadable: Option<Source>,
}

type List = Vec<Held>;

#[derive(Clone, Debug)]
struct Held {
    source: Source,
    document: Document,
}

/// Reads policies by name and notes the first that cannot be read.
struct Reader<'d> {
    documents: &'d mut Documents,
    unreadable: Option<Source>,
}

impl Policies {
    pub(super) fn read(
        fields: &mut Fields<'_>,
        principal: &Principal,
        action: &str,
        resource: &str,
        documents: &mut Documents,
    ) -> Result<Self, CaseError> {
        let mut reader = Reader { documents, unreadable: None };
        let own = match principal {
            Principal::Session { .. } | Principal::Role { .. } => SourceKind::RoleInline,
            _ => SourceKind::UserInline,
        };
        let identity = reader.list(fields, "identityPolicies", DocumentKind::Identity, &own)?;
        let boundary = reader.one(
            fields,
            "permissionsBoundary",
            DocumentKind::Boundary,
            SourceKind::Boundary,
        )?;
        let session = reader.list(
            fields,
            "sessionPolicies",
            DocumentKind::Session,
            &SourceKind::SessionInline,
        )?;
        // SES-5: without session policy a federated user is allowed nothing, a role everything.
        let federated = matches!(principal, Principal::FederatedUser { .. });
        let session = session.filter(|list| federated || !list.is_empty());
        let session = session.or_else(|| federated.then(List::new));
        let (kind, source) = if is_trust(action, resource) {
            (DocumentKind::Trust, SourceKind::Trust)
        } else {
            (DocumentKind::Resource, SourceKind::Resource)
        };
        let mut resource = reader.one(fields, "resourcePolicy", kind, source)?;
        let alive = fields.take("entities").map(|json| entities(&json)).transpose()?;
        if let (Some(held), Some(alive)) = (&mut resource, alive) {
            held.document = bind(&held.document, &alive);
        }
        let scps = reader.levels(fields, "scps", DocumentKind::ServiceControl, &SourceKind::Scp)?;
        let rcps =
            reader.levels(fields, "rcps", DocumentKind::ResourceControl, &SourceKind::Rcp)?;
        let endpoints = reader.list(
            fields,
            "endpointPolicies",
            DocumentKind::Resource,
            &SourceKind::Endpoint,
        )?;
        let gateway = match fields.take("gateway") {
            Some(json) => json.truth()?,
            None => false,
        };
        let grants = match fields.take("grants") {
            Some(json) => grants(&json)?,
            None => Vec::new(),
        };
        Ok(Self {
            identity: identity.unwrap_or_default(),
            boundary,
            session,
            resource,
            scps,
            rcps,
            endpoints: endpoints.unwrap_or_default(),
            gateway,
            grants,
            unreadable: reader.unreadable,
        })
    }

    /// The policies as a decision takes them.
    pub(super) fn applicable(&self) -> Applicable<'_> {
        Applicable {
            identity: self.identity.iter().map(Held::attached).collect(),
            boundary: self.boundary.as_ref().map(Held::attached),
            session: self.session.as_ref().map(Held::all),
            resource: self.resource.as_ref().map(Held::attached),
            scps: self.scps.iter().map(Held::all).collect(),
            rcps: self.rcps.iter().map(Held::all).collect(),
            endpoints: self
                .endpoints
                .iter()
                .map(|held| Endpoint { policy: held.attached(), gateway: self.gateway })
                .collect(),
            grants: &self.grants,
            unreadable: self.unreadable.as_ref(),
        }
    }
}

impl Held {
    fn all(list: &List) -> crate::Policies<'_> {
        list.iter().map(Self::attached).collect()
    }

    fn attached(&self) -> Attached<'_> {
        Attached { source: &self.source, document: &self.document }
    }
}

impl Reader<'_> {
    fn one(
        &mut self,
        fields: &mut Fields<'_>,
        name: &'static str,
        kind: DocumentKind,
        source: SourceKind,
    ) -> Result<Option<Held>, CaseError> {
        match fields.take(name) {
            Some(json) => self.policy(&json, kind, Source::new(name, source)),
            None => Ok(None),
        }
    }

    fn list(
        &mut self,
        fields: &mut Fields<'_>,
        name: &'static str,
        kind: DocumentKind,
        source: &SourceKind,
    ) -> Result<Option<List>, CaseError> {
        let Some(json) = fields.take(name) else { return Ok(None) };
        self.elements(&json, &|place| place_name(name, place), kind, source).map(Some)
    }

    fn levels(
        &mut self,
        fields: &mut Fields<'_>,
        name: &'static str,
        kind: DocumentKind,
        source: &SourceKind,
    ) -> Result<Vec<List>, CaseError> {
        let Some(json) = fields.take(name) else { return Ok(Vec::new()) };
        let mut levels = Vec::new();
        for (level, json) in json.elements()?.iter().enumerate() {
            let names = |place: usize| format!("{name}/{level}/{place}").into();
            levels.push(self.elements(json, &names, kind, source)?);
        }
        Ok(levels)
    }

    fn elements(
        &mut self,
        json: &Json<'_>,
        names: &dyn Fn(usize) -> Arc<str>,
        kind: DocumentKind,
        source: &SourceKind,
    ) -> Result<List, CaseError> {
        let mut list = List::new();
        for (place, json) in json.elements()?.iter().enumerate() {
            if !json.is_null() {
                list.extend(self.policy(json, kind, Source::new(names(place), source.clone()))?);
            }
        }
        Ok(list)
    }

    /// A policy: an object as it stands, or a string that holds the text.
    fn policy(
        &mut self,
        json: &Json<'_>,
        kind: DocumentKind,
        source: Source,
    ) -> Result<Option<Held>, CaseError> {
        let text = match json.raw() {
            raw if raw.starts_with('"') => json.text()?,
            raw => Cow::Borrowed(raw),
        };
        // RES-9: only what is attached to a resource may leave the resource out.
        let whole = |document: &Document| {
            source.kind != SourceKind::Endpoint
                || document.statements().iter().all(Statement::has_resources)
        };
        if let Some(document) = self.documents.get(&text, kind).filter(whole) {
            return Ok(Some(Held { source, document }));
        }
        self.unreadable.get_or_insert(source);
        Ok(None)
    }
}

/// Whether the policy of the resource is a role's trust policy (TR-1, SES-9).
fn is_trust(action: &str, resource: &str) -> bool {
    let head = |prefix: &str| {
        action.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix))
    };
    head("sts:AssumeRole") || (head("sts:") && is_delegated(action, resource))
}

/// Entities with their unique ids.
fn entities<'j>(json: &Json<'j>) -> Result<Vec<(Cow<'j, str>, UniqueId)>, CaseError> {
    let mut alive: Vec<(Cow<'_, str>, UniqueId)> = Vec::new();
    for (arn, id) in json.members()? {
        let id = id.parsed("an object of ARNs and their unique ids")?;
        if alive.iter().any(|(other, _)| *other == arn) {
            return Err(json.problem(CaseProblem::Twice(arn.into_owned())));
        }
        alive.push((arn, id));
    }
    Ok(alive)
}

/// The policy as it was saved when these entities were alive (PR-12).
fn bind(document: &Document, alive: &[(Cow<'_, str>, UniqueId)]) -> Document {
    let exact = |wanted: &str| alive.iter().find(|(arn, _)| arn == wanted).map(|(_, id)| *id);
    // A session ARN asks for its role without path (PR-11); an entry that names a role does not.
    let named = |wanted: &str| document.principals().any(|entry| entry.text == wanted);
    let by_name = |wanted: &str| {
        let mut roles = alive.iter().filter(|(arn, _)| same_role(arn, wanted));
        roles.next().filter(|_| !named(wanted)).map(|(_, id)| *id)
    };
    document.bind(&|arn| exact(arn).or_else(|| by_name(arn)))
}

fn grants(json: &Json<'_>) -> Result<Vec<Grant>, CaseError> {
    const EXPECTED: &str = "a list of `{grantee, operations}`";
    let json = json.named("grants");
    let mut grants = Vec::new();
    for grant in json.elements().map_err(|_| json.wrong(EXPECTED))? {
        let mut fields = Fields::read(grant, &["grantee", "operations"])?;
        fields.check_names()?;
        let (Some(grantee), Some(operations)) = (fields.take("grantee"), fields.take("operations"))
        else {
            return Err(grant.wrong(EXPECTED));
        };
        let operations = operations.elements()?;
        let operations: Result<Vec<_>, CaseError> = operations.iter().map(Json::text).collect();
        grants.push(Grant::new(&grantee.text()?, operations?.iter().map(AsRef::as_ref)));
    }
    Ok(grants)
}

/// The name of a policy by its place in a list; the first few are made once.
fn place_name(list: &'static str, place: usize) -> Arc<str> {
    static FIRST: LazyLock<Vec<Arc<str>>> =
        LazyLock::new(|| (0..32).map(|n| format!("identityPolicies/{n}").into()).collect());
    match FIRST.get(place).filter(|_| list == "identityPolicies") {
        Some(name) => Arc::clone(name),
        None => format!("{list}/{place}").into(),
    }
}
