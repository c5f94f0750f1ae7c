//! Virtual MFA devices: making them, with a seed that is shown once, and their tags.

use std::sync::Arc;

use bailiwick_identifiers::{Arn, Path, TagSet};
use bailiwick_model::{MfaCounter, MfaDevice, MfaHash, MfaKind, Owner, Record};
use bailiwick_wire::generated::iam as api;
use bailiwick_wire::{Empty, SecretBytes};
use zeroize::Zeroizing;

use super::{tags, user};
use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::fault::Fault;
use crate::mfa::{self, base32, qr};
use crate::operation::{Entry, Operation, entry};
use crate::page::{self, Paging};

pub(super) const OPERATIONS: &[Entry] = &[
    entry::<CreateVirtualMFADevice>(),
    entry::<ListVirtualMFADevices>(),
    entry::<DeleteVirtualMFADevice>(),
    entry::<TagMFADevice>(),
    entry::<UntagMFADevice>(),
    entry::<ListMFADeviceTags>(),
];

/// The longest serial number that requests can name, in characters. Source: IAM API,
/// serialNumberType.
const MAX_SERIAL: usize = 256;
/// Seconds that a code is shown: what authenticator apps have.
const PERIOD: u16 = 30;

/// The virtual device of a serial number, or `NoSuchEntity` in AWS's words (*observed*).
pub(super) fn virtual_device(call: &Call<'_>, serial: &str) -> Result<Arc<MfaDevice>, Fault> {
    let device = call.account().mfa_device(serial);
    let device = device.filter(|device| device.kind == MfaKind::Virtual);
    device.cloned().ok_or_else(|| no_such_device(serial))
}

/// `NoSuchEntity` for a device.
pub(super) fn no_such_device(serial: &str) -> Fault {
    let text = format!("VirtualMFADevice with serial number {serial} does not exist.");
    Fault::new("NoSuchEntity", text)
}

/// An ask about the stored device of a serial number, or about what the number would be (threat
/// C02).
fn ask<O: Operation>(call: &Call<'_>, serial: &str) -> Ask {
    let root = Arn::iam(call.partition(), call.account().id(), "mfa/");
    match call.account().mfa_device(serial) {
        Some(device) if device.kind == MfaKind::Virtual => {
            call.ask::<O>(device.serial.as_str()).general_resource_tags(&device.tags)
        }
        _ if serial.starts_with(root.as_str()) => call.ask::<O>(serial),
        _ => call.ask::<O>(format!("{}{serial}", root.as_str())),
    }
}

/// A new virtual device, without its secrets.
struct CreateVirtualMFADevice {
    name: String,
    path: Path,
    tags: TagSet,
}

impl CreateVirtualMFADevice {
    fn serial(&self, call: &Call<'_>) -> Arn {
        let resource = format!("mfa{}{}", self.path, self.name);
        Arn::iam(call.partition(), call.account().id(), &resource)
    }

    /// The label under which apps show the device. Its form is AWS's (*observed*).
    fn label(&self, call: &Call<'_>, seed: &str) -> Zeroizing<String> {
        let info = call.account().info();
        let account =
            info.alias.as_ref().map_or_else(|| info.id.to_string(), |alias| alias.as_str().into());
        let name: String = self.name.chars().map(escaped).collect();
        Zeroizing::new(format!(
            "otpauth://totp/Amazon%20Web%20Services:{name}@{account}?secret={seed}\
             &issuer=Amazon%20Web%20Services"
        ))
    }
}

/// A character of a name as it may stand in a URI's path.
fn escaped(c: char) -> String {
    match c {
        '+' => "%2B".into(),
        '=' => "%3D".into(),
        ',' => "%2C".into(),
        c => c.into(),
    }
}

fn name(text: String) -> Result<String, Fault> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if !text.is_empty() && text.chars().all(fits) {
        return Ok(text);
    }
    Err(Fault::validation(
        "The specified value for virtualMFADeviceName is invalid. It must contain only \
         alphanumeric characters and/or the following: +=,.@_-",
    ))
}

impl Operation for CreateVirtualMFADevice {
    type Api = api::CreateVirtualMFADevice;

