//! The issuer of tokens for services outside: its address, and the two documents that it publishes
//! so that anybody can check a token.

use bailiwick_model::OutboundFederation;
use serde_json::{Value as Json, json};

use crate::material::token_key;
use crate::node::Node;

/// Where issuers stand under the server's address.
const PREFIX: &str = "/tokens/";

/// The issuer URL of an account. AWS's are hosts of its own; here it is the server, since those who
/// check a token must be able to reach it.
pub(crate) fn url(node: &Node, held: &OutboundFederation) -> String {
    format!("{}{PREFIX}{}", node.settings().public_url, held.id)
}

/// The document at this path of the server, in JSON, if it is one that an issuer publishes: the
/// configuration (OpenID Connect Discovery 1.0, 4) or the keys (RFC 7517, 5). They stay after the
/// account's switch was turned off, as tokens of before do.
pub fn published(node: &Node, path: &str) -> Option<Vec<u8>> {
    let (id, name) = path.strip_prefix(PREFIX)?.split_once('/')?;
    let held = node
        .accounts()
        .into_iter()
        .find_map(|account| account.settings().outbound.clone().filter(|held| held.id == id))?;
    let document = match name {
        ".well-known/openid-configuration" => configuration(node, &held),
        ".well-known/jwks.json" => keys(&held),
        _ => return None,
    };
    Some(document.to_string().into_bytes())
}

fn configuration(node: &Node, held: &OutboundFederation) -> Json {
    let issuer = url(node, held);
    let algorithms = held.keys.iter().map(|key| token_key::name(key.algorithm));
    json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": algorithms.collect::<Vec<_>>(),
        "claims_supported": ["iss", "aud", "sub", "exp", "iat", "jti", CLAIMS],
    })
}

fn keys(held: &OutboundFederation) -> Json {
    json!({"keys": held.keys.iter().filter_map(token_key::published).collect::<Vec<_>>()})
}

/// The claim under which all that is AWS's own stands. Source: IAM user guide,
/// id_roles_providers_outbound_token_claims.
pub(crate) const CLAIMS: &str = "https://sts.amazonaws.com/";
