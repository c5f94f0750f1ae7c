//! The fields of a CloudTrail record that tell which permissions a call needed. Source: CloudTrail
//! user guide, record contents.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::trail::{self, Event, Lazy};

/// A record of a trail. What is absent is empty; what is not understood is passed over.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Record {
    /// When the call was made.
    #[serde(deserialize_with = "instant")]
    pub event_time: Option<Timestamp>,
    /// The service, such as `iam.amazonaws.com`.
    #[serde(deserialize_with = "text")]
    pub event_source: String,
    /// The operation.
    #[serde(deserialize_with = "text")]
    pub event_name: String,
    /// `AwsApiCall`, or something that nobody calls.
    #[serde(deserialize_with = "text")]
    pub event_type: String,
    /// `Management` or `Data`.
    #[serde(deserialize_with = "text")]
    pub event_category: String,
    /// Whether the operation changes nothing.
    pub read_only: Option<bool>,
    /// The region.
    #[serde(deserialize_with = "text")]
    pub aws_region: String,
    /// The caller's address, or the service that called for it.
    #[serde(rename = "sourceIPAddress", deserialize_with = "text")]
    pub source_ip_address: String,
    /// The caller's program.
    #[serde(deserialize_with = "text")]
    pub user_agent: String,
    /// The endpoint by which the call came.
    #[serde(deserialize_with = "text")]
    pub vpc_endpoint_id: String,
    /// How the call ended, if badly.
    #[serde(deserialize_with = "text")]
    pub error_code: String,
    /// The words to it.
    #[serde(deserialize_with = "text")]
    pub error_message: String,
    /// What was asked.
    pub request_parameters: Value,
    /// What was answered, of calls that change something.
    pub response_elements: Value,
    /// What the service adds.
    pub additional_event_data: Value,
    /// Present where the call came over TLS.
    pub tls_details: Value,
    /// Its id.
    #[serde(rename = "eventID", deserialize_with = "text")]
    pub event_id: String,
    /// The account in whose trail it stands.
    #[serde(deserialize_with = "text")]
    pub recipient_account_id: String,
    /// The resources, where the service tells them.
    #[serde(deserialize_with = "list")]
    pub resources: Vec<RecordResource>,
    /// Who called.
    #[serde(deserialize_with = "identity")]
    pub user_identity: Identity,
}

/// A resource that a record names.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RecordResource {
    /// Its ARN.
    #[serde(rename = "ARN", alias = "arn", deserialize_with = "text")]
    pub arn: String,
    /// Its owner.
    #[serde(deserialize_with = "text")]
    pub account_id: String,
}

/// Who called.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Identity {
    /// `IAMUser`, `AssumedRole`, `Root` ...
    #[serde(rename = "type", deserialize_with = "text")]
    pub kind: String,
    /// The ARN of the user or session.
    #[serde(deserialize_with = "text")]
    pub arn: String,
    /// The unique id, with the session's name.
    #[serde(deserialize_with = "text")]
    pub principal_id: String,
    /// The account.
    #[serde(deserialize_with = "text")]
    pub account_id: String,
    /// The service that called for the principal.
    #[serde(deserialize_with = "text")]
    pub invoked_by: String,
    /// Whose session it is.
    pub session_context: Value,
}

