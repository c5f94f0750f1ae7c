//! What holds a principal back and can be taken away by itself: policies that deny, a boundary that may
//! be replaced, tags that conditions ask for.
//!
//! The table has no rows of their own for these. They go under those of boundaries (6 of a role, 7 of a
//! user), which take a limit away likewise, or under the row of the action that overwrites a policy.

use bailiwick_identifiers::Arn;
use bailiwick_model::{Found, document};
use bailiwick_policy::{Effect, SourceKind, Statement};

use super::ability::{speaks_of, speaks_of_identities};
use super::change::{Change, Limit, groups_by};
use super::judge::{Keys, Permit};
use super::moves::{Gift, Moves};
use super::table::PathId;
use super::values::concrete;
use super::world::PolicyInfo;

/// Values of tags that are tried.
const MOST_TAGS: usize = 40;

impl Moves<'_, '_> {
    /// What the actor can take away of its own limits. Of others, only a boundary: that a takeover of
    /// one who is denied much begins with lifting that is left out.
    pub(super) fn by_limits(&mut self, entity: usize, gifts: &mut Vec<Gift>) {
        let own = entity == self.entity();
        self.by_boundary(entity, gifts);
        if own {
            self.by_denies(entity, gifts);
            self.by_tags(entity, gifts);
        }
    }

    /// Whether a managed policy of the account denies anything.
    pub(super) fn denies(&self, policy: &str) -> bool {
        let estate = self.world.estate();
        let found = policy.parse::<Arn>().ok();
        let found = found.and_then(|arn| document(&estate.account, &estate.managed, &arn));
        found.is_some_and(|document| {
            document.statements().iter().any(|statement| statement.effect() == Effect::Deny)
        })
    }

    /// Policies that deny: deleted, overwritten, detached, or left behind with a group.
    fn by_denies(&mut self, entity: usize, gifts: &mut Vec<Gift>) {
        let Some(node) = self.world.nodes.get(self.from) else { return };
        let Some(me) = self.world.entities.get(entity) else { return };
        let (kind, limit, put) = if me.user { ("User", 7, 10) } else { ("Role", 6, 9) };
        let (arn, keys) = (me.arn.clone(), me.keys.clone());
        let account = &self.world.estate().account;
        let nothing = Keys::new();
        let mut left: Vec<&str> = Vec::new();
        let identity = &node.subject.effective.identity;
        let denies = |found: &Found| {
            found.document.statements().iter().any(|held| held.effect() == Effect::Deny)
        };
        if !identity.iter().any(denies) {
            return;
        }
        let groups = groups_by(account, &node.subject);
        for (found, group) in identity.iter().zip(&groups).filter(|(found, _)| denies(found)) {
            let policy = found.source.id.to_string();
            let group = group.as_deref();
            let change = Change::Lifted {
                limit: Limit::Policy { policy: policy.clone(), group: group.map(str::to_owned) },
            };
            let mut gift = |path, change: &Change, permit| {
                let change = change.clone();
                gifts.push(Gift { path: PathId(path), change, permits: vec![permit] });
            };
            let with = |keys: &Keys| {
                let mut keys = keys.clone();
                keys.push(("iam:PolicyARN".to_owned(), vec![policy.clone()]));
                keys
            };
            let group_arn = group.and_then(|name| account.group_named(name));
            let group_arn = group_arn.map(|group| account.group_arn(group).to_string());
            match (&found.source.kind, &group_arn) {
                (SourceKind::UserInline | SourceKind::RoleInline, _) => {
                    if let Some(permit) = self.can(&format!("iam:Delete{kind}Policy"), &arn, &keys)
                    {
                        gift(limit, &change, permit);
                    } else if let Some(permit) =
                        self.can(&format!("iam:Put{kind}Policy"), &arn, &keys)
                    {
                        gift(put, &change, permit);
                    }
                }
                (SourceKind::GroupInline { .. }, Some(group)) => {
                    if let Some(permit) = self.can("iam:DeleteGroupPolicy", group, &nothing) {
                        gift(limit, &change, permit);
                    } else if let Some(permit) = self.can("iam:PutGroupPolicy", group, &nothing) {
                        gift(8, &change, permit);
                    }
                }
                (SourceKind::GroupManaged { .. } | SourceKind::AwsManaged, Some(group)) => {
                    let permit = self.can("iam:DetachGroupPolicy", group, &with(&nothing));
                    if let Some(permit) = permit {
                        gift(limit, &change, permit);
                    }
                }
                // Not one that was given on the way.
                _ if !account.attached(me.id).any(|held| held.as_str() == policy) => {}
                _ => {
                    let action = format!("iam:Detach{kind}Policy");
                    if let Some(permit) = self.can(&action, &arn, &with(&keys)) {
                        gift(limit, &change, permit);
                    }
                }
            }
            if let (Some(name), Some(group)) = (group, &group_arn)
                && !left.contains(&name)
                && let Some(permit) = self.can("iam:RemoveUserFromGroup", group, &nothing)
            {
                left.push(name);
                let change = Change::Lifted { limit: Limit::Group { group: name.to_owned() } };
                gift(limit, &change, permit);
            }
        }
    }

