//! Paths and query strings: their canonical form for the signature, and their one decoded form for the router.
//!
//! Verifier and router must never see two different things (threat A03). So the canonical form is defined for
//! every input, also for spellings that are wrong, and the signature is checked over it; whatever is spelt
//! wrongly is refused after that and never repaired. What passes is decoded once, by [`path_segments`] and
//! [`query_pairs`], under the very rules the canonical form used:
//!
//! - In a path, `%2F` is data of its segment. Dot segments, plain or encoded, and empty segments are refused.
//! - In a query string `+` is a space, as in a form; a name without `=` has an empty value; `;` is data; empty
//!   pieces (`&&`) are skipped.
//! - Percent signs stand before two hex digits, the decoded octets are UTF-8 (so overlong forms are out), and
//!   NUL occurs nowhere.

use std::borrow::Cow;

/// Pairs in a query string that are read at most.
pub(super) const MAX_PAIRS: usize = 4096;

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Which part of the request target is meant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UriPart {
    /// The path.
    Path,
    /// The query string.
    Query,
}

impl std::fmt::Display for UriPart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Path => "path",
            Self::Query => "query string",
        })
    }
}

/// What is wrong with the spelling of a path or query string.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Defect {
    /// `%` without two hex digits after it.
    #[error("illegal or incomplete escape % sequence")]
    BadPercent,
    /// The decoded octets are not UTF-8; overlong forms count here.
    #[error("it is not UTF-8")]
    NotUtf8,
    /// A NUL octet, plain or encoded.
    #[error("it holds a NUL")]
    Nul,
    /// A path segment that is `.` or `..`, plain or encoded.
    #[error("it holds a dot segment")]
    DotSegment,
    /// Two slashes in a row in the path.
    #[error("it holds an empty segment")]
    EmptySegment,
    /// More than 4,096 pairs in the query string.
    #[error("it holds too many parameters")]
    TooManyParameters,
}

/// How the path enters the canonical request.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum PathForm {
    /// Dot and empty segments are folded away and the encoded path is encoded once more: every service except
    /// the object surface. A path that needed folding is refused in the end.
    #[default]
    Normalized,
    /// The path as it is, encoded once: the object surface (`s3`), whose keys may hold `//` and `..`.
    Literal,
}

/// Splits a path at its slashes and decodes each segment, once. `/` has no segment; a slash at the end adds an
/// empty last one. Only for a path whose signature has been checked, or an operation that needs none.
pub fn path_segments(path: &str) -> Result<Vec<Cow<'_, str>>, Defect> {
    let path = path.strip_prefix('/').unwrap_or(path);
    if path.is_empty() {
        return Ok(Vec::new());
    }
    check_path(path, PathForm::Normalized).map_or(Ok(()), Err)?;
    path.split('/').map(|segment| decode(segment, false)).collect()
}

/// A name and its value, decoded.
pub type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The pairs of a query string in the order of arrival, decoded once. Limits: 4,096 pairs.
pub fn query_pairs(query: &str) -> Result<Vec<Pair<'_>>, Defect> {
    pieces(query)
        .enumerate()
        .map(|(at, (name, value))| {
            if at >= MAX_PAIRS {
                return Err(Defect::TooManyParameters);
            }
            Ok((decode(name, true)?, decode(value, true)?))
        })
        .collect()
}

/// Appends the canonical path, and tells what is wrong with the one that was given.
pub(super) fn canonical_path(out: &mut Vec<u8>, path: &str, form: PathForm) -> Option<Defect> {
    let path = if path.is_empty() { "/" } else { path };
    if path == "/" {
        out.push(b'/');
        return None;
    }
    match form {
        PathForm::Normalized => {
            if path.split('/').skip(1).any(|s| matches!(s, "" | "." | "..")) {
                encode_folded(out, path);
            } else {
                encode(out, path.bytes(), true);
            }
        }
        PathForm::Literal => encode(out, decoded_bytes(path, false), true),
    }
    check_path(path.strip_prefix('/').unwrap_or(path), form)
}

