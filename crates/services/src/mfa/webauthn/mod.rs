//! Web Authentication: whether what a browser brings from a passkey or a security key is what was
//! asked for. Source: W3C, Web Authentication Level 3, chapters 6 to 8.
//!
//! Pure functions: challenges, devices and decisions are elsewhere. What is sent is bounded before it
//! is parsed, and every deviation refuses (threat F07). Attestation tells what made a key, as far as
//! its statement holds together: there are no trust roots, so nothing is concluded from it.

mod attestation;
mod authenticator_data;
mod client_data;
mod platform;
mod public_key;
#[cfg(test)]
mod vectors;

use aws_lc_rs::digest::{SHA256, digest};
use coset::cbor::value::Value;

use attestation::Statement;
use authenticator_data::AuthenticatorData;
use client_data::ClientData;
pub(crate) use client_data::challenge;
pub(crate) use public_key::Algorithm;
use public_key::PublicKey;

/// The most bytes of an attestation object. Those with a chain of four certificates have 6,000.
const MAX_OBJECT: usize = 32 * 1024;
/// The deepest nesting of CBOR. Attestation objects have three levels.
const MAX_DEPTH: usize = 8;

/// For whom keys are registered: this server, as browsers see it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RelyingParty {
    /// The domain to which keys are bound.
    pub id: String,
    /// Where the pages are from which browsers ask for keys: scheme, host and port.
    pub origins: Vec<String>,
    /// The origins whose pages may show those pages in a frame; none refuses all frames.
    pub embedders: Option<Vec<String>>,
}

/// What one registration or assertion must answer.
pub(crate) struct Asked<'a> {
    /// Who asked.
    pub(crate) party: &'a RelyingParty,
    /// The random bytes that were sent.
    pub(crate) challenge: &'a [u8],
    /// Whether the person must have been verified by the device, and not only have been there.
    pub(crate) verified: bool,
}

/// How the statement about the origin of a key is signed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Attestation {
    /// There is none.
    None,
    /// By the key itself.
    Own,
    /// By a certificate that is traced to no root.
    Certificate,
}

/// A key that may be registered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Registered {
    /// The name that the device gave the key.
    pub(crate) credential_id: Vec<u8>,
    /// The public key as COSE has it.
    pub(crate) public_key: Vec<u8>,
    /// What it signs with.
    pub(crate) algorithm: Algorithm,
    /// The model of the device, as it says.
    pub(crate) aaguid: [u8; 16],
    /// The device's count of signatures; zero when it does not count.
    pub(crate) sign_count: u32,
    /// Whether the person was verified.
    pub(crate) user_verified: bool,
    /// Whether the key may leave its device.
    pub(crate) backup_eligible: bool,
    /// Whether it has.
    pub(crate) backed_up: bool,
    /// The statement that came with it.
    pub(crate) attestation: Attestation,
}

/// A registered key, as far as assertions need it.
pub(crate) struct Held<'a> {
    /// The public key as COSE has it.
    pub(crate) public_key: &'a [u8],
    /// The count of the newest signature.
    pub(crate) sign_count: u32,
    /// Whether the key may leave its device.
    pub(crate) backup_eligible: bool,
}

/// What an assertion told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Asserted {
    /// The new count of signatures.
    pub(crate) sign_count: u32,
    /// Whether the person was verified.
    pub(crate) user_verified: bool,
    /// Whether the key has left its device.
    pub(crate) backed_up: bool,
}

/// Why an answer of a device is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum Refusal {
    /// Something cannot be read.
    #[error("{0} cannot be read")]
    Unreadable(&'static str),
    /// The browser did something else.
    #[error("the answer is of another type")]
    Type,
    /// It answers something else.
    #[error("the challenge is not the one that was sent")]
    Challenge,
    /// The page is another's.
    #[error("the origin is not one of this server's")]
    Origin,
    /// The page was shown inside another's.
    #[error("the page was shown inside another's")]
    Embedded,
    /// The key is bound to another domain.
    #[error("the relying party is another")]
    RelyingParty,
    /// Nobody was there.
    #[error("nobody touched the device")]
    Presence,
    /// The person was not verified.
    #[error("the device did not verify its user")]
    Verification,
    /// Flags that contradict each other or what was registered.
    #[error("the flags of the device contradict each other")]
    Flags,
    /// No key, or one where none belongs.
    #[error("the answer has no key, or one too many")]
    Key,
    /// An algorithm that was not offered.
    #[error("the algorithm of the key is not one of those offered")]
    Algorithm,
    /// A statement of a format that is not known.
    #[error("the format of the attestation is not known")]
    Format,
    /// A statement that does not fit its format.
    #[error("the attestation does not hold together")]
    Statement,
    /// A signature that is wrong.
    #[error("a signature is wrong")]
    Signature,
    /// A count that did not grow.
    #[error("the device's count of signatures did not grow, as that of a copy would not")]
    Count,
}

