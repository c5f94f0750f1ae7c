//! Policy documents on their way in and out.
//!
//! A document that comes in is checked as strictly as IAM checks what is written. It is read
//! before the transaction begins, so that nobody waits for it; what is wrong with it is told only
//! to callers who may make the call. What comes out is the very text that came in, URL-encoded.

use bailiwick_model::{IdentityText, Role, TrustText};
use bailiwick_policy::{Document, DocumentError, DocumentKind};

use super::trust;
use crate::call::Call;
use crate::fault::Fault;

/// An identity policy that a request brings, checked as IAM does at write (GR-1, GR-2, GR-7).
pub(super) struct IdentityDraft {
    checked: Result<IdentityText, Fault>,
    size: usize,
}

impl IdentityDraft {
    /// Reads the text.
    pub(super) fn new(text: &str) -> Self {
        let checked = strictly(text, DocumentKind::Identity).map(IdentityText::of);
        Self { checked, size: size(text) }
    }

    /// The document, or what is wrong with it.
    pub(super) fn text(&self) -> Result<IdentityText, Fault> {
        self.checked.clone()
    }

    /// The document of a managed policy, or what is wrong with it.
    pub(super) fn managed_text(&self, call: &Call<'_>) -> Result<IdentityText, Fault> {
        let text = self.text()?;
        require_size(self.size, "PolicySize", call.quotas().policy_size)?;
        Ok(text)
    }

    /// What the document counts against a quota, in characters.
    pub(super) fn size(&self) -> usize {
        self.size
    }
}

/// A trust policy that a request brings, checked as IAM does at write (TR-11).
pub(super) struct TrustDraft {
    checked: Result<Document, Fault>,
    size: usize,
}

impl TrustDraft {
    /// Reads the text.
    pub(super) fn new(text: &str) -> Self {
        Self { checked: strictly(text, DocumentKind::Trust), size: size(text) }
    }

    /// The document, bound to the entities that its principals name in the state of this call
    /// (PR-12), or what is wrong with it.
    pub(super) fn text(&self, call: &Call<'_>) -> Result<TrustText, Fault> {
        let document = self.checked.as_ref().map_err(Fault::clone)?;
        require_size(self.size, "ACLSizePerRole", call.quotas().trust_policy_size)?;
        Ok(TrustText::of(document, trust::bindings(call, document)?))
    }
}

fn strictly(text: &str, kind: DocumentKind) -> Result<Document, Fault> {
    Document::parse_strict(text, kind).map_err(|error| malformed(&error))
}

/// What a text counts against a quota: its characters without the white space between tokens
/// (section 14 of the rules).
pub(super) fn size(text: &str) -> usize {
    Document::size_without_white_space(text)
}

/// Refuses a document whose size is over a quota, in AWS's words for managed and trust policies
/// (*observed*).
fn require_size(size: usize, quota: &str, limit: u64) -> Result<(), Fault> {
    if fits(size, limit) { Ok(()) } else { Err(Fault::limit(quota, limit)) }
}

/// Whether a size stays within a quota.
pub(super) fn fits(size: usize, limit: u64) -> bool {
    u64::try_from(size).is_ok_and(|size| size <= limit)
}

/// AWS's words, and behind them the place, which AWS does not tell.
fn malformed(error: &DocumentError) -> Fault {
    Fault::new("MalformedPolicyDocument", format!("{} ({error})", error.aws_message()))
}

/// The trust policy of a role as it is shown: principals of entities that are gone appear as their
/// unique ids (PR-12), URL-encoded.
pub(super) fn trust_shown(call: &Call<'_>, role: &Role) -> String {
    encode(&trust::shown(call, &role.trust))
}

/// Percent-encodes all but RFC 3986's unreserved characters, as documents stand in responses.
pub(super) fn encode(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |value: u8| char::from(HEX.get(usize::from(value)).copied().unwrap_or(b'0'));
    let mut encoded = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(digit(byte >> 4));
            encoded.push(digit(byte & 0x0f));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_as_rfc_3986() {
        for (text, expected) in [
            ("aZ09-._~", "aZ09-._~"),
            ("{\"a\": \"*\"}\n", "%7B%22a%22%3A%20%22%2A%22%7D%0A"),
            ("a+b/c", "a%2Bb%2Fc"),
            ("é", "%C3%A9"),
            ("", ""),
        ] {
            assert_eq!(encode(text), expected, "{text:?}");
        }
    }

    #[test]
    fn the_quota_itself_still_fits() {
        assert!(fits(6144, 6144));
        assert!(!fits(6145, 6144));
        let fault = require_size(6145, "PolicySize", 6144).unwrap_err();
        assert_eq!(fault.message(), "Cannot exceed quota for PolicySize: 6144");
    }
}
