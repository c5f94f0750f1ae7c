//! The principals of an account as places of a graph, with what the search asks of each.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use bailiwick_identifiers::{Arn, UniqueId};
use bailiwick_model::{Effective, Found, Policy, Role, User, parallel};
use bailiwick_policy::{Context, Effect, PrincipalType, Statement};

use super::ability::{Abilities, Actions, LIFTING, NEEDS, set, speaks_of};
use super::change::{Change, Standpoint, policies_of};
use super::judge::{Judge, Keys, Permit};
use super::standing::Standing;
use super::table::{Class, ROWS};
use super::values::resolved;
use crate::estate::{Estate, Subject, is_service_linked};

/// Changes by less than everything that are laid over each other: the last one has to make an
/// administrator, or the combinations would be without end.
const MOST_PARTS: usize = 2;

/// A user or role.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "facts that have nothing to do with each other")]
pub(super) struct Entity {
    pub(super) arn: String,
    pub(super) user: bool,
    pub(super) id: UniqueId,
    /// Keys of requests on it: its tags and its boundary.
    pub(super) keys: Keys,
    /// Whether nobody may change it: a role of a service or of the directory.
    pub(super) protected: bool,
    /// Whether it belongs to a service, which alone acts as it.
    pub(super) linked: bool,
    /// The groups of a user.
    pub(super) groups: Vec<usize>,
    /// The customer managed policies that it has, itself or by a group.
    pub(super) policies: Vec<usize>,
    /// Its boundary, where that is a customer managed policy.
    pub(super) boundary: Option<usize>,
    pub(super) bounded: bool,
}

/// A group.
#[derive(Debug)]
pub(super) struct GroupInfo {
    pub(super) arn: String,
    /// What its policies could allow.
    pub(super) abilities: Actions,
}

/// A customer managed policy.
#[derive(Debug)]
pub(super) struct PolicyInfo {
    pub(super) arn: String,
    /// Versions that are not in force and could allow something of interest.
    pub(super) versions: Vec<u32>,
    /// Whether no further version has room (section 14 of the rules).
    pub(super) full: bool,
    pub(super) abilities: Actions,
}

/// A principal with what steps have changed.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) entity: usize,
    pub(super) changes: Vec<Change>,
    pub(super) subject: Arc<Subject>,
    pub(super) caller: Context,
    pub(super) abilities: Actions,
    pub(super) standing: Standing,
}

/// Everything that the search looks up.
#[derive(Debug)]
pub(super) struct World<'e> {
    pub(super) judge: Judge<'e>,
    pub(super) entities: Vec<Entity>,
    pub(super) groups: Vec<GroupInfo>,
    pub(super) policies: Vec<PolicyInfo>,
    pub(super) nodes: Vec<Node>,
    /// Whether each principal may change what any user and any role may do.
    pub(super) controls: Vec<Standing>,
    known: HashMap<(usize, Vec<Change>), usize>,
    pub(super) by_arn: HashMap<String, usize>,
    abilities: Abilities,
    /// What the organization leaves to those whom it binds.
    left: Actions,
    /// The roles whose trust policy names a user or role, by that one.
    pub(super) named: HashMap<usize, Vec<usize>>,
    /// Roles that trust the account, so that identity policies decide.
    pub(super) open: Vec<usize>,
    /// Roles that trust everybody.
    pub(super) anyone: Vec<usize>,
    /// The roles that services take, with what that depends on.
    services: HashMap<&'static str, Arc<[(usize, Permit)]>>,
    /// Principals worth becoming, administrators first.
    pub(super) worth: Vec<usize>,
    /// The place of each principal among those, for all principals; the largest for the others.
    pub(super) rank: Vec<usize>,
    /// The one whom the search is for, if it is for no administrator.
    pub(super) aim: Option<usize>,
    /// All ARNs in order, to find those that begin alike.
    sorted: Vec<(String, usize)>,
}

