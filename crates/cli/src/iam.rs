//! Calls of IAM and STS as the verbs of hygiene make them: parameters in, JSON out.

use std::fmt;
use std::str::FromStr;

use bailiwick_wire::generated::bailiwick as own;
use bailiwick_wire::schema::Kind;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;
use zeroize::Zeroizing;

use crate::access::{Access, AccessArgs};
use crate::call::{self, Refused};
use crate::client::Client;

/// What a page of a list may hold at most.
const PAGE: &str = "1000";
/// Pages of one list: a server that never ends a list is broken.
const MAX_PAGES: usize = 100_000;

/// A server, as a caller of IAM sees it.
pub(crate) struct Iam {
    client: Client,
    /// The id of the key that calls.
    pub(crate) key_id: String,
    /// Where the server is, for commands that are run with another key.
    pub(crate) endpoint: String,
    pub(crate) region: String,
}

impl Iam {
    /// The server and the key that flags, environment or data directory name.
    pub(crate) fn find(args: &AccessArgs) -> anyhow::Result<Self> {
        Self::new(Access::find(args, |name| std::env::var(name).ok())?)
    }

    pub(crate) fn new(access: Access) -> anyhow::Result<Self> {
        let key_id = access.key_id.clone();
        let (endpoint, region) = (access.endpoint.clone(), access.region.clone());
        Ok(Self { client: Client::new(access)?, key_id, endpoint, region })
    }

    /// Calls an operation of IAM; instants in the answer are RFC 3339 texts.
    pub(crate) fn call(&self, name: &str, parameters: &[(&str, &str)]) -> anyhow::Result<Json> {
        self.call_service("iam", name, parameters)
    }

    /// Calls an operation of a query service.
    pub(crate) fn call_service(
        &self,
        service: &str,
        name: &str,
        parameters: &[(&str, &str)],
    ) -> anyhow::Result<Json> {
        let operation = call::operation(service, name)?;
        let parameters: Vec<String> =
            parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        // It may hold a new key's secret.
        let answer = self.client.query(operation, call::form(operation, &parameters)?)?;
        let answer = Zeroizing::new(answer);
        let mut answer = serde_json::from_slice(&answer)?;
        if let Some(output) = operation.output {
            call::date(&Kind::Structure(output), &mut answer);
        }
        Ok(answer)
    }

    /// The same, and nothing where AWS says that there is no such thing.
    pub(crate) fn maybe(
        &self,
        name: &str,
        parameters: &[(&str, &str)],
    ) -> anyhow::Result<Option<Json>> {
        match self.call(name, parameters) {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if is_code(&error, "NoSuchEntity") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Every item of a list, page by page.
    pub(crate) fn list(
        &self,
        name: &str,
        member: &str,
        parameters: &[(&str, &str)],
    ) -> anyhow::Result<Vec<Json>> {
        let mut found = Vec::new();
        let mut marker: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let mut asked = parameters.to_vec();
            asked.push(("MaxItems", PAGE));
            if let Some(marker) = &marker {
                asked.push(("Marker", marker));
            }
            let mut page = self.call(name, &asked)?;
            if let Some(Json::Array(items)) = page.get_mut(member).map(Json::take) {
                found.extend(items);
            }
            match page.get("Marker").and_then(Json::as_str) {
                Some(next) => marker = Some(next.to_owned()),
                None => return Ok(found),
            }
        }
        anyhow::bail!("the list of {name} does not end")
    }

    /// The events of the trail since an instant, newest first, at most `limit`.
    pub(crate) fn events(
        &self,
        access_key_id: Option<&str>,
        since: Timestamp,
        limit: usize,
    ) -> anyhow::Result<Vec<Json>> {
        let mut found = Vec::new();
        let mut token = None;
        loop {
            let page = self.client.call::<own::ListEvents>(own::ListEventsRequest {
                start_time: Some(since),
                access_key_id: access_key_id.map(ToOwned::to_owned),
                max_results: Some(1000),
                next_token: token,
                ..Default::default()
            })?;
            found.extend(page.events.iter().filter_map(|event| serde_json::from_str(event).ok()));
            token = page.next_token;
            if token.is_none() || found.len() >= limit {
                found.truncate(limit);
                return Ok(found);
            }
        }
    }

    /// When, where and for what a key was last used; nothing if never.
    pub(crate) fn key_use(&self, key: &str) -> anyhow::Result<Option<KeyUse>> {
        let told = self.call("GetAccessKeyLastUsed", &[("AccessKeyId", key)])?;
        let last = told.get("AccessKeyLastUsed").unwrap_or(&Json::Null);
        Ok(instant(last, "LastUsedDate").map(|at| KeyUse {
            at,
            service: text(last, "ServiceName").to_owned(),
            region: text(last, "Region").to_owned(),
        }))
    }
}

/// The last use of an access key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct KeyUse {
    pub(crate) at: Timestamp,
    pub(crate) service: String,
    pub(crate) region: String,
}

