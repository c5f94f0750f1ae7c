//! What a caller may do through all layers together: identity policies, boundary, session, SCPs,
//! RCPs, endpoints and the policy of the resource (EV-4, EV-5).
//!
//! A request is allowed if no layer denies it and one of the ways to allow it is open. A way is a
//! list of layers of which each must allow: so each is asked in turn, every statement of it cuts
//! the region down, and what is left in the end is tried against the denials.

use std::rc::Rc;

use bailiwick_identifiers::AccountId;
use bailiwick_policy::{
    Applicable, Context, Document, Effect, Policies, Principal, Request, decide, is_delegated,
};

use crate::access::{Access, AccessError};
use crate::answer::{Answer, Reason, Witness};
use crate::claim::Asker;
use crate::grade::{Grade, governed, grade_of};
use crate::key::KeySet;
use crate::question::{Clause, Literal, Question, Region};
use crate::relevant::Relevant;
use crate::search::{Outcome, Search};
use crate::witness::examples;

/// A caller with all that bears on its requests.
#[derive(Clone, Copy, Debug)]
pub struct Layers<'a, 'p> {
    /// Who calls.
    pub principal: &'a Principal,
    /// The context keys that are known of the caller: those of [`Context::put_principal`], its
    /// tags, its organization. All other keys vary, but for those that follow from a caller and
    /// are missing here, and the tags of a user.
    pub facts: &'a Context,
    /// The policies.
    pub applicable: &'a Applicable<'p>,
    /// The owner of the resources that are asked for, where their ARNs do not say it (IN-7).
    pub resource_account: Option<AccountId>,
}

/// Actions that need no permission (EV-11).
const FREE: [&str; 2] = ["sts:getcalleridentity", "sts:getsessiontoken"];

/// What no policy of a bucket or queue refuses to its owner's root (ROOT-6).
const OWNERS: [&str; 5] = [
    "s3:deletebucketpolicy",
    "s3:getbucketpolicy",
    "s3:putbucketpolicy",
    "sqs:getqueueattributes",
    "sqs:setqueueattributes",
];

impl Asker {
    /// Whether none of these accesses is allowed to the caller by all layers together. A failure
    /// has a request that is allowed, as the engine's decision over all layers confirms; its
    /// context holds what the request needs beyond the facts: nothing, if any request that has
    /// nothing beyond them is allowed.
    ///
    /// Without a policy of the resource only the caller's own account is in reach (EV-7), and no
    /// role trust nor KMS key is (DLG-2). Actions that need no permission are left out (EV-11).
    ///
    /// # Errors
    /// An action or a resource is none that a policy could have.
    pub fn out_of_reach(
        &self,
        layers: &Layers<'_, '_>,
        access: &[Access<'_>],
    ) -> Result<Answer, AccessError> {
        if access.is_empty() || layers.applicable.unreadable.is_some() {
            return Ok(Answer::Holds);
        }
        let relevant = Relevant::new(access);
        if !layers.may_grant(&relevant) {
            return Ok(Answer::Holds);
        }
        let asked = Access::document(access)?;
        Ok(Reach::new(*self, layers, &asked, &relevant).answer())
    }
}

impl Layers<'_, '_> {
    /// Whether some layer that can grant has a statement on one of the actions.
    fn may_grant(&self, relevant: &Relevant<'_>) -> bool {
        let all = self.applicable;
        let identity = all.identity.iter().map(|policy| policy.document);
        let mut documents = identity.chain(all.resource.map(|policy| policy.document));
        let root = matches!(self.principal, Principal::Root { .. });
        root || documents.any(|document| {
            let mut statements = document.statements().iter();
            statements.any(|one| one.effect() == Effect::Allow && relevant.to(one))
        })
    }

    fn bounded(&self) -> bool {
        let root = matches!(self.principal, Principal::Root { .. });
        self.applicable.boundary.is_some() && self.principal.has_identity() && !root
    }

    /// Whether neither SCPs nor RCPs limit the caller (SCP-3).
    fn is_service_linked(&self) -> bool {
        let (Principal::Session { role_arn: arn, .. } | Principal::Role { arn, .. }) =
            self.principal
        else {
            return false;
        };
        arn.splitn(6, ':').nth(5).is_some_and(|part| part.starts_with("role/aws-service-role/"))
    }

    fn allows(&self, request: &Request<'_>) -> bool {
        decide(request, self.applicable).is_allowed()
    }
}

fn list<'p>(policies: &Policies<'p>) -> Vec<&'p Document> {
    policies.iter().map(|policy| policy.document).collect()
}

