//! The same policies compiled, beside others that speak of something else, so that they are found
//! through an index.

use std::sync::LazyLock;

use bailiwick_policy::{
    Applicable, Decision, Document, DocumentKind, Levels, Policies, PolicySet, Request, Source,
    SourceKind, decide,
};

/// Enough statements for an index.
static OTHERS: LazyLock<Option<(Source, Document)>> = LazyLock::new(|| {
    let statement = r#"{"Effect":"Allow","Action":"other:Thing","Resource":"arn:aws:other:::x"}"#;
    let text =
        format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, vec![statement; 16].join(","));
    let document = Document::parse(&text, DocumentKind::Identity).ok()?;
    Some((Source::new("others", SourceKind::UserInline), document))
});

/// Decides with compiled policies.
pub(crate) fn decide_compiled(request: &Request<'_>, applicable: &Applicable<'_>) -> Decision {
    let identity = compile(&applicable.identity);
    let session = applicable.session.as_ref().map(compile);
    let scps: Vec<PolicySet> = applicable.scps.iter().map(|level| compile(&level)).collect();
    let rcps: Vec<PolicySet> = applicable.rcps.iter().map(|level| compile(&level)).collect();
    let compiled = Applicable {
        identity: Policies::Compiled(&identity),
        boundary: applicable.boundary,
        session: session.as_ref().map(Policies::Compiled),
        resource: applicable.resource,
        grants: applicable.grants,
        scps: Levels::Compiled(&scps),
        rcps: Levels::Compiled(&rcps),
        endpoints: applicable.endpoints.iter().copied().collect(),
        unreadable: applicable.unreadable,
    };
    decide(request, &compiled)
}

/// A level without policies stays one.
fn compile(policies: &Policies<'_>) -> PolicySet {
    let own = policies.iter().map(|held| (held.source.clone(), held.document.clone()));
    let others = OTHERS.clone().filter(|_| !policies.is_empty());
    own.chain(others).collect()
}
