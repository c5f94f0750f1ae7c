//! What a client is told when authentication fails, in AWS's words.
//!
//! Codes and statuses follow the protocol family. The texts are AWS's where they are known, for tools match on
//! them: those of missing fields, the scope, the time window, the uncovered host and the wrong signature are
//! *observed* in public reports of its answers; those of a wrong algorithm, a wrong date, missing query
//! parameters, lifetimes and `ExpiredToken` are unverified; the rest is ours. Input is quoted clipped and made
//! printable; a signature, token or whole `Authorization` header is never quoted.

use http::StatusCode;

use super::uri::{Defect, UriPart};

/// How a service spells its errors.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Family {
    /// Query/XML: iam, sts, sns. Authentication faults are 403.
    Query,
    /// JSON 1.0 and 1.1: organizations, cloudtrail and others. Authentication faults are 400.
    Json,
    /// REST-JSON: accessanalyzer, rolesanywhere and others. JSON's names with 403.
    RestJson,
}

/// Why a request is not authenticated. Every variant means the same for access: denied (R1).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum AuthError {
    /// The request carries no signature, and the operation needs one.
    MissingAuthenticationToken,
    /// The signature's parts are missing, doubled or malformed; the text says which.
    IncompleteSignature(Box<str>),
    /// The key is unknown, inactive or deleted, or its session token is missing, foreign or invalid.
    InvalidClientTokenId,
    /// The session token is genuine, and its time is over.
    ExpiredToken,
    /// The signature computed here is another one.
    SignatureDoesNotMatch,
    /// The request was signed too long ago, or the presigned form's lifetime is over.
    SignatureExpired {
        /// When the request was signed, in ISO 8601 basic form.
        signed: Box<str>,
        /// The earliest signing time that would have been accepted.
        limit: Box<str>,
        /// This server's time.
        now: Box<str>,
        /// The seconds between the two.
        allowed: u32,
    },
    /// The request is signed with a time too far in the future.
    SignatureNotYetCurrent {
        /// When the request says it was signed.
        signed: Box<str>,
        /// The latest signing time that would have been accepted.
        limit: Box<str>,
        /// This server's time.
        now: Box<str>,
        /// The seconds between the two.
        allowed: u32,
    },
    /// The signature is whole, but does not cover what it must or is made for something else; the text says
    /// what.
    Refused(Box<str>),
    /// The signature is good, and the path or query it covers is spelt in a way that is never accepted (A03).
    MalformedUri(UriPart, Defect),
}

impl AuthError {
    pub(super) fn incomplete(text: impl Into<Box<str>>) -> Self {
        Self::IncompleteSignature(text.into())
    }

    pub(super) fn refused(text: impl Into<Box<str>>) -> Self {
        Self::Refused(text.into())
    }

