//! Changing what applies to a principal: policies given to it, its groups and policies changed, its
//! boundary taken away. The rows of self-escalation, and the first halves of takeovers.

use bailiwick_identifiers::Arn;

use super::change::Change;
use super::common::{covers, fitting};
use super::judge::{Keys, Permit};
use super::moves::{End, Gift, Move, Moves};
use super::standing::Standing;
use super::table::PathId;
use super::world::PolicyInfo;

/// Managed policies tried where an attachment is limited to some.
const MOST_POLICIES: usize = 30;
/// Groups tried for another user, the strongest first of those that it may be put into.
const MOST_GROUPS: usize = 5;

/// The actions that give a user something.
pub(super) const FOR_USERS: [&str; 8] = [
    "iam:AddUserToGroup",
    "iam:AttachGroupPolicy",
    "iam:AttachUserPolicy",
    "iam:CreatePolicyVersion",
    "iam:DeleteUserPermissionsBoundary",
    "iam:PutGroupPolicy",
    "iam:PutUserPolicy",
    "iam:SetDefaultPolicyVersion",
];

/// The actions that give a role something.
pub(super) const FOR_ROLES: [&str; 5] = [
    "iam:AttachRolePolicy",
    "iam:CreatePolicyVersion",
    "iam:DeleteRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:SetDefaultPolicyVersion",
];

impl Moves<'_, '_> {
    /// What the principal can change about itself.
    pub(super) fn on_itself(&mut self) {
        let entity = self.entity();
        let node = self.world.nodes.get(self.from);
        let conditional =
            node.is_some_and(|node| matches!(node.standing, Standing::Conditional(_)));
        for gift in self.gifts(entity) {
            // Who may do everything under conditions needs no part of it.
            if conditional && gift.change != Change::Everything && !gift.change.lifts() {
                continue;
            }
            let Some(to) = self.world.changed(self.from, &gift.change) else { continue };
            let Gift { path, permits, .. } = gift;
            let things = std::collections::BTreeSet::new();
            self.keep(Move { to: End::Node(to), paths: vec![path], permits, things });
        }
    }

    /// What the principal can change about a user or role.
    pub(super) fn gifts(&mut self, entity: usize) -> Vec<Gift> {
        let mut gifts = Vec::new();
        let Some(target) = self.world.entities.get(entity) else { return gifts };
        if target.protected {
            return gifts;
        }
        let (arn, keys) = (target.arn.clone(), target.keys.clone());
        let kind = if target.user { "User" } else { "Role" };
        let (put, attach) = if target.user { (10, 4) } else { (9, 3) };
        let whole =
            |path, permits| Gift { path: PathId(path), change: Change::Everything, permits };
        if let Some(permit) = self.can(&format!("iam:Put{kind}Policy"), &arn, &keys) {
            gifts.push(whole(put, vec![permit]));
        }
        let attached = self.attachments(&format!("iam:Attach{kind}Policy"), &arn, &keys);
        gifts.extend(attached.into_iter().map(|(change, permits)| Gift {
            path: PathId(attach),
            change,
            permits,
        }));
        if kind == "User" {
            self.by_groups(entity, &mut gifts);
        }
        self.by_versions(entity, &mut gifts);
        self.by_limits(entity, &mut gifts);
        let Some(target) = self.world.entities.get(entity) else { return gifts };
        if target.bounded {
            let action = format!("iam:Delete{kind}PermissionsBoundary");
            let path = PathId(if target.user { 7 } else { 6 });
            if let Some(permit) = self.can(&action, &arn, &keys) {
                gifts.push(Gift { path, change: Change::Unbound, permits: vec![permit] });
            }
            if let Some(permits) = self.new_version(target.boundary) {
                gifts.push(Gift { path: PathId(5), change: Change::Unbound, permits });
            }
        }
        gifts
    }

    pub(super) fn can(&self, action: &str, resource: &str, keys: &Keys) -> Option<Permit> {
        if !self.able.can(action) {
            return None;
        }
        self.ask(action, resource, keys)
    }

    /// Policies for the groups of a user, and groups that it is not in.
    fn by_groups(&mut self, entity: usize, gifts: &mut Vec<Gift>) {
        let groups = self.groups_of(entity);
        let nothing = Keys::new();
        for group in &groups {
            let Some(arn) = self.world.groups.get(*group).map(|group| group.arn.clone()) else {
                continue;
            };
            if let Some(permit) = self.can("iam:PutGroupPolicy", &arn, &nothing) {
                let (path, permits) = (PathId(8), vec![permit]);
                gifts.push(Gift { path, change: Change::Everything, permits });
            }
            for (change, permits) in self.attachments("iam:AttachGroupPolicy", &arn, &nothing) {
                gifts.push(Gift { path: PathId(2), change, permits });
            }
        }
        if !self.able.can("iam:AddUserToGroup") {
            return;
        }
        let changes = ["iam:AttachGroupPolicy", "iam:PutGroupPolicy"];
        if entity == self.entity() && changes.iter().any(|action| self.able.can(action)) {
            self.by_empty_group(&groups, gifts);
        }
        if self.joined.is_none() {
            self.joined = Some(self.to_join());
        }
        let most = if entity == self.entity() { usize::MAX } else { MOST_GROUPS };
        let joined = self.joined.iter().flatten().filter(|(at, ..)| !groups.contains(at));
        let mut others: Vec<_> = joined.take(most.saturating_add(1)).cloned().collect();
        self.at_most(&mut others, most);
        for (_, group, permit) in others {
            let change = Change::Member { group };
            gifts.push(Gift { path: PathId(1), change, permits: vec![permit] });
        }
    }

