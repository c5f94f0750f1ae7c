//! The test vectors of the specification, and what becomes of them when a field is another.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::*;

const VECTORS: &str = include_str!("../../../../../corpus/webauthn/w3c.json");

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    rp_id: String,
    origin: String,
    top_origin: String,
    vectors: Vec<Vector>,
}

#[derive(Clone, Deserialize)]
struct Vector {
    name: String,
    registration: Registration,
    authentication: Authentication,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Registration {
    #[serde(with = "hexadecimal")]
    challenge: Vec<u8>,
    #[serde(with = "hexadecimal", rename = "clientDataJSON")]
    client_data: Vec<u8>,
    #[serde(with = "hexadecimal")]
    attestation_object: Vec<u8>,
    #[serde(with = "hexadecimal")]
    credential_id: Vec<u8>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Authentication {
    #[serde(with = "hexadecimal")]
    challenge: Vec<u8>,
    #[serde(with = "hexadecimal", rename = "clientDataJSON")]
    client_data: Vec<u8>,
    #[serde(with = "hexadecimal")]
    authenticator_data: Vec<u8>,
    #[serde(with = "hexadecimal")]
    signature: Vec<u8>,
}

mod hexadecimal {
    use serde::{Deserialize as _, Deserializer};

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        let digits: Vec<_> = text.chars().map(|c| c.to_digit(16).unwrap()).collect();
        Ok(digits.chunks(2).map(|pair| u8::try_from(pair[0] << 4 | pair[1]).unwrap()).collect())
    }
}

fn read() -> (RelyingParty, Vec<Vector>) {
    let file: File = serde_json::from_str(VECTORS).unwrap();
    let party = RelyingParty {
        id: file.rp_id,
        origins: vec![file.origin],
        embedders: Some(vec![file.top_origin]),
    };
    assert_eq!(file.vectors.len(), 16);
    (party, file.vectors)
}

impl Vector {
    fn register(&self, party: &RelyingParty) -> Result<Registered, Refusal> {
        let Registration { challenge, client_data, attestation_object, .. } = &self.registration;
        let asked = Asked { party, challenge, verified: false };
        register(&asked, client_data, attestation_object)
    }

    fn assert(&self, party: &RelyingParty, by: &Registered) -> Result<Asserted, Refusal> {
        let Authentication { challenge, client_data, authenticator_data, signature } =
            &self.authentication;
        let held = Held {
            public_key: &by.public_key,
            sign_count: by.sign_count,
            backup_eligible: by.backup_eligible,
        };
        let asked = Asked { party, challenge, verified: false };
        assert(&asked, &held, client_data, authenticator_data, signature)
    }

    fn named(vectors: &[Self], name: &str) -> Self {
        vectors.iter().find(|vector| vector.name == name).unwrap().clone()
    }

    /// The same with other bytes in the attestation object.
    fn with(&self, old: &[u8], new: &[u8]) -> Self {
        let mut changed = self.clone();
        changed.registration.attestation_object =
            replaced(&self.registration.attestation_object, old, new);
        changed
    }

    /// The bytes of the authenticator data in the attestation object: it is the last member.
    fn auth_data(&self) -> std::ops::Range<usize> {
        let object = &self.registration.attestation_object;
        let data = AttestationObject::read(object).unwrap().auth_data;
        object.len() - data.len()..object.len()
    }
}

#[track_caller]
fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let place = bytes.windows(old.len()).position(|window| window == old).expect("the bytes");
    [&bytes[..place], new, &bytes[place + old.len()..]].concat()
}

#[test]
fn all_that_is_offered_is_taken() {
    let (party, vectors) = read();
    let mut seen = Vec::new();
    for vector in &vectors {
        let key = vector.register(&party).unwrap_or_else(|why| panic!("{}: {why:?}", vector.name));
        assert_eq!(key.credential_id, vector.registration.credential_id, "{}", vector.name);
        let asserted = vector.assert(&party, &key);
        assert!(asserted.is_ok(), "{}: {asserted:?}", vector.name);
        seen.push((key.algorithm, key.attestation));
    }
    for algorithm in Algorithm::OFFERED {
        assert!(seen.iter().any(|(of, _)| *of == algorithm), "{algorithm:?}");
    }
    for attestation in [Attestation::None, Attestation::Own, Attestation::Certificate] {
        assert!(seen.iter().any(|(_, of)| *of == attestation), "{attestation:?}");
    }
}

