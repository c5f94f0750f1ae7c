//! ListEvents and ExplainDecision: the account's trail, and the walk behind each decision.

use bailiwick_store::journal::{Cursor, JournalError, Line};
use bailiwick_store::seal::{Binding, Purpose};
use bailiwick_wire::generated::bailiwick as api;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::Value as Json;

use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::fault::Fault;
use crate::operation::{Entry, Operation, Request, entry};

pub(super) const OPERATIONS: &[Entry] = &[entry::<ListEvents>(), entry::<ExplainDecision>()];

/// Events of a page unless the caller says otherwise.
const DEFAULT_RESULTS: i32 = 50;

/// Lines looked at for one page: a search goes on from the token of the page before (threat G06).
const MAX_LINES: usize = 200_000;

/// How far one explanation looks back: what is older is found by its event, with ListEvents, which
/// goes on from page to page (threat G06).
const REACH: Reach = Reach { lines: MAX_LINES, bytes: 256 << 20, parsed: 1_000 };

/// Lists the events of the caller's account, newest first, or oldest first to follow it.
struct ListEvents {
    filter: Filter,
    results: usize,
    token: Option<String>,
    forward: bool,
}

/// What an event must be to be listed.
struct Filter {
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    user: Option<String>,
    /// Pairs of a place in the record and the text that must stand there.
    equal: Vec<(&'static str, String)>,
}

impl Operation for ListEvents {
    type Api = api::ListEvents;

    const HEAVY: bool = true;

    fn parse(request: Request<Self>) -> Result<Self, Fault> {
        let equal = [
            ("/eventName", request.event_name),
            ("/userIdentity/accessKeyId", request.access_key_id),
            ("/errorCode", request.error_code),
            ("/additionalEventData/decisionId", request.decision_id),
            ("/eventID", request.event_id),
        ];
        Ok(Self {
            filter: Filter {
                start: request.start_time,
                end: request.end_time,
                user: request.user_name,
                equal: equal
                    .into_iter()
                    .filter_map(|(at, wanted)| wanted.map(|wanted| (at, wanted)))
                    .collect(),
            },
            results: usize::try_from(request.max_results.unwrap_or(DEFAULT_RESULTS)).unwrap_or(1),
            token: request.next_token,
            forward: request.forward.unwrap_or(false),
        })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![call.ask::<Self>("*")])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::ListEventsResponse, Fault> {
        let account = call.account().id().to_string();
        let from =
            self.token.as_deref().map(|token| open(call, token, self.forward)).transpose()?;
        let journal = call.node().journal();
        let lines = if self.forward {
            journal.forward(&account, from)
        } else {
            journal.backward(&account, from)
        };
        let lines = lines.map_err(|error| unreadable(&error))?;
        let (mut events, mut last, mut full) = (Vec::new(), from, false);
        for (seen, line) in lines.enumerate() {
            let line = line.map_err(|error| unreadable(&error))?;
            last = Some(if self.forward { line.next } else { line.cursor });
            if let Some(event) = self.filter.admit(&line) {
                events.push(event);
            }
            if events.len() >= self.results || seen + 1 >= MAX_LINES {
                full = true;
                break;
            }
        }
        // Who follows the trail goes on where it ended, even when nothing was new.
        let next = last.filter(|_| full || self.forward);
        let next_token = next.map(|cursor| seal(call, cursor, self.forward)).transpose()?;
        Ok(api::ListEventsResponse { events, next_token })
    }
}

impl Filter {
    /// The record of a line as text, if it is wanted.
    fn admit(&self, line: &Line) -> Option<String> {
        let mut parsed: Json = serde_json::from_slice(&line.bytes).ok()?;
        let event = parsed.get_mut("event")?.take();
        let text = |at: &str| event.pointer(at).and_then(Json::as_str);
        if !self.equal.iter().all(|(at, wanted)| text(at) == Some(wanted)) {
            return None;
        }
        if let Some(user) = &self.user
            && !named(&event, user)
        {
            return None;
        }
        if self.start.is_some() || self.end.is_some() {
            let at: Timestamp = text("/eventTime")?.parse().ok()?;
            if self.start.is_some_and(|start| at < start) || self.end.is_some_and(|end| at > end) {
                return None;
            }
        }
        Some(event.to_string())
    }
}

/// Whether the caller of an event has this user name, role name or session name.
fn named(event: &Json, user: &str) -> bool {
    let text = |at: &str| event.pointer(at).and_then(Json::as_str);
    text("/userIdentity/userName") == Some(user)
        || text("/userIdentity/sessionContext/sessionIssuer/userName") == Some(user)
        || text("/userIdentity/arn")
            .is_some_and(|arn| arn == user || arn.ends_with(&format!("/{user}")))
}

/// Shows the walk behind a decision of the caller's account.
struct ExplainDecision {
    id: String,
}

impl Operation for ExplainDecision {
    type Api = api::ExplainDecision;

