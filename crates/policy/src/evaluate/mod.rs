//! One decision: every kind of policy is asked in turn, Denies first (section 2 of the rules).
//!
//! Deciding and explaining are the same walk with another witness. A layer answers with the
//! strongest grade by which it allows, and with its first Deny; [`weigh`] puts the layers together.

mod exceptions;
mod matching;

use std::cell::OnceCell;

use bailiwick_identifiers::AccountId;
use smallvec::SmallVec;

pub use matching::Grade;
pub(crate) use matching::{Ask, Failing, Match};

use crate::document::{Effect, Statement};
use crate::{
    Applicable, Attached, Decision, DocumentKind, Levels, Policies, PolicyKind, PolicySet,
    Principal, Reason, Request, Source, SourceKind, Verdict,
};

/// Who watches the walk.
pub(crate) trait Witness {
    /// Whether every statement is asked, also after the answer is known.
    const COMPLETE: bool;
    /// Whether it wants to hear of anything at all.
    const LISTENS: bool;

    /// The policies of this kind, or of this level of it, are asked next, if there are any.
    fn layer(&mut self, _kind: PolicyKind, _level: Option<usize>) {}

    /// The statements of this policy are asked next.
    fn policy(&mut self, kind: PolicyKind, level: Option<usize>, policy: &Attached<'_>);

    /// What a statement of that policy answered.
    fn statement(&mut self, place: usize, statement: &Statement, ask: &Ask<'_>, outcome: Match);
}

/// Nobody watches.
struct Unwitnessed;

impl Witness for Unwitnessed {
    const COMPLETE: bool = false;
    const LISTENS: bool = false;

    fn policy(&mut self, _: PolicyKind, _: Option<usize>, _: &Attached<'_>) {}

    fn statement(&mut self, _: usize, _: &Statement, _: &Ask<'_>, _: Match) {}
}

/// Decides a request. What is in doubt is denied (IN-6).
pub fn decide(request: &Request<'_>, applicable: &Applicable<'_>) -> Decision {
    walk(request, applicable, &mut Unwitnessed)
}

/// What one document says by itself: whether a statement of it denies, or allows by any grade. No
/// exception, no other policy and no account plays a part.
pub fn consult_alone(document: &crate::Document, request: &Request<'_>) -> Verdict {
    let action = request.action.to_ascii_lowercase();
    let source = Source::new("document", SourceKind::UserInline);
    let attached = Attached { source: &source, document };
    let probe = OnceCell::new();
    let ask = Ask { request, action: &action, probe: &probe, bounded: false, gateway: false };
    let policy = View::one(&attached);
    let tally = consult(&ask, PolicyKind::Identity, None, policy, &mut Unwitnessed);
    match (tally.deny, tally.allow) {
        (Some(_), _) => Verdict::ExplicitDeny,
        (None, Grade::None) => Verdict::ImplicitDeny,
        (None, _) => Verdict::Allow,
    }
}

/// The account that owns the resource of a request (IN-7, IN-9).
///
/// Field five of the ARN, or the owner passed beside it, or the caller's account where neither
/// says: an action without resource happens in the caller's own account. Nothing if the two differ
/// or the field is no account.
pub fn resource_owner(request: &Request<'_>) -> Option<AccountId> {
    let caller = request.principal.account();
    let field = match request.resource.strip_prefix("arn:") {
        Some(rest) => rest.split(':').nth(3).unwrap_or_default(),
        None => "",
    };
    // A pattern in place of an account is asked by simulations only: as if it were not there.
    if field.is_empty() || field.contains('*') {
        return request.resource_account.or(caller);
    }
    let named = if field == "aws" { caller } else { field.parse().ok() };
    named.filter(|named| request.resource_account.is_none_or(|given| given == *named))
}

/// What the policies of one kind say.
#[derive(Clone, Copy, Debug, Default)]
struct Tally<'a> {
    /// The strongest grade by which a statement allows.
    allow: Grade,
    /// The first statement that denies.
    deny: Option<Denial<'a>>,
}

#[derive(Clone, Copy, Debug)]
struct Denial<'a> {
    kind: PolicyKind,
    source: &'a Source,
    /// The place of the policy among those of its layer, and of the statement in it.
    policy: usize,
    statement: usize,
    /// It denies because it cannot be understood (OP-X1).
    unclear: bool,
}

/// What all layers say, ready to be weighed.
#[allow(clippy::struct_excessive_bools, reason = "one answer a kind of policy, as in EV-4")]
struct Layers {
    endpoint: bool,
    scp: bool,
    resource: Grade,
    identity: bool,
    boundary: bool,
    session: bool,
}

pub(crate) fn walk<W: Witness>(
    request: &Request<'_>,
    applicable: &Applicable<'_>,
    witness: &mut W,
) -> Decision {
    let mut bytes: SmallVec<[u8; 96]> = SmallVec::from_slice(request.action.as_bytes());
    bytes.make_ascii_lowercase();
    let action = std::str::from_utf8(&bytes).unwrap_or_default();
    let principal = request.principal;
    let identified = principal.has_identity();
    if identified && matches!(action, "sts:getcalleridentity" | "sts:getsessiontoken") {
        return Decision { verdict: Verdict::Allow, reason: Reason::NoPermissionNeeded };
    }
    if let Some(source) = applicable.unreadable {
        let reason = Reason::EvaluationError { source: source.clone() };
        return Decision { verdict: Verdict::ExplicitDeny, reason };
    }
    let root = matches!(principal, Principal::Root { .. });
    let boundary = applicable.boundary.as_ref().filter(|_| identified && !root);
    let probe = OnceCell::new();
    let bounded = boundary.is_some();
    let ask = Ask { request, action, probe: &probe, bounded, gateway: false };
    match layers(&ask, applicable, boundary, witness) {
        Ok(layers) => weigh(&ask, applicable, &layers),
        Err(denial) => {
            let source = denial.source.clone();
            let Denial { kind, statement, .. } = denial;
            let reason = if denial.unclear {
                Reason::EvaluationError { source }
            } else {
                Reason::ExplicitDeny { kind, source, statement }
            };
            Decision { verdict: Verdict::ExplicitDeny, reason }
        }
    }
}

/// Asks all kinds of policy in the order of SIM-15. The first Deny ends it (EV-2), unless the
/// witness wants to hear all.
fn layers<'a, W: Witness>(
    ask: &Ask<'_>,
    applicable: &Applicable<'a>,
    boundary: Option<&Attached<'a>>,
    witness: &mut W,
) -> Result<Layers, Denial<'a>> {
    let identified = ask.request.principal.has_identity();
    let mut first: Option<Denial<'a>> = None;
    let mut settle = |tally: Tally<'a>| {
        first = first.or(tally.deny);
        if W::COMPLETE { Ok(tally.allow) } else { first.map_or(Ok(tally.allow), Err) }
    };
    let some = |grade: Grade| grade > Grade::None;

    let mut endpoint = true;
    for found in &applicable.endpoints {
        let ask = Ask { gateway: found.gateway, ..*ask };
        let policy = View::one(&found.policy);
        endpoint &= some(settle(consult(&ask, PolicyKind::Endpoint, None, policy, witness))?);
    }
    if !applicable.rcps.is_empty() && exceptions::meets_rcps(ask) {
        for (level, policies) in View::levels(&applicable.rcps).enumerate() {
            settle(consult(ask, PolicyKind::ResourceControl, Some(level), policies, witness))?;
        }
    }
    let mut scp = true;
    let scps = identified && !applicable.scps.is_empty();
    if scps && !exceptions::is_service_linked(ask.request.principal) {
        for (level, policies) in View::levels(&applicable.scps).enumerate() {
            let tally = consult(ask, PolicyKind::ServiceControl, Some(level), policies, witness);
            scp &= some(settle(tally)?);
        }
    }
    let mut resource = Grade::None;
    if let Some(policy) = &applicable.resource
        && !exceptions::is_bucket_owner(ask)
    {
        let kind = resource_kind(ask, applicable);
        resource = settle(consult(ask, kind, None, View::one(policy), witness))?;
    }
    let mut layers = Layers {
        endpoint,
        scp,
        resource: resource.max(granted(ask, applicable)),
        identity: matches!(ask.request.principal, Principal::Root { .. }), // ROOT-1
        boundary: true,
        // SES-5
        session: !matches!(ask.request.principal, Principal::FederatedUser { .. }),
    };
    if identified {
        if !(layers.identity && applicable.identity.is_empty()) {
            let policies = View::of(&applicable.identity);
            let tally = consult(ask, PolicyKind::Identity, None, policies, witness);
            layers.identity |= some(settle(tally)?);
        }
        if let Some(policy) = boundary {
            let tally = consult(ask, PolicyKind::Boundary, None, View::one(policy), witness);
            layers.boundary = some(settle(tally)?);
        }
        if let Some(policies) = &applicable.session {
            let tally = consult(ask, PolicyKind::Session, None, View::of(policies), witness);
            layers.session = some(settle(tally)?);
        }
    }
    first.map_or(Ok(layers), Err)
}

