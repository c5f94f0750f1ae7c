//! Which statements could match, found without asking each.
//!
//! Policies are long lists of statements about named actions on named resources. Each statement is
//! filed once, by what tells it best from the others of its list: under its actions (the literal
//! ones whole, the others by their service), or under one segment of each of its resources, the
//! rarest. A segment is a run of literal text between two of `:` and `/`, or an end: a resource
//! that matches has the very same segment, wherever wildcards and variables stand. What can be
//! filed under neither is kept aside and always asked.
//!
//! What is found is then checked in full, so the hashes need not be secret: a collision costs one
//! check, and crafted policies are at worst looked at one by one.

use std::collections::HashMap;

use smallvec::SmallVec;

use super::statement::Statement;
use crate::fold;

/// Below this many statements each is asked.
const WORTHWHILE: usize = 8;

/// Tell the keys of actions and services from those of segments.
const ACTION: u64 = 0x61c8_8646_80b5_83eb;
const SERVICE: u64 = 0x2545_f491_4f6c_dd1d;

/// The statements of a list, found by action and resource.
#[derive(Debug)]
pub(crate) struct Index {
    /// Open addressing; the length is a power of two, and at least half is empty.
    slots: Box<[Slot]>,
    /// The statements of each slot, one run after the other.
    filed: Box<[u32]>,
    /// Statements that may match whatever is asked.
    aside: Box<[u32]>,
}

/// The run of statements filed under a key; an empty run marks an empty slot.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    key: u64,
    start: u32,
    end: u32,
}

/// What is asked, as an index looks it up.
#[derive(Debug)]
pub(crate) struct Probe {
    /// Each once.
    keys: SmallVec<[u64; 24]>,
}

impl Probe {
    /// Of an action, in lower case, on a resource.
    pub(crate) fn new(action: &str, resource: &str) -> Self {
        let mut keys: SmallVec<[u64; 24]> = SmallVec::new();
        keys.push(fold::hash(action) ^ ACTION);
        if let Some(service) = action.find(':').and_then(|at| action.get(..=at)) {
            keys.push(fold::hash(service) ^ SERVICE);
        }
        for key in segments(resource) {
            // The same segment twice finds nothing new. Few are compared, many are sorted.
            if keys.spilled() || !keys.contains(&key) {
                keys.push(key);
            }
        }
        if keys.spilled() {
            keys.sort_unstable();
            keys.dedup();
        }
        Self { keys }
    }
}

/// The keys of the segments of a literal text, empty ones left out.
pub(crate) fn segments(text: &str) -> impl Iterator<Item = u64> {
    let parts = text.as_bytes().split(|byte| matches!(byte, b':' | b'/'));
    parts.filter(|part| !part.is_empty()).map(fold::hash_bytes)
}

