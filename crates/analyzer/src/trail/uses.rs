//! What many events say together: who used what, how often, when first and last, and where.

mod told;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::net::IpAddr;
use std::sync::Arc;

use bailiwick_catalog::{AccessLevel, Catalog};
use jiff::Timestamp;

use super::action::{Action, tells};
use super::event::Event;
use super::identity::Caller;
use super::names::{Names, moved};
use super::read::Told;
use super::watch::{Watch, bit};

pub use told::{Assumed, Covered, Privileged, Used};

/// So many pairs of a principal and an action are told apart; uses beyond are counted, and told.
pub const MAX_KEYS: usize = 8_000_000;
/// So many refusals are known by their event; an account's trail and an organization's have the same ones.
const MAX_REFUSALS: usize = 1_000_000;
/// A program is told by the beginning of its user agent.
const AGENT_LEN: usize = 40;

/// What a caller is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[allow(missing_docs, reason = "as `Caller` has them")]
pub enum CallerKind {
    Root,
    User,
    Role,
    Service,
    Account,
    Federated,
    Unknown,
}

/// Sign-ins to the console.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Logins {
    /// Those that succeeded with MFA.
    pub with_mfa: u64,
    /// Those that succeeded without.
    pub without_mfa: u64,
    /// Those that failed.
    pub failed: u64,
    /// The last that succeeded.
    pub last: Option<Timestamp>,
}

/// What was read.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Totals {
    /// Files.
    pub files: u64,
    /// Their bytes as they lie.
    pub packed: u64,
    /// Their bytes unpacked.
    pub bytes: u64,
    /// Events.
    pub events: u64,
    /// Insights, which are passed over.
    pub insights: u64,
    /// Digest files, whose hours and lists are kept.
    pub digests: u64,
    /// Records that could not be read.
    pub bad: u64,
    /// Files of which some or all could not be read.
    pub broken: u64,
    /// Uses that are not told apart, since there are too many.
    pub beyond: u64,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    count: u64,
    first: Timestamp,
    last: Timestamp,
    /// The regions, as bits of their numbers; the last bit stands for all beyond.
    regions: u64,
}

/// An action with what is looked up once.
#[derive(Clone, Debug)]
struct Known {
    action: Action,
    permissions: bool,
    bit: Option<u128>,
}

/// What events of a name stand for.
#[derive(Clone, Debug, Default)]
struct Named {
    /// What of the parameters that hangs on.
    questions: Arc<[&'static str]>,
    /// The numbers of the actions, by the answers as bits.
    actions: Vec<(u32, Arc<[u32]>)>,
}

/// An index of uses. It grows with what is distinct.
#[derive(Clone, Debug, Default)]
pub struct Uses {
    principals: Names,
    kinds: Vec<Option<CallerKind>>,
    regions: Names,
    places: Names,
    accounts: Names,
    /// By event source and name.
    events: HashMap<Box<str>, HashMap<Box<str>, Named>>,
    numbers: BTreeMap<Action, u32>,
    actions: Vec<Known>,
    used: HashMap<(u32, u32), Seen>,
    denied: HashMap<(u32, u32), Seen>,
    /// Refusals by the id of their event.
    refusals: HashMap<u64, (u32, u32)>,
    keys: HashMap<(u32, u32), Seen>,
    owners: HashMap<u32, u32>,
    logins: HashMap<u32, Logins>,
    assumed: HashMap<(u32, u32), Seen>,
    privileged: HashMap<(u32, i64, u32), u64>,
    covered: HashMap<u32, Covered>,
    watch: Watch,
    /// Hours in which events or a digest are, by account and region.
    hours: HashMap<(u32, u32), HashSet<i64>>,
    digests: HashMap<(u32, u32), HashSet<i64>>,
    /// Whether any event only looks.
    reads: bool,
    present: HashSet<u64>,
    listed: HashMap<u64, (u32, u32, i64)>,
    totals: Totals,
}

impl Uses {
    /// Adds a file: its name, its length packed and unpacked, and what the reader found in it.
    pub fn file(&mut self, name: &str, packed: u64, bytes: u64, told: &Told) {
        let totals = &mut self.totals;
        totals.files += 1;
        totals.packed += packed;
        totals.bytes += bytes;
        totals.insights += told.insights;
        totals.bad += told.bad;
        totals.broken += u64::from(told.cut_off);
        totals.digests += told.digests.len() as u64;
        let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
        self.present.insert(hash(name));
        for digest in &told.digests {
            let place =
                (self.accounts.number(&digest.account), self.regions.number(&digest.region));
            // The end stands a little past the hour that it is for, or on it.
            let hour = digest.end.as_second().saturating_sub(1).div_euclid(3600);
            self.digests.entry(place).or_default().insert(hour);
            for file in &digest.files {
                self.listed.insert(hash(file), (place.0, place.1, hour));
            }
        }
    }