/// F07: no byte that the device signs may be another.
#[test]
fn tm_f07_each_byte_of_an_assertion_counts() {
    let (party, vectors) = read();
    for vector in &vectors {
        let key = vector.register(&party).unwrap();
        let fields: [fn(&mut Vector) -> &mut Vec<u8>; 3] = [
            |vector| &mut vector.authentication.client_data,
            |vector| &mut vector.authentication.authenticator_data,
            |vector| &mut vector.authentication.signature,
        ];
        for field in fields {
            let mut changed = vector.clone();
            for place in 0..field(&mut changed).len() {
                for bit in [0x01, 0x80] {
                    field(&mut changed)[place] ^= bit;
                    assert!(changed.assert(&party, &key).is_err(), "{} {place}", vector.name);
                    field(&mut changed)[place] ^= bit;
                }
            }
            let last = field(&mut changed).pop().unwrap();
            assert!(changed.assert(&party, &key).is_err(), "{} cut", vector.name);
            field(&mut changed).extend([last, 0]);
            assert!(changed.assert(&party, &key).is_err(), "{} longer", vector.name);
        }
    }
}

/// F07: nor one of a registration whose statement is signed.
#[test]
fn tm_f07_each_byte_of_a_signed_registration_counts() {
    let (party, vectors) = read();
    for vector in vectors.iter().filter(|vector| !vector.name.starts_with("none")) {
        let mut changed = vector.clone();
        for place in 0..changed.registration.client_data.len() {
            changed.registration.client_data[place] ^= 1;
            assert!(changed.register(&party).is_err(), "{} {place}", vector.name);
            changed.registration.client_data[place] ^= 1;
        }
        let data = vector.auth_data();
        // U2F signs neither flags nor count nor model: at their places only a few bits count.
        let unsigned = if vector.name.starts_with("fido") { 32..53 } else { 0..0 };
        for (offset, place) in data.enumerate() {
            changed.registration.attestation_object[place] ^= 1;
            let refused = changed.register(&party).is_err();
            assert!(refused || unsigned.contains(&offset), "{} {offset}", vector.name);
            changed.registration.attestation_object[place] ^= 1;
        }
        let mut longer = vector.clone();
        longer.registration.attestation_object.push(0);
        let unreadable = Refusal::Unreadable("the attestation object");
        assert_eq!(longer.register(&party), Err(unreadable));
    }
}

/// F07: what the browser says.
#[test]
fn tm_f07_client_data() {
    let (party, vectors) = read();
    let vector = Vector::named(&vectors, "none.ES256");
    let key = vector.register(&party).unwrap();
    let challenge = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let (first, second) = (&vector.registration.challenge, &vector.authentication.challenge);
    let (first, second) = (challenge(first), challenge(second));
    let framed = Refusal::Embedded;
    for (old, new, expected) in [
        ("webauthn.", "payment.", Refusal::Type),
        ("webauthn.", "Webauthn.", Refusal::Type),
        ("https://example.org", "https://example.com", Refusal::Origin),
        ("https://example.org", "http://example.org", Refusal::Origin),
        ("https://example.org", "https://example.org:443", Refusal::Origin),
        ("https://example.org", "https://example.org.", Refusal::Origin),
        ("https://example.org", "https://EXAMPLE.org", Refusal::Origin),
        ("https://example.org", "https://www.example.org", Refusal::Origin),
        ("https://example.org", "", Refusal::Origin),
        ("\"crossOrigin\":false", "\"topOrigin\":\"https://evil.example\"", framed),
        ("\"challenge\":\"", "\"challenge\":\"A", Refusal::Challenge),
        (&first, &second, Refusal::Challenge),
        (&second, &first, Refusal::Challenge),
        (&first, "", Refusal::Challenge),
        ("\"type\"", "\"kind\"", Refusal::Unreadable("the client data")),
        ("\"origin\"", "\"type\"", Refusal::Unreadable("the client data")),
        ("false", "0", Refusal::Unreadable("the client data")),
        ("{", "[", Refusal::Unreadable("the client data")),
    ] {
        let mut changed = vector.clone();
        let mut tried = 0;
        for data in [&mut changed.registration.client_data, &mut changed.authentication.client_data]
        {
            let text = String::from_utf8(data.clone()).unwrap();
            tried += usize::from(text.contains(old));
            *data = text.replace(old, new).into_bytes();
        }
        let answers = [changed.register(&party).err(), changed.assert(&party, &key).err()];
        let refused = answers.iter().filter(|answer| **answer == Some(expected)).count();
        assert!(tried > 0 && refused >= tried, "{new}: {answers:?}");
    }
    // A registration is no assertion, nor the other way round.
    let mut swapped = vector.clone();
    swapped.registration.challenge.clone_from(&vector.authentication.challenge);
    swapped.registration.client_data.clone_from(&vector.authentication.client_data);
    assert_eq!(swapped.register(&party), Err(Refusal::Type));

    // In a frame only where frames are welcome, and then only in those.
    let alone = RelyingParty { embedders: None, ..party.clone() };
    let nowhere = RelyingParty { embedders: Some(Vec::new()), ..party.clone() };
    for (name, expected) in [
        ("none.ES256", [None, None]),
        ("none.ES256.crossOrigin", [Some(framed), None]),
        ("none.ES256.topOrigin", [Some(framed), Some(framed)]),
    ] {
        let vector = Vector::named(&vectors, name);
        let found = [&alone, &nowhere].map(|party| vector.register(party).err());
        assert_eq!(found, expected, "{name}");
    }
}

