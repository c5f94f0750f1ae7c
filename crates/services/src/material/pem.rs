//! PEM: base64 between a line that begins a block and one that ends it. Source: RFC 7468.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// One block.
pub(super) struct Block<'a> {
    /// What it is said to hold, such as `CERTIFICATE`.
    pub(super) label: &'a str,
    /// The bytes; they may be a private key.
    pub(super) der: Zeroizing<Vec<u8>>,
}

/// The blocks of a text: at least one, at most `most`, and nothing but white space between them.
/// None for anything else, headers inside a block among it.
pub(super) fn blocks(text: &str, most: usize) -> Option<Vec<Block<'_>>> {
    let mut blocks = Vec::new();
    let mut rest = text.trim_ascii();
    while !rest.is_empty() {
        if blocks.len() >= most {
            return None;
        }
        let (label, behind) = rest.strip_prefix("-----BEGIN ")?.split_once("-----")?;
        // The lines that begin a block are short: a label is not searched through the whole text.
        if label.len() > 64 || label.contains(['\n', '\r']) {
            return None;
        }
        let (body, behind) = behind.split_once("-----END ")?;
        let behind = behind.strip_prefix(label)?.strip_prefix("-----")?;
        let compact = body.bytes().filter(|byte| !byte.is_ascii_whitespace());
        let compact = Zeroizing::new(compact.collect::<Vec<u8>>());
        let der = Zeroizing::new(STANDARD.decode(&*compact).ok()?);
        blocks.push(Block { label, der });
        rest = behind.trim_ascii_start();
    }
    (!blocks.is_empty()).then_some(blocks)
}

/// A block as text, in lines of 64 characters.
pub(super) fn print(label: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    for (place, letter) in body.chars().enumerate() {
        if place > 0 && place % 64 == 0 {
            text.push('\n');
        }
        text.push(letter);
    }
    text + "\n-----END " + label + "-----"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_prints() {
        for bytes in [vec![1u8; 1], vec![2; 48], vec![3; 49], vec![4; 1000]] {
            let text = print("X", &bytes);
            let two = format!("\n{text}\r\n\n{text}\n");
            let found = blocks(&two, 2).unwrap();
            assert_eq!(found.len(), 2);
            assert!(found.iter().all(|block| block.label == "X" && *block.der == bytes));
            assert!(blocks(&two, 1).is_none(), "too many");
        }
    }

    #[test]
    fn refuses_what_is_no_pem() {
        for text in [
            "",
            " \n",
            "words",
            "-----BEGIN A-----",
            "-----BEGIN A-----\nAAAA\n-----END B-----",
            "-----BEGIN A-----\nAA?A\n-----END A-----",
            "-----BEGIN A-----\nAAA\n-----END A-----",
            "-----BEGIN A-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END A-----",
            "words -----BEGIN A-----\nAAAA\n-----END A-----",
            "-----BEGIN A-----\nAAAA\n-----END A----- words",
            "-----BEGIN A\nB-----\nAAAA\n-----END A\nB-----",
        ] {
            assert!(blocks(text, 9).is_none(), "{text:?}");
        }
    }
}
