//! The events of a trail: who did what, as CloudTrail writes it down.
//!
//! [`read`] takes the bytes of one file (unpacked) and hands on one [`Event`] after another, without a
//! tree of the whole file. It takes the files that a trail delivers (`{"Records": [...]}`), what
//! `aws cloudtrail lookup-events` prints, lists, and one event a line. What is no event is told with its
//! place and counted; nothing is dropped in silence. An event's own texts are borrowed from the file.
//!
//! [`Uses`] is what is kept of many events: who used which action how often, when first and last, and
//! where. It grows with what is distinct, not with the events, and two can be merged in any order.
//!
//! Left out: files, folders and compression, which are the command line's.

mod action;
mod digest;
mod event;
mod identity;
mod lazy;
mod names;
mod read;
mod uses;
mod watch;

pub use action::Action;
pub use digest::Digest;
pub use event::{Event, EventResource};
pub use identity::{Caller, Identity, SessionContext, SessionIssuer};
pub use lazy::Lazy;
pub use read::{MAX_FAULTS, MAX_RECORD, Told, read};
pub use uses::{Assumed, CallerKind, Covered, Logins, MAX_KEYS, Privileged, Totals, Used, Uses};
pub use watch::{Busy, ENUMERATION, ESCALATION, Pattern};
