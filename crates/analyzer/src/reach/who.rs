//! Who can do something: each principal of the account, and those whom the policy of a resource
//! lets in from outside.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use bailiwick_identifiers::AccountId;
use bailiwick_model::parallel;
use bailiwick_policy::{Context, Document, Explanation, Principal, Request, explain, is_delegated};
use serde::Serialize;

use crate::estate::{Estate, Subject};

use super::answer::{Access, Certainty, Extent};
use super::glob::{Cells, Glob, cells, meet};
use super::judge::{Case, Judged, Standing, Yes};
use super::outside::Outsider;
use super::question::Question;

/// The most resources that are looked at for one principal and action.
const MAX_RESOURCES: usize = 2_000;

/// What a principal is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The root user of the account.
    Root,
    /// A user of the account.
    User,
    /// A role of the account, in its sessions.
    Role,
    /// A service-linked role, which no SCP and no RCP limits.
    LinkedRole,
    /// One session of a role, which a policy names.
    Session,
    /// A user, role or session of another account.
    Foreign,
    /// Another account: whoever in it its own policies allow to.
    Account,
    /// A service of AWS.
    Service,
    /// An identity provider.
    Provider,
    /// Everybody with an account of AWS.
    Everybody,
    /// Everybody at all, by unsigned calls.
    Anonymous,
}

/// A principal with what it can do of what was asked.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Who {
    /// Its ARN, or its name where it has none.
    pub principal: String,
    /// What it is.
    pub kind: Kind,
    /// Whether this rests on policies of its own account, which are not known.
    pub if_its_account_allows: bool,
    /// What it can do, by action.
    pub access: Vec<Access>,
}

impl Who {
    /// The strongest certainty of any action.
    pub fn certainty(&self) -> Certainty {
        let all = self.access.iter().map(|access| access.certainty);
        all.min().unwrap_or(Certainty::Undecided)
    }
}

/// Patterns, and the set in which they are looked for.
type Asked = (Vec<Glob>, Glob);

/// An estate, made ready to be asked.
pub struct Reach<'e> {
    pub(super) estate: &'e Estate,
    /// The root user, the users, the roles, and sessions that policies name.
    pub(super) subjects: Vec<(Kind, Subject, Context)>,
    by_arn: HashMap<String, usize>,
    cells: Mutex<HashMap<Asked, Arc<Cells>>>,
}

impl<'e> Reach<'e> {
    /// The principals of the estate, with their policies.
    pub fn new(estate: &'e Estate) -> Self {
        let root =
            Principal::Root { partition: estate.account.partition(), account: estate.account.id() };
        let mut found = vec![(Kind::Root, estate.caller(root))];
        for subject in estate.subjects() {
            let kind = match (&subject.principal, subject.linked) {
                (_, true) => Kind::LinkedRole,
                (Principal::User { .. }, _) => Kind::User,
                _ => Kind::Role,
            };
            found.push((kind, subject));
        }
        found.extend(sessions(estate).map(|subject| (Kind::Session, subject)));
        let organization = estate.organization.as_ref().and_then(|found| found.id.as_deref());
        let subjects: Vec<_> = found
            .into_iter()
            .map(|(kind, subject)| {
                let mut context = subject.context();
                if let Some(id) = organization {
                    context.put("aws:PrincipalOrgID", id);
                }
                (kind, subject, context)
            })
            .collect();
        let by_arn = subjects
            .iter()
            .enumerate()
            .map(|(at, (_, subject, _))| (subject.principal.describe(), at))
            .collect();
        Self { estate, subjects, by_arn, cells: Mutex::default() }
    }