/// The sides of the question, by place.
struct Sides {
    identity: usize,
    boundary: Option<usize>,
    session: Option<usize>,
    /// Levels that must allow: SCPs and endpoints.
    levels: Vec<usize>,
    rcps: usize,
    resource: Option<usize>,
}

/// One question about all layers.
struct Reach<'a, 'p> {
    layers: &'a Layers<'a, 'p>,
    question: Question,
    sides: Sides,
    /// The Allow statements of the policy of the resource by how exactly they mean the caller.
    grades: Vec<Grade>,
}

/// A list of layers of which each must allow.
type Way<'c> = Vec<Vec<&'c Clause>>;

impl<'a, 'p> Reach<'a, 'p> {
    fn new(
        asker: Asker,
        layers: &'a Layers<'a, 'p>,
        wanted: &Document,
        relevant: &Relevant<'_>,
    ) -> Self {
        let all = layers.applicable;
        let identified = layers.principal.has_identity();
        let mut documents: Vec<Vec<&Document>> = vec![vec![wanted]];
        let mut add = |list: Vec<&'p Document>| {
            documents.push(list);
            documents.len() - 1
        };
        let identity = add(if identified { list(&all.identity) } else { Vec::new() });
        let boundary = all.boundary.filter(|_| layers.bounded());
        let boundary = boundary.map(|policy| add(vec![policy.document]));
        let session =
            all.session.as_ref().filter(|_| identified).map(|policies| add(list(policies)));
        let linked = layers.is_service_linked();
        let mut levels = Vec::new();
        if identified && !linked {
            levels.extend(all.scps.iter().map(|level| add(list(&level))));
        }
        levels.extend(all.endpoints.iter().map(|endpoint| add(vec![endpoint.policy.document])));
        let rcps = if linked { Vec::new() } else { all.rcps.policies().collect() };
        let rcps = add(rcps.into_iter().map(|policy| policy.document).collect());
        let resource = all.resource.map(|policy| add(vec![policy.document]));
        let sides = Sides { identity, boundary, session, levels, rcps, resource };
        let mut question = Question::of_one(
            &documents,
            layers.principal,
            layers.facts,
            layers.bounded(),
            asker.limits(),
            relevant,
        );
        if all.endpoints.iter().any(|endpoint| endpoint.gateway) {
            question.gap = Some("policies of gateway endpoints are not followed");
        }
        if !all.grants.is_empty() {
            question.gap = Some("grants on keys are not followed");
        }
        let mut reach = Self { layers, question, sides, grades: Vec::new() };
        reach.except();
        if let (Some(policy), Some(side)) = (all.resource, reach.side(reach.sides.resource)) {
            let statements = policy.document.statements();
            let place = |clause: &Clause| statements.get(clause.place.1);
            let grade = |statement| grade_of(policy.document, statement, layers.principal);
            let found = side.allows.iter();
            reach.grades = found.map(|clause| place(clause).map_or(Grade::None, grade)).collect();
        }
        reach
    }

    /// AWS's exceptions, as literals more.
    fn except(&mut self) {
        let action = |question: &mut Question, list: &[String], listed: bool| {
            Literal::Action(question.plain_list(list), listed)
        };
        // RCP-4, RCP-6
        let governed = action(&mut self.question, governed(), true);
        let retires = action(&mut self.question, &["kms:retiregrant".to_owned()], false);
        let named = Literal::Resource(self.question.plain_list(&["*".to_owned()]), false);
        if let Some(side) = self.question.sides.get_mut(self.sides.rcps) {
            for deny in &mut side.denies {
                deny.literals.extend([governed.clone(), retires.clone(), named.clone()]);
            }
        }
        // ROOT-6
        let root = matches!(self.layers.principal, Principal::Root { .. });
        let owners = action(&mut self.question, &OWNERS.map(str::to_owned), false);
        if let Some(side) =
            self.sides.resource.filter(|_| root).and_then(|at| self.question.sides.get_mut(at))
        {
            for clause in side.allows.iter_mut().chain(&mut side.denies) {
                clause.literals.push(owners.clone());
            }
        }
    }

    fn side(&self, at: Option<usize>) -> Option<&crate::question::Side> {
        self.question.sides.get(at?)
    }

    fn allows(&self, at: usize) -> Vec<&Clause> {
        self.question.sides.get(at).map(|side| side.allows.iter().collect()).unwrap_or_default()
    }

    /// Resource statements of at least, or of just, a grade.
    fn granting(&self, pass: impl Fn(Grade) -> bool) -> Vec<&Clause> {
        let Some(side) = self.side(self.sides.resource) else { return Vec::new() };
        let graded = side.allows.iter().zip(&self.grades);
        graded.filter(|(_, grade)| pass(**grade)).map(|(clause, _)| clause).collect()
    }

    /// The identity policies, but for root, who needs none (ROOT-1).
    fn identity(&self) -> Way<'_> {
        let root = matches!(self.layers.principal, Principal::Root { .. });
        if root { Vec::new() } else { vec![self.allows(self.sides.identity)] }
    }

    /// A way that the boundary, and maybe the session, must allow too.
    fn limited<'c>(&'c self, mut way: Way<'c>, session: bool) -> Way<'c> {
        way.extend(self.sides.boundary.map(|at| self.allows(at)));
        let federated = matches!(self.layers.principal, Principal::FederatedUser { .. });
        match self.sides.session.filter(|_| session) {
            Some(at) => way.push(self.allows(at)),
            // SES-5
            None if session && federated => way.push(Vec::new()),
            None => {}
        }
        way
    }

    fn answer(mut self) -> Answer {
        let parts = Parts::new(&mut self.question, self.layers);
        // First what is allowed with no key beyond the facts.
        let (found, _) = self.find(&parts, &self.bare());
        if let Some(found) = found {
            return found;
        }
        let (found, unknown) = self.find(&parts, &self.question.all);
        found.or(unknown.map(Answer::Undecided)).unwrap_or(Answer::Holds)
    }

    /// The requests in which every key is absent that may be.
    fn bare(&self) -> Region {
        let mut region = self.question.all.clone();
        for set in region.keys.iter_mut().filter(|set| set.absent) {
            *set = Rc::new(KeySet { absent: true, single: None, multi: None });
        }
        region
    }

    /// A request that is allowed, or else why there may be one.
    fn find(&self, literals: &Parts, base: &Region) -> (Option<Answer>, Option<Reason>) {
        let account = self.layers.principal.account();
        let confirm = |region: &Region| self.confirm(region);
        let search = Search { question: &self.question, confirm: &confirm };
        let mut denies: Vec<&Clause> = vec![&literals.free];
        for side in &self.question.sides {
            denies.extend(&side.denies);
        }
        let mut unknown = self.question.gap.map(Reason::Unmodelled);
        let mut go = |inside: &[&Literal], outside: &[&Clause], way: Way<'_>| {
            let mut region = base.clone();
            for literal in inside {
                match search.apply(&region, literal, true) {
                    Some(narrower) => region = narrower,
                    None => return None,
                }
            }
            let mut list = denies.clone();
            list.extend(outside);
            let mut levels = vec![self.allows(0)];
            levels.extend(way);
            levels.extend(self.sides.levels.iter().map(|at| self.allows(*at)));
            match search.through(region, &levels, &list) {
                Outcome::Nothing => None,
                Outcome::Unknown(reason) => {
                    unknown = unknown.or(Some(reason));
                    None
                }
                Outcome::Found(witness) => Some(Answer::Fails(*witness)),
            }
        };
        if account.is_none() {
            // EV-8, EV-9, TR-6
            let way = vec![self.granting(|grade| grade == Grade::Direct)];
            return (go(&[], &[], way), unknown);
        }
        let not_delegated: Vec<&Clause> = literals.delegated.iter().collect();
        let direct = || self.granting(|grade| grade == Grade::Direct);
        let with_identity = || {
            let mut way = vec![self.granting(|grade| grade > Grade::None)];
            way.extend(self.identity());
            way
        };
        let mut found = go(&[&literals.own], &not_delegated, self.limited(self.identity(), true));
        if self.sides.resource.is_some() {
            // D and TR-5, R
            let way = vec![direct()];
            found = found.or_else(|| go(&[&literals.own, &literals.unlimited], &[], way));
            found =
                found.or_else(|| go(&[&literals.own], &[], self.limited(vec![direct()], false)));
            let parent = vec![self.granting(|grade| grade == Grade::Parent)];
            found = found.or_else(|| go(&[&literals.own], &[], self.limited(parent, true)));
            // DLG-2
            for clause in &literals.delegated {
                let inside: Vec<&Literal> = clause.literals.iter().chain([&literals.own]).collect();
                found = found.or_else(|| go(&inside, &[], self.limited(with_identity(), true)));
            }
            // EV-5
            found = found
                .or_else(|| go(&[&literals.foreign], &[], self.limited(with_identity(), true)));
        }
        (found, unknown)
    }

    /// A request of the region that the engine allows.
    fn confirm(&self, region: &Region) -> Result<Witness, Reason> {
        for example in examples(&self.question, region) {
            let request = Request {
                principal: self.layers.principal,
                action: &example.action,
                resource: &example.resource,
                resource_account: self.layers.resource_account,
                context: &example.context,
                delegated: is_delegated(&example.action, &example.resource),
            };
            if self.layers.allows(&request) {
                return Ok(example.witness());
            }
        }
        Err(Reason::Correlation)
    }
}

