//! Ways by which a principal becomes more than it was made: the table's 107 paths and chains of
//! them, as a graph over the users and roles of an account.
//!
//! Each step is a list of requests that the decision engine allows with every layer that the
//! [`Estate`](crate::estate::Estate) knows: identity policies through groups, boundary, SCPs, RCPs, trust. Nothing is
//! inferred from names. A request that is allowed with the keys that follow from caller and resource
//! alone is certain; one that needs other keys (MFA, an address, an external id, a later time) makes its
//! step conditional on them; so does what no export shows, such as a function that runs with a role.
//!
//! A principal is an *administrator* if its identity policies allow most actions of most services,
//! and if all layers together let it give policies or credentials to anybody: see [`standing`]. Whoever
//! may change what any user and any role may do, and little else, is one step away: it is told as a
//! finding here, and counts as administrator where nothing is searched: see [`Person::standing`].
//!
//! Left out: principals of other accounts, credentials that no export shows (a user is taken to have
//! room for a key and none or any password), quotas but that of policy versions.

mod ability;
mod change;
mod common;
mod cut;
mod fix;
mod grants;
mod graph;
mod judge;
mod limits;
mod made;
mod moves;
mod naming;
pub(crate) mod probe;
mod replay;
mod report;
mod search;
mod services;
mod standing;
pub mod table;
mod takeover;
mod values;
mod world;

pub use change::{Change, Limit, Standpoint};
pub use cut::{Cut, Edge};
pub use fix::Fix;
pub use graph::Goal;
pub use judge::{Ask, Dependence};
pub use replay::{Replayed, replay};
pub use report::{Finding, Movement, Report, Severity, Step, Way, escalations};
pub use search::{Person, Search};
pub use standing::Standing;
pub use table::{Class, PathId, ROWS, Row, row};

use jiff::Timestamp;

/// What is looked for.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Only ways from the user or role of this ARN; otherwise from all.
    pub from: Option<String>,
    /// Where ways end.
    pub to: Goal,
    /// The present instant, which ended conditions on time are held against. None: not known.
    pub now: Option<Timestamp>,
}
