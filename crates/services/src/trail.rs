//! The end of a call: its event, and the answer that goes out after it.

use bailiwick_identifiers::AccountId;
use bailiwick_store::journal::JournalError;
use bytes::Bytes;
use http::Response;

use crate::admit::Progress;
use crate::answer::Answer;
use crate::ask::Ask;
use crate::event::{Happening, Outcome};
use crate::fault::Fault;
use crate::node::Node;
use crate::operation::is_reading;
use crate::origin::Origin;
use crate::ports::Mint;

/// The most bytes of a record and its explanations: what a line of the journal takes, with room to
/// spare for its mark.
const MAX_LINE: usize = bailiwick_store::journal::MAX_LINE_LEN - 4096;

/// Operations of access level Read that keep what they made.
const KEEP_WHAT_THEY_READ: &[&str] =
    &["GenerateCredentialReport", "GenerateServiceLastAccessedDetails"];

/// How a call ended, as its event and its answer need it.
pub(crate) struct Verdict<'a> {
    pub(crate) outcome: Outcome<'a>,
    pub(crate) explanations: &'a [String],
    pub(crate) asks: &'a [Ask],
}

impl<'a> Verdict<'a> {
    pub(crate) const fn refused(fault: &'a Fault) -> Self {
        Self { outcome: Outcome::Failed(fault), explanations: &[], asks: &[] }
    }
}

/// Records a call that changed nothing, and makes its answer: `prepared` where there is one.
pub(crate) fn conclude(
    node: &Node,
    origin: &Origin,
    progress: &Progress,
    verdict: &Verdict<'_>,
    prepared: Option<Answer>,
) -> Response<Bytes> {
    let decided = !verdict.explanations.is_empty();
    let recipient = progress.recipient.or_else(|| node.home());
    if let Some(recipient) = recipient {
        let line = line(node, origin, progress, verdict, recipient, None);
        let owned = record_for_owner(node, origin, progress, verdict, recipient);
        let written =
            owned.and_then(|()| node.journal().append(&recipient.to_string(), &line).map(drop));
        if let Err(error) = written {
            tracing::error!(%error, request_id = origin.request_id, "an event could not be written");
            // Nothing is answered that is not recorded (rule R6).
            return failure(progress, &Fault::unavailable(), origin).into_response(origin, decided);
        }
    }
    let answer = match (&verdict.outcome, prepared) {
        (Outcome::Failed(fault), _) => {
            count(progress, "refused");
            failure(progress, fault, origin)
        }
        (_, Some(answer)) => answer,
        (Outcome::Done(value), None) => match progress.operation {
            Some(operation) => {
                count(progress, "ok");
                Answer::success(operation, value, origin)
            }
            None => failure(progress, &Fault::internal(), origin),
        },
        (Outcome::Replayed(_), None) => failure(progress, &Fault::internal(), origin),
    };
    answer.into_response(origin, decided)
}

fn failure(progress: &Progress, fault: &Fault, origin: &Origin) -> Answer {
    Answer::failure(progress.protocol, progress.service, progress.operation, fault, origin)
}

/// A role of another account was asked for: its owner gets a record too, under an id that both
/// share. Source: CloudTrail user guide, sharedEventID.
fn record_for_owner(
    node: &Node,
    origin: &Origin,
    progress: &Progress,
    verdict: &Verdict<'_>,
    recipient: AccountId,
) -> Result<(), JournalError> {
    // An attempt that failed is the caller's own affair: the owner's trail is not for outsiders.
    if !matches!(verdict.outcome, Outcome::Done(_)) {
        return Ok(());
    }
    let owner = verdict.asks.iter().map(|ask| ask.owner).find(|owner| *owner != recipient);
    let Some(owner) = owner.filter(|owner| node.account(*owner).is_some()) else { return Ok(()) };
    let id = Mint::new(node.entropy()).uuid();
    let line = line(node, origin, progress, verdict, owner, Some(&id));
    node.journal().append(&owner.to_string(), &line).map(drop)
}

/// The line of a call in the journal: its event, and the explanations of its decisions.
pub(crate) fn line(
    node: &Node,
    origin: &Origin,
    progress: &Progress,
    verdict: &Verdict<'_>,
    recipient: AccountId,
    second_id: Option<&str>,
) -> Vec<u8> {
    let trusted = verdict.asks.iter().find_map(|ask| {
        ask.trust.as_ref().map(|trust| (trust.role.as_str(), ask.owner, "AWS::IAM::Role"))
    });
    let crosses =
        verdict.asks.iter().any(|ask| ask.trust.is_some() && Some(ask.owner) != progress.recipient);
    let changes = progress
        .operation
        .and_then(crate::table::entry)
        .map_or_else(|| !is_reading(&progress.name), |entry| entry.changes);
    let global = node.settings().partition.global_region();
    let happening = Happening {
        origin,
        caller: progress.caller.as_ref().map(|(caller, account)| (caller, account.as_ref())),
        claimed_key: progress.claimed_key.as_deref(),
        service: progress.service,
        operation: &progress.name,
        request: progress.operation.zip(progress.request.as_ref()),
        outcome: match &verdict.outcome {
            Outcome::Done(value) => Outcome::Done(value),
            Outcome::Failed(fault) => Outcome::Failed(fault),
            Outcome::Replayed(first) => Outcome::Replayed(first),
        },
        read_only: !changes || KEEP_WHAT_THEY_READ.contains(&&*progress.name),
        decided: !verdict.explanations.is_empty(),
        region: if origin.region.is_empty() { global } else { &origin.region },
        recipient,
        resource: trusted,
        shared_id: crosses.then_some(origin.shared_id.as_str()),
    };
    let record = happening.record(second_id.unwrap_or(&origin.event_id));
    let explanations = verdict.explanations.iter().map(String::len).sum::<usize>();
    let mut line = String::with_capacity(record.len() + explanations + 64);
    line.push_str("{\"event\":");
    line.push_str(&record);
    // The caller's policies are not for the owner of the role to see, and a walk that is longer than a
    // line may be is not kept.
    if second_id.is_none() && record.len() + explanations < MAX_LINE {
        line.push_str(",\"decision\":[");
        for (place, explanation) in verdict.explanations.iter().enumerate() {
            if place > 0 {
                line.push(',');
            }
            line.push_str(explanation);
        }
        line.push(']');
    }
    line.push_str("}\n");
    line.into_bytes()
}

pub(crate) fn count(progress: &Progress, outcome: &'static str) {
    let service = progress.service.map_or("unknown", |service| service.name);
    metrics::counter!(
        "bailiwick_requests_total",
        "service" => service, "operation" => progress.name.clone(), "outcome" => outcome
    )
    .increment(1);
}
