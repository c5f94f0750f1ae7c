//! X.509 certificates: what they are valid for, and whether a chain holds together.
//!
//! Nothing here says whom to trust: a certificate that is stored is only one that can be read.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use jiff::Timestamp;
use x509_parser::certificate::X509Certificate;
use x509_parser::oid_registry as oid;
use x509_parser::prelude::FromDer as _;
use x509_parser::x509::SubjectPublicKeyInfo;
use zeroize::Zeroizing;

use super::{der, pem};
use crate::ports::hex;

/// The most bytes of a certificate: what fits the 16,384 characters of a body.
const MAX_DER: usize = 12 * 1024;
/// The most certificates of a chain. Chains in use have up to four.
const MAX_CHAIN: usize = 16;
/// The most bytes of their text.
const MAX_TEXT: usize = MAX_CHAIN * 17 * 1024;

/// The text is no certificate in PEM, or one that is too large or too deep.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Unreadable;

/// A certificate of a chain is not the issuer of the one before it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ChainError {
    /// The chain cannot be read.
    Unreadable,
    /// The certificate at this place, from 0, does not continue it.
    Broken(usize),
}

/// A certificate that was read.
pub(crate) struct Certificate {
    der: Zeroizing<Vec<u8>>,
    /// Before this instant it is not valid.
    pub(crate) begins: Timestamp,
    /// After this instant it is not valid.
    pub(crate) ends: Timestamp,
    /// The public key: of RSA the two numbers in DER, of curves the point.
    pub(crate) public_key: Vec<u8>,
}

impl Certificate {
    /// The one certificate of a PEM text.
    pub(crate) fn read(text: &str) -> Result<Self, Unreadable> {
        let mut certificates = read_all(text, 1)?;
        certificates.pop().ok_or(Unreadable)
    }

    /// Whether an instant lies within its validity.
    pub(crate) fn is_valid_at(&self, now: Timestamp) -> bool {
        self.begins <= now && now <= self.ends
    }

    /// The SHA-256 of the certificate, in hexadecimal digits.
    pub(crate) fn digest(&self) -> String {
        hex(digest(&SHA256, &self.der).as_ref())
    }

    /// Checks that each certificate of a chain issued the one before it, beginning with the issuer
    /// of this one. The last need not be a root. A signature by an algorithm that is not known
    /// breaks the chain.
    pub(crate) fn check_chain(&self, text: &str) -> Result<(), ChainError> {
        let chain = read_all(text, MAX_CHAIN).map_err(|Unreadable| ChainError::Unreadable)?;
        let mut issued = self;
        for (place, issuer) in chain.iter().enumerate() {
            if !issued.is_issued_by(issuer) {
                return Err(ChainError::Broken(place));
            }
            issued = issuer;
        }
        Ok(())
    }

    fn is_issued_by(&self, issuer: &Self) -> bool {
        let (Some(own), Some(above)) = (parse(&self.der), parse(&issuer.der)) else {
            return false;
        };
        own.issuer().as_raw() == above.subject().as_raw() && is_signed(&own, &above)
    }
}

fn read_all(text: &str, most: usize) -> Result<Vec<Certificate>, Unreadable> {
    if text.len() > MAX_TEXT {
        return Err(Unreadable);
    }
    let blocks = pem::blocks(text, most).ok_or(Unreadable)?;
    let read = |block: pem::Block<'_>| {
        let certificate = (block.label == "CERTIFICATE").then(|| parse(&block.der)).flatten();
        let (begins, ends, public_key) = {
            let certificate = certificate.ok_or(Unreadable)?;
            let validity = certificate.validity();
            let key = certificate.public_key().subject_public_key.data.to_vec();
            (instant(validity.not_before.timestamp()), instant(validity.not_after.timestamp()), key)
        };
        Ok(Certificate { der: block.der, begins, ends, public_key })
    };
    blocks.into_iter().map(read).collect()
}

/// A time of a certificate; one beyond what can be told is the last that can.
fn instant(seconds: i64) -> Timestamp {
    let bound = if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_second(seconds).unwrap_or(bound)
}

/// A certificate in DER, if it is within the bounds.
pub(crate) fn parse(bytes: &[u8]) -> Option<X509Certificate<'_>> {
    if bytes.len() > MAX_DER || !der::is_bounded(bytes) {
        return None;
    }
    let (rest, certificate) = X509Certificate::from_der(bytes).ok()?;
    rest.is_empty().then_some(certificate)
}

/// The modulus and the exponent of the RSA key of a certificate, without leading zeros.
pub(crate) fn rsa_numbers(key: &[u8]) -> Option<(&[u8], &[u8])> {
    der::rsa_numbers(key)
}

fn is_signed(own: &X509Certificate<'_>, above: &X509Certificate<'_>) -> bool {
    let key = above.public_key();
    let Some(algorithm) = algorithm(own, key) else { return false };
    UnparsedPublicKey::new(algorithm, &*key.subject_public_key.data)
        .verify(own.tbs_certificate.as_ref(), &own.signature_value.data)
        .is_ok()
}

