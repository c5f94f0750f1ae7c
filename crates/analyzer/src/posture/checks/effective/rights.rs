//! What each principal may do on everything, with all layers: a set first, and then the engine asked
//! about members of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bailiwick_identifiers::UniqueId;
use bailiwick_model::{Found as FoundPolicy, parallel};
use bailiwick_policy::{Context, SourceKind, Statement};

use super::super::policies::reach::{denied, grants};
use super::super::policies::set::ActionSet;
use super::super::policies::table::{Class, Table, circumstances};
use crate::posture::audit::Audit;
use crate::posture::facts::{Access, excerpt, own_caller, satisfy, with_mfa};
use crate::posture::finding::Place;

/// How many members of a set are asked of the engine.
const ASKED: usize = 24;

/// The classes of rights that are told.
const TOLD: [Class; 4] =
    [Class::ReadsData, Class::Permissions, Class::GivesCredentials, Class::Modifies];

/// The rights on everything of all principals, worked out once.
#[derive(Debug)]
pub(in crate::posture) struct Held(HashMap<UniqueId, [Option<Right>; TOLD.len()]>);

impl Held {
    /// Those of principals whose policies can be read, but for AWS's own roles.
    pub(in crate::posture) fn new(audit: &Audit<'_>) -> Self {
        let principals = audit.principals();
        let rights = Rights::new(audit);
        let all = parallel::each(principals, |access| {
            let told = !access.holder.linked && access.subject.effective.unreadable.is_none();
            told.then(|| (access.holder.id, rights.of(access, TOLD)))
        });
        Self(all.into_iter().flatten().collect())
    }

    /// What a principal has on everything of a class.
    pub(super) fn of(&self, access: &Access, class: Class) -> Option<&Right> {
        let place = TOLD.iter().position(|told| *told == class)?;
        self.0.get(&access.holder.id)?.get(place)?.as_ref()
    }
}

/// What each principal may do on everything.
struct Rights<'a, 'e> {
    audit: &'a Audit<'e>,
    table: &'a Table,
    shared: Mutex<HashMap<usize, Arc<Given>>>,
    levels: Vec<(ActionSet, ActionSet)>,
}

/// What a document gives and takes on everything.
struct Given {
    /// By statement: its number, what it gives, and whether a condition limits it.
    by: Vec<(usize, ActionSet, bool)>,
    gives: ActionSet,
    takes: ActionSet,
}

/// A right on everything.
#[derive(Debug)]
pub(super) struct Right {
    /// How many actions of the class.
    pub(super) count: usize,
    /// Some of them.
    pub(super) names: String,
    /// The context keys on which it hangs.
    pub(super) keys: Vec<String>,
    /// The statement that gives it.
    pub(super) place: Option<Place>,
}

impl<'a, 'e> Rights<'a, 'e> {
    fn new(audit: &'a Audit<'e>) -> Self {
        let table = &audit.reach().table;
        let mut rights = Self { audit, table, shared: Mutex::default(), levels: Vec::new() };
        let organization = audit.evidence.estate.organization.as_ref();
        if let Some(organization) = organization.filter(|one| !one.management) {
            let levels = organization.scps.iter().map(|level| rights.union(level)).collect();
            rights.levels = levels;
        }
        rights
    }

    /// What a document gives. Those that many may hold are remembered.
    fn given(&self, policy: &FoundPolicy) -> Arc<Given> {
        let inline = [SourceKind::UserInline, SourceKind::RoleInline].contains(&policy.source.kind);
        let key = Arc::as_ptr(&policy.document).addr();
        let shared = || self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if !inline && let Some(found) = shared().get(&key) {
            return Arc::clone(found);
        }
        let mut gives = self.table.nothing();
        let mut by = Vec::new();
        for grant in grants(self.table, &policy.document) {
            if !grant.limits.narrows {
                gives.add(&grant.on_all);
            }
            by.push((grant.number, grant.on_all, grant.limits.any));
        }
        let takes = denied(self.table, &policy.document);
        let found = Arc::new(Given { by, gives, takes });
        if !inline {
            shared().insert(key, Arc::clone(&found));
        }
        found
    }

    /// What policies give on everything, and what they deny whatever the request.
    fn union(&self, policies: &[FoundPolicy]) -> (ActionSet, ActionSet) {
        let (mut gives, mut takes) = (self.table.nothing(), self.table.nothing());
        for policy in policies {
            let found = self.given(policy);
            gives.add(&found.gives);
            takes.add(&found.takes);
        }
        (gives, takes)
    }