/// F07: what the device says.
#[test]
fn tm_f07_authenticator_data() {
    let (party, vectors) = read();
    let other = RelyingParty { id: "example.com".into(), ..party.clone() };
    let vector = Vector::named(&vectors, "none.ES256");
    let key = vector.register(&party).unwrap();
    assert_eq!(vector.register(&other), Err(Refusal::RelyingParty));
    assert_eq!(vector.assert(&other, &key), Err(Refusal::RelyingParty));

    let flags = vector.auth_data().start + 32;
    let unreadable = Some(Refusal::Unreadable("the authenticator data"));
    for (set, expected) in [
        (0x41, None),
        (0x49, None),
        (0x59, None),
        (0x45, None),
        // Bits that mean nothing yet.
        (0x63, None),
        (0x40, Some(Refusal::Presence)),
        (0x44, Some(Refusal::Presence)),
        // Backed up, though it may not leave its device.
        (0x51, Some(Refusal::Flags)),
        // Without a key, but with its bytes; with extensions, but without their bytes.
        (0x01, unreadable),
        (0xc1, unreadable),
    ] {
        let mut changed = vector.clone();
        changed.registration.attestation_object[flags] = set;
        assert_eq!(changed.register(&party).err(), expected, "{set:#x}");
        let registration = &changed.registration;
        let (challenge, verified) = (registration.challenge.as_slice(), true);
        let asked = Asked { party: &party, challenge, verified };
        let strict = register(&asked, &registration.client_data, &registration.attestation_object);
        let unverified = set & 0x04 == 0 && matches!(expected, None | Some(Refusal::Flags));
        let expected = if unverified { Some(Refusal::Verification) } else { expected };
        assert_eq!(strict.err(), expected, "{set:#x} verified");
    }
    // An assertion that brings a key, and a key that could not leave its device and now can.
    let data = &vector.registration.attestation_object[vector.auth_data()];
    let mut changed = vector.clone();
    changed.authentication.authenticator_data = data.to_vec();
    assert_eq!(changed.assert(&party, &key), Err(Refusal::Key));
    let bound = Registered { backup_eligible: !key.backup_eligible, ..key.clone() };
    assert_eq!(vector.assert(&party, &bound), Err(Refusal::Flags));
    // Another user's key, and another of the same user.
    let another = Vector::named(&vectors, "packed.ES256").register(&party).unwrap();
    let another = Registered { backup_eligible: key.backup_eligible, ..another };
    assert_eq!(vector.assert(&party, &another), Err(Refusal::Signature));
    // A count that did not grow is a copy's.
    let counted = Registered { sign_count: 1, ..key };
    assert_eq!(vector.assert(&party, &counted), Err(Refusal::Count));
}

