//! `bailiwick events`: the trail of the account, newest last, or as it grows.

use std::io::{Write, stdout};
use std::str::FromStr;
use std::thread::sleep;
use std::time::Duration;

use bailiwick_wire::generated::bailiwick as api;
use clap::Args;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;

use crate::access::{Access, AccessArgs};
use crate::client::Client;
use crate::{Format, clock, terminal};

/// What a page may hold at most.
const MAX_PAGE: u32 = 1000;
const POLL: Duration = Duration::from_secs(1);
const OWN_SOURCE: &str = "bailiwick.amazonaws.com";

/// Flags of `events`.
#[derive(Args, Debug)]
pub struct EventsArgs {
    /// Print new events as they come, until interrupted
    #[arg(long)]
    pub follow: bool,
    /// Only calls of this user, role or session
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// Only calls of this operation
    #[arg(long, value_name = "NAME")]
    pub event_name: Option<String>,
    /// Only calls refused with this code
    #[arg(long, value_name = "CODE")]
    pub error_code: Option<String>,
    /// Only calls with this access key
    #[arg(long, value_name = "ID")]
    pub access_key_id: Option<String>,
    /// Only events since then: an age such as `10m`, `2h`, `7d`, or an instant in RFC 3339
    #[arg(long, value_name = "WHEN")]
    pub since: Option<Since>,
    /// At most so many, the newest; with --follow, after so many it ends [default: 50; none]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    /// How to print: a line each, or the record as JSON, a line each
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
    /// Which server, with which key
    #[command(flatten)]
    pub access: AccessArgs,
}

/// A moment in the past.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Since {
    /// So long ago.
    Ago(SignedDuration),
    /// Then.
    At(Timestamp),
}

impl FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is neither an age such as `10m` nor an RFC 3339 instant");
        if let Ok(instant) = text.parse() {
            return Ok(Self::At(instant));
        }
        let (digits, seconds) = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400), ("w", 604_800)]
            .iter()
            .find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, *seconds)))
            .ok_or_else(wrong)?;
        let count: i32 = digits.parse().map_err(|_| wrong())?;
        if count < 0 || digits.starts_with('+') {
            return Err(wrong());
        }
        Ok(Self::Ago(SignedDuration::from_secs(i64::from(count) * seconds)))
    }
}

impl Since {
    fn instant(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(instant) => instant,
            Self::Ago(age) => now.saturating_sub(age).unwrap_or(Timestamp::MIN),
        }
    }
}

pub(crate) fn run(args: &EventsArgs) -> anyhow::Result<()> {
    let client = Client::new(Access::find(&args.access, |name| std::env::var(name).ok())?)?;
    if args.follow { follow(args, &client) } else { list(args, &client) }
}

fn request(args: &EventsArgs) -> api::ListEventsRequest {
    api::ListEventsRequest {
        start_time: args.since.map(|since| since.instant(clock::now())),
        user_name: args.user.clone(),
        event_name: args.event_name.clone(),
        error_code: args.error_code.clone(),
        access_key_id: args.access_key_id.clone(),
        ..Default::default()
    }
}

/// The newest events, printed in the order in which they happened.
fn list(args: &EventsArgs, client: &Client) -> anyhow::Result<()> {
    let wanted = args.limit.unwrap_or(50);
    let mut found: Vec<String> = Vec::new();
    let mut token = None;
    loop {
        let missing = wanted.saturating_sub(u32::try_from(found.len())?);
        let mut request = request(args);
        request.max_results = i32::try_from(missing.min(MAX_PAGE)).ok();
        request.next_token = token;
        let page = client.call::<api::ListEvents>(request)?;
        found.extend(page.events);
        token = page.next_token;
        if token.is_none() || found.len() >= usize::try_from(wanted)? {
            break;
        }
    }
    let mut out = stdout().lock();
    for event in found.iter().rev() {
        print(&mut out, args.format, event)?;
    }
    out.flush()?;
    Ok(())
}

