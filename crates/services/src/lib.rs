//! IAM, STS, Access Analyzer and the pipeline that every request goes through.
//!
//! `services` opens no socket, reads no clock and makes no randomness: [`begin`] takes a request and
//! answers it, with what [`Parts`] hands in. One way in: decode, authenticate, parse, authorize, run,
//! record, encode. Deny is the result of every error.

mod accessanalyzer;
mod admit;
mod answer;
mod ask;
mod authenticate;
mod authorize;
mod blocklist;
mod call;
mod caller;
mod event;
mod fault;
mod foreign;
mod forward;
mod guess;
mod iam;
mod issuer;
mod kept;
mod key_age;
mod last_use;
mod material;
mod mfa;
mod node;
mod operation;
pub mod operator;
mod origin;
mod own;
mod page;
mod pipeline;
mod pool;
mod ports;
mod quota;
mod readers;
mod retry;
mod session;
mod shard;
mod signin;
mod sts;
mod table;
mod trail;

pub use admit::BodyTooLarge;
pub use blocklist::{Blocklist, KnownPasswords};
pub use fault::Fault;
pub use issuer::published;
pub use mfa::passkeys::PartyError;
pub use mfa::webauthn::RelyingParty;
pub use node::{Node, OpenError, Parts, Settings, account_prefix};
pub use origin::Peer;
pub use pipeline::{Reply, begin, handle};
pub use ports::{Clock, Entropy};
pub use quota::Quotas;
pub use table::implemented;

/// The text of a policy that was refused: AWS's words, then the place and what is wrong there.
pub(crate) fn policy_message(error: &bailiwick_policy::DocumentError) -> String {
    format!("{} ({error})", error.aws_message())
}