    /// Everyone who can do some of what is asked, on some of it, under some conditions, or of whom
    /// that is undecided; strongest first within their kinds.
    pub fn who_can(&self, question: &Question) -> Vec<Who> {
        let who = parallel::each(&self.subjects, |(kind, subject, context)| {
            let access: Vec<Access> = question
                .actions
                .iter()
                .filter_map(|action| self.access(subject, context, question, action))
                .collect();
            (!access.is_empty()).then(|| Who {
                principal: subject.principal.describe(),
                kind: *kind,
                if_its_account_allows: false,
                access,
            })
        });
        let mut out: Vec<Who> = who.into_iter().flatten().collect();
        out.extend(self.outsiders_who_can(question));
        out.sort_by(|left, right| {
            left.kind
                .cmp(&right.kind)
                .then(left.certainty().cmp(&right.certainty()))
                .then_with(|| left.principal.cmp(&right.principal))
        });
        out
    }

    /// What one principal of the account can do of what is asked; nothing if it has no such
    /// principal.
    pub fn can_do(&self, principal: &str, question: &Question) -> Option<Vec<Access>> {
        let (_, subject, context) = self.subjects.get(*self.by_arn.get(principal)?)?;
        let actions = question.actions.iter();
        Some(actions.filter_map(|a| self.access(subject, context, question, a)).collect())
    }

    /// How the engine comes to its decision about a principal of the account, in the context that
    /// follows from it; nothing if it has no such principal.
    pub fn explain(&self, principal: &str, action: &str, resource: &str) -> Option<Explanation> {
        let (_, subject, context) = self.subjects.get(*self.by_arn.get(principal)?)?;
        let applicable = self.estate.applicable(subject, action, resource);
        let request = Request {
            principal: &subject.principal,
            action,
            resource,
            resource_account: self.estate.owner(resource),
            context,
            delegated: is_delegated(action, resource),
        };
        Some(explain(&request, &applicable))
    }

    /// The ARNs of the principals of the account.
    pub fn principals(&self) -> impl Iterator<Item = (Kind, &str)> {
        let all = self.by_arn.iter();
        let mut all: Vec<(usize, Kind, &str)> = all
            .filter_map(|(arn, at)| Some((*at, self.subjects.get(*at)?.0, arn.as_str())))
            .collect();
        all.sort_unstable_by_key(|(at, ..)| *at);
        all.into_iter().map(|(_, kind, arn)| (kind, arn))
    }

    /// The place of a principal of the account.
    pub(super) fn place(&self, arn: &str) -> Option<usize> {
        self.by_arn.get(arn).copied()
    }

    /// What a subject can do of one action on what is asked.
    fn access(
        &self,
        subject: &Subject,
        context: &Context,
        question: &Question,
        action: &str,
    ) -> Option<Access> {
        // ROOT-7: the root user assumes no role, whatever policies say.
        if matches!(subject.principal, Principal::Root { .. }) && is_role_assumption(action) {
            return None;
        }
        if question.is_exact() {
            let judged = self.judge(subject, context, action, &question.resource);
            return told(action, vec![judged], true, true);
        }
        let mut judged = Vec::new();
        let mut complete = true;
        for universe in question.universe(action, &self.estate.account) {
            let (resources, all) = self.resources(subject, context, action, &universe);
            complete &= all;
            judged.extend(
                resources.iter().map(|resource| self.judge(subject, context, action, resource)),
            );
        }
        told(action, judged, complete, true)
    }

    /// What a subject may do with one action on one resource.
    pub(super) fn judge(
        &self,
        subject: &Subject,
        context: &Context,
        action: &str,
        resource: &str,
    ) -> Judged {
        let case = Case {
            principal: &subject.principal,
            standing: Standing::Known,
            applicable: self.estate.applicable(subject, action, resource),
            context,
            action,
            resource,
            owner: self.estate.owner(resource),
            organization: self.estate.organization.as_ref().is_some_and(|found| found.id.is_some()),
            outside: None,
        };
        case.judge()
    }