    /// Another boundary: one that allows everything, or one of those that may be put.
    fn by_boundary(&self, entity: usize, gifts: &mut Vec<Gift>) {
        let Some(target) = self.world.entities.get(entity).filter(|target| target.bounded) else {
            return;
        };
        let (kind, path) = if target.user { ("User", 7) } else { ("Role", 6) };
        let action = format!("iam:Put{kind}PermissionsBoundary");
        if !self.able.can(&action) {
            return;
        }
        // The key speaks of the boundary that the call brings.
        let with = |policy: &str| {
            let mut keys = target.keys.clone();
            keys.retain(|(key, _)| key != "iam:PermissionsBoundary");
            keys.push(("iam:PermissionsBoundary".to_owned(), vec![policy.to_owned()]));
            keys
        };
        let partition = self.world.judge.partition();
        let whole = format!("arn:{partition}:iam::aws:policy/AdministratorAccess");
        if let Some(permit) = self.can(&action, &target.arn, &with(&whole)) {
            let certain = permit.is_certain();
            gifts.push(Gift { path: PathId(path), change: Change::Unbound, permits: vec![permit] });
            if certain {
                return;
            }
        }
        let limits = self.world.values_of(self.from, &action, "iam:PermissionsBoundary");
        let named = limits.iter().filter(|policy| !policy.contains('*'));
        let mut policies: Vec<String> = named.cloned().collect();
        let of_use = |policy: &PolicyInfo| policy.abilities.len() > 0;
        let may = |policy: &str| self.can(&action, &target.arn, &with(policy)).is_some();
        policies.extend(self.own_policies(&limits, of_use, may));
        for policy in policies {
            if let Some(permit) = self.can(&action, &target.arn, &with(&policy)) {
                let change = Change::Lifted { limit: Limit::Boundary { policy } };
                gifts.push(Gift { path: PathId(path), change, permits: vec![permit] });
            }
        }
    }

    /// Tags of its own that conditions in its way ask for, or refuse.
    fn by_tags(&self, entity: usize, gifts: &mut Vec<Gift>) {
        let Some(me) = self.world.entities.get(entity) else { return };
        let (kind, path) = if me.user { ("User", 7) } else { ("Role", 6) };
        let (tag, untag) = (format!("iam:Tag{kind}"), format!("iam:Untag{kind}"));
        if !self.able.can(&tag) && !self.able.can(&untag) {
            return;
        }
        for (key, value) in self.tags_asked_for() {
            let action = if value.is_some() { &tag } else { &untag };
            let mut keys = me.keys.clone();
            keys.push(("aws:TagKeys".to_owned(), vec![key.clone()]));
            if let Some(value) = &value {
                keys.push((format!("aws:RequestTag/{key}"), vec![value.clone()]));
            }
            let Some(permit) = self.can(action, &me.arn, &keys) else { continue };
            let change = Change::Lifted { limit: Limit::Tag { key, value } };
            gifts.push(Gift { path: PathId(path), change, permits: vec![permit] });
        }
    }

