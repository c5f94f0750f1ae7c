//! MFA devices of users and of root: taking them into use, and what becomes of them.
//!
//! Root's devices are an extension: AWS has them in its console alone. Root calls these operations
//! with the user name `root`, which means itself as long as no user has that name.

use std::sync::Arc;

use bailiwick_model::{MfaAssignment, MfaDevice, MfaKind, Owner, Record};
use bailiwick_wire::Empty;
use bailiwick_wire::generated::iam as api;

use super::user::Subject;
use super::virtual_mfa::no_such_device;
use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::caller::Identity;
use crate::fault::Fault;
use crate::mfa;
use crate::operation::{Entry, Operation, entry};
use crate::page::{self, Paging};

pub(super) const OPERATIONS: &[Entry] = &[
    entry::<EnableMFADevice>(),
    entry::<ResyncMFADevice>(),
    entry::<DeactivateMFADevice>(),
    entry::<ListMFADevices>(),
    entry::<GetMFADevice>(),
];

/// How root names itself.
const ROOT: &str = "root";

/// Whom a request is about.
fn subject(call: &Call<'_>, name: Option<&str>) -> Result<Subject, Fault> {
    let is_root = matches!(call.caller().identity, Identity::Root);
    if name == Some(ROOT) && is_root && call.account().user_named(ROOT).is_none() {
        return Ok(Subject::Root);
    }
    Subject::of(call, name)
}

/// What registering a passkey asks: AWS has no other action for it than this one.
pub(crate) fn ask_to_enable(call: &Call<'_>, name: Option<&str>) -> Result<Ask, Fault> {
    Ok(subject(call, name)?.ask::<EnableMFADevice>(call))
}

/// Whose devices a request is about, and the name of the owner.
pub(crate) fn owner(call: &Call<'_>, name: Option<&str>) -> Result<(Owner, String), Fault> {
    let subject = subject(call, name)?;
    Ok((subject.owner()?, subject.name().unwrap_or_else(|| ROOT.into())))
}

/// The device of a serial number, if it is the owner's.
fn owned(call: &Call<'_>, owner: Owner, serial: &str) -> Result<Arc<MfaDevice>, Fault> {
    let device = call.account().mfa_device(serial);
    let device = device.filter(|device| device.owner() == Some(owner));
    // *Observed*.
    device.cloned().ok_or_else(|| Fault::new("NoSuchEntity", "MFA Device invalid for user."))
}

/// *Observed*.
fn invalid_code() -> Fault {
    Fault::new("InvalidAuthenticationCode", "Authentication code for device is not valid.")
}

/// Makes a device the second factor of a user, if two codes in a row prove that it is there.
struct EnableMFADevice {
    user: String,
    serial: String,
    codes: [String; 2],
}

impl Operation for EnableMFADevice {
    type Api = api::EnableMFADevice;

    fn parse(request: api::EnableMFADeviceRequest) -> Result<Self, Fault> {
        Ok(Self {
            user: request.user_name,
            serial: request.serial_number,
            codes: [request.authentication_code1, request.authentication_code2],
        })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![subject(call, Some(&self.user))?.ask::<Self>(call)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let owner = subject(call, Some(&self.user))?.owner()?;
        let device = call.account().mfa_device(&self.serial).cloned();
        let device = device.ok_or_else(|| no_such_device(&self.serial))?;
        mfa::require_own_factor(call, owner)?;
        if device.assigned.is_some() {
            return Err(Fault::new("EntityAlreadyExists", "MFA Device is already in use."));
        }
        let held = call.account().mfa_devices_of(owner).count();
        call.require_room(held, "MFADevicesPerUser", call.quotas().mfa_devices_per_user)?;
        let codes = self.codes.each_ref().map(String::as_str);
        let taken =
            mfa::counted(call, &device, || mfa::take_two(call, &device, codes, mfa::ENABLING))?;
        let taken = taken.ok_or_else(invalid_code)?;
        let assigned = Some(MfaAssignment { owner, enabled: call.now() });
        mfa::update(call, MfaDevice { assigned, ..taken });
        Ok(Empty)
    }
}

/// Finds out by two codes in a row how far a device has drifted.
struct ResyncMFADevice {
    user: String,
    serial: String,
    codes: [String; 2],
}

impl Operation for ResyncMFADevice {
    type Api = api::ResyncMFADevice;

