//! What a principal can do: for each action on which resources, set by set.

use std::collections::{BTreeMap, HashMap};

use bailiwick_catalog::{AccessLevel, Catalog};
use bailiwick_policy::{Context, Effect, Policies, Token};
use serde::Serialize;

use crate::estate::Subject;

use super::answer::{Certainty, Requirement, Unless, Way, Witness};
use super::glob::{Glob, meet};
use super::judge::Judged;
use super::question::{QuestionError, actions, known, resources_of};
use super::who::Reach;

/// How many levels of access an action may have; see the catalog.
type Levels = Vec<&'static str>;

/// What a principal can do with one action.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Permission {
    /// The action.
    pub action: String,
    /// Its access levels.
    pub levels: Levels,
    /// On what, and how.
    pub scopes: Vec<Scope>,
}

/// A set of resources on which an action is allowed in the same way.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Scope {
    /// A pattern of resources; `*` where the action names none, or all that it may name.
    pub resources: String,
    /// What of these is refused, as patterns.
    pub except: Vec<String>,
    /// Beyond which it is refused, where a boundary or an organization allows less, as patterns.
    pub within: Vec<String>,
    /// Whether it hangs on the request.
    pub certainty: Certainty,
    /// The ways by which it is allowed.
    pub ways: Vec<Way>,
    /// What denies it in some requests.
    pub unless: Vec<Unless>,
    /// A request that the decision engine allows.
    pub witness: Option<Witness>,
}

/// Actions that are allowed in the same way.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Grants {
    /// The service.
    pub service: String,
    /// Its actions, as few patterns of names as say the same of the catalog's.
    pub actions: Vec<String>,
    /// The resources.
    pub resources: Vec<String>,
    /// What of these is refused.
    pub except: Vec<String>,
    /// Beyond which it is refused.
    pub within: Vec<String>,
    /// Whether it hangs on the request.
    pub certainty: Certainty,
    /// What the request must be like.
    pub when: Vec<Requirement>,
    /// What denies it in some requests.
    pub unless: Vec<Unless>,
    /// The statements.
    pub by: Vec<String>,
}

