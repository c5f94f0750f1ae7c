//! Attestation: what a device says of the origin of a new key. Source: 8.2, 8.6, 8.7.
//!
//! A statement must hold together. That its certificate is a maker's is not looked at: there are no
//! trust roots, and a key with a statement counts no more than one without.

use aws_lc_rs::signature::ECDSA_P256_SHA256_ASN1;
use coset::cbor::value::Value;
use x509_parser::certificate::X509Certificate;
use x509_parser::der_parser::asn1_rs::{Oid, oid};
use x509_parser::oid_registry::{OID_EC_P256, OID_X509_COMMON_NAME, OID_X509_COUNTRY_NAME};
use x509_parser::oid_registry::{OID_X509_ORGANIZATION_NAME, OID_X509_ORGANIZATIONAL_UNIT};
use x509_parser::x509::X509Version;

use super::authenticator_data::{Attested, AuthenticatorData};
use super::platform;
use super::public_key::{Algorithm, Numbers, PublicKey};
use super::{Attestation, Refusal};
use crate::material::certificate;

/// The most certificates of a statement.
const MAX_CHAIN: usize = 8;

/// The model of a device in its certificate. Source: 8.2.1.
const AAGUID: Oid<'_> = oid!(1.3.6.1.4.1.45724.1.1.4);

/// A statement and what it is about.
pub(super) struct Statement<'a> {
    pub(super) format: &'a str,
    pub(super) members: &'a [(Value, Value)],
    pub(super) data: &'a AuthenticatorData<'a>,
    pub(super) attested: &'a Attested<'a>,
    pub(super) key: &'a PublicKey,
    pub(super) auth_data: &'a [u8],
    pub(super) client_data_hash: &'a [u8; 32],
}

