//! Requests put to the engine: as the caller stands first, then under a context that it would need.
//!
//! A request that is allowed with the keys that follow from caller and resource alone is certain.
//! Otherwise the conditions of the statements that speak of it name the keys and values to try, the
//! fewest keys first, and the answer says which of them it needed. Keys that the caller chooses as
//! it likes (a parameter of the call, the region) need nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use bailiwick_model::{Found, Role};
use bailiwick_policy::{
    Applicable, Attached, Context, Decision, Document, DocumentKind, Levels, Outcome, Policies,
    PolicyKind, Principal, Request, Source, SourceKind, Statement, decide, explain, is_delegated,
    keys,
};
use jiff::Timestamp;
use serde::Serialize;

use super::values;
use crate::estate::{Estate, Subject};

/// Context keys with their values, in the order in which they are set.
pub(super) type Keys = Vec<(String, Vec<String>)>;

/// Contexts tried for one request before it counts as refused.
const MOST_TRIES: usize = 3_000;
/// Keys of one request that are varied, and together.
const MOST_KEYS: usize = 8;

/// One request of a step, as it was allowed.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ask {
    /// The ARN of the caller, or the name of the service that takes a role.
    pub caller: String,
    /// The action.
    pub action: String,
    /// The resource.
    pub resource: String,
    /// The context keys beside those that follow from the caller.
    pub context: BTreeMap<String, Vec<String>>,
    /// The trust policy that a step before has written, where it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust: Option<String>,
}

/// What a step depends on.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase", untagged)]
pub enum Dependence {
    /// A context key must have a value such as this one, or be absent.
    Key {
        /// The key, in lower case.
        key: String,
        /// Values with which the request is allowed; none: the key must be absent.
        values: Vec<String>,
    },
    /// Something must exist that the data do not show.
    Thing {
        /// What.
        exists: String,
    },
}

impl std::fmt::Display for Dependence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Key { key, values } if values.is_empty() => write!(f, "{key} absent"),
            Self::Key { key, values } => write!(f, "{key} = {}", values.join(", ")),
            Self::Thing { exists } => f.write_str(exists),
        }
    }
}

/// A request that the engine allows, and on what that depends.
#[derive(Clone, Debug)]
pub(super) struct Permit {
    /// Shared: many ways begin with the same request.
    pub(super) ask: Arc<Ask>,
    pub(super) on: BTreeSet<Dependence>,
}

impl Permit {
    pub(super) fn is_certain(&self) -> bool {
        self.on.is_empty()
    }
}

/// The keys that say when it is.
const TIMES: [&str; 3] = ["aws:CurrentTime", "aws:EpochTime", "aws:TokenIssueTime"];

/// Two addresses with nothing in common: a condition that holds for both holds wherever one calls from.
const ANYWHERE: [&str; 2] = ["45.83.17.200", "185.199.3.77"];

/// An instant as context keys have it.
fn instant(now: Timestamp) -> String {
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// What stays the same for all requests.
#[derive(Debug)]
pub(super) struct Judge<'e> {
    /// Whether the search for a context was cut, since that was last asked.
    short: AtomicBool,
    pub(super) estate: &'e Estate,
    pub(super) now: Option<Timestamp>,
    account: String,
    partition: &'static str,
}

/// A request that is about to be asked.
#[derive(Clone, Copy)]
pub(super) struct Question<'q> {
    pub(super) action: &'q str,
    pub(super) resource: &'q str,
    /// Keys beside those of the caller.
    pub(super) keys: &'q Keys,
    /// A trust policy in place of the role's.
    pub(super) trust: Option<&'q str>,
    /// Whether only what is certain counts.
    pub(super) strict: bool,
}

impl<'e> Judge<'e> {
    pub(super) fn new(estate: &'e Estate, now: Option<Timestamp>) -> Self {
        let account = estate.account.id().to_string();
        let partition = estate.account.partition().as_str();
        Self { short: AtomicBool::new(false), estate, now, account, partition }
    }

    /// Whether a search for a context ended before all was tried, since this was asked last.
    pub(super) fn took_short(&self) -> bool {
        self.short.swap(false, Ordering::Relaxed)
    }

