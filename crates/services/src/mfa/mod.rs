//! Second factors: whether a code is that of a device, and was not taken before.
//!
//! The counter of a code that is taken is written in the transaction of the call that takes it, and
//! calls of an account that write run one after another: of any number of calls with one code, one
//! goes through (threat F05). A wrong code is counted before it is looked at, for the user whose
//! device it is or, before a device is anybody's, for the device (threat F02).

pub(crate) mod base32;
pub(crate) mod one_time;
pub(crate) mod operator;
pub(crate) mod passkeys;
pub(crate) mod qr;
pub(crate) mod tokens;
pub(crate) mod webauthn;

use std::sync::Arc;

use bailiwick_identifiers::AccountId;
use bailiwick_model::{MfaCounter, MfaDevice, MfaKind, Owner, Record};
use bailiwick_store::seal::{Binding, Keyring, Purpose};
use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::call::{Call, Permitted};
use crate::caller::Identity;
use crate::fault::Fault;
use crate::guess::DAILY;
use one_time::Generator;

/// Steps before and after the present one whose codes are taken (RFC 6238, 5.2).
const WINDOW: u64 = 1;
/// Presses of the button that may have gone elsewhere (RFC 4226, 7.4).
const LOOK_AHEAD: u64 = 10;

/// How far two codes in a row may be from where the device is thought to be: in steps of time to
/// both sides, or in presses of its button ahead. Both codes must be right, so a wide reach makes a
/// guess no easier than one in ten billion.
#[derive(Clone, Copy)]
pub(crate) struct Reach {
    steps: u64,
    presses: u64,
}

/// To take a device into use: five minutes of drift.
pub(crate) const ENABLING: Reach = Reach { steps: 10, presses: 100 };
/// To bring one back that has drifted: an hour.
pub(crate) const RESYNCING: Reach = Reach { steps: 120, presses: 1000 };

/// How a seed is bound to its record (threat L02).
pub(crate) fn seed_binding(id: &str) -> Binding<'_> {
    Binding { kind: "mfa-device", id: id.as_bytes(), version: 1 }
}

/// Seals the seed of a device.
pub(crate) fn seal(
    keyring: &Keyring,
    id: &str,
    seed: &[u8],
    nonce: [u8; 12],
) -> Result<Arc<[u8]>, Fault> {
    let sealed = keyring.seal(Purpose::MfaSeed, &seed_binding(id), seed, nonce);
    sealed.map(Into::into).map_err(|error| {
        tracing::error!(%error, "the seed of an MFA device could not be sealed");
        Fault::internal()
    })
}

fn generator(call: &Call<'_>, device: &MfaDevice) -> Result<Generator, Fault> {
    let opened =
        call.keyring().open(Purpose::MfaSeed, &seed_binding(&device.id), &device.sealed_seed);
    let seed: Zeroizing<Vec<u8>> = opened.map_err(|error| {
        tracing::error!(serial = device.serial, %error, "the seed of an MFA device does not open");
        Fault::internal()
    })?;
    Ok(Generator::new(device.hash, &seed))
}

/// The step of time at an instant, as the server's clock has it.
fn step(now: Timestamp, period: u16) -> u64 {
    u64::try_from(now.as_second()).unwrap_or_default() / u64::from(period.max(1))
}

/// The counters around where the device is thought to be, of those that were not used.
fn counters(device: &MfaDevice, now: Timestamp, reach: Reach) -> std::ops::RangeInclusive<u64> {
    let unused = device.newest.map_or(0, |newest| newest.saturating_add(1));
    match device.counter {
        MfaCounter::Time { period } => {
            let present = step(now, period);
            // One step may be no drift, but the time that it took to type the codes.
            let (behind, ahead) = match device.drift {
                -1..=1 => (device.drift.min(0), device.drift.max(0)),
                drift => (drift, drift),
            };
            let first = present.saturating_add_signed(behind).saturating_sub(reach.steps);
            let last = present.saturating_add_signed(ahead).saturating_add(reach.steps);
            unused.max(first)..=last
        }
        MfaCounter::Event => unused..=unused.saturating_add(reach.presses),
    }
}

/// The device as it is after a code was taken; none when the code is wrong, or was used.
pub(crate) fn take(
    call: &Call<'_>,
    device: &MfaDevice,
    code: &str,
) -> Result<Option<MfaDevice>, Fault> {
    if device.kind == MfaKind::SecurityKey {
        return Ok(None);
    }
    let generator = generator(call, device)?;
    let reach = Reach { steps: WINDOW, presses: LOOK_AHEAD };
    let found = counters(device, call.now(), reach).find(|at| generator.is_code(*at, code));
    Ok(found.map(|at| MfaDevice { newest: Some(at), ..device.clone() }))
}

/// The device as it is after two codes in a row were taken, with what they tell of its clock.
pub(crate) fn take_two(
    call: &Call<'_>,
    device: &MfaDevice,
    [first, second]: [&str; 2],
    reach: Reach,
) -> Result<Option<MfaDevice>, Fault> {
    if device.kind == MfaKind::SecurityKey {
        return Ok(None);
    }
    let generator = generator(call, device)?;
    let wide = MfaDevice { drift: 0, ..device.clone() };
    let found = counters(&wide, call.now(), reach).find(|at| {
        generator.is_code(*at, first) && generator.is_code(at.saturating_add(1), second)
    });
    Ok(found.map(|at| {
        let newest = at.saturating_add(1);
        let drift = match device.counter {
            MfaCounter::Time { period } => {
                let ahead = i128::from(newest) - i128::from(step(call.now(), period));
                i64::try_from(ahead).unwrap_or_default()
            }
            MfaCounter::Event => 0,
        };
        MfaDevice { newest: Some(newest), drift, ..device.clone() }
    }))
}

