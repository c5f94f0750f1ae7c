//! One event.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;

use super::identity::{Caller, Identity};
use super::lazy::{Lazy, flag, instant, optional, or_default, text};

/// One record of a trail. Source: CloudTrail user guide, record contents.
///
/// Its texts are borrowed from the file. A record that this is made from has `eventTime`, and unless
/// it is an [insight](Event::is_insight) `eventSource` and `eventName` that are not empty.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event<'a> {
    /// When the call was made.
    #[serde(deserialize_with = "instant")]
    pub event_time: Timestamp,
    /// The service's host name, such as `iam.amazonaws.com`.
    #[serde(borrow, default, deserialize_with = "text")]
    pub event_source: Cow<'a, str>,
    /// The name of the operation, such as `CreateUser`.
    #[serde(borrow, default, deserialize_with = "text")]
    pub event_name: Cow<'a, str>,
    /// The region that answered; empty if absent.
    #[serde(borrow, default, deserialize_with = "text")]
    pub aws_region: Cow<'a, str>,
    /// The client's address, or the host name of a service that called.
    #[serde(rename = "sourceIPAddress", borrow, default, deserialize_with = "optional")]
    pub source_ip_address: Option<Cow<'a, str>>,
    /// The client's program.
    #[serde(borrow, default, deserialize_with = "optional")]
    pub user_agent: Option<Cow<'a, str>>,
    /// The error, if the call failed.
    #[serde(borrow, default, deserialize_with = "optional")]
    pub error_code: Option<Cow<'a, str>>,
    /// The error's text.
    #[serde(borrow, default, deserialize_with = "optional")]
    pub error_message: Option<Cow<'a, str>>,
    /// Whether the operation changes nothing.
    #[serde(default, deserialize_with = "flag")]
    pub read_only: Option<bool>,
    /// The event's id.
    #[serde(rename = "eventID", borrow, default, deserialize_with = "optional")]
    pub event_id: Option<Cow<'a, str>>,
    /// `AwsApiCall`, `AwsServiceEvent`, `AwsConsoleSignIn` ...
    #[serde(borrow, default, deserialize_with = "optional")]
    pub event_type: Option<Cow<'a, str>>,
    /// `Management`, `Data`, `Insight` ...
    #[serde(borrow, default, deserialize_with = "optional")]
    pub event_category: Option<Cow<'a, str>>,
    /// The account whose trail has the event.
    #[serde(borrow, default, deserialize_with = "optional")]
    pub recipient_account_id: Option<Cow<'a, str>>,
    /// The VPC endpoint that the call came through.
    #[serde(borrow, default, deserialize_with = "optional")]
    pub vpc_endpoint_id: Option<Cow<'a, str>>,
    /// The account of that VPC endpoint.
    #[serde(borrow, default, deserialize_with = "optional")]
    pub vpc_endpoint_account_id: Option<Cow<'a, str>>,
    /// Whether the credentials came from the console.
    #[serde(default, deserialize_with = "flag")]
    pub session_credential_from_console: Option<bool>,
    /// Who called.
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub user_identity: Identity<'a>,
    /// What was asked.
    #[serde(borrow, default)]
    pub request_parameters: Lazy<'a>,
    /// What was answered.
    #[serde(borrow, default)]
    pub response_elements: Lazy<'a>,
    /// What else there is to say.
    #[serde(borrow, default)]
    pub additional_event_data: Lazy<'a>,
    /// What an event of a service tells.
    #[serde(borrow, default)]
    pub service_event_details: Lazy<'a>,
    #[serde(borrow, default)]
    resources: Lazy<'a>,
}

/// A resource that an event names.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
pub struct EventResource {
    /// Its ARN.
    #[serde(rename = "ARN", alias = "arn", default)]
    pub arn: Option<String>,
    /// Its owner.
    #[serde(rename = "accountId", default)]
    pub account_id: Option<String>,
    /// Its type, such as `AWS::IAM::Role`.
    #[serde(rename = "type", default)]
    pub kind: Option<String>,
}

