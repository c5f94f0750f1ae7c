//! Answers of browsers as JSON: `PublicKeyCredential.toJSON()`. Source: 5.1.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;

use super::super::webauthn::Refusal;

/// How browsers may reach a device. Source: 5.8.4.
const TRANSPORTS: [&str; 6] = ["ble", "hybrid", "internal", "nfc", "smart-card", "usb"];

/// Members that say twice what others say, and results of extensions, are not read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credential<R> {
    #[serde(deserialize_with = "bytes")]
    id: Vec<u8>,
    #[serde(deserialize_with = "bytes")]
    raw_id: Vec<u8>,
    r#type: String,
    response: R,
}

impl<R> Credential<R> {
    fn checked(self) -> Result<(Vec<u8>, R), Refusal> {
        if self.r#type != "public-key" {
            return Err(Refusal::Type);
        }
        if self.id != self.raw_id {
            return Err(Refusal::Key);
        }
        Ok((self.id, self.response))
    }
}

/// A new key.
pub(super) struct Registration {
    pub(super) id: Vec<u8>,
    pub(super) client_data: Vec<u8>,
    pub(super) attestation_object: Vec<u8>,
    pub(super) transports: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    #[serde(deserialize_with = "bytes", rename = "clientDataJSON")]
    client_data: Vec<u8>,
    #[serde(deserialize_with = "bytes")]
    attestation_object: Vec<u8>,
    #[serde(default)]
    transports: Vec<String>,
}

impl Registration {
    pub(super) fn read(text: &str) -> Result<Self, Refusal> {
        let read: Credential<Created> = serde_json::from_str(text).map_err(|_| ANSWER)?;
        let (id, Created { client_data, attestation_object, mut transports }) = read.checked()?;
        transports.retain(|transport| TRANSPORTS.contains(&transport.as_str()));
        transports.sort_unstable();
        transports.dedup();
        Ok(Self { id, client_data, attestation_object, transports })
    }
}

/// A use of a key.
pub(super) struct Assertion {
    pub(super) id: Vec<u8>,
    pub(super) client_data: Vec<u8>,
    pub(super) authenticator_data: Vec<u8>,
    pub(super) signature: Vec<u8>,
    pub(super) user_handle: Option<Vec<u8>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Got {
    #[serde(deserialize_with = "bytes", rename = "clientDataJSON")]
    client_data: Vec<u8>,
    #[serde(deserialize_with = "bytes")]
    authenticator_data: Vec<u8>,
    #[serde(deserialize_with = "bytes")]
    signature: Vec<u8>,
    #[serde(default)]
    user_handle: Option<String>,
}

impl Assertion {
    pub(super) fn read(answer: &Json) -> Result<Self, Refusal> {
        let read = Credential::<Got>::deserialize(answer).map_err(|_| ANSWER)?;
        let (id, got) = read.checked()?;
        let user_handle = got.user_handle.map(|text| URL_SAFE_NO_PAD.decode(text)).transpose();
        Ok(Self {
            id,
            client_data: got.client_data,
            authenticator_data: got.authenticator_data,
            signature: got.signature,
            user_handle: user_handle.map_err(|_| ANSWER)?,
        })
    }
}

const ANSWER: Refusal = Refusal::Unreadable("the answer of the browser");

fn bytes<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(from)?;
    URL_SAFE_NO_PAD.decode(text).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tm_f07_an_answer_has_its_form() {
        let response = json!({"clientDataJSON": "AQ", "attestationObject": "Ag",
            "transports": ["usb", "nfc", "teleport", "usb"], "publicKeyAlgorithm": -7});
        let whole = json!({"id": "Aw", "rawId": "Aw", "type": "public-key", "response": response,
            "clientExtensionResults": {"credProps": {"rk": true}}});
        let read = Registration::read(&whole.to_string()).unwrap();
        assert_eq!(
            (read.id, read.client_data, read.attestation_object),
            (vec![3], vec![1], vec![2])
        );
        assert_eq!(read.transports, ["nfc", "usb"]);
        for (place, value, expected) in [
            ("/type", json!("password"), Refusal::Type),
            ("/rawId", json!("BA"), Refusal::Key),
            ("/id", json!("Aw=="), ANSWER),
            ("/id", json!(3), ANSWER),
            ("/response/clientDataJSON", json!("+/+/"), ANSWER),
            ("/response/attestationObject", json!(null), ANSWER),
            ("/response", json!([]), ANSWER),
        ] {
            let mut other = whole.clone();
            *other.pointer_mut(place).unwrap() = value;
            assert_eq!(Registration::read(&other.to_string()).err(), Some(expected), "{place}");
        }
        assert!(Assertion::read(&whole).is_err());
        assert!(Registration::read("").is_err());
        let got = json!({"id": "Aw", "rawId": "Aw", "type": "public-key", "response": {
            "clientDataJSON": "AQ", "authenticatorData": "Ag", "signature": "Aw",
            "userHandle": null}});
        assert_eq!(Assertion::read(&got).unwrap().user_handle, None);
    }
}
