//! The few answers the listener gives by itself, in the shape AWS clients read.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body_util::Full;

use crate::random;

/// The header that names a request to its client and in the log.
pub(crate) const REQUEST_ID: &str = "x-amzn-requestid";

/// What a client reads errors in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Dialect {
    Xml,
    Json,
}

impl Dialect {
    /// The dialect of a request with these headers.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let json = headers.contains_key("x-amz-target")
            || headers.get(CONTENT_TYPE).is_some_and(|value| {
                let kind = value.as_bytes();
                kind.starts_with(b"application/x-amz-json") || kind.starts_with(b"application/json")
            });
        if json { Self::Json } else { Self::Xml }
    }
}

/// A bare failure: a code, a fresh request id, and not a word more.
pub(crate) fn failure(
    status: StatusCode,
    code: &'static str,
    dialect: Dialect,
) -> Response<Full<Bytes>> {
    let id = random::uuid();
    let kind = if status.is_server_error() { "Receiver" } else { "Sender" };
    let (body, content) = match dialect {
        Dialect::Xml => (
            format!(
                "<ErrorResponse><Error><Type>{kind}</Type><Code>{code}</Code><Message/></Error>\
                 <RequestId>{id}</RequestId></ErrorResponse>"
            ),
            "text/xml",
        ),
        Dialect::Json => (format!("{{\"__type\":\"{code}\"}}"), "application/x-amz-json-1.1"),
    };
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    answer
}
