//! Events: one record a call, in CloudTrail's format. Source: CloudTrail user guide, record contents.

use bailiwick_identifiers::AccountId;
use bailiwick_model::Account;
use bailiwick_wire::{Value, audit, schema, time};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::{Value as Json, json};

use crate::caller::Caller;
use crate::fault::Fault;
use crate::origin::Origin;
use crate::session::Forward;

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
    /// The record as JSON text.
    pub(crate) fn record(&self, event_id: &str) -> String {
        serde_json::to_string(&Record { happening: self, event_id }).unwrap_or_default()
    }

    fn forward(&self) -> Option<&Forward> {
        self.caller.and_then(|(caller, _)| caller.forward())
    }

    fn event_source(&self) -> String {
        let service = self.service.map_or("signin", |service| service.endpoint_prefix);
        let service = self.renamed().map_or(service, |(service, _)| service);
        format!("{service}.amazonaws.com")
    }

    /// AWS's service and name for what an operation of ours does, where its console does it too: who
    /// watches a trail need not know both.
    fn renamed(&self) -> Option<(&'static str, &'static str)> {
        let own = self.service.is_some_and(|service| service.name == "bailiwick");
        (own && self.operation == "FinishPasskeyRegistration").then_some(("iam", "EnableMFADevice"))
    }

    fn request_parameters(&self) -> Json {
        match self.request {
            Some((operation, value)) => {
                operation.input.map_or(Json::Null, |input| bounded(audit::parameters(input, value)))
            }
            None => Json::Null,
        }
    }

    fn response_elements(&self) -> Json {
        match (&self.outcome, self.request) {
            // CloudTrail shows responses of calls that change something, and of those that issue
            // credentials for another.
            (Outcome::Done(value), Some((operation, _)))
                if !self.read_only
                    || operation.name.starts_with("Assume")
                    || operation.name == "GetFederationToken" =>
            {
                operation
                    .output
                    .map_or(Json::Null, |output| bounded(audit::parameters(output, value)))
            }
            _ => Json::Null,
        }
    }
}

/// The most bytes of `requestParameters` or `responseElements`, and of `errorMessage`. Source:
/// CloudTrail user guide, record contents.
const MAX_FIELD: usize = 100 * 1024;
const MAX_MESSAGE: usize = 1024;

/// A field as a record may hold it: a larger one is left out, and the record says so.
fn bounded(mut field: Json) -> Json {
    hide_private_keys(&mut field);
    // A byte takes at most six in JSON: most fields need not be written twice to know.
    if raw_len(&field).saturating_mul(6) <= MAX_FIELD || field.to_string().len() <= MAX_FIELD {
        field
    } else {
        json!({ "omitted": true })
    }
}

/// Hides private keys: people upload them where certificates and public keys belong (threat K04).
fn hide_private_keys(field: &mut Json) {
    match field {
        Json::String(text) if text.contains("PRIVATE KEY-----") => {
            *text = "HIDDEN_DUE_TO_SECURITY_REASONS".into();
        }
        Json::Array(items) => items.iter_mut().for_each(hide_private_keys),
        Json::Object(fields) => fields.values_mut().for_each(hide_private_keys),
        _ => {}
    }
}

/// At least a sixth of the length of a field as text.
fn raw_len(field: &Json) -> usize {
    match field {
        Json::String(text) => text.len() + 2,
        Json::Array(items) => items.iter().map(|item| raw_len(item) + 1).sum::<usize>() + 2,
        Json::Object(fields) => {
            fields.iter().map(|(key, value)| key.len() + raw_len(value) + 4).sum::<usize>() + 2
        }
        _ => 24,
    }
}

/// The head of a message.
fn cut(message: &str) -> &str {
    message.get(..message.floor_char_boundary(MAX_MESSAGE)).unwrap_or(message)
}

/// A happening as a record; written straight to text, since there is one for every call.
struct Record<'a> {
    happening: &'a Happening<'a>,
    event_id: &'a str,
}

