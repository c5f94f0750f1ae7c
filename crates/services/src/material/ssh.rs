//! SSH public keys. AWS takes RSA of 2,048 bits and more, as an SSH line or in PEM. Source: IAM API,
//! UploadSSHPublicKey, and RFC 4253, 6.6.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::{PublicKey, RSAPublicKey};
use x509_parser::x509::SubjectPublicKeyInfo;

use super::{der, pem};
use crate::ports::hex;

/// The bits that a modulus may have. The upper bound is that of OpenSSH.
const BITS: std::ops::RangeInclusive<usize> = 2048..=16_384;
/// The most bytes of an exponent.
const MAX_EXPONENT: usize = 8;

/// Why a text is no key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum KeyError {
    /// It is neither an SSH line of an RSA key nor PEM of a public key.
    Encoding,
    /// It looks like one, and is none.
    Invalid,
}

/// An RSA key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct SshKey {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
    comment: Option<String>,
}

impl SshKey {
    /// Reads an SSH line or PEM.
    pub(crate) fn read(text: &str) -> Result<Self, KeyError> {
        let text = text.trim_ascii();
        if text.starts_with("-----BEGIN ") { Self::read_pem(text) } else { Self::read_line(text) }
    }

    fn read_line(text: &str) -> Result<Self, KeyError> {
        let Some(rest) = text.strip_prefix("ssh-rsa").filter(|rest| rest.starts_with([' ', '\t']))
        else {
            return Err(KeyError::Encoding);
        };
        let rest = rest.trim_ascii();
        if rest.contains(['\n', '\r']) {
            return Err(KeyError::Invalid);
        }
        let (blob, comment) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
        let blob = STANDARD.decode(blob).map_err(|_| KeyError::Invalid)?;
        let mut rest = blob.as_slice();
        let mut part = || string(&mut rest).ok_or(KeyError::Invalid);
        let (kind, exponent, modulus) = (part()?, part()?, part()?);
        if kind != b"ssh-rsa" || !rest.is_empty() {
            return Err(KeyError::Invalid);
        }
        // One number has one form, or one key would have two fingerprints.
        if der::positive(exponent) != exponent || der::positive(modulus) != modulus {
            return Err(KeyError::Invalid);
        }
        let comment = Some(comment.trim_ascii()).filter(|comment| !comment.is_empty());
        Self::new(modulus, exponent, comment)
    }

    fn read_pem(text: &str) -> Result<Self, KeyError> {
        let label = text.strip_prefix("-----BEGIN ").and_then(|rest| rest.split_once("-----"));
        if !matches!(label, Some(("PUBLIC KEY" | "RSA PUBLIC KEY", _))) {
            return Err(KeyError::Encoding);
        }
        let blocks = pem::blocks(text, 1).ok_or(KeyError::Invalid)?;
        let block = blocks.first().ok_or(KeyError::Invalid)?;
        if !der::is_bounded(&block.der) {
            return Err(KeyError::Invalid);
        }
        if block.label == "RSA PUBLIC KEY" {
            let (rest, key) = RSAPublicKey::from_der(&block.der).map_err(|_| KeyError::Invalid)?;
            return if rest.is_empty() { Self::of_rsa(&key) } else { Err(KeyError::Invalid) };
        }
        let (rest, info) =
            SubjectPublicKeyInfo::from_der(&block.der).map_err(|_| KeyError::Invalid)?;
        match info.parsed().map_err(|_| KeyError::Invalid)? {
            PublicKey::RSA(key) if rest.is_empty() => Self::of_rsa(&key),
            _ => Err(KeyError::Invalid),
        }
    }

    fn of_rsa(key: &RSAPublicKey<'_>) -> Result<Self, KeyError> {
        Self::new(key.modulus, key.exponent, None)
    }

    fn new(modulus: &[u8], exponent: &[u8], comment: Option<&str>) -> Result<Self, KeyError> {
        let (modulus, exponent) = (der::positive(modulus), der::positive(exponent));
        let odd = |digits: &[u8]| digits.last().is_some_and(|digit| digit & 1 == 1);
        let good = BITS.contains(&bits(&modulus))
            && exponent.len() <= MAX_EXPONENT
            && odd(&modulus)
            && odd(&exponent)
            && exponent != [1];
        let comment = comment.map(str::to_owned);
        if good { Ok(Self { modulus, exponent, comment }) } else { Err(KeyError::Invalid) }
    }

    /// The key as SSH sends it.
    fn blob(&self) -> Vec<u8> {
        let mut blob = Vec::new();
        for part in [b"ssh-rsa", self.exponent.as_slice(), &self.modulus] {
            let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
            blob.extend(length.to_be_bytes());
            blob.extend(part);
        }
        blob
    }

    /// The line of the key, with the comment it came with.
    pub(crate) fn line(&self) -> String {
        let blob = STANDARD.encode(self.blob());
        match &self.comment {
            Some(comment) => format!("ssh-rsa {blob} {comment}"),
            None => format!("ssh-rsa {blob}"),
        }
    }

