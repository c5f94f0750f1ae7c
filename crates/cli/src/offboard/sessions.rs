//! The sessions of roles that a user made, as the trail tells: she keeps them when her keys are gone,
//! and no policy of hers bears on them.
//!
//! AWS's way is a policy on the role that denies everything to sessions issued before now. Ours names
//! the sessions too, so that other people's sessions of the role go on.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};

use super::Leaver;
use crate::iam::{is_code, text};

/// A session of a role lives for twelve hours at most, and one made from another for one more.
const HORIZON: SignedDuration = SignedDuration::from_hours(13);
/// Events of that time that are looked at.
const MAX_EVENTS: usize = 1_000_000;

/// Sessions of a role that are to end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Revoked {
    /// The name of the role.
    pub(super) role: String,
    /// `aws:userid` of each session.
    ids: BTreeSet<String>,
}

impl Revoked {
    /// The policy on the role that ends them.
    pub(super) fn policy(&self, now: Timestamp) -> String {
        json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Sid": "RevokedSessions", "Effect": "Deny", "Action": "*", "Resource": "*",
                "Condition": {
                    "StringEquals": {"aws:userid": self.ids},
                    // What is issued in this second is revoked too.
                    "DateLessThanEquals": {"aws:TokenIssueTime": now.to_string()},
                },
            }],
        })
        .to_string()
    }
}

/// The sessions that the user made, and those made from them.
pub(super) fn of(leaver: &Leaver, now: Timestamp) -> anyhow::Result<Vec<Revoked>> {
    let since = now.saturating_sub(HORIZON).unwrap_or(Timestamp::MIN);
    let mut events = match leaver.iam.events(None, since, MAX_EVENTS) {
        Ok(events) => events,
        // Another server than ours has no such call.
        Err(error) if is_code(&error, "UnknownOperationException") => Vec::new(),
        Err(error) => return Err(error.context("the trail, which tells her sessions of roles")),
    };
    events.reverse();
    Ok(made(&leaver.id, &events))
}

/// `events` in the order in which they happened.
fn made(user: &str, events: &[Json]) -> Vec<Revoked> {
    let mut hers: BTreeSet<String> = BTreeSet::from([user.to_owned()]);
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for event in events {
        let identity = event.get("userIdentity").unwrap_or(&Json::Null);
        let issuer = identity.pointer("/sessionContext/sessionIssuer/principalId");
        let is_hers = hers.contains(text(identity, "principalId"))
            || issuer.and_then(Json::as_str) == Some(user);
        let session = event.pointer("/responseElements/assumedRoleUser");
        let (true, Some(session)) = (is_hers && event.get("errorCode").is_none(), session) else {
            continue;
        };
        let id = text(session, "assumedRoleId");
        // `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`
        let role = text(session, "arn").split('/').nth(1).unwrap_or_default();
        let own = text(session, "arn").split(':').nth(4)
            == event.get("recipientAccountId").and_then(Json::as_str);
        if id.is_empty() || role.is_empty() || !own {
            continue;
        }
        hers.insert(id.to_owned());
        found.entry(role.to_owned()).or_default().insert(id.to_owned());
    }
    found.into_iter().map(|(role, ids)| Revoked { role, ids }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(principal: &str, role: &str, id: &str) -> Json {
        json!({
            "userIdentity": {"principalId": principal}, "recipientAccountId": "123456789012",
            "responseElements": {"assumedRoleUser": {
                "assumedRoleId": id, "arn": format!("arn:aws:sts::123456789012:assumed-role/{role}/s"),
            }},
        })
    }

    #[test]
    fn sessions_are_followed_from_role_to_role() {
        let mut refused = event("AIDAALICE", "c", "AROAC:s");
        refused["errorCode"] = "AccessDenied".into();
        let events = [
            event("AIDABOB", "a", "AROAA:bob"),
            event("AIDAALICE", "a", "AROAA:alice"),
            event("AROAA:alice", "b", "AROAB:s"),
            event("AROAA:bob", "b", "AROAB:t"),
            refused,
            json!({"userIdentity": {"principalId": "AIDAALICE"}, "responseElements": null}),
        ];
        let found = made("AIDAALICE", &events);
        let ids = |id: &str| BTreeSet::from([id.to_owned()]);
        let expected = [
            Revoked { role: "a".into(), ids: ids("AROAA:alice") },
            Revoked { role: "b".into(), ids: ids("AROAB:s") },
        ];
        assert_eq!(found, expected);
        let policy = found[0].policy("2026-11-22T10:00:00Z".parse().unwrap());
        assert!(policy.contains(r#""aws:userid":["AROAA:alice"]"#), "{policy}");
    }
}
