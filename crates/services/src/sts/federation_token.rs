//! GetFederationToken: a session of a federated user, which has at most what the caller has.
//!
//! Without session policies it may do nothing but what resource policies grant it by name (SES-5).

use bailiwick_identifiers::{Arn, SessionName, TagSet};
use bailiwick_wire::generated::sts as api;

use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::caller::Identity;
use crate::fault::Fault;
use crate::operation::{Entry, Operation, Request, entry};
use crate::session::Subject;
use crate::sts::credentials::{Grant, claims, issue};
use crate::sts::limits::{Given, session_policies, session_tags};

pub(super) const OPERATIONS: &[Entry] = &[entry::<GetFederationToken>()];

/// Twelve hours (SES-11).
const DEFAULT_SECONDS: i32 = 43_200;
/// One hour, and no more, for root (SES-11).
const ROOT_SECONDS: i32 = 3600;

/// Issues a session of a federated user. It writes nothing but its event.
struct GetFederationToken {
    name: SessionName,
    policy: Option<String>,
    policy_arns: Vec<Arn>,
    seconds: Option<i32>,
    tags: TagSet,
}

impl Operation for GetFederationToken {
    type Api = api::GetFederationToken;

    fn parse(request: Request<Self>) -> Result<Self, Fault> {
        Ok(Self {
            name: request
                .name
                .parse()
                .map_err(|_| Fault::validation("The specified value for name is invalid. It must contain only alphanumeric characters and/or the following: +=,.@-"))?,
            policy: request.policy,
            policy_arns: session_policies(request.policy_arns)?,
            seconds: request.duration_seconds,
            tags: session_tags(request.tags)?,
        })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        // SES-9: both are allowed by the caller's own policies.
        let arn = self.arn(call);
        let ask = |action| Ask::new(action, arn.as_str(), call.account().id());
        let mut asks = vec![ask("sts:GetFederationToken").request_tags(&self.tags)];
        if !self.tags.is_empty() {
            asks.push(ask("sts:TagSession").request_tags(&self.tags));
        }
        Ok(asks)
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::GetFederationTokenResponse, Fault> {
        let seconds = self.seconds.unwrap_or(DEFAULT_SECONDS);
        let (user, seconds) = match &call.caller().identity {
            Identity::Root => (None, seconds.min(ROOT_SECONDS)),
            Identity::User(user) => (Some(user.id), seconds),
            Identity::Role(..) | Identity::Federated(..) => {
                return Err(Fault::access_denied(
                    "Cannot call GetFederationToken with session credentials",
                ));
            }
        };
        let given =
            Given { policy: self.policy.as_deref(), arns: &self.policy_arns, tags: &self.tags };
        given.check(call, &call.account_shared())?;
        let arn = self.arn(call);
        let account = call.caller().account;
        let minted_by = call.caller().key.clone();
        let subject = Subject::Federated { user, name: self.name.clone() };
        let mut claims = claims(call, Grant { account, subject, seconds })?;
        claims.minted_by = Some(minted_by);
        claims.policy.clone_from(&self.policy);
        claims.policy_arns.clone_from(&self.policy_arns);
        claims.tags =
            self.tags.iter().map(|tag| (tag.key.to_string(), tag.value.to_string())).collect();
        let credentials = issue(call, &claims)?;
        Ok(api::GetFederationTokenResponse {
            credentials: Some(credentials),
            federated_user: Some(api::FederatedUser {
                federated_user_id: format!("{account}:{}", self.name),
                arn: arn.to_string(),
            }),
            packed_policy_size: given.packed_size(),
            ..api::GetFederationTokenResponse::default()
        })
    }
}

impl GetFederationToken {
    fn arn(&self, call: &Call<'_>) -> Arn {
        Arn::federated_user(call.account().partition(), call.account().id(), &self.name)
    }
}