    /// The requests of an action on a user or role, which is tagged first where conditions ask for tags
    /// that it has not.
    pub(super) fn ask_tagged(
        &self,
        entity: usize,
        action: &str,
        more: &Keys,
    ) -> Option<Vec<Permit>> {
        let target = self.world.entities.get(entity)?;
        let mut keys = target.keys.clone();
        keys.extend(more.iter().cloned());
        let plain = self.ask(action, &target.arn, &keys);
        let tag = if target.user { "iam:TagUser" } else { "iam:TagRole" };
        if plain.as_ref().is_some_and(Permit::is_certain) || !self.able.can(tag) || target.protected
        {
            return plain.map(|permit| vec![permit]);
        }
        let both = |key: &str, value: &str, keys: &mut Keys| {
            for prefix in ["aws:ResourceTag/", "iam:ResourceTag/"] {
                let name = format!("{prefix}{key}");
                keys.retain(|(held, _)| !held.eq_ignore_ascii_case(&name));
                keys.push((name, vec![value.to_owned()]));
            }
        };
        for (key, value) in self.resource_tags(action) {
            let mut tagging = target.keys.clone();
            tagging.push(("aws:TagKeys".to_owned(), vec![key.clone()]));
            tagging.push((format!("aws:RequestTag/{key}"), vec![value.clone()]));
            let Some(tag) = self.can(tag, &target.arn, &tagging) else { continue };
            let mut keys = keys.clone();
            both(&key, &value, &mut keys);
            let Some(permit) = self.ask(action, &target.arn, &keys) else { continue };
            if plain.is_none() || permit.is_certain() && tag.is_certain() {
                return Some(vec![tag, permit]);
            }
        }
        plain.map(|permit| vec![permit])
    }

    /// Keys and values of tags that conditions on an action's resource name.
    fn resource_tags(&self, action: &str) -> Vec<(String, String)> {
        let Some(node) = self.world.nodes.get(self.from) else { return Vec::new() };
        let folded = action.to_ascii_lowercase();
        let mut found = Vec::new();
        for statement in self.world.statements(node) {
            if !speaks_of(statement, &folded) {
                continue;
            }
            for condition in statement.conditions() {
                const LENGTH: usize = "aws:resourcetag/".len();
                let head = condition.key.get(..LENGTH).unwrap_or_default().to_ascii_lowercase();
                if !matches!(&*head, "aws:resourcetag/" | "iam:resourcetag/") {
                    continue;
                }
                let key = condition.key.get(LENGTH..).unwrap_or_default();
                for value in condition.values.iter().map(|value| concrete(value)) {
                    let pair = (key.to_owned(), value);
                    if !found.contains(&pair) {
                        found.push(pair);
                    }
                }
            }
        }
        self.at_most(&mut found, MOST_TAGS);
        found
    }

    /// Keys and values of tags that conditions on the actor's tags name, and none for each key that it
    /// has.
    fn tags_asked_for(&self) -> Vec<(String, Option<String>)> {
        let Some(node) = self.world.nodes.get(self.from) else { return Vec::new() };
        let mut found = Vec::new();
        let mut statements: Vec<_> = self.world.statements(node).collect();
        // What bears on a step comes first.
        statements.sort_by_cached_key(|statement| !speaks_of_identities(statement));
        for condition in statements.into_iter().flat_map(Statement::conditions) {
            const PREFIX: &str = "aws:principaltag/";
            let folded = condition.key.to_ascii_lowercase();
            let Some(tag) = folded.strip_prefix(PREFIX) else { continue };
            // The key as it is written.
            let tag = condition.key.get(PREFIX.len()..).unwrap_or(tag);
            let held = node.caller.contains(&condition.key);
            let values = condition.values.iter().map(|value| Some(concrete(value)));
            let other = [Some("other".to_owned()), None];
            for value in values.chain(other.into_iter().filter(|value| held || value.is_some())) {
                let pair = (tag.to_owned(), value);
                if !found.contains(&pair) {
                    found.push(pair);
                }
            }
        }
        self.at_most(&mut found, MOST_TAGS);
        found
    }

    /// Cuts a list of what could be tried, and says so.
    pub(super) fn at_most<T>(&self, list: &mut Vec<T>, most: usize) {
        if list.len() > most {
            self.short.set(true);
            list.truncate(most);
        }
    }
}