    fn parse(request: api::CreateVirtualMFADeviceRequest) -> Result<Self, Fault> {
        Ok(Self {
            name: name(request.virtual_mfa_device_name)?,
            path: request
                .path
                .map_or_else(|| Ok(Path::root()), |path| user::new_path("path", &path))?,
            tags: tags::parse_exact(request.tags)?,
        })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        let ask = call.ask::<Self>(self.serial(call).as_str()).request_tags(&self.tags);
        let tagging = (!self.tags.is_empty())
            .then(|| Ask { action: "iam:TagMFADevice".into(), ..ask.clone() });
        Ok([ask].into_iter().chain(tagging).collect())
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::CreateVirtualMFADeviceResponse, Fault> {
        let serial = self.serial(call);
        if serial.as_str().len() > MAX_SERIAL {
            return Err(Fault::validation(
                "1 validation error detected: Value at 'virtualMFADeviceName' failed to satisfy \
                 constraint: Member must have a serial number of length less than or equal to 256",
            ));
        }
        if call.account().mfa_device(serial.as_str()).is_some() {
            // *Observed*.
            return Err(Fault::new(
                "EntityAlreadyExists",
                "MFADevice entity at the same path and name already exists.",
            ));
        }
        let virtual_one = |device: &&Arc<MfaDevice>| device.kind == MfaKind::Virtual;
        let held = call.account().mfa_devices().filter(virtual_one).count();
        // As many as users. Source: IAM user guide, reference_iam-quotas.
        call.require_room(held, "VirtualMFADevicesPerAccount", call.quotas().users)?;
        tags::require_room(&self.tags, call, "MFADevice")?;
        let halves = Zeroizing::new([call.mint().bytes::<20>(), call.mint().bytes::<20>()]);
        // 320 bits, as AWS's (*observed*).
        let seed = Zeroizing::new(halves.concat());
        let (id, nonce) = (call.mint().uuid(), call.mint().bytes());
        let text = base32::encode(&seed);
        let picture = qr::png(&self.label(call, &text)).ok_or_else(Fault::internal)?;
        call.create(Record::MfaDevice(Arc::new(MfaDevice {
            serial: serial.as_str().into(),
            sealed_seed: mfa::seal(call.keyring(), &id, &seed, nonce)?,
            id,
            kind: MfaKind::Virtual,
            created: call.now(),
            counter: MfaCounter::Time { period: PERIOD },
            hash: MfaHash::Sha1,
            tags: self.tags.clone(),
            assigned: None,
            drift: 0,
            newest: None,
            security_key: None,
        })));
        Ok(api::CreateVirtualMFADeviceResponse {
            virtual_mfa_device: api::VirtualMFADevice {
                serial_number: serial.as_str().into(),
                base32_string_seed: Some(SecretBytes::new(text.as_bytes())),
                qr_code_png: Some(SecretBytes::new(picture.as_slice())),
                tags: tags::describe_any(&self.tags),
                ..api::VirtualMFADevice::default()
            },
        })
    }
}

/// Lists the virtual devices of the account, without their seeds.
struct ListVirtualMFADevices {
    /// Whether only those that are somebody's, or nobody's.
    assigned: Option<bool>,
    marker: Option<String>,
    max_items: Option<i32>,
}

impl Operation for ListVirtualMFADevices {
    type Api = api::ListVirtualMFADevices;

