//! The series of files, and the calls that were refused.

use std::collections::{BTreeMap, BTreeSet};

use super::{close, is_own, known, shown, since_epoch};
use crate::posture::audit::Audit;
use crate::posture::check::{Found, Results};

/// Without digests the hours tell something only where nearly all of them, of a hundred, have events.
const CONTINUOUS: usize = 95;

/// LOG-12: digests come every hour, with events or without.
pub(super) fn gaps(audit: &Audit<'_>, results: &mut Results) {
    let Some((uses, _)) = known(audit, results) else { return };
    let account = audit.evidence.account_id().to_string();
    let (digests, events) = (uses.digest_hours(&account), uses.hours(&account));
    // A region whose series ends before that of another was stopped.
    let last = digests.values().filter_map(|hours| hours.last().copied()).max();
    for (region, hours) in &digests {
        let none = BTreeSet::new();
        let with_events = events.get(region).unwrap_or(&none);
        let gaps = gaps_of(hours, with_events, last);
        if let Some(first) = gaps.first() {
            let at = since_epoch(*first, 3600);
            let why = format!(
                "{} hours of the series of {region} have neither a digest nor events; the first from {}",
                gaps.len(),
                at.map(|at| at.to_string()).unwrap_or_default()
            );
            results.fail(Found::new(&audit.account, why).detail(*region).when(at));
        } else {
            results.pass();
        }
    }
    let mut lacking: BTreeMap<&str, (u64, i64)> = BTreeMap::new();
    for ((region, hour), count) in uses.not_given(&account) {
        let entry = lacking.entry(region).or_insert((0, hour));
        entry.0 += count;
    }
    for (region, (count, hour)) in lacking {
        let at = since_epoch(hour, 3600);
        let why = format!(
            "{count} files that digests of {region} list are not there; the first is of the hour from {}",
            at.map(|at| at.to_string()).unwrap_or_default()
        );
        results.fail(Found::new(&audit.account, why).detail(format!("{region} files")).when(at));
    }
    if digests.is_empty() {
        without_digests(audit, &events, results);
    }
    close(audit, uses, results);
}

fn without_digests(
    audit: &Audit<'_>,
    events: &BTreeMap<&str, BTreeSet<i64>>,
    results: &mut Results,
) {
    let hours: BTreeSet<i64> = events.values().flatten().copied().collect();
    let gaps = gaps_of(&hours, &BTreeSet::new(), hours.last().copied());
    let Some(first) = gaps.first() else { return };
    let all = hours.len() + gaps.len();
    if hours.len() * 100 < all * CONTINUOUS {
        let why = format!(
            "digest files: {} of {all} hours have no events in any region, and without digests a quiet \
             hour cannot be told from a gap",
            gaps.len()
        );
        results.not_assessed(&audit.account, why);
        return;
    }
    let at = since_epoch(*first, 3600);
    let why = format!(
        "{} of {all} hours have no events in any region, and there are no digests; the first from {}",
        gaps.len(),
        at.map(|at| at.to_string()).unwrap_or_default()
    );
    results.fail(Found::new(&audit.account, why).when(at));
}

/// The hours from the first of a set that are in neither set. The last hour is left out: its digest may
/// be on its way. As many hours as a century has at most: a clock that is wrong makes no list without end.
fn gaps_of(hours: &BTreeSet<i64>, others: &BTreeSet<i64>, last: Option<i64>) -> Vec<i64> {
    let (Some(first), Some(last)) = (hours.first(), last) else { return Vec::new() };
    let each = (*first..last).take(100 * 366 * 24);
    each.filter(|hour| !hours.contains(hour) && !others.contains(hour)).collect()
}

/// LOG-14: by principal and action.
pub(super) fn denied(audit: &Audit<'_>, results: &mut Results) {
    let Some((uses, covered)) = known(audit, results) else { return };
    let limit = audit.settings.limits.denied_calls;
    let denied = uses.denied();
    let mut by_principal: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for one in &denied {
        by_principal.entry(one.principal).or_default().push(one);
    }
    by_principal.retain(|principal, _| is_own(audit, principal));
    let mut few = 0;
    for (principal, mut calls) in by_principal {
        let count: u64 = calls.iter().map(|one| one.count).sum();
        if count <= limit {
            few += count;
            continue;
        }
        calls.sort_by_key(|one| (std::cmp::Reverse(one.count), one.action));
        let list: Vec<String> = calls
            .iter()
            .map(|one| format!("{}:{} {}", one.action.service, one.action.name, one.count))
            .collect();
        let last = calls.iter().map(|one| one.last).max();
        let why = format!(
            "{count} calls were refused from {}: {}",
            super::days_of(covered),
            shown(&list, 8)
        );
        results.fail(Found::new(principal, why).when(last));
    }
    if few > 0 {
        results.note(format!("{few} more calls were refused, at most {limit} of a principal"));
    }
    close(audit, uses, results);
}
