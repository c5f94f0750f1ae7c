//! Checking a presented signature against the secret and the received bytes.
//!
//! The order: what the signature is for (form, scope, time), what it covers, the body's hash, the signature
//! itself, and last the spelling of the path and query string. Only the last two steps depend on the secret,
//! and both digests are compared in constant time (threat A10).

use std::sync::Arc;

use http::request::Parts;
use http::{Method, header};
use jiff::Timestamp;
use subtle::ConstantTimeEq;

use super::cache::{KeyCache, SigningKey};
use super::canonical::{Inputs, canonical, host, sha256, string_to_sign, to_hex};
use super::credential::Credential;
use super::date::Stamp;
use super::error::{AuthError, shown};
use super::fields::{hex, is_amz, single};
use super::parse::{Form, Presented};
use super::secret::SecretKey;
use super::uri::PathForm;

/// The header whose value is the last line of the canonical request.
const CONTENT_SHA256: &str = "x-amz-content-sha256";
const UNSIGNED_PAYLOAD: &[u8] = b"UNSIGNED-PAYLOAD";
const STREAMING: &[u8] = b"STREAMING-";

/// `x-amz-*` headers that may arrive uncovered (threat A01). It has one member, because its value is in the
/// canonical request in any case. Nothing is added here that any handler reads.
const EXEMPT: [&str; 1] = [CONTENT_SHA256];

/// What a service accepts.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// The signing names of the service; any region is accepted.
    pub expected_service: &'a [&'a str],
    /// How far the client's clock may be off, either way, in seconds: 300, and 900 for the object surface.
    pub window: u32,
    /// Which presigned requests are accepted.
    pub query_form: QueryForm,
    /// How long they are good.
    pub query_lifetime: QueryLifetime,
    /// How the path is canonicalized.
    pub path_form: PathForm,
    /// Whether the body may be left out of the signature: `UNSIGNED-PAYLOAD` in header form, and every
    /// presigned request that declares no hash.
    pub unsigned_payload: bool,
    /// Whether a body in signed chunks is taken (`STREAMING-...`). Who sets this checks the chunks.
    pub streaming_payload: bool,
    /// Whether `content-type` may be uncovered though there is a body, as AWS lets it be.
    pub unsigned_content_type: bool,
}

impl<'a> Rules<'a> {
    /// The strict rules that fit every service but the object surface.
    pub const fn for_service(expected_service: &'a [&'a str]) -> Self {
        Self {
            expected_service,
            window: 300,
            query_form: QueryForm::GetOnly,
            query_lifetime: QueryLifetime::AsSigned,
            path_form: PathForm::Normalized,
            unsigned_payload: false,
            streaming_payload: false,
            unsigned_content_type: false,
        }
    }
}

/// Which presigned requests a service accepts.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum QueryForm {
    /// None.
    Refused,
    /// Those whose method is GET.
    #[default]
    GetOnly,
    /// Those of any method.
    AnyMethod,
}

/// How long a presigned request is good.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum QueryLifetime {
    /// As long as its `X-Amz-Expires` says.
    #[default]
    AsSigned,
    /// This many seconds, whatever `X-Amz-Expires` says. For sts: cluster log-in tokens say 60 seconds
    /// and are used for 15 minutes (unverified).
    Fixed(u32),
}

/// What the canonical request says of the body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Payload {
    /// The signature covers the hash of the body.
    Hashed,
    /// It does not; see [`Rules::unsigned_payload`].
    Unsigned,
    /// The body comes in chunks whose signatures are still to be checked; see [`Rules::streaming_payload`].
    Streaming,
}

/// A request whose signature is good. That the key is active and the session token genuine is for the caller
/// to say.
#[derive(Clone, Debug)]
pub struct Verified {
    body_sha256: [u8; 32],
    payload: Payload,
}

impl Verified {
    /// SHA-256 of the received body.
    pub fn body_sha256(&self) -> &[u8; 32] {
        &self.body_sha256
    }

    /// Whether the body is covered.
    pub fn payload(&self) -> Payload {
        self.payload
    }
}

