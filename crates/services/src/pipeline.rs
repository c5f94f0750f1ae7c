//! One way in: decode, authenticate, parse, authorize, run, record, encode.
//!
//! A call that changes something is decided and run on the newest state of its account, one at a
//! time, and answered when its change and its event are durable; many calls share one write to the
//! disk. A call that reads sees the newest durable state. A refusal changes nothing. Each leaves
//! exactly one event, before its answer (rule R6 of the threat model).

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use bailiwick_identifiers::AccountId;
use bailiwick_model::{Account, Record, RecordKey, Retry};
use bailiwick_store::seal::{Binding, Purpose};
use bailiwick_store::{Outcome as Stored, StoreError};
use bailiwick_wire::schema::Protocol;
use bytes::Bytes;
use http::{Request, Response};
use jiff::SignedDuration;

use crate::admit::{Admitted, Progress, admit};
use crate::answer::Answer;
use crate::ask::Ask;
use crate::authorize::{Decided, authorize};
use crate::call::{Call, Permitted};
use crate::caller::Caller;
use crate::event::{Happening, Outcome};
use crate::fault::Fault;
use crate::node::{Node, OUTBOX, Reservation};
use crate::origin::{Origin, Peer};
use crate::ports::{Mint, hex};
use crate::shard::{Head, Shard};

/// Takes the answer to a call, once.
pub type Reply = Box<dyn FnOnce(Response<Bytes>) + Send>;

/// How long an answer is remembered for a client that lost it.
const RETRY_WINDOW: SignedDuration = SignedDuration::from_mins(10);

/// The most bytes of a record and its explanations: what a line of the journal takes, with room to
/// spare for its mark.
const MAX_LINE: usize = bailiwick_store::journal::MAX_LINE_LEN - 4096;

/// The longest invocation id that is taken.
const MAX_INVOCATION: usize = 128;

/// Begins a call. `reply` is called once, on this thread or on another.
pub fn begin(node: &Arc<Node>, request: Request<Bytes>, peer: Peer, reply: Reply) {
    let (parts, body) = request.into_parts();
    let mut origin = Origin::new(&parts, peer, node.clock().now(), node.entropy());
    let mut progress = Progress::new(&parts, &body);
    match admit(node, &parts, &body, &mut origin, &mut progress) {
        Ok(admitted) => {
            let retry = invocation(&parts).map(|id| retry_key(&admitted, &progress, id, &body));
            let job = Job { node: Arc::clone(node), origin, progress, admitted, retry, reply };
            job.start();
        }
        Err(fault) => {
            let answer = conclude(node, &origin, &progress, &Verdict::refused(&fault), None);
            reply(answer);
        }
    }
}

