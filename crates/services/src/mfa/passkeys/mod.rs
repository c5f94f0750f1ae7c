//! Passkeys and security keys of users and of root: registering them, and showing one at a sign-in.
//!
//! The checks are those of [`super::webauthn`]. Here are the challenges, what browsers are told, and
//! the devices. Passkeys count as a second factor beside the password, so the device need not verify
//! its user, and is asked to where it can.

mod answers;
mod challenges;
mod party;

use std::sync::Arc;

use bailiwick_identifiers::{AccountId, Arn, TagSet};
use bailiwick_model::{
    Account, MfaAssignment, MfaCounter, MfaDevice, MfaHash, MfaKind, Owner, SecurityKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value as Json, json};

use super::base32;
use super::webauthn::{self, Algorithm, Asked, Held, Refusal, RelyingParty};
use crate::call::Call;
use crate::fault::Fault;
use crate::node::Node;
use crate::ports::{Mint, hex};
use answers::{Assertion, Registration};
use challenges::Challenge;
pub(crate) use challenges::Challenges;
pub use party::PartyError;

/// How long a challenge waits for its answer.
const LIFE: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);

/// What a browser is to do with a key that is not there yet: the options of
/// `navigator.credentials.create`, as JSON.
///
/// # Errors
///
/// The server has no host name to which keys could be bound.
pub(crate) fn begin_registration(
    call: &Call<'_>,
    owner: Owner,
    user_name: &str,
    device_name: String,
) -> Result<Json, Fault> {
    let party = party(call)?;
    let account = call.account();
    let mut mint = Mint::new(call.entropy());
    let challenge = Challenge::new(&mut mint, account.id(), owner, device_name, call.now());
    let challenge = challenge.seal(call.keyring(), &mut mint).ok_or_else(Fault::internal)?;
    let algorithms = Algorithm::OFFERED
        .map(|algorithm| json!({"type": "public-key", "alg": algorithm.number()}));
    Ok(json!({
        "rp": {"id": party.id, "name": "Bailiwick"},
        "user": {
            "id": URL_SAFE_NO_PAD.encode(handle(account.id(), owner)),
            "name": format!("{user_name}@{}", account.id()),
            "displayName": user_name,
        },
        "challenge": URL_SAFE_NO_PAD.encode(challenge),
        "pubKeyCredParams": algorithms,
        "timeout": LIFE.as_millis(),
        "excludeCredentials": descriptors(account, owner, party),
        "authenticatorSelection": {
            "residentKey": "preferred",
            "requireResidentKey": false,
            "userVerification": "preferred",
        },
        "attestation": "none",
    }))
}

/// The device that a browser's answer registers, with a random mark at the end of its serial number
/// and a random id. It uses up the challenge, whatever becomes of it.
///
/// # Errors
///
/// `PasskeyNotValid` with what is wrong; the key is registered already.
pub(crate) fn finish_registration(
    call: &Call<'_>,
    (mark, id): ([u8; 16], String),
    owner: Owner,
    user_name: &str,
    answer: &str,
) -> Result<MfaDevice, Fault> {
    let party = party(call)?;
    let account = call.account();
    let answer = Registration::read(answer).map_err(refused)?;
    let challenge = webauthn::challenge(&answer.client_data).ok_or_else(unknown)?;
    let told = Challenge::open(call.keyring(), &challenge).ok_or_else(unknown)?;
    let (whose, by) = ((account.id(), owner), &call.origin().request_id);
    if !call.node().passkeys().take(&told, whose, by, call.now()) {
        return Err(unknown());
    }
    let asked = Asked { party, challenge: &challenge, verified: false };
    let key = webauthn::register(&asked, &answer.client_data, &answer.attestation_object);
    let key = key.map_err(refused)?;
    if key.credential_id != answer.id {
        return Err(refused(Refusal::Key));
    }
    if account.mfa_devices().any(|device| is_key(device, &key.credential_id)) {
        return Err(Fault::new("EntityAlreadyExists", "The passkey is already registered."));
    }
    let resource = match owner {
        Owner::Root => "root".to_owned(),
        Owner::User(_) => format!("user/{user_name}"),
    };
    let mark = base32::encode(&mark);
    let resource = format!("u2f/{resource}/{}-{}", told.device, mark.as_str());
    let serial = Arn::iam(call.partition(), account.id(), &resource);
    tracing::debug!(serial = serial.as_str(), ?key.attestation, "a passkey is registered");
    Ok(MfaDevice {
        serial: serial.as_str().into(),
        id,
        kind: MfaKind::SecurityKey,
        created: call.now(),
        counter: MfaCounter::Event,
        hash: MfaHash::Sha256,
        sealed_seed: Arc::from([]),
        tags: TagSet::default(),
        assigned: Some(MfaAssignment { owner, enabled: call.now() }),
        drift: 0,
        newest: None,
        security_key: Some(SecurityKey {
            credential_id: key.credential_id.into(),
            public_key: key.public_key.into(),
            relying_party: party.id.clone(),
            model: hex(&key.aaguid),
            sign_count: key.sign_count,
            backup_eligible: key.backup_eligible,
            backed_up: key.backed_up,
            transports: answer.transports,
        }),
    })
}

