//! Files of makers of hardware tokens: serial numbers and seeds, as CSV or as PSKC (RFC 6030).

use bailiwick_model::{MfaCounter, MfaHash};
use bailiwick_wire::Secret;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::base32;

/// The longest file, in bytes.
const MAX_FILE: usize = 4 << 20;
/// The most tokens of a file.
const MAX_TOKENS: usize = 10_000;
/// The highest counter that is believed.
const MAX_COUNTER: u64 = 1 << 48;
/// The deepest nesting of a PSKC file; real ones have nine levels.
const MAX_DEPTH: usize = 32;
/// Bytes of a seed: RFC 4226 asks for 128 bits at least, and no hash takes more than a block.
const SEED: std::ops::RangeInclusive<usize> = 16..=128;

/// A hardware token, as its maker describes it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// The number that is printed on it: 9 to 256 of the characters that IAM takes.
    pub serial: String,
    /// Its seed in base32.
    #[serde(with = "plain")]
    pub seed: Secret,
    /// What its codes count.
    pub counter: MfaCounter,
    /// The hash under its codes.
    pub hash: MfaHash,
    /// The first counter whose code it may show.
    pub next: u64,
}

/// Why a file was not taken. Never quotes a seed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TokenError {
    /// It is too large.
    #[error("a file has at most {MAX_FILE} bytes and {MAX_TOKENS} tokens")]
    TooLarge,
    /// It is neither.
    #[error("the file is neither CSV with a line of names nor PSKC: {0}")]
    Form(String),
    /// A token has something wrong.
    #[error("token {place}: {what}")]
    Token {
        /// Which, from 1.
        place: usize,
        /// What.
        what: &'static str,
    },
}

mod plain {
    use bailiwick_wire::Secret;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(secret: &Secret, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(secret.expose())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
        String::deserialize(from).map(Secret::new)
    }
}

/// What a file tells of one token.
#[derive(Default)]
struct Told {
    serial: String,
    seed: Zeroizing<String>,
    kind: String,
    hash: String,
    period: String,
    next: String,
    digits: String,
    /// Whether the seed is base64, as PSKC has it.
    base64: bool,
    encrypted: bool,
}

impl Told {
    fn token(&self) -> Result<Token, &'static str> {
        if self.encrypted {
            return Err("its seed is encrypted: decrypt the file first");
        }
        let fits = |c: char| c.is_ascii_alphanumeric() || "_+=/:,.@-".contains(c);
        let serial = self.serial.trim();
        if !(9..=256).contains(&serial.len()) || !serial.chars().all(fits) {
            return Err("a serial number has 9 to 256 letters, digits or _+=/:,.@-");
        }
        if serial.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("arn:")) {
            return Err("a serial number that begins like an ARN is a virtual device's");
        }
        if !matches!(self.digits.trim(), "" | "6") {
            return Err("codes have six digits");
        }
        let seed = self.seed().filter(|seed| SEED.contains(&seed.len()));
        let seed =
            seed.ok_or("a seed has 16 to 128 bytes in hexadecimal digits, base32 or base64")?;
        let period = self.period.trim();
        let period = if period.is_empty() { 30 } else { period.parse().unwrap_or(0) };
        if !(10..=300).contains(&period) {
            return Err("a step of time has 10 to 300 seconds");
        }
        let kind = self.kind.trim().to_ascii_lowercase();
        let counter = if kind.is_empty() || kind.contains("totp") || kind == "time" {
            MfaCounter::Time { period }
        } else if kind.contains("hotp") || kind == "event" {
            MfaCounter::Event
        } else {
            return Err("a token is of the type totp or hotp");
        };
        let hash = self.hash.trim().to_ascii_uppercase().replace(['-', '_'], "");
        let hash = match hash.trim_start_matches("HMAC") {
            "" | "SHA1" => MfaHash::Sha1,
            "SHA256" => MfaHash::Sha256,
            "SHA512" => MfaHash::Sha512,
            _ => return Err("a hash is SHA1, SHA256 or SHA512"),
        };
        let next = self.next.trim();
        let next: u64 = if next.is_empty() { 0 } else { next.parse().unwrap_or(u64::MAX) };
        if next > MAX_COUNTER {
            return Err("a counter is a number, and no token gets past 2^48");
        }
        Ok(Token {
            serial: serial.to_owned(),
            seed: Secret::new(base32::encode(&seed).as_str()),
            counter,
            hash,
            next: if counter == MfaCounter::Event { next } else { 0 },
        })
    }

    fn seed(&self) -> Option<Zeroizing<Vec<u8>>> {
        use base64::Engine as _;
        let text: Zeroizing<String> =
            Zeroizing::new(self.seed.chars().filter(|c| !c.is_whitespace()).collect());
        if self.base64 {
            let bytes = base64::engine::general_purpose::STANDARD.decode(text.as_bytes());
            return bytes.ok().map(Zeroizing::new);
        }
        // Of a seed in base32 that looks like one in hexadecimal digits there is one in 10^13.
        if text.len().is_multiple_of(2) && text.bytes().all(|b| b.is_ascii_hexdigit()) {
            let digit = |at: usize| char::from(*text.as_bytes().get(at)?).to_digit(16);
            let byte = |at: usize| u8::try_from(digit(at)? << 4 | digit(at + 1)?).ok();
            let bytes: Option<Vec<u8>> = (0..text.len()).step_by(2).map(byte).collect();
            return bytes.map(Zeroizing::new);
        }
        base32::decode(&text)
    }
}

