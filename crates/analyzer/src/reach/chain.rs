//! Role chains: who can come to a role that can, and by which roles.

use std::collections::{BTreeMap, VecDeque};

use bailiwick_policy::{Effect, PrincipalType, Statement};
use serde::Serialize;

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
        let assumers = self.assumers();
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

    /// Whom an identity policy allows to assume some role.
    fn assumers(&self) -> Vec<usize> {
        let action = ["sts:assumerole".to_owned()];
        let allows = |at: &usize| {
            let Some((kind, subject, _)) = self.subjects.get(*at) else { return false };
            let policies = &subject.effective.identity;
            *kind == Kind::Root
                || policies.iter().flat_map(|found| found.document.statements()).any(|statement| {
                    statement.effect() == Effect::Allow
                        && statement.meant_of("sts", &action).next().is_some()
                })
        };
        (0..self.subjects.len()).filter(allows).collect()
    }

    /// Who can assume a role.
    fn edges(&self, role: &str, assumers: &[usize]) -> Vec<Edge> {
        let mut out = Vec::new();
        let action = "sts:AssumeRole";
        // Whom the trust policy does not name by itself an identity policy has to allow.
        let candidates: Vec<usize> = match self.named_by(role) {
            Some(named) => assumers.iter().copied().chain(named).collect(),
            None => (0..self.subjects.len()).collect(),
        };
        for at in candidates {
            let Some((kind, subject, context)) = self.subjects.get(at) else { continue };
            // ROOT-7: the root user assumes no role.
            if *kind == Kind::Root || subject.principal.describe() == role {
                continue;
            }
            let judged = self.judge(subject, context, action, role);
            if let Some(access) = told(action, vec![judged], true, true)
                && access.certainty != Certainty::Undecided
            {
                out.push(Edge { from: From::Subject(at), access });
            }
        }
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

    /// The principals of the account whom the trust policy of a role names by ARN; nothing where it
    /// may mean others too.
    fn named_by(&self, role: &str) -> Option<Vec<usize>> {
        let arn = role.parse().ok()?;
        let role = self.estate.account.role_with_arn(&arn)?;
        let document = role.trust.document().ok()?;
        if document.statements().iter().any(Statement::is_not_principal) {
            return None;
        }
        let mut out = Vec::new();
        for entry in document.principals() {
            let text = entry.text;
            let account = text.ends_with(":root") || text.bytes().all(|b| b.is_ascii_digit());
            match entry.kind {
                PrincipalType::Aws if account => {}
                PrincipalType::Aws if text.starts_with("arn:") && !text.contains(['*', '?']) => {
                    out.extend(self.place(text));
                }
                PrincipalType::Aws | PrincipalType::Bare => return None,
                _ => {}
            }
        }
        out.sort_unstable();
        out.dedup();
        Some(out)
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

/// The action by which a caller from outside assumes a role.
fn by_which(outsider: &Outsider) -> &'static str {
    if outsider.kind != Kind::Provider {
        "sts:AssumeRole"
    } else if outsider.name.contains(":saml-provider/") {
        "sts:AssumeRoleWithSAML"
    } else {
        "sts:AssumeRoleWithWebIdentity"
    }
}
