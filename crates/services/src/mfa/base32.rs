//! Base32 of RFC 4648, as seeds are written.

use zeroize::Zeroizing;

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Bytes without padding.
pub(crate) fn encode(bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(bytes.len() * 8 / 5 + 1));
    for group in bytes.chunks(5) {
        let held = group.iter().fold(0u64, |held, byte| held << 8 | u64::from(*byte));
        let held = held << (40 - 8 * group.len());
        for letter in 0..(group.len() * 8).div_ceil(5) {
            let place = usize::try_from(held >> (35 - 5 * letter) & 31).unwrap_or_default();
            text.push(ALPHABET.get(place).copied().map_or('A', char::from));
        }
    }
    text
}

/// The bytes of a text, whatever its case, with or without padding; none when it is no base32.
pub(crate) fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() * 5 / 8 + 1));
    let (mut held, mut bits) = (0u32, 0u32);
    for letter in text.trim_end_matches('=').bytes() {
        let letter = letter.to_ascii_uppercase();
        let value = ALPHABET.iter().position(|known| *known == letter)?;
        held = (held << 5 | u32::try_from(value).ok()?) & 0xffff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4648, section 10.
    #[test]
    fn rfc_4648_values() {
        for (plain, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(*encode(plain.as_bytes()), text);
            for written in [text.to_owned(), text.to_lowercase(), format!("{text}======")] {
                assert_eq!(*decode(&written).unwrap(), plain.as_bytes(), "{written}");
            }
        }
        for text in ["0", "MZ=XQ", "é", "M Z"] {
            assert!(decode(text).is_none(), "{text}");
        }
    }
}
