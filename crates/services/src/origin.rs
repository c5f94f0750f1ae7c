//! Where a call came from.

use std::net::IpAddr;

use http::request::Parts;
use jiff::Timestamp;

use crate::ports::{Entropy, hex, uuid};

/// The other end of the connection, as the process sees it: behind a trusted proxy, the address
/// and the transport of the client that the proxy names (threat H03).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Peer {
    /// The client's address, `aws:SourceIp`.
    pub address: IpAddr,
    /// Whether the client's connection is encrypted, `aws:SecureTransport`.
    pub secure: bool,
}

/// What is known of a call before anything in it is believed, and the ids under which it is
/// recorded.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    /// The instant of the call.
    pub(crate) now: Timestamp,
    /// The other end.
    pub(crate) peer: Peer,
    /// Sent with the answer, and in the log and the event.
    pub(crate) request_id: String,
    /// The id of the call's event.
    pub(crate) event_id: String,
    /// The id under which the decision is explained.
    pub(crate) decision_id: String,
    /// The id that the records of a call in two accounts share.
    pub(crate) shared_id: String,
    /// The region that the caller signed for; empty for unsigned calls.
    pub(crate) region: String,
    /// The User-Agent header, cut to 1,000 characters.
    pub(crate) user_agent: Option<String>,
    /// The Referer header, cut likewise.
    pub(crate) referer: Option<String>,
}

impl Origin {
    /// The origin of a request that has just arrived.
    pub(crate) fn new(parts: &Parts, peer: Peer, now: Timestamp, entropy: &dyn Entropy) -> Self {
        let mut random = [[0; 16]; 4];
        entropy.fill(random.as_flattened_mut());
        let [request, event, decision, shared] = random;
        Self {
            now,
            peer,
            request_id: uuid(request),
            event_id: uuid(event),
            decision_id: format!("d-{}", hex(&decision)),
            shared_id: uuid(shared),
            region: String::new(),
            user_agent: header(parts, "user-agent"),
            referer: header(parts, "referer"),
        }
    }
}

fn header(parts: &Parts, name: &str) -> Option<String> {
    let value = parts.headers.get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).chars().take(1000).collect())
}