/// The parts into which requests fall before any policy is asked.
struct Parts {
    /// The resource is of the caller's account.
    own: Literal,
    /// It is of another one.
    foreign: Literal,
    /// The action is one that a direct grant allows whatever the boundary says (TR-5).
    unlimited: Literal,
    /// The policy of the resource must let the account in (DLG-1).
    delegated: Vec<Clause>,
    /// Actions that need no permission.
    free: Clause,
}

impl Parts {
    fn new(question: &mut Question, layers: &Layers<'_, '_>) -> Self {
        let account = layers.principal.account();
        // IN-7
        let unsaid_is_own = layers.resource_account.is_none() || layers.resource_account == account;
        let mut own: Vec<String> = Vec::new();
        if let Some(account) = account {
            if layers.resource_account.is_none_or(|owner| owner == account) {
                own.push(format!("arn:*:*:*:{account}:*"));
                own.push("arn:*:*:*:aws:*".to_owned());
            }
            if unsaid_is_own {
                own.push("arn:*:*:*::*".to_owned());
                own.push("*".to_owned());
            }
        }
        let own = question.arn_list(&own);
        let list = |question: &mut Question, texts: &[&str]| {
            let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
            question.plain_list(&texts)
        };
        let assumes =
            ["sts:assumerole*", "sts:tagsession", "sts:setsourceidentity", "sts:setcontext"];
        let roles = question.arn_list(&["arn:*:iam:*:*:role/*".to_owned()]);
        let keys = question.arn_list(&["arn:*:kms:*:*:key/*".to_owned()]);
        let mut both = |actions: &[&str], resources: &Rc<crate::text::PatternList>| Clause {
            literals: vec![
                Literal::Action(list(question, actions), true),
                Literal::Resource(Rc::clone(resources), true),
            ],
            place: (0, 0),
        };
        let delegated = vec![both(&assumes, &roles), both(&["kms:*"], &keys)];
        let free = list(question, &FREE);
        let free = Clause { literals: vec![Literal::Action(free, true)], place: (0, 0) };
        Self {
            own: Literal::Resource(Rc::clone(&own), true),
            foreign: Literal::Resource(own, false),
            unlimited: Literal::Action(list(question, &["sts:assumerole"]), false),
            delegated,
            free,
        }
    }
}

