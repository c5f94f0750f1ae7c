//! The principals of trust policies: what they may be, and which entities they name (PR-9, PR-12).
//!
//! Entities of the accounts of this server must exist, and are bound by unique id, so that a later
//! entity of the same name gets nothing (threat C11). Accounts elsewhere cannot be asked: their
//! users and roles are taken as text, and match nobody.

use bailiwick_identifiers::{AccountId, Arn, IdKind, UniqueId};
use bailiwick_model::{Account, Binding, TrustText};
use bailiwick_policy::{Document, Position, PrincipalText, PrincipalType};

use crate::call::Call;
use crate::fault::Fault;

/// What the principals of a trust policy name, or `MalformedPolicyDocument` for the first one that
/// is none.
pub(super) fn bindings(call: &Call<'_>, document: &Document) -> Result<Vec<Binding>, Fault> {
    let mut bindings: Vec<Binding> = Vec::new();
    for principal in document.principals() {
        match principal.kind {
            PrincipalType::Bare | PrincipalType::Aws => {
                let named =
                    aws(call, principal.text).map_err(|Unknown| invalid("AWS", &principal))?;
                bindings.extend(named.filter(|named| !bindings.contains(named)));
            }
            PrincipalType::Service if is_service(principal.text) => {}
            PrincipalType::Service => return Err(invalid("SERVICE", &principal)),
            PrincipalType::Federated if is_provider(call, principal.text) => {}
            PrincipalType::Federated => {
                let text = "Federated principals must be valid domain names or SAML metadata ARNs";
                return Err(refused(text, &principal));
            }
            PrincipalType::CanonicalUser => return Err(invalid("CANONICALUSER", &principal)),
        }
    }
    Ok(bindings)
}

/// AWS's words (*observed*).
fn invalid(kind: &str, principal: &PrincipalText<'_>) -> Fault {
    let text = format!("Invalid principal in policy: \"{kind}\":\"{}\"", principal.text);
    refused(&text, principal)
}

/// The fault with the place, which AWS does not tell.
fn refused(text: &str, principal: &PrincipalText<'_>) -> Fault {
    let Position { line, column } = principal.position;
    let place = format!(
        "(line {line}, column {column}: the principal is of no known form, or does not exist)"
    );
    Fault::new("MalformedPolicyDocument", format!("{text} {place}"))
}

/// The principal is of no known form, or names nobody.
struct Unknown;

/// What an `AWS` principal is bound to: nothing for `*`, accounts, unique ids (which bind
/// themselves, PR-13), federated users, and entities of accounts that live elsewhere.
fn aws(call: &Call<'_>, text: &str) -> Result<Option<Binding>, Unknown> {
    if text == "*" || text.parse::<AccountId>().is_ok() {
        return Ok(None);
    }
    if let Ok(id) = text.parse::<UniqueId>() {
        return if lives(call, &id) { Ok(None) } else { Err(Unknown) };
    }
    let arn: Arn = text.parse().map_err(|_| Unknown)?;
    let account = arn.account_id().ok_or(Unknown)?;
    if arn.partition() != call.partition().as_str() || !arn.region().is_empty() {
        return Err(Unknown);
    }
    let named = named_by(&arn).ok_or(Unknown)?;
    if matches!(named, Named::Account | Named::FederatedUser) {
        return Ok(None);
    }
    // An account that is not on this server cannot be asked; the ARN stays text, and an unbound
    // ARN matches nobody.
    let found = in_account(call, account, |account| found(account, &arn, &named));
    match found {
        None => Ok(None),
        Some(None) => Err(Unknown),
        Some(Some(id)) => Ok(Some(Binding { arn: bound_as(call, account, &arn, &named), id })),
    }
}

/// The ARN under which a principal is bound: its own, and for a session that of its role as if it
/// had no path, as [`Document::bind`] asks for it.
fn bound_as(call: &Call<'_>, account: AccountId, arn: &Arn, named: &Named<'_>) -> Arn {
    match named {
        Named::Session { role } => Arn::iam(call.partition(), account, &format!("role/{role}")),
        _ => arn.clone(),
    }
}

/// What the ARN of a principal names.
enum Named<'a> {
    Account,
    User(&'a str),
    Role(&'a str),
    Session { role: &'a str },
    FederatedUser,
}

fn named_by(arn: &Arn) -> Option<Named<'_>> {
    let resource = arn.resource();
    if resource.contains(['*', '?', '$']) {
        // PR-7: part of a principal may not be a wildcard.
        return None;
    }
    let last = |path: &'_ str| path.rsplit('/').next().is_some_and(|name| !name.is_empty());
    let name = |path: &'static str| {
        resource
            .strip_prefix(path)
            .filter(|rest| last(rest))
            .and_then(|rest| rest.rsplit('/').next())
    };
    match arn.service() {
        "iam" if resource == "root" => Some(Named::Account),
        "iam" => name("user/").map(Named::User).or_else(|| name("role/").map(Named::Role)),
        "sts" => match resource.split('/').collect::<Vec<_>>().as_slice() {
            ["assumed-role", role, session] if !role.is_empty() && !session.is_empty() => {
                Some(Named::Session { role })
            }
            ["federated-user", name] if !name.is_empty() => Some(Named::FederatedUser),
            _ => None,
        },
        _ => None,
    }
}

