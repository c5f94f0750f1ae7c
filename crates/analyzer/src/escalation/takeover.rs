//! Becoming another user or role: credentials made for it, its trust policy met or rewritten.

use std::collections::BTreeSet;

use super::common::covers;
use super::grants::{FOR_ROLES, FOR_USERS};
use super::judge::{Keys, Permit};
use super::moves::{Access, Moves};
use super::table::PathId;
use super::world::World;

/// The action that rewrites a trust policy.
const REWRITE: &str = "iam:UpdateAssumeRolePolicy";

/// Which resources a principal's statements name for an action.
pub(super) enum Reach {
    All,
    Patterns(Vec<String>),
}

impl Reach {
    /// Whether they may name a user or role.
    pub(super) fn names(&self, world: &World<'_>, entity: usize) -> bool {
        let arn = world.entities.get(entity).map(|entity| entity.arn.as_str()).unwrap_or_default();
        match self {
            Self::All => true,
            // A pattern of fewer fields goes on as if with stars (RES-5).
            Self::Patterns(patterns) => patterns
                .iter()
                .any(|pattern| pattern.matches(':').count() < 5 || covers(pattern, arn)),
        }
    }
}

/// Principals without rights that are looked at with nothing new coming of it, once something has.
const PATIENCE: usize = 100;

/// How long a search among principals that are only worth what is given to them has gone without
/// finding a new kind of move.
#[derive(Default)]
struct Patience {
    kinds: usize,
    since: usize,
}

impl Patience {
    /// Whether to end it.
    fn ends(&mut self, kinds: usize, worth: bool) -> bool {
        if kinds > self.kinds || worth {
            *self = Self { kinds, since: 0 };
            return false;
        }
        self.since += 1;
        kinds > 0 && self.since > PATIENCE
    }
}

impl Moves<'_, '_> {
    pub(super) fn is_worth(&self, entity: usize) -> bool {
        self.world.place(entity) < 3 || self.world.able(entity)
    }

    /// Users whose credentials the principal can make or change.
    pub(super) fn on_users(&mut self) {
        let takes = ["iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:UpdateLoginProfile"];
        let takes: Vec<&str> = takes.into_iter().filter(|action| self.able.can(action)).collect();
        if takes.is_empty() {
            return;
        }
        let gives = FOR_USERS.iter().any(|action| self.able.can(action));
        let reached = self.reached(&takes, true, gives);
        let mut patience = Patience::default();
        for entity in reached {
            if patience.ends(self.kinds(), self.is_worth(entity)) {
                break;
            }
            let ways = self.user_ways(entity);
            if ways.is_empty() {
                continue;
            }
            let gifts = if gives { self.gifts(entity) } else { Vec::new() };
            self.become_other(entity, ways, &gifts);
        }
    }

    fn user_ways(&self, entity: usize) -> Vec<Access> {
        let Some(user) = self.world.entities.get(entity) else { return Vec::new() };
        let mut ways = Vec::new();
        let mut way = |path, permits: Vec<Permit>| {
            ways.push(Access { path: PathId(path), permits, things: BTreeSet::new() });
        };
        let can = |action: &str| {
            if self.able.can(action) { self.ask_tagged(entity, action, &Keys::new()) } else { None }
        };
        let account = &self.world.estate().account;
        if let Some(create) = can("iam:CreateAccessKey") {
            let full = account.keys_of(bailiwick_model::Owner::User(user.id)).count() >= 2;
            if !full {
                way(15, create.clone());
            }
            if let Some(mut delete) = can("iam:DeleteAccessKey") {
                delete.extend(create);
                way(16, delete);
            }
        }
        // Where the data show a password, it can only be changed.
        let known = account.login_profile(&user.id).is_some();
        if !known && let Some(create) = can("iam:CreateLoginProfile") {
            way(18, create);
        }
        if let Some(update) = can("iam:UpdateLoginProfile") {
            way(25, update);
        }
        ways
    }

    /// Roles that the principal can assume, as they are or after a change of their trust policy.
    pub(super) fn on_roles(&mut self) {
        let assumes = self.able.can("sts:AssumeRole");
        let rewrites = self.able.can(REWRITE);
        let gives = FOR_ROLES.iter().any(|action| self.able.can(action));
        let mut reached: BTreeSet<usize> = BTreeSet::new();
        let mut order = Vec::new();
        let mut add = |all: &[usize]| {
            order.extend(all.iter().copied().filter(|at| reached.insert(*at)));
        };
        let me = self.entity();
        add(self.world.named.get(&me).map(Vec::as_slice).unwrap_or_default());
        add(&self.world.anyone);
        if assumes {
            let open = self.world.open.clone();
            let wanted = self.reached(&["sts:AssumeRole"], false, gives);
            let open: BTreeSet<usize> = open.into_iter().collect();
            let wanted: Vec<usize> = wanted.into_iter().filter(|at| open.contains(at)).collect();
            add(&wanted);
        }
        if rewrites {
            add(&self.reached(&[REWRITE], false, gives));
        }
        // Those worth the most come first, so that the search can stop early.
        order.sort_by_key(|at| self.world.place(*at));
        let mut patience = Patience::default();
        for (at, entity) in order.iter().copied().enumerate() {
            if entity == me {
                continue;
            }
            if patience.ends(self.kinds(), self.is_worth(entity)) {
                self.left_out(order.get(at..).unwrap_or_default());
                break;
            }
            let ways = self.role_ways(entity);
            if ways.is_empty() {
                self.count_role(entity);
                continue;
            }
            let gifts = if gives { self.gifts(entity) } else { Vec::new() };
            self.become_other(entity, ways, &gifts);
        }
    }

