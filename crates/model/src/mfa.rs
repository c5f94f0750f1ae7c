//! Devices that show one-time codes, passkeys and security keys: the second factor of a user or of
//! root.

use std::sync::Arc;

use bailiwick_identifiers::{Folded, TagSet};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::entity::Owner;

/// What an MFA device is made of.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum MfaKind {
    /// A program that keeps the seed, such as one on a telephone. Its serial number is its ARN.
    Virtual,
    /// A token with a display, whose seed was imported. Its serial number is the maker's.
    Hardware,
    /// A passkey or security key, which shows no codes but signs. Its serial number is an ARN.
    SecurityKey,
}

/// What moves a device from one code to the next.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum MfaCounter {
    /// Time, in steps of so many seconds (RFC 6238).
    Time {
        /// The length of a step, 1 to 300 seconds.
        period: u16,
    },
    /// A press of its button (RFC 4226).
    Event,
}

/// The hash under the codes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum MfaHash {
    /// HMAC-SHA-1.
    Sha1,
    /// HMAC-SHA-256.
    Sha256,
    /// HMAC-SHA-512.
    Sha512,
}

/// Whose second factor a device is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct MfaAssignment {
    /// The user, or root.
    pub owner: Owner,
    /// Since when.
    pub enabled: Timestamp,
}

/// A passkey or security key, as it was registered.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SecurityKey {
    /// The name that the device gave the key. Unique in the account.
    #[serde(with = "crate::entity::sealed")]
    pub credential_id: Arc<[u8]>,
    /// The public key as COSE has it.
    #[serde(with = "crate::entity::sealed")]
    pub public_key: Arc<[u8]>,
    /// The domain to which the key is bound.
    pub relying_party: String,
    /// The model of the device as it says itself, in hexadecimal digits; zeros when it does not.
    pub model: String,
    /// The device's count of signatures with its newest assertion; zero when it does not count.
    pub sign_count: u32,
    /// Whether the key may leave its device.
    pub backup_eligible: bool,
    /// Whether it had, with its newest assertion.
    pub backed_up: bool,
    /// How browsers reach the device, as far as they told.
    #[serde(default)]
    pub transports: Vec<String>,
}

/// A device that shows codes of six digits, or a security key.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct MfaDevice {
    /// The serial number; for a virtual device its ARN. Unique in the account without regard to
    /// case.
    pub serial: String,
    /// Random, and shown nowhere. A later device of the same serial number has another.
    pub id: String,
    /// What it is made of.
    pub kind: MfaKind,
    /// When it was made or imported.
    pub created: Timestamp,
    /// What its codes count. This, the hash and the seed mean nothing for a security key.
    pub counter: MfaCounter,
    /// The hash under its codes.
    pub hash: MfaHash,
    /// The seed, sealed under the master key with the device's id as associated data.
    #[serde(with = "crate::entity::sealed")]
    pub sealed_seed: Arc<[u8]>,
    /// Its tags.
    #[serde(default)]
    pub tags: TagSet,
    /// Whose it is; nobody's before it is enabled and after it is deactivated.
    #[serde(default)]
    pub assigned: Option<MfaAssignment>,
    /// By how many steps its clock is ahead of the server's, as of the last two codes in a row.
    #[serde(default)]
    pub drift: i64,
    /// The counter of the newest code that was taken. No code of it or of an earlier one is taken
    /// again (threat F05).
    #[serde(default)]
    pub newest: Option<u64>,
    /// What a security key is instead of its codes.
    #[serde(default)]
    pub security_key: Option<SecurityKey>,
}

impl MfaDevice {
    /// The key under which the serial number is unique.
    pub fn folded(&self) -> Folded {
        Folded::of(&self.serial)
    }

    /// Whose second factor it is.
    pub fn owner(&self) -> Option<Owner> {
        self.assigned.map(|assigned| assigned.owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Account;
    use crate::entity::AccountInfo;
    use crate::record::{Record, RecordKey};

    fn device(owner: Option<Owner>) -> Record {
        Record::MfaDevice(Arc::new(MfaDevice {
            serial: "arn:aws:iam::123456789012:mfa/Phone".into(),
            id: "1".into(),
            kind: MfaKind::Virtual,
            created: Timestamp::UNIX_EPOCH,
            counter: MfaCounter::Time { period: 30 },
            hash: MfaHash::Sha1,
            sealed_seed: Vec::new().into(),
            tags: TagSet::default(),
            assigned: owner.map(|owner| MfaAssignment { owner, enabled: Timestamp::UNIX_EPOCH }),
            drift: 0,
            newest: None,
            security_key: None,
        }))
    }

    #[test]
    fn a_device_is_found_by_its_number_and_under_its_present_owner_alone() {
        let mut account = Account::new(AccountInfo {
            id: "123456789012".parse().unwrap(),
            name: None,
            partition: bailiwick_identifiers::Partition::Aws,
            created: Timestamp::UNIX_EPOCH,
            alias: None,
        });
        let alice = Owner::User("AIDAQQQQQQQQQQQQQQQQQ".parse().unwrap());
        let of = |account: &Account, owner| account.mfa_devices_of(owner).count();
        for (owner, expected) in
            [(None, (0, 0)), (Some(alice), (1, 0)), (Some(Owner::Root), (0, 1)), (None, (0, 0))]
        {
            account.put(device(owner));
            assert_eq!((of(&account, alice), of(&account, Owner::Root)), expected, "{owner:?}");
            assert_eq!(account.mfa_devices_in_use(), usize::from(owner.is_some()));
        }
        assert!(account.mfa_device("ARN:aws:iam::123456789012:mfa/phone").is_some());
        account.put(device(Some(alice)));
        let record = device(Some(alice));
        assert_eq!(Record::decode("k", &record.encode()).unwrap(), record);
        assert_eq!(
            record.key().path("123456789012".parse().unwrap()),
            "account/123456789012/mfa-device/arn:aws:iam::123456789012:mfa/phone"
        );
        account.remove(&RecordKey::MfaDevice(Folded::of("arn:aws:iam::123456789012:mfa/PHONE")));
        assert_eq!((account.mfa_devices().len(), of(&account, alice)), (0, 0));
    }

    #[test]
    fn a_security_key_is_kept_and_devices_from_before_it_are_read() {
        let Record::MfaDevice(phone) = device(None) else { panic!("a device") };
        let mut key = MfaDevice::clone(&phone);
        key.kind = MfaKind::SecurityKey;
        key.security_key = Some(SecurityKey {
            credential_id: [1, 2].into(),
            public_key: [3].into(),
            relying_party: "localhost".into(),
            model: "00".into(),
            sign_count: 7,
            backup_eligible: true,
            backed_up: false,
            transports: vec!["usb".into()],
        });
        let record = Record::MfaDevice(Arc::new(key));
        assert_eq!(Record::decode("k", &record.encode()).unwrap(), record);
        let text = String::from_utf8(device(None).encode()).unwrap();
        let before = text.replace(r#","security_key":null"#, "");
        assert_ne!(before, text);
        assert_eq!(Record::decode("k", before.as_bytes()).unwrap(), device(None));
    }
}
