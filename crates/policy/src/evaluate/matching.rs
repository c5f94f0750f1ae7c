//! Whether a statement matches a request (ST-1), and how strongly it means the caller (section 3
//! of the rules).

use std::cell::OnceCell;

use crate::condition::Holds;
use crate::document::{Effect, Entry, PrincipalElement, PrincipalType, Probe, Statement};
use crate::pattern::{ActionPattern, Pattern};
use crate::view::Token;
use crate::{Principal, Request};

/// How exactly a statement names the caller.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum Grade {
    /// Not at all.
    #[default]
    None,
    /// By its account (PR-3).
    Account,
    /// By its role, or by the user who made the session (PR-2).
    Parent,
    /// Exactly, or everyone (PR-1). Also what statements without principals answer.
    Direct,
}

/// The first element of a statement that does not match.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Failing {
    Action,
    Resource,
    Principal,
    /// The condition at this place.
    Condition(usize),
}

/// What a statement answers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Match {
    Yes(Grade),
    No(Failing),
    /// All that can be understood matches, but a condition's operator is unknown (OP-X1).
    Unclear,
}

/// A request as statements are asked it.
#[derive(Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub(crate) request: &'a Request<'a>,
    /// The action in lower case.
    pub(crate) action: &'a str,
    /// The action and resource as indexes look them up, made when the first one does.
    pub(crate) probe: &'a OnceCell<Probe>,
    /// Whether the caller has a permissions boundary (NP-3).
    pub(crate) bounded: bool,
    /// Whether the policy is that of a gateway endpoint (EP-3).
    pub(crate) gateway: bool,
}

impl<'a> Ask<'a> {
    /// The action and resource, to be looked up in an index.
    pub(crate) fn probe(&self) -> &'a Probe {
        self.probe.get_or_init(|| Probe::new(self.action, self.request.resource))
    }

    /// Asks one statement.
    pub(crate) fn check(&self, statement: &Statement) -> Match {
        if !self.action_matches(statement) {
            return Match::No(Failing::Action);
        }
        if !self.resource_matches(statement) {
            return Match::No(Failing::Resource);
        }
        let grade = match &statement.principal {
            Some(element) => self.grade(element, statement.effect),
            None => Grade::Direct,
        };
        if grade == Grade::None {
            return Match::No(Failing::Principal);
        }
        let mut unclear = false;
        for (place, (condition, _)) in statement.conditions.iter().enumerate() {
            match condition.holds(self.request.context, statement.effect) {
                Holds::Yes => {}
                Holds::Unknown if statement.effect == Effect::Deny => unclear = true,
                Holds::No | Holds::Unknown => return Match::No(Failing::Condition(place)),
            }
        }
        if unclear { Match::Unclear } else { Match::Yes(grade) }
    }

    fn action_matches(&self, statement: &Statement) -> bool {
        let element = &statement.actions;
        let irregular = counts_irregular(statement.effect, element.negated);
        let listed = element.entries.iter().any(|entry| entry.matches(self.action, irregular));
        listed != element.negated // ACT-4
    }

    fn resource_matches(&self, statement: &Statement) -> bool {
        let Some(element) = &statement.resources else { return true }; // RES-9
        let irregular = counts_irregular(statement.effect, element.negated);
        let Request { resource, context, .. } = *self.request;
        let mut entries = element.entries.iter();
        let listed = entries.any(|entry| entry.matches(resource, context, irregular));
        listed != element.negated // RES-8
    }

    /// How strongly Principal or NotPrincipal means the caller.
    pub(crate) fn grade(&self, element: &PrincipalElement, effect: Effect) -> Grade {
        let caller = self.request.principal;
        let strongest = |effect| {
            let grades = element.entries.iter().map(|e| self.entry_grade(&e.entry, effect));
            grades.max().unwrap_or_default()
        };
        if !element.negated {
            return strongest(effect);
        }
        if effect == Effect::Allow {
            return Grade::None; // NP-1
        }
        // NP-2, the strict reading: only an exact entry excepts, and with a boundary none (NP-3).
        let excepted = match strongest(Effect::Allow) {
            Grade::Direct => true,
            Grade::Account => matches!(caller, Principal::Root { .. }),
            Grade::Parent | Grade::None => false,
        };
        if excepted && !self.bounded { Grade::None } else { Grade::Direct }
    }

    /// How strongly one entry means the caller.
    pub(crate) fn entry_grade(&self, entry: &Entry, effect: Effect) -> Grade {
        let caller = self.request.principal;
        if self.gateway {
            // EP-3: everyone, or the root of an account.
            let root = matches!(caller, Principal::Root { .. });
            return match entry {
                Entry::Everyone { .. } => grade_of(entry, caller, effect),
                Entry::Account { .. } if root => grade_of(entry, caller, effect),
                _ => Grade::None,
            };
        }
        grade_of(entry, caller, effect)
    }
}

impl Statement {
    /// Those of a service's actions that its Action or NotAction means, whatever else the statement
    /// says. The actions are in lower case and begin with the service's prefix.
    pub fn meant_of<'a>(
        &'a self,
        prefix: &'a str,
        actions: &'a [String],
    ) -> impl Iterator<Item = &'a str> {
        let irregular = counts_irregular(self.effect, self.actions.negated);
        let may_mean = |entry: &&ActionPattern| {
            let service = entry.service().and_then(|service| service.strip_suffix(':'));
            service.is_none_or(|service| service == prefix)
        };
        let entries: Vec<_> = self.actions.entries.iter().filter(may_mean).collect();
        let negated = self.actions.negated;
        actions.iter().map(String::as_str).filter(move |action| {
            entries.iter().any(|entry| entry.matches(action, irregular)) != negated // ACT-4
        })
    }
}

