//! Runs the decision vectors in `corpus/decisions`: policies, request, verdict and reason.
//!
//! A vector's principal is an ARN, `anonymous`, or an object with `arn` and what the ARN does not
//! say (`id`, `roleArn`, `userArn`), or `service` or `federated`. Every vector is decided and
//! explained, and both must agree.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::LazyLock;

use bailiwick_identifiers::{AccountId, Partition, UniqueId};
use bailiwick_policy::{
    Applicable, Attached, Context, Decision, Document, DocumentKind, Endpoint, Principal,
    RECORDED_WHOLE, Reason, Request, Source, SourceKind, decide, explain, record,
};
use serde_json::Value;

#[test]
fn every_vector_is_decided_as_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/decisions");
    let mut count = 0;
    let mut failures = Vec::new();
    let mut ids = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let vectors: Vec<Value> = serde_json::from_str(&text).unwrap();
        for vector in &vectors {
            count += 1;
            let id = vector["id"].as_str().expect("a vector has an id").to_owned();
            assert!(ids.insert(id.clone(), file.clone()).is_none(), "two vectors named {id}");
            assert!(vector["rules"].as_array().is_some_and(|r| !r.is_empty()), "{id}: no rules");
            assert!(vector["evidence"].is_string(), "{id}: no evidence");
            if let Err(failure) = run(vector) {
                failures.push(format!("{file}: {id}: {failure}"));
            }
        }
    }
    assert!(count > 400, "only {count} vectors were found");
    assert!(failures.is_empty(), "{} of {count}:\n{}", failures.len(), failures.join("\n"));
}

fn run(vector: &Value) -> Result<(), String> {
    let request = &vector["request"];
    let principal = principal(&request["principal"]);
    let context = context(&request["context"]);
    let action = request["action"].as_str().unwrap();
    let delegated = ["sts:AssumeRole", "kms:"].iter().any(|p| action.starts_with(p));
    let resource = &request["resource"];
    let asked = Request {
        principal: &principal,
        action,
        resource: resource.as_str().unwrap_or("*"),
        resource_account: request["resourceAccount"].as_str().map(|id| id.parse().unwrap()),
        context: &context,
        delegated: vector["delegated"].as_bool().unwrap_or(delegated),
    };

    let policies = Policies::read(vector)?;
    let attached = |(source, document): &'_ (Source, Document)| Attached {
        // The vectors live as long as the test; leaking spares a second set of lifetimes.
        source: Box::leak(Box::new(source.clone())),
        document: Box::leak(Box::new(document.clone())),
    };
    let level = |level: &Vec<(Source, Document)>| level.iter().map(attached).collect();
    let applicable = Applicable {
        identity: policies.identity.iter().map(attached).collect(),
        boundary: policies.boundary.as_ref().map(attached),
        session: policies.session.as_ref().map(|list| list.iter().map(attached).collect()),
        resource: policies.resource.as_ref().map(attached),
        scps: policies.scps.iter().map(level).collect(),
        rcps: policies.rcps.iter().map(level).collect(),
        endpoint: policies.endpoint.as_ref().map(|policy| Endpoint {
            policy: attached(policy),
            gateway: vector["gateway"].as_bool().unwrap_or(false),
        }),
        unreadable: policies.unreadable.as_ref(),
    };

    let decision = decide(&asked, &applicable);
    let explanation = explain(&asked, &applicable);
    if explanation.decision != decision {
        return Err(format!("explained otherwise: {decision:?}\n{explanation}"));
    }
    if record(&asked, &applicable).decision != decision {
        return Err(format!("recorded otherwise than {decision:?}"));
    }
    padded(&asked, &applicable, &decision)?;
    let found = decision.verdict.as_str();
    let reason = reason(&decision);
    let expected = &vector["expect"];
    let fits = Some(found) == expected["decision"].as_str()
        && expected["reason"].as_str().is_none_or(|expected| expected == reason);
    if fits {
        Ok(())
    } else {
        Err(format!("found {found}, {reason}, expected {expected}\n{explanation}"))
    }
}

/// The kind of policy that ended the decision.
fn reason(decision: &Decision) -> String {
    let kind = match &decision.reason {
        Reason::Allowed { by } => by,
        Reason::ExplicitDeny { kind, .. } | Reason::MissingAllow { kind } => kind,
        Reason::NoPermissionNeeded => return "no-permission-needed".to_owned(),
        Reason::EvaluationError { .. } => return "evaluation-error".to_owned(),
    };
    serde_json::to_value(kind).unwrap().as_str().unwrap().to_owned()
}

#[derive(Default)]
struct Policies {
    identity: Vec<(Source, Document)>,
    boundary: Option<(Source, Document)>,
    session: Option<Vec<(Source, Document)>>,
    resource: Option<(Source, Document)>,
    scps: Vec<Vec<(Source, Document)>>,
    rcps: Vec<Vec<(Source, Document)>>,
    endpoint: Option<(Source, Document)>,
    unreadable: Option<Source>,
}

