//! What an index of uses answers.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;

use super::super::action::Action;
use super::super::watch::{Busy, Pattern};
use super::{CallerKind, Logins, Seen, Totals, Uses};

/// A principal or key that used an action.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Used<'a> {
    /// The principal's name, or the id of an access key.
    pub principal: &'a str,
    /// What it is; that of its owner for a key.
    pub kind: CallerKind,
    /// The action.
    pub action: &'a Action,
    /// How often.
    pub count: u64,
    /// The first time.
    pub first: Timestamp,
    /// The last time.
    pub last: Timestamp,
    /// The regions, sorted.
    pub regions: Vec<&'a str>,
}

/// Who assumed a role.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Assumed<'a> {
    /// The ARN of the role.
    pub role: &'a str,
    /// Who: an ARN, a service, the id of another account or a provider.
    pub by: &'a str,
    /// Whether that is somebody of another account.
    pub from_outside: bool,
    /// How often.
    pub count: u64,
    /// The last time.
    pub last: Timestamp,
}

/// What a person did on a day that changes permissions.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Privileged<'a> {
    /// The principal.
    pub principal: &'a str,
    /// The day, in days since the epoch.
    pub day: i64,
    /// The action.
    pub action: &'a Action,
    /// How often.
    pub count: u64,
}

/// The time that the events of an account cover.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Covered {
    /// The first event.
    pub first: Timestamp,
    /// The last event.
    pub last: Timestamp,
    /// How many.
    pub events: u64,
}

impl Uses {
    /// What was read.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// The time that the events in an account's trail cover; nothing if it has none.
    pub fn covered(&self, account: &str) -> Option<Covered> {
        self.covered.get(&self.accounts.find(account)?).copied()
    }

    /// The accounts whose trails the events are of, sorted.
    pub fn accounts(&self) -> BTreeSet<&str> {
        self.covered.keys().map(|number| self.accounts.name(*number)).collect()
    }