impl<'e> World<'e> {
    pub(super) fn new(judge: Judge<'e>) -> Self {
        let mut world = Self {
            judge,
            entities: Vec::new(),
            groups: Vec::new(),
            policies: Vec::new(),
            nodes: Vec::new(),
            controls: Vec::new(),
            known: HashMap::new(),
            by_arn: HashMap::new(),
            abilities: Abilities::default(),
            left: Actions::ALL,
            named: HashMap::new(),
            open: Vec::new(),
            anyone: Vec::new(),
            services: HashMap::new(),
            worth: Vec::new(),
            rank: Vec::new(),
            aim: None,
            sorted: Vec::new(),
        };
        world.left = world.abilities.left_by(world.judge.estate.organization.as_ref());
        world.fill();
        world
    }

    pub(super) fn estate(&self) -> &'e Estate {
        self.judge.estate
    }

    fn fill(&mut self) {
        let estate = self.estate();
        let account = &estate.account;
        let policies: HashMap<UniqueId, usize> =
            account.policies().enumerate().map(|(at, policy)| (policy.id, at)).collect();
        for policy in account.policies() {
            let info = self.policy(policy);
            self.policies.push(info);
        }
        let groups: HashMap<UniqueId, usize> =
            account.groups().enumerate().map(|(at, group)| (group.id, at)).collect();
        for group in account.groups() {
            let mut effective = Effective::default();
            for (source, document) in policies_of(estate, group) {
                effective.identity.extend(document.map(|document| Found { source, document }));
            }
            let abilities = self.abilities.of(&effective);
            self.groups.push(GroupInfo { arn: account.group_arn(group).to_string(), abilities });
        }
        let place =
            |arn: &Arn| account.policy_with_arn(arn).and_then(|p| policies.get(&p.id)).copied();
        let users: Vec<&Arc<User>> = account.users().collect();
        let subjects = parallel::each(&users, |user| estate.user(user));
        for (user, subject) in users.into_iter().zip(subjects) {
            let groups_of: Vec<&Arc<bailiwick_model::Group>> = account.groups_of(user.id).collect();
            let owners = std::iter::once(user.id).chain(groups_of.iter().map(|group| group.id));
            let held: BTreeSet<usize> =
                owners.flat_map(|owner| account.attached(owner)).filter_map(&place).collect();
            let tags = user.tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()));
            let entity = Entity {
                arn: account.user_arn(user).to_string(),
                user: true,
                id: user.id,
                keys: keys(tags, user.boundary.as_ref()),
                protected: false,
                linked: false,
                groups: groups_of
                    .iter()
                    .filter_map(|group| groups.get(&group.id))
                    .copied()
                    .collect(),
                policies: held.into_iter().collect(),
                boundary: user.boundary.as_ref().and_then(&place),
                bounded: user.boundary.is_some(),
            };
            self.enter(entity, subject);
        }
        let roles: Vec<&Arc<Role>> = account.roles().collect();
        let subjects = parallel::each(&roles, |role| estate.role(role));
        for (role, subject) in roles.into_iter().zip(subjects) {
            let held: BTreeSet<usize> = account.attached(role.id).filter_map(&place).collect();
            let tags = role.tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()));
            let linked = is_service_linked(role);
            let entity = Entity {
                arn: account.role_arn(role).to_string(),
                user: false,
                id: role.id,
                keys: keys(tags, role.boundary.as_ref()),
                protected: linked || role.path.as_str().starts_with("/aws-reserved/"),
                linked,
                groups: Vec::new(),
                policies: held.into_iter().collect(),
                boundary: role.boundary.as_ref().and_then(&place),
                bounded: role.boundary.is_some(),
            };
            self.enter(entity, subject);
        }
        self.trusts();
        self.weigh();
    }

    fn policy(&mut self, policy: &Policy) -> PolicyInfo {
        let account = &self.estate().account;
        let mut versions = Vec::new();
        let mut abilities = Actions::default();
        for version in account.versions(policy.id) {
            let Ok(document) = version.document.document() else { continue };
            let could = self.abilities.of_document(document);
            if version.number == policy.default_version {
                abilities = could;
            } else if could != Actions::default() {
                versions.push(version.number);
            }
        }
        PolicyInfo {
            arn: account.policy_arn(policy).to_string(),
            versions,
            full: account.versions(policy.id).count() >= 5,
            abilities,
        }
    }

    fn enter(&mut self, entity: Entity, subject: Subject) {
        let at = self.entities.len();
        self.by_arn.insert(entity.arn.clone(), at);
        self.entities.push(entity);
        let node = self.make(at, Vec::new(), subject);
        self.controls.push(self.controls(&node));
        self.known.insert((at, Vec::new()), self.nodes.len());
        self.nodes.push(node);
    }

    fn make(&mut self, entity: usize, changes: Vec<Change>, subject: Subject) -> Node {
        let caller = self.judge.caller(&subject);
        let mut abilities = self.abilities.of(&subject.effective);
        if !subject.linked {
            abilities = abilities.and(self.left);
        }
        let standing = self.standing(&subject, &caller, abilities);
        let subject = Arc::new(subject);
        Node { entity, changes, subject, caller, abilities, standing }
    }

    /// The place of a principal with one change more; nothing if it has that already, or too many.
    pub(super) fn changed(&mut self, from: usize, change: &Change) -> Option<usize> {
        let node = self.nodes.get(from)?;
        if node.changes.contains(change)
            || (node.changes.contains(&Change::Everything) && !change.lifts())
        {
            return None;
        }
        let entity = node.entity;
        let mut changes = node.changes.clone();
        if *change == Change::Everything {
            // What is allowed everywhere needs no other policy beside it.
            changes.retain(Change::lifts);
        }
        changes.push(change.clone());
        changes.sort();
        let whole = |change: &Change| matches!(change, Change::Everything | Change::Unbound);
        let parts = changes.iter().filter(|change| !whole(change)).count();
        if parts > MOST_PARTS {
            return None;
        }
        if let Some(at) = self.known.get(&(entity, changes.clone())) {
            return Some(*at);
        }
        let standpoint = Standpoint {
            principal: self.entities.get(entity)?.arn.clone(),
            changes: changes.clone(),
        };
        let subject = super::change::subject(self.estate(), &standpoint)?;
        let made = self.make(entity, changes.clone(), subject);
        if parts == MOST_PARTS && made.standing == Standing::No {
            return None;
        }
        self.known.insert((entity, changes), self.nodes.len());
        self.nodes.push(made);
        Some(self.nodes.len() - 1)
    }

    pub(super) fn standpoint(&self, at: usize) -> Option<Standpoint> {
        let node = self.nodes.get(at)?;
        let principal = self.entities.get(node.entity)?.arn.clone();
        Some(Standpoint { principal, changes: node.changes.clone() })
    }

    /// The role of a place.
    pub(super) fn role(&self, entity: usize) -> Option<&'e Arc<Role>> {
        let account = &self.estate().account;
        account.role(&self.entities.get(entity)?.id)
    }

    /// What trust policies say of users and roles.
    fn trusts(&mut self) {
        let by_id: HashMap<String, usize> =
            self.entities.iter().enumerate().map(|(at, e)| (e.id.to_string(), at)).collect();
        let account = self.judge.account().to_owned();
        let root = format!("arn:{}:iam::{account}:root", self.judge.partition());
        for at in 0..self.entities.len() {
            let Some(role) = self.role(at) else { continue };
            let Ok(document) = role.trust.document() else { continue };
            for principal in document.principals() {
                if !matches!(principal.kind, PrincipalType::Aws | PrincipalType::Bare) {
                    continue;
                }
                let text = principal.text;
                if text == "*" {
                    self.anyone.push(at);
                } else if text == account || text == root {
                    self.open.push(at);
                } else if let Some(who) = self.by_arn.get(text).or_else(|| by_id.get(text)) {
                    self.named.entry(*who).or_default().push(at);
                } else if let Some((_, session)) = text.split_once(":assumed-role/") {
                    let name = session.split('/').next().unwrap_or_default();
                    let named = self.estate().account.role_named(name);
                    if let Some(who) = named.and_then(|role| by_id.get(role.id.as_str())) {
                        self.named.entry(*who).or_default().push(at);
                    }
                }
            }
        }
        for list in [&mut self.anyone, &mut self.open] {
            list.dedup();
        }
    }

    /// Makes a principal the one to become, whatever it may do itself.
    pub(super) fn aim_at(&mut self, arn: &str) {
        self.aim = self.by_arn.get(arn).copied();
        self.services.clear();
        self.weigh();
    }

    /// The place of a principal among those worth becoming: the one who is looked for, administrators,
    /// those who are that under conditions, others.
    pub(super) fn place(&self, at: usize) -> u8 {
        if self.aim == Some(at) {
            return 0;
        }
        self.nodes.get(at).map_or(3, |node| match node.standing {
            Standing::Yes => 1,
            Standing::Conditional(_) => 2,
            Standing::No => 3,
        })
    }

    /// Finds who is worth becoming: administrators, and those who can take a step themselves.
    fn weigh(&mut self) {
        let assume = set(&["sts:AssumeRole"]);
        let mut worth: Vec<(u8, usize)> = Vec::new();
        for (at, node) in self.nodes.iter().enumerate() {
            if self.entities.get(at).is_none_or(|entity| entity.linked) {
                continue;
            }
            let rank = self.place(at);
            let able = || {
                NEEDS.iter().any(|needs| node.abilities.covers(*needs))
                    || node.abilities.covers(assume)
                    || node.abilities.common(*LIFTING) > 0
                    || self.named.contains_key(&at)
                    || !self.anyone.is_empty()
            };
            if rank < 3 || able() {
                worth.push((rank, at));
            }
        }
        worth.sort_unstable();
        self.worth = worth.into_iter().map(|(_, at)| at).collect();
        self.rank = vec![usize::MAX; self.entities.len()];
        for (rank, at) in self.worth.iter().enumerate() {
            if let Some(slot) = self.rank.get_mut(*at) {
                *slot = rank;
            }
        }
        self.sorted = self.by_arn.iter().map(|(arn, at)| (arn.clone(), *at)).collect();
        self.sorted.sort_unstable();
    }

    /// The users and roles whose ARN a pattern covers.
    pub(super) fn covered(&self, pattern: &str, found: &mut BTreeSet<usize>) {
        // A pattern of fewer fields goes on as if with stars (RES-5).
        let short = pattern.matches(':').count() < 5;
        let literal = pattern.find(['*', '?']).unwrap_or(pattern.len());
        let prefix = if short { "" } else { pattern.get(..literal).unwrap_or_default() };
        let start = self.sorted.partition_point(|(arn, _)| arn.as_str() < prefix);
        for (arn, at) in self.sorted.iter().skip(start) {
            if !arn.starts_with(prefix) {
                break;
            }
            if short || super::common::covers(pattern, arn) {
                found.insert(*at);
            }
        }
    }

    /// Whether the principal could take any step at all.
    pub(super) fn able(&self, at: usize) -> bool {
        let Some(node) = self.nodes.get(at) else { return false };
        NEEDS.iter().any(|needs| node.abilities.covers(*needs))
            || node.abilities.common(*LIFTING) > 0
            || self.named.contains_key(&node.entity)
            || !self.anyone.is_empty()
    }

    /// The roles that run under a service's name.
    pub(super) fn taken_by(&mut self, service: &'static str) -> Arc<[(usize, Permit)]> {
        if let Some(found) = self.services.get(service) {
            return Arc::clone(found);
        }
        let mut found = Vec::new();
        for (at, entity) in self.entities.iter().enumerate() {
            if entity.user || entity.linked {
                continue;
            }
            let Some(role) = self.role(at) else { continue };
            let Ok(document) = role.trust.document() else { continue };
            let names = document.principals().any(|principal| {
                let text = principal.text;
                text == "*" || text == service || text.strip_suffix(".cn") == Some(service)
            });
            if names && let Some(permit) = self.judge.service(service, role, &entity.arn) {
                found.push((at, permit));
            }
        }
        // Those first who gain the most.
        found.sort_by_key(|(at, _)| self.rank.get(*at).copied());
        let found: Arc<[(usize, Permit)]> = found.into();
        self.services.insert(service, Arc::clone(&found));
        found
    }

    /// The resource patterns that bear on an action of a principal, in groups of which one each has to
    /// fit: what its policies allow, what its boundary and the organization allow, and what each
    /// Deny spares. A group with `*` alone is left out.
    pub(super) fn patterns(&self, at: usize, action: &str) -> Vec<Vec<String>> {
        let Some(node) = self.nodes.get(at) else { return Vec::new() };
        let folded = action.to_ascii_lowercase();
        let mut groups = Vec::new();
        let mut deny_groups = Vec::new();
        let mut layer = |statements: &mut dyn Iterator<Item = &Statement>| {
            let mut allowed = Vec::new();
            for statement in statements.filter(|s| speaks_of(s, &folded)) {
                let entries = || statement.resources().map(|text| resolved(text, &node.caller));
                match (statement.effect(), statement.is_not_resource()) {
                    (Effect::Allow, true) => allowed.push("*".to_owned()),
                    (Effect::Allow, false) => allowed.extend(entries()),
                    (Effect::Deny, true) => deny_groups.push(entries().collect::<Vec<_>>()),
                    (Effect::Deny, false) => {}
                }
            }
            allowed.sort_by_key(|pattern| pattern != "*");
            allowed.dedup();
            groups.push(allowed);
        };
        let effective = &node.subject.effective;
        layer(&mut effective.identity.iter().flat_map(|found| found.document.statements()));
        if let Some(boundary) = &effective.boundary {
            layer(&mut boundary.document.statements().iter());
        }
        if let Some(organization) = self.estate().organization.as_ref().filter(|o| !o.management) {
            for level in &organization.scps {
                layer(&mut level.iter().flat_map(|found| found.document.statements()));
            }
        }
        groups.extend(deny_groups);
        groups.retain(|group| group.as_slice() != ["*"]);
        groups
    }

    /// The statements of all layers of a principal: its policies, its boundary, the organization's.
    pub(super) fn statements<'n>(&'n self, node: &'n Node) -> impl Iterator<Item = &'n Statement> {
        let effective = &node.subject.effective;
        let organization = self.estate().organization.iter();
        let scps = organization.flat_map(|o| o.scps.iter().flatten());
        let all = effective.identity.iter().chain(&effective.boundary).chain(scps);
        all.flat_map(|found| found.document.statements())
    }

    /// The values that conditions of a principal's layers compare a key with, where they speak of an
    /// action.
    pub(super) fn values_of(&self, at: usize, action: &str, key: &str) -> Vec<String> {
        let Some(node) = self.nodes.get(at) else { return Vec::new() };
        let folded = action.to_ascii_lowercase();
        let mut found = Vec::new();
        for statement in self.statements(node) {
            if !speaks_of(statement, &folded) {
                continue;
            }
            for condition in statement.conditions().filter(|c| c.key.eq_ignore_ascii_case(key)) {
                let values = condition.values.iter().map(|value| resolved(value, &node.caller));
                found.extend(values);
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// The keys of requests on a user or role.
fn keys<'t>(tags: impl Iterator<Item = (&'t str, &'t str)>, boundary: Option<&Arn>) -> Keys {
    let mut keys = Keys::new();
    for (key, value) in tags {
        for prefix in ["aws:ResourceTag", "iam:ResourceTag"] {
            keys.push((format!("{prefix}/{key}"), vec![value.to_owned()]));
        }
    }
    if let Some(boundary) = boundary {
        keys.push(("iam:PermissionsBoundary".to_owned(), vec![boundary.to_string()]));
    }
    keys
}

/// Whether a class of rows is judged by roles that services take.
pub(super) fn rows_of(class: Class) -> impl Iterator<Item = (usize, &'static super::table::Row)> {
    ROWS.iter().enumerate().filter(move |(_, row)| row.class == class)
}
