//! The small parsers behind [`super::parse`]: the `Authorization` header's fields, the query string's
//! `X-Amz-*` parameters, dates, lifetimes, lists of signed headers, and the texts when they are wrong.
//!
//! Each has a limit, and none repairs what it reads.

use std::borrow::Cow;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};
use jiff::Timestamp;
use zeroize::Zeroizing;

use super::date::Stamp;
use super::error::{AuthError, shown};
use super::uri::{self, MAX_PAIRS};
use super::{ALGORITHM, MAX_EXPIRES};

/// Bytes of the longest `Authorization` header read (threat A13).
const MAX_AUTHORIZATION: usize = 8 * 1024;
/// Bytes of the longest list of signed headers, and the number of names in it.
const MAX_SIGNED_HEADERS: (usize, usize) = (4 * 1024, 100);
/// Bytes of the longest session token read.
const MAX_TOKEN: usize = 16 * 1024;

/// The three fields of an `Authorization` header.
pub(super) struct Fields<'a> {
    pub(super) credential: &'a str,
    pub(super) signed_headers: &'a str,
    pub(super) signature: &'a str,
}

impl<'a> Fields<'a> {
    pub(super) fn read(value: &'a [u8], headers: &HeaderMap) -> Result<Self, AuthError> {
        let text = std::str::from_utf8(value)
            .ok()
            .filter(|text| text.len() <= MAX_AUTHORIZATION)
            .ok_or_else(|| {
            AuthError::incomplete("Authorization header is too long or not text.")
        })?;
        let text = text.trim_matches([' ', '\t']);
        let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
        if scheme != ALGORITHM {
            // Another algorithm of this family has a text of its own; older versions and other schemes lack
            // the fields, and are told so.
            let family = scheme.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("AWS4-"));
            return Err(if family {
                unsupported(scheme)
            } else {
                absent([true; 3], headers, value)
            });
        }
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for field in rest.split(',').map(|field| field.trim_matches([' ', '\t'])) {
            let Some((name, content)) = field.split_once('=') else {
                return Err(AuthError::incomplete(format!(
                    "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 \
                     and encoded with Base64): '{}'.",
                    hashed(field.as_bytes())
                )));
            };
            let slot = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed_headers,
                "Signature" => &mut signature,
                _ => {
                    let name = shown(name);
                    return Err(AuthError::incomplete(format!(
                        "Authorization header has an unknown parameter '{name}'."
                    )));
                }
            };
            if slot.replace(content).is_some() {
                return Err(AuthError::incomplete(format!(
                    "Authorization header has '{name}' twice."
                )));
            }
        }
        match (credential, signed_headers, signature) {
            (Some(credential), Some(signed_headers), Some(signature)) => {
                Ok(Self { credential, signed_headers, signature })
            }
            _ => Err(absent(
                [credential.is_none(), signature.is_none(), signed_headers.is_none()],
                headers,
                value,
            )),
        }
    }
}

/// The `X-Amz-*` parameters of a query string that have to do with signing, decoded.
#[derive(Default)]
pub(super) struct Parameters<'a> {
    pub(super) algorithm: Option<Cow<'a, str>>,
    pub(super) credential: Option<Cow<'a, str>>,
    pub(super) date: Option<Cow<'a, str>>,
    pub(super) expires: Option<Cow<'a, str>>,
    pub(super) signed_headers: Option<Cow<'a, str>>,
    pub(super) signature: Option<Cow<'a, str>>,
    pub(super) token: Option<Cow<'a, str>>,
}

impl<'a> Parameters<'a> {
    pub(super) fn read(query: &'a str) -> Result<Self, AuthError> {
        let mut found = Self::default();
        for (name, value) in uri::pieces(query).take(MAX_PAIRS) {
            // A name that does not decode is no name of ours; the defect is reported after the signature.
            let Ok(name) = uri::decode(name, true) else { continue };
            if !is_amz(&name) {
                continue;
            }
            let slot = match &*name {
                "X-Amz-Algorithm" => &mut found.algorithm,
                "X-Amz-Credential" => &mut found.credential,
                "X-Amz-Date" => &mut found.date,
                "X-Amz-Expires" => &mut found.expires,
                "X-Amz-SignedHeaders" => &mut found.signed_headers,
                "X-Amz-Signature" => &mut found.signature,
                "X-Amz-Security-Token" => &mut found.token,
                other => {
                    // The same names in another case might mean something to another reader (A02).
                    if NAMES.iter().any(|known| known.eq_ignore_ascii_case(other)) {
                        let name = shown(other);
                        return Err(AuthError::incomplete(format!(
                            "AWS query-string parameter '{name}' is not spelt as it must be."
                        )));
                    }
                    continue;
                }
            };
            let value = uri::decode(value, true).map_err(|defect| {
                AuthError::incomplete(format!(
                    "AWS query-string parameter '{name}' is malformed: {defect}."
                ))
            })?;
            if slot.replace(value).is_some() {
                return Err(AuthError::incomplete(format!(
                    "AWS query-string parameter '{name}' comes twice."
                )));
            }
        }
        Ok(found)
    }

    /// Whether the query string means to be signed.
    pub(super) fn any_credential(&self) -> bool {
        self.algorithm.is_some()
            || self.credential.is_some()
            || self.signature.is_some()
            || self.signed_headers.is_some()
    }

