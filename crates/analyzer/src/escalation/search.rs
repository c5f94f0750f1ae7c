//! A search over one account: who is an administrator, and then the ways of the others to there.

use std::sync::Arc;

use bailiwick_identifiers::UniqueId;
use jiff::Timestamp;

use super::Options;
use super::judge::Judge;
use super::report::{Report, report};
use super::standing::Standing;
use super::world::World;
use crate::estate::{Estate, Subject};

/// The principals of an account, made ready to be looked at.
#[derive(Debug)]
pub struct Search<'e>(World<'e>);

/// A user or role as a search finds it.
#[derive(Clone, Debug)]
pub struct Person<'s> {
    /// Its unique id.
    pub id: UniqueId,
    /// The user or role with its policies.
    pub subject: &'s Arc<Subject>,
    /// Whether it is an administrator: it may do most things of most services and give policies or
    /// credentials to anybody, or it may change what any user and any role may do. Boundary, denies,
    /// SCPs and RCPs count; so do conditions.
    pub standing: Standing,
}

impl<'e> Search<'e> {
    /// Of an account, for this instant; none: it is not known.
    pub fn new(estate: &'e Estate, now: Option<Timestamp>) -> Self {
        Self(World::new(Judge::new(estate, now)))
    }

    /// Every user, then every role.
    pub fn people(&self) -> impl Iterator<Item = Person<'_>> {
        let World { entities, nodes, controls, .. } = &self.0;
        entities.iter().zip(nodes).zip(controls).map(|((entity, node), controls)| Person {
            id: entity.id,
            subject: &node.subject,
            standing: match (&node.standing, controls) {
                (Standing::Yes, _) | (_, Standing::Yes) => Standing::Yes,
                (Standing::No, other) => other.clone(),
                (whole, _) => whole.clone(),
            },
        })
    }

    /// Looks for ways to the goal from all principals, or from one.
    ///
    /// Principals that are administrators of the whole account are no findings, and neither are roles
    /// of services. The instant is that of the search.
    pub fn report(self, options: &Options) -> Report {
        report(self.0, options)
    }
}