/// Checks the signature of a request: `presented` is what [`super::parse`] made of the same `parts`, `body` is
/// all that was received, `now` is the server's time.
///
/// Fails with [`AuthError::SignatureDoesNotMatch`] when the signature or body is another one, with a text of
/// its own when the scope, time or coverage is wrong, and with [`AuthError::MalformedUri`] when a good
/// signature covers a path or query string that is never accepted.
pub fn verify(
    presented: &Presented,
    parts: &Parts,
    body: &[u8],
    secret: &SecretKey,
    now: Timestamp,
    cache: &KeyCache,
    rules: &Rules<'_>,
) -> Result<Verified, AuthError> {
    check_form(presented, parts, rules)?;
    check_scope(presented, rules)?;
    check_time(presented, now, rules)?;
    check_coverage(presented, parts, body, rules)?;

    let body_sha256 = sha256(body);
    let body_hex = to_hex(&body_sha256);
    let (payload, line) = payload(presented, parts, &body_sha256, &body_hex, rules)?;
    let inputs = Inputs {
        signed_headers: presented.signed_headers_line(),
        payload: line,
        path_form: rules.path_form,
        presigned: presented.form() == Form::Query,
    };
    let canonical = canonical(parts, &inputs).ok_or(AuthError::SignatureDoesNotMatch)?;
    let text = string_to_sign(presented.stamp(), presented.scope(), &canonical.hash);
    check_signature(presented, &text, secret, cache)?;
    match canonical.defect {
        Some((part, defect)) => Err(AuthError::MalformedUri(part, defect)),
        None => Ok(Verified { body_sha256, payload }),
    }
}

fn check_signature(
    presented: &Presented,
    text: &[u8],
    secret: &SecretKey,
    cache: &KeyCache,
) -> Result<(), AuthError> {
    let scope = presented.scope();
    let cached = cache.get(scope, secret);
    let is_new = cached.is_none();
    let key = cached.unwrap_or_else(|| Arc::new(SigningKey::derive(secret, scope)));
    let expected = key.sign(text);
    // A signature that is not 64 hex digits takes the same way and never matches.
    let given = presented.signature();
    let equal = expected.ct_eq(given.unwrap_or(&[0; 32]));
    if !(bool::from(equal) && given.is_some()) {
        return Err(AuthError::SignatureDoesNotMatch);
    }
    if is_new {
        cache.put(scope, secret, key);
    }
    Ok(())
}

/// A07: which methods may come presigned.
fn check_form(presented: &Presented, parts: &Parts, rules: &Rules<'_>) -> Result<(), AuthError> {
    let accepted = match (presented.form(), rules.query_form) {
        (Form::Header, _) | (Form::Query, QueryForm::AnyMethod) => true,
        (Form::Query, QueryForm::GetOnly) => parts.method == Method::GET,
        (Form::Query, QueryForm::Refused) => false,
    };
    if accepted {
        return Ok(());
    }
    Err(AuthError::refused("Query-string authentication is not accepted for this request."))
}

/// A08: service, terminator and day; the region is free. *Observed*: all that is wrong is told in one text.
fn check_scope(presented: &Presented, rules: &Rules<'_>) -> Result<(), AuthError> {
    let (scope, stamp) = (presented.scope(), presented.stamp());
    let mut wrong = Vec::new();
    if !rules.expected_service.contains(&scope.service()) {
        let expected = rules.expected_service.first().copied().unwrap_or_default();
        wrong.push(format!("Credential should be scoped to correct service: '{expected}'. "));
    }
    if scope.terminator() != Credential::TERMINATOR {
        wrong.push(format!(
            "Credential should be scoped with a valid terminator: '{}', not '{}'. ",
            Credential::TERMINATOR,
            shown(scope.terminator())
        ));
    }
    if scope.date() != stamp.day() {
        wrong.push(format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != '{}', from '{}'.",
            shown(scope.date()),
            stamp.day(),
            stamp.as_str()
        ));
    }
    if wrong.is_empty() { Ok(()) } else { Err(AuthError::refused(wrong.concat())) }
}

