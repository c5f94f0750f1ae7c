//! How much of everything one client may take (threat G04).

use std::time::Duration;

/// The bounds of a listener.
#[derive(Clone, Debug)]
pub struct Limits {
    /// From a head's first byte to its last; for the first head of a connection, from accepting.
    pub head_time: Duration,
    /// From a head's end to its body's.
    pub body_time: Duration,
    /// How long a connection may stay open with nothing on it.
    pub idle_time: Duration,
    /// How long a connection may wait on one answer before it is cut.
    pub stuck_time: Duration,
    /// How long requests on their way may take after a stop has been asked for.
    pub drain_time: Duration,
    /// Bytes of a body that are read and answered.
    pub body_bytes: usize,
    /// Bytes of a longer body that are read and thrown away, so that the client, still sending,
    /// gets to read its refusal.
    pub discard_bytes: usize,
    /// Bytes of bodies in memory at one time over all connections, counted from
    /// [`Limits::UNCOUNTED_BYTES`] of each on. They are held before anybody is authenticated;
    /// beyond them a call is answered with `ServiceUnavailable`.
    pub buffered_bytes: usize,
    /// Bytes of a request's head.
    pub head_bytes: usize,
    /// Connections at one time.
    pub connections: usize,
    /// Connections at one time from one address that is no trusted proxy.
    pub connections_per_address: usize,
    /// HTTP/2 streams at one time on a connection.
    pub streams: u32,
}

impl Limits {
    /// Bytes of each body that no budget counts, so that ordinary calls are taken at any time.
    pub const UNCOUNTED_BYTES: usize = 16 * 1024;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_time: Duration::from_secs(10),
            body_time: Duration::from_secs(30),
            idle_time: Duration::from_secs(75),
            stuck_time: Duration::from_mins(2),
            drain_time: Duration::from_secs(10),
            body_bytes: 1024 * 1024,
            discard_bytes: 16 * 1024 * 1024,
            buffered_bytes: 256 * 1024 * 1024,
            head_bytes: 64 * 1024,
            connections: 4096,
            connections_per_address: 1024,
            streams: 32,
        }
    }
}