impl Index {
    /// The index of a list of statements, if it is long enough to be worth one.
    pub(crate) fn of<'s>(statements: impl Iterator<Item = &'s Statement>) -> Option<Self> {
        let ways: Vec<Ways> = statements.map(Ways::of).collect();
        if ways.len() < WORTHWHILE || u32::try_from(ways.len()).is_err() {
            return None;
        }
        let mut common: HashMap<u64, u32> = HashMap::new();
        for way in &ways {
            let mut keys: Vec<u64> = way.keys().collect();
            keys.sort_unstable();
            keys.dedup();
            for key in keys {
                *common.entry(key).or_default() += 1;
            }
        }
        let mut runs: HashMap<u64, Vec<u32>> = HashMap::new();
        let mut aside = Vec::new();
        for (at, way) in (0..).zip(&ways) {
            match way.best(&common) {
                Some(keys) => {
                    for key in keys {
                        runs.entry(key).or_default().push(at);
                    }
                }
                None => aside.push(at),
            }
        }
        Some(Self::assemble(runs, aside))
    }

    /// The places of the statements that could match, in no order; one that is filed under several
    /// of the keys comes as often.
    pub(crate) fn find(&self, probe: &Probe) -> impl Iterator<Item = usize> {
        let found = probe.keys.iter().flat_map(|key| self.at(*key));
        found.chain(self.aside.iter()).map(|at| *at as usize)
    }

    fn at(&self, key: u64) -> &[u32] {
        let mask = self.slots.len().wrapping_sub(1);
        let mut place = spread(key) & mask;
        while let Some(slot) = self.slots.get(place).filter(|slot| slot.start < slot.end) {
            if slot.key == key {
                return self.filed.get(slot.start as usize..slot.end as usize).unwrap_or_default();
            }
            place = (place + 1) & mask;
        }
        &[]
    }

    fn assemble(runs: HashMap<u64, Vec<u32>>, aside: Vec<u32>) -> Self {
        let mut slots = vec![Slot::default(); (runs.len() * 2).next_power_of_two()];
        let mut filed: Vec<u32> = Vec::new();
        let mask = slots.len() - 1;
        let end_of = |filed: &Vec<u32>| u32::try_from(filed.len()).unwrap_or(u32::MAX);
        let mut runs: Vec<(u64, Vec<u32>)> = runs.into_iter().collect();
        runs.sort_unstable_by_key(|(key, _)| *key);
        for (key, mut run) in runs {
            run.dedup();
            let start = end_of(&filed);
            filed.append(&mut run);
            let mut place = spread(key) & mask;
            while slots.get(place).is_some_and(|slot| slot.start < slot.end) {
                place = (place + 1) & mask;
            }
            if let Some(slot) = slots.get_mut(place) {
                *slot = Slot { key, start, end: end_of(&filed) };
            }
        }
        Self { slots: slots.into(), filed: filed.into(), aside: aside.into() }
    }
}

/// Where a key is looked for first.
fn spread(key: u64) -> usize {
    usize::try_from(key ^ (key >> 32)).unwrap_or_default()
}

/// How a statement could be filed.
struct Ways {
    /// A key for each action; nothing if one may cover any service.
    actions: Option<Vec<u64>>,
    /// The segments of each resource; nothing if one has none.
    resources: Option<Vec<Vec<u64>>>,
}

impl Ways {
    fn of(statement: &Statement) -> Self {
        let actions = (!statement.actions.negated).then_some(&statement.actions.entries);
        let actions = actions.and_then(|entries| {
            entries
                .iter()
                .map(|entry| match entry.exact() {
                    Some(exact) => Some(fold::hash(exact) ^ ACTION),
                    None => entry.service().map(|service| fold::hash(service) ^ SERVICE),
                })
                .collect()
        });
        let resources = statement.resources.as_ref().filter(|element| !element.negated);
        let resources = resources.and_then(|element| {
            let segments = element.entries.iter().map(|entry| {
                let segments = entry.segments();
                (!segments.is_empty()).then_some(segments)
            });
            segments.collect()
        });
        Self { actions, resources }
    }

    fn keys(&self) -> impl Iterator<Item = u64> {
        let segments = self.resources.iter().flatten().flatten();
        self.actions.iter().flatten().chain(segments).copied()
    }

    /// The keys of the way that leaves the fewest others beside the statement.
    fn best(&self, common: &HashMap<u64, u32>) -> Option<Vec<u64>> {
        let count = |key: &u64| common.get(key).copied().unwrap_or_default();
        let crowd = |keys: &[u64]| keys.iter().map(count).max().unwrap_or_default();
        let resources: Option<Vec<u64>> = self.resources.as_ref().map(|resources| {
            resources.iter().filter_map(|keys| keys.iter().copied().min_by_key(count)).collect()
        });
        match (&self.actions, resources) {
            (Some(actions), Some(resources)) if crowd(&resources) < crowd(actions) => {
                Some(resources)
            }
            (Some(actions), _) => Some(actions.clone()),
            (None, resources) => resources,
        }
    }
}