    pub(super) fn account(&self) -> &str {
        &self.account
    }

    pub(super) fn partition(&self) -> &str {
        self.partition
    }

    /// The context keys that follow from the caller. A role acts by a session, which knows of MFA
    /// that it has none (KEY-2, KEY-12) and was made just now. It is now: what was allowed once and is
    /// refused since is refused.
    pub(super) fn caller(&self, subject: &Subject) -> Context {
        let mut context = subject.context();
        if let Principal::Role { id, .. } = &subject.principal {
            context.put(keys::USER_ID, &format!("{id}:session"));
            context.put(keys::MFA_PRESENT, "false");
            if let Some(now) = self.now {
                context.put(TIMES[2], &instant(now));
            }
        }
        if let Some(now) = self.now {
            context.put(TIMES[0], &instant(now));
            context.put(TIMES[1], &now.as_second().to_string());
        }
        context.put(keys::SECURE_TRANSPORT, "true");
        context.put(keys::VIA_AWS_SERVICE, "false");
        if let Some(id) = self.estate.organization.as_ref().and_then(|o| o.id.as_ref()) {
            context.put(keys::PRINCIPAL_ORG_ID, id);
        }
        context
    }

    /// The keys of a request that follow from its resource.
    pub(super) fn surroundings(&self, context: &mut Context, question: Question<'_>) {
        let mut fields = question.resource.splitn(6, ':').skip(2);
        let service = fields.next().unwrap_or_default();
        let region = fields.next().filter(|region| !region.is_empty());
        context.put(keys::REQUESTED_REGION, region.unwrap_or(self.home()));
        let owner = fields.next().filter(|owner| !owner.is_empty());
        if owner.is_none_or(|owner| owner == self.account) || service == "iam" {
            context.put(keys::RESOURCE_ACCOUNT, &self.account);
            if let Some(id) = self.estate.organization.as_ref().and_then(|o| o.id.as_ref()) {
                context.put(keys::RESOURCE_ORG_ID, id);
            }
        }
    }

