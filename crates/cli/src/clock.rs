//! The present instant: signatures carry it.

use jiff::Timestamp;

/// What the system's clock shows.
#[allow(clippy::disallowed_methods, reason = "a client signs with the time of its own machine")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
