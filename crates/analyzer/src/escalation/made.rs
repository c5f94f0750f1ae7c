//! Users and roles that the caller makes, gives everything and then acts as.
//!
//! The rows are those of giving a policy to another and taking it over; the other is new. What it may
//! do in the end is judged with the boundary that it was made with, unless that is taken away, and the
//! organization's policies.

use std::collections::BTreeSet;

use bailiwick_identifiers::UniqueId;
use bailiwick_model::{Effective, Found};
use bailiwick_policy::{Principal, Source, SourceKind};

use super::ability::Actions;
use super::change::{EVERYTHING, boundary};
use super::common::fitting;
use super::judge::{Keys, Permit};
use super::moves::{End, Move, Moves};
use super::naming::combinations;
use super::standing::Standing;
use super::table::PathId;

/// How a new user is given everything, and how it is become, with the rows.
const USERS: [(&str, &str, &[u8]); 4] = [
    ("iam:AttachUserPolicy", "iam:CreateAccessKey", &[14]),
    ("iam:PutUserPolicy", "iam:CreateAccessKey", &[17]),
    ("iam:AttachUserPolicy", "iam:CreateLoginProfile", &[4, 18]),
    ("iam:PutUserPolicy", "iam:CreateLoginProfile", &[10, 18]),
];

/// The same of a new role, which trusts its maker.
const ROLES: [(&str, &[u8]); 2] = [("iam:AttachRolePolicy", &[13]), ("iam:PutRolePolicy", &[22])];

const BOUNDARY: &str = "iam:PermissionsBoundary";
/// Boundaries that are tried for one that is made.
const MOST_BOUNDARIES: usize = 20;

impl Moves<'_, '_> {
    /// New users and roles, where the actor has no certain way by those that are there.
    pub(super) fn by_made(&mut self) {
        if self.able.can("iam:CreateUser") {
            for (give, enter, rows) in USERS {
                if self.able.can(give) && self.able.can(enter) {
                    let create = "iam:CreateUser";
                    let made = |arn: &str| self.made(arn, create, give, Some(enter));
                    let found = self.named("user", &[create, give, enter], made);
                    self.keep_made(found, rows);
                }
            }
        }
        if self.able.can("iam:CreateRole") {
            for (give, rows) in ROLES {
                if self.able.can(give) {
                    let create = "iam:CreateRole";
                    let made = |arn: &str| self.made(arn, create, give, None);
                    let found = self.named("role", &[create, give], made);
                    self.keep_made(found, rows);
                }
            }
        }
    }

    fn keep_made(&mut self, permits: Option<Vec<Permit>>, rows: &[u8]) {
        let Some(permits) = permits else { return };
        let paths = rows.iter().copied().map(PathId).collect();
        self.keep(Move { to: End::Made, paths, permits, things: BTreeSet::new() });
    }

    /// The requests that make one of this name an administrator whom the actor can act as.
    fn made(
        &self,
        arn: &str,
        create: &str,
        give: &str,
        enter: Option<&str>,
    ) -> Option<Vec<Permit>> {
        // One whom it may only make with a boundary has that, unless it takes that away.
        let bounds = self.world.values_of(self.from, create, BOUNDARY);
        let bounds = bounds.into_iter().filter(|policy| !policy.contains('*')).map(Some);
        let mut bounds: Vec<Option<String>> = std::iter::once(None).chain(bounds).collect();
        self.at_most(&mut bounds, MOST_BOUNDARIES);
        bounds.iter().find_map(|bound| {
            let bound = bound.as_deref();
            let with = |lifted| self.made_with(arn, create, give, enter, (bound, lifted));
            with(false).or_else(|| if bound.is_some() { with(true) } else { None })
        })
    }