    /// Resources that stand for all of a set: those that are known, and one of each kind that the
    /// policies tell apart. Whether those are all kinds.
    pub(super) fn resources(
        &self,
        subject: &Subject,
        context: &Context,
        action: &str,
        universe: &Glob,
    ) -> (Vec<String>, bool) {
        if let Some(only) = universe.literal() {
            return (vec![only], true);
        }
        let mut out = self.known_resources(action, universe);
        if !out.is_empty() && is_role_assumption(action) {
            // All roles of the account are known.
            return (out, true);
        }
        let globs = self.globs(subject, context, action);
        let found = self.cells_of(globs, universe);
        for text in &found.list {
            if !out.contains(text) {
                out.push(text.clone());
            }
        }
        let complete = found.complete && out.len() <= MAX_RESOURCES;
        out.truncate(MAX_RESOURCES);
        (out, complete)
    }

    /// The patterns of resources in what applies to a subject, with its variables resolved.
    pub(super) fn globs(&self, subject: &Subject, context: &Context, action: &str) -> Vec<Glob> {
        let applicable = self.estate.applicable(subject, action, "*");
        let documents = applicable.policies().map(|policy| policy.document);
        globs_of(documents.chain(self.documents()), action, context)
    }

    /// The policies of resources.
    fn documents(&self) -> impl Iterator<Item = &Document> {
        let policies = self.estate.resource_policies.iter().flatten();
        policies.filter_map(|(_, policy)| Some(&*policy.policy.as_ref().ok()?.document))
    }

    pub(super) fn cells_of(&self, globs: Vec<Glob>, universe: &Glob) -> Arc<Cells> {
        let key = (globs, universe.clone());
        let held = || self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = held().get(&key) {
            return Arc::clone(known);
        }
        let found = Arc::new(cells(&key.0, std::slice::from_ref(universe)));
        held().insert(key, Arc::clone(&found));
        found
    }

    /// The resources of a set that are known by name.
    fn known_resources(&self, action: &str, universe: &Glob) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        if is_role_assumption(action) {
            let roles = self.estate.account.roles();
            out.extend(roles.map(|role| self.estate.account.role_arn(role).to_string()));
        }
        out.extend(self.estate.resource_policies.iter().flatten().map(|(arn, _)| arn.clone()));
        out.retain(|arn| universe.matches(arn));
        // The policy of a bucket is that of its objects too.
        let policies = self.estate.resource_policies.iter().flatten();
        for (bucket, _) in policies.filter(|(arn, _)| arn.contains(":s3:::") && !arn.contains('/'))
        {
            let objects = Glob::arn(&format!("{bucket}/*"));
            if !meet(&objects, universe) {
                continue;
            }
            let mut globs = globs_of(self.documents(), action, &Context::new());
            globs.push(objects.clone());
            let found = self.cells_of(globs, universe);
            out.extend(found.list.iter().filter(|text| objects.matches(text)).cloned());
        }
        out
    }

    /// Those from outside whom the policies of resources let in.
    fn outsiders_who_can(&self, question: &Question) -> Vec<Who> {
        let mut out: Vec<Who> = Vec::new();
        for action in &question.actions {
            for universe in question.universe(action, &self.estate.account) {
                let resources = match universe.literal() {
                    Some(only) => vec![only],
                    None => self.known_resources(action, &universe),
                };
                let all = universe.literal().is_some();
                let mut found: Vec<(Outsider, Vec<Judged>)> = Vec::new();
                for resource in &resources {
                    for outsider in self.outsiders(action, resource) {
                        let judged = self.judge_outsider(&outsider, action, resource);
                        match found.iter_mut().find(|(held, _)| held.name == outsider.name) {
                            Some((_, list)) => list.push(judged),
                            None => found.push((outsider, vec![judged])),
                        }
                    }
                }
                for (outsider, judged) in found {
                    let Some(access) = told(action, judged, true, all) else { continue };
                    let access = Outsider::without_assumption(access);
                    match out.iter_mut().find(|who| who.principal == outsider.name) {
                        Some(who) => who.access.push(access),
                        None => out.push(Who {
                            principal: outsider.name.clone(),
                            kind: outsider.kind,
                            if_its_account_allows: outsider.is_assumed(),
                            access: vec![access],
                        }),
                    }
                }
            }
        }
        out
    }

    /// The account of the estate.
    pub(super) fn account(&self) -> AccountId {
        self.estate.account.id()
    }
}