/// The grade by which a live grant names the caller for this action on a key (DLG-5).
fn granted(ask: &Ask<'_>, applicable: &Applicable<'_>) -> Grade {
    let grants = if ask.request.delegated { applicable.grants } else { &[] };
    let grants = grants.iter().filter(|grant| grant.covers(ask.action));
    let grades = grants.map(|grant| ask.entry_grade(&grant.grantee, Effect::Allow));
    grades.max().unwrap_or_default()
}

/// The policies of one layer, as they are consulted.
#[derive(Clone, Copy)]
enum View<'a, 'v> {
    Listed(&'v [Attached<'a>]),
    Compiled(&'a PolicySet),
}

impl<'a, 'v> View<'a, 'v> {
    fn one(policy: &'v Attached<'a>) -> Self {
        Self::Listed(std::slice::from_ref(policy))
    }

    fn of(policies: &'v Policies<'a>) -> Self {
        match policies {
            Policies::Listed(list) => Self::Listed(list),
            Policies::Compiled(set) => Self::Compiled(set),
        }
    }

    fn levels(levels: &'v Levels<'a>) -> impl Iterator<Item = Self> {
        let (listed, compiled): (&[Policies<'a>], &'a [PolicySet]) = match levels {
            Levels::Listed(list) => (list, &[]),
            Levels::Compiled(sets) => (&[], sets),
        };
        listed.iter().map(Self::of).chain(compiled.iter().map(Self::Compiled))
    }
}

/// The policies of one kind, or of one level of it: a union.
fn consult<'a, W: Witness>(
    ask: &Ask<'_>,
    kind: PolicyKind,
    level: Option<usize>,
    policies: View<'a, '_>,
    witness: &mut W,
) -> Tally<'a> {
    let mut tally = Tally::default();
    witness.layer(kind, level);
    match policies {
        View::Listed(list) => {
            for (place, policy) in list.iter().enumerate() {
                consult_policy(ask, kind, level, (place, policy), witness, &mut tally);
            }
        }
        View::Compiled(set) => {
            if !W::LISTENS
                && let Some(candidates) = set.candidates(|| ask.probe())
            {
                for found in candidates {
                    let place = Place { policy: found.policy, statement: found.place };
                    tally.ask(ask, kind, &found.attached, place, found.statement);
                }
                return tally;
            }
            for (place, policy) in set.iter().enumerate() {
                consult_policy(ask, kind, level, (place, &policy), witness, &mut tally);
            }
        }
    }
    tally
}

