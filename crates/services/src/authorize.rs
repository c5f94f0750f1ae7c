//! May they? Each ask of an operation becomes one decision of the engine; all must allow (IN-3).
//!
//! The explanation of every decision is kept with the call's event, whatever the verdict: it comes
//! from the same walk, and `bailiwick why` shows it.

use std::sync::{Arc, LazyLock};

use bailiwick_catalog::TIME_OF_DAY;
use bailiwick_identifiers::Arn;
use bailiwick_model::{Effective, Found};
use bailiwick_policy::simulate::{AuthorizationMessage, authorization_message};
use bailiwick_policy::{
    Attached, Context, Credentials, Decision, Document, DocumentKind, Explanation, Principal,
    Refusal, Source, SourceKind, refusal,
};
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::ask::{Ask, Trust, Values};
use crate::call::Call;
use crate::caller::{Caller, Identity};
use crate::fault::Fault;
use crate::foreign;
use crate::session::{Claims, Forward, Subject};

/// What came of the asks of a call.
pub(crate) struct Decided {
    /// The refusal, if one of the asks was not allowed; the rest were not put then.
    pub(crate) refused: Option<Fault>,
    /// The explanations as JSON texts, one an ask.
    pub(crate) explanations: Vec<String>,
}

/// Puts the asks to the engine, in order, up to the first that is not allowed.
pub(crate) fn authorize(call: &Call<'_>, asks: &[Ask]) -> Decided {
    let principal = principal(call);
    let effective = effective(call);
    let base = context(call, &principal);
    let mut explanations = Vec::with_capacity(asks.len());
    for ask in asks {
        if let Some(fault) = refused_by_rule(call.caller(), &principal, &ask.action) {
            let explanation = serde_json::json!({
                "action": ask.action,
                "resource": ask.resource,
                "principal": call.caller().arn().as_str(),
                "decision": "explicitDeny",
                "rule": fault.message(),
            });
            explanations.push(explanation.to_string());
            return Decided { refused: Some(fault), explanations };
        }
        let context = with_ask(base.clone(), ask);
        let foreign = ask.owner != call.caller().account;
        let (decision, explanation) = decide(&principal, &effective, ask, &context, foreign);
        explanations.push(explanation);
        metrics::counter!("bailiwick_decisions_total", "verdict" => decision.verdict.as_str())
            .increment(1);
        if !decision.is_allowed() {
            let message = denial(call, ask, &decision);
            return Decided { refused: Some(Fault::access_denied(message)), explanations };
        }
    }
    Decided { refused: None, explanations }
}

fn decide(
    principal: &Principal,
    effective: &Effective,
    ask: &Ask,
    context: &Context,
    foreign: bool,
) -> (Decision, String) {
    let source = trust_source(ask.trust.as_ref());
    let mut applicable = effective.applicable();
    match (&ask.trust, &source) {
        (Some(Trust { document: Some(document), .. }), Some(source)) => {
            applicable.resource = Some(Attached { source, document });
        }
        (Some(Trust { document: None, .. }), Some(source)) => {
            applicable.unreadable = Some(source);
        }
        _ => {}
    }
    let request = bailiwick_policy::Request {
        principal,
        action: &ask.action,
        resource: &ask.resource,
        resource_account: Some(ask.owner),
        context,
        delegated: ask.trust.is_some(),
    };
    let mut explanation = bailiwick_policy::record(&request, &applicable);
    if foreign {
        foreign::hide(&mut explanation, &applicable);
    }
    let text = if explanation.decision.is_allowed() {
        serde_json::to_string(&explanation)
    } else {
        let mut message = authorization_message(&explanation, &applicable, context);
        if foreign {
            foreign::hide_tags(&mut message);
        }
        serde_json::to_string(&Denied { explanation: &explanation, message })
    };
    (explanation.decision, text.unwrap_or_else(|_| "null".into()))
}

/// A denial as it is kept: with what DecodeAuthorizationMessage tells of it.
#[derive(Serialize)]
struct Denied<'a> {
    #[serde(flatten)]
    explanation: &'a Explanation,
    message: AuthorizationMessage,
}

fn trust_source(trust: Option<&Trust>) -> Option<Source> {
    trust.map(|trust| Source::new(trust.role.as_str(), SourceKind::Trust))
}

fn denial(call: &Call<'_>, ask: &Ask, decision: &Decision) -> String {
    let resource = ask.reported.as_deref().unwrap_or(&ask.resource);
    let same_account = ask.owner == call.caller().account;
    let text =
        decision.denial_message(call.caller().arn().as_str(), &ask.action, resource, same_account);
    format!("{text} (decision {})", call.origin().decision_id)
}

