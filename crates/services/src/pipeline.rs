//! One way in: decode, authenticate, parse, authorize, run, record, encode.
//!
//! A call that changes something is decided and run on the newest state of its account, one at a
//! time, and answered when its change and its event are durable; many calls share one write to the
//! disk. A call that reads sees the newest durable state. A refusal changes nothing. Each leaves
//! exactly one event, before its answer (rule R6 of the threat model).

use std::sync::Arc;

use bailiwick_model::{Account, Retry};
use bailiwick_store::{Outcome as Stored, StoreError};
use bailiwick_wire::Value;
use bailiwick_wire::schema::Operation;
use bytes::Bytes;
use http::{Request, Response};

use crate::admit::{Admitted, Progress, admit, family, operation_of};
use crate::answer::Answer;
use crate::ask::Ask;
use crate::authenticate::Authentic;
use crate::authorize::{Decided, authorize};
use crate::call::{Call, Permitted};
use crate::caller::Caller;
use crate::event::Outcome;
use crate::fault::Fault;
use crate::node::{Node, OUTBOX, Reservation};
use crate::origin::{Origin, Peer};
use crate::ports::Mint;
use crate::retry;
use crate::shard::{Head, Shard};
use crate::signin;
use crate::trail::{Verdict, conclude, count, line};

/// Takes the answer to a call, once.
pub type Reply = Box<dyn FnOnce(Response<Bytes>) + Send>;

/// Begins a call. `reply` is called once, on this thread or on another.
pub fn begin(node: &Arc<Node>, request: Request<Bytes>, peer: Peer, reply: Reply) {
    let (parts, body) = request.into_parts();
    if signin::is_path(parts.uri.path()) {
        return signin::begin(node, &parts, &body, peer, reply);
    }
    let mut origin = Origin::new(&parts, peer, node.clock().now(), node.entropy());
    let mut progress = Progress::new(&parts, &body);
    match admit(node, &parts, &body, &mut origin, &mut progress) {
        Ok(admitted) => {
            let key = progress.claimed_key.as_deref().unwrap_or_default();
            let retry = retry::key(&parts, &body, key, admitted.entry.schema);
            let job = Job { node: Arc::clone(node), origin, progress, admitted, retry, reply };
            job.start();
        }
        Err(fault) => {
            let answer = conclude(node, &origin, &progress, &Verdict::refused(&fault), None);
            reply(answer);
        }
    }
}