impl Serialize for Record<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let happening = self.happening;
        let origin = happening.origin;
        let mut record = serializer.serialize_map(None)?;
        record.serialize_entry("eventVersion", "1.11")?;
        match (happening.caller, happening.claimed_key) {
            (Some((caller, account)), _) => {
                record.serialize_entry("userIdentity", &caller.user_identity(account))?;
            }
            (None, claimed) => {
                record.serialize_entry("userIdentity", &Unknown { claimed })?;
            }
        }
        record.serialize_entry("eventTime", &time::write_iso(origin.now))?;
        record.serialize_entry("eventSource", &happening.event_source())?;
        let name = happening.renamed().map_or(happening.operation, |(_, name)| name);
        record.serialize_entry("eventName", name)?;
        record.serialize_entry("awsRegion", happening.region)?;
        if let Some(forward) = happening.forward() {
            // So CloudTrail shows calls of services; the address stands in `additionalEventData`.
            record.serialize_entry("sourceIPAddress", forward.last())?;
            record.serialize_entry("userAgent", forward.last())?;
        } else {
            record.serialize_entry("sourceIPAddress", &origin.peer.address)?;
            record
                .serialize_entry("userAgent", origin.user_agent.as_deref().unwrap_or_default())?;
        }
        if let Outcome::Failed(fault) = happening.outcome {
            record.serialize_entry("errorCode", fault.code())?;
            record.serialize_entry("errorMessage", cut(fault.message()))?;
        }
        record.serialize_entry("requestParameters", &happening.request_parameters())?;
        record.serialize_entry("responseElements", &happening.response_elements())?;
        record.serialize_entry("additionalEventData", &Additional { happening })?;
        record.serialize_entry("requestID", &origin.request_id)?;
        record.serialize_entry("eventID", self.event_id)?;
        record.serialize_entry("readOnly", &happening.read_only)?;
        if let Some((arn, owner, kind)) = happening.resource {
            let resource = json!([{"accountId": owner.to_string(), "type": kind, "ARN": arn}]);
            record.serialize_entry("resources", &resource)?;
        }
        record.serialize_entry("eventType", "AwsApiCall")?;
        record.serialize_entry("managementEvent", &true)?;
        record.serialize_entry("recipientAccountId", &happening.recipient)?;
        if let Some(shared) = happening.shared_id {
            record.serialize_entry("sharedEventID", shared)?;
        }
        record.serialize_entry("eventCategory", "Management")?;
        let claims = happening.caller.and_then(|(caller, _)| caller.claims.as_ref());
        if claims.is_some_and(|claims| claims.console.is_some()) {
            record.serialize_entry("sessionCredentialFromConsole", "true")?;
        }
        record.end()
    }
}

/// `userIdentity` of a caller whose signature was not good.
struct Unknown<'a> {
    claimed: Option<&'a str>,
}

impl Serialize for Unknown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut identity = serializer.serialize_map(None)?;
        identity.serialize_entry("type", "Unknown")?;
        if let Some(key) = self.claimed {
            identity.serialize_entry("accessKeyId", key)?;
        }
        identity.end()
    }
}

struct Additional<'a> {
    happening: &'a Happening<'a>,
}

impl Serialize for Additional<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Happening { origin, outcome, decided, .. } = self.happening;
        let mut data = serializer.serialize_map(None)?;
        if *decided {
            data.serialize_entry("decisionId", &origin.decision_id)?;
        }
        if let Outcome::Replayed(first) = outcome {
            data.serialize_entry("replayOf", first)?;
        }
        if let Some(forward) = self.happening.forward() {
            data.serialize_entry("calledVia", &forward.services)?;
            data.serialize_entry("forwardedFrom", &forward.from)?;
            data.serialize_entry("address", &origin.peer.address)?;
        }
        data.serialize_entry("secureTransport", &origin.peer.secure)?;
        data.end()
    }
}
