//! What the engine alone knows: asked of it with policies made for the purpose.

use std::sync::LazyLock;

use bailiwick_catalog::Catalog;
use bailiwick_policy::{
    Applicable, Attached, Context, Document, DocumentKind, Levels, Policies, Principal, Request,
    Source, SourceKind, Statement, Verdict, decide,
};
use serde_json::{Value, json};

/// How exactly an Allow of a resource policy names the caller (section 3 of the rules).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Grade {
    None,
    /// By its account (PR-3).
    Account,
    /// By its role, or the user who made the session (PR-2).
    Parent,
    /// Exactly, or everyone (PR-1).
    Direct,
}

fn parse(policy: &Value, kind: DocumentKind) -> Option<Document> {
    Document::parse(&policy.to_string(), kind).ok()
}

fn everything(effect: &str, kind: DocumentKind) -> Option<Document> {
    let mut statement = json!({"Effect": effect, "Action": "*", "Resource": "*"});
    if kind.has_principal()
        && let Some(statement) = statement.as_object_mut()
    {
        statement.insert("Principal".to_owned(), json!("*"));
    }
    parse(&json!({"Version": "2012-10-17", "Statement": statement}), kind)
}

static SOURCE: LazyLock<Source> = LazyLock::new(|| Source::new("probe", SourceKind::Resource));

fn attached(document: &Document) -> Attached<'_> {
    Attached { source: &SOURCE, document }
}

/// The grade of a statement: it is granted against a boundary and a session that allow nothing
/// else, then without, in the caller's own account, where the account's grade allows nothing.
pub(crate) fn grade_of(document: &Document, statement: &Statement, caller: &Principal) -> Grade {
    if statement.is_not_principal() || !statement.means_caller(caller) {
        return Grade::None;
    }
    if !caller.has_identity() {
        return Grade::Direct;
    }
    let bytes = statement.bytes();
    let text = document.source().get(bytes.start as usize..bytes.end as usize);
    let parsed: Option<Value> = text.and_then(|text| serde_json::from_str(text).ok());
    let principal = parsed.and_then(|mut value| value.get_mut("Principal").map(Value::take));
    let grant = principal.and_then(|principal| {
        let statement = json!({"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject",
            "Resource": "*"});
        let policy = json!({"Version": "2012-10-17", "Statement": statement});
        parse(&policy, DocumentKind::Resource)
    });
    let all = everything("Allow", DocumentKind::Identity);
    let statement = json!({"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"});
    let nothing =
        parse(&json!({"Version": "2012-10-17", "Statement": statement}), DocumentKind::Identity);
    let (Some(grant), Some(all), Some(nothing)) = (grant, all, nothing) else {
        return Grade::Account;
    };
    let allowed = |boundary: &Document, session: &Document| {
        let applicable = Applicable {
            resource: Some(attached(&grant)),
            boundary: Some(attached(boundary)),
            session: Some(std::iter::once(attached(session)).collect()),
            ..Applicable::default()
        };
        probe(caller, "s3:GetObject", &applicable) == Verdict::Allow
    };
    if allowed(&nothing, &nothing) {
        Grade::Direct
    } else if allowed(&all, &all) {
        // For root there is no difference (ROOT-1).
        Grade::Parent
    } else {
        Grade::Account
    }
}

fn probe(caller: &Principal, action: &str, applicable: &Applicable<'_>) -> Verdict {
    let mut context = Context::new();
    context.put_principal(caller);
    let request = Request {
        principal: caller,
        action,
        resource: "arn:aws:s3:::example/key",
        resource_account: None,
        context: &context,
        delegated: false,
    };
    decide(&request, applicable).verdict
}

/// The services that RCPs govern, as patterns of actions (RCP-4).
pub(crate) fn governed() -> &'static [String] {
    static GOVERNED: LazyLock<Vec<String>> = LazyLock::new(|| {
        let (Some(deny), Some(caller)) = (
            everything("Deny", DocumentKind::Resource),
            Principal::from_arn("arn:aws:iam::123456789012:user/example"),
        ) else {
            return Vec::new();
        };
        let level: Policies<'_> = std::iter::once(attached(&deny)).collect();
        let applicable = Applicable {
            rcps: std::iter::once(level).collect::<Levels<'_>>(),
            ..Applicable::default()
        };
        let services = Catalog::embedded().services().map(|service| service.prefix().to_owned());
        services
            .map(|prefix| format!("{}:*", prefix.to_ascii_lowercase()))
            .filter(|action| probe(&caller, action, &applicable) == Verdict::ExplicitDeny)
            .collect()
    });
    &GOVERNED
}
