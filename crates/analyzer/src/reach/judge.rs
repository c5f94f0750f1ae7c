//! One caller, one action, one resource, every context.
//!
//! The statements that mean the request are put together as the engine weighs them (EV-4, EV-5,
//! DLG-2), their conditions left open. Then a context is looked for in which all is allowed, and
//! one in which it is not. Whoever is said to have access has a request that the engine allows.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use bailiwick_identifiers::AccountId;
use bailiwick_policy::{
    Applicable, Attached, Context, Decision, Document, DocumentKind, Effect, Grade, Levels,
    Policies, PolicyKind, Principal, Reason, Request, Source, SourceKind, Statement, Token, decide,
    is_delegated, resource_owner,
};

use super::answer::{Certainty, Place, Requirement, Unless, Way, Witness};
use super::glob::Glob;
use super::solve::{AtomId, Outcome, Space};

/// How many values a variable is tried with.
const MAX_VALUES: usize = 8;
/// How many ways are told.
const MAX_WAYS: usize = 6;
/// How many combinations of statements are tried.
const MAX_COMBINATIONS: usize = 4096;

/// Who may be meant by a caller.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Standing {
    /// The caller itself: what follows from it is known.
    Known,
    /// Whoever of its account: only the account is known.
    OfAccount,
    /// Whoever.
    Anyone,
}

/// A question.
pub(super) struct Case<'a> {
    pub(super) principal: &'a Principal,
    pub(super) standing: Standing,
    /// The policies that bear on the request.
    pub(super) applicable: Applicable<'a>,
    /// The keys that follow from the caller.
    pub(super) context: &'a Context,
    pub(super) action: &'a str,
    pub(super) resource: &'a str,
    pub(super) owner: Option<AccountId>,
    /// Whether the organization of the caller is known, so that a missing key is absent.
    pub(super) organization: bool,
    /// Of a caller who is not known: the account in which it is not.
    pub(super) outside: Option<AccountId>,
}

/// An answer.
#[derive(Clone, Debug)]
pub(super) enum Judged {
    No,
    Undecided,
    Yes(Box<Yes>),
}

#[derive(Clone, Debug)]
pub(super) struct Yes {
    pub(super) certainty: Certainty,
    pub(super) ways: Vec<Way>,
    pub(super) unless: Vec<Unless>,
    pub(super) witness: Witness,
}

/// Which keys follow from the caller and the resource, so that one without value is absent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fixed {
    standing: Standing,
    owner: bool,
    organization: bool,
}

impl Fixed {
    /// Whether the folded key is one of them.
    pub(super) fn has(self, key: &str) -> bool {
        if key == "aws:resourceaccount" {
            return self.owner;
        }
        match self.standing {
            Standing::Known => {
                (self.organization && key.starts_with("aws:principalorg"))
                    || OF_CALLER.contains(&key)
                    || key.starts_with("aws:principaltag/")
            }
            Standing::OfAccount => {
                matches!(key, "aws:principalaccount" | "aws:principalisawsservice")
            }
            Standing::Anyone => key == "aws:principalisawsservice",
        }
    }
}

/// A statement that means the request, with the conditions that hang on it.
struct Clause {
    atoms: Vec<AtomId>,
    place: Place,
    grade: Grade,
}

/// Statements that allow together, and the keys of a request that they allow.
type Combined<'f> = (Vec<&'f Clause>, BTreeMap<String, Vec<String>>);

/// What the layers say, conditions open.
#[derive(Default)]
struct Found {
    denies: Vec<Clause>,
    identity: Vec<Clause>,
    boundary: Option<Vec<Clause>>,
    scps: Vec<Vec<Clause>>,
    resource: Vec<Clause>,
}

impl<'a> Case<'a> {
    fn request<'r>(&'r self, context: &'r Context) -> Request<'r> {
        Request {
            principal: self.principal,
            action: self.action,
            resource: self.resource,
            resource_account: self.owner,
            context,
            delegated: is_delegated(self.action, self.resource),
        }
    }

    /// What the engine says.
    pub(super) fn decide(&self, context: &Context) -> Decision {
        decide(&self.request(context), &self.applicable)
    }

    /// The keys that follow from the caller and the resource.
    fn base(&self) -> Context {
        let mut base = self.context.clone();
        if let Some(owner) = self.known_owner() {
            base.put("aws:ResourceAccount", &owner.to_string());
        }
        base
    }

