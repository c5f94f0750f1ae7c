//! Case folding, and the hash under which a folded key is looked up.
//!
//! Condition keys and `...IgnoreCase` operators compare without regard to case by Unicode simple
//! folding, free of locale (OP-S2, CO-2). Actions fold ASCII only, so that no look-alike letter of
//! another script stands for one of an action's (C07).

/// One scalar without its case.
///
/// Simple folding, reached by way of the upper case so that final sigma and long s join their
/// letters. A scalar whose case is several scalars stays as it is.
pub(crate) fn fold_char(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    // The dotless i folds to nothing but itself outside Turkic languages.
    if c == '\u{131}' {
        return c;
    }
    single(single(c, char::to_uppercase), char::to_lowercase)
}

/// Appends `text` without its case.
pub(crate) fn push_folded(out: &mut String, text: &str) {
    if text.is_ascii() {
        let start = out.len();
        out.push_str(text);
        if let Some(added) = out.get_mut(start..) {
            added.make_ascii_lowercase();
        }
    } else {
        out.extend(text.chars().map(fold_char));
    }
}

/// `text` without its case.
pub(crate) fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_folded(&mut out, text);
    out
}

/// Whether two texts are equal without regard to case.
pub(crate) fn equal(left: &str, right: &str) -> bool {
    if left.is_ascii() && right.is_ascii() {
        return left.eq_ignore_ascii_case(right);
    }
    left.chars().map(fold_char).eq(right.chars().map(fold_char))
}

/// A hash to find a text by. It is not secret: whoever finds by it compares the texts as well,
/// and searches a list, so that collisions cost a step each and no more.
pub(crate) const fn hash(text: &str) -> u64 {
    hash_bytes(text.as_bytes())
}

/// The same of bytes.
pub(crate) const fn hash_bytes(mut bytes: &[u8]) -> u64 {
    let mut state = (bytes.len() as u64).wrapping_mul(K);
    while let Some((word, rest)) = bytes.split_first_chunk::<8>() {
        state = mix(state, u64::from_le_bytes(*word));
        bytes = rest;
    }
    let mut last = 0;
    while let Some((byte, rest)) = bytes.split_first() {
        last = last << 8 | *byte as u64;
        bytes = rest;
    }
    mix(state, last)
}

const K: u64 = 0x9e37_79b9_7f4a_7c15;

const fn mix(state: u64, word: u64) -> u64 {
    let state = (state ^ word).wrapping_mul(K);
    state ^ (state >> 29)
}

fn single<I: Iterator<Item = char>>(c: char, case: impl Fn(char) -> I) -> char {
    let mut scalars = case(c);
    match (scalars.next(), scalars.next()) {
        (Some(only), None) => only,
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tm_c07_folds_by_one_documented_rule() {
        for (left, right, expected) in [
            ("AWS:SourceIp", "aws:sourceip", true),
            ("ΣΑΣ", "σας", true),
            ("ÄÖ", "äö", true),
            ("ß", "SS", false),
            ("\u{131}", "i", false),
            ("\u{212a}", "k", true),
            ("e\u{301}", "\u{e9}", false), // no normalization (OP-S4)
            ("a", "\u{430}", false),
        ] {
            assert_eq!(equal(left, right), expected, "{left} {right}");
            assert_eq!(folded(left) == folded(right), expected, "{left} {right}");
        }
    }
}