impl Statement {
    /// Whether its Principal or NotPrincipal means the caller, by any grade; `true` where it has
    /// none. The caller has no permissions boundary (NP-3).
    pub fn means_caller(&self, principal: &Principal) -> bool {
        let request = Request {
            principal,
            action: "",
            resource: "",
            resource_account: None,
            context: &crate::context::EMPTY,
            delegated: false,
        };
        let probe = OnceCell::new();
        let ask =
            Ask { request: &request, action: "", probe: &probe, bounded: false, gateway: false };
        let element = self.principal.as_ref();
        element.is_none_or(|element| ask.grade(element, self.effect) > Grade::None)
    }

    /// How it means a request, its conditions aside: [`Grade::None`] where its action, resource or
    /// principal does not match. `bounded`: the caller has a permissions boundary (NP-3).
    ///
    /// `action` is that of the request in lower case.
    pub fn meets(&self, request: &Request<'_>, action: &str, bounded: bool) -> Grade {
        let probe = OnceCell::new();
        let ask = Ask { request, action, probe: &probe, bounded, gateway: false };
        if !ask.action_matches(self) || !ask.resource_matches(self) {
            return Grade::None;
        }
        let element = self.principal.as_ref();
        element.map_or(Grade::Direct, |element| ask.grade(element, self.effect))
    }

    /// The patterns of Action or NotAction that count, in lower case.
    pub fn action_tokens(&self) -> Vec<Vec<Token>> {
        let irregular = counts_irregular(self.effect, self.actions.negated);
        self.actions.entries.iter().filter_map(|entry| entry.tokens(irregular)).collect()
    }

    /// The patterns of Resource or NotResource that count; nothing where it has neither.
    pub fn resource_tokens(&self) -> Option<Vec<Vec<Token>>> {
        let element = self.resources.as_ref()?;
        let irregular = counts_irregular(self.effect, element.negated);
        Some(element.entries.iter().flat_map(|entry| entry.tokens(irregular)).collect())
    }
}

/// Whether an entry that is invalid, but stored, counts as a glob: where it makes the statement
/// grant less, that is in a Deny, and as an exception in an Allow (ACT-3, RES-3).
fn counts_irregular(effect: Effect, negated: bool) -> bool {
    (effect == Effect::Deny) != negated
}

fn grade_of(entry: &Entry, caller: &Principal, effect: Effect) -> Grade {
    use Principal as P;
    let deny = effect == Effect::Deny;
    let direct = |yes: bool| if yes { Grade::Direct } else { Grade::None };
    let parent = |yes: bool| if yes { Grade::Parent } else { Grade::None };
    match entry {
        // PR-8: what has no account is covered by the bare `*`, not by `*` under AWS.
        Entry::Everyone { bare } => match caller {
            P::Service { .. } | P::Federated { .. } => direct(*bare || deny),
            _ => Grade::Direct,
        },
        Entry::Account { partition, id } => {
            let here = partition.as_deref().is_none_or(|p| caller.partition() == Some(p));
            if here && caller.account() == Some(*id) { Grade::Account } else { Grade::None }
        }
        Entry::User(wanted) => match caller {
            P::User { arn, .. } => direct(**arn == **wanted),
            P::FederatedUser { user_arn, .. } => parent(**user_arn == **wanted),
            _ => Grade::None,
        },
        Entry::Role(wanted) => match caller {
            P::Session { role_arn, .. } => parent(**role_arn == **wanted),
            P::Role { arn, .. } => parent(**arn == **wanted), // PR-5
            _ => Grade::None,
        },
        Entry::Session { arn: wanted, .. } => match caller {
            P::Session { session_arn, .. } => direct(**session_arn == **wanted),
            _ => Grade::None,
        },
        Entry::FederatedUser(wanted) => match caller {
            P::FederatedUser { arn, .. } => direct(**arn == **wanted),
            _ => Grade::None,
        },
        Entry::Id(wanted) => match caller {
            P::User { id, .. } => direct(id == wanted),
            P::FederatedUser { user_id, .. } => parent(user_id.as_ref() == Some(wanted)),
            P::Session { role_id, .. } => parent(role_id == wanted),
            P::Role { id, .. } => parent(id == wanted),
            _ => Grade::None,
        },
        Entry::BoundSession { role, session } => match caller {
            P::Session { role_id, session_name, .. } => {
                direct(role_id == role && **session_name == **session)
            }
            _ => Grade::None,
        },
        Entry::Service(wanted) => match caller {
            P::Service { names } => direct(names.iter().any(|name| **name == **wanted)), // PR-16
            _ => Grade::None,
        },
        Entry::Federated(wanted) => match caller {
            P::Federated { provider } => direct(**provider == **wanted), // PR-10
            _ => Grade::None,
        },
        Entry::Wild { kind, pattern } => direct(deny && is_covered(caller, *kind, pattern)), // PR-7
        Entry::Nobody => Grade::None,
    }
}

/// Whether the pattern of a principal of this type covers a name of the caller.
fn is_covered(caller: &Principal, kind: PrincipalType, pattern: &Pattern) -> bool {
    use Principal as P;
    let covers = |name: &str| pattern.matches(name, &crate::context::EMPTY);
    match (kind, caller) {
        (PrincipalType::Service, P::Service { names }) => names.iter().any(|name| covers(name)),
        (PrincipalType::Federated, P::Federated { provider }) => covers(provider),
        (PrincipalType::Aws, P::Session { role_arn, session_arn, .. }) => {
            covers(session_arn) || covers(role_arn)
        }
        (PrincipalType::Aws, caller) => caller.has_identity() && covers(&caller.describe()),
        _ => false,
    }
}