/// Appends the canonical query string, leaving out `X-Amz-Signature` when `presigned`, and tells what is wrong
/// with the one that was given.
pub(super) fn canonical_query(out: &mut Vec<u8>, query: &str, presigned: bool) -> Option<Defect> {
    if query.is_empty() {
        return None;
    }
    let mut encoded = Vec::with_capacity(query.len() + query.len() / 4);
    let mut spans = Vec::new();
    let mut defect = None;
    for (name, value) in pieces(query) {
        if spans.len() == MAX_PAIRS {
            defect = defect.or(Some(Defect::TooManyParameters));
            break;
        }
        defect = defect.or_else(|| check(name)).or_else(|| check(value));
        let start = encoded.len();
        encode(&mut encoded, decoded_bytes(name, true), false);
        let middle = encoded.len();
        encode(&mut encoded, decoded_bytes(value, true), false);
        spans.push((start, middle, encoded.len()));
    }
    let slice = |from: usize, to: usize| encoded.get(from..to).unwrap_or_default();
    if presigned {
        spans.retain(|(start, middle, _)| slice(*start, *middle) != b"X-Amz-Signature");
    }
    spans.sort_by(|a, b| {
        (slice(a.0, a.1), slice(a.1, a.2)).cmp(&(slice(b.0, b.1), slice(b.1, b.2)))
    });
    for (at, (start, middle, end)) in spans.iter().enumerate() {
        if at > 0 {
            out.push(b'&');
        }
        out.extend_from_slice(slice(*start, *middle));
        out.push(b'=');
        out.extend_from_slice(slice(*middle, *end));
    }
    defect
}

/// Percent-encodes what is not unreserved in RFC 3986; a slash stays when `keep_slash`.
pub(super) fn encode(out: &mut Vec<u8>, bytes: impl IntoIterator<Item = u8>, keep_slash: bool) {
    for byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte),
            b'/' if keep_slash => out.push(byte),
            _ => {
                let digit = |n: u8| HEX.get(usize::from(n & 15)).copied().unwrap_or(b'0');
                out.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte)]);
            }
        }
    }
}

/// The names and values of a query string, still encoded.
pub(super) fn pieces(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query
        .split('&')
        .filter(|piece| !piece.is_empty())
        .map(|piece| piece.split_once('=').unwrap_or((piece, "")))
}

/// Decodes one component. `form` turns `+` into a space.
pub(super) fn decode(text: &str, form: bool) -> Result<Cow<'_, str>, Defect> {
    if let Some(defect) = check(text) {
        return Err(defect);
    }
    if !text.bytes().any(|b| b == b'%' || (form && b == b'+')) {
        return Ok(Cow::Borrowed(text));
    }
    let decoded = decoded_bytes(text, form).collect::<Vec<u8>>();
    String::from_utf8(decoded).map(Cow::Owned).map_err(|_| Defect::NotUtf8)
}

/// The octets behind a component; a percent sign that encodes nothing stands for itself, so that the canonical
/// form of a wrong spelling is defined too.
fn decoded_bytes(text: &str, form: bool) -> impl Iterator<Item = u8> {
    let mut bytes = text.bytes();
    std::iter::from_fn(move || {
        let byte = bytes.next()?;
        if byte == b'%' {
            let mut ahead = bytes.clone();
            if let (Some(high), Some(low)) =
                (ahead.next().and_then(nibble), ahead.next().and_then(nibble))
            {
                bytes = ahead;
                return Some(high << 4 | low);
            }
        }
        Some(if form && byte == b'+' { b' ' } else { byte })
    })
}

fn nibble(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// What is wrong with one component, whatever part it belongs to.
fn check(text: &str) -> Option<Defect> {
    if !text.bytes().any(|b| b == b'%' || b == 0) {
        return None; // a `str`, so UTF-8 already
    }
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%'
            && (rest.next().and_then(nibble).is_none() || rest.next().and_then(nibble).is_none())
        {
            return Some(Defect::BadPercent);
        }
    }
    let decoded = decoded_bytes(text, false).collect::<Vec<u8>>();
    if decoded.contains(&0) {
        return Some(Defect::Nul);
    }
    std::str::from_utf8(&decoded).is_err().then_some(Defect::NotUtf8)
}

/// What is wrong with a path, its first slash taken off.
fn check_path(path: &str, form: PathForm) -> Option<Defect> {
    let mut segments = path.split('/').peekable();
    while let Some(segment) = segments.next() {
        if let Some(defect) = check(segment) {
            return Some(defect);
        }
        if form == PathForm::Literal {
            continue;
        }
        if segment.is_empty() && segments.peek().is_some() {
            return Some(Defect::EmptySegment);
        }
        if segment.len() <= 6 && decoded_bytes(segment, false).all(|b| b == b'.') {
            let dots = decoded_bytes(segment, false).count();
            if matches!(dots, 1 | 2) {
                return Some(Defect::DotSegment);
            }
        }
    }
    None
}