impl Question {
    /// A list of actions, or of whole texts, with `*` and `?`.
    fn plain_list(&mut self, texts: &[String]) -> Rc<crate::text::PatternList> {
        let each = texts.iter().filter_map(|text| {
            if text == "*" {
                return Some(self.space.patterns.literal("*"));
            }
            self.space.patterns.add(&plain(text, false), false)
        });
        let ids = each.collect();
        Rc::new(crate::text::PatternList::new(ids, &self.space.patterns))
    }

    /// A list of ARNs in which `*` stays within a field, but in the last one.
    fn arn_list(&mut self, texts: &[String]) -> Rc<crate::text::PatternList> {
        let each = texts.iter().filter_map(|text| {
            if text == "*" {
                return Some(self.space.patterns.literal("*"));
            }
            self.space.patterns.add(&plain(text, true), false)
        });
        let ids = each.collect();
        Rc::new(crate::text::PatternList::new(ids, &self.space.patterns))
    }
}

fn plain(text: &str, fields: bool) -> Vec<bailiwick_policy::Token> {
    use bailiwick_policy::Token;
    let mut out = Vec::new();
    let mut colons = 0;
    for c in text.chars() {
        colons += usize::from(c == ':');
        out.push(match c {
            '*' if fields && colons < 5 => Token::StarField,
            '*' => Token::Star,
            c => Token::Text(c.to_string().into()),
        });
    }
    out
}
