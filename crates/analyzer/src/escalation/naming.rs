//! The resources on which the actions of a row are asked: what is to be made, or what runs
//! somewhere. Their names are chosen so that all actions on one thing meet at the same ARN.

use std::collections::{BTreeMap, BTreeSet};

use bailiwick_catalog::Catalog;

use super::common::fitting;
use super::judge::{Dependence, Keys, Permit};
use super::moves::Moves;
use super::table::Row;

/// Combinations of patterns that are tried for one name.
const MOST_COMBINATIONS: usize = 64;
/// Regions tried where the home region is refused, those that policies name first.
const REGIONS: [&str; 8] = [
    "us-east-1",
    "us-east-2",
    "us-west-2",
    "eu-west-1",
    "eu-central-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-northeast-1",
];

/// Kinds of resource of which any one will do for an action.
const EITHER: [(&str, &[&str]); 6] = [
    ("bedrock-agentcore:InvokeCodeInterpreter", &["code-interpreter", "code-interpreter-custom"]),
    (
        "bedrock-agentcore:StartCodeInterpreterSession",
        &["code-interpreter", "code-interpreter-custom"],
    ),
    ("bedrock-agentcore:StartBrowserSession", &["browser", "browser-custom"]),
    ("s3:GetObject", &["object"]),
    ("ssm:SendCommand", &["instance", "managed-instance"]),
    ("ssm:StartSession", &["instance", "managed-instance", "task"]),
];

/// What an action is asked on.
#[derive(Clone, Debug)]
pub(super) struct Target {
    action: &'static str,
    /// Patterns of ARNs of which one has to be allowed; `*` for an action without resource.
    pub(super) either: Vec<String>,
}

impl Moves<'_, '_> {
    /// The requests of a row but for passing the role, if all are allowed.
    pub(super) fn row_permits(&self, row: &Row) -> Option<Vec<Permit>> {
        let mut slots: BTreeMap<Vec<String>, Vec<&'static str>> = BTreeMap::new();
        for action in row.actions.iter().filter(|action| **action != "iam:PassRole") {
            for target in targets(action) {
                slots.entry(target.either).or_default().push(target.action);
            }
        }
        let mut permits = Vec::new();
        for (either, actions) in slots {
            let found = either.iter().filter_map(|template| self.slot(template, &actions));
            let best = found.min_by_key(|permits| on(permits).len())?;
            permits.extend(best);
        }
        let order = |permit: &Permit| {
            row.actions.iter().position(|action| *action == permit.ask.action).unwrap_or_default()
        };
        permits.sort_by_key(order);
        Some(permits)
    }

