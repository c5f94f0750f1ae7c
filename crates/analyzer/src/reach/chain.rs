//! Role chains: who can come to a role that can, and by which roles.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use bailiwick_identifiers::UniqueId;
use bailiwick_model::parallel;
use bailiwick_policy::{Context, Document, Effect, Principal, PrincipalType, Statement, Token};
use serde::Serialize;

use crate::estate::Subject;
use crate::posture::names;

use super::answer::{Access, Certainty};
use super::outside::Outsider;
use super::question::Question;
use super::who::{Kind, Reach, Who, told};

/// Somebody who can assume a role which can, or a role from which such a role can be assumed.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Chain {
    /// Who begins.
    pub principal: String,
    /// What it is.
    pub kind: Kind,
    /// Whether this rests on policies of its own account, which are not known.
    pub if_its_account_allows: bool,
    /// Whether each step can always be made.
    pub certainty: Certainty,
    /// The roles that are assumed, in order; the last one can.
    pub hops: Vec<Hop>,
}

/// One role that is assumed.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Hop {
    /// The role.
    pub role: String,
    /// Why it can be assumed.
    pub access: Access,
}

/// Who can assume a role, by the role.
struct Edge {
    from: From,
    access: Access,
}

enum From {
    Subject(usize),
    Outsider { name: String, kind: Kind, assumed: bool },
}

