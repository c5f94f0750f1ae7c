//! Answers for people.

use std::fmt::Write as _;

use bailiwick_analyzer::generate::{Breaks, Comparison, Evidence, Generated, Lost, Refusal};

use crate::trail::thousands;

/// So many lines of a list are shown.
const MOST: usize = 20;

/// The policy with all that is to be said about it.
pub(super) fn policy(found: &Generated, with_account: bool) -> String {
    let mut out = String::new();
    let own = &found.own;
    let _ = writeln!(out, "{}", found.principal);
    let _ = writeln!(
        out,
        "{} of {} events are its own{}",
        thousands(own.count),
        thousands(found.events),
        span(own)
    );
    match &found.policy {
        None => {
            let _ = writeln!(out, "\n{}", no_policy(found));
        }
        Some(policy) => {
            let _ = writeln!(out, "\nPolicy ({} characters without white space)\n", found.size);
            for line in policy.text().lines() {
                let _ = writeln!(out, "  {line}");
            }
            out.push_str("\nWhat each statement rests on\n");
            for (number, (statement, evidence)) in
                policy.statement.iter().zip(&found.evidence).enumerate()
            {
                let actions: Vec<&str> = statement.action.iter().map(String::as_str).collect();
                let _ =
                    writeln!(out, "  {}. {}: {}", number + 1, some(&actions, 3), told(evidence));
            }
        }
    }
    replay(&mut out, found);
    list(&mut out, "Broader than the events", &found.broader);
    list(&mut out, "Not told by name in the events: `*` or `?` stands for it", &found.unnamed);
    list(&mut out, "Good to know", &found.notes);
    if !found.denied.is_empty() {
        out.push_str("\nRefused, and left out (--denied tells what would allow it)\n");
        for one in found.denied.iter().take(MOST) {
            let also = if one.also_allowed { "; also let through at another time" } else { "" };
            let _ = writeln!(out, "  {}: {}{also}", one.event, told(&one.evidence));
        }
        more(&mut out, found.denied.len());
    }
    let lines = |map: &std::collections::BTreeMap<String, Evidence>| -> Vec<String> {
        map.iter().map(|(name, evidence)| format!("{name}: {}", told(evidence))).collect()
    };
    list(&mut out, "No action of the catalog fits: not in the policy", &lines(&found.unknown));
    list(&mut out, "Needs no permission", &lines(&found.free));
    list(&mut out, "No call of an operation", &lines(&found.other));
    match &found.account {
        Some(account) => compared(&mut out, account),
        None if with_account => {
            out.push_str("\nThe account has no such principal: nothing to compare with.\n");
        }
        None => {}
    }
    list(&mut out, "What the events cannot show", &found.unseen);
    out
}

fn replay(out: &mut String, found: &Generated) {
    let replay = &found.replay;
    let _ = writeln!(
        out,
        "\nReplayed: {} of {} observed calls are allowed by it",
        thousands(replay.allowed),
        thousands(replay.observed)
    );
    if replay.by_resource_policy > 0 {
        let _ = writeln!(
            out,
            "  {} of them as far as the policy of the resource (role, key, other account) lets the \
             account in, as it did",
            thousands(replay.by_resource_policy)
        );
    }
    if replay.undecided > 0 {
        let _ = writeln!(
            out,
            "  {} of them are not decided: no action of the catalog fits them, or there are too many kinds",
            thousands(replay.undecided)
        );
    }
    for lost in &replay.refused {
        let _ = writeln!(out, "  REFUSED {}", sentence(lost));
    }
    let denied: u64 = found.denied.iter().map(|one| one.evidence.count).sum();
    match (denied, found.newly_allowed.as_slice()) {
        (0, _) => {}
        (_, []) => {
            let _ = writeln!(
                out,
                "  none of the {} refused calls is allowed that was not let through too",
                thousands(denied)
            );
        }
        (_, newly) => {
            let _ = writeln!(out, "  REFUSED BEFORE and allowed by it:");
            for one in newly.iter().take(MOST) {
                let _ = writeln!(out, "    {one}");
            }
        }
    }
}

