//! Keys that the trail shows in several places at once (mission row M41).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{Write as _, stdout};
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Value as Json, json};

use super::SharedKeysArgs;
use crate::iam::{Iam, instant, text};
use crate::simulate::fault::Findings;
use crate::{Format, clock, terminal};

/// Events that are looked at.
const MAX_EVENTS: usize = 2_000_000;
/// A user agent is told by its beginning.
const AGENT_LEN: usize = 40;

/// A key in several places.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shared {
    access_key_id: String,
    user: String,
    /// The window with the most places.
    from: Timestamp,
    to: Timestamp,
    networks: BTreeSet<String>,
    agents: BTreeSet<String>,
    regions: BTreeSet<String>,
}

/// A use of a key.
struct Use {
    at: Timestamp,
    network: String,
    agent: String,
    region: String,
}

pub(super) fn run(args: &SharedKeysArgs) -> anyhow::Result<()> {
    let iam = Iam::find(&args.access)?;
    let events = iam.events(None, args.since.before(clock::now()), MAX_EVENTS)?;
    let found = find(&events, args);
    let mut out = stdout().lock();
    match args.format {
        Format::Json => {
            writeln!(out, "{}", terminal::json(&format!("{:#}", json!({"sharedKeys": found}))))?;
        }
        Format::Table => {
            for key in &found {
                let list = |items: &BTreeSet<String>| {
                    items.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
                };
                let line = format!(
                    "{} of {}: from {} to {} on {} networks ({}), with {} programs ({}), in {} \
                     regions ({})",
                    key.access_key_id,
                    key.user,
                    key.from,
                    key.to,
                    key.networks.len(),
                    list(&key.networks),
                    key.agents.len(),
                    list(&key.agents),
                    key.regions.len(),
                    list(&key.regions)
                );
                writeln!(out, "{}", terminal::text(&line))?;
            }
        }
    }
    out.flush()?;
    if found.is_empty() { Ok(()) } else { Err(Findings.into()) }
}

fn find(events: &[Json], args: &SharedKeysArgs) -> Vec<Shared> {
    let mut keys: BTreeMap<(&str, &str), Vec<Use>> = BTreeMap::new();
    for event in events {
        let identity = event.get("userIdentity").unwrap_or(&Json::Null);
        let key = text(identity, "accessKeyId");
        let address: Option<IpAddr> = text(event, "sourceIPAddress").parse().ok();
        // Long-term keys; sessions are of one program each. Services call from a name.
        let (true, Some(address), Some(at)) =
            (key.starts_with("AKIA"), address, instant(event, "eventTime"))
        else {
            continue;
        };
        // A caller whose signature was no good says nothing about who has the secret.
        if text(identity, "type") == "Unknown" {
            continue;
        }
        let user = match text(identity, "userName") {
            "" => text(identity, "arn"),
            name => name,
        };
        keys.entry((key, user)).or_default().push(Use {
            at,
            network: network(address),
            agent: agent(text(event, "userAgent")),
            region: text(event, "awsRegion").to_owned(),
        });
    }
    let mut found: Vec<Shared> =
        keys.into_iter().filter_map(|((key, user), uses)| busiest(key, user, uses, args)).collect();
    found.sort_by(|one, two| one.access_key_id.cmp(&two.access_key_id));
    found
}

/// The window of a key with the most places, if they are too many.
fn busiest(key: &str, whose: &str, mut uses: Vec<Use>, args: &SharedKeysArgs) -> Option<Shared> {
    uses.sort_by_key(|one| one.at);
    let window: SignedDuration = args.window.duration();
    let too_many = |count: usize, limit: u32| u32::try_from(count).unwrap_or(u32::MAX) >= limit;
    let mut here: VecDeque<&Use> = VecDeque::new();
    let (mut networks, mut agents, mut regions) = (Counts::new(), Counts::new(), Counts::new());
    let mut best: Option<(usize, Shared)> = None;
    for one in &uses {
        here.push_back(one);
        add(&mut networks, &one.network);
        add(&mut agents, &one.agent);
        add(&mut regions, &one.region);
        while let Some(first) =
            here.front().filter(|first| one.at.duration_since(first.at) > window)
        {
            drop_one(&mut networks, &first.network);
            drop_one(&mut agents, &first.agent);
            drop_one(&mut regions, &first.region);
            here.pop_front();
        }
        let flagged = too_many(networks.len(), args.networks)
            || too_many(agents.len(), args.agents)
            || too_many(regions.len(), args.regions);
        let places = networks.len() + agents.len() + regions.len();
        if flagged && best.as_ref().is_none_or(|(held, _)| places > *held) {
            let names =
                |counts: &Counts<'_>| counts.keys().map(|name| (*name).to_owned()).collect();
            let shared = Shared {
                access_key_id: key.to_owned(),
                user: whose.to_owned(),
                from: here.front().map_or(one.at, |first| first.at),
                to: one.at,
                networks: names(&networks),
                agents: names(&agents),
                regions: names(&regions),
            };
            best = Some((places, shared));
        }
    }
    best.map(|(_, shared)| shared)
}