/// The user or role that an ARN names in its account, if there is one.
fn found(account: &Account, arn: &Arn, named: &Named<'_>) -> Option<UniqueId> {
    match named {
        Named::Account | Named::FederatedUser => None,
        // PR-10: path and case count.
        Named::User(name) => account
            .user_named(name)
            .filter(|user| account.user_arn(user) == *arn)
            .map(|user| user.id),
        Named::Role(name) => account
            .role_named(name)
            .filter(|role| account.role_arn(role) == *arn)
            .map(|role| role.id),
        // PR-11: a session's ARN has no path.
        Named::Session { role: name } => {
            account.role_named(name).filter(|role| role.name.as_str() == *name).map(|role| role.id)
        }
    }
}

/// Asks an account of this server, as this call sees it.
fn in_account<T>(call: &Call<'_>, id: AccountId, ask: impl FnOnce(&Account) -> T) -> Option<T> {
    if id == call.account().id() {
        return Some(ask(call.account()));
    }
    call.foreign(id).map(|account| ask(&account))
}

/// Whether a user or role of this id is alive in any account of this server (PR-13).
fn lives(call: &Call<'_>, id: &UniqueId) -> bool {
    if !matches!(id.kind(), IdKind::User | IdKind::Role) {
        return false;
    }
    let here = |account: &Account| arn_of(account, id).is_some();
    let own = call.account().id();
    here(call.account())
        || call.node().accounts().iter().any(|account| account.id() != own && here(account))
}

fn arn_of(account: &Account, id: &UniqueId) -> Option<Arn> {
    let user = account.user(id).map(|user| account.user_arn(user));
    user.or_else(|| account.role(id).map(|role| account.role_arn(role)))
}

/// The text of a trust policy with the ARNs that its principals have now, and unique ids for those
/// that are gone.
pub(super) fn shown(call: &Call<'_>, trust: &TrustText) -> String {
    if trust.bindings().is_empty() {
        return trust.source().to_owned();
    }
    let now: Vec<(UniqueId, Option<Arn>)> = trust
        .bindings()
        .iter()
        .map(|binding| {
            let arn = binding.arn.account_id().and_then(|account| {
                in_account(call, account, |account| arn_of(account, &binding.id)).flatten()
            });
            (binding.id, arn)
        })
        .collect();
    trust.shown(|id| now.iter().find(|(held, _)| held == id).and_then(|(_, arn)| arn.clone()))
}

/// The domains in which AWS names its services. Source: the service principals in AWS managed
/// policies and the SDKs' endpoint data.
const SERVICE_DOMAINS: &[&str] = &[
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".amazonaws.eu",
    ".amazon.com",
    ".aws.internal",
    ".c2s.ic.gov",
    ".sc2s.sgov.gov",
    ".cloud.adc-e.uk",
    ".csp.hci.ic.gov",
];

/// Whether a text has the form of a service principal. Services are not enumerated: AWS adds new
/// ones, and one that never calls gets nothing.
pub(crate) fn is_service(text: &str) -> bool {
    is_domain(text) && SERVICE_DOMAINS.iter().any(|domain| text.ends_with(domain))
}

/// Whether a text has the form of an identity provider: a provider's ARN or a host name.
fn is_provider(call: &Call<'_>, text: &str) -> bool {
    let Ok(arn) = text.parse::<Arn>() else { return is_domain(text) };
    let named = ["saml-provider/", "oidc-provider/"]
        .iter()
        .any(|kind| arn.resource().strip_prefix(kind).is_some_and(|name| !name.is_empty()));
    named
        && arn.service() == "iam"
        && arn.partition() == call.partition().as_str()
        && arn.account_id().is_some()
        && !arn.resource().contains(['*', '?', '$'])
}

fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
    };
    text.len() <= 255 && text.contains('.') && text.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pr_9_services_by_form() {
        for (text, expected) in [
            ("ec2.amazonaws.com", true),
            ("pods.eks.amazonaws.com", true),
            ("ec2.amazonaws.com.cn", true),
            ("alexa-appkit.amazon.com", true),
            ("amazonaws.com", false),
            (".amazonaws.com", false),
            ("ec2.amazonaws.com.evil.org", false),
            ("ec2.Amazonaws.com", false),
            ("ec2", false),
            ("*", false),
            ("*.amazonaws.com", false),
            ("", false),
        ] {
            assert_eq!(is_service(text), expected, "{text:?}");
        }
    }

    #[test]
    fn pr_7_and_pr_9_arns_of_principals() {
        for (text, expected) in [
            ("arn:aws:iam::123456789012:root", true),
            ("arn:aws:iam::123456789012:user/alice", true),
            ("arn:aws:iam::123456789012:user/team/alice", true),
            ("arn:aws:iam::123456789012:role/r", true),
            ("arn:aws:sts::123456789012:assumed-role/r/s", true),
            ("arn:aws:sts::123456789012:federated-user/f", true),
            ("arn:aws:iam::123456789012:group/g", false),
            ("arn:aws:iam::123456789012:user/*", false),
            ("arn:aws:iam::123456789012:user/", false),
            ("arn:aws:iam::123456789012:role/team/", false),
            ("arn:aws:sts::123456789012:assumed-role/r", false),
            ("arn:aws:sts::123456789012:assumed-role/r/*", false),
            ("arn:aws:sts::123456789012:assumed-role/p/r/s", false),
            ("arn:aws:s3::123456789012:user/a", false),
        ] {
            let arn: Arn = text.parse().unwrap();
            assert_eq!(named_by(&arn).is_some(), expected, "{text}");
        }
    }
}