    fn parse(request: api::ResyncMFADeviceRequest) -> Result<Self, Fault> {
        Ok(Self {
            user: request.user_name,
            serial: request.serial_number,
            codes: [request.authentication_code1, request.authentication_code2],
        })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![subject(call, Some(&self.user))?.ask::<Self>(call)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let owner = subject(call, Some(&self.user))?.owner()?;
        let device = owned(call, owner, &self.serial)?;
        let codes = self.codes.each_ref().map(String::as_str);
        let taken =
            mfa::counted(call, &device, || mfa::take_two(call, &device, codes, mfa::RESYNCING))?;
        mfa::update(call, taken.ok_or_else(invalid_code)?);
        Ok(Empty)
    }
}

/// Makes a device nobody's again.
struct DeactivateMFADevice {
    user: Option<String>,
    serial: String,
}

impl Operation for DeactivateMFADevice {
    type Api = api::DeactivateMFADevice;

    fn parse(request: api::DeactivateMFADeviceRequest) -> Result<Self, Fault> {
        Ok(Self { user: request.user_name, serial: request.serial_number })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![subject(call, self.user.as_deref())?.ask::<Self>(call)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let owner = subject(call, self.user.as_deref())?.owner()?;
        let device = owned(call, owner, &self.serial)?;
        mfa::require_own_factor(call, owner)?;
        if device.kind == MfaKind::SecurityKey {
            // It is bound to who registered it: nobody else could take it into use.
            call.delete(&Record::MfaDevice(device));
        } else {
            mfa::update(call, MfaDevice { assigned: None, ..MfaDevice::clone(&device) });
        }
        Ok(Empty)
    }
}

/// Lists the devices of a user or of the caller.
struct ListMFADevices {
    user: Option<String>,
    marker: Option<String>,
    max_items: Option<i32>,
}

impl Operation for ListMFADevices {
    type Api = api::ListMFADevices;

    fn parse(request: api::ListMFADevicesRequest) -> Result<Self, Fault> {
        let api::ListMFADevicesRequest { user_name, marker, max_items } = request;
        Ok(Self { user: user_name, marker, max_items })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![subject(call, self.user.as_deref())?.ask::<Self>(call)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::ListMFADevicesResponse, Fault> {
        let subject = subject(call, self.user.as_deref())?;
        let owner = subject.owner()?;
        // The model wants a name; root has none of its own.
        let user_name = subject.name().unwrap_or_else(|| ROOT.into());
        let filter = owner.user().map_or_else(|| ROOT.into(), |id| id.to_string());
        let paging = Paging { marker: self.marker.as_deref(), max_items: self.max_items };
        let devices = call.account().mfa_devices_of(owner);
        let key = |device: &&Arc<MfaDevice>| device.folded().as_str().to_owned();
        let page = page::cut(call, paging, &[&filter], devices, key)?;
        let describe = |device: &Arc<MfaDevice>| {
            Some(api::MFADevice {
                user_name: user_name.clone(),
                serial_number: device.serial.clone(),
                enable_date: device.assigned?.enabled,
            })
        };
        Ok(api::ListMFADevicesResponse {
            mfa_devices: page.items.into_iter().filter_map(describe).collect(),
            is_truncated: Some(page.marker.is_some()),
            marker: page.marker,
        })
    }
}

/// Shows a device of a user or of the caller.
struct GetMFADevice {
    user: Option<String>,
    serial: String,
}

impl Operation for GetMFADevice {
    type Api = api::GetMFADevice;

    fn parse(request: api::GetMFADeviceRequest) -> Result<Self, Fault> {
        Ok(Self { user: request.user_name, serial: request.serial_number })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![subject(call, self.user.as_deref())?.ask::<Self>(call)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::GetMFADeviceResponse, Fault> {
        let subject = subject(call, self.user.as_deref())?;
        let device = owned(call, subject.owner()?, &self.serial)?;
        Ok(api::GetMFADeviceResponse {
            user_name: subject.name(),
            serial_number: device.serial.clone(),
            enable_date: device.assigned.map(|assigned| assigned.enabled),
            certifications: None,
        })
    }
}
