//! The caller of a case: an ARN, a host name, or null.
//!
//! What the ARN does not say comes from the context, where AWS tells it too: unique ids from
//! `aws:userid`, a role's path from `aws:PrincipalArn`, a service's further names from
//! `aws:PrincipalServiceNamesList` (PR-16). An id that is not told is unknown and means nobody.

use std::sync::Arc;

use bailiwick_identifiers::{IdKind, UniqueId};

use super::CaseError;
use super::fields::{Fields, Json};
use crate::{Context, Principal};

const EXPECTED: &str = "the ARN of a root user, user, role, session, federated user or provider, \
                        the host name of a service or provider, or null";

/// Reads the principal of a request.
pub(super) fn read(request: &mut Fields<'_>, context: &Context) -> Result<Principal, CaseError> {
    let json = request.take_with_null("principal").ok_or_else(|| request.lacks("principal"))?;
    if json.is_null() {
        return Ok(Principal::Anonymous);
    }
    let text = json.non_empty(EXPECTED)?;
    if !text.starts_with("arn:") {
        return host(&text, context).ok_or_else(|| json.wrong(EXPECTED));
    }
    let principal = arn(&text, context).ok_or_else(|| json.wrong(EXPECTED))?;
    told(principal, request)
}

/// A service, or the built-in provider of a federation call (TR-6).
fn host(text: &str, context: &Context) -> Option<Principal> {
    let label = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    if !text.contains('.') || !text.split('.').all(label) {
        return None;
    }
    if !text.ends_with(".amazonaws.com") && !text.ends_with(".amazonaws.com.cn") {
        return Some(Principal::Federated { provider: text.into() });
    }
    let further = context.values("aws:PrincipalServiceNamesList").filter(|name| *name != text);
    let names: Vec<Arc<str>> = std::iter::once(text).chain(further).map(Into::into).collect();
    Some(Principal::Service { names: names.into() })
}

fn arn(text: &str, context: &Context) -> Option<Principal> {
    let mut principal = Principal::from_arn(text)?;
    let user_id = single(context, "aws:userid");
    match &mut principal {
        Principal::User { id, .. } => *id = told_id(user_id, IdKind::User),
        Principal::Role { id, .. } => *id = told_id(user_id, IdKind::Role),
        Principal::Session { role_arn, role_id, .. } => {
            let id = user_id.and_then(|id| id.split_once(':')).map(|(id, _)| id);
            *role_id = told_id(id, IdKind::Role);
            let told = single(context, "aws:PrincipalArn").filter(|arn| same_role(arn, role_arn));
            if let Some(told) = told {
                *role_arn = told.into();
            }
        }
        _ => {}
    }
    Some(principal)
}

/// Puts in what the request tells beyond the plain form: `roleArn` of a session, `userArn` and
/// `userId` of a federated user.
fn told(mut principal: Principal, request: &mut Fields<'_>) -> Result<Principal, CaseError> {
    if let Some(json) = request.take("roleArn") {
        let told = json.text()?;
        match &mut principal {
            Principal::Session { role_arn, role_name, account, session_arn, .. } => {
                let partition = session_arn.split(':').nth(1).unwrap_or_default();
                let plain = format!("arn:{partition}:iam::{account}:role/{role_name}");
                if !same_role(&told, &plain) {
                    return Err(json.wrong("the ARN of the session's role"));
                }
                *role_arn = (*told).into();
            }
            _ => return Err(json.wrong("there for sessions of a role only")),
        }
    }
    if let Some(json) = request.take("userArn") {
        let told = json.text()?;
        match &mut principal {
            Principal::FederatedUser { user_arn, .. } => *user_arn = (*told).into(),
            _ => return Err(json.wrong("there for federated users only")),
        }
    }
    if let Some(json) = request.take("userId") {
        let told = maker_id(&json)?;
        match &mut principal {
            Principal::FederatedUser { user_id, .. } => *user_id = Some(told),
            _ => return Err(json.wrong("there for federated users only")),
        }
    }
    Ok(principal)
}

fn maker_id(json: &Json<'_>) -> Result<UniqueId, CaseError> {
    json.parsed("a unique id")
}

/// Whether an ARN is that of a role, with or without path, whose ARN without path is the other.
pub(super) fn same_role(arn: &str, plain: &str) -> bool {
    let Some((head, name)) = plain.rsplit_once('/') else { return false };
    let rest = arn.strip_prefix(head).and_then(|rest| rest.strip_prefix('/'));
    rest.is_some_and(|rest| rest.rsplit('/').next() == Some(name))
}

/// The only value of a key.
fn single<'c>(context: &'c Context, key: &str) -> Option<&'c str> {
    let mut values = context.values(key);
    let first = values.next()?;
    values.next().is_none().then_some(first)
}

/// The id of this kind that a text is, or an unknown one.
fn told_id(text: Option<&str>, kind: IdKind) -> UniqueId {
    let parsed = text.and_then(|text| text.parse().ok());
    parsed.filter(|id: &UniqueId| id.kind() == kind).unwrap_or_else(|| UniqueId::unknown(kind))
}
