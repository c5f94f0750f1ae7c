//! How many actions of the catalogue a principal is granted, by set algebra over its policies.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use bailiwick_catalog::{AccessLevel, AccessLevels, Catalog};
use bailiwick_model::Found;
use bailiwick_policy::Effect;

use crate::attack::Could;
use crate::attack::sets::{Set, join};
use crate::estate::{Estate, Subject};

/// An action of the catalogue.
struct Known {
    name: String,
    service: &'static str,
    levels: AccessLevels,
}

/// What a principal is granted, counted.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    pub(super) actions: usize,
    pub(super) levels: BTreeMap<&'static str, usize>,
    pub(super) services: BTreeMap<&'static str, usize>,
    /// Services of which something can be changed.
    pub(super) changed: usize,
}

pub(super) struct Granted {
    could: Could,
    /// In the order of the numbers.
    all: Vec<Known>,
    /// Allowed and refused, by managed policy.
    managed: HashMap<usize, Rc<(Set, Set)>>,
    /// What each level of SCPs leaves.
    limits: Vec<Set>,
    counted: HashMap<Set, Counts>,
}

impl Granted {
    pub(super) fn new(estate: &Estate) -> Self {
        let mut all = Vec::new();
        for service in Catalog::embedded().services() {
            all.extend(service.actions().map(|action| Known {
                name: format!("{}:{}", service.prefix(), action.name).to_ascii_lowercase(),
                service: service.prefix(),
                levels: action.levels,
            }));
        }
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all.dedup_by(|a, b| a.name == b.name);
        let could = Could::new(all.iter().map(|known| known.name.clone()));
        let mut granted = Self {
            could,
            all,
            managed: HashMap::new(),
            limits: Vec::new(),
            counted: HashMap::new(),
        };
        let organization = estate.organization.as_ref().filter(|o| !o.management);
        for level in organization.iter().flat_map(|organization| &organization.scps) {
            let limit = granted.layer(level);
            granted.limits.push(limit);
        }
        granted
    }

    /// Whether a set has an action.
    pub(super) fn has(&self, set: &Set, action: &str) -> bool {
        crate::attack::sets::meets(set, &self.could.set(action))
    }

    pub(super) fn of(&mut self, subject: &Subject) -> Set {
        let effective = &subject.effective;
        if effective.unreadable.is_some() {
            return self.could.none();
        }
        let mut set = self.layer(&effective.identity);
        if let Some(boundary) = &effective.boundary {
            let limit = self.layer(std::slice::from_ref(boundary));
            within(&mut set, &limit);
        }
        if !subject.linked {
            for limit in &self.limits {
                within(&mut set, limit);
            }
        }
        set
    }

    /// What a layer allows, less what it refuses of everything.
    fn layer(&mut self, policies: &[Found]) -> Set {
        let (mut allowed, mut denied) = (self.could.none(), self.could.none());
        for found in policies {
            let said = self.document(found);
            join(&mut allowed, &said.0);
            join(&mut denied, &said.1);
        }
        allowed.iter_mut().zip(denied).for_each(|(word, without)| *word &= !without);
        allowed
    }

    fn document(&mut self, found: &Found) -> Rc<(Set, Set)> {
        let place = std::sync::Arc::as_ptr(&found.document) as usize;
        if let Some(known) = self.managed.get(&place) {
            return Rc::clone(known);
        }
        let (mut allowed, mut denied) = (self.could.none(), self.could.none());
        for statement in found.document.statements() {
            if statement.effect() == Effect::Allow {
                join(&mut allowed, &self.could.of_statement(statement));
            } else if statement.conditions().next().is_none()
                && !statement.is_not_resource()
                && statement.resources().any(|resource| resource == "*")
            {
                join(&mut denied, &self.could.of_statement(statement));
            }
        }
        let said = Rc::new((allowed, denied));
        // An inline policy has one holder, and is not met again.
        if found.source.arn.is_some() {
            self.managed.insert(place, Rc::clone(&said));
        }
        said
    }

    pub(super) fn counts(&mut self, set: &Set) -> Counts {
        if let Some(known) = self.counted.get(set) {
            return known.clone();
        }
        let mut counts = Counts::default();
        let mut changed = std::collections::BTreeSet::new();
        for (word, bits) in set.iter().enumerate() {
            let mut left = *bits;
            while left != 0 {
                let at = word * 64 + left.trailing_zeros() as usize;
                left &= left - 1;
                let Some(known) = self.all.get(at) else { continue };
                counts.actions += 1;
                *counts.services.entry(known.service).or_default() += 1;
                for level in known.levels.iter() {
                    *counts.levels.entry(level.name()).or_default() += 1;
                }
                if known
                    .levels
                    .iter()
                    .any(|level| !matches!(level, AccessLevel::List | AccessLevel::Read))
                {
                    changed.insert(known.service);
                }
            }
        }
        counts.changed = changed.len();
        self.counted.insert(set.clone(), counts.clone());
        counts
    }
}

fn within(set: &mut Set, limit: &Set) {
    set.iter_mut().zip(limit).for_each(|(word, with)| *word &= with);
}
