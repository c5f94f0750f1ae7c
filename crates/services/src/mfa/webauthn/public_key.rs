//! Public keys in COSE, and what is signed with them. Source: RFC 9052, 7; RFC 9053, 2 and 7; 5.8.5.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA512_ASN1, ED25519,
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
    VerificationAlgorithm,
};
use coset::cbor::value::Value;
use coset::iana::{Algorithm as Cose, EllipticCurve, EnumI64 as _, KeyType};
use coset::{AsCborValue as _, CoseKey, Label, RegisteredLabel, RegisteredLabelWithPrivate};
use ed448_goldilocks::{Signature as Ed448Signature, VerifyingKey as Ed448Key};

use super::{Refusal, item};

/// The labels of a key's numbers: the curve or modulus, x or exponent, y. Source: RFC 9053, 7.1.1;
/// RFC 8230, 4.
const FIRST: i64 = -1;
const SECOND: i64 = -2;
const THIRD: i64 = -3;

/// What keys sign with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Algorithm {
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
    /// ECDSA with P-384 and SHA-384.
    Es384,
    /// ECDSA with P-521 and SHA-512.
    Es512,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// Ed448.
    Ed448,
}

impl Algorithm {
    /// Those that are offered, the most welcome first.
    pub(crate) const OFFERED: [Self; 6] =
        [Self::Es256, Self::EdDsa, Self::Es384, Self::Es512, Self::Rs256, Self::Ed448];

    /// The number that COSE gives it.
    pub(crate) fn number(self) -> i64 {
        match self {
            Self::Es256 => Cose::ES256,
            Self::EdDsa => Cose::EdDSA,
            Self::Es384 => Cose::ES384,
            Self::Es512 => Cose::ES512,
            Self::Rs256 => Cose::RS256,
            Self::Ed448 => Cose::Ed448,
        }
        .to_i64()
    }

    /// The algorithm of a number, if it is offered.
    pub(super) fn of(number: i64) -> Result<Self, Refusal> {
        let known = Self::OFFERED.into_iter().find(|algorithm| algorithm.number() == number);
        known.ok_or(Refusal::Algorithm)
    }

    /// Verifies a signature by a key in the form that certificates have: a point, 32 or 57 bytes, or
    /// the two numbers of RSA in DER.
    pub(super) fn verify(self, key: &[u8], message: &[u8], sig: &[u8]) -> Result<(), Refusal> {
        let verified = match self.verification() {
            Some(how) => UnparsedPublicKey::new(how, key).verify(message, sig).is_ok(),
            None => ed448(key).zip(Ed448Signature::try_from(sig).ok()).is_some_and(|(key, sig)| {
                // Not the prehashed form, and no context: RFC 9053, 2.2.
                key.verify_raw(&sig, message).is_ok()
            }),
        };
        if verified { Ok(()) } else { Err(Refusal::Signature) }
    }

    /// How the crypto library verifies; nothing for the one that it does not have.
    fn verification(self) -> Option<&'static dyn VerificationAlgorithm> {
        Some(match self {
            Self::Es256 => &ECDSA_P256_SHA256_ASN1,
            Self::EdDsa => &ED25519,
            Self::Es384 => &ECDSA_P384_SHA384_ASN1,
            Self::Es512 => &ECDSA_P521_SHA512_ASN1,
            Self::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
            Self::Ed448 => return None,
        })
    }

    /// Whether these bytes are a key: a point beside the curve is none.
    fn takes(self, key: &[u8]) -> bool {
        match self.verification() {
            Some(how) => ParsedPublicKey::new(how, key).is_ok(),
            None => ed448(key).is_some(),
        }
    }
}

fn ed448(key: &[u8]) -> Option<Ed448Key> {
    Ed448Key::from_bytes(key.try_into().ok()?).ok()
}

/// A public key.
pub(super) struct PublicKey {
    pub(super) algorithm: Algorithm,
    pub(super) numbers: Numbers,
}

/// What it is made of.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Numbers {
    /// A point of a curve, uncompressed, or the bytes of one of Edwards.
    Point(Vec<u8>),
    /// Modulus and exponent, without leading zeros.
    Rsa(Vec<u8>, Vec<u8>),
}

impl PublicKey {
    /// A key of an algorithm that is offered, and that is a key of it.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let unreadable = Refusal::Unreadable("the public key");
        let (value, rest) = item(bytes).ok_or(unreadable)?;
        let key = CoseKey::from_cbor_value(value).map_err(|_| unreadable)?;
        if !rest.is_empty() {
            return Err(unreadable);
        }
        let algorithm = match &key.alg {
            Some(RegisteredLabelWithPrivate::Assigned(number)) => Algorithm::of(number.to_i64())?,
            _ => return Err(Refusal::Algorithm),
        };
        let numbers = numbers(&key, algorithm).ok_or(unreadable)?;
        Ok(Self { algorithm, numbers })
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Refusal> {
        match &self.numbers {
            Numbers::Point(point) => self.algorithm.verify(point, message, signature),
            Numbers::Rsa(n, e) => RsaPublicKeyComponents { n, e }
                .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
                .map_err(|_| Refusal::Signature),
        }
    }
}

/// The numbers of a key, if its type and curve are those of its algorithm.
fn numbers(key: &CoseKey, algorithm: Algorithm) -> Option<Numbers> {
    let RegisteredLabel::Assigned(kind) = key.kty else { return None };
    let of = |label| key.params.iter().find(|(at, _)| *at == Label::Int(label)).map(|(_, v)| v);
    let bytes = |label| of(label).and_then(Value::as_bytes);
    let curve = |curve: EllipticCurve| {
        let named = of(FIRST)?.as_integer().and_then(|number| i64::try_from(number).ok())?;
        (named == curve.to_i64()).then_some(())
    };
    let (expected, named, length) = match algorithm {
        Algorithm::Es256 => (KeyType::EC2, EllipticCurve::P_256, 32),
        Algorithm::Es384 => (KeyType::EC2, EllipticCurve::P_384, 48),
        Algorithm::Es512 => (KeyType::EC2, EllipticCurve::P_521, 66),
        Algorithm::EdDsa => (KeyType::OKP, EllipticCurve::Ed25519, 32),
        Algorithm::Ed448 => (KeyType::OKP, EllipticCurve::Ed448, 57),
        Algorithm::Rs256 => {
            let (n, e) = (bytes(FIRST)?, bytes(SECOND)?);
            // 2,048 to 8,192 bits: what verification takes.
            let fits = (256..=1024).contains(&n.len()) && (1..=8).contains(&e.len());
            let minimal = n.first() != Some(&0) && e.first() != Some(&0);
            let odd = e.last().is_some_and(|last| last & 1 == 1) && e != &[1];
            let fine = kind == KeyType::RSA && fits && minimal && odd;
            return fine.then(|| Numbers::Rsa(n.clone(), e.clone()));
        }
    };
    curve(named)?;
    let x = bytes(SECOND).filter(|x| kind == expected && x.len() == length)?;
    let point = if kind == KeyType::EC2 {
        let y = bytes(THIRD).filter(|y| y.len() == length)?;
        [&[4], x.as_slice(), y.as_slice()].concat()
    } else {
        x.clone()
    };
    algorithm.takes(&point).then_some(Numbers::Point(point))
}
