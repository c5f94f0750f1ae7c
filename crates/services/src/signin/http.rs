//! A step of a sign-in as it comes over HTTP: a JSON object in a POST, from the same origin.
//!
//! A browser sends a form or a text to any site, but JSON to another site only after asking, and is
//! never told yes; what it says of the page's origin must be this server's besides (threat N02).

use bailiwick_wire::Secret;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method};
use serde::Deserialize;

use super::answer::{self, Answer};
use super::factor::Factor;
use crate::admit::BodyTooLarge;
use crate::node::Node;

/// The longest body, in bytes: an assertion of a security key with room to spare.
const MAX_BODY: usize = 16 * 1024;

/// A step, decoded.
pub(super) enum Step {
    /// Who, and the password.
    Password(PasswordStep),
    /// The second factor.
    Factor(FactorStep),
    /// Another password.
    NewPassword(NewPasswordStep),
    /// What the session is, and credentials for it.
    Session,
    /// The end of the session.
    SignOut,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct PasswordBody {
    account: String,
    user_name: String,
    password: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct FactorBody {
    ticket: String,
    code: Option<String>,
    serial_number: Option<String>,
    passkey: Option<serde_json::Value>,
}

impl FactorBody {
    fn factor(self) -> Option<FactorStep> {
        let factor = match (self.code, self.passkey) {
            (Some(code), None) => Factor::Code { code, serial: self.serial_number },
            (None, Some(assertion)) => Factor::Passkey(assertion),
            _ => return None,
        };
        Some(FactorStep { ticket: self.ticket, factor })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewPasswordBody {
    ticket: String,
    old_password: String,
    new_password: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NothingBody {}

/// Who signs in.
pub(super) struct PasswordStep {
    /// The id or alias of an account.
    pub(super) account: String,
    /// The name of a user in it.
    pub(super) user_name: String,
    /// Its password, perhaps.
    pub(super) password: Secret,
}

/// With what it goes on.
pub(super) struct FactorStep {
    /// What the step before gave out.
    pub(super) ticket: String,
    /// The factor that is shown.
    pub(super) factor: Factor,
}

/// Another password.
pub(super) struct NewPasswordStep {
    /// What the step before gave out.
    pub(super) ticket: String,
    /// The password that must be changed.
    pub(super) old: Secret,
    /// What it is to be.
    pub(super) new: Secret,
}

/// The step of a request, the session cookie that came with it, and the server's address as the
/// client has it.
pub(super) fn read(
    node: &Node,
    parts: &Parts,
    body: &Bytes,
    secure: bool,
) -> Result<(Step, Option<String>, String), Answer> {
    let name = parts.uri.path().strip_prefix(super::PREFIX).unwrap_or_default();
    if !["password", "factor", "new-password", "session", "sign-out"].contains(&name) {
        return Err(Answer::error(404, "NotFound", "There is nothing at this path."));
    }
    if parts.method != Method::POST {
        return Err(Answer::error(405, "MethodNotAllowed", "Sign-in takes POST alone."));
    }
    let host = single(&parts.headers, "host").unwrap_or_default();
    let site = format!("{}://{host}", if secure { "https" } else { "http" });
    if !same_origin(&parts.headers, &site, &node.settings().public_url) {
        return Err(Answer::error(403, "ForeignOrigin", "The request comes from another site."));
    }
    let json = single(&parts.headers, "content-type")
        .and_then(|kind| kind.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
    let encoded = parts
        .headers
        .get("content-encoding")
        .is_some_and(|encoding| encoding.as_bytes() != b"identity");
    if !json || encoded {
        let text = "Sign-in takes a body of the type application/json, not encoded.";
        return Err(Answer::error(415, "UnsupportedMediaType", text));
    }
    if parts.extensions.get::<BodyTooLarge>().is_some() || body.len() > MAX_BODY {
        return Err(Answer::error(413, "RequestEntityTooLarge", "The request body is too large."));
    }
    let step = match name {
        "password" => {
            let PasswordBody { account, user_name, password } = decode(body)?;
            Step::Password(PasswordStep { account, user_name, password: password.into() })
        }
        "factor" => {
            let body: FactorBody = decode(body)?;
            let text = "Give a code or a passkey.";
            let step = body.factor();
            Step::Factor(step.ok_or_else(|| Answer::error(400, "MalformedRequest", text))?)
        }
        "new-password" => {
            let NewPasswordBody { ticket, old_password, new_password } = decode(body)?;
            let (old, new) = (old_password.into(), new_password.into());
            Step::NewPassword(NewPasswordStep { ticket, old, new })
        }
        "session" => decode(body).map(|NothingBody {}| Step::Session)?,
        _ => decode(body).map(|NothingBody {}| Step::SignOut)?,
    };
    Ok((step, cookie(&parts.headers, secure), site))
}

/// The parser's own words could repeat a password.
fn decode<'a, T: Deserialize<'a>>(body: &'a Bytes) -> Result<T, Answer> {
    serde_json::from_slice(body).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        let text = format!("The body is not the JSON object that this step takes ({place}).");
        Answer::error(400, "MalformedRequest", &text)
    })
}

/// The value of a header that may stand once.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// Whether a request may come from a page of this server. Programs that are no browsers say nothing
/// of an origin, and have no cookies that they were not given.
fn same_origin(headers: &HeaderMap, site: &str, public: &str) -> bool {
    let fetched = headers.get("sec-fetch-site").is_none_or(|site| {
        ["same-origin", "none"].iter().any(|fine| site.as_bytes() == fine.as_bytes())
    });
    let origin = headers.get("origin").is_none()
        || single(headers, "origin").is_some_and(|origin| {
            origin.eq_ignore_ascii_case(site) || origin.eq_ignore_ascii_case(origin_of(public))
        });
    fetched && origin
}

/// Scheme, host and port of a URL.
fn origin_of(url: &str) -> &str {
    let host = url.find("://").map_or(0, |place| place + 3);
    let end = url.get(host..).and_then(|rest| rest.find('/')).map_or(url.len(), |end| host + end);
    url.get(..end).unwrap_or(url)
}

fn cookie(headers: &HeaderMap, secure: bool) -> Option<String> {
    let name = answer::cookie_name(secure);
    headers
        .get_all("cookie")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(found, value)| (found == name).then(|| value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins() {
        assert_eq!(origin_of("https://iam.example.com/base"), "https://iam.example.com");
        assert_eq!(origin_of("http://127.0.0.1:4680"), "http://127.0.0.1:4680");
        for (origin, fetched, fine) in [
            (None, None, true),
            (Some("http://localhost:4680"), None, true),
            (Some("https://iam.example.com"), Some("same-origin"), true),
            (Some("https://iam.example.com"), Some("cross-site"), false),
            (None, Some("same-site"), false),
            (Some("https://localhost:4680"), None, false),
            (Some("https://iam.example.com.evil.example"), None, false),
            (Some("null"), None, false),
            (Some(""), None, false),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in [("origin", origin), ("sec-fetch-site", fetched)] {
                if let Some(value) = value {
                    headers.insert(name, value.parse().unwrap());
                }
            }
            let public = "https://iam.example.com/base";
            assert_eq!(same_origin(&headers, "http://localhost:4680", public), fine, "{origin:?}");
        }
    }
}
