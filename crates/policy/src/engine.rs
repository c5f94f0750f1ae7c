//! All policies that bear on a kind of request, compiled to be asked many times.

use crate::{
    Applicable, Attached, Decision, Document, Endpoint, Explanation, Grant, Levels, PolicySet,
    Request, Source, SourceKind, decide, explain,
};

/// Decides requests against one set of policies.
///
/// Made once, asked from any number of threads: a decision takes no lock. It allocates
/// nothing either, but for patterns whose matching would otherwise not be linear, for actions of more
/// than 96 bytes, and for resources of more than twenty segments.
///
/// ```
/// use bailiwick_policy::{Context, Document, DocumentKind, Engine, Principal, Request, keys};
///
/// let text = r#"{"Version": "2012-10-17", "Statement": [{
///     "Effect": "Allow", "Action": "s3:GetObject",
///     "Resource": "arn:aws:s3:::home/${aws:username}/*",
///     "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}]}"#;
/// let engine = Engine::builder()
///     .identity("home", Document::parse(text, DocumentKind::Identity)?)
///     .build();
///
/// let alice = Principal::from_arn("arn:aws:iam::123456789012:user/alice").unwrap();
/// let mut context = Context::new();
/// context.put_principal(&alice);
/// context.put(keys::SOURCE_IP, "10.1.2.3");
/// let ask = |resource| Request {
///     principal: &alice,
///     action: "s3:GetObject",
///     resource,
///     resource_account: None,
///     context: &context,
///     delegated: false,
/// };
/// assert!(engine.decide(&ask("arn:aws:s3:::home/alice/notes")).is_allowed());
///
/// let refused = engine.explain(&ask("arn:aws:s3:::home/bob/notes"));
/// assert_eq!(refused.decision.verdict.as_str(), "implicitDeny");
/// println!("{refused}"); // which statement missed, and by what
/// # Ok::<(), bailiwick_policy::DocumentError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Engine {
    identity: PolicySet,
    boundary: Option<(Source, Document)>,
    session: Option<PolicySet>,
    resource: Option<(Source, Document)>,
    grants: Vec<Grant>,
    scps: Vec<PolicySet>,
    rcps: Vec<PolicySet>,
    endpoints: Vec<(Source, Document, bool)>,
}

/// Gathers the policies of an [`Engine`].
#[derive(Clone, Debug, Default)]
pub struct EngineBuilder {
    identity: Vec<(Source, Document)>,
    boundary: Option<(Source, Document)>,
    session: Option<Vec<(Source, Document)>>,
    resource: Option<(Source, Document)>,
    grants: Vec<Grant>,
    scps: Vec<PolicySet>,
    rcps: Vec<PolicySet>,
    endpoints: Vec<(Source, Document, bool)>,
}

impl Engine {
    /// An engine without policies, which denies all but root.
    pub fn builder() -> EngineBuilder {
        EngineBuilder::default()
    }

    /// Decides a request.
    pub fn decide(&self, request: &Request<'_>) -> Decision {
        decide(request, &self.applicable())
    }

    /// Decides a request and tells why, statement by statement.
    pub fn explain(&self, request: &Request<'_>) -> Explanation {
        explain(request, &self.applicable())
    }

    /// The policies as [`decide`] takes them, to be changed for one request.
    pub fn applicable(&self) -> Applicable<'_> {
        let endpoints = self.endpoints.iter();
        Applicable {
            identity: (&self.identity).into(),
            boundary: self.boundary.as_ref().map(attached),
            session: self.session.as_ref().map(Into::into),
            resource: self.resource.as_ref().map(attached),
            grants: &self.grants,
            scps: Levels::Compiled(&self.scps),
            rcps: Levels::Compiled(&self.rcps),
            endpoints: endpoints
                .map(|(source, document, gateway)| Endpoint {
                    policy: Attached { source, document },
                    gateway: *gateway,
                })
                .collect(),
            unreadable: None,
        }
    }
}

fn attached((source, document): &(Source, Document)) -> Attached<'_> {
    Attached { source, document }
}

impl EngineBuilder {
    /// Adds an identity policy under a name.
    #[must_use]
    pub fn identity(self, name: &str, document: Document) -> Self {
        self.identity_from(Source::new(name, SourceKind::UserInline), document)
    }

    /// Adds an identity policy that comes from somewhere in particular.
    #[must_use]
    pub fn identity_from(mut self, source: Source, document: Document) -> Self {
        self.identity.push((source, document));
        self
    }

    /// Sets the permissions boundary.
    #[must_use]
    pub fn boundary(mut self, name: &str, document: Document) -> Self {
        self.boundary = Some((Source::new(name, SourceKind::Boundary), document));
        self
    }

    /// Adds a session policy.
    #[must_use]
    pub fn session(mut self, name: &str, document: Document) -> Self {
        let source = Source::new(name, SourceKind::SessionInline);
        self.session.get_or_insert_default().push((source, document));
        self
    }

    /// Sets the policy of the resource, or the trust policy of the role.
    #[must_use]
    pub fn resource(mut self, name: &str, document: Document) -> Self {
        let trust = document.kind() == crate::DocumentKind::Trust;
        let kind = if trust { SourceKind::Trust } else { SourceKind::Resource };
        self.resource = Some((Source::new(name, kind), document));
        self
    }

    /// Adds a grant on the KMS key (DLG-5).
    #[must_use]
    pub fn grant(mut self, grant: Grant) -> Self {
        self.grants.push(grant);
        self
    }

    /// Adds a level of service control policies, from the root of the organization down.
    #[must_use]
    pub fn scp_level<'n>(
        mut self,
        policies: impl IntoIterator<Item = (&'n str, Document)>,
    ) -> Self {
        self.scps.push(named(policies, &SourceKind::Scp));
        self
    }

    /// Adds a level of resource control policies, from the root of the organization down.
    #[must_use]
    pub fn rcp_level<'n>(
        mut self,
        policies: impl IntoIterator<Item = (&'n str, Document)>,
    ) -> Self {
        self.rcps.push(named(policies, &SourceKind::Rcp));
        self
    }

    /// Adds the policy of an interface endpoint, or of a gateway endpoint (EP-3).
    #[must_use]
    pub fn endpoint(mut self, name: &str, document: Document, gateway: bool) -> Self {
        self.endpoints.push((Source::new(name, SourceKind::Endpoint), document, gateway));
        self
    }

    /// Compiles what was gathered.
    pub fn build(self) -> Engine {
        Engine {
            identity: PolicySet::new(self.identity),
            boundary: self.boundary,
            session: self.session.map(PolicySet::new),
            resource: self.resource,
            grants: self.grants,
            scps: self.scps,
            rcps: self.rcps,
            endpoints: self.endpoints,
        }
    }
}

fn named<'n>(
    policies: impl IntoIterator<Item = (&'n str, Document)>,
    kind: &SourceKind,
) -> PolicySet {
    let named =
        policies.into_iter().map(|(name, document)| (Source::new(name, kind.clone()), document));
    named.collect()
}