impl Policies {
    fn read(vector: &Value) -> Result<Self, String> {
        let mut out = Self::default();
        let mut read = |value: &Value, name: &str, kind, source| {
            let source = Source::new(name, source);
            let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
            match Document::parse(&text, kind) {
                Ok(document) => Ok(Some((source, document))),
                Err(_) if vector["unreadable"] == true => {
                    out.unreadable = Some(source);
                    Ok(None)
                }
                Err(error) => Err(format!("{name}: {error}")),
            }
        };
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let mut all = |value: &Value, name: &str, kind, source: SourceKind| {
            let policies = list(value);
            let found = policies.iter().map(|value| read(value, name, kind, source.clone()));
            found.filter_map(Result::transpose).collect::<Result<Vec<_>, String>>()
        };
        let identity = all(
            &vector["identityPolicies"],
            "identity",
            DocumentKind::Identity,
            SourceKind::UserInline,
        )?;
        let one = |value: &Value| {
            if value.is_null() { Value::Null } else { Value::from(vec![value.clone()]) }
        };
        let boundary = all(
            &one(&vector["permissionsBoundary"]),
            "boundary",
            DocumentKind::Boundary,
            SourceKind::Boundary,
        )?;
        let session = all(
            &vector["sessionPolicies"],
            "session",
            DocumentKind::Session,
            SourceKind::SessionInline,
        )?;
        let action = vector["request"]["action"].as_str().unwrap_or_default();
        let (kind, source) = if action.starts_with("sts:AssumeRole") {
            (DocumentKind::Trust, SourceKind::Trust)
        } else {
            (DocumentKind::Resource, SourceKind::Resource)
        };
        let resource = all(&one(&vector["resourcePolicy"]), "resource", kind, source)?;
        let endpoint = all(
            &vector["endpointPolicies"],
            "endpoint",
            DocumentKind::Resource,
            SourceKind::Endpoint,
        )?;
        let mut levels = |value: &Value, kind, source: SourceKind| {
            list(value).iter().map(|level| all(level, "level", kind, source.clone())).collect()
        };
        let scps: Result<_, String> =
            levels(&vector["scps"], DocumentKind::ServiceControl, SourceKind::Scp);
        let rcps: Result<_, String> =
            levels(&vector["rcps"], DocumentKind::ResourceControl, SourceKind::Rcp);
        (out.scps, out.rcps) = (scps?, rcps?);
        out.identity = identity;
        out.boundary = boundary.into_iter().next();
        out.session = vector["sessionPolicies"].is_array().then_some(session);
        out.resource = resource.into_iter().next();
        if let (Some((_, document)), Some(ids)) = (&mut out.resource, vector["bind"].as_object()) {
            *document = document.bind(&|arn| ids.get(arn)?.as_str()?.parse().ok());
        }
        out.endpoint = endpoint.into_iter().next();
        Ok(out)
    }
}

fn context(value: &Value) -> Context {
    let mut context = Context::new();
    for (key, value) in value.as_object().into_iter().flatten() {
        match value {
            Value::Array(values) => {
                context.put_list(key, values.iter().map(|value| value.as_str().unwrap()));
            }
            value => context.put(key, value.as_str().unwrap()),
        }
    }
    context
}

fn principal(value: &Value) -> Principal {
    let text = |name: &str| value[name].as_str().map(Arc::<str>::from);
    if let Some(names) = value["service"].as_array() {
        let names = names.iter().map(|name| Arc::from(name.as_str().unwrap())).collect();
        return Principal::Service { names };
    }
    if let Some(provider) = text("federated") {
        return Principal::Federated { provider };
    }
    let arn: Arc<str> = value.as_str().map(Into::into).or_else(|| text("arn")).unwrap();
    if &*arn == "anonymous" {
        return Principal::Anonymous;
    }
    let fields: Vec<&str> = arn.splitn(6, ':').collect();
    let account: AccountId = fields[4].parse().unwrap();
    let partition: Partition = fields[1].parse().unwrap();
    let id = |prefix: &str| -> UniqueId {
        let given = value["id"].as_str().map(ToOwned::to_owned);
        given.unwrap_or_else(|| format!("{prefix}AAAAAAAAAAAAAAAAA")).parse().unwrap()
    };
    let parts: Vec<&str> = fields[5].split('/').collect();
    let name: Arc<str> = (*parts.last().unwrap()).into();
    match parts[0] {
        "root" => Principal::Root { partition, account },
        "user" => Principal::User { id: id("AIDA"), account, name, arn },
        "role" => Principal::Role { id: id("AROA"), account, name, arn },
        "assumed-role" => Principal::Session {
            role_arn: text("roleArn").unwrap_or_else(|| {
                format!("arn:{partition}:iam::{account}:role/{}", parts[1]).into()
            }),
            role_id: id("AROA"),
            role_name: parts[1].into(),
            session_name: name,
            account,
            session_arn: arn,
        },
        "federated-user" => Principal::FederatedUser {
            user_arn: text("userArn")
                .unwrap_or_else(|| format!("arn:{partition}:iam::{account}:user/maker").into()),
            user_id: Some(id("AIDA")),
            account,
            name,
            arn,
        },
        other => panic!("no principal: {other}"),
    }
}

/// A large policy that speaks of an action nobody asks for.
static PADDING: LazyLock<(Source, Document)> = LazyLock::new(|| {
    let statement = r#"{"Effect":"Allow","Action":"padding:Nothing","Resource":"*"}"#;
    let statements = vec![statement; RECORDED_WHOLE + 1].join(",");
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    let document = Document::parse(&text, DocumentKind::Identity).unwrap();
    (Source::new("padding", SourceKind::UserInline), document)
});

/// The same decision beside that policy: recorded without its statements, with the same verdict
/// and reason.
fn padded(
    asked: &Request<'_>,
    applicable: &Applicable<'_>,
    decision: &Decision,
) -> Result<(), String> {
    let (source, document) = &*PADDING;
    let mut padded = applicable.clone();
    padded.identity.push(Attached { source, document });
    let recorded = record(asked, &padded);
    if recorded.decision != *decision {
        return Err(format!("recorded otherwise than {decision:?} beside other statements"));
    }
    let policies = recorded.layers.iter().flat_map(|layer| &layer.policies);
    let mut padding = policies.filter(|policy| &*policy.source.id == "padding");
    match padding.find(|policy| !policy.statements.is_empty() || policy.omitted == 0) {
        Some(policy) => Err(format!("recorded {} needless statements", policy.statements.len())),
        None => Ok(()),
    }
}