    /// The error code: `Code` in query, `__type` in JSON.
    pub fn code(&self, family: Family) -> &'static str {
        let (query, json) = match self {
            Self::MissingAuthenticationToken => {
                ("MissingAuthenticationToken", "MissingAuthenticationTokenException")
            }
            Self::IncompleteSignature(_) => ("IncompleteSignature", "IncompleteSignatureException"),
            Self::InvalidClientTokenId => ("InvalidClientTokenId", "UnrecognizedClientException"),
            Self::ExpiredToken => ("ExpiredToken", "ExpiredTokenException"),
            Self::SignatureDoesNotMatch
            | Self::SignatureExpired { .. }
            | Self::SignatureNotYetCurrent { .. }
            | Self::Refused(_) => ("SignatureDoesNotMatch", "InvalidSignatureException"),
            Self::MalformedUri(UriPart::Query, _) => {
                ("MalformedQueryString", "ValidationException")
            }
            Self::MalformedUri(UriPart::Path, _) => ("ValidationError", "ValidationException"),
        };
        match family {
            Family::Query => query,
            Family::Json | Family::RestJson => json,
        }
    }

    /// The HTTP status.
    pub fn status(&self, family: Family) -> StatusCode {
        match (self, family) {
            (Self::MissingAuthenticationToken, _) => StatusCode::FORBIDDEN,
            // Observed: iam and sts answer `IncompleteSignature` with 400.
            (Self::IncompleteSignature(_) | Self::MalformedUri(..), _) | (_, Family::Json) => {
                StatusCode::BAD_REQUEST
            }
            (_, Family::Query | Family::RestJson) => StatusCode::FORBIDDEN,
        }
    }

    /// The text for the client.
    pub fn message(&self) -> String {
        match self {
            Self::MissingAuthenticationToken => "Request is missing Authentication Token".to_owned(),
            Self::IncompleteSignature(text) | Self::Refused(text) => text.to_string(),
            Self::InvalidClientTokenId => {
                "The security token included in the request is invalid.".to_owned()
            }
            Self::ExpiredToken => "The security token included in the request is expired".to_owned(),
            Self::SignatureDoesNotMatch => {
                "The request signature we calculated does not match the signature you provided. Check your \
                 AWS Secret Access Key and signing method. Consult the service documentation for details."
                    .to_owned()
            }
            Self::SignatureExpired { signed, limit, now, allowed } => {
                let span = span(*allowed);
                format!("Signature expired: {signed} is now earlier than {limit} ({now} - {span})")
            }
            Self::SignatureNotYetCurrent { signed, limit, now, allowed } => {
                let span = span(*allowed);
                format!("Signature not yet current: {signed} is still later than {limit} ({now} + {span})")
            }
            Self::MalformedUri(part, defect) => format!("The request {part} is malformed: {defect}."),
        }
    }
}

impl std::fmt::Display for AuthError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message())
    }
}

impl std::error::Error for AuthError {}

/// A span of time as AWS writes it: `5 min.`; whole minutes where it can be.
fn span(seconds: u32) -> String {
    match (seconds / 60, seconds % 60) {
        (minutes, 0) => format!("{minutes} min."),
        _ => format!("{seconds} sec."),
    }
}

/// Input made safe to quote: at most 128 characters, and printable ASCII only.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(128).map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_statuses_follow_the_family() {
        use Family::{Json, Query, RestJson};
        let incomplete = AuthError::incomplete("x");
        for (error, family, code, status) in [
            (&AuthError::MissingAuthenticationToken, Query, "MissingAuthenticationToken", 403),
            (
                &AuthError::MissingAuthenticationToken,
                Json,
                "MissingAuthenticationTokenException",
                403,
            ),
            (&incomplete, Query, "IncompleteSignature", 400),
            (&incomplete, Json, "IncompleteSignatureException", 400),
            (&AuthError::InvalidClientTokenId, Query, "InvalidClientTokenId", 403),
            (&AuthError::InvalidClientTokenId, Json, "UnrecognizedClientException", 400),
            (&AuthError::InvalidClientTokenId, RestJson, "UnrecognizedClientException", 403),
            (&AuthError::ExpiredToken, Query, "ExpiredToken", 403),
            (&AuthError::ExpiredToken, Json, "ExpiredTokenException", 400),
            (&AuthError::SignatureDoesNotMatch, Query, "SignatureDoesNotMatch", 403),
            (&AuthError::SignatureDoesNotMatch, Json, "InvalidSignatureException", 400),
            (&AuthError::SignatureDoesNotMatch, RestJson, "InvalidSignatureException", 403),
        ] {
            assert_eq!(
                (error.code(family), error.status(family).as_u16()),
                (code, status),
                "{error:?}"
            );
        }
    }

    #[test]
    fn quoted_input_is_clipped_and_printable() {
        assert_eq!(shown("a\n\u{1b}[31m\u{e9}"), "a??[31m?");
        assert_eq!(shown(&"x".repeat(1000)).len(), 128);
    }
}