    /// The key in PEM, as `SubjectPublicKeyInfo`.
    pub(crate) fn pem(&self) -> String {
        pem::print("PUBLIC KEY", &der::rsa_public_key(&self.modulus, &self.exponent))
    }

    /// The MD5 of the key, in pairs of digits between colons: as `ssh-keygen -E md5 -l` prints it.
    /// It names a key and protects nothing.
    pub(crate) fn fingerprint(&self) -> String {
        let digest = Md5::digest(self.blob());
        let pairs: Vec<String> = digest.iter().map(|byte| hex(&[*byte])).collect();
        pairs.join(":")
    }
}

/// The next string of the SSH wire, which is taken off.
fn string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, behind) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (found, behind) = behind.split_at_checked(length)?;
    *rest = behind;
    Some(found)
}

/// The bits of a positive number.
fn bits(digits: &[u8]) -> usize {
    let first = digits.iter().position(|digit| *digit != 0).unwrap_or(digits.len());
    let digits = digits.get(first..).unwrap_or_default();
    let unused = digits.first().map_or(0, |digit| digit.leading_zeros());
    digits.len().saturating_mul(8).saturating_sub(usize::try_from(unused).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! fixture {
        ($name:literal) => {
            include_str!(concat!("../../../testkit/src/certificates/", $name))
        };
    }

    const LINE: &str = fixture!("ssh-a.pub");

    fn line(parts: &[&[u8]]) -> String {
        let mut blob = Vec::new();
        for part in parts {
            blob.extend(u32::try_from(part.len()).unwrap().to_be_bytes());
            blob.extend(*part);
        }
        format!("ssh-rsa {}", STANDARD.encode(blob))
    }

    #[test]
    fn one_key_in_three_forms() {
        let key = SshKey::read(LINE).unwrap();
        assert_eq!(key.line(), LINE.trim());
        assert_eq!(key.pem(), fixture!("ssh-a.pem").trim());
        assert_eq!(key.fingerprint(), "59:cf:77:c8:6c:a2:b3:1a:2c:1a:7e:ed:96:d2:0b:31");
        for pem in [fixture!("ssh-a.pem"), fixture!("ssh-a-pkcs1.pem")] {
            let read = SshKey::read(pem).unwrap();
            assert_eq!(read, SshKey { comment: None, ..key.clone() });
            assert_eq!(SshKey::read(&read.line()), Ok(read));
        }
    }

    #[test]
    fn tm_g02_what_is_no_key_is_refused() {
        use KeyError::{Encoding, Invalid};
        let exponent = [1, 0, 1];
        let modulus = [&[0, 0x80][..], &[1; 255]].concat();
        assert!(SshKey::read(&line(&[b"ssh-rsa", &exponent, &modulus])).is_ok());
        let even = [&[0, 0x80][..], &[2; 255]].concat();
        let huge = [&[0, 0x80][..], &[1; 2048]].concat();
        let private = fixture!("leaf-key.pem");
        let elliptic = private.replace("PRIVATE", "PUBLIC");
        for (text, expected) in [
            (String::new(), Encoding),
            ("words".into(), Encoding),
            ("ssh-rsaAAAA".into(), Encoding),
            ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA== ann".into(), Encoding),
            ("---- BEGIN SSH2 PUBLIC KEY ----".into(), Encoding),
            (private.into(), Encoding),
            (fixture!("leaf.pem").into(), Encoding),
            ("ssh-rsa".into(), Encoding),
            ("ssh-rsa ".into(), Encoding),
            ("ssh-rsa not-base64".into(), Invalid),
            (format!("{}\n{LINE}", LINE.trim()), Invalid),
            (fixture!("ssh-short.pub").into(), Invalid),
            (elliptic, Invalid),
            (line(&[b"ssh-dss", &exponent, &modulus]), Invalid),
            (line(&[b"ssh-rsa", &exponent, &modulus, b""]), Invalid),
            (line(&[b"ssh-rsa", &exponent]), Invalid),
            (line(&[b"ssh-rsa", &[0, 1, 0, 1], &modulus]), Invalid),
            (line(&[b"ssh-rsa", &[1], &modulus]), Invalid),
            (line(&[b"ssh-rsa", &[0x11; 9], &modulus]), Invalid),
            (line(&[b"ssh-rsa", &[2], &modulus]), Invalid),
            (line(&[b"ssh-rsa", &exponent, &modulus[1..]]), Invalid),
            (line(&[b"ssh-rsa", &exponent, &even]), Invalid),
            (line(&[b"ssh-rsa", &exponent, &huge]), Invalid),
        ] {
            assert_eq!(SshKey::read(&text), Err(expected), "{text:.60}");
        }
        for place in 0..LINE.len() {
            let _ = SshKey::read(&LINE[..place]);
        }
    }
}
