//! BeginPasskeyRegistration and FinishPasskeyRegistration: a browser's way to a passkey or security
//! key as an MFA device. AWS has no operation for it, only a page of its console.
//!
//! Both ask for `iam:EnableMFADevice` on the user, as AWS's page does, with the state of the
//! registration in `iam:RegisterSecurityKey`. The keys that tell how a device was certified
//! (`iam:FIDO-certification` and the two of FIPS) are absent: nothing is known of that here.

use std::sync::Arc;

use bailiwick_model::Record;
use bailiwick_wire::Secret;
use bailiwick_wire::generated::bailiwick as api;

use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::fault::Fault;
use crate::iam::mfa_device::{ask_to_enable, owner};
use crate::mfa::{self, passkeys};
use crate::operation::{Entry, Operation, Request, entry};

pub(super) const OPERATIONS: &[Entry] =
    &[entry::<BeginPasskeyRegistration>(), entry::<FinishPasskeyRegistration>()];

/// Tells a browser what to do with a key that is to become a device of a user.
struct BeginPasskeyRegistration {
    user: Option<String>,
    device: String,
}

impl Operation for BeginPasskeyRegistration {
    type Api = api::BeginPasskeyRegistration;
    /// Nothing is kept: the challenge holds what is to be known again.
    const CHANGES: bool = false;

    fn parse(request: Request<Self>) -> Result<Self, Fault> {
        Ok(Self { user: request.user_name, device: request.mfa_device_name })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        let ask = ask_to_enable(call, self.user.as_deref())?;
        Ok(vec![ask.with("iam:RegisterSecurityKey", "Create")])
    }

    fn run(
        &self,
        call: &mut Permitted<'_>,
    ) -> Result<api::BeginPasskeyRegistrationResponse, Fault> {
        let (owner, name) = owner(call, self.user.as_deref())?;
        mfa::require_own_factor(call, owner)?;
        require_room(call, owner)?;
        let options = passkeys::begin_registration(call, owner, &name, self.device.clone())?;
        Ok(api::BeginPasskeyRegistrationResponse { creation_options: options.to_string() })
    }
}

/// Makes the key that a browser brings a device of the user for whom the registration was begun.
struct FinishPasskeyRegistration {
    user: Option<String>,
    credential: Secret,
}

impl Operation for FinishPasskeyRegistration {
    type Api = api::FinishPasskeyRegistration;

    fn parse(request: Request<Self>) -> Result<Self, Fault> {
        Ok(Self { user: request.user_name, credential: request.credential })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        let ask = ask_to_enable(call, self.user.as_deref())?;
        Ok(vec![ask.with("iam:RegisterSecurityKey", "Activate")])
    }

    fn run(
        &self,
        call: &mut Permitted<'_>,
    ) -> Result<api::FinishPasskeyRegistrationResponse, Fault> {
        let (owner, name) = owner(call, self.user.as_deref())?;
        mfa::require_own_factor(call, owner)?;
        require_room(call, owner)?;
        let ids = (call.mint().bytes(), call.mint().uuid());
        let credential = self.credential.expose();
        let device = passkeys::finish_registration(call, ids, owner, &name, credential)?;
        let answer = api::FinishPasskeyRegistrationResponse {
            user_name: name,
            serial_number: device.serial.clone(),
            enable_date: call.now(),
        };
        call.create(Record::MfaDevice(Arc::new(device)));
        Ok(answer)
    }
}

fn require_room(call: &Permitted<'_>, owner: bailiwick_model::Owner) -> Result<(), Fault> {
    let held = call.account().mfa_devices_of(owner).count();
    call.require_room(held, "MFADevicesPerUser", call.quotas().mfa_devices_per_user)
}