    fn known_owner(&self) -> Option<AccountId> {
        if self.resource == "*" {
            return None;
        }
        resource_owner(&self.request(self.context))
    }

    fn fixed(&self) -> Fixed {
        Fixed {
            standing: self.standing,
            owner: self.known_owner().is_some(),
            organization: self.organization || !self.principal.has_identity(),
        }
    }

    /// Whether access is possible, and how.
    pub(super) fn judge(&self) -> Judged {
        let base = self.base();
        if let Reason::NoPermissionNeeded =
            decide(&self.request(&base), &Applicable::default()).reason
        {
            return self.yes(Certainty::Always, Vec::new(), Vec::new(), BTreeMap::new());
        }
        if self.applicable.unreadable.is_some() {
            return Judged::No;
        }
        let (first, pinned) = self.judge_with(&base, Some("example"));
        if !pinned || matches!(first, Judged::Yes(_)) {
            return first;
        }
        // Whatever value they have: with all that they may allow and nothing that they deny.
        if let (Judged::No, _) = self.judge_with(&base, None) {
            return Judged::No;
        }
        // Keys of the request stand as variables: what is likely to fit them is tried.
        let part = self.resource.splitn(6, ':').nth(5).unwrap_or_default();
        let likely = part.split(['/', ':']).chain([part]).filter(|text| !text.is_empty());
        for value in likely.take(MAX_VALUES) {
            if let (found @ Judged::Yes(_), _) = self.judge_with(&base, Some(value)) {
                return found;
            }
        }
        Judged::Undecided
    }

    /// The same, with a value for keys of the request that stand as variables, or with the best
    /// for each, and whether there are such.
    fn judge_with(&self, base: &Context, value: Option<&str>) -> (Judged, bool) {
        let mut space = Space::new(base.clone(), self.fixed(), self.outside, value);
        let judged = match self.find(&mut space) {
            Some(found) => self.weigh(&space, &found),
            None => Judged::No,
        };
        (judged, space.is_pinned())
    }

    fn weigh(&self, space: &Space<'_>, found: &Found) -> Judged {
        let paths = self.paths(found);
        if paths.is_empty() {
            return Judged::No;
        }
        let denies: Vec<&[AtomId]> = found.denies.iter().map(|deny| &*deny.atoms).collect();
        let mut ways: Vec<Combined<'_>> = Vec::new();
        let mut unknown = false;
        for combination in combinations(&paths, &mut unknown) {
            let held: Vec<&[AtomId]> = combination.iter().map(|clause| &*clause.atoms).collect();
            match space.solve(&held, &denies) {
                Outcome::Found(context) => ways.push((combination, context)),
                Outcome::Nothing => {}
                Outcome::Unknown => unknown = true,
            }
            if ways.len() >= MAX_WAYS || ways.last().is_some_and(|(way, _)| is_free(way)) {
                break;
            }
        }
        let confirmed = ways.iter().find(|(_, context)| self.confirms(space, context));
        let Some((_, context)) = confirmed else {
            // What the engine does not confirm was put together wrongly; nothing is claimed of it.
            return if ways.is_empty() && !unknown { Judged::No } else { Judged::Undecided };
        };
        let context = context.clone();
        let always = !space.is_pinned() && Self::is_always(space, found, &paths, &ways);
        let certainty = if always { Certainty::Always } else { Certainty::OnlyIf };
        let told = |atoms: &[AtomId]| self.requirements(space, atoms);
        let shown = ways
            .iter()
            .map(|(way, _)| {
                let mut atoms: Vec<AtomId> = Vec::new();
                for atom in way.iter().flat_map(|clause| &clause.atoms) {
                    if !atoms.contains(atom) {
                        atoms.push(*atom);
                    }
                }
                let by = way.iter().map(|clause| clause.place.clone()).collect();
                Way { by, when: if always { Vec::new() } else { told(&atoms) } }
            })
            .collect();
        let unless = if always {
            Vec::new()
        } else {
            let denies = found.denies.iter();
            denies.map(|deny| Unless { by: deny.place.clone(), when: told(&deny.atoms) }).collect()
        };
        self.yes(certainty, shown, unless, context)
    }