/// Reads a file whole, or nothing of it.
///
/// CSV has a line of names first: `serial number` and `secret key`, and if need be `type` (`totp` or
/// `hotp`), `algorithm`, `time interval`, `counter`; others are passed over. Seeds are in hexadecimal
/// digits or base32. PSKC must hold them in the clear.
pub fn read(file: &[u8]) -> Result<Vec<Token>, TokenError> {
    if file.len() > MAX_FILE {
        return Err(TokenError::TooLarge);
    }
    let text = std::str::from_utf8(file).map_err(|_| TokenError::Form("it is not UTF-8".into()))?;
    let text = text.trim_start_matches('\u{feff}').trim();
    let told = if text.starts_with('<') { pskc(text)? } else { csv(text)? };
    if told.len() > MAX_TOKENS {
        return Err(TokenError::TooLarge);
    }
    if told.is_empty() {
        return Err(TokenError::Form("it holds no token".into()));
    }
    let mut seen = std::collections::BTreeSet::new();
    let checked = told.iter().enumerate().map(|(place, told)| {
        let token = told.token().and_then(|token| {
            let first = seen.insert(token.serial.to_ascii_lowercase());
            if first { Ok(token) } else { Err("its serial number was in the file before") }
        });
        token.map_err(|what| TokenError::Token { place: place + 1, what })
    });
    checked.collect()
}

fn csv(text: &str) -> Result<Vec<Told>, TokenError> {
    let field = |text: &str| text.trim().trim_matches('"').trim().to_owned();
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let names: Vec<String> = lines
        .next()
        .unwrap_or_default()
        .split(',')
        .map(|name| field(name).to_ascii_lowercase().replace(['_', '-'], " "))
        .collect();
    let place = |known: &[&str]| names.iter().position(|name| known.contains(&name.as_str()));
    let (Some(serial), Some(seed)) =
        (place(&["serial number", "serial"]), place(&["secret key", "secret", "seed"]))
    else {
        let what = "its first line does not name `serial number` and `secret key`";
        return Err(TokenError::Form(what.into()));
    };
    let others = [
        place(&["type", "kind"]),
        place(&["algorithm", "hash"]),
        place(&["time interval", "interval", "period"]),
        place(&["counter"]),
        place(&["digits"]),
    ];
    let mut told = Vec::new();
    for line in lines {
        let fields: Zeroizing<Vec<String>> = Zeroizing::new(line.split(',').map(field).collect());
        if fields.len() != names.len() {
            let what = "its line has another number of fields than the first";
            return Err(TokenError::Token { place: told.len() + 1, what });
        }
        let at = |place: usize| fields.get(place).cloned().unwrap_or_default();
        let [kind, hash, period, next, digits] =
            others.map(|place| place.map(at).unwrap_or_default());
        let (serial, seed) = (at(serial), Zeroizing::new(at(seed)));
        told.push(Told { serial, seed, kind, hash, period, next, digits, ..Told::default() });
        if told.len() > MAX_TOKENS {
            return Err(TokenError::TooLarge);
        }
    }
    Ok(told)
}

