//! Who reaches what: the moves of all places, and the shortest ways along them.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

use super::moves::{End, Found, Move, moves};
use super::report::Movement;
use super::standing::Standing;
use super::table::PathId;
use super::world::World;

/// Places that are looked at: past that many the rest is left out, and the report says so.
const MOST_PLACES: usize = 400_000;
/// What a condition weighs against steps: a longer way without conditions is the better one.
const CONDITION: u32 = 1_000;

/// Where ways shall end.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Goal {
    /// At an administrator.
    #[default]
    Administrator,
    /// At the user or role of this ARN.
    Principal(String),
}

/// The moves of every place, and how far each place is from the goal.
#[derive(Debug)]
pub(super) struct Graph {
    pub(super) moves: Vec<Vec<Move>>,
    /// Of each place, the others as whom one can act though no move to them is kept.
    beside: Vec<Vec<(usize, PathId)>>,
    /// Whether there may be more of those.
    more: Vec<bool>,
    /// By certain moves alone.
    certain: Vec<u32>,
    /// By all moves; conditions weigh more than any number of steps.
    any: Vec<u32>,
    /// Whether not all places were looked at.
    pub(super) cut_short: bool,
}

/// A way from a place: the places where its moves begin, with the number of each move there.
pub(super) type Route = Vec<(usize, usize)>;

const FAR: u32 = u32::MAX;

impl Graph {
    pub(super) fn of(world: &mut World<'_>, goal: &Goal) -> Self {
        let mut all: Vec<Vec<Move>> = Vec::new();
        let (mut beside, mut more, mut short) = (Vec::new(), Vec::new(), Vec::new());
        // Who is administrator was asked before.
        let mut cut_short = world.judge.took_short();
        // Places that steps make come after those that are there.
        while all.len() < world.nodes.len() {
            let at = all.len();
            if at >= MOST_PLACES {
                cut_short = true;
                break;
            }
            let ends = is_goal(world, at, goal) == Some(0);
            let acts = world.nodes.get(at).is_some_and(|node| {
                world.entities.get(node.entity).is_some_and(|entity| !entity.linked)
            });
            let found =
                if ends || !acts || !world.able(at) { Found::default() } else { moves(world, at) };
            all.push(found.moves);
            short.extend(found.short.then_some(at));
            beside.push(found.beside);
            more.push(found.more);
        }
        let (certain, any) = (Vec::new(), Vec::new());
        let mut graph = Self { moves: all, beside, more, certain, any, cut_short };
        graph.certain = graph.distances(world, goal, true);
        graph.any = graph.distances(world, goal, false);
        // Who gets there for certain has nothing to gain by what was not tried.
        let sure = |at: usize| graph.certain.get(at).is_some_and(|distance| *distance < FAR);
        let itself = |at: usize| world.nodes.get(at).is_some_and(|node| sure(node.entity));
        let missed = short.into_iter().any(|at| !sure(at) && !itself(at));
        graph.cut_short |= missed;
        graph
    }

    fn directory(&self) -> usize {
        self.moves.len()
    }

    fn place(&self, end: End) -> usize {
        match end {
            End::Node(at) => at,
            End::Directory => self.directory(),
            End::Made => self.directory() + 1,
        }
    }

    fn distances(&self, world: &World<'_>, goal: &Goal, certain: bool) -> Vec<u32> {
        let mut far = vec![FAR; self.moves.len() + 2];
        let mut into: Vec<Vec<(usize, u32)>> = vec![Vec::new(); far.len()];
        for (from, moves) in self.moves.iter().enumerate() {
            for found in moves {
                let cost = if found.is_certain() { 1 } else { CONDITION };
                if certain && cost > 1 {
                    continue;
                }
                if let Some(list) = into.get_mut(self.place(found.to)) {
                    list.push((from, cost));
                }
            }
        }
        let mut waiting = BinaryHeap::new();
        for at in 0..far.len() {
            let start = if at >= self.directory() {
                (*goal == Goal::Administrator).then_some(0)
            } else {
                is_goal(world, at, goal)
            };
            let Some(start) = start.filter(|start| !certain || *start == 0) else { continue };
            if let Some(slot) = far.get_mut(at) {
                *slot = start;
            }
            waiting.push(Reverse((start, at)));
        }
        while let Some(Reverse((distance, at))) = waiting.pop() {
            if far.get(at).is_none_or(|held| *held < distance) {
                continue;
            }
            for (from, cost) in into.get(at).into_iter().flatten() {
                let longer = distance.saturating_add(*cost);
                if let Some(slot) = far.get_mut(*from)
                    && longer < *slot
                {
                    *slot = longer;
                    waiting.push(Reverse((longer, *from)));
                }
            }
        }
        far
    }

    fn far(&self, end: End, certain: bool) -> u32 {
        let list = if certain { &self.certain } else { &self.any };
        list.get(self.place(end)).copied().unwrap_or(FAR)
    }

    /// Whether a place reaches the goal, and whether for certain.
    pub(super) fn reaches(&self, at: usize) -> Option<bool> {
        let sure = self.certain.get(at).is_some_and(|distance| *distance < FAR);
        let ever = self.any.get(at).is_some_and(|distance| *distance < FAR);
        ever.then_some(sure)
    }