    /// The groups with rights that the actor may put users into, the strongest first.
    fn to_join(&self) -> Vec<(usize, String, Permit)> {
        let nothing = Keys::new();
        let mut groups: Vec<_> = self.world.groups.iter().enumerate().collect();
        groups.retain(|(_, group)| group.abilities.len() > 0);
        groups.sort_by_key(|(_, group)| std::cmp::Reverse(group.abilities.len()));
        let allowed = groups.into_iter().filter_map(|(at, group)| {
            let permit = self.ask("iam:AddUserToGroup", &group.arn, &nothing)?;
            Some((at, group.arn.clone(), permit))
        });
        allowed.collect()
    }

    /// A group without rights of its own that can be joined and then be given some: one is enough.
    fn by_empty_group(&mut self, groups: &[usize], gifts: &mut Vec<Gift>) {
        let nothing = Keys::new();
        let empty = self.world.groups.iter().enumerate();
        let empty = empty.filter(|(at, group)| !groups.contains(at) && group.abilities.len() == 0);
        let empty: Vec<String> = empty.map(|(_, group)| group.arn.clone()).collect();
        for group in empty {
            let Some(join) = self.ask("iam:AddUserToGroup", &group, &nothing) else { continue };
            let written = self.can("iam:PutGroupPolicy", &group, &nothing).is_some();
            if written || !self.attachments("iam:AttachGroupPolicy", &group, &nothing).is_empty() {
                let change = Change::Member { group };
                gifts.push(Gift { path: PathId(1), change, permits: vec![join] });
                return;
            }
        }
    }

    /// The groups of a user, with those that the actor has joined on its way.
    fn groups_of(&self, entity: usize) -> Vec<usize> {
        let groups = self.world.entities.get(entity).map(|e| e.groups.clone());
        let mut groups = groups.unwrap_or_default();
        let joined = self.changes(entity).iter().filter_map(|change| match change {
            Change::Member { group } => {
                self.world.groups.iter().position(|held| held.arn == *group)
            }
            _ => None,
        });
        groups.extend(joined);
        groups
    }

    /// What the actor has changed about itself on its way; nothing for others.
    fn changes(&self, entity: usize) -> &[Change] {
        let node = self.world.nodes.get(self.from).filter(|_| entity == self.entity());
        node.map(|node| node.changes.as_slice()).unwrap_or_default()
    }

    /// The customer managed policies of a principal, with those that the actor has been given on its
    /// way.
    fn policies_of(&self, entity: usize) -> Vec<usize> {
        let held = self.world.entities.get(entity).map(|e| e.policies.clone());
        let mut held = held.unwrap_or_default();
        let changes = self.changes(entity);
        if changes.is_empty() {
            return held;
        }
        let account = &self.world.estate().account;
        let mut given: Vec<String> = Vec::new();
        for change in changes {
            match change {
                Change::Attached { policy } => given.push(policy.clone()),
                Change::Member { group } => {
                    let group = group.parse::<Arn>().ok();
                    let group = group.and_then(|arn| account.group_with_arn(&arn));
                    let attached = group.into_iter().flat_map(|group| account.attached(group.id));
                    given.extend(attached.map(ToString::to_string));
                }
                _ => {}
            }
        }
        let place = |arn: &String| self.world.policies.iter().position(|held| held.arn == *arn);
        held.extend(given.iter().filter_map(place));
        held
    }

    /// New versions of the policies that a principal has, and older versions put in force.
    fn by_versions(&mut self, entity: usize, gifts: &mut Vec<Gift>) {
        for policy in self.policies_of(entity) {
            let Some(info) = self.world.policies.get(policy) else { continue };
            if let Some(permits) = self.new_version(Some(policy)) {
                // A version that allows all no longer denies.
                let change = if self.denies(&info.arn) {
                    Change::Version { policy: info.arn.clone(), number: 0 }
                } else {
                    Change::Everything
                };
                gifts.push(Gift { path: PathId(5), change, permits });
            }
            if info.versions.is_empty() {
                continue;
            }
            if let Some(permit) = self.can("iam:SetDefaultPolicyVersion", &info.arn, &Keys::new()) {
                for number in &info.versions {
                    let change = Change::Version { policy: info.arn.clone(), number: *number };
                    let permits = vec![permit.clone()];
                    gifts.push(Gift { path: PathId(11), change, permits });
                }
            }
        }
    }