fn pskc(text: &str) -> Result<Vec<Told>, TokenError> {
    let broken = |what: String| TokenError::Form(what);
    let mut reader = Reader::from_str(text);
    let (mut told, mut path) = (Vec::<Told>::new(), Vec::<String>::new());
    loop {
        let event = reader.read_event().map_err(|error| broken(error.to_string()))?;
        match event {
            Event::Start(start) => {
                path.push(open(&start, &mut told)?);
                if path.len() > MAX_DEPTH || told.len() > MAX_TOKENS {
                    return Err(TokenError::TooLarge);
                }
            }
            Event::Empty(start) => drop(open(&start, &mut told)?),
            Event::End(_) => drop(path.pop()),
            Event::Text(text) => {
                let text = text.xml10_content();
                let at: Vec<&str> = path.iter().rev().take(2).map(String::as_str).collect();
                let Some(last) = told.last_mut() else { continue };
                match at[..] {
                    ["SerialNo", "DeviceInfo"] => last.serial.push_str(&text),
                    ["PlainValue", "Secret"] => last.seed.push_str(&text),
                    ["PlainValue", "Counter"] => last.next.push_str(&text),
                    ["PlainValue", "TimeInterval"] => last.period.push_str(&text),
                    ["Suite", "AlgorithmParameters"] => last.hash.push_str(&text),
                    _ => {}
                }
            }
            Event::DocType(_) | Event::GeneralRef(_) => {
                return Err(broken("it declares or uses an entity".into()));
            }
            Event::Eof => break,
            _ => {}
        }
    }
    Ok(told)
}

