//! Private keys, only to find out which public key is theirs.

use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING,
    EcdsaKeyPair, KeyPair as _,
};
use bailiwick_wire::Secret;

use super::{der, pem};

/// The most bytes of a key: what fits the 16,384 characters of its text.
const MAX_DER: usize = 12 * 1024;

/// The public key that belongs to a private key in PEM: of RSA the two numbers in DER, of curves the
/// point, as certificates have them. RSA of 2,048 bits and more, and the curves P-256, P-384 and
/// P-521, in PKCS #8, PKCS #1 or SEC 1. None for what is no such key, encrypted ones among it.
pub(crate) fn public_key(text: &Secret) -> Option<Vec<u8>> {
    let blocks = pem::blocks(text.expose(), 2)?;
    // OpenSSL writes the curve in front of a key of one.
    let (parameters, key) = match blocks.as_slice() {
        [key] => (None, key),
        [parameters, key] => (Some(parameters), key),
        _ => return None,
    };
    if parameters.is_some_and(|block| block.label != "EC PARAMETERS") {
        return None;
    }
    let bytes = key.der.as_slice();
    if bytes.len() > MAX_DER || !der::is_bounded(bytes) {
        return None;
    }
    match key.label {
        "RSA PRIVATE KEY" => rsa::KeyPair::from_der(bytes).ok().map(of_rsa),
        "EC PRIVATE KEY" => of_curve(bytes),
        "PRIVATE KEY" => {
            rsa::KeyPair::from_pkcs8(bytes).ok().map(of_rsa).or_else(|| of_curve(bytes))
        }
        _ => None,
    }
}

#[allow(clippy::needless_pass_by_value, reason = "it is the end of the key")]
fn of_rsa(key: rsa::KeyPair) -> Vec<u8> {
    key.public_key().as_ref().to_vec()
}

fn of_curve(bytes: &[u8]) -> Option<Vec<u8>> {
    let curves = [
        &ECDSA_P256_SHA256_ASN1_SIGNING,
        &ECDSA_P384_SHA384_ASN1_SIGNING,
        &ECDSA_P521_SHA512_ASN1_SIGNING,
    ];
    let key = |curve| EcdsaKeyPair::from_private_key_der(curve, bytes).ok();
    curves.into_iter().find_map(key).map(|key| key.public_key().as_ref().to_vec())
}

#[cfg(test)]
mod tests {
    use super::super::certificate::Certificate;
    use super::*;

    macro_rules! fixture {
        ($name:literal) => {
            include_str!(concat!("../../../testkit/src/certificates/", $name))
        };
    }

    #[test]
    fn keys_know_their_certificates() {
        let parameters =
            "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
        let with_parameters = format!("{parameters}{}", fixture!("leaf-key-sec1.pem"));
        for (certificate, key, fits) in [
            (fixture!("leaf.pem"), fixture!("leaf-key.pem"), true),
            (fixture!("leaf.pem"), fixture!("leaf-key-sec1.pem"), true),
            (fixture!("leaf.pem"), &with_parameters, true),
            (fixture!("leaf.pem"), fixture!("other-key.pem"), false),
            (fixture!("leaf.pem"), fixture!("rsa-key.pem"), false),
            (fixture!("rsa.pem"), fixture!("rsa-key.pem"), true),
            (fixture!("rsa.pem"), fixture!("rsa-key-pkcs8.pem"), true),
            (fixture!("p521.pem"), fixture!("p521-key.pem"), true),
        ] {
            let certificate = Certificate::read(certificate).unwrap();
            let public = public_key(&key.into()).unwrap();
            assert_eq!(public == certificate.public_key, fits);
        }
    }

    #[test]
    fn tm_g02_what_is_no_key_is_refused() {
        let key = fixture!("leaf-key.pem");
        for text in [
            "",
            "words",
            fixture!("leaf.pem"),
            fixture!("ssh-a.pem"),
            &key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"),
            &key.repeat(2),
            &key.replace("PRIVATE KEY", "RSA PRIVATE KEY"),
        ] {
            assert!(public_key(&text.into()).is_none(), "{text:.60}");
        }
        let good = pem::blocks(key, 1).unwrap().remove(0).der;
        for place in 0..good.len() {
            let _ = public_key(&pem::print("PRIVATE KEY", &good[..place]).into());
            let mut bytes = good.to_vec();
            bytes[place] ^= 0x41;
            let _ = public_key(&pem::print("PRIVATE KEY", &bytes).into());
        }
    }
}