fn consult_policy<'a, W: Witness>(
    ask: &Ask<'_>,
    kind: PolicyKind,
    level: Option<usize>,
    (policy_place, policy): (usize, &Attached<'a>),
    witness: &mut W,
    tally: &mut Tally<'a>,
) {
    witness.policy(kind, level, policy);
    let statements = policy.document.statements();
    let place = |statement| Place { policy: policy_place, statement };
    if W::COMPLETE {
        for (at, statement) in statements.iter().enumerate() {
            let outcome = ask.check(statement);
            witness.statement(at, statement, ask, outcome);
            tally.add(kind, policy, place(at), statement, outcome);
        }
        return;
    }
    let candidates = policy.document.candidates(|| ask.probe());
    if W::LISTENS {
        let mut places: Vec<usize> = match candidates {
            Some(found) => found.collect(),
            None => (0..statements.len()).collect(),
        };
        places.sort_unstable();
        places.dedup();
        for at in places {
            if let Some(statement) = statements.get(at).filter(|s| tally.wants(s, place(at))) {
                let outcome = ask.check(statement);
                witness.statement(at, statement, ask, outcome);
                tally.add(kind, policy, place(at), statement, outcome);
            }
        }
    } else if let Some(found) = candidates {
        for at in found {
            if let Some(statement) = statements.get(at) {
                tally.ask(ask, kind, policy, place(at), statement);
            }
        }
    } else {
        for (at, statement) in statements.iter().enumerate() {
            tally.ask(ask, kind, policy, place(at), statement);
        }
    }
}

/// Where a statement stands in its layer.
#[derive(Clone, Copy)]
struct Place {
    policy: usize,
    statement: usize,
}

impl<'a> Tally<'a> {
    /// Asks a statement, if its answer could still count.
    fn ask(
        &mut self,
        ask: &Ask<'_>,
        kind: PolicyKind,
        policy: &Attached<'a>,
        place: Place,
        statement: &Statement,
    ) {
        if self.wants(statement, place) {
            self.add(kind, policy, place, statement, ask.check(statement));
        }
    }

