//! Events of sign-in in the form of CloudTrail's console sign-in events. Source: CloudTrail user
//! guide, AWS Management Console sign-in events.

use bailiwick_identifiers::AccountId;
use bailiwick_model::{Account, User};
use serde_json::{Map, Value as Json, json};

use super::Visit;

/// Whom an event is about.
pub(super) enum Who<'a> {
    /// A user that is there.
    User(&'a Account, &'a User),
    /// A name that no user has. It is not repeated: people type passwords where names belong.
    Nobody(Option<AccountId>),
}

/// What is told of a sign-in.
pub(super) struct SignInEvent<'a> {
    /// `ConsoleLogin`, `CheckMfa` and the like.
    pub(super) name: &'static str,
    /// Whom it is about.
    pub(super) who: Who<'a>,
    /// What went wrong.
    pub(super) error: Option<&'static str>,
    /// `additionalEventData`.
    pub(super) additional: Json,
}

/// *Documented*: the words for a wrong password or code.
pub(super) const FAILED: &str = "Failed authentication";
/// *Observed*.
pub(super) const NOBODY: &str = "No username found in supplied account";

impl Visit {
    /// `additionalEventData` of ConsoleLogin. `factor` is the serial number of the device shown,
    /// empty for one that was wrong.
    pub(super) fn login_data(&self, factor: Option<&str>) -> Json {
        let mut data = Map::new();
        data.insert("LoginTo".into(), format!("{}/console", self.site).into());
        data.insert("MobileVersion".into(), "No".into());
        if let Some(serial) = factor.filter(|serial| !serial.is_empty()) {
            data.insert("MFAIdentifier".into(), serial.into());
        }
        data.insert("MFAUsed".into(), if factor.is_some() { "Yes" } else { "No" }.into());
        Json::Object(data)
    }

    /// The line of an event in the journal.
    pub(super) fn line(&self, recipient: AccountId, event: &SignInEvent<'_>) -> Vec<u8> {
        let origin = &self.origin;
        let mut record = json!({
            "eventVersion": "1.11",
            "userIdentity": identity(event),
            "eventTime": bailiwick_wire::time::write_iso(origin.now),
            "eventSource": "signin.amazonaws.com",
            "eventName": event.name,
            "awsRegion": origin.region,
            "sourceIPAddress": origin.peer.address.to_string(),
            "userAgent": origin.user_agent.as_deref().unwrap_or_default(),
            "requestParameters": null,
            "responseElements": {event.name: if event.error.is_some() { "Failure" } else { "Success" }},
            "additionalEventData": event.additional,
            "requestID": origin.request_id,
            "eventID": origin.event_id,
            "readOnly": false,
            "eventType": "AwsConsoleSignIn",
            "managementEvent": true,
            "recipientAccountId": recipient.to_string(),
            "eventCategory": "Management",
        });
        if let (Some(error), Some(fields)) = (event.error, record.as_object_mut()) {
            fields.insert("errorMessage".into(), error.into());
        }
        let mut line = json!({ "event": record }).to_string().into_bytes();
        line.push(b'\n');
        line
    }

    /// Records what changed nothing; false when it could not be recorded, and then nothing is
    /// answered but that (rule R6).
    pub(super) fn record(&self, account: Option<AccountId>, event: &SignInEvent<'_>) -> bool {
        metrics::counter!(
            "bailiwick_sign_ins_total",
            "event" => event.name, "outcome" => if event.error.is_some() { "failure" } else { "success" }
        )
        .increment(1);
        // What belongs to no account is told in the one made first.
        let Some(recipient) = account.or_else(|| self.node.home()) else { return true };
        let line = self.line(recipient, event);
        match self.node.journal().append(&recipient.to_string(), &line) {
            Ok(_) => true,
            Err(error) => {
                tracing::error!(%error, "an event of a sign-in could not be written");
                false
            }
        }
    }
}

fn identity(event: &SignInEvent<'_>) -> Json {
    match &event.who {
        Who::User(account, user) => {
            let mut identity = json!({
                "type": "IAMUser",
                "principalId": user.id.as_str(),
                "accountId": account.id().to_string(),
                "accessKeyId": "",
                "userName": user.name.as_str(),
            });
            // *Documented*: a failure shows no ARN.
            if let (None, Some(fields)) = (event.error, identity.as_object_mut()) {
                fields.insert("arn".into(), account.user_arn(user).as_str().into());
            }
            identity
        }
        Who::Nobody(account) => {
            let mut identity = json!({
                "type": "IAMUser",
                "accessKeyId": "",
                "userName": "HIDDEN_DUE_TO_SECURITY_REASONS",
            });
            if let (Some(account), Some(fields)) = (account, identity.as_object_mut()) {
                fields.insert("accountId".into(), account.to_string().into());
            }
            identity
        }
    }
}
