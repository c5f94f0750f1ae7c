//! The credential scope: whose key, and the day, region and service it is narrowed to.

use super::error::{AuthError, shown};

/// Bytes of the longest `Credential` value that is read at all.
const MAX_LEN: usize = 512;
/// Bytes of the longest access key id; the API description allows 16 to 128.
const MAX_KEY_ID: usize = 128;
/// Bytes of the longest region and service names.
const MAX_NAME: usize = 64;

/// `keyid/date/region/service/aws4_request`, as the client sent it, not yet believed.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct Credential {
    text: Box<str>,
    /// Where each of the four slashes stands.
    slashes: [u16; 4],
}

impl Credential {
    /// The last field of every scope.
    pub const TERMINATOR: &'static str = "aws4_request";

    /// Puts a scope together for signing. The parts are checked as those of a received one.
    pub fn new(
        access_key_id: &str,
        date: &str,
        region: &str,
        service: &str,
    ) -> Result<Self, AuthError> {
        let terminator = Self::TERMINATOR;
        Self::parse(&format!("{access_key_id}/{date}/{region}/{service}/{terminator}"))
    }

    /// Splits and checks the form of a scope; whether date, service and terminator are the right ones is
    /// checked when the signature is (threat A08).
    pub(super) fn parse(text: &str) -> Result<Self, AuthError> {
        let malformed = || {
            AuthError::incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{}'",
                shown(text)
            ))
        };
        if text.len() > MAX_LEN {
            return Err(malformed());
        }
        let mut slashes = [0_u16; 4];
        let mut found = text.bytes().enumerate().filter(|(_, byte)| *byte == b'/');
        for slot in &mut slashes {
            let (at, _) = found.next().ok_or_else(malformed)?;
            *slot = u16::try_from(at).map_err(|_| malformed())?;
        }
        if found.next().is_some() {
            return Err(malformed());
        }
        let credential = Self { text: text.into(), slashes };
        // A13: a key id that no key can have is refused here, so that no look-up is spent on it.
        if !is_word(credential.access_key_id(), MAX_KEY_ID, b"_") {
            return Err(AuthError::InvalidClientTokenId);
        }
        if !is_word(credential.region(), MAX_NAME, b"-") {
            return Err(AuthError::refused(format!(
                "Credential should be scoped to a valid region, not '{}'. ",
                shown(credential.region())
            )));
        }
        if !is_word(credential.service(), MAX_NAME, b"-_.") {
            return Err(malformed());
        }
        Ok(credential)
    }

    /// The access key id: 1 to 128 letters, digits and `_`.
    pub fn access_key_id(&self) -> &str {
        let [end, ..] = self.slashes;
        self.text.get(..usize::from(end)).unwrap_or_default()
    }

    /// The day, `YYYYMMDD` when the request is honest; any text until the signature is checked.
    pub fn date(&self) -> &str {
        let [start, end, ..] = self.slashes;
        self.between(start, end)
    }

    /// The signing region: 1 to 64 letters, digits and `-`.
    pub fn region(&self) -> &str {
        let [_, start, end, _] = self.slashes;
        self.between(start, end)
    }

    /// The signing name of the service: 1 to 64 letters, digits, `-`, `_` and `.`.
    pub fn service(&self) -> &str {
        let [.., start, end] = self.slashes;
        self.between(start, end)
    }

    pub(super) fn terminator(&self) -> &str {
        let [.., start] = self.slashes;
        self.text.get(usize::from(start) + 1..).unwrap_or_default()
    }

    /// The whole value, key id and terminator included.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// `date/region/service/aws4_request`, a line of the string to sign.
    pub(super) fn scope(&self) -> &str {
        let [start, ..] = self.slashes;
        self.text.get(usize::from(start) + 1..).unwrap_or_default()
    }

    fn between(&self, start: u16, end: u16) -> &str {
        self.text.get(usize::from(start) + 1..usize::from(end)).unwrap_or_default()
    }
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credential({})", self.text)
    }
}

fn is_word(text: &str, max: usize, also: &[u8]) -> bool {
    (1..=max).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || also.contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tm_a08_a_scope_has_five_fields() {
        let good = Credential::parse("AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request").unwrap();
        assert_eq!(
            [good.access_key_id(), good.date(), good.region(), good.service(), good.terminator()],
            ["AKIDEXAMPLE", "20150830", "us-east-1", "iam", "aws4_request"]
        );
        assert_eq!(good.scope(), "20150830/us-east-1/iam/aws4_request");
        for text in
            ["", "a", "a/b/c/d", "a/b/c/d/e/f", "AKID/EXAMPLE/20150830/us-east-1/iam/aws4_request"]
        {
            assert!(
                matches!(Credential::parse(text), Err(AuthError::IncompleteSignature(_))),
                "{text:?}"
            );
        }
    }

    #[test]
    fn tm_a13_odd_key_ids_and_regions_end_before_any_look_up() {
        for text in ["/20150830/r/s/aws4_request", "AK ID/20150830/r/s/t", "AK\nID/20150830/r/s/t"]
        {
            assert_eq!(
                Credential::parse(text).unwrap_err(),
                AuthError::InvalidClientTokenId,
                "{text:?}"
            );
        }
        for text in ["AKID/20150830//s/t", "AKID/20150830/r r/s/t", "AKID/20150830/r\0/s/t"] {
            assert!(matches!(Credential::parse(text), Err(AuthError::Refused(_))), "{text:?}");
        }
        let long = format!("{}/20150830/r/s/t", "A".repeat(100_000));
        assert!(matches!(Credential::parse(&long), Err(AuthError::IncompleteSignature(_))));
    }
}