    pub(super) fn any(&self) -> bool {
        self.any_credential()
            || self.date.is_some()
            || self.expires.is_some()
            || self.token.is_some()
    }
}

const NAMES: [&str; 7] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
    "X-Amz-Security-Token",
];

/// The value of a header that may come once at most, white space around it taken off.
pub(super) fn single<'a>(
    headers: &'a HeaderMap,
    name: &str,
) -> Result<Option<&'a [u8]>, AuthError> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(twice(name));
    }
    Ok(first.map(|value| value.as_bytes().trim_ascii()))
}

/// Whether a header or parameter name has the prefix of AWS's own, in any case.
pub(super) fn is_amz(name: &str) -> bool {
    name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("x-amz-"))
}

/// `X-Amz-Date`, or `Date` without it. Clients and proxies add `Date` of themselves, so that beside an
/// `X-Amz-Date` it says nothing; which of the two was used is bound by the string to sign.
pub(super) fn header_date(headers: &HeaderMap) -> Result<Stamp, AuthError> {
    if let Some(value) = single(headers, "x-amz-date")? {
        return Stamp::parse_basic(value).ok_or_else(|| bad_date(value));
    }
    let Some(value) = single(headers, header::DATE.as_str())? else {
        return Err(AuthError::incomplete(NO_DATE));
    };
    Stamp::parse_http(value).or_else(|| Stamp::parse_basic(value)).ok_or_else(|| bad_date(value))
}

const NO_DATE: &str =
    "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.";

pub(super) fn signed_headers(text: &str) -> Result<Box<str>, AuthError> {
    let (max_len, max_names) = MAX_SIGNED_HEADERS;
    let name_is_good = |name: &str| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && !b.is_ascii_uppercase())
    };
    let well_formed = text.len() <= max_len
        && text.split(';').count() <= max_names
        && text.split(';').all(name_is_good)
        && text.split(';').is_sorted_by(|a, b| a < b);
    if well_formed {
        return Ok(text.into());
    }
    Err(AuthError::incomplete(
        "SignedHeaders must be header names in lower case, ascending, each once, with ';' between them.",
    ))
}

pub(super) fn lifetime(text: &str) -> Result<u32, AuthError> {
    let refuse = |text: &str| Err(AuthError::incomplete(text));
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return refuse("X-Amz-Expires should be a number");
    }
    if digits.len() != text.len() {
        return refuse("X-Amz-Expires must be non-negative");
    }
    match text.parse::<u32>() {
        Ok(0) => refuse("X-Amz-Expires must be at least 1 second"),
        Ok(seconds) if seconds <= MAX_EXPIRES => Ok(seconds),
        _ => refuse(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be \
             less than 604800 seconds",
        ),
    }
}

pub(super) fn token(value: &[u8]) -> Result<Zeroizing<Box<str>>, AuthError> {
    match std::str::from_utf8(value) {
        Ok(text) if text.len() <= MAX_TOKEN => Ok(Zeroizing::new(text.into())),
        _ => Err(AuthError::InvalidClientTokenId),
    }
}

pub(super) fn instant(stamp: &Stamp) -> Result<Timestamp, AuthError> {
    stamp.timestamp().ok_or_else(|| bad_date(stamp.as_bytes()))
}

/// Decodes exactly 64 lower-case hex digits.
pub(super) fn hex(text: &[u8]) -> Option<[u8; 32]> {
    let (pairs, []) = text.as_chunks::<2>() else { return None };
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    if pairs.len() != 32 {
        return None;
    }
    let mut out = [0; 32];
    for (slot, [high, low]) in out.iter_mut().zip(pairs) {
        *slot = digit(*high)? << 4 | digit(*low)?;
    }
    Some(out)
}

fn absent(
    [credential, signature, names]: [bool; 3],
    headers: &HeaderMap,
    value: &[u8],
) -> AuthError {
    let mut text = String::new();
    for (name, is_absent) in
        [("Credential", credential), ("Signature", signature), ("SignedHeaders", names)]
    {
        if is_absent {
            text.push_str("Authorization header requires '");
            text.push_str(name);
            text.push_str("' parameter. ");
        }
    }
    if !headers.contains_key("x-amz-date") && !headers.contains_key(header::DATE) {
        text.push_str(NO_DATE);
        text.push(' ');
    }
    text.push_str("(Hashed with SHA-256 and encoded with Base64) Authorization=");
    text.push_str(&hashed(value));
    AuthError::incomplete(text)
}

fn hashed(value: &[u8]) -> String {
    STANDARD.encode(digest::digest(&digest::SHA256, value))
}

pub(super) fn unsupported(algorithm: &str) -> AuthError {
    AuthError::incomplete(format!("Unsupported AWS 'algorithm': '{}'. ", shown(algorithm)))
}

pub(super) fn bad_date(value: &[u8]) -> AuthError {
    AuthError::incomplete(format!(
        "Date must be in ISO-8601 'basic format'. Got '{}'. See http://en.wikipedia.org/wiki/ISO_8601",
        shown(&String::from_utf8_lossy(value))
    ))
}

pub(super) fn twice(header: &str) -> AuthError {
    AuthError::incomplete(format!("Header '{}' comes more than once.", shown(header)))
}

pub(super) fn two_sources() -> AuthError {
    AuthError::incomplete(
        "A request carries one signature, either in the Authorization header or in the query string.",
    )
}