/// What a browser is to do with one of the owner's keys: the options of `navigator.credentials.get`
/// for a challenge in base64url. None when the owner has no key, or none for this server's domain.
pub(crate) fn assertion_options(
    node: &Node,
    account: &Account,
    owner: Owner,
    challenge: &str,
) -> Option<Json> {
    let party = node.relying_party()?;
    let keys = descriptors(account, owner, party);
    (!keys.is_empty()).then(|| {
        json!({
            "rpId": party.id,
            "challenge": challenge,
            "timeout": LIFE.as_millis(),
            "allowCredentials": keys,
            "userVerification": "preferred",
        })
    })
}

/// The owner's device as it is after a browser's answer to a challenge; none when the answer is not
/// that of a key of the owner's. Whoever calls sees to it that a challenge is answered once.
pub(crate) fn assert(
    call: &Call<'_>,
    owner: Owner,
    challenge: &str,
    answer: &Json,
) -> Option<MfaDevice> {
    let checked = checked(call, owner, challenge, answer);
    if let Err(refusal) = &checked {
        // The page is told no more than that it was not right.
        tracing::info!(%refusal, request = call.origin().request_id, "a passkey was refused");
    }
    checked.ok()
}

fn checked(
    call: &Call<'_>,
    owner: Owner,
    challenge: &str,
    answer: &Json,
) -> Result<MfaDevice, Refusal> {
    let party = call.node().relying_party().ok_or(Refusal::RelyingParty)?;
    let challenge = URL_SAFE_NO_PAD.decode(challenge).map_err(|_| Refusal::Challenge)?;
    let answer = Assertion::read(answer)?;
    let mut devices = call.account().mfa_devices_of(owner);
    let device = devices.find(|device| is_key(device, &answer.id)).ok_or(Refusal::Key)?;
    let key = device.security_key.as_ref().ok_or(Refusal::Key)?;
    let handle = handle(call.account().id(), owner);
    if answer.user_handle.as_ref().is_some_and(|told| *told != handle) {
        return Err(Refusal::Key);
    }
    let asked = Asked { party, challenge: &challenge, verified: false };
    let held = Held {
        public_key: &key.public_key,
        sign_count: key.sign_count,
        backup_eligible: key.backup_eligible,
    };
    let (data, signature) = (&answer.authenticator_data, &answer.signature);
    let shown = webauthn::assert(&asked, &held, &answer.client_data, data, signature)?;
    let key = SecurityKey {
        sign_count: shown.sign_count,
        backed_up: shown.backed_up,
        ..SecurityKey::clone(key)
    };
    Ok(MfaDevice { security_key: Some(key), ..MfaDevice::clone(device) })
}

fn party<'n>(call: &Call<'n>) -> Result<&'n RelyingParty, Fault> {
    call.node().relying_party().ok_or_else(|| {
        Fault::new(
            "PasskeysNotAvailable",
            "Passkeys are bound to a host name, and this server is known by an address: set its \
             public address or its relying party.",
        )
    })
}

fn refused(refusal: Refusal) -> Fault {
    Fault::new("PasskeyNotValid", format!("The passkey is not valid: {refusal}."))
}

fn unknown() -> Fault {
    refused(Refusal::Challenge)
}

fn is_key(device: &MfaDevice, credential_id: &[u8]) -> bool {
    device.security_key.as_ref().is_some_and(|key| *key.credential_id == *credential_id)
}

/// The owner's keys that are bound to the domain.
fn descriptors(account: &Account, owner: Owner, party: &RelyingParty) -> Vec<Json> {
    let keys = account.mfa_devices_of(owner).filter_map(|device| {
        device.security_key.as_ref().filter(|key| key.relying_party == party.id)
    });
    let describe = |key: &SecurityKey| {
        json!({
            "type": "public-key",
            "id": URL_SAFE_NO_PAD.encode(&key.credential_id),
            "transports": key.transports,
        })
    };
    keys.map(describe).collect()
}

/// What devices keep to tell one owner from another. It says nothing about the person.
fn handle(account: AccountId, owner: Owner) -> [u8; 32] {
    let owner = match owner {
        Owner::Root => "root".to_owned(),
        Owner::User(id) => id.to_string(),
    };
    webauthn::sha256(format!("passkey\0{account}\0{owner}").as_bytes())
}