/// Takes note of an element that begins; its local name.
fn open(start: &BytesStart<'_>, told: &mut Vec<Told>) -> Result<String, TokenError> {
    let name = start.local_name().as_ref().to_owned();
    let attribute = |wanted: &str| -> Result<String, TokenError> {
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| TokenError::Form(error.to_string()))?;
            if attribute.key.local_name().as_ref() == wanted {
                return Ok(attribute.value.into_owned());
            }
        }
        Ok(String::new())
    };
    match (name.as_str(), told.last_mut()) {
        ("KeyPackage", _) => told.push(Told { base64: true, ..Told::default() }),
        ("Key", Some(last)) => last.kind = attribute("Algorithm")?,
        ("ResponseFormat", Some(last)) => last.digits = attribute("Length")?,
        ("EncryptedValue", Some(last)) => last.encrypted = true,
        _ => {}
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: &str = "3132333435363738393031323334353637383930";
    const BASE32: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    #[test]
    fn csv_as_makers_write_it() {
        let text = format!(
            "\u{feff}upn,Serial Number,Secret Key,Time Interval,Manufacturer,Model\r\n\
             a@example.com,GAHT12345678,{BASE32},30,Maker,Key\r\n\
             b@example.com,\"GAHT12345679\",{SEED},60,Maker,Key\r\n"
        );
        let tokens = read(text.as_bytes()).unwrap();
        assert_eq!(tokens.len(), 2);
        for (token, serial, period) in
            [(&tokens[0], "GAHT12345678", 30), (&tokens[1], "GAHT12345679", 60)]
        {
            assert_eq!((&*token.serial, token.seed.expose()), (serial, BASE32));
            assert_eq!(token.counter, MfaCounter::Time { period });
            assert_eq!(token.hash, MfaHash::Sha1);
        }
        let text =
            format!("serial,seed,type,algorithm,counter\nHOTP-00001,{SEED},HOTP,sha-256,42\n");
        let token = read(text.as_bytes()).unwrap().remove(0);
        assert_eq!(
            (token.counter, token.hash, token.next),
            (MfaCounter::Event, MfaHash::Sha256, 42)
        );
        assert!(!format!("{token:?}").contains(BASE32));
        let told = serde_json::to_string(&token).unwrap();
        assert_eq!(serde_json::from_str::<Token>(&told).unwrap().seed.expose(), BASE32);
    }

    /// After the example of RFC 6030, figure 2, with six digits and a serial number IAM can name.
    #[test]
    fn pskc_in_the_clear() {
        let text = r#"<?xml version="1.0" encoding="UTF-8"?>
            <pskc:KeyContainer Version="1.0" xmlns:pskc="urn:ietf:params:xml:ns:keyprov:pskc">
             <pskc:KeyPackage>
              <pskc:DeviceInfo><pskc:Manufacturer>Maker</pskc:Manufacturer><pskc:SerialNo>987654321</pskc:SerialNo></pskc:DeviceInfo>
              <pskc:Key Id="12345678" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:hotp">
               <pskc:AlgorithmParameters><pskc:ResponseFormat Length="6" Encoding="DECIMAL"/></pskc:AlgorithmParameters>
               <pskc:Data>
                <pskc:Secret><pskc:PlainValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=</pskc:PlainValue></pskc:Secret>
                <pskc:Counter><pskc:PlainValue>7</pskc:PlainValue></pskc:Counter>
               </pskc:Data>
              </pskc:Key>
             </pskc:KeyPackage>
            </pskc:KeyContainer>"#;
        let token = read(text.as_bytes()).unwrap().remove(0);
        assert_eq!((&*token.serial, token.seed.expose()), ("987654321", BASE32));
        assert_eq!((token.counter, token.next), (MfaCounter::Event, 7));
        for (from, to, what) in [
            ("Length=\"6\"", "Length=\"8\"", "token 1: codes have six digits"),
            (
                "PlainValue>MTIz",
                "EncryptedValue/><pskc:PlainValue>MTIz",
                "token 1: its seed is encrypted: decrypt the file first",
            ),
            (
                "987654321",
                "98765432",
                "token 1: a serial number has 9 to 256 letters, digits or _+=/:,.@-",
            ),
            (":hotp", ":ocra", "token 1: a token is of the type totp or hotp"),
        ] {
            let text = text.replacen(from, to, 1);
            assert_eq!(read(text.as_bytes()).unwrap_err().to_string(), what);
        }
    }

    #[test]
    fn tm_g01_bad_files_are_refused_and_seeds_are_not_quoted() {
        let deep = format!("<KeyContainer>{}", "<a>".repeat(40));
        let twice = format!("serial,seed\nGAHT12345678,{SEED}\ngaht12345678,{SEED}\n");
        let fields = format!("serial,seed\nGAHT12345678,{SEED},x\n");
        let virtual_one = format!("serial,seed\narn:aws:iam::1:mfa/a,{SEED}\n");
        let large = "x".repeat(MAX_FILE + 1);
        for text in [
            "",
            "a,b\n1,2\n",
            "serial,seed\n",
            "serial,seed\nGAHT12345678,short\n",
            &*deep,
            &*twice,
            &*fields,
            &*virtual_one,
            &*large,
            "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
            "<a><b></a>",
            "<KeyContainer/>",
            "\u{0}",
        ] {
            let error = read(text.as_bytes()).unwrap_err().to_string();
            assert!(!error.contains(SEED), "{error}");
        }
        assert!(read(&[0xff, 0xfe]).is_err());
    }
}
