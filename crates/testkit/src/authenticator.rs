//! A security key together with the browser before it: it makes keys and signs with them.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value as Json, json};

use crate::world::PAGE;

/// A device with one key, Ed25519 under a fixed seed. What it says can be changed.
#[derive(Clone, Debug)]
pub struct Authenticator {
    seed: [u8; 32],
    /// The name of its key.
    pub credential_id: Vec<u8>,
    /// What it remembers of its user.
    pub user_handle: Option<String>,
    /// Its count of signatures; it grows by one each time unless it is zero.
    pub count: u32,
    /// What it tells of itself: 0x01 someone was there, 0x04 it was the user, 0x08 the key may leave,
    /// 0x10 it has.
    pub flags: u8,
    /// Where the page is.
    pub origin: String,
    /// The domain that the browser hands on; none for that of the options.
    pub relying_party: Option<String>,
}

impl Authenticator {
    /// A device that no other one is like.
    pub fn new(number: u8) -> Self {
        Self {
            seed: [number; 32],
            credential_id: vec![number; 20],
            user_handle: None,
            count: 1,
            flags: 0x05,
            origin: PAGE.into(),
            relying_party: None,
        }
    }

    fn key(&self) -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&self.seed).expect("a key")
    }

    fn client_data(&self, kind: &str, options: &Json) -> Vec<u8> {
        let data = json!({"type": kind, "challenge": options["challenge"], "origin": self.origin,
            "crossOrigin": false});
        data.to_string().into_bytes()
    }

    fn data(&self, id: &Json, flags: u8) -> Vec<u8> {
        let id = self.relying_party.as_deref().or(id.as_str()).expect("a relying party");
        let mut data = digest(&SHA256, id.as_bytes()).as_ref().to_vec();
        data.push(flags);
        data.extend(self.count.to_be_bytes());
        data
    }

    /// What `navigator.credentials.create` makes of options, as JSON.
    pub fn create(&mut self, options: &Json) -> Json {
        self.user_handle = options["user"]["id"].as_str().map(str::to_owned);
        let mut data = self.data(&options["rp"]["id"], self.flags | 0x40);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.credential_id.len()).expect("a short name").to_be_bytes());
        data.extend(&self.credential_id);
        // {1: 1, 3: -8, -1: 6, -2: the key}: a key of Ed25519 in COSE.
        data.extend([0xa4, 0x01, 0x01, 0x03, 0x27, 0x20, 0x06, 0x21, 0x58, 0x20]);
        data.extend(self.key().public_key().as_ref());
        let mut object = b"\xa3cfmtdnonegattStmt\xa0hauthData\x59".to_vec();
        object.extend(u16::try_from(data.len()).expect("short data").to_be_bytes());
        object.extend(&data);
        let id = BASE64.encode(&self.credential_id);
        json!({"id": id, "rawId": id, "type": "public-key", "clientExtensionResults": {},
            "authenticatorAttachment": "cross-platform", "response": {
                "clientDataJSON": BASE64.encode(self.client_data("webauthn.create", options)),
                "attestationObject": BASE64.encode(object),
                "transports": ["usb"],
        }})
    }

    /// What `navigator.credentials.get` makes of options, as JSON.
    pub fn get(&mut self, options: &Json) -> Json {
        if self.count > 0 {
            self.count += 1;
        }
        let data = self.data(&options["rpId"], self.flags);
        let client_data = self.client_data("webauthn.get", options);
        let message = [&data, digest(&SHA256, &client_data).as_ref()].concat();
        let id = BASE64.encode(&self.credential_id);
        json!({"id": id, "rawId": id, "type": "public-key", "clientExtensionResults": {},
            "response": {
                "clientDataJSON": BASE64.encode(client_data),
                "authenticatorData": BASE64.encode(data),
                "signature": BASE64.encode(self.key().sign(&message).as_ref()),
                "userHandle": self.user_handle,
        }})
    }
}