impl From<&Event<'_>> for Record {
    fn from(event: &Event<'_>) -> Self {
        let text = |text: &Option<std::borrow::Cow<'_, str>>| {
            text.as_deref().unwrap_or_default().to_owned()
        };
        let value = |lazy: &Lazy<'_>| lazy.value().unwrap_or_default();
        let resources = event.resources().into_iter().map(|resource| RecordResource {
            arn: resource.arn.unwrap_or_default(),
            account_id: resource.account_id.unwrap_or_default(),
        });
        let who = &event.user_identity;
        let issuer = &who.session_context.session_issuer;
        let issuer = json!({"type": issuer.kind, "arn": issuer.arn.as_deref()});
        let mfa = who.mfa_authenticated().map(|mfa| mfa.to_string());
        Self {
            event_time: Some(event.event_time),
            event_source: event.event_source.to_string(),
            event_name: event.event_name.to_string(),
            event_type: text(&event.event_type),
            event_category: text(&event.event_category),
            read_only: event.read_only,
            aws_region: event.aws_region.to_string(),
            source_ip_address: text(&event.source_ip_address),
            user_agent: text(&event.user_agent),
            vpc_endpoint_id: text(&event.vpc_endpoint_id),
            error_code: text(&event.error_code),
            error_message: text(&event.error_message),
            request_parameters: value(&event.request_parameters),
            response_elements: value(&event.response_elements),
            additional_event_data: value(&event.additional_event_data),
            // The reader has no such field: not known.
            tls_details: Value::Null,
            event_id: text(&event.event_id),
            recipient_account_id: text(&event.recipient_account_id),
            resources: resources.collect(),
            user_identity: Identity {
                kind: who.kind.to_string(),
                arn: text(&who.arn),
                principal_id: text(&who.principal_id),
                account_id: text(&who.account_id),
                invoked_by: text(&who.invoked_by),
                session_context: json!({
                    "sessionIssuer": issuer, "attributes": {"mfaAuthenticated": mfa},
                }),
            },
        }
    }
}

impl Identity {
    /// The ARN of the user or role from which the session comes.
    pub fn issuer(&self) -> Option<&str> {
        self.session_context.pointer("/sessionIssuer/arn").and_then(Value::as_str)
    }

    /// The same as the reader of a trail has it, as far as it tells who called.
    pub(super) fn trail(&self) -> trail::Identity<'_> {
        let text = |text: &'_ String| (!text.is_empty()).then(|| text.clone().into());
        let mut who = trail::Identity {
            kind: self.kind.as_str().into(),
            arn: text(&self.arn),
            account_id: text(&self.account_id),
            invoked_by: text(&self.invoked_by),
            ..trail::Identity::default()
        };
        let issuer = &mut who.session_context.session_issuer;
        issuer.arn = self.issuer().map(Into::into);
        let kind = self.session_context.pointer("/sessionIssuer/type").and_then(Value::as_str);
        issuer.kind = kind.unwrap_or_default().into();
        who
    }

    /// Whether the session was made with MFA; nothing for long-term keys.
    pub(super) fn mfa(&self) -> Option<&str> {
        self.session_context.pointer("/attributes/mfaAuthenticated").and_then(Value::as_str)
    }
}

impl Record {
    /// Whether anybody called an operation.
    pub(super) fn is_call(&self) -> bool {
        matches!(self.event_type.as_str(), "AwsApiCall" | "")
    }

    /// Whether it is an event that a trail logs only when told to.
    pub(super) fn is_data(&self) -> bool {
        self.event_category == "Data"
    }
}

fn text<'d, D: Deserializer<'d>>(from: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    })
}

fn instant<'d, D: Deserializer<'d>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(Value::deserialize(from)?.as_str().and_then(|text| text.parse().ok()))
}

fn list<'d, D: Deserializer<'d>>(from: D) -> Result<Vec<RecordResource>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::Array(items) => {
            items.into_iter().filter_map(|item| serde_json::from_value(item).ok()).collect()
        }
        _ => Vec::new(),
    })
}

fn identity<'d, D: Deserializer<'d>>(from: D) -> Result<Identity, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(from)?).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_records_are_read_as_far_as_they_go() {
        let record: Record = serde_json::from_str(
            r#"{"eventName": null, "eventTime": "soon", "resources": null, "userIdentity": null,
                "requestParameters": null, "readOnly": true, "errorCode": 7}"#,
        )
        .unwrap();
        assert_eq!(record.event_name, "");
        assert_eq!(record.event_time, None);
        assert_eq!(record.error_code, "7");
        assert!(record.resources.is_empty());
    }
}
