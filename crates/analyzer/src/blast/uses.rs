//! What principals have used.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::evidence::Evidence;

/// What one principal has used.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Use {
    /// Services by prefix, with the last use; none: known to be unused.
    pub services: BTreeMap<String, Option<Timestamp>>,
    /// Actions with prefix, where events tell; none: not known by action.
    pub actions: Option<BTreeSet<String>>,
}

/// What principals have used, by ARN. Who is not here is not known.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Uses {
    by_arn: BTreeMap<String, Use>,
}

impl Uses {
    /// From the last-accessed data of an audit's folder.
    pub fn of_evidence(evidence: &Evidence) -> Self {
        let mut uses = Self::default();
        for (arn, services) in evidence.last_accessed.known().into_iter().flatten() {
            let services = services.clone();
            uses.add(arn, Use { services, actions: None });
        }
        uses
    }

    /// Adds what another source tells of a principal: uses of both count.
    pub fn add(&mut self, arn: &str, more: Use) {
        let held = self.by_arn.entry(arn.to_owned()).or_default();
        for (service, last) in more.services {
            let slot = held.services.entry(service).or_default();
            *slot = (*slot).max(last);
        }
        if let Some(more) = more.actions {
            held.actions.get_or_insert_default().extend(more);
        }
    }

    /// What a principal has used.
    pub fn of(&self, arn: &str) -> Option<&Use> {
        self.by_arn.get(arn)
    }
}