/// The operations of STS that a forward access session may call; all others issue credentials.
const ISSUES_NOTHING: &[&str] =
    &["DecodeAuthorizationMessage", "GetAccessKeyInfo", "GetCallerIdentity"];

/// Refusals of the services themselves, whatever the policies say (SES-8, ROOT-7).
fn refused_by_rule(caller: &Caller, principal: &Principal, action: &str) -> Option<Fault> {
    // What a service may do for minutes, under its mark, is not to become a session of hours
    // without one (threat B04).
    if caller.forward().is_some()
        && let Some(("sts", name)) = action.split_once(':')
        && !ISSUES_NOTHING.contains(&name)
    {
        return Some(Fault::access_denied(format!(
            "Cannot call {name} with the credentials of a forward access session"
        )));
    }
    let credentials = match (&caller.identity, &caller.claims) {
        (Identity::Role(..), _) => Credentials::Role,
        (Identity::Federated(..), _) => Credentials::FederationToken { console: false },
        (_, None) => Credentials::LongTerm,
        (_, Some(claims)) if !claims.has_session_keys() => Credentials::LongTerm,
        // Sessions of the console may call IAM without a second factor, and issue no sessions of
        // their own user, as those of roles.
        (_, Some(claims)) if claims.console.is_some() => Credentials::Role,
        (_, Some(claims)) => Credentials::SessionToken { mfa: claims.mfa.is_some() },
    };
    match refusal(credentials, principal, action)? {
        refusal @ Refusal::RootAssumesRole => Some(Fault::access_denied(refusal.to_string())),
        Refusal::Credentials => match action.split_once(':') {
            Some(("sts", name)) => {
                Some(Fault::access_denied(format!("Cannot call {name} with session credentials")))
            }
            // *Observed*: IAM does not take such a token at all.
            _ => Some(Fault::common(
                "InvalidClientTokenId",
                403,
                "The security token included in the request is invalid",
            )),
        },
    }
}

fn principal(call: &Call<'_>) -> Principal {
    let (caller, account) = (call.caller(), call.account());
    match &caller.identity {
        Identity::Root => {
            Principal::Root { partition: account.partition(), account: caller.account }
        }
        Identity::User(user) => Principal::User {
            arn: shared(caller.arn()),
            id: user.id,
            account: caller.account,
            name: user.name.as_str().into(),
        },
        Identity::Role(role, session) => Principal::Session {
            role_arn: shared(&account.role_arn(role)),
            role_id: role.id,
            role_name: role.name.as_str().into(),
            session_name: session.as_str().into(),
            account: caller.account,
            session_arn: shared(caller.arn()),
        },
        Identity::Federated(user, name) => Principal::FederatedUser {
            arn: shared(caller.arn()),
            name: name.as_str().into(),
            account: caller.account,
            user_arn: match user {
                Some(user) => shared(&account.user_arn(user)),
                None => shared(&account.root_arn()),
            },
            user_id: user.as_ref().map(|user| user.id),
        },
    }
}

fn shared(arn: &Arn) -> Arc<str> {
    arn.as_str().into()
}

/// The policies that bear on the caller.
fn effective(call: &Call<'_>) -> Effective {
    let (account, managed) = (call.account(), call.node().managed());
    let mut effective = match &call.caller().identity {
        Identity::Root => Effective::default(),
        Identity::User(user) => {
            let mut found = Effective::of_user(account, managed, user.id);
            let policy = account.settings().password_policy.as_ref();
            if policy.is_some_and(|policy| policy.allow_change) {
                found.identity.extend(password_change());
            }
            found
        }
        Identity::Role(role, _) => Effective::of_role(account, managed, role.id),
        // SES-6: at most what its maker has.
        Identity::Federated(Some(user), _) => Effective::of_user(account, managed, user.id),
        Identity::Federated(None, _) => rights_of_root(),
    };
    if let Some(claims) = &call.caller().claims {
        let inline = claims.policy.clone().map(Into::into);
        effective.limit_session(account, managed, inline.as_ref(), &claims.policy_arns);
    }
    effective
}

/// What the account's password policy allows every user. ChangePassword is about the caller alone,
/// so the resource need not say so. Source: IAM user guide, letting users change their own password.
fn password_change() -> Option<Found> {
    static GRANT: LazyLock<Option<Arc<Document>>> = LazyLock::new(|| {
        let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["iam:ChangePassword","iam:GetAccountPasswordPolicy"],"Resource":"*"}}"#;
        Document::parse(text, DocumentKind::Identity).ok().map(Arc::new)
    });
    let source = Source::new("account password policy", SourceKind::UserInline);
    GRANT.clone().map(|document| Found { source, document })
}

