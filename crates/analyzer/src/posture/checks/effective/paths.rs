//! Ways by which principals become more than they were made: EFF-02 and EFF-08, from the graph of
//! escalation.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::classes::readable;
use crate::escalation::{Finding, Movement, PathId, Severity, Step, Way};
use crate::posture::audit::Audit;
use crate::posture::check::{Found, Results};
use crate::posture::facts::{Access, Administrative, excerpt};

/// Requests of a step that are told.
const MOST_ASKS: usize = 4;

/// EFF-02: who is no administrator, but can become one. Administrators are EFF-01's.
pub(super) fn to_administration(audit: &Audit<'_>, results: &mut Results) {
    let report = audit.escalations();
    let found: HashMap<&str, &Finding> =
        report.findings.iter().map(|finding| (finding.principal.as_str(), finding)).collect();
    let mut any = false;
    for access in readable(audit, results) {
        if access.administrative == Administrative::Always {
            results.not_applicable();
            continue;
        }
        any = true;
        match found.get(access.holder.arn.as_str()) {
            Some(finding) => results.fail(told(access, finding)),
            None => results.pass(),
        }
    }
    ended(audit, results, report.cut_short, any);
}

/// EFF-08: as how many others a principal can come to act.
pub(super) fn movement(audit: &Audit<'_>, results: &mut Results) {
    let report = audit.escalations();
    let found: HashMap<&str, &Movement> =
        report.movements.iter().map(|movement| (movement.principal.as_str(), movement)).collect();
    let most = audit.settings.limits.movement;
    let mut any = false;
    for access in readable(audit, results) {
        if access.administrative == Administrative::Always {
            results.not_applicable();
            continue;
        }
        any = true;
        match found.get(access.holder.arn.as_str()) {
            Some(movement) if movement.others > most => results.fail(moves(movement, most)),
            Some(Movement { principal, others, more: true, .. }) => results.not_assessed(
                principal,
                format!(
                    "it can come to act as {others} others or more, and {most} are allowed: not \
                     all were looked at"
                ),
            ),
            _ => results.pass(),
        }
    }
    let farthest = report.movements.iter().max_by_key(|movement| movement.hops);
    if let Some(farthest) = farthest {
        results.note(format!(
            "{} principals can come to act as others, in {} steps at most: {} as {}",
            report.movements.len(),
            farthest.hops,
            farthest.principal,
            farthest.farthest
        ));
    }
    ended(audit, results, report.cut_short, any);
}

fn ended(audit: &Audit<'_>, results: &mut Results, cut_short: bool, any: bool) {
    if cut_short {
        results.not_assessed(&audit.account, "the search ended before all was looked at");
    } else if !any {
        results.pass();
    }
}

fn moves(movement: &Movement, most: usize) -> Found {
    let Movement { principal, others, more, hops, farthest, paths } = movement;
    let more = if *more { " or more" } else { "" };
    let by: Vec<String> = paths.iter().map(ToString::to_string).collect();
    let why = format!(
        "it can come to act as {others}{more} others, and {most} are allowed; the farthest is \
         {farthest}, {hops} steps away by {}",
        by.join(", ")
    );
    let escalate = format!("bailiwick escalate EXPORT --from {principal}");
    Found::new(principal, why).cli(escalate)
}

/// The best way with its steps. The id of the finding hangs on the principal alone, so that it stays
/// when the way is another one.
fn told(access: &Access, finding: &Finding) -> Found {
    let sure = match finding.severity {
        Severity::Critical => String::new(),
        Severity::High | Severity::Medium => {
            let on: Vec<String> = finding.on.iter().map(ToString::to_string).collect();
            format!(", if {}", on.join(" and "))
        }
    };
    let mut why = format!("it can become administrator as {}{sure}", finding.reaches);
    if let Some(way) = finding.ways.first() {
        why.push_str(&steps(way));
    }
    if finding.ways.len() > 1 {
        let _ = write!(why, "; there are {} ways", finding.ways.len());
    }
    let mut found = Found::new(&finding.principal, why);
    if let Some(fix) = &finding.fix {
        found = found.diff(&fix.diff).cli(&fix.command);
        let policies = &access.subject.effective.identity;
        let policy = policies.iter().find(|policy| *policy.source.id == *fix.policy);
        let statement =
            policy.and_then(|one| Some((one, one.document.statements().get(fix.statement)?)));
        let text = statement.map(|(one, statement)| excerpt(&one.document, statement));
        let place = format!("{} of {}, statement {}", fix.policy, fix.owner, fix.statement + 1);
        let _ = write!(found.why, "; the first step is allowed by {place}");
        if let Some(text) = text {
            let _ = write!(found.why, ": {text}");
        }
    }
    found
}

fn steps(way: &Way) -> String {
    let each = way.steps.iter().enumerate().map(|(at, step)| {
        let to = step.to.as_ref().map_or_else(|| "the directory".to_owned(), ToString::to_string);
        format!("{}. {}: {} -> {to}", at + 1, rows(&step.paths), asks(step))
    });
    let each: Vec<String> = each.collect();
    format!(": {}", each.join("; "))
}

fn rows(paths: &[PathId]) -> String {
    let all: Vec<String> = paths.iter().map(ToString::to_string).collect();
    all.join(" with ")
}

fn asks(step: &Step) -> String {
    let all = step.asks.iter().take(MOST_ASKS);
    let mut text: Vec<String> =
        all.map(|ask| format!("{} on {}", ask.action, ask.resource)).collect();
    if step.asks.len() > MOST_ASKS {
        text.push("...".to_owned());
    }
    text.join(", ")
}