    /// The region of global services, and of what names none.
    pub(super) fn home(&self) -> &'static str {
        match self.partition {
            "aws-cn" => "cn-north-1",
            "aws-us-gov" => "us-gov-west-1",
            _ => "us-east-1",
        }
    }

    /// Whether the caller may do it, and on what that depends.
    pub(super) fn ask(
        &self,
        subject: &Subject,
        caller: &Context,
        question: Question<'_>,
    ) -> Option<Permit> {
        let mut context = caller.clone();
        self.surroundings(&mut context, question);
        put(&mut context, question.keys);
        let written = question.trust.map(written).transpose().ok()?;
        let estate = self.estate;
        let mut applicable = estate.applicable(subject, question.action, question.resource);
        if let Some(written) = &written {
            applicable.resource = Some(written.attached());
        }
        let sessions_have_tags = matches!(subject.principal, Principal::Role { .. })
            && self.takes_session_tags(subject.arn());
        let asked = Asked {
            principal: &subject.principal,
            applicable: &applicable,
            question,
            session_tags: sessions_have_tags,
            now: self.now,
        };
        self.settle(&asked, context, caller, subject.arn())
    }

    /// Whether a service may take a role under this name (TR-7).
    pub(super) fn service(&self, service: &str, role: &Role, arn: &str) -> Option<Permit> {
        let document = role.trust.document().ok()?;
        let federated = service.starts_with("cognito-identity.");
        let service = match self.partition {
            "aws-cn" if service.starts_with("ec2.") => format!("{service}.cn"),
            _ => service.to_owned(),
        };
        let names: Arc<[Arc<str>]> = Arc::from([Arc::from(service.as_str())]);
        let as_service = Principal::Service { names };
        let mut context = Context::new();
        context.put_principal(&as_service);
        context.put("aws:SourceAccount", &self.account);
        let applicable = to_service(self.estate, document);
        let organization = self.estate.organization.as_ref();
        if let Some(id) = organization.and_then(|organization| organization.id.as_ref()) {
            context.put("aws:SourceOrgID", id);
        }
        let no_keys = Keys::new();
        let mut actions = vec![("sts:AssumeRole", as_service)];
        if federated {
            let provider = Principal::Federated { provider: service.as_str().into() };
            actions.push(("sts:AssumeRoleWithWebIdentity", provider));
        }
        let empty = Context::new();
        actions.iter().find_map(|(action, principal)| {
            let question =
                Question { action, resource: arn, keys: &no_keys, trust: None, strict: false };
            let mut context = if matches!(principal, Principal::Federated { .. }) {
                Context::new()
            } else {
                context.clone()
            };
            self.surroundings(&mut context, question);
            let asked = Asked {
                principal,
                applicable: &applicable,
                question,
                session_tags: false,
                now: self.now,
            };
            let mut permit = self.settle(&asked, context, &empty, &service)?;
            // A resource of this account, and the pool of a caller's own making.
            permit.on.retain(|on| match on {
                Dependence::Key { key, values } => {
                    let own = values.iter().all(|value| {
                        let owner = value.split(':').nth(4).unwrap_or_default();
                        owner.is_empty() || owner == self.account
                    });
                    !(key == "aws:sourcearn" && own
                        || key.starts_with("cognito-identity.amazonaws.com:"))
                }
                Dependence::Thing { .. } => true,
            });
            Some(permit)
        })
    }

    /// The fewest keys with which the request is allowed.
    fn settle(
        &self,
        asked: &Asked<'_, '_>,
        mut context: Context,
        caller: &Context,
        name: &str,
    ) -> Option<Permit> {
        let mut on = BTreeSet::new();
        if !asked.decide(self.estate, &context).is_allowed() {
            if asked.question.strict {
                return None;
            }
            let changed = asked.search(self, &context)?;
            for (key, values) in &changed {
                let anywhere = || asked.holds_anywhere(self.estate, &context, &changed);
                let free = values::chosen_by_caller(key) || key == "aws:sourceip" && anywhere();
                if !free {
                    on.insert(Dependence::Key { key: key.clone(), values: values.clone() });
                }
            }
            put(&mut context, &changed);
        }
        let held: BTreeMap<&str, Vec<&str>> = caller.iter().collect();
        let beside = context
            .iter()
            .filter(|(key, values)| held.get(key) != Some(values))
            .map(|(key, values)| (key.to_owned(), values.into_iter().map(str::to_owned).collect()));
        let mut beside: BTreeMap<String, Vec<String>> = beside.collect();
        if asked.speaks_of_time() {
            for key in TIMES {
                let values: Vec<String> = context.values(key).map(str::to_owned).collect();
                if !values.is_empty() {
                    beside.insert(key.to_ascii_lowercase(), values);
                }
            }
        }
        let mut context = beside;
        // What the caller has and the request must not: an empty list is an absent key (CO-3).
        for dependence in &on {
            if let Dependence::Key { key, values } = dependence
                && values.is_empty()
            {
                context.insert(key.clone(), Vec::new());
            }
        }
        let Question { action, resource, trust, .. } = asked.question;
        let ask = Ask {
            caller: name.to_owned(),
            action: action.to_owned(),
            resource: resource.to_owned(),
            context,
            trust: trust.map(str::to_owned),
        };
        Some(Permit { ask: Arc::new(ask), on })
    }

    /// Whether who takes the role may bring tags for the session (SES-9).
    fn takes_session_tags(&self, arn: &str) -> bool {
        let role = arn.parse().ok().and_then(|arn| self.estate.account.role_with_arn(&arn));
        let document = role.and_then(|role| role.trust.document().ok());
        document.is_some_and(|document| {
            document
                .statements()
                .iter()
                .any(|statement| super::ability::speaks_of(statement, "sts:tagsession"))
        })
    }
}