impl Reach<'_> {
    /// What a principal of the account can do with the actions of a pattern; nothing if there is
    /// no such principal. Actions with which it can do nothing are left out.
    ///
    /// # Errors
    /// The pattern is none, or means no known action.
    pub fn can(
        &self,
        principal: &str,
        pattern: &str,
    ) -> Result<Option<Vec<Permission>>, QuestionError> {
        let asked = actions(pattern)?;
        let Some(at) = self.place(principal) else { return Ok(None) };
        let Some((_, subject, context)) = self.subjects.get(at) else { return Ok(None) };
        let mut out = Vec::new();
        for action in asked {
            let scopes = self.scopes(subject, context, &action);
            if !scopes.is_empty() {
                let levels = known(&action).map(|found| found.levels);
                let levels = levels.map(|levels| levels.iter().map(AccessLevel::name).collect());
                out.push(Permission { action, levels: levels.unwrap_or_default(), scopes });
            }
        }
        Ok(Some(out))
    }

    /// The sets of resources on which a subject may use an action.
    fn scopes(&self, subject: &Subject, context: &Context, action: &str) -> Vec<Scope> {
        let granted = self.granted(subject, context, action);
        if granted.is_empty() {
            return Vec::new();
        }
        let mut universes = resources_of(action, &self.estate.account);
        if universes.is_empty() {
            universes.push(Glob::literally("*"));
        }
        let limits = self.limits(subject, context, action);
        let mut judged: Vec<(String, Judged)> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for universe in &universes {
            for resource in self.resources(subject, context, action, universe).0 {
                if !places.contains_key(&resource) {
                    places.insert(resource.clone(), judged.len());
                    let found = self.judge(subject, context, action, &resource);
                    judged.push((resource, found));
                }
            }
        }
        let mut out: Vec<Scope> = Vec::new();
        for (glob, shown) in &granted {
            let one = glob.literal().map(|text| places.get(&text).and_then(|at| judged.get(*at)));
            let of_glob: Vec<&(String, Judged)> = match one {
                Some(one) => one.into_iter().collect(),
                None => judged.iter().filter(|(resource, _)| glob.matches(resource)).collect(),
            };
            let mut refused = false;
            // The best of each set of ways.
            let mut best: Option<Scope> = None;
            for (_, judged) in of_glob {
                let found = match judged {
                    Judged::No => {
                        refused = true;
                        continue;
                    }
                    Judged::Undecided => Scope::new(shown, Certainty::Undecided),
                    Judged::Yes(yes) => Scope {
                        ways: yes.ways.clone(),
                        unless: yes.unless.clone(),
                        witness: Some(yes.witness.clone()),
                        ..Scope::new(shown, yes.certainty)
                    },
                };
                if best.as_ref().is_none_or(|held| found.certainty < held.certainty) {
                    best = Some(found);
                }
            }
            let Some(mut scope) = best else { continue };
            if refused {
                scope.except = patterns(limits.denied.iter().filter(|denied| meet(denied, glob)));
                for layer in &limits.layers {
                    if !layer.iter().any(|held| covers(held, glob)) {
                        let near = layer.iter().filter(|held| meet(held, glob));
                        scope.within.extend(patterns(near));
                    }
                }
            }
            if !out.iter().any(|held| held.is_wider(&scope)) {
                out.push(scope);
            }
        }
        out
    }

    /// The patterns of resources of whatever may grant an action, and how they are told.
    fn granted(&self, subject: &Subject, context: &Context, action: &str) -> Vec<(Glob, String)> {
        let applicable = self.estate.applicable(subject, action, "*");
        let shown = globs(&applicable.identity, Effect::Allow, action, context, false);
        let shown: Vec<String> = shown.iter().map(Glob::text).collect();
        let mut out = globs(&applicable.identity, Effect::Allow, action, context, true);
        let root = subject.principal.describe().ends_with(":root");
        if root {
            out.push(Glob::written("*"));
        }
        if !out.iter().any(Glob::is_any) {
            for (arn, policy) in self.estate.resource_policies.iter().flatten() {
                let Ok(found) = &policy.policy else { continue };
                let names = found.document.statements().iter().any(|statement| {
                    statement.effect() == Effect::Allow
                        && statement.means_caller(&subject.principal)
                });
                if names {
                    out.push(Glob::literally(arn));
                }
            }
            if super::who::is_role_assumption(action) {
                let roles = self.estate.account.roles();
                let arns = roles.map(|role| self.estate.account.role_arn(role).to_string());
                out.extend(arns.map(|arn| Glob::literally(&arn)));
            }
        }
        let mut out: Vec<(Glob, String)> = out
            .into_iter()
            .enumerate()
            .map(|(at, glob)| {
                let told = shown.get(at).cloned().unwrap_or_else(|| glob.text());
                (glob, told)
            })
            .collect();
        out.sort_by_key(|(glob, _)| !glob.is_any());
        out.dedup();
        out
    }

    fn limits(&self, subject: &Subject, context: &Context, action: &str) -> Limits {
        let applicable = self.estate.applicable(subject, action, "*");
        let boundary: Policies<'_> = applicable.boundary.into_iter().collect();
        let levels: Vec<Policies<'_>> = applicable.scps.iter().collect();
        let mut out = Limits::default();
        for layer in std::iter::once(&applicable.identity).chain([&boundary]).chain(&levels) {
            out.denied.extend(globs(layer, Effect::Deny, action, context, true));
        }
        for layer in std::iter::once(&boundary).chain(&levels).filter(|layer| !layer.is_empty()) {
            out.layers.push(globs(layer, Effect::Allow, action, context, true));
        }
        for level in applicable.rcps.iter() {
            out.denied.extend(globs(&level, Effect::Deny, action, context, true));
        }
        out
    }
}

/// What takes away from what is granted.
#[derive(Default)]
struct Limits {
    denied: Vec<Glob>,
    /// What each further layer allows.
    layers: Vec<Vec<Glob>>,
}

impl Scope {
    fn new(resources: &str, certainty: Certainty) -> Self {
        Self {
            resources: resources.to_owned(),
            except: Vec::new(),
            within: Vec::new(),
            certainty,
            ways: Vec::new(),
            unless: Vec::new(),
            witness: None,
        }
    }

    /// Whether it says all that another one does.
    fn is_wider(&self, other: &Self) -> bool {
        self.except.is_empty()
            && self.within.is_empty()
            && self.certainty <= other.certainty
            && covers(&Glob::arn(&self.resources), &Glob::arn(&other.resources))
    }
}

/// Whether one pattern certainly matches all that the other does.
fn covers(wide: &Glob, narrow: &Glob) -> bool {
    wide.is_any()
        || wide == narrow
        || ["", "x", "example"].iter().all(|filling| wide.matches(&narrow.filled(filling)))
            && wide.matches(&narrow.filled("a:b/c"))
}

fn patterns<'g>(globs: impl Iterator<Item = &'g Glob>) -> Vec<String> {
    let mut out: Vec<String> = globs.map(Glob::text).collect();
    out.sort();
    out.dedup();
    out
}