    fn yes(
        &self,
        certainty: Certainty,
        ways: Vec<Way>,
        unless: Vec<Unless>,
        context: BTreeMap<String, Vec<String>>,
    ) -> Judged {
        let principal = context
            .get("aws:principalarn")
            .filter(|_| self.standing != Standing::Known)
            .and_then(|values| values.first().cloned())
            .unwrap_or_else(|| self.principal.describe());
        let witness = Witness {
            principal,
            action: self.action.to_owned(),
            resource: self.resource.to_owned(),
            context,
        };
        Judged::Yes(Box::new(Yes { certainty, ways, unless, witness }))
    }

    fn confirms(&self, space: &Space<'_>, found: &BTreeMap<String, Vec<String>>) -> bool {
        let mut context = space.base.clone();
        put(&mut context, found);
        self.decide(&context).is_allowed()
    }

    /// Whether no context refuses it: no Deny can hold, and of each path no layer can be without
    /// an Allow that holds.
    fn is_always(
        space: &Space<'_>,
        found: &Found,
        paths: &[Vec<&[Clause]>],
        ways: &[Combined<'_>],
    ) -> bool {
        let impossible = |deny: &Clause| space.solve(&[&deny.atoms], &[]) == Outcome::Nothing;
        if !found.denies.iter().all(impossible) {
            return false;
        }
        if ways.iter().any(|(way, _)| is_free(way)) {
            return true;
        }
        // Each path fails by one of its layers.
        let mut choices: Vec<Vec<&[AtomId]>> = vec![Vec::new()];
        for path in paths {
            let mut next = Vec::new();
            for chosen in &choices {
                for group in path {
                    let mut more = chosen.clone();
                    more.extend(group.iter().map(|clause| &*clause.atoms));
                    next.push(more);
                }
            }
            if next.len() > MAX_COMBINATIONS {
                return false;
            }
            choices = next;
        }
        choices.iter().all(|failed| {
            failed.iter().any(|atoms| atoms.is_empty())
                || space.solve(&[], failed) == Outcome::Nothing
        })
    }

    fn requirements(&self, space: &Space<'_>, atoms: &[AtomId]) -> Vec<Requirement> {
        let views = atoms.iter().filter_map(|atom| space.view(*atom));
        views
            .map(|view| {
                let text = view.text();
                let resolved = view.resolved(self.context);
                let values = match resolved {
                    Some(values) if !view.variables().is_empty() => values
                        .into_iter()
                        .zip(&text.values)
                        .map(|(value, written)| value.unwrap_or_else(|| written.to_string()))
                        .collect(),
                    _ => text.values.iter().map(ToString::to_string).collect(),
                };
                Requirement {
                    operator: text.operator.to_string(),
                    key: text.key.to_string(),
                    values,
                }
            })
            .collect()
    }

    /// The statements that mean the request; nothing if one denies it whatever the context.
    fn find(&self, space: &mut Space<'a>) -> Option<Found> {
        let applicable = &self.applicable;
        let identified = self.principal.has_identity();
        let root = matches!(self.principal, Principal::Root { .. });
        let boundary = applicable.boundary.filter(|_| identified && !root);
        let asking = Asking {
            case: self,
            action: self.action.to_ascii_lowercase(),
            bounded: boundary.is_some(),
        };
        let mut found = Found::default();
        if identified {
            let policies = applicable.identity.iter();
            found.identity =
                asking.layer(space, PolicyKind::Identity, None, policies, &mut found.denies)?;
            if let Some(policy) = boundary {
                let policies = std::iter::once(policy);
                let denies = &mut found.denies;
                found.boundary =
                    Some(asking.layer(space, PolicyKind::Boundary, None, policies, denies)?);
            }
            for (level, policies) in applicable.scps.iter().enumerate() {
                let kind = PolicyKind::ServiceControl;
                let list: Vec<Attached<'a>> = policies.iter().collect();
                let list = list.into_iter();
                let clauses = asking.layer(space, kind, Some(level), list, &mut found.denies)?;
                found.scps.push(clauses);
            }
        }
        if !applicable.rcps.is_empty() && self.meets_rcps() {
            for (level, policies) in applicable.rcps.iter().enumerate() {
                let kind = PolicyKind::ResourceControl;
                let list: Vec<Attached<'a>> = policies.iter().collect();
                let list = list.into_iter();
                asking.layer(space, kind, Some(level), list, &mut found.denies)?;
            }
        }
        if let Some(policy) = applicable.resource
            && self.meets_resource_policy()
        {
            let trust = policy.source.kind == SourceKind::Trust;
            let kind = if trust { PolicyKind::Trust } else { PolicyKind::Resource };
            let policies = std::iter::once(policy);
            found.resource = asking.layer(space, kind, None, policies, &mut found.denies)?;
        }
        Some(found)
    }

    /// The ways in which layers can allow together, each a list of layers of which each must.
    fn paths<'f>(&self, found: &'f Found) -> Vec<Vec<&'f [Clause]>> {
        let always: Vec<&[Clause]> = found.scps.iter().map(Vec::as_slice).collect();
        let resource = |grade: Grade| {
            let at = found.resource.partition_point(|clause| clause.grade >= grade);
            found.resource.get(..at).unwrap_or_default()
        };
        let root = matches!(self.principal, Principal::Root { .. });
        let mut out = Vec::new();
        let mut add = |layers: &[&'f [Clause]]| {
            let mut path = always.clone();
            path.extend(layers);
            if path.iter().all(|layer| !layer.is_empty()) {
                out.push(path);
            }
        };
        let Some(caller) = self.principal.account() else {
            add(&[resource(Grade::Direct)]);
            return out;
        };
        let mut held: Vec<&[Clause]> = Vec::new();
        held.extend(found.boundary.as_deref());
        let identity: Vec<&[Clause]> =
            if root { held.clone() } else { [&[&*found.identity][..], &held].concat() };
        let delegated = is_delegated(self.action, self.resource);
        if resource_owner(&self.request(self.context)) == Some(caller) {
            let assumes = self.action.eq_ignore_ascii_case("sts:AssumeRole");
            if assumes {
                add(&[&[resource(Grade::Direct)][..], &held].concat()); // TR-5
            } else {
                add(&[resource(Grade::Direct)]);
            }
            add(&[&[resource(Grade::Parent)][..], &held].concat());
            if delegated {
                add(&[&[resource(Grade::Account)][..], &identity].concat());
            } else {
                add(&identity);
            }
        } else {
            add(&[&[resource(Grade::Account)][..], &identity].concat());
        }
        out
    }

    /// Whether RCPs bear on the request, as the engine has it: it is asked with one that denies
    /// everything.
    fn meets_rcps(&self) -> bool {
        let levels: Levels<'_> = std::iter::once(Policies::from_iter(refusal())).collect();
        self.refuses(&Applicable { rcps: levels, ..Applicable::default() })
    }

    /// Whether the policy of the resource is asked at all (ROOT-6).
    fn meets_resource_policy(&self) -> bool {
        !matches!(self.principal, Principal::Root { .. })
            || self.refuses(&Applicable { resource: refusal(), ..Applicable::default() })
    }

    fn refuses(&self, applicable: &Applicable<'_>) -> bool {
        let decision = decide(&self.request(self.context), applicable);
        matches!(decision.reason, Reason::ExplicitDeny { .. })
    }
}

