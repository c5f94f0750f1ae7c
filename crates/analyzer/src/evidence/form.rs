//! Values as clients print them.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

/// An instant, as ISO 8601 or in seconds since the epoch: clients print either.
#[derive(Clone, Copy)]
pub(super) struct Instant(pub(super) Timestamp);

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl Visitor<'_> for Either {
            type Value = Timestamp;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an instant, as `2026-01-02T03:04:05Z` or in seconds since the epoch")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Timestamp, E> {
                text.parse().map_err(|_| E::custom(format!("`{text}` is no instant")))
            }

            fn visit_i64<E: Error>(self, seconds: i64) -> Result<Timestamp, E> {
                Timestamp::from_second(seconds).map_err(E::custom)
            }

            fn visit_u64<E: Error>(self, seconds: u64) -> Result<Timestamp, E> {
                self.visit_i64(i64::try_from(seconds).map_err(E::custom)?)
            }

            fn visit_f64<E: Error>(self, seconds: f64) -> Result<Timestamp, E> {
                let span = SignedDuration::try_from_secs_f64(seconds).map_err(E::custom)?;
                Timestamp::from_duration(span).map_err(E::custom)
            }
        }

        deserializer.deserialize_any(Either).map(Instant)
    }
}

/// The instant, if there is one.
pub(super) fn at(instant: Option<Instant>) -> Option<Timestamp> {
    instant.map(|instant| instant.0)
}