/// Looks at a code, and counts it as wrong before. Who may not guess now is refused unseen.
pub(crate) fn counted(
    call: &Call<'_>,
    device: &MfaDevice,
    look: impl FnOnce() -> Result<Option<MfaDevice>, Fault>,
) -> Result<Option<MfaDevice>, Fault> {
    let who = match device.owner() {
        Some(owner) => counted_for(call.account().id(), owner),
        None => format!("{}/{}", call.account().id(), device.id),
    };
    let codes = call.node().codes();
    // Durable soon: a thread that serves connections does not wait for it.
    drop(codes.begin(call.node().store(), &who, DAILY, call.now())?);
    let found = look()?;
    if found.is_some() {
        codes.right(call.node().store(), &who);
    }
    Ok(found)
}

/// Where wrong codes for the devices of an owner are counted.
pub(crate) fn counted_for(account: AccountId, owner: Owner) -> String {
    match owner {
        Owner::User(id) => format!("{account}/{id}"),
        Owner::Root => format!("{account}/root"),
    }
}

/// Writes a device back.
pub(crate) fn update(call: &mut Permitted<'_>, device: MfaDevice) {
    call.update(Record::MfaDevice(Arc::new(device)));
}

/// Whom the credentials of the caller belong to; roles and federated users have no devices.
pub(crate) fn own(call: &Call<'_>) -> Option<Owner> {
    match &call.caller().identity {
        Identity::Root => Some(Owner::Root),
        Identity::User(user) => Some(Owner::User(user.id)),
        Identity::Role(..) | Identity::Federated(..) => None,
    }
}

/// Refuses who changes the devices of its own without having shown one of them: a stolen key must
/// neither add a device nor take one away (threats C13, F06). Who has none shows none, and others
/// do it by permission alone, which is the way back for who lost a device.
///
/// `Deviation:` AWS leaves this to policies.
pub(crate) fn require_own_factor(call: &Call<'_>, owner: Owner) -> Result<(), Fault> {
    let shown = call.caller().claims.as_ref().is_some_and(|claims| claims.mfa.is_some());
    let has_one = call.account().mfa_devices_of(owner).next().is_some();
    if own(call) == Some(owner) && has_one && !shown {
        let action = match call.operation() {
            "DeactivateMFADevice" => "DeactivateMFADevice",
            // Registering a passkey is no action of its own.
            _ => "EnableMFADevice",
        };
        return Err(Fault::access_denied(format!(
            "User: {} is not authorized to perform: iam:{action} on its own MFA devices without MFA",
            call.caller().arn(),
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bailiwick_model::MfaHash;

    fn device(counter: MfaCounter, drift: i64, newest: Option<u64>) -> MfaDevice {
        MfaDevice {
            serial: "GAHT12345678".into(),
            id: "1".into(),
            kind: MfaKind::Hardware,
            created: Timestamp::UNIX_EPOCH,
            counter,
            hash: MfaHash::Sha1,
            sealed_seed: Vec::new().into(),
            tags: bailiwick_identifiers::TagSet::default(),
            assigned: None,
            drift,
            newest,
            security_key: None,
        }
    }

    /// F05: one step to each side, none that was used, and counters that stay in their range.
    #[test]
    fn tm_f05_the_window_is_one_step() {
        let now = Timestamp::from_second(3000).unwrap();
        let (time, minute) = (MfaCounter::Time { period: 30 }, MfaCounter::Time { period: 60 });
        let one = Reach { steps: WINDOW, presses: LOOK_AHEAD };
        for (counter, drift, newest, reach, expected) in [
            (time, 0, None, one, (99, 101)),
            (minute, 0, None, one, (49, 51)),
            (time, 0, Some(99), one, (100, 101)),
            (time, 0, Some(101), one, (102, 101)),
            (time, 0, Some(500), one, (501, 101)),
            (time, 1, None, one, (99, 102)),
            (time, -1, None, one, (98, 101)),
            (time, 2, None, one, (101, 103)),
            (time, -50, None, one, (49, 51)),
            (time, i64::MIN, None, one, (0, 1)),
            (time, i64::MAX, None, one, (9_223_372_036_854_775_906, 9_223_372_036_854_775_908)),
            (time, 0, None, ENABLING, (90, 110)),
            (time, 0, None, RESYNCING, (0, 220)),
            (MfaCounter::Event, 0, None, one, (0, 10)),
            (MfaCounter::Event, 0, Some(41), one, (42, 52)),
            (MfaCounter::Event, 0, Some(u64::MAX), one, (u64::MAX, u64::MAX)),
        ] {
            let device = device(counter, drift, newest);
            let found = counters(&device, now, reach);
            assert_eq!((*found.start(), *found.end()), expected, "{device:?}");
        }
        assert_eq!(step(Timestamp::from_second(-5).unwrap(), 30), 0);
        assert_eq!(step(now, 0), 3000);
    }
}