/// How a call ended, as far as permissions go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ending {
    /// It was let through, whatever came of it.
    Permitted,
    /// The permission was lacking.
    Refused,
    /// There were too many calls: whether it was permitted nobody may have asked.
    Throttled,
    /// It was turned away before anybody asked for permissions.
    Unauthenticated,
}

/// Codes of calls whose credentials were no good. Documented: common errors of the APIs.
const UNAUTHENTICATED: [&str; 14] = [
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "OptInRequired",
    "RequestExpired",
    "SubscriptionRequiredException",
    "UnrecognizedClientException",
    "AuthFailure",
];
/// What stands in the codes of calls that were too many.
const THROTTLED: [&str; 4] = ["Throttl", "RequestLimitExceeded", "TooManyRequests", "SlowDown"];
/// What stands in the codes of calls for which the permission was lacking.
const REFUSED: [&str; 5] =
    ["AccessDenied", "Unauthorized", "NotAuthorized", "AuthorizationError", "Forbidden"];

impl Ending {
    pub(crate) fn is_refused(self) -> bool {
        self == Self::Refused
    }

    pub(crate) fn is_throttled(self) -> bool {
        self == Self::Throttled
    }

    pub(crate) fn is_unauthenticated(self) -> bool {
        self == Self::Unauthenticated
    }

    fn of(code: &str) -> Self {
        if code.is_empty() {
            return Self::Permitted;
        }
        // Some services write `Client.` or the space of the name before it.
        let code = code.rsplit_once('#').map_or(code, |(_, code)| code);
        let code = code.strip_prefix("Client.").unwrap_or(code);
        let has = |words: &[&str]| words.iter().any(|word| code.contains(word));
        if UNAUTHENTICATED.contains(&code) {
            Self::Unauthenticated
        } else if has(&REFUSED) {
            Self::Refused
        } else if has(&THROTTLED) {
            Self::Throttled
        } else {
            Self::Permitted
        }
    }
}

impl Event<'_> {
    /// Whether CloudTrail noted something unusual, which is no call.
    pub fn is_insight(&self) -> bool {
        self.event_category.as_deref() == Some("Insight")
            || self.event_type.as_deref() == Some("AwsCloudTrailInsight")
    }

    /// How the call ended.
    pub(crate) fn ending(&self) -> Ending {
        Self::ending_of(self.error_code.as_deref().unwrap_or_default())
    }

    /// How a call with this error code ended; it is empty where there is none.
    pub(crate) fn ending_of(code: &str) -> Ending {
        Ending::of(code)
    }

    /// Whether the call was refused for want of permission.
    pub fn is_denied(&self) -> bool {
        self.ending().is_refused()
    }

    /// Whether the call failed for whatever reason.
    pub fn is_failed(&self) -> bool {
        self.error_code.is_some()
    }

    /// Who called: a session is its role, root is `:root`.
    pub fn caller(&self) -> Caller<'_> {
        self.user_identity.caller()
    }

    /// The name of who called: the ARN of a user, role or root, the host name of a service, the id of
    /// another account. Nothing for nobody.
    pub fn principal(&self) -> Option<Cow<'_, str>> {
        self.caller().into_name()
    }

    /// The resources that it names.
    pub fn resources(&self) -> Vec<EventResource> {
        self.resources.read().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings() {
        for (code, ending) in [
            ("", Ending::Permitted),
            ("NoSuchEntityException", Ending::Permitted),
            ("ThrottlingException", Ending::Throttled),
            ("Throttling", Ending::Throttled),
            ("Client.RequestLimitExceeded", Ending::Throttled),
            ("TooManyRequestsException", Ending::Throttled),
            ("SlowDown", Ending::Throttled),
            ("AccessDenied", Ending::Refused),
            ("AccessDeniedException", Ending::Refused),
            ("com.amazonaws.x#AccessDeniedException", Ending::Refused),
            ("Client.UnauthorizedOperation", Ending::Refused),
            ("AuthorizationError", Ending::Refused),
            ("ForbiddenException", Ending::Refused),
            ("UnauthorizedException", Ending::Refused),
            ("ExpiredToken", Ending::Unauthenticated),
            ("SignatureDoesNotMatch", Ending::Unauthenticated),
        ] {
            assert_eq!(Ending::of(code), ending, "{code}");
        }
    }
}