    /// Whether a statement could still change the tally: an Allow cannot add to a full one, nor to
    /// a Deny, and of several Denies the first in order is named, however they are found.
    fn wants(&self, statement: &Statement, place: Place) -> bool {
        match (&self.deny, statement.effect) {
            (Some(deny), Effect::Deny) => {
                (place.policy, place.statement) < (deny.policy, deny.statement)
            }
            (Some(_), Effect::Allow) => false,
            (None, Effect::Deny) => true,
            (None, Effect::Allow) => self.allow < Grade::Direct,
        }
    }

    fn add(
        &mut self,
        kind: PolicyKind,
        policy: &Attached<'a>,
        place: Place,
        statement: &Statement,
        outcome: Match,
    ) {
        let unclear = outcome == Match::Unclear;
        match (outcome, statement.effect) {
            (Match::Yes(grade), Effect::Allow) => self.allow = self.allow.max(grade),
            (Match::Yes(_) | Match::Unclear, Effect::Deny) => {
                let Place { policy: at, statement } = place;
                let found = Denial { kind, source: policy.source, policy: at, statement, unclear };
                let earlier = |held: &Denial<'_>| (held.policy, held.statement) <= (at, statement);
                self.deny = self.deny.filter(earlier).or(Some(found));
            }
            (Match::Unclear, Effect::Allow) | (Match::No(_), _) => {}
        }
    }
}

/// No policy denies: do they allow? EV-4, EV-5, DLG-2 and the exceptions, in one place.
fn weigh(ask: &Ask<'_>, applicable: &Applicable<'_>, layers: &Layers) -> Decision {
    let of_resource = resource_kind(ask, applicable);
    let missing =
        |kind| Decision { verdict: Verdict::ImplicitDeny, reason: Reason::MissingAllow { kind } };
    let allowed = |by| Decision { verdict: Verdict::Allow, reason: Reason::Allowed { by } };
    if !layers.endpoint {
        return missing(PolicyKind::Endpoint); // EP-2
    }
    if !layers.scp {
        return missing(PolicyKind::ServiceControl); // SCP-1
    }
    let request = ask.request;
    let grade = layers.resource;
    let Some(caller) = request.principal.account() else {
        // EV-8, EV-9, TR-6: the resource policy alone decides.
        let direct = grade == Grade::Direct;
        return if direct { allowed(of_resource) } else { missing(of_resource) };
    };
    let own = resource_owner(request) == Some(caller);
    // TR-5: a boundary also limits direct grants of sts:AssumeRole.
    let unlimited = grade == Grade::Direct && (layers.boundary || ask.action != "sts:assumerole");
    if own && unlimited {
        return allowed(of_resource); // PR-1, D
    }
    // SIM-15: which of the two grants is missed, if one is.
    let lacking = if own && grade >= Grade::Parent {
        None // PR-2, R; or a direct grant that TR-5 limits
    } else if own && !request.delegated {
        (!layers.identity).then_some(PolicyKind::Identity)
    } else if grade == Grade::None {
        // EV-7, DLG-2
        let key_policy = of_resource == PolicyKind::Resource && request.delegated;
        Some(if layers.identity || key_policy { of_resource } else { PolicyKind::Identity })
    } else {
        (!layers.identity).then_some(PolicyKind::Identity)
    };
    if let Some(kind) = lacking {
        return missing(kind);
    }
    if !layers.boundary {
        return missing(PolicyKind::Boundary); // PB-3
    }
    // A direct grant comes after the session policy, so only TR-5 limits it (SES-4).
    let after_session = own && grade == Grade::Direct;
    if !layers.session && !after_session {
        return missing(PolicyKind::Session); // SES-2, SES-3, SES-7
    }
    allowed(if own && grade >= Grade::Parent { of_resource } else { PolicyKind::Identity })
}

/// Whether the policy of the resource is called a trust policy.
fn resource_kind(ask: &Ask<'_>, applicable: &Applicable<'_>) -> PolicyKind {
    let trust = match &applicable.resource {
        Some(policy) => {
            policy.source.kind == SourceKind::Trust || policy.document.kind() == DocumentKind::Trust
        }
        // SES-9: tags and source identity are let in by the trust policy too.
        None => {
            ask.action.starts_with("sts:assumerole")
                || (ask.action.starts_with("sts:")
                    && crate::is_delegated(ask.action, ask.request.resource))
        }
    };
    if trust { PolicyKind::Trust } else { PolicyKind::Resource }
}