/// Runs a call to its end. For tests and tools; a server begins calls and goes on.
pub fn handle(node: &Arc<Node>, request: Request<Bytes>, peer: Peer) -> Response<Bytes> {
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    begin(node, request, peer, Box::new(move |response| drop(sender.send(response))));
    receiver.recv().unwrap_or_else(|_| {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}

/// A call on its way through the pipeline.
struct Job {
    node: Arc<Node>,
    origin: Origin,
    progress: Progress,
    admitted: Admitted,
    retry: Option<String>,
    reply: Reply,
}

/// How a call ended, as its event and its answer need it.
struct Verdict<'a> {
    outcome: Outcome<'a>,
    explanations: &'a [String],
    asks: &'a [Ask],
}

impl<'a> Verdict<'a> {
    const fn refused(fault: &'a Fault) -> Self {
        Self { outcome: Outcome::Failed(fault), explanations: &[], asks: &[] }
    }
}

impl Job {
    fn start(self) {
        if self.admitted.entry.heavy {
            let node = Arc::clone(&self.node);
            // The closure owns the job, and a full queue gives it back only by dropping it: keep a
            // way to answer.
            let slot = Arc::new(parking_lot::Mutex::new(Some(self)));
            let queued = Arc::clone(&slot);
            let work = move || {
                let job = queued.lock().take();
                match job {
                    Some(job) if job.admitted.entry.changes => job.prepare(),
                    Some(job) => job.read(),
                    None => {}
                }
            };
            if node.pool().run(work).is_err()
                && let Some(job) = slot.lock().take()
            {
                job.fail(&Fault::common("Throttling", 400, "Rate exceeded"));
            }
        } else if self.admitted.entry.changes {
            self.change();
        } else {
            self.read();
        }
    }

    /// Does the heavy work of an operation ahead of its transaction, if a first decision allows it.
    fn prepare(mut self) {
        let account = self.admitted.authentic.shard.account();
        let prepared = self.call_on(&account).and_then(|call| {
            let asks = self.admitted.running.asks(&call)?;
            let decided = authorize(&call, &asks);
            Ok((asks, decided))
        });
        match prepared {
            Ok((_, Decided { refused: None, .. })) => {}
            Ok((asks, Decided { refused: Some(fault), explanations })) => {
                let verdict = Verdict {
                    outcome: Outcome::Failed(&fault),
                    explanations: &explanations,
                    asks: &asks,
                };
                return self.finish(&verdict);
            }
            Err(fault) => return self.fail(&fault),
        }
        let Self { node, origin, progress, admitted, .. } = &mut self;
        let prepared = caller_on(admitted, &account).and_then(|caller| {
            let schema = admitted.entry.schema;
            let call = Call::new(node, origin, schema, caller, Arc::clone(&account));
            admitted.running.prepare(&call)
        });
        let _ = progress;
        match prepared {
            Ok(()) => self.change(),
            Err(fault) => self.fail(&fault),
        }
    }

    fn call_on<'a>(&'a self, account: &Arc<Account>) -> Result<Call<'a>, Fault> {
        let caller = caller_on(&self.admitted, account)?;
        let schema = self.admitted.entry.schema;
        Ok(Call::new(&self.node, &self.origin, schema, caller, Arc::clone(account)))
    }

    /// Runs a call that changes nothing, on the newest durable state.
    fn read(self) {
        let account = self.admitted.authentic.shard.account();
        let mut asked = Asked::default();
        let result = self.call_on(&account).and_then(|call| {
            asked = Asked::put(&self, &call)?;
            asked.allowed()?;
            let mut permitted = Permitted::new(call, Mint::new(self.node.entropy()));
            let value = self.admitted.running.run(&mut permitted)?;
            if permitted.has_written() {
                tracing::error!(operation = self.progress.name, "a reading operation wrote");
                return Err(Fault::internal());
            }
            Ok(value)
        });
        let outcome = match &result {
            Ok(value) => Outcome::Done(value),
            Err(fault) => Outcome::Failed(fault),
        };
        let verdict = Verdict { outcome, explanations: &asked.explanations, asks: &asked.asks };
        self.finish(&verdict);
    }

    /// Runs a call that changes the account, on the newest state.
    fn change(self) {
        let shard = Arc::clone(&self.admitted.authentic.shard);
        let mut head = shard.head();
        if shard.is_stopped() {
            drop(head);
            return self.fail(&Fault::unavailable());
        }
        if let Some(replay) = self.remembered(&head) {
            drop(head);
            return self.replay(replay);
        }
        let mut asked = Asked::default();
        let ran = self.call_on(&head.account).and_then(|call| {
            asked = Asked::put(&self, &call)?;
            asked.allowed()?;
            let mut permitted = Permitted::new(call, Mint::new(self.node.entropy()));
            let value = self.admitted.running.run(&mut permitted)?;
            Ok((value, permitted))
        });
        let (value, permitted) = match ran {
            Ok(done) => done,
            Err(fault) => {
                drop(head);
                let verdict = Verdict {
                    outcome: Outcome::Failed(&fault),
                    explanations: &asked.explanations,
                    asks: &asked.asks,
                };
                return self.finish(&verdict);
            }
        };
        let answer = Answer::success(self.admitted.entry.schema, &value, &self.origin);
        let permitted = self.remember(permitted, &mut head, &answer);
        let verdict = Verdict {
            outcome: Outcome::Done(&value),
            explanations: &asked.explanations,
            asks: &asked.asks,
        };
        let line = line(&self.node, &self.origin, &self.progress, &verdict, shard.id(), None);
        let key = format!("{OUTBOX}{}/{}", shard.id(), self.origin.event_id).into_bytes();
        let (account, transaction, reservations) = permitted.finish();
        let transaction = transaction.put(key.clone(), line.clone());
        head.account = Arc::clone(&account);
        let commit = Commit { job: self, answer, account, key, line, reservations };
        // Submitted under the lock, so that the store sees changes in the order of their states.
        let store = Arc::clone(commit.job.node.store());
        store.submit(transaction, Box::new(move |result| commit.end(result)));
        drop(head);
    }

    /// The remembered answer to this very call, if it is a retry.
    fn remembered(&self, head: &Head) -> Option<(Arc<Retry>, Answer)> {
        let retry = head.account.retry(self.retry.as_deref()?)?;
        if retry.expires <= self.origin.now {
            return None;
        }
        let binding = Binding { kind: "retry", id: retry.key.as_bytes(), version: 1 };
        let body =
            self.node.keyring().open(Purpose::RetryResponse, &binding, &retry.sealed).ok()?;
        let content_type = match self.progress.protocol {
            Protocol::Query => bailiwick_wire::query::CONTENT_TYPE,
            protocol => bailiwick_wire::json::content_type(protocol),
        };
        let answer = Answer { status: 200, content_type, body: body.to_vec(), error_type: None };
        Some((Arc::clone(retry), answer))
    }

    /// Sends a remembered answer again, if the caller may still make the call.
    fn replay(self, (retry, answer): (Arc<Retry>, Answer)) {
        let account = self.admitted.authentic.shard.account();
        // The first call may not be durable yet; then its answer is not to be had either.
        let durable = account.retry(&retry.key).is_some();
        let mut asked = Asked::default();
        let allowed = self.call_on(&account).and_then(|call| {
            if !durable {
                return Err(Fault::unavailable());
            }
            asked = Asked::put_again(&self, &call);
            asked.allowed()
        });
        let outcome = match &allowed {
            Ok(()) => Outcome::Replayed(&retry.event_id),
            Err(fault) => Outcome::Failed(fault),
        };
        let verdict = Verdict { outcome, explanations: &asked.explanations, asks: &asked.asks };
        let response = conclude(&self.node, &self.origin, &self.progress, &verdict, Some(answer));
        (self.reply)(response);
    }

    /// Adds the answer to what the transaction writes, and drops a few that are too old.
    fn remember<'n>(
        &self,
        mut permitted: Permitted<'n>,
        head: &mut Head,
        answer: &Answer,
    ) -> Permitted<'n> {
        while let Some((expires, key)) = head.retries.front().cloned() {
            if expires > self.origin.now {
                break;
            }
            permitted.remove(&RecordKey::Retry(key));
            head.retries.pop_front();
        }
        let Some(key) = self.retry.clone() else { return permitted };
        let binding = Binding { kind: "retry", id: key.as_bytes(), version: 1 };
        let mut nonce = [0; 12];
        self.node.entropy().fill(&mut nonce);
        let keyring = self.node.keyring();
        let sealed = keyring.seal(Purpose::RetryResponse, &binding, &answer.body, nonce);
        match sealed {
            Ok(sealed) => {
                let expires =
                    self.origin.now.saturating_add(RETRY_WINDOW).unwrap_or(self.origin.now);
                head.retries.push_back((expires, key.clone()));
                permitted.update(Record::Retry(Arc::new(Retry {
                    key,
                    expires,
                    event_id: self.origin.event_id.clone(),
                    sealed: sealed.into(),
                })));
            }
            Err(error) => tracing::error!(%error, "an answer could not be sealed for retries"),
        }
        permitted
    }

    fn fail(self, fault: &Fault) {
        self.finish(&Verdict::refused(fault));
    }

    fn finish(self, verdict: &Verdict<'_>) {
        let response = conclude(&self.node, &self.origin, &self.progress, verdict, None);
        (self.reply)(response);
    }
}