/// Runs an operation for a caller who is known without a signature, from its request on: validated,
/// parsed, authorized, recorded as any other. The answer is that of a JSON protocol.
pub(crate) fn run_for(
    node: &Arc<Node>,
    origin: Origin,
    authentic: Authentic,
    operation: &'static Operation,
    value: Value,
    reply: Reply,
) {
    let account = authentic.shard.account();
    let mut progress = Progress::of(operation, account.id(), &value);
    let admitted = authentic
        .caller(&account)
        .map_err(|_| Fault::access_denied("The session has ended."))
        .and_then(|caller| {
            let action = (operation.service.signing_name, operation.name);
            let region = account.partition().global_region();
            authentic.note_use(&caller, origin.now, region, action);
            progress.caller = Some((caller, Arc::clone(&account)));
            operation_of(operation, value)
        });
    match admitted {
        Ok((entry, running)) => {
            let admitted = Admitted { authentic, entry, running };
            let node = Arc::clone(node);
            Job { node, origin, progress, admitted, retry: None, reply }.start();
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

impl Job {
    fn start(self) {
        if self.admitted.entry.heavy {
            let node = Arc::clone(&self.node);
            let (account, changes) =
                (self.admitted.authentic.shard.id(), self.admitted.running.changes());
            // The closure owns the job, and a full queue gives it back only by dropping it: keep a
            // way to answer.
            let slot = Arc::new(parking_lot::Mutex::new(Some(self)));
            let held = Arc::clone(&slot);
            let work = move || {
                let job = held.lock().take();
                match job {
                    Some(job) if job.admitted.running.changes() => job.prepare(),
                    Some(job) => job.read(),
                    None => {}
                }
            };
            let queued =
                if changes { node.pool().run(work) } else { node.readers().run(account, work) };
            if queued.is_err()
                && let Some(job) = slot.lock().take()
            {
                job.fail(&Fault::common("Throttling", 400, "Rate exceeded"));
            }
        } else if self.admitted.running.changes() {
            self.change();
        } else {
            self.read();
        }
    }

    /// Does the heavy work of an operation ahead of its transaction, if a first decision allows it.
    fn prepare(mut self) {
        let remembered = self.remembered(&self.admitted.authentic.shard.head());
        if let Some(replay) = remembered {
            return self.replay(replay);
        }
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
        let Self { node, origin, admitted, .. } = &mut self;
        let prepared = caller_on(admitted, &account).and_then(|caller| {
            let schema = admitted.entry.schema;
            let call = Call::new(node, origin, schema, caller, Arc::clone(&account));
            admitted.running.prepare(&call)
        });
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
            asked = Asked::put(&call, self.admitted.running.asks(&call)?);
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
            asked = Asked::put(&call, self.admitted.running.asks(&call)?);
            asked.allowed()?;
            let mut permitted = Permitted::new(call, Mint::new(self.node.entropy()));
            let value = self.admitted.running.run(&mut permitted)?;
            Ok((value, permitted))
        });
        let (value, mut permitted) = match ran {
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
        let retry = self.retry.as_deref();
        retry::remember(
            &self.node,
            &mut permitted,
            &mut head,
            retry,
            &self.origin,
            &answer,
            &asked.asks,
        );
        let verdict = Verdict {
            outcome: Outcome::Done(&value),
            explanations: &asked.explanations,
            asks: &asked.asks,
        };
        let line = line(&self.node, &self.origin, &self.progress, &verdict, shard.id(), None);
        let key = format!("{OUTBOX}{}/{}", shard.id(), self.origin.event_id).into_bytes();
        let (account, transaction, reservations) = permitted.finish();
        let transaction = transaction.put(key.clone(), line.clone());
        // What the store would refuse must not become the state on which others build.
        if let Err(error) = transaction.check() {
            tracing::error!(%error, operation = self.progress.name, "a change breaks a limit");
            drop(head);
            return self.fail(&Fault::internal());
        }
        head.account = Arc::clone(&account);
        let commit = Commit { job: self, answer, account, key, line, reservations };
        // Submitted under the lock, so that the store sees changes in the order of their states.
        let store = Arc::clone(commit.job.node.store());
        store.submit(transaction, Box::new(move |result| commit.end(result)));
        drop(head);
    }

    /// The remembered answer to this very call, if it is a retry.
    fn remembered(&self, head: &Head) -> Option<(Arc<Retry>, Answer)> {
        let key = self.retry.as_deref()?;
        retry::remembered(&self.node, head, key, &self.origin, self.progress.protocol)
    }

    /// Sends a remembered answer again, if the caller would still be allowed what the first call
    /// asked.
    fn replay(self, (retry, answer): (Arc<Retry>, Answer)) {
        let account = self.admitted.authentic.shard.account();
        // The first call may not be durable yet; then its answer is not to be had either.
        let durable = account.retry(&retry.key).is_some();
        let mut asked = Asked::default();
        let allowed = self.call_on(&account).and_then(|call| {
            if !durable {
                return Err(Fault::unavailable());
            }
            let asks = retry::asks(&retry).ok_or_else(Fault::internal)?;
            asked = Asked::put(&call, asks);
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
        let family = family(admitted.entry.schema.service.protocol);
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
    fn put(call: &Call<'_>, asks: Vec<Ask>) -> Self {
        let Decided { refused, explanations } = authorize(call, &asks);
        note_further(call, asks.iter().take(explanations.len()));
        Self { asks, explanations, refused }
    }

    fn allowed(&self) -> Result<(), Fault> {
        self.refused.clone().map_or(Ok(()), Err)
    }
}

/// Notes the actions that a call asked for besides its own, such as `sts:TagSession`; its own was
/// noted when it came in.
fn note_further<'a>(call: &Call<'_>, asks: impl Iterator<Item = &'a Ask>) {
    let Some(principal) = call.caller().tracked() else { return };
    let own = call.operation();
    for (service, name) in asks.filter_map(|ask| ask.action.split_once(':')) {
        if name == own {
            continue;
        }
        let catalog = call.catalog();
        let known = catalog.service(service).and_then(|service| {
            service.action(name).map(|action| (service.prefix(), &*action.name))
        });
        let shard = call.node().shard(call.account().id());
        if let (Some(action), Some(shard)) = (known, shard) {
            shard.uses().note_action(principal, action, call.now(), &call.origin().region);
        }
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
            // A state that builds on one which the store refused is not shown, durable as it is: the
            // next start reads the records themselves.
            Ok(Stored::Committed(revision)) => {
                if !shard.is_stopped() {
                    shard.publish(self.account, revision);
                }
                node.export(shard.id(), revision, self.key, self.line);
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
