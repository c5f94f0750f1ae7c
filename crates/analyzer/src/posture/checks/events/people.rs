//! Who is behind an identity, where it calls from, and what it tries.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::{close, day, is_own, known, shown, since_epoch};
use crate::posture::audit::Audit;
use crate::posture::check::{Found, Results};
use crate::posture::settings::fits;
use crate::trail::Busy;

/// USR-06: users and long-term keys; sessions of roles are made to be many.
pub(super) fn shared(audit: &Audit<'_>, results: &mut Results) {
    let Some((uses, _)) = known(audit, results) else { return };
    let limits = &audit.settings.limits;
    let busy = uses.busy(limits.client_addresses, limits.client_agents);
    let mut told = BTreeSet::new();
    let (users, keys): (Vec<&Busy>, Vec<&Busy>) =
        busy.iter().partition(|busy| uses.owner(&busy.who).is_none());
    for one in users.into_iter().chain(keys) {
        let key = uses.owner(&one.who);
        let subject = key.unwrap_or(&one.who);
        // A key's places are its user's.
        if !is_own(audit, subject) || !told.insert(subject.to_owned()) {
            continue;
        }
        let from = since_epoch(one.minute, 60);
        let why = format!(
            "in the hour from {} it was seen at {} client addresses ({}) with {} programs ({})",
            from.map(|at| at.to_string()).unwrap_or_default(),
            one.addresses.len(),
            shown(&one.addresses, 6),
            one.agents.len(),
            shown(&one.agents, 6)
        );
        let found = Found::new(subject, why).when(from);
        results.fail(match key {
            Some(_) => found.detail(&one.who),
            None => found,
        });
    }
    close(audit, uses, results);
}

/// TRU-15: networks, VPC endpoints and accounts of VPC endpoints that the settings list.
pub(super) fn foreign(audit: &Audit<'_>, results: &mut Results) {
    let Some((uses, _)) = known(audit, results) else { return };
    let listed = &audit.settings.foreign_networks;
    if listed.is_empty() {
        results.not_assessed(&audit.account, "the settings name no `foreign-networks`");
        return;
    }
    for (key, places) in uses.networks() {
        let Some(owner) = uses.owner(key).filter(|owner| is_own(audit, owner)) else { continue };
        let within = places.iter().filter(|place| listed.iter().any(|net| holds(net, place)));
        let within: Vec<&str> = within.copied().collect();
        if within.is_empty() {
            results.pass();
            continue;
        }
        let used = uses.keys();
        let last = used.iter().filter(|used| used.principal == key).map(|used| used.last).max();
        let why = format!(
            "the key {key} was used from a network of another account: {}",
            shown(&within, 6)
        );
        let name = owner.rsplit('/').next().unwrap_or_default();
        results.fail(Found::new(owner, why).detail(key).when(last).cli(format!(
            "aws iam update-access-key --user-name {name} --access-key-id {key} --status Inactive"
        )));
    }
    close(audit, uses, results);
}

/// Whether a listed network holds a place: an address range, or the id of an endpoint or account.
fn holds(network: &str, place: &str) -> bool {
    let Ok(address) = place.parse::<IpAddr>() else { return network == place };
    let (base, length) = network.split_once('/').unwrap_or((network, "128"));
    let Ok(base) = base.parse::<IpAddr>() else { return false };
    let (base, address, bits) = match (base, address) {
        (IpAddr::V4(base), IpAddr::V4(address)) => {
            (u128::from(base.to_bits()), u128::from(address.to_bits()), 32)
        }
        (IpAddr::V6(base), IpAddr::V6(address)) => (base.to_bits(), address.to_bits(), 128),
        _ => return false,
    };
    let Ok(length) = length.parse::<u32>() else { return false };
    let rest = bits - length.min(bits);
    rest >= 128 || base >> rest == address >> rest
}

/// MON-12: several actions of the sets within the window; listed administrators may.
pub(super) fn patterns(audit: &Audit<'_>, results: &mut Results) {
    let Some((uses, _)) = known(audit, results) else { return };
    let limits = &audit.settings.limits;
    let (strong, curious) = (limits.escalation_actions, limits.enumeration_actions);
    for found in uses.patterns(limits.pattern_hours, strong, curious) {
        if !is_own(audit, &found.principal) {
            continue;
        }
        let from = since_epoch(found.hour, 3600);
        let mut parts = Vec::new();
        if found.escalation.len() >= strong {
            let list = shown(&found.escalation, 8);
            parts.push(format!("{} actions of escalation ({list})", found.escalation.len()));
        }
        if found.enumeration.len() >= curious {
            let list = shown(&found.enumeration, 8);
            parts.push(format!("{} actions of enumeration ({list})", found.enumeration.len()));
        }
        let why = format!(
            "within {} hours from {} it called {}",
            limits.pattern_hours,
            from.map(|at| at.to_string()).unwrap_or_default(),
            parts.join(" and ")
        );
        if audit.settings.administrators.iter().any(|own| fits(own, &found.principal)) {
            results.note(format!("{}, a listed administrator: {why}", found.principal));
            continue;
        }
        results.fail(Found::new(found.principal, why).when(from));
    }
    close(audit, uses, results);
}

/// MON-14: a list by person and day; what listed administrators do is a note.
pub(super) fn privileged(audit: &Audit<'_>, results: &mut Results) {
    let Some((uses, covered)) = known(audit, results) else { return };
    let mut people: BTreeMap<&str, BTreeMap<i64, BTreeMap<String, u64>>> = BTreeMap::new();
    for one in uses.privileged() {
        let action = format!("{}:{}", one.action.service, one.action.name);
        let days = people.entry(one.principal).or_default();
        *days.entry(one.day).or_default().entry(action).or_default() += one.count;
    }
    people.retain(|principal, _| is_own(audit, principal));
    let last_day = covered.last.as_second().div_euclid(86_400);
    for (principal, days) in people {
        let Some((latest, actions)) = days.last_key_value() else { continue };
        let count: u64 = days.values().flat_map(BTreeMap::values).sum();
        let list: Vec<String> =
            actions.iter().map(|(action, count)| format!("{action} {count}")).collect();
        let on = since_epoch(*latest, 86_400);
        let why = format!(
            "changed permissions {count} times on {} days; on {}: {}",
            days.len(),
            on.map(day).unwrap_or_default(),
            shown(&list, 8)
        );
        if audit.settings.administrators.iter().any(|own| fits(own, principal)) {
            if *latest == last_day {
                results.note(format!("{principal}, a listed administrator, {why}"));
            }
            continue;
        }
        results.fail(Found::new(principal, why).when(on));
    }
    close(audit, uses, results);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_places() {
        for (network, place, expected) in [
            ("198.51.100.0/24", "198.51.100.7", true),
            ("198.51.100.0/24", "198.51.101.7", false),
            ("198.51.100.7", "198.51.100.7", true),
            ("0.0.0.0/0", "192.0.2.1", true),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "192.0.2.1", false),
            ("vpce-1", "vpce-1", true),
            ("210987654321", "210987654321", true),
            ("nonsense", "192.0.2.1", false),
            ("192.0.2.0/x", "192.0.2.1", false),
        ] {
            assert_eq!(holds(network, place), expected, "{network} {place}");
        }
    }
}
