//! The second factor that a caller shows when it asks for credentials.

use std::sync::Arc;

use bailiwick_model::{MfaDevice, MfaKind};

use crate::call::{Call, Permitted};
use crate::fault::Fault;
use crate::mfa;

/// A device and the code that it shows.
pub(super) struct Factor {
    serial: String,
    code: String,
}

impl Factor {
    /// What a request names, both or neither.
    pub(super) fn parse(
        serial: Option<String>,
        code: Option<String>,
    ) -> Result<Option<Self>, Fault> {
        match (serial, code) {
            (Some(serial), Some(code)) => Ok(Some(Self { serial, code })),
            (None, None) => Ok(None),
            _ => Err(Fault::access_denied(
                "MultiFactorAuthentication failed, must provide both MFA serial number and one \
                 time pass code.",
            )),
        }
    }

    /// The device, which must be one of the caller's own. The words are AWS's (*observed*).
    fn device(&self, call: &Call<'_>) -> Result<Arc<MfaDevice>, Fault> {
        let owner = mfa::own(call);
        let device = call.account().mfa_device(&self.serial);
        let device = device.filter(|device| owner.is_some() && device.owner() == owner);
        // AWS takes codes alone here.
        let device = device.filter(|device| device.kind != MfaKind::SecurityKey);
        device.cloned().ok_or_else(|| {
            Fault::access_denied(
                "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify \
                 your MFA serial number is valid and associated with this user.",
            )
        })
    }

    /// Checks the code, and counts it as wrong before. It is not used up yet.
    pub(super) fn check(&self, call: &Call<'_>) -> Result<(), Fault> {
        let device = self.device(call)?;
        let taken = mfa::counted(call, &device, || mfa::take(call, &device, &self.code))?;
        taken.map(drop).ok_or_else(invalid)
    }

    /// Uses up the code, which was checked in the state on which this call runs.
    pub(super) fn use_up(&self, call: &mut Permitted<'_>) -> Result<(), Fault> {
        let device = self.device(call)?;
        let taken = mfa::take(call, &device, &self.code)?.ok_or_else(invalid)?;
        mfa::update(call, taken);
        Ok(())
    }
}

/// *Observed*.
fn invalid() -> Fault {
    Fault::access_denied("MultiFactorAuthentication failed with invalid MFA one time pass code.")
}
