//! The steps that a principal can take, each as a move from one place of the graph to another.
//!
//! Of the moves of one kind that end at an administrator for certain a few are enough; the others
//! would say the same again.

use std::cell::Cell;
use std::collections::{BTreeSet, HashMap, HashSet};

use super::ability::Actions;
use super::change::Change;
use super::judge::{Dependence, Keys, Permit, Question};
use super::standing::Standing;
use super::table::PathId;
use super::world::World;

/// Moves of one kind to an administrator that are kept.
const ENOUGH: usize = 3;
/// Moves of one kind that are kept at all.
const MOST: usize = 2_000;
/// Moves of one kind that lead to administrators under conditions.
const ENOUGH_UNSURE: usize = 10;
/// Moves under conditions after which only certain ones are looked for.
const MOST_UNSURE: usize = 60;

/// Others as whom a principal can act that are told apart where no more moves of a kind are kept.
const COUNTED: usize = 30;
/// Others that are asked about only to count them.
const MOST_ASKED: usize = 200;

/// Where a move ends.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum End {
    Node(usize),
    /// Whatever the organization's directory gives in this account.
    Directory,
    /// An administrator whom the step has made.
    Made,
}

/// A step from one place to another.
#[derive(Clone, Debug)]
pub(super) struct Move {
    pub(super) to: End,
    /// The rows of the table, the one that names the step first.
    pub(super) paths: Vec<PathId>,
    pub(super) permits: Vec<Permit>,
    /// What the step takes for granted that no request can show.
    pub(super) things: BTreeSet<Dependence>,
}

impl Move {
    pub(super) fn on(&self) -> BTreeSet<Dependence> {
        let keys = self.permits.iter().flat_map(|permit| permit.on.iter().cloned());
        keys.chain(self.things.iter().cloned()).collect()
    }

    pub(super) fn is_certain(&self) -> bool {
        self.things.is_empty() && self.permits.iter().all(Permit::is_certain)
    }
}

/// A way to act as a principal.
#[derive(Clone, Debug)]
pub(super) struct Access {
    pub(super) path: PathId,
    pub(super) permits: Vec<Permit>,
    pub(super) things: BTreeSet<Dependence>,
}

/// A way to change what applies to a principal.
#[derive(Clone, Debug)]
pub(super) struct Gift {
    pub(super) path: PathId,
    pub(super) change: Change,
    pub(super) permits: Vec<Permit>,
}

/// The moves of one place, as they are found.
pub(super) struct Moves<'w, 'e> {
    pub(super) world: &'w mut World<'e>,
    pub(super) from: usize,
    pub(super) able: Actions,
    found: Vec<Move>,
    /// How many moves of a kind there are: to administrators for certain, and all.
    counts: HashMap<Vec<PathId>, Count>,
    unsure: usize,
    /// As whom one can act by a step, whether a move to them is kept or not.
    others: HashSet<usize>,
    beside: Vec<(usize, PathId)>,
    more: bool,
    asked: usize,
    /// Whether a list of what could be tried was cut.
    pub(super) short: Cell<bool>,
    /// The groups that users may be put into, once they were asked about.
    pub(super) joined: Option<Vec<(usize, String, Permit)>>,
}

/// What is found at a place.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) moves: Vec<Move>,
    /// Others as whom one can act though no move to them is kept, each with its row.
    pub(super) beside: Vec<(usize, PathId)>,
    /// Whether there may be more of those.
    pub(super) more: bool,
    /// Whether not all was tried.
    pub(super) short: bool,
}

/// How many moves of a kind there are.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    /// To administrators for certain.
    sure: usize,
    /// To administrators under conditions.
    unsure: usize,
    all: usize,
}

/// All moves of a place.
pub(super) fn moves(world: &mut World<'_>, from: usize) -> Found {
    let Some(node) = world.nodes.get(from) else { return Found::default() };
    let able = node.abilities;
    // What a step has made administrator under conditions is an end.
    if !node.changes.is_empty() && matches!(node.standing, Standing::Conditional(_)) {
        return Found::default();
    }
    let mut moves = Moves {
        world,
        from,
        able,
        found: Vec::new(),
        counts: HashMap::new(),
        unsure: 0,
        others: HashSet::new(),
        beside: Vec::new(),
        more: false,
        asked: 0,
        short: Cell::new(false),
        joined: None,
    };
    moves.on_itself();
    // A place that a step has made needs no other way once it has one.
    let made = moves.world.nodes.get(from).is_some_and(|node| !node.changes.is_empty());
    if made && moves.counts.values().any(|count| count.sure > 0) {
        return moves.done();
    }
    moves.on_users();
    moves.on_roles();
    moves.by_services();
    moves.by_directory();
    if !made {
        moves.by_made();
    }
    moves.done()
}

impl Moves<'_, '_> {
    fn done(self) -> Found {
        // From then on only what is certain was looked for.
        let more = self.more || self.unsure >= MOST_UNSURE;
        let short = self.short.get() | self.world.judge.took_short();
        Found { moves: self.found, beside: self.beside, more, short }
    }