    /// Calls that were not refused, by principal and action, sorted by their names.
    pub fn used(&self) -> Vec<Used<'_>> {
        self.listing(&self.used)
    }

    /// Calls that were refused for want of permission, by principal and action, sorted.
    pub fn denied(&self) -> Vec<Used<'_>> {
        self.listing(&self.denied)
    }

    /// Calls that long-term access keys signed, refused or not, by key and action, sorted.
    pub fn keys(&self) -> Vec<Used<'_>> {
        self.listing(&self.keys)
    }

    /// The owner of a long-term access key, as the events tell it.
    pub fn owner(&self, key: &str) -> Option<&str> {
        let owner = self.owners.get(&self.principals.find(key)?)?;
        Some(self.principals.name(*owner))
    }

    /// Sign-ins to the console by principal.
    pub fn logins(&self) -> BTreeMap<&str, Logins> {
        self.logins.iter().map(|(who, logins)| (self.principals.name(*who), *logins)).collect()
    }

    /// What root did, by action.
    pub fn root(&self) -> Vec<Used<'_>> {
        let mut all = self.used();
        all.retain(|used| used.kind == CallerKind::Root);
        all
    }

    /// Who assumed which role, sorted.
    pub fn assumed(&self) -> Vec<Assumed<'_>> {
        let each = self.assumed.iter().map(|((role, by), count)| {
            let (role, by) = (self.principals.name(*role), self.principals.name(*by));
            let own = role.split(':').nth(4).unwrap_or_default();
            let outside = match by.split(':').nth(4) {
                Some(account) => !account.is_empty() && account != own,
                None => by.len() == 12 && by.bytes().all(|b| b.is_ascii_digit()) && by != own,
            };
            Assumed { role, by, from_outside: outside, count: count.count, last: count.last }
        });
        let mut all: Vec<Assumed<'_>> = each.collect();
        all.sort_unstable();
        all
    }

    /// What persons did that changes permissions, by day, sorted. A person is root, a user or session
    /// with MFA or from the console, and whoever comes through Identity Center.
    pub fn privileged(&self) -> Vec<Privileged<'_>> {
        let each = self.privileged.iter().filter_map(|((who, day, action), count)| {
            let action = &self.actions.get(*action as usize)?.action;
            Some(Privileged {
                principal: self.principals.name(*who),
                day: *day,
                action,
                count: *count,
            })
        });
        let mut all: Vec<Privileged<'_>> = each.collect();
        all.sort_unstable();
        all
    }

    /// Users and long-term keys that were seen at more client addresses, or with more programs, within an
    /// hour.
    pub fn busy(&self, addresses: usize, agents: usize) -> Vec<Busy> {
        self.watch.busy(&self.principals, &self.places, addresses, agents)
    }

    /// Principals that called so many actions of the watched sets within so many hours.
    pub fn patterns(&self, hours: i64, escalation: usize, enumeration: usize) -> Vec<Pattern> {
        self.watch.patterns(&self.principals, hours, escalation, enumeration)
    }

    /// Where users and long-term keys called from: addresses, ids of VPC endpoints, and accounts of VPC
    /// endpoints.
    pub fn networks(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut all: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (who, place) in self.watch.seen() {
            let place = self.places.name(place);
            if let Some(address) = place.strip_prefix('@').or_else(|| place.strip_prefix('~')) {
                all.entry(self.principals.name(who)).or_default().insert(address);
            }
        }
        all
    }

    /// The hours (since the epoch) with events of an account, by region, sorted.
    pub fn hours(&self, account: &str) -> BTreeMap<&str, BTreeSet<i64>> {
        self.series(&self.hours, account)
    }

    /// The hours (since the epoch) with a digest of an account, by region, sorted.
    pub fn digest_hours(&self, account: &str) -> BTreeMap<&str, BTreeSet<i64>> {
        self.series(&self.digests, account)
    }

    /// The days (since the epoch) with events or a digest of an account.
    pub fn days(&self, account: &str) -> BTreeSet<i64> {
        let Some(account) = self.accounts.find(account) else { return BTreeSet::new() };
        let all = self.hours.iter().chain(&self.digests);
        let own = all.filter(|((of, _), _)| *of == account).flat_map(|(_, hours)| hours);
        own.map(|hour| hour.div_euclid(24)).collect()
    }

    /// Whether any event, whoever called, only looks: a trail may log changes alone.
    pub fn reads(&self) -> bool {
        self.reads
    }

    /// How many files a digest of an account lists that were not given, by region and hour.
    pub fn not_given(&self, account: &str) -> BTreeMap<(&str, i64), u64> {
        let mut all = BTreeMap::new();
        let Some(account) = self.accounts.find(account) else { return all };
        for (file, (of, region, hour)) in &self.listed {
            if *of == account && !self.present.contains(file) {
                *all.entry((self.regions.name(*region), *hour)).or_default() += 1;
            }
        }
        all
    }

    fn series(
        &self,
        hours: &HashMap<(u32, u32), HashSet<i64>>,
        account: &str,
    ) -> BTreeMap<&str, BTreeSet<i64>> {
        let Some(account) = self.accounts.find(account) else { return BTreeMap::new() };
        let own = hours.iter().filter(|((of, _), _)| *of == account);
        own.map(|((_, region), hours)| {
            (self.regions.name(*region), hours.iter().copied().collect())
        })
        .collect()
    }

    fn listing(&self, map: &HashMap<(u32, u32), Seen>) -> Vec<Used<'_>> {
        let each = map.iter().filter_map(|((who, action), count)| {
            let owner = self.owners.get(who).unwrap_or(who);
            let kind = self.kinds.get(*owner as usize).copied().flatten();
            let action = &self.actions.get(*action as usize)?.action;
            Some(Used {
                principal: self.principals.name(*who),
                kind: kind.unwrap_or(CallerKind::Unknown),
                action,
                count: count.count,
                first: count.first,
                last: count.last,
                regions: self.region_names(count.regions),
            })
        });
        let mut all: Vec<Used<'_>> = each.collect();
        all.sort_by(|one, two| (one.principal, one.action).cmp(&(two.principal, two.action)));
        all
    }

    fn region_names(&self, bits: u64) -> Vec<&str> {
        let there = (0..64_u32).filter(|bit| bits & (1 << bit) != 0);
        let mut names: Vec<&str> = there
            .map(|bit| if bit == 63 { "others" } else { self.regions.name(bit) })
            .filter(|name| !name.is_empty())
            .collect();
        names.sort_unstable();
        names
    }
}
