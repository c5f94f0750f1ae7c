//! What a listener needs of the thing that answers: one call that takes a request and, at some
//! time, replies. The identity services are such a thing; so is a constant for measuring.

use bytes::Bytes;

/// Marks a request whose body was longer than the limit. Its body holds no more than the limit;
/// the rest has been thrown away, so that no signature over it can be checked.
pub use bailiwick_services::BodyTooLarge;
/// Who is at the other end of a request, after trusted proxies have been looked through.
pub use bailiwick_services::Peer;
/// Takes the answer to one request. Dropping it unused answers a bare internal failure.
pub use bailiwick_services::Reply;

/// Answers requests.
pub trait Handler: Send + Sync + 'static {
    /// Takes one request up. It must not block for long: it works for microseconds and calls
    /// `reply` once, here or from another thread.
    fn begin(&self, request: http::Request<Bytes>, peer: Peer, reply: Reply);

    /// Whether calls can be answered: the word behind `/readyz`.
    fn ready(&self) -> bool {
        true
    }

    /// The JSON document that anybody may read at this path, if there is one.
    fn published(&self, _path: &str) -> Option<Bytes> {
        None
    }

    /// Whether any account is in observe mode, which `/healthz` shows.
    fn observing(&self) -> bool {
        false
    }
}

/// Answers each request with the same bytes: the bare HTTP stack, for measuring.
#[derive(Clone, Debug)]
pub struct Constant(pub Bytes);

impl Handler for Constant {
    fn begin(&self, _: http::Request<Bytes>, _: Peer, reply: Reply) {
        reply(http::Response::new(self.0.clone()));
    }
}