/// RFC 3986 5.2.4, with empty segments folded as well; then encoded once more.
fn encode_folded(out: &mut Vec<u8>, path: &str) {
    let mut kept = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            _ => kept.push(segment),
        }
    }
    if path.starts_with('/') {
        out.push(b'/');
    }
    for (at, segment) in kept.iter().enumerate() {
        if at > 0 {
            out.push(b'/');
        }
        encode(out, segment.bytes(), true);
    }
    if path.ends_with('/') && !kept.is_empty() {
        out.push(b'/');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str, form: PathForm) -> (String, Option<Defect>) {
        let mut out = Vec::new();
        let defect = canonical_path(&mut out, text, form);
        (String::from_utf8(out).unwrap(), defect)
    }

    fn query(text: &str) -> (String, Option<Defect>) {
        let mut out = Vec::new();
        let defect = canonical_query(&mut out, text, true);
        (String::from_utf8(out).unwrap(), defect)
    }

    #[test]
    fn tm_a03_canonical_paths() {
        use Defect::{BadPercent, DotSegment, EmptySegment, NotUtf8, Nul};
        for (text, canonical, defect) in [
            ("", "/", None),
            ("/", "/", None),
            ("/a/b/", "/a/b/", None),
            ("/a%20b", "/a%2520b", None),
            (
                "/arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fx",
                "/arn%253Aaws%253Aiam%253A%253A1%253Arole%252Fx",
                None,
            ),
            ("/a%2fb", "/a%252fb", None),
            ("/a+b;c", "/a%2Bb%3Bc", None),
            ("/a/...", "/a/...", None),
            ("/a//b", "/a/b", Some(EmptySegment)),
            ("//", "/", Some(EmptySegment)),
            ("/a/./b", "/a/b", Some(DotSegment)),
            ("/a/../b/", "/b/", Some(DotSegment)),
            ("/../..", "/", Some(DotSegment)),
            ("/a/%2e%2E/b", "/a/%252e%252E/b", Some(DotSegment)),
            ("/a/.%2e", "/a/.%252e", Some(DotSegment)),
            ("/a%00", "/a%2500", Some(Nul)),
            ("/a%", "/a%25", Some(BadPercent)),
            ("/a%2", "/a%252", Some(BadPercent)),
            ("/a%zz", "/a%25zz", Some(BadPercent)),
            ("/%c0%af", "/%25c0%25af", Some(NotUtf8)),
            ("/%ff", "/%25ff", Some(NotUtf8)),
        ] {
            assert_eq!(
                path(text, PathForm::Normalized),
                (canonical.to_owned(), defect),
                "{text:?}"
            );
        }
    }

    #[test]
    fn tm_a03_the_object_surface_keeps_its_paths() {
        for (text, canonical, defect) in [
            ("/a//b/../c", "/a//b/../c", None),
            ("/a%20b+%7E", "/a%20b%2B~", None),
            ("/%zz", "/%25zz", Some(Defect::BadPercent)),
        ] {
            assert_eq!(path(text, PathForm::Literal), (canonical.to_owned(), defect), "{text:?}");
        }
    }

    #[test]
    fn tm_a03_canonical_queries() {
        for (text, canonical, defect) in [
            ("", "", None),
            ("b=2&a=1", "a=1&b=2", None),
            ("a=2&a=1&a", "a=&a=1&a=2", None),
            ("&&a=1&", "a=1", None),
            ("a=b=c", "a=b%3Dc", None),
            ("a=b+c", "a=b%20c", None),
            ("a=b%2bc", "a=b%2Bc", None),
            ("a=1;b=2", "a=1%3Bb%3D2", None),
            ("%61=%7E/:", "a=~%2F%3A", None),
            ("a=%C3%A9", "a=%C3%A9", None),
            ("ab=1&a=1&a-=1", "a=1&a-=1&ab=1", None),
            ("a=1&X-Amz-Signature=00", "a=1", None),
            ("a=%", "a=%25", Some(Defect::BadPercent)),
            ("a=%0", "a=%250", Some(Defect::BadPercent)),
            ("a=%00", "a=%00", Some(Defect::Nul)),
            ("a=%C0%AF", "a=%C0%AF", Some(Defect::NotUtf8)),
        ] {
            assert_eq!(query(text), (canonical.to_owned(), defect), "{text:?}");
        }
        assert_eq!(query(&"a&".repeat(MAX_PAIRS + 1)).1, Some(Defect::TooManyParameters));
        assert_eq!(query(&"a&".repeat(MAX_PAIRS)).1, None);
    }

    #[test]
    fn tm_a03_the_router_decodes_once() {
        let segments = path_segments("/analyzer/arn%3Aaws%2Fx/%252e/").unwrap();
        assert_eq!(segments, ["analyzer", "arn:aws/x", "%2e", ""]);
        assert_eq!(path_segments("/").unwrap(), Vec::<Cow<'_, str>>::new());
        for text in ["/a//b", "/a/%2e", "/a/..", "/%00", "/%8", "/%c0%80"] {
            assert!(path_segments(text).is_err(), "{text:?}");
        }
        let pairs = query_pairs("a=b+c%2B&d&e=%3D").unwrap();
        assert_eq!(
            pairs,
            [("a".into(), "b c+".into()), ("d".into(), "".into()), ("e".into(), "=".into())]
        );
        assert_eq!(query_pairs(&"a&".repeat(MAX_PAIRS + 1)), Err(Defect::TooManyParameters));
    }
}