    /// A version of the actor's own for a policy, with room made for it where there is none.
    fn new_version(&self, policy: Option<usize>) -> Option<Vec<Permit>> {
        let info = self.world.policies.get(policy?)?;
        let mut permits = vec![self.can("iam:CreatePolicyVersion", &info.arn, &Keys::new())?];
        if info.full {
            permits.insert(0, self.can("iam:DeletePolicyVersion", &info.arn, &Keys::new())?);
        }
        Some(permits)
    }

    /// What attaching managed policies to a user, group or role gives: everything, or where only some
    /// may be attached what these allow.
    fn attachments(&mut self, action: &str, arn: &str, keys: &Keys) -> Vec<(Change, Vec<Permit>)> {
        if !self.able.can(action) {
            return Vec::new();
        }
        let partition = self.world.judge.partition().to_owned();
        let with = |policy: &str| {
            let mut keys = keys.clone();
            keys.push(("iam:PolicyARN".to_owned(), vec![policy.to_owned()]));
            keys
        };
        let admin = format!("arn:{partition}:iam::aws:policy/AdministratorAccess");
        let mut found = Vec::new();
        if let Some(permit) = self.ask(action, arn, &with(&admin)) {
            let certain = permit.is_certain();
            found.push((Change::Everything, vec![permit]));
            if certain {
                return found;
            }
        }
        let limits = self.world.values_of(self.from, action, "iam:PolicyARN");
        if limits.is_empty() {
            return found;
        }
        if let Some(made) = self.made_policy(action, arn, keys, &limits) {
            found.push((Change::Everything, made));
        }
        // AWS's policies that the conditions name, then the account's own that could matter.
        let named =
            limits.iter().filter(|limit| !limit.contains('*') && limit.contains(":aws:policy/"));
        let mut policies: Vec<String> = named.cloned().collect();
        policies.push(format!("arn:{partition}:iam::aws:policy/IAMFullAccess"));
        // One that allows little may be rewritten once it is attached.
        let rewrites = self.able.can("iam:CreatePolicyVersion");
        let of_use = |policy: &PolicyInfo| {
            policy.abilities.len() > 0
                || rewrites && limits.iter().any(|limit| covers(limit, &policy.arn))
        };
        let may = |policy: &str| self.ask(action, arn, &with(policy)).is_some();
        policies.extend(self.own_policies(&limits, of_use, may));
        for policy in policies {
            if policy == admin {
                continue;
            }
            if let Some(permit) = self.ask(action, arn, &with(&policy)) {
                found.push((Change::Attached { policy }, vec![permit]));
            }
        }
        found
    }

    /// The account's own policies that are worth a try where conditions limit them: those first that
    /// the conditions name, then those that allow the most.
    pub(super) fn own_policies(
        &self,
        limits: &[String],
        of_use: impl Fn(&PolicyInfo) -> bool,
        may: impl Fn(&str) -> bool,
    ) -> Vec<String> {
        let limited = |policy: &PolicyInfo| limits.iter().any(|limit| covers(limit, &policy.arn));
        let mut own: Vec<_> = self.world.policies.iter().filter(|policy| of_use(policy)).collect();
        own.sort_by_key(|policy| (!limited(policy), std::cmp::Reverse(policy.abilities.len())));
        // Conditions may name what is allowed, or what is not.
        let next = own.get(MOST_POLICIES);
        if next.is_some_and(|policy| limited(policy) || may(&policy.arn)) {
            self.short.set(true);
        }
        own.into_iter().take(MOST_POLICIES).map(|policy| policy.arn.clone()).collect()
    }

    /// A policy made under a name that may be attached.
    fn made_policy(
        &self,
        action: &str,
        arn: &str,
        keys: &Keys,
        limits: &[String],
    ) -> Option<Vec<Permit>> {
        if !self.able.can("iam:CreatePolicy") {
            return None;
        }
        let judge = &self.world.judge;
        let template = format!("arn:{}:iam::{}:policy/?*", judge.partition(), judge.account());
        let allowed = self.world.patterns(self.from, "iam:CreatePolicy");
        let allowed = allowed.first().cloned().unwrap_or_else(|| vec!["*".to_owned()]);
        for limit in limits {
            for pattern in &allowed {
                let Some(policy) = fitting(&[&template, limit, pattern], 'x') else { continue };
                if self.world.policies.iter().any(|held| held.arn == policy) {
                    continue;
                }
                let Some(create) = self.ask("iam:CreatePolicy", &policy, &Keys::new()) else {
                    continue;
                };
                let mut keys = keys.clone();
                keys.push(("iam:PolicyARN".to_owned(), vec![policy.clone()]));
                if let Some(attach) = self.ask(action, arn, &keys) {
                    return Some(vec![create, attach]);
                }
            }
        }
        None
    }
}
