//! Keys that sign JSON Web Tokens: making, sealing, publishing and using them.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use bailiwick_model::{TokenAlgorithm, TokenKey};
use bailiwick_store::seal::{Binding, Keyring, Purpose};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value as Json, json};
use zeroize::Zeroizing;

use super::der;

/// A new key that is not sealed yet.
pub(crate) struct NewKey {
    algorithm: TokenAlgorithm,
    private: Zeroizing<Vec<u8>>,
    public: Vec<u8>,
}

impl NewKey {
    /// Makes a key; one of RSA takes some tenths of a second. The library draws its randomness
    /// from the system. None when it fails.
    pub(crate) fn generate(algorithm: TokenAlgorithm) -> Option<Self> {
        let (private, public) = match algorithm {
            TokenAlgorithm::Rs256 => {
                let key = RsaKeyPair::generate(KeySize::Rsa2048).ok()?;
                (key.as_der().ok()?.as_ref().to_vec(), key.public_key().as_ref().to_vec())
            }
            TokenAlgorithm::Es384 => {
                let key = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).ok()?;
                (key.to_pkcs8v1().ok()?.as_ref().to_vec(), key.public_key().as_ref().to_vec())
            }
        };
        Some(Self { algorithm, private: Zeroizing::new(private), public })
    }

    /// The key as it is kept under this id.
    pub(crate) fn seal(&self, keyring: &Keyring, id: String, nonce: [u8; 12]) -> Option<TokenKey> {
        let sealed = keyring.seal(Purpose::SigningKey, &binding(&id), &self.private, nonce);
        let sealed = sealed.ok()?.into();
        let public = self.public.as_slice().into();
        Some(TokenKey { id, algorithm: self.algorithm, sealed, public })
    }
}

fn binding(id: &str) -> Binding<'_> {
    Binding { kind: "token-key", id: id.as_bytes(), version: 1 }
}

/// The name of an algorithm. Source: RFC 7518, 3.1.
pub(crate) const fn name(algorithm: TokenAlgorithm) -> &'static str {
    match algorithm {
        TokenAlgorithm::Rs256 => "RS256",
        TokenAlgorithm::Es384 => "ES384",
    }
}

/// Signs claims. None when the key does not open.
pub(crate) fn sign(keyring: &Keyring, key: &TokenKey, claims: &Json) -> Option<String> {
    let opened = keyring.open(Purpose::SigningKey, &binding(&key.id), &key.sealed).ok()?;
    let header = json!({"alg": name(key.algorithm), "kid": key.id, "typ": "JWT"});
    let text = |value: &Json| URL_SAFE_NO_PAD.encode(value.to_string());
    let mut token = format!("{}.{}", text(&header), text(claims));
    let random = SystemRandom::new();
    let signature = match key.algorithm {
        TokenAlgorithm::Rs256 => {
            let pair = RsaKeyPair::from_pkcs8(&opened).ok()?;
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(&RSA_PKCS1_SHA256, &random, token.as_bytes(), &mut signature).ok()?;
            signature
        }
        TokenAlgorithm::Es384 => {
            let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &opened).ok()?;
            pair.sign(&random, token.as_bytes()).ok()?.as_ref().to_vec()
        }
    };
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    Some(token)
}

/// The public half as services outside read it. Source: RFC 7517 and RFC 7518, 6.
pub(crate) fn published(key: &TokenKey) -> Option<Json> {
    let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let algorithm = name(key.algorithm);
    match key.algorithm {
        TokenAlgorithm::Rs256 => {
            let (modulus, exponent) = der::rsa_numbers(&key.public)?;
            Some(json!({
                "kty": "RSA", "use": "sig", "alg": algorithm, "kid": key.id,
                "n": number(modulus), "e": number(exponent),
            }))
        }
        TokenAlgorithm::Es384 => {
            // An uncompressed point: a mark and two numbers of 48 bytes.
            let (x, y) = key.public.strip_prefix(&[4])?.split_at_checked(48)?;
            Some(json!({
                "kty": "EC", "crv": "P-384", "use": "sig", "alg": algorithm, "kid": key.id,
                "x": number(x), "y": number(y),
            }))
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{
        ECDSA_P384_SHA384_FIXED, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
        VerificationAlgorithm,
    };

    use super::*;

    #[test]
    fn tokens_verify_under_the_published_key_and_no_other() {
        let keyring = Keyring::from_bytes([7; 32]).unwrap();
        for algorithm in [TokenAlgorithm::Rs256, TokenAlgorithm::Es384] {
            let made = NewKey::generate(algorithm).unwrap();
            let key = made.seal(&keyring, "k1".into(), [1; 12]).unwrap();
            let token = sign(&keyring, &key, &json!({"sub": "alice"})).unwrap();
            let (signed, signature) = token.rsplit_once('.').unwrap();
            let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
            let how: &dyn VerificationAlgorithm = match algorithm {
                TokenAlgorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
                TokenAlgorithm::Es384 => &ECDSA_P384_SHA384_FIXED,
            };
            let verify = |public: &[u8]| {
                UnparsedPublicKey::new(how, public).verify(signed.as_bytes(), &signature)
            };
            verify(&key.public).unwrap();
            let other = NewKey::generate(algorithm).unwrap();
            verify(&other.public).unwrap_err();
            // Under another id the sealed key does not open (L02).
            assert!(
                sign(&keyring, &TokenKey { id: "k2".into(), ..key.clone() }, &json!({})).is_none()
            );
            let shown = published(&key).unwrap();
            assert_eq!(shown["kid"], "k1");
            assert_eq!(shown["alg"], name(algorithm));
            assert!(!shown.to_string().contains("\"d\""));
        }
    }

    #[test]
    fn the_numbers_of_an_rsa_key() {
        let key = NewKey::generate(TokenAlgorithm::Rs256).unwrap();
        let (modulus, exponent) = der::rsa_numbers(&key.public).unwrap();
        assert_eq!((modulus.len(), exponent), (256, &[1, 0, 1][..]));
        assert!(der::rsa_numbers(&key.public[..20]).is_none());
        assert!(der::rsa_numbers(&[]).is_none());
    }
}