    /// The best way of each kind of first step, the best kind first.
    pub(super) fn routes(&self, at: usize) -> Vec<(bool, Route)> {
        let mut best: HashMap<&[PathId], (bool, u32, usize)> = HashMap::new();
        for (number, found) in self.moves.get(at).into_iter().flatten().enumerate() {
            let sure = found.is_certain() && self.far(found.to, true) < FAR;
            let cost = if found.is_certain() { 1 } else { CONDITION };
            let distance = self.far(found.to, sure);
            if distance == FAR {
                continue;
            }
            let here = (!sure, distance.saturating_add(cost), number);
            let held = best.entry(&found.paths).or_insert(here);
            *held = (*held).min(here);
        }
        let mut all: Vec<_> = best
            .into_iter()
            .map(|(paths, (unsure, far, number))| (unsure, far, paths, number))
            .collect();
        all.sort_unstable();
        all.into_iter()
            .filter_map(|(unsure, _, _, number)| Some((!unsure, self.follow(at, number, !unsure)?)))
            .collect()
    }

    /// The way that begins with a move and goes on as short as can be.
    fn follow(&self, at: usize, number: usize, certain: bool) -> Option<Route> {
        let mut route = vec![(at, number)];
        let mut here = self.moves.get(at)?.get(number)?.to;
        loop {
            let distance = self.far(here, certain);
            // A place under conditions is an end where nothing leads on more cheaply.
            let End::Node(from) = here else { return Some(route) };
            let next = self.moves.get(from).into_iter().flatten().enumerate().find(|(_, found)| {
                let cost = if found.is_certain() { 1 } else { CONDITION };
                (!certain || found.is_certain())
                    && self.far(found.to, certain).saturating_add(cost) == distance
            });
            let Some((number, found)) = next.filter(|_| distance > 0) else { return Some(route) };
            if route.iter().any(|(held, _)| *held == from) {
                return None;
            }
            route.push((from, number));
            here = found.to;
        }
    }

    /// As how many others each principal can come to act, conditions or not.
    pub(super) fn movements(&self, world: &World<'_>) -> Vec<Movement> {
        let mut seen = vec![usize::MAX; world.entities.len()];
        let mut out = Vec::new();
        for (start, entity) in world.entities.iter().enumerate() {
            if entity.linked || self.moves.get(start).is_none_or(Vec::is_empty) {
                continue;
            }
            // Places with where one comes from, by which steps, and how far.
            let mut places: Vec<(usize, Option<usize>, &[PathId], usize)> =
                vec![(start, None, &[], 0)];
            let mut been = HashSet::from([start]);
            if let Some(slot) = seen.get_mut(start) {
                *slot = start;
            }
            let (mut others, mut farthest, mut next, mut more) = (0, 0, 0, false);
            while let Some((at, _, _, hops)) = places.get(next).copied() {
                if others >= Movement::MOST {
                    more = true;
                    break;
                }
                more |= self.more.get(at).is_some_and(|more| *more);
                let kept = self.moves.get(at).into_iter().flatten();
                let kept = kept.map(|found| (found.to, found.paths.as_slice()));
                // A principal as it is has its own number as a place.
                let beside = self.beside.get(at).into_iter().flatten();
                let beside = beside.map(|(to, row)| (End::Node(*to), std::slice::from_ref(row)));
                for (to, paths) in kept.chain(beside) {
                    let End::Node(to) = to else { continue };
                    let Some(other) = world.nodes.get(to).map(|node| node.entity) else { continue };
                    if !been.insert(to) {
                        continue;
                    }
                    if let Some(slot) = seen.get_mut(other).filter(|slot| **slot != start) {
                        *slot = start;
                        others += 1;
                        if places.get(farthest).is_none_or(|(.., held)| *held <= hops) {
                            farthest = places.len();
                        }
                    }
                    places.push((to, Some(next), paths, hops + 1));
                }
                next += 1;
            }
            if others == 0 {
                continue;
            }
            let mut paths = Vec::new();
            let (mut step, mut last) = (Some(farthest), None);
            let mut hops = 0;
            while let Some((at, from, by, far)) = step.and_then(|step| places.get(step)) {
                last = last.or(Some(*at));
                hops = hops.max(*far);
                paths.extend(by.first());
                step = *from;
            }
            paths.reverse();
            let arn = |at: usize| {
                let entity = world.nodes.get(at).and_then(|node| world.entities.get(node.entity));
                entity.map(|entity| entity.arn.clone()).unwrap_or_default()
            };
            let farthest = last.map(arn).unwrap_or_default();
            let principal = entity.arn.clone();
            out.push(Movement { principal, others, more, hops, farthest, paths });
        }
        out
    }

    pub(super) fn found(&self, (at, number): (usize, usize)) -> Option<&Move> {
        self.moves.get(at)?.get(number)
    }
}

/// What it costs to be at the goal here; nothing if this is none.
fn is_goal(world: &World<'_>, at: usize, goal: &Goal) -> Option<u32> {
    let node = world.nodes.get(at)?;
    match goal {
        Goal::Administrator => match &node.standing {
            Standing::Yes => Some(0),
            Standing::Conditional(_) => Some(CONDITION),
            Standing::No => None,
        },
        Goal::Principal(arn) => (world.entities.get(node.entity)?.arn == *arn).then_some(0),
    }
}
