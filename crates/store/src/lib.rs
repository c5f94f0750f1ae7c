//! The durability of Bailiwick: transactions over plain keys and values, the change log, sealing of
//! secrets, and the append-only journal of audit events.
//!
//! The room speaks bytes. What a key or a value means is the business of the rooms above; here they are
//! compared, written in one piece, checked when read, and never served when damaged.
//!
//! - [`Store`] is the contract; [`MemoryStore`] and [`EmbeddedStore`] keep it, and one suite of tests
//!   runs on both.
//! - [`lease`] grants a name to one owner at a time, with a fencing epoch.
//! - [`seal`] keeps secrets unreadable for whoever has the data directory but not the master key.
//! - [`journal`] keeps the events of an account in order, one line each.
//! - [`permissions`] refuses files that others on the host may read.
//!
//! Absences that bind: nothing here decides about access, reads the clock, draws random numbers or is
//! `async`. Instants and random bytes are handed in by the caller.

pub mod journal;
pub mod lease;
pub mod permissions;
pub mod seal;

mod contract;
mod embedded;
mod error;
mod memory;
mod queue;
mod transaction;

pub use contract::{Done, Store};
pub use embedded::{DATA_FORMAT, EmbeddedOptions, EmbeddedStore, Format, StoreFigures};
pub use error::StoreError;
pub use memory::MemoryStore;
pub use transaction::{
    Change, Entry, Expect, MAX_KEY_LEN, MAX_TRANSACTION_BYTES, MAX_TRANSACTION_KEYS, MAX_VALUE_LEN,
    Outcome, Revision, Transaction, TransactionError,
};