impl Statement<'_> {
    pub(super) fn check(&self) -> Result<Attestation, Refusal> {
        match self.format {
            "none" => self.only(&[]).map(|()| Attestation::None),
            "packed" => self.packed(),
            "fido-u2f" => self.fido_u2f(),
            "tpm" => platform::tpm(self),
            "android-key" => platform::android_key(self),
            "apple" => platform::apple(self),
            _ => Err(Refusal::Format),
        }
    }

    /// Refuses a statement with other members than these.
    pub(super) fn only(&self, names: &[&str]) -> Result<(), Refusal> {
        let known =
            |(key, _): &(Value, Value)| key.as_text().is_some_and(|key| names.contains(&key));
        let fine = self.members.len() == names.len()
            && self.members.iter().all(known)
            && names.iter().all(|name| self.member(name).is_some());
        if fine { Ok(()) } else { Err(Refusal::Statement) }
    }

    pub(super) fn member(&self, name: &str) -> Option<&Value> {
        self.members.iter().find(|(key, _)| key.as_text() == Some(name)).map(|(_, value)| value)
    }

    pub(super) fn bytes(&self, name: &str) -> Result<&[u8], Refusal> {
        self.member(name).and_then(Value::as_bytes).map(Vec::as_slice).ok_or(Refusal::Statement)
    }

    /// The algorithm that the statement names.
    pub(super) fn algorithm(&self) -> Result<Algorithm, Refusal> {
        let number = self.member("alg").and_then(Value::as_integer);
        let number = number.and_then(|number| i64::try_from(number).ok());
        Algorithm::of(number.ok_or(Refusal::Statement)?)
    }

    /// The certificates, as they are encoded: that of the signer first.
    pub(super) fn chain(&self) -> Result<Vec<&[u8]>, Refusal> {
        let chain = self.member("x5c").and_then(Value::as_array).ok_or(Refusal::Statement)?;
        if !(1..=MAX_CHAIN).contains(&chain.len()) {
            return Err(Refusal::Statement);
        }
        let bytes = chain.iter().map(|value| value.as_bytes().map(Vec::as_slice));
        bytes.collect::<Option<_>>().ok_or(Refusal::Statement)
    }

    /// The certificate of the signer.
    pub(super) fn signer(&self) -> Result<X509Certificate<'_>, Refusal> {
        let mut read = self.chain()?.into_iter().map(certificate::parse);
        let signer = read.next().flatten();
        // What comes with it is certificates too.
        if read.any(|certificate| certificate.is_none()) {
            return Err(Refusal::Statement);
        }
        signer.ok_or(Refusal::Statement)
    }

    /// What most formats sign.
    pub(super) fn message(&self) -> Vec<u8> {
        [self.auth_data, self.client_data_hash].concat()
    }

    fn packed(&self) -> Result<Attestation, Refusal> {
        let (algorithm, signature) = (self.algorithm()?, self.bytes("sig")?);
        if self.member("x5c").is_none() {
            self.only(&["alg", "sig"])?;
            if algorithm != self.key.algorithm {
                return Err(Refusal::Statement);
            }
            self.key.verify(&self.message(), signature)?;
            return Ok(Attestation::Own);
        }
        self.only(&["alg", "sig", "x5c"])?;
        let signer = self.signer()?;
        algorithm.verify(key_of(&signer), &self.message(), signature)?;
        if !is_attestation(&signer) || !self.is_of_model(&signer) {
            return Err(Refusal::Statement);
        }
        Ok(Attestation::Certificate)
    }

    fn fido_u2f(&self) -> Result<Attestation, Refusal> {
        self.only(&["sig", "x5c"])?;
        let signer = self.signer()?;
        let of_curve = |certificate: &X509Certificate<'_>| {
            let parameters = certificate.public_key().algorithm.parameters.as_ref();
            let curve = parameters.and_then(|parameters| parameters.as_oid().ok());
            curve == Some(OID_EC_P256)
        };
        let (Algorithm::Es256, Numbers::Point(point)) = (self.key.algorithm, &self.key.numbers)
        else {
            return Err(Refusal::Statement);
        };
        if self.chain()?.len() != 1 || !of_curve(&signer) {
            return Err(Refusal::Statement);
        }
        let message = [
            &[0],
            self.data.rp_id_hash.as_slice(),
            self.client_data_hash,
            self.attested.credential_id,
            point,
        ]
        .concat();
        let key =
            aws_lc_rs::signature::UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key_of(&signer));
        key.verify(&message, self.bytes("sig")?).map_err(|_| Refusal::Signature)?;
        Ok(Attestation::Certificate)
    }

    /// Whether a certificate names no other model than the device does.
    pub(super) fn is_of_model(&self, certificate: &X509Certificate<'_>) -> bool {
        let Ok(found) = certificate.get_extension_unique(&AAGUID) else { return false };
        found.is_none_or(|found| {
            // An octet string of sixteen bytes.
            let model = found.value.strip_prefix(&[0x04, 0x10]);
            !found.critical && model == Some(self.attested.aaguid.as_slice())
        })
    }

    /// Whether the key of a certificate is the new key.
    pub(super) fn is_the_key(&self, certificate: &X509Certificate<'_>) -> bool {
        match &self.key.numbers {
            Numbers::Point(point) => key_of(certificate) == point.as_slice(),
            Numbers::Rsa(n, e) => crate::material::certificate::rsa_numbers(key_of(certificate))
                .is_some_and(|(modulus, exponent)| modulus == n && exponent == e),
        }
    }
}

/// The public key of a certificate, without what it is.
pub(super) fn key_of<'a>(certificate: &'a X509Certificate<'_>) -> &'a [u8] {
    &certificate.public_key().subject_public_key.data
}

/// Whether a certificate is for no other use than attestation. Source: 8.2.1.
fn is_attestation(certificate: &X509Certificate<'_>) -> bool {
    let subject = |of: Oid<'_>| subject(certificate, &of);
    certificate.version() == X509Version::V3
        && subject(OID_X509_COUNTRY_NAME).is_some_and(|country| country.len() == 2)
        && subject(OID_X509_ORGANIZATION_NAME).is_some()
        && subject(OID_X509_ORGANIZATIONAL_UNIT).as_deref() == Some("Authenticator Attestation")
        && subject(OID_X509_COMMON_NAME).is_some()
        && is_no_authority(certificate)
}

/// An attribute of the subject of a certificate that stands once and says something.
fn subject(certificate: &X509Certificate<'_>, of: &Oid<'_>) -> Option<String> {
    let mut values = certificate.subject().iter_by_oid(of);
    let first = values.next()?.as_str().ok()?;
    (!first.is_empty() && values.next().is_none()).then(|| first.to_owned())
}

/// Whether a certificate says that it issues no others.
pub(super) fn is_no_authority(certificate: &X509Certificate<'_>) -> bool {
    let constraints = certificate.basic_constraints().ok().flatten();
    constraints.is_some_and(|constraints| !constraints.value.ca)
}