fn caller_on(admitted: &Admitted, account: &Account) -> Result<Caller, Fault> {
    admitted.authentic.caller(account).map_err(|error| {
        use bailiwick_wire::sigv4::Family;
        let family = match admitted.entry.schema.service.protocol {
            Protocol::Query => Family::Query,
            _ => Family::Json,
        };
        Fault::common(error.code(family), error.status(family).as_u16(), error.message())
    })
}

/// The asks of a call with what came of them.
#[derive(Default)]
struct Asked {
    asks: Vec<Ask>,
    explanations: Vec<String>,
    refused: Option<Fault>,
}

impl Asked {
    fn put(job: &Job, call: &Call<'_>) -> Result<Self, Fault> {
        let asks = job.admitted.running.asks(call)?;
        let Decided { refused, explanations } = authorize(call, &asks);
        Ok(Self { asks, explanations, refused })
    }

    /// As [`Asked::put`], for a call that was carried out before: what it asked about may be gone
    /// by its own doing, which is no reason to refuse.
    fn put_again(job: &Job, call: &Call<'_>) -> Self {
        Self::put(job, call).unwrap_or_default()
    }

    fn allowed(&self) -> Result<(), Fault> {
        self.refused.clone().map_or(Ok(()), Err)
    }
}

/// A change on its way to the disk.
struct Commit {
    job: Job,
    answer: Answer,
    account: Arc<Account>,
    key: Vec<u8>,
    line: Vec<u8>,
    reservations: Vec<Reservation>,
}

