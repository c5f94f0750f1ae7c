//! Observed calls put to the decision engine, under policies of one's choice.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, OnceLock};

use bailiwick_model::Found;
use bailiwick_policy::{
    Applicable, Attached, Context, Decision, Document, DocumentKind, Effect, Explanation, Miss,
    Outcome, Policies, PolicyKind, Principal, Reason, Request, Source, SourceKind, Verdict, decide,
    explain, is_delegated, keys, resource_owner,
};
use serde::Serialize;

use super::actor::Actor;
use super::usage::{Call, Evidence, Need, Usage};
use crate::estate::{Estate, Subject};

/// Calls told one by one; the rest are counted.
const MOST_TOLD: usize = 50;

/// The policies under which calls are decided: identity policies, and what surrounds them.
///
/// Without an estate nothing is known of boundary, organization and resource policies: they are
/// taken to allow what was observed. What is known decides.
#[derive(Debug)]
pub struct Holding<'h> {
    identity: Vec<Found>,
    around: Option<(&'h Estate, Subject)>,
    /// The policy that a resource of others is taken to have.
    door: OnceLock<Option<Document>>,
}

impl<'h> Holding<'h> {
    /// These policies and nothing else.
    pub fn alone(documents: impl IntoIterator<Item = (String, Arc<Document>)>) -> Self {
        Self { identity: found(documents), around: None, door: OnceLock::new() }
    }

    /// These policies in place of those that the principal has; all else as it is.
    pub fn within(
        estate: &'h Estate,
        subject: Subject,
        documents: impl IntoIterator<Item = (String, Arc<Document>)>,
    ) -> Self {
        Self { identity: found(documents), around: Some((estate, subject)), door: OnceLock::new() }
    }

    /// What the principal has.
    pub fn held(estate: &'h Estate, subject: Subject) -> Self {
        let identity = subject.effective.identity.clone();
        Self { identity, around: Some((estate, subject)), door: OnceLock::new() }
    }

    /// What the engine decides on one need of a call.
    pub(super) fn decide(&self, usage: &Usage, call: &Call, need: &Need) -> Decision {
        self.ask(usage, call, need, decide)
    }

    fn explain(&self, usage: &Usage, call: &Call, need: &Need) -> Explanation {
        self.ask(usage, call, need, explain)
    }

    /// The same with every statement's answer.
    pub(super) fn explained(&self, usage: &Usage, call: &Call, need: &Need) -> Explanation {
        self.explain(usage, call, need)
    }

    fn ask<T>(
        &self,
        usage: &Usage,
        call: &Call,
        need: &Need,
        answer: impl FnOnce(&Request<'_>, &Applicable<'_>) -> T,
    ) -> T {
        let principal = match &self.around {
            Some((_, subject)) => Cow::Borrowed(&subject.principal),
            None => Cow::Owned(usage.actor.principal()),
        };
        let context = self.context(&principal, call, need);
        let request = Request {
            principal: &principal,
            action: &need.action,
            resource: &need.target.arn,
            resource_account: need.target.owner,
            context: &context,
            delegated: is_delegated(&need.action, &need.target.arn),
        };
        let source = Source::new("policy of the resource", SourceKind::Resource);
        let mut applicable = match &self.around {
            Some((estate, subject)) => estate.applicable(subject, &need.action, &need.target.arn),
            None => Applicable::default(),
        };
        applicable.identity = self.identity.iter().map(Found::attached).collect::<Policies<'_>>();
        let foreign = resource_owner(&request) != principal.account();
        // The resource's own policy has let the call through: it is taken to do so still.
        if applicable.resource.is_none()
            && (request.delegated || foreign)
            && let Some(document) = self.door.get_or_init(|| door(&usage.actor))
        {
            applicable.resource = Some(Attached { source: &source, document });
        }
        answer(&request, &applicable)
    }

    fn context(&self, principal: &Principal, call: &Call, need: &Need) -> Context {
        let mut context = if let Some((_, subject)) = &self.around {
            subject.context()
        } else {
            let mut context = Context::new();
            context.put_principal(principal);
            context
        };
        for (key, values) in &call.context {
            match values.as_slice() {
                [one] if key != "aws:calledvia" && key != "aws:tagkeys" => {
                    context.put(key.as_str(), one);
                }
                many => context.put_multivalued(key.as_str(), many.iter().map(String::as_str)),
            }
        }
        if let Some(to) = &need.passed_to {
            context.put("iam:PassedToService", to);
        }
        if need.action != "iam:PassRole" && need.action.starts_with("iam:") {
            let own = principal.account().map(|account| account.to_string()).unwrap_or_default();
            context.put(keys::RESOURCE_ACCOUNT, &own);
        }
        context
    }
}

