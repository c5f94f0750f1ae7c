//! Development only: a whole server in one process, without sockets, files, clock or chance.
//!
//! - [`World`] is a node over a store and a journal in memory, with seeded randomness and a clock
//!   that moves only when told. The same seed and the same calls give the same bytes.
//! - [`Client`] signs calls and reads answers; it knows nothing of the server but its public API.
//! - [`Furniture`] fills an account with two of everything, and [`plausible`] makes a request for
//!   any operation from its description that would succeed there.
//!
//! The whole-system tests in `tests/` are named by the ids of the threats that they stand for.
//! Nothing here is part of a release.
#![allow(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::return_self_not_must_use,
    clippy::unwrap_used,
    reason = "what fails here ends the test that uses it"
)]

mod authenticator;
mod browser;
pub mod certificates;
mod client;
mod device;
mod dice;
mod furniture;
mod plausible;
mod reply;
mod seeded;
mod world;

pub use authenticator::Authenticator;
pub use browser::{Browser, Page, weak_hash};
pub use client::{Client, Credentials};
pub use device::Device;
pub use dice::Dice;
pub use furniture::{Furniture, PASSWORD, allow, allow_all, allow_on, deny, trust};
pub use plausible::plausible;
pub use reply::Reply;
pub use seeded::{SeededEntropy, SettableClock};
pub use world::{HOME, PAGE, Rights, World};
