//! The canonical request and the string to sign.

use aws_lc_rs::digest;
use http::HeaderMap;
use http::request::Parts;

use super::ALGORITHM;
use super::credential::Credential;
use super::date::Stamp;
use super::uri::{Defect, PathForm, UriPart, canonical_path, canonical_query};

/// What the canonical request is made of, besides the request itself.
pub(super) struct Inputs<'a> {
    /// `name;name;name`, in lower case, ascending.
    pub(super) signed_headers: &'a str,
    /// The last line: a hash in hex, or a marker.
    pub(super) payload: &'a [u8],
    pub(super) path_form: PathForm,
    /// Whether `X-Amz-Signature` is to be left out of the query string.
    pub(super) presigned: bool,
}

/// The hash of a canonical request.
pub(super) struct Canonical {
    pub(super) hash: [u8; 32],
    /// What is wrong with the path or query string, to be told after the signature is found good (A03).
    pub(super) defect: Option<(UriPart, Defect)>,
}

/// Builds the canonical request and hashes it; `None` when a header that should be covered is not there.
pub(super) fn canonical(parts: &Parts, inputs: &Inputs<'_>) -> Option<Canonical> {
    let query = parts.uri.query().unwrap_or_default();
    let mut out = Vec::with_capacity(1024 + query.len());
    out.extend_from_slice(parts.method.as_str().as_bytes());
    out.push(b'\n');
    let path = canonical_path(&mut out, parts.uri.path(), inputs.path_form);
    out.push(b'\n');
    let query = canonical_query(&mut out, query, inputs.presigned);
    out.push(b'\n');
    for name in inputs.signed_headers.split(';') {
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
        header_value(&mut out, parts, name)?;
        out.push(b'\n');
    }
    out.push(b'\n');
    out.extend_from_slice(inputs.signed_headers.as_bytes());
    out.push(b'\n');
    out.extend_from_slice(inputs.payload);
    let defect = path
        .map(|defect| (UriPart::Path, defect))
        .or_else(|| query.map(|defect| (UriPart::Query, defect)));
    Some(Canonical { hash: sha256(&out), defect })
}

/// The string to sign.
pub(super) fn string_to_sign(
    stamp: &Stamp,
    scope: &Credential,
    canonical_hash: &[u8; 32],
) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    out.extend_from_slice(ALGORITHM.as_bytes());
    out.push(b'\n');
    out.extend_from_slice(stamp.as_bytes());
    out.push(b'\n');
    out.extend_from_slice(scope.scope().as_bytes());
    out.push(b'\n');
    out.extend_from_slice(&to_hex(canonical_hash));
    out
}

/// The host a request is for: the `host` header, or HTTP/2's `:authority`.
pub(super) fn host<'a>(headers: &'a HeaderMap, uri: &'a http::Uri) -> Option<&'a [u8]> {
    match headers.get(http::header::HOST) {
        Some(value) => Some(value.as_bytes()),
        None => uri.authority().map(|authority| authority.as_str().as_bytes()),
    }
}

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

/// Lower-case hex digits.
pub(super) fn to_hex(bytes: &[u8; 32]) -> [u8; 64] {
    let digit = |n: u8| if n < 10 { b'0' + n } else { b'a' + n - 10 };
    let mut out = [0; 64];
    let (pairs, _) = out.as_chunks_mut::<2>();
    for ([high, low], byte) in pairs.iter_mut().zip(bytes) {
        *high = digit(byte >> 4);
        *low = digit(byte & 15);
    }
    out
}

/// Appends the values of a header with commas between them, trimmed, and runs of white space made one space.
fn header_value(out: &mut Vec<u8>, parts: &Parts, name: &str) -> Option<()> {
    if name == "host" {
        trimmed(out, host(&parts.headers, &parts.uri)?);
        return Some(());
    }
    let mut values = parts.headers.get_all(name).iter();
    trimmed(out, values.next()?.as_bytes());
    for value in values {
        out.push(b',');
        trimmed(out, value.as_bytes());
    }
    Some(())
}

fn trimmed(out: &mut Vec<u8>, value: &[u8]) {
    let mut words = value.split(|b| matches!(b, b' ' | b'\t')).filter(|word| !word.is_empty());
    if let Some(first) = words.next() {
        out.extend_from_slice(first);
    }
    for word in words {
        out.push(b' ');
        out.extend_from_slice(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_values_are_trimmed_and_joined() {
        let (parts, ()) = http::Request::builder()
            .uri("https://example.amazonaws.com/")
            .header("my-header1", "  a   b \t c  ")
            .header("my-header1", "\"d  e\"")
            .header("empty", "")
            .body(())
            .unwrap()
            .into_parts();
        for (name, expected) in [
            ("my-header1", Some("a b c,\"d e\"")),
            ("empty", Some("")),
            ("host", Some("example.amazonaws.com")),
            ("absent", None),
        ] {
            let mut out = Vec::new();
            let found =
                header_value(&mut out, &parts, name).map(|()| String::from_utf8(out).unwrap());
            assert_eq!(found.as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn hex_is_lower_case() {
        let mut bytes = [0; 32];
        bytes[0] = 0xaf;
        bytes[31] = 0x09;
        let text = to_hex(&bytes);
        assert!(text.starts_with(b"af00") && text.ends_with(b"0009"));
    }
}
