//! The process: sockets, TLS, configuration and the operator's verbs.
//!
//! The listener knows HTTP and nothing of identity: it reads a request within its bounds, works
//! out who is at the other end, and hands both to a [`Handler`]. Operator verbs reach a running
//! server over a socket in the data directory, or open the directory themselves.
//!
//! What is left out: everything about accounts and access, which is the services' business.

mod backend;
mod banner;
mod blocklist;
mod clock;
mod command;
mod control;
mod data_dir;
mod dev;
mod exchange;
mod facts;
mod failure;
#[cfg(test)]
mod fake;
mod files;
mod framing;
mod handler;
mod harden;
mod head;
mod key_policy;
mod limits;
mod listener;
mod logs;
mod metrics_page;
mod node;
mod operator;
mod peer;
mod random;
mod range_file;
mod serving;
mod settings;
mod shell;
mod site;
#[cfg(test)]
mod socket_tests;
mod table;
mod tls;
mod verb;

pub use backend::{Backend, DevKey};
pub use clock::{ClockChange, ClockError, SettableClock, SteadyClock, now};
pub use command::{
    AccountCommand, AdminCommand, Command, EnvArgs, FixtureCommand, Format, InitArgs, KeyCommand,
    OperatorArgs, RootCommand,
};
pub use control::{Control, ask};
pub use data_dir::{DataDir, Endpoint, Profile};
pub use dev::Dev;
pub use handler::{BodyTooLarge, Constant, Handler, Peer, Reply};
pub use key_policy::{Age, KeyLimits, KeyPolicyCommand, KeyPolicySetArgs};
pub use limits::Limits;
pub use listener::serve;
pub use operator::{AccountSummary, Credentials, Operator, OperatorError};
pub use peer::TrustedProxies;
pub use random::fill as fill_random;
pub use settings::{Home, LogFormat, ServeArgs, Settings, Tls};
pub use shell::Shell;
pub use site::Site;
pub use tls::{Certificate, SelfSigned};
pub use verb::{Verb, execute};