/// The patterns of resources of the statements that mean an action, with variables resolved.
fn globs_of<'d>(
    documents: impl Iterator<Item = &'d Document>,
    action: &str,
    context: &Context,
) -> Vec<Glob> {
    let folded = [action.to_ascii_lowercase()];
    let prefix = action.split_once(':').map_or("", |(prefix, _)| prefix).to_ascii_lowercase();
    let mut globs: BTreeSet<Glob> = BTreeSet::new();
    for statement in documents.flat_map(Document::statements) {
        if statement.meant_of(&prefix, &folded).next().is_none() {
            continue;
        }
        for tokens in statement.resource_tokens().into_iter().flatten() {
            let mut sample = |_: &str| Some("example".to_owned());
            globs.extend(Glob::new(&tokens, false, context, &mut sample));
        }
    }
    globs.into_iter().filter(|glob| !glob.is_any()).collect()
}

/// Whether the resource of an action is a role that it assumes.
pub(super) fn is_role_assumption(action: &str) -> bool {
    is_delegated(action, "arn:aws:iam::000000000000:role/x")
}

/// One answer from those about each resource. `complete`: these stand for all that may be
/// reached; `whole`: and for all that was asked.
pub(super) fn told(
    action: &str,
    judged: Vec<Judged>,
    complete: bool,
    whole: bool,
) -> Option<Access> {
    let asked = judged.len();
    let mut undecided = !complete;
    let mut found: Vec<Yes> = Vec::new();
    for judged in judged {
        match judged {
            Judged::No => {}
            Judged::Undecided => undecided = true,
            Judged::Yes(yes) => found.push(*yes),
        }
    }
    let all = found.len() == asked && complete && whole;
    let Some(best) = found.iter().min_by_key(|yes| yes.certainty).cloned() else {
        return undecided.then(|| Access {
            action: action.to_owned(),
            certainty: Certainty::Undecided,
            extent: Extent::Some,
            ways: Vec::new(),
            unless: Vec::new(),
            witness: None,
        });
    };
    // Of all resources only what holds for each of them, of some what holds for the best.
    let worst = found.iter().map(|yes| yes.certainty).max().unwrap_or(best.certainty);
    let certainty = if all { worst } else { best.certainty };
    let shown = found.iter().find(|yes| yes.certainty == certainty).cloned().unwrap_or(best);
    Some(Access {
        action: action.to_owned(),
        certainty,
        extent: if all { Extent::All } else { Extent::Some },
        ways: shown.ways,
        unless: shown.unless,
        witness: Some(shown.witness),
    })
}

/// Sessions of roles of the account that policies of resources name, trust policies among them.
fn sessions(estate: &Estate) -> impl Iterator<Item = Subject> {
    let mut seen = BTreeSet::new();
    let resources = estate.resource_policies.iter().flatten();
    let documents = resources.filter_map(|(_, policy)| policy.policy.as_ref().ok());
    let trusts = estate.account.roles().filter_map(|role| role.trust.document().ok());
    for document in documents.map(|found| &found.document).chain(trusts) {
        for principal in document.principals() {
            if principal.text.contains(":assumed-role/") {
                seen.insert(principal.text.to_owned());
            }
        }
    }
    seen.into_iter().filter_map(move |text| {
        let Principal::Session { role_name, session_name, account, session_arn, .. } =
            Principal::from_arn(&text)?
        else {
            return None;
        };
        let role =
            estate.account.role_named(&role_name).filter(|_| account == estate.account.id())?;
        let mut subject = estate.role(role);
        subject.principal = Principal::Session {
            role_arn: estate.account.role_arn(role).as_str().into(),
            role_id: role.id,
            role_name,
            session_name,
            account,
            session_arn,
        };
        Some(subject)
    })
}
