//! The engine asked from outside the search: one principal, one request, allowed or not, and why.
//!
//! The search looks for what works; whoever plays a step wants to know what stops it. Changes are laid
//! over a copy of what applies to a principal: the account itself stays as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bailiwick_catalog::Catalog;
use bailiwick_identifiers::UniqueId;
use bailiwick_model::Found;
use bailiwick_policy::{
    Context, Document, DocumentKind, Explanation, Request, Source, SourceKind, explain,
    is_delegated,
};
use jiff::Timestamp;

use super::change::{Change, Standpoint};
use super::common::{covers, fitting};
use super::judge::{Ask, Dependence, Judge, Keys, Question, as_service, put, to_service};
use super::naming::{filled, targets};
use super::standing::Standing;
use super::world::World;
use crate::estate::{Estate, Subject};

/// Names that are proposed for one resource.
const MOST_NAMES: usize = 12;

/// The account, made ready to be asked.
pub(crate) struct Probe<'e> {
    world: World<'e>,
}

/// What a step writes on its resource: a policy in the resource's place from then on.
pub(crate) enum Written<'t> {
    /// Nothing: the resource has the policy that it has.
    Nothing,
    /// A trust policy.
    Trust(&'t str),
    /// Another resource policy.
    Resource(&'t str),
}

/// The answer to a request.
pub(crate) struct Answer {
    /// The request as it was asked; where it is allowed, as it is allowed.
    pub(crate) ask: Ask,
    /// On what it depends that it is allowed. None where it is refused.
    pub(crate) on: Option<BTreeSet<Dependence>>,
    /// Why.
    pub(crate) why: Explanation,
}

/// How far a principal is from administrator.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Rank {
    None,
    Conditional(BTreeSet<Dependence>),
    Administrator,
}

impl<'e> Probe<'e> {
    pub(crate) fn new(estate: &'e Estate, now: Option<Timestamp>) -> Self {
        Self { world: World::new(Judge::new(estate, now)) }
    }

