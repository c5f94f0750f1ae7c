//! The client's side: signing a request in header form, or presigning it in query form.

use http::header::{AUTHORIZATION, HOST, InvalidHeaderValue};
use http::request::Parts;
use http::{HeaderValue, Uri};
use jiff::Timestamp;

use super::cache::SigningKey;
use super::canonical::{Inputs, canonical, sha256, string_to_sign, to_hex};
use super::credential::Credential;
use super::date::Stamp;
use super::error::AuthError;
use super::secret::SecretKey;
use super::uri::{PathForm, encode};
use super::{ALGORITHM, MAX_EXPIRES};

/// Headers that are left out of the signature, because software on the way sets or changes them.
const UNSIGNABLE: [&str; 13] = [
    "authorization",
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-amzn-trace-id",
];

/// Credentials and what they are narrowed to.
#[derive(Clone, Copy, Debug)]
pub struct Signer<'a> {
    /// The id of the access key.
    pub access_key_id: &'a str,
    /// Its secret.
    pub secret: &'a SecretKey,
    /// The session token of temporary credentials.
    pub session_token: Option<&'a str>,
    /// The signing region.
    pub region: &'a str,
    /// The signing name of the service.
    pub service: &'a str,
    /// How the service canonicalizes paths.
    pub path_form: PathForm,
}

/// Why a request cannot be signed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SignError {
    /// The address names no host, and there is no `host` header.
    #[error("the request names no host")]
    NoHost,
    /// The key id, region or service name is malformed.
    #[error("the credential scope is malformed: {0}")]
    Scope(AuthError),
    /// The time is outside the years 0 to 9999.
    #[error("the time cannot be written in a signature")]
    Time,
    /// The lifetime is not 1 to 604,800 seconds.
    #[error("a presigned request is good for 1 to {MAX_EXPIRES} seconds")]
    Lifetime,
    /// The session token cannot stand in a header, or the presigned address is too long.
    #[error("the session token or address cannot be sent")]
    Unsendable,
}

impl From<InvalidHeaderValue> for SignError {
    fn from(_: InvalidHeaderValue) -> Self {
        Self::Unsendable
    }
}

/// Signs a request in header form: sets `host` when it is absent, `x-amz-date`, `x-amz-security-token` and
/// `authorization`. Every header is covered, except those that software on the way changes (`user-agent`,
/// `content-length`, `connection` and their like).
pub fn sign(
    signer: &Signer<'_>,
    parts: &mut Parts,
    body: &[u8],
    now: Timestamp,
) -> Result<(), SignError> {
    let (stamp, scope) = signer.scope(now)?;
    parts.headers.remove(AUTHORIZATION);
    parts.headers.insert("x-amz-date", HeaderValue::from_bytes(stamp.as_bytes())?);
    match signer.session_token {
        Some(token) => {
            let mut value = HeaderValue::from_str(token)?;
            value.set_sensitive(true);
            parts.headers.insert("x-amz-security-token", value);
        }
        None => {
            parts.headers.remove("x-amz-security-token");
        }
    }
    let signed_headers = covered(parts)?;
    let signature = signer.signature(parts, &signed_headers, body, &stamp, &scope, false)?;
    let value = format!(
        "{ALGORITHM} Credential={}, SignedHeaders={signed_headers}, Signature={signature}",
        scope.as_str()
    );
    let mut value = HeaderValue::from_str(&value)?;
    value.set_sensitive(true);
    parts.headers.insert(AUTHORIZATION, value);
    Ok(())
}