    fn made_with(
        &self,
        arn: &str,
        create: &str,
        give: &str,
        enter: Option<&str>,
        (bound, lifted): (Option<&str>, bool),
    ) -> Option<Vec<Permit>> {
        let bounded: Keys =
            bound.iter().map(|policy| (BOUNDARY.to_owned(), vec![(*policy).to_owned()])).collect();
        let mut permits = vec![self.ask(create, arn, &bounded)?];
        if lifted {
            let kind = if enter.is_some() { "User" } else { "Role" };
            let action = format!("iam:Delete{kind}PermissionsBoundary");
            permits.push(self.can(&action, arn, &bounded)?);
        }
        let held = bound.filter(|_| !lifted);
        let then = if held.is_some() { bounded } else { Keys::new() };
        let mut keys = then.clone();
        if give.contains(":Attach") {
            let partition = self.world.judge.partition();
            let policy = format!("arn:{partition}:iam::aws:policy/AdministratorAccess");
            keys.push(("iam:PolicyARN".to_owned(), vec![policy]));
        }
        permits.push(self.ask(give, arn, &keys)?);
        if let Some(enter) = enter {
            permits.push(self.ask(enter, arn, &then)?);
        } else {
            let me = self.world.nodes.get(self.from)?.subject.arn();
            let trust = serde_json::json!({
                "Version": "2012-10-17",
                "Statement": [{
                    "Effect": "Allow", "Principal": {"AWS": me}, "Action": "sts:AssumeRole",
                }],
            });
            permits.push(self.ask_with("sts:AssumeRole", arn, &then, Some(&trust.to_string()))?);
        }
        self.rules(arn, enter.is_some(), held).then_some(permits)
    }

    /// Whether one of this name with a policy that allows everything, and perhaps a boundary, is an
    /// administrator.
    fn rules(&self, arn: &str, user: bool, bound: Option<&str>) -> bool {
        let estate = self.world.estate();
        let Some(document) = EVERYTHING.clone() else { return false };
        let prefix = if user { "AIDA" } else { "AROA" };
        let Ok(id) = format!("{prefix}AAAAAAAAAAAAAAAAA").parse::<UniqueId>() else {
            return false;
        };
        let account = estate.account.id();
        let name = arn.rsplit('/').next().unwrap_or_default().into();
        let principal = if user {
            Principal::User { arn: arn.into(), id, account, name }
        } else {
            Principal::Role { arn: arn.into(), id, account, name }
        };
        let mut subject = estate.caller(principal);
        let source = Source::new("policy of its own making", SourceKind::UserInline);
        let identity = vec![Found { source, document }];
        let boundary = bound.and_then(|policy| boundary(estate, policy));
        // A boundary that is not there allows nothing.
        if bound.is_some() && boundary.is_none() {
            return false;
        }
        subject.effective = Effective { identity, boundary, ..Effective::default() };
        let caller = self.world.judge.caller(&subject);
        self.world.standing(&subject, &caller, Actions::ALL) == Standing::Yes
    }

    /// What can be asked of one name, which is chosen so that all actions allow it.
    fn named(
        &self,
        kind: &str,
        actions: &[&str],
        all: impl Fn(&str) -> Option<Vec<Permit>>,
    ) -> Option<Vec<Permit>> {
        let judge = &self.world.judge;
        let template = format!("arn:{}:iam::{}:{kind}/?*", judge.partition(), judge.account());
        let certain = |permits: &Vec<Permit>| permits.iter().all(Permit::is_certain);
        let mut best = all(&template.replace("?*", "made-for-this"));
        if best.as_ref().is_some_and(certain) {
            return best;
        }
        let groups: Vec<Vec<String>> =
            actions.iter().flat_map(|action| self.world.patterns(self.from, action)).collect();
        if groups.is_empty() {
            return best;
        }
        for combination in combinations(&groups) {
            let fits = |template: &str| {
                let mut patterns = vec![template];
                patterns.extend(combination.iter().copied());
                // A path alone is no name.
                fitting(&patterns, 'x').filter(|arn| !arn.ends_with('/'))
            };
            let found = fits(&template).or_else(|| fits(&format!("{template}x")));
            let Some(arn) = found.filter(|arn| !self.world.by_arn.contains_key(arn)) else {
                continue;
            };
            let Some(found) = all(&arn) else { continue };
            if certain(&found) {
                return Some(found);
            }
            best = best.or(Some(found));
        }
        best
    }
}