impl Reach<'_> {
    /// Those who cannot by themselves, but can assume a role which can. The shortest chain of
    /// each, one that always holds before one that hangs on the requests.
    pub fn chains(&self, who: &[Who]) -> Vec<Chain> {
        let can: Vec<(usize, Certainty)> = who
            .iter()
            .filter(|who| matches!(who.kind, Kind::Role | Kind::LinkedRole))
            .filter(|who| who.certainty() != Certainty::Undecided)
            .filter_map(|who| Some((self.place(&who.principal)?, who.certainty())))
            .collect();
        let mut edges: BTreeMap<usize, Vec<Edge>> = BTreeMap::new();
        let assumers = Assumers::new(&self.subjects);
        let mut out: BTreeMap<String, Chain> = BTreeMap::new();
        for always in [true, false] {
            let mut paths: BTreeMap<usize, Vec<Hop>> = BTreeMap::new();
            let mut queue: VecDeque<usize> = VecDeque::new();
            for (at, certainty) in &can {
                if !always || *certainty == Certainty::Always {
                    paths.insert(*at, Vec::new());
                    queue.push_back(*at);
                }
            }
            while let Some(role) = queue.pop_front() {
                let Some((_, subject, _)) = self.subjects.get(role) else { continue };
                let arn = subject.arn().to_owned();
                let behind = paths.get(&role).cloned().unwrap_or_default();
                let found = edges.entry(role).or_insert_with(|| self.edges(&arn, &assumers));
                for edge in found {
                    if always && edge.access.certainty != Certainty::Always {
                        continue;
                    }
                    let mut hops = vec![Hop { role: arn.clone(), access: edge.access.clone() }];
                    hops.extend(behind.iter().cloned());
                    let certainty = if always { Certainty::Always } else { Certainty::OnlyIf };
                    let (principal, kind, assumed) = match &edge.from {
                        From::Subject(at) => {
                            if paths.contains_key(at) {
                                continue;
                            }
                            let Some((kind, subject, _)) = self.subjects.get(*at) else { continue };
                            if matches!(kind, Kind::Role) {
                                paths.insert(*at, hops.clone());
                                queue.push_back(*at);
                            }
                            (subject.principal.describe(), *kind, false)
                        }
                        From::Outsider { name, kind, assumed } => (name.clone(), *kind, *assumed),
                    };
                    out.entry(principal.clone()).or_insert(Chain {
                        principal,
                        kind,
                        if_its_account_allows: assumed,
                        certainty,
                        hops,
                    });
                }
            }
        }
        let direct = |chain: &Chain| {
            who.iter()
                .any(|who| who.principal == chain.principal && who.certainty() <= chain.certainty)
        };
        let mut out: Vec<Chain> = out.into_values().filter(|chain| !direct(chain)).collect();
        out.sort_by(|left, right| {
            (left.kind, left.certainty, left.hops.len(), &left.principal).cmp(&(
                right.kind,
                right.certainty,
                right.hops.len(),
                &right.principal,
            ))
        });
        out
    }

    /// The roles that a principal can come to, each with the shortest chain.
    pub fn roles_of(&self, principal: &str) -> Vec<Chain> {
        let Some(start) = self.place(principal) else { return Vec::new() };
        let mut seen: BTreeMap<usize, Vec<Hop>> = BTreeMap::from([(start, Vec::new())]);
        let mut queue = VecDeque::from([start]);
        let mut out = Vec::new();
        while let Some(at) = queue.pop_front() {
            let Some((_, subject, context)) = self.subjects.get(at) else { continue };
            let held = seen.get(&at).cloned().unwrap_or_default();
            for (to, (kind, role, _)) in self.subjects.iter().enumerate() {
                if *kind != Kind::Role || seen.contains_key(&to) {
                    continue;
                }
                let judged = self.judge(subject, context, "sts:AssumeRole", role.arn());
                let Some(access) = told("sts:AssumeRole", vec![judged], true, true) else {
                    continue;
                };
                if access.certainty == Certainty::Undecided {
                    continue;
                }
                let mut hops = held.clone();
                hops.push(Hop { role: role.arn().to_owned(), access });
                let worst = hops.iter().map(|hop| hop.access.certainty).max();
                seen.insert(to, hops.clone());
                queue.push_back(to);
                out.push(Chain {
                    principal: principal.to_owned(),
                    kind: self.subjects.get(start).map_or(Kind::User, |(kind, ..)| *kind),
                    if_its_account_allows: false,
                    certainty: worst.unwrap_or(Certainty::Always),
                    hops,
                });
            }
        }
        out
    }

    /// Who can assume a role.
    fn edges(&self, role: &str, assumers: &Assumers) -> Vec<Edge> {
        let action = "sts:AssumeRole";
        let candidates = self.may_assume(role, assumers);
        let accesses = parallel::each(&candidates, |at| {
            let (kind, subject, context) = self.subjects.get(*at)?;
            // ROOT-7: the root user assumes no role.
            if *kind == Kind::Root || subject.principal.describe() == role {
                return None;
            }
            let judged = self.judge(subject, context, action, role);
            let access = told(action, vec![judged], true, true)?;
            (access.certainty != Certainty::Undecided).then_some(access)
        });
        let found = candidates.into_iter().zip(accesses);
        let mut out: Vec<Edge> = found
            .filter_map(|(at, access)| Some(Edge { from: From::Subject(at), access: access? }))
            .collect();
        for outsider in self.outsiders(action, role) {
            let action = by_which(&outsider);
            let judged = self.judge_outsider(&outsider, action, role);
            if let Some(access) = told(action, vec![judged], true, true)
                && access.certainty != Certainty::Undecided
            {
                let assumed = outsider.is_assumed();
                let access = Outsider::without_assumption(access);
                let Outsider { name, kind, .. } = outsider;
                out.push(Edge { from: From::Outsider { name, kind, assumed }, access });
            }
        }
        out
    }

    /// Those of the account who may be able to assume a role, in order. Never too few.
    pub(super) fn may_assume(&self, role: &str, assumers: &Assumers) -> Vec<usize> {
        let mut candidates = match self.trust(role, assumers) {
            Trust::Anyone => (0..self.subjects.len()).collect(),
            Trust::Named(named) => named,
            // Whom the trust policy does not name by itself an identity policy has to allow.
            Trust::Account(mut named) => {
                named.extend(assumers.of(role));
                named
            }
        };
        candidates.sort_unstable();
        candidates.dedup();
        candidates
    }

    /// Whom of the account the trust policy of a role may let in. Never too few.
    fn trust(&self, role: &str, assumers: &Assumers) -> Trust {
        let found = role.parse().ok().and_then(|arn| self.estate.account.role_with_arn(&arn));
        let Some(Ok(document)) = found.map(|role| role.trust.document()) else {
            return Trust::Named(Vec::new());
        };
        if document.statements().iter().any(Statement::is_not_principal) {
            return Trust::Anyone;
        }
        let own = self.account().to_string();
        let mut delegates = false;
        let mut named = Vec::new();
        for entry in document.principals() {
            let text = entry.text;
            match entry.kind {
                PrincipalType::Aws if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                    delegates |= text == own;
                }
                PrincipalType::Aws if text.starts_with("arn:") && !text.contains(['*', '?']) => {
                    let (before, resource) = text.rsplit_once(':').unwrap_or_default();
                    if resource == "root" {
                        delegates |= before.ends_with(&own);
                        continue;
                    }
                    named.extend(self.place(text));
                    // Sessions of a role are let in by its name.
                    if resource.starts_with("role/") {
                        named.extend(self.sessions_of(text));
                    }
                }
                PrincipalType::Aws if text.parse::<UniqueId>().is_ok() => {
                    named.extend(assumers.ids.get(text).into_iter().flatten());
                }
                PrincipalType::Aws | PrincipalType::Bare => return Trust::Anyone,
                _ => {}
            }
        }
        if delegates { Trust::Account(named) } else { Trust::Named(named) }
    }

    /// The sessions among the subjects that are of a role.
    fn sessions_of(&self, role: &str) -> impl Iterator<Item = usize> {
        // They stand last.
        let last = self.subjects.iter().enumerate().rev();
        let sessions = last.take_while(|(_, (kind, ..))| *kind == Kind::Session);
        sessions.filter_map(move |(at, (_, subject, _))| match &subject.principal {
            Principal::Session { role_arn, .. } if **role_arn == *role => Some(at),
            _ => None,
        })
    }

    /// What is asked about whom, once more for the roles that a principal can come to.
    pub fn can_by_roles(&self, principal: &str, question: &Question) -> Vec<(Chain, Vec<Access>)> {
        let mut out = Vec::new();
        for chain in self.roles_of(principal) {
            let Some(last) = chain.hops.last() else { continue };
            let access = self.can_do(&last.role, question).unwrap_or_default();
            if !access.is_empty() {
                out.push((chain, access));
            }
        }
        out
    }
}