    /// Whether the principal may do it.
    pub(super) fn ask(&self, action: &str, resource: &str, keys: &Keys) -> Option<Permit> {
        self.ask_with(action, resource, keys, None)
    }

    pub(super) fn ask_with(
        &self,
        action: &str,
        resource: &str,
        keys: &Keys,
        trust: Option<&str>,
    ) -> Option<Permit> {
        let node = self.world.nodes.get(self.from)?;
        // Who is administrator under conditions gains only by what needs none.
        let strict =
            self.unsure >= MOST_UNSURE || matches!(node.standing, Standing::Conditional(_));
        let question = Question { action, resource, keys, trust, strict };
        self.world.judge.ask(&node.subject, &node.caller, question)
    }

    pub(super) fn entity(&self) -> usize {
        self.world.nodes.get(self.from).map_or(usize::MAX, |node| node.entity)
    }

    /// Whether enough moves of a kind are known.
    pub(super) fn enough(&self, paths: &[PathId]) -> bool {
        self.counts.get(paths).is_some_and(|count| count.sure >= ENOUGH || count.all >= MOST)
    }

    /// Keeps a move.
    pub(super) fn keep(&mut self, found: Move) {
        if found.to == End::Node(self.from) {
            return;
        }
        if self.enough(&found.paths) {
            self.note_end(&found);
            return;
        }
        let admin = match found.to {
            End::Node(to) => {
                self.world.nodes.get(to).is_some_and(|node| node.standing == Standing::Yes)
            }
            End::Directory => false,
            End::Made => true,
        };
        let sure = admin && found.is_certain();
        let count = self.counts.entry(found.paths.clone()).or_default();
        if admin && !sure && count.unsure >= ENOUGH_UNSURE {
            self.note_end(&found);
            return;
        }
        self.unsure += usize::from(admin && !sure);
        count.sure += usize::from(sure);
        count.unsure += usize::from(admin && !sure);
        count.all += 1;
        self.others.extend(self.other(found.to));
        self.found.push(found);
    }

    /// As whom one acts where a move ends, if that is another.
    fn other(&self, end: End) -> Option<usize> {
        let End::Node(to) = end else { return None };
        let entity = self.world.nodes.get(to)?.entity;
        (entity != self.entity()).then_some(entity)
    }

    fn note_end(&mut self, found: &Move) {
        if let (Some(other), Some(row)) = (self.other(found.to), found.paths.last()) {
            self.note(other, *row);
        }
    }

    /// Counts one as whom the principal can act, though no move is kept.
    pub(super) fn note(&mut self, entity: usize, row: PathId) {
        if self.others.contains(&entity) {
            return;
        }
        if self.others.len() >= COUNTED {
            self.more = true;
            return;
        }
        self.others.insert(entity);
        self.beside.push((entity, row));
    }

    /// Whether to ask about one only to count it.
    pub(super) fn counts(&mut self, entity: usize) -> bool {
        if self.others.contains(&entity) || entity == self.entity() || !self.is_worth(entity) {
            return false;
        }
        if self.others.len() >= COUNTED || self.asked >= MOST_ASKED {
            self.more = true;
            return false;
        }
        self.asked += 1;
        true
    }

    /// Says that some were left out who may be worth becoming.
    pub(super) fn left_out(&mut self, rest: &[usize]) {
        self.more = self.more || rest.iter().any(|entity| self.is_worth(*entity));
    }

    /// How many kinds of move to administrators are known for certain.
    pub(super) fn kinds(&self) -> usize {
        self.counts.values().filter(|count| count.sure + count.unsure > 0).count()
    }

    /// Becoming another principal, as it is and with what can be given to it before.
    pub(super) fn become_other(&mut self, entity: usize, ways: Vec<Access>, gifts: &[Gift]) {
        let worth = self.is_worth(entity);
        let admin = self.world.nodes.get(entity).is_some_and(|node| node.standing == Standing::Yes);
        for way in ways {
            if !admin {
                for gift in gifts {
                    let paths = together(gift.path, way.path);
                    if self.enough(&paths) {
                        // Who can be given everything first is worth becoming.
                        if gift.change == Change::Everything {
                            self.note(entity, way.path);
                        }
                        continue;
                    }
                    let Some(to) = self.world.changed(entity, &gift.change) else { continue };
                    let mut permits = gift.permits.clone();
                    permits.extend(way.permits.iter().cloned());
                    let things = way.things.clone();
                    self.keep(Move { to: End::Node(to), paths, permits, things });
                }
            }
            if worth {
                let Access { path, permits, things } = way;
                self.keep(Move { to: End::Node(entity), paths: vec![path], permits, things });
            }
        }
    }
}

/// The row that names a change and a takeover together, or the two rows.
fn together(gift: PathId, way: PathId) -> Vec<PathId> {
    let row = match (gift.0, way.0) {
        (3, 23) => 12,
        (3, 26) => 13,
        (4, 15) => 14,
        (10, 15) => 17,
        (5, 23) => 19,
        (5, 26) => 20,
        (9, 23) => 21,
        (9, 26) => 22,
        (6, 26) => 6,
        _ => return vec![gift, way],
    };
    vec![PathId(row)]
}
