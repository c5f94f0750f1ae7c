//! VerifyServiceSpecificCredential: what a front that speaks Git or CQL asks about the name and
//! password of its client. It learns whose they are; what the user may do it asks the policies.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use bailiwick_identifiers::{IdKind, UniqueId};
use bailiwick_model::{KeyStatus, ServiceCredential, ServiceCredentialUse, User};
use bailiwick_wire::Secret;
use bailiwick_wire::generated::bailiwick as api;

use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::fault::Fault;
use crate::iam::service_credential::{digest_of, has_ended};
use crate::operation::{Entry, Operation, Request, entry};

pub(super) const OPERATIONS: &[Entry] = &[entry::<VerifyServiceSpecificCredential>()];

/// Tells whose a name and password are.
///
/// A wrong name, a wrong password, another service, and a credential that is inactive or ended all
/// get one answer in the same time, and count as wrong guesses of that name, there or not. The right
/// password is let in whatever was guessed before: it is 256 random bits, so nobody finds it by
/// guessing, and nobody may lock out its owner.
struct VerifyServiceSpecificCredential {
    service: String,
    name: String,
    password: Secret,
}

impl VerifyServiceSpecificCredential {
    /// The credential of the name, and its user, if the password is right and may be used.
    fn found<'a>(&self, call: &'a Call<'_>) -> Option<(&'a ServiceCredential, &'a User)> {
        let mut named = call.account().service_credentials_named(&self.name);
        let held = named.find(|held| held.service == self.service);
        // Without a credential the comparison is with a digest that no password has.
        let stored = held.map_or(NOTHING, |held| held.digest.as_str());
        let given = digest_of(&self.password);
        let right = verify_slices_are_equal(given.as_bytes(), stored.as_bytes()).is_ok();
        let held = held.filter(|_| right)?;
        if held.status != KeyStatus::Active || has_ended(held, call.now()) {
            return None;
        }
        Some((held, call.account().user(&held.user)?))
    }

    /// Where the guesses of the name are counted: by service and name, whether they are there or
    /// not, so that a refusal does not tell.
    fn counted(&self) -> UniqueId {
        let text = format!("{}\0{}", self.service, self.name);
        let mut short = [0; 11];
        for (slot, byte) in short.iter_mut().zip(digest(&SHA256, text.as_bytes()).as_ref()) {
            *slot = *byte;
        }
        UniqueId::from_random(IdKind::ServiceCredential, short)
    }
}

/// As long as a digest, and none.
const NOTHING: &str = "----------------------------------------------------------------";

impl Operation for VerifyServiceSpecificCredential {
    type Api = api::VerifyServiceSpecificCredential;
    /// Its use is noted in memory and flushed with the others.
    const CHANGES: bool = false;

    fn parse(request: Request<Self>) -> Result<Self, Fault> {
        let api::VerifyServiceSpecificCredentialRequest {
            service_name,
            service_user_name,
            service_password,
        } = request;
        Ok(Self { service: service_name, name: service_user_name, password: service_password })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![call.ask::<Self>("*")])
    }

    fn run(
        &self,
        call: &mut Permitted<'_>,
    ) -> Result<api::VerifyServiceSpecificCredentialResponse, Fault> {
        let guesses = call.node().service_guesses();
        let counted = self.counted();
        let Some((held, user)) = self.found(call) else {
            guesses.begin(counted, call.now())?;
            return Err(Fault::new(
                "CredentialNotValid",
                "The user name or password is not valid for the service.",
            ));
        };
        guesses.right(counted);
        let account = call.account();
        let last = call.node().last_service_credential_use(account, &held.id);
        let answer = api::VerifyServiceSpecificCredentialResponse {
            user_name: user.name.to_string(),
            user_id: user.id.to_string(),
            arn: account.user_arn(user).to_string(),
            service_specific_credential_id: held.id.to_string(),
            last_used_date: last.map(|last| last.at),
        };
        let last = ServiceCredentialUse { credential: held.id, at: call.now() };
        call.node().used_service_credential(account.id(), &last);
        Ok(answer)
    }
}
