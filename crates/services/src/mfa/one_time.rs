//! One-time codes: HOTP (RFC 4226), and TOTP (RFC 6238), which is HOTP over steps of time.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use bailiwick_model::MfaHash;

/// Digits of a code, as IAM takes them.
pub(crate) const DIGITS: u32 = 6;

/// What makes the codes of a device.
pub(crate) struct Generator(hmac::Key);

impl Generator {
    /// The generator of a seed.
    pub(crate) fn new(hash: MfaHash, seed: &[u8]) -> Self {
        let algorithm = match hash {
            // What authenticator apps have; HMAC does not rest on SHA-1's resistance to collisions.
            MfaHash::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            MfaHash::Sha256 => hmac::HMAC_SHA256,
            MfaHash::Sha512 => hmac::HMAC_SHA512,
        };
        Self(hmac::Key::new(algorithm, seed))
    }

    /// The code of a counter, with 1 to 9 digits.
    pub(crate) fn code(&self, counter: u64, digits: u32) -> String {
        let tag = hmac::sign(&self.0, &counter.to_be_bytes());
        let number = truncate(tag.as_ref()) % 10u32.pow(digits.clamp(1, 9));
        format!("{number:0width$}", width = digits as usize)
    }

    /// Whether a code is that of a counter. Takes the same time wherever two codes differ.
    pub(crate) fn is_code(&self, counter: u64, code: &str) -> bool {
        let expected = self.code(counter, DIGITS);
        verify_slices_are_equal(expected.as_bytes(), code.as_bytes()).is_ok()
    }
}

/// Dynamic truncation: the 31 bits at the place that the last four bits tell (RFC 4226, 5.3).
fn truncate(tag: &[u8]) -> u32 {
    let place = tag.last().map_or(0, |byte| usize::from(byte & 15));
    let bytes = tag.get(place..place + 4).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
    u32::from_be_bytes(bytes.unwrap_or_default()) & 0x7fff_ffff
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4226, appendix D.
    #[test]
    fn rfc_4226_values() {
        let generator = Generator::new(MfaHash::Sha1, b"12345678901234567890");
        let codes = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583",
            "399871", "520489",
        ];
        for (counter, code) in (0..).zip(codes) {
            assert_eq!(generator.code(counter, 6), code, "{counter}");
            assert!(generator.is_code(counter, code));
            assert!(!generator.is_code(counter + 1, code));
        }
        // The intermediate values of the same table.
        let truncated: [u32; 10] = [
            0x4c93_cf18,
            0x4139_7eea,
            0x082f_ef30,
            0x66ef_7655,
            0x61c5_938a,
            0x33c0_83d4,
            0x7256_c032,
            0x04e5_b397,
            0x2823_443f,
            0x2679_dc69,
        ];
        for (counter, number) in (0u64..).zip(truncated) {
            let tag = hmac::sign(&generator.0, &counter.to_be_bytes());
            assert_eq!(truncate(tag.as_ref()), number, "{counter}");
        }
    }

    /// RFC 6238, appendix B: eight digits, steps of thirty seconds.
    #[test]
    fn rfc_6238_values() {
        let seed = b"1234567890".repeat(7);
        for (seconds, sha1, sha256, sha512) in [
            (59, "94287082", "46119246", "90693936"),
            (1_111_111_109, "07081804", "68084774", "25091201"),
            (1_111_111_111, "14050471", "67062674", "99943326"),
            (1_234_567_890, "89005924", "91819424", "93441116"),
            (2_000_000_000, "69279037", "90698825", "38618901"),
            (20_000_000_000, "65353130", "77737706", "47863826"),
        ] {
            for (hash, len, code) in [
                (MfaHash::Sha1, 20, sha1),
                (MfaHash::Sha256, 32, sha256),
                (MfaHash::Sha512, 64, sha512),
            ] {
                let generator = Generator::new(hash, &seed[..len]);
                assert_eq!(generator.code(seconds / 30, 8), code, "{hash:?} at {seconds}");
            }
        }
    }

    #[test]
    fn what_is_no_code_is_not_the_code() {
        let generator = Generator::new(MfaHash::Sha1, b"12345678901234567890");
        for code in ["", "75522", "7552240", "755 24", "٧٥٥٢٢٤", "755225"] {
            assert!(!generator.is_code(0, code), "{code:?}");
        }
    }
}
