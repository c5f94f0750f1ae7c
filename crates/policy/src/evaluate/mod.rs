//! One decision: every kind of policy is asked in turn, Denies first (section 2 of the rules).
//!
//! Deciding and explaining are the same walk with another witness. A layer answers with the
//! strongest grade by which it allows, and with its first Deny; [`weigh`] puts the layers together.

mod matching;

use bailiwick_identifiers::AccountId;
use smallvec::SmallVec;

pub(crate) use matching::{Ask, Failing, Grade, Match};

use crate::document::{Effect, Statement};
use crate::{
    Applicable, Attached, Decision, DocumentKind, PolicyKind, Principal, Reason, Request, Source,
    SourceKind, Verdict,
};

/// Who watches the walk.
pub(crate) trait Witness {
    /// Whether every statement is asked, also after the answer is known.
    const COMPLETE: bool;

    /// The statements of this policy are asked next.
    fn policy(&mut self, kind: PolicyKind, level: Option<usize>, policy: &Attached<'_>);

    /// What a statement of that policy answered.
    fn statement(&mut self, place: usize, statement: &Statement, ask: &Ask<'_>, outcome: Match);
}

/// Nobody watches.
struct Unwitnessed;

impl Witness for Unwitnessed {
    const COMPLETE: bool = false;

    fn policy(&mut self, _: PolicyKind, _: Option<usize>, _: &Attached<'_>) {}

    fn statement(&mut self, _: usize, _: &Statement, _: &Ask<'_>, _: Match) {}
}

/// Decides a request. What is in doubt is denied (IN-6).
pub fn decide(request: &Request<'_>, applicable: &Applicable<'_>) -> Decision {
    walk(request, applicable, &mut Unwitnessed)
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
    match (named, request.resource_account) {
        (Some(named), Some(given)) => (named == given).then_some(named),
        (named, None) => named,
        (None, given) => given,
    }
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
    let bytes: SmallVec<[u8; 96]> =
        request.action.bytes().map(|b| b.to_ascii_lowercase()).collect();
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
    let ask = Ask { request, action, bounded: boundary.is_some(), gateway: false };
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
    if let Some(found) = &applicable.endpoint {
        let ask = Ask { gateway: found.gateway, ..*ask };
        let policy = std::slice::from_ref(&found.policy);
        endpoint = some(settle(consult(&ask, PolicyKind::Endpoint, None, policy, witness))?);
    }
    for (level, policies) in applicable.rcps.iter().enumerate() {
        settle(consult(ask, PolicyKind::ResourceControl, Some(level), policies, witness))?;
    }
    let mut scp = true;
    for (level, policies) in applicable.scps.iter().enumerate().filter(|_| identified) {
        let tally = consult(ask, PolicyKind::ServiceControl, Some(level), policies, witness);
        scp &= some(settle(tally)?);
    }
    let resource = applicable.resource.as_slice();
    let kind = resource_kind(ask, applicable);
    let resource = settle(consult(ask, kind, None, resource, witness))?;
    let mut layers = Layers {
        endpoint,
        scp,
        resource,
        identity: matches!(ask.request.principal, Principal::Root { .. }), // ROOT-1
        boundary: true,
        session: true,
    };
    if identified {
        let tally = consult(ask, PolicyKind::Identity, None, &applicable.identity, witness);
        layers.identity |= some(settle(tally)?);
        if let Some(policy) = boundary {
            let policy = std::slice::from_ref(policy);
            let tally = consult(ask, PolicyKind::Boundary, None, policy, witness);
            layers.boundary = some(settle(tally)?);
        }
        if let Some(policies) = &applicable.session {
            let tally = consult(ask, PolicyKind::Session, None, policies, witness);
            layers.session = some(settle(tally)?);
        }
    }
    first.map_or(Ok(layers), Err)
}

/// The policies of one kind, or of one level of it: a union.
fn consult<'a, W: Witness>(
    ask: &Ask<'_>,
    kind: PolicyKind,
    level: Option<usize>,
    policies: &[Attached<'a>],
    witness: &mut W,
) -> Tally<'a> {
    let mut tally = Tally::default();
    for policy in policies {
        witness.policy(kind, level, policy);
        if W::COMPLETE {
            for (place, statement) in policy.document.statements().iter().enumerate() {
                let outcome = ask.check(statement);
                witness.statement(place, statement, ask, outcome);
                tally.add(kind, policy, place, statement, outcome);
            }
            continue;
        }
        for (place, statement) in policy.document.candidates(ask.action, ask.request.resource) {
            // An Allow cannot add to a full one.
            if statement.effect == Effect::Allow && tally.allow == Grade::Direct {
                continue;
            }
            tally.add(kind, policy, place, statement, ask.check(statement));
            if tally.deny.is_some() {
                return tally;
            }
        }
    }
    tally
}

impl<'a> Tally<'a> {
    fn add(
        &mut self,
        kind: PolicyKind,
        policy: &Attached<'a>,
        place: usize,
        statement: &Statement,
        outcome: Match,
    ) {
        let denial = |unclear| Denial { kind, source: policy.source, statement: place, unclear };
        match (outcome, statement.effect) {
            (Match::Yes(grade), Effect::Allow) => self.allow = self.allow.max(grade),
            (Match::Yes(_), Effect::Deny) => {
                self.deny = self.deny.or_else(|| Some(denial(false)));
            }
            (Match::Unclear, Effect::Deny) => {
                self.deny = self.deny.or_else(|| Some(denial(true)));
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
        None => ask.action.starts_with("sts:assumerole"),
    };
    if trust { PolicyKind::Trust } else { PolicyKind::Resource }
}