/// A case as statements are asked it.
struct Asking<'c, 'a> {
    case: &'c Case<'a>,
    action: String,
    bounded: bool,
}

impl<'a> Asking<'_, 'a> {
    /// The Allows of a layer, strongest grade and fewest conditions first; its Denies go to the
    /// others. Nothing if one of these always holds.
    fn layer(
        &self,
        space: &mut Space<'a>,
        kind: PolicyKind,
        level: Option<usize>,
        policies: impl Iterator<Item = Attached<'a>>,
        denies: &mut Vec<Clause>,
    ) -> Option<Vec<Clause>> {
        let mut allows: Vec<Clause> = Vec::new();
        for policy in policies {
            for (at, statement) in policy.document.statements().iter().enumerate() {
                let open = self.pin(space, statement);
                let request = self.case.request(&space.base);
                let mut grade = statement.meets(&request, &self.action, self.bounded);
                if open && space.is_hopeful() {
                    grade = self.hoped(statement);
                }
                if grade == Grade::None {
                    continue;
                }
                let Some(atoms) = space.residual(statement) else { continue };
                let place = || Place::new(kind, level, &policy, at);
                if statement.effect() == Effect::Allow {
                    let covers = |held: &Clause| {
                        held.grade >= grade && held.atoms.iter().all(|atom| atoms.contains(atom))
                    };
                    if !allows.iter().any(covers) {
                        allows.push(Clause { atoms, place: place(), grade });
                    }
                } else if atoms.is_empty() {
                    return None;
                } else {
                    denies.push(Clause { atoms, place: place(), grade });
                }
            }
        }
        allows.sort_by(|left, right| {
            right.grade.cmp(&left.grade).then(left.atoms.len().cmp(&right.atoms.len()))
        });
        Some(allows)
    }

    /// Variables in resources that hang on the request get a value, if with some value the
    /// pattern matches. Whether there are such.
    fn pin(&self, space: &mut Space<'a>, statement: &Statement) -> bool {
        let mut open = false;
        if !statement.resources().any(|text| text.contains("${")) {
            return open;
        }
        for tokens in statement.resource_tokens().into_iter().flatten() {
            let widest: Vec<Token> = tokens
                .iter()
                .map(|token| match token {
                    Token::Variable { key, .. } if !space.is_known(key) => Token::Star,
                    token => token.clone(),
                })
                .collect();
            let glob = Glob::new(&widest, false, &space.base, &mut |_| None);
            if widest == tokens || !glob.is_some_and(|glob| glob.matches(self.case.resource)) {
                continue;
            }
            open = true;
            for token in tokens {
                if let Token::Variable { key, .. } = token {
                    space.sample(&key);
                }
            }
        }
        open
    }

    /// How a statement means the request at best, its resource open: as an Allow as strongly as
    /// may be, as a Deny not at all.
    fn hoped(&self, statement: &Statement) -> Grade {
        let folded = [self.action.clone()];
        let prefix = self.action.split_once(':').map_or("", |(prefix, _)| prefix);
        let means = statement.effect() == Effect::Allow
            && statement.meant_of(prefix, &folded).next().is_some()
            && statement.means_caller(self.case.principal);
        if means { Grade::Direct } else { Grade::None }
    }
}

