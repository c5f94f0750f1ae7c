//! GetSessionToken: temporary credentials of the caller itself.

use bailiwick_wire::generated::sts as api;

use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::caller::Identity;
use crate::fault::Fault;
use crate::operation::{Entry, Operation, Request, entry};
use crate::session::Subject;
use crate::sts::credentials::{Grant, claims, issue};
use crate::sts::factor::Factor;

pub(super) const OPERATIONS: &[Entry] = &[entry::<GetSessionToken>()];

/// Twelve hours (SES-11).
const DEFAULT_SECONDS: i32 = 43_200;
/// One hour, and no more, for root (SES-11).
const ROOT_SECONDS: i32 = 3600;

/// Issues a session of the calling user or root, with the same rights (SES-10).
struct GetSessionToken {
    seconds: Option<i32>,
    factor: Option<Factor>,
}

impl Operation for GetSessionToken {
    type Api = api::GetSessionToken;

    fn changes(&self) -> bool {
        self.factor.is_some()
    }

    fn parse(request: Request<Self>) -> Result<Self, Fault> {
        Ok(Self {
            seconds: request.duration_seconds,
            factor: Factor::parse(request.serial_number, request.token_code)?,
        })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        // It needs no permission (EV-11), but not every kind of credentials may call it (SES-8).
        Ok(vec![call.ask::<Self>("*")])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::GetSessionTokenResponse, Fault> {
        let seconds = self.seconds.unwrap_or(DEFAULT_SECONDS);
        let (subject, seconds) = match &call.caller().identity {
            Identity::Root => (Subject::Root, seconds.min(ROOT_SECONDS)),
            Identity::User(user) => (Subject::User(user.id), seconds),
            Identity::Role(..) | Identity::Federated(..) => {
                return Err(Fault::access_denied(
                    "Cannot call GetSessionToken with session credentials",
                ));
            }
        };
        if let Some(factor) = &self.factor {
            factor.check(call)?;
            factor.use_up(call)?;
        }
        let account = call.caller().account;
        let minted_by = call.caller().key.clone();
        let mut claims = claims(call, Grant { account, subject, seconds })?;
        claims.minted_by = Some(minted_by);
        claims.mfa = self.factor.as_ref().map(|_| claims.issued);
        let credentials = issue(call, &claims)?;
        Ok(api::GetSessionTokenResponse {
            credentials: Some(credentials),
            ..api::GetSessionTokenResponse::default()
        })
    }
}