/// What bears on the taking of a role by a service: its trust policy and the organization's.
pub(super) fn to_service<'a>(estate: &'a Estate, trust: &'a Document) -> Applicable<'a> {
    static SOURCE: LazyLock<Source> =
        LazyLock::new(|| Source::new("trust policy", SourceKind::Trust));
    let mut applicable = Applicable {
        resource: Some(Attached { source: &SOURCE, document: trust }),
        ..Applicable::default()
    };
    if let Some(organization) = estate.organization.as_ref().filter(|o| !o.management) {
        let levels = organization.rcps.iter();
        applicable.rcps = levels
            .map(|level| level.iter().map(Found::attached).collect::<Policies<'_>>())
            .collect();
    }
    applicable
}

/// The service that asks for a role.
pub(super) fn as_service(ask: &Ask) -> Principal {
    if ask.action.eq_ignore_ascii_case("sts:AssumeRole") {
        Principal::Service { names: [ask.caller.as_str().into()].into() }
    } else {
        Principal::Federated { provider: ask.caller.as_str().into() }
    }
}

/// Sets keys; an empty list takes one away.
pub(super) fn put(context: &mut Context, keys: &Keys) {
    for (key, values) in keys {
        let values = values.iter().map(String::as_str);
        if values::is_list(key) {
            context.put_multivalued(key, values);
        } else {
            context.put_list(key, values);
        }
    }
}

/// A trust policy as a step writes it.
///
/// # Errors
/// The text is no trust policy.
pub(super) fn written(text: &str) -> Result<Found, bailiwick_policy::DocumentError> {
    let document = Document::parse(text, DocumentKind::Trust)?;
    let source = Source::new("trust policy", SourceKind::Trust);
    Ok(Found { source, document: Arc::new(document) })
}

/// A key with the lists of values to try.
type Varied = (String, Vec<Vec<String>>);

/// A request with all that bears on it.
struct Asked<'q, 'a> {
    principal: &'q Principal,
    applicable: &'q Applicable<'a>,
    question: Question<'q>,
    session_tags: bool,
    now: Option<Timestamp>,
}

impl Asked<'_, '_> {
    fn request<'r>(&'r self, estate: &Estate, context: &'r Context) -> Request<'r> {
        Request {
            principal: self.principal,
            action: self.question.action,
            resource: self.question.resource,
            resource_account: estate.owner(self.question.resource),
            context,
            delegated: is_delegated(self.question.action, self.question.resource),
        }
    }

    fn decide(&self, estate: &Estate, context: &Context) -> Decision {
        decide(&self.request(estate, context), self.applicable)
    }

    /// Whether a request that an address allows is allowed from any.
    fn holds_anywhere(&self, estate: &Estate, context: &Context, changed: &Keys) -> bool {
        ANYWHERE.iter().all(|address| {
            let mut moved = context.clone();
            put(&mut moved, changed);
            moved.put("aws:SourceIp", address);
            self.decide(estate, &moved).is_allowed()
        })
    }

    /// Whether a policy that bears on the request asks when it is.
    fn speaks_of_time(&self) -> bool {
        let applicable = self.applicable;
        let levels =
            [&applicable.scps, &applicable.rcps].into_iter().flat_map(|levels| match levels {
                Levels::Listed(list) => list.as_slice(),
                Levels::Compiled(_) => &[],
            });
        let single = applicable.boundary.into_iter().chain(applicable.resource);
        let listed = levels.flat_map(Policies::iter).chain(applicable.identity.iter());
        let all = listed.chain(single);
        all.flat_map(|policy| policy.document.statements()).any(|statement| {
            statement
                .conditions()
                .any(|condition| TIMES.iter().any(|key| condition.key.eq_ignore_ascii_case(key)))
        })
    }

    /// Other values of the keys that the policies ask for, until the request is allowed.
    fn search(&self, judge: &Judge<'_>, context: &Context) -> Option<Keys> {
        let estate = judge.estate;
        let statements = self.conditional(estate, context);
        if statements.is_empty() {
            return None;
        }
        let mut found = values::candidates(&statements, context, self.now);
        let own = context.values("aws:userid").next().unwrap_or_default().to_owned();
        found.retain(|key, values| {
            if *key == "aws:userid" {
                // The session's name is free, the role's id is not.
                let id = own.split_once(':').map(|(id, _)| format!("{id}:"));
                values.retain(|value| {
                    let first = value.first().map(String::as_str).unwrap_or_default();
                    id.as_ref().is_some_and(|id| first.starts_with(id.as_str()))
                });
            }
            let given = self.question.keys.iter().any(|(held, _)| held.eq_ignore_ascii_case(key));
            !values.is_empty()
                && !given
                && !values::is_fixed(key, self.question.resource, context, self.session_tags)
        });
        let mut keys: Vec<Varied> = found.into_iter().collect();
        keys.sort_by_key(|(key, _)| (!values::chosen_by_caller(key), key != "aws:sourceip"));
        let cut = keys.len() > MOST_KEYS;
        keys.truncate(MOST_KEYS);
        let mut tries = 0;
        for size in 1..=keys.len() {
            let mut chosen = Vec::new();
            if let Some(found) =
                self.vary(estate, context, (&keys, 0, size), &mut chosen, &mut tries)
            {
                return Some(found);
            }
            if tries >= MOST_TRIES {
                judge.short.store(true, Ordering::Relaxed);
                return None;
            }
        }
        judge.short.fetch_or(cut, Ordering::Relaxed);
        None
    }

    /// Tries every choice of `size` keys from place `from` on, with every value.
    fn vary(
        &self,
        estate: &Estate,
        context: &Context,
        (keys, from, size): (&[Varied], usize, usize),
        chosen: &mut Keys,
        tries: &mut usize,
    ) -> Option<Keys> {
        if size == 0 {
            *tries += 1;
            let mut changed = context.clone();
            put(&mut changed, chosen);
            let allowed = self.decide(estate, &changed).is_allowed();
            return allowed.then(|| chosen.clone());
        }
        for (at, (key, values)) in keys.iter().enumerate().skip(from) {
            for value in values {
                if *tries >= MOST_TRIES {
                    return None;
                }
                chosen.push((key.clone(), value.clone()));
                let found = self.vary(estate, context, (keys, at + 1, size - 1), chosen, tries);
                chosen.pop();
                if found.is_some() {
                    return found;
                }
            }
        }
        None
    }

    /// The statements that speak of the request and have conditions. Nothing if no context could
    /// help: nothing that allows would match, or something denies whatever the context.
    fn conditional(&self, estate: &Estate, context: &Context) -> Vec<&Statement> {
        let request = self.request(estate, context);
        let told = explain(&request, self.applicable);
        let mut found = Vec::new();
        for layer in &told.layers {
            let documents = self.documents(layer.kind, layer.level);
            for (report, document) in layer.policies.iter().zip(documents) {
                for statement in &report.statements {
                    let Some(held) = document.statements().get(statement.index) else { continue };
                    let speaks = match &statement.outcome {
                        Outcome::Matched { .. } => true,
                        Outcome::Missed(miss) => {
                            matches!(miss, bailiwick_policy::Miss::Condition(_))
                        }
                        Outcome::Unclear { .. } => false,
                    };
                    if speaks && held.conditions().next().is_some() {
                        found.push(held);
                    } else if speaks && held.effect() == bailiwick_policy::Effect::Deny {
                        return Vec::new();
                    }
                }
            }
        }
        found
    }

    /// The documents of a layer, in the order of its reports.
    fn documents(&self, kind: PolicyKind, level: Option<usize>) -> Vec<&Document> {
        match kind {
            PolicyKind::Identity => of(&self.applicable.identity),
            PolicyKind::ServiceControl => of_level(&self.applicable.scps, level),
            PolicyKind::ResourceControl => of_level(&self.applicable.rcps, level),
            PolicyKind::Boundary => self.applicable.boundary.iter().map(|p| p.document).collect(),
            PolicyKind::Resource | PolicyKind::Trust => {
                self.applicable.resource.iter().map(|p| p.document).collect()
            }
            PolicyKind::Session | PolicyKind::Endpoint => Vec::new(),
        }
    }
}

fn of<'a>(policies: &Policies<'a>) -> Vec<&'a Document> {
    policies.iter().map(|policy| policy.document).collect()
}

fn of_level<'a>(levels: &Levels<'a>, level: Option<usize>) -> Vec<&'a Document> {
    match (levels, level) {
        (Levels::Listed(list), Some(level)) => list.get(level).map(of).unwrap_or_default(),
        _ => Vec::new(),
    }
}