/// The patterns of resources of the statements of an effect that mean an action; of NotResource
/// everything. A key of the request that stands as a variable is anything where they are `wide`,
/// and itself where they are shown.
fn globs(
    policies: &Policies<'_>,
    effect: Effect,
    action: &str,
    context: &Context,
    wide: bool,
) -> Vec<Glob> {
    let folded = [action.to_ascii_lowercase()];
    let prefix = action.split_once(':').map_or("", |(prefix, _)| prefix).to_ascii_lowercase();
    let mut out = Vec::new();
    for policy in policies.iter() {
        for statement in policy.document.statements() {
            if statement.effect() != effect || statement.meant_of(&prefix, &folded).next().is_none()
            {
                continue;
            }
            if statement.is_not_resource() || !statement.has_resources() {
                out.push(Glob::written("*"));
                continue;
            }
            for tokens in statement.resource_tokens().into_iter().flatten() {
                let open = |token: Token| match token {
                    Token::Variable { key, .. } if wide && !context.contains(&key) => Token::Star,
                    token => token,
                };
                let tokens: Vec<Token> = tokens.into_iter().map(open).collect();
                let mut sample = |key: &str| Some(format!("${{{key}}}"));
                out.extend(Glob::new(&tokens, false, context, &mut sample));
            }
        }
    }
    out
}

/// The permissions, those that are alike together, for people.
pub(super) fn collapse(permissions: &[Permission]) -> Vec<Grants> {
    // By service, and by all that is said of the actions.
    let mut groups: BTreeMap<(String, String), (Grants, Vec<String>)> = BTreeMap::new();
    for permission in permissions {
        let Some((service, name)) = permission.action.split_once(':') else { continue };
        for scope in &permission.scopes {
            let first = scope.ways.first();
            let by = first.map(|way| way.by.iter().map(ToString::to_string).collect());
            let grants = Grants {
                service: service.to_owned(),
                actions: Vec::new(),
                resources: vec![scope.resources.clone()],
                except: scope.except.clone(),
                within: scope.within.clone(),
                certainty: scope.certainty,
                when: first.map(|way| way.when.clone()).unwrap_or_default(),
                unless: scope.unless.clone(),
                by: by.unwrap_or_default(),
            };
            let key = format!(
                "{:?}",
                (
                    &grants.resources,
                    &grants.except,
                    &grants.within,
                    &grants.certainty,
                    &grants.by,
                    &grants.when,
                    &grants.unless
                )
            );
            let entry = groups.entry((service.to_owned(), key));
            entry.or_insert_with(|| (grants, Vec::new())).1.push(name.to_owned());
        }
    }
    // What differs in its resources alone stands together.
    let mut out: Vec<Grants> = Vec::new();
    for ((service, _), (mut grants, names)) in groups {
        grants.actions = shortened(&service, &names);
        let same = out.iter_mut().find(|held| {
            held.service == grants.service
                && held.actions == grants.actions
                && held.except == grants.except
                && held.within == grants.within
                && held.certainty == grants.certainty
                && held.when == grants.when
                && held.unless == grants.unless
                && held.by == grants.by
        });
        match same {
            Some(held) => held.resources.append(&mut grants.resources),
            None => out.push(grants),
        }
    }
    out
}

impl Grants {
    /// The permissions, those that are alike together, for people.
    pub fn of(permissions: &[Permission]) -> Vec<Self> {
        collapse(permissions)
    }
}

/// As few patterns as mean these actions of a service and none of its others.
fn shortened(service: &str, names: &[String]) -> Vec<String> {
    let Some(found) = Catalog::embedded().service(service) else { return names.to_vec() };
    let all: Vec<&str> = found.actions().map(|action| &*action.name).collect();
    if names.len() == all.len() {
        return vec!["*".to_owned()];
    }
    let mut out: Vec<String> = Vec::new();
    for name in names {
        let verb = verb(name);
        let pattern = format!("{verb}*");
        if out.contains(&pattern) {
            continue;
        }
        let others = all.iter().filter(|other| other.starts_with(verb));
        let held = names.iter().filter(|other| other.starts_with(verb)).count();
        if held > 1 && others.count() == held {
            out.push(pattern);
        } else {
            out.push(name.clone());
        }
    }
    out
}

/// The first word of a name such as `GetObject`.
fn verb(name: &str) -> &str {
    let end = name.char_indices().skip(1).find(|(_, c)| c.is_ascii_uppercase());
    end.and_then(|(at, _)| name.get(..at)).unwrap_or(name)
}