/// Events from now on (or since when it was said), as they come.
fn follow(args: &EventsArgs, client: &Client) -> anyhow::Result<()> {
    let mut first = request(args);
    first.forward = Some(true);
    first.max_results = i32::try_from(MAX_PAGE).ok();
    if first.start_time.is_none() {
        first.start_time = Some(clock::now());
    }
    // To ask is an event too: shown only to who asks for it.
    let hide_own = args.event_name.is_none();
    let (mut token, mut printed) = (None, 0u32);
    loop {
        let request = api::ListEventsRequest { next_token: token.clone(), ..first.clone() };
        let page = client.call::<api::ListEvents>(request)?;
        let mut out = stdout().lock();
        let mut news = false;
        for event in page.events.iter().filter(|event| !(hide_own && is_own_poll(event))) {
            print(&mut out, args.format, event)?;
            news = true;
            printed = printed.saturating_add(1);
            if args.limit.is_some_and(|limit| printed >= limit) {
                return Ok(out.flush()?);
            }
        }
        out.flush()?;
        token = page.next_token.or(token);
        if !news {
            sleep(POLL);
        }
    }
}

fn is_own_poll(event: &str) -> bool {
    serde_json::from_str::<Json>(event).is_ok_and(|event| {
        event.get("eventName").and_then(Json::as_str) == Some("ListEvents")
            && event.get("eventSource").and_then(Json::as_str) == Some(OWN_SOURCE)
    })
}

fn print(out: &mut impl Write, format: Format, event: &str) -> anyhow::Result<()> {
    match (format, serde_json::from_str::<Json>(event)) {
        // Printed anew: nothing but what the parser took reaches the terminal.
        (Format::Json, Ok(event)) => writeln!(out, "{}", terminal::json(&event.to_string()))?,
        (Format::Table, Ok(event)) => writeln!(out, "{}", line(&event))?,
        (_, Err(_)) => writeln!(out, "{}", terminal::text(event))?,
    }
    Ok(())
}

/// Time, operation, caller, outcome, address, decision.
fn line(event: &Json) -> String {
    let at = |path: &str| event.pointer(path).and_then(Json::as_str);
    let caller = at("/userIdentity/userName")
        .or_else(|| {
            at("/userIdentity/arn").and_then(|arn| arn.split_once('/').map(|(_, tail)| tail))
        })
        .or_else(|| at("/userIdentity/arn"))
        .or_else(|| at("/userIdentity/type"));
    let cells = [
        (20, at("/eventTime")),
        (30, at("/eventName")),
        (24, caller),
        (24, Some(at("/errorCode").unwrap_or("ok"))),
        (15, at("/sourceIPAddress")),
        (0, at("/additionalEventData/decisionId")),
    ];
    let mut text = String::new();
    for (width, cell) in cells {
        let cell = terminal::text(cell.unwrap_or("-"));
        let blanks = 2 + usize::saturating_sub(width, cell.chars().count());
        text.push_str(&cell);
        text.extend(std::iter::repeat_n(' ', blanks));
    }
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ages_and_instants() {
        for (text, expected) in [
            ("90s", Some(90)),
            ("10m", Some(600)),
            ("2h", Some(7200)),
            ("7d", Some(604_800)),
            ("1w", Some(604_800)),
            ("m", None),
            ("-5m", None),
            ("+5m", None),
            ("5", None),
            ("5 m", None),
            ("99999999999d", None),
        ] {
            let expected = expected.map(|seconds| Since::Ago(SignedDuration::from_secs(seconds)));
            assert_eq!(text.parse().ok(), expected, "{text}");
        }
        let instant = "2026-11-22T10:00:00Z";
        assert_eq!(instant.parse(), Ok(Since::At(instant.parse().unwrap())));
    }

    #[test]
    fn tm_k03_lines_send_no_control_characters() {
        let event = json!({
            "eventTime": "2026-11-22T10:00:00Z", "eventName": "CreateUser",
            "userIdentity": {"arn": "arn:aws:sts::1:assumed-role/Admin/x\u{1b}[2J\u{9b}1m"},
            "errorCode": "AccessDenied", "sourceIPAddress": "127.0.0.1",
            "additionalEventData": {"decisionId": "d-1"},
        });
        let shown = line(&event);
        assert!(shown.starts_with("2026-11-22T10:00:00Z  CreateUser "), "{shown}");
        assert!(shown.contains("Admin/x\\u{1b}[2J") && shown.ends_with("d-1"), "{shown}");
        let mut out = Vec::new();
        print(&mut out, Format::Json, &event.to_string()).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(out.trim_end().chars().all(|c| !c.is_control()), "{out:?}");
        assert_eq!(serde_json::from_str::<Json>(&out).unwrap(), event);
    }
}