/// The rights of a session that root made: root has no policies and may do everything (ROOT-1), so
/// that its session policies alone decide.
fn rights_of_root() -> Effective {
    static ALL: LazyLock<Option<Arc<Document>>> = LazyLock::new(|| {
        let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
        Document::parse(text, DocumentKind::Identity).ok().map(Arc::new)
    });
    let source = Source::new("root", SourceKind::UserInline);
    let found = ALL.clone().map(|document| Found { source, document });
    Effective { identity: found.into_iter().collect(), ..Effective::default() }
}

/// The context keys that the server knows of every call (KEY-1 to KEY-5). Nothing in it comes from
/// a header or parameter but `aws:UserAgent` and `aws:Referer`, which are what they are (threat C05).
fn context(call: &Call<'_>, principal: &Principal) -> Context {
    let (origin, caller) = (call.origin(), call.caller());
    let mut context = Context::with_capacity(24);
    context.put_principal(principal);
    // EV-10: the address of the caller, not that of the service.
    let told = caller.forward().and_then(|forward| forward.source_ip);
    context.put("aws:SourceIp", &told.unwrap_or(origin.peer.address).to_string());
    context.put("aws:SecureTransport", boolean(origin.peer.secure));
    context.put("aws:CurrentTime", &bailiwick_wire::time::write_iso(origin.now));
    context.put("aws:EpochTime", &origin.now.as_second().to_string());
    context.put(TIME_OF_DAY, &time_of_day(call));
    context.put("aws:RequestedRegion", &origin.region);
    if let Some(forward) = caller.forward() {
        put_forward(&mut context, forward);
    } else {
        context.put("aws:ViaAWSService", "false");
        if let Some(agent) = &origin.user_agent {
            context.put("aws:UserAgent", agent);
        }
        if let Some(referer) = &origin.referer {
            context.put("aws:Referer", referer);
        }
    }
    match &caller.identity {
        Identity::Root | Identity::Federated(None, _) => {}
        Identity::User(user) | Identity::Federated(Some(user), _) => {
            for tag in &user.tags {
                context.put(&format!("aws:PrincipalTag/{}", tag.key), tag.value.as_str());
            }
        }
        Identity::Role(role, _) => {
            for tag in &role.tags {
                context.put(&format!("aws:PrincipalTag/{}", tag.key), tag.value.as_str());
            }
        }
    }
    if let Some(claims) = &caller.claims {
        put_session(&mut context, claims, origin.now.as_second());
    }
    context
}

/// The local time as six digits, which the numeric operators compare exactly.
fn time_of_day(call: &Call<'_>) -> String {
    let utc = TimeZone::UTC;
    let zone = call.node().settings().time_zone.as_ref().unwrap_or(&utc);
    let local = zone.to_datetime(call.now());
    format!("{:02}{:02}{:02}", local.hour(), local.minute(), local.second())
}

/// The keys of a call that services make on the caller's behalf (EV-10, KEY-5). The user agent is
/// the service's, and there is no referer.
fn put_forward(context: &mut Context, forward: &Forward) {
    context.put("aws:ViaAWSService", "true");
    context.put_multivalued("aws:CalledVia", forward.services.iter().map(String::as_str));
    if let Some(first) = forward.services.first() {
        context.put("aws:CalledViaFirst", first);
    }
    context.put("aws:CalledViaLast", forward.last());
    context.put("aws:UserAgent", forward.last());
}

fn put_session(context: &mut Context, claims: &Claims, now: i64) {
    // Session tags override those of the role (SES-9).
    for (key, value) in &claims.tags {
        context.put(&format!("aws:PrincipalTag/{key}"), value);
    }
    if claims.has_session_keys() {
        context.put("aws:TokenIssueTime", &bailiwick_wire::time::write_iso(claims.issued));
        // KEY-12: a role's session has no factor, though its trust policy and the trail saw one.
        let factor = claims.mfa.filter(|_| !matches!(claims.subject, Subject::Role { .. }));
        context.put("aws:MultiFactorAuthPresent", boolean(factor.is_some()));
        if let Some(at) = factor {
            context.put("aws:MultiFactorAuthAge", &now.saturating_sub(at.as_second()).to_string());
        }
    }
    if let Some(identity) = &claims.source_identity {
        context.put("aws:SourceIdentity", identity);
    }
}

fn with_ask(mut context: Context, ask: &Ask) -> Context {
    context.put("aws:ResourceAccount", &ask.owner.to_string());
    for (key, values) in &ask.context {
        match values {
            Values::One(value) => context.put(key, value),
            Values::Many(values) => {
                context.put_multivalued(key, values.iter().map(String::as_str));
            }
        }
    }
    context
}

const fn boolean(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}
