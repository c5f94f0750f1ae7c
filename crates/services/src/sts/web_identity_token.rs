//! GetWebIdentityToken: a signed statement of who the caller is, for services outside.

use std::collections::BTreeMap;

use bailiwick_identifiers::TagSet;
use bailiwick_model::TokenAlgorithm;
use bailiwick_wire::generated::sts as api;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value as Json, json};

use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::caller::Identity;
use crate::fault::Fault;
use crate::issuer::{self, CLAIMS};
use crate::material::token_key;
use crate::operation::{Entry, Operation, Request, entry};
use crate::session::MAX_ISSUED;
use crate::sts::limits::session_tags;

pub(super) const OPERATIONS: &[Entry] = &[entry::<GetWebIdentityToken>()];

/// Five minutes. Source: STS API, GetWebIdentityToken.
const DEFAULT_SECONDS: i32 = 300;

/// Issues a token that others verify with the keys that the account's issuer publishes. It is no
/// credential here: no operation takes it back.
struct GetWebIdentityToken {
    audience: Vec<String>,
    seconds: i32,
    algorithm: TokenAlgorithm,
    tags: TagSet,
}

impl Operation for GetWebIdentityToken {
    type Api = api::GetWebIdentityToken;

    fn parse(request: Request<Self>) -> Result<Self, Fault> {
        let algorithm = match &*request.signing_algorithm {
            "RS256" => TokenAlgorithm::Rs256,
            "ES384" => TokenAlgorithm::Es384,
            other => {
                let text = format!("{other} is no signing algorithm of tokens: use RS256 or ES384");
                return Err(Fault::validation(text));
            }
        };
        Ok(Self {
            audience: request.audience,
            seconds: request.duration_seconds.unwrap_or(DEFAULT_SECONDS),
            algorithm,
            tags: session_tags(request.tags)?,
        })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        let ask = call
            .ask::<Self>("*")
            .with_many("sts:IdentityTokenAudience", self.audience.clone())
            .with("sts:DurationSeconds", self.seconds.to_string())
            .with("sts:SigningAlgorithm", token_key::name(self.algorithm))
            .request_tags(&self.tags);
        let mut asks = vec![ask];
        if !self.tags.is_empty() {
            let tagging = Ask::new("sts:TagGetWebIdentityToken", "*", call.account().id());
            asks.push(tagging.request_tags(&self.tags));
        }
        Ok(asks)
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::GetWebIdentityTokenResponse, Fault> {
        let held = call.account().settings().outbound.clone();
        let held = held.filter(|held| held.enabled).ok_or_else(|| {
            Fault::new(
                "OutboundWebIdentityFederationDisabledException",
                "Outbound web identity federation is not enabled for this account.",
            )
        })?;
        let issued =
            Timestamp::from_second(call.now().as_second()).map_err(|_| Fault::internal())?;
        let life = SignedDuration::from_secs(self.seconds.into());
        let expires = issued.checked_add(life).map_err(|_| Fault::internal())?;
        if call.caller().claims.as_ref().is_some_and(|claims| claims.expires < expires) {
            return Err(Fault::new(
                "SessionDurationEscalationException",
                "The requested token duration would extend the session beyond its original expiration time.",
            ));
        }
        let mut claims = json!({
            "iss": issuer::url(call.node(), &held),
            "sub": subject(call),
            "aud": match self.audience.as_slice() {
                [one] => json!(one),
                many => json!(many),
            },
            "iat": issued.as_second(),
            "exp": expires.as_second(),
            "jti": call.mint().uuid(),
        });
        claims[CLAIMS] = self.own_claims(call);
        let key = held.keys.iter().find(|key| key.algorithm == self.algorithm);
        let token = key.and_then(|key| token_key::sign(call.keyring(), key, &claims));
        let token = token.ok_or_else(Fault::internal)?;
        if token.len() > MAX_ISSUED {
            return Err(Fault::new(
                "JWTPayloadSizeExceededException",
                "The requested token payload size exceeds the maximum allowed size.",
            ));
        }
        Ok(api::GetWebIdentityTokenResponse {
            web_identity_token: Some(token.into()),
            expiration: Some(expires),
        })
    }
}

/// The caller as services outside know it: a session of a role is the role.
fn subject(call: &Call<'_>) -> String {
    match &call.caller().identity {
        Identity::Role(role, _) => call.account().role_arn(role).to_string(),
        _ => call.caller().arn().to_string(),
    }
}

impl GetWebIdentityToken {
    fn own_claims(&self, call: &Call<'_>) -> Json {
        let mut own = Map::new();
        let mut put = |key: &str, value: Json| {
            own.insert(key.to_owned(), value);
        };
        put("aws_account", json!(call.caller().account.to_string()));
        put("principal_id", json!(subject(call)));
        put("source_region", json!(call.origin().region));
        let tags = principal_tags(call);
        if !tags.is_empty() {
            put("principal_tags", json!(tags));
        }
        if !self.tags.is_empty() {
            let tags = self.tags.iter().map(|tag| (tag.key.to_string(), tag.value.to_string()));
            put("request_tags", json!(tags.collect::<BTreeMap<_, _>>()));
        }
        if let Some(claims) = &call.caller().claims {
            put("original_session_exp", json!(bailiwick_wire::time::write_iso(claims.expires)));
            if let Some(identity) = &claims.source_identity {
                put("source_identity", json!(identity));
            }
        }
        Json::Object(own)
    }
}

/// The tags of the caller; those of the session override those of its role (SES-9).
fn principal_tags(call: &Call<'_>) -> BTreeMap<String, String> {
    let caller = call.caller();
    let own = match &caller.identity {
        Identity::User(user) | Identity::Federated(Some(user), _) => Some(&user.tags),
        Identity::Role(role, _) => Some(&role.tags),
        Identity::Root | Identity::Federated(None, _) => None,
    };
    let mut tags: BTreeMap<_, _> = own
        .into_iter()
        .flat_map(TagSet::iter)
        .map(|tag| (tag.key.to_string(), tag.value.to_string()))
        .collect();
    for (key, value) in caller.claims.iter().flat_map(|claims| &claims.tags) {
        tags.retain(|held, _| !held.eq_ignore_ascii_case(key));
        tags.insert(key.clone(), value.clone());
    }
    tags
}