/// A06 and A07: not too far in the future, and not too old.
fn check_time(presented: &Presented, now: Timestamp, rules: &Rules<'_>) -> Result<(), AuthError> {
    let signed = presented.stamp();
    let now = now.as_second();
    let past = match (presented.expires(), rules.query_lifetime) {
        (None, _) => rules.window,
        (Some(_), QueryLifetime::Fixed(seconds)) | (Some(seconds), QueryLifetime::AsSigned) => {
            seconds
        }
    };
    let (latest, earliest) = (now + i64::from(rules.window), now - i64::from(past));
    let text = |second: i64| -> Box<str> {
        Timestamp::from_second(second)
            .ok()
            .and_then(Stamp::from_timestamp)
            .map_or_else(Box::default, |stamp| stamp.as_str().into())
    };
    if signed.second() > latest {
        return Err(AuthError::SignatureNotYetCurrent {
            signed: signed.as_str().into(),
            limit: text(latest),
            now: text(now),
            allowed: rules.window,
        });
    }
    if signed.second() < earliest {
        return Err(AuthError::SignatureExpired {
            signed: signed.as_str().into(),
            limit: text(earliest),
            now: text(now),
            allowed: past,
        });
    }
    Ok(())
}

/// A01: what arrives and could steer the request is covered.
fn check_coverage(
    presented: &Presented,
    parts: &Parts,
    body: &[u8],
    rules: &Rules<'_>,
) -> Result<(), AuthError> {
    if !presented.signs("host") {
        return Err(AuthError::refused(
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
        ));
    }
    let header_host = single(&parts.headers, header::HOST.as_str())?;
    if host(&parts.headers, &parts.uri).is_none_or(<[u8]>::is_empty) {
        return Err(AuthError::SignatureDoesNotMatch);
    }
    // H02: with an absolute target both say the same host.
    if let (Some(header_host), Some(authority)) = (header_host, parts.uri.authority())
        && !without_port(header_host)
            .eq_ignore_ascii_case(without_port(authority.as_str().as_bytes()))
    {
        return Err(AuthError::refused("'Host' and ':authority' differ."));
    }
    for name in parts.headers.keys().map(header::HeaderName::as_str) {
        if is_amz(name) && !EXEMPT.contains(&name) && !presented.signs(name) {
            return Err(not_signed(name));
        }
    }
    let content_type = single(&parts.headers, header::CONTENT_TYPE.as_str())?;
    if content_type.is_some()
        && !body.is_empty()
        && !rules.unsigned_content_type
        && !presented.signs(header::CONTENT_TYPE.as_str())
    {
        return Err(not_signed(header::CONTENT_TYPE.as_str()));
    }
    Ok(())
}

/// A04, A05: the last line of the canonical request, from the received body or an accepted marker. Whatever it
/// is, the signature over it is checked.
fn payload<'a>(
    presented: &Presented,
    parts: &'a Parts,
    body_sha256: &[u8; 32],
    body_hex: &'a [u8; 64],
    rules: &Rules<'_>,
) -> Result<(Payload, &'a [u8]), AuthError> {
    let Some(declared) = single(&parts.headers, CONTENT_SHA256)? else {
        // Presigned requests of the object surface leave the body out without saying so in a header.
        if presented.form() == Form::Query && rules.unsigned_payload {
            return Ok((Payload::Unsigned, UNSIGNED_PAYLOAD));
        }
        return Ok((Payload::Hashed, body_hex));
    };
    if declared == UNSIGNED_PAYLOAD && rules.unsigned_payload {
        return Ok((Payload::Unsigned, declared));
    }
    if declared.starts_with(STREAMING) && rules.streaming_payload {
        return Ok((Payload::Streaming, declared));
    }
    match hex(declared) {
        Some(hash) if bool::from(hash.ct_eq(body_sha256)) => Ok((Payload::Hashed, body_hex)),
        _ => Err(AuthError::SignatureDoesNotMatch),
    }
}

/// A host without the default ports, which some clients write and some do not.
fn without_port(host: &[u8]) -> &[u8] {
    host.strip_suffix(b":443").or_else(|| host.strip_suffix(b":80")).unwrap_or(host)
}

fn not_signed(name: &str) -> AuthError {
    AuthError::refused(format!(
        "There were headers present in the request which were not signed: {}",
        shown(name)
    ))
}
