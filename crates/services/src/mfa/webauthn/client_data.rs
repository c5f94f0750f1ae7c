//! What the browser says it did. Source: 5.8.1.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::{Asked, Refusal};

/// The most bytes. Browsers write 150 to 400; the origin of a page has no limit of its own.
const MAX: usize = 8 * 1024;

/// The members that are checked; browsers may add others.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClientData {
    r#type: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
    #[serde(default)]
    top_origin: Option<String>,
}

impl ClientData {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let unreadable = Refusal::Unreadable("the client data");
        if bytes.len() > MAX {
            return Err(unreadable);
        }
        serde_json::from_slice(bytes).map_err(|_| unreadable)
    }

    pub(super) fn check(&self, kind: &str, asked: &Asked<'_>) -> Result<(), Refusal> {
        if self.r#type != kind {
            return Err(Refusal::Type);
        }
        if self.challenge != URL_SAFE_NO_PAD.encode(asked.challenge) {
            return Err(Refusal::Challenge);
        }
        if !asked.party.origins.contains(&self.origin) {
            return Err(Refusal::Origin);
        }
        let framed = self.cross_origin || self.top_origin.is_some();
        let welcome = match (&asked.party.embedders, &self.top_origin) {
            (Some(embedders), Some(top)) => embedders.contains(top),
            (Some(_), None) => true,
            (None, _) => !framed,
        };
        if welcome { Ok(()) } else { Err(Refusal::Embedded) }
    }
}

/// The challenge that the data answer, before anything is checked: by it the server finds what it
/// had asked.
pub(crate) fn challenge(client_data: &[u8]) -> Option<Vec<u8>> {
    let data = ClientData::read(client_data).ok()?;
    URL_SAFE_NO_PAD.decode(data.challenge).ok()
}