    /// Adds an event.
    pub fn add(&mut self, event: &Event<'_>, catalog: &Catalog) {
        self.totals.events += 1;
        self.reads |= event.read_only == Some(true);
        let caller = event.caller();
        let kind = kind(&caller);
        let who = self.principal(caller.name().unwrap_or("unknown"), kind);
        let region = self.regions.number(&event.aws_region);
        let at = event.event_time;
        self.cover(event, region, at);
        // Nobody knows who signed it, and nothing was asked for.
        let ending = event.ending();
        if ending.is_unauthenticated() {
            return;
        }
        let id = event.user_identity.access_key_id.as_deref();
        let id = id.filter(|id| id.starts_with("AKIA") && kind != CallerKind::Unknown);
        let key = id.map(|id| {
            let id = self.principals.number(id);
            self.owners.insert(id, who);
            self.place(id, event);
            id
        });
        if matches!(kind, CallerKind::User | CallerKind::Root) {
            self.place(who, event);
        }
        let changes = !event.is_failed() && is_person(event, &caller);
        let own = matches!(kind, CallerKind::User | CallerKind::Role | CallerKind::Root);
        let refused = ending.is_refused();
        // Which of several permissions was lacking is not known: a refusal is one of the first.
        let most = if refused { 1 } else { usize::MAX };
        for number in self.actions_of(event, catalog).iter().copied().take(most) {
            let mut kept = if !refused {
                count(&mut self.used, (who, number), at, region)
            } else if again(&mut self.refusals, event, (who, number)) {
                // The trail of the account and that of the organization both have it.
                true
            } else {
                count(&mut self.denied, (who, number), at, region)
            };
            if let Some(key) = key {
                kept &= count(&mut self.keys, (key, number), at, region);
            }
            self.totals.beyond += u64::from(!kept);
            let Some(known) = self.actions.get(number as usize) else { continue };
            if let Some(bit) = known.bit.filter(|_| own) {
                self.watch.action(who, at.as_second(), bit);
            }
            if changes && known.permissions {
                let day = at.as_second().div_euclid(86_400);
                *self.privileged.entry((who, day, number)).or_default() += 1;
            }
        }
        match &*event.event_name {
            "ConsoleLogin" => self.login(who, event),
            "AssumeRole" | "AssumeRoleWithSAML" | "AssumeRoleWithWebIdentity"
                if !event.is_failed() =>
            {
                self.assume(who, event, region);
            }
            _ => {}
        }
    }