    /// What a principal has on everything of some classes; nothing where it has none.
    fn of<const N: usize>(&self, access: &Access, classes: [Class; N]) -> [Option<Right>; N] {
        let effective = &access.subject.effective;
        let (mut set, taken) = self.union(&effective.identity);
        set.remove(&taken);
        if let Some(boundary) = &effective.boundary {
            let (within, taken) = self.union(std::slice::from_ref(boundary));
            set.keep(&within);
            set.remove(&taken);
        }
        if !access.subject.linked {
            for (within, taken) in &self.levels {
                set.keep(within);
                set.remove(taken);
            }
        }
        classes.map(|class| {
            let held = set.with(self.table.class(class));
            if held.is_empty() { None } else { self.confirmed(access, &held) }
        })
    }

    /// The right, if the engine confirms one of its actions.
    fn confirmed(&self, access: &Access, held: &ActionSet) -> Option<Right> {
        let step = held.len().div_ceil(ASKED).max(1);
        // A few from all over first: of most rights they tell at once. All, before it is said that
        // there is none.
        held.iter().step_by(step).chain(held.iter()).find_map(|action| {
            let (keys, place) = self.allowed(access, action)?;
            let mut names: Vec<&str> = vec![self.table.name(action)];
            let others = held.iter().filter(|other| *other != action);
            names.extend(others.take(4).map(|other| self.table.name(other)));
            if held.len() > names.len() {
                names.push("...");
            }
            Some(Right { count: held.len(), names: names.join(", "), keys, place })
        })
    }

    /// Whether the engine allows an action on whatever resource, on which keys it hangs, and by
    /// which statement.
    fn allowed(&self, access: &Access, action: usize) -> Option<(Vec<String>, Option<Place>)> {
        let estate = &self.audit.evidence.estate;
        let (name, resource) = (self.table.name(action), self.table.resource(action));
        let asks = |context: &Context| {
            estate.decide(&access.subject, name, &resource, context).is_allowed()
        };
        let mut plain = access.subject.context();
        circumstances(&mut plain, self.audit);
        let mut contexts = vec![(Vec::new(), plain.clone())];
        let mut mfa = plain.clone();
        with_mfa(&mut mfa);
        contexts.push((vec!["aws:MultiFactorAuthPresent".to_owned()], mfa));
        let found = contexts.into_iter().find(|(_, context)| asks(context));
        let giving = self.giving(access, action);
        if let Some((keys, _)) = found {
            let by = giving.iter().find(|one| !one.limited).or_else(|| giving.first());
            return Some((keys, by.map(Giving::place)));
        }
        giving.iter().filter(|one| one.limited).find_map(|one| {
            let (context, keys) = self.fitting(access, one.statement()?);
            asks(&context).then(|| (keys, Some(one.place())))
        })
    }

    /// The statements that give an action on everything.
    fn giving<'p>(&self, access: &'p Access, action: usize) -> Vec<Giving<'p>> {
        let mut found = Vec::new();
        for policy in &access.subject.effective.identity {
            let given = self.given(policy);
            let by = given.by.iter().filter(|(_, gives, _)| gives.has(action));
            found.extend(by.map(|(number, _, limited)| Giving {
                policy,
                number: *number,
                limited: *limited,
            }));
        }
        found
    }

    /// A context in which the conditions of a statement hold, as far as they are not about who
    /// calls: nobody is somebody else.
    fn fitting(&self, access: &Access, statement: &Statement) -> (Context, Vec<String>) {
        let mut context = Context::new();
        circumstances(&mut context, self.audit);
        let keys = satisfy(&mut context, statement, &self.audit.now.to_string());
        own_caller(&mut context, &access.subject);
        (context, keys)
    }
}

/// A statement that gives an action on everything.
struct Giving<'p> {
    policy: &'p FoundPolicy,
    number: usize,
    /// Whether a condition limits it.
    limited: bool,
}

impl Giving<'_> {
    fn statement(&self) -> Option<&Statement> {
        self.policy.document.statements().get(self.number)
    }

    fn place(&self) -> Place {
        let statement = self.statement();
        let text = statement.map(|one| excerpt(&self.policy.document, one));
        Place {
            policy: self.policy.source.id.to_string(),
            version: None,
            statement: Some(self.number),
            sid: statement.and_then(Statement::sid).map(ToOwned::to_owned),
            text: text.unwrap_or_default(),
        }
    }
}