/// F07: the key and the statement about it.
#[test]
fn tm_f07_attestation() {
    let (party, vectors) = read();
    let named = |name: &str| Vector::named(&vectors, name);
    let unreadable = Refusal::Unreadable("the public key");
    for (name, old, new, expected) in [
        // ES256K, EdDSA of a point, a number that nobody has.
        ("none.ES256", &b"\x01\x02\x03\x26"[..], &b"\x01\x02\x03\x27"[..], unreadable),
        ("none.ES256", b"\x01\x02\x03\x26", b"\x01\x02\x03\x25", Refusal::Algorithm),
        ("none.ES256", b"\x01\x02\x03\x26", b"\x01\x02\x26\x03", Refusal::Algorithm),
        // Another type and another curve.
        ("none.ES256", b"\x01\x02\x03\x26", b"\x01\x01\x03\x26", unreadable),
        ("none.ES256", b"\x26\x20\x01", b"\x26\x20\x02", unreadable),
        // A label twice.
        ("none.ES256", b"\x26\x20\x01", b"\x26\x01\x01", unreadable),
        // A statement where there is none, none where there is one, and one of another format.
        ("packed.ES256", b"fmtfpacked", b"fmtdnone", Refusal::Statement),
        ("packed.ES256", b"fmtfpacked", b"fmthfido-u2f", Refusal::Statement),
        ("packed.ES256", b"fmtfpacked", b"fmteapple", Refusal::Statement),
        ("packed.ES256", b"fmtfpacked", b"fmtkandroid-key", Refusal::Statement),
        ("packed.ES256", b"fmtfpacked", b"fmtctpm", Refusal::Statement),
        ("fido-u2f.ES256", b"fmthfido-u2f", b"fmtfpacked", Refusal::Statement),
        ("none.ES256", b"fmtdnone", b"fmtfpacked", Refusal::Statement),
        ("none.ES256", b"fmtdnone", b"fmtqandroid-safetynet", Refusal::Format),
        ("none.ES256", b"fmtdnone", b"fmtdNone", Refusal::Format),
        // The algorithm of the statement.
        ("packed-self.ES256", b"calg\x26", b"calg\x27", Refusal::Statement),
        ("packed-self.ES256", b"calg\x26", b"calg\x38\x22", Refusal::Statement),
        ("packed.ES256", b"calg\x26", b"calg\x27", Refusal::Signature),
        ("packed.ES256", b"calg\x26", b"calg\x25", Refusal::Algorithm),
        ("tpm.ES256", b"calg\x26", b"calg\x27", Refusal::Algorithm),
        ("android-key.ES256", b"calg\x26", b"calg\x27", Refusal::Signature),
        // What certificates must say.
        (
            "packed.ES256",
            b"Authenticator Attestation1",
            b"Authenticator attestation1",
            Refusal::Statement,
        ),
        ("tpm.ES256", b"cver\x632.0", b"cver\x632.1", Refusal::Statement),
        ("tpm.ES256", b"\xff\x54\x43\x47\x80\x17", b"\xff\x54\x43\x47\x80\x18", Refusal::Statement),
        ("tpm.ES256", b"\x67\x81\x05\x02\x01", b"\x67\x81\x05\x02\x04", Refusal::Statement),
        ("tpm.ES256", b"\x67\x81\x05\x08\x03", b"\x67\x81\x05\x08\x04", Refusal::Statement),
    ] {
        let found = named(name).with(old, new).register(&party).map(|_| "taken");
        assert_eq!(found, Err(expected), "{name} {:?}", String::from_utf8_lossy(new));
    }
    // The certificate of another key, and the statement about another key.
    for name in ["android-key.ES256", "apple.ES256"] {
        let (one, two) = (named(name), named("none.ES256"));
        let key = |vector: &Vector| vector.register(&party).unwrap().public_key;
        let changed = one.with(&key(&one), &key(&two));
        assert!(changed.register(&party).is_err(), "{name}");
    }
}

/// F07, G: what is no answer at all is refused, whatever it is.
#[test]
fn tm_f07_rubbish_is_refused() {
    let (party, vectors) = read();
    let deep = [vec![0x81; 20_000], vec![0x00]].concat();
    let long = vec![0; MAX_OBJECT + 1];
    // A text and an array that claim to be as long as an address space.
    let claims = b"\xa3\x63fmt\x7b\xff\xff\xff\xff\xff\xff\xff\xff".as_slice();
    let array = b"\x9b\x00\xff\xff\xff\xff\xff\xff\xff".as_slice();
    for object in [&[][..], b"\xa0", b"\xf6", &deep, &long, claims, array, b"\xbf\xff"] {
        let mut changed = vectors[0].clone();
        changed.registration.attestation_object = object.to_vec();
        let unreadable = Refusal::Unreadable("the attestation object");
        assert_eq!(changed.register(&party), Err(unreadable));
    }
    // Every beginning of an attestation object, and every byte of one another.
    for vector in &vectors {
        let object = &vector.registration.attestation_object;
        for length in 0..object.len() {
            let mut changed = vector.clone();
            changed.registration.attestation_object.truncate(length);
            assert!(changed.register(&party).is_err(), "{} {length}", vector.name);
        }
        let mut changed = vector.clone();
        for place in 0..object.len() {
            changed.registration.attestation_object[place] ^= 0xff;
            drop(changed.register(&party));
            changed.registration.attestation_object[place] ^= 0xff;
        }
    }
    for (data, expected) in [
        (b"" as &[u8], None),
        (b"{}", None),
        (br#"{"type":"a","challenge":"AQID","origin":"o"}"#, Some(vec![1, 2, 3])),
        (br#"{"type":"a","challenge":"AQID=","origin":"o"}"#, None),
        (br#"{"type":"a","challenge":1,"origin":"o"}"#, None),
    ] {
        assert_eq!(client_data::challenge(data), expected);
    }
}