    /// Takes all of another index. The order of merging changes nothing that is told.
    pub fn merge(&mut self, mut other: Self) {
        let principals = self.principals.take(&other.principals);
        self.kinds.resize(self.principals.len().max(self.kinds.len()), None);
        for (number, kind) in principals.iter().zip(&other.kinds) {
            if let (Some(own), Some(kind)) = (self.kinds.get_mut(*number as usize), kind) {
                *own = Some(own.map_or(*kind, |held| held.min(*kind)));
            }
        }
        let regions = self.regions.take(&other.regions);
        let places = self.places.take(&other.places);
        let accounts = self.accounts.take(&other.accounts);
        let mut actions = Vec::new();
        for known in other.actions {
            actions.push(self.known(known));
        }
        for (source, names) in other.events {
            let own = self.events.entry(source).or_default();
            for (name, named) in names {
                let own = own.entry(name).or_default();
                own.questions = named.questions;
                for (answers, numbers) in named.actions {
                    if own.actions.iter().all(|(held, _)| *held != answers) {
                        let numbers = numbers.iter().map(|number| moved(&actions, *number));
                        own.actions.push((answers, numbers.collect()));
                    }
                }
            }
        }
        let bits = |bits: u64| {
            (0..64_u32).filter(|bit| bits & (1 << bit) != 0).fold(0, |all, number| {
                // The last bit stands for many; it stays.
                let number = if number == 63 { 63 } else { moved(&regions, number).min(63) };
                all | 1 << number
            })
        };
        for (id, key) in other.refusals {
            if self.refusals.contains_key(&id) {
                if let Some(count) = other.denied.get_mut(&key) {
                    count.count = count.count.saturating_sub(1);
                }
            } else if self.refusals.len() < MAX_REFUSALS {
                let key = (moved(&principals, key.0), moved(&actions, key.1));
                self.refusals.insert(id, key);
            }
        }
        other.denied.retain(|_, count| count.count > 0);
        let beyond = &mut self.totals.beyond;
        let mut take = |own: &mut HashMap<(u32, u32), Seen>, other: HashMap<_, Seen>| {
            for ((who, action), count) in other {
                let key = (moved(&principals, who), moved(&actions, action));
                let count = Seen { regions: bits(count.regions), ..count };
                if own.len() < MAX_KEYS || own.contains_key(&key) {
                    join(own, key, count);
                } else {
                    *beyond += count.count;
                }
            }
        };
        take(&mut self.used, other.used);
        take(&mut self.denied, other.denied);
        take(&mut self.keys, other.keys);
        for ((role, by), count) in other.assumed {
            let key = (moved(&principals, role), moved(&principals, by));
            join(&mut self.assumed, key, Seen { regions: bits(count.regions), ..count });
        }
        let owners = other.owners.into_iter();
        self.owners
            .extend(owners.map(|(key, who)| (moved(&principals, key), moved(&principals, who))));
        for (who, logins) in other.logins {
            let own = self.logins.entry(moved(&principals, who)).or_default();
            own.with_mfa += logins.with_mfa;
            own.without_mfa += logins.without_mfa;
            own.failed += logins.failed;
            own.last = own.last.max(logins.last);
        }
        for ((who, day, action), count) in other.privileged {
            let key = (moved(&principals, who), day, moved(&actions, action));
            *self.privileged.entry(key).or_default() += count;
        }
        for (account, covered) in other.covered {
            let account = moved(&accounts, account);
            let own = self.covered.entry(account).or_insert(Covered { events: 0, ..covered });
            own.first = own.first.min(covered.first);
            own.last = own.last.max(covered.last);
            own.events += covered.events;
        }
        self.watch.merge(other.watch, &principals, &places);
        for (own, other) in [(&mut self.hours, other.hours), (&mut self.digests, other.digests)] {
            for ((account, region), hours) in other {
                let key = (moved(&accounts, account), moved(&regions, region));
                own.entry(key).or_default().extend(hours);
            }
        }
        self.reads |= other.reads;
        self.present.extend(other.present);
        self.listed.extend(other.listed.into_iter().map(|(file, (account, region, hour))| {
            (file, (moved(&accounts, account), moved(&regions, region), hour))
        }));
        let (own, other) = (&mut self.totals, other.totals);
        own.files += other.files;
        own.packed += other.packed;
        own.bytes += other.bytes;
        own.events += other.events;
        own.insights += other.insights;
        own.digests += other.digests;
        own.bad += other.bad;
        own.broken += other.broken;
        own.beyond += other.beyond;
    }