fn is_free(way: &[&Clause]) -> bool {
    way.iter().all(|clause| clause.atoms.is_empty())
}

/// One statement of each layer of a path, simplest first. `cut` if these are not all.
fn combinations<'f>(paths: &[Vec<&'f [Clause]>], cut: &mut bool) -> Vec<Vec<&'f Clause>> {
    let mut out: Vec<Vec<&Clause>> = Vec::new();
    for path in paths {
        let mut found: Vec<Vec<&Clause>> = vec![Vec::new()];
        for layer in path {
            // One without conditions is as good as all others.
            let free = layer.iter().find(|clause| clause.atoms.is_empty());
            let choices: Vec<&Clause> =
                free.map_or_else(|| layer.iter().collect(), |clause| vec![clause]);
            let mut next = Vec::new();
            for held in &found {
                for clause in &choices {
                    let mut more = held.clone();
                    more.push(*clause);
                    next.push(more);
                }
            }
            if next.len() > MAX_COMBINATIONS {
                *cut = true;
                next.truncate(MAX_COMBINATIONS);
            }
            found = next;
        }
        out.extend(found);
    }
    let weight = |way: &Vec<&Clause>| way.iter().map(|clause| clause.atoms.len()).sum::<usize>();
    out.sort_by_key(weight);
    out
}

/// Puts what was found into a context.
pub(super) fn put(context: &mut Context, found: &BTreeMap<String, Vec<String>>) {
    for (key, values) in found {
        match values.as_slice() {
            [one] if !is_multivalued(key) => context.put(key.as_str(), one),
            _ => context.put_list(key.as_str(), values.iter().map(String::as_str)),
        }
    }
}

fn is_multivalued(key: &str) -> bool {
    let catalog = bailiwick_catalog::Catalog::embedded();
    catalog.condition_key(key).is_some_and(|key| key.multivalued)
}

/// A policy that denies everything to everyone.
fn refusal() -> Option<Attached<'static>> {
    static REFUSAL: LazyLock<Option<(Source, Document)>> = LazyLock::new(|| {
        let text = r#"{"Version": "2012-10-17", "Statement":
            {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}}"#;
        let document = Document::parse(text, DocumentKind::Resource).ok()?;
        Some((Source::new("refusal", SourceKind::Resource), document))
    });
    REFUSAL.as_ref().map(|(source, document)| Attached { source, document })
}

/// Keys that follow from the caller.
const OF_CALLER: [&str; 8] = [
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalisawsservice",
    "aws:principalservicename",
    "aws:principalservicenameslist",
    "aws:principaltype",
    "aws:userid",
    "aws:username",
];
