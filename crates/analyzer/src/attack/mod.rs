//! Attacks played step by step against the decision engine, on data alone.
//!
//! A [`Technique`] is a way that an intruder in a principal's place could take: the 107 paths of
//! [`crate::escalation`], and others that reach data, other principals, or what would tell on them.
//! Each step is a request that the engine decides, with every layer that the estate knows; what a step
//! would change is laid over a copy of what applies, so that the next step is decided as it would
//! be then. The account itself stays as it is.
//!
//! A technique is *reached* if every step is allowed with keys that the caller chooses,
//! *conditional* if it needs others (MFA, an address) or something that the data do not show, and else
//! *blocked*, with the policy that stops it. A path of escalation is reached where it ends at an
//! administrator; what is allowed on the way there is told all the same.

mod catalogue;
mod could;
mod lateral;
mod paths;
mod play;
mod report;
mod why;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

pub use catalogue::{Tactic, Technique, techniques};
pub use report::{Report, Tally, run};

use crate::escalation::{Ask, Dependence};
pub(crate) use could::Could;

/// Sets of actions, and the statements that allow a request, for those who ask about rights.
pub(crate) mod sets {
    pub(crate) use super::could::{Set, join, meets};
    pub(crate) use super::why::allowing;
}

/// Whose place an intruder takes, and what is played.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// ARNs of users and roles; none: every one that is no administrator.
    pub from: Vec<String>,
    /// Ids of techniques; none: all.
    pub techniques: Vec<String>,
    /// The present instant. None: not known.
    pub now: Option<Timestamp>,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every step works as things are.
    Reached,
    /// Every step works under conditions.
    Conditional,
    /// A step is refused.
    Blocked,
}

/// What stops a step.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// No identity policy allows it.
    NoGrant,
    /// A statement would allow it if the request were another one: its condition does not hold.
    Condition,
    /// An identity policy denies it.
    ExplicitDeny,
    /// The permissions boundary.
    Boundary,
    /// A service control policy.
    Scp,
    /// A resource control policy.
    Rcp,
    /// The policy of the resource.
    ResourcePolicy,
    /// The trust policy of the role.
    TrustPolicy,
    /// A policy that cannot be read denies.
    Unreadable,
    /// The account has nothing that the step could be taken on.
    NothingThere,
    /// All is allowed, and the one who is reached is no administrator.
    NoGain,
}

impl Layer {
    /// In words, such as `permissions boundary`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoGrant => "no grant",
            Self::Condition => "condition",
            Self::ExplicitDeny => "explicit deny",
            Self::Boundary => "permissions boundary",
            Self::Scp => "SCP",
            Self::Rcp => "RCP",
            Self::ResourcePolicy => "resource policy",
            Self::TrustPolicy => "trust policy",
            Self::Unreadable => "unreadable policy",
            Self::NothingThere => "nothing there",
            Self::NoGain => "no gain",
        }
    }
}

/// A statement that speaks for or against a request.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Said {
    /// The kind of its policy, such as `identity-based policy`.
    pub kind: &'static str,
    /// The level in the organization, from 0 at its root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<usize>,
    /// The policy: an ARN or a name.
    pub policy: String,
    /// The statement's place in it, from 0.
    pub statement: usize,
    /// Its Sid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
}

/// What blocks a step.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Blocker {
    /// The layer.
    pub by: Layer,
    /// The statement that denies, or the nearest that does not allow; nothing if none speaks of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<Said>,
    /// In words.
    pub why: String,
}

/// A step as it was played.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Played {
    /// The request, with the keys under which it is allowed; nothing for a step that asks nothing.
    #[serde(flatten)]
    pub ask: Ask,
    /// The decision in the simulator's words: `allowed`, `explicitDeny`, `implicitDeny`.
    pub decision: &'static str,
    /// The statements that allow it, layer by layer.
    pub by: Vec<Said>,
    /// On what it depends that it is allowed.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub on: BTreeSet<Dependence>,
    /// What stops it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocked: Option<Blocker>,
    /// What the copy of the account holds from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub then: Option<String>,
}

/// A technique played from one principal.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// The technique's id.
    pub technique: String,
    /// The ARN of the user or role in whose place the intruder stands.
    pub principal: String,
    /// How it ended.
    pub verdict: Verdict,
    /// On what it depends.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub on: BTreeSet<Dependence>,
    /// What blocks it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocked: Option<Blocker>,
    /// What the intruder has in the end.
    pub gains: String,
    /// The steps up to the one that is refused.
    pub steps: Vec<Played>,
}
