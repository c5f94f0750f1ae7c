//! What each principal may do on everything, with all layers: a set first, and then the engine asked
//! about members of it.

use std::collections::HashMap;

use bailiwick_model::Found as FoundPolicy;
use bailiwick_policy::{Context, Document};

use super::super::policies::reach::{Grant, denied, grants};
use super::super::policies::set::ActionSet;
use super::super::policies::table::{Class, Table, circumstances};
use crate::posture::audit::Audit;
use crate::posture::facts::{Access, excerpt, own_caller, satisfy, with_mfa};
use crate::posture::finding::Place;

/// How many members of a set are asked of the engine.
const ASKED: usize = 24;

/// What documents that many principals share give on everything.
pub(super) struct Rights<'a, 'e> {
    audit: &'a Audit<'e>,
    table: &'a Table,
    shared: HashMap<*const Document, (ActionSet, ActionSet)>,
    levels: Vec<(ActionSet, ActionSet)>,
}

/// A right on everything.
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
    pub(super) fn new(audit: &'a Audit<'e>) -> Self {
        let table = &audit.reach().table;
        let mut rights = Self { audit, table, shared: HashMap::new(), levels: Vec::new() };
        let organization = audit.evidence.estate.organization.as_ref();
        if let Some(organization) = organization.filter(|one| !one.management) {
            let levels = organization.scps.iter().map(|level| rights.union(level)).collect();
            rights.levels = levels;
        }
        rights
    }

    /// What policies give on everything, and what they deny whatever the request.
    fn union(&mut self, policies: &[FoundPolicy]) -> (ActionSet, ActionSet) {
        let (mut given, mut taken) = (self.table.nothing(), self.table.nothing());
        for policy in policies {
            let key = std::sync::Arc::as_ptr(&policy.document);
            let table = self.table;
            let (gives, takes) = self.shared.entry(key).or_insert_with(|| {
                let mut gives = table.nothing();
                for grant in grants(table, &policy.document) {
                    if !grant.limits.narrows {
                        gives.add(&grant.on_all);
                    }
                }
                (gives, denied(table, &policy.document))
            });
            given.add(gives);
            taken.add(takes);
        }
        (given, taken)
    }

    /// What a principal has on everything of some classes; nothing where it has none.
    pub(super) fn of<const N: usize>(
        &mut self,
        access: &Access,
        classes: [Class; N],
    ) -> [Option<Right>; N] {
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
        held.iter().step_by(step).find_map(|action| {
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
        let giving = || {
            access.subject.effective.identity.iter().flat_map(|policy| {
                let grants = grants(self.table, &policy.document).into_iter();
                grants.filter(|grant| grant.on_all.has(action)).map(move |grant| (policy, grant))
            })
        };
        if let Some((keys, _)) = found {
            let by = giving().find(|(_, grant)| !grant.limits.any).or_else(|| giving().next());
            return Some((keys, by.map(|(policy, grant)| place(policy, &grant))));
        }
        giving().filter(|(_, grant)| grant.limits.any).find_map(|(policy, grant)| {
            let (context, keys) = self.fitting(access, &grant);
            asks(&context).then(|| (keys, Some(place(policy, &grant))))
        })
    }

    /// A context in which the conditions of a statement hold, as far as they are not about who
    /// calls: nobody is somebody else.
    fn fitting(&self, access: &Access, grant: &Grant<'_>) -> (Context, Vec<String>) {
        let mut context = Context::new();
        circumstances(&mut context, self.audit);
        let keys = satisfy(&mut context, grant.statement, &self.audit.now.to_string());
        own_caller(&mut context, &access.subject);
        (context, keys)
    }
}

fn place(policy: &FoundPolicy, grant: &Grant<'_>) -> Place {
    Place {
        policy: policy.source.id.to_string(),
        version: None,
        statement: Some(grant.number),
        sid: grant.statement.sid().map(ToOwned::to_owned),
        text: excerpt(&policy.document, grant.statement),
    }
}
