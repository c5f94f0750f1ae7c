//! Base64 for BinaryEquals (OP-Y1).

/// Whether a text is base64: the standard alphabet, padded and canonical. Each run of bytes has
/// exactly one such text, so that bytes are equal where the texts are.
pub(crate) fn is_canonical(text: &str) -> bool {
    let data = text.trim_end_matches('=');
    let padding = text.len() - data.len();
    let spare = match padding {
        0 => 0,
        1 => 0b11,
        2 => 0b1111,
        _ => return false,
    };
    let mut last = 0;
    let known = data.bytes().all(|byte| sextet(byte).inspect(|six| last = *six).is_some());
    // A lone letter before the padding holds no byte; the bits that no byte needs are zero.
    known && text.len().is_multiple_of(4) && last & spare == 0
}

fn sextet(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn op_y1_takes_the_canonical_form_only() {
        for (text, expected) in [
            ("", true),
            ("Zg==", true),
            ("Zm8=", true),
            ("Zm9v", true),
            ("Zm9vYg==", true),
            ("/+8=", true),
            ("Zg", false),
            ("Zg=", false),
            ("Zh==", false),
            ("Zm9=", false),
            ("Z===", false),
            ("====", false),
            ("Zm9-", false),
            ("Z m8", false),
            ("=Zm8", false),
        ] {
            assert_eq!(is_canonical(text), expected, "{text}");
        }
    }
}
