//! Answers of sign-in: JSON, with the same headers whatever is wrong.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use crate::fault::Fault;
use crate::origin::Origin;

/// The name of the session cookie. Over TLS its prefix keeps other hosts from setting it.
pub(super) const fn cookie_name(secure: bool) -> &'static str {
    if secure { "__Host-bailiwick-session" } else { "bailiwick-session" }
}

/// What becomes of the cookie.
pub(super) enum Cookie {
    /// It is set, and ends then.
    Set(String, Timestamp),
    /// It is taken away.
    Clear,
}

/// An answer.
pub(super) struct Answer {
    status: u16,
    body: Json,
    cookie: Option<Cookie>,
}

impl Answer {
    /// A step that went well.
    pub(super) fn done(body: Json) -> Self {
        Self { status: 200, body, cookie: None }
    }

    /// The same with a cookie.
    pub(super) fn with_cookie(self, cookie: Cookie) -> Self {
        Self { cookie: Some(cookie), ..self }
    }

    /// A refusal: a status, a code for programs and a text for people.
    pub(super) fn error(status: u16, code: &str, message: &str) -> Self {
        Self { status, body: json!({"error": code, "message": message}), cookie: None }
    }

    /// Wrong account, name or password, which is not told apart.
    pub(super) fn wrong() -> Self {
        let text = "Your authentication information is incorrect. Please try again.";
        Self::error(401, "InvalidCredentials", text)
    }

    /// Wrong second factor.
    pub(super) fn wrong_factor() -> Self {
        let text = "Your authentication information is incorrect. Please try again.";
        Self::error(401, "InvalidFactor", text)
    }

    /// The next guess must wait.
    pub(super) fn wait() -> Self {
        Self::error(429, "TooManyAttempts", "Too many attempts. Please wait and try again.")
    }

    /// More is asked at once than can be hashed.
    pub(super) fn busy() -> Self {
        Self::error(503, "ServiceUnavailable", "The server is busy. Please try again.")
    }

    /// The sign-in took too long, or is another's, or was ended.
    pub(super) fn stale() -> Self {
        Self::error(401, "StaleSignIn", "Your sign-in has ended. Please sign in again.")
    }

    /// There is no session, or no longer.
    pub(super) fn no_session() -> Self {
        Self::error(401, "NoSession", "You are not signed in.").with_cookie(Cookie::Clear)
    }

    /// A fault of an operation.
    pub(super) fn fault(fault: &Fault) -> Self {
        Self::error(fault.status().unwrap_or(400), fault.code(), fault.message())
    }

    /// The HTTP response.
    pub(super) fn into_response(self, origin: &Origin, secure: bool) -> Response<Bytes> {
        let mut response = Response::new(Bytes::from(self.body.to_string()));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Ok(id) = HeaderValue::from_str(&origin.request_id) {
            headers.insert("x-amzn-requestid", id);
        }
        if let Some(cookie) = self.cookie
            && let Ok(mut value) = HeaderValue::from_str(&cookie.text(origin.now, secure))
        {
            value.set_sensitive(true);
            headers.insert(header::SET_COOKIE, value);
        }
        response
    }
}

impl Cookie {
    fn text(&self, now: Timestamp, secure: bool) -> String {
        let name = cookie_name(secure);
        let (value, seconds) = match self {
            Self::Set(value, ends) => {
                (value.as_str(), ends.as_second().saturating_sub(now.as_second()).max(0))
            }
            Self::Clear => ("", 0),
        };
        let secure = if secure { "; Secure" } else { "" };
        format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_for_this_server_alone() {
        let now = Timestamp::UNIX_EPOCH;
        let set = Cookie::Set("abc".into(), Timestamp::from_second(60).unwrap());
        assert_eq!(
            set.text(now, true),
            "__Host-bailiwick-session=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure"
        );
        assert_eq!(
            Cookie::Clear.text(now, false),
            "bailiwick-session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"
        );
    }
}
