//! DecodeAuthorizationMessage: what became of a request, for who may know.
//!
//! AWS seals the message into the text of a denial. Here the text carries the decision's id, and the
//! message lies with the event: an encoded message is that id, `d-` and 32 digits.

use bailiwick_wire::generated::sts as api;
use serde_json::{Value as Json, json};

use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::fault::Fault;
use crate::operation::{Entry, Operation, Request, entry};
use crate::own::events;

pub(super) const OPERATIONS: &[Entry] = &[entry::<DecodeAuthorizationMessage>()];

/// Shows a decision of the caller's account.
struct DecodeAuthorizationMessage {
    encoded: String,
}

impl Operation for DecodeAuthorizationMessage {
    type Api = api::DecodeAuthorizationMessage;

    const HEAVY: bool = true;

    fn parse(request: Request<Self>) -> Result<Self, Fault> {
        Ok(Self { encoded: request.encoded_message })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![call.ask::<Self>("*")])
    }

    fn run(
        &self,
        call: &mut Permitted<'_>,
    ) -> Result<api::DecodeAuthorizationMessageResponse, Fault> {
        let invalid = || Fault::new("InvalidAuthorizationMessageException", "Message is not valid");
        if !is_decision(&self.encoded) {
            return Err(invalid());
        }
        let found = events::decision(call, &self.encoded)?.ok_or_else(invalid)?;
        let decisions = found.decisions.as_array().map(Vec::as_slice).unwrap_or_default();
        // The last one ended the call.
        let message = decisions.last().map(message).ok_or_else(invalid)?;
        Ok(api::DecodeAuthorizationMessageResponse { decoded_message: Some(message.to_string()) })
    }
}

/// Whether a text is the id of a decision.
fn is_decision(text: &str) -> bool {
    let digits = text.strip_prefix("d-").unwrap_or_default();
    digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The message that was kept with a denial. Of all else only the explanation is kept: the caller, the
/// action, the resource and the answer.
fn message(decision: &Json) -> Json {
    if let Some(kept) = decision.get("message") {
        return kept.clone();
    }
    let text = |key: &str| decision.get(key).and_then(Json::as_str).unwrap_or_default();
    let verdict = decision.pointer("/decision/verdict").and_then(Json::as_str);
    let verdict = verdict.unwrap_or_else(|| text("decision"));
    let empty = json!({"items": []});
    json!({
        "allowed": verdict == "allowed",
        "explicitDeny": verdict == "explicitDeny",
        "matchedStatements": empty,
        "failures": empty,
        "context": {
            "principal": {"id": "", "arn": text("principal")},
            "action": text("action"),
            "resource": text("resource"),
            "conditions": empty,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_decisions() {
        let id = format!("d-{}", "0a".repeat(16));
        for (text, expected) in [
            (&*id, true),
            (&id[2..], false),
            (&id[..33], false),
            ("d-", false),
            ("", false),
            ("EXAMPLEWodyRNrtlQARDip-eTA6i6DrlUhHhPQrLWB", false),
        ] {
            assert_eq!(is_decision(text), expected, "{text:?}");
        }
    }

    #[test]
    fn decisions_without_a_message_show_what_is_kept() {
        let kept = json!({"message": {"allowed": false}});
        assert_eq!(message(&kept), json!({"allowed": false}));
        let allowed = json!({
            "decision": {"verdict": "allowed"}, "principal": "p", "action": "a", "resource": "r",
        });
        assert_eq!(message(&allowed)["allowed"], true);
        assert_eq!(message(&allowed)["context"]["principal"]["arn"], "p");
        let refused = json!({"decision": "explicitDeny", "rule": "words", "action": "a"});
        assert_eq!(message(&refused)["explicitDeny"], true);
    }
}