    /// The requests of several actions on one thing, under a name that all of them allow.
    fn slot(&self, template: &str, actions: &[&'static str]) -> Option<Vec<Permit>> {
        let nothing = Keys::new();
        let all = |arn: &str| -> Option<Vec<Permit>> {
            actions.iter().map(|action| self.ask(action, arn, &nothing)).collect()
        };
        if template == "*" {
            return all("*");
        }
        let judge = &self.world.judge;
        let own = template
            .replace("${Partition}", judge.partition())
            .replace("${Account}", judge.account());
        let named = |region: &str| filled(&own.replace("${Region}", region));
        let usual = plain(&named(judge.home()));
        let mut best = all(&usual);
        if best.as_ref().is_some_and(|found| on(found).is_empty()) {
            return best;
        }
        let groups: Vec<Vec<String>> =
            actions.iter().flat_map(|action| self.world.patterns(self.from, action)).collect();
        let mut regions = vec![judge.home().to_owned()];
        let by_region: Vec<String> = actions
            .iter()
            .flat_map(|action| self.world.values_of(self.from, action, "aws:RequestedRegion"))
            .collect();
        if groups.is_empty() && by_region.is_empty() {
            // No name makes a difference.
            return best;
        }
        if own.contains("${Region}") {
            regions.extend(by_region.into_iter().filter(|region| !region.contains('*')));
            regions.extend(REGIONS.map(str::to_owned));
            regions.push("?*".to_owned());
        }
        let mut seen = BTreeSet::new();
        for combination in combinations(&groups) {
            for region in &regions {
                for filler in ['x', '7'] {
                    let template = named(region);
                    let mut patterns: Vec<&str> = vec![&template];
                    patterns.extend(combination.iter().copied());
                    let Some(arn) = fitting(&patterns, filler) else { break };
                    if !seen.insert(arn.clone()) {
                        continue;
                    }
                    let Some(found) = all(&arn) else { continue };
                    if on(&found).is_empty() {
                        return Some(found);
                    }
                    let fewer = |held: &Vec<Permit>| on(held).len() <= on(&found).len();
                    best = best.filter(fewer).or(Some(found));
                }
            }
        }
        best
    }
}

fn on(permits: &[Permit]) -> BTreeSet<&Dependence> {
    permits.iter().flat_map(|permit| &permit.on).collect()
}

/// Each choice of one pattern a group.
pub(super) fn combinations(groups: &[Vec<String>]) -> Vec<Vec<&str>> {
    let mut all: Vec<Vec<&str>> = vec![Vec::new()];
    for group in groups {
        let mut next = Vec::new();
        for chosen in &all {
            for pattern in group {
                if next.len() >= MOST_COMBINATIONS {
                    break;
                }
                let mut longer = chosen.clone();
                if pattern != "*" && !longer.contains(&pattern.as_str()) {
                    longer.push(pattern);
                }
                next.push(longer);
            }
        }
        all = next;
    }
    all
}

/// The pattern of a template: each variable stands for some text.
pub(super) fn filled(template: &str) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("${") {
        text.push_str(before);
        text.push_str("?*");
        rest = after.split_once('}').map_or("", |(_, behind)| behind);
    }
    text.push_str(rest);
    text
}

/// A name that nobody's policies mean in particular.
fn plain(pattern: &str) -> String {
    pattern.replace("?*", "made-for-this").replace('*', "any")
}

/// The resources of an action as the catalog has them: all that a call always names, or one of a few
/// kinds.
pub(super) fn targets(action: &'static str) -> Vec<Target> {
    let star = || Target { action, either: vec!["*".to_owned()] };
    let Some((prefix, name)) = action.split_once(':') else { return vec![star()] };
    let catalog = Catalog::embedded();
    let (Some(service), Some(known)) = (catalog.service(prefix), catalog.action(prefix, name))
    else {
        return vec![star()];
    };
    let pattern = |kind: &str| -> Vec<String> {
        let Some(kind) = service.resource_type(kind) else { return Vec::new() };
        // Devices of Braket have neither region nor owner.
        let mut patterns = vec![kind.arn_pattern.replace(":braket:*:*:", ":braket:::")];
        // Documents of AWS have no owner, and images another one.
        if matches!(&*kind.name, "document" | "deploymentconfig") {
            patterns.push(kind.arn_pattern.replace("${Account}", ""));
        }
        patterns
    };
    let either = EITHER.iter().find(|(held, _)| *held == action).map(|(_, kinds)| *kinds);
    let mut found: Vec<Target> = known
        .resource_types
        .iter()
        .filter(|kind| kind.required && either.is_none_or(|kinds| !kinds.contains(&&*kind.name)))
        .map(|kind| Target { action, either: pattern(&kind.name) })
        .collect();
    if let Some(kinds) = either {
        let either = kinds.iter().flat_map(|kind| pattern(kind)).collect();
        found.push(Target { action, either });
    }
    if found.is_empty() {
        found.push(star());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::escalation::table::ROWS;

    #[test]
    fn every_action_of_the_table_has_a_target() {
        for action in ROWS.iter().flat_map(|row| row.actions) {
            let targets = targets(action);
            assert!(!targets.is_empty(), "{action}");
            assert!(targets.iter().all(|target| !target.either.is_empty()), "{action}");
        }
        assert_eq!(targets("ec2:RunInstances").len(), 5);
        assert_eq!(filled("arn:${A}:x/${B}"), "arn:?*:x/?*");
    }
}
