//! Attestation by what is built into computers and telephones. Source: 8.3, 8.4, 8.8.

use x509_parser::certificate::X509Certificate;
use x509_parser::der_parser::asn1_rs::{Oid, oid};
use x509_parser::der_parser::ber::{BerObject, BerObjectContent};
use x509_parser::der_parser::der::parse_der;
use x509_parser::extensions::GeneralName;
use x509_parser::x509::X509Version;

use super::attestation::{Statement, is_no_authority, key_of};
use super::public_key::{Algorithm, Numbers};
use super::{Attestation, Refusal, sha256};

/// The use of a certificate for attestation keys of a TPM. Source: TCG EK Credential Profile, 3.2.16.
const ATTESTATION_KEY: Oid<'_> = oid!(2.23.133.8.3);
/// Manufacturer, model and version of a TPM.
const TPM_ATTRIBUTES: [Oid<'_>; 3] = [oid!(2.23.133.2.1), oid!(2.23.133.2.2), oid!(2.23.133.2.3)];
/// What Android says of a key.
const KEY_DESCRIPTION: Oid<'_> = oid!(1.3.6.1.4.1.11129.2.1.17);
/// What Apple says of a registration.
const NONCE: Oid<'_> = oid!(1.2.840.113635.100.8.2);

/// `TPM_GENERATED_VALUE` and `TPM_ST_ATTEST_CERTIFY`. Source: TPM 2.0 Library, part 2, 6.2 and 6.9.
const CERTIFIED: [u8; 6] = [0xff, 0x54, 0x43, 0x47, 0x80, 0x17];
/// `TPM_ALG_RSA`, `TPM_ALG_ECC`, `TPM_ALG_SHA256`, `TPM_ALG_NULL`. Source: part 2, 6.3.
const RSA: u16 = 0x0001;
const ECC: u16 = 0x0023;
const SHA_256: u16 = 0x000b;
const NULL: u16 = 0x0010;

/// `KM_PURPOSE_SIGN` and `KM_ORIGIN_GENERATED`, and the tags of what Android says of a key.
const SIGN: u32 = 2;
const GENERATED: u32 = 0;
const PURPOSE: u32 = 1;
const ALL_APPLICATIONS: u32 = 600;
const ORIGIN: u32 = 702;

/// A key in the TPM of a computer.
pub(super) fn tpm(statement: &Statement<'_>) -> Result<Attestation, Refusal> {
    statement.only(&["ver", "alg", "x5c", "sig", "certInfo", "pubArea"])?;
    if statement.member("ver").and_then(|version| version.as_text()) != Some("2.0") {
        return Err(Refusal::Statement);
    }
    let algorithm = statement.algorithm()?;
    // Of those that are offered, all but two sign over SHA-256.
    if !matches!(algorithm, Algorithm::Es256 | Algorithm::Rs256) {
        return Err(Refusal::Algorithm);
    }
    let (info, area) = (statement.bytes("certInfo")?, statement.bytes("pubArea")?);
    let expected = [&SHA_256.to_be_bytes(), sha256(area).as_slice()].concat();
    if !is_area_of(area, &statement.key.numbers, statement.key.algorithm)
        || certified(info, &sha256(&statement.message())) != Some(&expected)
    {
        return Err(Refusal::Statement);
    }
    let signer = statement.signer()?;
    algorithm.verify(key_of(&signer), info, statement.bytes("sig")?)?;
    if !is_of_tpm(&signer) || !statement.is_of_model(&signer) {
        return Err(Refusal::Statement);
    }
    Ok(Attestation::Certificate)
}

/// A number of bytes with their count before them.
fn sized<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk()?;
    let (bytes, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    *rest = after;
    Some(bytes)
}

fn number(rest: &mut &[u8]) -> Option<u16> {
    let (digits, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(u16::from_be_bytes(*digits))
}

/// Whether a `TPMT_PUBLIC` is of the key, and named by SHA-256. Source: part 2, 12.2.4.
fn is_area_of(area: &[u8], numbers: &Numbers, algorithm: Algorithm) -> bool {
    let read = || {
        let mut rest = area;
        let (kind, name) = (number(&mut rest)?, number(&mut rest)?);
        let (_, after) = rest.split_first_chunk::<4>()?;
        rest = after;
        let _policy = sized(&mut rest)?;
        let symmetric = number(&mut rest)?;
        // A scheme other than none has a hash behind it.
        if number(&mut rest)? != NULL {
            number(&mut rest)?;
        }
        if name != SHA_256 || symmetric != NULL {
            return None;
        }
        match numbers {
            Numbers::Rsa(modulus, exponent) if kind == RSA => {
                let bits = number(&mut rest)?;
                let (told, after) = rest.split_first_chunk()?;
                rest = after;
                let told = match u32::from_be_bytes(*told) {
                    0 => 65_537,
                    other => other,
                };
                let digits = exponent.iter().fold(0u64, |sum, digit| sum << 8 | u64::from(*digit));
                let unique = sized(&mut rest)?;
                let fine = usize::from(bits) == modulus.len() * 8 && u64::from(told) == digits;
                Some(fine && unique == modulus)
            }
            Numbers::Point(point) if kind == ECC => {
                let curve = match algorithm {
                    Algorithm::Es256 => 3,
                    Algorithm::Es384 => 4,
                    Algorithm::Es512 => 5,
                    Algorithm::EdDsa | Algorithm::Ed448 | Algorithm::Rs256 => return None,
                };
                let fine = number(&mut rest)? == curve && number(&mut rest)? == NULL;
                let unique = [&[4], sized(&mut rest)?, sized(&mut rest)?].concat();
                Some(fine && unique == *point)
            }
            _ => None,
        }
        .filter(|_| rest.is_empty())
    };
    read() == Some(true)
}

/// The name of the key that a `TPMS_ATTEST` certifies, if it was made for this registration.
/// Source: part 2, 10.12.8.
fn certified<'a>(info: &'a [u8], made_for: &[u8]) -> Option<&'a [u8]> {
    let mut rest = info.strip_prefix(&CERTIFIED)?;
    let _signer = sized(&mut rest)?;
    if sized(&mut rest)? != made_for {
        return None;
    }
    // Clock and firmware.
    let (_, after) = rest.split_first_chunk::<25>()?;
    rest = after;
    let name = sized(&mut rest)?;
    let _qualified = sized(&mut rest)?;
    rest.is_empty().then_some(name)
}