/// How a certificate is signed by a key.
fn algorithm(
    issued: &X509Certificate<'_>,
    key: &SubjectPublicKeyInfo<'_>,
) -> Option<&'static dyn VerificationAlgorithm> {
    let signed = &issued.signature_algorithm.algorithm;
    let rsa: [(_, &'static dyn VerificationAlgorithm); 3] = [
        (oid::OID_PKCS1_SHA256WITHRSA, &signature::RSA_PKCS1_2048_8192_SHA256),
        (oid::OID_PKCS1_SHA384WITHRSA, &signature::RSA_PKCS1_2048_8192_SHA384),
        (oid::OID_PKCS1_SHA512WITHRSA, &signature::RSA_PKCS1_2048_8192_SHA512),
    ];
    if let Some((_, algorithm)) = rsa.iter().find(|(known, _)| known == signed) {
        return Some(*algorithm);
    }
    if *signed == oid::OID_SIG_ED25519 {
        return Some(&signature::ED25519);
    }
    let curve = key.algorithm.parameters.as_ref()?.as_oid().ok()?;
    let curves: [(_, _, &'static dyn VerificationAlgorithm); 9] = [
        (oid::OID_EC_P256, oid::OID_SIG_ECDSA_WITH_SHA256, &signature::ECDSA_P256_SHA256_ASN1),
        (oid::OID_EC_P256, oid::OID_SIG_ECDSA_WITH_SHA384, &signature::ECDSA_P256_SHA384_ASN1),
        (oid::OID_EC_P256, oid::OID_SIG_ECDSA_WITH_SHA512, &signature::ECDSA_P256_SHA512_ASN1),
        (oid::OID_NIST_EC_P384, oid::OID_SIG_ECDSA_WITH_SHA256, &signature::ECDSA_P384_SHA256_ASN1),
        (oid::OID_NIST_EC_P384, oid::OID_SIG_ECDSA_WITH_SHA384, &signature::ECDSA_P384_SHA384_ASN1),
        (oid::OID_NIST_EC_P384, oid::OID_SIG_ECDSA_WITH_SHA512, &signature::ECDSA_P384_SHA512_ASN1),
        (oid::OID_NIST_EC_P521, oid::OID_SIG_ECDSA_WITH_SHA256, &signature::ECDSA_P521_SHA256_ASN1),
        (oid::OID_NIST_EC_P521, oid::OID_SIG_ECDSA_WITH_SHA384, &signature::ECDSA_P521_SHA384_ASN1),
        (oid::OID_NIST_EC_P521, oid::OID_SIG_ECDSA_WITH_SHA512, &signature::ECDSA_P521_SHA512_ASN1),
    ];
    let known = curves.iter().find(|(of, hash, _)| *of == curve && hash == signed);
    known.map(|(_, _, algorithm)| *algorithm)
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! fixture {
        ($name:literal) => {
            include_str!(concat!("../../../testkit/src/certificates/", $name))
        };
    }

    const LEAF: &str = fixture!("leaf.pem");

    #[test]
    fn validity_is_the_certificates() {
        let certificate = Certificate::read(LEAF).unwrap();
        assert_eq!(certificate.begins.to_string(), "2020-01-01T00:00:00Z");
        assert_eq!(certificate.ends.to_string(), "2120-01-01T00:00:00Z");
        for (at, valid) in [
            ("2019-12-31T23:59:59Z", false),
            ("2020-01-01T00:00:00Z", true),
            ("2120-01-01T00:00:00Z", true),
            ("2120-01-01T00:00:01Z", false),
        ] {
            assert_eq!(certificate.is_valid_at(at.parse().unwrap()), valid, "{at}");
        }
        assert_eq!(certificate.digest().len(), 64);
    }

    #[test]
    fn chains_hold_together_or_say_where_not() {
        let leaf = Certificate::read(LEAF).unwrap();
        let chain = fixture!("chain.pem");
        let (first, _) = chain.split_at(chain.rfind("-----BEGIN").unwrap());
        for (text, expected) in [
            (chain, Ok(())),
            (first, Ok(())),
            (fixture!("chain-swapped.pem"), Err(ChainError::Broken(0))),
            (&format!("{first}{LEAF}"), Err(ChainError::Broken(1))),
            (fixture!("signing-a.pem"), Err(ChainError::Broken(0))),
            ("", Err(ChainError::Unreadable)),
            ("words", Err(ChainError::Unreadable)),
            (&chain.repeat(9), Err(ChainError::Unreadable)),
        ] {
            assert_eq!(leaf.check_chain(text), expected, "{text:.80}");
        }
        // A root may stand at the end of its own chain.
        let signed = Certificate::read(fixture!("signing-a.pem")).unwrap();
        assert_eq!(signed.check_chain(fixture!("signing-a.pem")), Ok(()));
    }

    /// Threats G: whatever is sent, it is refused and nothing breaks.
    #[test]
    fn tm_g02_every_damaged_certificate_is_refused_or_read() {
        let good = pem::blocks(LEAF, 1).unwrap().remove(0).der;
        for place in 0..good.len() {
            for bit in [0x01, 0x20, 0x80] {
                let mut bytes = good.to_vec();
                bytes[place] ^= bit;
                let _ = Certificate::read(&pem::print("CERTIFICATE", &bytes));
            }
            let cut = pem::print("CERTIFICATE", &good[..place]);
            assert!(Certificate::read(&cut).is_err(), "cut at {place}");
        }
        let longer = [&good[..], &[0]].concat();
        assert!(Certificate::read(&pem::print("CERTIFICATE", &longer)).is_err());
        assert!(Certificate::read(&pem::print("X509 CRL", &good)).is_err());
        assert!(Certificate::read(&LEAF.repeat(2)).is_err(), "two");
        let deep = [0x30, 0x80].repeat(6000);
        assert!(Certificate::read(&pem::print("CERTIFICATE", &deep)).is_err());
    }
}
