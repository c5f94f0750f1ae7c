//! What the events of a trail answer: use of rights, places, patterns, gaps.
//!
//! Events prove use; that there was none they prove only of the time that they cover. A check that asks
//! for want of use is not assessed where they cover less than its limit or lack a day of it, and says which
//! days they cover.
//! Where some events could not be read, nothing passes.

#![allow(clippy::similar_names, reason = "uses, and what was used, are the words of the field")]

mod people;
mod series;
mod unused;

#[cfg(test)]
pub(super) mod tests;

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};

use crate::evidence::Data;
use crate::posture::audit::Audit;
use crate::posture::check::{Check, Need, Results};
use crate::trail::{Covered, Uses};

const EVENTS: Need = Need::Of(Data::Events);

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "USR-06",
        needs: &[EVENTS],
        remedy: "give each person and each program an identity of its own, with sessions of roles",
        run: people::shared,
    },
    Check {
        id: "TRU-15",
        needs: &[EVENTS],
        remedy: "make a role that trusts the other account, and delete the key",
        run: people::foreign,
    },
    Check {
        id: "USE-04",
        needs: &[Need::Of(Data::AuthorizationDetails), EVENTS],
        remedy: "take the actions out of the principal's policies",
        run: unused::actions,
    },
    Check {
        id: "USE-05",
        needs: &[Need::Of(Data::AuthorizationDetails), EVENTS],
        remedy: "put the policy that `bailiwick generate` writes from the same events in place of the role's",
        run: unused::offers,
    },
    Check {
        id: "LOG-12",
        needs: &[EVENTS],
        remedy: "find out who stopped the trail or deleted its files, and restore them from a copy",
        run: series::gaps,
    },
    Check {
        id: "LOG-14",
        needs: &[EVENTS],
        remedy: "grant what is needed, and find out about the rest",
        run: series::denied,
    },
    Check {
        id: "MON-12",
        needs: &[EVENTS],
        remedy: "find out who called, and forbid the principal everything meanwhile",
        run: people::patterns,
    },
    Check {
        id: "MON-14",
        needs: &[EVENTS],
        remedy: "look through the changes, and name those who may make them among `administrators`",
        run: people::privileged,
    },
    Check {
        id: "IDC-05",
        needs: &[Need::Of(Data::IdentityCenter), Need::Of(Data::AuthorizationDetails), EVENTS],
        remedy: "delete the assignments, and the permission set if no account needs it",
        run: unused::permission_sets,
    },
];

/// The uses, and the time that they cover in the account of the audit. Says so if they are none of it.
fn known<'a>(audit: &Audit<'a>, results: &mut Results) -> Option<(&'a Uses, Covered)> {
    let uses = audit.evidence.events.known()?;
    let account = audit.evidence.account_id().to_string();
    let covered = uses.covered(&account);
    if covered.is_none() {
        results.not_assessed(&audit.account, "trail events: those given are not of this account");
    }
    Some((uses, covered?))
}

/// The end of a check: it passes if nothing failed and every event was read.
fn close(audit: &Audit<'_>, uses: &Uses, results: &mut Results) {
    let totals = uses.totals();
    if totals.bad + totals.broken + totals.beyond > 0 {
        let why = format!(
            "trail events: {} records and {} files could not be read",
            totals.bad + totals.beyond,
            totals.broken
        );
        results.not_assessed(&audit.account, why);
    } else if results.failed.is_empty() && results.unassessed.is_empty() {
        results.pass();
    }
}

/// Whether a name is one of the account's own principals.
fn is_own(audit: &Audit<'_>, name: &str) -> bool {
    let account = audit.evidence.account_id().to_string();
    name.split(':').nth(4).is_some_and(|own| own == account)
}

/// When the last so many days that the events cover begin. Nothing, and said so, if they cover fewer, or
/// if a day among them has neither events nor a digest: what happened on it is not known.
fn window(
    audit: &Audit<'_>,
    uses: &Uses,
    covered: Covered,
    days: i64,
    results: &mut Results,
) -> Option<Timestamp> {
    // The last day of the series is seldom whole: an hour less is not too little.
    let wanted = SignedDuration::from_hours(24 * days);
    if covered.last.duration_since(covered.first) + SignedDuration::from_hours(1) < wanted {
        let why = format!(
            "trail events of {days} days: those given cover {}, which proves nothing unused",
            days_of(covered)
        );
        results.not_assessed(&audit.account, why);
        return None;
    }
    let since = covered.last.checked_sub(wanted).unwrap_or(covered.first);
    let number = |at: Timestamp| at.as_second().div_euclid(86_400);
    let known = uses.days(&audit.evidence.account_id().to_string());
    let all = number(since.max(covered.first))..=number(covered.last);
    let holes: Vec<i64> = all.filter(|day| !known.contains(day)).collect();
    if let Some(first) = holes.first() {
        let why = format!(
            "trail events of {days} days: {} days have neither events nor a digest; the first is {}",
            holes.len(),
            since_epoch(*first, 86_400).map(day).unwrap_or_default()
        );
        results.not_assessed(&audit.account, why);
        return None;
    }
    Some(since)
}

/// The days that events cover, as evidence names them.
fn days_of(covered: Covered) -> String {
    let days = covered.last.duration_since(covered.first).as_hours() / 24;
    format!("{} to {} ({days} days)", day(covered.first), day(covered.last))
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

/// An instant in hours or minutes since the epoch.
fn since_epoch(count: i64, seconds: i64) -> Option<Timestamp> {
    Timestamp::from_second(count.checked_mul(seconds)?).ok()
}

/// A list that stays readable.
fn shown<S: AsRef<str>>(items: &[S], most: usize) -> String {
    let mut text = items.iter().take(most).map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    if items.len() > most {
        let _ = write!(text, " and {} more", items.len() - most);
    }
    text
}