fn found(documents: impl IntoIterator<Item = (String, Arc<Document>)>) -> Vec<Found> {
    documents
        .into_iter()
        .map(|(name, document)| Found {
            source: Source::new(name, SourceKind::UserInline),
            document,
        })
        .collect()
}

/// A resource policy that lets an account in and leaves the rest to it.
fn door(actor: &Actor) -> Option<Document> {
    let (partition, account) = (actor.partition(), actor.account);
    let text = serde_json::json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Principal": {"AWS": format!("arn:{partition}:iam::{account}:root")},
        "Action": "*", "Resource": "*",
    }});
    Document::parse(&text.to_string(), DocumentKind::Resource).ok()
}

/// Whether an action is allowed to everybody, such as `sts:GetCallerIdentity`.
pub(super) fn is_free(usage: &Usage, call: &Call, need: &Need) -> bool {
    static NOTHING: LazyLock<Holding<'static>> = LazyLock::new(|| Holding::alone([]));
    NOTHING.decide(usage, call, need).reason == Reason::NoPermissionNeeded
}

/// Observed calls under a policy.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Replay {
    /// Calls that were let through when they were made.
    pub observed: u64,
    /// Those that are allowed now.
    pub allowed: u64,
    /// Those that are not, unlike ones, at most fifty.
    pub refused: Vec<Lost>,
    /// Those of which no policy can be asked: no action of the catalog fits them, or there are more
    /// unlike calls than are kept.
    pub undecided: u64,
    /// Calls of which the resource's own policy is taken to let the account in, as it did.
    pub by_resource_policy: u64,
}

/// Like calls that a change refuses.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Lost {
    /// The operation.
    pub event: String,
    /// The action that is refused; empty where none fits the operation.
    pub action: String,
    /// The resource, where there is an action.
    pub resource: String,
    /// Why, in words.
    pub why: String,
    /// Which calls.
    pub evidence: Evidence,
}

/// Decides every observed call.
pub(super) fn replay(usage: &Usage, holding: &Holding<'_>) -> Replay {
    let undecided = usage.undecided();
    let mut all = Replay { observed: undecided, undecided, ..Replay::default() };
    let mut lost: BTreeMap<(String, Need), (String, Evidence)> = BTreeMap::new();
    for (call, evidence) in &usage.calls {
        all.observed += evidence.count;
        match first_refused(usage, holding, call) {
            None => all.allowed += evidence.count,
            Some((need, decision)) => {
                let why = reason(&decision);
                let key = (call.event.clone(), need.clone());
                lost.entry(key).or_insert_with(|| (why, Evidence::default())).1.merge(evidence);
            }
        }
        let own = usage.actor.account.to_string();
        let by_resource = call.needs.iter().any(|need| {
            let account = need.target.arn.split(':').nth(4).unwrap_or_default();
            is_delegated(&need.action, &need.target.arn)
                || need.target.owner.is_some_and(|owner| owner != usage.actor.account)
                || (account.len() == 12 && account != own)
        });
        all.by_resource_policy += if by_resource { evidence.count } else { 0 };
    }
    all.refused = told(lost);
    all
}

fn first_refused<'c>(
    usage: &Usage,
    holding: &Holding<'_>,
    call: &'c Call,
) -> Option<(&'c Need, Decision)> {
    call.needs.iter().find_map(|need| {
        let decision = holding.decide(usage, call, need);
        (decision.verdict != Verdict::Allow).then_some((need, decision))
    })
}

/// What a change of policies does to the calls that were observed.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Breaks {
    /// Calls that were let through when they were made.
    pub observed: u64,
    /// Those that the change refuses.
    pub broken: u64,
    /// Those of which the events do not tell enough to know: the change refuses them if a context
    /// key or a part of a name is not what it would have to be, or nobody knows what they need.
    pub unclear: u64,
    /// The broken ones, unlike ones, at most fifty.
    pub calls: Vec<Lost>,
    /// The unclear ones, in the same way.
    pub unclear_calls: Vec<Lost>,
}

impl Breaks {
    /// Takes over what a change does to the calls of somebody else.
    pub fn add(&mut self, other: Self) {
        self.observed += other.observed;
        self.broken += other.broken;
        self.unclear += other.unclear;
        for (into, more) in
            [(&mut self.calls, other.calls), (&mut self.unclear_calls, other.unclear_calls)]
        {
            into.extend(more);
            into.sort_by_key(|one| std::cmp::Reverse(one.evidence.count));
            into.truncate(MOST_TOLD);
        }
    }

    /// Such as `breaks 0 of 1,204 observed calls`.
    pub fn sentence(&self) -> String {
        let mut text =
            format!("breaks {} of {} observed calls", grouped(self.broken), grouped(self.observed));
        if self.unclear > 0 {
            text.push_str("; of ");
            text.push_str(&grouped(self.unclear));
            text.push_str(" more the events do not tell enough");
        }
        text
    }
}

