//! Trust in identity providers that many tenants share (TR-12).
//!
//! Whoever trusts such a provider without naming the tenant trusts everybody who has an account
//! there. Source: IAM user guide, id_roles_providers_oidc_secure-by-default.

use super::grammar::{RawCondition, RawStatement};
use crate::condition::{Operator, SetPrefix, Spelled};

/// The issuers and the claim that tells their tenants apart.
const ISSUERS: [(&str, &str); 5] = [
    ("agent.buildkite.com", "sub"),
    ("app.terraform.io", "sub"),
    ("cognito-identity.amazonaws.com", "aud"),
    ("gitlab.com", "sub"),
    ("token.actions.githubusercontent.com", "sub"),
];

/// The shared issuer that a statement lets in without naming a tenant, with its claim.
pub(super) fn open_issuer(raw: &RawStatement) -> Option<(&'static str, &'static str)> {
    let allows = raw.effect.as_ref().is_some_and(|effect| effect.text == "Allow");
    let entries = raw.principal.iter().filter(|_| allows).flat_map(|principal| &principal.entries);
    let named = entries.filter(|(kind, _)| kind == "Federated").map(|(_, text)| host(&text.text));
    let mut shared = named.filter_map(|host| {
        ISSUERS.into_iter().find(|(issuer, _)| issuer.eq_ignore_ascii_case(host))
    });
    shared.find(|(issuer, claim)| !raw.conditions.iter().any(|c| names_tenant(c, issuer, claim)))
}

/// The host of a provider, given by its ARN or by itself.
fn host(provider: &str) -> &str {
    let path = provider.split_once(":oidc-provider/").map_or(provider, |(_, path)| path);
    path.split('/').next().unwrap_or(path)
}

/// Whether a condition holds only for tenants that it names: a positive comparison of texts, and
/// no value made of wildcards alone.
fn names_tenant(raw: &RawCondition, issuer: &str, claim: &str) -> bool {
    let key = raw.key.text.rsplit_once(':');
    let right_key = key.is_some_and(|(head, name)| {
        host(head).eq_ignore_ascii_case(issuer) && name.eq_ignore_ascii_case(claim)
    });
    let positive = Spelled::parse(&raw.operator.text).is_some_and(|spelled| {
        let compares = matches!(
            spelled.operator,
            Operator::StringEquals | Operator::StringEqualsIgnoreCase | Operator::StringLike
        );
        compares && !spelled.if_exists && spelled.prefix != Some(SetPrefix::ForAllValues)
    });
    let values = &raw.values.items;
    let telling = values.iter().all(|value| value.text.contains(|c| !matches!(c, '*' | '?')));
    right_key && positive && !values.is_empty() && telling
}
