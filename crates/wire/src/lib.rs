//! The wire: bytes, shapes and signatures. It knows nothing about identity.
//!
//! - [`generated`] holds one file a service: request and response structs, and static tables
//!   ([`schema`]) that describe them.
//! - [`query`], [`json`] and [`rest`] are the protocols, written once each over those tables.
//! - [`validate`] checks a value against its constraints with AWS's texts, [`audit`] prints it as
//!   CloudTrail does, [`route`] finds the operation a request names.
//! - [`sigv4`] signs and verifies.
//!
//! Everything here is pure and synchronous: no clock, no randomness, no socket. This crate makes no
//! decision about access and uses no other room. Input never panics; each decoder bounds depth,
//! size and count.

pub mod audit;
pub mod generated;
pub mod json;
pub mod pattern;
pub mod query;
pub mod rest;
pub mod route;
pub mod schema;
pub mod secret;
pub mod shape;
pub mod sigv4;
pub mod time;
pub mod validate;
pub mod value;
pub mod xml;

pub use schema::{Operation, Service, Structure};
pub use secret::{Secret, SecretBytes};
pub use shape::{Api, Empty, Shape, Unfit};
pub use value::Value;
