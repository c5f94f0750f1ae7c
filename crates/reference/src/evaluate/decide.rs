//! Layers into a decision (sections 2 to 9).

use super::caller::{Grade, Kind, Reading, is_service_linked};
use super::case::{Case, Stored};
use super::document::{Entry, Who};
use super::keys::supports_rcps;
use super::statement::{Match, check};
use super::{Layer, Outcome};

const ALLOWED: &str = "allowed";
const EXPLICIT: &str = "explicitDeny";
const IMPLICIT: &str = "implicitDeny";

/// What the policies of one kind (or of one level of it) say together: a union (SES-1, SCP-2).
#[derive(Clone, Copy)]
struct Voice {
    /// The first Deny that matches (EV-2), or would but for an operator without meaning (OP-X1).
    denies: Option<Match>,
    /// The strongest matching Allow.
    allow: Grade,
}

impl Voice {
    fn allows(self) -> bool {
        self.allow > Grade::None
    }
}

fn hear<'a>(policies: impl IntoIterator<Item = &'a Stored>, layer: Layer, case: &Case) -> Voice {
    let mut voice = Voice { denies: None, allow: Grade::None };
    for policy in policies.into_iter().flatten() {
        for statement in &policy.statements {
            let found = check(statement, policy, layer, case);
            match found {
                Match::Yes(grade) if statement.allows => voice.allow = voice.allow.max(grade),
                Match::No => {}
                _ if statement.allows => {}
                _ => voice.denies = voice.denies.or(Some(found)),
            }
        }
    }
    voice
}

pub(super) fn decide(case: &Case) -> Outcome {
    // SES-8, ROOT-7
    if refused(case) {
        return outcome(IMPLICIT, "credentials");
    }
    // EV-11: of callers with credentials.
    let side = case.caller.is_iam();
    let free = case.is_action("sts:GetCallerIdentity") || case.is_action("sts:GetSessionToken");
    if side && free {
        return outcome(ALLOWED, "no-permission-needed");
    }

    let attached = if case.is_trust() { Layer::Trust } else { Layer::Resource };
    // IN-6: wherever it stands.
    if case.policies().any(Result::is_err) {
        return outcome(EXPLICIT, "evaluation-error");
    }

    let root = case.caller.kind == Kind::Root;
    let levels = |levels: &[Vec<Stored>], layer, apply: bool| -> Vec<Voice> {
        levels.iter().filter(|_| apply).map(|level| hear(level, layer, case)).collect()
    };
    // EP-2: each endpoint policy by itself.
    let endpoint: Vec<Voice> =
        case.endpoint.iter().map(|policy| hear([policy], Layer::Endpoint, case)).collect();
    let rcp = levels(&case.rcps, Layer::Rcp, rcps_apply(case));
    // SCP-3, EV-8, EV-9, TR-6
    let scp = levels(&case.scps, Layer::Scp, side && !case.caller.is_service_linked());
    let own = case.is_own();
    // ROOT-6: these calls are decided without the bucket policy.
    let unlocks = root && own && {
        let bucket = ["s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"];
        let queue = ["sqs:GetQueueAttributes", "sqs:SetQueueAttributes"];
        bucket.iter().chain(&queue).any(|name| case.is_action(name))
    };
    let mut resource = hear(case.resource_policy.iter().filter(|_| !unlocks), attached, case);
    resource.allow = resource.allow.max(granted(case));
    let mut identity = hear(case.identity.iter().filter(|_| side), Layer::Identity, case);
    if root {
        identity.allow = Grade::Direct; // ROOT-1
    }
    // PB-1: not root.
    let bounded = side && !root && case.boundary.is_some();
    let boundary = hear(case.boundary.iter().filter(|_| bounded), Layer::Boundary, case);
    let limited = side && !case.session.is_empty();
    let session = hear(case.session.iter().filter(|_| limited), Layer::Session, case);

    // EV-2, EV-6: every kind is searched for a Deny before anything is allowed; SIM-15 for order.
    let mut heard: Vec<(Layer, Voice)> = Vec::new();
    heard.extend(endpoint.iter().map(|voice| (Layer::Endpoint, *voice)));
    heard.extend(rcp.iter().map(|voice| (Layer::Rcp, *voice)));
    heard.extend(scp.iter().map(|voice| (Layer::Scp, *voice)));
    heard.push((attached, resource));
    heard.push((Layer::Identity, identity));
    heard.push((Layer::Boundary, boundary));
    heard.push((Layer::Session, session));
    for (layer, voice) in &heard {
        match voice.denies {
            Some(Match::Unclear) => return outcome(EXPLICIT, "evaluation-error"),
            Some(_) => return outcome(EXPLICIT, layer.name()),
            None => {}
        }
    }

    // EP-2, SCP-1; RCP-2: the built-in policy allows at every level.
    if !endpoint.iter().all(|voice| voice.allows()) {
        return lacking(Layer::Endpoint);
    }
    if !scp.iter().all(|voice| voice.allows()) {
        return lacking(Layer::Scp);
    }
    let i = identity.allows();
    let pb = !bounded || boundary.allows();
    // SES-5: a federated user without session policy may do nothing of its own.
    let sp = if limited { session.allows() } else { case.caller.kind != Kind::FederatedUser };
    let grade = resource.allow;

    // EV-8, EV-9, TR-6
    if !side {
        return if grade > Grade::None { allowed(attached) } else { lacking(attached) };
    }
    let delegated = case.delegated.unwrap_or_else(|| is_delegated(case));
    if !own {
        // EV-5, EV-7, TR-3
        return if !i && grade == Grade::None {
            neither(case, delegated)
        } else if grade == Grade::None {
            lacking(attached)
        } else if !i {
            lacking(Layer::Identity)
        } else {
            within(pb, sp, Layer::Identity)
        };
    }
    // TR-5: for this action a boundary limits direct grants too.
    let direct_pb = pb || !case.is_action("sts:AssumeRole");
    match grade {
        // PR-1, SES-4
        Grade::Direct => within(direct_pb, true, attached),
        // PR-2, SES-3; the identity policies meet the same limits.
        Grade::Parent => within(pb, sp, attached),
        // DLG-2, PR-3
        Grade::Account if delegated && i => within(pb, sp, Layer::Identity),
        Grade::Account if delegated => lacking(Layer::Identity),
        Grade::None if delegated && i => lacking(attached),
        Grade::None if delegated => neither(case, delegated),
        // EV-4
        Grade::Account | Grade::None if i => within(pb, sp, Layer::Identity),
        Grade::Account | Grade::None => lacking(Layer::Identity),
    }
}