    fn parse(request: api::ListVirtualMFADevicesRequest) -> Result<Self, Fault> {
        let assigned = match request.assignment_status.as_deref() {
            Some("Assigned") => Some(true),
            Some("Unassigned") => Some(false),
            _ => None,
        };
        Ok(Self { assigned, marker: request.marker, max_items: request.max_items })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![call.ask::<Self>(user::listed(call, "mfa", None))])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::ListVirtualMFADevicesResponse, Fault> {
        let wanted = |device: &&Arc<MfaDevice>| {
            let fits = self.assigned.is_none_or(|wanted| wanted == device.assigned.is_some());
            fits && device.kind == MfaKind::Virtual
        };
        let devices = call.account().mfa_devices().filter(wanted);
        let paging = Paging { marker: self.marker.as_deref(), max_items: self.max_items };
        let filter =
            self.assigned.map_or("Any", |held| if held { "Assigned" } else { "Unassigned" });
        let page =
            page::cut(call, paging, &[filter], devices, |device| device.folded().as_str().into())?;
        Ok(api::ListVirtualMFADevicesResponse {
            virtual_mfa_devices: page.items.iter().map(|device| describe(call, device)).collect(),
            is_truncated: Some(page.marker.is_some()),
            marker: page.marker,
        })
    }
}

/// A device as lists show it: without its tags. Source: IAM API, ListVirtualMFADevices.
fn describe(call: &Call<'_>, device: &MfaDevice) -> api::VirtualMFADevice {
    let account = call.account();
    let user = match device.owner() {
        Some(Owner::Root) => Some(user::describe_root(account)),
        Some(Owner::User(id)) => {
            account.user(&id).map(|user| user::describe_in_list(account, user))
        }
        None => None,
    };
    api::VirtualMFADevice {
        serial_number: device.serial.clone(),
        user,
        enable_date: device.assigned.map(|assigned| assigned.enabled),
        ..api::VirtualMFADevice::default()
    }
}

/// Takes a device away that is nobody's.
struct DeleteVirtualMFADevice {
    serial: String,
}

impl Operation for DeleteVirtualMFADevice {
    type Api = api::DeleteVirtualMFADevice;

    fn parse(request: api::DeleteVirtualMFADeviceRequest) -> Result<Self, Fault> {
        Ok(Self { serial: request.serial_number })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![ask::<Self>(call, &self.serial)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let device = virtual_device(call, &self.serial)?;
        if device.assigned.is_some() {
            // *Observed*.
            return Err(Fault::new(
                "DeleteConflict",
                "MFA VirtualDevice in use. Must deactivate first.",
            ));
        }
        call.delete(&Record::MfaDevice(device));
        Ok(Empty)
    }
}

fn replace_tags(call: &mut Permitted<'_>, device: &MfaDevice, tags: TagSet) {
    if device.tags != tags {
        mfa::update(call, MfaDevice { tags, ..device.clone() });
    }
}

/// Adds tags to a device, or changes their values.
struct TagMFADevice {
    serial: String,
    tags: TagSet,
}

impl Operation for TagMFADevice {
    type Api = api::TagMFADevice;

    fn parse(request: api::TagMFADeviceRequest) -> Result<Self, Fault> {
        Ok(Self { serial: request.serial_number, tags: tags::parse_exact(request.tags)? })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![ask::<Self>(call, &self.serial).request_tags(&self.tags)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let device = virtual_device(call, &self.serial)?;
        let tags = tags::merged_exact(&device.tags, &self.tags, call, "MFADevice")?;
        replace_tags(call, &device, tags);
        Ok(Empty)
    }
}

/// Takes tags off a device.
struct UntagMFADevice {
    serial: String,
    keys: Vec<String>,
}

impl Operation for UntagMFADevice {
    type Api = api::UntagMFADevice;

    fn parse(request: api::UntagMFADeviceRequest) -> Result<Self, Fault> {
        Ok(Self { serial: request.serial_number, keys: request.tag_keys })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![ask::<Self>(call, &self.serial).tag_keys(&self.keys)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let device = virtual_device(call, &self.serial)?;
        let tags = tags::without_exact(&device.tags, &self.keys);
        replace_tags(call, &device, tags);
        Ok(Empty)
    }
}

/// Lists the tags of a device.
struct ListMFADeviceTags {
    serial: String,
    marker: Option<String>,
    max_items: Option<i32>,
}

impl Operation for ListMFADeviceTags {
    type Api = api::ListMFADeviceTags;

    fn parse(request: api::ListMFADeviceTagsRequest) -> Result<Self, Fault> {
        let api::ListMFADeviceTagsRequest { serial_number, marker, max_items } = request;
        Ok(Self { serial: serial_number, marker, max_items })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![ask::<Self>(call, &self.serial)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::ListMFADeviceTagsResponse, Fault> {
        let device = virtual_device(call, &self.serial)?;
        let paging = Paging { marker: self.marker.as_deref(), max_items: self.max_items };
        let page = tags::page(call, paging, &device.id, &device.tags)?;
        Ok(api::ListMFADeviceTagsResponse {
            tags: page.items,
            is_truncated: Some(page.marker.is_some()),
            marker: page.marker,
        })
    }
}
