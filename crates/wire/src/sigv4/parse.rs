//! Reading what a request presents: its key id, scope, signed headers, date, token and signature.
//!
//! Nothing here is believed; [`super::verify`] decides. What cannot be read in exactly one way is refused
//! (threat A02): two `Authorization` headers, credentials in header and query string, two dates, two tokens,
//! any `x-amz-*` header that comes twice, any of the signature's query parameters that comes twice.

use http::request::Parts;
use jiff::Timestamp;
use zeroize::Zeroizing;

use super::ALGORITHM;
use super::credential::Credential;
use super::date::Stamp;
use super::error::AuthError;
use super::fields::{
    Fields, Parameters, bad_date, header_date, hex, instant, is_amz, lifetime, signed_headers,
    single, token, twice, two_sources, unsupported,
};

/// Where a request carries its signature.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// In the `Authorization` header.
    Header,
    /// In the query string: a presigned request.
    Query,
}

/// The two kinds of access key, for [`Presented::check_token`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeyKind {
    /// Belongs to a user or the root, and comes without a session token.
    LongLived,
    /// Belongs to a session, and comes with its session token.
    Temporary,
}

/// All that a signed request presents, before any key is looked up.
#[derive(Clone)]
pub struct Presented {
    credential: Credential,
    signed_headers: Box<str>,
    /// `None` when it is not 64 lower-case hex digits, and so cannot be right.
    signature: Option<[u8; 32]>,
    stamp: Stamp,
    signed_at: Timestamp,
    form: Form,
    expires: Option<u32>,
    session_token: Option<Zeroizing<Box<str>>>,
}

/// Reads the signature of a request; `None` when it carries none, in header and in query string.
///
/// Fails when it is malformed or there is more than one ([`AuthError::IncompleteSignature`]), or when its key
/// id or region cannot exist. Limits: `Authorization` 8 KiB, session token 16 KiB, 100 signed headers.
pub fn parse(parts: &Parts) -> Result<Option<Presented>, AuthError> {
    let parameters = Parameters::read(parts.uri.query().unwrap_or_default())?;
    let authorization = single(&parts.headers, "authorization")?;
    for name in parts.headers.keys().filter(|name| is_amz(name.as_str())) {
        if parts.headers.get_all(name).iter().nth(1).is_some() {
            return Err(twice(name.as_str()));
        }
    }
    match (authorization, parameters.any_credential()) {
        (None, false) => Ok(None),
        (Some(value), false) => {
            if parameters.any() {
                return Err(two_sources());
            }
            from_header(parts, value).map(Some)
        }
        (None, true) => from_query(parts, parameters).map(Some),
        (Some(_), true) => Err(two_sources()),
    }
}

impl Presented {
    /// The id of the access key; letters, digits and `_`, at most 128.
    pub fn access_key_id(&self) -> &str {
        self.credential.access_key_id()
    }

    /// The credential scope.
    pub fn scope(&self) -> &Credential {
        &self.credential
    }

    /// The session token that came along, a secret.
    pub fn session_token(&self) -> Option<&str> {
        self.session_token.as_ref().map(|token| &***token)
    }

    /// When the client says it signed, to the second.
    pub fn signed_at(&self) -> Timestamp {
        self.signed_at
    }

    /// Where the signature was.
    pub fn form(&self) -> Form {
        self.form
    }

    /// The lifetime of a presigned request in seconds, 1 to 604,800; `None` in header form.
    pub fn expires(&self) -> Option<u32> {
        self.expires
    }

    /// The names of the headers that are covered, in lower case, ascending.
    pub fn signed_headers(&self) -> impl Iterator<Item = &str> {
        self.signed_headers.split(';')
    }

    /// Whether the signature covers a header. `name` is in lower case. A header that steers anything (an
    /// idempotency id, for one) is to be used only when it is covered.
    pub fn signs(&self, name: &str) -> bool {
        self.signed_headers().any(|signed| signed == name)
    }

    /// Checks that a token came exactly when the kind of key asks for one (threat A12). Whether it is that
    /// key's token the caller finds out.
    pub fn check_token(&self, kind: KeyKind) -> Result<(), AuthError> {
        match (kind, self.session_token()) {
            (KeyKind::LongLived, None) => Ok(()),
            (KeyKind::Temporary, Some(token)) if !token.is_empty() => Ok(()),
            _ => Err(AuthError::InvalidClientTokenId),
        }
    }

    pub(super) fn signed_headers_line(&self) -> &str {
        &self.signed_headers
    }

    pub(super) fn signature(&self) -> Option<&[u8; 32]> {
        self.signature.as_ref()
    }

    pub(super) fn stamp(&self) -> &Stamp {
        &self.stamp
    }
}

impl std::fmt::Debug for Presented {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Presented")
            .field("credential", &self.credential)
            .field("signed_headers", &self.signed_headers)
            .field("signed_at", &self.stamp.as_str())
            .field("form", &self.form)
            .field("expires", &self.expires)
            .field("session_token", &self.session_token.as_ref().map(|_| ".."))
            .finish_non_exhaustive()
    }
}

fn from_header(parts: &Parts, value: &[u8]) -> Result<Presented, AuthError> {
    let fields = Fields::read(value, &parts.headers)?;
    let stamp = header_date(&parts.headers)?;
    Ok(Presented {
        credential: Credential::parse(fields.credential)?,
        signed_headers: signed_headers(fields.signed_headers)?,
        signature: hex(fields.signature.as_bytes()),
        signed_at: instant(&stamp)?,
        stamp,
        form: Form::Header,
        expires: None,
        session_token: single(&parts.headers, "x-amz-security-token")?.map(token).transpose()?,
    })
}

fn from_query(parts: &Parts, found: Parameters<'_>) -> Result<Presented, AuthError> {
    let Parameters {
        algorithm,
        credential,
        date,
        expires,
        signed_headers: names,
        signature,
        token: secret,
    } = found;
    let missing = [
        ("X-Amz-Algorithm", algorithm.is_none()),
        ("X-Amz-Credential", credential.is_none()),
        ("X-Amz-Signature", signature.is_none()),
        ("X-Amz-SignedHeaders", names.is_none()),
        ("X-Amz-Date", date.is_none()),
        ("X-Amz-Expires", expires.is_none()),
    ];
    let (
        Some(algorithm),
        Some(credential),
        Some(signature),
        Some(names),
        Some(date),
        Some(expires),
    ) = (algorithm, credential, signature, names, date, expires)
    else {
        let mut text = String::new();
        for (name, _) in missing.iter().filter(|(_, absent)| *absent) {
            text.push_str("AWS query-string parameters must include '");
            text.push_str(name);
            text.push_str("'. ");
        }
        text.push_str("Re-examine the query-string parameters.");
        return Err(AuthError::incomplete(text));
    };
    for name in ["x-amz-date", "x-amz-security-token"] {
        if parts.headers.contains_key(name) {
            return Err(two_sources());
        }
    }
    if algorithm != ALGORITHM {
        return Err(unsupported(&algorithm));
    }
    let stamp = Stamp::parse_basic(date.as_bytes()).ok_or_else(|| bad_date(date.as_bytes()))?;
    Ok(Presented {
        credential: Credential::parse(&credential)?,
        signed_headers: signed_headers(&names)?,
        signature: hex(signature.as_bytes()),
        signed_at: instant(&stamp)?,
        stamp,
        form: Form::Query,
        expires: Some(lifetime(&expires)?),
        session_token: secret.map(|text| token(text.as_bytes())).transpose()?,
    })
}