    /// Counts a role to which no further move by these rows is kept.
    fn count_role(&mut self, entity: usize) {
        let assumes = self.enough(&[PathId(26)]);
        let rewrites = self.enough(&[PathId(23)]) && self.able.can(REWRITE);
        if !(assumes || rewrites) || !self.counts(entity) {
            return;
        }
        if assumes && self.ask_tagged(entity, "sts:AssumeRole", &Keys::new()).is_some() {
            self.note(entity, PathId(26));
        } else if rewrites && !self.rewriting(entity, &[23]).is_empty() {
            self.note(entity, PathId(23));
        }
    }

    fn role_ways(&self, entity: usize) -> Vec<Access> {
        let mut ways = Vec::new();
        let mut way = |path, permits: Vec<Permit>| {
            ways.push(Access { path: PathId(path), permits, things: BTreeSet::new() });
        };
        let assume = "sts:AssumeRole";
        if !self.enough(&[PathId(26)])
            && let Some(permits) = self.ask_tagged(entity, assume, &Keys::new())
        {
            way(26, permits);
        }
        if self.enough(&[PathId(23)]) {
            return ways;
        }
        // Row 24 is for those whose identity policies let them assume the role too.
        let rows: &[u8] = if self.able.can(assume) { &[23, 24] } else { &[23] };
        for (row, permits) in self.rewriting(entity, rows) {
            ways.push(Access { path: PathId(row), permits, things: BTreeSet::new() });
        }
        ways
    }

    /// Assuming a role whose trust policy is rewritten first: to trust the actor (row 23), or its
    /// account (row 24).
    fn rewriting(&self, entity: usize, rows: &[u8]) -> Vec<(u8, Vec<Permit>)> {
        let role = self.world.entities.get(entity).filter(|role| !role.protected);
        let Some(role) = role.filter(|_| self.able.can(REWRITE)) else { return Vec::new() };
        let rewrite = self.ask_tagged(entity, REWRITE, &Keys::new());
        let Some(rewrite) = rewrite else { return Vec::new() };
        let me = self.world.nodes.get(self.from).map(|node| node.subject.arn()).unwrap_or_default();
        let judge = &self.world.judge;
        let root = format!("arn:{}:iam::{}:root", judge.partition(), judge.account());
        let ways = rows.iter().filter_map(|row| {
            let who = if *row == 23 { me } else { root.as_str() };
            let trust = serde_json::json!({
                "Version": "2012-10-17",
                "Statement": [{
                    "Effect": "Allow", "Principal": {"AWS": who}, "Action": "sts:AssumeRole",
                }],
            });
            let trust = trust.to_string();
            let assume = "sts:AssumeRole";
            let mut permits = rewrite.clone();
            permits.push(self.ask_with(assume, &role.arn, &role.keys, Some(&trust))?);
            Some((*row, permits))
        });
        ways.collect()
    }

    /// The users or roles that the statements of the principal name for one of the actions: those
    /// worth becoming, or all where something can be given to them first.
    fn reached(&self, actions: &[&str], users: bool, all: bool) -> Vec<usize> {
        let me = self.entity();
        let fits = |at: &usize| {
            let entity = self.world.entities.get(*at);
            *at != me && entity.is_some_and(|entity| entity.user == users && !entity.linked)
        };
        let Reach::Patterns(patterns) = self.reach(actions) else {
            let mut found: Vec<usize> = self.world.worth.iter().copied().filter(fits).collect();
            if all {
                let others = self.world.rank.iter().enumerate();
                let others = others.filter(|(_, rank)| **rank == usize::MAX).map(|(at, _)| at);
                found.extend(others.filter(fits));
            }
            return found;
        };
        let mut found = BTreeSet::new();
        for pattern in &patterns {
            self.world.covered(pattern, &mut found);
        }
        let rank = |at: &usize| self.world.rank.get(*at).copied().unwrap_or(usize::MAX);
        let mut found: Vec<usize> =
            found.into_iter().filter(|at| fits(at) && (all || rank(at) < usize::MAX)).collect();
        found.sort_by_key(rank);
        found
    }

    pub(super) fn reach(&self, actions: &[&str]) -> Reach {
        let mut patterns = Vec::new();
        for action in actions {
            let groups = self.world.patterns(self.from, action);
            // The first group is that of the identity policies, unless they name everything.
            let node = self.world.nodes.get(self.from);
            let wide = node.is_none_or(|node| {
                let folded = action.to_ascii_lowercase();
                node.subject.effective.identity.iter().any(|found| {
                    found.document.statements().iter().any(|statement| {
                        super::ability::speaks_of(statement, &folded)
                            && statement.effect() == bailiwick_policy::Effect::Allow
                            && (statement.is_not_resource()
                                || statement.resources().any(|text| text == "*"))
                    })
                })
            });
            if wide {
                return Reach::All;
            }
            patterns.extend(groups.into_iter().next().unwrap_or_default());
        }
        Reach::Patterns(patterns)
    }
}