/// Presigns a request: puts the signature, good for `expires` seconds (1 to 604,800), into its address. The
/// headers that are there, and `host`, are covered and must be sent along. The body is that of the request to
/// come, usually empty.
pub fn presign(
    signer: &Signer<'_>,
    parts: &mut Parts,
    body: &[u8],
    expires: u32,
    now: Timestamp,
) -> Result<(), SignError> {
    if !(1..=MAX_EXPIRES).contains(&expires) {
        return Err(SignError::Lifetime);
    }
    let (stamp, scope) = signer.scope(now)?;
    for name in ["authorization", "x-amz-date", "x-amz-security-token"] {
        parts.headers.remove(name);
    }
    let signed_headers = covered(parts)?;
    let expires = expires.to_string();
    let mut pairs = vec![
        ("X-Amz-Algorithm", ALGORITHM),
        ("X-Amz-Credential", scope.as_str()),
        ("X-Amz-Date", stamp.as_str()),
        ("X-Amz-Expires", &expires),
        ("X-Amz-SignedHeaders", &signed_headers),
    ];
    pairs.extend(signer.session_token.map(|token| ("X-Amz-Security-Token", token)));
    add_to_query(parts, &pairs)?;
    let signature = signer.signature(parts, &signed_headers, body, &stamp, &scope, true)?;
    add_to_query(parts, &[("X-Amz-Signature", &signature)])
}

impl Signer<'_> {
    fn scope(&self, now: Timestamp) -> Result<(Stamp, Credential), SignError> {
        let stamp = Stamp::from_timestamp(now).ok_or(SignError::Time)?;
        let scope = Credential::new(self.access_key_id, stamp.day(), self.region, self.service)
            .map_err(SignError::Scope)?;
        Ok((stamp, scope))
    }

    fn signature(
        &self,
        parts: &Parts,
        signed_headers: &str,
        body: &[u8],
        stamp: &Stamp,
        scope: &Credential,
        presigned: bool,
    ) -> Result<String, SignError> {
        let hash = to_hex(&sha256(body));
        let declared = parts.headers.get("x-amz-content-sha256");
        let inputs = Inputs {
            signed_headers,
            payload: declared.map_or(&hash, HeaderValue::as_bytes),
            path_form: self.path_form,
            presigned,
        };
        let canonical = canonical(parts, &inputs).ok_or(SignError::NoHost)?;
        let text = string_to_sign(stamp, scope, &canonical.hash);
        let signature = SigningKey::derive(self.secret, scope).sign(&text);
        Ok(String::from_utf8_lossy(&to_hex(&signature)).into_owned())
    }
}

/// The list of covered headers, `host` among them; sets `host` from the address when it is absent.
fn covered(parts: &mut Parts) -> Result<String, SignError> {
    if !parts.headers.contains_key(HOST) {
        let authority = parts.uri.authority().ok_or(SignError::NoHost)?;
        let host = match (authority.port_u16(), parts.uri.scheme_str()) {
            (Some(443), Some("https")) | (Some(80), Some("http")) | (None, _) => authority.host(),
            _ => authority.as_str().rsplit('@').next().unwrap_or_default(),
        };
        let host = HeaderValue::from_str(host)?;
        parts.headers.insert(HOST, host);
    }
    let mut names: Vec<&str> = parts
        .headers
        .keys()
        .map(http::HeaderName::as_str)
        .filter(|name| !UNSIGNABLE.contains(name))
        .collect();
    names.sort_unstable();
    Ok(names.join(";"))
}

fn add_to_query(parts: &mut Parts, pairs: &[(&str, &str)]) -> Result<(), SignError> {
    let mut target = parts.uri.path().as_bytes().to_vec();
    target.push(b'?');
    if let Some(query) = parts.uri.query().filter(|query| !query.is_empty()) {
        target.extend_from_slice(query.as_bytes());
        target.push(b'&');
    }
    for (at, (name, value)) in pairs.iter().enumerate() {
        if at > 0 {
            target.push(b'&');
        }
        target.extend_from_slice(name.as_bytes());
        target.push(b'=');
        encode(&mut target, value.bytes(), false);
    }
    let mut uri = parts.uri.clone().into_parts();
    uri.path_and_query = Some(target.as_slice().try_into().map_err(|_| SignError::Unsendable)?);
    parts.uri = Uri::from_parts(uri).map_err(|_| SignError::Unsendable)?;
    Ok(())
}