impl Commit {
    /// Runs on the store's thread, in the order of commits.
    fn end(self, result: Result<Stored, StoreError>) {
        let Job { node, origin, progress, admitted, reply, .. } = self.job;
        let shard: &Shard = &admitted.authentic.shard;
        // Durable or not, the names are told by the store from here on.
        drop(self.reservations);
        match result {
            Ok(Stored::Committed(revision)) => {
                shard.publish(self.account, revision);
                if let Err(error) = node.export(shard.id(), revision, self.key, &self.line) {
                    // The event is durable in the store, and comes into the journal at the next start.
                    tracing::error!(%error, "an event could not be written to the journal");
                }
                count(&progress, "ok");
                reply(self.answer.into_response(&origin, true));
            }
            Ok(Stored::Conflict { key }) => {
                // One node owns the embedded store, and every name is checked before: this is a
                // state that cannot be, and nothing more may be built on it.
                let key = String::from_utf8_lossy(&key).into_owned();
                tracing::error!(key, "a transaction met a state that this node did not know");
                shard.stop();
                let fault = Fault::unavailable();
                let verdict = Verdict::refused(&fault);
                reply(conclude(&node, &origin, &progress, &verdict, None));
            }
            Err(error) => {
                tracing::error!(%error, request_id = origin.request_id, "a change was not stored");
                shard.stop();
                let fault = Fault::unavailable();
                let verdict = Verdict::refused(&fault);
                reply(conclude(&node, &origin, &progress, &verdict, None));
            }
        }
    }
}

/// Records a call that changed nothing, and makes its answer: `prepared` where there is one.
fn conclude(
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
        if let Err(error) = node.journal().append(&recipient.to_string(), &line) {
            tracing::error!(%error, request_id = origin.request_id, "an event could not be written");
            // Nothing is answered that is not recorded (rule R6).
            let fault = Fault::unavailable();
            let answer = failure(progress, &fault, origin);
            return answer.into_response(origin, decided);
        }
        record_for_owner(node, origin, progress, verdict, recipient);
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
) {
    let owner = verdict.asks.iter().map(|ask| ask.owner).find(|owner| *owner != recipient);
    let Some(owner) = owner.filter(|owner| node.account(*owner).is_some()) else { return };
    // An attempt that failed is the caller's own affair: the owner's trail is not for outsiders.
    if !matches!(verdict.outcome, Outcome::Done(_)) {
        return;
    }
    let id = Mint::new(node.entropy()).uuid();
    let line = line(node, origin, progress, verdict, owner, Some(&id));
    if let Err(error) = node.journal().append(&owner.to_string(), &line) {
        tracing::error!(%error, request_id = origin.request_id, "an event could not be written");
    }
}

/// The line of a call in the journal: its event, and the explanations of its decisions.
fn line(
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
        .map_or_else(|| !reads(&progress.name), |entry| entry.changes);
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
        read_only: !changes,
        decided: !verdict.explanations.is_empty(),
        region: if origin.region.is_empty() { global } else { &origin.region },
        recipient,
        resource: trusted,
        shared_id: crosses.then_some(origin.decision_id.as_str()),
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

fn reads(name: &str) -> bool {
    ["Get", "List", "Describe", "Simulate", "Assume", "Decode"]
        .iter()
        .any(|head| name.starts_with(head))
}

fn count(progress: &Progress, outcome: &'static str) {
    let service = progress.service.map_or("unknown", |service| service.name);
    metrics::counter!(
        "bailiwick_requests_total",
        "service" => service, "operation" => progress.name.clone(), "outcome" => outcome
    )
    .increment(1);
}

fn invocation(parts: &http::request::Parts) -> Option<&str> {
    let id = parts.headers.get("amz-sdk-invocation-id")?.to_str().ok()?;
    (!id.is_empty() && id.len() <= MAX_INVOCATION).then_some(id)
}

/// What makes two requests the same call: key, invocation, operation and body.
fn retry_key(admitted: &Admitted, progress: &Progress, invocation: &str, body: &[u8]) -> String {
    let mut text = format!(
        "{}\0{invocation}\0{}\0",
        progress.claimed_key.as_deref().unwrap_or_default(),
        admitted.entry.schema.name
    )
    .into_bytes();
    text.extend_from_slice(digest(&SHA256, body).as_ref());
    hex(digest(&SHA256, &text).as_ref())
}