    fn principal(&mut self, name: &str, kind: CallerKind) -> u32 {
        let number = self.principals.number(name);
        if self.kinds.len() <= number as usize {
            self.kinds.resize(number as usize + 1, None);
        }
        if let Some(held) = self.kinds.get_mut(number as usize) {
            *held = Some(held.map_or(kind, |held| held.min(kind)));
        }
        number
    }

    /// The numbers of an event's actions. They are looked up once for what is alike.
    fn actions_of(&mut self, event: &Event<'_>, catalog: &Catalog) -> Arc<[u32]> {
        let (source, name) = (&*event.event_source, &*event.event_name);
        let held = self.events.get(source).and_then(|names| names.get(name));
        let questions = match held {
            Some(named) => Arc::clone(&named.questions),
            None => Action::questions(source, name, catalog).into(),
        };
        let text = event.request_parameters.text().unwrap_or_default();
        let answers = questions
            .iter()
            .zip(0_u32..)
            .fold(0, |all, (question, bit)| all | u32::from(tells(text, question)) << bit);
        let found = held.and_then(|named| named.actions.iter().find(|(held, _)| *held == answers));
        if let Some((_, numbers)) = found {
            return Arc::clone(numbers);
        }
        let told = |question: &str| {
            let known = questions.iter().zip(0_u32..).find(|(own, _)| **own == question);
            known.is_some_and(|(_, bit)| answers & (1 << bit) != 0)
        };
        let mut numbers = Vec::new();
        for action in Action::all(source, name, catalog, &told) {
            let permissions = action.levels(catalog).contains(AccessLevel::PermissionsManagement);
            let bit = bit(&format!("{}:{}", action.service, action.name));
            numbers.push(self.known(Known { action, permissions, bit }));
        }
        let numbers: Arc<[u32]> = numbers.into();
        let named = self.events.entry(source.into()).or_default().entry(name.into()).or_default();
        named.questions = questions;
        named.actions.push((answers, Arc::clone(&numbers)));
        numbers
    }

    fn known(&mut self, known: Known) -> u32 {
        let next = u32::try_from(self.actions.len()).unwrap_or(u32::MAX);
        let number = *self.numbers.entry(known.action.clone()).or_insert(next);
        if number == next {
            self.actions.push(known);
        }
        number
    }

    fn cover(&mut self, event: &Event<'_>, region: u32, at: Timestamp) {
        let own = event.recipient_account_id.as_deref();
        let account = own.or(event.user_identity.account_id.as_deref()).unwrap_or_default();
        let account = self.accounts.number(account);
        let start = Covered { first: at, last: at, events: 0 };
        let covered = self.covered.entry(account).or_insert(start);
        covered.first = covered.first.min(at);
        covered.last = covered.last.max(at);
        covered.events += 1;
        let hour = at.as_second().div_euclid(3600);
        self.hours.entry((account, region)).or_default().insert(hour);
    }

    /// Where a user or key called from; services call from names.
    fn place(&mut self, who: u32, event: &Event<'_>) {
        let second = event.event_time.as_second();
        let address = event.source_ip_address.as_deref();
        let Some(address) = address.filter(|address| address.parse::<IpAddr>().is_ok()) else {
            return;
        };
        // The signs tell addresses, endpoints and programs apart.
        let place = self.places.number(&format!("@{address}"));
        self.watch.place(who, second, place);
        for through in
            [&event.vpc_endpoint_id, &event.vpc_endpoint_account_id].into_iter().flatten()
        {
            let place = self.places.number(&format!("~{through}"));
            self.watch.place(who, second, place);
        }
        if let Some(agent) = event.user_agent.as_deref() {
            let place = self.places.number(&format!("={}", program(agent)));
            self.watch.place(who, second, place);
        }
    }

