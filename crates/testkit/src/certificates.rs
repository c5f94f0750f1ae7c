//! Certificates and keys for tests, valid from 2020 to 2119 unless they are named otherwise. None of
//! them is used for anything else.

/// A certificate of P-256, issued by the first of [`CHAIN`].
pub const LEAF: &str = include_str!("certificates/leaf.pem");
/// Its private key in PKCS #8.
pub const LEAF_KEY: &str = include_str!("certificates/leaf-key.pem");
/// The same in SEC 1.
pub const LEAF_KEY_SEC1: &str = include_str!("certificates/leaf-key-sec1.pem");
/// An intermediate certificate of RSA, and its root of P-384.
pub const CHAIN: &str = include_str!("certificates/chain.pem");
/// The same two in the wrong order.
pub const CHAIN_SWAPPED: &str = include_str!("certificates/chain-swapped.pem");
/// A private key of P-256 that is no certificate's.
pub const OTHER_KEY: &str = include_str!("certificates/other-key.pem");
/// A certificate of [`LEAF_KEY`] that ended with 2020.
pub const EXPIRED: &str = include_str!("certificates/expired.pem");
/// A certificate of [`LEAF_KEY`] that begins with 2119.
pub const FUTURE: &str = include_str!("certificates/future.pem");
/// A certificate of RSA, 2,048 bits.
pub const RSA: &str = include_str!("certificates/rsa.pem");
/// Its private key in PKCS #1.
pub const RSA_KEY: &str = include_str!("certificates/rsa-key.pem");
/// The same in PKCS #8.
pub const RSA_KEY_PKCS8: &str = include_str!("certificates/rsa-key-pkcs8.pem");
/// SAML metadata of an identity provider that signs with [`RSA_KEY`].
pub fn saml_metadata(entity_id: &str) -> String {
    let certificate: String = RSA.lines().filter(|line| !line.contains('-')).collect();
    format!(
        "<?xml version=\"1.0\"?>\n<EntityDescriptor \
         xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{entity_id}\" \
         validUntil=\"2099-01-02T03:04:05Z\"><IDPSSODescriptor \
         protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">\
         <KeyDescriptor use=\"signing\"><KeyInfo xmlns=\"http://www.w3.org/2000/09/xmldsig#\">\
         <X509Data><X509Certificate>{certificate}</X509Certificate></X509Data></KeyInfo>\
         </KeyDescriptor><SingleSignOnService \
         Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" \
         Location=\"https://idp.example.com/sso\"/></IDPSSODescriptor></EntityDescriptor>\n"
    )
}

/// A certificate of P-521.
pub const P521: &str = include_str!("certificates/p521.pem");
/// Its private key.
pub const P521_KEY: &str = include_str!("certificates/p521-key.pem");
/// Three certificates that sign for themselves.
pub const SIGNING: [&str; 3] = [
    include_str!("certificates/signing-a.pem"),
    include_str!("certificates/signing-b.pem"),
    include_str!("certificates/signing-c.pem"),
];
/// Three SSH public keys of RSA, with comments.
pub const SSH: [&str; 3] = [
    include_str!("certificates/ssh-a.pub"),
    include_str!("certificates/ssh-b.pub"),
    include_str!("certificates/ssh-c.pub"),
];
/// The first of [`SSH`] in PEM, as `SubjectPublicKeyInfo`.
pub const SSH_PEM: &str = include_str!("certificates/ssh-a.pem");
/// The first of [`SSH`] in PEM of PKCS #1.
pub const SSH_PKCS1: &str = include_str!("certificates/ssh-a-pkcs1.pem");
/// The MD5 of the first of [`SSH`], as `ssh-keygen -E md5 -l` prints it.
pub const SSH_FINGERPRINT: &str = "59:cf:77:c8:6c:a2:b3:1a:2c:1a:7e:ed:96:d2:0b:31";
/// An SSH public key of 1,024 bits.
pub const SSH_SHORT: &str = include_str!("certificates/ssh-short.pub");