type Counts<'a> = BTreeMap<&'a str, usize>;

fn add<'a>(counts: &mut Counts<'a>, name: &'a str) {
    *counts.entry(name).or_default() += 1;
}

fn drop_one<'a>(counts: &mut Counts<'a>, name: &'a str) {
    if let Some(count) = counts.get_mut(name) {
        *count -= 1;
        if *count == 0 {
            counts.remove(name);
        }
    }
}

/// Addresses of one site and one provider share it.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}::/48")
        }
    }
}

/// The program in a user agent: its first product, with the version.
fn agent(text: &str) -> String {
    text.split(' ').next().unwrap_or_default().chars().take(AGENT_LEN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(key: &str, minute: i64, address: &str, agent: &str, region: &str) -> Json {
        json!({
            "userIdentity": {"type": "IAMUser", "accessKeyId": key, "userName": "ci"},
            "eventTime": Timestamp::from_second(minute * 60).unwrap().to_string(),
            "sourceIPAddress": address, "userAgent": agent, "awsRegion": region,
        })
    }

    fn args() -> SharedKeysArgs {
        SharedKeysArgs {
            since: "7d".parse().unwrap(),
            window: "10m".parse().unwrap(),
            networks: 2,
            agents: 3,
            regions: 3,
            format: Format::Json,
            access: crate::AccessArgs::default(),
        }
    }

    #[test]
    fn places_at_once_are_too_many_and_one_after_another_are_not() {
        for (events, expected) in [
            // The same network, addresses apart.
            (
                vec![
                    event("AKIA1", 0, "192.0.2.1", "a", "r"),
                    event("AKIA1", 1, "192.0.2.9", "a", "r"),
                ],
                false,
            ),
            (
                vec![
                    event("AKIA1", 0, "192.0.2.1", "a", "r"),
                    event("AKIA1", 9, "198.51.100.1", "a", "r"),
                ],
                true,
            ),
            // Later it is another place, not two.
            (
                vec![
                    event("AKIA1", 0, "192.0.2.1", "a", "r"),
                    event("AKIA1", 11, "198.51.100.1", "a", "r"),
                ],
                false,
            ),
            (
                vec![
                    event("AKIA1", 0, "192.0.2.1", "a/1 x", "r"),
                    event("AKIA1", 0, "192.0.2.1", "a/1 y", "r"),
                ],
                false,
            ),
            (
                (0..3).map(|n| event("AKIA1", n, "192.0.2.1", &format!("a/{n}"), "r")).collect(),
                true,
            ),
            ((0..3).map(|n| event("AKIA1", n, "192.0.2.1", "a", &format!("r{n}"))).collect(), true),
            // Two keys, each in one place; a session; a service.
            (
                vec![
                    event("AKIA1", 0, "192.0.2.1", "a", "r"),
                    event("AKIA2", 0, "198.51.100.1", "a", "r"),
                ],
                false,
            ),
            (
                (0..3).map(|n| event("ASIA1", n, "192.0.2.1", &format!("a/{n}"), "r")).collect(),
                false,
            ),
            (
                (0..3)
                    .map(|n| event("AKIA1", n, "x.amazonaws.com", &format!("a/{n}"), "r"))
                    .collect(),
                false,
            ),
        ] {
            assert_eq!(!find(&events, &args()).is_empty(), expected, "{events:?}");
        }
        let both = [
            event("AKIA1", 0, "2001:db8:1::1", "a", "r"),
            event("AKIA1", 1, "::ffff:192.0.2.1", "a", "r"),
        ];
        let found = find(&both, &args());
        let networks: Vec<&str> = found[0].networks.iter().map(String::as_str).collect();
        assert_eq!(networks, ["192.0.2.0/24", "2001:db8:1::/48"]);
    }
}