fn outcome(decision: &'static str, reason: &str) -> Outcome {
    Outcome { decision, reason: reason.to_owned() }
}

fn allowed(layer: Layer) -> Outcome {
    outcome(ALLOWED, layer.name())
}

fn lacking(layer: Layer) -> Outcome {
    outcome(IMPLICIT, layer.name())
}

/// A grant within boundary and session policy.
fn within(pb: bool, sp: bool, grant: Layer) -> Outcome {
    if !pb {
        lacking(Layer::Boundary)
    } else if !sp {
        lacking(Layer::Session)
    } else {
        allowed(grant)
    }
}

/// SIM-15: what is named where neither resource nor identity policy allows: for KMS keys, and for
/// what else is delegated as they are, the resource's.
fn neither(case: &Case, delegated: bool) -> Outcome {
    let of_key = is_kms_key(case) || (delegated && !case.is_trust());
    lacking(if of_key { Layer::Resource } else { Layer::Identity })
}

fn is_kms_key(case: &Case) -> bool {
    let fields: Vec<&str> = case.resource.splitn(6, ':').collect();
    matches!(fields.as_slice(), ["arn", _, "kms", _, _, key] if key.starts_with("key/"))
        && case.action.to_ascii_lowercase().starts_with("kms:")
}

/// DLG-1
fn is_delegated(case: &Case) -> bool {
    (case.is_trust() && case.is_on_role()) || is_kms_key(case)
}

/// RCP-4, RCP-6, RCP-7
fn rcps_apply(case: &Case) -> bool {
    let prefix = case.action.split_once(':').map(|(prefix, _)| prefix.to_ascii_lowercase());
    let unsupported = !prefix.is_some_and(|prefix| supports_rcps(&prefix));
    let linked_role = is_service_linked(&case.resource);
    let assumes = case.action.to_ascii_lowercase().starts_with("sts:assumerole");
    let assumed_by_service = case.caller.kind == Kind::Service && assumes;
    let exempt = unsupported
        || case.resource == "*"
        || case.is_action("kms:RetireGrant")
        || case.caller.is_service_linked()
        || (assumed_by_service && linked_role);
    !exempt
}

/// DLG-5: a grant is an Allow of its operations for its grantee.
fn granted(case: &Case) -> Grade {
    let reading = Reading { allows: true, bounded: false, gateway: false, entities: None };
    let live = case.grants.iter().filter(|grant| {
        is_kms_key(case) && grant.operations.iter().any(|op| case.is_action(&format!("kms:{op}")))
    });
    live.map(|grant| {
        let text = grant.grantee.clone();
        let kind = if text.starts_with("arn:") { "AWS" } else { "Service" };
        let who = Who::Only(vec![Entry { kind: kind.to_owned(), text }]);
        case.caller.grade(&who, reading)
    })
    .max()
    .unwrap_or(Grade::None)
}

/// SES-8, ROOT-7: what a service refuses by the kind of the credentials.
fn refused(case: &Case) -> bool {
    let Some(credentials) = case.credentials.as_deref() else {
        return false;
    };
    let action = case.action.to_ascii_lowercase();
    let iam = action.starts_with("iam:");
    let sts_except =
        |free: &[&str]| action.strip_prefix("sts:").is_some_and(|name| !free.contains(&name));
    let token = ["getfederationtoken", "getsessiontoken"];
    let root = case.caller.kind == Kind::Root && action == "sts:assumerole";
    root || match credentials {
        "federation-token" => iam || sts_except(&["getcalleridentity"]),
        "federation-token-console" => sts_except(&["getcalleridentity"]),
        "session-token" => iam || sts_except(&["assumerole", "getcalleridentity"]),
        "session-token-mfa" => sts_except(&["assumerole", "getcalleridentity"]),
        "role" => action.strip_prefix("sts:").is_some_and(|name| token.contains(&name)),
        _ => false,
    }
}
