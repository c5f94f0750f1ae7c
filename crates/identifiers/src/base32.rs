//! The alphabet of AWS identifiers: RFC 4648 base32 without padding.

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The letter for the five low bits of `value`.
pub(crate) fn letter(value: u8) -> char {
    char::from(ALPHABET.get(usize::from(value & 31)).copied().unwrap_or(b'A'))
}

/// The five bits of a letter, or nothing when the byte is outside the alphabet.
pub(crate) fn bits(letter: u8) -> Option<u8> {
    match letter {
        b'A'..=b'Z' => Some(letter - b'A'),
        b'2'..=b'7' => Some(letter - b'2' + 26),
        _ => None,
    }
}

/// Writes the top `letters * 5` bits of `bytes`, most significant first; missing bytes count as zero.
pub(crate) fn encode(bytes: &[u8], letters: usize) -> String {
    let mut text = String::with_capacity(letters);
    let (mut buffer, mut held) = (0u32, 0u32);
    let mut rest = bytes.iter();
    for _ in 0..letters {
        if held < 5 {
            buffer = (buffer << 8) | u32::from(rest.next().copied().unwrap_or(0));
            held += 8;
        }
        held -= 5;
        text.push(letter((buffer >> held & 31) as u8));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_bits_agree() {
        for value in 0..32 {
            assert_eq!(bits(letter(value) as u8), Some(value));
        }
        for outside in [b'0', b'1', b'8', b'9', b'a', b'=', 0xff] {
            assert_eq!(bits(outside), None);
        }
    }

    #[test]
    fn encodes_as_rfc_4648() {
        assert_eq!(encode(b"foobar", 10), "MZXW6YTBOI");
        assert_eq!(encode(&[0xff; 5], 8), "77777777");
    }
}
