//! Events: one record a call, in CloudTrail's format. Source: CloudTrail user guide, record contents.

use bailiwick_identifiers::AccountId;
use bailiwick_model::Account;
use bailiwick_wire::{Value, audit, schema, time};
use serde_json::{Map, Value as Json, json};

use crate::caller::Caller;
use crate::fault::Fault;
use crate::origin::Origin;

/// How a call ended.
pub(crate) enum Outcome<'a> {
    /// It was carried out.
    Done(&'a Value),
    /// It was refused or failed.
    Failed(&'a Fault),
    /// It was a retry of a call carried out before, whose event has this id; its answer was sent
    /// again and nothing was done.
    Replayed(&'a str),
}

/// Everything an event is made of.
pub(crate) struct Happening<'a> {
    pub(crate) origin: &'a Origin,
    /// The caller and its account, where the signature was good.
    pub(crate) caller: Option<(&'a Caller, &'a Account)>,
    /// The key id that an unverified caller presented.
    pub(crate) claimed_key: Option<&'a str>,
    /// The service, such as `iam`; none for a request that names none.
    pub(crate) service: Option<&'static schema::Service>,
    /// The name of the operation, as far as it is known.
    pub(crate) operation: &'a str,
    /// The operation's description and the decoded request.
    pub(crate) request: Option<(&'static schema::Operation, &'a Value)>,
    pub(crate) outcome: Outcome<'a>,
    /// Whether the operation changes nothing.
    pub(crate) read_only: bool,
    /// Whether a decision was taken that can be explained.
    pub(crate) decided: bool,
    /// The region to which the event belongs.
    pub(crate) region: &'a str,
    /// The account in whose trail the record stands.
    pub(crate) recipient: AccountId,
    /// The resource that belongs to another account, with its type.
    pub(crate) resource: Option<(&'a str, AccountId, &'a str)>,
    /// The id that the records of one call in two accounts share.
    pub(crate) shared_id: Option<&'a str>,
}

impl Happening<'_> {
    /// The record.
    pub(crate) fn record(&self, event_id: &str) -> Json {
        let mut record = Map::new();
        let mut set = |key: &str, value: Json| {
            record.insert(key.to_owned(), value);
        };
        set("eventVersion", "1.11".into());
        set("userIdentity", self.user_identity());
        set("eventTime", time::write_iso(self.origin.now).into());
        set("eventSource", self.event_source().into());
        set("eventName", self.operation.into());
        set("awsRegion", self.region.into());
        set("sourceIPAddress", self.origin.peer.address.to_string().into());
        set("userAgent", self.origin.user_agent.as_deref().unwrap_or_default().into());
        if let Outcome::Failed(fault) = self.outcome {
            set("errorCode", fault.code().into());
            set("errorMessage", fault.message().into());
        }
        set("requestParameters", self.request_parameters());
        set("responseElements", self.response_elements());
        set("additionalEventData", self.additional());
        set("requestID", self.origin.request_id.as_str().into());
        set("eventID", event_id.into());
        set("readOnly", self.read_only.into());
        if let Some((arn, owner, kind)) = self.resource {
            set("resources", json!([{"accountId": owner.to_string(), "type": kind, "ARN": arn}]));
        }
        set("eventType", "AwsApiCall".into());
        set("managementEvent", true.into());
        set("recipientAccountId", self.recipient.to_string().into());
        if let Some(shared) = self.shared_id {
            set("sharedEventID", shared.into());
        }
        set("eventCategory", "Management".into());
        Json::Object(record)
    }

    fn event_source(&self) -> String {
        let service = self.service.map_or("signin", |service| service.endpoint_prefix);
        format!("{service}.amazonaws.com")
    }

    fn user_identity(&self) -> Json {
        match (self.caller, self.claimed_key) {
            (Some((caller, account)), _) => caller.user_identity(account),
            (None, Some(key)) => json!({"type": "Unknown", "accessKeyId": key}),
            (None, None) => json!({"type": "Unknown"}),
        }
    }

    fn request_parameters(&self) -> Json {
        match self.request {
            Some((operation, value)) => {
                operation.input.map_or(Json::Null, |input| audit::parameters(input, value))
            }
            None => Json::Null,
        }
    }

    fn response_elements(&self) -> Json {
        match (&self.outcome, self.request) {
            // CloudTrail shows responses of calls that change something, and of those that issue
            // credentials.
            (Outcome::Done(value), Some((operation, _)))
                if !self.read_only || operation.name.starts_with("Assume") =>
            {
                operation.output.map_or(Json::Null, |output| audit::parameters(output, value))
            }
            _ => Json::Null,
        }
    }

    fn additional(&self) -> Json {
        let mut data = Map::new();
        if self.decided {
            data.insert("decisionId".into(), self.origin.decision_id.as_str().into());
        }
        if let Outcome::Replayed(first) = self.outcome {
            data.insert("replayOf".into(), first.into());
        }
        if !self.origin.peer.secure {
            data.insert("secureTransport".into(), false.into());
        }
        Json::Object(data)
    }
}