/// Whether a certificate is one for attestation keys of a TPM. Source: 8.3.1.
fn is_of_tpm(certificate: &X509Certificate<'_>) -> bool {
    let for_attestation = certificate
        .extended_key_usage()
        .ok()
        .flatten()
        .is_some_and(|usage| usage.value.other.contains(&ATTESTATION_KEY));
    let names = certificate.subject_alternative_name().ok().flatten();
    let told = |wanted: &Oid<'_>| {
        names.as_ref().is_some_and(|names| {
            names.value.general_names.iter().any(|name| match name {
                GeneralName::DirectoryName(name) => name.iter_by_oid(wanted).next().is_some(),
                _ => false,
            })
        })
    };
    certificate.version() == X509Version::V3
        && certificate.subject().iter().next().is_none()
        && TPM_ATTRIBUTES.iter().all(told)
        && for_attestation
        && is_no_authority(certificate)
}

/// The value of an extension that stands once.
fn extension<'a>(certificate: &'a X509Certificate<'_>, of: &Oid<'_>) -> Result<&'a [u8], Refusal> {
    let found = certificate.get_extension_unique(of).ok().flatten();
    found.map(|found| found.value).ok_or(Refusal::Statement)
}

/// A key in the key store of an Android telephone.
pub(super) fn android_key(statement: &Statement<'_>) -> Result<Attestation, Refusal> {
    statement.only(&["alg", "sig", "x5c"])?;
    let signer = statement.signer()?;
    let algorithm = statement.algorithm()?;
    algorithm.verify(key_of(&signer), &statement.message(), statement.bytes("sig")?)?;
    let described = extension(&signer, &KEY_DESCRIPTION)?;
    if !statement.is_the_key(&signer)
        || is_description(described, statement.client_data_hash) != Some(true)
    {
        return Err(Refusal::Statement);
    }
    Ok(Attestation::Certificate)
}

/// Whether what Android says of a key was said for this registration, and of a key for signing that
/// was made on the telephone for one application. What it leaves out is not held against it: the
/// specification's own example says nothing of these. Source: 8.4.1.
fn is_description(bytes: &[u8], made_for: &[u8]) -> Option<bool> {
    let (rest, description) = parse_der(bytes).ok()?;
    let [_, _, _, _, challenge, _, software, hardware] = description.as_sequence().ok()?.as_slice()
    else {
        return None;
    };
    let mut fine = rest.is_empty() && challenge.as_slice().ok()? == made_for;
    for said in software.as_sequence().ok()?.iter().chain(hardware.as_sequence().ok()?) {
        fine &= match said.header.tag().0 {
            ALL_APPLICATIONS => false,
            ORIGIN => inner(said)?.as_u32().ok()? == GENERATED,
            PURPOSE => {
                let purposes = inner(said)?;
                purposes.as_set().ok()?.iter().all(|purpose| purpose.as_u32() == Ok(SIGN))
            }
            _ => true,
        };
    }
    Some(fine)
}

/// What stands behind an explicit tag.
fn inner<'a>(tagged: &BerObject<'a>) -> Option<BerObject<'a>> {
    let BerObjectContent::Unknown(any) = &tagged.content else { return None };
    let (rest, value) = parse_der(any.data).ok()?;
    rest.is_empty().then_some(value)
}

/// A key in a telephone or computer of Apple's.
pub(super) fn apple(statement: &Statement<'_>) -> Result<Attestation, Refusal> {
    statement.only(&["x5c"])?;
    let signer = statement.signer()?;
    let told = extension(&signer, &NONCE)?;
    // A sequence of one element with the tag 1, which holds an octet string.
    let nonce = told.strip_prefix(&[0x30, 0x24, 0xa1, 0x22, 0x04, 0x20]);
    if nonce != Some(sha256(&statement.message()).as_slice()) || !statement.is_the_key(&signer) {
        return Err(Refusal::Statement);
    }
    Ok(Attestation::Certificate)
}
