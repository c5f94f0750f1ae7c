//! Retries: a client that lost the answer to a change asks again under the same invocation id, and
//! gets the same answer; the change is made once.
//!
//! A remembered answer is sealed, and kept for ten minutes in the transaction of its change. The
//! invocation id is not signed by the SDKs; only a request of the same key, operation, query and
//! body can meet an answer under it, so who changes it on the way can at most have a call made anew.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use bailiwick_model::{Record, RecordKey, Retry};
use bailiwick_store::seal::{Binding, Purpose};
use bailiwick_wire::schema::{Operation, Protocol};
use http::request::Parts;
use jiff::{SignedDuration, Timestamp};

use crate::answer::Answer;
use crate::ask::Ask;
use crate::call::Permitted;
use crate::node::Node;
use crate::origin::Origin;
use crate::ports::hex;
use crate::shard::Head;

/// How long an answer is remembered.
const WINDOW: SignedDuration = SignedDuration::from_mins(10);

/// The longest invocation id that is taken.
const MAX_INVOCATION: usize = 128;

/// The largest answer that is remembered, in bytes. Larger ones only repeat long documents.
const MAX_ANSWER: usize = 64 * 1024;

/// The most answers remembered of an account; the oldest go first (threat G07).
const MAX_REMEMBERED: usize = 50_000;

/// Old answers dropped by one change. The rest go with the flush.
const DROPPED: usize = 8;

/// What makes two requests the same call: key, invocation, operation, path, query string and body. None
/// for a request without an invocation id.
pub(crate) fn key(
    parts: &Parts,
    body: &[u8],
    access_key: &str,
    operation: &Operation,
) -> Option<String> {
    let id = parts.headers.get("amz-sdk-invocation-id")?.to_str().ok()?;
    if id.is_empty() || id.len() > MAX_INVOCATION {
        return None;
    }
    let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or_default());
    let mut text =
        format!("{access_key}\0{id}\0{}\0{path}\0{query}\0", operation.name).into_bytes();
    text.extend_from_slice(digest(&SHA256, body).as_ref());
    Some(hex(digest(&SHA256, &text).as_ref()))
}

fn binding(key: &str) -> Binding<'_> {
    Binding { kind: "retry", id: key.as_bytes(), version: 1 }
}

/// The remembered answer under a key, if it is not too old.
pub(crate) fn remembered(
    node: &Node,
    head: &Head,
    key: &str,
    origin: &Origin,
    protocol: Protocol,
) -> Option<(Arc<Retry>, Answer)> {
    let retry = head.account.retry(key).filter(|retry| retry.expires > origin.now)?;
    let body =
        node.keyring().open(Purpose::RetryResponse, &binding(&retry.key), &retry.sealed).ok()?;
    let content_type = match protocol {
        Protocol::Query => bailiwick_wire::query::CONTENT_TYPE,
        protocol => bailiwick_wire::json::content_type(protocol),
    };
    let answer = Answer::bare(200, content_type, body.to_vec());
    Some((Arc::clone(retry), answer))
}

/// What the first call asked, to be asked again.
pub(crate) fn asks(retry: &Retry) -> Option<Vec<Ask>> {
    serde_json::from_str(&retry.asks).ok()
}

/// Adds the answer to what a change writes, and drops a few that are too old.
pub(crate) fn remember(
    node: &Node,
    permitted: &mut Permitted<'_>,
    head: &mut Head,
    key: Option<&str>,
    origin: &Origin,
    answer: &Answer,
    asks: &[Ask],
) {
    for key in forget(head, origin.now, DROPPED) {
        permitted.remove(&RecordKey::Retry(key));
    }
    let Some(key) = key.filter(|_| answer.body.len() <= MAX_ANSWER) else { return };
    let mut nonce = [0; 12];
    node.entropy().fill(&mut nonce);
    let sealed = node.keyring().seal(Purpose::RetryResponse, &binding(key), &answer.body, nonce);
    let asks = serde_json::to_string(asks).ok();
    let (Ok(sealed), Some(asks)) = (sealed, asks) else {
        tracing::error!("an answer could not be sealed for retries");
        return;
    };
    let expires = origin.now.saturating_add(WINDOW).unwrap_or(origin.now);
    head.retries.push_back((expires, key.to_owned()));
    permitted.update(Record::Retry(Arc::new(Retry {
        key: key.to_owned(),
        expires,
        event_id: origin.event_id.clone(),
        sealed: sealed.into(),
        asks,
    })));
}

/// Takes up to `most` answers off the list that are too old, or too many.
pub(crate) fn forget(head: &mut Head, now: Timestamp, most: usize) -> Vec<String> {
    let mut keys = Vec::new();
    while keys.len() < most {
        let crowded = head.retries.len() > MAX_REMEMBERED;
        let Some((expires, key)) =
            head.retries.pop_front_if(|(expires, _)| crowded || *expires <= now)
        else {
            break;
        };
        // A key that was used again stands further back with its newer date.
        if head.account.retry(&key).is_none_or(|retry| retry.expires == expires) {
            keys.push(key);
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use bailiwick_identifiers::Partition;
    use bailiwick_model::{Account, AccountInfo};
    use jiff::ToSpan as _;

    fn head(entries: impl IntoIterator<Item = i64>) -> Head {
        let mut account = Account::new(AccountInfo {
            id: "123456789012".parse().unwrap(),
            name: None,
            partition: Partition::Aws,
            created: Timestamp::UNIX_EPOCH,
            alias: None,
        });
        let mut retries = std::collections::VecDeque::new();
        for (place, second) in entries.into_iter().enumerate() {
            let (key, expires) = (format!("k{place}"), Timestamp::from_second(second).unwrap());
            retries.push_back((expires, key.clone()));
            account.put(Record::Retry(Arc::new(Retry {
                key,
                expires,
                event_id: String::new(),
                sealed: Vec::new().into(),
                asks: "[]".into(),
            })));
        }
        Head { account: Arc::new(account), retries }
    }

    /// G07: what is dropped in one go is bounded, however much is too old.
    #[test]
    fn tm_g07_old_answers_go_a_few_at_a_time() {
        let now = Timestamp::from_second(100).unwrap();
        let mut head = head([10, 20, 30, 200]);
        assert_eq!(forget(&mut head, now, 2), ["k0", "k1"]);
        assert_eq!(forget(&mut head, now, 2), ["k2"]);
        assert!(forget(&mut head, now, 2).is_empty());
        assert_eq!(forget(&mut head, now + 200.seconds(), 2), ["k3"]);
    }

    #[test]
    fn an_answer_remembered_anew_is_not_dropped_by_its_old_date() {
        let now = Timestamp::from_second(100).unwrap();
        let mut head = head([10]);
        let renewed = Retry {
            expires: now + 600.seconds(),
            ..Retry::clone(head.account.retry("k0").unwrap())
        };
        head.retries.push_back((renewed.expires, "k0".into()));
        Arc::make_mut(&mut head.account).put(Record::Retry(Arc::new(renewed)));
        assert!(forget(&mut head, now, 8).is_empty());
        assert_eq!(head.retries.len(), 1);
    }
}
