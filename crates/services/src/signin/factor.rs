//! Second factors at sign-in: what a user may show, and one function that looks at it.

use bailiwick_model::{MfaDevice, MfaKind, Owner, Record};
use serde_json::{Value as Json, json};
use std::sync::Arc;

use crate::call::Call;
use crate::fault::Fault;
use crate::mfa::{self, passkeys};

/// What is shown.
pub(super) enum Factor {
    /// A code of a device; without a serial number, of any of the user's.
    Code {
        /// Six digits.
        code: String,
        /// The device's serial number.
        serial: Option<String>,
    },
    /// An assertion of a passkey or security key, as a browser's `navigator.credentials.get` gives
    /// it out, for the challenge of the ticket.
    Passkey(Json),
}

/// A factor that was right.
pub(super) struct Passed {
    /// The random id of the device.
    pub(super) device: String,
    /// Its serial number.
    pub(super) serial: String,
    /// The device as it is from now on, with its counter: written with the session or not at all.
    pub(super) record: Record,
}

/// Looks at a factor of the caller of `call`. None when it is wrong. It is not counted here, and not
/// used up before its record is written.
pub(super) fn check(
    call: &Call<'_>,
    owner: Owner,
    factor: &Factor,
    challenge: &str,
) -> Result<Option<Passed>, Fault> {
    match factor {
        Factor::Code { code, serial } => {
            let devices = call.account().mfa_devices_of(owner).filter(|device| {
                serial.as_ref().is_none_or(|serial| device.serial.eq_ignore_ascii_case(serial))
            });
            for device in devices {
                if let Some(taken) = mfa::take(call, device, code)? {
                    return Ok(Some(passed(taken)));
                }
            }
            Ok(None)
        }
        Factor::Passkey(answer) => Ok(passkeys::assert(call, owner, challenge, answer).map(passed)),
    }
}

fn passed(device: MfaDevice) -> Passed {
    Passed {
        device: device.id.clone(),
        serial: device.serial.clone(),
        record: Record::MfaDevice(Arc::new(device)),
    }
}

/// The factors that a user has, for the page that asks for one.
pub(super) fn choices(devices: &[Arc<MfaDevice>]) -> Json {
    let list: Vec<Json> = devices
        .iter()
        .map(|device| json!({"serialNumber": device.serial, "type": kind(device)}))
        .collect();
    Json::Array(list)
}

/// The kind of a device in the words of CheckMfa events (*documented* for the virtual one).
pub(super) fn kind(device: &MfaDevice) -> &'static str {
    match device.kind {
        MfaKind::Virtual => "Virtual MFA",
        MfaKind::Hardware => "Hardware MFA",
        MfaKind::SecurityKey => "U2F MFA",
    }
}
