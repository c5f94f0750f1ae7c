//! One HTTP exchange: the body read within its bounds, the peer worked out, the handler asked,
//! its answer or its failure sent.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, EXPECT, HOST};
use http::{HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::failure::{Dialect, failure};
use crate::site::Site;
use crate::{BodyTooLarge, Limits, dev};

type Answer = Response<Full<Bytes>>;

/// Answers one request that came from `address` over an encrypted connection or a plain one.
pub(crate) async fn answer(
    site: Arc<Site>,
    address: IpAddr,
    encrypted: bool,
    request: Request<Incoming>,
) -> Answer {
    if let Some(answer) = own_route(&site, &request).or_else(|| published(&site, &request)) {
        return answer;
    }
    let (mut parts, incoming) = request.into_parts();
    let dialect = Dialect::of(&parts.headers);
    if parts.version == Version::HTTP_2 && !settle_host(&mut parts) {
        return closing(failure(StatusCode::BAD_REQUEST, "BadRequest", dialect));
    }
    let expecting = parts.headers.contains_key(EXPECT);
    let reading = read(&site, expecting, incoming);
    let (body, whole) = match tokio::time::timeout(site.limits.body_time, reading).await {
        Ok(Ok(Read::Whole(body))) => (body, true),
        Ok(Ok(Read::Cut(body))) => (body, false),
        Ok(Ok(Read::NoRoom)) => {
            metrics::counter!("bailiwick_bodies_without_room_total").increment(1);
            let refused = StatusCode::SERVICE_UNAVAILABLE;
            return closing(failure(refused, "ServiceUnavailable", dialect));
        }
        Ok(Err(_)) => return closing(failure(StatusCode::BAD_REQUEST, "BadRequest", dialect)),
        Err(_) => {
            metrics::counter!("bailiwick_slow_bodies_total").increment(1);
            return closing(failure(StatusCode::REQUEST_TIMEOUT, "RequestTimeout", dialect));
        }
    };
    metrics::counter!("bailiwick_received_bytes_total").increment(body.len() as u64);
    if !whole {
        parts.extensions.insert(BodyTooLarge);
    }
    let http2 = parts.version == Version::HTTP_2;
    let request = Request::from_parts(parts, body);
    let answer = if request.uri().path().starts_with(dev::PREFIX) {
        dev::answer(&site, &request).await
    } else {
        ask(&site, address, encrypted, request, dialect).await
    };
    if whole || http2 { answer } else { closing(answer) }
}

/// Health and readiness: one word each, to anybody.
fn own_route(site: &Site, request: &Request<Incoming>) -> Option<Answer> {
    let word = match request.uri().path() {
        "/healthz" if site.handler.observing() => "observe",
        "/healthz" => "ok",
        "/readyz" if site.stopping.load(Ordering::Relaxed) => "stopping",
        "/readyz" if site.handler.ready() => "ready",
        "/readyz" => "starting",
        _ => return None,
    };
    let status = match word {
        _ if !matches!(*request.method(), Method::GET | Method::HEAD) => {
            StatusCode::METHOD_NOT_ALLOWED
        }
        "stopping" | "starting" => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::OK,
    };
    let mut answer = Response::new(Full::new(Bytes::from_static(word.as_bytes())));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Some(answer)
}

/// Documents for anybody, such as the keys under which the server's tokens verify.
fn published(site: &Site, request: &Request<Incoming>) -> Option<Answer> {
    if *request.method() != Method::GET {
        return None;
    }
    let document = site.handler.published(request.uri().path())?;
    let mut answer = Response::new(Full::new(document));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    Some(answer)
}

/// Gives an HTTP/2 request the `Host` that signatures cover. False when it has two minds.
fn settle_host(parts: &mut http::request::Parts) -> bool {
    let mut hosts = parts.headers.get_all(HOST).iter();
    let (host, more) = (hosts.next(), hosts.next().is_some());
    match (parts.uri.authority(), host, more) {
        (_, _, true) | (None, None, _) => false,
        (None, Some(_), _) => true,
        (Some(authority), Some(host), _) => authority.as_str().as_bytes() == host.as_bytes(),
        (Some(authority), None, _) => match HeaderValue::from_str(authority.as_str()) {
            Ok(value) => {
                parts.headers.insert(HOST, value);
                true
            }
            Err(_) => false,
        },
    }
}

/// What became of a body.
enum Read {
    Whole(Bytes),
    /// It was longer than the limit: its beginning.
    Cut(Bytes),
    /// The bodies of other requests take all the memory there is for them (G04).
    NoRoom,
}

/// Reads the body up to the limit. What comes after the limit, or finds no room, is read and
/// dropped, up to a second limit, unless the client waits to be asked for it.
async fn read(site: &Site, expecting: bool, mut incoming: Incoming) -> Result<Read, hyper::Error> {
    let limits = &site.limits;
    if incoming.is_end_stream() {
        return Ok(Read::Whole(Bytes::new()));
    }
    if expecting && incoming.size_hint().lower() > limits.body_bytes as u64 {
        return Ok(Read::Cut(Bytes::new()));
    }
    let (mut first, mut more) = (Bytes::new(), BytesMut::new());
    let (mut total, mut share, mut refused) = (0usize, Share::default(), false);
    while let Some(frame) = incoming.frame().await {
        let Ok(mut data) = frame?.into_data() else { continue };
        let room = limits.body_bytes.saturating_sub(total);
        total = total.saturating_add(data.len());
        if total > limits.body_bytes.saturating_add(limits.discard_bytes) {
            break;
        }
        data.truncate(room);
        if !refused && !share.cover(site, total.min(limits.body_bytes)) {
            // What it held is another request's from here on.
            (first, more, share, refused) = (Bytes::new(), BytesMut::new(), Share::default(), true);
        }
        if refused {
            continue;
        }
        // One frame holds nearly every body: it is not copied.
        if first.is_empty() && more.is_empty() {
            first = data;
        } else {
            if more.is_empty() {
                more.extend_from_slice(&first);
            }
            more.extend_from_slice(&data);
        }
    }
    if refused {
        return Ok(Read::NoRoom);
    }
    let body = share.bind(if more.is_empty() { first } else { more.freeze() });
    Ok(if total <= limits.body_bytes { Read::Whole(body) } else { Read::Cut(body) })
}

/// What one body takes of the memory for all bodies.
#[derive(Default)]
struct Share(Option<OwnedSemaphorePermit>);

impl Share {
    /// Takes what a body of `length` bytes needs; false when there is not so much left.
    fn cover(&mut self, site: &Site, length: usize) -> bool {
        let held = self.0.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let needed = length.saturating_sub(Limits::UNCOUNTED_BYTES).saturating_sub(held);
        if needed == 0 {
            return true;
        }
        let Ok(needed) = u32::try_from(needed) else { return false };
        // Nothing waits: two bodies that each hold what the other needs would wait for ever.
        let Ok(taken) = Arc::clone(site.buffer()).try_acquire_many_owned(needed) else {
            return false;
        };
        match &mut self.0 {
            Some(held) => held.merge(taken),
            none => *none = Some(taken),
        }
        true
    }

    /// Ties the share to the body: it is given back when nobody holds the body any more, be that
    /// long after its client has gone.
    fn bind(self, body: Bytes) -> Bytes {
        match self.0 {
            Some(permit) => Bytes::from_owner(Counted { body, _permit: permit }),
            None => body,
        }
    }
}

/// A body that counts.
struct Counted {
    body: Bytes,
    _permit: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

/// Hands the request to the handler. A handler that panics, here or in another thread, costs its
/// own request and no other (G10).
async fn ask(
    site: &Site,
    address: IpAddr,
    encrypted: bool,
    request: Request<Bytes>,
    dialect: Dialect,
) -> Answer {
    let begun_at = Instant::now();
    let peer = site.proxies.peer(address, encrypted, request.headers());
    let (give, take) = oneshot::channel();
    let reply = Box::new(move |response| {
        // The client may have gone: then nobody takes the answer.
        let _ = give.send(response);
    });
    let begun = std::panic::catch_unwind(AssertUnwindSafe(|| {
        site.handler.begin(request, peer, reply);
    }));
    let answer = match begun {
        Ok(()) => take.await.ok(),
        Err(_) => None,
    };
    metrics::histogram!("bailiwick_request_seconds").record(begun_at.elapsed());
    if let Some(answer) = answer {
        metrics::counter!("bailiwick_sent_bytes_total").increment(answer.body().len() as u64);
        return answer.map(Full::new);
    }
    let answer = failure(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure", dialect);
    metrics::counter!("bailiwick_handler_failures_total").increment(1);
    tracing::error!(
        request_id = ?answer.headers().get(crate::failure::REQUEST_ID),
        "the handler failed without an answer"
    );
    answer
}

fn closing(mut answer: Answer) -> Answer {
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}
