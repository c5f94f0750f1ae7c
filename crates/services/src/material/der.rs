//! DER as far as it is needed before and beside a full parser: bounds on what is read, and the few
//! structures that are written.

/// How deep elements may nest. Certificates stay under twelve.
const DEPTH: usize = 24;
/// How many elements there may be: a certificate of the largest size that is taken has fewer.
const ELEMENTS: usize = 4096;

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;
const CONSTRUCTED: u8 = 0x20;

/// The algorithm identifier of RSA keys: its object identifier and a null. Source: RFC 3279, 2.3.1.
const RSA: [u8; 15] =
    [SEQUENCE, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// Whether the bytes are one element and nothing behind it, with all that it holds within the
/// bounds and inside its parents. Does not look at what is in primitive elements.
pub(super) fn is_bounded(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    // The lengths of `rest` at which the open elements end.
    let mut open: Vec<usize> = Vec::new();
    let mut seen = 0usize;
    loop {
        while open.last() == Some(&rest.len()) {
            open.pop();
        }
        if rest.is_empty() {
            return seen > 0 && open.is_empty();
        }
        if seen > 0 && open.is_empty() {
            return false;
        }
        seen += 1;
        let Some((tag, length, content)) = head(rest) else { return false };
        let Some(end) = content.len().checked_sub(length) else { return false };
        if seen > ELEMENTS || open.last().is_some_and(|parent| end < *parent) {
            return false;
        }
        if tag & CONSTRUCTED == 0 {
            rest = content.get(length..).unwrap_or_default();
        } else {
            if open.len() >= DEPTH {
                return false;
            }
            open.push(end);
            rest = content;
        }
    }
}

/// The modulus and the exponent of an RSA public key in DER, without leading zeros.
pub(super) fn rsa_numbers(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (SEQUENCE, _, inner) = head(bytes)? else { return None };
    let (modulus, rest) = unsigned(inner)?;
    let (exponent, _) = unsigned(rest)?;
    Some((modulus, exponent))
}

/// A positive integer at the head of the bytes, and what follows it.
fn unsigned(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (INTEGER, length, content) = head(bytes)? else { return None };
    let (digits, rest) = content.split_at_checked(length)?;
    let zeros = digits.iter().take_while(|digit| **digit == 0).count();
    Some((digits.get(zeros..)?, rest))
}

/// The tag and length of the first element, and what follows them. Long tags and indefinite lengths
/// have no place in DER certificates and keys.
fn head(bytes: &[u8]) -> Option<(u8, usize, &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    if tag & 0x1f == 0x1f {
        return None;
    }
    let (&first, rest) = rest.split_first()?;
    match first {
        0..=0x7f => Some((tag, first.into(), rest)),
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length = digits.iter().fold(0usize, |sum, digit| (sum << 8) | usize::from(*digit));
            Some((tag, length, rest))
        }
        _ => None,
    }
}

/// An RSA public key as a `SubjectPublicKeyInfo`. Source: RFC 5280, 4.1.2.7, and RFC 8017, A.1.1.
pub(super) fn rsa_public_key(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let key = element(SEQUENCE, &[&integer(modulus), &integer(exponent)]);
    element(SEQUENCE, &[&RSA, &element(BIT_STRING, &[&[0], &key])])
}

/// A positive integer of these digits.
fn integer(digits: &[u8]) -> Vec<u8> {
    element(INTEGER, &[&positive(digits)])
}

/// The digits of a positive number as both DER and SSH write them: none too many, and a zero in
/// front where the first bit is set.
pub(super) fn positive(digits: &[u8]) -> Vec<u8> {
    let first = digits.iter().position(|digit| *digit != 0).unwrap_or(digits.len());
    let digits = digits.get(first..).unwrap_or_default();
    let sign = digits.first().is_none_or(|digit| digit & 0x80 != 0);
    sign.then_some(0).into_iter().chain(digits.iter().copied()).collect()
}

fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = content.len().to_be_bytes();
    let digits = length.iter().position(|digit| *digit != 0).unwrap_or(length.len());
    let digits = length.get(digits..).unwrap_or_default();
    let mut bytes = vec![tag];
    match (digits, u8::try_from(digits.len())) {
        ([], _) => bytes.push(0),
        ([short @ 0..=0x7f], _) => bytes.push(*short),
        (long, Ok(count)) => {
            bytes.push(0x80 | count);
            bytes.extend(long);
        }
        // A length has at most eight digits.
        (_, Err(_)) => {}
    }
    bytes.extend(content);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds() {
        let mut deep = Vec::new();
        for _ in 0..30 {
            deep = element(SEQUENCE, &[&deep]);
        }
        let many = element(SEQUENCE, &[&[0x05, 0x00].repeat(5000)]);
        let few = element(SEQUENCE, &[&[0x05, 0x00].repeat(500)]);
        for (bytes, good) in [
            (&few[..], true),
            (&[0x30, 0x00], true),
            (&[0x05, 0x00], true),
            (&many, false),
            (&deep, false),
            (&[], false),
            (&[0x30], false),
            (&[0x30, 0x02, 0x05], false),
            // A child that ends behind its parent.
            (&[0x30, 0x02, 0x04, 0x05, 0, 0, 0, 0, 0], false),
            (&[0x30, 0x00, 0x30, 0x00], false),
            (&[0x30, 0x80, 0x00, 0x00], false),
            (&[0x1f, 0x81, 0x00, 0x00], false),
            (&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], false),
            (&[0x30, 0x83, 0xff, 0xff, 0xff], false),
        ] {
            assert_eq!(is_bounded(bytes), good, "{:x?}", bytes.get(..12).unwrap_or(bytes));
        }
    }

    #[test]
    fn numbers() {
        for (digits, expected) in [
            (&[1u8][..], &[1u8][..]),
            (&[0, 0, 1], &[1]),
            (&[0x80], &[0, 0x80]),
            (&[0, 0x80], &[0, 0x80]),
            (&[], &[0]),
            (&[0], &[0]),
        ] {
            assert_eq!(positive(digits), expected);
        }
        assert_eq!(element(4, &[&[7; 127]]).get(..2), Some(&[4, 127][..]));
        assert_eq!(element(4, &[&[7; 128]]).get(..3), Some(&[4, 0x81, 128][..]));
        assert_eq!(element(4, &[&[7; 300]]).get(..4), Some(&[4, 0x82, 1, 44][..]));
    }
}