/// A number with commas.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Replays the observed calls under changed policies.
///
/// `before` is what decided them, where it is known; without it each is taken as allowed, as it was.
/// A call that is refused for a context key that its event does not tell is unclear, not broken.
pub fn breaks(before: Option<&Holding<'_>>, after: &Holding<'_>, usage: &Usage) -> Breaks {
    let undecided = usage.undecided();
    let mut all = Breaks { observed: undecided, unclear: undecided, ..Breaks::default() };
    let mut lost = BTreeMap::new();
    let mut unclear = BTreeMap::new();
    for (call, evidence) in &usage.calls {
        all.observed += evidence.count;
        let Some((need, decision)) = first_refused(usage, after, call) else { continue };
        let key = (call.event.clone(), need.clone());
        let doubt = if let Some(doubt) = doubt(usage, after, call) {
            Some(doubt)
        } else {
            // Refused before too, and yet it was let through: something is not in the events.
            let before = before.and_then(|before| first_refused(usage, before, call));
            before.map(|_| {
                "the policies of before refuse it too, and yet it was let through".to_owned()
            })
        };
        let (into, why) = if let Some(why) = doubt {
            all.unclear += evidence.count;
            (&mut unclear, why)
        } else {
            all.broken += evidence.count;
            (&mut lost, reason(&decision))
        };
        into.entry(key).or_insert_with(|| (why, Evidence::default())).1.merge(evidence);
    }
    all.calls = told(lost);
    all.unclear_calls = told(unclear);
    let unknown = usage.unknown.iter().map(|(event, evidence)| Lost {
        event: event.clone(),
        action: String::new(),
        resource: String::new(),
        why: "no action of the catalog fits it".to_owned(),
        evidence: evidence.clone(),
    });
    all.unclear_calls.extend(unknown);
    all.unclear_calls.sort_by_key(|one| std::cmp::Reverse(one.evidence.count));
    all.unclear_calls.truncate(MOST_TOLD);
    all
}

/// Why a refusal may be none: every need that is refused hangs on what the event does not tell.
fn doubt(usage: &Usage, after: &Holding<'_>, call: &Call) -> Option<String> {
    let mut found = None;
    for need in &call.needs {
        let explanation = after.explain(usage, call, need);
        if explanation.decision.verdict == Verdict::Allow {
            continue;
        }
        found = Some(doubt_of(after, need, &explanation)?);
    }
    found
}

fn doubt_of(after: &Holding<'_>, need: &Need, explanation: &Explanation) -> Option<String> {
    if explanation.decision.verdict == Verdict::ExplicitDeny {
        // Every Deny that matches must hang on a key that is not told.
        let mut keys = Vec::new();
        for (source, statement) in explanation.matched() {
            let document = after.identity.iter().find(|found| found.source == *source)?;
            let statement = document.document.statements().get(statement.index)?;
            let absent = statement.conditions().find(|one| {
                explanation.missing_keys.iter().any(|key| key.eq_ignore_ascii_case(&one.key))
            })?;
            keys.push(absent.key.to_string());
        }
        let key = keys.pop()?;
        return Some(format!("it hangs on {key}, which the event does not tell"));
    }
    let statements = explanation.layers.iter().flat_map(|layer| {
        layer.policies.iter().flat_map(move |policy| {
            policy.statements.iter().map(move |statement| (layer.kind, statement))
        })
    });
    let allowing = statements
        .filter(|(kind, one)| *kind == PolicyKind::Identity && one.effect == Effect::Allow);
    for (_, statement) in allowing {
        match &statement.outcome {
            Outcome::Missed(Miss::Condition(report)) if report.found.is_none() => {
                return Some(format!("it hangs on {}, which the event does not tell", report.key));
            }
            Outcome::Missed(Miss::Resource { wanted, .. }) if need.target.partial => {
                let head = need.target.arn.split('*').next().unwrap_or_default();
                if wanted.iter().any(|one| one.starts_with(head)) {
                    return Some(
                        "the event does not tell the whole name of the resource".to_owned(),
                    );
                }
            }
            _ => {}
        }
    }
    None
}

fn told(lost: BTreeMap<(String, Need), (String, Evidence)>) -> Vec<Lost> {
    let mut found: Vec<Lost> = lost
        .into_iter()
        .map(|((event, need), (why, evidence))| Lost {
            event,
            action: need.action,
            resource: need.target.arn,
            why,
            evidence,
        })
        .collect();
    found.sort_by_key(|one| std::cmp::Reverse(one.evidence.count));
    found.truncate(MOST_TOLD);
    found
}

fn reason(decision: &Decision) -> String {
    match &decision.reason {
        Reason::ExplicitDeny { kind, source, .. } => format!("denied in {kind} {}", source.id),
        Reason::MissingAllow { kind } => format!("no {kind} allows it"),
        _ => decision.verdict.as_str().to_owned(),
    }
}
