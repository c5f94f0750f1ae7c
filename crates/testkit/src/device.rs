//! An authenticator app: it keeps the seed of a virtual MFA device, and shows codes.

use aws_lc_rs::hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key, sign};
use bailiwick_services::Clock as _;
use bailiwick_wire::Value;

use crate::client::Client;
use crate::reply::Reply;

/// A virtual device, as its owner holds it.
#[derive(Clone, Debug)]
pub struct Device {
    /// Its serial number.
    pub serial: String,
    /// Its seed as it was shown, in base32.
    pub seed: String,
    /// The picture of it.
    pub picture: Vec<u8>,
}

impl Device {
    /// A new device below a path.
    #[track_caller]
    pub fn new(client: &Client, path: &str, name: &str) -> Self {
        let parameters = [
            ("VirtualMFADeviceName", name),
            ("Path", path),
            ("Tags.member.1.Key", "team"),
            ("Tags.member.1.Value", "blue"),
        ];
        Self::shown(&client.iam("CreateVirtualMFADevice", &parameters).ok())
    }

    /// The device that an answer of CreateVirtualMFADevice shows.
    #[track_caller]
    pub fn shown(reply: &Reply) -> Self {
        let bytes = |member: &str| match reply.at(&format!("VirtualMFADevice.{member}")) {
            Some(Value::SecretBlob(bytes)) => bytes.expose().to_vec(),
            other => panic!("`{member}` is {other:?}"),
        };
        Self {
            serial: reply.text("VirtualMFADevice.SerialNumber"),
            seed: String::from_utf8(bytes("Base32StringSeed")).expect("a text"),
            picture: bytes("QRCodePNG"),
        }
    }

    /// The code that it shows so many steps of thirty seconds after the client's clock.
    pub fn code(&self, client: &Client, ahead: i64) -> String {
        let step = client.clock.now().as_second() / 30 + ahead;
        code(&self.seed, u64::try_from(step).expect("a step after 1970"))
    }

    /// Takes it into use for a user, with the present code and the one before.
    #[track_caller]
    pub fn enable(&self, client: &Client, user: &str) {
        self.enable_with(client, user, [-1, 0]).ok();
    }

    /// The answer to two codes of these steps.
    pub fn enable_with(&self, client: &Client, user: &str, steps: [i64; 2]) -> Reply {
        self.pair(client, "EnableMFADevice", user, steps)
    }

    /// The answer of an operation to two codes of these steps.
    pub fn pair(&self, client: &Client, operation: &str, user: &str, steps: [i64; 2]) -> Reply {
        let [one, two] = steps.map(|ahead| self.code(client, ahead));
        let parameters = [
            ("UserName", user),
            ("SerialNumber", &*self.serial),
            ("AuthenticationCode1", &*one),
            ("AuthenticationCode2", &*two),
        ];
        client.iam(operation, &parameters)
    }

    /// The answer of GetSessionToken to the code of this step.
    pub fn session(&self, client: &Client, ahead: i64) -> Reply {
        let code = self.code(client, ahead);
        client.sts("GetSessionToken", &[("SerialNumber", &*self.serial), ("TokenCode", &*code)])
    }
}

/// A code of RFC 6238, six digits, SHA-1.
fn code(seed: &str, step: u64) -> String {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let place = |letter| alphabet.find(letter).expect("a letter of base32");
    let bits: Vec<bool> = seed
        .chars()
        .map(place)
        .flat_map(|value| (0..5).rev().map(move |bit| value >> bit & 1 == 1))
        .collect();
    let byte = |bits: &[bool]| bits.iter().fold(0u8, |byte, bit| byte << 1 | u8::from(*bit));
    let seed: Vec<u8> = bits.chunks_exact(8).map(byte).collect();
    let tag = sign(&Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, &seed), &step.to_be_bytes());
    let place = usize::from(tag.as_ref()[19] & 15);
    let bytes: [u8; 4] = tag.as_ref()[place..place + 4].try_into().expect("four bytes");
    format!("{:06}", (u32::from_be_bytes(bytes) & 0x7fff_ffff) % 1_000_000)
}