    pub(crate) fn estate(&self) -> &'e Estate {
        self.world.judge.estate
    }

    /// The users and roles, by number from 0.
    pub(crate) fn len(&self) -> usize {
        self.world.entities.len()
    }

    pub(crate) fn arn(&self, at: usize) -> &str {
        let entity = self.world.nodes.get(at).and_then(|n| self.world.entities.get(n.entity));
        entity.map_or("", |entity| entity.arn.as_str())
    }

    pub(crate) fn find(&self, arn: &str) -> Option<usize> {
        self.world.by_arn.get(arn).copied()
    }

    pub(crate) fn is_user(&self, at: usize) -> bool {
        self.world.entities.get(at).is_some_and(|entity| entity.user)
    }

    /// Whether nobody but a service acts as it.
    pub(crate) fn is_linked(&self, at: usize) -> bool {
        self.world.entities.get(at).is_some_and(|entity| entity.linked)
    }

    /// Whether nobody may change it.
    pub(crate) fn is_protected(&self, at: usize) -> bool {
        self.world.entities.get(at).is_some_and(|entity| entity.protected)
    }

    pub(crate) fn is_bounded(&self, at: usize) -> bool {
        self.world.entities.get(at).is_some_and(|entity| entity.bounded)
    }

    pub(crate) fn id(&self, at: usize) -> Option<UniqueId> {
        self.world.entities.get(at).map(|entity| entity.id)
    }

    pub(crate) fn subject(&self, at: usize) -> Option<&Subject> {
        self.world.nodes.get(at).map(|node| &*node.subject)
    }

    pub(crate) fn rank(&self, at: usize) -> Rank {
        match self.world.nodes.get(at).map(|node| &node.standing) {
            Some(Standing::Yes) => Rank::Administrator,
            Some(Standing::Conditional(on)) => Rank::Conditional(on.clone()),
            _ => Rank::None,
        }
    }

    /// Keys of requests on a user or role: its tags and its boundary.
    pub(crate) fn keys(&self, at: usize) -> Keys {
        self.world.entities.get(at).map(|entity| entity.keys.clone()).unwrap_or_default()
    }

    /// The groups of a user, as ARNs.
    pub(crate) fn groups_of(&self, at: usize) -> Vec<String> {
        let groups = self.world.entities.get(at).map(|entity| entity.groups.as_slice());
        let groups = groups.unwrap_or_default().iter();
        groups.filter_map(|at| Some(self.world.groups.get(*at)?.arn.clone())).collect()
    }

    /// All groups, those that may do the most first.
    pub(crate) fn groups(&self) -> Vec<String> {
        let mut all: Vec<_> = self.world.groups.iter().collect();
        all.sort_by_key(|group| std::cmp::Reverse(group.abilities.len()));
        all.into_iter().map(|group| group.arn.clone()).collect()
    }

    /// The customer managed policies of a principal: ARN, versions of interest that are not in force,
    /// and whether there is no room for another.
    pub(crate) fn policies_of(&self, at: usize) -> Vec<(String, Vec<u32>, bool)> {
        let held = self.world.entities.get(at).map(|entity| entity.policies.as_slice());
        let held = held.unwrap_or_default().iter().filter_map(|at| self.world.policies.get(*at));
        held.map(|info| (info.arn.clone(), info.versions.clone(), info.full)).collect()
    }

    /// Roles whose trust names the principal, or everybody.
    pub(crate) fn trusting(&self, at: usize) -> Vec<usize> {
        let named = self.world.named.get(&at).map(Vec::as_slice).unwrap_or_default();
        named.iter().chain(&self.world.anyone).copied().collect()
    }

    /// Roles that trust the account.
    pub(crate) fn open(&self) -> &[usize] {
        &self.world.open
    }

    /// The roles that a service may take, those that gain the most first, and on what that depends.
    pub(crate) fn taken_by(&mut self, service: &'static str) -> Vec<(usize, BTreeSet<Dependence>)> {
        let found = self.world.taken_by(service);
        found.iter().map(|(at, permit)| (*at, permit.on.clone())).collect()
    }

    /// The principal with a change, under a number of its own.
    pub(crate) fn changed(&mut self, at: usize, change: &Change) -> Option<usize> {
        self.world.changed(at, change)
    }

    pub(crate) fn standpoint(&self, at: usize) -> Option<Standpoint> {
        self.world.standpoint(at)
    }

    /// The number of a standpoint.
    pub(crate) fn at(&mut self, standpoint: &Standpoint) -> Option<usize> {
        let mut at = self.find(&standpoint.principal)?;
        for change in &standpoint.changes {
            at = self.world.changed(at, change)?;
        }
        Some(at)
    }

    /// The users and roles whose ARN a pattern covers.
    pub(crate) fn covered(&self, pattern: &str) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        self.world.covered(pattern, &mut found);
        found
    }

    /// Gives a principal a policy more. How far it is from administrator is not looked at again.
    pub(crate) fn give(&mut self, at: usize, policy: Found) {
        if let Some(node) = self.world.nodes.get_mut(at) {
            Arc::make_mut(&mut node.subject).effective.identity.push(policy);
        }
    }

    /// The resources of any action: for each that a call names the patterns of which one will do. The
    /// same as [`Self::targets`], for actions that are not of a table.
    pub(crate) fn kinds(&self, action: &str) -> Vec<Vec<String>> {
        let catalog = Catalog::embedded();
        let known = action.split_once(':').and_then(|(prefix, name)| {
            Some((catalog.service(prefix)?, catalog.action(prefix, name)?))
        });
        let Some((service, known)) = known else { return vec![vec!["*".to_owned()]] };
        let pattern = |kind: &str| {
            let found = service.resource_type(kind)?;
            Some(self.filled(&found.arn_pattern))
        };
        let required = known.resource_types.iter().filter(|kind| kind.required);
        let found: Vec<Vec<String>> =
            required.filter_map(|kind| Some(vec![pattern(&kind.name)?])).collect();
        if !found.is_empty() {
            return found;
        }
        let mut either = vec!["*".to_owned()];
        either.extend(known.resource_types.iter().filter_map(|kind| pattern(&kind.name)));
        vec![either]
    }

    fn filled(&self, template: &str) -> String {
        let text = template.replace("${Partition}", self.partition());
        let text = text.replace("${Account}", self.account()).replace("${Region}", "\u{1}");
        let text = filled(&text).replace('\u{1}', "${Region}");
        // What may be of any account is looked for in this one.
        let mut fields: Vec<&str> = text.splitn(6, ':').collect();
        if let Some(owner) = fields.get_mut(4).filter(|owner| matches!(**owner, "*" | "?*")) {
            *owner = self.account();
        }
        fields.join(":")
    }

    pub(crate) fn account(&self) -> &str {
        self.world.judge.account()
    }

    pub(crate) fn partition(&self) -> &str {
        self.world.judge.partition()
    }

    pub(crate) fn home(&self) -> &'static str {
        self.world.judge.home()
    }

    /// What the policies of a principal name for an action, as patterns in groups of which one each has
    /// to fit.
    pub(crate) fn patterns(&self, at: usize, action: &str) -> Vec<Vec<String>> {
        self.world.patterns(at, action)
    }

    /// Names for a resource of this pattern (`?*` for what is free) that the principal's policies mean,
    /// those first that fit the most of them.
    pub(crate) fn names(&self, at: usize, action: &str, pattern: &str) -> Vec<String> {
        let plain = pattern.replace("${Region}", self.home());
        let plain = plain.replace("?*", "any").replace('*', "any");
        let mut found = vec![plain];
        let groups = self.world.patterns(at, action);
        let mut chosen: Vec<Vec<&str>> = vec![Vec::new()];
        for group in &groups {
            let mut next = Vec::new();
            for held in &chosen {
                for pattern in group.iter().take(MOST_NAMES) {
                    if next.len() >= 4 * MOST_NAMES {
                        break;
                    }
                    let mut longer: Vec<&str> = held.clone();
                    if pattern != "*" {
                        longer.push(pattern);
                    }
                    next.push(longer);
                }
            }
            // What fits some groups shows which of the others stops it.
            for held in &next {
                self.propose(held, pattern, &mut found);
            }
            if next.is_empty() {
                break;
            }
            chosen = next;
        }
        found.reverse();
        found.truncate(MOST_NAMES);
        found
    }

    fn propose(&self, chosen: &[&str], pattern: &str, found: &mut Vec<String>) {
        let home = pattern.replace("${Region}", self.home());
        let anywhere = pattern.replace("${Region}", "?*");
        for template in [anywhere, home] {
            let mut all = vec![template.as_str()];
            all.extend(chosen);
            if let Some(name) = fitting(&all, 'x')
                && !found.contains(&name)
            {
                found.push(name);
            }
        }
    }

    /// Whether a principal may do something, and why.
    pub(crate) fn ask(
        &self,
        at: usize,
        (action, resource): (&str, &str),
        keys: &Keys,
        written: &Written<'_>,
    ) -> Option<Answer> {
        let node = self.world.nodes.get(at)?;
        let judge = &self.world.judge;
        // The policy of a key that is not known is taken for the one that keys have at first.
        let open_key = self.open_key(action, resource, written);
        let trust = match written {
            Written::Trust(text) => Some(*text),
            _ => open_key.as_deref(),
        };
        let question = Question { action, resource, keys, trust, strict: false };
        let policy = match written {
            Written::Nothing | Written::Trust(_) => None,
            Written::Resource(text) => Some(Found {
                source: Source::new("policy that was put there", SourceKind::Resource),
                document: Arc::new(Document::parse(text, DocumentKind::Resource).ok()?),
            }),
        };
        // A resource policy that a step has put there is not what the judge looks at.
        let permit = match written {
            Written::Resource(_) => None,
            _ => judge.ask(&node.subject, &node.caller, question),
        };
        let mut ask = if let Some(permit) = &permit {
            Ask::clone(&permit.ask)
        } else {
            let mut context = node.caller.clone();
            judge.surroundings(&mut context, question);
            put(&mut context, keys);
            let held: BTreeMap<&str, Vec<&str>> = node.caller.iter().collect();
            let beside = context.iter().filter(|(key, values)| held.get(key) != Some(values));
            let beside = beside.map(|(key, values)| {
                (key.to_owned(), values.into_iter().map(str::to_owned).collect())
            });
            Ask {
                caller: node.subject.arn().to_owned(),
                action: action.to_owned(),
                resource: resource.to_owned(),
                context: beside.collect(),
                trust: trust.map(str::to_owned),
            }
        };
        let why = self.explain(at, &ask, policy.as_ref())?;
        let mut on = match permit {
            Some(permit) => Some(permit.on),
            None => why.decision.is_allowed().then(BTreeSet::new),
        };
        if open_key.is_some() {
            ask.trust = None;
            if let Some(on) = &mut on {
                let exists = "a key whose policy leaves it to the account".to_owned();
                on.insert(Dependence::Thing { exists });
            }
        }
        Some(Answer { ask, on, why })
    }

    /// What a key says that nobody has changed, where a key's policy is asked for and not known.
    fn open_key(&self, action: &str, resource: &str, written: &Written<'_>) -> Option<String> {
        let kms = action.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("kms:"));
        if !kms || !matches!(written, Written::Nothing) || !is_delegated(action, resource) {
            return None;
        }
        let known = self.estate().resource_policies.as_ref();
        if known.is_some_and(|known| known.contains_key(resource)) {
            return None;
        }
        let root = format!("arn:{}:iam::{}:root", self.partition(), self.account());
        Some(
            serde_json::json!({
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*"}],
            })
            .to_string(),
        )
    }

    /// Why a request is decided as it is; with a policy in the place of the resource's own.
    pub(crate) fn explain(
        &self,
        at: usize,
        ask: &Ask,
        policy: Option<&Found>,
    ) -> Option<Explanation> {
        let node = self.world.nodes.get(at)?;
        let subject = &node.subject;
        let mut context = node.caller.clone();
        put(&mut context, &ask.context.clone().into_iter().collect());
        let trust = ask.trust.as_deref().map(super::judge::written).transpose().ok()?;
        let mut applicable = self.estate().applicable(subject, &ask.action, &ask.resource);
        if let Some(policy) = policy.or(trust.as_ref()) {
            applicable.resource = Some(policy.attached());
            applicable.unreadable = subject.effective.unreadable.as_ref();
        }
        let request = Request {
            principal: &subject.principal,
            action: &ask.action,
            resource: &ask.resource,
            resource_account: self.estate().owner(&ask.resource),
            context: &context,
            delegated: is_delegated(&ask.action, &ask.resource),
        };
        Some(explain(&request, &applicable))
    }

    /// Why a service may take a role, or may not.
    pub(crate) fn service(&self, service: &str, at: usize) -> Option<Answer> {
        let role = self.world.role(at)?;
        let permit = self.world.judge.service(service, role, self.arn(at));
        let ask = permit.as_ref().map_or_else(
            || Ask {
                caller: service.to_owned(),
                action: "sts:AssumeRole".to_owned(),
                resource: self.arn(at).to_owned(),
                context: BTreeMap::new(),
                trust: None,
            },
            |permit| Ask::clone(&permit.ask),
        );
        let why = self.explain_service(&ask)?;
        Some(Answer { ask, on: permit.map(|permit| permit.on), why })
    }

    /// The same of a request that a way holds.
    pub(crate) fn explain_service(&self, ask: &Ask) -> Option<Explanation> {
        let estate = self.estate();
        let role = estate.account.role_with_arn(&ask.resource.parse().ok()?)?;
        let document = role.trust.document().ok()?;
        let applicable = to_service(estate, document);
        let principal = as_service(ask);
        let mut context = Context::new();
        put(&mut context, &ask.context.clone().into_iter().collect());
        let request = Request {
            principal: &principal,
            action: &ask.action,
            resource: &ask.resource,
            resource_account: None,
            context: &context,
            delegated: true,
        };
        Some(explain(&request, &applicable))
    }

    /// The resources of an action: for each that a call names the patterns of which one will do, with
    /// `${Region}` left open; `*` for an action without resource.
    pub(crate) fn targets(&self, action: &'static str) -> Vec<Vec<String>> {
        let mut found: Vec<Vec<String>> = Vec::new();
        for target in targets(action) {
            let mut either: Vec<String> =
                target.either.iter().map(|text| self.filled(text)).collect();
            if either == ["*"] {
                either.extend(optional(action).iter().map(|text| self.filled(text)));
            }
            if !found.contains(&either) {
                found.push(either);
            }
        }
        found
    }
}

/// The patterns of resources that a call may name and need not.
fn optional(action: &str) -> Vec<String> {
    let catalog = Catalog::embedded();
    let Some((prefix, name)) = action.split_once(':') else { return Vec::new() };
    let (Some(service), Some(known)) = (catalog.service(prefix), catalog.action(prefix, name))
    else {
        return Vec::new();
    };
    let kinds = known.resource_types.iter().filter_map(|kind| service.resource_type(&kind.name));
    kinds.map(|kind| kind.arn_pattern.to_string()).collect()
}

/// Whether a pattern of `*` and `?` covers a text.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    covers(pattern, text)
}