/// Checks a new key. Source: 7.1, from step 5 on; the caller has done what is before, and looks
/// whether the key is registered already.
pub(crate) fn register(
    asked: &Asked<'_>,
    client_data: &[u8],
    attestation_object: &[u8],
) -> Result<Registered, Refusal> {
    ClientData::read(client_data)?.check("webauthn.create", asked)?;
    let object = AttestationObject::read(attestation_object)?;
    let data = AuthenticatorData::read(&object.auth_data)?;
    data.check(asked)?;
    let attested = data.attested.as_ref().ok_or(Refusal::Key)?;
    let key = PublicKey::read(attested.public_key)?;
    let client_data_hash = sha256(client_data);
    let statement = Statement {
        format: &object.format,
        members: &object.statement,
        data: &data,
        attested,
        key: &key,
        auth_data: &object.auth_data,
        client_data_hash: &client_data_hash,
    };
    Ok(Registered {
        attestation: statement.check()?,
        credential_id: attested.credential_id.to_vec(),
        public_key: attested.public_key.to_vec(),
        algorithm: key.algorithm,
        aaguid: attested.aaguid,
        sign_count: data.sign_count,
        user_verified: data.flags.user_verified(),
        backup_eligible: data.flags.backup_eligible(),
        backed_up: data.flags.backed_up(),
    })
}

/// Checks a use of a key. Source: 7.2, from step 9 on; the caller has found the key among those of
/// the one user whom it asked.
pub(crate) fn assert(
    asked: &Asked<'_>,
    held: &Held<'_>,
    client_data: &[u8],
    auth_data: &[u8],
    signature: &[u8],
) -> Result<Asserted, Refusal> {
    ClientData::read(client_data)?.check("webauthn.get", asked)?;
    let data = AuthenticatorData::read(auth_data)?;
    data.check(asked)?;
    if data.attested.is_some() {
        return Err(Refusal::Key);
    }
    if data.flags.backup_eligible() != held.backup_eligible {
        return Err(Refusal::Flags);
    }
    let message = [auth_data, &sha256(client_data)].concat();
    PublicKey::read(held.public_key)?.verify(&message, signature)?;
    let counts = data.sign_count != 0 || held.sign_count != 0;
    if counts && data.sign_count <= held.sign_count {
        return Err(Refusal::Count);
    }
    Ok(Asserted {
        sign_count: data.sign_count,
        user_verified: data.flags.user_verified(),
        backed_up: data.flags.backed_up(),
    })
}

/// What a new key comes in. Source: 6.5.
struct AttestationObject {
    format: String,
    statement: Vec<(Value, Value)>,
    auth_data: Vec<u8>,
}

impl AttestationObject {
    fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let unreadable = Refusal::Unreadable("the attestation object");
        if bytes.len() > MAX_OBJECT {
            return Err(unreadable);
        }
        let (value, rest) = item(bytes).ok_or(unreadable)?;
        let Value::Map(mut members) = value else { return Err(unreadable) };
        if !rest.is_empty() || members.len() != 3 {
            return Err(unreadable);
        }
        let mut taken = |name: &str| {
            let place = members.iter().position(|(key, _)| key.as_text() == Some(name))?;
            Some(members.swap_remove(place).1)
        };
        match (taken("fmt"), taken("attStmt"), taken("authData")) {
            (Some(Value::Text(format)), Some(Value::Map(statement)), Some(Value::Bytes(data))) => {
                Ok(Self { format, statement, auth_data: data })
            }
            _ => Err(unreadable),
        }
    }
}

/// The first CBOR item of the bytes, and what follows it.
fn item(bytes: &[u8]) -> Option<(Value, &[u8])> {
    let mut rest = bytes;
    let value = coset::cbor::de::from_reader_with_recursion_limit(&mut rest, MAX_DEPTH).ok()?;
    Some((value, rest))
}

/// SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    for (slot, byte) in hash.iter_mut().zip(digest(&SHA256, bytes).as_ref()) {
        *slot = *byte;
    }
    hash
}
