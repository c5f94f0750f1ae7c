//! The events of a trail: who did what, as CloudTrail writes it down.
//!
//! [`read`] takes the bytes of one file (unpacked) and hands on one [`Event`] after another, without a
//! tree of the whole file. It takes the files that a trail delivers (`{"Records": [...]}`), what
//! `aws cloudtrail lookup-events` prints, lists, and one event a line. What is no event is told with its
//! place and counted; nothing is dropped in silence. An event's own texts are borrowed from the file.
//!
//! Left out: files, folders and compression, which are the command line's.

mod event;
mod identity;
mod lazy;
mod read;

pub use event::{Event, EventResource};
pub use identity::{Caller, Identity, SessionContext, SessionIssuer};
pub use lazy::Lazy;
pub use read::{MAX_FAULTS, MAX_RECORD, Told, read};