/// Whether the server refused with this code.
pub(crate) fn is_code(error: &anyhow::Error, code: &str) -> bool {
    error.downcast_ref::<Refused>().is_some_and(|refused| refused.code == code)
}

/// A text in an answer; empty where there is none.
pub(crate) fn text<'a>(answer: &'a Json, member: &str) -> &'a str {
    answer.get(member).and_then(Json::as_str).unwrap_or_default()
}

/// An instant in an answer.
pub(crate) fn instant(answer: &Json, member: &str) -> Option<Timestamp> {
    answer.get(member)?.as_str()?.parse().ok()
}

/// The tags in an answer, in its order.
pub(crate) fn tags(answer: &Json) -> Vec<(&str, &str)> {
    let tags = answer.get("Tags").and_then(Json::as_array);
    tags.into_iter().flatten().map(|tag| (text(tag, "Key"), text(tag, "Value"))).collect()
}

/// The work stopped where it must not go on by itself; the text says what to do. Exit code 1.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Stopped(pub(crate) String);

/// A length of time in words such as `90d`.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Span(SignedDuration);

impl Span {
    /// As a length of time, never negative.
    pub(crate) const fn duration(self) -> SignedDuration {
        self.0
    }

    /// The instant so long before.
    pub(crate) fn before(self, now: Timestamp) -> Timestamp {
        now.saturating_sub(self.0).unwrap_or(Timestamp::MIN)
    }

    /// The instant so long after.
    pub(crate) fn after(self, then: Timestamp) -> Timestamp {
        then.saturating_add(self.0).unwrap_or(Timestamp::MAX)
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no length of time such as `15m`, `12h` or `90d`");
        let (digits, seconds) = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400), ("w", 604_800)]
            .iter()
            .find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, *seconds)))
            .ok_or_else(wrong)?;
        let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let count: u32 = if plain { digits.parse().map_err(|_| wrong())? } else { Err(wrong())? };
        Ok(Self(SignedDuration::from_secs(i64::from(count) * seconds)))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let units = [(86_400, "d"), (3600, "h"), (60, "m")];
        let unit = units.into_iter().find(|(unit, _)| seconds >= *unit && seconds % unit == 0);
        let (size, name) = unit.unwrap_or((1, "s"));
        write!(f, "{}{name}", seconds / size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time() {
        for (text, expected) in [
            ("90d", Some((7_776_000, "90d"))),
            ("0s", Some((0, "0s"))),
            ("36h", Some((129_600, "36h"))),
            ("120s", Some((120, "2m"))),
            ("2w", Some((1_209_600, "14d"))),
            ("d", None),
            ("-1d", None),
            ("+1d", None),
            ("1", None),
            ("99999999999d", None),
        ] {
            let found = text.parse::<Span>().ok();
            let found = found.map(|span| (span.duration().as_secs(), span.to_string()));
            assert_eq!(found, expected.map(|(n, shown)| (n, shown.to_owned())), "{text}");
        }
    }

    #[test]
    fn answers_are_read() {
        let answer =
            serde_json::json!({"At": "2026-01-02T03:04:05Z", "Tags": [{"Key": "a", "Value": "b"}]});
        assert_eq!(instant(&answer, "At"), "2026-01-02T03:04:05Z".parse().ok());
        assert_eq!((instant(&answer, "No"), text(&answer, "No")), (None, ""));
        assert_eq!(tags(&answer), [("a", "b")]);
    }
}