    const HEAVY: bool = true;

    fn parse(request: Request<Self>) -> Result<Self, Fault> {
        Ok(Self { id: request.decision_id })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![call.ask::<Self>("*")])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::ExplainDecisionResponse, Fault> {
        if let Some(found) = decision(call, &self.id)? {
            return Ok(api::ExplainDecisionResponse {
                explanation: found.decisions.to_string(),
                event: found.event.to_string(),
            });
        }
        Err(Fault::new(
            "NoSuchDecision",
            format!(
                "There is no decision {} among the newest {} events of this account.",
                self.id, REACH.lines
            ),
        ))
    }
}

/// A call of the account and what was decided about it, as the journal holds them.
pub(crate) struct Decision {
    /// The explanations, one an ask.
    pub(crate) decisions: Json,
    /// The event.
    pub(crate) event: Json,
}

/// What may still be looked at.
#[derive(Clone, Copy, Debug)]
struct Reach {
    lines: usize,
    bytes: usize,
    /// Lines that have the id in them somewhere.
    parsed: usize,
}

impl Reach {
    /// Takes a line, unless nothing is left.
    fn covers(&mut self, line: &[u8], parsed: bool) -> bool {
        let left = |held: usize, taken: usize| held.checked_sub(taken);
        let rest = (
            left(self.lines, 1),
            left(self.bytes, line.len()),
            left(self.parsed, usize::from(parsed)),
        );
        let (Some(lines), Some(bytes), Some(parsed)) = rest else { return false };
        *self = Self { lines, bytes, parsed };
        true
    }
}

/// Whether a text has the form of the ids of decisions, requests and events: `d-` and 32 digits, or a
/// UUID.
fn is_id(text: &str) -> bool {
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let lengths = text.split('-').map(str::len);
    match text.strip_prefix("d-") {
        Some(rest) => rest.len() == 32 && digits(rest),
        None => lengths.eq([8, 4, 4, 4, 12]) && text.split('-').all(digits),
    }
}

/// Finds a decision of the caller's account by its id, or by that of its request or event.
pub(crate) fn decision(call: &Call<'_>, id: &str) -> Result<Option<Decision>, Fault> {
    if !is_id(id) {
        return Ok(None);
    }
    let account = call.account().id().to_string();
    let lines = call.node().journal().backward(&account, None);
    let mut reach = REACH;
    for line in lines.map_err(|error| unreadable(&error))? {
        let line = line.map_err(|error| unreadable(&error))?;
        // Most lines are of other calls: they are not parsed.
        let wanted = contains(&line.bytes, id.as_bytes());
        if !reach.covers(&line.bytes, wanted) {
            return Ok(None);
        }
        if !wanted {
            continue;
        }
        let Ok(mut parsed) = serde_json::from_slice::<Json>(&line.bytes) else { continue };
        let Some(event) = parsed.get_mut("event").map(Json::take) else { continue };
        let Some(decisions) = parsed.get_mut("decision").map(Json::take) else { continue };
        let places = ["/additionalEventData/decisionId", "/requestID", "/eventID"];
        if places.iter().any(|at| event.pointer(at).and_then(Json::as_str) == Some(id)) {
            return Ok(Some(Decision { decisions, event }));
        }
    }
    Ok(None)
}

fn contains(text: &[u8], wanted: &[u8]) -> bool {
    !wanted.is_empty() && memchr::memmem::find(text, wanted).is_some()
}

fn unreadable(error: &JournalError) -> Fault {
    tracing::error!(%error, "the event journal cannot be read");
    Fault::internal()
}

fn scope(call: &Call<'_>, forward: bool) -> String {
    format!("events\0{}\0{forward}", call.account().id())
}

fn seal(call: &Call<'_>, cursor: Cursor, forward: bool) -> Result<String, Fault> {
    let scope = scope(call, forward);
    let binding = Binding { kind: "page", id: scope.as_bytes(), version: 1 };
    let mut nonce = [0; 12];
    call.entropy().fill(&mut nonce);
    let mut plain = cursor.segment.to_be_bytes().to_vec();
    plain.extend(cursor.offset.to_be_bytes());
    let sealed = call.keyring().seal(Purpose::PageMarker, &binding, &plain, nonce);
    sealed.map(|sealed| URL_SAFE_NO_PAD.encode(sealed)).map_err(|_| Fault::internal())
}

fn open(call: &Call<'_>, token: &str, forward: bool) -> Result<Cursor, Fault> {
    let invalid =
        || Fault::new("InvalidNextToken", "The next token is not valid for this request.");
    let scope = scope(call, forward);
    let binding = Binding { kind: "page", id: scope.as_bytes(), version: 1 };
    let sealed = URL_SAFE_NO_PAD.decode(token).map_err(|_| invalid())?;
    let plain =
        call.keyring().open(Purpose::PageMarker, &binding, &sealed).map_err(|_| invalid())?;
    let (segment, offset) = plain.split_at_checked(8).ok_or_else(invalid)?;
    let number = |bytes: &[u8]| bytes.try_into().map(u64::from_be_bytes).map_err(|_| invalid());
    Ok(Cursor { segment: number(segment)?, offset: number(offset)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_callers_by_name() {
        let event = serde_json::json!({
            "userIdentity": {
                "arn": "arn:aws:sts::123456789012:assumed-role/Audit/alice-1",
                "sessionContext": {"sessionIssuer": {"userName": "Audit"}},
            }
        });
        assert!(named(&event, "Audit"));
        assert!(named(&event, "alice-1"));
        assert!(!named(&event, "alice"));
        assert!(contains(b"abc", b"bc") && !contains(b"abc", b""));
    }

    #[test]
    fn tm_g06_a_search_for_a_decision_has_a_reach() {
        let line = [b'x'; 100];
        for (reach, parsed, expected) in [
            (Reach { lines: 3, bytes: 1000, parsed: 9 }, true, 3),
            (Reach { lines: 9, bytes: 250, parsed: 9 }, true, 2),
            (Reach { lines: 9, bytes: 1000, parsed: 1 }, true, 1),
            (Reach { lines: 9, bytes: 1000, parsed: 0 }, false, 9),
        ] {
            let mut left = reach;
            let covered = (0..20).take_while(|_| left.covers(&line, parsed)).count();
            assert_eq!(covered, expected, "{reach:?}");
        }
    }

    #[test]
    fn only_ids_are_searched() {
        for (text, expected) in [
            ("d-00112233445566778899aabbccddeeff", true),
            ("0011aaff-0011-0011-0011-001122334455", true),
            ("d-0011", false),
            ("0011aaff-0011-0011-0011-00112233445g", false),
            ("Root", false),
            ("\"", false),
            ("", false),
        ] {
            assert_eq!(is_id(text), expected, "{text:?}");
        }
    }
}
