//! The door through which randomness comes in: the cryptographic library's system generator.

use std::fmt::Write as _;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};

/// Fills `bytes` from the system generator.
///
/// # Panics
/// When the system has no randomness to give: no identity may be made without it.
pub fn fill(bytes: &mut [u8]) {
    assert!(SystemRandom::new().fill(bytes).is_ok(), "the system gives no random numbers");
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A random UUID (version 4) as text.
pub(crate) fn uuid() -> String {
    let mut bytes = [0u8; 16];
    fill(&mut bytes);
    let number = u128::from_be_bytes(bytes) & !(0xf << 76) & !(0xc << 60) | 4 << 76 | 8 << 60;
    let hex = format!("{number:032x}");
    let mut text = String::with_capacity(36);
    for (at, digit) in hex.chars().enumerate() {
        if matches!(at, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_have_their_form() {
        for _ in 0..100 {
            let id = uuid();
            let marks: Vec<usize> = id.match_indices('-').map(|(at, _)| at).collect();
            assert_eq!((id.len(), marks), (36, vec![8, 13, 18, 23]), "{id}");
            assert_eq!(&id[14..15], "4", "{id}");
            assert!("89ab".contains(&id[19..20]), "{id}");
        }
    }
}
