//! The switches of a development server: back to first start, and a clock that can be set.
//!
//! A plain server has no such routes and answers 404. On a development server, which listens on
//! loopback only, the danger is a web page in a browser on the same machine. So a call needs a
//! header that a page cannot send without asking first (nobody answers such questions here), a
//! loopback `Host` (against names re-bound to loopback), and no `Origin`.

use std::net::IpAddr;
use std::sync::Arc;

use bailiwick_model::KeyPolicy;
use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use crate::clock::ClockChange;
use crate::failure::{Dialect, failure};
use crate::key_policy::KeyLimits;
use crate::site::Site;

/// Where these routes live.
pub(crate) const PREFIX: &str = "/_bailiwick/";
/// The header that shows a call is meant.
pub(crate) const HEADER: &str = "x-bailiwick-dev";

/// What a development server can do beside answering.
pub trait Dev: Send + Sync {
    /// Puts everything back to first start, with the same administrator key.
    fn reset(&self) -> anyhow::Result<()>;

    /// Changes the clock and tells what it shows then.
    fn set_clock(&self, change: ClockChange) -> anyhow::Result<Timestamp>;

    /// Limits the age of access keys, or no longer.
    fn set_key_policy(&self, policy: Option<KeyPolicy>) -> anyhow::Result<()>;
}

/// The body of a clock call: exactly one member.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum ClockCall {
    Now(Timestamp),
    AdvanceSeconds(i64),
    Reset(bool),
}

/// Answers a request below [`PREFIX`].
pub(crate) async fn answer(site: &Site, request: &Request<Bytes>) -> Response<Full<Bytes>> {
    let Some(dev) = site.dev.clone() else {
        return failure(StatusCode::NOT_FOUND, "NotFound", Dialect::of(request.headers()));
    };
    let route = request.uri().path().strip_prefix(PREFIX).unwrap_or_default();
    if !matches!(route, "reset" | "clock" | "key-policy") {
        return told(StatusCode::NOT_FOUND, "no such route");
    }
    if request.method() != Method::POST {
        let mut answer = told(StatusCode::METHOD_NOT_ALLOWED, "use POST");
        answer.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        return answer;
    }
    if let Err(reason) = meant(request.headers()) {
        return told(StatusCode::FORBIDDEN, reason);
    }
    if route == "key-policy" {
        return key_policy(dev, request.body()).await;
    }
    let change = match (route, serde_json::from_slice(request.body())) {
        ("reset", _) => None,
        (_, Ok(ClockCall::Now(instant))) => Some(ClockChange::Now(instant)),
        (_, Ok(ClockCall::AdvanceSeconds(seconds))) => Some(ClockChange::Advance(seconds)),
        (_, Ok(ClockCall::Reset(true))) => Some(ClockChange::Reset),
        _ => {
            let usage = r#"send {"now": "2024-12-31T23:59:58Z"}, {"advance_seconds": 3600} or {"reset": true}"#;
            return told(StatusCode::BAD_REQUEST, usage);
        }
    };
    // A reset hashes a password: not on a thread that serves connections.
    let done = tokio::task::spawn_blocking(move || match change {
        None => dev.reset().map(|()| json!({"reset": true})),
        Some(change) => dev.set_clock(change).map(|now| json!({"now": now.to_string()})),
    });
    match done.await {
        Ok(Ok(value)) => said(StatusCode::OK, &value),
        Ok(Err(error)) => told(StatusCode::BAD_REQUEST, &error.to_string()),
        Err(_) => told(StatusCode::INTERNAL_SERVER_ERROR, "the call failed"),
    }
}

/// Sets the key policy that the body holds; `null` takes it away.
async fn key_policy(dev: Arc<dyn Dev>, body: &[u8]) -> Response<Full<Bytes>> {
    let Ok(limits) = serde_json::from_slice::<Option<KeyLimits>>(body) else {
        return told(StatusCode::BAD_REQUEST, r#"send {"max_age": "90d", "warn": "14d"} or null"#);
    };
    let policy = limits.map(KeyPolicy::from);
    match tokio::task::spawn_blocking(move || dev.set_key_policy(policy)).await {
        Ok(Ok(())) => said(StatusCode::OK, &json!({"done": true})),
        Ok(Err(error)) => told(StatusCode::BAD_REQUEST, &error.to_string()),
        Err(_) => told(StatusCode::INTERNAL_SERVER_ERROR, "the call failed"),
    }
}

/// Whether the call can only come from somebody who means it.
fn meant(headers: &HeaderMap) -> Result<(), &'static str> {
    if headers.get(HEADER).is_none_or(|value| value != "true") {
        return Err("send the header `X-Bailiwick-Dev: true`");
    }
    if headers.contains_key(ORIGIN) {
        return Err("not for web pages");
    }
    if loopback_host(headers.get(HOST)) {
        Ok(())
    } else {
        Err("call a loopback address by its name `localhost` or its number")
    }
}

/// Whether a `Host` header names this machine, to itself.
pub(crate) fn loopback_host(host: Option<&HeaderValue>) -> bool {
    let host = host.and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
    let Some(host) = host.as_ref().map(Authority::host) else { return false };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn told(status: StatusCode, message: &str) -> Response<Full<Bytes>> {
    said(status, &json!({"message": message}))
}

fn said(status: StatusCode, value: &serde_json::Value) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from(value.to_string())));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tm_p04_a_web_page_cannot_work_the_switches() {
        for (headers, fine) in [
            (&[("host", "localhost:4680"), (HEADER, "true")][..], true),
            (&[("host", "127.0.0.1:4680"), (HEADER, "true")], true),
            (&[("host", "[::1]:4680"), (HEADER, "true")], true),
            // A form or a simple fetch has no such header.
            (&[("host", "localhost:4680")], false),
            (&[("host", "localhost:4680"), (HEADER, "yes")], false),
            (&[("host", "localhost"), (HEADER, "true"), ("origin", "http://evil.test")], false),
            // A name of the attacker's, bound to 127.0.0.1 after the page was loaded.
            (&[("host", "evil.test:4680"), (HEADER, "true")], false),
            (&[("host", "localhost.evil.test"), (HEADER, "true")], false),
            (&[(HEADER, "true")], false),
        ] {
            let map = headers
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
                .collect::<HeaderMap>();
            assert_eq!(meant(&map).is_ok(), fine, "{headers:?}");
        }
    }

    #[test]
    fn clock_calls_have_one_member() {
        for (text, fine) in [
            (r#"{"now":"2024-12-31T23:59:58Z"}"#, true),
            (r#"{"advance_seconds":-5}"#, true),
            (r#"{"reset":true}"#, true),
            (r#"{"now":"yesterday"}"#, false),
            (r#"{"advance_seconds":1,"reset":true}"#, false),
            (r#"{"stop":true}"#, false),
            ("", false),
        ] {
            assert_eq!(serde_json::from_str::<ClockCall>(text).is_ok(), fine, "{text}");
        }
    }
}