/// Whom of the account a trust policy may let in.
enum Trust {
    /// These alone.
    Named(Vec<usize>),
    /// These, and whom an identity policy allows to assume the role.
    Account(Vec<usize>),
    /// Perhaps everybody.
    Anyone,
}

/// Whom identity policies may allow to assume roles, and whom trust policies may name.
pub(super) struct Assumers {
    /// Documents that allow it, each with the patterns of roles that it names and with those who hold
    /// it.
    by_policy: Vec<(Vec<String>, Vec<usize>)>,
    /// Users and roles by their unique ids, the sessions of a role with it.
    ids: HashMap<String, Vec<usize>>,
}

impl Assumers {
    pub(super) fn new(subjects: &[(Kind, Subject, Context)]) -> Self {
        let mut places: HashMap<*const Document, Option<usize>> = HashMap::new();
        let mut all: Vec<(Vec<String>, Vec<usize>)> = Vec::new();
        let mut ids: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, (_, subject, _)) in subjects.iter().enumerate() {
            if let Principal::User { id, .. }
            | Principal::Role { id, .. }
            | Principal::Session { role_id: id, .. } = &subject.principal
            {
                ids.entry(id.to_string()).or_default().push(at);
            }
            for found in &subject.effective.identity {
                let place = places.entry(Arc::as_ptr(&found.document)).or_insert_with(|| {
                    let patterns = role_patterns(&found.document);
                    (!patterns.is_empty()).then(|| {
                        all.push((patterns, Vec::new()));
                        all.len() - 1
                    })
                });
                if let Some((_, holders)) = place.and_then(|place| all.get_mut(place)) {
                    holders.push(at);
                }
            }
        }
        Self { by_policy: all, ids }
    }

    /// Those who hold a policy that may mean the role.
    fn of(&self, role: &str) -> impl Iterator<Item = usize> {
        let mean = self
            .by_policy
            .iter()
            .filter(move |(patterns, _)| patterns.iter().any(|pattern| names(pattern, role)));
        mean.flat_map(|(_, holders)| holders.iter().copied())
    }
}

/// The patterns of roles that a document allows to be assumed, each rather too wide than too narrow.
fn role_patterns(document: &Document) -> Vec<String> {
    let action = ["sts:assumerole".to_owned()];
    let mut patterns = Vec::new();
    for statement in document.statements() {
        if statement.effect() != Effect::Allow
            || statement.meant_of("sts", &action).next().is_none()
        {
            continue;
        }
        if statement.is_not_resource() || !statement.has_resources() {
            return vec!["*".to_owned()];
        }
        for tokens in statement.resource_tokens().into_iter().flatten() {
            let mut pattern = String::new();
            for token in &tokens {
                match token {
                    Token::Text(text) => pattern.push_str(text),
                    _ => pattern.push('*'),
                }
            }
            patterns.push(pattern);
        }
    }
    patterns
}

/// The action by which a caller from outside assumes a role.
pub(super) fn by_which(outsider: &Outsider) -> &'static str {
    if outsider.kind != Kind::Provider {
        "sts:AssumeRole"
    } else if outsider.name.contains(":saml-provider/") {
        "sts:AssumeRoleWithSAML"
    } else {
        "sts:AssumeRoleWithWebIdentity"
    }
}