    fn login(&mut self, who: u32, event: &Event<'_>) {
        #[derive(serde::Deserialize)]
        struct Answer {
            #[serde(rename = "ConsoleLogin")]
            login: String,
        }
        #[derive(serde::Deserialize)]
        struct More {
            #[serde(rename = "MFAUsed")]
            mfa: String,
        }
        let logins = self.logins.entry(who).or_default();
        let answer: Option<Answer> = event.response_elements.read();
        if event.is_failed() || answer.is_none_or(|answer| answer.login != "Success") {
            logins.failed += 1;
            return;
        }
        let more: Option<More> = event.additional_event_data.read();
        if more.is_some_and(|more| more.mfa == "Yes") {
            logins.with_mfa += 1;
        } else {
            logins.without_mfa += 1;
        }
        logins.last = logins.last.max(Some(event.event_time));
    }

    fn assume(&mut self, by: u32, event: &Event<'_>, region: u32) {
        #[derive(serde::Deserialize)]
        struct Asked {
            #[serde(rename = "roleArn")]
            role: String,
        }
        let Some(Asked { role }) = event.request_parameters.read() else { return };
        let role = self.principal(&role, CallerKind::Role);
        bump(&mut self.assumed, (role, by), event.event_time, region);
    }
}

/// Whether a refusal was counted before.
fn again(refusals: &mut HashMap<u64, (u32, u32)>, event: &Event<'_>, key: (u32, u32)) -> bool {
    let Some(id) = event.event_id.as_deref().map(hash) else { return false };
    if refusals.contains_key(&id) {
        return true;
    }
    if refusals.len() < MAX_REFUSALS {
        refusals.insert(id, key);
    }
    false
}

/// Counts a use if there is room for it, and says whether there was.
fn count(map: &mut HashMap<(u32, u32), Seen>, key: (u32, u32), at: Timestamp, region: u32) -> bool {
    let room = map.len() < MAX_KEYS || map.contains_key(&key);
    if room {
        bump(map, key, at, region);
    }
    room
}

fn bump(map: &mut HashMap<(u32, u32), Seen>, key: (u32, u32), at: Timestamp, region: u32) {
    join(map, key, Seen { count: 1, first: at, last: at, regions: 1 << region.min(63) });
}

fn join(map: &mut HashMap<(u32, u32), Seen>, key: (u32, u32), count: Seen) {
    let own = map.entry(key).or_insert(Seen { count: 0, regions: 0, ..count });
    own.count += count.count;
    own.first = own.first.min(count.first);
    own.last = own.last.max(count.last);
    own.regions |= count.regions;
}

fn kind(caller: &Caller<'_>) -> CallerKind {
    match caller {
        Caller::Root(_) => CallerKind::Root,
        Caller::User(_) => CallerKind::User,
        Caller::Role(_) => CallerKind::Role,
        Caller::Service(_) => CallerKind::Service,
        Caller::Account(_) => CallerKind::Account,
        Caller::Federated(_) => CallerKind::Federated,
        Caller::Unknown => CallerKind::Unknown,
    }
}

/// Whether a person made a call, as far as the event tells.
fn is_person(event: &Event<'_>, caller: &Caller<'_>) -> bool {
    let identity = &event.user_identity;
    let sits = event.session_credential_from_console == Some(true)
        || identity.mfa_authenticated() == Some(true);
    match caller {
        Caller::Root(_) => identity.invoked_by.is_none(),
        Caller::User(_) => sits,
        Caller::Role(arn) => sits || is_of_center(arn),
        _ => false,
    }
}

/// Whether a role is one that Identity Center makes.
pub(crate) fn is_of_center(arn: &str) -> bool {
    arn.rsplit('/').next().is_some_and(|name| name.starts_with("AWSReservedSSO_"))
}

/// The program of a user agent: its first word.
fn program(agent: &str) -> &str {
    let word = agent.trim_start_matches('[').split([' ', '(']).next().unwrap_or_default();
    word.get(..word.floor_char_boundary(AGENT_LEN)).unwrap_or(word)
}

/// The same for a name in every run of a process and in every thread.
fn hash(name: &str) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(name)
}

#[cfg(test)]
mod tests;