fn compared(out: &mut String, account: &Comparison) {
    out.push_str("\nBeside what it has\n");
    let _ = writeln!(
        out,
        "  {} of {} granted actions were used; the policy has {}",
        thousands(account.used as u64),
        thousands(account.granted as u64),
        thousands(account.written as u64)
    );
    let _ = writeln!(
        out,
        "  {} of {} Allow statements were needed by no call:",
        account.unused.len(),
        account.statements
    );
    for one in account.unused.iter().take(MOST) {
        let sid = one.sid.as_ref().map(|sid| format!(" ({sid})")).unwrap_or_default();
        let actions: Vec<&str> = one.actions.iter().map(String::as_str).collect();
        let _ = writeln!(
            out,
            "    {}, statement {}{sid}: {}",
            one.policy,
            one.statement,
            some(&actions, 3)
        );
    }
    let within = match (account.within, &account.beyond) {
        (Some(true), _) => {
            "it allows nothing that the principal may not do now (shown for all requests)"
                .to_owned()
        }
        (Some(false), Some(example)) => {
            format!("it allows what the principal may not do now: {example}")
        }
        (Some(false), None) => "it allows what the principal may not do now".to_owned(),
        (None, _) => {
            "whether it allows more than the principal has could not be decided".to_owned()
        }
    };
    let _ = writeln!(out, "  {within}");
    let _ = writeln!(
        out,
        "  in place of its identity policies, boundary and organization as they are: {}",
        account.effect.sentence()
    );
    for lost in account.effect.calls.iter().take(MOST) {
        let _ = writeln!(out, "    {}", sentence(lost));
    }
}

/// What was refused.
pub(super) fn denied(principal: &str, found: &[Refusal]) -> String {
    let mut out = format!("{principal}\n");
    let calls: u64 = found.iter().map(|one| one.evidence.count).sum();
    let _ = writeln!(out, "{} calls were refused, of {} kinds", thousands(calls), found.len());
    for (number, one) in found.iter().enumerate() {
        let _ = writeln!(out, "\n{}. {}: {}", number + 1, one.event, told(&one.evidence));
        let _ = writeln!(out, "   {}", one.advice);
        if one.also_allowed {
            out.push_str("   the same was let through at another time\n");
        }
        for id in &one.evidence.decisions {
            let _ = writeln!(out, "   bailiwick why {id}");
        }
        if let Some(statement) = &one.statement {
            out.push_str("   this would allow it:\n");
            let text = serde_json::to_string_pretty(statement).unwrap_or_default();
            for line in text.lines() {
                let _ = writeln!(out, "     {line}");
            }
        }
    }
    out
}

/// What a change would refuse.
pub(super) fn breaks(found: &Breaks) -> String {
    let mut out = format!("{}\n", found.sentence());
    for (title, calls) in [("Refused", &found.calls), ("Not told enough", &found.unclear_calls)] {
        if !calls.is_empty() {
            let _ = writeln!(out, "\n{title}");
        }
        for lost in calls {
            let _ = writeln!(out, "  {}", sentence(lost));
        }
    }
    out
}

/// Why there is no policy.
pub(super) fn no_policy(found: &Generated) -> &'static str {
    if found.replay.undecided > 0 {
        "There is no policy to write: of calls whose needs are known, none needed a permission."
    } else if found.replay.observed == 0 {
        "There is no policy to write: no call was let through."
    } else {
        "No call needed a permission: there is no policy to write."
    }
}

fn sentence(lost: &Lost) -> String {
    if lost.action.is_empty() {
        return format!("{}: {}; {}", lost.event, lost.why, told(&lost.evidence));
    }
    format!(
        "{}: {} on {}, {}; {}",
        lost.event,
        lost.action,
        lost.resource,
        lost.why,
        told(&lost.evidence)
    )
}

/// How often and when.
fn told(evidence: &Evidence) -> String {
    let calls = if evidence.count == 1 { "call" } else { "calls" };
    let mut text = format!("{} {calls}{}", thousands(evidence.count), span(evidence));
    if evidence.failed > 0 {
        let _ = write!(text, ", {} failed for another reason", thousands(evidence.failed));
    }
    if !evidence.via.is_empty() {
        let via: Vec<&str> = evidence.via.iter().map(String::as_str).collect();
        let _ = write!(text, ", some by {}", some(&via, 3));
    }
    if let Some(id) = evidence.events.first() {
        let _ = write!(text, ", such as event {id}");
    }
    text
}

fn span(evidence: &Evidence) -> String {
    match (evidence.first, evidence.last) {
        (Some(first), Some(last)) if first == last => format!(", {first}"),
        (Some(first), Some(last)) => format!(", {first} to {last}"),
        _ => String::new(),
    }
}

fn some(list: &[&str], most: usize) -> String {
    let shown: Vec<&str> = list.iter().take(most).copied().collect();
    let mut text = shown.join(", ");
    if list.len() > most {
        let _ = write!(text, " and {} more", list.len() - most);
    }
    text
}

fn list(out: &mut String, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{title}");
    for line in lines.iter().take(MOST) {
        let _ = writeln!(out, "  {line}");
    }
    more(out, lines.len());
}

fn more(out: &mut String, count: usize) {
    if count > MOST {
        let _ = writeln!(out, "  and {} more (--format json has all)", count - MOST);
    }
}
